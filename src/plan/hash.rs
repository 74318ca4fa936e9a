//! The fingerprint of a plan: apply carries out exactly what was seen (P2).

use std::io;

use sha2::{Digest, Sha256};

use super::{Change, Outline};

/// SHA-256 over the outline and every row, in hexadecimal. Rows may come from a store, one at a time.
pub fn hash<C: std::borrow::Borrow<Change>>(
    outline: &Outline,
    changes: impl IntoIterator<Item = C>,
) -> String {
    let mut sink = Sink(Sha256::new());
    sink.add(outline);
    for change in changes {
        sink.add(change.borrow());
    }
    hexadecimal(&sink.0.finalize())
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}

struct Sink(Sha256);

impl Sink {
    fn add(&mut self, part: &impl serde::Serialize) {
        // Plain data with text keys: neither the format nor this writer can fail.
        let _ = serde_json::to_writer(io::BufWriter::with_capacity(1024, &mut *self), part);
        // So that no two sequences of parts read the same.
        self.0.update(b"\n");
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
