//! Whole imports through the real binary, against a sandbox in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Done, Profile};

/// The sandbox's own secrets: nothing may ever show them.
pub const SECRETS: [&str; 2] = ["sandbox-password", "sandbox-secret"];

/// A sandbox, gone when this is dropped.
pub struct Vendors {
    child: Child,
    settings: String,
}

impl Vendors {
    pub fn start(profile: &Profile) -> Self {
        Self::seeded(profile, "7")
    }

    /// Another seed is another installation of everything.
    pub fn seeded(profile: &Profile, seed: &str) -> Self {
        let mut child = profile
            .command(&["sandbox", "--size", "small", "--seed", seed])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut settings = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut settings).unwrap();
        Self { child, settings }
    }

    /// The settings that lead to it, as `config import` takes them.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Asks the sandbox's control interface, on Halo's port.
    pub fn control(&self, path: &str) -> Value {
        let settings: Value = serde_json::from_str(&self.settings).unwrap();
        let url = settings["halo"]["resource_server"].as_str().unwrap();
        let host = url.trim_start_matches("http://").split('/').next().unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        write!(socket, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{path}: {answer}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// Changes something of the sandbox: its faults, or a record.
    pub fn change(&self, path: &str, body: &Value) {
        let settings: Value = serde_json::from_str(&self.settings).unwrap();
        let url = settings["halo"]["resource_server"].as_str().unwrap();
        let host = url.trim_start_matches("http://").split('/').next().unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", body.len());
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{path}: {answer}");
    }

    pub fn writes(&self) -> usize {
        self.control("/_sandbox/journal").as_array().unwrap().len()
    }

    /// What Halo holds, without the ids, which depend on the order of creation.
    pub fn halo(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (list, fields) in [("clients", &["name"][..]), ("licences", &["name", "count", "is_active"])] {
            for record in self.control(&format!("/_sandbox/halo/{list}")).as_array().unwrap() {
                let values: Vec<_> = fields.iter().map(|field| record[*field].to_string()).collect();
                all.push(format!("{list} {}", values.join(" ")));
            }
        }
        all.sort();
        all
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A profile that is set up for a sandbox of its own.
pub fn set_up() -> (Profile, Vendors) {
    let profile = Profile::new();
    let vendors = Vendors::start(&profile);
    let file = profile.file("settings.json");
    std::fs::write(&file, &vendors.settings).unwrap();
    profile.run(&["config", "import", &file.display().to_string()]).exits(0);
    (profile, vendors)
}

/// Slows Halo's pace down so far that a run can be met in its middle.
pub fn slow_down(profile: &Profile) {
    let pace = "{ requests = 0, per_seconds = 300, at_once = 1, spacing_ms = 60, share = 1.0 }";
    profile.run(&["config", "set", "halo.pace", pace]).exits(0);
}

pub fn start(profile: &Profile, words: &[&str]) -> Child {
    profile.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the sandbox has been written to, so that a run is in its middle.
pub fn until_written(vendors: &Vendors, child: &mut Child) {
    let patience = Instant::now() + Duration::from_secs(60);
    while vendors.writes() < 5 {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended before it was met");
        assert!(Instant::now() < patience, "the run writes nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn acting(document: &Value) -> u64 {
    ["create", "update", "link", "zero", "deactivate"]
        .iter()
        .map(|action| document["totals"][action].as_u64().unwrap())
        .sum()
}

/// Every file below a folder, as bytes.
pub fn every_file(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            every_file(&path, found);
        } else if let Ok(content) = std::fs::read(&path) {
            found.push((path.display().to_string(), content));
        }
    }
}

#[test]
fn every_command_answers_with_one_document_before_anything_is_set_up() {
    let profile = Profile::new();
    let missing = profile.file("missing").display().to_string();
    for words in [
        &["test", "halo"][..],
        &["config", "export"],
        &["config", "get", "also.username"],
        &["config", "set", "also.username", "api@msp.example"],
        &["fields", "list", "also"],
        &["jobs"],
        &["map", "list", "also", "--cached"],
        &["schedule", "list"],
        &["schedule", "list", "westcoast"],
    ] {
        let done = profile.run(&[words, &["--json"]].concat());
        assert!(done.json().get("error").is_none() || done.code != Some(0), "{words:?}: {}", done.stdout);
    }
    for words in [
        &["config", "get", "also.usrname"][..],
        &["config", "set", "also.password", "hunter2-on-the-line"],
        &["config", "import", &missing],
        &["map", "list", "also"],
        &["map", "generate", "also"],
        &["map", "set", "also", "310101", "12"],
        &["map", "unset", "also", "310101"],
        &["map", "exclude", "also", "310101"],
        &["map", "new", "also", "310101"],
        &["map", "export", "also"],
        &["map", "import", "also", &missing],
        &["plan", "also"],
        &["apply", "P1"],
        &["apply", &missing],
        &["run", "also"],
        &["job", "show", "J1"],
        &["job", "log", "J1"],
        &["job", "log", "J1", "--follow"],
        &["job", "cancel", "J1"],
        &["job", "resume", "J1"],
    ] {
        let done = profile.run(&[words, &["--json"]].concat());
        assert_ne!(done.code, Some(0), "{words:?}: {}", done.stdout);
        assert!(done.error().len() > 20);
        assert!(!format!("{}{}", done.stdout, done.stderr).contains("hunter2"), "{words:?}: {}", done.stderr);
    }
}

#[test]
fn a_plan_before_the_setup_says_what_to_do() {
    let done = Profile::new().run(&["plan", "also"]).exits(1);
    assert_eq!(done.stdout, "");
    let says =
        ["config", "enabled", "Settings", "settings", "set"].iter().any(|word| done.stderr.contains(word));
    assert!(says && done.stderr.lines().count() <= 3, "{}", done.stderr);
}

#[test]
fn an_import_from_the_settings_to_nothing_left_to_do() {
    let (profile, vendors) = set_up();
    let tested = profile.run(&["test", "also", "--json"]).exits(0).json();
    assert_eq!((&tested["integration"], &tested["ok"]), (&json!("also"), &json!(true)));
    let all = profile.run(&["test", "--json"]).exits(0).json();
    let tested: Vec<_> =
        all["tests"].as_array().unwrap().iter().map(|one| one["integration"].clone()).collect();
    assert_eq!(tested, ["halo", "also", "westcoast", "liongard", "hudu", "lifecycle"]);

    let generated = profile.run(&["map", "generate", "also", "--json"]).exits(0).json();
    let added = generated["added"].as_u64().unwrap();
    assert!(added > 0, "{generated}");
    let list = profile.run(&["map", "list", "also", "--json"]).exits(0).json();
    let rows = list["rows"].as_array().unwrap();
    let mapped = rows.iter().filter(|row| row["state"] == "mapped").count() as u64;
    assert_eq!(mapped, added);
    assert!(rows.iter().all(|row| row["source"]["id"].is_string()));
    assert!(rows.iter().any(|row| row["how"] == "exact" && row["target"]["id"].is_string()));

    let plan = profile.run(&["plan", "also", "--json"]).exits(2).json();
    assert!(acting(&plan) > 0);
    let changes = plan["changes"].as_array().unwrap();
    let sum: u64 = plan["totals"].as_object().unwrap().values().map(|number| number.as_u64().unwrap()).sum();
    assert_eq!(changes.len() as u64, sum, "every row is listed, unchanged and skipped ones too");
    assert_eq!(plan["complete"], json!({"customers": true, "subscriptions": true}));
    let create = changes.iter().find(|row| row["action"] == "create").unwrap();
    assert_eq!(create["target"], Value::Null);
    assert_eq!(create["fields"][0]["before"], Value::Null);
    assert!(!create["reasons"].as_array().unwrap().is_empty());
    assert_eq!(vendors.writes(), 0, "a plan writes nothing outside");

    let run = profile.run(&["run", "also", "--json"]).exits(3);
    let job = run.json();
    assert_eq!((&job["state"], &job["totals"]["failed"]), (&json!("partial"), &json!(0)));
    assert_eq!(acting(&job), acting(&plan));
    assert!(!job["problems"].as_array().unwrap().is_empty(), "held rows are named");
    assert!(job["finished"].as_str().unwrap().ends_with('Z'));
    assert!(!run.stderr.contains('\r'), "without a terminal progress is plain lines");

    let again = profile.run(&["plan", "also", "--json"]).exits(0).json();
    assert_eq!(acting(&again), 0, "{}", again["totals"]);

    let shown = profile.run(&["job", "show", job["job"].as_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!(shown, job);
    let jobs = profile.run(&["jobs", "--json"]).exits(0).json();
    assert_eq!((&jobs["jobs"][0]["job"], &jobs["jobs"][0]["totals"]), (&job["job"], &job["totals"]));
    let log = profile.run(&["job", "log", "J1", "--json"]).exits(0).json();
    let follow = profile.run(&["job", "log", "J1", "--json", "--follow"]).exits(0);
    let lines: Vec<Value> = follow.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), log["lines"].as_array().unwrap().len());
    assert!(lines.iter().all(|line| line["schema"] == 1));
}

#[test]
fn a_schedule_is_listed_and_its_job_can_be_run_now() {
    let (profile, _vendors) = set_up();
    profile.run(&["config", "set", "also.schedule.zone", "Europe/London"]).exits(0);
    profile.run(&["config", "set", "also.schedule.enabled", "true"]).exits(0);
    let list = profile.run(&["--json", "schedule", "list", "also"]).exits(0).json();
    let also = &list["schedules"][0];
    assert_eq!((&also["integration"], &also["enabled"]), (&json!("also"), &json!(true)));
    assert_eq!((&also["at"], &also["zone"]), (&json!("02:30"), &json!("Europe/London")));
    assert!(also["next"].as_str().is_some_and(|next| next.ends_with(":30:00Z")), "{list}");
    assert_eq!(
        (&also["last"], &also["watched"]),
        (&Value::Null, &json!(false)),
        "nobody watches in a command"
    );

    let job = profile.run(&["--json", "schedule", "run", "also"]).json();
    assert_eq!(job["integration"], "also");
    assert!(job["totals"]["create"].as_u64().is_some_and(|count| count > 0), "{job}");
    assert_eq!(job["totals"]["zero"], 0, "N16: the first scheduled run removes nothing");

    profile.run(&["config", "set", "also.schedule.entities", "[]"]).exits(0);
    let text = profile.run(&["schedule", "list"]).exits(0).stdout;
    assert!(text.contains("on, but nothing selected") && text.contains("parhelion serve"), "{text}");
    for words in [&["--json", "schedule", "run", "also"][..], &["--json", "run", "also", "--scheduled"]] {
        assert!(profile.run(words).exits(1).error().contains("schedule.entities"));
    }
    profile.run(&["--json", "schedule", "resume", "also"]).exits(0).json();
}

#[test]
fn a_plan_in_a_file_is_carried_out_only_if_it_is_the_stored_one() {
    let (profile, vendors) = set_up();
    let file = profile.file("plan.json");
    let name = file.display().to_string();
    let plan =
        profile.run(&["plan", "also", "--entity", "customers", "--out", &name, "--json"]).exits(2).json();
    assert!(plan.get("hash").is_none());
    let saved = std::fs::read_to_string(&file).unwrap();
    let mut other: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(other["plan"], plan["plan"]);

    other["hash"] = json!("0".repeat(64));
    std::fs::write(&file, other.to_string()).unwrap();
    profile.run(&["apply", &name, "--json"]).exits(1).error();
    std::fs::write(&file, "{}").unwrap();
    profile.run(&["apply", &name, "--json"]).exits(1).error();
    assert_eq!(vendors.writes(), 0);

    std::fs::write(&file, saved).unwrap();
    let job = profile.run(&["apply", &name, "--json"]).exits(3).json();
    assert_eq!((&job["plan"], acting(&job)), (&plan["plan"], acting(&plan)));
    assert!(vendors.writes() > 0);
}

#[test]
fn decisions_are_taken_by_id_and_shown_as_rows() {
    let (profile, _vendors) = set_up();
    profile.run(&["map", "generate", "also"]).exits(0);
    let list = profile.run(&["map", "list", "also", "--json"]).exits(0).json();
    let row = list["rows"].as_array().unwrap().iter().find(|row| row["state"] == "mapped").unwrap().clone();
    let (source, target) = (row["source"]["id"].as_str().unwrap(), row["target"]["id"].as_str().unwrap());
    let state = |words: &[&str]| {
        let document = profile.run(&[words, &["--json"]].concat()).exits(0).json();
        assert_eq!(document["rows"][0]["source"]["id"], source);
        document["rows"][0]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&["map", "exclude", "also", source, "--note", "left us"]), "excluded");
    assert_ne!(state(&["map", "unset", "also", source]), "excluded");
    assert_eq!(state(&["map", "new", "also", source]), "new");
    assert_eq!(state(&["map", "set", "also", source, target]), "mapped");
    let list = profile.run(&["map", "list", "also", "--cached", "--json"]).exits(0).json();
    let now = list["rows"].as_array().unwrap().iter().find(|row| row["source"]["id"] == source).unwrap();
    assert_eq!((&now["how"], &now["target"]), (&json!("manual"), &row["target"]));
    profile.run(&["map", "set", "also", "999999999", target, "--json"]).exits(1).error();
    profile.run(&["map", "set", "also", source, "999999999", "--json"]).exits(1).error();
}

/// P18: the sites of a mapped customer's partner, one of them chosen, and the main site again.
#[test]
fn the_site_of_a_mapped_customer_is_chosen_by_its_id() {
    let (profile, _vendors) = set_up();
    profile.run(&["map", "generate", "also"]).exits(0);
    let list = profile.run(&["map", "list", "also", "--json"]).exits(0).json();
    let of = |state: &str| {
        let rows = list["rows"].as_array().unwrap();
        rows.iter().find(|row| row["state"] == state).unwrap()["source"]["id"].as_str().unwrap()
    };
    let source = of("mapped");
    let sites = || profile.run(&["map", "site", "also", source, "--json"]).exits(0).json();
    let before = sites();
    assert_eq!((&before["schema"], &before["sites"][0]["chosen"]), (&json!(1), &json!(false)));
    let site = before["sites"][0]["id"].as_str().unwrap();
    let row = profile.run(&["map", "site", "also", source, site, "--json"]).exits(0).json();
    assert_eq!(row["rows"][0]["site"]["id"], site);
    assert_eq!(sites()["sites"][0]["chosen"], true);
    assert!(profile.run(&["map", "site", "also", source]).exits(0).stdout.contains("chosen"));
    let row = profile.run(&["map", "site", "also", source, "main", "--json"]).exits(0).json();
    assert_eq!((row["rows"][0].get("site"), &row["rows"][0]["state"]), (None, &json!("mapped")));
    profile.run(&["map", "site", "also", source, "999999999", "--json"]).exits(1).error();
    profile.run(&["map", "site", "also", of("unmapped"), "--json"]).exits(1).error();
}

#[test]
fn likely_partners_are_printed_best_first_and_a_pair_is_ruled_out() {
    let (profile, _vendors) = set_up();
    let document = profile.run(&["map", "suggest", "also", "--json"]).exits(0).json();
    assert_eq!((&document["schema"], &document["integration"]), (&json!(1), &json!("also")));
    let rows = document["rows"].as_array().unwrap();
    let scores = |row: &Value| -> Vec<u64> {
        row["candidates"].as_array().unwrap().iter().map(|one| one["score"].as_u64().unwrap()).collect()
    };
    let row = rows.iter().find(|row| !scores(row).is_empty()).expect("somebody has a likely partner");
    let best = &row["candidates"][0];
    assert!(best["id"].is_string() && best["name"].is_string() && best["why"][0].is_string(), "{best}");
    assert!(rows.iter().all(|row| scores(row).len() <= 3));
    let (source, target) = (row["source"]["id"].as_str().unwrap(), best["id"].as_str().unwrap());
    let rejected = profile.run(&["map", "reject", "also", source, target, "--json"]).exits(0).json();
    assert_eq!(rejected["rows"][0]["state"], "unmapped");
    let again = profile.run(&["map", "suggest", "also", "--json"]).exits(0).json();
    let row = again["rows"].as_array().unwrap().iter().find(|row| row["source"]["id"] == source).unwrap();
    assert!(row["candidates"].as_array().unwrap().iter().all(|one| one["id"] != target));
    let told = profile.run(&["map", "suggest", "also"]).exits(0).stdout;
    assert!(told.contains("score") && told.contains("Halo id"));
    let told = profile.run(&["map", "suggest", "hudu"]).exits(0).stdout;
    assert!(told.contains("Hudu company") && !told.contains("Halo id"), "{told}");
}

#[test]
fn mappings_make_the_round_trip_and_bad_lines_are_named() {
    let (profile, _vendors) = set_up();
    profile.run(&["map", "generate", "also"]).exits(0);
    let file = profile.file("map.csv");
    let name = file.display().to_string();
    let rows =
        profile.run(&["map", "export", "also", &name, "--json"]).exits(0).json()["rows"].as_u64().unwrap();
    let csv = std::fs::read_to_string(&file).unwrap();
    assert!(csv.starts_with("source_id,source_name,target_id,target_name,state,note\n"));
    assert_eq!(profile.run(&["map", "export", "also"]).exits(0).stdout, csv);

    let import = |more: &[&str]| profile.run(&[&["map", "import", "also", &name, "--json"], more].concat());
    let same = import(&[]).exits(0).json();
    assert_eq!((&same["added"], &same["changed"]), (&json!(0), &json!(0)), "{same}");
    assert_eq!(same["unchanged"], rows);

    std::fs::write(&file, csv.replace(",mapped,", ",excluded,")).unwrap();
    let diff = import(&["--dry-run"]).exits(0).json();
    assert!(diff["changed"].as_u64().unwrap() > 0 && !diff["diff"].as_array().unwrap().is_empty());
    std::fs::write(&file, &csv).unwrap();
    assert_eq!(import(&["--dry-run"]).exits(0).json()["changed"], 0, "a dry run changes nothing");

    // P53: a file of another profile has other ids; by their names its rows are the same.
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    let mut foreign = csv::Writer::from_writer(Vec::new());
    foreign.write_record(table.headers().unwrap()).unwrap();
    for row in table.records().map(Result::unwrap) {
        let mut cells: Vec<String> = row.iter().map(str::to_owned).collect();
        cells[0].insert_str(0, "7700");
        if !cells[2].is_empty() {
            cells[2].insert_str(0, "8800");
        }
        foreign.write_record(&cells).unwrap();
    }
    foreign.write_record(["1", "Nobody Here", "2", "Nor There", "mapped", ""]).unwrap();
    std::fs::write(&file, foreign.into_inner().unwrap()).unwrap();
    let by_id = import(&["--dry-run"]).exits(1).json();
    assert!(by_id["error"]["remedy"].as_str().unwrap().contains("--by-name"), "{by_id}");
    let by_name = import(&["--by-name"]).exits(0).json();
    assert_eq!((&by_name["added"], &by_name["changed"]), (&json!(0), &json!(0)), "{by_name}");
    assert!(by_name["unchanged"].as_u64().unwrap() > 0, "{by_name}");
    let said = by_name["diff"].to_string();
    assert!(said.contains("has no customer named 'Nobody Here'"), "{said}");

    std::fs::write(&file, format!("{csv}999999999,Nobody,,,excluded,\n,Blank,,,new,\n")).unwrap();
    let bad = import(&[]).exits(1).json();
    assert!(!bad["errors"].as_array().unwrap().is_empty() && bad["error"]["message"].is_string(), "{bad}");
    let lines: Vec<_> =
        bad["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64()).collect();
    assert_eq!(lines, [Some(rows + 2), Some(rows + 3)], "an unknown id and a blank one: each line is told");
    std::fs::write(&file, b"source_id,source_name\n310101,M\xFCller\n").unwrap();
    let bad = import(&[]).exits(1).json();
    assert_eq!(bad["errors"][0]["line"], 2, "{bad}");

    let sheet = profile.file("map.xlsx").display().to_string();
    profile.run(&["map", "export", "also", &sheet]).exits(0);
    let same = profile.run(&["map", "import", "also", &sheet, "--dry-run", "--json"]).exits(0).json();
    assert_eq!((&same["unchanged"], &same["changed"], &same["added"]), (&json!(rows), &json!(0), &json!(0)));
    std::fs::write(&sheet, "source_id\n").unwrap();
    let bad = profile.run(&["map", "import", "also", &sheet, "--json"]).exits(1).json();
    assert!(bad["errors"][0]["message"].as_str().unwrap().starts_with("the spreadsheet cannot be read"));
}

#[test]
fn settings_go_out_and_in_again_without_their_secrets() {
    let (profile, _vendors) = set_up();
    let export = profile.run(&["config", "export"]).exits(0).stdout;
    let file = profile.file("again.toml");
    std::fs::write(&file, &export).unwrap();
    let again = profile.run(&["config", "import", &file.display().to_string(), "--json"]).exits(0).json();
    assert_eq!(again["changed"], json!([]), "{again}");
    assert_eq!(profile.run(&["config", "get", "also.enabled"]).exits(0).stdout, "true\n");
    assert_eq!(profile.run(&["config", "get", "also.enabled", "--json"]).exits(0).json()["value"], true);
    assert!(profile.run(&["config", "export", "--json"]).exits(0).json()["settings"]["halo"].is_object());
    for secret in SECRETS {
        assert!(!export.contains(secret));
    }
}

#[test]
fn a_wrong_password_exits_5_and_is_never_said() {
    let (profile, _vendors) = set_up();
    let mut child = profile
        .command(&["secret", "set", "also.password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"planted-wrong-password\n").unwrap();
    let set = Done::of(&["secret", "set"], &child.wait_with_output().unwrap()).exits(0);
    let test = profile.run(&["test", "also", "--json"]).exits(5);
    let plan = profile.run(&["plan", "also", "--json"]).exits(5);
    plan.error();
    for done in [set, test, plan] {
        assert!(!format!("{}{}", done.stdout, done.stderr).contains("planted"), "{}", done.words);
    }
}

#[test]
fn while_one_process_runs_another_gets_6() {
    let (profile, vendors) = set_up();
    slow_down(&profile);
    let mut run = start(&profile, &["run", "also"]);
    until_written(&vendors, &mut run);
    let done = profile.run(&["jobs", "--json"]).exits(6);
    assert!(done.error().contains(&run.id().to_string()), "it names who holds it: {}", done.stdout);
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn an_interrupt_stops_after_the_record_in_hand_and_exits_130() {
    let (profile, vendors) = set_up();
    slow_down(&profile);
    let words = ["run", "also", "--json"];
    let mut run = start(&profile, &words);
    until_written(&vendors, &mut run);
    signal(&run, Signal::INT);
    let done = Done::of(&words, &run.wait_with_output().unwrap()).exits(130);
    let job = done.json();
    assert_eq!(job["state"], "interrupted");
    assert!(job["totals"]["not_done"].as_u64().unwrap() > 0);
    let resume = format!("parhelion job resume {}", job["job"].as_str().unwrap());
    assert!(done.stderr.contains(&resume), "{}", done.stderr);
    let cancelled = profile.run(&["job", "cancel", job["job"].as_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!(cancelled["state"], "cancelled");
}

#[test]
fn a_killed_run_is_resumed_to_the_same_end_and_no_secret_is_left_anywhere() {
    let (undisturbed, there) = set_up();
    let whole = undisturbed.run(&["run", "also", "--json"]).exits(3).json();

    let (profile, here) = set_up();
    slow_down(&profile);
    let mut run = start(&profile, &["run", "also", "--json"]);
    until_written(&here, &mut run);
    run.kill().unwrap();
    let killed = run.wait_with_output().unwrap();
    let jobs = profile.run(&["jobs", "--json"]).exits(0).json();
    assert_eq!(jobs["jobs"][0]["state"], "interrupted", "{jobs}");
    let resumed = profile.run(&["job", "resume", "J1", "--json"]).exits(3);
    assert_eq!(resumed.json()["totals"], whole["totals"]);
    assert_eq!(here.halo(), there.halo());
    let plan = profile.run(&["plan", "also", "--json"]).exits(0);
    assert_eq!(acting(&plan.json()), 0);

    let mut files = Vec::new();
    every_file(&profile.file("state"), &mut files);
    every_file(&profile.file("config"), &mut files);
    assert!(files.len() > 3, "there is something to search");
    files.push(("standard output and error".into(), [killed.stdout, killed.stderr].concat()));
    for done in [&resumed, &plan] {
        files.push((done.words.clone(), format!("{}{}", done.stdout, done.stderr).into_bytes()));
    }
    for (name, content) in files {
        let text = String::from_utf8_lossy(&content);
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {name}");
        }
    }
}

/// A narrow run, the rows as files, what waits, trying again, and taking the import back.
#[test]
fn a_job_is_narrowed_exported_tried_again_and_taken_back() {
    let (profile, vendors) = set_up();
    let before = vendors.halo();
    profile.run(&["map", "generate", "also"]).exits(0);

    let rows = profile.run(&["--json", "map", "list", "also"]).json();
    let mapped = rows["rows"].as_array().unwrap().iter().find(|row| row["state"] == "mapped").unwrap();
    let id = mapped["source"]["id"].as_str().unwrap();
    let narrow = profile.run(&["--json", "plan", "also", "--customer", id]).json();
    assert_eq!(narrow["narrow"]["customers"], json!([id]));
    let mut customers =
        narrow["changes"].as_array().unwrap().iter().filter(|row| row["entity"] == "customers");
    assert!(customers.all(|row| row["source"]["id"] == id), "{narrow}");
    let wrong = profile.run(&["--json", "plan", "also", "--customer", "4711"]).exits(1);
    assert!(wrong.error().contains("has no customer 4711"));

    let run = profile.run(&["--json", "run", "also"]).json();
    let job = run["job"].as_str().unwrap().to_owned();
    assert!(acting(&run) > 0 && run["totals"]["held"].as_u64().unwrap() > 0, "{run}");
    let after = vendors.halo();
    assert_ne!(after, before);

    let (failed, done) = (profile.file("failed.csv"), profile.file("done.csv"));
    let (failed, done) = (failed.display().to_string(), done.display().to_string());
    let export = ["--json", "job", "export", &job, "--failed", &failed, "--done", &done];
    let files = profile.run(&export).exits(0).json();
    assert_eq!(files["files"][1]["rows"].as_u64().unwrap(), acting(&run));
    let text = std::fs::read_to_string(&failed).unwrap();
    assert_eq!(text.lines().count() as u64, 1 + files["files"][0]["rows"].as_u64().unwrap());
    assert!(text.starts_with("row,entity,action,result,source_id,"), "{text}");
    profile.run(&["job", "export", &job]).exits(64);

    let issues = profile.run(&["--json", "jobs", "--issues"]).exits(0).json();
    assert_eq!(issues["open"], run["totals"]["held"], "{issues}");
    assert!(profile.run(&["jobs", "--issues"]).exits(0).stdout.contains("look-alike"));

    let retry = profile.run(&["--json", "job", "retry", &job]).json();
    assert_eq!(retry["retry_of"], json!(job));
    assert_eq!(acting(&retry), 0, "what was held is held still: {retry}");
    assert_eq!(retry["totals"]["held"], run["totals"]["held"]);

    let plan = profile.run(&["--json", "job", "undo", &job, "--plan-only"]).exits(2).json();
    assert_eq!(plan["undo_of"], json!(job));
    assert!(plan["remarks"][0].as_str().unwrap().contains("all again"), "{plan}");
    assert_eq!(vendors.halo(), after, "only planned");
    let undo = profile.run(&["--json", "job", "undo", &job, "--allow-removals"]).exits(0).json();
    assert_eq!((undo["undo_of"].clone(), undo["state"].clone()), (json!(job), json!("ok")), "{undo}");
    let now = vendors.halo();
    let gone: Vec<_> = before.iter().filter(|record| !now.contains(record)).collect();
    assert!(gone.is_empty(), "not as before: {gone:?}");
    assert!(profile.run(&["--json", "job", "undo", "J99"]).exits(1).error().contains("no job J99"));
    assert!(profile.run(&["job", "pause", &job]).exits(1).stderr.contains("nothing to do"));
}

#[test]
fn a_demonstration_leaves_a_result_and_nothing_else() {
    let profile = Profile::new();
    let demo = profile.run(&["demo", "--headless", "--json"]).exits(0).json();
    let jobs = demo["jobs"].as_array().unwrap();
    let of: Vec<_> = jobs.iter().map(|job| job["integration"].as_str().unwrap()).collect();
    assert_eq!(of, ["also", "westcoast", "liongard", "hudu", "lifecycle"]);
    for job in jobs {
        assert_eq!(job["totals"]["failed"], 0);
        assert!(acting(job) > 0);
    }
    assert!(jobs[0]["totals"]["unchanged"].as_u64().unwrap() > jobs[0]["totals"]["link"].as_u64().unwrap());
    let left: Vec<_> =
        std::fs::read_dir(profile.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("parhelion-demo")), "{left:?}");
}

#[test]
fn an_interrupted_demonstration_removes_its_folder() {
    let profile = Profile::new();
    let demo = start(&profile, &["demo", "--headless", "--size", "medium"]);
    let has_folder = || {
        let mut names = std::fs::read_dir(profile.folder.path()).unwrap();
        names.any(|entry| entry.unwrap().file_name().to_string_lossy().contains("parhelion-demo"))
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while !has_folder() {
        assert!(Instant::now() < patience, "the demonstration makes no folder");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    signal(&demo, Signal::INT);
    demo.wait_with_output().unwrap();
    assert!(!has_folder());
}

#[test]
fn a_fault_file_that_is_none_is_refused() {
    let profile = Profile::new();
    std::fs::write(profile.file("faults.toml"), "[[nowhere]]\nkind = 3\n").unwrap();
    let file = profile.file("faults.toml").display().to_string();
    let done = profile.run(&["sandbox", "--faults", &file, "--json"]).exits(1);
    assert!(done.json()["error"]["message"].as_str().unwrap().contains("faults.toml"));
}

#[test]
fn issues_are_put_aside_and_taken_up_again() {
    let (profile, _vendors) = set_up();
    let job = profile.run(&["run", "also", "--json"]).json();
    let id = job["problems"][0]["source"]["id"].as_str().expect("a held row").to_owned();
    let open = |profile: &Profile| profile.run(&["jobs", "--issues", "--json"]).exits(0).json();
    let before = open(&profile);
    profile.run(&["job", "issue", "dismiss", "also", "no-such-id", "--json"]).exits(1).error();
    let after = profile.run(&["job", "issue", "dismiss", "also", &id, "--json"]).exits(0).json();
    assert!(after["open"].as_u64() < before["open"].as_u64(), "{after}");
    assert!(after["aside"].as_u64() > before["aside"].as_u64());
    profile.run(&["job", "issue", "reopen", "also", &id]).exits(0);
    assert_eq!(open(&profile)["open"], before["open"]);
    profile.run(&["job", "issue", "snooze", "also", &id, "--until", "2100-01-01"]).exits(0);
    assert_eq!(open(&profile)["open"], after["open"]);
    profile.run(&["job", "issue", "snooze", "also", &id]).exits(64);
    // Only a jump is let through (N8).
    profile.run(&["job", "issue", "reopen", "also", &id]).exits(0);
    let refused = profile.run(&["job", "issue", "release", "also", &id, "--json"]).exits(1).error();
    assert!(refused.contains("does not wait for a jump"), "{refused}");
    assert_eq!(open(&profile)["open"], before["open"]);
    profile.run(&["run", "also", "--urgent", "--scheduled"]).exits(64);
}
