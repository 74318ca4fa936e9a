//! One line of the trail.

use std::fmt::Write as _;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::model::Moment;
use crate::store::hex;

/// Closes a group.
pub const COMMIT: &str = "commit";
/// Opens a segment.
pub const SEGMENT: &str = "segment";
/// The data of a segment's first line; a higher number is a newer program's.
pub const FORMAT: &str = "{\"format\":1}";

pub type Hash = [u8; 32];

/// What stands before the first line of all.
pub const NOTHING: Hash = [0; 32];

pub fn is_own(kind: &str) -> bool {
    kind == COMMIT || kind == SEGMENT
}

pub fn hash(line: &[u8]) -> Hash {
    Sha256::digest(line).into()
}

/// `at` is the moment as text: one serves a whole group.
pub fn write(text: &mut String, seq: u64, at: &str, kind: &str, data: &str, prev: &Hash) {
    text.reserve(data.len() + 200);
    // A kind is a word of ours; serde makes sure of it all the same.
    let kind = serde_json::to_string(kind).unwrap_or_default();
    let _ = write!(text, r#"{{"seq":{seq},"at":"{at}","kind":{kind},"data":"#);
    text.push_str(data);
    text.push_str(r#","prev":""#);
    hex::push(text, prev);
    text.push_str("\"}");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub seq: u64,
    pub at: Moment,
    pub kind: String,
    pub data: serde_json::Value,
    prev: String,
}

impl Line {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// A line that stands where it says: after `seq - 1` with that hash.
    pub fn parse_after(bytes: &[u8], seq: u64, prev: &Hash) -> Result<Self, &'static str> {
        let line = Self::parse(bytes).ok_or("it is no record")?;
        if line.seq != seq {
            return Err("its number does not follow the one before");
        }
        if !line.follows(prev) {
            return Err("the line before it is not the one that was written");
        }
        Ok(line)
    }

    pub fn follows(&self, prev: &Hash) -> bool {
        let bytes = self.prev.as_bytes();
        bytes.len() == 64
            && prev.iter().zip(bytes.chunks(2)).all(|(byte, hex)| {
                std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()) == Some(*byte)
            })
    }

    /// The format of a segment that this line opens.
    pub fn format(&self) -> Option<u64> {
        (self.kind == SEGMENT).then(|| self.data.get("format").and_then(serde_json::Value::as_u64)).flatten()
    }
}
