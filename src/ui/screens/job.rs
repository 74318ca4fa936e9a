//! One job: its stages as counters in place, and its log, which follows or stands still (ux.md 3.7).

use std::fmt::Write as _;
use std::path::PathBuf;

use ratatui::layout::{Position, Rect};
use serde_json::{Value, json};

use super::change::ChangeScreen;
use super::log_window::LogWindow;
use super::plan::PlanScreen;
use crate::host::words::{
    Answer, Command, Event, JobOrder, JobProgress, JobReport, JobState, Level, LogFilter, LogLine, Query,
    Reply, StageProgress,
};
use crate::model::{JobId, Problem};
use crate::plan::Purpose;
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::fit::thousands;
use crate::ui::key::Input;
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::log;
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::strip::{self, time_left};
use crate::ui::widgets::table;

#[derive(Debug, Clone)]
pub struct JobScreen {
    job: JobId,
    report: Option<JobReport>,
    trouble: Option<Problem>,
    log: LogWindow,
    prompt: Option<Prompt<Asking>>,
    search: Option<Search>,
    /// Where the log goes once all of it is here.
    exports: Option<PathBuf>,
    started: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Search,
    ExportTo,
}

/// Lines looked through at a time.
const CHUNK: u64 = 5_000;

/// A search through a log that is not all here.
#[derive(Debug, Clone)]
struct Search {
    needle: String,
    down: bool,
    /// The lines being looked at; `None`: at rest.
    looks_at: Option<(u64, u64)>,
    wrapped: bool,
}

/// Counters above, then the log with its title line.
fn parts(area: Rect, head: usize) -> (Rect, Rect) {
    let room = area.height.saturating_sub(5).min(area.height / 2);
    let head = (head as u16).min(room.max(1));
    (
        Rect { height: head, ..area },
        Rect { y: area.y + head, height: area.height.saturating_sub(head), ..area },
    )
}

impl JobScreen {
    pub fn of(job: JobId) -> Self {
        Self {
            job,
            report: None,
            trouble: None,
            log: LogWindow::of(job),
            prompt: None,
            search: None,
            exports: None,
            started: String::new(),
        }
    }

    fn progress<'a>(&self, mirror: &'a Mirror) -> Option<&'a JobProgress> {
        mirror.progress.as_ref().filter(|progress| progress.job == self.job)
    }

    fn state(&self, mirror: &Mirror) -> Option<JobState> {
        if self.progress(mirror).is_some() {
            return Some(JobState::Running);
        }
        self.report.as_ref().map(|report| report.state)
    }

    fn typed(&mut self, typed: Typed, turn: &mut Turn<'_>) {
        let Some(what) = self.prompt.as_ref().map(|prompt| prompt.what) else { return };
        match (what, typed) {
            (_, Typed::Going | Typed::Changed(_)) => {}
            (_, Typed::Dropped) => self.prompt = None,
            (Asking::Search, Typed::Done(text)) => {
                self.prompt = None;
                let needle = text.trim().to_lowercase();
                self.search = (!needle.is_empty()).then_some(Search {
                    needle,
                    down: true,
                    looks_at: None,
                    wrapped: false,
                });
                self.next_hit(true, turn);
            }
            (Asking::ExportTo, Typed::Done(path)) => {
                self.prompt = None;
                self.exports = Some(path.trim().into());
                turn.ask(Query::Log {
                    job: self.job,
                    filter: LogFilter::default(),
                    from: 0,
                    limit: usize::MAX,
                });
            }
        }
    }

    /// Looks for the next line with the searched words, a part of the log at a time.
    fn next_hit(&mut self, down: bool, turn: &mut Turn<'_>) {
        let at = self.log.follow.at;
        let Some(search) = &mut self.search else { return turn.say("Nothing is searched for; / searches.") };
        search.down = down;
        search.wrapped = false;
        let range = if down { (at + 1, at + 1 + CHUNK) } else { (at.saturating_sub(CHUNK), at) };
        self.look_at(range, turn);
    }

    fn look_at(&mut self, range: (u64, u64), turn: &mut Turn<'_>) {
        if let Some(search) = &mut self.search {
            search.looks_at = Some(range);
            let (from, to) = range;
            turn.ask(self.log.query(from, (to - from).max(1) as usize));
        }
    }

    fn looked(&mut self, from: u64, lines: &[LogLine], total: u64, turn: &mut Turn<'_>) {
        let Some(search) = &mut self.search else { return };
        let Some((start, end)) = search.looks_at.filter(|(start, _)| *start == from) else { return };
        search.looks_at = None;
        let has = |line: &LogLine| {
            [&line.customer, &line.subject, &line.text]
                .iter()
                .any(|text| text.to_lowercase().contains(&search.needle))
        };
        let taken = usize::try_from(end - start).unwrap_or(usize::MAX).min(lines.len());
        let hit = if search.down {
            lines[..taken].iter().position(has)
        } else {
            lines[..taken].iter().rposition(has)
        };
        if let Some(hit) = hit {
            let to = start + hit as u64;
            // Up by nothing at all: a view that stands on a hit does not follow any more.
            self.log.follow.move_by(-1);
            self.log.follow.at = to;
            return;
        }
        let next = match (search.down, search.wrapped) {
            (true, _) if end < total => Some((end, end + CHUNK)),
            (true, false) => {
                search.wrapped = true;
                Some((0, CHUNK.min(total)))
            }
            (false, _) if start > 0 => Some((start.saturating_sub(CHUNK), start)),
            (false, false) => {
                search.wrapped = true;
                Some((total.saturating_sub(CHUNK), total))
            }
            _ => None,
        };
        match next.filter(|(from, to)| from < to) {
            Some(range) => self.look_at(range, turn),
            None => turn.say(format!("'{}' is on no line shown here.", search.needle)),
        }
    }

    fn open_line(&mut self, turn: &mut Turn<'_>) {
        let plan = self.report.as_ref().and_then(|report| report.plan);
        match (self.log.selected(), plan) {
            (Some(line), Some(plan)) if line.row.is_some() => {
                let row = line.row.unwrap_or_default();
                turn.open(ChangeScreen::of_line(plan, row, line.clone()));
            }
            (Some(line), _) => turn.say(line.text.clone()),
            (None, _) => turn.say("There is no line here yet."),
        }
    }

    /// What stands above the log.
    fn head_lines(&self, mirror: &Mirror, width: u16) -> Vec<(String, Role)> {
        let progress = self.progress(mirror);
        let stages: &[StageProgress] = match (progress, &self.report) {
            (Some(progress), _) => &progress.stages,
            (None, Some(report)) => &report.stages,
            (None, None) => &[],
        };
        let mut lines: Vec<(String, Role)> =
            stages.iter().map(|stage| (stage_line(stage, width), Role::Text)).collect();
        if let Some(progress) = progress {
            lines.push(("pace           ".to_owned() + &pace(progress), Role::Text));
        }
        let (held, failed) = match (progress, &self.report) {
            (Some(progress), _) => (progress.held, progress.failed),
            (None, Some(report)) => (report.totals.rows.held, report.totals.failed),
            (None, None) => (0, 0),
        };
        if self.state(mirror) == Some(JobState::Interrupted) {
            lines.push(("needs you      r goes on where it stopped, c drops the rest".into(), Role::Notice));
        } else if held + failed > 0 {
            lines.push((
                format!("needs you      {held} held, {failed} failed: f h shows only these"),
                Role::Notice,
            ));
        }
        if let Some(trouble) = self.report.as_ref().and_then(|report| report.trouble.as_ref()) {
            lines.push((format!("why            {trouble}"), Role::Bad));
        }
        lines
    }

    pub fn from_saved(saved: &Value) -> Option<Self> {
        Some(Self::of(saved["job"].as_str()?.parse().ok()?))
    }
}

impl View for JobScreen {
    fn scope(&self) -> Scope {
        Scope::Job
    }

    fn name(&self) -> Option<String> {
        Some({
            match &self.report {
                Some(report) => format!("{} {}", self.job, strip::heading(report)),
                None => self.job.to_string(),
            }
        })
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let mut left = match (self.state(mirror), self.progress(mirror)) {
            (_, Some(progress)) if progress.is_paused => "paused".to_owned(),
            (Some(_), _) if self.report.as_ref().is_some_and(|report| report.is_paused) => {
                "paused".to_owned()
            }
            (Some(state), _) => state.word().to_owned(),
            (None, _) => "reading".into(),
        };
        if let Some(report) = &self.report {
            let _ = write!(left, "  by {}", report.by);
            if let Some(plan) = report.plan {
                let _ = write!(left, "  plan {plan}");
            }
            left.push_str(if report.scheduled { "  as scheduled" } else { "  by hand" });
        }
        Some((left, self.started.clone()))
    }

    fn enter(&mut self, turn: &mut Turn<'_>) {
        turn.ask(Query::Job { job: self.job });
        self.log.count(turn);
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
        let height = i64::from(
            parts(turn.area, self.head_lines(turn.mirror, turn.area.width).len())
                .1
                .height
                .saturating_sub(1)
                .max(1),
        );
        match action {
            Action::Up => self.log.follow.move_by(-1),
            Action::Down => self.log.follow.move_by(1),
            Action::HalfPageUp => self.log.follow.move_by(-(height / 2).max(1)),
            Action::HalfPageDown => self.log.follow.move_by((height / 2).max(1)),
            Action::PageUp => self.log.follow.move_by(-height),
            Action::PageDown => self.log.follow.move_by(height),
            Action::First => self.log.follow.first(),
            Action::Last => self.log.follow.follow(),
            Action::Filter => self.prompt = Some(Prompt::new(Asking::Search, "search >", "")),
            Action::NextHit => self.next_hit(true, turn),
            Action::PreviousHit => self.next_hit(false, turn),
            Action::FilterState | Action::Copy => {}
            Action::OpenLine | Action::Why => self.open_line(turn),
            Action::Refresh => {
                turn.ask(Query::Job { job: self.job });
                self.log.count(turn);
            }
            Action::Export => {
                self.prompt =
                    Some(Prompt::proposing(Asking::ExportTo, "export to >", &format!("{}.jsonl", self.job)));
            }
            Action::Resume | Action::Undo if self.state(turn.mirror) != Some(JobState::Interrupted) => {
                if let Some(report) = &self.report {
                    plan_of(action, report, turn);
                }
            }
            Action::Pause | Action::CancelJob | Action::Resume => {
                order(action, self.job, turn);
            }
            _ => return false,
        }
        true
    }

    fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        match action {
            Action::Pause | Action::CancelJob | Action::Resume | Action::Undo => {
                can_order(action, self.job, self.state(mirror), self.report.as_ref(), mirror)
            }
            Action::NextHit | Action::PreviousHit if self.search.is_none() => {
                Availability::Not("nothing is searched for; / searches.".into())
            }
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        let of =
            |letters: &[(char, &str)]| letters.iter().map(|(l, word)| (*l, (*word).to_owned())).collect();
        match action {
            Action::FilterState => of(&[
                ('c', "changes and worse"),
                ('h', "held and failed"),
                ('e', "failed only"),
                ('f', "all lines"),
            ]),
            Action::Copy => of(&[('y', "job"), ('r', "line"), ('e', "error")]),
            _ => Vec::new(),
        }
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match action {
            Action::FilterState => {
                let least = match letter {
                    'c' => Some(Level::Change),
                    'h' => Some(Level::Held),
                    'e' => Some(Level::Error),
                    _ => None,
                };
                self.log.set_level(least, turn);
            }
            Action::Copy => {
                let line = self.log.selected();
                let trouble = self.report.as_ref().and_then(|report| report.trouble.as_ref());
                let text = match (letter, line) {
                    ('y', _) => self.job.to_string(),
                    ('e', Some(line)) if line.level == Level::Error => line.text.clone(),
                    ('e', line) => {
                        trouble.map(ToString::to_string).or(line.map(|l| l.text.clone())).unwrap_or_default()
                    }
                    (_, Some(line)) => {
                        format!("{} {} {} {}", line.at, line.customer, line.subject, line.text)
                    }
                    (_, None) => String::new(),
                };
                turn.copy(text);
            }
            _ => {}
        }
    }

    fn peel(&mut self, turn: &mut Turn<'_>) -> bool {
        if self.search.take().is_some() {
            return true;
        }
        if self.log.filter != LogFilter::default() {
            self.log.set_level(None, turn);
            return true;
        }
        false
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Job { job }, result) if *job == self.job => match result {
                Ok(Answer::Job(report)) => self.report = Some((**report).clone()),
                Err(problem) => self.trouble = Some(problem.clone()),
                Ok(_) => {}
            },
            News::Engine(Event::Job(report)) if report.job == self.job => {
                self.report = Some((**report).clone());
                self.log.count(turn);
            }
            News::Engine(Event::Progress(progress)) if progress.job == self.job => {
                // A job's plan is known only once it is built.
                if let (Some(report), Some(plan)) = (&mut self.report, progress.plan) {
                    report.plan = Some(plan);
                }
            }
            News::Missed => turn.ask(Query::Job { job: self.job }),
            News::Answer(Query::Log { job, limit: usize::MAX, .. }, result) if *job == self.job => {
                let Some(path) = self.exports.take() else { return };
                match result {
                    Ok(Answer::Log(view)) => {
                        let lines = view.lines.iter().filter_map(|line| serde_json::to_string(line).ok());
                        let text = lines.fold(String::new(), |text, line| text + &line + "\n");
                        turn.steps.push(Step::Do(Effect::Write { path, bytes: text.into() }));
                    }
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
                return;
            }
            News::Answer(Query::Log { job, from, .. }, Ok(Answer::Log(view))) if *job == self.job => {
                self.looked(*from, &view.lines, view.total, turn);
            }
            News::Written(path, result) if path.extension().is_some_and(|ext| ext == "jsonl") => match result
            {
                Ok(()) => turn.say(format!("Exported to {}.", path.display())),
                Err(error) => turn.complain(format!("{} cannot be written: {error}.", path.display())),
            },
            News::Reply(command, result) => ordered(command, self.job, result, turn),
            _ => {}
        }
        self.log.hear(news, turn);
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        if let Some(report) = &self.report {
            let when = turn.look.when(report.started, turn.now);
            self.started = match report.finished {
                Some(at) => {
                    let end = turn.look.when(at, turn.now);
                    let same_day = when.split(' ').next() == end.split(' ').next();
                    let end = if same_day { end.rsplit(' ').next().unwrap_or_default() } else { &end };
                    format!("{when} to {end}")
                }
                None => format!("started {when}"),
            };
        }
        let height =
            parts(turn.area, self.head_lines(turn.mirror, turn.area.width).len()).1.height.saturating_sub(1);
        self.log.settle(height.into(), turn);
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        if let (None, Some(problem)) = (&self.report, &self.trouble) {
            return table::empty(canvas, area, &problem.to_string());
        }
        let lines = self.head_lines(canvas.mirror, area.width);
        let (head, body) = parts(area, lines.len());
        for ((text, role), y) in lines.iter().zip(head.top()..head.bottom()) {
            canvas.put(head.x + 1, y, head.width.saturating_sub(1), text, *role);
        }
        let level = match self.log.filter.least {
            None | Some(Level::Note) => "all",
            Some(Level::Change) => "changes and worse",
            Some(Level::Held) => "held and failed",
            Some(Level::Error) => "failed only",
        };
        let search = self.search.as_ref().map(|search| format!(", '{}'", search.needle)).unwrap_or_default();
        let title = format!(
            "log  {} lines, {}, {level}{search}",
            thousands(self.log.follow.total),
            self.log.follow.word()
        );
        canvas.rule(Rect { height: 1, ..body }, &title);
        let body = Rect {
            x: body.x + 1,
            y: body.y + 1,
            width: body.width.saturating_sub(1),
            height: body.height.saturating_sub(1),
        };
        canvas.cursor = Some((Position::new(body.x, body.y), false));
        if self.log.follow.total == 0 {
            let text = if self.log.filter == LogFilter::default() {
                "Nothing logged yet."
            } else {
                "No line of this kind. f f shows all."
            };
            canvas.put(body.x, body.y, body.width, text, Role::Dim);
        }
        log::draw(canvas, body, &self.log.follow, true, |index| self.log.line(index));
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        if let Some(prompt) = &self.prompt {
            prompt.draw(canvas, area);
        }
        self.prompt.is_some()
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let log = parts(turn.area, self.head_lines(turn.mirror, turn.area.width).len()).1;
        if let Some(row) = (turn.area.y + line).checked_sub(log.y + 1) {
            let to = self.log.follow.top + u64::from(row);
            self.log.follow.move_by(to as i64 - self.log.follow.at as i64);
        }
    }

    fn hints(&self) -> &'static [Action] {
        match self.report.as_ref().map(|report| report.state) {
            Some(JobState::Running) => &[
                Action::Pause,
                Action::CancelJob,
                Action::OpenLine,
                Action::FilterState,
                Action::Filter,
                Action::Last,
                Action::Copy,
                Action::Export,
            ],
            Some(JobState::Interrupted) => &[
                Action::Resume,
                Action::CancelJob,
                Action::OpenLine,
                Action::FilterState,
                Action::Filter,
                Action::Export,
            ],
            _ => &[
                Action::OpenLine,
                Action::Resume,
                Action::Undo,
                Action::FilterState,
                Action::Filter,
                Action::Copy,
                Action::Export,
            ],
        }
    }

    fn about(&self) -> About {
        About {
            what: "One job: how far it is, what it wrote, what waits and why.",
            signs: &[
                ("+", "created"),
                ("~", "updated"),
                ("&", "linked"),
                ("0", "set to zero"),
                ("-", "made inactive"),
                ("!", "held or failed"),
                (".", "a note"),
                ("=", "unchanged rows, one line a customer"),
            ],
            rules: &[
                "Going up stops following; G follows again. A view that stands still never scrolls.",
                "Enter on a line shows its row: fields before and after, and every reason.",
                "Cancelling ends after the record in hand; what is done stays done.",
                "Leaving this view changes nothing for the job.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({ "screen": "job", "job": self.job.to_string() })
    }
}

/// ` customers      214/214  done      + 1    ~ 4`: counters that change in place (U15).
pub fn stage_line(stage: &StageProgress, width: u16) -> String {
    let at = format!("{}/{}", thousands(stage.done), thousands(stage.total));
    let far = if stage.done >= stage.total {
        "done".to_owned()
    } else {
        format!("{}%", stage.done * 100 / stage.total.max(1))
    };
    let rows = &stage.totals.rows;
    let counts = [
        ('+', rows.create),
        ('~', rows.update),
        ('&', rows.link),
        ('0', rows.zero),
        ('-', rows.deactivate),
        ('!', rows.held),
    ];
    if width < 70 {
        let mut text = format!("{:<13} {at:<7}", stage.entity.key());
        for (sign, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let _ = write!(text, " {sign} {}", thousands(count));
        }
        if stage.totals.failed > 0 {
            let _ = write!(text, " fail {}", thousands(stage.totals.failed));
        }
        return text;
    }
    let mut text = format!("{:<14} {at:<11} {far:<5}", stage.entity.key());
    for (sign, count) in counts.into_iter().filter(|(sign, count)| *count > 0 || matches!(sign, '+' | '~')) {
        let _ = write!(text, " {sign} {:<5}", thousands(count));
    }
    let _ = write!(text, " failed {}", thousands(stage.totals.failed));
    text
}

/// `2.1 a second, 4m left; 212 of 300 calls used in 5 min`.
pub fn pace(progress: &JobProgress) -> String {
    if let Some(waiting) = &progress.waiting {
        return waiting.clone();
    }
    let mut text = match progress.phase {
        crate::host::words::Phase::Applying => {
            let left =
                progress.seconds_left.map(|left| format!(", {} left", time_left(left))).unwrap_or_default();
            format!("{:.1} a second{left}", progress.rate)
        }
        _ => strip::counters(progress),
    };
    let budget = progress.budget;
    if budget.limit > 0 {
        let window = time_left(budget.window_seconds);
        let _ = write!(
            text,
            "; {} of {} calls used in {window}",
            thousands(budget.used),
            thousands(budget.limit)
        );
    }
    text
}

/// Opens the plan of what a job left, or of what takes it back.
pub fn plan_of(action: Action, job: &JobReport, turn: &mut Turn<'_>) {
    let of = job.job;
    let purpose = if action == Action::Undo { Purpose::Undo { of } } else { Purpose::Retry { of } };
    turn.open(PlanScreen::with(job.integration, purpose));
}

/// Pause, go on, cancel or resume a job, as far as a question is not needed first.
pub fn order(action: Action, job: JobId, turn: &mut Turn<'_>) {
    let progress = turn.mirror.progress.as_ref().filter(|progress| progress.job == job);
    let send = |order| Command::Order { job, order };
    match action {
        Action::Pause => {
            let is_paused = progress.is_some_and(|progress| progress.is_paused);
            turn.send(send(if is_paused { JobOrder::GoOn } else { JobOrder::Pause }));
        }
        Action::Resume => turn.send(send(JobOrder::Resume)),
        _ => {
            let far = progress
                .map_or_else(String::new, |progress| format!(" It is at {}.", strip::counters(progress)));
            let lines = [
                format!("{job} ends after the record in hand; what is done stays done.{far}"),
                "The rest of its plan is dropped. The next plan shows what is left.".to_owned(),
            ];
            let dialog = Confirm::new(format!("Cancel {job}?"), lines, "let it go on").choice(
                'y',
                "cancel it",
                vec![Step::Do(Effect::Send(send(JobOrder::Cancel)))],
            );
            turn.dialog(dialog);
        }
    }
}

/// Whether a job can be paused, cancelled or resumed now.
pub fn can_order(
    action: Action,
    job: JobId,
    state: Option<JobState>,
    report: Option<&JobReport>,
    mirror: &Mirror,
) -> Availability {
    let not = |text: String| Availability::Not(text);
    let is_running = mirror.progress.as_ref().is_some_and(|progress| progress.job == job)
        || state == Some(JobState::Running);
    match (action, state) {
        (Action::Resume, Some(JobState::Interrupted)) => match &mirror.progress {
            Some(other) => not(format!("{} is running; one job at a time.", other.job)),
            None => Availability::Ready,
        },
        (Action::Undo, Some(JobState::Interrupted)) => {
            not(format!("{job} is interrupted: go on with it (r) or cancel it (c) first."))
        }
        (Action::Resume | Action::Undo, _) if is_running => not(format!("{job} is running.")),
        (Action::Undo, Some(_)) | (Action::CancelJob, Some(JobState::Interrupted)) => Availability::Ready,
        (Action::Resume, Some(_)) if report.is_some_and(|r| r.totals.failed + r.totals.rows.held > 0) => {
            Availability::Ready
        }
        (Action::Resume, Some(_)) => not(format!("{job} left nothing to try again.")),
        (Action::Pause | Action::CancelJob, _) if is_running => Availability::Ready,
        (_, Some(state)) => not(format!("{job} is {}, not running.", state.word())),
        (_, None) => not("the job is still being read.".into()),
    }
}

/// Says what became of an order for this job.
pub fn ordered(command: &Command, job: JobId, result: &Result<Reply, Problem>, turn: &mut Turn<'_>) {
    if let (Command::Order { job: of, .. }, Ok(Reply::Done(said))) = (command, result)
        && *of == job
    {
        turn.say(said.clone());
    }
}
