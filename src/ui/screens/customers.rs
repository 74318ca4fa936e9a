//! The customer mappings: which source customer is which Halo customer (ux.md 3.3). The order is frozen when the pane is
//! entered: a row that changes state stays where it is until the next order.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::picker::Picker;
use super::plan::PlanScreen;
use crate::host::words::{
    Answer, Command, Event, MapCounts, MapFilter, MapOrderView, MapRow, MapState, MappingImport, PlaceState,
    Query, Reply,
};
use crate::matching::mapping_csv;
use crate::model::{Date, Decision, How, Integration, Moment, Place, PlanId, Problem, SourceId};
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::fit::thousands;
use crate::ui::key::Key;
use crate::ui::layout::list_and_details;
use crate::ui::list::{List, Window};
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::table::{self, Column, Row, cell};

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
    /// Where `v` was pressed the first time.
    mark_from: Option<SourceId>,
    last: Option<Decision>,
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
            mark_from: None,
            last: None,
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
        for (state, count) in by_state(counts) {
            if count > 0 {
                text.push_str(&format!(" {} {}", state.sign(), thousands(count)));
            }
        }
        if counts.exact > 0 {
            text.push_str(&format!("  {} exact", thousands(counts.exact)));
        }
        let old = self.read_at.zip(self.now).map_or(0, |(at, now)| now.duration_since(at).as_hours() / 24);
        if old > 0 {
            text.push_str(&format!("  read {old} d ago"));
        }
        if self.is_filtered() {
            let states: String =
                self.filter.states.iter().map(|state| format!(" {}", state.sign())).collect();
            let words =
                if self.filter.text.is_empty() { String::new() } else { format!(" '{}'", self.filter.text) };
            text.push_str(&format!("  showing{states}{words} ({})", thousands(self.list.len() as u64)));
        }
        text
    }

    fn is_filtered(&self) -> bool {
        !self.filter.text.is_empty() || !self.filter.states.is_empty()
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
            (_, Typed::Going) => {}
            (Asking::Filter, Typed::Changed(text)) => self.set_text(text, turn),
            (_, Typed::Changed(_)) => {}
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
            Action::MarkTo => self.mark_to(turn),
            Action::NextUndecided => self.next_undecided(true, turn),
            Action::PreviousUndecided => self.next_undecided(false, turn),
            Action::NextIntegration => self.switch(1, turn),
            Action::PreviousIntegration => self.switch(Integration::ALL.len() - 1, turn),
            Action::PlanIt => self.plan(turn),
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
        let decision = match action {
            Action::ReallyNew => Some(Decision::New),
            Action::Exclude => Some(Decision::Exclude { note: "".into(), until: None }),
            Action::RemoveMapping => Some(Decision::Clear),
            Action::Repeat => self.last.clone(),
            Action::Accept | Action::Pick | Action::Why => None,
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
            _ => turn.say(why(&row, self.integration)),
        }
        true
    }

    fn accept(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        match (row.state, row.same_name.as_slice()) {
            (MapState::Unmapped, [one]) => {
                let (target, target_name) = (one.id.clone(), one.name.as_str().into());
                self.decide(
                    vec![(row.source.id.clone(), Decision::Map { target, target_name, how: How::Manual })],
                    turn,
                );
                self.next_undecided(true, turn);
            }
            (MapState::Unmapped | MapState::Orphaned, _) => self.pick(row, turn),
            (MapState::Excluded, _) => {
                let (note, _) = split_note(&row.note);
                self.prompt = Some(Prompt::new(Asking::Note(row.source.id.clone()), "note >", note));
            }
            _ => turn.say(why(row, self.integration)),
        }
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
                Decision::Clear => "back to undecided".into(),
            };
            self.ask_bulk(&what, decisions, turn);
        }
    }

    fn ask_bulk(&mut self, what: &str, decisions: Vec<(SourceId, Decision)>, turn: &mut Turn<'_>) {
        let count = thousands(decisions.len() as u64);
        let lines = [
            format!("{count} customers of {}.", self.integration.label()),
            "Nothing is written to Halo, and u takes all of it back at once.".to_owned(),
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

    fn mark_to(&mut self, turn: &mut Turn<'_>) {
        match self.mark_from.take().and_then(|id| self.list.ids().iter().position(|other| *other == id)) {
            Some(from) => self.list.mark_between(from, self.list.position()),
            None => {
                self.mark_from = self.list.selected().cloned();
                turn.say("From here; go to the other end and press it again.");
            }
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
            Action::AcceptAll | Action::PlanIt | Action::Refresh if off.is_some() => not(&format!(
                "{} {}. Go to Integrations (1) first.",
                self.integration.label(),
                off.unwrap_or_default()
            )),
            Action::Accept
            | Action::Pick
            | Action::ReallyNew
            | Action::Exclude
            | Action::RemoveMapping
            | Action::Repeat
            | Action::Why
            | Action::Mark
            | Action::MarkTo
            | Action::MarkAll
            | Action::Export
                if self.list.is_empty() =>
            {
                not("No row is shown.")
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
                not("No undecided customer has an exact namesake of its own in Halo.")
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
                .chain([('f', "all".to_owned())])
                .collect(),
            Action::Order => of(&[('s', "what is open first"), ('h', "by Halo customer")]),
            Action::Copy => of(&[('y', "id"), ('n', "name"), ('h', "Halo id"), ('r', "row")]),
            _ => Vec::new(),
        }
    }

    pub fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match action {
            Action::FilterState => {
                self.filter.states =
                    MapState::ALL.into_iter().filter(|state| self::letter(*state) == letter).collect();
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
        if self.mark_from.take().is_some() || !self.list.marks().is_empty() {
            self.list.clear_marks();
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

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(query, Ok(Answer::MapOrder(view))) if *query == self.query() => {
                self.take_order(view, turn)
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
            News::Read(path, result) if is_csv(&path.to_string_lossy()) => match result {
                Ok(csv) => turn.send(Command::ImportMappings {
                    integration: self.integration,
                    csv: csv.clone(),
                    dry_run: true,
                }),
                Err(error) => turn.complain(format!("{} cannot be read: {error}.", path.display())),
            },
            News::Written(path, result) if is_csv(&path.to_string_lossy()) => match result {
                Ok(()) => turn.say(format!("Exported to {}.", path.display())),
                Err(error) => turn.complain(format!("{} cannot be written: {error}.", path.display())),
            },
            _ => {}
        }
    }

    fn changed(&mut self, turn: &mut Turn<'_>) {
        self.rows.stale();
        if self.is_known {
            turn.ask(self.query());
        }
    }

    fn take_order(&mut self, view: &MapOrderView, turn: &mut Turn<'_>) {
        self.is_known = true;
        self.counts = view.counts;
        self.trouble.clone_from(&view.trouble);
        let was_read = self.read_at.is_some();
        self.read_at = view.read_at;
        if std::mem::take(&mut self.wants_order) || (!was_read && view.read_at.is_some()) {
            let mut ids = view.ids.clone();
            if self.is_turned {
                ids.reverse();
            }
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

    fn take_rows(&mut self, ids: &[SourceId], rows: &[MapRow], turn: &mut Turn<'_>) {
        if self.waits.as_ref().is_some_and(|(waited, _)| waited == ids) {
            match self.waits.take().map(|(_, then)| then) {
                Some(Then::AcceptMarked) => self.accept_marked(rows, turn),
                Some(Then::Export(path)) => {
                    let rows: Vec<_> = rows.iter().map(csv_row).collect();
                    turn.steps.push(Step::Do(Effect::Write { path, text: mapping_csv::write(&rows) }));
                }
                None => {}
            }
            return;
        }
        self.rows.put(rows.iter().map(|row| (row.source.id.clone(), row.clone())));
    }

    fn accept_marked(&mut self, rows: &[MapRow], turn: &mut Turn<'_>) {
        let decisions: Vec<_> = rows
            .iter()
            .filter_map(|row| match (row.state, row.same_name.as_slice()) {
                (MapState::Unmapped, [one]) => {
                    let (target, target_name) = (one.id.clone(), one.name.as_str().into());
                    Some((row.source.id.clone(), Decision::Map { target, target_name, how: How::Manual }))
                }
                _ => None,
            })
            .collect();
        if decisions.is_empty() {
            turn.say(
                "None of the marked rows has exactly one namesake in Halo. m picks by hand, row by row.",
            );
        } else {
            let others = rows.len() - decisions.len();
            let what = if others > 0 {
                format!("map to their namesakes ({others} have none and stay)")
            } else {
                "map to their namesakes".into()
            };
            self.ask_bulk(&what, decisions, turn);
        }
    }

    fn replied(&mut self, command: &Command, result: &Result<Reply, Problem>, turn: &mut Turn<'_>) {
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
            | Command::ReadCustomers { integration }
            | Command::ImportMappings { integration, .. }
            | Command::BuildPlan { integration, .. } => *integration,
            _ => return,
        };
        if of != self.integration {
            return;
        }
        match (command, result) {
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
                self.imported(csv, report, turn)
            }
            (_, Ok(Reply::Done(said))) => turn.say(said.clone()),
            _ => {}
        }
    }

    fn plan_is_built(&mut self, result: &Result<Reply, Problem>, turn: &mut Turn<'_>) {
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

    fn imported(&mut self, csv: &str, report: &MappingImport, turn: &mut Turn<'_>) {
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
        let take =
            Command::ImportMappings { integration: self.integration, csv: csv.to_owned(), dry_run: false };
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

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        self.now = Some(turn.now.moment);
        if !self.is_asked {
            self.ask_order(turn);
        }
        let rows = list_and_details(turn.area, turn.in_overview).rows();
        self.list.keep_visible(rows);
        let ids = self.rows.missing(self.list.near(rows));
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

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            table::empty(canvas, regions.list, &self.nothing(canvas.mirror));
            return;
        }
        let source = match self.integration {
            Integration::Also => "ALSO customer",
            Integration::Westcoast => "Westcoast customer",
        };
        let mut columns = [
            Column::fixed("", 1),
            Column::growing(source, 12),
            Column::growing("Halo customer", 12),
            Column::growing("why", 14).goes(1),
        ];
        if self.by_target {
            columns.swap(1, 2);
        }
        let visible = self.list.visible(regions.rows());
        let plain = canvas.look.plain;
        table::draw(canvas, regions.list, &columns, visible, Some(self.list.position()), |index| {
            let id = self.list.ids().get(index)?;
            let row = self.rows.get(id)?;
            let before = index.checked_sub(1).and_then(|i| self.rows.get(self.list.ids().get(i)?));
            let (target, target_role) = target(row);
            let again = self.by_target
                && row.target.is_some()
                && before.is_some_and(|other| {
                    other.target.as_ref().map(|t| &t.id) == row.target.as_ref().map(|t| &t.id)
                });
            let sign = if plain { row.state.key().to_owned() } else { row.state.sign().to_string() };
            let mut cells = vec![
                cell(sign, state_role(row.state)),
                cell(row.source.name.as_str(), Role::Text),
                cell(target, if again { Role::Dim } else { target_role }),
                cell(short_why(row), Role::Dim),
            ];
            if self.by_target {
                cells.swap(1, 2);
            }
            Some(Row { is_marked: self.list.marks().contains(id), cells })
        });
        self.details(canvas, regions.details);
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(row) = self.selected() else { return };
        if area.height < 2 {
            return;
        }
        let label = self.integration.label();
        canvas.rule(Rect { height: 1, ..area }, &format!("{} ({label} {})", row.source.name, row.source.id));
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let facts = facts(row, self.integration, |at| canvas.when(at));
        let skip = usize::from(self.scroll).min(facts.len().saturating_sub(1));
        table::facts(canvas, body, &facts[skip..]);
    }

    /// Why the list is empty, and what to do (U37).
    fn nothing(&self, mirror: &Mirror) -> String {
        let label = self.integration.label();
        if let Availability::Not(reason) = self.can(Action::Refresh, mirror) {
            return reason;
        }
        if mirror.reading.contains_key(&self.integration) {
            return format!(
                "{}. Nothing is written; you can go elsewhere meanwhile.",
                capital(&self.summary(mirror))
            );
        }
        if !self.is_known || self.wants_order {
            return "Reading ...".into();
        }
        if let Some(trouble) = &self.trouble {
            return format!("{trouble} Ctrl-R tries again.");
        }
        if self.is_filtered() {
            return "Nothing matches. Esc shows all.".into();
        }
        if self.read_at.is_none() {
            return format!(
                "The customers of {label} and Halo have not been read yet. Ctrl-R reads them; nothing is written."
            );
        }
        format!("{label} lists no customers. Ctrl-R reads again.")
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
        About {
            what: "Which customer of the marketplace is which customer in Halo. The mapping decides who receives what.",
            signs: &[
                ("=", "mapped"),
                ("?", "undecided: Enter takes the namesake, or opens the picker"),
                ("+", "will be created in Halo as new"),
                ("x", "left alone by every import"),
                ("o", "mapped, but one of the two is gone"),
                (">", "mapped, and renamed on one side since"),
                ("*", "marked"),
            ],
            rules: &[
                "Nothing below an exact name is ever mapped by the program itself.",
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
        self.filter.text = saved["text"].as_str().unwrap_or_default().to_owned();
        let states = saved["states"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let keys: Vec<_> = states.collect();
        self.filter.states = MapState::ALL.into_iter().filter(|state| keys.contains(&state.key())).collect();
        self.by_target = saved["by_target"].as_bool().unwrap_or(false);
        if let Some(row) = saved["row"].as_str() {
            self.list.replace(vec![SourceId::new(row)]);
        }
    }
}

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

const fn state_role(state: MapState) -> Role {
    match state {
        MapState::Mapped => Role::Same,
        MapState::Unmapped => Role::Notice,
        MapState::New => Role::New,
        MapState::Excluded => Role::Dim,
        MapState::Orphaned => Role::Bad,
        MapState::Renamed => Role::Change,
    }
}

/// What stands in the Halo column: the partner, or the one that Enter would take.
fn target(row: &MapRow) -> (&str, Role) {
    match (&row.target, row.same_name.as_slice()) {
        (Some(target), _) => (target.name.as_str(), Role::Text),
        (None, [one]) if row.state == MapState::Unmapped => (one.name.as_str(), Role::Accent),
        _ => ("-", Role::Dim),
    }
}

fn how(how: How) -> &'static str {
    match how {
        How::Manual => "by hand",
        How::Exact => "exact name",
        How::Created => "created by us",
        How::Import => "from a file",
        How::NameAtImport => "name, at import",
    }
}

fn short_why(row: &MapRow) -> String {
    match (row.state, row.same_name.len()) {
        (MapState::Unmapped, 0) => "no namesake".into(),
        (MapState::Unmapped, 1) => "same name".into(),
        (MapState::Unmapped, several) => format!("{several} of this name"),
        (MapState::New, _) => "will be created".into(),
        (MapState::Excluded, _) if row.note.trim().is_empty() => "left alone".into(),
        (MapState::Excluded, _) => row.note.clone(),
        (MapState::Mapped, _) if row.remarks.is_empty() => row.how.map(how).unwrap_or_default().into(),
        _ => row.remarks.first().cloned().unwrap_or_default(),
    }
}

/// What Enter does on a row.
fn enter(row: &MapRow) -> &'static str {
    match (row.state, row.same_name.len()) {
        (MapState::Unmapped, 1) => "maps to the customer of the same name and goes on",
        (MapState::Unmapped, 0) => "opens the picker: no Halo customer has this name",
        (MapState::Unmapped, _) => "opens the picker: more than one has this name",
        (MapState::Orphaned, _) => "opens the picker for a new partner",
        (MapState::Excluded, _) => "adds a note and an end date",
        (MapState::New, _) => "nothing: the next plan creates it; d takes that back",
        (MapState::Mapped | MapState::Renamed, _) => "says why; m picks another, d takes the mapping away",
    }
}

fn why(row: &MapRow, integration: Integration) -> String {
    let remarks =
        if row.remarks.is_empty() { String::new() } else { format!(" {}.", row.remarks.join("; ")) };
    let name = &row.source.name;
    let what = match (row.state, &row.target) {
        (MapState::Mapped | MapState::Renamed | MapState::Orphaned, Some(target)) => {
            let how = row.how.map(|h| format!(" ({})", how(h))).unwrap_or_default();
            format!("{name} feeds Halo customer {} {}{how}.", target.id, target.name)
        }
        (MapState::New, _) => format!("{name} is new by decision: the next plan creates it in Halo."),
        (MapState::Excluded, _) if row.note.is_empty() => {
            format!("{name} is excluded: no import touches it.")
        }
        (MapState::Excluded, _) => format!("{name} is excluded ({}): no import touches it.", row.note),
        (_, _) => match row.same_name.len() {
            0 => format!(
                "No active Halo customer has exactly this name. m picks one, n creates it, x leaves it alone."
            ),
            1 => format!(
                "Halo has one customer of exactly this name. Enter maps {name} of {} to it.",
                integration.label()
            ),
            several => {
                format!("Not mapped: Halo has {several} customers of exactly this name. Enter to choose.")
            }
        },
    };
    format!("{what}{remarks}")
}

fn facts(
    row: &MapRow,
    integration: Integration,
    when: impl Fn(Moment) -> String,
) -> Vec<(&'static str, String, Role)> {
    let line =
        |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ");
    let mut facts = vec![("Enter", enter(row).to_owned(), Role::Accent)];
    let source = line(&[&row.source.place, &row.source.domain]);
    if !source.is_empty() {
        facts.push((integration.label(), source, Role::Text));
    }
    if let Some(target) = &row.target {
        let id = format!("id {}", target.id);
        facts.push(("Halo", line(&[&target.name, &id, &target.place, &target.domain]), Role::Text));
    }
    if let Some(by) = row.how {
        let since = row.since.map(|at| format!(" since {}", when(at))).unwrap_or_default();
        facts.push(("mapped", format!("{}{since}", how(by)), Role::Text));
    }
    for (i, party) in row.same_name.iter().enumerate() {
        let id = format!("id {}", party.id);
        let label = if i == 0 { "same name" } else { "" };
        facts.push((label, line(&[&party.name, &id, &party.place, &party.domain]), Role::Text));
    }
    if !row.note.is_empty() {
        facts.push(("note", row.note.clone(), Role::Text));
    }
    for (i, remark) in row.remarks.iter().enumerate() {
        facts.push((if i == 0 { "notice" } else { "" }, remark.clone(), Role::Notice));
    }
    facts
}

/// A note and the day it ends with, as the table gives them.
fn split_note(note: &str) -> (&str, Option<Date>) {
    let (text, day) = note.rsplit_once("until ").unwrap_or((note, ""));
    match day.trim().parse() {
        Ok(day) => (text.trim(), Some(day)),
        Err(_) => (note, None),
    }
}

fn csv_row(row: &MapRow) -> mapping_csv::Row {
    mapping_csv::Row {
        line: 0,
        source: row.source.id.clone(),
        source_name: row.source.name.clone(),
        target: row.target.as_ref().map(|target| target.id.clone()),
        target_name: row.target.as_ref().map(|target| target.name.clone()).unwrap_or_default(),
        state: row.state.key().into(),
        note: row.note.clone(),
    }
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

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_and_its_day_are_told_apart() {
        assert_eq!(split_note("sold until 2027-03-31"), ("sold", Some(jiff::civil::date(2027, 3, 31))));
        assert_eq!(split_note(" until 2027-03-31"), ("", Some(jiff::civil::date(2027, 3, 31))));
        assert_eq!(split_note("wait until Monday"), ("wait until Monday", None));
    }
}
