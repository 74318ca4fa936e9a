//! The fingerprint of a plan: apply carries out exactly what was seen (P2).

use std::borrow::Borrow;

use sha2::{Digest, Sha256};

use super::{Change, Outline};

/// SHA-256 over the outline and every row, in hexadecimal.
pub fn hash<C: Borrow<Change>>(outline: &Outline, changes: impl IntoIterator<Item = C>) -> String {
    let mut seal = Seal::new(outline);
    for change in changes {
        seal.row(change.borrow());
    }
    seal.finish()
}

/// The same, row by row, for rows that come and go.
pub struct Seal {
    digest: Sha256,
    buffer: Vec<u8>,
}

impl Seal {
    pub fn new(outline: &Outline) -> Self {
        let mut seal = Self { digest: Sha256::new(), buffer: Vec::new() };
        seal.add(outline);
        seal
    }

    /// Takes the next row in; answers it as JSON.
    pub fn row(&mut self, change: &Change) -> &[u8] {
        self.add(change);
        self.buffer.trim_ascii_end()
    }

    pub fn finish(self) -> String {
        hexadecimal(&self.digest.finalize())
    }

    fn add(&mut self, part: &impl serde::Serialize) {
        self.buffer.clear();
        // Plain data with text keys, into memory: there is nothing in it that can fail.
        let _ = serde_json::to_writer(&mut self.buffer, part);
        // So that no two sequences of parts read the same.
        self.buffer.push(b'\n');
        self.digest.update(&self.buffer);
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}
