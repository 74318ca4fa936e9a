//! Assets in Halo: what a field may hold, which fields a type has, and one asset with its values.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FieldName, TargetId};

/// The name under which plans show an asset's type.
pub const TYPE_FIELD: &str = "Asset Type";
/// The name under which plans show the id of the Liongard system that an asset belongs to. Lists never carry it, so
/// it is written once and compared only where the asset was read by itself (decision 24).
pub const ID_FIELD: &str = "Liongard ID";
/// The field under which a new type's group is shown.
pub const GROUP_FIELD: &str = "Group";
/// The field under which the kind of a new field is shown.
pub const KIND_FIELD: &str = "Kind";

/// The name under which a plan shows that a type gets a field.
pub fn type_gets(field: FieldName) -> FieldName {
    FieldName::own(&format!("field {field}"))
}

/// The field that a type gets, by such a name.
pub fn field_of_type(name: FieldName) -> Option<FieldName> {
    name.key().strip_prefix("field ").map(FieldName::own)
}

/// Whether a list of records may lack the field although the record has it.
pub fn is_unlisted(name: FieldName) -> bool {
    name == FieldName::own(ID_FIELD)
}

/// A type's name as it is compared: "Server" and "server " are one type (L10).
pub fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What a field of an asset may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    Text,
    Number,
    Date,
    /// Yes or no.
    Flag,
    /// One of the values that the field lists.
    List,
}

impl FieldKind {
    pub const ALL: [Self; 5] = [Self::Text, Self::Number, Self::Date, Self::Flag, Self::List];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Flag => "flag",
            Self::List => "list",
        }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The definition of an asset field in Halo; types share definitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetField {
    pub id: TargetId,
    /// As people see it. Several definitions may share a name.
    pub name: Box<str>,
    pub kind: FieldKind,
    /// The most characters it takes; `None` where Halo does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Of a list: the values that may be chosen, each with the id that is written for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(i64, Box<str>)>,
}

/// A type of assets, such as "Laptop".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetType {
    pub id: TargetId,
    pub name: Box<str>,
    pub group: Option<TargetId>,
    /// The fields that its assets have, in their order.
    pub fields: Vec<TargetId>,
}

/// A group of asset types. Halo keeps groups of products in the same list (apis/halopsa.md 7.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetGroup {
    pub id: TargetId,
    pub name: Box<str>,
}

/// The value of one field of one asset, as people read it: of a list the chosen words, not their id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetValue {
    pub field: TargetId,
    /// The field's name, as the answer has it; empty where it has none.
    pub name: Arc<str>,
    pub text: Arc<str>,
}

/// Types, groups and fields of assets, as they were read last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    pub types: Vec<AssetType>,
    pub groups: Vec<AssetGroup>,
    pub fields: Vec<AssetField>,
}

/// An asset as Halo has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    pub id: TargetId,
    /// The tag (`inventory_number`); not unique.
    pub tag: Arc<str>,
    /// Values of the up to three fields that its type shows in lists, blank ones left out.
    pub key_values: Box<[Arc<str>]>,
    pub asset_type: TargetId,
    pub type_name: Arc<str>,
    pub customer: Option<TargetId>,
    pub customer_name: Arc<str>,
    pub site: Option<TargetId>,
    pub status: Arc<str>,
    pub is_active: bool,
    /// Those that were asked for, blank ones too; `None` where the answer did not carry fields.
    pub fields: Option<Box<[AssetValue]>>,
    /// Dates and notes that belong to every asset, under Halo's own names; only where one asset was read by itself.
    pub columns: Box<[(Box<str>, Arc<str>)]>,
    /// The id of the Liongard system it belongs to. Lists do not carry it (decision 24).
    pub liongard: Option<i64>,
    /// The id in a third system.
    pub third_party: Option<Box<str>>,
}

impl Asset {
    /// What people call it: its tag, else the first of its key values, else its number.
    pub fn name(&self) -> Arc<str> {
        if !self.tag.is_empty() {
            return Arc::clone(&self.tag);
        }
        self.key_values.first().map_or_else(|| format!("asset {}", self.id).into(), Arc::clone)
    }

    pub fn value(&self, field: &TargetId) -> Option<&str> {
        self.fields.as_deref()?.iter().find(|value| value.field == *field).map(|value| &*value.text)
    }
}
