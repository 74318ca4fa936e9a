use crate::world::*;
use parhelion::model::{Entity, FieldName};
use parhelion::plan::{Absence, Action, Cause, Limit, Planned, Valve};

fn limit(plan: &Planned, valve: Valve) -> Limit {
    plan.outline.limits.iter().find(|l| l.valve == valve).unwrap_or_else(|| panic!("{valve:?}")).clone()
}

fn held_by(plan: &Planned, valve: Valve) -> usize {
    plan.changes
        .iter()
        .filter_map(|c| c.hold.as_ref())
        .filter(|h| matches!(&h.cause, Cause::Limit { valve: v, .. } if *v == valve))
        .count()
}

/// `stay` linked subscriptions and `go` deleted ones, planned as scheduled.
fn crowd(stay: u32, go: u32) -> World {
    let mut w = World::new();
    w.pair();
    for n in 0..stay {
        w.linked(&format!("s{n:04}"), &format!("Stays {n}"), 10);
    }
    for n in 0..go {
        w.gone(&format!("x{n:04}"), &format!("Goes {n}"), 5);
    }
    w.scheduled();
    w.policy.last.seen.insert(Entity::Subscriptions, u64::from(stay + go));
    w
}

#[test]
fn v1_removals_beyond_the_limit_wait_all_of_them_and_the_rest_goes_on() {
    let mut w = crowd(10, 5);
    assert_eq!(w.plan().outline.totals.zero, 5, "the floor of 5");
    w = crowd(10, 6);
    w.source_field("s0000", FieldName::Quantity, seats(11));
    let plan = w.plan();
    assert_eq!((plan.outline.totals.zero, held_by(&plan, Valve::V1), plan.outline.totals.update), (0, 6, 1));
    let found = limit(&plan, Valve::V1);
    assert_eq!((found.number, found.limit, found.population, found.tripped), (6, 5, 16, true));
    assert!(found.sentence.contains("--allow-removals"));
    let row = plan.row("x0000");
    assert!(!row.fields.is_empty(), "what would be stays visible");
    assert_eq!(row.hold.unwrap().would_be, Action::Zero);
    w.policy.allow_removals = true;
    assert_eq!(w.plan().outline.totals.zero, 6);
}

#[test]
fn v1_an_absence_that_is_not_proven_yet_counts() {
    let mut w = crowd(10, 6);
    let why = || Absence::Unconfirmed("the look-up failed".into());
    w.snapshot.absences.insert(s("x0000"), why());
    let plan = w.plan();
    assert_eq!((limit(&plan, Valve::V1).number, plan.outline.totals.zero), (6, 0), "6 are gone, 5 for sure");
    assert_eq!((held_by(&plan, Valve::V1), plan.row("x0000").cause()), (5, Cause::Unproven));
}

#[test]
fn v1_five_percent_of_the_linked_records() {
    let w = crowd(190, 10);
    assert_eq!(w.plan().outline.totals.zero, 10, "5 % of 200");
    let w = crowd(189, 10);
    assert_eq!(w.plan().outline.totals.zero, 0, "5 % of 199 is 9");
}

#[test]
fn n16_nothing_is_removed_before_a_person_has_applied_a_plan() {
    let mut w = crowd(10, 1);
    w.policy.approved_once.clear();
    let plan = w.plan();
    assert_eq!(plan.row("x0000").cause(), Cause::SafeMode);
    assert!(plan.outline.alerts.iter().any(|a| a.contains("N16")));
    w.policy.allow_removals = true;
    assert_eq!(w.row("x0000").cause(), Cause::SafeMode, "--allow-removals lifts V1 and nothing else");
}

#[test]
fn v11_a_first_run_or_a_changed_scope_removes_nothing_but_writes_the_rest() {
    let mut w = crowd(10, 1);
    w.policy.last.scope = None;
    w.source_field("s0000", FieldName::Quantity, seats(11));
    let plan = w.plan();
    assert_eq!((held_by(&plan, Valve::V11), plan.outline.totals.update), (1, 1));
    w.settle();
    w.settings.customer_subscriptions_to_import.statuses = vec!["Active".into()];
    assert_eq!(held_by(&w.plan(), Valve::V11), 1, "P9");
    let last = w.plan().last;
    w.policy.last = last;
    assert_eq!(w.plan().outline.totals.zero, 1, "the run after goes on");
}

#[test]
fn v2_an_emptied_source_removes_nothing_and_stays_suspicious() {
    let mut w = crowd(0, 2);
    let plan = w.plan();
    assert_eq!((plan.outline.totals.zero, held_by(&plan, Valve::V2)), (0, 2));
    assert!(limit(&plan, Valve::V2).binds_people);
    w.policy.last = plan.last;
    assert_eq!(w.plan().outline.totals.zero, 0, "nor does the run after it");
}

#[test]
fn v3_customers_losing_all_their_lines_wait() {
    let mut w = World::new();
    for n in 0..8 {
        let (customer, halo) = (format!("c{n}"), format!("{n}"));
        w.company(&customer, &format!("Customer {n}"));
        w.halo(&halo, &format!("Customer {n}"));
        w.map(&customer, &halo);
        let (sub, licence) = (format!("s{n}"), format!("L{n}"));
        w.licence(&licence, &halo, "Product", 5);
        w.link(&sub, &licence, &customer);
        if n < 4 {
            w.snapshot.absences.insert(s(&sub), parhelion::plan::Absence::Confirmed);
        } else {
            w.sub(&sub, &customer, "Product", 5);
        }
    }
    w.scheduled();
    let plan = w.plan();
    assert_eq!((plan.outline.totals.zero, held_by(&plan, Valve::V3)), (0, 4));
    w.sub("s0", "c0", "Product", 5);
    assert_eq!(w.plan().outline.totals.zero, 3, "three are allowed");
}

#[test]
fn v4_v5_v7_count_from_fifty_linked_records_and_hold_scheduled_plans_only() {
    let double = |stay: u32| {
        let mut w = crowd(stay, 0);
        for n in 0..stay / 2 {
            w.source_field(&format!("s{n:04}"), FieldName::Quantity, seats(20));
        }
        w
    };
    assert_eq!(double(48).plan().outline.totals.update, 24);
    let mut w = double(60);
    let plan = w.plan();
    assert_eq!((plan.outline.totals.update, held_by(&plan, Valve::V4)), (0, 30));
    assert!(limit(&plan, Valve::V4).tripped);
    w.policy.scheduled = false;
    let plan = w.plan();
    assert_eq!(plan.outline.totals.update, 30, "a person is only warned");
    assert!(limit(&plan, Valve::V4).tripped && limit(&plan, Valve::V7).tripped);
}

#[test]
fn v5_counts_that_go_to_zero_across_many_records_wait() {
    let mut w = crowd(100, 0);
    for n in 0..6 {
        w.source_field(&format!("s{n:04}"), FieldName::Quantity, seats(0));
    }
    w.source_field("s0050", FieldName::Quantity, seats(11));
    let plan = w.plan();
    assert_eq!((held_by(&plan, Valve::V5), plan.outline.totals.update), (6, 1));
}

#[test]
fn d30_a_reported_zero_is_an_update_outside_v1() {
    let mut w = crowd(10, 0);
    for n in 0..8 {
        w.source_field(&format!("s{n:04}"), FieldName::Quantity, seats(0));
    }
    assert_eq!(w.plan().outline.totals.update, 8);
}

#[test]
fn v6_many_creates_after_the_first_run_wait_in_scheduled_plans() {
    let mut w = World::new();
    w.pair();
    for n in 0..51 {
        w.sub(&format!("s{n:04}"), "a", &format!("New {n}"), 1);
    }
    w.scheduled();
    assert_eq!(w.plan().outline.totals.create, 51, "the first run creates");
    w.policy.last.seen.insert(Entity::Subscriptions, 3);
    let plan = w.plan();
    assert_eq!((plan.outline.totals.create, held_by(&plan, Valve::V6)), (0, 51));
}

#[test]
fn v8_money_beyond_the_amount_waits_in_scheduled_plans() {
    let mut w = crowd(10, 0);
    w.halo_field("L s0000".replace(' ', "").as_str(), FieldName::Price, amount("100"));
    w.source_field("s0000", FieldName::Quantity, seats(12));
    w.source_field("s0001", FieldName::Quantity, seats(12));
    w.policy.safety.max_money_change = Some("199.99".parse().unwrap());
    let plan = w.plan();
    assert_eq!((held_by(&plan, Valve::V8), plan.outline.totals.update), (1, 1));
    w.policy.safety.max_money_change = Some("200".parse().unwrap());
    assert_eq!(w.plan().outline.totals.update, 2);
}

#[test]
fn v9_a_missing_canary_and_v10_another_account_stop_everything_for_everybody() {
    let mut w = crowd(10, 1);
    w.policy.scheduled = false;
    w.source_field("s0000", FieldName::Quantity, seats(11));
    w.policy.safety.canaries = vec!["a".into()];
    assert_eq!(w.plan().outline.totals.update, 1);
    w.policy.safety.canaries.push("nowhere".into());
    let plan = w.plan();
    assert_eq!((plan.outline.totals.acting(), held_by(&plan, Valve::V9)), (0, 1));
    assert!(matches!(plan.row("s0000").cause(), Cause::Limit { overridable: false, .. }));
    w.policy.safety.canaries.clear();
    w.policy.last.fingerprints.insert("halo".into(), "acme".into());
    w.policy.last.fingerprints_now.insert("halo".into(), "other".into());
    let plan = w.plan();
    assert_eq!((plan.outline.totals.acting(), held_by(&plan, Valve::V10)), (0, 1));
}

#[test]
fn every_finding_says_its_numbers() {
    let mut w = crowd(60, 10);
    w.policy.safety.max_money_change = Some("1".parse().unwrap());
    for found in w.plan().outline.limits {
        let named = found.sentence.starts_with(&format!("{:?}: ", found.valve));
        assert!(named && found.sentence.contains(&found.number.to_string()), "{}", found.sentence);
    }
}

#[test]
fn d29_a_customer_that_a_limit_holds_takes_its_subscriptions_along() {
    let mut w = World::new();
    for n in 0..51 {
        w.company(&format!("c{n:02}"), &format!("Customer {n}"));
    }
    w.sub("s", "c07", "Product", 5);
    w.scheduled();
    assert_eq!(w.row("s").action, Action::Create);
    w.policy.last.seen.insert(Entity::Customers, 1);
    let plan = w.plan();
    assert_eq!(held_by(&plan, Valve::V6), 51);
    assert_eq!(plan.row("s").action, Action::Skipped);
    assert!(plan.row("s").reasons[0].contains("waits in row"));
}

#[test]
fn a_scheduled_plan_shows_how_far_it_is_from_its_limits() {
    let found = limit(&crowd(100, 0).plan(), Valve::V1);
    assert_eq!((found.number, found.limit, found.tripped), (0, 5, false));
}

#[test]
fn n8_a_row_that_jumps_waits_alone_and_a_plan_by_hand_only_says_so() {
    let mut w = crowd(4, 0);
    w.linked("big", "Big", 400);
    w.source_field("s0000", FieldName::Quantity, seats(101));
    w.source_field("s0001", FieldName::Quantity, seats(100));
    w.source_field("s0002", FieldName::Quantity, seats(0));
    w.source_field("big", FieldName::Quantity, seats(39));
    let plan = w.plan();
    let row = plan.row("s0000");
    assert_eq!((row.cause(), row.hold.as_ref().unwrap().would_be), (Cause::Suspicious, Action::Update));
    assert!(row.why().contains("quantity 10 -> 101, more than 10 times"), "{}", row.why());
    assert_eq!(plan.row("big").cause(), Cause::Suspicious, "down as well as up");
    assert_eq!(plan.row("s0001").action, Action::Update, "ten times is not more than ten times");
    assert_eq!(plan.row("s0002").action, Action::Update, "a reported 0 is no jump (decision 30)");

    w.policy.scheduled = false;
    let row = w.row("s0000");
    assert_eq!(row.action, Action::Update);
    assert!(row.reasons[0].contains("suspicious"), "{}", row.why());
    w.policy.scheduled = true;
    w.policy.safety.trusted_products = vec!["stays 0".into()];
    assert_eq!(w.row("s0000").action, Action::Update, "always allowed for this product");
    w.policy.safety.suspicious_factor = 0;
    assert_eq!(w.row("big").action, Action::Update);
    w.policy.safety.suspicious_seats = 360;
    assert_eq!(w.row("big").cause(), Cause::Suspicious);
}

#[test]
fn n8_a_jump_that_a_person_let_through_goes_and_another_one_waits_again() {
    let mut w = crowd(2, 0);
    w.source_field("s0000", FieldName::Quantity, seats(101));
    w.source_field("s0001", FieldName::Quantity, seats(101));
    let waited = w.row("s0000").reasons[0].to_string();
    w.policy.released.insert((Entity::Subscriptions, s("s0000")), waited);
    let row = w.row("s0000");
    assert_eq!(row.action, Action::Update);
    assert!(row.reasons[0].contains("a person lets it through"), "{}", row.why());
    assert_eq!(w.row("s0001").cause(), Cause::Suspicious, "one row, not its product");
    w.source_field("s0000", FieldName::Quantity, seats(1010));
    assert_eq!(w.row("s0000").cause(), Cause::Suspicious, "another jump than the one that was looked at");
}

#[test]
fn n8_few_seats_are_no_jump() {
    let mut w = crowd(1, 0);
    w.linked("one", "One", 1);
    w.source_field("one", FieldName::Quantity, seats(11));
    assert_eq!(w.row("one").action, Action::Update, "1 -> 11 is eleven times, but only ten seats");
    w.source_field("one", FieldName::Quantity, seats(12));
    assert_eq!(w.row("one").cause(), Cause::Suspicious);
}

#[test]
fn n8_prices_that_jump_or_vanish_and_ends_that_are_over() {
    let mut w = crowd(1, 0);
    for (id, before, after, suspicious) in [
        ("a1", "10", "15", false),
        ("a2", "10", "15.01", true),
        ("a3", "10", "4.99", true),
        ("a4", "10", "0", true),
    ] {
        w.linked(id, id, 5);
        w.halo_field(&format!("L{id}"), FieldName::Price, amount(before));
        w.source_field(id, FieldName::Price, amount(after));
        w.links.get_mut(&s(id)).unwrap().base.as_mut().unwrap().set(FieldName::Price, amount(before));
        let row = w.row(id);
        assert_eq!(
            row.hold.as_ref().is_some_and(|h| h.cause == Cause::Suspicious),
            suspicious,
            "{id}: {}",
            row.why()
        );
    }
    let date = |text: &str| parhelion::model::Value::Date(text.parse().unwrap());
    for (id, end, suspicious) in [("b1", "2026-06-14", true), ("b2", "2026-06-15", false)] {
        w.linked(id, id, 5);
        w.halo_field(&format!("L{id}"), FieldName::EndDate, date("2027-01-01"));
        w.source_field(id, FieldName::EndDate, date(end));
        w.links.get_mut(&s(id)).unwrap().base.as_mut().unwrap().set(FieldName::EndDate, date("2027-01-01"));
        let row = w.row(id);
        assert_eq!(
            row.hold.as_ref().is_some_and(|h| h.cause == Cause::Suspicious),
            suspicious,
            "{id}: {}",
            row.why()
        );
    }
}

#[test]
fn n10_nothing_billable_is_planned_in_a_freeze_by_nobody() {
    let mut w = crowd(3, 1);
    w.source_field("s0000", FieldName::Quantity, seats(11));
    w.source_field("s0001", FieldName::EndDate, parhelion::model::Value::Date("2027-01-01".parse().unwrap()));
    w.sub("new", "a", "New", 3);
    w.company("b", "Birch");
    w.policy.frozen = parhelion::model::Freeze::parse("1-3");
    for scheduled in [true, false] {
        w.policy.scheduled = scheduled;
        let plan = w.plan();
        for id in ["s0000", "new"] {
            let cause = plan.row(id).cause();
            assert_eq!(cause, Cause::Limit { valve: Valve::V12, overridable: true }, "{id}, {scheduled}");
        }
        assert!(!plan.row("x0000").action.acts());
        assert_eq!(plan.row("s0001").action, Action::Update, "an end date bills nobody");
        assert_eq!(plan.row("b").action, Action::Create, "nor does a customer");
        assert!(!limit(&plan, Valve::V12).binds_people);
        assert!(plan.outline.alerts.iter().any(|a| a.contains("days 1 to 3 of the month")));
    }
    w.policy.frozen = None;
    assert_eq!(w.row("s0000").action, Action::Update);
}
