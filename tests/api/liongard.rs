//! The Liongard client: lists read as they arrive, pages that end, and writes that are never redirected.

use std::sync::Arc;

use parhelion::api::budget::Budget;
use parhelion::api::call::WriteVerdict;
use parhelion::api::check::check_liongard;
use parhelion::api::http::RealTransport;
use parhelion::api::liongard::{Liongard, LookUp, NewEnvironment};
use parhelion::model::check::{Check, CheckState};
use parhelion::model::settings;
use parhelion::model::{Class, Packed, Secret, SourceId};
use parhelion::sandbox::{
    DuplicateNames, Faults, Host, KeyState, Kind, Quirks, Redirects, Rule, Sandbox, Served,
};
use serde_json::json;

use crate::support::*;

fn nothing(_: u64, _: Option<u64>) {}

fn paths(paths: &[&str]) -> Vec<Box<str>> {
    paths.iter().map(|path| (*path).into()).collect()
}

fn settings_for(url: &str) -> settings::Liongard {
    settings::Liongard {
        url: url.into(),
        access_key_id: "sandbox-access-key".into(),
        pace: free(),
        ..settings::Liongard::default()
    }
}

fn client(vendor: &Arc<Vendor>) -> Liongard {
    let settings = settings_for("us1");
    Liongard::new(&settings, &Secret::new("sandbox-access-secret"), vendor.clone(), Budget::new(free()))
        .unwrap()
        .with_retry(quick())
}

async fn served(sandbox: Sandbox) -> (Served, Liongard) {
    let served = sandbox.serve([127, 0, 0, 1].into()).await.unwrap();
    let liongard = client_of(&served, "sandbox-access-secret");
    (served, liongard)
}

fn client_of(served: &Served, secret: &str) -> Liongard {
    let settings = settings_for(&served.liongard_url());
    let transport = Arc::new(RealTransport::new());
    Liongard::new(&settings, &Secret::new(secret), transport, Budget::new(free()))
        .unwrap()
        .with_retry(quick())
}

fn lion(name: &str) -> String {
    fixture(&format!("liongard/{name}.response.json"))
}

#[tokio::test(start_paused = true)]
async fn the_examples_are_read() {
    let vendor = Vendor::new(|asked| {
        assert!(asked.path.ends_with('/'), "always with the slash: {}", asked.path);
        match asked.path.as_str() {
            "/api/v1/environments/count/" | "/api/v1/systems/count/" => ok("3"),
            "/api/v1/environments/" => ok(lion("v1-environments-list")),
            "/api/v1/systems/" => ok(lion("v1-systems-list")),
            "/api/v1/systems/52001/view/" => ok(lion("v1-system-view")),
            "/api/v1/inspectors/" => ok(lion("v1-inspectors-list")),
            "/api/v1/metrics/" => ok(lion("v1-metrics-list")),
            "/api/v2/metrics/evaluate/" => ok(lion("v2-metrics-evaluate")),
            "/api/v2/inventory/device-profiles/query/" => {
                let body = asked.json();
                assert_eq!(body["Sorting"], json!([{"SortBy": "ID", "Direction": "ASC"}]));
                let page = if body["Pagination"]["Page"] == 1 { "page1" } else { "page2" };
                ok(lion(&format!("v2-device-profiles-query.{page}")))
            }
            path => panic!("{path}"),
        }
    });
    let liongard = client(&vendor);
    let environments = liongard.environments(&nothing).await.unwrap();
    assert!(environments.certificate.complete);
    assert_eq!(environments.records[1].website.as_deref(), Some("blueheron.example"));
    let wanted =
        paths(&["System.Name", "Inspector.Alias", "Launchpoint.Alias", "Environment.Name", "Device.Model"]);
    let systems = liongard.systems(&wanted, &|one| one, &nothing).await.unwrap();
    assert!(systems.certificate.complete, "{:?}", systems.certificate);
    let first = &systems.records[0];
    let facts: Vec<Option<&str>> = first.facts.iter().map(Option::as_deref).collect();
    assert_eq!(
        facts,
        [
            Some("BHD-LT-014"),
            Some("Windows Workstation"),
            Some("Windows Workstation - BHD-LT-014"),
            Some("Blue Heron Dental"),
            None
        ]
    );
    let mut all = systems.records.iter().map(Packed::open);
    let orphan = all.find(|system| &*system.name == "ORPHAN-EXAMPLE").unwrap();
    assert_eq!((&orphan.environment, orphan.inspector, orphan.is_visible), (&None, Some(13), false));
    assert_eq!(orphan.facts[2], None, "its launchpoint is null");
    let devices = liongard
        .devices(
            &SourceId::new("4102"),
            &paths(&["Device.InternalIP", "Device.MACAddress", "Device.PurchaseDate"]),
        )
        .await
        .unwrap();
    assert!(devices.certificate.complete, "{:?}", devices.certificate);
    assert_eq!(devices.records.len(), 3, "both pages");
    assert_eq!(devices.records[0].facts[0].as_deref(), Some("10.20.4.31"), "an array inside a text");
    assert_eq!(devices.records[1].alias.as_deref(), Some("Reception desk"));
    assert_eq!(liongard.inspectors().await.unwrap()[0].id, 8);
    assert_eq!(liongard.metrics().await.unwrap().records[0].inspector, Some(90));
    let mut values = Vec::new();
    liongard.evaluate(&["48473ea6".into()], None, &mut |value| values.push(value), &nothing).await.unwrap();
    assert_eq!((values[0].system.as_str(), &*values[0].text), ("52001", "16"));
    let detail = liongard.detail(&SourceId::new("52001")).await.unwrap().unwrap();
    assert_eq!(detail["raw"]["SystemInfo"]["SerialNumber"], "SYN7Q42");
}

#[tokio::test]
async fn every_redirect_mode_gives_the_same_requests() {
    for redirects in [Redirects::None, Redirects::Roots, Redirects::All] {
        let mut quirks = Quirks::default();
        quirks.liongard.redirects = redirects;
        let (served, liongard) = served(Sandbox::empty(quirks)).await;
        let sandbox = served.sandbox();
        let environment = sandbox.put_environment(&json!({"Name": "Alder"}));
        sandbox.put_system(&json!({"Environment": environment, "Inspector": 90, "Name": "PC-1"}));
        assert_eq!(liongard.environments(&nothing).await.unwrap().records.len(), 1);
        assert_eq!(liongard.systems(&[], &|one| one, &nothing).await.unwrap().records.len(), 1);
        liongard.devices(&environment.into(), &[]).await.unwrap();
        liongard
            .evaluate(&["85a77d1c-c7d6-4617-9086-1b3f2ff312ff".into()], None, &mut |_| {}, &nothing)
            .await
            .unwrap();
        let new = NewEnvironment { name: "Brand New".into(), description: "".into() };
        let budget = liongard.budget().clone();
        let made = liongard.create_environment(permit(&budget).await, &new, &|_| false).await;
        let WriteVerdict::Done(made) = made else { panic!("{made:?}") };
        assert_eq!(&*made.name, "Brand New");
        assert_eq!(sandbox.environments().len(), 2);
        assert_eq!(sandbox.requests(Host::Liongard).count, 7, "{redirects:?}: none was sent twice");
        served.shut_down().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_never_redirected_and_a_list_is_not_a_new_environment() {
    let new = NewEnvironment { name: "Copper Ridge Law".into(), description: "".into() };
    let redirect = || with_header(answer(301, "Moved"), "location", "/api/v2/environments/");
    let answers: [(fn() -> Answer, &str); 4] = [
        (redirect, "a redirect"),
        (|| ok(lion("v2-environments-list")), "the list, as a followed redirect would bring it"),
        (|| ok(lion("v2-environment-create")), "another name than was sent"),
        (
            || ok("{\"Success\":true,\"Data\":{\"ID\":4103,\"Name\":\"Copper Ridge Law\"}}"),
            "one that was there",
        ),
    ];
    for (script, why) in answers {
        let vendor = Vendor::new(move |_| script());
        let liongard = client(&vendor);
        let budget = liongard.budget().clone();
        let known = |id: &SourceId| id.as_str() == "4103";
        let verdict = liongard.create_environment(permit(&budget).await, &new, &known).await;
        assert!(matches!(verdict, WriteVerdict::Unknown(_)), "{why}: {verdict:?}");
        assert_eq!(vendor.asked().len(), 1, "{why}: sent once");
        assert_eq!(vendor.asked()[0].method, "POST");
    }
    for shape in ["v2-environment-create", "v2-environment-create.array-variant"] {
        let vendor = Vendor::new(move |_| ok(lion(shape)));
        let liongard = client(&vendor);
        let budget = liongard.budget().clone();
        let new = NewEnvironment { name: "Harbor & Finch, LLC".into(), description: "".into() };
        let verdict = liongard.create_environment(permit(&budget).await, &new, &|_| false).await;
        assert!(matches!(verdict, WriteVerdict::Done(_)), "{shape}");
    }
}

#[tokio::test]
async fn refusals_of_a_create_are_refusals_and_a_lost_answer_is_in_doubt() {
    let new = NewEnvironment { name: "Alder".into(), description: "".into() };
    for (duplicates, read_only) in [
        (DuplicateNames::Refused, false),
        (DuplicateNames::Conflict, false),
        (DuplicateNames::Accepted, true),
    ] {
        let mut quirks = Quirks::default();
        quirks.liongard.duplicate_names = duplicates;
        quirks.liongard.read_only = read_only;
        let (served, liongard) = served(Sandbox::empty(quirks)).await;
        served.sandbox().put_environment(&json!({"Name": "Alder"}));
        let budget = liongard.budget().clone();
        let verdict = liongard.create_environment(permit(&budget).await, &new, &|_| false).await;
        assert!(matches!(verdict, WriteVerdict::Rejected(_)), "{verdict:?}");
        served.shut_down().await;
    }
    let (served, liongard) = served(Sandbox::empty(Quirks::default())).await;
    let fault = Rule::new(Kind::ResetAfter).method("POST").times(1);
    served.sandbox().set_faults(Faults::none().with(Host::Liongard, fault));
    let budget = liongard.budget().clone();
    let verdict = liongard.create_environment(permit(&budget).await, &new, &|_| false).await;
    assert!(matches!(verdict, WriteVerdict::Unknown(_)), "{verdict:?}");
    assert_eq!(served.sandbox().environments().len(), 1, "it was carried out all the same");
    served.shut_down().await;
}

#[tokio::test]
async fn a_list_of_many_megabytes_is_read_as_it_arrives() {
    let sandbox = Sandbox::empty(Quirks::default());
    let environment = sandbox.put_environment(&json!({"Name": "Alder"}));
    for n in 0..20_000 {
        sandbox.put_system(&json!({"Environment": environment, "Inspector": 90, "Name": format!("PC-{n}")}));
    }
    let (served, liongard) = served(sandbox).await;
    let systems = liongard.systems(&paths(&["Inspector.Alias"]), &|one| one, &nothing).await.unwrap();
    assert!(systems.certificate.complete, "some 40 MiB, beyond what is held of an answer");
    assert_eq!(systems.records.len(), 20_000);
    served.shut_down().await;
}

#[tokio::test]
async fn a_list_that_is_cut_off_or_does_not_add_up_proves_nothing() {
    let sandbox = Sandbox::empty(Quirks::default());
    let environment = sandbox.put_environment(&json!({"Name": "Alder"}));
    for n in 0..300 {
        sandbox.put_system(&json!({"Environment": environment, "Inspector": 90, "Name": format!("PC-{n}")}));
    }
    let (served, liongard) = served(sandbox).await;
    let fault = |kind: Kind| {
        served.sandbox().set_faults(
            Faults::none().with(Host::Liongard, Rule::new(kind).path("v1/systems").method("GET")),
        );
    };
    fault(Kind::Truncated);
    let problem = liongard.systems(&[], &|one| one, &nothing).await.unwrap_err();
    assert!(problem.message.contains("cut off") || problem.message.contains("number"), "{problem}");
    for kind in [Kind::HalfPage, Kind::DuplicateRows, Kind::EmptyList] {
        fault(kind.clone());
        let systems = liongard.systems(&[], &|one| one, &nothing).await.unwrap();
        assert!(!systems.certificate.complete, "{kind:?}");
    }
    fault(Kind::WrongShape);
    assert!(liongard.systems(&[], &|one| one, &nothing).await.is_err());
    let once = Rule::new(Kind::Truncated).path("v1/systems").when(parhelion::sandbox::When::Nth(vec![2]));
    served.sandbox().set_faults(Faults::none().with(Host::Liongard, once));
    let systems = liongard.systems(&[], &|one| one, &nothing).await.unwrap();
    assert!(systems.certificate.complete && systems.records.len() == 300, "the second reading starts anew");
    served.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn odd_records_are_named_and_cost_the_certificate() {
    let vendor = Vendor::new(|asked| match asked.path.as_str() {
        "/api/v1/systems/count/" => ok("4"),
        _ => ok(r#"[{"ID":1,"Name":"A"},{"Name":"no id"},5,{"ID":"2","Name":["a","b"],"Environment":[]}]"#),
    });
    let systems = client(&vendor).systems(&paths(&["System.Name"]), &|one| one, &nothing).await.unwrap();
    assert_eq!(systems.records.len(), 2);
    assert_eq!(systems.records[1].facts[0].as_deref(), Some("a, b"), "an array where a text should be");
    assert_eq!(systems.problems.len(), 2);
    assert!(!systems.certificate.complete);
}

#[tokio::test]
async fn keys_that_are_refused_say_why_and_are_not_tried_again() {
    for (state, secret, word) in [
        (KeyState::Expired, "sandbox-access-secret", "has expired"),
        (KeyState::Revoked, "sandbox-access-secret", "was revoked"),
        (KeyState::Valid, "x7-wrong", "of another instance"),
    ] {
        let mut quirks = Quirks::default();
        quirks.liongard.key = state;
        let (served, _) = served(Sandbox::empty(quirks)).await;
        let liongard = client_of(&served, secret);
        let failure = liongard.count_environments().await.unwrap_err();
        assert_eq!(failure.problem.class, Class::Auth);
        assert!(failure.problem.message.contains(word), "{}", failure.problem);
        assert!(!failure.problem.to_string().contains(secret));
        assert_eq!(served.sandbox().requests(Host::Liongard).count, 1);
        served.shut_down().await;
    }
}

#[tokio::test]
async fn absence_is_confirmed_by_an_answer_that_can_mean_nothing_else() {
    for as_empty in [false, true] {
        let mut quirks = Quirks::default();
        quirks.liongard.unknown_as_empty = as_empty;
        let (served, liongard) = served(Sandbox::empty(quirks)).await;
        let environment = served.sandbox().put_environment(&json!({"Name": "Alder"}));
        let system =
            served.sandbox().put_system(&json!({"Environment": environment, "Inspector": 90, "Name": "A"}));
        assert_eq!(liongard.look_up_system(&system.into()).await, LookUp::Present);
        served.sandbox().remove_system(system);
        assert_eq!(liongard.look_up_system(&system.into()).await, LookUp::Gone);
        let fault = Rule::new(Kind::ServerError { status: 403, applied: false, retry_after: None });
        served.sandbox().set_faults(Faults::none().with(Host::Liongard, fault));
        assert!(matches!(liongard.look_up_system(&system.into()).await, LookUp::Unconfirmed(_)));
        served.shut_down().await;
    }
}

#[tokio::test]
async fn pages_end_where_the_vendor_says_and_under_any_cap() {
    for (cap, beside) in [(100, false), (7, false), (7, true)] {
        let mut quirks = Quirks::default();
        quirks.liongard.page_cap = cap;
        quirks.liongard.metric_page_cap = cap;
        quirks.liongard.paging_beside = beside;
        let (served, liongard) = served(Sandbox::empty(quirks)).await;
        let environment = served.sandbox().put_environment(&json!({"Name": "Alder"}));
        for n in 0..50 {
            served.sandbox().put_system(&json!({"Environment": environment, "Inspector": 90, "Name": format!("PC-{n}"), "ram": 16, "os": "W"}));
        }
        let devices = liongard.devices(&environment.into(), &[]).await.unwrap();
        assert!(devices.certificate.complete && devices.records.len() == 50, "{:?}", devices.certificate);
        let mut values = 0;
        let metrics =
            ["48473ea6-41a0-4bd6-9224-8ed9d0726576".into(), "85a77d1c-c7d6-4617-9086-1b3f2ff312ff".into()];
        liongard.evaluate(&metrics, None, &mut |_| values += 1, &nothing).await.unwrap();
        assert_eq!(values, 100);
        served.shut_down().await;
    }
    // A server that always has one more page is stopped.
    let vendor = Vendor::new(|_| ok(lion("v2-device-profiles-query.page1")));
    let devices = client(&vendor).devices(&SourceId::new("4102"), &[]).await.unwrap();
    assert!(!devices.certificate.complete);
    assert_eq!(vendor.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_says_that_it_failed_has_failed() {
    let vendor = Vendor::new(|_| ok("{\"Success\":false,\"Message\":\"Bad request\"}"));
    let failure = client(&vendor).count_environments().await.unwrap_err();
    assert!(failure.problem.message.contains("Bad request"), "{}", failure.problem);
    let vendor = Vendor::new(|_| answer(400, lion("error-v2-400-validation")));
    let failure = client(&vendor).count_environments().await.unwrap_err();
    assert!(failure.problem.message.contains("Sorting: Expected Array"), "{}", failure.problem);
}

async fn tested(url: &str, secret: &str, expires: &str) -> Vec<Check> {
    let settings = settings::Liongard { access_key_expires: expires.into(), ..settings_for(url) };
    let today = "2026-02-03".parse().unwrap();
    let transport = Arc::new(RealTransport::new());
    check_liongard(&settings, Secret::new(secret), today, transport, Budget::new(free())).await
}

fn state(checks: &[Check], name: &str) -> (CheckState, String) {
    let check =
        checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{name}: {checks:?}"));
    (check.state, check.message.clone())
}

const SECRET: &str = "sandbox-access-secret";

#[tokio::test]
async fn l3_each_cause_of_a_failed_test_is_told_apart_and_nothing_is_written() {
    let good = Sandbox::empty(Quirks::default()).serve([127, 0, 0, 1].into()).await.unwrap();
    let checks = tested(&good.liongard_url(), SECRET, "").await;
    assert!(
        checks.iter().all(|check| !matches!(check.state, CheckState::Failed | CheckState::Skipped)),
        "{checks:?}"
    );
    let wrong = tested(&good.liongard_url(), "x7-wrong", "").await;
    let (failed, said) = state(&wrong, "sign-in");
    assert!(failed == CheckState::Failed && said.contains("of another instance"), "{said}");
    assert!(!format!("{wrong:?}").contains("x7-wrong"));
    let spaces = tested(&good.liongard_url(), " x7-wrong", "").await;
    assert!(state(&spaces, "sign-in").1.contains("begins or ends with a space"), "{spaces:?}");
    assert!(good.sandbox().journal().is_empty());
    good.shut_down().await;
    for (key, word) in [(KeyState::Expired, "has expired"), (KeyState::Revoked, "was revoked")] {
        let mut quirks = Quirks::default();
        quirks.liongard.key = key;
        let (served, _) = served(Sandbox::empty(quirks)).await;
        let checks = tested(&served.liongard_url(), SECRET, "").await;
        let (failed, said) = state(&checks, "sign-in");
        assert!(failed == CheckState::Failed && said.contains(word), "{said}");
        assert_eq!(state(&checks, "systems").0, CheckState::Skipped);
        served.shut_down().await;
    }
    // Rights to environments, not to systems.
    let mut quirks = Quirks::default();
    quirks.liongard.systems_denied = true;
    let (denied, _) = served(Sandbox::empty(quirks)).await;
    denied.sandbox().put_environment(&json!({"Name": "Alder"}));
    let checks = tested(&denied.liongard_url(), SECRET, "").await;
    assert_eq!(
        (state(&checks, "sign-in").0, state(&checks, "environments").0),
        (CheckState::Ok, CheckState::Ok)
    );
    let (failed, said) = state(&checks, "systems");
    assert!(failed == CheckState::Failed && said.contains("does not allow"), "{said}");
    denied.shut_down().await;
    // A host that is no instance of Liongard, and one that is not there.
    for kind in [
        Kind::Html { status: 200, applied: false },
        Kind::ServerError { status: 404, applied: false, retry_after: None },
    ] {
        let (served, _) = served(Sandbox::empty(Quirks::default())).await;
        served.sandbox().set_faults(Faults::none().with(Host::Liongard, Rule::new(kind)));
        let checks = tested(&served.liongard_url(), SECRET, "").await;
        assert!(state(&checks, "sign-in").1.contains("not an instance of Liongard"), "{checks:?}");
        served.shut_down().await;
    }
    // Nonsense is answered with 500: not an outage, says the hint.
    let (nonsense, _) = served(Sandbox::empty(Quirks::default())).await;
    let fault = Rule::new(Kind::ServerError { status: 500, applied: false, retry_after: None });
    nonsense.sandbox().set_faults(Faults::none().with(Host::Liongard, fault));
    let checks = tested(&nonsense.liongard_url(), SECRET, "").await;
    assert!(state(&checks, "sign-in").1.contains("check id and secret"), "{checks:?}");
    nonsense.shut_down().await;
}

#[tokio::test]
async fn l2_p47_the_address_is_taken_as_people_type_it_and_the_end_of_the_token_is_said_in_time() {
    for typed in ["us1", " us1 ", "us1.app.liongard.com", "https://us1.app.liongard.com/", "US1"] {
        let settings = settings_for(typed);
        let made = Liongard::new(
            &settings,
            &Secret::new(SECRET),
            Arc::new(RealTransport::new()),
            Budget::new(free()),
        );
        assert!(made.is_ok(), "{typed}");
    }
    for typed in ["", "http://us1.app.liongard.com", "ftp://x"] {
        let settings = settings_for(typed);
        let made = Liongard::new(
            &settings,
            &Secret::new(SECRET),
            Arc::new(RealTransport::new()),
            Budget::new(free()),
        );
        assert!(made.is_err(), "{typed}");
    }
    let (served, _) = served(Sandbox::empty(Quirks::default())).await;
    for (expires, expected, word) in [
        ("", CheckState::Unproven, ""),
        ("2027-02-03", CheckState::Ok, "2027-02-03"),
        ("2026-02-20", CheckState::Unproven, "17 days"),
        ("2026-02-01", CheckState::Failed, "2026-02-01"),
    ] {
        let checks = tested(&served.liongard_url(), SECRET, expires).await;
        let (found, said) = state(&checks, "expiry");
        assert!(said.contains(word), "{expires}: {said}");
        assert!(found == expected || expires.is_empty(), "{expires}: {found:?} {said}");
    }
    served.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn bad_input_array_typed_text_is_read_as_the_words_in_it() {
    let device = serde_json::json!({
        "ID": "0b6f1a3e-5d1c-4f0e-9a77-000000000001", "EnvironmentID": 4102, "Hostname": "PC-1",
        // PostgreSQL's spelling of a list inside a string, and real lists, in one record (apis/liongard.md 7).
        "InternalIP": "{\"10.20.4.31\",\"fe80::1\"}", "ExternalIP": "{}", "MACAddress": ["02:00:5E:10:00:0E", "02:00:5E:10:00:0F"],
        "Antivirus": [], "EDR": [null, "Example EDR"], "SerialNumber": ["SYN1"], "Model": {"Name": "x"}, "Alias": "  ",
    });
    let vendor = Vendor::new(move |_| {
        json(serde_json::json!({"Success": true, "Data": {
            "DeviceProfiles": [device],
            "Pagination": {"TotalRows": 1, "HasMoreRows": false, "CurrentPage": 1, "TotalPages": 1, "PageSize": 100},
        }}))
    });
    let wanted = paths(&[
        "Device.InternalIP",
        "Device.ExternalIP",
        "Device.MACAddress",
        "Device.Antivirus",
        "Device.EDR",
        "Device.Model",
    ]);
    let devices = client(&vendor).devices(&4102.into(), &wanted).await.unwrap();
    let [device] = devices.records.as_slice() else { panic!("{devices:?}") };
    let facts: Vec<Option<&str>> = device.facts.iter().map(Option::as_deref).collect();
    assert_eq!(
        facts,
        [
            Some("10.20.4.31, fe80::1"),
            None,
            Some("02:00:5E:10:00:0E, 02:00:5E:10:00:0F"),
            None,
            Some("Example EDR"),
            None
        ]
    );
    assert_eq!(device.alias, None, "spaces are no name");
}

#[tokio::test]
async fn l17_a_create_goes_to_the_path_with_the_slash_once_and_alone() {
    for redirects in [Redirects::None, Redirects::Roots, Redirects::All] {
        let mut quirks = Quirks::default();
        quirks.liongard.redirects = redirects;
        let (served, liongard) = served(Sandbox::empty(quirks)).await;
        let new = NewEnvironment { name: "Brand New".into(), description: "From HaloPSA (PHL-x)".into() };
        let budget = liongard.budget().clone();
        let made = liongard.create_environment(permit(&budget).await, &new, &|_| false).await;
        assert!(matches!(made, WriteVerdict::Done(_)), "{redirects:?}: {made:?}");
        let journal = served.sandbox().journal();
        assert_eq!(journal.len(), 1);
        assert_eq!(
            (journal[0].method.as_str(), served.sandbox().requests(Host::Liongard).count),
            ("POST", 1)
        );
        served.shut_down().await;
    }
    // Other redirects, and their bodies, are no answer either: the request is not sent again anywhere.
    for status in [301, 302, 303, 307, 308] {
        let vendor = Vendor::new(move |_| {
            with_header(answer(status, ""), "location", "https://other.example/api/v2/environments/")
        });
        let liongard = client(&vendor);
        let budget = liongard.budget().clone();
        let new = NewEnvironment { name: "Brand New".into(), description: "".into() };
        let verdict = liongard.create_environment(permit(&budget).await, &new, &|_| false).await;
        assert!(!matches!(verdict, WriteVerdict::Done(_)), "{status}: {verdict:?}");
        let asked = vendor.asked();
        assert_eq!(
            (asked.len(), asked[0].method.as_str(), asked[0].path.as_str()),
            (1, "POST", "/api/v2/environments/")
        );
    }
}
