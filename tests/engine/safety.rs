//! Daily safety over several runs: grace, freeze, safe mode.

use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::host::words::{Choices, JobState, SettingChange};
use parhelion::model::Integration;
use parhelion::plan::{Action, Change, Plan};
use parhelion::sandbox::Brand;

use super::rig::{Ground, apply, apply_with, by_hand, new_customers, plan, run, scheduled, writes};

async fn set(engine: &Arc<Engine>, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

/// The row of a subscription.
fn row(engine: &Arc<Engine>, plan: &Plan, id: i64) -> Change {
    let rows: Vec<u32> = (1..=plan.rows).collect();
    let rows = engine.book.plan_rows(plan.id, &rows).expect("rows");
    rows.into_iter().find(|row| row.source.id.as_str() == id.to_string()).expect("the row")
}

fn first_subscription(ground: &Ground) -> i64 {
    ground.sandbox.subscriptions(Brand::Also)[0]["AccountId"].as_i64().expect("an id")
}

#[tokio::test(start_paused = true)]
async fn n9_grace_counts_scheduled_runs_and_starts_anew_when_it_is_seen_again() {
    let mut ground = Ground::new(new_customers(2, 3));
    ground.settings = "[also.safety]\nremoval_grace_runs = 2".into();
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let id = first_subscription(&ground);
    let gone = ground.sandbox.subscription(Brand::Also, id).expect("it");
    ground.sandbox.remove_subscription(Brand::Also, id);
    let why = async |left: &str| {
        let plan = plan(&engine, &scheduled()).await;
        let row = row(&engine, &plan, id);
        assert!(row.action == Action::Skipped && row.reasons[0].contains(left), "{left}: {row:?}");
        assert_eq!(apply(&engine, &plan).await.totals.rows.zero, 0);
    };
    why("missing since 1 run, zero in 2 more").await;
    run(&engine, by_hand()).await;
    why("missing since 2 runs, zero in 1 more").await;
    // Back for one run: the count starts anew.
    ground.sandbox.put_subscription(Brand::Also, &gone);
    run(&engine, scheduled()).await;
    ground.sandbox.remove_subscription(Brand::Also, id);
    why("missing since 1 run, zero in 2 more").await;
    why("missing since 2 runs, zero in 1 more").await;
    let last = run(&engine, scheduled()).await;
    assert_eq!((last.totals.rows.zero, last.state), (1, JobState::Ok), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn n10_a_freeze_that_begins_after_the_plan_stops_billable_writes_and_urgent_lifts_it() {
    let mut ground = Ground::new(new_customers(2, 2));
    let engine = ground.start().await;
    set(&engine, "also.schedule.zone", "UTC").await;
    let made = plan(&engine, &by_hand()).await;
    // It is 3 February.
    set(&engine, "safety.freeze", "[\"3\"]").await;
    let report = apply(&engine, &made).await;
    assert_eq!((report.totals.rows.create, report.totals.rows.held), (2, 4), "customers only: {report:?}");
    assert!(report.problems[0].message.contains("freeze"), "{:?}", report.problems[0]);
    assert_eq!(writes(&ground.sandbox), 2, "invariant 22");

    let report = run(&engine, by_hand()).await;
    assert_eq!((report.totals.rows.held, report.state), (4, JobState::Held));
    let report = run(&engine, scheduled()).await;
    assert_eq!(report.totals.rows.held, 4);
    let made = plan(&engine, &by_hand()).await;
    let urgent = Choices { urgent: true, ..Choices::default() };
    let report = apply_with(&engine, &made, urgent).await;
    // The freeze stays said.
    assert_eq!((report.totals.rows.create, report.state), (4, JobState::Warnings), "{report:?}");

    set(&engine, "safety.freeze", "[\"4-28\"]").await;
    assert_eq!(run(&engine, by_hand()).await.state, JobState::Ok, "and outside of it all is as ever");
}

#[tokio::test(start_paused = true)]
async fn n16_another_tenant_is_a_first_run_again() {
    let mut ground = Ground::new(new_customers(1, 1));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let approved = |engine: &Arc<Engine>| engine.book.approved(Integration::Also).expect("approvals").len();
    assert_eq!(approved(&engine), 2);
    set(&engine, "halo.settle_seconds", "61").await;
    assert_eq!(approved(&engine), 2);
    set(&engine, "also.marketplace_url", "http://other.test").await;
    assert_eq!(approved(&engine), 0);
}
