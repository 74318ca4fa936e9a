//! How Halo is asked: pages, single records, writes, and what each answer means (apis/halopsa.md 2).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::sign_in::SignIn;
use super::translate::Context;
use crate::api::address::clean_base;
use crate::api::budget::{Budget, Lane, Permit};
use crate::api::call::{Caller, Cause, Effect, Failure, Retry, WriteVerdict};
use crate::api::http::{Request, Response, Transport, Url};
use crate::api::listing::{Listing, Page, Progress, Proof, read_pages};
use crate::api::row::{Row, read_page, reason};
use crate::model::settings::Halo as Settings;
use crate::model::{Class, Currency, Problem, Secret, TargetId};

/// What we ask for in a page; the server's own limit, often 50 or 100, is found on the first (apis/halopsa.md 2.7).
const PAGE_SIZE: usize = 1000;

/// Halo, signed in when first needed. Clones share the sign-in.
#[derive(Clone)]
pub struct Halo {
    pub(super) caller: Caller,
    /// Parsed once: its host alone costs more than the rest of a request's address.
    resource: Url,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) context: Context,
    pub(super) definitions: Arc<super::assets::Known>,
}

impl Halo {
    /// # Errors
    /// An address or the client id is missing or cannot be used.
    pub fn new(
        settings: &Settings,
        secret: Secret,
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
    ) -> Result<Self, Problem> {
        let resource =
            clean_base("Halo's resource server", &settings.resource_server, settings.allow_http, "/api")?.url;
        let typed = if settings.authorisation_server.trim().is_empty() {
            // Halo's own set-up page shows both on one host.
            resource.trim_end_matches("/api")
        } else {
            &settings.authorisation_server
        };
        let authorisation =
            clean_base("Halo's authorisation server", typed, settings.allow_http, "/auth")?.url;
        if settings.client_id.trim().is_empty() {
            return Err(Problem::new(Class::Input, "Halo's client id is blank.")
                .remedy("Enter the client id of the API application."));
        }
        let mut url = url_of(&format!("{authorisation}/token"))?;
        if !settings.tenant.trim().is_empty() {
            url.query_pairs_mut().append_pair("tenant", settings.tenant.trim());
        }
        Ok(Self {
            caller: Caller { vendor: "Halo", transport, budget, lane: Lane::Bulk, retry: Retry::default() },
            resource: url_of(&resource)?,
            sign_in: Arc::new(SignIn::new(url, settings.client_id.trim(), secret)),
            context: Context {
                customer_marker: settings.customer_marker_field.trim().to_owned(),
                licence_marker: settings.licence_marker_field.trim().to_owned(),
                currencies: HashMap::new(),
                fallback: Currency::new(&settings.currency),
            },
            definitions: Arc::default(),
        })
    }

    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.caller.retry = retry;
        self
    }

    /// The same client for a person who waits: its calls go before those of jobs.
    #[must_use]
    pub fn interactive(&self) -> Self {
        let mut halo = self.clone();
        halo.caller.lane = Lane::Interactive;
        halo
    }

    /// The same client for reads on behalf of a write that holds a permit already: they need no place of their own
    /// among those at once, or all places could wait for each other.
    #[must_use]
    pub fn on_behalf(&self) -> Self {
        let mut halo = self.clone();
        halo.caller.lane = Lane::Session;
        halo
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.caller.budget
    }

    pub(super) async fn update<T>(
        &self,
        permit: Permit,
        kind: &str,
        path: &str,
        id: &TargetId,
        mut json: Map<String, Json>,
        saved: impl Fn(&[u8]) -> Result<Saved<T>, String>,
    ) -> WriteVerdict<T> {
        // A POST without an id would create.
        let number = match number(id, kind) {
            Ok(number) => number,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        json.insert("id".into(), json!(number));
        let what = format!("the update of {kind} {id}");
        self.write(Effect::Set, &what, permit, path, json, Some(number), saved).await
    }

    #[allow(clippy::too_many_arguments)] // one private place for every write
    pub(super) async fn write<T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        path: &str,
        json: Map<String, Json>,
        expected: Option<i64>,
        saved: impl Fn(&[u8]) -> Result<Saved<T>, String>,
    ) -> WriteVerdict<T> {
        let body = Json::Array(vec![Json::Object(json)]).to_string().into_bytes();
        let request = Request::post(self.url(path, &[]), "application/json", body);
        self.signed_in(effect, what, permit, request, |response| {
            self.read(what, response, |body| {
                let saved = saved(body)?;
                match (saved.id.filter(|id| *id > 0), expected) {
                    (None, _) => Err("the saved record has no id".to_owned()),
                    (Some(id), Some(expected)) if id != expected => Err(format!("it is about record {id}")),
                    _ => saved.record.map_err(|problem| problem.message),
                }
            })
        })
        .await
        .into()
    }

    pub(super) async fn get<T>(
        &self,
        what: &str,
        path: &str,
        query: &[(&str, &str)],
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let request = Request::get(self.url(path, query));
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        self.signed_in(Effect::Read, what, permit, request, |response| self.read(what, response, &parse))
            .await
    }

    /// One object by id; `None` for 404.
    pub(super) async fn one(&self, kind: &str, path: &str, id: &TargetId) -> Result<Option<Json>, Problem> {
        let number = number(id, kind)?;
        let what = format!("{kind} {id}");
        let query = [("includedetails", "true")];
        let parse = |body: &[u8]| -> Result<Json, String> {
            serde_json::from_slice(body).map_err(|error| reason(&error))
        };
        let json = match self.get(&what, &format!("{path}/{number}"), &query, parse).await {
            Ok(json) => json,
            Err(failure) if failure.cause == Cause::Status(404) => return Ok(None),
            Err(failure) => return Err(failure.problem),
        };
        match Row::of(&json, &["id"]).and_then(|row| row.get("id").id()) {
            Some(found) if found == number => Ok(Some(json)),
            _ => {
                Err(Problem::new(Class::Record, format!("Halo's answer for {what} is about something else."))
                    .remedy("Nothing was concluded from it. Try again later."))
            }
        }
    }

    pub(super) async fn bare_list<'a>(
        &self,
        name: &str,
        path: &str,
        wanted: &'a [&'a str],
    ) -> Result<Vec<Row<'a>>, Problem> {
        let what = format!("the list of {name}");
        let page = self.get(&what, path, &[], |body| read_page(body, name, wanted)).await?;
        Ok(page.rows.into_iter().flatten().collect())
    }

    #[allow(clippy::too_many_arguments)] // one private place for every list
    pub(super) async fn list<T: PartialEq + Send>(
        &self,
        name: &str,
        path: &str,
        query: &[(&str, &str)],
        key: &str,
        wanted: &[&str],
        translate: &(dyn Fn(&Row) -> Result<T, Problem> + Send + Sync),
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let parse = |body: &[u8], what: &str| -> Result<Page<T>, String> {
            let page = read_page(body, key, wanted)?;
            let rows = page.rows.iter().map(|row| {
                let row = row.as_ref().ok_or_else(|| not_a_record(what))?;
                let record = translate(row)?;
                Ok((row.get("id").id().unwrap_or_default(), record))
            });
            Ok(Page { rows: rows.collect(), total: page.total })
        };
        self.paged(name, path, query, &parse, progress).await
    }

    /// Every page of a list, each read by `parse`, which is also told what to call it.
    pub(super) async fn paged<T: PartialEq + Send>(
        &self,
        name: &str,
        path: &str,
        query: &[(&str, &str)],
        parse: &(dyn Fn(&[u8], &str) -> Result<Page<T>, String> + Send + Sync),
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let fetch =
            |number: u32, size: usize| -> futures_util::future::BoxFuture<'_, Result<Page<T>, Problem>> {
                Box::pin(async move {
                    let (number_text, size) = (number.to_string(), size.to_string());
                    let mut all = vec![
                        ("pageinate", "true"),
                        ("page_no", number_text.as_str()),
                        ("page_size", size.as_str()),
                        ("order", "id"),
                        ("orderdesc", "false"),
                    ];
                    all.extend_from_slice(query);
                    let what = format!("page {number} of the list of {name}");
                    Ok(self.get(&what, path, &all, |body| parse(body, &what)).await?)
                })
            };
        read_pages(name, PAGE_SIZE, Proof::Total, &fetch, progress).await
    }

    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.resource.clone();
        url.set_path(&format!("{}{path}", self.resource.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Judges an answer: statuses, web pages, and a body that must make sense.
    pub(super) fn read<T>(
        &self,
        what: &str,
        response: &Response,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        match response.status {
            200..=299 if response.is_markup() => Err(self.caller.not_the_api(what, response)),
            200..=299 => parse(response.trimmed()).map_err(|why| self.caller.unreadable(what, &why)),
            300..=399 => Err(self.caller.not_the_api(what, response)),
            401 => Err(Failure::new(
                Cause::SignedOut,
                Problem::new(Class::Auth, format!("Halo does not accept the sign-in for {what} (401).")),
            )),
            status => Err(self.caller.status(what, status, &words(response))),
        }
    }
}

/// The record that Halo answers a write with. One element is sent: one object comes back, though some clients expect a
/// list (apis/halopsa.md 2.2).
pub(super) struct Saved<T> {
    id: Option<i64>,
    record: Result<T, Problem>,
}

impl<T> Saved<T> {
    /// From all that the answer has.
    pub(super) fn whole(
        body: &[u8],
        translate: impl FnOnce(&Json) -> Result<T, Problem>,
    ) -> Result<Self, String> {
        let saved: Json = serde_json::from_slice(body).map_err(|error| reason(&error))?;
        let saved = match saved {
            Json::Array(mut list) if list.len() == 1 => list.remove(0),
            other => other,
        };
        let id = Row::of(&saved, &["id"]).and_then(|row| row.get("id").id());
        Ok(Self { id, record: translate(&saved) })
    }

    /// From some fields of it, `id` among them: what is not asked for costs nothing.
    pub(super) fn row(
        body: &[u8],
        wanted: &[&str],
        translate: impl FnOnce(&Row) -> Result<T, Problem>,
    ) -> Result<Self, String> {
        let row = Row::read(body, wanted)?;
        Ok(Self { id: row.get("id").id(), record: translate(&row) })
    }
}

/// What Halo says of an error: a serialised exception, a bare string, or strings by parameter (apis/halopsa.md 2.4).
pub(super) fn words(response: &Response) -> String {
    if response.is_markup() {
        return String::new();
    }
    let Ok(json) = serde_json::from_slice::<Json>(response.trimmed()) else { return response.excerpt() };
    let named = ["Message", "message", "error_description", "error"];
    let text = match &json {
        Json::String(text) => text.clone(),
        Json::Object(map) => named.iter().find_map(|name| map.get(*name)?.as_str()).map_or_else(
            || {
                let lists = map.iter().filter_map(|(name, value)| {
                    let words: Vec<&str> = value.as_array()?.iter().filter_map(Json::as_str).collect();
                    (!words.is_empty()).then(|| format!("{name}: {}", words.join(", ")))
                });
                lists.collect::<Vec<_>>().join("; ")
            },
            str::to_owned,
        ),
        _ => String::new(),
    };
    text.chars().take(500).collect()
}

pub(super) fn with_marker<'a>(wanted: &[&'a str], marker: &'a str) -> Vec<&'a str> {
    let mut all = wanted.to_vec();
    if !marker.is_empty() && !all.contains(&marker) {
        all.push(marker);
    }
    all
}

pub(super) fn put_marker(json: &mut Map<String, Json>, field: &str, marker: Option<&str>) {
    if let Some(marker) = marker.filter(|_| !field.is_empty()) {
        json.insert(field.to_owned(), json!(marker));
    }
}

/// An element of a list that is not even an object.
pub(super) fn not_a_record(what: &str) -> Problem {
    Problem::new(Class::Record, format!("An entry on {what} is no record."))
}

pub(super) fn number(id: &TargetId, kind: &str) -> Result<i64, Problem> {
    id.number().filter(|number| *number > 0).ok_or_else(|| {
        Problem::new(Class::Input, format!("'{id}' cannot be the id of a {kind} in Halo; nothing was sent."))
    })
}

fn url_of(text: &str) -> Result<Url, Problem> {
    Url::parse(text)
        .map_err(|error| Problem::new(Class::Input, format!("Halo's address cannot be used ({error}).")))
}
