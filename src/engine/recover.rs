//! What became of requests without an answer: found out before anything new is written (sync-engine 5.3, 7.4).

use std::sync::Arc;
use std::time::Duration;

use super::apply::{Halt, duplicate};
use super::control::Control;
use super::records::{Intent, Ordered, Outcome, QuantityChange, Record, RowEnd, Write};
use super::target::{Fate, Target};
use super::undo::worth_keeping;
use super::{Engine, Step};
use crate::engine::words::{JobReport, JobState};
use crate::model::{Class, FieldName, Place, Problem, Value};

impl Engine {
    /// A job that was running when the process ended is interrupted: it waits for `resume` or `cancel`.
    pub(super) fn interrupt_orphans(&self) -> Result<(), Problem> {
        for (mut report, choices, policy) in self.book.jobs(50)? {
            if report.state == JobState::Running {
                // An order to cancel outlives the process that was to carry it out (invariant 30).
                report.state = match self.book.wish(report.job)? {
                    Some(Ordered::Cancel) => JobState::Cancelled,
                    _ => JobState::Interrupted,
                };
                self.count_rows(&mut report)?;
                if report.state == JobState::Cancelled {
                    report.finished = Some(self.world.now());
                    report.totals.not_done =
                        report.stages.iter().map(|stage| stage.total - stage.done.min(stage.total)).sum();
                }
                self.book.put_job(&report, &choices, policy)?;
            }
        }
        Ok(())
    }

    /// Every open intent at this target, resolved: done, or proven absent. "Not there" counts only after a full settle time from now,
    /// since clocks may have moved while no one looked. What stays unclear stays open, and its key is left alone.
    pub async fn resolve_open(
        self: &Arc<Self>,
        target: &Target,
        control: &Control,
        say: impl Fn(String) + Send + Sync,
    ) -> Result<(), Halt> {
        let open = self.open_at(target.place());
        if open.is_empty() {
            return Ok(());
        }
        say(format!(
            "{} requests had no answer when the last job ended; finding out what became of them",
            open.len()
        ));
        let unsettled = self.look(target, control, &say, open, !self.protocol.settle).await?;
        if unsettled.is_empty() {
            return Ok(());
        }
        let since = self.world.now();
        let settle = self.settle();
        let mut left = settle;
        while !left.is_zero() {
            say(format!("waiting {} s for them to settle", left.as_secs()));
            tokio::select! {
                () = tokio::time::sleep(left.min(Duration::from_secs(10))) => {}
                () = control.ended() => return Err(Halt::Asked),
            }
            let passed = self.world.now().duration_since(since).unsigned_abs();
            left = settle.saturating_sub(passed);
        }
        self.look(target, control, &say, unsettled, true).await?;
        Ok(())
    }

    /// Requests to this place whose fate is not known.
    pub(super) fn open_at(&self, place: Place) -> Vec<Intent> {
        let mut open = self.book.open_intents();
        open.retain(|intent| intent.integration.target(intent.entity) == place);
        open
    }

    /// Reads back what became of each; before its settle time is over, only what was found is settled. Answers the rest.
    async fn look(
        &self,
        target: &Target,
        control: &Control,
        say: &(impl Fn(String) + Send + Sync),
        open: Vec<Intent>,
        settled: bool,
    ) -> Result<Vec<Intent>, Halt> {
        let mut rest = Vec::new();
        for intent in open {
            if !control.may_go().await {
                return Err(Halt::Asked);
            }
            let fate = target.fate(&intent.write).await.map_err(Halt::Trouble)?;
            if !settled && matches!(fate, Fate::Absent | Fate::Changed(_)) {
                rest.push(intent);
                continue;
            }
            let outcome = self.outcome_of(&intent, fate).map_err(Halt::Trouble)?;
            say(format!("{} {}: {}", intent.entity.singular(), intent.source, told(&outcome)));
            self.book.record(&[Record::Outcome(Box::new(outcome))]).await.map_err(Halt::Trouble)?;
            self.step(Step::Settled).await;
        }
        Ok(rest)
    }

    /// A create that was carried out ends its row here, with its link. A set only closes: its row looks at Halo again
    /// and finds its values there.
    fn outcome_of(&self, intent: &Intent, fate: Fate) -> Result<Outcome, Problem> {
        let mut outcome = Outcome {
            job: intent.job,
            row: intent.row,
            integration: intent.integration,
            entity: intent.entity,
            source: intent.source.clone(),
            closes: true,
            end: None,
            message: String::new(),
            class: None,
            link: None,
            before: None,
            mapping: None,
            quantity: None,
            at: self.world.now(),
        };
        match fate {
            Fate::Done(id) => {
                if let Some(link) = &intent.link {
                    let mut link = (**link).clone();
                    link.target = id;
                    outcome.before = {
                        let was = self.book.slot(intent.integration, intent.entity, &intent.source)?;
                        worth_keeping(was, &link)
                    };
                    outcome.link = Some(link);
                    outcome.end = Some(RowEnd::Done);
                    if let Write::Create { fields, .. } = &intent.write
                        && let Some(Value::Count(after)) = fields.get(FieldName::Quantity)
                    {
                        outcome.quantity =
                            Some(QuantityChange { seen: intent.at, before: None, after: *after });
                    }
                }
            }
            Fate::Absent => {}
            Fate::Changed(why) => {
                outcome.end = Some(RowEnd::Held);
                outcome.message = why;
                outcome.class = Some(Class::Stale);
            }
            Fate::Duplicate(ids) => {
                // A person who has mapped it meanwhile has decided.
                outcome.closes = self.book.link(intent.integration, intent.entity, &intent.source)?.is_some();
                outcome.end = Some(RowEnd::Held);
                outcome.message = duplicate(&ids);
                outcome.class = Some(Class::Record);
            }
        }
        Ok(outcome)
    }

    pub(super) fn plans_of_unfinished_jobs(
        &self,
    ) -> Result<std::collections::BTreeSet<crate::model::PlanId>, Problem> {
        Ok(self
            .book
            .jobs(50)?
            .into_iter()
            .filter(|(report, ..)| matches!(report.state, JobState::Running | JobState::Interrupted))
            .filter_map(|(report, ..)| report.plan)
            .collect())
    }

    /// Counts a report's rows anew from what is stored: the counters of a process that ended are gone.
    pub(super) fn count_rows(&self, report: &mut JobReport) -> Result<(), Problem> {
        let Some(plan) = report.plan else { return Ok(()) };
        let Some(plan) = self.book.plan(plan)? else { return Ok(()) };
        let rows = self.book.rows(report.job)?;
        let mut stages = super::job::stages(&plan);
        self.book.each_plan_row(&plan, |change| {
            if let Some(state) = rows.get(&change.row) {
                super::job::count(&mut stages, &change, state.end);
            }
            Ok(())
        })?;
        report.totals = super::job::sum(&stages);
        report.stages = stages;
        Ok(())
    }
}

fn told(outcome: &Outcome) -> &str {
    match (&outcome.end, outcome.message.as_str()) {
        (Some(RowEnd::Done), _) => "it was carried out",
        (None, _) => "settled",
        (_, message) => message,
    }
}
