//! The host process: one engine, served to any number of viewers until it is asked to end.

use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, watch};

use super::notify::{self, Notify};
use super::resume::Note;
use super::words::{Answer, Event, Query};
use super::{Door, Handle, Home, Server, logout, rest};
use crate::model::{Class, Problem};
use crate::store::{Places, files};

/// How long a host that a viewer started waits for something to do before it ends.
pub const IDLE: Duration = Duration::from_secs(300);
/// Longest path of a socket, in bytes: `sun_path` has 108 with its end on Linux, 104 elsewhere (unix(7)).
const LONGEST: usize = 103;

/// How long the host stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Until it is asked to end.
    Always,
    /// Until nobody has needed it for this long: no viewer, no job, no schedule.
    WhileNeeded(Duration),
}

/// How a host ended.
#[derive(Debug)]
pub enum Ended {
    /// As it was asked to, or because nobody needed it.
    Done,
    /// Only to begin anew: this is its lock, still held.
    ToBeginAnew(File),
}

/// Serves `home` until a signal, a long idleness or a broken disk ends it; everything is on disk when this returns.
/// `quiet`: see [`rest::is_due`]. `ready` is called once viewers may come.
///
/// # Errors
/// When the socket cannot be listened at, or the engine can no longer go on.
pub fn run(mut home: Home, stay: Stay, quiet: Duration, ready: impl FnOnce(&Path)) -> Result<Ended, Problem> {
    let door = Door::open(&place(home.places())?)?;
    let socket = door.path.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Problem::new(Class::Local, format!("The host's threads cannot be started: {error}."))
    })?;
    runtime.block_on(async {
        let mut asked = Asked::listen()?;
        let server = Server::start(door, home.handle(), &home.places().profile)?;
        server.warn(logout::warning());
        let notify = Notify::of_environment();
        let handle = home.handle();
        let note = Note::of(home.places());
        let mut events = handle.subscribe();
        note.go_on(&handle).await;
        home.announce(Some(socket.clone()))?;
        notify.say("READY=1\nSTATUS=Ready.");
        tracing::info!(socket = %socket.display(), "serving");
        ready(&socket);
        let mut anew = false;
        let ended = tokio::select! {
            () = asked.next() => Ok(()),
            () = idle(stay, &handle, server.count()) => Ok(()),
            () = rest::is_due(quiet, &handle, server.count(), rest::held) => {
                anew = true;
                Ok(())
            }
            problem = watch_jobs(&mut events, &handle, &note) => Err(problem),
            () = be_watched(&handle, &notify) => Ok(()),
            () = keep_warned(&server) => Ok(()),
        };
        tracing::info!(ok = ended.is_ok(), anew, "ending");
        // To the service manager the service goes on.
        notify.say(if anew {
            "STATUS=Beginning anew."
        } else {
            "STOPPING=1\nSTATUS=Stopping after the record in hand."
        });
        // Viewers may see the job stop; new ones find a lock that names no socket.
        let _ = home.announce(None);
        let closing = tokio::task::spawn_blocking(move || {
            if anew {
                return home.hand_over().map(Ended::ToBeginAnew);
            }
            home.close();
            Ok(Ended::Done)
        });
        let closed = tokio::select! {
            closed = closing => closed,
            // The second signal, or the first while it only begins anew: the trail is on disk, so leaving here loses
            // nothing that was done.
            () = asked.next() => std::process::exit(if anew { 0 } else { 130 }),
        };
        drop(server);
        ended?;
        closed
            .map_err(|error| Problem::new(Class::Local, format!("The store could not be closed: {error}.")))?
    })
}

/// Where this profile's host listens: in the profile's own folder, or, where that path is too long for a socket, under
/// a name of its own in the user's runtime folder. A viewer reads it from the lock file.
fn place(places: &Places) -> Result<PathBuf, Problem> {
    let own = places.socket();
    let path = if own.as_os_str().len() <= LONGEST {
        own
    } else {
        let digest = Sha256::digest(places.data.as_os_str().as_bytes());
        let name = u64::from_be_bytes(std::array::from_fn(|at| digest[at]));
        let base = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map_or_else(
            || std::env::temp_dir().join(format!("parhelion-{}", rustix::process::geteuid().as_raw())),
            |dir| PathBuf::from(dir).join("parhelion"),
        );
        base.join(format!("{name:016x}")).join("socket")
    };
    if let Some(folder) = path.parent() {
        files::make_private_dir(folder)?;
    }
    Ok(path)
}

/// The signals that ask the host to end. That a terminal hangs up is none of its business.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
    _hang_up: Signal,
}

impl Asked {
    fn listen() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Problem::new(Class::Local, format!("Signals cannot be listened to on this machine: {error}."))
            })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            _hang_up: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Resolves when nobody has needed the host for long enough; never for a service.
async fn idle(stay: Stay, handle: &Handle, mut viewers: watch::Receiver<usize>) {
    let Stay::WhileNeeded(patience) = stay else { return std::future::pending().await };
    loop {
        if viewers.wait_for(|count| *count == 0).await.is_err() {
            return;
        }
        tokio::select! {
            _ = viewers.wait_for(|count| *count > 0) => {}
            () = tokio::time::sleep(patience) => {
                if !is_needed(handle).await {
                    return;
                }
            }
        }
    }
}

/// A job runs, or the scheduler knows of an occurrence to come. That one is looked at by the scheduler itself, whatever
/// comes of it: a schedule of a disabled integration, or a paused one, notes when it comes due why it did not run.
async fn is_needed(handle: &Handle) -> bool {
    let runs = matches!(handle.ask(Query::Overview).await, Ok(Answer::Overview(o)) if o.running.is_some());
    runs || matches!(
        handle.ask(Query::Schedules { past: 0 }).await,
        Ok(Answer::Schedules(schedules)) if schedules.iter().any(|schedule| schedule.next.is_some())
    )
}

/// Notes what is under way. Resolves when the engine can no longer go on: then only a new start, which reads the trail
/// again, helps.
async fn watch_jobs(events: &mut broadcast::Receiver<Event>, handle: &Handle, note: &Note) -> Problem {
    use broadcast::error::RecvError;
    loop {
        match events.recv().await {
            Ok(Event::Broken(problem)) => return problem,
            Ok(event) => note.hear(&event),
            Err(RecvError::Lagged(_)) => note.look(handle).await,
            Err(RecvError::Closed) => {
                return Problem::new(Class::Local, "The engine has stopped.");
            }
        }
    }
}

/// Looks again, whenever a viewer comes or goes, whether jobs would end with the session: what helps may have been done
/// meanwhile (U46). Never resolves before the server ends.
async fn keep_warned(server: &Server) {
    let mut viewers = server.count();
    while viewers.changed().await.is_ok() {
        server.warn(logout::warning());
    }
}

/// Tells a watchdog that the engine still answers; never resolves. Without a watchdog nothing ticks.
async fn be_watched(handle: &Handle, notify: &Notify) {
    let Some(pause) = notify::watchdog() else { return std::future::pending().await };
    loop {
        if let Ok(Ok(_)) = tokio::time::timeout(pause, handle.ask(Query::Jobs { last: 0 })).await {
            notify.say("WATCHDOG=1");
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_too_long_for_a_socket_gets_a_short_one_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let short = Places::within(folder.path(), "p").unwrap();
        files::make_private_dir(&short.data).unwrap();
        assert_eq!(place(&short).unwrap(), short.socket());
        let deep = folder.path().join("d".repeat(120));
        let long = Places::within(&deep, "p").unwrap();
        let other = Places::within(&deep.join("e"), "p").unwrap();
        let (one, two) = (place(&long).unwrap(), place(&other).unwrap());
        assert!(one.as_os_str().len() <= LONGEST, "{}", one.display());
        assert_ne!(one, two, "each folder has its own");
        assert_eq!(one, place(&long).unwrap());
        for path in [one, two] {
            let _ = std::fs::remove_dir(path.parent().unwrap());
        }
    }

    /// An engine that runs nothing and has this schedule.
    fn engine(next: Option<crate::model::Moment>, enabled: bool) -> Handle {
        let (calls, mut inbox) = tokio::sync::mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(4);
        tokio::spawn(async move {
            while let Some(call) = inbox.recv().await {
                let crate::host::Call::Ask(query, answer) = call else { continue };
                let _ = answer.send(match query {
                    Query::Schedules { .. } => {
                        Ok(Answer::Schedules(vec![crate::host::words::ScheduleView {
                            integration: crate::model::Integration::Also,
                            enabled,
                            entities: Vec::new(),
                            at: "02:30".into(),
                            zone: "UTC".into(),
                            times: "daily 02:30 UTC".into(),
                            next,
                            obstacle: None,
                            is_paused: false,
                            is_watched: true,
                            warning: None,
                            past: Vec::new(),
                        }]))
                    }
                    _ => Err(Problem::new(Class::Local, "idle")),
                });
            }
        });
        Handle::new(calls, events)
    }

    /// As long as the scheduler has an occurrence to come, whatever will come of it.
    #[tokio::test(start_paused = true)]
    async fn a_host_stays_for_what_the_scheduler_waits_for() {
        let nobody = watch::Sender::new(0);
        let waits = engine(Some(crate::model::Moment::UNIX_EPOCH), true);
        let ends = idle(Stay::WhileNeeded(IDLE), &waits, nobody.subscribe());
        assert!(tokio::time::timeout(IDLE * 10, ends).await.is_err(), "the scheduler has something to do");
        // On, but of times that never come.
        let never = engine(None, true);
        let ends = idle(Stay::WhileNeeded(IDLE), &never, nobody.subscribe());
        assert!(tokio::time::timeout(IDLE * 2, ends).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_a_viewer_started_ends_when_nobody_needs_it_and_a_service_never() {
        let (calls, mut inbox) = tokio::sync::mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(4);
        let handle = Handle::new(calls, events);
        tokio::spawn(async move {
            while let Some(call) = inbox.recv().await {
                if let crate::host::Call::Ask(_, answer) = call {
                    let _ = answer.send(Err(Problem::new(Class::Local, "idle")));
                }
            }
        });
        let viewers = watch::Sender::new(1);
        let mut ends = Box::pin(idle(Stay::WhileNeeded(IDLE), &handle, viewers.subscribe()));
        assert!(tokio::time::timeout(IDLE * 10, &mut ends).await.is_err(), "a viewer is there");
        viewers.send_replace(0);
        assert!(tokio::time::timeout(IDLE / 2, &mut ends).await.is_err(), "it has only just left");
        assert!(tokio::time::timeout(IDLE, &mut ends).await.is_ok());
        let service = idle(Stay::Always, &handle, viewers.subscribe());
        assert!(tokio::time::timeout(IDLE * 1000, service).await.is_err());
    }
}
