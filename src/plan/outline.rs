//! What stands above the rows of a plan: totals, limits, money, cost, hash.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Action;
use crate::model::{Currency, Entity, Integration, JobId, Moment, Place, PlanId, SourceId};

/// Rows by action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    pub create: u64,
    pub update: u64,
    pub link: u64,
    pub zero: u64,
    pub deactivate: u64,
    pub unchanged: u64,
    pub skipped: u64,
    pub held: u64,
}

impl Totals {
    pub fn count(&mut self, action: Action) {
        *self.slot(action) += 1;
    }

    pub fn take_back(&mut self, action: Action) {
        let slot = self.slot(action);
        *slot = slot.saturating_sub(1);
    }

    pub fn get(&self, action: Action) -> u64 {
        *self.clone().slot(action)
    }

    /// Rows that apply would act on.
    pub fn acting(&self) -> u64 {
        self.create + self.update + self.link + self.zero + self.deactivate
    }

    pub fn all(&self) -> u64 {
        self.acting() + self.unchanged + self.skipped + self.held
    }

    fn slot(&mut self, action: Action) -> &mut u64 {
        match action {
            Action::Create => &mut self.create,
            Action::Update => &mut self.update,
            Action::Link => &mut self.link,
            Action::Zero => &mut self.zero,
            Action::Deactivate => &mut self.deactivate,
            Action::Unchanged => &mut self.unchanged,
            Action::Skipped => &mut self.skipped,
            Action::Held => &mut self.held,
        }
    }
}

/// The safety valves of sync-engine section 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Valve {
    /// Removals beyond the limit.
    V1,
    /// A source, or one of its stages, is empty and was not before.
    V2,
    /// Customers losing all their lines.
    V3,
    /// Change of the total of seats.
    V4,
    /// A field going blank or to zero across many records.
    V5,
    /// Creates after the first run.
    V6,
    /// Updates.
    V7,
    /// Money a month.
    V8,
    /// A canary is missing.
    V9,
    /// The account on either side is another one than last time.
    V10,
    /// First run, or mapping or scope changed since.
    V11,
    /// A freeze: nothing billable is written.
    V12,
}

/// One valve's finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub valve: Valve,
    pub entity: Option<Entity>,
    pub tripped: bool,
    /// How many this plan would make (rows, seats or percent, as the sentence says).
    pub number: u64,
    pub limit: u64,
    /// What the limit is a share of.
    pub population: u64,
    /// Whether it binds a person too (V2, V9, V10), or only asks (V1 by typed number, V4-V8 a question), decision 32.
    pub binds_people: bool,
    /// Numbers, limit and remedy in one sentence.
    pub sentence: String,
}

/// Money a month in one currency, before and after; currencies are never added together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyDelta {
    pub currency: Option<Currency>,
    pub before: rust_decimal::Decimal,
    pub after: rust_decimal::Decimal,
}

/// What applying costs (N11).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    pub requests: BTreeMap<Place, u64>,
    pub seconds: u64,
}

/// What the planner finds out beside the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outline {
    /// Whether each entity's listings were proven complete on both sides (P7).
    pub complete: BTreeMap<Entity, bool>,
    /// What a person must know before anything else: incomplete listings, suspended removals.
    pub alerts: Vec<String>,
    /// What a person should read once, and what is no cause for concern: what a first import does (H12).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub totals: Totals,
    pub by_entity: BTreeMap<Entity, Totals>,
    pub limits: Vec<Limit>,
    pub money: Vec<MoneyDelta>,
    pub rows_without_price: u64,
    /// Rows that a safety limit or the first-run safe mode holds (exit code 4).
    #[serde(default)]
    pub held_by_limit: u64,
    pub cost: Cost,
}

impl Outline {
    /// What a person should look at before anything else, each sentence once: the limits that hold rows, then the alerts.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let tripped =
            || self.limits.iter().filter(|limit| limit.tripped).map(|limit| limit.sentence.as_str());
        let alerts = self.alerts.iter().map(String::as_str);
        tripped().chain(alerts.filter(move |alert| tripped().all(|sentence| sentence != *alert)))
    }
}

/// What a plan is for, where it is not for everything of its entities.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    #[default]
    Whole,
    /// Only these customers' records; of them only these records, if any is named (P56, P63, P72).
    Narrow { customers: BTreeSet<SourceId>, records: BTreeSet<SourceId> },
    /// Only what waits for a person with that cause (P30), in the words of the inbox.
    Cause { kind: String, cause: String, aside: bool },
    /// Only what failed or was held in that job (P29).
    Retry { of: JobId },
    /// Takes back what that job did (P32).
    Undo { of: JobId },
}

impl Purpose {
    /// Everything of its entities: only such a plan is what the next one compares itself with.
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }

    /// "retry of J12"; `None` for a whole plan.
    pub fn title(&self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Narrow { records, .. } if !records.is_empty() => {
                Some(format!("narrow, {}", some(records.len(), "record", records)))
            }
            Self::Narrow { customers, .. } => {
                Some(format!("narrow, {}", some(customers.len(), "customer", customers)))
            }
            Self::Cause { .. } => Some("retry of one cause".into()),
            Self::Retry { of } => Some(format!("retry of {of}")),
            Self::Undo { of } => Some(format!("undo of {of}")),
        }
    }

    /// What a person must know of such a plan before it is applied.
    pub const fn remarks(&self) -> &'static [&'static str] {
        match self {
            Self::Whole => &[],
            Self::Narrow { .. } => &["Nothing outside is touched."],
            Self::Cause { .. } => {
                &["Only what waits with that cause is planned again, on what both sides say now."]
            }
            Self::Retry { .. } => {
                &["Only what failed or was held is planned again, on what both sides say now."]
            }
            Self::Undo { .. } => &[
                "The next ordinary run would do it all again: correct what led to it first.",
                "Created records become inactive, never deleted; invoices raised stay.",
            ],
        }
    }
}

/// `customer 310101`, or `3 customers`.
fn some(count: usize, what: &str, ids: &BTreeSet<SourceId>) -> String {
    match ids.first() {
        Some(only) if count == 1 => format!("{what} {only}"),
        _ => format!("{count} {what}s"),
    }
}

/// A stored plan without its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: PlanId,
    pub integration: Integration,
    pub entities: Vec<Entity>,
    pub scheduled: bool,
    #[serde(default, skip_serializing_if = "Purpose::is_whole")]
    pub purpose: Purpose,
    pub built_at: Moment,
    pub built_by: String,
    pub expires_at: Moment,
    pub rows: u32,
    /// The newest id the target had of each entity when this was read: a later record of the same name is news (P2).
    #[serde(default)]
    pub seen_up_to: BTreeMap<Entity, i64>,
    /// What the reading itself asked of each host.
    #[serde(default)]
    pub read_requests: BTreeMap<Place, u64>,
    /// What the limits of the next plan compare with, once this one is applied.
    #[serde(default)]
    pub last: super::Last,
    /// Runs that each linked record has been missing, this reading included; 0: seen again (N9).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(Entity, SourceId, u32)>,
    /// SHA-256 over the outline and every row; apply accepts this one only.
    pub hash: String,
    #[serde(flatten)]
    pub outline: Outline,
}

impl Plan {
    /// The kinds of records that this plan writes, in their order: what a kind needs comes before it.
    pub fn stages(&self) -> Vec<Entity> {
        let there = |entity: &Entity| self.outline.by_entity.contains_key(entity);
        let with_needs = |entity: &Entity| {
            entity.needs().iter().copied().filter(there).chain([*entity]).collect::<Vec<_>>()
        };
        self.entities.iter().flat_map(with_needs).collect()
    }
}
