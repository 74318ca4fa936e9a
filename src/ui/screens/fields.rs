//! Which field of an integration feeds which field of Halo (ux.md 3.5). Of assets the rows are a person's own: they are
//! edited here, against samples of real records. Everywhere else a row leads to the setting behind it.

mod draw;
mod edit;
mod hear;
pub mod picker;
pub mod trial;

use ratatui::layout::Rect;
use serde_json::{Value, json};

use self::picker::{FieldPicker, What};
use self::trial::TrialScreen;
use super::plan::PlanScreen;
use super::settings::Settings;
use crate::host::words::{Command, FieldTable, PlaceState, Query};
use crate::integrations::Rule;
use crate::integrations::field_sample::{FieldLine, LineOf};
use crate::model::{Integration, Place, Problem};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::{Prompt, Typed};

#[derive(Debug, Clone)]
pub struct Fields {
    integration: Integration,
    table: FieldTable,
    /// Numbers of the lines that the filter lets through.
    list: List<usize>,
    text: String,
    state: Option<State>,
    prompt: Option<Prompt<Asking>>,
    is_asked: bool,
    is_known: bool,
    /// Reads by itself once, if nothing was ever read.
    has_read: bool,
    was_entered: bool,
    trouble: Option<Problem>,
    /// First line shown of the details.
    scroll: u16,
    /// The target of the row that the cursor follows through the next answer.
    follows: Option<String>,
}

/// What is typed in the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Filter,
    ExportTo,
    ImportFrom,
}

/// What lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Mapped,
    Open,
    Ignored,
    Trouble,
}

impl Default for Fields {
    fn default() -> Self {
        Self::of(Integration::ALL[0])
    }
}

impl Fields {
    fn of(integration: Integration) -> Self {
        Self {
            integration,
            table: FieldTable::default(),
            list: List::default(),
            text: String::new(),
            state: None,
            prompt: None,
            is_asked: false,
            is_known: false,
            has_read: false,
            was_entered: false,
            trouble: None,
            scroll: 0,
            follows: None,
        }
    }

    /// Whether its rows are a person's own.
    const fn is_editable(&self) -> bool {
        matches!(self.integration, Integration::Liongard)
    }

    fn selected(&self) -> Option<&FieldLine> {
        self.table.lines.get(*self.list.selected()?)
    }

    fn lay_out(&mut self) {
        let words: Vec<_> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let shown = |line: &FieldLine| {
            let rule = &line.rule;
            let text =
                format!("{} {} {} {}", rule.source, rule.target, rule.entity, rule.rule.key()).to_lowercase();
            let fits = match self.state {
                None => true,
                Some(State::Mapped) => matches!(line.of, LineOf::Row(_)),
                Some(State::Open) => line.of == LineOf::Open,
                Some(State::Ignored) => line.of == LineOf::Ignored,
                Some(State::Trouble) => draw::has_trouble(line),
            };
            fits && words.iter().all(|word| text.contains(word.as_str()))
        };
        let lines = self.table.lines.iter().enumerate();
        let ids = lines.filter(|(_, line)| shown(line)).map(|(i, _)| i).collect();
        self.list.replace(ids);
    }

    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        turn.ask(Query::FieldTable { integration: self.integration });
    }

    /// Reads records of both sides, unless that is under way.
    fn read(&mut self, turn: &mut Turn<'_>) {
        self.has_read = true;
        if !turn.mirror.reading.contains_key(&self.integration) {
            turn.send(Command::ReadFields { integration: self.integration });
        }
    }

    fn typed(&mut self, typed: Typed, turn: &mut Turn<'_>) {
        let Some(what) = self.prompt.as_ref().map(|prompt| prompt.what) else { return };
        match (what, typed) {
            (Asking::Filter, Typed::Changed(text)) => self.text = text,
            (_, Typed::Going | Typed::Changed(_)) => {}
            (Asking::Filter, Typed::Dropped) => {
                self.prompt = None;
                self.text.clear();
            }
            (Asking::Filter, Typed::Done(_)) | (_, Typed::Dropped) => self.prompt = None,
            (Asking::ExportTo, Typed::Done(path)) => {
                self.prompt = None;
                self.export(path.trim(), turn);
            }
            (Asking::ImportFrom, Typed::Done(path)) => {
                self.prompt = None;
                edit::read(path.trim(), turn);
            }
        }
        self.lay_out();
    }

    /// Enter: the chooser for what is a person's own, else the setting behind the line.
    fn open(&mut self, turn: &mut Turn<'_>) {
        let Some(line) = self.selected() else { return };
        let what = match line.of {
            LineOf::Matching => What::Matching,
            LineOf::AssetType => What::AssetType,
            LineOf::Row(at) => What::Row(Some(at)),
            LineOf::Open | LineOf::Ignored => What::Row(None),
            LineOf::Rule => match &line.rule.editable_setting {
                Some(setting) => {
                    let key = format!("{}.{setting}", self.integration.key());
                    return turn.open(Settings::at(Place::Of(self.integration), key));
                }
                None => {
                    return turn
                        .say("This row is fixed by the vendor's rules: there is no setting behind it.");
                }
            },
        };
        turn.open(FieldPicker::new(self.integration, what, Some(line)));
    }
}

impl View for Fields {
    fn scope(&self) -> Scope {
        Scope::Fields
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        Some((format!("{} > Fields", self.integration.label()), self.summary(mirror)))
    }

    fn summary(&self, mirror: &Mirror) -> String {
        if let Some(reading) = mirror.reading.get(&self.integration) {
            let of = reading.of.map(|of| format!(" of {of}")).unwrap_or_default();
            return format!("reading {} {}{of}", reading.what, reading.done);
        }
        if self.table.lines.is_empty() {
            return self.integration.label().to_owned();
        }
        let lines = &self.table.lines;
        if self.is_editable() {
            let showing = self.state.map(|state| format!("showing {}: {}   ", state.word(), self.list.len()));
            return showing.unwrap_or_default() + &draw::sum(lines);
        }
        let count = |rule| lines.iter().filter(|line| line.rule.rule == rule).count();
        format!(
            "{} follow the source, {} at creation, {} off",
            count(Rule::Source),
            count(Rule::AtCreation),
            count(Rule::Off)
        )
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.was_entered = true;
        self.ask(turn);
    }

    fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            let typed = prompt.input(input);
            self.typed(typed, turn);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            self.scroll = 0;
            return true;
        }
        match action {
            Action::Filter => self.prompt = Some(Prompt::new(Asking::Filter, "filter >", &self.text)),
            Action::Refresh if self.is_editable() => self.read(turn),
            Action::Refresh => self.ask(turn),
            Action::NextIntegration | Action::PreviousIntegration => {
                let by = if action == Action::NextIntegration { 1 } else { Integration::ALL.len() - 1 };
                let at = Integration::ALL.iter().position(|i| *i == self.integration).unwrap_or(0);
                let next = Integration::ALL[(at + by) % Integration::ALL.len()];
                *self = Self { was_entered: true, ..Self::of(next) };
                self.ask(turn);
            }
            Action::DetailsDown => self.scroll = self.scroll.saturating_add(1),
            Action::DetailsUp => self.scroll = self.scroll.saturating_sub(1),
            Action::EditRule => self.open(turn),
            Action::Why => {
                let why = self.selected().map(draw::why).unwrap_or_default();
                turn.say(why);
            }
            Action::PlanIt => turn.open(PlanScreen::build(self.integration)),
            Action::Export => {
                let name = format!("fields-{}.csv", self.integration.key());
                self.prompt = Some(Prompt::proposing(Asking::ExportTo, "export to >", &name));
            }
            Action::ImportFields => {
                let name = format!("fields-{}.csv", self.integration.key());
                self.prompt = Some(Prompt::proposing(Asking::ImportFrom, "import from >", &name));
            }
            Action::TryFields => turn.open(TrialScreen::new(self.integration)),
            Action::AddField => turn.open(FieldPicker::new(self.integration, What::Row(None), None)),
            Action::Copy | Action::FilterState => {}
            other => return self.change(other, turn),
        }
        true
    }

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        let of = self.selected().map(|line| line.of);
        let own = matches!(
            action,
            Action::AddField
                | Action::PickField
                | Action::CreateField
                | Action::EqualNames
                | Action::FillBlank
                | Action::RemoveField
                | Action::IgnoreField
                | Action::MoveFieldUp
                | Action::MoveFieldDown
                | Action::TryFields
                | Action::CopyFields
                | Action::ImportFields
                | Action::Export
                | Action::Undo
                | Action::Redo
        );
        if own && !self.is_editable() {
            return not("the fields of this integration are fixed by the vendor's rules.");
        }
        let off = match mirror.place(Place::Of(self.integration)).map(|place| place.state) {
            Some(PlaceState::Off) => Some("is switched off"),
            Some(PlaceState::NotConfigured) => Some("is not set up"),
            _ => None,
        };
        match (action, off) {
            (Action::TryFields | Action::PlanIt, Some(why)) => {
                return not(&format!("{} {why}. Go to Integrations (1) first.", self.integration.label()));
            }
            (Action::Refresh, Some(why)) if self.is_editable() => {
                return not(&format!("{} {why}. Go to Integrations (1) first.", self.integration.label()));
            }
            _ => {}
        }
        match action {
            Action::EditRule
                if of == Some(LineOf::Rule)
                    && self.selected().is_some_and(|line| line.rule.editable_setting.is_none()) =>
            {
                not("this row is fixed by the vendor's rules.")
            }
            Action::PickField | Action::CreateField
                if !matches!(
                    of,
                    Some(LineOf::Row(_) | LineOf::Open | LineOf::Ignored | LineOf::Matching)
                ) =>
            {
                not("this line has no field of Halo to choose.")
            }
            Action::FillBlank | Action::RemoveField | Action::MoveFieldUp | Action::MoveFieldDown
                if !matches!(of, Some(LineOf::Row(_))) =>
            {
                not("only rows of the field mappings can be changed so.")
            }
            Action::IgnoreField if !matches!(of, Some(LineOf::Open | LineOf::Ignored)) => {
                not("it feeds a field, or decides something: d removes a row, and then it can be ignored.")
            }
            Action::EqualNames if self.table.equal.is_empty() => {
                not("no unmapped field has the name of a free one in Halo.")
            }
            Action::CopyFields if self.table.copies.iter().all(|copy| copy.rows.is_empty()) => {
                not("the planning workspace names no asset field that is not mapped already.")
            }
            Action::Undo if self.table.undo.is_none() => not("nothing was changed here yet."),
            Action::Redo if self.table.redo.is_none() => not("nothing was taken back."),
            Action::FilterState if !self.is_editable() => not("this list is short enough to be seen whole."),
            Action::Order => not("the rows stand in the order in which they are set; < and > move one."),
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => vec![('r', "row".into()), ('e', "rule".into())],
            Action::FilterState => vec![
                ('m', "mapped".into()),
                ('o', "open".into()),
                ('x', "ignored".into()),
                ('t', "trouble".into()),
                ('f', "all".into()),
            ],
            _ => Vec::new(),
        }
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        if action == Action::FilterState {
            self.state = match letter {
                'm' => Some(State::Mapped),
                'o' => Some(State::Open),
                'x' => Some(State::Ignored),
                't' => Some(State::Trouble),
                _ => None,
            };
            return self.lay_out();
        }
        let Some(line) = self.selected() else { return };
        let rule = &line.rule;
        let text = match letter {
            'e' => draw::why(line),
            _ => format!("{} -> {} ({})", rule.source, rule.target, rule.rule.key()),
        };
        turn.copy(text);
    }

    fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        let is_filtered = !self.text.is_empty() || self.state.is_some();
        self.text.clear();
        self.state = None;
        self.lay_out();
        is_filtered
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        self.list.keep_visible(list_and_details(turn.area, turn.in_overview).rows());
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        if line > 0 {
            let first = self.list.visible(list_and_details(turn.area, turn.in_overview).rows()).start;
            self.list.select_at(first + usize::from(line) - 1);
        }
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        self.learn(news, turn);
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        self.paint(canvas, area, in_overview);
    }

    fn hints(&self) -> &'static [Action] {
        if self.is_editable() {
            &[
                Action::EditRule,
                Action::PickField,
                Action::CreateField,
                Action::TryFields,
                Action::RemoveField,
                Action::Undo,
                Action::NextIntegration,
                Action::AddField,
                Action::EqualNames,
                Action::Palette,
            ]
        } else {
            &[
                Action::EditRule,
                Action::Why,
                Action::NextIntegration,
                Action::Filter,
                Action::Copy,
                Action::Palette,
            ]
        }
    }

    fn about(&self) -> About {
        About {
            what: "Which field of an integration feeds which field of Halo, and when it is written.",
            signs: &[
                ("=", "mapped, and every value fits"),
                ("!", "a value does not fit, or the row cannot be used"),
                ("+", "the next import makes the field in Halo"),
                ("?", "has values, and nothing is fed by it"),
                ("x", "left out on purpose: x offers it again"),
            ],
            rules: &[
                "A field written always follows the source: an edit by hand in Halo is taken back, and the plan shows it.",
                "A blank value never clears what Halo holds; one that does not fit is left out, and the log names it (L15).",
                "One source a field: a second one is refused before it is saved.",
                "Rows without a setting are fixed by the vendor's rules.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({ "integration": self.integration.key(), "row": self.list.selected() })
    }

    fn restore(&mut self, saved: &Value) {
        if let Some(integration) = saved["integration"].as_str().and_then(|key| key.parse().ok()) {
            *self = Self::of(integration);
        }
        if let Some(row) = saved["row"].as_u64() {
            self.list.replace(vec![row as usize]);
        }
    }
}
