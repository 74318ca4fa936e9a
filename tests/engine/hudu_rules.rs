//! What becomes of each kind of record in Hudu, by the rules H1 to H12, P10, P49, P66 to P69, and of what is taken back.

use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::{JobReport, JobState, LayoutState, SettingChange};
use parhelion::model::{Decision, Entity, JobId, SourceId};
use parhelion::plan::{Action, Change, Purpose};
use parhelion::sandbox::{Faults, Host, Kind, Quirks, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::hudu::*;
use super::rig::{Ground, ended, plan, run};

/// The rows of a new plan.
pub(super) async fn rows(engine: &Arc<Engine>, spec: &Spec) -> Vec<Change> {
    let plan = plan(engine, spec).await;
    engine.book.plan_rows(plan.id, &(1..=plan.rows).collect::<Vec<_>>()).expect("rows")
}

pub(super) fn row<'a>(rows: &'a [Change], entity: Entity, name: &str) -> &'a Change {
    let mut of = rows.iter().filter(|row| row.entity == entity && &*row.source.name == name);
    of.next().unwrap_or_else(|| panic!("no row of {entity} '{name}'"))
}

pub(super) fn why(change: &Change) -> String {
    change.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn asset(sandbox: &Sandbox, name: &str) -> Value {
    let mut all = sandbox.hudu_assets();
    all.retain(|asset| asset["name"] == name);
    assert_eq!(all.len(), 1, "assets named {name}");
    all.remove(0)
}

pub(super) fn company(sandbox: &Sandbox, name: &str) -> Value {
    sandbox.hudu_companies().into_iter().find(|company| company["name"] == name).expect("a company")
}

fn in_halo(sandbox: &Sandbox, name: &str) -> (Value, Value) {
    let by_name = |records: Vec<Value>| records.into_iter().find(|record| record["name"] == name);
    (by_name(sandbox.halo_sites()).unwrap_or_default(), by_name(sandbox.halo_users()).unwrap_or_default())
}

pub(super) async fn set(engine: &Arc<Engine>, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

/// Matched by exact name, nothing imported yet.
pub(super) async fn matched(ground: &mut Ground) -> Arc<Engine> {
    let engine = open(ground).await;
    engine.generate(HUDU).await.expect("exact names");
    engine
}

pub(super) async fn undo(engine: &Arc<Engine>, of: JobId) -> JobReport {
    let spec = engine.spec_of(Purpose::Undo { of }).expect("there is something to do");
    run(engine, Spec { allow_removals: true, ..spec }).await
}

#[tokio::test(start_paused = true)]
async fn h12_the_first_plan_says_what_will_and_what_will_not_happen() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = matched(&mut ground).await;
    let told = async || plan(&engine, &by_hand()).await.outline.notes.join("\n");
    let first = told().await;
    for words in ["matched companies get", "active contracts", "no company is renamed or archived", "is left"]
    {
        assert!(first.contains(words), "{words}: {first}");
    }
    run(&engine, by_hand()).await;
    assert!(!told().await.contains("First import"), "said once");
}

#[tokio::test(start_paused = true)]
async fn an_asset_of_hudus_own_integration_is_taken_by_its_card() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let (depot, _) = in_halo(&sandbox, "Depot");
    let company = company(&sandbox, "Alder Ltd");
    let sites =
        sandbox.hudu_layouts().into_iter().find(|one| one["name"] == "Sites").expect("it")["id"].clone();
    let card = |kind: &str, id: &Value| json!([{"id": 1, "integrator_name": "halo", "sync_type": kind, "sync_id": id}]);
    let theirs = json!({
        "company_id": company["id"], "asset_layout_id": sites, "name": "Their depot", "cards": card("site", &depot["id"]),
    });
    sandbox.put_hudu("assets", &theirs).expect("an asset");
    // The id of a contact says nothing of a site (apis/hudu.md 11).
    let other = json!({
        "company_id": company["id"], "asset_layout_id": sites, "name": "Somebody", "cards": card("contact", &json!(99_999)),
    });
    sandbox.put_hudu("assets", &other).expect("an asset");
    let mut ground = Ground::new(sandbox);
    let engine = matched(&mut ground).await;
    let before = rows(&engine, &by_hand()).await;
    let depot_row = before
        .iter()
        .find(|row| {
            row.entity == Entity::Sites
                && row.source.id == SourceId::from(depot["id"].as_i64().expect("an id"))
        })
        .expect("a row");
    assert_eq!(depot_row.action, Action::Link, "{}", why(depot_row));
    assert!(why(depot_row).contains("carries Halo's id"), "{}", why(depot_row));
    run(&engine, by_hand()).await;
    let kept = asset(&ground.sandbox, "Their depot");
    assert_eq!(value(&kept, "Halo Site ID"), &json!(depot["id"].to_string()), "{alder}");
    let all = ground.sandbox.hudu_assets();
    assert_eq!(assets(&all, "Sites").len(), 3, "its two sites and the asset that is none");
}

#[tokio::test(start_paused = true)]
async fn what_hudus_own_integration_keeps_in_another_layout_is_held() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let native = layout(&sandbox, "Contacts of Halo", &[("Mail", "Email")], None);
    let there = company(&sandbox, "Alder Ltd");
    let ada = sandbox.halo_users().into_iter().find(|user| user["name"] == "Ada Evans").expect("Ada");
    let matched_there = json!({"id": there["id"], "integrations": [
        {"id": 1, "integrator_name": "halo", "sync_id": alder, "company_id": there["id"]},
    ]});
    sandbox.put_hudu("companies", &matched_there).expect("matched in Hudu itself");
    let theirs = json!({
        "company_id": there["id"], "asset_layout_id": native, "name": "Ada E.",
        "cards": [{"id": 1, "integrator_name": "halo", "sync_type": "contact", "sync_id": ada["id"]}],
    });
    sandbox.put_hudu("assets", &theirs).expect("an asset");
    let mut ground = Ground::new(sandbox);
    let engine = matched(&mut ground).await;
    let rows = rows(&engine, &by_hand()).await;
    let ada = row(&rows, Entity::Users, "Ada Evans");
    assert_eq!(ada.action, Action::Held, "{}", why(ada));
    assert!(why(ada).contains("the asset 'Ada E.' of layout 'Contacts of Halo'"), "{}", why(ada));
    assert_eq!(row(&rows, Entity::Users, "Bea Khan").action, Action::Create, "nobody else is concerned");
}

#[tokio::test(start_paused = true)]
async fn p49_newest_keeps_the_side_that_changed_and_asks_where_both_did() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "conflicts = { default = \"newest\" }\n".into();
    let engine = matched(&mut ground).await;
    run(&engine, by_hand()).await;
    let phone = |sandbox: &Sandbox| value(&asset(sandbox, "Depot"), "Main Phone").clone();
    let edit = |sandbox: &Sandbox, phone: &str| {
        let id = asset(sandbox, "Depot")["id"].clone();
        sandbox
            .put_hudu("assets", &json!({"id": id, "custom_fields": [{"main_phone": phone}]}))
            .expect("an edit");
    };
    let moves = |sandbox: &Sandbox, phone: &str| {
        let site = sandbox.halo_sites().into_iter().find(|site| site["name"] == "Depot").expect("it");
        sandbox.put_halo_site(&json!({"id": site["id"], "phonenumber": phone})).expect("a change");
    };
    moves(&ground.sandbox, "+44 113 496 0002");
    run(&engine, by_hand()).await;
    assert_eq!(phone(&ground.sandbox), "+44 113 496 0002", "Halo alone changed it");
    edit(&ground.sandbox, "+44 20 7946 0001");
    assert_eq!(run(&engine, by_hand()).await.totals.rows.held, 0);
    assert_eq!(phone(&ground.sandbox), "+44 20 7946 0001", "Hudu alone changed it");
    moves(&ground.sandbox, "+44 113 496 0003");
    let report = run(&engine, by_hand()).await;
    assert_eq!((report.totals.rows.held, phone(&ground.sandbox)), (1, json!("+44 20 7946 0001")), "both did");
}

#[tokio::test(start_paused = true)]
async fn p49_newest_takes_the_later_record_where_both_sides_date_theirs() {
    for (halo_last, kept) in [(true, "2030-06-30"), (false, "2029-01-01")] {
        let (sandbox, _) = world(Quirks::default());
        let mut ground = Ground::new(sandbox);
        ground.hudu = "conflicts = { default = \"newest\" }\n".into();
        let engine = matched(&mut ground).await;
        run(&engine, by_hand()).await;
        let contract = |sandbox: &Sandbox| assets(&sandbox.hudu_assets(), "Contracts")[0].clone();
        let in_hudu =
            json!({"id": contract(&ground.sandbox)["id"], "custom_fields": [{"end_date": "2029/01/01"}]});
        let of_halo = ground.sandbox.halo_contracts().into_iter().next().expect("a contract");
        let in_halo = json!({"id": of_halo["id"], "end_date": "2030-06-30T00:00:00"});
        for halo in [!halo_last, halo_last] {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            if halo {
                ground.sandbox.put_halo_contract(&in_halo).expect("a change");
            } else {
                ground.sandbox.put_hudu("assets", &in_hudu).expect("an edit");
            }
        }
        let report = run(&engine, by_hand()).await;
        assert_eq!((report.totals.rows.held, report.totals.failed), (0, 0), "{}", said(&report));
        assert_eq!(value(&contract(&ground.sandbox), "End Date"), kept, "Halo last: {halo_last}");
    }
}

#[tokio::test(start_paused = true)]
async fn p49_earliest_and_latest_choose_between_two_dates() {
    // What Halo says first, what a person writes into Hudu, what Halo says then, and what is kept each time.
    for (rule, kept_then, kept_last) in
        [("latest", "2029-01-01", "2030-06-30"), ("earliest", "2028-03-31", "2028-03-31")]
    {
        let (sandbox, _) = world(Quirks::default());
        let mut ground = Ground::new(sandbox);
        ground.hudu = format!("conflicts = {{ default = \"hudu\", \"End Date\" = \"{rule}\" }}\n");
        let engine = matched(&mut ground).await;
        run(&engine, by_hand()).await;
        let contract = |sandbox: &Sandbox| {
            let all = sandbox.hudu_assets();
            assets(&all, "Contracts")[0].clone()
        };
        let id = contract(&ground.sandbox)["id"].clone();
        let edit = json!({"id": id, "custom_fields": [{"end_date": "2029/01/01"}]});
        ground.sandbox.put_hudu("assets", &edit).expect("an edit");
        run(&engine, by_hand()).await;
        assert_eq!(value(&contract(&ground.sandbox), "End Date"), kept_then, "{rule}");
        let there = ground.sandbox.halo_contracts().into_iter().next().expect("a contract");
        let later = json!({"id": there["id"], "end_date": "2030-06-30T00:00:00"});
        ground.sandbox.put_halo_contract(&later).expect("a change");
        run(&engine, by_hand()).await;
        assert_eq!(value(&contract(&ground.sandbox), "End Date"), kept_last, "{rule}");
    }
}

/// What stands in Hudu, in Halo and in the settings, and what a plan makes of it.
struct Outcome {
    halo: &'static str,
    hudu: &'static str,
    archive_deleted: bool,
    scheduled: bool,
    expected: (Action, bool),
}

/// Every way in which a user of a matched company can stand on both sides. `true`: archived in Hudu afterwards.
#[tokio::test(start_paused = true)]
async fn the_outcome_of_every_state_on_both_sides() {
    use Action::{Create, Deactivate, Link, Skipped, Unchanged, Update};
    let of = |halo, hudu, archive_deleted, scheduled, expected| Outcome {
        halo,
        hudu,
        archive_deleted,
        scheduled,
        expected,
    };
    let table = [
        of("active", "none", false, false, (Create, false)),
        of("active", "same", false, false, (Unchanged, false)),
        of("changed", "same", false, false, (Update, false)),
        // What a person archived is followed and stays archived (contract 9.3).
        of("active", "archived", false, false, (Unchanged, true)),
        of("active", "unlinked", false, false, (Link, false)),
        of("active", "unlinked archived", false, false, (Link, true)),
        // H1: never made, but followed where it is.
        of("inactive", "none", false, false, (Skipped, false)),
        of("inactive", "same", false, false, (Update, false)),
        of("inactive", "same", true, true, (Update, false)),
        of("gone", "same", false, false, (Skipped, false)),
        of("gone", "same", false, true, (Skipped, false)),
        of("gone", "same", true, false, (Skipped, false)),
        of("gone", "same", true, true, (Deactivate, true)),
        of("gone", "archived", true, true, (Unchanged, true)),
    ];
    for (number, one) in table.into_iter().enumerate() {
        let (sandbox, [alder, ..]) = world(Quirks::default());
        let mut ground = Ground::new(sandbox);
        let mut engine = matched(&mut ground).await;
        let ada = ground
            .sandbox
            .halo_users()
            .into_iter()
            .find(|user| user["client_id"] == alder && user["name"] == "Ada Evans")
            .expect("Ada");
        let id = ada["id"].as_i64().expect("an id");
        if one.hudu == "none" {
            ground.sandbox.remove_halo_user(id);
            run(&engine, by_hand()).await;
            let again = json!({"id": id, "name": "Ada Evans", "site_id": ada["site_id_int"]});
            ground.sandbox.put_halo_user(&again).expect("she comes later");
        } else {
            run(&engine, by_hand()).await;
        }
        if one.hudu.contains("archived") {
            let there = asset(&ground.sandbox, "Ada Evans")["id"].clone();
            ground.sandbox.put_hudu("assets", &json!({"id": there, "archived": true})).expect("archived");
        }
        if one.hudu.contains("unlinked") {
            // Everything of ours is lost.
            ground.kill(engine).await;
            let mut fresh = Ground::new(ground.sandbox.clone());
            engine = matched(&mut fresh).await;
            ground = fresh;
        }
        set(&engine, "hudu.archive_deleted", if one.archive_deleted { "true" } else { "false" }).await;
        if one.scheduled {
            // A scheduled run removes nothing right after the scope was changed (V11).
            run(&engine, scheduled()).await;
        }
        match one.halo {
            "changed" => {
                drop(ground.sandbox.put_halo_user(&json!({"id": id, "emailaddress": "ada@new.example"})));
            }
            "inactive" => drop(ground.sandbox.put_halo_user(&json!({"id": id, "inactive": true}))),
            "gone" => assert!(ground.sandbox.remove_halo_user(id)),
            _ => {}
        }
        let spec = if one.scheduled { scheduled() } else { by_hand() };
        let rows = rows(&engine, &spec).await;
        let told = rows.iter().find(|row| row.entity == Entity::Users && row.source.id == SourceId::from(id));
        let told = told.unwrap_or_else(|| panic!("{number}: no row"));
        let state = format!("{number}: {} in Halo, {} in Hudu: {}", one.halo, one.hudu, why(told));
        // A row that has nothing to change follows the edit of a field only, where there was one.
        assert_eq!(told.action, one.expected.0, "{state}");
        run(&engine, spec).await;
        let all = ground.sandbox.hudu_assets();
        let archived = all.iter().any(|asset| asset["name"] == "Ada Evans" && asset["archived"] == true);
        assert_eq!(archived, one.expected.1, "{state}");
        no_doubles(&ground.sandbox).expect("no doubles");
    }
}

#[tokio::test(start_paused = true)]
async fn a_company_is_neither_archived_unasked_nor_renamed_nor_moved() {
    let (sandbox, [alder, birch, _]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "archive_deleted = true\n".into();
    let engine = matched(&mut ground).await;
    decide(&engine, birch, Decision::New).await;
    run(&engine, by_hand()).await;
    ground.sandbox.put_halo_client(&json!({"id": alder, "name": "Alder Renamed Ltd"})).expect("renamed");
    ground.sandbox.put_halo_client(&json!({"id": birch, "inactive": true})).expect("inactive");
    run(&engine, scheduled()).await;
    run(&engine, scheduled()).await;
    let companies = ground.sandbox.hudu_companies();
    let alive = |name: &str| companies.iter().any(|one| one["name"] == name && one["archived"] == false);
    assert!(alive("Alder Ltd") && alive("Birch Ltd"), "{companies:?}");
    let rows = rows(&engine, &by_hand()).await;
    assert!(why(row(&rows, Entity::Companies, "Birch Ltd")).contains("a mapped customer is left as it is"));
}

#[tokio::test(start_paused = true)]
async fn p68_a_company_archived_later_is_left_and_goes_on_once_it_is_restored() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = matched(&mut ground).await;
    run(&engine, by_hand()).await;
    let id = company(&ground.sandbox, "Alder Ltd")["id"].clone();
    let archive = |archived: bool| {
        ground.sandbox.put_hudu("companies", &json!({"id": id, "archived": archived})).expect("a change");
    };
    let (site, _) = in_halo(&ground.sandbox, "Depot");
    archive(true);
    ground
        .sandbox
        .put_halo_site(&json!({"id": site["id"], "phonenumber": "+44 113 496 0009"}))
        .expect("a change");
    let (writes, report) = (ground.sandbox.journal().len(), run(&engine, by_hand()).await);
    assert_eq!(
        (ground.sandbox.journal().len(), report.totals.failed, report.totals.rows.held),
        (writes, 0, 0)
    );
    archive(false);
    run(&engine, by_hand()).await;
    assert_eq!(value(&asset(&ground.sandbox, "Depot"), "Main Phone"), "+44 113 496 0009");
}

#[tokio::test(start_paused = true)]
async fn p69_every_asset_carries_the_address_of_its_record_in_halo() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = matched(&mut ground).await;
    let views = engine.layouts(&[Entity::Sites, Entity::Contracts, Entity::Users]).await.expect("mended");
    assert!(
        views.iter().all(|view| view.state == LayoutState::Ready && view.missing.is_empty()),
        "{views:?}"
    );
    run(&engine, by_hand()).await;
    for asset in ground.sandbox.hudu_assets() {
        let link = value(&asset, "Halo Link").as_str().unwrap_or_default();
        assert!(link.starts_with("https://halo.test/") || link.starts_with("http://halo.test/"), "{asset}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_layout_whose_answer_is_lost_is_made_once() {
    let late = Kind::LateCommit { after_ms: 50_000, status: Some(504) };
    for kind in [Kind::ResetAfter, Kind::ResetBefore, late, Kind::TooMany { retry_after: None }] {
        let sandbox = Sandbox::empty(Quirks::default());
        customer(&sandbox, "Alder Ltd");
        let mut ground = Ground::new(sandbox);
        let engine = ground.start().await;
        let first = Rule::new(kind.clone()).method("POST").when(When::Nth(vec![1]));
        ground.sandbox.set_faults(Faults::none().with(Host::Hudu, first));
        let views = engine.layouts(&[Entity::Sites]).await.expect("it is made");
        assert_eq!(views[0].state, LayoutState::Ready, "{kind:?}: {views:?}");
        let made = ground.sandbox.hudu_layouts();
        assert_eq!(made.len(), 1, "{kind:?}: {made:?}");
        assert_eq!(engine.book.open_layout(Entity::Sites, "Sites").expect("read"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_layout_without_an_answer_is_settled_by_the_next_process() {
    let sandbox = Sandbox::empty(Quirks::default());
    customer(&sandbox, "Alder Ltd");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    // Each of them comes to nothing at first; the last is carried out when nobody looks any more.
    let late = Kind::LateCommit { after_ms: 30_000, status: Some(504) };
    let rules = Faults::none()
        .with(Host::Hudu, Rule::new(Kind::ResetBefore).method("POST").when(When::Nth(vec![1, 2])))
        .with(Host::Hudu, Rule::new(late).method("POST").when(When::Nth(vec![3])));
    ground.sandbox.set_faults(rules);
    let problem = engine.layouts(&[Entity::Sites]).await.expect_err("three times no answer");
    assert!(problem.to_string().contains("finds out before it sends"), "{problem}");
    assert_eq!(engine.book.open_layout(Entity::Sites, "Sites").expect("read").as_deref(), Some("create"));
    ground.crash(engine, |synced, _| synced, true).await;
    let engine = ground.open();
    assert_eq!(
        engine.book.open_layout(Entity::Sites, "Sites").expect("read").as_deref(),
        Some("create"),
        "it is in the trail"
    );
    ground.sandbox.set_faults(Faults::none());
    engine.layouts(&[Entity::Sites]).await.expect("settled");
    assert_eq!(ground.sandbox.hudu_layouts().len(), 1, "never a second one");
    assert_eq!(engine.book.open_layout(Entity::Sites, "Sites").expect("read"), None);
}

#[tokio::test(start_paused = true)]
async fn an_undo_takes_an_import_into_hudu_back_and_can_be_taken_back() {
    let (sandbox, [alder, birch, _]) = world(Quirks::default());
    // An asset of the same name is adopted, and so given fields.
    let there = company(&sandbox, "Alder Ltd")["id"].clone();
    let sites =
        sandbox.hudu_layouts().into_iter().find(|one| one["name"] == "Sites").expect("it")["id"].clone();
    let depot = json!({"company_id": there, "asset_layout_id": sites, "name": "Depot", "custom_fields": [{"main_phone": "old"}]});
    sandbox.put_hudu("assets", &depot).expect("an asset");
    let mut ground = Ground::new(sandbox);
    ground.hudu = "conflicts = { default = \"halo\" }\n".into();
    let engine = matched(&mut ground).await;
    decide(&engine, birch, Decision::New).await;
    let first = run(&engine, by_hand()).await;
    assert_eq!((first.state, first.totals.failed), (JobState::Ok, 0), "{}", said(&first));
    let done = content(&ground.sandbox);

    let undone = undo(&engine, first.job).await;
    assert_eq!((undone.state, undone.totals.failed), (JobState::Ok, 0), "{}", said(&undone));
    let birch_there = company(&ground.sandbox, "Birch Ltd");
    assert_eq!(birch_there["archived"], true, "what the job made is archived, never deleted");
    for asset in ground.sandbox.hudu_assets() {
        let adopted = asset["name"] == "Depot" && asset["company_id"] == there;
        assert_eq!(asset["archived"] == true, !adopted, "{asset}");
        if adopted {
            assert_eq!(value(&asset, "Main Phone"), "old", "set back");
        }
    }
    assert!(engine.book.links(HUDU, Entity::Users).expect("links").is_empty(), "unlinked again");
    let link = engine.book.link(HUDU, Entity::Companies, &SourceId::from(alder)).expect("read");
    assert!(link.is_some(), "a person matched it: that stays");

    let redone = undo(&engine, undone.job).await;
    assert_eq!((redone.state, redone.totals.failed), (JobState::Ok, 0), "{}", said(&redone));
    assert_eq!(content(&ground.sandbox), done);
    assert_eq!(plan(&engine, &by_hand()).await.outline.totals.acting(), 0, "as if nothing had been");
}

#[tokio::test(start_paused = true)]
async fn an_undo_sets_fields_back_and_leaves_what_a_person_changed_since() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "archive_deleted = true\nconflicts = { default = \"halo\" }\n".into();
    let engine = matched(&mut ground).await;
    run(&engine, by_hand()).await;
    run(&engine, scheduled()).await;
    let before = content(&ground.sandbox);
    let users: Vec<Value> = ground
        .sandbox
        .halo_users()
        .into_iter()
        .filter(|user| {
            ground
                .sandbox
                .hudu_assets()
                .iter()
                .any(|a| value(a, "Halo User ID") == &json!(user["id"].to_string()))
        })
        .collect();
    let (ada, bea) = (&users[0], &users[1]);
    let (site, _) = in_halo(&ground.sandbox, "Depot");
    ground
        .sandbox
        .put_halo_site(&json!({"id": site["id"], "phonenumber": "+44 113 496 0077"}))
        .expect("a change");
    ground
        .sandbox
        .put_halo_user(&json!({"id": ada["id"], "emailaddress": "ada@new.example"}))
        .expect("a change");
    ground.sandbox.remove_halo_user(bea["id"].as_i64().expect("an id"));
    let day = run(&engine, scheduled()).await;
    assert_eq!(day.totals.rows.deactivate, 1, "{}", said(&day));
    // Somebody goes on with the one of them.
    let depot = asset(&ground.sandbox, "Depot")["id"].clone();
    let edit = json!({"id": depot, "custom_fields": [{"main_phone": "+44 20 7946 0000"}]});
    ground.sandbox.put_hudu("assets", &edit).expect("an edit");
    let undone = undo(&engine, day.job).await;
    assert_eq!((undone.totals.rows.held, undone.totals.failed), (1, 0), "{}", said(&undone));
    assert!(said(&undone).contains("changed since"), "{}", said(&undone));
    let is = content(&ground.sandbox);
    let differ: Vec<_> = is.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(differ.len(), 1, "{differ:#?}");
    assert!(differ[0].contains("+44 20 7946 0000"), "{differ:?}");
}

#[tokio::test(start_paused = true)]
async fn an_undo_of_another_hudus_job_is_refused() {
    let (sandbox, _) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    let engine = matched(&mut ground).await;
    let first = run(&engine, by_hand()).await;
    set(&engine, "hudu.url", "http://other-hudu.test").await;
    tested(&engine).await;
    let spec = engine.spec_of(Purpose::Undo { of: first.job }).expect("it is known");
    let writes = ground.sandbox.journal().len();
    let said = match engine.run(spec).await {
        Err(problem) => problem.to_string(),
        Ok(job) => format!("{:?}", ended(&engine, job).await.trouble),
    };
    assert!(said.contains("wrote to another Hudu"), "{said}");
    assert_eq!(ground.sandbox.journal().len(), writes);
}
