//! What survives, in the words of the engine: typed reads of the index, and the one way to write it.
//!
//! [`Book::record`] puts facts into the trail first and into the index after. What only the index holds (caches of
//! listings, stored plans, counters) can be made again from the other systems.

use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use tokio::sync::{RwLock, RwLockWriteGuard};

use super::customers::HaloCard;
use super::keys;
use super::records::{Aside, Edit, FieldStep, Intent, KeptIssue, Ordered, Record, RowState};
use crate::engine::words::{Choices, JobReport, Past};
use crate::model::settings::Settings;
use crate::model::{
    Class, Date, Decision, Entity, Installation, Integration, JobId, Link, OccurrenceId, PlanId, Problem,
    Slot, SourceId, TargetId,
};
use crate::plan::snapshot::Last;
use crate::plan::{Change, Plan, Seal};
use crate::store::{Entry, Index, Op, Trail};

/// Rows of a plan in one stored piece.
pub const CHUNK: u32 = 32;
/// How far behind the noted place replay starts: records that were being written side by side may have reached the
/// index out of order.
const REPLAY_MARGIN: u64 = 4096;
const PAGE: usize = 1024;
/// Changes that are written to the index together: so many, or so many bytes of them.
const GROUP: usize = 4096;
const GROUP_BYTES: usize = 2 << 20;
/// So many bytes may wait for the disk; then the job waits for it.
const MOST_BYTES: usize = 8 << 20;

/// A stored job: its report, what the person chose, and whether the policy approved it.
pub type StoredJob = (JobReport, Choices, bool);

pub struct Book {
    trail: Trail,
    index: Arc<dyn Index>,
    waiting: Arc<Waiting>,
    /// Who takes a number goes alone.
    numbers: Mutex<()>,
    /// Whoever writes facts shares it; whoever lets old ones go has it alone.
    gate: RwLock<()>,
}

/// Values to be put, and keys to be deleted.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What the trail has and the index has not yet: written in groups, since sled's price is by the batch. Losing it loses
/// nothing, the next start plays it again.
#[derive(Default)]
struct Waiting {
    group: Mutex<Group>,
    done: Condvar,
}

#[derive(Default)]
struct Group {
    fresh: Changes,
    /// Bytes that were put in there.
    bytes: usize,
    /// The last line of the trail that this and all before it stand for.
    upto: u64,
    /// Requests whose fate is not known, by their keys: few, and every row asks for them. Most are answered within the
    /// group they began in and never reach the index.
    open: BTreeMap<Vec<u8>, Open>,
    /// Being written by a thread of its own.
    under_way: Option<Arc<Changes>>,
    failed: Option<Problem>,
}

struct Open {
    intent: Intent,
    is_indexed: bool,
}

impl Group {
    /// What is to be written now, as one batch: the noted place in the trail and what it stands for belong together.
    fn take(&mut self) -> Changes {
        self.bytes = 0;
        let mut changes = std::mem::take(&mut self.fresh);
        if changes.is_empty() && self.open.values().all(|open| open.is_indexed) {
            return changes;
        }
        let mut ops = vec![keys::put(keys::applied(), &self.upto)];
        for open in self.open.values_mut().filter(|open| !open.is_indexed) {
            super::records::project(&Record::Intent(Box::new(open.intent.clone())), &mut ops);
            open.is_indexed = true;
        }
        for op in ops {
            if let Op::Put(key, value) = op {
                changes.insert(key, Some(value));
            }
        }
        changes
    }

    /// Takes the projection of one record in.
    fn note(&mut self, record: &Record, ops: &mut Vec<Op>) {
        if let Record::Intent(intent) = record {
            let key = keys::intent(intent.integration, intent.entity, &intent.source);
            match self.open.entry(key) {
                Place::Vacant(slot) => {
                    slot.insert(Open { intent: (**intent).clone(), is_indexed: false });
                    return;
                }
                Place::Occupied(mut slot) => {
                    slot.insert(Open { intent: (**intent).clone(), is_indexed: true });
                }
            }
        }
        super::records::project(record, ops);
        for op in ops.drain(..) {
            match op {
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
    fn state(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn as_ops(changes: &Changes) -> Vec<Op> {
    changes
        .iter()
        .map(|(key, value)| match value {
            Some(value) => Op::Put(key.clone(), value.clone()),
            None => Op::Del(key.clone()),
        })
        .collect()
}

impl Book {
    /// Brings the index up to the trail.
    pub fn open(trail: Trail, index: Arc<dyn Index>) -> Result<Self, Problem> {
        let book = Self {
            trail,
            index,
            waiting: Arc::default(),
            numbers: Mutex::default(),
            gate: RwLock::default(),
        };
        book.replay(book.index.as_ref())?;
        let mut open = BTreeMap::new();
        book.each_big(&keys::intents(), |_, intent: Intent| {
            let key = keys::intent(intent.integration, intent.entity, &intent.source);
            open.insert(key, Open { intent, is_indexed: true });
            Ok(())
        })?;
        book.waiting.state().open = open;
        Ok(book)
    }

    /// What the trail says, in an index of its own: what a checkpoint must keep.
    pub(super) fn told(&self, index: &dyn Index) -> Result<(), Problem> {
        self.replay(index)
    }

    /// Durable on return, not in the index: answers the number of the last line.
    pub(super) async fn write(&self, records: &[Record]) -> Result<u64, Problem> {
        self.trail.commit(entries(records)?).await
    }

    /// Takes over what was written to the trail without going through [`Self::record`].
    pub(super) fn catch_up(&self) -> Result<(), Problem> {
        self.replay(self.index.as_ref())
    }

    pub(super) fn trail(&self) -> &Trail {
        &self.trail
    }

    fn replay(&self, index: &dyn Index) -> Result<(), Problem> {
        let number = |key: Vec<u8>| match index.get(&key)? {
            None => Ok(None),
            Some(bytes) => read::<u64>(&bytes, &key).map(Some),
        };
        let applied = number(keys::applied())?.unwrap_or(0);
        let last = self.trail.last_seq();
        if applied >= last && applied != 0 && number(keys::clean())?.is_some_and(|clean| clean == last) {
            return Ok(());
        }
        let mut ops = Vec::new();
        let mut seen = applied;
        // Numbers of jobs and plans are counted in the index only: a new one must not give them out again.
        let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
        let mut note = |of: &str, number: u64| {
            let top = numbers.entry(of.to_owned()).or_default();
            *top = number.max(*top);
        };
        for line in self.trail.read(applied.saturating_sub(REPLAY_MARGIN))? {
            let line = line?;
            // A kind this build does not know is somebody else's fact, not an error.
            if let Ok(record) = parse(&line.kind, line.data) {
                match &record {
                    Record::Job { report, .. } => {
                        note("job", report.job.0);
                        note("plan", report.plan.map_or(0, |plan| plan.0));
                    }
                    Record::Checkpoint { numbers, .. } => numbers.iter().for_each(|(of, n)| note(of, *n)),
                    _ => {}
                }
                super::records::project(&record, &mut ops);
            }
            seen = seen.max(line.seq);
            if ops.len() >= PAGE {
                index.write(&ops)?;
                ops.clear();
            }
        }
        for (of, top) in numbers {
            if number(keys::next_number(&of))?.unwrap_or(0) < top {
                ops.push(keys::put(keys::next_number(&of), &top));
            }
        }
        ops.push(keys::put(keys::applied(), &seen));
        index.write(&ops)?;
        index.flush()
    }

    /// Facts, durable on return, then visible in the index.
    pub async fn record(&self, records: &[Record]) -> Result<(), Problem> {
        let entries = entries(records)?;
        let _shared = self.gate.read().await;
        let last = self.trail.commit(entries).await?;
        self.show(records, last)
    }

    /// Keeps every [`Self::record`] waiting as long as it is held. A running job also writes by [`Self::record_soon`],
    /// which waits for nobody: the caller sees to it that none runs.
    pub(super) async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }

    /// Facts whose loss within a second is harmless: an outcome is found again by reading back (5.1).
    pub fn record_soon(&self, records: &[Record]) -> Result<(), Problem> {
        let entries = entries(records)?;
        self.trail.append_soon(entries)?;
        self.show(records, self.trail.last_seq())
    }

    /// Notes that index and trail agree, so that the next start need not replay.
    pub fn close(&self) -> Result<(), Problem> {
        let last = self.trail.last_seq();
        self.write_pending()?;
        self.index.write(&[keys::put(keys::applied(), &last), keys::put(keys::clean(), &last)])?;
        self.index.flush()
    }

    /// What can be made again: straight into the index.
    pub fn cache(&self, ops: &[Op]) -> Result<(), Problem> {
        self.write_pending()?;
        for group in ops.chunks(PAGE) {
            self.index.write(group)?;
        }
        Ok(())
    }

    pub fn flush(&self) -> Result<(), Problem> {
        self.write_pending()?;
        self.index.flush()
    }

    fn show(&self, records: &[Record], last: u64) -> Result<(), Problem> {
        let mut state = self.waiting.state();
        if let Some(problem) = &state.failed {
            return Err(problem.clone());
        }
        let mut ops = Vec::new();
        for record in records {
            state.note(record, &mut ops);
        }
        state.upto = state.upto.max(last);
        let is_full = state.fresh.len() >= GROUP || state.bytes >= GROUP_BYTES;
        if is_full && state.under_way.is_none() {
            let group = Arc::new(state.take());
            state.under_way = Some(Arc::clone(&group));
            drop(state);
            let (index, waiting) = (Arc::clone(&self.index), Arc::clone(&self.waiting));
            // sled waits for the disk in its caller's thread: that must not be one that talks to sockets.
            std::thread::spawn(move || {
                let written = index.write(&as_ops(&group));
                let mut state = waiting.state();
                state.failed = written.err();
                state.under_way = None;
                waiting.done.notify_all();
            });
            return Ok(());
        }
        // A disk that cannot follow slows the job down; memory does not grow.
        let is_too_much = state.fresh.len() >= 16 * GROUP || state.bytes >= MOST_BYTES;
        if is_too_much { self.write_out(state) } else { Ok(()) }
    }

    fn write_pending(&self) -> Result<(), Problem> {
        self.write_out(self.waiting.state())
    }

    /// As one batch: the noted place in the trail and what it stands for belong together.
    fn write_out(&self, state: MutexGuard<'_, Group>) -> Result<(), Problem> {
        let mut state = self
            .waiting
            .done
            .wait_while(state, |state| state.under_way.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = &state.failed {
            return Err(problem.clone());
        }
        let changes = state.take();
        if changes.is_empty() { Ok(()) } else { self.index.write(&as_ops(&changes)) }
    }

    /// The newest value of a key, written out or not.
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        {
            let state = self.waiting.state();
            let newest = state.fresh.get(key).or_else(|| state.under_way.as_ref()?.get(key));
            if let Some(value) = newest {
                return Ok(value.clone());
            }
        }
        self.index.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Problem> {
        self.write_pending()?;
        self.index.scan(prefix, after, limit)
    }

    /// A short value.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Problem> {
        match self.value(key)? {
            None => Ok(None),
            Some(bytes) => read(&bytes, key).map(Some),
        }
    }

    /// A value that may be long.
    pub fn get_big<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Problem> {
        match self.value(key)? {
            None => Ok(None),
            Some(first) => read(&self.join(key, &first)?, key).map(Some),
        }
    }

    /// A value that may be long and is no JSON.
    pub fn big_bytes(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        match self.value(key)? {
            None => Ok(None),
            Some(first) => self.join(key, &first).map(Some),
        }
    }

    fn join(&self, key: &[u8], first: &[u8]) -> Result<Vec<u8>, Problem> {
        keys::join(key, first, |part| self.value(part))?.ok_or_else(|| damaged(key))
    }

    /// Everything under a prefix, a page at a time.
    pub fn each(
        &self,
        prefix: &[u8],
        mut with: impl FnMut(&[u8], Vec<u8>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut from: Option<Vec<u8>> = None;
        loop {
            let page = self.scan(prefix, from.as_deref(), PAGE)?;
            let full = page.len() == PAGE;
            if let Some((last, _)) = page.last() {
                from = Some(last.clone());
            }
            for (key, value) in page {
                with(&key[prefix.len()..], value)?;
            }
            if !full {
                return Ok(());
            }
        }
    }

    fn each_big<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        mut with: impl FnMut(&[u8], T) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.each(prefix, |rest, first| {
            let key = [prefix, rest].concat();
            with(rest, read(&self.join(&key, &first)?, &key)?)
        })
    }

    /// Every value under a prefix that may be long, with the rest of its key as text.
    pub fn each_big_value<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        mut with: impl FnMut(&str, T),
    ) -> Result<(), Problem> {
        self.each_big(prefix, |rest, value| {
            with(&String::from_utf8_lossy(rest), value);
            Ok(())
        })
    }

    /// A job's state without a line in the trail: for what a restart finds out by itself.
    pub fn put_job(&self, report: &JobReport, choices: &Choices, policy: bool) -> Result<(), Problem> {
        self.write_pending()?;
        self.index.write(&keys::put_big(&keys::job(report.job), &(report, choices, policy)))
    }

    /// The next number of a kind: `plan` or `job`.
    pub fn next_number(&self, of: &str) -> Result<u64, Problem> {
        let _alone = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = keys::next_number(of);
        let number = self.get::<u64>(&key)?.unwrap_or(0) + 1;
        self.index.commit(&[keys::put(key, &number)])?;
        Ok(number)
    }

    pub fn installation(&self) -> Result<Option<Installation>, Problem> {
        Ok(self.get::<String>(&keys::owner())?.and_then(|text| Installation::new(&text)))
    }

    pub fn settings(&self) -> Result<Settings, Problem> {
        Ok(self.get_big(&keys::settings())?.unwrap_or_default())
    }

    pub fn link(&self, of: Integration, entity: Entity, id: &SourceId) -> Result<Option<Link>, Problem> {
        self.get_big(&keys::link(of, entity, id))
    }

    /// All links of an entity, in the order of their source ids.
    pub fn links(&self, of: Integration, entity: Entity) -> Result<Vec<(SourceId, Link)>, Problem> {
        let mut links = Vec::new();
        self.each_link(of, entity, |id, link| links.push((id, link)))?;
        Ok(links)
    }

    /// The same one by one, for what needs little of each.
    pub fn each_link(
        &self,
        of: Integration,
        entity: Entity,
        mut with: impl FnMut(SourceId, Link),
    ) -> Result<(), Problem> {
        self.each_big(&keys::links(of, entity), |id, link| {
            with(SourceId::new(String::from_utf8_lossy(id)), link);
            Ok(())
        })
    }

    /// One page of links after a source id, for merging without holding them all.
    pub fn links_page(
        &self,
        of: Integration,
        entity: Entity,
        after: Option<&SourceId>,
    ) -> Result<Vec<(SourceId, Link)>, Problem> {
        let prefix = keys::links(of, entity);
        let from = after.map(|id| keys::link(of, entity, id));
        self.scan(&prefix, from.as_deref(), PAGE)?
            .into_iter()
            .map(|(key, first)| {
                let link = read(&self.join(&key, &first)?, &key)?;
                Ok((SourceId::new(String::from_utf8_lossy(&key[prefix.len()..])), link))
            })
            .collect()
    }

    pub fn decisions(&self, of: Integration) -> Result<BTreeMap<SourceId, Decision>, Problem> {
        let mut decisions = BTreeMap::new();
        let prefix = keys::decisions(of);
        self.each(&prefix, |id, value| {
            decisions.insert(SourceId::new(String::from_utf8_lossy(id)), read(&value, id)?);
            Ok(())
        })?;
        Ok(decisions)
    }

    /// What details of Halo's customers told.
    pub fn halo_cards(&self) -> Result<Vec<(TargetId, HaloCard)>, Problem> {
        let mut cards = Vec::new();
        self.each(&keys::halo_cards(), |id, value| {
            cards.push((TargetId::new(String::from_utf8_lossy(id)), read(&value, id)?));
            Ok(())
        })?;
        Ok(cards)
    }

    pub fn missing_runs(&self, of: Integration) -> Result<BTreeMap<(Entity, SourceId), u32>, Problem> {
        let mut missing = BTreeMap::new();
        self.each(&keys::missings(of), |id, value| {
            let text = String::from_utf8_lossy(id);
            if let Some((entity, id)) = text.split_once('/')
                && let Ok(entity) = entity.parse::<Entity>()
            {
                missing.insert((entity, SourceId::new(id)), read(&value, id.as_bytes())?);
            }
            Ok(())
        })?;
        Ok(missing)
    }

    pub fn last(&self, of: Integration) -> Result<Last, Problem> {
        Ok(self.get_big(&keys::last(of))?.unwrap_or_default())
    }

    pub fn approved(&self, of: Integration) -> Result<BTreeSet<Entity>, Problem> {
        Ok(self.get(&keys::approved(of))?.unwrap_or_default())
    }

    pub fn occurrence(&self, of: Integration, id: &OccurrenceId) -> Result<Option<Past>, Problem> {
        self.get_big(&keys::occurrence(of, id))
    }

    /// What became of the occurrences from a local day on, oldest first.
    pub fn occurrences(&self, of: Integration, from: Date) -> Result<Vec<Past>, Problem> {
        let prefix = keys::occurrences(of);
        let mut after = [prefix.as_slice(), from.to_string().as_bytes()].concat();
        let mut found = Vec::new();
        loop {
            let page = self.scan(&prefix, Some(&after), PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            after.clone_from(last);
            for (key, first) in page {
                found.push(read(&self.join(&key, &first)?, &key)?);
            }
        }
    }

    /// The number of the last decision step, and what it was.
    pub fn step(&self, of: Integration, step: u64) -> Result<Option<(String, Vec<Edit>, bool)>, Problem> {
        self.get_big(&keys::step(of, step))
    }

    pub fn step_top(&self, of: Integration) -> Result<u64, Problem> {
        Ok(self.get(&keys::step_top(of))?.unwrap_or(0))
    }

    /// The flags of Halo's customers that a person asked for here, by the customer's id (L17b).
    pub fn push_wishes(&self) -> Result<Vec<(TargetId, bool)>, Problem> {
        let prefix = keys::push_wishes();
        let found = self.scan(&prefix, None, usize::MAX)?;
        let wish = |(key, value): (Vec<u8>, Vec<u8>)| {
            Ok((TargetId::new(String::from_utf8_lossy(&key[prefix.len()..])), read(&value, &key)?))
        };
        found.into_iter().map(wish).collect()
    }

    /// A step of the field mappings: what it did, and the settings before and after.
    pub fn field_step(&self, of: Integration, step: u64) -> Result<Option<FieldStep>, Problem> {
        self.get_big(&keys::field_step(of, step))
    }

    /// The number of the last step of the field mappings.
    pub fn field_step_top(&self, of: Integration) -> Result<u64, Problem> {
        Ok(self.get(&keys::field_step_top(of))?.unwrap_or(0))
    }

    pub fn decision(&self, of: Integration, id: &SourceId) -> Result<Option<Decision>, Problem> {
        self.get(&keys::decision(of, id))
    }

    /// What the mapping holds for a record.
    pub fn slot(&self, of: Integration, entity: Entity, id: &SourceId) -> Result<Slot, Problem> {
        let decision = if entity == of.root() { self.decision(of, id)? } else { None };
        Ok(Slot { link: self.link(of, entity, id)?, decision, ..Slot::default() })
    }

    /// What a person last wished of a job; `None`: that it goes on.
    pub fn wish(&self, job: JobId) -> Result<Option<Ordered>, Problem> {
        self.get(&keys::wish(job))
    }

    /// What was asked of Hudu about this layout of an entity and has no known end.
    pub fn open_layout(&self, entity: Entity, name: &str) -> Result<Option<String>, Problem> {
        self.get(&keys::layout(entity, name))
    }

    /// Notes where the trail stands, so that a job's facts are found without reading all of it.
    pub fn note_beginning(&self, job: JobId) -> Result<(), Problem> {
        self.cache(&[keys::put(keys::began(job), &self.trail.last_seq())])
    }

    /// The intents and outcomes of a job, oldest first: what it did, with what stood there before.
    ///
    /// # Errors
    /// Where lines from the time of the job were let go: what is left would take back a part of it only.
    pub fn deeds(&self, job: JobId, mut with: impl FnMut(Record)) -> Result<(), Problem> {
        let from = self.get::<u64>(&keys::began(job))?.unwrap_or(0);
        let started = self.job(job)?.map(|(report, ..)| report.started);
        let first = self.trail.read(0)?.next().transpose()?;
        if let (Some(first), Some(started)) = (first, started)
            && first.seq > 1
            && if from > 0 { first.seq > from + 1 } else { first.at > started }
        {
            let message = format!("What {job} did is no longer all in the audit trail: it is too old.");
            return Err(Problem::new(Class::Input, message).remedy(
                "It cannot be taken back as a whole; `profile.keep.trail_days` says how long the trail is kept.",
            ));
        }
        for line in self.trail.read(from)? {
            let line = line?;
            let is_deed = line.kind == "intent" || line.kind == "outcome";
            let of: Option<JobId> =
                line.data.get("job").and_then(|of| serde_json::from_value(of.clone()).ok());
            if is_deed
                && of == Some(job)
                && let Ok(record) = parse(&line.kind, line.data)
            {
                with(record);
            }
        }
        Ok(())
    }

    /// The open issues of an integration.
    pub fn issues(&self, of: Integration) -> Result<Vec<KeptIssue>, Problem> {
        let mut issues = Vec::new();
        self.each_big(&keys::issues(of), |_, issue| {
            issues.push(issue);
            Ok(())
        })?;
        Ok(issues)
    }

    /// Those that a person put aside, by entity and source id.
    pub fn asides(&self, of: Integration) -> Result<BTreeMap<String, Aside>, Problem> {
        let mut asides = BTreeMap::new();
        self.each(&keys::asides(of), |key, value| {
            asides.insert(String::from_utf8_lossy(key).into_owned(), read(&value, key)?);
            Ok(())
        })?;
        Ok(asides)
    }

    /// Requests whose fate is not known yet.
    pub fn open_intents(&self) -> Vec<Intent> {
        self.waiting.state().open.values().map(|open| open.intent.clone()).collect()
    }

    /// Whether any of them is of this kind.
    pub fn is_any_open(&self, kind: impl Fn(&Intent) -> bool) -> bool {
        self.waiting.state().open.values().any(|open| kind(&open.intent))
    }

    /// Whether the fate of a request for this key is not known yet.
    pub fn is_open(&self, of: Integration, entity: Entity, id: &SourceId) -> bool {
        self.waiting.state().open.contains_key(&keys::intent(of, entity, id))
    }

    pub fn job(&self, job: JobId) -> Result<Option<StoredJob>, Problem> {
        self.get_big(&keys::job(job))
    }

    /// Jobs, newest first.
    pub fn jobs(&self, last: usize) -> Result<Vec<StoredJob>, Problem> {
        let top = self.get::<u64>(&keys::next_number("job"))?.unwrap_or(0);
        let mut jobs = Vec::new();
        for number in (1..=top).rev() {
            if jobs.len() >= last {
                break;
            }
            jobs.extend(self.job(JobId(number))?);
        }
        Ok(jobs)
    }

    pub fn row(&self, job: JobId, row: u32) -> Result<Option<RowState>, Problem> {
        self.get_big(&keys::row(job, row))
    }

    /// Every row of a job that is over.
    pub fn rows(&self, job: JobId) -> Result<BTreeMap<u32, RowState>, Problem> {
        let mut rows = BTreeMap::new();
        self.each_row(job, |row, state| drop(rows.insert(row, state)))?;
        Ok(rows)
    }

    /// The same one by one.
    pub fn each_row(&self, job: JobId, mut with: impl FnMut(u32, RowState)) -> Result<(), Problem> {
        self.each_big(&keys::rows(job), |rest, state| {
            if let Ok(number) = <[u8; 4]>::try_from(rest) {
                with(u32::from_be_bytes(number), state);
            }
            Ok(())
        })
    }

    pub fn plan(&self, plan: PlanId) -> Result<Option<Plan>, Problem> {
        self.get_big(&keys::plan(plan))
    }

    /// Stores a plan and seals it by its hash; its header last, so that half a plan is no plan. The rows are read one by
    /// one, and none is kept.
    pub fn put_plan(&self, plan: &mut Plan, mut rows: impl Iterator<Item = Change>) -> Result<(), Problem> {
        let mut seal = Seal::new(&plan.outline);
        let mut ops = Vec::new();
        let (mut text, mut at) = (Vec::new(), 0);
        loop {
            text.clear();
            for change in rows.by_ref().take(CHUNK as usize) {
                text.push(if text.is_empty() { b'[' } else { b',' });
                text.extend_from_slice(seal.row(&change));
            }
            if text.is_empty() {
                break;
            }
            text.push(b']');
            ops.extend(keys::put_bytes(&keys::plan_chunk(plan.id, at), &pack(&text)?));
            at += 1;
            if ops.len() >= 64 {
                self.index.write(&ops)?;
                ops.clear();
            }
        }
        self.index.write(&ops)?;
        plan.hash = seal.finish();
        self.index.commit(&keys::put_big(&keys::plan(plan.id), plan))
    }

    pub fn drop_plan(&self, plan: PlanId) -> Result<(), Problem> {
        self.index.commit(&[Op::Del(keys::plan(plan))])?;
        for prefix in [keys::plan_all(plan), [b"x/".to_vec(), keys::plan_all(plan)].concat()] {
            loop {
                let page = self.scan(&prefix, None, PAGE)?;
                if page.is_empty() {
                    break;
                }
                let ops: Vec<Op> = page.into_iter().map(|(key, _)| Op::Del(key)).collect();
                self.index.write(&ops)?;
            }
        }
        Ok(())
    }

    /// Plans older than the newest `keep`, so that they do not pile up; those of unfinished jobs stay.
    pub fn prune_plans(&self, keep: u64, needed: &BTreeSet<PlanId>) -> Result<(), Problem> {
        let top = self.get::<u64>(&keys::next_number("plan"))?.unwrap_or(0);
        let floor = self.get::<u64>(b"m/plan-floor")?.unwrap_or(1);
        let mut kept_one = false;
        for number in floor..top.saturating_sub(keep) {
            if needed.contains(&PlanId(number)) {
                kept_one = true;
            } else if self.plan(PlanId(number))?.is_some() {
                self.drop_plan(PlanId(number))?;
            }
        }
        if !kept_one && top > keep {
            self.index.write(&[keys::put(b"m/plan-floor".to_vec(), &(top - keep))])?;
        }
        Ok(())
    }

    /// The rows of one stored piece, from row `chunk * CHUNK + 1` on.
    pub fn plan_chunk(&self, plan: PlanId, chunk: u32) -> Result<Vec<Change>, Problem> {
        self.chunk(plan, chunk)?.ok_or_else(|| {
            Problem::new(Class::Local, format!("Plan {plan} is not whole.")).remedy("Build it again.")
        })
    }

    fn chunk(&self, plan: PlanId, chunk: u32) -> Result<Option<Vec<Change>>, Problem> {
        let key = keys::plan_chunk(plan, chunk);
        match self.value(&key)? {
            None => Ok(None),
            Some(first) => unpack(&self.join(&key, &first)?).map(Some).ok_or_else(|| damaged(&key)),
        }
    }

    /// Chosen rows of a plan, in the order asked for; unknown numbers are left out.
    pub fn plan_rows(&self, plan: PlanId, wanted: &[u32]) -> Result<Vec<Change>, Problem> {
        let mut loaded: BTreeMap<u32, Vec<Change>> = BTreeMap::new();
        let mut rows = Vec::with_capacity(wanted.len());
        for row in wanted {
            let Some(at) = row.checked_sub(1) else { continue };
            let chunk = at / CHUNK;
            if let std::collections::btree_map::Entry::Vacant(e) = loaded.entry(chunk) {
                match self.chunk(plan, chunk)? {
                    Some(changes) => {
                        e.insert(changes);
                    }
                    None => continue,
                }
            }
            rows.extend(loaded.get(&chunk).and_then(|c| c.get((at % CHUNK) as usize)).cloned());
        }
        Ok(rows)
    }

    /// All rows of a plan, a piece at a time.
    pub fn each_plan_row(
        &self,
        plan: &Plan,
        mut with: impl FnMut(Change) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.plan_rows_while(plan, |change| with(change).map(|()| true))
    }

    /// The rows of a plan up to the one that is enough: reading them all takes a while.
    pub fn plan_rows_while(
        &self,
        plan: &Plan,
        mut goes_on: impl FnMut(Change) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        for chunk in 0..plan.rows.div_ceil(CHUNK) {
            for change in self.plan_chunk(plan.id, chunk)? {
                if !goes_on(change)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn entries(records: &[Record]) -> Result<Vec<Entry>, Problem> {
    records
        .iter()
        .map(|record| match record {
            // The two that are written by the ten thousand go straight to text.
            Record::Intent(intent) => Entry::new("intent", intent),
            Record::Outcome(outcome) => Entry::new("outcome", outcome),
            other => {
                let whole = serde_json::to_value(other).map_err(|e| {
                    Problem::new(Class::Local, format!("A fact could not be written down: {e}."))
                })?;
                let kind = whole.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default();
                Entry::new(kind, &whole["data"])
            }
        })
        .collect()
}

/// Rows of a plan as stored: JSON, deflated, since rows repeat each other's words. Tens of thousands of unchanged rows
/// are worth keeping (N2), but not at their full length.
fn pack(rows: &[u8]) -> Result<Vec<u8>, Problem> {
    let unwritten = |error: &dyn std::fmt::Display| {
        Problem::new(Class::Local, format!("Rows of the plan could not be stored: {error}."))
    };
    // In one go: each write to the encoder clears all of its buffer first.
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut deflated, rows).map_err(|e| unwritten(&e))?;
    deflated.finish().map_err(|e| unwritten(&e))
}

fn unpack(bytes: &[u8]) -> Option<Vec<Change>> {
    // JSON of rows shrinks to about an eighth.
    let mut text = Vec::with_capacity(bytes.len() * 8);
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(bytes), &mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A line of the trail as a fact.
pub fn parse(kind: &str, data: serde_json::Value) -> Result<Record, serde_json::Error> {
    let mut whole = serde_json::Map::new();
    whole.insert("kind".into(), kind.into());
    whole.insert("data".into(), data);
    serde_json::from_value(whole.into())
}

fn read<T: DeserializeOwned>(bytes: &[u8], key: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|_| damaged(key))
}

fn damaged(key: &[u8]) -> Problem {
    Problem::new(
        Class::Local,
        format!(
            "The index holds something unreadable under '{}'.",
            String::from_utf8_lossy(key).escape_debug()
        ),
    )
    .remedy("Move the folder index/ aside: it is made again from the audit trail at the next start.")
}
