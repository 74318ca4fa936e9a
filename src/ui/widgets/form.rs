//! Fields in tabs: moving about and editing, told apart by the cursor (ux.md 3.9). What is typed is judged by the
//! screen that owns the form.

use std::collections::BTreeMap;

use ratatui::layout::{Position, Rect};

use super::text_field::{Kind as Text, TextField};
use crate::ui::action::Action;
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::key::{Input, Key};
use crate::ui::layout::list_and_details;
use crate::ui::theme::Role;

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    /// `true` or `false`; Enter turns it round.
    Switch,
    /// One of these; Enter takes the next.
    Choice(Vec<String>),
    /// Several lines: Enter is a new line, Tab leaves.
    Lines,
    /// Typed unseen; its value says what is known about it, never what it is.
    Secret,
}

/// One field, as plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    pub key: String,
    pub tab: String,
    pub label: String,
    pub help: String,
    pub kind: FieldKind,
    pub value: String,
    /// Shown dimmed where the value is empty.
    pub suggestion: String,
    /// Differs from what is saved.
    pub is_changed: bool,
}

/// A value that a person has given to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub key: String,
    pub text: String,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    Moved,
    Typed(Typed),
    /// The action is none of a form's.
    Nothing,
}

#[derive(Debug, Clone, Default)]
pub struct Form {
    fields: Vec<FormField>,
    tabs: Vec<String>,
    tab: usize,
    /// Index of the selected field among those of the tab.
    at: usize,
    editing: Option<TextField>,
    /// What was cleaned or is wrong, by field.
    notes: BTreeMap<String, (String, Role)>,
}

impl Form {
    /// Takes the fields as they are now. Tab, field and what is being typed stay.
    pub fn fill(&mut self, fields: Vec<FormField>) {
        self.tabs.clear();
        for field in &fields {
            if !self.tabs.contains(&field.tab) {
                self.tabs.push(field.tab.clone());
            }
        }
        self.fields = fields;
        self.tab = self.tab.min(self.tabs.len().saturating_sub(1));
        self.at = self.at.min(self.shown().count().saturating_sub(1));
    }

    pub const fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    pub fn tabs(&self) -> &[String] {
        &self.tabs
    }

    pub fn tab(&self) -> &str {
        self.tabs.get(self.tab).map_or("", String::as_str)
    }

    pub fn open_tab(&mut self, name: &str) {
        if let Some(tab) = self.tabs.iter().position(|tab| tab == name).filter(|tab| *tab != self.tab) {
            self.tab = tab;
            self.at = 0;
        }
    }

    fn turn_tab(&mut self, by: usize) {
        if !self.tabs.is_empty() {
            self.tab = (self.tab + by) % self.tabs.len();
            self.at = 0;
        }
    }

    fn shown(&self) -> impl Iterator<Item = &FormField> {
        let tab = self.tab();
        self.fields.iter().filter(move |field| field.tab == tab)
    }

    pub fn selected(&self) -> Option<&FormField> {
        self.shown().nth(self.at)
    }

    /// Goes to a field, wherever it is.
    pub fn select(&mut self, key: &str) {
        if let Some(tab) = self.fields.iter().find(|field| field.key == key).map(|field| field.tab.clone()) {
            self.open_tab(&tab);
            let at = self.shown().position(|field| field.key == key);
            self.at = at.unwrap_or(0);
        }
    }

    pub fn select_at(&mut self, row: usize) {
        self.at = row.min(self.shown().count().saturating_sub(1));
    }

    /// A sentence under a field: what was cleaned, or what is wrong.
    pub fn note(&mut self, key: &str, text: impl Into<String>, role: Role) {
        self.notes.insert(key.to_owned(), (text.into(), role));
    }

    pub fn clear_notes(&mut self) {
        self.notes.clear();
    }

    pub fn act(&mut self, action: Action) -> Did {
        let last = self.shown().count().saturating_sub(1);
        match action {
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::Down => self.at = (self.at + 1).min(last),
            Action::HalfPageUp | Action::PageUp => self.at = self.at.saturating_sub(5),
            Action::HalfPageDown | Action::PageDown => self.at = (self.at + 5).min(last),
            Action::First => self.at = 0,
            Action::Last => self.at = last,
            Action::NextTab => self.turn_tab(1),
            Action::PreviousTab => self.turn_tab(self.tabs.len().saturating_sub(1)),
            Action::Edit => return self.edit().map_or(Did::Moved, Did::Typed),
            _ => return Did::Nothing,
        }
        Did::Moved
    }

    fn edit(&mut self) -> Option<Typed> {
        let field = self.selected()?;
        let text = match &field.kind {
            FieldKind::Switch => if field.value == "true" { "false" } else { "true" }.to_owned(),
            FieldKind::Choice(choices) => {
                let next = choices.iter().position(|choice| *choice == field.value).map_or(0, |i| i + 1);
                choices.get(next % choices.len().max(1))?.clone()
            }
            kind => {
                let (text, kind) = match kind {
                    FieldKind::Secret => ("", Text::Secret),
                    FieldKind::Lines => (field.value.as_str(), Text::Lines),
                    _ => (field.value.as_str(), Text::Line),
                };
                self.editing = Some(TextField::new(text, kind));
                return None;
            }
        };
        Some(Typed { key: field.key.clone(), text })
    }

    /// What comes while editing. Enter accepts (among several lines Tab does), Esc gives the old value back.
    pub fn input(&mut self, input: Input<'_>) -> Option<Typed> {
        let field = self.editing.as_mut()?;
        let Input::Key(key) = input else {
            field.input(input);
            return None;
        };
        let accepts = key == Key::Tab || (key == Key::Enter && field.kind() != Text::Lines);
        if accepts {
            let text = self.editing.take()?.text();
            let key = self.selected()?.key.clone();
            self.notes.remove(&key);
            return Some(Typed { key, text });
        }
        if key == Key::Esc {
            self.editing = None;
            let selected = self.selected().map(|field| field.key.clone());
            selected.and_then(|key| self.notes.remove(&key));
        } else {
            field.key(key);
        }
        None
    }

    /// What was typed cannot be: the field is open again with it, and says why.
    pub fn refuse(&mut self, typed: &Typed, why: impl Into<String>) {
        self.select(&typed.key);
        if self.selected().is_some_and(|field| field.kind == FieldKind::Text) {
            self.editing = Some(TextField::new(&typed.text, Text::Line));
        }
        self.note(&typed.key, why, Role::Bad);
    }

    fn height(&self, field: &FormField, is_selected: bool) -> u16 {
        let note = u16::from(self.notes.contains_key(&field.key));
        let lines = is_selected && self.editing.as_ref().is_some_and(|editing| editing.kind() == Text::Lines);
        note + if lines { 5 } else { 1 }
    }

    /// The fields, and below them what the selected one means.
    pub fn draw_explained(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        self.draw(canvas, regions.list);
        if let Some(field) = self.selected() {
            self.explain(canvas, regions.details, regions.list, &field.label);
        }
    }

    /// What the selected field is, under a title; above it what was refused, where the field's own line in `list` cuts
    /// that off.
    pub fn explain(&self, canvas: &mut Canvas<'_>, area: Rect, list: Rect, title: &str) {
        let Some(field) = self.selected().filter(|_| area.height > 1) else { return };
        canvas.rule(Rect { height: 1, ..area }, title);
        let body = Rect::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height - 1);
        let room = list.right().saturating_sub(list.x + 1 + self.label_width(list));
        let long = self.notes.get(&field.key).filter(|(note, _)| fit::width(note) > usize::from(room));
        let used = long.map_or(0, |(note, role)| canvas.paragraph(body, note, *role) + 1);
        let rest = Rect { y: body.y + used, height: body.height.saturating_sub(used), ..body };
        canvas.paragraph(rest, &field.help, Role::Text);
    }

    /// What the labels of the tab take.
    fn label_width(&self, area: Rect) -> u16 {
        let widest = self.shown().map(|field| fit::width(&field.label)).max().unwrap_or(0) as u16;
        (widest + 2).min(area.width / 2)
    }

    /// Draws the fields of the tab, as many as there is room for around the selected one.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let fields: Vec<&FormField> = self.shown().collect();
        let label = self.label_width(area);
        let heights: Vec<u16> =
            fields.iter().enumerate().map(|(row, field)| self.height(field, row == self.at)).collect();
        // Whole fields scroll off at the top until the selected one is seen.
        let mut first = 0;
        while first < self.at && heights[first..=self.at].iter().sum::<u16>() > area.height {
            first += 1;
        }
        let mut y = area.y;
        for (row, field) in fields.iter().enumerate().skip(first) {
            if y >= area.bottom() {
                break;
            }
            let is_selected = row == self.at;
            canvas.put(area.x + 1, y, label - 1, &field.label, Role::Text);
            let x = area.x + 1 + label;
            let room = area.right().saturating_sub(x);
            let below = if let Some(editing) = self.editing.as_ref().filter(|_| is_selected) {
                let lines = if editing.kind() == Text::Lines { 5 } else { 1 };
                let lines = lines.min(area.bottom() - y);
                editing.draw(canvas, Rect::new(x, y, room, lines));
                y + lines
            } else {
                let (value, role) = shown_value(field);
                canvas.put(x, y, room, &value, role);
                if is_selected {
                    point(canvas, Rect::new(area.x, y, area.width, 1));
                }
                y + 1
            };
            if let Some((note, role)) = self.notes.get(&field.key).filter(|_| below < area.bottom()) {
                canvas.put(x, below, room, note, *role);
            }
            y += heights[row];
        }
    }
}

fn shown_value(field: &FormField) -> (String, Role) {
    let role = if field.is_changed { Role::Change } else { Role::Text };
    let value = match field.kind {
        FieldKind::Switch => if field.value == "true" { "yes" } else { "no" }.to_owned(),
        FieldKind::Lines if field.value.contains('\n') => {
            let first = field.value.lines().next().unwrap_or_default();
            format!("{first} (and {} more lines)", field.value.lines().count() - 1)
        }
        _ if field.value.is_empty() && field.suggestion.is_empty() => return ("-".into(), Role::Dim),
        _ if field.value.is_empty() => return (format!("such as {}", field.suggestion), Role::Dim),
        _ => field.value.clone(),
    };
    (if field.is_changed { format!("{value}  (not saved)") } else { value }, role)
}

fn point(canvas: &mut Canvas<'_>, line: Rect) {
    if canvas.look.plain {
        canvas.put(line.x, line.y, 1, ">", Role::Strong);
    } else if canvas.focused {
        canvas.tint(line, Role::Selected);
    }
    canvas.cursor = Some((Position::new(line.x, line.y), canvas.look.plain));
}
