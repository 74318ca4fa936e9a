//! The customer mappings: which source customer is which Halo customer (ux.md 3.3). The order is frozen when the pane is
//! entered: a row that changes state stays where it is until the next order.

mod decide;
mod draw;
mod file;
mod filter;
mod hear;
mod row;

pub(in crate::ui) use draw::partner_head;
pub use file::import_steps;
pub(in crate::ui) use row::carried;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ratatui::layout::Rect;
use serde_json::{Value, json};

use self::row::split_note;
use super::plan::PlanScreen;
use super::push::PushScreen;
use crate::host::words::{Aspect, Command, MapCounts, MapFilter, MapRow, MapState, PlaceState, Query};
use crate::model::{Date, Decision, Integration, Moment, Place, PlanId, SourceId};
use crate::plan::Purpose;
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::layout::list_and_details;
use crate::ui::list::{List, Window};
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::{Prompt, Typed};

#[derive(Debug, Clone)]
pub struct Customers {
    integration: Integration,
    list: List<SourceId>,
    rows: Window<SourceId, MapRow>,
    counts: MapCounts,
    read_at: Option<Moment>,
    trouble: Option<String>,
    is_asked: bool,
    /// The order has been answered at least once.
    is_known: bool,
    /// The next answer brings a new order; else only its counts are taken.
    wants_order: bool,
    filter: MapFilter,
    by_target: bool,
    /// By target: where the rows of each target end; the rest has none.
    groups: Vec<usize>,
    /// The order turned round.
    is_turned: bool,
    prompt: Option<Prompt<Asking>>,
    /// First line shown of the details.
    scroll: u16,
    last: Option<Decision>,
    /// The candidate shown of a row, where it is not the first.
    shown: BTreeMap<SourceId, usize>,
    is_scored: bool,
    /// Rows that must be here before something is done with all of them.
    waits: Option<(Vec<SourceId>, Then)>,
    /// A view over this pane is open: coming back is no new entry.
    is_below: bool,
    was_entered: bool,
    /// Reads by itself once, if nothing was ever read.
    has_read: bool,
    /// A plan that was finished after its view was left, or is still being built.
    plan: Planned,
    now: Option<Moment>,
}

/// What is typed in the last line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asking {
    Filter,
    Note(SourceId),
    /// Until when; the note comes first.
    Until(SourceId, String),
    ExportTo,
    ImportFrom,
}

/// What is done once all rows are here.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    AcceptMarked,
    Export(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Planned {
    #[default]
    None,
    Building,
    Ready(PlanId),
}

impl Default for Customers {
    fn default() -> Self {
        Self::of(Integration::ALL[0])
    }
}

impl Customers {
    pub fn of(integration: Integration) -> Self {
        Self {
            integration,
            list: List::default(),
            rows: Window::default(),
            counts: MapCounts::default(),
            read_at: None,
            trouble: None,
            is_asked: false,
            is_known: false,
            wants_order: true,
            filter: MapFilter::default(),
            by_target: false,
            groups: Vec::new(),
            is_turned: false,
            prompt: None,
            scroll: 0,
            last: None,
            shown: BTreeMap::new(),
            is_scored: false,
            waits: None,
            is_below: false,
            was_entered: false,
            has_read: false,
            plan: Planned::None,
            now: None,
        }
    }

    fn selected(&self) -> Option<&MapRow> {
        self.rows.get(self.list.selected()?)
    }

    fn query(&self) -> Query {
        Query::MapOrder {
            integration: self.integration,
            filter: self.filter.clone(),
            by_target: self.by_target,
        }
    }

    fn ask_order(&mut self, turn: &mut Turn<'_>) {
        self.wants_order = true;
        self.is_asked = true;
        turn.ask(self.query());
    }

    fn place<'a>(&self, mirror: &'a Mirror) -> Option<&'a crate::host::words::PlaceView> {
        mirror.place(Place::Of(self.integration))
    }

    fn typed(&mut self, typed: Typed, turn: &mut Turn<'_>) {
        let Some(what) = self.prompt.as_ref().map(|prompt| prompt.what.clone()) else { return };
        match (what, typed) {
            (Asking::Filter, Typed::Changed(text)) => self.set_text(text, turn),
            (_, Typed::Going | Typed::Changed(_)) => {}
            (Asking::Filter, Typed::Dropped) => {
                self.prompt = None;
                self.set_text(String::new(), turn);
            }
            (Asking::Filter, Typed::Done(_)) | (_, Typed::Dropped) => self.prompt = None,
            (Asking::Note(id), Typed::Done(note)) => {
                let until = self.rows.get(&id).and_then(|row| split_note(&row.note).1);
                let until = until.map(|day| day.to_string()).unwrap_or_default();
                self.prompt =
                    Some(Prompt::new(Asking::Until(id, note), "until (2027-03-31, or nothing) >", &until));
            }
            (Asking::Until(id, note), Typed::Done(day)) => {
                let until = match day.trim() {
                    "" => None,
                    day => match day.parse::<Date>() {
                        Ok(day) => Some(day),
                        Err(_) => return turn.complain(format!("'{day}' is not a date such as 2027-03-31.")),
                    },
                };
                self.prompt = None;
                self.decide(vec![(id, Decision::Exclude { note: note.trim().into(), until })], turn);
            }
            (Asking::ExportTo, Typed::Done(path)) => {
                self.prompt = None;
                let ids = self.list.ids().to_vec();
                turn.ask(Query::MapRows { integration: self.integration, ids: ids.clone() });
                self.waits = Some((ids, Then::Export(path.trim().into())));
            }
            (Asking::ImportFrom, Typed::Done(path)) => {
                self.prompt = None;
                turn.steps.extend(import_steps(&path));
            }
        }
    }

    fn set_text(&mut self, text: String, turn: &mut Turn<'_>) {
        if self.filter.text != text {
            self.filter.text = text;
            self.ask_order(turn);
        }
    }

    fn read(&mut self, turn: &mut Turn<'_>) {
        if !turn.mirror.reading.contains_key(&self.integration) {
            turn.send(Command::ReadCustomers { integration: self.integration });
        }
    }

    fn switch(&mut self, forward: bool, turn: &mut Turn<'_>) {
        let all: Vec<Integration> =
            Integration::ALL.into_iter().filter(|one| one.has_mapping_table()).collect();
        let at = all.iter().position(|one| *one == self.integration).unwrap_or(0);
        let by = if forward { 1 } else { all.len() - 1 };
        self.show(all[(at + by) % all.len()], turn);
    }

    /// Shows the table of another integration.
    pub fn show(&mut self, integration: Integration, turn: &mut Turn<'_>) {
        if integration != self.integration && integration.has_mapping_table() {
            *self = Self { was_entered: true, ..Self::of(integration) };
            self.ask_order(turn);
        }
    }

    fn plan(&mut self, turn: &mut Turn<'_>) {
        self.is_below = true;
        let screen = match self.plan {
            Planned::Ready(plan) => PlanScreen::of(self.integration, plan),
            Planned::Building => PlanScreen::waiting(self.integration),
            Planned::None => PlanScreen::build(self.integration),
        };
        if self.plan == Planned::None {
            self.plan = Planned::Building;
        }
        turn.open(screen);
    }
}

impl View for Customers {
    fn scope(&self) -> Scope {
        Scope::Customers
    }

    /// A note is being written about a customer.
    fn edits(&self) -> Option<String> {
        match self.prompt.as_ref().map(|prompt| &prompt.what) {
            Some(Asking::Note(id) | Asking::Until(id, _)) => {
                Some(crate::ui::others::customer(self.integration, id))
            }
            _ => None,
        }
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let left = format!("{} > Customers", self.integration.label());
        Some((left, self.summary(mirror)))
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.was_entered = true;
        if std::mem::take(&mut self.is_below) {
            turn.ask(self.query());
        } else {
            self.ask_order(turn);
        }
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
        let rows = list_and_details(turn.area, turn.in_overview).rows();
        if self.list.act(action, rows) {
            self.scroll = 0;
            return true;
        }
        match action {
            Action::DetailsDown => self.scroll += 1,
            Action::DetailsUp => self.scroll = self.scroll.saturating_sub(1),
            Action::Refresh => self.read(turn),
            Action::Filter => self.prompt = Some(Prompt::new(Asking::Filter, "filter >", &self.filter.text)),
            Action::AcceptAll => turn.send(Command::Generate { integration: self.integration }),
            Action::Undo | Action::Redo => {
                turn.send(Command::Undo { integration: self.integration, redo: action == Action::Redo });
            }
            Action::Mark => self.list.mark(),
            Action::MarkAll => self.list.mark_all(),
            Action::MarkTo => {
                if !self.list.mark_to() {
                    turn.say("From here; go to the other end and press it again.");
                }
            }
            Action::NextCandidate => self.walk(true, turn),
            Action::PreviousCandidate => self.walk(false, turn),
            Action::NextUndecided => self.next_undecided(true, turn),
            Action::PreviousUndecided => self.next_undecided(false, turn),
            Action::NextIntegration => self.switch(true, turn),
            Action::PreviousIntegration => self.switch(false, turn),
            Action::PlanIt => self.plan(turn),
            Action::PushThere => {
                self.is_below = true;
                turn.open(PushScreen::default());
            }
            Action::PlanOne => match self.list.selected() {
                Some(id) => {
                    let purpose = Purpose::Narrow {
                        customers: [id.clone()].into(),
                        records: std::collections::BTreeSet::new(),
                    };
                    turn.open(PlanScreen::with(self.integration, purpose));
                }
                None => turn.say("No customer is selected."),
            },
            Action::Export => {
                let name = format!("mappings-{}.csv", self.integration.key());
                self.prompt = Some(Prompt::proposing(Asking::ExportTo, "export to >", &name));
            }
            Action::ImportMappings => {
                let name = format!("mappings-{}.csv", self.integration.key());
                self.prompt = Some(Prompt::proposing(Asking::ImportFrom, "import from >", &name));
            }
            Action::Copy | Action::FilterState | Action::Order => {}
            _ => return self.act_on_rows(action, turn),
        }
        true
    }

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        let state = self.selected().map(|row| row.state);
        let off = match self.place(mirror).map(|place| place.state) {
            Some(PlaceState::Off) => Some("is switched off"),
            Some(PlaceState::NotConfigured) => Some("is not set up"),
            _ => None,
        };
        match action {
            Action::PushThere if self.integration != Integration::Liongard => {
                not("Only Liongard takes customers of Halo.")
            }
            Action::AcceptAll | Action::PlanIt | Action::PlanOne | Action::Refresh if off.is_some() => {
                not(&format!(
                    "{} {}. Go to Integrations (1) first.",
                    self.integration.label(),
                    off.unwrap_or_default()
                ))
            }
            Action::Accept
            | Action::Pick
            | Action::ReallyNew
            | Action::Exclude
            | Action::RemoveMapping
            | Action::Repeat
            | Action::Why
            | Action::Card
            | Action::Mark
            | Action::MarkTo
            | Action::MarkAll
            | Action::Export
                if self.list.is_empty() =>
            {
                not("No row is shown.")
            }
            Action::ChooseSite if self.integration.target(self.integration.root()) != Place::Halo => {
                not("Only customers in Halo have sites to choose from.")
            }
            Action::ChooseSite if self.selected().is_none_or(|row| row.target.is_none()) => {
                not("It is not mapped, so there is no site to choose.")
            }
            Action::RejectPair | Action::NextCandidate | Action::PreviousCandidate
                if self.selected().is_none_or(|row| row.candidates.is_empty()) =>
            {
                not("No partner is suggested for it.")
            }
            Action::RemoveMapping if state == Some(MapState::Unmapped) && self.list.marks().is_empty() => {
                not("It is undecided already.")
            }
            Action::ReallyNew
                if matches!(state, Some(MapState::Mapped | MapState::Renamed))
                    && self.list.marks().is_empty() =>
            {
                not("It is mapped; d takes the mapping away first.")
            }
            Action::Repeat if self.last.is_none() => not("Nothing has been decided here since the start."),
            Action::AcceptAll if self.read_at.is_some() && self.counts.exact == 0 => {
                let there = self.integration.target(self.integration.root()).label();
                not(&format!("No undecided customer has an exact namesake of its own in {there}."))
            }
            _ => Availability::Ready,
        }
    }

    fn peel(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.list.clear_marks() {
            return true;
        }
        if self.is_filtered() {
            self.filter = MapFilter::default();
            self.ask_order(turn);
            return true;
        }
        false
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.now = Some(turn.now.moment);
        if !self.is_asked {
            self.ask_order(turn);
        }
        let rows = list_and_details(turn.area, turn.in_overview).rows();
        self.list.keep_visible(rows);
        let (ids, is_ahead) = self.rows.wanted(rows, |margin| self.list.around(rows, margin));
        if !ids.is_empty() {
            turn.ask_rows(Query::MapRows { integration: self.integration, ids }, is_ahead);
        }
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

    fn summary(&self, mirror: &Mirror) -> String {
        self.counts(mirror)
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        self.filter_letters(action)
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        self.take_letter(action, letter, turn);
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        self.learn(news, turn);
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        self.paint(canvas, area, in_overview);
    }

    fn hints(&self) -> &'static [Action] {
        if matches!(self.integration, Integration::Liongard) {
            return &[
                Action::Accept,
                Action::NextCandidate,
                Action::Pick,
                Action::ReallyNew,
                Action::PushThere,
                Action::Exclude,
                Action::Undo,
                Action::PlanIt,
                Action::AcceptAll,
                Action::Filter,
                Action::Palette,
            ];
        }
        &[
            Action::Accept,
            Action::NextCandidate,
            Action::Pick,
            Action::ReallyNew,
            Action::Exclude,
            Action::AcceptAll,
            Action::Undo,
            Action::PlanIt,
            Action::Filter,
            Action::FilterState,
            Action::Palette,
        ]
    }

    fn about(&self) -> About {
        if matches!(self.integration, Integration::Hudu) {
            return ABOUT_HUDU;
        }
        About {
            what: "Which customer of the marketplace is which customer in Halo. The mapping decides who receives what.",
            signs: &[
                ("=", "mapped"),
                ("~", "undecided, with a suggestion: Enter takes the one shown, Right shows the next"),
                ("!", "undecided, two are equally near: Enter opens the picker"),
                ("?", "undecided, nobody is near: Enter opens the picker"),
                ("+", "will be created in Halo as new"),
                ("x", "left alone by every import"),
                ("o", "mapped, but one of the two is gone"),
                (">", "mapped, and renamed on one side since"),
                ("*", "marked"),
            ],
            rules: &[
                "Nothing below an exact name is ever mapped by the program itself.",
                "A filter such as >95 keeps suggestions of that score or more; * and Enter take them all.",
                "The order stays as it is until you choose one (o) or come back to the pane.",
                "Several customers may feed one Halo customer; one customer feeds never two.",
                "Decisions write nothing to Halo. A mapping that is taken away deletes nothing.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({
            "integration": self.integration.key(),
            "text": self.filter.text,
            "aspect": self.filter.aspect.map(Aspect::key),
            "states": self.filter.states.iter().map(|state| state.key()).collect::<Vec<_>>(),
            "by_target": self.by_target,
            "row": self.list.selected().map(SourceId::as_str),
        })
    }

    fn restore(&mut self, saved: &Value) {
        if let Some(integration) = saved["integration"].as_str().and_then(|key| key.parse().ok()) {
            *self = Self::of(integration);
        }
        saved["text"].as_str().unwrap_or_default().clone_into(&mut self.filter.text);
        let states = saved["states"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let keys: Vec<_> = states.collect();
        self.filter.states = MapState::ALL.into_iter().filter(|state| keys.contains(&state.key())).collect();
        self.filter.aspect = Aspect::ALL.into_iter().find(|aspect| saved["aspect"] == aspect.key());
        self.by_target = saved["by_target"].as_bool().unwrap_or(false);
        if let Some(row) = saved["row"].as_str() {
            self.list.replace(vec![SourceId::new(row)]);
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Hudu's two stages (H10, H11): match first, import then.
const ABOUT_HUDU: About = About {
    what: "Which customer of Halo is which company in Hudu. Nothing of a customer is written before it is matched here.",
    signs: &[
        ("=", "matched: the next plan brings its sites, contracts and users"),
        ("~", "undecided, with a suggestion: Enter takes the one shown, Right shows the next"),
        ("!", "undecided, two are equally near: Enter opens the picker"),
        ("?", "undecided, nobody is near: Enter opens the picker"),
        ("+", "the next plan creates a company for it"),
        ("x", "left alone: nothing of it is written"),
        ("o", "matched, but one of the two is gone"),
        (">", "matched, and renamed on one side since"),
        ("*", "marked"),
    ],
    rules: &[
        "Nothing below an exact name is ever matched by the program itself.",
        "A company is never archived, and an archived one is left alone with all that is its.",
        "Hudu lists no archived companies, yet one still owns its name: a create then says so.",
        "Several customers may feed one company; one customer feeds never two.",
        "Decisions write nothing to Hudu. A match that is taken away deletes nothing.",
    ],
};
