//! The words between the engine's home and everyone above it: commands, queries, answers, events.

mod fields;
mod schedule;

pub use fields::*;
pub use schedule::{Fate, Past, PastRun, SCHEDULE, ScheduleView};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use super::lifecycle::words::*;
pub use crate::engine::records::RowEnd;
use crate::integrations::FieldRule;
use crate::integrations::field_sample::Verdict;
pub use crate::model::check::{Check, CheckState};
use crate::model::settings::{FieldMapping, Kind, Settings};
use crate::model::{
    Class, Currency, Decision, Entity, Integration, JobId, Moment, Place, PlanId, Problem, Secret, SourceId,
    TargetId,
};
use crate::plan::{Action, Change, Plan, Purpose, Side, Totals};

/// What the engine is asked to do. Every command is answered by a [`Reply`] or a [`Problem`]. Those that carry a
/// [`Secret`] are never serialised as they are: only the line between viewer and host has a form for them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Command {
    /// Sets or clears settings, all or nothing.
    Set {
        changes: Vec<SettingChange>,
    },
    /// Settings from a file, TOML or JSON; plain secrets in it are sealed at once.
    ImportSettings {
        text: String,
    },
    /// Seals one secret under the key of its setting.
    #[serde(skip)]
    SealSecret {
        key: String,
        secret: Secret,
    },
    /// 'Test configuration' (C10), with values that are not saved yet. Never writes.
    #[serde(skip)]
    Test {
        place: Place,
        draft: Vec<SettingChange>,
        secrets: Vec<(String, Secret)>,
    },
    /// How the chosen asset layouts in Hudu stand, after creating, activating or completing those of the named entities.
    Layouts {
        fix: Vec<Entity>,
    },
    /// Reads a sample of both sides for the field mappings; changes nothing.
    ReadFields {
        integration: Integration,
    },
    /// What an import would write of one record, named by its id or name. Reads only.
    TryFields {
        integration: Integration,
        record: String,
    },
    /// Reads the customers of both sides for the mapping table; changes nothing.
    ReadCustomers {
        integration: Integration,
    },
    /// 'Generate mappings' (K4).
    Generate {
        integration: Integration,
    },
    /// Everything that is known of one customer (N12). Changes nothing.
    Card {
        integration: Integration,
        source: SourceId,
    },
    /// The sites of a customer's partner in Halo, to choose one (P18). Changes nothing.
    Sites {
        integration: Integration,
        source: SourceId,
    },
    /// Scores the partners of everybody unmapped, where that has not been done since the last reading.
    Score {
        integration: Integration,
    },
    /// Decisions about source customers: one undo step, saved as one transaction (P21).
    Decide {
        integration: Integration,
        decisions: Vec<(SourceId, Decision)>,
    },
    /// Takes back the last decision step of this integration; `redo` brings it again.
    Undo {
        integration: Integration,
        redo: bool,
    },
    /// The same of the field mappings.
    UndoFields {
        integration: Integration,
        redo: bool,
    },
    /// The flag of a customer of Halo that says whether it goes to Liongard is to be on or off (L17b); `None`: as it is.
    /// The next plan of the push sets it.
    FlagPush {
        customer: TargetId,
        on: Option<bool>,
    },
    /// Mappings from CSV, already parsed: shown as a diff (`dry_run`) or taken as one step (P19).
    ImportMappings {
        integration: Integration,
        csv: String,
        dry_run: bool,
        /// The ids in it are another profile's: both sides are found by their names (P53).
        #[serde(default)]
        by_name: bool,
    },
    /// Reads both sides and stores a plan. Writes nothing outside.
    BuildPlan {
        integration: Integration,
        entities: Vec<Entity>,
        scheduled: bool,
        purpose: Purpose,
    },
    /// The plan of what a job left failed or held, or of what takes it back (P29, P32), in that job's own terms.
    BuildPlanOf {
        purpose: Purpose,
        allow_removals: bool,
    },
    /// The same listings, planned again with the decisions made since; the old plan is discarded.
    Replan {
        plan: PlanId,
    },
    DiscardPlan {
        plan: PlanId,
    },
    /// Carries out a stored plan.
    Apply {
        plan: PlanId,
        choices: Choices,
    },
    /// Plan, then apply under the safety limits, as one job without a question.
    Run {
        integration: Integration,
        entities: Vec<Entity>,
        scheduled: bool,
        allow_removals: bool,
        /// Billable rows are written in a freeze, too (N10); by hand only.
        #[serde(default)]
        urgent: bool,
        purpose: Purpose,
    },
    /// As [`Command::BuildPlanOf`], then apply, as one job.
    RunOf {
        purpose: Purpose,
        allow_removals: bool,
    },
    /// Puts open issues aside, takes them up again (P30), or lets suspicious ones through (N8).
    PutAside {
        integration: Integration,
        which: Which,
        asked: Asked,
    },
    Order {
        job: JobId,
        order: JobOrder,
    },
    /// 'Run the scheduled job now': what the schedule would do, with its meaning of a scheduled run (B10).
    RunSchedule {
        integration: Integration,
    },
    /// A paused schedule goes on (P44).
    ResumeSchedule {
        integration: Integration,
    },
    /// A change of the planning workspace.
    Lifecycle(Box<LifecycleOrder>),
    /// Sends a notice now, to see whether it arrives (P40).
    TestNotice,
    /// What the one who sends this has open, for others to see (N21). Answered by the host; an engine of this process
    /// has nobody to tell.
    LookAt(Looking),
    /// Stops after the records in hand and answers when all is on disk.
    Stop,
}

/// A setting and its new value in TOML, or `None` for its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    pub key: String,
    pub value: Option<String>,
}

/// What a person chose on the plan screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// Rows left out of this apply (U19).
    pub leave_out: BTreeSet<u32>,
    /// Only this customer's rows (P63).
    pub only_customer: Option<SourceId>,
    /// Billable rows are written although it is a freeze (N10). Kept with the job, so that the trail says so.
    #[serde(default)]
    pub urgent: bool,
    /// The typed number of removals beyond the limit (U27); must equal what the limit holds.
    pub removals_typed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobOrder {
    Pause,
    GoOn,
    Cancel,
    /// Ends it after the records in hand, as interrupted.
    Stop,
    /// Goes on with an interrupted job.
    Resume,
}

/// Open issues of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// Those of these records at the source; where one id could be two records, of this entity only.
    Of { sources: Vec<SourceId>, entity: Option<Entity> },
    /// All of one group of [`IssuesView`], however many: its kind, its cause, and whether it is put aside.
    Cause { kind: String, cause: String, aside: bool },
}

/// What is to become of open issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// Not shown until its cause changes.
    Dismiss,
    Snooze {
        until: Moment,
    },
    TakeUp,
    /// The next scheduled run writes these jumps as they are; another jump of the same record waits again (N8).
    Release,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reply {
    /// Done; the sentence says what happened.
    Done(String),
    /// Settings were changed; the sentences say what was cleaned.
    Saved {
        changed: Vec<SavedChange>,
        notes: Vec<String>,
    },
    Tested(TestReport),
    Layouts(Vec<LayoutView>),
    Fields(Box<FieldTest>),
    Generated(GeneratedReport),
    Card(CardView),
    Sites(SitesView),
    /// Mappings from a file: what would change, or did.
    Mappings(MappingImport),
    Planned(Box<Plan>),
    Started(JobId),
    /// What became of a file of warranty dates.
    Warranty(WarrantyImport),
    /// A company's draft; `new` where it had none.
    Report {
        report: crate::lifecycle::report::ReportId,
        new: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedChange {
    pub key: String,
    pub before: String,
    pub after: String,
}

/// A customer of Halo that is not in Liongard, and what is wanted of its flag (L17b).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRow {
    pub customer: TargetId,
    pub name: String,
    pub domain: String,
    /// On or off with the next plan; `None`: nothing is asked for here.
    pub wish: Option<bool>,
}

/// The sites of a customer's partner (P18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitesView {
    /// Whose partner it is, at the source.
    pub source: SourceId,
    pub name: String,
    pub partner: Party<TargetId>,
    /// The active ones, by name.
    pub sites: Vec<Party<TargetId>>,
    /// The chosen one; `None`: the main site.
    pub chosen: Option<crate::model::ChosenSite>,
}

/// One customer in every system (N12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardView {
    pub name: String,
    pub parts: Vec<CardPart>,
}

/// What one system knows of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPart {
    pub place: String,
    pub lines: Vec<String>,
    /// Something is missing here.
    pub is_gap: bool,
}

/// One of the asset layouts that Hudu's assets are made in (H8, H9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutView {
    pub entity: Entity,
    /// Its name, as the settings have it.
    pub layout: String,
    pub state: LayoutState,
    /// Fields that Halo could feed and that it lacks.
    pub missing: Vec<String>,
    /// What is wrong and what to do; empty where nothing is.
    pub sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayoutState {
    Ready,
    Missing,
    Ambiguous,
    Inactive,
    /// Without the field that carries Halo's id.
    LacksKey,
}

impl LayoutState {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
            Self::Inactive => "inactive",
            Self::LacksKey => "lacks key",
        }
    }
}

/// K4's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedReport {
    pub integration: Integration,
    pub added: u64,
    pub skipped: u64,
    pub ambiguous: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingImport {
    pub integration: Integration,
    pub dry_run: bool,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// One sentence a line that differs.
    pub diff: Vec<String>,
    /// `(line, sentence)`; with any of these nothing is taken.
    pub errors: Vec<(u64, String)>,
}

/// 'Test configuration', check by check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    pub place: Place,
    pub ok: bool,
    pub checks: Vec<Check>,
    pub at: Moment,
}

/// What a viewer wants to know. Answered at once from memory or the store, never from the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    Overview,
    Settings,
    /// The ids of the mapping table's rows in order: the viewer freezes this (U11) and asks for rows by id.
    MapOrder {
        integration: Integration,
        filter: MapFilter,
        by_target: bool,
    },
    MapRows {
        integration: Integration,
        ids: Vec<SourceId>,
    },
    /// Halo's customers that are not in Liongard and have these words.
    PushRows {
        text: String,
    },
    /// Who can be picked by hand, best first (nucleo's query language); with `rivals_of` exactly those between whom the
    /// row of that customer cannot tell.
    Candidates {
        #[serde(default)]
        rivals_of: Option<SourceId>,
        integration: Integration,
        text: String,
        limit: usize,
    },
    Fields {
        integration: Integration,
    },
    /// The same with what the sample says of each row.
    FieldTable {
        integration: Integration,
    },
    /// What there is to choose from on both sides.
    FieldSides {
        integration: Integration,
    },
    /// What would follow from a row of the field mappings; `at` is the row it takes the place of.
    FieldVerdict {
        integration: Integration,
        row: Box<FieldMapping>,
        at: Option<usize>,
    },
    Plan {
        plan: PlanId,
    },
    /// Row numbers in order.
    PlanOrder {
        plan: PlanId,
        filter: PlanFilter,
        order: PlanOrder,
    },
    PlanRows {
        plan: PlanId,
        rows: Vec<u32>,
    },
    /// The same rows by customer, most urgent customer first: what a screen keeps of a whole plan.
    PlanGroups {
        plan: PlanId,
        filter: PlanFilter,
    },
    Jobs {
        last: usize,
    },
    Job {
        job: JobId,
    },
    /// Every row of a job that was to be written, with what became of it, from a row number on (P31).
    JobRows {
        job: JobId,
        from: u32,
        limit: usize,
    },
    /// What waits for a person, over all jobs, by cause (P30).
    Issues {
        integration: Option<Integration>,
    },
    Log {
        job: JobId,
        filter: LogFilter,
        from: u64,
        limit: usize,
    },
    /// The planning workspace.
    Lifecycle(LifecycleQuery),
    /// Who else looks at this engine. Answered by the host; an engine of this process has no other viewers.
    Presence,
    /// Every integration's schedule, each with so many of its latest occurrences.
    Schedules {
        past: usize,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Answer {
    Overview(Box<Overview>),
    Settings(Box<SettingsView>),
    MapOrder(Box<MapOrderView>),
    MapRows(Vec<MapRow>),
    PushRows(Vec<PushRow>),
    Candidates(CandidatesView),
    Fields(Vec<FieldRule>),
    FieldTable(Box<FieldTable>),
    FieldSides(Box<FieldSides>),
    FieldVerdict(Box<Verdict>),
    Plan(Box<Plan>),
    PlanOrder(Vec<u32>),
    PlanRows(Vec<Change>),
    PlanGroups(Vec<PlanGroup>),
    Jobs(Vec<JobReport>),
    Job(Box<JobReport>),
    JobRows(Vec<JobRow>),
    Issues(IssuesView),
    Log(LogView),
    Schedules(Vec<ScheduleView>),
    Lifecycle(Box<LifecycleAnswer>),
    Presence(Presence),
}

/// Who else has a screen open on the same host (N21), and what a person should know of the host itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Presence {
    /// In the order in which they came; without the one who reads this.
    pub viewers: Vec<Viewer>,
    /// Why jobs would not go on without anyone, and what to do about it (U46).
    pub warning: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// Unique in the life of one host.
    pub id: u64,
    pub user: String,
    /// The address it came from over SSH.
    pub from: Option<String>,
    pub since: Moment,
    pub pid: u32,
    pub looking: Looking,
}

/// What a viewer has open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Looking {
    /// The screen, as its header says.
    pub at: String,
    /// What would be changed there, such as `customer 310101 of ALSO`. Two viewers of the same say the same.
    pub edits: Option<String>,
}

/// A row of a job and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    pub change: Change,
    pub end: RowEnd,
    /// Why it failed or waits; empty for a row that is done.
    pub message: String,
}

/// Open issues by cause, the largest group first, those put aside behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IssuesView {
    pub total: u64,
    pub aside: u64,
    pub groups: Vec<IssueGroup>,
}

/// Issues of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueGroup {
    pub integration: Integration,
    /// The sentence that they share; where they differ in names and numbers, an ellipsis stands for those.
    pub cause: String,
    /// One word: `failed`, `look-alike`, `data`, `limit` ...; `released` for what a person lets through.
    pub kind: String,
    pub is_aside: bool,
    pub count: u64,
    /// The first thousand.
    pub issues: Vec<Issue>,
}

/// One record that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    pub integration: Integration,
    pub entity: Entity,
    pub source: ProblemSource,
    /// Its customer at the source; its own id for a customer.
    pub customer: SourceId,
    /// That customer's name; empty where an older version noted the issue.
    pub customer_name: String,
    /// Whether its row failed; else it is held.
    pub failed: bool,
    pub message: String,
    /// The job that found it so, and that job's row.
    pub job: JobId,
    pub row: u32,
    pub since: Moment,
    /// Put aside until then; an issue that is dismissed has none.
    pub until: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    pub profile: String,
    pub kind: Kind,
    /// The profile's own theme, if it names one.
    pub theme: String,
    /// Halo first, then the integrations.
    pub places: Vec<PlaceView>,
    /// The running job, else none.
    pub running: Option<JobProgress>,
    /// Interrupted jobs, newest first: they wait for `resume` or `cancel`.
    pub interrupted: Vec<JobReport>,
    pub last: Option<JobReport>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceView {
    pub place: Place,
    pub state: PlaceState,
    pub address: String,
    pub account: String,
    pub test: Option<TestReport>,
    /// Over 24 hours old (C10).
    pub test_is_stale: bool,
    pub last_job: Option<JobReport>,
    pub map: MapCounts,
    /// Days until its secret expires, where the day is known; negative: it has (P47).
    #[serde(default)]
    pub secret_days: Option<i64>,
    /// When the customers were last read; `None`: never.
    pub read_at: Option<Moment>,
    /// One line a setting that matters on the pane.
    pub options: Vec<String>,
    /// When it runs by itself; `None` for Halo.
    pub schedule: Option<Box<ScheduleView>>,
    /// What stands between this integration and its next clean import, most important first.
    pub to_do: Vec<ToDo>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaceState {
    /// Disabled: can never run (C1).
    Off,
    NotConfigured,
    Untested,
    Ok,
    Failing,
    Running,
}

impl PlaceState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotConfigured => "not set up",
            Self::Untested => "untested",
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Running => "running",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToDo {
    pub sentence: String,
    pub leads_to: Leads,
}

/// Where Enter on a to-do goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leads {
    Settings,
    Test,
    Customers,
    Plan,
    Jobs,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsView {
    pub settings: Settings,
    /// Keys of the secrets that are sealed here.
    pub sealed: Vec<String>,
    /// Top levels in Halo, where they were read.
    pub top_levels: Vec<String>,
}

/// The states of a mapping row (`design/cli.md`, `map list`), and two finer ones that screens show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapState {
    Mapped,
    Unmapped,
    New,
    Excluded,
    Orphaned,
    Renamed,
}

impl MapState {
    pub const ALL: [Self; 6] =
        [Self::Mapped, Self::Unmapped, Self::New, Self::Excluded, Self::Orphaned, Self::Renamed];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Unmapped => "unmapped",
            Self::New => "new",
            Self::Excluded => "excluded",
            Self::Orphaned => "orphaned",
            Self::Renamed => "renamed",
        }
    }

    /// ux.md 3.3.
    pub const fn sign(self) -> char {
        match self {
            Self::Mapped => '=',
            Self::Unmapped => '?',
            Self::New => '+',
            Self::Excluded => 'x',
            Self::Orphaned => 'o',
            Self::Renamed => '>',
        }
    }
}

impl MapRow {
    /// The sign of its state and aspect.
    pub const fn sign(&self) -> char {
        match self.aspect {
            Some(Aspect::Suggested) => '~',
            Some(Aspect::Ambiguous) => '!',
            _ => self.state.sign(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MapCounts {
    pub all: u64,
    pub mapped: u64,
    pub unmapped: u64,
    pub new: u64,
    pub excluded: u64,
    pub orphaned: u64,
    pub renamed: u64,
    /// Of the unmapped: an exact name stands ready for one key (K4).
    pub exact: u64,
    /// Of the unmapped: a free partner comes near.
    #[serde(default)]
    pub suggested: u64,
    /// Of the unmapped: two partners come equally near.
    pub ambiguous: u64,
    /// Of the mapped: the partner is inactive.
    #[serde(default)]
    pub inactive: u64,
    /// Of the mapped: the names drift apart.
    #[serde(default)]
    pub drifting: u64,
    /// Of the mapped: nothing has ever come through it.
    #[serde(default)]
    pub unused: u64,
}

/// What a state alone does not say of a row of the mapping table (ux.md 3.3, N4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// Unmapped, and a free partner comes near.
    Suggested,
    /// Unmapped, and two partners come equally near (P13).
    Ambiguous,
    /// Mapped to a partner that is inactive.
    Inactive,
    /// Mapped, renamed since, and the names have little in common now.
    Drifting,
    /// Mapped for long, and nothing has ever come through it.
    Unused,
}

impl Aspect {
    pub const ALL: [Self; 5] =
        [Self::Suggested, Self::Ambiguous, Self::Inactive, Self::Drifting, Self::Unused];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Ambiguous => "ambiguous",
            Self::Inactive => "inactive",
            Self::Drifting => "drifting",
            Self::Unused => "unused",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MapFilter {
    /// Words in any order on both sides; empty: all. `>95`: a free partner of that score or more.
    pub text: String,
    /// Empty: all states.
    pub states: BTreeSet<MapState>,
    /// Of these, the rows that this is true of.
    #[serde(default)]
    pub aspect: Option<Aspect>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapOrderView {
    pub ids: Vec<SourceId>,
    pub counts: MapCounts,
    /// `None`: never read.
    pub read_at: Option<Moment>,
    /// Why the last reading failed, if it did.
    pub trouble: Option<String>,
    /// Partners of what is unmapped are scored; until then only exact names are known.
    #[serde(default)]
    pub is_scored: bool,
    /// By target: how many of the ids, from the first on, belong to each target customer. The rest has none.
    #[serde(default)]
    pub groups: Vec<u32>,
}

/// A possible partner of an unmapped customer, never taken by the program itself (U13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggested {
    pub party: Party<TargetId>,
    /// 0 to 100.
    pub score: u8,
    /// In words, most telling first.
    pub why: Vec<String>,
    /// Active, and nobody of this integration is mapped to it.
    pub is_free: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapRow {
    pub source: Party<SourceId>,
    pub target: Option<Party<TargetId>>,
    pub state: MapState,
    #[serde(default)]
    pub aspect: Option<Aspect>,
    /// Possible partners if it is unmapped, best first, taken ones last; at most three (U12).
    #[serde(default)]
    pub candidates: Vec<Suggested>,
    /// Enter takes a candidate from this score up (decision 17).
    #[serde(default)]
    pub accept_from: u8,
    /// Pairs that a person has ruled out, a sentence each.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Who decided last, and when.
    #[serde(default)]
    pub decided: Option<crate::model::Decided>,
    /// The partner's site that a person chose for it (P18).
    #[serde(default)]
    pub site: Option<crate::model::ChosenSite>,
    pub how: Option<crate::model::How>,
    pub since: Option<Moment>,
    /// Of an exclusion: why, and until when.
    pub note: String,
    /// What hangs on it at the source, by kind, as the last plan read it: it waits for a mapping, or feeds through it.
    #[serde(default)]
    pub carries: Vec<Carried>,
    /// Halo customers of the same exact name, if it is unmapped: 1 is one key away, more is ambiguous.
    pub same_name: Vec<Party<TargetId>>,
    /// What a person should know ("inactive in Halo", "renamed from ...", "ended at ALSO").
    pub remarks: Vec<String>,
}

/// The records of one kind that hang on a customer at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub entity: Entity,
    pub records: u32,
    pub seats: u64,
    /// Money a month, by currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub money: BTreeMap<Currency, rust_decimal::Decimal>,
    /// Records whose price is not known: not in the money.
    #[serde(default)]
    pub unpriced: u32,
}

impl Carried {
    pub const fn of(entity: Entity) -> Self {
        Self { entity, records: 0, seats: 0, money: BTreeMap::new(), unpriced: 0 }
    }
}

/// A customer on either side, as tables show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party<Id> {
    pub id: Id,
    pub name: String,
    pub place: String,
    pub domain: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidatesView {
    pub total: u64,
    pub of: u64,
    pub rows: Vec<CandidateRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateRow {
    pub party: Party<TargetId>,
    pub is_active: bool,
    /// Source customers of this integration that are mapped to it already.
    pub mapped_to: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanFilter {
    pub text: String,
    pub actions: BTreeSet<Action>,
    pub customer: Option<SourceId>,
    /// Keep the rows that change nothing (unchanged).
    pub with_unchanged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PlanOrder {
    /// What needs a decision or hurts first, then by customer (ux.md 3.8).
    #[default]
    Urgency,
    Row,
    Money,
}

/// The rows of one customer, most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanGroup {
    pub customer: Side<SourceId>,
    pub rows: Vec<PlanEntry>,
}

/// What order, totals and money need of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    pub row: u32,
    pub entity: Entity,
    pub source: SourceId,
    pub action: Action,
    /// What a row would be that a limit holds and a person may include by typing the number.
    pub beyond_limit: Option<Action>,
    /// A customer that waits for a person to say who it is.
    pub is_look_alike: bool,
    pub after_row: Option<u32>,
    pub currency: Option<Currency>,
    pub money: Option<rust_decimal::Decimal>,
}

/// The state of a job (`design/cli.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    Running,
    Ok,
    Warnings,
    Partial,
    Held,
    Failed,
    Cancelled,
    Interrupted,
}

impl JobState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Warnings => "warnings",
            Self::Partial => "partial",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What became of a job's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobTotals {
    #[serde(flatten)]
    pub rows: Totals,
    pub failed: u64,
    pub not_done: u64,
}

/// A job as reports show it; serialises to the document of `design/cli.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    pub job: JobId,
    pub plan: Option<PlanId>,
    pub integration: Integration,
    pub entities: Vec<Entity>,
    pub scheduled: bool,
    #[serde(default, skip_serializing_if = "Purpose::is_whole")]
    pub purpose: Purpose,
    pub state: JobState,
    pub totals: JobTotals,
    pub requests: BTreeMap<Place, u64>,
    pub started: Moment,
    pub finished: Option<Moment>,
    pub by: String,
    pub stages: Vec<StageProgress>,
    /// At most 100 of each cause are kept here; the log has all.
    pub problems: Vec<RowProblem>,
    /// Why it failed or waits as a whole.
    pub trouble: Option<Problem>,
    /// A person paused it: it does not go on by itself, not even after a restart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_paused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowProblem {
    pub row: u32,
    pub entity: Entity,
    pub source: ProblemSource,
    pub message: String,
    /// What kind of trouble: failed rows carry their problem's class, held rows `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemSource {
    pub id: SourceId,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    pub entity: Entity,
    pub done: u64,
    pub total: u64,
    pub totals: JobTotals,
}

/// A running job, as the strip and the job screen show it; at most ten a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobProgress {
    pub job: JobId,
    pub integration: Integration,
    pub entities: Vec<Entity>,
    pub plan: Option<PlanId>,
    pub phase: Phase,
    pub stages: Vec<StageProgress>,
    /// Records a second over the last ten seconds.
    pub rate: f64,
    pub seconds_left: Option<u64>,
    pub budget: BudgetView,
    pub held: u64,
    pub failed: u64,
    pub is_paused: bool,
    /// Why nothing moves just now ("Halo asked us to wait 12 s").
    pub waiting: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Listing one side: what, how many so far, of how many if known.
    Reading {
        what: String,
        done: u64,
        of: Option<u64>,
    },
    Planning,
    Applying,
    /// Waiting for a request without an answer to settle, or reading back.
    Verifying {
        what: String,
    },
    Stopping,
}

/// The request budget of Halo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BudgetView {
    pub used: u64,
    /// 0: no window.
    pub limit: u64,
    pub window_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What happens around the rows: waits, stages, folded unchanged rows.
    Note,
    /// A row that was written.
    Change,
    /// A row that was held or skipped.
    Held,
    Error,
}

/// One line of a job's log, as stored (JSON Lines) and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: Moment,
    pub level: Level,
    pub sign: char,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub customer: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    pub text: String,
    /// The plan's row, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogFilter {
    /// Lines of this level and above; `None`: all.
    pub least: Option<Level>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// Lines that pass the filter.
    pub total: u64,
    pub first: u64,
    pub lines: Vec<LogLine>,
}

/// Something changed in the engine. Small on purpose: the viewer asks for what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Settings, secrets or tests.
    Settings,
    Map(Integration),
    /// The sample behind the field mappings was read, or could not be.
    Fields(Integration),
    /// The planning workspace changed.
    Lifecycle,
    /// Customers are being read for the mapping table: what, done, of.
    Reading {
        integration: Integration,
        what: String,
        done: u64,
        of: Option<u64>,
    },
    Plan(PlanId),
    Progress(Box<JobProgress>),
    /// A job's log has this many lines now.
    Log {
        job: JobId,
        lines: u64,
    },
    /// A job started or ended.
    Job(Box<JobReport>),
    /// A viewer came, went, or looks at something else.
    Presence(Presence),
    /// Events were missed: what is shown must be asked anew.
    Missed,
    /// A schedule was switched, paused, resumed, or an occurrence of it is over.
    Schedule(Integration),
    /// The engine can no longer go on (its disk, its trail), or cannot be reached for now.
    Broken(Problem),
}
