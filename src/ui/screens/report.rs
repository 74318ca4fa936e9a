//! One company's report: distributions and grades as bars, cost by year, and the worst assets first. To look at rather
//! than to read.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use crate::host::words::{Answer, Command, Event, LifecycleAnswer, LifecycleOrder, LifecycleQuery, Query};
use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::column::Column as Field;
use crate::lifecycle::export::{grouped, money};
use crate::lifecycle::grade::Tone;
use crate::lifecycle::report::{Report, ReportId, State};
use crate::lifecycle::template::Mode;
use crate::model::Problem;
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::help::About;
use crate::ui::fit;
use crate::ui::key::Key;
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::table::{self, Column, Row, cell};

#[derive(Debug, Clone)]
pub struct ReportScreen {
    id: ReportId,
    mode: Mode,
    report: Option<Box<Report>>,
    /// Numbers of the rows; the report has them in order.
    list: List<usize>,
    trouble: Option<Problem>,
    is_asked: bool,
}

/// The role that a grade is drawn in.
pub const fn tone_role(tone: Tone) -> Role {
    match tone {
        Tone::Replace => Role::Bad,
        Tone::Plan => Role::Notice,
        Tone::Watch => Role::Change,
        Tone::Unknown => Role::Dim,
        Tone::Healthy => Role::Good,
    }
}

/// One lying bar: its label, the bar, its number. Drawn as solid cells, so that it shows without colour, too.
pub fn bar(canvas: &mut Canvas<'_>, area: Rect, label: &str, value: f64, most: f64, shown: &str, role: Role) {
    let name = 16.min(area.width / 3);
    let number = (fit::width(shown) as u16).max(4);
    canvas.put(area.x + 1, area.y, name, label, Role::Dim);
    let x = area.x + 2 + name;
    let room = area.right().saturating_sub(x + number + 1);
    let share = if most > 0.0 { value / most } else { 0.0 };
    // Whatever is there has at least one cell.
    let cells = ((share * f64::from(room)).round() as u16).max(u16::from(value > 0.0)).min(room);
    if canvas.look.plain {
        canvas.put(x, area.y, room, &"#".repeat(usize::from(cells)), role);
    } else {
        let style = canvas.style(role).add_modifier(Modifier::REVERSED);
        canvas.put_styled(x, area.y, cells, &" ".repeat(usize::from(cells)), style);
    }
    canvas.put_right(area.right().saturating_sub(number), area.y, number, shown, Role::Text);
}

/// Where the parts of the screen are.
struct Parts {
    charts: Rect,
    years: Rect,
    list: Rect,
    details: Rect,
}

const CHART_LINES: u16 = 8;

impl ReportScreen {
    pub fn of(id: ReportId) -> Self {
        Self { id, mode: Mode::Display, report: None, list: List::default(), trouble: None, is_asked: false }
    }

    pub fn edits(&self) -> Option<String> {
        Some(format!("report {}", self.id))
    }

    pub fn name(&self) -> String {
        self.report
            .as_ref()
            .map_or_else(|| self.id.to_string(), |report| format!("{} {}", self.id, report.head.name))
    }

    fn ask(&mut self, turn: &mut Turn<'_>) {
        self.is_asked = true;
        turn.ask(Query::Lifecycle(LifecycleQuery::Report { report: self.id, mode: self.mode }));
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
        let years = self.report.as_ref().map_or(0, |report| report.years().len() as u16);
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

    pub fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let report = self.report.as_ref()?;
        let state = match report.head.state {
            State::Draft => "draft",
            State::Completed => "completed, frozen",
        };
        let mode = if self.mode == Mode::Build { ", build view" } else { "" };
        let left = format!("{} {state}{mode}, as of {}", report.head.name, report.as_of);
        Some((left, self.summary(mirror)))
    }

    pub fn summary(&self, _mirror: &Mirror) -> String {
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

    pub fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    pub const fn is_typing(&self) -> bool {
        false
    }

    pub fn key(&mut self, _key: Key, _turn: &mut Turn<'_>) {}

    pub fn paste(&mut self, _text: &str, turn: &mut Turn<'_>) {
        turn.say("A paste goes into text fields only; here it does nothing.");
    }

    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
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
                let order = LifecycleOrder::Complete { report: self.id };
                let step = crate::ui::turn::Step::Do(crate::ui::message::Effect::Send(Command::Lifecycle(Box::new(order))));
                turn.dialog(
                    Confirm::new(
                        format!("Complete {} of {name}?", self.id),
                        vec!["Its values are frozen and never change again; a later import changes only new drafts.".into()],
                        "not now",
                    )
                    .choice('y', "complete it", vec![step]),
                );
            }
            Action::Why => {
                let why = self.selected().map(|row| {
                    std::iter::once(row.why.clone()).chain(row.faults.iter().cloned()).collect::<Vec<_>>().join("; ")
                });
                turn.say(why.unwrap_or_default());
            }
            Action::Export => turn.say(format!(
                "`parhelion lifecycle report {} --format html --out FILE` (or text, json, csv, md, xlsx) writes it.",
                self.id
            )),
            Action::Copy | Action::DetailsDown | Action::DetailsUp | Action::Filter => {}
            _ => return false,
        }
        true
    }

    fn selected(&self) -> Option<&crate::lifecycle::report::Row> {
        self.report.as_ref()?.rows.get(*self.list.selected()?)
    }

    pub fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        let is_frozen = self.report.as_ref().is_some_and(|report| report.head.state == State::Completed);
        match action {
            Action::CompleteReport | Action::OtherView if is_frozen => {
                Availability::Not("a completed report never changes.".into())
            }
            Action::Filter | Action::FilterState | Action::Order => {
                Availability::Not("a report is in one order: the worst first.".into())
            }
            _ => Availability::Ready,
        }
    }

    pub fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => vec![('y', "Halo id".into()), ('n', "name".into()), ('s', "serial".into())],
            _ => Vec::new(),
        }
    }

    pub fn choose(&mut self, _action: Action, letter: char, turn: &mut Turn<'_>) {
        let Some(row) = self.selected() else { return };
        let text = match letter {
            'y' => row.id.to_string(),
            's' => row.serial.clone(),
            _ => row.name.clone(),
        };
        turn.copy(text);
    }

    pub fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        false
    }

    pub fn may_leave(&mut self, _turn: &mut Turn<'_>) -> bool {
        true
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Lifecycle(LifecycleQuery::Report { report, .. }), result)
                if *report == self.id =>
            {
                match result {
                    Ok(Answer::Lifecycle(answer)) => {
                        if let LifecycleAnswer::Report(report) = &**answer {
                            self.list.replace((0..report.rows.len()).collect());
                            self.report = Some(report.clone());
                            self.trouble = None;
                        }
                    }
                    Err(problem) => self.trouble = Some(problem.clone()),
                    Ok(_) => {}
                }
            }
            News::Engine(Event::Lifecycle | Event::Settings) | News::Missed if self.is_asked => {
                self.ask(turn);
            }
            _ => {}
        }
    }

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
        self.list.keep_visible(self.rows(turn.area));
    }

    pub fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        let parts = self.parts(turn.area);
        let head = parts.list.y - turn.area.y;
        if line > head {
            let first = self.list.visible(self.rows(turn.area)).start;
            self.list.select_at(first + usize::from(line - head) - 1);
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, _in_overview: bool) {
        let Some(report) = &self.report else {
            let text = self.trouble.as_ref().map_or_else(|| "Reading ...".into(), ToString::to_string);
            return table::empty(canvas, area, &text);
        };
        let parts = self.parts(area);
        if parts.charts.height > 0 {
            charts(canvas, parts.charts, report);
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

    fn assets(&self, canvas: &mut Canvas<'_>, area: Rect, report: &Report) {
        if report.rows.is_empty() {
            return table::empty(canvas, area, "No configuration of this company is here yet.");
        }
        let columns = [
            Column::fixed("grade", 9),
            Column::growing("name", 12),
            Column::fixed("type", 10).goes(4),
            Column::fixed("age", 9).right(),
            Column::fixed("warranty", 10).goes(3),
            Column::fixed("class", 10).goes(2),
            Column::fixed("year", 7).goes(5),
            Column::fixed("total", 10).right().goes(1),
        ];
        let visible = self.list.visible(usize::from(area.height.saturating_sub(1)));
        table::draw(canvas, area, &columns, visible, Some(self.list.position()), |index| {
            let row = report.rows.get(*self.list.ids().get(index)?)?;
            let text = if row.counts { Role::Text } else { Role::Dim };
            Some(Row {
                is_marked: false,
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

    pub fn draws_last_line(&self, _canvas: &mut Canvas<'_>, _area: Rect) -> bool {
        false
    }

    pub const fn hints(&self) -> &'static [Action] {
        &[Action::CompleteReport, Action::OtherView, Action::Export, Action::Why]
    }

    pub fn about(&self) -> About {
        About {
            what: "One company's report. A draft is worked out anew each time; a completed one is as it was.",
            signs: &[],
            rules: &[
                "The worst come first: what to replace, then what to plan, to watch, what nobody knows, and what is healthy.",
                "Overdue replacements fall into the current budget year. Without a usable date there is no year.",
                "What has no class is priced at 0 and counted as such.",
            ],
        }
    }

    pub fn saved(&self) -> Value {
        json!({"screen": "report", "report": self.id.0})
    }

    pub fn from_saved(saved: &Value) -> Option<Self> {
        saved["report"].as_u64().and_then(|id| u32::try_from(id).ok()).map(|id| Self::of(ReportId(id)))
    }

    pub fn restore(&mut self, _saved: &Value) {}
}

fn charts(canvas: &mut Canvas<'_>, area: Rect, report: &Report) {
    let s = &report.summary;
    let wide = area.width / 3;
    let column = |at: u16| Rect { x: area.x + at * wide, width: wide.saturating_sub(1), ..area };
    let grades =
        report.grades.iter().map(|(name, tone)| (name.as_str(), s.grade(name), tone_role(*tone))).collect();
    let ages = AgeBucket::ALL.iter().map(|b| (b.label(), s.age(*b), age_role(*b))).collect();
    let warranties =
        WarrantyBucket::ALL.iter().map(|b| (b.label(), s.warranty(*b), warranty_role(*b))).collect();
    let parts: [(&str, Vec<(&str, u32, Role)>); 3] =
        [("condition", grades), ("age", ages), ("warranty", warranties)];
    for (at, (title, bars)) in parts.into_iter().enumerate() {
        let area = column(at as u16);
        canvas.put(area.x + 1, area.y, area.width, title, Role::Strong);
        let most = bars.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
        for (line, (label, count, role)) in bars.into_iter().enumerate().take(usize::from(area.height - 1)) {
            let at = Rect { y: area.y + 1 + line as u16, height: 1, ..area };
            bar(canvas, at, label, count.into(), most.into(), &count.to_string(), role);
        }
    }
}

fn years(canvas: &mut Canvas<'_>, area: Rect, report: &Report) {
    let title =
        report.currency.map_or_else(|| "cost by year".into(), |currency| format!("cost by year, {currency}"));
    canvas.rule(Rect { height: 1, ..area }, &title);
    let years = report.years();
    let value = |amount: rust_decimal::Decimal| amount.to_f64().unwrap_or(0.0);
    let most = years.iter().map(|(_, cost)| value(cost.total())).fold(0.0, f64::max);
    for (line, (year, cost)) in years.iter().enumerate().take(usize::from(area.height - 1)) {
        let at = Rect { y: area.y + 1 + line as u16, height: 1, ..area };
        let shown = format!("{} ({})", grouped(cost.total()), cost.count);
        bar(canvas, at, &year.to_string(), value(cost.total()), most, &shown, Role::Accent);
    }
}

const fn age_role(bucket: AgeBucket) -> Role {
    match bucket {
        AgeBucket::Under1 | AgeBucket::Under2 | AgeBucket::Under3 => Role::Good,
        AgeBucket::Under4 => Role::Change,
        AgeBucket::Under5 => Role::Notice,
        AgeBucket::Older => Role::Bad,
        AgeBucket::Unknown => Role::Dim,
    }
}

const fn warranty_role(bucket: WarrantyBucket) -> Role {
    match bucket {
        WarrantyBucket::Over => Role::Bad,
        WarrantyBucket::Under6Months => Role::Change,
        WarrantyBucket::Under1Year | WarrantyBucket::Under2Years | WarrantyBucket::Longer => Role::Good,
        WarrantyBucket::Unknown | WarrantyBucket::None => Role::Dim,
    }
}
