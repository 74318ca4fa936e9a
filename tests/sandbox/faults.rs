use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use parhelion::sandbox::{Brand, Faults, Host, Kind, Options, Quirks, RESET_HEADER, Rule, Sandbox, When};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Rig, ids};

fn halo(rule: Rule) -> Faults {
    Faults::none().with(Host::Halo, rule)
}

fn on_create(kind: Kind) -> Faults {
    halo(Rule::new(kind).method("POST").path("/api/client").when(When::Nth(vec![1])))
}

fn failing() -> Kind {
    Kind::ServerError { status: 500, applied: false, retry_after: None }
}

#[tokio::test]
async fn rules_count_the_requests_they_match_and_stop_when_spent() {
    let rig = Rig::empty().await;
    rig.sandbox().set_faults(
        halo(Rule::new(failing()).path("/CLIENT").when(When::Every(2)).times(2)).with(
            Host::Halo,
            Rule::new(Kind::Html { status: 503, applied: false }).when(When::Nth(vec![4, 6])),
        ),
    );
    let mut statuses = Vec::new();
    for path in ["client", "Site", "Client", "Client", "client", "Client", "Client", "Client"] {
        statuses.push(rig.get(path).send().await.unwrap().status().as_u16());
    }
    // The second rule counts all requests; where both are due, the first decides.
    assert_eq!(statuses, [200, 200, 500, 503, 500, 503, 200, 200]);
    let told: Vec<_> = rig.sandbox().fired().iter().map(|f| (f.kind, f.matched, f.fired)).collect();
    assert_eq!(told, [("5xx", 7, 2), ("html", 8, 2)]);
}

#[tokio::test]
async fn a_reset_kills_the_connection_before_or_after_the_write() {
    let rig = Rig::empty().await;
    for (kind, applied) in [(Kind::ResetBefore, 0), (Kind::ResetAfter, 1)] {
        rig.sandbox().set_faults(on_create(kind));
        let before = rig.sandbox().halo_clients().len();
        let outcome = rig.post("Client", &json!([{"name": "X"}])).send().await;
        assert!(outcome.is_err(), "{outcome:?}");
        assert_eq!(rig.sandbox().halo_clients().len() - before, applied);
        // Only the first was hit, and the server goes on.
        rig.save("Client", &json!({"name": "Y"})).await;
    }
    let journal = rig.sandbox().journal();
    let told: Vec<_> = journal.iter().map(|w| (w.fault, w.applied)).collect();
    let expected = [(Some("reset_before"), false), (None, true), (Some("reset_after"), true), (None, true)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_late_commit_is_applied_after_its_answer_even_if_nobody_waits() {
    let rig = Rig::empty().await;
    rig.sandbox().set_faults(on_create(Kind::LateCommit { after_ms: 60, status: Some(502) }));
    let answer = rig.post("Client", &json!([{"name": "Late"}])).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(rig.sandbox().halo_clients().is_empty());
    while rig.sandbox().journal().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.sandbox().halo_clients().len(), 1);
    assert!(rig.sandbox().journal()[0].at >= Duration::from_millis(60));
}

#[tokio::test]
async fn errors_refuse_or_apply_as_told() {
    let rig = Rig::empty().await;
    for (kind, status, applied) in [
        (Kind::ServerError { status: 500, applied: false, retry_after: Some("7".into()) }, 500, false),
        (Kind::ServerError { status: 504, applied: true, retry_after: None }, 504, true),
        (Kind::Html { status: 200, applied: false }, 200, false),
        (Kind::TooMany { retry_after: Some("7".into()) }, 429, false),
    ] {
        let waits = matches!(status, 429 | 500);
        rig.sandbox().set_faults(on_create(kind));
        let before = rig.sandbox().halo_clients().len();
        let answer = rig.post("Client", &json!([{"name": "X"}])).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers().get("retry-after").is_some_and(|v| v == "7"), waits);
        assert_eq!(rig.sandbox().halo_clients().len() - before, usize::from(applied));
    }
}

#[tokio::test]
async fn lists_are_spoilt_in_each_way() {
    let rig = Rig::empty().await;
    for n in 0..10 {
        rig.sandbox().put_halo_client(&json!({"name": format!("Client {n}")})).unwrap();
    }
    let list = "Client?pageinate=true&page_size=50&order=id";
    let spoilt = async |kind: Kind| {
        rig.sandbox().set_faults(halo(Rule::new(kind).path("/api/client").times(1)));
        rig.get(list).send().await.unwrap().text().await.unwrap()
    };
    let parsed = async |kind: Kind| serde_json::from_str::<Value>(&spoilt(kind).await).unwrap();
    let half = parsed(Kind::HalfPage).await;
    assert_eq!((half["clients"].as_array().unwrap().len(), &half["record_count"]), (5, &json!(10)));
    let twice = ids(&parsed(Kind::DuplicateRows).await["clients"]);
    assert_eq!((twice.len(), twice[0]), (11, twice[10]));
    assert_eq!(parsed(Kind::WrongTotal { by: -3 }).await["record_count"], 7);
    let empty = parsed(Kind::EmptyList).await;
    assert_eq!((&empty["clients"], &empty["record_count"]), (&json!([]), &json!(0)));
    assert!(parsed(Kind::WrongShape).await.get("clients").is_none());
    assert!(serde_json::from_str::<Value>(&spoilt(Kind::Truncated).await).is_err());
    assert_eq!(parsed(Kind::Drift).await["record_count"], 10);
    assert_eq!(rig.list(list).await["record_count"], 9);
}

#[tokio::test]
async fn ended_sessions_are_noticed_by_the_request_that_was_hit() {
    let rig = Rig::empty().await;
    let session = rig.session(Brand::Also).await;
    rig.sandbox().set_faults(
        Faults::none()
            .with(Host::Halo, Rule::new(Kind::SessionExpired).times(1))
            .with(Host::Also, Rule::new(Kind::SessionExpired).path("getcompanies").times(1)),
    );
    assert_eq!(rig.get("Client").send().await.unwrap().status(), 401);
    assert_eq!(rig.sign_in(&[]).await.status(), 200);
    let ended = rig.call(Brand::Also, &session, "GetCompanies", &json!({})).await;
    assert!(ended.text().await.unwrap().contains("<IsSessionExpired>true"));
    let again = rig.session(Brand::Also).await;
    rig.read(Brand::Also, &again, "GetCompanies", &json!({})).await;
}

#[tokio::test]
async fn a_hang_holds_up_nobody_else() {
    let rig = Rig::empty().await;
    let hang = Kind::Hang { seconds: 3600.0, applied: true };
    rig.sandbox().set_faults(on_create(hang));
    let hung = tokio::spawn(rig.post("Client", &json!([{"name": "Slow"}])).send());
    while rig.sandbox().halo_clients().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(rig.list("Client").await["record_count"], 1);
    assert!(!hung.is_finished());
    hung.abort();
}

#[tokio::test(start_paused = true)]
async fn in_memory_the_same_faults_run_on_a_stopped_clock() {
    let sandbox = Sandbox::empty(Quirks::default());
    let call = async |method: &str, path: &str, token: &str, body: String| {
        let kind =
            if path == "/auth/token" { "application/x-www-form-urlencoded" } else { "application/json" };
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header(header::CONTENT_TYPE, kind)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        sandbox.halo().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    };
    let form = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret";
    let answer = call("POST", "/auth/token", "", form.into()).await;
    let token = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    let token: Value = serde_json::from_slice(&token).unwrap();
    let token = token["access_token"].as_str().unwrap();

    sandbox.set_faults(on_create(Kind::LateCommit { after_ms: 600_000, status: None }));
    let started = Instant::now();
    let reset = call("POST", "/api/client", token, json!([{"name": "X"}]).to_string()).await;
    assert_eq!(reset.headers()[RESET_HEADER], "before");
    assert!(sandbox.halo_clients().is_empty());
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(sandbox.halo_clients().len(), 1);
    assert!(started.elapsed() < Duration::from_secs(60), "no real time passes");

    sandbox.set_faults(on_create(Kind::ResetAfter));
    let reset = call("POST", "/api/client", token, json!([{"name": "Y"}]).to_string()).await;
    assert_eq!(reset.headers()[RESET_HEADER], "after");
    assert_eq!(sandbox.halo_clients().len(), 2);
    // A token lasts an hour.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(call("GET", "/api/client", token, String::new()).await.status(), 401);
}

#[test]
fn files_say_what_is_wrong_with_them() {
    for (file, says) in [
        ("[[halo]]\nkind = \"hiccup\"", "hiccup"),
        ("[[halo]]\nkind = \"429\"\nretry = 1", "retry"),
        ("[[halo]]\nkind = \"429\"\nstatus = 500", "status"),
        ("[[halo]]\nkind = \"hang\"\nnth = 1\nevery = 2", "one of"),
        ("[[halo]]\nkind = \"hang\"\nseconds = -1.0", "seconds"),
        ("[[halo]]\nkind = \"html\"\nprobability = 1.5", "probability"),
        ("[[nobody]]\nkind = \"html\"", "nobody"),
    ] {
        let error = toml::from_str::<Faults>(file).unwrap_err().to_string();
        assert!(error.contains(says), "{file}: {error}");
    }
    let both =
        r#"{"also": [{"kind": "429", "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "nth": [1, 3]}]}"#;
    let faults: Faults = serde_json::from_str(both).unwrap();
    assert_eq!(faults.also[0].when, When::Nth(vec![1, 3]));
}

#[tokio::test]
async fn chance_repeats_with_its_seed() {
    let pattern = async |seed: u64| {
        let faults = halo(Rule::new(failing()).when(When::Probability(0.3)));
        let sandbox = Sandbox::new(Options { seed, faults, ..Options::default() });
        let mut statuses = Vec::new();
        for _ in 0..60 {
            let request = Request::get("/api/authinfo").body(Body::empty()).unwrap();
            statuses.push(sandbox.halo().oneshot(request).await.unwrap().status().as_u16());
        }
        statuses
    };
    let first = pattern(3).await;
    assert_eq!(first, pattern(3).await);
    assert_ne!(first, pattern(4).await);
    let hit = first.iter().filter(|s| **s == 500).count();
    assert!((5..=35).contains(&hit), "{hit}");
}
