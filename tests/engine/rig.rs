//! The engine with everything around it simulated: network, clock, disk.

use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parhelion::api::http::{Request, Response, SendError, SendErrorKind, Transport};
use parhelion::engine::book::Book;
use parhelion::engine::planning::Spec;
use parhelion::engine::world::World;
use parhelion::engine::{Engine, Protocol};
use parhelion::host::words::{Choices, JobReport, JobState};
use parhelion::model::{Entity, Installation, Integration, JobId, Moment};
use parhelion::plan::Plan;
use parhelion::sandbox::{Brand, RESET_HEADER, Sandbox};
use parhelion::store::trail::{Options, SimulatedDisk, Sync};
use parhelion::store::{KeySource, MemoryIndex, Places, Trail, Vault};
use tower::ServiceExt;

/// Requests answered from memory by the sandbox's routers.
pub struct InMemory {
    pub sandbox: Sandbox,
}

impl Transport for InMemory {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        async move {
            let started = tokio::time::Instant::now();
            let router = match request.url.host_str() {
                Some("halo.test") => self.sandbox.halo(),
                Some("also.test") => self.sandbox.marketplace(Brand::Also),
                Some("westcoast.test") => self.sandbox.marketplace(Brand::Westcoast),
                _ => return Err(SendError::new(SendErrorKind::Dns, "no such host")),
            };
            let total = request.total;
            let mut call = axum::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
            for (name, value) in &request.headers {
                call = call.header(name.as_str(), value.as_bytes());
            }
            let call = call.body(Body::from(request.body)).expect("a request of ours");
            let answer = tokio::time::timeout(total, router.oneshot(call)).await;
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
            Ok(Response { status: parts.status.as_u16(), headers, body: body.to_vec(), elapsed: started.elapsed() })
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
    pub protocol: Protocol,
    pub settle_seconds: u64,
    pub start: Moment,
}

impl Ground {
    pub fn new(sandbox: Sandbox) -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            disk: Arc::new(SimulatedDisk::new()),
            index: Arc::new(MemoryIndex::new()),
            sandbox,
            protocol: Protocol::default(),
            settle_seconds: 60,
            start: "2026-02-03T09:00:00Z".parse().expect("a moment"),
        }
    }

    /// An engine on what is there: the first of its kind, or one after a crash.
    pub async fn open(&self) -> Arc<Engine> {
        let places = Places::within(self.dir.path(), "test").expect("places");
        std::fs::create_dir_all(places.logs()).expect("logs");
        let options = Options { sync: Sync::Simulated(self.disk.clone()), ..Options::default() };
        let (trail, _) = Trail::open_with(&places.audit(), options).expect("the trail opens");
        let vault = Vault::open(&places.secrets(), KeySource::File(places.key_file.clone())).expect("the vault opens");
        let book = Book::open(trail, self.index.clone()).expect("the book opens");
        let transport = Arc::new(InMemory { sandbox: self.sandbox.clone() });
        let world = World::simulated(transport, self.start);
        let (events, _) = tokio::sync::broadcast::channel(64);
        let installation = Installation::from_random([7; 8]);
        Engine::open(book, vault, places, world, self.protocol, "tester".into(), installation, events).expect("the engine opens")
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
[also]
enabled = true
allow_http = true
marketplace_url = "http://also.test"
username = "{also}"
password = "{password}"
pace = {{ at_once = 4, spacing_ms = 0 }}
[westcoast]
enabled = true
allow_http = true
marketplace_url = "http://westcoast.test"
username = "{westcoast}"
password = "{password}"
pace = {{ at_once = 4, spacing_ms = 0 }}
"#,
            tenant = parhelion::sandbox::TENANT,
            id = parhelion::sandbox::CLIENT_ID,
            secret = parhelion::sandbox::CLIENT_SECRET,
            also = Brand::Also.username(),
            westcoast = Brand::Westcoast.username(),
            password = parhelion::sandbox::PASSWORD,
            settle = self.settle_seconds,
        );
        engine.import_settings(&text).await.expect("the settings are right");
    }
}

pub fn spec(integration: Integration, entities: &[Entity], scheduled: bool) -> Spec {
    Spec { integration, entities: entities.to_vec(), scheduled, allow_removals: false }.ordered()
}

/// Builds a plan and leaves it.
pub async fn plan(engine: &Arc<Engine>, spec: &Spec) -> Plan {
    let (plan, _, with) = engine.build_plan(spec, &|_, _, _| {}).await.expect("a plan");
    with.market.sign_out().await;
    plan
}

/// Runs to the end of the job, whatever it is.
pub async fn run(engine: &Arc<Engine>, spec: Spec) -> JobReport {
    let job = engine.run(spec).await.expect("a job");
    ended(engine, job).await
}

pub async fn apply(engine: &Arc<Engine>, plan: &Plan) -> JobReport {
    let job = engine.apply(plan.id, Choices::default()).await.expect("a job");
    ended(engine, job).await
}

pub async fn ended(engine: &Arc<Engine>, job: JobId) -> JobReport {
    loop {
        let report = engine.job(job).expect("the job is there");
        if report.state != JobState::Running {
            return report;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
