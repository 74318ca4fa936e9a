//! The simulated Halo: tokens, lists with their paging traps, and writes.
//!
//! Source: `apis/halopsa.md`, above all its sections 1, 2 and 13.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::time::Duration;

use axum::http::{Method, header};
use serde_json::{Map, Value, json};

use super::quirks::HaloQuirks;
use super::schema::{Entity, Kind, Record, Shown, Table, bind, index, sortable};
use super::wire::{Answer, Call, Pairs, too_many};
use super::{CLIENT_ID, CLIENT_SECRET, Host, Sandbox, TENANT};

/// The scopes of halopsa.md 1.8.
const SCOPES: [&str; 19] = [
    "tickets",
    "calendar",
    "customers",
    "crm",
    "timesheets",
    "contracts",
    "suppliers",
    "items",
    "projects",
    "sales",
    "quotes",
    "sos",
    "pos",
    "invoices",
    "reporting",
    "software",
    "softwarelicensing",
    "kb",
    "assets",
];

/// Where the clock of the simulated Halo starts, so that the same calls leave the same dates.
const EPOCH: jiff::civil::DateTime = jiff::civil::datetime(2026, 7, 1, 6, 0, 0, 0);

pub(super) const TOP_LEVELS: [(i64, &str); 3] = [(1, "Customers"), (2, "Prospects"), (3, "Suppliers")];

/// Pounds first: it is the currency of the house.
const CURRENCIES: [(i64, &str, &str, &str); 3] =
    [(1, "Pound Sterling", "£", "GBP"), (2, "Euro", "€", "EUR"), (3, "US Dollar", "$", "USD")];

/// Halo's data and sessions.
#[derive(Debug)]
pub(super) struct Halo {
    tables: [Table; 3],
    /// A client's first site.
    main_sites: HashMap<i64, i64>,
    changes: HashMap<i64, Vec<Value>>,
    changes_so_far: i64,
    pub(super) tokens: HashMap<String, Duration>,
    tokens_so_far: u64,
    recent: VecDeque<Duration>,
}

impl Halo {
    pub(super) fn empty() -> Self {
        Self {
            tables: [Table::starting_at(101), Table::starting_at(501), Table::starting_at(301)],
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
        let view = View { single: true, addresses: false, notes: true, markers };
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
            for part in [Entity::Site, Entity::Licence] {
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
                Entity::Client | Entity::Site => json!({"id": id, "inactive": true}),
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
                let id_field = super::schema::Field { name: "id", kind: Kind::Int, shown: Shown::List, unset: "" };
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
        self.check(entity, &record, &values)?;
        let id = id.unwrap_or(self.table(entity).next);
        let stamp = Value::String(moment(now));
        if created && let Some(at) = index(entity, "datecreated") {
            record.set(at, stamp.clone());
        }
        if let Some(at) = index(entity, "alastupdate") {
            record.set(at, stamp.clone());
        }
        if entity == Entity::Client && created && record.get(entity, "default_currency_code").is_none() {
            record.set(index(entity, "default_currency_code").unwrap_or_default(), CURRENCIES[0].0.into());
        }
        if entity == Entity::Licence && let Some(before) = &existing {
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
        if record.text(entity, "name").trim().is_empty() {
            return Err(exception("A name must be entered"));
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
            Entity::Site | Entity::Licence => {
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

    /// A new client gets its main site in the same call (`newclient_*`).
    fn main_site(&mut self, client: i64, sent: &Map<String, Value>, values: &[(usize, Value)], now: Duration) {
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
                record.at(at).map_or_else(|| field.unset.trim_matches('"').to_owned(), |value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                })
            };
            let (old, new) = (shown(before), shown(after));
            let same_number = old.parse::<f64>().ok().zip(new.parse::<f64>().ok()).is_some_and(|(a, b)| a.eq(&b));
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
    fn render(&self, entity: Entity, id: i64, view: View, out: &mut Vec<u8>) -> Option<()> {
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
                Kind::Address => {
                    // The example gives a new site's invoice address as its delivery address.
                    let stored =
                        record.at(at).or_else(|| record.get(entity, "delivery_address")).and_then(Value::as_object);
                    member(out, field.name, &nested_address(id, stored));
                }
                Kind::Int if entity == Entity::Site && field.name == "client_id" => {
                    let _ = write!(out, "\"client_id\":{}.0,", record.int(entity, "client_id").unwrap_or_default());
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
            (Entity::Licence, "site_name") => record
                .int(entity, "site_id")
                .and_then(|s| self.table(Entity::Site).rows.get(&s))
                .map_or("", |s| s.text(Entity::Site, "name"))
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
    fn list(&self, entity: Entity, query: &Pairs, quirks: &HaloQuirks) -> Answer {
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
            let cap = quirks.page_caps.get(entity.endpoint()).copied().unwrap_or(quirks.page_cap);
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
        let base = match client {
            Some(client) => table.of_client(client),
            None if inactive => &table.all,
            None => &table.live,
        };
        if client.is_none() && active && search.is_none() && equal.is_empty() && level.is_none() {
            return base.into();
        }
        base.iter()
            .copied()
            .filter(|id| {
                let Some(record) = table.rows.get(id) else { return false };
                let live = super::schema::is_live(entity, record);
                let unset = |at: usize| entity.fields()[at].unset.parse().ok();
                (if live { active } else { inactive })
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
                        found("name")
                            || (quirks.search_covers_markers && entity.marker().is_some_and(found))
                    })
            })
            .collect()
    }
}

/// How much of a record is shown.
#[derive(Debug, Clone, Copy)]
struct View {
    single: bool,
    addresses: bool,
    notes: bool,
    markers: bool,
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
fn exception(message: &str) -> Answer {
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
fn unbound(path: &str, problem: &str) -> Answer {
    Answer::json(400, &json!({ path: [problem] }))
}

/// Answers one call to Halo.
pub(super) fn carry_out(sandbox: &Sandbox, call: &Call) -> Answer {
    let quirks = &sandbox.quirks().halo;
    let now = sandbox.elapsed();
    let mut halo = sandbox.lock_halo();
    let path = call.path.to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    match parts.as_slice() {
        ["auth", "token"] if call.method == Method::POST => token(&mut halo, call, quirks, now),
        ["api", "authinfo"] => {
            Answer::json(200, &json!({"auth_url": format!("{}/auth", base(call)), "tenant_id": TENANT}))
        }
        ["api", rest @ ..] => {
            if let Some(limit) = quirks.rate
                && over_limit(&mut halo.recent, limit.requests, limit.seconds, now)
            {
                let mut answer = too_many(Host::Halo, limit.requests, limit.seconds);
                answer.retry_after = limit.retry_after.then(|| wait(&halo.recent, limit.seconds, now));
                return answer;
            }
            let token = call
                .headers
                .get(header::AUTHORIZATION)
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.strip_prefix("Bearer "));
            if !token.and_then(|t| halo.tokens.get(t)).is_some_and(|expiry| now < *expiry) {
                return Answer::empty(401);
            }
            let endpoint = rest.first().copied().unwrap_or_default();
            let verb = call.method.as_str().to_ascii_lowercase();
            let denied = quirks.denied.get(endpoint).or_else(|| quirks.denied.get(&format!("{verb} {endpoint}")));
            if let Some(status) = denied {
                return Answer::empty(*status);
            }
            api(&mut halo, call, rest, quirks, now)
        }
        _ => Answer::empty(404),
    }
}

fn api(halo: &mut Halo, call: &Call, path: &[&str], quirks: &HaloQuirks, now: Duration) -> Answer {
    let entity = path.first().and_then(|e| Entity::ALL.into_iter().find(|entity| entity.endpoint() == *e));
    match (call.method.as_str(), entity, path) {
        ("GET", Some(entity), [_]) => halo.list(entity, &call.query, quirks),
        ("GET", Some(Entity::Client), [_, "me"]) => Answer::empty(401),
        ("GET", Some(entity), [_, id]) => {
            let Ok(id) = id.parse::<i64>() else { return bad_id(id) };
            let view = View {
                // Licences have no details to ask for.
                single: entity == Entity::Licence || call.query.flag("includedetails") == Some(true),
                addresses: false,
                notes: true,
                markers: quirks.markers_given_back,
            };
            let mut out = Vec::with_capacity(2048);
            match halo.render(entity, id, view, &mut out) {
                Some(()) => Answer::raw_json(200, out),
                None => Answer::empty(404),
            }
        }
        ("POST", Some(entity), [_]) => post(halo, entity, call, quirks, now),
        ("DELETE", Some(entity), [_, id]) => {
            let Ok(id) = id.parse::<i64>() else { return bad_id(id) };
            if !halo.remove(entity, id) {
                return Answer::empty(404);
            }
            let mut answer = Answer::empty(200);
            answer.wrote.push(id);
            answer
        }
        ("GET", None, ["licencechange"]) => {
            let changes = match call.query.int("licence_id") {
                Some(licence) => halo.changes_of(licence).to_vec(),
                None => halo.all_changes(),
            };
            envelope("changes", changes, &call.query)
        }
        ("GET", None, ["toplevel"]) => envelope("tree", TOP_LEVELS.into_iter().map(top_level).collect(), &call.query),
        ("GET", None, ["toplevel", id]) => match TOP_LEVELS.into_iter().find(|(level, _)| level.to_string() == *id) {
            Some(level) => Answer::json(200, &top_level(level)),
            None => Answer::empty(404),
        },
        ("GET", None, ["currency"]) => {
            let row = |(id, name, symbol, code)| json!({"id": id, "name": name, "symbol": symbol, "code": code});
            Answer::json(200, &CURRENCIES.into_iter().map(row).collect())
        }
        ("GET", None, ["lookup"]) => match call.query.int("lookupid") {
            None => Answer::json(400, &json!("lookupid must be specified")),
            Some(lookup) => Answer::json(200, &json!([{"lookupid": lookup, "id": 1, "name": "Default", "sequence": 1}])),
        },
        ("GET", None, ["instanceinfo"]) => Answer::json(200, &instance(&base(call))),
        ("GET", None, ["features"]) => Answer::json(200, &features()),
        ("GET", None, ["health"]) => Answer::json(200, &json!({"status": "Healthy"})),
        (_, Some(_), _) => Answer::empty(405),
        _ => Answer::empty(404),
    }
}

fn bad_id(id: &str) -> Answer {
    Answer::json(400, &json!({"id": [format!("The value '{id}' is not valid.")]}))
}

/// Creates and updates. A bad element stops the batch; what stood before it stays done.
fn post(halo: &mut Halo, entity: Entity, call: &Call, quirks: &HaloQuirks, now: Duration) -> Answer {
    let json_sent = call
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.to_ascii_lowercase().starts_with("application/json"));
    if !json_sent {
        return Answer::empty(415);
    }
    let rows = match serde_json::from_slice::<Value>(&call.body) {
        Ok(Value::Array(rows)) => rows,
        Ok(_) => {
            return unbound(
                "",
                "Cannot deserialize the current JSON object (e.g. {\"name\":\"value\"}) because the type requires a \
                 JSON array (e.g. [1,2,3]) to deserialize correctly. Path '', line 1, position 1.",
            );
        }
        Err(e) => return unbound("", &format!("Unexpected character encountered while parsing value: {e}")),
    };
    let mut saved = Vec::new();
    let mut any_created = false;
    for (position, row) in rows.iter().enumerate() {
        let outcome = match row {
            Value::Object(row) => {
                let creating = !row.contains_key("id");
                if entity == Entity::Licence && creating && quirks.licence_count_required && row.get("count").is_none()
                {
                    Err(exception(
                        "A database error occurred (515) - Cannot insert the value NULL into column 'LCount', table \
                         'Licence'; column does not allow nulls. INSERT fails.",
                    ))
                } else {
                    halo.save(entity, row, position, now, false)
                }
            }
            _ => Err(unbound(&format!("[{position}]"), "Error converting value to a record.")),
        };
        match outcome {
            Ok((id, created)) => {
                any_created |= created;
                saved.push(id);
            }
            Err(mut refused) => {
                refused.wrote = saved;
                refused.created = any_created;
                return refused;
            }
        }
    }
    let values: Vec<Value> =
        saved.iter().filter_map(|id| halo.value(entity, *id, quirks.markers_given_back)).collect();
    let mut answer = match values.as_slice() {
        [one] => Answer::json(201, one),
        _ => Answer::json(201, &Value::Array(values)),
    };
    answer.wrote = saved;
    answer.created = any_created;
    answer
}

/// A list that is short enough to be cut from a vector.
fn envelope(key: &str, rows: Vec<Value>, query: &Pairs) -> Answer {
    let (page, size) = if query.flag("pageinate") == Some(true) {
        let size = query.int("page_size").filter(|n| *n > 0).unwrap_or(50).min(100);
        (query.int("page_no").filter(|n| *n > 0).unwrap_or(1), size)
    } else {
        (1, query.int("count").filter(|n| *n > 0).unwrap_or(50))
    };
    let total = rows.len();
    let page_rows: Vec<Value> = rows
        .into_iter()
        .skip((page as usize - 1).saturating_mul(size as usize))
        .take(size as usize)
        .collect();
    let total = if page_rows.is_empty() { 0 } else { total };
    Answer::json(200, &json!({"page_no": page, "page_size": size, "record_count": total, key: page_rows}))
}

fn top_level((id, name): (i64, &str)) -> Value {
    json!({
        "id": id, "guid": format!("00000000-0000-4000-8000-0000000000a{id}"), "name": name,
        "long_name": format!("Sandbox MSP/{name}"), "organisation_id": 1, "organisation_name": "Sandbox MSP",
        "org_department_name": format!("Sandbox MSP/{name}"), "type": 0, "agent_department": false,
        "accounts_override_mailbox": 0, "concurrent_lic_limit": 0, "customfields": [],
    })
}

fn instance(base: &str) -> Value {
    json!({
        "dbid": "00000000-0000-4000-8000-000000000001", "app_name": "Halo PSA", "app_version": "2.188.7",
        "database_version": "2.188.7", "agent_count": 7, "licensed_agent_count": 7, "online_agent_count": 2,
        "last_login": "2026-07-01T05:41:12.443", "agent_url": base, "portal_url": format!("{base}/portal"),
        "auth_url": format!("{base}/auth"), "mobileapp_enabled": true,
    })
}

/// Halo's own integrators are off, so nobody else imports the same subscriptions.
fn features() -> Value {
    let row = |id: i64, name: &str, actual: &str| {
        json!({
            "id": id, "module_name": name, "actual_name": actual, "enabled": false, "licensed": true, "core": false,
            "accesslevel": 0, "halointegratorenabled": false,
        })
    };
    json!([row(901, "ALSO", "also"), row(902, "Westcoast Cloud", "westcoastcloud")])
}

/// The address the caller used, so that what points back points to the right port.
fn base(call: &Call) -> String {
    let host = call.headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("sandbox.invalid");
    format!("http://{host}")
}

/// Whether a call at `now` is one too many; one that is not is counted.
pub(super) fn over_limit(recent: &mut VecDeque<Duration>, requests: u32, seconds: u32, now: Duration) -> bool {
    let window = Duration::from_secs(u64::from(seconds));
    while recent.front().is_some_and(|at| now.saturating_sub(*at) >= window) {
        recent.pop_front();
    }
    if recent.len() >= requests as usize {
        return true;
    }
    recent.push_back(now);
    false
}

/// Whole seconds until the oldest call leaves the window.
pub(super) fn wait(recent: &VecDeque<Duration>, seconds: u32, now: Duration) -> String {
    let oldest = recent.front().copied().unwrap_or(now);
    let left = (oldest + Duration::from_secs(u64::from(seconds))).saturating_sub(now);
    (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1).to_string()
}

fn token(halo: &mut Halo, call: &Call, quirks: &HaloQuirks, now: Duration) -> Answer {
    let form = Pairs::of_form(&call.body);
    let refuse = |status: u16, error: &str, description: &str, number: &str| {
        Answer::json(
            status,
            &json!({
                "error": error, "error_description": description,
                "error_uri": format!("https://documentation.openiddict.com/errors/{number}"),
            }),
        )
    };
    // The tenant comes in the query, in the form, or not at all.
    if let Some(tenant) = call.query.get("tenant").or_else(|| form.get("tenant"))
        && !tenant.eq_ignore_ascii_case(TENANT)
        && !tenant.is_empty()
    {
        return Answer::text(500, "text/plain; charset=utf-8", "Tenant not found");
    }
    let Some(grant) = form.get("grant_type") else {
        return refuse(400, "invalid_request", "The mandatory 'grant_type' parameter is missing.", "ID2029");
    };
    if grant != "client_credentials" {
        return refuse(400, "unsupported_grant_type", "The specified 'grant_type' is not supported.", "ID2032");
    }
    if form.get("client_id") != Some(CLIENT_ID) || form.get("client_secret") != Some(CLIENT_SECRET) {
        return refuse(401, "invalid_client", "The specified client credentials are invalid.", "ID2055");
    }
    let scope = form.get("scope").unwrap_or("all");
    let known = |scope: &str| {
        matches!(scope, "all" | "all:standard" | "admin" | "offline_access")
            || scope.split_once(':').is_some_and(|(what, of)| matches!(what, "read" | "edit") && SCOPES.contains(&of))
    };
    if scope.is_empty() || !scope.split_whitespace().all(known) {
        return refuse(400, "invalid_scope", "The specified 'scope' is invalid.", "ID2052");
    }
    halo.tokens_so_far += 1;
    let access = format!("sandbox.access.{:08}", halo.tokens_so_far);
    halo.tokens.insert(access.clone(), now + Duration::from_secs(quirks.token_seconds));
    Answer::json(
        200,
        &json!({
            "scope": scope, "token_type": "Bearer", "access_token": access, "expires_in": quirks.token_seconds,
            "refresh_token": format!("sandbox.refresh.{:08}", halo.tokens_so_far),
            "id_token": format!("sandbox.id.{:08}", halo.tokens_so_far),
        }),
    )
}
