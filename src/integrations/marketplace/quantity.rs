//! The count of a subscription: the value of the field that its prices are counted by (apis/also.md 6.4, decision 30).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::Count;
use crate::model::count::NotACount;
use crate::model::marketplace::SourceSubscription;

/// The field that counts the units, as the product names it.
const QUANTITY: &str = "Quantity";

pub(super) enum Quantity<'a> {
    Counted {
        field: &'a str,
        count: Count,
    },
    /// Tenants and usage-based products: no count is sent.
    None,
}

pub(super) struct Fault {
    pub sentence: String,
    /// There is no value at all, as opposed to a wrong one.
    pub is_blank: bool,
}

pub(super) fn read(s: &SourceSubscription) -> Result<Quantity<'_>, Fault> {
    let units: BTreeSet<&str> = s
        .priceable_items
        .iter()
        .filter(|item| item.is_unit)
        .filter_map(|item| item.field_name.as_deref().map(str::trim))
        .filter(|name| !name.is_empty())
        .collect();
    let field = match units.len() {
        0 if s.field(QUANTITY).is_some() => QUANTITY,
        0 => return Ok(Quantity::None),
        1 => units.first().copied().unwrap_or(QUANTITY),
        _ if units.contains(QUANTITY) => QUANTITY,
        _ => {
            let names: Vec<&str> = units.into_iter().collect();
            return Err(Fault {
                sentence: format!(
                    "several counted fields ({}) and none is named {QUANTITY}: which one Halo should bill is not known",
                    names.join(", ")
                ),
                is_blank: false,
            });
        }
    };
    let Some(value) = value(s, field) else {
        return Err(Fault {
            sentence: format!(
                "'{}' ({}) is billed by its field '{field}', which it lacks",
                s.display_name, s.id
            ),
            is_blank: true,
        });
    };
    match Count::parse(value) {
        Ok(count) => Ok(Quantity::Counted { field, count }),
        Err(fault) => Err(Fault {
            sentence: format!(
                "{fault}: field '{field}' of '{}' ({}) is {}",
                s.display_name.trim(),
                s.id,
                shortened(value)
            ),
            is_blank: fault == NotACount::Blank,
        }),
    }
}

/// The field of that name; names differ in capitals now and then, so case is the last resort.
fn value<'a>(s: &'a SourceSubscription, name: &str) -> Option<&'a Value> {
    s.field(name).or_else(|| {
        let mut alike = s.fields.iter().filter(|(field, _)| field.trim().eq_ignore_ascii_case(name));
        match (alike.next(), alike.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    })
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}
