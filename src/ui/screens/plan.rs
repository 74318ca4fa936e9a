//! What would change (ux.md 3.8): rows by customer, most urgent first; look-alikes are settled here, rows left out, and
//! the plan applied.

mod draw;
mod hear;
mod sum;

use std::collections::BTreeSet;

use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::change::{self, ChangeScreen};
use super::picker::Picker;
use crate::host::words::{Command, Party, PlanEntry, PlanFilter, PlanGroup, Query};
use crate::model::{Decision, Entity, How, Integration, JobId, Moment, PlanId, Problem, SourceId};
use crate::plan::{self, Candidate, Cause, Change, Plan, Purpose};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::fit::{self, thousands};
use crate::ui::key::Input;
use crate::ui::layout::{ListRegions, list_and_details};
use crate::ui::list::{List, Window};
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::strip::time_left;
use crate::ui::widgets::table::Column;

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
    /// What is planned.
    entities: Vec<Entity>,
    scheduled: bool,
    purpose: Purpose,
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

/// The columns, with the heads of what the plan is about; the last only where money is.
const fn columns(integration: Integration, is_into_halo: bool) -> [Column; 6] {
    let (record, now, money) = match integration {
        Integration::Hudu | Integration::Lifecycle if is_into_halo => ("company / record", "Halo now", ""),
        Integration::Also | Integration::Westcoast => ("customer / product", "Halo now", "a month"),
        Integration::Liongard => ("customer / system", "Halo now", ""),
        Integration::Hudu => ("company / record", "Hudu now", ""),
        Integration::Lifecycle => ("company / asset", "here now", ""),
    };
    [
        Column::fixed("", 1),
        Column { head: record, width: 18, share: 3, right: false, goes: 0 },
        Column::fixed("field", 8).goes(2),
        Column { head: now, width: 11, share: 1, right: false, goes: 3 },
        Column { head: "will be", width: 11, share: 1, right: false, goes: 0 },
        Column::fixed(money, if money.is_empty() { 0 } else { 10 }).right().goes(1),
    ]
}

/// Totals, money and notices above, the list, its details.
fn parts(area: Rect, has_money: bool, notices: usize) -> (Rect, ListRegions) {
    let notices = notices as u16;
    let head = match area.height {
        0..8 => 1,
        8..14 => 1 + notices.min(2),
        _ => 1 + u16::from(has_money) + notices.min(4),
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

    /// Builds a plan of these entities by hand.
    pub fn build_of(integration: Integration, entities: Vec<Entity>) -> Self {
        Self { entities, ..Self::build(integration) }
    }

    /// Builds a plan for a purpose of its own: of one customer, of what a job left, or what takes it back.
    pub fn with(integration: Integration, purpose: Purpose) -> Self {
        Self { purpose, ..Self::build(integration) }
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
            entities: integration.usual().to_vec(),
            scheduled: false,
            purpose: Purpose::Whole,
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
            again: false,
            stale: None,
            applied: None,
            made: String::new(),
            now: None,
        }
    }

    /// Whether what is planned is billed at all.
    fn has_money(&self) -> bool {
        self.integration.entities().iter().any(|entity| entity.is_billed())
    }

    fn way(&self) -> &'static str {
        if self.scheduled { "as scheduled" } else { "by hand" }
    }

    fn send_build(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::Building {
            return;
        }
        self.state = State::Building;
        if matches!(self.purpose, Purpose::Retry { .. } | Purpose::Undo { .. }) {
            turn.send(Command::BuildPlanOf { purpose: self.purpose.clone(), allow_removals: false });
            return;
        }
        turn.send(Command::BuildPlan {
            integration: self.integration,
            entities: self.entities.clone(),
            scheduled: self.scheduled,
            purpose: self.purpose.clone(),
        });
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

    fn is_filtered(&self) -> bool {
        self.filter != PlanFilter::default()
    }

    /// The notices as lines of this width.
    fn notice_lines(&self, width: u16) -> Vec<(String, Role)> {
        self.notices()
            .into_iter()
            .flat_map(|(text, role)| {
                fit::wrap(&text, width.saturating_sub(1).into()).into_iter().map(move |line| (line, role))
            })
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
        notices.extend(self.purpose.remarks().iter().map(|remark| ((*remark).to_owned(), Role::Notice)));
        notices.extend(plan.outline.warnings().map(|warning| (warning.to_owned(), Role::Notice)));
        notices.extend(plan.outline.notes.iter().map(|note| (note.clone(), Role::Text)));
        notices
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
        crate::ui::others::decide(self.integration, vec![(id, decision)], turn);
    }

    pub fn from_saved(saved: &Value) -> Option<Self> {
        let integration = saved["integration"].as_str()?.parse().ok()?;
        Some(Self::of(integration, saved["plan"].as_str()?.parse().ok()?))
    }

    fn title(&self) -> String {
        let label = self.integration.label();
        if let Some(title) = self.purpose.title() {
            let id = self.plan.as_ref().map(|plan| format!(" {}", plan.id)).unwrap_or_default();
            return format!("{label} > Plan{id}, {title}");
        }
        match &self.plan {
            Some(plan) if plan.entities == self.integration.usual() => {
                format!("{label} > Plan {}, {}", plan.id, self.way())
            }
            Some(plan) => {
                let entities = plan.entities.iter().map(|entity| entity.key()).collect::<Vec<_>>().join(", ");
                format!("{label} > Plan {} {entities}, {}", plan.id, self.way())
            }
            None => format!("{label} > Plan, {}", self.way()),
        }
    }
}

impl View for PlanScreen {
    fn scope(&self) -> Scope {
        Scope::Plan
    }

    fn name(&self) -> Option<String> {
        Some(self.title())
    }

    fn edits(&self) -> Option<String> {
        self.plan.as_ref().map(|plan| format!("plan {}", plan.id))
    }

    fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        let right = match (&self.state, &self.plan) {
            (State::Replanning, _) => "planning again ...".to_owned(),
            (_, Some(plan)) => match plan.outline.cost.requests.values().sum() {
                0 if plan.outline.totals.acting() > 0 => "written here, no calls".to_owned(),
                0 => "nothing to write".to_owned(),
                calls => {
                    format!("{} calls, about {}", thousands(calls), time_left(plan.outline.cost.seconds))
                }
            },
            _ => String::new(),
        };
        Some((self.made.clone(), right))
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            State::ToBuild => self.send_build(turn),
            State::ToLoad(plan) => {
                self.state = State::Loading;
                turn.ask(Query::Plan { plan });
            }
            _ => {}
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
        let height = parts(turn.area, self.has_money(), self.notice_lines(turn.area.width).len()).1.rows();
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
                if !self.list.mark_to() {
                    turn.say("From here; go to the other end and press it again.");
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

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
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
        if action == Action::OtherWay && matches!(self.purpose, Purpose::Retry { .. } | Purpose::Undo { .. })
        {
            return not("it goes the way its job went.");
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

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
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

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
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

    fn peel(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.list.clear_marks() {
            return true;
        }
        if self.is_filtered() {
            self.set_filter(PlanFilter::default(), turn);
            return true;
        }
        false
    }

    fn may_leave(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.state == State::Building {
            turn.say("The plan goes on being built; p shows it.");
        }
        true
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.now = Some(turn.now.moment);
        let height = parts(turn.area, self.has_money(), self.notice_lines(turn.area.width).len()).1.rows();
        self.list.keep_visible(height);
        let Some(plan) = self.plan.as_ref().map(|plan| plan.id) else { return };
        let mut window = std::mem::take(&mut self.rows);
        let rows = |margin: usize| -> Vec<u32> {
            let near = self.list.with_margin(height, margin);
            near.filter_map(|at| Some(self.at(at)?.1?.row)).collect()
        };
        let (rows, is_ahead) = window.wanted(height, rows);
        self.rows = window;
        if !rows.is_empty() {
            turn.ask_rows(Query::PlanRows { plan, rows }, is_ahead);
        }
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let (_, regions) = parts(turn.area, self.has_money(), self.notice_lines(turn.area.width).len());
        let first = self.list.visible(regions.rows()).start;
        if let Some(row) = (turn.area.y + line).checked_sub(regions.list.y + 1) {
            self.list.select_at(first + usize::from(row));
        }
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        self.learn(news, turn);
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        self.paint(canvas, area);
    }

    fn hints(&self) -> &'static [Action] {
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

    fn about(&self) -> About {
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

    fn saved(&self) -> Value {
        json!({
            "screen": "plan",
            "integration": self.integration.key(),
            "plan": self.plan.as_ref().map(|plan| plan.id.to_string()),
        })
    }
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
