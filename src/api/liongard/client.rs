//! Liongard's calls.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use super::read;
use super::sample::each_value;
use crate::api::address::clean_instance;
use crate::api::budget::{Budget, Lane, Permit};
use crate::api::call::{Caller, Cause, Effect, Failure, Retry, WriteVerdict};
use crate::api::http::{Pieces, Request, Response, SendErrorKind, Transport, Url};
use crate::api::listing::{Form, Listing, Progress};
use crate::api::records::Records;
use crate::api::row::reason;
use crate::model::liongard::{
    MetricValue, SourceDevice, SourceEnvironment, SourceInspector, SourceMetric, SourceSystem,
};
use crate::model::settings::{Liongard as Settings, Pace};
use crate::model::text::{Pool, shown};
use crate::model::{Class, Problem, Secret, SourceId};

const KEY: HeaderName = HeaderName::from_static("x-roar-api-key");
/// Collections without this are answered with a redirect, which would turn a POST into a GET (section 2).
const SLASH: &str = "/";
/// Lists of a large account take the vendor minutes (section 5).
const LIST_TIME: Duration = Duration::from_secs(900);
/// Rows a page of devices; the vendor's own screens use it too (11.1).
const DEVICE_PAGE: u32 = 100;
/// Rows a page of metric values: as many as the vendor says it gives at most (section 6).
const METRIC_PAGE: u32 = 2000;
/// No list has more pages: a server that always finds one more is stopped here.
const PAGE_LIMIT: u32 = 100_000;
/// `/metrics/evaluate` has a limit of its own (section 5).
const EVALUATE_PACE: Pace = Pace { requests: 100, per_seconds: 60, at_once: 1, spacing_ms: 0, share: 0.9 };

/// What became of a system that the list no longer shows (decision 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    Present,
    Gone,
    /// Nothing is proven; the reason, for people.
    Unconfirmed(String),
}

/// An environment to be created. Children are never made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnvironment {
    pub name: Box<str>,
    pub description: Box<str>,
}

/// Liongard. Clones are the same connection.
#[derive(Clone)]
pub struct Liongard {
    caller: Caller,
    evaluate: Caller,
    origin: Arc<str>,
    key: Arc<Secret>,
}

impl Liongard {
    /// # Errors
    /// The address or the key id is missing or cannot be used.
    pub fn new(
        settings: &Settings,
        secret: &Secret,
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
    ) -> Result<Self, Problem> {
        let origin = clean_instance(&settings.url, settings.allow_http)?.url;
        let id = settings.access_key_id.trim();
        if id.is_empty() {
            return Err(Problem::new(Class::Input, "Liongard's access key id is blank.").remedy(
                "Enter the id of an access token, made in Liongard under your profile, account settings.",
            ));
        }
        let pair = Secret::new(format!("{id}:{}", secret.expose().trim()));
        let key = base64::engine::general_purpose::STANDARD.encode(pair.expose());
        let vendor = "Liongard";
        let caller = Caller { vendor, transport, budget, lane: Lane::Bulk, retry: Retry::default() };
        // An account without a window of its own, such as a test server, has none for metrics either.
        let pace = if settings.pace.requests == 0 { settings.pace } else { EVALUATE_PACE };
        let evaluate = Caller { budget: Budget::new(pace), ..caller.clone() };
        Ok(Self { caller, evaluate, origin: origin.into(), key: Arc::new(Secret::new(key)) })
    }

    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.caller.retry = retry;
        self.evaluate.retry = retry;
        self
    }

    /// The same client for a person who waits: its calls go before those of jobs.
    #[must_use]
    pub fn interactive(&self) -> Self {
        let mut liongard = self.clone();
        liongard.caller.lane = Lane::Interactive;
        liongard.evaluate.lane = Lane::Interactive;
        liongard
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.caller.budget
    }

    /// How many environments the key sees; the cheapest proof that it works (section 3).
    pub async fn count_environments(&self) -> Result<u64, Failure> {
        self.count("the number of environments", "/api/v1/environments/count").await
    }

    pub async fn count_systems(&self) -> Result<u64, Failure> {
        self.count("the number of systems", "/api/v1/systems/count").await
    }

    /// Every environment that the key may see, compared with what the vendor counts.
    pub async fn environments(&self, progress: Progress<'_>) -> Result<Listing<SourceEnvironment>, Problem> {
        let count = self.count_environments().await?;
        let read = |json: &Json| read::environment(json).map(|one| (one.id.clone(), one));
        self.whole_list("environments", "/api/v1/environments", Some(count), &read, progress).await
    }

    /// One environment; `None` where there is none of that id, or none that the key may see.
    pub async fn environment(&self, id: &SourceId) -> Result<Option<SourceEnvironment>, Problem> {
        let number = number(id, "environment")?;
        let what = format!("environment {id}");
        let request = Request::get(self.url(&format!("/api/v1/environments/{number}"))?);
        let answer = match self.send(&self.caller, Effect::Read, &what, request).await {
            Ok(answer) => answer,
            Err(failure) if failure.cause == Cause::Status(404) => return Ok(None),
            Err(failure) => return Err(failure.problem),
        };
        // Unknown ids may be answered with an empty list (section 4).
        if answer.as_array().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let found = read::environment(single(&answer).unwrap_or(&answer))
            .map_err(|problem| self.caller.unreadable(&what, &problem.message))?;
        if found.id != *id {
            let why = format!("Liongard's answer for {what} is about another environment.");
            return Err(Problem::new(Class::Record, why));
        }
        Ok(Some(found))
    }

    /// Every system of every environment that the key may see, with the values at these paths, in the caller's form: all
    /// come in one answer.
    pub async fn systems<T: Send>(
        &self,
        paths: &[Box<str>],
        form: Form<'_, SourceSystem, T>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let count = self.count_systems().await?;
        let pool = Pool::default();
        let read = |json: &Json| read::system(json, paths, &pool).map(|one| (one.id.clone(), form(one)));
        self.whole_list("systems", "/api/v1/systems", Some(count), &read, progress).await
    }

    pub async fn inspectors(&self) -> Result<Vec<SourceInspector>, Problem> {
        let read = |json: &Json| {
            let name = || Problem::new(Class::Record, "An inspector that Liongard listed has no id.");
            read::inspector(json).map(|one| (one.id.into(), one)).ok_or_else(name)
        };
        let list = self.whole_list("inspectors", "/api/v1/inspectors", None, &read, &|_, _| {}).await?;
        Ok(list.records)
    }

    pub async fn metrics(&self) -> Result<Listing<SourceMetric>, Problem> {
        let read = |json: &Json| {
            read::metric(json)
                .map(|one| (SourceId::new(&one.uuid), one))
                .ok_or_else(|| Problem::new(Class::Record, "A metric that Liongard listed has no UUID."))
        };
        self.whole_list("metrics", "/api/v1/metrics", None, &read, &|_, _| {}).await
    }

    /// Every device profile of one environment, with the values at these paths.
    pub async fn devices(
        &self,
        environment: &SourceId,
        paths: &[Box<str>],
    ) -> Result<Listing<SourceDevice>, Problem> {
        let name = format!("the devices of environment {environment}");
        let pool = Pool::default();
        let (mut records, mut problems) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let mut why_not = None;
        for page in 1..=PAGE_LIMIT {
            let what = format!("page {page} of {name}");
            let answer = self.device_page(environment, page, &name).await?;
            let rows = answer["Data"]["DeviceProfiles"]
                .as_array()
                .or_else(|| answer["Data"].as_array())
                .ok_or_else(|| self.caller.unreadable(&what, "there is no list in it").problem)?;
            let before = records.len();
            for row in rows {
                match read::device(row, paths, &pool) {
                    Ok(device) if device.environment != *environment => {
                        why_not.get_or_insert_with(|| {
                            format!("Device {} was listed for another environment.", device.id)
                        });
                    }
                    Ok(device) if seen.insert(device.id.clone()) => records.push(device),
                    Ok(_) => {}
                    Err(problem) => problems.push(problem),
                }
            }
            let Some(more) = has_more(&answer) else { break };
            if !more {
                let total = total_rows(&answer).unwrap_or(0);
                if total > 0 && total != records.len() as u64 + problems.len() as u64 {
                    why_not.get_or_insert_with(|| {
                        format!("Of {name} {total} were announced, {} received.", records.len())
                    });
                }
                break;
            }
            if before == records.len() || page == PAGE_LIMIT {
                why_not = Some(format!("The pages of {name} never end."));
                break;
            }
        }
        Ok(Listing::whole(records, problems, why_not))
    }

    /// The values of these metrics for every system that has them (12, way A), or for the systems of some environments.
    /// What was said against their being all of them is given back.
    pub async fn evaluate(
        &self,
        metrics: &[Box<str>],
        environments: Option<&[SourceId]>,
        each: &mut (dyn FnMut(MetricValue) + Send),
        progress: Progress<'_>,
    ) -> Result<Option<String>, Problem> {
        let (mut received, mut last) = (0_u64, None);
        let filters = match environments {
            None => json!([]),
            Some(ids) => {
                let ids = ids.iter().map(|id| number(id, "environment")).collect::<Result<Vec<_>, _>>()?;
                json!([{"Field": "EnvironmentID", "Op": "equal_to", "Values": ids}])
            }
        };
        for page in 1..=PAGE_LIMIT {
            let answer = self.metric_page(metrics, &filters, page).await?;
            let rows = answer["Data"].as_array().map(Vec::as_slice).unwrap_or_default();
            received += rows.len() as u64;
            for row in rows {
                each_value(row, each);
            }
            progress(received, total_rows(&answer));
            if !has_more(&answer).unwrap_or(false) {
                let announced = total_rows(&answer).filter(|total| *total > received);
                return Ok(announced.map(|total| {
                    format!("Of the metric values {total} were announced, {received} received.")
                }));
            }
            let first = rows.first().map(|row| (row["SystemID"].clone(), row["MetricUUID"].clone()));
            if rows.is_empty() || first == last {
                break;
            }
            last = first;
        }
        Err(Problem::new(Class::Listing, "Liongard's pages of metric values never end.")
            .remedy("Nothing was concluded from them. Try again later."))
    }

    /// One page of metric values, which holds a list.
    pub(super) async fn metric_page(
        &self,
        metrics: &[Box<str>],
        filters: &Json,
        page: u32,
    ) -> Result<Json, Problem> {
        let body = json!({
            "Metrics": metrics, "Filters": filters, "Sorting": [{"SortBy": "SystemID", "Direction": "ASC"}],
            "Pagination": {"Page": page, "PageSize": METRIC_PAGE},
        });
        let what = format!("page {page} of the metric values");
        let path = "/api/v2/metrics/evaluate/?includeNonVisible=true";
        let answer = self.query(&self.evaluate, &what, path, &body).await?;
        if !answer["Data"].is_array() {
            return Err(self.caller.unreadable(&what, "there is no list in it").problem);
        }
        Ok(answer)
    }

    /// One page of an environment's device profiles.
    pub(super) async fn device_page(
        &self,
        environment: &SourceId,
        page: u32,
        name: &str,
    ) -> Result<Json, Problem> {
        let body = json!({
            "Environment": number(environment, "environment")?, "Filters": [],
            "Sorting": [{"SortBy": "ID", "Direction": "ASC"}],
            "Pagination": {"Page": page, "PageSize": DEVICE_PAGE},
        });
        let what = format!("page {page} of {name}");
        Ok(self.query(&self.caller, &what, "/api/v2/inventory/device-profiles/query", &body).await?)
    }

    /// The data of a system's latest inspection: `raw` of its detail (9.3). `None` where there is no such system.
    pub async fn detail(&self, id: &SourceId) -> Result<Option<Json>, Failure> {
        let number =
            number(id, "system").map_err(|p| Failure::new(Cause::NoAnswer(SendErrorKind::Unsendable), p))?;
        let what = format!("system {id}");
        let request = Request::post(
            self.url(&format!("/api/v1/systems/{number}/view"))?,
            "application/json",
            Vec::new(),
        );
        let result = self.send(&self.caller, Effect::Read, &what, request).await;
        let answer = match result {
            Ok(answer) => answer,
            Err(failure) if failure.cause == Cause::Status(404) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        // Unknown ids may be answered with an empty list (section 4).
        if answer.as_array().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let found = answer["system"]["ID"].as_i64();
        if found.is_some_and(|found| found != number) {
            return Err(Failure::new(
                Cause::WrongRecord,
                Problem::new(Class::Record, format!("Liongard's answer for {what} is about another system.")),
            ));
        }
        Ok(Some(answer))
    }

    /// Whether a system that the list no longer shows is gone (decision 2).
    pub async fn look_up_system(&self, id: &SourceId) -> LookUp {
        match self.detail(id).await {
            Ok(Some(_)) => LookUp::Present,
            Ok(None) => LookUp::Gone,
            Err(failure) => LookUp::Unconfirmed(failure.problem.message),
        }
    }

    /// Creates an environment at the top. The answer is believed only if it is about a new environment of that name:
    /// a redirected write would come back as the list of those that are there already (section 2).
    pub async fn create_environment(
        &self,
        permit: Permit,
        new: &NewEnvironment,
        known: &(dyn Fn(&SourceId) -> bool + Send + Sync),
    ) -> WriteVerdict<SourceEnvironment> {
        let what = format!("the new environment '{}'", shown(&new.name));
        let body = json!({"Name": new.name, "Description": new.description, "Parent": null});
        let url = match self.url("/api/v2/environments") {
            Ok(url) => url,
            Err(failure) => return WriteVerdict::NotSent(failure.problem),
        };
        let request = Request::post(url, "application/json", body.to_string().into_bytes());
        let judge = |response: &Response| {
            let answer = self.judge(&what, response)?;
            let saved = single(&answer)
                .ok_or_else(|| self.caller.unreadable(&what, "it is not about one environment"))?;
            let saved = read::environment(saved).map_err(|p| self.caller.unreadable(&what, &p.message))?;
            if saved.name.trim() != new.name.trim() || known(&saved.id) {
                let why = format!("it is about environment {}, which is not the new one", saved.id);
                return Err(self.caller.unreadable(&what, &why));
            }
            Ok(saved)
        };
        self.caller.call(Effect::Create, &what, permit, self.signed(request), judge).await.into()
    }

    async fn count(&self, what: &str, path: &str) -> Result<u64, Failure> {
        let request = Request::get(self.url(path)?);
        let answer = self.send(&self.caller, Effect::Read, what, request).await?;
        let count = answer.as_u64().or_else(|| answer["Data"].as_u64());
        count.ok_or_else(|| self.caller.unreadable(what, "it is no number"))
    }

    /// A list that comes in one answer, read while it arrives (decisions 22, 34).
    async fn whole_list<T: Send>(
        &self,
        name: &str,
        path: &str,
        count: Option<u64>,
        translate: &(dyn Fn(&Json) -> Result<(SourceId, T), Problem> + Send + Sync),
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        struct Reading<T> {
            records: Vec<T>,
            /// Hashes of them. Two that are alike by chance only cost the certificate.
            ids: HashSet<u64>,
            problems: Vec<Problem>,
            twice: Option<SourceId>,
        }
        let what = format!("the list of {name}");
        let hasher = RandomState::new();
        let fresh =
            || Reading { records: Vec::new(), ids: HashSet::new(), problems: Vec::new(), twice: None };
        let state = Arc::new(Mutex::new(fresh()));
        let each = |record: Result<&[u8], &'static str>| {
            let mut reading = state.lock().unwrap_or_else(PoisonError::into_inner);
            let read = match record {
                Ok(bytes) => serde_json::from_slice::<Json>(bytes)
                    .map_err(|error| reason(&error))
                    .map_err(|why| {
                        Problem::new(Class::Record, format!("An entry on {what} cannot be read: {why}."))
                    })
                    .and_then(|json| translate(&json)),
                Err(why) => Err(Problem::new(Class::Record, format!("On {what} {why}."))),
            };
            match read {
                Ok((id, record)) => {
                    if reading.ids.insert(hasher.hash_one(&id)) {
                        reading.records.push(record);
                    } else {
                        reading.twice = Some(id);
                    }
                    if reading.records.len().is_multiple_of(1000) {
                        progress(reading.records.len() as u64, count);
                    }
                }
                // One message is enough for a list of nothing else.
                Err(problem) if reading.problems.len() < 1000 => reading.problems.push(problem),
                Err(_) => {}
            }
        };
        let parser = Mutex::new(Records::new(&each));
        let into = |piece: &[u8]| {
            let mut parser = parser.lock().unwrap_or_else(PoisonError::into_inner);
            if piece.is_empty() {
                *state.lock().unwrap_or_else(PoisonError::into_inner) = fresh();
                *parser = Records::new(&each);
                return true;
            }
            parser.push(piece)
        };
        let judge = |response: &Response| {
            if !response.is_success() {
                return self.judge(&what, response).map(drop);
            }
            let mut parser = parser.lock().unwrap_or_else(PoisonError::into_inner);
            let done = std::mem::replace(&mut *parser, Records::new(&each));
            done.finish().map_err(|why| self.caller.unreadable(&what, why))
        };
        self.streamed(&what, path, &into, judge).await?;
        let mut reading = state.lock().unwrap_or_else(PoisonError::into_inner);
        let Reading { mut records, problems, twice, .. } = std::mem::replace(&mut *reading, fresh());
        records.shrink_to_fit();
        progress(records.len() as u64, count);
        let seen = records.len() as u64 + problems.len() as u64;
        let why_not = twice.map(|id| format!("On {what} {id} came twice.")).or_else(|| {
            let count = count.filter(|count| *count != seen)?;
            Some(format!("Liongard counts {count} {name}, but its list has {seen}."))
        });
        let mut listing = Listing::whole(records, problems, why_not);
        listing.certificate.total_claimed = count;
        Ok(listing)
    }

    /// A list that is taken piece by piece.
    pub(super) async fn streamed(
        &self,
        what: &str,
        path: &str,
        into: Pieces<'_>,
        judge: impl Fn(&Response) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let request = Request::get(self.url(path)?).total(LIST_TIME);
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        self.caller.stream(what, permit, self.signed(request), into, judge).await
    }

    pub(super) fn unreadable(&self, what: &str, why: &str) -> Failure {
        self.caller.unreadable(what, why)
    }

    async fn query(&self, caller: &Caller, what: &str, path: &str, body: &Json) -> Result<Json, Failure> {
        // It reads, although it is a POST.
        let request = Request::post(self.url(path)?, "application/json", body.to_string().into_bytes());
        self.send(caller, Effect::Read, what, request).await
    }

    async fn send(
        &self,
        caller: &Caller,
        effect: Effect,
        what: &str,
        request: Request,
    ) -> Result<Json, Failure> {
        let permit = caller.budget.acquire(caller.lane).await;
        caller.call(effect, what, permit, self.signed(request), |response| self.judge(what, response)).await
    }

    fn signed(&self, request: Request) -> Request {
        let mut request = request.secret_header(KEY, self.key.expose());
        // Several routes also know XML (section 2).
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        request
    }

    fn url(&self, path: &str) -> Result<Url, Failure> {
        let (path, query) = path.split_once('?').map_or((path, ""), |(path, query)| (path, query));
        let question = if query.is_empty() { "" } else { "?" };
        let text = format!("{}{}{SLASH}{question}{query}", self.origin, path.trim_end_matches('/'));
        Url::parse(&text).map_err(|error| {
            let problem = Problem::new(Class::Input, format!("Liongard's address cannot be used ({error})."));
            Failure::new(Cause::NoAnswer(SendErrorKind::Unsendable), problem)
        })
    }

    /// Judges an answer: redirects, statuses, and a success that says that it is none (section 4).
    pub(super) fn judge(&self, what: &str, response: &Response) -> Result<Json, Failure> {
        if (300..400).contains(&response.status) || (response.is_success() && response.is_markup()) {
            return Err(self.caller.not_the_api(what, response));
        }
        let said = words(response);
        match response.status {
            200..=299 => {}
            401 => return Err(refused_key(what, &said)),
            status => return Err(self.caller.status(what, status, &said)),
        }
        let answer: Json = serde_json::from_slice(response.trimmed())
            .map_err(|error| self.caller.unreadable(what, &reason(&error)))?;
        if answer["Success"] == false {
            return Err(self.caller.status(what, 400, &said));
        }
        Ok(answer)
    }
}

/// The one record of an answer: as `Data`, as a list of one, or bare (8.4).
fn single(answer: &Json) -> Option<&Json> {
    match &answer["Data"] {
        Json::Array(list) if list.len() == 1 => list.first(),
        Json::Object(_) => Some(&answer["Data"]),
        _ if answer["ID"].is_i64() => Some(answer),
        _ => answer.as_array().filter(|list| list.len() == 1).and_then(|list| list.first()),
    }
}

/// A key that is refused is not tried again by itself; why is told as far as the answer says it (L3).
fn refused_key(what: &str, said: &str) -> Failure {
    let lower = said.to_lowercase();
    let why = if lower.contains("expired") {
        "the access key has expired"
    } else if lower.contains("revoked") || lower.contains("disabled") {
        "the access key was revoked"
    } else {
        "the access key is wrong, expired, revoked, or of another instance"
    };
    let said = if said.is_empty() { String::new() } else { format!(" ({})", shown(said)) };
    Failure::new(
        Cause::SignIn,
        Problem::new(Class::Auth, format!("Liongard refused {what}: {why}{said}."))
            .remedy("Make a new access token in Liongard under your profile, account settings, and check the instance in the address."),
    )
}

/// What Liongard says of an error: there is no single form (section 4).
fn words(response: &Response) -> String {
    if response.is_success() && response.body.len() > 100_000 || response.is_markup() {
        return String::new();
    }
    let Ok(json) = serde_json::from_slice::<Json>(response.trimmed()) else { return response.excerpt() };
    let mut parts: Vec<String> = Vec::new();
    if let Some(text) = ["Message", "message", "error"].iter().find_map(|name| json.get(*name)?.as_str()) {
        parts.push(text.to_owned());
    }
    for list in ["ValidationErrors", "errors"].iter().filter_map(|name| json.get(*name)?.as_array()) {
        for error in list {
            match (error.as_str(), error["path"].as_str(), error["message"].as_str()) {
                (Some(text), ..) | (None, None, Some(text)) => parts.push(text.to_owned()),
                (None, Some(path), Some(text)) => parts.push(format!("{path}: {text}")),
                _ => {}
            }
        }
    }
    parts.join("; ").chars().take(500).collect()
}

/// The paging block is inside `Data` for inventory queries and beside it for metrics (section 6).
fn paging(answer: &Json) -> &Json {
    let inside = &answer["Data"]["Pagination"];
    if inside.is_object() { inside } else { &answer["Pagination"] }
}

pub(super) fn has_more(answer: &Json) -> Option<bool> {
    paging(answer)["HasMoreRows"].as_bool()
}

fn total_rows(answer: &Json) -> Option<u64> {
    paging(answer)["TotalRows"].as_u64()
}

fn number(id: &SourceId, kind: &str) -> Result<i64, Problem> {
    id.as_str().parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        Problem::new(
            Class::Input,
            format!("'{id}' cannot be the id of a {kind} in Liongard; nothing was sent."),
        )
    })
}
