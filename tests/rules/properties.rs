//! What holds for every world.

use std::collections::BTreeSet;

use crate::world::*;
use parhelion::matching::{exact_form, normal_form};
use parhelion::model::{Decision, FieldName, Value, Verdict};
use parhelion::plan::snapshot::Completeness;
use parhelion::plan::{self, Absence, Action, Mark};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Company {
    name: u8,
    mapped: bool,
    decision: u8,
    incomplete: bool,
    subs: Vec<Sub>,
}

#[derive(Debug, Clone)]
struct Sub {
    name: u8,
    count: u32,
    halo_count: Option<u32>,
    base_count: Option<u32>,
    linked: bool,
    listed: bool,
    active: bool,
    halo_active: bool,
    verdict: u8,
    proof: u8,
    removed: u8,
}

prop_compose! {
    fn sub()(
        name in 0..4_u8, count in 0..4_u32, halo_count in proptest::option::of(0..4_u32),
        base_count in proptest::option::of(0..4_u32), linked in any::<bool>(), listed in proptest::bool::weighted(0.8),
        active in proptest::bool::weighted(0.8), halo_active in proptest::bool::weighted(0.8), verdict in 0..10_u8,
        proof in 0..4_u8, removed in 0..6_u8,
    ) -> Sub {
        Sub { name, count, halo_count, base_count, linked, listed, active, halo_active, verdict, proof, removed }
    }
}

prop_compose! {
    fn company()(
        name in 0..6_u8, mapped in any::<bool>(), decision in 0..8_u8, incomplete in proptest::bool::weighted(0.1),
        subs in proptest::collection::vec(sub(), 0..5),
    ) -> Company {
        Company { name, mapped, decision, incomplete, subs }
    }
}

prop_compose! {
    fn world()(
        companies in proptest::collection::vec(company(), 0..6), halo in proptest::collection::vec(0..6_u8, 0..5),
        scheduled in any::<bool>(), deactivate in any::<bool>(), zero in any::<bool>(), rename in any::<bool>(),
        broken in 0..12_u8, safe in proptest::bool::weighted(0.2),
    ) -> World {
        const NAMES: [&str; 6] = ["Alder Ltd", "ALDER Limited", "Birch", "Cedar", "Birch GmbH", "Fir 1"];
        let mut w = World::new();
        for (n, name) in halo.iter().enumerate() {
            w.halo(&format!("h{n}"), NAMES[usize::from(*name)]);
        }
        for (n, c) in companies.iter().enumerate() {
            let id = format!("c{n}");
            w.company(&id, NAMES[usize::from(c.name)]);
            let target = format!("m{n}");
            if c.mapped {
                w.halo(&target, &format!("Partner {n}"));
                w.map(&id, &target);
            }
            match c.decision {
                0 => drop(w.mappings.decisions.insert(s(&id), Decision::New)),
                1 => drop(w.mappings.decisions.insert(s(&id), exclude(None))),
                _ => {}
            }
            if c.incomplete {
                w.snapshot.read.insert(s(&id), Completeness(Err("cut off".into())));
            }
            for (m, sub) in c.subs.iter().enumerate() {
                let sub_id = format!("{id}-{m}");
                let name = format!("Product {}", sub.name);
                if sub.listed {
                    let wanted = w.sub(&sub_id, &id, &name, sub.count);
                    wanted.fields.set(FieldName::Status, Value::Active(sub.active));
                    match sub.verdict {
                        0 => wanted.verdict = Verdict::Hold("unreadable".into()),
                        1 => wanted.verdict = Verdict::OutOfScope("filtered".into()),
                        _ => {}
                    }
                }
                let licence = format!("l{id}-{m}");
                if let (true, Some(count)) = (c.mapped, sub.halo_count) {
                    let found = w.licence(&licence, &target, &name, count);
                    found.is_active = sub.halo_active;
                    found.fields.set(FieldName::Status, Value::Active(sub.halo_active));
                }
                if sub.linked {
                    let base = sub.base_count.map(|count| licence_fields(&name, count));
                    w.link(&sub_id, &licence, &id).base = base;
                    match sub.removed {
                        0 => drop(w.removed(&sub_id, true, false)),
                        1 => drop(w.removed(&sub_id, false, true)),
                        _ => {}
                    }
                }
                match sub.proof {
                    0 => drop(w.snapshot.absences.insert(s(&sub_id), Absence::Unconfirmed("it is there".into()))),
                    1 => {}
                    _ => drop(w.snapshot.absences.insert(s(&sub_id), Absence::Confirmed)),
                }
            }
        }
        w.policy.scheduled = scheduled;
        w.settings.deactivate_deleted = deactivate;
        w.settings.zero_deactivated = zero;
        w.settings.rename_in_halo = rename;
        match broken {
            0 => w.snapshot.licences_complete = Completeness(Err("page 2".into())),
            1 => w.snapshot.halo_customers_complete = Completeness(Err("page 2".into())),
            2 => w.snapshot.customers_complete = Completeness(Err("not JSON".into())),
            _ => {}
        }
        if safe {
            w.policy.approved_once.clear();
        }
        w.settle();
        w
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 8: what a plan has done is not done again.
    #[test]
    fn an_applied_plan_leaves_nothing_to_do(mut w in world()) {
        let first = w.plan();
        w.apply(&first);
        let second = w.plan();
        // A mapping or link made by the first plan may settle what was ambiguous; what remains acts on nothing again.
        let acted: BTreeSet<_> = first.changes.iter().filter(|c| c.action.acts()).map(|c| &c.source.id).collect();
        for change in second.changes.iter().filter(|c| c.action.acts()) {
            prop_assert!(!acted.contains(&change.source.id), "{change:#?}");
        }
        w.apply(&second);
        let third = w.plan();
        prop_assert_eq!(third.outline.totals.acting(), 0, "{:#?}", third.changes);
    }

    #[test]
    fn same_input_same_bytes(w in world()) {
        let (one, two) = (w.plan(), w.plan());
        prop_assert_eq!(plan::hash(&one.outline, &one.changes), plan::hash(&two.outline, &two.changes));
        let mut shuffled = w.clone();
        shuffled.snapshot.customers.reverse();
        shuffled.snapshot.subscriptions.reverse();
        shuffled.snapshot.licences.reverse();
        let three = shuffled.plan();
        prop_assert_eq!(one.changes, three.changes);
    }

    /// Invariants 15 and 42: a removal is scheduled, proven, in scope, and the link's own.
    #[test]
    fn removals_are_proven(w in world()) {
        let planned = w.plan();
        for change in planned.changes.iter().filter(|c| c.action.is_removal()) {
            let id = &change.source.id;
            let customer = &change.customer.as_ref().unwrap().id;
            prop_assert!(w.policy.scheduled);
            prop_assert!(w.links.contains_key(id));
            prop_assert!(w.snapshot.subscriptions.iter().all(|s| s.id != *id));
            prop_assert!(w.snapshot.read[customer].is_complete() && w.snapshot.customers_complete.is_complete());
            prop_assert_eq!(w.snapshot.absences.get(id), Some(&Absence::Confirmed));
            prop_assert!(!w.policy.approved_once.is_empty());
        }
        // What is removed was asked for before.
        let asked: BTreeSet<_> = w.absent().into_iter().map(|(id, _)| id).collect();
        for change in planned.changes.iter().filter(|c| c.action.is_removal()) {
            prop_assert!(asked.contains(&change.source.id));
        }
    }

    /// Invariants 6, 9, 12 and 43, and every row explains itself.
    #[test]
    fn rows_are_sound(w in world()) {
        let planned = w.plan();
        let mut targets = BTreeSet::new();
        for (change, row) in planned.changes.iter().zip(1..) {
            prop_assert_eq!(change.row, row);
            prop_assert!(!change.reasons.is_empty());
            prop_assert_eq!(change.action == Action::Held, change.hold.is_some());
            match change.action {
                Action::Create => {
                    prop_assert!(change.target.is_none());
                    prop_assert!(w.snapshot.halo_customers_complete.is_complete() || change.customer.is_some());
                }
                Action::Update | Action::Link | Action::Zero | Action::Deactivate => {
                    prop_assert!(change.target.is_some());
                }
                Action::Unchanged | Action::Skipped => prop_assert!(change.fields.is_empty()),
                Action::Held => {}
            }
            if change.action == Action::Link {
                prop_assert!(targets.insert(change.target.clone().unwrap().id), "one target linked twice");
            }
            if let Some(after) = change.after_row {
                prop_assert!(after < change.row);
                let first = &planned.changes[after as usize - 1];
                prop_assert!(!change.action.acts() || first.action.acts());
            }
            for field in &change.fields {
                prop_assert!(field.after.is_some() && field.before != field.after);
                prop_assert!(field.mark != Some(Mark::Price), "no prices here");
            }
        }
        let o = &planned.outline;
        prop_assert_eq!(o.totals.all() as usize, planned.changes.len());
        prop_assert_eq!(o.by_entity.values().map(plan::Totals::all).sum::<u64>(), o.totals.all());
    }

    /// Whatever a vendor calls a customer, its names can be compared.
    #[test]
    fn any_name_has_its_forms(name in any::<String>()) {
        let exact = exact_form(&name);
        prop_assert_eq!(exact_form(&exact), exact.clone());
        prop_assert_eq!(normal_form(&name), normal_form(&exact));
    }
}
