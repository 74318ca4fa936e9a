//! A company's report: worked out anew while it is a draft, frozen when it is completed (S29).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::age::{Age, Warranty};
use super::assess::{Assessment, Judge};
use super::budget::{Cost, FiscalYear};
use super::class::Budget;
use super::column::Column;
use super::company::Company;
use super::configuration::{Configuration, Dates, Local};
use super::grade::{self, Tone};
use super::serial::serial_form;
use super::summary::{Gap, Summary, gaps};
use super::template::{Mode, template_for};
use crate::model::{Amount, Currency, Date, Moment};

/// A report's number, written `R7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportId(pub u32);

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R{}", self.0)
    }
}

impl FromStr for ReportId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim().trim_start_matches(['R', 'r']);
        digits.parse().map(Self).map_err(|_| format!("'{text}' is not a report such as R7"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Draft,
    Completed,
}

/// What a list of reports shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub id: ReportId,
    /// The workspace's company, and the Halo customer it stands for.
    pub company: u32,
    pub halo: Option<i64>,
    pub name: String,
    pub state: State,
    pub created: Moment,
    pub completed: Option<Moment>,
}

/// A report, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    #[serde(flatten)]
    pub head: Head,
    /// The day its ages were counted on.
    pub as_of: Date,
    pub currency: Option<Currency>,
    /// The fiscal year of that day.
    pub this_year: FiscalYear,
    pub grades: Vec<(String, Tone)>,
    /// Whether the grades are our own default set.
    pub grades_are_ours: bool,
    pub columns: Vec<Column>,
    pub summary: Summary,
    /// Worst first.
    pub rows: Vec<Row>,
    /// What a reader must know, most important first.
    pub warnings: Vec<String>,
}

/// A configuration in a report, with everything worked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: i64,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub serial: String,
    pub manufacturer: String,
    pub model: String,
    pub ram: String,
    pub os: String,
    pub notes: String,
    pub dates: Dates,
    pub age: Age,
    pub warranty: Warranty,
    pub grade: String,
    pub tone: Tone,
    pub why: String,
    pub class: Option<String>,
    pub template: String,
    pub replace_on: Option<Date>,
    pub year: Option<FiscalYear>,
    /// 0 where it has no class or is not in the budget.
    pub budget: Budget,
    pub counts: bool,
    pub is_budgeted: bool,
    pub out_of_scope: bool,
    pub gaps: Vec<Gap>,
    /// Dates in quarantine and doubtful serials, in words.
    pub faults: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// What people said of it.
    #[serde(default, skip_serializing_if = "Local::is_empty")]
    pub local: Local,
}

impl Row {
    pub fn recurring_a_year(&self) -> Amount {
        Amount::new(self.budget.recurring.get().saturating_mul(rust_decimal::Decimal::from(12)))
    }

    fn of(
        judge: &Judge<'_>,
        configuration: &Configuration,
        local: Option<&Local>,
        a: &Assessment<'_>,
    ) -> Self {
        let c = configuration;
        let by_hand = local.and_then(|local| local.template.as_deref());
        let template = template_for(&judge.workspace.templates, by_hand, &c.kind);
        Self {
            id: c.id,
            name: c.name.clone(),
            kind: c.kind.clone(),
            status: c.status.clone(),
            serial: c.serial.clone(),
            manufacturer: c.manufacturer.clone(),
            model: c.model.clone(),
            ram: c.ram.clone(),
            os: c.os.clone(),
            notes: c.notes.clone(),
            dates: a.dates,
            age: a.age,
            warranty: a.warranty,
            grade: a.grade.name.to_owned(),
            tone: a.grade.tone,
            why: judge.reason(c, a),
            class: a.class.map(|class| class.name.clone()),
            template: template.map(|template| template.name.clone()).unwrap_or_default(),
            replace_on: a.replace_on,
            year: a.year,
            budget: a.budget,
            counts: a.counts,
            is_budgeted: a.is_budgeted,
            out_of_scope: c.out_of_scope,
            gaps: gaps(c, a.serial_is_good, &a.dates, a.is_virtual),
            faults: a.faults.iter().map(|fault| format!("{fault}; put it right in Halo")).collect(),
            local: local.cloned().unwrap_or_default(),
            extra: c.extra.clone(),
        }
    }
}

/// Works a draft out. `mode` says which of the template's views chooses the rows; the totals are over everything that
/// counts, whatever a view hides.
pub fn draft(
    judge: &Judge<'_>,
    head: Head,
    company: &Company,
    configurations: &[(Configuration, Option<Local>)],
    mode: Mode,
) -> Report {
    let workspace = judge.workspace;
    let mut summary = Summary::default();
    let mut rows = Vec::with_capacity(configurations.len());
    let mut by_serial: HashMap<String, u32> = HashMap::new();
    for (configuration, local) in configurations {
        let assessment = judge.assess(company, configuration, local.as_ref());
        summary.add(configuration, &assessment);
        if let Some(form) = serial_form(&configuration.serial) {
            *by_serial.entry(form).or_default() += 1;
        }
        let row = Row::of(judge, configuration, local.as_ref(), &assessment);
        let by_hand = local.as_ref().and_then(|local| local.template.as_deref());
        let template = template_for(&workspace.templates, by_hand, &configuration.kind);
        if template.is_none_or(|template| template.view(mode).shows(&row.kind, &row.status)) {
            rows.push(row);
        }
    }
    let mut doubled = 0;
    for row in &mut rows {
        let count = serial_form(&row.serial).and_then(|form| by_serial.get(&form).copied()).unwrap_or(0);
        if count > 1 {
            doubled += 1;
            row.faults.push(format!("{count} configurations have the serial '{}'", row.serial));
        } else if !row.serial.trim().is_empty() && row.gaps.contains(&Gap::Serial) {
            row.faults.push(format!("'{}' is a placeholder and no serial", row.serial));
        }
    }
    sort_worst_first(&mut rows);
    let columns = columns_of(judge, &rows);
    let warnings = warnings(judge, &summary, doubled);
    Report {
        head,
        as_of: judge.today,
        currency: workspace.currency,
        this_year: FiscalYear::of(judge.today, workspace.first_month_of(company)),
        grades: grade::names(&workspace.grades),
        grades_are_ours: workspace.grades_are_ours,
        columns,
        summary,
        rows,
        warnings,
    }
}

/// By what its grade says to do, then the oldest, then by name. What does not count comes last.
pub fn sort_worst_first(rows: &mut [Row]) {
    rows.sort_by(|a, b| {
        (!a.counts)
            .cmp(&!b.counts)
            .then(a.tone.cmp(&b.tone))
            .then(b.age.months().cmp(&a.age.months()))
            .then_with(|| a.name.cmp(&b.name))
            .then(a.id.cmp(&b.id))
    });
}

/// The columns of the templates in the report, in the order of the first; each once.
fn columns_of(judge: &Judge<'_>, rows: &[Row]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for template in &judge.workspace.templates {
        if rows.iter().any(|row| row.template == template.name) {
            for column in &template.columns {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
        }
    }
    if columns.is_empty() { Column::defaults() } else { columns }
}

fn warnings(judge: &Judge<'_>, summary: &Summary, doubled: u32) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut say = |count: u32, one: &str, many: &str| {
        if count > 0 {
            warnings.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    say(
        summary.unclassed,
        "configuration has no class and is priced at 0",
        "configurations have no class and are priced at 0",
    );
    say(
        summary.undated.count,
        "configuration has no usable date and is in no budget year",
        "configurations have no usable date and are in no budget year",
    );
    say(
        summary.quarantined,
        "configuration has a date that cannot be true; it is not counted with",
        "configurations have dates that cannot be true; they are not counted with",
    );
    say(
        doubled,
        "configuration shares its serial with another",
        "configurations share their serial with another",
    );
    say(
        summary.out_of_scope,
        "configuration is out of scope now and in no total",
        "configurations are out of scope now and in no total",
    );
    if judge.workspace.currency.is_none() && !judge.workspace.classes.is_empty() {
        warnings.push("no currency is set, so amounts are shown without one".into());
    }
    warnings
}

impl Report {
    /// Frozen as it stands.
    ///
    /// # Errors
    /// It is completed already.
    pub fn complete(mut self, at: Moment) -> Result<Self, String> {
        if self.head.state == State::Completed {
            return Err(format!(
                "{} is completed already, and a completed report never changes",
                self.head.id
            ));
        }
        self.head.state = State::Completed;
        self.head.completed = Some(at);
        Ok(self)
    }

    /// The years to show, from this one on without a gap, with what each costs. A life of fifty years does not make fifty
    /// bars: the tenth is that year and all after it.
    pub fn years(&self) -> Vec<(String, Cost)> {
        self.years_within(10)
    }

    /// The years in so many lines, and what has no date: the last year has all after it, so that nothing of the total is
    /// missing.
    pub fn costs_within(&self, lines: usize) -> Vec<(String, Cost)> {
        let undated = (self.summary.undated.count > 0).then(|| ("no date".to_owned(), self.summary.undated));
        let mut costs = self.years_within(lines.saturating_sub(usize::from(undated.is_some())));
        costs.extend(undated);
        costs
    }

    fn years_within(&self, lines: usize) -> Vec<(String, Cost)> {
        let most = i16::try_from(lines.clamp(1, 10)).unwrap_or(1);
        let this = self.this_year.year;
        let last = self.summary.years.keys().next_back().copied().unwrap_or(this).max(this);
        let of = |year: i16| self.summary.years.get(&year).copied().unwrap_or_default();
        let named = |year: i16| FiscalYear { year, ..self.this_year }.to_string();
        if last - this < most {
            return (this..=last).map(|year| (named(year), of(year))).collect();
        }
        let from = this + most - 1;
        let mut years: Vec<_> = (this..from).map(|year| (named(year), of(year))).collect();
        let mut later = Cost::default();
        for year in from..=last {
            later += of(year);
        }
        years.push((format!("{}+", named(from)), later));
        years
    }
}

/// What opening a company's report does (S29).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// Its one open draft.
    Draft(ReportId),
    /// There is none: a new one.
    New,
}

/// One open draft a company.
pub fn opens(heads: &[Head], company: u32) -> Opens {
    heads
        .iter()
        .find(|head| head.company == company && head.state == State::Draft)
        .map_or(Opens::New, |head| Opens::Draft(head.id))
}
