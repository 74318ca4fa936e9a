//! Changes of the rows. Each is one saved setting, and one step to take back.

use std::path::PathBuf;

use super::Fields;
use super::picker::{FieldPicker, What};
use crate::host::words::{Command, FIELD_KEYS, SettingChange};
use crate::integrations::field_sample::LineOf;
use crate::integrations::liongard::is_source_field;
use crate::matching::field_csv;
use crate::model::settings::FieldMapping;
use crate::ui::action::Action;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::message::Effect;
use crate::ui::screens::Pane;
use crate::ui::turn::{Step, Turn};

/// The order to save these rows.
pub fn save(rows: &[FieldMapping]) -> Option<Command> {
    let value = crate::settings::mappings(rows)?;
    Some(Command::Set { changes: vec![SettingChange { key: FIELD_KEYS[0].to_owned(), value: Some(value) }] })
}

/// Asks for the file's text.
pub(super) fn read(path: &str, turn: &mut Turn<'_>) {
    if path.is_empty() {
        return turn.say("No file was named, so nothing was read.");
    }
    turn.steps.push(Step::Do(Effect::Read(Pane::Fields, PathBuf::from(path))));
}

impl Fields {
    /// The rows as they are.
    pub(super) fn rows(&self) -> Vec<FieldMapping> {
        self.table.lines.iter().filter_map(|line| line.row.clone()).collect()
    }

    pub(super) fn change(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        match action {
            Action::Undo | Action::Redo => {
                let (integration, redo) = (self.integration, action == Action::Redo);
                turn.send(Command::UndoFields { integration, redo });
                return true;
            }
            Action::IgnoreField => {
                self.ignore(turn);
                return true;
            }
            Action::PickField | Action::CreateField => {
                self.choose_target(action == Action::CreateField, turn);
                return true;
            }
            Action::EqualNames => {
                let added = self.table.equal.clone();
                self.add(added, turn);
                return true;
            }
            Action::CopyFields => {
                let added = self.table.copies.iter().flat_map(|copy| copy.rows.clone()).collect();
                self.add(added, turn);
                return true;
            }
            Action::FillBlank | Action::RemoveField | Action::MoveFieldUp | Action::MoveFieldDown => {}
            _ => return false,
        }
        let Some(LineOf::Row(at)) = self.selected().map(|line| line.of) else { return true };
        let mut rows = self.rows();
        let Some(row) = rows.get_mut(at) else { return true };
        let target = row.target.clone();
        match action {
            Action::FillBlank => row.fill_blank = !row.fill_blank,
            Action::RemoveField => drop(rows.remove(at)),
            Action::MoveFieldUp if at > 0 => rows.swap(at - 1, at),
            Action::MoveFieldDown if at + 1 < rows.len() => rows.swap(at, at + 1),
            _ => {
                turn.say("It stands at the end already.");
                return true;
            }
        }
        self.follows = (action != Action::RemoveField).then_some(target);
        turn.steps.extend(save(&rows).map(|command| Step::Do(Effect::Send(command))));
        true
    }

    /// The field under the cursor is not offered any more, or is again.
    fn ignore(&self, turn: &mut Turn<'_>) {
        let Some(line) = self.selected() else { return };
        let name = line.rule.source.trim().to_owned();
        let lines = self.table.lines.iter().filter(|line| line.of == LineOf::Ignored);
        let mut names: Vec<String> = lines.map(|line| line.rule.source.to_string()).collect();
        match line.of {
            LineOf::Open => names.push(name),
            LineOf::Ignored => names.retain(|other| *other != name),
            _ => return,
        }
        let value = Some(crate::settings::words(&names));
        turn.send(Command::Set { changes: vec![SettingChange { key: FIELD_KEYS[4].to_owned(), value }] });
    }

    fn choose_target(&mut self, creates: bool, turn: &mut Turn<'_>) {
        let Some(line) = self.selected() else { return };
        let what = match line.of {
            LineOf::Matching => What::Matching,
            LineOf::Row(at) => What::Row(Some(at)),
            _ => What::Row(None),
        };
        let picker = FieldPicker::new(self.integration, what, Some(line)).on_target(creates);
        turn.open(picker);
    }

    fn add(&mut self, added: Vec<FieldMapping>, turn: &mut Turn<'_>) {
        let names: Vec<String> = added.iter().map(|row| row.target.clone()).collect();
        let mut rows = self.rows();
        rows.extend(added);
        self.follows = names.first().cloned();
        if let Some(command) = save(&rows) {
            turn.send(command);
            turn.say(format!("Mapped {}. u takes it back.", names.join(", ")));
        }
    }

    pub(super) fn export(&self, path: &str, turn: &mut Turn<'_>) {
        if path.is_empty() {
            return turn.say("No file was named, so nothing was written.");
        }
        let effect =
            Effect::Write { path: PathBuf::from(path), bytes: field_csv::write(&self.rows()).into_bytes() };
        turn.steps.push(Step::Do(effect));
    }

    /// The rows of a file: what they would change is shown first.
    pub(super) fn imported(&self, path: &str, text: &str, turn: &mut Turn<'_>) {
        let before = self.rows();
        match field_csv::parse(text, is_source_field) {
            Err(errors) => {
                let first =
                    errors.first().map(|(line, why)| format!("line {line}: {why}")).unwrap_or_default();
                let more = match errors.len() {
                    0 | 1 => String::new(),
                    many => format!(" (and {} more lines)", many - 1),
                };
                turn.complain(format!("{path} cannot be taken, so nothing was: {first}{more}."));
            }
            Ok(rows) => {
                let diff = field_csv::differences(&before, &rows);
                if diff.is_empty() {
                    return turn.say(format!("{path} says what is mapped already."));
                }
                let Some(command) = save(&rows) else { return };
                let more = diff.len().saturating_sub(10);
                let mut lines: Vec<String> = diff.iter().take(10).cloned().collect();
                if more > 0 {
                    lines.push(format!("and {more} more"));
                }
                let title = format!("Import field mappings: {} rows, {} differ", rows.len(), diff.len());
                let steps = vec![Step::Do(Effect::Send(command))];
                turn.dialog(Confirm::new(title, lines, "leave it").choice(
                    'y',
                    "take all of it as one step",
                    steps,
                ));
            }
        }
    }
}
