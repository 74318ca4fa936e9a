//! Whether the target still is as the plan saw it: rows whose target changed since are held, the others go on (P2).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use super::target::Target;
use crate::model::asset::is_unlisted;
use crate::model::{Entity, FieldName, Found, PackedList, Problem, TargetId, Value, marker};
use crate::plan::{Change, Plan, Snapshot, holds};

/// From this many rows on, one listing is cheaper than a look at each record.
pub const LIST_FROM: u64 = 60;

/// What a look before a write found.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// As planned. For a create: the records of that name that are there already.
    AsPlanned(Vec<TargetId>),
    /// It holds what would be written already.
    Already,
    /// A record with our marker for this very key is there.
    Ours(TargetId),
    Changed(String),
}

/// How rows are checked, and which records of a name there are.
pub struct Freshness {
    mode: Mode,
    /// The newest ids at the target when the plan was made.
    seen_up_to: HashMap<Entity, i64>,
    names: Mutex<Names>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The plan was made a moment ago, by this job.
    Trusted,
    /// Each record is looked at before it is written.
    Each,
    /// Both lists were read just now.
    Listed,
}

#[derive(Default)]
struct Names {
    /// Records by the hash of entity, customer and exact name, numbered within it: a large import makes hundreds of
    /// thousands. Customers lie under no customer.
    by_name: BTreeMap<(u64, u32), Known>,
    /// The target's lists.
    listed: HashMap<Entity, PackedList<Found>>,
    read: HashSet<(Entity, TargetId)>,
}

#[derive(Clone)]
struct Known {
    id: TargetId,
    /// The hash of what stands in its marker's field.
    mark: u64,
    /// Whether that is a marker, ours or another installation's.
    is_marked: bool,
}

impl Known {
    fn new(id: &TargetId, marker: &str) -> Self {
        let marker = marker.trim();
        Self { id: id.clone(), mark: hash(marker), is_marked: marker::is_marker(marker) }
    }
}

/// What stands for a text that is only ever compared.
fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn name_key(entity: Entity, customer: Option<&TargetId>, name: &str) -> u64 {
    hash((entity, customer, name.trim()))
}

impl Names {
    /// The records of a name, in the order they became known.
    fn of(&self, key: u64) -> impl Iterator<Item = &Known> {
        self.by_name.range((key, 0)..=(key, u32::MAX)).map(|(_, known)| known)
    }

    fn add(&mut self, key: u64, known: Known) {
        let number = self.of(key).count() as u32;
        self.by_name.insert((key, number), known);
    }
}

impl Freshness {
    /// For a plan that this job has just made: nothing is read again.
    pub fn trusted(plan: &Plan, snapshot: &Snapshot) -> Self {
        let fresh = Self::new(plan, Mode::Trusted);
        fresh.learn(plan.integration.root(), snapshot.partners.iter().cloned());
        for (entity, lines) in &snapshot.lines {
            fresh.learn(*entity, lines.found.iter());
        }
        fresh
    }

    /// For a stored plan with few rows.
    pub fn each(plan: &Plan) -> Self {
        Self::new(plan, Mode::Each)
    }

    /// For a stored plan with many rows: the target's lists as they are now.
    pub fn listed(plan: &Plan, lists: Vec<(Entity, PackedList<Found>)>) -> Self {
        let fresh = Self::new(plan, Mode::Listed);
        for (entity, found) in &lists {
            fresh.learn(*entity, found.iter());
        }
        fresh.with(|names| names.listed = lists.into_iter().collect());
        fresh
    }

    fn new(plan: &Plan, mode: Mode) -> Self {
        let seen_up_to = plan.seen_up_to.iter().map(|(entity, id)| (*entity, *id)).collect();
        Self { mode, seen_up_to, names: Mutex::default() }
    }

    /// Whether the plan was made a moment ago, by this job.
    pub fn is_trusted(&self) -> bool {
        self.mode == Mode::Trusted
    }

    fn with<T>(&self, f: impl FnOnce(&mut Names) -> T) -> T {
        f(&mut self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn learn(&self, entity: Entity, found: impl IntoIterator<Item = Found>) {
        self.with(|names| {
            for f in found {
                let key = name_key(entity, f.parent.as_ref(), &f.name);
                if !names.of(key).any(|known| known.id == f.id) {
                    names.add(key, Known::new(&f.id, f.marker.as_deref().unwrap_or_default()));
                }
            }
        });
    }

    /// A record that this job made is there for the next of that name.
    pub fn made(&self, entity: Entity, customer: Option<&TargetId>, name: &str, id: &TargetId, marker: &str) {
        self.with(|names| names.add(name_key(entity, customer, name), Known::new(id, marker)));
    }

    /// Before a create: is there one already?
    ///
    /// # Errors
    /// When the look-up failed: then nothing is created (invariant 43).
    pub async fn before_create(
        &self,
        target: &Target,
        change: &Change,
        customer: Option<&TargetId>,
        marker: &str,
    ) -> Result<Look, Problem> {
        let entity = change.entity;
        if self.mode == Mode::Each {
            let read = customer.map(|customer| (entity, customer.clone()));
            if !read.as_ref().is_some_and(|read| self.with(|names| names.read.contains(read))) {
                let near = Box::pin(target.near(entity, customer, &change.source.name)).await?;
                self.learn(entity, near);
                if let Some(read) = read {
                    self.with(|names| names.read.insert(read));
                }
            }
        }
        let key = name_key(entity, customer, &change.source.name);
        let known: Vec<Known> = self.with(|names| names.of(key).cloned().collect());
        let mark = hash(marker);
        if let Some(ours) = known.iter().find(|known| !marker.is_empty() && known.mark == mark) {
            return Ok(Look::Ours(ours.id.clone()));
        }
        let seen = self.seen_up_to.get(&change.entity).copied().unwrap_or(i64::MAX);
        let newer = known.iter().find(|k| k.id.number().is_some_and(|id| id > seen) && !k.is_marked);
        if let Some(newer) = newer
            && self.mode != Mode::Trusted
        {
            return Ok(Look::Changed(format!(
                "{} has had a {} of this name since the plan was made (id {}); plan again",
                target.place().label(),
                entity.record(),
                newer.id
            )));
        }
        Ok(Look::AsPlanned(known.into_iter().map(|k| k.id).collect()))
    }

    /// Before a set: does the target still hold what the plan saw?
    pub async fn before_set(&self, at: &Target, change: &Change) -> Result<Look, Problem> {
        let Some(target) = &change.target else { return Ok(Look::AsPlanned(Vec::new())) };
        let found = match self.mode {
            Mode::Trusted => return Ok(Look::AsPlanned(Vec::new())),
            // No list carries them.
            Mode::Listed if change.entity == Entity::PushFlags => {
                Box::pin(at.record(change.entity, &target.id)).await?
            }
            Mode::Listed => self.with(|names| names.listed.get(&change.entity)?.find(target.id.as_str())),
            Mode::Each => Box::pin(at.record(change.entity, &target.id)).await?,
        };
        let there = at.place().label();
        let Some(mut found) = found else {
            return Ok(Look::Changed(format!("it is no longer in {there}; plan again")));
        };
        // A site that a person chose is not the one that a customer's details tell of (P18).
        if let (Mode::Each, Some(site)) = (self.mode, &change.site)
            && change.fields.iter().any(|f| f.name == FieldName::MainSiteAddress)
            && found.main_site.as_ref() != Some(site)
            && let Some(address) = Box::pin(at.site_address(site)).await?
        {
            found.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(address)));
        }
        let comparable = || {
            change.fields.iter().filter(|f| {
                // A list of customers does not carry addresses; the plan's own reading stands.
                f.after.is_some()
                    && (self.mode == Mode::Each || !is_unlisted(f.name))
                    && (self.mode == Mode::Each || f.name != FieldName::MainSiteAddress)
            })
        };
        if comparable().count() > 0
            && comparable().all(|f| holds(&found, f.name, f.after.as_ref()))
            && change.fields.iter().all(|f| f.name != FieldName::MainSiteAddress)
        {
            return Ok(Look::Already);
        }
        // What it is to hold may be there in part: of a row of two writes the first may be done.
        let moved = |f: &&crate::plan::FieldChange| {
            !holds(&found, f.name, f.before.as_ref()) && !holds(&found, f.name, f.after.as_ref())
        };
        match comparable().find(moved) {
            None => Ok(Look::AsPlanned(Vec::new())),
            Some(f) => Ok(Look::Changed(format!(
                "its {} changed in {there} since the plan was made ({} is now {}); plan again",
                f.name,
                shown(f.before.as_ref()),
                shown(found.fields.get(f.name)),
            ))),
        }
    }
}

fn shown(value: Option<&crate::model::Value>) -> String {
    value.map_or_else(|| "blank".into(), ToString::to_string)
}
