//! What would change (ux.md 3.8): rows by customer, most urgent first; look-alikes are settled here, rows left out, and
//! the plan applied.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::layout::Rect;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::change::{self, ChangeScreen};
use super::job::JobScreen;
use super::picker::Picker;
use super::{Pane, Screen};
use crate::host::words::{Answer, Choices, Command, Party, PlanEntry, PlanFilter, PlanGroup, Query, Reply};
use crate::model::{
    Class, Currency, Decision, Entity, How, Integration, JobId, Moment, PlanId, Problem, SourceId,
};
use crate::plan::{self, Candidate, Cause, Change, Plan, Totals};
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::dialogs::limit::Limit;
use crate::ui::fit::{self, thousands};
use crate::ui::key::Key;
use crate::ui::layout::{ListRegions, list_and_details};
use crate::ui::list::{List, Window};
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::strip::time_left;
use crate::ui::widgets::table::{self, Column, Row, cell};

/// A line of the list, by what it is about: a plan made anew numbers its rows anew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Customer(SourceId),
    Row(Entity, SourceId),
    /// All skipped rows of a customer, folded into one.
    Skipped(SourceId),
}

/// Where a line of the list is among the groups that are shown.
#[derive(Debug, Clone, Copy)]
enum Spot {
    Customer(usize),
    Row(usize, usize),
    /// This many skipped rows.
    Skipped(usize, usize),
}

#[derive(Debug, Clone)]
pub struct PlanScreen {
    integration: Integration,
    scheduled: bool,
    state: State,
    plan: Option<Plan>,
    /// Every customer's rows but the unchanged ones: what totals, money and dialogs count.
    all: Vec<PlanGroup>,
    /// What the filter lets through, in order.
    shown: Vec<PlanGroup>,
    folded: BTreeSet<SourceId>,
    list: List<Line>,
    /// What each line of the list is.
    spots: Vec<Spot>,
    /// Customers whose skipped rows are shown one by one.
    unskipped: BTreeSet<SourceId>,
    rows: Window<u32, Change>,
    left_out: BTreeSet<(Entity, SourceId)>,
    filter: PlanFilter,
    order: Order,
    prompt: Option<Prompt<()>>,
    scroll: usize,
    mark_from: Option<Line>,
    /// Decisions made since the last planning: plan once more when it ends.
    again: bool,
    /// Why it cannot be applied any more.
    stale: Option<String>,
    applied: Option<JobId>,
    /// "built today 14:00 by anna, by hand, good until tomorrow 14:00".
    made: String,
    now: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Nothing asked yet: asked when the view opens.
    ToBuild,
    ToLoad(PlanId),
    Building,
    Loading,
    /// A plan is shown while the next is made from the same listings.
    Replanning,
    Shown,
    Failed(Problem),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Urgency,
    Money,
    Name,
}

const COLUMNS: [Column; 6] = [
    Column::fixed("", 1),
    Column { head: "customer / product", width: 18, share: 3, right: false, goes: 0 },
    Column::fixed("field", 8).goes(2),
    Column { head: "Halo now", width: 11, share: 1, right: false, goes: 3 },
    Column { head: "will be", width: 11, share: 1, right: false, goes: 0 },
    Column::fixed("a month", 10).right().goes(1),
];

/// Totals and notices above, the list, its details.
fn parts(area: Rect, notices: usize) -> (Rect, ListRegions) {
    let notices = notices as u16;
    let head = match area.height {
        0..8 => 1,
        8..14 => 1 + notices.min(2),
        _ => 2 + notices.min(4),
    };
    let rest = Rect { y: area.y + head, height: area.height.saturating_sub(head), ..area };
    let mut regions = list_and_details(rest, false);
    if regions.details.height == rest.height {
        // Beside the list: five columns of a plan need more than half.
        let left = rest.width * 2 / 3;
        regions.list.width = left;
        regions.details = Rect { x: rest.x + left + 1, width: rest.width - left - 1, ..rest };
    } else if regions.details.height > 0 && rest.height >= 14 {
        // The reasons are what the screen is for.
        let details = (rest.height * 2 / 5).clamp(6, 12);
        regions.list.height = rest.height - details;
        regions.details = Rect { y: rest.bottom() - details, height: details, ..rest };
    }
    (Rect { height: head, ..area }, regions)
}

impl PlanScreen {
    /// Builds a plan of all entities by hand.
    pub fn build(integration: Integration) -> Self {
        Self::new(integration, State::ToBuild)
    }

    /// Shows the plan that is being built already.
    pub fn waiting(integration: Integration) -> Self {
        Self::new(integration, State::Building)
    }

    /// Shows a stored plan.
    pub fn of(integration: Integration, plan: PlanId) -> Self {
        Self::new(integration, State::ToLoad(plan))
    }

    fn new(integration: Integration, state: State) -> Self {
        Self {
            integration,
            scheduled: false,
            state,
            plan: None,
            all: Vec::new(),
            shown: Vec::new(),
            folded: BTreeSet::new(),
            list: List::default(),
            spots: Vec::new(),
            unskipped: BTreeSet::new(),
            rows: Window::default(),
            left_out: BTreeSet::new(),
            filter: PlanFilter::default(),
            order: Order::Urgency,
            prompt: None,
            scroll: 0,
            mark_from: None,
            again: false,
            stale: None,
            applied: None,
            made: String::new(),
            now: None,
        }
    }

    fn way(&self) -> &'static str {
        if self.scheduled { "as scheduled" } else { "by hand" }
    }

    pub fn name(&self) -> String {
        let label = self.integration.label();
        match &self.plan {
            Some(plan) if plan.entities == self.integration.entities() => {
                format!("{label} > Plan {}, {}", plan.id, self.way())
            }
            Some(plan) => {
                let entities = plan.entities.iter().map(|entity| entity.key()).collect::<Vec<_>>().join(", ");
                format!("{label} > Plan {} {entities}, {}", plan.id, self.way())
            }
            None => format!("{label} > Plan, {}", self.way()),
        }
    }

    pub fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        let right = match (&self.state, &self.plan) {
            (State::Replanning, _) => "planning again ...".to_owned(),
            (_, Some(plan)) => match plan.outline.cost.requests.values().sum() {
                0 => "nothing to write".to_owned(),
                calls => {
                    format!("{} calls, about {}", thousands(calls), time_left(plan.outline.cost.seconds))
                }
            },
            _ => String::new(),
        };
        Some((self.made.clone(), right))
    }

    pub fn summary(&self, _mirror: &Mirror) -> String {
        self.name()
    }

    pub fn enter(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            State::ToBuild => self.send_build(turn),
            State::ToLoad(plan) => {
                self.state = State::Loading;
                turn.ask(Query::Plan { plan });
            }
            _ => {}
        }
    }

    fn send_build(&mut self, turn: &mut Turn<'_>) {
        self.state = State::Building;
        let entities = self.integration.entities().to_vec();
        turn.send(Command::BuildPlan { integration: self.integration, entities, scheduled: self.scheduled });
    }

    fn take_plan(&mut self, plan: &Plan, turn: &mut Turn<'_>) {
        self.scheduled = plan.scheduled;
        self.stale = None;
        self.applied = None;
        self.made = format!(
            "built {} by {}, good until {}",
            turn.look.when(plan.built_at, turn.now),
            plan.built_by,
            turn.look.when(plan.expires_at, turn.now)
        );
        if self.plan.as_ref().is_some_and(|old| old.id != plan.id) {
            self.rows = Window::default();
        }
        if !matches!(self.state, State::Replanning) {
            self.left_out.clear();
        }
        self.plan = Some(plan.clone());
        turn.ask(Query::PlanGroups { plan: plan.id, filter: PlanFilter::default() });
        if self.is_filtered() {
            turn.ask(Query::PlanGroups { plan: plan.id, filter: self.filter.clone() });
        }
    }

    fn take_groups(&mut self, filter: &PlanFilter, groups: &[PlanGroup]) {
        let first = self.all.is_empty();
        if *filter == PlanFilter::default() {
            self.all = groups.to_vec();
            self.state = State::Shown;
            if first && self.all.iter().map(|group| group.rows.len()).sum::<usize>() > 60 {
                // Much: only what needs a decision or hurts stands open.
                let is_quiet = |row: &PlanEntry| {
                    use plan::Action::{Create, Link, Skipped, Unchanged, Update};
                    matches!(row.action, Create | Update | Link | Skipped | Unchanged)
                };
                self.folded = self
                    .all
                    .iter()
                    .filter(|g| g.rows.iter().all(is_quiet))
                    .map(|g| g.customer.id.clone())
                    .collect();
            }
        }
        if *filter == self.filter {
            self.shown = groups.to_vec();
            match self.order {
                Order::Urgency => {}
                Order::Money => self.shown.sort_by_key(|group| {
                    std::cmp::Reverse(
                        group.rows.iter().filter_map(|row| row.money).map(|m| m.abs()).sum::<Decimal>(),
                    )
                }),
                Order::Name => self.shown.sort_by_key(|group| group.customer.name.to_lowercase()),
            }
            self.lay_out();
        }
    }

    /// The lines of the list from groups and folds.
    fn lay_out(&mut self) {
        let mut lines = Vec::new();
        self.spots.clear();
        // Skipped rows are the noise of a plan, unless they are what is looked for.
        let folds = self.filter.text.is_empty() && !self.filter.actions.contains(&plan::Action::Skipped);
        for (at, group) in self.shown.iter().enumerate() {
            let id = &group.customer.id;
            lines.push(Line::Customer(id.clone()));
            self.spots.push(Spot::Customer(at));
            if self.folded.contains(id) {
                continue;
            }
            let skipped = group.rows.iter().filter(|row| row.action == plan::Action::Skipped).count();
            let folds = folds && skipped > 1 && !self.unskipped.contains(id);
            for (row, entry) in group.rows.iter().enumerate() {
                if !(folds && entry.action == plan::Action::Skipped) {
                    lines.push(Line::Row(entry.entity, entry.source.clone()));
                    self.spots.push(Spot::Row(at, row));
                }
            }
            if folds {
                lines.push(Line::Skipped(id.clone()));
                self.spots.push(Spot::Skipped(at, skipped));
            }
        }
        self.list.replace(lines);
    }

    fn at(&self, position: usize) -> Option<(&PlanGroup, Option<&PlanEntry>)> {
        match *self.spots.get(position)? {
            Spot::Customer(group) | Spot::Skipped(group, _) => Some((self.shown.get(group)?, None)),
            Spot::Row(group, row) => {
                let group = self.shown.get(group)?;
                Some((group, group.rows.get(row)))
            }
        }
    }

    fn here(&self) -> Option<(&PlanGroup, Option<&PlanEntry>)> {
        self.at(self.list.position())
    }

    /// The whole row under the cursor, if it is here.
    fn selected(&self) -> Option<&Change> {
        self.rows.get(&self.here()?.1?.row)
    }

    fn is_left_out(&self, entry: &PlanEntry) -> bool {
        self.left_out.contains(&(entry.entity, entry.source.clone()))
    }

    /// Rows that are left out, with those that need one of them first (decision 29).
    fn out(&self) -> BTreeSet<u32> {
        if self.left_out.is_empty() {
            return BTreeSet::new();
        }
        let entries = || self.all.iter().flat_map(|group| &group.rows);
        let mut out: BTreeSet<u32> =
            entries().filter(|entry| self.is_left_out(entry)).map(|entry| entry.row).collect();
        let more: Vec<u32> =
            entries().filter(|e| e.after_row.is_some_and(|row| out.contains(&row))).map(|e| e.row).collect();
        out.extend(more);
        out
    }

    fn sum(&self, only: Option<&SourceId>) -> Sum {
        let out = self.out();
        let mut sum = Sum::default();
        for group in self.all.iter().filter(|group| only.is_none_or(|only| group.customer.id == *only)) {
            let before = sum.totals.acting();
            for entry in &group.rows {
                if out.contains(&entry.row) {
                    sum.left_out += u64::from(entry.action.acts());
                    continue;
                }
                sum.totals.count(entry.action);
                if entry.action.acts() {
                    sum.money.add(entry);
                }
                sum.beyond += u64::from(entry.beyond_limit.is_some());
            }
            sum.customers += u64::from(sum.totals.acting() > before);
        }
        if let Some(plan) = self.plan.as_ref().filter(|_| only.is_none()) {
            sum.totals.unchanged = plan.outline.totals.unchanged;
        }
        sum
    }

    fn is_filtered(&self) -> bool {
        self.filter != PlanFilter::default()
    }

    /// The notices as lines of this width.
    fn notice_lines(&self, width: u16) -> Vec<(String, Role)> {
        self.notices()
            .into_iter()
            .flat_map(|(text, role)| fit::wrap(&text, width.into()).into_iter().map(move |line| (line, role)))
            .collect()
    }

    /// What must be known before anything else.
    fn notices(&self) -> Vec<(String, Role)> {
        let mut notices: Vec<(String, Role)> = Vec::new();
        if let Some(stale) = &self.stale {
            notices.push((stale.clone(), Role::Bad));
        }
        if let Some(job) = self.applied {
            notices
                .push((format!("Applied as {job}. r reads both sides and plans what is left."), Role::Good));
        }
        let Some(plan) = &self.plan else { return notices };
        if self.stale.is_none() && self.now.is_some_and(|now| now > plan.expires_at) {
            notices.push(("This plan is too old to be applied. r builds it again.".into(), Role::Bad));
        }
        let tripped = plan.outline.limits.iter().filter(|limit| limit.tripped);
        notices.extend(tripped.map(|limit| (limit.sentence.clone(), Role::Notice)));
        notices.extend(plan.outline.alerts.iter().map(|alert| (alert.clone(), Role::Notice)));
        notices
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
        match typed {
            Typed::Going => {}
            Typed::Changed(text) => self.set_filter(PlanFilter { text, ..self.filter.clone() }, turn),
            Typed::Done(_) => self.prompt = None,
            Typed::Dropped => {
                self.prompt = None;
                self.set_filter(PlanFilter { text: String::new(), ..self.filter.clone() }, turn);
            }
        }
    }

    fn set_filter(&mut self, filter: PlanFilter, turn: &mut Turn<'_>) {
        if filter == self.filter {
            return;
        }
        self.filter = filter;
        if let Some(plan) = &self.plan {
            turn.ask(Query::PlanGroups { plan: plan.id, filter: self.filter.clone() });
        }
    }

    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        let height = parts(turn.area, self.notice_lines(turn.area.width).len()).1.rows();
        if self.list.act(action, height) {
            self.scroll = 0;
            return true;
        }
        match action {
            Action::DetailsDown => self.scroll += 1,
            Action::DetailsUp => self.scroll = self.scroll.saturating_sub(1),
            Action::Filter => self.prompt = Some(Prompt::new((), "filter >", &self.filter.text)),
            Action::FilterState | Action::Order | Action::Copy => {}
            Action::Mark => self.list.mark(),
            Action::MarkAll => self.list.mark_all(),
            Action::MarkTo => {
                match self.mark_from.take().and_then(|l| self.list.ids().iter().position(|o| *o == l)) {
                    Some(from) => self.list.mark_between(from, self.list.position()),
                    None => {
                        self.mark_from = self.list.selected().cloned();
                        turn.say("From here; go to the other end and press it again.");
                    }
                }
            }
            Action::BuildAgain | Action::Refresh => self.send_build(turn),
            Action::OtherWay => {
                self.scheduled = !self.scheduled;
                self.send_build(turn);
                turn.say(if self.scheduled {
                    "As the scheduled job would: what is gone at the source goes to zero or inactive."
                } else {
                    "By hand: what is gone at the source is left alone."
                });
            }
            Action::DiscardPlan => {
                if let Some(plan) = &self.plan {
                    turn.send(Command::DiscardPlan { plan: plan.id });
                }
                turn.close();
            }
            Action::Undo | Action::Redo => {
                turn.send(Command::Undo { integration: self.integration, redo: action == Action::Redo });
            }
            Action::FoldAll => {
                let ids: BTreeSet<_> = self.shown.iter().map(|group| group.customer.id.clone()).collect();
                self.folded = if ids.is_subset(&self.folded) { BTreeSet::new() } else { ids };
                let here = self.here().map(|(group, _)| Line::Customer(group.customer.id.clone()));
                self.lay_out();
                if let Some(here) = here {
                    self.list.select(&here);
                }
            }
            Action::ApplyPlan => self.ask_apply(None, turn),
            Action::OneFirst => {
                if let Some(customer) = self.here().map(|(group, _)| group.customer.id.clone()) {
                    self.ask_apply(Some(&customer), turn);
                }
            }
            _ => return self.act_on_row(action, turn),
        }
        true
    }

    fn act_on_row(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        let Some((group, entry)) = self.here().map(|(group, entry)| (group.customer.clone(), entry.cloned()))
        else {
            return matches!(action, Action::OpenRow | Action::Why);
        };
        match (action, &entry) {
            (Action::Fold, _) => self.fold(&group.id, true),
            (Action::OpenRow | Action::Unfold, None)
                if matches!(self.spots.get(self.list.position()), Some(Spot::Skipped(..))) =>
            {
                self.unskipped.insert(group.id);
                let at = self.list.position();
                self.lay_out();
                self.list.select_at(at);
            }
            (Action::Unfold, None) => self.fold(&group.id, false),
            (Action::OpenRow, None) => {
                let is_folded = self.folded.contains(&group.id);
                self.fold(&group.id, !is_folded);
            }
            (Action::LeaveOut, Some(entry)) if entry.is_look_alike && self.list.marks().is_empty() => {
                self.decide(entry.source.clone(), Decision::Exclude { note: "".into(), until: None }, turn);
            }
            (Action::LeaveOut, _) => self.leave_out(turn),
            (Action::ReallyNew, Some(entry)) if entry.is_look_alike => {
                self.decide(entry.source.clone(), Decision::New, turn);
            }
            (Action::Pick, Some(entry)) if entry.is_look_alike => {
                let source = self.selected().map_or_else(
                    || Party {
                        id: entry.source.clone(),
                        name: group.name.to_string(),
                        place: String::new(),
                        domain: String::new(),
                    },
                    party,
                );
                turn.open(Picker::new(self.integration, source, Vec::new(), false));
            }
            (Action::ReallyNew | Action::Pick, _) => {
                turn.say(
                    "Only a look-alike is settled here: a held row that says which Halo customers it may be.",
                );
            }
            (Action::OpenRow, Some(entry)) if entry.is_look_alike => match self.selected().and_then(best) {
                Some(best) => {
                    let decision = Decision::Map {
                        target: best.target.clone(),
                        target_name: best.name.as_ref().into(),
                        how: How::Manual,
                    };
                    self.decide(entry.source.clone(), decision, turn);
                }
                None => turn.say("This row is still being read."),
            },
            (Action::OpenRow | Action::Why, Some(entry)) => {
                if let Some(plan) = &self.plan {
                    turn.open(ChangeScreen::of(plan.id, entry.row));
                }
            }
            (Action::Why, None) => turn.say("The rows of one customer; Enter folds and unfolds them."),
            (Action::Unfold, Some(_)) => {}
            _ => return false,
        }
        true
    }

    fn fold(&mut self, customer: &SourceId, fold: bool) {
        if fold {
            self.folded.insert(customer.clone());
            self.list.select(&Line::Customer(customer.clone()));
        } else {
            self.folded.remove(customer);
        }
        self.lay_out();
    }

    fn decide(&mut self, id: SourceId, decision: Decision, turn: &mut Turn<'_>) {
        turn.send(Command::Decide { integration: self.integration, decisions: vec![(id, decision)] });
    }

    /// Leaves out what is marked or under the cursor, or takes it in again. On a customer: all its rows.
    fn leave_out(&mut self, turn: &mut Turn<'_>) {
        let mut chosen: Vec<(Entity, SourceId)> = Vec::new();
        for line in self.list.chosen() {
            match line {
                Line::Row(entity, id) => chosen.push((entity, id)),
                Line::Skipped(_) => {}
                Line::Customer(id) => chosen.extend(
                    self.shown
                        .iter()
                        .filter(|group| group.customer.id == id)
                        .flat_map(|group| group.rows.iter().map(|row| (row.entity, row.source.clone()))),
                ),
            }
        }
        let acts: BTreeMap<(Entity, &SourceId), &PlanEntry> = self
            .all
            .iter()
            .flat_map(|group| &group.rows)
            .map(|row| ((row.entity, &row.source), row))
            .collect();
        chosen.retain(|(entity, id)| {
            acts.get(&(*entity, id)).is_some_and(|row| row.action.acts() || row.beyond_limit.is_some())
        });
        if chosen.is_empty() {
            return turn.say("Nothing would happen to this anyway.");
        }
        let all_out = chosen.iter().all(|key| self.left_out.contains(key));
        let count = chosen.len();
        if all_out {
            chosen.iter().for_each(|key| {
                self.left_out.remove(key);
            });
        } else {
            self.left_out.extend(chosen);
        }
        let was_marked = !self.list.marks().is_empty();
        self.list.clear_marks();
        let rows = if count == 1 { "Row".to_owned() } else { format!("{count} rows") };
        let what = if all_out { "taken in again." } else { "left out of this apply; x takes in again." };
        turn.say(format!("{rows} {what}"));
        if !was_marked {
            self.list.move_by(1);
        }
    }

    /// Asks before anything is written (U26-U28).
    fn ask_apply(&mut self, only: Option<&SourceId>, turn: &mut Turn<'_>) {
        let Some(plan) = self.plan.clone() else { return };
        if turn.now.moment > plan.expires_at {
            return turn.say("This plan is too old to be applied; r builds it again.");
        }
        let sum = self.sum(only);
        if sum.totals.acting() + sum.beyond == 0 {
            return turn.say("Nothing to apply: no row of this customer would be written.");
        }
        let overview = turn.mirror.overview.as_ref();
        let kind = match overview.map(|overview| overview.kind) {
            Some(crate::model::settings::Kind::Sandbox) => "SANDBOX",
            _ => "PRODUCTION",
        };
        let profile = overview.map(|overview| overview.profile.clone()).unwrap_or_default();
        let asks = plan.outline.limits.iter().filter(|limit| limit.tripped && !limit.binds_people);
        let beyond_word = if sum.beyond > 0 { " Beyond a limit" } else { "" };
        let title = format!("Apply {} to {kind} {profile}?{beyond_word}", plan.id);
        let lines = apply_lines(&sum, self.scheduled, asks.map(|limit| limit.sentence.as_str()));
        let leave_out: BTreeSet<u32> =
            self.all.iter().flat_map(|g| &g.rows).filter(|e| self.is_left_out(e)).map(|e| e.row).collect();
        let apply = |only: Option<&SourceId>, removals_typed| {
            let choices =
                Choices { leave_out: leave_out.clone(), only_customer: only.cloned(), removals_typed };
            vec![Step::Do(Effect::Send(Command::Apply { plan: plan.id, choices }))]
        };
        if only.is_none() && sum.beyond > 0 {
            let mut confirm = Confirm::new(title, lines, "not now");
            if sum.totals.acting() > 0 {
                let rest = format!("apply the other {}; the {} are held", sum.totals.acting(), sum.beyond);
                confirm = confirm.choice('y', rest, apply(None, None));
            }
            let beyond = format!("To remove the {} as well", thousands(sum.beyond));
            return turn.dialog(Limit::new(confirm, beyond, sum.beyond, apply(None, Some(sum.beyond))));
        }
        let here = self.here().map(|(group, _)| group.customer.clone());
        let one = here.filter(|here| {
            only.is_none() && sum.customers > 1 && self.sum(Some(&here.id)).totals.acting() > 0
        });
        let mut dialog = Confirm::new(title, lines, "not now");
        let what = match (only, self.here()) {
            (Some(_), Some((group, _))) => format!("apply to {} only", group.customer.name),
            _ => "apply".into(),
        };
        dialog = dialog.choice('y', what, apply(only, None));
        if let Some(one) = one {
            dialog = dialog.choice('t', format!("only {} first", one.name), apply(Some(&one.id), None));
        }
        turn.dialog(dialog);
    }

    pub fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        let needs_plan = !matches!(action, Action::BuildAgain | Action::OtherWay | Action::Refresh);
        let is_own = action.entry().scopes.contains(&crate::ui::action::Scope::Plan);
        match (&self.state, &self.plan) {
            (State::Building | State::ToBuild, _) if is_own => {
                return not("the plan is being built. Esc leaves it going on.");
            }
            (_, None) if is_own && needs_plan => return not("there is no plan. r builds one."),
            _ => {}
        }
        if !matches!(action, Action::ApplyPlan | Action::OneFirst) {
            return Availability::Ready;
        }
        let Some(plan) = &self.plan else { return Availability::Ready };
        if let Some(stale) = &self.stale {
            return not(stale);
        }
        if let Some(job) = self.applied {
            return Availability::Not(format!("it was applied as {job}; r builds a new one."));
        }
        if self.state != State::Shown {
            return not("it is being planned again.");
        }
        if self.now.is_some_and(|now| now > plan.expires_at) {
            return not("this plan is too old; r builds it again.");
        }
        if let Some(progress) = &mirror.progress {
            return Availability::Not(format!("{} is running; one job at a time.", progress.job));
        }
        if let Some(limit) = plan
            .outline
            .limits
            .iter()
            .find(|limit| limit.tripped && limit.binds_people && limit.entity.is_none())
        {
            return not(&limit.sentence);
        }
        let sum = self.sum(None);
        if sum.totals.acting() + sum.beyond == 0 {
            return not("no row would be written.");
        }
        Availability::Ready
    }

    pub fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        let of =
            |letters: &[(char, &str)]| letters.iter().map(|(l, word)| (*l, (*word).to_owned())).collect();
        match action {
            Action::FilterState => {
                let totals = self.plan.as_ref().map(|plan| plan.outline.totals).unwrap_or_default();
                plan::Action::ALL
                    .into_iter()
                    .map(|action| {
                        (letter(action), format!("{} {}", word(action), thousands(totals.get(action))))
                    })
                    .chain([('f', "all".to_owned())])
                    .collect()
            }
            Action::Order => of(&[('u', "urgent first"), ('m', "most money first"), ('n', "by name")]),
            Action::Copy => of(&[('y', "id"), ('n', "name"), ('r', "row"), ('e', "reasons")]),
            _ => Vec::new(),
        }
    }

    pub fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match action {
            Action::FilterState => {
                let actions =
                    plan::Action::ALL.into_iter().filter(|action| self::letter(*action) == letter).collect();
                self.set_filter(PlanFilter { actions, ..self.filter.clone() }, turn);
            }
            Action::Order => {
                self.order = match letter {
                    'm' => Order::Money,
                    'n' => Order::Name,
                    _ => Order::Urgency,
                };
                if let Some(plan) = &self.plan {
                    turn.ask(Query::PlanGroups { plan: plan.id, filter: self.filter.clone() });
                }
            }
            Action::Copy => {
                let text = match (self.here(), self.selected()) {
                    (Some((group, None)), _) if letter == 'y' => group.customer.id.to_string(),
                    (Some((group, None)), _) => group.customer.name.to_string(),
                    (_, Some(change)) => change::copy(change, letter),
                    _ => String::new(),
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
            self.set_filter(PlanFilter::default(), turn);
            return true;
        }
        false
    }

    pub fn may_leave(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.state == State::Building {
            turn.say("The plan goes on being built; p shows it.");
        }
        true
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        let id = self.plan.as_ref().map(|plan| plan.id);
        match news {
            News::Answer(Query::Plan { .. }, result) if self.state == State::Loading => match result {
                Ok(Answer::Plan(plan)) if plan.integration == self.integration => self.take_plan(plan, turn),
                Err(problem) => self.state = State::Failed(problem.clone()),
                Ok(_) => {}
            },
            News::Answer(Query::PlanGroups { plan, filter }, result) if Some(*plan) == id => match result {
                Ok(Answer::PlanGroups(groups)) => self.take_groups(filter, groups),
                Err(problem) => self.state = State::Failed(problem.clone()),
                Ok(_) => {}
            },
            News::Answer(Query::PlanRows { plan, rows }, result) if Some(*plan) == id => match result {
                Ok(Answer::PlanRows(changes)) => self.rows.put(changes.iter().map(|c| (c.row, c.clone()))),
                _ => self.rows.failed(rows),
            },
            News::Reply(command, result) => self.replied(command, result, turn),
            _ => {}
        }
    }

    fn replied(&mut self, command: &Command, result: &Result<Reply, Problem>, turn: &mut Turn<'_>) {
        let id = self.plan.as_ref().map(|plan| plan.id);
        match (command, result) {
            (Command::BuildPlan { integration, .. }, result)
                if *integration == self.integration && self.state == State::Building =>
            {
                match result {
                    Ok(Reply::Planned(plan)) => self.take_plan(plan, turn),
                    Err(problem) if self.plan.is_some() => {
                        self.state = State::Shown;
                        turn.complain(problem.to_string());
                    }
                    Err(problem) => self.state = State::Failed(problem.clone()),
                    Ok(_) => {}
                }
            }
            (Command::Decide { integration, .. } | Command::Undo { integration, .. }, result)
                if *integration == self.integration =>
            {
                match result {
                    Ok(Reply::Done(said)) => {
                        turn.say(format!("{said} u takes it back."));
                        self.replan(turn);
                    }
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
            }
            (Command::Replan { plan }, result) if Some(*plan) == id => {
                match result {
                    Ok(Reply::Planned(plan)) => self.take_plan(plan, turn),
                    Err(problem) => {
                        self.stale = Some(format!("Decided since this plan was made. {problem} (r)"));
                        turn.complain(problem.to_string());
                    }
                    Ok(_) => {}
                }
                self.state = State::Shown;
                if std::mem::take(&mut self.again) {
                    self.replan(turn);
                }
            }
            (Command::Apply { plan, .. }, result) if Some(*plan) == id => match result {
                Ok(Reply::Started(job)) => {
                    self.applied = Some(*job);
                    turn.steps.push(Step::GoOpen(Pane::Jobs, Screen::from(JobScreen::of(*job))));
                }
                Err(problem) => {
                    if problem.class == Class::Stale {
                        self.stale = Some(problem.to_string());
                    }
                    turn.complain(problem.to_string());
                }
                Ok(_) => {}
            },
            _ => {}
        }
    }

    fn replan(&mut self, turn: &mut Turn<'_>) {
        match (&self.state, &self.plan) {
            (State::Replanning, _) => self.again = true,
            (State::Shown, Some(plan)) if self.applied.is_none() => {
                turn.send(Command::Replan { plan: plan.id });
                self.state = State::Replanning;
            }
            _ => {}
        }
    }

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        self.now = Some(turn.now.moment);
        let height = parts(turn.area, self.notice_lines(turn.area.width).len()).1.rows();
        self.list.keep_visible(height);
        let Some(plan) = self.plan.as_ref().map(|plan| plan.id) else { return };
        let range = self.list.visible(height);
        let near = range.start.saturating_sub(height)..(range.end + height).min(self.list.len());
        let near: Vec<u32> = near.filter_map(|at| Some(self.at(at)?.1?.row)).collect();
        let rows = self.rows.missing(&near);
        if !rows.is_empty() {
            turn.ask(Query::PlanRows { plan, rows });
        }
    }

    pub fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let (_, regions) = parts(turn.area, self.notice_lines(turn.area.width).len());
        let first = self.list.visible(regions.rows()).start;
        if let Some(row) = (turn.area.y + line).checked_sub(regions.list.y + 1) {
            self.list.select_at(first + usize::from(row));
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        if let (None, State::Failed(problem)) = (&self.plan, &self.state) {
            return table::empty(canvas, area, &format!("{problem} r tries again."));
        }
        if self.plan.is_none() || self.state == State::Building {
            return self.building(canvas, area);
        }
        let notices = self.notice_lines(area.width);
        let (head, regions) = parts(area, notices.len());
        self.head(canvas, head, &notices);
        if self.list.is_empty() {
            let text = if self.is_filtered() {
                "Nothing matches. Esc shows all.".to_owned()
            } else if self.state == State::Shown {
                format!("Nothing to do: Halo agrees with {}.", self.integration.label())
            } else {
                "Reading ...".into()
            };
            return table::empty(canvas, regions.list, &text);
        }
        let plain = canvas.look.plain;
        let out = self.out();
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &COLUMNS, visible, Some(self.list.position()), |index| {
            let (group, entry) = self.at(index)?;
            let is_marked = self.list.ids().get(index).is_some_and(|line| self.list.marks().contains(line));
            let cells = match (entry, self.spots.get(index)?) {
                (_, Spot::Skipped(_, count)) => skipped_cells(*count, plain),
                (None, _) => self.group_cells(group, &out, plain),
                (Some(entry), _) => {
                    row_cells(entry, self.rows.get(&entry.row)?, out.contains(&entry.row), plain)
                }
            };
            Some(Row { is_marked, cells })
        });
        self.details(canvas, regions.details);
    }

    fn building(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let at = canvas.mirror.reading.get(&self.integration).map_or_else(
            || format!("Reading {} and Halo ...", self.integration.label()),
            |reading| {
                let of = reading.of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
                format!("Reading {}: {}{of}", reading.what, thousands(reading.done))
            },
        );
        let text = format!("{at}   Planned {}. Nothing is written. Esc leaves; it goes on.", self.way());
        table::empty(canvas, area, &text);
    }

    fn head(&self, canvas: &mut Canvas<'_>, area: Rect, notices: &[(String, Role)]) {
        let sum = self.sum(None);
        let wide = area.width >= 76 || canvas.look.plain;
        let mut x = area.x + 1;
        let mut piece = |canvas: &mut Canvas<'_>, text: &str, role: Role| {
            x += canvas.put(x, area.y, area.right().saturating_sub(x), text, role) + 2;
        };
        for action in plan::Action::ALL {
            let count = sum.totals.get(action);
            if count > 0 {
                let sign = action.sign();
                let text = if wide {
                    format!("{} {}", word(action), thousands(count))
                } else {
                    format!("{sign} {count}")
                };
                piece(canvas, &text, change::role(action));
            }
        }
        if sum.left_out > 0 {
            piece(canvas, &format!("left out {}", thousands(sum.left_out)), Role::Strong);
        }
        if self.is_filtered() {
            let shown: usize = self.shown.iter().map(|group| group.rows.len()).sum();
            piece(canvas, &format!("showing {}", thousands(shown as u64)), Role::Accent);
        }
        let mut lines: Vec<(String, Role)> = Vec::new();
        if let Some(plan) = &self.plan {
            let out = self.out();
            let mut less = Money::default();
            self.all
                .iter()
                .flat_map(|group| &group.rows)
                .filter(|e| out.contains(&e.row))
                .for_each(|e| less.add(e));
            lines.push((money_line(plan, &less), Role::Text));
        }
        if area.height < 3 && !notices.is_empty() {
            lines.clear();
        }
        lines.extend(notices.iter().cloned());
        let shown = usize::from(area.height.saturating_sub(1));
        if lines.len() > shown && shown > 0 {
            let more = lines.len() - shown;
            lines.truncate(shown);
            if let Some(last) = lines.last_mut() {
                last.0 = format!("{} ({more} more lines)", last.0);
            }
        }
        for ((text, role), y) in lines.iter().zip(area.y + 1..area.bottom()) {
            canvas.put(area.x + 1, y, area.width.saturating_sub(1), text, *role);
        }
    }

    fn group_cells<'a>(
        &self,
        group: &'a PlanGroup,
        out: &BTreeSet<u32>,
        plain: bool,
    ) -> Vec<table::Cell<'a>> {
        let is_folded = self.folded.contains(&group.customer.id);
        let mut money = Money::default();
        let acting = group.rows.iter().filter(|entry| entry.action.acts() && !out.contains(&entry.row));
        let mut changes = 0_u64;
        for entry in acting {
            money.add(entry);
            changes += 1;
        }
        let held = group.rows.iter().filter(|entry| entry.action == plan::Action::Held).count();
        let (mut does, mut waits) = (String::new(), String::new());
        if is_folded {
            does = match changes {
                0 if held == 0 => "nothing".into(),
                0 => String::new(),
                1 => "1 change".into(),
                changes => format!("{changes} changes"),
            };
            if held > 0 {
                waits = format!("{held} held");
            }
        }
        let sign = match (plain, is_folded) {
            (true, true) => "customer, folded",
            (true, false) => "customer",
            (false, true) => ">",
            (false, false) => "v",
        };
        let sum = money.short();
        let role_of_sum = if sum.starts_with('-') { Role::MoneyDown } else { Role::MoneyUp };
        vec![
            cell(sign, Role::Dim),
            cell(&*group.customer.name, Role::Strong),
            cell("", Role::Text),
            cell(does, Role::Dim),
            cell(waits, Role::Held),
            cell(sum, role_of_sum),
        ]
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height < 2 {
            return;
        }
        let Some((group, entry)) = self.here() else { return };
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let Some(entry) = entry else {
            canvas.rule(
                Rect { height: 1, ..area },
                &format!("{} ({} {})", group.customer.name, self.integration.label(), group.customer.id),
            );
            let sum = self.sum(Some(&group.customer.id));
            let mut facts = vec![("rows", totals_words(&sum.totals), Role::Text)];
            if sum.left_out > 0 {
                facts.push(("left out", thousands(sum.left_out), Role::Strong));
            }
            facts.push(("a month", sum.money.long(), Role::Text));
            facts.push(("Enter", "folds or unfolds; t applies this customer first".into(), Role::Dim));
            table::facts(canvas, body, &facts);
            return;
        };
        canvas.rule(Rect { height: 1, ..area }, "why");
        if let Some(change) = self.rows.get(&entry.row) {
            canvas.rule(Rect { height: 1, ..area }, &change::title(change));
            change::draw(canvas, body, change, self.scroll);
        }
    }

    pub fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    pub fn hints(&self) -> &'static [Action] {
        if self.here().is_some_and(|(_, entry)| entry.is_some_and(|entry| entry.is_look_alike)) {
            return &[
                Action::OpenRow,
                Action::Pick,
                Action::ReallyNew,
                Action::LeaveOut,
                Action::ApplyPlan,
                Action::Undo,
                Action::Why,
            ];
        }
        &[
            Action::ApplyPlan,
            Action::OpenRow,
            Action::LeaveOut,
            Action::OneFirst,
            Action::OtherWay,
            Action::FilterState,
            Action::Why,
            Action::BuildAgain,
        ]
    }

    pub const fn about(&self) -> About {
        About {
            what: "What an import would change in Halo, row by row. Nothing is written before you say so.",
            signs: &[
                ("+", "is created"),
                ("~", "is updated"),
                ("&", "is linked with a record that is there already"),
                ("0", "seats go to zero, because it is gone at the source"),
                ("-", "is made inactive, because it is gone at the source"),
                ("!", "is held: waits for a decision"),
                (".", "is skipped: w says why"),
                ("=", "is the same on both sides; f e shows these"),
                ("x", "left out by you"),
            ],
            rules: &[
                "Only a plan as scheduled removes anything; p builds it the other way.",
                "What is held is left alone; the rest can be applied.",
                "A look-alike is settled with one key: Enter takes the best candidate, m picks, n is new, x excludes.",
                "Money is quantity times price a month; an unknown price is n/a, and currencies are never added.",
                "Beyond a limit the rows are held; typing their number includes them.",
            ],
        }
    }

    pub fn saved(&self) -> Value {
        json!({
            "screen": "plan",
            "integration": self.integration.key(),
            "plan": self.plan.as_ref().map(|plan| plan.id.to_string()),
        })
    }

    pub fn from_saved(saved: &Value) -> Option<Self> {
        let integration = saved["integration"].as_str()?.parse().ok()?;
        Some(Self::of(integration, saved["plan"].as_str()?.parse().ok()?))
    }

    pub fn restore(&mut self, _saved: &Value) {}
}

/// Rows and money of what would be applied.
#[derive(Debug, Default)]
struct Sum {
    totals: Totals,
    customers: u64,
    left_out: u64,
    /// Held by a limit that a typed number overrides.
    beyond: u64,
    money: Money,
}

/// Change of money a month by currency; never added together (N1).
#[derive(Debug, Default)]
struct Money {
    by: BTreeMap<Option<Currency>, Decimal>,
    /// Subscriptions whose price is not known.
    unknown: u64,
}

impl Money {
    fn add(&mut self, entry: &PlanEntry) {
        match entry.money {
            Some(money) => *self.by.entry(entry.currency).or_default() += money,
            None if entry.entity == Entity::Subscriptions && entry.action.acts() => self.unknown += 1,
            None => {}
        }
    }

    fn parts(&self) -> Vec<String> {
        self.by
            .iter()
            .filter(|(_, sum)| !sum.is_zero())
            .map(|(currency, sum)| {
                let code = currency.map(|currency| format!(" {currency}")).unwrap_or_default();
                format!("{}{code}", change::signed(*sum))
            })
            .collect()
    }

    /// For a column: one currency as a number, several as that.
    fn short(&self) -> String {
        let mut sums = self.by.values().filter(|sum| !sum.is_zero());
        match (sums.next(), sums.next()) {
            (None, _) if self.unknown > 0 => "n/a".into(),
            (None, _) => String::new(),
            (Some(sum), None) => change::signed(*sum),
            (Some(_), Some(_)) => "several".into(),
        }
    }

    fn long(&self) -> String {
        let mut parts = self.parts();
        if parts.is_empty() {
            parts.push("no change".into());
        }
        if self.unknown > 0 {
            parts.push(format!("{} without a price", self.unknown));
        }
        parts.join(", ")
    }
}

fn money_line(plan: &Plan, less: &Money) -> String {
    let mut parts: Vec<String> = Vec::new();
    for delta in &plan.outline.money {
        let after = delta.after - less.by.get(&delta.currency).copied().unwrap_or_default();
        let code = delta.currency.map(|currency| format!(" {currency}")).unwrap_or_default();
        parts.push(format!(
            "{} -> {}{code} ({})",
            change::money(delta.before),
            change::money(after),
            change::signed(after - delta.before)
        ));
    }
    if parts.is_empty() {
        parts.push("no change".into());
    }
    if plan.outline.rows_without_price > 0 {
        parts.push(format!("{} rows without a price", thousands(plan.outline.rows_without_price)));
    }
    format!("money a month  {}", parts.join("   "))
}

fn apply_lines<'a>(sum: &Sum, scheduled: bool, limits: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut acting = sum.totals;
    (acting.held, acting.skipped, acting.unchanged) = (0, 0, 0);
    let way = if scheduled { "as a scheduled job would" } else { "by hand" };
    let plural =
        |count: u64, word: &str| format!("{} {word}{}", thousands(count), if count == 1 { "" } else { "s" });
    let mut lines = vec![
        format!("{} for {}, {way}:", plural(acting.acting(), "write"), plural(sum.customers, "customer")),
        totals_words(&acting),
        format!("money a month: {}", sum.money.long()),
    ];
    lines.extend(limits.map(str::to_owned));
    let mut alone: Vec<String> = Vec::new();
    for (count, word) in
        [(sum.totals.held, "held"), (sum.totals.skipped, "skipped"), (sum.left_out, "left out by you")]
    {
        if count > 0 {
            alone.push(format!("{} {word}", thousands(count)));
        }
    }
    if !alone.is_empty() {
        lines.push(format!("Left alone: {}.", alone.join(", ")));
    }
    if !scheduled && acting.zero + acting.deactivate == 0 {
        lines.push("Nothing is removed: only a plan as scheduled does that.".into());
    }
    lines
}

fn totals_words(totals: &Totals) -> String {
    let words: Vec<_> = plan::Action::ALL
        .into_iter()
        .filter(|action| totals.get(*action) > 0)
        .map(|action| format!("{} {}", word(action), thousands(totals.get(action))))
        .collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

const fn word(action: plan::Action) -> &'static str {
    match action {
        plan::Action::Deactivate => "inactive",
        plan::Action::Unchanged => "same",
        other => other.key(),
    }
}

const fn letter(action: plan::Action) -> char {
    match action {
        plan::Action::Create => 'c',
        plan::Action::Update => 'u',
        plan::Action::Link => 'l',
        plan::Action::Zero => 'z',
        plan::Action::Deactivate => 'i',
        plan::Action::Unchanged => 'e',
        plan::Action::Skipped => 's',
        plan::Action::Held => 'h',
    }
}

fn candidates(change: &Change) -> &[Candidate] {
    match change.hold.as_deref().map(|hold| &hold.cause) {
        Some(Cause::LookAlike { candidates } | Cause::Ambiguous { candidates }) => candidates,
        _ => &[],
    }
}

fn best(change: &Change) -> Option<&Candidate> {
    candidates(change).first()
}

fn party(change: &Change) -> Party<SourceId> {
    Party {
        id: change.source.id.clone(),
        name: change.source.name.to_string(),
        place: String::new(),
        domain: String::new(),
    }
}

fn skipped_cells(count: usize, plain: bool) -> Vec<table::Cell<'static>> {
    let (sign, name) = if plain { ("skipped", "rows") } else { (".", "  skipped rows") };
    vec![
        cell(sign, Role::Same),
        cell(name, Role::Dim),
        cell("", Role::Dim),
        cell(thousands(count as u64), Role::Dim),
        cell("skipped", Role::Dim),
        cell("", Role::Dim),
    ]
}

fn row_cells<'a>(entry: &PlanEntry, change: &'a Change, is_out: bool, plain: bool) -> Vec<table::Cell<'a>> {
    let role = if is_out { Role::Dim } else { change::role(change.action) };
    let sign = match (plain, is_out) {
        (true, false) => word(change.action).to_owned(),
        (true, true) => "left out".into(),
        (false, true) => "x".into(),
        (false, false) => change.action.sign().to_string(),
    };
    let name = match change.entity {
        Entity::Customers => "the customer itself".to_owned(),
        Entity::Subscriptions => change.source.name.to_string(),
    };
    let name = if plain { name } else { format!("  {name}") };
    let (field, before, after) = match best(change) {
        Some(best) => {
            let more = candidates(change).len().saturating_sub(1);
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            ("who?".to_owned(), format!("{}{more}", best.name), "decide".to_owned())
        }
        None => change::headline(change),
    };
    let money = match (entry.money, change.entity) {
        (Some(money), _) if money.is_zero() => String::new(),
        (Some(money), _) => change::signed(money),
        (None, Entity::Subscriptions) if change.action.acts() => "n/a".into(),
        (None, _) => String::new(),
    };
    let money_role = match entry.money {
        _ if is_out => Role::Dim,
        Some(money) if money.is_sign_negative() => Role::MoneyDown,
        _ => Role::MoneyUp,
    };
    let text = if is_out { Role::Dim } else { Role::Text };
    let strong = if is_out || !change.action.acts() { text } else { Role::Strong };
    vec![
        cell(sign, role),
        cell(name, text),
        cell(field, Role::Dim),
        cell(before, Role::Dim),
        cell(after, strong),
        cell(money, money_role),
    ]
}
