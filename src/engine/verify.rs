//! Reading back what was written: every billable record, and whether two answer to one marker (sync-engine 3, 7.6).

use std::collections::HashMap;

use super::apply::{Apply, Halt};
use super::fresh::LIST_FROM;
use super::log::safe;
use super::records::{Outcome, Record, RowEnd};
use crate::engine::words::{Level, Phase};
use crate::model::asset::is_unlisted;
use crate::model::{Class, Entity, Found, Problem, TargetId, Value, marker};
use crate::plan::{Action, Change, holds};

impl Apply {
    /// Reads every record of a customer that this job wrote. A value that did not stick fails its row; nothing is written here.
    pub async fn verify(&self) -> Result<(), Halt> {
        // The rows are gone through twice, a piece at a time, so that a large import costs no memory here; the first
        // time only to see whether they are many.
        let mut ids = Vec::new();
        let many = |ids: &Vec<Key>| ids.len() as u64 >= LIST_FROM;
        self.each_written(|change, _, id| {
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
        self.each_written(|change, action, id| {
            let label = self.plan.integration.target(change.entity).label();
            let trouble = match there.get(&(change.entity, id)) {
                None if complete => Some(format!("{label} no longer has it")),
                None => None,
                Some(found) => change
                    .fields
                    .iter()
                    .filter(|f| f.after.is_some() && (by_one || !is_unlisted(f.name)))
                    .find(|f| !holds(found, f.name, f.after.as_ref()))
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
        Ok(())
    }

    /// Every row of this job that wrote a record of a customer, with what it did and to which, for as long as that is
    /// `true`.
    fn each_written(&self, mut goes_on: impl FnMut(Change, Action, TargetId) -> bool) -> Result<(), Problem> {
        let book = &self.engine.book;
        let ended = book.rows(self.job)?;
        book.plan_rows_while(&self.plan, |change| {
            let done = ended.get(&change.row).is_some_and(|state| state.end == RowEnd::Done);
            // What is made for others shows in them. What is written here is not asked of anybody.
            let is_line = self.plan.entities.contains(&change.entity)
                && change.entity != self.plan.integration.root()
                && !self.plan.integration.target(change.entity).is_here();
            if !is_line || !done || change.values().is_empty() {
                return Ok(true);
            }
            let action = self.acts(&change).unwrap_or(Action::Update);
            let linked = || book.link(self.plan.integration, change.entity, &change.source.id);
            let target = match &change.target {
                Some(target) => Some(target.id.clone()),
                None => linked()?.map(|link| link.target),
            };
            Ok(target.is_none_or(|target| goes_on(change, action, target)))
        })
    }

    async fn read_back(&self, ids: &[Key]) -> Result<(HashMap<Key, Found>, bool), Problem> {
        let mut there = HashMap::new();
        // A list of assets carries neither dates nor notes: each is read by itself.
        if (ids.len() as u64) < LIST_FROM || ids.iter().all(|(entity, _)| *entity == Entity::Warranty) {
            for (entity, id) in ids {
                if let Some(found) = self.target(*entity).record(*entity, id).await? {
                    there.insert((*entity, id.clone()), found);
                }
            }
            return Ok((there, true));
        }
        let say = |done: u64, of: Option<u64>| {
            self.tally.phase(Phase::Reading { what: "what was written".into(), done, of });
        };
        let mut complete = true;
        for entity in self.plan.entities.iter().copied().filter(|entity| self.wrote(*entity)) {
            let listing = self.target(entity).list(entity, &say).await?;
            complete &= listing.certificate.complete;
            there.extend(listing.records.into_iter().map(|f| ((entity, f.id.clone()), f)));
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
    fn audit(&self, there: &HashMap<Key, Found>) {
        let mut marked: HashMap<(Entity, &str), Vec<&TargetId>> = HashMap::new();
        for ((entity, id), found) in there {
            if let Some(mark) = found.marker.as_deref().filter(|m| marker::is_marker(m)) {
                marked.entry((*entity, mark)).or_default().push(id);
            }
        }
        let mut doubled: Vec<_> =
            marked.into_iter().filter(|(_, ids)| ids.len() > 1).map(|((e, _), ids)| (e, ids)).collect();
        doubled.sort();
        for (entity, mut ids) in doubled {
            ids.sort();
            let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
            self.note(format!(
                "{}s {} carry one marker: look at them in {} and keep one",
                entity.record(),
                ids.join(" and "),
                self.plan.integration.target(entity).label()
            ));
        }
    }
}

/// A record at the target.
type Key = (Entity, TargetId);
