use std::sync::Arc;
use std::time::Duration;

use parhelion::api::budget::{Budget, Lane};
use parhelion::api::call::{Caller, Cause, Effect, Retry, WriteVerdict};
use parhelion::api::halo::NewLicence;
use parhelion::api::http::{Request, SendErrorKind, Url};
use parhelion::model::{Class, FieldName, Fields, TargetId, Value};
use serde_json::json;
use tokio::time::Instant;

use crate::support::*;

fn licence() -> NewLicence {
    let fields = Fields::new().with(FieldName::Name, Value::text("Backup"));
    NewLicence { customer: TargetId::new("12"), marker: Some("ph:1".into()), fields }
}

fn saved() -> serde_json::Value {
    json!({"id": 900, "name": "Backup", "client_id": 12})
}

#[derive(Debug, PartialEq)]
enum Kind {
    Done,
    Rejected,
    Unknown,
    NotSent,
    Throttled,
}

fn kind<T>(verdict: WriteVerdict<T>) -> Kind {
    match verdict {
        WriteVerdict::Done(_) => Kind::Done,
        WriteVerdict::Rejected(_) => Kind::Rejected,
        WriteVerdict::Unknown(_) => Kind::Unknown,
        WriteVerdict::NotSent(_) => Kind::NotSent,
        WriteVerdict::Throttled => Kind::Throttled,
    }
}

/// Every row of the retry table for a create: sent once, and what the outcome proves.
#[tokio::test(start_paused = true)]
async fn a_create_is_sent_once_and_says_what_it_proves() {
    use SendErrorKind as S;
    let table: Vec<(fn() -> Answer, Kind)> = vec![
        (|| broken(S::Dns), Kind::NotSent),
        (|| broken(S::Connect), Kind::NotSent),
        (|| broken(S::Tls), Kind::NotSent),
        (|| broken(S::Timeout), Kind::Unknown),
        (|| broken(S::Reset), Kind::Unknown),
        (|| broken(S::TooLarge), Kind::Unknown),
        (|| answer(500, ""), Kind::Unknown),
        (|| answer(502, "<html>"), Kind::Unknown),
        (|| answer(503, ""), Kind::Unknown),
        (|| answer(504, ""), Kind::Unknown),
        (|| answer(522, ""), Kind::Unknown),
        (|| answer(408, ""), Kind::Unknown),
        (|| answer(425, ""), Kind::Unknown),
        (|| answer(418, ""), Kind::Unknown),
        (|| answer(429, ""), Kind::Throttled),
        (|| answer(400, fixture("halo/error_400_exception.json")), Kind::Rejected),
        (|| answer(403, ""), Kind::Rejected),
        (|| answer(404, ""), Kind::Rejected),
        (|| answer(405, ""), Kind::Rejected),
        (|| answer(409, ""), Kind::Rejected),
        (|| answer(413, ""), Kind::Rejected),
        (|| answer(422, ""), Kind::Rejected),
        (|| answer(302, ""), Kind::Unknown),
        (|| ok("<html>login</html>"), Kind::Unknown),
        (|| ok(""), Kind::Unknown),
        (|| ok("{}"), Kind::Unknown),
        (|| ok("null"), Kind::Unknown),
        (|| ok(r#"{"id":900,"na"#), Kind::Unknown),
        (|| ok(r#"{"id":0}"#), Kind::Unknown),
        (|| answer(201, saved().to_string()), Kind::Done),
        (|| ok(json!([saved()]).to_string()), Kind::Done),
    ];
    for (number, (respond, expected)) in table.into_iter().enumerate() {
        let vendor = signed_in(move |_| respond());
        let halo = halo(&vendor);
        let verdict = kind(halo.create_licence(permit(halo.budget()).await, &licence()).await);
        assert_eq!(verdict, expected, "row {number}");
        assert_eq!(vendor.count("/SoftwareLicence"), 1, "row {number}");
    }
}

/// Until it is known what became of it, no other value may follow (invariant 45): a silent repetition would hide that
/// the first may still be carried out.
#[tokio::test(start_paused = true)]
async fn a_set_is_sent_once_too() {
    let fields = Fields::new().with(FieldName::Name, Value::text("Backup"));
    let table: [(fn() -> Answer, Kind); 5] = [
        (|| answer(503, ""), Kind::Unknown),
        (|| broken(SendErrorKind::Timeout), Kind::Unknown),
        (|| answer(429, ""), Kind::Throttled),
        (|| answer(400, "\"no\""), Kind::Rejected),
        (|| broken(SendErrorKind::Connect), Kind::NotSent),
    ];
    for (respond, expected) in table {
        let vendor = signed_in(move |_| respond());
        let halo = halo(&vendor);
        let verdict = halo.update_licence(permit(halo.budget()).await, &TargetId::new("900"), &fields).await;
        assert_eq!(kind(verdict), expected);
        assert_eq!(vendor.count("/SoftwareLicence"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_fails_before_a_write_leaves_no_doubt() {
    for (respond, expected) in [
        ((|| broken(SendErrorKind::Timeout)) as fn() -> Answer, Kind::NotSent),
        (|| answer(503, ""), Kind::NotSent),
        (|| answer(401, fixture("halo/error_token_invalid_client.json")), Kind::Rejected),
    ] {
        let vendor = Vendor::new(move |_| respond());
        let halo = halo(&vendor);
        assert_eq!(kind(halo.create_licence(permit(halo.budget()).await, &licence()).await), expected);
        assert_eq!(vendor.count("/SoftwareLicence"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_wait_with_jitter_and_give_up_after_eight() {
    let vendor = Vendor::new(|_| answer(502, ""));
    let budget = Budget::new(free());
    let caller = Caller {
        vendor: "Halo",
        transport: vendor.clone(),
        budget: budget.clone(),
        lane: Lane::Bulk,
        retry: Retry::default(),
    };
    let started = Instant::now();
    let request = Request::get(Url::parse("https://halo.example/api/Client?search=s3cret").unwrap());
    assert!(!format!("{request:?}").contains("s3cret"));
    let judge = |response: &parhelion::api::http::Response| -> Result<(), _> {
        Err(caller.status("the list", response.status, ""))
    };
    let failure =
        caller.call(Effect::Read, "the list", permit(&budget).await, request, judge).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Status(502));
    assert_eq!(failure.problem.class, Class::Host);
    assert_eq!(vendor.asked().len(), 8);
    assert!(
        started.elapsed() <= Duration::from_secs(1 + 2 + 4 + 8 + 16 + 32 + 60 + 1),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_asked_again() {
    for status in [400, 403, 404, 405, 409, 410, 422] {
        let vendor = signed_in(move |_| answer(status, "\"no such thing\""));
        let result = halo(&vendor).top_levels().await;
        let problem = result.unwrap_err();
        assert!(
            problem.message.contains(&status.to_string()) && problem.message.contains("no such thing"),
            "{problem}"
        );
        assert_eq!(vendor.count("/TopLevel"), 1);
        assert_eq!(problem.class == Class::Auth, status == 403);
    }
    // A page where data should be is not asked for again either; a body cut off is, but not forever.
    for (body, sends) in
        [("<html>maintenance</html>", 1), ("{\"tree\":[{\"id\":1}", 4), ("{}", 4), ("null", 4), ("", 4)]
    {
        let vendor = signed_in(move |_| ok(body));
        assert!(halo(&vendor).top_levels().await.is_err(), "{body}");
        assert_eq!(vendor.count("/TopLevel"), sends, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancelling_a_wait_leaves_the_budget_whole() {
    let vendor = Vendor::slow(Duration::from_secs(50), |_| ok("{}"));
    let budget = Budget::new(window(2, 1000));
    let caller = Arc::new(Caller {
        vendor: "Halo",
        transport: vendor.clone(),
        budget: budget.clone(),
        lane: Lane::Bulk,
        retry: Retry::default(),
    });
    let request = Request::get(Url::parse("https://halo.example/").unwrap());
    let call = caller.call(Effect::Read, "it", permit(&budget).await, request, |_| Ok(()));
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    let snapshot = budget.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.used), (0, 1), "what was sent counts, its place is free");
}
