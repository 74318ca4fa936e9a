//! Jobs from order to report: what stops them, how they go on, and what a person may choose.

use std::sync::atomic::Ordering;
use std::time::Duration;

use parhelion::engine::planning::Spec;
use parhelion::host::words::{Choices, JobOrder, JobState, MapFilter, MapState, SettingChange};
use parhelion::model::{Class, Decision, Entity, Integration, SourceId};
use parhelion::plan::{Action, Cause};
use parhelion::sandbox::{Brand, Faults, Host, Kind, Rule, Sandbox, When};
use serde_json::json;

use super::oracle;
use super::rig::{
    Ground, apply, apply_with, by_hand, ended, new_customers, plan, resume, run, scheduled, writes,
};

const ALSO: Integration = Integration::Also;

/// The state that an undisturbed run leaves in such a world.
async fn undisturbed(sandbox: Sandbox) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    oracle::content(&ground.sandbox)
}

async fn is_whole(ground: &Ground, should: Sandbox) {
    let should = undisturbed(should).await;
    assert_eq!(oracle::difference(&oracle::content(&ground.sandbox), &should), None);
    assert!(oracle::doubles(&ground.sandbox).is_empty());
}

/// Lets the clock run until Halo has seen so many writes.
async fn until_written(ground: &Ground, count: usize) {
    while writes(&ground.sandbox) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Every answer of Halo takes a while, so that a job can be met half way.
fn slow(sandbox: Sandbox) -> Sandbox {
    let mut quirks = (*sandbox.quirks()).clone();
    quirks.halo.latency_ms = 50;
    sandbox.set_quirks(quirks);
    sandbox
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_stopped_goes_on_to_the_same_end() {
    let mut ground = Ground::new(slow(new_customers(8, 3)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 6).await;
    engine.stop().await;
    let report = engine.job(job).expect("the job");
    assert_eq!(report.state, JobState::Interrupted);
    assert!(report.totals.not_done > 0);
    ground.kill(engine).await;
    let engine = ground.open();
    let report = resume(&engine, job).await;
    assert_eq!(report.state, JobState::Ok, "{report:?}");
    assert_eq!(report.totals.rows.create, 8 + 24, "the report counts what both parts did");
    is_whole(&ground, new_customers(8, 3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_killed_goes_on_to_the_same_end() {
    let mut ground = Ground::new(slow(new_customers(8, 3)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 12).await;
    ground.kill(engine).await;
    let engine = ground.open();
    assert_eq!(engine.job(job).expect("the job").state, JobState::Interrupted);
    assert_eq!(resume(&engine, job).await.state, JobState::Ok);
    is_whole(&ground, new_customers(8, 3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_network_interrupts_and_resume_finishes() {
    let mut ground = Ground::new(slow(new_customers(8, 3)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 6).await;
    ground.down.store(true, Ordering::SeqCst);
    let report = ended(&engine, job).await;
    assert_eq!(report.state, JobState::Interrupted);
    assert_eq!(report.trouble.expect("why").class, Class::Host);
    assert_eq!(report.totals.failed, 0, "no row is to blame for the network");
    // A resume while it is still down changes nothing and loses nothing.
    assert_eq!(resume(&engine, job).await.state, JobState::Interrupted);
    ground.down.store(false, Ordering::SeqCst);
    assert_eq!(resume(&engine, job).await.state, JobState::Ok);
    is_whole(&ground, new_customers(8, 3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_network_that_comes_back_soon_is_only_waited_for() {
    let mut ground = Ground::new(slow(new_customers(8, 3)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 6).await;
    ground.down.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(120)).await;
    ground.down.store(false, Ordering::SeqCst);
    assert_eq!(ended(&engine, job).await.state, JobState::Ok);
    is_whole(&ground, new_customers(8, 3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_ends_the_job_and_resume_finishes() {
    let mut ground = Ground::new(slow(new_customers(8, 3)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 6).await;
    ground.disk.set_full(true);
    let report = ended(&engine, job).await;
    assert_eq!(report.state, JobState::Interrupted, "{:?}", report.trouble);
    assert!(report.trouble.expect("why").message.contains("nearly full"));
    let sent = writes(&ground.sandbox);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(writes(&ground.sandbox), sent, "nothing is sent that cannot be announced");
    ground.disk.set_full(false);
    // In the same process, without a restart.
    assert_eq!(resume(&engine, job).await.state, JobState::Ok);
    is_whole(&ground, new_customers(8, 3)).await;
}

#[tokio::test(start_paused = true)]
async fn refused_rights_interrupt_and_resume_finishes() {
    let mut ground = Ground::new(slow(new_customers(4, 2)));
    let engine = ground.start().await;
    let plan = plan(&engine, &by_hand()).await;
    let mut quirks = (*ground.sandbox.quirks()).clone();
    quirks.halo.denied.insert("post softwarelicence".into(), 403);
    ground.sandbox.set_quirks(quirks.clone());
    let report = apply(&engine, &plan).await;
    assert_eq!(report.state, JobState::Interrupted);
    assert_eq!(report.trouble.expect("why").class, Class::Auth);
    quirks.halo.denied.clear();
    ground.sandbox.set_quirks(quirks);
    assert_eq!(resume(&engine, report.job).await.state, JobState::Ok);
    is_whole(&ground, new_customers(4, 2)).await;
}

#[tokio::test(start_paused = true)]
async fn n30_pause_cancel_and_going_on_act_at_the_next_record() {
    let mut ground = Ground::new(slow(new_customers(10, 3)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 4).await;
    engine.order(job, JobOrder::Pause).await.expect("it pauses");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let paused = writes(&ground.sandbox);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(writes(&ground.sandbox), paused, "it went on while paused");
    engine.order(job, JobOrder::GoOn).await.expect("it goes on");
    until_written(&ground, paused + 3).await;
    engine.order(job, JobOrder::Cancel).await.expect("it ends");
    let report = ended(&engine, job).await;
    assert_eq!(report.state, JobState::Cancelled);
    assert!(report.totals.not_done > 0);
    assert_eq!(report.totals.rows.create as usize, writes(&ground.sandbox), "what is done is told");
    let again = engine.order(job, JobOrder::Resume).await.expect_err("it is over");
    assert_eq!(again.class, Class::Input);
    // What is left is the next plan's.
    run(&engine, by_hand()).await;
    is_whole(&ground, new_customers(10, 3)).await;
}

#[tokio::test(start_paused = true)]
async fn n30_a_paused_job_stays_put_over_a_restart() {
    let mut ground = Ground::new(slow(new_customers(6, 2)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 3).await;
    engine.order(job, JobOrder::Pause).await.expect("it pauses");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let paused = writes(&ground.sandbox);
    ground.kill(engine).await;
    let engine = ground.open();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(writes(&ground.sandbox), paused);
    assert_eq!(engine.job(job).expect("the job").state, JobState::Interrupted);
    // Cancelling needs no network.
    ground.down.store(true, Ordering::SeqCst);
    engine.order(job, JobOrder::Cancel).await.expect("it ends");
    assert_eq!(engine.job(job).expect("the job").state, JobState::Cancelled);
}

/// A row whose target changed since the plan is held, the others go on (P2): few rows, so each is looked at.
#[tokio::test(start_paused = true)]
async fn an_apply_holds_few_rows_that_changed_since() {
    holds_what_changed(4, 3).await;
}

/// The same for so many rows that one listing is cheaper.
#[tokio::test(start_paused = true)]
async fn an_apply_holds_many_rows_that_changed_since() {
    holds_what_changed(26, 3).await;
}

async fn holds_what_changed(customers: usize, subscriptions: usize) {
    let mut ground = Ground::new(new_customers(customers, subscriptions));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    for subscription in ground.sandbox.subscriptions(Brand::Also) {
        ground.sandbox.set_quantity(Brand::Also, subscription["AccountId"].as_i64().expect("an id"), 12);
    }
    let newcomer = ground.sandbox.put_company(Brand::Also, &json!({"CompanyName": "Newcomer Ltd"}));
    ground.sandbox.add_seats(Brand::Also, newcomer, 3);
    let plan = plan(&engine, &by_hand()).await;
    let licence = ground.sandbox.halo_licences()[1]["id"].as_i64().expect("an id");
    ground.sandbox.put_halo_licence(&json!({"id": licence, "count": 99})).expect("changed by hand");
    // A stranger takes the name of what the plan creates.
    ground.sandbox.put_halo_client(&json!({"name": "Newcomer Ltd"})).expect("a client");
    let report = apply(&engine, &plan).await;
    assert_eq!(report.state, JobState::Partial);
    assert_eq!(report.totals.rows.held, 2, "{:?}", report.problems);
    assert_eq!(report.totals.rows.skipped, 1, "the newcomer's subscription waits, too");
    assert_eq!(report.totals.rows.update as usize, customers * subscriptions - 1);
    assert_eq!(ground.sandbox.halo_licence(licence).expect("it is there")["count"], 99);
    assert_eq!(ground.sandbox.halo_clients().iter().filter(|c| c["name"] == "Newcomer Ltd").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_leaves_out_is_left_out() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = ground.start().await;
    let plan = plan(&engine, &by_hand()).await;
    let rows = engine.book.plan_rows(plan.id, &(1..=plan.rows).collect::<Vec<_>>()).expect("rows");
    let out = rows.iter().find(|r| r.entity == Entity::Customers).expect("a customer");
    let choices = Choices { leave_out: [out.row].into(), ..Choices::default() };
    let report = apply_with(&engine, &plan, choices).await;
    assert_eq!(report.totals.rows.create, 2 + 4, "the customer's subscriptions go with it");
    assert_eq!(report.totals.rows.skipped, 1 + 2);
    assert!(ground.sandbox.halo_clients().iter().all(|c| c["name"] != *out.source.name));
}

#[tokio::test(start_paused = true)]
async fn only_one_customer_is_written_where_that_was_chosen() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = ground.start().await;
    let plan = plan(&engine, &by_hand()).await;
    let only = SourceId::new(ground.sandbox.company_ids(Brand::Also)[1].to_string());
    let choices = Choices { only_customer: Some(only), ..Choices::default() };
    let report = apply_with(&engine, &plan, choices).await;
    assert_eq!(report.totals.rows.create, 3);
    let names: Vec<_> = ground
        .sandbox
        .halo_licences()
        .iter()
        .map(|l| l["client_name"].as_str().expect("a name").to_owned())
        .collect();
    assert!(names.iter().all(|name| name == "Customer 001 Ltd") && names.len() == 2, "{names:?}");
    // A part of a plan is no approval of a complete one (N16).
    assert!(engine.book.approved(ALSO).expect("readable").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_old_plan_is_refused_and_so_is_a_second_apply() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = ground.start().await;
    let first = plan(&engine, &by_hand()).await;
    let second = plan(&engine, &by_hand()).await;
    apply(&engine, &first).await;
    let twice = engine.apply(first.id, Choices::default()).await.expect_err("once is enough");
    assert_eq!(twice.class, Class::Stale);
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    let old = engine.apply(second.id, Choices::default()).await.expect_err("it is too old");
    assert_eq!(old.class, Class::Stale);
    let unknown =
        engine.apply(parhelion::model::PlanId(77), Choices::default()).await.expect_err("there is none");
    assert_eq!(unknown.class, Class::Input);
}

#[tokio::test(start_paused = true)]
async fn a_job_does_not_go_on_with_a_plan_that_is_too_old() {
    let mut ground = Ground::new(slow(new_customers(8, 2)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 3).await;
    engine.stop().await;
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    let refused = engine.order(job, JobOrder::Resume).await.expect_err("it is too old");
    assert_eq!(refused.class, Class::Stale);
    run(&engine, by_hand()).await;
    is_whole(&ground, new_customers(8, 2)).await;
}

#[tokio::test(start_paused = true)]
async fn n22_a_plan_is_not_applied_to_another_tenant() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = ground.start().await;
    let plan = plan(&engine, &by_hand()).await;
    let elsewhere =
        SettingChange { key: "also.marketplace_url".into(), value: Some("http://westcoast.test".into()) };
    engine.set(&[elsewhere]).await.expect("set");
    let report = apply(&engine, &plan).await;
    assert_eq!(report.state, JobState::Failed);
    assert_eq!(writes(&ground.sandbox), 0);
}

fn remove(sandbox: &Sandbox, count: usize) {
    for subscription in sandbox.subscriptions(Brand::Also).into_iter().take(count) {
        sandbox.remove_subscription(Brand::Also, subscription["AccountId"].as_i64().expect("an id"));
    }
}

fn zeroed(sandbox: &Sandbox) -> usize {
    sandbox.halo_licences().iter().filter(|l| l["count"] == 0).count()
}

#[tokio::test(start_paused = true)]
async fn n42_only_scheduled_runs_remove_and_only_after_a_person_approved_one_plan() {
    let mut ground = Ground::new(new_customers(4, 4));
    let engine = ground.start().await;
    // Scheduled first: it creates, and what it would remove waits (N16).
    run(&engine, scheduled()).await;
    remove(&ground.sandbox, 2);
    let held = run(&engine, scheduled()).await;
    assert_eq!((held.state, held.totals.rows.held), (JobState::Held, 2));
    // By hand nothing is removed at all, but it is an approval.
    let manual = run(&engine, by_hand()).await;
    assert_eq!((manual.totals.rows.zero, zeroed(&ground.sandbox)), (0, 0));
    let report = run(&engine, scheduled()).await;
    assert_eq!((report.state, report.totals.rows.zero), (JobState::Ok, 2), "{:?}", report.problems);
    assert_eq!(zeroed(&ground.sandbox), 2);
    // Twice removes nothing twice.
    let before = writes(&ground.sandbox);
    run(&engine, scheduled()).await;
    assert_eq!(writes(&ground.sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn n17_beyond_the_limit_only_the_typed_number_removes() {
    let mut ground = Ground::new(new_customers(5, 6));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    remove(&ground.sandbox, 8);
    let held = run(&engine, scheduled()).await;
    assert_eq!((held.state, held.totals.rows.held, zeroed(&ground.sandbox)), (JobState::Held, 8, 0));
    let plan = plan(&engine, &scheduled()).await;
    let typed = |number| Choices { removals_typed: Some(number), ..Choices::default() };
    let wrong = engine.apply(plan.id, typed(7)).await.expect_err("not that number");
    assert_eq!(wrong.class, Class::Limit);
    let report = apply_with(&engine, &plan, typed(8)).await;
    assert_eq!((report.totals.rows.zero, zeroed(&ground.sandbox)), (8, 8), "{:?}", report.problems);
}

#[tokio::test(start_paused = true)]
async fn allow_removals_lifts_the_limit_for_one_run() {
    let mut ground = Ground::new(new_customers(5, 6));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    remove(&ground.sandbox, 8);
    let report = run(&engine, Spec { allow_removals: true, ..scheduled() }).await;
    assert_eq!((report.totals.rows.zero, zeroed(&ground.sandbox)), (8, 8), "{:?}", report.problems);
}

#[tokio::test(start_paused = true)]
async fn n15_an_absence_that_no_look_up_confirms_removes_nothing() {
    let mut ground = Ground::new(new_customers(4, 4));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    remove(&ground.sandbox, 2);
    // The look-up by id fails, whatever else is asked for.
    let fails = Rule::new(Kind::ServerError { status: 500, applied: false, retry_after: None })
        .path("GetSubscription");
    // The list of a customer is "GetSubscriptions": let those pass by their number of the day.
    let listings = ground.sandbox.company_ids(Brand::Also).len() as u64;
    let rule = fails.when(When::Nth((listings + 1..200).collect()));
    ground.sandbox.set_faults(Faults::none().with(Host::Also, rule));
    let report = run(&engine, scheduled()).await;
    assert_eq!((report.totals.rows.zero, zeroed(&ground.sandbox)), (0, 0), "{report:?}");
    ground.sandbox.set_faults(Faults::none());
    assert_eq!(run(&engine, scheduled()).await.totals.rows.zero, 2);
}

#[tokio::test(start_paused = true)]
async fn k7_a_create_that_was_carried_out_before_a_crash_is_found_again() {
    for markers in [true, false] {
        let sandbox = new_customers(1, 2);
        let mut quirks = (*sandbox.quirks()).clone();
        quirks.halo.markers_given_back = markers;
        sandbox.set_quirks(quirks);
        let mut ground = Ground::new(sandbox);
        let engine = ground.start().await;
        // The customer is created, the answer lost, and with it the process and the index's last second.
        let lost = Rule::new(Kind::Hang { seconds: 60.0, applied: true }).method("POST").path("/api/client");
        ground.sandbox.set_faults(Faults::none().with(Host::Halo, lost.times(1)));
        let job = engine.run(by_hand()).await.expect("a job");
        until_written(&ground, 1).await;
        ground.disk.cut_power();
        ground.crash(engine, |synced, _| synced, true).await;
        let engine = ground.open();
        assert_eq!(resume(&engine, job).await.state, JobState::Ok);
        is_whole(&ground, new_customers(1, 2)).await;
    }
}

/// Without markers, what the job itself made looks like a stranger's; it must not hold the next of that name.
#[tokio::test(start_paused = true)]
async fn k7_going_on_knows_what_it_made_without_markers() {
    let world = || {
        let sandbox = new_customers(2, 4);
        let mut quirks = (*sandbox.quirks()).clone();
        quirks.halo.markers_given_back = false;
        sandbox.set_quirks(quirks);
        for (at, subscription) in sandbox.subscriptions(Brand::Also).iter().enumerate() {
            let same =
                json!({"AccountId": subscription["AccountId"], "ServiceDisplayName": "Business Basic"});
            sandbox.put_subscription(Brand::Also, &same);
            sandbox.set_quantity(Brand::Also, subscription["AccountId"].as_i64().expect("an id"), at + 1);
        }
        sandbox
    };
    for after in 3..9 {
        let mut ground = Ground::new(slow(world()));
        let engine = ground.start().await;
        let job = engine.run(by_hand()).await.expect("a job");
        until_written(&ground, after).await;
        ground.kill(engine).await;
        let engine = ground.open();
        let report = resume(&engine, job).await;
        assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
        is_whole(&ground, world()).await;
    }
}

/// A row of two writes whose first is in Halo is no row that somebody changed.
#[tokio::test(start_paused = true)]
async fn a_row_of_two_writes_goes_on_after_the_first() {
    let mut ground = Ground::new(new_customers(1, 0));
    ground.settings = "rename_in_halo = true\nupdate_main_site_address = true\n".into();
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let id = ground.sandbox.company_ids(Brand::Also)[0];
    ground
        .sandbox
        .put_company(Brand::Also, &json!({"AccountId": id, "CompanyName": "Renamed Ltd", "City": "Leeds"}));
    slow(ground.sandbox.clone());
    let written = writes(&ground.sandbox);
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, written + 1).await;
    ground.kill(engine).await;
    let engine = ground.open();
    let report = resume(&engine, job).await;
    assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
    assert_eq!(ground.sandbox.halo_clients()[0]["name"], "Renamed Ltd");
    assert!(ground.sandbox.halo_sites().iter().any(|s| s.to_string().contains("Leeds")));
}

#[tokio::test(start_paused = true)]
async fn steps_of_the_mapping_are_taken_back_and_brought_again() {
    let sandbox = new_customers(30, 0);
    for company in sandbox.companies(Brand::Also) {
        sandbox.put_halo_client(&json!({"name": company["CompanyName"]})).expect("a client");
    }
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let mapped =
        |engine: &parhelion::engine::Engine| engine.book.links(ALSO, Entity::Customers).expect("links").len();
    let report = engine.generate(ALSO).await.expect("exact names");
    assert_eq!((report.added, mapped(&engine)), (30, 30));
    engine.undo(ALSO, false).await.expect("taken back");
    assert_eq!(mapped(&engine), 0);
    engine.undo(ALSO, false).await.expect_err("there is no more");
    engine.undo(ALSO, true).await.expect("again");
    assert_eq!(mapped(&engine), 30);
    let first = SourceId::new(ground.sandbox.company_ids(Brand::Also)[0].to_string());
    let exclude = Decision::Exclude { note: "ours".into(), until: None };
    engine.decide(ALSO, vec![(first.clone(), exclude)]).await.expect("excluded");
    assert_eq!(mapped(&engine), 29);
    let second = SourceId::new(ground.sandbox.company_ids(Brand::Also)[1].to_string());
    engine.undo(ALSO, false).await.expect("taken back");
    engine.undo(ALSO, true).await.expect("again");
    engine.decide(ALSO, vec![(second, Decision::New)]).await.expect("new");
    engine.undo(ALSO, false).await.expect("taken back");
    engine.undo(ALSO, false).await.expect("taken back");
    // A new step ends what could have been brought again, also after the index was lost.
    engine.decide(ALSO, vec![(first.clone(), Decision::New)]).await.expect("new");
    ground.kill(engine).await;
    ground.index = std::sync::Arc::default();
    let engine = ground.open();
    engine.undo(ALSO, true).await.expect_err("nothing to bring again");
    engine.undo(ALSO, false).await.expect("taken back");
    assert_eq!(mapped(&engine), 30);
}

#[tokio::test(start_paused = true)]
async fn taking_back_a_decision_leaves_what_has_come_of_it() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("both sides");
    let ids: Vec<_> =
        ground.sandbox.company_ids(Brand::Also).into_iter().map(|id| SourceId::new(id.to_string())).collect();
    engine.decide(ALSO, vec![(ids[0].clone(), Decision::New)]).await.expect("new");
    run(&engine, by_hand()).await;
    let said = engine.undo(ALSO, false).await.expect("taken back");
    assert!(said.contains("changed since"), "{said}");
    assert_eq!(engine.book.links(ALSO, Entity::Customers).expect("links").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_planned_again_with_a_decision_and_without_reading() {
    let sandbox = new_customers(2, 1);
    sandbox.put_halo_client(&json!({"name": "CUSTOMER 000 Limited"})).expect("a look-alike");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let before = plan(&engine, &by_hand()).await;
    let rows = engine.book.plan_rows(before.id, &[1, 2]).expect("rows");
    let held = rows.iter().find(|r| r.action == Action::Held).expect("a look-alike is held");
    assert!(matches!(
        held.hold.as_ref().expect("why").cause,
        Cause::LookAlike { .. } | Cause::Ambiguous { .. }
    ));
    engine.decide(ALSO, vec![(held.source.id.clone(), Decision::New)]).await.expect("really new");
    let asked = ground.sandbox.requests(Host::Halo).count + ground.sandbox.requests(Host::Also).count;
    let after = engine.replan(before.id).expect("planned again");
    assert_eq!(ground.sandbox.requests(Host::Halo).count + ground.sandbox.requests(Host::Also).count, asked);
    assert_eq!(after.outline.totals.create, before.outline.totals.create + 2);
    assert_eq!(apply(&engine, &after).await.state, JobState::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_file_of_mappings_is_one_step() {
    let sandbox = new_customers(3, 0);
    let client = sandbox.put_halo_client(&json!({"name": "Elsewhere Ltd"})).expect("a client");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("both sides");
    let ids = ground.sandbox.company_ids(Brand::Also);
    let csv = format!(
        "source_id,target_id,state\n{},{client},mapped\n{},,excluded\n{},,new\n",
        ids[0], ids[1], ids[2]
    );
    let dry = engine.import_mappings(ALSO, &csv, true, false).await.expect("readable");
    assert_eq!((dry.added, dry.errors.len(), dry.diff.len()), (3, 0, 3));
    let count = |state| {
        let filter = MapFilter { states: [state].into(), ..MapFilter::default() };
        engine.map_order(ALSO, &filter, false).expect("the table").ids.len()
    };
    assert_eq!(count(MapState::Unmapped), 3, "a dry run changes nothing");
    let broken = format!("{csv}777,{client},mapped\n");
    let refused = engine.import_mappings(ALSO, &broken, false, false).await.expect("readable");
    assert_eq!((refused.errors.len(), count(MapState::Unmapped)), (1, 3), "with one error nothing is taken");
    engine.import_mappings(ALSO, &csv, false, false).await.expect("taken");
    assert_eq!((count(MapState::Mapped), count(MapState::Excluded), count(MapState::New)), (1, 1, 1));
    engine.undo(ALSO, false).await.expect("one step");
    assert_eq!(count(MapState::Unmapped), 3);
}
