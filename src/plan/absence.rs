//! Records that the listing lacks: what that means, and what proves it (B8-B10, decisions 2, 6 and 34).

use std::collections::HashSet;

use super::customers::{self, partner, sorted_by_id};
use super::snapshot::{Lines, Mappings, Reading, Removal};
use super::{Absence, Action, Cause, FieldChange, Mark, Policy, Snapshot};
use crate::matching::exact_form;
use crate::model::{Count, Entity, FieldName, Found, Link, Place, SourceId, Value, Verdict, Wanted};

/// The linked records to look up one by one before a scheduled plan is built: `(record, customer)`.
///
/// Links in order of their ids. Nothing for a manual plan, which acts on no absence at all.
pub fn absent(
    entity: Entity,
    snapshot: &Snapshot,
    links: impl IntoIterator<Item = (SourceId, Link)>,
    mappings: &Mappings,
    policy: &Policy,
) -> Vec<(SourceId, SourceId)> {
    let Some(lines) = snapshot.lines.get(&entity).filter(|_| policy.scheduled) else { return Vec::new() };
    let judge = Judge::new(entity, snapshot, lines, mappings, policy);
    links
        .into_iter()
        .filter(|(id, _)| lines.wanted.place_of(id.as_str()).is_none())
        .filter(|(id, link)| {
            matches!(
                judge.judge(id, link, lines.found.find(link.target.as_str()).as_ref()),
                Judged::Gone { .. } | Judged::Missing { .. }
            )
        })
        .filter_map(|(id, link)| link.parent.map(|customer| (id, customer)))
        .collect()
}

/// The mapped customers to look up one by one before a scheduled plan is built that may remove them.
pub fn absent_customers(
    snapshot: &Snapshot,
    mappings: &Mappings,
    policy: &Policy,
) -> Vec<(SourceId, SourceId)> {
    let root = policy.integration.root();
    if !policy.scheduled || !policy.entities.contains(&root) || snapshot.only.is_some() {
        return Vec::new();
    }
    let partners = sorted_by_id(&snapshot.partners);
    let listed: HashSet<&SourceId> = snapshot.customers.iter().map(|wanted| &wanted.id).collect();
    let gone = mappings.customers.iter().filter(|(id, link)| {
        let found = customers::find(&partners, &link.target);
        !listed.contains(id)
            && matches!(
                vanished(id, link, found, snapshot, mappings, policy),
                Judged::Gone { .. } | Judged::Missing { .. }
            )
    });
    gone.map(|(id, _)| (id.clone(), id.clone())).collect()
}

/// What becomes of a mapped customer that the source's complete list lacks.
pub(super) fn vanished(
    id: &SourceId,
    link: &Link,
    found: Option<&Found>,
    snapshot: &Snapshot,
    mappings: &Mappings,
    policy: &Policy,
) -> Judged {
    let root = policy.integration.root();
    let (label, there) = (policy.source(root).label(), policy.target(root).label());
    let left = |why: String| Judged::Left { action: Action::Skipped, why };
    let archives = matches!(policy.rules(root).removal, Removal::Deactivate { .. });
    let excluded = mappings.decisions.get(id).is_some_and(|decision| decision.excludes(policy.today));
    if !archives || excluded {
        return left(format!("mapped, but no longer listed by {label}: left as it is"));
    }
    let Some(found) = found else {
        return left(match snapshot.partners_complete.why_not() {
            None => format!("gone from {label} and from {there}: nothing to do"),
            Some(why) => format!("gone from {label}; {there}'s list is incomplete: {why}"),
        });
    };
    if !found.is_active {
        let why = format!("gone from {label}; archived in {there} already");
        return Judged::Left { action: Action::Unchanged, why };
    }
    if link.removed.as_ref().is_some_and(|removed| removed.deactivated) {
        return left(format!("gone from {label}; somebody restored it in {there}: left as it is"));
    }
    let archived = FieldChange {
        name: FieldName::Status,
        before: Some(Value::Active(true)),
        after: Some(Value::Active(false)),
        mark: None,
    };
    due((root, id), "archive it, with all that belongs to it", "archived", mappings, policy)
        .unwrap_or(Judged::Gone { action: Action::Deactivate, fields: vec![archived] })
}

/// Why a removal that is wanted does not come in this run: by hand nothing is removed (B4), and there may be a time of
/// grace (N9).
fn due(
    (entity, id): (Entity, &SourceId),
    would: &str,
    becomes: &str,
    mappings: &Mappings,
    policy: &Policy,
) -> Option<Judged> {
    let label = policy.source(entity).label();
    if !policy.scheduled {
        let why = format!("gone at {label}; a scheduled run would {would}, a manual import never does (B4)");
        return Some(Judged::Left { action: Action::Skipped, why });
    }
    let before = mappings.missing_runs.get(&(entity, id.clone())).copied().unwrap_or(0);
    let grace = policy.safety.removal_grace_runs;
    (before < grace).then(|| {
        let runs = if before == 0 { "run" } else { "runs" };
        let why = format!("missing since {} {runs}, {becomes} in {} more (N9)", before + 1, grace - before);
        Judged::Missing { why }
    })
}

/// What the look-up of an absent record says; `Err` is the reason to wait.
pub(super) fn proof(absence: Option<&Absence>, label: &str) -> Result<(), String> {
    match absence {
        Some(Absence::Confirmed) => Ok(()),
        Some(Absence::Unconfirmed(why)) => {
            Err(format!("not listed by {label}, but a look-up does not confirm it: {why} (P7)"))
        }
        None => Err(format!("not listed by {label}, and not looked up: absence is not proven (P7)")),
    }
}

/// What an absence means before any look-up.
pub(super) enum Judged {
    /// Nothing happens, and why.
    Left { action: Action, why: String },
    /// It waits.
    Held { cause: Cause, why: String },
    /// Its listing is incomplete: an alert, nothing else (P8).
    Unread { customer: SourceId, why: String },
    /// Missing, but its time of grace is not over (N9).
    Missing { why: String },
    /// Gone at the source as far as the listing says: this is what the setting makes of it.
    Gone { action: Action, fields: Vec<FieldChange> },
}

/// Judges absences of one entity.
pub(super) struct Judge<'a> {
    entity: Entity,
    snapshot: &'a Snapshot,
    lines: &'a Lines,
    mappings: &'a Mappings,
    policy: &'a Policy,
    label: &'static str,
    there: &'static str,
    record: &'static str,
    partners: Vec<&'a Found>,
    /// Names of the kinds that are in scope for sure; `None` if every kind is.
    kinds: Option<HashSet<String>>,
}

impl<'a> Judge<'a> {
    pub fn new(
        entity: Entity,
        snapshot: &'a Snapshot,
        lines: &'a Lines,
        mappings: &'a Mappings,
        policy: &'a Policy,
    ) -> Self {
        let scope = &policy.rules(entity).scope;
        let in_scope = |wanted: &Wanted| !matches!(wanted.verdict, Verdict::OutOfScope(_));
        let kinds = (!scope.kinds.is_empty()).then(|| {
            let listed = lines.wanted.iter().filter(in_scope).map(|wanted| folded(&wanted.name));
            scope.kinds.iter().map(|name| folded(name)).chain(listed).collect()
        });
        Self {
            entity,
            snapshot,
            lines,
            mappings,
            policy,
            label: policy.source(entity).label(),
            there: policy.target(entity).label(),
            record: entity.record(),
            partners: sorted_by_id(&snapshot.partners),
            kinds,
        }
    }

    /// Whether its customer is mapped, and where to.
    pub fn customer(&self, id: &SourceId) -> Result<&'a Link, String> {
        if self.mappings.decisions.get(id).is_some_and(|decision| decision.excludes(self.policy.today)) {
            return Err("its customer is excluded: left as it is".into());
        }
        match self.mappings.customers.get(id) {
            None => Err("its customer is no longer mapped: left as it is".into()),
            Some(link) => {
                partner(&self.partners, self.snapshot, link, self.policy.target(self.entity)).map(|_| link)
            }
        }
    }

    pub fn judge(&self, id: &SourceId, link: &Link, found: Option<&Found>) -> Judged {
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
        // A customer that the listing itself lacks proves nothing of its records: the key may see less than before.
        let is_listed = || self.snapshot.customers.binary_search_by(|wanted| wanted.id.cmp(parent)).is_ok();
        if matches!(self.lines.read, Reading::Whole(_)) && !is_listed() {
            let root = self.policy.integration.root();
            if self.policy.rules(root).removal != Removal::Never {
                let party = self.policy.target(root).party().0;
                return left(format!(
                    "gone at {}, and so is its customer: what becomes of the {party} decides",
                    self.label
                ));
            }
            return Judged::Held {
                cause: Cause::Unproven,
                why: format!(
                    "gone at {}, and so is its customer {parent}: absence is not proven (P7)",
                    self.label
                ),
            };
        }
        if let Some(why) = self.outside(parent, link) {
            return left(format!("outside the chosen scope: {why}; left as it is (B3)"));
        }
        let read = self.lines.read.of(parent).map(|read| &read.0);
        let complete = match (&self.snapshot.customers_complete.0, read) {
            (Err(why), _) | (Ok(()), Some(Err(why))) => Err(why.clone()),
            (Ok(()), None) => Err(format!("its customer's {} were not read", self.entity)),
            (Ok(()), Some(Ok(()))) => Ok(()),
        };
        if let Err(why) = complete {
            return Judged::Unread { customer: parent.clone(), why };
        }
        let Some(found) = found else {
            return match self.lines.found_complete.why_not() {
                None => left(format!("gone at {} and in {}: nothing to do", self.label, self.there)),
                Some(why) => left(format!(
                    "gone at {}, but {}'s {}s are not all known: {why}",
                    self.label, self.there, self.record
                )),
            };
        };
        if found.parent.as_ref().is_some_and(|parent| *parent != customer.target) {
            return Judged::Held {
                cause: Cause::Ambiguous { candidates: Vec::new() },
                why: format!(
                    "gone at {}, but its {} is with another {} {} than the mapping says: change it by hand",
                    self.label,
                    self.record,
                    self.there,
                    self.policy.target(self.entity).party().0
                ),
            };
        }

        let count = match found.fields.get(FieldName::Quantity) {
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
        let removal = self.policy.rules(self.entity).removal;
        if let Removal::Deactivate { zero } = removal {
            if is_zero && removed.is_some_and(|removed| removed.zeroed && !removed.deactivated) {
                return unchanged(format!(
                    "gone at {}; set to 0 earlier, and deactivating does not reach back (B9)",
                    self.label
                ));
            }
            if found.is_active {
                set(FieldName::Status, Value::Active(true), Value::Active(false));
            }
            if zero && let Some(count) = count.filter(|count| *count != Count::ZERO) {
                set(FieldName::Quantity, Value::Count(count), Value::Count(Count::ZERO));
            }
            if fields.is_empty() {
                let how = if self.is_archived() { "archived" } else { "inactive" };
                return unchanged(format!("gone at {}; {how} in {} already (B9)", self.label, self.there));
            }
        } else if removal == Removal::Never {
            return left(format!("gone at {}: left as it is", self.label));
        } else {
            let Some(count) = count.filter(|_| !is_zero) else {
                return unchanged(format!(
                    "gone at {}; its count in {} is 0 already (B8)",
                    self.label, self.there
                ));
            };
            if removed.is_some_and(|removed| removed.deactivated) && !found.is_active {
                return unchanged(format!("gone at {}; made inactive earlier (B9)", self.label));
            }
            set(FieldName::Quantity, Value::Count(count), Value::Count(Count::ZERO));
        }
        let action = if removal == Removal::Zero { Action::Zero } else { Action::Deactivate };
        let (would, becomes) = match action {
            Action::Zero => ("set its count to 0", "zero"),
            _ if self.is_archived() => ("archive it", "inactive"),
            _ => ("make it inactive", "inactive"),
        };
        due((self.entity, id), would, becomes, self.mappings, self.policy)
            .unwrap_or(Judged::Gone { action, fields })
    }

    /// Whether what the target makes inactive is archived there.
    fn is_archived(&self) -> bool {
        self.policy.target(self.entity) != Place::Halo
    }

    /// What the look-up of an absent record says; `Err` is the reason to wait.
    pub fn proof(&self, id: &SourceId) -> Result<(), String> {
        proof(self.lines.absences.get(id), self.label)
    }

    /// Whether a link is outside the chosen scope, as far as that can be told without the record (P9).
    fn outside(&self, customer: &SourceId, link: &Link) -> Option<String> {
        let scope = &self.policy.rules(self.entity).scope;
        if !scope.customers.is_empty() && !scope.customers.iter().any(|id| id.trim() == customer.as_str()) {
            return Some(format!("customer {customer} is not among the chosen ones"));
        }
        match &self.kinds {
            Some(kinds) if !kinds.contains(&folded(&link.source_name)) => {
                Some("its product is not among the chosen ones for sure".into())
            }
            _ => None,
        }
    }
}

fn folded(name: &str) -> String {
    exact_form(name).to_lowercase()
}
