//! A Halo customer's own fields, as the write protocol sends and reads them.

use crate::model::{FieldName, Fields, Found, MatchKeys, TargetId, Value};

/// A customer with what its own fields hold; blank ones are not there.
pub fn found(id: &TargetId, held: Vec<(Box<str>, Box<str>)>) -> Found {
    let mut fields = Fields::new();
    for (name, text) in held.into_iter().filter(|(_, text)| !text.trim().is_empty()) {
        fields.set(FieldName::own(&name), Value::text(text));
    }
    Found {
        id: id.clone(),
        name: "".into(),
        parent: None,
        is_active: true,
        marker: None,
        fields,
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    }
}

/// What is sent.
pub fn values(fields: &Fields) -> Vec<(Box<str>, Box<str>)> {
    fields.iter().map(|(name, value)| (name.key().into(), value.to_string().into())).collect()
}
