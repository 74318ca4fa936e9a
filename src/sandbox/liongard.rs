//! The calls of the simulated Liongard, v1 and v2.
//!
//! Source: `apis/liongard.md`, above all sections 2 to 6, 8, 9, 11, 12 and 17.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};

use super::halo_calls::{over_limit, wait};
use super::liongard_world::{Environment, INSPECTORS, METRICS, Machine, World};
use super::quirks::{DuplicateNames, KeyState, LiongardQuirks, Redirects};
use super::wire::{Answer, Call};
use super::{LIONGARD_KEY_ID, LIONGARD_KEY_SECRET, Sandbox};

/// Collections that are answered with a redirect when the slash at their end is missing (section 2).
const ROOTS: [&str; 8] = [
    "environments",
    "systems",
    "inspectors",
    "launchpoints",
    "agents",
    "metrics",
    "metrics/bulk",
    "timeline",
];
const STAMP: &str = "2026-11-20T03:02:19.811Z";
/// What inventory queries may be sorted by, of the long list.
const SORTABLE: [&str; 6] = ["InventoryState", "Hostname", "SerialNumber", "ID", "LastSeen", "CreatedOn"];

/// Liongard's data, and who called lately.
#[derive(Debug)]
pub(super) struct Liongard {
    pub(super) world: World,
    recent: VecDeque<Duration>,
    recent_evaluations: VecDeque<Duration>,
    /// Created environments that the list does not show yet: id, lists left.
    unseen: Vec<(i64, u32)>,
}

impl Liongard {
    pub(super) fn new(world: World) -> Self {
        Self { world, recent: VecDeque::new(), recent_evaluations: VecDeque::new(), unseen: Vec::new() }
    }
}

/// Answers one call to Liongard.
pub(super) fn carry_out(sandbox: &Sandbox, call: &Call) -> Answer {
    let quirks = sandbox.quirks().liongard.clone();
    let now = sandbox.elapsed();
    let mut liongard = sandbox.lock_liongard();
    let liongard = &mut *liongard;
    if let Some(refused) = key_refused(call, &quirks) {
        return refused;
    }
    let Some((version, path)) = call.path.strip_prefix("/api/").and_then(|rest| rest.split_once('/')) else {
        return Answer::text(404, "text/html; charset=utf-8", "<html><body>Cannot find that</body></html>");
    };
    let redirected = match quirks.redirects {
        Redirects::None => false,
        Redirects::Roots => ROOTS.contains(&path),
        Redirects::All => true,
    };
    if redirected && !call.slash {
        return Answer::redirect(&format!("{}/", call.path));
    }
    // Repeated or bracketed parameters are a fault of the server's own (section 6).
    if call.query.names().any(|name| name.contains('[')) {
        return v1_error(500, "Internal Server Error");
    }
    if let Some(limit) = quirks.rate
        && over_limit(&mut liongard.recent, limit.requests, limit.seconds, now)
    {
        let mut answer = v1_error(429, "Too many requests, please try again later.");
        answer.retry_after = limit.retry_after.then(|| wait(&liongard.recent, limit.seconds, now).into());
        return answer;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if version == "v1" && parts == ["systems"] && call.method == Method::GET && !quirks.systems_denied {
        return systems(sandbox, visible(&liongard.world, &quirks), quirks.null_parts);
    }
    match version {
        "v1" => v1(liongard, call, &parts, &quirks),
        "v2" => v2(liongard, call, &parts, &quirks, now),
        _ => v1_error(404, "Not found"),
    }
}

/// The whole list, made in pieces of a hundred, so that it is never there at once.
fn systems(sandbox: &Sandbox, ids: Vec<i64>, null_parts: bool) -> Answer {
    let sandbox = sandbox.clone();
    let mut next = 0;
    let mut ended = false;
    Answer::chunked(std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let mut piece = if next == 0 { b"[".to_vec() } else { Vec::new() };
        let liongard = sandbox.lock_liongard();
        let until = (next + 100).min(ids.len());
        for (at, id) in ids.iter().enumerate().take(until).skip(next) {
            let Some(one) = liongard.world.machine(*id) else { continue };
            if at > 0 {
                piece.push(b',');
            }
            piece.extend_from_slice(system(&one, &liongard.world, null_parts).to_string().as_bytes());
        }
        next = until;
        if next == ids.len() {
            ended = true;
            piece.push(b']');
        }
        Some(piece)
    }))
}

fn key_refused(call: &Call, quirks: &LiongardQuirks) -> Option<Answer> {
    let right =
        base64::engine::general_purpose::STANDARD.encode(format!("{LIONGARD_KEY_ID}:{LIONGARD_KEY_SECRET}"));
    let nonsense = base64::engine::general_purpose::STANDARD.encode("undefined:undefined");
    let sent = call.headers.get("x-roar-api-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match quirks.key {
        _ if sent == nonsense => Some(v1_error(500, "Internal Server Error")),
        KeyState::Valid if sent == right => None,
        KeyState::Expired => Some(Answer::json(401, &json!({"message": "Access key has expired"}))),
        KeyState::Revoked => Some(Answer::json(401, &json!({"message": "Access key was revoked"}))),
        KeyState::Valid => Some(Answer::json(401, &json!({"message": "Session appears to be invalid"}))),
    }
}

fn v1(liongard: &mut Liongard, call: &Call, path: &[&str], quirks: &LiongardQuirks) -> Answer {
    if quirks.systems_denied && matches!(path.first(), Some(&("systems" | "launchpoints"))) {
        return v1_error(403, "Forbidden");
    }
    let shows = |id: i64| quirks.shows(id);
    let world = &liongard.world;
    match (call.method.as_str(), path) {
        ("GET", ["environments", "count"]) => {
            let count = world.environments.keys().filter(|id| shows(**id)).count();
            Answer::json(200, &json!(count))
        }
        ("GET", ["environments"]) => {
            let ids = listed(liongard, quirks);
            let world = &liongard.world;
            let rows = ids.iter().filter_map(|id| Some(environment(*id, world.environments.get(id)?, false)));
            Answer::json(200, &rows.collect())
        }
        ("GET", ["environments", id]) => match found(world, id, quirks) {
            Some((id, one)) => Answer::json(200, &environment(id, one, false)),
            None => v1_error(404, "Not found"),
        },
        ("POST", ["environments"]) => create(liongard, call, quirks, false),
        ("GET", ["systems", "count"]) => Answer::json(200, &json!(visible(world, quirks).len())),
        ("POST" | "GET", ["systems", id, "view"]) => {
            let id = id.parse::<i64>().unwrap_or_default();
            let one = world.machine(id).filter(|one| one.environment.is_none_or(shows));
            match one {
                Some(one) => Answer::json(200, &view(&one, world, quirks)),
                None if quirks.unknown_as_empty => Answer::json(200, &json!([])),
                None => v1_error(404, "Not found"),
            }
        }
        ("GET", ["inspectors"]) => Answer::json(200, &INSPECTORS.iter().map(|i| inspector(i.0)).collect()),
        ("GET", ["metrics"]) => {
            let name = if quirks.metric_uuids { "UUIDS" } else { "UUID" };
            let row = |(id, uuid, label, inspector, _): &Metric| {
                let alias = INSPECTORS.iter().find(|(id, ..)| id == inspector).map_or("", |row| row.2);
                json!({
                    "ID": id, "Name": label, name: uuid, "UCK": label, "Description": "", "ServiceProvider": null,
                    "Environment": null, "Inspector": {"ID": inspector, "Alias": alias}, "MetricDisplay": false,
                })
            };
            Answer::json(200, &metrics(quirks).iter().map(row).collect())
        }
        _ => v1_error(404, "Not found"),
    }
}

fn v2(liongard: &mut Liongard, call: &Call, path: &[&str], quirks: &LiongardQuirks, now: Duration) -> Answer {
    match (call.method.as_str(), path) {
        ("GET", ["environments", "count"]) => {
            let count = liongard.world.environments.keys().filter(|id| quirks.shows(**id)).count();
            Answer::json(200, &json!({"Success": true, "Data": count}))
        }
        ("GET", ["environments"]) => {
            let ids = listed(liongard, quirks);
            let world = &liongard.world;
            let rows: Vec<Value> = ids
                .iter()
                .filter_map(|id| Some(environment(*id, world.environments.get(id)?, true)))
                .collect();
            let asked = call.query.int("pageSize").and_then(|size| usize::try_from(size).ok());
            let page = call.query.int("page").and_then(|page| usize::try_from(page).ok()).unwrap_or(1);
            match asked {
                Some(asked) => {
                    let (rows, paging) = cut(&rows, page, asked.min(quirks.page_cap as usize));
                    Answer::json(200, &json!({"Success": true, "Data": rows, "Pagination": paging}))
                }
                None => Answer::json(200, &json!({"Success": true, "Data": rows})),
            }
        }
        ("GET", ["environments", id]) => match found(&liongard.world, id, quirks) {
            Some((id, one)) => single(&environment(id, one, true), quirks),
            None => Answer::json(404, &json!({"Success": false, "Message": "Entity not found"})),
        },
        ("GET", ["environments", id, "relatedEntities"]) => match found(&liongard.world, id, quirks) {
            Some((id, _)) => {
                let children = liongard.world.environments.iter().filter(|(_, one)| one.parent == Some(id));
                let children: Vec<Value> =
                    children.map(|(id, one)| json!({"ID": id, "Name": one.name, "Status": 1})).collect();
                Answer::json(
                    200,
                    &json!({"Success": true, "Data": {"ID": id, "LaunchPoints": [], "Agents": [],
                        "IntegrationMappings": [], "ChildEnvironments": children}}),
                )
            }
            None => Answer::json(404, &json!({"Success": false, "Message": "Entity not found"})),
        },
        ("POST", ["environments"]) => create(liongard, call, quirks, true),
        ("POST", ["inventory", "device-profiles", "query"]) => devices(&liongard.world, call, quirks),
        ("POST", ["metrics", "evaluate"]) => {
            if let Some(limit) = quirks.evaluate_rate
                && over_limit(&mut liongard.recent_evaluations, limit.requests, limit.seconds, now)
            {
                let mut answer = v1_error(429, "Too many requests, please try again later.");
                answer.retry_after =
                    limit.retry_after.then(|| wait(&liongard.recent_evaluations, limit.seconds, now).into());
                return answer;
            }
            evaluate(&liongard.world, call, quirks)
        }
        _ => Answer::json(404, &json!({"Success": false, "Message": "Entity not found"})),
    }
}

/// The environments that a list shows now; those just made may come later.
fn listed(liongard: &mut Liongard, quirks: &LiongardQuirks) -> Vec<i64> {
    let unseen = &liongard.unseen;
    let shown = |id: &i64| quirks.shows(*id) && !unseen.iter().any(|(other, _)| other == id);
    let ids = liongard.world.environments.keys().copied().filter(shown).collect();
    liongard.unseen.retain_mut(|(_, left)| {
        *left = left.saturating_sub(1);
        *left > 0
    });
    ids
}

fn visible(world: &World, quirks: &LiongardQuirks) -> Vec<i64> {
    let all = world.systems();
    if quirks.hidden_every == 0 {
        return all.collect();
    }
    all.filter(|id| world.environment_of(*id).is_none_or(|environment| quirks.shows(environment))).collect()
}

fn found<'a>(world: &'a World, id: &str, quirks: &LiongardQuirks) -> Option<(i64, &'a Environment)> {
    let id = id.parse().ok().filter(|id| quirks.shows(*id))?;
    Some((id, world.environments.get(&id)?))
}

fn create(liongard: &mut Liongard, call: &Call, quirks: &LiongardQuirks, second: bool) -> Answer {
    if quirks.read_only {
        return if second {
            Answer::json(403, &json!({"Success": false, "Message": "Forbidden"}))
        } else {
            v1_error(403, "Forbidden")
        };
    }
    let sent: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let name = sent["Name"].as_str().unwrap_or_default().trim().to_owned();
    let refuse = |status: u16, message: &str| {
        Answer::json(
            status,
            &json!({"Success": false, "Message": message, "ValidationErrors": [
            {"path": "Name", "message": message}]}),
        )
    };
    if name.is_empty() {
        return refuse(400, "Expected a name");
    }
    let is_there = liongard.world.environments.values().any(|one| one.name.eq_ignore_ascii_case(&name));
    match quirks.duplicate_names {
        DuplicateNames::Refused if is_there => return refuse(400, "Name is in use"),
        DuplicateNames::Conflict if is_there => return refuse(409, "Name is in use"),
        _ => {}
    }
    let made = Environment {
        name,
        short_name: sent["ShortName"].as_str().map(str::to_owned),
        description: sent["Description"].as_str().unwrap_or_default().to_owned(),
        website: None,
        parent: None,
        visible: true,
    };
    let id = liongard.world.insert(made.clone());
    if quirks.lists_until_seen > 0 {
        liongard.unseen.push((id, quirks.lists_until_seen));
    }
    let shown = environment(id, &made, second);
    let mut answer = if second { single(&shown, quirks) } else { Answer::json(200, &shown) };
    answer.wrote = [id].into();
    answer.created = true;
    answer
}

fn single(row: &Value, quirks: &LiongardQuirks) -> Answer {
    let data = if quirks.single_as_array { json!([row]) } else { row.clone() };
    Answer::json(200, &json!({"Success": true, "Data": data}))
}

pub(super) fn environment(id: i64, one: &Environment, second: bool) -> Value {
    let downgrade = if second { "CanDownGrade" } else { "CanDowngrade" };
    let mut row = json!({
        "ID": id, "ServiceProviderID": 77, "Name": one.name, "ShortName": one.short_name,
        "Description": one.description, "Status": 1, "Visible": one.visible, "ExpiresOn": null, "KeyRotation": 90,
        "CreatedOn": "2023-03-14T08:30:00.000Z", "UpdatedOn": null,
        "Tier": {"Type": "Core", downgrade: false, "AssociatedInspectors": 6},
    });
    if !second {
        row["Website"] = json!(one.website);
        row["Static"] = json!(false);
    }
    row
}

fn inspector(id: i64) -> Value {
    let Some((id, name, alias, machine)) = INSPECTORS.iter().find(|row| row.0 == id) else {
        return Value::Null;
    };
    json!({
        "ID": id, "Name": name, "Alias": alias, "Published": true, "Author": "Liongard, Inc.",
        "ContactEmail": "support@vendor.example", "Logo": format!("https://static.vendor.example/{name}.png"),
        "Icon": format!("https://static.vendor.example/icons/{name}.png"), "Description": "Synthetic description.",
        "HelpLink": format!("https://docs.vendor.example/{name}"), "PublishedStatus": "production",
        "InspectorCategory": if *machine { "endpoint" } else { "appservices" }, "EnhancedBilling": false,
        "DefaultFrequency": {"Type": "days", "Interval": 1},
        "Constraints": {"Tiers": ["core"], "Platform": ["windows"],
            "Frequency": {"MaxIntervalType": "hours", "MaxIntervalFrequency": 8},
            "AgentConstraint": ["customer-on-prem"], "RecomendedAgent": "customer-on-prem"},
        "CreatedOn": "2019-02-01T00:00:00.000Z", "UpdatedOn": "2026-09-01T00:00:00.000Z",
    })
}

/// A row of the list of systems. Inside it `Tier` is plain text (8.1).
pub(super) fn system(one: &Machine, world: &World, null_parts: bool) -> Value {
    let place = one.environment.and_then(|id| Some((id, world.environments.get(&id)?)));
    let mut nested = place.map_or(Value::Null, |(id, place)| environment(id, place, false));
    if nested.is_object() {
        nested["Tier"] = json!("Core");
    }
    let label =
        one.inspector.and_then(|id| INSPECTORS.iter().find(|row| row.0 == id)).map_or("", |row| row.2);
    let launchpoint = if one.has_launchpoint || !null_parts {
        json!({
            "ID": one.id + 9000, "VersionID": null, "Alias": format!("{label} - {}", one.name),
            "Config": "{\"TIMEOUT\":5}", "TotalScheduledRuns": 249, "TotalAdHocRuns": 7,
            "NextScheduledFor": "2026-11-21T03:00:00.000Z", "LastScheduledRun": "2026-11-20T03:00:04.000Z",
            "FreqType": "days", "FreqInterval": 1, "ActiveStart": "2025-05-05T10:00:00.000Z", "ActiveEnd": null,
            "Enabled": true, "Visible": true, "Status": "Active", "ParentID": null, "EnvironmentID": one.environment,
        })
    } else {
        Value::Null
    };
    json!({
        "ID": one.id, "Environment": nested, "Launchpoint": launchpoint,
        "Inspector": one.inspector.map_or(Value::Null, inspector), "UniqueCompositeKey": "", "Name": one.name,
        "Description": "", "Tags": null, "UserDefined": false, "Status": 1, "Visible": one.visible,
        "LastVerifyTime": STAMP, "CreatedOn": "2025-05-05T10:07:41.230Z", "CreatedBy": "Morgan Vale",
        "UpdatedOn": STAMP, "UpdatedBy": null, "Enabled": true, "RunState": "Completed",
        "LatestInspectionDate": STAMP, "NextScheduledFor": "2026-11-21T03:00:00.000Z",
    })
}

fn view(one: &Machine, world: &World, quirks: &LiongardQuirks) -> Value {
    let fact = |name: &str| one.fact(name);
    let raw = if one.is_machine() {
        json!({
            "SystemInfo": {"CSName": fact("hostname"), "Manufacturer": fact("manufacturer"), "Model": fact("model"),
                "SerialNumber": fact("serial")},
            "OS": {"OperatingSystemName": fact("os"), "Version": fact("os_version")},
            "ComputerSystem": {"MachineType": fact("type"), "TotalRamGB": fact("ram")},
            "Warranty": {"WarrantyExpirationDate": fact("warranty")},
            "NetConfig": [{"DNSHostName": fact("hostname"), "IPAddress": [fact("ip"), "fe80::1"],
                "MACAddress": fact("mac")}],
        })
    } else {
        json!({"Overview": {"Name": one.name}})
    };
    json!({"raw": raw, "system": system(one, world, quirks.null_parts), "view": {"ID": 23}, "views": {}})
}

fn devices(world: &World, call: &Call, quirks: &LiongardQuirks) -> Answer {
    let sent: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let refuse = |path: &str, message: &str| {
        Answer::json(
            400,
            &json!({"Success": false, "Message": "Bad request",
            "ValidationErrors": [{"path": path, "message": message}]}),
        )
    };
    let Some(asked) = sent["Environment"].as_i64() else {
        return refuse("Environment", "Expected number but instead got: undefined.");
    };
    if !sent["Filters"].is_array() {
        return refuse("Filters", "Expected Array but instead got: undefined.");
    }
    let sorting = sent["Sorting"].as_array();
    let good = |row: &Value| {
        row["SortBy"].as_str().is_some_and(|by| SORTABLE.contains(&by))
            && matches!(row["Direction"].as_str(), Some("ASC" | "DESC"))
    };
    if !sorting.is_some_and(|rows| rows.iter().all(good) && !(rows.is_empty() && quirks.sorting_required)) {
        return refuse(
            "Sorting",
            "Expected Array<{ SortBy: \"InventoryState\" | \"Hostname\" | \"ID\", Direction: \"ASC\" | \"DESC\" }> but instead got: undefined.",
        );
    }
    let ids: Vec<i64> = if quirks.shows(asked) { world.systems_of(asked).collect() } else { Vec::new() };
    let machines: Vec<Machine> =
        ids.into_iter().filter_map(|id| world.machine(id)).filter(Machine::is_machine).collect();
    let page = sent["Pagination"]["Page"].as_u64().unwrap_or(1) as usize;
    let size = sent["Pagination"]["PageSize"].as_u64().unwrap_or(50).min(u64::from(quirks.page_cap)) as usize;
    let (rows, paging) = cut(&machines, page, size);
    let rows: Vec<Value> = rows.iter().map(|one| device(one, asked)).collect();
    let mut answer = json!({"Success": true, "Data": {"DeviceProfiles": rows}});
    if quirks.paging_beside {
        answer["Pagination"] = paging;
    } else {
        answer["Data"]["Pagination"] = paging;
    }
    Answer::json(200, &answer)
}

fn device(one: &Machine, environment: i64) -> Value {
    let fact = |name: &str| one.fact(name);
    let ip = fact("ip").as_str().map_or(Value::Null, |ip| json!(format!("{{\"{ip}\"}}")));
    let mac = if fact("mac").is_array() { fact("mac") } else { json!([fact("mac")]) };
    let inspector = one.inspector.map_or(Value::Null, inspector);
    json!({
        "ID": one.uuid(), "EnvironmentID": environment, "LastSeenTimelineID": 182_036_001, "InventoryState": one.state,
        "Hostname": fact("hostname"), "OperatingSystem": fact("os"), "OSVersion": fact("os_version"),
        "InternalIP": ip, "MACAddress": mac, "SerialNumber": fact("serial"), "DomainRole": "Member Workstation",
        "Manufacturer": fact("manufacturer"), "Model": fact("model"), "ExternalIP": "{\"203.0.113.20\"}",
        "HardwareID": null, "Antivirus": ["Windows Defender"], "EDR": [], "Firmware": "1.18.0", "LastSeen": STAMP,
        "LastLogin": STAMP, "LastLoginUser": fact("user"), "Alias": fact("alias"), "Class": "standard",
        "Status": "active", "Category": "compute", "Type": fact("type"), "Role": null, "Location": null,
        "Physical": true, "PurchaseDate": fact("purchased"), "WarrantyExpiration": fact("warranty"),
        "EOLDate": null, "ManagedDevice": true, "AssetTagNumber": fact("tag"),
        "Inspectors": [{"ID": inspector["ID"], "Name": inspector["Name"], "Alias": inspector["Alias"]}],
        "CreatedOn": "2026-05-18T20:03:44.619Z", "UpdatedOn": STAMP, "AvailableStorage": 212, "Tags": [],
    })
}

fn evaluate(world: &World, call: &Call, quirks: &LiongardQuirks) -> Answer {
    let sent: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    for name in ["Metrics", "Filters", "Sorting"] {
        if !sent[name].is_array() {
            return Answer::json(
                400,
                &json!({"Success": false, "Message": "Bad request",
                "ValidationErrors": [{"path": name, "message": "Expected Array but instead got: undefined."}]}),
            );
        }
    }
    let known = metrics(quirks);
    let asked: Vec<&Metric> = sent["Metrics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| known.iter().find(|row| *one == row.1 || one.as_i64() == Some(row.0)))
        .collect();
    let only: Option<i64> = sent["Filters"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["Field"] == "EnvironmentID")
        .and_then(|row| row["Values"][0].as_i64());
    // These systems only.
    let named: Option<Vec<i64>> = sent["Filters"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["Field"] == "SystemID")
        .map(|row| row["Values"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect());
    let page = sent["Pagination"]["Page"].as_u64().unwrap_or(1).max(1) as usize;
    let size = sent["Pagination"]["PageSize"].as_u64().unwrap_or(50).min(u64::from(quirks.metric_page_cap));
    let size = size.max(1) as usize;
    let from = (page - 1).saturating_mul(size);
    let (mut total, mut rows) = (0_usize, Vec::new());
    let ids: Box<dyn Iterator<Item = i64>> = match only {
        _ if named.is_some() => Box::new(named.into_iter().flatten().filter(|id| world.has(*id))),
        Some(environment) => Box::new(world.systems_of(environment)),
        None => Box::new(world.systems()),
    };
    // Invisible metrics are left out unless asked for; none of these is displayed.
    let shown = call.query.flag("includeNonVisible") == Some(true);
    for id in ids.filter(|_| shown) {
        let inspector = world.inspector_of(id);
        for metric in asked.iter().filter(|metric| Some(metric.3) == inspector) {
            let at = total;
            total += 1;
            if at < from || at >= from + size {
                continue;
            }
            let Some(one) = world.machine(id) else { continue };
            rows.push(json!({
                "SystemID": id, "FriendlyName": one.name, "InspectorName": "", "EnvironmentID": one.environment,
                "MetricID": metric.0, "MetricUUID": metric.1, "MetricName": metric.2, "TimelineID": 182_036_001,
                "TimelineDate": STAMP, "Value": one.fact(metric.4),
            }));
        }
    }
    let paging = paging(total, page, size);
    Answer::json(200, &json!({"Success": true, "Data": rows, "Pagination": paging}))
}

/// One page of rows, and the block that says which.
fn cut<T: Clone>(rows: &[T], page: usize, size: usize) -> (Vec<T>, Value) {
    let (page, size) = (page.max(1), size.max(1));
    let part = rows.iter().skip((page - 1).saturating_mul(size)).take(size).cloned().collect();
    (part, paging(rows.len(), page, size))
}

fn paging(total: usize, page: usize, size: usize) -> Value {
    json!({
        "TotalRows": total, "HasMoreRows": page.saturating_mul(size) < total, "CurrentPage": page,
        "TotalPages": total.div_ceil(size), "PageSize": size,
    })
}

/// Number, UUID, name, inspector, and the machine's fact.
type Metric = (i64, String, String, i64, &'static str);

fn metrics(quirks: &LiongardQuirks) -> Vec<Metric> {
    let known = METRICS.iter().map(|(id, uuid, name, inspector, fact)| {
        (*id, (*uuid).to_owned(), (*name).to_owned(), *inspector, *fact)
    });
    let more = (0..quirks.more_metrics).map(|n| {
        let uuid = format!("00000000-0000-4000-8000-{n:012}");
        (9000 + i64::from(n), uuid, format!("Windows Workstation: Reading {n:03}"), 90, "model")
    });
    known.chain(more).collect()
}

fn v1_error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"error": message}))
}

/// Whether a call writes; queries are POSTs that read.
pub(super) fn writes(call: &Call) -> bool {
    let reads = ["/query", "/evaluate", "/view", "/bulk", "/systems"];
    call.method != Method::GET && !reads.iter().any(|end| call.path.ends_with(end))
}
