//! Opening a trail: finding the last commit, and telling an unfinished write from damage.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::Sync;
use super::line::{COMMIT, Hash, Line, NOTHING, hash};
use crate::model::{Class, Problem};
use crate::store::files;

/// Where the trail ends.
pub struct End {
    pub last_seq: u64,
    pub prev: Hash,
    /// The segment to go on in.
    pub segment: Option<PathBuf>,
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

/// Finds the last commit and drops what was written after it. Only segments that can still be unfinished are read:
/// every earlier one was synced before its successor came to be, and is checked whenever it is read.
///
/// # Errors
/// Damage before the last commit, with file and line; a newer format. Nothing is touched then.
pub fn recover(dir: &Path, sync: &Sync) -> Result<End, Problem> {
    let segments = segments(dir)?;
    let mut empty_tail = Vec::new();
    for (at, (first, path)) in segments.iter().enumerate().rev() {
        let bytes = std::fs::read(path).map_err(|error| files::problem(path, "read", &error))?;
        let before = match at.checked_sub(1).and_then(|at| segments.get(at)) {
            None => NOTHING,
            Some((_, earlier)) => last_hash(earlier)?,
        };
        if at == 0 && *first != 1 {
            return Err(missing(path, *first));
        }
        let Some(commit) = scan(&bytes, *first, before).map_err(|fault| fault.problem(path))? else {
            // A segment that holds no commit was begun when the power went. Only the newest can be like that.
            empty_tail.push((path.clone(), written(&bytes)));
            if empty_tail.len() > 1 {
                return Err(Fault { line: 1, why: "the segment holds no commit" }.problem(path));
            }
            continue;
        };
        let mut dropped = written(&bytes).saturating_sub(commit.end);
        cut(path, commit.end, bytes.len())?;
        sync.found(path, commit.end);
        for (path, len) in &empty_tail {
            dropped += len;
            std::fs::remove_file(path).map_err(|error| files::problem(path, "remove", &error))?;
        }
        if !empty_tail.is_empty() {
            files::sync_dir(dir)?;
        }
        for (_, path) in &segments[..at] {
            sync.found(path, std::fs::metadata(path).map_or(0, |data| data.len()));
        }
        return Ok(End { last_seq: commit.seq, prev: commit.hash, segment: Some(path.clone()), dropped });
    }
    // Nothing was ever committed.
    let mut dropped = 0;
    for (path, len) in empty_tail {
        dropped += len;
        std::fs::remove_file(&path).map_err(|error| files::problem(&path, "remove", &error))?;
    }
    files::sync_dir(dir)?;
    Ok(End { last_seq: 0, prev: NOTHING, segment: None, dropped })
}

/// How much of a segment was written: all but the empty lines at its end.
pub fn written(bytes: &[u8]) -> u64 {
    let content = bytes.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 2);
    content.min(bytes.len()) as u64
}

fn cut(path: &Path, end: u64, len: usize) -> Result<(), Problem> {
    if len as u64 == end {
        return Ok(());
    }
    let cut = || {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(end)?;
        file.sync_all()
    };
    cut().map_err(|error| files::problem(path, "cut the unfinished end of", &error))
}

/// The hash of the last line of a finished segment.
fn last_hash(path: &Path) -> Result<Hash, Problem> {
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

struct Commit {
    seq: u64,
    hash: Hash,
    /// Where the line after it begins.
    end: u64,
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
                    || (rest[text.len()..].starts_with(b"\n\n") && (at + text.len()) as u64 % SECTOR == 0);
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
