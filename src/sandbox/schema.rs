//! Which fields the simulated Halo knows, how it checks what is sent to them, and the tables that hold them.
//!
//! Source: `apis/halopsa.md` sections 3, 5, 7 and 8, and the recorded list rows there.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Float,
    Bool,
    /// With the width of the column.
    Text(usize),
    Date,
    /// An address object.
    Address,
    /// The values of an asset's fields, or of a customer's own ones, kept as one text (see [`super::halo_assets`]).
    AssetFields,
    /// Worked out when it is read; what is sent to it is ignored.
    Derived,
}

/// Where a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// In list rows and in the single object.
    List,
    /// In the single object only.
    Single,
    /// Understood when written, never given back.
    Never,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) shown: Shown,
    /// JSON shown while nothing was written; empty leaves the field out, as Halo does with nulls.
    pub(super) unset: &'static str,
}

const fn field(name: &'static str, kind: Kind, shown: Shown, unset: &'static str) -> Field {
    Field { name, kind, shown, unset }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Entity {
    Client,
    Site,
    Licence,
    Asset,
    User,
    Contract,
}

use Kind::{Address, AssetFields, Bool, Date, Derived, Float, Int, Text};
use Shown::{List, Never, Single};

const TEXT: Kind = Text(4000);

static CLIENT: &[Field] = &[
    field("name", TEXT, List, ""),
    field("toplevel_id", Int, List, "1"),
    field("toplevel_name", Derived, List, ""),
    field("inactive", Bool, List, "false"),
    field("colour", TEXT, List, "\"#2bd3c6\""),
    field("confirmemail", Int, List, "2"),
    field("actionemail", Int, List, "2"),
    field("clearemail", Int, List, "2"),
    field("messagegroup_id", Int, List, "-1"),
    field("mailbox_override", Int, List, "0"),
    field("default_mailbox_id", Int, List, "0"),
    field("calldate", Date, List, "\"1901-01-01T00:00:00\""),
    field("item_tax_code", Int, List, "0"),
    field("service_tax_code", Int, List, "0"),
    field("prepay_tax_code", Int, List, "0"),
    field("contract_tax_code", Int, List, "0"),
    field("pritech", Int, List, "0"),
    field("sectech", Int, List, "0"),
    field("accountmanagertech", Int, List, "0"),
    field("xero_tenant_id", TEXT, List, "\"\""),
    field("accountsid", TEXT, List, "\"\""),
    field("excludefrominvoicesync", Bool, List, "false"),
    field("client_to_invoice", Int, List, "0"),
    field("client_to_invoice_recurring", Int, List, "0"),
    field("itglue_id", TEXT, List, "\"\""),
    field("default_currency_code", Int, List, "0"),
    field("dbc_company_id", TEXT, List, "\"\""),
    field("stopped", Int, List, "0"),
    field("customertype", Int, List, "1"),
    field("customer_relationship", Derived, List, ""),
    field("customer_relationship_list", Derived, List, ""),
    field("ref", TEXT, List, "\"\""),
    field("is_vip", Bool, List, "false"),
    field("taxable", Bool, List, "true"),
    field("percentage_to_survey", Int, List, "-1"),
    field("is_account", Bool, List, "true"),
    field("website", Text(250), Single, "\"\""),
    field("domain", Text(250), Single, "\"\""),
    field("notes", TEXT, Single, "\"\""),
    field("main_site_id", Derived, Single, ""),
    field("main_site_name", Derived, Single, ""),
    field("main_phonenumber", Derived, Single, ""),
    field("main_delivery_address", Derived, Single, ""),
    field("datecreated", Date, Single, ""),
    field("alastupdate", Date, Single, ""),
    field("trading_name", TEXT, Single, "\"\""),
    field("tax_number", TEXT, Single, "\"\""),
    field("liongardid", Int, Single, "0"),
    field("sync_to_liongard", Bool, Single, "false"),
    field("customfields", AssetFields, Single, ""),
    // Honoured on create only: the main site comes with the client.
    field("newclient_sitename", TEXT, Never, ""),
    field("newclient_phonenumber", TEXT, Never, ""),
    field("newclient_domain", TEXT, Never, ""),
    field("newclient_timezone", TEXT, Never, ""),
    field("newclient_delivery_address", Address, Never, ""),
];

static SITE: &[Field] = &[
    field("name", TEXT, List, ""),
    field("client_id", Int, List, ""),
    field("client_name", Derived, List, ""),
    field("clientsite_name", Derived, List, ""),
    field("inactive", Bool, List, "false"),
    field("sla_id", Int, List, "-1"),
    field("phonenumber", TEXT, List, "\"\""),
    field("colour", TEXT, List, "\"#2bd3c6\""),
    field("timezone", TEXT, List, "\"\""),
    field("invoice_address_isdelivery", Bool, List, "true"),
    field("isstocklocation", Bool, List, "false"),
    field("messagegroup_id", Int, List, "-1"),
    field("geocoord1", Float, List, "0.0"),
    field("geocoord2", Float, List, "0.0"),
    field("isinvoicesite", Bool, List, "true"),
    field("stopped", Int, List, "0"),
    field("maincontact_id", Int, List, "0"),
    field("client_to_invoice", Int, List, "0"),
    field("client_to_invoice_recurring", Int, List, "0"),
    field("default_currency_code", Int, List, "0"),
    field("default_client_currency_code", Int, List, "0"),
    field("site_item_tax_code", Int, List, "0"),
    field("itglue_id", TEXT, List, "\"\""),
    field("notes", TEXT, Single, "\"\""),
    field("ref", TEXT, Single, "\"\""),
    field("emaildomain", TEXT, Single, "\"\""),
    field("country_code", TEXT, Single, "\"\""),
    field("region_code", TEXT, Single, "\"\""),
    field("delivery_address", Address, Single, ""),
    field("invoice_address", Address, Single, ""),
    field("datecreated", Date, Single, ""),
];

static LICENCE: &[Field] = &[
    field("name", Text(500), List, ""),
    field("type", Int, List, "0"),
    field("name_extra", TEXT, List, "\"\""),
    field("count", Int, List, "0"),
    field("client_id", Int, List, ""),
    field("client_name", Derived, List, ""),
    field("licence_client_name", Derived, List, ""),
    field("site_id", Int, List, "-1"),
    field("site_name", Derived, List, ""),
    field("purchase_price", Float, List, "0.0"),
    field("price", Float, List, "0.0"),
    field("monthly_price", Derived, List, ""),
    field("monthly_cost", Derived, List, ""),
    field("start_date", Date, List, "\"1901-01-01T00:00:00\""),
    field("end_date", Date, List, "\"1901-01-01T00:00:00\""),
    field("billing_cycle", TEXT, List, "\"\""),
    field("term_duration", TEXT, List, "\"\""),
    field("status", TEXT, List, "\"\""),
    field("is_active", Bool, List, "true"),
    field("autorenew", Bool, List, "false"),
    field("manufacturer", TEXT, List, "\"\""),
    field("vendor", TEXT, List, "\"\""),
    field("distributor", TEXT, List, "\"\""),
    field("supplier_id", Int, List, "0"),
    field("product_sku", TEXT, List, "\"\""),
    field("snowid", Text(500), List, "\"\""),
    field("item_id", Int, List, "0"),
    field("parent_id", Int, List, "0"),
    field("tenant_id", TEXT, List, "\"\""),
    field("deleted", Bool, List, "false"),
    field("assigned_at_deletion", Int, List, "0"),
    field("azure_connection_id", Int, List, "0"),
    field("requested_quantity", Int, List, "0"),
    field("requested_quantity_date", Date, List, "\"1901-01-01T00:00:00\""),
    field("external_link_id", Int, List, "0"),
    field("notes", TEXT, List, "\"\""),
    field("vendor_product_sku", TEXT, Single, "\"\""),
    field("offerid", TEXT, Single, "\"\""),
    field("third_party_product", TEXT, Single, "\"\""),
    field("third_party_productid", TEXT, Single, "\"\""),
    field("third_party_productname", TEXT, Single, "\"\""),
    field("thirdparty_client_id", TEXT, Single, "\"\""),
    field("third_party_client_name", TEXT, Single, "\"\""),
];

static ASSET: &[Field] = &[
    field("inventory_number", Text(255), List, "\"\""),
    field("key_field", Derived, List, ""),
    field("key_field2", Derived, List, ""),
    field("key_field3", Derived, List, ""),
    field("client_id", Int, List, ""),
    field("client_name", Derived, List, ""),
    field("site_id", Int, List, ""),
    field("site_name", Derived, List, ""),
    field("assettype_id", Int, List, ""),
    field("assettype_name", Derived, List, ""),
    field("status_id", Int, List, "1"),
    field("inactive", Bool, List, "false"),
    field("colour", TEXT, List, "\"#009944\""),
    field("criticality", Int, List, "0"),
    field("business_owner_id", Int, List, "-99"),
    field("technical_owner_id", Int, List, "0"),
    field("supplier_id", Int, List, "0"),
    field("contract_ref", TEXT, List, "\"\""),
    field("sla_id", Int, List, "-1"),
    field("priority_id", Int, List, "-1"),
    field("item_id", Int, List, "0"),
    field("third_party_id", Int, List, "0"),
    field("is_template", Bool, List, "false"),
    field("fields", AssetFields, Single, ""),
    field("notes", TEXT, Single, "\"\""),
    field("username", TEXT, Single, "\"\""),
    field("warranty_start", Date, Single, "\"1899-12-30T00:00:00\""),
    field("warranty_end", Date, Single, "\"1899-12-30T00:00:00\""),
    field("supplier_purchasedate", Date, Single, "\"1899-12-30T00:00:00\""),
    field("commissiondate", Date, Single, "\"1899-12-30T00:00:00\""),
    field("liongard_id", TEXT, Single, "\"\""),
    field("liongardid", Int, Single, "0"),
    // Misspelt like this on the wire.
    field("liongard_environmnet_id", Int, Single, "0"),
    field("liongard_url", TEXT, Single, "\"\""),
    field("third_party_id_string", Text(255), Single, "\"\""),
    field("status_name", Derived, Single, ""),
    field("last_modified", Date, Single, ""),
];

static USER: &[Field] = &[
    field("name", TEXT, List, ""),
    field("site_id", Int, List, ""),
    field("site_id_int", Derived, List, ""),
    field("site_name", Derived, List, ""),
    field("client_id", Int, List, ""),
    field("client_name", Derived, List, ""),
    field("firstname", TEXT, List, "\"\""),
    field("surname", TEXT, List, "\"\""),
    field("initials", TEXT, List, "\"\""),
    field("emailaddress", Text(250), List, "\"\""),
    field("email2", TEXT, List, "\"\""),
    field("email3", TEXT, List, "\"\""),
    field("phonenumber_preferred", TEXT, List, "\"\""),
    field("sitephonenumber", Derived, List, ""),
    field("sitetimezone", TEXT, List, "\"\""),
    field("telpref", Int, List, "0"),
    field("inactive", Bool, List, "false"),
    field("colour", TEXT, List, "\"#2bd3c6\""),
    field("isimportantcontact", Bool, List, "false"),
    field("isimportantcontact2", Bool, List, "false"),
    field("neversendemails", Bool, List, "false"),
    field("priority_id", Int, List, "0"),
    field("linked_agent_id", Int, List, "0"),
    field("isserviceaccount", Bool, List, "false"),
    field("is_prospect", Bool, List, "false"),
    field("title", TEXT, Single, "\"\""),
    field("mobilenumber", TEXT, Single, "\"\""),
    field("login", TEXT, Single, "\"\""),
    field("hudu_url", TEXT, Single, "\"\""),
    field("notes", TEXT, Single, "\"\""),
    field("datecreated", Date, Single, ""),
];

static CONTRACT: &[Field] = &[
    field("ref", Text(250), List, "\"\""),
    field("refextra", TEXT, List, "\"\""),
    field("client_id", Int, List, ""),
    field("client_name", Derived, List, ""),
    field("site_id", Int, List, "0"),
    field("site_name", Derived, List, ""),
    field("start_date", Date, List, "\"1901-01-01T00:00:00\""),
    field("end_date", Date, List, "\"1901-01-01T00:00:00\""),
    field("started", Bool, List, "true"),
    field("expired", Bool, List, "false"),
    field("active", Bool, List, "true"),
    field("status", Int, List, "1"),
    field("contract_status", TEXT, List, "\"Active\""),
    field("subtype", Int, List, "1"),
    field("contracttype", Int, List, "1"),
    field("contracttype_name", TEXT, List, "\"\""),
    field("billingperiod", Int, List, "1"),
    field("periodchargeamount", Float, List, "0.0"),
    field("sla_id", Int, List, "1"),
    field("last_modified", Date, List, ""),
    field("rollingcontract", Bool, Single, "false"),
    field("termmonths", Int, Single, "0"),
    field("note", TEXT, Single, "\"\""),
];

impl Entity {
    pub(super) const ALL: [Self; 6] =
        [Self::Client, Self::Site, Self::Licence, Self::Asset, Self::User, Self::Contract];

    /// The endpoint, as it is compared: lower case.
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Site => "site",
            Self::Licence => "softwarelicence",
            Self::Asset => "asset",
            Self::User => "users",
            Self::Contract => "clientcontract",
        }
    }

    /// The member of the envelope that holds the rows; also the name in the control interface.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Client => "clients",
            Self::Site => "sites",
            Self::Licence => "licences",
            Self::Asset => "assets",
            Self::User => "users",
            Self::Contract => "contracts",
        }
    }

    /// The members that say what a row is.
    pub(super) fn tail(self) -> &'static str {
        match self {
            Self::Client => r#""use":"client","table":2"#,
            Self::Site => r#""use":"site","table":3"#,
            Self::Licence => r#""use":"licence""#,
            Self::Asset => r#""use":"asset","table":5"#,
            Self::User => r#""use":"user","table":4"#,
            Self::Contract => r#""accounts_override_mailbox":0"#,
        }
    }

    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::Client => CLIENT,
            Self::Site => SITE,
            Self::Licence => LICENCE,
            Self::Asset => ASSET,
            Self::User => USER,
            Self::Contract => CONTRACT,
        }
    }

    /// The field that carries an importer's marker (decision 33).
    pub(super) fn marker(self) -> Option<&'static str> {
        match self {
            Self::Client => Some("ref"),
            Self::Licence => Some("snowid"),
            Self::Asset => Some("liongardid"),
            Self::Site | Self::User | Self::Contract => None,
        }
    }
}

/// The values that were written to one record: index of the field, value. Everything else is as unset.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Vec<(u8, Value)>);

impl Record {
    pub(super) fn at(&self, index: usize) -> Option<&Value> {
        self.0.iter().find(|(i, _)| usize::from(*i) == index).map(|(_, v)| v)
    }

    pub(super) fn get(&self, entity: Entity, name: &str) -> Option<&Value> {
        self.at(index(entity, name)?)
    }

    pub(super) fn text(&self, entity: Entity, name: &str) -> &str {
        self.get(entity, name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn int(&self, entity: Entity, name: &str) -> Option<i64> {
        self.get(entity, name).and_then(Value::as_i64)
    }

    pub(super) fn flag(&self, entity: Entity, name: &str) -> Option<bool> {
        self.get(entity, name).and_then(Value::as_bool)
    }

    /// Null unsets.
    pub(super) fn set(&mut self, index: usize, value: Value) {
        self.0.retain(|(i, _)| usize::from(*i) != index);
        if !value.is_null() {
            self.0.push((index as u8, value));
            self.0.shrink_to_fit();
        }
    }
}

pub(super) fn index(entity: Entity, name: &str) -> Option<usize> {
    entity.fields().iter().position(|f| f.name == name)
}

/// One kind of record, with the orders and groups that requests ask for.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: HashMap<i64, Record>,
    /// Ids in ascending order: all, and the active ones.
    pub(super) all: Vec<i64>,
    pub(super) live: Vec<i64>,
    /// Ids in ascending order by client.
    pub(super) by_client: HashMap<i64, Vec<i64>>,
    /// The same by asset type.
    by_type: HashMap<i64, Vec<i64>>,
    /// Grows with each change. It also turns the order of lists that nobody asked to sort.
    pub(super) version: u64,
    pub(super) next: i64,
}

impl Table {
    pub(super) fn starting_at(next: i64) -> Self {
        Self { next, ..Self::default() }
    }

    pub(super) fn put(&mut self, entity: Entity, id: i64, record: Record) {
        let client = if entity == Entity::Client { None } else { record.int(entity, "client_id") };
        let asset_type = if entity == Entity::Asset { record.int(entity, "assettype_id") } else { None };
        let live = is_live(entity, &record);
        self.forget_groups(entity, id);
        include(&mut self.all, id);
        if live {
            include(&mut self.live, id);
        }
        if let Some(client) = client {
            include(self.by_client.entry(client).or_default(), id);
        }
        if let Some(asset_type) = asset_type {
            include(self.by_type.entry(asset_type).or_default(), id);
        }
        self.rows.insert(id, record);
        self.next = self.next.max(id + 1);
        self.version += 1;
    }

    pub(super) fn remove(&mut self, entity: Entity, id: i64) -> Option<Record> {
        self.forget_groups(entity, id);
        exclude(&mut self.all, id);
        self.version += 1;
        self.rows.remove(&id)
    }

    pub(super) fn of_client(&self, client: i64) -> &[i64] {
        self.by_client.get(&client).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_type(&self, asset_type: i64) -> &[i64] {
        self.by_type.get(&asset_type).map_or(&[], Vec::as_slice)
    }

    fn forget_groups(&mut self, entity: Entity, id: i64) {
        let Some(old) = self.rows.get(&id) else { return };
        if is_live(entity, old) {
            exclude(&mut self.live, id);
        }
        if entity != Entity::Client
            && let Some(group) = old.int(entity, "client_id").and_then(|c| self.by_client.get_mut(&c))
        {
            exclude(group, id);
        }
        if entity == Entity::Asset
            && let Some(group) = old.int(entity, "assettype_id").and_then(|t| self.by_type.get_mut(&t))
        {
            exclude(group, id);
        }
    }
}

pub(super) fn is_live(entity: Entity, record: &Record) -> bool {
    match entity {
        Entity::Client | Entity::Site | Entity::Asset | Entity::User => {
            record.flag(entity, "inactive") != Some(true)
        }
        Entity::Contract => record.flag(entity, "active") != Some(false),
        Entity::Licence => {
            record.flag(entity, "is_active") != Some(false) && record.flag(entity, "deleted") != Some(true)
        }
    }
}

fn include(ids: &mut Vec<i64>, id: i64) {
    if let Err(at) = ids.binary_search(&id) {
        ids.insert(at, id);
    }
}

fn exclude(ids: &mut Vec<i64>, id: i64) {
    if let Ok(at) = ids.binary_search(&id) {
        ids.remove(at);
    }
}

/// Checks one sent value as Halo's model binding does, and gives it the form it is kept in.
/// The error is the text of a model-binding 400 (halopsa.md 2.4 c).
pub(super) fn bind(field: &Field, value: &Value, path: &str) -> Result<Value, String> {
    let at = format!("Path '{path}', line 1, position {}.", 18 + path.len());
    let unexpected =
        |what: &str| Err(format!("Unexpected character encountered while parsing value: {what}. {at}"));
    if value.is_null() || field.kind == Kind::Derived {
        return Ok(Value::Null);
    }
    match (field.kind, value) {
        (Int, Value::Number(n)) => match n.as_i64() {
            Some(i) if i32::try_from(i).is_ok() => Ok(value.clone()),
            Some(i) => Err(format!("JSON integer {i} is too large or small for an Int32. {at}")),
            None => Err(format!("Input string '{n}' is not a valid integer. {at}")),
        },
        (Int, Value::String(s)) => match s.trim().parse::<i32>() {
            Ok(i) => Ok(i.into()),
            Err(_) => Err(format!("Could not convert string to integer: {s}. {at}")),
        },
        (Float, Value::Number(_)) | (Bool, Value::Bool(_)) | (Text(_), Value::String(_)) => Ok(value.clone()),
        (Float, Value::String(s)) => match s.trim().parse::<f64>() {
            Ok(x) => Ok(x.into()),
            Err(_) => Err(format!("Could not convert string to double: {s}. {at}")),
        },
        (Bool, Value::Number(n)) if n.is_i64() => Ok((n.as_i64() != Some(0)).into()),
        (Bool, Value::String(s)) => match s.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(format!("Could not convert string to boolean: {s}. {at}")),
        },
        (Text(_), Value::Number(n)) => Ok(n.to_string().into()),
        (Date, Value::String(s)) => match date(s) {
            Some(date) => Ok(date.into()),
            None => Err(format!("Could not convert string to DateTime: {s}. {at}")),
        },
        (AssetFields, Value::Array(rows)) => super::halo_assets::bind(rows, path),
        (Address, Value::Object(lines)) => address(lines, path).map(Value::Object),
        (_, Value::Array(_)) => unexpected("["),
        (_, Value::Object(_)) => unexpected("{"),
        (_, other) => unexpected(&other.to_string()),
    }
}

/// Keeps the lines of an address. There is no `line5` in the object: the postcode has a name (halopsa.md 5).
fn address(sent: &Map<String, Value>, path: &str) -> Result<Map<String, Value>, String> {
    let mut kept = Map::new();
    for name in ["line1", "line2", "line3", "line4", "postcode", "description", "note"] {
        match sent.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                kept.insert(name.to_owned(), text.clone().into());
            }
            Some(other) => {
                return Err(format!(
                    "Unexpected character encountered while parsing value: {other}. Path '{path}.{name}', line 1, \
                     position 40."
                ));
            }
        }
    }
    Ok(kept)
}

/// Halo keeps dates without a zone (halopsa.md 2.9).
fn date(written: &str) -> Option<String> {
    let bare = written.trim().trim_end_matches(['Z', 'z']);
    if let Ok(moment) = bare.parse::<jiff::civil::DateTime>() {
        return Some(moment.to_string());
    }
    written.trim().parse::<jiff::Timestamp>().ok().map(|t| t.to_string().trim_end_matches('Z').to_owned())
}

/// The names that Halo offers beside the fields above, for sorting.
pub(super) fn sortable(entity: Entity) -> BTreeSet<&'static str> {
    entity.fields().iter().filter(|f| f.shown != Never && f.kind != Derived).map(|f| f.name).collect()
}
