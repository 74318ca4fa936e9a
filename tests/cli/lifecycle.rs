//! The planning workspace through the real binary: each step of the guide that needs Halo, by the test that proves it.

use serde_json::Value;

use super::Profile;
use super::engine::Vendors;

/// A profile whose workspace is filled from a sandbox.
fn filled() -> (Profile, Vendors) {
    let profile = Profile::new();
    let vendors = Vendors::start(&profile);
    let file = profile.file("settings.json");
    std::fs::write(&file, vendors.settings()).unwrap();
    profile.run(&["config", "import", file.to_str().unwrap()]).exits(0);
    profile.run(&["--json", "run", "lifecycle"]).exits(0);
    (profile, vendors)
}

fn rows(profile: &Profile, words: &[&str]) -> Vec<Value> {
    let words: Vec<&str> = ["--json", "lifecycle"].iter().chain(words).copied().collect();
    profile.run(&words).exits(0).json()["rows"].as_array().unwrap().clone()
}

#[test]
fn an_import_fills_the_workspace_changes_nothing_in_halo_and_the_second_finds_nothing_to_do() {
    let (profile, vendors) = filled();
    assert_eq!(vendors.writes(), 0, "the direction is from Halo into the workspace");
    let again = profile.run(&["--json", "run", "lifecycle"]).exits(0).json();
    assert_eq!((&again["totals"]["create"], &again["totals"]["update"]), (&0.into(), &0.into()), "{again}");
    assert!(again["totals"]["unchanged"].as_u64().unwrap() > 100);
    let areas = profile.run(&["--json", "lifecycle", "areas"]).exits(0).json();
    assert!(areas["notice"].as_str().unwrap().contains("nothing here is written to strategyoverview.com"));
    let companies = rows(&profile, &["companies", "list"]);
    assert!(companies.iter().all(|row| row["type"] == "Customer"), "vendors and prospects stay out");
    assert!(!rows(&profile, &["configurations", "list"]).is_empty());
    assert_eq!(rows(&profile, &["statuses", "list"]).len(), 2);
}

#[test]
fn what_changed_in_halo_follows_and_is_nobodys_to_confirm() {
    let (profile, _vendors) = filled();
    profile.run(&["map", "generate", "liongard"]).exits(0);
    profile.run(&["--json", "run", "liongard"]).exits(3);
    let job = profile.run(&["--json", "run", "lifecycle"]).exits(0).json();
    assert!(job["totals"]["update"].as_u64().unwrap() > 0, "{job}");
    assert_eq!((&job["state"], &job["totals"]["failed"]), (&"ok".into(), &0.into()), "{}", job["problems"]);
    let again = profile.run(&["--json", "plan", "lifecycle"]).exits(0).json();
    assert_eq!((&again["totals"]["create"], &again["totals"]["update"]), (&0.into(), &0.into()));
}

#[test]
fn a_report_is_a_draft_until_it_is_completed_and_then_never_changes() {
    let (profile, _vendors) = filled();
    let name = rows(&profile, &["companies", "list"])
        .into_iter()
        .max_by_key(|row| row["configurations"].as_u64())
        .unwrap()["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let report = |words: &[&str]| {
        let words: Vec<&str> = ["--json", "lifecycle", "report"].iter().chain(words).copied().collect();
        profile.run(&words).exits(0).json()
    };
    let draft = report(&[&name]);
    assert_eq!((&draft["report"], &draft["state"]), (&"R1".into(), &"draft".into()));
    assert_eq!(report(&[&name])["report"], "R1", "one open draft a company");
    profile
        .run(&["lifecycle", "classes", "set", "Laptop", "Basic", "--hardware", "900", "--rule", "always"])
        .exits(0);
    let priced = report(&[&name]);
    assert_ne!(priced["totals"]["budget"], draft["totals"]["budget"], "a draft follows the rules");
    profile.run(&["lifecycle", "complete", "R1"]).exits(0);
    profile.run(&["lifecycle", "classes", "set", "Laptop", "Basic", "--hardware", "5000"]).exits(0);
    let frozen = report(&["R1"]);
    assert_eq!(
        (&frozen["state"], &frozen["totals"]["budget"]),
        (&"completed".into(), &priced["totals"]["budget"])
    );
    assert!(
        profile.run(&["--json", "lifecycle", "complete", "R1"]).exits(1).json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("never changes")
    );
    assert_eq!(report(&[&name])["report"], "R2", "only completed ones: a new report");
    for format in ["text", "csv", "md", "xlsx", "html"] {
        let file = profile.file(format);
        let file = file.to_str().unwrap();
        profile.run(&["lifecycle", "report", "R1", "--format", format, "--out", file]).exits(0);
        assert!(std::fs::metadata(file).unwrap().len() > 200, "{format}");
    }
    profile.run(&["lifecycle", "report", "R1", "--format", "xlsx"]).exits(1);
    profile.run(&["--json", "lifecycle", "report", "Nobody Ltd"]).exits(1).error();
}

#[test]
fn changes_are_steps_that_can_be_taken_back() {
    let (profile, _vendors) = filled();
    profile.run(&["lifecycle", "grades", "set", "Old/replace: age>=12", "Fine/healthy: always"]).exits(0);
    assert_eq!(rows(&profile, &["grades", "list"]).len(), 2);
    profile.run(&["lifecycle", "undo"]).exits(0);
    assert_eq!(rows(&profile, &["grades", "list"]).len(), 8, "our default set again");
    profile.run(&["lifecycle", "redo"]).exits(0);
    assert_eq!(rows(&profile, &["grades", "list"])[0]["grade"], "Old");
    profile.run(&["lifecycle", "grades", "set", "Old/replace: age>12"]).exits(1);
    profile.run(&["lifecycle", "templates", "set", "Servers", "--types", "Server"]).exits(0);
    let refused = profile.run(&["--json", "lifecycle", "templates", "remove", "Servers"]).exits(1).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("is in use by"), "{refused}");
    profile.run(&["lifecycle", "templates", "remove", "Servers", "--replacement", "Default"]).exits(0);
    let refused = profile
        .run(&["--json", "lifecycle", "classes", "set", "Laptop", "X", "--hardware", "5 USD"])
        .exits(1);
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("never added together"));
    let refused = profile.run(&["--json", "config", "set", "lifecycle.serial_field", "Rack"]).exits(1).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("fields to download"), "{refused}");
    profile.run(&["config", "set", "lifecycle.psa", "autotask"]).exits(1);
}

/// Wrong input of every kind: the exit code of `cli.md`, and a sentence that names the record, the field and what to do.
#[test]
fn wrong_input_names_the_record_the_field_and_what_to_do() {
    let (profile, _vendors) = filled();
    profile.run(&["lifecycle", "classes", "set", "Server", "Big", "--hardware", "5000"]).exits(0);
    let row =
        rows(&profile, &["configurations", "list"]).into_iter().find(|row| row["type"] == "Laptop").unwrap();
    let id = row["id"].as_str().unwrap();
    let company = row["company"].as_str().unwrap();
    let long = "ش".repeat(201);
    let set = |amount: &'static str| vec!["classes", "set", "Laptop", "Basic", "--hardware", amount];
    let refused: Vec<(Vec<&str>, &str)> = vec![
        (set("-5"), "Hardware of class 'Basic' of Laptop: '-5' is below 0."),
        (set("900 EUR"), "Hardware of class 'Basic' of Laptop: '900 EUR' is in EUR"),
        (set("79228162514264337593543950335"), "is more than 1,000,000,000"),
        (
            vec!["classes", "set", "Laptop", "Basic", "--rule", "colour~red"],
            "Rule of class 'Basic' of Laptop: 'colour~red' is not a test",
        ),
        (vec!["classes", "remove", "Laptop", "Gold"], "There is no class 'Gold' of Laptop."),
        (vec!["configurations", "class", "--name", "Big", id], "Laptop has no class 'Big'"),
        (vec!["configurations", "off-budget", "999999"], "No configuration has the Halo id 999999."),
        (vec!["configurations", "date", "purchase_date", "--date", "1950-01-01", id], "it is before 1990"),
        (
            vec!["configurations", "list", "--company", "Nobody"],
            "There is no company 'Nobody' in the workspace.",
        ),
        (vec!["companies", "add", company], "is here already"),
        (vec!["companies", "add", &long], "it has 1 to 200 characters on one line"),
        (vec!["companies", "add", "Red\u{1b}[31mLtd"], "it has 1 to 200 characters on one line"),
        (vec!["companies", "year", company, "-1"], "a month from 1 to 12"),
        (vec!["types", "map", "1", "2"], "is mapped to 'Prospect' already"),
        (vec!["types", "map", "99", "2"], "There is no entry 99 in this list."),
        (vec!["grades", "set", "A/replace: age>=36", "B/plan: age>=60"], "Rule 2 ('B') would never count"),
        (vec!["grades", "set", "A/replace: age>=60, age<36"], "Rule 1 ('A') can never fit"),
        (vec!["templates", "remove", "Nope"], "There is no template 'Nope'."),
        (vec!["templates", "remove", "Default"], "cannot be deleted"),
        (vec!["policies", "remove", "Laptop"], "There is no policy of 'Laptop' for all companies."),
        (vec!["policies", "set", "Laptop", "--warning", "500"], "0 to 120 months"),
        (vec!["fields", "map", "colour", "Colour"], "'colour' is no field of the workspace"),
        (vec!["reports", "discard", "R9"], "There is no report R9."),
        (vec!["complete", "R9"], "There is no report R9."),
        (vec!["report", "R9"], "There is no report R9."),
        (vec!["warranty", "import", "nowhere.csv"], "nowhere.csv cannot be read"),
        (vec!["undo"], ""),
    ];
    for (words, message) in refused {
        if words == ["undo"] {
            continue;
        }
        let words: Vec<&str> = ["--json", "lifecycle"].into_iter().chain(words).collect();
        let document = profile.run(&words).exits(1).json();
        let said = document["error"]["message"].as_str().unwrap();
        assert!(said.contains(message), "{words:?}: {said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    for (words, message) in [
        (
            ["configurations", "date", "purchase_date", "--date", "2026-02-30", id],
            "not a day of the calendar",
        ),
        (["configurations", "date", "purchase_date", "--date", "01/02/2026", id], "written as 2027-12-31"),
        (["configurations", "date", "purchase_date", "--date", "2026-01-01", "LT-1"], "not a Halo id"),
    ] {
        let words: Vec<&str> = ["lifecycle"].into_iter().chain(words).collect();
        let run = profile.run(&words).exits(64);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
    // Nothing of all that left a step to take back but the class.
    profile.run(&["lifecycle", "undo"]).exits(0);
    profile.run(&["lifecycle", "undo"]).exits(0);
    assert!(rows(&profile, &["types", "list"]).is_empty(), "the import was the first step");
    profile.run(&["lifecycle", "undo"]).exits(1);
}

/// S9: the data of another Halo never mixes with what is here; nothing is lost, and the way out is told.
#[test]
fn step_5_another_halo_is_refused_and_changes_nothing() {
    let (profile, vendors) = filled();
    let other = Vendors::seeded(&profile, "8");
    let file = profile.file("settings.json");
    let connect = |vendors: &Vendors| {
        std::fs::write(&file, vendors.settings()).unwrap();
        profile.run(&["config", "import", file.to_str().unwrap()]).exits(0);
    };
    let before = rows(&profile, &["companies", "list"]);
    connect(&other);
    for words in [["--json", "plan", "lifecycle"], ["--json", "run", "lifecycle"]] {
        let error = profile.run(&words).exits(1).json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains("one workspace has one PSA"), "{error}");
        assert!(error["remedy"].as_str().unwrap().contains("--profile NAME"), "{error}");
    }
    assert_eq!(rows(&profile, &["companies", "list"]), before);
    connect(&vendors);
    profile.run(&["plan", "lifecycle"]).exits(0);
}

/// S12, S13: what would be renamed or made is shown before it is saved.
#[test]
fn steps_6_and_7_a_preview_shows_each_rename_and_saves_nothing() {
    let (profile, _vendors) = filled();
    let before = rows(&profile, &["types", "list"]);
    let preview = |words: &[&str]| {
        let words: Vec<&str> = ["--json", "lifecycle"].iter().chain(words).copied().collect();
        profile.run(&words).exits(0).json()
    };
    let shown = preview(&["types", "map", "1", "2", "--merge", "--dry-run"]);
    assert_eq!(shown["changes"], serde_json::json!(["'Customer' becomes 'Prospect', as Halo calls it"]));
    assert_eq!(preview(&["types", "create-unmapped", "--dry-run"])["changes"], serde_json::json!([]));
    assert_eq!(rows(&profile, &["types", "list"]), before);
    profile.run(&["lifecycle", "types", "map", "1", "2", "--merge"]).exits(0);
    assert_eq!(rows(&profile, &["types", "list"]).len(), before.len() - 1);
    let again = preview(&["types", "create-unmapped", "--dry-run"]);
    assert_eq!(again["changes"], serde_json::json!(["'Customer' is created and mapped"]));
}

/// `--json` is one document on one line, whatever form of a report was asked for; `--plain` keeps the place of a blank
/// cell, and no name gives the terminal an order.
#[test]
fn each_form_of_output_keeps_its_promise() {
    let (profile, _vendors) = filled();
    let names: Vec<String> = rows(&profile, &["companies", "list"])
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    let hostile = names.iter().find(|name| name.contains('\u{1b}')).expect("the sandbox has one");
    let arabic = names.iter().find(|name| name.contains('ش')).expect("the sandbox has one");
    for company in [hostile, arabic] {
        for format in ["text", "json", "csv", "md", "html"] {
            let run = profile.run(&["--json", "lifecycle", "report", company, "--format", format]).exits(0);
            assert_eq!(run.stdout.trim_end().lines().count(), 1, "{format}");
            assert_eq!(run.json()["report"].as_str().unwrap().chars().next(), Some('R'));
            let run = profile.run(&["lifecycle", "report", company, "--format", format]).exits(0);
            assert!(!run.stdout.contains('\u{1b}'), "{format}");
            let file = profile.file(format);
            let words = ["lifecycle", "report", company, "--format", format, "--out", file.to_str().unwrap()];
            assert!(!profile.run(&words).exits(0).stdout.contains('\u{1b}'), "{format}");
        }
    }
    for list in ["companies", "types", "statuses", "configurations", "templates", "grades", "reports"] {
        let run = profile.run(&["--plain", "lifecycle", list, "list"]).exits(0);
        assert!(!run.stdout.contains('\u{1b}'), "{list}");
    }
    let plain = profile.run(&["--plain", "lifecycle", "configurations", "list"]).exits(0).stdout;
    let cells: Vec<usize> = plain.lines().map(|line| line.split("; ").count()).collect();
    assert!(cells.iter().all(|count| *count == cells[0]), "each cell has its place");
    for empty in ["classes", "policies"] {
        let said = profile.run(&["lifecycle", empty, "list"]).exits(0).stdout;
        assert!(said.contains("yet"), "{said}");
    }
}

/// P70, P71: policies change one thing at a time, and the gaps behind the score can be listed.
#[test]
fn policies_keep_what_is_not_said_and_gaps_are_listed() {
    let (profile, _vendors) = filled();
    profile.run(&["lifecycle", "policies", "set", "Laptop", "--life", "48", "--warning", "12"]).exits(0);
    profile.run(&["lifecycle", "policies", "set", "Laptop", "--exempt"]).exits(0);
    let own = &rows(&profile, &["policies", "list"])[0];
    assert_eq!(
        (&own["life_months"], &own["warning_months"], &own["exempt"], &own["virtual"]),
        (&48.into(), &12.into(), &true.into(), &false.into())
    );
    profile.run(&["lifecycle", "policies", "set", "Laptop", "--no-exempt"]).exits(0);
    assert_eq!(rows(&profile, &["policies", "list"])[0]["exempt"], false);
    let gaps = rows(&profile, &["configurations", "list", "--gaps"]);
    let all = rows(&profile, &["configurations", "list"]);
    assert!(!gaps.is_empty() && gaps.len() < all.len());
    assert!(gaps.iter().all(|row| !row["missing"].as_array().unwrap().is_empty()));
    let mistyped = profile.run(&["lifecycle", "policies", "set", "Lapdog", "--exempt"]).exits(0);
    assert!(mistyped.stderr.contains("No configuration is of type 'Lapdog' yet"), "{}", mistyped.stderr);
}

#[test]
fn dates_from_a_file_go_into_halo_only_when_asked_and_stick() {
    let (profile, vendors) = filled();
    let wanted: Vec<Value> = rows(&profile, &["configurations", "list"])
        .into_iter()
        .filter(|row| row["expiration_date"].is_null() && !row["serial"].as_str().unwrap().is_empty())
        .filter(|row| !row["missing"].as_array().unwrap().contains(&"serial".into()))
        .take(3)
        .collect();
    let mut csv = "serial,warranty_end\nDefault string,2028-01-01\n".to_owned();
    for row in &wanted {
        csv.push_str(&format!("{},2028-12-31\n", row["serial"].as_str().unwrap()));
    }
    let file = profile.file("dates.csv");
    std::fs::write(&file, csv).unwrap();
    let file = file.to_str().unwrap();
    let import = |words: &[&str]| {
        let words: Vec<&str> =
            ["--json", "lifecycle", "warranty", "import", file].iter().chain(words).copied().collect();
        profile.run(&words).exits(3).json()
    };
    assert_eq!(import(&["--dry-run"])["taken"], 3);
    let taken = import(&[]);
    assert_eq!((&taken["taken"], &taken["refused"][0]["line"]), (&3.into(), &2.into()));
    assert_eq!(import(&[])["unchanged"], 3, "the same file twice");
    profile.run(&["run", "lifecycle", "--entity", "warranty"]).exits(1);
    assert_eq!(vendors.writes(), 0, "off by default");
    profile.run(&["config", "set", "lifecycle.write_expiration_date", "true"]).exits(0);
    let job = profile.run(&["--json", "run", "lifecycle", "--entity", "warranty"]).exits(0).json();
    assert_eq!((&job["totals"]["update"], vendors.writes()), (&3.into(), 3), "{job}");
    let again = profile.run(&["--json", "run", "lifecycle", "--entity", "warranty"]).exits(0).json();
    assert_eq!((&again["totals"]["update"], vendors.writes()), (&0.into(), 3), "{again}");
    for row in &wanted {
        let assets = vendors.control("/_sandbox/halo/assets");
        let asset = assets
            .as_array()
            .unwrap()
            .iter()
            .find(|asset| row["id"].as_str().and_then(|id| id.parse().ok()) == asset["id"].as_i64());
        let fields = asset.unwrap()["fields"].as_array().unwrap();
        let value = |name: &str| {
            fields
                .iter()
                .find(|field| field["name"] == name)
                .map(|field| field["value"].as_str().unwrap().to_owned())
        };
        assert_eq!(value("Warranty End").as_deref(), Some("2028-12-31"));
        assert_eq!(value("Serial Number").as_deref(), row["serial"].as_str(), "no other field was blanked");
    }
}

#[test]
fn step_9_a_field_that_halo_lacks_is_mapped_planned_made_and_listed() {
    let (profile, vendors) = filled();
    let field = |name: &str| {
        rows(&profile, &["fields", "list"]).into_iter().find(|row| row["field"] == name).expect("a field")
    };
    assert_eq!(field("purchase date")["state"], "there");
    assert_eq!(field("install date")["state"], "unmapped");
    profile.run(&["lifecycle", "fields", "map", "colour", "Colour"]).exits(1);
    profile.run(&["lifecycle", "fields", "map", "install date", "Install Date"]).exits(0);
    assert_eq!(
        (&field("install date")["state"], &field("install date")["type"]),
        (&"missing".into(), &"date".into())
    );
    assert_eq!(vendors.writes(), 0, "mapping sends nothing");
    let plan = profile.run(&["--json", "plan", "lifecycle", "--entity", "asset_fields"]).exits(2).json();
    let entities: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().filter_map(|row| row["entity"].as_str()).collect();
    assert!(entities.contains(&"asset_fields") && entities.contains(&"asset_types"), "{plan}");
    assert_eq!(vendors.writes(), 0, "nor does a plan");
    let job = profile.run(&["--json", "run", "lifecycle", "--entity", "asset_fields"]).exits(0).json();
    assert_eq!((&job["totals"]["create"], &job["state"]), (&1.into(), &"ok".into()), "{job}");
    assert_eq!(field("install date")["state"], "there");
    profile.run(&["plan", "lifecycle", "--entity", "asset_fields"]).exits(0);
    // A usual run makes nothing.
    let writes = vendors.writes();
    profile.run(&["lifecycle", "fields", "map", "notes", "Cabinet", "--type", "number"]).exits(0);
    profile.run(&["--json", "run", "lifecycle"]).exits(0);
    assert_eq!((vendors.writes(), field("notes")["state"].as_str()), (writes, Some("missing")));
}

#[test]
fn step_3_the_test_tells_the_address_that_requests_leave_from() {
    let (profile, _vendors) = filled();
    let tests = profile.run(&["--json", "test", "lifecycle"]).exits(0).json();
    let checks =
        tests["tests"][0]["checks"].as_array().or_else(|| tests["checks"].as_array()).unwrap().clone();
    let check = checks.iter().find(|check| check["name"] == "outgoing address").expect("a check");
    assert!(check["message"].as_str().unwrap().starts_with("127.0.0.1"), "{check}");
    let steps = profile.run(&["--json", "lifecycle", "setup"]).exits(0).json();
    let step =
        steps["steps"].as_array().unwrap().iter().find(|step| step["name"] == "Addresses").unwrap().clone();
    assert!(step["says"].as_str().unwrap().starts_with("127.0.0.1"), "{step}");
}
