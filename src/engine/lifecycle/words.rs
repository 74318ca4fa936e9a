//! What viewers ask of the planning workspace, and what they are told.

use serde::{Deserialize, Serialize};

use crate::lifecycle::class::{Class, TypePolicy};
use crate::lifecycle::company::Company;
use crate::lifecycle::configuration::DateField;
use crate::lifecycle::grade::GradeRule;
use crate::lifecycle::report::{Head, Report, ReportId, Row};
use crate::lifecycle::setup::SetupStep;
use crate::lifecycle::summary::Summary;
use crate::lifecycle::template::{Mode, Template};
use crate::lifecycle::term::{HaloTerm, Term};
use crate::model::asset::FieldKind;
use crate::model::{Currency, Date, Moment};

/// A change of the workspace. Each is one step that `Undo` takes back; a completed report stays completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum LifecycleOrder {
    /// The local entry stands for this one of Halo's from now on and takes its name. `merge`: also if another one did.
    MapTerm {
        list: TermList,
        id: u32,
        halo: String,
        merge: bool,
    },
    /// Maps what has an exact partner and creates the rest.
    CreateUnmapped {
        list: TermList,
    },
    AddTerm {
        list: TermList,
        name: String,
    },
    /// Only of an entry that stands for none of Halo's: a mapped one has Halo's name.
    RenameTerm {
        list: TermList,
        id: u32,
        name: String,
    },
    /// Only of an entry that no company has and that Halo does not have either.
    RemoveTerm {
        list: TermList,
        id: u32,
    },
    AddCompany {
        name: String,
    },
    /// Makes companies managed, or no longer.
    Manage {
        companies: Vec<u32>,
        managed: bool,
    },
    /// The company stands for this customer of Halo's from now on.
    MapCompany {
        company: u32,
        halo: i64,
    },
    Company {
        company: u32,
        changes: Vec<CompanyChange>,
    },
    /// `None`: our default set again.
    Grades {
        rules: Option<Vec<GradeRule>>,
    },
    /// Adds a class or takes the place of the one of that type and name. `was`: its name until now; what was put into
    /// it by hand stays in it.
    SetClass {
        was: Option<String>,
        class: Class,
    },
    /// The first class of a type whose rule fits counts, so their order matters. From 1, among those of the type.
    MoveClass {
        kind: String,
        name: String,
        position: u32,
    },
    RemoveClass {
        kind: String,
        name: String,
    },
    SetPolicy {
        policy: TypePolicy,
    },
    RemovePolicy {
        kind: String,
        company: Option<i64>,
    },
    /// `was`: its name until now; what belongs to it by hand stays with it.
    SetTemplate {
        was: Option<String>,
        template: Template,
    },
    /// One that is in use needs a replacement.
    RemoveTemplate {
        name: String,
        replacement: Option<String>,
    },
    Assets {
        assets: Vec<i64>,
        changes: Vec<AssetChange>,
    },
    /// Opens a company's draft; a new one where it has none.
    OpenReport {
        company: u32,
    },
    Complete {
        report: ReportId,
    },
    Discard {
        report: ReportId,
    },
    /// Dates from a file, by serial or Halo id.
    ImportWarranty {
        csv: String,
        dry_run: bool,
    },
    /// A field of the workspace is read from this asset field, which Halo may not have yet: the plan of asset fields
    /// makes it there.
    WantField {
        field: String,
        name: String,
        kind: FieldKind,
    },
    Undo {
        redo: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TermList {
    Types,
    Statuses,
}

/// What a person says of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanyChange {
    /// First month of its own fiscal year; `None`: the workspace's.
    FiscalYear(Option<i8>),
    Notes(String),
}

/// What a person says of one or more assets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetChange {
    /// `None`: by rule again.
    Class(Option<String>),
    /// `None`: by type again.
    Template(Option<String>),
    OffBudget(bool),
    /// `None` forgets what was known.
    Date(DateField, Option<Date>),
}

/// What became of a file of dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarrantyImport {
    pub dry_run: bool,
    pub taken: u64,
    pub unchanged: u64,
    /// `(line, sentence)` of what was not taken.
    pub refused: Vec<(u64, String)>,
    /// What a person should know before the next run.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "query", rename_all = "snake_case")]
pub enum LifecycleQuery {
    /// Areas, counts, rules: everything but companies and configurations.
    Overview,
    Companies,
    /// A company's configurations, judged.
    Configurations {
        company: u32,
    },
    Reports,
    /// A company's report as it would be now, whether or not a draft is open.
    Now {
        company: u32,
        mode: Mode,
    },
    /// A draft worked out now, or a completed report as it was frozen.
    Report {
        report: ReportId,
        mode: Mode,
    },
    /// Every managed company added up: all grades and budgets worked out anew.
    Portfolio,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleAnswer {
    Overview(Box<WorkspaceView>),
    Companies(Vec<CompanyView>),
    Configurations(Vec<Row>),
    Reports(Vec<Head>),
    Report(Box<Report>),
    Portfolio(Vec<(u32, Summary)>),
}

/// The workspace without its companies and configurations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceView {
    pub types: Vec<Term>,
    pub statuses: Vec<Term>,
    /// Halo's own lists, as last read.
    pub halo_types: Vec<HaloTerm>,
    pub halo_statuses: Vec<HaloTerm>,
    pub grades: Vec<GradeRule>,
    pub grades_are_ours: bool,
    pub classes: Vec<Class>,
    pub policies: Vec<TypePolicy>,
    pub templates: Vec<Template>,
    pub currency: Option<Currency>,
    pub companies: u64,
    pub managed: u64,
    /// 0: no cap.
    pub cap: u64,
    pub configurations: u64,
    /// Types and statuses that configurations have.
    pub configuration_types: Vec<(String, u64)>,
    pub configuration_statuses: Vec<(String, u64)>,
    /// `None`: never.
    pub read_at: Option<Moment>,
    /// Configurations are switched off, so the copy is not updated.
    pub configurations_are_off: bool,
    pub writes_back: bool,
    /// The steps from nothing to a first report.
    pub setup: Vec<SetupStep>,
    /// What is read from which of Halo's asset fields.
    pub fields: Vec<FieldView>,
}

/// One field of the workspace and the asset field in Halo that it is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldView {
    /// `None`: downloaded, and mapped to nothing.
    pub field: Option<String>,
    /// Empty: none.
    pub halo: String,
    /// What it holds, if it is made.
    pub kind: FieldKind,
    pub state: FieldState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldState {
    There,
    /// A column of every asset, so no field.
    Column,
    Missing,
    Unmapped,
    /// Nothing was imported yet, so nobody knows.
    Unread,
}

impl FieldState {
    pub const fn words(self) -> &'static str {
        match self {
            Self::There => "in Halo",
            Self::Column => "a column of every asset",
            Self::Missing => "not in Halo",
            Self::Unmapped => "not mapped",
            Self::Unread => "not read yet",
        }
    }
}

/// A company with what the last import left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyView {
    pub company: Company,
    pub kind: String,
    pub status: String,
    pub configurations: u64,
    /// Its open draft.
    pub draft: Option<ReportId>,
    pub read_at: Option<Moment>,
}
