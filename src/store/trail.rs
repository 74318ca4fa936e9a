//! The audit trail: the journal of everything that must never be lost (decision 1, sync-engine 5.1).
//!
//! JSON Lines in segment files. Each line carries the hash of the line before, each group of lines ends in a
//! `commit` line, and a group is durable by one `fdatasync` before anybody hears of it. A thread of its own writes,
//! and puts everything that waits into one group. While the trail is open its last segment ends in empty lines.

mod closed;
mod disk;
mod line;
mod read;
mod retain;
mod scan;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::oneshot;

use self::closed::Closed;
use self::line::{Hash, hash};
use crate::model::{Class, Moment, Problem};

pub use disk::{SimulatedDisk, Sync};
pub use read::{Broken, Reader, Shelf, Verified, verify_dir};
pub use retain::{CHECKPOINT, Old};

/// The number of a record. Numbers rise by one a line, commit lines included, so gaps between records are normal.
pub type Seq = u64;

/// One record, as the trail gives it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub seq: Seq,
    pub at: Moment,
    pub kind: String,
    pub data: serde_json::Value,
}

/// One record to be written.
#[derive(Debug, Clone)]
pub struct Entry {
    kind: String,
    data: String,
}

impl Entry {
    /// # Errors
    /// Where the data cannot be written as JSON, or the kind is one of the trail's own.
    pub fn new(kind: impl Into<String>, data: &impl Serialize) -> Result<Self, Problem> {
        let kind = kind.into();
        let data = serde_json::to_string(data);
        match data {
            Ok(data) if !line::is_own(&kind) => Ok(Self { kind, data }),
            _ => Err(Problem::new(Class::Local, format!("A record of kind '{kind}' cannot be written."))),
        }
    }
}

/// What was found when the trail was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The last durable line; 0 for a new trail.
    pub last_seq: Seq,
    /// Bytes after the last commit: written when the power went, never acknowledged, now gone.
    pub dropped_tail_bytes: u64,
}

/// How a trail is kept.
#[derive(Debug, Clone)]
pub struct Options {
    pub sync: Sync,
    /// A segment that has reached this size is followed by a new one.
    pub segment_bytes: u64,
    /// Free bytes of the file system below which nothing more is written.
    pub reserve_bytes: u64,
    /// How long a group waits for more lines once somebody waits for it: one sync for twice as many costs half.
    pub gather: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sync: Sync::Disk,
            segment_bytes: 16 << 20,
            reserve_bytes: 64 << 20,
            gather: Duration::from_micros(200),
        }
    }
}

/// An open trail. Dropping it writes what was appended and waits for the disk.
#[derive(Debug)]
pub struct Trail {
    dir: PathBuf,
    writer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    is_simulated: bool,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Told when the writer has reason to look at the queue.
    more: Condvar,
    /// The last line known to be on the disk.
    durable: AtomicU64,
    /// Once a write or sync failed, nothing the kernel says about this file can be trusted: every later call gets
    /// the same answer, and only opening anew (which reads what is really there) goes on.
    failed: OnceLock<Problem>,
}

/// What waits for the writer, in its order.
#[derive(Debug, Default)]
struct Queue {
    jobs: Vec<Job>,
    /// Somebody waits for an answer.
    is_urgent: bool,
    /// When the oldest line that is content with "soon" must be on the disk.
    deadline: Option<Instant>,
    writer: Wait,
    is_closed: bool,
}

/// What the writer does while there is nothing to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Wait {
    /// It writes: it looks at the queue before it waits again, and need not be woken.
    #[default]
    None,
    /// It looks again soon.
    Soon,
    /// Until it is woken, so that an idle program does nothing.
    Long,
}

type Reply = oneshot::Sender<Result<Seq, Problem>>;

/// Lines that wait for the writer. Without `reply` they are content to go with the next group.
#[derive(Debug)]
struct Job {
    entries: Vec<Entry>,
    reply: Option<Reply>,
}

impl Trail {
    /// # Errors
    /// Where the folder cannot be used, or a line before the last commit is damaged: then nothing is touched, and
    /// the problem names file and line.
    pub fn open(dir: &Path) -> Result<(Self, Opened), Problem> {
        Self::open_with(dir, Options::default())
    }

    /// # Errors
    /// As [`Trail::open`].
    pub fn open_with(dir: &Path, options: Options) -> Result<(Self, Opened), Problem> {
        super::files::make_private_dir(dir)?;
        let end = scan::recover(dir, &options.sync)?;
        let opened = Opened { last_seq: end.last_seq, dropped_tail_bytes: end.dropped };
        let is_simulated = matches!(options.sync, Sync::Simulated(_));
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            more: Condvar::new(),
            durable: AtomicU64::new(end.last_seq),
            failed: OnceLock::new(),
        });
        let writer = Writer {
            dir: dir.to_owned(),
            options,
            segment: None,
            next_seq: end.last_seq + 1,
            prev: end.prev,
            shared: Arc::clone(&shared),
            written: 0,
            text: String::new(),
        }
        .reopen(end.segment)?;
        let writer = std::thread::Builder::new()
            .name("audit-trail".into())
            .spawn(move || writer.run())
            .map_err(|error| local(dir, "start the writer of", &error))?;
        Ok((Self { dir: dir.to_owned(), writer: Some(writer), shared, is_simulated }, opened))
    }

    /// Writes the records in order and answers once they are on the disk: the number of the last one, the others
    /// before it without a gap.
    ///
    /// # Errors
    /// "Disk nearly full" before anything is written (may be tried again), or a failed disk (final, see the type).
    pub async fn commit(&self, entries: Vec<Entry>) -> Result<Seq, Problem> {
        let (reply, answer) = oneshot::channel();
        self.send(Job { entries, reply: Some(reply) })?;
        let answer = if self.is_simulated {
            // A paused clock stands still only while the runtime knows of work: time must not pass during a sync.
            tokio::task::spawn_blocking(move || answer.blocking_recv()).await.ok().and_then(Result::ok)
        } else {
            answer.await.ok()
        };
        answer.unwrap_or_else(|| Err(self.failure()))
    }

    /// Writes the records with the next commit, or within a second: for facts that are harmless to lose.
    ///
    /// # Errors
    /// Where the trail has failed before.
    pub fn append_soon(&self, entries: Vec<Entry>) -> Result<(), Problem> {
        if entries.is_empty() { Ok(()) } else { self.send(Job { entries, reply: None }) }
    }

    /// The last durable line.
    pub fn last_seq(&self) -> Seq {
        self.shared.durable.load(Ordering::Acquire)
    }

    /// The problem that ended this trail, if one did.
    pub fn failed(&self) -> Option<&Problem> {
        self.shared.failed.get()
    }

    /// Every durable record from that number on. Each line's place in the chain is checked on the way.
    ///
    /// # Errors
    /// Where the folder cannot be read; a damaged line is an error of the iteration.
    pub fn read(&self, from: Seq) -> Result<Reader, Problem> {
        Reader::new(&self.dir, from, self.last_seq())
    }

    /// Checks the whole chain.
    ///
    /// # Errors
    /// The first line that is not what was written.
    pub fn verify(&self) -> Result<Verified, Broken> {
        read::verify_up_to(&self.dir, self.last_seq())
    }

    fn send(&self, job: Job) -> Result<(), Problem> {
        if let Some(problem) = self.failed() {
            return Err(problem.clone());
        }
        if self.shared.push(job) { Ok(()) } else { Err(self.failure()) }
    }

    fn failure(&self) -> Problem {
        self.failed().cloned().unwrap_or_else(|| Problem::new(Class::Local, "The audit trail is closed."))
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.shared.queue().is_closed = true;
        self.shared.more.notify_one();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has been reported by the panic hook.
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// How long a line may wait that nobody waits for.
    const SOON: Duration = Duration::from_secs(1);

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer is woken for what somebody waits for. The rest it finds when it next looks, at the latest a second
    /// after its last group; to wake it for every line would cost more than to write the line.
    /// `false` where there is no writer any more.
    fn push(&self, job: Job) -> bool {
        let mut queue = self.queue();
        if queue.is_closed {
            return false;
        }
        let wakes = if job.reply.is_some() {
            !std::mem::replace(&mut queue.is_urgent, true) && queue.writer != Wait::None
        } else {
            queue.deadline.get_or_insert_with(|| Instant::now() + Self::SOON);
            queue.writer == Wait::Long
        };
        queue.jobs.push(job);
        drop(queue);
        if wakes {
            self.more.notify_one();
        }
        true
    }

    /// Whoever still waits hears that nobody will write.
    fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        queue.jobs.clear();
    }

    /// Waits until something must be written, and takes all there is. Whether this was the last.
    fn take(&self, waiting: &mut Vec<Job>, gather: Duration) -> bool {
        let mut queue = self.queue();
        let look_again = Some(Instant::now() + Self::SOON);
        loop {
            let now = Instant::now();
            if queue.is_urgent || queue.is_closed || queue.deadline.is_some_and(|at| at <= now) {
                // Where more than one waits, others are on their way.
                if !gather.is_zero() && !queue.is_closed && queue.jobs.len() > 1 {
                    drop(queue);
                    std::thread::sleep(gather);
                    queue = self.queue();
                }
                std::mem::swap(waiting, &mut queue.jobs);
                (queue.is_urgent, queue.deadline) = (false, None);
                return queue.is_closed;
            }
            let until = queue.deadline.or(look_again.filter(|at| *at > now));
            queue = if let Some(until) = until {
                queue.writer = Wait::Soon;
                let left = until.saturating_duration_since(now);
                self.more.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
            } else {
                queue.writer = Wait::Long;
                self.more.wait(queue).unwrap_or_else(PoisonError::into_inner)
            };
            queue.writer = Wait::None;
        }
    }

    fn put_back(&self, kept: &mut Vec<Job>) {
        if !kept.is_empty() {
            let mut queue = self.queue();
            queue.deadline.get_or_insert_with(|| Instant::now() + Self::SOON);
            kept.append(&mut queue.jobs);
            std::mem::swap(kept, &mut queue.jobs);
        }
    }
}

struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Segment {
    /// The number of its first line.
    first: Seq,
    path: PathBuf,
    file: File,
    /// Where the next line goes.
    len: u64,
    /// How long the file is: from `len` on it is padded.
    room: u64,
}

impl Segment {
    /// Takes the padding off.
    fn trim(&mut self) -> std::io::Result<()> {
        if self.room > self.len {
            self.file.set_len(self.len)?;
            self.room = self.len;
            self.file.sync_all()?;
        }
        Ok(())
    }
}

struct Writer {
    dir: PathBuf,
    options: Options,
    segment: Option<Segment>,
    next_seq: Seq,
    prev: Hash,
    shared: Arc<Shared>,
    /// Bytes written since the trail was opened.
    written: u64,
    /// The last group's text, kept for its room.
    text: String,
}

impl Writer {
    /// The most that a segment is padded at once.
    const PADDING: u64 = 4 << 20;

    /// Goes on in the segment that recovery ended in.
    fn reopen(mut self, segment: Option<(Seq, PathBuf)>) -> Result<Self, Problem> {
        if let Some((first, path)) = segment {
            let open = || {
                let file = OpenOptions::new().write(true).open(&path)?;
                let len = file.metadata()?.len();
                Ok(Segment { first, path: path.clone(), file, len, room: len })
            };
            self.segment = Some(open().map_err(|error| local(&path, "open", &error))?);
        }
        Ok(self)
    }

    fn run(mut self) {
        // Also where this panics.
        let _closing = Closing(Arc::clone(&self.shared));
        let mut waiting = Vec::new();
        loop {
            let is_closed = self.shared.take(&mut waiting, self.options.gather);
            if !waiting.is_empty() {
                self.write(&mut waiting);
                // Lines that could not be written for want of space wait for the next round.
                self.shared.put_back(&mut waiting);
            }
            if is_closed {
                break;
            }
        }
        if let Some(segment) = self.segment.as_mut().filter(|_| self.shared.failed.get().is_none()) {
            // Padding that stays is no harm: it is cut off when the trail is next opened. So is a note that is missing.
            let _ = segment.trim().and_then(|()| Closed::note(&self.dir, segment.first, &segment.path));
        }
    }

    /// One group: all that waits, a commit line, one sync, and only then the answers.
    fn write(&mut self, waiting: &mut Vec<Job>) {
        if let Some(problem) = self.shared.failed.get() {
            for job in waiting.drain(..) {
                answer(job.reply, Err(problem.clone()));
            }
            return;
        }
        if let Err(problem) = self.check_space() {
            let mut kept = Vec::new();
            for mut job in waiting.drain(..) {
                match job.reply.take() {
                    Some(reply) => answer(Some(reply), Err(problem.clone())),
                    None => kept.push(job),
                }
            }
            *waiting = kept;
            return;
        }
        let mut answers = Vec::with_capacity(waiting.len());
        match self.group(waiting, &mut answers) {
            Ok(()) => {
                waiting.clear();
                self.shared.durable.store(self.next_seq - 1, Ordering::Release);
                for (reply, seq) in answers {
                    answer(Some(reply), Ok(seq));
                }
            }
            Err(problem) => {
                let problem = self.shared.failed.get_or_init(|| problem).clone();
                waiting.clear();
                for (reply, _) in answers {
                    answer(Some(reply), Err(problem.clone()));
                }
            }
        }
    }

    /// Writes and syncs. Whatever comes of it, every caller that waits for an answer is in `answers` afterwards.
    fn group(&mut self, waiting: &mut [Job], answers: &mut Vec<(Reply, Seq)>) -> Result<(), Problem> {
        if self.segment.as_ref().is_none_or(|segment| segment.len >= self.options.segment_bytes) {
            match self.new_segment() {
                Ok(segment) => self.segment = Some(segment),
                Err(problem) => {
                    answers.extend(waiting.iter_mut().filter_map(|job| Some((job.reply.take()?, 0))));
                    return Err(problem);
                }
            }
        }
        let at = Moment::now().to_string();
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        if self.segment.as_ref().is_some_and(|segment| segment.len == 0) {
            self.line(&mut text, &at, line::SEGMENT, line::FORMAT);
        }
        let mut records = 0;
        for job in waiting.iter_mut() {
            for entry in &job.entries {
                self.line(&mut text, &at, &entry.kind, &entry.data);
                records += 1;
            }
            answers.extend(job.reply.take().map(|reply| (reply, self.next_seq - 1)));
        }
        self.line(&mut text, &at, line::COMMIT, &format!("{{\"records\":{records}}}"));
        let Some(segment) = self.segment.as_mut() else { return Ok(()) };
        let (start, len) = (segment.len, text.len() as u64);
        segment.len += len;
        self.written += len;
        let mut padding = 0;
        if segment.len > segment.room {
            // To make a file longer costs the disk many times what it costs to write into what is there. So it is made
            // longer ahead of need, by as much again as was written so far: one line pads nothing to speak of.
            padding = self.written.min(Self::PADDING);
            segment.room = segment.len + padding;
        }
        let sync = &self.options.sync;
        let outcome = sync
            .power()
            .and_then(|()| segment.file.write_all_at(text.as_bytes(), start))
            .and_then(|()| pad(&segment.file, segment.len, padding))
            .and_then(|()| sync.data(&segment.file, &segment.path, segment.len));
        self.text = text;
        outcome.map_err(|error| fatal(&segment.path, &error))
    }

    fn line(&mut self, text: &mut String, at: &str, kind: &str, data: &str) {
        let start = text.len();
        line::write(text, self.next_seq, at, kind, data, &self.prev);
        self.prev = hash(&text.as_bytes()[start..]);
        text.push('\n');
        self.next_seq += 1;
    }

    /// The file and its name are on the disk before the first line goes into it.
    fn new_segment(&mut self) -> Result<Segment, Problem> {
        if let Some(last) = &mut self.segment {
            last.trim().map_err(|error| fatal(&last.path, &error))?;
        }
        let path = self.dir.join(scan::segment_name(self.next_seq));
        let make = || {
            self.options.sync.power()?;
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.sync_all()?;
            self.options.sync.dir(&self.dir, &path)?;
            Ok(file)
        };
        let file = make().map_err(|error| fatal(&path, &error))?;
        Ok(Segment { first: self.next_seq, path, file, len: 0, room: 0 })
    }

    fn check_space(&self) -> Result<(), Problem> {
        let free = self.options.sync.free(&self.dir)?;
        if free >= self.options.reserve_bytes {
            return Ok(());
        }
        let (free, reserve) = (free >> 20, self.options.reserve_bytes >> 20);
        let message = format!("The disk of {} is nearly full: {free} MiB are left.", self.dir.display());
        Err(Problem::new(Class::Local, message)
            .remedy(format!("Nothing was written. Free some space: at least {reserve} MiB must stay free.")))
    }
}

fn pad(file: &File, mut from: u64, mut left: u64) -> std::io::Result<()> {
    const EMPTY_LINES: [u8; 1 << 14] = [b'\n'; 1 << 14];
    while left > 0 {
        let some = left.min(EMPTY_LINES.len() as u64);
        file.write_all_at(&EMPTY_LINES[..some as usize], from)?;
        (from, left) = (from + some, left - some);
    }
    Ok(())
}

/// Bytes that we may still write in that folder's file system.
///
/// # Errors
/// Where the system does not say.
pub fn free_space(dir: &Path) -> Result<u64, Problem> {
    let stat = rustix::fs::statvfs(dir)
        .map_err(|error| local(dir, "ask for the free space of", &std::io::Error::from(error)))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A caller that has gone away does not want its answer.
fn answer(reply: Option<Reply>, result: Result<Seq, Problem>) {
    if let Some(reply) = reply {
        let _ = reply.send(result);
    }
}

fn local(path: &Path, doing: &str, error: &std::io::Error) -> Problem {
    super::files::problem(path, doing, error)
}

fn fatal(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Class::Local, format!("The audit trail could not be written ({}: {error}).", path.display()))
        .remedy("Nothing more is sent. Check the disk, then start again: what was acknowledged is read back from it.")
}
