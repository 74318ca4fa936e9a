//! Liongard through the real binary: customers before assets, and Halo's customers on their way there.

use serde_json::{Value, json};

use super::Profile;
use super::engine::{Vendors, set_up};

fn environments(vendors: &Vendors) -> Vec<String> {
    let all = vendors.control("/_sandbox/liongard/environments");
    all.as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap().to_owned()).collect()
}

fn sent(vendors: &Vendors) -> Vec<String> {
    let journal = vendors.control("/_sandbox/journal");
    let writes = journal.as_array().unwrap().iter().filter(|write| write["host"] == "liongard");
    writes
        .map(|write| format!("{} {}", write["method"].as_str().unwrap(), write["path"].as_str().unwrap()))
        .collect()
}

/// A customer of Halo with the flag, or without it; its id.
fn customer(vendors: &Vendors, name: &str, flag: bool) -> String {
    let row = json!({"name": name, "customfields": [{"id": 202, "value": flag.to_string()}]});
    vendors.change("/_sandbox/halo/clients", &row);
    let all = vendors.control("/_sandbox/halo/clients");
    let made = all.as_array().unwrap().iter().find(|one| one["name"] == name).expect("it was put there");
    made["id"].to_string()
}

fn pushing() -> (Profile, Vendors) {
    let (profile, vendors) = set_up();
    profile.run(&["config", "set", "liongard.sync_customers.enabled", "true"]).exits(0);
    (profile, vendors)
}

#[test]
fn l4_assets_before_customers_are_refused_with_what_to_do() {
    let (profile, vendors) = set_up();
    for words in [
        &["plan", "liongard", "--entity", "assets"][..],
        &["run", "liongard", "--entity", "assets"],
        &["run", "liongard", "--entity", "assets", "--scheduled"],
    ] {
        let refused = profile.run(words).exits(1);
        assert!(refused.stderr.contains("no customers in Halo yet"), "{}", refused.stderr);
        assert!(refused.stderr.contains("default_site"), "{}", refused.stderr);
    }
    let document = profile.run(&["--json", "plan", "liongard", "--entity", "assets"]).exits(1).json();
    assert!(
        document["error"]["remedy"].as_str().unwrap().contains("Import the customers first"),
        "{document}"
    );
    assert_eq!(vendors.writes(), 0);
    profile.run(&["run", "liongard", "--entity", "customers", "--json"]);
    let plan = profile.run(&["plan", "liongard", "--entity", "assets", "--json"]).exits(2).json();
    assert!(plan["totals"]["create"].as_u64().unwrap() > 0, "{}", plan["totals"]);
}

#[test]
fn l17_l19_a_push_is_planned_applied_logged_and_done_once() {
    let (profile, vendors) = pushing();
    let new = customer(&vendors, "Zephyr & Söhne Ltd", true);
    customer(&vendors, "Unflagged Ltd", false);
    let before = environments(&vendors).len();
    let plan = profile.run(&["plan", "liongard", "--entity", "push", "--json"]).exits(2).json();
    assert_eq!((&plan["entities"], &plan["totals"]["create"]), (&json!(["push"]), &json!(1)), "{plan}");
    let row = plan["changes"].as_array().unwrap().iter().find(|row| row["action"] == "create").unwrap();
    assert_eq!(row["source"], json!({"id": new, "name": "Zephyr & Söhne Ltd"}));
    assert!(row["reasons"].to_string().contains("is on in Halo (L17b)"), "{row}");
    assert!(sent(&vendors).is_empty(), "a plan writes nothing");
    // Exactly that plan, by its number.
    let job = profile.run(&["apply", plan["plan"].as_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!((&job["state"], &job["totals"]["create"]), (&json!("ok"), &json!(1)), "{job}");
    assert!(job["requests"]["liongard"].as_u64().unwrap() > 1, "{job}");
    assert_eq!(environments(&vendors).len(), before + 1);
    assert_eq!(sent(&vendors), ["POST /api/v2/environments"]);
    // L19: every call that writes is in the job's log, and in the trail.
    let log = profile.run(&["job", "log", job["job"].as_str().unwrap()]).exits(0).stdout;
    assert!(log.contains("created: name Zephyr & Söhne Ltd"), "{log}");
    let trail = profile.run(&["audit", "log", "--json"]).exits(0).stdout;
    assert!(trail.contains("Zephyr & S"), "the intent is a line of the trail");
    // It is mapped, and neither a further push nor an import makes another.
    let map = profile.run(&["map", "list", "liongard", "--json"]).exits(0).json();
    let row = map["rows"].as_array().unwrap().iter().find(|row| row["target"]["id"] == new.as_str());
    assert_eq!(row.map(|row| &row["state"]), Some(&json!("mapped")), "{map}");
    let again = profile.run(&["run", "liongard", "--entity", "push", "--json"]).exits(0).json();
    assert_eq!(
        (&again["totals"]["create"], &again["totals"]["unchanged"]),
        (&json!(0), &json!(1)),
        "{again}"
    );
    assert_eq!(environments(&vendors).len(), before + 1);
    // Taking it back says that the environment stays.
    let undo = profile.run(&["job", "undo", job["job"].as_str().unwrap(), "--plan-only", "--json"]);
    assert!(undo.stdout.contains("cannot be taken back"), "{}\n{}", undo.stdout, undo.stderr);
}

#[test]
fn l17_what_is_off_held_refused_or_lost_is_said_by_exit_code_and_sentence() {
    let (profile, vendors) = set_up();
    customer(&vendors, "Zephyr Ltd", true);
    let off = profile.run(&["plan", "liongard", "--entity", "push"]).exits(0);
    assert!(off.stdout.contains("switch liongard.sync_customers.enabled on first"), "{}", off.stdout);
    profile.run(&["run", "liongard", "--entity", "push"]).exits(0);
    assert!(sent(&vendors).is_empty());
    profile.run(&["config", "set", "liongard.sync_customers.enabled", "true"]).exits(0);
    // A field that Halo does not have.
    profile.run(&["config", "set", "liongard.sync_customers.flag_field", "CFNoSuch"]).exits(0);
    let missing = profile.run(&["run", "liongard", "--entity", "push", "--json"]);
    assert!(missing.stderr.contains("CFNoSuch"), "{}\n{}", missing.stdout, missing.stderr);
    assert!(sent(&vendors).is_empty());
    profile.run(&["config", "set", "liongard.sync_customers.flag_field", "CFSyncToLiongard"]).exits(0);
    // A look-alike: held, partial.
    vendors.change("/_sandbox/liongard/environments", &json!({"Name": "ZEPHYR Limited"}));
    let held = profile.run(&["run", "liongard", "--entity", "push", "--json"]).exits(3).json();
    assert_eq!(held["totals"]["held"], 1, "{held}");
    assert!(held["problems"].to_string().contains("ZEPHYR Limited"), "{held}");
    // A key that may not create, and an answer that is lost: one environment at most.
    customer(&vendors, "Kestrel Ltd", true);
    let mut quirks = vendors.control("/_sandbox/quirks");
    quirks["liongard"]["read_only"] = json!(true);
    vendors.change("/_sandbox/quirks", &quirks);
    // Nothing more is sent, and the job waits for the right.
    let refused = profile.run(&["run", "liongard", "--entity", "push", "--json"]).exits(130);
    assert!(refused.stdout.contains("does not allow"), "{}", refused.stdout);
    let job = refused.json()["job"].as_str().unwrap().to_owned();
    profile.run(&["job", "cancel", &job]).exits(0);
    quirks["liongard"]["read_only"] = json!(false);
    vendors.change("/_sandbox/quirks", &quirks);
    let lost =
        json!({"liongard": [{"kind": "reset_after", "method": "POST", "path": "/environments", "times": 1}]});
    vendors.change("/_sandbox/faults", &lost);
    let _ = profile.run(&["run", "liongard", "--entity", "push", "--json"]);
    let _ = profile.run(&["run", "liongard", "--entity", "push", "--json"]);
    let made = environments(&vendors).into_iter().filter(|name| name == "Kestrel Ltd").count();
    assert_eq!(made, 1);
}

#[test]
fn l17b_the_flag_is_set_by_its_own_command_planned_written_and_taken_off_again() {
    let (profile, vendors) = pushing();
    let id = customer(&vendors, "Zephyr Ltd", false);
    let flag = |vendors: &Vendors| -> Value {
        let all = vendors.control("/_sandbox/halo/clients");
        let one =
            all.as_array().unwrap().iter().find(|one| one["id"].as_i64() == id.parse().ok()).unwrap().clone();
        let fields = one["customfields"].as_array().unwrap().clone();
        fields.iter().find(|field| field["id"] == 202).map_or(Value::Null, |field| field["value"].clone())
    };
    let said = profile.run(&["map", "flag", "liongard", &id]).exits(0);
    assert!(said.stdout.contains("next plan of the push"), "{}", said.stdout);
    assert_eq!(
        flag(&vendors).to_string().trim_matches('"'),
        "false",
        "nothing is written by the command itself"
    );
    let plan = profile.run(&["plan", "liongard", "--entity", "push", "--json"]).exits(2).json();
    let row = plan["changes"].as_array().unwrap().iter().find(|row| row["entity"] == "push_flags").unwrap();
    assert_eq!((&row["action"], &row["fields"][0]["name"]), (&json!("update"), &json!("CFSyncToLiongard")));
    profile.run(&["apply", plan["plan"].as_str().unwrap(), "--json"]).exits(0);
    assert_eq!(flag(&vendors).to_string().trim_matches('"'), "true");
    assert!(environments(&vendors).contains(&"Zephyr Ltd".to_owned()), "and it is pushed in the same plan");
    profile.run(&["map", "flag", "liongard", &id, "--off"]).exits(0);
    let count = environments(&vendors).len();
    profile.run(&["run", "liongard", "--entity", "push", "--json"]).exits(0);
    assert_eq!(flag(&vendors).to_string().trim_matches('"'), "false");
    assert_eq!(environments(&vendors).len(), count, "switching it off deletes nothing");
    let unknown = profile.run(&["map", "flag", "liongard", "99999999"]).exits(1);
    assert!(unknown.stderr.contains("99999999"), "{}", unknown.stderr);
    profile.run(&["map", "flag", "also", &id]).exits(1);
}

#[test]
fn rows_are_taken_back_by_another_process_than_the_one_that_changed_them() {
    let profile = Profile::new();
    profile.run(&["fields", "set", "liongard", "RAM", "Memory"]).exits(0);
    profile.run(&["fields", "set", "liongard", "Model", "Model"]).exits(0);
    let rows = |profile: &Profile| {
        profile.run(&["--json", "fields", "export", "liongard"]).exits(0).json()["rows"]
            .as_array()
            .unwrap()
            .len()
    };
    let said = profile.run(&["--json", "fields", "undo", "liongard"]).exits(0).json();
    assert!(said["message"].as_str().unwrap().contains("Model"), "{said}");
    assert_eq!(rows(&profile), 1);
    profile.run(&["fields", "undo", "liongard", "--redo"]).exits(0);
    assert_eq!(rows(&profile), 2);
    let none = profile.run(&["fields", "undo", "liongard", "--redo"]).exits(1);
    assert!(none.stderr.contains("Nothing to bring back"), "{}", none.stderr);
    profile.run(&["fields", "undo", "also"]).exits(1);
}
