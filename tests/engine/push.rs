//! Halo's new customers on their way to Liongard (L17, L19), from end to end.

use std::collections::BTreeMap;
use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::{JobOrder, JobReport, JobState, Reply, SettingChange};
use parhelion::model::{Entity, Integration, JobId, Place, SourceId};
use parhelion::sandbox::{Faults, Host, Kind, Quirks, Redirects, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::dice::Dice;
use super::rig::{Ground, ended, plan, run, spec};

const ME: Integration = Integration::Liongard;
const MANUAL: &str = "[liongard.sync_customers]\nenabled = true\n";
const AUTOMATIC: &str = "[liongard.sync_customers]\nenabled = true\nmode = \"automatic\"\n";

fn push() -> Spec {
    spec(ME, &[Entity::Push], false)
}

fn import() -> Spec {
    spec(ME, &[], false)
}

fn flagged(name: &str) -> Value {
    json!({"name": name, "customfields": [{"id": 202, "value": "true"}]})
}

fn customer(sandbox: &Sandbox, row: &Value) -> i64 {
    sandbox.put_halo_client(row).expect("a customer")
}

fn names(rows: &[Value], field: &str) -> Vec<String> {
    let mut names: Vec<String> =
        rows.iter().map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect();
    names.sort();
    names
}

fn environments(sandbox: &Sandbox) -> Vec<String> {
    names(&sandbox.environments(), "Name")
}

fn sent(sandbox: &Sandbox) -> Vec<String> {
    let writes = sandbox.journal().into_iter().filter(|write| write.host == Host::Liongard);
    writes.map(|write| format!("{} {}", write.method, write.path)).collect()
}

fn alerts(engine: &Engine, report: &JobReport) -> String {
    let plan = engine.plan(report.plan.expect("a plan")).expect("it is stored");
    plan.outline.alerts.join("\n")
}

fn log(ground: &Ground, job: JobId) -> String {
    std::fs::read_to_string(ground.places().logs().join(format!("{job}.jsonl"))).expect("a log")
}

/// Halo's customer of an environment, by the mapping table.
fn mapped(engine: &Engine) -> BTreeMap<String, String> {
    let links = engine.book.links(ME, Entity::Customers).expect("links");
    links.into_iter().map(|(id, link)| (id.to_string(), link.target.to_string())).collect()
}

async fn start(sandbox: Sandbox, settings: &str) -> (Ground, Arc<Engine>) {
    let mut ground = Ground::new(sandbox);
    ground.settings = settings.to_owned();
    let engine = ground.start().await;
    (ground, engine)
}

#[tokio::test(start_paused = true)]
async fn l17_it_is_off_until_somebody_switches_it_on() {
    let sandbox = Sandbox::empty(Quirks::default());
    customer(&sandbox, &flagged("Alder Ltd"));
    let (ground, engine) = start(sandbox, "").await;
    let report = run(&engine, push()).await;
    assert_eq!((report.state, report.totals.rows.all()), (JobState::Warnings, 0), "{report:?}");
    assert!(alerts(&engine, &report).contains("are not pushed to Liongard"), "{}", alerts(&engine, &report));
    assert!(sent(&ground.sandbox).is_empty());
    assert_eq!(engine.settings().scheduled(ME), [Entity::Customers, Entity::Assets]);
}

#[tokio::test(start_paused = true)]
async fn l17b_only_flagged_customers_go_and_they_are_mapped_in_the_same_step() {
    let sandbox = Sandbox::empty(Quirks::default());
    let alder = customer(&sandbox, &flagged("Alder & Söhne Ltd"));
    customer(&sandbox, &json!({"name": "Birch Ltd"}));
    customer(&sandbox, &json!({"name": "Cedar Ltd", "customfields": [{"id": 202, "value": "false"}]}));
    sandbox.put_environment(&json!({"Name": "Northgate IT (Internal)"}));
    let (ground, engine) = start(sandbox, MANUAL).await;
    let report = run(&engine, push()).await;
    assert_eq!((report.state, report.totals.rows.create), (JobState::Ok, 1), "{:?}", report.problems);
    assert_eq!(environments(&ground.sandbox), ["Alder & Söhne Ltd", "Northgate IT (Internal)"]);
    // L19: one write, in the log and in the journal; with the slash that no redirect is needed for.
    assert_eq!(sent(&ground.sandbox), ["POST /api/v2/environments"]);
    assert!(
        log(&ground, report.job).contains("created: name Alder & Söhne Ltd"),
        "{}",
        log(&ground, report.job)
    );
    assert!(report.requests.get(&Place::Of(ME)).is_some_and(|count| *count > 1));

    let made =
        ground.sandbox.environments().into_iter().find(|one| one["Name"] == "Alder & Söhne Ltd").unwrap();
    let id = made["ID"].to_string();
    assert!(made["Description"].as_str().unwrap().starts_with("From HaloPSA (PHL-"), "{made}");
    assert_eq!(mapped(&engine), BTreeMap::from([(id.clone(), alder.to_string())]));

    // The import takes it for the customer it is, and a further push finds nothing to do.
    let clients = ground.sandbox.halo_clients().len();
    let report = run(&engine, import()).await;
    assert_eq!(report.totals.failed, 0);
    let internal = 1;
    assert_eq!(
        ground.sandbox.halo_clients().len(),
        clients + internal,
        "only the internal one is new in Halo"
    );
    let report = run(&engine, push()).await;
    assert_eq!((report.totals.rows.acting(), report.totals.rows.unchanged), (0, 1), "{:?}", report.totals);
    // Also when the mapping is taken away, and when the flag goes off: nothing is deleted, nothing made twice.
    let clear = vec![(SourceId::new(&id), parhelion::model::Decision::Clear)];
    engine.decide(ME, clear).await.expect("unmapped");
    let report = run(&engine, push()).await;
    assert_eq!(report.totals.rows.acting(), 0);
    customer(&ground.sandbox, &json!({"id": alder, "customfields": [{"id": 202, "value": "false"}]}));
    let report = run(&engine, push()).await;
    assert_eq!(report.totals.rows.acting(), 0);
    assert_eq!(sent(&ground.sandbox).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn l17a_customers_made_after_it_was_switched_on_go_by_themselves_and_older_ones_by_the_flag_alone() {
    let sandbox = Sandbox::empty(Quirks::default());
    let old = json!({"name": "Old Ltd", "datecreated": "2025-04-02T09:15:27.11"});
    customer(&sandbox, &old);
    let mut chosen = flagged("Old but chosen Ltd");
    chosen["datecreated"] = json!("2025-04-03T09:15:27.11");
    customer(&sandbox, &chosen);
    customer(&sandbox, &json!({"name": "New Ltd", "datecreated": "2026-02-03T09:00:01"}));
    let (ground, engine) = start(sandbox, AUTOMATIC).await;
    let report = run(&engine, push()).await;
    assert_eq!(report.totals.rows.create, 2, "{:?}", report.problems);
    assert_eq!(environments(&ground.sandbox), ["New Ltd", "Old but chosen Ltd"]);
    // A customer that was made and deleted between two looks leaves nothing.
    let gone = customer(&ground.sandbox, &json!({"name": "Brief Ltd"}));
    ground.sandbox.remove_halo_client(gone);
    assert_eq!(run(&engine, push()).await.totals.rows.acting(), 0);
    // What comes in from Liongard meanwhile never goes back, though it is as new.
    ground.sandbox.put_environment(&json!({"Name": "From There Ltd"}));
    run(&engine, import()).await;
    assert!(names(&ground.sandbox.halo_clients(), "name").contains(&"From There Ltd".to_owned()));
    let report = run(&engine, push()).await;
    assert_eq!(report.totals.rows.acting(), 0, "{:?}", report.totals);
    assert_eq!(environments(&ground.sandbox).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn l17a_the_schedule_takes_it_along_and_the_delay_is_said() {
    let sandbox = Sandbox::empty(Quirks::default());
    customer(&sandbox, &json!({"name": "New Ltd"}));
    let (ground, engine) = start(sandbox, AUTOMATIC).await;
    assert_eq!(engine.settings().scheduled(ME), [Entity::Customers, Entity::Assets, Entity::Push]);
    let job = engine.run_schedule(ME).await.expect("a job");
    let report = ended(&engine, job).await;
    assert!(report.entities.contains(&Entity::Push));
    assert_eq!(environments(&ground.sandbox), ["New Ltd"]);
    // The delay is said when it is switched on or changes, and stands in the pane of integrations.
    let set = |key: &str, value: &str| SettingChange { key: key.into(), value: Some(value.into()) };
    let steps = [
        (set("liongard.sync_customers.every_minutes", "5"), "up to 5 minutes later, while Parhelion runs"),
        (set("liongard.sync_customers.every_minutes", "0"), "only in runs by hand"),
        (set("liongard.sync_customers.mode", "manual"), "only in runs by hand"),
        (set("liongard.schedule.enabled", "true"), "up to a day later"),
        (set("liongard.schedule.repeat", "hours"), "up to 6 hours later"),
        (set("liongard.schedule.every_hours", "4"), "up to 4 hours later"),
        (set("liongard.notes", "nothing new"), ""),
        (set("liongard.sync_customers.enabled", "false"), ""),
    ];
    for (step, should) in steps {
        let Reply::Saved { notes, .. } = engine.set(&[step]).await.expect("saved") else { panic!() };
        let said = notes.iter().any(|note| note.contains("New Halo customers") && note.contains(should));
        assert_eq!(said, !should.is_empty(), "{notes:?}");
        let options = parhelion::integrations::options(ME, &engine.settings());
        assert!(options.iter().any(|line| line.contains(should) && line.contains("new Halo customers")));
    }
}

#[tokio::test(start_paused = true)]
async fn l17_a_look_alike_in_liongard_is_held_until_a_person_maps_it() {
    let sandbox = Sandbox::empty(Quirks::default());
    let alder = customer(&sandbox, &flagged("Alder Ltd"));
    let environment = sandbox.put_environment(&json!({"Name": "ALDER limited"}));
    let (ground, engine) = start(sandbox, MANUAL).await;
    let report = run(&engine, push()).await;
    assert_eq!((report.state, report.totals.rows.held), (JobState::Partial, 1));
    assert!(sent(&ground.sandbox).is_empty());
    let map = parhelion::model::Decision::Map {
        target: alder.into(),
        target_name: "Alder Ltd".into(),
        how: parhelion::model::How::Manual,
    };
    engine.decide(ME, vec![(environment.into(), map)]).await.expect("mapped");
    let report = run(&engine, push()).await;
    assert_eq!((report.state, report.totals.rows.unchanged), (JobState::Ok, 1), "{:?}", report.problems);
    assert!(sent(&ground.sandbox).is_empty());
}

#[tokio::test(start_paused = true)]
async fn l17b_the_flag_is_found_where_the_list_does_not_carry_it_and_in_halos_own_column() {
    let mut quirks = Quirks::default();
    quirks.halo.custom_fields_in_lists = false;
    let sandbox = Sandbox::empty(quirks);
    customer(&sandbox, &flagged("Alder Ltd"));
    customer(&sandbox, &json!({"name": "Birch Ltd", "sync_to_liongard": true}));
    let linked = json!({"name": "Cedar Ltd", "sync_to_liongard": true, "liongardid": 4999});
    customer(&sandbox, &linked);
    let (ground, engine) = start(sandbox, MANUAL).await;
    run(&engine, push()).await;
    assert_eq!(environments(&ground.sandbox), ["Alder Ltd"]);
    let native = SettingChange {
        key: "liongard.sync_customers.flag_field".into(),
        value: Some("sync_to_liongard".into()),
    };
    engine.set(&[native]).await.expect("set");
    let report = run(&engine, push()).await;
    assert_eq!(environments(&ground.sandbox), ["Alder Ltd", "Birch Ltd"]);
    assert_eq!(report.totals.rows.skipped, 1, "Halo's own integration has the third: {:?}", report.totals);
}

#[tokio::test(start_paused = true)]
async fn l17b_a_field_that_is_not_there_or_may_not_be_read_stops_the_push_alone() {
    for denied in [false, true] {
        let mut quirks = Quirks::default();
        if denied {
            quirks.halo.denied.insert("fieldinfo".into(), 403);
        }
        let sandbox = Sandbox::empty(quirks);
        customer(&sandbox, &flagged("Alder Ltd"));
        sandbox.put_environment(&json!({"Name": "Birch Ltd"}));
        let field = if denied { "CFSyncToLiongard" } else { "CFNoSuchField" };
        let (ground, engine) = start(sandbox, &format!("{MANUAL}flag_field = \"{field}\"\n")).await;
        let report = run(&engine, spec(ME, &[Entity::Customers, Entity::Push], false)).await;
        assert_eq!(report.totals.rows.create, 1, "the import goes on: {:?}", report.totals);
        let said = alerts(&engine, &report);
        assert!(if denied { said.contains("403") } else { said.contains("CFNoSuchField") }, "{said}");
        assert_eq!(environments(&ground.sandbox), ["Birch Ltd"]);
    }
}

#[tokio::test(start_paused = true)]
async fn l17_a_key_that_may_not_create_says_so_and_changes_nothing() {
    let mut quirks = Quirks::default();
    quirks.liongard.read_only = true;
    let sandbox = Sandbox::empty(quirks);
    customer(&sandbox, &flagged("Alder Ltd"));
    let (ground, engine) = start(sandbox, MANUAL).await;
    let report = run(&engine, push()).await;
    let said = format!("{:?} {:?}", report.problems, report.trouble);
    assert!(!matches!(report.state, JobState::Ok) && said.contains("403"), "{said}");
    assert!(environments(&ground.sandbox).is_empty() && mapped(&engine).is_empty());
    // With the right it goes on where it stood.
    let mut quirks = (*ground.sandbox.quirks()).clone();
    quirks.liongard.read_only = false;
    ground.sandbox.set_quirks(quirks);
    if report.state == JobState::Interrupted {
        engine.order(report.job, JobOrder::Resume).await.expect("it goes on");
        ended(&engine, report.job).await;
    }
    run(&engine, push()).await;
    assert_eq!(environments(&ground.sandbox), ["Alder Ltd"]);
}

#[tokio::test(start_paused = true)]
async fn l17_an_environment_that_was_made_cannot_be_taken_back_and_undo_says_so() {
    let sandbox = Sandbox::empty(Quirks::default());
    customer(&sandbox, &flagged("Alder Ltd"));
    let (ground, engine) = start(sandbox, MANUAL).await;
    let report = run(&engine, push()).await;
    let undo = Spec { purpose: parhelion::plan::Purpose::Undo { of: report.job }, ..push() };
    let plan = plan(&engine, &undo).await;
    assert_eq!((plan.outline.totals.acting(), plan.outline.totals.skipped), (0, 1), "{:?}", plan.outline);
    let rows = engine.book.plan_rows(plan.id, &[1]).expect("a row");
    assert!(rows[0].reasons[0].contains("cannot be taken back"), "{:?}", rows[0].reasons);
    assert_eq!((environments(&ground.sandbox).len(), mapped(&engine).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn l17_whatever_form_the_answer_takes_one_environment_is_made() {
    for (redirects, as_array, unseen) in [
        (Redirects::All, false, 0),
        (Redirects::None, true, 0),
        (Redirects::Roots, false, 1),
        (Redirects::Roots, true, 3),
    ] {
        let mut quirks = Quirks::default();
        quirks.liongard.redirects = redirects;
        quirks.liongard.single_as_array = as_array;
        quirks.liongard.lists_until_seen = unseen;
        let sandbox = Sandbox::empty(quirks);
        customer(&sandbox, &flagged("Alder Ltd"));
        let (ground, engine) = start(sandbox, MANUAL).await;
        let report = run(&engine, push()).await;
        assert_eq!(report.totals.failed, 0, "{redirects:?}: {:?}", report.problems);
        for _ in 0..3 {
            run(&engine, push()).await;
        }
        assert_eq!(environments(&ground.sandbox), ["Alder Ltd"], "{redirects:?} {as_array} {unseen}");
    }
}

/// What must hold whatever happened: each flagged customer has one environment and its mapping, and Halo has nobody new.
fn settled(engine: &Engine, sandbox: &Sandbox, clients: usize) -> Result<(), String> {
    let made = environments(sandbox);
    let mut should: Vec<String> = (0..4).map(|n| format!("Pushed {n} Ltd")).collect();
    should.push("There before Ltd".into());
    should.sort();
    if made != should {
        return Err(format!("environments {made:?}"));
    }
    if sandbox.halo_clients().len() != clients {
        return Err(format!("{:?} in Halo", names(&sandbox.halo_clients(), "name")));
    }
    let halo: BTreeMap<String, String> = sandbox
        .halo_clients()
        .iter()
        .map(|row| (row["id"].to_string(), row["name"].as_str().unwrap_or_default().to_owned()))
        .collect();
    let mapped = mapped(engine);
    for environment in sandbox.environments() {
        let name = environment["Name"].as_str().unwrap_or_default();
        let target = mapped.get(&environment["ID"].to_string()).and_then(|id| halo.get(id));
        if target.map(String::as_str) != Some(name) {
            return Err(format!("{name} is mapped to {target:?}"));
        }
    }
    Ok(())
}

fn four() -> Sandbox {
    let sandbox = Sandbox::empty(Quirks::default());
    for n in 0..4 {
        customer(&sandbox, &flagged(&format!("Pushed {n} Ltd")));
    }
    customer(&sandbox, &json!({"name": "There before Ltd"}));
    sandbox.put_environment(&json!({"Name": "There before Ltd"}));
    sandbox
}

fn everything() -> Spec {
    spec(ME, &[Entity::Customers, Entity::Assets, Entity::Push], false)
}

#[tokio::test(start_paused = true)]
async fn l17_answers_that_are_lost_make_no_second_environment() {
    let kinds = [
        Kind::ResetAfter,
        Kind::ResetBefore,
        Kind::ServerError { status: 500, applied: true, retry_after: None },
        Kind::ServerError { status: 502, applied: false, retry_after: None },
        Kind::Truncated,
        Kind::Hang { seconds: 400.0, applied: true },
        Kind::Html { status: 200, applied: true },
        Kind::TooMany { retry_after: None },
        Kind::LateCommit { after_ms: 40_000, status: Some(504) },
        Kind::LateCommit { after_ms: 20_000, status: None },
    ];
    for kind in kinds {
        let (ground, engine) = start(four(), MANUAL).await;
        let clients = ground.sandbox.halo_clients().len();
        let rule = Rule::new(kind.clone()).method("POST").path("environments").when(When::Nth(vec![1, 3]));
        ground.sandbox.set_faults(Faults::none().with(Host::Liongard, rule));
        run(&engine, everything()).await;
        assert!(ground.sandbox.fired().iter().any(|one| one.fired > 0), "{kind:?} never came");
        ground.sandbox.set_faults(Faults::none());
        let report = run(&engine, everything()).await;
        assert_eq!(report.totals.failed, 0, "{kind:?}: {:?}", report.problems);
        settled(&engine, &ground.sandbox, clients).unwrap_or_else(|why| panic!("{kind:?}: {why}"));
    }
}

#[tokio::test(start_paused = true)]
async fn l17_wherever_the_process_ends_one_environment_is_made_and_mapped() {
    for seed in 0..60 {
        let mut dice = Dice::new(seed, "push");
        let mut ground = Ground::new(four());
        ground.settings = MANUAL.to_owned();
        let mut engine = Some(ground.start().await);
        let clients = ground.sandbox.halo_clients().len();
        for life in 0..4 {
            let now = match engine.take() {
                Some(engine) => engine,
                None => ground.open(),
            };
            if life < 3 {
                ground.process.end_after(
                    dice.within(1, 40),
                    dice.chance(0.5),
                    &ground.disk,
                    dice.chance(0.5),
                );
            }
            // An import alone must not take for new what a push left open.
            let spec = if life == 1 { import() } else { everything() };
            tokio::select! {
                _ = go_on(&now, spec) => engine = Some(now),
                () = ground.process.death() => {
                    let keep = dice.next();
                    let lose = dice.chance(0.5);
                    ground.crash(now, |synced, written| synced + keep % (written - synced + 1), lose).await;
                }
            }
        }
        let now = match engine.take() {
            Some(engine) => {
                ground.crash(engine, |_, written| written, false).await;
                ground.open()
            }
            None => ground.open(),
        };
        go_on(&now, everything()).await;
        let report = run(&now, everything()).await;
        assert_eq!(report.totals.rows.acting(), 0, "seed {seed}: {:?}", report.totals);
        settled(&now, &ground.sandbox, clients).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        ground.kill(now).await;
    }
}

async fn go_on(engine: &Arc<Engine>, spec: Spec) -> JobReport {
    let waiting = engine.jobs(20).expect("jobs").into_iter().find(|job| job.state == JobState::Interrupted);
    if let Some(job) = waiting {
        engine.order(job.job, JobOrder::Resume).await.expect("it goes on");
        ended(engine, job.job).await;
    }
    run(engine, spec).await
}

fn flag(sandbox: &Sandbox, id: i64, field: i64) -> String {
    let client = sandbox.halo_client(id).expect("a customer");
    let fields = client["customfields"].as_array().expect("custom fields").clone();
    let row = fields.into_iter().find(|row| row["id"] == field).expect("the field");
    row["value"].to_string().trim_matches('"').to_owned()
}

async fn wish(engine: &Arc<Engine>, id: i64, on: Option<bool>) -> String {
    engine.flag_push(&id.into(), on).await.expect("kept")
}

#[tokio::test(start_paused = true)]
async fn l17b_a_flag_that_is_asked_for_here_is_a_row_of_the_push_and_written_once() {
    let sandbox = Sandbox::empty(Quirks::default());
    // A person's other custom field stays as it is (P24).
    let other = json!({"id": 201, "value": "kept"});
    let alder = customer(&sandbox, &json!({"name": "Alder Ltd", "customfields": [other]}));
    customer(&sandbox, &json!({"name": "Birch Ltd"}));
    let (mut ground, engine) = start(sandbox, MANUAL).await;
    engine.read_customers(ME).await.expect("read");
    assert!(wish(&engine, alder, Some(true)).await.contains("next plan of the push"));
    assert!(engine.flag_push(&9999.into(), Some(true)).await.is_err(), "nobody knows that one");
    assert_eq!(flag(&ground.sandbox, alder, 202), "false", "nothing is written yet");
    // It outlives the process.
    ground.kill(engine).await;
    ground.index.lose_unflushed();
    let engine = ground.open();
    let plan = plan(&engine, &push()).await;
    let all: Vec<u32> = (1..=plan.rows).collect();
    let rows = engine.book.plan_rows(plan.id, &all).expect("rows");
    let kinds: Vec<Entity> = rows.iter().map(|row| row.entity).collect();
    assert_eq!(kinds, [Entity::PushFlags, Entity::Push], "the flag, then the environment");
    let report = run(&engine, push()).await;
    assert_eq!(
        (report.state, report.totals.rows.update, report.totals.rows.create),
        (JobState::Ok, 1, 1),
        "{:?}",
        report.problems
    );
    assert_eq!(
        (flag(&ground.sandbox, alder, 202), environments(&ground.sandbox)),
        ("true".into(), vec!["Alder Ltd".into()])
    );
    assert_eq!(flag(&ground.sandbox, alder, 201), "kept");
    assert!(
        log(&ground, report.job).contains("CFSyncToLiongard off -> on")
            || log(&ground, report.job).contains("CFSyncToLiongard")
    );
    let report = run(&engine, push()).await;
    assert_eq!(report.totals.rows.acting(), 0, "the wish is gone with what it asked for");
    // Off again: nothing is deleted.
    wish(&engine, alder, Some(false)).await;
    let report = run(&engine, push()).await;
    assert_eq!(
        (report.totals.rows.update, flag(&ground.sandbox, alder, 202)),
        (1, "false".into()),
        "{:?}",
        report.problems
    );
    assert_eq!(environments(&ground.sandbox).len(), 1);
    // Who is mapped cannot be chosen, and what is so already is no row.
    let refused = engine.flag_push(&alder.into(), Some(true)).await.expect_err("mapped");
    assert!(refused.message.contains("is mapped to environment"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn l17b_a_flag_whose_answer_is_lost_is_looked_for_and_one_that_is_taken_back_goes_back() {
    let sandbox = Sandbox::empty(Quirks::default());
    let alder = customer(&sandbox, &json!({"name": "Alder Ltd"}));
    let (ground, engine) = start(sandbox, MANUAL).await;
    engine.read_customers(ME).await.expect("read");
    wish(&engine, alder, Some(true)).await;
    let lost = Rule::new(Kind::ResetAfter).method("POST").path("/api/Client").times(1);
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, lost));
    let report = run(&engine, push()).await;
    assert_eq!((report.state, report.totals.rows.update), (JobState::Ok, 1), "{:?}", report.problems);
    let writes = ground.sandbox.journal();
    assert_eq!(writes.iter().filter(|write| write.host == Host::Halo).count(), 1, "sent once");
    let undo = engine.spec_of(parhelion::plan::Purpose::Undo { of: report.job }).expect("a spec");
    let undone = ended(&engine, engine.run(undo).await.expect("a job")).await;
    assert_eq!(undone.totals.failed, 0, "{:?}", undone.problems);
    assert_eq!(flag(&ground.sandbox, alder, 202), "false", "the flag goes back");
    assert_eq!(environments(&ground.sandbox).len(), 1, "the environment stays");
}

#[tokio::test(start_paused = true)]
async fn l17b_a_wish_that_cannot_be_set_is_said_and_stops_nothing() {
    let sandbox = Sandbox::empty(Quirks::default());
    let gone = customer(&sandbox, &json!({"name": "Gone Ltd"}));
    let set = customer(&sandbox, &json!({"name": "Set Ltd"}));
    let (ground, engine) = start(sandbox, MANUAL).await;
    engine.read_customers(ME).await.expect("read");
    wish(&engine, gone, Some(true)).await;
    wish(&engine, set, Some(true)).await;
    ground.sandbox.put_halo_client(&json!({"id": gone, "inactive": true})).expect("a customer");
    // Somebody has switched it on in Halo meanwhile.
    customer(&ground.sandbox, &json!({"id": set, "customfields": [{"id": 202, "value": "true"}]}));
    let report = run(&engine, push()).await;
    assert_eq!((report.totals.rows.update, report.totals.rows.create), (0, 1), "{:?}", report.totals);
    assert!(
        alerts(&engine, &report).contains("no longer lists it as active"),
        "{}",
        alerts(&engine, &report)
    );
    // What Halo shows is settled: switched off there, it is not switched on again from here.
    customer(&ground.sandbox, &json!({"id": set, "customfields": [{"id": 202, "value": "false"}]}));
    assert_eq!(run(&engine, push()).await.totals.rows.update, 0);
    // Without the field nothing can be set.
    let change =
        SettingChange { key: "liongard.sync_customers.flag_field".into(), value: Some("CFNone".into()) };
    engine.set(&[change]).await.expect("a setting");
    let job = engine.run(push()).await.expect("a job");
    let report = ended(&engine, job).await;
    assert_eq!(report.totals.rows.acting(), 0);
}
