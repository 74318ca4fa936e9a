//! One company's report: distributions and grades as bars, cost by year, and the worst assets first. To look at rather
//! than to read.

use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::charts::{distributions, tone_role, years};
use super::lifecycle::sheet::Sheet;
use super::lifecycle::{Assets, Entry};
use crate::host::words::{
    Answer, Command, Event, LifecycleAnswer, LifecycleOrder, LifecycleQuery, Query, Reply, WorkspaceView,
};
use crate::lifecycle::column::{Column as Field, Headed};
use crate::lifecycle::export::{Format, export, grouped, money};
use crate::lifecycle::report::{Report, ReportId, State};
use crate::lifecycle::summary::Gap;
use crate::lifecycle::template::Mode;
use crate::model::Problem;
use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::list::List;
use crate::ui::message::{Effect, News};
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::table::{self, Column, Row, cell};

/// Which rows are shown: the way from the data-quality score to what it misses (P71).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    All,
    /// Those that lack anything.
    Gaps,
    Lacking(Gap),
}

impl Shows {
    fn takes(self, row: &crate::lifecycle::report::Row) -> bool {
        match self {
            Self::All => true,
            Self::Gaps => row.counts && !row.gaps.is_empty(),
            Self::Lacking(gap) => row.counts && row.gaps.contains(&gap),
        }
    }

    fn words(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Gaps => "only what lacks data".into(),
            Self::Lacking(gap) => format!("only without {}", gap.label()),
        }
    }
}

#[derive(Debug, Clone)]
pub struct ReportScreen {
    id: ReportId,
    mode: Mode,
    report: Option<Box<Report>>,
    /// The shown rows' Halo ids, in the report's order, and where each stands in the report.
    list: List<i64>,
    places: Vec<usize>,
    shows: Shows,
    trouble: Option<Problem>,
    is_asked: bool,
    /// What a row is edited by.
    view: Option<Box<WorkspaceView>>,
    /// A path, while it is typed.
    prompt: Option<Prompt<()>>,
}

/// The question before a draft is frozen.
pub fn complete(report: ReportId, name: &str) -> Confirm {
    let order = LifecycleOrder::Complete { report };
    let step = Step::Do(Effect::Send(Command::Lifecycle(Box::new(order))));
    let lines =
        ["Its values are frozen and never change again; a later import changes only new drafts.".to_owned()];
    Confirm::new(format!("Complete {report} of {name}?"), lines, "not now").choice(
        'y',
        "complete it",
        vec![step],
    )
}

/// Where the parts of the screen are.
struct Parts {
    charts: Rect,
    years: Rect,
    list: Rect,
    details: Rect,
}

const CHART_LINES: u16 = 8;

/// The letter that shows what lacks a fact.
const LACKING: [(char, Gap); 4] =
    [('s', Gap::Serial), ('p', Gap::PurchaseDate), ('e', Gap::ExpirationDate), ('t', Gap::Type)];

impl ReportScreen {
    pub fn of(id: ReportId) -> Self {
        Self {
            id,
            mode: Mode::Display,
            report: None,
            list: List::default(),
            places: Vec::new(),
            shows: Shows::All,
            trouble: None,
            is_asked: false,
            view: None,
            prompt: None,
        }
    }

    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        turn.ask(Query::Lifecycle(LifecycleQuery::Report { report: self.id, mode: self.mode }));
        turn.ask(Query::Lifecycle(LifecycleQuery::Overview));
        if turn.mirror.settings.is_none() {
            turn.ask(Query::Settings);
        }
    }

    fn parts(&self, area: Rect) -> Parts {
        let cut = |from: u16, height: u16| Rect { y: area.y + from, height, ..area };
        if area.height < 18 || area.width < 70 {
            let details = u16::from(area.height > 6) * 2;
            return Parts {
                charts: cut(0, 0),
                years: cut(0, 0),
                list: cut(0, area.height - details),
                details: cut(area.height - details, details),
            };
        }
        let years = self.report.as_ref().map_or(0, |report| report.costs_within(11).len() as u16);
        let years = 1 + years.clamp(1, if area.height >= 28 { 8 } else { 3 });
        let top = CHART_LINES + years;
        let details = 2;
        Parts {
            charts: cut(0, CHART_LINES),
            years: cut(CHART_LINES, years),
            list: cut(top, area.height - top - details),
            details: cut(area.height - details, details),
        }
    }

    fn rows(&self, area: Rect) -> usize {
        usize::from(self.parts(area).list.height.saturating_sub(1))
    }

    fn typed(&mut self, typed: &Typed, turn: &mut Turn<'_>) {
        match typed {
            Typed::Going | Typed::Changed(_) => return,
            Typed::Dropped => {}
            Typed::Done(path) => self.export(path.trim(), turn),
        }
        self.prompt = None;
    }

    /// Writes the report as what the path ends in.
    fn export(&self, path: &str, turn: &mut Turn<'_>) {
        let (Some(report), Some(settings)) = (&self.report, &turn.mirror.settings) else { return };
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let made = ending.parse::<Format>().and_then(|format| {
            let columns = Headed::list(&settings.settings.lifecycle.csv_columns)?;
            export(report, format, &columns)
        });
        match made {
            Ok(bytes) => turn.steps.push(Step::Do(Effect::Write { path: path.into(), bytes })),
            Err(why) => turn.complain(format!("Not exported: {why}.")),
        }
    }

    /// The marked rows, or the one under the cursor, as one form.
    fn edit(&self, turn: &mut Turn<'_>) {
        let Some(report) = &self.report else { return };
        let chosen = self.list.chosen();
        let rows: Vec<_> = report.rows.iter().filter(|row| chosen.contains(&row.id)).collect();
        if !rows.is_empty() {
            turn.open(Sheet::of(Entry::Assets(Assets::of(&rows)), self.view.clone(), &[]));
        }
    }

    fn selected(&self) -> Option<&crate::lifecycle::report::Row> {
        self.report.as_ref()?.rows.get(*self.places.get(self.list.position())?)
    }

    fn lay_out(&mut self) {
        let rows = self.report.as_ref().map_or(&[][..], |report| &report.rows);
        let shown = rows.iter().enumerate().filter(|(_, row)| self.shows.takes(row));
        let (places, ids) = shown.map(|(place, row)| (place, row.id)).unzip();
        self.places = places;
        self.list.replace(ids);
    }

    fn assets(&self, canvas: &mut Canvas<'_>, area: Rect, report: &Report) {
        if report.rows.is_empty() {
            return table::empty(canvas, area, "No configuration of this company is here yet.");
        }
        if self.list.is_empty() {
            let text = match self.shows {
                Shows::Lacking(gap) => format!("Nothing here is without {}. f f shows all.", gap.label()),
                _ => "Nothing here lacks data. f f shows all.".into(),
            };
            return table::empty(canvas, area, &text);
        }
        let columns = [
            Column::fixed("grade", 9),
            Column::growing("name", 12),
            Column::fixed("type", 10).goes(2),
            Column::fixed("age", 9).right(),
            Column::fixed("warranty", 10).goes(3),
            Column::fixed("class", 10).goes(3),
            Column::fixed("year", 7).goes(5),
            Column::fixed("total", 10).right().goes(1),
        ];
        let visible = self.list.visible(usize::from(area.height.saturating_sub(1)));
        table::draw(canvas, area, &columns, visible, Some(self.list.position()), |index| {
            let row = report.rows.get(*self.places.get(index)?)?;
            let text = if row.counts { Role::Text } else { Role::Dim };
            Some(Row {
                is_marked: self.list.marks().contains(&row.id),
                cells: vec![
                    cell(&*row.grade, tone_role(row.tone)),
                    cell(&*row.name, text),
                    cell(&*row.kind, Role::Dim),
                    cell(Field::Age.cell(row), text),
                    cell(Field::ExpirationDate.cell(row), Role::Dim),
                    cell(Field::Class.cell(row), Role::Dim),
                    cell(Field::BudgetYear.cell(row), Role::Dim),
                    cell(grouped(row.budget.once().get()), text),
                ],
            })
        });
    }

    pub fn from_saved(saved: &Value) -> Option<Self> {
        saved["report"].as_u64().and_then(|id| u32::try_from(id).ok()).map(|id| Self::of(ReportId(id)))
    }
}

impl View for ReportScreen {
    fn scope(&self) -> Scope {
        Scope::Report
    }

    fn name(&self) -> Option<String> {
        Some({
            self.report
                .as_ref()
                .map_or_else(|| self.id.to_string(), |report| format!("{} {}", self.id, report.head.name))
        })
    }

    fn edits(&self) -> Option<String> {
        Some(format!("report {}", self.id))
    }

    fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let report = self.report.as_ref()?;
        let state = match report.head.state {
            State::Draft => "draft",
            State::Completed => "completed, frozen",
        };
        let mode = if self.mode == Mode::Build { ", build view" } else { "" };
        let mut left = format!("{state}{mode}, as of {}", report.as_of);
        if self.shows != Shows::All {
            left = format!("{left}, {}", self.shows.words());
        }
        Some((left, self.summary(mirror)))
    }

    fn summary(&self, _mirror: &Mirror) -> String {
        self.report.as_ref().map_or_else(String::new, |report| {
            let score =
                report.summary.quality.score().map_or_else(|| "n/a".into(), |score| score.to_string());
            format!(
                "{} devices, data quality {score}, {}",
                report.summary.counted,
                money(report.summary.total(), report)
            )
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
            let typed = prompt.input(input);
            self.typed(&typed, turn);
        }
    }

    fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, self.rows(turn.area)) {
            return true;
        }
        match action {
            Action::Refresh => self.ask(turn),
            Action::OtherView => {
                self.mode = if self.mode == Mode::Build { Mode::Display } else { Mode::Build };
                self.ask(turn);
            }
            Action::CompleteReport => {
                let name = self.report.as_ref().map(|report| report.head.name.clone()).unwrap_or_default();
                turn.dialog(complete(self.id, &name));
            }
            Action::EditAssets => self.edit(turn),
            Action::Mark => self.list.mark(),
            Action::MarkAll => self.list.mark_all(),
            Action::MarkTo => {
                if !self.list.mark_to() {
                    turn.say("From here; go to the other end and press it again.");
                }
            }
            Action::Undo | Action::Redo => {
                let order = LifecycleOrder::Undo { redo: action == Action::Redo };
                turn.send(Command::Lifecycle(Box::new(order)));
            }
            Action::Why => {
                let why = self.selected().map(|row| {
                    std::iter::once(row.why.clone())
                        .chain(row.faults.iter().cloned())
                        .collect::<Vec<_>>()
                        .join("; ")
                });
                turn.say(why.unwrap_or_default());
            }
            Action::Export => {
                let name = format!("report-{}.html", self.id);
                self.prompt =
                    Some(Prompt::proposing((), "export to (html, xlsx, csv, json, md, text) >", &name));
            }
            Action::Copy | Action::DetailsDown | Action::DetailsUp | Action::Filter | Action::FilterState => {
            }
            _ => return false,
        }
        true
    }

    fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        let is_frozen = self.report.as_ref().is_some_and(|report| report.head.state == State::Completed);
        match action {
            Action::CompleteReport | Action::OtherView | Action::EditAssets if is_frozen => {
                Availability::Not("a completed report never changes.".into())
            }
            Action::EditAssets if self.list.is_empty() => {
                Availability::Not("there is no configuration.".into())
            }
            Action::Filter | Action::Order => {
                Availability::Not("a report is in one order: the worst first.".into())
            }
            _ => Availability::Ready,
        }
    }

    fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => vec![('y', "Halo id".into()), ('n', "name".into()), ('s', "serial".into())],
            Action::FilterState => {
                let lacking = LACKING.map(|(letter, gap)| (letter, gap.label().to_owned()));
                [('g', "gaps".to_owned())].into_iter().chain(lacking).chain([('f', "all".into())]).collect()
            }
            _ => Vec::new(),
        }
    }

    fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        if action == Action::FilterState {
            let lacking = LACKING.into_iter().find(|(own, _)| *own == letter);
            self.shows = match lacking {
                Some((_, gap)) => Shows::Lacking(gap),
                None if letter == 'g' => Shows::Gaps,
                None => Shows::All,
            };
            return self.lay_out();
        }
        let Some(row) = self.selected() else { return };
        let text = match letter {
            'y' => row.id.to_string(),
            's' => row.serial.clone(),
            _ => row.name.clone(),
        };
        turn.copy(text);
    }

    fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        if self.list.clear_marks() {
            return true;
        }
        let is_filtered = self.shows != Shows::All;
        self.shows = Shows::All;
        self.lay_out();
        is_filtered
    }

    fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Lifecycle(LifecycleQuery::Report { report, .. }), result)
                if *report == self.id =>
            {
                match result {
                    Ok(Answer::Lifecycle(answer)) => {
                        if let LifecycleAnswer::Report(report) = &**answer {
                            self.report = Some(report.clone());
                            self.lay_out();
                            self.trouble = None;
                        }
                    }
                    Err(problem) => self.trouble = Some(problem.clone()),
                    Ok(_) => {}
                }
            }
            News::Answer(Query::Lifecycle(LifecycleQuery::Overview), Ok(Answer::Lifecycle(answer))) => {
                if let LifecycleAnswer::Overview(view) = &**answer {
                    self.view = Some(view.clone());
                }
            }
            News::Reply(command, Ok(Reply::Done(_))) if self.is_asked && changes_assets(command) => {
                self.list.clear_marks();
            }
            News::Written(path, Ok(())) if path.to_string_lossy().contains("report-") => {
                turn.say(format!("{} is in {}.", self.id, path.display()));
            }
            News::Engine(Event::Lifecycle | Event::Settings) | News::Missed if self.is_asked => {
                self.ask(turn);
            }
            _ => {}
        }
    }

    fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        self.list.keep_visible(self.rows(turn.area));
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        let Some(report) = &self.report else {
            let text = self.trouble.as_ref().map_or_else(|| "Reading ...".into(), ToString::to_string);
            return table::empty(canvas, area, &text);
        };
        let parts = self.parts(area);
        if parts.charts.height > 0 {
            distributions(canvas, parts.charts, report);
            years(canvas, parts.years, report);
        }
        self.assets(canvas, parts.list, report);
        if let Some(row) = self.selected().filter(|_| parts.details.height > 1) {
            canvas.rule(Rect { height: 1, ..parts.details }, &row.name);
            let said: Vec<&str> =
                std::iter::once(row.why.as_str()).chain(row.faults.iter().map(String::as_str)).collect();
            let line = Rect { y: parts.details.y + 1, height: 1, ..parts.details };
            canvas.put(line.x + 1, line.y, line.width.saturating_sub(1), &said.join("; "), Role::Text);
        }
    }

    fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        self.prompt.as_ref().is_some_and(|prompt| {
            prompt.draw(canvas, area);
            true
        })
    }

    fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let parts = self.parts(turn.area);
        let head = parts.list.y - turn.area.y;
        if line > head {
            let first = self.list.visible(self.rows(turn.area)).start;
            self.list.select_at(first + usize::from(line - head) - 1);
        }
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::EditAssets,
            Action::Mark,
            Action::CompleteReport,
            Action::OtherView,
            Action::Export,
            Action::FilterState,
            Action::Undo,
            Action::Why,
        ]
    }

    fn about(&self) -> About {
        About {
            what: "One company's report. A draft is worked out anew each time; a completed one is as it was.",
            signs: &[],
            rules: &[
                "The worst come first: what to replace, then what to plan, to watch, what nobody knows, and what is healthy.",
                "Overdue replacements fall into the current budget year. Without a usable date there is no year.",
                "Enter on a draft's row, or on marked ones, gives a class or template by hand, keeps it out of the budget, or sets a date that Halo lacks.",
                "What has no class is priced at 0 and counted as such.",
            ],
        }
    }

    fn saved(&self) -> Value {
        json!({"screen": "report", "report": self.id.0})
    }
}

fn changes_assets(command: &Command) -> bool {
    matches!(command, Command::Lifecycle(order) if matches!(**order, LifecycleOrder::Assets { .. }))
}
