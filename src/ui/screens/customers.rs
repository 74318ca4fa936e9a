//! The customer mappings: which source customer is which Halo customer (ux.md 3.3). The order is frozen when the pane is
//! entered: a row that changes state stays where it is until the next order.

mod draw;
mod hear;
mod row;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use ratatui::layout::Rect;
use serde_json::{Value, json};

use self::row::{split_note, why};
use super::picker::Picker;
use super::plan::PlanScreen;
use crate::host::words::{
    Aspect, Command, MapCounts, MapFilter, MapRow, MapState, Party, PlaceState, Query, Suggested,
};
use crate::model::{Date, Decision, How, Integration, Moment, Place, PlanId, SourceId, TargetId};
use crate::plan::Purpose;
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::fit::thousands;
use crate::ui::key::Key;
use crate::ui::layout::list_and_details;
use crate::ui::list::{List, Window};
use crate::ui::message::Effect;
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
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

    /// A note is being written about a customer.
    pub fn edits(&self) -> Option<String> {
        match self.prompt.as_ref().map(|prompt| &prompt.what) {
            Some(Asking::Note(id) | Asking::Until(id, _)) => {
                Some(crate::ui::others::customer(self.integration, id))
            }
            _ => None,
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

    pub fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let left = format!("{} > Customers", self.integration.label());
        Some((left, self.summary(mirror)))
    }

    pub fn summary(&self, mirror: &Mirror) -> String {
        if let Some(reading) = mirror.reading.get(&self.integration) {
            let of = reading.of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
            return format!("reading {} {}{of}", reading.what, thousands(reading.done));
        }
        if !self.is_known || self.read_at.is_none() {
            return if self.is_known { "never read".into() } else { String::new() };
        }
        let counts = &self.counts;
        let mut text = format!("{}:", thousands(counts.all));
        for (sign, count) in by_sign(counts) {
            if count > 0 {
                let _ = write!(text, " {sign} {}", thousands(count));
            }
        }
        // What is shown matters more than what could be.
        if counts.exact > 0 && !self.is_filtered() {
            let _ = write!(text, "  {} exact", thousands(counts.exact));
        }
        let old = self.read_at.zip(self.now).map_or(0, |(at, now)| now.duration_since(at).as_hours() / 24);
        if old > 0 {
            let _ = write!(text, "  read {old} d ago");
        }
        if self.is_filtered() {
            let mut states = String::new();
            for state in &self.filter.states {
                states.push_str(if *state == MapState::Unmapped { " ~ !" } else { "" });
                states.extend([' ', state.sign()]);
            }
            if let Some(aspect) = self.filter.aspect {
                let _ = write!(states, " {}", aspect.key());
            }
            let words =
                if self.filter.text.is_empty() { String::new() } else { format!(" '{}'", self.filter.text) };
            let _ = write!(text, "  showing{states}{words} ({})", thousands(self.list.len() as u64));
        }
        text
    }

    fn is_filtered(&self) -> bool {
        !self.filter.text.is_empty() || !self.filter.states.is_empty() || self.filter.aspect.is_some()
    }

    pub fn enter(&mut self, turn: &mut Turn<'_>) {
        self.was_entered = true;
        if std::mem::take(&mut self.is_below) {
            turn.ask(self.query());
        } else {
            self.ask_order(turn);
        }
    }

    pub const fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            let typed = prompt.key(key);
            self.typed(typed, turn);
        }
    }

    pub fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        match &mut self.prompt {
            Some(prompt) => {
                let typed = prompt.paste(text);
                self.typed(typed, turn);
            }
            None => turn.say("A paste goes into text fields only; here it does nothing."),
        }
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

    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
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
            Action::NextIntegration => self.switch(1, turn),
            Action::PreviousIntegration => self.switch(Integration::ALL.len() - 1, turn),
            Action::PlanIt => self.plan(turn),
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

    fn act_on_rows(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if let (Action::Exclude, Some(row), true) = (action, self.selected(), self.list.marks().is_empty())
            && row.state == MapState::Excluded
        {
            // Once more would only lose its note.
            let row = row.clone();
            self.accept(&row, turn);
            return true;
        }
        let decision = match action {
            Action::ReallyNew => Some(Decision::New),
            Action::Exclude => Some(Decision::Exclude { note: "".into(), until: None }),
            Action::RemoveMapping => Some(Decision::Clear),
            Action::Repeat => self.last.clone(),
            Action::Accept | Action::Pick | Action::Why | Action::RejectPair | Action::Card => None,
            _ => return false,
        };
        if let Some(decision) = decision {
            self.decide_chosen(&decision, turn);
            return true;
        }
        if action == Action::Accept && !self.list.marks().is_empty() {
            let ids = self.list.chosen();
            turn.ask(Query::MapRows { integration: self.integration, ids: ids.clone() });
            self.waits = Some((ids, Then::AcceptMarked));
            return true;
        }
        let Some(row) = self.selected().cloned() else {
            turn.say("This row is still being read.");
            return true;
        };
        match action {
            Action::Accept => self.accept(&row, turn),
            Action::Pick => self.pick(&row, turn),
            Action::RejectPair => self.reject(&row, turn),
            Action::Card => self.card(&row, turn),
            _ => self.tell_why(&row, turn),
        }
        true
    }

    fn accept(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        let walked = self.shown.contains_key(&row.source.id);
        match (row.state, takeable(row, self.candidate(row), walked), &row.target) {
            (MapState::Unmapped, Some(one), _) => {
                let decision = map_to(&one.party);
                self.decide(vec![(row.source.id.clone(), decision)], turn);
                self.next_undecided(true, turn);
            }
            (MapState::Unmapped | MapState::Orphaned, ..) => self.pick(row, turn),
            (MapState::Mapped, ..) if row.aspect == Some(Aspect::Inactive) => self.pick(row, turn),
            (MapState::Renamed, _, Some(target)) => {
                // The same pair: its names of today are taken note of.
                self.decide(vec![(row.source.id.clone(), map_to(target))], turn);
            }
            (MapState::Excluded, ..) => {
                let (note, _) = split_note(&row.note);
                self.prompt = Some(Prompt::new(Asking::Note(row.source.id.clone()), "note >", note));
            }
            _ => self.card(row, turn),
        }
    }

    /// N12: everything that is known of this customer.
    fn card(&self, row: &MapRow, turn: &mut Turn<'_>) {
        turn.send(Command::Card { integration: self.integration, source: row.source.id.clone() });
    }

    /// Which candidate of a row is shown.
    fn candidate(&self, row: &MapRow) -> usize {
        let at = self.shown.get(&row.source.id).copied().unwrap_or(0);
        at.min(row.candidates.len().saturating_sub(1))
    }

    /// Shows another candidate of the selected row.
    fn walk(&mut self, forward: bool, turn: &mut Turn<'_>) {
        let Some(row) = self.selected() else { return };
        let (id, at, of) = (row.source.id.clone(), self.candidate(row), row.candidates.len());
        let next = if forward { at + 1 } else { at.wrapping_sub(1) };
        if next < of {
            self.shown.insert(id, next);
        } else {
            turn.say(match (of, forward) {
                (0, _) => "No partner is suggested for it; m picks by hand.".to_owned(),
                (_, true) => format!("That is the last of {of}; m picks by hand."),
                (_, false) => "That is the best one.".to_owned(),
            });
        }
    }

    /// P14: the candidate that is shown is none.
    fn reject(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        let at = self.candidate(row);
        let Some(one) = row.candidates.get(at) else {
            return turn.say("No partner is suggested for it.");
        };
        let (target, target_name) = (one.party.id.clone(), one.party.name.as_str().into());
        self.shown.remove(&row.source.id);
        let decision = Decision::Reject { target, target_name };
        turn.send(Command::Decide {
            integration: self.integration,
            decisions: vec![(row.source.id.clone(), decision)],
        });
        if row.candidates.len() == 1 {
            self.next_undecided(true, turn);
        }
    }

    /// The rungs that were tried for a row, and what each said.
    fn tell_why(&self, row: &MapRow, turn: &mut Turn<'_>) {
        let lines = why(row, self.integration, |at| turn.look.when(at, turn.now));
        turn.dialog(Confirm::new(format!("Why: {}", row.source.name), lines, "back"));
    }

    fn pick(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        self.is_below = true;
        turn.open(Picker::new(self.integration, row.source.clone(), row.remarks.clone(), true));
    }

    /// One decision about the row under the cursor at once, about marked rows after a question (ux.md 7).
    fn decide_chosen(&mut self, decision: &Decision, turn: &mut Turn<'_>) {
        let ids = self.list.chosen();
        let decisions: Vec<_> = ids.into_iter().map(|id| (id, decision.clone())).collect();
        if self.list.marks().is_empty() {
            let goes_on = *decision != Decision::Clear;
            self.decide(decisions, turn);
            if goes_on {
                self.next_undecided(true, turn);
            }
        } else {
            let what = match decision {
                Decision::Map { target_name, .. } => format!("map to '{target_name}'"),
                Decision::New => "create as new".into(),
                Decision::Exclude { .. } => "exclude".into(),
                Decision::Reject { target_name, .. } => format!("never '{target_name}'"),
                Decision::Clear => "back to undecided".into(),
            };
            self.ask_bulk(&what, decisions, turn);
        }
    }

    fn ask_bulk(&mut self, what: &str, decisions: Vec<(SourceId, Decision)>, turn: &mut Turn<'_>) {
        let count = thousands(decisions.len() as u64);
        let lines = [
            format!("{count} customers of {}.", self.integration.source(self.integration.root()).label()),
            format!("Nothing is written to {}, and u takes all of it back at once.", self.there().0),
        ];
        let send = Effect::Send(Command::Decide { integration: self.integration, decisions });
        turn.dialog(Confirm::new(format!("{count} marked: {what}?"), lines, "not now").choice(
            'y',
            what,
            vec![Step::Do(send)],
        ));
    }

    fn decide(&mut self, decisions: Vec<(SourceId, Decision)>, turn: &mut Turn<'_>) {
        if let [(_, decision)] = decisions.as_slice() {
            self.last = Some(decision.clone());
        }
        turn.send(Command::Decide { integration: self.integration, decisions });
    }

    fn next_undecided(&mut self, down: bool, turn: &mut Turn<'_>) {
        let at = self.list.position();
        let is_open = |index: &usize| {
            let row = self.list.ids().get(*index).and_then(|id| self.rows.get(id));
            // A row that is not here yet may be open.
            row.is_none_or(|row| matches!(row.state, MapState::Unmapped | MapState::Orphaned))
        };
        let found = if down { (at + 1..self.list.len()).find(is_open) } else { (0..at).rev().find(is_open) };
        match found {
            Some(index) => {
                self.list.select_at(index);
                self.scroll = 0;
            }
            None => turn.say(format!("Nothing undecided {} this row.", if down { "below" } else { "above" })),
        }
    }

    fn read(&mut self, turn: &mut Turn<'_>) {
        if !turn.mirror.reading.contains_key(&self.integration) {
            turn.send(Command::ReadCustomers { integration: self.integration });
        }
    }

    fn switch(&mut self, by: usize, turn: &mut Turn<'_>) {
        let at = Integration::ALL.iter().position(|i| *i == self.integration).unwrap_or(0);
        self.show(Integration::ALL[(at + by) % Integration::ALL.len()], turn);
    }

    /// The other side's name, and what it calls a customer.
    const fn there(&self) -> (&'static str, &'static str) {
        let place = self.integration.target(self.integration.root());
        (place.label(), place.party().0)
    }

    /// Shows the table of another integration.
    pub fn show(&mut self, integration: Integration, turn: &mut Turn<'_>) {
        if integration != self.integration {
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

    pub fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        let state = self.selected().map(|row| row.state);
        let off = match self.place(mirror).map(|place| place.state) {
            Some(PlaceState::Off) => Some("is switched off"),
            Some(PlaceState::NotConfigured) => Some("is not set up"),
            _ => None,
        };
        match action {
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
                not(match self.integration {
                    Integration::Hudu => "No undecided customer has an exact namesake of its own in Hudu.",
                    _ => "No undecided customer has an exact namesake of its own in Halo.",
                })
            }
            _ => Availability::Ready,
        }
    }

    pub fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        let of =
            |letters: &[(char, &str)]| letters.iter().map(|(l, word)| (*l, (*word).to_owned())).collect();
        match action {
            Action::FilterState => by_state(&self.counts)
                .map(|(state, count)| (letter(state), format!("{} {}", state.key(), thousands(count))))
                .chain(by_aspect(&self.counts).filter(|(_, count)| *count > 0).map(|(aspect, count)| {
                    (aspect_letter(aspect), format!("{} {}", aspect.key(), thousands(count)))
                }))
                .chain([('f', "all".to_owned())])
                .collect(),
            Action::Order => of(&[
                ('s', "what is open first"),
                (
                    'h',
                    if self.integration == Integration::Hudu {
                        "by Hudu company"
                    } else {
                        "by Halo customer"
                    },
                ),
            ]),
            Action::Copy => of(&[('y', "id"), ('n', "name"), ('h', "Halo id"), ('r', "row")]),
            _ => Vec::new(),
        }
    }

    pub fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match action {
            Action::FilterState => {
                self.filter.states =
                    MapState::ALL.into_iter().filter(|state| self::letter(*state) == letter).collect();
                self.filter.aspect = Aspect::ALL.into_iter().find(|aspect| aspect_letter(*aspect) == letter);
                self.ask_order(turn);
            }
            Action::Order => {
                let by_target = letter == 'h';
                self.is_turned = by_target == self.by_target && !self.is_turned && self.is_known;
                self.by_target = by_target;
                self.ask_order(turn);
            }
            Action::Copy => {
                let Some(row) = self.selected() else { return };
                let text = match letter {
                    'y' => row.source.id.to_string(),
                    'n' => row.source.name.clone(),
                    'h' => row.target.as_ref().map(|target| target.id.to_string()).unwrap_or_default(),
                    _ => format!(
                        "{} {} {} {}",
                        row.source.id,
                        row.source.name,
                        row.state.key(),
                        row.target.as_ref().map(|t| format!("{} {}", t.id, t.name)).unwrap_or_default()
                    ),
                };
                turn.copy(text);
            }
            _ => {}
        }
    }

    pub fn peel(&mut self, turn: &mut Turn<'_>) -> bool {
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

    pub fn may_leave(&mut self, _turn: &mut Turn<'_>) -> bool {
        true
    }

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        self.now = Some(turn.now.moment);
        if !self.is_asked {
            self.ask_order(turn);
        }
        let rows = list_and_details(turn.area, turn.in_overview).rows();
        self.list.keep_visible(rows);
        let ids = self.rows.missing(self.list.soon(rows), self.list.near(rows));
        if !ids.is_empty() {
            turn.ask(Query::MapRows { integration: self.integration, ids });
        }
    }

    pub fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        if line > 0 {
            let first = self.list.visible(list_and_details(turn.area, turn.in_overview).rows()).start;
            self.list.select_at(first + usize::from(line) - 1);
        }
    }

    pub fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    pub const fn hints(&self) -> &'static [Action] {
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

    pub const fn about(&self) -> About {
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

    pub fn saved(&self) -> Value {
        json!({
            "integration": self.integration.key(),
            "text": self.filter.text,
            "states": self.filter.states.iter().map(|state| state.key()).collect::<Vec<_>>(),
            "by_target": self.by_target,
            "row": self.list.selected().map(SourceId::as_str),
        })
    }

    pub fn restore(&mut self, saved: &Value) {
        if let Some(integration) = saved["integration"].as_str().and_then(|key| key.parse().ok()) {
            *self = Self::of(integration);
        }
        saved["text"].as_str().unwrap_or_default().clone_into(&mut self.filter.text);
        let states = saved["states"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let keys: Vec<_> = states.collect();
        self.filter.states = MapState::ALL.into_iter().filter(|state| keys.contains(&state.key())).collect();
        self.by_target = saved["by_target"].as_bool().unwrap_or(false);
        if let Some(row) = saved["row"].as_str() {
            self.list.replace(vec![SourceId::new(row)]);
        }
    }
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

/// What `:import FILE` does.
pub fn import_steps(path: &str) -> Vec<Step> {
    let path = path.trim();
    if is_csv(path) {
        vec![Step::Do(Effect::Read(path.into()))]
    } else {
        vec![Step::Say(
            format!("Mappings are read from a CSV file, such as mappings.csv; '{path}' is none."),
            Role::Bad,
        )]
    }
}

fn is_csv(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("csv"))
}

/// How many rows have which sign.
fn by_sign(counts: &MapCounts) -> impl Iterator<Item = (char, u64)> {
    let near = [('~', counts.suggested), ('!', counts.ambiguous)];
    let mut rows: Vec<(char, u64)> = by_state(counts).map(|(state, count)| (state.sign(), count)).collect();
    if let Some(unmapped) = rows.get_mut(1) {
        unmapped.1 = unmapped.1.saturating_sub(counts.suggested + counts.ambiguous);
    }
    rows.splice(1..1, near);
    rows.into_iter()
}

fn by_aspect(counts: &MapCounts) -> impl Iterator<Item = (Aspect, u64)> {
    [
        (Aspect::Suggested, counts.suggested),
        (Aspect::Ambiguous, counts.ambiguous),
        (Aspect::Inactive, counts.inactive),
        (Aspect::Drifting, counts.drifting),
    ]
    .into_iter()
}

const fn aspect_letter(aspect: Aspect) -> char {
    match aspect {
        Aspect::Suggested => 's',
        Aspect::Ambiguous => 'a',
        Aspect::Inactive => 'i',
        Aspect::Drifting => 'd',
    }
}

/// The candidate that Enter takes: near enough, and the only one so near, unless a person has walked to it.
fn takeable(row: &MapRow, at: usize, walked: bool) -> Option<&Suggested> {
    let one = row.candidates.get(at).filter(|one| one.score >= row.accept_from)?;
    (walked || (one.is_free && row.aspect == Some(Aspect::Suggested))).then_some(one)
}

fn map_to(party: &Party<TargetId>) -> Decision {
    Decision::Map { target: party.id.clone(), target_name: party.name.as_str().into(), how: How::Manual }
}

fn by_state(counts: &MapCounts) -> impl Iterator<Item = (MapState, u64)> {
    [
        (MapState::Mapped, counts.mapped),
        (MapState::Unmapped, counts.unmapped),
        (MapState::New, counts.new),
        (MapState::Excluded, counts.excluded),
        (MapState::Orphaned, counts.orphaned),
        (MapState::Renamed, counts.renamed),
    ]
    .into_iter()
}

const fn letter(state: MapState) -> char {
    match state {
        MapState::Mapped => 'm',
        MapState::Unmapped => 'u',
        MapState::New => 'n',
        MapState::Excluded => 'x',
        MapState::Orphaned => 'o',
        MapState::Renamed => 'r',
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
