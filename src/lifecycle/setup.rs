//! The steps from nothing to a first report (section 5 of the guide's equivalents), each with how it stands.

use serde::{Deserialize, Serialize};

use super::class::Class;
use super::term::Term;

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Done,
    ToDo,
    /// Was tried and does not work.
    Failed,
    /// To read, or to leave as it is.
    Optional,
}

/// Where a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leads {
    /// Halo's own settings.
    Halo,
    /// The workspace's settings.
    Settings,
    /// The plan that makes what is missing in Halo.
    NewFields,
    Types,
    Statuses,
    /// The plan of the import.
    Import,
    Grades,
    Classes,
    Templates,
    Companies,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupStep {
    pub name: String,
    pub progress: Progress,
    /// How it stands, in a few words.
    pub says: String,
    /// What to do, and why.
    pub help: String,
    pub leads: Leads,
}

/// A right that was tried in Halo (S5, S8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    pub name: String,
    /// `None`: not proven either way.
    pub works: Option<bool>,
    pub says: String,
}

/// What the steps are judged by.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// Of the last test; empty: never tested.
    pub rights: Vec<Right>,
    pub types: &'a [Term],
    pub statuses: &'a [Term],
    /// Types of Halo's that nothing stands for.
    pub unmapped_types: usize,
    pub managed: u64,
    pub has_age_field: bool,
    pub has_expiration_field: bool,
    /// Mapped to a Halo field that is not there.
    pub missing_fields: &'a [String],
    pub configurations: u64,
    pub configurations_are_off: bool,
    /// Configuration types, with how many there are.
    pub kinds: &'a [(String, u64)],
    pub classes: &'a [Class],
    pub grades_are_ours: bool,
    pub templates: usize,
    pub reports: usize,
    pub writes_back: bool,
}

const AGENT: &str = "In Halo, Configuration > Teams & Agents > Agents: a user name of its own (such as api-planning), an \
                     e-mail address that no other agent has, Active, API-only, the default team and working hours. \
                     Rights: customers read, CRM read, assets read (and modify only if dates go back), users read, \
                     products read. `t` tries each right.";
const APPLICATION: &str = "In Halo, Configuration > Integrations > Halo API: method client id and secret, log-in type \
                           agent with the agent of the step before, agent log-ins allowed. Least scopes: \
                           read:customers read:assets, and edit:assets only if dates go back. The guide's own list is \
                           all:standard, or admin:webhooks with read and edit of customers, CRM, software and assets. \
                           The secret is shown once; a lost one is replaced by a new key.";
const ADDRESSES: &str = "Requests come from this host, or from the proxy it uses: where Halo allows listed addresses only, \
                         it is that address which must be on the list (a 403 from Halo often means it is not). t shows it. The seven addresses of \
                         Strategy Overview's guide matter only if you also run the vendor's own integration.";
const FIELDS: &str = "Which of Halo's asset fields are read, and which is the serial, the purchase date and so on. n maps one to a field \
                      that Halo lacks. Enter, where one is missing: the plan that makes it in Halo and gives it to the asset types \
                      (a date for dates, text for the rest; the guide takes 'select', which suits lists). By hand: Configuration > \
                      Assets > Fields, label, type, no system use; then add it to the asset types.";

/// What the test calls the address that requests leave from.
pub const OUTGOING: &str = "outgoing address";

/// The steps in order.
pub fn steps(facts: &Facts<'_>) -> Vec<SetupStep> {
    let step = |name: &str, progress, says: String, help: &str, leads| SetupStep {
        name: name.into(),
        progress,
        says,
        help: help.into(),
        leads,
    };
    let count = |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let done = |is_done| if is_done { Progress::Done } else { Progress::ToDo };
    let failed: Vec<&Right> = facts.rights.iter().filter(|right| right.works == Some(false)).collect();
    let (agent, says) = match failed.first() {
        Some(right) => (Progress::Failed, format!("{}: {}", right.name, right.says)),
        None if facts.rights.is_empty() => (Progress::ToDo, "not tested; t tries each right".into()),
        None => (Progress::Done, "every right that was tried works".into()),
    };
    let unmapped = |terms: &[Term]| terms.iter().filter(|term| term.halo.is_none()).count() as u64;
    let open_types = unmapped(facts.types).max(facts.unmapped_types as u64);
    let open_statuses = unmapped(facts.statuses);
    let fields = match facts.missing_fields {
        [] if facts.has_age_field && facts.has_expiration_field => {
            (Progress::Done, "age and warranty have a field".into(), Leads::Settings)
        }
        [] => (
            Progress::ToDo,
            "no field for the age, or none for the end of the warranty".into(),
            Leads::Settings,
        ),
        missing => (Progress::Failed, format!("not in Halo: {}", missing.join(", ")), Leads::NewFields),
    };
    let outgoing = facts.rights.iter().find(|right| right.name == OUTGOING);
    let outgoing = outgoing.map_or_else(|| "this host's own; t shows it".into(), |right| right.says.clone());
    let without: Vec<&str> = facts
        .kinds
        .iter()
        .map(|(kind, _)| kind.as_str())
        .filter(|kind| !facts.classes.iter().any(|class| class.kind == *kind))
        .collect();
    let classes = if facts.classes.is_empty() {
        "no class, so every replacement costs 0".into()
    } else if without.is_empty() {
        let classes = facts.classes.len();
        let word = if classes == 1 { "class" } else { "classes" };
        format!("{classes} {word} for {}", count(facts.kinds.len() as u64, "type"))
    } else {
        format!("none for {}", without.join(", "))
    };
    let mapped = |open: u64, all: usize| match (open, all) {
        (0, 0) => "none read yet".to_owned(),
        (0, all) => format!("{all} mapped"),
        (open, _) => format!("{open} unmapped"),
    };
    let configurations = if facts.configurations_are_off {
        "switched off: not updated".to_owned()
    } else {
        count(facts.configurations, "configuration")
    };
    let asset_edit = facts.rights.iter().find(|right| right.name == "asset edit");
    let back = match (facts.writes_back, asset_edit) {
        (false, Some(right)) if right.works != Some(true) => {
            (Progress::Optional, format!("off; {}", right.says))
        }
        (false, _) => (Progress::Optional, "off; nothing is written to Halo".to_owned()),
        (true, Some(right)) if right.works == Some(false) => (Progress::Failed, right.says.clone()),
        (true, _) => (Progress::Done, "on".into()),
    };
    vec![
        step("Agent in Halo", agent, says.clone(), AGENT, Leads::Halo),
        step("Application in Halo", agent, says, APPLICATION, Leads::Halo),
        step("Addresses", Progress::Optional, outgoing, ADDRESSES, Leads::Halo),
        step(
            "Company types",
            done(open_types == 0 && !facts.types.is_empty()),
            mapped(open_types, facts.types.len()),
            "Each stands for one of Halo's and takes its name. `a` on the list maps exact names and creates the rest; with lifecycle.types_full_sync every import does.",
            Leads::Types,
        ),
        step(
            "Company statuses",
            done(open_statuses == 0 && !facts.statuses.is_empty()),
            mapped(open_statuses, facts.statuses.len()),
            "Active and inactive, one to one with Halo's flag.",
            Leads::Statuses,
        ),
        step(
            "Companies",
            done(facts.managed > 0),
            format!("{} managed", facts.managed),
            "The import takes Halo's customers inside the filters; leads, prospects and vendors stay out. `x` on the list takes one in or out.",
            Leads::Import,
        ),
        step("Fields", fields.0, fields.1, FIELDS, fields.2),
        step(
            "Configurations",
            done(facts.configurations > 0),
            configurations,
            "The assets of managed companies, as a plan that is looked at and applied.",
            Leads::Import,
        ),
        step(
            "Grades",
            Progress::Done,
            if facts.grades_are_ours { "our default rules".into() } else { "your own rules".into() },
            "What is healthy and what must be replaced: ordered rules, the first that fits counts.",
            Leads::Grades,
        ),
        step(
            "Classes and budgets",
            done(!facts.classes.is_empty() && without.is_empty()),
            classes,
            "What replacing one costs: hardware, set-up, onsite; and how long it lives.",
            Leads::Classes,
        ),
        step(
            "Templates",
            Progress::Optional,
            count(facts.templates as u64, "template"),
            "Which types, statuses and columns the build and the display view show.",
            Leads::Templates,
        ),
        step(
            "First report",
            done(facts.reports > 0),
            count(facts.reports as u64, "report"),
            "Enter on a company opens its draft, or begins one.",
            Leads::Companies,
        ),
        step(
            "Dates back into Halo",
            back.0,
            back.1,
            "Warranty and purchase dates from files and people: off until switched on field by field (lifecycle.write_expiration_date and the others), and then only as a plan.",
            Leads::Settings,
        ),
    ]
}
