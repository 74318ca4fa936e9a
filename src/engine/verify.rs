//! Reading back what was written: every billable record, and whether two answer to one marker (sync-engine 3, 7.6).

use std::collections::{BTreeMap, BTreeSet};

use super::apply::{Apply, Halt};
use super::fresh::LIST_FROM;
use super::log::safe;
use super::records::{Outcome, Record, RowEnd};
use crate::engine::words::{Level, Phase};
use crate::model::asset::is_unlisted;
use crate::model::pile::Gathered;
use crate::model::{Class, Entity, Found, PackedList, Problem, TargetId, Value};
use crate::plan::{Action, Change, holds};

impl Apply {
    /// Reads every record of a customer that this job wrote. A value that did not stick fails its row; nothing is written here.
    pub async fn verify(&self) -> Result<(), Halt> {
        // The rows are gone through twice, a piece at a time, so that a large import costs no memory here; the first
        // time only to see whether they are many.
        let mut done = BTreeSet::new();
        let book = &self.engine.book;
        book.each_row(self.job, |row, state| {
            if state.end == RowEnd::Done {
                done.insert(row);
            } else {
                done.remove(&row);
            }
        })
        .map_err(Halt::Trouble)?;
        let mut ids = Vec::new();
        let many = |ids: &Vec<Key>| ids.len() as u64 >= LIST_FROM;
        self.each_written(&done, |change, _, id| {
            ids.push((change.entity, id));
            !many(&ids)
        })
        .map_err(Halt::Trouble)?;
        if ids.is_empty() {
            return Ok(());
        }
        let (there, complete) = match self.read_back(&ids).await {
            Ok(read) => read,
            Err(problem) if problem.class == Class::Auth => return Err(Halt::Trouble(problem)),
            Err(problem) => {
                self.note(format!("what was written could not be read back: {}", safe(&problem.to_string())));
                return Ok(());
            }
        };
        let mut troubled = Vec::new();
        let by_one = !many(&ids);
        self.each_written(&done, |change, action, id| {
            let label = self.plan.integration.target(change.entity).label();
            let trouble = match there.get(change.entity, &id) {
                None if complete => Some(format!("{label} no longer has it")),
                None => None,
                Some(found) => change
                    .fields
                    .iter()
                    .filter(|f| f.after.is_some() && (by_one || !is_unlisted(f.name)))
                    .find(|f| !holds(&found, f.name, f.after.as_ref()))
                    .map(|f| {
                        let now =
                            found.fields.get(f.name).map_or_else(|| "blank".to_owned(), Value::to_string);
                        format!("{} did not stick: {label} says {now}", f.name)
                    }),
            };
            troubled.extend(trouble.map(|trouble| (change, action, trouble)));
            true
        })
        .map_err(Halt::Trouble)?;
        for (change, action, trouble) in troubled {
            self.not_stuck(&change, action, trouble)?;
        }
        self.audit(&there);
        self.pushed_once(&done).await;
        Ok(())
    }

    /// Each environment that was made must be the only one of its name (apis/liongard.md 8.6): whether Liongard refuses a
    /// second one nobody says, so two are looked for and never deleted.
    async fn pushed_once(&self, done: &BTreeSet<u32>) {
        if !self.wrote(Entity::Push) {
            return;
        }
        let mut names: Vec<String> = Vec::new();
        let read = self.each_written(done, |change, _, _| {
            names.extend((change.entity == Entity::Push).then(|| change.source.name.trim().to_owned()));
            true
        });
        if read.is_err() || names.is_empty() {
            return;
        }
        match self.target(Entity::Push).list(Entity::Push, &|_, _| {}).await {
            Ok(all) => {
                for name in names {
                    let same: Vec<String> = all
                        .records
                        .iter()
                        .filter(|found| found.name.trim().eq_ignore_ascii_case(&name))
                        .map(|found| found.id.to_string())
                        .collect();
                    if same.len() > 1 {
                        self.note(format!(
                            "environments {} in Liongard are all called '{}': look at them and keep one",
                            same.join(", "),
                            safe(&name)
                        ));
                    }
                }
            }
            Err(problem) => {
                let why = safe(&problem.to_string());
                self.note(format!(
                    "whether the new environments are the only ones of their names is not known: {why}"
                ));
            }
        }
    }

    /// Every row of this job that is done and wrote a record of a customer, with what it did and to which, for as long as
    /// that is `true`.
    fn each_written(
        &self,
        done: &BTreeSet<u32>,
        mut goes_on: impl FnMut(Change, Action, TargetId) -> bool,
    ) -> Result<(), Problem> {
        let book = &self.engine.book;
        book.plan_rows_while(&self.plan, |change| {
            // What is made for others shows in them. What is written here is not asked of anybody.
            let is_line = self.plan.entities.contains(&change.entity)
                && change.entity != self.plan.integration.root()
                && !self.plan.integration.target(change.entity).is_here();
            if !is_line || !done.contains(&change.row) || change.values().is_empty() {
                return Ok(true);
            }
            let action = self.acts(&change).unwrap_or(Action::Update);
            let linked = || book.linked(self.plan.integration, change.entity, &change.source.id);
            let target = match &change.target {
                Some(target) => Some(target.id.clone()),
                None => linked()?,
            };
            Ok(target.is_none_or(|target| goes_on(change, action, target)))
        })
    }

    async fn read_back(&self, ids: &[Key]) -> Result<(There, bool), Problem> {
        let mut there = There::default();
        // A list of assets carries neither dates nor notes, one of customers none of their own fields: each is read by
        // itself.
        let is_unlisted = |(entity, _): &Key| matches!(entity, Entity::Warranty | Entity::CompanyUrls);
        if (ids.len() as u64) < LIST_FROM || ids.iter().all(is_unlisted) {
            let mut some: BTreeMap<Entity, Gathered<Found>> = BTreeMap::new();
            let related: BTreeSet<Entity> =
                ids.iter().map(|(entity, _)| *entity).filter(|entity| *entity == Entity::Relations).collect();
            for entity in related {
                // None can be read by itself.
                let listing = self.target(entity).list(entity, &|_, _| {}).await?;
                there.0.insert(entity, listing.records);
            }
            for (entity, id) in ids.iter().filter(|(entity, _)| *entity != Entity::Relations) {
                if let Some(found) = self.target(*entity).record(*entity, id).await? {
                    some.entry(*entity).or_default().push(&found);
                }
            }
            there.0.extend(some.into_iter().map(|(entity, found)| (entity, found.sorted())));
            return Ok((there, true));
        }
        let say = |done: u64, of: Option<u64>| {
            self.tally.phase(Phase::Reading { what: "what was written".into(), done, of });
        };
        let mut complete = true;
        for entity in self.plan.entities.iter().copied().filter(|entity| self.wrote(*entity)) {
            let listing = self.target(entity).list(entity, &say).await?;
            complete &= listing.certificate.complete;
            there.0.insert(entity, listing.records);
        }
        Ok((there, complete))
    }

    /// Whether rows of customers' records of this kind may have been written.
    fn wrote(&self, entity: Entity) -> bool {
        let planned = self.plan.outline.by_entity.get(&entity).copied().unwrap_or_default();
        let is_outside = !self.plan.integration.target(entity).is_here();
        is_outside && entity != self.plan.integration.root() && planned.acting() + planned.held > 0
    }

    fn not_stuck(&self, change: &Change, action: Action, trouble: String) -> Result<(), Halt> {
        self.tally.failed_after(change, action, trouble.clone());
        self.say(change, Level::Error, '!', &format!("failed: {trouble}"));
        let outcome = Outcome {
            end: Some(RowEnd::Failed),
            message: trouble,
            class: Some(Class::Record),
            closes: false,
            ..self.outcome(&change.source.id, change)
        };
        self.engine.book.record_soon(&[Record::Outcome(Box::new(outcome))]).map_err(Halt::Trouble)
    }

    /// Two records with one marker are never billed on in silence, and never removed by us (invariant 5).
    fn audit(&self, there: &There) {
        for (entity, found) in &there.0 {
            for ids in found.doubled() {
                self.note(format!(
                    "{}s {} carry one marker: look at them in {} and keep one",
                    entity.record(),
                    ids.join(" and "),
                    self.plan.integration.target(*entity).label()
                ));
            }
        }
    }
}

/// What was read back: looked up where it lies, since it may be all that the target has.
#[derive(Default)]
struct There(BTreeMap<Entity, PackedList<Found>>);

impl There {
    fn get(&self, entity: Entity, id: &TargetId) -> Option<Found> {
        self.0.get(&entity)?.find(id.as_str())
    }
}

/// A record at the target.
type Key = (Entity, TargetId);
