//! Halo to Hudu against the sandbox in a process of its own.
//!
//! `cargo bench --bench hudu` prints, for the large sandbox (5,000 companies, 15,000 sites, 50,000 users; or
//! `-- medium`): the first import with its peak memory, the second, which must write nothing, in a process of its own,
//! and how much of a request window is used.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parhelion::api::http::RealTransport;
use parhelion::host::words::{
    Answer, Command, Event, JobReport, JobState, MapFilter, MapState, Query, Reply, SettingChange,
};
use parhelion::host::{Handle, Home, Options};
use parhelion::model::{Decision, Integration, Place};
use parhelion::store::{KeySource, Places};

const HUDU: Integration = Integration::Hudu;

struct Vendors {
    process: Child,
    document: serde_json::Value,
}

impl Vendors {
    fn start(size: &str) -> Self {
        let mut process = Process::new(env!("CARGO_BIN_EXE_parhelion"))
            .args(["sandbox", "--size", size])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("its first line");
        Self { process, document: serde_json::from_str(&line).expect("a document") }
    }

    async fn control(&self, path: &str) -> serde_json::Value {
        let resource = self.document["halo"]["resource_server"].as_str().expect("an address");
        let url = format!("{}/_sandbox/{path}", resource.trim_end_matches("/api"));
        let text = reqwest::get(url).await.expect("an answer").text().await.expect("an answer");
        serde_json::from_str(&text).expect("a document")
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Settings, tests, and a decision about every customer that has something for Hudu: matched, or new.
async fn prepare(handle: &Handle, vendors: &Vendors, companies: usize) {
    let text = vendors.document.to_string();
    handle.send(Command::ImportSettings { text }).await.expect("settings");
    for place in [Place::Halo, Place::Of(HUDU)] {
        let test = Command::Test { place, draft: Vec::new(), secrets: Vec::new() };
        let Ok(Reply::Tested(report)) = handle.send(test).await else { panic!("no test") };
        assert!(report.ok, "{:?}", report.checks);
    }
    handle.send(Command::ReadCustomers { integration: HUDU }).await.expect("both sides");
    let Ok(Reply::Generated(made)) = handle.send(Command::Generate { integration: HUDU }).await else {
        panic!("no mappings")
    };
    let filter = MapFilter { states: [MapState::Unmapped].into(), ..MapFilter::default() };
    let query = Query::MapOrder { integration: HUDU, filter, by_target: false };
    let Ok(Answer::MapOrder(order)) = handle.ask(query).await else { panic!("no order") };
    let mut ids = order.ids;
    // Halo's first customers are those with sites, users and contracts of their own.
    ids.sort_by_key(|id| id.as_str().parse::<u64>().unwrap_or(u64::MAX));
    let new = companies.saturating_sub(made.added as usize);
    let decisions = ids.into_iter().take(new).map(|id| (id, Decision::New)).collect();
    handle.send(Command::Decide { integration: HUDU, decisions }).await.expect("decisions");
}

async fn run(handle: &Handle) -> JobReport {
    let mut events = handle.subscribe();
    let command = Command::Run {
        integration: HUDU,
        entities: Vec::new(),
        scheduled: false,
        allow_removals: false,
        purpose: parhelion::plan::Purpose::Whole,
        urgent: false,
    };
    let Reply::Started(job) = handle.send(command).await.expect("a job") else { panic!("no job") };
    loop {
        match events.recv().await {
            Ok(Event::Job(report)) if report.job == job && report.state != JobState::Running => {
                return *report;
            }
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Peak memory of a process in MiB, as the kernel counts it.
fn peak(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn main() {
    let size = std::env::args().find(|a| ["small", "medium", "large"].contains(&a.as_str()));
    let size = size.unwrap_or("large".into());
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let companies = match size.as_str() {
        "small" => 40,
        "medium" => 500,
        _ => 5_000,
    };
    let vendors = Vendors::start(&size);
    let folder = tempfile::tempdir().expect("a folder");
    let places = Places::within(folder.path(), "bench").expect("places");
    let key = KeySource::File(places.key_file.clone());
    let home = Home::open_at(
        places.clone(),
        key,
        &Options { command: "bench".into(), ..Options::default() },
        Arc::new(RealTransport::new()),
    )
    .expect("a home");
    let handle = home.handle();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let (report, took) = runtime.block_on(async {
        prepare(&handle, &vendors, companies).await;
        let began = Instant::now();
        (run(&handle).await, began.elapsed())
    });
    println!(
        "first import, {size}: {:.1} s, {:?}, peak {:.0} MiB",
        took.as_secs_f64(),
        report.totals,
        peak("self")
    );
    home.close();
    let writes = |runtime: &tokio::runtime::Runtime| {
        let journal = runtime.block_on(vendors.control("journal"));
        let applied = |write: &&serde_json::Value| write["applied"] == true;
        journal.as_array().map_or(0, |writes| writes.iter().filter(applied).count())
    };
    let before = writes(&runtime);
    let mut child = Process::new(env!("CARGO_BIN_EXE_parhelion"))
        .args(["run", "hudu", "--json", "--quiet", "--profile", "bench", "--data-dir"])
        .arg(&places.data)
        .arg("--key-file")
        .arg(&places.key_file)
        .stdout(Stdio::null())
        .spawn()
        .expect("the second run");
    let (id, mut most) = (child.id().to_string(), 0.0_f64);
    while child.try_wait().expect("its state").is_none() {
        most = most.max(peak(&id));
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("second import: {} writes, peak {most:.0} MiB", writes(&runtime) - before);
    drop(vendors);
    window(&runtime);
}

/// A window of 300 requests in 10 s, all of it ours: how much is used, and whether any window holds more.
fn window(runtime: &tokio::runtime::Runtime) {
    let vendors = Vendors::start("medium");
    let folder = tempfile::tempdir().expect("a folder");
    let places = Places::within(folder.path(), "bench").expect("places");
    let key = KeySource::File(places.key_file.clone());
    let home = Home::open_at(
        places,
        key,
        &Options { command: "bench".into(), ..Options::default() },
        Arc::new(RealTransport::new()),
    )
    .expect("a home");
    let handle = home.handle();
    let sends: Vec<f64> = runtime.block_on(async {
        prepare(&handle, &vendors, 500).await;
        let value = "{ requests = 300, per_seconds = 10, at_once = 8, spacing_ms = 0, share = 1.0 }";
        let change = SettingChange { key: "hudu.pace".into(), value: Some(value.into()) };
        handle.send(Command::Set { changes: vec![change] }).await.expect("a setting");
        let before = vendors.control("requests").await["hudu"]["sent_ms"].as_array().map_or(0, Vec::len);
        let _ = tokio::time::timeout(Duration::from_secs(62), run(&handle)).await;
        let sent =
            vendors.control("requests").await["hudu"]["sent_ms"].as_array().cloned().unwrap_or_default();
        sent.iter().skip(before).filter_map(serde_json::Value::as_f64).collect()
    });
    home.close();
    let most = sends
        .iter()
        .enumerate()
        .map(|(at, t)| sends[at..].iter().take_while(|u| **u < t + 10_000.0).count())
        .max();
    let (Some(first), Some(last)) = (sends.first(), sends.last()) else { return };
    let windows = ((last - first) / 10_000.0).floor();
    let whole = sends.iter().filter(|t| **t < first + windows * 10_000.0).count();
    println!(
        "window of 300 in 10 s, share 1: {whole} sends in {windows} windows ({:.1} % used), at most {} in any window",
        whole as f64 / (windows * 300.0) * 100.0,
        most.unwrap_or(0)
    );
}
