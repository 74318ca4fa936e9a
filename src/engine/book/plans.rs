//! Stored plans: a header, and the rows in pieces.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::{BATCH, Book, CHUNK, damaged, read};
use crate::engine::glance::Glance;
use crate::engine::keys;
use crate::model::{Class, PlanId, Problem};
use crate::plan::{Change, Plan, Seal};
use crate::store::Op;

impl Book {
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
            if ops.len() >= BATCH {
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
                let page = self.scan(&prefix, None, BATCH)?;
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
        self.chunk(plan, chunk)?.ok_or_else(|| not_whole(plan))
    }

    fn chunk(&self, plan: PlanId, chunk: u32) -> Result<Option<Vec<Change>>, Problem> {
        self.piece(plan, chunk)?.map(|piece| piece.rows()).transpose()
    }

    fn piece(&self, plan: PlanId, chunk: u32) -> Result<Option<Piece>, Problem> {
        let key = keys::plan_chunk(plan, chunk);
        match self.value(&key)? {
            None => Ok(None),
            Some(first) => match unpack(&self.join(&key, &first)?) {
                Some(text) => Ok(Some(Piece { key, text })),
                None => Err(damaged(&key)),
            },
        }
    }

    /// Every stored piece of a plan, unopened.
    pub fn each_plan_piece(
        &self,
        plan: &Plan,
        mut with: impl FnMut(u32, &Piece) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        for chunk in 0..plan.rows.div_ceil(CHUNK) {
            with(chunk, &self.piece(plan.id, chunk)?.ok_or_else(|| not_whole(plan.id))?)?;
        }
        Ok(())
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

/// Some rows of a plan as JSON.
pub struct Piece {
    key: Vec<u8>,
    text: Vec<u8>,
}

impl Piece {
    /// Its rows, whole.
    pub fn rows(&self) -> Result<Vec<Change>, Problem> {
        self.read()
    }

    /// Its rows, as far as their turn.
    pub fn glances(&self) -> Result<Vec<Glance>, Problem> {
        self.read()
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read(&self.text, &self.key)
    }
}

fn not_whole(plan: PlanId) -> Problem {
    Problem::new(Class::Local, format!("Plan {plan} is not whole.")).remedy("Build it again.")
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    // JSON of rows shrinks to about an eighth.
    let mut text = Vec::with_capacity(bytes.len() * 8);
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(bytes), &mut text).ok()?;
    Some(text)
}
