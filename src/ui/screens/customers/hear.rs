//! What the engine says about the mapping table: its order, its rows, what became of decisions.

use std::collections::BTreeSet;

use super::decide::{map_to, sites_of, takeable};
use super::file::{export_step, is_table};
use super::{Customers, Planned, Then, row};
use crate::host::words::{
    Answer, CardView, Command, Event, MapOrderView, MapRow, MapState, MappingImport, Query, Reply,
};
use crate::model::{Problem, SourceId};
use crate::ui::action::{Action, Availability};
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::fit::thousands;
use crate::ui::message::{Effect, News};
use crate::ui::screens::Pane;
use crate::ui::screens::View;
use crate::ui::turn::{Step, Turn};

impl Customers {
    pub(super) fn learn(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(query, Ok(Answer::MapOrder(view))) if *query == self.query() => {
                self.take_order(view, turn);
            }
            News::Answer(query, Err(problem)) if *query == self.query() => {
                self.is_known = true;
                self.trouble = Some(problem.to_string());
            }
            News::Answer(Query::MapRows { integration, ids }, result) if *integration == self.integration => {
                match result {
                    Ok(Answer::MapRows(rows)) => self.take_rows(ids, rows, turn),
                    _ => self.rows.failed(ids),
                }
            }
            News::Engine(Event::Map(integration)) if *integration == self.integration => self.changed(turn),
            News::Missed => self.changed(turn),
            News::Reply(command, result) => self.replied(command, result, turn),
            News::Read(Pane::Customers, path, result) if is_table(path) => match result {
                Ok(csv) => turn.send(Command::ImportMappings {
                    integration: self.integration,
                    csv: csv.clone(),
                    dry_run: true,
                    by_name: false,
                }),
                Err(error) => turn.complain(format!("{} cannot be read: {error}.", path.display())),
            },
            News::Written(path, result) if is_table(path) => match result {
                Ok(()) => turn.say(format!("Exported to {}.", path.display())),
                Err(error) => turn.complain(format!("{} cannot be written: {error}.", path.display())),
            },
            _ => {}
        }
    }

    pub(super) fn changed(&mut self, turn: &mut Turn<'_>) {
        self.rows.stale();
        if self.is_known {
            turn.ask(self.query());
        }
    }

    pub(super) fn take_order(&mut self, view: &MapOrderView, turn: &mut Turn<'_>) {
        self.is_known = true;
        self.counts = view.counts;
        self.trouble.clone_from(&view.trouble);
        let was_read = self.read_at.is_some();
        self.read_at = view.read_at;
        // Scores bring an order of their own; the selected row stays on its line.
        let now_scored = view.is_scored && !std::mem::replace(&mut self.is_scored, view.is_scored);
        if std::mem::take(&mut self.wants_order) || now_scored || (!was_read && view.read_at.is_some()) {
            let mut ids = view.ids.clone();
            let mut groups = view.groups.clone();
            if self.is_turned {
                // Who has no partner stays last.
                let mapped = groups.iter().sum::<u32>() as usize;
                let mapped = if self.by_target { mapped } else { ids.len() };
                ids[..mapped].reverse();
                groups.reverse();
            }
            self.groups = groups
                .iter()
                .scan(0, |end, rows| {
                    *end += *rows as usize;
                    Some(*end)
                })
                .collect();
            self.list.replace(ids);
        } else {
            // Frozen: what is new comes last, until the next order.
            let known: BTreeSet<_> = self.list.ids().iter().collect();
            let new: Vec<_> = view.ids.iter().filter(|id| !known.contains(id)).cloned().collect();
            if !new.is_empty() {
                self.list.replace(self.list.ids().iter().cloned().chain(new).collect());
            }
        }
        if view.read_at.is_none() && view.trouble.is_none() && self.was_entered && !self.has_read {
            self.has_read = true;
            let is_ready = !matches!(self.can(Action::Refresh, turn.mirror), Availability::Not(_));
            if is_ready {
                self.read(turn);
            }
        }
    }

    pub(super) fn take_rows(&mut self, ids: &[SourceId], rows: &[MapRow], turn: &mut Turn<'_>) {
        if self.waits.as_ref().is_some_and(|(waited, _)| waited == ids) {
            match self.waits.take().map(|(_, then)| then) {
                Some(Then::AcceptMarked) => self.accept_marked(rows, turn),
                Some(Then::Export(path)) => {
                    turn.steps.push(export_step(path, rows));
                }
                None => {}
            }
            return;
        }
        self.rows.put(rows.iter().map(|row| (row.source.id.clone(), row.clone())));
        // What is gone meanwhile keeps its line until the next order, and says so.
        let here: BTreeSet<_> = rows.iter().map(|row| &row.source.id).collect();
        let gone: Vec<_> = ids.iter().filter(|id| !here.contains(id)).collect();
        let gone: Vec<_> =
            gone.into_iter().filter_map(|id| Some(row::gone(self.rows.get(id)?, self.integration))).collect();
        self.rows.put(gone.into_iter().map(|row| (row.source.id.clone(), row)));
    }

    pub(super) fn accept_marked(&mut self, rows: &[MapRow], turn: &mut Turn<'_>) {
        let decisions: Vec<_> = rows
            .iter()
            .filter(|row| row.state == MapState::Unmapped)
            .filter_map(|row| {
                let one = takeable(row, self.candidate(row), false)?;
                Some((row.source.id.clone(), map_to(&one.party)))
            })
            .collect();
        if decisions.is_empty() {
            turn.say("None of the marked rows has a suggestion to take. m picks by hand, row by row.");
        } else {
            let others = rows.len() - decisions.len();
            let what = if others > 0 {
                format!("map to their suggestions ({others} have none and stay)")
            } else {
                "map to their suggestions".into()
            };
            self.ask_bulk(&what, decisions, turn);
        }
    }

    pub(super) fn replied(
        &mut self,
        command: &Command,
        result: &Result<Reply, Problem>,
        turn: &mut Turn<'_>,
    ) {
        let of = match command {
            Command::Replan { plan } | Command::DiscardPlan { plan } | Command::Apply { plan, .. } => {
                if self.plan == Planned::Ready(*plan) {
                    self.plan = match result {
                        Ok(Reply::Planned(plan)) => Planned::Ready(plan.id),
                        _ => Planned::None,
                    };
                }
                return;
            }
            Command::Decide { integration, .. }
            | Command::Undo { integration, .. }
            | Command::Generate { integration }
            | Command::Card { integration, .. }
            | Command::Sites { integration, .. }
            | Command::ReadCustomers { integration }
            | Command::ImportMappings { integration, .. }
            | Command::BuildPlan { integration, .. } => *integration,
            _ => return,
        };
        if of != self.integration {
            return;
        }
        match (command, result) {
            (Command::BuildPlan { purpose, .. }, _) if !purpose.is_whole() => {}
            (Command::BuildPlan { .. }, result) => self.plan_is_built(result, turn),
            // A view over this pane asked, and tells.
            (Command::Decide { .. } | Command::Undo { .. }, _) if self.is_below => {}
            (_, Err(problem)) => turn.complain(problem.to_string()),
            (Command::Decide { decisions, .. }, Ok(Reply::Done(said))) => {
                if decisions.len() > 1 {
                    self.list.clear_marks();
                }
                self.plan = Planned::None;
                turn.say(format!("{said} u takes it back."));
            }
            (_, Ok(Reply::Sites(view))) if !self.is_below => {
                turn.dialog(sites_of(self.integration, view));
            }
            (_, Ok(Reply::Card(card))) if !self.is_below => turn.dialog(card_of(card)),
            (Command::Generate { .. }, Ok(Reply::Generated(report))) => {
                self.plan = Planned::None;
                turn.say(format!(
                    "{} mapped, {} ambiguous, 0 changed. u takes all back at once.",
                    thousands(report.added),
                    thousands(report.ambiguous)
                ));
            }
            (Command::ReadCustomers { .. }, Ok(Reply::Done(said))) => {
                self.ask_order(turn);
                turn.say(said.clone());
            }
            (Command::ImportMappings { csv, .. }, Ok(Reply::Mappings(report))) => {
                self.imported(csv, report, turn);
            }
            (_, Ok(Reply::Done(said))) => turn.say(said.clone()),
            _ => {}
        }
    }

    pub(super) fn plan_is_built(&mut self, result: &Result<Reply, Problem>, turn: &mut Turn<'_>) {
        let was_left = self.plan == Planned::Building && !self.is_below;
        let label = self.integration.label();
        self.plan = match result {
            Ok(Reply::Planned(plan)) => {
                if was_left {
                    turn.say(format!("Plan {} of {label} is ready: p shows it.", plan.id));
                }
                Planned::Ready(plan.id)
            }
            Err(problem) if was_left => {
                turn.complain(format!("The plan of {label} was not built: {problem}"));
                Planned::None
            }
            _ => Planned::None,
        };
    }

    pub(super) fn imported(&mut self, csv: &str, report: &MappingImport, turn: &mut Turn<'_>) {
        if !report.errors.is_empty() {
            let lines = report.errors.iter().map(|(line, what)| format!("line {line}: {what}"));
            let title = format!("Not taken: {} lines are wrong", report.errors.len());
            return turn.dialog(Confirm::new(title, few(lines), "back"));
        }
        if !report.dry_run {
            return turn.say(format!("{} added, {} changed. u takes it back.", report.added, report.changed));
        }
        if report.diff.is_empty() {
            return turn.say(format!("The file changes nothing: {} rows are the same.", report.unchanged));
        }
        let take = Command::ImportMappings {
            integration: self.integration,
            csv: csv.to_owned(),
            dry_run: false,
            by_name: false,
        };
        let title = format!(
            "Import mappings: {} new, {} changed, {} the same",
            report.added, report.changed, report.unchanged
        );
        let dialog = Confirm::new(title, few(report.diff.iter().cloned()), "leave it").choice(
            'y',
            "take all of it as one step",
            vec![Step::Do(Effect::Send(take))],
        );
        turn.dialog(dialog);
    }
}

fn card_of(card: &CardView) -> Confirm {
    let mut lines = Vec::new();
    for part in &card.parts {
        let gap = if part.is_gap { " (gap)" } else { "" };
        lines.push(format!("{}{gap}", part.place));
        lines.extend(part.lines.iter().map(|line| format!("- {line}")));
    }
    Confirm::new(card.name.clone(), lines, "back")
}

/// As many lines as a dialog can show.
fn few(lines: impl Iterator<Item = String>) -> Vec<String> {
    const SHOWN: usize = 10;
    let lines: Vec<_> = lines.collect();
    let more = lines.len().saturating_sub(SHOWN);
    let mut shown: Vec<_> = lines.into_iter().take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown
}
