//! The rows L1 to L18 and P57 of Liongard that need both sides: what an import makes of them, from end to end.

use std::sync::Arc;
use std::time::Duration;

use parhelion::engine::Engine;
use parhelion::host::words::{Answer, JobReport, JobState, MapState, Query, SettingChange};
use parhelion::model::{Class, Decision, Entity, How, Integration, SourceId};
use parhelion::plan::{Change, Purpose};
use parhelion::sandbox::{Faults, Host, Kind, Quirks, Rule, Sandbox};
use serde_json::json;

use super::assets::small;
use super::rig::{Ground, ended, plan, run, spec};

const ME: Integration = Integration::Liongard;

async fn start(sandbox: Sandbox, settings: &str) -> (Ground, Arc<Engine>) {
    let mut ground = Ground::new(sandbox);
    ground.settings = settings.to_owned();
    let engine = ground.start().await;
    (ground, engine)
}

async fn set(engine: &Arc<Engine>, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

fn assets_only(scheduled: bool) -> parhelion::engine::planning::Spec {
    spec(ME, &[Entity::Assets], scheduled)
}

fn alerts(engine: &Engine, report: &JobReport) -> String {
    engine.plan(report.plan.expect("a plan")).expect("it is stored").outline.alerts.join("\n")
}

fn problems(report: &JobReport) -> String {
    report.problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("\n")
}

/// Every row of the plan that a job carried out.
fn rows(engine: &Engine, report: &JobReport) -> Vec<Change> {
    let plan = engine.plan(report.plan.expect("a plan")).expect("it is stored");
    let all: Vec<u32> = (1..=plan.rows).collect();
    engine.book.plan_rows(plan.id, &all).expect("its rows")
}

fn log(ground: &Ground, report: &JobReport) -> String {
    std::fs::read_to_string(ground.places().logs().join(format!("{}.jsonl", report.job))).expect("a log")
}

/// The names of Halo's customers, sorted.
fn clients(sandbox: &Sandbox) -> Vec<String> {
    let mut names: Vec<String> = sandbox
        .halo_clients()
        .iter()
        .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn l1_l8_one_connection_brings_customers_and_assets_and_a_system_of_nobody_goes_to_the_default_site() {
    let (sandbox, _) = small(2);
    let orphan = sandbox.put_system(&json!({
        "Environment": null, "Inspector": 90, "Name": "ORPHAN", "hostname": "ORPHAN", "serial": "REAL9999",
    }));
    let parking = sandbox.put_halo_client(&json!({"name": "Unassigned Ltd"})).expect("a customer");
    let (ground, engine) = start(sandbox, "").await;
    // Without a default site it waits, and the others go on.
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((ground.sandbox.halo_assets().len(), report.totals.rows.held), (2, 1), "{:?}", report.totals);
    assert!(problems(&report).contains("default_site"), "{}", problems(&report));
    let site = json!({"client_id": parking, "name": "Unassigned"});
    let site = ground.sandbox.put_halo_site(&site).expect("a site").to_string();
    set(&engine, "liongard.default_site", &site).await;
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((report.totals.rows.create, report.totals.rows.held), (1, 0), "{}", problems(&report));
    let made = ground.sandbox.halo_assets();
    let made = made.iter().find(|asset| asset["liongardid"] == orphan).expect("it is there now");
    assert_eq!(made["client_id"], parking);
}

#[tokio::test(start_paused = true)]
async fn l4_assets_come_after_one_import_of_customers_or_with_a_default_site() {
    let (sandbox, _) = small(1);
    let (ground, engine) = start(sandbox, "").await;
    // Neither a plan nor a run, by hand or scheduled; and it costs no request.
    for scheduled in [false, true] {
        let refused = engine.run(assets_only(scheduled)).await.expect_err("no customers yet");
        assert_eq!(refused.class, Class::Input);
        let said = refused.to_string();
        assert!(said.contains("L4") && said.contains("Import the customers first"), "{said}");
        assert!(said.contains("default_site"), "{said}");
    }
    let keep = parhelion::engine::planning::Keep::ForLater;
    assert!(engine.build_plan(&assets_only(false), keep, &|_, _, _| {}).await.is_err());
    assert_eq!(ground.sandbox.requests(Host::Liongard).count, 0);
    let to_do = |engine: &Arc<Engine>| match engine.answer(Query::Overview) {
        Ok(Answer::Overview(overview)) => {
            let place =
                overview.places.into_iter().find(|one| one.place.key() == "liongard").expect("a place");
            place.to_do.into_iter().map(|one| one.sentence).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    };
    engine.read_customers(ME).await.expect("read");
    assert!(to_do(&engine).contains("customers come first"), "{}", to_do(&engine));
    // A default site opens it.
    set(&engine, "liongard.default_site", "1").await;
    plan(&engine, &assets_only(false)).await;
    set(&engine, "liongard.default_site", "").await;
    assert!(engine.run(assets_only(false)).await.is_err());
    // So do one import of customers, and both together.
    let report = run(&engine, spec(ME, &[Entity::Customers], false)).await;
    assert_eq!((report.state, report.totals.rows.link), (JobState::Ok, 1), "{:?}", report.problems);
    assert!(!to_do(&engine).contains("customers come first"));
    let report = run(&engine, assets_only(false)).await;
    assert_eq!((report.state, report.totals.failed), (JobState::Ok, 0), "{:?}", report.problems);
    assert_eq!(ground.sandbox.halo_assets().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn l4_an_import_that_made_no_customer_counts_and_one_mapped_by_hand_does_too() {
    let (sandbox, _) = small(1);
    sandbox.put_halo_client(&json!({"name": "Alder Ltd"})).expect("a second one of the name");
    let (_ground, engine) = start(sandbox.clone(), "").await;
    let report = run(&engine, spec(ME, &[Entity::Customers], false)).await;
    assert_eq!(
        (report.totals.rows.held, report.totals.rows.acting()),
        (1, 0),
        "L6: two of that name are held"
    );
    let report = run(&engine, assets_only(false)).await;
    assert!(
        problems(&report).contains("not mapped") || report.totals.rows.held == 1,
        "{:?}",
        report.problems
    );

    let (sandbox, _) = small(1);
    let (ground, engine) = start(sandbox, "").await;
    engine.read_customers(ME).await.expect("read");
    let environment = ground.sandbox.environments()[0]["ID"].to_string();
    let customer = ground.sandbox.halo_clients()[0]["id"].to_string();
    let map = Decision::Map {
        target: parhelion::model::TargetId::new(customer),
        target_name: "Alder Ltd".into(),
        how: How::Manual,
    };
    engine.decide(ME, vec![(SourceId::new(environment), map)]).await.expect("mapped");
    let report = run(&engine, assets_only(false)).await;
    assert_eq!(report.totals.rows.create, 1 + made_for_assets(&report), "{:?}", report.totals);
}

/// Rows for types and fields beside those of the assets.
fn made_for_assets(report: &JobReport) -> u64 {
    report.totals.rows.create.saturating_sub(1)
}

#[tokio::test(start_paused = true)]
async fn l6_l7_a_namesake_is_used_and_kept_in_the_table_and_who_has_none_is_created_and_mapped() {
    let sandbox = Sandbox::empty(Quirks::default());
    sandbox.put_halo_client(&json!({"name": "Alder Ltd"})).expect("a customer");
    for _ in 0..2 {
        sandbox.put_halo_client(&json!({"name": "Twin Ltd"})).expect("a customer");
    }
    sandbox.put_halo_client(&json!({"name": "Copper Ridge Law Limited"})).expect("a customer");
    for name in ["Alder Ltd", "Twin Ltd", "Brand New", "Copper Ridge Law"] {
        sandbox.put_environment(&json!({"Name": name}));
    }
    let (ground, engine) = start(sandbox, "").await;
    let report = run(&engine, spec(ME, &[Entity::Customers], false)).await;
    let totals = report.totals.rows;
    assert_eq!((totals.link, totals.create, totals.held), (1, 1, 2), "{:?}", report.problems);
    assert_eq!(clients(&ground.sandbox).iter().filter(|name| *name == "Brand New").count(), 1);
    assert!(problems(&report).contains("Copper Ridge Law Limited"), "the gate of look-alikes (L7, K3)");
    let Ok(Answer::MapOrder(order)) = engine.answer(Query::MapOrder {
        integration: ME,
        filter: parhelion::host::words::MapFilter::default(),
        by_target: false,
    }) else {
        panic!("no table")
    };
    let Ok(Answer::MapRows(rows)) = engine.answer(Query::MapRows { integration: ME, ids: order.ids }) else {
        panic!("no rows")
    };
    let of = |name: &str| rows.iter().find(|row| *row.source.name == *name).expect("a row");
    assert_eq!((of("Alder Ltd").state, of("Alder Ltd").how), (MapState::Mapped, Some(How::NameAtImport)));
    assert_eq!((of("Brand New").state, of("Brand New").how), (MapState::Mapped, Some(How::Created)));
    assert_eq!(of("Twin Ltd").state, MapState::Unmapped);
    let again = run(&engine, spec(ME, &[Entity::Customers], false)).await;
    assert_eq!(again.totals.rows.acting(), 0, "{:?}", again.totals);
}

#[tokio::test(start_paused = true)]
async fn l5_the_guides_example_mapped_makes_no_new_customer() {
    let sandbox = Sandbox::empty(Quirks::default());
    let customer = sandbox.put_halo_client(&json!({"name": "HaloPSA Ltd"})).expect("a customer");
    let environment = sandbox.put_environment(&json!({"Name": "HaloPSA"}));
    let (ground, engine) = start(sandbox, "").await;
    let before = run(&engine, spec(ME, &[Entity::Customers], false)).await;
    assert_eq!((before.totals.rows.held, before.totals.rows.acting()), (1, 0));
    assert!(problems(&before).contains("HaloPSA Ltd"), "{}", problems(&before));
    let map = Decision::Map { target: customer.into(), target_name: "HaloPSA Ltd".into(), how: How::Manual };
    engine.decide(ME, vec![(environment.into(), map)]).await.expect("mapped");
    let after = run(&engine, spec(ME, &[Entity::Customers], false)).await;
    assert_eq!((after.state, after.totals.rows.acting()), (JobState::Ok, 0), "{:?}", after.problems);
    assert_eq!(clients(&ground.sandbox), ["HaloPSA Ltd"]);
}

#[tokio::test(start_paused = true)]
async fn l16_a_refused_creation_says_which_right_and_an_undo_leaves_what_was_made() {
    let (sandbox, _) = small(2);
    let (ground, engine) = start(sandbox, "").await;
    let denied = Rule {
        path: Some("/api/Field".into()),
        ..Rule::new(Kind::ServerError { status: 403, applied: false, retry_after: None })
    };
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, denied.method("POST")));
    let report = run(&engine, spec(ME, &[], false)).await;
    let said = format!("{}\n{:?}", problems(&report), report.trouble);
    assert_eq!(report.state, JobState::Interrupted, "{said}");
    assert!(said.contains("the new asset field") && said.contains("edit:assets"), "{said}");
    ground.sandbox.set_faults(Faults::none());
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
    let fields = ground.sandbox.halo_asset_shelf("fields").len();
    let job =
        engine.run(engine.spec_of(Purpose::Undo { of: report.job }).expect("a spec")).await.expect("a job");
    let undone = ended(&engine, job).await;
    assert_eq!(undone.totals.failed, 0, "{:?}", undone.problems);
    assert_eq!(ground.sandbox.halo_asset_shelf("fields").len(), fields, "what was made stays");
    let rows = rows(&engine, &undone);
    let field = rows.iter().find(|row| row.entity == Entity::AssetFields).expect("a row for the field");
    assert!(
        field.reasons.iter().any(|why| why.contains("nothing in Halo is deleted")),
        "{:?}",
        field.reasons
    );
}

#[tokio::test(start_paused = true)]
async fn l16_a_field_of_that_name_is_used_and_none_is_made_beside_it() {
    let (sandbox, _) = small(1);
    let (ground, engine) = start(sandbox, "").await;
    set(
        &engine,
        "liongard.field_mappings",
        r#"[{ source = "RAM", target = "operating system", create = true }]"#,
    )
    .await;
    let before = ground.sandbox.halo_asset_shelf("fields").len();
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
    assert_eq!(ground.sandbox.halo_asset_shelf("fields").len(), before);
}

#[tokio::test(start_paused = true)]
async fn l15_two_sources_for_one_field_are_refused_by_the_settings() {
    let (sandbox, _) = small(1);
    let (_ground, engine) = start(sandbox, "").await;
    let before = engine.settings().liongard.field_mappings.clone();
    let twice = r#"[{ source = "RAM", target = "RAM" }, { source = "Model", target = " ram " }]"#;
    let change = SettingChange { key: "liongard.field_mappings".into(), value: Some(twice.into()) };
    let refused = engine.set(&[change]).await.expect_err("two sources");
    assert!(refused.to_string().contains("from two sources"), "{refused}");
    let file = format!("[liongard]\nfield_mappings = {twice}\n");
    let refused = engine.import_settings(&file).await.expect_err("two sources");
    assert!(
        refused.to_string().contains("line 2") && refused.to_string().contains("two sources"),
        "{refused}"
    );
    assert_eq!(engine.settings().liongard.field_mappings, before);
}

#[tokio::test(start_paused = true)]
async fn l18_a_system_that_moved_to_another_environment_is_no_removal() {
    let (sandbox, ids) = small(3);
    sandbox.put_halo_client(&json!({"name": "Birch Ltd"})).expect("a customer");
    let other = sandbox.put_environment(&json!({"Name": "Birch Ltd"}));
    let (ground, engine) = start(sandbox, "").await;
    set(&engine, "liongard.deactivate_deleted", "true").await;
    run(&engine, spec(ME, &[], false)).await;
    ground.sandbox.put_system(&json!({"ID": ids[0], "Environment": other}));
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!(report.totals.rows.deactivate, 0, "{:?}", report.totals);
    assert!(ground.sandbox.halo_assets().iter().all(|asset| asset["inactive"] != true));
}

#[tokio::test(start_paused = true)]
async fn p57_a_mapped_field_that_nobody_has_any_more_holds_the_assets_and_blanks_none() {
    let (sandbox, ids) = small(4);
    let (ground, engine) = start(sandbox, "").await;
    let first = run(&engine, spec(ME, &[], false)).await;
    assert_eq!(first.state, JobState::Ok, "{:?}", first.problems);
    let users = |sandbox: &Sandbox| {
        let assets = sandbox.halo_assets();
        assets.iter().filter(|asset| asset["fields"].to_string().contains("\"pat\"")).count()
    };
    assert_eq!(users(&ground.sandbox), 4);
    // The field is gone for all, and another one has changed: nothing of it is written, by hand nor scheduled.
    for id in &ids {
        ground.sandbox.put_system(&json!({"ID": id, "user": null, "os": "Windows 12"}));
    }
    let writes = ground.sandbox.journal().len();
    for scheduled in [false, true] {
        let report = run(&engine, spec(ME, &[], scheduled)).await;
        assert_eq!((report.totals.rows.held, report.totals.rows.acting()), (4, 0), "{:?}", report.totals);
        let said = alerts(&engine, &report);
        assert!(
            said.contains("no record of Liongard has a Last User any more") && said.contains("P57"),
            "{said}"
        );
    }
    assert_eq!(ground.sandbox.journal().len(), writes);
    assert_eq!(users(&ground.sandbox), 4, "never blanked");
    // Mapped otherwise, the rest goes on.
    set(
        &engine,
        "liongard.field_mappings",
        r#"[{ source = "Operating System", target = "Operating System" }]"#,
    )
    .await;
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((report.totals.rows.update, report.totals.rows.held), (4, 0), "{:?}", report.problems);
}

#[tokio::test(start_paused = true)]
async fn p57_it_goes_on_when_the_field_is_back_and_one_machine_without_it_holds_nothing() {
    let (sandbox, ids) = small(4);
    let (ground, engine) = start(sandbox, "").await;
    run(&engine, spec(ME, &[], false)).await;
    ground.sandbox.put_system(&json!({"ID": ids[0], "user": null, "os": "Windows 12"}));
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!((report.totals.rows.update, report.totals.rows.held), (1, 0), "{:?}", report.totals);
    for id in &ids {
        ground.sandbox.put_system(&json!({"ID": id, "user": null, "os": "Windows 13"}));
    }
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!(report.totals.rows.held, 4);
    ground.sandbox.put_system(&json!({"ID": ids[1], "user": "sam"}));
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!((report.totals.rows.update, report.totals.rows.held), (4, 0), "{:?}", report.totals);
}

#[tokio::test(start_paused = true)]
async fn p57_a_metric_that_liongard_no_longer_has_holds_from_the_first_run_on() {
    let (sandbox, _) = small(1);
    let (ground, engine) = start(sandbox, "").await;
    set(
        &engine,
        "liongard.field_mappings",
        r#"[{ source = "Metric.no-such-uuid", target = "Operating System" }]"#,
    )
    .await;
    let report = run(&engine, spec(ME, &[], false)).await;
    let said = problems(&report);
    assert!(report.totals.rows.held > 0 && said.contains("no field Metric.no-such-uuid any more"), "{said}");
    assert!(ground.sandbox.halo_assets().is_empty());
}

#[tokio::test(start_paused = true)]
async fn p57_a_retyped_field_is_ignored_said_or_held_until_a_person_applies_a_plan() {
    for (policy, held, said) in [("ignore", 0, false), ("warn", 0, true), ("hold", 4, true)] {
        let (sandbox, ids) = small(4);
        let (ground, engine) = start(sandbox, "").await;
        // RAM is a number in Halo.
        set(
            &engine,
            "liongard.field_mappings",
            r#"[{ source = "Operating System", target = "Operating System" }, { source = "RAM", target = "RAM", create = true, kind = "number" }]"#,
        )
        .await;
        set(&engine, "liongard.source_changes", policy).await;
        run(&engine, spec(ME, &[], false)).await;
        for id in &ids {
            ground.sandbox.put_system(&json!({"ID": id, "ram": "sixteen", "os": "Windows 12"}));
        }
        let report = run(&engine, spec(ME, &[], true)).await;
        assert_eq!(report.totals.rows.held, held, "{policy}: {:?}", report.totals);
        let told = alerts(&engine, &report);
        assert_eq!(told.contains("RAM is of another kind now"), said, "{policy}: {told}");
        if held > 0 {
            // The next scheduled run waits as well; a person's plan settles it.
            assert_eq!(run(&engine, spec(ME, &[], true)).await.totals.rows.held, held);
            let by_hand = run(&engine, spec(ME, &[], false)).await;
            assert_eq!(
                (by_hand.totals.rows.update, by_hand.totals.rows.held),
                (4, 0),
                "{:?}",
                by_hand.totals
            );
            for id in &ids {
                ground.sandbox.put_system(&json!({"ID": id, "os": "Windows 13"}));
            }
            assert_eq!(run(&engine, spec(ME, &[], true)).await.totals.rows.update, 4);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn p57_new_metrics_are_told_against_what_a_person_looked_at_last() {
    let (sandbox, ids) = small(4);
    let (ground, engine) = start(sandbox, "").await;
    set(&engine, "liongard.source_changes", "hold").await;
    run(&engine, spec(ME, &[], false)).await;
    engine.read_fields(ME).await.expect("a sample");
    let mut quirks = (*ground.sandbox.quirks()).clone();
    quirks.liongard.more_metrics = 7;
    ground.sandbox.set_quirks(quirks);
    ground.sandbox.put_system(&json!({"ID": ids[0], "os": "Windows 12"}));
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!(report.totals.rows.held, 1, "{:?}", report.totals);
    let said = alerts(&engine, &report);
    assert!(said.contains("fields that it did not have") && said.contains("and 2 more"), "{said}");
    let read = engine.read_fields(ME).await.expect("a sample");
    assert!(read.contains("New since the fields were read before"), "{read}");
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!((report.totals.rows.update, report.totals.rows.held), (1, 0), "{:?}", report.totals);
}

#[tokio::test(start_paused = true)]
async fn p57_what_was_not_wholly_read_proves_no_change() {
    let (sandbox, _) = small(4);
    let (ground, engine) = start(sandbox, "").await;
    run(&engine, spec(ME, &[], false)).await;
    let fault = Rule::new(Kind::ServerError { status: 500, applied: false, retry_after: None })
        .path("device-profiles");
    ground.sandbox.set_faults(Faults::none().with(Host::Liongard, fault));
    let report = run(&engine, spec(ME, &[], true)).await;
    assert!(!alerts(&engine, &report).contains("P57"), "{}", alerts(&engine, &report));
    ground.sandbox.set_faults(Faults::none());
    let report = run(&engine, spec(ME, &[], true)).await;
    assert_eq!(report.totals.rows.held, 0, "{:?}", report.totals);
    assert!(!log(&ground, &report).contains("P57"));
}

#[tokio::test(start_paused = true)]
async fn bad_input_systems_without_environment_or_inspector_wait_and_the_others_go_on() {
    let (sandbox, _) = small(2);
    let environment = sandbox.environments()[0]["ID"].clone();
    sandbox
        .put_system(&json!({"Environment": null, "Inspector": 90, "Name": "NOBODY", "serial": "REAL7001"}));
    sandbox.put_system(
        &json!({"Environment": environment, "Inspector": null, "Name": "NOTHING", "serial": "REAL7002"}),
    );
    sandbox
        .put_system(&json!({"Environment": null, "Inspector": null, "Launchpoint": null, "Name": "NEITHER"}));
    let (ground, engine) = start(sandbox, "").await;
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((report.totals.rows.held, report.totals.failed), (3, 0), "{:?}", report.problems);
    let said = problems(&report);
    assert!(said.contains("Inspector.Alias") && said.contains("default_site"), "{said}");
    assert_eq!(ground.sandbox.halo_assets().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn bad_input_a_value_longer_than_halo_takes_is_left_out_and_the_rest_of_the_row_written() {
    let (sandbox, ids) = small(1);
    sandbox.put_system(&json!({"ID": ids[0], "user": "x".repeat(5000)}));
    let (ground, engine) = start(sandbox, "").await;
    let report = run(&engine, spec(ME, &[], false)).await;
    assert_eq!(report.totals.failed, 0, "{:?}", report.problems);
    let asset = ground.sandbox.halo_assets()[0].to_string();
    assert!(asset.contains("Windows 11") && !asset.contains("xxxx"), "{asset}");
    let rows = rows(&engine, &report);
    let said = rows
        .iter()
        .flat_map(|row| row.reasons.iter())
        .any(|why| why.contains("5000 characters are more than"));
    assert!(said, "it is said on the row");
}

#[tokio::test(start_paused = true)]
async fn l17a_halo_is_asked_between_scheduled_runs_and_only_a_new_customer_starts_one() {
    let sandbox = Sandbox::empty(Quirks::default());
    sandbox
        .put_halo_client(&json!({"name": "Old Ltd", "datecreated": "2025-04-02T09:15:27"}))
        .expect("a customer");
    let automatic = "[liongard.sync_customers]\nenabled = true\nmode = \"automatic\"\nevery_minutes = 10\n";
    let (ground, engine) = start(sandbox, automatic).await;
    engine.start_schedules();
    let minutes = async |count: u64| {
        for _ in 0..count * 2 {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
    };
    let jobs = |engine: &Arc<Engine>| engine.jobs(50).expect("jobs").len();
    // The first question leads to a run: what was there before is not known.
    minutes(5).await;
    assert_eq!(jobs(&engine), 1);
    minutes(60).await;
    assert_eq!(jobs(&engine), 1, "nobody is new");
    let gone = ground.sandbox.put_halo_client(&json!({"name": "Brief Ltd"})).expect("a customer");
    assert!(ground.sandbox.remove_halo_client(gone), "created and deleted between two questions: nothing");
    minutes(20).await;
    assert!(ground.sandbox.environments().is_empty());
    ground.sandbox.put_halo_client(&json!({"name": "New Ltd"})).expect("a customer");
    minutes(12).await;
    let names: Vec<_> = ground.sandbox.environments().iter().map(|one| one["Name"].clone()).collect();
    assert_eq!(names, ["New Ltd"], "within the ten minutes that were said");
    let last = engine.jobs(1).expect("jobs").remove(0);
    assert_eq!((last.by.as_str(), last.entities.as_slice()), ("schedule", &[Entity::Push][..]));
    let before = jobs(&engine);
    minutes(60).await;
    assert_eq!(jobs(&engine), before);
    // Not a question more once it is switched off.
    set(&engine, "liongard.sync_customers.every_minutes", "0").await;
    let asked = ground.sandbox.requests(Host::Halo).count;
    minutes(60).await;
    assert_eq!(ground.sandbox.requests(Host::Halo).count, asked);
}

#[tokio::test(start_paused = true)]
async fn l17a_a_run_that_failed_is_tried_again_at_the_next_question() {
    let sandbox = Sandbox::empty(Quirks::default());
    let automatic = "[liongard.sync_customers]\nenabled = true\nmode = \"automatic\"\nevery_minutes = 10\n";
    let (ground, engine) = start(sandbox, automatic).await;
    engine.start_schedules();
    let minutes = async |count: u64| {
        for _ in 0..count * 2 {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
    };
    minutes(5).await;
    ground.sandbox.put_halo_client(&json!({"name": "New Ltd"})).expect("a customer");
    let out = Rule::new(Kind::ServerError { status: 503, applied: false, retry_after: None });
    ground.sandbox.set_faults(Faults::none().with(Host::Liongard, out));
    minutes(15).await;
    assert!(ground.sandbox.environments().is_empty());
    ground.sandbox.set_faults(Faults::none());
    minutes(60).await;
    assert_eq!(ground.sandbox.environments().len(), 1);
}

/// Decision 23: what no metric and no device profile tells is read from the latest inspection, a few a plan; what would
/// have found its asset waits until its inspection was read, and no inspection is read twice.
#[tokio::test(start_paused = true)]
async fn an_inspection_tells_what_nothing_else_does_and_is_read_once() {
    let (sandbox, _) = small(0);
    let environment = sandbox.put_environment(&json!({"Name": "Birch Ltd"}));
    sandbox.put_halo_client(&json!({"name": "Birch Ltd"})).expect("a customer");
    // Of a Mac no metric and no device profile tells the memory.
    for n in 0..3 {
        sandbox.put_system(&json!({
            "Environment": environment, "Inspector": 96, "Name": format!("MAC-{n}"), "hostname": format!("MAC-{n}"),
            "serial": format!("REAL{n:04}"), "os": "macOS 15", "ram": 16 + n, "user": "pat",
        }));
    }
    let (ground, engine) = start(sandbox.clone(), "").await;
    let views = || {
        let asked = ground.sandbox.requests(Host::Liongard).by_path;
        asked.iter().filter(|(path, _)| path.ends_with("/view")).map(|(_, count)| count).sum::<u64>()
    };
    let memory = |report: &JobReport| {
        let rows = rows(&engine, report);
        let told = rows.iter().flat_map(|row| &row.fields).filter(|field| field.name.key() == "RAM");
        told.filter_map(|field| field.after.as_ref().map(ToString::to_string)).collect::<Vec<_>>()
    };
    let first = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((views(), memory(&first)), (0, Vec::new()), "off unless asked for");
    set(&engine, "liongard.max_inspections", "2").await;
    let second = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((views(), memory(&second).len()), (2, 2), "{:?}", problems(&second));
    assert!(alerts(&engine, &second).contains("inspections of 1 systems are still to be read"));
    let third = run(&engine, spec(ME, &[], false)).await;
    assert_eq!((views(), memory(&third).len()), (3, 1));
    assert!(!alerts(&engine, &third).contains("still to be read"));
    let fourth = run(&engine, spec(ME, &[], false)).await;
    assert_eq!(
        (views(), fourth.totals.rows.acting()),
        (3, 0),
        "nothing is read again, and nothing changes back"
    );
}

/// What only an inspection would match is not made a second time meanwhile.
#[tokio::test(start_paused = true)]
async fn a_system_that_only_its_inspection_would_match_waits_for_it() {
    let (sandbox, _) = small(0);
    let environment = sandbox.put_environment(&json!({"Name": "Birch Ltd"}));
    sandbox.put_halo_client(&json!({"name": "Birch Ltd"})).expect("a customer");
    for n in 0..3 {
        sandbox.put_system(&json!({
            "Environment": environment, "Inspector": 96, "Name": format!("MAC-{n}"), "hostname": format!("MAC-{n}"),
            "serial": format!("REAL{n:04}"), "os": "macOS 15", "ram": 16 + n, "user": "pat",
        }));
    }
    let (ground, engine) = start(sandbox, "").await;
    set(&engine, "liongard.max_inspections", "1").await;
    set(&engine, "liongard.asset_matching_field.source", "RAM").await;
    for made in 1..=3 {
        let report = run(&engine, spec(ME, &[], false)).await;
        assert_eq!(ground.sandbox.halo_assets().len(), made, "{:?} {:?}", report.totals, problems(&report));
    }
}

/// A tenant of Microsoft 365 has no serial number, nor has any other: after some that told nothing nobody asks, or waits,
/// for the rest.
#[tokio::test(start_paused = true)]
async fn an_inspector_that_tells_nothing_keeps_nobody_waiting() {
    let (sandbox, _) = small(0);
    let environment = sandbox.put_environment(&json!({"Name": "Birch Ltd"}));
    sandbox.put_halo_client(&json!({"name": "Birch Ltd"})).expect("a customer");
    for n in 0..25 {
        sandbox
            .put_system(&json!({"Environment": environment, "Inspector": 8, "Name": format!("TENANT-{n}")}));
    }
    let (ground, engine) = start(sandbox, "").await;
    set(&engine, "liongard.max_inspections", "10").await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let report = run(&engine, spec(ME, &[], false)).await;
        made.push((
            ground.sandbox.halo_assets().len(),
            alerts(&engine, &report).contains("still to be read"),
        ));
    }
    assert_eq!(made, [(10, true), (25, false), (25, false)]);
    let asked = ground.sandbox.requests(Host::Liongard).by_path;
    let views: u64 = asked.iter().filter(|(path, _)| path.ends_with("/view")).map(|(_, count)| count).sum();
    assert_eq!(views, 20);
}

/// What was told of a system stands for that system only: another account has other systems of the same numbers.
#[tokio::test(start_paused = true)]
async fn what_another_accounts_inspection_told_is_not_believed() {
    let (sandbox, _) = small(0);
    let environment = sandbox.put_environment(&json!({"Name": "Birch Ltd"}));
    sandbox.put_halo_client(&json!({"name": "Birch Ltd"})).expect("a customer");
    let id = sandbox.put_system(&json!({
        "Environment": environment, "Inspector": 96, "Name": "MAC-1", "hostname": "MAC-1", "serial": "REAL1", "ram": 16,
    }));
    let (_ground, engine) = start(sandbox, "").await;
    set(&engine, "liongard.max_inspections", "5").await;
    run(&engine, spec(ME, &[], false)).await;
    // Where the index keeps it: whole, in one part.
    let key = format!("gi/liongard/{id}").into_bytes();
    let mut kept: serde_json::Value = engine.book.get_big(&key).expect("it reads").expect("it is kept");
    kept["told"]["ComputerSystem.TotalRamGB"] = json!("64");
    let memory = |report: &JobReport| {
        let rows = rows(&engine, report);
        let told = rows.iter().flat_map(|row| &row.fields).filter(|field| field.name.key() == "RAM");
        told.filter_map(|field| field.after.as_ref().map(ToString::to_string)).collect::<Vec<_>>()
    };
    for (account, believed) in [(None, vec!["64".to_owned()]), (Some("another"), vec!["16".to_owned()])] {
        if let Some(account) = account {
            kept["account"] = json!(account);
        }
        let value = [&[1, 0], kept.to_string().as_bytes()].concat();
        engine.book.cache(&[parhelion::store::Op::Put(key.clone(), value)]).expect("it is kept");
        let report = run(&engine, spec(ME, &[], false)).await;
        assert_eq!(memory(&report), believed);
    }
}
