//! The lists of the pane: their tabs, columns, rows and details.

use ratatui::layout::Rect;

use super::Lifecycle;
use crate::host::words::{CompanyView, LifecycleOrder, TermList};
use crate::lifecycle::column::Column as Field;
use crate::lifecycle::export::grouped;
use crate::lifecycle::grade::{self, DEFAULT_LABEL, Tone};
use crate::lifecycle::setup::Progress;
use crate::lifecycle::summary::{Gap, Summary};
use crate::lifecycle::template::View;
use crate::lifecycle::{AREAS, NOTICE, Offered};
use crate::ui::canvas::Canvas;
use crate::ui::screens::charts::{bar, label_width, tone_role};
use crate::ui::theme::Role;
use crate::ui::widgets::table::{self, Column, cell};

/// The lists of the pane, in the order of its tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    #[default]
    Companies,
    Reports,
    Grades,
    Classes,
    Policies,
    Templates,
    Types,
    Statuses,
    SetUp,
}

impl Tab {
    pub const ALL: [Self; 9] = [
        Self::Companies,
        Self::Reports,
        Self::Grades,
        Self::Classes,
        Self::Policies,
        Self::Templates,
        Self::Types,
        Self::Statuses,
        Self::SetUp,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Companies => "Companies",
            Self::Reports => "Reports",
            Self::Grades => "Grades",
            Self::Classes => "Classes",
            Self::Policies => "Policies",
            Self::Templates => "Templates",
            Self::Types => "Types",
            Self::Statuses => "Statuses",
            Self::SetUp => "Set-up",
        }
    }

    /// What one entry of it is called.
    pub const fn one(self) -> &'static str {
        match self {
            Self::Companies => "company",
            Self::Reports => "report",
            Self::Grades => "grade rule",
            Self::Classes => "class",
            Self::Policies => "policy",
            Self::Templates => "template",
            Self::Types => "company type",
            Self::Statuses => "company status",
            Self::SetUp => "step",
        }
    }

    /// The command that changes this list without the screen.
    pub const fn command(self) -> &'static str {
        match self {
            Self::Companies => "parhelion lifecycle companies manage|unmanage|year|notes COMPANY",
            Self::Reports => "parhelion lifecycle report COMPANY --format html --out FILE",
            Self::Grades => "parhelion lifecycle grades set 'Replace/replace: age>=60' ...",
            Self::Classes => {
                "parhelion lifecycle classes set Laptop Basic --hardware 900 --life 48 --rule always"
            }
            Self::Policies => "parhelion lifecycle policies set 'Virtual Server' --virtual",
            Self::Templates => "parhelion lifecycle templates set NAME --types ... --columns ...",
            Self::Types => "parhelion lifecycle types map ID HALO",
            Self::Statuses => "parhelion lifecycle statuses map ID HALO",
            Self::SetUp => "parhelion lifecycle setup",
        }
    }

    /// What its list is, in a sentence or two.
    const fn help(self) -> &'static str {
        match self {
            Self::Companies | Self::SetUp => "",
            Self::Reports => "Enter opens one. c completes a draft for good, d throws it away.",
            Self::Grades => {
                "The first rule that fits counts. Enter edits, n puts a new one before this, < and > move it, d removes it, = brings our default set back."
            }
            Self::Classes => {
                "What replacing one costs, and when. Of each type the first class whose rule fits counts: < and > move it."
            }
            Self::Policies => {
                "What holds for every configuration of a type: its life without a class, its warning period, exempt, virtual."
            }
            Self::Templates => {
                "What the build and the display view show. Enter: types, columns in order, and what each view leaves out."
            }
            Self::Types => {
                "Each stands for one of Halo's and takes its name. a maps exact names and creates the rest."
            }
            Self::Statuses => {
                "Active and inactive, one to one with Halo's flag. a maps exact names and creates the rest."
            }
        }
    }

    pub const fn terms(self) -> Option<TermList> {
        match self {
            Self::Types => Some(TermList::Types),
            Self::Statuses => Some(TermList::Statuses),
            _ => None,
        }
    }
}

pub(super) fn columns(tab: Tab) -> Vec<Column> {
    match tab {
        Tab::Companies => vec![
            Column::growing("company", 26),
            Column::fixed("devices", 7).right(),
            Column::fixed("replace", 7).right(),
            Column::fixed("plan", 5).right().goes(3),
            Column::fixed("quality", 7).right().goes(2),
            Column::fixed("budget", 12).right(),
            Column::fixed("draft", 5).goes(1),
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
            Column::fixed("tone", 8).goes(1),
            Column::growing("when all hold", 20),
        ],
        Tab::Classes => vec![
            Column::growing("type", 10),
            Column::growing("class", 10),
            Column::fixed("total", 12).right(),
            Column::fixed("life", 8).right(),
            Column::growing("rule", 10).goes(1),
        ],
        Tab::Policies => vec![
            Column::growing("type", 12),
            Column::growing("company", 12),
            Column::fixed("life", 8).right(),
            Column::fixed("is", 20),
        ],
        Tab::Templates => vec![
            Column::growing("template", 12),
            Column::growing("types", 12),
            Column::growing("columns", 16).goes(1),
        ],
        Tab::Types | Tab::Statuses => {
            vec![Column::growing("here", 12), Column::growing("in Halo", 12), Column::fixed("state", 14)]
        }
        Tab::SetUp => {
            vec![Column::fixed("state", 8), Column::fixed("step", 22), Column::growing("how it stands", 16)]
        }
    }
}

const fn progress(progress: Progress) -> (&'static str, Role) {
    match progress {
        Progress::Done => ("done", Role::Good),
        Progress::ToDo => ("to do", Role::Notice),
        Progress::Failed => ("failed", Role::Bad),
        Progress::Optional => ("optional", Role::Dim),
    }
}

fn count(number: u32) -> String {
    if number == 0 { "-".into() } else { number.to_string() }
}

fn yes(view: &View) -> String {
    let hidden: Vec<&str> =
        view.hidden_types.iter().chain(&view.hidden_statuses).map(String::as_str).collect();
    if hidden.is_empty() { "shows all".into() } else { format!("hides {}", hidden.join(", ")) }
}

impl Lifecycle {
    /// The text of every row with its key, as it is filtered: a company's or report's number, else its place.
    pub(super) fn texts(&self) -> Vec<(u32, String)> {
        fn numbered<'a>(texts: impl Iterator<Item = String> + 'a) -> Vec<(u32, String)> {
            (0..).zip(texts).collect()
        }
        match (self.tab, self.view.as_deref()) {
            (Tab::Companies, _) => self
                .shown_companies()
                .map(|v| (v.company.id, format!("{} {} {}", v.company.name, v.kind, v.status)))
                .collect(),
            (Tab::Reports, _) => {
                self.heads.iter().map(|head| (head.id.0, format!("{} {}", head.id, head.name))).collect()
            }
            (_, None) => Vec::new(),
            (Tab::Grades, Some(v)) => numbered(v.grades.iter().map(|g| format!("{} {}", g.grade, g.when))),
            (Tab::Classes, Some(v)) => numbered(v.classes.iter().map(|c| format!("{} {}", c.kind, c.name))),
            (Tab::Policies, Some(v)) => numbered(v.policies.iter().map(|p| p.kind.clone())),
            (Tab::Templates, Some(v)) => numbered(v.templates.iter().map(|t| t.name.clone())),
            (Tab::Types, Some(v)) => numbered(v.types.iter().map(|t| t.name.clone())),
            (Tab::Statuses, Some(v)) => numbered(v.statuses.iter().map(|t| t.name.clone())),
            (Tab::SetUp, Some(v)) => numbered(v.setup.iter().map(|step| step.name.clone())),
        }
    }

    pub(super) fn of_tone(&self, sum: Option<&Summary>, tone: Tone) -> u32 {
        let (Some(sum), Some(view)) = (sum, &self.view) else { return 0 };
        grade::names(&view.grades)
            .iter()
            .filter(|(_, own)| *own == tone)
            .map(|(name, _)| sum.grade(name))
            .sum()
    }

    pub(super) fn cells(&self, key: u32) -> Option<Vec<table::Cell<'_>>> {
        let at = key as usize;
        let view = self.view.as_deref();
        Some(match self.tab {
            Tab::Companies => {
                let company = self.company_of(key)?;
                let sum = self.sums.get(&key);
                let replace = self.of_tone(sum, Tone::Replace);
                let is_dim = !company.company.active || !company.company.managed;
                let budget = sum.map(Summary::total).filter(|total| !total.is_zero());
                vec![
                    cell(&*company.company.name, if is_dim { Role::Dim } else { Role::Text }),
                    cell(company.configurations.to_string(), Role::Text),
                    cell(count(replace), if replace > 0 { Role::Bad } else { Role::Dim }),
                    cell(count(self.of_tone(sum, Tone::Plan)), Role::Notice),
                    cell(
                        sum.and_then(|s| s.quality.score()).map_or_else(|| "-".into(), |s| s.to_string()),
                        Role::Dim,
                    ),
                    cell(budget.map_or_else(|| "-".into(), grouped), Role::Text),
                    cell(company.draft.map(|draft| draft.to_string()).unwrap_or_default(), Role::Accent),
                ]
            }
            Tab::Reports => {
                let head = self.heads.iter().find(|head| head.id.0 == key)?;
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
                    cell(rule.tone.key(), Role::Dim),
                    cell(rule.when.to_string(), Role::Text),
                ]
            }
            Tab::Classes => {
                let class = view?.classes.get(at)?;
                let rule = class.rule.to_string();
                vec![
                    cell(&*class.kind, Role::Dim),
                    cell(&*class.name, Role::Text),
                    cell(grouped(class.budget.once().get()), Role::Text),
                    cell(format!("{} m", class.life_months), Role::Dim),
                    cell(if rule.is_empty() { "by hand".into() } else { rule }, Role::Dim),
                ]
            }
            Tab::Policies => {
                let policy = view?.policies.get(at)?;
                let company = policy.company.and_then(|id| u32::try_from(id).ok());
                let company =
                    company.map_or("all", |id| self.company_of(id).map_or("-", |v| &v.company.name));
                let mut is: Vec<String> = [(policy.exempt, "exempt"), (policy.is_virtual, "virtual")]
                    .into_iter()
                    .filter(|(is, _)| *is)
                    .map(|(_, word)| word.to_owned())
                    .collect();
                if policy.warning_months > 0 {
                    is.push(format!("warns {} m", policy.warning_months));
                }
                vec![
                    cell(&*policy.kind, Role::Text),
                    cell(company, Role::Dim),
                    cell(format!("{} m", policy.life_months), Role::Dim),
                    cell(if is.is_empty() { "-".into() } else { is.join(", ") }, Role::Text),
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
            Tab::SetUp => {
                let step = view?.setup.get(at)?;
                let (state, role) = progress(step.progress);
                vec![cell(state, role), cell(&*step.name, Role::Text), cell(&*step.says, Role::Dim)]
            }
        })
    }

    pub(super) fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height < 2 {
            return;
        }
        let body = Rect {
            x: area.x + 1,
            y: area.y + 1,
            height: area.height - 1,
            width: area.width.saturating_sub(2),
        };
        let selected = self.list.selected().copied();
        if let Some(company) =
            selected.filter(|_| self.tab == Tab::Companies).and_then(|id| self.company_of(id))
        {
            return self.company_details(canvas, area, body, company);
        }
        let step = self.view.as_deref().zip(selected).filter(|_| self.tab == Tab::SetUp);
        if let Some(step) = step.and_then(|(view, at)| view.setup.get(at as usize)) {
            canvas.rule(Rect { height: 1, ..area }, &step.name);
            // The list cuts it off; here it is whole.
            let (state, role) = progress(step.progress);
            let said = format!("{state}: {}", step.says);
            let used = canvas.paragraph(body, &said, role) + 1;
            let body = Rect { y: body.y + used, height: body.height.saturating_sub(used), ..body };
            let used = canvas.paragraph(body, &step.help, Role::Text);
            let offered = |offered: Offered| {
                AREAS
                    .iter()
                    .filter(|area| area.offered == offered)
                    .map(|area| area.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let areas = format!(
                "Works here: {}. An optional extra, still to come: {}. Not offered: {}. {NOTICE}",
                offered(Offered::Works),
                offered(Offered::Later),
                offered(Offered::Not)
            );
            let rest = Rect { y: body.y + used + 1, height: body.height.saturating_sub(used + 1), ..body };
            canvas.paragraph(rest, &areas, Role::Dim);
            return;
        }
        canvas.rule(Rect { height: 1, ..area }, self.tab.title());
        let mut text = self.tab.help().to_owned();
        let view = self.view.as_deref();
        if self.tab == Tab::Grades && view.is_some_and(|view| view.grades_are_ours) {
            text = format!("{DEFAULT_LABEL}. {text}");
        }
        let template = view.zip(selected).filter(|_| self.tab == Tab::Templates);
        if let Some(template) = template.and_then(|(view, at)| view.templates.get(at as usize)) {
            let columns: Vec<String> = template.columns.iter().map(Field::key).collect();
            text = format!(
                "Columns: {}. Build view {}; display view {}. {text}",
                columns.join(", "),
                yes(&template.build),
                yes(&template.display)
            );
        }
        let class = view.zip(selected).filter(|_| self.tab == Tab::Classes);
        if let Some(class) = class.and_then(|(view, at)| view.classes.get(at as usize)) {
            let [hardware, setup, onsite, recurring] =
                [class.budget.hardware, class.budget.setup, class.budget.onsite, class.budget.recurring]
                    .map(|amount| grouped(amount.get()));
            text =
                format!("Hardware {hardware}, set-up {setup}, onsite {onsite}; {recurring} a month. {text}");
        }
        canvas.paragraph(body, &text, Role::Dim);
    }

    fn company_details(&self, canvas: &mut Canvas<'_>, area: Rect, body: Rect, company: &CompanyView) {
        canvas.rule(Rect { height: 1, ..area }, &company.company.name);
        let Some((sum, view)) = self.sums.get(&company.company.id).zip(self.view.as_deref()) else {
            let text = if company.company.managed {
                "Nothing has been read of it yet: p plans the import."
            } else {
                "Not managed: its configurations do not come in. x takes it in."
            };
            canvas.paragraph(body, text, Role::Dim);
            return;
        };
        let names = grade::names(&view.grades);
        let most = names.iter().map(|(name, _)| sum.grade(name)).max().unwrap_or(0);
        let width = label_width(names.iter().map(|(name, _)| name.as_str()));
        let mut y = body.y;
        for (name, tone) in &names {
            if y + 1 >= body.bottom() {
                break;
            }
            let line = Rect { y, height: 1, width: body.width.min(60), x: body.x - 1 };
            let shown = sum.grade(name).to_string();
            bar(canvas, line, (name, width), sum.grade(name).into(), most.into(), &shown, tone_role(*tone));
            y += 1;
        }
        let gaps: Vec<String> = Gap::ALL
            .iter()
            .filter(|gap| sum.quality.of(**gap) > 0)
            .map(|gap| format!("{} on {}", gap.label(), sum.quality.of(*gap)))
            .collect();
        let mut said = if gaps.is_empty() {
            "Nothing missing.".into()
        } else {
            format!("Missing: {}.", gaps.join(", "))
        };
        said.push_str(&format!(" {}, {}.", company.kind, company.status));
        if !company.company.notes.is_empty() {
            said.push_str(&format!(" {}", company.company.notes));
        }
        let rest = Rect { y, height: body.bottom().saturating_sub(y), ..body };
        canvas.paragraph(rest, said.trim(), Role::Dim);
    }

    /// The order that takes an entry out, and what the question about it says.
    pub(super) fn removal(&self, key: u32) -> Option<(String, LifecycleOrder)> {
        let (view, at) = (self.view.as_deref()?, key as usize);
        Some(match self.tab {
            Tab::Grades => {
                let rule = view.grades.get(at)?;
                let mut rules = view.grades.clone();
                rules.remove(at);
                let name = format!("rule {}, {} where {}", at + 1, rule.grade, rule.when);
                (name, LifecycleOrder::Grades { rules: Some(rules) })
            }
            Tab::Classes => {
                let class = view.classes.get(at)?;
                let (kind, name) = (class.kind.clone(), class.name.clone());
                (format!("class {name} of {kind}"), LifecycleOrder::RemoveClass { kind, name })
            }
            Tab::Policies => {
                let policy = view.policies.get(at)?;
                let (kind, company) = (policy.kind.clone(), policy.company);
                (format!("policy of {kind}"), LifecycleOrder::RemovePolicy { kind, company })
            }
            Tab::Templates => {
                let name = view.templates.get(at)?.name.clone();
                (format!("template {name}"), LifecycleOrder::RemoveTemplate { name, replacement: None })
            }
            Tab::Types | Tab::Statuses => {
                let list = self.tab.terms()?;
                let term =
                    if list == TermList::Types { view.types.get(at)? } else { view.statuses.get(at)? };
                (format!("'{}'", term.name), LifecycleOrder::RemoveTerm { list, id: term.id })
            }
            Tab::Reports => {
                let head = self.heads.iter().find(|head| head.id.0 == key)?;
                (format!("{} of {}", head.id, head.name), LifecycleOrder::Discard { report: head.id })
            }
            Tab::Companies | Tab::SetUp => return None,
        })
    }

    /// The order that moves an entry by one place.
    pub(super) fn moved(&self, key: u32, up: bool) -> Option<LifecycleOrder> {
        let (view, at) = (self.view.as_deref()?, key as usize);
        match self.tab {
            Tab::Grades => {
                let mut rules = view.grades.clone();
                let to = if up { at.checked_sub(1)? } else { at + 1 };
                if at >= rules.len() || to >= rules.len() {
                    return None;
                }
                rules.swap(at, to);
                Some(LifecycleOrder::Grades { rules: Some(rules) })
            }
            Tab::Classes => {
                let class = view.classes.get(at)?;
                let own = view.classes.iter().filter(|other| other.kind == class.kind);
                let position =
                    u32::try_from(own.clone().position(|other| other.name == class.name)? + 1).ok()?;
                let to = if up { position.checked_sub(1).filter(|to| *to > 0)? } else { position + 1 };
                let (kind, name) = (class.kind.clone(), class.name.clone());
                (to as usize <= own.count()).then_some(LifecycleOrder::MoveClass { kind, name, position: to })
            }
            _ => None,
        }
    }

    /// Nothing that could be shown is meant to be empty without a word.
    pub(super) fn nothing(&self) -> String {
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
            Tab::Companies if self.companies.iter().any(|view| view.company.managed) => {
                "Every company is managed. f f shows all.".into()
            }
            Tab::Companies => format!("{NOTICE} No company is managed yet: p plans the import from Halo."),
            Tab::Reports => "No report yet. Enter on a company begins one.".into(),
            Tab::Classes => {
                "No class yet, so every replacement costs 0. n adds one: what it costs, how long it lives."
                    .into()
            }
            Tab::Policies => "No policy yet: every type lives 60 months without a class. n adds one.".into(),
            Tab::Types | Tab::Statuses => {
                "None yet: the import brings Halo's (p), n adds one by hand.".into()
            }
            tab => format!("No {} yet. n adds one.", tab.one()),
        }
    }
}
