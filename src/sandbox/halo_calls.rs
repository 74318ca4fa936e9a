//! The calls of the simulated Halo: tokens, lists, writes, and the small lists around them.
//!
//! Source: `apis/halopsa.md` sections 1, 2 and 13.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::{Method, header};
use serde_json::{Value, json};

use super::halo::{CURRENCIES, Halo, TOP_LEVELS, View, exception, unbound};
use super::halo_assets;
use super::quirks::HaloQuirks;
use super::schema::Entity;
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

/// Answers one call to Halo.
pub(super) fn carry_out(sandbox: &Sandbox, call: &Call) -> Answer {
    let quirks = &sandbox.quirks().halo;
    let now = sandbox.elapsed();
    if ["/api/users", "/api/clientcontract"].iter().any(|p| call.path.to_ascii_lowercase().starts_with(p)) {
        sandbox.wake_hudu();
    }
    let mut halo = sandbox.lock_halo();
    halo.assets.blank_missing = quirks.blank_missing_fields;
    halo.assets.type_list_has_fields = quirks.type_list_has_fields;
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
                answer.retry_after = limit.retry_after.then(|| wait(&halo.recent, limit.seconds, now).into());
                return answer;
            }
            let token = call
                .headers
                .get(header::AUTHORIZATION)
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.strip_prefix("Bearer "));
            if token.and_then(|t| halo.tokens.get(t)).is_none_or(|expiry| now >= *expiry) {
                return Answer::empty(401);
            }
            let endpoint = rest.first().copied().unwrap_or_default();
            let verb = call.method.as_str().to_ascii_lowercase();
            let denied =
                quirks.denied.get(endpoint).or_else(|| quirks.denied.get(&format!("{verb} {endpoint}")));
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
                asset_fields: call.query.flag("includedetails") == Some(true),
                custom_fields: call.query.flag("includedetails") == Some(true),
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
            answer.wrote = [id].into();
            answer
        }
        ("GET", None, ["licencechange"]) => {
            let changes = match call.query.int("licence_id") {
                Some(licence) => halo.changes_of(licence).to_vec(),
                None => halo.all_changes(),
            };
            envelope("changes", changes, &call.query)
        }
        ("GET", None, ["toplevel"]) => {
            envelope("tree", TOP_LEVELS.into_iter().map(top_level).collect(), &call.query)
        }
        ("GET", None, ["toplevel", id]) => {
            match TOP_LEVELS.into_iter().find(|(level, _)| level.to_string() == *id) {
                Some(level) => Answer::json(200, &top_level(level)),
                None => Answer::empty(404),
            }
        }
        ("GET", None, ["currency"]) => {
            let row =
                |(id, name, symbol, code)| json!({"id": id, "name": name, "symbol": symbol, "code": code});
            Answer::json(200, &CURRENCIES.into_iter().map(row).collect())
        }
        ("GET", None, ["lookup"]) => match call.query.int("lookupid") {
            None => Answer::json(400, &json!("lookupid must be specified")),
            Some(lookup) => {
                Answer::json(200, &json!([{"lookupid": lookup, "id": 1, "name": "Default", "sequence": 1}]))
            }
        },
        (_, None, [kind @ ("assettype" | "assetgroup" | "field"), id @ ..]) => {
            halo_assets::answer(&mut halo.assets, call, kind, id.first().copied())
        }
        ("GET", None, ["fieldinfo"]) => {
            Answer::json(200, &halo_assets::custom_fields(call.query.int("typeid")))
        }
        ("GET", None, ["application"]) if quirks.application_agent > 0 => Answer::json(
            200,
            &json!([{
                "id": 4, "clientId": super::CLIENT_ID, "displayName": "Parhelion", "inactive": false,
                "grant_type": "client_credentials", "loginas_agent_id": quirks.application_agent,
            }]),
        ),
        ("GET", None, ["instanceinfo"]) => {
            let mut shown = instance(&base(call), halo.installation);
            if !quirks.database.is_empty() {
                shown["dbid"] = quirks.database.as_str().into();
            }
            Answer::json(200, &shown)
        }
        ("GET", None, ["features"]) => Answer::json(200, &features()),
        ("GET", None, ["health"]) => Answer::json(200, &json!({"status": "Healthy"})),
        (_, Some(_), _) => Answer::empty(405),
        _ => Answer::empty(404),
    }
}

pub(super) fn bad_id(id: &str) -> Answer {
    Answer::json(400, &json!({"id": [format!("The value '{id}' is not valid.")]}))
}

/// Creates and updates. A bad element stops the batch; what stood before it stays done.
fn post(halo: &mut Halo, entity: Entity, call: &Call, quirks: &HaloQuirks, now: Duration) -> Answer {
    let rows = match rows_of(call) {
        Ok(rows) => rows,
        Err(refused) => return refused,
    };
    let mut saved = Vec::new();
    let mut any_created = false;
    for (position, row) in rows.iter().enumerate() {
        let outcome = match row {
            Value::Object(row) => {
                let creating = !row.contains_key("id");
                if entity == Entity::Licence
                    && creating
                    && quirks.licence_count_required
                    && row.get("count").is_none()
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
                refused.wrote = saved.into();
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
    answer.wrote = saved.into();
    answer.created = any_created;
    answer
}

/// The elements of a write: JSON, and an array even for one (2.2).
pub(super) fn rows_of(call: &Call) -> Result<Vec<Value>, Answer> {
    let json_sent = call
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.to_ascii_lowercase().starts_with("application/json"));
    if !json_sent {
        return Err(Answer::empty(415));
    }
    match serde_json::from_slice::<Value>(&call.body) {
        Ok(Value::Array(rows)) => Ok(rows),
        Ok(_) => Err(unbound(
            "",
            "Cannot deserialize the current JSON object (e.g. {\"name\":\"value\"}) because the type requires a \
                 JSON array (e.g. [1,2,3]) to deserialize correctly. Path '', line 1, position 1.",
        )),
        Err(e) => Err(unbound("", &format!("Unexpected character encountered while parsing value: {e}"))),
    }
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

fn instance(base: &str, installation: u64) -> Value {
    let installation = installation & 0xFFFF_FFFF_FFFF;
    json!({
        "dbid": format!("00000000-0000-4000-8000-{installation:012x}"), "app_name": "Halo PSA", "app_version": "2.188.7",
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
pub(super) fn over_limit(
    recent: &mut VecDeque<Duration>,
    requests: u32,
    seconds: u32,
    now: Duration,
) -> bool {
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
        return refuse(
            400,
            "unsupported_grant_type",
            "The specified 'grant_type' is not supported.",
            "ID2032",
        );
    }
    if form.get("client_id") != Some(CLIENT_ID) || form.get("client_secret") != Some(CLIENT_SECRET) {
        return refuse(401, "invalid_client", "The specified client credentials are invalid.", "ID2055");
    }
    let scope = form.get("scope").unwrap_or("all");
    let known = |scope: &str| {
        matches!(scope, "all" | "all:standard" | "admin" | "offline_access")
            || scope
                .split_once(':')
                .is_some_and(|(what, of)| matches!(what, "read" | "edit") && SCOPES.contains(&of))
    };
    if scope.is_empty() || !scope.split_whitespace().all(known) {
        return refuse(400, "invalid_scope", "The specified 'scope' is invalid.", "ID2052");
    }
    let scope = if quirks.granted_scopes.is_empty() { scope } else { &quirks.granted_scopes };
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
