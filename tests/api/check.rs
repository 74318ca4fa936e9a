use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parhelion::api::budget::Budget;
use parhelion::api::check::{check_halo, check_marketplace};
use parhelion::api::halo::Halo;
use parhelion::api::http::SendErrorKind;
use parhelion::model::check::{Check, CheckState};
use parhelion::model::{Integration, Secret, settings};
use serde_json::json;

use crate::support::*;

fn show(checks: &[Check]) -> String {
    checks.iter().map(|check| format!("{:?} {}: {}\n", check.state, check.name, check.message)).collect()
}

fn states(checks: &[Check]) -> String {
    checks
        .iter()
        .map(|check| match check.state {
            CheckState::Ok => 'o',
            CheckState::Failed => 'F',
            CheckState::Unproven => '?',
            CheckState::Skipped => '-',
        })
        .collect()
}

async fn also(vendor: &Arc<Vendor>) -> Vec<Check> {
    let transport = vendor.clone();
    check_marketplace(
        Integration::Also,
        &marketplace_settings(),
        Secret::new("hunter2!"),
        transport,
        Budget::new(free()),
    )
    .await
}

async fn halo(vendor: &Arc<Vendor>) -> Vec<Check> {
    check_halo(&halo_settings(), Secret::new("hunter2!"), vendor.clone(), Budget::new(free())).await
}

fn dated(answer: Answer, off: i64) -> Answer {
    let now = SystemTime::now();
    let at = if off < 0 {
        now - Duration::from_secs(off.unsigned_abs())
    } else {
        now + Duration::from_secs(off as u64)
    };
    with_header(answer, "date", &httpdate::fmt_http_date(at))
}

fn marketplace_answers(asked: &Asked) -> Answer {
    match asked.path.rsplit('/').next().unwrap() {
        "GetSessionToken" => ok("\"C9C5MlqrpMwGEXAMPLE/+=\""),
        "GetReseller" => ok(fixture("marketplace/get_reseller.response.json")),
        "GetCompanies" => ok(fixture("marketplace/get_companies.response.json")),
        "GetSubscriptions" => ok(fixture("marketplace/get_subscriptions.response.json")),
        "TerminateSessionToken" => ok("null"),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_marketplace_passes_and_nothing_is_written() {
    let vendor = Vendor::new(|asked| dated(marketplace_answers(asked), 10));
    let checks = also(&vendor).await;
    assert_eq!(states(&checks), "ooooooo", "{}", show(&checks));
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(
        names,
        ["address", "name lookup", "encryption", "sign-in", "clock", "customers", "subscriptions"]
    );
    assert_eq!(vendor.count("/GetSessionToken"), 1);
    assert!(vendor.asked().last().unwrap().is("/TerminateSessionToken"));
}

#[tokio::test(start_paused = true)]
async fn every_cause_has_its_own_check_and_sentence() {
    use SendErrorKind as S;
    let table: Vec<(fn() -> Answer, &str, &str)> = vec![
        (|| broken(S::Dns), "oF-----".trim_end(), "was not found"),
        (|| broken(S::Connect), "o?F----", "no connection"),
        (|| broken(S::Tls), "ooF----", "no trusted encryption"),
        (|| broken(S::Timeout), "oooF?--", "did not answer in time"),
        (|| fault("fault_bad_credentials"), "oooF?--", "Check your username and password"),
        (|| fault("fault_mfa_enabled"), "oooF?--", "this account has 2FA on"),
        (|| answer(401, ""), "oooF?--", "401"),
        (|| answer(403, ""), "oooF?--", "403"),
        (|| answer(404, ""), "oooF?--", "does not offer its API"),
        (|| answer(429, ""), "oooF?--", "too many requests"),
        (|| answer(503, "<html>"), "oooF?--", "503"),
        (|| ok("<html>portal</html>"), "oooF?--", "does not offer its API"),
        (|| answer(302, ""), "oooF?--", "redirect"),
    ];
    for (number, (respond, expected, words)) in table.into_iter().enumerate() {
        let vendor = Vendor::new(move |_| respond());
        let checks = also(&vendor).await;
        assert_eq!(states(&checks), expected, "row {number}\n{}", show(&checks));
        assert!(show(&checks).contains(words), "{words}\n{}", show(&checks));
        assert!(!show(&checks).contains("hunter2!"));
        assert_eq!(vendor.asked().len(), 1, "one attempt");
    }
}

#[tokio::test(start_paused = true)]
async fn rights_are_told_from_empty_lists() {
    let vendor = with_session(|asked| {
        if asked.is("/GetCompanies") { fault("fault_missing_role") } else { marketplace_answers(asked) }
    });
    let checks = also(&vendor).await;
    assert_eq!(states(&checks), "oooo?F-");
    assert!(show(&checks).contains("Reseller Admin") && show(&checks).contains("read right"));

    let vendor =
        with_session(|asked| if asked.is("/GetCompanies") { ok("[]") } else { marketplace_answers(asked) });
    let checks = also(&vendor).await;
    assert_eq!(states(&checks), "oooo??-");
    assert!(show(&checks).contains("0 rows, right not proven") && show(&checks).contains("Reseller Admin"));

    let vendor = with_session(|asked| {
        if asked.is("/GetSubscriptions") { answer(403, "") } else { marketplace_answers(asked) }
    });
    assert_eq!(states(&also(&vendor).await), "oooo?oF", "customers fine, subscriptions forbidden (C6)");
    let vendor =
        with_session(
            |asked| if asked.is("/GetSubscriptions") { ok("[]") } else { marketplace_answers(asked) },
        );
    assert_eq!(states(&also(&vendor).await), "oooo?o?");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_and_a_wrong_address_are_found() {
    for (off, state) in [(-400, 'F'), (400, 'F'), (-200, 'o')] {
        let vendor = Vendor::new(move |asked| dated(marketplace_answers(asked), off));
        assert_eq!(states(&also(&vendor).await).chars().nth(4), Some(state), "{off}");
    }
    let vendor = with_session(marketplace_answers);
    let settings = settings::Marketplace {
        marketplace_url: "http://cloud.also.example".into(),
        ..marketplace_settings()
    };
    let checks = check_marketplace(
        Integration::Also,
        &settings,
        Secret::new("x"),
        vendor.clone(),
        Budget::new(free()),
    )
    .await;
    assert_eq!(states(&checks), "F------");
    assert_eq!(vendor.asked().len(), 0);
    let settings = settings::Marketplace {
        marketplace_url: " cloud.also.example/#/login ".into(),
        ..marketplace_settings()
    };
    let checks =
        check_marketplace(Integration::Also, &settings, Secret::new("x"), vendor, Budget::new(free())).await;
    assert!(
        checks[0].message.contains("https://cloud.also.example (removed spaces around it, added https://"),
        "{}",
        checks[0].message
    );
}

#[tokio::test(start_paused = true)]
async fn swapped_credentials_are_suspected() {
    let vendor = Vendor::new(|_| fault("fault_bad_credentials"));
    let settings = settings::Marketplace { username: "hunter2!".into(), ..marketplace_settings() };
    let secret = Secret::new("api@fernhill.example");
    let checks =
        check_marketplace(Integration::Also, &settings, secret, vendor.clone(), Budget::new(free())).await;
    assert!(checks[3].message.contains("look swapped"), "{}", checks[3].message);
    let checks = check_marketplace(
        Integration::Also,
        &marketplace_settings(),
        Secret::new("hunter2! "),
        vendor,
        Budget::new(free()),
    )
    .await;
    assert!(checks[3].message.contains("begins or ends with a space"), "{}", checks[3].message);
}

/// A Halo of so many customers, of which the agent sees the first ones, in pages of 50 whatever is asked.
fn guarded(customers: u64, seen: u64) -> Arc<Vendor> {
    Vendor::new(move |asked| match asked.path.as_str() {
        "/auth/token" => ok(fixture("halo/token.json")),
        "/api/Client" => {
            let from = (asked.page().0 as u64 - 1) * 50;
            let rows: Vec<_> = (from..(from + 50).min(seen)).map(|id| json!({"id": id + 1})).collect();
            json(json!({"record_count": customers, "clients": rows}))
        }
        "/api/Application" => json(json!([
            {"id": 1, "clientId": "another", "displayName": "Other", "inactive": false},
            {"id": 2, "clientId": halo_settings().client_id.to_uppercase(), "displayName": "Parhelion", "inactive": true,
             "loginas_agent_id": 17},
        ])),
        other => panic!("{other}"),
    })
}

#[tokio::test(start_paused = true)]
async fn h3_h4_the_application_and_what_its_agent_may_not_see_are_told() {
    let client = |vendor: &Arc<Vendor>| {
        Halo::new(&halo_settings(), Secret::new("hunter2!"), vendor.clone(), Budget::new(free())).unwrap()
    };
    for (customers, seen, missing) in
        [(120, 120, 0), (120, 110, 10), (120, 60, 20), (120, 0, 120), (0, 0, 0), (50, 50, 0)]
    {
        let vendor = guarded(customers, seen);
        let found = client(&vendor).hidden("customers", "/Client", "clients").await.unwrap();
        assert_eq!(found, (customers, missing), "{seen} of {customers}");
        assert!(vendor.count("/Client") <= 2, "two pages say it");
    }
    let vendor = guarded(1, 1);
    let halo = client(&vendor);
    let mine = halo.application(&halo_settings().client_id).await.unwrap().unwrap();
    assert_eq!((&*mine.name, mine.is_active, mine.agent), ("Parhelion", false, Some(17)));
    assert_eq!(halo.application("nobody").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn halo_is_tested_list_by_list() {
    let answers = |asked: &Asked| match asked.path.as_str() {
        "/auth/token" => ok(fixture("halo/token.json")),
        "/api/AuthInfo" => dated(ok(fixture("halo/authinfo.json")), 0),
        "/api/TopLevel" => ok(fixture("halo/toplevel_page.json")),
        "/api/Client" => ok(fixture("halo/clients_page.json")),
        "/api/SoftwareLicence" => json(json!({"record_count": 0, "licences": []})),
        other => panic!("{other}"),
    };
    let vendor = Vendor::new(answers);
    let checks = halo(&vendor).await;
    assert_eq!(states(&checks), "ooooooo?", "{}", show(&checks));
    assert!(show(&checks).contains("customers: 2 rows"));
    assert!(vendor.asked().iter().all(|asked| asked.method == "GET" || asked.is("/token")), "never writes");

    let vendor =
        Vendor::new(move |asked| if asked.is("/SoftwareLicence") { answer(401, "") } else { answers(asked) });
    let checks = halo(&vendor).await;
    assert_eq!(states(&checks), "oooooooF");
    assert!(show(&checks).contains("permissions"), "{}", show(&checks));

    let vendor = Vendor::new(move |asked| {
        if asked.is("/token") {
            answer(401, fixture("halo/error_token_invalid_client.json"))
        } else {
            answers(asked)
        }
    });
    assert_eq!(states(&halo(&vendor).await), "oooFo---");
    assert_eq!(vendor.count("/token"), 1);
    let vendor = Vendor::new(|_| broken(SendErrorKind::Dns));
    assert_eq!(states(&halo(&vendor).await), "oF------");
    assert_eq!(vendor.asked().len(), 1, "no sign-in is tried");

    let settings = settings::Halo { client_id: "not-a-guid".into(), ..halo_settings() };
    let vendor =
        Vendor::new(move |asked| if asked.is("/token") { answer(401, "{}") } else { answers(asked) });
    let secret = Secret::new("11111111-2222-3333-4444-555555555555");
    let checks = check_halo(&settings, secret, vendor, Budget::new(free())).await;
    assert!(checks[3].message.contains("look swapped"), "{}", checks[3].message);
}
