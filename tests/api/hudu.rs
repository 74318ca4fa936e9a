//! Hudu's client: against the contract's examples, and against the simulated Hudu with its traps.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parhelion::api::budget::Budget;
use parhelion::api::call::WriteVerdict;
use parhelion::api::check::check_hudu;
use parhelion::api::http::{RealTransport, SendErrorKind};
use parhelion::api::hudu::{Cell, CompanyFields, FieldKind, Hudu, Layout, NewAsset, NewLayout, Relation};
use parhelion::model::check::CheckState;
use parhelion::model::{Address, Class, Secret, TargetId, settings};
use parhelion::sandbox::{
    Faults, Host, HuduOrder, HuduQuirks, Kind, Options, Quirks, Rule, Sandbox, Served, When,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::*;

fn nothing(_: u64, _: Option<u64>) {}

fn settings(url: &str) -> settings::Hudu {
    settings::Hudu { url: url.into(), ..settings::Hudu::default() }
}

fn hudu(vendor: &Arc<Vendor>) -> Hudu {
    let settings = settings("https://docs.example/");
    Hudu::new(&settings, Secret::new("0123456789abcdefghijklmn"), vendor.clone(), Budget::new(free()))
        .unwrap()
        .with_retry(quick())
}

/// The response of an example file.
fn example(name: &str) -> Answer {
    let file = fixture_json(&format!("hudu/{name}.json"));
    let response = &file["response"];
    let body = match &response["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    answer(response["status"].as_u64().unwrap() as u16, body)
}

/// The body that an example file sends.
fn sent(name: &str) -> Value {
    fixture_json(&format!("hudu/{name}.json"))["request"]["body"].clone()
}

/// Page 1 as the example has it, nothing behind it.
fn paged(asked: &Asked, name: &str, key: &str) -> Answer {
    if asked.query("page") == Some("1") { example(name) } else { json(json!({ key: [] })) }
}

async fn served(quirks: HuduQuirks) -> (Served, Hudu) {
    of(Sandbox::empty(Quirks { hudu: quirks, ..Quirks::default() })).await
}

async fn of(sandbox: Sandbox) -> (Served, Hudu) {
    let served = sandbox.serve([127, 0, 0, 1].into()).await.unwrap();
    let document = served.document();
    let key = Secret::new(document["hudu"]["api_key"].as_str().unwrap());
    let settings = settings(document["hudu"]["url"].as_str().unwrap());
    let hudu = Hudu::new(&settings, key, Arc::new(RealTransport::new()), Budget::new(free())).unwrap();
    (served, hudu.with_retry(quick()))
}

fn done<T>(verdict: WriteVerdict<T>) -> T {
    match verdict {
        WriteVerdict::Done(value) => value,
        WriteVerdict::Rejected(problem) | WriteVerdict::Unknown(problem) | WriteVerdict::NotSent(problem) => {
            panic!("{problem}")
        }
        WriteVerdict::Throttled => panic!("throttled"),
    }
}

fn named(name: &str) -> CompanyFields {
    CompanyFields { name: Some(name.into()), ..CompanyFields::default() }
}

/// A layout of text fields, as the simulated Hudu has it.
fn put_layout(served: &Served, name: &str, labels: &[(&str, &str)]) -> i64 {
    let fields: Vec<Value> = labels
        .iter()
        .zip(1..)
        .map(|((label, kind), at)| json!({"label": label, "field_type": kind, "position": at}))
        .collect();
    let layout = json!({"name": name, "icon": "fas fa-x", "color": "#000000", "icon_color": "#ffffff", "fields": fields});
    served.sandbox().put_hudu("layouts", &layout).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_examples_are_read() {
    let vendor = Vendor::new(|asked| match asked.path.as_str() {
        "/api/v1/companies" => paged(asked, "companies_list", "companies"),
        "/api/v1/asset_layouts" => paged(asked, "asset_layouts_list", "asset_layouts"),
        "/api/v1/asset_layouts/7" => example("asset_layouts_get"),
        "/api/v1/asset_layouts/99" => example("error_200_null_asset_layout"),
        "/api/v1/assets" => paged(asked, "assets_list_filtered", "assets"),
        "/api/v1/companies/41/assets/501" => example("error_404_asset"),
        path => panic!("{path}"),
    });
    let hudu = hudu(&vendor);
    let companies = hudu.companies(&nothing).await.unwrap();
    assert_eq!(companies.certificate.why_not, None);
    let acme = &companies.records[0];
    assert_eq!((acme.id.as_str(), &*acme.name), ("41", "Acme Dental Group"));
    assert_eq!((acme.halo_id.as_deref(), acme.id_number.as_deref()), (Some("12"), Some("HALO-12")));
    assert_eq!((&*acme.address.city, acme.is_archived), ("Bristol", false));
    assert_eq!(companies.records[1].halo_id, None);

    let layouts = hudu.layouts().await.unwrap().proven().unwrap();
    assert!(layouts.iter().any(|layout| &*layout.name == "Sites"));
    let sites = hudu.layout(7).await.unwrap().unwrap();
    assert_eq!(sites.field("main phone").unwrap().key(), "main_phone");
    assert_eq!(sites.field("Address").unwrap().kind, FieldKind::AddressData);
    assert_eq!(hudu.layout(99).await.unwrap(), None, "null stands for missing");

    let assets = hudu.assets(&sites, false, &|one| one, &nothing).await.unwrap().proven().unwrap();
    let office = &assets[0];
    assert_eq!(office.cell("Halo Site ID"), Some(&Cell::Text("31".into())));
    assert_eq!(office.cell("Active"), Some(&Cell::Flag(true)));
    let Some(Cell::Address(address)) = office.cell("Address") else { panic!("{office:?}") };
    assert_eq!((&*address.street, &*address.postcode), ("1 Harbour Street", "BS1 4ZZ"));
    assert_eq!(hudu.asset(&41.into(), &501.into(), &[&sites]).await.unwrap(), None);

    let asked = vendor.asked();
    let first = asked.iter().find(|asked| asked.is("/assets")).unwrap();
    assert_eq!((first.query("page_size"), first.query("asset_layout_id")), (Some("1000"), Some("7")));
    let layouts = asked.iter().find(|asked| asked.is("/asset_layouts")).unwrap();
    assert_eq!(layouts.query("page_size"), None, "not known there");
}

#[tokio::test(start_paused = true)]
async fn people_and_their_cards_are_read() {
    let mut layout = fixture_json("hudu/asset_layouts_add_field.json")["response"]["body"].clone();
    let vendor = Vendor::new(move |asked| match asked.path.as_str() {
        "/api/v1/asset_layouts/8" => json(layout.take()),
        "/api/v1/companies/41/assets/502" => example("assets_get"),
        path => panic!("{path}"),
    });
    let hudu = hudu(&vendor);
    let people = hudu.layout(8).await.unwrap().unwrap();
    let jo = hudu.asset(&41.into(), &502.into(), &[&people]).await.unwrap().unwrap();
    assert_eq!(jo.cell("Site"), Some(&Cell::Assets(vec![501])));
    assert_eq!((&*jo.cards[0].kind, &*jo.cards[0].halo_id), ("contact", "207"));
    // The very same answer, asked of another company, is refused.
    let vendor = Vendor::new(|_| example("assets_get"));
    let refused = self::hudu(&vendor).asset(&42.into(), &502.into(), &[&people]).await.unwrap_err();
    assert!(refused.message.contains("belongs to another company (41)"), "{refused}");
    let refused = self::hudu(&vendor).asset(&41.into(), &503.into(), &[&people]).await.unwrap_err();
    assert!(refused.message.contains("is about asset 502"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn writes_are_worded_like_the_examples() {
    let vendor = Vendor::new(|asked| match asked.path.as_str() {
        "/api/v1/asset_layouts/7" => example("asset_layouts_get"),
        "/api/v1/companies/41/assets" => example("assets_create"),
        "/api/v1/asset_layouts/8" => example("asset_layouts_activate"),
        path => panic!("{path}"),
    });
    let hudu = hudu(&vendor);
    let sites = hudu.layout(7).await.unwrap().unwrap();
    let address = Address {
        street: "1 Harbour Street".into(),
        city: "Bristol".into(),
        region: "Somerset".into(),
        postcode: "BS1 4ZZ".into(),
        country: "GB".into(),
    };
    let new = NewAsset {
        name: Some("Head Office".into()),
        cells: vec![
            ("Halo Site ID".into(), Cell::Text("31".into())),
            ("Main Phone".into(), Cell::Text("+44 117 496 0100".into())),
            ("Address".into(), Cell::Address(Box::new(address))),
            ("Notes".into(), Cell::Text("<p>Ring the bell</p>".into())),
            ("Active".into(), Cell::Flag(true)),
        ],
    };
    let made = done(hudu.create_asset(permit(hudu.budget()).await, &41.into(), &sites, &new).await);
    assert_eq!(made.id.as_str(), "501");
    let mut wanted = sent("assets_create");
    let fields = wanted["asset"]["custom_fields"].as_array_mut().unwrap();
    fields.retain(|field| field.get("site_type").is_none());
    // A blank part is left out: it would be one that somebody cleared.
    fields[2]["address"].as_object_mut().unwrap().remove("address_line_2");
    assert_eq!(vendor.asked().last().unwrap().json(), wanted);

    // An answer about another company proves nothing of this one.
    let vendor_of_another = Vendor::new(|_| example("assets_create"));
    let other = self::hudu(&vendor_of_another);
    let verdict = other.create_asset(permit(other.budget()).await, &42.into(), &sites, &new).await;
    assert!(matches!(verdict, WriteVerdict::Unknown(_)), "{verdict:?}");
    let people = Layout { id: 8, name: "People".into(), is_active: false, fields: Vec::new() };
    done(hudu.activate_layout(permit(hudu.budget()).await, &people).await);
    let last = vendor.asked().last().unwrap().clone();
    assert_eq!((last.method.as_str(), last.json()), ("PUT", sent("asset_layouts_activate")));
}

#[tokio::test(start_paused = true)]
async fn every_shape_of_error_becomes_a_sentence() {
    for (name, words) in [
        ("error_422_company_name_taken", "Validation failed: Name has already been taken"),
        ("error_422_custom_fields_unknown", "Invalid custom fields: Invalid field names: not_a_field"),
        ("error_422_errors_array", ""),
        ("error_422_errors_string", "Network does not belong to the specified company"),
        ("error_500_layout_incomplete", "Internal Server Error"),
    ] {
        let vendor = Vendor::new(move |_| example(name));
        let hudu = hudu(&vendor);
        let verdict = hudu.create_company(permit(hudu.budget()).await, &named("Acme")).await;
        let problem = match verdict {
            WriteVerdict::Rejected(problem) => {
                assert!(name.starts_with("error_422"), "{name}");
                problem
            }
            WriteVerdict::Unknown(problem) => {
                assert!(name.starts_with("error_500"), "{name}: a 500 may have been carried out");
                problem
            }
            other => panic!("{name}: {other:?}"),
        };
        assert!(problem.message.contains(words), "{name}: {problem}");
        assert_eq!(vendor.asked().len(), 1, "{name}: a create is sent once");
        if name.contains("name_taken") {
            assert!(problem.remedy.contains("archived perhaps"), "{problem}");
        }
    }
    let vendor = Vendor::new(|_| example("error_401_bad_key"));
    let problem = hudu(&vendor).companies(&nothing).await.unwrap_err();
    assert_eq!(problem.class, Class::Auth);
    assert!(problem.message.contains("Bad credentials"), "{problem}");
    assert_eq!(vendor.asked().len(), 1, "a refused key is not tried again");
}

#[tokio::test(start_paused = true)]
async fn a_pause_without_a_time_lasts_to_the_end_of_the_window() {
    let mut calls = 0;
    let vendor = Vendor::new(move |_| {
        calls += 1;
        if calls == 1 { example("error_429_rate_limited") } else { json(json!({"version": "2.45.1"})) }
    });
    let started = Instant::now();
    assert_eq!(hudu(&vendor).version().await.unwrap(), "2.45.1");
    let waited = started.elapsed();
    assert!(waited >= Duration::from_secs(2) && waited <= Duration::from_secs(303), "{waited:?}");
    let at: Vec<Instant> = vendor.asked().iter().map(|asked| asked.at).collect();
    assert_eq!(at.len(), 2, "nothing is sent meanwhile");
}

#[tokio::test]
async fn only_fields_of_the_layout_are_sent_and_reserved_names_never() {
    let (served, hudu) = served(HuduQuirks::default()).await;
    put_layout(
        &served,
        "Odd",
        &[("Name", "Text"), ("Plain", "Text"), ("Count", "Number"), ("Web", "Website")],
    );
    let company = served.sandbox().put_hudu("companies", &json!({"name": "Alder"})).unwrap();
    let layout = hudu.layouts().await.unwrap().proven().unwrap().remove(0);
    for (label, cell, why) in [
        ("Missing", Cell::Text("x".into()), "the layout has no such field"),
        ("Name", Cell::Text("x".into()), "Hudu keeps this name for itself"),
        ("Count", Cell::Flag(true), "a Number field cannot hold this"),
        ("Web", Cell::Text("two words".into()), "a Website field cannot hold this"),
    ] {
        let new = NewAsset { name: Some("A".into()), cells: vec![(label.into(), cell)] };
        let verdict = hudu.create_asset(permit(hudu.budget()).await, &company.into(), &layout, &new).await;
        let WriteVerdict::NotSent(problem) = verdict else { panic!("{label}: {verdict:?}") };
        assert!(problem.message.contains(why), "{problem}");
    }
    assert!(served.sandbox().hudu_assets().is_empty());
    let cells =
        vec![("Web".into(), Cell::Text("http://a.example".into())), ("Count".into(), Cell::Number(7))];
    let new = NewAsset { name: Some("A".into()), cells };
    let made = done(hudu.create_asset(permit(hudu.budget()).await, &company.into(), &layout, &new).await);
    assert_eq!(made.cell("Web"), Some(&Cell::Text("https://a.example".into())));
    assert_eq!(made.cell("Count"), Some(&Cell::Number(7)));
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_what_was_made_is_found() {
    let (served, hudu) = served(HuduQuirks::default()).await;
    put_layout(&served, "Sites", &[("Halo Site ID", "Text")]);
    let layout = hudu.layouts().await.unwrap().proven().unwrap().remove(0);
    served.sandbox().set_faults(Faults::none().with(Host::Hudu, Rule::new(Kind::ResetAfter).method("POST")));
    let verdict = hudu.create_company(permit(hudu.budget()).await, &named("Birch")).await;
    assert!(matches!(verdict, WriteVerdict::Unknown(_)), "{verdict:?}");
    let found = hudu.companies_with("name", "Birch").await.unwrap();
    assert_eq!(found.len(), 1);
    let company: TargetId = found[0].id.clone();
    let cells = vec![("Halo Site ID".into(), Cell::Text("31".into()))];
    let new = NewAsset { name: Some("Main".into()), cells };
    let verdict = hudu.create_asset(permit(hudu.budget()).await, &company, &layout, &new).await;
    assert!(matches!(verdict, WriteVerdict::Unknown(_)), "{verdict:?}");
    let made = hudu.assets_of(&company, &layout).await.unwrap();
    assert_eq!(made.len(), 1);
    // Archived ones are found among a company's assets as well.
    done(hudu.archive_asset(permit(hudu.budget()).await, &company, &made[0].id, &layout, true).await);
    assert!(hudu.assets_of(&company, &layout).await.unwrap()[0].is_archived);
    assert_eq!(hudu.assets(&layout, false, &|one| one, &nothing).await.unwrap().records, []);
    assert_eq!(hudu.assets(&layout, true, &|one| one, &nothing).await.unwrap().records.len(), 1);
}

/// Companies `Company 1` and so on in the simulated Hudu.
fn fill(served: &Served, count: usize) {
    for n in 1..=count {
        served.sandbox().put_hudu("companies", &json!({"name": format!("Company {n}")})).unwrap();
    }
}

#[tokio::test]
async fn every_row_comes_once_under_a_silent_cap_and_in_any_order() {
    for (cap, order) in
        [(25, HuduOrder::Id), (7, HuduOrder::Id), (25, HuduOrder::Updated), (1000, HuduOrder::Id)]
    {
        let (served, hudu) = served(HuduQuirks { page_cap: cap, order, ..HuduQuirks::default() }).await;
        fill(&served, 100);
        let listing = hudu.companies(&nothing).await.unwrap();
        assert_eq!(listing.certificate.why_not, None, "{cap} {order:?}");
        let distinct: HashSet<_> = listing.records.iter().map(|company| company.id.clone()).collect();
        assert_eq!((listing.records.len(), distinct.len()), (100, 100));
    }
    let (_served, hudu) = served(HuduQuirks::default()).await;
    assert!(hudu.companies(&nothing).await.unwrap().certificate.complete, "an empty list may be empty");
}

#[tokio::test]
async fn what_is_cut_off_in_the_middle_or_at_the_end_is_never_taken_for_whole() {
    let kinds = [Kind::HalfPage, Kind::EmptyList, Kind::DuplicateRows, Kind::WrongShape, Kind::Truncated];
    for kind in kinds {
        for nth in 1..=5 {
            let (served, hudu) = served(HuduQuirks { page_cap: 25, ..HuduQuirks::default() }).await;
            fill(&served, 100);
            let rule = Rule::new(kind.clone()).path("/companies").when(When::Nth(vec![nth]));
            served.sandbox().set_faults(Faults::none().with(Host::Hudu, rule));
            // A page of the wrong shape is asked again; whatever comes in the end must be whole, or say that it is not.
            if let Ok(listing) = hudu.companies(&nothing).await {
                assert!(
                    listing.records.len() == 100 || !listing.certificate.complete,
                    "{kind:?} at request {nth}: {} rows, certified",
                    listing.records.len()
                );
            }
        }
    }
}

#[tokio::test]
async fn rows_that_move_while_a_list_is_read_cost_the_certificate_or_nothing() {
    let (served, hudu) = served(HuduQuirks { page_cap: 10, ..HuduQuirks::default() }).await;
    fill(&served, 40);
    let sandbox = served.sandbox().clone();
    // Page 2 is answered; then a row of page 1 goes, and all behind it move up.
    let gone = std::sync::atomic::AtomicBool::new(false);
    let listing = hudu
        .companies(&|done, _| {
            if done == 20 && !gone.swap(true, std::sync::atomic::Ordering::Relaxed) {
                let id = sandbox.hudu_companies()[0]["id"].as_i64().unwrap();
                sandbox.remove_hudu("companies", id);
            }
        })
        .await
        .unwrap();
    // The list was read again: 39 and whole.
    assert_eq!((listing.records.len(), listing.certificate.why_not), (39, None));
}

#[tokio::test]
async fn layouts_are_made_completed_and_activated() {
    let quirks = HuduQuirks { new_layouts_inactive: true, ..HuduQuirks::default() };
    let (served, hudu) = served(quirks).await;
    let new = NewLayout {
        name: "Sites".into(),
        icon: "fas fa-building",
        fields: vec![("Halo Site ID".into(), FieldKind::Text, None)],
    };
    let made = done(hudu.create_layout(permit(hudu.budget()).await, &new).await);
    assert!(!made.is_active);
    let active = done(hudu.activate_layout(permit(hudu.budget()).await, &made).await);
    assert!(active.is_active);
    let fields = [("Main Phone".into(), FieldKind::Phone, None)];
    let full = done(hudu.add_fields(permit(hudu.budget()).await, &active, &fields).await);
    let labels: Vec<&str> = full.fields.iter().map(|field| &*field.label).collect();
    assert_eq!(labels, ["Halo Site ID", "Main Phone"]);
    assert_eq!(full.fields[0].id, made.fields[0].id, "what was there keeps its id");
    // Twice is refused, not doubled.
    let verdict = hudu.add_fields(permit(hudu.budget()).await, &active, &fields).await;
    assert!(matches!(verdict, WriteVerdict::Rejected(_)), "{verdict:?}");
    assert_eq!(served.sandbox().hudu_layouts().len(), 1);
}

#[tokio::test]
async fn the_test_of_a_configuration_names_what_is_wrong() {
    let check = async |served: &Served, key: &str| {
        let settings = settings(served.document()["hudu"]["url"].as_str().unwrap());
        let transport = Arc::new(RealTransport::new());
        check_hudu(&settings, Secret::new(key), transport, Budget::new(free())).await
    };
    let (served, _) = of(Sandbox::new(Options::default())).await;
    let good = served.document()["hudu"]["api_key"].as_str().unwrap().to_owned();
    let checks = check(&served, &good).await;
    assert!(checks.iter().all(|check| check.state != CheckState::Failed), "{checks:?}");
    let bad = check(&served, "wrong").await;
    let failed = bad.iter().find(|check| check.state == CheckState::Failed).unwrap();
    assert_eq!(failed.name, "sign-in");
    assert!(!failed.message.contains("wrong"), "the key is not said");
    let denied = [("asset_layouts".to_owned(), 401)].into();
    let quirks = Quirks { hudu: HuduQuirks { denied, ..HuduQuirks::default() }, ..Quirks::default() };
    served.sandbox().set_quirks(quirks);
    let partly = check(&served, &good).await;
    let failed: Vec<&str> =
        partly.iter().filter(|check| check.state == CheckState::Failed).map(|check| &*check.name).collect();
    assert_eq!(failed, ["asset layouts"]);
    assert!(served.sandbox().journal().is_empty(), "a test writes nothing");
}

#[tokio::test(start_paused = true)]
async fn halos_contracts_and_users_are_read() {
    let vendor = signed_in(|asked| match asked.path.as_str() {
        "/api/Users" => {
            assert_eq!(asked.query("exclude_generaluser"), Some("true"));
            ok(fixture("halo/users_page.json"))
        }
        "/api/ClientContract" => ok(fixture("halo/contracts_page.json")),
        path => panic!("{path}"),
    });
    let halo = halo(&vendor);
    let users = halo.users(&|one| one, &nothing).await.unwrap().proven().unwrap();
    assert_eq!((&*users[0].name, users[0].site.as_ref().unwrap().as_str()), ("Ada Example", "18"));
    assert_eq!((users[0].customer.as_str(), users[0].is_service_account), ("12", false));
    assert!(users[1].is_service_account);
    let contract = &halo.contracts(&nothing).await.unwrap().proven().unwrap()[0];
    assert_eq!(
        (&*contract.reference, &*contract.kind, contract.is_active),
        ("MS-0012", "Managed Service", true)
    );
    assert_eq!(contract.end.unwrap().to_string(), "2028-03-31");
    let vendor = signed_in(|_| broken(SendErrorKind::Reset));
    assert!(self::halo(&vendor).users(&|one| one, &nothing).await.is_err());
}

#[tokio::test]
async fn relations_are_read_as_the_contract_shows_them() {
    let vendor = Vendor::new(|asked| paged(asked, "relations_list", "relations"));
    let all = self::hudu(&vendor).relations(&nothing).await.unwrap().proven().unwrap();
    assert_eq!(all, [Relation { id: 701, from: 502, to: 501 }], "the row of the way back is left out");
}

#[tokio::test]
async fn a_relation_is_made_once_and_taken_away_with_its_way_back() {
    let (served, hudu) = served(HuduQuirks::default()).await;
    let sandbox = served.sandbox();
    let company = sandbox.put_hudu("companies", &json!({"name": "Acme"})).unwrap();
    let layout = json!({"name": "Sites", "icon": "x", "color": "#000", "icon_color": "#fff", "fields": []});
    let layout = sandbox.put_hudu("layouts", &layout).unwrap();
    let asset = |name: &str| json!({"company_id": company, "asset_layout_id": layout, "name": name});
    let [jo, office] = ["Jo", "Office"].map(|name| sandbox.put_hudu("assets", &asset(name)).unwrap());
    assert!(hudu.relations(&nothing).await.unwrap().proven().unwrap().is_empty());
    let made = done(hudu.relate(permit(hudu.budget()).await, jo, office, "Works at").await);
    let all = hudu.relations(&nothing).await.unwrap().proven().unwrap();
    assert_eq!(all, [made], "the way back is none of its own");
    let twice = hudu.relate(permit(hudu.budget()).await, jo, office, "Works at").await;
    assert!(matches!(twice, WriteVerdict::Rejected(_)), "{twice:?}");
    done(hudu.unrelate(permit(hudu.budget()).await, made.id).await);
    assert!(sandbox.hudu_relations().is_empty());
}
