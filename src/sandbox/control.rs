//! The control interface under `/_sandbox/`; its calls are listed at the top of [`super`].

use serde_json::{Value, json};

use super::schema::Entity;
use super::wire::{Answer, Call};
use super::{Brand, Faults, Host, Quirks, Sandbox};

/// Answers one control call. Nothing of this is counted or recorded.
pub(super) fn answer(sandbox: &Sandbox, call: &Call) -> Answer {
    let parts: Vec<&str> = call.path.split('/').filter(|p| !p.is_empty()).skip(1).collect();
    let outcome = match call.method.as_str() {
        "GET" => read(sandbox, call, &parts),
        "POST" => {
            let body = if call.body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&call.body) };
            match body {
                Ok(body) => change(sandbox, &parts, body),
                Err(e) => Err(format!("the body is not JSON: {e}")),
            }
        }
        "DELETE" => remove(sandbox, &parts),
        _ => Ok(None),
    };
    match outcome {
        Ok(Some(body)) => Answer::json(200, &body),
        Ok(None) => Answer::json(404, &json!({"error": "there is no such control call, or no such record"})),
        Err(error) => Answer::json(400, &json!({"error": error})),
    }
}

type Outcome = Result<Option<Value>, String>;

fn read(sandbox: &Sandbox, call: &Call, parts: &[&str]) -> Outcome {
    Ok(Some(match *parts {
        ["journal"] => {
            let since = call.query.int("since").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            sandbox.journal().iter().skip(since).map(super::Write::to_json).collect()
        }
        ["requests"] => Host::ALL
            .into_iter()
            .map(|host| (host.name().to_owned(), sandbox.requests(host).to_json()))
            .collect(),
        ["faults"] => json!(sandbox.fired()),
        ["quirks"] => json!(*sandbox.quirks()),
        ["halo", "changes"] => Value::Array(sandbox.licence_changes(None)),
        ["hudu", "companies"] => Value::Array(sandbox.hudu_companies()),
        ["hudu", "layouts"] => Value::Array(sandbox.hudu_layouts()),
        ["hudu", "assets"] => Value::Array(sandbox.hudu_assets()),
        ["hudu", "relations"] => Value::Array(sandbox.hudu_relations()),
        ["halo", shelf @ ("types" | "groups" | "fields")] => Value::Array(sandbox.halo_asset_shelf(shelf)),
        ["halo", key] => match entity(key) {
            Some(Entity::User) => Value::Array(sandbox.halo_users()),
            Some(Entity::Contract) => Value::Array(sandbox.halo_contracts()),
            Some(entity) => Value::Array(sandbox.lock_halo().everything(entity)),
            None => return Ok(None),
        },
        ["liongard", "environments"] => Value::Array(sandbox.environments()),
        ["liongard", "systems"] => {
            sandbox.system_ids().into_iter().filter_map(|id| sandbox.system(id)).collect()
        }
        [marketplace, what] => match (brand(marketplace), what) {
            (Some(brand), "companies") => Value::Array(sandbox.companies(brand)),
            (Some(brand), "subscriptions") => Value::Array(sandbox.subscriptions(brand)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

fn change(sandbox: &Sandbox, parts: &[&str], body: Value) -> Outcome {
    match *parts {
        ["faults"] => {
            let faults: Faults = serde_json::from_value(body).map_err(|e| e.to_string())?;
            sandbox.set_faults(faults);
        }
        ["quirks"] => {
            let quirks: Quirks = serde_json::from_value(body).map_err(|e| e.to_string())?;
            sandbox.set_quirks(quirks);
        }
        ["advance"] => return Ok(Some(json!(sandbox.advance(body["step"].as_u64().unwrap_or(1))))),
        ["reset"] => sandbox.reset(),
        ["forget"] => sandbox.forget(),
        ["expire"] => {
            for host in Host::ALL {
                sandbox.expire_sessions(host);
            }
        }
        ["halo", shelf @ ("types" | "groups" | "fields")] => {
            let ids: Result<Vec<i64>, String> =
                each(body).iter().map(|row| sandbox.put_halo_asset_shelf(shelf, row)).collect();
            return Ok(Some(json!({"ids": ids?})));
        }
        ["halo", "assets"] => {
            let ids: Result<Vec<i64>, String> =
                each(body).iter().map(|row| sandbox.put_halo_asset(row)).collect();
            return Ok(Some(json!({"ids": ids?})));
        }
        ["halo", key] => {
            let Some(entity) = entity(key) else { return Ok(None) };
            let ids: Result<Vec<i64>, String> =
                each(body).iter().map(|row| sandbox.put_halo(entity, row)).collect();
            return Ok(Some(json!({"ids": ids?})));
        }
        ["hudu", what] => {
            let ids: Result<Vec<i64>, String> =
                each(body).iter().map(|row| sandbox.put_hudu(what, row)).collect();
            return Ok(Some(json!({"ids": ids?})));
        }
        ["liongard", what @ ("environments" | "systems")] => {
            let put = |row: &Value| match what {
                "environments" => sandbox.put_environment(row),
                _ => sandbox.put_system(row),
            };
            return Ok(Some(json!({"ids": each(body).iter().map(put).collect::<Vec<i64>>()})));
        }
        [marketplace, what] => {
            let Some(brand) = brand(marketplace) else { return Ok(None) };
            let ids: Vec<i64> = match what {
                "companies" => each(body).iter().map(|row| sandbox.put_company(brand, row)).collect(),
                "subscriptions" => {
                    each(body).iter().map(|row| sandbox.put_subscription(brand, row)).collect()
                }
                _ => return Ok(None),
            };
            return Ok(Some(json!({"ids": ids})));
        }
        _ => return Ok(None),
    }
    Ok(Some(json!({"ok": true})))
}

fn remove(sandbox: &Sandbox, parts: &[&str]) -> Outcome {
    let [place, what, id] = *parts else { return Ok(None) };
    let id: i64 = id.parse().map_err(|_| format!("{id} is not an id"))?;
    let removed = match (place, brand(place), what) {
        ("liongard", _, "environments") => sandbox.remove_environment(id),
        ("liongard", _, "systems") => sandbox.remove_system(id),
        ("halo", _, key) => entity(key).is_some_and(|entity| sandbox.lock_halo().remove(entity, id)),
        ("hudu", ..) => sandbox.remove_hudu(what, id),
        (_, Some(brand), "companies") => sandbox.remove_company(brand, id),
        (_, Some(brand), "subscriptions") => sandbox.remove_subscription(brand, id),
        _ => false,
    };
    Ok(removed.then(|| json!({"ok": true})))
}

fn each(body: Value) -> Vec<Value> {
    match body {
        Value::Array(rows) => rows,
        one => vec![one],
    }
}

fn entity(key: &str) -> Option<Entity> {
    Entity::ALL.into_iter().find(|entity| entity.key() == key)
}

fn brand(name: &str) -> Option<Brand> {
    [Brand::Also, Brand::Westcoast].into_iter().find(|brand| brand.name() == name)
}
