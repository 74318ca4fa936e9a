//! The marketplace's JSON, exactly as sent (apis/also.md 5, 6). Any field but the ids may be missing, null or blank.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::api::row::Scalar;

/// A list that may be null or missing; anything else is no list.
#[derive(Debug, Clone)]
pub enum List<T> {
    Items(Vec<T>),
    NotAList,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::Items(Vec::new())
    }
}

/// An element that should be an object.
#[derive(Debug, Clone)]
pub enum Entry<T> {
    Object(T),
    Other,
}

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

macro_rules! not_this {
    ($value:expr; $($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> { Ok($value) })*
    };
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }
            not_this!(List::NotAList; visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<List<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(List::Items)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
                serde::de::IgnoredAny.visit_map(map).map(|_| List::NotAList)
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Entry<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }
            not_this!(Entry::Other; visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
            fn visit_unit<E>(self) -> Result<Entry<T>, E> {
                Ok(Entry::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Entry<T>, A::Error> {
                serde::de::IgnoredAny.visit_seq(seq).map(|_| Entry::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Entry::Object)
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}
