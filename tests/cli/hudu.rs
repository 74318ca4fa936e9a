//! Hudu through the real binary: a server that is dead, that does not know the key, that is no Hudu, that leaves rows
//! out, that asks for a pause.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::engine::{Vendors, set_up};
use super::{Done, Profile};

/// A profile whose Halo and Hudu have passed their test, with the exact names matched.
fn matched() -> (Profile, Vendors) {
    let (profile, vendors) = set_up();
    for place in ["halo", "hudu"] {
        profile.run(&["test", place]).exits(0);
    }
    profile.run(&["map", "generate", "hudu"]).exits(0);
    (profile, vendors)
}

fn hudu_faults(vendors: &Vendors, rules: &Value) {
    vendors.change("/_sandbox/faults", &json!({"hudu": rules}));
}

fn hudu_writes(vendors: &Vendors) -> usize {
    let journal = vendors.control("/_sandbox/journal");
    journal.as_array().unwrap().iter().filter(|write| write["host"] == "hudu").count()
}

/// How often each of Halo's ids stands in Hudu.
fn no_doubles(vendors: &Vendors) {
    let mut seen = std::collections::BTreeSet::new();
    for asset in vendors.control("/_sandbox/hudu/assets").as_array().unwrap() {
        for field in asset["fields"].as_array().unwrap() {
            let label = field["label"].as_str().unwrap();
            if label.starts_with("Halo ") && label.ends_with(" ID") {
                assert!(seen.insert(format!("{label} {}", field["value"])), "twice: {asset}");
            }
        }
    }
}

#[test]
fn a_first_import_and_a_second_that_writes_nothing() {
    let (profile, vendors) = matched();
    let first = profile.run(&["run", "hudu", "--json"]);
    assert!(matches!(first.code, Some(0 | 3)), "{}\n{}", first.stdout, first.stderr);
    assert!(first.json()["totals"]["create"].as_u64().unwrap() > 10, "{}", first.stdout);
    no_doubles(&vendors);
    let writes = hudu_writes(&vendors);
    assert!(writes > 10);
    profile.run(&["run", "hudu", "--json"]);
    assert_eq!(hudu_writes(&vendors), writes);
}

#[test]
fn a_dead_server_is_named_and_nothing_is_concluded() {
    let (profile, vendors) = matched();
    let settings: Value = serde_json::from_str(vendors.settings()).unwrap();
    profile.run(&["config", "set", "hudu.url", "http://127.0.0.1:9"]).exits(0);
    let test = profile.run(&["test", "hudu"]);
    assert_ne!(test.code, Some(0));
    assert!(test.stdout.contains("no connection to 127.0.0.1"), "{}", test.stdout);
    let plan = profile.run(&["plan", "hudu", "--json"]);
    assert!(!matches!(plan.code, Some(0 | 2)), "{}", plan.stdout);
    assert!(
        plan.stderr.contains("no connection") || plan.stdout.contains("no connection"),
        "{}",
        plan.stderr
    );
    // Another address is another Hudu: locked until its test is green (H2).
    profile.run(&["config", "set", "hudu.url", settings["hudu"]["url"].as_str().unwrap()]).exits(0);
    let locked = profile.run(&["run", "hudu"]);
    assert!(format!("{}{}", locked.stdout, locked.stderr).contains("Hudu is locked"), "{}", locked.stderr);
    assert_eq!(hudu_writes(&vendors), 0);
}

#[test]
fn a_wrong_key_is_said_and_never_shown() {
    let (profile, vendors) = matched();
    let mut child = profile
        .command(&["secret", "set", "hudu.api_key"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"planted-wrong-key-000000\n").unwrap();
    let set = Done::of(&["secret", "set"], &child.wait_with_output().unwrap()).exits(0);
    let test = profile.run(&["test", "hudu"]).exits(5);
    assert!(test.stdout.contains("does not accept the API key"), "{}", test.stdout);
    let plan = profile.run(&["plan", "hudu"]).exits(5);
    for done in [set, test, plan] {
        assert!(!format!("{}{}", done.stdout, done.stderr).contains("planted"), "{}", done.words);
    }
    assert_eq!(hudu_writes(&vendors), 0);
}

#[test]
fn a_web_page_with_200_is_no_hudu() {
    let (profile, vendors) = matched();
    hudu_faults(&vendors, &json!([{"kind": "html", "status": 200}]));
    let test = profile.run(&["test", "hudu"]);
    assert_ne!(test.code, Some(0));
    assert!(test.stdout.contains("page"), "{}", test.stdout);
    let plan = profile.run(&["plan", "hudu"]);
    assert!(!matches!(plan.code, Some(0 | 2)), "{}", plan.stdout);
    assert_eq!(hudu_writes(&vendors), 0);
}

#[test]
fn half_a_page_never_makes_a_second_record() {
    let (profile, vendors) = matched();
    profile.run(&["run", "hudu"]);
    let assets = vendors.control("/_sandbox/hudu/assets").as_array().unwrap().len();
    hudu_faults(&vendors, &json!([{"kind": "half_page", "path": "/api/v1/assets", "every": 2}]));
    profile.run(&["run", "hudu"]);
    hudu_faults(&vendors, &json!([]));
    profile.run(&["run", "hudu"]);
    assert_eq!(vendors.control("/_sandbox/hudu/assets").as_array().unwrap().len(), assets);
    no_doubles(&vendors);
}

#[test]
fn a_pause_that_hudu_asks_for_is_kept_and_costs_nothing_else() {
    let (profile, vendors) = matched();
    hudu_faults(&vendors, &json!([{"kind": "429", "retry_after": 1, "every": 15, "times": 4}]));
    let run = profile.run(&["run", "hudu", "--json"]);
    assert_eq!(run.json()["totals"]["failed"], 0, "{}", run.stdout);
    no_doubles(&vendors);
    let again = profile.run(&["plan", "hudu", "--json"]);
    assert_eq!(again.json()["totals"]["create"], 0, "{}", again.stdout);
}

#[test]
fn layouts_are_shown_and_mended_by_one_command() {
    let (profile, vendors) = set_up();
    let layouts = vendors.control("/_sandbox/hudu/layouts");
    let sites = layouts.as_array().unwrap().iter().find(|layout| layout["name"] == "Sites").unwrap();
    vendors.change("/_sandbox/hudu/layouts", &json!({"id": sites["id"], "active": false, "fields": []}));
    let shown = profile.run(&["layouts", "hudu"]).exits(1);
    assert!(shown.stdout.contains("is not active"), "{}", shown.stdout);
    let fixed = profile.run(&["layouts", "hudu", "--fix", "sites"]);
    assert!(!fixed.stdout.contains("is not active"), "{}", fixed.stdout);
    let trail = profile.run(&["audit", "log"]).exits(0);
    assert!(trail.stdout.contains("asset layout 'Sites': activate"), "{}", trail.stdout);
    assert!(trail.stdout.contains("asset layout 'Sites': done"), "{}", trail.stdout);
}

#[test]
fn the_address_of_a_company_goes_into_halo_only_where_a_field_is_named() {
    let (profile, vendors) = matched();
    profile.run(&["run", "hudu", "--json"]);
    let writes = vendors.writes();
    let refused = profile.run(&["run", "hudu", "--entity", "company_urls"]);
    assert!(
        format!("{}{}", refused.stdout, refused.stderr).contains("hudu.halo_url_field"),
        "{}",
        refused.stderr
    );
    assert_eq!(vendors.writes(), writes);
    profile.run(&["config", "set", "hudu.halo_url_field", "CFHuduUrl"]).exits(0);
    let job = profile.run(&["--json", "run", "hudu", "--entity", "company_urls"]).exits(0).json();
    assert!(job["totals"]["update"].as_u64().unwrap() > 5, "{job}");
    assert!(job["requests"]["halo"].as_u64().unwrap() > 0, "{job}");
    let again = profile.run(&["--json", "plan", "hudu", "--entity", "company_urls"]).exits(0).json();
    assert_eq!(again["totals"]["update"], 0, "{again}");
}

#[test]
fn assets_and_relations_are_asked_for_by_name() {
    let (profile, vendors) = matched();
    profile.run(&["run", "hudu", "--json"]);
    let refused = profile.run(&["plan", "hudu", "--entity", "assets"]);
    assert!(
        format!("{}{}", refused.stdout, refused.stderr).contains("hudu.asset_layouts"),
        "{}",
        refused.stdout
    );
    profile.run(&["config", "set", "hudu.asset_layouts", "Server = Servers, default = Devices"]).exits(0);
    let shown = profile.run(&["config", "get", "hudu.asset_layouts"]).exits(0);
    assert!(shown.stdout.contains("Server = Servers"), "{}", shown.stdout);
    let layouts = profile.run(&["--json", "layouts", "hudu"]).exits(0).json();
    let of_assets: Vec<_> =
        layouts["layouts"].as_array().unwrap().iter().filter(|view| view["entity"] == "assets").collect();
    assert_eq!(of_assets.len(), 2, "{layouts}");
    let job = profile.run(&["--json", "run", "hudu", "--entity", "assets"]).json();
    assert_eq!(job["totals"]["failed"], 0, "{job}");
    assert!(job["totals"]["create"].as_u64().unwrap() > 0, "{job}");
    let job = profile.run(&["--json", "run", "hudu", "--entity", "relations"]).json();
    assert_eq!(job["totals"]["failed"], 0, "{job}");
    assert!(job["totals"]["create"].as_u64().unwrap() > 0, "{job}");
    let rows = vendors.control("/_sandbox/hudu/relations");
    assert_eq!(rows.as_array().unwrap().len() as u64, 2 * job["totals"]["create"].as_u64().unwrap());
    for entity in ["assets", "relations"] {
        let again = profile.run(&["--json", "plan", "hudu", "--entity", entity]).json();
        assert_eq!(again["totals"]["create"], 0, "{again}");
        assert_eq!(again["totals"]["update"], 0, "{again}");
    }
}

#[test]
fn layouts_of_several_entities_are_mended_by_one_command() {
    let (profile, vendors) = set_up();
    let layouts = vendors.control("/_sandbox/hudu/layouts");
    for layout in layouts.as_array().unwrap() {
        if layout["name"] == "Contracts" {
            vendors.change(
                "/_sandbox/hudu/layouts",
                &json!({"id": layout["id"], "active": false, "fields": []}),
            );
        }
    }
    profile.run(&["config", "set", "hudu.site_layout", "Places"]).exits(0);
    profile.run(&["config", "set", "hudu.contact_layout", "Contacts"]).exits(0);
    profile.run(&["layouts", "hudu"]).exits(1);
    let fixed =
        profile.run(&["layouts", "hudu", "--fix", "users", "--fix", "contracts", "--fix", "sites"]).exits(0);
    assert_eq!(fixed.stdout.matches("ready").count(), 3, "{}", fixed.stdout);
    let layouts = vendors.control("/_sandbox/hudu/layouts");
    let of = |name: &str| layouts.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    let site =
        of("Contacts")["fields"].as_array().unwrap().iter().find(|field| field["label"] == "Site").cloned();
    assert_eq!(
        site.unwrap()["linkable_id"],
        of("Places")["id"],
        "the link leads to the layout made just before"
    );
}
