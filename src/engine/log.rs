//! A job's log: JSON Lines on disk, read in windows. For reading; the audit trail has every fact.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::engine::words::{Level, LogFilter, LogLine, LogView};
use crate::model::text::shown;
use crate::model::{Class, JobId, Moment, Problem};

/// A job's log stops growing here; the last line then says so (sync-engine 16).
const CAP: u64 = 64 * 1024 * 1024;

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
}

impl JobLog {
    /// Goes on with the job's file, or begins it. A log that cannot be written never stops a job: the trail is what counts.
    pub fn open(folder: &Path, job: JobId, news: Arc<Notify>) -> Self {
        let path = path(folder, job);
        let lines = File::open(&path).map_or(0, |file| BufReader::new(file).lines().count() as u64);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).ok();
        let bytes = file.as_ref().and_then(|f| f.metadata().ok()).map_or(0, |m| m.len());
        Self { inner: Mutex::new(Inner { file: file.map(BufWriter::new), bytes, lines }), news }
    }

    pub fn write(&self, line: &LogLine) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.bytes >= CAP {
            return;
        }
        self.news.notify_one();
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        if inner.bytes + text.len() as u64 >= CAP {
            let full =
                LogLine { text: "this log is full; the audit trail goes on".into(), ..note(line.at, "") };
            text = serde_json::to_vec(&full).unwrap_or_default();
            inner.bytes = CAP;
        }
        text.push(b'\n');
        inner.bytes += text.len() as u64;
        inner.lines += 1;
        if let Some(file) = &mut inner.file
            && file.write_all(&text).is_err()
        {
            inner.file = None;
        }
    }

    /// Makes what was written readable; answers how many lines there are.
    pub fn flush(&self) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
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
