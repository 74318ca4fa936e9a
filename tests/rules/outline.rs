use crate::world::*;
use parhelion::model::settings::Pace;
use parhelion::model::{Entity, FieldName, Integration, Place};
use parhelion::plan::cost::{requests, seconds};
use parhelion::plan::{Action, cost, hash};

fn pace() -> Pace {
    Pace { requests: 300, per_seconds: 300, at_once: 4, spacing_ms: 0, share: 0.9 }
}

fn weights(plan: &Planned) -> impl Iterator<Item = (Entity, Action, u64)> + '_ {
    plan.changes.iter().map(|change| (change.entity, change.action, requests(change)))
}

#[test]
fn n11_rows_that_write_nothing_cost_nothing() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5).linked("2", "Two", 5);
    assert_eq!(cost(Integration::Also, weights(&w.plan()), |_| pace()).requests.len(), 0);
    w.source_field("1", FieldName::Quantity, seats(6));
    w.sub("3", "a", "Three", 1);
    let cost = cost(Integration::Also, weights(&w.plan()), |_| pace());
    assert_eq!(cost.requests[&Place::Halo], 3, "a create, and an update with the read before it");
    assert_eq!(cost.seconds, 1);
}

#[test]
fn n11_time_follows_the_window_and_the_spacing() {
    assert_eq!(seconds(270, &pace()), 34, "one window's worth goes at once");
    assert_eq!(seconds(540, &pace()), 300);
    assert_eq!(seconds(10, &Pace { requests: 0, at_once: 1, spacing_ms: 1000, ..pace() }), 10);
    assert_eq!(seconds(10, &Pace { at_once: 0, share: 0.0, ..pace() }), 5, "nonsense is no division by zero");
}

#[test]
fn p2_the_hash_covers_every_row_and_the_outline() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.source_field("1", FieldName::Quantity, seats(6));
    let planned = w.plan();
    let seal = hash(&planned.outline, &planned.changes);
    assert_eq!(seal.len(), 64);
    let mut other = planned.clone();
    other.changes[1].fields[0].after = Some(seats(7));
    assert_ne!(hash(&other.outline, &other.changes), seal);
    let mut other = planned.clone();
    other.outline.rows_without_price += 1;
    assert_ne!(hash(&other.outline, &other.changes), seal);
    assert_ne!(hash(&planned.outline, planned.changes.iter().skip(1)), seal);
    // As a store would give the rows back.
    let stored: Vec<parhelion::plan::Change> =
        serde_json::from_str(&serde_json::to_string(&planned.changes).unwrap()).unwrap();
    assert_eq!(hash(&planned.outline, stored), seal);
}
