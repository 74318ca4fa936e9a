//! Viewers die and stall at random while a real engine imports: nothing of it shows in what is written.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parhelion::api::http::{Request, Response, SendError, SendErrorKind, Transport};
use parhelion::host::words::{Answer, Command, JobState, JobTotals, Query, Reply};
use parhelion::host::{Door, Handle, Home, QUEUE, Server};
use parhelion::model::{Integration, JobId};
use parhelion::sandbox::{Brand, Options, RESET_HEADER, Sandbox};
use parhelion::store::{KeySource, Places};
use serde_json::json;
use tower::ServiceExt;

use super::rig::{Viewer, protocol};

/// Viewers that are killed or stalled; more with this variable.
fn kills() -> usize {
    std::env::var("PARHELION_CLIENT_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// The simulated vendors without any network; each request takes a moment, so that a job has a middle.
struct InMemory(Sandbox);

impl Transport for InMemory {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let router = match request.url.host_str() {
                Some("halo.test") => self.0.halo(),
                _ => self.0.marketplace(Brand::Also),
            };
            let mut call =
                axum::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
            for (name, value) in &request.headers {
                call = call.header(name.as_str(), value.as_bytes());
            }
            let answer = router.oneshot(call.body(Body::from(request.body)).unwrap()).await.unwrap();
            if answer.headers().contains_key(RESET_HEADER) {
                return Err(SendError::new(SendErrorKind::Reset, "the connection was reset"));
            }
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
            let mut headers = reqwest::header::HeaderMap::new();
            for (name, value) in &parts.headers {
                headers.insert(name.clone(), value.clone());
            }
            Ok(Response { status: parts.status.as_u16(), headers, body, elapsed: Duration::ZERO })
        }
        .boxed()
    }
}

struct Ground {
    sandbox: Sandbox,
    home: Home,
    _folder: tempfile::TempDir,
}

impl Ground {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::within(folder.path(), "acme").unwrap();
        let sandbox = Sandbox::new(Options { seed: 5, ..Options::default() });
        let transport = Arc::new(InMemory(sandbox.clone()));
        let key = KeySource::File(places.key_file.clone());
        let options = parhelion::host::Options { command: "parhelion serve".into(), ..Default::default() };
        let home = tokio::task::spawn_blocking(move || Home::open_at(places, key, &options, transport))
            .await
            .unwrap()
            .unwrap();
        std::fs::create_dir_all(home.places().socket().parent().unwrap()).unwrap();
        let pace = "pace = { requests = 0, per_seconds = 300, at_once = 1, spacing_ms = 1, share = 1.0 }";
        let text = format!(
            "[halo]\nresource_server = \"https://halo.test/api\"\nauthorisation_server = \"https://halo.test/auth\"\n\
             client_id = \"sandbox-client\"\nclient_secret = \"sandbox-secret\"\n{pace}\n\
             [also]\nenabled = true\nmarketplace_url = \"https://also.test\"\nusername = \"{}\"\n\
             password = \"sandbox-password\"\n{pace}\n",
            Brand::Also.username()
        );
        home.handle().send(Command::ImportSettings { text }).await.unwrap();
        Self { sandbox, home, _folder: folder }
    }

    async fn start(&self) -> JobId {
        let command = Command::Run {
            integration: Integration::Also,
            entities: Vec::new(),
            scheduled: false,
            allow_removals: false,
            urgent: false,
            purpose: parhelion::plan::Purpose::default(),
        };
        match self.home.handle().send(command).await.unwrap() {
            Reply::Started(job) => job,
            other => panic!("{other:?}"),
        }
    }

    /// What was written, in order, and what the job says of it.
    async fn end(&self, job: JobId) -> (Vec<String>, JobTotals) {
        loop {
            let Answer::Job(report) = self.home.handle().ask(Query::Job { job }).await.unwrap() else {
                panic!()
            };
            if report.state != JobState::Running {
                let writes = self.sandbox.journal();
                return (
                    writes.iter().map(|w| format!("{} {} {}", w.method, w.path, w.body)).collect(),
                    report.totals,
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn is_running(handle: &Handle, job: JobId) -> impl Future<Output = bool> + use<> {
    let handle = handle.clone();
    async move {
        matches!(handle.ask(Query::Job { job }).await, Ok(Answer::Job(r)) if r.state == JobState::Running)
    }
}

/// Markers carry the installation's random name: the two worlds' are the same text only without it.
fn without_names(writes: Vec<String>) -> Vec<String> {
    let name = |text: &str| text.split("PHL-").nth(1).map(|rest| rest.chars().take(8).collect::<String>());
    match writes.iter().find_map(|write| name(write)) {
        Some(name) => writes.into_iter().map(|write| write.replace(&name, "INSTALL")).collect(),
        None => writes,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_that_die_or_stall_change_nothing() {
    let calm = Ground::open().await;
    let job = calm.start().await;
    let (order, totals) = calm.end(job).await;
    let order = without_names(order);
    assert!(order.len() > 50, "an import worth disturbing: {}", order.len());

    let ground = Ground::open().await;
    let path = ground.home.places().socket();
    let server = Server::start(Door::open(&path).unwrap(), ground.home.handle(), "acme").unwrap();
    let said = protocol(&path).await;
    let job = ground.start().await;
    let (mut killed, mut stalled) = (0, Vec::new());
    let handle = ground.home.handle();
    while killed + stalled.len() < kills() && is_running(&handle, job).await {
        let mut viewer = Viewer::knock(&path).await;
        let hello = json!({"hello": {"protocol": said, "user": "bert", "is_screen": true, "session": "s"}});
        let n = killed + stalled.len();
        // At any point: in the middle of a hello, of a question, of an answer, of the events.
        match n % 5 {
            0 => viewer.raw(&[0, 0, 1]).await,
            1 => viewer.say(&hello).await,
            2 => {
                viewer.say(&hello).await;
                viewer.raw(&[0, 0, 0, 90, b'{', b'"', b'a']).await;
            }
            3 => {
                viewer.say(&hello).await;
                for id in 0..20 {
                    viewer.say(&json!({"ask": {"id": id, "query": "Overview"}})).await;
                }
            }
            _ => {
                viewer.say(&hello).await;
                let began = std::time::Instant::now();
                viewer.hear_a("event").await;
                assert!(began.elapsed() < Duration::from_secs(1), "it took long to be let in");
            }
        }
        // One in ten stays and never reads again.
        if n % 10 == 3 && stalled.len() < 60 {
            stalled.push(viewer);
        } else {
            killed += 1;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(server.waiting().into_iter().all(|bytes| bytes <= QUEUE));
    }
    let (disturbed, same) = ground.end(job).await;
    assert_eq!(same, totals);
    let disturbed = without_names(disturbed);
    for (here, there) in disturbed.iter().zip(&order) {
        assert_eq!(here, there, "another write, or in another order");
    }
    assert_eq!(disturbed.len(), order.len());
    println!("{killed} viewers killed, {} stalled", stalled.len());
    assert!(killed + stalled.len() >= kills().min(60), "the import was over too soon");
}
