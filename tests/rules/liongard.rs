//! What Liongard's records become: attributes, types, dates, and values that do not fit.

use std::sync::Arc;

use parhelion::integrations::field_mapping::{Targets, convert, date, held, number, written};
use parhelion::integrations::liongard::{
    Devices, Evidence, Inspected, Mapping, Metrics, Needs, Told, inspected, is_source_field,
};
use parhelion::model::asset::{AssetField, FieldKind, TYPE_FIELD};
use parhelion::model::liongard::{MetricValue, SourceDevice, SourceSystem};
use parhelion::model::settings::{FieldMapping, Liongard, MatchingField};
use parhelion::model::{FieldName, SourceId, Value, Verdict};
use serde_json::json;

fn field(id: i64, name: &str, kind: FieldKind) -> AssetField {
    AssetField { id: id.into(), name: name.into(), kind, limit: None, options: Vec::new() }
}

fn row(source: &str, target: &str) -> FieldMapping {
    FieldMapping { source: source.into(), target: target.into(), ..FieldMapping::default() }
}

fn settings() -> Liongard {
    Liongard {
        asset_matching_field: MatchingField {
            source: "Serial Number".into(),
            target: "Serial Number".into(),
        },
        field_mappings: vec![
            row("RAM", "RAM"),
            row("Warranty Expiration", "Warranty End"),
            row("Metric.u-1", "Notes"),
        ],
        ..Liongard::default()
    }
}

fn targets() -> Targets {
    Targets::new(&[
        field(117, "Serial Number", FieldKind::Text),
        field(121, "RAM", FieldKind::Number),
        field(123, "Warranty End", FieldKind::Date),
        field(130, "Notes", FieldKind::Text),
    ])
}

fn facts(paths: &[Box<str>], values: &[(&str, &str)]) -> parhelion::model::liongard::Facts {
    let value =
        |path: &str| values.iter().find(|(name, _)| *name == path).map(|(_, value)| Arc::from(*value));
    paths.iter().map(|path| value(path)).collect()
}

fn system(needs: &Needs, values: &[(&str, &str)]) -> SourceSystem {
    SourceSystem {
        id: SourceId::new("52001"),
        name: "LT-1".into(),
        environment: Some(SourceId::new("4102")),
        inspector: Some(90),
        is_visible: true,
        facts: facts(&needs.system, values),
    }
}

fn device(needs: &Needs, id: &str, hostname: &str, serial: &str, values: &[(&str, &str)]) -> SourceDevice {
    SourceDevice {
        id: SourceId::new(id),
        environment: SourceId::new("4102"),
        hostname: Some(hostname.into()),
        serial: Some(serial.into()),
        alias: None,
        state: "Inventory".into(),
        facts: facts(&needs.device, values),
    }
}

fn of<'a>(
    needs: &'a Needs,
    system: &'a SourceSystem,
    device: &'a SourceDevice,
    metrics: &'a Metrics,
    inspected: Option<&'a Inspected>,
) -> Evidence<'a> {
    Evidence { needs, system: Some(system), device: Some(device), metrics, inspected }
}

#[test]
fn bad_input_dates_in_every_format_of_the_contract_keep_their_day() {
    for text in [
        "2027-08-31T00:00:00.000Z",
        "2027-08-31T23:59:59",
        "2027-08-31 00:00:00",
        "2027/08/31 00:00:00",
        "2027/08/31",
        " 2027-08-31 ",
    ] {
        assert_eq!(date(text).map(|day| day.to_string()).as_deref(), Some("2027-08-31"), "{text}");
    }
    for none in [
        "",
        "Feb-2023",
        "31/08/2027",
        "0000-00-00",
        "1899-12-30T00:00:00",
        "2027-02-30",
        "2027-08-31x",
        "soon",
    ] {
        assert_eq!(date(none), None, "{none}");
    }
}

#[test]
fn l15_values_are_converted_by_the_kind_of_the_field_and_never_guessed() {
    let number_field = field(1, "RAM", FieldKind::Number);
    assert_eq!(convert("16.0", &number_field), Ok(Value::text("16")));
    assert_eq!(convert("7,5", &number_field), Ok(Value::text("7.5")));
    assert!(convert("16 GB", &number_field).unwrap_err().contains("is no number for the field RAM"));
    assert_eq!(number("1,234,567"), None);
    assert!(convert("Feb-2023", &field(2, "Bought", FieldKind::Date)).is_err());
    assert_eq!(convert("Yes", &field(3, "Managed", FieldKind::Flag)), Ok(Value::Flag(true)));
    let list = AssetField {
        options: vec![(1, "Owned".into()), (2, "Leased".into())],
        ..field(4, "Lease", FieldKind::List)
    };
    let chosen = convert("leased", &list).unwrap();
    assert_eq!(written(&chosen, &list).as_deref(), Ok("2"), "the id of the choice is sent");
    assert!(convert("Rented", &list).is_err());
    assert_eq!(held("Leased", FieldKind::List), Some(chosen));
    assert_eq!(
        held("2028-02-29T00:00:00", FieldKind::Date),
        Some(Value::Date("2028-02-29".parse().unwrap()))
    );
    assert_eq!(held("  ", FieldKind::Text), None);
}

#[test]
fn bad_input_a_value_longer_than_halo_takes_is_left_out_and_said() {
    let short = AssetField { limit: Some(20), ..field(1, "Rack", FieldKind::Text) };
    assert!(convert(&"x".repeat(21), &short).unwrap_err().contains("21 characters"));
    assert!(convert(&"é".repeat(20), &short).is_ok(), "characters, not bytes");
    assert!(convert(&"x".repeat(5000), &field(2, "Notes", FieldKind::Text)).is_err());
}

#[test]
fn bad_input_fields_of_one_name_are_told_apart_by_their_id() {
    let targets = Targets::new(&[
        field(1, "Serial", FieldKind::Text),
        field(2, "Serial", FieldKind::Text),
        field(3, "RAM", FieldKind::Text),
    ]);
    let labels: Vec<&str> = targets.iter().map(|(label, _)| label.key()).collect();
    assert_eq!(labels, ["Serial (1)", "Serial (2)", "RAM"]);
    assert!(targets.named("serial").unwrap_err().contains("Serial (1), Serial (2)"));
    assert_eq!(targets.named("2").unwrap().0.key(), "Serial (2)");
    assert_eq!(targets.named("ram").unwrap().0.key(), "RAM");
    assert!(targets.named("Colour").is_err());
}

#[test]
fn an_attribute_comes_from_the_metric_then_the_inspection_then_the_device() {
    let needs = Needs::of(&settings(), &[]);
    let system = system(&needs, &[]);
    let device = device(&needs, "d1", "LT-1", "FROM-DEVICE", &[("Device.SerialNumber", "FROM-DEVICE")]);
    let mut metrics = Metrics::default();
    let detail = inspected(
        &json!({"SystemInfo": {"SerialNumber": "FROM-INSPECTION"}, "ComputerSystem": {"TotalRamGB": 8}}),
    );
    let told = |evidence: Evidence<'_>, name: &str| {
        evidence.value(name).map(|(text, told)| (text.to_string(), told))
    };
    assert_eq!(
        told(of(&needs, &system, &device, &metrics, None), "Serial Number"),
        Some(("FROM-DEVICE".into(), Told::Device))
    );
    assert_eq!(
        told(of(&needs, &system, &device, &metrics, Some(&detail)), "serial number"),
        Some(("FROM-INSPECTION".into(), Told::Inspection))
    );
    assert_eq!(told(of(&needs, &system, &device, &metrics, None), "RAM"), None, "a device profile has none");
    let value = |uuid: &str, text: &str| MetricValue {
        system: SourceId::new("52001"),
        uuid: uuid.into(),
        text: text.into(),
    };
    metrics.put(value("34189ad7-c016-47b5-b04a-84c43a0101a3", "FROM-METRIC"), &needs);
    metrics.put(value("2ad04994-6069-4c65-8a2e-b4b9934fe456", "16384"), &needs);
    metrics.put(value("u-1", "note"), &needs);
    metrics.put(value("unasked", "x"), &needs);
    assert_eq!(
        told(of(&needs, &system, &device, &metrics, Some(&detail)), "Serial Number"),
        Some(("FROM-METRIC".into(), Told::Metric))
    );
    assert_eq!(
        told(of(&needs, &system, &device, &metrics, None), "RAM"),
        Some(("16".into(), Told::Metric)),
        "Linux tells it in MB"
    );
    assert_eq!(
        told(of(&needs, &system, &device, &metrics, None), "Metric.u-1"),
        Some(("note".into(), Told::Metric))
    );
}

#[test]
fn a_device_belongs_to_the_system_of_its_serial_or_hostname_unless_two_share_it() {
    let needs = Needs::of(&settings(), &[]);
    let metrics = Metrics::default();
    let one = device(&needs, "d1", "lt-1", "System Serial Number", &[]);
    let twin = device(&needs, "d2", "LT-1", "System Serial Number", &[]);
    let system = system(&needs, &[]);
    let of = |devices: &[SourceDevice]| {
        Devices::new(devices, &[]).of(&system, &needs, &metrics).map(|d| d.id.clone())
    };
    assert_eq!(of(std::slice::from_ref(&one)), Some(SourceId::new("d1")));
    assert_eq!(of(&[one, twin]), None);
    assert_eq!(of(&[]), None);
}

#[test]
fn l15_a_system_becomes_an_asset_with_its_type_and_what_does_not_fit_is_said() {
    let settings = settings();
    let needs = Needs::of(&settings, &[]);
    let mapping = Mapping::new(&settings, &targets());
    let system = system(&needs, &[("Inspector.Alias", " Windows Workstation "), ("System.Name", "LT-1")]);
    let values =
        [("Device.SerialNumber", "To be filled by O.E.M."), ("Device.WarrantyExpiration", "Feb-2023")];
    let device = device(&needs, "d1", "LT-1", "x", &values);
    let metrics = Metrics::default();
    let evidence = Evidence {
        needs: &needs,
        system: Some(&system),
        device: Some(&device),
        metrics: &metrics,
        inspected: None,
    };
    let wanted = mapping.wanted(&system.id, &system.name, system.environment.clone(), evidence);
    assert_eq!(wanted.verdict, Verdict::Take);
    assert_eq!(wanted.fields.get(FieldName::own(TYPE_FIELD)), Some(&Value::text("Windows Workstation")));
    assert_eq!(wanted.keys.own, None, "a placeholder matches nothing (P22)");
    assert_eq!(wanted.fields.get(FieldName::own("Warranty End")), None);
    assert!(wanted.notes.iter().any(|note| note.contains("'Feb-2023' is no date")), "{:?}", wanted.notes);
    // Without a value in the type's field it waits, or takes the type of last resort.
    let bare = self::system(&needs, &[]);
    let evidence = Evidence { system: Some(&bare), device: None, ..evidence };
    let wanted = mapping.wanted(&bare.id, &bare.name, None, evidence);
    assert!(matches!(&wanted.verdict, Verdict::Hold(why) if why.contains("L10")));
    let fallback = Mapping::new(&Liongard { fallback_asset_type: "Other".into(), ..settings }, &targets());
    let wanted = fallback.wanted(&bare.id, &bare.name, None, evidence);
    assert_eq!(wanted.fields.get(FieldName::own(TYPE_FIELD)), Some(&Value::text("Other")));
}

#[test]
fn l16_rows_that_halo_has_no_field_for_are_said_or_made() {
    let mut settings = settings();
    settings.field_mappings = vec![
        row("Model", "Colour"),
        FieldMapping { create: true, kind: Some(FieldKind::Date), ..row("Purchase Date", "Bought") },
    ];
    let mapping = Mapping::new(&settings, &targets());
    assert!(mapping.problems[0].contains("Halo has no asset field 'Colour'"), "{:?}", mapping.problems);
    assert_eq!((&*mapping.new_fields[0].name, mapping.new_fields[0].kind), ("Bought", FieldKind::Date));
    for name in ["Serial Number", "inspector.alias", "Inspector.Alias", "Metric.u"] {
        assert_eq!(is_source_field(name), name != "inspector.alias", "{name}");
    }
    assert!(!is_source_field("Colour") && !is_source_field("Metric."));
}

#[test]
fn l10_a_system_without_inspector_waits_or_takes_the_type_of_last_resort() {
    let settings = settings();
    let needs = Needs::of(&settings, &[]);
    let mapping = Mapping::new(&settings, &targets());
    let metrics = Metrics::default();
    // The inspector is null, blank, or only spaces.
    for values in [&[][..], &[("Inspector.Alias", "")], &[("Inspector.Alias", "   ")]] {
        let mut bare = system(&needs, values);
        bare.inspector = None;
        let evidence =
            Evidence { needs: &needs, system: Some(&bare), device: None, metrics: &metrics, inspected: None };
        let wanted = mapping.wanted(&bare.id, &bare.name, None, evidence);
        assert!(
            matches!(&wanted.verdict, Verdict::Hold(why) if why.contains("Inspector.Alias")),
            "{values:?}"
        );
    }
}

#[test]
fn a_record_without_a_name_waits() {
    let settings = settings();
    let needs = Needs::of(&settings, &[]);
    let mapping = Mapping::new(&settings, &targets());
    let metrics = Metrics::default();
    let mut bare = system(&needs, &[("Inspector.Alias", "Windows Workstation")]);
    bare.name = "  ".into();
    let evidence =
        Evidence { needs: &needs, system: Some(&bare), device: None, metrics: &metrics, inspected: None };
    let wanted = mapping.wanted(&bare.id, &bare.name, None, evidence);
    assert!(matches!(&wanted.verdict, Verdict::Hold(why) if why.contains("no name")), "{:?}", wanted.verdict);
}

#[test]
fn l15_the_first_of_two_rows_to_one_field_counts_and_the_matching_field_is_written_too() {
    let mut settings = settings();
    settings.field_mappings = vec![row("Hostname", "Notes"), row("Operating System", "notes")];
    let mapping = Mapping::new(&settings, &targets());
    let names: Vec<&str> = mapping.targets().map(FieldName::key).collect();
    assert_eq!(names, ["Notes", "Serial Number"]);
}
