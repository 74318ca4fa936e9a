//! What a clean close leaves beside the segments: the hash of the newest one. At the next start the same hash proves in
//! one go what following its lines one by one would prove; every damaged byte is still noticed.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::line::{COMMIT, Hash, Line, hash};
use super::scan::Commit;
use crate::store::hex;

const CLOSED: &str = "closed.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// The number of the segment's first line, as in its name.
    segment: u64,
    sha256: String,
}

impl Closed {
    fn of(segment: u64, bytes: &[u8]) -> Self {
        Self { segment, sha256: hex::encode(&hash(bytes)) }
    }

    /// What the last close noted. Nothing rests on it: without it, or with another one, the lines are followed.
    pub fn read(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(dir.join(CLOSED)).ok()?).ok()
    }

    /// Notes how a segment stands that ends with its last commit.
    pub fn note(dir: &Path, segment: u64, path: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(&Self::of(segment, &std::fs::read(path)?))?;
        text.push(b'\n');
        std::fs::write(dir.join(CLOSED), text)
    }

    /// The last commit of a segment that is to the byte as it was closed, and follows `before`.
    pub fn end(&self, segment: u64, bytes: &[u8], before: &Hash) -> Option<Commit> {
        if self.segment != segment || *self != Self::of(segment, bytes) {
            return None;
        }
        let first = bytes.iter().position(|byte| *byte == b'\n')?;
        Line::parse_after(&bytes[..first], segment, before).ok()?;
        let body = bytes.strip_suffix(b"\n")?;
        let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text = body.get(start..)?;
        let line = Line::parse(text).filter(|line| line.kind == COMMIT)?;
        Some(Commit { seq: line.seq, hash: hash(text), end: bytes.len() as u64 })
    }
}
