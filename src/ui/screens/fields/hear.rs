//! What the engine says of the field mappings: the table, and what became of changes.

use super::Fields;
use crate::host::words::{Answer, Command, Event, FIELD_KEYS, PlaceState, Query, Reply, SettingChange};
use crate::integrations::field_sample::LineOf;
use crate::model::Place;
use crate::ui::message::News;
use crate::ui::screens::Pane;
use crate::ui::turn::Turn;

impl Fields {
    pub(super) fn learn(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::FieldTable { integration }, result) if *integration == self.integration => {
                match result {
                    Ok(Answer::FieldTable(table)) => {
                        self.table = (**table).clone();
                        self.trouble = None;
                        self.is_known = true;
                        self.lay_out();
                        self.follow();
                        self.read_once(turn);
                    }
                    Err(problem) => self.trouble = Some(problem.clone()),
                    Ok(_) => {}
                }
            }
            News::Engine(Event::Fields(integration)) if *integration == self.integration && self.is_asked => {
                self.ask(turn);
            }
            News::Engine(Event::Settings) | News::Missed if self.is_asked => self.ask(turn),
            News::Reply(command, result) => match (&**command, result) {
                (Command::Set { changes }, Err(problem)) if is_ours(changes) => {
                    turn.complain(problem.to_string());
                }
                (Command::UndoFields { integration, .. }, result) if *integration == self.integration => {
                    match result {
                        Ok(Reply::Done(said)) => turn.say(said.clone()),
                        Err(problem) => turn.complain(problem.to_string()),
                        Ok(_) => {}
                    }
                }
                (Command::ReadFields { integration }, Ok(Reply::Done(said)))
                    if *integration == self.integration =>
                {
                    turn.say(said.clone());
                }
                (Command::ReadFields { integration }, Err(problem)) if *integration == self.integration => {
                    turn.complain(problem.to_string());
                }
                _ => {}
            },
            News::Read(Pane::Fields, path, result) => match result {
                Ok(text) => self.imported(&path.display().to_string(), text, turn),
                Err(error) => turn.complain(format!("{} cannot be read: {error}.", path.display())),
            },
            _ => {}
        }
    }

    /// The cursor goes with the row that was moved or added.
    fn follow(&mut self) {
        let Some(target) = self.follows.take() else { return };
        let is_it = |line: &crate::integrations::field_sample::FieldLine| {
            matches!(line.of, LineOf::Row(_)) && line.row.as_ref().is_some_and(|row| row.target == target)
        };
        if let Some(at) = self.table.lines.iter().position(is_it) {
            self.list.select(&at);
        }
    }

    /// Nothing was ever read, and both sides are set up: that is the first thing a person would do.
    fn read_once(&mut self, turn: &mut Turn<'_>) {
        let place = turn.mirror.place(Place::Of(self.integration)).map(|place| place.state);
        let is_ready = !matches!(place, None | Some(PlaceState::Off | PlaceState::NotConfigured));
        let is_first = self.table.read_at.is_none() && self.table.trouble.is_none() && !self.has_read;
        if self.is_editable() && self.was_entered && is_ready && is_first {
            self.read(turn);
        }
    }
}

fn is_ours(changes: &[SettingChange]) -> bool {
    changes.iter().all(|change| FIELD_KEYS.contains(&change.key.as_str()))
}
