//! Imports from end to end, without faults.

use parhelion::host::words::{Answer, JobState, PlanFilter, PlanOrder, Query};
use parhelion::model::Integration;
use parhelion::sandbox::{Options, Sandbox};

use super::rig::{Ground, plan, run, spec};

#[tokio::test(start_paused = true)]
async fn a_second_run_without_changes_writes_nothing() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = ground.start().await;
    let first = run(&engine, spec(Integration::Also, &[], false)).await;
    assert!(first.totals.rows.create > 0);
    assert_eq!(first.totals.failed, 0);
    let writes = ground.sandbox.journal().len();
    let second = run(&engine, spec(Integration::Also, &[], false)).await;
    assert!(matches!(second.state, JobState::Partial | JobState::Ok | JobState::Warnings));
    assert_eq!(ground.sandbox.journal().len(), writes, "the second run wrote something");
}

/// The plan screen's groups hold every row of the plan's own order, each customer once, the most urgent first.
#[tokio::test(start_paused = true)]
async fn a_plan_is_grouped_by_customer_without_losing_a_row() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = ground.start().await;
    let plan = plan(&engine, &spec(Integration::Also, &[], false)).await.id;
    let filter = PlanFilter { with_unchanged: true, ..PlanFilter::default() };
    let order = PlanOrder::Urgency;
    let Ok(Answer::PlanOrder(mut rows)) = engine.answer(Query::PlanOrder { plan, filter: filter.clone(), order }) else {
        panic!("no order")
    };
    let Ok(Answer::PlanGroups(groups)) = engine.answer(Query::PlanGroups { plan, filter }) else { panic!("no groups") };
    assert_eq!(groups[0].rows[0].row, rows[0], "what is most urgent");
    let mut customers: Vec<_> = groups.iter().map(|group| group.customer.id.clone()).collect();
    customers.sort();
    let count = customers.len();
    customers.dedup();
    assert_eq!(customers.len(), count);
    let mut grouped: Vec<_> = groups.iter().flat_map(|group| &group.rows).map(|entry| entry.row).collect();
    grouped.sort_unstable();
    rows.sort_unstable();
    assert_eq!(grouped, rows);
    assert!(groups.iter().flat_map(|group| &group.rows).any(|entry| entry.is_look_alike));
}
