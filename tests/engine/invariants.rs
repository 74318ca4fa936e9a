//! The invariants of sync-engine section 20 that one run can show, by their numbers. 2, 4, 10, 18 and 24 also hold in
//! every simulated life.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parhelion::host::words::{Choices, JobState, SettingChange};
use parhelion::model::{Class, Decision, Entity, Integration, SourceId};
use parhelion::sandbox::{Brand, Faults, Host, Kind, Rule, Sandbox, When};
use parhelion::store::MemoryIndex;
use serde_json::{Value, json};

use super::oracle;
use super::rig::{Ground, apply, by_hand, ended, new_customers, plan, resume, run, scheduled, writes};

const ALSO: Integration = Integration::Also;

fn faults(host: Host, rule: Rule) -> Faults {
    Faults::none().with(host, rule)
}

fn refused(status: u16) -> Kind {
    Kind::ServerError { status, applied: false, retry_after: None }
}

/// An import of three customers with two subscriptions each, done.
async fn imported() -> (Ground, Arc<parhelion::engine::Engine>) {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = ground.start().await;
    assert_eq!(run(&engine, by_hand()).await.state, JobState::Ok);
    (ground, engine)
}

fn subscription(sandbox: &Sandbox, at: usize) -> i64 {
    sandbox.subscriptions(Brand::Also)[at]["AccountId"].as_i64().expect("an id")
}

/// The first customer's licence of its first product: that of `subscription(_, 0)`.
fn licence(sandbox: &Sandbox) -> Value {
    let its = |l: &&Value| l["client_name"] == "Customer 000 Ltd" && l["name"] == "Product 0";
    sandbox.halo_licences().iter().find(its).expect("it is there").clone()
}

#[tokio::test(start_paused = true)]
async fn n01_nothing_is_sent_before_its_intent_is_durable() {
    let mut ground = Ground::new(new_customers(4, 3));
    let (disk, audit) = (ground.disk.clone(), ground.places().audit());
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    ground.watch = Some(Arc::new(move |request| {
        let is_write = request.method.as_str() == "POST"
            && request.url.host_str() == Some("halo.test")
            && request.url.path().starts_with("/api");
        if !is_write {
            return;
        }
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let marker =
            body[0]["ref"].as_str().or_else(|| body[0]["snowid"].as_str()).expect("a create has a marker");
        let mut durable = String::new();
        for file in std::fs::read_dir(&audit).expect("the trail").flatten() {
            let text = std::fs::read(file.path()).expect("readable");
            let synced = disk.synced(&file.path()).unwrap_or(0) as usize;
            durable.push_str(&String::from_utf8_lossy(&text[..synced]));
        }
        let announced = durable.lines().any(|l| l.contains("\"kind\":\"intent\"") && l.contains(marker));
        assert!(announced, "{marker} was sent before its intent was on the disk");
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    let engine = ground.start().await;
    assert_eq!(run(&engine, by_hand()).await.state, JobState::Ok);
    assert_eq!(sent.load(Ordering::SeqCst), 16);
}

#[tokio::test(start_paused = true)]
async fn n03_a_create_is_sent_again_only_after_the_settle_time() {
    let mut ground = Ground::new(new_customers(1, 1));
    let engine = ground.start().await;
    let lost = Rule::new(Kind::ResetBefore).method("POST").path("/api/");
    ground.sandbox.set_faults(faults(Host::Halo, lost.when(When::Nth(vec![1, 3]))));
    assert_eq!(run(&engine, by_hand()).await.state, JobState::Ok);
    let journal = ground.sandbox.journal();
    let (clients, licences): (Vec<_>, Vec<_>) = journal.iter().partition(|w| w.path.ends_with("Client"));
    for writes in [clients, licences] {
        assert_eq!(writes.len(), 2);
        let apart = writes[1].at.saturating_sub(writes[0].at);
        assert!(apart >= Duration::from_secs(60), "sent again after {apart:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n05_a_second_record_of_one_marker_is_reported() {
    let mut ground = Ground::new(new_customers(1, 1));
    let engine = ground.start().await;
    // It shows up long after the settle time: no client can exclude that.
    let late = Rule::new(Kind::LateCommit { after_ms: 600_000, status: Some(504) }).method("POST");
    ground.sandbox.set_faults(faults(Host::Halo, late.path("softwarelicence").times(1)));
    run(&engine, by_hand()).await;
    tokio::time::sleep(Duration::from_secs(900)).await;
    assert_eq!(oracle::doubles(&ground.sandbox).len(), 1);
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.state, JobState::Warnings);
    let ids: Vec<String> = ground.sandbox.halo_licences().iter().map(|l| l["id"].to_string()).collect();
    let alerts = engine.plan(report.plan.expect("a plan")).expect("it").outline.alerts;
    assert!(alerts.iter().any(|a| ids.iter().all(|id| a.contains(id.as_str()))), "{alerts:?}");
    assert_eq!(ground.sandbox.halo_licences().len(), 2, "it is never removed unasked");
}

#[tokio::test(start_paused = true)]
async fn n06_n18_n19_n41_every_request_is_planned_and_nothing_is_deleted() {
    let (mut ground, engine) = imported().await;
    ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, 0), 11);
    ground.sandbox.remove_subscription(Brand::Also, subscription(&ground.sandbox, 1));
    assert_eq!(run(&engine, scheduled()).await.state, JobState::Ok);
    for write in ground.sandbox.journal() {
        assert_eq!(write.method, "POST");
        let body: Value = serde_json::from_str(&write.body).expect("JSON");
        assert_eq!(write.created, body[0]["id"].is_null(), "{}", write.body);
    }
    for brand in [Host::Also, Host::Westcoast] {
        assert_eq!(ground.sandbox.requests(brand).refused_writes, 0);
    }
    ground.kill(engine).await;
    let told = oracle::told(&ground.trail());
    assert!(told.intents.len() >= 11);
    let engine = ground.open();
    oracle::is_all_approved(&engine, &told, &ground.sandbox).expect("all of it was approved");
}

#[tokio::test(start_paused = true)]
async fn n07_a_set_done_twice_leaves_what_it_leaves_done_once() {
    let (mut ground, engine) = imported().await;
    ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, 0), 25);
    let before = ground.sandbox.licence_changes(None).len();
    let lost = Rule::new(Kind::Hang { seconds: 60.0, applied: true }).method("POST").path("/api/").times(1);
    ground.sandbox.set_faults(faults(Host::Halo, lost));
    let written = writes(&ground.sandbox);
    let job = engine.run(by_hand()).await.expect("a job");
    while writes(&ground.sandbox) == written {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ground.crash(engine, |synced, _| synced, true).await;
    let engine = ground.open();
    assert_eq!(resume(&engine, job).await.state, JobState::Ok);
    assert_eq!(licence(&ground.sandbox)["count"], 25);
    // Halo's own history is the witness: one change, not two.
    assert_eq!(ground.sandbox.licence_changes(None).len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn n08_a_second_run_writes_nothing() {
    for spec in [by_hand(), scheduled()] {
        let (ground, engine) = imported().await;
        let written = ground.sandbox.journal().len();
        let report = run(&engine, spec).await;
        assert_eq!((report.state, ground.sandbox.journal().len()), (JobState::Ok, written));
        assert_eq!(report.totals.rows.unchanged, 9);
    }
}

#[tokio::test(start_paused = true)]
async fn n09_an_ambiguous_match_creates_nothing() {
    let sandbox = new_customers(1, 1);
    for _ in 0..2 {
        sandbox.put_halo_client(&json!({"name": "Customer 000 Ltd"})).expect("a client");
    }
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let report = run(&engine, by_hand()).await;
    assert_eq!((report.state, report.totals.rows.held), (JobState::Partial, 1));
    assert!(ground.sandbox.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn n12_n13_what_is_missing_or_no_count_is_never_written() {
    let (ground, engine) = imported().await;
    let before = ground.sandbox.halo_licences();
    for (at, quantity) in
        [json!("12a"), json!(-3), json!(1.5), json!(""), json!(null)].into_iter().enumerate()
    {
        ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, at), quantity);
    }
    let last = subscription(&ground.sandbox, 5);
    ground.sandbox.put_subscription(Brand::Also, &json!({"AccountId": last, "Fields": []}));
    for spec in [by_hand(), scheduled()] {
        run(&engine, spec).await;
    }
    assert_eq!(ground.sandbox.halo_licences(), before);
}

#[tokio::test(start_paused = true)]
async fn n16_no_wrong_answer_is_an_empty_list() {
    let kinds = [
        Kind::Html { status: 200, applied: false },
        Kind::Html { status: 503, applied: false },
        Kind::WrongShape,
        Kind::Truncated,
        refused(500),
        refused(403),
        Kind::HalfPage,
    ];
    for path in ["GetSubscriptions", "GetCompanies"] {
        for kind in &kinds {
            let (ground, engine) = imported().await;
            let before = oracle::content(&ground.sandbox);
            ground.sandbox.set_faults(faults(Host::Also, Rule::new(kind.clone()).path(path)));
            run(&engine, scheduled()).await;
            assert_eq!(oracle::content(&ground.sandbox), before, "{path} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n20_fields_that_are_not_ours_stay_as_they_are() {
    let (ground, engine) = imported().await;
    for licence in ground.sandbox.halo_licences() {
        let own = json!({"id": licence["id"], "notes": "seats of the\nYork office", "billing_cycle": "Yearly", "vendor": "ours"});
        ground.sandbox.put_halo_licence(&own).expect("written by hand");
    }
    for client in ground.sandbox.halo_clients() {
        ground
            .sandbox
            .put_halo_client(&json!({"id": client["id"], "notes": "call first", "colour": "#000000"}))
            .expect("by hand");
    }
    let kept = |sandbox: &Sandbox| {
        let ours = ["count", "price", "monthly_price", "monthly_cost", "purchase_price"];
        let mut records = [sandbox.halo_clients(), sandbox.halo_sites(), sandbox.halo_licences()].concat();
        for record in &mut records {
            let record = record.as_object_mut().expect("an object");
            record.retain(|name, _| !ours.contains(&name.as_str()) && name != "alastupdate");
        }
        records
    };
    let before = kept(&ground.sandbox);
    for at in 0..6 {
        ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, at), 21);
    }
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.totals.rows.update, 6);
    assert_eq!(kept(&ground.sandbox), before);
}

#[tokio::test(start_paused = true)]
async fn n21_a_count_edited_on_both_sides_waits_for_a_person() {
    let (ground, engine) = imported().await;
    ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, 0), 12);
    ground
        .sandbox
        .put_halo_licence(&json!({"id": licence(&ground.sandbox)["id"], "count": 14}))
        .expect("by hand");
    let report = run(&engine, by_hand()).await;
    assert_eq!((report.state, report.totals.rows.held), (JobState::Partial, 1));
    assert_eq!(licence(&ground.sandbox)["count"], 14);
}

#[tokio::test(start_paused = true)]
async fn n25_after_a_failed_sync_nothing_more_is_sent() {
    let mut ground = Ground::new(new_customers(6, 3));
    let engine = ground.start().await;
    let plan = plan(&engine, &by_hand()).await;
    ground.disk.fail_sync(6);
    let job = engine.apply(plan.id, Choices::default()).await.expect("a job");
    let report = ended(&engine, job).await;
    assert_eq!(report.state, JobState::Interrupted);
    let sent = ground.sandbox.journal().len();
    assert!(sent < 24, "the failure came too late to tell");
    // Also not by another order: only a new process reads what is really on the disk.
    assert!(engine.run(by_hand()).await.is_err());
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(ground.sandbox.journal().len(), sent);
    ground.crash(engine, |synced, _| synced, true).await;
    let engine = ground.open();
    assert_eq!(resume(&engine, job).await.state, JobState::Ok);
    assert_eq!(ground.sandbox.halo_licences().len(), 18);
}

#[tokio::test(start_paused = true)]
async fn n26_n44_losing_the_index_loses_no_fact() {
    let (mut ground, engine) = imported().await;
    let newcomer = ground.sandbox.put_company(Brand::Also, &json!({"CompanyName": "Newcomer Ltd"}));
    engine.read_customers(ALSO).await.expect("both sides");
    let exclude = Decision::Exclude { note: "a test account".into(), until: None };
    engine.decide(ALSO, vec![(SourceId::new(newcomer.to_string()), exclude)]).await.expect("excluded");
    let facts = |engine: &parhelion::engine::Engine| {
        (
            (engine.book.links(ALSO, Entity::Customers), engine.book.links(ALSO, Entity::Subscriptions)),
            (engine.book.decisions(ALSO), engine.settings(), engine.book.approved(ALSO)),
            (engine.jobs(10), engine.book.last(ALSO)),
        )
    };
    let before = facts(&engine);
    let written = writes(&ground.sandbox);
    ground.kill(engine).await;
    ground.index = Arc::new(MemoryIndex::new());
    let engine = ground.open();
    assert_eq!(facts(&engine), before);
    // No number is given out twice.
    let known: Vec<_> = engine.jobs(10).expect("jobs").iter().map(|j| j.job).collect();
    let report = run(&engine, scheduled()).await;
    assert!(!known.contains(&report.job));
    assert_eq!((report.state, writes(&ground.sandbox)), (JobState::Ok, written));
}

#[tokio::test(start_paused = true)]
async fn n26_an_intent_survives_the_index() {
    let mut ground = Ground::new(new_customers(1, 1));
    let engine = ground.start().await;
    let lost = Rule::new(Kind::Hang { seconds: 60.0, applied: true }).method("POST").path("/api/").times(1);
    ground.sandbox.set_faults(faults(Host::Halo, lost));
    engine.run(by_hand()).await.expect("a job");
    while writes(&ground.sandbox) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ground.kill(engine).await;
    ground.index = Arc::new(MemoryIndex::new());
    let engine = ground.open();
    assert_eq!(engine.book.open_intents().len(), 1);
    run(&engine, by_hand()).await;
    assert_eq!(ground.sandbox.halo_clients().len(), 1);
    assert!(engine.book.open_intents().is_empty());
}

#[tokio::test(start_paused = true)]
async fn n28_one_bad_record_stops_no_other() {
    for kind in [refused(400), refused(422), refused(500)] {
        let mut ground = Ground::new(new_customers(4, 3));
        let engine = ground.start().await;
        // The one record is told by its count.
        ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, 4), 777);
        run(&engine, by_hand()).await;
        let bad = ground.sandbox.halo_licences().into_iter().find(|l| l["count"] == 777).expect("it");
        for at in 0..12 {
            ground.sandbox.set_quantity(Brand::Also, subscription(&ground.sandbox, at), 31);
        }
        let plan = plan(&engine, &by_hand()).await;
        let path = format!("/api/softwarelicence/{}", bad["id"]);
        ground.sandbox.set_faults(faults(Host::Halo, Rule::new(kind.clone()).path(&path)));
        let report = apply(&engine, &plan).await;
        assert_eq!(report.totals.rows.update, 11, "{kind:?} {report:?}");
        assert_eq!(report.totals.failed, 1, "{kind:?} {report:?}");
        assert_eq!(report.state, JobState::Partial);
    }
}

#[tokio::test(start_paused = true)]
async fn n29_a_refused_right_stops_all_writes() {
    let mut ground = Ground::new(new_customers(20, 1));
    let engine = ground.start().await;
    let mut quirks = (*ground.sandbox.quirks()).clone();
    quirks.halo.denied.insert("post client".into(), 403);
    ground.sandbox.set_quirks(quirks);
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.trouble.expect("why").class, Class::Auth);
    // Those that were under way at once, and no more.
    assert!(ground.sandbox.journal().len() <= 4, "{} were sent", ground.sandbox.journal().len());
}

#[tokio::test(start_paused = true)]
async fn n32_one_job_at_a_time() {
    let mut ground = Ground::new(new_customers(3, 1));
    let engine = ground.start().await;
    let job = engine.run(by_hand()).await.expect("a job");
    assert_eq!(engine.run(by_hand()).await.expect_err("one runs").class, Class::Busy);
    assert_eq!(ended(&engine, job).await.state, JobState::Ok);
}

#[tokio::test(start_paused = true)]
async fn n34_n35_no_window_ever_exceeds_the_limit_also_over_a_restart() {
    let mut ground = Ground::new(new_customers(20, 2));
    let engine = ground.start().await;
    let change = |key: &str, value: &str| SettingChange { key: key.into(), value: Some(value.into()) };
    let pace = [
        change("halo.pace.requests", "20"),
        change("halo.pace.per_seconds", "60"),
        change("halo.pace.share", "1.0"),
    ];
    engine.set(&pace).await.expect("set");
    let job = engine.run(by_hand()).await.expect("a job");
    tokio::time::sleep(Duration::from_secs(100)).await;
    engine.stop().await;
    ground.kill(engine).await;
    let engine = ground.open();
    resume(&engine, job).await;
    let mut sent = ground.sandbox.requests(Host::Halo).sent;
    sent.sort();
    assert!(sent.len() > 40, "too few to tell: {}", sent.len());
    for window in sent.windows(21) {
        assert!(window[20].saturating_sub(window[0]) >= Duration::from_secs(60), "{window:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n43_a_create_whose_look_up_failed_is_not_sent() {
    for kind in [
        refused(400),
        refused(500),
        Kind::HalfPage,
        Kind::WrongTotal { by: 1 },
        Kind::Html { status: 200, applied: false },
    ] {
        // Customers that are mapped, so that only licences are to be made; and customers themselves.
        for path in ["/api/softwarelicence", "/api/client"] {
            let sandbox = new_customers(3, 2);
            if path == "/api/softwarelicence" {
                for company in sandbox.companies(Brand::Also) {
                    sandbox.put_halo_client(&json!({"name": company["CompanyName"]})).expect("a client");
                }
            }
            let mut ground = Ground::new(sandbox);
            let engine = ground.start().await;
            let plan = plan(&engine, &by_hand()).await;
            ground.sandbox.set_faults(faults(Host::Halo, Rule::new(kind.clone()).method("GET").path(path)));
            let report = apply(&engine, &plan).await;
            let nothing = ground.sandbox.journal().is_empty();
            // A half page of nothing, and a total one too high of nothing, are still an answer to "none of that name".
            assert!(nothing || matches!(kind, Kind::HalfPage), "{kind:?} {path}: {:?}", report.state);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn n22_another_account_is_never_got_used_to() {
    let (ground, engine) = imported().await;
    let at = |url: &str| SettingChange { key: "also.marketplace_url".into(), value: Some(url.into()) };
    let user =
        |brand: Brand| SettingChange { key: "also.username".into(), value: Some(brand.username().into()) };
    engine.set(&[at("http://westcoast.test"), user(Brand::Westcoast)]).await.expect("set");
    ground.sandbox.put_company(Brand::Westcoast, &json!({"CompanyName": "A stranger Ltd"}));
    let written = ground.sandbox.journal().len();
    for spec in [by_hand(), scheduled(), by_hand()] {
        let report = run(&engine, spec).await;
        assert_eq!((report.totals.rows.create, ground.sandbox.journal().len()), (0, written), "{report:?}");
    }
    engine.set(&[at("http://also.test"), user(Brand::Also)]).await.expect("set");
    assert_eq!(run(&engine, scheduled()).await.state, JobState::Ok);
}

#[tokio::test(start_paused = true)]
async fn n45_no_other_value_is_sent_before_an_unclear_one_has_settled() {
    let (ground, engine) = imported().await;
    let id = subscription(&ground.sandbox, 0);
    ground.sandbox.set_quantity(Brand::Also, id, 12);
    // It fails now and is carried out half a minute later.
    let late = Rule::new(Kind::LateCommit { after_ms: 30_000, status: Some(504) })
        .method("POST")
        .path("softwarelicence");
    ground.sandbox.set_faults(faults(Host::Halo, late.times(1)));
    let job = engine.run(by_hand()).await.expect("a job");
    tokio::time::sleep(Duration::from_secs(5)).await;
    ground.sandbox.set_quantity(Brand::Also, id, 13);
    assert!(matches!(ended(&engine, job).await.state, JobState::Ok));
    run(&engine, by_hand()).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(licence(&ground.sandbox)["count"], 13, "the late one overwrote the newer value");
}
