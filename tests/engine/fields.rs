//! The sample behind the field mappings, and the test on one record: what they find, and that they write nothing.

use parhelion::host::words::{Answer, FieldSides, FieldTable, FieldTest, Query, SettingChange, TestEnd};
use parhelion::integrations::field_sample::LineOf;
use parhelion::model::Integration;
use parhelion::model::asset::FieldKind;
use parhelion::sandbox::{Faults, Host, Kind, Rule, Sandbox};
use serde_json::json;

use super::assets::small;
use super::rig::{Ground, run, spec};

const ME: Integration = Integration::Liongard;

fn sides(engine: &parhelion::engine::Engine) -> FieldSides {
    match engine.answer(Query::FieldSides { integration: ME }) {
        Ok(Answer::FieldSides(sides)) => *sides,
        other => panic!("{other:?}"),
    }
}

fn table(engine: &parhelion::engine::Engine) -> FieldTable {
    match engine.answer(Query::FieldTable { integration: ME }) {
        Ok(Answer::FieldTable(table)) => *table,
        other => panic!("{other:?}"),
    }
}

fn row<'a>(test: &'a FieldTest, target: &str) -> &'a parhelion::host::words::TestedField {
    test.rows.iter().find(|row| row.target == target).unwrap_or_else(|| panic!("{target}: {test:?}"))
}

/// Halo has an asset of the same serial as the second of these machines.
fn with_an_asset(machines: usize) -> (Sandbox, Vec<i64>) {
    let (sandbox, ids) = small(machines);
    let client = sandbox.halo_clients()[0]["id"].clone();
    let fields = json!([{"id": 117, "value": "REAL0001"}, {"id": 119, "value": "Windows 7"}]);
    let asset =
        json!({"client_id": client, "assettype_id": 130, "inventory_number": "IT-1", "fields": fields});
    sandbox.put_halo_asset(&asset).expect("an asset");
    (sandbox, ids)
}

#[tokio::test(start_paused = true)]
async fn a_sample_tells_what_is_on_both_sides_outlives_the_process_and_writes_nothing() {
    let (sandbox, _) = with_an_asset(30);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let before = table(&engine);
    assert!(
        before.read_at.is_none()
            && before
                .lines
                .iter()
                .all(|line| line.fit.is_none() || line.fit.as_ref().is_some_and(|fit| fit.of == 0))
    );
    let said = engine.read_fields(ME).await.expect("a sample");
    assert!(said.starts_with("Looked at 30 records of Liongard"), "{said}");
    let sides = sides(&engine);
    assert_eq!((sides.records, sides.assets), (30, 1));
    let source =
        |name: &str| sides.sources.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name}"));
    let ram = source("RAM");
    assert_eq!(
        (ram.have, ram.kind, ram.samples.as_slice(), ram.told.as_str()),
        (30, FieldKind::Number, &["16".to_owned()][..], "a metric")
    );
    assert_eq!(source("Inspector.Alias").samples, ["Windows Workstation"]);
    assert_eq!(source("System.LastVerifyTime").kind, FieldKind::Date);
    assert_eq!(source("Serial Number").told, "the device profile");
    assert_eq!(source("Asset Tag").have, 0, "attributes stay, whoever has them");
    assert!(sides.sources.iter().any(|one| one.name == "Device.Firmware"), "every path of a record is there");
    let memory = sides
        .sources
        .iter()
        .find(|one| one.title == "Windows Workstation: Total Memory (GB)")
        .expect("a metric");
    assert!(memory.name.starts_with("Metric.") && memory.have == 30);
    let serial = sides.targets.iter().find(|one| one.label == "Serial Number").expect("a field");
    assert_eq!(
        (serial.have, serial.samples.as_slice(), serial.types.len()),
        (1, &["REAL0001".to_owned()][..], 3)
    );
    let line =
        table(&engine).lines.into_iter().find(|line| line.rule.target == "Operating System").expect("a row");
    assert_eq!(line.fit.map(|fit| (fit.of, fit.fits)), Some((30, 30)));
    assert_eq!(ground.sandbox.journal().len(), 0, "a sample writes nothing");
    ground.kill(engine).await;
    let engine = ground.open();
    assert_eq!(self::sides(&engine).records, 30, "it is there again after a start");
}

#[tokio::test(start_paused = true)]
async fn one_record_is_tried_field_by_field_and_nothing_is_written() {
    let (sandbox, ids) = with_an_asset(2);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let test = engine.try_fields(ME, &ids[1].to_string()).await.expect("a test");
    assert_eq!(test.asset.as_ref().map(|one| one.how.as_str()), Some("matched by Serial Number"));
    let system = row(&test, "Operating System");
    assert_eq!(
        (system.before.as_deref(), system.after.as_deref(), system.end),
        (Some("Windows 7"), Some("Windows 11"), TestEnd::Write)
    );
    assert_eq!(row(&test, "Serial Number").end, TestEnd::Same);
    assert_eq!(row(&test, "Last User").after.as_deref(), Some("pat"), "a field that is made first");
    let new = engine.try_fields(ME, &ids[0].to_string()).await.expect("a test");
    assert!(
        new.asset.is_none() && new.is_new_type && new.asset_type.as_deref() == Some("Windows Workstation")
    );
    assert_eq!(ground.sandbox.journal().len(), 0, "a test writes nothing");
    // What it says is what the import does.
    run(&engine, spec(ME, &[], false)).await;
    let after = engine.try_fields(ME, &ids[1].to_string()).await.expect("a test");
    assert_eq!(after.asset.as_ref().map(|one| one.how.as_str()), Some("linked"));
    assert!(after.rows.iter().all(|row| row.end == TestEnd::Same), "{:?}", after.rows);
}

#[tokio::test(start_paused = true)]
async fn records_are_named_by_name_where_only_one_has_it() {
    let (sandbox, ids) = small(3);
    sandbox.put_system(&json!({"ID": ids[2], "Name": "PC-1"}));
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_fields(ME).await.expect("a sample");
    assert_eq!(engine.try_fields(ME, "pc-0").await.expect("one").id.as_str(), ids[0].to_string());
    let several = engine.try_fields(ME, "PC-1").await.expect_err("two have it");
    assert!(several.to_string().contains(&ids[1].to_string()), "{several}");
    let none = engine.try_fields(ME, "PC-9").await.expect_err("none has it");
    assert!(none.to_string().contains("no record 'PC-9'"), "{none}");
    let gone = engine.try_fields(ME, "99999999").await.expect_err("no such id");
    assert!(gone.to_string().contains("99999999"), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn a_side_that_cannot_be_read_is_said_and_the_last_sample_stays() {
    let (sandbox, _) = small(2);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_fields(ME).await.expect("a sample");
    for host in [Host::Liongard, Host::Halo] {
        ground
            .sandbox
            .set_faults(Faults::none().with(host, Rule::new(Kind::Html { status: 403, applied: false })));
        let problem = engine.read_fields(ME).await.expect_err("nothing can be read");
        assert_eq!(table(&engine).trouble.as_deref(), Some(problem.to_string().as_str()));
        assert_eq!(sides(&engine).records, 2);
    }
    ground.sandbox.set_faults(Faults::none());
    engine.read_fields(ME).await.expect("a sample");
    assert_eq!(table(&engine).trouble, None);
    let fixed = engine.read_fields(Integration::Also).await.expect_err("rules of the vendor");
    assert!(fixed.to_string().contains("fixed by the vendor's rules"), "{fixed}");
}

/// The sample of devices asks for no systems and no metrics.
#[tokio::test(start_paused = true)]
async fn devices_are_sampled_where_they_are_what_becomes_assets() {
    let (sandbox, _) = small(5);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let set = parhelion::host::words::SettingChange {
        key: "liongard.asset_source".into(),
        value: Some("devices".into()),
    };
    engine.set(&[set]).await.expect("a setting");
    engine.read_fields(ME).await.expect("a sample");
    let sides = sides(&engine);
    assert_eq!(sides.records, 5);
    assert!(!sides.sources.iter().any(|one| one.name.starts_with("Metric.") && one.have > 0));
    let (id, ..) = sides.machines[0].clone();
    let test = engine.try_fields(ME, id.as_str()).await.expect("a test");
    assert_eq!(row(&test, "Operating System").after.as_deref(), Some("Windows 11"));
}

fn sources(engine: &parhelion::engine::Engine) -> Vec<String> {
    engine.settings().liongard.field_mappings.iter().map(|row| row.source.clone()).collect()
}

async fn set(engine: &parhelion::engine::Engine, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

#[tokio::test(start_paused = true)]
async fn l15_edits_of_the_rows_are_taken_back_and_brought_again_also_after_a_restart() {
    let mut ground = Ground::new(small(1).0);
    let engine = ground.start().await;
    let before = sources(&engine);
    assert_eq!(table(&engine).undo, None, "an import of settings is no edit of a row");
    set(&engine, "liongard.field_mappings", r#"[{ source = "RAM", target = "RAM" }]"#).await;
    set(&engine, "liongard.asset_type_field", "Type").await;
    set(&engine, "liongard.ignored_fields", r#"["Model"]"#).await;
    // Other settings are no step of this list.
    set(&engine, "liongard.deactivate_deleted", "true").await;
    assert_eq!(table(&engine).undo.as_deref(), Some("ignore Model"));
    ground.kill(engine).await;
    ground.index.lose_unflushed();
    let engine = ground.open();
    for (should, left) in [("ignore Model", "asset type by Type"), ("asset type by Type", "4 field mappings")]
    {
        let said = engine.undo_fields(ME, false).await.expect("taken back");
        assert!(said.contains(should), "{said}");
        let undo = table(&engine).undo.expect("a step");
        assert!(undo.contains(left) || undo.contains("field mappings"), "{undo}");
    }
    engine.undo_fields(ME, false).await.expect("taken back");
    assert_eq!(sources(&engine), before);
    assert!(engine.settings().liongard.deactivate_deleted);
    assert_eq!(engine.undo_fields(ME, false).await.expect_err("no more").message, "Nothing to take back.");
    ground.kill(engine).await;
    let engine = ground.open();
    for _ in 0..3 {
        engine.undo_fields(ME, true).await.expect("brought again");
    }
    assert_eq!(
        (sources(&engine), engine.settings().liongard.ignored_fields.clone()),
        (vec!["RAM".into()], vec!["Model".into()])
    );
    assert!(engine.undo_fields(ME, true).await.is_err());
    // A new edit ends what could be brought again.
    engine.undo_fields(ME, false).await.expect("taken back");
    set(&engine, "liongard.asset_type_field", "Device.Category").await;
    assert_eq!(table(&engine).redo, None);
}

#[tokio::test(start_paused = true)]
async fn l15_what_was_changed_by_other_means_is_not_overwritten_by_an_undo() {
    let mut ground = Ground::new(small(1).0);
    let engine = ground.start().await;
    set(&engine, "liongard.field_mappings", r#"[{ source = "RAM", target = "RAM" }]"#).await;
    let file = "[liongard]\nenabled = true\nfield_mappings = [{ source = \"Model\", target = \"Model\" }]\n";
    engine.import_settings(file).await.expect("a file");
    let refused = engine.undo_fields(ME, false).await.expect_err("it is another list now");
    assert!(refused.message.contains("by other means"), "{refused}");
    assert_eq!(sources(&engine), ["Model"]);
}

#[tokio::test(start_paused = true)]
async fn ignored_fields_are_listed_last_and_never_mapped_by_equal_names() {
    let mut ground = Ground::new(small(2).0);
    let engine = ground.start().await;
    set(&engine, "liongard.field_mappings", "[]").await;
    engine.read_fields(ME).await.expect("a sample");
    let open = |engine: &parhelion::engine::Engine, of: LineOf| -> Vec<String> {
        let lines = table(engine).lines.into_iter().filter(|line| line.of == of);
        lines.map(|line| line.rule.source.to_string()).collect()
    };
    assert!(open(&engine, LineOf::Open).contains(&"Operating System".to_owned()));
    assert!(table(&engine).equal.iter().any(|row| row.source == "Operating System"));
    set(&engine, "liongard.ignored_fields", r#"["operating system", "RAM"]"#).await;
    assert_eq!(open(&engine, LineOf::Ignored), ["Operating System", "RAM"]);
    assert!(!open(&engine, LineOf::Open).contains(&"Operating System".to_owned()));
    assert!(!table(&engine).equal.iter().any(|row| row.source == "Operating System"));
    let kinds: Vec<LineOf> = table(&engine).lines.iter().map(|line| line.of).collect();
    assert!(kinds.is_sorted(), "{kinds:?}");
    // Mapped all the same, it is a row like any other.
    set(&engine, "liongard.field_mappings", r#"[{ source = "RAM", target = "RAM", create = true }]"#).await;
    assert_eq!(open(&engine, LineOf::Ignored), ["Operating System"]);
}
