//! Who is told of what (P40), and the dead man's switch (P41).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parhelion::engine::Engine;
use parhelion::host::words::{JobState, SettingChange};
use parhelion::model::Secret;
use serde_json::Value;

use super::rig::{Ground, by_hand, new_customers, run, scheduled};

const HOOK: &str = "https://hook.test/services/T0P-S3CRET";
const PING: &str = "https://hook.test/ping/PL4NTED-UUID";

async fn told(ground: &mut Ground) -> Arc<Engine> {
    let engine = ground.start().await;
    for (key, url) in [("profile.notify.webhook", HOOK), ("profile.notify.ping", PING)] {
        engine.seal(key, &Secret::new(url.to_owned())).await.expect("sealed");
    }
    engine
}

async fn set(engine: &Engine, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

/// Notices that arrived, after the quiet time.
async fn notices(ground: &Ground) -> Vec<Value> {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let heard = ground.hooks.drain().into_iter().filter(|(path, _)| path.starts_with("/services"));
    heard.map(|(_, body)| serde_json::from_str(&body).expect("JSON")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failure_and_the_recovery_are_told_and_what_goes_well_is_not() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = told(&mut ground).await;
    run(&engine, by_hand()).await;
    notices(&ground).await;
    run(&engine, by_hand()).await;
    assert_eq!(notices(&ground).await, Vec::<Value>::new(), "all is well");

    ground.down.store(true, Ordering::SeqCst);
    assert_eq!(run(&engine, by_hand()).await.state, JobState::Failed);
    let failed = notices(&ground).await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((&failed[0]["event"], &failed[0]["state"]), (&"failure".into(), &"failed".into()));
    assert!(failed[0]["text"].as_str().expect("text").starts_with("ALSO: J"), "{failed:?}");

    ground.down.store(false, Ordering::SeqCst);
    run(&engine, by_hand()).await;
    let well = notices(&ground).await;
    assert_eq!(well[0]["event"], "recovery", "{well:?}");

    set(&engine, "profile.notify.on", "recovery").await;
    ground.down.store(true, Ordering::SeqCst);
    run(&engine, by_hand()).await;
    assert_eq!(notices(&ground).await, Vec::<Value>::new(), "nobody wants to hear of it");
}

#[tokio::test(start_paused = true)]
async fn a_storm_is_one_notice_after_the_first() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = told(&mut ground).await;
    set(&engine, "profile.notify.quiet_minutes", "1440").await;
    ground.down.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(run(&engine, by_hand()).await.state, JobState::Failed);
    }
    let first = notices(&ground).await;
    assert_eq!(first.len(), 1, "{first:?}");
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    let rest = notices(&ground).await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0]["text"].as_str().expect("text").lines().count(), 4);
    assert_eq!(rest[0]["title"], "Parhelion test: 4 notices");
}

/// An engine that ends does not keep to itself what waits.
#[tokio::test(start_paused = true)]
async fn what_waits_goes_out_when_the_engine_ends() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = told(&mut ground).await;
    ground.down.store(true, Ordering::SeqCst);
    run(&engine, by_hand()).await;
    run(&engine, by_hand()).await;
    engine.close().await.expect("closed");
    let heard = ground.hooks.drain();
    assert_eq!(heard.len(), 2, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_run_pings_its_start_and_its_end() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = told(&mut ground).await;
    set(&engine, "profile.notify.on", "").await;
    let pings = async |ground: &Ground| -> Vec<String> {
        tokio::time::sleep(Duration::from_secs(60)).await;
        ground.hooks.drain().into_iter().map(|(path, _)| path).collect()
    };
    run(&engine, by_hand()).await;
    assert_eq!(pings(&ground).await, Vec::<String>::new(), "a run by hand is not what is waited for");
    run(&engine, scheduled()).await;
    assert_eq!(pings(&ground).await, ["/ping/PL4NTED-UUID/start", "/ping/PL4NTED-UUID"]);
    ground.down.store(true, Ordering::SeqCst);
    run(&engine, scheduled()).await;
    assert_eq!(pings(&ground).await, ["/ping/PL4NTED-UUID/start", "/ping/PL4NTED-UUID/fail"]);
}

/// P41: a failed ping never fails the run; and the addresses are nowhere to be read.
#[tokio::test(start_paused = true)]
async fn what_is_not_delivered_harms_no_job_and_tells_no_secret() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = told(&mut ground).await;
    ground.hooks.fails.store(true, Ordering::SeqCst);
    let report = run(&engine, scheduled()).await;
    assert!(matches!(report.state, JobState::Ok | JobState::Warnings | JobState::Held), "{report:?}");
    let refused = engine.test_notice().await.expect_err("it answers 500");
    assert!(refused.message.contains("profile.notify.webhook answered 500"), "{refused}");
    assert_eq!(ground.hooks.drain().iter().filter(|(path, _)| path.starts_with("/services")).count(), 3);
    engine
        .seal("profile.notify.webhook", &Secret::new("http://hook.test/x".to_owned()))
        .await
        .expect("sealed");
    let unsafe_address = engine.test_notice().await.expect_err("not over http");
    assert!(!unsafe_address.to_string().contains("hook.test"), "{unsafe_address}");

    let mut index = Vec::new();
    parhelion::store::index::export(&*ground.index, &mut index).expect("an export");
    let mut written = vec![("index".to_owned(), index)];
    super::secrets::files(ground.dir.path(), &mut written);
    for (name, bytes) in &written {
        for secret in ["T0P-S3CRET", "PL4NTED-UUID"] {
            assert!(!super::secrets::holds(bytes, secret), "{name} holds an address");
        }
    }
}

/// P47: told once for each of thirty, seven and one days.
#[tokio::test(start_paused = true)]
async fn a_secret_that_expires_is_told_of_at_its_days() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = told(&mut ground).await;
    let today = ground.now().to_zoned(jiff::tz::TimeZone::system()).date();
    let on = today + jiff::Span::new().days(40);
    set(&engine, "also.secret_expires", &on.to_string()).await;
    let mut heard = Vec::new();
    for day in 0..45 {
        engine.remind();
        engine.remind();
        tokio::time::sleep(Duration::from_secs(12 * 3600)).await;
        for (_, body) in ground.hooks.drain() {
            let document: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(document["event"], "expiry");
            heard.push(40 - day);
        }
        tokio::time::sleep(Duration::from_secs(12 * 3600)).await;
    }
    assert_eq!(heard, [30, 7, 1, -1]);
}
