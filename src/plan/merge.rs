//! The plan: customers first, then their subscriptions, then the limits over all of it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::customers::Customers;
use super::subscriptions::{self, Tally};
use super::{
    Action, Cause, Change, Last, MoneyDelta, Only, Outline, Policy, Snapshot, Totals, limits,
    snapshot::Mappings,
};
use crate::model::{Currency, Entity, Link, SourceId};

/// A plan as built. Its cost is [`super::cost`]'s to add, before [`super::hash`] seals it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub changes: Vec<Change>,
    pub outline: Outline,
    /// What to remember for the next plan, once this one is applied.
    pub last: Last,
}

/// Plans one integration. `subscription_links` come in the order of their source ids; they are read once and not kept.
pub fn build(
    snapshot: &Snapshot,
    mappings: &Mappings,
    subscription_links: impl IntoIterator<Item = (SourceId, Link)>,
    policy: &Policy,
) -> Planned {
    let mut customers = Customers::plan(snapshot, mappings, policy);
    let mut changes = std::mem::take(&mut customers.rows);
    let tally = if policy.entities.contains(&Entity::Subscriptions) {
        subscriptions::plan(snapshot, mappings, subscription_links, policy, &customers, &mut changes)
    } else {
        Tally::default()
    };
    if let Some(only) = &snapshot.only {
        narrow(&mut changes, only);
    }
    for (row, change) in (1..).zip(&mut changes) {
        change.row = row;
    }

    let mut alerts = alerts(snapshot, policy, &customers, &tally);
    if tally.disorder {
        let why = "the stored links came out of order, so what is linked is not certain: move the folder index/ aside, it is made again from the trail";
        for change in changes.iter_mut().filter(|c| c.entity == Entity::Subscriptions && c.action.acts()) {
            change.hold(Cause::Unproven, why);
        }
        alerts.push(format!("No subscription is written: {why}."));
    }
    let limits = limits::apply(&mut changes, &customers, &tally, snapshot, policy, &mut alerts);
    follow(&mut changes);

    let mut outline = Outline { alerts, limits, ..Outline::default() };
    for entity in &policy.entities {
        outline.complete.insert(*entity, is_complete(*entity, snapshot));
        outline.by_entity.insert(*entity, Totals::default());
    }
    let mut money: BTreeMap<Option<Currency>, MoneyDelta> = tally
        .money
        .iter()
        .map(|(currency, before)| {
            (*currency, MoneyDelta { currency: *currency, before: *before, after: *before })
        })
        .collect();
    for change in &changes {
        outline.totals.count(change.action);
        outline.by_entity.entry(change.entity).or_default().count(change.action);
        if change.entity == Entity::Subscriptions && change.action.acts() {
            match change.money {
                None => outline.rows_without_price += 1,
                Some(delta) if delta.is_zero() => {}
                Some(delta) => {
                    let line = money.entry(change.currency).or_insert(MoneyDelta {
                        currency: change.currency,
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
    let last = limits::remember(snapshot, policy, &tally, customers.linked);
    Planned { changes, outline, last }
}

/// Leaves the rows of a narrow plan, and the customers that they need first. Names are compared among all customers
/// before: one that looks unique in a narrow list may not be.
fn narrow(changes: &mut Vec<Change>, only: &Only) {
    let covers = |change: &Change| {
        let customer = change.customer.as_ref().unwrap_or(&change.source);
        only.covers(change.entity, &change.source.id, &customer.id)
    };
    let needed: BTreeSet<u32> =
        changes.iter().filter(|change| covers(change)).filter_map(|change| change.after_row).collect();
    // Customers are numbered already, their subscriptions not yet.
    changes.retain(|change| covers(change) || (change.row > 0 && needed.contains(&change.row)));
    let rows: BTreeMap<u32, u32> = changes
        .iter()
        .zip(1..)
        .filter(|(change, _)| change.row > 0)
        .map(|(change, row)| (change.row, row))
        .collect();
    for change in changes {
        change.after_row = change.after_row.and_then(|row| rows.get(&row).copied());
    }
}

/// A row that needs another one goes with it: if that one waits, this one is skipped (decision 29).
fn follow(changes: &mut [Change]) {
    for at in 0..changes.len() {
        let Some(after) = changes[at].after_row else { continue };
        let first = after.checked_sub(1).and_then(|first| changes.get(first as usize));
        if first.is_some_and(|first| first.action == Action::Held) && changes[at].action.acts() {
            let why = format!("its customer waits in row {after}");
            let change = &mut changes[at];
            change.action = Action::Skipped;
            change.reasons =
                std::iter::once(why.into_boxed_str()).chain(change.reasons.iter().cloned()).collect();
        }
    }
}

/// Whether both sides' listings of an entity were proven complete.
fn is_complete(entity: Entity, snapshot: &Snapshot) -> bool {
    let customers =
        snapshot.customers_complete.is_complete() && snapshot.halo_customers_complete.is_complete();
    match entity {
        Entity::Customers => customers,
        Entity::Subscriptions => {
            customers
                && snapshot.licences_complete.is_complete()
                && snapshot.read.values().all(super::Completeness::is_complete)
        }
    }
}

fn alerts(snapshot: &Snapshot, policy: &Policy, customers: &Customers, tally: &Tally) -> Vec<String> {
    let label = policy.integration.label();
    let mut alerts = Vec::new();
    if let Some(why) = snapshot.customers_complete.why_not() {
        alerts.push(format!("{label}'s list of customers proves nothing, so nothing is removed: {why}"));
    }
    if let Some(why) = snapshot.halo_customers_complete.why_not() {
        alerts.push(format!("Halo's list of customers is incomplete, so no customer is created: {why}"));
    }
    if policy.entities.contains(&Entity::Subscriptions) {
        if let Some(why) = snapshot.licences_complete.why_not() {
            alerts.push(format!("Halo's list of licences is incomplete, so no licence is created: {why}"));
        }
        let name = |id: &SourceId| {
            customers.name(id).map_or_else(|| id.to_string(), |name| format!("'{name}' ({id})"))
        };
        let mut said = std::collections::BTreeSet::new();
        let failed = snapshot.read.iter().filter_map(|(id, read)| read.why_not().map(|why| (id, why)));
        for (id, why) in failed.chain(tally.unread.iter().map(|(id, why)| (id, why.as_str()))) {
            if snapshot.customers_complete.is_complete() && said.insert(id) {
                alerts.push(format!(
                    "The subscriptions of {} could not be read completely, so none of them is removed: {why}",
                    name(id)
                ));
            }
        }
    }
    alerts
}
