//! Watching long work: progress on standard error, and what Ctrl-C means.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::exit::{Failure, INTERRUPTED};
use super::out::{Out, complain};
use super::text;
use crate::host::Handle;
use crate::host::words::{Command, Event, JobReport, JobState, Phase, Query};
use crate::model::{Class, JobId, Problem};

/// How often a terminal's status line is drawn at most.
const REDRAW: Duration = Duration::from_millis(250);
/// How often a plain line is written at most, while the stage is the same.
const PLAIN: Duration = Duration::from_secs(5);
/// How often a job is asked for its state when no event says so.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Does `work`, showing the engine's events meanwhile. The first Ctrl-C asks the engine to stop after the record in
/// hand; the second leaves at once. SIGTERM and the end of the connection do the same to an engine of this process, and
/// nothing to a host's.
pub async fn attended<T>(
    out: &Out,
    handle: &Handle,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Failure> {
    let mut events = Some(handle.subscribe());
    let mut signals = Signals::listen()?;
    let mut progress = Progress::new(out);
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            asks = signals.next() => {
                progress.end();
                if asks == Asks::ToLeave && handle.is_shared() {
                    return Err(left_alone());
                }
                out.remark("Stopping after the record in hand. Once more leaves at once; what was done is kept either way.");
                return stopped(out, handle, signals, work).await;
            }
            done = &mut work => {
                progress.end();
                return done.map_err(Failure::from);
            }
            event = next(&mut events) => progress.show(&event),
        }
    }
}

/// The rest of `work` after the first signal.
async fn stopped<T>(
    out: &Out,
    handle: &Handle,
    mut signals: Signals,
    mut work: std::pin::Pin<&mut impl Future<Output = Result<T, Problem>>>,
) -> Result<T, Failure> {
    let nothing_left = || {
        Failure::interrupted(
            Problem::new(Class::Cancelled, "The command was interrupted.")
                .remedy("Run it again; `parhelion jobs` shows a job that can be resumed."),
        )
    };
    let stop = handle.send(Command::Stop);
    tokio::pin!(stop);
    let mut has_answered = false;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done.map_err(|problem| {
                if matches!(problem.class, Class::Cancelled | Class::Local) { nothing_left() } else { Failure::interrupted(problem) }
            }),
            _ = signals.next() => leave_now(out),
            answer = &mut stop, if !has_answered => {
                has_answered = true;
                if let Err(problem) = answer {
                    complain(&problem.to_string());
                }
            }
            // All is on disk: work that never hears of it is not worth waiting for.
            () = tokio::time::sleep(LOOK_AGAIN * 3), if has_answered => return Err(nothing_left()),
        }
    }
}

/// Whoever started this went away: what the host does goes on without them.
fn left_alone() -> Failure {
    Failure::interrupted(
        Problem::new(Class::Cancelled, "The command was ended; the host goes on with what it began.")
            .remedy("`parhelion jobs` shows it."),
    )
}

/// The second Ctrl-C. The trail is on disk, so leaving here loses nothing that was done.
fn leave_now(out: &Out) -> ! {
    let problem = Problem::new(Class::Cancelled, "Left at once.")
        .remedy("`parhelion jobs` shows the job; `parhelion job resume` goes on with it.");
    super::report(out, &problem);
    super::demo::sweep();
    std::process::exit(i32::from(INTERRUPTED))
}

/// Waits until a job has ended, however that comes about.
pub async fn job_end(handle: &Handle, job: JobId) -> Result<JobReport, Problem> {
    let mut events = Some(handle.subscribe());
    let mut last: Option<JobReport> = None;
    loop {
        match super::ask!(handle, Query::Job { job }, Job) {
            Ok(report) if report.state != JobState::Running => return Ok(*report),
            Ok(report) => last = Some(*report),
            // The engine stopped between two looks: what it was doing is on disk as interrupted.
            Err(problem) => {
                return match last {
                    Some(report) => {
                        Ok(JobReport { state: JobState::Interrupted, trouble: Some(problem), ..report })
                    }
                    None => Err(problem),
                };
            }
        }
        let until = tokio::time::Instant::now() + LOOK_AGAIN;
        while let Ok(event) = tokio::time::timeout_at(until, next(&mut events)).await {
            match event {
                Event::Job(report) if report.job == job && report.state != JobState::Running => {
                    return Ok(*report);
                }
                Event::Broken(problem) => return Err(problem),
                _ => {}
            }
        }
    }
}

/// The next event; never, once there are no more.
pub async fn next(events: &mut Option<Receiver<Event>>) -> Event {
    loop {
        let Some(receiver) = events else { return std::future::pending().await };
        match receiver.recv().await {
            Ok(event) => return event,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => *events = None,
        }
    }
}

/// What a signal means to work that a host does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Ctrl-C: a person wants it stopped.
    ToStop,
    /// The connection is lost, or the system ends this process.
    ToLeave,
}

/// The signals that ask to stop.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    pub fn listen() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Problem::new(Class::Local, format!("Signals cannot be listened to on this machine: {error}."))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Asks {
        tokio::select! {
            _ = self.interrupt.recv() => Asks::ToStop,
            _ = self.terminate.recv() => Asks::ToLeave,
            _ = self.hang_up.recv() => Asks::ToLeave,
        }
    }
}

/// One status line on a terminal; plain lines, few, elsewhere.
struct Progress {
    is_quiet: bool,
    is_terminal: bool,
    stage: String,
    last: Option<Instant>,
    has_line: bool,
}

impl Progress {
    fn new(out: &Out) -> Self {
        Self {
            is_quiet: out.quiet,
            is_terminal: io::stderr().is_terminal() && !out.plain,
            stage: String::new(),
            last: None,
            has_line: false,
        }
    }

    fn show(&mut self, event: &Event) {
        if self.is_quiet {
            return;
        }
        let (stage, line) = match event {
            Event::Progress(progress) => (stage(&progress.phase), text::progress(progress)),
            Event::Reading { integration, what, done, of } => (
                format!("reading {what}"),
                format!("{}: {}", integration.label(), text::reading(what, *done, *of)),
            ),
            Event::Broken(problem) => {
                self.end();
                complain(&problem.to_string());
                return;
            }
            _ => return,
        };
        let pace = if self.is_terminal { REDRAW } else { PLAIN };
        let is_early = self.last.is_some_and(|last| last.elapsed() < pace);
        if is_early && (self.is_terminal || stage == self.stage) {
            return;
        }
        self.stage = stage;
        self.last = Some(Instant::now());
        let line = crate::logging::clean(&line);
        if self.is_terminal {
            self.has_line = true;
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K{}", fitting(&line));
        } else {
            complain(&line);
        }
    }

    /// Takes the status line away.
    fn end(&mut self) {
        if std::mem::take(&mut self.has_line) {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

fn stage(phase: &Phase) -> String {
    match phase {
        Phase::Reading { what, .. } => format!("reading {what}"),
        Phase::Planning => "planning".into(),
        Phase::Applying => "applying".into(),
        Phase::Verifying { .. } => "verifying".into(),
        Phase::Stopping => "stopping".into(),
    }
}

/// Cut to the terminal's width, so that `\r` finds the start of it.
fn fitting(line: &str) -> String {
    use unicode_width::UnicodeWidthChar;
    let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns)).saturating_sub(1);
    let mut used = 0;
    line.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}
