//! Liongard's rows as the plain types of `model`, and values by the paths that people choose.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::api::row::Row;
use crate::model::liongard::{
    Facts, SourceDevice, SourceEnvironment, SourceInspector, SourceMetric, SourceSystem,
};
use crate::model::text::{Pool, shown};
use crate::model::{Class, Problem, SourceId};

pub fn environment(json: &Json) -> Result<SourceEnvironment, Problem> {
    let wanted = ["ID", "Name", "ShortName", "Website", "Description", "Visible", "IsCustomerView"];
    let row = Row::of(json, &wanted).unwrap_or_default();
    let text = |name: &str| row.get(name).text();
    let name = text("Name").unwrap_or_default();
    let id = row.get("ID").id().filter(|id| *id > 0).ok_or_else(|| no_id("environment", &name))?;
    Ok(SourceEnvironment {
        id: id.into(),
        name,
        short_name: text("ShortName"),
        website: text("Website"),
        description: text("Description"),
        is_visible: row.get("Visible").flag().unwrap_or(true),
        is_customer_view: row.get("IsCustomerView").flag().unwrap_or(false),
    })
}

/// A system. `Environment`, `Launchpoint` and `Inspector` may each be null (9.2).
pub fn system(json: &Json, paths: &[Box<str>], pool: &Pool) -> Result<SourceSystem, Problem> {
    let row = Row::of(json, &["ID", "Name", "Visible"]).unwrap_or_default();
    let name = row.get("Name").text().unwrap_or_default();
    let id = row.get("ID").id().filter(|id| *id > 0).ok_or_else(|| no_id("system", &name))?;
    let part = |name: &str| {
        let row = Row::of(json.get(name)?, &["ID"])?;
        row.get("ID").id().filter(|id| *id > 0)
    };
    Ok(SourceSystem {
        id: id.into(),
        name: pool.share(&name.into()),
        environment: part("Environment").map(|id| SourceId::from(id).shared(pool)),
        inspector: part("Inspector"),
        is_visible: row.get("Visible").flag().unwrap_or(true),
        facts: facts(json, paths, "System", pool),
    })
}

pub fn device(json: &Json, paths: &[Box<str>], pool: &Pool) -> Result<SourceDevice, Problem> {
    let row = Row::of(json, &["ID", "EnvironmentID", "InventoryState"]).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(words).map(|text| pool.share(&text));
    let name = text("Hostname").unwrap_or_default();
    let id = row.get("ID").text().ok_or_else(|| no_id("device", &name))?;
    let environment = row.get("EnvironmentID").id().filter(|id| *id > 0);
    let environment = environment.ok_or_else(|| {
        Problem::new(Class::Record, format!("Liongard's device {} names no environment.", shown(&id)))
    })?;
    Ok(SourceDevice {
        id: SourceId::new(&id),
        environment: SourceId::from(environment).shared(pool),
        hostname: text("Hostname"),
        serial: text("SerialNumber"),
        alias: text("Alias"),
        state: text("InventoryState").unwrap_or_default(),
        facts: facts(json, paths, "Device", pool),
    })
}

pub fn inspector(json: &Json) -> Option<SourceInspector> {
    let row = Row::of(json, &["ID", "Name", "Alias"])?;
    let alias = row.get("Alias").text().or_else(|| row.get("Name").text())?;
    Some(SourceInspector { id: row.get("ID").id()?, alias })
}

/// `UUID` in practice, `UUIDS` in the document (12).
pub fn metric(json: &Json) -> Option<SourceMetric> {
    let row = Row::of(json, &["Name", "UUID", "UUIDS"])?;
    let uuid = row.get("UUID").text().or_else(|| row.get("UUIDS").text())?;
    let inspector = json.get("Inspector").and_then(|part| Row::of(part, &["ID"])?.get("ID").id());
    Some(SourceMetric { uuid, name: row.get("Name").text().unwrap_or_default(), inspector })
}

/// The values at the paths: `System.Name` and `Device.Category` are the record's own members, `Inspector.Alias` those
/// of a part. Paths that belong to another kind of record have no value.
fn facts(json: &Json, paths: &[Box<str>], own: &str, pool: &Pool) -> Facts {
    let value = |path: &str| {
        let (part, rest) = path.split_once('.')?;
        let start = if part == own { json } else { json.get(part).filter(|part| part.is_object())? };
        let found = rest.split('.').try_fold(start, |json, name| json.get(name))?;
        words(found).map(|text| pool.share(&text))
    };
    paths.iter().map(|path| value(path)).collect()
}

/// A value in words: numbers and flags as they are written, lists joined by commas, also lists that are written as a
/// PostgreSQL array inside a text (7). Blank, null and objects are none.
pub fn words(json: &Json) -> Option<Arc<str>> {
    let text = match json {
        Json::String(text) => postgres_list(text).unwrap_or_else(|| text.trim().to_owned()),
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        Json::Array(items) => {
            let words: Vec<Arc<str>> = items.iter().filter_map(words).collect();
            words.join(", ")
        }
        Json::Null | Json::Object(_) => return None,
    };
    (!text.is_empty()).then(|| text.into())
}

/// `{"10.10.24.39","fe80::1"}` as `10.10.24.39, fe80::1`; `None` for any other text.
fn postgres_list(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.is_empty() {
        return Some(String::new());
    }
    // What else is written in braces, such as a JSON object or a GUID, stays as it is.
    if !inner.starts_with('"') && !inner.contains(',') || inner.contains("\":") {
        return None;
    }
    let items = inner.split(',').map(|item| item.trim().trim_matches('"').trim());
    Some(items.filter(|item| !item.is_empty() && *item != "NULL").collect::<Vec<_>>().join(", "))
}

fn no_id(what: &str, name: &str) -> Problem {
    Problem::new(
        Class::Record,
        format!("A {what} that Liongard listed ('{}') has no usable id.", shown(name)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_in_every_spelling_become_words() {
        let read = |json: Json| words(&json).map(|text| text.to_string());
        assert_eq!(read(json!("{\"10.10.24.39\"}")).as_deref(), Some("10.10.24.39"));
        assert_eq!(read(json!("{\"10.1.1.1\",\"fe80::1\"}")).as_deref(), Some("10.1.1.1, fe80::1"));
        assert_eq!(read(json!("{10.1.1.1,10.1.1.2}")).as_deref(), Some("10.1.1.1, 10.1.1.2"));
        assert_eq!(read(json!(["a", null, " ", 2])).as_deref(), Some("a, 2"));
        assert_eq!(read(json!(" Dell Inc. ")).as_deref(), Some("Dell Inc."));
        assert_eq!(read(json!(16)).as_deref(), Some("16"));
        for kept in ["{0b6f1a3e}", "{\"TIMEOUT\":5}"] {
            assert_eq!(read(json!(kept)).as_deref(), Some(kept));
        }
        for none in [json!(null), json!("  "), json!("{}"), json!([]), json!({"a": 1})] {
            assert_eq!(read(none.clone()), None, "{none}");
        }
    }
}
