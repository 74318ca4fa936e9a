//! The JSON documents of `docs/cli.md`: one struct a document, nothing computed here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value as Json;

use crate::host::words::{
    Carried, CheckState, Fate, FieldSides, Issue, IssueGroup, IssuesView, JobReport, JobState, JobTotals,
    LayoutView, LogLine, MapRow, MapState, MappingImport, Party, PastRun, SavedChange, ScheduleView,
    SitesView, Suggested, TestReport,
};
use crate::integrations::FieldRule;
use crate::model::settings::FieldMapping;
use crate::model::{
    Class, Entity, How, Integration, JobId, Moment, Place, PlanId, Problem, SourceId, TargetId,
};
use crate::plan::{Action, Change, Cost, Plan, Purpose, Totals};

/// Every document says which schema it follows.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
struct Document<'a, T> {
    schema: u8,
    #[serde(flatten)]
    body: &'a T,
}

/// A document on one line, with its line break.
pub fn line(body: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(&Document { schema: SCHEMA, body }).map(|text| text + "\n").map_err(|error| {
        Problem::new(Class::Local, format!("The result could not be written as JSON: {error}."))
    })
}

#[derive(Serialize)]
pub struct ErrorDocument<'a> {
    pub error: ErrorBody<'a>,
}

#[derive(Serialize)]
pub struct ErrorBody<'a> {
    pub message: &'a str,
    pub remedy: &'a str,
}

impl<'a> From<&'a Problem> for ErrorBody<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self { message: &problem.message, remedy: &problem.remedy }
    }
}

impl<'a> From<&'a Problem> for ErrorDocument<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self { error: problem.into() }
    }
}

/// What a command without a document of its own did.
#[derive(Serialize)]
pub struct Done<'a> {
    pub message: &'a str,
}

#[derive(Serialize)]
pub struct Saved<'a> {
    pub changed: &'a [SavedChange],
    pub notes: &'a [String],
}

#[derive(Serialize)]
pub struct Setting<'a> {
    pub key: &'a str,
    pub value: Json,
}

#[derive(Serialize)]
pub struct AllSettings {
    pub settings: Json,
}

/// A record of one side, as every table names it.
#[derive(Serialize)]
pub struct Named<'a, Id> {
    pub id: &'a Id,
    pub name: &'a str,
}

#[derive(Serialize)]
pub struct PlanDocument<'a> {
    plan: PlanId,
    integration: Integration,
    entities: &'a [Entity],
    scheduled: bool,
    #[serde(flatten)]
    purpose: PurposeFields<'a>,
    complete: &'a BTreeMap<Entity, bool>,
    totals: Totals,
    /// Written between the two halves, one by one: [`PlanWriter`].
    changes: [(); 0],
    cost: &'a Cost,
    /// What a person should look at before it is applied: limits that hold rows among it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<&'a str>,
    /// What is worth knowing and no cause for concern, as what a narrow plan read in full.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
    /// Only in a file for `apply`: proves that it is the stored plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
}

/// What a plan or job is for, where it is not for everything of its entities.
#[derive(Serialize, Default)]
struct PurposeFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_of: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    narrow: Option<NarrowFields<'a>>,
    /// Everything that waits with this cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    /// What a person must know of such a plan.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    remarks: &'a [&'a str],
}

#[derive(Serialize)]
struct NarrowFields<'a> {
    customers: &'a BTreeSet<SourceId>,
    records: &'a BTreeSet<SourceId>,
}

impl<'a> From<&'a Purpose> for PurposeFields<'a> {
    fn from(purpose: &'a Purpose) -> Self {
        let mut fields = Self { remarks: purpose.remarks(), ..Self::default() };
        match purpose {
            Purpose::Whole => {}
            Purpose::Narrow { customers, records } => {
                fields.narrow = Some(NarrowFields { customers, records });
            }
            Purpose::Cause { cause, .. } => fields.cause = Some(cause),
            Purpose::Retry { of } => fields.retry_of = Some(*of),
            Purpose::Undo { of } => fields.undo_of = Some(*of),
        }
        fields
    }
}

/// `jobs --issues`: what waits for a person, by cause.
#[derive(Serialize)]
pub struct IssuesDocument<'a> {
    open: u64,
    aside: u64,
    groups: Vec<IssueGroupRow<'a>>,
}

#[derive(Serialize)]
struct IssueGroupRow<'a> {
    integration: Integration,
    cause: &'a str,
    kind: &'a str,
    count: u64,
    aside: bool,
    issues: Vec<IssueRow<'a>>,
}

#[derive(Serialize)]
struct IssueRow<'a> {
    entity: Entity,
    source: Named<'a, SourceId>,
    customer: &'a SourceId,
    state: &'static str,
    message: &'a str,
    job: JobId,
    row: u32,
    since: String,
}

impl<'a> From<&'a IssuesView> for IssuesDocument<'a> {
    fn from(view: &'a IssuesView) -> Self {
        let issue = |issue: &'a Issue| IssueRow {
            entity: issue.entity,
            source: Named { id: &issue.source.id, name: &issue.source.name },
            customer: &issue.customer,
            state: if issue.failed { "failed" } else { "held" },
            message: &issue.message,
            job: issue.job,
            row: issue.row,
            since: moment(issue.since),
        };
        let group = |group: &'a IssueGroup| IssueGroupRow {
            integration: group.integration,
            cause: &group.cause,
            kind: &group.kind,
            count: group.count,
            aside: group.is_aside,
            issues: group.issues.iter().map(issue).collect(),
        };
        Self { open: view.total, aside: view.aside, groups: view.groups.iter().map(group).collect() }
    }
}

/// `job export`.
#[derive(Serialize)]
pub struct FilesDocument<'a> {
    job: JobId,
    files: Vec<FileRow<'a>>,
}

#[derive(Serialize)]
struct FileRow<'a> {
    file: &'a str,
    rows: u64,
}

impl<'a> FilesDocument<'a> {
    pub fn new(job: JobId, files: &'a [(String, u64)]) -> Self {
        Self { job, files: files.iter().map(|(file, rows)| FileRow { file, rows: *rows }).collect() }
    }
}

#[derive(Serialize)]
struct ChangeRow<'a> {
    row: u32,
    entity: Entity,
    action: Action,
    source: Named<'a, SourceId>,
    target: Option<Named<'a, TargetId>>,
    fields: Vec<FieldRow>,
    reasons: &'a [Box<str>],
}

#[derive(Serialize)]
struct FieldRow {
    /// As Halo calls it.
    name: &'static str,
    before: Option<Json>,
    after: Option<Json>,
}

impl<'a> PlanDocument<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            plan: plan.id,
            integration: plan.integration,
            entities: &plan.entities,
            scheduled: plan.scheduled,
            purpose: PurposeFields::from(&plan.purpose),
            complete: &plan.outline.complete,
            totals: plan.outline.totals,
            changes: [],
            cost: &plan.outline.cost,
            alerts: plan.outline.warnings().collect(),
            notes: &plan.outline.notes,
            hash: None,
        }
    }

    /// The same, with what `apply FILE` checks.
    pub fn with_hash(self, plan: &'a Plan) -> Self {
        Self { hash: Some(&plan.hash), ..self }
    }
}

/// A plan's document as it is written, row by row: a plan may have more rows than memory should hold.
pub struct PlanWriter<W> {
    pub to: W,
    end: String,
    rows: u32,
}

impl<W: Write> PlanWriter<W> {
    /// Writes what stands before the rows.
    pub fn new(mut to: W, document: &PlanDocument<'_>) -> Result<(Self, io::Result<()>), Problem> {
        const ROWS: &str = r#""changes":["#;
        let whole = line(document)?;
        // In a text the quotes would be escaped, so that this is the member itself.
        let at = whole.find(ROWS).map_or(whole.len(), |at| at + ROWS.len());
        let (begin, end) = whole.split_at(at);
        let begun = to.write_all(begin.as_bytes());
        Ok((Self { to, end: end.to_owned(), rows: 0 }, begun))
    }

    pub fn row(&mut self, change: &Change) -> io::Result<()> {
        if self.rows > 0 {
            self.to.write_all(b",")?;
        }
        self.rows += 1;
        Ok(serde_json::to_writer(&mut self.to, &ChangeRow::from(change))?)
    }

    /// Writes what stands behind them.
    pub fn end(&mut self) -> io::Result<()> {
        self.to.write_all(self.end.as_bytes())?;
        self.to.flush()
    }
}

impl<'a> From<&'a Change> for ChangeRow<'a> {
    fn from(change: &'a Change) -> Self {
        let field = |field: &crate::plan::FieldChange| FieldRow {
            name: field.name.key(),
            before: field.before.as_ref().map(crate::model::Value::to_json),
            after: field.after.as_ref().map(crate::model::Value::to_json),
        };
        Self {
            row: change.row,
            entity: change.entity,
            action: change.action,
            source: Named { id: &change.source.id, name: &change.source.name },
            target: change.target.as_ref().map(|target| Named { id: &target.id, name: &target.name }),
            fields: change.fields.iter().map(field).collect(),
            reasons: &change.reasons,
        }
    }
}

#[derive(Serialize)]
pub struct JobDocument<'a> {
    job: JobId,
    plan: Option<PlanId>,
    integration: Integration,
    #[serde(flatten)]
    purpose: PurposeFields<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    state: JobState,
    totals: JobTotals,
    requests: &'a BTreeMap<Place, u64>,
    started: String,
    finished: Option<String>,
    problems: Vec<ProblemRow<'a>>,
    /// Why the job as a whole failed or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
}

#[derive(Serialize)]
struct ProblemRow<'a> {
    row: u32,
    entity: Entity,
    source: Named<'a, SourceId>,
    message: &'a str,
}

impl<'a> From<&'a JobReport> for JobDocument<'a> {
    fn from(report: &'a JobReport) -> Self {
        Self {
            job: report.job,
            plan: report.plan,
            integration: report.integration,
            purpose: PurposeFields::from(&report.purpose),
            paused: report.is_paused,
            state: report.state,
            totals: report.totals,
            requests: &report.requests,
            started: moment(report.started),
            finished: report.finished.map(moment),
            problems: report
                .problems
                .iter()
                .map(|problem| ProblemRow {
                    row: problem.row,
                    entity: problem.entity,
                    source: Named { id: &problem.source.id, name: &problem.source.name },
                    message: &problem.message,
                })
                .collect(),
            error: report.trouble.as_ref().map(ErrorBody::from),
        }
    }
}

#[derive(Serialize)]
pub struct JobsDocument<'a> {
    pub jobs: Vec<JobDocument<'a>>,
}

impl<'a> JobsDocument<'a> {
    pub fn new(reports: &'a [JobReport]) -> Self {
        Self { jobs: reports.iter().map(JobDocument::from).collect() }
    }
}

#[derive(Serialize)]
pub struct LogDocument<'a> {
    pub job: JobId,
    pub lines: &'a [LogLine],
}

#[derive(Serialize)]
pub struct MapDocument<'a> {
    integration: Integration,
    rows: Vec<MapDocumentRow<'a>>,
    /// Why the customers could not be read again: the rows are what was read before.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
}

#[derive(Serialize)]
struct MapDocumentRow<'a> {
    source: Named<'a, SourceId>,
    target: Option<Named<'a, TargetId>>,
    /// The partner's site that was chosen for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<Named<'a, TargetId>>,
    state: MapState,
    how: Option<How>,
    since: Option<String>,
}

impl<'a> MapDocument<'a> {
    pub fn new(integration: Integration, rows: &'a [MapRow], error: Option<&'a Problem>) -> Self {
        let row = |row: &'a MapRow| MapDocumentRow {
            source: Named { id: &row.source.id, name: &row.source.name },
            target: row.target.as_ref().map(|target| Named { id: &target.id, name: &target.name }),
            site: row.site.as_ref().map(|site| Named { id: &site.id, name: &site.name }),
            state: row.state,
            how: row.how,
            since: row.since.map(moment),
        };
        Self { integration, rows: rows.iter().map(row).collect(), error: error.map(ErrorBody::from) }
    }
}

/// `map site`.
#[derive(Serialize)]
pub struct SitesDocument<'a> {
    integration: Integration,
    source: Named<'a, SourceId>,
    target: Named<'a, TargetId>,
    sites: Vec<SiteRow<'a>>,
}

#[derive(Serialize)]
struct SiteRow<'a> {
    #[serde(flatten)]
    site: Named<'a, TargetId>,
    address: &'a str,
    chosen: bool,
}

impl<'a> SitesDocument<'a> {
    pub fn new(integration: Integration, view: &'a SitesView) -> Self {
        let chosen = view.chosen.as_ref().map(|site| &site.id);
        let row = |site: &'a Party<TargetId>| SiteRow {
            site: Named { id: &site.id, name: &site.name },
            address: &site.place,
            chosen: chosen == Some(&site.id),
        };
        Self {
            integration,
            source: Named { id: &view.source, name: &view.name },
            target: Named { id: &view.partner.id, name: &view.partner.name },
            sites: view.sites.iter().map(row).collect(),
        }
    }
}

/// `map suggest`.
#[derive(Serialize)]
pub struct SuggestDocument<'a> {
    integration: Integration,
    rows: Vec<SuggestRow<'a>>,
}

#[derive(Serialize)]
struct SuggestRow<'a> {
    source: Named<'a, SourceId>,
    /// What waits for its mapping, by kind, as the last plan read it.
    #[serde(skip_serializing_if = "<[Carried]>::is_empty")]
    carries: &'a [Carried],
    /// Best first.
    candidates: Vec<SuggestCandidate<'a>>,
}

#[derive(Serialize)]
struct SuggestCandidate<'a> {
    #[serde(flatten)]
    target: Named<'a, TargetId>,
    score: u8,
    why: &'a [String],
}

impl<'a> SuggestDocument<'a> {
    pub fn new(integration: Integration, rows: &'a [MapRow]) -> Self {
        let candidate = |one: &'a Suggested| SuggestCandidate {
            target: Named { id: &one.party.id, name: &one.party.name },
            score: one.score,
            why: &one.why,
        };
        let row = |row: &'a MapRow| SuggestRow {
            source: Named { id: &row.source.id, name: &row.source.name },
            carries: &row.carries,
            candidates: row.candidates.iter().map(candidate).collect(),
        };
        Self { integration, rows: rows.iter().map(row).collect() }
    }
}

#[derive(Serialize)]
pub struct ExportDocument<'a> {
    pub integration: Integration,
    pub file: &'a str,
    pub rows: usize,
}

#[derive(Serialize)]
pub struct ImportDocument<'a> {
    integration: Integration,
    dry_run: bool,
    added: u64,
    changed: u64,
    unchanged: u64,
    diff: &'a [String],
    /// With any of these nothing is taken.
    errors: Vec<LineError<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
}

#[derive(Serialize)]
struct LineError<'a> {
    line: u64,
    message: &'a str,
}

impl<'a> ImportDocument<'a> {
    pub fn new(import: &'a MappingImport, error: Option<&'a Problem>) -> Self {
        Self {
            integration: import.integration,
            dry_run: import.dry_run,
            added: import.added,
            changed: import.changed,
            unchanged: import.unchanged,
            diff: &import.diff,
            errors: import.errors.iter().map(|(line, message)| LineError { line: *line, message }).collect(),
            error: error.map(ErrorBody::from),
        }
    }
}

#[derive(Serialize)]
pub struct FieldsDocument<'a> {
    integration: Integration,
    fields: Vec<FieldRuleRow<'a>>,
}

#[derive(Serialize)]
struct FieldRuleRow<'a> {
    entity: Entity,
    source: &'a str,
    target: &'a str,
    kind: &'a str,
    rule: &'a str,
    note: &'a str,
    /// The key that changes it, for `config set`; `null` where the vendor's contract fixes it.
    setting: Option<String>,
}

impl<'a> FieldsDocument<'a> {
    pub fn new(integration: Integration, rules: &'a [FieldRule]) -> Self {
        let row = |rule: &'a FieldRule| FieldRuleRow {
            entity: rule.entity,
            source: &rule.source,
            target: &rule.target,
            kind: &rule.kind,
            rule: rule.rule.key(),
            note: &rule.note,
            setting: rule.editable_setting.as_deref().map(|leaf| format!("{integration}.{leaf}")),
        };
        Self { integration, fields: rules.iter().map(row).collect() }
    }
}

/// The rows of the field mappings.
#[derive(Serialize)]
pub struct MappingsDocument<'a> {
    pub integration: Integration,
    pub rows: &'a [FieldMapping],
}

/// What other rows change.
#[derive(Serialize)]
pub struct FieldChangesDocument<'a> {
    pub integration: Integration,
    pub dry_run: bool,
    pub rows: usize,
    pub diff: &'a [String],
}

/// What there is on both sides.
#[derive(Serialize)]
pub struct SidesDocument<'a> {
    pub integration: Integration,
    #[serde(flatten)]
    pub sides: &'a FieldSides,
}

#[derive(Serialize)]
pub struct LayoutsDocument<'a> {
    integration: Integration,
    layouts: &'a [LayoutView],
}

impl<'a> LayoutsDocument<'a> {
    pub fn new(layouts: &'a [LayoutView]) -> Self {
        Self { integration: Integration::Hudu, layouts }
    }
}

#[derive(Serialize)]
pub struct TestDocument<'a> {
    integration: Place,
    ok: bool,
    checks: Vec<CheckRow<'a>>,
}

#[derive(Serialize)]
struct CheckRow<'a> {
    name: &'a str,
    state: CheckState,
    message: &'a str,
}

impl<'a> From<&'a TestReport> for TestDocument<'a> {
    fn from(report: &'a TestReport) -> Self {
        let row = |check: &'a crate::host::words::Check| CheckRow {
            name: &check.name,
            state: check.state,
            message: &check.message,
        };
        Self { integration: report.place, ok: report.ok, checks: report.checks.iter().map(row).collect() }
    }
}

/// `test` without a name: Halo and every integration that is on.
#[derive(Serialize)]
pub struct TestsDocument<'a> {
    pub ok: bool,
    pub tests: Vec<TestDocument<'a>>,
}

/// To the second, in UTC.
pub fn moment(moment: Moment) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `schedule list`.
#[derive(Serialize)]
pub struct SchedulesDocument<'a> {
    schedules: Vec<ScheduleRow<'a>>,
}

#[derive(Serialize)]
struct ScheduleRow<'a> {
    integration: Integration,
    enabled: bool,
    entities: &'a [Entity],
    at: &'a str,
    zone: &'a str,
    times: &'a str,
    next: Option<Moment>,
    /// Why a run that is due would not be made.
    obstacle: Option<&'a str>,
    paused: bool,
    /// Whether a process that runs schedules gave this answer.
    watched: bool,
    /// The latest occurrence that is over.
    last: Option<PastRow<'a>>,
    past: Vec<PastRow<'a>>,
}

#[derive(Serialize)]
struct PastRow<'a> {
    occurrence: String,
    due: Moment,
    /// A job's state, else `skipped` or `missed`.
    result: &'static str,
    job: Option<JobId>,
    why: Option<&'a str>,
}

impl<'a> SchedulesDocument<'a> {
    pub fn new(views: &'a [ScheduleView]) -> Self {
        let row = |view: &'a ScheduleView| ScheduleRow {
            integration: view.integration,
            enabled: view.enabled,
            entities: &view.entities,
            at: &view.at,
            zone: &view.zone,
            times: &view.times,
            next: view.next,
            obstacle: view.obstacle.as_deref(),
            paused: view.is_paused,
            watched: view.is_watched,
            last: view.past.first().map(PastRow::from),
            past: view.past.iter().map(PastRow::from).collect(),
        };
        Self { schedules: views.iter().map(row).collect() }
    }
}

impl<'a> From<&'a PastRun> for PastRow<'a> {
    fn from(run: &'a PastRun) -> Self {
        let (job, why) = match &run.past.fate {
            Fate::Started { job } => (Some(*job), None),
            Fate::Skipped { why } => (None, Some(why.as_str())),
            Fate::Missed => (None, None),
        };
        Self { occurrence: run.past.id.to_string(), due: run.past.due, result: run.word(), job, why }
    }
}
