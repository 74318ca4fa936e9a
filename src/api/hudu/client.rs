//! Hudu's calls that read, and how every answer is judged.

use std::sync::Arc;

use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::pause::Patient;
use super::record::{self, Asset, Carded, Company, Layout, Relation};
use super::wire;
use crate::api::address::clean_origin;
use crate::api::budget::{Budget, Lane, Permit};
use crate::api::call::{Caller, Cause, Effect, Failure, Retry};
use crate::api::http::{Method, Request, Response, SendErrorKind, Transport, Url};
use crate::api::listing::{Form, Listing, Page, Progress, Proof, read_pages};
use crate::api::row::reason;
use crate::model::settings::Hudu as Settings;
use crate::model::{Class, Problem, Secret, TargetId};

/// The most rows a page can hold; a server that gives fewer is followed page by page (apis/hudu.md 3).
const PAGE_SIZE: usize = 1000;
/// Many of Hudu's 500s say that the request was wrong: they do not get better (apis/hudu.md 5).
const ATTEMPTS: u32 = 4;

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Hudu behind an API key. Clones share the budget.
#[derive(Clone)]
pub struct Hudu {
    pub(super) caller: Caller,
    origin: Arc<str>,
    key: Secret,
}

impl Hudu {
    /// # Errors
    /// The address is missing or cannot be used.
    pub fn new(
        settings: &Settings,
        key: Secret,
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
    ) -> Result<Self, Problem> {
        let origin = clean_origin("Hudu's address", &settings.url, settings.allow_http)?.url;
        let caller = Caller {
            vendor: "Hudu",
            transport: Arc::new(Patient(transport)),
            budget,
            lane: Lane::Bulk,
            retry: Retry { attempts: ATTEMPTS, ..Retry::default() },
        };
        Ok(Self { caller, origin: origin.into(), key })
    }

    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.caller.retry = retry;
        self
    }

    /// The same client for a person who waits: its calls go before those of jobs.
    #[must_use]
    pub fn interactive(&self) -> Self {
        let mut hudu = self.clone();
        hudu.caller.lane = Lane::Interactive;
        hudu
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.caller.budget
    }

    /// Hudu's version; the cheapest proof that address and key are right (apis/hudu.md 13).
    ///
    /// # Errors
    /// As every call.
    pub async fn version(&self) -> Result<String, Failure> {
        let json: Option<Json> = self.get("its version", "/api_info", &[], parse).await?;
        let version = json.as_ref().and_then(|json| json.get("version")?.as_str()).unwrap_or_default();
        Ok(crate::model::text::shown(version).into_owned())
    }

    /// Every company but archived ones, which Hudu lists nowhere.
    ///
    /// # Errors
    /// As [`read_pages`].
    pub async fn companies(&self, progress: Progress<'_>) -> Result<Listing<Company>, Problem> {
        self.list("companies", "/companies", &[], "companies", true, &company, progress).await
    }

    /// Companies whose filter (`name`, `id_number`) has exactly this value; the filter is checked on the answer, since
    /// one that a build does not know would list everybody.
    ///
    /// # Errors
    /// A listing that is not proven complete.
    pub async fn companies_with(&self, filter: &'static str, value: &str) -> Result<Vec<Company>, Problem> {
        let name = format!("companies of a certain {filter}");
        let listing = self
            .list(&name, "/companies", &[(filter, value)], "companies", true, &company, &|_, _| {})
            .await?;
        let mut found = listing.proven()?;
        let same = |text: &str| text.trim().to_lowercase() == value.trim().to_lowercase();
        found.retain(|company| match filter {
            "id_number" => company.id_number.as_deref().is_some_and(same),
            _ => same(&company.name),
        });
        Ok(found)
    }

    /// One company, archived or not; `None` where Hudu knows no such id.
    ///
    /// # Errors
    /// As every call; an answer about another company.
    pub async fn company(&self, id: &TargetId) -> Result<Option<Company>, Problem> {
        let path = format!("/companies/{}", number(id, "company")?);
        let json: Option<Json> = self.one(&format!("company {id}"), &path).await?;
        json.map(|json| company_in(json, Some(id))).transpose()
    }

    /// Every asset layout with its fields. A layout whose fields are broken makes Hudu answer 500.
    ///
    /// # Errors
    /// As [`read_pages`].
    pub async fn layouts(&self) -> Result<Listing<Layout>, Problem> {
        let translate = |json: Json| {
            let layout = record::layout(&read(json)?)?;
            Ok(Some((layout.id, layout)))
        };
        self.list("asset layouts", "/asset_layouts", &[], "asset_layouts", false, &translate, &|_, _| {})
            .await
    }

    /// One layout; `None` where there is none of that id (Hudu then answers `null`).
    ///
    /// # Errors
    /// As every call; an answer about another layout.
    pub async fn layout(&self, id: i64) -> Result<Option<Layout>, Problem> {
        let json: Option<Json> =
            self.one(&format!("asset layout {id}"), &format!("/asset_layouts/{id}")).await?;
        json.map(|json| layout_in(json, Some(id))).transpose()
    }

    /// Every asset of a layout, archived ones or the others, each as `form` keeps it.
    ///
    /// # Errors
    /// As [`read_pages`].
    pub async fn assets<T: PartialEq + Send>(
        &self,
        layout: &Layout,
        archived: bool,
        form: Form<'_, Asset, T>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let id = layout.id.to_string();
        let mut query = vec![("asset_layout_id", id.as_str())];
        if archived {
            query.push(("archived", "true"));
        }
        let name = format!("{}assets of layout '{}'", if archived { "archived " } else { "" }, layout.name);
        let translate =
            |json: Json| Ok(asset_row(json, layout)?.map(|(id, asset): (i64, Asset)| (id, form(asset))));
        self.list(&name, "/assets", &query, "assets", true, &translate, progress).await
    }

    /// Every asset that Hudu's own Halo integration keeps, archived ones apart.
    ///
    /// # Errors
    /// As [`read_pages`].
    pub async fn carded(&self, progress: Progress<'_>) -> Result<Listing<Carded>, Problem> {
        let translate = |json: Json| record::carded(&read(json)?);
        self.list(
            "assets of Hudu's own Halo integration",
            "/assets",
            &[],
            "assets",
            true,
            &translate,
            progress,
        )
        .await
    }

    /// Every asset of a layout at one company, archived ones too.
    ///
    /// # Errors
    /// A listing that is not proven complete, or one that holds another company's assets.
    pub async fn assets_of(&self, company: &TargetId, layout: &Layout) -> Result<Vec<Asset>, Problem> {
        let (company_id, id) = (number(company, "company")?.to_string(), layout.id.to_string());
        let mut all: Vec<Asset> = Vec::new();
        for archived in [false, true] {
            let mut query = vec![("company_id", company_id.as_str()), ("asset_layout_id", id.as_str())];
            if archived {
                query.push(("archived", "true"));
            }
            let name = format!("assets of company {company}");
            let translate = |json| asset_row(json, layout);
            let listing = self.list(&name, "/assets", &query, "assets", true, &translate, &|_, _| {}).await?;
            for asset in listing.proven()? {
                if asset.company != *company {
                    return Err(another_company(&name, &asset.company));
                }
                if all.iter().all(|other| other.id != asset.id) {
                    all.push(asset);
                }
            }
        }
        Ok(all)
    }

    /// One asset of a company, archived or not, of one of these layouts; `None` where the company has none of that id.
    ///
    /// # Errors
    /// As every call; an answer about another asset or another company, or about one of no such layout.
    pub async fn asset(
        &self,
        company: &TargetId,
        id: &TargetId,
        layouts: &[&Layout],
    ) -> Result<Option<Asset>, Problem> {
        let path = asset_path(company, id)?;
        let json: Option<Json> = self.one(&format!("asset {id} of company {company}"), &path).await?;
        json.map(|json| asset_in(json, company, Some(id), layouts)).transpose()
    }

    /// Every relation between two assets, in the direction in which it was made: the row that Hudu adds for the way back is
    /// left out (apis/hudu.md 12).
    ///
    /// # Errors
    /// As [`read_pages`].
    pub async fn relations(&self, progress: Progress<'_>) -> Result<Listing<Relation>, Problem> {
        let translate = |json: Json| record::relation(&read(json)?);
        self.list("relations", "/relations", &[], "relations", true, &translate, progress).await
    }

    /// How many rows the first page of a list has; for tests of the configuration.
    ///
    /// # Errors
    /// As every call.
    pub async fn count(&self, what: &str, path: &str, key: &str) -> Result<u64, Failure> {
        self.get(what, path, &[("page", "1")], |body| Ok(rows(body, key)?.len() as u64)).await
    }

    pub(super) async fn get<T>(
        &self,
        what: &str,
        path: &str,
        query: &[(&str, &str)],
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let request = self.request(Method::GET, path, query, None)?;
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        self.send(Effect::Read, what, permit, request, parse).await
    }

    async fn one(&self, what: &str, path: &str) -> Result<Option<Json>, Problem> {
        match self.get(what, path, &[], parse).await {
            Ok(json) => Ok(json),
            Err(failure) if failure.cause == Cause::Status(404) => Ok(None),
            Err(failure) => Err(failure.problem),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one private place for every list")]
    async fn list<T: PartialEq + Send>(
        &self,
        name: &str,
        path: &str,
        query: &[(&str, &str)],
        key: &str,
        sized: bool,
        translate: &(dyn Fn(Json) -> Result<Option<(i64, T)>, Problem> + Send + Sync),
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let fetch = |number: u32,
                     size: usize|
         -> futures_util::future::BoxFuture<'_, Result<Page<Option<T>>, Problem>> {
            Box::pin(async move {
                let (page, size) = (number.to_string(), size.to_string());
                let mut all = vec![("page", page.as_str())];
                if sized {
                    all.push(("page_size", size.as_str()));
                }
                all.extend_from_slice(query);
                let what = format!("page {number} of the list of {name}");
                let rows = self.get(&what, path, &all, |body| rows(body, key)).await?;
                let rows = rows.into_iter().map(|json| {
                    if !json.is_object() {
                        let why = format!("An entry on {what} is no record.");
                        return Err(Problem::new(Class::Record, why));
                    }
                    // Rows that a filter should have kept out still count as rows of the page.
                    let id = json.get("id").and_then(Json::as_i64);
                    Ok(match translate(json)? {
                        Some((id, record)) => (id, Some(record)),
                        None => (id.unwrap_or_default(), None),
                    })
                });
                Ok(Page { rows: rows.collect(), total: None })
            })
        };
        let listing = read_pages(name, PAGE_SIZE, Proof::EmptyPage, &fetch, progress).await?;
        Ok(Listing {
            records: listing.records.into_iter().flatten().collect(),
            certificate: listing.certificate,
            problems: listing.problems,
        })
    }

    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Request, Failure> {
        let mut url = Url::parse(&format!("{}/api/v1{path}", self.origin)).map_err(|error| {
            let why = format!("Hudu's address cannot be used ({error}).");
            Failure::new(Cause::NoAnswer(SendErrorKind::Unsendable), Problem::new(Class::Input, why))
        })?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = match body {
            Some(body) => Request::post(url, "application/json", body.to_string().into_bytes()),
            None => Request::get(url),
        };
        request.method = method;
        // Without it an unknown path answers a web page.
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request.secret_header(API_KEY.clone(), self.key.expose()))
    }

    pub(super) async fn send<T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        request: Request,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        self.caller
            .call(effect, what, permit, request, |response| match response.status {
                200..=299 | 404 if response.is_markup() => Err(self.caller.not_the_api(what, response)),
                200..=299 => parse(response.trimmed()).map_err(|why| self.caller.unreadable(what, &why)),
                300..=399 => Err(self.caller.not_the_api(what, response)),
                401 => Err(refused_key(what, response)),
                status => Err(self.caller.status(what, status, &words(response))),
            })
            .await
    }
}

/// Both a wrong key and a right that the key lacks are 401 (apis/hudu.md 2).
fn refused_key(what: &str, response: &Response) -> Failure {
    let said = words(response);
    Failure::new(
        Cause::SignIn,
        Problem::new(
            Class::Auth,
            format!("Hudu does not accept the API key for {what} (401: {}).", crate::model::text::shown(&said)),
        )
        .remedy("Check the key. If other calls work, the key lacks this right: make one without restrictions to companies or addresses."),
    )
}

/// What Hudu says of an error, in any of its shapes (apis/hudu.md 5).
pub(super) fn words(response: &Response) -> String {
    if response.is_markup() {
        return String::new();
    }
    let Ok(json) = serde_json::from_slice::<Json>(response.trimmed()) else { return response.excerpt() };
    let parts: Vec<String> =
        ["error", "details", "errors"].iter().filter_map(|name| said(json.get(*name)?)).collect();
    parts.join(": ").chars().take(500).collect()
}

fn said(json: &Json) -> Option<String> {
    let text = match json {
        Json::String(text) => text.clone(),
        Json::Array(list) => list.iter().filter_map(said).collect::<Vec<_>>().join("; "),
        Json::Object(map) => {
            let named = map.iter().filter_map(|(name, value)| Some(format!("{name} {}", said(value)?)));
            named.collect::<Vec<_>>().join("; ")
        }
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A JSON document; `null` is `None`, as Hudu answers for what is missing.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<Option<T>, String> {
    serde_json::from_slice(body).map_err(|error| reason(&error))
}

/// The rows of a list: `{"<plural>": [...]}` and nothing beside it.
fn rows(body: &[u8], key: &str) -> Result<Vec<Json>, String> {
    match parse::<Json>(body)? {
        Some(Json::Object(mut map)) => match map.remove(key) {
            Some(Json::Array(rows)) => Ok(rows),
            _ => Err(format!("it holds no list '{key}'")),
        },
        _ => Err(format!("it holds no list '{key}'")),
    }
}

/// A record in its wrapper, or bare as some versions answer (apis/hudu.md 1).
fn unwrapped(mut json: Json, wrapper: &str) -> Json {
    match json.get_mut(wrapper) {
        Some(inner) if inner.is_object() => inner.take(),
        _ => json,
    }
}

fn read<T: DeserializeOwned>(json: Json) -> Result<T, Problem> {
    serde_json::from_value(json).map_err(|error| {
        Problem::new(Class::Record, format!("A record of Hudu's cannot be read: {}.", reason(&error)))
    })
}

fn company(json: Json) -> Result<Option<(i64, Company)>, Problem> {
    let company = record::company(&read(json)?)?;
    Ok(Some((company.id.number().unwrap_or_default(), company)))
}

fn asset_row(json: Json, layout: &Layout) -> Result<Option<(i64, Asset)>, Problem> {
    let asset = record::asset(read(json)?, layout)?;
    Ok(asset.map(|asset| (asset.id.number().unwrap_or_default(), asset)))
}

pub(super) fn company_in(json: Json, expected: Option<&TargetId>) -> Result<Company, Problem> {
    let company = record::company(&read(unwrapped(json, "company"))?)?;
    match expected {
        Some(id) if company.id != *id => Err(Problem::new(
            Class::Record,
            format!("Hudu's answer is about company {}, not {id}.", company.id),
        )
        .remedy("Nothing was concluded from it. Try again later.")),
        _ => Ok(company),
    }
}

/// A relation between exactly these two assets.
pub(super) fn relation_in(json: Json, from: i64, to: i64) -> Result<Relation, Problem> {
    match record::relation(&read(unwrapped(json, "relation"))?)? {
        Some((_, relation)) if (relation.from, relation.to) == (from, to) => Ok(relation),
        _ => Err(Problem::new(Class::Record, "Hudu's answer is about another relation.")),
    }
}

pub(super) fn layout_in(json: Json, expected: Option<i64>) -> Result<Layout, Problem> {
    let layout = record::layout(&read(unwrapped(json, "asset_layout"))?)?;
    match expected {
        Some(id) if layout.id != id => Err(Problem::new(
            Class::Record,
            format!("Hudu's answer is about asset layout {}, not {id}.", layout.id),
        )),
        _ => Ok(layout),
    }
}

/// An asset that must be this company's and of one of these layouts.
pub(super) fn asset_in(
    json: Json,
    company: &TargetId,
    expected: Option<&TargetId>,
    layouts: &[&Layout],
) -> Result<Asset, Problem> {
    let json: wire::Asset = read(unwrapped(json, "asset"))?;
    let layout = layouts.iter().find(|layout| json.layout_id.id() == Some(layout.id));
    let Some(layout) = layout else {
        let names: Vec<String> = layouts.iter().map(|layout| format!("'{}'", layout.name)).collect();
        let why = format!("Hudu's answer is about an asset that is not of layout {}.", names.join(" or "));
        return Err(Problem::new(Class::Record, why));
    };
    let asset = record::asset(json, layout)?
        .ok_or_else(|| Problem::new(Class::Record, "Hudu's answer is about an asset of another layout."))?;
    if asset.company != *company {
        return Err(another_company("an asset", &asset.company));
    }
    match expected {
        Some(id) if asset.id != *id => {
            Err(Problem::new(Class::Record, format!("Hudu's answer is about asset {}, not {id}.", asset.id)))
        }
        _ => Ok(asset),
    }
}

fn another_company(what: &str, company: &TargetId) -> Problem {
    Problem::new(Class::Record, format!("Hudu's answer for {what} belongs to another company ({company})."))
        .remedy("Nothing was concluded from it. Try again later.")
}

pub(super) fn asset_path(company: &TargetId, id: &TargetId) -> Result<String, Problem> {
    Ok(format!("/companies/{}/assets/{}", number(company, "company")?, number(id, "asset")?))
}

pub(super) fn number(id: &TargetId, kind: &str) -> Result<i64, Problem> {
    id.number().filter(|number| *number > 0).ok_or_else(|| {
        Problem::new(Class::Input, format!("'{id}' cannot be the id of a {kind} in Hudu; nothing was sent."))
    })
}
