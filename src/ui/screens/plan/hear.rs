//! What the engine says about the plan: built, planned again, its rows, what became of decisions and of the apply.

use rust_decimal::Decimal;

use super::{Order, PlanScreen, State};
use crate::host::words::{Answer, Command, PlanEntry, PlanFilter, PlanGroup, Query, Reply};
use crate::model::{Class, Problem};
use crate::plan::{self, Plan};
use crate::ui::list::Window;
use crate::ui::message::News;
use crate::ui::screens::job::JobScreen;
use crate::ui::screens::{Pane, Screen};
use crate::ui::turn::{Step, Turn};

impl PlanScreen {
    pub(super) fn take_plan(&mut self, plan: &Plan, turn: &mut Turn<'_>) {
        self.scheduled = plan.scheduled;
        self.purpose.clone_from(&plan.purpose);
        self.stale = None;
        self.applied = None;
        self.made = format!(
            "built {} by {}, good until {}",
            turn.look.when(plan.built_at, turn.now),
            plan.built_by,
            turn.look.when(plan.expires_at, turn.now)
        );
        if self.plan.as_ref().is_some_and(|old| old.id != plan.id) {
            self.rows = Window::default();
        }
        if !matches!(self.state, State::Replanning) {
            self.left_out.clear();
        }
        self.entities.clone_from(&plan.entities);
        self.plan = Some(plan.clone());
        turn.ask(Query::PlanGroups { plan: plan.id, filter: PlanFilter::default() });
        if self.is_filtered() {
            turn.ask(Query::PlanGroups { plan: plan.id, filter: self.filter.clone() });
        }
    }

    pub(super) fn take_groups(&mut self, filter: &PlanFilter, groups: &[PlanGroup]) {
        let first = self.all.is_empty();
        if *filter == PlanFilter::default() {
            self.all = groups.to_vec();
            self.state = State::Shown;
            if first && self.all.iter().map(|group| group.rows.len()).sum::<usize>() > 60 {
                // Much: only what needs a decision or hurts stands open.
                let is_quiet = |row: &PlanEntry| {
                    use plan::Action::{Create, Link, Skipped, Unchanged, Update};
                    matches!(row.action, Create | Update | Link | Skipped | Unchanged)
                };
                self.folded = self
                    .all
                    .iter()
                    .filter(|g| g.rows.iter().all(is_quiet))
                    .map(|g| g.customer.id.clone())
                    .collect();
            }
        }
        if *filter == self.filter {
            self.shown = groups.to_vec();
            match self.order {
                Order::Urgency => {}
                Order::Money => self.shown.sort_by_key(|group| {
                    std::cmp::Reverse(
                        group.rows.iter().filter_map(|row| row.money).map(|m| m.abs()).sum::<Decimal>(),
                    )
                }),
                Order::Name => self.shown.sort_by_key(|group| group.customer.name.to_lowercase()),
            }
            self.lay_out();
        }
    }

    pub(super) fn learn(&mut self, news: &News, turn: &mut Turn<'_>) {
        let id = self.plan.as_ref().map(|plan| plan.id);
        match news {
            News::Answer(Query::Plan { .. }, result) if self.state == State::Loading => match result {
                Ok(Answer::Plan(plan)) if plan.integration == self.integration => self.take_plan(plan, turn),
                Err(problem) => self.state = State::Failed(problem.clone()),
                Ok(_) => {}
            },
            News::Answer(Query::PlanGroups { plan, filter }, result) if Some(*plan) == id => match result {
                Ok(Answer::PlanGroups(groups)) => self.take_groups(filter, groups),
                Err(problem) => self.state = State::Failed(problem.clone()),
                Ok(_) => {}
            },
            News::Answer(Query::PlanRows { plan, rows }, result) if Some(*plan) == id => match result {
                Ok(Answer::PlanRows(changes)) => self.rows.put(changes.iter().map(|c| (c.row, c.clone()))),
                _ => self.rows.failed(rows),
            },
            News::Reply(command, result) => self.replied(command, result, turn),
            _ => {}
        }
    }

    pub(super) fn replied(
        &mut self,
        command: &Command,
        result: &Result<Reply, Problem>,
        turn: &mut Turn<'_>,
    ) {
        let id = self.plan.as_ref().map(|plan| plan.id);
        match (command, result) {
            (Command::BuildPlan { purpose, .. } | Command::BuildPlanOf { purpose, .. }, result)
                if self.is_mine(command) && *purpose == self.purpose && self.state == State::Building =>
            {
                match result {
                    Ok(Reply::Planned(plan)) => self.take_plan(plan, turn),
                    Err(problem) if self.plan.is_some() => {
                        self.state = State::Shown;
                        turn.complain(problem.to_string());
                    }
                    Err(problem) => self.state = State::Failed(problem.clone()),
                    Ok(_) => {}
                }
            }
            (Command::Decide { integration, .. } | Command::Undo { integration, .. }, result)
                if *integration == self.integration =>
            {
                match result {
                    Ok(Reply::Done(said)) => {
                        turn.say(format!("{said} u takes it back."));
                        self.replan(turn);
                    }
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
            }
            (Command::Replan { plan }, result) if Some(*plan) == id => {
                match result {
                    Ok(Reply::Planned(plan)) => self.take_plan(plan, turn),
                    Err(problem) => {
                        self.stale = Some(format!("Decided since this plan was made. {problem} (r)"));
                        turn.complain(problem.to_string());
                    }
                    Ok(_) => {}
                }
                self.state = State::Shown;
                if std::mem::take(&mut self.again) {
                    self.replan(turn);
                }
            }
            (Command::Apply { plan, .. }, result) if Some(*plan) == id => match result {
                Ok(Reply::Started(job)) => {
                    self.applied = Some(*job);
                    turn.steps.push(Step::GoOpen(Pane::Jobs, Screen::from(JobScreen::of(*job))));
                }
                Err(problem) => {
                    if problem.class == Class::Stale {
                        self.stale = Some(problem.to_string());
                    }
                    turn.complain(problem.to_string());
                }
                Ok(_) => {}
            },
            _ => {}
        }
    }

    /// Whether a plan that was asked for is of this integration; one of a job is by its purpose.
    fn is_mine(&self, command: &Command) -> bool {
        match command {
            Command::BuildPlan { integration, .. } => *integration == self.integration,
            _ => true,
        }
    }

    pub(super) fn replan(&mut self, turn: &mut Turn<'_>) {
        match (&self.state, &self.plan) {
            (State::Replanning, _) => self.again = true,
            (State::Shown, Some(plan)) if self.applied.is_none() => {
                turn.send(Command::Replan { plan: plan.id });
                self.state = State::Replanning;
            }
            _ => {}
        }
    }
}
