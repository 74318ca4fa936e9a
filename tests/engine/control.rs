//! Control over jobs: taking one back, trying again what failed, narrow runs, what waits for a person, and orders that
//! outlive the process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::{
    Answer, Asked, Choices, IssuesView, JobOrder, JobReport, JobRow, JobState, Query, RowEnd, Which,
};
use parhelion::model::{Class, Decision, Entity, How, Integration, JobId, SourceId};
use parhelion::plan::{Action, Cause, Plan, Purpose};
use parhelion::sandbox::{Brand, Faults, Host, Kind, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::dice::Dice;
use super::lives;
use super::oracle;
use super::rig::{
    Ground, apply, apply_with, by_hand, ended, new_customers, plan, resume, run, scheduled, writes,
};

const ALSO: Integration = Integration::Also;

/// The fields of Halo's records that an import manages, by record.
type Managed = BTreeMap<String, BTreeMap<&'static str, Value>>;

fn managed(sandbox: &Sandbox) -> Managed {
    let mut all = Managed::new();
    let mut add = |kind: &str, records: Vec<Value>, fields: &[&'static str]| {
        for record in records {
            let told = fields.iter().map(|name| (*name, record[*name].clone())).collect();
            all.insert(format!("{kind} {}", record["id"]), told);
        }
    };
    add("client", sandbox.halo_clients(), &["name", "inactive", "toplevel_id"]);
    let address = ["delivery_address_line1", "delivery_address_line3", "delivery_address_line5"];
    add("site", sandbox.halo_sites(), &address);
    let licence = ["name", "client_id", "count", "is_active", "price", "purchase_price", "end_date"];
    add("licence", sandbox.halo_licences(), &licence);
    all
}

/// What differs from the state before, in words; records that are new must be inactive.
fn not_as_before(before: &Managed, now: &Managed) -> Vec<String> {
    let mut wrong = Vec::new();
    for (record, fields) in now {
        match before.get(record) {
            None if record.starts_with("site") => {}
            None => {
                let off = fields.get("inactive") == Some(&json!(true))
                    || fields.get("is_active") == Some(&json!(false));
                if !off {
                    wrong.push(format!("{record} is new and active: {fields:?}"));
                }
            }
            Some(was) if was == fields => {}
            Some(was) => {
                let differ = fields.iter().filter(|(name, value)| was.get(*name) != Some(value));
                let differ: Vec<_> =
                    differ.map(|(name, value)| format!("{name} {} -> {value}", was[name])).collect();
                wrong.push(format!("{record}: {}", differ.join(", ")));
            }
        }
    }
    wrong.extend(before.keys().filter(|record| !now.contains_key(*record)).map(|r| format!("{r} is gone")));
    wrong
}

fn of(engine: &Engine, purpose: Purpose) -> Spec {
    Spec { allow_removals: true, ..engine.spec_of(purpose).expect("there is something to do") }
}

async fn undo(engine: &Arc<Engine>, of_job: JobId) -> JobReport {
    run(engine, of(engine, Purpose::Undo { of: of_job })).await
}

fn narrow(customers: &[i64], records: &[i64], scheduled: bool) -> Spec {
    let set = |ids: &[i64]| ids.iter().map(|id| SourceId::from(*id)).collect();
    let purpose = Purpose::Narrow { customers: set(customers), records: set(records) };
    Spec { purpose, scheduled, ..by_hand() }
}

fn issues(engine: &Engine) -> IssuesView {
    match engine.answer(Query::Issues { integration: None }) {
        Ok(Answer::Issues(view)) => view,
        other => panic!("{other:?}"),
    }
}

/// Everything an import does: fields that follow, a count, an end, an absence, something new.
fn busy_day(sandbox: &Sandbox) {
    let subscriptions = sandbox.subscriptions(Brand::Also);
    let id = |at: usize| subscriptions[at]["AccountId"].as_i64().expect("an id");
    sandbox.set_quantity(Brand::Also, id(0), 12);
    sandbox.put_subscription(Brand::Also, &json!({"AccountId": id(1), "AccountState": "Terminated"}));
    sandbox.remove_subscription(Brand::Also, id(2));
    sandbox.put_subscription(
        Brand::Also,
        &json!({"AccountId": id(3), "ScheduledTerminationDate": "2027-03-31T00:00:00"}),
    );
    let company = sandbox.company_ids(Brand::Also)[0];
    sandbox.put_company(
        Brand::Also,
        &json!({"AccountId": company, "CompanyName": "Renamed Ltd", "Address": "1 New Road", "City": "Leeds", "Zip": "LS1 1AA"}),
    );
    sandbox.add_seats(Brand::Also, company, 7);
    let newcomer = sandbox.put_company(Brand::Also, &json!({"CompanyName": "Newcomer Ltd"}));
    sandbox.add_seats(Brand::Also, newcomer, 3);
}

/// An import of everything, then a busy day, imported as scheduled: that job, and the state before it.
async fn imported(ground: &mut Ground) -> (Arc<Engine>, JobReport, Managed) {
    ground.settings =
        "deactivate_deleted = true\nupdate_main_site_address = true\nrename_in_halo = true\nset_price_and_cost = true\n".into();
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let before = managed(&ground.sandbox);
    busy_day(&ground.sandbox);
    let report = run(&engine, scheduled()).await;
    assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
    assert_ne!(managed(&ground.sandbox), before);
    (engine, report, before)
}

#[tokio::test(start_paused = true)]
async fn n23_an_undo_brings_back_every_field_and_the_next_run_does_it_all_again() {
    let mut ground = Ground::new(new_customers(3, 3));
    let (engine, report, before) = imported(&mut ground).await;
    let done = oracle::content(&ground.sandbox);
    let mapped = engine.book.links(ALSO, Entity::Customers).expect("links").len();

    let undone = undo(&engine, report.job).await;
    assert_eq!(undone.state, JobState::Ok, "{:?}", undone.problems);
    assert_eq!(undone.purpose, Purpose::Undo { of: report.job });
    assert_eq!(not_as_before(&before, &managed(&ground.sandbox)), Vec::<String>::new());
    assert_eq!(
        engine.book.links(ALSO, Entity::Customers).expect("links").len(),
        mapped - 1,
        "unlinked again"
    );
    // Nothing is left to take back a second time.
    let again = engine
        .build_plan(
            &of(&engine, Purpose::Undo { of: report.job }),
            parhelion::engine::planning::Keep::ForLater,
            &|_, _, _| {},
        )
        .await
        .expect("a plan")
        .plan;
    assert_eq!(again.outline.totals.acting(), 0, "{:?}", again.outline.totals);

    // An undo is a job like any other: it can be taken back.
    let redone = undo(&engine, undone.job).await;
    assert_eq!(redone.state, JobState::Ok, "{:?}", redone.problems);
    assert_eq!(oracle::difference(&oracle::content(&ground.sandbox), &done), None);
    assert_eq!(engine.book.links(ALSO, Entity::Customers).expect("links").len(), mapped);
    assert_eq!(plan(&engine, &scheduled()).await.outline.totals.acting(), 0, "as if nothing had been");

    // And what an undo says of the next run is so: but for what it made inactive, which waits for a person.
    undo(&engine, redone.job).await;
    let next = plan(&engine, &scheduled()).await;
    assert!(next.outline.totals.update >= 3, "{:?}", next.outline.totals);
    let rows = engine.book.plan_rows(next.id, &(1..=next.rows).collect::<Vec<_>>()).expect("rows");
    assert!(rows.iter().all(|row| row.action != Action::Create), "never a second record");
}

#[tokio::test(start_paused = true)]
async fn an_undo_leaves_what_was_changed_since_and_says_so() {
    let mut ground = Ground::new(new_customers(3, 3));
    let (engine, report, before) = imported(&mut ground).await;
    let licence = ground.sandbox.halo_licences().iter().find(|l| l["count"] == 12).expect("it")["id"].clone();
    ground.sandbox.put_halo_licence(&json!({"id": licence, "count": 99})).expect("by hand");
    let undone = undo(&engine, report.job).await;
    assert_eq!(undone.state, JobState::Partial);
    assert_eq!(undone.totals.rows.held, 1);
    assert!(undone.problems[0].message.contains("changed since"), "{:?}", undone.problems);
    let left = not_as_before(&before, &managed(&ground.sandbox));
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(ground.sandbox.halo_licence(licence.as_i64().expect("an id")).expect("it")["count"], 99);
    // What an undo leaves alone is no issue of the import.
    assert_eq!(issues(&engine).total, 0);
}

#[tokio::test(start_paused = true)]
async fn an_undo_passes_the_limit_of_removals() {
    let mut ground = Ground::new(new_customers(4, 2));
    let engine = ground.start().await;
    let report = run(&engine, by_hand()).await;
    let spec = engine.spec_of(Purpose::Undo { of: report.job }).expect("a spec");
    let built = engine
        .build_plan(&spec, parhelion::engine::planning::Keep::ForLater, &|_, _, _| {})
        .await
        .expect("a plan");
    let plan: Plan = built.plan;
    assert_eq!(plan.outline.by_entity[&Entity::Subscriptions].held, 8, "8 of 8 is more than 5");
    let held = apply(&engine, &plan).await;
    assert_eq!(held.state, JobState::Held);
    assert_eq!(ground.sandbox.halo_licences().iter().filter(|l| l["is_active"] == false).count(), 0);
    let built = engine
        .build_plan(&spec, parhelion::engine::planning::Keep::ForLater, &|_, _, _| {})
        .await
        .expect("a plan");
    let typed = Choices { removals_typed: Some(8), ..Choices::default() };
    let done = apply_with(&engine, &built.plan, typed).await;
    assert_eq!(done.state, JobState::Ok, "{:?}", done.problems);
    assert_eq!(ground.sandbox.halo_licences().iter().filter(|l| l["is_active"] == false).count(), 8);
}

#[tokio::test(start_paused = true)]
async fn customers_with_later_records_and_jobs_that_wrote_nothing_are_not_taken_back() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = ground.start().await;
    let first = run(&engine, by_hand()).await;
    let nothing = run(&engine, by_hand()).await;
    let refused = engine.spec_of(Purpose::Undo { of: nothing.job }).expect_err("it wrote nothing");
    assert_eq!(refused.class, Class::Input);
    let company = ground.sandbox.company_ids(Brand::Also)[0];
    ground.sandbox.add_seats(Brand::Also, company, 4);
    run(&engine, by_hand()).await;
    let undone = undo(&engine, first.job).await;
    assert_eq!(undone.totals.rows.held, 1, "its customer has a later licence: {:?}", undone.problems);
    let actives = ground.sandbox.halo_clients().iter().filter(|c| c["inactive"] == false).count();
    assert_eq!(actives, 1);
}

#[tokio::test(start_paused = true)]
async fn a_decision_comes_back_with_its_customer() {
    let mut ground = Ground::new(new_customers(1, 0));
    ground.sandbox.put_halo_client(&json!({"name": "Customer 000 Limited"})).expect("a client");
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    let id = SourceId::from(ground.sandbox.company_ids(Brand::Also)[0]);
    engine.decide(ALSO, vec![(id.clone(), Decision::New)]).await.expect("decided");
    let report = run(&engine, by_hand()).await;
    assert_eq!(engine.book.decision(ALSO, &id).expect("readable"), None);
    undo(&engine, report.job).await;
    assert_eq!(engine.book.decision(ALSO, &id).expect("readable"), Some(Decision::New));
    assert_eq!(engine.book.link(ALSO, Entity::Customers, &id).expect("readable"), None);
}

/// Undo under faults and ends of the process at any step: whatever happened, the state is the one before the job.
#[test]
fn n23_undone_under_faults_and_crashes_is_undone() {
    let count: u64 = std::env::var("PARHELION_UNDOS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let seeds = match std::env::var("PARHELION_LIFE_SEED").ok().and_then(|n| n.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    };
    let (mut wrong, mut ends, mut acted) = (Vec::new(), 0, 0);
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let (left, ended, rows) = runtime.block_on(undone_life(seed));
        ends += ended;
        acted += rows;
        if !left.is_empty() {
            println!("life {seed}: {left:#?}");
            wrong.push(seed);
        }
    }
    println!("{count} undos of {acted} rows, {ends} ends of the process");
    assert!(wrong.is_empty(), "seeds {wrong:?}");
    assert!(acted > 0 && ends > 0);
}

async fn undone_life(seed: u64) -> (Vec<String>, u64, u64) {
    let mut dice = Dice::new(seed, "undo");
    let mut ground = Ground::new(lives::world(seed));
    let engine = lives::begin(&mut ground, seed).await;
    run(&engine, by_hand()).await;
    let before = managed(&ground.sandbox);
    lives::day(seed, 1, &ground.sandbox);
    let done = run(&engine, Spec { allow_removals: true, ..scheduled() }).await;
    if engine.spec_of(Purpose::Undo { of: done.job }).is_err() {
        return (Vec::new(), 0, 0);
    }
    ground.sandbox.set_faults(lives::faults(&mut dice));
    let (mut ends, mut job) = (0, None);
    let mut engine = Some(engine);
    for turn in 0..12 {
        let now = match engine.take() {
            Some(engine) => engine,
            None => ground.open(),
        };
        if turn < 6 {
            ground.process.end_after(dice.within(1, 40), dice.chance(0.3), &ground.disk, dice.chance(0.5));
        }
        let work = async {
            let known = job.or_else(|| {
                let jobs = now.jobs(5).expect("jobs");
                jobs.iter().find(|j| j.purpose == Purpose::Undo { of: done.job }).map(|j| j.job)
            });
            match known {
                Some(job) if now.job(job).expect("it").state == JobState::Interrupted => {
                    resume(&now, job).await
                }
                // A reading that faults ended is begun again.
                Some(job) if now.job(job).expect("it").state != JobState::Failed => now.job(job).expect("it"),
                _ => {
                    let spec = of(&now, Purpose::Undo { of: done.job });
                    let started = now.run(spec).await.expect("a job");
                    ended(&now, started).await
                }
            }
        };
        tokio::select! {
            report = work => {
                job = Some(report.job);
                engine = Some(now);
            }
            () = ground.process.death() => {
                ends += 1;
                let (keep, lose) = (dice.next(), dice.chance(0.5));
                ground.crash(now, |synced, written| synced + keep % (written - synced + 1), lose).await;
            }
        }
    }
    ground.sandbox.set_faults(Faults::none());
    if let Some(engine) = engine.take() {
        ground.crash(engine, |_, written| written, false).await;
    }
    let now = ground.open();
    for job in now.jobs(20).expect("jobs").into_iter().filter(|j| j.state == JobState::Interrupted) {
        resume(&now, job.job).await;
    }
    // One more, where nothing goes wrong: rows that faults failed.
    let last = run(&now, of(&now, Purpose::Undo { of: done.job })).await;
    let mut left = not_as_before(&before, &managed(&ground.sandbox));
    left.extend(
        last.problems.iter().filter(|_| !left.is_empty()).map(|p| format!("{p:?}")).collect::<Vec<_>>(),
    );
    let left_over = oracle::doubles(&ground.sandbox);
    left.extend(left_over);
    (left, ends, done.totals.rows.acting())
}

/// Halo refuses the creation of these products.
fn refuse_licences(sandbox: &Sandbox, first: u64) {
    let kind = Kind::ServerError { status: 400, applied: false, retry_after: None };
    let rule = Rule::new(kind).method("POST").path("softwarelicence").when(When::Nth(vec![first]));
    sandbox.set_faults(Faults::default().with(Host::Halo, rule));
}

#[tokio::test(start_paused = true)]
async fn a_retry_plans_the_failed_rows_again_and_only_those() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = ground.start().await;
    refuse_licences(&ground.sandbox, 2);
    let report = run(&engine, by_hand()).await;
    assert_eq!((report.state, report.totals.failed), (JobState::Partial, 1), "{:?}", report.problems);
    assert_eq!(issues(&engine).total, 1);
    ground.sandbox.set_faults(Faults::none());
    // Something else that an ordinary run would do.
    let other = ground.sandbox.subscriptions(Brand::Also)[5]["AccountId"].as_i64().expect("an id");
    ground.sandbox.set_quantity(Brand::Also, other, 33);
    let retry = run(&engine, engine.spec_of(Purpose::Retry { of: report.job }).expect("a row")).await;
    assert_eq!((retry.state, retry.totals.rows.all()), (JobState::Ok, 1), "{retry:?}");
    assert_eq!(retry.purpose, Purpose::Retry { of: report.job });
    assert_eq!(retry.totals.rows.create, 1);
    assert_eq!(ground.sandbox.halo_licences().len(), 6);
    assert!(ground.sandbox.halo_licences().iter().all(|l| l["count"] == 10), "nothing else is touched");
    assert_eq!(issues(&engine).total, 0, "the issue closes when its row passes");
    let nothing = engine.spec_of(Purpose::Retry { of: retry.job }).expect_err("nothing failed");
    assert_eq!(nothing.class, Class::Input);
    assert!(nothing.message.contains("nothing to try again"), "{nothing}");
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_run_tries_failed_rows_again_by_itself() {
    let mut ground = Ground::new(new_customers(2, 2));
    let engine = ground.start().await;
    refuse_licences(&ground.sandbox, 1);
    assert_eq!(run(&engine, by_hand()).await.totals.failed, 1);
    ground.sandbox.set_faults(Faults::none());
    let next = run(&engine, by_hand()).await;
    assert_eq!((next.state, next.totals.rows.create), (JobState::Ok, 1));
    assert_eq!(issues(&engine).total, 0);
}

#[tokio::test(start_paused = true)]
async fn a_narrow_run_reads_and_writes_one_customer_only() {
    let mut ground = Ground::new(new_customers(20, 3));
    ground.settings = "deactivate_deleted = true\n".into();
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    for subscription in ground.sandbox.subscriptions(Brand::Also) {
        ground.sandbox.set_quantity(Brand::Also, subscription["AccountId"].as_i64().expect("an id"), 12);
    }
    let companies = ground.sandbox.company_ids(Brand::Also);
    // One gone inside, one outside.
    for company in [companies[1], companies[2]] {
        let gone =
            ground.sandbox.subscriptions(Brand::Also).into_iter().find(|s| s["CompanyAccountId"] == company);
        let gone = gone.expect("it has some")["AccountId"].as_i64().expect("an id");
        ground.sandbox.remove_subscription(Brand::Also, gone);
    }
    let last = engine.book.last(ALSO).expect("readable");
    let asked = ground.sandbox.requests(Host::Also).count;
    let report = run(&engine, narrow(&[companies[1]], &[], true)).await;
    assert!(
        ground.sandbox.requests(Host::Also).count - asked < 15,
        "only its own subscriptions are asked for"
    );
    assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
    assert_eq!((report.totals.rows.update, report.totals.rows.deactivate), (2, 1), "{:?}", report.totals);
    assert_eq!(report.totals.rows.all(), 1 + 3, "its rows and no other");
    let changed = ground.sandbox.halo_licences();
    assert_eq!(changed.iter().filter(|l| l["count"] == 12).count(), 2);
    assert_eq!(changed.iter().filter(|l| l["is_active"] == false).count(), 1);
    assert_eq!(engine.book.last(ALSO).expect("readable"), last, "a part says nothing about the whole (V2)");
    // A record by itself.
    let one = ground.sandbox.subscriptions(Brand::Also);
    let one = one.iter().find(|s| s["CompanyAccountId"] == companies[3]).expect("some")["AccountId"].clone();
    let report = run(&engine, narrow(&[], &[one.as_i64().expect("an id")], false)).await;
    assert_eq!((report.totals.rows.all(), report.totals.rows.update), (1, 1));
    // By name.
    let refused = engine.run(narrow(&[4711], &[], false)).await.expect("a job");
    let refused = ended(&engine, refused).await;
    assert_eq!(refused.state, JobState::Failed);
    assert!(refused.trouble.expect("why").message.contains("no customer 4711"));
}

#[tokio::test(start_paused = true)]
async fn a_narrow_run_brings_a_new_customer_in_with_its_subscriptions() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = ground.start().await;
    let company = ground.sandbox.company_ids(Brand::Also)[2];
    let report = run(&engine, narrow(&[company], &[], false)).await;
    assert_eq!((report.state, report.totals.rows.create), (JobState::Ok, 3), "{:?}", report.problems);
    assert_eq!(ground.sandbox.halo_clients().len(), 1);
    assert!(engine.book.approved(ALSO).expect("readable").is_empty(), "a part is no complete plan (N16)");
}

#[tokio::test(start_paused = true)]
async fn issues_are_grouped_put_aside_and_closed() {
    let mut ground = Ground::new(new_customers(3, 0));
    for n in 0..2 {
        ground
            .sandbox
            .put_halo_client(&json!({"name": format!("Customer {n:03} Limited")}))
            .expect("a client");
    }
    let engine = ground.start().await;
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.totals.rows.held, 2);
    let view = issues(&engine);
    assert_eq!((view.total, view.groups.len()), (2, 1), "{view:?}");
    assert_eq!((view.groups[0].count, view.groups[0].kind.as_str()), (2, "look-alike"));
    assert!(view.groups[0].cause.contains('…'), "one cause for both: {}", view.groups[0].cause);
    let first = view.groups[0].issues[0].clone();
    assert_eq!((first.job, first.failed), (report.job, false));

    // The same again is the same issue.
    run(&engine, by_hand()).await;
    assert_eq!(issues(&engine).groups[0].issues[0].job, report.job, "since when it waits is kept");

    let one = Which::Of { sources: vec![first.source.id.clone()], entity: Some(first.entity) };
    let put = |asked| Box::pin(engine.put_aside(ALSO, &one, asked));
    put(Asked::Dismiss).await.expect("put aside");
    assert_eq!((issues(&engine).total, issues(&engine).aside), (1, 1));
    put(Asked::TakeUp).await.expect("taken up");
    let tomorrow = ground.now().checked_add(jiff::SignedDuration::from_hours(24)).expect("a moment");
    put(Asked::Snooze { until: tomorrow }).await.expect("put aside");
    assert_eq!(issues(&engine).total, 1);

    // It survives the loss of the index, and the moment ends it.
    ground.kill(engine).await;
    ground.index = Arc::new(parhelion::store::MemoryIndex::new());
    let engine = ground.open();
    assert_eq!(issues(&engine).total, 1);
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    assert_eq!(issues(&engine).total, 2);

    // A decision settles one, the marketplace the other.
    engine.read_customers(ALSO).await.expect("read");
    let target = ground.sandbox.halo_clients()[0]["id"].as_i64().expect("an id").into();
    let map = Decision::Map { target, target_name: "".into(), how: How::Manual };
    engine.decide(ALSO, vec![(first.source.id.clone(), map)]).await.expect("decided");
    let other = view.groups[0].issues[1].source.id.as_str().parse().expect("a number");
    ground.sandbox.remove_company(Brand::Also, other);
    run(&engine, by_hand()).await;
    assert_eq!(issues(&engine).total, 0, "{:?}", issues(&engine));
}

/// Every answer of Halo takes a while, so that a job can be met half way.
fn slow(sandbox: Sandbox) -> Sandbox {
    let mut quirks = (*sandbox.quirks()).clone();
    quirks.halo.latency_ms = 50;
    sandbox.set_quirks(quirks);
    sandbox
}

async fn until_written(ground: &Ground, count: usize) {
    while writes(&ground.sandbox) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn n30_pause_and_cancel_survive_the_process() {
    let mut ground = Ground::new(slow(new_customers(6, 2)));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    until_written(&ground, 3).await;
    engine.order(job, JobOrder::Pause).await.expect("it pauses");
    ground.kill(engine).await;
    let engine = ground.open();
    let report = engine.job(job).expect("the job");
    assert_eq!((report.state, report.is_paused), (JobState::Interrupted, true));
    engine.order(job, JobOrder::Resume).await.expect("it goes on");
    assert!(!engine.job(job).expect("the job").is_paused);
    until_written(&ground, 6).await;
    // Paused and resumed in one process.
    engine.order(job, JobOrder::Pause).await.expect("it pauses");
    engine.order(job, JobOrder::Resume).await.expect("it goes on");
    until_written(&ground, 8).await;
    // Killed before the cancel could act: it is cancelled all the same.
    engine.order(job, JobOrder::Cancel).await.expect("it ends");
    ground.kill(engine).await;
    let engine = ground.open();
    let report = engine.job(job).expect("the job");
    assert_eq!(report.state, JobState::Cancelled);
    assert!(report.totals.not_done > 0 && report.finished.is_some());
    // What was done stays, and can be taken back.
    let undone = undo(&engine, job).await;
    assert_eq!(undone.state, JobState::Ok, "{:?}", undone.problems);
    assert!(ground.sandbox.halo_clients().iter().all(|c| c["inactive"] == true));
}

#[tokio::test(start_paused = true)]
async fn the_rows_of_a_job_are_told_with_what_became_of_them() {
    let mut ground = Ground::new(new_customers(2, 1));
    ground.sandbox.put_halo_client(&json!({"name": "Customer 000 Limited"})).expect("a client");
    let engine = ground.start().await;
    let report = run(&engine, by_hand()).await;
    let mut rows = Vec::new();
    while let Ok(Answer::JobRows(some)) =
        engine.answer(Query::JobRows { job: report.job, from: rows.len() as u32 + 1, limit: 1 })
    {
        if some.is_empty() {
            break;
        }
        rows.extend(some);
    }
    let Ok(Answer::JobRows(all)) = engine.answer(Query::JobRows { job: report.job, from: 1, limit: 100 })
    else {
        panic!("no rows");
    };
    assert!(rows.len() >= 2);
    let held: Vec<_> = all.iter().filter(|row| row.end == RowEnd::Held).collect();
    assert_eq!(held.len(), 1);
    assert!(matches!(held[0].change.hold.as_ref().expect("held").cause, Cause::LookAlike { .. }));
    assert!(!held[0].message.is_empty());
    assert_eq!(all.iter().filter(|row| row.end == RowEnd::Done).count(), 2);
}

/// Plans are kept for a while only; what a job wrote is told from the trail after that.
#[tokio::test(start_paused = true)]
async fn the_rows_of_a_job_are_told_after_its_plan_is_gone() {
    let mut ground = Ground::new(new_customers(2, 2));
    ground.sandbox.put_halo_client(&json!({"name": "Customer 000 Limited"})).expect("a client");
    let (engine, report, _) = imported(&mut ground).await;
    let rows = |job: JobId, from: u32, limit: usize| match engine.answer(Query::JobRows { job, from, limit })
    {
        Ok(Answer::JobRows(rows)) => rows,
        other => panic!("{other:?}"),
    };
    let first = JobId(1);
    for job in [first, report.job] {
        let before = rows(job, 1, 1000);
        assert!(before.iter().any(|row| row.end == RowEnd::Done));
        let plan = engine.job(job).expect("it").plan.expect("a plan");
        engine.book.drop_plan(plan).expect("pruned");
        let after = rows(job, 1, 1000);
        let key = |row: &JobRow| (row.change.row, row.change.entity, row.change.source.id.clone(), row.end);
        assert_eq!(after.iter().map(key).collect::<Vec<_>>(), before.iter().map(key).collect::<Vec<_>>());
        for (was, is) in before.iter().zip(&after) {
            assert_eq!(is.message, was.message);
            if was.end == RowEnd::Done {
                let written = |row: &JobRow| -> Vec<_> {
                    let mut fields: Vec<_> =
                        row.change.fields.iter().map(|field| (field.name, field.after.clone())).collect();
                    fields.retain(|(_, after)| after.is_some());
                    fields.sort_by_key(|(name, _)| *name);
                    fields
                };
                assert_eq!(written(is), written(was), "row {}", was.change.row);
                let target = |row: &JobRow| row.change.target.as_ref().map(|target| target.id.clone());
                assert!(target(is).is_some() && (target(was).is_none() || target(was) == target(is)));
                assert_eq!(is.change.action == Action::Create, was.change.action == Action::Create);
            }
        }
        // A window at a time it is the same.
        let (mut windows, mut from) = (Vec::new(), 1);
        while let Some(last) = rows(job, from, 1).pop() {
            from = last.change.row + 1;
            windows.push(last);
        }
        assert_eq!(windows, after);
    }
}

/// Money of what is taken back is told in the currency of its customer.
#[tokio::test(start_paused = true)]
async fn an_undo_tells_its_money_with_the_currency() {
    let mut ground = Ground::new(new_customers(2, 2));
    let (engine, report, _) = imported(&mut ground).await;
    let undo = plan(&engine, &of(&engine, Purpose::Undo { of: report.job })).await;
    assert!(!undo.outline.money.is_empty());
    assert!(undo.outline.money.iter().all(|line| line.currency.is_some()), "{:?}", undo.outline.money);
    let valves: Vec<_> = undo.outline.limits.iter().map(|limit| limit.valve).collect();
    assert!(valves.contains(&parhelion::plan::Valve::V1), "{valves:?}");
}
