//! Hudu's JSON, exactly as sent (apis/hudu.md 7-9): every field may be missing, null or of another type.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::api::row::Scalar;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Company {
    pub id: Scalar,
    pub name: Scalar,
    pub nickname: Scalar,
    #[serde(rename = "company_type")]
    pub kind: Scalar,
    pub id_number: Scalar,
    pub address_line_1: Scalar,
    pub address_line_2: Scalar,
    pub city: Scalar,
    pub state: Scalar,
    pub zip: Scalar,
    pub country_name: Scalar,
    pub phone_number: Scalar,
    pub website: Scalar,
    pub archived: Scalar,
    pub full_url: Scalar,
    pub url: Scalar,
    pub updated_at: Scalar,
    /// One entry for each integration that this company is matched in.
    pub integrations: Option<Vec<Matched>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Matched {
    pub integrator_name: Scalar,
    pub sync_id: Scalar,
    pub identifier: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Layout {
    pub id: Scalar,
    pub name: Scalar,
    pub active: Scalar,
    pub icon: Scalar,
    pub color: Scalar,
    pub icon_color: Scalar,
    pub fields: Option<Vec<LayoutField>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LayoutField {
    pub id: Scalar,
    pub label: Scalar,
    pub field_type: Scalar,
    pub required: Scalar,
    pub position: Scalar,
    pub linkable_id: Scalar,
    pub is_destroyed: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asset {
    pub id: Scalar,
    pub company_id: Scalar,
    #[serde(rename = "asset_layout_id")]
    pub layout_id: Scalar,
    #[serde(rename = "asset_type")]
    pub layout_name: Scalar,
    pub name: Scalar,
    pub archived: Scalar,
    pub url: Scalar,
    pub updated_at: Scalar,
    pub fields: Option<Vec<AssetField>>,
    pub cards: Option<Vec<Card>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AssetField {
    pub label: Scalar,
    pub value: Json,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Relation {
    pub id: Scalar,
    pub is_inverse: Scalar,
    pub fromable_type: Scalar,
    pub fromable_id: Scalar,
    pub toable_type: Scalar,
    pub toable_id: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Card {
    pub integrator_name: Scalar,
    pub sync_type: Scalar,
    pub sync_id: Scalar,
}
