//! The settings of a profile, typed. How they are read from and written to TOML is in [`crate::settings`].

mod lifecycle;
mod liongard;
mod matching;
mod notify;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::lifecycle::Lifecycle;
pub use self::liongard::{
    AssetSource, FieldMapping, Liongard, MatchingField, SourceChanges, SyncCustomers, SyncMode,
};
pub use self::matching::{LEGAL_FORMS, Matching};
pub use self::notify::{Notify, Occasion};
use super::{Date, Entity, Integration, Place};

mod hudu;

pub use hudu::{Hudu, Wins};

/// Everything a profile can be told (`design/cli.md`, "Settings").
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub profile: Profile,
    pub halo: Halo,
    pub also: Marketplace,
    pub westcoast: Marketplace,
    pub hudu: Hudu,
    pub lifecycle: Lifecycle,
    pub liongard: Liongard,
    pub safety: Safety,
    pub matching: Matching,
}

impl Settings {
    /// The settings of a marketplace; `None` for what is none.
    pub fn marketplace(&self, integration: Integration) -> Option<&Marketplace> {
        match integration {
            Integration::Also => Some(&self.also),
            Integration::Westcoast => Some(&self.westcoast),
            Integration::Liongard | Integration::Hudu | Integration::Lifecycle => None,
        }
    }

    /// What every integration has, of this one.
    pub fn of(&self, integration: Integration) -> General<'_> {
        match integration {
            Integration::Also => self.also.general(),
            Integration::Westcoast => self.westcoast.general(),
            Integration::Hudu => self.hudu.general(),
            Integration::Lifecycle => self.lifecycle.general(),
            Integration::Liongard => self.liongard.general(),
        }
    }

    /// What a scheduled run takes: what was selected, and what has a switch of its own (L17a).
    pub fn scheduled(&self, integration: Integration) -> Vec<Entity> {
        let mut entities = self.of(integration).schedule.entities.clone();
        let pushes = integration == Integration::Liongard && self.liongard.sync_customers.enabled;
        if pushes && !entities.is_empty() && !entities.contains(&Entity::Push) {
            entities.push(Entity::Push);
        }
        entities
    }

    /// An integration's own limits, where it has any.
    pub fn safety_mut(&mut self, integration: Integration) -> &mut Option<Safety> {
        match integration {
            Integration::Also => &mut self.also.safety,
            Integration::Westcoast => &mut self.westcoast.safety,
            Integration::Hudu => &mut self.hudu.safety,
            Integration::Lifecycle => &mut self.lifecycle.safety,
            Integration::Liongard => &mut self.liongard.safety,
        }
    }

    /// The limits of one integration: its own where it has any, else the profile's.
    pub fn safety(&self, integration: Integration) -> Safety {
        self.of(integration).safety.unwrap_or(&self.safety).clone()
    }

    /// The day on which the secret of a place expires, where it is known (P47).
    pub fn secret_expires(&self, place: Place) -> Option<Date> {
        let text = match place {
            Place::Halo => &self.halo.secret_expires,
            Place::Of(i) => self.of(i).secret_expires,
        };
        text.parse().ok()
    }

    pub fn pace(&self, place: Place) -> Pace {
        match place {
            Place::Halo => self.halo.pace,
            Place::Of(i) => self.of(i).pace,
        }
    }
}

/// The settings that every integration has, under one name each.
#[derive(Debug, Clone, Copy)]
pub struct General<'a> {
    pub enabled: bool,
    /// Where it is reached.
    pub url: &'a str,
    /// The setting that holds `url`, without its section.
    pub url_key: &'static str,
    /// Who signs in there; empty where only a key does.
    pub account: &'a str,
    /// Day on which the secret there expires; empty: not known (P47).
    pub secret_expires: &'a str,
    pub allow_http: bool,
    pub pace: Pace,
    /// Name of the top level that new customers in Halo go under; empty: Halo's default (K8).
    pub top_level: &'a str,
    /// A mapped customer's main site address follows the source (K9).
    pub update_main_site_address: bool,
    pub schedule: &'a Schedule,
    pub safety: Option<&'a Safety>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub kind: Kind,
    /// A theme of its own for this profile; empty means the program's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub theme: String,
    pub keep: Keep,
    pub metrics: Metrics,
    pub notify: Notify,
}

/// How long things are kept (sync-engine 5.1 and 16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keep {
    /// Days that lines of the audit trail stay; 0: for ever. What follows from them stays in any case.
    pub trail_days: u32,
    /// Days that logs stay; 0: as long as there is room.
    pub log_days: u32,
    /// Room for all logs together, in MiB.
    pub log_mib: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { trail_days: 400, log_days: 90, log_mib: 1024 }
    }
}

/// Where figures for a monitoring system go (P54). Empty: nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// A file for node-exporter's text collector.
    pub file: String,
    /// Address and port on loopback.
    pub listen: String,
}

/// The mark in the header (P53).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Production,
    Sandbox,
}

/// Where a secret comes from. Sealed ones are in the sealed file under the setting's own key; the others are read
/// at each use and never stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    #[default]
    Unset,
    Sealed,
    Env(String),
    File(PathBuf),
    Command(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Halo {
    pub resource_server: String,
    pub authorisation_server: String,
    pub tenant: String,
    pub client_id: String,
    pub client_secret: SecretSource,
    /// Day on which it expires, `2027-01-31`; empty: not known (P47).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret_expires: String,
    pub allow_http: bool,
    pub pace: Pace,
    /// How long an unanswered create may still be carried out, in seconds (sync-engine 7.4).
    pub settle_seconds: u64,
    /// What Halo bills in where a customer has no currency of its own. Empty: asked of Halo. Where it stays unknown, prices are written and the row says so.
    pub currency: String,
    /// Field of a customer that carries our marker in the create; empty to send none (decision 33).
    pub customer_marker_field: String,
    /// Field of a licence that carries our marker in the create; empty to send none (decision 33).
    pub licence_marker_field: String,
}

impl Default for Halo {
    fn default() -> Self {
        Self {
            resource_server: String::new(),
            authorisation_server: String::new(),
            tenant: String::new(),
            client_id: String::new(),
            client_secret: SecretSource::Unset,
            secret_expires: String::new(),
            allow_http: false,
            pace: Pace { requests: 300, per_seconds: 300, at_once: 4, spacing_ms: 0, share: 0.9 },
            settle_seconds: 300,
            currency: String::new(),
            customer_marker_field: "ref".into(),
            licence_marker_field: "snowid".into(),
        }
    }
}

/// The request budget of one host. `requests` 0 lifts the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    pub requests: u32,
    pub per_seconds: u32,
    pub at_once: u32,
    /// Least time between two sends, in milliseconds.
    pub spacing_ms: u64,
    /// The part of the window we allow ourselves, above 0 and up to 1: the rest is for people and other tools.
    pub share: f64,
}

impl Default for Pace {
    /// The marketplaces' contract (apis/also.md 12): no published window, one call at a time, a second apart.
    fn default() -> Self {
        Self { requests: 0, per_seconds: 300, at_once: 1, spacing_ms: 1000, share: 1.0 }
    }
}

/// ALSO and Westcoast Cloud: one driver, two brands (decision 12).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marketplace {
    pub enabled: bool,
    pub marketplace_url: String,
    pub username: String,
    pub password: SecretSource,
    /// Day on which it expires, `2027-01-31`; empty: not known (P47).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret_expires: String,
    pub allow_http: bool,
    pub pace: Pace,
    /// Name of the top level new customers are placed under (K8); empty: Halo's default.
    pub top_level_for_new_customers: String,
    /// K9: a mapped customer's main site address follows the marketplace. New customers always get the address.
    pub update_main_site_address: bool,
    /// K6: a mapped customer's name in Halo follows the marketplace.
    pub rename_in_halo: bool,
    pub customer_subscriptions_to_import: Scope,
    /// B5: price and cost are written at import and on every scheduled run.
    pub set_price_and_cost: bool,
    /// B9, B10: in scheduled runs a deleted subscription's licence is made inactive instead of zeroed.
    pub deactivate_deleted: bool,
    /// B9: also set the count to 0 when deactivating.
    pub zero_deactivated: bool,
    /// B7: the marketplace's word for a state -> `active` or `inactive`. A word that is not here holds the row.
    pub status_words: BTreeMap<String, StatusMeaning>,
    /// B6, decision 21: the end date's sources, in order.
    pub end_date_order: Vec<EndDateSource>,
    pub schedule: Schedule,
    /// Notes of the administrators, several lines; never sent anywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<Safety>,
}

impl Marketplace {
    fn general(&self) -> General<'_> {
        General {
            enabled: self.enabled,
            url: &self.marketplace_url,
            url_key: "marketplace_url",
            account: &self.username,
            secret_expires: &self.secret_expires,
            allow_http: self.allow_http,
            pace: self.pace,
            top_level: &self.top_level_for_new_customers,
            update_main_site_address: self.update_main_site_address,
            schedule: &self.schedule,
            safety: self.safety.as_ref(),
        }
    }
}

impl Default for Marketplace {
    fn default() -> Self {
        Self {
            enabled: false,
            marketplace_url: String::new(),
            username: String::new(),
            password: SecretSource::Unset,
            secret_expires: String::new(),
            allow_http: false,
            pace: Pace::default(),
            top_level_for_new_customers: String::new(),
            update_main_site_address: false,
            rename_in_halo: false,
            customer_subscriptions_to_import: Scope::default(),
            set_price_and_cost: false,
            deactivate_deleted: false,
            zero_deactivated: false,
            status_words: BTreeMap::from([
                ("Active".to_owned(), StatusMeaning::Active),
                ("Terminated".to_owned(), StatusMeaning::Inactive),
            ]),
            end_date_order: EndDateSource::DEFAULT.to_vec(),
            schedule: Schedule::default(),
            notes: String::new(),
            safety: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusMeaning {
    Active,
    Inactive,
}

/// A field of a marketplace subscription that can be its end date (decision 21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndDateSource {
    /// `ScheduledTerminationDate`: the subscription's own end.
    ScheduledTermination,
    /// `AdvancePeriodEndDate` when `AdvancePeriodEndAction` says that it will end.
    EndingPeriod,
    /// `ContractEndDate`.
    Contract,
    /// `AdvancePeriodEndDate` whatever happens then.
    Period,
}

impl EndDateSource {
    pub const DEFAULT: [Self; 4] =
        [Self::ScheduledTermination, Self::EndingPeriod, Self::Contract, Self::Period];
}

/// B3: which subscriptions are in scope. An empty list means all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Customer ids at the distributor.
    pub customers: Vec<String>,
    /// Technical product ids (`ServiceName`) or product names at the distributor.
    pub products: Vec<String>,
    /// State words of the distributor, such as `Active`.
    pub statuses: Vec<String>,
}

/// When the integrator runs by itself (Q1-Q3, P34, sync-engine section 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    pub enabled: bool,
    /// Which entities a scheduled run takes, whether or not the schedule is on (Q2).
    pub entities: Vec<Entity>,
    /// Local time of day, `HH:MM`.
    pub at: String,
    /// IANA name of the zone whose clock counts; empty: the system's.
    pub zone: String,
    pub repeat: Repeat,
    /// With [`Repeat::Hours`]: from `at` on, every so many hours of the local day.
    pub every_hours: u32,
    /// Hours of the day in which a run may start, `HH:MM-HH:MM`; empty: all.
    pub window: String,
    /// A run starts up to so many minutes later, each at a time of its own.
    pub jitter_minutes: u32,
    /// How late a run that was missed may still be made up for; the latest one only.
    pub catch_up_hours: u32,
    pub overlap: Overlap,
    /// So many failed runs in a row pause the schedule (P44); 0: never.
    pub pause_after: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            enabled: false,
            entities: vec![Entity::Customers, Entity::Subscriptions],
            at: "02:30".into(),
            zone: String::new(),
            repeat: Repeat::Daily,
            every_hours: 6,
            window: String::new(),
            jitter_minutes: 0,
            catch_up_hours: 12,
            overlap: Overlap::Skip,
            pause_after: 3,
        }
    }
}

impl Schedule {
    /// Whether its occurrences are those of the other: on, at the same times.
    pub fn same_times(&self, other: &Self) -> bool {
        let times =
            |s: &Self| (s.enabled, s.at.clone(), s.zone.clone(), s.repeat, s.every_hours, s.window.clone());
        times(self) == times(other)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    #[default]
    Daily,
    /// Monday to Friday.
    Weekdays,
    Hours,
}

/// What happens to a run whose predecessor is still running (P34).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    #[default]
    Skip,
    /// It starts when the other has ended, if that is within the catch-up time.
    Wait,
}

/// Decision 3 and the valves of sync-engine section 10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Safety {
    pub max_removals_percent: f64,
    pub max_removals_floor: u64,
    pub max_removals: u64,
    pub removal_grace_runs: u32,
    /// V8: largest change of money a month that policy approves; empty: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_money_change: Option<rust_decimal::Decimal>,
    /// V9: source customer ids that every listing must contain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub canaries: Vec<String>,
    /// Age in hours beyond which a plan must be built anew (P2).
    pub plan_hours: u32,
    /// N8: a count that becomes more than so many times larger or smaller is suspicious; 0: none is.
    pub suspicious_factor: u32,
    /// N8: a count that changes by more than this is suspicious; 0: none is.
    pub suspicious_seats: u32,
    /// N8: a price or cost that changes by more than so many percent is suspicious; 0: only one that becomes 0.
    pub suspicious_price_percent: f64,
    /// N8: names of products whose jumps are always allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_products: Vec<String>,
    /// N10: periods without billable writes ([`super::Freeze`]), in the zone of the schedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            max_removals_percent: 5.0,
            max_removals_floor: 5,
            max_removals: 500,
            removal_grace_runs: 0,
            max_money_change: None,
            canaries: Vec::new(),
            plan_hours: 24,
            suspicious_factor: 10,
            suspicious_seats: 0,
            suspicious_price_percent: 50.0,
            trusted_products: Vec::new(),
            freeze: Vec::new(),
        }
    }
}

impl Safety {
    /// The period without billable writes that this local time lies in (N10).
    pub fn frozen(&self, now: jiff::civil::DateTime) -> Option<super::Freeze> {
        self.freeze.iter().filter_map(|text| super::Freeze::parse(text)).find(|freeze| freeze.contains(now))
    }

    /// How many removals one run may make among `in_scope` linked records (decision 3).
    pub fn removal_limit(&self, in_scope: u64) -> u64 {
        let share = (in_scope as f64 * self.max_removals_percent / 100.0).floor() as u64;
        share.max(self.max_removals_floor).min(self.max_removals)
    }
}
