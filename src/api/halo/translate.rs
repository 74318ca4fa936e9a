//! Halo's rows as the plain types of `model`, and our fields as Halo's JSON.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::wire::AddressStore;
use crate::api::row::{Row, Scalar};
use crate::matching::keys::domain_in;
use crate::model::date::{Moment, parse_vendor_date};
use crate::model::{
    Address, Amount, Class, Count, Currency, Date, FieldName, Fields, Found, MatchKeys, Problem, TargetId,
    Value,
};

/// A level above customers, under which new ones are placed (K8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopLevel {
    pub id: TargetId,
    pub name: Box<str>,
    /// With the levels above it.
    pub long_name: Box<str>,
}

/// A site of a customer, for its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub id: TargetId,
    pub customer: TargetId,
    pub name: Box<str>,
    pub is_active: bool,
    pub phone: Box<str>,
    pub address: Address,
}

/// One line of a licence's history (apis/halopsa.md 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceChange {
    pub id: i64,
    pub at: Option<Moment>,
    pub field: Box<str>,
    pub old: Box<str>,
    pub new: Box<str>,
    pub who: Box<str>,
}

/// A module of Halo; `integrator_on` means that Halo's own importer writes too (apis/halopsa.md 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    pub name: Box<str>,
    pub enabled: bool,
    pub integrator_on: bool,
}

/// What a translation needs beside the row.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Field that carries our marker; empty: none.
    pub customer_marker: String,
    pub licence_marker: String,
    /// Halo's currency ids.
    pub currencies: HashMap<i64, Currency>,
    /// What Halo bills in where a customer has no currency of its own.
    pub fallback: Option<Currency>,
}

/// A customer: name, top level, keys, currency.
pub fn customer(row: &Row, context: &Context) -> Result<Found, Problem> {
    let id = id_of(row, "customer")?;
    let mut fields = Fields::new();
    let name = row.get("name").text().unwrap_or_default();
    fields.set(FieldName::Name, Value::Text(name.clone().into()));
    if let Some(top_level) = row.get("toplevel_name").text() {
        fields.set(FieldName::TopLevel, Value::Text(top_level.into()));
    }
    fields.shrink();
    let mut domains: Vec<Box<str>> = Vec::new();
    for text in [row.get("domain").text(), row.get("website").text()].into_iter().flatten() {
        for domain in text.split([',', ';', ' ']).filter_map(domain_in) {
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
    }
    Ok(Found {
        id,
        name: name.into(),
        parent: None,
        // `inactive` is missing only on builds that omit what is false.
        is_active: !row.get("inactive").flag().unwrap_or(false),
        marker: marker(row, &context.customer_marker),
        fields,
        keys: MatchKeys { vat: row.get("tax_number").text(), domains, own: None },
        currency: currency(row, context),
        main_site: row.get("main_site_id").id().filter(|id| *id > 0).map(TargetId::from),
    })
}

fn currency(row: &Row, context: &Context) -> Option<Currency> {
    let named = ["currencyisocode", "clientcurrency", "default_currency_code_name"]
        .into_iter()
        .find_map(|name| row.get(name).text().and_then(|text| Currency::new(&text)));
    named
        .or_else(|| context.currencies.get(&row.get("default_currency_code").id()?).copied())
        .or(context.fallback)
}

/// A licence. A value that cannot be read is left out, not the licence: a plan that did not know of it would create it
/// a second time.
pub fn licence(row: &Row, context: &Context) -> Result<Found, Problem> {
    let id = id_of(row, "licence")?;
    let name = row.get("name").text().unwrap_or_default();
    let mut fields = Fields::new();
    fields.set(FieldName::Name, Value::Text(name.clone().into()));
    let deleted = row.get("deleted").flag().unwrap_or(false);
    // Absence of the flag is not "inactive": only the word false stops billing.
    let is_active = !deleted && row.get("is_active").flag().unwrap_or(true);
    if deleted || row.get("is_active").is_given() {
        fields.set(FieldName::Status, Value::Active(is_active));
    }
    if let Ok(count) = Count::parse(&row.get("count").json()) {
        fields.set(FieldName::Quantity, Value::Count(count));
    }
    for (field, name) in [(FieldName::Price, "price"), (FieldName::Cost, "purchase_price")] {
        if let Some(amount) = Amount::parse(&row.get(name).json()) {
            fields.set(field, Value::Amount(amount));
        }
    }
    if let Some(text) = row.get("end_date").text()
        && let Ok(Some(date)) = parse_vendor_date(&text)
    {
        fields.set(FieldName::EndDate, Value::Date(date));
    }
    Ok(Found {
        id,
        name: name.into(),
        parent: row.get("client_id").id().filter(|id| *id > 0).map(TargetId::from),
        is_active,
        marker: marker(row, &context.licence_marker),
        fields,
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    })
}

fn marker(row: &Row, field: &str) -> Option<Box<str>> {
    if field.is_empty() { None } else { row.get(field).text() }
}

/// A site, from a list's row (flat address) or a single object (`delivery_address` nested).
pub fn site(row: &Row, nested: Option<&Json>) -> Result<Site, Problem> {
    let id = id_of(row, "site")?;
    let customer = row
        .get("client_id")
        .id()
        .map(TargetId::from)
        .ok_or_else(|| Problem::new(Class::Record, format!("Halo's site {id} names no customer.")))?;
    let flat = |number: u8| row.get(&format!("delivery_address_line{number}")).text().unwrap_or_default();
    let address = match nested.filter(|value| value.is_object()) {
        Some(store) => address_in(store),
        None => join_address(&flat(1), &flat(2), flat(3), flat(4), flat(5)),
    };
    Ok(Site {
        id,
        customer,
        name: row.get("name").text().unwrap_or_default(),
        is_active: !row.get("inactive").flag().unwrap_or(false),
        phone: row.get("phonenumber").text().unwrap_or_default(),
        address,
    })
}

/// An `AddressStore`.
pub fn address_in(store: &Json) -> Address {
    let text =
        |name: &str| -> Box<str> { store.get(name).and_then(Json::as_str).unwrap_or_default().trim().into() };
    join_address(&text("line1"), &text("line2"), text("line3"), text("line4"), text("postcode"))
}

fn join_address(line1: &str, line2: &str, city: Box<str>, region: Box<str>, postcode: Box<str>) -> Address {
    let street = match (line1.is_empty(), line2.is_empty()) {
        (_, true) => line1.into(),
        (true, false) => line2.into(),
        (false, false) => format!("{line1}\n{line2}").into(),
    };
    Address { street, city, region, postcode, country: "".into() }
}

/// An address as Halo's lines: a street of several lines is split at its first line break.
pub fn address_store(address: &Address) -> AddressStore {
    let (line1, line2) = address.street.split_once('\n').unwrap_or((&address.street, ""));
    let rest: Vec<&str> = line2.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    AddressStore {
        line1: line1.trim().to_owned(),
        line2: rest.join(", "),
        line3: address.city.trim().to_owned(),
        line4: address.region.trim().to_owned(),
        postcode: address.postcode.trim().to_owned(),
    }
}

/// The fields of a licence as Halo's JSON: only what is given is sent (a field that is left out stays as it is).
pub fn licence_json(fields: &Fields) -> Result<Map<String, Json>, Problem> {
    let mut json = Map::new();
    for (name, value) in fields.iter() {
        match (name, value) {
            (FieldName::Name, Value::Text(text)) => drop(json.insert("name".into(), json!(text))),
            (FieldName::Status, Value::Active(active)) => {
                json.insert("is_active".into(), json!(active));
                json.insert("status".into(), json!(if *active { "active" } else { "inactive" }));
            }
            (FieldName::Quantity, Value::Count(count)) => {
                drop(json.insert("count".into(), json!(count.get())));
            }
            (FieldName::Price, Value::Amount(amount)) => drop(json.insert("price".into(), money(*amount)?)),
            (FieldName::Cost, Value::Amount(amount)) => {
                drop(json.insert("purchase_price".into(), money(*amount)?));
            }
            // Requests carry a zone (apis/halopsa.md 2.9); answers are read as UTC, so the day survives.
            (FieldName::EndDate, Value::Date(date)) => {
                json.insert("end_date".into(), json!(format!("{date}T00:00:00Z")));
            }
            (name, value) => {
                return Err(Problem::new(
                    Class::Input,
                    format!("A licence in Halo cannot take {name} = '{value}'; nothing was sent."),
                ));
            }
        }
    }
    Ok(json)
}

/// A JSON number: Halo takes doubles, and the shortest decimal that reads back the same is what was meant.
fn money(amount: Amount) -> Result<Json, Problem> {
    let number: Option<f64> = amount.get().to_string().parse().ok();
    number
        .and_then(serde_json::Number::from_f64)
        .map(Json::Number)
        .ok_or_else(|| Problem::new(Class::Record, format!("The amount {amount} cannot be sent to Halo.")))
}

pub fn top_level(row: &Row) -> Result<TopLevel, Problem> {
    let name = row.get("name").text().unwrap_or_default();
    Ok(TopLevel {
        id: id_of(row, "top level")?,
        long_name: row.get("long_name").text().unwrap_or_else(|| name.clone()),
        name,
    })
}

pub fn licence_change(row: &Row) -> Option<LicenceChange> {
    Some(LicenceChange {
        id: row.get("id").id()?,
        at: row.get("datetime").text().and_then(|text| moment(&text)),
        field: row.get("field_name").text().unwrap_or_default(),
        old: row.get("old_value").text().unwrap_or_default(),
        new: row.get("new_value").text().unwrap_or_default(),
        who: row.get("who").text().unwrap_or_default(),
    })
}

/// Halo's moments have no zone and are UTC (apis/halopsa.md 2.9).
pub(super) fn moment(text: &str) -> Option<Moment> {
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

pub fn feature(row: &Row) -> Feature {
    Feature {
        name: row.get("module_name").text().unwrap_or_default(),
        enabled: row.get("enabled").flag().unwrap_or(false),
        integrator_on: row.get("halointegratorenabled").flag().unwrap_or(false),
    }
}

/// A date, or none where there is none or nothing that reads as one.
pub fn date(row: &Row, field: &str) -> Option<Date> {
    parse_vendor_date(&row.get(field).text()?).ok().flatten()
}

/// A positive id, or the reason why a row cannot be used.
pub fn id_of(row: &Row, what: &str) -> Result<TargetId, Problem> {
    match row.get("id") {
        id if id.id().is_some_and(|id| id > 0) => Ok(TargetId::from(id.id().unwrap_or_default())),
        Scalar::Missing | Scalar::Null => Err(Problem::new(
            Class::Record,
            format!("A {what} that Halo listed ('{}') has no id.", shown_name(row)),
        )),
        other => Err(Problem::new(
            Class::Record,
            format!(
                "A {what} that Halo listed ('{}') has the id {}, which is none.",
                shown_name(row),
                crate::model::text::shown(&other.json().to_string())
            ),
        )),
    }
}

fn shown_name(row: &Row) -> String {
    crate::model::text::shown(&row.get("name").text().unwrap_or_default()).into_owned()
}
