//! Narrow plans (P29, P56, P63): the rows they keep, and how those find one another.

use std::collections::{BTreeMap, BTreeSet};

use parhelion::model::{Entity, SourceId};
use parhelion::plan::{self, Action, Only};
use proptest::prelude::*;

use crate::world::*;

/// Two mapped customers `a` and `b` and the new one `n`, each with subscriptions.
fn world() -> World {
    let mut w = World::new();
    for (id, name, halo) in [("a", "Alder Ltd", "1"), ("b", "Birch Ltd", "2")] {
        w.company(id, name);
        w.halo(halo, name);
        w.map(id, halo);
    }
    w.company("n", "Newcomer Ltd");
    for (id, customer) in [("sa1", "a"), ("sa2", "a"), ("sb1", "b"), ("sn1", "n"), ("sn2", "n")] {
        w.sub(id, customer, id, 3);
    }
    w
}

fn narrowed(w: &World, customers: &[&str], records: Option<&[(Entity, &str)]>) -> Planned {
    let mut snapshot = w.snapshot.snapshot();
    snapshot.only = Some(Only {
        customers: customers.iter().map(|id| s(id)).collect(),
        records: records.map(|records| records.iter().map(|(entity, id)| (*entity, s(id))).collect()),
    });
    plan::build(&snapshot, &w.mappings, |_| w.links.clone(), &w.policy()).into()
}

fn ids(planned: &Planned) -> Vec<&str> {
    planned.changes.iter().map(|change| change.source.id.as_str()).collect()
}

#[test]
fn a_customer_s_rows_and_nobody_else_s() {
    let planned = narrowed(&world(), &["a"], None);
    assert_eq!(ids(&planned), ["a", "sa1", "sa2"]);
    assert_eq!(planned.outline.totals.create, 2);
    let rows: Vec<u32> = planned.changes.iter().map(|change| change.row).collect();
    assert_eq!(rows, [1, 2, 3], "numbered without a gap");
}

#[test]
fn one_record_of_a_mapped_customer_comes_alone_and_of_a_new_one_with_its_customer() {
    let planned = narrowed(&world(), &["a"], Some(&[(Entity::Subscriptions, "sa2")]));
    assert_eq!(ids(&planned), ["sa2"]);
    assert_eq!(planned.changes[0].after_row, None);
    let planned = narrowed(&world(), &["n"], Some(&[(Entity::Subscriptions, "sn2")]));
    assert_eq!(ids(&planned), ["n", "sn2"], "the row that it needs first is kept");
    assert_eq!(planned.changes[1].after_row, Some(1), "and found under its new number");
    assert_eq!(planned.changes[0].action, Action::Create);
}

#[test]
fn the_same_id_of_another_entity_is_another_record() {
    let planned = narrowed(&world(), &["a"], Some(&[(Entity::Customers, "sa2")]));
    assert_eq!(ids(&planned), Vec::<&str>::new());
}

/// A name that looks unique in a narrow list may not be: names are compared among all.
#[test]
fn a_narrow_plan_creates_no_customer_beside_a_namesake_outside() {
    let mut w = world();
    w.halo("9", "Newcomer Ltd");
    w.company("m", "Newcomer Ltd");
    let planned = narrowed(&w, &["n"], None);
    assert!(planned.row("n").action == Action::Held, "{:?}", planned.row("n"));
}

proptest! {
    /// A narrow plan is a part of the whole one: each of its rows stands there with the same action and fields, but for
    /// what the limits say of a whole, and each row that it waits for is in it and comes before it.
    #[test]
    fn a_narrow_plan_is_a_part_of_the_whole_one(
        customers in proptest::collection::btree_set(0_usize..3, 0..3),
        records in proptest::option::of(proptest::collection::btree_set(0_usize..8, 0..4)),
    ) {
        const CUSTOMERS: [&str; 3] = ["a", "b", "n"];
        const RECORDS: [(Entity, &str); 8] = [
            (Entity::Customers, "a"), (Entity::Customers, "b"), (Entity::Customers, "n"),
            (Entity::Subscriptions, "sa1"), (Entity::Subscriptions, "sa2"), (Entity::Subscriptions, "sb1"),
            (Entity::Subscriptions, "sn1"), (Entity::Subscriptions, "sn2"),
        ];
        let w = world();
        let chosen: Vec<&str> = customers.iter().map(|at| CUSTOMERS[*at]).collect();
        let named: Option<Vec<_>> = records.as_ref().map(|records| records.iter().map(|at| RECORDS[*at]).collect());
        let narrow = narrowed(&w, &chosen, named.as_deref());
        let whole: BTreeMap<(Entity, SourceId), _> = w
            .plan()
            .changes
            .into_iter()
            .map(|change| ((change.entity, change.source.id.clone()), change))
            .collect();
        let wanted: BTreeSet<(Entity, SourceId)> = whole
            .iter()
            .filter(|((entity, id), change)| {
                let customer = change.customer.as_ref().map_or(id, |customer| &customer.id);
                chosen.iter().any(|own| s(own) == *customer)
                    && named.as_ref().is_none_or(|named| named.iter().any(|(e, own)| e == entity && s(own) == *id))
            })
            .map(|(key, _)| key.clone())
            .collect();
        let kept: BTreeSet<_> =
            narrow.changes.iter().map(|change| (change.entity, change.source.id.clone())).collect();
        prop_assert!(wanted.is_subset(&kept));
        for (at, change) in narrow.changes.iter().enumerate() {
            prop_assert_eq!(change.row as usize, at + 1);
            let twin = &whole[&(change.entity, change.source.id.clone())];
            prop_assert_eq!((change.action, &change.fields), (twin.action, &twin.fields));
            prop_assert_eq!(change.after_row.is_some(), twin.after_row.is_some());
            if let Some(after) = change.after_row {
                prop_assert!(after < change.row);
                let first = &narrow.changes[after as usize - 1];
                prop_assert_eq!(Some(&first.source.id), change.customer.as_ref().map(|customer| &customer.id));
            }
            let is_needed = narrow.changes.iter().any(|other| other.after_row == Some(change.row));
            prop_assert!(wanted.contains(&(change.entity, change.source.id.clone())) || is_needed);
        }
    }
}
