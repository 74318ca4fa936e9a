//! All jobs, and the live log of the selected one (ux.md 3.6). Interrupted ones stand on top until they are resumed or
//! cancelled.

mod inbox;
mod timetable;

use ratatui::layout::Rect;
use serde_json::{Value, json};
use std::fmt::Write as _;

use self::inbox::Inbox;
use self::timetable::Timetable;
use super::job::{JobScreen, can_order, order, ordered, pace, plan_of, stage_line};
use super::log_window::LogWindow;
use crate::host::words::{Answer, Event, JobReport, JobState, Query, StageProgress};
use crate::model::{JobId, Problem};
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::fit::thousands;
use crate::ui::key::Input;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::table::{self, Column, Row, cell};
use crate::ui::widgets::{log, strip};

#[derive(Debug, Clone, Default)]
pub struct Jobs {
    /// Newest first, as the engine gives them.
    all: Vec<JobReport>,
    list: List<JobId>,
    is_asked: bool,
    is_known: bool,
    trouble: Option<Problem>,
    text: String,
    /// Only jobs that did not end well.
    issues: bool,
    prompt: Option<Prompt<()>>,
    log: Option<LogWindow>,
    tab: Tab,
    inbox: Inbox,
    timetable: Timetable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    All,
    Issues,
    Schedule,
}

impl Tab {
    /// The one to the right, or to the left; the last is followed by the first.
    fn beside(self, right: bool) -> Self {
        match (self, right) {
            (Self::All, true) | (Self::Schedule, false) => Self::Issues,
            (Self::Issues, true) | (Self::All, false) => Self::Schedule,
            (Self::Schedule, true) | (Self::Issues, false) => Self::All,
        }
    }
}

/// Jobs asked for.
const LAST: usize = 500;

const COLUMNS: [Column; 10] = [
    Column::fixed("job", 4),
    Column::fixed("when", 15).goes(5),
    Column::growing("what", 12),
    Column::fixed("state", 11),
    Column::fixed("+", 5).right().goes(4),
    Column::fixed("~", 6).right().goes(4),
    Column::fixed("0", 3).right().goes(2),
    Column::fixed("-", 3).right().goes(1),
    Column::fixed("!", 4).right().goes(3),
    Column::fixed("fail", 4).right().goes(6),
];

impl Jobs {
    fn selected(&self) -> Option<&JobReport> {
        let id = self.list.selected()?;
        self.all.iter().find(|job| job.job == *id)
    }

    fn state(job: &JobReport, mirror: &Mirror) -> JobState {
        if mirror.progress.as_ref().is_some_and(|progress| progress.job == job.job) {
            JobState::Running
        } else {
            job.state
        }
    }

    fn of_jobs(&self, mirror: &Mirror) -> String {
        if let Some(progress) = &mirror.progress {
            let left =
                progress.seconds_left.map(|s| format!("  {} left", strip::time_left(s))).unwrap_or_default();
            return format!("{} {}{left}", progress.job, strip::counters(progress));
        }
        let issues = self.all.iter().filter(|job| is_issue(job.state)).count();
        let mut text = if self.is_known {
            format!("{} in all", thousands(self.all.len() as u64))
        } else {
            String::new()
        };
        if issues > 0 {
            let _ = write!(text, ", {issues} with open ends");
        }
        if self.issues || !self.text.is_empty() {
            let _ = write!(text, "  showing {}", self.list.len());
        }
        text
    }

    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        turn.ask(Query::Jobs { last: LAST });
        Inbox::ask(turn);
    }

    fn lay_out(&mut self) {
        let words: Vec<_> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let shown = |job: &&JobReport| {
            let text = format!("{} {} {}", job.job, strip::title(job), job.state.word()).to_lowercase();
            (!self.issues || is_issue(job.state)) && words.iter().all(|word| text.contains(word.as_str()))
        };
        let mut jobs: Vec<_> = self.all.iter().filter(shown).collect();
        jobs.sort_by_key(|job| (job.state != JobState::Interrupted, std::cmp::Reverse(job.job)));
        let ids = jobs.into_iter().map(|job| job.job).collect();
        self.list.replace(ids);
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

    /// What stands above the log of the selected job.
    fn head(&self, mirror: &Mirror, area: Rect) -> Vec<(String, Role)> {
        let Some(job) = self.selected().filter(|_| area.height > 6) else { return Vec::new() };
        let mut lines = Vec::new();
        let width = area.width;
        let progress = mirror.progress.as_ref().filter(|progress| progress.job == job.job);
        let stages = progress.map_or(&job.stages, |progress| &progress.stages);
        lines.extend(stages.iter().map(|stage| (stage_line(stage, width), Role::Text)));
        if let Some(progress) = progress {
            lines.push((format!("pace           {}", pace(progress)), Role::Text));
        }
        if job.state == JobState::Interrupted {
            lines.push(("r goes on where it stopped; c drops the rest.".into(), Role::Notice));
        }
        if let Some(trouble) = &job.trouble {
            lines.push((trouble.to_string(), Role::Bad));
        }
        lines
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let (Some(job), Some(log)) = (self.selected(), &self.log) else { return };
        if area.height < 2 {
            return;
        }
        let title = format!("{} {}, {} lines", job.job, strip::heading(job), thousands(log.follow.total));
        canvas.rule(Rect { height: 1, ..area }, &title);
        let head = self.head(canvas.mirror, area);
        let mut y = area.y + 1;
        for (text, role) in &head {
            if y < area.bottom() {
                canvas.put(area.x + 1, y, area.width.saturating_sub(1), text, *role);
                y += 1;
            }
        }
        let cursor = canvas.cursor;
        let body = Rect {
            x: area.x + 1,
            y,
            width: area.width.saturating_sub(1),
            height: area.bottom().saturating_sub(y),
        };
        log::draw(canvas, body, &log.follow, false, |index| log.line(index));
        canvas.cursor = cursor;
    }
}

impl View for Jobs {
    fn scope(&self) -> Scope {
        Scope::Jobs
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let issues = format!("Issues {}", thousands(self.inbox.total()));
        Some(match self.tab {
            Tab::All => (format!("[All]  {issues}  Schedule"), self.of_jobs(mirror)),
            Tab::Issues => (format!("All  [{issues}]  Schedule"), self.inbox.summary()),
            Tab::Schedule => (format!("All  {issues}  [Schedule]"), self.timetable.summary()),
        })
    }

    fn summary(&self, mirror: &Mirror) -> String {
        match self.tab {
            Tab::All => self.of_jobs(mirror),
            Tab::Issues => format!("Issues: {}", self.inbox.summary()),
            Tab::Schedule => format!("Schedule: {}", self.timetable.summary()),
        }
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    fn input(&mut self, input: Input<'_>, _turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            let typed = prompt.input(input);
            self.typed(typed);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if matches!(action, Action::NextTab | Action::PreviousTab) {
            self.tab = self.tab.beside(action == Action::NextTab);
            return true;
        }
        if self.tab == Tab::Issues && action != Action::Refresh {
            return self.inbox.act(action, turn);
        }
        if self.tab == Tab::Schedule {
            return self.timetable.act(action, turn);
        }
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            return true;
        }
        match action {
            Action::Refresh => self.ask(turn),
            Action::Filter => self.prompt = Some(Prompt::new((), "filter >", &self.text)),
            Action::FilterState | Action::Copy | Action::DetailsDown | Action::DetailsUp => {}
            _ => {
                let Some(job) = self.selected() else {
                    turn.say("No job is selected.");
                    return true;
                };
                match action {
                    Action::OpenJob => turn.open(JobScreen::of(job.job)),
                    Action::Resume | Action::Undo if job.state != JobState::Interrupted => {
                        plan_of(action, job, turn);
                    }
                    Action::Pause | Action::CancelJob | Action::Resume => order(action, job.job, turn),
                    Action::Why => turn.say(why(job)),
                    _ => return false,
                }
            }
        }
        true
    }

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        if self.tab == Tab::Issues {
            return match action {
                Action::Pause | Action::CancelJob | Action::Undo | Action::Filter | Action::FilterState => {
                    Availability::Not("that is for jobs; [ goes to them.".into())
                }
                Action::OpenJob | Action::Resume | Action::PutAside | Action::Why | Action::Copy
                    if self.inbox.is_empty() =>
                {
                    Availability::Not("nothing waits here.".into())
                }
                _ => Availability::Ready,
            };
        }
        if self.tab == Tab::Schedule {
            return self.timetable.can(action);
        }
        if matches!(action, Action::OnOff | Action::RunNow) {
            return Availability::Not("that is for schedules; [ goes to them.".into());
        }
        match (action, self.selected()) {
            (Action::PutAside, _) => Availability::Not("only issues are put aside; ] shows them.".into()),
            (Action::Pause | Action::CancelJob | Action::Resume | Action::Undo, Some(job)) => {
                can_order(action, job.job, Some(Self::state(job, mirror)), Some(job), mirror)
            }
            (
                Action::Pause
                | Action::CancelJob
                | Action::Resume
                | Action::Undo
                | Action::OpenJob
                | Action::Why
                | Action::Copy,
                None,
            ) => Availability::Not("there is no job here.".into()),
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        let of =
            |letters: &[(char, &str)]| letters.iter().map(|(l, word)| (*l, (*word).to_owned())).collect();
        match action {
            Action::FilterState => of(&[('i', "with open ends"), ('f', "all")]),
            Action::Copy => of(&[('y', "job"), ('r', "row"), ('e', "error")]),
            _ => Vec::new(),
        }
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match action {
            Action::FilterState => {
                self.issues = letter == 'i';
                self.lay_out();
            }
            Action::Copy if self.tab == Tab::Issues => turn.copy(self.inbox.told()),
            Action::Copy if self.tab == Tab::Schedule => turn.copy(self.timetable.told()),
            Action::Copy => {
                let Some(job) = self.selected() else { return };
                let text = match letter {
                    'y' => job.job.to_string(),
                    'e' => errors(job),
                    _ => format!("{} {} {}", job.job, strip::title(job), job.state.word()),
                };
                turn.copy(text);
            }
            _ => {}
        }
    }

    fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        if self.issues || !self.text.is_empty() {
            self.issues = false;
            self.text.clear();
            self.lay_out();
            return true;
        }
        false
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        self.inbox.hear(news, turn);
        self.timetable.hear(news, turn);
        match news {
            News::Answer(Query::Jobs { .. }, result) => match result {
                Ok(Answer::Jobs(jobs)) => {
                    self.is_known = true;
                    self.trouble = None;
                    self.all.clone_from(jobs);
                    self.lay_out();
                }
                Err(problem) => self.trouble = Some(problem.clone()),
                Ok(_) => {}
            },
            News::Engine(Event::Job(report)) => {
                match self.all.iter_mut().find(|job| job.job == report.job) {
                    Some(known) => *known = (**report).clone(),
                    None => self.all.insert(0, (**report).clone()),
                }
                self.lay_out();
                if report.state != JobState::Running {
                    Inbox::ask(turn);
                }
                if let Some(log) = self.log.as_mut().filter(|log| log.job == report.job) {
                    log.count(turn);
                }
            }
            News::Missed => self.ask(turn),
            News::Reply(command, result) => {
                if let Some(job) = self.list.selected() {
                    ordered(command, *job, result, turn);
                }
            }
            _ => {}
        }
        if let Some(log) = &mut self.log {
            log.hear(news, turn);
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        if self.tab == Tab::Issues {
            return self.inbox.settle(turn);
        }
        if self.tab == Tab::Schedule {
            return self.timetable.settle(turn);
        }
        let regions = list_and_details(turn.area, turn.in_overview);
        self.list.keep_visible(regions.rows());
        let Some(job) = self.list.selected().copied().filter(|_| regions.details.height > 1) else {
            self.log = None;
            return;
        };
        if self.log.as_ref().is_none_or(|log| log.job != job) {
            let mut log = LogWindow::of(job);
            log.count(turn);
            self.log = Some(log);
        }
        let head = self.head(turn.mirror, regions.details).len() as u16;
        if let Some(log) = &mut self.log {
            log.settle(regions.details.height.saturating_sub(1 + head).into(), turn);
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        if self.tab == Tab::Issues {
            return self.inbox.draw(canvas, area, in_overview);
        }
        if self.tab == Tab::Schedule {
            return self.timetable.draw(canvas, area, in_overview);
        }
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            let text = match &self.trouble {
                Some(problem) => problem.to_string(),
                None if !self.is_known => "Reading ...".into(),
                None if self.all.is_empty() => {
                    "No job has run yet. A plan that is applied is a job: Customers (2), p.".into()
                }
                None => "No job matches. Esc shows all.".into(),
            };
            return table::empty(canvas, regions.list, &text);
        }
        let (look, now, mirror) = (canvas.look, canvas.now, canvas.mirror);
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &COLUMNS, visible, Some(self.list.position()), |index| {
            let id = self.list.ids().get(index)?;
            let job = self.all.iter().find(|job| job.job == *id)?;
            let state = Self::state(job, mirror);
            let progress = mirror.progress.as_ref().filter(|progress| progress.job == *id);
            let totals = progress.map_or(job.totals, |progress| sum(&progress.stages));
            let has_rows = job.plan.is_some() || totals.rows.all() > 0;
            let count = |number: u64| {
                let text = if has_rows { thousands(number) } else { "-".into() };
                cell(text, if number == 0 { Role::Dim } else { Role::Text })
            };
            let is_paused = job.is_paused || progress.is_some_and(|progress| progress.is_paused);
            let word = if is_paused { "paused" } else { state.word() };
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(job.job.to_string(), Role::Text),
                    cell(look.when(job.started, now), Role::Dim),
                    cell(strip::title(job), Role::Text),
                    cell(word, strip::state_role(state)),
                    count(totals.rows.create),
                    count(totals.rows.update + totals.rows.link),
                    count(totals.rows.zero),
                    count(totals.rows.deactivate),
                    count(totals.rows.held),
                    cell(
                        if has_rows { thousands(totals.failed) } else { "-".into() },
                        if totals.failed > 0 { Role::Bad } else { Role::Dim },
                    ),
                ],
            })
        });
        self.details(canvas, regions.details);
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        if self.tab == Tab::Issues {
            return self.inbox.click(line, turn);
        }
        if self.tab == Tab::Schedule {
            return self.timetable.click(line);
        }
        if line > 0 {
            let first = self.list.visible(list_and_details(turn.area, turn.in_overview).rows()).start;
            self.list.select_at(first + usize::from(line) - 1);
        }
    }

    fn hints(&self) -> &'static [Action] {
        if self.tab == Tab::Issues {
            return &[
                Action::OpenJob,
                Action::Resume,
                Action::PutAside,
                Action::Why,
                Action::PreviousTab,
                Action::Palette,
            ];
        }
        if self.tab == Tab::Schedule {
            return Timetable::hints();
        }
        match self.selected().map(|job| job.state) {
            Some(JobState::Interrupted) => &[
                Action::Resume,
                Action::OpenJob,
                Action::CancelJob,
                Action::Why,
                Action::FilterState,
                Action::Palette,
            ],
            Some(JobState::Running) => &[
                Action::OpenJob,
                Action::Pause,
                Action::CancelJob,
                Action::Why,
                Action::FilterState,
                Action::Palette,
            ],
            _ => &[
                Action::OpenJob,
                Action::Resume,
                Action::Undo,
                Action::NextTab,
                Action::Why,
                Action::FilterState,
                Action::Palette,
            ],
        }
    }

    fn about(&self) -> About {
        About {
            what: "Every job: what runs, what ran, what it wrote, and the log of the selected one as it grows.",
            signs: &[
                ("+", "created"),
                ("~", "updated or linked"),
                ("0", "set to zero"),
                ("-", "made inactive"),
                ("!", "held"),
            ],
            rules: &[
                "An interrupted job stands on top until it goes on (r) or is cancelled (c).",
                "partial: some rows failed or are held, the others are done. r plans only those again; the next run does, too.",
                "u takes a whole job back: a plan like any other, which leaves alone what was changed since.",
                "] shows what waits for a person over all jobs, by cause; an issue closes itself when its row passes.",
                "A schedule that was paused by a refused sign-in, or by failures in a row, goes on after a good test, or by r.",
                "partial: some rows failed or are held, the others are done.",
                "A job outlives this screen as long as the program runs.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({ "text": self.text, "issues": self.issues, "job": self.list.selected().map(ToString::to_string) })
    }

    fn restore(&mut self, saved: &Value) {
        saved["text"].as_str().unwrap_or_default().clone_into(&mut self.text);
        self.issues = saved["issues"].as_bool().unwrap_or(false);
        if let Some(job) = saved["job"].as_str().and_then(|job| job.parse().ok()) {
            self.list.replace(vec![job]);
        }
    }
}

const fn is_issue(state: JobState) -> bool {
    matches!(
        state,
        JobState::Warnings | JobState::Partial | JobState::Held | JobState::Failed | JobState::Interrupted
    )
}

fn sum(stages: &[StageProgress]) -> crate::host::words::JobTotals {
    let mut sum = crate::host::words::JobTotals::default();
    for totals in stages.iter().map(|stage| stage.totals) {
        sum.rows.create += totals.rows.create;
        sum.rows.update += totals.rows.update;
        sum.rows.link += totals.rows.link;
        sum.rows.zero += totals.rows.zero;
        sum.rows.deactivate += totals.rows.deactivate;
        sum.rows.unchanged += totals.rows.unchanged;
        sum.rows.skipped += totals.rows.skipped;
        sum.rows.held += totals.rows.held;
        sum.failed += totals.failed;
        sum.not_done += totals.not_done;
    }
    sum
}

fn errors(job: &JobReport) -> String {
    match (&job.trouble, job.problems.first()) {
        (Some(trouble), _) => trouble.to_string(),
        (None, Some(problem)) => format!("{}: {}", problem.source.name, problem.message),
        (None, None) => String::new(),
    }
}

fn why(job: &JobReport) -> String {
    let errors = errors(job);
    let totals = &job.totals;
    match job.state {
        JobState::Running => format!("{} is running.", job.job),
        JobState::Ok => format!("{} did all of its plan.", job.job),
        JobState::Cancelled => format!("{} was cancelled; {} rows were not done.", job.job, totals.not_done),
        JobState::Interrupted => {
            format!("{} was cut off; r goes on where it stopped, nothing is written twice.", job.job)
        }
        _ if errors.is_empty() => {
            format!(
                "{} left {} rows held and {} failed. Enter shows them.",
                job.job, totals.rows.held, totals.failed
            )
        }
        _ => format!("{}: {errors}", job.job),
    }
}
