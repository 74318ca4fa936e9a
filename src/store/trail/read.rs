//! Reading the trail, and checking it from end to end.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::line::{Hash, Line, hash, is_own};
use super::{Record, Seq, scan};
use crate::model::{Class, Problem};
use crate::store::files;

/// A whole trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    pub last_seq: Seq,
}

/// The first line that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail is broken at record {seq} ({}, line {line}): {why}", file.display())]
pub struct Broken {
    pub seq: Seq,
    pub file: PathBuf,
    /// Counted from 1; 0 where a whole file is the trouble.
    pub line: u64,
    pub why: String,
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        Self::new(Class::Local, format!("{broken}.")).remedy("Restore the folder 'audit' from a backup.")
    }
}

/// Checks a trail that is not open. What opening it would drop, a group that a power cut stopped, counts as broken.
///
/// # Errors
/// The first broken line.
pub fn verify_dir(dir: &Path) -> Result<Verified, Broken> {
    verify_up_to(dir, Seq::MAX)
}

pub(super) fn verify_up_to(dir: &Path, last: Seq) -> Result<Verified, Broken> {
    let mut lines = Lines::open(dir, 1, last)?;
    let begin = lines.begin;
    let mut verified = Verified { records: 0, last_seq: 0 };
    while let Some(line) = lines.next_line()? {
        if line.seq == begin.checkpoint
            && let Some(why) = begin.contradicts(&line)
        {
            return Err(Broken { seq: line.seq, file: dir.to_owned(), line: 0, why: why.into() });
        }
        verified.records += u64::from(!is_own(&line.kind));
        verified.last_seq = line.seq;
    }
    if verified.last_seq < begin.checkpoint {
        let why = "the checkpoint that stands for the lines that were let go is missing".to_owned();
        return Err(Broken { seq: begin.checkpoint, file: dir.to_owned(), line: 0, why });
    }
    if last != Seq::MAX && verified.last_seq != last {
        let why = format!("it ends at record {}, though {last} were acknowledged", verified.last_seq);
        return Err(Broken { seq: verified.last_seq + 1, file: dir.to_owned(), line: 0, why });
    }
    Ok(verified)
}

/// A trail as it lies in its folder, whether or not a process has it open. Everything up to the last commit counts.
pub struct Shelf {
    dir: PathBuf,
    found: scan::Found,
}

impl Shelf {
    /// # Errors
    /// A folder that cannot be read; damage near the end of the trail.
    pub fn open(dir: &Path) -> Result<Self, Problem> {
        let mut patience = 5;
        loop {
            match scan::find(dir) {
                Ok(found) => return Ok(Self { dir: dir.to_owned(), found }),
                Err(problem) if patience == 0 => return Err(problem),
                // Half of a line that is being written just now looks like damage; damage stays.
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
            patience -= 1;
        }
    }

    /// The last record that was acknowledged; 0 for an empty trail.
    pub fn last_seq(&self) -> Seq {
        self.found.last_seq()
    }

    /// The first line there is: 1, unless old files were let go.
    pub fn first_seq(&self) -> Seq {
        self.found.start.first
    }

    /// Bytes after the last commit: being written just now, or left over by a crash.
    pub fn unfinished_bytes(&self) -> u64 {
        self.found.unfinished()
    }

    /// Every segment in order, with the bytes of it that are committed.
    pub fn segments(&self) -> Vec<(PathBuf, u64)> {
        self.found.committed()
    }

    /// The file that says where the trail begins, with its length; `None` for a trail that begins at line 1.
    pub fn start_file(&self) -> Option<(PathBuf, u64)> {
        let path = self.dir.join(scan::START);
        let bytes = std::fs::metadata(&path).ok()?.len();
        Some((path, bytes))
    }

    /// Records from that number on, the chain checked on the way.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(&self, from: Seq) -> Result<Reader, Problem> {
        Reader::new(&self.dir, from, self.last_seq())
    }

    /// Checks the whole chain.
    ///
    /// # Errors
    /// The first line that is not what was written.
    pub fn verify(&self) -> Result<Verified, Broken> {
        verify_up_to(&self.dir, self.last_seq())
    }

    /// Hands every line to `with` as it is, the trail's own too, the chain checked on the way.
    ///
    /// # Errors
    /// A broken line; whatever `with` says.
    pub fn each_line(&self, mut with: impl FnMut(&[u8]) -> Result<(), Problem>) -> Result<(), Problem> {
        let mut lines = Lines::open(&self.dir, 1, self.last_seq())?;
        while lines.next_line()?.is_some() {
            with(&lines.buffer)?;
        }
        Ok(())
    }
}

/// Durable records in order.
pub struct Reader {
    lines: Lines,
    from: Seq,
    done: bool,
}

impl Reader {
    pub(super) fn new(dir: &Path, from: Seq, last: Seq) -> Result<Self, Problem> {
        Ok(Self { lines: Lines::open(dir, from, last)?, from, done: false })
    }
}

impl Iterator for Reader {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.lines.next_line() {
                Ok(Some(line)) if line.seq < self.from || is_own(&line.kind) => {}
                Ok(Some(line)) => {
                    return Some(Ok(Record { seq: line.seq, at: line.at, kind: line.kind, data: line.data }));
                }
                Ok(None) => self.done = true,
                Err(broken) => {
                    self.done = true;
                    return Some(Err(broken.into()));
                }
            }
        }
        None
    }
}

/// Lines of all segments, the chain checked. Reading begins at the segment that holds the wanted line; the first
/// line of that segment vouches for what it follows.
struct Lines {
    begin: scan::Start,
    segments: std::vec::IntoIter<(u64, PathBuf)>,
    open: Option<(PathBuf, BufReader<File>, u64)>,
    next: Seq,
    last: Seq,
    prev: Option<Hash>,
    buffer: Vec<u8>,
}

impl Lines {
    fn open(dir: &Path, from: Seq, last: Seq) -> Result<Self, Broken> {
        let unreadable =
            |problem: Problem| Broken { seq: 1, file: dir.to_owned(), line: 0, why: problem.message };
        let begin = scan::Start::read(dir).map_err(unreadable)?;
        let mut segments = scan::segments(dir).map_err(unreadable)?;
        segments.retain(|(first, _)| *first >= begin.first);
        let start = segments.iter().rposition(|(first, _)| *first <= from.max(begin.first));
        if start.is_none() && (!segments.is_empty() || begin.first > 1) {
            return Err(Broken {
                seq: begin.first,
                file: dir.to_owned(),
                line: 0,
                why: "the first file is missing".into(),
            });
        }
        segments.drain(..start.unwrap_or(0));
        let next = segments.first().map_or(1, |(first, _)| *first);
        let prev = (next == begin.first).then_some(begin.prev);
        Ok(Self { begin, segments: segments.into_iter(), open: None, next, last, prev, buffer: Vec::new() })
    }

    fn next_line(&mut self) -> Result<Option<Line>, Broken> {
        loop {
            if self.next > self.last {
                return Ok(None);
            }
            let Some((path, reader, number)) = self.open.as_mut() else {
                let Some((first, path)) = self.segments.next() else { return Ok(None) };
                let broken = |why: String| Broken { seq: self.next, file: path.clone(), line: 0, why };
                if first != self.next {
                    return Err(broken(format!("it begins at {first}: a file is missing")));
                }
                let file = File::open(&path)
                    .map_err(|error| broken(files::problem(&path, "read", &error).message))?;
                self.open = Some((path, BufReader::with_capacity(1 << 16, file), 0));
                continue;
            };
            self.buffer.clear();
            *number += 1;
            let broken =
                |why: &str| Broken { seq: self.next, file: path.clone(), line: *number, why: why.into() };
            reader.read_until(b'\n', &mut self.buffer).map_err(|error| broken(&error.to_string()))?;
            if self.buffer.is_empty() {
                self.open = None;
                continue;
            }
            // Padding; whatever may come after it has its place in the chain all the same.
            if self.buffer == b"\n" {
                continue;
            }
            let text = self.buffer.strip_suffix(b"\n").ok_or_else(|| broken("it is cut short"))?;
            let line = match &self.prev {
                Some(prev) => Line::parse_after(text, self.next, prev),
                None => Line::parse(text).filter(|line| line.seq == self.next).ok_or("it is no record"),
            };
            let line = line.map_err(&broken)?;
            self.prev = Some(hash(text));
            self.next += 1;
            return Ok(Some(line));
        }
    }
}
