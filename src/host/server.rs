//! The host's side of the socket. One task reads of a viewer and one writes to it; the engine waits for neither. Events
//! go to every viewer through a queue of its own that is bounded: whoever lets it fill is told that it lags, and asks
//! anew (sync-engine section 4).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::Handle;
use super::wire::{self, Frame, Hello, Refused, ToHost, ToViewer, Welcome};
use super::words::{Answer, Command, Event, JobOrder, JobState, Looking, Presence, Query, Reply, Viewer};
use crate::model::{Class, JobId, Moment, Problem};

/// Bytes of events that wait for one viewer.
pub const QUEUE: usize = 256 * 1024;
/// Viewers and commands at a time: far more than people, few enough to bound memory.
const VIEWERS: usize = 128;
/// Commands of one viewer that are under way at a time.
const AT_ONCE: usize = 32;
/// A viewer that does not even say hello is let go after this.
const HELLO_WAIT: Duration = Duration::from_secs(5);
/// A viewer that takes no answer it asked for is let go after this; it comes again when it wakes.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Replies that are kept for a viewer whose line broke while it waited.
const REPLIES: usize = 256;
/// A longer reply is not kept.
const REPLY_CAP: usize = 64 * 1024;
/// How often one viewer can tell the others where it looks, however fast its person moves about.
const LOOK_WAIT: Duration = Duration::from_millis(250);
/// Letters of that which are kept.
const LOOK_CAP: usize = 120;
/// As long as a stop waits for the request in hand.
const STOP_WAIT: Duration = Duration::from_secs(35);

/// Serves as long as it lives.
pub struct Server {
    shared: Arc<Shared>,
    socket: PathBuf,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// A socket that listens already but is answered by nobody yet.
pub struct Door {
    listener: std::os::unix::net::UnixListener,
    pub path: PathBuf,
}

impl Door {
    /// Listens at a path in a folder of ours alone. What an earlier host left there is removed: whoever calls this
    /// holds the profile's lock.
    ///
    /// # Errors
    /// A folder that is not ours alone; a path that cannot be listened at.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let bad = |doing: &str, error: &io::Error| {
            Problem::new(Class::Local, format!("The socket {} cannot be {doing}: {error}.", path.display()))
                .remedy("Choose a local folder with --data-dir.")
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(bad("replaced", &error)),
            _ => {}
        }
        let listener =
            std::os::unix::net::UnixListener::bind(path).map_err(|error| bad("listened at", &error))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .and_then(|()| listener.set_nonblocking(true))
            .map_err(|error| bad("made private", &error))?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

/// What all viewers have in common.
struct Shared {
    handle: Handle,
    host: String,
    profile: String,
    since: Moment,
    warning: Mutex<Option<String>>,
    viewers: Mutex<Viewers>,
    /// How many lines there are, for whoever waits for the last one to go.
    count: watch::Sender<usize>,
    replies: Mutex<Replies>,
}

#[derive(Default)]
struct Viewers {
    /// The last event's number.
    number: u64,
    last_id: u64,
    by_id: BTreeMap<u64, Line>,
}

struct Line {
    viewer: Viewer,
    is_screen: bool,
    queue: Arc<Outbox>,
}

impl Server {
    /// Serves the engine behind `handle` at this door. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the machine gives no randomness, or the runtime does not take the socket.
    pub fn start(door: Door, handle: Handle, profile: &str) -> Result<Self, Problem> {
        let Door { listener, path } = door;
        let listener = UnixListener::from_std(listener)
            .map_err(|error| Problem::new(Class::Local, format!("The socket cannot be served: {error}.")))?;
        let shared = Arc::new(Shared {
            handle,
            host: super::random_name()?,
            profile: profile.to_owned(),
            since: Moment::now(),
            warning: Mutex::default(),
            viewers: Mutex::default(),
            count: watch::Sender::new(0),
            replies: Mutex::default(),
        });
        let news = AbortOnDropHandle::new(tokio::spawn(shared.clone().tell_all()));
        let door = AbortOnDropHandle::new(tokio::spawn(shared.clone().welcome_all(listener)));
        Ok(Self { shared, socket: path, _tasks: [news, door] })
    }

    /// What every viewer should know of the host (U46).
    pub fn warn(&self, warning: Option<String>) {
        let is_news = {
            let mut known = lock(&self.shared.warning);
            let is_news = *known != warning;
            *known = warning;
            is_news
        };
        if is_news {
            self.shared.tell_presence();
        }
    }

    /// How many viewers and commands are connected, now and from now on.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Bytes that wait for each viewer, in the order in which they came.
    pub fn waiting(&self) -> Vec<usize> {
        self.shared.viewers().by_id.values().map(|line| line.queue.bytes()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn viewers(&self) -> MutexGuard<'_, Viewers> {
        lock(&self.viewers)
    }

    /// Takes the engine's events and puts each, serialised once, into every queue.
    async fn tell_all(self: Arc<Self>) {
        let mut events = self.handle.subscribe();
        loop {
            match events.recv().await {
                Ok(event) => self.viewers().tell(event),
                Err(RecvError::Lagged(_)) => self.viewers().tell(Event::Missed),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn presence(&self, viewers: &Viewers) -> Presence {
        let screens = viewers.by_id.values().filter(|line| line.is_screen);
        Presence {
            viewers: screens.map(|line| line.viewer.clone()).collect(),
            warning: lock(&self.warning).clone(),
        }
    }

    fn tell_presence(&self) {
        let mut viewers = self.viewers();
        let presence = self.presence(&viewers);
        viewers.tell(Event::Presence(presence));
    }

    async fn welcome_all(self: Arc<Self>, listener: UnixListener) {
        // They end with the server.
        let mut lines = JoinSet::new();
        loop {
            while lines.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, _)) => {
                    let shared = self.clone();
                    lines.spawn(async move { shared.serve(stream).await });
                }
                // Too many open files, mostly: those who are in may leave.
                Err(error) => {
                    tracing::warn!(%error, "a viewer could not be let in");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// One viewer, from its hello to its end.
    async fn serve(self: Arc<Self>, stream: UnixStream) {
        let peer = stream.peer_cred();
        let (reading, mut writing) = stream.into_split();
        let mut reading = BufReader::new(reading);
        let hello = match peer {
            Ok(peer) if peer.uid() == rustix::process::geteuid().as_raw() => self.hello(&mut reading).await,
            _ => Err(Problem::new(Class::Auth, "This host belongs to another user.")
                .remedy("Use it as the user that started it, or use a profile of your own.")),
        };
        let hello = match hello {
            Ok(hello) => hello,
            Err(problem) => {
                tracing::info!("{}", problem.message);
                let refused = Refused { protocol: wire::protocol(), version: wire::VERSION.into(), problem };
                if let Ok(frame) = wire::frame(&ToViewer::Refused(refused), wire::HELLO_CAP) {
                    let _ = tokio::time::timeout(HELLO_WAIT, wire::write(&mut writing, &frame)).await;
                }
                return;
            }
        };
        let is_screen = hello.is_screen;
        let (id, queue) = self.enter(&hello);
        if is_screen {
            self.tell_presence();
        }
        self.converse(id, hello, queue, reading, writing).await;
        self.leave(id);
        if is_screen {
            self.tell_presence();
        }
    }

    /// Whether this peer is one of ours and speaks as we do.
    async fn hello(&self, from: &mut BufReader<OwnedReadHalf>) -> Result<Hello, Problem> {
        let strange = || {
            Problem::new(Class::Input, "What knocked at the host is no Parhelion.")
                .remedy("Use the program `parhelion`.")
        };
        let frame = tokio::time::timeout(HELLO_WAIT, wire::read(from, wire::HELLO_CAP)).await;
        let Ok(Ok(Some(frame))) = frame else { return Err(strange()) };
        let Ok(ToHost::Hello(hello)) = serde_json::from_slice(&frame) else { return Err(strange()) };
        if hello.protocol != wire::protocol() {
            return Err(other_version(&hello.version));
        }
        if self.viewers().by_id.len() >= VIEWERS {
            let message = format!("{VIEWERS} screens and commands are connected already.");
            return Err(Problem::new(Class::Busy, message).remedy("Close some, then try again."));
        }
        Ok(hello)
    }

    fn enter(&self, hello: &Hello) -> (u64, Arc<Outbox>) {
        let queue = Arc::new(Outbox::default());
        let mut viewers = self.viewers();
        viewers.last_id += 1;
        let id = viewers.last_id;
        let viewer = Viewer {
            id,
            user: hello.user.clone(),
            from: hello.from.clone(),
            since: Moment::now(),
            pid: hello.pid,
            looking: Looking::default(),
        };
        viewers.by_id.insert(id, Line { viewer, is_screen: hello.is_screen, queue: queue.clone() });
        self.count.send_replace(viewers.by_id.len());
        (id, queue)
    }

    fn leave(&self, id: u64) {
        let mut viewers = self.viewers();
        viewers.by_id.remove(&id);
        self.count.send_replace(viewers.by_id.len());
    }

    fn look_at(&self, id: u64, looking: Looking) {
        let cut = |text: String| crate::model::text::shown(&text).chars().take(LOOK_CAP).collect::<String>();
        let looking = Looking { at: cut(looking.at), edits: looking.edits.map(cut) };
        let changed = match self.viewers().by_id.get_mut(&id) {
            Some(line) if line.viewer.looking != looking => {
                line.viewer.looking = looking;
                line.is_screen
            }
            _ => false,
        };
        if changed {
            self.tell_presence();
        }
    }

    async fn first_overview(&self, hello: &Hello) -> Option<Answer> {
        if hello.is_screen { self.handle.ask(Query::Overview).await.ok() } else { None }
    }

    /// The snapshot: what the queue already holds may be in it, what comes later is not.
    async fn welcome(&self, id: u64, hello: &Hello) -> Welcome {
        let (number, presence) = {
            let viewers = self.viewers();
            let queued = viewers.by_id.get(&id).map_or(0, |line| line.queue.len());
            (viewers.number - queued as u64, self.presence(&viewers))
        };
        let overview = match self.first_overview(hello).await {
            Some(Answer::Overview(overview)) => Some(overview),
            _ => None,
        };
        Welcome {
            you: id,
            host: self.host.clone(),
            profile: self.profile.clone(),
            pid: std::process::id(),
            version: wire::VERSION.into(),
            since: self.since,
            number,
            presence,
            overview,
        }
    }

    async fn converse(
        self: &Arc<Self>,
        id: u64,
        hello: Hello,
        queue: Arc<Outbox>,
        mut reading: BufReader<OwnedReadHalf>,
        writing: OwnedWriteHalf,
    ) {
        let (answers, waiting) = mpsc::channel(1);
        let welcome = ToViewer::Welcome(Box::new(self.welcome(id, &hello).await));
        let Ok(first) = wire::frame(&welcome, wire::ANSWER_CAP) else { return };
        let mut writer = AbortOnDropHandle::new(tokio::spawn(write_all(first, waiting, queue, writing)));
        let desk = Arc::new(Desk {
            shared: self.clone(),
            id,
            by: by(&hello),
            session: hello.session,
            answers,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        });
        tokio::select! {
            _ = &mut writer => {}
            () = desk.read_all(&mut reading) => {}
        }
    }
}

fn other_version(theirs: &str) -> Problem {
    let theirs = crate::model::text::shown(theirs).into_owned();
    let message = if theirs == wire::VERSION {
        "The host that runs here is of another build than this program.".to_owned()
    } else {
        format!("The host that runs here is version {}, this program is {theirs}.", wire::VERSION)
    };
    Problem::new(Class::Busy, message).remedy(super::OTHER_VERSION)
}

/// As the trail names whoever gave an order.
fn by(hello: &Hello) -> String {
    let shown = |text: &str| crate::model::text::shown(text).chars().take(64).collect::<String>();
    match &hello.from {
        Some(from) => format!("{}@{}", shown(&hello.user), shown(from)),
        None => shown(&hello.user),
    }
}

impl Viewers {
    fn tell(&mut self, event: Event) {
        self.number += 1;
        let number = self.number;
        if self.by_id.is_empty() {
            return;
        }
        match wire::frame(&ToViewer::Event { number, event }, wire::ANSWER_CAP) {
            Ok(frame) => {
                let frame: Frame = frame.as_slice().into();
                for line in self.by_id.values() {
                    line.queue.push(number, &frame);
                }
            }
            Err(problem) => {
                tracing::error!("{}", problem.message);
                for line in self.by_id.values() {
                    line.queue.skip_to(number);
                }
            }
        }
    }
}

/// Events on their way to one viewer.
#[derive(Default)]
struct Outbox {
    inner: Mutex<Waiting>,
    news: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// Everything up to here was dropped, and the viewer does not know yet.
    lost_up_to: Option<u64>,
}

impl Outbox {
    fn bytes(&self) -> usize {
        lock(&self.inner).bytes
    }

    fn len(&self) -> usize {
        lock(&self.inner).frames.len()
    }

    fn push(&self, number: u64, frame: &Frame) {
        let mut waiting = lock(&self.inner);
        if waiting.bytes + frame.len() > QUEUE {
            // What the viewer shows is wrong from here on until it asks anew: older news would be noise.
            *waiting = Waiting { lost_up_to: Some(number), ..Waiting::default() };
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame.clone());
        }
        drop(waiting);
        self.news.notify_one();
    }

    fn skip_to(&self, number: u64) {
        *lock(&self.inner) = Waiting { lost_up_to: Some(number), ..Waiting::default() };
        self.news.notify_one();
    }

    fn take(&self) -> Option<Frame> {
        let mut waiting = lock(&self.inner);
        if let Some(number) = waiting.lost_up_to.take() {
            return wire::frame(&ToViewer::Lagged { number }, wire::HELLO_CAP)
                .ok()
                .map(|frame| frame.as_slice().into());
        }
        let frame = waiting.frames.pop_front()?;
        waiting.bytes -= frame.len();
        Some(frame)
    }

    async fn next(&self) -> Frame {
        loop {
            if let Some(frame) = self.take() {
                return frame;
            }
            self.news.notified().await;
        }
    }
}

/// Writes to one viewer: the welcome, then answers before events.
async fn write_all(
    welcome: zeroize::Zeroizing<Vec<u8>>,
    mut answers: mpsc::Receiver<Frame>,
    queue: Arc<Outbox>,
    mut to: OwnedWriteHalf,
) {
    let mut answer: Option<Frame> = Some(welcome.as_slice().into());
    drop(welcome);
    loop {
        let written = if let Some(frame) = answer.take() {
            match tokio::time::timeout(ANSWER_WAIT, wire::write(&mut to, &frame)).await {
                Ok(written) => written,
                Err(_) => return,
            }
        } else {
            tokio::select! {
                biased;
                next = answers.recv() => {
                    if next.is_none() {
                        return;
                    }
                    answer = next;
                    continue;
                }
                frame = queue.next() => wire::write(&mut to, &frame).await,
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// Where one viewer's questions and orders are taken.
struct Desk {
    shared: Arc<Shared>,
    /// Whose desk it is, in [`Presence`].
    id: u64,
    by: String,
    session: String,
    /// Room for one: whoever takes no answer is asked nothing more.
    answers: mpsc::Sender<Frame>,
    at_once: Arc<Semaphore>,
}

impl Desk {
    async fn read_all(self: Arc<Self>, from: &mut BufReader<OwnedReadHalf>) {
        loop {
            let frame = match wire::read(from, wire::REQUEST_CAP).await {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(error) => {
                    tracing::info!(%error, "a viewer is let go");
                    return;
                }
            };
            match serde_json::from_slice(&frame) {
                Ok(ToHost::Ask { id, query }) => {
                    let result = self.ask(query).await;
                    if self.answer(&ToViewer::Answer { id, result }, id).await.is_err() {
                        return;
                    }
                }
                Ok(ToHost::Do { id, command }) => {
                    let Ok(permit) = self.at_once.clone().acquire_owned().await else { return };
                    let desk = self.clone();
                    tokio::spawn(async move {
                        desk.carry_out(id, command.into()).await;
                        drop(permit);
                    });
                }
                Ok(ToHost::Hello(_)) => {}
                Err(_) => {
                    // A word that this build does not know: whoever waits for an answer must get one.
                    let Some(refusal) = unknown(&frame) else { return };
                    let Ok(frame) = wire::frame(&refusal, wire::HELLO_CAP) else { return };
                    if self.answers.send(frame.as_slice().into()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn ask(&self, query: Query) -> Result<Answer, Problem> {
        if query == Query::Presence {
            let viewers = self.shared.viewers();
            return Ok(Answer::Presence(self.shared.presence(&viewers)));
        }
        self.shared.handle.ask(query).await
    }

    async fn answer(&self, message: &ToViewer, id: u64) -> Result<(), mpsc::error::SendError<Frame>> {
        let frame = wire::frame(message, wire::ANSWER_CAP).or_else(|problem| {
            let message = match message {
                ToViewer::Reply { .. } => ToViewer::Reply { id, result: Err(problem) },
                _ => ToViewer::Answer { id, result: Err(problem) },
            };
            wire::frame(&message, wire::ANSWER_CAP)
        });
        match frame {
            Ok(frame) => self.answers.send(frame.as_slice().into()).await,
            Err(_) => Ok(()),
        }
    }

    /// Does an order once, however often it arrives: a viewer whose line broke sends again what it has no reply to.
    async fn carry_out(self: &Arc<Self>, id: u64, command: Command) {
        let key = (self.session.clone(), id);
        let (mut reply, is_new) = lock(&self.shared.replies).of(&key);
        if is_new {
            // Not in this viewer's task: the order is carried out, whether or not the viewer stays.
            let desk = self.clone();
            tokio::spawn(async move {
                let result = desk.obey(command).await;
                let reply = ToViewer::Reply { id, result };
                let frame = wire::frame(&reply, wire::ANSWER_CAP).or_else(|problem| {
                    wire::frame(&ToViewer::Reply { id, result: Err(problem) }, wire::ANSWER_CAP)
                });
                let frame: Frame = frame.map_or_else(|_| Frame::default(), |frame| frame.as_slice().into());
                lock(&desk.shared.replies).put(&key, &frame);
            });
        }
        let frame = match reply.wait_for(Option::is_some).await {
            Ok(frame) => frame.clone(),
            Err(_) => None,
        };
        if let Some(frame) = frame.filter(|frame| !frame.is_empty()) {
            let _ = self.answers.send(frame).await;
        }
    }

    async fn obey(&self, command: Command) -> Result<Reply, Problem> {
        let resumes = match &command {
            Command::Stop => return self.stop_mine().await,
            Command::LookAt(looking) => {
                self.shared.look_at(self.id, looking.clone());
                // A viewer says where it looks when it has the answer to the last time.
                tokio::time::sleep(LOOK_WAIT).await;
                return Ok(Reply::Done("Told.".into()));
            }
            Command::Order { job, order: JobOrder::Resume } => Some(*job),
            _ => None,
        };
        let result = self.shared.handle.send_for(self.by.clone(), command).await;
        let started = match &result {
            Ok(Reply::Started(job)) => Some(*job),
            Ok(_) => resumes,
            Err(_) => None,
        };
        if let Some(job) = started {
            lock(&self.shared.replies).started(&self.session, job);
        }
        result
    }

    /// A viewer cannot stop the host; what it set going itself, it can.
    async fn stop_mine(&self) -> Result<Reply, Problem> {
        let mine = lock(&self.shared.replies).started_by(&self.session);
        let handle = &self.shared.handle;
        let is_running = async |job| match handle.ask(Query::Job { job }).await {
            Ok(Answer::Job(report)) => report.state == JobState::Running,
            _ => false,
        };
        let until = tokio::time::Instant::now() + STOP_WAIT;
        for job in mine {
            if is_running(job).await {
                let order = Command::Order { job, order: JobOrder::Stop };
                // It may have ended in this moment.
                let _ = handle.send_for(self.by.clone(), order).await;
            }
            while is_running(job).await && tokio::time::Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(Reply::Done("Stopped.".into()))
    }
}

/// The answer to a request of which only the number can be read.
fn unknown(frame: &[u8]) -> Option<ToViewer> {
    let value: serde_json::Value = serde_json::from_slice(frame).ok()?;
    let problem =
        || Problem::new(Class::Input, "The host does not know this request.").remedy(super::OTHER_VERSION);
    let id = |kind: &str| value.get(kind)?.get("id")?.as_u64();
    match (id("ask"), id("do")) {
        (Some(id), _) => Some(ToViewer::Answer { id, result: Err(problem()) }),
        (_, Some(id)) => Some(ToViewer::Reply { id, result: Err(problem()) }),
        _ => None,
    }
}

/// The orders of late, by viewer and number, with their replies.
#[derive(Default)]
struct Replies {
    by_key: HashMap<(String, u64), watch::Sender<Option<Frame>>>,
    /// Those with a reply, oldest first.
    done: VecDeque<(String, u64)>,
    /// Which viewer set a job going, the latest last.
    jobs: VecDeque<(String, JobId)>,
}

impl Replies {
    /// Where the reply will appear, and whether the order is new.
    fn of(&mut self, key: &(String, u64)) -> (watch::Receiver<Option<Frame>>, bool) {
        if let Some(known) = self.by_key.get(key) {
            return (known.subscribe(), false);
        }
        let (reply, will_be) = watch::channel(None);
        self.by_key.insert(key.clone(), reply);
        (will_be, true)
    }

    fn started(&mut self, session: &str, job: JobId) {
        self.jobs.push_back((session.to_owned(), job));
        if self.jobs.len() > REPLIES {
            self.jobs.pop_front();
        }
    }

    fn started_by(&self, session: &str) -> Vec<JobId> {
        self.jobs.iter().filter(|(by, _)| by == session).map(|(_, job)| *job).collect()
    }

    fn put(&mut self, key: &(String, u64), frame: &Frame) {
        if let Some(reply) = self.by_key.get(key) {
            reply.send_replace(Some(frame.clone()));
        }
        if frame.len() > REPLY_CAP {
            self.by_key.remove(key);
            return;
        }
        self.done.push_back(key.clone());
        if self.done.len() > REPLIES
            && let Some(oldest) = self.done.pop_front()
        {
            self.by_key.remove(&oldest);
        }
    }
}
