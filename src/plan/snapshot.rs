//! What a plan is made from.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Answered, Shape};
use crate::model::asset::FieldKind;
use crate::model::settings::{Safety, SourceChanges};
use crate::model::{
    Address, Currency, Date, Decision, Entity, FieldName, Found, Freeze, Installation, Integration, Link,
    Moment, PackedList, Place, SourceId, TargetId, Wanted,
};

/// Both sides as read, each list sorted by id and free of repeats.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The source's customers, or what else the mapping table is of ([`Integration::root`]).
    pub customers: Vec<Wanted>,
    pub customers_complete: Completeness,
    /// The target's customers, inactive ones included. Needed in every plan: a mapping without its partner is held,
    /// and the partner's currency decides on prices.
    pub partners: Vec<Found>,
    pub partners_complete: Completeness,
    /// What the direct look-ups of mapped customers that the source no longer lists said; only scheduled plans that may
    /// remove customers have any (decision 2).
    pub absences: BTreeMap<SourceId, Absence>,
    /// The addresses of sites that were chosen for customers, where addresses follow the source (P18).
    pub sites: BTreeMap<TargetId, Address>,
    /// The records that belong to customers: one entry for each such entity that is planned.
    pub lines: BTreeMap<Entity, Lines>,
    pub top_level: TopLevel,
    /// What the target bills in by default, where it is known.
    pub currency: Option<Currency>,
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
    /// Whether a record is in it. A customer is its own customer; what goes the other way has ids of its own, so it is
    /// in it by name only.
    pub fn covers(&self, entity: Entity, id: &SourceId, customer: &SourceId) -> bool {
        (!entity.goes_back() || self.records.is_some())
            && self.customers.contains(customer)
            && self.records.as_ref().is_none_or(|records| records.contains(&(entity, id.clone())))
    }
}

impl Snapshot {
    /// What is said against the customers of either side being all of them.
    pub fn doubts(&self) -> Vec<String> {
        [&self.customers_complete, &self.partners_complete]
            .into_iter()
            .filter_map(|one| one.why_not().map(str::to_owned))
            .collect()
    }
}

/// Both sides' records of one entity whose records belong to customers.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    pub wanted: PackedList<Wanted>,
    pub read: Reading,
    /// The target's, inactive ones included.
    pub found: PackedList<Found>,
    pub found_complete: Completeness,
    /// What the direct look-ups of absent records said (decision 2); only scheduled plans have any.
    pub absences: BTreeMap<SourceId, Absence>,
    /// Source records of which too little could be read to say whether the target has them, with the reason. Only a link
    /// or a marker finds them; they are never created (P15).
    pub unsure: BTreeMap<SourceId, Arc<str>>,
    /// Where records go whose customer is not mapped, or that have none (L9).
    pub parking: Parking,
    /// Which kinds of records the target has; of assets only.
    pub kinds: Option<Kinds>,
    /// How the mapped fields answered; `None` where not all was read (P57).
    pub shape: Option<Shape>,
    pub changed: Changed,
}

/// When records were changed last, as far as either side says; only where a rule asks for it (P49).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    pub source: BTreeMap<SourceId, Moment>,
    pub target: BTreeMap<TargetId, Moment>,
}

impl Changed {
    /// Which side's record was changed later: `Greater` for the source's. `None` where one of them does not say.
    pub fn later(&self, source: &SourceId, target: &TargetId) -> Option<Ordering> {
        Some(self.source.get(source)?.cmp(self.target.get(target)?))
    }
}

/// The place of records without a mapped customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Parking {
    /// There is none: they are skipped.
    #[default]
    None,
    At {
        customer: TargetId,
        site: TargetId,
        name: String,
    },
    /// One is needed, but not there: they are held.
    Missing(String),
}

/// Asset types and fields: which there are, and what becomes of those that are not (L10-L12, L16).
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    /// Types by their folded name.
    pub types: BTreeMap<String, KindOfRecord>,
    /// The group of new types, or why there is none.
    pub group: Option<Result<(TargetId, String), String>>,
    /// More new types than this are held.
    pub most_new: u32,
    /// Fields that are made, each with what it may hold.
    pub new_fields: Vec<(FieldName, FieldKind)>,
    /// Fields that a type without them gets (L16); what else a type lacks is not written.
    pub given: BTreeSet<FieldName>,
    /// All that follow the source: a new type gets these.
    pub mapped: Vec<FieldName>,
    /// Written only where the target has nothing.
    pub filled: BTreeSet<FieldName>,
}

/// One type that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindOfRecord {
    pub id: TargetId,
    pub name: String,
    pub fields: BTreeSet<FieldName>,
}

/// How the source was read, and what that proves of a customer's records.
#[derive(Debug, Clone)]
pub enum Reading {
    /// One listing of everything.
    Whole(Completeness),
    /// Each customer by itself; who is not in here was not asked for.
    Each(BTreeMap<SourceId, Completeness>),
}

impl Default for Reading {
    fn default() -> Self {
        Self::Each(BTreeMap::new())
    }
}

impl Reading {
    /// Whether all that was asked for was answered completely.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_complete(),
            Self::Each(each) => each.values().all(Completeness::is_complete),
        }
    }

    /// What is known of one customer; `None` where it was not asked for.
    pub fn of(&self, customer: &SourceId) -> Option<&Completeness> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Each(each) => each.get(customer),
        }
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
    /// How many runs each linked record has been missing before this one (N9).
    pub missing_runs: BTreeMap<(Entity, SourceId), u32>,
    /// Target records that other integrations' links hold: never adopted by this one.
    pub elsewhere: BTreeMap<Entity, BTreeSet<TargetId>>,
    /// Partners near enough by their score that nothing is created beside them unasked (N5), best first.
    pub near: BTreeMap<SourceId, Vec<LookAlike>>,
    /// The same for the target's customers that go to the source (L17): near ones there, best first.
    pub near_push: BTreeMap<SourceId, Vec<LookAlike>>,
    /// Pairs of such a customer and a record there that a person has ruled out (P14).
    pub refused_push: BTreeSet<(SourceId, TargetId)>,
}

/// A target customer that an unmapped one may be, by its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAlike {
    pub target: TargetId,
    /// 0 to 100.
    pub score: u8,
    /// What speaks for it, in words.
    pub why: String,
}

/// What an integration says of one entity, as plain data. Made by [`crate::integrations::rules`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// The fields of a linked record that follow the source; `None`: all that the source gives.
    pub follows: Option<BTreeSet<FieldName>>,
    pub scope: Scope,
    pub removal: Removal,
    /// Records are matched by a value of theirs instead of their name, records that moved are updated where they are,
    /// and the state of the target's is its own (L13, L14).
    pub by_matching_field: bool,
    /// Who has no partner yet is left alone until a person matches it or says that it is new (H11).
    pub asks_before_create: bool,
    /// A customer whose partner is inactive is left alone, and all that belongs to it (P68).
    pub leaves_inactive: bool,
    /// Who wins where a person changed a field at the target (P49).
    pub wins: BTreeMap<FieldName, Wins>,
    /// The same for all other fields.
    pub wins_else: Wins,
    /// What is done where the source's fields are others than before (P57).
    pub source_changes: SourceChanges,
    /// What tells a record of ours whose link is lost, in words; empty: our marker.
    pub known_by: &'static str,
    /// The setting that names the place of new records, for the sentence that says that it is gone (K8).
    pub place_setting: &'static str,
}

/// What becomes of a target record whose source record is gone for certain, in a scheduled run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Removal {
    /// Nothing: it is listed, no more.
    #[default]
    Never,
    /// Its count goes to 0 (B8).
    Zero,
    /// It is made inactive, or archived (B9, L18); with `zero`, its count goes to 0 as well.
    Deactivate { zero: bool },
}

impl Rules {
    /// Who wins where this field was changed at the target.
    pub fn wins(&self, name: FieldName) -> Wins {
        self.wins.get(&name).copied().unwrap_or(self.wins_else)
    }
}

/// Who wins where a field does not hold what was last written (P49).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wins {
    /// The source's value takes its place (decision 31).
    #[default]
    Source,
    /// What a person wrote stays.
    Target,
    /// Only a blank field is ever filled.
    Blank,
    /// The row waits for a person.
    Manual,
    /// Who changed it last since it was last written; where both did, whose record was changed later, and where that is
    /// not known, the row waits for a person.
    Newest,
    /// Of two dates the earlier one; anything else as [`Self::Target`].
    Earliest,
    /// Of two dates the later one; anything else as [`Self::Target`].
    Latest,
}

/// Which records of the source are in scope (B3); an empty list means all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Ids of customers at the source.
    pub customers: Vec<String>,
    /// Names, or what else the source tells kinds of records apart by.
    pub kinds: Vec<String>,
    /// All that decides on the scope, in one text: after a change nothing is removed unasked (P9).
    pub told: String,
}

/// The rules of this plan.
#[derive(Debug, Clone)]
pub struct Policy {
    pub integration: Integration,
    /// The account at the other side: its host. Part of every marker.
    pub account: String,
    pub installation: Installation,
    pub rules: BTreeMap<Entity, Rules>,
    pub safety: Safety,
    pub entities: Vec<Entity>,
    pub scheduled: bool,
    /// `--allow-removals`: lifts V1 for this one scheduled run (decision 32).
    pub allow_removals: bool,
    pub now: Moment,
    pub today: Date,
    /// The period without billable writes that it is now, if it is one (N10).
    pub frozen: Option<Freeze>,
    /// Jumps that a person lets through, each with the sentence that its row waited with (N8).
    pub released: BTreeMap<(Entity, SourceId), String>,
    /// Entities of which a person has applied one complete plan (N16, decision 4).
    pub approved_once: BTreeSet<Entity>,
    pub last: Last,
}

impl Policy {
    /// The rules of an entity; those of none where the integration says nothing.
    pub fn rules(&self, entity: Entity) -> &Rules {
        static NONE: Rules = Rules {
            follows: None,
            scope: Scope { customers: Vec::new(), kinds: Vec::new(), told: String::new() },
            removal: Removal::Never,
            by_matching_field: false,
            asks_before_create: false,
            leaves_inactive: false,
            wins: BTreeMap::new(),
            wins_else: Wins::Source,
            source_changes: SourceChanges::Warn,
            known_by: "",
            place_setting: "",
        };
        self.rules.get(&entity).unwrap_or(&NONE)
    }

    pub fn source(&self, entity: Entity) -> Place {
        self.integration.source(entity)
    }

    pub fn target(&self, entity: Entity) -> Place {
        self.integration.target(entity)
    }

    /// The planned entities whose records belong to customers, in order.
    pub fn lines(&self) -> impl Iterator<Item = Entity> + '_ {
        let root = self.integration.root();
        self.entities.iter().copied().filter(move |entity| *entity != root)
    }
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
    /// How the mapped fields of the source answered, by the target field that they feed (P57).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answered: BTreeMap<String, Answered>,
}
