//! The planning workspace: companies with what is old in them, and the lists that everything is judged by. Each list
//! can be changed here; what is changed is one step, and `u` takes it back.

mod edits;
mod entry;
mod fields;
mod rows;
pub mod sheet;

use std::collections::HashMap;

use ratatui::layout::Rect;
use serde_json::{Value, json};

pub use entry::{Assets, Entry};
use rows::Tab;
use sheet::Sheet;

use super::plan::PlanScreen;
use super::report::{ReportScreen, complete};
use crate::host::words::{
    Answer, Command, CompanyView, Event, LifecycleAnswer, LifecycleOrder, LifecycleQuery, Query, Reply,
    WorkspaceView,
};
use crate::lifecycle::NOTICE;
use crate::lifecycle::grade::Tone;
use crate::lifecycle::report::Head;
use crate::lifecycle::summary::Summary;
use crate::model::{Integration, Place, Problem};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::table::{self, Row};

/// Which companies are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Show {
    #[default]
    Managed,
    Others,
    All,
}

/// What the companies are ordered by; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Name,
    Replace,
    Budget,
    Quality,
}

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Filter,
    /// The name of a new company, type or status.
    Name,
}

#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    tab: Tab,
    companies: Vec<CompanyView>,
    sums: HashMap<u32, Summary>,
    view: Option<Box<WorkspaceView>>,
    heads: Vec<Head>,
    show: Show,
    order: Order,
    /// Companies and reports by their number, the rest by their place.
    list: List<u32>,
    text: String,
    prompt: Option<Prompt<Asking>>,
    is_asked: bool,
    trouble: Option<Problem>,
}

fn sends(order: LifecycleOrder) -> Step {
    Step::Do(Effect::Send(Command::Lifecycle(Box::new(order))))
}

impl Lifecycle {
    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        for query in [
            LifecycleQuery::Overview,
            LifecycleQuery::Companies,
            LifecycleQuery::Reports,
            LifecycleQuery::Portfolio,
        ] {
            turn.ask(Query::Lifecycle(query));
        }
    }

    fn shown_companies(&self) -> impl Iterator<Item = &CompanyView> {
        self.companies.iter().filter(|view| match self.show {
            Show::Managed => view.company.managed,
            Show::Others => !view.company.managed,
            Show::All => true,
        })
    }

    fn company_of(&self, id: u32) -> Option<&CompanyView> {
        self.companies.iter().find(|view| view.company.id == id)
    }

    fn lay_out(&mut self) {
        let words: Vec<_> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let shown = |text: &str| words.iter().all(|word| text.to_lowercase().contains(word.as_str()));
        let mut ids: Vec<u32> =
            self.texts().iter().filter(|(_, text)| shown(text)).map(|(key, _)| *key).collect();
        if self.tab == Tab::Companies {
            let worst = |id: &u32| std::cmp::Reverse(self.of_tone(self.sums.get(id), Tone::Replace));
            let total = |id: &u32| std::cmp::Reverse(self.sums.get(id).map(Summary::total));
            let score = |id: &u32| self.sums.get(id).and_then(|sum| sum.quality.score());
            match self.order {
                Order::Name => {}
                Order::Replace => ids.sort_by_key(worst),
                Order::Budget => ids.sort_by_key(total),
                Order::Quality => ids.sort_by_key(score),
            }
        }
        self.list.replace(ids);
    }

    fn go_to(&mut self, tab: Tab) {
        self.tab = tab;
        self.text.clear();
        self.list = List::default();
        self.lay_out();
    }

    fn turn_tab(&mut self, by: usize) {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.go_to(Tab::ALL[(at + by) % Tab::ALL.len()]);
    }

    fn typed(&mut self, what: Asking, typed: Typed, turn: &mut Turn<'_>) {
        match (what, typed) {
            (_, Typed::Going) | (Asking::Name, Typed::Changed(_)) => {}
            (Asking::Filter, Typed::Changed(text)) => self.text = text,
            (Asking::Filter, Typed::Done(_)) | (Asking::Name, Typed::Dropped) => self.prompt = None,
            (Asking::Filter, Typed::Dropped) => {
                self.prompt = None;
                self.text.clear();
            }
            (Asking::Name, Typed::Done(name)) => {
                self.prompt = None;
                let order = match self.tab.terms() {
                    Some(list) => LifecycleOrder::AddTerm { list, name },
                    None => LifecycleOrder::AddCompany { name },
                };
                turn.steps.push(sends(order));
            }
        }
        self.lay_out();
    }

    fn open_sheet(&self, entry: Entry, turn: &mut Turn<'_>) {
        turn.open(Sheet::of(entry, self.view.clone(), &self.companies));
    }
}

impl View for Lifecycle {
    fn scope(&self) -> Scope {
        Scope::Lifecycle
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let tabs: Vec<String> = Tab::ALL
            .iter()
            .map(|tab| if *tab == self.tab { format!("[{}]", tab.title()) } else { tab.title().to_owned() })
            .collect();
        Some((tabs.join(" "), self.summary(mirror)))
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        self.view.as_ref().map_or_else(String::new, |view| {
            let cap = if view.cap > 0 { format!(" of {}", view.cap) } else { String::new() };
            format!("{}{cap} managed, {} configurations", view.managed, view.configurations)
        })
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    fn input(&mut self, input: Input<'_>, turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            let (what, typed) = (prompt.what, prompt.input(input));
            self.typed(what, typed, turn);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            return true;
        }
        match action {
            Action::Filter => self.prompt = Some(Prompt::new(Asking::Filter, "filter >", &self.text)),
            Action::Refresh => self.ask(turn),
            Action::NextTab => self.turn_tab(1),
            Action::PreviousTab => self.turn_tab(Tab::ALL.len() - 1),
            Action::PlanIt => {
                turn.open(PlanScreen::build(Integration::Lifecycle));
            }
            Action::Undo | Action::Redo => {
                turn.steps.push(sends(LifecycleOrder::Undo { redo: action == Action::Redo }));
            }
            Action::Mark => self.list.mark(),
            Action::MarkAll => self.list.mark_all(),
            Action::MarkTo => {
                if !self.list.mark_to() {
                    turn.say("From here; go to the other end and press it again.");
                }
            }
            Action::OpenEntry => self.open(turn),
            Action::NewEntry => self.new_entry(turn),
            Action::RemoveEntry => self.remove(turn),
            Action::Manage => self.manage(turn),
            Action::EditCompany => {
                if let Some(view) = self.list.selected().and_then(|id| self.company_of(*id)) {
                    let of = &view.company;
                    let (name, notes) = (of.name.clone(), of.notes.clone());
                    let entry = Entry::Company { id: of.id, name, notes, month: of.first_month };
                    self.open_sheet(entry, turn);
                }
            }
            Action::CreateUnmapped => self.create_unmapped(turn),
            Action::MoveUp | Action::MoveDown => self.shift(action == Action::MoveUp, turn),
            Action::OurGrades => {
                let lines =
                    ["Your own rules go; the default set of Parhelion counts again. u takes it back."
                        .to_owned()];
                let steps = vec![sends(LifecycleOrder::Grades { rules: None })];
                turn.dialog(Confirm::new("Our default grade rules again?", lines, "not now").choice(
                    'y',
                    "our default rules",
                    steps,
                ));
            }
            Action::CompleteReport => {
                let head = self.list.selected().and_then(|id| self.heads.iter().find(|h| h.id.0 == *id));
                if let Some(head) = head {
                    turn.dialog(complete(head.id, &head.name));
                }
            }
            Action::Test => {
                let place = Place::Of(Integration::Lifecycle);
                turn.say("Trying each right in Halo; nothing is written.");
                turn.send(Command::Test { place, draft: Vec::new(), secrets: Vec::new() });
            }
            Action::Why => turn.say(NOTICE),
            Action::Copy | Action::DetailsDown | Action::DetailsUp | Action::FilterState | Action::Order => {}
            _ => return false,
        }
        true
    }

    fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        let not = |reason: &str| Availability::Not(reason.to_owned());
        let is_list = self.tab != Tab::Reports;
        match action {
            Action::FilterState | Action::Order | Action::Manage | Action::EditCompany
                if self.tab != Tab::Companies =>
            {
                not("for companies only.")
            }
            Action::CreateUnmapped if self.tab.terms().is_none() => {
                not("for company types and statuses only.")
            }
            Action::OurGrades if self.tab != Tab::Grades => not("for grades only."),
            Action::OurGrades if self.view.as_ref().is_some_and(|view| view.grades_are_ours) => {
                not("they are our default rules already.")
            }
            Action::CompleteReport if self.tab != Tab::Reports => not("for reports only."),
            Action::CompleteReport | Action::RemoveEntry if self.tab == Tab::Reports => {
                let head = self.list.selected().and_then(|id| self.heads.iter().find(|h| h.id.0 == *id));
                if head.is_none_or(|head| head.completed.is_some()) {
                    return not("a completed report never changes.");
                }
                Availability::Ready
            }
            Action::RemoveEntry if self.tab == Tab::Companies => {
                not("a company stays known; x takes it out of what is managed.")
            }
            Action::MoveUp | Action::MoveDown if !matches!(self.tab, Tab::Grades | Tab::Classes) => {
                not("this list has no order of its own.")
            }
            Action::NewEntry if !is_list => not("Enter on a company begins a report."),
            Action::Test if self.tab != Tab::SetUp => not("on the Set-up tab it tries each right in Halo."),
            Action::OpenEntry | Action::RemoveEntry | Action::Manage | Action::EditCompany
                if self.list.is_empty() =>
            {
                not("this list is empty.")
            }
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        let words: &[(char, &str)] = match action {
            Action::Copy => &[('r', "row"), ('c', "command")],
            Action::FilterState => &[('m', "managed"), ('o', "others"), ('f', "all")],
            Action::Order => &[('n', "name"), ('r', "most to replace"), ('b', "budget"), ('q', "worst data")],
            _ => &[],
        };
        words.iter().map(|(letter, word)| (*letter, (*word).to_owned())).collect()
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match (action, letter) {
            (Action::Copy, 'c') => turn.copy(self.tab.command()),
            (Action::Copy, _) => {
                let key = self.list.selected().copied();
                let row = self.texts().into_iter().find(|(own, _)| Some(*own) == key);
                turn.copy(row.map(|(_, text)| text).unwrap_or_default());
            }
            (Action::FilterState, letter) => {
                self.show = match letter {
                    'm' => Show::Managed,
                    'o' => Show::Others,
                    _ => Show::All,
                };
                self.lay_out();
            }
            (_, letter) => {
                self.order = match letter {
                    'r' => Order::Replace,
                    'b' => Order::Budget,
                    'q' => Order::Quality,
                    _ => Order::Name,
                };
                self.lay_out();
            }
        }
    }

    fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        if self.list.clear_marks() {
            return true;
        }
        let is_filtered = !self.text.is_empty() || self.show != Show::Managed;
        self.text.clear();
        self.show = Show::Managed;
        self.lay_out();
        is_filtered
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Lifecycle(_), result) => {
                match result {
                    Ok(Answer::Lifecycle(answer)) => match &**answer {
                        LifecycleAnswer::Overview(view) => self.view = Some(view.clone()),
                        LifecycleAnswer::Companies(all) => self.companies.clone_from(all),
                        LifecycleAnswer::Reports(heads) => self.heads.clone_from(heads),
                        LifecycleAnswer::Portfolio(sums) => self.sums = sums.iter().cloned().collect(),
                        LifecycleAnswer::Configurations(_) | LifecycleAnswer::Report(_) => return,
                    },
                    Err(problem) => self.trouble = Some(problem.clone()),
                    Ok(_) => return,
                }
                self.lay_out();
            }
            News::Reply(command, result) if matches!(&**command, Command::Lifecycle(_)) => match result {
                Ok(Reply::Report { report, .. }) => turn.open(ReportScreen::of(*report)),
                Ok(Reply::Done(said)) => turn.say(said.clone()),
                Ok(_) => {}
                Err(problem) => turn.complain(problem.to_string()),
            },
            News::Engine(Event::Settings | Event::Lifecycle) | News::Missed if self.is_asked => {
                self.ask(turn);
            }
            News::Engine(Event::Job(job))
                if self.is_asked && job.integration == Integration::Lifecycle && job.finished.is_some() =>
            {
                self.ask(turn);
            }
            _ => {}
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        self.list.keep_visible(list_and_details(turn.area, turn.in_overview).rows());
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            table::empty(canvas, regions.list, &self.nothing());
            return;
        }
        let columns = rows::columns(self.tab);
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &columns, visible, Some(self.list.position()), |index| {
            let key = *self.list.ids().get(index)?;
            Some(Row { is_marked: self.list.marks().contains(&key), cells: self.cells(key)? })
        });
        self.details(canvas, regions.details);
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        self.prompt.as_ref().is_some_and(|prompt| {
            prompt.draw(canvas, area);
            true
        })
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        if line > 0 {
            let first = self.list.visible(list_and_details(turn.area, turn.in_overview).rows()).start;
            self.list.select_at(first + usize::from(line) - 1);
        }
    }

    fn hints(&self) -> &'static [Action] {
        use Action as A;
        match self.tab {
            Tab::Companies => &[
                A::OpenEntry,
                A::NextTab,
                A::PlanIt,
                A::Manage,
                A::EditCompany,
                A::FilterState,
                A::Order,
                A::Filter,
            ],
            Tab::Reports => &[A::OpenEntry, A::NextTab, A::CompleteReport, A::RemoveEntry, A::Filter],
            Tab::Grades => &[
                A::OpenEntry,
                A::NextTab,
                A::NewEntry,
                A::RemoveEntry,
                A::MoveUp,
                A::MoveDown,
                A::Undo,
                A::OurGrades,
            ],
            Tab::Classes => {
                &[A::OpenEntry, A::NextTab, A::NewEntry, A::RemoveEntry, A::MoveUp, A::MoveDown, A::Undo]
            }
            Tab::Types | Tab::Statuses => {
                &[A::OpenEntry, A::NextTab, A::CreateUnmapped, A::NewEntry, A::RemoveEntry, A::Undo]
            }
            Tab::SetUp => &[A::OpenEntry, A::NextTab, A::Test, A::NewEntry, A::PlanIt],
            _ => &[A::OpenEntry, A::NextTab, A::NewEntry, A::RemoveEntry, A::Undo],
        }
    }

    fn about(&self) -> About {
        About {
            what: NOTICE,
            signs: &[],
            rules: &[
                "Halo is the master: names, types, statuses and assets follow it; only warranty and purchase dates can go back, and that is off by default.",
                "Unknown is a bucket of its own: an asset without dates is neither new nor old, and counts against the data quality.",
                "A completed report never changes; a company has one open draft.",
                "Every change of a list is one step: u takes it back, at any depth, also after a restart.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({"tab": self.tab.title(), "filter": self.text})
    }

    fn restore(&mut self, saved: &Value) {
        if let Some(tab) = Tab::ALL.into_iter().find(|tab| saved["tab"] == tab.title()) {
            self.tab = tab;
        }
        if let Some(text) = saved["filter"].as_str() {
            text.clone_into(&mut self.text);
        }
    }
}
