//! Whole imports against the sandbox in a process of its own.
//!
//! `cargo bench --bench import` prints, for the large sandbox (or `-- medium`):
//! - the first import, beside a bare loop that sends the same requests at the same concurrency;
//! - the second import, which must write nothing, with this process's processor time and peak memory;
//! - how much of a request window is used, and that no window is exceeded.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use parhelion::api::http::{RealTransport, Request, Response, SendError, Transport};
use parhelion::host::words::{Command, Event, JobReport, JobState, Phase, Reply, SettingChange};
use parhelion::host::{Handle, Home, Options};
use parhelion::model::Integration;
use parhelion::store::{KeySource, Places};

/// Answers of the bare loop that were no success: it must do the same work.
static REFUSED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Passes requests on and remembers them.
struct Recorder {
    real: RealTransport,
    sent: Mutex<Vec<Request>>,
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.sent.lock().expect("no panic holds it").push(request.clone());
        self.real.send(request).boxed()
    }
}

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

    fn control(&self, path: &str) -> String {
        let resource = self.document["halo"]["resource_server"].as_str().expect("an address");
        format!("{}/_sandbox/{path}", resource.trim_end_matches("/api"))
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs an import to its end; says how long it was in which phase.
async fn run(handle: &Handle) -> JobReport {
    let (began, mut phases) = (Instant::now(), Vec::<(String, f64)>::new());
    let mut events = handle.subscribe();
    let command = Command::Run {
        integration: Integration::Also,
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

async fn set(handle: &Handle, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    handle.send(Command::Set { changes: vec![change] }).await.expect("a setting");
}

/// The second import in a process of its own: nothing to write, its processor time and peak memory.
fn second(places: &Places, key_file: &std::path::Path) {
    let program = env!("CARGO_BIN_EXE_parhelion");
    let child = Process::new(program)
        .args(["run", "also", "--json", "--quiet", "--profile", "bench", "--data-dir"])
        .arg(&places.data)
        .arg("--key-file")
        .arg(key_file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the second run");
    let pid = child.id();
    let mut peak = 0.0_f64;
    let mut spent = 0.0_f64;
    // The kernel's own counters, read until they are gone with the process.
    while let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) {
        let now = status
            .lines()
            .find_map(|l| l.strip_prefix("VmHWM:"))
            .and_then(|l| l.split_whitespace().next()?.parse().ok());
        peak = peak.max(now.unwrap_or(0.0) / 1024.0);
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            break;
        }
        spent = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum::<f64>() / 100.0;
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its document");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    println!("second import: {}", report["totals"]);
    println!("  its whole process, network included: {spent:.1} s of processor, peak {peak:.0} MiB");
}

/// The same requests, as fast as a bare client sends them at the same concurrency. Tokens are those of its own sign-ins.
async fn bare(requests: Vec<Request>, at_once: usize) -> Duration {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let tokens: Mutex<[String; 2]> = Mutex::default();
    let began = Instant::now();
    // Sign-ins first, in their order; then the rest.
    let (sign_ins, rest): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|r| r.url.path().ends_with("/token") || r.url.path().ends_with("GetSessionToken"));
    for request in sign_ins {
        let halo = request.url.path().ends_with("/token");
        let answer = send(&client, request, &tokens).await;
        let token = if halo {
            let json: serde_json::Value = serde_json::from_slice(&answer).expect("a token");
            format!("Bearer {}", json["access_token"].as_str().expect("a token"))
        } else {
            let text: String = serde_json::from_slice(&answer).expect("a token");
            format!("CCPSessionId {text}")
        };
        tokens.lock().expect("no panic")[usize::from(!halo)] = token;
    }
    stream::iter(rest)
        .map(|request| send(&client, request, &tokens))
        .buffer_unordered(at_once)
        .for_each(|_| std::future::ready(()))
        .await;
    began.elapsed()
}

async fn send(client: &reqwest::Client, request: Request, tokens: &Mutex<[String; 2]>) -> Vec<u8> {
    let mut call = client.request(request.method.clone(), request.url.clone());
    let [halo, market] = tokens.lock().expect("no panic").clone();
    for (name, value) in &request.headers {
        call = match name.as_str() {
            "authorization" => call.header(name, halo.as_str()),
            "authenticate" => call.header(name, market.as_str()),
            _ => call.header(name, value),
        };
    }
    if let Ok(answer) = call.body(request.body).send().await {
        if !answer.status().is_success() {
            REFUSED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        answer.bytes().await.map(|b| b.to_vec()).unwrap_or_default()
    } else {
        REFUSED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Vec::new()
    }
}

fn main() {
    let size = std::env::args()
        .find(|a| ["small", "medium", "large"].contains(&a.as_str()))
        .unwrap_or("large".into());
    // `cargo test` builds and starts benches too; only `cargo bench` measures.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let vendors = Vendors::start(&size);
    let folder = tempfile::tempdir().expect("a folder");
    let places = Places::within(folder.path(), "bench").expect("places");
    let key = KeySource::File(places.key_file.clone());
    let recorder = Arc::new(Recorder { real: RealTransport::new(), sent: Mutex::default() });
    let home = Home::open_at(places.clone(), key.clone(), &as_bench(), recorder.clone()).expect("a home");
    let handle = home.handle();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let at_once = vendors.document["halo"]["pace"]["at_once"].as_u64().unwrap_or(4) as usize;

    let first = runtime.block_on(async {
        let text = vendors.document.to_string();
        handle.send(Command::ImportSettings { text }).await.expect("settings");
        let began = Instant::now();
        let report = run(&handle).await;
        (report, began.elapsed())
    });
    let sent = std::mem::take(&mut *recorder.sent.lock().expect("no panic"));
    println!(
        "first import, {size}: {:.1} s, {} requests, {:?}",
        first.1.as_secs_f64(),
        sent.len(),
        first.0.totals
    );
    home.close();
    second(&places, &places.key_file);

    let bare = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.post(vendors.control("reset")).body("{}").send().await.expect("a reset");
        bare(sent, at_once).await
    });
    println!(
        "the same requests in a bare loop, {at_once} at once: {:.1} s, {} refused; ratio {:.2}",
        bare.as_secs_f64(),
        REFUSED.load(std::sync::atomic::Ordering::Relaxed),
        first.1.as_secs_f64() / bare.as_secs_f64()
    );
    drop(vendors);

    window(&runtime);
}

fn as_bench() -> Options {
    Options { command: "bench".into(), ..Options::default() }
}

/// A window of 300 requests in 10 s, all of it ours: how much is used, and whether any window holds more.
fn window(runtime: &tokio::runtime::Runtime) {
    let vendors = Vendors::start("medium");
    let folder = tempfile::tempdir().expect("a folder");
    let places = Places::within(folder.path(), "bench").expect("places");
    let key = KeySource::File(places.key_file.clone());
    let home = Home::open_at(places, key, &as_bench(), Arc::new(RealTransport::new())).expect("a home");
    let handle = home.handle();
    let sends: Vec<f64> = runtime.block_on(async {
        let text = vendors.document.to_string();
        handle.send(Command::ImportSettings { text }).await.expect("settings");
        set(
            &handle,
            "halo.pace",
            "{ requests = 300, per_seconds = 10, at_once = 8, spacing_ms = 0, share = 1.0 }",
        )
        .await;
        let _ = tokio::time::timeout(Duration::from_secs(62), run(&handle)).await;
        let text =
            reqwest::get(vendors.control("requests")).await.expect("counts").text().await.expect("counts");
        let document: serde_json::Value = serde_json::from_str(&text).expect("counts");
        let sent = document["halo"]["sent_ms"].as_array().cloned().unwrap_or_default();
        sent.iter().filter_map(serde_json::Value::as_f64).collect()
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
