use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parhelion::api::budget::Budget;
use parhelion::api::call::WriteVerdict;
use parhelion::api::halo::{Halo, NewCustomer, NewLicence};
use parhelion::model::settings;
use parhelion::model::{Address, Amount, Class, Count, Currency, FieldName, Fields, Secret, TargetId, Value};
use serde_json::json;
use tokio::time::advance;

use crate::support::*;

fn nothing(_: u64, _: Option<u64>) {}

#[tokio::test(start_paused = true)]
async fn the_example_customers_are_read() {
    let vendor = signed_in(|_| ok(fixture("halo/clients_page.json")));
    let listing = halo(&vendor).customers(&nothing).await.unwrap();
    assert!(listing.certificate.complete);
    let [northwind, contoso] = listing.records.as_slice() else { panic!("{:?}", listing.records) };
    assert_eq!(
        (northwind.id.as_str(), &*northwind.name, northwind.is_active),
        ("12", "Northwind Example Ltd", true)
    );
    assert_eq!(northwind.marker.as_deref(), Some("C-0012"));
    assert_eq!(northwind.fields.get(FieldName::TopLevel), Some(&Value::text("Customers")));
    assert_eq!((contoso.id.as_str(), contoso.is_active), ("13", false));
    assert_eq!(northwind.currency, None, "two currencies, none of them this customer's");
}

#[tokio::test(start_paused = true)]
async fn a_customer_has_details_an_address_and_a_currency() {
    let vendor = signed_in(|asked| {
        assert_eq!(asked.query("includedetails"), Some("true"));
        let mut client = fixture_json("halo/client.json");
        client["default_currency_code"] = json!(2);
        client["tax_number"] = json!("GB 123");
        json(client)
    });
    let found = halo(&vendor).customer(&TargetId::new("12")).await.unwrap().unwrap();
    assert_eq!(found.main_site, Some(TargetId::new("18")));
    assert_eq!(found.keys.vat.as_deref(), Some("GB 123"));
    assert_eq!(found.keys.domains, ["northwind.example".into()]);
    assert_eq!(found.currency, Currency::new("EUR"));
    let Some(Value::Address(address)) = found.fields.get(FieldName::MainSiteAddress) else { panic!() };
    assert_eq!(address.to_string(), "1 Example Street, Leeds, West Yorkshire, LS1 1AA");

    let vendor = signed_in(|_| answer(404, ""));
    assert_eq!(halo(&vendor).customer(&TargetId::new("12")).await, Ok(None));
    let vendor = signed_in(|_| json(json!({"id": 13, "name": "Another"})));
    assert!(halo(&vendor).customer(&TargetId::new("12")).await.is_err(), "an answer about another record");
}

#[tokio::test(start_paused = true)]
async fn the_currency_comes_from_the_customer_then_the_settings() {
    let settings = settings::Halo { currency: "chf".into(), ..halo_settings() };
    let vendor = signed_in(|_| {
        json(json!({"record_count": 3, "clients": [
            {"id": 1, "name": "a", "currencyisocode": "USD"}, {"id": 2, "name": "b", "default_currency_code": 1}, {"id": 3, "name": "c"}]}))
    });
    let halo = Halo::new(&settings, Secret::new("x"), vendor, Budget::new(free())).unwrap();
    let listing = halo.customers(&nothing).await.unwrap();
    let currencies: Vec<_> =
        listing.records.iter().map(|found| found.currency.unwrap().to_string()).collect();
    assert_eq!(currencies, ["USD", "GBP", "CHF"]);
}

#[tokio::test(start_paused = true)]
async fn the_example_sites_are_read_in_both_shapes() {
    let vendor = signed_in(|asked| {
        ok(fixture(if asked.is("/Site") { "halo/sites_page.json" } else { "halo/site.json" }))
    });
    let halo = halo(&vendor);
    let listed = halo.sites(&nothing).await.unwrap().records.remove(0);
    assert_eq!((listed.customer.as_str(), &*listed.address.postcode), ("12", "LS1 1AA"));
    assert_eq!(halo.site(&TargetId::new("18")).await.unwrap(), Some(listed));
}

#[tokio::test(start_paused = true)]
async fn the_example_licences_are_read() {
    let vendor = signed_in(|_| ok(fixture("halo/licences_page.json")));
    let listing = halo(&vendor).licences(&|one| one, &nothing).await.unwrap();
    let licence = &listing.records[0];
    assert_eq!((licence.id.as_str(), licence.marker.as_deref()), ("305", Some("also:5512044")));
    assert_eq!(licence.parent, Some(TargetId::new("12")));
    let shown: Vec<String> = licence.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        [
            "name=Microsoft 365 Business Premium",
            "status=active",
            "quantity=25",
            "price=18.10",
            "cost=15.40",
            "end_date=2026-10-31"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn odd_licences_are_kept_without_what_cannot_be_read() {
    let rows = json!([
        {"id": 1, "name": "deleted", "is_active": true, "deleted": true, "client_id": 12.0, "count": 3.0},
        {"id": 2, "name": "odd", "is_active": 0, "count": 2.5, "price": "dear", "purchase_price": null, "end_date": "soon"},
        {"id": 3, "name": "bare", "end_date": "1901-01-01T00:00:00", "site_id": -1},
    ]);
    let vendor = signed_in(move |_| json(json!({"record_count": 3, "licences": rows})));
    let listing = halo(&vendor).licences(&|one| one, &nothing).await.unwrap();
    let [deleted, odd, bare] = listing.records.as_slice() else { panic!() };
    assert!(!deleted.is_active && deleted.fields.get(FieldName::Status) == Some(&Value::Active(false)));
    assert_eq!(deleted.fields.get(FieldName::Quantity), Some(&Value::Count(Count::new(3).unwrap())));
    assert!(!odd.is_active);
    assert_eq!(odd.fields.len(), 2, "name and status: {:?}", odd.fields);
    assert!(bare.is_active && bare.fields.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_halo_ignores_does_not_mix_customers() {
    let rows = json!([{"id": 1, "name": "a", "client_id": 12}, {"id": 2, "name": "b", "client_id": 13}]);
    let vendor = signed_in(move |_| json(json!({"record_count": 2, "licences": rows})));
    let listing = halo(&vendor).licences_of(&TargetId::new("12")).await.unwrap();
    assert_eq!(listing.records.len(), 1);
    assert_eq!(vendor.asked().last().unwrap().query("client_id"), Some("12"));
}

#[tokio::test(start_paused = true)]
async fn a_new_customer_comes_complete() {
    let vendor =
        signed_in(|_| answer(201, json!({"id": 77, "name": "Alder & Finch", "ref": "ph:1"}).to_string()));
    let halo = halo(&vendor);
    let address = Address {
        street: "14 Orchard Row\nUnit 2\nRear".into(),
        city: "Reading".into(),
        region: "Berkshire".into(),
        postcode: "RG1 1AA".into(),
        country: "United Kingdom".into(),
    };
    let new = NewCustomer {
        name: "Alder & Finch".into(),
        top_level: Some(TargetId::new("4")),
        marker: Some("ph:1".into()),
        address: Some(address),
    };
    let WriteVerdict::Done(found) = halo.create_customer(permit(halo.budget()).await, &new).await else {
        panic!()
    };
    assert_eq!((found.id.as_str(), found.marker.as_deref()), ("77", Some("ph:1")));
    let asked = vendor.asked().pop().unwrap();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/api/Client"));
    assert_eq!(
        asked.json(),
        json!([{
            "name": "Alder & Finch", "toplevel_id": 4, "ref": "ph:1", "newclient_sitename": "Main", "_dont_fire_automations": true,
            "newclient_delivery_address":
                {"line1": "14 Orchard Row", "line2": "Unit 2, Rear", "line3": "Reading", "line4": "Berkshire", "postcode": "RG1 1AA"},
        }])
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_marker_field_sends_none() {
    let settings = settings::Halo {
        customer_marker_field: String::new(),
        licence_marker_field: "notes".into(),
        ..halo_settings()
    };
    let vendor = signed_in(|asked| {
        if asked.method == "GET" {
            return json(
                json!({"record_count": 1, "licences": [{"id": 5, "name": "x", "client_id": 1, "notes": "ph:9", "snowid": "other"}]}),
            );
        }
        answer(201, json!({"id": 77, "name": "x"}).to_string())
    });
    let halo = Halo::new(&settings, Secret::new("x"), vendor.clone(), Budget::new(free())).unwrap();
    let new = NewCustomer { name: "x".into(), top_level: None, marker: Some("ph:1".into()), address: None };
    halo.create_customer(permit(halo.budget()).await, &new).await;
    let sent = vendor.asked().pop().unwrap().json();
    assert!(sent[0].get("ref").is_none() && sent[0].get("newclient_delivery_address").is_none(), "{sent}");
    let listing = halo.licences(&|one| one, &nothing).await.unwrap();
    assert_eq!(listing.records[0].marker.as_deref(), Some("ph:9"));
}

#[tokio::test(start_paused = true)]
async fn a_licence_write_sends_what_was_given_and_nothing_else() {
    let vendor = signed_in(|asked| {
        let mut saved = asked.json()[0].clone();
        saved["id"] = json!(900);
        answer(201, saved.to_string())
    });
    let halo = halo(&vendor);
    let amount = |text: &str| Value::Amount(Amount::parse(&json!(text)).unwrap());
    let fields = Fields::new()
        .with(FieldName::Name, Value::text("Cloud Backup"))
        .with(FieldName::Status, Value::Active(true))
        .with(FieldName::Quantity, Value::Count(Count::new(12).unwrap()))
        .with(FieldName::Price, amount("1.90"))
        .with(FieldName::Cost, amount("1.125"))
        .with(FieldName::EndDate, Value::Date("2026-12-31".parse().unwrap()));
    let new = NewLicence { customer: TargetId::new("12"), marker: Some("ph:2".into()), fields };
    let WriteVerdict::Done(found) = halo.create_licence(permit(halo.budget()).await, &new).await else {
        panic!()
    };
    assert_eq!(found.parent, Some(TargetId::new("12")));
    let sent = vendor.asked().pop().unwrap();
    assert_eq!(
        sent.json(),
        json!([{
            "name": "Cloud Backup", "is_active": true, "status": "active", "count": 12, "price": 1.9, "purchase_price": 1.125,
            "end_date": "2026-12-31T00:00:00Z", "client_id": 12, "site_id": -1, "snowid": "ph:2", "_dont_fire_automations": true,
        }])
    );
    let text = String::from_utf8(sent.body).unwrap();
    assert!(text.contains("\"count\":12,") || text.contains("\"count\":12}"), "an integer, not 12.0: {text}");

    // A removal that only zeroes leaves the status alone.
    let zero = Fields::new().with(FieldName::Quantity, Value::Count(Count::ZERO));
    halo.update_licence(permit(halo.budget()).await, &TargetId::new("900"), &zero).await;
    assert_eq!(vendor.asked().pop().unwrap().json(), json!([{"id": 900, "count": 0}]));
    let off = Fields::new().with(FieldName::Status, Value::Active(false));
    halo.update_licence(permit(halo.budget()).await, &TargetId::new("900"), &off).await;
    assert_eq!(
        vendor.asked().pop().unwrap().json(),
        json!([{"id": 900, "is_active": false, "status": "inactive"}])
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_without_a_real_id_never_leaves() {
    let vendor = signed_in(|_| answer(201, r#"{"id":1}"#));
    let halo = halo(&vendor);
    let zero = Fields::new().with(FieldName::Quantity, Value::Count(Count::ZERO));
    for id in ["", "x", "0", "-1", "1.5"] {
        let verdict = halo.update_licence(permit(halo.budget()).await, &TargetId::new(id), &zero).await;
        assert!(matches!(verdict, WriteVerdict::NotSent(_)), "{id}");
    }
    let address = Fields::new().with(FieldName::MainSiteAddress, Value::Address(Box::default()));
    let verdict = halo.update_licence(permit(halo.budget()).await, &TargetId::new("5"), &address).await;
    assert!(matches!(verdict, WriteVerdict::NotSent(_)));
    assert_eq!(vendor.asked().len(), 0);
    // And an answer about another record is not ours.
    let verdict = halo.update_licence(permit(halo.budget()).await, &TargetId::new("5"), &zero).await;
    assert!(matches!(verdict, WriteVerdict::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn a_site_gets_its_address_whole() {
    let vendor = signed_in(|_| ok(fixture("halo/site.json")));
    let halo = halo(&vendor);
    let address = Address {
        street: "2 Mill Lane".into(),
        city: "Leeds".into(),
        postcode: "LS1 2AB".into(),
        ..Address::default()
    };
    let verdict = halo.update_site_address(permit(halo.budget()).await, &TargetId::new("18"), &address).await;
    assert!(matches!(verdict, WriteVerdict::Done(_)));
    let sent = vendor.asked().pop().unwrap().json();
    let lines =
        json!({"line1": "2 Mill Lane", "line2": "", "line3": "Leeds", "line4": "", "postcode": "LS1 2AB"});
    assert_eq!(sent, json!([{"id": 18, "delivery_address": lines}]));
}

#[tokio::test(start_paused = true)]
async fn the_vendors_own_words_are_passed_on() {
    for (file, words) in [
        ("error_400_exception", "A Site must be selected"),
        ("error_400_string", "Field kind must be specified"),
        ("error_400_modelstate", "Could not convert string to integer"),
        ("error_400_bad_id", "The value 'probe' is not valid"),
        ("error_400_database", "column 'LCount'"),
    ] {
        let vendor = signed_in(move |_| answer(400, fixture(&format!("halo/{file}.json"))));
        let halo = halo(&vendor);
        let fields = Fields::new().with(FieldName::Name, Value::text("x"));
        let verdict = halo.update_customer(permit(halo.budget()).await, &TargetId::new("1"), &fields).await;
        let WriteVerdict::Rejected(problem) = verdict else { panic!("{file}") };
        assert!(problem.message.contains(words), "{problem}");
        assert_eq!(problem.class, Class::Record);
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_is_fetched_once_and_renewed_a_minute_early() {
    let vendor = Vendor::slow(Duration::from_millis(20), |asked| {
        if asked.is("/token") {
            ok(fixture("halo/token.json"))
        } else {
            ok(fixture("halo/toplevel_page.json"))
        }
    });
    let halo = halo(&vendor);
    join_all((0..6).map(|_| halo.top_levels()))
        .await
        .into_iter()
        .for_each(|levels| assert_eq!(levels.unwrap().len(), 1));
    assert_eq!(vendor.count("/token"), 1, "one refresh in flight");
    let asked = vendor.asked();
    let token = asked.iter().find(|asked| asked.is("/token")).unwrap();
    assert_eq!(token.query("tenant"), Some("fernhill"));
    let form = String::from_utf8(token.body.clone()).unwrap();
    assert!(
        form.contains("grant_type=client_credentials")
            && form.contains("client_secret=s3cret%26%3D")
            && form.contains("scope=all"),
        "{form}"
    );
    assert_eq!(
        asked.last().unwrap().authorization.as_deref(),
        Some("Bearer eyJhbGciOiJSU0EtT0FFUCJ9.EXAMPLE.TOKEN")
    );
    advance(Duration::from_secs(3530)).await;
    halo.top_levels().await.unwrap();
    assert_eq!(vendor.count("/token"), 1);
    advance(Duration::from_secs(15)).await;
    halo.top_levels().await.unwrap();
    assert_eq!(vendor.count("/token"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_401_renews_the_token_once_then_it_is_a_right() {
    // The token died early: one renewal, for several calls at once.
    let alive = Arc::new(AtomicBool::new(false));
    let switch = alive.clone();
    let mut tokens = 0;
    let vendor = Vendor::slow(Duration::from_millis(20), move |asked| {
        if asked.is("/token") {
            tokens += 1;
            switch.store(tokens > 1, Ordering::Relaxed);
            return json(json!({"access_token": format!("t{tokens}"), "expires_in": 3600}));
        }
        if asked.authorization.as_deref() == Some("Bearer t1") {
            answer(401, "")
        } else {
            ok(fixture("halo/toplevel_page.json"))
        }
    });
    let halo_client = halo(&vendor);
    join_all((0..4).map(|_| halo_client.top_levels()))
        .await
        .into_iter()
        .for_each(|levels| assert!(levels.is_ok()));
    assert!(alive.load(Ordering::Relaxed));
    assert_eq!(vendor.count("/token"), 2);

    let vendor = signed_in(|_| answer(401, ""));
    let problem = halo(&vendor).top_levels().await.unwrap_err();
    assert_eq!(problem.class, Class::Auth);
    assert!(problem.message.contains("accepts the sign-in"), "{problem}");
    assert_eq!((vendor.count("/token"), vendor.count("/TopLevel")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_is_not_repeated() {
    for (status, file, words) in [
        (401, "error_token_invalid_client", "client credentials are invalid"),
        (400, "error_token_invalid_scope", "scope"),
    ] {
        let vendor = Vendor::new(move |_| answer(status, fixture(&format!("halo/{file}.json"))));
        let halo = halo(&vendor);
        for _ in 0..3 {
            let problem = halo.top_levels().await.unwrap_err();
            assert_eq!(problem.class, Class::Auth);
            assert!(problem.message.contains(words) && !problem.to_string().contains("s3cret"), "{problem}");
        }
        assert_eq!(vendor.asked().len(), 1);
    }
    // An outage of the sign-in is no refusal.
    let mut turn = 0;
    let vendor = Vendor::new(move |asked| {
        turn += 1;
        match turn {
            1..=3 => answer(503, "<html>"),
            _ if asked.is("/token") => ok(fixture("halo/token.json")),
            _ => ok(fixture("halo/toplevel_page.json")),
        }
    });
    assert!(halo(&vendor).top_levels().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_signs_in_without_waiting_for_itself() {
    let vendor = signed_in(|_| answer(201, r#"{"id":900,"name":"x","client_id":12}"#));
    let budget = Budget::new(settings::Pace { at_once: 1, ..free() });
    let halo = Halo::new(&halo_settings(), Secret::new("x"), vendor.clone(), budget).unwrap();
    let fields = Fields::new().with(FieldName::Name, Value::text("x"));
    let new = NewLicence { customer: TargetId::new("12"), marker: None, fields };
    let held = permit(halo.budget()).await;
    let write = halo.create_licence(held, &new);
    let verdict = tokio::time::timeout(Duration::from_secs(60), write).await.unwrap();
    assert!(matches!(verdict, WriteVerdict::Done(_)));
    assert_eq!(halo.budget().sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_search_includes_inactive_customers_and_reads_markers() {
    let vendor = signed_in(|asked| {
        assert_eq!(asked.query("includeinactive"), Some("true"));
        assert_eq!(asked.query("search"), Some("Alder & Finch"));
        let row = json!({"id": 2, "name": "Alder & Finch", "inactive": true, "ref": "ph:12"});
        json(json!({"record_count": 1, "clients": [row]}))
    });
    let found = halo(&vendor).search_customers("Alder & Finch").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].marker.as_deref(), Some("ph:12"));
    assert!(!found[0].is_active);
}

#[tokio::test(start_paused = true)]
async fn history_modules_and_fingerprint_are_read() {
    let vendor = signed_in(|asked| {
        ok(fixture(match asked.path.as_str() {
            "/api/LicenceChange" => "halo/licencechange_page.json",
            "/api/Features" => "halo/features.json",
            "/api/AuthInfo" => "halo/authinfo.json",
            "/api/InstanceInfo" => "halo/instanceinfo.json",
            other => panic!("{other}"),
        }))
    });
    let halo = halo(&vendor);
    let changes = halo.licence_changes(&TargetId::new("305")).await.unwrap();
    assert_eq!((&*changes[0].old, &*changes[0].new, changes[0].at.is_some()), ("24", "25", true));
    let features = halo.features().await.unwrap();
    assert!(
        features.iter().any(|feature| &*feature.name == "ALSO" && feature.enabled && !feature.integrator_on)
    );
    assert_eq!(halo.fingerprint().await.unwrap(), "example/00000000-0000-4000-8000-000000000001");
}
