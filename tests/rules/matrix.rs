//! The subscription outcome matrix of the mission table, section 10: every row in its three columns.

use crate::world::*;
use parhelion::model::{FieldName, Value, Verdict};
use parhelion::plan::Action;
use parhelion::plan::snapshot::Completeness;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Off,
    On,
    Manual,
}

fn columns(make: impl Fn(&mut World), check: impl Fn(Column, &World)) {
    for column in [Column::Off, Column::On, Column::Manual] {
        let mut w = World::new();
        w.pair();
        // Enough other records for no limit to matter here.
        w.linked("z", "Other", 9);
        w.policy.scheduled = column != Column::Manual;
        w.settings.deactivate_deleted = column == Column::On;
        make(&mut w);
        check(column, &w);
    }
}

#[test]
fn active_quantity_n() {
    columns(
        |w| {
            w.linked("1", "Product", 5);
            w.source_field("1", FieldName::Quantity, seats(7));
        },
        |_, w| {
            let row = w.row("1");
            assert_eq!(row.action, Action::Update);
            assert_eq!(row.fields.len(), 1);
            assert_eq!(row.after(FieldName::Quantity), Some(seats(7)));
        },
    );
}

#[test]
fn inactive() {
    columns(
        |w| {
            w.linked("1", "Product", 5);
            w.source_field("1", FieldName::Status, Value::Active(false));
        },
        |_, w| {
            let row = w.row("1");
            assert_eq!(row.action, Action::Update, "B7: a reported state is an update, by hand too");
            assert_eq!(row.fields.len(), 1, "the count stays as reported");
            assert_eq!(row.after(FieldName::Status), Some(Value::Active(false)));
        },
    );
}

#[test]
fn deleted_from_a_complete_list() {
    columns(
        |w| {
            w.gone("1", "Product", 5);
        },
        |column, w| {
            let row = w.row("1");
            match column {
                Column::Off => {
                    assert_eq!((row.action, row.fields.len()), (Action::Zero, 1));
                    assert_eq!(row.after(FieldName::Quantity), Some(seats(0)));
                }
                Column::On => {
                    assert_eq!((row.action, row.fields.len()), (Action::Deactivate, 1));
                    assert_eq!(row.after(FieldName::Status), Some(Value::Active(false)));
                }
                Column::Manual => {
                    assert_eq!((row.action, row.fields.len()), (Action::Skipped, 0));
                    assert!(row.why().contains("a scheduled run would"));
                }
            }
        },
    );
}

#[test]
fn absent_from_an_incomplete_list() {
    columns(
        |w| {
            w.gone("1", "Product", 5);
            w.snapshot.read.insert(s("a"), Completeness(Err("time-out".into())));
        },
        |_, w| {
            let plan = w.plan();
            assert_eq!(plan.row("1").action, Action::Skipped);
            assert!(plan.outline.alerts.iter().any(|a| a.contains("time-out")), "{:?}", plan.outline.alerts);
            assert!(w.absent().is_empty());
        },
    );
}

#[test]
fn out_of_scope() {
    columns(
        |w| {
            w.linked("1", "Product", 5);
            w.sub("2", "a", "New", 1).verdict = Verdict::OutOfScope("not chosen".into());
            w.source_field("1", FieldName::Quantity, seats(7));
            w.snapshot.subscriptions[0].verdict = Verdict::OutOfScope("not chosen".into());
            // Gone, and of a customer outside the scope.
            w.gone("3", "Product", 5);
            w.settings.customer_subscriptions_to_import.customers = vec!["other".into()];
            w.settle();
        },
        |_, w| {
            for id in ["1", "2", "3"] {
                assert_eq!(w.row(id).action, Action::Skipped, "{id}");
            }
            assert!(w.absent().is_empty());
        },
    );
}

#[test]
fn customer_unmapped() {
    columns(
        |w| {
            w.policy.entities = vec![parhelion::model::Entity::Subscriptions];
            w.company("b", "Birch");
            w.sub("1", "b", "Product", 5);
        },
        |_, w| {
            let row = w.row("1");
            assert_eq!(row.action, Action::Skipped);
            assert!(row.why().contains("customer not mapped"));
        },
    );
}

#[test]
fn customer_mapping_removed_after_import() {
    columns(
        |w| {
            w.policy.entities = vec![parhelion::model::Entity::Subscriptions];
            w.linked("1", "Product", 5);
            w.source_field("1", FieldName::Quantity, seats(7));
            w.gone("2", "Product 2", 5);
            w.mappings.customers.clear();
        },
        |_, w| {
            assert_eq!(w.row("1").action, Action::Skipped);
            assert_eq!(w.row("2").action, Action::Skipped);
            assert!(w.absent().is_empty());
        },
    );
}

#[test]
fn back_after_deletion() {
    columns(
        |w| {
            w.linked("1", "Product", 5);
            w.removed("1", true, false).halo_field("L1", FieldName::Quantity, seats(0));
            w.linked("2", "Product 2", 5);
            w.removed("2", false, true).halo_field("L2", FieldName::Status, Value::Active(false));
            // Made inactive by hand while it was gone.
            w.linked("3", "Product 3", 5);
            w.removed("3", true, false).halo_field("L3", FieldName::Quantity, seats(0)).halo_field(
                "L3",
                FieldName::Status,
                Value::Active(false),
            );
            // Back with another count than before: what we zeroed is no edit of somebody's.
            w.linked("4", "Product 4", 5);
            w.removed("4", true, false).halo_field("L4", FieldName::Quantity, seats(0));
            w.source_field("4", FieldName::Quantity, seats(8));
        },
        |_, w| {
            let plan = w.plan();
            assert_eq!(plan.row("1").after(FieldName::Quantity), Some(seats(5)));
            assert_eq!(plan.row("1").fields.len(), 1);
            assert_eq!(plan.row("2").after(FieldName::Status), Some(Value::Active(true)));
            assert_eq!(plan.row("3").action, Action::Held, "only what we made inactive is made active again");
            assert_eq!(
                (plan.row("4").action, plan.row("4").after(FieldName::Quantity)),
                (Action::Update, Some(seats(8)))
            );
            assert_eq!(plan.row("4").fields[0].mark, None);
        },
    );
}
