//! Fields in tabs: moving about and editing, told apart by the cursor (ux.md 3.9).

use std::collections::BTreeMap;

use ratatui::layout::{Position, Rect};

use super::text_field::{Kind as Text, TextField};
use crate::model::Secret;
use crate::ui::action::Action;
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::key::Key;
use crate::ui::theme::Role;

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Number,
    /// `true` or `false`; Enter turns it round.
    Switch,
    /// One of these; Enter takes the next.
    Choice(Vec<String>),
    /// Words parted by commas.
    List,
    /// Several lines.
    Notes,
    /// Typed unseen; the value is what is said about it ("kept here", "from $NAME").
    Secret,
    /// Shown, not changed here.
    Fixed,
}

/// One field, as plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// The setting's key.
    pub key: String,
    pub tab: String,
    pub label: String,
    pub help: String,
    pub kind: FieldKind,
    /// As shown and typed now.
    pub value: String,
    /// As it was read.
    pub saved: String,
    /// What `d` gives back.
    pub default: String,
}

#[derive(Debug, Clone)]
enum Change {
    Value { key: String, before: String },
    Secret { key: String },
}

#[derive(Debug, Clone, Default)]
pub struct Form {
    fields: Vec<FormField>,
    tabs: Vec<String>,
    tab: usize,
    /// Index of the selected field among those of the tab.
    at: usize,
    editing: Option<TextField>,
    /// Typed and not yet saved; never shown, never kept.
    secrets: BTreeMap<String, Secret>,
    /// What was cleaned or is wrong, by field.
    notes: BTreeMap<String, (String, Role)>,
    changes: Vec<Change>,
}

impl Form {
    /// Takes the fields as they are saved now. What a person has changed and not saved stays.
    pub fn fill(&mut self, fields: Vec<FormField>) {
        let drafts: BTreeMap<String, String> = self
            .fields
            .iter()
            .filter(|field| field.value != field.saved)
            .map(|field| (field.key.clone(), field.value.clone()))
            .collect();
        self.tabs.clear();
        for field in &fields {
            if !self.tabs.contains(&field.tab) {
                self.tabs.push(field.tab.clone());
            }
        }
        self.fields = fields;
        self.draft(&drafts);
        self.tab = self.tab.min(self.tabs.len().saturating_sub(1));
        self.at = self.at.min(self.shown().len().saturating_sub(1));
    }

    /// Unsaved values of before, such as those of a dropped link.
    pub fn draft(&mut self, values: &BTreeMap<String, String>) {
        for field in &mut self.fields {
            if let Some(value) = values.get(&field.key).filter(|_| field.kind != FieldKind::Secret) {
                field.value.clone_from(value);
            }
        }
    }

    pub fn is_filled(&self) -> bool {
        !self.fields.is_empty()
    }

    pub const fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    pub fn tabs(&self) -> (&[String], usize) {
        (&self.tabs, self.tab)
    }

    pub fn tab(&self) -> &str {
        self.tabs.get(self.tab).map_or("", String::as_str)
    }

    pub fn turn_tab(&mut self, by: usize) {
        if !self.tabs.is_empty() {
            self.tab = (self.tab + by) % self.tabs.len();
            self.at = 0;
        }
    }

    pub fn previous_tab(&mut self) {
        self.turn_tab(self.tabs.len().saturating_sub(1));
    }

    pub fn open_tab(&mut self, name: &str) {
        if let Some(tab) = self.tabs.iter().position(|tab| tab == name) {
            self.tab = tab;
            self.at = 0;
        }
    }

    fn shown(&self) -> Vec<usize> {
        let tab = self.tab();
        self.fields.iter().enumerate().filter(|(_, field)| field.tab == tab).map(|(i, _)| i).collect()
    }

    pub fn selected(&self) -> Option<&FormField> {
        self.shown().get(self.at).and_then(|i| self.fields.get(*i))
    }

    fn selected_mut(&mut self) -> Option<&mut FormField> {
        let index = *self.shown().get(self.at)?;
        self.fields.get_mut(index)
    }

    pub fn fields(&self) -> &[FormField] {
        &self.fields
    }

    /// Fields whose value differs from what is saved.
    pub fn changed(&self) -> impl Iterator<Item = &FormField> {
        self.fields.iter().filter(|field| field.value != field.saved && field.kind != FieldKind::Secret)
    }

    pub const fn secrets(&self) -> &BTreeMap<String, Secret> {
        &self.secrets
    }

    pub fn unsaved(&self) -> usize {
        self.changed().count() + self.secrets.len()
    }

    /// These are saved now.
    pub fn saved(&mut self, keys: &[String]) {
        for field in self.fields.iter_mut().filter(|field| keys.contains(&field.key)) {
            field.saved.clone_from(&field.value);
        }
        self.changes.clear();
    }

    pub fn secret_saved(&mut self, key: &str) {
        self.secrets.remove(key);
        self.changes.retain(|change| !matches!(change, Change::Secret { key: other } if other == key));
    }

    /// A sentence under a field: what was cleaned, or what is wrong.
    pub fn note(&mut self, key: &str, text: impl Into<String>, role: Role) {
        self.notes.insert(key.to_owned(), (text.into(), role));
    }

    pub fn has_mistakes(&self) -> bool {
        self.notes.values().any(|(_, role)| *role == Role::Bad)
    }

    /// Moving, editing, resetting; `false` if the action is another one.
    pub fn act(&mut self, action: Action) -> bool {
        let last = self.shown().len().saturating_sub(1);
        match action {
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::HalfPageUp | Action::PageUp => self.at = self.at.saturating_sub(5),
            Action::HalfPageDown | Action::PageDown => self.at = (self.at + 5).min(last),
            Action::First => self.at = 0,
            Action::Last => self.at = last,
            Action::NextTab => self.turn_tab(1),
            Action::PreviousTab => self.previous_tab(),
            Action::Edit => self.edit(),
            Action::Reset => {
                if let Some(default) = self.selected().map(|field| field.default.clone()) {
                    self.set(default);
                }
            }
            _ => return false,
        }
        true
    }

    fn edit(&mut self) {
        let Some(field) = self.selected() else { return };
        match &field.kind {
            FieldKind::Switch => self.set(if field.value == "true" { "false" } else { "true" }.into()),
            FieldKind::Choice(choices) => {
                let next = choices.iter().position(|choice| *choice == field.value).map_or(0, |i| i + 1);
                let next = choices.get(next % choices.len().max(1)).cloned().unwrap_or_default();
                self.set(next);
            }
            FieldKind::Secret => self.editing = Some(TextField::new("", Text::Secret)),
            FieldKind::Notes => self.editing = Some(TextField::new(&field.value, Text::Lines)),
            FieldKind::Text | FieldKind::Number | FieldKind::List => {
                self.editing = Some(TextField::new(&field.value, Text::Line));
            }
            FieldKind::Fixed => {}
        }
    }

    /// Why the selected field cannot be edited.
    pub fn is_fixed(&self) -> bool {
        self.selected().is_none_or(|field| field.kind == FieldKind::Fixed)
    }

    /// A key while editing. Enter accepts (in notes Tab does), Esc gives the old value back.
    pub fn key(&mut self, key: Key) {
        let Some(field) = &mut self.editing else { return };
        let takes_lines = field.kind() == Text::Lines;
        match key {
            Key::Esc => self.editing = None,
            Key::Tab => self.accept(),
            Key::Enter if !takes_lines => self.accept(),
            key => {
                field.key(key);
            }
        }
    }

    pub fn paste(&mut self, text: &str) {
        if let Some(field) = &mut self.editing {
            field.paste(text);
        }
    }

    fn accept(&mut self) {
        let Some(typed) = self.editing.take() else { return };
        let Some(field) = self.selected() else { return };
        let (key, kind) = (field.key.clone(), field.kind.clone());
        let text = typed.text();
        self.notes.remove(&key);
        if kind == FieldKind::Secret {
            if text.is_empty() {
                return;
            }
            if text.trim() != text {
                self.note(&key, "a space at an end was left out", Role::Notice);
            }
            self.secrets.insert(key.clone(), Secret::new(text.trim()));
            self.changes.push(Change::Secret { key });
            return;
        }
        let clean =
            if kind == FieldKind::Notes { text.trim_end().to_owned() } else { text.trim().to_owned() };
        match check(&kind, &clean) {
            Ok(value) => {
                if clean != text && kind != FieldKind::Notes {
                    self.note(&key, "trimmed: a space at an end was removed", Role::Notice);
                }
                self.set(value);
            }
            Err(what) => {
                self.note(&key, what, Role::Bad);
                // What was typed is not lost: the field is open again.
                self.editing = Some(TextField::new(&text, Text::Line));
            }
        }
    }

    fn set(&mut self, value: String) {
        let Some(field) = self.selected_mut() else { return };
        if matches!(field.kind, FieldKind::Secret | FieldKind::Fixed) || field.value == value {
            return;
        }
        let before = std::mem::replace(&mut field.value, value);
        let key = field.key.clone();
        self.changes.push(Change::Value { key, before });
    }

    /// Takes back the last change that is not saved; the label of its field.
    pub fn undo(&mut self) -> Option<String> {
        match self.changes.pop()? {
            Change::Value { key, before } => {
                self.notes.remove(&key);
                let field = self.fields.iter_mut().find(|field| field.key == key)?;
                field.value = before;
                Some(field.label.clone())
            }
            Change::Secret { key } => {
                self.secrets.remove(&key);
                self.notes.remove(&key);
                self.fields.iter().find(|field| field.key == key).map(|field| field.label.clone())
            }
        }
    }

    fn value_shown(&self, field: &FormField) -> (String, Role) {
        let changed = |role| if field.value == field.saved { role } else { Role::Change };
        match field.kind {
            FieldKind::Secret if self.secrets.contains_key(&field.key) => {
                ("********  not saved yet".into(), Role::Change)
            }
            FieldKind::Switch => {
                (if field.value == "true" { "yes" } else { "no" }.to_owned(), changed(Role::Text))
            }
            FieldKind::Notes if field.value.contains('\n') => {
                let lines = field.value.lines().count();
                (
                    format!("{} ({lines} lines)", field.value.lines().next().unwrap_or_default()),
                    changed(Role::Text),
                )
            }
            _ if field.value.is_empty() => ("-".into(), changed(Role::Dim)),
            _ => (field.value.clone(), changed(Role::Text)),
        }
    }

    /// Lines a field takes: its own, its note, and room to write notes in.
    fn height(&self, field: &FormField, is_selected: bool) -> u16 {
        let note = u16::from(self.notes.contains_key(&field.key));
        let editing =
            if is_selected && self.editing.as_ref().is_some_and(|e| e.kind() == Text::Lines) { 4 } else { 0 };
        1 + note + editing
    }

    /// Draws the fields of the tab, as many as there is room for around the selected one; gives the lines used.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
        let shown = self.shown();
        let label =
            shown.iter().filter_map(|i| self.fields.get(*i)).map(|f| fit::width(&f.label)).max().unwrap_or(0);
        let label = (label as u16 + 2).min(area.width / 2);
        let heights: Vec<u16> =
            shown.iter().enumerate().map(|(row, i)| self.height(&self.fields[*i], row == self.at)).collect();
        // Whole fields scroll off at the top until the selected one is seen.
        let mut first = 0;
        while first < self.at && heights[first..=self.at].iter().sum::<u16>() > area.height {
            first += 1;
        }
        let mut y = area.y;
        for (row, index) in shown.iter().enumerate().skip(first) {
            if y >= area.bottom() {
                break;
            }
            let field = &self.fields[*index];
            let is_selected = row == self.at;
            canvas.put(area.x + 1, y, label, &field.label, Role::Text);
            let x = area.x + 1 + label;
            let room = area.right().saturating_sub(x);
            let note_y = match self.editing.as_ref().filter(|_| is_selected) {
                Some(editing) => {
                    let lines = if editing.kind() == Text::Lines { 5 } else { 1 };
                    let lines = lines.min(area.bottom() - y);
                    editing.draw(canvas, Rect::new(x, y, room, lines));
                    y + lines
                }
                None => {
                    let (value, role) = self.value_shown(field);
                    canvas.put(x, y, room, &value, role);
                    if is_selected {
                        self.point(canvas, Rect::new(area.x, y, area.width, 1));
                    }
                    y + 1
                }
            };
            if let Some((note, role)) = self.notes.get(&field.key).filter(|_| note_y < area.bottom()) {
                canvas.put(x, note_y, room, note, *role);
            }
            y += heights[row];
        }
        (y - area.y).min(area.height)
    }

    fn point(&self, canvas: &mut Canvas<'_>, line: Rect) {
        if canvas.look.plain {
            canvas.put(line.x, line.y, 1, ">", Role::Strong);
        } else if canvas.focused {
            canvas.tint(line, Role::Selected);
        }
        canvas.cursor = Some((Position::new(line.x, line.y), canvas.look.plain));
    }
}

fn check(kind: &FieldKind, text: &str) -> Result<String, String> {
    match kind {
        FieldKind::Number if text.parse::<rust_decimal::Decimal>().is_err() && !text.is_empty() => {
            Err(format!("'{text}' is not a number"))
        }
        FieldKind::List => {
            let items: Vec<_> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            Ok(items.join(", "))
        }
        _ => Ok(text.to_owned()),
    }
}
