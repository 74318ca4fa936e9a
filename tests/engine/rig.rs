//! The engine with everything around it simulated: network, clock, disk, and the end of its process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parhelion::api::http::{Request, Response, SendError, SendErrorKind, Transport};
use parhelion::engine::book::Book;
use parhelion::engine::planning::{Keep, Spec};
use parhelion::engine::world::World;
use parhelion::engine::{Engine, Protocol, Step};
use parhelion::host::words::{Choices, JobOrder, JobReport, JobState};
use parhelion::model::{Entity, Installation, Integration, JobId, Moment, Problem};
use parhelion::plan::{Plan, Purpose};
use parhelion::sandbox::{Brand, RESET_HEADER, Sandbox};
use parhelion::store::trail::{Options, SimulatedDisk, Sync};
use parhelion::store::{KeySource, MemoryIndex, Places, Trail, Vault};
use tokio::sync::Notify;
use tower::ServiceExt;

/// The process that the engine lives in: it can end at any step of the protocol and around any request.
#[derive(Default)]
pub struct Process {
    dead: AtomicBool,
    /// Steps, and perhaps requests, until it ends; 0 for never.
    left: AtomicU64,
    counts_requests: AtomicBool,
    ended: Notify,
    /// Steps and requests so far, and the step that it ended at.
    passed: AtomicU64,
    at: Mutex<Option<String>>,
    /// What happens to the disk in that moment.
    disk: Mutex<Option<(Arc<SimulatedDisk>, bool)>>,
}

impl Process {
    /// Ends at the `n`-th step from now on, requests and answers counted or not; with `torn`, the last group of lines
    /// reaches the disk in part.
    pub fn end_after(&self, n: u64, requests: bool, disk: &Arc<SimulatedDisk>, torn: bool) {
        self.counts_requests.store(requests, Ordering::SeqCst);
        *self.disk.lock().expect("no panic") = Some((disk.clone(), torn));
        self.left.store(n, Ordering::SeqCst);
    }

    /// Ends when this step is reached.
    pub fn pass(&self, at: &str) -> bool {
        if self.dead.load(Ordering::SeqCst) {
            return true;
        }
        self.passed.fetch_add(1, Ordering::SeqCst);
        let left = self.left.load(Ordering::SeqCst);
        let is_request = at == "request" || at == "answer";
        if is_request && !self.counts_requests.load(Ordering::SeqCst) {
            return false;
        }
        if left == 0 || self.left.fetch_sub(1, Ordering::SeqCst) > 1 {
            return false;
        }
        self.end(at);
        true
    }

    /// Ends now.
    pub fn end(&self, at: &str) {
        self.dead.store(true, Ordering::SeqCst);
        *self.at.lock().expect("no panic") = Some(at.to_owned());
        if let Some((disk, torn)) = self.disk.lock().expect("no panic").take() {
            if torn { disk.fail_sync(1) } else { disk.cut_power() }
        }
        self.ended.notify_one();
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn ended_at(&self) -> Option<String> {
        self.at.lock().expect("no panic").clone()
    }

    pub async fn death(&self) {
        while !self.is_dead() {
            self.ended.notified().await;
        }
    }
}

/// Called with every request before it is sent.
pub type Watch = Arc<dyn Fn(&Request) + Send + std::marker::Sync>;

/// An address that is told things: every request's path and body, and whether it answers 500.
#[derive(Default)]
pub struct Hooks {
    pub heard: Mutex<Vec<(String, String)>>,
    pub fails: AtomicBool,
}

impl Hooks {
    fn take(&self, request: &Request) -> Response {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.heard.lock().expect("no panic").push((request.url.path().to_owned(), body));
        let status = if self.fails.load(Ordering::SeqCst) { 500 } else { 200 };
        let headers = reqwest::header::HeaderMap::new();
        Response { status, headers, body: Vec::new(), elapsed: Duration::ZERO }
    }

    /// What was heard since the last time.
    pub fn drain(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.heard.lock().expect("no panic"))
    }
}

/// Requests answered from memory by the sandbox's routers.
pub struct InMemory {
    pub sandbox: Sandbox,
    pub process: Arc<Process>,
    /// The network is down.
    pub down: Arc<AtomicBool>,
    pub watch: Option<Watch>,
    pub hooks: Arc<Hooks>,
}

impl Transport for InMemory {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        async move {
            if self.process.pass("request") {
                return std::future::pending().await;
            }
            if request.url.host_str() == Some("hook.test") {
                return Ok(self.hooks.take(&request));
            }
            if self.down.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_secs(3)).await;
                return Err(SendError::new(SendErrorKind::Connect, "no route to host"));
            }
            if let Some(watch) = &self.watch {
                watch(&request);
            }
            let started = tokio::time::Instant::now();
            let router = match request.url.host_str() {
                Some("halo.test") => self.sandbox.halo(),
                Some("also.test") => self.sandbox.marketplace(Brand::Also),
                Some("hudu.test" | "other-hudu.test") => self.sandbox.hudu(),
                Some("westcoast.test") => self.sandbox.marketplace(Brand::Westcoast),
                Some("liongard.test") => self.sandbox.liongard(),
                _ => return Err(SendError::new(SendErrorKind::Dns, "no such host")),
            };
            let total = request.total;
            let mut call =
                axum::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
            for (name, value) in &request.headers {
                call = call.header(name.as_str(), value.as_bytes());
            }
            let call = call.body(Body::from(request.body)).expect("a request of ours");
            let answer = tokio::time::timeout(total, router.oneshot(call)).await;
            if self.process.pass("answer") {
                return std::future::pending().await;
            }
            let Ok(Ok(answer)) = answer else {
                return Err(SendError::new(SendErrorKind::Timeout, "no answer in time"));
            };
            if answer.headers().contains_key(RESET_HEADER) {
                return Err(SendError::new(SendErrorKind::Reset, "the connection was reset"));
            }
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await;
            let Ok(body) = body else {
                return Err(SendError::new(SendErrorKind::Reset, "the answer broke off"));
            };
            let mut headers = reqwest::header::HeaderMap::new();
            for (name, value) in &parts.headers {
                headers.insert(name.clone(), value.clone());
            }
            Ok(Response {
                status: parts.status.as_u16(),
                headers,
                body: body.to_vec(),
                elapsed: started.elapsed(),
            })
        }
        .boxed()
    }
}

/// What survives an engine's death: the trail's disk, the index, the folder.
pub struct Ground {
    pub dir: tempfile::TempDir,
    pub disk: Arc<SimulatedDisk>,
    pub index: Arc<MemoryIndex>,
    pub sandbox: Sandbox,
    pub process: Arc<Process>,
    pub down: Arc<AtomicBool>,
    pub durable_intent: bool,
    pub settle: bool,
    pub settle_seconds: u64,
    pub segment_bytes: u64,
    pub watch: Option<Watch>,
    pub hooks: Arc<Hooks>,
    /// More lines for the section `[hudu]`.
    pub hudu: String,
    /// More lines for the section `[also]` and after it.
    pub settings: String,
    start: Moment,
    since: tokio::time::Instant,
}

impl Ground {
    pub fn new(sandbox: Sandbox) -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            disk: Arc::new(SimulatedDisk::new()),
            index: Arc::new(MemoryIndex::new()),
            sandbox,
            process: Arc::default(),
            down: Arc::default(),
            durable_intent: true,
            settle: true,
            settle_seconds: 60,
            segment_bytes: Options::default().segment_bytes,
            watch: None,
            hooks: Arc::default(),
            hudu: String::new(),
            settings: String::new(),
            start: "2026-02-03T09:00:00Z".parse().expect("a moment"),
            since: tokio::time::Instant::now(),
        }
    }

    pub fn now(&self) -> Moment {
        let passed = jiff::SignedDuration::try_from(self.since.elapsed()).expect("not that long");
        self.start.checked_add(passed).expect("not that late")
    }

    pub fn places(&self) -> Places {
        Places::within(self.dir.path(), "test").expect("places")
    }

    pub fn trail(&self) -> Trail {
        let sync = Sync::Simulated(self.disk.clone());
        let options = Options { sync, segment_bytes: self.segment_bytes, ..Options::default() };
        Trail::open_with(&self.places().audit(), options).expect("the trail opens").0
    }

    /// An engine on what is there: the first of its kind, or one after a crash. Its process is a new one.
    pub fn open(&mut self) -> Arc<Engine> {
        self.try_open().expect("the engine opens")
    }

    pub fn try_open(&mut self) -> Result<Arc<Engine>, Problem> {
        self.process = Arc::default();
        let places = self.places();
        std::fs::create_dir_all(places.logs()).expect("logs");
        let vault = Vault::open(&places.secrets(), KeySource::File(places.key_file.clone()))?;
        let book = Book::open(self.trail(), self.index.clone())?;
        let transport = Arc::new(InMemory {
            sandbox: self.sandbox.clone(),
            process: self.process.clone(),
            down: self.down.clone(),
            watch: self.watch.clone(),
            hooks: self.hooks.clone(),
        });
        let world = World::simulated(transport, self.now());
        let (events, _) = tokio::sync::broadcast::channel(64);
        let installation = Installation::from_random([7; 8]);
        let process = self.process.clone();
        let protocol = Protocol {
            durable_intent: self.durable_intent,
            settle: self.settle,
            failpoint: Some(Arc::new(move |step: Step| process.pass(&format!("{step:?}")))),
        };
        Engine::open(book, vault, places, world, protocol, "tester".into(), installation, events)
    }

    /// What is left of the engine's process goes; its files stay as they are (`kill -9`).
    pub async fn kill(&self, engine: Arc<Engine>) {
        if !self.process.is_dead() {
            self.process.end("kill");
        }
        engine.abort();
        let left = Arc::downgrade(&engine);
        drop(engine);
        while left.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// The machine loses its power: `kill`, and what was not synced is gone or torn.
    pub async fn crash(&self, engine: Arc<Engine>, mut keep: impl FnMut(u64, u64) -> u64, lose_index: bool) {
        self.kill(engine).await;
        self.disk.crash(&self.places().audit(), |_, synced, written| keep(synced, written)).expect("a crash");
        self.disk.fail_sync(0);
        if lose_index {
            self.index.lose_unflushed();
        }
    }

    /// Settings that reach the simulated vendors.
    pub async fn set_up(&self, engine: &Arc<Engine>) {
        let text = format!(
            r#"
[profile]
kind = "sandbox"
[halo]
resource_server = "http://halo.test/api"
authorisation_server = "http://halo.test/auth"
tenant = "{tenant}"
client_id = "{id}"
client_secret = "{secret}"
allow_http = true
settle_seconds = {settle}
pace = {{ requests = 0, at_once = 4, spacing_ms = 0 }}
[westcoast]
enabled = true
allow_http = true
marketplace_url = "http://westcoast.test"
username = "{westcoast}"
password = "{password}"
pace = {{ at_once = 4, spacing_ms = 0 }}
[hudu]
enabled = true
allow_http = true
url = "http://hudu.test"
api_key = "{api_key}"
pace = {{ requests = 0, at_once = 4, spacing_ms = 0 }}
{hudu}
[liongard]
enabled = true
allow_http = true
url = "http://liongard.test"
access_key_id = "{key}"
access_key_secret = "{key_secret}"
pace = {{ requests = 0, at_once = 4, spacing_ms = 0 }}
default_group_for_new_asset_types = "Computers"
asset_matching_field = {{ source = "Serial Number", target = "Serial Number" }}
field_mappings = [
    {{ source = "Operating System", target = "Operating System" }},
    {{ source = "Hostname", target = "Hostname" }},
    {{ source = "RAM", target = "RAM", create = true }},
    {{ source = "Last User", target = "Last User", create = true }},
]
[also]
enabled = true
allow_http = true
marketplace_url = "http://also.test"
username = "{also}"
password = "{password}"
pace = {{ at_once = 4, spacing_ms = 0 }}
{more}
"#,
            key = parhelion::sandbox::LIONGARD_KEY_ID,
            key_secret = parhelion::sandbox::LIONGARD_KEY_SECRET,
            tenant = parhelion::sandbox::TENANT,
            id = parhelion::sandbox::CLIENT_ID,
            secret = parhelion::sandbox::CLIENT_SECRET,
            also = Brand::Also.username(),
            westcoast = Brand::Westcoast.username(),
            password = parhelion::sandbox::PASSWORD,
            api_key = parhelion::sandbox::API_KEY,
            hudu = self.hudu,
            settle = self.settle_seconds,
            more = self.settings,
        );
        engine.import_settings(&text).await.expect("the settings are right");
    }

    /// An engine on settings that reach the simulated vendors.
    pub async fn start(&mut self) -> Arc<Engine> {
        let engine = self.open();
        self.set_up(&engine).await;
        engine
    }
}

pub fn spec(integration: Integration, entities: &[Entity], scheduled: bool) -> Spec {
    Spec {
        integration,
        entities: entities.to_vec(),
        scheduled,
        allow_removals: false,
        purpose: Purpose::Whole,
    }
    .ordered()
}

pub fn by_hand() -> Spec {
    spec(Integration::Also, &[], false)
}

pub fn scheduled() -> Spec {
    spec(Integration::Also, &[], true)
}

/// Builds a plan and leaves it.
pub async fn plan(engine: &Arc<Engine>, spec: &Spec) -> Plan {
    let built = engine.build_plan(spec, Keep::ForLater, &|_, _, _| {}).await.expect("a plan");
    built.with.close().await;
    built.plan
}

/// Runs to the end of the job, whatever it is.
pub async fn run(engine: &Arc<Engine>, spec: Spec) -> JobReport {
    let job = engine.run(spec).await.expect("a job");
    ended(engine, job).await
}

pub async fn apply(engine: &Arc<Engine>, plan: &Plan) -> JobReport {
    apply_with(engine, plan, Choices::default()).await
}

pub async fn apply_with(engine: &Arc<Engine>, plan: &Plan, choices: Choices) -> JobReport {
    let job = engine.apply(plan.id, choices).await.expect("a job");
    ended(engine, job).await
}

pub async fn resume(engine: &Arc<Engine>, job: JobId) -> JobReport {
    engine.order(job, JobOrder::Resume).await.expect("it goes on");
    ended(engine, job).await
}

pub async fn ended(engine: &Arc<Engine>, job: JobId) -> JobReport {
    // Three days: no wait in an import is as long.
    for turn in 0..72 * 60 {
        let report = engine.job(job).expect("the job is there");
        if report.state != JobState::Running {
            return report;
        }
        tokio::time::sleep(Duration::from_secs((turn + 1).min(60))).await;
    }
    let log = std::fs::read_to_string(engine.places.logs().join(format!("{job}.jsonl"))).unwrap_or_default();
    let last: Vec<&str> = log.lines().rev().take(20).collect();
    panic!("{job} does not end: {:?}\n{last:#?}", engine.running());
}

/// A marketplace with so many customers, each with so many subscriptions of 10 seats, and a Halo that knows none.
pub fn new_customers(customers: usize, subscriptions: usize) -> Sandbox {
    let sandbox = Sandbox::empty(parhelion::sandbox::Quirks::default());
    for n in 0..customers {
        let company = sandbox.put_company(
            Brand::Also,
            &serde_json::json!({"CompanyName": format!("Customer {n:03} Ltd"), "City": "York"}),
        );
        for s in 0..subscriptions {
            let id = sandbox.add_seats(Brand::Also, company, 10);
            let name = format!("Product {s}");
            sandbox.put_subscription(
                Brand::Also,
                &serde_json::json!({"AccountId": id, "ServiceDisplayName": name}),
            );
        }
    }
    sandbox
}

/// Requests that changed something in Halo.
pub fn writes(sandbox: &Sandbox) -> usize {
    sandbox.journal().iter().filter(|w| w.applied).count()
}
