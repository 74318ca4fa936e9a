//! The floors of the house: a folder of `src/` uses only the folders below it (docs/architecture.md).

use std::path::Path;

/// Floor by floor, lowest first. `logging` and `sandbox` stand apart.
const FLOORS: [&[&str]; 7] = [
    &["model"],
    &["matching", "settings"],
    &["plan", "api", "store", "lifecycle"],
    &["integrations"],
    &["engine"],
    &["host"],
    &["cli", "ui"],
];

/// Whether code in `from` may name something of `to`.
fn may_use(from: &str, to: &str) -> bool {
    let floor = |folder: &str| FLOORS.iter().position(|floor| floor.contains(&folder));
    match (floor(from), floor(to)) {
        _ if from == to => true,
        // Every floor may say what must never be logged; it knows nothing but the plain types itself.
        (Some(from), None) if to == "logging" => from > 0,
        (None, Some(to)) if from == "logging" => to == 0,
        // The simulated vendors share no type with what talks to them; only commands start them.
        (_, None) => from == "cli" && to == "sandbox",
        (None, _) => false,
        // A command opens the screen.
        (Some(_), Some(_)) if (from, to) == ("cli", "ui") => true,
        (Some(from), Some(to)) => to < from,
    }
}

/// The folders of the crate that a source text names, as `crate::folder`, alone or in braces.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
            let parts = if rest.starts_with('{') { list.split(", ").collect() } else { vec![list] };
            found.extend(parts.into_iter().map(|part| {
                part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
            }));
        }
    }
    found
}

fn each_file(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, see);
        } else if path.extension().is_some_and(|end| end == "rs") {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn a_folder_uses_only_the_floors_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    each_file(&src, &mut |path, text| {
        let within = path.strip_prefix(&src).unwrap();
        let first = within.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let from = first.trim_end_matches(".rs");
        if matches!(from, "main" | "lib") {
            return;
        }
        for to in named(text) {
            seen += 1;
            // What `mod.rs` of the crate re-exports has no folder: macros of `cli` are named by `cli` alone.
            if !may_use(from, &to) {
                wrong.push(format!("{} uses {to}", within.display()));
            }
        }
    });
    assert!(seen > 300, "the scan found {seen} uses only: it no longer reads what it should");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_scan_sees_what_it_should_and_the_rule_bites() {
    assert_eq!(
        named("use crate::host::Handle;\nlet x = crate::model::Class::Local;"),
        ["host", "model"].map(str::to_owned)
    );
    assert_eq!(named("use crate::{api, engine::desk};"), ["api", "engine"].map(str::to_owned));
    assert_eq!(named("// use crate::cli;"), Vec::<String>::new());
    for (from, to) in [("engine", "host"), ("plan", "api"), ("model", "logging"), ("api", "sandbox")] {
        assert!(!may_use(from, to), "{from} -> {to}");
    }
    assert!(may_use("host", "engine") && may_use("cli", "ui") && !may_use("ui", "cli"));
    assert!(!may_use("sandbox", "api") && may_use("store", "logging"));
}
