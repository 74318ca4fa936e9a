//! What the trail has and the index has not yet.

use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::keys;
use crate::engine::records::{Intent, Outcome, Record, RowEnd, project};
use crate::model::{JobId, Problem};
use crate::store::{Changes, Op};

/// What the trail has and the index has not yet: written in groups, since sled's price is by the batch. Losing it loses
/// nothing, the next start plays it again.
#[derive(Default)]
pub(super) struct Waiting {
    group: Mutex<Group>,
    pub done: Condvar,
}

#[derive(Default)]
pub(super) struct Group {
    pub fresh: Changes,
    /// Bytes that were put in there.
    pub bytes: usize,
    /// The last line of the trail that this and all before it stand for.
    pub upto: u64,
    /// Requests whose fate is not known, by their keys: few, and every row asks for them. Most are answered within the
    /// group they began in and never reach the index.
    pub open: BTreeMap<Vec<u8>, Open>,
    /// Rows that were sent and done within this group, by their jobs: the index keeps them as stretches.
    done: BTreeMap<JobId, BTreeSet<u32>>,
    /// Being written by a thread of its own.
    pub under_way: Option<Arc<Changes>>,
    pub failed: Option<Problem>,
}

pub(super) struct Open {
    pub intent: Arc<Intent>,
    is_indexed: bool,
    /// Whether its row has ended all the same: for now, with nothing known.
    is_over: bool,
}

impl Open {
    /// One that an earlier process left, as the index has it.
    pub fn found(intent: Intent) -> Self {
        Self { intent: Arc::new(intent), is_indexed: true, is_over: true }
    }
}

impl Group {
    /// What is to be written now, as one batch: the noted place in the trail and what it stands for belong together.
    pub fn take(&mut self) -> Changes {
        self.bytes = 0;
        let mut changes = std::mem::take(&mut self.fresh);
        let done = std::mem::take(&mut self.done);
        if changes.is_empty() && done.is_empty() && self.open.values().all(|open| open.is_indexed) {
            return changes;
        }
        let mut ops = vec![keys::put(keys::applied(), &self.upto)];
        for open in self.open.values_mut().filter(|open| !open.is_indexed) {
            project(&Record::Intent(Arc::clone(&open.intent)), &mut ops);
            open.is_indexed = true;
        }
        for (job, rows) in done {
            ops.extend(stretches(rows).map(|(first, last)| keys::put(keys::stretch(job, first), &last)));
        }
        for op in ops {
            if let Op::Put(key, value) = op {
                changes.insert(key, Some(value));
            }
        }
        changes
    }

    /// Whether a row is done, with nothing more to say, whose only request was sent within this group: then nothing
    /// else was ever said of its end.
    fn ends_here(&mut self, outcome: &Outcome) -> bool {
        let Some(end) = outcome.end else { return false };
        let key = keys::intent(outcome.integration, outcome.entity, &outcome.source);
        let Some(open) = self.open.get_mut(&key) else { return false };
        let was_over = std::mem::replace(&mut open.is_over, true);
        let is_its = (open.intent.job, open.intent.row) == (outcome.job, outcome.row);
        let is_plain = outcome.message.is_empty() && outcome.class.is_none();
        !was_over && !open.is_indexed && is_its && outcome.closes && end == RowEnd::Done && is_plain
    }

    /// Takes the projection of one record in.
    pub fn note(&mut self, record: &Record, ops: &mut Vec<Op>) {
        if let Record::Intent(intent) = record {
            let key = keys::intent(intent.integration, intent.entity, &intent.source);
            match self.open.entry(key) {
                Place::Vacant(slot) => {
                    slot.insert(Open { intent: Arc::clone(intent), is_indexed: false, is_over: false });
                    return;
                }
                Place::Occupied(mut slot) => {
                    slot.insert(Open { intent: Arc::clone(intent), is_indexed: true, is_over: true });
                }
            }
        }
        let mut row = None;
        if let Record::Outcome(outcome) = record
            && self.ends_here(outcome)
        {
            self.done.entry(outcome.job).or_default().insert(outcome.row);
            row = Some(keys::row(outcome.job, outcome.row));
        }
        project(record, ops);
        for op in ops.drain(..) {
            match op {
                Op::Put(key, _) if row.as_ref() == Some(&key) => {}
                Op::Put(key, value) => {
                    self.bytes += key.len() + value.len();
                    self.fresh.insert(key, Some(value));
                }
                Op::Del(key) if self.open.remove(&key).is_some_and(|open| !open.is_indexed) => {}
                Op::Del(key) => drop(self.fresh.insert(key, None)),
                Op::Expect(..) => debug_assert!(false, "a projection expects nothing"),
            }
        }
    }
}

impl Waiting {
    pub fn state(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows as stretches without a gap: the first and the last of each.
fn stretches(rows: BTreeSet<u32>) -> impl Iterator<Item = (u32, u32)> {
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = rows.next()?;
        let mut last = first;
        while let Some(next) = rows.next_if(|next| *next == last + 1) {
            last = next;
        }
        Some((first, last))
    })
}
