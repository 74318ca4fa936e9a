//! The chooser of both sides: what really exists in the source and in Halo, with samples and counts, and what would follow
//! before it is saved.

mod draw;
mod half;

use ratatui::layout::Rect;

pub use self::half::Half;
use super::edit::save;
use crate::host::words::{Answer, Command, FIELD_KEYS, FieldSides, Query, Reply, SettingChange};
use crate::integrations::field_sample::{FieldLine, LineOf, Verdict};
use crate::model::Integration;
use crate::model::asset::FieldKind;
use crate::model::settings::FieldMapping;
use crate::ui::action::{Action, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::{Input, Key};
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::turn::Turn;

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A row in the place of this one, or a new one.
    Row(Option<usize>),
    Matching,
    AssetType,
}

/// Kinds of fields that can be made: a list needs its choices.
const KINDS: [FieldKind; 4] = [FieldKind::Text, FieldKind::Number, FieldKind::Date, FieldKind::Flag];

#[derive(Debug, Clone)]
pub struct FieldPicker {
    integration: Integration,
    what: What,
    /// The row as it was, so that what is not chosen here stays.
    before: FieldMapping,
    sides: FieldSides,
    is_known: bool,
    left: Half,
    right: Half,
    /// The right half hears the keys.
    on_right: bool,
    /// The kind of a field that is made; else what the values have.
    kind: Option<FieldKind>,
    /// Opened to create a field.
    creates: bool,
    verdict: Option<(FieldMapping, Verdict)>,
    asked: Option<FieldMapping>,
}

impl FieldPicker {
    pub fn new(integration: Integration, what: What, line: Option<&FieldLine>) -> Self {
        let before = line.map_or_else(FieldMapping::default, |line| {
            line.row.clone().unwrap_or_else(|| FieldMapping {
                source: line.rule.source.trim_matches('-').to_owned(),
                target: if line.of == LineOf::Open { "" } else { line.rule.target.trim_matches('-') }
                    .to_owned(),
                ..FieldMapping::default()
            })
        });
        Self {
            integration,
            what,
            kind: before.kind,
            before,
            sides: FieldSides::default(),
            is_known: false,
            left: Half::default(),
            right: Half::default(),
            on_right: false,
            creates: false,
            verdict: None,
            asked: None,
        }
    }

    /// Begins on Halo's side; `creates`: at a new field.
    pub fn on_target(self, creates: bool) -> Self {
        Self { on_right: true, creates, ..self }
    }

    const fn has_right(&self) -> bool {
        !matches!(self.what, What::AssetType)
    }

    /// The source that is chosen; what was typed where it names none of the list.
    fn source(&self) -> String {
        match self.left.list.selected() {
            Some(at) => self.sides.sources.get(*at).map(|field| field.name.clone()).unwrap_or_default(),
            None => self.left.field.text().trim().to_owned(),
        }
    }

    /// The name that a field would be made under.
    fn new_name(&self) -> String {
        let typed = self.right.field.text();
        if !typed.trim().is_empty() {
            return typed.trim().to_owned();
        }
        let source = self.source();
        let field = self.sides.sources.iter().find(|field| field.name == source);
        let title = field.map(|field| field.title.as_str()).filter(|title| !title.is_empty());
        let name = title.unwrap_or(&source);
        name.rsplit([':', '.']).next().unwrap_or(name).trim().to_owned()
    }

    fn new_kind(&self) -> FieldKind {
        let source = self.source();
        let guessed = self.sides.sources.iter().find(|field| field.name == source).map(|field| field.kind);
        self.kind.or(guessed).unwrap_or(FieldKind::Text)
    }

    /// The row as it is chosen now.
    fn row(&self) -> FieldMapping {
        let source = self.source();
        match self.right.list.selected() {
            Some(at) if *at < self.sides.targets.len() => FieldMapping {
                source,
                target: self.sides.targets[*at].label.clone(),
                create: false,
                kind: None,
                fill_blank: self.before.fill_blank,
            },
            _ => FieldMapping {
                source,
                target: self.new_name(),
                create: true,
                kind: Some(self.new_kind()),
                fill_blank: self.before.fill_blank,
            },
        }
    }

    /// Asks what would follow, where that is not known.
    fn judge(&mut self, turn: &mut Turn<'_>) {
        if !self.has_right() || !self.is_known {
            return;
        }
        let row = self.row();
        if self.asked.as_ref() != Some(&row) {
            self.asked = Some(row.clone());
            let at = if let What::Row(at) = self.what { at } else { None };
            turn.ask(Query::FieldVerdict { integration: self.integration, row: Box::new(row), at });
        }
    }

    const fn half(&mut self) -> &mut Half {
        if self.on_right { &mut self.right } else { &mut self.left }
    }

    /// Finds what was typed on the side that hears the keys.
    fn search(&mut self) {
        if self.on_right {
            let extra = self.what != What::Matching;
            let lines = self
                .sides
                .targets
                .iter()
                .map(|field| format!("{} {} {}", field.label, field.kind, field.types.join(" ")));
            let lines: Vec<String> = lines.collect();
            self.right.find(&lines, extra);
        } else {
            let lines = self.sides.sources.iter().map(|field| format!("{} {}", field.name, field.title));
            let lines: Vec<String> = lines.collect();
            self.left.find(&lines, false);
        }
    }

    /// Both lists as they are at first: the row's own fields selected, else Halo's field of the same name.
    fn begin(&mut self) {
        let side = self.on_right;
        for on_right in [false, true] {
            self.on_right = on_right;
            self.search();
        }
        self.on_right = side;
        let same = |name: &str, other: &str| name.trim().eq_ignore_ascii_case(other.trim());
        if let Some(at) = self.sides.sources.iter().position(|field| same(&field.name, &self.before.source)) {
            self.left.list.select(&at);
        }
        if self.before.target.is_empty() {
            return self.propose();
        }
        let wanted = &self.before.target;
        let found = self
            .sides
            .targets
            .iter()
            .position(|field| same(&field.label, wanted) || field.id.as_str() == wanted.trim());
        let create = self.sides.targets.len();
        match found.filter(|_| !self.creates) {
            Some(at) => drop(self.right.list.select(&at)),
            None => drop(self.right.list.select(&create)),
        }
    }

    /// Halo's field of the source's name, else a new one; where nobody chose one.
    fn propose(&mut self) {
        if !self.before.target.is_empty() || !self.right.field.text().is_empty() {
            return;
        }
        let source = self.source();
        let same = |label: &str| label.trim().eq_ignore_ascii_case(source.trim());
        let found = self.sides.targets.iter().position(|field| same(&field.label));
        let at = found.filter(|_| !self.creates).unwrap_or(self.sides.targets.len());
        self.right.list.select(&at);
    }

    fn take(&mut self, turn: &mut Turn<'_>) {
        let row = self.row();
        if row.source.is_empty() {
            return turn.say("Choose a field of the source first: Tab goes there.");
        }
        let set = |key: &str, value: &str| SettingChange {
            key: key.to_owned(),
            value: Some(crate::settings::quoted(value)),
        };
        let settings = turn.mirror.settings.as_ref().map(|view| &view.settings.liongard);
        let Some(settings) = settings else { return turn.say("The settings are still being read.") };
        let command = match self.what {
            What::AssetType => Command::Set { changes: vec![set(FIELD_KEYS[3], &row.source)] },
            What::Matching => {
                if row.create {
                    return turn.say("Assets are matched on a field that is in Halo already.");
                }
                let other = settings.field_mappings.iter().find(|other| {
                    other.target.eq_ignore_ascii_case(&row.target)
                        && !other.source.eq_ignore_ascii_case(&row.source)
                });
                if let Some(other) = other {
                    return turn.complain(format!(
                        "{} is fed by {} already: one source a field.",
                        row.target, other.source
                    ));
                }
                Command::Set {
                    changes: vec![set(FIELD_KEYS[1], &row.source), set(FIELD_KEYS[2], &row.target)],
                }
            }
            What::Row(at) => {
                // What is on the screen must be what is saved: a verdict of an older choice says nothing.
                let Some((_, verdict)) = self.verdict.as_ref().filter(|(judged, _)| *judged == row) else {
                    return turn.say("Still looking. Enter again saves it.");
                };
                if let Some(why) = &verdict.refused {
                    return turn.complain(format!("Not saved: {why}."));
                }
                let mut rows = settings.field_mappings.clone();
                match at.and_then(|at| rows.get_mut(at)) {
                    Some(old) => *old = row,
                    None => rows.push(row),
                }
                let Some(command) = save(&rows) else { return };
                command
            }
        };
        turn.send(command);
        turn.close();
    }

    fn title(&self) -> String {
        let what = match self.what {
            What::Row(_) => "choose both fields",
            What::Matching => "match assets on",
            What::AssetType => "field that names the asset's type",
        };
        format!("{} > {what}", self.integration.label())
    }
}

impl View for FieldPicker {
    fn scope(&self) -> Scope {
        Scope::Picker
    }

    fn name(&self) -> Option<String> {
        Some(self.title())
    }

    fn edits(&self) -> Option<String> {
        Some(format!("the field mappings of {}", self.integration.label()))
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        "choose fields".into()
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        turn.ask(Query::FieldSides { integration: self.integration });
    }

    fn is_typing(&self) -> bool {
        true
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        let rows = draw::parts(turn.area).list.height.saturating_sub(1).into();
        match input {
            Input::Key(Key::Esc) => return turn.close(),
            Input::Key(Key::Enter) if !self.on_right && self.has_right() => self.on_right = true,
            Input::Key(Key::Enter) => return self.take(turn),
            Input::Key(Key::Tab | Key::BackTab) if self.has_right() => self.on_right = !self.on_right,
            Input::Key(Key::Ctrl('t')) => {
                let at = KINDS.iter().position(|kind| *kind == self.new_kind()).unwrap_or(0);
                self.kind = Some(KINDS[(at + 1) % KINDS.len()]);
            }
            Input::Key(Key::Ctrl('f')) => self.before.fill_blank = !self.before.fill_blank,
            Input::Key(Key::Down) => self.half().list.move_by(1),
            Input::Key(Key::Up) => self.half().list.move_by(-1),
            Input::Key(Key::PageDown) => drop(self.half().list.act(Action::PageDown, rows)),
            Input::Key(Key::PageUp) => drop(self.half().list.act(Action::PageUp, rows)),
            input => {
                let before = self.half().field.text();
                self.half().field.input(input);
                if self.half().field.text() != before {
                    self.search();
                }
            }
        }
        if !self.on_right {
            self.propose();
        }
        self.judge(turn);
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::FieldSides { integration }, result) if *integration == self.integration => {
                match result {
                    Ok(Answer::FieldSides(sides)) => {
                        let is_first = !self.is_known;
                        self.sides = (**sides).clone();
                        self.is_known = true;
                        if is_first {
                            self.begin();
                        }
                        self.asked = None;
                        self.judge(turn);
                    }
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
            }
            News::Answer(Query::FieldVerdict { row, .. }, Ok(Answer::FieldVerdict(verdict)))
                if self.asked.as_ref() == Some(&**row) =>
            {
                self.verdict = Some(((**row).clone(), (**verdict).clone()));
            }
            News::Reply(command, Ok(Reply::Done(_))) if matches!(**command, Command::ReadFields { .. }) => {
                self.is_known = false;
                turn.ask(Query::FieldSides { integration: self.integration });
            }
            _ => {}
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        let rows = draw::parts(turn.area).list.height.saturating_sub(1).into();
        self.left.list.keep_visible(rows);
        self.right.list.keep_visible(rows);
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        self.show(canvas, area);
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        self.keys(canvas, area);
        true
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let list = draw::parts(turn.area).list;
        let half = self.half();
        let first = half.list.visible(list.height.saturating_sub(1).into()).start;
        if let Some(row) = (line + turn.area.y).checked_sub(list.y + 1) {
            half.list.select_at(first + usize::from(row));
        }
        self.judge(turn);
    }

    fn about(&self) -> About {
        About {
            what: "Choose a field on both sides. The lists are what records of both sides really have.",
            signs: &[
                ("'word", "exactly"),
                ("^word", "at the start"),
                ("word$", "at the end"),
                ("!word", "without"),
            ],
            rules: &[
                "Tab goes to the other side, Enter on Halo's side saves.",
                "The last entry makes a field in Halo at the next import, of the kind that the values have; Ctrl-T takes another.",
                "Ctrl-F: write only where Halo has nothing.",
            ],
        }
    }
}
