//! The mapping table of a large tenant, asked as a screen asks it.
//!
//! `cargo bench --bench mappings [-- CUSTOMERS]` (10,000 unless told) prints how long a key of the filter takes, the
//! new ranking after one decision, a screen of rows, and what all of it holds in memory. Vendors and disk are simulated;
//! the engine, its index in memory and the way to it are as in life.

mod companies;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parhelion::api::http::{Request, Response, SendError, SendErrorKind, Transport};
use parhelion::engine::book::Book;
use parhelion::engine::world::World;
use parhelion::engine::{Engine, Protocol, desk};
use parhelion::host::Handle;
use parhelion::host::words::{Answer, Command, MapFilter, MapOrderView, Query, Reply};
use parhelion::model::{Decision, Installation, Integration, SourceId};
use parhelion::sandbox::{self, Brand, Quirks, Sandbox};
use parhelion::store::trail::{Options, SimulatedDisk, Sync};
use parhelion::store::{KeySource, MemoryIndex, Places, Trail, Vault};
use serde_json::json;
use tower::ServiceExt;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const ALSO: Integration = Integration::Also;
const SEED: u64 = 20_261_121;

/// Requests answered from memory.
struct InMemory(Sandbox);

impl Transport for InMemory {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        async move {
            let router = match request.url.host_str() {
                Some("halo.example") => self.0.halo(),
                _ => self.0.marketplace(Brand::Also),
            };
            let broken =
                |error: &dyn std::fmt::Display| SendError::new(SendErrorKind::Reset, error.to_string());
            let mut call =
                axum::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
            for (name, value) in &request.headers {
                call = call.header(name, value);
            }
            let call = call.body(Body::from(request.body)).map_err(|error| broken(&error))?;
            let (parts, body) = router.oneshot(call).await.map_err(|error| broken(&error))?.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| broken(&error))?.to_vec();
            Ok(Response {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body,
                elapsed: Duration::ZERO,
            })
        }
        .boxed()
    }
}

fn open(folder: &std::path::Path, sandbox: Sandbox) -> Outcome<Handle> {
    let places = Places::within(folder, "bench")?;
    std::fs::create_dir_all(places.logs())?;
    let sync = Sync::Simulated(Arc::new(SimulatedDisk::new()));
    let (trail, _) = Trail::open_with(&places.audit(), Options { sync, ..Options::default() })?;
    let vault = Vault::open(&places.secrets(), KeySource::File(places.key_file.clone()))?;
    let world = World::simulated(Arc::new(InMemory(sandbox)), "2026-01-30T08:40:00Z".parse()?);
    let (events, _) = tokio::sync::broadcast::channel(1024);
    let (calls, inbox) = tokio::sync::mpsc::unbounded_channel();
    let handle = Handle::new(calls, events.clone());
    let engine = Engine::open(
        Book::open(trail, Arc::new(MemoryIndex::new()))?,
        vault,
        places,
        world,
        Protocol::default(),
        "bench".into(),
        Installation::from_random([7; 8]),
        events,
    )?;
    tokio::spawn(desk::serve(engine, inbox));
    Ok(handle)
}

async fn order(handle: &Handle, text: &str, by_target: bool) -> Outcome<MapOrderView> {
    let filter = MapFilter { text: text.into(), ..MapFilter::default() };
    match handle.ask(Query::MapOrder { integration: ALSO, filter, by_target }).await? {
        Answer::MapOrder(view) => Ok(*view),
        _ => Err("no order".into()),
    }
}

async fn rows(handle: &Handle, ids: &[SourceId]) -> Outcome {
    handle.ask(Query::MapRows { integration: ALSO, ids: ids.iter().take(60).cloned().collect() }).await?;
    Ok(())
}

/// The median and the longest of what is done many times, ms.
fn told(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!(
        "{what}: median {:.2} ms, longest {:.2} ms of {}",
        ms(times.len() / 2),
        ms(times.len() - 1),
        times.len()
    );
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome {
    let customers = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let sandbox = Sandbox::empty(Quirks::default());
    for (id, (here, there)) in (1_000..).zip(companies::pairs(SEED, customers)) {
        sandbox.put_company(
            Brand::Also,
            &json!({"AccountId": id, "CompanyName": here, "AccountState": "Active"}),
        );
        sandbox.put_halo_client(&json!({"name": there}))?;
    }
    let folder = tempfile::tempdir()?;
    let handle = open(folder.path(), sandbox)?;
    let text = format!(
        "[halo]\nresource_server = \"https://halo.example/api\"\nauthorisation_server = \
         \"https://halo.example/auth\"\ntenant = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
         pace = {{ requests = 0, spacing_ms = 0 }}\n[also]\nenabled = true\nmarketplace_url = \
         \"https://also.example\"\nusername = \"{}\"\npassword = \"{}\"\npace = {{ spacing_ms = 0 }}\n",
        sandbox::TENANT,
        sandbox::CLIENT_ID,
        sandbox::CLIENT_SECRET,
        Brand::Also.username(),
        sandbox::PASSWORD,
    );
    handle.send(Command::ImportSettings { text }).await?;
    handle.send(Command::ReadCustomers { integration: ALSO }).await?;
    println!("{customers} customers on either side; {:.0} MiB", companies::memory());

    let began = Instant::now();
    let first = order(&handle, "", false).await?;
    rows(&handle, &first.ids).await?;
    println!("first screen, not scored yet: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    handle.send(Command::Score { integration: ALSO }).await?;
    println!("all scored: {:.2} s; {:.0} MiB", began.elapsed().as_secs_f64(), companies::memory());
    let began = Instant::now();
    order(&handle, "", false).await?;
    println!("the table made anew: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);

    for (what, by_target) in [("a key of the filter", false), ("a key of the filter, by Halo customer", true)]
    {
        let mut times = Vec::new();
        for word in ["kestrel legal", "ltd", "harbour", ">95 a", "zzz"] {
            for end in 1..=word.len() {
                let began = Instant::now();
                let view = order(&handle, &word[..end], by_target).await?;
                times.push(began.elapsed());
                rows(&handle, &view.ids).await?;
            }
        }
        told(what, times);
    }

    let mut times = Vec::new();
    for id in first.ids.iter().step_by((customers / 40).max(1)) {
        let decision = match times.len() % 3 {
            0 => Decision::New,
            1 => Decision::Exclude { note: "".into(), until: None },
            _ => Decision::Clear,
        };
        handle.send(Command::Decide { integration: ALSO, decisions: vec![(id.clone(), decision)] }).await?;
        let began = Instant::now();
        order(&handle, "", false).await?;
        rows(&handle, std::slice::from_ref(id)).await?;
        times.push(began.elapsed());
    }
    told("ranked anew after one decision", times);

    let mut csv = String::from("source_id,target_id,state,note\n");
    for (nth, id) in (0..).zip(&first.ids) {
        // Every thousandth line names nobody.
        let id = if nth % 1000 == 7 { "nobody" } else { id.as_str() };
        csv.push_str(&format!("{id},,excluded,line {nth}\n"));
    }
    for (what, csv) in [("with bad lines", csv.clone()), ("without", csv.replace("nobody,", "1000,"))] {
        let began = Instant::now();
        let import = Command::ImportMappings { integration: ALSO, csv, dry_run: false, by_name: false };
        let Reply::Mappings(report) = handle.send(import).await? else { return Err("no report".into()) };
        let took = began.elapsed().as_secs_f64();
        let (bad, changed) = (report.errors.len(), report.added + report.changed);
        println!("a file of {customers} lines {what}: {took:.2} s; {bad} named, {changed} taken");
    }
    let began = Instant::now();
    order(&handle, "", false).await?;
    println!("the table after it: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    println!("{:.0} MiB at the most", companies::memory());
    Ok(())
}
