//! What waits for a person, over all jobs, by cause (P30): a line a cause, under it the records.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use crate::host::words::{
    Answer, Asked, Command, Issue, IssueGroup, IssuesView, Query, Reply, SettingChange, Which,
};
use crate::model::{Entity, Integration, Problem, SourceId};
use crate::plan::Purpose;
use crate::ui::action::Action;
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::fit::{self, thousands};
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::{Effect, News};
use crate::ui::screens::job::JobScreen;
use crate::ui::screens::plan::PlanScreen;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::table::{self, Column, Row, cell};

/// A line, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    /// A cause: integration, whether put aside, kind, sentence.
    Cause(Integration, bool, String, String),
    Record(Integration, Entity, SourceId),
}

#[derive(Debug, Clone, Default)]
pub struct Inbox {
    view: IssuesView,
    list: List<Line>,
    unfolded: BTreeSet<Line>,
    is_known: bool,
    trouble: Option<Problem>,
}

const COLUMNS: [Column; 4] = [
    Column::fixed("rows", 5).right(),
    Column::fixed("kind", 12).goes(2),
    Column::growing("cause / record", 24),
    Column::fixed("since", 12).goes(1),
];

fn line_of(group: &IssueGroup) -> Line {
    Line::Cause(group.integration, group.is_aside, group.kind.clone(), group.cause.clone())
}

fn line_of_record(issue: &Issue) -> Line {
    Line::Record(issue.integration, issue.entity, issue.source.id.clone())
}

impl Inbox {
    /// Open issues.
    pub const fn total(&self) -> u64 {
        self.view.total
    }

    /// For the line above.
    pub fn summary(&self) -> String {
        let IssuesView { total, aside, .. } = self.view;
        let aside = if aside > 0 { format!(", {} put aside", thousands(aside)) } else { String::new() };
        format!("{} wait for a person{aside}", thousands(total))
    }

    pub fn ask(turn: &mut Turn<'_>) {
        turn.ask(Query::Issues { integration: None });
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Answer(Query::Issues { .. }, Ok(Answer::Issues(view))) => {
                self.is_known = true;
                self.trouble = None;
                self.view = view.clone();
                self.lay_out();
            }
            News::Answer(Query::Issues { .. }, Err(problem)) => self.trouble = Some(problem.clone()),
            News::Reply(command, result) if matches!(**command, Command::PutAside { .. }) => {
                match result {
                    Ok(Reply::Done(said)) => turn.say(said.clone()),
                    Err(problem) => turn.complain(problem.to_string()),
                    Ok(_) => {}
                }
                Self::ask(turn);
            }
            _ => {}
        }
    }

    fn lay_out(&mut self) {
        let mut lines = Vec::new();
        for group in &self.view.groups {
            let line = line_of(group);
            let open = self.unfolded.contains(&line);
            lines.push(line);
            if open {
                lines.extend(group.issues.iter().map(line_of_record));
            }
        }
        self.list.replace(lines);
    }

    /// The cause under the cursor, and the record, if it stands on one.
    fn here(&self) -> Option<(&IssueGroup, Option<&Issue>)> {
        let line = self.list.selected()?;
        self.view.groups.iter().find_map(|group| {
            if line_of(group) == *line {
                return Some((group, None));
            }
            let issue = group.issues.iter().find(|issue| line_of_record(issue) == *line)?;
            Some((group, Some(issue)))
        })
    }

    /// `false`: the action has no meaning here.
    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            return true;
        }
        let Some((group, issue)) = self.here() else {
            if action == Action::Refresh {
                Self::ask(turn);
            }
            return action == Action::Refresh;
        };
        match (action, issue) {
            (Action::Refresh, _) => Self::ask(turn),
            (Action::OpenJob, None) => {
                let line = line_of(group);
                if !self.unfolded.remove(&line) {
                    self.unfolded.insert(line);
                }
                self.lay_out();
            }
            (Action::OpenJob, Some(issue)) => turn.open(JobScreen::of(issue.job)),
            (Action::Why, _) => turn.say(issue.map_or(&group.cause, |issue| &issue.message).clone()),
            (Action::Resume, _) => {
                let purpose = match issue {
                    Some(issue) => Purpose::Narrow {
                        customers: [issue.customer.clone()].into(),
                        records: [issue.source.id.clone()].into(),
                    },
                    // All of them, also those that are too many to be told here.
                    None => Purpose::Cause {
                        kind: group.kind.clone(),
                        cause: group.cause.clone(),
                        aside: group.is_aside,
                    },
                };
                turn.open(PlanScreen::with(group.integration, purpose));
            }
            (Action::PutAside, _) => {
                let dialog = put_aside(group, issue, turn);
                turn.dialog(dialog);
            }
            _ => return false,
        }
        true
    }

    /// Why nothing can be done on a line, or nothing.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What `y` copies.
    pub fn told(&self) -> String {
        match self.here() {
            Some((_, Some(issue))) => format!("{} {}: {}", issue.source.id, issue.source.name, issue.message),
            Some((group, None)) => group.cause.clone(),
            None => String::new(),
        }
    }

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        self.list.keep_visible(list_and_details(turn.area, turn.in_overview).rows());
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
            let text = match &self.trouble {
                Some(problem) => problem.to_string(),
                None if !self.is_known => "Reading ...".into(),
                None => {
                    "Nothing waits for anybody: every row of the last jobs is done or needs nothing.".into()
                }
            };
            return table::empty(canvas, regions.list, &text);
        }
        let (look, now) = (canvas.look, canvas.now);
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &COLUMNS, visible, Some(self.list.position()), |index| {
            let line = self.list.ids().get(index)?;
            let found = self.view.groups.iter().find_map(|group| match line {
                Line::Cause(..) => (line_of(group) == *line).then_some((group, None)),
                Line::Record(..) => {
                    group.issues.iter().find(|issue| line_of_record(issue) == *line).map(|i| (group, Some(i)))
                }
            });
            let (group, issue) = found?;
            let role = match (group.is_aside, group.kind == "failed") {
                (true, _) => Role::Dim,
                (false, true) => Role::Bad,
                (false, false) => Role::Notice,
            };
            let cells = match issue {
                None => vec![
                    cell(thousands(group.count), Role::Text),
                    cell(
                        if group.is_aside && group.kind != "released" {
                            "aside"
                        } else {
                            group.kind.as_str()
                        },
                        role,
                    ),
                    cell(format!("{}: {}", group.integration.label(), group.cause), Role::Text),
                    cell("", Role::Dim),
                ],
                Some(issue) => vec![
                    cell("", Role::Dim),
                    cell(issue.entity.singular(), Role::Dim),
                    cell(format!("  {}", of_record(issue, &group.cause)), Role::Text),
                    cell(look.when(issue.since, now), Role::Dim),
                ],
            };
            Some(Row { is_marked: false, cells })
        });
        self.details(canvas, regions.details);
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some((group, issue)) = self.here() else { return };
        if area.height < 2 {
            return;
        }
        let title = match issue {
            Some(issue) => format!("{} {}", issue.entity.singular(), name(issue)),
            None => format!("{} rows of {}", thousands(group.count), group.integration.label()),
        };
        canvas.rule(Rect { height: 1, ..area }, &title);
        let mut lines = vec![(issue.map_or(&group.cause, |issue| &issue.message).clone(), Role::Text)];
        match issue {
            Some(issue) => lines.push((
                format!(
                    "since {} in {} row {}; Enter opens that job",
                    canvas.when(issue.since),
                    issue.job,
                    issue.row
                ),
                Role::Dim,
            )),
            None => lines.push(("Enter shows the records".into(), Role::Dim)),
        }
        lines.push(("r plans these records again, on what both sides say now".into(), Role::Dim));
        let wrapped = lines.iter().flat_map(|(text, role)| {
            fit::wrap(text, area.width.saturating_sub(1).into()).into_iter().map(move |line| (line, *role))
        });
        for ((text, role), y) in wrapped.zip(area.y + 1..area.bottom()) {
            canvas.put(area.x + 1, y, area.width.saturating_sub(1), &text, role);
        }
    }
}

/// Whose record, and which.
fn name(issue: &Issue) -> String {
    if issue.customer_name.is_empty() || issue.customer == issue.source.id {
        return issue.source.name.clone();
    }
    format!("{}, {}", issue.customer_name, issue.source.name)
}

/// A record of a cause; what it waits for is said once, above, unless it has a sentence of its own.
fn of_record(issue: &Issue, cause: &str) -> String {
    if issue.message == cause { name(issue) } else { format!("{}  {}", name(issue), issue.message) }
}

/// Asks for how long; what is aside already is taken up again.
fn put_aside(group: &IssueGroup, issue: Option<&Issue>, turn: &Turn<'_>) -> Confirm {
    let which = match issue {
        Some(issue) => Which::Of { sources: vec![issue.source.id.clone()], entity: Some(issue.entity) },
        None => Which::Cause { kind: group.kind.clone(), cause: group.cause.clone(), aside: group.is_aside },
    };
    let steps = |asked: Asked| {
        let command = Command::PutAside { integration: group.integration, which: which.clone(), asked };
        vec![Step::Do(Effect::Send(command))]
    };
    let now = turn.now.moment;
    let until = |hours: i64| {
        let until = now.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap_or(now);
        steps(Asked::Snooze { until })
    };
    let count = if issue.is_some() { 1 } else { group.count };
    let what =
        if count == 1 { "this issue".to_owned() } else { format!("these {} issues", thousands(count)) };
    if group.is_aside {
        let lines = ["It counts as open again.".to_owned()];
        return Confirm::new(format!("Take {what} up again?"), lines, "leave aside").choice(
            'y',
            "take up again",
            steps(Asked::TakeUp),
        );
    }
    let back =
        "What is put aside comes back by itself when its cause changes, and closes when its row passes.";
    let mut lines = vec![back.to_owned()];
    if group.kind == "suspicious" {
        lines
            .push("Let through: the next scheduled run writes it as it is; another jump waits again.".into());
    }
    let mut dialog = Confirm::new(format!("Put {what} aside?"), lines, "leave open")
        .choice('y', "until the cause changes", steps(Asked::Dismiss))
        .choice('d', "for a day", until(24))
        .choice('w', "for a week", until(24 * 7));
    if group.kind == "suspicious" {
        dialog = dialog.choice('l', "let through in the next scheduled run", steps(Asked::Release));
        if let Some(always) = issue.and_then(|issue| trust(group.integration, issue, turn)) {
            dialog = dialog.choice('p', "always, for this product", always);
        }
    }
    dialog
}

/// Jumps of this product never wait again (N8), and this one goes through.
fn trust(integration: Integration, issue: &Issue, turn: &Turn<'_>) -> Option<Vec<Step>> {
    let mut settings = turn.mirror.settings.as_ref()?.settings.clone();
    let own = settings.safety_mut(integration).is_some();
    let mut products = settings.safety(integration).trusted_products;
    products.push(issue.source.name.clone());
    let key =
        if own { format!("{integration}.safety.trusted_products") } else { "safety.trusted_products".into() };
    let value = toml::Value::from(products).to_string();
    let change = SettingChange { key, value: Some(value) };
    Some(vec![Step::Do(Effect::Send(Command::Set { changes: vec![change] }))])
}
