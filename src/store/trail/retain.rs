//! Letting go of old segments. What they held lives on in a checkpoint further down the trail, and a small file beside
//! the segments says where the trail begins now, so that the chain can still be checked from there to its end.

use std::path::PathBuf;

use super::line::{Hash, Line};
use super::{Seq, Trail, scan};
use crate::model::{Moment, Problem};
use crate::store::{files, hex};

/// The kind of the record that closes a checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// Segments at the beginning of a trail that hold nothing but lines from before some moment.
#[derive(Debug, Clone)]
pub struct Old {
    /// The first line that stays.
    pub first: Seq,
    /// The hash of the line before it.
    prev: Hash,
    files: Vec<PathBuf>,
    pub bytes: u64,
}

impl Old {
    /// The hash of the line before the first that stays, as the checkpoint's record says it.
    pub fn prev(&self) -> String {
        hex::encode(&self.prev)
    }
}

impl Trail {
    /// What could be let go: `None` where no whole segment is older. The newest segment never is.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn older_than(&self, before: Moment) -> Result<Option<Old>, Problem> {
        let start = scan::Start::read(&self.dir)?;
        let mut segments = scan::segments(&self.dir)?;
        segments.retain(|(first, _)| *first >= start.first);
        let mut keep = 0;
        for (at, (_, path)) in segments.iter().enumerate().skip(1) {
            // A segment's first line is younger than every line of the segments before.
            let is_old = first_line(path)?.is_some_and(|line| line.at <= before);
            if !is_old {
                break;
            }
            keep = at;
        }
        let Some((first, _)) = segments.get(keep).filter(|_| keep > 0) else { return Ok(None) };
        let files: Vec<PathBuf> = segments.iter().take(keep).map(|(_, path)| path.clone()).collect();
        let prev = files.last().map_or(Ok(start.prev), |path| scan::last_hash(path))?;
        let bytes = files.iter().filter_map(|path| Some(std::fs::metadata(path).ok()?.len())).sum();
        Ok(Some(Old { first: *first, prev, files, bytes }))
    }

    /// Lets them go. The caller has written a checkpoint of all they held; `checkpoint` is the number of its last line.
    ///
    /// # Errors
    /// A disk that fails: files that are still there then go at the next start.
    pub fn let_go(&self, old: &Old, checkpoint: Seq) -> Result<(), Problem> {
        scan::Start { first: old.first, prev: old.prev, checkpoint }.write(&self.dir)?;
        for path in &old.files {
            std::fs::remove_file(path).map_err(|error| files::problem(path, "remove", &error))?;
        }
        files::sync_dir(&self.dir)
    }
}

impl scan::Start {
    fn write(&self, dir: &std::path::Path) -> Result<(), Problem> {
        let file =
            scan::StartFile { first: self.first, prev: hex::encode(&self.prev), checkpoint: self.checkpoint };
        let mut text = serde_json::to_vec(&file).unwrap_or_default();
        text.push(b'\n');
        files::replace(&dir.join(scan::START), &text)
    }

    /// Why a line is not the checkpoint that this beginning rests on; `None` where it is.
    pub(super) fn contradicts(&self, line: &Line) -> Option<&'static str> {
        let says = |key: &str| line.data.get(key).cloned().unwrap_or_default();
        let is_it = line.kind == CHECKPOINT
            && says("first") == self.first
            && says("prev") == hex::encode(&self.prev).as_str();
        (!is_it).then_some("it is not the checkpoint that stands for the lines that were let go")
    }
}

fn first_line(path: &std::path::Path) -> Result<Option<Line>, Problem> {
    use std::io::{BufRead as _, BufReader, Read as _};
    let read = || {
        let mut text = Vec::new();
        BufReader::new(std::fs::File::open(path)?.take(1 << 16)).read_until(b'\n', &mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| files::problem(path, "read", &error))?;
    Ok(text.strip_suffix(b"\n").and_then(Line::parse))
}
