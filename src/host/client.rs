//! The viewer's side of the socket: the same [`Handle`] as to an engine of this process. It lives on a thread of its
//! own, so that neither a large answer nor a lost host delays a key. When the host goes away it says so, answers every
//! question with the reason, and connects again by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc as blocking};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use zeroize::Zeroizing;

use super::wire::{self, Hello, Order, ToHost, ToViewer, Welcome};
use super::words::{Answer, Event, Presence, Query, Reply};
use super::{Call, Handle};
use crate::model::{Class, Moment, Problem};
use crate::store::{Places, lock};

/// A host that takes longer to say welcome is none.
const WELCOME_WAIT: Duration = Duration::from_secs(10);
/// Between two attempts to reach a host that went away; doubles up to the second.
const TRY_AGAIN: Duration = Duration::from_millis(100);
const TRY_SLOWLY: Duration = Duration::from_secs(5);

/// How long somebody who starts a host waits for it before anything else: a small store is open by then, and a host that
/// cannot start has said so. Below what a person takes for a pause.
const AT_ONCE: Duration = Duration::from_millis(100);
/// How long a host may start that has not failed: a long trail takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a host that somebody else starts may hold the lock without answering.
const OTHERS: Duration = Duration::from_secs(10);
/// Between two looks for a host that nobody tells us of.
const LOOK: Duration = Duration::from_millis(20);
/// The same while we expect to be told.
const LOOK_SELDOM: Duration = Duration::from_millis(500);

/// Who looks, as others are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Screen,
    Command,
}

/// Does what is needed for a host to be there again; called from a thread of its own, seldom.
pub type Revive = Box<dyn Fn() + Send>;

/// Tells, once, that a host on its way answers by now, or why it never will.
pub(super) type Coming = oneshot::Receiver<Result<(), Problem>>;

/// A line to a host, as long as it lives.
pub struct Line {
    handle: Handle,
    host: Arc<OnceLock<Host>>,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub pid: u32,
    pub profile: String,
    pub version: String,
    pub since: Moment,
    pub warning: Option<String>,
}

impl Line {
    /// Connects to the profile's host. `None` where none answers.
    ///
    /// # Errors
    /// A host of another version or of another user, and what to do about it.
    pub fn attach(places: &Places, kind: Kind, revive: Option<Revive>) -> Result<Option<Self>, Problem> {
        if socket_of(places).is_none() {
            return Ok(None);
        }
        let (line, met) = Self::begin(places, kind, revive, None)?;
        match met.recv() {
            Ok(Ok(())) => Ok(Some(line)),
            Ok(Err(Some(problem))) => Err(problem),
            Ok(Err(None)) | Err(_) => Ok(None),
        }
    }

    /// Connects to a host that is being started. Where that takes longer than a moment the line is there before the
    /// host: what is asked waits for it, and is answered with the reason should it fail to come.
    ///
    /// # Errors
    /// As [`Line::attach`], and what keeps the host from starting, where that is known in that moment.
    pub(super) fn to_come(
        places: &Places,
        kind: Kind,
        revive: Revive,
        coming: Coming,
    ) -> Result<Self, Problem> {
        let (line, met) = Self::begin(places, kind, Some(revive), Some(coming))?;
        match met.recv_timeout(AT_ONCE) {
            Ok(Err(Some(problem))) => Err(problem),
            _ => Ok(line),
        }
    }

    /// A thread that keeps the line. It says once whether it has met the host; `Err(None)`: nobody answers.
    fn begin(
        places: &Places,
        kind: Kind,
        revive: Option<Revive>,
        coming: Option<Coming>,
    ) -> Result<(Self, blocking::Receiver<Result<(), Option<Problem>>>), Problem> {
        let session = super::random_name()?;
        let (calls, inbox) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(1024);
        let handle = Handle::new(calls, events.clone()).shared();
        let (ready, met) = blocking::channel();
        let host = Arc::new(OnceLock::new());
        let outline = Outline { places: places.clone(), kind, session, revive, host: Arc::clone(&host) };
        std::thread::Builder::new()
            .name("line".into())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    Ok(runtime) => runtime.block_on(outline.live(coming, inbox, events, &ready)),
                    Err(error) => {
                        let _ = ready.send(Err(Some(Problem::new(
                            Class::Local,
                            format!("The line to the host cannot be kept: {error}."),
                        ))));
                    }
                }
            })
            .map_err(|error| {
                Problem::new(Class::Local, format!("The line's thread cannot be started: {error}."))
            })?;
        Ok((Self { handle, host }, met))
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Who answered first; `None` while the host is on its way.
    pub fn host(&self) -> Option<&Host> {
        self.host.get()
    }
}

/// Where the profile's host says it listens; it may be there no longer.
pub fn socket_of(places: &Places) -> Option<PathBuf> {
    lock::claims(&places.data)?.socket
}

/// How a connection is made, and made again.
struct Outline {
    places: Places,
    kind: Kind,
    session: String,
    revive: Option<Revive>,
    /// Set once the host has answered.
    host: Arc<OnceLock<Host>>,
}

/// Why there is no connection.
enum Unmet {
    /// Nobody answers.
    Nobody,
    /// Somebody does, and will not talk to us.
    Refused(Problem),
}

struct Met {
    welcome: Welcome,
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
}

type Waiting = BTreeMap<u64, Open>;

/// What has no answer yet.
enum Open {
    Ask(oneshot::Sender<Result<Answer, Problem>>),
    /// Kept to be sent again, if the line breaks and the same host is still there.
    Do(Order, oneshot::Sender<Result<Reply, Problem>>),
}

impl Open {
    fn fail(self, problem: &Problem) {
        match self {
            Self::Ask(answer) => drop(answer.send(Err(problem.clone()))),
            Self::Do(_, answer) => drop(answer.send(Err(problem.clone()))),
        }
    }
}

impl Outline {
    /// Until nobody holds the handle any more.
    async fn live(
        self,
        coming: Option<Coming>,
        mut calls: mpsc::UnboundedReceiver<Call>,
        events: broadcast::Sender<Event>,
        ready: &blocking::Sender<Result<(), Option<Problem>>>,
    ) {
        let first = match coming {
            Some(coming) => self.meet_coming(coming).await,
            None => self.meet_now().await,
        };
        let mut met = match first {
            Ok(met) => met,
            Err(Unmet::Nobody) => return drop(ready.send(Err(None))),
            Err(Unmet::Refused(problem)) => {
                let _ = ready.send(Err(Some(problem.clone())));
                // Whoever has begun to ask meanwhile hears the reason.
                while let Some(call) = calls.recv().await {
                    refuse(call, &problem);
                }
                return;
            }
        };
        let _ = self.host.set(met.welcome.host_of());
        let _ = ready.send(Ok(()));
        let mut last_id = 0;
        let mut open = Waiting::new();
        loop {
            let host = met.welcome.host.clone();
            let pid = met.welcome.pid;
            let mut talk =
                Talk { calls: &mut calls, events: &events, open: &mut open, last_id: &mut last_id };
            if talk.run(met).await.is_break() {
                return;
            }
            let gone = gone(pid);
            // What was only asked can be asked again; whether an order was carried out only its own host knows.
            open.retain(|_, open| matches!(open, Open::Do(_, answer) if !answer.is_closed()));
            let _ = events.send(Event::Broken(gone.clone()));
            let Some(again) = self.meet_again(&mut calls, &events, gone.clone()).await else { return };
            met = again;
            if met.welcome.host != host {
                for (_, order) in std::mem::take(&mut open) {
                    order.fail(&unsure());
                }
            }
            let _ = events.send(Event::Missed);
        }
    }

    /// The host that the lock names.
    async fn meet_now(&self) -> Result<Met, Unmet> {
        match socket_of(&self.places) {
            Some(socket) => self.meet(&socket).await,
            None => Err(Unmet::Nobody),
        }
    }

    /// The host that is on its way, or another that was faster.
    async fn meet_coming(&self, mut coming: Coming) -> Result<Met, Unmet> {
        let begun = tokio::time::Instant::now();
        let (mut is_told, mut failed) = (false, None);
        loop {
            match self.meet_now().await {
                Err(Unmet::Nobody) => {}
                met => return met,
            }
            if let Some((since, problem)) = &failed {
                // Whoever has the store may be a host that is about to answer.
                let problem: &Problem = problem;
                let may_come = problem.class == Class::Busy && super::start::is_starting(&self.places);
                let since: &tokio::time::Instant = since;
                if !may_come || since.elapsed() > OTHERS {
                    return Err(Unmet::Refused(problem.clone()));
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err(Unmet::Refused(
                    Problem::new(Class::Local, "The host has started and does not answer.")
                        .remedy("See its log (`logs/` in the profile's folder)."),
                ));
            }
            let pause = if is_told { LOOK } else { LOOK_SELDOM };
            tokio::select! {
                told = &mut coming, if !is_told => {
                    is_told = true;
                    if let Ok(Err(problem)) = told {
                        failed = Some((tokio::time::Instant::now(), problem));
                    }
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Connects and says hello.
    async fn meet(&self, socket: &Path) -> Result<Met, Unmet> {
        let Ok(stream) = UnixStream::connect(socket).await else { return Err(Unmet::Nobody) };
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == rustix::process::geteuid().as_raw() => {}
            _ => {
                return Err(Unmet::Refused(
                    Problem::new(
                        Class::Auth,
                        format!("What answers at {} belongs to another user.", socket.display()),
                    )
                    .remedy("Remove it, or use another profile."),
                ));
            }
        }
        let (reading, mut writing) = stream.into_split();
        let mut reading = BufReader::new(reading);
        let hello = Hello {
            protocol: wire::protocol(),
            version: wire::VERSION.into(),
            profile: self.places.profile.clone(),
            user: super::person(),
            from: super::came_from(),
            pid: std::process::id(),
            is_screen: self.kind == Kind::Screen,
            session: self.session.clone(),
        };
        let Ok(frame) = wire::frame(&ToHost::Hello(hello), wire::HELLO_CAP) else {
            return Err(Unmet::Nobody);
        };
        // A host that is about to end closes without a word.
        if wire::write(&mut writing, &frame).await.is_err() {
            return Err(Unmet::Nobody);
        }
        let answer = tokio::time::timeout(WELCOME_WAIT, wire::read(&mut reading, wire::ANSWER_CAP)).await;
        let answer = match answer {
            Ok(Ok(Some(answer))) => answer,
            Ok(_) => return Err(Unmet::Nobody),
            Err(_) => {
                return Err(Unmet::Refused(
                    Problem::new(Class::Busy, "The host that runs here does not answer.").remedy(
                        "See its log (`logs/` in the profile's folder), or end it: `parhelion serve --stop`.",
                    ),
                ));
            }
        };
        match serde_json::from_slice(&answer) {
            Ok(ToViewer::Welcome(welcome)) => Ok(Met { welcome: *welcome, reading, writing }),
            Ok(ToViewer::Refused(refused)) => Err(Unmet::Refused(refused.problem)),
            _ => Err(Unmet::Refused(
                Problem::new(Class::Busy, "The host that runs here is of another version than this program.")
                    .remedy(super::OTHER_VERSION),
            )),
        }
    }

    /// Tries until a host answers; meanwhile every call is answered with the reason. `None`: nobody wants it any more.
    async fn meet_again(
        &self,
        calls: &mut mpsc::UnboundedReceiver<Call>,
        events: &broadcast::Sender<Event>,
        mut reason: Problem,
    ) -> Option<Met> {
        let mut pause = TRY_AGAIN;
        let mut attempts = 0_u32;
        loop {
            let until = tokio::time::Instant::now() + pause;
            while let Ok(call) = tokio::time::timeout_at(until, calls.recv()).await {
                refuse(call?, &reason);
            }
            let unmet = match self.meet_now().await {
                Ok(met) => return Some(met),
                Err(unmet) => unmet,
            };
            attempts += 1;
            match unmet {
                Unmet::Refused(problem) if problem != reason => {
                    let _ = events.send(Event::Broken(problem.clone()));
                    reason = problem;
                }
                // About a second after it went, and seldom after that.
                Unmet::Nobody if attempts % 12 == 4 => {
                    if let Some(revive) = &self.revive {
                        revive();
                    }
                }
                _ => {}
            }
            pause = (pause * 2).min(TRY_SLOWLY);
        }
    }
}

impl Welcome {
    fn host_of(&self) -> Host {
        Host {
            pid: self.pid,
            profile: self.profile.clone(),
            version: self.version.clone(),
            since: self.since,
            warning: self.presence.warning.clone(),
        }
    }
}

fn refuse(call: Call, problem: &Problem) {
    match call {
        Call::Ask(_, answer) => drop(answer.send(Err(problem.clone()))),
        Call::Do(_, answer) | Call::DoFor(_, _, answer) => drop(answer.send(Err(problem.clone()))),
    }
}

fn gone(pid: u32) -> Problem {
    Problem::new(Class::Local, format!("The host (process {pid}) has gone; looking for it ..."))
        .remedy("What it had under way can be resumed.")
}

fn unsure() -> Problem {
    Problem::new(Class::Local, "The host ended before it answered.")
        .remedy("`parhelion jobs` shows what became of it; what was under way can be resumed.")
}

/// One connection.
struct Talk<'a> {
    calls: &'a mut mpsc::UnboundedReceiver<Call>,
    events: &'a broadcast::Sender<Event>,
    open: &'a mut Waiting,
    last_id: &'a mut u64,
}

impl Talk<'_> {
    /// Until the line breaks (`Continue`) or nobody holds the handle any more (`Break`).
    async fn run(&mut self, met: Met) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        let Met { mut welcome, mut reading, mut writing } = met;
        let you = welcome.you;
        let mut number = welcome.number;
        let mut first = welcome.overview.take();
        // Both directions have a task: a host that waits for us to read must not wait for itself.
        let (send, mut to_send) = mpsc::unbounded_channel::<Zeroizing<Vec<u8>>>();
        let _writer = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(frame) = to_send.recv().await {
                if wire::write(&mut writing, &frame).await.is_err() {
                    return;
                }
            }
        }));
        let (heard, mut frames) = mpsc::channel(16);
        let _reader = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Ok(Some(frame)) = wire::read(&mut reading, wire::ANSWER_CAP).await {
                if heard.send(frame).await.is_err() {
                    return;
                }
            }
        }));
        for (id, open) in self.open.iter() {
            if let Open::Do(order, _) = open
                && let Ok(frame) =
                    wire::frame(&ToHost::Do { id: *id, command: order.clone() }, wire::REQUEST_CAP)
            {
                let _ = send.send(frame);
            }
        }
        loop {
            tokio::select! {
                call = self.calls.recv() => match call {
                    None => return Break(()),
                    Some(Call::Ask(Query::Overview, answer)) if first.is_some() => {
                        if let Some(overview) = first.take() {
                            let _ = answer.send(Ok(Answer::Overview(overview)));
                        }
                    }
                    Some(call) => self.pass_on(call, &send),
                },
                frame = frames.recv() => {
                    let Some(frame) = frame else { return Continue(()) };
                    match serde_json::from_slice::<ToViewer>(&frame) {
                        Ok(message) => {
                            // The snapshot is as old as the first event after it.
                            if !matches!(message, ToViewer::Event { event: Event::Presence(_), .. } | ToViewer::Answer { .. } | ToViewer::Reply { .. }) {
                                first = None;
                            }
                            self.hear(message, you, &mut number);
                        }
                        // A word that this build does not know.
                        Err(error) => {
                            tracing::warn!(%error, "the host said something unknown");
                            self.tell(Event::Missed);
                        }
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, call: Call, send: &mpsc::UnboundedSender<Zeroizing<Vec<u8>>>) {
        *self.last_id += 1;
        let id = *self.last_id;
        let (message, open) = match call {
            Call::Ask(query, answer) => (ToHost::Ask { id, query }, Open::Ask(answer)),
            Call::Do(command, answer) | Call::DoFor(_, command, answer) => {
                let order = Order::from(command);
                (ToHost::Do { id, command: order.clone() }, Open::Do(order, answer))
            }
        };
        match wire::frame(&message, wire::REQUEST_CAP) {
            Ok(frame) => {
                self.open.insert(id, open);
                // A line that broke in this moment is noticed by its reader.
                let _ = send.send(frame);
            }
            Err(problem) => open.fail(&problem),
        }
    }

    fn hear(&mut self, message: ToViewer, you: u64, number: &mut u64) {
        match message {
            ToViewer::Answer { id, result } => {
                if let Some(Open::Ask(answer)) = self.open.remove(&id) {
                    let _ = answer.send(result.map(|answer| match answer {
                        Answer::Presence(presence) => Answer::Presence(others(presence, you)),
                        answer => answer,
                    }));
                }
            }
            ToViewer::Reply { id, result } => {
                if let Some(Open::Do(_, answer)) = self.open.remove(&id) {
                    let _ = answer.send(result);
                }
            }
            ToViewer::Event { number: now, event } => {
                if now != *number + 1 {
                    self.tell(Event::Missed);
                }
                *number = now;
                self.tell(match event {
                    Event::Presence(presence) => Event::Presence(others(presence, you)),
                    event => event,
                });
            }
            ToViewer::Lagged { number: now } => {
                *number = now;
                self.tell(Event::Missed);
            }
            ToViewer::Welcome(_) | ToViewer::Refused(_) => {}
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

fn others(mut presence: Presence, you: u64) -> Presence {
    presence.viewers.retain(|viewer| viewer.id != you);
    presence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::words::Command;
    use crate::model::{Place, Secret};

    #[test]
    fn a_secret_crosses_only_in_its_own_form() {
        let commands = [
            Command::SealSecret { key: "also.password".into(), secret: Secret::new("sesame-open") },
            Command::Test {
                place: Place::Halo,
                draft: Vec::new(),
                secrets: vec![("halo.client_secret".into(), Secret::new("sesame-open"))],
            },
        ];
        for command in commands {
            assert!(serde_json::to_string(&command).is_err(), "it has no other form");
            let order = Order::from(command);
            assert!(!format!("{order:?}").contains("sesame"), "{order:?}");
            let text = serde_json::to_string(&order).unwrap();
            let back: Order = serde_json::from_str(&text).unwrap();
            let secret = match Command::from(back) {
                Command::SealSecret { secret, .. } => secret,
                Command::Test { secrets, .. } => secrets[0].1.clone(),
                other => panic!("{other:?}"),
            };
            assert_eq!(secret, Secret::new("sesame-open"));
        }
        let plain = Order::from(Command::Stop);
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#"{"plain":"Stop"}"#);
    }
}
