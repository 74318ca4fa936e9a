use crate::world::*;
use parhelion::model::{Currency, Entity, FieldName, Fields, Installation, Value, Verdict};
use parhelion::plan::snapshot::Completeness;
use parhelion::plan::{Absence, Action, Cause, Mark};
use rust_decimal::Decimal;

#[test]
fn b2_a_subscription_becomes_a_licence_of_its_own() {
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.sub("2", "a", "Product", 3);
    let plan = w.plan();
    for id in ["1", "2"] {
        let row = plan.row(id);
        assert_eq!((row.action, row.customer_target.clone()), (Action::Create, Some(t("1"))));
        assert_eq!(row.fields.len(), 3);
    }
}

#[test]
fn b2_a_renamed_product_renames_its_licence() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "Old", 5);
    w.source_field("1", FieldName::Name, Value::text("New"));
    let row = w.row("1");
    assert_eq!((row.action, row.after(FieldName::Name)), (Action::Update, Some(Value::text("New"))));
}

#[test]
fn b2_a_held_subscription_writes_nothing_and_stops_nobody() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.snapshot.subscriptions[0].verdict = Verdict::Hold("the quantity 'x' is not a number".into());
    w.sub("2", "a", "Two", 1).verdict = Verdict::Hold("unknown state".into());
    w.sub("3", "a", "Three", 1);
    let plan = w.plan();
    assert_eq!((plan.row("1").cause(), plan.row("2").cause()), (Cause::Data, Cause::Data));
    assert_eq!(plan.row("3").action, Action::Create);
    assert_eq!(plan.outline.totals.acting(), 1);
}

#[test]
fn b12_nothing_changed_is_nothing_written() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    let row = w.row("1");
    assert_eq!(row.action, Action::Unchanged);
    assert!(row.fields.is_empty() && row.owned.is_empty(), "a steady row is lean");
}

#[test]
fn d31_both_sides_changed_to_the_same_is_confirmed_not_written() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.source_field("1", FieldName::Quantity, seats(7)).halo_field("L1", FieldName::Quantity, seats(7));
    let row = w.row("1");
    assert_eq!(row.action, Action::Unchanged);
    assert_eq!(row.owned.get(FieldName::Quantity), Some(&seats(7)));
}

#[test]
fn d31_an_edit_in_halo_is_restored_and_marked() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.halo_field("L1", FieldName::Quantity, seats(9));
    let row = w.row("1");
    assert_eq!(row.action, Action::Update);
    assert_eq!(
        (row.after(FieldName::Quantity), row.fields[0].mark),
        (Some(seats(5)), Some(Mark::EditedInHalo))
    );
}

#[test]
fn d31_a_billable_field_changed_on_both_sides_is_held_and_keeps_its_fields() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.source_field("1", FieldName::Quantity, seats(7)).halo_field("L1", FieldName::Quantity, seats(9));
    let row = w.row("1");
    assert_eq!(row.cause(), Cause::Conflict { fields: vec![FieldName::Quantity] });
    assert_eq!(row.hold.as_ref().unwrap().would_be, Action::Update);
    assert_eq!(row.after(FieldName::Quantity), Some(seats(7)));
    // A field that is not billed follows the source.
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.source_field("1", FieldName::Name, Value::text("Two")).halo_field(
        "L1",
        FieldName::Name,
        Value::text("Three"),
    );
    assert_eq!(w.row("1").action, Action::Update);
}

#[test]
fn d31_a_record_just_linked_has_no_base() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.links.get_mut(&s("1")).unwrap().base = None;
    w.halo_field("L1", FieldName::Quantity, seats(9));
    let row = w.row("1");
    assert_eq!((row.action, row.fields[0].mark), (Action::Update, None));
}

#[test]
fn d29_subscriptions_of_a_new_customer_follow_its_row() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.sub("1", "a", "Product", 5);
    let plan = w.plan();
    let row = plan.row("1");
    assert_eq!((row.action, row.after_row, row.customer_target), (Action::Create, Some(1), None));
    w.policy.entities = vec![Entity::Subscriptions];
    assert_eq!(w.row("1").action, Action::Skipped, "B1: never a customer from a subscription import");
}

#[test]
fn d29_subscriptions_of_a_held_customer_are_skipped() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.halo("1", "ALDER");
    w.sub("1", "a", "Product", 5);
    assert_eq!(w.row("1").action, Action::Skipped);
}

#[test]
fn d29_a_limit_that_holds_the_customer_takes_its_subscriptions_along() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.sub("1", "a", "Product", 5);
    w.policy.safety.canaries = vec!["missing".into()];
    w.policy.last.seen.insert(Entity::Customers, 1);
    assert_eq!(w.plan().outline.totals.acting(), 0);
}

#[test]
fn p10_one_licence_of_the_same_name_is_adopted() {
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.licence("L", "1", " Product", 3);
    w.licence("M", "2", "Product", 3);
    let row = w.row("1");
    assert_eq!((row.action, row.target.clone().unwrap().id), (Action::Link, t("L")));
    assert_eq!(row.after(FieldName::Quantity), Some(seats(5)));
}

#[test]
fn p13_several_of_a_name_on_either_side_are_held() {
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.sub("2", "a", "Product", 5);
    w.licence("L", "1", "Product", 3);
    assert!(matches!(w.row("1").cause(), Cause::Ambiguous { .. }));
    assert!(matches!(w.row("2").cause(), Cause::Ambiguous { .. }));
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.licence("L", "1", "Product", 3);
    w.licence("M", "1", "Product", 3);
    assert!(matches!(w.row("1").cause(), Cause::Ambiguous { .. }));
}

#[test]
fn p13_two_customers_of_one_halo_customer_share_its_licences() {
    let mut w = World::new();
    w.pair();
    w.company("b", "Branch");
    w.map("b", "1");
    w.sub("1", "a", "Product", 5);
    w.sub("2", "b", "Product", 5);
    w.licence("L", "1", "Product", 3);
    assert_eq!((w.row("1").action, w.row("2").action), (Action::Held, Action::Held));
}

#[test]
fn p10_linked_marked_and_other_integrations_licences_are_not_adopted() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "Product", 5);
    w.sub("2", "a", "Product", 5);
    assert_eq!(w.row("2").action, Action::Create);
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    let other = w.marker(Entity::Subscriptions, "other", &w.policy.installation);
    w.licence("L", "1", "Product", 5).marker = Some(other);
    assert_eq!(w.row("1").action, Action::Create);
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.licence("L", "1", "Product", 5).marker = Some("a person's note".into());
    assert_eq!(w.row("1").action, Action::Link);
    w.mappings.elsewhere.entry(Entity::Subscriptions).or_default().insert(t("L"));
    assert_eq!(w.row("1").action, Action::Create);
}

#[test]
fn p27_our_marker_links_and_a_foreign_one_holds() {
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    let ours = w.marker(Entity::Subscriptions, "1", &w.policy.installation);
    w.licence("L", "1", "Renamed", 5).marker = Some(ours);
    let row = w.row("1");
    assert_eq!((row.action, row.target.unwrap().id), (Action::Link, t("L")));
    let theirs = w.marker(Entity::Subscriptions, "1", &Installation::from_random([9; 8]));
    w.snapshot.licences[0].marker = Some(theirs);
    assert_eq!(w.row("1").cause(), Cause::Foreign);
}

#[test]
fn an_inactive_licence_of_the_name_is_not_woken_by_a_guess() {
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.licence("L", "1", "Product", 5).is_active = false;
    w.halo_field("L", FieldName::Status, Value::Active(false));
    assert_eq!(w.row("1").action, Action::Held);
}

#[test]
fn a_linked_licence_that_vanished_or_moved_is_held() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.linked("2", "Two", 5);
    w.snapshot.licences.retain(|l| l.id != t("L1"));
    w.snapshot.licences[0].parent = Some(t("2"));
    let plan = w.plan();
    assert_eq!(plan.row("1").cause(), Cause::Missing);
    assert!(matches!(plan.row("2").cause(), Cause::Ambiguous { .. }));
    assert_eq!(plan.outline.totals.create, 0);
    w.snapshot.licences_complete = Completeness(Err("page 3".into()));
    assert_eq!(w.row("1").cause(), Cause::Unproven);
}

#[test]
fn p15_an_incomplete_list_of_licences_creates_nothing() {
    let mut w = World::new();
    w.pair();
    w.sub("1", "a", "Product", 5);
    w.snapshot.licences_complete = Completeness(Err("page 3".into()));
    assert_eq!(w.row("1").cause(), Cause::Unproven);
}

#[test]
fn b5_prices_edited_by_hand_are_marked_and_other_currencies_held() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.source_field("1", FieldName::Price, amount("10")).halo_field("L1", FieldName::Price, amount("12"));
    w.snapshot.subscriptions[0].currency = gbp();
    w.links.get_mut(&s("1")).unwrap().base.as_mut().unwrap().set(FieldName::Price, amount("10"));
    let row = w.row("1");
    assert_eq!((row.action, row.fields[0].mark), (Action::Update, Some(Mark::Price)));
    assert!(row.why().contains("does not say what it bills in"));
    assert_eq!(row.money, Some(Decimal::from(-10)));
    w.snapshot.halo_currency = gbp();
    assert_eq!(w.row("1").action, Action::Update);
    w.snapshot.halo_customers[0].currency = Currency::new("EUR");
    let row = w.row("1");
    assert_eq!(row.cause(), Cause::Data);
    assert!(row.why().contains("EUR") && row.why().contains("GBP"));
}

#[test]
fn n1_money_is_quantity_times_price_and_unknown_is_not_zero() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5).linked("2", "Two", 5).linked("3", "Three", 1);
    w.source_field("1", FieldName::Quantity, seats(7)).halo_field("L1", FieldName::Price, amount("1.50"));
    w.source_field("2", FieldName::Quantity, seats(7));
    w.halo_field("L3", FieldName::Price, amount("2"));
    let plan = w.plan();
    assert_eq!(plan.row("1").money, Some("3".parse().unwrap()));
    assert_eq!(plan.row("2").money, None);
    assert_eq!(plan.outline.rows_without_price, 1);
    assert_eq!(plan.outline.money.len(), 1);
    assert_eq!(
        (plan.outline.money[0].before, plan.outline.money[0].after),
        ("9.5".parse().unwrap(), "12.5".parse().unwrap())
    );
}

#[test]
fn b8_already_zero_is_no_change_and_b9_does_not_reach_back() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 0);
    assert_eq!(w.row("1").action, Action::Unchanged);
    assert!(w.absent().is_empty());
    w.removed("1", true, false);
    w.settings.deactivate_deleted = true;
    assert_eq!(w.row("1").action, Action::Unchanged);
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5).halo_field("L1", FieldName::Status, Value::Active(false));
    w.settings.deactivate_deleted = true;
    assert_eq!(w.row("1").action, Action::Unchanged);
}

#[test]
fn b9_zeroes_too_only_if_wanted() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5);
    w.settings.deactivate_deleted = true;
    w.settings.zero_deactivated = true;
    let row = w.row("1");
    assert_eq!(row.action, Action::Deactivate);
    assert_eq!(
        (row.after(FieldName::Quantity), row.after(FieldName::Status)),
        (Some(seats(0)), Some(Value::Active(false)))
    );
}

#[test]
fn d34_without_a_confirmed_look_up_nothing_is_removed() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5);
    assert_eq!(w.absent(), [(s("1"), s("a"))]);
    w.snapshot.absences.insert(s("1"), Absence::Unconfirmed("it exists".into()));
    let row = w.row("1");
    assert_eq!((row.cause(), row.hold.as_ref().unwrap().would_be), (Cause::Unproven, Action::Zero));
    assert!(!row.fields.is_empty(), "what would be stays visible");
    w.snapshot.absences.clear();
    assert_eq!(w.row("1").cause(), Cause::Unproven);
}

#[test]
fn n9_grace_counts_down() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5);
    w.policy.safety.removal_grace_runs = 2;
    let why = w.row("1").why();
    assert!(why.contains("missing since 1 run, zero in 2 more"), "{why}");
    w.mappings.missing_runs.insert((Entity::Subscriptions, s("1")), 1);
    let row = w.row("1");
    assert_eq!(row.action, Action::Skipped);
    assert!(row.why().contains("missing since 2 runs, zero in 1 more"), "{}", row.why());
    assert_eq!(w.absent().len(), 1, "looked up in each run of its grace: only what is proven counts");
    w.mappings.missing_runs.insert((Entity::Subscriptions, s("1")), 2);
    assert_eq!(w.row("1").action, Action::Zero);
}

#[test]
fn p8_a_failed_list_of_customers_suspends_every_removal() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5);
    w.snapshot.customers_complete = Completeness(Err("broken".into()));
    assert_eq!(w.row("1").action, Action::Skipped);
    assert!(w.absent().is_empty());
}

#[test]
fn p8_another_customers_failure_suspends_nothing_here() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5);
    w.company("b", "Birch");
    w.snapshot.read.insert(s("b"), Completeness(Err("time-out".into())));
    assert_eq!(w.row("1").action, Action::Zero);
}

#[test]
fn p9_a_product_that_may_be_outside_the_scope_is_left() {
    let mut w = World::new();
    w.pair();
    w.scheduled().gone("1", "One", 5).gone("2", "Two", 5);
    w.settings.customer_subscriptions_to_import.products = vec!["two".into()];
    w.settle();
    assert_eq!((w.row("1").action, w.row("2").action), (Action::Skipped, Action::Zero));
}

#[test]
fn a_missing_field_never_writes() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5);
    w.halo_field("L1", FieldName::EndDate, Value::Date("2026-01-31".parse().unwrap()));
    w.snapshot.subscriptions[0].fields = Fields::new().with(FieldName::Name, Value::text("One"));
    assert_eq!(w.row("1").action, Action::Unchanged);
}

#[test]
fn links_out_of_order_stop_every_write() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "One", 5).linked("2", "Two", 5);
    w.source_field("2", FieldName::Quantity, seats(6));
    let reversed: Vec<_> = w.links.clone().into_iter().rev().collect();
    let plan = parhelion::plan::build(&w.snapshot.snapshot(), &w.mappings, |_| reversed.clone(), &w.policy());
    assert_eq!(plan.outline.totals.acting(), 0);
}

#[test]
fn p27_our_licence_in_another_subscriptions_hands_is_neither_taken_nor_made_twice() {
    let mut w = World::new();
    w.pair();
    w.linked("1", "Product", 5);
    w.sub("2", "a", "Product", 5);
    let ours = w.marker(Entity::Subscriptions, "2", &w.policy.installation);
    w.snapshot.licences[0].marker = Some(ours);
    assert!(matches!(w.row("2").cause(), Cause::Ambiguous { .. }));
}
