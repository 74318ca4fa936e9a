//! Warranty and purchase dates of Halo's assets, as the write protocol sends and reads them.

use crate::api::halo::AssetValues;
use crate::engine::lifecycle::{field_id, field_name};
use crate::model::asset::Asset;
use crate::model::date::parse_vendor_date;
use crate::model::{FieldName, Fields, Found, MatchKeys, Value};

/// An asset with the dates it holds: its columns under their names, its fields under the names that rows carry.
pub fn found(asset: &Asset) -> Found {
    let mut fields = Fields::new();
    let mut set = |name: FieldName, text: &str| {
        // What is no date stays as it is: then it is neither what was planned nor what was sent.
        match parse_vendor_date(text) {
            Ok(Some(date)) => fields.set(name, Value::Date(date)),
            Ok(None) => {}
            Err(_) => fields.set(name, Value::text(text)),
        }
    };
    for (name, text) in asset.columns.iter().filter(|(name, _)| !matches!(&**name, "notes" | "username")) {
        set(FieldName::own(name), text);
    }
    for value in asset.fields.iter().flatten() {
        set(field_name(&value.name, &value.field), &value.text);
    }
    Found {
        id: asset.id.clone(),
        name: asset.name(),
        parent: asset.customer.clone(),
        is_active: asset.is_active,
        marker: None,
        fields,
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    }
}

/// What is sent: dates as dates, without a time that a zone could move (8.6).
pub fn values(fields: &Fields) -> AssetValues {
    let mut values = AssetValues::default();
    for (name, value) in fields.iter() {
        match field_id(name) {
            Some(id) => values.fields.push((id, value.to_string().into())),
            None => values.columns.push((name.key().into(), value.to_string().into())),
        }
    }
    values
}
