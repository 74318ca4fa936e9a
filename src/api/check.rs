//! 'Test Configuration' (C6-C10, P45): one question a check, each cause with its own sentence. Never writes, and signs
//! in at most once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use super::address::{Cleaned, clean_base, clean_instance, clean_origin};
use super::budget::Budget;
use super::call::{Cause, Failure, Retry};
use super::halo::Halo;
use super::http::{Request, Response, SendError, SendErrorKind, Transport};
use super::hudu::Hudu;
use super::liongard::Liongard;
use super::marketplace::Marketplace;
use crate::model::check::{Check, CheckState};
use crate::model::{Class, Date, Integration, Problem, Secret, settings};

/// A call of a test takes no longer than this.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// A clock further off than this breaks tokens and dates.
const SKEW: Duration = Duration::from_secs(300);

const ADDRESS: &str = "address";
const NAME: &str = "name lookup";
const ENCRYPTION: &str = "encryption";
const SIGN_IN: &str = "sign-in";
const ACCEPTED: &str = "accepted";
const CLOCK: &str = "clock";
const TOP_LEVELS: &str = "top levels";
const CUSTOMERS: &str = "customers";
const SUBSCRIPTIONS: &str = "subscriptions";
const LICENCES: &str = "licences";
const VERSION: &str = "version";
const COMPANIES: &str = "companies";
const LAYOUTS: &str = "asset layouts";
const ASSET_TYPES: &str = "asset types";
const ASSETS: &str = "assets";
const ENVIRONMENTS: &str = "environments";
const SYSTEMS: &str = "systems";
const EXPIRY: &str = "expiry";

/// Tests the connection to Halo with these settings, saved or not.
pub async fn check_halo(
    settings: &settings::Halo,
    secret: Secret,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
) -> Vec<Check> {
    const ASKED: [Asked; 3] = [
        (TOP_LEVELS, "/TopLevel", "tree", ""),
        (CUSTOMERS, "/Client", "clients", "read:customers"),
        (LICENCES, "/SoftwareLicence", "licences", ""),
    ];
    check_lists(settings, secret, transport, budget, &ASKED, None).await
}

/// Tests what the planning workspace needs of Halo: customers, asset types and assets; and by the
/// scopes of the token whether it may edit assets: a test never writes.
pub async fn check_workspace(
    settings: &settings::Halo,
    secret: Secret,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
    writes_back: bool,
) -> Vec<Check> {
    const ASKED: [Asked; 3] = [
        (CUSTOMERS, "/Client", "clients", "read:customers"),
        (ASSET_TYPES, "/AssetType", "types", "read:assets"),
        (ASSETS, "/Asset", "assets", "read:assets"),
    ];
    check_lists(settings, secret, transport, budget, &ASKED, Some(writes_back)).await
}

/// What the right to edit assets is called among the checks.
pub const ASSET_EDIT: &str = "asset edit";

/// Said where the token cannot write dates back: the switch then stays off.
pub const NO_ASSET_EDIT: &str = "edit:assets is not among the scopes that Halo granted: give it to the API application \
                                 to write dates back";

async fn asset_edit(checks: &mut Checks, halo: &Halo, writes_back: bool) {
    match halo.may_edit_assets().await {
        Err(failure) => checks.failed(ASSET_EDIT, &failure.problem),
        Ok(Some(false)) => {
            // Without writing back nobody needs it.
            let state = if writes_back { CheckState::Failed } else { CheckState::Unproven };
            checks.add(ASSET_EDIT, state, NO_ASSET_EDIT.to_owned());
        }
        Ok(_) if writes_back => checks.add(
            ASSET_EDIT,
            CheckState::Unproven,
            "needed to write dates back (edit:assets, agent: assets read and modify); a test never writes, so the first \
             run of `run lifecycle --entity warranty` proves it"
                .to_owned(),
        ),
        Ok(_) => {}
    }
}

/// A list that is asked for: the check's name, its path, the member that holds its rows, and the scope it needs; blank
/// where none is known for sure.
type Asked = (&'static str, &'static str, &'static str, &'static str);

async fn check_lists(
    settings: &settings::Halo,
    secret: Secret,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
    asked: &[Asked],
    writes_back: Option<bool>,
) -> Vec<Check> {
    let names: Vec<&'static str> = asked.iter().map(|(name, ..)| *name).collect();
    let rest: Vec<&'static str> =
        [NAME, ENCRYPTION, SIGN_IN, CLOCK].into_iter().chain(names.iter().copied()).collect();
    let mut checks = Checks::default();
    let resource =
        clean_base("Halo's resource server", &settings.resource_server, settings.allow_http, "/api");
    let witness = Arc::new(Witness::new(transport));
    let hint =
        swapped(&settings.client_id, "client id", secret.expose(), "client secret", looks_like_client_id);
    let halo = Halo::new(settings, secret, witness.clone() as Arc<dyn Transport>, budget);
    let (halo, cleaned) = match (halo, resource) {
        (Ok(halo), Ok(cleaned)) => (halo.with_retry(patience()).interactive(), cleaned),
        (Err(problem), _) | (_, Err(problem)) => {
            checks.failed(ADDRESS, &problem);
            return checks.skip(&rest);
        }
    };
    checks.address(&cleaned);
    // Asked without a token, so that a network in trouble costs no sign-in.
    let reached = halo.reach().await;
    if !checks.network(&cleaned, reached.as_ref().err()) {
        return checks.skip(&rest[2..]);
    }
    let signed_in = halo.sign_in().await;
    checks.sign_in(
        signed_in.as_ref().err(),
        hint.as_deref(),
        &format!("accepted by {}", halo.token_endpoint()),
    );
    checks.clock(&witness);
    if signed_in.is_err() {
        return checks.skip(&names);
    }
    for (name, path, key, scope) in asked {
        let mut counted = halo.count(&format!("the list of {name}"), path, key).await;
        if let Err(failure) = &mut counted
            && failure.problem.class == Class::Auth
            && !scope.is_empty()
        {
            failure.problem.message.push_str(&format!(" It needs {scope}."));
        }
        checks.count(name, counted);
    }
    if let Some(writes_back) = writes_back {
        asset_edit(&mut checks, &halo, writes_back).await;
    }
    checks.list
}

/// Tests the connection to a marketplace with these settings, saved or not.
pub async fn check_marketplace(
    integration: Integration,
    settings: &settings::Marketplace,
    password: Secret,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
) -> Vec<Check> {
    let mut checks = Checks::default();
    let what = format!("The marketplace URL of {}", integration.label());
    let origin = clean_origin(&what, &settings.marketplace_url, settings.allow_http);
    let witness = Arc::new(Witness::new(transport));
    let hint = swapped(&settings.username, "user name", password.expose(), "password", looks_like_mail);
    let marketplace =
        Marketplace::new(integration, settings, password, witness.clone() as Arc<dyn Transport>, budget);
    let (marketplace, cleaned) = match (marketplace, origin) {
        (Ok(marketplace), Ok(cleaned)) => (marketplace.with_retry(patience()).interactive(), cleaned),
        (Err(problem), _) | (_, Err(problem)) => {
            checks.failed(ADDRESS, &problem);
            return checks.skip(&[NAME, ENCRYPTION, SIGN_IN, CLOCK, CUSTOMERS, SUBSCRIPTIONS]);
        }
    };
    checks.address(&cleaned);
    let signed_in = marketplace.sign_in().await;
    if !checks.network(&cleaned, signed_in.as_ref().err()) {
        return checks.skip(&[SIGN_IN, CLOCK, CUSTOMERS, SUBSCRIPTIONS]);
    }
    checks.sign_in(signed_in.as_ref().err(), hint.as_deref(), ACCEPTED);
    checks.clock(&witness);
    if signed_in.is_err() {
        return checks.skip(&[CUSTOMERS, SUBSCRIPTIONS]);
    }
    let customers = match marketplace.reseller().await {
        Ok(own) => marketplace.own_customers(&own.id).await,
        Err(failure) => Err(failure),
    };
    match customers {
        Err(failure) => {
            checks.failed(CUSTOMERS, &failure.problem);
            checks = Checks { list: checks.skip(&[SUBSCRIPTIONS]) };
        }
        Ok(customers) if customers.is_empty() => {
            checks.add(
                CUSTOMERS,
                CheckState::Unproven,
                "0 rows, right not proven: the sign-in worked, but no customer is visible. If there are any, check the \
                 Reseller Admin role and the read right on customers."
                    .to_owned(),
            );
            checks = Checks { list: checks.skip(&[SUBSCRIPTIONS]) };
        }
        Ok(customers) => {
            checks.rows(CUSTOMERS, customers.len() as u64);
            // One customer may well have none: three say more.
            let mut rows = Ok(0);
            let active = customers.iter().filter(|customer| &*customer.state == "Active");
            for customer in active.chain(customers.iter()).take(3) {
                rows =
                    marketplace.subscriptions(&customer.id).await.map(|listing| listing.records.len() as u64);
                if !matches!(rows, Ok(0)) {
                    break;
                }
            }
            match rows {
                Ok(rows) => checks.rows(SUBSCRIPTIONS, rows),
                Err(problem) => checks.failed(SUBSCRIPTIONS, &problem),
            }
        }
    }
    marketplace.sign_out().await;
    checks.list
}

/// Tests the connection to Hudu with these settings, saved or not. Whether the chosen layouts are there is the
/// planner's to say: here it is only whether layouts can be read at all.
pub async fn check_hudu(
    settings: &settings::Hudu,
    key: Secret,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
) -> Vec<Check> {
    let rest = [NAME, ENCRYPTION, SIGN_IN, CLOCK, VERSION, COMPANIES, LAYOUTS, ASSETS];
    let mut checks = Checks::default();
    let origin = clean_origin("Hudu's address", &settings.url, settings.allow_http);
    let witness = Arc::new(Witness::new(transport));
    let hint = (key.expose().trim() != key.expose())
        .then(|| "The key begins or ends with a space: was it pasted with it?".to_owned());
    let hudu = Hudu::new(settings, key, witness.clone() as Arc<dyn Transport>, budget);
    let (hudu, cleaned) = match (hudu, origin) {
        (Ok(hudu), Ok(cleaned)) => (hudu.with_retry(patience()).interactive(), cleaned),
        (Err(problem), _) | (_, Err(problem)) => {
            checks.failed(ADDRESS, &problem);
            return checks.skip(&rest);
        }
    };
    checks.address(&cleaned);
    let version = hudu.version().await;
    if !checks.network(&cleaned, version.as_ref().err()) {
        return checks.skip(&rest[2..]);
    }
    checks.sign_in(version.as_ref().err(), hint.as_deref(), ACCEPTED);
    checks.clock(&witness);
    match version {
        Err(_) => return checks.skip(&rest[4..]),
        Ok(version) if version.is_empty() => {
            checks.add(VERSION, CheckState::Unproven, "it does not say".to_owned());
        }
        Ok(version) => checks.add(VERSION, CheckState::Ok, version),
    }
    checks.count(COMPANIES, hudu.count("the list of companies", "/companies", "companies").await);
    checks.count(LAYOUTS, hudu.count("the list of asset layouts", "/asset_layouts", "asset_layouts").await);
    checks.count(ASSETS, hudu.count("the list of assets", "/assets", "assets").await);
    checks.list
}

/// Tests the connection to Liongard with these settings, saved or not (L3, P47).
pub async fn check_liongard(
    settings: &settings::Liongard,
    secret: Secret,
    today: Date,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
) -> Vec<Check> {
    let mut checks = Checks::default();
    let witness = Arc::new(Witness::new(transport));
    let origin = clean_instance(&settings.url, settings.allow_http);
    let liongard = Liongard::new(settings, &secret, witness.clone() as Arc<dyn Transport>, budget);
    let (liongard, cleaned) = match (liongard, origin) {
        (Ok(liongard), Ok(cleaned)) => (liongard.with_retry(patience()).interactive(), cleaned),
        (Err(problem), _) | (_, Err(problem)) => {
            checks.failed(ADDRESS, &problem);
            return checks.skip(&[NAME, ENCRYPTION, SIGN_IN, CLOCK, EXPIRY, ENVIRONMENTS, SYSTEMS]);
        }
    };
    checks.address(&cleaned);
    let environments = liongard.count_environments().await;
    if !checks.network(&cleaned, environments.as_ref().err()) {
        return checks.skip(&[SIGN_IN, CLOCK, EXPIRY, ENVIRONMENTS, SYSTEMS]);
    }
    let hint = match &environments {
        // Credentials that make no sense are answered with 500 (apis/liongard.md 3).
        Err(failure) if failure.cause == Cause::Status(500) => {
            Some("Liongard answers so to a key that makes no sense, too: check id and secret.")
        }
        Err(failure) if matches!(failure.cause, Cause::NotTheApi | Cause::Status(404)) => {
            Some("This is not an instance of Liongard: check the address.")
        }
        _ => None,
    };
    let wrong = environments.as_ref().err().map(|failure| match hint {
        Some(hint) => Failure::new(Cause::SignIn, failure.problem.clone().remedy(hint)),
        None => failure.clone(),
    });
    let spaces = (secret.expose().trim() != secret.expose())
        .then_some("The access key secret begins or ends with a space: was it pasted with it?");
    checks.sign_in(wrong.as_ref(), spaces, ACCEPTED);
    checks.clock(&witness);
    checks.expiry(&settings.access_key_expires, today);
    if environments.is_err() {
        return checks.skip(&[ENVIRONMENTS, SYSTEMS]);
    }
    checks.count(ENVIRONMENTS, environments);
    checks.count(SYSTEMS, liongard.count_systems().await);
    checks.list
}

fn patience() -> Retry {
    Retry { time_limit: Some(TIME_LIMIT), ..Retry::once() }
}

#[derive(Default)]
struct Checks {
    list: Vec<Check>,
}

impl Checks {
    fn add(&mut self, name: &'static str, state: CheckState, message: String) {
        self.list.push(Check { name: name.to_owned(), state, message });
    }

    fn failed(&mut self, name: &'static str, problem: &Problem) {
        self.add(name, CheckState::Failed, problem.to_string());
    }

    fn skip(mut self, names: &[&'static str]) -> Vec<Check> {
        for name in names {
            self.add(name, CheckState::Skipped, "not asked, because of the failure above".to_owned());
        }
        self.list
    }

    fn address(&mut self, cleaned: &Cleaned) {
        let changes = if cleaned.changes.is_empty() {
            String::new()
        } else {
            format!(" ({})", cleaned.changes.join(", "))
        };
        self.add(ADDRESS, CheckState::Ok, format!("{}{changes}", cleaned.url));
    }

    /// Name lookup and encryption as the first exchange showed them; whether it is worth going on.
    fn network(&mut self, cleaned: &Cleaned, failure: Option<&Failure>) -> bool {
        let encrypted = cleaned.url.starts_with("https://");
        let kind = match failure.map(|failure| failure.cause) {
            Some(Cause::NoAnswer(kind)) => Some(kind),
            _ => None,
        };
        let message = failure.map(|failure| failure.problem.to_string()).unwrap_or_default();
        match kind {
            Some(SendErrorKind::Dns) => {
                self.add(NAME, CheckState::Failed, message);
                self.add(
                    ENCRYPTION,
                    CheckState::Skipped,
                    "not asked, because of the failure above".to_owned(),
                );
                return false;
            }
            Some(SendErrorKind::Tls) => {
                self.add(NAME, CheckState::Ok, "the host was found".to_owned());
                self.add(ENCRYPTION, CheckState::Failed, message);
                return false;
            }
            Some(SendErrorKind::Connect) => {
                // What refuses a connection has been found, unless finding it is what took too long.
                self.add(NAME, CheckState::Unproven, "no answer came from there".to_owned());
                self.add(ENCRYPTION, CheckState::Failed, message);
                return false;
            }
            _ => {}
        }
        self.add(NAME, CheckState::Ok, "the host was found".to_owned());
        if encrypted {
            self.add(ENCRYPTION, CheckState::Ok, "trusted".to_owned());
        } else {
            self.add(ENCRYPTION, CheckState::Unproven, "none: the address begins with http://".to_owned());
        }
        true
    }

    fn sign_in(&mut self, failure: Option<&Failure>, hint: Option<&str>, accepted: &str) {
        match failure {
            None => self.add(SIGN_IN, CheckState::Ok, accepted.to_owned()),
            Some(failure) => {
                let hint = hint
                    .filter(|_| failure.cause == Cause::SignIn)
                    .map(|hint| format!(" {hint}"))
                    .unwrap_or_default();
                self.add(SIGN_IN, CheckState::Failed, format!("{}{hint}", failure.problem));
            }
        }
    }

    fn clock(&mut self, witness: &Witness) {
        match witness.skew() {
            None => self.add(CLOCK, CheckState::Unproven, "the other side does not say what time it is".to_owned()),
            Some(skew) if skew > SKEW => self.add(
                CLOCK,
                CheckState::Failed,
                format!(
                    "this machine's clock is {} minutes from the other side's: sign-ins may fail and dates be wrong. Set it by NTP.",
                    skew.as_secs() / 60
                ),
            ),
            Some(_) => self.add(CLOCK, CheckState::Ok, "within five minutes of the other side's".to_owned()),
        }
    }

    /// When a key ends, as far as its owner has said so.
    fn expiry(&mut self, expires: &str, today: Date) {
        let Ok(day) = expires.trim().parse::<Date>() else {
            let said = "no date is set: an access key ends when its owner chose so";
            return self.add(EXPIRY, CheckState::Unproven, said.to_owned());
        };
        let left = today.until(day).map_or(0, |span| span.get_days());
        match left {
            ..0 => {
                self.add(
                    EXPIRY,
                    CheckState::Failed,
                    format!("the access key ended on {day}: make a new one"),
                );
            }
            0..=30 => self.add(
                EXPIRY,
                CheckState::Unproven,
                format!("the access key ends in {left} days, on {day}"),
            ),
            _ => self.add(EXPIRY, CheckState::Ok, format!("until {day}")),
        }
    }

    fn count(&mut self, name: &'static str, result: Result<u64, Failure>) {
        match result {
            Ok(rows) => self.rows(name, rows),
            Err(failure) => self.failed(name, &failure.problem),
        }
    }

    fn rows(&mut self, name: &'static str, rows: u64) {
        match rows {
            0 => self.add(name, CheckState::Unproven, "0 rows, right not proven".to_owned()),
            1 => self.add(name, CheckState::Ok, "1 row".to_owned()),
            rows => self.add(name, CheckState::Ok, format!("{rows} rows")),
        }
    }
}

/// A transport that notes what time the other side says it is.
struct Witness {
    inner: Arc<dyn Transport>,
    skew: Mutex<Option<Duration>>,
}

impl Witness {
    fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, skew: Mutex::new(None) }
    }

    fn skew(&self) -> Option<Duration> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Witness {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(async move {
            let response = self.inner.send(request).await?;
            if let Some(theirs) =
                response.header("date").and_then(|text| httpdate::parse_http_date(text).ok())
            {
                let ours = SystemTime::now();
                let skew =
                    ours.duration_since(theirs).or_else(|_| theirs.duration_since(ours)).unwrap_or_default();
                *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
            }
            Ok(response)
        })
    }
}

/// Says so where the secret looks like the name and the name does not, or where spaces were pasted with it (C5, P48).
fn swapped(
    name: &str,
    name_label: &str,
    secret: &str,
    secret_label: &str,
    looks: fn(&str) -> bool,
) -> Option<String> {
    if secret.trim() != secret {
        return Some(format!("The {secret_label} begins or ends with a space: was it pasted with it?"));
    }
    if looks(secret) && !looks(name.trim()) {
        return Some(format!("{name_label} and {secret_label} look swapped.").replacen(
            name_label,
            &format!("The {name_label}"),
            1,
        ));
    }
    None
}

/// Halo's client ids are one GUID; its secrets are longer.
fn looks_like_client_id(text: &str) -> bool {
    text.len() == 36
        && text
            .char_indices()
            .all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() })
}

fn looks_like_mail(text: &str) -> bool {
    let mut parts = text.splitn(2, '@');
    let (name, domain) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    !name.is_empty() && domain.contains('.') && !domain.contains(|c: char| c.is_whitespace() || c == '@')
}
