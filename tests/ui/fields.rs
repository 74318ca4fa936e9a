//! The pane of field mappings: rows against a sample, the chooser of both sides, the test on one record, and what hostile
//! names do to it.

use std::sync::Arc;

use parhelion::host::words::*;
use parhelion::integrations::field_sample::{HeldField, Sample, SampleRecord, SampledField};
use parhelion::integrations::liongard::is_attribute;
use parhelion::integrations::{self};
use parhelion::model::asset::{AssetField, FieldKind};
use parhelion::model::settings::{FieldMapping, MatchingField, Settings};
use parhelion::model::{Class, Integration, Place, Problem, SourceId};

use super::engine::{World, at};
use super::rig::{Rig, Start};

fn source(name: &str, title: &str, values: &[&str]) -> SampledField {
    let values = (0..200)
        .map(|n| {
            values.get(n % values.len().max(1)).filter(|text| !text.is_empty()).map(|text| Arc::from(*text))
        })
        .collect();
    SampledField { name: name.into(), title: title.into(), told: "the device profile".into(), values }
}

fn target(id: i64, name: &str, kind: FieldKind, samples: &[&str]) -> HeldField {
    let field = AssetField { id: id.into(), name: name.into(), kind, limit: None, options: Vec::new() };
    let samples = samples.iter().map(|text| (*text).into()).collect();
    HeldField { field, types: vec!["Laptop".into(), "Server".into()], have: 31, samples }
}

fn row(source: &str, target: &str) -> FieldMapping {
    FieldMapping { source: source.into(), target: target.into(), ..FieldMapping::default() }
}

/// The made-up data of ux.md 3.5.
fn sample() -> Sample {
    let record = |n: usize| SampleRecord {
        id: SourceId::from(52_000 + n as i64),
        name: format!("SRV-YRK-{n:02}").into(),
        parent: Some(SourceId::from(4102)),
        parent_name: "Blue Heron Dental".into(),
    };
    Sample {
        records: (1..=200).map(record).collect(),
        sources: vec![
            source("Hostname", "", &["SRV-YRK-01", "LT-0042"]),
            source("Serial Number", "", &["5CG1234XYZ", "5CG1234XYA", ""]),
            source("Operating System", "", &["Windows Server 2022", "Windows 11 Pro"]),
            source("RAM", "", &["16", "32"]),
            source("Purchase Date", "", &["2024-02-01", "31/02/2024", "", "2024-03-01T00:00:00Z"]),
            source("Warranty Expiration", "", &["2027-03-31", ""]),
            source("Type", "", &["laptop", "server"]),
            source("Inspector.Alias", "", &["Windows Workstation", "Windows Server"]),
            source("Metric.1f", "Windows Workstation: Last Patch", &["2026-11-02"]),
        ],
        targets: vec![
            target(117, "Serial Number", FieldKind::Text, &["5CG1234XYZ"]),
            target(119, "Operating System", FieldKind::Text, &["Windows 10"]),
            target(121, "RAM", FieldKind::Number, &["8"]),
            target(123, "Warranty End", FieldKind::Date, &["2026-01-31"]),
            target(124, "Bought", FieldKind::Date, &[]),
            target(130, "Notes", FieldKind::Text, &[]),
            target(131, "Notes", FieldKind::Text, &[]),
        ],
        assets: 118,
        notes: Vec::new(),
    }
}

/// What the canned engine says of the field mappings; `None` for any other question.
pub fn answer(settings: &Settings, sample: Option<&Sample>, query: &Query) -> Option<Answer> {
    let own = &settings.liongard;
    let none = Sample::default();
    let known = sample.unwrap_or(&none);
    let read_at = sample.map(|_| at("21T13:00"));
    let (records, assets) = (known.records.len() as u32, known.assets);
    Some(match query {
        Query::FieldTable { integration } => {
            let rules = integrations::field_rules(*integration, settings);
            let lines = known.lines(own, rules, is_attribute);
            let table = if *integration == Integration::Liongard {
                FieldTable {
                    lines,
                    read_at,
                    records,
                    assets,
                    equal: known.equal_names(own),
                    ..FieldTable::default()
                }
            } else {
                let lines = Sample::default().lines(
                    &Settings::default().liongard,
                    integrations::field_rules(*integration, settings),
                    is_attribute,
                );
                FieldTable { lines, ..FieldTable::default() }
            };
            Answer::FieldTable(Box::new(table))
        }
        Query::FieldSides { .. } => Answer::FieldSides(Box::new(FieldSides {
            read_at,
            records,
            assets,
            sources: known.source_fields(),
            targets: known.target_fields(),
            machines: known
                .records
                .iter()
                .map(|record| (record.id.clone(), record.name.to_string(), record.parent_name.to_string()))
                .collect(),
        })),
        Query::FieldVerdict { row, at, .. } => Answer::FieldVerdict(Box::new(known.judge(own, row, *at))),
        _ => return None,
    })
}

pub fn test() -> FieldTest {
    let row =
        |source: &str, target: &str, before: Option<&str>, after: Option<&str>, end, why: &str| TestedField {
            source: source.into(),
            target: target.into(),
            kind: FieldKind::Text,
            value: (end != TestEnd::Blank).then(|| after.unwrap_or("31/02/2024").to_owned()),
            told: "the device profile".into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            end,
            why: why.into(),
        };
    FieldTest {
        integration: Integration::Liongard,
        id: SourceId::from(52_001),
        name: "SRV-YRK-01".into(),
        parent: "Blue Heron Dental".into(),
        asset: Some(TestedAsset {
            id: 2001.into(),
            name: "SRV-YRK-01".into(),
            how: "matched by Serial Number".into(),
        }),
        asset_type: Some("Windows Server".into()),
        is_new_type: true,
        rows: vec![
            row("Hostname", "Hostname", Some("old-name"), Some("SRV-YRK-01"), TestEnd::Write, ""),
            row("RAM", "RAM", None, Some("16"), TestEnd::Write, ""),
            row("Serial Number", "Serial Number", Some("5CG1234XYZ"), Some("5CG1234XYZ"), TestEnd::Same, ""),
            row(
                "Purchase Date",
                "Bought",
                Some("2020-01-01"),
                Some("2020-01-01"),
                TestEnd::Misfit,
                "'31/02/2024' is no date for the field Bought",
            ),
            row(
                "Warranty Expiration",
                "Warranty End",
                Some("2026-01-31"),
                Some("2026-01-31"),
                TestEnd::Blank,
                "",
            ),
        ],
        notes: vec!["Device profiles could not be read, so fewer values are known.".into()],
    }
}

fn prepared(world: &mut World) {
    let mut place = super::engine::also();
    place.place = Place::Of(Integration::Liongard);
    place.to_do.clear();
    world.overview.places.push(place);
    let own = &mut world.settings.settings.liongard;
    own.enabled = true;
    own.asset_matching_field =
        MatchingField { source: "Serial Number".into(), target: "Serial Number".into() };
    own.field_mappings = vec![
        row("Operating System", "Operating System"),
        FieldMapping { fill_blank: true, ..row("Purchase Date", "Bought") },
        FieldMapping { create: true, kind: Some(FieldKind::Date), ..row("Metric.1f", "Last Patch") },
        row("Hostname", "Notes"),
    ];
    world.sample = Some(sample());
}

fn start() -> Start {
    Start::default().with(prepared)
}

/// On Liongard's pane.
fn rig() -> Rig {
    let mut rig = start().rig();
    rig.keys("3 ] ]");
    rig
}

fn rows(rig: &Rig) -> Vec<String> {
    let world = rig.world.borrow();
    let rows = &world.settings.settings.liongard.field_mappings;
    rows.iter().map(|row| format!("{} -> {}", row.source, row.target)).collect()
}

#[test]
fn the_pane_shows_rows_against_real_records() {
    super::screens::in_all_sizes("fields-liongard", start, "3 ] ] j j j");
    rig().says("4 mapped").says("match on: Serial Number");
}

#[test]
fn the_chooser_shows_both_sides_and_what_would_follow() {
    super::screens::in_all_sizes("fields-chooser", start, "3 ] ] j j j <Enter> <Tab>");
}

#[test]
fn the_test_on_one_record_is_shown_field_by_field() {
    super::screens::in_all_sizes("fields-test", start, "3 ] ] t <Enter> <Down> <Down> <Down>");
    let mut rig = rig();
    rig.keys("t").says("reads only, never writes").keys("y r k 2 <Enter>");
    assert!(matches!(rig.told().last(), Some(Command::TryFields { .. })), "{:?}", rig.told());
    rig.says("2 write, 1 same, 1 blank, 1 misfit").keys("<Esc> <Esc>").says("4 mapped");
}

#[test]
fn a_row_is_added_by_typing_on_both_sides() {
    let mut rig = rig();
    rig.keys("+ r a m <Enter>").says("RAM -> RAM").says("200 fit").keys("<Enter>");
    assert_eq!(rows(&rig).last().map(String::as_str), Some("RAM -> RAM"));
    rig.says("5 mapped").keys("u").says("4 mapped").keys("U").says("5 mapped");
}

#[test]
fn misfits_and_second_sources_are_shown_before_anything_is_saved() {
    let mut rig = rig();
    let before = rows(&rig);
    rig.keys("+ p u r c h <Enter> r a m").says("do not fit").says("31/02/2024").keys("<Esc>");
    rig.keys("+ t y p e <Enter> o p e r a t").says("is fed by Operating System already").keys("<Enter>");
    rig.says("Not saved").keys("<Esc>");
    assert_eq!(rows(&rig), before);
}

#[test]
fn a_missing_field_is_created_with_the_kind_that_the_values_have() {
    let mut rig = rig();
    rig.keys("+ w a r r <Enter> U n t i l")
        .says("+ create 'Until'")
        .says("new date field")
        .keys("<Ctrl-T> <Enter>");
    let world = rig.world.borrow();
    let row = world.settings.settings.liongard.field_mappings.last().unwrap().clone();
    assert_eq!((row.target.as_str(), row.create, row.kind), ("Until", true, Some(FieldKind::Flag)));
}

#[test]
fn rows_move_fill_blanks_and_go() {
    let mut rig = rig();
    rig.keys("j j >");
    assert_eq!(rows(&rig)[..2], ["Purchase Date -> Bought", "Operating System -> Operating System"]);
    rig.keys("<");
    assert_eq!(rows(&rig)[0], "Operating System -> Operating System");
    rig.keys("<")
        .says("It stands at the end already.")
        .keys("b")
        .says("fill blank")
        .keys("d")
        .says("3 mapped");
    assert_eq!(rows(&rig)[0], "Purchase Date -> Bought");
    rig.keys("u u").says("4 mapped");
    assert!(!rig.world.borrow().settings.settings.liongard.field_mappings[0].fill_blank);
}

#[test]
fn equal_names_are_taken_with_one_key_and_back_with_one() {
    let mut rig = rig();
    rig.keys("a").says("Mapped RAM").says("5 mapped").keys("u").says("4 mapped");
}

#[test]
fn matching_field_and_type_field_are_edited_in_the_same_pane() {
    let mut rig = rig();
    rig.keys("<Enter> h o s t <Enter> s e r i <Enter>").says("match on: Hostname");
    rig.keys("j <Enter> t y p e").says("names the asset's type").keys("<Enter>").says("=  Type");
    rig.keys("u u").says("match on: Serial Number").says("=  Inspector.Alias  asset type");
}

#[test]
fn rows_go_out_and_come_in_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    let keys = path.display().to_string().chars().map(String::from).collect::<Vec<_>>().join(" ");
    let mut rig = rig();
    rig.keys("e").keys(&keys).keys("<Enter>").says("Exported to");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("source,target,create,kind,fill_blank\nOperating System,Operating System,,,\n"),
        "{text}"
    );
    std::fs::write(&path, "source,target\nRAM,RAM\n").unwrap();
    rig.keys("i").keys(&keys).keys("<Enter>").says("1 rows, 5 differ").says("+ RAM -> RAM");
    rig.pass(std::time::Duration::from_secs(1)).keys("y").says("1 mapped");
    std::fs::write(&path, "source,target\nNo,RAM\n").unwrap();
    rig.keys("i").keys(&keys).keys("<Enter>").says("nothing was: line 2");
    assert_eq!(rows(&rig), ["RAM -> RAM"]);
}

#[test]
fn without_records_the_rows_are_there_and_say_what_is_missing() {
    let bare = |world: &mut World| {
        prepared(world);
        world.sample = None;
    };
    let mut rig = Start::default().with(bare).rig();
    rig.keys("3 ] ]");
    assert!(matches!(rig.told().last(), Some(Command::ReadFields { .. })), "it reads by itself once");
    rig.shows("fields-unread@80x24")
        .keys("+")
        .says("No records were read yet")
        .keys("<Esc> t")
        .says("No records were read yet");
}

#[test]
fn what_is_off_or_refused_says_why() {
    let off = |world: &mut World| {
        prepared(world);
        world.sample = None;
        if let Some(place) = world.overview.places.last_mut() {
            place.state = PlaceState::NotConfigured;
        }
    };
    let mut rig = Start::default().with(off).rig();
    rig.keys("3 ] ]").says("none were read yet").keys("t").says("Liongard is not set up");
    assert!(rig.told().is_empty(), "{:?}", rig.told());
    let mut rig = self::rig();
    rig.world.borrow_mut().trouble =
        Some(Problem::new(Class::Auth, "Liongard refuses the access key.").remedy("Make a new one."));
    rig.keys("<Ctrl-R>").says("Liongard refuses the access key.");
    rig.keys("d").says("Liongard refuses the access key.").says("4 mapped");
}

#[test]
fn names_of_any_length_and_script_keep_to_their_columns() {
    let hostile = |world: &mut World| {
        prepared(world);
        let long = "東京電力ホールディングス株式会社".repeat(8);
        let mut sample = sample();
        sample.sources.push(source(&long, "", &["عربي طويل جدا \u{202e}evil", "\u{1b}[31mred"]));
        sample.sources.push(source("Asset Tag", "", &[&"x".repeat(3000)]));
        sample.targets.push(target(200, &long, FieldKind::Text, &["👩‍👧‍👦 family", "e\u{301}\u{301}"]));
        sample.targets.push(target(201, "عربي", FieldKind::Text, &["\u{9b}31m"]));
        world.settings.settings.liongard.field_mappings.push(row("Asset Tag", "عربي"));
        world.settings.settings.liongard.field_mappings.push(row(&long, &long));
        world.sample = Some(sample);
    };
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 10)] {
        for keys in ["3 ] ] j j j j j j", "3 ] ] j j j j j j j <Enter>", "3 ] ] + <Tab> <End> <PageDown>"] {
            let mut rig = Start::default().with(hostile).sized(width, height).rig();
            rig.keys(keys).says_not("\u{202e}");
            let tape = rig.tape.borrow();
            let text = String::from_utf8_lossy(&tape.bytes);
            assert!(!text.contains("\u{1b}[31mred") && !text.contains('\u{9b}'), "{width}x{height} {keys}");
        }
    }
}

#[test]
fn an_idle_pane_sends_nothing() {
    let mut rig = rig();
    rig.sent();
    rig.pass(std::time::Duration::from_secs(60));
    assert_eq!(rig.sent(), (0, 0));
}

#[test]
fn a_field_is_ignored_listed_last_and_offered_again() {
    let mut rig = rig();
    rig.keys("f o").says("open");
    rig.keys("x");
    let ignored = |rig: &Rig| rig.world.borrow().settings.settings.liongard.ignored_fields.clone();
    assert_eq!(ignored(&rig).len(), 1);
    let name = ignored(&rig)[0].clone();
    rig.keys("f x").says(&name).says("x offers it again").keys("x");
    assert!(ignored(&rig).is_empty());
    rig.keys("u");
    assert_eq!(ignored(&rig), [name]);
    rig.keys("f f g x").says("it feeds a field");
}

fn pushing(world: &mut super::engine::World) {
    prepared(world);
    let row = |id: i64, name: &str, domain: &str| PushRow {
        customer: id.into(),
        name: name.into(),
        domain: domain.into(),
        wish: None,
    };
    world.push = vec![
        row(12, "Alder & Söhne Ltd", "alder.example"),
        row(13, "Birch Veterinary Practice Partnership of North Yorkshire", ""),
        row(14, "東京 Trading", "tokyo.example"),
    ];
}

#[test]
fn l17b_the_flag_is_asked_for_from_the_pane_of_customers_and_planned_from_there() {
    let start = || Start::default().with(pushing);
    super::screens::in_all_sizes("push-flags", start, "2 ] ] + <Enter> <Down> <Enter> <Enter>");
    let mut rig = start().rig();
    rig.keys("2 ] ] +").says("Halo's customers to push").says("nothing is written here").keys("<Enter>");
    rig.says("+ on").says("sets the flag of 'Alder");
    assert_eq!(rig.world.borrow().push[0].wish, Some(true));
    rig.keys("<Enter>").says("- off").keys("<Enter>");
    assert_eq!(rig.world.borrow().push[0].wish, None);
    rig.keys("b i r c h").says("Birch").keys("<Enter> <Tab>");
    let told = rig.told();
    let planned = told.iter().any(|command| {
        matches!(command, Command::BuildPlan { entities, scheduled: false, .. } if *entities == [parhelion::model::Entity::Push])
    });
    assert!(planned, "{told:?}");
    let mut rig = start().rig();
    rig.keys("2 +").says("Only Liongard takes customers of Halo");
}
