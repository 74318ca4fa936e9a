//! The simulated Halo's asset types, groups and fields, and what an asset's list of fields means.
//!
//! Source: `apis/halopsa.md` sections 7 and 9. An asset's values are kept as one text, since there may be hundreds of
//! thousands of assets.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::halo::{exception, unbound};
use super::halo_calls::{bad_id, rows_of};
use super::wire::{Answer, Call};

/// The most characters of a field that declares no length.
const WIDTH: usize = 4000;

/// Asset types, groups and fields.
#[derive(Debug)]
pub(super) struct Registry {
    types: BTreeMap<i64, Map<String, Value>>,
    groups: BTreeMap<i64, Map<String, Value>>,
    fields: BTreeMap<i64, Map<String, Value>>,
    /// Whether fields that a write leaves out are blanked.
    pub(super) blank_missing: bool,
    pub(super) type_list_has_fields: bool,
}

/// The groups, fields and types that a Halo has before anybody imports: (id, name, kind letter) and so on.
const GROUPS: [(i64, &str); 2] = [(3, "Computers"), (4, "Network")];
const FIELDS: [(i64, &str, &str); 12] = [
    (101, "Hostname", "X"),
    (51, "Model", "X"),
    (117, "Serial Number", "X"),
    (118, "Manufacturer", "X"),
    (119, "Operating System", "X"),
    (120, "OS Version", "X"),
    (121, "RAM", "N"),
    (122, "IP Address", "X"),
    (123, "Warranty End", "D"),
    (124, "Purchase Date", "D"),
    (125, "Rack", "X"),
    (126, "Lease", "L"),
];
const TYPES: [(i64, &str, i64, &[i64]); 3] = [
    (130, "Laptop", 3, &[101, 51, 117, 118, 119, 120, 121, 122, 123, 124, 126]),
    (131, "Server", 3, &[101, 51, 117, 118, 119, 120, 121, 122, 123, 124, 125]),
    (132, "Firewall", 4, &[101, 51, 117, 118, 122, 123, 124]),
];

impl Default for Registry {
    fn default() -> Self {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let mut registry = Self {
            types: BTreeMap::new(),
            groups: BTreeMap::new(),
            fields: BTreeMap::new(),
            blank_missing: true,
            type_list_has_fields: true,
        };
        for (id, name) in GROUPS {
            registry.groups.insert(id, map(json!({"name": name})));
        }
        for (id, name, letter) in FIELDS {
            let mut field = json!({"name": name, "kind": "T", "validate": letter});
            if letter == "L" {
                field["validate"] = "X".into();
                field["lookup"] = 61.into();
                field["values"] = json!([{"id": 1, "name": "Owned"}, {"id": 2, "name": "Leased"}]);
            }
            if id == 125 {
                field["datalength"] = 20.into();
            }
            registry.fields.insert(id, map(field));
        }
        for (id, name, group, fields) in TYPES {
            let rows: Vec<Value> = fields.iter().map(|field| json!({"field_id": field})).collect();
            let keys = (fields.first(), fields.get(1), fields.get(2));
            registry.types.insert(
                id,
                map(json!({
                    "name": name, "assetgroup_id": group, "fields": rows, "keyfield_id": keys.0,
                    "keyfield2_id": keys.1, "keyfield3_id": keys.2,
                })),
            );
        }
        registry
    }
}

impl Registry {
    pub(super) fn type_name(&self, id: i64) -> &str {
        self.types.get(&id).and_then(|row| row.get("name")?.as_str()).unwrap_or_default()
    }

    pub(super) fn everything(&self, shelf: &str) -> Vec<Value> {
        let ids: Vec<i64> = self.shelf(shelf).keys().copied().collect();
        ids.into_iter().filter_map(|id| self.show(shelf, id, true)).collect()
    }

    pub(super) fn put(&mut self, shelf: &str, row: &Value) -> Result<i64, String> {
        let row = row.as_object().ok_or("a record is a JSON object")?;
        let id = row.get("id").and_then(Value::as_i64);
        self.save(shelf, id, row).map(|(id, _)| id)
    }

    fn shelf(&self, shelf: &str) -> &BTreeMap<i64, Map<String, Value>> {
        match shelf {
            "types" => &self.types,
            "groups" => &self.groups,
            _ => &self.fields,
        }
    }

    fn save(
        &mut self,
        shelf: &str,
        id: Option<i64>,
        sent: &Map<String, Value>,
    ) -> Result<(i64, bool), String> {
        let known = |rows: &BTreeMap<i64, Map<String, Value>>, name: &str| {
            sent.get(name).and_then(whole).is_none_or(|id| id <= 0 || rows.contains_key(&id))
        };
        if shelf == "types" && !known(&self.groups, "assetgroup_id") {
            return Err("The selected Asset Group does not exist".to_owned());
        }
        if let Some(rows) = sent.get("fields").filter(|_| shelf == "types") {
            let rows = rows.as_array().ok_or("The fields of an Asset Type are a list")?;
            if !rows.iter().all(|row| {
                row.get("field_id").and_then(whole).is_some_and(|id| self.fields.contains_key(&id))
            }) {
                return Err("A field of the Asset Type does not exist".to_owned());
            }
        }
        if shelf == "fields" && sent.get("kind").is_none() && id.is_none() {
            return Err("Field kind must be specified".to_owned());
        }
        let rows = match shelf {
            "types" => &mut self.types,
            "groups" => &mut self.groups,
            _ => &mut self.fields,
        };
        let first = match shelf {
            "types" => 130,
            "groups" => 3,
            _ => 101,
        };
        let created = id.is_none_or(|id| !rows.contains_key(&id));
        let id = id.unwrap_or_else(|| rows.keys().next_back().map_or(first, |last| last + 1));
        let mut row = rows.get(&id).cloned().unwrap_or_default();
        for (name, value) in sent.iter().filter(|(name, value)| *name != "id" && !value.is_null()) {
            row.insert(name.clone(), value.clone());
        }
        if row.get("name").and_then(Value::as_str).unwrap_or_default().trim().is_empty() {
            return Err("A name must be entered".to_owned());
        }
        if shelf == "types" && row.get("assetgroup_id").and_then(whole).is_none_or(|id| id <= 0) {
            return Err("An Asset Group must be selected".to_owned());
        }
        rows.insert(id, row);
        Ok((id, created))
    }

    /// One row as Halo shows it.
    fn show(&self, shelf: &str, id: i64, single: bool) -> Option<Value> {
        let row = self.shelf(shelf).get(&id)?;
        let text = |name: &str| row.get(name).cloned().unwrap_or_else(|| "".into());
        Some(match shelf {
            "groups" => json!({
                "id": id, "guid": guid(id), "name": text("name"), "connector": false, "showasitem": false,
                "showasequip": true, "sequence": 0, "isfixedasset": false,
            }),
            "fields" => {
                let number = |name: &str| row.get(name).cloned().unwrap_or_else(|| 0.into());
                let mut shown = json!({
                    "guid": guid(id), "kind": text("kind"), "id": id, "name": text("name"),
                    "validate": row.get("validate").cloned().unwrap_or_else(|| "X".into()), "systemuse": 0,
                    "url": "", "idstring": id.to_string(), "datafrom": 0, "datalength": number("datalength"),
                    "issoftware": false, "sequence": 0, "lookup": number("lookup"), "mandatory": false,
                    "parenttype_id": 0, "access_level": 0,
                });
                if let Some(values) = row.get("values") {
                    shown["values"] = values.clone();
                }
                shown
            }
            _ => {
                let group = row.get("assetgroup_id").and_then(whole).unwrap_or_default();
                let group_name = self.groups.get(&group).and_then(|row| row.get("name")).cloned();
                let mut shown = json!({
                    "id": id, "guid": guid(id), "name": text("name"), "assetgroup_id": group,
                    "assetgroup_name": group_name.unwrap_or_else(|| "".into()), "allowall_status": true,
                    "tagprefix": "", "use": 5, "visibility_level": 0, "show_to_users": true,
                });
                for key in ["keyfield", "keyfield2", "keyfield3"] {
                    let field = self.key(id, key).unwrap_or(-1);
                    shown[format!("{key}_id")] = field.into();
                    shown[format!("{key}_name")] = self.field_name(field).into();
                }
                if single || self.type_list_has_fields {
                    let rows = self.fields_of(id).into_iter().enumerate().map(|(at, field)| {
                        json!({
                            "id": (501 + at) as f64, "field_id": field as f64, "field_name": self.field_name(field),
                            "typeinfo_id": (501 + at) as f64, "sequence": at + 1, "keyfield_id": field.to_string(),
                            "type": "X", "tab_id": 0, "tab_name": "", "techdetail": 1, "userdetail": 0,
                        })
                    });
                    shown["fields"] = rows.collect();
                }
                shown
            }
        })
    }

    fn field_name(&self, id: i64) -> &str {
        self.fields.get(&id).and_then(|row| row.get("name")?.as_str()).unwrap_or_default()
    }

    fn fields_of(&self, kind: i64) -> Vec<i64> {
        let rows = self.types.get(&kind).and_then(|row| row.get("fields")?.as_array());
        rows.into_iter().flatten().filter_map(|row| whole(row.get("field_id")?)).collect()
    }

    fn key(&self, kind: i64, name: &str) -> Option<i64> {
        self.types.get(&kind)?.get(&format!("{name}_id")).and_then(whole).filter(|id| *id > 0)
    }

    /// The value of one of the three fields that a type shows in lists.
    pub(super) fn key_value(&self, kind: i64, name: &str, kept: &str) -> String {
        let column = name.replacen("key_field", "keyfield", 1);
        let Some(field) = self.key(kind, &column) else { return String::new() };
        unpack(kept).into_iter().find(|(id, _)| *id == field).map(|(_, value)| value).unwrap_or_default()
    }

    /// What an asset's fields are after a write: those of its type, checked, the others blank or as they were.
    pub(super) fn settle(&self, kind: i64, sent: &str, before: &str) -> Result<String, String> {
        if !self.types.contains_key(&kind) {
            return Err("The selected Asset Type does not exist".to_owned());
        }
        let of_type = self.fields_of(kind);
        let mut values = if self.blank_missing && sent != before { Vec::new() } else { unpack(before) };
        for (id, value) in unpack(sent) {
            // A field of another type is dropped without a word.
            if !of_type.contains(&id) {
                continue;
            }
            self.check(id, &value)?;
            match values.iter_mut().find(|(other, _)| *other == id) {
                Some((_, kept)) => *kept = value,
                None => values.push((id, value)),
            }
        }
        values.retain(|(id, value)| !value.is_empty() && of_type.contains(id));
        Ok(pack(&values))
    }

    fn check(&self, id: i64, value: &str) -> Result<(), String> {
        let Some(row) = self.fields.get(&id) else { return Ok(()) };
        let name = self.field_name(id);
        let width = row.get("datalength").and_then(whole).filter(|width| *width > 0);
        if value.chars().count() > width.map_or(WIDTH, |width| width as usize) {
            return Err(format!(
                "A database error occurred (2628) - String or binary data would be truncated in column '{name}'."
            ));
        }
        let letter = row.get("validate").and_then(Value::as_str).unwrap_or("X");
        let options = row.get("values").and_then(Value::as_array);
        let fits = match letter {
            _ if value.is_empty() => true,
            "D" => value.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok()),
            "N" => value.trim().parse::<f64>().is_ok(),
            "C" => matches!(value, "true" | "false" | "True" | "False" | "0" | "1"),
            _ => options.is_none_or(|rows| {
                rows.iter().any(|row| row["id"].as_i64().is_some_and(|id| id.to_string() == value))
            }),
        };
        if fits { Ok(()) } else { Err(format!("The value of the field '{name}' is not valid")) }
    }

    /// All fields of the asset's type, blank ones too (7.1).
    pub(super) fn shown(&self, kind: i64, kept: &str) -> Value {
        let values = unpack(kept);
        let row = |(at, id): (usize, i64)| {
            let value = values.iter().find(|(other, _)| *other == id).map_or("", |(_, value)| value);
            let field = self.fields.get(&id);
            let number = |name: &str| field.and_then(|row| row.get(name)).and_then(whole).unwrap_or(0);
            let options = field.and_then(|row| row.get("values")?.as_array());
            let display = options
                .into_iter()
                .flatten()
                .find(|row| row["id"].as_i64().is_some_and(|id| id.to_string() == value))
                .and_then(|row| row["name"].as_str())
                .unwrap_or(value);
            json!({
                "id": id, "name": self.field_name(id), "value": value, "display": display,
                "validate": field.and_then(|row| row.get("validate")).cloned().unwrap_or_else(|| "X".into()),
                "lookup": number("lookup"), "mandatory": false, "showonactivity": false, "systemuse": 0,
                "parenttype_id": 0, "access_level": 0, "typeinfo_id": 501 + at,
            })
        };
        self.fields_of(kind).into_iter().enumerate().map(row).collect()
    }
}

/// Answers the calls on types, groups and fields: bare lists, one, and writes.
pub(super) fn answer(registry: &mut Registry, call: &Call, endpoint: &str, id: Option<&str>) -> Answer {
    let shelf = match endpoint {
        "assettype" => "types",
        "assetgroup" => "groups",
        _ => "fields",
    };
    match (call.method.clone(), id) {
        (Method::GET, None) => {
            let of_kind = |row: &Value| {
                shelf != "fields" || call.query.get("kind").is_none_or(|kind| row["kind"] == kind)
            };
            let ids = registry.shelf(shelf).keys();
            let rows: Vec<Value> =
                ids.filter_map(|id| registry.show(shelf, *id, false)).filter(of_kind).collect();
            Answer::json(200, &Value::Array(rows))
        }
        (Method::GET, Some(id)) => {
            if shelf == "fields" && call.query.get("kind").is_none() {
                return Answer::json(400, &json!("Field kind must be specified"));
            }
            let Ok(id) = id.parse::<i64>() else { return bad_id(id) };
            registry.show(shelf, id, true).map_or_else(|| Answer::empty(404), |row| Answer::json(200, &row))
        }
        (Method::POST, None) => {
            let rows = match rows_of(call) {
                Ok(rows) => rows,
                Err(refused) => return refused,
            };
            let mut saved = Vec::new();
            let mut any_created = false;
            for (position, row) in rows.iter().enumerate() {
                let Some(row) = row.as_object() else {
                    return unbound(&format!("[{position}]"), "Error converting value to a record.");
                };
                let id = row.get("id").and_then(whole).filter(|id| *id > 0);
                if id.is_some_and(|id| !registry.shelf(shelf).contains_key(&id)) {
                    return Answer::json(400, &json!("Record not found"));
                }
                match registry.save(shelf, id, row) {
                    Ok((id, created)) => {
                        any_created |= created;
                        saved.push(id);
                    }
                    Err(why) if why == "Field kind must be specified" => {
                        return Answer::json(400, &json!(why));
                    }
                    Err(why) => return exception(&why),
                }
            }
            let values: Vec<Value> = saved.iter().filter_map(|id| registry.show(shelf, *id, true)).collect();
            let mut answer = match values.as_slice() {
                [one] => Answer::json(201, one),
                _ => Answer::json(201, &Value::Array(values)),
            };
            answer.wrote = saved.into();
            answer.created = any_created;
            answer
        }
        _ => Answer::empty(405),
    }
}

/// Customers' own fields: id, name, label, type (halopsa.md 9).
const CUSTOM: [(i64, &str, &str, i64); 3] = [
    (201, "CFDistributorAccount", "Distributor account", 0),
    (202, "CFSyncToLiongard", "Sync to Liongard", 6),
    (203, "CFHuduUrl", "Page in Hudu", 0),
];

/// The definitions of an entity's own fields; only customers have any.
pub(super) fn custom_fields(kind: Option<i64>) -> Value {
    let row = |(id, name, label, kind): &(i64, &str, &str, i64)| {
        json!({
            "id": id, "name": name, "label": label, "type": kind, "inputtype": 0, "usage": 2, "characterlimit": 0,
            "mandatory": false, "values": [], "custom": 1,
        })
    };
    if kind == Some(2) { CUSTOM.iter().map(row).collect() } else { json!([]) }
}

/// A customer's own fields with what they hold; blank ones too.
pub(super) fn custom_values(kept: &str) -> Value {
    let kept = unpack(kept);
    let row = |(id, name, label, kind): &(i64, &str, &str, i64)| {
        let value = kept.iter().find(|(other, _)| other == id).map_or("", |(_, value)| value.as_str());
        // A check box is a boolean where it is given back.
        let value = match (kind, value) {
            (6, text) => json!(text.eq_ignore_ascii_case("true")),
            (_, text) => json!(text),
        };
        let display = if *kind == 6 && value == true { json!("Yes") } else { value.clone() };
        json!({
            "id": id, "name": name, "label": label, "summary": "", "type": kind, "inputtype": 0, "usage": 2,
            "characterlimit": 0, "value": value, "display": display, "searchable": true,
        })
    };
    CUSTOM.iter().map(row).collect()
}

/// Checks a sent list of fields and gives it the form it is kept in.
pub(super) fn bind(rows: &[Value], path: &str) -> Result<Value, String> {
    let mut values = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let id = row.get("id").and_then(whole).ok_or_else(|| {
            format!("Required property 'id' not found in JSON. Path '{path}[{at}]', line 1, position 40.")
        })?;
        let value = match row.get("value") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(_) => {
                return Err(format!(
                    "Unexpected character encountered while parsing value: [. Path '{path}[{at}].value', line 1, position 40."
                ));
            }
        };
        values.push((id, value));
    }
    Ok(pack(&values).into())
}

/// Whether any value holds a text, which is given in lower case.
pub(super) fn any_value(kept: &str, wanted: &str) -> bool {
    unpack(kept).iter().any(|(_, value)| value.to_lowercase().contains(wanted))
}

fn pack(values: &[(i64, String)]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

fn unpack(kept: &str) -> Vec<(i64, String)> {
    serde_json::from_str(kept).unwrap_or_default()
}

/// A whole number, also as `12.0` or `"12"`.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn guid(id: i64) -> String {
    format!("00000000-0000-4000-8000-{id:012}")
}
