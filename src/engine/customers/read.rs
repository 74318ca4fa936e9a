//! Both sides as they were last read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::{Parties, Reading, SourceParty, TargetParty};
use crate::api::budget::Lane;
use crate::engine::words::Event;
use crate::engine::{Engine, extract, keys};
use crate::model::{Decision, Found, Integration, Link, Moment, Place, Problem, SourceId, TargetId};
use crate::store::Op;

impl Engine {
    /// Reads the customers of both sides for the table; changes nothing.
    pub async fn read_customers(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        let result = self.read_both(integration).await;
        let mut live = self.live();
        match &result {
            Ok(_) => live.trouble.remove(&integration),
            Err(problem) => live.trouble.insert(integration, problem.to_string()),
        };
        drop(live);
        self.tell(Event::Map(integration));
        result
    }

    async fn read_both(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        let with = self.connect(integration, Lane::Interactive)?;
        let say = |what: &str, done: u64, of: Option<u64>| {
            self.tell(Event::Reading { integration, what: what.to_owned(), done, of });
        };
        let both = extract::customers(self, &with, integration, &say).await;
        with.close().await;
        let mut both = both?;
        both.target.sort_by(|a, b| a.id.cmp(&b.id));
        let root = integration.root();
        let mut said = format!(
            "Read {} {} {} and {} {} {}.",
            both.source.len(),
            integration.source(root).label(),
            integration.source(root).party().1,
            both.target.len(),
            integration.target(root).label(),
            integration.target(root).party().1
        );
        for why in &both.incomplete {
            said.push_str(&format!(" Not complete: {why}."));
        }
        self.remember_parties(integration, &both.source, &both.target, &both.incomplete, self.world.now())?;
        Ok(said)
    }

    /// Keeps what the table shows of both sides. What a reading that is not whole (`doubts`) lacks, stays.
    pub(in crate::engine) fn remember_parties(
        &self,
        integration: Integration,
        source: &[(SourceId, SourceParty)],
        target: &[Found],
        doubts: &[String],
        at: Moment,
    ) -> Result<(), Problem> {
        let old = self.parties(integration)?;
        let place = integration.target(integration.root());
        let mut ops = Vec::new();
        let mut seen: HashSet<&SourceId> = HashSet::new();
        for (id, party) in source {
            seen.insert(id);
            if old.read.source.get(id) != Some(party) {
                ops.extend(keys::put_big(&keys::source_party(integration, id), party));
            }
        }
        for gone in old.read.source.keys().filter(|id| doubts.is_empty() && !seen.contains(id)) {
            ops.push(Op::Del(keys::source_party(integration, gone)));
        }
        let mut there: HashSet<&TargetId> = HashSet::new();
        for customer in target {
            let party = TargetParty::of(customer);
            there.insert(&customer.id);
            if old.read.target.get(&customer.id) != Some(&party) {
                ops.extend(keys::put_big(&keys::target_party(place, &customer.id), &party));
            }
        }
        for gone in old.read.target.keys().filter(|id| doubts.is_empty() && !there.contains(id)) {
            ops.push(Op::Del(keys::target_party(place, gone)));
        }
        ops.push(keys::put(keys::read_at(integration), &at));
        ops.push(keys::put(keys::read_doubts(integration), &doubts.iter().take(3).collect::<Vec<_>>()));
        self.book.cache(&ops)?;
        let mut live = self.live();
        live.parties.clear();
        live.readings.clear();
        drop(live);
        self.tell(Event::Map(integration));
        Ok(())
    }

    pub(in crate::engine) fn remember_top_levels(
        &self,
        tops: &[crate::api::halo::TopLevel],
    ) -> Result<(), Problem> {
        let names: Vec<&str> = tops.iter().map(|top| &*top.name).collect();
        self.book.cache(&keys::put_big(&keys::top_levels(), &names))
    }

    /// Both sides and the table, from memory or the index.
    pub fn parties(&self, integration: Integration) -> Result<Arc<Parties>, Problem> {
        let known = self.live().parties.get(&integration).cloned();
        if let Some(parties) = known.filter(|parties| parties.is_scored == parties.read.is_scored()) {
            return Ok(parties);
        }
        let read = self.reading(integration)?;
        let links: BTreeMap<SourceId, Link> =
            self.book.links(integration, integration.root())?.into_iter().collect();
        let (mut refused, mut decided) = (BTreeMap::new(), BTreeMap::new());
        self.book.each_big_value(&keys::refusals(integration), |id, of| {
            refused.insert(SourceId::new(id), of);
        })?;
        self.book.each_big_value(&keys::decideds(integration), |id, one| {
            decided.insert(SourceId::new(id), one);
        })?;
        let mut used = HashSet::new();
        self.book.each(&keys::uses(integration), |id, _| {
            used.insert(SourceId::new(String::from_utf8_lossy(id)));
            Ok(())
        })?;
        let mut parties = Parties {
            taken: HashMap::new(),
            decisions: self.book.decisions(integration)?,
            is_scored: read.is_scored(),
            weights: self.settings().matching.clone(),
            read,
            links,
            refused,
            decided,
            table: OnceLock::new(),
            used,
            made_at: self.world.now(),
        };
        // In the index they stay: what tells the customer from others may turn back.
        let open: Vec<SourceId> = (parties.decisions.iter())
            .filter(|(id, decision)| **decision == Decision::New && parties.is_open_again(id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in open {
            parties.decisions.remove(&id);
        }
        for link in parties.links.values() {
            *parties.taken.entry(link.target.clone()).or_default() += 1;
        }
        let parties = Arc::new(parties);
        self.live().parties.insert(integration, parties.clone());
        Ok(parties)
    }

    /// Both sides as last read, from memory or the index.
    fn reading(&self, integration: Integration) -> Result<Arc<Reading>, Problem> {
        if let Some(read) = self.live().readings.get(&integration) {
            return Ok(read.clone());
        }
        let mut source: BTreeMap<SourceId, SourceParty> = BTreeMap::new();
        self.book.each_big_value(&keys::source_parties(integration), |id, party| {
            source.insert(SourceId::new(id), party);
        })?;
        let place = integration.target(integration.root());
        let mut target: BTreeMap<TargetId, TargetParty> = BTreeMap::new();
        self.book.each_big_value(&keys::target_parties(place), |id, party| {
            target.insert(TargetId::new(id), party);
        })?;
        if place == Place::Halo {
            for (id, card) in self.book.halo_cards()? {
                if let Some(party) = target.get_mut(&id).filter(|party| party.name == card.name) {
                    party.learn(&card.keys);
                }
            }
        }
        let read = Arc::new(Reading::new(source, target, self.book.get(&keys::read_at(integration))?));
        self.live().readings.insert(integration, read.clone());
        Ok(read)
    }
}
