//! A job's log: JSON Lines on disk, read in windows. For reading; the audit trail has every fact.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::engine::words::{Level, LogFilter, LogLine, LogView};
use crate::model::text::{shown, thousands};
use crate::model::{Class, JobId, Moment, Problem};

/// A job's log stops growing here; the last line then says so (sync-engine 16).
const CAP: u64 = 64 * 1024 * 1024;

/// Lines of one code that a second may have; the rest of them are counted (sync-engine 16). What was written to Halo
/// is always said.
const A_SECOND: u64 = 10;

/// The writing end, held by the running job.
pub struct JobLog {
    inner: Mutex<Inner>,
    /// Told of every line.
    news: Arc<Notify>,
}

struct Inner {
    file: Option<BufWriter<File>>,
    bytes: u64,
    lines: u64,
    /// The line written last, and how often it came again since.
    last: Option<(LogLine, u64)>,
    second: i64,
    /// What came in this second, by code: how many, and the newest of those that are only counted.
    codes: HashMap<(Level, String), (u64, Option<LogLine>)>,
}

impl Inner {
    fn take(&mut self, line: LogLine) {
        if let Some((last, again)) = &mut self.last
            && is_same(last, &line)
        {
            last.at = line.at;
            *again += 1;
            return;
        }
        self.say_again();
        if line.at.as_second() != self.second {
            self.say_more();
            self.second = line.at.as_second();
        }
        if line.level != Level::Change {
            let (count, more) = self.codes.entry((line.level, code(&line.text))).or_default();
            *count += 1;
            if *count > A_SECOND {
                *more = Some(line);
                return;
            }
        }
        self.put(&line);
        self.last = Some((line, 0));
    }

    /// What the last line came again, in one line.
    fn say_again(&mut self) {
        if let Some((line, again @ 1..)) = self.last.take() {
            let text = format!("{} x{}", line.text, thousands(again));
            self.put(&LogLine { text, row: None, ..line });
        }
    }

    /// What the second that is over had too many of.
    fn say_more(&mut self) {
        let codes = std::mem::take(&mut self.codes);
        let mut more: Vec<_> =
            codes.into_values().filter_map(|(count, line)| Some((line?, count - A_SECOND))).collect();
        more.sort_by(|(a, _), (b, _)| (a.at, &a.text).cmp(&(b.at, &b.text)));
        for (line, count) in more {
            let text = format!("{} x{} like this", line.text, thousands(count));
            self.put(&LogLine { text, row: None, ..line });
        }
    }

    fn put(&mut self, line: &LogLine) {
        if self.bytes >= CAP {
            return;
        }
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        if self.bytes + text.len() as u64 >= CAP {
            let full =
                LogLine { text: "this log is full; the audit trail goes on".into(), ..note(line.at, "") };
            text = serde_json::to_vec(&full).unwrap_or_default();
            self.bytes = CAP;
        }
        text.push(b'\n');
        self.bytes += text.len() as u64;
        self.lines += 1;
        if let Some(file) = &mut self.file
            && file.write_all(&text).is_err()
        {
            self.file = None;
        }
    }
}

/// Whether two lines say the same of the same record.
fn is_same(a: &LogLine, b: &LogLine) -> bool {
    let what = |line: &LogLine| (line.level, line.sign, line.row);
    what(a) == what(b) && a.text == b.text && a.subject == b.subject && a.customer == b.customer
}

/// What a line says whatever the numbers and names in it.
fn code(text: &str) -> String {
    let plain = text.split(['\'', '"', '(']).next().unwrap_or_default();
    plain.chars().filter(|c| !c.is_ascii_digit()).collect()
}

impl JobLog {
    /// Goes on with the job's file, or begins it. A log that cannot be written never stops a job: the trail is what counts.
    pub fn open(folder: &Path, job: JobId, news: Arc<Notify>) -> Self {
        let path = path(folder, job);
        let lines = File::open(&path).map_or(0, |file| BufReader::new(file).lines().count() as u64);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).ok();
        let bytes = file.as_ref().and_then(|f| f.metadata().ok()).map_or(0, |m| m.len());
        let inner = Inner {
            file: file.map(BufWriter::new),
            bytes,
            lines,
            last: None,
            second: i64::MIN,
            codes: HashMap::new(),
        };
        Self { inner: Mutex::new(inner), news }
    }

    pub fn write(&self, line: LogLine) {
        self.inner().take(line);
        self.news.notify_one();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what was only counted so far, and makes everything readable: at the job's end.
    pub fn finish(&self) -> u64 {
        let mut inner = self.inner();
        inner.say_again();
        inner.say_more();
        drop(inner);
        self.flush()
    }

    /// Makes what was written readable; answers how many lines there are.
    pub fn flush(&self) -> u64 {
        let mut inner = self.inner();
        if let Some(file) = &mut inner.file {
            let _ = file.flush();
        }
        inner.lines
    }
}

/// A line that is about no row.
pub fn note(at: Moment, text: impl Into<String>) -> LogLine {
    LogLine {
        at,
        level: Level::Note,
        sign: '.',
        customer: String::new(),
        subject: String::new(),
        text: text.into(),
        row: None,
    }
}

fn path(folder: &Path, job: JobId) -> PathBuf {
    folder.join(format!("{job}.jsonl"))
}

/// A window into a job's log. Lines that cannot be read (a torn last one) are left out.
pub fn read(
    folder: &Path,
    job: JobId,
    filter: &LogFilter,
    from: u64,
    limit: usize,
) -> Result<LogView, Problem> {
    let file = match File::open(path(folder, job)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(LogView { total: 0, first: from, lines: Vec::new() });
        }
        Err(error) => {
            return Err(Problem::new(Class::Local, format!("The log of {job} cannot be read: {error}.")));
        }
    };
    let needle = filter.text.to_lowercase();
    let (mut total, mut lines) = (0, Vec::new());
    for line in BufReader::new(file).split(b'\n') {
        let Ok(line) = line else { break };
        // Without a filter only the window is parsed, so that following a long log stays cheap.
        let wanted = total >= from && lines.len() < limit;
        if filter.least.is_none() && needle.is_empty() && !wanted {
            total += 1;
            continue;
        }
        let Ok(line) = serde_json::from_slice::<LogLine>(&line) else { continue };
        if filter.least.is_some_and(|least| line.level < least)
            || !(needle.is_empty()
                || [&line.customer, &line.subject, &line.text]
                    .iter()
                    .any(|t| t.to_lowercase().contains(&needle)))
        {
            continue;
        }
        total += 1;
        if wanted {
            lines.push(line);
        }
    }
    Ok(LogView { total, first: from, lines })
}

/// Remote text in a line is made safe before it is stored, so that every reader is safe.
pub fn safe(text: &str) -> String {
    shown(text).into_owned()
}
