//! When integrations run by themselves, and what became of the last runs (Q1-Q3, P34, P44): a line an integration.

use ratatui::layout::Rect;

use crate::host::words::{Answer, Command, Event, Fate, PastRun, Query, Reply, ScheduleView, SettingChange};
use crate::model::{Integration, Problem};
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::fit;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::{Effect, News};
use crate::ui::screens::job::JobScreen;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::strip;
use crate::ui::widgets::table::{self, Column, Row, cell};

#[derive(Debug, Clone, Default)]
pub struct Timetable {
    views: Vec<ScheduleView>,
    list: List<Integration>,
    is_asked: bool,
    trouble: Option<Problem>,
}

/// Occurrences asked for of each.
const PAST: usize = 30;

const COLUMNS: [Column; 5] = [
    Column::fixed("state", 6),
    Column::fixed("integration", 15),
    Column::growing("times", 12).goes(2),
    Column::fixed("next", 16),
    Column::fixed("last", 19).goes(1),
];

impl Timetable {
    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        turn.ask(Query::Schedules { past: PAST });
    }

    fn here(&self) -> Option<&ScheduleView> {
        let selected = self.list.selected()?;
        self.views.iter().find(|view| view.integration == *selected)
    }

    /// For the line above: how many are on.
    pub fn summary(&self) -> String {
        let on = self.views.iter().filter(|view| view.enabled).count();
        match on {
            0 if self.views.is_empty() => String::new(),
            0 => "none is on".into(),
            on => format!("{on} of {} on", self.views.len()),
        }
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Schedules { .. }, Ok(Answer::Schedules(views))) => {
                self.trouble = None;
                self.views.clone_from(views);
                self.list.replace(views.iter().map(|view| view.integration).collect());
            }
            News::Answer(Query::Schedules { .. }, Err(problem)) => self.trouble = Some(problem.clone()),
            News::Engine(Event::Schedule(_) | Event::Settings | Event::Job(_)) | News::Missed
                if self.is_asked =>
            {
                self.ask(turn);
            }
            News::Reply(command, result)
                if matches!(**command, Command::RunSchedule { .. } | Command::ResumeSchedule { .. }) =>
            {
                match result {
                    Ok(Reply::Done(said)) => turn.say(said.clone()),
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
            }
            _ => {}
        }
    }

    /// `false`: the action has no meaning here.
    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            return true;
        }
        if action == Action::Refresh {
            self.ask(turn);
            return true;
        }
        let Some(view) = self.here() else { return false };
        let (integration, label) = (view.integration, view.integration.label());
        match action {
            Action::OnOff => {
                let key = format!("{integration}.schedule.enabled");
                let value = Some((!view.enabled).to_string());
                turn.send(Command::Set { changes: vec![SettingChange { key, value }] });
                turn.say(if view.enabled {
                    format!("{label} no longer runs by itself.")
                } else {
                    format!("{label} runs {}.", view.times)
                });
            }
            Action::RunNow => turn.dialog(run_now(view)),
            Action::Resume => {
                turn.send(Command::ResumeSchedule { integration });
            }
            Action::OpenJob => {
                if let Some(Fate::Started { job }) = view.past.first().map(|run| &run.past.fate) {
                    turn.open(JobScreen::of(*job));
                }
            }
            Action::Why => turn.say(why(view)),
            _ => return false,
        }
        true
    }

    pub fn can(&self, action: Action) -> Availability {
        let not = |why: &str| Availability::Not(why.to_owned());
        match (action, self.here()) {
            (Action::Pause | Action::CancelJob | Action::Undo | Action::Filter | Action::FilterState, _) => {
                not("that is for jobs; [ goes to them.")
            }
            (Action::OnOff | Action::RunNow | Action::Resume | Action::OpenJob | Action::Why, None) => {
                not("the schedules are still being read.")
            }
            (Action::Resume, Some(view)) if !view.is_paused => not("this schedule has not paused itself."),
            (Action::RunNow, Some(view)) if view.entities.is_empty() => {
                not("nothing is selected for this schedule: set its entities first.")
            }
            (Action::OpenJob, Some(view))
                if !matches!(view.past.first().map(|run| &run.past.fate), Some(Fate::Started { .. })) =>
            {
                not("its last occurrence had no job.")
            }
            _ => Availability::Ready,
        }
    }

    /// What `y` copies.
    pub fn told(&self) -> String {
        self.here().map(why).unwrap_or_default()
    }

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        self.list.keep_visible(list_and_details(turn.area, turn.in_overview).rows());
    }

    pub fn click(&mut self, line: u16) {
        if line > 0 {
            self.list.select_at(usize::from(line) - 1);
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            let text = self.trouble.as_ref().map_or_else(|| "Reading ...".to_owned(), ToString::to_string);
            return table::empty(canvas, regions.list, &text);
        }
        let (look, now) = (canvas.look, canvas.now);
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &COLUMNS, visible, Some(self.list.position()), |index| {
            let view =
                self.views.iter().find(|view| Some(&view.integration) == self.list.ids().get(index))?;
            let (state, role) = state(view);
            let (last, last_role) = view.past.first().map_or(("-".to_owned(), Role::Dim), |run| {
                (format!("{} {}", look.when(run.past.due, now), run.word()), past_role(run))
            });
            let next = view.next.map_or_else(|| "-".to_owned(), |next| look.when(next, now));
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(state, role),
                    cell(view.integration.label(), Role::Text),
                    // The zone is among the details: there is no room for it here.
                    cell(view.times.replacen(&format!(" {}", view.zone), "", 1), Role::Text),
                    cell(next, Role::Text),
                    cell(last, last_role),
                ],
            })
        });
        self.details(canvas, regions.details);
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(view) = self.here() else { return };
        if area.height < 2 {
            return;
        }
        canvas.rule(Rect { height: 1, ..area }, view.integration.label());
        let mut lines = Vec::new();
        if view.enabled {
            lines.extend(view.obstacle.iter().map(|why| (why.clone(), Role::Notice)));
            if !view.is_watched {
                let why = "nobody runs schedules just now: that needs `parhelion serve`";
                lines.push((why.to_owned(), Role::Notice));
            }
        } else {
            lines.push(("It is off: Space switches it on, Enter opens its settings.".to_owned(), Role::Dim));
        }
        lines.extend(view.warning.iter().map(|why| (why.clone(), Role::Notice)));
        let entities: Vec<_> = view.entities.iter().map(|entity| entity.key()).collect();
        let takes = if entities.is_empty() { "nothing".to_owned() } else { entities.join(", then ") };
        lines.push((format!("{}: {takes}", view.times), Role::Text));
        if view.past.is_empty() {
            lines.push(("No run of it yet.".to_owned(), Role::Dim));
        }
        for run in &view.past {
            let what = match &run.past.fate {
                Fate::Started { job } => format!("{job} {}", run.word()),
                Fate::Skipped { why } => format!("skipped: {why}"),
                Fate::Missed => "missed: nobody was there".to_owned(),
            };
            lines.push((format!("{}  {what}", canvas.when(run.past.due)), past_role(run)));
        }
        let width = area.width.saturating_sub(1);
        let wrapped = lines.iter().flat_map(|(text, role)| {
            fit::wrap(text, width.into()).into_iter().map(move |line| (line, *role))
        });
        for ((text, role), y) in wrapped.zip(area.y + 1..area.bottom()) {
            canvas.put(area.x + 1, y, width, &text, role);
        }
    }

    pub const fn hints() -> &'static [Action] {
        &[
            Action::OnOff,
            Action::RunNow,
            Action::Resume,
            Action::OpenJob,
            Action::Why,
            Action::NextTab,
            Action::Palette,
        ]
    }
}

fn state(view: &ScheduleView) -> (&'static str, Role) {
    match (view.enabled, view.is_paused, &view.obstacle) {
        (false, ..) => ("off", Role::Dim),
        (true, true, _) => ("paused", Role::Bad),
        (true, false, Some(_)) => ("waits", Role::Notice),
        (true, false, None) => ("on", Role::Good),
    }
}

fn past_role(run: &PastRun) -> Role {
    match (run.state, &run.past.fate) {
        (Some(state), _) => strip::state_role(state),
        (None, Fate::Skipped { .. } | Fate::Missed) => Role::Notice,
        (None, Fate::Started { .. }) => Role::Dim,
    }
}

fn why(view: &ScheduleView) -> String {
    let label = view.integration.label();
    match &view.obstacle {
        _ if !view.enabled => format!("{label} runs only by hand. Space switches its schedule on."),
        Some(why) if view.is_paused => format!("{label}: {why}. A good test, or r, lets it go on."),
        Some(why) => format!("{label} would not run: {why}."),
        None => format!("{label} runs {}.", view.times),
    }
}

fn run_now(view: &ScheduleView) -> Confirm {
    let entities: Vec<_> = view.entities.iter().map(|entity| entity.key()).collect();
    let lines = [
        format!("As the schedule would: {}.", entities.join(", then ")),
        "It writes what its limits allow, and may remove what is gone. Nobody is asked again.".to_owned(),
    ];
    let send = Step::Do(Effect::Send(Command::RunSchedule { integration: view.integration }));
    Confirm::new(format!("Run the scheduled job of {} now?", view.integration.label()), lines, "not now")
        .choice('y', "run it", vec![send])
}
