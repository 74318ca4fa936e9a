//! The words of the command line (README.md, "Commands"). Scripts rely on them: they do not change without a version.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args as Flags, Parser, Subcommand};

use crate::host::words::Level;
use crate::model::{Date, Entity, Integration, JobId, Moment, Place, SourceId, TargetId};
use crate::plan::Purpose;
use crate::sandbox::Size;

/// HaloPSA integrations in your terminal: planned, approved, resumable imports.
#[derive(Debug, Parser)]
#[command(
    name = "parhelion",
    version,
    max_term_width = 110,
    after_help = "Without a command it opens the screen.\n\nExit codes: 0 done (plan: nothing to change), 1 failed, 2 plan: there are changes, 3 partial, \
                  4 held by a safety limit, 5 authentication or permission, 6 already running, 64 usage, 130 interrupted (resumable)."
)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Clone, Flags)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Folder of the profile [default: $XDG_STATE_HOME/parhelion/PROFILE]
    #[arg(long, global = true, value_name = "DIR", env = "PARHELION_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,
    /// Profile to work on [default: default]
    #[arg(long, global = true, value_name = "NAME", env = "PARHELION_PROFILE", hide_env_values = true)]
    pub profile: Option<String>,
    /// File of the key that seals secrets [default: $XDG_CONFIG_HOME/parhelion/PROFILE.key]
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// One JSON document on standard output, nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// No frames, no columns, states as words
    #[arg(long, global = true)]
    pub plain: bool,
    /// No colours (NO_COLOR does the same)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// No progress and no remarks on standard error
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More detail: also rows that change nothing; twice: more in the program's log
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try everything on simulated vendors and throw-away data
    Demo(Demo),
    /// Serve the simulated vendors until interrupted; prints their addresses and credentials first
    Sandbox(Sandbox),
    /// Settings, as TOML
    #[command(subcommand)]
    Config(Config),
    /// Secrets: sealed at once, never shown again
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Test the configuration; never writes
    Test {
        /// `halo` or an integration [default: Halo and every integration that is on]
        place: Option<Place>,
    },
    /// Which customer is which: the mapping table
    #[command(subcommand)]
    Map(Map),
    /// Which field feeds which field of Halo
    #[command(subcommand)]
    Fields(FieldsCommand),
    /// The asset layouts in Hudu that Halo's records are written in
    Layouts {
        /// hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Create, activate or complete the layouts of this entity: sites, contracts, users or assets; may be given for each
        #[arg(long, value_name = "ENTITY")]
        fix: Vec<Entity>,
    },
    /// Read both sides, store and print what would change; writes nothing outside
    Plan(Plan),
    /// Carry out exactly that stored plan
    Apply {
        /// Id of a plan, such as P7, or a file that `plan --out` wrote
        #[arg(value_name = "PLAN")]
        plan: String,
        /// Write billable rows although it is a freeze (safety.freeze); the trail says so
        #[arg(long)]
        urgent: bool,
    },
    /// Plan and apply under the safety limits, without a question
    Run(Run),
    /// The last jobs, newest first
    Jobs {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// What waits for a person over all jobs, by cause, instead
        #[arg(long, conflicts_with = "last")]
        issues: bool,
    },
    /// One job
    #[command(subcommand)]
    Job(Job),
    /// The planning workspace (local): what is old, out of warranty, and what replacing it costs
    #[command(subcommand)]
    Lifecycle(super::lifecycle::args::Lifecycle),
    /// Who did what, when, before and after: the audit trail; works while another process holds the store
    #[command(subcommand)]
    Audit(Audit),
    /// Notices to people who are not looking
    #[command(subcommand)]
    Notify(Notify),
    /// Every profile with its kind and its folder
    Profiles,
    /// Check the installation: folders, trail, secrets, index, clock
    Doctor {
        /// Make the index again from the audit trail; the old one is kept aside
        #[arg(long)]
        rebuild: bool,
    },
    /// The whole profile in one file, secrets sealed, the key not in it; a job may go on meanwhile
    Backup {
        /// Where to; `-` is standard output
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a backup in the profile's place, after checking all of it
    Restore {
        /// What `backup` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Also where the profile holds data already, which is kept aside
        #[arg(long)]
        force: bool,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write a page for each command
    Man {
        /// Write one page a command into this folder
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// When integrations run by themselves
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Serve the engine without a terminal, until asked to end (a systemd service)
    Serve(Serve),
    /// Open the screen on an engine that runs already
    Attach,
}

#[derive(Debug, Subcommand)]
pub enum Notify {
    /// Send a notice now, to see whether it arrives
    Test,
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Print the newest facts
    Log {
        #[command(flatten)]
        filter: Facts,
        /// How many, counted from the newest; 0: all
        #[arg(long, value_name = "N", default_value_t = 100)]
        last: usize,
    },
    /// Check every line and the chain between them
    Verify,
    /// Write the trail as it is (JSON Lines that still verify), or chosen facts as CSV
    Export {
        /// Where to [default: standard output]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// A table for a spreadsheet
        #[arg(long)]
        csv: bool,
        #[command(flatten)]
        filter: Facts,
    },
}

/// Which facts of the trail.
#[derive(Debug, Flags)]
pub struct Facts {
    /// Of this job
    #[arg(long, value_name = "JOB")]
    pub job: Option<JobId>,
    /// Of this kind, such as config, step, approval, intent or outcome; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// From this day or moment on, such as 2026-01-31 or 2026-01-31T14:00
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub since: Option<Moment>,
    /// Before the end of this day, or before this moment
    #[arg(long, value_name = "WHEN", value_parser = end_moment)]
    pub until: Option<Moment>,
    /// About this record or its customer: an id, or part of a name
    #[arg(long, value_name = "TEXT")]
    pub customer: Option<String>,
    /// With this text anywhere in it
    #[arg(long, value_name = "TEXT")]
    pub find: Option<String>,
}

#[derive(Debug, Flags)]
pub struct Serve {
    /// Print the systemd unit and leave: for one person, or for the machine
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub print_unit: Option<Unit>,
    /// End the host that runs for this profile, after the record in hand
    #[arg(long, conflicts_with = "print_unit")]
    pub stop: bool,
    /// Leave the terminal's session, and end when nobody needs the host
    #[arg(long, hide = true)]
    pub detached: bool,
    /// End when nobody has needed the host for this long
    #[arg(long, hide = true, value_name = "N")]
    pub idle_seconds: Option<u64>,
    /// Give memory back when nothing has happened for this long
    #[arg(long, hide = true, value_name = "N")]
    pub quiet_seconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Unit {
    User,
    System,
}

#[derive(Debug, Flags)]
pub struct Demo {
    /// How much simulated data: 60, 1,000 or 10,000 customers
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub size: Size,
    /// The same seed makes the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Run every import, print the result and leave
    #[arg(long)]
    pub headless: bool,
}

#[derive(Debug, Flags)]
pub struct Sandbox {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// How much simulated data: 60, 1,000 or 10,000 customers
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub size: Size,
    /// The same seed makes the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Faults to inject, as TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Set the keys a TOML or JSON file names, all or nothing; `-` reads standard input
    Import {
        /// TOML or JSON
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the settings; never contains secrets
    Export,
    /// Set one setting
    Set {
        /// Dotted, such as also.username
        #[arg(value_name = "KEY")]
        key: String,
        /// TOML or a bare word
        #[arg(value_name = "VALUE", allow_hyphen_values = true)]
        value: String,
    },
    /// Print one setting
    Get {
        /// Dotted, such as also.username
        #[arg(value_name = "KEY")]
        key: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Read one secret once and seal it; without a source it asks without an echo, or reads standard input
    #[command(group(ArgGroup::new("source").args(["from_env", "from_file", "from_command"])))]
    Set {
        /// Its setting, such as also.password
        #[arg(value_name = "KEY")]
        key: String,
        /// From this environment variable
        #[arg(long, value_name = "VAR")]
        from_env: Option<String>,
        /// From this file
        #[arg(long, value_name = "F")]
        from_file: Option<PathBuf>,
        /// From the standard output of this command
        #[arg(long, value_name = "C")]
        from_command: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Map {
    /// Print the mapping table
    List {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Do not read the customers again: show what was read last
        #[arg(long)]
        cached: bool,
    },
    /// Map every customer that has exactly one partner of the same exact name
    Generate {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
    },
    /// Print likely partners of every unmapped customer, best first, with score and reasons
    Suggest {
        /// also or westcoast
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
    },
    /// Never suggest this pair again
    Reject {
        /// also or westcoast
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The distributor's id of the customer
        #[arg(value_name = "SOURCE_ID", value_parser = source_id)]
        source: SourceId,
        /// Halo's id of the customer
        #[arg(value_name = "TARGET_ID", value_parser = target_id)]
        target: TargetId,
    },
    /// Want the flag of a customer of Halo on, which takes it to Liongard; the next plan of the push sets it
    Flag {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Halo's id of the customer
        #[arg(value_name = "TARGET_ID", value_parser = target_id)]
        target: TargetId,
        /// Want it off; no environment is deleted
        #[arg(long)]
        off: bool,
        /// Leave it as it is after all
        #[arg(long, conflicts_with = "off")]
        clear: bool,
    },
    /// Map one customer
    Set {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The distributor's id of the customer
        #[arg(value_name = "SOURCE_ID", value_parser = source_id)]
        source: SourceId,
        /// Halo's id of the customer
        #[arg(value_name = "TARGET_ID", value_parser = target_id)]
        target: TargetId,
    },
    /// Print the sites of one mapped customer's partner, or choose one: its address and its new assets go there
    Site {
        /// also, westcoast or liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The distributor's id of the customer
        #[arg(value_name = "SOURCE_ID", value_parser = source_id)]
        source: SourceId,
        /// Halo's id of the site, or `main` for the main site again
        #[arg(value_name = "SITE_ID")]
        site: Option<String>,
    },
    /// Take a decision about one customer back; deletes nothing anywhere
    Unset {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The distributor's id of the customer
        #[arg(value_name = "SOURCE_ID", value_parser = source_id)]
        source: SourceId,
    },
    /// Leave one customer alone
    Exclude {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The distributor's id of the customer
        #[arg(value_name = "SOURCE_ID", value_parser = source_id)]
        source: SourceId,
        /// Why, for your colleagues
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
        /// Until this date, such as 2026-12-31
        #[arg(long, value_name = "DATE")]
        until: Option<Date>,
    },
    /// One customer has no partner: create it, look-alikes or not
    New {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The distributor's id of the customer
        #[arg(value_name = "SOURCE_ID", value_parser = source_id)]
        source: SourceId,
    },
    /// Write the mapping table as CSV, to FILE or standard output; as a spreadsheet to a FILE that ends in .xlsx
    Export {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Where to [default: standard output]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Take mappings from CSV or a spreadsheet (.xlsx), as one step
    Import {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// With the columns that `map export` writes
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Show what would change, change nothing
        #[arg(long)]
        dry_run: bool,
        /// The file is of another profile, such as the sandbox: find both sides by their names, not by the ids in it
        #[arg(long)]
        by_name: bool,
    },
}

impl Map {
    pub const fn integration(&self) -> Integration {
        match self {
            Self::List { integration, .. }
            | Self::Generate { integration }
            | Self::Suggest { integration }
            | Self::Reject { integration, .. }
            | Self::Flag { integration, .. }
            | Self::Set { integration, .. }
            | Self::Site { integration, .. }
            | Self::Unset { integration, .. }
            | Self::Exclude { integration, .. }
            | Self::New { integration, .. }
            | Self::Export { integration, .. }
            | Self::Import { integration, .. } => *integration,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum FieldsCommand {
    /// Print the fields, their rules and the setting that changes each
    List {
        /// also, westcoast, liongard or hudu
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
    },
    /// Let a field of the integration feed an asset field of Halo; replaces what fed it before
    Set {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Such as "Serial Number", Inspector.Alias or Metric.UUID
        #[arg(value_name = "SOURCE")]
        source: String,
        /// The asset field's name in Halo, or its id
        #[arg(value_name = "TARGET")]
        target: String,
        /// Make the field in Halo at the next import if it is not there
        #[arg(long)]
        create: bool,
        /// What a field that is made may hold
        #[arg(long, value_name = "KIND", requires = "create", value_parser = ["text", "number", "date", "flag"])]
        kind: Option<String>,
        /// Write only where Halo has nothing
        #[arg(long)]
        fill_blank: bool,
    },
    /// Stop feeding an asset field of Halo; what it holds stays
    Unset {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The asset field in Halo
        #[arg(value_name = "TARGET")]
        target: String,
    },
    /// Put the row of an asset field at another place
    Move {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The asset field in Halo
        #[arg(value_name = "TARGET")]
        target: String,
        /// Its new place, from 1
        #[arg(value_name = "PLACE")]
        place: usize,
    },
    /// Take the last change of the rows back, or bring it again
    Undo {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Bring again what was taken back last
        #[arg(long)]
        redo: bool,
    },
    /// Read real records of both sides, and print their fields with samples and counts; writes nothing
    Sample {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Print what was read before
        #[arg(long)]
        cached: bool,
    },
    /// Print what an import would write of one record, field by field; writes nothing
    Test {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// The record's id, or its name where it is in the sample
        #[arg(value_name = "RECORD")]
        record: String,
    },
    /// Take over the fields that another integration uses in Halo
    Copy {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// lifecycle
        #[arg(value_name = "FROM")]
        from: Integration,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the rows as CSV
    Export {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// Standard output without it
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Replace the rows by those of a CSV file, all or nothing
    Import {
        /// liongard
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
        /// A file, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl FieldsCommand {
    pub const fn integration(&self) -> Integration {
        match self {
            Self::List { integration }
            | Self::Set { integration, .. }
            | Self::Unset { integration, .. }
            | Self::Move { integration, .. }
            | Self::Undo { integration, .. }
            | Self::Sample { integration, .. }
            | Self::Test { integration, .. }
            | Self::Copy { integration, .. }
            | Self::Export { integration, .. }
            | Self::Import { integration, .. } => *integration,
        }
    }
}

#[derive(Debug, Flags)]
pub struct Plan {
    /// also, westcoast, liongard, hudu or lifecycle
    #[arg(value_name = "INTEGRATION")]
    pub integration: Integration,
    /// An entity of the integration; may be repeated [default: all, or schedule.entities with --scheduled]
    #[arg(long = "entity", value_name = "E")]
    pub entities: Vec<Entity>,
    /// With the meaning of the integrator's own daily run: removals too
    #[arg(long)]
    pub scheduled: bool,
    #[command(flatten)]
    pub narrow: Narrow,
    /// Also write the plan to this file, for `apply`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What a plan or a run is narrowed to.
#[derive(Debug, Flags)]
pub struct Narrow {
    /// Only this customer, by the distributor's id; may be repeated
    #[arg(long = "customer", value_name = "ID", value_parser = source_id)]
    pub customers: Vec<SourceId>,
    /// Only this record, by the distributor's id; may be repeated. One that is not linked yet needs --customer too
    #[arg(long = "record", visible_alias = "row", value_name = "ID", value_parser = source_id)]
    pub records: Vec<SourceId>,
}

impl Narrow {
    pub fn purpose(&self) -> Purpose {
        if self.customers.is_empty() && self.records.is_empty() {
            return Purpose::Whole;
        }
        let set = |ids: &[SourceId]| ids.iter().cloned().collect();
        Purpose::Narrow { customers: set(&self.customers), records: set(&self.records) }
    }
}

#[derive(Debug, Flags)]
pub struct Run {
    /// also, westcoast, liongard, hudu or lifecycle
    #[arg(value_name = "INTEGRATION")]
    pub integration: Integration,
    /// An entity of the integration; may be repeated [default: all, or schedule.entities with --scheduled]
    #[arg(long = "entity", value_name = "E")]
    pub entities: Vec<Entity>,
    /// With the meaning of the integrator's own daily run: removals too
    #[arg(long)]
    pub scheduled: bool,
    /// Lift the limit of removals for this one run
    #[arg(long, requires = "scheduled")]
    pub allow_removals: bool,
    /// Write billable rows in spite of a freeze, this once
    #[arg(long, conflicts_with = "scheduled")]
    pub urgent: bool,
    #[command(flatten)]
    pub narrow: Narrow,
}

#[derive(Debug, Subcommand)]
pub enum Job {
    /// Open issues: put them aside, or take them up again (`jobs --issues` lists them)
    #[command(subcommand)]
    Issue(IssueCommand),
    /// Print what became of it
    Show {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
    },
    /// Print its log
    Log {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
        /// Go on with new lines until the job ends
        #[arg(long, short)]
        follow: bool,
        /// Only lines of this level and above: note, change, held or error
        #[arg(long, value_name = "LEVEL", value_parser = level)]
        level: Option<Level>,
        /// Only lines with this text
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        find: String,
    },
    /// Give it up: what is done stays done
    Cancel {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
    },
    /// Stop after the records in hand until it is resumed; also over a restart
    Pause {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
    },
    /// Go on with an interrupted or paused job
    Resume {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
    },
    /// Plan again, on what both sides say now, only the rows of it that failed or are held, and apply that
    Retry {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
        /// Store and print the plan, write nothing outside; `apply` carries it out
        #[arg(long)]
        plan_only: bool,
    },
    /// Take it back: fields as they were, what it created inactive, what it linked unlinked. Rows that were changed
    /// since are held
    Undo {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
        /// Store and print the plan, write nothing outside; `apply` carries it out
        #[arg(long)]
        plan_only: bool,
        /// Lift the limit of removals for what it created
        #[arg(long)]
        allow_removals: bool,
    },
    /// Write its rows to CSV files
    #[command(group(ArgGroup::new("files").args(["failed", "done"]).required(true).multiple(true)))]
    Export {
        /// Such as J12
        #[arg(value_name = "JOB")]
        job: JobId,
        /// Rows that failed or are held, with the reason
        #[arg(long, value_name = "FILE")]
        failed: Option<PathBuf>,
        /// Rows that are done
        #[arg(long, value_name = "FILE")]
        done: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// When each runs next, and what became of the last runs
    List {
        /// Only this one
        #[arg(value_name = "INTEGRATION")]
        integration: Option<Integration>,
    },
    /// Run the scheduled job now, whether or not the schedule is on
    Run {
        /// also or westcoast
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
    },
    /// Let a schedule go on that paused itself
    Resume {
        /// also or westcoast
        #[arg(value_name = "INTEGRATION")]
        integration: Integration,
    },
}

#[derive(Debug, Subcommand)]
pub enum IssueCommand {
    /// Not shown until the cause changes
    Dismiss {
        #[command(flatten)]
        which: Issues,
    },
    /// Not shown until a day or moment, or until the cause changes
    Snooze {
        #[command(flatten)]
        which: Issues,
        /// Such as 2026-01-31 or 2026-01-31T14:00
        #[arg(long, value_name = "WHEN", value_parser = moment)]
        until: Moment,
    },
    /// Take up again what was put aside or let through
    Reopen {
        #[command(flatten)]
        which: Issues,
    },
    /// Let suspicious changes through: the next scheduled run writes them as they are
    Release {
        #[command(flatten)]
        which: Issues,
    },
}

/// Records that wait for a person.
#[derive(Debug, Flags)]
pub struct Issues {
    /// also or westcoast
    #[arg(value_name = "INTEGRATION")]
    pub integration: Integration,
    /// The distributor's ids of the records
    #[arg(value_name = "SOURCE_ID", required = true, value_parser = source_id)]
    pub sources: Vec<SourceId>,
    /// Only of this entity, where one id could mean two records
    #[arg(long, value_name = "E")]
    pub entity: Option<Entity>,
}

impl Args {
    /// What the lock says of this process: the command's words without anything a person typed as a value.
    pub fn words(&self) -> String {
        let words: &[&str] = match &self.command {
            None => &[],
            Some(Command::Demo(_)) => &["demo"],
            Some(Command::Lifecycle(_)) => &["lifecycle"],
            Some(Command::Sandbox(_)) => &["sandbox"],
            Some(Command::Config(config)) => match config {
                Config::Import { .. } => &["config", "import"],
                Config::Export => &["config", "export"],
                Config::Set { .. } => &["config", "set"],
                Config::Get { .. } => &["config", "get"],
            },
            Some(Command::Secret(_)) => &["secret", "set"],
            Some(Command::Test { .. }) => &["test"],
            Some(Command::Map(map)) => &["map", map.integration().key()],
            Some(Command::Fields(fields)) => &["fields", fields.integration().key()],
            Some(Command::Layouts { .. }) => &["layouts", "hudu"],
            Some(Command::Plan(plan)) => &["plan", plan.integration.key()],
            Some(Command::Apply { .. }) => &["apply"],
            Some(Command::Run(run)) => &["run", run.integration.key()],
            Some(Command::Jobs { .. }) => &["jobs"],
            Some(Command::Job(job)) => match job {
                Job::Issue(_) => &["job", "issue"],
                Job::Show { .. } => &["job", "show"],
                Job::Log { .. } => &["job", "log"],
                Job::Cancel { .. } => &["job", "cancel"],
                Job::Pause { .. } => &["job", "pause"],
                Job::Resume { .. } => &["job", "resume"],
                Job::Retry { .. } => &["job", "retry"],
                Job::Undo { .. } => &["job", "undo"],
                Job::Export { .. } => &["job", "export"],
            },
            Some(Command::Audit(_)) => &["audit"],
            Some(Command::Notify(Notify::Test)) => &["notify", "test"],
            Some(Command::Profiles) => &["profiles"],
            Some(Command::Doctor { .. }) => &["doctor"],
            Some(Command::Backup { .. }) => &["backup"],
            Some(Command::Restore { .. }) => &["restore"],
            Some(Command::Completions { .. }) => &["completions"],
            Some(Command::Man { .. }) => &["man"],
            Some(Command::Serve(_)) => &["serve"],
            Some(Command::Attach) => &["attach"],
            Some(Command::Schedule(schedule)) => match schedule {
                ScheduleCommand::List { .. } => &["schedule", "list"],
                ScheduleCommand::Run { .. } => &["schedule", "run"],
                ScheduleCommand::Resume { .. } => &["schedule", "resume"],
            },
        };
        ["parhelion"].iter().chain(words).copied().collect::<Vec<_>>().join(" ")
    }
}

fn source_id(text: &str) -> Result<SourceId, String> {
    not_blank(text).map(SourceId::new)
}

fn target_id(text: &str) -> Result<TargetId, String> {
    let id = TargetId::new(not_blank(text)?);
    if id.number().is_some() {
        Ok(id)
    } else {
        Err("an id of Halo is a whole number; names do not work here".into())
    }
}

fn not_blank(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() { Err("an id cannot be blank".into()) } else { Ok(text) }
}

/// A moment, or the first of a day, in this machine's zone unless it names one.
fn moment(text: &str) -> Result<Moment, String> {
    when(text, false)
}

/// A moment, or the first after a day.
fn end_moment(text: &str) -> Result<Moment, String> {
    when(text, true)
}

fn when(text: &str, is_end: bool) -> Result<Moment, String> {
    let unknown = |_| format!("'{text}' is no day and no moment, such as 2026-01-31 or 2026-01-31T14:00");
    if let Ok(moment) = text.parse::<Moment>() {
        return Ok(moment);
    }
    let zone = jiff::tz::TimeZone::system();
    let civil = match text.parse::<Date>() {
        Ok(day) if is_end && !text.contains('T') => {
            day.tomorrow().map_err(unknown)?.to_datetime(jiff::civil::Time::midnight())
        }
        _ => text.parse::<jiff::civil::DateTime>().map_err(unknown)?,
    };
    civil.to_zoned(zone).map(|zoned| zoned.timestamp()).map_err(unknown)
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "note" => Ok(Level::Note),
        "change" => Ok(Level::Change),
        "held" => Ok(Level::Held),
        "error" => Ok(Level::Error),
        other => Err(format!("'{other}' is not a level; known are note, change, held, error")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn removals_are_allowed_only_for_a_scheduled_run() {
        assert!(Args::try_parse_from(["parhelion", "run", "also", "--allow-removals"]).is_err());
        assert!(
            Args::try_parse_from(["parhelion", "run", "also", "--scheduled", "--allow-removals"]).is_ok()
        );
    }

    #[test]
    fn a_day_s_end_belongs_to_it() {
        let day = moment("2026-01-31").unwrap();
        let end = end_moment("2026-01-31").unwrap();
        assert_eq!(end.duration_since(day).as_hours(), 24);
        assert_eq!(moment("2026-01-31T14:00:00Z"), end_moment("2026-01-31T14:00:00Z"));
        assert!(moment("2026-01-31T14:00").unwrap() > day);
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn the_lock_says_the_command_and_no_values() {
        let args = Args::try_parse_from(["parhelion", "config", "set", "also.notes", "hunter2"]).unwrap();
        assert_eq!(args.words(), "parhelion config set");
    }
}
