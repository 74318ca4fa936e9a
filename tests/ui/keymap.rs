//! The table of actions and the keys (ux.md 4, 13.1).

use parhelion::ui::action::{Scope, TABLE};
use parhelion::ui::key::Key;
use parhelion::ui::keymap::{Keymap, markdown};

#[test]
fn the_default_keys_have_no_complaint() {
    let (map, complaints) = Keymap::with(include_str!("../../src/ui/keymap.toml"), "keymap.toml");
    assert_eq!(complaints, Vec::<String>::new());
    assert_eq!(map, Keymap::default());
}

#[test]
fn no_key_of_a_screen_means_two_things() {
    let map = Keymap::default();
    for screen in Scope::ALL {
        let mut seen: Vec<(Key, &str)> = Vec::new();
        for entry in TABLE.iter().filter(|entry| entry.scopes.iter().any(|scope| scope.reaches(screen))) {
            for key in map.keys(entry.action) {
                let other = seen.iter().find(|(known, _)| known == key);
                assert!(other.is_none(), "{key} on {screen:?}: {} and {other:?}", entry.name);
                seen.push((*key, entry.name));
            }
        }
    }
}

#[test]
fn no_default_needs_a_key_that_terminals_swallow() {
    let map = Keymap::default();
    for entry in TABLE {
        for key in map.keys(entry.action) {
            assert_eq!(key.forbidden(), None, "{} {key}", entry.name);
            assert!(key.is_safe_everywhere(), "{} {key}", entry.name);
        }
    }
}

#[test]
fn every_action_has_a_name_a_title_and_a_hint_of_its_own() {
    for entry in TABLE {
        assert!(!entry.title.is_empty() && !entry.hint.is_empty(), "{}", entry.name);
        assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", entry.name);
        assert_eq!(TABLE.iter().filter(|other| other.name == entry.name).count(), 1, "{}", entry.name);
        assert!(entry.help.is_empty() || entry.help.ends_with('.'), "{}: {}", entry.name, entry.help);
    }
}

#[test]
fn a_persons_own_keys_are_taken_and_mistakes_are_named_with_their_line() {
    let file =
        "# mine\nwhy = [\"w\", \"F1\"]\nhelp = \"t\"\nfrobnicate = \"x\"\nrefresh = \"Ctrl-S\"\norder = 7\n";
    let (map, complaints) = Keymap::with(file, "keys.toml");
    let why = TABLE.iter().find(|entry| entry.name == "why").expect("an action").action;
    assert_eq!(map.keys(why), [Key::Char('w'), Key::Function(1)]);
    assert_eq!(complaints.len(), 4, "{complaints:#?}");
    for part in [
        "keys.toml:3: t is the key of 'test' already. The default stays.",
        "keys.toml:4: 'frobnicate' is not an action",
        "keys.toml:5: Ctrl-S cannot be used: it is flow control",
        "keys.toml:6: keys are written as text",
    ] {
        assert!(complaints.iter().any(|complaint| complaint.starts_with(part)), "{part}: {complaints:#?}");
    }
    let (map, complaints) = Keymap::with("why = [", "keys.toml");
    assert_eq!((map, complaints.len()), (Keymap::default(), 1));
}

#[test]
fn the_readme_table_is_made_from_the_keymap() {
    let text = markdown();
    assert!(text.contains("**Everywhere**") && text.contains("| `?` | Help for this screen |"), "{text}");
    assert!(text.contains("| `:` `Ctrl-P` |"), "{text}");
}
