//! The words of `lifecycle`.

use std::path::PathBuf;

use clap::{Args as Flags, Subcommand};

use crate::lifecycle::configuration::DateField;
use crate::lifecycle::export::Format;
use crate::lifecycle::report::ReportId;
use crate::model::Date;

#[derive(Debug, Subcommand)]
pub enum Lifecycle {
    /// What the workspace covers, and what it does not
    Areas,
    /// The steps from nothing to a first report, each with how it stands
    Setup,
    /// Asset fields in Halo, and what each is read as
    #[command(subcommand)]
    Fields(Fields),
    /// Company types
    #[command(subcommand)]
    Types(Terms),
    /// Company statuses
    #[command(subcommand)]
    Statuses(Terms),
    /// Companies
    #[command(subcommand)]
    Companies(Companies),
    /// Configurations: Halo's assets
    #[command(subcommand)]
    Configurations(Configurations),
    /// Template configurations: what views and exports show
    #[command(subcommand)]
    Templates(Templates),
    /// Grade rules, in order: the first that fits counts
    #[command(subcommand)]
    Grades(Grades),
    /// Classes of configuration types, with their budgets
    #[command(subcommand)]
    Classes(Classes),
    /// What holds for every configuration of a type
    #[command(subcommand)]
    Policies(Policies),
    /// Drafts and completed reports
    #[command(subcommand)]
    Reports(Reports),
    /// A company's report; opens its draft if it has none
    Report {
        /// Name or Halo id of a company, or a report such as R7
        #[arg(value_name = "COMPANY")]
        company: String,
        #[arg(long, value_name = "FORMAT", value_parser = ["text", "json", "csv", "md", "xlsx", "html"])]
        format: Option<String>,
        /// Into this file [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The build view's rows instead of the display view's
        #[arg(long)]
        build: bool,
    },
    /// Freeze a draft: its values never change again
    Complete {
        #[arg(value_name = "REPORT")]
        report: ReportId,
    },
    /// Every managed company added up
    Portfolio,
    /// Warranty and purchase dates
    #[command(subcommand)]
    Warranty(Warranty),
    /// Take the last change back
    Undo,
    /// Bring it again
    Redo,
}

#[derive(Debug, Subcommand)]
pub enum Fields {
    /// Print them, with those that Halo lacks
    List,
    /// Read a field from this asset field; `plan lifecycle --entity asset_fields` makes it where Halo lacks it
    Map {
        /// Such as 'purchase date'
        field: String,
        /// Its name in Halo
        halo: String,
        /// What it may hold, if it is made [default: date for dates, else text]
        #[arg(long = "type", value_name = "TYPE", value_parser = ["text", "date", "number", "flag"])]
        kind: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Terms {
    /// Print them, with Halo's
    List,
    /// Add one by hand
    Add { name: String },
    /// Let one stand for one of Halo's; it takes Halo's name
    Map {
        /// Its number here
        id: u32,
        /// Halo's id or name
        halo: String,
        /// Also if another one stands for it: the two become one
        #[arg(long)]
        merge: bool,
        /// Show the change of names and save nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Map what has a partner of exactly its name and create the rest
    CreateUnmapped {
        /// Show the list and save nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Rename one that stands for none of Halo's
    Rename {
        /// Its number here
        id: u32,
        name: String,
    },
    /// Remove one that no company has and Halo does not have
    Remove {
        /// Its number here
        id: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum Companies {
    /// Print them
    List,
    /// Add one by hand; it is mapped when Halo has one of exactly its name
    Add { name: String },
    /// Make companies managed
    Manage {
        #[arg(required = true, value_name = "COMPANY")]
        companies: Vec<String>,
    },
    /// Make companies no longer managed
    Unmanage {
        #[arg(required = true, value_name = "COMPANY")]
        companies: Vec<String>,
    },
    /// Let a company stand for a customer of Halo's; it takes Halo's name
    Map {
        company: String,
        /// Halo's id
        halo: i64,
    },
    /// What there is to remember of a company
    Notes { company: String, text: String },
    /// The month a company's budget year begins in
    Year {
        company: String,
        /// 1 to 12; none: as the workspace's
        #[arg(allow_negative_numbers = true)]
        month: Option<i8>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Configurations {
    /// Print them, worst first
    List {
        /// Of this company only: its name or Halo id
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
        /// Only those that lack a fact the data-quality score counts
        #[arg(long)]
        gaps: bool,
    },
    /// Give a class by hand; without a name by rule again
    Class {
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        assets: Assets,
    },
    /// Move to a template by hand; without a name by type again
    Template {
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        assets: Assets,
    },
    /// Set a date that Halo lacks; without one it is forgotten
    Date {
        #[arg(value_parser = date_field, value_name = "FIELD")]
        field: DateField,
        /// Such as 2027-12-31
        #[arg(long, value_parser = day)]
        date: Option<Date>,
        #[command(flatten)]
        assets: Assets,
    },
    /// Keep out of the budget, or take back in
    OffBudget {
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        assets: Assets,
    },
}

#[derive(Debug, Flags)]
pub struct Assets {
    /// Halo ids
    #[arg(required = true, value_name = "ASSET", value_parser = asset)]
    pub ids: Vec<i64>,
}

#[derive(Debug, Subcommand)]
pub enum Templates {
    List,
    /// Add one, or change what is named
    Set(Template),
    /// Give one another name
    Rename {
        name: String,
        #[arg(value_name = "NEW")]
        new: String,
    },
    /// Remove one; in use it needs a replacement
    Remove {
        name: String,
        #[arg(long, value_name = "NAME")]
        replacement: Option<String>,
    },
}

#[derive(Debug, Flags)]
pub struct Template {
    pub name: String,
    /// Configuration types that belong to it
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub types: Option<Vec<String>>,
    /// Its columns in order
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// Types the build view leaves out
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub build_hides_types: Option<Vec<String>>,
    /// Statuses the build view leaves out
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    pub build_hides_statuses: Option<Vec<String>>,
    /// Types the display view leaves out
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub display_hides_types: Option<Vec<String>>,
    /// Statuses the display view leaves out
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    pub display_hides_statuses: Option<Vec<String>>,
}

#[derive(Debug, Subcommand)]
pub enum Grades {
    List,
    /// Replace the rules, in order: `GRADE/TONE: TEST, TEST`
    Set {
        /// Such as `Replace/replace: age>=60`; tones are replace, plan, watch, unknown, healthy
        #[arg(required = true, value_name = "RULE")]
        rules: Vec<String>,
    },
    /// Our default rules again
    Reset,
}

#[derive(Debug, Subcommand)]
pub enum Classes {
    List,
    /// Add one, or change what is named
    Set(Class),
    Remove {
        /// Its configuration type
        #[arg(value_name = "TYPE")]
        kind: String,
        name: String,
    },
    /// Give one another name; what is in it by hand stays in it
    Rename {
        /// Its configuration type
        #[arg(value_name = "TYPE")]
        kind: String,
        name: String,
        #[arg(value_name = "NEW")]
        new: String,
    },
    /// Move one among those of its type: the first whose rule fits counts
    Move {
        /// Its configuration type
        #[arg(value_name = "TYPE")]
        kind: String,
        name: String,
        /// From 1
        position: u32,
    },
}

#[derive(Debug, Flags)]
pub struct Class {
    /// Its configuration type
    #[arg(value_name = "TYPE")]
    pub kind: String,
    pub name: String,
    /// Such as 1200 or `1200 GBP`
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub hardware: Option<String>,
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub setup: Option<String>,
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub onsite: Option<String>,
    /// A month
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub recurring: Option<String>,
    /// Months from purchase to replacement
    #[arg(long, value_name = "MONTHS")]
    pub life: Option<u32>,
    /// Tests that put configurations into it, such as `model~pro`; empty: only by hand
    #[arg(long, value_name = "TESTS")]
    pub rule: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Policies {
    List,
    /// Add one, or change what is named
    Set {
        #[arg(value_name = "TYPE")]
        kind: String,
        /// Months from purchase to replacement, of what has no class [default: 60]
        #[arg(long, value_name = "MONTHS")]
        life: Option<u32>,
        /// So many months before its life or its warranty ends the test `warning` holds; 0: never
        #[arg(long, value_name = "MONTHS")]
        warning: Option<u32>,
        /// Needs no dates and no budget
        #[arg(long)]
        exempt: bool,
        /// Needs them again
        #[arg(long, conflicts_with = "exempt")]
        no_exempt: bool,
        /// A virtual machine: no warranty, nothing to buy
        #[arg(long = "virtual")]
        is_virtual: bool,
        /// A thing again
        #[arg(long = "no-virtual", conflicts_with = "is_virtual")]
        no_virtual: bool,
        /// For this company only
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
    },
    Remove {
        #[arg(value_name = "TYPE")]
        kind: String,
        #[arg(long, value_name = "COMPANY")]
        company: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Reports {
    List,
    /// Throw a draft away
    Discard {
        report: ReportId,
    },
}

#[derive(Debug, Subcommand)]
pub enum Warranty {
    /// Dates by serial or Halo id from CSV; they go into Halo only with `run lifecycle --entity warranty`
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Show what would be taken
        #[arg(long)]
        dry_run: bool,
    },
}

fn date_field(text: &str) -> Result<DateField, String> {
    DateField::ALL.into_iter().find(|field| field.key() == text).ok_or_else(|| {
        let known: Vec<_> = DateField::ALL.iter().map(|field| field.key()).collect();
        format!("known are {}", known.join(", "))
    })
}

/// A day as this program writes it.
fn day(text: &str) -> Result<Date, String> {
    let date = text.trim().parse::<Date>().ok().filter(|_| text.trim().len() == 10);
    date.ok_or_else(|| "not a day of the calendar, written as 2027-12-31".to_owned())
}

fn asset(text: &str) -> Result<i64, String> {
    let id = text.trim().parse().ok().filter(|id| *id > 0);
    id.ok_or_else(|| "not a Halo id; `lifecycle configurations list` shows them".to_owned())
}

/// The form that was asked for.
pub fn format(word: Option<&str>, json: bool) -> Format {
    match word {
        Some(word) => word.parse().unwrap_or(Format::Text),
        None if json => Format::Json,
        None => Format::Text,
    }
}
