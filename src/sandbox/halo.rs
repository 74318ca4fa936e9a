//! The simulated Halo's records: what a write does to them, how they are shown, and lists with their paging traps.
//!
//! Source: `apis/halopsa.md` sections 2.2 to 2.8, 3, 5, 7 and 8.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::halo_assets::{self, Registry};
use super::quirks::HaloQuirks;
use super::schema::{Entity, Kind, Record, Shown, Table, bind, index, sortable};
use super::wire::{Answer, Pairs};

/// Where the clock of the simulated Halo starts, so that the same calls leave the same dates.
const EPOCH: jiff::civil::DateTime = jiff::civil::datetime(2026, 7, 1, 6, 0, 0, 0);

/// What a client is to the house; a client's `customertype` says which, in this Halo.
pub(super) const RELATIONSHIPS: [(i64, &str); 4] =
    [(1, "Customer"), (2, "Prospect"), (3, "Vendor"), (4, "Lead")];

pub(super) const TOP_LEVELS: [(i64, &str); 3] = [(1, "Customers"), (2, "Prospects"), (3, "Suppliers")];

/// Pounds first: it is the currency of the house.
pub(super) const CURRENCIES: [(i64, &str, &str, &str); 3] =
    [(1, "Pound Sterling", "£", "GBP"), (2, "Euro", "€", "EUR"), (3, "US Dollar", "$", "USD")];

/// The hidden user that every site has (halopsa.md 6).
pub(super) const GENERAL_USER: &str = "General User";

/// Halo's data and sessions.
#[derive(Debug)]
pub(super) struct Halo {
    /// Which installation this is: that of its seed.
    pub(super) installation: u64,
    tables: [Table; 6],
    pub(super) assets: Registry,
    /// Names of relationships that a person changed.
    pub(super) renamed: HashMap<i64, String>,
    /// A client's first site.
    main_sites: HashMap<i64, i64>,
    changes: HashMap<i64, Vec<Value>>,
    changes_so_far: i64,
    pub(super) tokens: HashMap<String, Duration>,
    pub(super) tokens_so_far: u64,
    pub(super) recent: VecDeque<Duration>,
}

impl Halo {
    pub(super) fn empty() -> Self {
        Self {
            installation: 1,
            tables: [101, 501, 301, 640, 1_001, 801].map(Table::starting_at),
            assets: Registry::default(),
            renamed: HashMap::new(),
            main_sites: HashMap::new(),
            changes: HashMap::new(),
            changes_so_far: 9000,
            tokens: HashMap::new(),
            tokens_so_far: 0,
            recent: VecDeque::new(),
        }
    }

    pub(super) fn table(&self, entity: Entity) -> &Table {
        &self.tables[entity as usize]
    }

    /// Everything of one kind, as single objects, by id.
    pub(super) fn everything(&self, entity: Entity) -> Vec<Value> {
        let ids = &self.table(entity).all;
        ids.iter().filter_map(|id| self.value(entity, *id, true)).collect()
    }

    pub(super) fn value(&self, entity: Entity, id: i64, markers: bool) -> Option<Value> {
        let mut text = Vec::with_capacity(2048);
        let view = View {
            single: true,
            addresses: false,
            notes: true,
            markers,
            asset_fields: true,
            custom_fields: true,
        };
        self.render(entity, id, view, &mut text)?;
        serde_json::from_slice(&text).ok()
    }

    pub(super) fn changes_of(&self, licence: i64) -> &[Value] {
        self.changes.get(&licence).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all_changes(&self) -> Vec<Value> {
        let mut all: Vec<Value> = self.changes.values().flatten().cloned().collect();
        all.sort_by_key(|c| c["id"].as_i64());
        all
    }

    pub(super) fn remove(&mut self, entity: Entity, id: i64) -> bool {
        if self.tables[entity as usize].remove(entity, id).is_none() {
            return false;
        }
        if entity == Entity::Client {
            self.main_sites.remove(&id);
            for part in [Entity::Site, Entity::Licence, Entity::Asset, Entity::User, Entity::Contract] {
                for child in self.table(part).of_client(id).to_vec() {
                    self.tables[part as usize].remove(part, child);
                }
            }
        }
        true
    }

    /// Makes the first of the listed rows inactive, so that the pages after it move up by one.
    pub(super) fn drift(&mut self, listed: &[u8]) {
        let Ok(listed) = serde_json::from_slice::<Value>(listed) else { return };
        for entity in Entity::ALL {
            let Some(id) = listed[entity.key()][0]["id"].as_i64() else { continue };
            let change = match entity {
                Entity::Licence => json!({"id": id, "is_active": false}),
                Entity::Contract => json!({"id": id, "active": false}),
                Entity::Client | Entity::Site | Entity::Asset | Entity::User => {
                    json!({"id": id, "inactive": true})
                }
            };
            if let Value::Object(change) = change {
                let _ = self.save(entity, &change, 0, Duration::ZERO, false);
            }
        }
    }

    /// Creates or updates one record. The second value says whether it was created.
    ///
    /// `by_hand` is for people and tests: an id that does not exist is created with that id.
    pub(super) fn save(
        &mut self,
        entity: Entity,
        sent: &Map<String, Value>,
        position: usize,
        now: Duration,
        by_hand: bool,
    ) -> Result<(i64, bool), Answer> {
        let id = match sent.get("id") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let path = format!("[{position}].id");
                let id_field =
                    super::schema::Field { name: "id", kind: Kind::Int, shown: Shown::List, unset: "" };
                bind(&id_field, value, &path).map_err(|e| unbound(&path, &e))?.as_i64().filter(|id| *id > 0)
            }
        };
        let mut values = Vec::new();
        for (index, field) in entity.fields().iter().enumerate() {
            if let Some(value) = sent.get(field.name).filter(|_| field.kind != Kind::Derived) {
                let path = format!("[{position}].{}", field.name);
                values.push((index, bind(field, value, &path).map_err(|e| unbound(&path, &e))?));
            }
        }
        let existing = id.and_then(|id| self.table(entity).rows.get(&id).cloned());
        if id.is_some() && existing.is_none() && !by_hand {
            return Err(Answer::json(400, &json!("Record not found")));
        }
        let created = existing.is_none();
        let mut record = existing.clone().unwrap_or_default();
        for (index, value) in &values {
            if entity.fields()[*index].shown != Shown::Never {
                record.set(*index, value.clone());
            }
        }
        // A user belongs to the client of its site.
        if entity == Entity::User
            && let Some(site) = record.int(entity, "site_id")
            && let Some(client) =
                self.table(Entity::Site).rows.get(&site).and_then(|s| s.int(Entity::Site, "client_id"))
        {
            record.set(index(entity, "client_id").unwrap_or_default(), client.into());
        }
        if entity == Entity::Asset {
            self.place_asset(&mut record, existing.as_ref())?;
        }
        self.check(entity, &record, &values)?;
        let id = id.unwrap_or(self.table(entity).next);
        let stamp = Value::String(moment(now));
        if created
            && let Some(at) = index(entity, "datecreated")
            && !(by_hand && record.at(at).is_some())
        {
            record.set(at, stamp.clone());
        }
        for name in ["alastupdate", "last_modified"] {
            if let Some(at) = index(entity, name) {
                record.set(at, stamp.clone());
            }
        }
        if entity == Entity::Client && created && record.get(entity, "default_currency_code").is_none() {
            record.set(index(entity, "default_currency_code").unwrap_or_default(), CURRENCIES[0].0.into());
        }
        if entity == Entity::Licence
            && let Some(before) = &existing
        {
            self.note_changes(id, before, &record, &stamp);
        }
        self.tables[entity as usize].put(entity, id, record);
        match entity {
            Entity::Client if created => self.main_site(id, sent, &values, now),
            Entity::Site if created => {
                if let Some(client) = self.table(entity).rows[&id].int(entity, "client_id") {
                    self.main_sites.entry(client).or_insert(id);
                }
            }
            _ => {}
        }
        Ok((id, created))
    }

    /// Business rules, one problem at a time (halopsa.md 2.4).
    fn check(&self, entity: Entity, record: &Record, values: &[(usize, Value)]) -> Result<(), Answer> {
        if !matches!(entity, Entity::Asset | Entity::Contract)
            && record.text(entity, "name").trim().is_empty()
        {
            let what =
                if entity == Entity::User { "Username must be entered" } else { "A name must be entered" };
            return Err(exception(what));
        }
        for (index, value) in values {
            let field = &entity.fields()[*index];
            if let (Kind::Text(width), Some(text)) = (field.kind, value.as_str())
                && text.chars().count() > width
            {
                return Err(exception(&format!(
                    "A database error occurred (2628) - String or binary data would be truncated in column '{}'.",
                    field.name
                )));
            }
        }
        match entity {
            Entity::Client => {
                let level = record.int(entity, "toplevel_id").unwrap_or(TOP_LEVELS[0].0);
                if !TOP_LEVELS.iter().any(|(id, _)| *id == level) {
                    return Err(exception(
                        "A database error occurred (547) - The INSERT or UPDATE statement conflicted with the FOREIGN \
                         KEY constraint on column 'toplevel_id', table 'Tree'.",
                    ));
                }
            }
            Entity::User => {
                if record.int(entity, "site_id").is_none() || record.int(entity, "client_id").is_none() {
                    return Err(exception("A Site must be selected"));
                }
            }
            Entity::Site | Entity::Licence | Entity::Asset | Entity::Contract => {
                let Some(client) = record.int(entity, "client_id") else {
                    return Err(exception("A Client must be selected"));
                };
                if !self.table(Entity::Client).rows.contains_key(&client) {
                    return Err(exception("The selected Client does not exist"));
                }
            }
        }
        if entity == Entity::Licence {
            if record.int(entity, "count").unwrap_or(0) < 0 {
                return Err(exception("The licence count cannot be negative"));
            }
            let site = record.int(entity, "site_id").unwrap_or(-1);
            if site > 0 && !self.table(Entity::Site).rows.contains_key(&site) {
                return Err(exception("The selected Site does not exist"));
            }
        }
        Ok(())
    }

    /// What belongs to an asset beside its columns: a type, a site (which decides the client), and fields of the type.
    fn place_asset(&self, record: &mut Record, before: Option<&Record>) -> Result<(), Answer> {
        let column = |name: &str| index(Entity::Asset, name).unwrap_or_default();
        let Some(kind) = record.int(Entity::Asset, "assettype_id") else {
            return Err(exception("An Asset Type must be selected"));
        };
        let sites = self.table(Entity::Site);
        let moved = before.is_none_or(|before| {
            before.int(Entity::Asset, "client_id") != record.int(Entity::Asset, "client_id")
        });
        let same_site = before.is_some_and(|before| {
            before.int(Entity::Asset, "site_id") == record.int(Entity::Asset, "site_id")
        });
        let given =
            record.int(Entity::Asset, "site_id").filter(|_| before.is_none() || !(moved && same_site));
        if let Some(site) = given {
            let Some(client) = sites.rows.get(&site).and_then(|site| site.int(Entity::Site, "client_id"))
            else {
                return Err(exception("The selected Site does not exist"));
            };
            record.set(column("client_id"), client.into());
        } else {
            let client = record.int(Entity::Asset, "client_id");
            if let Some(site) = client.and_then(|client| self.main_sites.get(&client)) {
                record.set(column("site_id"), (*site).into());
            }
        }
        let sent = record.text(Entity::Asset, "fields").to_owned();
        let kept = before.map(|before| before.text(Entity::Asset, "fields")).unwrap_or_default();
        let fields = self.assets.settle(kind, &sent, kept).map_err(|why| exception(&why))?;
        record.set(column("fields"), fields.into());
        Ok(())
    }

    /// A new client gets its main site in the same call (`newclient_*`).
    fn main_site(
        &mut self,
        client: i64,
        sent: &Map<String, Value>,
        values: &[(usize, Value)],
        now: Duration,
    ) {
        let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = Some(text("newclient_sitename")).filter(|n| !n.trim().is_empty()).unwrap_or("Main");
        let mut site = json!({
            "name": name, "client_id": client, "phonenumber": text("newclient_phonenumber"),
            "emaildomain": text("newclient_domain"), "timezone": text("newclient_timezone"),
        });
        let address = index(Entity::Client, "newclient_delivery_address")
            .and_then(|at| values.iter().find(|(i, _)| *i == at))
            .map(|(_, v)| v.clone());
        if let Some(address) = address.filter(Value::is_object) {
            site["delivery_address"] = address;
        }
        if let Value::Object(site) = &site {
            let _ = self.save(Entity::Site, site, 0, now, true);
        }
    }

    /// One row for each field that really changed.
    fn note_changes(&mut self, licence: i64, before: &Record, after: &Record, stamp: &Value) {
        for (at, field) in Entity::Licence.fields().iter().enumerate() {
            let shown = |record: &Record| {
                record.at(at).map_or_else(
                    || field.unset.trim_matches('"').to_owned(),
                    |value| match value {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    },
                )
            };
            let (old, new) = (shown(before), shown(after));
            let same_number =
                old.parse::<f64>().ok().zip(new.parse::<f64>().ok()).is_some_and(|(a, b)| a.eq(&b));
            if old != new && !same_number {
                self.changes_so_far += 1;
                self.changes.entry(licence).or_default().push(json!({
                    "id": self.changes_so_far, "datetime": stamp, "field_id": at + 1, "field_name": field.name,
                    "licence_id": licence, "old_value": old, "new_value": new, "who": "Importer",
                }));
            }
        }
    }

    /// Writes one record as JSON. `None` if there is none of that id.
    pub(super) fn render(&self, entity: Entity, id: i64, view: View, out: &mut Vec<u8>) -> Option<()> {
        let record = self.table(entity).rows.get(&id)?;
        // Writing to memory cannot fail.
        let _ = write!(out, "{{\"id\":{id},\"key\":{id},");
        for (at, field) in entity.fields().iter().enumerate() {
            let shown = match field.shown {
                Shown::List => true,
                Shown::Single => view.single || (view.notes && field.name == "notes"),
                Shown::Never => false,
            };
            if !shown || (!view.markers && entity.marker() == Some(field.name)) {
                continue;
            }
            match field.kind {
                Kind::Derived => self.derived(entity, id, record, field.name, out),
                Kind::AssetFields => {}
                Kind::Address => {
                    // The example gives a new site's invoice address as its delivery address.
                    let stored = record
                        .at(at)
                        .or_else(|| record.get(entity, "delivery_address"))
                        .and_then(Value::as_object);
                    member(out, field.name, &nested_address(id, stored));
                }
                // Whole numbers with a point (halopsa.md 2.9).
                Kind::Int
                    if matches!(
                        (entity, field.name),
                        (Entity::Site, "client_id") | (Entity::User, "site_id")
                    ) =>
                {
                    let number = record.int(entity, field.name).unwrap_or_default();
                    let _ = write!(out, "\"{}\":{number}.0,", field.name);
                }
                _ => match record.at(at) {
                    Some(value) => member(out, field.name, value),
                    None if !field.unset.is_empty() => {
                        let _ = write!(out, "\"{}\":{},", field.name, field.unset);
                    }
                    None => {}
                },
            }
        }
        if view.asset_fields && entity == Entity::Asset {
            let kind = record.int(entity, "assettype_id").unwrap_or_default();
            member(out, "fields", &self.assets.shown(kind, record.text(entity, "fields")));
        }
        if entity == Entity::Client && view.custom_fields {
            member(out, "customfields", &halo_assets::custom_values(record.text(entity, "customfields")));
        }
        if view.addresses && entity == Entity::Site {
            let stored = record.get(entity, "delivery_address");
            for (line, name) in ["line1", "line2", "line3", "line4", "postcode"].iter().enumerate() {
                let text = stored.and_then(|a| a[*name].as_str()).unwrap_or_default();
                member(out, &format!("delivery_address_line{}", line + 1), &text.into());
            }
        }
        out.extend_from_slice(entity.tail().as_bytes());
        out.push(b'}');
        Some(())
    }

    fn derived(&self, entity: Entity, id: i64, record: &Record, name: &str, out: &mut Vec<u8>) {
        let client = || record.int(entity, "client_id").and_then(|c| self.table(Entity::Client).rows.get(&c));
        let client_name = || client().map_or("", |c| c.text(Entity::Client, "name"));
        let main_site = || {
            let site = *self.main_sites.get(&id)?;
            Some((site, self.table(Entity::Site).rows.get(&site)?))
        };
        let value: Value = match (entity, name) {
            (Entity::Client, "toplevel_name") => {
                let level = record.int(entity, "toplevel_id").unwrap_or(TOP_LEVELS[0].0);
                TOP_LEVELS.iter().find(|(l, _)| *l == level).map_or("", |(_, name)| name).into()
            }
            (Entity::Client, "customer_relationship" | "customer_relationship_list") => {
                let kind = record.int(entity, "customertype").unwrap_or(RELATIONSHIPS[0].0);
                let usual = RELATIONSHIPS.iter().find(|(id, _)| *id == kind).map(|(_, name)| *name);
                match (self.renamed.get(&kind).map(String::as_str).or(usual), name) {
                    (Some(text), "customer_relationship") => json!([{"id": kind, "name": text}]),
                    (Some(text), _) => text.into(),
                    (None, "customer_relationship") => json!([]),
                    (None, _) => "".into(),
                }
            }
            (Entity::Client, "main_site_id") => main_site().map_or(Value::Null, |(site, _)| site.into()),
            (Entity::Client, "main_site_name") => {
                main_site().map_or(Value::Null, |(_, s)| s.text(Entity::Site, "name").into())
            }
            (Entity::Client, "main_phonenumber") => {
                main_site().map_or(Value::Null, |(_, s)| s.text(Entity::Site, "phonenumber").into())
            }
            (Entity::Client, "main_delivery_address") => main_site().map_or(Value::Null, |(site, s)| {
                nested_address(site, s.get(Entity::Site, "delivery_address").and_then(Value::as_object))
            }),
            (Entity::Site, "clientsite_name") => {
                format!("{}/{}", client_name(), record.text(entity, "name")).into()
            }
            (_, "client_name" | "licence_client_name") => client_name().into(),
            (Entity::Asset, "key_field" | "key_field2" | "key_field3") => {
                let kind = record.int(entity, "assettype_id").unwrap_or_default();
                self.assets.key_value(kind, name, record.text(entity, "fields")).into()
            }
            (Entity::Asset, "assettype_name") => {
                self.assets.type_name(record.int(entity, "assettype_id").unwrap_or_default()).into()
            }
            (Entity::Asset, "status_name") => "Active".into(),
            (Entity::User, "site_id_int") => record.int(entity, "site_id").unwrap_or_default().into(),
            (_, "site_name" | "sitephonenumber") => record
                .int(entity, "site_id")
                .and_then(|s| self.table(Entity::Site).rows.get(&s))
                .map_or("", |s| {
                    s.text(Entity::Site, if name == "site_name" { "name" } else { "phonenumber" })
                })
                .into(),
            (Entity::Licence, "monthly_price" | "monthly_cost") => {
                let unit = if name == "monthly_price" { "price" } else { "purchase_price" };
                let unit = record.get(entity, unit).and_then(Value::as_f64).unwrap_or_default();
                let count = record.int(entity, "count").unwrap_or_default() as f64;
                ((unit * count * 100.0).round() / 100.0).into()
            }
            _ => Value::Null,
        };
        if !value.is_null() {
            member(out, name, &value);
        }
    }

    /// One page. `pageinate` and its friends are spelled as Halo spells them (halopsa.md 2.7).
    pub(super) fn list(&self, entity: Entity, query: &Pairs, quirks: &HaloQuirks) -> Answer {
        if query.get("advanced_search").is_some() {
            return Answer::json(400, &json!("Invalid advanced search parameter"));
        }
        let table = self.table(entity);
        let ids = self.selected(entity, query, quirks);
        let count = ids.len();
        let order = query.get("order").filter(|o| !o.is_empty());
        let descending = query.flag("orderdesc") == Some(true);
        let ids: Cow<[i64]> = match order {
            Some(name) if name.eq_ignore_ascii_case("id") => ids,
            Some(name) => {
                let name = name.to_ascii_lowercase();
                let Some(name) = sortable(entity).get(name.as_str()).copied() else {
                    return Answer::json(400, &json!("Invalid Resource"));
                };
                let mut sorted = ids.into_owned();
                sorted.sort_by(|a, b| {
                    let value = |id: &i64| table.rows.get(id).and_then(|r| r.get(entity, name));
                    compare(value(a), value(b)).then(a.cmp(b))
                });
                sorted.into()
            }
            // Nothing promises an order: each change elsewhere turns it.
            None => {
                let mut turned = ids.into_owned();
                if count > 0 {
                    turned.rotate_left((table.version as usize).wrapping_mul(7) % count);
                }
                turned.into()
            }
        };
        let paged = query.flag("pageinate") == Some(true);
        let asked = query.int("page_size").filter(|n| *n > 0).unwrap_or(50);
        let page = query.int("page_no").filter(|n| *n > 0).unwrap_or(1);
        let (from, size) = if paged {
            let cap = quirks.page_caps.get(entity.endpoint()).copied().unwrap_or(match entity {
                Entity::Asset => quirks.asset_page_cap,
                _ => quirks.page_cap,
            });
            let size = asked.min(i64::from(cap)).max(1) as usize;
            ((page as usize - 1).saturating_mul(size), size)
        } else {
            (0, query.int("count").filter(|n| *n > 0).unwrap_or(50) as usize)
        };
        let rows = from.min(count)..from.saturating_add(size).min(count);
        let total = if rows.is_empty() { 0 } else { count };
        let view = View {
            single: false,
            addresses: query.flag("includeaddress") == Some(true),
            notes: query.flag("includenotes") == Some(true),
            markers: quirks.markers_given_back,
            // Only together with a type (7.1).
            asset_fields: query.flag("includeassetfields") == Some(true)
                && query.int("assettype_id").is_some(),
            custom_fields: quirks.custom_fields_in_lists && query.get("include_custom_fields").is_some(),
        };
        let mut out = Vec::with_capacity(rows.len() * 1024 + 128);
        out.push(b'{');
        if paged {
            let _ = write!(out, "\"page_no\":{page},\"page_size\":{asked},");
        }
        let _ = write!(out, "\"record_count\":{total},\"{}\":[", entity.key());
        for (n, at) in rows.enumerate() {
            if n > 0 {
                out.push(b',');
            }
            let at = if descending && order.is_some() { count - 1 - at } else { at };
            let _ = self.render(entity, ids[at], view, &mut out);
        }
        out.extend_from_slice(b"]}");
        Answer::raw_json(200, out)
    }

    /// The ids that the filters leave, ascending.
    fn selected(&self, entity: Entity, query: &Pairs, quirks: &HaloQuirks) -> Cow<'_, [i64]> {
        let table = self.table(entity);
        let inactive = query.flag("includeinactive") == Some(true);
        let active = query.flag("includeactive") != Some(false);
        let client = query.int("client_id").filter(|_| entity != Entity::Client);
        let search = query.get("search").map(str::to_lowercase).filter(|s| !s.is_empty());
        let equal: Vec<(usize, i64)> = [
            ("toplevel_id", "toplevel_id"),
            ("site_id", "site_id"),
            ("licence_type", "type"),
            ("parent_id", "parent_id"),
        ]
        .into_iter()
        .filter_map(|(asked, name)| Some((index(entity, name)?, query.int(asked)?)))
        .collect();
        let level = query.int("toplevelid").filter(|_| entity == Entity::Licence);
        let people = entity == Entity::User && query.flag("exclude_generaluser") == Some(true);
        let assets = entity == Entity::Asset;
        let kind = query.int("assettype_id").filter(|_| assets);
        let tag = query.get("inventory_number").filter(|_| assets);
        let imported = query.get("integration_type").filter(|_| assets);
        let system = index(entity, "liongardid").filter(|_| imported == Some("liongard"));
        let base = match (client, kind) {
            (Some(client), _) => table.of_client(client),
            (None, Some(kind)) => table.of_type(kind),
            (None, None) if inactive => &table.all,
            (None, None) => &table.live,
        };
        let whole = client.is_none() && (kind.is_none() || inactive) && active;
        let unnarrowed = search.is_none() && equal.is_empty() && level.is_none();
        if whole && unnarrowed && tag.is_none() && imported.is_none() && !people {
            return base.into();
        }
        base.iter()
            .copied()
            .filter(|id| {
                let Some(record) = table.rows.get(id) else { return false };
                let live = super::schema::is_live(entity, record);
                let unset = |at: usize| entity.fields()[at].unset.parse().ok();
                (if live { active } else { inactive })
                    && !(people && record.text(entity, "name") == GENERAL_USER)
                    && kind.is_none_or(|wanted| record.int(entity, "assettype_id") == Some(wanted))
                    && tag.is_none_or(|wanted| record.text(entity, "inventory_number") == wanted)
                    && (imported.is_none()
                        || system
                            .and_then(|at| record.at(at))
                            .and_then(Value::as_i64)
                            .is_some_and(|id| id > 0))
                    && equal.iter().all(|(at, wanted)| {
                        record.at(*at).and_then(Value::as_i64).or_else(|| unset(*at)) == Some(*wanted)
                    })
                    && level.is_none_or(|wanted| {
                        record
                            .int(entity, "client_id")
                            .and_then(|c| self.table(Entity::Client).rows.get(&c))
                            .is_some_and(|c| c.int(Entity::Client, "toplevel_id").unwrap_or(1) == wanted)
                    })
                    && search.as_ref().is_none_or(|wanted| {
                        let found = |name: &str| record.text(entity, name).to_lowercase().contains(wanted);
                        if assets {
                            return found("inventory_number")
                                || halo_assets::any_value(record.text(entity, "fields"), wanted);
                        }
                        found("name") || (quirks.search_covers_markers && entity.marker().is_some_and(found))
                    })
            })
            .collect()
    }
}

/// How much of a record is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) single: bool,
    pub(super) addresses: bool,
    pub(super) notes: bool,
    pub(super) markers: bool,
    pub(super) asset_fields: bool,
    pub(super) custom_fields: bool,
}

fn member(out: &mut Vec<u8>, name: &str, value: &Value) {
    let _ = write!(out, "\"{name}\":{value},");
}

fn nested_address(site: i64, stored: Option<&Map<String, Value>>) -> Value {
    let mut address = json!({
        "id": site + 100_000, "type": 0, "line1": "", "line2": "", "line3": "", "line4": "", "postcode": "",
        "primary": true, "inactive": false, "site_id": site,
    });
    for (name, value) in stored.into_iter().flatten() {
        address[name.as_str()] = value.clone();
    }
    address
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Some(a), Some(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn moment(now: Duration) -> String {
    let now = jiff::SignedDuration::try_from(now).unwrap_or_default();
    let now = EPOCH.checked_add(now).unwrap_or(EPOCH);
    format!("{}.{:03}", now.strftime("%Y-%m-%dT%H:%M:%S"), now.millisecond())
}

/// A business rule's 400: a serialised .NET exception (halopsa.md 2.4 a).
pub(super) fn exception(message: &str) -> Answer {
    Answer::json(
        400,
        &json!({
            "ClassName": "System.Exception", "Message": message, "Data": null, "InnerException": null, "HelpURL": null,
            "StackTraceString": null, "RemoteStackTraceString": null, "RemoteStackIndex": 0, "ExceptionMethod": null,
            "HResult": -2_146_233_088, "Source": null,
        }),
    )
}

/// A model-binding 400 (halopsa.md 2.4 c).
pub(super) fn unbound(path: &str, problem: &str) -> Answer {
    Answer::json(400, &json!({ path: [problem] }))
}
