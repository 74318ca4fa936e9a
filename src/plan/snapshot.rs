//! What a plan is made from.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::settings::{Marketplace, Safety};
use crate::model::{
    Currency, Date, Decision, Entity, Found, Installation, Integration, Link, Moment, SourceId, TargetId,
    Wanted,
};

/// Both sides as read, each list sorted by id and free of repeats.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The source's customers; `Err` says why the listing proves nothing.
    pub customers: Vec<Wanted>,
    pub customers_complete: Completeness,
    /// Halo's customers, inactive ones included. Needed in every plan: a mapping without its partner is held, and the
    /// partner's currency decides on prices.
    pub halo_customers: Vec<Found>,
    pub halo_customers_complete: Completeness,
    /// The source's subscriptions of every customer that was read. Empty if subscriptions are not planned.
    pub subscriptions: Vec<Wanted>,
    /// For each source customer whose subscriptions were asked for: whether the answer was complete, else why not.
    pub read: BTreeMap<SourceId, Completeness>,
    /// Halo's licences, inactive ones included.
    pub licences: Vec<Found>,
    pub licences_complete: Completeness,
    /// What the direct look-ups of absent subscriptions said (decision 2); only scheduled plans have any.
    pub absences: BTreeMap<SourceId, Absence>,
    pub top_level: TopLevel,
    /// What Halo bills in by default, where it is known.
    pub halo_currency: Option<Currency>,
    /// What the plan is narrowed to; `None`: everything.
    pub only: Option<Only>,
}

/// The records that a narrow plan is about: nothing else gets a row (P29, P56).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// Their records are read.
    pub customers: BTreeSet<SourceId>,
    /// Of them, these; `None`: all.
    pub records: Option<BTreeSet<(Entity, SourceId)>>,
}

impl Only {
    /// Whether a record is in it. A customer is its own customer.
    pub fn covers(&self, entity: Entity, id: &SourceId, customer: &SourceId) -> bool {
        self.customers.contains(customer)
            && self.records.as_ref().is_none_or(|records| records.contains(&(entity, id.clone())))
    }
}

/// `Ok` for a certified listing, else why it proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness(pub Result<(), String>);

impl Default for Completeness {
    fn default() -> Self {
        Self(Ok(()))
    }
}

impl Completeness {
    pub fn is_complete(&self) -> bool {
        self.0.is_ok()
    }
    pub fn why_not(&self) -> Option<&str> {
        self.0.as_ref().err().map(String::as_str)
    }
}

/// The answer of a direct look-up of a record that the listing lacks (decision 34).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    Confirmed,
    /// It exists after all, or the look-up proves nothing: the sentence says which.
    Unconfirmed(String),
}

/// Where new customers go (K8).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TopLevel {
    /// None chosen: Halo's default.
    #[default]
    Default,
    Known {
        id: TargetId,
        name: String,
    },
    /// The chosen one is not in Halo: creates are held.
    Gone {
        name: String,
    },
}

/// The mapping table and what hangs on it, for one integration.
#[derive(Debug, Clone, Default)]
pub struct Mappings {
    pub customers: BTreeMap<SourceId, Link>,
    /// Decisions that are no link: `New` and `Exclude`.
    pub decisions: BTreeMap<SourceId, Decision>,
    /// How many runs each linked subscription has been missing before this one (N9).
    pub missing_runs: BTreeMap<SourceId, u32>,
    /// Halo licences that other integrations' links hold: never adopted by this one.
    pub licences_elsewhere: BTreeSet<TargetId>,
}

/// The rules of this plan.
#[derive(Debug, Clone)]
pub struct Policy {
    pub integration: Integration,
    /// The account at the source: its host. Part of every marker.
    pub account: String,
    pub installation: Installation,
    pub settings: Marketplace,
    pub safety: Safety,
    pub entities: Vec<Entity>,
    pub scheduled: bool,
    /// `--allow-removals`: lifts V1 for this one scheduled run (decision 32).
    pub allow_removals: bool,
    pub now: Moment,
    pub today: Date,
    /// Entities of which a person has applied one complete plan (N16, decision 4).
    pub approved_once: BTreeSet<Entity>,
    pub last: Last,
}

/// What is known of the run before this one; empty before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Last {
    /// Records of each entity the source had.
    pub seen: BTreeMap<Entity, u64>,
    /// Hash of the scope settings and mapping rules (P9).
    pub scope: Option<String>,
    /// Account fingerprints (V10): `place -> identity`, then and now.
    pub fingerprints: BTreeMap<String, String>,
    pub fingerprints_now: BTreeMap<String, String>,
}
