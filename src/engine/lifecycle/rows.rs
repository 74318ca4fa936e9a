//! The rows of an import's plan: types, statuses and companies as they would change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::import::Stage;
use crate::lifecycle::company::{self, Company, HaloCompany};
use crate::lifecycle::configuration::{Configuration, DateField};
use crate::lifecycle::term::{HaloTerm, Term, TermChange};
use crate::model::{Entity, FieldName, SourceId, TargetId, Value};
use crate::plan::{Action, Cause, Change, FieldChange, Only, Side};

/// Rows on the way to a plan.
#[derive(Default)]
pub(super) struct Rows {
    pub changes: Vec<Change>,
    /// Rows that change nothing and are only counted: there may be half a million.
    pub uncounted: BTreeMap<Entity, u64>,
    /// What a narrow plan or a retry is about (P29, P63).
    pub only: Option<Only>,
}

impl Rows {
    fn is_meant(&self, change: &Change) -> bool {
        let Some(only) = &self.only else { return true };
        // The number of a type may be that of a customer, too.
        if only.records.is_none() && matches!(change.entity, Entity::Types | Entity::Statuses) {
            return false;
        }
        let customer = change.customer.as_ref().unwrap_or(&change.source);
        only.covers(change.entity, &change.source.id, &customer.id)
    }

    pub fn push(&mut self, mut change: Change) -> u32 {
        if change.action != Action::Unchanged && !self.is_meant(&change) {
            let why = "outside what this plan is about (P63)";
            let (target, customer) = (change.target, change.customer);
            change = Change::new(change.entity, Action::Skipped, change.source, [why]);
            (change.target, change.customer) = (target, customer);
        }
        let row = u32::try_from(self.changes.len() + 1).unwrap_or(u32::MAX);
        change.row = row;
        self.changes.push(change);
        row
    }
}

pub(super) fn field(name: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
    let name = if name == "name" { FieldName::Name } else { FieldName::own(name) };
    FieldChange { name, before: before.map(Value::text), after: after.map(Value::text), mark: None }
}

/// What a configuration says, under the names of the columns; blank ones left out.
pub(super) fn facts(c: &Configuration) -> Vec<(&'static str, String)> {
    let date = |field: DateField| c.dates.get(field).map(|date| date.to_string()).unwrap_or_default();
    let mut facts = vec![
        ("name", c.name.clone()),
        ("type", c.kind.clone()),
        ("status", c.status.clone()),
        ("serial", c.serial.clone()),
        ("manufacturer", c.manufacturer.clone()),
        ("model", c.model.clone()),
        ("ram", c.ram.clone()),
        ("os", c.os.clone()),
        ("notes", c.notes.clone()),
    ];
    facts.extend(DateField::ALL.map(|field| (field.key(), date(field))));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

pub(super) fn differences(before: &Configuration, after: &Configuration) -> Vec<FieldChange> {
    let (old, new) = (facts(before), facts(after));
    let names: BTreeSet<&'static str> = old.iter().chain(&new).map(|(name, _)| *name).collect();
    let of = |facts: &[(&'static str, String)], name: &str| {
        facts.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone())
    };
    let mut changes: Vec<FieldChange> = names
        .into_iter()
        .filter_map(|name| {
            let (was, is) = (of(&old, name), of(&new, name));
            (was != is).then(|| field(name, was.as_deref(), Some(is.as_deref().unwrap_or(""))))
        })
        .collect();
    if before.out_of_scope && !after.out_of_scope {
        changes.push(field("scope", Some("out of scope"), Some("in scope")));
    }
    if changes.is_empty() {
        changes.push(field("other fields", None, Some("changed")));
    }
    changes
}

/// Rows for what happens to a list of types or statuses; those that stay get a row, too.
pub(super) fn term_rows(
    rows: &mut Rows,
    entity: Entity,
    local: &[Term],
    halo: &[HaloTerm],
    changes: &[TermChange],
) -> Vec<(u32, TermChange)> {
    let mut staged = Vec::new();
    let of = |id: u32| local.iter().find(|term| term.id == id);
    let side = |term: &HaloTerm| Side { id: SourceId::new(&term.id), name: term.name.as_str().into() };
    let target = |id: u32, name: &str| Some(Side { id: TargetId::from(i64::from(id)), name: name.into() });
    for change in changes {
        let mut row = match change {
            TermChange::Create { halo } => {
                let mut row = Change::new(entity, Action::Create, side(halo), [change.sentence()]);
                row.fields = vec![field("name", None, Some(&halo.name))];
                row
            }
            TermChange::Map { id, halo, from } => {
                let mut row = Change::new(entity, Action::Link, side(halo), [change.sentence()]);
                row.target = target(*id, from);
                if *from != halo.name {
                    row.fields = vec![field("name", Some(from), Some(&halo.name))];
                }
                row
            }
            TermChange::Rename { id, from, to } => {
                let own = of(*id).and_then(|term| term.halo.clone());
                let own = own.unwrap_or_else(|| HaloTerm { id: id.to_string(), name: to.clone() });
                let mut row = Change::new(
                    entity,
                    Action::Update,
                    Side { name: to.as_str().into(), ..side(&own) },
                    [change.sentence()],
                );
                row.target = target(*id, from);
                row.fields = vec![field("name", Some(from), Some(to))];
                row
            }
            TermChange::Gone { id, name } | TermChange::Back { id, name } => {
                let gone = matches!(change, TermChange::Gone { .. });
                let own = of(*id).and_then(|term| term.halo.clone());
                let own = own.unwrap_or_else(|| HaloTerm { id: id.to_string(), name: name.clone() });
                let mut row = Change::new(entity, Action::Update, side(&own), [change.sentence()]);
                row.target = target(*id, name);
                let words = if gone { ("in Halo", "gone from Halo") } else { ("gone from Halo", "in Halo") };
                row.fields = vec![field("state", Some(words.0), Some(words.1))];
                row
            }
        };
        row.row = 0;
        staged.push((rows.push(row), change.clone()));
    }
    for one in halo {
        let mapped = local.iter().find(|term| term.halo.as_ref().is_some_and(|own| own.id == one.id));
        if let Some(term) = mapped.filter(|term| term.name == one.name && !term.gone) {
            let mut row = Change::new(entity, Action::Unchanged, side(one), ["as in Halo"]);
            row.target = target(term.id, &term.name);
            rows.push(row);
        }
    }
    staged
}

/// The row of one step of loading companies.
pub(super) fn company_row(
    rows: &mut Rows,
    stage: &mut Stage,
    local: &[Company],
    types: &[Term],
    step: company::Step,
    managed: &mut HashMap<i64, (Option<u32>, String, Option<u32>)>,
) {
    use company::Step as S;
    let entity = Entity::Companies;
    let side = |halo: &HaloCompany| Side { id: SourceId::from(halo.id), name: halo.name.as_str().into() };
    let target = |company: &Company| {
        Some(Side { id: TargetId::from(i64::from(company.id)), name: company.name.as_str().into() })
    };
    let find = |id: u32| local.iter().find(|company| company.id == id);
    let kind = |halo: &HaloCompany| halo.kind.as_ref().map(|kind| kind.name.clone());
    match step {
        S::Create { halo } => {
            let mut row = Change::new(
                entity,
                Action::Create,
                side(&halo),
                ["inside the filters, and no company of that name here"],
            );
            row.fields = vec![field("name", None, Some(&halo.name))];
            row.fields.extend(kind(&halo).map(|kind| field("type", None, Some(&kind))));
            row.fields.push(field("status", None, Some(company::status_word(halo.active))));
            let row = rows.push(row);
            managed.insert(halo.id, (None, halo.name.clone(), Some(row)));
            stage.companies.push((row, None, halo));
        }
        S::Map { id, halo } => {
            let mut row = Change::new(
                entity,
                Action::Link,
                side(&halo),
                ["exactly one company of exactly this name here (K4)"],
            );
            row.target = find(id).and_then(target);
            let row = rows.push(row);
            managed.insert(halo.id, (Some(id), halo.name.clone(), Some(row)));
            stage.companies.push((row, Some(id), halo));
        }
        S::Follow { after, changed } => {
            let Some(halo_id) = after.halo else { return };
            let source = Side { id: SourceId::from(halo_id), name: after.name.as_str().into() };
            let action = if changed.is_empty() { Action::Unchanged } else { Action::Update };
            let why =
                if changed.is_empty() { "as in Halo" } else { "changed in Halo; Halo's value wins (S2)" };
            let mut row = Change::new(entity, action, source, [why]);
            row.target = find(after.id).and_then(target);
            row.fields = changed.iter().map(|c| field(c.field, Some(&c.before), Some(&c.after))).collect();
            let acts = action.acts();
            let row = rows.push(row);
            if acts {
                let kind = after
                    .kind
                    .and_then(|id| types.iter().find(|term| term.id == id))
                    .and_then(|t| t.halo.clone());
                let halo = HaloCompany { id: halo_id, name: after.name.clone(), kind, active: after.active };
                stage.companies.push((row, Some(after.id), halo));
            }
            if let Some(entry) = managed.get_mut(&halo_id) {
                entry.1.clone_from(&after.name);
            }
        }
        S::Skip { halo, why } => {
            rows.push(Change::new(entity, Action::Skipped, side(&halo), [why]));
        }
        S::Held { halo, why } => {
            let row = Change::new(entity, Action::Create, side(&halo), ["inside the filters"]);
            rows.push(row.held(Cause::Data, Action::Create, why));
        }
        S::Missing { id } => {
            let Some(company) = find(id) else { return };
            let source = Side {
                id: SourceId::from(company.halo.unwrap_or_default()),
                name: company.name.as_str().into(),
            };
            let mut row =
                Change::new(entity, Action::Update, source, ["Halo lists it no more; kept, made inactive"]);
            row.target = target(company);
            row.fields = vec![field("status", Some("active"), Some("inactive"))];
            let row = rows.push(row);
            stage.missing.push((row, id));
        }
    }
}
