//! Which field of a marketplace feeds which field of Halo, and when it is written (ux.md 3.5).

use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::settings::Settings;
use crate::host::words::{Answer, Event, Query};
use crate::integrations::{FieldRule, Rule};
use crate::model::{Entity, Integration, Place, Problem};
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::Key;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::table::{self, Column, Row, cell};

#[derive(Debug, Clone)]
pub struct Fields {
    integration: Integration,
    rules: Vec<FieldRule>,
    /// Numbers of the rules that the filter lets through.
    list: List<usize>,
    text: String,
    prompt: Option<Prompt<()>>,
    is_asked: bool,
    trouble: Option<Problem>,
}

impl Default for Fields {
    fn default() -> Self {
        Self::of(Integration::ALL[0])
    }
}

const HALO: Column = Column::growing("Halo field", 10);
const HUDU: Column = Column::growing("Hudu field", 10);

impl Fields {
    fn of(integration: Integration) -> Self {
        Self {
            integration,
            rules: Vec::new(),
            list: List::default(),
            text: String::new(),
            prompt: None,
            is_asked: false,
            trouble: None,
        }
    }

    fn selected(&self) -> Option<&FieldRule> {
        self.rules.get(*self.list.selected()?)
    }

    fn lay_out(&mut self) {
        let words: Vec<_> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let shown = |rule: &FieldRule| {
            let text =
                format!("{} {} {} {}", rule.source, rule.target, rule.entity, rule.rule.key()).to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        };
        let ids = self.rules.iter().enumerate().filter(|(_, rule)| shown(rule)).map(|(i, _)| i).collect();
        self.list.replace(ids);
    }

    pub fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        Some((format!("{} > Fields", self.integration.label()), self.summary(mirror)))
    }

    pub fn summary(&self, _mirror: &Mirror) -> String {
        if self.rules.is_empty() {
            return self.integration.label().to_owned();
        }
        let count = |rule| self.rules.iter().filter(|other| other.rule == rule).count();
        format!(
            "{} follow the source, {} at creation, {} off",
            count(Rule::Source),
            count(Rule::AtCreation),
            count(Rule::Off)
        )
    }

    pub fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        turn.ask(Query::Fields { integration: self.integration });
    }

    pub const fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    pub fn key(&mut self, key: Key, _turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            let typed = prompt.key(key);
            self.typed(typed);
        }
    }

    pub fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        match &mut self.prompt {
            Some(prompt) => {
                let typed = prompt.paste(text);
                self.typed(typed);
            }
            None => turn.say("A paste goes into text fields only; here it does nothing."),
        }
    }

    fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::Going => {}
            Typed::Changed(text) => self.text = text,
            Typed::Done(_) => self.prompt = None,
            Typed::Dropped => {
                self.prompt = None;
                self.text.clear();
            }
        }
        self.lay_out();
    }

    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            return true;
        }
        match action {
            Action::Filter => self.prompt = Some(Prompt::new((), "filter >", &self.text)),
            Action::Refresh => self.ask(turn),
            Action::NextIntegration | Action::PreviousIntegration => {
                let by = if action == Action::NextIntegration { 1 } else { Integration::ALL.len() - 1 };
                let at = Integration::ALL.iter().position(|i| *i == self.integration).unwrap_or(0);
                *self = Self::of(Integration::ALL[(at + by) % Integration::ALL.len()]);
                self.ask(turn);
            }
            Action::EditRule => match self.selected().and_then(|rule| rule.editable_setting.clone()) {
                Some(setting) => {
                    let key = format!("{}.{setting}", self.integration.key());
                    turn.open(Settings::at(Place::Of(self.integration), key));
                }
                None => turn.say("This row is fixed by the vendor's rules: there is no setting behind it."),
            },
            Action::Why => {
                let why = self.selected().map(|rule| rule.note.clone()).unwrap_or_default();
                turn.say(why);
            }
            Action::Copy | Action::DetailsDown | Action::DetailsUp => {}
            _ => return false,
        }
        true
    }

    pub fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        match action {
            Action::EditRule if self.selected().is_some_and(|rule| rule.editable_setting.is_none()) => {
                Availability::Not("this row is fixed by the vendor's rules.".into())
            }
            Action::FilterState | Action::Order => {
                Availability::Not("this list is short enough to be seen whole.".into())
            }
            _ => Availability::Ready,
        }
    }

    pub fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => vec![('r', "row".into()), ('e', "rule".into())],
            _ => Vec::new(),
        }
    }

    pub fn choose(&mut self, _action: Action, letter: char, turn: &mut Turn<'_>) {
        let Some(rule) = self.selected() else { return };
        let text = match letter {
            'e' => rule.note.clone(),
            _ => format!("{} -> {} ({})", rule.source, rule.target, rule.rule.key()),
        };
        turn.copy(text);
    }

    pub fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        let is_filtered = !self.text.is_empty();
        self.text.clear();
        self.lay_out();
        is_filtered
    }

    pub fn may_leave(&mut self, _turn: &mut Turn<'_>) -> bool {
        true
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Fields { integration }, result) if *integration == self.integration => {
                match result {
                    Ok(Answer::Fields(rules)) => {
                        self.rules.clone_from(rules);
                        self.trouble = None;
                        self.lay_out();
                    }
                    Err(problem) => self.trouble = Some(problem.clone()),
                    Ok(_) => {}
                }
            }
            News::Engine(Event::Settings) | News::Missed if self.is_asked => self.ask(turn),
            _ => {}
        }
    }

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        self.list.keep_visible(list_and_details(turn.area, turn.in_overview).rows());
    }

    pub fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        if line > 0 {
            let first = self.list.visible(list_and_details(turn.area, turn.in_overview).rows()).start;
            self.list.select_at(first + usize::from(line) - 1);
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            let text = match &self.trouble {
                Some(problem) => problem.to_string(),
                None if self.rules.is_empty() => "Reading ...".into(),
                None => "No field matches. Esc shows all.".into(),
            };
            return table::empty(canvas, regions.list, &text);
        }
        let source = match self.integration {
            Integration::Also => "ALSO field",
            Integration::Westcoast => "Westcoast field",
            Integration::Hudu => "Halo field",
        };
        let target = if self.integration == Integration::Hudu { HUDU } else { HALO };
        let columns = [
            Column::fixed("of", 13).goes(1),
            Column::growing(source, 13),
            target,
            Column::fixed("kind", 8).goes(2),
            Column::fixed("written", 11),
        ];
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &columns, visible, Some(self.list.position()), |index| {
            let rule = self.rules.get(*self.list.ids().get(index)?)?;
            let before = index.checked_sub(1).and_then(|i| self.rules.get(*self.list.ids().get(i)?));
            // The entity once, at the head of its rows.
            let entity =
                if before.is_some_and(|other| other.entity == rule.entity) { "" } else { rule.entity.key() };
            let (written, role) = match rule.rule {
                Rule::Source => ("always", Role::Good),
                Rule::AtCreation => ("at creation", Role::Text),
                Rule::Off => ("never", Role::Dim),
            };
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(entity, Role::Dim),
                    cell(&*rule.source, Role::Text),
                    cell(&*rule.target, Role::Text),
                    cell(&*rule.kind, Role::Dim),
                    cell(written, role),
                ],
            })
        });
        self.details(canvas, regions.details);
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(rule) = self.selected().filter(|_| area.height > 1) else { return };
        canvas.rule(Rect { height: 1, ..area }, &format!("{} -> {}", rule.source, rule.target));
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let of = match rule.entity {
            Entity::Customers => "a customer",
            Entity::Subscriptions => "a subscription, which is a licence in Halo",
            Entity::Companies => "a customer of Halo, which is a company in Hudu",
            Entity::Sites => "a site, which is an asset in Hudu",
            Entity::Users => "a user, which is an asset in Hudu",
            Entity::Contracts => "a contract, which is an asset in Hudu",
        };
        let (enter, role) = match &rule.editable_setting {
            Some(setting) => {
                (format!("goes to the setting {}.{setting}", self.integration.key()), Role::Accent)
            }
            None => ("nothing: fixed by the vendor's rules".into(), Role::Dim),
        };
        let written = match rule.rule {
            Rule::Source => "at every import: Halo follows the source",
            Rule::AtCreation => "once, with a new record",
            Rule::Off => "never",
        };
        table::facts(
            canvas,
            body,
            &[
                ("means", rule.note.clone(), Role::Text),
                ("written", written.into(), Role::Text),
                ("of", of.into(), Role::Dim),
                ("Enter", enter, role),
            ],
        );
    }

    pub fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    pub const fn hints(&self) -> &'static [Action] {
        &[
            Action::EditRule,
            Action::Why,
            Action::NextIntegration,
            Action::Filter,
            Action::Copy,
            Action::Palette,
        ]
    }

    pub const fn about(&self) -> About {
        About {
            what: "Which field of the marketplace feeds which field of Halo, and when it is written.",
            signs: &[],
            rules: &[
                "A field written always follows the source: an edit by hand in Halo is taken back, and the plan shows it.",
                "Rows without a setting are fixed by the vendor's rules.",
            ],
        }
    }

    pub fn saved(&self) -> Value {
        json!({ "integration": self.integration.key(), "row": self.list.selected() })
    }

    pub fn restore(&mut self, saved: &Value) {
        if let Some(integration) = saved["integration"].as_str().and_then(|key| key.parse().ok()) {
            *self = Self::of(integration);
        }
        if let Some(row) = saved["row"].as_u64() {
            self.list.replace(vec![row as usize]);
        }
    }
}
