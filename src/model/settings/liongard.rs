//! What a profile can say of Liongard (`design/cli.md`, `[liongard]`).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{General, Pace, Safety, Schedule, SecretSource};
use crate::model::Entity;
use crate::model::asset::FieldKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Liongard {
    pub enabled: bool,
    pub url: String,
    pub access_key_id: String,
    pub access_key_secret: SecretSource,
    /// P47: when the access token ends, as chosen when it was made; a reminder comes before.
    /// A date, or empty.
    pub access_key_expires: String,
    pub allow_http: bool,
    pub pace: Pace,
    /// Name of the top level that new customers are placed under; empty: Halo's default.
    pub top_level_for_new_customers: String,
    /// L9: `customer/site` or a site id, for assets whose environment is not a customer in Halo; empty: such are held.
    pub default_site: String,
    pub asset_source: AssetSource,
    /// L10: the field whose value is the name of the asset's type.
    pub asset_type_field: String,
    /// L10: the type of assets that have no value there; empty: such are held.
    pub fallback_asset_type: String,
    /// L12: the group of types that are made.
    pub default_group_for_new_asset_types: String,
    /// L11: more new types than this in one plan are held: it is usually a wrong field.
    pub max_new_asset_types: u32,
    /// L13: the pair of fields by which an asset is found that is there already.
    pub asset_matching_field: MatchingField,
    /// So many systems' latest inspections one plan reads, for attributes that nothing else tells (decision 23).
    pub max_inspections: u32,
    /// P22: values that say nothing, beside those that are built in.
    pub placeholder_values: Vec<String>,
    /// L15, in their order.
    pub field_mappings: Vec<FieldMapping>,
    /// Fields that are not offered for mapping any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_fields: Vec<String>,
    /// P57: what is done where Liongard's fields are others than before.
    pub source_changes: SourceChanges,
    pub sync_customers: SyncCustomers,
    /// L18: in scheduled runs an asset whose system is gone is made inactive.
    pub deactivate_deleted: bool,
    pub schedule: Schedule,
    /// Notes of the administrators, several lines; never sent anywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<Safety>,
}

impl Default for Liongard {
    fn default() -> Self {
        Self {
            enabled: false,
            url: String::new(),
            access_key_id: String::new(),
            access_key_secret: SecretSource::Unset,
            access_key_expires: String::new(),
            allow_http: false,
            // apis/liongard.md 5.
            pace: Pace { requests: 2000, per_seconds: 300, at_once: 4, spacing_ms: 0, share: 0.75 },
            top_level_for_new_customers: String::new(),
            default_site: String::new(),
            asset_source: AssetSource::Systems,
            asset_type_field: "Inspector.Alias".into(),
            fallback_asset_type: String::new(),
            default_group_for_new_asset_types: String::new(),
            max_new_asset_types: 20,
            asset_matching_field: MatchingField::default(),
            max_inspections: 0,
            placeholder_values: Vec::new(),
            field_mappings: Vec::new(),
            ignored_fields: Vec::new(),
            source_changes: SourceChanges::default(),
            sync_customers: SyncCustomers::default(),
            deactivate_deleted: false,
            schedule: Schedule {
                entities: vec![Entity::Customers, Entity::Assets],
                at: "03:00".into(),
                ..Schedule::default()
            },
            notes: String::new(),
            safety: None,
        }
    }
}

impl Liongard {
    pub(super) fn general(&self) -> General<'_> {
        General {
            secret_expires: &self.access_key_expires,
            enabled: self.enabled,
            url: &self.url,
            url_key: "url",
            account: &self.access_key_id,
            allow_http: self.allow_http,
            pace: self.pace,
            top_level: &self.top_level_for_new_customers,
            update_main_site_address: false,
            schedule: &self.schedule,
            safety: self.safety.as_ref(),
        }
    }
}

/// What becomes an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetSource {
    /// Each system: one inspector on one target.
    #[default]
    Systems,
    /// Each device profile, put together from several inspectors.
    Devices,
}

/// L13. Both blank: assets are matched by Liongard's id alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchingField {
    /// A field of Liongard.
    pub source: String,
    /// A field of Halo.
    pub target: String,
}

/// One row of the field mappings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldMapping {
    pub source: String,
    /// The name of an asset field in Halo, or its id where several have the name.
    pub target: String,
    /// L16: made in Halo where it is not there.
    #[serde(skip_serializing_if = "is_false")]
    pub create: bool,
    /// What a field that is made may hold; text unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<FieldKind>,
    /// Written only where Halo has nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub fill_blank: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What is done where the source has new fields, or others than before under the same name (P57). Whatever is chosen, a
/// mapped field that is gone holds the rows that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceChanges {
    /// Nothing is said.
    Ignore,
    /// The plan says so.
    #[default]
    Warn,
    /// Scheduled runs write nothing of these records until a person has applied a plan.
    Hold,
}

impl FromStr for SourceChanges {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "ignore" => Ok(Self::Ignore),
            "warn" => Ok(Self::Warn),
            "hold" => Ok(Self::Hold),
            _ => Err(format!("'{text}' is neither ignore, warn nor hold")),
        }
    }
}

/// L17: new customers in Halo become environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncCustomers {
    pub enabled: bool,
    pub mode: SyncMode,
    /// L17b: the customer's field that says which are pushed.
    pub flag_field: String,
    /// L17a: with [`SyncMode::Automatic`], so many minutes lie between two questions whether Halo has new customers;
    /// 0: only scheduled runs ask.
    pub every_minutes: u32,
}

impl Default for SyncCustomers {
    fn default() -> Self {
        Self {
            enabled: false,
            mode: SyncMode::Manual,
            flag_field: "CFSyncToLiongard".into(),
            every_minutes: 15,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// Customers whose flag is on.
    #[default]
    Manual,
    /// Customers made after it was switched on.
    Automatic,
}

impl FromStr for AssetSource {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "systems" => Ok(Self::Systems),
            "devices" => Ok(Self::Devices),
            _ => Err(format!("'{text}' is neither systems nor devices")),
        }
    }
}
