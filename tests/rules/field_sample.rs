//! What a sample of real records says of a row before it is saved (L15, L16, P57).

use parhelion::integrations::field_rules;
use parhelion::integrations::field_sample::{HeldField, LineOf, Sample, SampleRecord, SampledField, spread};
use parhelion::integrations::liongard::is_attribute;
use parhelion::model::SourceId;
use parhelion::model::asset::{AssetField, FieldKind};
use parhelion::model::settings::{FieldMapping, Liongard, MatchingField};

fn source(name: &str, values: &[&str]) -> SampledField {
    let values = values.iter().map(|text| (!text.is_empty()).then(|| (*text).into())).collect();
    SampledField { name: name.into(), title: "".into(), told: "a metric".into(), values }
}

fn target(id: i64, name: &str, kind: FieldKind) -> HeldField {
    let field = AssetField { id: id.into(), name: name.into(), kind, limit: None, options: Vec::new() };
    HeldField { field, types: vec!["Laptop".into()], have: 1, samples: vec!["x".into()] }
}

fn row(source: &str, target: &str) -> FieldMapping {
    FieldMapping { source: source.into(), target: target.into(), ..FieldMapping::default() }
}

fn created(source: &str, target: &str, kind: FieldKind) -> FieldMapping {
    FieldMapping { create: true, kind: Some(kind), ..row(source, target) }
}

fn sample() -> Sample {
    let record = |n: i64| SampleRecord {
        id: n.into(),
        name: format!("PC-{n}").into(),
        parent: Some(SourceId::from(1)),
        parent_name: "Alder".into(),
    };
    Sample {
        records: (1..=4).map(record).collect(),
        sources: vec![
            source("Hostname", &["PC-1", "PC-2", "PC-3", "PC-4"]),
            source("Serial Number", &["0012", "0013", "", "0014"]),
            source("RAM", &["16", "32", "", "8"]),
            source("Purchase Date", &["2024-02-01", "31/02/2024", "", "2024-03-01T00:00:00Z"]),
            source("Asset Tag", &["", "", "", ""]),
            source("System.Enabled", &["true", "false", "true", "true"]),
        ],
        targets: vec![
            target(1, "Serial Number", FieldKind::Text),
            target(2, "RAM", FieldKind::Number),
            target(3, "Purchased", FieldKind::Date),
            target(4, "Notes", FieldKind::Text),
            target(5, "notes", FieldKind::Text),
            target(6, "Hostname", FieldKind::Text),
        ],
        assets: 7,
        notes: Vec::new(),
    }
}

fn settings(rows: Vec<FieldMapping>) -> Liongard {
    Liongard { field_mappings: rows, ..Liongard::default() }
}

#[test]
fn l15_values_that_do_not_fit_are_counted_before_a_row_is_saved() {
    let verdict = sample().judge(&settings(Vec::new()), &row("Purchase Date", "Purchased"), None);
    let fit = verdict.fit.unwrap();
    assert_eq!((fit.of, fit.fits, fit.blank, fit.unfit), (4, 2, 1, 1));
    assert_eq!(fit.misfits, [("PC-2".to_owned(), "31/02/2024".to_owned())]);
    assert_eq!(verdict.refused, None, "a misfit is shown, not refused");
    assert!(
        verdict.notices[0].starts_with("1 of 3 values do not fit: '31/02/2024' is no date"),
        "{:?}",
        verdict.notices
    );
}

#[test]
fn l15_two_sources_for_one_field_are_refused_however_it_is_named() {
    let settings = settings(vec![row("RAM", "RAM"), row("Hostname", "Hostname")]);
    for target in ["RAM", " ram ", "2"] {
        let refused = sample().judge(&settings, &row("Hostname", target), None).refused.unwrap();
        assert!(refused.contains("is fed by RAM already"), "{refused}");
    }
    let itself = sample().judge(&settings, &row("Hostname", "RAM"), Some(0));
    assert_eq!(itself.refused, None, "a row may take its own place");
}

#[test]
fn the_matching_field_takes_its_own_source_only() {
    let pair = MatchingField { source: "Serial Number".into(), target: "Serial Number".into() };
    let settings = Liongard { asset_matching_field: pair, ..Liongard::default() };
    let judge = |source: &str| sample().judge(&settings, &row(source, "1"), None).refused;
    assert!(judge("Hostname").unwrap().contains("is the matching field"));
    assert_eq!(judge("Serial Number"), None);
}

#[test]
fn l16_names_that_are_shared_or_missing_are_refused_or_created() {
    let judge = |row: &FieldMapping| sample().judge(&settings(Vec::new()), row, None);
    let shared = judge(&row("RAM", "NOTES")).refused.unwrap();
    assert!(shared.contains("several asset fields") && shared.contains("Notes (4)"), "{shared}");
    assert_eq!(judge(&row("RAM", "Notes (4)")).refused, None);
    assert!(
        judge(&created("RAM", "notes ", FieldKind::Text)).refused.is_some(),
        "one more of the name is no way out"
    );
    assert!(judge(&row("RAM", "Memory")).refused.unwrap().contains("no asset field 'Memory'"));
    let new = judge(&created("RAM", "Memory", FieldKind::Number));
    assert_eq!((new.refused, new.fit.unwrap().fits), (None, 3));
    let wrong = judge(&created("Hostname", "Memory", FieldKind::Number));
    assert_eq!(wrong.fit.unwrap().unfit, 4);
    assert!(judge(&created("RAM", "Memory", FieldKind::List)).refused.unwrap().contains("choices"));
    let there = judge(&created("Hostname", "RAM", FieldKind::Text));
    assert!(there.notices.iter().any(|one| one.contains("it is used")), "{:?}", there.notices);
    assert!(judge(&row("", "RAM")).refused.is_some());
}

/// P57: a field that was mapped and that no record has any more is said, never guessed.
#[test]
fn fields_without_values_or_unknown_to_the_sample_say_so() {
    let judge = |source: &str| sample().judge(&settings(Vec::new()), &row(source, "Hostname"), None);
    assert!(judge("Asset Tag").notices[0].contains("none of the 4 records"));
    assert!(judge("System.Gone").notices[0].contains("no record of the sample was asked"));
}

#[test]
fn before_anything_was_read_only_what_is_known_is_refused() {
    let judge =
        |row: &FieldMapping| Sample::default().judge(&settings(vec![row_of_ram()]), row, None).refused;
    assert_eq!(judge(&row("Hostname", "Whatever")), None);
    assert!(judge(&row("Hostname", "ram")).unwrap().contains("is fed by RAM already"));
}

fn row_of_ram() -> FieldMapping {
    row("RAM", "RAM")
}

#[test]
fn a_label_with_its_id_stays_good_when_the_other_of_its_name_goes() {
    let mut sample = sample();
    sample.targets.retain(|held| held.field.id.as_str() != "5");
    assert_eq!(sample.judge(&settings(Vec::new()), &row("RAM", "Notes (4)"), None).refused, None);
    assert!(sample.judge(&settings(Vec::new()), &row("RAM", "Other (4)"), None).refused.is_some());
}

#[test]
fn the_kind_of_a_new_field_follows_the_values() {
    let kinds: Vec<(String, FieldKind)> =
        sample().source_fields().into_iter().map(|field| (field.name, field.kind)).collect();
    let of = |name: &str| kinds.iter().find(|(other, _)| other == name).unwrap().1;
    assert_eq!(of("RAM"), FieldKind::Number);
    assert_eq!(of("Serial Number"), FieldKind::Text, "leading noughts are part of a name");
    assert_eq!(of("Purchase Date"), FieldKind::Text, "one value is no date");
    assert_eq!(of("System.Enabled"), FieldKind::Flag);
    assert_eq!(of("Asset Tag"), FieldKind::Text, "nothing is known of it");
}

#[test]
fn equal_names_are_mapped_only_where_everything_fits_and_the_field_is_free() {
    let names = |rows: Vec<FieldMapping>| -> Vec<String> {
        sample().equal_names(&settings(rows)).into_iter().map(|row| row.target).collect()
    };
    assert_eq!(names(Vec::new()), ["Hostname", "Serial Number", "RAM"]);
    assert_eq!(names(vec![row("System.Name", "hostname"), row("RAM", "Notes (4)")]), ["Serial Number"]);
}

#[test]
fn lines_are_in_the_order_of_the_rows_with_open_fields_behind() {
    let settings = settings(vec![
        row("RAM", "RAM"),
        created("Purchase Date", "Bought", FieldKind::Date),
        row("Hostname", "RAM"),
    ]);
    let lines = sample().lines(&settings, field_rules::liongard(&settings), is_attribute);
    let shown: Vec<(LineOf, String)> =
        lines.iter().map(|line| (line.of, line.rule.source.to_string())).collect();
    assert_eq!(shown[0].0, LineOf::Matching);
    assert_eq!(shown[1], (LineOf::AssetType, "Inspector.Alias".into()));
    assert_eq!(
        shown[2..5].iter().map(|(of, _)| *of).collect::<Vec<_>>(),
        [LineOf::Row(0), LineOf::Row(1), LineOf::Row(2)]
    );
    assert_eq!(shown[5], (LineOf::Open, "Serial Number".into()), "blank ones and paths are no proposals");
    assert_eq!(shown[6].0, LineOf::Rule);
    assert!(lines[3].is_new && lines[3].rule.kind == "date");
    assert!(lines[2].trouble.is_some() && lines[4].trouble.is_some(), "both sources of one field are named");
    assert_eq!((&*lines[2].rule.kind, &*lines[2].sample), ("number", "16"));
    // Nothing was read yet: the rows are there, and nothing is said of them.
    let bare = Sample::default().lines(&settings, field_rules::liongard(&settings), is_attribute);
    assert!(bare.iter().all(|line| line.trouble.is_none()) && bare.len() == 7, "{bare:?}");
}

#[test]
fn a_sample_is_spread_over_parents() {
    let all: Vec<(i64, i64)> = (0..100).flat_map(|place| (0..50).map(move |n| (place, n))).collect();
    let chosen = spread(all, 30, |(place, _)| Some(SourceId::from(*place)));
    assert_eq!(chosen.len(), 30);
    let places: std::collections::BTreeSet<i64> = chosen.iter().map(|(place, _)| *place).collect();
    assert_eq!(places.len(), 10);
    let few = spread(vec![(1, 1), (1, 2)], 30, |(place, _)| Some(SourceId::from(*place)));
    assert_eq!(few.len(), 2);
}
