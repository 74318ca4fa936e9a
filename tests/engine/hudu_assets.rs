//! Halo's assets in Hudu, each in the layout of its type (P66), and relations between contacts and sites.

use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::{JobState, LayoutState};
use parhelion::model::Entity;
use parhelion::plan::Action;
use parhelion::sandbox::{Faults, Host, Kind, Quirks, Rule, Sandbox};
use serde_json::{Value, json};

use super::hudu::*;
use super::hudu_rules::*;
use super::rig::{Ground, plan, run, spec};

const LAPTOP: i64 = 130;
const SERVER: i64 = 131;
const FIREWALL: i64 = 132;
const SORTED: &str = "asset_layouts = { Server = \"Servers\", default = \"Devices\" }\n";

fn of_assets() -> Spec {
    spec(HUDU, &[Entity::Assets], false)
}

fn of_relations() -> Spec {
    spec(HUDU, &[Entity::Relations], false)
}

fn device_layouts(sandbox: &Sandbox) {
    let sites =
        sandbox.hudu_layouts().into_iter().find(|one| one["name"] == "Sites").expect("it")["id"].as_i64();
    let fields = [
        ("Halo Asset ID", "Text"),
        ("Type", "Text"),
        ("Serial Number", "Text"),
        ("Site", "AssetTag"),
        ("Active", "CheckBox"),
    ];
    layout(sandbox, "Devices", &[&fields[..], &[("Purchase Date", "Date")]].concat(), sites);
    layout(sandbox, "Servers", &[&fields[..], &[("RAM", "Number"), ("Rack", "Text")]].concat(), sites);
}

/// An asset of a customer at its main site; its id in Halo.
fn device(sandbox: &Sandbox, client: i64, kind: i64, tag: &str, fields: &Value) -> i64 {
    let asset = json!({"client_id": client, "assettype_id": kind, "inventory_number": tag, "fields": fields});
    sandbox.put_halo_asset(&asset).expect("an asset")
}

/// Two of Alder's devices, one of Birch's, which is not matched.
fn devices(sandbox: &Sandbox, alder: i64, birch: i64) -> [i64; 3] {
    let fields = |serial: &str, more: &[Value]| {
        let mut all = vec![json!({"id": 117, "value": serial})];
        all.extend_from_slice(more);
        Value::Array(all)
    };
    [
        device(sandbox, alder, LAPTOP, "LT-1", &fields("5CG1", &[json!({"id": 124, "value": "2024-05-06"})])),
        device(
            sandbox,
            alder,
            SERVER,
            "SRV-1",
            &fields("XYZ1", &[json!({"id": 121, "value": "64"}), json!({"id": 125, "value": "R2"})]),
        ),
        device(sandbox, birch, LAPTOP, "LT-2", &fields("5CG2", &[])),
    ]
}

async fn sorted(quirks: Quirks, rules: &str) -> (Ground, Arc<Engine>, [i64; 3]) {
    let (sandbox, [alder, birch, _]) = world(quirks);
    device_layouts(&sandbox);
    let ids = devices(&sandbox, alder, birch);
    let mut ground = Ground::new(sandbox);
    ground.hudu = rules.into();
    let engine = matched(&mut ground).await;
    run(&engine, by_hand()).await;
    (ground, engine, ids)
}

fn named(sandbox: &Sandbox, name: &str) -> Value {
    let mut all = sandbox.hudu_assets();
    all.retain(|asset| asset["name"] == name);
    assert_eq!(all.len(), 1, "assets named {name}");
    all.remove(0)
}

#[tokio::test(start_paused = true)]
async fn p66_an_asset_goes_into_the_layout_of_its_type_with_the_fields_that_layout_has() {
    let (ground, engine, [laptop, ..]) = sorted(Quirks::default(), SORTED).await;
    assert!(
        ground.sandbox.hudu_assets().iter().all(|asset| asset["asset_type"] != "Devices"),
        "asked for by name"
    );
    let report = run(&engine, of_assets()).await;
    assert_eq!(
        (report.state, report.totals.failed, report.totals.rows.create),
        (JobState::Ok, 0, 2),
        "{}",
        said(&report)
    );
    let there = named(&ground.sandbox, "LT-1");
    assert_eq!(there["asset_type"], "Devices");
    assert_eq!(value(&there, "Halo Asset ID"), &json!(laptop.to_string()));
    assert_eq!(value(&there, "Type"), "Laptop");
    assert_eq!(value(&there, "Serial Number"), "5CG1");
    assert_eq!(value(&there, "Purchase Date"), "2024-05-06");
    let server = named(&ground.sandbox, "SRV-1");
    assert_eq!((&server["asset_type"], value(&server, "RAM")), (&json!("Servers"), &json!("64")));
    assert_eq!(value(&server, "Rack"), "R2");
    assert!(
        !ground.sandbox.hudu_assets().iter().any(|asset| asset["name"] == "LT-2"),
        "its company is not matched (H1)"
    );
    let before = ground.sandbox.journal().len();
    assert_eq!(run(&engine, of_assets()).await.state, JobState::Ok);
    assert_eq!(ground.sandbox.journal().len(), before, "the second run wrote something");
}

#[tokio::test(start_paused = true)]
async fn p66_one_customer_may_have_a_layout_of_its_own_and_a_type_may_have_none() {
    let (sandbox, [alder, birch, _]) = world(Quirks::default());
    device_layouts(&sandbox);
    devices(&sandbox, alder, birch);
    device(&sandbox, alder, FIREWALL, "FW-1", &json!([]));
    let mut ground = Ground::new(sandbox);
    ground.hudu = format!(
        "asset_layouts = {{ laptop = \"Devices\", \"{alder}/Laptop\" = \"servers\", Server = \"\" }}\n"
    );
    let engine = matched(&mut ground).await;
    run(&engine, by_hand()).await;
    let plan = rows(&engine, &of_assets()).await;
    for (name, kind) in [("SRV-1", "Server"), ("FW-1", "Firewall")] {
        let row = row(&plan, Entity::Assets, name);
        assert_eq!(row.action, Action::Skipped);
        assert!(why(row).contains(&format!("no layout for assets of type '{kind}'")), "{}", why(row));
    }
    run(&engine, of_assets()).await;
    assert_eq!(named(&ground.sandbox, "LT-1")["asset_type"], "Servers");
}

#[tokio::test(start_paused = true)]
async fn p66_an_asset_is_never_moved_to_another_layout_and_goes_on_where_it_is() {
    let (ground, engine, [laptop, ..]) = sorted(Quirks::default(), SORTED).await;
    run(&engine, of_assets()).await;
    set(&engine, "hudu.asset_layouts", "Server = Servers, Laptop = Servers").await;
    let change =
        json!({"id": laptop, "fields": [{"id": 117, "value": "5CG9"}, {"id": 124, "value": "2024-05-06"}]});
    ground.sandbox.put_halo_asset(&change).expect("a change");
    let plan = rows(&engine, &of_assets()).await;
    // Its layout is named no more: nothing is known of it, and no second one is made.
    assert!(row(&plan, Entity::Assets, "LT-1").action != Action::Create);
    set(&engine, "hudu.asset_layouts", "Server = Servers, Laptop = Servers, default = Devices").await;
    let plan = rows(&engine, &of_assets()).await;
    let of_it = row(&plan, Entity::Assets, "LT-1");
    assert!(why(of_it).contains("by its type it belongs into 'Servers'"), "{}", why(of_it));
    run(&engine, of_assets()).await;
    let there = named(&ground.sandbox, "LT-1");
    assert_eq!((&there["asset_type"], value(&there, "Serial Number")), (&json!("Devices"), &json!("5CG9")));
}

#[tokio::test(start_paused = true)]
async fn h8_layouts_of_assets_that_are_missing_stop_assets_alone_and_one_order_makes_them_all() {
    let (sandbox, [alder, birch, _]) = world(Quirks::default());
    devices(&sandbox, alder, birch);
    let mut ground = Ground::new(sandbox);
    ground.hudu = SORTED.into();
    let engine = matched(&mut ground).await;
    let all = spec(
        HUDU,
        &[Entity::Companies, Entity::Sites, Entity::Users, Entity::Contracts, Entity::Assets],
        false,
    );
    let report = run(&engine, all.clone()).await;
    assert_eq!((report.totals.failed, ground.sandbox.hudu_assets().len()), (0, 5), "the others go on");
    let alerts = engine.plan(report.plan.expect("a plan")).expect("it").outline.alerts;
    assert!(alerts.iter().any(|alert| alert.contains("assets: the asset layout")), "{alerts:?}");
    let views = engine
        .layouts(&[Entity::Sites, Entity::Users, Entity::Contracts, Entity::Assets])
        .await
        .expect("made");
    let of_assets: Vec<_> = views.iter().filter(|view| view.entity == Entity::Assets).collect();
    assert_eq!(of_assets.len(), 2);
    assert!(
        views.iter().all(|view| view.state == LayoutState::Ready && view.missing.is_empty()),
        "{views:?}"
    );
    run(&engine, all).await;
    assert_eq!(value(&named(&ground.sandbox, "LT-1"), "Serial Number"), "5CG1");
}

#[tokio::test(start_paused = true)]
async fn assets_need_a_layout_to_be_chosen_and_say_so() {
    let (_ground, engine, _) = sorted(Quirks::default(), "").await;
    let outline = plan(&engine, &of_assets()).await.outline;
    assert!(outline.alerts.iter().any(|alert| alert.contains("hudu.asset_layouts")), "{:?}", outline.alerts);
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_is_gone_from_halo_is_archived_as_asked_and_an_undo_archives_what_was_made() {
    let (ground, engine, [laptop, ..]) = sorted(Quirks::default(), SORTED).await;
    let made = run(&engine, of_assets()).await;
    assert!(ground.sandbox.remove_halo_asset(laptop));
    set(&engine, "hudu.archive_deleted", "true").await;
    let report = run(&engine, spec(HUDU, &[Entity::Assets], true)).await;
    assert_eq!(
        (report.totals.failed, &named(&ground.sandbox, "LT-1")["archived"]),
        (0, &json!(true)),
        "{}",
        said(&report)
    );
    assert_eq!(named(&ground.sandbox, "SRV-1")["archived"], false);
    let undone = undo(&engine, made.job).await;
    assert_eq!(undone.totals.failed, 0, "{}", said(&undone));
    assert_eq!(named(&ground.sandbox, "SRV-1")["archived"], true);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_new_asset_makes_no_second_one() {
    let (ground, engine, _) = sorted(Quirks::default(), SORTED).await;
    ground.sandbox.set_faults(Faults::none().with(Host::Hudu, Rule::new(Kind::ResetAfter).method("POST")));
    let report = run(&engine, of_assets()).await;
    assert_eq!(report.totals.failed, 0, "{}", said(&report));
    named(&ground.sandbox, "LT-1");
    named(&ground.sandbox, "SRV-1");
}

/// Relations without their way back: contact and site by name.
fn relations(sandbox: &Sandbox) -> Vec<(String, String)> {
    let assets = sandbox.hudu_assets();
    let name = |id: &Value| {
        let asset = assets.iter().find(|asset| asset["id"] == *id).expect("an asset");
        asset["name"].as_str().unwrap_or_default().to_owned()
    };
    let mut all: Vec<_> = sandbox
        .hudu_relations()
        .iter()
        .filter(|one| one["is_inverse"] == false)
        .map(|one| (name(&one["fromable_id"]), name(&one["toable_id"])))
        .collect();
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn a_contact_is_related_to_its_site_once() {
    let (ground, engine, _) = sorted(Quirks::default(), "").await;
    assert!(relations(&ground.sandbox).is_empty(), "asked for by name");
    let report = run(&engine, of_relations()).await;
    assert_eq!(
        (report.state, report.totals.rows.create, report.totals.failed),
        (JobState::Ok, 2, 0),
        "{}",
        said(&report)
    );
    let expected = [("Ada Evans".to_owned(), "Main".to_owned()), ("Bea Khan".into(), "Depot".into())];
    assert_eq!(relations(&ground.sandbox), expected);
    let before = ground.sandbox.journal().len();
    assert_eq!(run(&engine, of_relations()).await.state, JobState::Ok);
    assert_eq!(ground.sandbox.journal().len(), before, "the second run wrote something");
}

#[tokio::test(start_paused = true)]
async fn a_relation_that_a_person_made_is_taken_for_what_it_is() {
    let (ground, engine, _) = sorted(Quirks::default(), "").await;
    let (bea, depot) =
        (named(&ground.sandbox, "Bea Khan")["id"].clone(), named(&ground.sandbox, "Depot")["id"].clone());
    let by_hand =
        json!({"fromable_type": "Asset", "fromable_id": bea, "toable_type": "Asset", "toable_id": depot});
    ground.sandbox.put_hudu("relations", &by_hand).expect("a relation");
    let report = run(&engine, of_relations()).await;
    assert_eq!(
        (report.totals.rows.link, report.totals.rows.create, report.totals.failed),
        (1, 1, 0),
        "{}",
        said(&report)
    );
    assert_eq!(relations(&ground.sandbox).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_new_relation_makes_no_second_one() {
    let (ground, engine, _) = sorted(Quirks::default(), "").await;
    ground.sandbox.set_faults(Faults::none().with(Host::Hudu, Rule::new(Kind::ResetAfter).method("POST")));
    let report = run(&engine, of_relations()).await;
    assert_eq!(report.totals.failed, 0, "{}", said(&report));
    assert_eq!(relations(&ground.sandbox).len(), 2);
    assert_eq!(run(&engine, of_relations()).await.state, JobState::Ok);
    assert_eq!(relations(&ground.sandbox).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_contact_who_moves_gets_another_relation_and_the_old_one_goes_only_as_asked() {
    let (ground, engine, _) = sorted(Quirks::default(), "").await;
    run(&engine, of_relations()).await;
    let bea = ground.sandbox.halo_users().into_iter().find(|user| user["name"] == "Bea Khan").expect("Bea");
    let ada = ground.sandbox.halo_users().into_iter().find(|user| user["name"] == "Ada Evans").expect("Ada");
    ground
        .sandbox
        .put_halo_user(&json!({"id": bea["id"], "site_id": ada["site_id"].as_f64().map(|id| id as i64)}))
        .expect("a move");
    run(&engine, of_relations()).await;
    assert_eq!(relations(&ground.sandbox).len(), 3, "what vanished stays unless asked");
    set(&engine, "hudu.archive_deleted", "true").await;
    let report = run(&engine, spec(HUDU, &[Entity::Relations], true)).await;
    assert_eq!((report.state, report.totals.failed), (JobState::Ok, 0), "{}", said(&report));
    let expected = [("Ada Evans".to_owned(), "Main".to_owned()), ("Bea Khan".into(), "Main".into())];
    assert_eq!(relations(&ground.sandbox), expected);
}

#[tokio::test(start_paused = true)]
async fn an_undo_takes_relations_away_and_can_be_taken_back() {
    let (ground, engine, _) = sorted(Quirks::default(), "").await;
    let made = run(&engine, of_relations()).await;
    let undone = undo(&engine, made.job).await;
    assert_eq!((undone.state, undone.totals.failed), (JobState::Ok, 0), "{}", said(&undone));
    assert!(relations(&ground.sandbox).is_empty());
    let redone = undo(&engine, undone.job).await;
    assert_eq!((redone.state, redone.totals.failed), (JobState::Ok, 0), "{}", said(&redone));
    assert_eq!(relations(&ground.sandbox).len(), 2);
    assert_eq!(plan(&engine, &of_relations()).await.outline.totals.acting(), 0);
}
