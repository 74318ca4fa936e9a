//! What the audit trail says, and how the index follows from it.
//!
//! The trail is the truth: intents, outcomes, links, decisions, settings, approvals. The index is a projection of it,
//! made by [`project`] alone, so that losing sled costs time and no fact (decision 1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::keys;
use crate::engine::words::{Choices, JobReport, Past, SavedChange};
use crate::model::settings::Settings;
use crate::model::{
    Address, Class, Count, Decided, Entity, FieldName, Fields, Integration, JobId, Link, Moment, PlanId,
    Slot, SourceId, TargetId, Value,
};
use crate::plan::Totals;
use crate::plan::snapshot::Last;
use crate::store::{Op, index};

/// One fact in the audit trail. `kind` and `data` of its line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Record {
    /// The installation's name in markers; written once.
    Owner { installation: String },
    /// The settings as they are now, without secrets.
    Config { settings: Box<Settings>, changes: Vec<SavedChange>, by: String },
    /// A secret was sealed or forgotten; which, never what.
    Secret { key: String, by: String },
    /// As which agent Halo's application signs in, as a test found it: known first, or another one than before (H4).
    Agent { client_id: String, application: String, agent: Option<i64>, by: String },
    /// An asset layout in Hudu is about to be created, activated or given fields by a person.
    Layout { entity: Entity, layout: String, what: String, by: String },
    /// What became of the last such request of the entity is known.
    LayoutDone { entity: Entity, layout: String, message: String },
    /// Decisions about customers, as one step that can be taken back.
    Step {
        integration: Integration,
        step: u64,
        title: String,
        edits: Vec<Edit>,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Moment>,
    },
    /// The last step was taken back, or brought again.
    Undo {
        integration: Integration,
        step: u64,
        redo: bool,
        edits: Vec<Edit>,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Moment>,
    },
    /// A change of the field mappings, as one step that can be taken back. The settings are in a line of their own.
    FieldStep { integration: Integration, number: u64, step: FieldStep, by: String },
    /// The last such step was taken back, or brought again.
    FieldUndo { integration: Integration, number: u64, redo: bool, by: String },
    /// A job's state.
    Job { report: Box<JobReport>, choices: Choices, policy: bool },
    /// What a person wishes of a job that runs or waits: it survives the process (invariant 30).
    Order { job: JobId, order: Ordered, by: String },
    /// Rows of a job that wait for a person or failed, and earlier ones that passed or are gone (P30).
    Issues {
        integration: Integration,
        job: JobId,
        at: Moment,
        open: Vec<OpenIssue>,
        closed: Vec<(Entity, SourceId)>,
    },
    /// A person put an issue aside, or took it up again.
    Aside { integration: Integration, issues: Vec<(Entity, SourceId)>, aside: Option<Aside>, by: String },
    /// A person or the policy let a plan be applied.
    Approval { job: JobId, plan: PlanId, hash: String, totals: Totals, by: String, policy: bool },
    /// About to send; durable before the request leaves.
    Intent(Arc<Intent>),
    /// What became of a row or of an intent.
    Outcome(Box<Outcome>),
    /// What became of an occurrence of a schedule. A started one becomes durable together with its job.
    Occurrence(Box<Past>),
    /// Occurrences count from here: the schedule was switched on, its times were changed, or the clock was set back.
    ScheduleSince { integration: Integration, since: Moment },
    /// Halo's customers made from here on are new to Liongard: pushing them was switched on (L17a).
    PushSince { since: Moment },
    /// A person wants the flag of a customer of Halo on or off (L17b); `None`: no longer, or it is so.
    PushFlag { customer: TargetId, on: Option<bool>, by: String },
    /// A person lets a paused schedule go on (P44).
    ScheduleResumed { integration: Integration, at: Moment, by: String },
    /// A fact of the planning workspace that no person takes back: a report opened, completed, thrown away.
    Lifecycle { edits: Vec<crate::lifecycle::workspace::Edit>, by: String },
    /// A step in the planning workspace; `undone` says that it was taken back (`true`) or brought again.
    LifecycleStep {
        number: u64,
        step: Box<super::lifecycle::shelf::Step>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undone: Option<bool>,
        by: String,
    },
    /// What a finished job leaves for the next one's limits.
    Seen {
        integration: Integration,
        last: Last,
        approved: BTreeSet<Entity>,
        missing: Vec<(Entity, SourceId, u32)>,
    },
    /// A piece of the index as it stood, so that older lines can be let go ([`super::retention`]).
    Kept { pairs: Vec<(serde_json::Value, serde_json::Value)> },
    /// All pieces are written. The trail may begin at line `first`, whose predecessor's hash is `prev`.
    Checkpoint { first: u64, prev: String, pairs: u64, bytes: u64, numbers: BTreeMap<String, u64> },
}

/// A step of the field mappings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldStep {
    /// What it did, in words.
    pub title: String,
    /// The settings before and after, as TOML.
    pub changes: Vec<SavedChange>,
}

/// One customer's mapping before and after a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    pub id: SourceId,
    pub before: Slot,
    pub after: Slot,
}

/// One request that changes Halo, as it will be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub job: JobId,
    pub row: u32,
    pub attempt: u32,
    pub integration: Integration,
    pub entity: Entity,
    pub source: SourceId,
    pub write: Write,
    /// For a create: the link as it will stand, but for the id that Halo gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<Link>>,
    /// The request leaves after this moment, never before.
    pub at: Moment,
}

/// The writes there are. All absolute: doing one twice leaves what doing it once does. A create never has a target
/// id, every other write always has one (invariant 6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum Write {
    Create {
        entity: Entity,
        /// The target's customer it belongs to; none for a customer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<TargetId>,
        fields: Fields,
        /// For a customer: the top level it goes under.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        top_level: Option<TargetId>,
        /// For an asset: the site it goes to, where that is not its customer's main site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<TargetId>,
        marker: String,
        /// The records of that exact name at that customer before the create (sync-engine 6).
        before: Vec<TargetId>,
    },
    Set {
        entity: Entity,
        id: TargetId,
        fields: Fields,
        before: Fields,
    },
    /// The address of a customer's main site in Halo.
    SetAddress {
        customer: TargetId,
        site: TargetId,
        address: Box<Address>,
        before: Option<Box<Address>>,
    },
}

impl Write {
    /// Whether this makes a record of that kind and exact name at that customer; a customer, where there is none.
    pub fn makes(&self, kind: Entity, at: Option<&TargetId>, name: &str) -> bool {
        let Self::Create { entity, customer, fields, .. } = self else { return false };
        let named = || match fields.get(FieldName::Name) {
            Some(Value::Text(own)) => own.trim() == name.trim(),
            own => own.is_some_and(|own| own.to_string().trim() == name.trim()),
        };
        *entity == kind && customer.as_ref() == at && named()
    }
}

/// How a row, or one request of it, ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub job: JobId,
    pub row: u32,
    pub integration: Integration,
    pub entity: Entity,
    pub source: SourceId,
    /// Whether this answers an open intent.
    pub closes: bool,
    /// Set when the row is over; a row of two writes ends with its second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RowEnd>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The link as it stands after this row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// The mapping before this row, where another link, another decision or none stood there: what an undo restores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Slot>>,
    /// The mapping after a row that takes another job's row back; stands for `link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Box<Slot>>,
    /// A change of the count, with the day it was seen (B11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<QuantityChange>,
    pub at: Moment,
}

/// One entry of a licence's quantity history (B11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantityChange {
    pub seen: Moment,
    pub before: Option<Count>,
    pub after: Count,
}

/// An order that outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordered {
    Go,
    Pause,
    Cancel,
}

/// A record that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIssue {
    pub entity: Entity,
    pub source: SourceId,
    pub name: String,
    /// Whose it is at the source; a customer's own id for a customer.
    pub customer: SourceId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer_name: String,
    pub row: u32,
    /// Whether the row failed; else it is held.
    pub failed: bool,
    /// The kind of cause: one word.
    pub kind: String,
    pub message: String,
}

/// How an issue was put aside. It comes back when its cause changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aside {
    /// For good, or until its cause changes.
    Dismissed,
    Until(Moment),
    /// A person has seen the jump and lets it through (N8).
    Released,
}

/// An open issue as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptIssue {
    #[serde(flatten)]
    pub issue: OpenIssue,
    /// The job that found it so.
    pub job: JobId,
    pub since: Moment,
}

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowEnd {
    Done,
    Failed,
    /// The target changed since the plan was made, or an answer stayed unclear: a person decides.
    Held,
    /// Left out by a person, or its customer's row did not succeed.
    Skipped,
}

/// What remains of an outcome in the index: enough for reports and for going on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowState {
    pub end: RowEnd,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}

/// The index operations that follow from one record of the trail. Absolute puts and deletes only, so that playing a
/// stretch of the trail again changes nothing.
pub fn project(record: &Record, ops: &mut Vec<Op>) {
    match record {
        Record::Kept { pairs } => {
            let pair = |(key, value): &(_, _)| Some(Op::Put(index::decode(key)?, index::decode(value)?));
            ops.extend(pairs.iter().filter_map(pair));
        }
        Record::Checkpoint { bytes, .. } => ops.push(keys::put(keys::checkpoint(), bytes)),
        Record::Owner { installation } => ops.push(keys::put(keys::owner(), installation)),
        Record::Config { settings, .. } => ops.extend(keys::put_big(&keys::settings(), settings)),
        Record::Secret { .. } | Record::Approval { .. } => {}
        Record::Agent { client_id, agent, .. } => ops.push(keys::put(keys::agent(), &(client_id, agent))),
        Record::Layout { entity, layout, what, .. } => {
            ops.push(keys::put(keys::layout(*entity, layout), what));
        }
        Record::LayoutDone { entity, layout, .. } => ops.push(Op::Del(keys::layout(*entity, layout))),
        Record::Step { integration, step, title, edits, by, at } => {
            for edit in edits {
                slot(*integration, integration.root(), &edit.id, &edit.after, ops);
                refused(*integration, edit, &edit.after, ops);
                decided(*integration, edit, &edit.after, title, by, *at, ops);
            }
            ops.extend(keys::put_big(&keys::step(*integration, *step), &(title, edits, false)));
            // What was undone before this step cannot be brought again.
            ops.push(Op::Del(keys::step(*integration, step + 1)));
            ops.push(keys::put(keys::step_top(*integration), step));
        }
        Record::Undo { integration, step, redo, edits, by, at } => {
            for edit in edits {
                let mapping = if *redo { &edit.after } else { &edit.before };
                slot(*integration, integration.root(), &edit.id, mapping, ops);
                refused(*integration, edit, mapping, ops);
                let what = if *redo { "brought again" } else { "taken back" };
                decided(*integration, edit, mapping, what, by, *at, ops);
            }
            let top = if *redo { *step } else { step.saturating_sub(1) };
            ops.push(keys::put(keys::step_top(*integration), &top));
        }
        Record::FieldStep { integration, number, step, .. } => {
            ops.extend(keys::put_big(&keys::field_step(*integration, *number), step));
            // What was undone before this step cannot be brought again.
            ops.push(Op::Del(keys::field_step(*integration, number + 1)));
            ops.push(keys::put(keys::field_step_top(*integration), number));
        }
        Record::FieldUndo { integration, number, redo, .. } => {
            let top = if *redo { *number } else { number.saturating_sub(1) };
            ops.push(keys::put(keys::field_step_top(*integration), &top));
        }
        Record::Job { report, choices, policy } => {
            ops.extend(keys::put_big(&keys::job(report.job), &(report, choices, policy)));
        }
        Record::Order { job, order, .. } => ops.push(match order {
            Ordered::Go => Op::Del(keys::wish(*job)),
            order => keys::put(keys::wish(*job), order),
        }),
        Record::Issues { integration, job, at, open, closed } => {
            for (entity, id) in closed {
                ops.extend(keys::del_big(&keys::issue(*integration, *entity, id)));
                ops.push(Op::Del(keys::aside(*integration, *entity, id)));
            }
            for issue in open {
                let kept = KeptIssue { issue: issue.clone(), job: *job, since: *at };
                ops.extend(keys::put_big(&keys::issue(*integration, issue.entity, &issue.source), &kept));
                // Put aside for another cause than this one.
                ops.push(Op::Del(keys::aside(*integration, issue.entity, &issue.source)));
            }
        }
        Record::Aside { integration, issues, aside, .. } => {
            for (entity, id) in issues {
                let key = keys::aside(*integration, *entity, id);
                ops.push(
                    aside
                        .as_ref()
                        .map_or_else(|| Op::Del(key.clone()), |aside| keys::put(key.clone(), aside)),
                );
            }
        }
        Record::Intent(intent) => {
            ops.extend(keys::put_big(
                &keys::intent(intent.integration, intent.entity, &intent.source),
                intent,
            ));
        }
        Record::Outcome(outcome) => {
            let o = outcome;
            if o.closes {
                ops.extend(keys::del_big(&keys::intent(o.integration, o.entity, &o.source)));
            }
            if let Some(end) = o.end {
                let state = RowState { end, message: o.message.clone(), class: o.class };
                ops.extend(keys::put_big(&keys::row(o.job, o.row), &state));
            }
            if let Some(link) = &o.link {
                ops.extend(keys::put_big(&keys::link(o.integration, o.entity, &o.source), link));
                match &link.parent {
                    _ if o.entity == o.integration.root() => {
                        ops.push(Op::Del(keys::decision(o.integration, &o.source)));
                    }
                    Some(customer) => ops.push(keys::put(keys::used(o.integration, customer), &o.at)),
                    None => {}
                }
                if o.entity == Entity::Push {
                    pushed(o, link, ops);
                }
                if o.entity == Entity::PushFlags {
                    ops.push(Op::Del(keys::push_wish(o.source.as_str())));
                }
            }
            if let Some(mapping) = &o.mapping {
                slot(o.integration, o.entity, &o.source, mapping, ops);
            }
            // The first count of all follows from the link: its base holds it, or the next change says what was before.
            if let Some(change) = o.quantity.as_ref().filter(|change| change.before.is_some()) {
                ops.push(keys::put(keys::quantity(o.integration, &o.source, o.at), change));
            }
        }
        Record::Occurrence(past) => {
            ops.extend(keys::put_big(&keys::occurrence(past.integration, &past.id), past));
        }
        Record::ScheduleSince { integration, since } => {
            ops.push(keys::put(keys::schedule_since(*integration), since));
        }
        Record::PushFlag { customer, on, .. } => {
            let key = keys::push_wish(customer.as_str());
            ops.push(on.map_or_else(|| Op::Del(key.clone()), |on| keys::put(key.clone(), &on)));
        }
        Record::PushSince { since } => ops.push(keys::put(keys::push_since(), since)),
        Record::ScheduleResumed { integration, at, .. } => {
            ops.push(keys::put(keys::schedule_resumed(*integration), at));
        }
        Record::Lifecycle { edits, .. } => super::lifecycle::shelf::project(edits, ops),
        Record::LifecycleStep { number, step, undone, .. } => {
            super::lifecycle::shelf::project_step(*number, step, *undone, ops);
        }
        Record::Seen { integration, last, approved, missing } => {
            ops.extend(keys::put_big(&keys::last(*integration), last));
            ops.push(keys::put(keys::approved(*integration), approved));
            for (entity, id, runs) in missing {
                let key = keys::missing(*integration, *entity, id);
                ops.push(if *runs == 0 { Op::Del(key) } else { keys::put(key, runs) });
            }
        }
    }
}

/// What was pushed is mapped in the same step, so that the next import does not take it for somebody new (L17).
fn pushed(outcome: &Outcome, link: &Link, ops: &mut Vec<Op>) {
    let environment = SourceId::new(link.target.as_str());
    let mapping = Link {
        target: TargetId::new(outcome.source.as_str()),
        source_name: link.target_name.clone(),
        target_name: link.source_name.clone(),
        base: None,
        ..link.clone()
    };
    let root = outcome.integration.root();
    ops.extend(keys::put_big(&keys::link(outcome.integration, root, &environment), &mapping));
    ops.push(Op::Del(keys::decision(outcome.integration, &environment)));
}

fn slot(integration: Integration, entity: Entity, id: &SourceId, slot: &Slot, ops: &mut Vec<Op>) {
    match &slot.link {
        Some(link) => ops.extend(keys::put_big(&keys::link(integration, entity, id), link)),
        None => ops.extend(keys::del_big(&keys::link(integration, entity, id))),
    }
    if entity != integration.root() {
        return;
    }
    match &slot.decision {
        Some(decision) => ops.push(keys::put(keys::decision(integration, id), decision)),
        None => ops.push(Op::Del(keys::decision(integration, id))),
    }
}

/// The pairs that a person has ruled out: they follow from the mapping table's steps alone.
fn refused(integration: Integration, edit: &Edit, after: &Slot, ops: &mut Vec<Op>) {
    let key = keys::refused(integration, &edit.id);
    if after.refused.is_empty() {
        ops.extend(keys::del_big(&key));
    } else {
        ops.extend(keys::put_big(&key, &after.refused));
    }
}

fn decided(
    integration: Integration,
    edit: &Edit,
    after: &Slot,
    what: &str,
    by: &str,
    at: Option<Moment>,
    ops: &mut Vec<Op>,
) {
    let key = keys::decided(integration, &edit.id);
    match at {
        Some(at) => {
            let decided =
                Decided { by: by.to_owned(), at, what: what.to_owned(), known: after.known.clone() };
            ops.extend(keys::put_big(&key, &decided));
        }
        // Older lines do not say when.
        None => ops.extend(keys::del_big(&key)),
    }
}
