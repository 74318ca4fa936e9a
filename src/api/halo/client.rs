//! Halo's calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use serde_json::{Map, Value as Json, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::translate::{self, Context, Feature, LicenceChange, Site, TopLevel};
use super::wire;
use crate::api::address::clean_base;
use crate::api::budget::{Budget, Lane, Permit};
use crate::api::call::{Caller, Cause, Effect, Failure, Retry, WriteVerdict};
use crate::api::http::{Request, Response, Transport, Url};
use crate::api::listing::{Listing, Page, Progress, Proof, read_pages};
use crate::api::row::{Row, read_page, reason};
use crate::model::settings::Halo as Settings;
use crate::model::{Address, Class, Currency, FieldName, Fields, Found, Problem, Secret, TargetId, Value};

/// What we ask for in a page; the server's own limit, often 50 or 100, is found on the first (apis/halopsa.md 2.7).
const PAGE_SIZE: usize = 1000;

/// An API application as Halo keeps it (H3, H4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub name: Box<str>,
    pub is_active: bool,
    /// Halo's id of the agent whose rights it has.
    pub agent: Option<i64>,
}

/// Halo, signed in when first needed. Clones share the sign-in.
#[derive(Clone)]
pub struct Halo {
    caller: Caller,
    resource: Arc<str>,
    sign_in: Arc<SignIn>,
    context: Context,
    pub(super) definitions: Arc<Mutex<Option<Arc<crate::model::asset::Definitions>>>>,
}

/// The OAuth2 client credentials and the token they gave.
struct SignIn {
    url: Url,
    client_id: String,
    secret: Secret,
    token: Mutex<TokenState>,
}

#[derive(Default)]
struct TokenState {
    current: Option<Token>,
    /// Counts renewals, so that two calls that were refused together renew once.
    generation: u64,
    /// A refusal is final: sending the same credentials again only locks accounts out.
    refused: Option<Failure>,
}

#[derive(Clone)]
struct Token {
    bearer: Arc<Secret>,
    /// What was granted; empty where the answer does not say.
    scopes: Arc<str>,
    generation: u64,
    renew_at: Instant,
}

/// A customer to be created, complete: its main site comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomer {
    pub name: Box<str>,
    pub top_level: Option<TargetId>,
    pub marker: Option<Box<str>>,
    pub address: Option<Address>,
}

/// A licence to be created, complete, billable values included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLicence {
    pub customer: TargetId,
    pub marker: Option<Box<str>>,
    pub fields: Fields,
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
            resource: resource.into(),
            sign_in: Arc::new(SignIn {
                url,
                client_id: settings.client_id.trim().to_owned(),
                secret,
                token: Mutex::default(),
            }),
            context: Context {
                customer_marker: settings.customer_marker_field.trim().to_owned(),
                licence_marker: settings.licence_marker_field.trim().to_owned(),
                currencies: HashMap::new(),
                fallback: Currency::new(&settings.currency),
                pool: Arc::default(),
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

    /// Whether the token may edit assets, by its scopes (1.8); `None` where the answer does not say. The agent's own
    /// permissions narrow it further, which no read can tell.
    pub async fn may_edit_assets(&self) -> Result<Option<bool>, Failure> {
        let scopes = self.token(None).await?.scopes;
        let may = |scope: &str| matches!(scope, "all" | "all:standard" | "admin" | "edit:assets");
        Ok((!scopes.trim().is_empty()).then(|| scopes.split_whitespace().any(may)))
    }

    /// Signs in, or finds that it is signed in already.
    pub async fn sign_in(&self) -> Result<(), Failure> {
        self.token(None).await.map(drop)
    }

    /// The levels that new customers can be placed under.
    pub async fn top_levels(&self) -> Result<Vec<TopLevel>, Problem> {
        let listing = self
            .list(
                "top levels",
                "/TopLevel",
                &[],
                "tree",
                &wire::TOP_LEVEL,
                &|row| translate::top_level(row),
                &|_, _| {},
            )
            .await?;
        Ok(listing.records)
    }

    /// Halo's currencies by its own ids.
    pub async fn currencies(&self) -> Result<HashMap<i64, Currency>, Problem> {
        let page = self.bare_list("currencies", "/Currency", &wire::CURRENCY).await?;
        Ok(page
            .iter()
            .filter_map(|row| {
                let text = row.get("code").text().or_else(|| row.get("name").text())?;
                Some((row.get("id").id()?, Currency::new(&text)?))
            })
            .collect())
    }

    /// Every customer, inactive ones too.
    pub async fn customers(&self, progress: Progress<'_>) -> Result<Listing<Found>, Problem> {
        let context = self.with_currencies().await?;
        let wanted = with_marker(&wire::CLIENT, &context.customer_marker);
        let translate = |row: &Row| translate::customer(row, &context);
        self.list(
            "customers",
            "/Client",
            &[("includeinactive", "true")],
            "clients",
            &wanted,
            &translate,
            progress,
        )
        .await
    }

    /// One customer with its details and its main site's address; `None` where Halo knows no such id.
    pub async fn customer(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let context = self.with_currencies().await?;
        let Some(json) = self.one("customer", "/Client", id).await? else { return Ok(None) };
        customer_in(&json, &context).map(Some)
    }

    /// Every site with its address.
    pub async fn sites(&self, progress: Progress<'_>) -> Result<Listing<Site>, Problem> {
        let query = [("includeaddress", "true"), ("includeinactive", "true")];
        self.list("sites", "/Site", &query, "sites", &wire::SITE, &|row| translate::site(row, None), progress)
            .await
    }

    /// Every site of one customer.
    pub async fn sites_of(&self, customer: &TargetId) -> Result<Listing<Site>, Problem> {
        let query = [("includeinactive", "true"), ("client_id", customer.as_str())];
        let name = format!("sites of customer {customer}");
        let row = |row: &Row| translate::site(row, None);
        let mut listing = self.list(&name, "/Site", &query, "sites", &wire::SITE, &row, &|_, _| {}).await?;
        // A build that does not know the filter answers for everybody.
        listing.records.retain(|site| site.customer == *customer);
        Ok(listing)
    }

    /// One site with its address; `None` where Halo knows no such id.
    pub async fn site(&self, id: &TargetId) -> Result<Option<Site>, Problem> {
        let Some(json) = self.one("site", "/Site", id).await? else { return Ok(None) };
        site_in(&json).map(Some)
    }

    /// Every licence, inactive ones too.
    pub async fn licences(&self, progress: Progress<'_>) -> Result<Listing<Found>, Problem> {
        self.licence_list("licences", &[("includeinactive", "true")], progress).await
    }

    /// Every licence of one customer.
    pub async fn licences_of(&self, customer: &TargetId) -> Result<Listing<Found>, Problem> {
        let query = [("includeinactive", "true"), ("client_id", customer.as_str())];
        let name = format!("licences of customer {customer}");
        let mut listing = self.licence_list(&name, &query, &|_, _| {}).await?;
        // A build that does not know the filter answers for everybody.
        listing.records.retain(|licence| licence.parent.as_ref() == Some(customer));
        Ok(listing)
    }

    /// One licence; `None` where Halo knows no such id.
    pub async fn licence(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let Some(json) = self.one("licence", "/SoftwareLicence", id).await? else { return Ok(None) };
        licence_in(&json, &self.context).map(Some)
    }

    /// Customers that Halo's own search finds for a text. Nobody documents which fields it covers: finding one means
    /// something, finding none does not.
    pub async fn search_customers(&self, text: &str) -> Result<Vec<Found>, Problem> {
        let wanted = with_marker(&wire::CLIENT, &self.context.customer_marker);
        let translate = |row: &Row| translate::customer(row, &self.context);
        let query = [("includeinactive", "true"), ("search", text)];
        let name = "customers of a name";
        self.list(name, "/Client", &query, "clients", &wanted, &translate, &|_, _| {}).await?.proven()
    }

    /// The history of a licence, newest first as Halo gives it.
    pub async fn licence_changes(&self, id: &TargetId) -> Result<Vec<LicenceChange>, Problem> {
        let name = format!("changes of licence {id}");
        let translate = |row: &Row| {
            translate::licence_change(row)
                .ok_or_else(|| Problem::new(Class::Record, format!("One of the {name} has no id.")))
        };
        let query = [("licence_id", id.as_str())];
        let listing = self
            .list(&name, "/LicenceChange", &query, "changes", &wire::LICENCE_CHANGE, &translate, &|_, _| {})
            .await?;
        Ok(listing.records)
    }

    /// Which installation this is: tenant and database. Another one behind the same address must never get our ids.
    pub async fn fingerprint(&self) -> Result<String, Problem> {
        let tenant = self.plain_text("/AuthInfo", "tenant_id", false).await?;
        let database = self.plain_text("/InstanceInfo", "dbid", true).await?;
        Ok(format!("{tenant}/{database}"))
    }

    /// Whether the host answers as Halo, without a sign-in.
    pub async fn reach(&self) -> Result<(), Failure> {
        let what = "its sign-in information";
        let request = Request::get(self.url("/AuthInfo", &[])?);
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        self.caller
            .call(Effect::Read, what, permit, request, |response| self.read(what, response, |_| Ok(())))
            .await
    }

    /// Halo's modules: an integrator of its own for the same source would write against us.
    pub async fn features(&self) -> Result<Vec<Feature>, Problem> {
        let rows = self.bare_list("modules", "/Features", &wire::FEATURE).await?;
        Ok(rows.iter().map(translate::feature).collect())
    }

    /// How many records of a list there are, by its first page; for tests of the configuration.
    pub async fn count(&self, what: &str, path: &str, key: &str) -> Result<u64, Failure> {
        let query =
            [("pageinate", "true"), ("page_no", "1"), ("page_size", "1"), ("includeinactive", "true")];
        self.get(what, path, &query, |body| {
            let page = read_page(body, key, &["id"])?;
            Ok(page.total.unwrap_or(0).max(page.rows.len() as u64))
        })
        .await
    }

    /// How many records of a list there are by its own count, and how many of those its last page lacks: one that the
    /// agent may not see is counted and not given (H4).
    ///
    /// # Errors
    /// As every call.
    pub async fn hidden(&self, what: &str, path: &str, key: &str) -> Result<(u64, u64), Failure> {
        let page = async |number: u64| {
            let number = number.to_string();
            let query = [
                ("pageinate", "true"),
                ("page_no", number.as_str()),
                ("page_size", "100"),
                ("includeinactive", "true"),
            ];
            self.get(what, path, &query, |body| {
                let page = read_page(body, key, &["id"])?;
                Ok((page.rows.len() as u64, page.total.unwrap_or(0)))
            })
            .await
        };
        let (size, total) = page(1).await?;
        if size == 0 || total <= size {
            return Ok((total.max(size), total.saturating_sub(size)));
        }
        // A build may cap the page below what was asked.
        let last = total.div_ceil(size);
        let (rows, _) = page(last).await?;
        Ok((total, (total - (last - 1) * size).saturating_sub(rows)))
    }

    /// The API application that this client id belongs to; `None` where Halo lists none of it. Most agents may not ask
    /// (apis/halopsa.md 11).
    ///
    /// # Errors
    /// As every call.
    pub async fn application(&self, client_id: &str) -> Result<Option<Application>, Problem> {
        let rows = self.bare_list("applications", "/Application", &wire::APPLICATION).await?;
        let text = |row: &Row, name: &str| row.get(name).text().unwrap_or_default();
        let mine = rows.iter().find(|row| text(row, "clientId").eq_ignore_ascii_case(client_id.trim()));
        Ok(mine.map(|row| Application {
            name: text(row, "displayName"),
            is_active: !row.get("inactive").flag().unwrap_or(false),
            agent: row.get("loginas_agent_id").id().filter(|id| *id > 0),
        }))
    }

    /// Creates a customer with its main site.
    pub async fn create_customer(&self, permit: Permit, new: &NewCustomer) -> WriteVerdict<Found> {
        let mut json = Map::new();
        json.insert("name".into(), json!(new.name));
        if let Some(top_level) = &new.top_level {
            match number(top_level, "top level") {
                Ok(id) => drop(json.insert("toplevel_id".into(), json!(id))),
                Err(problem) => return WriteVerdict::NotSent(problem),
            }
        }
        put_marker(&mut json, &self.context.customer_marker, new.marker.as_deref());
        json.insert("newclient_sitename".into(), json!("Main"));
        if let Some(address) = new.address.as_ref().filter(|address| !address.is_blank()) {
            json.insert("newclient_delivery_address".into(), json!(translate::address_store(address)));
        }
        json.insert("_dont_fire_automations".into(), json!(true));
        let what = format!("the new customer '{}'", crate::model::text::shown(&new.name));
        let context = &self.context;
        self.write(Effect::Create, &what, permit, "/Client", json, None, |json| customer_in(json, context))
            .await
    }

    /// Renames a customer, or makes it active or inactive. An address belongs to its site.
    pub async fn update_customer(
        &self,
        permit: Permit,
        id: &TargetId,
        fields: &Fields,
    ) -> WriteVerdict<Found> {
        let mut json = Map::new();
        for (name, value) in fields.iter() {
            match (name, value) {
                (FieldName::Name, Value::Text(text)) => drop(json.insert("name".into(), json!(text))),
                (FieldName::Status, Value::Active(active)) => {
                    drop(json.insert("inactive".into(), json!(!active)));
                }
                (name, _) => {
                    return WriteVerdict::NotSent(Problem::new(
                        Class::Input,
                        format!("A customer in Halo cannot take {name} in an update; nothing was sent."),
                    ));
                }
            }
        }
        let context = &self.context;
        self.update(permit, "customer", "/Client", id, json, |json| customer_in(json, context)).await
    }

    /// Sets the address of a site, all its lines at once.
    pub async fn update_site_address(
        &self,
        permit: Permit,
        site: &TargetId,
        address: &Address,
    ) -> WriteVerdict<Site> {
        let mut json = Map::new();
        json.insert("delivery_address".into(), json!(translate::address_store(address)));
        self.update(permit, "site", "/Site", site, json, site_in).await
    }

    /// Creates a licence on a customer as a whole.
    pub async fn create_licence(&self, permit: Permit, new: &NewLicence) -> WriteVerdict<Found> {
        let prepared =
            number(&new.customer, "customer").and_then(|id| Ok((id, translate::licence_json(&new.fields)?)));
        let (customer, mut json) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        json.insert("client_id".into(), json!(customer));
        json.insert("site_id".into(), json!(-1));
        put_marker(&mut json, &self.context.licence_marker, new.marker.as_deref());
        json.insert("_dont_fire_automations".into(), json!(true));
        let name = new.fields.get(FieldName::Name).map(ToString::to_string).unwrap_or_default();
        let what =
            format!("the new licence '{}' of customer {}", crate::model::text::shown(&name), new.customer);
        let context = &self.context;
        self.write(Effect::Create, &what, permit, "/SoftwareLicence", json, None, |json| {
            licence_in(json, context)
        })
        .await
    }

    /// Sets the given fields of a licence; the others stay as they are.
    pub async fn update_licence(
        &self,
        permit: Permit,
        id: &TargetId,
        fields: &Fields,
    ) -> WriteVerdict<Found> {
        let json = match translate::licence_json(fields) {
            Ok(json) => json,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        let context = &self.context;
        self.update(permit, "licence", "/SoftwareLicence", id, json, |json| licence_in(json, context)).await
    }

    pub(super) async fn update<T>(
        &self,
        permit: Permit,
        kind: &str,
        path: &str,
        id: &TargetId,
        mut json: Map<String, Json>,
        translate: impl Fn(&Json) -> Result<T, Problem>,
    ) -> WriteVerdict<T> {
        // A POST without an id would create.
        let number = match number(id, kind) {
            Ok(number) => number,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        json.insert("id".into(), json!(number));
        let what = format!("the update of {kind} {id}");
        self.write(Effect::Set, &what, permit, path, json, Some(number), translate).await
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
        translate: impl Fn(&Json) -> Result<T, Problem>,
    ) -> WriteVerdict<T> {
        let body = Json::Array(vec![Json::Object(json)]).to_string().into_bytes();
        let request = match self.url(path, &[]) {
            Ok(url) => Request::post(url, "application/json", body),
            Err(failure) => return WriteVerdict::NotSent(failure.problem),
        };
        self.signed_in(effect, what, permit, request, |response| {
            self.read(what, response, |body| {
                let saved: Json = serde_json::from_slice(body).map_err(|error| reason(&error))?;
                // One element sent: one object back, though some clients expect a list (2.2).
                let saved = match saved {
                    Json::Array(mut list) if list.len() == 1 => list.remove(0),
                    other => other,
                };
                let id = Row::of(&saved, &["id"]).and_then(|row| row.get("id").id()).filter(|id| *id > 0);
                match (id, expected) {
                    (None, _) => Err("the saved record has no id".to_owned()),
                    (Some(id), Some(expected)) if id != expected => Err(format!("it is about record {id}")),
                    _ => translate(&saved).map_err(|problem| problem.message),
                }
            })
        })
        .await
        .into()
    }

    /// The token, a new one where the current one is about to end, or where it is the generation that was refused.
    async fn token(&self, refused: Option<u64>) -> Result<Token, Failure> {
        let mut state = self.sign_in.token.lock().await;
        if let Some(failure) = &state.refused {
            return Err(failure.clone());
        }
        if let Some(token) = &state.current
            && refused != Some(token.generation)
            && Instant::now() < token.renew_at
        {
            return Ok(token.clone());
        }
        let result = self.fetch_token().await;
        let (bearer, lifetime, scopes) = match result {
            Ok(token) => token,
            Err(failure) => {
                if failure.cause == Cause::SignIn {
                    state.refused = Some(failure.clone());
                }
                return Err(failure);
            }
        };
        state.generation += 1;
        let early = Duration::from_secs(60).min(lifetime / 2);
        let renew_at = Instant::now() + lifetime.saturating_sub(early);
        let token = Token { bearer: Arc::new(bearer), scopes, generation: state.generation, renew_at };
        state.current = Some(token.clone());
        Ok(token)
    }

    async fn fetch_token(&self) -> Result<(Secret, Duration, Arc<str>), Failure> {
        let what = "the sign-in";
        let mut form = self.sign_in.url.clone();
        form.query_pairs_mut()
            .clear()
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.sign_in.client_id)
            .append_pair("client_secret", self.sign_in.secret.expose())
            .append_pair("scope", "all");
        let body = form.query().unwrap_or_default().as_bytes().to_vec();
        let request = Request::post(self.sign_in.url.clone(), "application/x-www-form-urlencoded", body);
        let permit = self.caller.budget.acquire(Lane::Session).await;
        let read_token = |response: &Response| {
            if matches!(response.status, 400..=403 | 405..=407 | 409..=499) {
                return Err(refused_sign_in(response));
            }
            self.read(what, response, |body| {
                let token: wire::Token = serde_json::from_slice(body).map_err(|error| reason(&error))?;
                if token.bearer.trim().is_empty() {
                    return Err("it holds no token".to_owned());
                }
                let seconds =
                    token.expires_in.id().and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3600);
                let lifetime = Duration::from_secs(seconds.clamp(1, 86_400));
                let bearer = Secret::new(format!("Bearer {}", token.bearer.trim()));
                Ok((bearer, lifetime, token.scope.unwrap_or_default().into()))
            })
        };
        self.caller.call(Effect::Read, what, permit, request, read_token).await
    }

    /// Sends with the token; a 401 renews it once and sends again, a second one is a matter of rights (1.7).
    async fn signed_in<T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        request: Request,
        judge: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let token = self.token(None).await.map_err(|failure| failure.doubt_of(false))?;
        let signed = request.clone().secret_header(AUTHORIZATION, token.bearer.expose());
        let failure = match self.caller.call(effect, what, permit, signed, &judge).await {
            Err(failure) if failure.cause == Cause::SignedOut => failure,
            other => return other,
        };
        let in_doubt = failure.in_doubt;
        let token = self.token(Some(token.generation)).await.map_err(|failure| failure.doubt_of(in_doubt))?;
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        let signed = request.secret_header(AUTHORIZATION, token.bearer.expose());
        self.caller.call(effect, what, permit, signed, &judge).await.map_err(|mut again| {
            again.in_doubt |= in_doubt;
            if again.cause == Cause::SignedOut {
                again.problem = Problem::new(
                    Class::Auth,
                    format!(
                        "Halo accepts the sign-in but does not allow {what} (401 again with a new token)."
                    ),
                )
                .remedy("Check the permissions of the API application and of the agent that it logs in as.");
            }
            again
        })
    }

    pub(super) async fn get<T>(
        &self,
        what: &str,
        path: &str,
        query: &[(&str, &str)],
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let request = Request::get(self.url(path, query)?);
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

    pub(super) async fn bare_list(
        &self,
        name: &str,
        path: &str,
        wanted: &[&str],
    ) -> Result<Vec<Row>, Problem> {
        let what = format!("the list of {name}");
        let page = self.get(&what, path, &[], |body| read_page(body, name, wanted)).await?;
        Ok(page.rows.into_iter().flatten().collect())
    }

    async fn licence_list(
        &self,
        name: &str,
        query: &[(&str, &str)],
        progress: Progress<'_>,
    ) -> Result<Listing<Found>, Problem> {
        let wanted = with_marker(&wire::LICENCE, &self.context.licence_marker);
        let translate = |row: &Row| translate::licence(row, &self.context);
        self.list(name, "/SoftwareLicence", query, "licences", &wanted, &translate, progress).await
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

    /// A text of an object that some accounts may not see; empty for those.
    async fn plain_text(&self, path: &str, field: &str, signed_in: bool) -> Result<String, Problem> {
        let what = "what installation it is";
        let parse = |body: &[u8]| -> Result<String, String> {
            let json: Json = serde_json::from_slice(body).map_err(|error| reason(&error))?;
            Ok(Row::of(&json, &[field])
                .and_then(|row| row.get(field).text())
                .map(String::from)
                .unwrap_or_default())
        };
        let result = if signed_in {
            self.get(what, path, &[], parse).await
        } else {
            let request = Request::get(self.url(path, &[])?);
            let permit = self.caller.budget.acquire(self.caller.lane).await;
            self.caller
                .call(Effect::Read, what, permit, request, |response| self.read(what, response, parse))
                .await
        };
        match result {
            Err(failure) if matches!(failure.cause, Cause::SignedOut | Cause::Status(403 | 404)) => {
                Ok(String::new())
            }
            other => Ok(other?),
        }
    }

    async fn with_currencies(&self) -> Result<Context, Problem> {
        let mut context = self.context.clone();
        match self.currencies().await {
            Ok(currencies) => {
                // The only currency there is, or the one of the default id, is what Halo bills in.
                let own = currencies
                    .get(&0)
                    .or_else(|| currencies.values().next().filter(|_| currencies.len() == 1));
                context.fallback = context.fallback.or(own.copied());
                context.currencies = currencies;
            }
            // Prices of customers without a known currency are then held; nothing else depends on it.
            Err(problem) => tracing::warn!(%problem, "Halo's currencies could not be read"),
        }
        Ok(context)
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut url = url_of(&format!("{}{path}", self.resource)).map_err(|problem| {
            Failure::new(Cause::NoAnswer(crate::api::http::SendErrorKind::Unsendable), problem)
        })?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// Judges an answer: statuses, web pages, and a body that must make sense.
    fn read<T>(
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

/// What Halo says of an error: a serialised exception, a bare string, or strings by parameter (apis/halopsa.md 2.4).
fn words(response: &Response) -> String {
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

fn refused_sign_in(response: &Response) -> Failure {
    let json: Json = serde_json::from_slice(response.trimmed()).unwrap_or_default();
    let said = words(response);
    let said = if said.is_empty() { format!("status {}", response.status) } else { said };
    let remedy = match json.get("error").and_then(Json::as_str) {
        Some("invalid_scope") => "Grant the API application the permission 'all', or those the help names.",
        _ => "Check client id, client secret and tenant.",
    };
    Failure::new(
        Cause::SignIn,
        Problem::new(
            Class::Auth,
            format!("Halo refused the sign-in ({}).", crate::model::text::shown(&said)),
        )
        .remedy(remedy),
    )
}

fn customer_in(json: &Json, context: &Context) -> Result<Found, Problem> {
    let wanted = with_marker(&wire::CLIENT, &context.customer_marker);
    let mut found = translate::customer(&Row::of(json, &wanted).unwrap_or_default(), context)?;
    if let Some(store) = json.get("main_delivery_address").filter(|store| store.is_object()) {
        found.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(translate::address_in(store))));
    }
    Ok(found)
}

fn site_in(json: &Json) -> Result<Site, Problem> {
    translate::site(&Row::of(json, &wire::SITE).unwrap_or_default(), json.get("delivery_address"))
}

fn licence_in(json: &Json, context: &Context) -> Result<Found, Problem> {
    let wanted = with_marker(&wire::LICENCE, &context.licence_marker);
    translate::licence(&Row::of(json, &wanted).unwrap_or_default(), context)
}

fn with_marker<'a>(wanted: &[&'a str], marker: &'a str) -> Vec<&'a str> {
    let mut all = wanted.to_vec();
    if !marker.is_empty() && !all.contains(&marker) {
        all.push(marker);
    }
    all
}

fn put_marker(json: &mut Map<String, Json>, field: &str, marker: Option<&str>) {
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
