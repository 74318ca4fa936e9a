//! The field mappings through the real binary.

use serde_json::Value;

use super::Profile;
use super::engine::set_up;

fn rows(profile: &Profile) -> Vec<String> {
    let document = profile.run(&["--json", "fields", "export", "liongard"]).exits(0).json();
    let row =
        |row: &Value| format!("{} -> {}", row["source"].as_str().unwrap(), row["target"].as_str().unwrap());
    document["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn rows_are_set_moved_taken_away_and_kept_in_order() {
    let profile = Profile::new();
    for (source, target) in [("RAM", "Memory"), ("Model", "Model"), ("Metric.1f", "CPU")] {
        profile.run(&["fields", "set", "liongard", source, target]).exits(0);
    }
    profile.run(&["fields", "move", "liongard", "cpu", "1"]).exits(0);
    assert_eq!(rows(&profile), ["Metric.1f -> CPU", "RAM -> Memory", "Model -> Model"]);
    profile.run(&["fields", "move", "liongard", "CPU", "99"]).exits(0);
    assert_eq!(rows(&profile)[2], "Metric.1f -> CPU");
    profile.run(&["fields", "unset", "liongard", "Memory"]).exits(0);
    assert_eq!(rows(&profile), ["Model -> Model", "Metric.1f -> CPU"]);
    let refused = profile.run(&["fields", "move", "liongard", "Gone", "1"]).exits(1);
    assert!(refused.stderr.contains("Nothing feeds the field 'Gone'"), "{}", refused.stderr);
    let fixed = profile.run(&["fields", "export", "also"]).exits(1);
    assert!(fixed.stderr.contains("fixed by the vendor's rules"), "{}", fixed.stderr);
}

#[test]
fn rows_travel_as_csv_all_or_nothing() {
    let profile = Profile::new();
    profile.run(&["fields", "set", "liongard", "RAM", "=Memory", "--create", "--kind", "number"]).exits(0);
    profile.run(&["fields", "set", "liongard", "Model", "東京", "--fill-blank"]).exits(0);
    let file = profile.file("rows.csv");
    let path = file.to_str().unwrap();
    profile.run(&["fields", "export", "liongard", path]).exits(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "source,target,create,kind,fill_blank\nRAM,'=Memory,yes,number,\nModel,東京,,,yes\n");
    let same = profile.run(&["fields", "import", "liongard", path]).exits(0);
    assert!(same.stdout.contains("Nothing changes."), "{}", same.stdout);
    std::fs::write(&file, "target;source\n東京;Model\nTag;Asset Tag\n").unwrap();
    let shown = profile.run(&["--json", "fields", "import", "liongard", path, "--dry-run"]).exits(0).json();
    assert_eq!(shown["diff"].as_array().unwrap().len(), 3, "{shown}");
    assert_eq!(rows(&profile)[0], "RAM -> =Memory", "a dry run changes nothing");
    profile.run(&["fields", "import", "liongard", path]).exits(0);
    assert_eq!(rows(&profile), ["Model -> 東京", "Asset Tag -> Tag"]);
    std::fs::write(&file, "source,target\nRAM,RAM\nColour,Colour\nModel,ram\n").unwrap();
    let refused = profile.run(&["--json", "fields", "import", "liongard", path]).exits(1);
    let error = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        error.contains("line 3: 'Colour' is no field") && error.contains("line 4: 'ram' is fed in line 2"),
        "{error}"
    );
    assert_eq!(rows(&profile).len(), 2);
}

#[test]
fn fields_of_the_planning_workspace_are_copied() {
    let profile = Profile::new();
    profile.run(&["fields", "set", "liongard", "OS Version", "RAM"]).exits(0);
    let shown = profile.run(&["fields", "copy", "liongard", "lifecycle", "--dry-run"]).exits(0);
    assert!(shown.stdout.contains("+ Warranty Expiration -> Warranty End"), "{}", shown.stdout);
    assert_eq!(rows(&profile).len(), 1, "a dry run changes nothing");
    profile.run(&["fields", "copy", "liongard", "lifecycle"]).exits(0);
    let all = rows(&profile);
    assert_eq!(
        (all.len(), &*all[0]),
        (7, "OS Version -> RAM"),
        "what feeds the field already stays: {all:?}"
    );
    assert!(
        profile
            .run(&["fields", "copy", "liongard", "lifecycle"])
            .exits(0)
            .stdout
            .contains("Nothing changes.")
    );
    let none = profile.run(&["fields", "copy", "liongard", "also"]).exits(1);
    assert!(none.stderr.contains("no asset fields"), "{}", none.stderr);
}

#[test]
fn a_sample_and_a_test_read_only() {
    let (profile, vendors) = set_up();
    let nothing = profile.run(&["fields", "sample", "liongard", "--cached"]).exits(1);
    assert!(nothing.stderr.contains("No records were read yet"), "{}", nothing.stderr);
    let sample = profile.run(&["--json", "fields", "sample", "liongard"]).exits(0).json();
    let of = |side: &str, name: &str, value: &str| {
        let found = sample[side].as_array().unwrap().iter().find(|one| one[name] == value).cloned();
        found.unwrap_or_else(|| panic!("{side}: no {value}"))
    };
    assert_eq!(of("sources", "name", "RAM")["kind"], "number");
    assert!(of("sources", "name", "Serial Number")["have"].as_u64().unwrap() > 50);
    assert_eq!(of("targets", "label", "Warranty End")["kind"], "date");
    let text = profile.run(&["fields", "sample", "liongard", "--cached"]).exits(0).stdout;
    assert!(text.contains("Device.Firmware") && text.contains("Warranty End"), "{text}");
    let id = sample["machines"][0][0].as_str().unwrap();
    let test = profile.run(&["--json", "fields", "test", "liongard", id]).exits(0).json();
    assert_eq!((test["schema"].as_u64(), test["id"].as_str()), (Some(1), Some(id)));
    assert!(test["rows"].as_array().unwrap().iter().any(|row| row["target"] == "RAM"), "{test}");
    let text = profile.run(&["fields", "test", "liongard", id]).exits(0).stdout;
    assert!(text.ends_with("Nothing was written.\n"), "{text}");
    let twice = profile.run(&["fields", "set", "liongard", "Model", "121"]).exits(1);
    assert!(twice.stderr.contains("121 is fed by RAM already"), "{}", twice.stderr);
    let misfit = profile.run(&["fields", "set", "liongard", "Model", "Purchase Date"]).exits(0);
    assert!(misfit.stderr.contains("do not fit"), "{}", misfit.stderr);
    let gone = profile.run(&["fields", "test", "liongard", "no such machine"]).exits(1);
    assert!(gone.stderr.contains("no record 'no such machine'"), "{}", gone.stderr);
    assert_eq!(vendors.writes(), 0);
}
