//! Which records a narrow plan is about: named by a person (P56, P72), left over from a job (P29), or all that wait with
//! one cause (P30).

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::planning::Spec;
use super::records::RowEnd;
use crate::engine::words::{JobReport, JobState, Which};
use crate::model::{Class, Entity, Integration, Problem, SourceId};
use crate::plan::{Action, Only, Purpose};

impl Engine {
    /// What a plan is narrowed to; `None`: nothing.
    ///
    /// # Errors
    /// `Input` where there is nothing to plan: no row failed, or a record is of nobody known.
    pub(super) fn only(&self, spec: &Spec) -> Result<Option<Only>, Problem> {
        match &spec.purpose {
            Purpose::Whole | Purpose::Undo { .. } => Ok(None),
            Purpose::Narrow { customers, records } => {
                self.chosen(spec.integration, customers, records).map(Some)
            }
            Purpose::Cause { kind, cause, aside } => {
                let which = Which::Cause { kind: kind.clone(), cause: cause.clone(), aside: *aside };
                let waiting = self.chosen_issues(spec.integration, &which)?;
                let mut only = Only { customers: BTreeSet::new(), records: Some(BTreeSet::new()) };
                for (_, issue) in waiting {
                    only.customers.insert(issue.customer);
                    only.records.get_or_insert_default().insert((issue.entity, issue.source.id));
                }
                Ok(Some(only))
            }
            Purpose::Retry { of } => {
                let left = self.left_over(&self.job(*of)?)?;
                if left.is_empty() {
                    let message = format!("{of} left nothing to try again: no row of it failed or is held.");
                    return Err(
                        Problem::new(Class::Input, message).remedy("`parhelion job show` says what it did.")
                    );
                }
                Ok(Some(Only {
                    customers: left.values().cloned().collect(),
                    records: Some(left.into_keys().collect()),
                }))
            }
        }
    }

    fn chosen(
        &self,
        integration: Integration,
        customers: &BTreeSet<SourceId>,
        records: &BTreeSet<SourceId>,
    ) -> Result<Only, Problem> {
        if records.is_empty() {
            return Ok(Only { customers: customers.clone(), records: None });
        }
        let mut only = Only { customers: customers.clone(), records: Some(BTreeSet::new()) };
        for id in records {
            // One number may be a customer's and a subscription's: both are meant then.
            for entity in integration.entities() {
                only.records.get_or_insert_default().insert((*entity, id.clone()));
            }
            if !customers.is_empty() {
                continue;
            }
            let mut parent = None;
            for entity in integration.entities() {
                let link = self.book.link(integration, *entity, id)?;
                parent = link.map(|link| link.parent.unwrap_or_else(|| id.clone())).or(parent);
            }
            let Some(parent) = parent else {
                let message = format!("Whose record {id} is, is not known: it is not linked yet.");
                return Err(
                    Problem::new(Class::Input, message).remedy("Name its customer too: --customer ID.")
                );
            };
            only.customers.insert(parent);
        }
        Ok(only)
    }

    /// The rows of a job that failed or are held, each with its customer at the source.
    pub fn left_over(&self, report: &JobReport) -> Result<BTreeMap<(Entity, SourceId), SourceId>, Problem> {
        let of = report.job;
        if matches!(report.state, JobState::Running | JobState::Interrupted) {
            return Err(Problem::new(
                Class::Input,
                format!("{of} is {}: it is not over yet.", report.state.word()),
            )
            .remedy(format!("`parhelion job resume {of}` goes on with what is left of it.")));
        }
        let mut left = BTreeMap::new();
        let stored = report.plan.map(|plan| self.book.plan(plan)).transpose()?.flatten();
        let Some(plan) = stored else {
            // The plan is not kept for ever; the report names what it could hold.
            for problem in &report.problems {
                let id = &problem.source.id;
                let link = self.book.link(report.integration, problem.entity, id)?;
                let customer = link.and_then(|link| link.parent).unwrap_or_else(|| id.clone());
                left.insert((problem.entity, id.clone()), customer);
            }
            return Ok(left);
        };
        let ended = self.book.rows(of)?;
        self.book.each_plan_row(&plan, |change| {
            let is_left = match ended.get(&change.row).map(|state| state.end) {
                Some(end) => matches!(end, RowEnd::Failed | RowEnd::Held),
                None => change.action == Action::Held,
            };
            if is_left {
                let customer = change.customer.unwrap_or_else(|| change.source.clone());
                left.insert((change.entity, change.source.id), customer.id);
            }
            Ok(())
        })?;
        Ok(left)
    }

    /// A plan of what is left of a job, or of what takes it back, in that job's own terms.
    ///
    /// # Errors
    /// `Input` where there is nothing to try again or to take back.
    pub fn spec_of(&self, purpose: Purpose) -> Result<Spec, Problem> {
        let (Purpose::Retry { of } | Purpose::Undo { of }) = purpose else {
            return Err(Problem::new(Class::Input, "Such a plan is not of a job."));
        };
        let report = self.job(of)?;
        let scheduled = report.scheduled && matches!(purpose, Purpose::Retry { .. });
        let spec = Spec {
            integration: report.integration,
            entities: report.entities,
            scheduled,
            allow_removals: false,
            purpose,
        };
        // What is not possible is said at once, not by a job.
        match spec.purpose {
            Purpose::Undo { of } => drop(self.deeds(of)?),
            _ => drop(self.only(&spec)?),
        }
        Ok(spec)
    }
}
