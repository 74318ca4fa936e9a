//! The mapping table: which source customer is which Halo customer, who said so, and taking it back.

mod card;
mod carried;
mod decide;
mod file;
mod flag;
mod follow;
mod near;
mod order;
mod pick;
mod read;
mod site;
mod table;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub(in crate::engine) use carried::AllCarried;
pub use near::Reading;

use crate::engine::words::{Aspect, MapState};
use crate::model::settings::Matching;
use crate::model::{Decided, Decision, Integration, Link, MatchKeys, Moment, Refusal, SourceId, TargetId};

/// What details of a Halo customer told, with the name they were read under.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HaloCard {
    pub name: Box<str>,
    pub keys: MatchKeys,
    pub at: Moment,
}

impl HaloCard {
    pub fn is_fresh(&self, name: &str, now: Moment, days: i64) -> bool {
        *self.name == *name && now.duration_since(self.at).as_hours() < days * 24
    }
}

/// A customer of the source as it was last read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceParty {
    pub name: Box<str>,
    pub place: Box<str>,
    /// Of its own, the first of several.
    pub domain: Box<str>,
    /// It has ended at the source.
    pub ended: bool,
    /// VAT or registration number; empty where none is known.
    #[serde(default)]
    pub vat: Box<str>,
    #[serde(default)]
    pub postcode: Box<str>,
    /// Domains beside the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_domains: Vec<Box<str>>,
}

/// A customer of the target as it was last read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetParty {
    pub name: Box<str>,
    /// Of its own, the first of several.
    pub domain: Box<str>,
    pub is_active: bool,
    /// VAT or registration number; empty where none is known.
    #[serde(default)]
    pub vat: Box<str>,
    #[serde(default)]
    pub postcode: Box<str>,
    /// Domains beside the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_domains: Vec<Box<str>>,
}

/// Both sides and the table between them, in memory. It follows the decisions of people (`follow`) and is made anew
/// after every reading and every job.
pub struct Parties {
    pub read: Arc<Reading>,
    pub links: BTreeMap<SourceId, Link>,
    pub decisions: BTreeMap<SourceId, Decision>,
    /// Pairs that a person has ruled out.
    refused: BTreeMap<SourceId, BTreeMap<TargetId, Refusal>>,
    decided: BTreeMap<SourceId, Decided>,
    /// Partners, with how many feed each.
    taken: HashMap<TargetId, u32>,
    /// Customers through whose mapping a record has ever come.
    used: HashSet<SourceId>,
    weights: Matching,
    made_at: Moment,
    /// The table was made when the reading was scored.
    is_scored: bool,
    /// Made when first asked for: the table in order, so that a key of a filter costs a walk over short texts.
    table: OnceLock<order::Table>,
}

impl Parties {
    fn state(&self, id: &SourceId) -> MapState {
        if let Some(link) = self.links.get(id) {
            let (source, halo) = (self.read.source.get(id), self.read.target.get(&link.target));
            // What was linked or made after the last reading is not missing, only not read yet.
            let is_read = self.read.read_at.is_some_and(|read| read > link.since);
            if is_read && (source.is_none() || halo.is_none()) {
                return MapState::Orphaned;
            }
            let renamed = source.is_some_and(|s| s.name.trim() != link.source_name.trim())
                || halo.is_some_and(|h| h.name.trim() != link.target_name.trim());
            return if renamed { MapState::Renamed } else { MapState::Mapped };
        }
        match self.decisions.get(id) {
            Some(Decision::New) => MapState::New,
            Some(Decision::Exclude { .. }) => MapState::Excluded,
            _ => MapState::Unmapped,
        }
    }

    /// What the state alone does not say. Of an unmapped row, with who comes near.
    fn aspect(&self, id: &SourceId, state: MapState, choices: &near::Choices) -> Option<Aspect> {
        if state == MapState::Unmapped {
            return if choices.is_ambiguous() {
                Some(Aspect::Ambiguous)
            } else {
                choices.best().map(|_| Aspect::Suggested)
            };
        }
        let link = self.links.get(id)?;
        let target = self.read.target.get(&link.target)?;
        if !target.is_active {
            return Some(Aspect::Inactive);
        }
        let source = self.read.source.get(id)?;
        if state == MapState::Renamed {
            return self.drifts(source, target).then_some(Aspect::Drifting);
        }
        self.is_unused(id, link).then_some(Aspect::Unused)
    }

    /// N4: for so long nothing has come through this mapping that it may be a mistake. Says nothing before the first
    /// records have come at all.
    fn is_unused(&self, id: &SourceId, link: &Link) -> bool {
        let days = i64::from(self.weights.unused_after_days);
        let hours = self.made_at.duration_since(link.since).as_hours();
        days > 0 && !self.used.is_empty() && hours >= days * 24 && !self.used.contains(id)
    }

    /// What was said to be new and is another customer by its keys now: undecided again (P14).
    fn is_open_again(&self, id: &SourceId) -> bool {
        let known = self.decided.get(id).and_then(|decided| decided.known.as_ref());
        let now = self.read.source.get(id).map(SourceParty::keys);
        known.zip(now).is_some_and(|(known, now)| !known.still_holds(&now))
    }

    /// Whether 'generate' would add this one.
    fn is_exact(&self, id: &SourceId) -> bool {
        let Some(source) = self.read.source.get(id) else { return false };
        let namesakes = self.read.namesakes(id);
        self.read.is_only(id)
            && !source.ended
            && matches!(namesakes, [one] if !self.taken.contains_key(one) && !self.is_refused(id, one))
    }

    fn source_name<'a>(&'a self, id: &'a SourceId) -> &'a str {
        self.read
            .source
            .get(id)
            .map(|s| &*s.name)
            .or_else(|| self.links.get(id).map(|l| &*l.source_name))
            .unwrap_or(id.as_str())
    }

    fn target_name<'a>(&'a self, link: &'a Link) -> &'a str {
        self.read.target.get(&link.target).map_or(&*link.target_name, |h| &*h.name)
    }
}

/// The names of both sides of the mapping table.
fn labels(integration: Integration) -> (&'static str, &'static str) {
    let root = integration.root();
    (integration.source(root).label(), integration.target(root).label())
}
