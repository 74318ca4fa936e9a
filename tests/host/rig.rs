//! A host over an engine that the test plays, and viewers that speak the bytes of the protocol themselves.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parhelion::host::words::{
    Answer, Command, Event, JobReport, JobState, LogFilter, LogView, Overview, Query, Reply,
};
use parhelion::host::{Call, Door, Handle, Server};
use parhelion::model::{Class, Entity, Integration, JobId, Moment, Problem};
use parhelion::store::{Lock, Places};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{broadcast, mpsc};

/// An engine that answers from a script and remembers what it was told.
pub struct Host {
    pub places: Places,
    pub events: broadcast::Sender<Event>,
    pub heard: Arc<Mutex<Vec<String>>>,
    /// How many questions reached the engine.
    pub asked: Arc<Mutex<usize>>,
    pub server: Option<Server>,
    handle: Handle,
    lock: Lock,
    _folder: tempfile::TempDir,
}

pub fn problem(text: &str) -> Problem {
    Problem::new(Class::Input, text)
}

pub fn report(job: u64, state: JobState) -> JobReport {
    serde_json::from_value(json!({
        "job": format!("J{job}"), "plan": null, "integration": "also", "entities": ["customers"],
        "scheduled": false, "state": state, "totals": serde_json::to_value(
            parhelion::host::words::JobTotals::default()).unwrap(),
        "requests": {}, "started": Moment::UNIX_EPOCH, "finished": null, "by": "anna", "stages": [],
        "problems": [], "trouble": null,
    }))
    .unwrap()
}

impl Host {
    pub fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::within(folder.path(), "acme").unwrap();
        let lock = Lock::take(&places.data, "parhelion serve").unwrap();
        std::fs::create_dir_all(places.socket().parent().unwrap()).unwrap();
        let (calls, inbox) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(4096);
        let handle = Handle::new(calls, events.clone());
        let (heard, asked) = (Arc::default(), Arc::default());
        tokio::spawn(play(inbox, events.clone(), Arc::clone(&heard), Arc::clone(&asked)));
        let mut host = Self { places, events, heard, asked, server: None, handle, lock, _folder: folder };
        host.serve();
        host
    }

    /// Opens the door again, as the next life of a host would.
    pub fn serve(&mut self) {
        let door = Door::open(&self.places.socket()).unwrap();
        self.lock.announce(Some(door.path.clone())).unwrap();
        self.server = Some(Server::start(door, self.handle.clone(), "acme").unwrap());
    }

    pub fn close(&mut self) {
        self.server = None;
        self.lock.announce(None).unwrap();
    }

    pub async fn viewer(&self) -> Viewer {
        let mut viewer = Viewer::knock(&self.places.socket()).await;
        viewer.hello(true, "session-1").await;
        viewer
    }

    pub fn log(&self, lines: u64) {
        self.events.send(Event::Log { job: JobId(1), lines }).unwrap();
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn play(
    mut inbox: mpsc::UnboundedReceiver<Call>,
    events: broadcast::Sender<Event>,
    heard: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<usize>>,
) {
    let mut stopped = false;
    while let Some(call) = inbox.recv().await {
        let (by, command, reply) = match call {
            Call::Ask(query, answer) => {
                *asked.lock().unwrap() += 1;
                let _ = answer.send(answer_to(&query, stopped));
                continue;
            }
            Call::Do(command, reply) => (String::new(), command, reply),
            Call::DoFor(by, command, reply) => (by, command, reply),
        };
        heard.lock().unwrap().push(format!("{by}: {command:?}"));
        stopped |= matches!(command, Command::Order { .. });
        match command {
            Command::Run { .. } => {
                let _ = events.send(Event::Job(Box::new(report(7, JobState::Running))));
                let _ = reply.send(Ok(Reply::Started(JobId(7))));
            }
            // Never answered: its line will break first.
            Command::Replan { .. } => std::mem::forget(reply),
            Command::Generate { .. } => {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    let _ = reply.send(Ok(Reply::Done("slow".into())));
                });
            }
            _ => {
                let _ = reply.send(Ok(Reply::Done("done".into())));
            }
        }
    }
}

fn answer_to(query: &Query, stopped: bool) -> Result<Answer, Problem> {
    Ok(match query {
        Query::Overview => Answer::Overview(Box::new(overview())),
        Query::Job { job } => {
            let state = if stopped { JobState::Interrupted } else { JobState::Running };
            Answer::Job(Box::new(report(job.0, state)))
        }
        // As many bytes as are asked for.
        Query::Log { limit, .. } => {
            let line =
                json!({"at": Moment::UNIX_EPOCH, "level": "note", "sign": ".", "text": "x".repeat(*limit)});
            Answer::Log(LogView { total: 1, first: 0, lines: vec![serde_json::from_value(line).unwrap()] })
        }
        _ => return Err(problem("nothing there")),
    })
}

/// The least an overview says.
fn overview() -> Overview {
    serde_json::from_value(json!({
        "profile": "acme", "kind": "sandbox", "theme": "", "places": [], "running": null, "interrupted": [],
        "last": null,
    }))
    .unwrap()
}

pub fn big(bytes: usize) -> Query {
    Query::Log { job: JobId(1), filter: LogFilter::default(), from: 0, limit: bytes }
}

pub fn run() -> Command {
    Command::Run {
        integration: Integration::Also,
        entities: vec![Entity::Customers],
        scheduled: false,
        allow_removals: false,
        urgent: false,
        purpose: parhelion::plan::Purpose::default(),
    }
}

/// One end of a socket, byte by byte.
pub struct Viewer {
    pub socket: UnixStream,
    pub welcome: Value,
}

/// What this build says of itself: learned from a refusal, as a stranger would.
pub async fn protocol(path: &Path) -> String {
    let mut stranger = Viewer::knock(path).await;
    stranger.say(&json!({"hello": {"protocol": "0-none", "version": "0.0.0"}})).await;
    let refused = stranger.hear().await.unwrap();
    refused["refused"]["protocol"].as_str().unwrap().to_owned()
}

impl Viewer {
    pub async fn knock(path: &Path) -> Self {
        Self { socket: UnixStream::connect(path).await.unwrap(), welcome: Value::Null }
    }

    pub async fn hello(&mut self, is_screen: bool, session: &str) {
        let path = self.socket.peer_addr().unwrap().as_pathname().unwrap().to_owned();
        let protocol = protocol(&path).await;
        self.say(
            &json!({"hello": {"protocol": protocol, "version": "9.9.9", "profile": "acme", "user": "bert",
            "from": "203.0.113.9", "pid": 4711, "is_screen": is_screen, "session": session}}),
        )
        .await;
        self.welcome = self.hear().await.expect("a welcome")["welcome"].clone();
        assert!(self.welcome["pid"].is_number(), "{}", self.welcome);
    }

    pub async fn say(&mut self, message: &Value) {
        let text = message.to_string();
        self.raw(&[&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()).await;
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes).await;
    }

    /// The next message; `None` when the host has closed.
    pub async fn hear(&mut self) -> Option<Value> {
        let mut head = [0; 4];
        let read = async {
            self.socket.read_exact(&mut head).await.ok()?;
            let mut body = vec![0; u32::from_be_bytes(head) as usize];
            self.socket.read_exact(&mut body).await.ok()?;
            Some(serde_json::from_slice(&body).unwrap())
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("the host says nothing")
    }

    /// The next message of this kind; others are passed over.
    pub async fn hear_a(&mut self, kind: &str) -> Value {
        loop {
            let message = self.hear().await.unwrap_or_else(|| panic!("no {kind}: the host has closed"));
            if let Some(inner) = message.get(kind) {
                return inner.clone();
            }
        }
    }
}

/// Waits until something has become true.
pub async fn until(what: &str, is_true: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
