//! Subscriptions that the listing lacks: what that means, and what proves it (B8-B10, decisions 2, 6 and 34).

use std::collections::HashSet;

use super::customers::{find, partner, sorted_by_id};
use super::{Absence, Action, Cause, FieldChange, Mark, Policy, Snapshot, snapshot::Mappings};
use crate::matching::exact_form;
use crate::model::{Count, Entity, FieldName, Found, Link, SourceId, Value, Verdict, Wanted};

/// The linked subscriptions to look up one by one before a scheduled plan is built: `(subscription, customer)`.
///
/// Links in order of their ids. Nothing for a manual plan, which acts on no absence at all.
pub fn absent(
    snapshot: &Snapshot,
    links: impl IntoIterator<Item = (SourceId, Link)>,
    mappings: &Mappings,
    policy: &Policy,
) -> Vec<(SourceId, SourceId)> {
    if !policy.scheduled || !policy.entities.contains(&Entity::Subscriptions) {
        return Vec::new();
    }
    let rules = Rules::new(snapshot, mappings, policy);
    let licences = sorted_by_id(&snapshot.licences);
    let listed: HashSet<&SourceId> = snapshot.subscriptions.iter().map(|wanted| &wanted.id).collect();
    links
        .into_iter()
        .filter(|(id, _)| !listed.contains(id))
        .filter(|(id, link)| {
            matches!(rules.judge(id, link, find(&licences, &link.target)), Judged::Gone { .. })
        })
        .filter_map(|(id, link)| link.parent.map(|customer| (id, customer)))
        .collect()
}

/// What an absence means before any look-up.
pub(super) enum Judged {
    /// Nothing happens, and why.
    Left { action: Action, why: String },
    /// It waits.
    Held { cause: Cause, why: String },
    /// Its listing is incomplete: an alert, nothing else (P8).
    Unread { customer: SourceId, why: String },
    /// Gone at the source as far as the listing says: this is what the setting makes of it.
    Gone { action: Action, fields: Vec<FieldChange> },
}

pub(super) struct Rules<'a> {
    snapshot: &'a Snapshot,
    mappings: &'a Mappings,
    policy: &'a Policy,
    label: &'static str,
    halo: Vec<&'a Found>,
    /// Names of the products that are in scope for sure; `None` if every product is.
    products: Option<HashSet<String>>,
}

impl<'a> Rules<'a> {
    pub fn new(snapshot: &'a Snapshot, mappings: &'a Mappings, policy: &'a Policy) -> Self {
        let scope = &policy.settings.customer_subscriptions_to_import;
        let in_scope = |wanted: &&Wanted| !matches!(wanted.verdict, Verdict::OutOfScope(_));
        let products = (!scope.products.is_empty()).then(|| {
            let listed = snapshot.subscriptions.iter().filter(in_scope).map(|wanted| folded(&wanted.name));
            scope.products.iter().map(|name| folded(name)).chain(listed).collect()
        });
        Self {
            snapshot,
            mappings,
            policy,
            label: policy.integration.label(),
            halo: sorted_by_id(&snapshot.halo_customers),
            products,
        }
    }

    /// Whether its customer is mapped, and where to.
    pub fn customer(&self, id: &SourceId) -> Result<&'a Link, String> {
        if self.mappings.decisions.get(id).is_some_and(|decision| decision.excludes(self.policy.today)) {
            return Err("its customer is excluded: left as it is".into());
        }
        match self.mappings.customers.get(id) {
            None => Err("its customer is no longer mapped: left as it is".into()),
            Some(link) => partner(&self.halo, self.snapshot, link).map(|_| link),
        }
    }

    pub fn judge(&self, id: &SourceId, link: &Link, licence: Option<&Found>) -> Judged {
        let left = |why: String| Judged::Left { action: Action::Skipped, why };
        let unchanged = |why: String| Judged::Left { action: Action::Unchanged, why };
        let Some(parent) = &link.parent else {
            return left(format!(
                "not listed by {}; whose it was is not recorded: left as it is",
                self.label
            ));
        };
        let customer = match self.customer(parent) {
            Ok(customer) => customer,
            Err(why) => return left(why),
        };
        if let Some(why) = self.outside(parent, link) {
            return left(format!("outside the chosen scope: {why}; left as it is (B3)"));
        }
        let read = self.snapshot.read.get(parent).map(|read| &read.0);
        let complete = match (&self.snapshot.customers_complete.0, read) {
            (Err(why), _) | (Ok(()), Some(Err(why))) => Err(why.clone()),
            (Ok(()), None) => Err("its customer's subscriptions were not read".to_owned()),
            (Ok(()), Some(Ok(()))) => Ok(()),
        };
        if let Err(why) = complete {
            return Judged::Unread { customer: parent.clone(), why };
        }
        let Some(licence) = licence else {
            return match self.snapshot.licences_complete.why_not() {
                None => left(format!("gone at {} and in Halo: nothing to do", self.label)),
                Some(why) => {
                    left(format!("gone at {}, but Halo's licences are not all known: {why}", self.label))
                }
            };
        };
        if licence.parent.as_ref().is_some_and(|parent| *parent != customer.target) {
            return Judged::Held {
                cause: Cause::Ambiguous { candidates: Vec::new() },
                why: format!(
                    "gone at {}, but its licence is with another Halo customer than the mapping says: change it by hand",
                    self.label
                ),
            };
        }

        let settings = &self.policy.settings;
        let count = match licence.fields.get(FieldName::Quantity) {
            Some(Value::Count(count)) => Some(*count),
            _ => None,
        };
        let is_zero = count.is_none_or(|count| count == Count::ZERO);
        let removed = link.removed.as_ref();
        let base = link.base.as_ref();
        let mut fields = Vec::new();
        let mut set = |name: FieldName, before: Value, after: Value| {
            let edited = base.and_then(|base| base.get(name)).is_some_and(|last| *last != before);
            let mark = edited.then_some(Mark::EditedInHalo);
            fields.push(FieldChange { name, before: Some(before), after: Some(after), mark });
        };
        if settings.deactivate_deleted {
            if is_zero && removed.is_some_and(|removed| removed.zeroed && !removed.deactivated) {
                return unchanged(format!(
                    "gone at {}; set to 0 earlier, and deactivating does not reach back (B9)",
                    self.label
                ));
            }
            if licence.is_active {
                set(FieldName::Status, Value::Active(true), Value::Active(false));
            }
            if settings.zero_deactivated
                && let Some(count) = count.filter(|count| *count != Count::ZERO)
            {
                set(FieldName::Quantity, Value::Count(count), Value::Count(Count::ZERO));
            }
            if fields.is_empty() {
                return unchanged(format!("gone at {}; inactive in Halo already (B9)", self.label));
            }
        } else {
            let Some(count) = count.filter(|_| !is_zero) else {
                return unchanged(format!("gone at {}; its count in Halo is 0 already (B8)", self.label));
            };
            if removed.is_some_and(|removed| removed.deactivated) && !licence.is_active {
                return unchanged(format!("gone at {}; made inactive earlier (B9)", self.label));
            }
            set(FieldName::Quantity, Value::Count(count), Value::Count(Count::ZERO));
        }
        let action = if settings.deactivate_deleted { Action::Deactivate } else { Action::Zero };
        if !self.policy.scheduled {
            let what = if action == Action::Zero { "set its count to 0" } else { "make it inactive" };
            return left(format!(
                "gone at {}; a scheduled run would {what}, a manual import never does (B4)",
                self.label
            ));
        }
        let before = self.mappings.missing_runs.get(id).copied().unwrap_or(0);
        let grace = self.policy.safety.removal_grace_runs;
        if before < grace {
            let what = if action == Action::Zero { "zero" } else { "inactive" };
            return left(format!(
                "missing since {} runs, {what} in {} more (N9)",
                before + 1,
                grace - before
            ));
        }
        Judged::Gone { action, fields }
    }

    /// What the look-up of an absent subscription says; `Err` is the reason to wait.
    pub fn proof(&self, id: &SourceId) -> Result<(), String> {
        match self.snapshot.absences.get(id) {
            Some(Absence::Confirmed) => Ok(()),
            Some(Absence::Unconfirmed(why)) => {
                Err(format!("not listed by {}, but a look-up does not confirm it: {why} (P7)", self.label))
            }
            None => {
                Err(format!("not listed by {}, and not looked up: absence is not proven (P7)", self.label))
            }
        }
    }

    /// Whether a link is outside the chosen scope, as far as that can be told without the record (P9).
    fn outside(&self, customer: &SourceId, link: &Link) -> Option<String> {
        let scope = &self.policy.settings.customer_subscriptions_to_import;
        if !scope.customers.is_empty() && !scope.customers.iter().any(|id| id.trim() == customer.as_str()) {
            return Some(format!("customer {customer} is not among the chosen ones"));
        }
        match &self.products {
            Some(products) if !products.contains(&folded(&link.source_name)) => {
                Some("its product is not among the chosen ones for sure".into())
            }
            _ => None,
        }
    }
}

fn folded(name: &str) -> String {
    exact_form(name).to_lowercase()
}
