//! What survives, in the words of the engine: typed reads of the index, and the one way to write it.
//!
//! [`Book::record`] puts facts into the trail first and into the index after. What only the index holds (caches of
//! listings, stored plans, counters) can be made again from the other systems.

mod group;
mod plans;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use tokio::sync::{RwLock, RwLockWriteGuard};

use group::{Group, Open, Waiting};
pub use plans::Piece;

use super::customers::HaloCard;
use super::keys;
use super::records::{Aside, Edit, FieldStep, Intent, KeptIssue, Ordered, Record, RowEnd, RowState};
use crate::engine::words::{Choices, JobReport, Past};
use crate::model::settings::Settings;
use crate::model::{
    Class, Date, Decision, Entity, Installation, Integration, JobId, Link, OccurrenceId, Problem, Slot,
    SourceId, TargetId,
};
use crate::plan::snapshot::Last;
use crate::store::{Entry, Index, Op, Trail};

/// Rows of a plan in one stored piece.
pub const CHUNK: u32 = 32;
/// How far behind the noted place replay starts: records that were being written side by side may have reached the
/// index out of order.
const REPLAY_MARGIN: u64 = 4096;
const PAGE: usize = 1024;
/// Changes in a batch that need not be one: the index keeps what each replaced until the batch ends.
const BATCH: usize = 128;
/// Changes that are written to the index together: so many, or so many bytes of them.
const GROUP: usize = 512;
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
            open.insert(key, Open::found(intent));
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
            if ops.len() >= BATCH {
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
        for group in ops.chunks(BATCH) {
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
                let written = index.write_changes(&group);
                let mut state = waiting.state();
                state.failed = written.err();
                state.under_way = None;
                waiting.done.notify_all();
            });
            return Ok(());
        }
        // A disk that cannot follow slows the job down; memory does not grow.
        let is_too_much = state.fresh.len() >= 128 * GROUP || state.bytes >= MOST_BYTES;
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
        if changes.is_empty() { Ok(()) } else { self.index.write_changes(&changes) }
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

    /// The target of a record's link: what most ask of it, read without the rest.
    pub fn linked(
        &self,
        of: Integration,
        entity: Entity,
        id: &SourceId,
    ) -> Result<Option<TargetId>, Problem> {
        #[derive(serde::Deserialize)]
        struct Target {
            target: TargetId,
        }
        Ok(self.get_big::<Target>(&keys::link(of, entity, id))?.map(|link| link.target))
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
        self.waiting.state().open.values().map(|open| Intent::clone(&open.intent)).collect()
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

    /// Every row of a job that is over.
    pub fn rows(&self, job: JobId) -> Result<BTreeMap<u32, RowState>, Problem> {
        let mut rows = BTreeMap::new();
        self.each_row(job, |row, state| drop(rows.insert(row, state)))?;
        Ok(rows)
    }

    /// The same one by one. A row may come twice: what comes later counts.
    pub fn each_row(&self, job: JobId, mut with: impl FnMut(u32, RowState)) -> Result<(), Problem> {
        self.each(&keys::stretches(job), |rest, last| {
            if let Ok(first) = <[u8; 4]>::try_from(rest) {
                for row in u32::from_be_bytes(first)..=read::<u32>(&last, rest)? {
                    with(row, RowState { end: RowEnd::Done, message: String::new(), class: None });
                }
            }
            Ok(())
        })?;
        self.each_big(&keys::rows(job), |rest, state| {
            if let Ok(number) = <[u8; 4]>::try_from(rest) {
                with(u32::from_be_bytes(number), state);
            }
            Ok(())
        })
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
