//! Halo's assets: read by type, written whole.

use std::sync::Arc;

use parhelion::api::budget::Budget;
use parhelion::api::call::WriteVerdict;
use parhelion::api::halo::{AssetValues, Halo, NewAsset};
use parhelion::api::http::RealTransport;
use parhelion::model::asset::FieldKind;
use parhelion::model::{Secret, TargetId, settings};
use parhelion::sandbox::{Faults, Host, Kind, Quirks, Rule, Sandbox, Served, When};
use serde_json::{Value, json};

use crate::support::*;

fn nothing(_: u64, _: Option<u64>) {}

fn id(number: i64) -> TargetId {
    number.into()
}

/// The sandbox on sockets, and a client that is pointed at it.
async fn served(quirks: Quirks) -> (Served, Halo) {
    let served = Sandbox::empty(quirks).serve([127, 0, 0, 1].into()).await.unwrap();
    let document = served.document();
    let text = |name: &str| document["halo"][name].as_str().unwrap().to_owned();
    let settings = settings::Halo {
        resource_server: text("resource_server"),
        authorisation_server: text("authorisation_server"),
        tenant: text("tenant"),
        client_id: text("client_id"),
        ..settings::Halo::default()
    };
    let secret = Secret::new(text("client_secret"));
    let halo = Halo::new(&settings, secret, Arc::new(RealTransport::new()), Budget::new(free())).unwrap();
    (served, halo.with_retry(quick()))
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

#[tokio::test(start_paused = true)]
async fn the_examples_are_read() {
    let vendor = signed_in(|asked| match asked.path.as_str() {
        "/api/Asset" => ok(fixture("halo/assets_page.json")),
        "/api/Asset/640" => ok(fixture("halo/asset.json")),
        "/api/AssetType" => ok(fixture("halo/assettype.json")),
        "/api/AssetGroup" => ok(fixture("halo/assetgroup.json")),
        "/api/Field" => {
            assert_eq!(asked.query("kind"), Some("T"));
            ok(fixture("halo/field.json"))
        }
        path => panic!("{path}"),
    });
    let halo = halo(&vendor);
    let listing = halo.assets(&nothing).await.unwrap();
    assert!(listing.certificate.complete);
    let [listed] = listing.records.as_slice() else { panic!() };
    assert_eq!((listed.id.as_str(), &*listed.tag, &*listed.type_name), ("640", "EX4MPLE1", "Laptop"));
    assert_eq!(listed.key_values.len(), 2, "the blank one is left out");
    assert_eq!((&listed.fields, listed.liongard), (&None, None), "a list carries neither");
    let one = halo.asset(&id(640)).await.unwrap().unwrap();
    assert_eq!(one.value(&id(117)), Some("EX4MPLE1"));
    assert_eq!((one.customer.clone(), one.site.clone()), (Some(id(12)), Some(id(18))));
    let column = |name: &str| one.columns.iter().find(|(n, _)| &**n == name).map(|(_, text)| &**text);
    assert_eq!(column("warranty_end"), Some("2028-02-29T00:00:00"));
    assert_eq!(column("supplier_purchasedate"), None, "a day in 1899 is none");
    let types = halo.asset_types().await.unwrap();
    assert_eq!(types[0].fields, [id(101), id(51), id(117)]);
    assert_eq!(types[0].group, Some(id(3)));
    assert_eq!(&*halo.asset_groups().await.unwrap()[0].name, "Computers");
    let fields = halo.asset_fields().await.unwrap();
    assert_eq!((&*fields[0].name, fields[0].kind, fields[0].limit), ("Serial Number", FieldKind::Text, None));
}

#[tokio::test]
async fn assets_are_read_by_type_with_the_fields_that_are_wanted() {
    let (served, halo) = served(Quirks::default()).await;
    let sandbox = served.sandbox();
    let client = sandbox.put_halo_client(&json!({"name": "Northwind"})).unwrap();
    for n in 0..120 {
        let fields = json!([{"id": 101, "value": format!("LT-{n}")}, {"id": 117, "value": format!("SER{n}")},
            {"id": 126, "value": 2}]);
        let asset = json!({"client_id": client, "assettype_id": 130, "inventory_number": format!("T{n}"),
            "fields": fields, "inactive": n % 10 == 0});
        sandbox.put_halo_asset(&asset).unwrap();
    }
    sandbox.put_halo_asset(&json!({"client_id": client, "assettype_id": 131, "liongardid": 7})).unwrap();
    let keep = [id(117), id(126)];
    let listing = halo.assets_of_type(&id(130), Some(&keep), &|one| one, &nothing).await.unwrap();
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(listing.records.len(), 120, "pages of 50, although more were asked for");
    assert_eq!(listing.records.iter().filter(|asset| !asset.is_active).count(), 12);
    let first = &listing.records[0];
    assert_eq!(first.value(&id(117)), Some("SER0"));
    assert_eq!(first.value(&id(126)), Some("Leased"), "the words of a list, not their id");
    assert_eq!(first.fields.as_ref().unwrap().len(), 2, "the others are not kept");
    assert_eq!(halo.assets(&nothing).await.unwrap().records.len(), 121);
    assert_eq!(halo.assets_of(&id(client)).await.unwrap().records.len(), 121);
    let imported = halo.assets_imported_by("liongard", &|asset| asset).await.unwrap().records;
    assert_eq!(imported.iter().map(|asset| asset.liongard).collect::<Vec<_>>(), [None], "{imported:?}");
    assert_eq!(halo.asset(&imported[0].id).await.unwrap().unwrap().liongard, Some(7));
    assert_eq!(halo.search_assets("SER77").await.unwrap().len(), 1);
    served.shut_down().await;
}

#[tokio::test]
async fn an_update_blanks_no_field_it_does_not_own() {
    for blank in [true, false] {
        let mut quirks = Quirks::default();
        quirks.halo.blank_missing_fields = blank;
        let (served, halo) = served(quirks).await;
        let client = served.sandbox().put_halo_client(&json!({"name": "Northwind"})).unwrap();
        let fields =
            json!([{"id": 101, "value": "LT-1"}, {"id": 117, "value": "SER1"}, {"id": 126, "value": 1}]);
        let asset = json!({"client_id": client, "assettype_id": 130, "fields": fields});
        let asset = served.sandbox().put_halo_asset(&asset).unwrap();
        let budget = halo.budget().clone();
        let values = AssetValues { fields: vec![(id(119), "Windows 11".into())], ..AssetValues::default() };
        let saved = done(halo.update_asset(permit(&budget).await, &id(asset), &values).await);
        assert_eq!(saved.value(&id(119)), Some("Windows 11"));
        let now = served.sandbox().halo_asset(asset).unwrap();
        let value = |field: i64| {
            let rows = now["fields"].as_array().unwrap();
            rows.iter().find(|row| row["id"] == field).map(|row| row["value"].clone()).unwrap()
        };
        assert_eq!((value(101), value(117), value(126)), (json!("LT-1"), json!("SER1"), json!("1")));
        // A lone field really would blank the rest: the sandbox has the quirk that this guards against.
        let values = AssetValues { is_active: Some(false), ..AssetValues::default() };
        let saved = done(halo.update_asset(permit(&budget).await, &id(asset), &values).await);
        assert!(!saved.is_active && saved.value(&id(101)) == Some("LT-1"), "no fields sent, none touched");
        served.shut_down().await;
    }
}

#[tokio::test]
async fn fields_types_and_assets_are_made_in_their_order() {
    let mut quirks = Quirks::default();
    quirks.halo.type_list_has_fields = false;
    let (served, halo) = served(quirks).await;
    let client = served.sandbox().put_halo_client(&json!({"name": "Northwind"})).unwrap();
    let budget = halo.budget().clone();
    let field = done(halo.create_asset_field(permit(&budget).await, "Last Patch", FieldKind::Date).await);
    assert_eq!((field.kind, &*field.name), (FieldKind::Date, "Last Patch"));
    let made = done(halo.create_asset_type(permit(&budget).await, "Workstation", &id(3), &[id(101)]).await);
    assert_eq!(made.group, Some(id(3)));
    let wider =
        done(halo.add_fields_to_type(permit(&budget).await, &made.id, std::slice::from_ref(&field.id)).await);
    assert_eq!(wider.fields, [id(101), field.id.clone()], "what it had stays");
    let again =
        done(halo.add_fields_to_type(permit(&budget).await, &made.id, std::slice::from_ref(&field.id)).await);
    assert_eq!(again.fields, wider.fields);
    let types = halo.asset_types().await.unwrap();
    assert!(types.contains(&wider), "read one by one where the list has no fields");
    let new = NewAsset {
        customer: id(client),
        site: None,
        asset_type: made.id.clone(),
        values: AssetValues {
            fields: vec![(id(101), "WS-1".into()), (field.id.clone(), "2026-11-02".into())],
            columns: vec![("inventory_number".into(), json!("WS-1")), ("liongardid".into(), json!(52001))],
            ..AssetValues::default()
        },
    };
    let asset = done(halo.create_asset(permit(&budget).await, &new).await);
    assert_eq!((asset.liongard, asset.value(&field.id)), (Some(52001), Some("2026-11-02")));
    assert_eq!(&*asset.key_values, ["WS-1".into()], "the first field of a new type is its key");
    // What Halo refuses is said in its words.
    let wrong = AssetValues { fields: vec![(field.id.clone(), "soon".into())], ..AssetValues::default() };
    let refused = halo.update_asset(permit(&budget).await, &asset.id, &wrong).await;
    let WriteVerdict::Rejected(problem) = refused else { panic!("{refused:?}") };
    assert!(problem.message.contains("Last Patch"), "{problem}");
    let refused = halo.create_asset_type(permit(&budget).await, "Printer", &id(99), &[]).await;
    assert!(matches!(refused, WriteVerdict::Rejected(_)));
    served.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_written_over() {
    let vendor = signed_in(|asked| match asked.method.as_str() {
        "GET" => {
            let mut asset: Value = fixture_json("halo/asset.json");
            asset["fields"] = json!("see below");
            json(asset)
        }
        _ => panic!("nothing may be written"),
    });
    let halo = halo(&vendor);
    let values = AssetValues { fields: vec![(id(117), "X".into())], ..AssetValues::default() };
    let budget = halo.budget().clone();
    let verdict = halo.update_asset(permit(&budget).await, &id(640), &values).await;
    assert!(matches!(verdict, WriteVerdict::NotSent(_)), "{verdict:?}");
    let vendor = signed_in(|_| answer(404, ""));
    let halo = crate::support::halo(&vendor);
    let budget = halo.budget().clone();
    let verdict = halo.update_asset(permit(&budget).await, &id(640), &values).await;
    assert!(matches!(verdict, WriteVerdict::NotSent(_)), "{verdict:?}");
}

/// They say nowhere how many there are: what a list lacks would be made a second time.
#[tokio::test]
async fn a_list_without_a_length_is_read_until_nothing_new_comes() {
    let (served, halo) = served(Quirks::default()).await;
    let whole = halo.asset_fields().await.unwrap().len();
    let spoilt = |when: When| {
        let rule = Rule::new(Kind::HalfPage).method("GET").path("/api/Field").when(when);
        served.sandbox().set_faults(Faults::none().with(Host::Halo, rule));
    };
    for nth in 1..=2 {
        spoilt(When::Nth(vec![nth]));
        assert_eq!(halo.asset_fields().await.unwrap().len(), whole, "reading {nth} was cut short");
    }
    let types = halo.asset_types().await.unwrap().len();
    assert_eq!(served.sandbox().halo_asset_shelf("types").len(), types);
    served.shut_down().await;
}
