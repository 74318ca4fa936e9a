//! The customer mappings, the picker and the fields (ux.md 3.3-3.5), as frames and as keys.

use parhelion::host::words::{Aspect, Command, Event, MapRow, Suggested};
use parhelion::model::{Decision, Integration};

use super::rig::{Rig, Start};
use super::screens::in_all_sizes;

#[test]
fn customers() {
    in_all_sizes("customers", Start::default, "2");
}

#[test]
fn picker() {
    in_all_sizes("picker", Start::default, "2 j j j j j j m j u r");
}

#[test]
fn fields() {
    in_all_sizes("fields", Start::default, "3 j j");
}

#[test]
fn customers_zoomed() {
    Start::default().sized(120, 36).rig().keys("2 z").shows("customers-zoomed@120x36");
}

#[test]
fn an_empty_table_says_why_and_what_to_do() {
    let unread = || Start::default().with(|world| world.market.read_at = None);
    unread().rig().keys("2").says("Read 16 ALSO customers and 1,208 Halo customers.");
    let mut rig = Start::default().rig();
    rig.keys("2 / z z z").says("Nothing matches. Esc shows all.").shows("customers-filter@80x24");
    rig.keys("<Esc>").says("Blue Yonder Foods");
    Start::default().rig().keys("2 ]").says("Westcoast Cloud is not set up. Go to Integrations (1) first.");
}

/// What was decided, as `(customer, verb)`, oldest first.
fn decided(rig: &Rig) -> Vec<(String, &'static str)> {
    rig.told()
        .into_iter()
        .filter_map(|command| match command {
            Command::Decide { decisions, .. } => Some(decisions),
            _ => None,
        })
        .flatten()
        .map(|(id, decision)| {
            let verb = match decision {
                Decision::Map { .. } => "map",
                Decision::New => "new",
                Decision::Exclude { .. } => "exclude",
                Decision::Reject { .. } => "reject",
                Decision::Site { site: Some(_) } => "site",
                Decision::Site { site: None } => "main site",
                Decision::Clear => "clear",
            };
            (id.to_string(), verb)
        })
        .collect()
}

/// Ux.md 5: one key, and one to take it back.
#[test]
fn all_exact_names_are_accepted_by_one_key_and_taken_back_by_one() {
    let mut rig = Start::default().rig();
    rig.keys("2 a").says("3 mapped, 1 ambiguous, 0 changed. u takes all back at once.").says("= 8");
    rig.keys("u").says("= 5 ~ 3 ! 1 ? 3");
}

/// Ux.md 5: accept and go on is one key a row, and typed ahead it meets row after row.
#[test]
fn accepting_goes_on_to_the_next() {
    let mut rig = Start::default().rig();
    rig.keys("2 j j");
    rig.burst("<Enter> <Enter> <Enter>");
    let ids: Vec<_> = decided(&rig).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["88213", "88214", "88215"]);
    rig.says("─ Glenmore Housing");
}

#[test]
fn new_excluded_and_repeated_are_one_key_each() {
    let mut rig = Start::default().rig();
    rig.keys("2 j j n x . d");
    let expected = [("88213", "new"), ("88214", "exclude"), ("88215", "exclude"), ("88216", "clear")];
    // The last is undecided already: said, not sent.
    assert_eq!(
        decided(&rig),
        expected[..3].iter().map(|(id, verb)| ((*id).to_owned(), *verb)).collect::<Vec<_>>()
    );
    rig.says("It is undecided already.");
}

/// One row with three candidates on top of the table.
fn near() -> Start {
    Start::default().with(|world| world.market.rows.insert(0, super::data::spelt_otherwise()))
}

fn targets(rig: &Rig) -> Vec<(String, String)> {
    let decisions = rig.told().into_iter().filter_map(|command| match command {
        Command::Decide { decisions, .. } => Some(decisions),
        _ => None,
    });
    decisions
        .flatten()
        .filter_map(|(id, decision)| match decision {
            Decision::Map { target, .. } | Decision::Reject { target, .. } => {
                Some((id.to_string(), target.to_string()))
            }
            _ => None,
        })
        .collect()
}

/// Ux.md 5: accept a suggestion and go on, 1 key; take the second, 2 keys.
#[test]
fn a_suggestion_is_taken_by_one_key_and_the_second_by_two() {
    let mut rig = near().rig();
    rig.keys("2").says("Harbour View Hotels").says("1/3").says("spelling").says("View Hotel");
    rig.shows("customers-suggested@80x24");
    rig.keys("<Enter>");
    assert_eq!(targets(&rig), [("88240".to_owned(), "601".to_owned())]);
    let mut rig = near().rig();
    rig.keys("2 <Right>").says("2/3").keys("<Enter>");
    assert_eq!(targets(&rig), [("88240".to_owned(), "602".to_owned())]);
    let mut rig = near().rig();
    rig.keys("2 <Right> <Right> <Right>").says("That is the last of 3").says("3/3");
    rig.keys("<Left> <Left> <Left>").says("That is the best one.").says("1/3");
}

/// Ux.md 5: never this pair is 1 key, and the next candidate steps up.
#[test]
fn a_pair_is_ruled_out_by_one_key() {
    let mut rig = near().rig();
    rig.keys("2 r").says("Harbour Hotels").says("1/2").says("anna said 'not Harbour View Hotels'");
    assert_eq!(decided(&rig), [("88240".to_owned(), "reject")]);
    rig.keys("u").says("1/3");
    rig.keys("j j j j j j j r").says("No partner is suggested for it.");
}

/// Ux.md 5: every suggestion from 95 up is 8 keys, and one step to take back.
#[test]
fn all_suggestions_from_a_score_up_are_taken_by_eight_keys() {
    let mut rig = near().rig();
    rig.keys("2").sent();
    let keys = "/ > 9 5 <Enter> * <Enter> y";
    assert_eq!(keys.split(' ').count(), 8);
    rig.keys(keys);
    let taken: Vec<_> = decided(&rig).into_iter().map(|(id, _)| id).collect();
    assert_eq!(taken, ["88213", "88214", "88215"], "neither 93, nor two of equal strength");
    let steps = rig.told().iter().filter(|command| matches!(command, Command::Decide { .. })).count();
    assert_eq!(steps, 1);
}

/// Ux.md 5: why is 1 key; every rung that was tried says what it found.
#[test]
fn why_names_every_rung() {
    let mut rig = near().rig();
    rig.keys("2 w").says("stored mapping: none").says("exact name: no active Halo customer has it");
    rig.says("keys: same domain harbour.example ('Harbour Hotels')")
        .says("'Harbour View Hotels' 93: spelling");
    rig.shows("customers-why@80x24");
}

/// A score below what the settings ask for, or a partner that is taken, is never one key away.
#[test]
fn what_is_taken_or_too_far_opens_the_picker() {
    for spoil in [
        |row: &mut parhelion::host::words::MapRow| row.accept_from = 99,
        |row: &mut parhelion::host::words::MapRow| {
            row.candidates.iter_mut().for_each(|one| one.is_free = false);
            row.aspect = None;
        },
    ] {
        let mut rig = near().with(|world| spoil(&mut world.market.rows[0])).rig();
        rig.keys("2 <Enter>").says("find >");
        assert!(decided(&rig).is_empty());
    }
}

/// N4: a renamed pair is confirmed, a partner that is inactive is replaced, one key each.
#[test]
fn mapping_health_is_one_key_a_row() {
    let mut rig = Start::default().rig();
    rig.keys("2 f r <Enter>");
    assert_eq!(decided(&rig), [("88219".to_owned(), "map")]);
    let inactive = |world: &mut super::engine::World| {
        let row = world.market.rows.iter_mut().find(|row| row.source.id.as_str() == "88221").expect("a row");
        row.aspect = Some(parhelion::host::words::Aspect::Inactive);
    };
    let mut rig = Start::default().with(inactive).rig();
    rig.keys("2 f i").says("showing inactive (1)").keys("<Enter>").says("find >");
}

/// N12: one key on any row, and Enter on one that is mapped.
#[test]
fn the_card_shows_every_system_and_the_gaps() {
    let mut rig = Start::default().rig();
    rig.keys("2 f m <Enter>").says("14 subscriptions linked").says("Westcoast Cloud (gap)");
    rig.shows("customers-card@80x24");
    rig.keys("<Esc> f u i").says("Fabrikam").says("(gap)");
}

/// Ux.md 5: none fits, pick by hand: `m`, a few letters, Enter.
#[test]
fn picking_by_hand_maps_and_goes_to_the_next_undecided_row() {
    let mut rig = Start::default().rig();
    rig.keys("2 j j j j j j").says("─ Jura Shipping");
    rig.keys("m f e r r <Enter>");
    let told = rig.told();
    let Some(Command::Decide { decisions, .. }) = told.last() else { panic!("{told:?}") };
    assert!(
        matches!(&decisions[0].1, Decision::Map { target, .. } if target.as_str() == "501"),
        "{decisions:?}"
    );
    rig.says("─ 東京電力株式会社");
}

/// The picker opens with the source's name; where nothing has all its words, with fewer of them.
#[test]
fn the_pickers_query_is_shortened_until_something_fits() {
    let mut rig = Start::default().rig();
    rig.keys("2 j j j j j j m")
        .says("find > Jura ")
        .says("Jura Ferries (old)")
        .says("inactive")
        .says("3 of 1,208");
    rig.keys("<Esc>").says("─ Jura Shipping");
    assert!(decided(&rig).is_empty());
}

#[test]
fn enter_on_an_ambiguous_name_opens_the_picker_with_exactly_those() {
    let mut rig = Start::default().rig();
    // Another of a name that fits as well is no rival, until somebody types.
    rig.world.borrow_mut().market.halo[0].party.name = "Fabrikam Catering".into();
    rig.keys("2 <Enter>").says("2 of 1,208 in Halo").says("fabrikam.co.uk").says_not("Catering");
    rig.keys("f a b").says("3 of 1,208 in Halo").says("Catering").keys("<Esc> <Enter>");
    rig.says("2 of 1,208 in Halo").keys("<Down> <Enter>");
    assert_eq!(targets(&rig), [("88210".to_owned(), "72".to_owned())]);
}

/// A note and a day, typed in the last line.
#[test]
fn an_exclusion_takes_a_note_and_a_day() {
    let mut rig = Start::default().rig();
    rig.keys("2 G x").says("note > our own").keys("<Esc> <Enter>").says("note > our own");
    rig.keys("! <Enter>").says("until (2027-03-31, or nothing) > 2027-03-31");
    rig.keys("<Backspace> x <Enter>").says("is not a date such as 2027-03-31.");
    rig.keys("<Backspace> 0 <Enter>");
    let told = rig.told();
    let Some(Command::Decide { decisions, .. }) = told.last() else { panic!("{told:?}") };
    let day = jiff::civil::date(2027, 3, 30);
    assert!(
        matches!(&decisions[0].1, Decision::Exclude { note, until } if &**note == "our own!" && *until == Some(day)),
        "{decisions:?}"
    );
}

/// Ux.md 7: many at once show their number and ask; Enter does nothing there.
#[test]
fn marked_rows_are_decided_after_a_question() {
    let mut rig = Start::default().rig();
    rig.keys("2 j j <Space> <Space> x").says("2 marked: exclude?").shows("bulk@80x24");
    rig.keys("<Enter>");
    assert!(decided(&rig).is_empty());
    rig.keys("y").says_not("*?");
    assert_eq!(decided(&rig).len(), 2);
    rig.keys("* <Enter>").says("map to their suggestions");
    rig.keys("y");
    assert_eq!(decided(&rig).len(), 3, "the one namesake that is left");
}

#[test]
fn marks_go_from_here_to_there() {
    let mut rig = Start::default().rig();
    rig.keys("2 j v j j j v n").says("4 marked: create as new?");
    rig.keys("<Esc> <Esc>").says_not("*?");
}

/// Ux.md 5: show only unmapped is two keys; the order stays when a row changes its state.
#[test]
fn the_filter_stays_and_rows_stay_where_they_are() {
    let mut rig = Start::default().rig();
    rig.keys("2 f u").says("showing ~ ! ? (7)").says_not("Woodgrove");
    rig.keys("j <Enter>");
    assert_eq!(decided(&rig), [("88213".to_owned(), "map")]);
    rig.says("=  Blue Yonder Foods").says("showing ~ ! ? (7)");
    rig.keys("f f").says("Woodgrove");
}

#[test]
fn an_export_reads_back_as_an_import() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.csv");
    let mut rig = Start::default().rig();
    rig.keys("2 e").says("export to > mappings-also.csv");
    rig.paste(path.to_str().expect("text")).keys("<Enter>").says("Exported to");
    let text = std::fs::read_to_string(&path).expect("a file");
    assert_eq!(text.lines().count(), 17, "{text}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("88220,Adler Dental Group,88221,Adler Dental Group Ltd,mapped"))
    );
    rig.keys(": i m p o r t <Space>").paste(path.to_str().expect("text")).keys("<Enter>");
    rig.says("Import mappings: 2 new, 1 changed, 13 the same").shows("import@80x24");
    rig.keys("y").says("2 added, 1 changed.");
    assert!(
        rig.told().iter().any(|command| matches!(command, Command::ImportMappings { dry_run: false, .. }))
    );
}

/// The same with a spreadsheet, by the name of the file.
#[test]
fn a_spreadsheet_goes_out_and_comes_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.xlsx");
    let mut rig = Start::default().rig();
    rig.keys("2 e").paste(path.to_str().expect("text")).keys("<Enter>").says("Exported to");
    assert!(std::fs::read(&path).expect("a file").starts_with(b"PK"));
    rig.keys(": i m p o r t <Space>").paste(path.to_str().expect("text")).keys("<Enter>");
    rig.says("Import mappings: 2 new, 1 changed, 13 the same").keys("y").says("2 added, 1 changed.");
    std::fs::write(&path, "source_id\n1\n").expect("written");
    rig.keys(": i m p o r t <Space>").paste(path.to_str().expect("text")).keys("<Enter>");
    rig.says("the spreadsheet cannot be read");
    rig.keys(": i m p o r t <Space> x . p d f <Enter>").says("read from a .csv or .xlsx file");
}

/// P18: by Halo customer, its name stands once, with how many feed it; also where its first row is scrolled away.
#[test]
fn rows_of_one_halo_customer_stand_under_it() {
    let start = || {
        Start::default().with(|world| {
            let row = world.market.rows.iter().find(|row| row.source.name == "Adler Dental Group").cloned();
            let row = row.expect("a mapped row");
            world.market.rows.extend((0..20).map(|n| {
                let mut more = row.clone();
                more.source = super::data::party(70_000 + n, &format!("Adler Branch {n:02}"), "", "");
                more
            }));
        })
    };
    let mut rig = start().rig();
    rig.keys("2 o h g").says("(21) Adler Dental G");
    rig.keys("<PageDown>").says("(21) Adler Dental G");
    start().plain().rig().keys("2 o h").says_not("(21)");
}

/// N4: one key says that a mapping through which nothing comes is right all the same.
#[test]
fn a_mapping_that_was_never_used_is_found_and_confirmed() {
    let unused = |world: &mut super::engine::World| {
        let row = world.market.rows.iter_mut().find(|row| row.source.name == "Eastgate Motors");
        let row = row.expect("a mapped row");
        row.aspect = Some(parhelion::host::words::Aspect::Unused);
        row.remarks = vec!["nothing has ever come through this mapping".into()];
    };
    let mut rig = Start::default().sized(120, 36).with(unused).rig();
    rig.keys("2 z f").says("e unused 1").keys("e").says("never used").says("showing unused (1)");
    rig.shows("customers-unused@120x36").keys("<Enter>");
    assert_eq!(decided(&rig), [("88221".to_owned(), "map")]);
}

/// A customer that vanishes while its row is on the screen keeps its line, and says so.
#[test]
fn who_vanishes_keeps_its_line_until_the_next_order() {
    let mut rig = Start::default().rig();
    rig.keys("2 j j").says("─ Blue Yonder Foods");
    rig.world.borrow_mut().market.rows.retain(|row| row.source.name != "Blue Yonder Foods");
    rig.news(Event::Map(Integration::Also)).says("─ Blue Yonder Foods").says("no longer listed by ALSO");
    rig.keys("o s").says_not("Blue Yonder Foods");
}

/// U15, U34: reading shows where it is, and can be left.
#[test]
fn reading_shows_how_far_it_is() {
    let mut rig = Start::default().rig();
    rig.keys("2");
    let what = "Halo customers".to_owned();
    rig.news(Event::Reading { integration: Integration::Also, what, done: 400, of: Some(1_208) });
    rig.says("reading Halo customers 400 of 1,208").keys("j j").says("─ Blue Yonder Foods");
}

/// P17: thousands of rows stay quick: only those near the screen are asked for.
#[test]
fn ten_thousand_rows_are_asked_for_a_screen_at_a_time() {
    let mut rig = Start::default()
        .with(|world| {
            world.market.rows =
                (0..10_000).map(|n| super::data::unmapped(n, &format!("Customer {n:05}"))).collect();
        })
        .rig();
    rig.keys("2").says("10,000: ? 10,000");
    rig.keys("G").says("Customer 09999");
    rig.keys("g <PageDown> <PageDown>").says("Customer 00022");
    assert!(rig.world.borrow().market.most_asked <= 100, "{}", rig.world.borrow().market.most_asked);
    rig.keys("* x").says("10,000 marked: exclude?");
}

/// U52: what a vendor sends is shown, never obeyed.
#[test]
fn hostile_names_do_nothing() {
    let nasty =
        "\u{1b}[45m\u{1b}]0;owned\u{7}\u{202e}evil\u{200b} \u{9b}31m 👩‍👧‍👦 ".to_owned() + &"é".repeat(5_000);
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 10)] {
        let mut rig = Start::default()
            .sized(width, height)
            .with(|world| {
                for row in &mut world.market.rows {
                    row.source.name.clone_from(&nasty);
                    row.same_name.iter_mut().for_each(|party| party.name.clone_from(&nasty));
                    row.remarks = vec![nasty.clone()];
                }
                for change in &mut world.market.changes {
                    change.source.name = nasty.as_str().into();
                    change.reasons = vec![Box::from(nasty.as_str())].into();
                }
                for line in &mut world.market.log {
                    line.text.clone_from(&nasty);
                }
                world.market.jobs[0].by.clone_from(&nasty);
            })
            .rig();
        rig.keys("2 w m <Esc> p w <Esc> a <Esc> 4 <Enter> k <Enter>");
        let tape = rig.tape.borrow();
        let sent = String::from_utf8_lossy(&tape.bytes);
        for theirs in ["\u{1b}[45m", "\u{1b}]0;", "\u{202e}", "\u{200b}", "\u{9b}"] {
            assert!(!sent.contains(theirs), "{width}x{height}: {theirs:?}");
        }
    }
}

/// The picture is the same without colour, and the selected row still shows.
#[test]
fn without_colour_everything_is_still_told() {
    let mut start = Start::default();
    start.environment.depth = parhelion::ui::theme::Depth::None;
    let mut rig = start.rig();
    rig.keys("2 j").says("reversed rows: 4");
    let tape = rig.tape.borrow();
    assert!(!String::from_utf8_lossy(&tape.bytes).contains("38;5"));
}

/// Rows fixed by the vendor say so; the others lead to their setting.
#[test]
fn a_field_leads_to_its_setting() {
    let mut rig = Start::default().rig();
    rig.keys("3 j j <Enter>").says("3 Fields > ALSO").says("also.update_main_site_address");
    let mut rig = Start::default().rig();
    rig.keys("3 j j j <Enter>").says("this row is fixed by the vendor's rules.");
}

/// From the integrations, whatever is open over the table.
#[test]
fn planning_from_the_integrations_is_one_key() {
    let mut rig = Start::default().rig();
    rig.keys("2 p 1 g j p").says("Plan P8");
    rig.keys("1 l").says("[2 Customers]").says("── Fabrikam (ALSO 88210)");
}

/// Ux.md 3.3, 3.4: how much waits for a mapping stands in the details, and what comes with it in the picker.
#[test]
fn what_hangs_on_a_customer_is_said() {
    let mut rig = near().rig();
    let waits = "14 subscriptions wait for this mapping: 214 seats, 1,240.00 EUR a month";
    rig.keys("2").says(waits).keys("m").says(" carries  14 subscriptions, 214 seats, 1,240.00 EUR a month");
    rig.keys("<Esc> j").says_not("wait for this mapping");
}

/// P18: of a mapped customer a site, by one key each; the same key goes back to the main site.
#[test]
fn a_site_is_chosen_for_a_mapped_customer_only() {
    let mut rig = Start::default().rig();
    rig.keys("2 : choose <Enter>").says("It is not mapped, so there is no site to choose.");
    rig.keys("<Esc> <Esc> f m : choose <Enter>").shows("customers-site@80x24");
    rig.keys("2").says("site Leeds");
    rig.keys(": choose <Enter> 0").says_not("site Leeds");
    assert_eq!(decided(&rig).iter().map(|(_, verb)| *verb).collect::<Vec<_>>(), ["site", "main site"]);
}

/// Ux.md 5: two hundred customers of the usual kind are 113 keys.
#[test]
fn two_hundred_customers_are_mapped_by_113_keys() {
    use super::data::{halo, twin, unmapped};
    let of = |count: u64, make: &dyn Fn(u64) -> MapRow| (0..count).map(make).collect::<Vec<_>>();
    let near = |id: u64, partners: &[u64]| MapRow {
        aspect: Some(Aspect::Suggested),
        candidates: partners
            .iter()
            .map(|partner| Suggested {
                party: halo(*partner as i64, "Partner", ""),
                score: 90,
                why: vec!["spelling".into()],
                is_free: true,
            })
            .collect(),
        ..unmapped(id, &format!("Customer {id}"))
    };
    let rows = [
        of(45, &|n| near(1000 + n, &[n + 1])),
        of(10, &|n| near(2000 + n, &[n + 101, n + 201])),
        of(6, &|n| unmapped(3000 + n, "By hand")),
        of(5, &|n| unmapped(4000 + n, "New")),
        of(4, &|n| unmapped(5000 + n, "Not ours")),
        of(130, &|n| twin(6000 + n, &format!("Twin {n}"))),
    ]
    .concat();
    assert_eq!(rows.len(), 200);
    let mut rig = Start::default().with(|world| world.market.rows = rows).rig();
    rig.keys("2");
    let keys = [
        "a ".to_owned(),
        "<Enter> ".repeat(45),
        "<Right> <Enter> ".repeat(10),
        "m jura <Enter> ".repeat(6),
        "n ".repeat(5),
        "x ".repeat(4),
        "f u".to_owned(),
    ]
    .concat();
    assert_eq!(parhelion::ui::frames::parse_keys(&keys).expect("keys").len(), 113);
    rig.keys(&keys).says("Nothing matches.");
    let decisions = decided(&rig);
    let count = |verb| decisions.iter().filter(|(_, said)| *said == verb).count();
    assert_eq!((count("map"), count("new"), count("exclude")), (61, 5, 4));
    assert!(rig.told().iter().any(|command| matches!(command, Command::Generate { .. })));
    let second = targets(&rig).into_iter().filter(|(id, _)| id.starts_with('2')).map(|(_, target)| target);
    assert_eq!(second.collect::<Vec<_>>(), (201..211).map(|n| n.to_string()).collect::<Vec<_>>());
}
