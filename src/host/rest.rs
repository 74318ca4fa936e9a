//! When a host that nobody needs begins anew. An import leaves a process larger than it found it: what was let go lies in
//! pieces between what stays, and no allocator gives all of it back. The same process, started again in place, is as
//! small as on its first day; its lock is never free meanwhile.

use std::convert::Infallible;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::Handle;
use super::words::{Answer, Query};
use crate::model::{Class, Problem};

/// How long nothing must have happened: whoever left may come back.
pub const QUIET: Duration = Duration::from_secs(30);
/// Bytes that make it worth while.
const ENOUGH: u64 = 8 << 20;

/// Resolves when nothing has happened for `quiet`, nobody is connected, no job runs, and the process has grown since this
/// was asked. Where the system does not say how large a process is, and where the program's file is gone, never.
///
/// Nothing ticks while nothing happens: only what happened can have left something.
pub async fn is_due(
    quiet: Duration,
    handle: &Handle,
    mut viewers: watch::Receiver<usize>,
    held: impl Fn() -> Option<u64>,
) {
    let mut events = handle.subscribe();
    let Some(first) = held() else { return std::future::pending().await };
    let mut has_news = true;
    loop {
        tokio::select! {
            changed = viewers.changed() => match changed {
                Ok(()) => has_news = true,
                Err(_) => return std::future::pending().await,
            },
            event = events.recv() => match event {
                Ok(_) | Err(RecvError::Lagged(_)) => has_news = true,
                Err(RecvError::Closed) => return std::future::pending().await,
            },
            () = tokio::time::sleep(quiet), if has_news => {
                has_news = false;
                let is_large = held().is_some_and(|now| now > first + ENOUGH);
                if is_large && *viewers.borrow() == 0 && program().is_some() && !is_at_work(handle).await {
                    return;
                }
            }
        }
    }
}

async fn is_at_work(handle: &Handle) -> bool {
    !matches!(handle.ask(Query::Overview).await, Ok(Answer::Overview(o)) if o.running.is_none())
}

/// Bytes of memory that this process holds.
pub fn held() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The program that runs here, while it is where it was started from.
fn program() -> Option<PathBuf> {
    std::env::current_exe().ok().filter(|path| path.exists())
}

/// Starts this program again with its own words, as this process, and leaves it the lock.
///
/// # Errors
/// When the system does not start it; then this process has neither store nor lock any more.
pub fn begin_anew(lock: File) -> Result<Infallible, Problem> {
    let program = program().unwrap_or_else(|| "parhelion".into());
    let error = Command::new(program).args(std::env::args_os().skip(1)).stdin(Stdio::from(lock)).exec();
    Err(Problem::new(Class::Local, format!("The host cannot begin anew: {error}."))
        .remedy("Start it yourself: `parhelion serve`."))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::{broadcast, mpsc};

    use super::*;
    use crate::engine::words::{Event, Overview};
    use crate::host::Call;
    use crate::model::Integration;

    fn idle() -> Overview {
        Overview {
            profile: "acme".into(),
            kind: crate::model::settings::Kind::Sandbox,
            theme: String::new(),
            places: Vec::new(),
            running: None,
            interrupted: Vec::new(),
            last: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_begins_anew_only_where_it_has_grown_and_nobody_is_there() {
        let (calls, mut inbox) = mpsc::unbounded_channel();
        let (events, _) = broadcast::channel(4);
        let handle = Handle::new(calls, events.clone());
        let is_at_work = Arc::new(AtomicU64::new(1));
        let at_work = is_at_work.clone();
        tokio::spawn(async move {
            while let Some(call) = inbox.recv().await {
                let Call::Ask(_, answer) = call else { continue };
                let running = at_work.load(Ordering::Relaxed);
                // An engine that cannot say whether it works is left alone, too.
                let _ = answer.send(match running {
                    0 => Ok(Answer::Overview(Box::new(idle()))),
                    _ => Err(Problem::new(Class::Busy, "at work")),
                });
            }
        });
        let size = AtomicU64::new(20 << 20);
        let viewers = watch::Sender::new(1);
        let due = is_due(QUIET, &handle, viewers.subscribe(), || Some(size.load(Ordering::Relaxed)));
        let mut due = Box::pin(due);
        let long = QUIET * 100;
        assert!(tokio::time::timeout(long, &mut due).await.is_err(), "a viewer is there");
        viewers.send_replace(0);
        assert!(tokio::time::timeout(long, &mut due).await.is_err(), "it has not grown");
        size.store(60 << 20, Ordering::Relaxed);
        assert!(tokio::time::timeout(long, &mut due).await.is_err(), "nothing has happened since");
        let _ = events.send(Event::Map(Integration::Also));
        assert!(tokio::time::timeout(long, &mut due).await.is_err(), "a job runs");
        is_at_work.store(0, Ordering::Relaxed);
        let _ = events.send(Event::Map(Integration::Also));
        assert!(tokio::time::timeout(QUIET / 2, &mut due).await.is_err(), "it has only just ended");
        assert!(tokio::time::timeout(QUIET, &mut due).await.is_ok());
        let blind = is_due(QUIET, &handle, viewers.subscribe(), || None);
        assert!(tokio::time::timeout(long, blind).await.is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_knows_its_size() {
        assert!(held().is_some_and(|bytes| bytes > 1 << 20));
    }
}
