//! The calls of the simulated Hudu.
//!
//! Source: `apis/hudu.md` sections 1 to 9 and 16.

use axum::http::header;
use serde_json::{Map, Value, json};

use super::halo_calls::{over_limit, wait};
use super::hudu::{Hudu, internal, missing_parameter, no_such_asset, no_such_company};
use super::quirks::HuduQuirks;
use super::wire::{Answer, Call, too_many};
use super::{API_KEY, Host, Sandbox};

/// Answers one call to Hudu.
pub(super) fn carry_out(sandbox: &Sandbox, call: &Call) -> Answer {
    sandbox.wake_hudu();
    let quirks = &sandbox.quirks().hudu;
    let now = sandbox.elapsed();
    let mut hudu = sandbox.lock_hudu();
    if let Some(limit) = quirks.rate
        && over_limit(&mut hudu.recent, limit.requests, limit.seconds, now)
    {
        let mut answer = too_many(Host::Hudu, limit.requests, limit.seconds);
        answer.retry_after = limit.retry_after.then(|| wait(&hudu.recent, limit.seconds, now).into());
        return answer;
    }
    let parts: Vec<&str> = call.path.split('/').filter(|p| !p.is_empty()).collect();
    let ["api", "v1", rest @ ..] = parts.as_slice() else { return unrouted(call) };
    if call.headers.get("x-api-key").and_then(|v| v.to_str().ok()) != Some(API_KEY) {
        return Answer::json(401, &json!({"error": "Bad credentials"}));
    }
    let endpoint = rest.first().copied().unwrap_or_default();
    let verb = call.method.as_str().to_ascii_lowercase();
    if let Some(status) =
        quirks.denied.get(endpoint).or_else(|| quirks.denied.get(&format!("{verb} {endpoint}")))
    {
        return Answer::json(*status, &json!({"error": "Bad credentials"}));
    }
    let base = call.headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("hudu.invalid");
    Desk { hudu: &mut hudu, call, quirks, now, base: format!("http://{base}") }.route(rest)
}

/// An address that Hudu does not know: a web page, unless JSON was asked for (hudu.md 1).
fn unrouted(call: &Call) -> Answer {
    if wants_json(call) {
        return Answer::json(404, &json!({"status": 404, "error": "Not Found"}));
    }
    Answer::html(404)
}

fn wants_json(call: &Call) -> bool {
    call.headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("application/json"))
}

struct Desk<'a> {
    hudu: &'a mut Hudu,
    call: &'a Call,
    quirks: &'a HuduQuirks,
    now: std::time::Duration,
    base: String,
}

impl Desk<'_> {
    fn route(&mut self, path: &[&str]) -> Answer {
        let number = |text: &str| text.parse::<i64>().ok();
        match (self.call.method.as_str(), path) {
            ("GET", ["api_info"]) => Answer::json(200, &json!({"version": "2.45.1", "date": "2026-01-07"})),
            ("GET", ["companies"]) => self.companies(),
            ("GET", ["companies", "jump"]) if wants_json(self.call) => Answer::empty(406),
            ("POST", ["companies"]) => self.save_company(None),
            ("GET", ["asset_layouts"]) => self.layouts(),
            ("POST", ["asset_layouts"]) => self.save_layout(None),
            ("GET", ["asset_layouts", id]) => {
                let id = number(id).unwrap_or_default();
                match self.hudu.layouts.get(&id) {
                    Some(layout) if layout.corrupt => internal(),
                    _ => self.layout(id, 200),
                }
            }
            ("PUT", ["asset_layouts", id]) => {
                match number(id).filter(|id| self.hudu.layouts.contains_key(id)) {
                    Some(id) => self.save_layout(Some(id)),
                    None => Answer::json(200, &Value::Null),
                }
            }
            ("GET", ["assets"]) => {
                let company = self.call.query.int("company_id");
                self.assets(company)
            }
            ("GET", ["matchers"]) if self.call.query.get("integration_id").is_none() => internal(),
            ("GET", ["cards", "lookup"] | ["matchers"]) => {
                Answer::json(404, &json!({"error": "No matching integration"}))
            }
            ("GET", ["lists"]) => Answer::json(200, &json!([])),
            ("GET", ["relations"]) => {
                let rows = self.page(self.hudu.relation_rows(), 25);
                Answer::json(200, &json!({"relations": rows}))
            }
            ("POST", ["relations"]) => self.save_relation(),
            ("DELETE", ["relations", id]) => match number(id).filter(|id| self.hudu.unrelate(*id)) {
                Some(id) => wrote(Answer::empty(204), id, false),
                None => Answer::json(404, &json!({"error": "Relation not found"})),
            },
            (_, ["companies", company, rest @ ..]) => match number(company) {
                Some(id) if self.hudu.companies.contains_key(&id) => self.company(id, rest),
                id => no_such_company(id.unwrap_or_default(), self.quirks),
            },
            _ => unrouted(self.call),
        }
    }

    fn company(&mut self, id: i64, rest: &[&str]) -> Answer {
        match (self.call.method.as_str(), rest) {
            ("GET", []) => self.one_company(id, 200),
            ("PUT", []) => self.save_company(Some(id)),
            ("DELETE", []) => {
                self.hudu.remove("companies", id);
                wrote(Answer::empty(204), id, false)
            }
            ("PUT", [verb @ ("archive" | "unarchive")]) => {
                self.hudu.archive(None, id, *verb == "archive", self.now);
                wrote(self.one_company(id, 200), id, false)
            }
            ("GET", ["assets"]) => self.assets(Some(id)),
            ("POST", ["assets"]) => self.save_asset(id, None),
            (_, ["assets", asset, rest @ ..]) => {
                let asset = asset.parse::<i64>().unwrap_or_default();
                // An id under the wrong company is not found (hudu.md 9).
                if self.hudu.assets.get(&asset).is_none_or(|there| there.company != id) {
                    return no_such_asset();
                }
                self.asset(id, asset, rest)
            }
            _ => unrouted(self.call),
        }
    }

    fn asset(&mut self, company: i64, id: i64, rest: &[&str]) -> Answer {
        match (self.call.method.as_str(), rest) {
            ("GET", []) => self.one_asset(id, 200),
            ("PUT", []) => self.save_asset(company, Some(id)),
            ("DELETE", []) => {
                self.hudu.remove("assets", id);
                wrote(Answer::empty(204), id, false)
            }
            ("PUT", [verb @ ("archive" | "unarchive")]) => {
                self.hudu.archive(Some(company), id, *verb == "archive", self.now);
                wrote(self.one_asset(id, 200), id, false)
            }
            ("PUT", ["move_layout"]) => {
                let to = self.body().and_then(|body| body.get("asset_layout_id")?.as_i64());
                if to.is_some_and(|to| self.hudu.move_asset(id, to, self.now)) {
                    wrote(self.one_asset(id, 200), id, false)
                } else {
                    missing_parameter("asset_layout_id")
                }
            }
            _ => unrouted(self.call),
        }
    }

    fn body(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.call.body).ok()
    }

    /// What is inside the wrapper of a write.
    fn sent(&self, wrapper: &str) -> Result<Map<String, Value>, Answer> {
        match self.body().and_then(|mut body| body.remove(wrapper)) {
            Some(Value::Object(inner)) if !inner.is_empty() => Ok(inner),
            _ => Err(missing_parameter(wrapper)),
        }
    }

    fn created(&self, new: bool) -> u16 {
        if new && self.quirks.created_201 { 201 } else { 200 }
    }

    fn save_company(&mut self, id: Option<i64>) -> Answer {
        let saved =
            self.sent("company").and_then(|sent| self.hudu.save_company(id, &sent, self.now, self.quirks));
        match saved {
            Ok(saved) => wrote(self.one_company(saved, self.created(id.is_none())), saved, id.is_none()),
            Err(refused) => refused,
        }
    }

    fn save_layout(&mut self, id: Option<i64>) -> Answer {
        let saved = self
            .sent("asset_layout")
            .and_then(|sent| self.hudu.save_layout(id, &sent, self.now, self.quirks));
        match saved {
            Ok(saved) => wrote(self.layout(saved, self.created(id.is_none())), saved, id.is_none()),
            Err(refused) => refused,
        }
    }

    fn save_asset(&mut self, company: i64, id: Option<i64>) -> Answer {
        let saved = self
            .sent("asset")
            .and_then(|sent| self.hudu.save_asset(company, id, &sent, self.now, self.quirks));
        match saved {
            Ok(saved) => wrote(self.one_asset(saved, self.created(id.is_none())), saved, id.is_none()),
            Err(refused) => refused,
        }
    }

    fn save_relation(&mut self) -> Answer {
        match self.sent("relation").and_then(|sent| self.hudu.relate(&sent)) {
            Ok(id) => {
                let mut rows = self.hudu.relation_rows();
                rows.retain(|row| row["id"] == id);
                wrote(Answer::json(self.created(true), &json!({"relation": rows.pop()})), id, true)
            }
            Err(refused) => refused,
        }
    }

    fn one_company(&self, id: i64, status: u16) -> Answer {
        Answer::json(status, &json!({"company": self.hudu.company_json(id, &self.base)}))
    }

    /// Missing ones are `null`, with success (hudu.md 5).
    fn layout(&self, id: i64, status: u16) -> Answer {
        match self.hudu.layout_json(id) {
            Some(layout) => Answer::json(status, &json!({"asset_layout": layout})),
            None => Answer::json(200, &Value::Null),
        }
    }

    fn one_asset(&self, id: i64, status: u16) -> Answer {
        Answer::json(status, &json!({"asset": self.hudu.asset_json(id, &self.base, self.quirks)}))
    }

    fn companies(&self) -> Answer {
        let query = &self.call.query;
        let ids = self.hudu.company_ids(self.quirks.order);
        let rows = ids.into_iter().filter(|id| !self.hudu.companies[id].archived);
        let exact = ["name", "phone_number", "website", "city", "state", "id_number", "slug"];
        let wanted: Vec<(&str, &str)> =
            exact.into_iter().filter_map(|name| Some((name, query.get(name)?))).collect();
        let search = query.get("search").map(str::to_lowercase);
        if wanted.is_empty() && search.is_none() {
            let ids: Vec<i64> = rows.collect();
            let page = self.page(ids, 25);
            let page: Vec<Value> =
                page.into_iter().filter_map(|id| self.hudu.company_json(id, &self.base)).collect();
            return Answer::json(200, &json!({"companies": page}));
        }
        let rows: Vec<Value> = rows
            .filter_map(|id| self.hudu.company_json(id, &self.base))
            .filter(|row| {
                wanted.iter().all(|(name, value)| row[*name].as_str() == Some(*value))
                    && search.as_ref().is_none_or(|wanted| {
                        row["name"].as_str().is_some_and(|name| name.to_lowercase().contains(wanted))
                    })
            })
            .collect();
        Answer::json(200, &json!({"companies": self.page(rows, 25)}))
    }

    fn layouts(&self) -> Answer {
        if self.hudu.layouts.values().any(|layout| layout.corrupt) {
            return internal();
        }
        let query = &self.call.query;
        let rows: Vec<Value> = self
            .hudu
            .all_layouts()
            .into_iter()
            .filter(|row| query.get("name").is_none_or(|name| row["name"] == name))
            .filter(|row| query.flag("active").is_none_or(|active| row["active"] == active))
            .collect();
        // `page_size` is not known here.
        let from = self.first(25);
        let page: Vec<Value> = rows.into_iter().skip(from).take(25).collect();
        Answer::json(200, &json!({"asset_layouts": page}))
    }

    fn assets(&self, company: Option<i64>) -> Answer {
        let query = &self.call.query;
        // Of one company only paging and `archived` are known.
        let nested = self.call.path.contains("/companies/");
        let layout = query.int("asset_layout_id").filter(|_| !nested);
        let archived = query.flag("archived") == Some(true);
        let mut ids = self.hudu.asset_ids(company, layout, self.quirks.order);
        ids.retain(|id| self.hudu.assets[id].archived == archived);
        if !nested {
            if let Some(id) = query.int("id") {
                ids.retain(|other| *other == id);
            }
            if let Some(name) = query.get("name") {
                ids.retain(|id| &*self.hudu.assets[id].name == name);
            }
        }
        let rows: Vec<Value> = self
            .page(ids, 25)
            .into_iter()
            .filter_map(|id| self.hudu.asset_json(id, &self.base, self.quirks))
            .collect();
        Answer::json(200, &json!({"assets": rows}))
    }

    fn first(&self, size: usize) -> usize {
        let page = self.call.query.int("page").filter(|page| *page > 0).unwrap_or(1);
        (page as usize - 1).saturating_mul(size)
    }

    /// Nothing says how many there are, and a size of 0 or less is ignored (hudu.md 3).
    fn page<T>(&self, rows: Vec<T>, usual: usize) -> Vec<T> {
        let asked =
            self.call.query.int("page_size").filter(|size| *size > 0).map_or(usual, |size| size as usize);
        let size = asked.min(self.quirks.page_cap.max(1) as usize);
        rows.into_iter().skip(self.first(size)).take(size).collect()
    }
}

fn wrote(mut answer: Answer, id: i64, created: bool) -> Answer {
    answer.wrote = [id].into();
    answer.created = created;
    answer
}
