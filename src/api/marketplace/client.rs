//! The marketplace's calls.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderName;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use super::wire::{self, Entry, List};
use super::{fault, translate};
use crate::api::address::clean_origin;
use crate::api::budget::{Budget, Lane, Permit};
use crate::api::call::{Caller, Cause, Effect, Failure, Retry};
use crate::api::http::{Request, Response, SendErrorKind, Transport, Url};
use crate::api::listing::{Listing, Progress};
use crate::api::row::reason;
use crate::model::marketplace::{SourceCompany, SourceSubscription};
use crate::model::settings::Marketplace as Settings;
use crate::model::{Class, Integration, Problem, Secret, SourceId};

const SESSION: HeaderName = HeaderName::from_static("authenticate");

/// Every call this program can make. All of them read, or belong to the session: calls that order, change or end
/// something are not in the type (apis/also.md 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    GetSessionToken,
    TerminateSessionToken,
    GetReseller,
    GetResellers,
    GetCompany,
    GetCompanies,
    GetSubscription,
    GetSubscriptions,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::GetSessionToken => "GetSessionToken",
            Self::TerminateSessionToken => "TerminateSessionToken",
            Self::GetReseller => "GetReseller",
            Self::GetResellers => "GetResellers",
            Self::GetCompany => "GetCompany",
            Self::GetCompanies => "GetCompanies",
            Self::GetSubscription => "GetSubscription",
            Self::GetSubscriptions => "GetSubscriptions",
        }
    }

    /// Lists of subscriptions take a platform of this kind minutes (apis/also.md 12).
    const fn time(self) -> Duration {
        match self {
            Self::GetSubscriptions | Self::GetCompanies => Duration::from_secs(180),
            Self::TerminateSessionToken => Duration::from_secs(10),
            _ => Duration::from_secs(60),
        }
    }
}

/// Whether a subscription that a list no longer shows is gone (decision 34).
#[derive(Debug, Clone, PartialEq)]
pub enum LookUp {
    Present(Box<SourceSubscription>),
    /// The marketplace knows the customer, not the subscription.
    Gone,
    /// Nothing is proven; the reason, for people.
    Unconfirmed(String),
}

/// A marketplace, signed in when first needed. Clones share the session.
#[derive(Clone)]
pub struct Marketplace {
    integration: Integration,
    caller: Caller,
    origin: Arc<str>,
    sign_in: Arc<SignIn>,
}

struct SignIn {
    username: String,
    password: Secret,
    session: Mutex<SessionState>,
}

#[derive(Default)]
struct SessionState {
    current: Option<Session>,
    generation: u64,
    /// A refusal is final for this client: repeated log-ins lock accounts out (C8).
    refused: Option<Failure>,
}

#[derive(Clone)]
struct Session {
    header: Arc<Secret>,
    generation: u64,
}

impl Marketplace {
    /// # Errors
    /// The address or the user name is missing or cannot be used.
    pub fn new(
        integration: Integration,
        settings: &Settings,
        password: Secret,
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
    ) -> Result<Self, Problem> {
        let vendor = integration.label();
        let what = format!("The marketplace URL of {vendor}");
        let origin = clean_origin(&what, &settings.marketplace_url, settings.allow_http)?.url;
        let username = settings.username.trim().to_owned();
        if username.is_empty() {
            return Err(Problem::new(Class::Input, format!("The user name for {vendor} is blank."))
                .remedy("Enter the user name of an account with read rights and the Reseller Admin role."));
        }
        Ok(Self {
            integration,
            caller: Caller { vendor, transport, budget, lane: Lane::Bulk, retry: Retry::default() },
            origin: origin.into(),
            sign_in: Arc::new(SignIn { username, password, session: Mutex::default() }),
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
        let mut marketplace = self.clone();
        marketplace.caller.lane = Lane::Interactive;
        marketplace
    }

    pub const fn integration(&self) -> Integration {
        self.integration
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.caller.budget
    }

    /// Signs in, or finds that it is signed in already.
    pub async fn sign_in(&self) -> Result<(), Failure> {
        self.session(None).await.map(drop)
    }

    /// The API user's own company.
    pub async fn reseller(&self) -> Result<SourceCompany, Failure> {
        let what = "the account's own company";
        let found = self.read(Method::GetReseller, what, &json!({}), one::<wire::Company>).await;
        let found = found.map_err(|failure| self.not_allowed(what, failure))?;
        let Some(wire) = found else {
            return Err(self.failed(
                Cause::Fault,
                Class::Auth,
                format!("{} shows no company for this account.", self.caller.vendor),
            ));
        };
        translate::company(&wire).map_err(|problem| Failure::new(Cause::Unreadable, problem))
    }

    /// Every customer: those of the own company, then those of its sub-resellers, level by level (apis/also.md 5.1).
    ///
    /// # Errors
    /// The own company or its customers cannot be read, or a right is missing. A sub-reseller that cannot be read
    /// costs the certificate.
    pub async fn companies(&self, progress: Progress<'_>) -> Result<Listing<SourceCompany>, Problem> {
        let own = self.reseller().await?.id;
        let (mut records, mut problems) = (Vec::new(), Vec::new());
        let mut why_not = None;
        let mut seen = HashSet::new();
        let mut met = HashSet::from([own.clone()]);
        let mut resellers = VecDeque::from([own.clone()]);
        while let Some(reseller) = resellers.pop_front() {
            let what = format!("the customers of {reseller}");
            match self.children(Method::GetCompanies, &what, &reseller).await {
                Ok(listed) => {
                    for company in listed {
                        match company {
                            Ok(company) if seen.insert(company.id.clone()) => {
                                if company.parent.as_ref().is_some_and(|parent| *parent != reseller) {
                                    why_not.get_or_insert_with(|| {
                                        format!("Customer {} was listed under {reseller}, but says it belongs elsewhere.", company.id)
                                    });
                                }
                                records.push(company);
                            }
                            Ok(company) => {
                                why_not.get_or_insert_with(|| {
                                    format!("Customer {} was listed twice.", company.id)
                                });
                            }
                            Err(problem) => problems.push(problem),
                        }
                    }
                }
                Err(failure)
                    if reseller == own
                        || failure.cause == Cause::SignIn
                        || failure.cause == Cause::SignedOut =>
                {
                    return Err(self.not_allowed(&what, failure).problem);
                }
                Err(failure) => {
                    why_not.get_or_insert_with(|| failure.problem.message.clone());
                    problems.push(failure.problem);
                }
            }
            progress(records.len() as u64, None);
            let what = format!("the sub-resellers of {reseller}");
            match self.children(Method::GetResellers, &what, &reseller).await {
                Ok(listed) => {
                    for next in listed.into_iter().flatten() {
                        if met.insert(next.id.clone()) {
                            resellers.push_back(next.id);
                        }
                    }
                }
                Err(failure) if matches!(failure.cause, Cause::SignIn | Cause::SignedOut) => {
                    return Err(failure.problem);
                }
                Err(failure) => {
                    why_not.get_or_insert_with(|| failure.problem.message.clone());
                    problems.push(failure.problem);
                }
            }
        }
        records.sort_unstable_by(|a, b| {
            a.id.as_str().len().cmp(&b.id.as_str().len()).then_with(|| a.id.cmp(&b.id))
        });
        let why_not = why_not.map(|why| format!("The list of customers is not proven complete: {why}"));
        Ok(Listing::whole(records, problems, why_not))
    }

    /// One customer; `None` where the marketplace says that there is none.
    pub async fn company(&self, id: &SourceId) -> Result<Option<SourceCompany>, Failure> {
        let what = format!("customer {id}");
        let body = json!({ "accountId": self.number(id)? });
        let found = self.read(Method::GetCompany, &what, &body, one::<wire::Company>).await;
        let wire = match found {
            Ok(Some(wire)) => wire,
            Ok(None) => return Ok(None),
            Err(failure) if failure.cause == Cause::Status(404) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let company =
            translate::company(&wire).map_err(|problem| Failure::new(Cause::Unreadable, problem))?;
        // An argument that the marketplace ignores makes it answer for our own company (apis/also.md 5.2).
        if company.id == *id { Ok(Some(company)) } else { Err(self.wrong_record(&what, &company.id)) }
    }

    /// Every subscription of one customer, of whatever state and level.
    ///
    /// # Errors
    /// No complete, well-formed answer about this customer: then nothing is known of its subscriptions.
    pub async fn subscriptions(&self, company: &SourceId) -> Result<Listing<SourceSubscription>, Problem> {
        let what = format!("the subscriptions of customer {company}");
        let body = json!({ "parentAccountId": self.number(company)? });
        let entries = self.read(Method::GetSubscriptions, &what, &body, list::<wire::Subscription>).await?;
        let (mut records, mut problems) = (Vec::with_capacity(entries.len()), Vec::new());
        let mut seen = HashSet::new();
        let mut why_not = None;
        for entry in entries {
            let subscription = match entry {
                Entry::Object(wire) => translate::subscription(wire, company),
                Entry::Other => {
                    Err(Problem::new(Class::Record, format!("An entry among {what} is no record.")))
                }
            };
            match subscription {
                Ok(subscription) if subscription.company != *company => {
                    return Err(self.wrong_record(&what, &subscription.company).problem);
                }
                Ok(subscription) if seen.insert(subscription.id.clone()) => records.push(subscription),
                Ok(subscription) => {
                    let id = subscription.id;
                    why_not = Some(format!("Subscription {id} came twice among {what}."));
                }
                Err(problem) => problems.push(problem),
            }
        }
        Ok(Listing::whole(records, problems, why_not))
    }

    /// What became of a subscription that its customer's list no longer shows. Absence is confirmed by an answer that
    /// can mean nothing else, if the customer itself can be looked up right after (decision 34).
    pub async fn look_up_subscription(&self, id: &SourceId, company: &SourceId) -> LookUp {
        let what = format!("subscription {id}");
        let number = match self.number(id) {
            Ok(number) => number,
            Err(failure) => return LookUp::Unconfirmed(failure.problem.message),
        };
        let found = self
            .read(Method::GetSubscription, &what, &json!({ "accountId": number }), one::<wire::Subscription>)
            .await;
        match found {
            Ok(Some(wire)) => match translate::subscription(wire, company) {
                Ok(subscription) if subscription.id == *id => return LookUp::Present(Box::new(subscription)),
                Ok(subscription) => {
                    return LookUp::Unconfirmed(self.wrong_record(&what, &subscription.id).problem.message);
                }
                Err(problem) => return LookUp::Unconfirmed(problem.message),
            },
            Ok(None) => {}
            Err(failure) if matches!(failure.cause, Cause::Fault | Cause::Status(404)) => {}
            Err(failure) => return LookUp::Unconfirmed(failure.problem.message),
        }
        match self.company(company).await {
            Ok(Some(_)) => LookUp::Gone,
            Ok(None) => {
                LookUp::Unconfirmed(format!("Customer {company} of {what} cannot be looked up either."))
            }
            Err(failure) => LookUp::Unconfirmed(failure.problem.message),
        }
    }

    /// Ends the session. Best effort: it ends on its own.
    pub async fn sign_out(&self) {
        let Some(session) = self.sign_in.session.lock().await.current.take() else { return };
        let Ok(request) = self.request(Method::TerminateSessionToken, &json!({})) else { return };
        let permit = self.caller.budget.acquire(Lane::Session).await;
        let quick = Caller { retry: Retry::once(), ..self.caller.clone() };
        let request = request.secret_header(SESSION, session.header.expose());
        let result = quick.call(Effect::Read, "the end of the session", permit, request, |_| Ok(())).await;
        if let Err(failure) = result {
            tracing::debug!(vendor = self.caller.vendor, problem = %failure.problem, "sign-out failed");
        }
    }

    /// First-level children of an account, each read or with the reason why not.
    async fn children(
        &self,
        method: Method,
        what: &str,
        parent: &SourceId,
    ) -> Result<Vec<Result<SourceCompany, Problem>>, Failure> {
        let body = json!({ "parentAccountId": self.number(parent)? });
        let entries = self.read(method, what, &body, list::<wire::Company>).await?;
        let read = |entry: &Entry<wire::Company>| match entry {
            Entry::Object(wire) => translate::company(wire),
            Entry::Other => Err(Problem::new(Class::Record, format!("An entry among {what} is no record."))),
        };
        Ok(entries.iter().map(read).collect())
    }

    /// A read with the session; one that has expired is renewed once and the call repeated once (apis/also.md 2.3).
    async fn read<T>(
        &self,
        method: Method,
        what: &str,
        body: &Json,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let request = self.request(method, body)?;
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        let session = self.session(None).await?;
        let failure = match self.send(what, permit, &request, &session, &parse).await {
            Err(failure) if failure.cause == Cause::SignedOut => failure,
            other => return other,
        };
        tracing::debug!(vendor = self.caller.vendor, problem = %failure.problem, "signing in again");
        let session = self.session(Some(session.generation)).await?;
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        let again = self.send(what, permit, &request, &session, &parse).await;
        if let Err(failure) = &again
            && failure.cause == Cause::SignedOut
        {
            let failure = self.failed(
                Cause::SignedOut,
                Class::Auth,
                format!(
                    "{} accepts the sign-in, but ends the session at once when asked for {what}.",
                    self.caller.vendor
                ),
            );
            self.sign_in.session.lock().await.refused = Some(failure.clone());
            return Err(failure);
        }
        again
    }

    async fn send<T>(
        &self,
        what: &str,
        permit: Permit,
        request: &Request,
        session: &Session,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let request = request.clone().secret_header(SESSION, session.header.expose());
        self.caller
            .call(Effect::Read, what, permit, request, |response| self.judge(what, response, &parse))
            .await
    }

    async fn session(&self, expired: Option<u64>) -> Result<Session, Failure> {
        let mut state = self.sign_in.session.lock().await;
        if let Some(failure) = &state.refused {
            return Err(failure.clone());
        }
        if let Some(session) = &state.current
            && expired != Some(session.generation)
        {
            return Ok(session.clone());
        }
        state.current = None;
        match self.log_in().await {
            Ok(header) => {
                state.generation += 1;
                let session = Session { header: Arc::new(header), generation: state.generation };
                state.current = Some(session.clone());
                Ok(session)
            }
            Err(failure) => {
                if failure.cause == Cause::SignIn {
                    state.refused = Some(failure.clone());
                }
                Err(failure)
            }
        }
    }

    async fn log_in(&self) -> Result<Secret, Failure> {
        let body = json!({ "username": self.sign_in.username, "password": self.sign_in.password.expose() });
        let request = self.request(Method::GetSessionToken, &body)?;
        let permit = self.caller.budget.acquire(Lane::Session).await;
        let what = "the sign-in";
        let judge = |response: &Response| {
            if let Some(fault) = fault_in(response) {
                return Err(self.refused_log_in(&fault.text));
            }
            match response.status {
                401 | 403 => Err(self.refused_log_in(&format!("status {}", response.status))),
                404 => Err(self.no_simple_api(response)),
                200..=299 if response.is_markup() => Err(self.no_simple_api(response)),
                // A refusal whatever it says: a second attempt with the same words may lock the account.
                400..=499 if !matches!(response.status, 408 | 425) => {
                    let said = if response.is_markup() { String::new() } else { response.excerpt() };
                    Err(self.refused_log_in(&format!("status {} {said}", response.status)))
                }
                _ => self.judge(what, response, token_in),
            }
        };
        self.caller.call(Effect::Read, what, permit, request, judge).await
    }

    fn refused_log_in(&self, said: &str) -> Failure {
        let vendor = self.caller.vendor;
        let lower = said.to_lowercase();
        let problem = if ["mfa", "2fa", "multi-factor", "multifactor", "two-factor"]
            .iter()
            .any(|word| lower.contains(word))
        {
            Problem::new(Class::Auth, format!("{vendor} refused the sign-in: this account has 2FA on."))
                .remedy(format!(
                    "Ask {vendor} support to turn it off, or use an API-only user where available."
                ))
        } else {
            let said = said.trim();
            let said = if said.is_empty() {
                String::new()
            } else {
                format!(": {}", crate::model::text::shown(said))
            };
            Problem::new(Class::Auth, format!("{vendor} refused the sign-in{said}")).remedy(
                "Check user name and password, whether the user may use the API, and whether its address must be on an allow-list. \
                 It was tried once; another try may lock the account.",
            )
        };
        Failure::new(Cause::SignIn, problem)
    }

    fn no_simple_api(&self, response: &Response) -> Failure {
        Failure::new(
            Cause::NotTheApi,
            Problem::new(
                Class::Host,
                format!(
                    "{} does not offer its API (SimpleAPI) at {} (status {}).",
                    self.caller.vendor, self.origin, response.status
                ),
            )
            .remedy("Check the marketplace URL: it is the address people sign in at."),
        )
    }

    /// Judges an answer: faults by their text, statuses, and a body that must make sense.
    fn judge<T>(
        &self,
        what: &str,
        response: &Response,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let vendor = self.caller.vendor;
        let fault = fault_in(response);
        if response.status == 401 || fault.as_ref().is_some_and(|fault| fault.session_expired) {
            return Err(self.failed(
                Cause::SignedOut,
                Class::Auth,
                format!("{vendor}: the session has expired."),
            ));
        }
        if response.status == 403 {
            let said = fault.map_or_else(String::new, |fault| fault.text);
            let mut failure = self.caller.status(what, 403, &said);
            failure.problem.remedy = self.rights_remedy();
            return Err(failure);
        }
        if let Some(fault) = fault.filter(|_| !matches!(response.status, 502..=504)) {
            let said = crate::model::text::shown(&fault.text).into_owned();
            let lower = said.to_lowercase();
            if ["sign you in", "session", "enabled mfa", "not authenticated"]
                .iter()
                .any(|words| lower.contains(words))
            {
                return Err(self.failed(
                    Cause::SignIn,
                    Class::Auth,
                    format!("{vendor} did not give {what}: {said}"),
                ));
            }
            let mut problem = Problem::new(Class::Record, format!("{vendor} did not give {what}: {said}"));
            problem.remedy = self.rights_remedy();
            return Err(Failure::new(Cause::Fault, problem));
        }
        match response.status {
            200..=299 if response.is_markup() => Err(self.caller.not_the_api(what, response)),
            200..=299 => parse(response.trimmed()).map_err(|why| self.caller.unreadable(what, &why)),
            300..=399 => Err(self.caller.not_the_api(what, response)),
            status => {
                let said = if response.is_markup() { String::new() } else { response.excerpt() };
                Err(self.caller.status(what, status, &said))
            }
        }
    }

    fn rights_remedy(&self) -> String {
        format!(
            "If others are refused too, the account may lack the Reseller Admin role or the read right on customers and subscriptions; ask {} support.",
            self.caller.vendor
        )
    }

    /// A fault for something that every account with the right role may read is a missing right (C7).
    fn not_allowed(&self, what: &str, failure: Failure) -> Failure {
        if failure.cause != Cause::Fault {
            return failure;
        }
        let said = failure.problem.message;
        let message =
            format!("Signed in, but {} does not let this account read {what} ({said}).", self.caller.vendor);
        Failure::new(Cause::Fault, Problem::new(Class::Auth, message).remedy(self.rights_remedy()))
    }

    /// The customers of the own company, first level only; for tests of the configuration.
    pub(crate) async fn own_customers(&self, reseller: &SourceId) -> Result<Vec<SourceCompany>, Failure> {
        let what = "the list of customers";
        let listed = self.children(Method::GetCompanies, what, reseller).await;
        Ok(listed.map_err(|failure| self.not_allowed(what, failure))?.into_iter().flatten().collect())
    }

    fn wrong_record(&self, what: &str, got: &SourceId) -> Failure {
        Failure::new(
            Cause::WrongRecord,
            Problem::new(
                Class::Listing,
                format!("{} was asked for {what}, but answered for {got}.", self.caller.vendor),
            )
            .remedy("Nothing was concluded from it. Try again later."),
        )
    }

    fn failed(&self, cause: Cause, class: Class, message: String) -> Failure {
        Failure::new(cause, Problem::new(class, message).remedy(self.rights_remedy()))
    }

    fn number(&self, id: &SourceId) -> Result<i64, Failure> {
        id.as_str().parse().map_err(|_| {
            let message = format!("'{id}' cannot be an account id at {}.", self.caller.vendor);
            Failure::new(Cause::NoAnswer(SendErrorKind::Unsendable), Problem::new(Class::Input, message))
        })
    }

    fn request(&self, method: Method, body: &Json) -> Result<Request, Failure> {
        let url = format!("{}/SimpleAPI/SimpleAPIService.svc/rest/{}", self.origin, method.name());
        let url = Url::parse(&url).map_err(|error| {
            let message = format!("The marketplace URL cannot be used ({error}).");
            Failure::new(Cause::NoAnswer(SendErrorKind::Unsendable), Problem::new(Class::Input, message))
        })?;
        Ok(Request::post(url, "application/json", body.to_string().into_bytes()).total(method.time()))
    }
}

fn fault_in(response: &Response) -> Option<fault::Fault> {
    if response.is_markup() { fault::parse(response.trimmed()) } else { None }
}

/// The token: a JSON string, or plain text on some builds. It is opaque, but one word.
fn token_in(body: &[u8]) -> Result<Secret, String> {
    let token = match serde_json::from_slice::<Json>(body) {
        Ok(Json::String(token)) => token,
        Ok(Json::Number(_)) | Err(_) => String::from_utf8_lossy(body).into_owned(),
        Ok(_) => return Err("it is no session token".to_owned()),
    };
    let token = token.trim();
    let plausible = (8..=4096).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if plausible {
        Ok(Secret::new(format!("CCPSessionId {token}")))
    } else {
        Err("it is no session token".to_owned())
    }
}

/// A list, where null is an empty one (apis/also.md 6.1); anything else is no answer.
fn list<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<Vec<Entry<T>>, String> {
    match serde_json::from_slice(body).map_err(|error| reason(&error))? {
        List::Items(items) => Ok(items),
        List::NotAList => Err("it is no list".to_owned()),
    }
}

/// One object, also as the only element of a list; null and an empty list mean "none" (apis/also.md 5.2).
fn one<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<Option<T>, String> {
    if body.first() == Some(&b'[') {
        let mut items = list::<T>(body)?;
        return match (items.pop(), items.is_empty()) {
            (None, _) => Ok(None),
            (Some(Entry::Object(item)), true) => Ok(Some(item)),
            _ => Err("it is not one record".to_owned()),
        };
    }
    if body == b"null" {
        return Ok(None);
    }
    match serde_json::from_slice(body).map_err(|error| reason(&error))? {
        Entry::Object(item) => Ok(Some(item)),
        Entry::Other => Err("it is no record".to_owned()),
    }
}
