//! What whole imports are measured with: the sandbox in a process of its own, a home, a second run in its own process.

// Each bench uses its part of it.
#![allow(dead_code)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parhelion::api::http::Transport;
use parhelion::host::words::{Command, Event, JobReport, JobState, Phase, Reply, SettingChange};
use parhelion::host::{Handle, Home, Options};
use parhelion::model::Integration;
use parhelion::store::{KeySource, Places};

/// The sandbox, ended with this.
pub struct Vendors {
    process: Child,
    /// Settings that lead to it.
    pub document: serde_json::Value,
}

impl Vendors {
    pub fn start(size: &str) -> Self {
        let mut process = Process::new(env!("CARGO_BIN_EXE_parhelion"))
            .args(["sandbox", "--size", size])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("its first line");
        Self { process, document: serde_json::from_str(&line).expect("a document") }
    }

    pub fn url(&self, path: &str) -> String {
        let resource = self.document["halo"]["resource_server"].as_str().expect("an address");
        format!("{}/_sandbox/{path}", resource.trim_end_matches("/api"))
    }

    pub async fn control(&self, path: &str) -> serde_json::Value {
        let text = reqwest::get(self.url(path)).await.expect("an answer").text().await.expect("an answer");
        serde_json::from_str(&text).expect("a document")
    }

    /// Requests that changed something, so far.
    pub async fn writes(&self) -> usize {
        let journal = self.control("journal").await;
        let applied = |write: &&serde_json::Value| write["applied"] == true;
        journal.as_array().map_or(0, |writes| writes.iter().filter(applied).count())
    }

    /// When each request to a host came, in ms.
    pub async fn sends(&self, host: &str) -> Vec<f64> {
        let counts = self.control("requests").await;
        let sent = counts[host]["sent_ms"].as_array().cloned().unwrap_or_default();
        sent.iter().filter_map(serde_json::Value::as_f64).collect()
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The size named on the command line; `None` where this is not `cargo bench`, which alone measures.
pub fn size() -> Option<String> {
    let size = std::env::args().find(|a| ["small", "medium", "large"].contains(&a.as_str()));
    std::env::args().any(|a| a == "--bench").then(|| size.unwrap_or_else(|| "large".into()))
}

/// A home in a folder of its own, with the sandbox's settings.
pub async fn home(folder: &Path, vendors: &Vendors, transport: Arc<dyn Transport>) -> Home {
    let places = Places::within(folder, "bench").expect("places");
    let key = KeySource::File(places.key_file.clone());
    let options = Options { command: "bench".into(), ..Options::default() };
    let opening = tokio::task::spawn_blocking(move || Home::open_at(places, key, &options, transport));
    let home = opening.await.expect("no panic").expect("a home");
    let text = vendors.document.to_string();
    home.handle().send(Command::ImportSettings { text }).await.expect("settings");
    home
}

pub async fn set(handle: &Handle, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    handle.send(Command::Set { changes: vec![change] }).await.expect("a setting");
}

/// Runs an import to its end; prints how long it was in which phase.
pub async fn run(handle: &Handle, integration: Integration) -> JobReport {
    let (began, mut phases) = (Instant::now(), Vec::<(String, f64)>::new());
    let mut events = handle.subscribe();
    let command = Command::Run {
        integration,
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
                phases.push(("end".into(), began.elapsed().as_secs_f64()));
                for pair in phases.windows(2) {
                    println!("  {:.1} s {}", pair[1].1 - pair[0].1, pair[0].0);
                }
                return *report;
            }
            Ok(Event::Progress(progress)) => {
                let phase = match &progress.phase {
                    Phase::Reading { what, .. } => format!("reading {what}"),
                    Phase::Verifying { what } => format!("verifying {what}"),
                    other => format!("{other:?}").to_lowercase(),
                };
                if phases.last().is_none_or(|(last, _)| *last != phase) {
                    phases.push((phase, began.elapsed().as_secs_f64()));
                }
            }
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Peak memory of a process in MiB, as the kernel counts it.
pub fn peak(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Processor time of a process in seconds, its own and the kernel's for it; 0 for one that is gone.
pub fn spent(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Runs an import by the program itself; prints its totals, processor time and peak memory.
pub fn again(places: &Places, integration: Integration) {
    let child = Process::new(env!("CARGO_BIN_EXE_parhelion"))
        .args(["run", integration.key(), "--json", "--quiet", "--profile", "bench", "--data-dir"])
        .arg(&places.data)
        .arg("--key-file")
        .arg(&places.key_file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the second run");
    let pid = child.id().to_string();
    let (mut most, mut spent) = (0.0_f64, 0.0_f64);
    // The kernel's own counters, read until they are gone with the process.
    while let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        most = most.max(peak(&pid));
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            break;
        }
        spent = self::spent(&pid);
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its document");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    println!("second import: {}", report["totals"]);
    println!("  its whole process, network included: {spent:.1} s of processor, peak {most:.0} MiB");
}

/// Prints how much of windows of 300 in 10 s was used, and the most in any.
pub fn window(sends: &[f64]) {
    let inside = |from: f64| sends.iter().filter(|t| (from..from + 10_000.0).contains(*t)).count();
    let most = sends.iter().map(|t| inside(*t)).max().unwrap_or(0);
    let (Some(first), Some(last)) = (sends.first(), sends.last()) else { return };
    let windows = ((last - first) / 10_000.0).floor();
    let whole = sends.iter().filter(|t| **t < first + windows * 10_000.0).count();
    println!(
        "window of 300 in 10 s, share 1: {whole} sends in {windows} windows ({:.1} % used), at most {most} in any window",
        whole as f64 / (windows * 300.0) * 100.0,
    );
}

/// The pace that [`window`] is about.
pub const PACE: &str = "{ requests = 300, per_seconds = 10, at_once = 8, spacing_ms = 0, share = 1.0 }";
