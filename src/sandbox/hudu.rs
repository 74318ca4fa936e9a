//! The simulated Hudu's records: companies, asset layouts and assets, and what a write does to them.
//!
//! Source: `apis/hudu.md` sections 7 to 9 and 16.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::quirks::{HuduDates, HuduOrder, HuduQuirks};
use super::wire::Answer;

/// Where the clock of the simulated Hudu starts.
const EPOCH: jiff::civil::DateTime = jiff::civil::datetime(2026, 7, 1, 6, 0, 0, 0);

/// What a person may write into a company.
const COMPANY_FIELDS: [&str; 14] = [
    "name",
    "nickname",
    "company_type",
    "id_number",
    "address_line_1",
    "address_line_2",
    "city",
    "state",
    "zip",
    "country_name",
    "phone_number",
    "fax_number",
    "website",
    "notes",
];

/// The exact spellings (hudu.md 8).
const FIELD_TYPES: [&str; 15] = [
    "Text",
    "RichText",
    "Heading",
    "CheckBox",
    "Website",
    "Password",
    "Email",
    "Phone",
    "Number",
    "Date",
    "Embed",
    "AssetTag",
    "ListSelect",
    "AddressData",
    "Dropdown",
];

const PRIMARY: [&str; 4] = ["primary_serial", "primary_mail", "primary_model", "primary_manufacturer"];

/// Hudu's data.
#[derive(Debug)]
pub(super) struct Hudu {
    pub(super) companies: BTreeMap<i64, Company>,
    pub(super) layouts: BTreeMap<i64, Layout>,
    pub(super) assets: BTreeMap<i64, Asset>,
    of_company: HashMap<i64, Vec<i64>>,
    of_layout: HashMap<i64, Vec<i64>>,
    /// Each with its way back under the next number.
    relations: BTreeMap<i64, Relation>,
    next: [i64; 6],
    pub(super) recent: VecDeque<Duration>,
    pub(super) is_awake: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Company {
    fields: Map<String, Value>,
    /// Entries of the integrations that it is matched in.
    integrations: Vec<Value>,
    pub(super) archived: bool,
    stamps: Stamps,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Everything but the fields.
    head: Map<String, Value>,
    fields: Vec<Map<String, Value>>,
    /// A wrong field type makes every reading fail (hudu.md 8).
    pub(super) corrupt: bool,
    stamps: Stamps,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Asset {
    pub(super) company: i64,
    pub(super) layout: i64,
    pub(super) name: Box<str>,
    pub(super) archived: bool,
    primary: [Option<Box<str>>; 4],
    /// By the layout field's id: the value's own id and what is given back.
    values: Vec<(i64, i64, Value)>,
    cards: Vec<Value>,
    stamps: Stamps,
}

#[derive(Debug, Clone)]
struct Relation {
    from: (String, i64),
    to: (String, i64),
    description: Value,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stamps {
    created: Duration,
    updated: Duration,
}

impl Default for Hudu {
    fn default() -> Self {
        Self {
            companies: BTreeMap::new(),
            layouts: BTreeMap::new(),
            assets: BTreeMap::new(),
            of_company: HashMap::new(),
            of_layout: HashMap::new(),
            relations: BTreeMap::new(),
            next: [41, 7, 101, 501, 9_001, 701],
            recent: VecDeque::new(),
            is_awake: false,
        }
    }
}

/// Which list or record is meant.
#[derive(Debug, Clone, Copy)]
enum Next {
    Company,
    Layout,
    LayoutField,
    Asset,
    Value,
    Relation,
}

/// A 422 of the newer resources.
fn invalid(details: impl Into<String>) -> Answer {
    Answer::json(422, &json!({"error": "Validation failed", "details": [details.into()]}))
}

fn invalid_fields(details: impl Into<String>) -> Answer {
    Answer::json(422, &json!({"error": "Invalid custom fields", "details": [details.into()]}))
}

pub(super) fn missing_parameter(name: &str) -> Answer {
    let details = format!("param is missing or the value is empty: {name}");
    Answer::json(400, &json!({"error": "Parameter missing", "details": details}))
}

pub(super) fn internal() -> Answer {
    Answer::json(500, &json!({"status": 500, "error": "Internal Server Error"}))
}

pub(super) fn no_such_company(id: i64, quirks: &HuduQuirks) -> Answer {
    if quirks.missing_company_null {
        return Answer::json(200, &Value::Null);
    }
    let details = format!("Couldn't find Company with 'id'={id}");
    Answer::json(404, &json!({"error": "Resource not found", "details": details}))
}

pub(super) fn no_such_asset() -> Answer {
    Answer::json(404, &json!({"error": "Asset not found"}))
}

fn moment(at: Duration) -> String {
    let at = jiff::SignedDuration::try_from(at).unwrap_or_default();
    let at = EPOCH.checked_add(at).unwrap_or(EPOCH);
    format!("{}.{:03}Z", at.strftime("%Y-%m-%dT%H:%M:%S"), at.millisecond())
}

fn slug(kind: &str, id: i64) -> String {
    let mixed = (id as u64 ^ kind.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    format!("{mixed:012x}")
}

/// The key that an asset is written with: any case, spaces or underscores (hudu.md 9).
fn key_form(text: &str) -> String {
    text.trim().to_lowercase().replace(' ', "_")
}

impl Hudu {
    fn new_id(&mut self, of: Next) -> i64 {
        let next = &mut self.next[of as usize];
        *next += 1;
        *next - 1
    }

    pub(super) fn company_json(&self, id: i64, base: &str) -> Option<Value> {
        let company = self.companies.get(&id)?;
        let slug = slug("company", id);
        let mut json = json!({"id": id, "slug": slug});
        for name in COMPANY_FIELDS {
            json[name] = company.fields.get(name).cloned().unwrap_or(Value::Null);
        }
        let full = format!("{base}/c/{slug}");
        json["parent_company_id"] = Value::Null;
        json["parent_company_name"] = Value::Null;
        json["archived"] = company.archived.into();
        json["object_type"] = "Company".into();
        json["url"] = format!("/c/{slug}").into();
        json["passwords_url"] = format!("{full}/passwords").into();
        json["knowledge_base_url"] = format!("{full}/kba").into();
        json["full_url"] = full.into();
        json["created_at"] = moment(company.stamps.created).into();
        json["updated_at"] = moment(company.stamps.updated).into();
        json["integrations"] = company.integrations.clone().into();
        Some(json)
    }

    pub(super) fn layout_json(&self, id: i64) -> Option<Value> {
        let layout = self.layouts.get(&id)?;
        let mut json = json!({
            "id": id, "slug": slug("layout", id), "sidebar_folder_id": null, "location": false,
            "include_passwords": false, "include_photos": false, "include_comments": true, "include_files": true,
            "created_at": moment(layout.stamps.created), "updated_at": moment(layout.stamps.updated),
            "fields": layout.fields,
        });
        for (name, value) in &layout.head {
            json[name.as_str()] = value.clone();
        }
        Some(json)
    }

    pub(super) fn asset_json(&self, id: i64, base: &str, quirks: &HuduQuirks) -> Option<Value> {
        let asset = self.assets.get(&id)?;
        let layout = self.layouts.get(&asset.layout)?;
        let slug = slug("asset", id);
        let company = self.companies.get(&asset.company);
        let mut fields: Vec<Value> = layout
            .fields
            .iter()
            .filter_map(|field| {
                let field_id = field["id"].as_i64()?;
                let (_, value_id, value) = asset.values.iter().find(|(of, ..)| *of == field_id)?;
                Some(json!({
                    "id": value_id, "label": field["label"], "position": field["position"],
                    "value": self.given_back(field["field_type"].as_str()?, value, quirks),
                }))
            })
            .collect();
        fields.sort_by_key(|field| field["position"].as_i64());
        let mut json = json!({
            "id": id, "company_id": asset.company, "asset_layout_id": asset.layout, "slug": slug, "name": asset.name,
            "company_name": company.and_then(|c| c.fields.get("name")), "object_type": "Asset",
            "asset_type": layout.head.get("name"), "archived": asset.archived, "url": format!("{base}/a/{slug}"),
            "created_at": moment(asset.stamps.created), "updated_at": moment(asset.stamps.updated),
            "fields": fields, "cards": asset.cards,
        });
        for (name, value) in PRIMARY.iter().zip(&asset.primary) {
            json[*name] = json!(value);
        }
        Some(json)
    }

    /// A value as an answer shows it (hudu.md 9.1).
    fn given_back(&self, kind: &str, value: &Value, quirks: &HuduQuirks) -> Value {
        match kind {
            "Date" => {
                let text = value.as_str().unwrap_or_default();
                match (quirks.dates, day(text)) {
                    (HuduDates::AsSent, _) | (_, None) => value.clone(),
                    (HuduDates::Iso, Some(day)) => day.to_string().into(),
                    (HuduDates::American, Some(day)) => day.strftime("%m/%d/%Y").to_string().into(),
                }
            }
            "AssetTag" => {
                let tags: Vec<Value> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_i64)
                    .filter_map(|id| {
                        let name = &self.assets.get(&id)?.name;
                        Some(json!({"id": id, "url": format!("/a/{}", slug("asset", id)), "name": name}))
                    })
                    .collect();
                Value::Array(tags).to_string().into()
            }
            _ => value.clone(),
        }
    }

    /// Whether another company, archived or not, has this name.
    fn is_taken(&self, name: &str, but: Option<i64>, quirks: &HuduQuirks) -> bool {
        self.companies.iter().any(|(id, company)| {
            Some(*id) != but
                && !(quirks.archived_names_free && company.archived)
                && company.fields.get("name").and_then(Value::as_str) == Some(name)
        })
    }

    /// Creates a company or changes the fields that are given.
    pub(super) fn save_company(
        &mut self,
        id: Option<i64>,
        sent: &Map<String, Value>,
        now: Duration,
        quirks: &HuduQuirks,
    ) -> Result<i64, Answer> {
        let mut company = id.and_then(|id| self.companies.get(&id).cloned()).unwrap_or_default();
        for name in COMPANY_FIELDS {
            if let Some(value) = sent.get(name) {
                if !(value.is_string() || value.is_null()) {
                    return Err(internal());
                }
                company.fields.insert(name.to_owned(), value.clone());
            }
        }
        let name = company.fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if name.trim().is_empty() {
            return Err(invalid("Name can't be blank"));
        }
        if self.is_taken(&name, id, quirks) {
            return Err(invalid("Name has already been taken"));
        }
        let id = id.unwrap_or_else(|| {
            company.stamps.created = now;
            self.new_id(Next::Company)
        });
        company.stamps.updated = now;
        self.next[Next::Company as usize] = self.next[Next::Company as usize].max(id + 1);
        self.companies.insert(id, company);
        Ok(id)
    }

    /// Creates a layout, or merges what is given into one.
    pub(super) fn save_layout(
        &mut self,
        id: Option<i64>,
        sent: &Map<String, Value>,
        now: Duration,
        quirks: &HuduQuirks,
    ) -> Result<i64, Answer> {
        let new = id.is_none();
        let fields = sent.get("fields").and_then(Value::as_array).ok_or_else(internal)?;
        if new && ["name", "icon", "color", "icon_color"].iter().any(|name| !sent.contains_key(*name)) {
            return Err(internal());
        }
        let mut layout = id.and_then(|id| self.layouts.get(&id).cloned()).unwrap_or_default();
        for name in ["name", "icon", "color", "icon_color", "active"] {
            if let Some(value) = sent.get(name) {
                layout.head.insert(name.to_owned(), value.clone());
            }
        }
        if new {
            let active = layout.head.get("active").and_then(Value::as_bool).unwrap_or(true);
            layout.head.insert("active".into(), (active && !quirks.new_layouts_inactive).into());
            layout.stamps.created = now;
        }
        for field in fields {
            let field = field.as_object().ok_or_else(internal)?;
            let known = field.get("id").and_then(Value::as_i64);
            let place = known.and_then(|id| layout.fields.iter().position(|f| f["id"].as_i64() == Some(id)));
            let kind = field.get("field_type").and_then(Value::as_str);
            layout.corrupt |= kind.is_some_and(|kind| !FIELD_TYPES.contains(&kind));
            if let Some(place) = place {
                if field.get("_destroy").and_then(Value::as_bool) == Some(true) {
                    layout.fields.remove(place);
                } else {
                    for (name, value) in field {
                        layout.fields[place].insert(name.clone(), value.clone());
                    }
                }
                continue;
            }
            let label = field.get("label").and_then(Value::as_str).unwrap_or_default();
            if label.is_empty() || kind.is_none() || (new && !field.contains_key("position")) {
                return Err(internal());
            }
            if layout.fields.iter().any(|f| f["label"].as_str() == Some(label)) {
                let error = "Asset layout fields label has already been taken";
                return Err(Answer::json(422, &json!({"errors": [error]})));
            }
            let mut whole = json!({
                "id": self.new_id(Next::LayoutField), "label": label, "show_in_list": false, "field_type": kind,
                "required": null, "hint": "", "min": null, "max": null, "linkable_id": null, "expiration": false,
                "options": "", "position": layout.fields.len() + 1, "is_destroyed": false, "list_id": null,
                "multiple_options": false,
            });
            for (name, value) in field.iter().filter(|(name, _)| name.as_str() != "id") {
                whole[name.as_str()] = value.clone();
            }
            if let Value::Object(whole) = whole {
                layout.fields.push(whole);
            }
        }
        layout.stamps.updated = now;
        let id = id.unwrap_or_else(|| self.new_id(Next::Layout));
        self.next[Next::Layout as usize] = self.next[Next::Layout as usize].max(id + 1);
        self.layouts.insert(id, layout);
        Ok(id)
    }

    /// Creates an asset of a company, or changes what is given of one.
    pub(super) fn save_asset(
        &mut self,
        company: i64,
        id: Option<i64>,
        sent: &Map<String, Value>,
        now: Duration,
        quirks: &HuduQuirks,
    ) -> Result<i64, Answer> {
        let mut asset = id.and_then(|id| self.assets.get(&id).cloned()).unwrap_or_default();
        if let Some(name) = sent.get("name") {
            asset.name = name.as_str().unwrap_or_default().into();
        }
        if id.is_none() {
            asset.company = company;
            asset.layout = sent.get("asset_layout_id").and_then(Value::as_i64).unwrap_or_default();
            asset.stamps.created = now;
        }
        if asset.name.trim().is_empty() {
            return Err(invalid("Name can't be blank"));
        }
        let Some(layout) = self.layouts.get(&asset.layout).cloned() else {
            return Err(invalid("Asset layout must exist"));
        };
        for (name, slot) in PRIMARY.iter().zip(&mut asset.primary) {
            if let Some(value) = sent.get(*name) {
                *slot = value.as_str().map(Into::into);
            }
        }
        let custom = match sent.get("custom_fields") {
            None => Vec::new(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).flatten().collect(),
            Some(_) => {
                return Err(invalid_fields("custom_fields must be an array of objects (use [ ] not { })."));
            }
        };
        let mut unknown = Vec::new();
        for (key, value) in custom {
            let field = layout
                .fields
                .iter()
                .find(|field| key_form(field["label"].as_str().unwrap_or_default()) == key_form(key));
            match field {
                Some(field) => self.put_value(&mut asset, field, value)?,
                None => unknown.push(key.as_str()),
            }
        }
        if !unknown.is_empty() && !quirks.drop_unknown_fields {
            return Err(invalid_fields(format!("Invalid field names: {}", unknown.join(", "))));
        }
        asset.stamps.updated = now;
        Ok(self.insert_asset(id, asset))
    }

    fn insert_asset(&mut self, id: Option<i64>, asset: Asset) -> i64 {
        let id = id.unwrap_or_else(|| self.new_id(Next::Asset));
        self.next[Next::Asset as usize] = self.next[Next::Asset as usize].max(id + 1);
        if !self.assets.contains_key(&id) {
            self.of_company.entry(asset.company).or_default().push(id);
            self.of_layout.entry(asset.layout).or_default().push(id);
        }
        self.assets.insert(id, asset);
        id
    }

    fn put_value(
        &mut self,
        asset: &mut Asset,
        field: &Map<String, Value>,
        value: &Value,
    ) -> Result<(), Answer> {
        let label = field["label"].as_str().unwrap_or_default();
        let id = field["id"].as_i64().unwrap_or_default();
        let blank = value.is_null() || value.as_str().is_some_and(str::is_empty);
        let refuse = |why: &str| Err(invalid_fields(format!("{label} {why}")));
        match field["field_type"].as_str().unwrap_or_default() {
            _ if blank => {}
            "Website" if !value.as_str().is_some_and(|text| text.starts_with("https://")) => {
                return refuse("must start with https://");
            }
            "Number"
                if value.as_i64().is_none()
                    && value.as_str().and_then(|t| t.parse::<i64>().ok()).is_none() =>
            {
                return refuse("is not a number");
            }
            "Date" if value.as_str().and_then(day).is_none() => return refuse("is not a date"),
            "CheckBox" if !matches!(value.as_str(), Some("true" | "false")) && !value.is_boolean() => {
                return refuse("must be true or false");
            }
            "AddressData" if !value.is_object() => return refuse("must be an address object"),
            "AssetTag" => {
                let ids: Vec<i64> =
                    value.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
                let foreign: Vec<String> = ids
                    .iter()
                    .filter(|id| self.assets.get(id).is_none_or(|other| other.company != asset.company))
                    .map(ToString::to_string)
                    .collect();
                if !value.is_array() || !foreign.is_empty() {
                    let ids = foreign.join(", ");
                    return Err(invalid_fields(format!(
                        "Asset ID(s) {ids} do not exist or do not belong to this company."
                    )));
                }
            }
            "Text" | "RichText" | "Email" | "Phone" if !value.is_string() => return refuse("must be text"),
            "Heading" => return refuse("is display only"),
            _ => {}
        }
        let value_id = asset.values.iter().find(|(of, ..)| *of == id).map(|(_, value_id, _)| *value_id);
        let value_id = value_id.unwrap_or_else(|| self.new_id(Next::Value));
        asset.values.retain(|(of, ..)| *of != id);
        let value = if let Value::Bool(flag) = value { flag.to_string().into() } else { value.clone() };
        asset.values.push((id, value_id, value));
        Ok(())
    }

    /// Moves an asset to another layout; values stay with labels of the same name.
    pub(super) fn move_asset(&mut self, id: i64, to: i64, now: Duration) -> bool {
        let Some(mut asset) = self.assets.get(&id).cloned() else { return false };
        let (Some(from), Some(layout)) = (self.layouts.get(&asset.layout), self.layouts.get(&to)) else {
            return false;
        };
        let values = std::mem::take(&mut asset.values);
        for (of, value_id, value) in values {
            let label = from.fields.iter().find(|f| f["id"].as_i64() == Some(of)).map(|f| f["label"].clone());
            let there = layout.fields.iter().find(|f| Some(&f["label"]) == label.as_ref());
            if let Some(field) = there.and_then(|field| field["id"].as_i64()) {
                asset.values.push((field, value_id, value));
            }
        }
        self.of_layout.entry(asset.layout).or_default().retain(|other| *other != id);
        self.of_layout.entry(to).or_default().push(id);
        asset.layout = to;
        asset.stamps.updated = now;
        self.assets.insert(id, asset);
        true
    }

    pub(super) fn archive(&mut self, company: Option<i64>, id: i64, archived: bool, now: Duration) {
        if company.is_none() {
            if let Some(company) = self.companies.get_mut(&id) {
                (company.archived, company.stamps.updated) = (archived, now);
            }
        } else if let Some(asset) = self.assets.get_mut(&id) {
            (asset.archived, asset.stamps.updated) = (archived, now);
        }
    }

    /// Makes a relation and its way back (hudu.md 12). One that is there, in either direction, is refused.
    pub(super) fn relate(&mut self, sent: &Map<String, Value>) -> Result<i64, Answer> {
        let end = |side: &str| {
            let kind = sent.get(&format!("{side}_type")).and_then(Value::as_str)?;
            Some((kind.to_owned(), sent.get(&format!("{side}_id")).and_then(Value::as_i64)?))
        };
        let (Some(from), Some(to)) = (end("fromable"), end("toable")) else { return Err(internal()) };
        let is_there = |(kind, id): &(String, i64)| match kind.as_str() {
            "Asset" => self.assets.contains_key(id),
            "Company" => self.companies.contains_key(id),
            _ => false,
        };
        if !is_there(&from) || !is_there(&to) {
            return Err(invalid("Fromable and toable must exist"));
        }
        let is_same =
            |one: &Relation| (&one.from, &one.to) == (&from, &to) || (&one.from, &one.to) == (&to, &from);
        if self.relations.values().any(is_same) {
            return Err(invalid("Relation has already been taken"));
        }
        let id = self.new_id(Next::Relation);
        self.new_id(Next::Relation);
        let description = sent.get("description").cloned().unwrap_or(Value::Null);
        self.relations.insert(id, Relation { from, to, description });
        Ok(id)
    }

    /// Takes a relation away, by its number or by that of its way back.
    pub(super) fn unrelate(&mut self, id: i64) -> bool {
        self.relations.remove(&id).or_else(|| self.relations.remove(&(id - 1))).is_some()
    }

    /// Every relation, each followed by its way back.
    pub(super) fn relation_rows(&self) -> Vec<Value> {
        let row = |id: i64, inverse: bool, from: &(String, i64), to: &(String, i64), description: &Value| {
            let name = self.assets.get(&to.1).map(|asset| asset.name.clone());
            json!({
                "id": id, "description": description, "is_inverse": inverse, "name": name,
                "fromable_id": from.1, "fromable_type": from.0, "fromable_url": format!("/a/{}", slug("asset", from.1)),
                "toable_id": to.1, "toable_type": to.0, "toable_url": format!("/a/{}", slug("asset", to.1)),
            })
        };
        self.relations
            .iter()
            .flat_map(|(id, one)| {
                let there = row(*id, false, &one.from, &one.to, &one.description);
                [there, row(id + 1, true, &one.to, &one.from, &one.description)]
            })
            .collect()
    }

    /// Ids of a company's or a layout's assets, or of all, in the order of the switch.
    pub(super) fn asset_ids(&self, company: Option<i64>, layout: Option<i64>, order: HuduOrder) -> Vec<i64> {
        let mut ids: Vec<i64> = match (company, layout) {
            (Some(company), _) => self.of_company.get(&company).cloned().unwrap_or_default(),
            (None, Some(layout)) => self.of_layout.get(&layout).cloned().unwrap_or_default(),
            (None, None) => self.assets.keys().copied().collect(),
        };
        ids.retain(|id| layout.is_none_or(|layout| self.assets[id].layout == layout));
        ids.sort_unstable();
        if order == HuduOrder::Updated {
            ids.sort_by_key(|id| std::cmp::Reverse((self.assets[id].stamps.updated, *id)));
        }
        ids
    }

    pub(super) fn company_ids(&self, order: HuduOrder) -> Vec<i64> {
        let mut ids: Vec<i64> = self.companies.keys().copied().collect();
        if order == HuduOrder::Updated {
            ids.sort_by_key(|id| std::cmp::Reverse((self.companies[id].stamps.updated, *id)));
        }
        ids
    }

    pub(super) fn remove(&mut self, what: &str, id: i64) -> bool {
        match what {
            "companies" => {
                for asset in self.of_company.get(&id).cloned().unwrap_or_default() {
                    self.remove("assets", asset);
                }
                self.companies.remove(&id).is_some()
            }
            "layouts" => {
                for asset in self.of_layout.get(&id).cloned().unwrap_or_default() {
                    self.remove("assets", asset);
                }
                self.layouts.remove(&id).is_some()
            }
            "relations" => self.unrelate(id),
            _ => {
                let Some(asset) = self.assets.remove(&id) else { return false };
                let end = ("Asset".to_owned(), id);
                self.relations.retain(|_, one| one.from != end && one.to != end);
                let groups = [self.of_company.get_mut(&asset.company), self.of_layout.get_mut(&asset.layout)];
                for ids in groups.into_iter().flatten() {
                    ids.retain(|other| *other != id);
                }
                true
            }
        }
    }

    /// By hand: `id` says which record, `archived` and a company's `integrations` may be given too.
    pub(super) fn put(
        &mut self,
        what: &str,
        record: &Value,
        now: Duration,
        quirks: &HuduQuirks,
    ) -> Result<i64, Answer> {
        let sent = record.as_object().ok_or_else(internal)?;
        let id = sent.get("id").and_then(Value::as_i64);
        let archived = sent.get("archived").and_then(Value::as_bool);
        match what {
            "companies" => {
                let id = self.save_company(id, sent, now, quirks)?;
                if let Some(list) = sent.get("integrations").and_then(Value::as_array)
                    && let Some(company) = self.companies.get_mut(&id)
                {
                    company.integrations.clone_from(list);
                }
                if let Some(archived) = archived {
                    self.archive(None, id, archived, now);
                }
                Ok(id)
            }
            "relations" => self.relate(sent),
            "layouts" => self.save_layout(id, sent, now, quirks),
            "assets" => {
                let company = id.and_then(|id| Some(self.assets.get(&id)?.company));
                let company = company.or_else(|| sent.get("company_id")?.as_i64()).ok_or_else(internal)?;
                if !self.companies.contains_key(&company) {
                    return Err(no_such_company(company, quirks));
                }
                let id = self.save_asset(company, id, sent, now, quirks)?;
                if let Some(list) = sent.get("cards").and_then(Value::as_array)
                    && let Some(asset) = self.assets.get_mut(&id)
                {
                    asset.cards.clone_from(list);
                }
                if let Some(archived) = archived {
                    self.archive(Some(company), id, archived, now);
                }
                Ok(id)
            }
            _ => Err(Answer::empty(404)),
        }
    }

    pub(super) fn all_companies(&self) -> Vec<Value> {
        self.companies.keys().filter_map(|id| self.company_json(*id, "")).collect()
    }

    pub(super) fn all_layouts(&self) -> Vec<Value> {
        self.layouts.keys().filter_map(|id| self.layout_json(*id)).collect()
    }

    pub(super) fn all_assets(&self) -> Vec<Value> {
        let quirks = HuduQuirks::default();
        self.assets.keys().filter_map(|id| self.asset_json(*id, "", &quirks)).collect()
    }
}

/// The three spellings that are accepted (hudu.md 9.1).
fn day(text: &str) -> Option<jiff::civil::Date> {
    ["%Y/%m/%d", "%Y-%m-%d", "%m/%d/%Y"].iter().find_map(|form| jiff::civil::Date::strptime(form, text).ok())
}
