//! What hangs on a customer at the source: how much waits for its mapping, and whether anything has ever come through it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::planning::Links;
use crate::engine::words::Carried;
use crate::engine::{Engine, keys};
use crate::model::{FieldName, Integration, Problem, SourceId, Value, Verdict, Wanted};
use crate::plan::snapshot::Completeness;
use crate::plan::{Snapshot, monthly};
use crate::store::Op;

/// By customer, and of each by kind of record.
pub(in crate::engine) type AllCarried = BTreeMap<SourceId, Vec<Carried>>;

impl Engine {
    /// Keeps what a plan read of the customers' records. A customer whose records were not all read keeps what was known.
    pub(in crate::engine) fn remember_carried(
        &self,
        integration: Integration,
        snapshot: &Snapshot,
    ) -> Result<(), Problem> {
        // A plan of single records has not seen the others.
        if snapshot.only.as_ref().is_some_and(|only| only.records.is_some()) {
            return Ok(());
        }
        let old = self.carried(integration)?;
        let mut now = (*old).clone();
        for (entity, lines) in snapshot.lines.iter().filter(|(entity, _)| !entity.is_kept()) {
            let is_read = |customer: &SourceId| {
                snapshot.only.as_ref().is_none_or(|only| only.customers.contains(customer))
                    && lines.read.of(customer).is_some_and(Completeness::is_complete)
            };
            for (customer, carried) in &mut now {
                if is_read(customer) {
                    carried.retain(|one| one.entity != *entity);
                }
            }
            let mut read: BTreeMap<SourceId, Carried> = BTreeMap::new();
            for wanted in lines.wanted.iter().filter(comes) {
                let Some(customer) = wanted.parent.clone().filter(|customer| is_read(customer)) else {
                    continue;
                };
                add(read.entry(customer).or_insert_with(|| Carried::of(*entity)), &wanted);
            }
            for (customer, carried) in read {
                now.entry(customer).or_default().push(carried);
            }
        }
        if snapshot.only.is_none() && snapshot.customers_complete.is_complete() {
            now.retain(|id, _| snapshot.customers.binary_search_by(|customer| customer.id.cmp(id)).is_ok());
        }
        now.retain(|_, carried| !carried.is_empty());
        let mut ops = Vec::new();
        for customer in old.keys().filter(|customer| !now.contains_key(*customer)) {
            ops.push(Op::Del(keys::carried(integration, customer)));
        }
        for (customer, carried) in &mut now {
            carried.sort_by_key(|one| one.entity);
            if old.get(customer) != Some(carried) {
                ops.extend(keys::put_big(&keys::carried(integration, customer), carried));
            }
        }
        if !ops.is_empty() {
            self.book.cache(&ops)?;
            self.live().carried.insert(integration, Arc::new(now));
        }
        Ok(())
    }

    /// What hangs on each source customer, from memory or the index.
    pub(super) fn carried(&self, integration: Integration) -> Result<Arc<AllCarried>, Problem> {
        if let Some(known) = self.live().carried.get(&integration) {
            return Ok(known.clone());
        }
        let mut all = AllCarried::new();
        self.book.each_big_value(&keys::carried_all(integration), |id, carried| {
            all.insert(SourceId::new(id), carried);
        })?;
        let all = Arc::new(all);
        self.live().carried.insert(integration, all.clone());
        Ok(all)
    }

    /// An index that is older than the marks of use (N4) gets them from the links, once: or every mapping of before would
    /// look as if nothing had ever come through it.
    pub(in crate::engine) fn know_uses(&self) -> Result<(), Problem> {
        for integration in Integration::ALL {
            let known = keys::uses_known(integration);
            if self.book.get::<bool>(&known)?.is_some() {
                continue;
            }
            let mut marked = BTreeSet::new();
            self.book.each(&keys::uses(integration), |id, _| {
                marked.insert(SourceId::new(String::from_utf8_lossy(id)));
                Ok(())
            })?;
            let mut ops = Vec::new();
            let lines = integration.entities().iter().copied().filter(|entity| *entity != integration.root());
            for entity in lines {
                let mut links = Links::new(self, integration, entity);
                for (_, link) in links.by_ref() {
                    if let Some(customer) = link.parent.filter(|customer| !marked.contains(customer)) {
                        ops.push(keys::put(keys::used(integration, &customer), &link.since));
                        marked.insert(customer);
                    }
                }
                links.end()?;
            }
            ops.push(keys::put(known, &true));
            self.book.cache(&ops)?;
        }
        Ok(())
    }
}

/// Whether an import would bring it, were its customer mapped.
const fn comes(wanted: &Wanted) -> bool {
    matches!(wanted.verdict, Verdict::Take | Verdict::Hold(_))
}

fn add(carried: &mut Carried, wanted: &Wanted) {
    carried.records += 1;
    if let Some(Value::Count(count)) = wanted.fields.get(FieldName::Quantity) {
        carried.seats += u64::from(count.get());
    }
    let is_active = !matches!(wanted.fields.get(FieldName::Status), Some(Value::Active(false)));
    match (wanted.currency, monthly(&wanted.fields, is_active)) {
        (Some(currency), Some(money)) => *carried.money.entry(currency).or_default() += money,
        _ => carried.unpriced += 1,
    }
}
