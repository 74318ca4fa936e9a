//! What rows mean in money a month (N1): quantity times price, and never 0 for a price that is not known.

use rust_decimal::Decimal;

use super::Change;
use crate::model::{FieldName, Fields, Found, Value};

/// Quantity times price; nothing for an inactive record. `None` where a part is unknown: never 0.
pub fn monthly(fields: &Fields, active: bool) -> Option<Decimal> {
    if !active {
        return Some(Decimal::ZERO);
    }
    let Some(Value::Count(count)) = fields.get(FieldName::Quantity) else { return None };
    if count.get() == 0 {
        return Some(Decimal::ZERO);
    }
    match fields.get(FieldName::Price) {
        Some(Value::Amount(price)) => price.get().checked_mul(Decimal::from(count.get())),
        _ => None,
    }
}

/// How much a row changes the money a month. `after` holds the changed fields; a removal's are in the row itself.
pub(super) fn monthly_delta(found: Option<&Found>, after: &Fields, change: &Change) -> Option<Decimal> {
    let mut fields = found.map(|found| found.fields.clone()).unwrap_or_default();
    let was_active = found.is_some_and(|found| found.is_active);
    let before = found.map_or(Some(Decimal::ZERO), |found| monthly(&found.fields, was_active));
    let mut active = found.is_none_or(|found| found.is_active);
    let own = change.fields.iter().filter_map(|c| c.after.as_ref().map(|after| (c.name, after)));
    let mut touches = found.is_none();
    for (name, value) in after.iter().chain(own) {
        touches |= matches!(name, FieldName::Status | FieldName::Quantity | FieldName::Price);
        if let (FieldName::Status, Value::Active(is)) = (name, value) {
            active = *is;
        }
        fields.set(name, value.clone());
    }
    if !touches {
        return Some(Decimal::ZERO);
    }
    monthly(&fields, active)?.checked_sub(before?)
}
