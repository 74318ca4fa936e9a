//! What the vendors' contracts leave open, as switches. The defaults are what the contracts recommend.
//!
//! Sources: `apis/halopsa.md` section 13, `apis/also.md` section 14, `apis/liongard.md` section 17 and `apis/hudu.md`
//! section 16.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The switches of all servers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    pub halo: HaloQuirks,
    pub also: MarketplaceQuirks,
    pub westcoast: MarketplaceQuirks,
    pub hudu: HuduQuirks,
    pub liongard: LiongardQuirks,
}

/// A rolling request limit, answered with 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub requests: u32,
    pub seconds: u32,
    /// Whether the 429 says when to come back.
    #[serde(default)]
    pub retry_after: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HaloQuirks {
    /// Rows a page may hold, whatever `page_size` asks; cut silently.
    pub page_cap: u32,
    /// The same for one endpoint, by its lower-case name, such as `site`.
    pub page_caps: BTreeMap<String, u32>,
    /// The same for assets, whose cap is lower (apis/halopsa.md 2.7).
    pub asset_page_cap: u32,
    /// Whether an asset's fields that a write leaves out are blanked (decision 19).
    pub blank_missing_fields: bool,
    /// Whether the list of asset types carries their fields, or only the single object does.
    pub type_list_has_fields: bool,
    /// Lifetime of a token, in seconds.
    pub token_seconds: u64,
    /// What the API application is granted, whatever is asked for; empty: what is asked for.
    pub granted_scopes: String,
    /// Endpoints that answer 401 or 403 for want of a permission: `client`, or `post softwarelicence`.
    pub denied: BTreeMap<String, u16>,
    pub rate: Option<Rate>,
    /// The database's id, where it is to be another Halo; empty: the usual one.
    pub database: String,
    /// The agent that the API application logs in as; 0: nobody but administrators may list applications.
    pub application_agent: i64,
    /// Whether a list of clients heeds `include_custom_fields`; details always carry them.
    pub custom_fields_in_lists: bool,
    /// Whether `ref` of a client and `snowid` of a licence are given back (decision 33).
    pub markers_given_back: bool,
    /// Whether `search` also looks into those two fields.
    pub search_covers_markers: bool,
    /// Whether a licence without `count` is refused with database error 515 instead of getting 0.
    pub licence_count_required: bool,
    /// Time every answer takes, in milliseconds.
    pub latency_ms: u64,
}

impl Default for HaloQuirks {
    fn default() -> Self {
        Self {
            page_cap: 100,
            page_caps: BTreeMap::new(),
            asset_page_cap: 50,
            blank_missing_fields: true,
            type_list_has_fields: true,
            token_seconds: 3600,
            granted_scopes: String::new(),
            denied: BTreeMap::new(),
            rate: None,
            database: String::new(),
            application_agent: 0,
            custom_fields_in_lists: true,
            markers_given_back: true,
            search_covers_markers: false,
            licence_count_required: false,
            latency_ms: 0,
        }
    }
}

/// The switches of also.md section 14, and the three ways a right can be missing (2.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketplaceQuirks {
    /// `GetCompany` and `GetReseller` answer an array of one.
    pub single_as_array: bool,
    /// `Status` beside `ProvisioningStatus`.
    pub both_status_fields: bool,
    /// An older build: `AdvancePeriodEndAction` is missing.
    pub without_end_action: bool,
    /// An older build: `NumericId`, `VAT` and `Language` are missing.
    pub without_numeric_id: bool,
    pub addons: Addons,
    /// `GetCompanies {}` is a fault.
    pub companies_need_parent: bool,
    /// `Authenticate` without `CCPSessionId ` is refused.
    pub strict_prefix: bool,
    /// The token comes without quotes.
    pub plain_token: bool,
    /// `PingPong` answers nothing instead of `null`.
    pub empty_pong: bool,
    pub omit_nulls: bool,
    /// Every field value is text; by default only some products do that.
    pub quantities_as_text: bool,
    /// HTTP status of faults.
    pub fault_status: u16,
    pub fault_form: FaultForm,
    /// An expired session is a 401 instead of a fault that says so.
    pub expiry_as_401: bool,
    /// The user lacks the Reseller Admin role.
    pub missing_role: Option<MissingRole>,
    /// The user has multi-factor authentication on, so signing in fails.
    pub mfa: bool,
    /// A session ends after so many calls.
    pub session_calls: Option<u64>,
    /// What a look-up of a record that does not exist answers.
    pub vanished: Vanished,
    /// Seeds two resellers below the own one, with customers of their own.
    pub sub_resellers: bool,
    pub rate: Option<Rate>,
    /// Time every answer takes, in milliseconds.
    pub latency_ms: u64,
}

impl Default for MarketplaceQuirks {
    fn default() -> Self {
        Self {
            single_as_array: false,
            both_status_fields: false,
            without_end_action: false,
            without_numeric_id: false,
            addons: Addons::Object,
            companies_need_parent: false,
            strict_prefix: false,
            plain_token: false,
            empty_pong: false,
            omit_nulls: false,
            quantities_as_text: false,
            fault_status: 500,
            fault_form: FaultForm::Xml,
            expiry_as_401: false,
            missing_role: None,
            mfa: false,
            session_calls: None,
            vanished: Vanished::Fault,
            sub_resellers: false,
            rate: None,
            latency_ms: 0,
        }
    }
}

/// The switches of hudu.md section 16.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HuduQuirks {
    /// Rows a page may hold, whatever `page_size` asks; cut silently.
    pub page_cap: u32,
    pub order: HuduOrder,
    /// Everything that was created answers 201, as the vendor's document says.
    pub created_201: bool,
    /// 2.34: a missing company is 200 `null` instead of 404.
    pub missing_company_null: bool,
    /// Before 2.37: an unknown field is dropped in silence instead of refused.
    pub drop_unknown_fields: bool,
    /// Archived companies do not own their names.
    pub archived_names_free: bool,
    /// A new layout comes back inactive.
    pub new_layouts_inactive: bool,
    /// How a date is given back.
    pub dates: HuduDates,
    /// Endpoints that answer 401 for want of a right, such as `asset_layouts` or `post companies`.
    pub denied: BTreeMap<String, u16>,
    /// Published: 300 in 60 seconds.
    pub rate: Option<Rate>,
    /// Time every answer takes, in milliseconds.
    pub latency_ms: u64,
}

impl Default for HuduQuirks {
    fn default() -> Self {
        Self {
            page_cap: 1000,
            order: HuduOrder::Id,
            created_201: false,
            missing_company_null: false,
            drop_unknown_fields: false,
            archived_names_free: false,
            new_layouts_inactive: false,
            dates: HuduDates::Iso,
            denied: BTreeMap::new(),
            rate: None,
            latency_ms: 0,
        }
    }
}

/// The order of Hudu's lists, which nothing documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HuduOrder {
    Id,
    /// Last changed first: a write moves its record to page 1.
    Updated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HuduDates {
    /// `2026-03-31`
    Iso,
    /// `03/31/2026`
    American,
    AsSent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addons {
    Object,
    List,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultForm {
    /// `application/xml`.
    Xml,
    /// `text/xml`.
    TextXml,
    /// SOAP 1.2 with a prefix.
    Soap,
    /// An HTML page with status 503.
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRole {
    Fault,
    Forbidden,
    EmptyList,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vanished {
    Fault,
    Null,
    EmptyList,
    NotFound,
}

/// The switches of liongard.md section 17.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiongardQuirks {
    /// Which paths without a slash at the end are answered with a redirect (section 2).
    pub redirects: Redirects,
    /// One environment comes as a list of one.
    pub single_as_array: bool,
    /// The paging block of inventory queries is beside `Data` instead of inside.
    pub paging_beside: bool,
    /// Inventory queries refuse an empty `Sorting`.
    pub sorting_required: bool,
    /// Rows a page of v2 may hold, whatever is asked.
    pub page_cap: u32,
    /// The same for metric values.
    pub metric_page_cap: u32,
    /// The key sees all environments but each so-manieth; 0: all (section 3).
    pub hidden_every: u32,
    /// The key's role may not create (403).
    pub read_only: bool,
    /// The key may read environments, not systems.
    pub systems_denied: bool,
    pub key: KeyState,
    pub duplicate_names: DuplicateNames,
    /// `Launchpoint` is null where the data says so.
    pub null_parts: bool,
    /// So many more metrics of workstations, each with a text of its own.
    pub more_metrics: u32,
    /// Metrics name their UUID `UUIDS`, as the document has it.
    pub metric_uuids: bool,
    /// Unknown systems are answered with an empty list instead of 404 (section 4).
    pub unknown_as_empty: bool,
    /// An environment just made is missing from so many lists.
    pub lists_until_seen: u32,
    pub rate: Option<Rate>,
    /// The limit of `/metrics/evaluate`.
    pub evaluate_rate: Option<Rate>,
    /// Time every answer takes, in milliseconds.
    pub latency_ms: u64,
}

impl LiongardQuirks {
    pub(super) fn shows(&self, environment: i64) -> bool {
        self.hidden_every == 0 || environment % i64::from(self.hidden_every) != 0
    }
}

impl Default for LiongardQuirks {
    fn default() -> Self {
        Self {
            redirects: Redirects::Roots,
            single_as_array: false,
            paging_beside: false,
            sorting_required: true,
            page_cap: 100,
            metric_page_cap: 2000,
            hidden_every: 0,
            read_only: false,
            systems_denied: false,
            key: KeyState::Valid,
            duplicate_names: DuplicateNames::Accepted,
            null_parts: true,
            more_metrics: 0,
            metric_uuids: false,
            unknown_as_empty: false,
            lists_until_seen: 0,
            rate: None,
            evaluate_rate: None,
            latency_ms: 0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirects {
    None,
    /// Collections.
    Roots,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    Valid,
    Expired,
    Revoked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateNames {
    Accepted,
    /// 400.
    Refused,
    /// 409.
    Conflict,
}
