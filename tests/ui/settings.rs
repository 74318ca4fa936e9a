//! The forms: what is typed is judged, tested, saved, taken back (ux.md 3.9).

use parhelion::host::words::{Command, PlaceView, SettingChange};
use parhelion::model::{Class, Place, Problem};

use super::rig::{Rig, Start, rig};

fn also() -> Rig {
    let mut rig = rig();
    rig.keys("j <Enter>");
    rig
}

fn set(key: &str, value: &str) -> SettingChange {
    SettingChange { key: key.into(), value: Some(value.into()) }
}

/// The command whose `changes` and so on a test looks at.
fn last(rig: &Rig) -> Command {
    rig.told().last().cloned().expect("a command")
}

#[test]
fn a_value_is_typed_cleaned_and_saved() {
    let mut rig = also();
    rig.keys("j <Enter> <Ctrl-U>").paste(" https://cloud.also.com/ ").keys("<Enter>");
    rig.says("removed").says_not("not saved)");
    rig.keys("<Enter> <Ctrl-U>").paste("shop.also.example").keys("<Enter>").says("1 change not saved");
    rig.shows("settings-cleaned@80x24").keys("s");
    let Command::Set { changes } = last(&rig) else { panic!("{:?}", rig.told()) };
    assert_eq!(changes, [set("also.marketplace_url", "\"https://shop.also.example\"")]);
    rig.says("Saved 1 change.");
}

#[test]
fn a_wrong_value_is_refused_with_its_reason_and_nothing_typed_is_lost() {
    let mut rig = also();
    rig.keys("] ] ] j j <Enter> <Ctrl-U> 2 5 : 9 9 <Enter>").says("must be a time of day").says("25:99");
    rig.keys("<Esc> s").says("nothing has been changed");
    assert!(rig.told().is_empty());
}

/// U23: a secret is typed unseen, and reaches the engine only.
#[test]
fn a_secret_is_never_on_the_screen() {
    let mut rig = also();
    rig.keys("j j j <Enter> h u n t e r 2").says("*******").says_not("hunter2");
    rig.keys("<Enter>").says_not("hunter2").says("1 change not saved").keys("t");
    let Command::Test { place, draft, secrets } = last(&rig) else { panic!("{:?}", rig.told()) };
    assert_eq!((place.key(), draft.len()), ("also", 0));
    assert_eq!((secrets[0].0.as_str(), secrets[0].1.expose()), ("also.password", "hunter2"));
    rig.keys("s");
    assert!(
        matches!(last(&rig), Command::SealSecret { key, secret } if key == "also.password" && secret.expose() == "hunter2")
    );
    rig.says("Saved; the secret is sealed.").says_not("not saved");
    assert!(!String::from_utf8_lossy(&rig.tape.borrow().bytes).contains("hunter2"));
}

#[test]
fn a_secret_can_be_a_reference() {
    let mut rig = also();
    rig.keys("j j j <Enter>").paste("{ env = \"ALSO_PASSWORD\" }").keys("<Enter>").says("ALSO_PASSWORD");
    rig.keys("s");
    let Command::Set { changes } = last(&rig) else { panic!("{:?}", rig.told()) };
    assert_eq!(changes, [set("also.password", "{ env = \"ALSO_PASSWORD\" }")]);
}

/// C10, U24: the values as they stand, each check on its line.
#[test]
fn the_test_uses_what_is_not_saved() {
    let mut rig = also();
    rig.keys("j j <Enter> <Ctrl-U> a n n a <Enter> t");
    let Command::Test { draft, .. } = last(&rig) else { panic!("{:?}", rig.told()) };
    assert_eq!(draft, [set("also.username", "\"anna\"")]);
    rig.says("'Reseller Admin'").says("1 check failed").keys("k").shows("settings-tested@80x24");
}

#[test]
fn undo_takes_back_change_by_change() {
    let mut rig = also();
    rig.keys("<Enter>")
        .says("1 change not saved")
        .keys("j <Enter> <Ctrl-U> x . e x <Enter>")
        .says("2 changes");
    rig.keys("u")
        .says("1 change not saved")
        .keys("u")
        .says_not("not saved")
        .keys("u")
        .says("nothing has been changed");
    assert!(rig.told().is_empty());
}

/// U25.
#[test]
fn leaving_with_unsaved_changes_asks() {
    let mut rig = also();
    rig.keys("<Enter> <Esc>").says("Leave without saving?").keys("<Enter> <Esc>").says("1 change not saved");
    rig.keys("q y").says("3 in all").keys("<Enter>").says_not("not saved");
}

#[test]
fn a_refused_save_keeps_what_was_typed() {
    let mut rig = also();
    rig.keys("<Enter>");
    rig.world.borrow_mut().trouble = Some(Problem::new(Class::Local, "The disk is full."));
    rig.keys("s").says("Nothing was saved. The disk is full.").says("1 change not saved");
}

/// U42: a draft survives, a secret does not.
#[test]
fn a_draft_comes_back_after_a_restart_without_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let mut start = Start::default();
        start.options.data_dir = Some(folder.path().to_owned());
        start.rig()
    };
    let mut rig = start();
    rig.keys("j <Enter> j j <Enter> <Ctrl-U> a n n a <Enter> j <Enter> h u n t e r 2 <Enter>")
        .says("2 changes");
    rig.signal(parhelion::ui::Signal::HangUp);
    let kept = std::fs::read_to_string(folder.path().join("view.json")).expect("the view");
    assert!(!kept.contains("hunter2"), "{kept}");
    start().says("anna  (not saved)").says("1 change not saved").keys("q y").says("── ALSO");
}

#[test]
fn several_lines_are_kept_with_tab() {
    let mut rig = also();
    rig.keys("G <Enter> o n e <Enter> t w o")
        .says("Tab keep and leave")
        .keys("<Tab>")
        .says("one (and 1 more");
    rig.keys("s");
    let Command::Set { changes } = last(&rig) else { panic!("{:?}", rig.told()) };
    let value: toml::Value = toml::from_str(&format!("x = {}", changes[0].value.as_deref().expect("set")))
        .map(|t: toml::Table| t["x"].clone())
        .expect("TOML");
    assert_eq!(value.as_str(), Some("one\ntwo"));
}

/// Decision 27: every setting is a field of a form, and the other way round.
#[test]
fn every_setting_is_a_field_of_a_form() {
    let mut seen = String::new();
    for (row, place) in Place::all().enumerate() {
        let mut start = Start::default().sized(140, 60);
        let places = &mut start.world.overview.places;
        let last = places.last().cloned().expect("a place");
        let shown: Vec<Place> = places.iter().map(|view| view.place).collect();
        let others = Place::all().filter(|place| !shown.contains(place));
        places.extend(others.map(|place| PlaceView { place, ..last.clone() }));
        let mut rig = start.rig();
        rig.keys(&"j ".repeat(row)).keys("<Enter>").says(place.label());
        for _ in 0..8 {
            for _ in 0..24 {
                seen.push_str(&rig.screen());
                rig.keys("j");
            }
            rig.keys("]");
        }
    }
    for setting in parhelion::settings::all() {
        assert!(seen.contains(&setting.key), "{} is on no form", setting.key);
    }
}

#[test]
fn the_programs_own_settings_are_in_force_at_once_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut start = Start::default();
    start.options.config_dir = folder.path().to_owned();
    let mut rig = start.rig();
    let before = rig.styles();
    rig.keys(", <Enter>");
    assert!(
        std::fs::read_to_string(folder.path().join("screen.toml"))
            .expect("kept")
            .contains("theme = \"dark\"")
    );
    rig.keys("<Esc>");
    assert_ne!(rig.styles(), before);
    rig.keys(", j <Enter> <Enter>").says("ascii").says("-- Signs");
    rig.keys("j j <Enter> <Ctrl-U> 9 9 <Enter>").says("must be a whole number from 0 to 30");
}

/// P40: the test on a field of the notices sends one, with what is saved.
#[test]
fn on_a_field_of_the_notices_the_test_sends_one() {
    let mut rig = rig();
    // Halo's form holds the profile's own settings, too.
    rig.keys("<Enter> ] ] ]").says("[Profile]");
    for _ in 0..40 {
        // The help of the field under the cursor.
        if rig.screen().contains("failure, partial (rows") {
            break;
        }
        rig.keys("j");
    }
    rig.keys("t");
    assert!(matches!(last(&rig), Command::TestNotice), "{:?}\n{}", rig.told(), rig.screen());
}
