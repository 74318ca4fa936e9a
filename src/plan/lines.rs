//! The rows of records that belong to customers: one merge over the listing and the links (B1-B10, decisions 29-31).

mod unlinked;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::absence::{Judge, Judged};
use super::change::{Reasons, reasons};
use super::customers::{Customers, Standing, find, sorted_by_id, why_update};
use super::diff::{self, Diff};
use super::money::{monthly, monthly_delta};
use super::{
    Action, Candidate, Cause, Change, Lines, Parking, Policy, Rows, Side, Snapshot, snapshot::Mappings,
};
use crate::model::asset::{ID_FIELD, TYPE_FIELD};
use crate::model::packed::{self, by_id, place_of};
use crate::model::{
    Currency, Entity, FieldName, Fields, Found, Link, Packed, Place::Halo, SourceId, TargetId, Value,
    Verdict, Wanted,
};

/// What the limits and the money line need of the rows that the rows alone do not say.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Linked records in scope: the population of every limit.
    pub linked: u64,
    /// Seats that the target holds for them.
    pub seats: u64,
    /// Customers with linked lines that count for anything: lines that stay, lines that go.
    pub lines: HashMap<SourceId, (u32, u32)>,
    /// Money a month at the target now, for every linked record with a known price.
    pub money: BTreeMap<Option<Currency>, Decimal>,
    /// Customers whose listing proves nothing, with the reason.
    pub unread: BTreeMap<SourceId, String>,
    /// Whether the links came in the order of their ids; if not, nothing may be written on what they lack.
    pub disorder: bool,
}

/// Adds the rows of one such entity to those of the customers, in plan order.
pub(super) fn plan(
    entity: Entity,
    snapshot: &Snapshot,
    mappings: &Mappings,
    links: impl IntoIterator<Item = (SourceId, Link)>,
    policy: &Policy,
    customers: &Customers,
    rows: &mut Rows,
) -> Tally {
    let first = rows.len();
    let none = Lines::default();
    let lines = snapshot.lines.get(&entity).unwrap_or(&none);
    let (wanted, found) = (by_id(&lines.wanted), by_id(&lines.found));
    let mut planner = Planner {
        entity,
        snapshot,
        lines,
        mappings,
        policy,
        customers,
        label: policy.source(entity).label(),
        there: policy.target(entity).label(),
        party: policy.target(entity).party().0,
        record: entity.record(),
        judge: Judge::new(entity, snapshot, lines, mappings, policy),
        partners: sorted_by_id(&snapshot.partners),
        taken: vec![false; found.len()],
        by_key: by_key(&found),
        found,
        rows,
        tally: Tally::default(),
        said: HashMap::new(),
    };
    let mut unlinked: Vec<&Packed<Wanted>> = Vec::new();
    let mut links = links.into_iter().peekable();
    let mut last: Option<SourceId> = None;
    let mut next = wanted.iter().peekable();
    loop {
        let order = match (next.peek(), links.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(wanted), Some((id, _))) => wanted.id().cmp(id.as_str()),
        };
        let link = if order == Ordering::Less { None } else { links.next() };
        let record = if order == Ordering::Greater { None } else { next.next() };
        if let Some((id, link)) = &link {
            planner.tally.disorder |= last.as_ref().is_some_and(|last| last >= id);
            last = Some(id.clone());
            planner.take(link);
        }
        match (record, link) {
            (Some(wanted), Some((_, link))) => planner.linked(&wanted.open(), &link),
            (Some(wanted), None) => unlinked.push(wanted),
            (None, Some((id, link))) => planner.absent(&id, &link),
            (None, None) => {}
        }
    }
    planner.unlinked(&unlinked);
    let Planner { rows, tally, .. } = planner;
    rows.sort_from(first);
    if let Some(kinds) = &lines.kinds {
        super::assets::prepare(kinds, rows, first, &lines.found);
    }
    tally
}

fn by_key<'a>(found: &[&'a Packed<Found>]) -> Vec<Keyed<'a>> {
    let mut all: Vec<Keyed<'a>> =
        found.iter().filter_map(|record| Some((record.own_key()?, *record))).collect();
    all.sort_by_key(|(key, _)| *key);
    all
}

/// A record at the target, with the value of its matching field.
type Keyed<'a> = (&'a str, &'a Packed<Found>);

struct Planner<'a> {
    entity: Entity,
    snapshot: &'a Snapshot,
    lines: &'a Lines,
    mappings: &'a Mappings,
    policy: &'a Policy,
    customers: &'a Customers<'a>,
    /// The source's name, and the target's.
    label: &'static str,
    there: &'static str,
    /// What the target calls a customer.
    party: &'static str,
    /// What the target calls a record of this kind.
    record: &'static str,
    judge: Judge<'a>,
    partners: Vec<&'a Found>,
    found: Vec<&'a Packed<Found>>,
    /// Target records that a link holds, by their place in `found`.
    taken: Vec<bool>,
    rows: &'a mut Rows,
    tally: Tally,
    /// In the order of the matching field's values; empty where records are matched by name.
    by_key: Vec<Keyed<'a>>,
    /// Reasons of unchanged rows, each kept once.
    said: HashMap<&'static str, HashMap<Vec<Arc<str>>, Reasons>>,
}

/// Where a record belongs.
struct Place {
    target: Option<TargetId>,
    after_row: Option<u32>,
    /// Not the main site: the default site of what is parked (L9), or the one that a person chose (P18).
    site: Option<TargetId>,
    is_parked: bool,
    /// A sentence on how this place came about.
    note: Option<String>,
}

impl Place {
    /// Of a record that is at the target already: the default site is for new ones (L9).
    fn unchanged() -> Self {
        Self { target: None, after_row: None, site: None, is_parked: false, note: None }
    }
}

impl<'a> Planner<'a> {
    fn take(&mut self, link: &Link) {
        if let Some(at) = place_of(&self.found, link.target.as_str()) {
            self.taken[at] = true;
        }
    }

    fn record(&self, id: &TargetId) -> Option<Found> {
        packed::find(&self.found, id.as_str())
    }

    /// The target's records with this value of the matching field.
    fn with_key(&self, key: &str) -> &[Keyed<'a>] {
        let from = self.by_key.partition_point(|(other, _)| *other < key);
        let here = self.by_key[from..].partition_point(|(other, _)| *other == key);
        &self.by_key[from..from + here]
    }

    /// A row of a listed subscription.
    fn row(&self, wanted: &Wanted, action: Action, reasons: Vec<String>) -> Change {
        let mut change = Change::new(self.entity, action, Side::of(wanted), reasons);
        change.customer = wanted.parent.as_ref().map(|id| self.customer_side(id));
        change
    }

    fn customer_side(&self, id: &SourceId) -> Side<SourceId> {
        let name = self
            .customers
            .name(id)
            .or_else(|| self.mappings.customers.get(id).map(|link| Arc::from(&*link.source_name)))
            .unwrap_or_else(|| Arc::from(""));
        Side { id: id.clone(), name }
    }

    /// Where it belongs, or the row that says why nothing happens.
    fn place(&self, wanted: &Wanted, linked: bool) -> Result<Place, Box<Change>> {
        let skip = |why: String| Err(Box::new(self.row(wanted, Action::Skipped, vec![why])));
        let Some(parent) = &wanted.parent else {
            if self.lines.parking != Parking::None {
                return if linked {
                    Ok(Place::unchanged())
                } else {
                    self.parked(wanted, "it belongs to no customer")
                };
            }
            return Err(Box::new(self.row(wanted, Action::Skipped, Vec::new()).held(
                Cause::Data,
                Action::Held,
                format!("{} does not say whose {} it is", self.label, self.entity.singular()),
            )));
        };
        match (self.customers.standing(parent), &wanted.verdict) {
            (None | Some(Standing::Out(_)), Verdict::Take | Verdict::Hold(_))
                if self.lines.parking != Parking::None && !self.is_excluded(parent) =>
            {
                if linked {
                    Ok(Place::unchanged())
                } else {
                    self.parked(wanted, "its customer is not mapped")
                }
            }
            // To park it now would be for good: it is never moved unasked (L9).
            (Some(Standing::Unread(why)), Verdict::Take | Verdict::Hold(_))
                if self.lines.parking != Parking::None && !self.is_excluded(parent) =>
            {
                if linked {
                    Ok(Place::unchanged())
                } else {
                    let change = self.row(wanted, Action::Unchanged, Vec::new());
                    let why = format!("whether its customer is mapped is not known: {why}");
                    Err(Box::new(change.held(Cause::Unproven, Action::Held, why)))
                }
            }
            (Some(Standing::Unread(why)), _) => skip(format!("customer not mapped: {why} (B1)")),
            (None, _) if linked => skip("customer not mapped any more: left as it is (K2)".into()),
            (None, _) => skip("customer not mapped (B1)".into()),
            (Some(Standing::Out(why)), _) => skip(format!("{why} (B1)")),
            (_, Verdict::OutOfScope(why)) => {
                let end = if linked { "; left as it is (B3)" } else { " (B3)" };
                skip(format!("outside the chosen scope: {why}{end}"))
            }
            (_, Verdict::Ended(why)) => skip(format!("ended at {}: {why}", self.label)),
            (Some(Standing::Mapped(target)), _) => {
                let chosen = self.mappings.customers.get(parent).and_then(|link| link.site.as_ref());
                let chosen = chosen.filter(|_| self.entity == Entity::Assets);
                Ok(Place {
                    target: Some(target.clone()),
                    site: chosen.map(|site| site.id.clone()),
                    note: chosen.map(|site| format!("at the site '{}' (P18)", site.name)),
                    ..Place::unchanged()
                })
            }
            (Some(Standing::After { row, target }), _) => {
                Ok(Place { target: target.clone(), after_row: Some(*row), ..Place::unchanged() })
            }
        }
    }

    fn is_excluded(&self, customer: &SourceId) -> bool {
        self.mappings.decisions.get(customer).is_some_and(|decision| decision.excludes(self.policy.today))
    }

    /// At the default site, or waiting for one (L9).
    fn parked(&self, wanted: &Wanted, why: &str) -> Result<Place, Box<Change>> {
        match &self.lines.parking {
            Parking::At { customer, site, name } => Ok(Place {
                target: Some(customer.clone()),
                after_row: None,
                site: Some(site.clone()),
                is_parked: true,
                note: Some(format!("{why}: at the default site {name} (L9)")),
            }),
            Parking::None | Parking::Missing(_) => {
                let missing = match &self.lines.parking {
                    Parking::Missing(missing) => missing.as_str(),
                    _ => "no default site is set",
                };
                let change = self.row(wanted, Action::Unchanged, Vec::new());
                Err(Box::new(change.held(Cause::Missing, Action::Held, format!("{why}, and {missing} (L9)"))))
            }
        }
    }

    /// Where a record that is matched by a value carries on although the mapping says another place (L9, L14).
    fn stays(&self, found: &Found, place: &Place) -> Option<String> {
        let by_field = self.policy.rules(self.entity).by_matching_field;
        let belongs = place.target.as_ref().filter(|_| by_field && !place.is_parked)?;
        let has = found.parent.as_ref().filter(|has| *has != belongs)?;
        Some(format!(
            "its {} is with {} customer {has}, its customer is mapped to {belongs}: move it there if that is right; it is never moved unasked",
            self.record, self.there
        ))
    }

    fn linked(&mut self, wanted: &Wanted, link: &Link) {
        let change = self.linked_row(wanted, link);
        self.rows.push(change);
    }

    fn linked_row(&mut self, wanted: &Wanted, link: &Link) -> Change {
        let found = self.record(&link.target);
        let found = found.as_ref();
        let target = found.map_or_else(
            || Side { id: link.target.clone(), name: Arc::from(&*link.target_name) },
            Side::of_found,
        );
        let place = match self.place(wanted, true) {
            // Where nothing says where it belongs, it belongs where it is.
            Ok(place) if place.target.is_none() && place.after_row.is_none() => {
                Place { target: found.and_then(|found| found.parent.clone()), ..place }
            }
            Ok(place) => place,
            Err(mut change) => {
                change.target = Some(target);
                return *change;
            }
        };
        let finish = |mut change: Change| {
            change.target = Some(target.clone());
            change.customer_target.clone_from(&place.target);
            change.after_row = place.after_row;
            change
        };
        self.tally.linked += 1;
        let Some(found) = found else {
            let change = self.row(wanted, Action::Unchanged, Vec::new());
            return finish(match self.lines.found_complete.why_not() {
                None => change.held(
                    Cause::Missing,
                    Action::Held,
                    format!(
                        "its {} '{}' ({}) is gone from {}: restore it there; a second one is never made unasked",
                        self.record, target.name, target.id, self.there
                    ),
                ),
                Some(why) => change.held(
                    Cause::Unproven,
                    Action::Held,
                    format!(
                        "its {0} is not among what {1}'s incomplete list of {0}s held: {why}",
                        self.record, self.there
                    ),
                ),
            });
        };
        self.count(wanted.parent.as_ref(), found, true);
        if let Verdict::Hold(why) = &wanted.verdict {
            let change = self.row(wanted, Action::Unchanged, notes(wanted));
            return finish(change.held(Cause::Data, Action::Held, why));
        }
        let rules = self.policy.rules(self.entity);
        if let (Some(has), Some(belongs)) = (&found.parent, &place.target)
            && has != belongs
            && !rules.by_matching_field
        {
            let here = format!("its {} is here", self.record);
            let candidates = [(has, here.as_str()), (belongs, "its customer is mapped to this one")]
                .into_iter()
                .map(|(id, why)| self.candidate_customer(id, why))
                .collect();
            let change = self.row(wanted, Action::Unchanged, notes(wanted));
            return finish(change.held(
                Cause::Ambiguous { candidates },
                Action::Held,
                format!(
                    "its {0} is with {1} {2} {has}, but its customer is mapped to {belongs}: move the {0} or correct the mapping",
                    self.record, self.there, self.party
                ),
            ));
        }

        let base = base_after_removal(link);
        let base = base.as_ref().or(link.base.as_ref());
        let mut owned: Fields = match rules.follows.as_ref() {
            None => wanted.fields.clone(),
            Some(follows) => wanted
                .fields
                .iter()
                .filter(|(name, _)| follows.contains(name))
                .map(|(name, value)| (name, value.clone()))
                .collect(),
        };
        let mut said_of_it = Vec::new();
        if rules.by_matching_field {
            said_of_it = self.keep_to_its_own(&mut owned, found);
            said_of_it.extend(self.stays(found, &place));
            said_of_it.extend(self.disagrees(wanted, found));
            let ours = link.removed.as_ref().is_some_and(|removed| removed.deactivated);
            if ours {
                owned.set(FieldName::Status, Value::Active(true));
            } else if !found.is_active {
                said_of_it
                    .push(format!("its {} is inactive in {}: it stays so (L14)", self.record, self.there));
            }
        }
        let later = self.lines.changed.later(&wanted.id, &found.id);
        let mut diff = diff::compare(&owned, found, base, rules, later);
        if rules.by_matching_field {
            // Its state is Halo's own, but for what we took away ourselves.
            owned.remove(FieldName::Status);
            diff.conflicts.clear();
        }
        if diff.is_empty() && !said_of_it.is_empty() {
            let mut change = self.row(wanted, Action::Unchanged, said_of_it);
            change.reasons =
                reasons(change.reasons.iter().cloned().chain(wanted.notes.iter().map(|n| Box::from(&**n))));
            if base != Some(&owned) || link.removed.is_some() {
                change.owned = owned;
            }
            return finish(change);
        }
        if diff.is_empty() {
            let said = if link.removed.is_some() {
                "back at the source; nothing to change"
            } else {
                "nothing to change"
            };
            let mut change = self.row(wanted, Action::Unchanged, Vec::new());
            let mut notes = wanted.notes.clone();
            notes.extend(diff::said_kept(&diff.kept, self.there).map(Arc::from));
            change.reasons = self.say(said, &notes);
            if base != Some(&owned) || link.removed.is_some() {
                change.owned = owned;
            }
            return finish(change);
        }

        let mut reasons = Vec::new();
        let status = diff.find(FieldName::Status);
        if let Some(removed) = &link.removed {
            let restored =
                match (removed.deactivated && status.is_some(), diff.find(FieldName::Quantity).is_some()) {
                    (true, true) => ": active again, quantity restored (B9)",
                    (true, false) => ": active again (B9)",
                    (false, true) => ": quantity restored (B8)",
                    (false, false) => "",
                };
            reasons.push(format!("back at {} after it was gone{restored}", self.label));
        }
        if status.is_some_and(|change| change.after == Some(Value::Active(false))) {
            reasons.push(format!("inactive at {}, so inactive in {} (B7)", self.label, self.there));
        }
        reasons.extend(why_update(&diff, link.base.is_some(), self.label, self.there));
        reasons.extend(diff::said_kept(&diff.kept, self.there));
        reasons.extend(said_of_it);
        reasons.extend(notes(wanted));
        let mut change = self.row(wanted, Action::Update, reasons);
        change.owned = owned;
        self.price(&mut change, wanted, Some(found), &diff, place.target.as_ref());
        let by_hand = status.is_some_and(|change| change.after == Some(Value::Active(true)))
            && link.removed.as_ref().is_some_and(|removed| !removed.deactivated)
            && link.base.as_ref().and_then(|base| base.get(FieldName::Status)) != Some(&Value::Active(false));
        let Diff { changes, conflicts, .. } = diff;
        change.fields = changes;
        let change = finish(change);
        if by_hand {
            // Only what we made inactive is made active again.
            let why = format!(
                "back at {}, but its {} was made inactive in {} by hand meanwhile: make it active there if it is wanted",
                self.label, self.record, self.there
            );
            return change.held(Cause::Conflict { fields: vec![FieldName::Status] }, Action::Update, why);
        }
        if !conflicts.is_empty() {
            let names: Vec<&str> = conflicts.iter().map(|name| name.key()).collect();
            let why = format!(
                "{} changed both at {} and in {there} since the last import: set it in {there} to one of the two, or back to what it was to take the new value",
                names.join(", "),
                self.label,
                there = self.there
            );
            return change.held(Cause::Conflict { fields: conflicts }, Action::Update, why);
        }
        self.priced(change, wanted, place.target.as_ref())
    }

    /// Of a record that is there: neither its name nor its type follow, nor what its type does not take.
    fn keep_to_its_own(&self, owned: &mut Fields, found: &Found) -> Vec<String> {
        owned.remove(FieldName::Name);
        let Some(kinds) = &self.lines.kinds else { return Vec::new() };
        let kind = FieldName::own(TYPE_FIELD);
        owned.remove(kind);
        let type_name = found.fields.get(kind).map(ToString::to_string);
        owned.remove(FieldName::own(ID_FIELD));
        kinds.restrict(type_name.as_deref(), Some(&found.fields), owned)
    }

    /// The matching field points to another record than the stored id does: the id counts (L14).
    fn disagrees(&self, wanted: &Wanted, found: &Found) -> Option<String> {
        let key = wanted.keys.own.as_ref()?;
        let (_, other) = self.with_key(key).iter().find(|(_, other)| other.id() != found.id.as_str())?;
        let other = other.open();
        Some(format!(
            "the matching field is also that of {} '{}' ({}); Liongard's id counts (L14)",
            self.record, other.name, other.id
        ))
    }

    /// Sentences of an unchanged row, shared by all rows that say the same.
    fn say(&mut self, first: &'static str, notes: &[Arc<str>]) -> Reasons {
        let said = self.said.entry(first).or_default();
        if let Some(known) = said.get(notes) {
            return Arc::clone(known);
        }
        let new = reasons(std::iter::once(first).chain(notes.iter().map(|note| &**note)));
        said.insert(notes.to_vec(), Arc::clone(&new));
        new
    }

    fn absent(&mut self, id: &SourceId, link: &Link) {
        let found = self.record(&link.target);
        let found = found.as_ref();
        let side = Side { id: id.clone(), name: Arc::from(&*link.source_name) };
        let row = |action, why: String| {
            let mut change = Change::new(self.entity, action, side.clone(), [why]);
            change.target = Some(found.map_or_else(
                || Side { id: link.target.clone(), name: Arc::from(&*link.target_name) },
                Side::of_found,
            ));
            change.customer = link.parent.as_ref().map(|id| self.customer_side(id));
            change.customer_target = link
                .parent
                .as_ref()
                .and_then(|parent| self.mappings.customers.get(parent))
                .map(|customer| customer.target.clone());
            change
        };
        let judged = self.judge.judge(id, link, found);
        let mapped = link.parent.as_ref().is_some_and(|parent| self.judge.customer(parent).is_ok());
        let mut unread = None;
        let (change, goes) = match judged {
            Judged::Left { action, why } => (row(action, why), false),
            Judged::Held { cause, why } => {
                (row(Action::Unchanged, "not listed".into()).held(cause, Action::Held, why), false)
            }
            Judged::Unread { customer, why } => {
                let said =
                    format!("not listed, but {}'s list proves nothing: no removal (P8): {why}", self.label);
                unread = Some((customer, why));
                (row(Action::Skipped, said), false)
            }
            // Only a run whose look-up confirms it counts.
            Judged::Missing { why } => {
                (row(Action::Skipped, self.judge.proof(id).err().unwrap_or(why)), false)
            }
            Judged::Gone { action, fields } => {
                let why = match action {
                    Action::Zero => {
                        format!("gone at {}: its count goes to 0, its status stays (B8)", self.label)
                    }
                    _ if fields.iter().any(|field| field.name == FieldName::Quantity) => {
                        format!("gone at {}: made inactive, and its count goes to 0 (B9)", self.label)
                    }
                    _ if self.policy.target(self.entity) != Halo => {
                        format!("gone from {}: archived in {}", self.label, self.there)
                    }
                    _ => format!("gone at {}: made inactive, its count stays (B9)", self.label),
                };
                let mut change = row(action, why);
                let mut owned = link.base.clone().unwrap_or_default();
                for field in &fields {
                    if let Some(after) = &field.after {
                        owned.set(field.name, after.clone());
                    }
                }
                change.fields = fields;
                change.owned = owned;
                if let Some(found) = found {
                    let after = Fields::new();
                    change.money = monthly_delta(Some(found), &after, &change);
                    change.currency = self.currency(change.customer_target.as_ref());
                }
                match self.judge.proof(id) {
                    Ok(()) => {
                        let listed = "its customer's list is complete, and a look-up by id did not find it";
                        change.reasons = reasons(change.reasons.iter().cloned().chain([listed.into()]));
                        (change, true)
                    }
                    Err(why) => (change.held(Cause::Unproven, action, why), false),
                }
            }
        };
        if let Some((customer, why)) = unread {
            self.tally.unread.entry(customer).or_insert(why);
        }
        if mapped {
            self.tally.linked += 1;
            if let Some(found) = found {
                self.count(link.parent.as_ref(), found, !goes);
            }
        }
        self.rows.push(change);
    }

    /// Adds a linked found to the populations of the limits.
    fn count(&mut self, customer: Option<&SourceId>, found: &Found, stays: bool) {
        let count = match found.fields.get(FieldName::Quantity) {
            Some(Value::Count(count)) => Some(count.get()),
            _ => None,
        };
        self.tally.seats += u64::from(count.unwrap_or(0));
        if let Some(customer) = customer.filter(|_| found.is_active && count != Some(0)) {
            let lines = self.tally.lines.entry(customer.clone()).or_default();
            if stays { lines.0 += 1 } else { lines.1 += 1 }
        }
        if let Some(money) = monthly(&found.fields, found.is_active) {
            let currency = self.currency(found.parent.as_ref());
            *self.tally.money.entry(currency).or_default() += money;
        }
    }

    fn finish(mut change: Change, place: &Place, found: Option<&Found>) -> Change {
        change.target = found.map(Side::of_found);
        change.customer_target.clone_from(&place.target);
        change.after_row = place.after_row;
        change.site.clone_from(&place.site);
        change
    }

    /// Money a month, before and after (N1).
    fn price(
        &self,
        change: &mut Change,
        wanted: &Wanted,
        found: Option<&Found>,
        diff: &Diff,
        customer: Option<&TargetId>,
    ) {
        let after: Fields =
            diff.changes.iter().filter_map(|c| c.after.clone().map(|after| (c.name, after))).collect();
        change.money = monthly_delta(found, &after, change);
        change.currency = wanted.currency.or_else(|| self.currency(customer));
    }

    /// Prices go only into a customer that is billed in their currency (B5). What the target does not say is said, not
    /// guessed at: most builds of Halo give no currency of a customer, and the price is still the one that was asked for.
    fn priced(&self, mut change: Change, wanted: &Wanted, customer: Option<&TargetId>) -> Change {
        let writes = |name| change.fields.iter().any(|field| field.name == name);
        if !writes(FieldName::Price) && !writes(FieldName::Cost) {
            return change;
        }
        match (wanted.currency, self.currency(customer)) {
            (Some(here), Some(there)) if here != there => {
                let would_be = change.action;
                let why = format!(
                    "its prices are in {here}, {} bills this customer in {there}: switch off price and cost, or correct the currency (B5)",
                    self.there
                );
                change.held(Cause::Data, would_be, why)
            }
            (here, there) => {
                let unknown = match (here, there) {
                    (None, _) => format!("{} does not say the currency of its prices", self.label),
                    (_, None) => {
                        format!(
                            "{} does not say what it bills in: the currency could not be compared",
                            self.there
                        )
                    }
                    _ => return change,
                };
                change.reasons = reasons(change.reasons.iter().cloned().chain([unknown.into()]));
                change
            }
        }
    }

    fn currency(&self, customer: Option<&TargetId>) -> Option<Currency> {
        customer
            .and_then(|id| find(&self.partners, id))
            .and_then(|found| found.currency)
            .or(self.snapshot.currency)
    }

    fn candidate_customer(&self, id: &TargetId, why: &str) -> Candidate {
        let name = find(&self.partners, id).map_or_else(|| Arc::from(""), |found| Arc::clone(&found.name));
        Candidate { target: id.clone(), name, why: why.into() }
    }
}

fn notes(wanted: &Wanted) -> Vec<String> {
    wanted.notes.iter().map(ToString::to_string).collect()
}

/// The last written values as our removal left them, so that a record that returns is compared with what we did.
fn base_after_removal(link: &Link) -> Option<Fields> {
    let removed = link.removed.as_ref()?;
    let mut base = link.base.clone()?;
    if removed.zeroed {
        base.set(FieldName::Quantity, Value::Count(crate::model::Count::ZERO));
    }
    if removed.deactivated {
        base.set(FieldName::Status, Value::Active(false));
    }
    Some(base)
}
