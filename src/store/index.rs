//! The index: working state that the trail and the other systems can rebuild, behind one small port
//! (`dependencies.md` section 4).

mod chunks;
mod memory;
mod sled;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::Arc;

use crate::model::{Class, Problem};

pub use self::sled::{Opened, SledIndex};
pub use chunks::{get_chunked, put_chunked};
pub use memory::MemoryIndex;

/// The longest value. Longer ones go through [`put_chunked`]: sled keeps large leaves in files that it never syncs.
pub const MAX_VALUE: usize = 4096;

/// Holds the number of the last trail record that is in the index.
pub const LAST_APPLIED: &[u8] = b"meta/applied";

/// Holds the version of the index's layout.
const SCHEMA: &[u8] = b"meta/schema";

/// One step of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Put(Vec<u8>, Vec<u8>),
    Del(Vec<u8>),
    /// The key holds this, or nothing, before the batch; else nothing of the batch is done.
    Expect(Vec<u8>, Option<Vec<u8>>),
}

impl Op {
    pub fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Put(key.into(), value.into())
    }

    pub fn del(key: impl Into<Vec<u8>>) -> Self {
        Self::Del(key.into())
    }
}

/// Values to be put, and keys to be deleted.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key with its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Sorted keys and values. Every call is short, but for `commit` and `flush`, which wait for the disk: from async
/// code they go through `spawn_blocking`.
pub trait Index: Send + Sync {
    /// # Errors
    /// Where the store cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Problem>;

    /// At most `limit` pairs whose key begins with `prefix` and comes after `after`, in order of their keys. To page
    /// on, give the last key of the page before.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Problem>;

    /// All or nothing, and durable on return.
    ///
    /// # Errors
    /// `Stale` where an `Expect` does not hold; a value that is too long; a disk that fails.
    fn commit(&self, ops: &[Op]) -> Result<(), Problem>;

    /// All or nothing, durable with the next `commit` or `flush`: for what the trail can rebuild.
    ///
    /// # Errors
    /// As `commit`.
    fn write(&self, ops: &[Op]) -> Result<(), Problem>;

    /// The same of many changes, in the order of their keys.
    ///
    /// # Errors
    /// As `write`.
    fn write_changes(&self, changes: &Changes) -> Result<(), Problem> {
        let op = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| match value {
            Some(value) => Op::Put(key.clone(), value.clone()),
            None => Op::Del(key.clone()),
        };
        self.write(&changes.iter().map(op).collect::<Vec<_>>())
    }

    /// Makes everything written durable.
    ///
    /// # Errors
    /// A disk that fails.
    fn flush(&self) -> Result<(), Problem>;

    /// # Errors
    /// Where the store cannot be read.
    fn size_on_disk(&self) -> Result<u64, Problem>;
}

/// For an index that outlives the store it is in, as in a simulated crash.
impl<T: Index + ?Sized> Index for Arc<T> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        (**self).get(key)
    }
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Problem> {
        (**self).scan(prefix, after, limit)
    }
    fn commit(&self, ops: &[Op]) -> Result<(), Problem> {
        (**self).commit(ops)
    }
    fn write(&self, ops: &[Op]) -> Result<(), Problem> {
        (**self).write(ops)
    }
    fn write_changes(&self, changes: &Changes) -> Result<(), Problem> {
        (**self).write_changes(changes)
    }
    fn flush(&self) -> Result<(), Problem> {
        (**self).flush()
    }
    fn size_on_disk(&self) -> Result<u64, Problem> {
        (**self).size_on_disk()
    }
}

/// Writes every pair as one line of JSON, always in the same order: a backup, and the way to another engine.
///
/// # Errors
/// Where either side fails.
pub fn export(index: &dyn Index, out: &mut dyn Write) -> Result<u64, Problem> {
    let mut count = 0;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = index.scan(b"", after.as_deref(), 1000)?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(last.clone());
        for (key, value) in &page {
            let line = serde_json::json!({ "key": encode(key), "value": encode(value) });
            writeln!(out, "{line}").map_err(|error| {
                Problem::new(Class::Local, format!("The export cannot be written: {error}."))
            })?;
            count += 1;
        }
    }
}

/// Reads an export into an index.
///
/// # Errors
/// The first line that is no pair, by its number; a disk that fails.
pub fn import(index: &dyn Index, input: &mut dyn BufRead) -> Result<u64, Problem> {
    let mut ops = Vec::new();
    let mut count = 0;
    for line in input.lines() {
        let number = count + 1;
        let fault = || {
            Problem::new(Class::Input, format!("Line {number} of the export is no pair of key and value."))
        };
        let line = line.map_err(|_| fault())?;
        let pair: serde_json::Value = serde_json::from_str(&line).map_err(|_| fault())?;
        let part = |name: &str| pair.get(name).and_then(decode).ok_or_else(fault);
        ops.push(Op::Put(part("key")?, part("value")?));
        count += 1;
        if ops.len() == 1000 {
            index.write(&ops)?;
            ops.clear();
        }
    }
    index.commit(&ops)?;
    Ok(count)
}

/// Keys and values as JSON. Text stays text; anything else is hexadecimal in a list of its own, so that the two cannot
/// be taken for another.
pub fn encode(bytes: &[u8]) -> serde_json::Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => serde_json::json!([super::hex::encode(bytes)]),
    }
}

/// What [`encode`] wrote; `None` for what it never writes.
pub fn decode(value: &serde_json::Value) -> Option<Vec<u8>> {
    match value {
        serde_json::Value::String(text) => Some(text.as_bytes().to_vec()),
        serde_json::Value::Array(items) => super::hex::decode(items.first()?.as_str()?),
        _ => None,
    }
}

fn check_lengths(ops: &[Op]) -> Result<(), Problem> {
    ops.iter().try_for_each(|op| match op {
        Op::Put(key, value) => check_length(key, value),
        Op::Del(_) | Op::Expect(..) => Ok(()),
    })
}

fn check_length(key: &[u8], value: &[u8]) -> Result<(), Problem> {
    if value.len() <= MAX_VALUE {
        return Ok(());
    }
    let key = String::from_utf8_lossy(key);
    let message =
        format!("The value of '{}' is longer than {MAX_VALUE} bytes.", crate::model::text::shown(&key));
    Err(Problem::new(Class::Local, message))
}

fn conflict(key: &[u8]) -> Problem {
    let key = String::from_utf8_lossy(key);
    let message = format!("'{}' was changed meanwhile.", crate::model::text::shown(&key));
    Problem::new(Class::Stale, message).remedy("Look at it again, then repeat the change.")
}
