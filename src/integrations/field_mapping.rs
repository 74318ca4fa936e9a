//! Values of one system as a field of another takes them: by the kind of the field, never by a guess (L15, P25).

use std::collections::HashMap;

use rust_decimal::Decimal;

use crate::model::asset::{AssetField, FieldKind};
use crate::model::date::Date;
use crate::model::text::shown;
use crate::model::{FieldName, Value};

/// What a text field takes where it does not say (apis/halopsa.md names no limit).
pub const TEXT_LIMIT: usize = 4000;

/// A source's words as a value of the field; the sentence says why they are none.
///
/// # Errors
/// They do not fit the kind of the field, are too long, or are not among its choices.
pub fn convert(text: &str, field: &AssetField) -> Result<Value, String> {
    let text = text.trim();
    let quoted = || {
        let short: String = shown(text).chars().take(40).collect();
        format!("'{short}'")
    };
    let no = |what: &str| Err(format!("{} is no {what} for the field {}", quoted(), field.name));
    match field.kind {
        FieldKind::Text => {
            let limit = field.limit.map_or(TEXT_LIMIT, |limit| limit as usize);
            let length = text.chars().count();
            if length > limit {
                return Err(format!(
                    "its {length} characters are more than the {limit} that the field {} takes",
                    field.name
                ));
            }
            Ok(Value::text(text))
        }
        FieldKind::Number => number(text).map_or_else(|| no("number"), |number| Ok(Value::text(number))),
        FieldKind::Date => date(text).map_or_else(|| no("date"), |date| Ok(Value::Date(date))),
        FieldKind::Flag => flag(text).map_or_else(|| no("yes or no"), |flag| Ok(Value::Flag(flag))),
        FieldKind::List => {
            let chosen = field.options.iter().find(|(_, words)| words.trim().eq_ignore_ascii_case(text));
            chosen.map_or_else(|| no("choice"), |(_, words)| Ok(Value::text(words)))
        }
    }
}

/// What the target holds, in the same form; blank is nothing, and so is what does not read as its kind.
pub fn held(text: &str, kind: FieldKind) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match kind {
        FieldKind::Text | FieldKind::List => Some(Value::text(text)),
        // What cannot be read is still there: it is shown, and replaced as any other value.
        FieldKind::Number => Some(Value::text(number(text).unwrap_or_else(|| text.to_owned()))),
        FieldKind::Date => Some(date(text).map_or_else(|| Value::text(text), Value::Date)),
        FieldKind::Flag => Some(flag(text).map_or_else(|| Value::text(text), Value::Flag)),
    }
}

/// The value as the target's API takes it: of a list the id of the choice.
///
/// # Errors
/// The choice is no longer there.
pub fn written(value: &Value, field: &AssetField) -> Result<Box<str>, String> {
    match (field.kind, value) {
        (FieldKind::List, Value::Text(words)) => field
            .options
            .iter()
            .find(|(_, option)| option.trim() == words.trim())
            .map(|(id, _)| id.to_string().into())
            .ok_or_else(|| format!("'{}' is no longer a choice of the field {}", shown(words), field.name)),
        (_, Value::Flag(flag)) => Ok(flag.to_string().into()),
        (_, value) => Ok(value.to_string().into()),
    }
}

/// A decimal number in its shortest form; a decimal comma is one where nothing else separates.
pub fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = if text.matches(',').count() == 1 && !text.contains('.') {
        text.replace(',', ".")
    } else {
        text.to_owned()
    };
    let number: Decimal = plain.parse().ok()?;
    Some(number.normalize().to_string())
}

/// A day: RFC 3339, the same without a zone, with a space or slashes, or the date alone (apis/liongard.md 7). The day
/// stays as it is written. Days before 1902 are "not set".
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let day = text.get(..10)?;
    let rest = text.get(10..)?;
    let time_follows = rest.is_empty() || rest.starts_with(['T', 't', ' ']) && rest.get(1..)?.contains(':');
    let day: Date = day.replace('/', "-").parse().ok()?;
    (time_follows && day.year() >= 1902).then_some(day)
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// The fields of assets that can be written, each under one label, however many share a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets(Vec<(FieldName, AssetField)>);

impl Targets {
    pub fn new(fields: &[AssetField]) -> Self {
        // Counted once: a chooser settles hundreds of fields at every key.
        let folded = |field: &AssetField| field.name.trim().to_ascii_lowercase();
        let mut count: HashMap<String, u32> = HashMap::new();
        for field in fields {
            *count.entry(folded(field)).or_default() += 1;
        }
        let label = |field: &AssetField| {
            if count.get(&folded(field)).is_some_and(|count| *count > 1) {
                FieldName::own(&format!("{} ({})", field.name.trim(), field.id))
            } else {
                FieldName::own(field.name.trim())
            }
        };
        Self(fields.iter().map(|field| (label(field), field.clone())).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &(FieldName, AssetField)> {
        self.0.iter()
    }

    pub fn get(&self, name: FieldName) -> Option<&AssetField> {
        self.0.iter().find(|(label, _)| *label == name).map(|(_, field)| field)
    }

    /// The field that a person named: by its label, by its name where only one has it, or by its id.
    ///
    /// # Errors
    /// None has the name, or several.
    pub fn named(&self, text: &str) -> Result<&(FieldName, AssetField), String> {
        let text = text.trim();
        let is = |one: &&(FieldName, AssetField)| one.0.key() == text || one.1.id.as_str() == text;
        if let Some(one) = self.0.iter().find(is) {
            return Ok(one);
        }
        // A label with the id stays good when the other field of its name goes.
        let labelled = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
        if let Some((name, id)) = labelled
            && let Some(one) =
                self.0.iter().find(|(_, field)| field.id.as_str() == id && field.name.trim() == name)
        {
            return Ok(one);
        }
        let same: Vec<_> =
            self.0.iter().filter(|(_, field)| field.name.trim().eq_ignore_ascii_case(text)).collect();
        match same.as_slice() {
            [one] => Ok(one),
            [] => Err(format!("Halo has no asset field '{}'", shown(text))),
            several => {
                let labels: Vec<&str> = several.iter().map(|(label, _)| label.key()).collect();
                Err(format!(
                    "several asset fields are called '{}': name one of {}",
                    shown(text),
                    labels.join(", ")
                ))
            }
        }
    }
}
