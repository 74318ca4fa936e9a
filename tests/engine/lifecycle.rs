//! The planning workspace from end to end: what comes in, what people change, what goes back into Halo.

use std::sync::Arc;

use jiff::civil::date;
use parhelion::engine::Engine;
use parhelion::engine::planning::{Keep, Spec};
use parhelion::host::words::{
    AssetChange, CompanyView, FieldState, JobReport, JobState, LifecycleAnswer, LifecycleOrder,
    LifecycleQuery, Reply, SettingChange, TermList, WorkspaceView,
};
use parhelion::lifecycle::class::{Budget, Class, parse_amount};
use parhelion::lifecycle::report::{Report, ReportId, Row};
use parhelion::lifecycle::setup::{Leads, Progress};
use parhelion::lifecycle::template::{Mode, Template};
use parhelion::model::asset::FieldKind;
use parhelion::model::{Entity, Integration, JobId, Place};
use parhelion::plan::Purpose;
use parhelion::sandbox::{Faults, Host, Kind, Options, Quirks, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::rig::{Ground, apply, plan, run, spec};

const IMPORT: &[Entity] = &[Entity::Types, Entity::Statuses, Entity::Companies, Entity::Configurations];

fn import() -> Spec {
    spec(Integration::Lifecycle, IMPORT, false)
}

fn back() -> Spec {
    spec(Integration::Lifecycle, &[Entity::Warranty], false)
}

async fn set(engine: &Arc<Engine>, key: &str, value: &str) {
    let change = SettingChange { key: format!("lifecycle.{key}"), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

/// A workspace that was filled from the usual sandbox.
async fn filled() -> (Ground, Arc<Engine>) {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    ground.settings = "[lifecycle]\nenabled = true\ncurrency = \"GBP\"".into();
    let engine = ground.start().await;
    let report = run(&engine, import()).await;
    assert_eq!(report.state, JobState::Ok, "{:?}", report.problems);
    (ground, engine)
}

async fn tell(engine: &Arc<Engine>, order: LifecycleOrder) -> String {
    match engine.lifecycle(order).await.expect("an answer") {
        Reply::Done(said) => said,
        other => panic!("{other:?}"),
    }
}

async fn refused(engine: &Arc<Engine>, order: LifecycleOrder) -> String {
    engine.lifecycle(order).await.expect_err("a refusal").message
}

fn view(engine: &Arc<Engine>) -> WorkspaceView {
    match engine.lifecycle_answer(&LifecycleQuery::Overview).expect("an answer") {
        LifecycleAnswer::Overview(view) => *view,
        other => panic!("{other:?}"),
    }
}

fn companies(engine: &Arc<Engine>) -> Vec<CompanyView> {
    match engine.lifecycle_answer(&LifecycleQuery::Companies).expect("an answer") {
        LifecycleAnswer::Companies(all) => all,
        other => panic!("{other:?}"),
    }
}

fn rows(engine: &Arc<Engine>, company: u32) -> Vec<Row> {
    match engine.lifecycle_answer(&LifecycleQuery::Configurations { company }).expect("an answer") {
        LifecycleAnswer::Configurations(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn report(engine: &Arc<Engine>, report: ReportId) -> Report {
    engine.report(report, Mode::Display).expect("a report")
}

/// The managed company with the most configurations.
fn largest(engine: &Arc<Engine>) -> CompanyView {
    companies(engine)
        .into_iter()
        .filter(|one| one.company.managed)
        .max_by_key(|one| one.configurations)
        .expect("one")
}

fn class(kind: &str, name: &str, rule: &str) -> Class {
    let budget = Budget { hardware: parse_amount("900", None).expect("an amount"), ..Budget::NONE };
    Class {
        kind: kind.into(),
        name: name.into(),
        budget,
        life_months: 48,
        rule: rule.parse().expect("tests"),
    }
}

async fn replan(engine: &Arc<Engine>, entities: &[Entity], purpose: Purpose) -> JobReport {
    let spec = match purpose {
        purpose @ Purpose::Narrow { .. } => Spec { purpose, ..spec(Integration::Lifecycle, entities, false) },
        purpose => engine.spec_of(purpose).expect("there is something to do"),
    };
    let built = engine.build_plan(&spec, Keep::ForLater, &|_, _, _| {}).await.expect("a plan");
    built.with.close().await;
    apply(engine, &built.plan).await
}

/// Step 6: a rename in Halo is followed by the next run; undo restores the name that was there.
#[tokio::test(start_paused = true)]
async fn step_6_a_renamed_company_is_followed_and_undo_restores() {
    let (ground, engine) = filled().await;
    let company = largest(&engine).company;
    let id = company.halo.expect("mapped");
    ground.sandbox.put_halo_client(&json!({"id": id, "name": "Another Name Ltd"})).expect("a client");
    let second = run(&engine, import()).await;
    assert_eq!(second.totals.rows.update, 1, "{:?}", second.totals);
    let name =
        |id: u32| companies(&engine).into_iter().find(|v| v.company.id == id).expect("there").company.name;
    assert_eq!(name(company.id), "Another Name Ltd");
    tell(&engine, LifecycleOrder::Undo { redo: false }).await;
    assert_eq!(name(company.id), company.name);
    tell(&engine, LifecycleOrder::Undo { redo: true }).await;
    assert_eq!(name(company.id), "Another Name Ltd");
}

/// Step 7: an inactive customer flips its local status at the next run.
#[tokio::test(start_paused = true)]
async fn step_7_an_inactive_customer_flips_its_status_at_the_next_run() {
    let (ground, engine) = filled().await;
    let company = largest(&engine).company;
    let id = company.halo.expect("mapped");
    ground.sandbox.put_halo_client(&json!({"id": id, "inactive": true})).expect("a client");
    run(&engine, import()).await;
    let now = companies(&engine).into_iter().find(|one| one.company.id == company.id).expect("kept");
    assert_eq!((now.status.as_str(), now.company.active), ("Inactive", false));
}

/// Step 9.4 (S19g): "all" includes companies that are mapped later; a chosen list does not grow by itself.
#[tokio::test(start_paused = true)]
async fn step_9_a_company_mapped_later_brings_its_assets_with_the_next_run_and_without_edits() {
    let (ground, engine) = filled().await;
    let client = ground.sandbox.put_halo_client(&json!({"name": "Brand New Ltd"})).expect("a client");
    let asset = ground.sandbox.halo_assets().into_iter().find(|a| a["inactive"] != true).expect("an asset");
    let moved = json!({"id": asset["id"], "client_id": client});
    ground.sandbox.put_halo_asset(&moved).expect("moved");
    run(&engine, import()).await;
    let new =
        companies(&engine).into_iter().find(|one| one.company.name == "Brand New Ltd").expect("came in");
    assert_eq!(new.configurations, 1);
    assert_eq!(rows(&engine, new.company.id)[0].id, asset["id"].as_i64().expect("an id"));
}

/// Step 13: completing freezes the values even after a later run.
#[tokio::test(start_paused = true)]
async fn step_13_a_completed_report_stays_as_it_was_after_a_later_run_and_undo() {
    let (ground, engine) = filled().await;
    let company = largest(&engine).company;
    let Reply::Report { report: id, .. } =
        engine.lifecycle(LifecycleOrder::OpenReport { company: company.id }).await.expect("a report")
    else {
        panic!("no report")
    };
    tell(&engine, LifecycleOrder::Complete { report: id }).await;
    let frozen = report(&engine, id);
    for asset in ground.sandbox.halo_assets().iter().filter(|a| a["client_id"].as_i64() == company.halo) {
        ground.sandbox.put_halo_asset(&json!({"id": asset["id"], "inactive": true})).expect("an asset");
    }
    run(&engine, import()).await;
    assert!(rows(&engine, company.id).iter().all(|row| row.out_of_scope), "a draft follows");
    assert_eq!(report(&engine, id), frozen);
    tell(&engine, LifecycleOrder::Undo { redo: false }).await;
    assert_eq!(report(&engine, id), frozen, "it is no step that could be taken back");
}

/// P63: a narrow plan touches nothing outside what it names.
#[tokio::test(start_paused = true)]
async fn a_narrow_run_brings_in_one_company_only() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    ground.settings = "[lifecycle]\nenabled = true".into();
    let engine = ground.start().await;
    let clients = ground.sandbox.halo_assets();
    let client =
        clients.iter().find(|a| a["inactive"] != true).and_then(|a| a["client_id"].as_i64()).expect("one");
    let narrow = Purpose::Narrow { customers: [client.into()].into(), records: [].into() };
    let done = replan(&engine, IMPORT, narrow).await;
    assert_eq!(done.state, JobState::Ok, "{:?}", done.problems);
    let all = companies(&engine);
    assert_eq!(all.iter().map(|one| one.company.halo).collect::<Vec<_>>(), [Some(client)]);
    assert!(all[0].configurations > 0);
    assert!(view(&engine).types.is_empty(), "types are not the company's");
}

/// An import writes nothing outside: taking its job back says what does.
#[tokio::test(start_paused = true)]
async fn undo_of_an_import_says_which_step_takes_it_back() {
    let (_ground, engine) = filled().await;
    let problem = engine.spec_of(Purpose::Undo { of: JobId(1) }).expect_err("refused");
    assert!(problem.message.contains("wrote nothing into Halo"), "{problem:?}");
    assert!(problem.to_string().contains("lifecycle undo"), "{problem}");
}

fn of_asset(ground: &Ground, id: i64, name: &str) -> String {
    let asset = ground.sandbox.halo_asset(id).expect("an asset");
    let fields = asset["fields"].as_array().cloned().unwrap_or_default();
    let field = fields.into_iter().find(|field| field["name"] == name);
    field.and_then(|field| field["value"].as_str().map(str::to_owned)).unwrap_or_default()
}

/// Configurations whose warranty Halo does not know, with dates of ours for them.
async fn dated(engine: &Arc<Engine>, count: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    for company in companies(engine).iter().filter(|one| one.company.managed) {
        ids.extend(
            rows(engine, company.company.id).iter().filter(|r| r.dates.expiration.is_none()).map(|r| r.id),
        );
    }
    ids.truncate(count);
    assert_eq!(ids.len(), count);
    let day = Some(date(2028, 5, 31));
    let changes =
        vec![AssetChange::Date(parhelion::lifecycle::configuration::DateField::ExpirationDate, day)];
    tell(engine, LifecycleOrder::Assets { assets: ids.clone(), changes }).await;
    set(engine, "write_expiration_date", "true").await;
    ids
}

/// Section 8, 4: the before-image is there, and taking the job back brings it.
#[tokio::test(start_paused = true)]
async fn a_write_back_is_taken_back_from_its_before_image_and_that_again() {
    let (ground, engine) = filled().await;
    let ids = dated(&engine, 3).await;
    let before: Vec<Value> =
        ids.iter().map(|id| ground.sandbox.halo_asset(*id).expect("there")["fields"].clone()).collect();
    let written = run(&engine, back()).await;
    assert_eq!((written.state, written.totals.rows.update), (JobState::Ok, 3), "{:?}", written.problems);
    assert!(ids.iter().all(|id| of_asset(&ground, *id, "Warranty End").starts_with("2028-05-31")));
    let undone = replan(&engine, &[Entity::Warranty], Purpose::Undo { of: written.job }).await;
    assert_eq!((undone.state, undone.totals.rows.update), (JobState::Ok, 3), "{:?}", undone.problems);
    for (id, before) in ids.iter().zip(&before) {
        assert_eq!(of_asset(&ground, *id, "Warranty End"), "");
        let serial =
            before.as_array().and_then(|all| all.iter().find(|f| f["name"] == "Serial Number").cloned());
        assert_eq!(
            of_asset(&ground, *id, "Serial Number"),
            serial.and_then(|f| f["value"].as_str().map(str::to_owned)).unwrap_or_default()
        );
    }
    let again = replan(&engine, &[Entity::Warranty], Purpose::Undo { of: undone.job }).await;
    assert_eq!(again.state, JobState::Ok, "{:?}", again.problems);
    assert!(ids.iter().all(|id| of_asset(&ground, *id, "Warranty End").starts_with("2028-05-31")));
}

/// P32: what somebody wrote since is not taken back.
#[tokio::test(start_paused = true)]
async fn an_undo_leaves_a_date_that_somebody_wrote_since() {
    let (ground, engine) = filled().await;
    let ids = dated(&engine, 2).await;
    let written = run(&engine, back()).await;
    let mut asset = ground.sandbox.halo_asset(ids[0]).expect("there");
    for field in asset["fields"].as_array_mut().expect("fields") {
        if field["name"] == "Warranty End" {
            field["value"] = "2031-01-01".into();
        }
    }
    ground.sandbox.put_halo_asset(&json!({"id": ids[0], "fields": asset["fields"]})).expect("an asset");
    let undone = replan(&engine, &[Entity::Warranty], Purpose::Undo { of: written.job }).await;
    assert_eq!((undone.totals.rows.update, undone.totals.rows.held), (1, 1), "{:?}", undone.totals);
    assert!(of_asset(&ground, ids[0], "Warranty End").starts_with("2031-01-01"));
    assert_eq!(of_asset(&ground, ids[1], "Warranty End"), "");
}

/// P29: a retry plans only what failed; with nothing left it says so.
#[tokio::test(start_paused = true)]
async fn a_retry_writes_only_what_failed() {
    let (ground, engine) = filled().await;
    let ids = dated(&engine, 3).await;
    // One asset is refused for good.
    let refuses = Rule::new(Kind::ServerError { status: 400, applied: false, retry_after: None })
        .method("POST")
        .path("/api/Asset")
        .when(When::Nth(vec![2]));
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, refuses));
    let first = run(&engine, back()).await;
    ground.sandbox.set_faults(Faults::none());
    assert_eq!((first.totals.failed, first.state), (1, JobState::Partial), "{:?}", first.problems);
    let writes = ground.sandbox.journal().len();
    let second = replan(&engine, &[Entity::Warranty], Purpose::Retry { of: first.job }).await;
    assert_eq!((second.totals.rows.update, second.state), (1, JobState::Ok), "{:?}", second.problems);
    assert_eq!(ground.sandbox.journal().len(), writes + 1);
    assert!(ids.iter().all(|id| of_asset(&ground, *id, "Warranty End").starts_with("2028-05-31")));
    let nothing = engine.spec_of(Purpose::Retry { of: second.job }).expect_err("refused");
    assert!(nothing.message.contains("left nothing to try again"), "{nothing:?}");
}

/// Section 8, 1: off by default, and nothing is planned.
#[tokio::test(start_paused = true)]
async fn nothing_goes_back_while_it_is_off() {
    let (ground, engine) = filled().await;
    dated(&engine, 1).await;
    set(&engine, "write_expiration_date", "false").await;
    let writes = ground.sandbox.journal().len();
    assert!(engine.build_plan(&back(), Keep::ForLater, &|_, _, _| {}).await.is_err());
    assert_eq!(ground.sandbox.journal().len(), writes);
}

/// Section 8, 2: a date that Halo has by itself never goes back, and one that is already there is not written again.
#[tokio::test(start_paused = true)]
async fn a_second_write_back_finds_nothing_to_do() {
    let (_ground, engine) = filled().await;
    dated(&engine, 2).await;
    assert_eq!(run(&engine, back()).await.totals.rows.update, 2);
    let again = plan(&engine, &back()).await;
    assert_eq!(
        (again.outline.totals.update, again.outline.totals.unchanged),
        (0, 2),
        "{:?}",
        again.outline.totals
    );
}

/// S24, S22: what is given by hand follows a rename, and undo takes both back in one step.
#[tokio::test(start_paused = true)]
async fn a_renamed_class_or_template_keeps_what_was_put_into_it_by_hand() {
    let (_ground, engine) = filled().await;
    let company = largest(&engine).company.id;
    let row = rows(&engine, company).into_iter().next().expect("one");
    let (kind, asset) = (row.kind.clone(), row.id);
    let order = |was: Option<&str>, name: &str| LifecycleOrder::SetClass {
        was: was.map(str::to_owned),
        class: class(&kind, name, ""),
    };
    tell(&engine, order(None, "Basic")).await;
    tell(&engine, LifecycleOrder::SetTemplate { was: None, template: Template::named("Own") }).await;
    let changes = vec![AssetChange::Class(Some("Basic".into())), AssetChange::Template(Some("Own".into()))];
    tell(&engine, LifecycleOrder::Assets { assets: vec![asset], changes }).await;
    tell(&engine, order(Some("Basic"), "Standard")).await;
    let template = Template::named("Ours");
    tell(&engine, LifecycleOrder::SetTemplate { was: Some("Own".into()), template }).await;
    let now = || rows(&engine, company).into_iter().find(|row| row.id == asset).expect("there");
    assert_eq!((now().class.as_deref(), now().template.as_str()), (Some("Standard"), "Ours"));
    tell(&engine, LifecycleOrder::Undo { redo: false }).await;
    tell(&engine, LifecycleOrder::Undo { redo: false }).await;
    assert_eq!((now().class.as_deref(), now().template.as_str()), (Some("Basic"), "Own"));
    let name = "Own".to_owned();
    let message =
        refused(&engine, LifecycleOrder::RemoveTemplate { name: name.clone(), replacement: None }).await;
    assert!(message.contains("is in use by 1 configuration"), "{message}");
    tell(&engine, LifecycleOrder::RemoveTemplate { name, replacement: Some("Default".into()) }).await;
    assert_eq!(now().template, "Default");
}

/// A type that companies have, or that Halo has, cannot be removed; one that stands for Halo's keeps its name.
#[tokio::test(start_paused = true)]
async fn a_type_in_use_cannot_be_removed_or_renamed() {
    let (_ground, engine) = filled().await;
    let list = TermList::Types;
    let id = view(&engine).types.iter().find(|term| term.name == "Customer").expect("there").id;
    let message = refused(&engine, LifecycleOrder::RemoveTerm { list, id }).await;
    assert!(message.contains("companies have 'Customer'"), "{message}");
    let message = refused(&engine, LifecycleOrder::RenameTerm { list, id, name: "Client".into() }).await;
    assert!(message.contains("Halo's own name"), "{message}");
    tell(&engine, LifecycleOrder::AddTerm { list, name: "Club".into() }).await;
    let club = view(&engine).types.iter().find(|term| term.name == "Club").expect("added").id;
    tell(&engine, LifecycleOrder::RenameTerm { list, id: club, name: "Society".into() }).await;
    tell(&engine, LifecycleOrder::RemoveTerm { list, id: club }).await;
    assert!(!view(&engine).types.iter().any(|term| term.id == club));
}

/// An id that no configuration has is a slip, not a wish; a class is one of the configuration's own type.
#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_configuration_must_fit_one() {
    let (_ground, engine) = filled().await;
    let row = rows(&engine, largest(&engine).company.id).into_iter().next().expect("one");
    let other = view(&engine).configuration_types.into_iter().map(|(name, _)| name);
    let other = other.into_iter().find(|name| *name != row.kind).expect("another type");
    tell(&engine, LifecycleOrder::SetClass { was: None, class: class(&other, "Odd", "") }).await;
    let order = |assets: Vec<i64>, change| LifecycleOrder::Assets { assets, changes: vec![change] };
    for change in [AssetChange::OffBudget(true), AssetChange::Class(None), AssetChange::Template(None)] {
        let problem = engine.lifecycle(order(vec![row.id, 999_999], change)).await.expect_err("refused");
        assert_eq!(problem.message, "No configuration has the Halo id 999999.");
        assert!(problem.remedy.contains("lifecycle configurations list"), "{problem}");
    }
    let wrong = order(vec![row.id], AssetChange::Class(Some("Odd".into())));
    let message = refused(&engine, wrong).await;
    assert!(message.contains(&format!("{} has no class 'Odd'", row.kind)), "{message}");
    assert!(rows(&engine, largest(&engine).company.id).iter().all(|row| row.is_budgeted || !row.counts));
}

/// What was in a class by hand goes by rule again when the class goes; undo brings both back in one step.
#[tokio::test(start_paused = true)]
async fn a_class_that_is_removed_takes_nothing_with_it() {
    let (_ground, engine) = filled().await;
    let company = largest(&engine).company.id;
    let row = rows(&engine, company).into_iter().next().expect("one");
    tell(&engine, LifecycleOrder::SetClass { was: None, class: class(&row.kind, "Premium", "") }).await;
    let said =
        tell(&engine, LifecycleOrder::SetClass { was: None, class: class(&row.kind, "Basic", "always") });
    assert_eq!(said.await, format!("Saved: class Basic of {}.", row.kind));
    let changes = vec![AssetChange::Class(Some("Premium".into()))];
    tell(&engine, LifecycleOrder::Assets { assets: vec![row.id], changes }).await;
    let class_now =
        || rows(&engine, company).into_iter().find(|own| own.id == row.id).and_then(|own| own.class);
    assert_eq!(class_now().as_deref(), Some("Premium"));
    let said =
        tell(&engine, LifecycleOrder::RemoveClass { kind: row.kind.clone(), name: "Premium".into() }).await;
    assert!(said.contains("in it by hand goes by rule again"), "{said}");
    assert_eq!(class_now().as_deref(), Some("Basic"));
    tell(&engine, LifecycleOrder::Undo { redo: false }).await;
    assert_eq!(class_now().as_deref(), Some("Premium"));
    let hidden = LifecycleOrder::SetClass { was: None, class: class(&row.kind, "Late", "age>=12") };
    assert!(tell(&engine, hidden).await.contains("Class Basic stands before it"));
}

/// S17: by hand, too, a company over the cap is not managed, and one name is one company.
#[tokio::test(start_paused = true)]
async fn a_company_by_hand_counts_against_the_cap_and_has_a_name_of_its_own() {
    let (_ground, engine) = filled().await;
    let name = largest(&engine).company.name;
    let message = refused(&engine, LifecycleOrder::AddCompany { name: name.to_uppercase() }).await;
    assert!(message.contains("is here already"), "{message}");
    let managed = view(&engine).managed;
    set(&engine, "managed_cap", &managed.to_string()).await;
    let problem =
        engine.lifecycle(LifecycleOrder::AddCompany { name: "One More".into() }).await.expect_err("over it");
    assert_eq!(
        problem.message,
        format!("{} companies would be managed, and the cap is {managed}.", managed + 1)
    );
    assert_eq!(problem.class, parhelion::model::Class::Limit);
    let one = largest(&engine).company.id;
    tell(&engine, LifecycleOrder::Manage { companies: vec![one], managed: false }).await;
    tell(&engine, LifecycleOrder::AddCompany { name: "One More".into() }).await;
    assert!(engine.lifecycle(LifecycleOrder::Manage { companies: vec![one], managed: true }).await.is_err());
}

/// S14: without the full list only the types of companies that come in appear.
#[tokio::test(start_paused = true)]
async fn step_6_without_the_full_list_only_types_in_use_appear() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    ground.settings = "[lifecycle]\nenabled = true\ntypes_full_sync = false".into();
    let engine = ground.start().await;
    run(&engine, import()).await;
    let names =
        |engine: &Arc<Engine>| view(engine).types.into_iter().map(|term| term.name).collect::<Vec<_>>();
    assert_eq!(names(&engine), ["Customer"]);
    assert!(view(&engine).halo_types.len() > 1, "Halo has more");
    set(&engine, "types_full_sync", "true").await;
    run(&engine, import()).await;
    assert!(names(&engine).len() > 1);
}

/// S19a: switched off, the copy stays as it is and is marked so.
#[tokio::test(start_paused = true)]
async fn step_9_switched_off_the_copy_stays_and_says_so() {
    let (ground, engine) = filled().await;
    let company = largest(&engine).company;
    let before = rows(&engine, company.id);
    set(&engine, "configurations_sync", "false").await;
    let asset = ground.sandbox.halo_asset(before[0].id).expect("an asset");
    ground.sandbox.put_halo_asset(&json!({"id": asset["id"], "inactive": true})).expect("an asset");
    let plan = plan(&engine, &import()).await;
    assert!(
        plan.outline.alerts.iter().any(|alert| alert.contains("switched off")),
        "{:?}",
        plan.outline.alerts
    );
    run(&engine, import()).await;
    assert_eq!(rows(&engine, company.id), before);
    assert!(view(&engine).configurations_are_off);
    let read_at =
        companies(&engine).into_iter().find(|one| one.company.id == company.id).expect("there").read_at;
    assert!(read_at.is_some(), "not updated since then");
}

/// S19g, S19h: a chosen list of companies does not grow by itself and says what it names in vain; narrower types keep
/// the others, out of scope and out of every total.
#[tokio::test(start_paused = true)]
async fn step_9_a_chosen_list_does_not_grow_and_a_narrower_filter_keeps_what_is_here() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let chosen = ground.sandbox.halo_assets()[0]["client_id"].as_i64().expect("a client");
    ground.settings = format!(
        "[lifecycle]\nenabled = true\ncompanies = [\"{chosen}\", \"77777\"]\ncompany_types = [\"Customer\", \"Vendor\", \"Prospect\"]\ncompany_status = \"all\""
    );
    let engine = ground.start().await;
    let planned = plan(&engine, &import()).await;
    let alerts = &planned.outline.alerts;
    assert!(
        alerts.iter().any(|alert| alert.contains("no managed company has the Halo id '77777'")),
        "{alerts:?}"
    );
    run(&engine, import()).await;
    let with: Vec<_> = companies(&engine).into_iter().filter(|one| one.configurations > 0).collect();
    assert_eq!(with.iter().map(|one| one.company.halo).collect::<Vec<_>>(), [Some(chosen)]);
    let id = with[0].company.id;
    let before = rows(&engine, id);
    let kind = before[0].kind.clone();
    set(&engine, "configuration_types", &format!("[\"{kind}\"]")).await;
    run(&engine, import()).await;
    let after = rows(&engine, id);
    assert_eq!(after.len(), before.len(), "nothing is lost");
    assert!(
        after.iter().all(|row| row.out_of_scope == (row.kind != kind) && (row.counts || row.out_of_scope))
    );
    set(&engine, "configuration_types", "[]").await;
    run(&engine, import()).await;
    assert_eq!(rows(&engine, id), before, "and they come back");
}

/// Section 8, 4: Halo says yes and keeps nothing, as for a field that the type lacks: the row fails when it is read back.
#[tokio::test(start_paused = true)]
async fn a_date_that_does_not_stick_fails_its_row() {
    let (ground, engine) = filled().await;
    let ids = dated(&engine, 1).await;
    let asset = ground.sandbox.halo_asset(ids[0]).expect("an asset");
    let kind = &asset["assettype_id"];
    let row = json!({"id": kind, "fields": []});
    ground.sandbox.put_halo_asset_shelf("types", &row).expect("a type without fields");
    let written = run(&engine, back()).await;
    assert_eq!((written.totals.failed, written.state), (1, JobState::Partial), "{:?}", written.problems);
    assert!(written.problems[0].message.contains("did not stick"), "{:?}", written.problems);
}

/// Money in two currencies: with another currency the amounts are not converted, and that is said.
#[tokio::test(start_paused = true)]
async fn another_currency_says_that_amounts_are_not_converted() {
    let (_ground, engine) = filled().await;
    let change = |to: &str| SettingChange { key: "lifecycle.currency".into(), value: Some(to.into()) };
    let notes = async |to: &str| match engine.set(&[change(to)]).await.expect("a setting") {
        Reply::Saved { notes, .. } => notes,
        other => panic!("{other:?}"),
    };
    assert_eq!(notes("EUR").await, [""; 0], "nothing is priced yet");
    tell(&engine, LifecycleOrder::SetClass { was: None, class: class("Laptop", "Basic", "always") }).await;
    let said = notes("GBP").await;
    assert!(said[0].contains("typed in EUR and are not converted: they count as GBP now"), "{said:?}");
    assert_eq!(notes("GBP").await, [""; 0], "the same one is no change");
}

/// A column is there once, and only of a field that has something to show.
#[tokio::test(start_paused = true)]
async fn a_templates_columns_are_judged() {
    let (_ground, engine) = filled().await;
    let order = |columns: &[&str]| LifecycleOrder::SetTemplate {
        was: None,
        template: Template {
            columns: columns.iter().map(|column| column.parse().expect("a column")).collect(),
            ..Template::named("Own")
        },
    };
    tell(&engine, order(&["name", "grade", "name"])).await;
    let own = view(&engine).templates.into_iter().find(|template| template.name == "Own").expect("saved");
    assert_eq!(own.columns.iter().map(ToString::to_string).collect::<Vec<_>>(), ["name", "grade"]);
    let message = refused(&engine, order(&["name", "field:Rack"])).await;
    assert!(message.contains("'Rack' is not among the fields to download"), "{message}");
    let message = refused(&engine, order(&["field:Serial Number"])).await;
    assert!(message.contains("its column is 'serial'"), "{message}");
    assert!(refused(&engine, order(&[])).await.contains("has no column"));
}

/// A date of a person that cannot be true is refused at once, not put aside later.
#[tokio::test(start_paused = true)]
async fn an_impossible_date_of_a_person_is_refused() {
    let (_ground, engine) = filled().await;
    let row = rows(&engine, largest(&engine).company.id).into_iter().next().expect("one");
    for (day, words) in [(date(2099, 1, 1), "in the future"), (date(1970, 1, 1), "cannot be true")] {
        let field = parhelion::lifecycle::configuration::DateField::PurchaseDate;
        let changes = vec![AssetChange::Date(field, Some(day))];
        let message = refused(&engine, LifecycleOrder::Assets { assets: vec![row.id], changes }).await;
        assert!(message.contains(words), "{message}");
    }
}

/// A company that was added by hand is mapped by hand; one of Halo's stands for one company only.
#[tokio::test(start_paused = true)]
async fn a_company_is_mapped_by_hand_once() {
    let (ground, engine) = filled().await;
    let free =
        ground.sandbox.put_halo_client(&json!({"name": "Quay House Ltd", "inactive": true})).expect("one");
    run(&engine, import()).await;
    tell(&engine, LifecycleOrder::AddCompany { name: "Quay Group".into() }).await;
    let own = companies(&engine)
        .into_iter()
        .find(|one| one.company.name == "Quay Group")
        .expect("added")
        .company
        .id;
    let taken = largest(&engine).company.halo.expect("mapped");
    let message = refused(&engine, LifecycleOrder::MapCompany { company: own, halo: taken }).await;
    assert!(message.contains("stands for this customer already"), "{message}");
    tell(&engine, LifecycleOrder::MapCompany { company: own, halo: free }).await;
    let now = companies(&engine).into_iter().find(|one| one.company.id == own).expect("there").company;
    assert_eq!((now.name.as_str(), now.halo, now.active), ("Quay House Ltd", Some(free), false));
}

/// The set-up says what is missing: a right that Halo refuses, a field that is not there, types without a class.
#[tokio::test(start_paused = true)]
async fn the_set_up_says_what_is_missing() {
    let (ground, engine) = filled().await;
    let step = |name: &str| view(&engine).setup.into_iter().find(|step| step.name == name).expect("a step");
    assert_eq!(step("Agent in Halo").progress, Progress::ToDo, "never tested");
    assert_eq!(step("Company types").progress, Progress::Done);
    assert_eq!(step("Companies").progress, Progress::Done);
    assert_eq!(step("Classes and budgets").progress, Progress::ToDo);
    assert_eq!(step("Dates back into Halo").progress, Progress::Optional);
    let refuses = Rule::new(Kind::ServerError { status: 403, applied: false, retry_after: None })
        .method("GET")
        .path("/api/Asset")
        .when(When::Always);
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, refuses));
    engine.test(Place::Of(Integration::Lifecycle), &[], &[]).await.expect("a test");
    assert_eq!(step("Agent in Halo").progress, Progress::Failed);
    // The missing scope by its name, and that an address may be missing on the list of those that are let in.
    let says = step("Agent in Halo").says;
    assert!(says.starts_with("asset") && says.contains("It needs read:assets"), "{says}");
    assert!(says.contains("of this host or of its proxy must be on the list"), "{says}");
    ground.sandbox.set_faults(Faults::none());
    engine.test(Place::Of(Integration::Lifecycle), &[], &[]).await.expect("a test");
    assert_eq!(step("Agent in Halo").progress, Progress::Done);
    set(&engine, "fields", "[\"Serial Number\", \"Shelf\", \"Purchase Date\", \"Warranty End\", \"Manufacturer\", \"Model\", \"Operating System\", \"RAM\"]").await;
    run(&engine, import()).await;
    assert_eq!(
        (step("Fields").progress, step("Fields").says.as_str()),
        (Progress::Failed, "not in Halo: Shelf")
    );
}

/// Step 2 and section 8, 8: with a token that may not edit assets the test says exactly that, and writing back cannot
/// be switched on.
#[tokio::test(start_paused = true)]
async fn step_2_without_the_right_to_edit_assets_the_test_says_so_and_the_switch_stays_off() {
    let mut quirks = Quirks::default();
    quirks.halo.granted_scopes = "read:customers read:assets".into();
    let mut ground = Ground::new(Sandbox::new(Options { quirks, ..Options::default() }));
    ground.settings = "[lifecycle]\nenabled = true".into();
    let engine = ground.start().await;
    let tested = engine.test(Place::Of(Integration::Lifecycle), &[], &[]).await.expect("a test");
    let edit = tested.checks.iter().find(|check| check.name == "asset edit").expect("a check");
    assert!(edit.message.starts_with("edit:assets is not among the scopes"), "{edit:?}");
    assert!(tested.ok, "nothing needs it while writing back is off: {tested:?}");
    let switch =
        || SettingChange { key: "lifecycle.write_expiration_date".into(), value: Some("true".into()) };
    let problem = engine.set(&[switch()]).await.expect_err("refused");
    assert!(problem.message.contains("edit:assets is not among the scopes"), "{problem:?}");
    assert!(!engine.settings().lifecycle.writes_back());
    let step =
        view(&engine).setup.into_iter().find(|step| step.name == "Dates back into Halo").expect("a step");
    assert!(step.says.contains("edit:assets"), "{step:?}");
    // With the right granted and tested, it can be.
    ground.sandbox.set_quirks(Quirks::default());
    engine.test(Place::Of(Integration::Lifecycle), &[], &[]).await.expect("a test");
    engine.set(&[switch()]).await.expect("it can be switched on");
}

/// Step 9.2: a field that Halo lacks is asked for, made there by a plan that a person applies, given to the types whose
/// assets come in, and read with the next import.
#[tokio::test(start_paused = true)]
async fn step_9_a_field_that_halo_lacks_is_made_by_a_plan_shows_up_and_is_read() {
    let (ground, engine) = filled().await;
    let field = || {
        let fields = view(&engine).fields;
        fields.into_iter().find(|one| one.field.as_deref() == Some("install date")).expect("a field")
    };
    let step = || view(&engine).setup.into_iter().find(|step| step.name == "Fields").expect("a step");
    assert_eq!(field().state, FieldState::Unmapped);
    let order = |name: &str, kind| LifecycleOrder::WantField {
        field: "install date".into(),
        name: name.into(),
        kind,
    };
    assert!(refused(&engine, order("warranty_end", FieldKind::Date)).await.contains("column of every asset"));
    assert!(refused(&engine, order("Rack", FieldKind::List)).await.contains("needs its values"));
    tell(&engine, order("Install Date", FieldKind::Date)).await;
    assert_eq!((field().state, field().kind), (FieldState::Missing, FieldKind::Date));
    assert_eq!((step().progress, step().leads), (Progress::Failed, Leads::NewFields));
    assert!(ground.sandbox.journal().is_empty(), "asking sends nothing");

    let make = || spec(Integration::Lifecycle, &[Entity::AssetFields], false);
    let planned = plan(&engine, &make()).await;
    let totals = |entity| planned.outline.by_entity[&entity];
    assert_eq!(totals(Entity::AssetFields).create, 1);
    let types = ground.sandbox.halo_asset_shelf("types").len() as u64;
    assert_eq!(totals(Entity::AssetTypes).update, types, "every type comes in, so each gets it");
    assert!(ground.sandbox.journal().is_empty(), "a plan writes nothing");
    let made = apply(&engine, &planned).await;
    assert_eq!(made.state, JobState::Ok, "{:?}", made.problems);
    let fields = ground.sandbox.halo_asset_shelf("fields");
    let new = fields.iter().find(|one| one["name"] == "Install Date").expect("it is in Halo");
    assert_eq!(new["validate"], "D");
    let has = |one: &Value| {
        one["fields"]
            .as_array()
            .is_some_and(|all| all.iter().any(|f| f["field_id"].as_f64() == new["id"].as_f64()))
    };
    assert!(ground.sandbox.halo_asset_shelf("types").iter().all(has));
    assert_eq!((field().state, step().progress), (FieldState::There, Progress::Done));
    assert_eq!(run(&engine, make()).await.totals.rows.acting(), 0, "once is enough");

    // What somebody fills in comes in with the next import.
    let company = largest(&engine).company.id;
    let id = rows(&engine, company)[0].id;
    let row = json!({"id": new["id"], "name": "Install Date", "value": "2024-03-01"});
    let mut all =
        ground.sandbox.halo_asset(id).expect("there")["fields"].as_array().cloned().unwrap_or_default();
    all.push(row);
    ground.sandbox.put_halo_asset(&json!({"id": id, "fields": all})).expect("an asset");
    assert_eq!(run(&engine, import()).await.state, JobState::Ok);
    let read = rows(&engine, company).into_iter().find(|row| row.id == id).expect("there");
    assert_eq!(read.dates.install, Some(date(2024, 3, 1)), "{read:?}");
    // Nothing in Halo is ever deleted, not even by an undo.
    let undo = replan(&engine, &[Entity::AssetFields], Purpose::Undo { of: made.job }).await;
    assert_eq!(undo.totals.rows.skipped as u64, 1 + types, "{:?}", undo.totals);
    assert!(ground.sandbox.halo_asset_shelf("fields").iter().any(|one| one["name"] == "Install Date"));
}

/// Step 9.2: without the right to edit assets the manual way is told, and nothing is sent.
#[tokio::test(start_paused = true)]
async fn step_9_without_the_right_to_make_a_field_the_way_by_hand_is_told() {
    let (ground, engine) = filled().await;
    let mut quirks = Quirks::default();
    quirks.halo.granted_scopes = "read:customers read:assets".into();
    ground.sandbox.set_quirks(quirks);
    ground.sandbox.expire_sessions(Host::Halo);
    set(&engine, "install_date_field", "").await;
    let order =
        LifecycleOrder::WantField { field: "notes".into(), name: "Rack".into(), kind: FieldKind::Text };
    tell(&engine, order).await;
    let make = spec(Integration::Lifecycle, &[Entity::AssetFields], false);
    let Err(problem) = engine.build_plan(&make, Keep::ForLater, &|_, _, _| {}).await else {
        panic!("a plan that cannot be carried out")
    };
    assert!(problem.to_string().contains("Configuration > Assets > Fields"), "{problem}");
    assert!(ground.sandbox.journal().is_empty());
}

/// A spelling that only differs in case is no reason for a second field; a name that was mapped in vain goes.
#[tokio::test(start_paused = true)]
async fn a_field_that_halo_spells_otherwise_is_not_made_again() {
    let (_ground, engine) = filled().await;
    let order = |name: &str| LifecycleOrder::WantField {
        field: "purchase date".into(),
        name: name.into(),
        kind: FieldKind::Date,
    };
    tell(&engine, order("Bought On")).await;
    tell(&engine, order("purchase  date")).await;
    assert!(!engine.settings().lifecycle.fields.iter().any(|name| name == "Bought On"), "read no longer");
    let planned = plan(&engine, &spec(Integration::Lifecycle, &[Entity::AssetFields], false)).await;
    assert_eq!(planned.outline.totals.acting(), 0);
    assert!(
        planned.outline.alerts.iter().any(|alert| alert.contains("spell it as Halo does")),
        "{planned:?}"
    );
}

/// Step 4: a test with a token that lacks a scope fails and names it.
#[tokio::test(start_paused = true)]
async fn step_4_the_test_fails_with_the_name_of_the_missing_scope() {
    let mut quirks = Quirks::default();
    quirks.halo.denied.insert("client".into(), 403);
    let mut ground = Ground::new(Sandbox::new(Options { quirks, ..Options::default() }));
    ground.settings = "[lifecycle]\nenabled = true".into();
    let engine = ground.start().await;
    let tested = engine.test(Place::Of(Integration::Lifecycle), &[], &[]).await.expect("a test");
    let check = tested.checks.iter().find(|check| check.name == "customers").expect("a check");
    assert!(!tested.ok && check.message.contains("It needs read:customers"), "{tested:?}");
}

/// Step 5: one PSA feeds a workspace; another kind is no choice, and another Halo is refused with the reason.
#[tokio::test(start_paused = true)]
async fn step_5_a_second_psa_is_refused_with_the_reason() {
    let (ground, engine) = filled().await;
    let other = SettingChange { key: "lifecycle.psa".into(), value: Some("autotask".into()) };
    assert!(engine.set(&[other]).await.expect_err("refused").message.contains("must be one of halo"));
    let before = companies(&engine).len();
    let mut quirks = Quirks::default();
    quirks.halo.database = "00000000-0000-4000-8000-000000000002".into();
    ground.sandbox.set_quirks(quirks);
    let Err(problem) = engine.build_plan(&import(), Keep::ForLater, &|_, _, _| {}).await else {
        panic!("a plan of another Halo")
    };
    assert!(problem.message.contains("one workspace has one PSA"), "{problem}");
    assert!(problem.to_string().contains("--profile NAME"), "{problem}");
    assert_eq!(companies(&engine).len(), before);
}

/// Step 9.1: a field that is mapped cannot be taken off the list of those that are read.
#[tokio::test(start_paused = true)]
async fn step_9_unticking_a_mapped_field_says_so_and_blocks_the_save() {
    let (_ground, engine) = filled().await;
    let untick = SettingChange { key: "lifecycle.fields".into(), value: Some("[\"Serial Number\"]".into()) };
    let problem = engine.set(&[untick]).await.expect_err("refused");
    assert!(problem.message.contains("lifecycle.manufacturer_field is 'Manufacturer'"), "{problem}");
    assert!(
        engine.settings().lifecycle.fields.iter().any(|name| name == "Manufacturer"),
        "nothing was saved"
    );
}
