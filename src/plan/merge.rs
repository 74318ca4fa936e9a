//! The plan: customers first, then their subscriptions, then the limits over all of it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::customers::Customers;
use super::lines::{self, Tally};
use super::{
    Action, Cause, Last, MoneyDelta, Only, Outline, Policy, Row, Rows, Snapshot, Totals, limits, push,
    quarantine, shape,
    snapshot::{Mappings, Reading},
    urls,
};
use crate::model::{Currency, Entity, Link, SourceId};

/// A plan as built. Its cost is [`super::cost`]'s to add, before [`super::hash`] seals it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub rows: Rows,
    pub outline: Outline,
    /// What to remember for the next plan, once this one is applied.
    pub last: Last,
}

/// Plans one integration. `links` gives the links of an entity's records in the order of their source ids; each
/// sequence is read once and not kept.
pub fn build<L: IntoIterator<Item = (SourceId, Link)>>(
    snapshot: &Snapshot,
    mappings: &Mappings,
    mut links: impl FnMut(Entity) -> L,
    policy: &Policy,
) -> Planned {
    let mut customers = Customers::plan(snapshot, mappings, policy);
    let mut rows = Rows::from(std::mem::take(&mut customers.rows));
    let of_customers = rows.len();
    let mut tallies = BTreeMap::new();
    for entity in policy.lines() {
        let tally = match entity {
            Entity::Push => push::plan(snapshot, mappings, links(entity), policy, &mut rows),
            Entity::CompanyUrls => urls::plan(snapshot, mappings, links(entity), policy, &mut rows),
            _ => lines::plan(entity, snapshot, mappings, links(entity), policy, &customers, &mut rows),
        };
        tallies.insert(entity, tally);
    }
    if let Some(only) = &snapshot.only {
        narrow(&mut rows, of_customers, only);
    }

    let mut alerts = alerts(snapshot, policy, &customers, &tallies);
    for (entity, _) in tallies.iter().filter(|(_, tally)| tally.disorder) {
        let why = "the stored links came out of order, so what is linked is not certain: move the folder index/ aside, it is made again from the trail";
        rows.hold(|row| row.entity == *entity && row.action.acts(), &Cause::Unproven, why);
        alerts.push(format!("No {} is written: {why}.", entity.singular()));
    }
    shape::apply(&mut rows, snapshot, policy, &mut alerts);
    quarantine::apply(&mut rows, policy);
    let limits = limits::apply(&mut rows, &customers, &tallies, snapshot, policy, &mut alerts);
    follow(&mut rows);

    let mut outline = Outline { alerts, limits, ..Outline::default() };
    for entity in &policy.entities {
        outline.complete.insert(*entity, is_complete(*entity, snapshot, policy));
        outline.by_entity.insert(*entity, Totals::default());
    }
    let mut money: BTreeMap<Option<Currency>, MoneyDelta> = tallies
        .values()
        .flat_map(|tally| &tally.money)
        .map(|(currency, before)| {
            (*currency, MoneyDelta { currency: *currency, before: *before, after: *before })
        })
        .collect();
    for row in &rows {
        outline.totals.count(row.action);
        outline.by_entity.entry(row.entity).or_default().count(row.action);
        if row.entity.is_billed() && row.action.acts() {
            let (currency, delta) = row.money();
            match delta {
                None => outline.rows_without_price += 1,
                Some(delta) if delta.is_zero() => {}
                Some(delta) => {
                    let line = money.entry(currency).or_insert(MoneyDelta {
                        currency,
                        before: Decimal::ZERO,
                        after: Decimal::ZERO,
                    });
                    line.after = line.after.saturating_add(delta);
                }
            }
        }
    }
    outline.money =
        money.into_values().filter(|line| !line.before.is_zero() || !line.after.is_zero()).collect();
    let last = limits::remember(snapshot, policy, &tallies, customers.linked);
    Planned { rows, outline, last }
}

/// Leaves the rows of a narrow plan, and the customers that they need first. Names are compared among all customers
/// before: one that looks unique in a narrow list may not be.
fn narrow(rows: &mut Rows, of_customers: usize, only: &Only) {
    let covers = |row: &Row| {
        let change = rows.open(row);
        let customer = change.customer.as_ref().unwrap_or(&change.source);
        only.covers(change.entity, &change.source.id, &customer.id)
    };
    let covered: Vec<bool> = rows.iter().map(covers).collect();
    let needed: BTreeSet<usize> = rows
        .iter()
        .zip(&covered)
        .filter(|(_, covered)| **covered)
        .filter_map(|(row, _)| (row.after_row? as usize).checked_sub(1))
        .collect();
    // Customers have their places already, their subscriptions not yet.
    let left = rows.retain(|at| covered[at] || (at < of_customers && needed.contains(&at)));
    rows.renumber(|old| {
        let at = left.binary_search(&(old as usize).checked_sub(1)?).ok()?;
        u32::try_from(at + 1).ok()
    });
}

/// A row that needs another one goes with it: if that one waits, this one is skipped (decision 29).
fn follow(rows: &mut Rows) {
    for at in 0..rows.len() {
        let Some(row) = rows.get(at) else { continue };
        let Some(after) = row.after_row.filter(|_| row.action.acts()) else { continue };
        let first = after.checked_sub(1).and_then(|first| rows.get(first as usize));
        if first.is_some_and(|first| first.action == Action::Held) {
            rows.edit(at, |change| {
                change.action = Action::Skipped;
                change.say_first(&format!("its customer waits in row {after}"));
            });
        }
    }
}

/// Whether both sides' listings of an entity were proven complete.
fn is_complete(entity: Entity, snapshot: &Snapshot, policy: &Policy) -> bool {
    let customers = snapshot.customers_complete.is_complete() && snapshot.partners_complete.is_complete();
    if entity == policy.integration.root() {
        return customers;
    }
    customers
        && snapshot
            .lines
            .get(&entity)
            .is_some_and(|lines| lines.found_complete.is_complete() && lines.read.is_complete())
}

fn alerts(
    snapshot: &Snapshot,
    policy: &Policy,
    customers: &Customers,
    tallies: &BTreeMap<Entity, Tally>,
) -> Vec<String> {
    let root = policy.integration.root();
    let (label, there) = (policy.source(root).label(), policy.target(root).label());
    let mut alerts = Vec::new();
    if let Some(why) = snapshot.customers_complete.why_not() {
        alerts.push(format!("{label}'s list of customers proves nothing, so nothing is removed: {why}"));
    }
    if let Some(why) = snapshot.partners_complete.why_not() {
        let (party, parties) = policy.target(root).party();
        alerts.push(format!("{there}'s list of {parties} is incomplete, so no {party} is created: {why}"));
    }
    let name =
        |id: &SourceId| customers.name(id).map_or_else(|| id.to_string(), |name| format!("'{name}' ({id})"));
    for (entity, tally) in tallies {
        let Some(lines) = snapshot.lines.get(entity) else { continue };
        let record = entity.record();
        if let Some(why) = lines.found_complete.why_not() {
            let there = policy.target(*entity).label();
            alerts
                .push(format!("{there}'s list of {record}s is incomplete, so no {record} is created: {why}"));
        }
        if !snapshot.customers_complete.is_complete() {
            continue;
        }
        let each = match &lines.read {
            Reading::Whole(whole) => {
                if let Some(why) = whole.why_not() {
                    alerts.push(format!(
                        "The {entity} could not be read completely, so none of them is removed: {why}"
                    ));
                }
                continue;
            }
            Reading::Each(each) => each,
        };
        let mut said = std::collections::BTreeSet::new();
        let failed = each.iter().filter_map(|(id, read)| read.why_not().map(|why| (id, why)));
        for (id, why) in failed.chain(tally.unread.iter().map(|(id, why)| (id, why.as_str()))) {
            if said.insert(id) {
                alerts.push(format!(
                    "The {entity} of {} could not be read completely, so none of them is removed: {why}",
                    name(id)
                ));
            }
        }
    }
    alerts
}
