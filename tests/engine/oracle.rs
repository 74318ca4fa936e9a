//! What is really there, and whether it is what a clean run leaves.

use std::collections::{BTreeMap, BTreeSet};

use parhelion::engine::Engine;
use parhelion::engine::records::{Intent, Write};
use parhelion::model::{Entity, FieldName, JobId, PlanId, Value as FieldValue};
use parhelion::sandbox::{Host, Sandbox};
use serde_json::Value;

/// Halo's records by content: ids and the moments of their making left out, parents by name.
pub fn content(sandbox: &Sandbox) -> BTreeMap<String, Vec<String>> {
    let clients = sandbox.halo_clients();
    let names: BTreeMap<i64, String> = clients
        .iter()
        .map(|c| {
            (
                c["id"].as_i64().expect("an id"),
                format!("{} {}", c["name"].as_str().unwrap_or_default(), text(&c["ref"])),
            )
        })
        .collect();
    let plain = |record: &Value| {
        let mut plain = told_of(record);
        if let Some(client) = record["client_id"].as_i64() {
            plain["client"] = names.get(&client).cloned().unwrap_or_default().into();
        }
        plain.to_string()
    };
    let list = |records: &[Value]| {
        let mut list: Vec<String> = records.iter().map(plain).collect();
        list.sort();
        list
    };
    BTreeMap::from([
        ("clients".into(), list(&clients)),
        ("sites".into(), list(&sandbox.halo_sites())),
        ("licences".into(), list(&sandbox.halo_licences())),
    ])
}

/// What a record says, without ids, moments and what was never filled in.
fn told_of(value: &Value) -> Value {
    let Value::Object(record) = value else { return value.clone() };
    let left_out = |name: &str, value: &Value| {
        let moment = ["datecreated", "alastupdate", "key"].contains(&name);
        let blank = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty() || text.starts_with("1901"),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        name == "id" || name.ends_with("_id") || moment || blank
    };
    record
        .iter()
        .filter(|(name, value)| !left_out(name, value))
        .map(|(name, value)| (name.clone(), told_of(value)))
        .collect()
}

/// The first difference of two states, in words.
pub fn difference(
    is: &BTreeMap<String, Vec<String>>,
    should: &BTreeMap<String, Vec<String>>,
) -> Option<String> {
    for (list, should) in should {
        let is = &is[list];
        let (mut extra, mut missing) = (is.clone(), should.clone());
        for record in should {
            if let Some(at) = extra.iter().position(|r| r == record) {
                extra.swap_remove(at);
                missing.swap_remove(missing.iter().position(|r| r == record).expect("it is there"));
            }
        }
        if !extra.is_empty() || !missing.is_empty() {
            return Some(format!(
                "{list}: there but wrong {:#?}\nmissing {:#?}",
                short(&extra),
                short(&missing)
            ));
        }
    }
    None
}

/// The fields that may differ, for people.
fn short(records: &[String]) -> Vec<String> {
    let shown = [
        "name",
        "client",
        "ref",
        "snowid",
        "count",
        "is_active",
        "inactive",
        "price",
        "notes",
        "end_date",
        "main_delivery_address",
        "delivery_address",
        "liongardid",
        "type",
    ];
    let short = |record: &String| {
        let record: Value = serde_json::from_str(record).unwrap_or_default();
        let told: Vec<String> = shown
            .iter()
            .filter(|name| !record[**name].is_null())
            .map(|name| format!("{name}={}", record[*name]))
            .collect();
        told.join(" ")
    };
    records.iter().map(short).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Records with the marker of another.
pub fn doubles(sandbox: &Sandbox) -> Vec<String> {
    let mut doubles = Vec::new();
    let lists = [
        (sandbox.halo_clients(), "ref"),
        (sandbox.halo_licences(), "snowid"),
        (sandbox.halo_assets(), "third_party_id_string"),
        (sandbox.environments(), "Description"),
    ];
    for (records, field) in lists {
        let mut seen = BTreeSet::new();
        for record in &records {
            let marker = text(&record[field]);
            if !marker.is_empty() && !seen.insert(marker.to_owned()) {
                doubles.push(format!("{} {}", record["name"], marker));
            }
        }
    }
    doubles
}

/// One thing that the audit trail says, in order.
pub struct Told {
    pub intents: Vec<Intent>,
    /// (job, plan) in the order of approval, with the number of intents before it.
    pub approvals: Vec<(JobId, PlanId, usize)>,
}

pub fn told(trail: &parhelion::store::Trail) -> Told {
    let mut told = Told { intents: Vec::new(), approvals: Vec::new() };
    for line in trail.read(0).expect("the trail can be read") {
        let line = line.expect("a good line");
        match line.kind.as_str() {
            "intent" => told.intents.push(
                serde_json::from_value(line.data.clone()).unwrap_or_else(|e| panic!("{e}: {}", line.data)),
            ),
            "approval" => told.approvals.push((
                serde_json::from_value(line.data["job"].clone()).expect("a job"),
                serde_json::from_value(line.data["plan"].clone()).expect("a plan"),
                told.intents.len(),
            )),
            _ => {}
        }
    }
    told
}

/// Every request that reached Halo was announced, every announcement is in a plan that was approved before it, and
/// nothing billable was sent but what the announcement says.
pub fn is_all_approved(engine: &Engine, told: &Told, sandbox: &Sandbox) -> Result<(), String> {
    for (at, intent) in told.intents.iter().enumerate() {
        let job = intent.job;
        let Some((_, plan, _)) = told.approvals.iter().find(|(of, _, before)| *of == job && *before <= at)
        else {
            return Err(format!("{:?} was announced without an approval", intent.write));
        };
        let rows = engine.book.plan_rows(*plan, &[intent.row]).map_err(|e| e.to_string())?;
        let Some(row) = rows.first() else {
            return Err(format!("row {} of {plan} is not there", intent.row));
        };
        let planned = row.values();
        let fields = match &intent.write {
            Write::Create { fields, .. } | Write::Set { fields, .. } => fields.clone(),
            Write::SetAddress { address, .. } => parhelion::model::Fields::new()
                .with(FieldName::MainSiteAddress, FieldValue::Address(address.clone())),
        };
        for (name, value) in fields.iter() {
            if planned.get(name) != Some(value) {
                return Err(format!("{name} of row {} is not as planned: {value}", intent.row));
            }
        }
    }
    for write in sandbox.journal().iter().filter(|w| matches!(w.host, Host::Halo | Host::Liongard)) {
        let body: Value = serde_json::from_str(&write.body).map_err(|e| e.to_string())?;
        let record = body.get(0).unwrap_or(&body);
        let announced = told.intents.iter().any(|intent| announces(intent, &write.path, record));
        if !announced {
            return Err(format!("{} {} was never announced: {record}", write.method, write.path));
        }
    }
    for brand in [Host::Also, Host::Westcoast] {
        if sandbox.requests(brand).refused_writes > 0 {
            return Err(format!("{brand:?} was asked for something that may spend money"));
        }
    }
    Ok(())
}

fn announces(intent: &Intent, path: &str, record: &Value) -> bool {
    let id = record["id"].as_i64().filter(|id| *id > 0);
    let is = |wanted: &parhelion::model::TargetId| id == wanted.number();
    let path = path.to_ascii_lowercase();
    match &intent.write {
        Write::Create { entity: Entity::Customers, marker, .. } => {
            id.is_none() && path.ends_with("/client") && text(&record["ref"]) == marker
        }
        Write::Create { entity: Entity::Subscriptions, marker, fields, .. } => {
            id.is_none()
                && path.ends_with("/softwarelicence")
                && text(&record["snowid"]) == marker
                && billable(fields, record)
        }
        Write::Create { entity: Entity::Assets, marker, .. } => {
            id.is_none() && path.ends_with("/asset") && text(&record["third_party_id_string"]) == marker
        }
        Write::Set { entity: Entity::Assets | Entity::Warranty, id: target, .. } => {
            is(target) && path.ends_with("/asset")
        }
        Write::Create { entity: Entity::AssetTypes, .. } => id.is_none() && path.ends_with("/assettype"),
        Write::Set { entity: Entity::AssetTypes, id: target, .. } => {
            is(target) && path.ends_with("/assettype")
        }
        Write::Create { entity: Entity::AssetFields, .. } => id.is_none() && path.ends_with("/field"),
        Write::Set { entity: Entity::Customers, id: target, .. } => is(target) && path.ends_with("/client"),
        Write::SetAddress { site, .. } => is(site) && path.ends_with("/site"),
        Write::Set { entity: Entity::Subscriptions, id: target, fields, .. } => {
            is(target) && path.ends_with("/softwarelicence") && billable(fields, record)
        }
        Write::Create { entity: Entity::Push, marker, fields, .. } => {
            path.ends_with("/environments")
                && text(&record["Description"]).contains(marker.as_str())
                && fields.get(FieldName::Name).is_some_and(|name| name.to_string() == text(&record["Name"]))
        }
        // What else there is, is not written to Halo.
        Write::Create { .. } | Write::Set { .. } => false,
    }
}

/// The count that was sent is the count that was announced; none is sent unannounced.
fn billable(fields: &parhelion::model::Fields, record: &Value) -> bool {
    match (fields.get(FieldName::Quantity), record.get("count").and_then(Value::as_u64)) {
        (Some(FieldValue::Count(count)), Some(sent)) => u64::from(count.get()) == sent,
        (None, None) => true,
        // A create without a count may say 0 where Halo demands one.
        (None, Some(sent)) => sent == 0,
        (Some(_), _) => false,
    }
}
