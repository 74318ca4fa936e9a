//! Narrow plans read what is their customers' alone, as far as the vendors' interfaces let them (P56): and they come to
//! the same rows as a plan of everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::model::{Entity, Integration, SourceId};
use parhelion::plan::{Action, Plan, Purpose};
use parhelion::sandbox::{Host, Options, Sandbox};
use serde_json::json;

use super::hudu::{self, HUDU};
use super::rig::{Ground, plan, run, spec};

fn narrow(integration: Integration, customer: i64) -> Spec {
    let purpose = Purpose::Narrow { customers: [customer.into()].into(), records: [].into() };
    Spec { purpose, ..spec(integration, &[], false) }
}

/// What a plan says of one customer: everything that is to happen, by record.
fn rows(engine: &Engine, plan: &Plan, customer: i64) -> Vec<String> {
    let id = SourceId::from(customer);
    let mut rows = Vec::new();
    let each = |change: parhelion::plan::Change| {
        let of = change.customer.as_ref().unwrap_or(&change.source);
        if of.id == id && !matches!(change.action, Action::Unchanged | Action::Skipped) {
            rows.push(format!(
                "{} {} {:?} {:?} {:?}",
                change.entity, change.source.id, change.action, change.target, change.fields
            ));
        }
        Ok(())
    };
    engine.book.each_plan_row(plan, each).expect("readable");
    rows.sort();
    rows
}

/// Requests to one path of a host.
fn asked(sandbox: &Sandbox, host: Host, path: &str) -> u64 {
    sandbox.requests(host).by_path.get(path).copied().unwrap_or(0)
}

/// Both plans say the same of this customer, and something; answers what the narrow one asked for, by path.
async fn same(
    ground: &Ground,
    engine: &Arc<Engine>,
    of: Integration,
    customer: i64,
) -> BTreeMap<String, u64> {
    let paths = || -> BTreeMap<String, u64> {
        let hosts = [Host::Halo, Host::Hudu, Host::Liongard];
        hosts.into_iter().flat_map(|host| ground.sandbox.requests(host).by_path).collect()
    };
    let whole = plan(engine, &spec(of, &[], false)).await;
    let expected = rows(engine, &whole, customer);
    assert!(!expected.is_empty(), "nothing would happen: {:?}", whole.outline.totals);
    let before = paths();
    let narrow = plan(engine, &narrow(of, customer)).await;
    assert_eq!(rows(engine, &narrow, customer), expected);
    let notes = narrow.outline.notes.join(" ");
    assert!(notes.contains("Read for these customers alone"), "{notes}");
    paths().into_iter().map(|(path, count)| (path.clone(), count - before.get(&path).unwrap_or(&0))).collect()
}

#[tokio::test(start_paused = true)]
async fn of_hudu_a_linked_customer_s_assets_and_nobody_else_s() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = hudu::open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    run(&engine, hudu::by_hand()).await;
    let sites = engine.book.links(HUDU, Entity::Sites).expect("readable");
    let (site, link) = sites.into_iter().next().expect("a site is linked");
    let customer: i64 = link.parent.expect("its customer").as_str().parse().expect("a number");
    let id: i64 = site.as_str().parse().expect("a number");
    ground.sandbox.put_halo_site(&json!({"id": id, "phonenumber": "+44 113 496 7777"})).expect("a site");
    same(&ground, &engine, HUDU, customer).await;
    let notes = plan(&engine, &narrow(HUDU, customer)).await.outline.notes.join(" ");
    assert!(notes.contains("Halo sites, users and contracts, Hudu's sites"), "{notes}");
    assert!(!notes.contains("not linked yet"), "{notes}");

    // A site that is not linked yet may be any asset of the layout: those are read in full, and it is said.
    ground.sandbox.put_halo_site(&json!({"name": "Annexe", "client_id": customer})).expect("a site");
    same(&ground, &engine, HUDU, customer).await;
    let notes = plan(&engine, &narrow(HUDU, customer)).await.outline.notes.join(" ");
    assert!(notes.contains("Hudu's sites (one that is not linked yet may be any of them)"), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn of_liongard_a_mapped_environment_s_devices_and_its_customer_s_assets() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = ground.start().await;
    let liongard = Integration::Liongard;
    run(&engine, spec(liongard, &[], false)).await;
    let mut of: BTreeMap<SourceId, i64> = BTreeMap::new();
    let each = |source: SourceId, link: parhelion::model::Link| {
        if let Some(parent) = link.parent {
            of.entry(parent).or_insert_with(|| source.as_str().parse().expect("a number"));
        }
    };
    engine.book.each_link(liongard, Entity::Assets, each).expect("readable");
    // An environment each of whose systems has its asset.
    let (environment, system) = of.into_iter().next().expect("an asset is linked");
    let environment: i64 = environment.as_str().parse().expect("a number");
    assert!(ground.sandbox.system(system).is_some());
    ground.sandbox.put_system(&json!({"ID": system, "user": "somebody-else"}));
    let narrowly = same(&ground, &engine, liongard, environment).await;
    let devices = narrowly.get("POST /api/v2/inventory/device-profiles/query").copied().unwrap_or(0);
    assert!(devices <= 2, "the devices of one environment: {narrowly:?}");
    let notes = plan(&engine, &narrow(liongard, environment)).await.outline.notes.join(" ");
    assert!(notes.contains("Liongard metric values"), "{notes}");
    assert!(notes.contains("Read in full: customers of both sides, Liongard systems"), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn of_the_workspace_a_customer_s_assets_also_where_one_has_moved_away() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    ground.settings = "[lifecycle]\nenabled = true".into();
    let engine = ground.start().await;
    let import = &[Entity::Types, Entity::Statuses, Entity::Companies, Entity::Configurations];
    let lifecycle = Integration::Lifecycle;
    run(&engine, spec(lifecycle, import, false)).await;
    let assets = ground.sandbox.halo_assets();
    let live = |client: i64| {
        let of = move |asset: &&serde_json::Value| asset["client_id"] == client && asset["inactive"] != true;
        assets.iter().filter(of).filter_map(|asset| asset["id"].as_i64()).collect::<Vec<_>>()
    };
    let clients: Vec<i64> = assets.iter().filter_map(|asset| asset["client_id"].as_i64()).collect();
    let one = *clients.iter().find(|client| live(**client).len() > 3).expect("a customer with assets");
    let other = *clients.iter().find(|client| **client != one).expect("another");
    let (moved, gone) = (live(one)[0], live(one)[1]);
    let site = assets.iter().find(|asset| asset["client_id"] == other).expect("one")["site_id"].clone();
    ground
        .sandbox
        .put_halo_asset(&json!({"id": moved, "client_id": other, "site_id": site}))
        .expect("it moves");
    ground.sandbox.put_halo_asset(&json!({"id": gone, "inactive": true})).expect("it ends");
    let before = asked(&ground.sandbox, Host::Halo, "GET /api/Asset");
    plan(&engine, &spec(lifecycle, &[], false)).await;
    let whole = asked(&ground.sandbox, Host::Halo, "GET /api/Asset") - before;
    let narrowly = same(&ground, &engine, lifecycle, one).await;
    assert!(narrowly["GET /api/Asset"] < whole, "{narrowly:?}, in full {whole}");
}
