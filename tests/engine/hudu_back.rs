//! Hudu's companies when their customers go, and what goes back into Halo: the addresses of the companies (P69).

use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::JobState;
use parhelion::model::{Decision, Entity};
use parhelion::plan::{Action, Cause, Valve};
use parhelion::sandbox::{Faults, Host, Kind, Quirks, Rule, Sandbox, When};
use serde_json::json;

use super::hudu::*;
use super::hudu_rules::{company, matched, row, rows, set, undo, why};
use super::rig::{Ground, plan, run, spec};

fn is_archived(sandbox: &Sandbox, name: &str) -> bool {
    company(sandbox, name)["archived"] == true
}

/// Matched and imported once by a person; then Alder Ltd is gone from Halo.
async fn gone(ground: &mut Ground, alder: i64) -> Arc<Engine> {
    let engine = matched(ground).await;
    run(&engine, by_hand()).await;
    run(&engine, scheduled()).await;
    ground.sandbox.remove_halo_client(alder);
    engine
}

#[tokio::test(start_paused = true)]
async fn a_company_is_archived_only_when_asked_only_by_schedule_and_restored_with_its_customer() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "archive_deleted = true\n".into();
    let engine = gone(&mut ground, alder).await;
    run(&engine, scheduled()).await;
    assert!(!is_archived(&ground.sandbox, "Alder Ltd"), "not asked for");
    set(&engine, "hudu.archive_companies", "true").await;
    let by_hand = rows(&engine, &by_hand()).await;
    let said = why(row(&by_hand, Entity::Companies, "Alder Ltd"));
    assert!(said.contains("a manual import never does"), "{said}");
    run(&engine, spec(HUDU, &[], false)).await;
    assert!(!is_archived(&ground.sandbox, "Alder Ltd"), "not by hand");

    let planned = rows(&engine, &scheduled()).await;
    let change = row(&planned, Entity::Companies, "Alder Ltd");
    assert_eq!(change.action, Action::Deactivate, "{}", why(change));
    assert!(why(change).contains("a look-up by id did not find it"), "{}", why(change));
    // Its assets wait for nobody: the company decides.
    let waiting = planned.iter().filter(|row| row.action == Action::Held).count();
    assert_eq!(waiting, 0, "{planned:?}");
    let report = run(&engine, scheduled()).await;
    assert_eq!((report.state, report.totals.rows.deactivate), (JobState::Ok, 1), "{:?}", report.problems);
    assert!(is_archived(&ground.sandbox, "Alder Ltd"));
    let writes = ground.sandbox.journal().len();
    run(&engine, scheduled()).await;
    assert_eq!(ground.sandbox.journal().len(), writes, "once is enough");

    ground.sandbox.put_halo_client(&json!({"id": alder, "name": "Alder Ltd"})).expect("it is back");
    run(&engine, spec(HUDU, &[], false)).await;
    assert!(!is_archived(&ground.sandbox, "Alder Ltd"), "and so is its company");
    let of_name =
        ground.sandbox.hudu_companies().into_iter().filter(|one| one["name"] == "Alder Ltd").count();
    assert_eq!(of_name, 1);
}

#[tokio::test(start_paused = true)]
async fn a_company_goes_under_the_same_proofs_and_limits() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "archive_companies = true\n".into();
    let engine = gone(&mut ground, alder).await;
    // A look-up that fails proves nothing.
    let fails = Rule::new(Kind::ServerError { status: 500, applied: false, retry_after: None })
        .method("GET")
        .path(&format!("/api/Client/{alder}"))
        .when(When::Always);
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, fails));
    let held = rows(&engine, &scheduled()).await;
    let change = row(&held, Entity::Companies, "Alder Ltd");
    assert_eq!(change.hold.as_ref().map(|hold| &hold.cause), Some(&Cause::Unproven), "{}", why(change));
    ground.sandbox.set_faults(Faults::none());
    // More than the limit wait.
    set(&engine, "hudu.safety.max_removals", "0").await;
    let held = rows(&engine, &scheduled()).await;
    let change = row(&held, Entity::Companies, "Alder Ltd");
    let cause = change.hold.as_ref().map(|hold| &hold.cause);
    assert!(matches!(cause, Some(Cause::Limit { valve: Valve::V1, .. })), "{change:?}");
    run(&engine, scheduled()).await;
    assert!(!is_archived(&ground.sandbox, "Alder Ltd"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_archived_before_a_person_has_applied_a_complete_plan() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "archive_companies = true\n".into();
    let engine = matched(&mut ground).await;
    run(&engine, scheduled()).await;
    ground.sandbox.remove_halo_client(alder);
    let report = run(&engine, scheduled()).await;
    assert_eq!(report.totals.rows.deactivate, 0);
    let held = rows(&engine, &scheduled()).await;
    let change = row(&held, Entity::Companies, "Alder Ltd");
    assert_eq!(change.hold.as_ref().map(|hold| &hold.cause), Some(&Cause::SafeMode), "{}", why(change));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_restored_in_hudu_stays_and_an_undo_restores_too() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "archive_companies = true\n".into();
    let engine = gone(&mut ground, alder).await;
    let archiving = run(&engine, scheduled()).await;
    assert_eq!(archiving.totals.rows.deactivate, 1, "{:?}", archiving.problems);
    let id = company(&ground.sandbox, "Alder Ltd")["id"].clone();
    ground.sandbox.put_hudu("companies", &json!({"id": id, "archived": false})).expect("restored");
    run(&engine, scheduled()).await;
    assert!(!is_archived(&ground.sandbox, "Alder Ltd"), "a person wants it");
    ground.sandbox.put_hudu("companies", &json!({"id": id, "archived": true})).expect("archived");
    undo(&engine, archiving.job).await;
    assert!(!is_archived(&ground.sandbox, "Alder Ltd"));
}

fn urls() -> Spec {
    spec(HUDU, &[Entity::CompanyUrls], false)
}

fn in_halo(sandbox: &Sandbox, client: i64, name: &str) -> String {
    let client = sandbox.halo_client(client).expect("a customer");
    let fields = client["customfields"].as_array().cloned().unwrap_or_default();
    let field = fields.into_iter().find(|field| field["name"] == name).expect("a field");
    field["value"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn p69_a_customer_gets_the_address_of_its_company_and_keeps_its_other_fields() {
    for in_lists in [true, false] {
        let mut quirks = Quirks::default();
        quirks.halo.custom_fields_in_lists = in_lists;
        let (sandbox, [alder, birch, _]) = world(quirks);
        let other = json!({"id": alder, "customfields": [{"id": 201, "value": "A-1"}]});
        sandbox.put_halo_client(&other).expect("a value");
        let mut ground = Ground::new(sandbox);
        let engine = matched(&mut ground).await;
        decide(&engine, birch, Decision::New).await;
        run(&engine, by_hand()).await;
        // Off until a field is named, and that field must be there.
        let alerts = plan(&engine, &urls()).await.outline.alerts;
        assert!(alerts.iter().any(|alert| alert.contains("hudu.halo_url_field")), "{alerts:?}");
        set(&engine, "hudu.halo_url_field", "CFNowhere").await;
        tested(&engine).await;
        let alerts = plan(&engine, &urls()).await.outline.alerts;
        assert!(alerts.iter().any(|alert| alert.contains("no field 'CFNowhere'")), "{alerts:?}");
        // By its label, as people know it.
        set(&engine, "hudu.halo_url_field", "Page in Hudu").await;
        let writes = ground.sandbox.journal().len();
        let report = run(&engine, urls()).await;
        assert_eq!((report.state, report.totals.rows.update), (JobState::Ok, 2), "{:?}", report.problems);
        assert_eq!(ground.sandbox.journal().len(), writes + 2);
        let url = in_halo(&ground.sandbox, alder, "CFHuduUrl");
        let path = company(&ground.sandbox, "Alder Ltd")["url"].as_str().unwrap_or_default().to_owned();
        assert!(url.starts_with("http") && path.len() > 4 && url.ends_with(&path), "{url} is not {path}");
        assert_eq!(in_halo(&ground.sandbox, alder, "CFDistributorAccount"), "A-1", "other fields stay");
        let again = run(&engine, urls()).await;
        assert_eq!((again.totals.rows.acting(), ground.sandbox.journal().len()), (0, writes + 2));

        // What a person puts there stays; an undo blanks only what is still ours.
        let own = json!({"id": birch, "customfields": [{"id": 203, "value": "see the wiki"}]});
        ground.sandbox.put_halo_client(&own).expect("a value");
        assert_eq!(run(&engine, urls()).await.totals.rows.acting(), 0);
        undo(&engine, report.job).await;
        assert_eq!(in_halo(&ground.sandbox, alder, "CFHuduUrl"), "");
        assert_eq!(in_halo(&ground.sandbox, birch, "CFHuduUrl"), "see the wiki");
        assert_eq!(in_halo(&ground.sandbox, alder, "CFDistributorAccount"), "A-1");
    }
}

#[tokio::test(start_paused = true)]
async fn p69_nothing_goes_back_with_a_usual_import() {
    let (sandbox, [alder, ..]) = world(Quirks::default());
    let mut ground = Ground::new(sandbox);
    ground.hudu = "halo_url_field = \"CFHuduUrl\"\n".into();
    let engine = matched(&mut ground).await;
    run(&engine, by_hand()).await;
    run(&engine, scheduled()).await;
    assert_eq!(in_halo(&ground.sandbox, alder, "CFHuduUrl"), "");
}

/// Where Halo's lists carry no own fields, a plan looks at 250 customers and says so; the next goes on with the others,
/// also past those that hold what a person put there.
#[tokio::test(start_paused = true)]
async fn p69_plans_that_look_one_by_one_come_to_every_customer() {
    let mut quirks = Quirks::default();
    quirks.halo.custom_fields_in_lists = false;
    let sandbox = Sandbox::empty(quirks);
    layouts(&sandbox);
    for n in 0..260 {
        let name = format!("Customer {n:03}");
        let own = json!([{"id": 203, "value": "see the wiki"}]);
        let fields = if n < 255 { own } else { json!([]) };
        sandbox.put_halo_client(&json!({"name": name, "customfields": fields})).expect("a customer");
        sandbox.put_hudu("companies", &json!({"name": name})).expect("a company");
    }
    let mut ground = Ground::new(sandbox);
    ground.hudu = "halo_url_field = \"CFHuduUrl\"\n".into();
    let engine = matched(&mut ground).await;
    let first = run(&engine, urls()).await;
    let alerts = engine.plan(first.plan.expect("a plan")).expect("it").outline.alerts;
    assert!(alerts.iter().any(|alert| alert.contains("10 others are left")), "{alerts:?}");
    let second = run(&engine, urls()).await;
    assert_eq!((first.totals.rows.update, second.totals.rows.update), (0, 5), "{:?}", second.problems);
}

/// H4: the trail says as which agent Halo was read, once, and again when it is another one.
#[tokio::test(start_paused = true)]
async fn h4_the_trail_says_which_agent_was_used() {
    let mut quirks = Quirks::default();
    quirks.halo.application_agent = 17;
    let (sandbox, _) = world(quirks.clone());
    let mut ground = Ground::new(sandbox);
    let engine = open(&mut ground).await;
    tested(&engine).await;
    let audit = ground.places().audit();
    let said = || -> Vec<String> {
        let files = std::fs::read_dir(&audit).expect("the trail").flatten();
        let text = |file: std::fs::DirEntry| {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let all: Vec<String> = files.map(text).collect();
        let lines = all.iter().flat_map(|text| text.lines());
        lines.filter(|line| line.contains("\"kind\":\"agent\"")).map(str::to_owned).collect()
    };
    assert!(matches!(said().as_slice(), [only] if only.contains("\"agent\":17")), "{:?}", said());
    quirks.halo.application_agent = 18;
    ground.sandbox.set_quirks(quirks.clone());
    tested(&engine).await;
    assert!(matches!(said().as_slice(), [_, now] if now.contains("\"agent\":18")), "{:?}", said());
    // A job notes it as well: nobody tests every day.
    quirks.halo.application_agent = 19;
    ground.sandbox.set_quirks(quirks);
    run(&engine, by_hand()).await;
    assert!(matches!(said().as_slice(), [.., now] if now.contains("\"agent\":19")), "{:?}", said());
    assert_eq!(said().len(), 3);
}
