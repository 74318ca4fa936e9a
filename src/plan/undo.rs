//! The plan that takes a job back (P32, sync-engine 13): each row's record set to what it held before, what was made
//! inactive made active again, what was created made inactive, what was linked unlinked. Never more than the job did,
//! and nothing that somebody changed since.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::change::{Mark, reasons};
use super::diff::{equals, field_of};
use super::money::{monthly, monthly_delta};
use super::{
    Action, Cause, Change, FieldChange, Limit, MoneyDelta, Outline, Policy, Rows, Side, Valve, limits,
};
use crate::model::asset::{ID_FIELD, TYPE_FIELD};
use crate::model::date::NO_DATE;
use crate::model::{
    Currency, Entity, FieldName, Fields, Found, Integration, Link, Place, Slot, SourceId, TargetId, Value,
};

/// What one row of a job did, and how its record stands now.
#[derive(Debug, Clone)]
pub struct Image {
    pub entity: Entity,
    pub source: Side<SourceId>,
    /// Its customer at the source, unless it is one.
    pub customer: Option<Side<SourceId>>,
    pub target: TargetId,
    /// Whether the job made the record.
    pub created: bool,
    /// What each field held before, and what was written.
    pub fields: Vec<FieldChange>,
    /// The site whose address was written.
    pub site: Option<TargetId>,
    /// The mapping before that row; `None`: the same link stood there.
    pub before: Option<Slot>,
    /// The mapping now.
    pub now: Slot,
    /// The record now; `None`: it is no longer there.
    pub found: Option<Found>,
    /// What its customer is billed in, where that is known.
    pub currency: Option<Currency>,
    /// Records of this customer that are linked now and that this job did not bring in.
    pub newer: u64,
}

/// What is linked now: the populations that an undo's limits are shares of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linked {
    /// Links of each entity.
    pub records: BTreeMap<Entity, u64>,
    /// Their seats together, as last written.
    pub seats: BTreeMap<Entity, u64>,
    /// Of each entity but the root, each customer's links that are not taken back already.
    pub of_customer: BTreeMap<Entity, HashMap<SourceId, u64>>,
}

/// The rows that take these back, in reverse stage order, and what stands above them. V1 and V3 also bind an undo
/// unless `policy.allow_removals` lifts them; V4 to V8 are said, and a freeze holds what is billed.
pub fn undo(images: &[Image], linked: &Linked, policy: &Policy) -> (Rows, Outline) {
    let entities = &policy.entities;
    let mut outline = Outline::default();
    let mut money: BTreeMap<Option<Currency>, MoneyDelta> = BTreeMap::new();
    let mut changes: Vec<Change> = Vec::with_capacity(images.len());
    for image in images {
        let change = row(image, policy);
        if change.entity.is_billed() && change.action.acts() {
            let now = image.found.as_ref().and_then(|found| monthly(&found.fields, found.is_active));
            match (now, change.money) {
                (Some(now), Some(delta)) => {
                    let line = money.entry(change.currency).or_insert(MoneyDelta {
                        currency: change.currency,
                        before: Decimal::ZERO,
                        after: Decimal::ZERO,
                    });
                    line.before = line.before.saturating_add(now);
                    line.after = line.after.saturating_add(now).saturating_add(delta);
                }
                _ => outline.rows_without_price += 1,
            }
        }
        changes.push(change);
    }
    // What hangs on a customer goes before the customer; what was taken away last comes back first.
    changes.reverse();
    let stage = |of: Entity| std::cmp::Reverse(entities.iter().position(|entity| *entity == of));
    changes.sort_by_key(|change| stage(change.entity));
    for entity in entities {
        outline.complete.insert(*entity, true);
        outline.by_entity.insert(*entity, super::Totals::default());
        let population = linked.records.get(entity).copied().unwrap_or(0);
        let number =
            changes.iter().filter(|change| change.entity == *entity && change.action.is_removal()).count();
        if let Some(lines) = linked.of_customer.get(entity) {
            outline.limits.extend(losing_all(&mut changes, *entity, lines, policy));
        }
        outline.limits.extend(limit(&mut changes, *entity, number as u64, population, policy));
    }
    let mut rows = Rows::from(changes);
    let gates = limits::of_undo(&mut rows, &linked.records, &linked.seats, policy, &mut outline.alerts);
    outline.limits.extend(gates);
    for row in &rows {
        outline.totals.count(row.action);
        outline.by_entity.entry(row.entity).or_default().count(row.action);
    }
    outline.money =
        money.into_values().filter(|line| !line.before.is_zero() || !line.after.is_zero()).collect();
    (rows, outline)
}

/// V3 for an undo: customers that would be left without any record of an entity.
fn losing_all(
    changes: &mut [Change],
    entity: Entity,
    lines: &HashMap<SourceId, u64>,
    policy: &Policy,
) -> Option<Limit> {
    let mut going: HashMap<SourceId, u64> = HashMap::new();
    for change in changes.iter().filter(|change| change.entity == entity && change.action.is_removal()) {
        if let Some(customer) = &change.customer {
            *going.entry(customer.id.clone()).or_default() += 1;
        }
    }
    let losing: HashSet<SourceId> = going
        .into_iter()
        .filter(|(id, go)| lines.get(id).is_none_or(|has| go >= has))
        .map(|(id, _)| id)
        .collect();
    let (number, population) = (losing.len() as u64, lines.len() as u64);
    let limit = limits::losing_limit(population);
    if number == 0 {
        return None;
    }
    let mut sentence = format!(
        "V3: {number} of {population} customers would be left without any {entity}, limit {limit} (2 %, at least 3)"
    );
    let over = number > limit;
    if over {
        sentence += waits(policy);
    }
    let tripped = over && !policy.allow_removals;
    if tripped {
        let concerned = |change: &&mut Change| {
            change.entity == entity
                && change.action.is_removal()
                && change.customer.as_ref().is_some_and(|customer| losing.contains(&customer.id))
        };
        for change in changes.iter_mut().filter(concerned) {
            change.hold(Cause::Limit { valve: Valve::V3, overridable: true }, &sentence);
        }
    }
    Some(Limit {
        valve: Valve::V3,
        entity: Some(entity),
        tripped,
        number,
        limit,
        population,
        binds_people: false,
        sentence,
    })
}

/// What becomes of what an undo's limits hold.
const fn waits(policy: &Policy) -> &'static str {
    if policy.allow_removals {
        ": lifted by --allow-removals"
    } else {
        ": they wait; type the number when you apply, or give --allow-removals"
    }
}

/// V1 for an undo: what it makes inactive.
fn limit(
    changes: &mut [Change],
    entity: Entity,
    number: u64,
    population: u64,
    policy: &Policy,
) -> Option<Limit> {
    let (safety, allow_removals) = (&policy.safety, policy.allow_removals);
    let removes = |change: &&mut Change| change.entity == entity && change.action.is_removal();
    if number == 0 {
        return None;
    }
    let limit = safety.removal_limit(population);
    let over = number > limit;
    let gone = gone(entity, policy);
    let mut sentence = format!(
        "V1: {number} {entity} that the job created become {gone}, limit {limit} ({} % of {population} linked, at least {}, at most {})",
        safety.max_removals_percent, safety.max_removals_floor, safety.max_removals
    );
    if over {
        sentence += waits(policy);
    }
    let tripped = over && !allow_removals;
    if tripped {
        for change in changes.iter_mut().filter(removes) {
            change.hold(Cause::Limit { valve: Valve::V1, overridable: true }, &sentence);
        }
    }
    Some(Limit {
        valve: Valve::V1,
        entity: Some(entity),
        tripped,
        number,
        limit,
        population,
        binds_people: false,
        sentence,
    })
}

fn row(image: &Image, policy: &Policy) -> Change {
    let mut change =
        Change::new(image.entity, Action::Update, image.source.clone(), std::iter::empty::<&str>());
    change.customer.clone_from(&image.customer);
    let name = image.found.as_ref().map_or_else(|| Arc::from(""), |found| Arc::clone(&found.name));
    change.target = Some(Side { id: image.target.clone(), name });
    if matches!(image.entity, Entity::AssetTypes | Entity::AssetFields) {
        // Others may use it by now (L16).
        change.action = Action::Skipped;
        change.reasons = reasons([format!(
            "an {} that was made stays: nothing in Halo is deleted",
            image.entity.singular()
        )]);
        return change;
    }
    if image.entity == Entity::Push {
        // No call is known that takes an environment out of use, and deleting one takes its systems with it.
        change.action = Action::Skipped;
        change.reasons = reasons([
            "an environment that was made cannot be taken back: it stays, and stays mapped; delete it in Liongard if it is not wanted (L17)",
        ]);
        return change;
    }
    let Some(found) = &image.found else {
        let why = "it is no longer there, so there is nothing to set back";
        return change.held(Cause::Missing, Action::Held, why);
    };
    change.customer_target.clone_from(&found.parent);
    change.site.clone_from(&image.site);
    let (mut said, touched) = if image.created {
        uncreate(image, found, &mut change, policy)
    } else {
        unset(image, found, &mut change, policy)
    };
    let mapping = mapping(image, &change.fields);
    if mapping != image.now {
        said.push(match (&image.now.link, &mapping.link) {
            (Some(_), None) => "its mapping is taken away again".to_owned(),
            (None, Some(_)) => "its mapping comes back".to_owned(),
            _ => "its mapping is as it was".to_owned(),
        });
        change.mapping = Some(Box::new(mapping));
    }
    if change.fields.is_empty() && change.mapping.is_none() {
        change.action = Action::Unchanged;
        said.push("nothing is left to take back".into());
    }
    change.reasons = reasons(said);
    if image.entity.is_billed() {
        change.money = monthly_delta(Some(found), &Fields::new(), &change);
        change.currency = image.currency;
    }
    if !touched.is_empty() {
        let told: Vec<String> = touched.iter().map(|(_, told)| told.clone()).collect();
        let why = format!("changed since, by hand or by a later job: {}; left as it is", told.join(", "));
        let fields = touched.into_iter().map(|(name, _)| name).collect();
        let would_be = change.action;
        return change.held(Cause::Conflict { fields }, would_be, why);
    }
    if image.newer > 0 && change.mapping.as_ref().is_some_and(|mapping| mapping.link.is_none()) {
        let why =
            format!("{} records of it were brought in by other jobs: take those back first", image.newer);
        let would_be = change.action;
        return change.held(Cause::Missing, would_be, why);
    }
    change
}

/// Records of Hudu are archived, all others made inactive.
fn is_in_hudu(entity: Entity, policy: &Policy) -> bool {
    policy.target(entity) == Place::Of(Integration::Hudu)
}

fn gone(entity: Entity, policy: &Policy) -> &'static str {
    if is_in_hudu(entity, policy) { "archived" } else { "inactive" }
}

type Touched = Vec<(FieldName, String)>;

/// What the job created becomes inactive, unless somebody has made it their own since.
fn uncreate(image: &Image, found: &Found, change: &mut Change, policy: &Policy) -> (Vec<String>, Touched) {
    let mut touched = Vec::new();
    for field in &image.fields {
        let (Some(wrote), Some(now)) = (&field.after, field_of(found, field.name)) else { continue };
        // Who made it inactive already did what this row is to do.
        let done = field.name == FieldName::Status && now == Value::Active(false);
        if !done && field.name != FieldName::TopLevel && !equals(found, field.name, Some(wrote)) {
            touched.push((field.name, format!("{} is {now}, the job wrote {wrote}", field.name)));
        }
    }
    if !found.is_active {
        return (vec![format!("created by the job, and {} already", gone(image.entity, policy))], Vec::new());
    }
    change.action = Action::Deactivate;
    change.fields = vec![FieldChange {
        name: FieldName::Status,
        before: Some(Value::Active(true)),
        after: Some(Value::Active(false)),
        mark: None,
    }];
    let done = if is_in_hudu(image.entity, policy) { "archived" } else { "made inactive" };
    (vec![format!("created by the job: {done}, never deleted")], touched)
}

/// Whether it is one of the fields that an asset carries in its list, which alone can be blanked.
fn is_listed(entity: Entity, name: FieldName) -> bool {
    let is_own = matches!(name, FieldName::Own(_));
    is_own
        && matches!(entity, Entity::Assets | Entity::Warranty | Entity::CompanyUrls)
        && ![ID_FIELD, TYPE_FIELD].map(FieldName::own).contains(&name)
}

/// Fields go back to what they held.
fn unset(image: &Image, found: &Found, change: &mut Change, policy: &Policy) -> (Vec<String>, Touched) {
    let (mut said, mut touched) = (Vec::new(), Vec::new());
    for field in &image.fields {
        let now = field_of(found, field.name);
        let back = match (&field.before, field.name) {
            (None, FieldName::EndDate) => Some(Value::Date(NO_DATE)),
            // A field of an asset's list is blanked by an empty text (halopsa.md 8).
            (None, name) if is_listed(image.entity, name) && policy.target(image.entity) == Place::Halo => {
                Some(Value::text(""))
            }
            (before, _) => before.clone(),
        };
        if equals(found, field.name, back.as_ref()) {
            continue;
        }
        if !equals(found, field.name, field.after.as_ref()) {
            let shown = |value: Option<&Value>| value.map_or_else(|| "blank".to_owned(), ToString::to_string);
            let told = format!(
                "{} is {}, the job wrote {}",
                field.name,
                shown(now.as_ref()),
                shown(field.after.as_ref())
            );
            touched.push((field.name, told));
        }
        match back {
            Some(back) => change.fields.push(FieldChange {
                name: field.name,
                before: now,
                after: Some(back),
                mark: None::<Mark>,
            }),
            None => {
                said.push(format!(
                    "{} was blank before: it cannot be blanked again, so it stays",
                    field.name
                ));
            }
        }
    }
    if !change.fields.is_empty() {
        said.insert(0, "set back to what it was before the job".into());
    }
    (said, touched)
}

/// The mapping as it stands once the row is done. Where somebody mapped the record elsewhere meanwhile, that stands.
fn mapping(image: &Image, restored: &[FieldChange]) -> Slot {
    let moved = image.now.link.as_ref().is_some_and(|link| link.target != image.target);
    let now = image.now.link.as_ref().filter(|link| link.target == image.target);
    match &image.before {
        _ if moved => image.now.clone(),
        // Not noted, as after a power cut: what the job made was not linked before.
        None if image.created => Slot::default(),
        Some(slot) if slot.link.as_ref().is_none_or(|link| link.target != image.target) => slot.clone(),
        before => {
            let was = before.as_ref().and_then(|slot| slot.link.as_ref());
            let Some(mut link) = now.or(was).cloned() else { return image.now.clone() };
            set_back(&mut link, restored);
            if let Some(was) = was {
                link.removed.clone_from(&was.removed);
            }
            Slot { link: Some(link), ..Slot::default() }
        }
    }
}

/// What we last wrote is now what stood there before: the next comparison sees no edit by hand.
fn set_back(link: &mut Link, restored: &[FieldChange]) {
    let Some(base) = &mut link.base else { return };
    for field in restored {
        match &field.after {
            Some(Value::Date(date)) if *date == NO_DATE => drop(base.remove(field.name)),
            Some(value) => base.set(field.name, value.clone()),
            None => {}
        }
    }
}
