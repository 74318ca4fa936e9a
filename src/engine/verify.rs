//! Reading back what was written: every billable record, and whether two answer to one marker (sync-engine 3, 7.6).

use std::collections::HashMap;

use super::apply::{Apply, Halt};
use super::fresh::LIST_FROM;
use super::log::safe;
use super::records::{Outcome, Record, RowEnd};
use crate::engine::words::{Level, Phase};
use crate::model::{Class, Entity, Found, Problem, TargetId, Value, marker};
use crate::plan::{Action, Change, holds};

impl Apply {
    /// Reads every licence that this job wrote. A value that did not stick fails its row; nothing is written here.
    pub async fn verify(&self) -> Result<(), Halt> {
        // The rows are gone through twice, a piece at a time, so that a large import costs no memory here.
        let mut ids = Vec::new();
        self.each_written(|_, _, id| ids.push(id)).map_err(Halt::Trouble)?;
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
        self.each_written(|change, action, id| {
            let trouble = match there.get(&id) {
                None if complete => Some("Halo no longer has it".to_owned()),
                None => None,
                Some(found) => change
                    .fields
                    .iter()
                    .filter(|f| f.after.is_some())
                    .find(|f| !holds(found, f.name, f.after.as_ref()))
                    .map(|f| {
                        let now =
                            found.fields.get(f.name).map_or_else(|| "blank".to_owned(), Value::to_string);
                        format!("{} did not stick: Halo says {now}", f.name)
                    }),
            };
            troubled.extend(trouble.map(|trouble| (change, action, trouble)));
        })
        .map_err(Halt::Trouble)?;
        for (change, action, trouble) in troubled {
            self.not_stuck(&change, action, trouble)?;
        }
        self.audit(&there);
        Ok(())
    }

    /// Every row of this job that wrote a licence, with what it did and to which.
    fn each_written(&self, mut with: impl FnMut(Change, Action, TargetId)) -> Result<(), Problem> {
        let book = &self.engine.book;
        let ended = book.rows(self.job)?;
        book.each_plan_row(&self.plan, |change| {
            let done = ended.get(&change.row).is_some_and(|state| state.end == RowEnd::Done);
            if change.entity != Entity::Subscriptions || !done || change.values().is_empty() {
                return Ok(());
            }
            let action = self.acts(&change).unwrap_or(Action::Update);
            let linked = || book.link(self.plan.integration, change.entity, &change.source.id);
            let target = match &change.target {
                Some(target) => Some(target.id.clone()),
                None => linked()?.map(|link| link.target),
            };
            if let Some(target) = target {
                with(change, action, target);
            }
            Ok(())
        })
    }

    async fn read_back(&self, ids: &[TargetId]) -> Result<(HashMap<TargetId, Found>, bool), Problem> {
        if (ids.len() as u64) < LIST_FROM {
            let mut there = HashMap::new();
            for id in ids {
                if let Some(found) = self.halo.licence(id).await? {
                    there.insert(id.clone(), found);
                }
            }
            return Ok((there, true));
        }
        let say = |done: u64, of: Option<u64>| {
            self.tally.phase(Phase::Reading { what: "what was written".into(), done, of });
        };
        let listing = self.halo.licences(&say).await?;
        let complete = listing.certificate.complete;
        Ok((listing.records.into_iter().map(|f| (f.id.clone(), f)).collect(), complete))
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
    fn audit(&self, there: &HashMap<TargetId, Found>) {
        let mut marked: HashMap<&str, Vec<&TargetId>> = HashMap::new();
        for found in there.values() {
            if let Some(mark) = found.marker.as_deref().filter(|m| marker::is_marker(m)) {
                marked.entry(mark).or_default().push(&found.id);
            }
        }
        let mut doubled: Vec<_> = marked.into_values().filter(|ids| ids.len() > 1).collect();
        doubled.sort();
        for mut ids in doubled {
            ids.sort();
            let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
            self.note(format!(
                "licences {} carry one marker: look at them in Halo and keep one",
                ids.join(" and ")
            ));
        }
    }
}
