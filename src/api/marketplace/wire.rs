//! The marketplace's JSON, exactly as sent (apis/also.md 5, 6). Any field but the ids may be missing, null or blank.

use serde_json::Value;

pub use crate::api::lenient::{Entry, List};
use crate::api::row::Scalar;

#[expect(clippy::struct_field_names, reason = "the names of the wire")]
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Company {
    pub account_id: Scalar,
    pub parent_account_id: Scalar,
    pub account_state: Scalar,
    pub company_name: Scalar,
    #[serde(rename = "VATID")]
    pub vat_id: Scalar,
    /// Older duplicate of `VATID`.
    #[serde(rename = "VAT")]
    pub vat: Scalar,
    /// A list; null and a bare string occur.
    pub domain: Value,
    pub currency: Scalar,
    pub address: Scalar,
    pub city: Scalar,
    pub state: Scalar,
    pub zip: Scalar,
    pub country: Scalar,
    pub numeric_id: Scalar,
    pub customer_id: Scalar,
    pub reference_number: Scalar,
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Subscription {
    pub account_id: Scalar,
    pub company_account_id: Scalar,
    pub parent_account_id: Scalar,
    pub account_state: Scalar,
    pub provisioning_status: Scalar,
    /// What the vendor's document calls `ProvisioningStatus`.
    pub status: Scalar,
    pub error_details: Scalar,
    pub service_name: Scalar,
    pub service_display_name: Scalar,
    pub vendor_display_name: Scalar,
    pub contract_end_date: Scalar,
    pub advance_period_end_date: Scalar,
    pub advance_period_end_action: Scalar,
    pub scheduled_termination_date: Scalar,
    pub fields: List<Entry<NamedField>>,
    pub priceable_items: List<Entry<Item>>,
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NamedField {
    pub name: Scalar,
    pub value: Value,
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Item {
    pub charge_type: Scalar,
    pub priceable_item_type: Scalar,
    pub currency: Scalar,
    pub field_name: Scalar,
    #[serde(rename = "IsUDRCField")]
    pub is_udrc_field: Scalar,
    pub purchase_price: Scalar,
    pub sales_price: Scalar,
    pub suggested_retail_price: Scalar,
    /// Spelt so.
    pub commitement_period_in_months: Scalar,
    pub prepaid_period_in_months: Scalar,
    pub priceable_item_description: Scalar,
}
