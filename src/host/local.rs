//! The engine in this process, on threads of its own, so that neither a long hash nor a disk delays a key.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{broadcast, mpsc};

use super::Handle;
use crate::api::http::{RealTransport, Transport};
use crate::engine::book::Book;
use crate::engine::records::Record;
use crate::engine::world::World;
use crate::engine::{Engine, Protocol, desk, metrics, notices, retention};
use crate::model::{Class, Installation, Moment, Problem};
use crate::store::{KeySource, Lock, Places, Store};

/// Which profile, and where.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub data_dir: Option<PathBuf>,
    pub profile: Option<String>,
    pub key_file: Option<PathBuf>,
    /// What others read in the lock file: the command that holds the store.
    pub command: String,
    /// Whether schedules run here: in a process that stays, not in one command.
    pub schedules: bool,
}

/// A running engine and its store.
pub struct Home {
    handle: Handle,
    places: Places,
    /// What the opening of the store found that a person should know.
    notice: Option<String>,
    thread: Option<JoinHandle<()>>,
    /// Dropped last: the store is closed by then.
    lock: Lock,
}

impl Home {
    /// Takes the lock, opens the store, starts the engine.
    ///
    /// # Errors
    /// `Busy` when another process holds the store; `Local` when it cannot be opened.
    pub fn open(options: &Options) -> Result<Self, Problem> {
        let places = Places::find(options.profile.as_deref(), options.data_dir.as_deref())?;
        let key = KeySource::choose(options.key_file.as_deref(), &places);
        Self::open_at(places, key, options, Arc::new(RealTransport::new()))
    }

    /// As [`Home::open`], in places and over a transport of the caller's choice.
    pub fn open_at(
        places: Places,
        key: KeySource,
        options: &Options,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, Problem> {
        let (store, opened) = Store::open(places, key, &options.command)?;
        let Store { trail, index, vault, places, lock } = store;
        for folder in [places.logs(), places.reports()] {
            std::fs::create_dir_all(&folder).map_err(|error| {
                Problem::new(
                    Class::Local,
                    format!("The folder {} cannot be made: {error}.", folder.display()),
                )
            })?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("engine")
            .enable_all()
            .build()
            .map_err(|error| {
                Problem::new(Class::Local, format!("The engine's threads cannot be started: {error}."))
            })?;
        let (calls, inbox) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(1024);
        let handle = Handle::new(calls, events.clone());
        let book = Book::open(trail, Arc::from(index))?;
        let at = places.clone();
        let engine = runtime.block_on(async move {
            let installation = installation(&book).await?;
            retention::tidy(&book, &at, &book.settings()?.profile.keep, Moment::now()).await;
            Engine::open(
                book,
                vault,
                at,
                World::real(transport),
                Protocol::default(),
                who(),
                installation,
                events,
            )
        })?;
        {
            let _inside = runtime.enter();
            metrics::keep(&engine);
            retention::keep(&engine);
            notices::keep(&engine);
        }
        let schedules = options.schedules;
        let thread = std::thread::Builder::new()
            .name("engine-home".into())
            .spawn(move || {
                runtime.block_on(async {
                    if schedules {
                        engine.start_schedules();
                    }
                    desk::serve(engine, inbox).await;
                });
                // Tasks that still run end with the runtime; whatever they had in hand is in the trail.
                runtime.shutdown_timeout(std::time::Duration::from_millis(200));
            })
            .map_err(|error| {
                Problem::new(Class::Local, format!("The engine's thread cannot be started: {error}."))
            })?;
        let notice = told(&opened);
        Ok(Self { handle, places, notice, thread: Some(thread), lock })
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    pub fn places(&self) -> &Places {
        &self.places
    }

    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Says in the lock file where this home can be talked to.
    pub(super) fn announce(&mut self, socket: Option<PathBuf>) -> Result<(), Problem> {
        self.lock.announce(socket)
    }

    /// Stops after the records in hand; everything is on disk when this returns.
    pub fn close(mut self) {
        self.end();
    }

    /// As [`Home::close`], and the lock stays held by the file that this answers.
    ///
    /// # Errors
    /// When the system gives no second handle of it; everything is closed all the same.
    pub(super) fn hand_over(self) -> Result<std::fs::File, Problem> {
        let lock = self.lock.share();
        self.close();
        lock
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let handle = self.handle.clone();
        let stop = async move { handle.send(super::words::Command::Stop).await };
        // The caller may or may not be inside a runtime: a thread of its own is right in both cases.
        let stopper = std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() {
                let _ = runtime.block_on(stop);
            }
        });
        let _ = stopper.join();
        let _ = thread.join();
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.end();
    }
}

/// The installation's name, made and written down at first start.
pub async fn installation(book: &Book) -> Result<Installation, Problem> {
    if let Some(installation) = book.installation()? {
        return Ok(installation);
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::new(Class::Local, format!("This machine gives no random numbers: {error}."))
    })?;
    let installation = Installation::from_random(bytes);
    book.record(&[Record::Owner { installation: installation.as_str().to_owned() }]).await?;
    Ok(installation)
}

/// What a person should know of how the store was found.
fn told(opened: &crate::store::Opened) -> Option<String> {
    use crate::store::index::Opened as Found;
    match &opened.index {
        Found::New if opened.trail.last_seq > 0 => {
            Some("The index was not there and was made again from the audit trail.".into())
        }
        Found::New | Found::Found => None,
        Found::Repaired { aside } => Some(format!(
            "The index was damaged and is repaired; a copy of the old one is in {}.",
            aside.display()
        )),
        Found::Rebuilt { aside } => Some(format!(
            "The index could not be opened and was made again from the audit trail; the old one is in {}.",
            aside.display()
        )),
    }
}

/// The person at the keyboard: the system's user, and the SSH client if there is one.
fn who() -> String {
    match super::came_from() {
        Some(client) => format!("{}@{client}", super::person()),
        None => super::person(),
    }
}
