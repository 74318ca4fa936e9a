//! Halo's customers, sites, contracts and users on their way to Hudu, without faults and with all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::{JobOrder, JobReport, JobState, LayoutState, MapState};
use parhelion::model::{Decision, Entity, Integration, Place, Problem, SourceId};
use parhelion::plan::Action;
use parhelion::sandbox::{Faults, Host, HuduOrder, Kind, Options, Quirks, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::dice::Dice;
use super::rig::{Ground, ended, plan, run, spec};

pub(super) const HUDU: Integration = Integration::Hudu;

pub(super) fn by_hand() -> Spec {
    spec(HUDU, &[], false)
}

pub(super) fn scheduled() -> Spec {
    spec(HUDU, &[], true)
}

pub(super) fn layout(sandbox: &Sandbox, name: &str, fields: &[(&str, &str)], link: Option<i64>) -> i64 {
    let fields: Vec<Value> = fields
        .iter()
        .zip(1..)
        .map(|((label, kind), at)| {
            let mut field = json!({"label": label, "field_type": kind, "position": at});
            if *kind == "AssetTag" {
                field["linkable_id"] = json!(link);
            }
            field
        })
        .collect();
    let layout = json!({"name": name, "icon": "fas fa-x", "color": "#000000", "icon_color": "#ffffff", "fields": fields});
    sandbox.put_hudu("layouts", &layout).expect("a layout")
}

pub(super) fn layouts(sandbox: &Sandbox) {
    let sites = layout(
        sandbox,
        "Sites",
        &[
            ("Halo Site ID", "Text"),
            ("Main Phone", "Phone"),
            ("Address", "AddressData"),
            ("Active", "CheckBox"),
        ],
        None,
    );
    let people =
        [("Halo User ID", "Text"), ("Email Address", "Email"), ("Site", "AssetTag"), ("Active", "CheckBox")];
    layout(sandbox, "People", &people, Some(sites));
    let contracts =
        [("Halo Contract ID", "Text"), ("Type", "Text"), ("End Date", "Date"), ("Status", "Text")];
    layout(sandbox, "Contracts", &contracts, None);
}

/// A customer in Halo with a second site, two users and a contract; its id.
pub(super) fn customer(sandbox: &Sandbox, name: &str) -> i64 {
    let client = sandbox.put_halo_client(&json!({"name": name})).expect("a client");
    let main = sandbox
        .halo_sites()
        .iter()
        .find(|site| site["client_id"].as_f64() == Some(client as f64))
        .and_then(|site| site["id"].as_i64())
        .expect("its main site");
    let depot = json!({
        "name": "Depot", "client_id": client, "phonenumber": "+44 113 496 0001",
        "delivery_address": {"line1": "1 High Street", "line3": "Leeds", "postcode": "LS1 1AA"},
    });
    let depot = sandbox.put_halo_site(&depot).expect("a site");
    for (name, site) in [("Ada Evans", main), ("Bea Khan", depot)] {
        let email = format!("{}@customer-{client}.example", name.replace(' ', ".").to_lowercase());
        sandbox
            .put_halo_user(&json!({"name": name, "site_id": site, "emailaddress": email}))
            .expect("a user");
    }
    let contract = json!({
        "ref": format!("MS-{client}"), "client_id": client, "contracttype_name": "Managed Service",
        "end_date": "2028-03-31T00:00:00",
    });
    sandbox.put_halo_contract(&contract).expect("a contract");
    client
}

/// Three customers: one is in Hudu by name, one is not, the name of the third is owned by an archived company.
pub(super) fn world(quirks: Quirks) -> (Sandbox, [i64; 3]) {
    let sandbox = Sandbox::empty(quirks);
    layouts(&sandbox);
    let ids = ["Alder Ltd", "Birch Ltd", "Cedar Ltd"].map(|name| customer(&sandbox, name));
    sandbox.put_hudu("companies", &json!({"name": "Alder Ltd", "city": "Leeds"})).expect("a company");
    sandbox.put_hudu("companies", &json!({"name": "Cedar Ltd", "archived": true})).expect("a company");
    (sandbox, ids)
}

pub(super) async fn tested(engine: &Arc<Engine>) {
    for place in [Place::Halo, Place::Of(HUDU)] {
        let report = engine.test(place, &[], &[]).await.expect("a test");
        assert!(report.ok, "{:?}", report.checks);
    }
}

/// An engine whose two ends have passed their test.
pub(super) async fn open(ground: &mut Ground) -> Arc<Engine> {
    let engine = ground.start().await;
    tested(&engine).await;
    engine
}

pub(super) async fn decide(engine: &Arc<Engine>, client: i64, decision: Decision) {
    engine.decide(HUDU, vec![(SourceId::from(client), decision)]).await.expect("a decision");
}

pub(super) fn value<'a>(asset: &'a Value, label: &str) -> &'a Value {
    asset["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|field| field["label"] == label)
        .map_or(&Value::Null, |field| &field["value"])
}

pub(super) fn assets<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|asset| asset["asset_type"] == kind).collect()
}

pub(super) fn said(report: &JobReport) -> String {
    report.problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_both_tests_are_green() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let locked = async |engine: &Arc<Engine>, why: &str| {
        let problem: Problem = engine.run(by_hand()).await.expect_err("it is locked");
        assert!(problem.message.contains(why), "{problem}");
    };
    locked(&engine, "Halo has not been tested").await;
    engine.test(Place::Halo, &[], &[]).await.expect("a test");
    locked(&engine, "Hudu has not been tested").await;
    tested(&engine).await;
    assert_eq!(run(&engine, by_hand()).await.totals.failed, 0);
    // A later test that fails locks again.
    let denied = [("companies".to_owned(), 401)].into();
    let quirks = parhelion::sandbox::HuduQuirks { denied, ..Default::default() };
    ground.sandbox.set_quirks(Quirks { hudu: quirks, ..Quirks::default() });
    assert!(!engine.test(Place::Of(HUDU), &[], &[]).await.expect("a test").ok);
    locked(&engine, "Hudu failed its last test").await;
}

#[tokio::test(start_paused = true)]
async fn a_company_is_matched_before_anything_of_it_is_written() {
    let (sandbox, [alder, birch, _]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    // Stage 1 proposes, and writes nothing, not even where the name is exactly the same.
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.totals.rows.acting(), 0);
    assert!(ground.sandbox.journal().is_empty());
    let generated = engine.generate(HUDU).await.expect("exact names");
    assert_eq!((generated.added, generated.ambiguous), (1, 0));
    let rows = engine.map_rows(HUDU, &[SourceId::from(alder), SourceId::from(birch)]).expect("rows");
    assert_eq!((rows[0].state, rows[1].state), (MapState::Mapped, MapState::Unmapped));

    let report = run(&engine, by_hand()).await;
    assert_eq!((report.state, report.totals.failed), (JobState::Ok, 0), "{}", said(&report));
    let all = ground.sandbox.hudu_assets();
    let companies: Vec<i64> = all.iter().filter_map(|asset| asset["company_id"].as_i64()).collect();
    assert_eq!(companies.len(), 5, "two sites, two users, a contract, of the one that is matched");
    assert!(companies.iter().all(|company| *company == companies[0]));
    // The relation of a user to its site is kept.
    let sites = assets(&all, "Sites");
    let depot = sites.iter().find(|site| site["name"] == "Depot").expect("the depot");
    let people = assets(&all, "People");
    let bea = people.iter().find(|user| user["name"] == "Bea Khan").expect("Bea");
    assert!(
        value(bea, "Site").as_str().expect("a link").contains(&format!("\"id\":{}", depot["id"])),
        "{bea}"
    );
    assert_eq!(value(depot, "Address")["city"], "Leeds");
    assert_eq!(value(assets(&all, "Contracts")[0], "End Date"), "2028-03-31");

    let before = ground.sandbox.journal().len();
    assert_eq!(run(&engine, by_hand()).await.state, JobState::Ok);
    assert_eq!(ground.sandbox.journal().len(), before, "the second run wrote something");
}

#[tokio::test(start_paused = true)]
async fn a_company_is_created_when_a_person_says_so_and_an_archived_name_is_explained() {
    let (sandbox, [_, birch, cedar]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.read_customers(HUDU).await.expect("both sides");
    decide(&engine, birch, Decision::New).await;
    decide(&engine, cedar, Decision::New).await;
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.state, JobState::Partial);
    assert!(said(&report).contains("archived perhaps"), "{}", said(&report));
    let companies = ground.sandbox.hudu_companies();
    let made = companies.iter().find(|company| company["name"] == "Birch Ltd").expect("it is made");
    assert_eq!(made["id_number"], format!("HALO-{birch}"));
    assert_eq!(companies.iter().filter(|company| company["name"] == "Cedar Ltd").count(), 1);
    let all = ground.sandbox.hudu_assets();
    assert!(!all.is_empty() && all.iter().all(|asset| asset["company_id"] == made["id"]));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_edited_in_hudu_stays_by_the_rule_of_the_field() {
    for (rule, kept) in [("hudu", true), ("halo", false), ("blank", true)] {
        let (sandbox, _) = world(Quirks::default());
        let mut ground = Ground::new(sandbox);
        ground.hudu = format!("conflicts = {{ default = \"{rule}\" }}\n");
        let engine = open(&mut ground).await;
        engine.generate(HUDU).await.expect("exact names");
        run(&engine, by_hand()).await;
        let depot = |sandbox: &Sandbox| {
            sandbox.hudu_assets().into_iter().find(|asset| asset["name"] == "Depot").expect("the depot")
        };
        let id = depot(&ground.sandbox)["id"].clone();
        let edit = json!({"id": id, "custom_fields": [{"main_phone": "+44 20 7946 0000"}]});
        ground.sandbox.put_hudu("assets", &edit).expect("an edit");
        assert_eq!(run(&engine, by_hand()).await.state, JobState::Ok);
        let phone = value(&depot(&ground.sandbox), "Main Phone").as_str().unwrap_or_default().to_owned();
        assert_eq!(phone == "+44 20 7946 0000", kept, "{rule}: {phone}");
        // What nobody edited follows Halo, under every rule but the one that only fills blanks.
        let site = ground.sandbox.halo_sites().into_iter().find(|site| site["name"] == "Depot").expect("it");
        let moved = json!({"id": site["id"], "delivery_address": {"line1": "2 New Road", "line3": "York", "postcode": "YO1 1AA"}});
        ground.sandbox.put_halo_site(&moved).expect("a move");
        run(&engine, by_hand()).await;
        let city = value(&depot(&ground.sandbox), "Address")["city"].clone();
        assert_eq!(city == "York", rule != "blank", "{rule}: {city}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_under_the_manual_rule_waits_for_a_person() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "conflicts = { default = \"hudu\", \"Main Phone\" = \"manual\" }\n".into();
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    run(&engine, by_hand()).await;
    let depot = ground.sandbox.hudu_assets().into_iter().find(|asset| asset["name"] == "Depot").expect("it");
    let edit = json!({"id": depot["id"], "custom_fields": [{"main_phone": "+44 20 7946 0000"}]});
    ground.sandbox.put_hudu("assets", &edit).expect("an edit");
    let writes = ground.sandbox.journal().len();
    let report = run(&engine, by_hand()).await;
    assert_eq!((report.totals.rows.held, ground.sandbox.journal().len()), (1, writes), "{}", said(&report));
}

#[tokio::test(start_paused = true)]
async fn a_layout_in_disorder_stops_its_own_entity_and_is_mended_by_one_order() {
    let (sandbox, _) = world(Quirks::default());
    let people = sandbox.hudu_layouts().into_iter().find(|layout| layout["name"] == "People").expect("it");
    sandbox.remove_hudu("layouts", people["id"].as_i64().expect("an id"));
    let contracts = sandbox.hudu_layouts().into_iter().find(|one| one["name"] == "Contracts").expect("it");
    sandbox
        .put_hudu("layouts", &json!({"id": contracts["id"], "active": false, "fields": []}))
        .expect("switched off");
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.totals.failed, 0);
    let all = ground.sandbox.hudu_assets();
    assert_eq!((assets(&all, "Sites").len(), all.len()), (2, 2), "sites go on");
    let alerts = engine.plan(report.plan.expect("a plan")).expect("it").outline.alerts;
    assert!(alerts.iter().any(|a| a.contains("'People' is not in Hudu")), "{alerts:?}");
    assert!(alerts.iter().any(|a| a.contains("'Contracts' is not active")), "{alerts:?}");

    let state = |views: &[parhelion::host::words::LayoutView], entity| {
        views.iter().find(|view| view.entity == entity).expect("a view").state
    };
    let views = engine.layouts(&[]).await.expect("views");
    assert_eq!(state(&views, Entity::Users), LayoutState::Missing);
    assert_eq!(state(&views, Entity::Contracts), LayoutState::Inactive);
    engine.layouts(&[Entity::Users]).await.expect("made");
    let views = engine.layouts(&[Entity::Contracts]).await.expect("activated");
    assert!(
        [Entity::Sites, Entity::Users, Entity::Contracts]
            .iter()
            .all(|e| state(&views, *e) == LayoutState::Ready)
    );
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.totals.failed, 0, "{}", said(&report));
    let all = ground.sandbox.hudu_assets();
    assert_eq!((assets(&all, "People").len(), assets(&all, "Contracts").len()), (2, 1));
    assert!(value(assets(&all, "People")[0], "Site").is_string(), "the new layout has the link to the site");
}

#[tokio::test(start_paused = true)]
async fn a_right_that_halo_refuses_stops_its_own_entity() {
    let mut quirks = Quirks::default();
    quirks.halo.denied.insert("clientcontract".into(), 401);
    let (sandbox, _) = world(quirks);
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    let report = run(&engine, by_hand()).await;
    let all = ground.sandbox.hudu_assets();
    assert_eq!((assets(&all, "Sites").len(), assets(&all, "People").len(), all.len()), (2, 2, 4));
    let alerts = engine.plan(report.plan.expect("a plan")).expect("it").outline.alerts;
    assert!(alerts.iter().any(|a| a.contains("contracts")), "{alerts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_from_halo_is_archived_only_when_asked_and_only_by_schedule() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    run(&engine, by_hand()).await;
    let user =
        ground.sandbox.halo_users().into_iter().find(|user| user["client_id"] == alder).expect("a user");
    let (id, name) = (user["id"].as_i64().expect("an id"), user["name"].clone());
    ground.sandbox.remove_halo_user(id);
    let archived = |sandbox: &Sandbox| sandbox.hudu_assets().iter().filter(|a| a["archived"] == true).count();
    run(&engine, scheduled()).await;
    assert_eq!(archived(&ground.sandbox), 0, "not asked for");
    let on = parhelion::host::words::SettingChange {
        key: "hudu.archive_deleted".into(),
        value: Some("true".into()),
    };
    engine.set(&[on]).await.expect("a setting");
    run(&engine, by_hand()).await;
    assert_eq!(archived(&ground.sandbox), 0, "not by hand");
    run(&engine, scheduled()).await;
    run(&engine, scheduled()).await;
    assert_eq!(archived(&ground.sandbox), 1);
    // It comes back, and so does its asset: never a second one.
    let again = json!({"id": id, "name": name, "site_id": user["site_id_int"]});
    ground.sandbox.put_halo_user(&again).expect("it is back");
    run(&engine, scheduled()).await;
    assert_eq!(archived(&ground.sandbox), 0);
    let all = ground.sandbox.hudu_assets();
    assert_eq!(all.iter().filter(|asset| asset["name"] == name).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_archived_company_is_left_alone_with_all_that_is_its() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    run(&engine, by_hand()).await;
    let company = ground.sandbox.hudu_companies().into_iter().find(|c| c["name"] == "Alder Ltd").expect("it");
    ground.sandbox.put_hudu("companies", &json!({"id": company["id"], "archived": true})).expect("archived");
    let site = json!({"name": "New Wing", "client_id": alder});
    ground.sandbox.put_halo_site(&site).expect("a site");
    let writes = ground.sandbox.journal().len();
    let report = run(&engine, by_hand()).await;
    assert_eq!((ground.sandbox.journal().len(), report.totals.rows.held), (writes, 0), "{}", said(&report));
    let plan = plan(&engine, &by_hand()).await;
    let mut reasons = Vec::new();
    engine
        .book
        .each_plan_row(&plan, |change| {
            if change.action == Action::Skipped && change.source.name.contains("Alder") {
                reasons.extend(change.reasons.iter().map(ToString::to_string));
            }
            Ok(())
        })
        .expect("rows");
    assert!(reasons.iter().any(|reason| reason.contains("archived in Hudu")), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn an_asset_that_carries_halos_id_is_taken_and_one_of_the_same_name_adopted() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let company =
        sandbox.hudu_companies().into_iter().find(|c| c["name"] == "Alder Ltd").expect("it")["id"].clone();
    let sites = sandbox.hudu_layouts()[0]["id"].clone();
    let depot =
        sandbox.halo_sites().into_iter().find(|s| s["name"] == "Depot").expect("it")["id"].to_string();
    let ours = json!({
        "company_id": company, "asset_layout_id": sites, "name": "The old depot",
        "custom_fields": [{"halo_site_id": depot}],
    });
    sandbox.put_hudu("assets", &ours).expect("an asset");
    let by_name = json!({"company_id": company, "asset_layout_id": sites, "name": "Main"});
    sandbox.put_hudu("assets", &by_name).expect("an asset");
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    let report = run(&engine, by_hand()).await;
    assert_eq!(report.totals.rows.link, 2, "{}", said(&report));
    let all = ground.sandbox.hudu_assets();
    let sites = assets(&all, "Sites");
    assert_eq!(sites.len(), 2, "none was made a second time");
    assert!(sites.iter().all(|site| value(site, "Halo Site ID").is_string()));
    assert!(sites.iter().any(|site| site["name"] == "The old depot"), "its name is what a person wrote");
    let link = engine.book.link(HUDU, Entity::Sites, &SourceId::new(&depot)).expect("read").expect("linked");
    assert_eq!(link.parent, Some(SourceId::from(alder)));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_every_create_makes_no_second_record() {
    let (sandbox, [_, birch, _]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    decide(&engine, birch, Decision::New).await;
    let lost = Rule::new(Kind::ResetAfter).method("POST");
    ground.sandbox.set_faults(Faults::none().with(Host::Hudu, lost));
    let report = run(&engine, by_hand()).await;
    assert_eq!((report.state, report.totals.failed), (JobState::Ok, 0), "{}", said(&report));
    no_doubles(&ground.sandbox).expect("no doubles");
    assert_eq!(ground.sandbox.hudu_assets().len(), 10);
    let creates = ground.sandbox.journal().iter().filter(|write| write.created).count();
    assert_eq!(creates, 11, "each was sent once");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_cut_off_creates_nothing() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    run(&engine, by_hand()).await;
    // Everything of ours is lost: what is there is known by the listing alone.
    let creates = |sandbox: &Sandbox| sandbox.journal().iter().filter(|write| write.created).count();
    let before = creates(&ground.sandbox);
    ground.kill(engine).await;
    let mut fresh = Ground::new(ground.sandbox.clone());
    let engine = open(&mut fresh).await;
    engine.generate(HUDU).await.expect("exact names");
    for kind in [Kind::EmptyList, Kind::HalfPage] {
        for nth in 1..=4 {
            let rule = Rule::new(kind.clone()).path("/api/v1/assets").when(When::Nth(vec![nth]));
            fresh.sandbox.set_faults(Faults::none().with(Host::Hudu, rule));
            plan_creates_nothing(&engine).await;
        }
    }
    fresh.sandbox.set_faults(Faults::none());
    run(&engine, by_hand()).await;
    assert_eq!(creates(&fresh.sandbox), before, "all was found again");
}

async fn plan_creates_nothing(engine: &Arc<Engine>) {
    let plan = plan(engine, &by_hand()).await;
    assert_eq!(plan.outline.totals.create, 0, "{:?}", plan.outline.alerts);
}

/// No two records in Hudu carry one of Halo's ids.
pub(super) fn no_doubles(sandbox: &Sandbox) -> Result<(), String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for asset in sandbox.hudu_assets() {
        for label in ["Halo Site ID", "Halo User ID", "Halo Contract ID"] {
            if let Some(id) = value(&asset, label).as_str() {
                *seen.entry(format!("{label} {id}")).or_default() += 1;
            }
        }
    }
    for company in sandbox.hudu_companies() {
        if let Some(id) = company["id_number"].as_str() {
            *seen.entry(id.to_owned()).or_default() += 1;
        }
    }
    let twice: Vec<_> = seen.into_iter().filter(|(_, count)| *count > 1).collect();
    if twice.is_empty() { Ok(()) } else { Err(format!("twice in Hudu: {twice:?}")) }
}

/// What is in Hudu, without ids and times.
pub(super) fn content(sandbox: &Sandbox) -> Vec<String> {
    let companies = sandbox.hudu_companies();
    let name = |id: &Value| {
        companies
            .iter()
            .find(|company| company["id"] == *id)
            .map_or(Value::Null, |company| company["name"].clone())
    };
    let mut lines: Vec<String> = companies
        .iter()
        .map(|company| format!("{} {} {}", company["name"], company["id_number"], company["archived"]))
        .collect();
    for asset in sandbox.hudu_assets() {
        let fields: Vec<String> = asset["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| {
                let value = if field["label"] == "Site" {
                    // The link by the name of what it leads to: ids differ from life to life.
                    let link: Value =
                        serde_json::from_str(field["value"].as_str().unwrap_or_default()).unwrap_or_default();
                    link[0]["name"].clone()
                } else {
                    field["value"].clone()
                };
                format!("{}={value}", field["label"])
            })
            .collect();
        lines.push(format!(
            "{} {} {} {}",
            name(&asset["company_id"]),
            asset["name"],
            asset["archived"],
            fields.join(" ")
        ));
    }
    lines.sort();
    lines
}

/// A world of some customers, each known to Hudu in another way.
fn life_world(seed: u64) -> (Sandbox, Vec<i64>) {
    let mut dice = Dice::new(seed, "hudu world");
    let mut quirks = Quirks::default();
    quirks.hudu.page_cap = *dice.pick(&[3, 7, 1000]);
    quirks.hudu.created_201 = dice.chance(0.3);
    quirks.hudu.missing_company_null = dice.chance(0.3);
    quirks.hudu.order = if dice.chance(0.2) { HuduOrder::Updated } else { HuduOrder::Id };
    quirks.halo.page_cap = *dice.pick(&[3, 100]);
    let sandbox = Sandbox::empty(quirks);
    layouts(&sandbox);
    let mut new = Vec::new();
    for n in 0..dice.within(2, 4) {
        let name = format!("Customer {n} Ltd");
        let id = customer(&sandbox, &name);
        if dice.chance(0.5) {
            sandbox.put_hudu("companies", &json!({"name": name})).expect("a company");
        } else {
            new.push(id);
        }
    }
    (sandbox, new)
}

fn life_day(seed: u64, sandbox: &Sandbox) {
    let mut dice = Dice::new(seed, "hudu day");
    for user in sandbox.halo_users() {
        if dice.chance(0.3) {
            let email = format!("new.{}@example.test", user["id"]);
            sandbox.put_halo_user(&json!({"id": user["id"], "emailaddress": email})).expect("a change");
        }
    }
    let client = sandbox.halo_clients()[0]["id"].clone();
    sandbox.put_halo_site(&json!({"name": "New Wing", "client_id": client})).expect("a site");
}

async fn begin(ground: &mut Ground, new: &[i64]) -> Arc<Engine> {
    let engine = open(ground).await;
    engine.generate(HUDU).await.expect("exact names");
    let decisions = new.iter().map(|id| (SourceId::from(*id), Decision::New)).collect();
    engine.decide(HUDU, decisions).await.expect("decisions");
    engine
}

fn life_faults(dice: &mut Dice) -> Faults {
    let mut faults = Faults { seed: Some(dice.next()), ..Faults::default() };
    let mut kinds = vec![
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::ResetAfter,
        Kind::ServerError { status: *dice.pick(&[500, 502, 504]), applied: false, retry_after: None },
        Kind::ServerError { status: *dice.pick(&[500, 502, 504]), applied: true, retry_after: None },
        Kind::Truncated,
        Kind::TooMany { retry_after: None },
        Kind::Html { status: 503, applied: dice.chance(0.5) },
        Kind::Hang { seconds: 400.0, applied: dice.chance(0.5) },
        Kind::LateCommit { after_ms: dice.within(1, 50_000), status: Some(504) },
    ];
    while kinds.len() > 5 {
        kinds.swap_remove(dice.below(kinds.len() as u64) as usize);
    }
    for kind in kinds {
        faults = faults.with(Host::Hudu, Rule::new(kind).when(When::Probability(0.06)));
    }
    let spoilt = dice.pick(&[Kind::HalfPage, Kind::EmptyList, Kind::DuplicateRows]).clone();
    faults = faults.with(Host::Hudu, Rule::new(spoilt).method("GET").when(When::Probability(0.02)));
    faults.with(Host::Halo, Rule::new(Kind::ResetBefore).when(When::Probability(0.05)))
}

/// One life: two days of imports under faults and ends of the process. What is in Hudu afterwards is what an
/// undisturbed import leaves there, and nothing twice.
async fn live(seed: u64) -> Result<(), String> {
    let mut should = Vec::new();
    {
        let (sandbox, new) = life_world(seed);
        let mut ground = Ground::new(sandbox);
        let engine = begin(&mut ground, &new).await;
        for day in 0..2 {
            if day > 0 {
                life_day(seed, &ground.sandbox);
            }
            run(&engine, by_hand()).await;
            should.push(content(&ground.sandbox));
        }
        ground.kill(engine).await;
    }
    let mut dice = Dice::new(seed, "hudu life");
    let (sandbox, new) = life_world(seed);
    let mut ground = Ground::new(sandbox);
    let mut engine = Some(begin(&mut ground, &new).await);
    for (day, should) in should.iter().enumerate() {
        if day > 0 {
            life_day(seed, &ground.sandbox);
        }
        ground.sandbox.set_faults(life_faults(&mut dice));
        let mut ends = dice.below(4);
        for _ in 0..6 {
            let now = match engine.take() {
                Some(engine) => engine,
                None => ground.open(),
            };
            if ends > 0 {
                ends -= 1;
                ground.process.end_after(
                    dice.within(1, 80),
                    dice.chance(0.4),
                    &ground.disk,
                    dice.chance(0.5),
                );
            }
            let work = async {
                for job in
                    now.jobs(50).expect("jobs").into_iter().filter(|j| j.state == JobState::Interrupted)
                {
                    if now.order(job.job, JobOrder::Resume).await.is_ok() {
                        ended(&now, job.job).await;
                    }
                }
                if let Ok(job) = now.run(by_hand()).await {
                    ended(&now, job).await;
                }
            };
            let died = tokio::select! {
                () = work => false,
                () = ground.process.death() => true,
            };
            if died {
                let keep = dice.next();
                let lose = dice.chance(0.5);
                ground.crash(now, |synced, written| synced + keep % (written - synced + 1), lose).await;
            } else {
                engine = Some(now);
                break;
            }
        }
        ground.sandbox.set_faults(Faults::none());
        if let Some(engine) = engine.take() {
            ground.crash(engine, |_, written| written, false).await;
        }
        let now = ground.open();
        for job in now.jobs(50).expect("jobs").into_iter().filter(|j| j.state == JobState::Interrupted) {
            now.order(job.job, JobOrder::Resume).await.map_err(|problem| problem.to_string())?;
            ended(&now, job.job).await;
        }
        for _ in 0..2 {
            let report = run(&now, by_hand()).await;
            if matches!(report.state, JobState::Interrupted | JobState::Failed) {
                return Err(format!("a clean run ended {}: {:?}", report.state.word(), report.trouble));
            }
        }
        no_doubles(&ground.sandbox)?;
        let is = content(&ground.sandbox);
        if is != *should {
            let lacks: Vec<_> = should.iter().filter(|line| !is.contains(line)).collect();
            let more: Vec<_> = is.iter().filter(|line| !should.contains(line)).collect();
            return Err(format!("day {day}: lacks {lacks:#?}, has {more:#?}"));
        }
        if plan(&now, &by_hand()).await.outline.totals.acting() > 0 {
            return Err(format!("day {day}: a further plan still wants something"));
        }
        engine = Some(now);
    }
    Ok(())
}

/// `PARHELION_HUDU_LIVES` says how many (60), `PARHELION_LIFE_SEED` replays one.
#[test]
fn whatever_happens_hudu_ends_as_an_undisturbed_import_leaves_it() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("PARHELION_LIFE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PARHELION_HUDU_LIVES").unwrap_or(60),
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        if let Err(found) = runtime.block_on(live(seed)) {
            panic!("seed {seed}: {found}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_seeded_world_goes_over_and_a_second_run_writes_nothing() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = open(&mut ground).await;
    engine.generate(HUDU).await.expect("exact names");
    let first = run(&engine, by_hand()).await;
    assert!(first.totals.rows.create > 300, "{:?}", first.totals);
    assert_eq!(first.totals.failed, 0, "{}", said(&first));
    no_doubles(&ground.sandbox).expect("no doubles");
    let writes = ground.sandbox.journal().len();
    run(&engine, by_hand()).await;
    assert_eq!(ground.sandbox.journal().len(), writes, "the second run wrote something");
}
