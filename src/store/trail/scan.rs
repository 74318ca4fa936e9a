//! Opening a trail: finding the last commit, and telling an unfinished write from damage.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Sync;
use super::closed::Closed;
use super::line::{COMMIT, Hash, Line, NOTHING, hash};
use crate::model::{Class, Problem};
use crate::store::{files, hex};

/// Where the trail ends.
pub struct End {
    pub last_seq: u64,
    pub prev: Hash,
    /// The segment to go on in, with the number of its first line.
    pub segment: Option<(u64, PathBuf)>,
    pub dropped: u64,
}

const ENDING: &str = ".jsonl";
/// What a disk writes whole or not at all, in bytes.
pub const SECTOR: u64 = 512;

/// Segments are named after their first line, so that names sort as the lines do.
pub fn segment_name(first: u64) -> String {
    format!("{first:020}{ENDING}")
}

/// Every segment with the number of its first line, in order.
pub fn segments(dir: &Path) -> Result<Vec<(u64, PathBuf)>, Problem> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(dir).map_err(|error| files::problem(dir, "read", &error))?;
    for entry in entries {
        let path = entry.map_err(|error| files::problem(dir, "read", &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(ENDING));
        if let Some(first) = name.filter(|name| name.len() == 20).and_then(|name| name.parse().ok()) {
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Where a trail begins whose old files were let go; beside the segments.
pub const START: &str = "start.json";

/// The first line that must be there, and what it must follow. An untouched trail begins with line 1 after nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    pub first: u64,
    pub prev: Hash,
    /// The checkpoint that stands for what was let go; 0 where nothing was.
    pub checkpoint: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartFile {
    pub first: u64,
    pub prev: String,
    pub checkpoint: u64,
}

impl Start {
    pub const OF_ALL: Self = Self { first: 1, prev: NOTHING, checkpoint: 0 };

    pub fn read(dir: &Path) -> Result<Self, Problem> {
        let path = dir.join(START);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::OF_ALL),
            Err(error) => return Err(files::problem(&path, "read", &error)),
        };
        let start = serde_json::from_slice::<StartFile>(&bytes).ok().and_then(|file| {
            let prev = hex::decode(&file.prev)?.try_into().ok()?;
            Some(Self { first: file.first, prev, checkpoint: file.checkpoint })
        });
        start.ok_or_else(|| {
            Problem::new(
                Class::Local,
                format!("{} is damaged: it does not say where the audit trail begins.", path.display()),
            )
            .remedy("Nothing was changed and nothing is run. Restore the file from a backup.")
        })
    }
}

/// What a folder holds, before anything is done about it.
pub struct Found {
    pub start: Start,
    pub segments: Vec<(u64, PathBuf)>,
    /// Files that were let go and are still there: the process ended in between.
    let_go: Vec<PathBuf>,
    /// The segment of the last commit, with how much of it was written; `None` where nothing was ever committed.
    last: Option<(usize, Commit, u64)>,
    /// A segment that was begun when the power went.
    begun: Option<(PathBuf, u64)>,
}

impl Found {
    /// The last line that was acknowledged; 0 for none.
    pub fn last_seq(&self) -> u64 {
        self.last.as_ref().map_or(0, |(_, commit, _)| commit.seq)
    }

    /// Bytes after the last commit: being written just now, or left over by a crash.
    pub fn unfinished(&self) -> u64 {
        let tail = self.last.as_ref().map_or(0, |(_, commit, len)| len.saturating_sub(commit.end));
        tail + self.begun.as_ref().map_or(0, |(_, len)| *len)
    }

    /// Every segment that counts, with the bytes of it that are committed.
    pub fn committed(&self) -> Vec<(PathBuf, u64)> {
        let Some((last, commit, _)) = &self.last else { return Vec::new() };
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len());
        self.segments[..=*last]
            .iter()
            .enumerate()
            .map(|(at, (_, path))| (path.clone(), if at == *last { commit.end } else { size(path) }))
            .collect()
    }
}

/// Finds the last commit. Only segments that can still be unfinished are read: every earlier one was synced before its
/// successor came to be, and is checked whenever it is read. One that is as a clean close left it is not followed again.
/// Changes nothing, so it can be done beside a writer.
///
/// # Errors
/// Damage before the last commit, with file and line; a newer format; a first file that is missing.
pub fn find(dir: &Path) -> Result<Found, Problem> {
    let start = Start::read(dir)?;
    let (let_go, segments): (Vec<_>, Vec<_>) =
        segments(dir)?.into_iter().partition(|(first, _)| *first < start.first);
    let let_go = let_go.into_iter().map(|(_, path)| path).collect();
    if let Some((first, path)) = segments.first()
        && *first != start.first
    {
        return Err(missing(path, *first));
    }
    let closed = Closed::read(dir);
    let mut found = Found { start, segments, let_go, last: None, begun: None };
    for (at, (first, path)) in found.segments.iter().enumerate().rev() {
        let bytes = std::fs::read(path).map_err(|error| files::problem(path, "read", &error))?;
        let before = match at.checked_sub(1).and_then(|at| found.segments.get(at)) {
            None => start.prev,
            Some((_, earlier)) => last_hash(earlier)?,
        };
        let len = written(&bytes);
        let last = match closed.as_ref().and_then(|closed| closed.end(*first, &bytes, &before)) {
            Some(commit) => Some(commit),
            None => scan(&bytes, *first, before).map_err(|fault| fault.problem(path))?,
        };
        match last {
            Some(commit) => {
                found.last = Some((at, commit, len));
                break;
            }
            // A segment that holds no commit was begun when the power went. Only the newest can be like that.
            None if found.begun.is_some() => {
                return Err(Fault { line: 1, why: "the segment holds no commit" }.problem(path));
            }
            None => found.begun = Some((path.clone(), written(&bytes))),
        }
    }
    if found.last.is_none() && start.checkpoint > 0 {
        return Err(missing(dir, start.first));
    }
    Ok(found)
}

/// Finds the last commit and drops what was written after it.
///
/// # Errors
/// As [`find`]. Nothing is touched then.
pub fn recover(dir: &Path, sync: &Sync) -> Result<End, Problem> {
    let found = find(dir)?;
    let dropped = found.unfinished();
    if let Some((at, commit, _)) = &found.last {
        let (_, path) = &found.segments[*at];
        cut(path, commit.end)?;
        sync.found(path, commit.end);
        for (_, path) in &found.segments[..*at] {
            sync.found(path, std::fs::metadata(path).map_or(0, |data| data.len()));
        }
    }
    let superfluous: Vec<_> = found.begun.iter().map(|(path, _)| path).chain(&found.let_go).collect();
    for path in &superfluous {
        std::fs::remove_file(path).map_err(|error| files::problem(path, "remove", &error))?;
    }
    if !superfluous.is_empty() || found.last.is_none() {
        files::sync_dir(dir)?;
    }
    let (last_seq, prev, segment) = match &found.last {
        Some((at, commit, _)) => (commit.seq, commit.hash, found.segments.get(*at).cloned()),
        None => (0, NOTHING, None),
    };
    Ok(End { last_seq, prev, segment, dropped })
}

/// How much of a segment was written: all but the empty lines at its end.
pub fn written(bytes: &[u8]) -> u64 {
    let content = bytes.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 2);
    content.min(bytes.len()) as u64
}

fn cut(path: &Path, end: u64) -> Result<(), Problem> {
    let cut = || {
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() == end {
            return Ok(());
        }
        file.set_len(end)?;
        file.sync_all()
    };
    cut().map_err(|error| files::problem(path, "cut the unfinished end of", &error))
}

/// The hash of the last line of a finished segment.
pub fn last_hash(path: &Path) -> Result<Hash, Problem> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let read = || {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        // The last line of a segment is a commit line: far shorter than this.
        file.seek(SeekFrom::Start(len.saturating_sub(4096)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(tail)
    };
    let tail = read().map_err(|error| files::problem(path, "read", &error))?;
    let body = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(hash(&body[start..]))
}

/// A commit line.
pub struct Commit {
    pub seq: u64,
    pub hash: Hash,
    /// Where the line after it begins.
    pub end: u64,
}

struct Fault {
    line: usize,
    why: &'static str,
}

/// Why a segment is refused that is not damaged at all.
const NEWER: &str = "it was written by a newer version of this program";

impl Fault {
    fn problem(&self, path: &Path) -> Problem {
        if self.why == NEWER {
            let message = format!("The audit trail cannot be read ({}): {NEWER}.", path.display());
            return Problem::new(Class::Local, message).remedy("Use that version.");
        }
        let message =
            format!("The audit trail is damaged: {}, line {}: {}.", path.display(), self.line, self.why);
        Problem::new(Class::Local, message)
            .remedy("Nothing was changed and nothing is run. Restore the folder from a backup.")
    }
}

fn missing(path: &Path, first: u64) -> Problem {
    Problem::new(
        Class::Local,
        format!("The audit trail begins at record {first} ({}): earlier files are missing.", path.display()),
    )
    .remedy("Put them back from a backup.")
}

/// Follows the chain through one segment; answers its last commit.
fn scan(bytes: &[u8], first: u64, mut prev: Hash) -> Result<Option<Commit>, Fault> {
    let mut commit = None;
    let (mut at, mut seq, mut number) = (0, first, 1);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        let text = &rest[..end.unwrap_or(rest.len())];
        let line = match (end, Line::parse_after(text, seq, &prev)) {
            (Some(_), Ok(line)) => line,
            (_, outcome) => {
                let is_hole = text.is_empty()
                    || (rest[text.len()..].starts_with(b"\n\n")
                        && ((at + text.len()) as u64).is_multiple_of(SECTOR));
                if is_unfinished(rest, text, end, is_hole) {
                    break;
                }
                return Err(Fault { line: number, why: outcome.err().unwrap_or("it does not end") });
            }
        };
        if number == 1 && line.format() != Some(1) {
            return Err(Fault {
                line: 1,
                why: if line.format().is_some() { NEWER } else { "it opens no segment" },
            });
        }
        prev = hash(text);
        at += text.len() + 1;
        if line.kind == COMMIT {
            commit = Some(Commit { seq, hash: prev, end: at as u64 });
        }
        seq += 1;
        number += 1;
    }
    Ok(commit)
}

/// Whether a line that cannot be read is the end of a write that a power cut stopped. Groups are synced one by one,
/// so only the last can be unfinished: it ends in the middle of a line, or has holes where blocks were never written:
/// zeros, or the empty lines that the segment was padded with. A whole line of anything else was written by nobody
/// here: damage.
fn is_unfinished(rest: &[u8], text: &[u8], end: Option<usize>, is_hole: bool) -> bool {
    if end.is_none() {
        return true;
    }
    let mut lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    // The blocks of the last group reach the disk in any order: its commit line may be there before the rest.
    lines.pop();
    let followed = lines.into_iter().any(|line| Line::parse(line).is_some_and(|line| line.kind == COMMIT));
    (is_hole || text.contains(&0)) && !followed
}
