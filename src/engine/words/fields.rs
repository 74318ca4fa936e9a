//! What the pane of field mappings asks and is told.

use serde::{Deserialize, Serialize};

use crate::integrations::field_sample::{FieldLine, SourceField, TargetField};
use crate::model::asset::FieldKind;
use crate::model::settings::FieldMapping;
use crate::model::{Integration, Moment, SourceId, TargetId};

/// The field mappings of an integration, with what is known of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldTable {
    pub lines: Vec<FieldLine>,
    /// When the sample was read; `None`: never, or this integration has none.
    pub read_at: Option<Moment>,
    /// Records and assets looked at.
    pub records: u32,
    pub assets: u32,
    /// Why the last reading failed.
    pub trouble: Option<String>,
    /// What could not be read, a sentence each.
    pub notes: Vec<String>,
    /// Rows that the equal names of both sides suggest.
    pub equal: Vec<FieldMapping>,
    /// Rows that another integration's own mapping suggests.
    pub copies: Vec<FieldCopy>,
    /// What the last step was that can be taken back, and the one that can be brought again.
    #[serde(default)]
    pub undo: Option<String>,
    #[serde(default)]
    pub redo: Option<String>,
}

/// The settings that the pane changes. A change of these alone is a step that can be taken back, whoever makes it.
pub const FIELD_KEYS: [&str; 5] = [
    "liongard.field_mappings",
    "liongard.asset_matching_field.source",
    "liongard.asset_matching_field.target",
    "liongard.asset_type_field",
    "liongard.ignored_fields",
];

/// Rows to copy from another integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldCopy {
    pub from: Integration,
    /// Those that are not there already and can be used.
    pub rows: Vec<FieldMapping>,
}

/// What really exists on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSides {
    pub read_at: Option<Moment>,
    pub records: u32,
    pub assets: u32,
    pub sources: Vec<SourceField>,
    pub targets: Vec<TargetField>,
    /// The records that can be tried: id, name, and whose they are.
    pub machines: Vec<(SourceId, String, String)>,
}

/// What an import would write of one record. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldTest {
    pub integration: Integration,
    pub id: SourceId,
    pub name: String,
    /// Its environment.
    pub parent: String,
    /// The asset in Halo that it is, with how it was found.
    pub asset: Option<TestedAsset>,
    /// The name of its type; `None` where it has none, which holds it.
    pub asset_type: Option<String>,
    /// The type is not in Halo yet.
    pub is_new_type: bool,
    pub rows: Vec<TestedField>,
    /// What a person should know beside, a sentence each.
    pub notes: Vec<String>,
}

/// The asset that a record was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedAsset {
    pub id: TargetId,
    pub name: String,
    /// In words: linked, or matched by a field.
    pub how: String,
}

/// One row of the mappings on one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedField {
    pub source: String,
    pub target: String,
    pub kind: FieldKind,
    /// The value as the source tells it.
    pub value: Option<String>,
    /// Which record tells it.
    pub told: String,
    /// What Halo holds now.
    pub before: Option<String>,
    /// What it would hold after.
    pub after: Option<String>,
    pub end: TestEnd,
    /// Why it is left as it is.
    pub why: String,
}

/// What an import would do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestEnd {
    Write,
    Same,
    /// Halo has something, and the row fills blanks only.
    Kept,
    /// The source has nothing: never blanks Halo's.
    Blank,
    /// The value does not fit.
    Misfit,
}

impl TestEnd {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Same => "same",
            Self::Kept => "kept",
            Self::Blank => "blank",
            Self::Misfit => "misfit",
        }
    }
}
