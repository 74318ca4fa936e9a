//! What README.md says of keys, commands and settings is what the program says. `cargo run --example readme` makes it so.

use parhelion::ui::keymap;
use parhelion::{cli, settings};

const README: &str = include_str!("../../README.md");

#[test]
fn the_tables_are_current() {
    for (name, table) in
        [("keys", keymap::markdown()), ("commands", cli::markdown()), ("settings", settings::markdown())]
    {
        let part = format!("<!-- {name} -->\n{table}<!-- /{name} -->");
        assert!(README.contains(&part), "the {name} of README.md are old: cargo run --example readme");
    }
}

#[test]
fn its_pictures_and_links_lead_to_files() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for link in README.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
        if !link.starts_with("http") && !link.starts_with('#') {
            assert!(root.join(link).is_file(), "README.md names {link}, which is not there");
            seen += 1;
        }
    }
    assert!(seen > 3, "README.md has lost its pictures");
}
