//! The table of every setting. Whatever reads or writes settings goes by it, so that a setting cannot be in a file
//! and missing from a form, or the other way round (decision 27).

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::kind::Kind;
use super::lifecycle::LIFECYCLE;
use crate::model::settings::{Occasion, Settings};
use crate::model::{Integration, Place};

/// The part of the settings a key begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Profile,
    Of(Place),
    Safety,
    Matching,
}

impl Section {
    /// Every section, in the order files have them.
    pub const ALL: [Self; 9] = [
        Self::Profile,
        Self::Of(Place::Halo),
        Self::Of(Place::Of(Integration::Also)),
        Self::Of(Place::Of(Integration::Westcoast)),
        Self::Of(Place::Of(Integration::Liongard)),
        Self::Of(Place::Of(Integration::Hudu)),
        Self::Of(Place::Of(Integration::Lifecycle)),
        Self::Safety,
        Self::Matching,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Of(place) => place.key(),
            Self::Safety => "safety",
            Self::Matching => "matching",
        }
    }
}

/// The tabs of a form (C2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tab {
    Details,
    Customers,
    Subscriptions,
    Assets,
    /// What becomes of records in Hudu.
    Layouts,
    /// Which asset fields are read, and what each is.
    Fields,
    /// Money, columns and what goes back.
    Planning,
    Schedule,
    Safety,
    Matching,
}

impl Tab {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Details => "Details",
            Self::Customers => "Customers",
            Self::Subscriptions => "Subs",
            Self::Assets => "Assets",
            Self::Layouts => "Layouts",
            Self::Fields => "Fields",
            Self::Planning => "Planning",
            Self::Schedule => "Schedule",
            Self::Safety => "Safety",
            Self::Matching => "Matching",
        }
    }
}

/// One setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Dotted: `also.schedule.enabled`.
    pub key: String,
    pub section: Section,
    pub tab: Tab,
    pub label: String,
    /// One line for the person who stands on the field.
    pub help: String,
    pub kind: Kind,
    /// What a form offers where the setting is empty.
    pub suggestion: &'static str,
}

impl Setting {
    /// The key without its section.
    pub fn leaf(&self) -> &str {
        self.key.split_once('.').map_or(self.key.as_str(), |(_, leaf)| leaf)
    }
}

/// Every setting, section by section, in the order of forms and files.
pub fn all() -> &'static [Setting] {
    &TABLE
}

/// The setting of that dotted key.
pub fn find(key: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.key == key)
}

/// The README's table of settings. Westcoast has those of ALSO, Liongard the same schedule, and an integration's own limits those of the profile.
pub fn markdown() -> String {
    let defaults = Settings::default();
    let mut text = String::from("| Setting | Default | Means |\n|---|---|---|\n");
    for setting in all() {
        let is_told = setting.section == Section::Of(Place::Of(Integration::Westcoast))
            || (setting.tab == Tab::Safety && setting.section != Section::Safety)
            || (setting.section == Section::Of(Place::Of(Integration::Liongard))
                && setting.tab == Tab::Schedule);
        if !is_told {
            let default = super::get(&defaults, &setting.key).unwrap_or_default();
            let default = if default.is_empty() || setting.kind == Kind::Secret {
                String::new()
            } else {
                format!("`{default}`")
            };
            let _ = writeln!(text, "| `{}` | {default} | {} |", setting.key, setting.help);
        }
    }
    text.replace(" |  | ", " | | ")
}

/// Whether settings stand below this dotted key: `also.pace`, `also`.
pub(super) fn is_group(key: &str) -> bool {
    TABLE.iter().any(|setting| setting.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

/// Every name that a key could have been meant as: settings and their groups.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|setting| {
        let groups = setting.key.match_indices('.').map(|(at, _)| &setting.key[..at]);
        groups.chain(std::iter::once(setting.key.as_str()))
    })
}

/// When an integration runs: the same for all, but for what it takes.
fn times() -> impl Iterator<Item = &'static Row> {
    IMPORT.iter().filter(|Row(leaf, ..)| leaf.starts_with("schedule.") && *leaf != "schedule.entities")
}

static TABLE: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let mut table = Vec::new();
    for section in Section::ALL {
        let rows: Vec<Row> = match section {
            Section::Profile => PROFILE.to_vec(),
            Section::Of(Place::Halo) => HALO.iter().chain(&PACE).copied().collect(),
            Section::Of(Place::Of(Integration::Liongard)) => {
                let shared = IMPORT.iter().filter(|row| {
                    matches!(row.1, Tab::Schedule) || matches!(row.0, "notes" | "top_level_for_new_customers")
                });
                let shared = shared.copied().map(|row| match row.0 {
                    "schedule.entities" => {
                        Row(row.0, row.1, Kind::Choices(&["customers", "assets"]), row.3, row.4)
                    }
                    _ => row,
                });
                LIONGARD.iter().copied().chain(PACE).chain(shared).chain(LIMITS).collect()
            }
            Section::Of(Place::Of(Integration::Hudu)) => {
                // When it runs is told as everywhere; what it takes is its own.
                HUDU.iter().chain(&PACE).chain(&HUDU_IMPORT).chain(times()).chain(&LIMITS).copied().collect()
            }
            Section::Of(Place::Of(Integration::Lifecycle)) => {
                LIFECYCLE.iter().chain(times()).chain(&LIMITS).copied().collect()
            }
            Section::Of(Place::Of(Integration::Also | Integration::Westcoast)) => {
                DETAILS.iter().chain(&PACE).chain(&IMPORT).chain(&LIMITS).copied().collect()
            }
            Section::Safety => LIMITS.to_vec(),
            Section::Matching => MATCHING.to_vec(),
        };
        table.extend(rows.into_iter().map(|row| row.of(section)));
    }
    table
});

/// A row of the table before its section is known. `{vendor}` stands for the section's own vendor, so that no brand
/// can slip into the other's form (C12).
#[derive(Clone, Copy)]
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) Tab,
    pub(super) Kind,
    pub(super) &'static str,
    pub(super) &'static str,
);

impl Row {
    fn of(self, section: Section) -> Setting {
        let Row(leaf, tab, kind, label, help) = self;
        let vendor = match section {
            Section::Of(place) => place.label(),
            Section::Profile | Section::Safety | Section::Matching => "",
        };
        let nested = tab == Tab::Safety && section != Section::Safety;
        let key = format!("{}.{}{leaf}", section.key(), if nested { "safety." } else { "" });
        let mut help = help.replace("{vendor}", vendor);
        if leaf == "set_price_and_cost" && section == Section::Of(Place::Of(Integration::Westcoast)) {
            help.push_str(" Not in the vendor guide.");
        }
        if nested {
            help.push_str(" Until set here, the profile's own limit counts.");
        }
        Setting {
            key,
            section,
            tab,
            label: label.replace("{vendor}", vendor),
            help,
            kind,
            suggestion: suggestion(section, leaf),
        }
    }
}

fn suggestion(section: Section, leaf: &str) -> &'static str {
    match (section, leaf) {
        (Section::Of(Place::Halo), "resource_server") => "https://yourname.halopsa.com/api",
        (Section::Of(Place::Halo), "authorisation_server") => "https://yourname.halopsa.com/auth",
        (Section::Of(Place::Of(Integration::Also)), "marketplace_url") => "https://cloud.also.com",
        (Section::Of(Place::Of(Integration::Hudu)), "url") => "https://yourname.huducloud.com",
        (Section::Of(Place::Of(Integration::Westcoast)), "marketplace_url") => {
            "https://marketplace.westcoastcloud.co.uk"
        }
        (Section::Of(Place::Of(Integration::Liongard)), "url") => "https://us1.app.liongard.com",
        _ => "",
    }
}

const PROFILE: [Row; 12] = [
    Row(
        "kind",
        Tab::Details,
        Kind::Choice(&["production", "sandbox"]),
        "Kind",
        "The mark in the header: production or sandbox.",
    ),
    Row(
        "theme",
        Tab::Details,
        Kind::Text,
        "Theme",
        "A theme of its own for this profile; empty: the program's.",
    ),
    Row(
        "keep.trail_days",
        Tab::Details,
        Kind::Number { min: 0, max: 36_500, unit: "days" },
        "Keep the trail",
        "Days that lines of the audit trail stay; 0: for ever. Links, decisions and settings stay in any case.",
    ),
    Row(
        "keep.log_days",
        Tab::Details,
        Kind::Number { min: 0, max: 36_500, unit: "days" },
        "Keep logs",
        "Days that logs of jobs stay; 0: as long as there is room.",
    ),
    Row(
        "keep.log_mib",
        Tab::Details,
        Kind::Number { min: 1, max: 1_000_000, unit: "MiB" },
        "Room for logs",
        "Of all logs together, in MiB; the oldest go first.",
    ),
    Row(
        "metrics.file",
        Tab::Details,
        Kind::Text,
        "Metrics file",
        "Figures for node-exporter's text collector: a file ending in .prom, written after each job; empty: none.",
    ),
    Row(
        "metrics.listen",
        Tab::Details,
        Kind::Loopback,
        "Metrics address",
        "The same figures over HTTP while the engine runs, on this machine only, such as 127.0.0.1:9477; empty: nowhere.",
    ),
    Row(
        "notify.webhook",
        Tab::Details,
        Kind::Secret,
        "Notices to",
        "The address that notices are posted to, https:// only. A secret: who knows it can write there. Also read at each use from a variable, a file or a command.",
    ),
    Row(
        "notify.template",
        Tab::Details,
        Kind::Lines,
        "What is posted",
        "Text or JSON with these names in braces: title, text, event, profile, integration, job, state, at. For ntfy: text alone. Empty: a JSON object of all of them.",
    ),
    Row(
        "notify.on",
        Tab::Details,
        Kind::Choices(&Occasion::KEYS),
        "Notices of",
        "failure, partial (rows failed or held), limit (a safety limit held rows), unmapped (new customers to map), recovery, expiry (of a secret).",
    ),
    Row(
        "notify.quiet_minutes",
        Tab::Details,
        Kind::Number { min: 0, max: 1440, unit: "minutes" },
        "Quiet time",
        "After a notice, further ones wait so many minutes and then go together.",
    ),
    Row(
        "notify.ping",
        Tab::Details,
        Kind::Secret,
        "Dead man's switch",
        "An address that is asked at the start (/start), the end, and the failure (/fail) of every scheduled run, so that a run that never happens is noticed. A secret.",
    ),
];

const HALO: [Row; 11] = [
    Row(
        "resource_server",
        Tab::Details,
        Kind::HaloUrl,
        "Resource server",
        "As Halo shows it under Configuration > Integrations > Halo API, usually ending in /api.",
    ),
    Row(
        "authorisation_server",
        Tab::Details,
        Kind::HaloUrl,
        "Authorisation server",
        "From the same page in Halo, usually ending in /auth.",
    ),
    Row("tenant", Tab::Details, Kind::Text, "Tenant", "From the same page; empty where Halo shows none."),
    Row(
        "client_id",
        Tab::Details,
        Kind::Text,
        "Client ID",
        "Of an API application of type 'Client ID and Secret (Services)' with login type Agent.",
    ),
    Row(
        "client_secret",
        Tab::Details,
        Kind::Secret,
        "Client secret",
        "Stored sealed and never shown again; or read at each use from a variable, a file or a command.",
    ),
    Row(
        "secret_expires",
        Tab::Details,
        Kind::Date,
        "Secret expires",
        "The day on which it does, such as 2027-01-31: you are reminded 30, 7 and 1 days before; empty: not known.",
    ),
    Row(
        "allow_http",
        Tab::Details,
        Kind::Flag,
        "Test server",
        "Allows http:// to other machines. Credentials then travel unprotected: for test servers only.",
    ),
    Row(
        "settle_seconds",
        Tab::Details,
        Kind::Number { min: 0, max: 86_400, unit: "seconds" },
        "Settle time",
        "How long an unanswered create may still be carried out by Halo, in seconds.",
    ),
    Row(
        "currency",
        Tab::Details,
        Kind::Currency,
        "Currency",
        "What Halo bills in where a customer has no currency of its own. Empty: asked of Halo. Where it stays unknown, prices are written and the row says so.",
    ),
    Row(
        "customer_marker_field",
        Tab::Details,
        Kind::Text,
        "Customer marker field",
        "The customer field that carries our marker when we create one; empty: no marker is sent.",
    ),
    Row(
        "licence_marker_field",
        Tab::Details,
        Kind::Text,
        "Licence marker field",
        "The licence field that carries our marker when we create one; empty: no marker is sent.",
    ),
];

const PACE: [Row; 5] = [
    Row(
        "pace.requests",
        Tab::Details,
        Kind::Number { min: 0, max: 1_000_000, unit: "requests" },
        "Requests in a window",
        "How many requests {vendor} takes in one window; 0: no window.",
    ),
    Row(
        "pace.per_seconds",
        Tab::Details,
        Kind::Number { min: 1, max: 86_400, unit: "seconds" },
        "Length of the window",
        "The window in seconds.",
    ),
    Row(
        "pace.at_once",
        Tab::Details,
        Kind::Number { min: 1, max: 64, unit: "requests" },
        "At once",
        "How many requests to {vendor} may be under way at the same time.",
    ),
    Row(
        "pace.spacing_ms",
        Tab::Details,
        Kind::Number { min: 0, max: 600_000, unit: "milliseconds" },
        "Spacing",
        "Least time between two requests, in milliseconds.",
    ),
    Row(
        "pace.share",
        Tab::Details,
        Kind::Fraction { zero: false, up_to: 1.0, unit: "" },
        "Share",
        "The part of the window we allow ourselves; the rest is for people and other tools.",
    ),
];

const DETAILS: [Row; 6] = [
    Row(
        "enabled",
        Tab::Details,
        Kind::Flag,
        "Enabled",
        "A disabled integration never runs; its settings and mappings stay.",
    ),
    Row(
        "marketplace_url",
        Tab::Details,
        Kind::MarketplaceUrl,
        "Marketplace URL",
        "The address you log in to at {vendor}: scheme and host only.",
    ),
    Row(
        "username",
        Tab::Details,
        Kind::Text,
        "User name",
        "Needs read rights on customers and subscriptions and the 'Reseller Admin' capability role. 2FA must be off for \
         this account ({vendor} support turns it off), or use an API-only user where available.",
    ),
    Row(
        "password",
        Tab::Details,
        Kind::Secret,
        "Password",
        "Stored sealed and never shown again; or read at each use from a variable, a file or a command.",
    ),
    Row(
        "secret_expires",
        Tab::Details,
        Kind::Date,
        "Password expires",
        "The day on which it does, such as 2027-01-31: you are reminded 30, 7 and 1 days before; empty: not known.",
    ),
    Row(
        "allow_http",
        Tab::Details,
        Kind::Flag,
        "Test server",
        "Allows http:// to other machines. Credentials then travel unprotected: for test servers only.",
    ),
];

const LIONGARD: [Row; 24] = [
    Row(
        "enabled",
        Tab::Details,
        Kind::Flag,
        "Enabled",
        "A disabled integration never runs; its settings and mappings stay.",
    ),
    Row(
        "url",
        Tab::Details,
        Kind::InstanceUrl,
        "Liongard URL",
        "The address you log in to, or just the name of the instance, such as us1.",
    ),
    Row(
        "access_key_id",
        Tab::Details,
        Kind::Text,
        "Access key ID",
        "Of an access token, made in Liongard under your profile, account settings. It has the role and the environments of its user.",
    ),
    Row(
        "access_key_secret",
        Tab::Details,
        Kind::Secret,
        "Access key secret",
        "Stored sealed and never shown again; or read at each use from a variable, a file or a command.",
    ),
    Row(
        "access_key_expires",
        Tab::Details,
        Kind::Day,
        "Expires on",
        "The day the access token ends, as chosen when it was made; tests and plans remind of it from 30 days before.",
    ),
    Row(
        "allow_http",
        Tab::Details,
        Kind::Flag,
        "Test server",
        "Allows http:// to other machines. Credentials then travel unprotected: for test servers only.",
    ),
    Row(
        "asset_source",
        Tab::Assets,
        Kind::Choice(&["systems", "devices"]),
        "Assets from",
        "What becomes an asset: each system (one inspector on one target), or each device profile (put together from several inspectors).",
    ),
    Row(
        "default_site",
        Tab::Assets,
        Kind::Text,
        "Default Site",
        "Customer/site or a site id in Halo, for assets whose environment is not mapped; empty: such assets are held.",
    ),
    Row(
        "asset_type_field",
        Tab::Assets,
        Kind::Text,
        "Field for determining an asset's type",
        "The Liongard field whose value is the name of the asset type, such as Inspector.Alias or Type.",
    ),
    Row(
        "fallback_asset_type",
        Tab::Assets,
        Kind::Text,
        "Type of last resort",
        "The asset type where that field has no value; empty: such assets are held.",
    ),
    Row(
        "default_group_for_new_asset_types",
        Tab::Assets,
        Kind::Text,
        "Default Group for New Asset Types",
        "The asset group of types that an import makes; needed as soon as one has to be made.",
    ),
    Row(
        "max_new_asset_types",
        Tab::Assets,
        Kind::Number { min: 0, max: 10_000, unit: "types" },
        "Most new types",
        "More new types than this in one plan are held: it is usually a wrong field.",
    ),
    Row(
        "asset_matching_field.source",
        Tab::Assets,
        Kind::Text,
        "Matching field in Liongard",
        "An asset that is there already is found by Liongard's id first, then by this field; empty: by the id alone.",
    ),
    Row(
        "asset_matching_field.target",
        Tab::Assets,
        Kind::Text,
        "Matching field in Halo",
        "The asset field in Halo that holds the same value.",
    ),
    Row(
        "max_inspections",
        Tab::Assets,
        Kind::Number { min: 0, max: 100_000, unit: "systems" },
        "Inspections read",
        "So many systems' latest inspections one plan reads, a request each, for attributes that no metric and no device profile tells. What they told is kept until the next inspection; a system whose asset could only be found that way waits until it was read. 0: none are read.",
    ),
    Row(
        "placeholder_values",
        Tab::Assets,
        Kind::Words,
        "Placeholder values",
        "Values that say nothing and never match, beside the built-in ones such as 'To be filled by O.E.M.'.",
    ),
    Row(
        "field_mappings",
        Tab::Assets,
        Kind::Mappings,
        "Field mappings",
        "Which Liongard field feeds which asset field of Halo; `parhelion fields` edits single rows.",
    ),
    Row(
        "ignored_fields",
        Tab::Assets,
        Kind::Words,
        "Ignored fields",
        "Liongard fields that the field mappings do not offer any more; x there ignores one, or offers it again.",
    ),
    Row(
        "source_changes",
        Tab::Assets,
        Kind::Choice(&["ignore", "warn", "hold"]),
        "When Liongard's fields change",
        "Of new fields, and of mapped ones whose values no longer fit: say nothing, say so in the plan, or hold scheduled runs until a person applies a plan. A mapped field that is gone always holds its assets.",
    ),
    Row(
        "deactivate_deleted",
        Tab::Assets,
        Kind::Flag,
        "Deactivate assets deleted in Liongard",
        "In scheduled runs only: the asset of a system that is gone becomes inactive. A manual import ignores it.",
    ),
    Row(
        "sync_customers.enabled",
        Tab::Customers,
        Kind::Flag,
        "Sync Customers to Liongard",
        "New Halo customers become environments of Liongard, in scheduled runs and in `run liongard --entity push`; of the automatic sync type also in between. Halo is asked each time, so it takes until then.",
    ),
    Row(
        "sync_customers.mode",
        Tab::Customers,
        Kind::Choice(&["manual", "automatic"]),
        "Sync type",
        "Manual: customers whose flag is on. Automatic: also those made in Halo after this was switched on; older ones only by the flag.",
    ),
    Row(
        "sync_customers.flag_field",
        Tab::Customers,
        Kind::Text,
        "Flag field",
        "The custom field of customers in Halo, by name or label, that says which are pushed; sync_to_liongard is Halo's own.",
    ),
    Row(
        "sync_customers.every_minutes",
        Tab::Customers,
        Kind::Number { min: 0, max: 1440, unit: "minutes" },
        "Ask Halo every",
        "With the automatic sync type, Halo is asked so often whether there are new customers, while Parhelion runs; 0: in scheduled runs only.",
    ),
];

const IMPORT: [Row; 23] = [
    Row("notes", Tab::Details, Kind::Lines, "Notes", "Your own notes; never sent anywhere."),
    Row(
        "top_level_for_new_customers",
        Tab::Customers,
        Kind::Text,
        "Top Level for New Customers",
        "New customers are placed under this top level of Halo; empty: Halo's default. Existing customers never move.",
    ),
    Row(
        "update_main_site_address",
        Tab::Customers,
        Kind::Flag,
        "Update the customer's main site address",
        "A mapped customer's main site address follows {vendor} on import. New customers always get the address.",
    ),
    Row(
        "rename_in_halo",
        Tab::Customers,
        Kind::Flag,
        "Rename in Halo",
        "A mapped customer's name in Halo follows the name at {vendor}.",
    ),
    Row(
        "customer_subscriptions_to_import.customers",
        Tab::Subscriptions,
        Kind::Words,
        "Only these customers",
        "Customer ids at {vendor}; empty: all. Subscriptions outside are left as they are.",
    ),
    Row(
        "customer_subscriptions_to_import.products",
        Tab::Subscriptions,
        Kind::Words,
        "Only these products",
        "Product ids or names at {vendor}; empty: all. Subscriptions outside are left as they are.",
    ),
    Row(
        "customer_subscriptions_to_import.statuses",
        Tab::Subscriptions,
        Kind::Words,
        "Only these statuses",
        "Status words of {vendor}, such as Active; empty: all. Subscriptions outside are left as they are.",
    ),
    Row(
        "set_price_and_cost",
        Tab::Subscriptions,
        Kind::Flag,
        "Set price and cost on imported subscriptions",
        "Set it before the import: price and cost are written then and again on every scheduled run. Works with any \
         version of Halo (its own integration needs v2.179 or later for this).",
    ),
    Row(
        "deactivate_deleted",
        Tab::Subscriptions,
        Kind::Flag,
        "Deactivate licences deleted at {vendor}",
        "In scheduled runs only: a deleted subscription's licence becomes inactive instead of count 0. A manual import \
         ignores it.",
    ),
    Row(
        "zero_deactivated",
        Tab::Subscriptions,
        Kind::Flag,
        "Also set their count to 0",
        "In scheduled runs only: a licence that is deactivated also gets the count 0.",
    ),
    Row(
        "status_words",
        Tab::Subscriptions,
        Kind::WordMap(&["active", "inactive"]),
        "Status words",
        "What {vendor}'s words for a subscription's state mean in Halo. A word that is not here holds the row.",
    ),
    Row(
        "end_date_order",
        Tab::Subscriptions,
        Kind::Choices(&["scheduled_termination", "ending_period", "contract", "period"]),
        "End date from",
        "The first of these that has a date is the end date. Works with any version of Halo (its own integration needs \
         v2.200.1 or later for this).",
    ),
    Row(
        "schedule.enabled",
        Tab::Schedule,
        Kind::Flag,
        "Import by schedule",
        "Runs by itself at the times below, as long as `parhelion serve` or a host runs. Off: only by hand.",
    ),
    Row(
        "schedule.entities",
        Tab::Schedule,
        Kind::Choices(&["customers", "subscriptions"]),
        "Entities",
        "What a scheduled run takes, whether or not the schedule is on.",
    ),
    Row("schedule.at", Tab::Schedule, Kind::Time, "At", "Local time of day, such as 02:30."),
    Row(
        "schedule.zone",
        Tab::Schedule,
        Kind::Zone,
        "Time zone",
        "Whose clock counts, such as Europe/London; empty: this machine's.",
    ),
    Row(
        "schedule.repeat",
        Tab::Schedule,
        Kind::Choice(&["daily", "weekdays", "hours"]),
        "Repeat",
        "Every day, Monday to Friday, or every few hours.",
    ),
    Row(
        "schedule.every_hours",
        Tab::Schedule,
        Kind::Number { min: 1, max: 24, unit: "hours" },
        "Every",
        "With repeat = hours: so many hours apart, through the time above, anew each local day.",
    ),
    Row(
        "schedule.window",
        Tab::Schedule,
        Kind::Hours,
        "Allowed hours",
        "A run starts only within these hours, such as 22:00-06:00, also when it makes up for a missed one; empty: any time.",
    ),
    Row(
        "schedule.jitter_minutes",
        Tab::Schedule,
        Kind::Number { min: 0, max: 120, unit: "minutes" },
        "Spread",
        "Starts up to so many minutes later, each day at another minute, so that not everybody asks {vendor} at once.",
    ),
    Row(
        "schedule.catch_up_hours",
        Tab::Schedule,
        Kind::Number { min: 0, max: 168, unit: "hours" },
        "Catch up",
        "A run that was missed, because the machine was off, is made up for within so many hours; the latest one only.",
    ),
    Row(
        "schedule.overlap",
        Tab::Schedule,
        Kind::Choice(&["skip", "wait"]),
        "Overlap",
        "If the run before is still going: skip this one, or wait for its end.",
    ),
    Row(
        "schedule.pause_after",
        Tab::Schedule,
        Kind::Number { min: 0, max: 100, unit: "runs" },
        "Pause after",
        "So many failed runs in a row pause the schedule; a refused sign-in does at once. A good test, or you, resume it. 0: never.",
    ),
];

const HUDU: [Row; 5] = [
    Row(
        "enabled",
        Tab::Details,
        Kind::Flag,
        "Enabled",
        "A disabled integration never runs; its settings and mappings stay.",
    ),
    Row(
        "url",
        Tab::Details,
        Kind::MarketplaceUrl,
        "Address",
        "The address you log in to at Hudu: scheme and host only.",
    ),
    Row(
        "api_key",
        Tab::Details,
        Kind::Secret,
        "API key",
        "From Admin > API Keys in Hudu, with no restriction to companies. Stored sealed and never shown again; or read at each use from a variable, a file or a command.",
    ),
    Row(
        "secret_expires",
        Tab::Details,
        Kind::Date,
        "API key expires",
        "The day on which it does, such as 2027-01-31: you are reminded 30, 7 and 1 days before; empty: not known.",
    ),
    Row(
        "allow_http",
        Tab::Details,
        Kind::Flag,
        "Test server",
        "Allows http:// to other machines. Credentials then travel unprotected: for test servers only.",
    ),
];

const HUDU_IMPORT: [Row; 12] = [
    Row("notes", Tab::Details, Kind::Lines, "Notes", "Your own notes; never sent anywhere."),
    Row(
        "site_layout",
        Tab::Layouts,
        Kind::Text,
        "Layout of sites",
        "The asset layout that Halo's sites are written in. It must exist in Hudu and be active.",
    ),
    Row(
        "contact_layout",
        Tab::Layouts,
        Kind::Text,
        "Layout of contacts",
        "The asset layout that Halo's users are written in. It must exist in Hudu and be active.",
    ),
    Row(
        "contract_layout",
        Tab::Layouts,
        Kind::Text,
        "Layout of contracts",
        "The asset layout that Halo's contracts are written in. It must exist in Hudu and be active.",
    ),
    Row(
        "asset_layouts",
        Tab::Layouts,
        Kind::WordMap(&[]),
        "Layouts of assets",
        "The asset layouts that `run hudu --entity assets` writes Halo's assets in, by their type: Server = Servers, 12/Server = DC Servers (of customer 12 alone), default = Devices (of every other type). A type without one is left out.",
    ),
    Row(
        "inactive_contracts",
        Tab::Layouts,
        Kind::Flag,
        "Contracts that are over too",
        "Off: only active contracts are written to Hudu.",
    ),
    Row(
        "company_key_field",
        Tab::Layouts,
        Kind::Choice(&["id_number", ""]),
        "Company key field",
        "The company field that carries Halo's id of a company that we create, if blank; empty: none is sent.",
    ),
    Row(
        "halo_url_field",
        Tab::Layouts,
        Kind::Text,
        "Hudu's address in Halo",
        "The own field of customers in Halo, such as CFHuduUrl, that `run hudu --entity company_urls` writes the company's address in Hudu into. Empty: none.",
    ),
    Row(
        "conflicts",
        Tab::Layouts,
        Kind::WordMap(&["halo", "hudu", "blank", "manual", "newest", "earliest", "latest"]),
        "Edited in Hudu",
        "Who wins where a field was edited in Hudu, by its label, else 'default': halo (Halo's value takes its place), hudu (the edit stays), blank (only a blank field is filled), manual (the row waits), newest (whoever changed it since we wrote it; both: the later one of contracts, else the row waits, since Halo dates no other records), earliest or latest (of two dates).",
    ),
    Row(
        "archive_deleted",
        Tab::Layouts,
        Kind::Flag,
        "Archive what is gone from Halo",
        "In scheduled runs only: an asset whose record is gone from Halo is archived in Hudu.",
    ),
    Row(
        "archive_companies",
        Tab::Layouts,
        Kind::Flag,
        "Archive companies too",
        "In scheduled runs only: the company of a customer that is gone from Halo is archived in Hudu, and with it everything in it out of sight. It is restored when Halo lists the customer again.",
    ),
    Row(
        "schedule.entities",
        Tab::Schedule,
        Kind::Choices(&["companies", "sites", "contracts", "users", "assets", "relations", "company_urls"]),
        "Entities",
        "What a scheduled run takes, whether or not the schedule is on.",
    ),
];

const LIMITS: [Row; 12] = [
    Row(
        "max_removals_percent",
        Tab::Safety,
        Kind::Fraction { zero: true, up_to: 100.0, unit: "percent" },
        "Removals, percent",
        "Zeroed, deactivated and archived together, of the records in scope, in one run.",
    ),
    Row(
        "max_removals_floor",
        Tab::Safety,
        Kind::Number { min: 0, max: 1_000_000, unit: "records" },
        "Removals always allowed",
        "This many removals are allowed whatever the percentage says.",
    ),
    Row(
        "max_removals",
        Tab::Safety,
        Kind::Number { min: 0, max: 1_000_000, unit: "records" },
        "Removals at most",
        "Never more removals than this in one run.",
    ),
    Row(
        "removal_grace_runs",
        Tab::Safety,
        Kind::Number { min: 0, max: 100, unit: "runs" },
        "Grace",
        "How many further complete listings must lack a record before it is removed.",
    ),
    Row(
        "max_money_change",
        Tab::Safety,
        Kind::Money,
        "Change of money",
        "The largest change of money a month that a scheduled run makes by itself; empty: no limit.",
    ),
    Row(
        "canaries",
        Tab::Safety,
        Kind::Words,
        "Canaries",
        "Customer ids that every complete listing must contain; a missing one holds every removal.",
    ),
    Row(
        "plan_hours",
        Tab::Safety,
        Kind::Number { min: 1, max: 8760, unit: "hours" },
        "Age of a plan",
        "A plan older than this many hours must be built anew.",
    ),
    Row(
        "suspicious_factor",
        Tab::Safety,
        Kind::Number { min: 0, max: 1_000_000, unit: "times" },
        "Jump of a count",
        "A count that becomes more than so many times larger or smaller (and changes by over 10) waits in scheduled runs; 0: off.",
    ),
    Row(
        "suspicious_seats",
        Tab::Safety,
        Kind::Number { min: 0, max: 1_000_000, unit: "seats" },
        "Change of a count",
        "A count that changes by more than this waits in scheduled runs; 0: off.",
    ),
    Row(
        "suspicious_price_percent",
        Tab::Safety,
        Kind::Fraction { zero: true, up_to: 100_000.0, unit: "percent" },
        "Jump of a price",
        "A price or cost that changes by more than so many percent waits in scheduled runs, and always one that becomes 0.",
    ),
    Row(
        "trusted_products",
        Tab::Safety,
        Kind::Words,
        "Products that may jump",
        "Product names whose counts and prices may change by any amount.",
    ),
    Row(
        "freeze",
        Tab::Safety,
        Kind::Periods,
        "Freeze",
        "No billable write at these times, as around the invoice run: days of the month (1-3), dates (2026-12-24..2027-01-02), with hours or without (31 18:00-24:00).",
    ),
];

const MATCHING: [Row; 16] = [
    Row(
        "floor",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Shown from",
        "Partners that score less are not suggested.",
    ),
    Row(
        "accept_from",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Enter takes from",
        "Enter takes the suggestion shown from this score up; below, it opens the picker.",
    ),
    Row(
        "look_alike_from",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Look-alike from",
        "No customer is created while an undecided partner of this score or more is there; it waits for a person.",
    ),
    Row(
        "same_words",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Same words",
        "Score of names that differ only in legal form, accents, case or signs.",
    ),
    Row(
        "other_order",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Other order",
        "The most for the same words in another order.",
    ),
    Row(
        "other_form",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Other legal form",
        "The most where both name a legal form, and not the same one.",
    ),
    Row(
        "near",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Near names",
        "The most that names with different words or spelling can reach.",
    ),
    Row(
        "other_numbers",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Other numbers",
        "The most where the numbers in the names differ: Area 51 is not Area 52.",
    ),
    Row(
        "same_vat",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Same VAT number",
        "The least for the same VAT or registration number, whatever the names.",
    ),
    Row(
        "other_vat",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Other VAT number",
        "The most where both have such a number, and not the same.",
    ),
    Row(
        "same_domain",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Same domain",
        "The least for a mail domain of their own that both share.",
    ),
    Row(
        "domain_adds",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Domain adds",
        "What a shared mail domain adds to the score of the names.",
    ),
    Row(
        "postcode_adds",
        Tab::Matching,
        Kind::Number { min: 0, max: 100, unit: "points" },
        "Postcode adds",
        "What the same postcode adds to the score of the names.",
    ),
    Row(
        "unused_after_days",
        Tab::Matching,
        Kind::Number { min: 0, max: 3650, unit: "days" },
        "Never used",
        "A mapping through which nothing has come for so many days is pointed out; 0: never.",
    ),
    Row(
        "legal_forms",
        Tab::Matching,
        Kind::Words,
        "Legal forms",
        "By language: '=' joins forms of one meaning, '*' counts at the end only. 'fr:' alone switches a language off, a bare word is one form more.",
    ),
    Row(
        "placeholders",
        Tab::Matching,
        Kind::Words,
        "Placeholders",
        "Texts that stand for nothing in names, numbers and postcodes: never compared.",
    ),
];
