//! The audit trail as people read it (P33): who did what, when, to which record, before and after.
//!
//! Read from the files, so that it works while another process holds the store, and after a crash.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::book::parse;
use super::records::{Aside, Edit, Intent, Outcome, Record, RowEnd};
use crate::model::{
    Address, Decision, Entity, Fields, Integration, JobId, Moment, PlanId, Problem, Slot, SourceId, TargetId,
};
use crate::store::trail::Shelf;
use crate::store::{Record as Line, Seq};

/// One fact, put so that it can be read, searched and tabulated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    pub seq: Seq,
    pub at: Moment,
    pub kind: String,
    /// Who: the system's user and SSH client; for requests and outcomes whoever let their plan be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<Integration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The record at the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Named>,
    /// The customer it belongs to, where it is none itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Named>,
    /// The record in Halo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetId>,
    pub text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Changed>,
}

/// A record by its id and, where the trail says it, its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    pub id: SourceId,
    pub name: String,
}

/// One value before and after; `None` for none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    pub name: String,
    pub before: Option<Json>,
    pub after: Option<Json>,
}

/// Which facts are wanted. Everything that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub job: Option<JobId>,
    /// Any of these; empty: all.
    pub kinds: Vec<String>,
    pub since: Option<Moment>,
    /// Up to, not including.
    pub until: Option<Moment>,
    /// Id, or a part of the name, of the record or of its customer.
    pub record: Option<String>,
    /// Text anywhere in the fact, as written in the trail.
    pub find: Option<String>,
}

/// The newest facts that were asked for, oldest first.
#[derive(Debug)]
pub struct Facts {
    pub facts: VecDeque<Fact>,
    /// How many there are in all.
    pub matched: u64,
}

/// Reads the trail and keeps the newest `last` facts that pass.
///
/// # Errors
/// A broken trail, by file and line.
pub fn read(shelf: &Shelf, filter: &Filter, last: usize) -> Result<Facts, Problem> {
    let mut facts = VecDeque::new();
    let mut matched = 0;
    each(shelf, filter, |fact| {
        matched += 1;
        facts.push_back(fact);
        if facts.len() > last {
            facts.pop_front();
        }
        Ok(())
    })?;
    Ok(Facts { facts, matched })
}

/// Hands every fact that passes to `with`, oldest first.
///
/// # Errors
/// A broken trail, by file and line; whatever `with` says.
pub fn each(
    shelf: &Shelf,
    filter: &Filter,
    mut with: impl FnMut(Fact) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut known = Known::default();
    for line in shelf.read(shelf.first_seq())? {
        let line = line?;
        let is_found = filter.find.as_ref().is_none_or(|text| {
            let whole = serde_json::to_string(&line.data).unwrap_or_default();
            whole.to_lowercase().contains(&text.to_lowercase())
        });
        let fact = known.tell(line);
        if is_found && filter.passes(&fact) {
            with(fact)?;
        }
    }
    Ok(())
}

impl Filter {
    fn passes(&self, fact: &Fact) -> bool {
        let is_about = |wanted: &String| {
            let wanted = wanted.to_lowercase();
            [&fact.source, &fact.customer].into_iter().flatten().any(|named| {
                named.id.as_str().to_lowercase() == wanted || named.name.to_lowercase().contains(&wanted)
            }) || fact.changes.iter().any(|changed| changed.name.to_lowercase().contains(&wanted))
        };
        self.job.is_none_or(|job| fact.job == Some(job))
            && (self.kinds.is_empty() || self.kinds.contains(&fact.kind))
            && self.since.is_none_or(|since| fact.at >= since)
            && self.until.is_none_or(|until| fact.at < until)
            && self.record.as_ref().is_none_or(is_about)
    }
}

/// Names that are remembered while reading: a trail names a record when it links it, and then goes by its id.
const MOST_NAMES: usize = 200_000;

/// What earlier lines told.
#[derive(Default)]
struct Known {
    names: HashMap<(Integration, SourceId), String>,
    /// Who let a job's plan be applied.
    by: HashMap<JobId, String>,
    /// The requests that have no outcome yet: an outcome says what became of them.
    sent: HashMap<(JobId, u32), TargetId>,
}

impl Known {
    fn tell(&mut self, line: Line) -> Fact {
        let read = |key: &str| line.data.get(key).cloned().unwrap_or_default();
        let mut fact = Fact {
            seq: line.seq,
            at: line.at,
            by: line.data.get("by").and_then(Json::as_str).map(str::to_owned),
            job: serde_json::from_value(read("job")).ok(),
            plan: serde_json::from_value(read("plan")).ok(),
            integration: serde_json::from_value(read("integration")).ok(),
            entity: serde_json::from_value(read("entity")).ok(),
            row: serde_json::from_value(read("row")).ok(),
            source: None,
            customer: None,
            target: None,
            text: String::new(),
            changes: Vec::new(),
            kind: line.kind,
        };
        if let Ok(record) = parse(&fact.kind, line.data.clone()) {
            self.explain(&mut fact, record);
        }
        if fact.text.is_empty() {
            fact.text = plainly(&line.data);
        }
        if fact.by.is_none() {
            fact.by = fact.job.and_then(|job| self.by.get(&job).cloned());
        }
        fact
    }

    fn explain(&mut self, fact: &mut Fact, record: Record) {
        match record {
            Record::Config { changes, .. } => {
                fact.text = match changes.len() {
                    0 => "settings stored".into(),
                    1 => "1 setting changed".into(),
                    n => format!("{n} settings changed"),
                };
                fact.changes = changes
                    .into_iter()
                    .map(|c| Changed { name: c.key, before: text(c.before), after: text(c.after) })
                    .collect();
            }
            Record::Secret { key, .. } => fact.text = format!("{key} sealed"),
            Record::Step { integration, title, edits, .. } => {
                self.decided(fact, integration, &edits, false);
                fact.text = title;
            }
            Record::Undo { integration, redo, edits, .. } => {
                self.decided(fact, integration, &edits, !redo);
                fact.text = if redo { "decisions brought again" } else { "decisions taken back" }.into();
            }
            Record::FieldStep { step, .. } => fact.text = step.title,
            Record::FieldUndo { redo, .. } => {
                fact.text =
                    if redo { "field mappings brought again" } else { "field mappings taken back" }.into();
            }
            Record::Job { report, policy, .. } => {
                fact.job = Some(report.job);
                fact.plan = report.plan;
                fact.integration = Some(report.integration);
                let how = match (report.scheduled, policy) {
                    (true, _) => ", as scheduled",
                    (false, true) => ", by policy",
                    (false, false) => "",
                };
                fact.text = format!("{} {}{how}", report.job, report.state.word());
                if let Some(trouble) = &report.trouble {
                    fact.text += &format!(": {trouble}");
                }
                self.by.entry(report.job).or_insert(report.by);
            }
            Record::Approval { job, plan, hash, totals, by, policy } => {
                let whom = if policy { "the policy" } else { "a person" };
                let short = hash.get(..12).unwrap_or(&hash);
                fact.text = format!("{plan} approved by {whom}: {} changes, hash {short}", totals.acting());
                self.by.insert(job, by);
            }
            Record::Agent { client_id, application, agent, by } => {
                let agent = agent.map_or_else(|| "no agent".to_owned(), |agent| format!("agent {agent}"));
                fact.text = format!("Halo's application '{application}' ({client_id}) signs in as {agent}");
                fact.by = Some(by);
            }
            Record::Layout { entity, layout, what, by } => {
                fact.integration = Some(Integration::Hudu);
                fact.entity = Some(entity);
                fact.text = format!("send: asset layout '{layout}': {what}");
                fact.by = Some(by);
            }
            Record::LayoutDone { entity, layout, message } => {
                fact.integration = Some(Integration::Hudu);
                fact.entity = Some(entity);
                fact.text = format!("asset layout '{layout}': {message}");
            }
            Record::Kept { pairs } => fact.text = format!("{} entries of the index kept", pairs.len()),
            Record::Checkpoint { first, pairs, .. } => {
                fact.text = format!("lines before {first} let go; {pairs} entries are kept of them");
            }
            Record::Issues { open, closed, .. } => {
                let issues =
                    |count: usize| if count == 1 { "1 issue".into() } else { format!("{count} issues") };
                fact.text = format!("{} open, {} closed", issues(open.len()), issues(closed.len()));
            }
            Record::Aside { integration, issues, aside, .. } => {
                let what = match aside {
                    Some(Aside::Dismissed) => "dismissed until the cause changes".to_owned(),
                    Some(Aside::Until(until)) => format!("put aside until {until}"),
                    Some(Aside::Released) => "let through in the next scheduled run".to_owned(),
                    None => "open again".to_owned(),
                };
                fact.text = match issues.as_slice() {
                    [(entity, id)] => {
                        fact.entity = Some(*entity);
                        fact.source = Some(self.named(integration, id));
                        format!("issue {what}")
                    }
                    several => {
                        let ids: Vec<String> =
                            several.iter().map(|(_, id)| self.named(integration, id).to_string()).collect();
                        format!("{} issues {what}: {}", ids.len(), ids.join(", "))
                    }
                };
            }
            Record::Intent(intent) => self.sends(fact, Arc::unwrap_or_clone(intent)),
            Record::Outcome(outcome) => self.ended(fact, *outcome),
            // The others say all there is to say in their own words.
            _ => {}
        }
    }

    fn decided(&mut self, fact: &mut Fact, integration: Integration, edits: &[Edit], is_undone: bool) {
        fact.entity = Some(integration.root());
        let there = integration.target(integration.root()).label();
        for edit in edits {
            let (before, after) =
                if is_undone { (&edit.after, &edit.before) } else { (&edit.before, &edit.after) };
            let link = edit.after.link.as_ref().or(edit.before.link.as_ref());
            if let Some(link) = link {
                self.learn(integration, &edit.id, &link.source_name);
            }
            fact.changes.push(Changed {
                name: self.named(integration, &edit.id).to_string(),
                before: slot(before, there),
                after: slot(after, there),
            });
        }
        if let [edit] = edits {
            fact.source = Some(self.named(integration, &edit.id));
        }
    }

    fn sends(&mut self, fact: &mut Fact, intent: Intent) {
        let Intent { job, row, integration, source, write, link, .. } = intent;
        if let Some(link) = &link {
            self.learn(integration, &source, &link.source_name);
            fact.customer = link.parent.as_ref().map(|parent| self.named(integration, parent));
        }
        fact.source = Some(self.named(integration, &source));
        // By their names in the trail, so that every write reads the same way.
        let Ok(write) = serde_json::to_value(write) else { return };
        let part = |key: &str| write.get(key).cloned().unwrap_or_default();
        let id = |key: &str| serde_json::from_value::<TargetId>(part(key)).ok();
        let before: Option<Fields> = serde_json::from_value(part("before")).ok();
        if let Ok(fields) = serde_json::from_value::<Fields>(part("fields")) {
            fact.changes = changes(before.as_ref(), &fields);
        }
        if let Ok(address) = serde_json::from_value::<Address>(part("address")) {
            let before = serde_json::from_value::<Address>(part("before")).ok();
            fact.changes.push(Changed {
                name: "address".into(),
                before: before.and_then(|address| text(address.to_string())),
                after: text(address.to_string()),
            });
        }
        let what = part("write").as_str().unwrap_or_default().replace('_', " ");
        let kind = fact.entity.filter(|_| fact.target.is_none() && !what.contains(' '));
        fact.text =
            format!("send: {what}{}", kind.map(|of| format!(" {}", of.singular())).unwrap_or_default());
        fact.target = id("id");
        let there = fact.entity.map_or("Halo", |entity| integration.target(entity).label());
        match (&fact.target, id("customer")) {
            (Some(target), _) => fact.text += &format!(" {target} in {there}"),
            (None, Some(customer)) => fact.text += &format!(" of {customer} in {there}"),
            (None, None) => {}
        }
        if let Some(target) = &fact.target {
            self.sent.insert((job, row), target.clone());
        }
    }

    fn ended(&mut self, fact: &mut Fact, outcome: Outcome) {
        let Outcome { job, row, integration, source, end, message, link, quantity, .. } = outcome;
        if let Some(link) = &link {
            self.learn(integration, &source, &link.source_name);
            fact.customer = link.parent.as_ref().map(|parent| self.named(integration, parent));
        }
        let sent = self.sent.remove(&(job, row));
        fact.target = link.map(|link| link.target).or(sent);
        fact.source = Some(self.named(integration, &source));
        let word = match end {
            Some(RowEnd::Done) => "done",
            Some(RowEnd::Failed) => "failed",
            Some(RowEnd::Held) => "held",
            Some(RowEnd::Skipped) => "skipped",
            None => "answered",
        };
        fact.text = if message.is_empty() { word.into() } else { format!("{word}: {message}") };
        if let Some(change) = quantity {
            fact.changes.push(Changed {
                name: "quantity".into(),
                before: change.before.and_then(|count| serde_json::to_value(count).ok()),
                after: serde_json::to_value(change.after).ok(),
            });
        }
    }

    fn learn(&mut self, integration: Integration, id: &SourceId, name: &str) {
        if self.names.len() < MOST_NAMES {
            self.names.insert((integration, id.clone()), name.to_owned());
        }
    }

    fn named(&self, integration: Integration, id: &SourceId) -> Named {
        let name = self.names.get(&(integration, id.clone())).cloned().unwrap_or_default();
        Named { id: id.clone(), name }
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() { write!(f, "{}", self.id) } else { write!(f, "{} ({})", self.name, self.id) }
    }
}

/// What the mapping table held for a customer, in words.
fn slot(slot: &Slot, there: &str) -> Option<Json> {
    let said = match (&slot.link, &slot.decision) {
        (Some(link), _) => {
            let site = link.site.as_ref().map(|site| format!(", site {} ({})", site.name, site.id));
            let site = site.unwrap_or_default();
            format!("{} ({}) in {there}, {}{site}", link.target_name, link.target, link.how)
        }
        (None, Some(Decision::New)) => "create it".into(),
        (None, Some(Decision::Exclude { note, until })) => {
            let until = until.map(|day| format!(" until {day}")).unwrap_or_default();
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            format!("leave it alone{until}{note}")
        }
        (None, _) if !slot.refused.is_empty() => {
            let ids: Vec<String> = slot.refused.keys().map(ToString::to_string).collect();
            format!("never {}", ids.join(", "))
        }
        (None, _) => return None,
    };
    text(said)
}

fn changes(before: Option<&Fields>, after: &Fields) -> Vec<Changed> {
    let before: HashMap<String, Json> = before
        .into_iter()
        .flat_map(Fields::iter)
        .map(|(name, value)| (name.to_string(), value.to_json()))
        .collect();
    after
        .iter()
        .map(|(name, to)| {
            let name = name.to_string();
            Changed { before: before.get(&name).cloned(), after: Some(to.to_json()), name }
        })
        .collect()
}

/// `installation ph-7; step 3`: what a record without words of its own says.
fn plainly(data: &Json) -> String {
    let Some(parts) = data.as_object() else { return data.to_string() };
    let own = parts.iter().filter(|(key, _)| !matches!(key.as_str(), "by" | "job" | "integration"));
    let said = own.filter_map(|(key, value)| match value {
        Json::String(text) => Some(format!("{key} {text}")),
        Json::Number(_) | Json::Bool(_) => Some(format!("{key} {value}")),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    });
    let said = said.collect::<Vec<_>>().join("; ");
    if said.is_empty() { "noted".into() } else { said }
}

fn text(text: String) -> Option<Json> {
    (!text.is_empty()).then(|| text.into())
}
