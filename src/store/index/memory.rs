//! The index in memory, for tests and throw-away runs: it can lose what was not flushed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Index, Op, Pair, check_lengths, conflict};
use crate::model::Problem;

#[derive(Debug, Default)]
pub struct MemoryIndex(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What each key held before, for every change since the last flush.
    undo: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl MemoryIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// What a power cut does: everything since the last `commit` or `flush` is gone.
    pub fn lose_unflushed(&self) {
        let mut state = self.state();
        while let Some((key, before)) = state.undo.pop() {
            match before {
                Some(value) => state.pairs.insert(key, value),
                None => state.pairs.remove(&key),
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, ops: &[Op]) -> Result<(), Problem> {
        check_lengths(ops)?;
        for op in ops {
            if let Op::Expect(key, wanted) = op
                && self.pairs.get(key) != wanted.as_ref()
            {
                return Err(conflict(key));
            }
        }
        for op in ops {
            let (key, before) = match op {
                Op::Put(key, value) => (key, self.pairs.insert(key.clone(), value.clone())),
                Op::Del(key) => (key, self.pairs.remove(key)),
                Op::Expect(..) => continue,
            };
            self.undo.push((key.clone(), before));
        }
        Ok(())
    }
}

impl Index for MemoryIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.state().pairs.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Problem> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let state = self.state();
        let pairs = state.pairs.range::<[u8], _>((start, Bound::Unbounded));
        let pairs = pairs.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        Ok(pairs.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&self, ops: &[Op]) -> Result<(), Problem> {
        let mut state = self.state();
        state.apply(ops)?;
        state.undo.clear();
        Ok(())
    }

    fn write(&self, ops: &[Op]) -> Result<(), Problem> {
        self.state().apply(ops)
    }

    fn flush(&self) -> Result<(), Problem> {
        self.state().undo.clear();
        Ok(())
    }

    fn size_on_disk(&self) -> Result<u64, Problem> {
        Ok(0)
    }
}
