//! The planning workspace: companies with what is old in them, and the lists that everything is judged by.

use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::report::{ReportScreen, bar, tone_role};
use crate::host::words::{
    Answer, Command, CompanyView, Event, LifecycleAnswer, LifecycleOrder, LifecycleQuery, Query, Reply,
    WorkspaceView,
};
use crate::lifecycle::column::Column as Field;
use crate::lifecycle::export::grouped;
use crate::lifecycle::grade::{self, DEFAULT_LABEL, Tone};
use crate::lifecycle::report::Head;
use crate::lifecycle::summary::{Gap, Summary};
use crate::lifecycle::{AREAS, NOTICE, Offered};
use crate::model::{Integration, Problem};
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::Key;
use crate::ui::layout::list_and_details;
use crate::ui::list::List;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::turn::Turn;
use crate::ui::widgets::prompt::{Prompt, Typed};
use crate::ui::widgets::table::{self, Column, Row, cell};

/// The lists of the pane, in the order of its tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Companies,
    Reports,
    Grades,
    Classes,
    Templates,
    Types,
    Statuses,
    Areas,
}

impl Tab {
    const ALL: [Self; 8] = [
        Self::Companies,
        Self::Reports,
        Self::Grades,
        Self::Classes,
        Self::Templates,
        Self::Types,
        Self::Statuses,
        Self::Areas,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Companies => "Companies",
            Self::Reports => "Reports",
            Self::Grades => "Grades",
            Self::Classes => "Classes",
            Self::Templates => "Templates",
            Self::Types => "Types",
            Self::Statuses => "Statuses",
            Self::Areas => "Areas",
        }
    }

    /// The command that changes this list.
    const fn command(self) -> &'static str {
        match self {
            Self::Companies => "parhelion lifecycle companies manage|unmanage|year COMPANY",
            Self::Reports => "parhelion lifecycle report COMPANY --format html --out FILE",
            Self::Grades => "parhelion lifecycle grades set 'Replace/replace: age>=60' ...",
            Self::Classes => {
                "parhelion lifecycle classes set Laptop Basic --hardware 900 --life 48 --rule always"
            }
            Self::Templates => "parhelion lifecycle templates set NAME --types ... --columns ...",
            Self::Types => "parhelion lifecycle types map ID HALO | create-unmapped",
            Self::Statuses => "parhelion lifecycle statuses map ID HALO | create-unmapped",
            Self::Areas => "parhelion lifecycle areas",
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    tab: Tab,
    companies: Vec<CompanyView>,
    sums: std::collections::HashMap<u32, Summary>,
    view: Option<Box<WorkspaceView>>,
    heads: Vec<Head>,
    /// Numbers of the tab's rows that the filter lets through.
    list: List<usize>,
    text: String,
    prompt: Option<Prompt<()>>,
    is_asked: bool,
    trouble: Option<Problem>,
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

    fn managed(&self) -> impl Iterator<Item = &CompanyView> {
        self.companies.iter().filter(|view| view.company.managed)
    }

    fn company(&self) -> Option<&CompanyView> {
        self.managed().nth(*self.list.selected()?)
    }

    /// The text of every row, as it is filtered.
    fn texts(&self) -> Vec<String> {
        let view = self.view.as_deref();
        let of = |with: &dyn Fn(&WorkspaceView) -> Vec<String>| view.map(with).unwrap_or_default();
        match self.tab {
            Tab::Companies => {
                self.managed().map(|v| format!("{} {} {}", v.company.name, v.kind, v.status)).collect()
            }
            Tab::Reports => self.heads.iter().map(|head| format!("{} {}", head.id, head.name)).collect(),
            Tab::Grades => of(&|v| v.grades.iter().map(|g| format!("{} {}", g.grade, g.when)).collect()),
            Tab::Classes => of(&|v| v.classes.iter().map(|c| format!("{} {}", c.kind, c.name)).collect()),
            Tab::Templates => of(&|v| v.templates.iter().map(|t| t.name.clone()).collect()),
            Tab::Types => of(&|v| v.types.iter().map(|t| t.name.clone()).collect()),
            Tab::Statuses => of(&|v| v.statuses.iter().map(|t| t.name.clone()).collect()),
            Tab::Areas => AREAS.iter().map(|area| area.name.to_owned()).collect(),
        }
    }

    fn lay_out(&mut self) {
        let words: Vec<_> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let shown = |text: &str| words.iter().all(|word| text.to_lowercase().contains(word.as_str()));
        let ids = self.texts().iter().enumerate().filter(|(_, text)| shown(text)).map(|(i, _)| i).collect();
        self.list.replace(ids);
    }

    fn turn_tab(&mut self, by: usize) {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.tab = Tab::ALL[(at + by) % Tab::ALL.len()];
        self.text.clear();
        self.list = List::default();
        self.lay_out();
    }

    pub fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        let tabs: Vec<String> = Tab::ALL
            .iter()
            .map(|tab| if *tab == self.tab { format!("[{}]", tab.title()) } else { tab.title().to_owned() })
            .collect();
        Some((tabs.join(" "), self.summary(mirror)))
    }

    pub fn summary(&self, _mirror: &Mirror) -> String {
        self.view.as_ref().map_or_else(String::new, |view| {
            let cap = if view.cap > 0 { format!(" of {}", view.cap) } else { String::new() };
            format!("{}{cap} managed, {} configurations", view.managed, view.configurations)
        })
    }

    pub fn enter(&mut self, turn: &mut Turn<'_>) {
        self.ask(turn);
    }

    pub const fn is_typing(&self) -> bool {
        self.prompt.is_some()
    }

    pub fn key(&mut self, key: Key, _turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            let typed = prompt.key(key);
            self.typed(typed);
        }
    }

    pub fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        match &mut self.prompt {
            Some(prompt) => {
                let typed = prompt.paste(text);
                self.typed(typed);
            }
            None => turn.say("A paste goes into text fields only; here it does nothing."),
        }
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

    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if self.list.act(action, list_and_details(turn.area, turn.in_overview).rows()) {
            return true;
        }
        match action {
            Action::Filter => self.prompt = Some(Prompt::new((), "filter >", &self.text)),
            Action::Refresh => self.ask(turn),
            Action::NextTab => self.turn_tab(1),
            Action::PreviousTab => self.turn_tab(Tab::ALL.len() - 1),
            Action::PlanIt => {
                turn.open(super::plan::PlanScreen::build(Integration::Lifecycle));
            }
            Action::Undo | Action::Redo => {
                let redo = action == Action::Redo;
                turn.send(Command::Lifecycle(Box::new(LifecycleOrder::Undo { redo })));
            }
            Action::OpenReport => match self.tab {
                Tab::Companies => {
                    if let Some(view) = self.company() {
                        let order = LifecycleOrder::OpenReport { company: view.company.id };
                        turn.send(Command::Lifecycle(Box::new(order)));
                    }
                }
                Tab::Reports => {
                    let head = self.list.selected().and_then(|at| self.heads.get(*at));
                    if let Some(head) = head {
                        turn.open(ReportScreen::of(head.id));
                    }
                }
                _ => turn.say(format!("This list is changed with `{}`.", self.tab.command())),
            },
            Action::Why => turn.say(NOTICE),
            Action::Copy | Action::DetailsDown | Action::DetailsUp => {}
            _ => return false,
        }
        true
    }

    pub fn can(&self, action: Action, _mirror: &Mirror) -> Availability {
        match action {
            Action::FilterState | Action::Order => Availability::Not(
                "`/` narrows this list by words; the worst companies are in `parhelion lifecycle portfolio`."
                    .into(),
            ),
            Action::OpenReport if self.list.is_empty() => Availability::Not("this list is empty.".into()),
            _ => Availability::Ready,
        }
    }

    pub fn letters(&self, action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        match action {
            Action::Copy => vec![('r', "row".into()), ('c', "command".into())],
            _ => Vec::new(),
        }
    }

    pub fn choose(&mut self, _action: Action, letter: char, turn: &mut Turn<'_>) {
        let row = self.list.selected().and_then(|at| self.texts().get(*at).cloned());
        turn.copy(if letter == 'c' { self.tab.command().to_owned() } else { row.unwrap_or_default() });
    }

    pub fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        let is_filtered = !self.text.is_empty();
        self.text.clear();
        self.lay_out();
        is_filtered
    }

    pub fn may_leave(&mut self, _turn: &mut Turn<'_>) -> bool {
        true
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
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

    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.is_asked {
            self.ask(turn);
        }
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
            table::empty(canvas, regions.list, &self.nothing());
            return;
        }
        let columns = self.columns();
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, &columns, visible, Some(self.list.position()), |index| {
            let at = *self.list.ids().get(index)?;
            Some(Row { is_marked: false, cells: self.cells(at)? })
        });
        self.details(canvas, regions.details);
    }

    fn nothing(&self) -> String {
        if let Some(problem) = &self.trouble {
            return problem.to_string();
        }
        if self.view.is_none() {
            return "Reading ...".into();
        }
        if !self.text.is_empty() {
            return "Nothing matches. Esc shows all.".into();
        }
        match self.tab {
            Tab::Companies => format!("{NOTICE} No company is managed yet: p plans the import from Halo."),
            Tab::Reports => "No report yet. Enter on a company begins one.".into(),
            _ => format!("Nothing here yet. `{}` adds to it.", self.tab.command()),
        }
    }

    fn columns(&self) -> Vec<Column> {
        match self.tab {
            Tab::Companies => vec![
                Column::growing("company", 14),
                Column::fixed("devices", 7).right(),
                Column::fixed("replace", 7).right(),
                Column::fixed("plan", 5).right().goes(3),
                Column::fixed("quality", 7).right().goes(2),
                Column::fixed("budget", 12).right(),
                Column::fixed("type", 10).goes(1),
            ],
            Tab::Reports => vec![
                Column::fixed("report", 7),
                Column::growing("company", 14),
                Column::fixed("state", 10),
                Column::fixed("begun", 10).goes(1),
            ],
            Tab::Grades => vec![
                Column::fixed("", 3).right(),
                Column::fixed("grade", 12),
                Column::growing("when all hold", 20),
            ],
            Tab::Classes => vec![
                Column::growing("type", 10),
                Column::growing("class", 10),
                Column::fixed("total", 12).right(),
                Column::fixed("life", 8).right(),
                Column::growing("rule", 10).goes(1),
            ],
            Tab::Templates => vec![
                Column::growing("template", 12),
                Column::growing("types", 12),
                Column::growing("columns", 16).goes(1),
            ],
            Tab::Types | Tab::Statuses => {
                vec![Column::growing("here", 12), Column::growing("in Halo", 12), Column::fixed("state", 14)]
            }
            Tab::Areas => vec![Column::growing("area", 20), Column::fixed("state", 12)],
        }
    }

    fn cells(&self, at: usize) -> Option<Vec<table::Cell<'_>>> {
        let view = self.view.as_deref();
        Some(match self.tab {
            Tab::Companies => {
                let company = self.managed().nth(at)?;
                let sum = self.sums.get(&company.company.id);
                let replace = self.of_tone(sum, Tone::Replace);
                vec![
                    cell(&*company.company.name, if company.company.active { Role::Text } else { Role::Dim }),
                    cell(company.configurations.to_string(), Role::Text),
                    cell(count(replace), if replace > 0 { Role::Bad } else { Role::Dim }),
                    cell(count(self.of_tone(sum, Tone::Plan)), Role::Notice),
                    cell(
                        sum.and_then(|s| s.quality.score()).map_or_else(|| "-".into(), |s| s.to_string()),
                        Role::Dim,
                    ),
                    cell(sum.map_or_else(|| "-".into(), |s| grouped(s.total())), Role::Text),
                    cell(&*company.kind, Role::Dim),
                ]
            }
            Tab::Reports => {
                let head = self.heads.get(at)?;
                let (state, role) =
                    if head.completed.is_some() { ("completed", Role::Dim) } else { ("draft", Role::Accent) };
                vec![
                    cell(head.id.to_string(), Role::Text),
                    cell(&*head.name, Role::Text),
                    cell(state, role),
                    cell(head.created.strftime("%Y-%m-%d").to_string(), Role::Dim),
                ]
            }
            Tab::Grades => {
                let rule = view?.grades.get(at)?;
                vec![
                    cell((at + 1).to_string(), Role::Dim),
                    cell(&*rule.grade, tone_role(rule.tone)),
                    cell(rule.when.to_string(), Role::Text),
                ]
            }
            Tab::Classes => {
                let class = view?.classes.get(at)?;
                vec![
                    cell(&*class.kind, Role::Dim),
                    cell(&*class.name, Role::Text),
                    cell(grouped(class.budget.once().get()), Role::Text),
                    cell(format!("{} m", class.life_months), Role::Dim),
                    cell(class.rule.to_string(), Role::Dim),
                ]
            }
            Tab::Templates => {
                let template = view?.templates.get(at)?;
                let types: Vec<&str> = template.kinds.iter().map(String::as_str).collect();
                let types =
                    if types.is_empty() { "whatever no other claims".into() } else { types.join(", ") };
                vec![
                    cell(&*template.name, Role::Text),
                    cell(types, Role::Dim),
                    cell(template.columns.iter().map(Field::key).collect::<Vec<_>>().join(", "), Role::Dim),
                ]
            }
            Tab::Types | Tab::Statuses => {
                let terms = if self.tab == Tab::Types { &view?.types } else { &view?.statuses };
                let term = terms.get(at)?;
                let (state, role) = match (&term.halo, term.gone) {
                    (_, true) => ("gone from Halo", Role::Bad),
                    (Some(_), _) => ("mapped", Role::Good),
                    (None, _) => ("unmapped", Role::Notice),
                };
                vec![
                    cell(&*term.name, Role::Text),
                    cell(term.halo.as_ref().map_or("-", |halo| halo.name.as_str()), Role::Dim),
                    cell(state, role),
                ]
            }
            Tab::Areas => {
                let area = AREAS.get(at)?;
                let (state, role) = match area.offered {
                    Offered::Works => ("works", Role::Good),
                    Offered::Not => ("not offered", Role::Dim),
                };
                vec![cell(area.name, Role::Text), cell(state, role)]
            }
        })
    }

    fn of_tone(&self, sum: Option<&Summary>, tone: Tone) -> u32 {
        let (Some(sum), Some(view)) = (sum, &self.view) else { return 0 };
        grade::names(&view.grades)
            .iter()
            .filter(|(_, own)| *own == tone)
            .map(|(name, _)| sum.grade(name))
            .sum()
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height < 2 {
            return;
        }
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let company = (self.tab == Tab::Companies).then(|| self.company()).flatten();
        let Some(company) = company else {
            canvas.rule(Rect { height: 1, ..area }, self.tab.title());
            let mut text = match self.tab {
                Tab::Grades if self.view.as_ref().is_some_and(|view| view.grades_are_ours) => {
                    format!("{DEFAULT_LABEL}; the first rule that fits counts. ")
                }
                Tab::Grades => "The first rule that fits counts. ".into(),
                Tab::Areas => format!("{NOTICE} "),
                _ => String::new(),
            };
            text.push_str(&format!("Change: {}", self.tab.command()));
            canvas.paragraph(body, &text, Role::Dim);
            return;
        };
        canvas.rule(Rect { height: 1, ..area }, &company.company.name);
        let Some((sum, view)) = self.sums.get(&company.company.id).zip(self.view.as_deref()) else { return };
        let names = grade::names(&view.grades);
        let most = names.iter().map(|(name, _)| sum.grade(name)).max().unwrap_or(0);
        let mut y = body.y;
        for (name, tone) in &names {
            if y + 1 >= body.bottom() {
                break;
            }
            let line = Rect { y, height: 1, width: body.width.min(60), ..body };
            bar(
                canvas,
                line,
                name,
                sum.grade(name).into(),
                most.into(),
                &sum.grade(name).to_string(),
                tone_role(*tone),
            );
            y += 1;
        }
        let gaps: Vec<String> = Gap::ALL
            .iter()
            .filter(|gap| sum.quality.of(**gap) > 0)
            .map(|gap| format!("{} on {}", gap.label(), sum.quality.of(*gap)))
            .collect();
        let missing =
            if gaps.is_empty() { "nothing missing".into() } else { format!("missing: {}", gaps.join(", ")) };
        canvas.put(body.x + 1, y, body.width.saturating_sub(1), &missing, Role::Dim);
    }

    pub fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        self.prompt.as_ref().is_some_and(|prompt| {
            prompt.draw(canvas, area);
            true
        })
    }

    pub const fn hints(&self) -> &'static [Action] {
        &[Action::OpenReport, Action::NextTab, Action::PlanIt, Action::Filter, Action::Undo]
    }

    pub fn about(&self) -> About {
        About {
            what: NOTICE,
            signs: &[],
            rules: &[
                "Halo is the master: names, types, statuses and assets follow it; only warranty and purchase dates can go back, and that is off by default.",
                "Unknown is a bucket of its own: an asset without dates is neither new nor old, and counts against the data quality.",
                "A completed report never changes; a company has one open draft.",
            ],
        }
    }

    pub fn saved(&self) -> Value {
        json!({"tab": self.tab.title(), "filter": self.text})
    }

    pub fn restore(&mut self, saved: &Value) {
        if let Some(tab) = Tab::ALL.into_iter().find(|tab| saved["tab"] == tab.title()) {
            self.tab = tab;
        }
        if let Some(text) = saved["filter"].as_str() {
            text.clone_into(&mut self.text);
        }
    }
}

fn count(number: u32) -> String {
    if number == 0 { "-".into() } else { number.to_string() }
}
