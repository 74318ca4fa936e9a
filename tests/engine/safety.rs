//! Daily safety over several runs: grace, freeze, safe mode.

use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::records::{OpenIssue, Record};
use parhelion::host::words::{Answer, Asked, Choices, IssuesView, JobState, Query, SettingChange, Which};
use parhelion::model::{Entity, Integration, JobId, SourceId};
use parhelion::plan::{Action, Change, Plan};
use parhelion::sandbox::Brand;
use serde_json::json;

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

fn waiting(engine: &Arc<Engine>) -> IssuesView {
    match engine.answer(Query::Issues { integration: None }) {
        Ok(Answer::Issues(view)) => view,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn n8_a_single_row_is_released_and_the_rest_of_the_quarantine_stays() {
    let mut ground = Ground::new(new_customers(2, 2));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let ids: Vec<i64> = ground
        .sandbox
        .subscriptions(Brand::Also)
        .iter()
        .take(2)
        .map(|subscription| subscription["AccountId"].as_i64().expect("an id"))
        .collect();
    for id in &ids {
        ground.sandbox.set_quantity(Brand::Also, *id, 700);
    }
    assert_eq!(run(&engine, scheduled()).await.totals.rows.held, 2);
    let view = waiting(&engine);
    assert_eq!((view.total, view.groups[0].kind.as_str()), (2, "suspicious"), "{view:?}");
    let of = |id: i64| Which::Of { sources: vec![id.into()], entity: None };
    let said = engine.put_aside(Integration::Also, &of(ids[0]), Asked::Release).await.expect("released");
    assert!(said.contains("let through in the next scheduled run"), "{said}");
    let view = waiting(&engine);
    assert_eq!((view.total, view.aside), (1, 1), "{view:?}");
    assert_eq!(view.groups[1].kind, "released");

    // It survives the loss of the index, and an undecided one does not slip through with it.
    ground.kill(engine).await;
    ground.index = Arc::new(parhelion::store::MemoryIndex::new());
    let engine = ground.open();
    let report = run(&engine, scheduled()).await;
    assert_eq!((report.totals.rows.update, report.totals.rows.held), (1, 1), "{report:?}");
    let count = |id: i64| {
        let link = engine
            .book
            .link(Integration::Also, Entity::Subscriptions, &id.into())
            .expect("read")
            .expect("linked");
        let licence = link.target.number().expect("a number");
        ground.sandbox.halo_licence(licence).expect("it")["count"].clone()
    };
    assert_eq!((count(ids[0]), count(ids[1]) != 700), (700.into(), true));
    assert_eq!(waiting(&engine).total, 1, "and its issue is closed");

    // Another jump of the same record than the one that was let through waits again.
    engine.put_aside(Integration::Also, &of(ids[1]), Asked::Release).await.expect("released");
    ground.sandbox.set_quantity(Brand::Also, ids[1], 900);
    assert_eq!(run(&engine, scheduled()).await.totals.rows.held, 1);
    assert_eq!((waiting(&engine).total, waiting(&engine).aside), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn n8_only_a_jump_is_released_and_an_unknown_id_changes_nothing() {
    let mut ground = Ground::new(new_customers(2, 0));
    ground.sandbox.put_halo_client(&json!({"name": "Customer 000 Limited"})).expect("a client");
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let view = waiting(&engine);
    let held = view.groups[0].issues[0].source.id.clone();
    let refused = engine
        .put_aside(
            Integration::Also,
            &Which::Of { sources: vec![held.clone()], entity: None },
            Asked::Release,
        )
        .await
        .expect_err("no jump");
    assert!(refused.message.contains("look-alike"), "{refused}");
    let unknown = Which::Of { sources: vec![held, SourceId::new("none")], entity: None };
    let refused = engine.put_aside(Integration::Also, &unknown, Asked::Dismiss).await.expect_err("unknown");
    assert!(refused.message.contains("about none"), "{refused}");
    assert_eq!(waiting(&engine), view, "all or nothing");
}

/// More issues of one cause than an answer tells are put aside all the same, by cause and by id.
#[tokio::test(start_paused = true)]
async fn issues_beyond_the_first_thousand_are_put_aside_too() {
    let mut ground = Ground::new(new_customers(1, 0));
    let engine = ground.start().await;
    let issue = |n: u64| OpenIssue {
        entity: Entity::Subscriptions,
        source: SourceId::new(format!("s{n:05}")),
        name: format!("Product {n}"),
        customer: SourceId::new("a"),
        customer_name: "Alder Ltd".into(),
        row: u32::try_from(n).expect("small"),
        failed: true,
        kind: "failed".into(),
        message: format!("Halo refused '{n}'"),
    };
    let record = Record::Issues {
        integration: Integration::Also,
        job: JobId(1),
        at: ground.now(),
        open: (1..=1203).map(issue).collect(),
        closed: Vec::new(),
    };
    engine.book.record(&[record]).await.expect("written");
    let view = waiting(&engine);
    assert_eq!((view.total, view.groups.len(), view.groups[0].issues.len()), (1203, 1, 1000));
    let last = Which::Of { sources: vec![SourceId::new("s01203")], entity: None };
    engine.put_aside(Integration::Also, &last, Asked::Dismiss).await.expect("the last one");
    assert_eq!((waiting(&engine).total, waiting(&engine).aside), (1202, 1));
    let open = &waiting(&engine).groups[0];
    let all = Which::Cause { kind: open.kind.clone(), cause: open.cause.clone(), aside: false };
    let said = engine.put_aside(Integration::Also, &all, Asked::Dismiss).await.expect("all of them");
    assert!(said.starts_with("1202 issues"), "{said}");
    assert_eq!((waiting(&engine).total, waiting(&engine).aside), (0, 1203));
    engine
        .put_aside(Integration::Also, &all, Asked::Dismiss)
        .await
        .expect_err("nothing of that cause is open");
}

#[tokio::test(start_paused = true)]
async fn n16_a_restored_trail_is_a_first_run_again() {
    let mut ground = Ground::new(new_customers(1, 1));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let last = engine.book.last(Integration::Also).expect("known");
    assert_eq!(engine.book.approved(Integration::Also).expect("approvals").len(), 2);
    engine.close().await.expect("closed");
    drop(engine);
    parhelion::engine::restored::safe_mode(&ground.places().audit()).expect("amended");
    ground.index = Arc::new(parhelion::store::MemoryIndex::new());
    let engine = ground.open();
    assert!(engine.book.approved(Integration::Also).expect("approvals").is_empty());
    assert_eq!(engine.book.last(Integration::Also).expect("known"), last, "and nothing else is forgotten");
    let id = first_subscription(&ground);
    ground.sandbox.remove_subscription(Brand::Also, id);
    let report = run(&engine, scheduled()).await;
    assert_eq!((report.totals.rows.zero, report.state), (0, JobState::Held), "{report:?}");
}
