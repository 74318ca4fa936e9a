//! The sandbox: a simulated Halo, ALSO Cloud Marketplace, Westcoast Cloud, Liongard and Hudu, over real HTTP.
//!
//! It serves `parhelion demo` and `parhelion sandbox`, the tests and the benchmarks. It keeps the vendors' real quirks
//! on ([`Quirks`] switches what their contracts leave open), breaks on demand ([`Faults`]), and remembers what was
//! done to it. It uses nothing else of this crate: a misreading of a contract must not cancel itself out.
//!
//! The same [`Options`] always give the same data.
//!
//! # On sockets and in memory
//!
//! [`Sandbox::serve`] listens on free ports, one a vendor. [`Sandbox::halo`], [`Sandbox::marketplace`],
//! [`Sandbox::liongard`] and [`Sandbox::hudu`] are routers that also answer without a socket
//! (`tower::ServiceExt::oneshot`), under a paused clock too. A dead connection is told by the
//! answer's header `x-sandbox-reset` ([`RESET_HEADER`]): `before` if the request was not applied when the connection
//! died, `after` if it was. Whoever carries requests in memory must treat such an answer as a broken connection,
//! whatever its status. Over a socket nothing of it is sent: the connection is reset.
//!
//! # The control interface
//!
//! On Halo's port, without a token, for tests in another process:
//!
//! | call | does |
//! |---|---|
//! | `GET /_sandbox/journal[?since=N]` | every write: `at_ms, host, method, path, body, applied, created, ids, status, fault` |
//! | `GET /_sandbox/requests` | by host: `count`, `by_path`, `sent_ms`, `in_flight_peak`, `refused_writes` |
//! | `GET /_sandbox/halo/{clients,sites,licences,assets,users,contracts,types,groups,fields,changes}` | Halo's data, as single objects |
//! | `GET /_sandbox/{also,westcoast}/{companies,subscriptions}` | a marketplace's data |
//! | `GET /_sandbox/hudu/{companies,layouts,assets}` | Hudu's data, archived records too |
//! | `GET /_sandbox/liongard/{environments,systems}` | Liongard's data |
//! | `POST` to one of these lists | adds or changes records by id (an object or an array); answers `{"ids": [...]}` |
//! | `DELETE /_sandbox/halo/licences/305` and the like | removes a record |
//! | `POST /_sandbox/faults` | replaces the faults: the JSON form of a faults file; `{}` for none |
//! | `GET /_sandbox/faults` | how often each rule matched and fired |
//! | `GET`, `POST /_sandbox/quirks` | reads and replaces the switches |
//! | `POST /_sandbox/advance` `{"step": 1}` | a day passes at the marketplaces; answers the changes |
//! | `POST /_sandbox/expire` | ends all sessions |
//! | `POST /_sandbox/forget` | empties the journal and the counts |
//! | `POST /_sandbox/reset` | everything as at the start, faults off |
//!
//! # Faults file
//!
//! See [`Faults`].

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

mod catalogue;
mod changes;
mod control;
pub mod faults;
mod fleet;
mod halo;
mod halo_assets;
mod halo_calls;
mod hudu;
mod hudu_calls;
mod hudu_world;
mod journal;
mod liongard;
mod liongard_world;
mod marketplace;
mod names;
pub mod quirks;
mod rng;
mod schema;
mod served;
mod wire;
mod world;

pub use faults::{Faults, Fired, Kind, Rule, When};
pub use journal::{Change, Requests, Write};
pub use quirks::{
    DuplicateNames, HaloQuirks, HuduDates, HuduOrder, HuduQuirks, KeyState, LiongardQuirks,
    MarketplaceQuirks, Quirks, Rate, Redirects,
};
pub use served::Served;
pub use wire::RESET_HEADER;

use faults::Armed;
use halo::Halo;
use hudu::Hudu;
use journal::InHand;
use liongard::Liongard;
use marketplace::Market;
use schema::Entity;
use wire::{Answer, Call};
use world::Worlds;

pub const TENANT: &str = "sandbox";
pub const CLIENT_ID: &str = "sandbox-client";
pub const CLIENT_SECRET: &str = "sandbox-secret";
pub const PASSWORD: &str = "sandbox-password";
/// Hudu's API key: 24 characters, like real ones.
pub const API_KEY: &str = "sandbox-hudu-key-0123456";
pub const LIONGARD_KEY_ID: &str = "sandbox-access-key";
pub const LIONGARD_KEY_SECRET: &str = "sandbox-access-secret";

/// How much data there is: customers of ALSO; Westcoast has a quarter of them; each has eight subscriptions on average.
/// Liongard has as many environments as ALSO has customers, each with twenty systems on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Size {
    /// 60 customers.
    #[default]
    Small,
    /// 1,000 customers, 8,000 subscriptions.
    Medium,
    /// 10,000 customers, 80,000 subscriptions.
    Large,
}

impl Size {
    pub fn customers(self) -> usize {
        match self {
            Self::Small => 60,
            Self::Medium => 1_000,
            Self::Large => 10_000,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        })
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "small" => Ok(Self::Small),
            "medium" => Ok(Self::Medium),
            "large" => Ok(Self::Large),
            other => Err(format!("{other:?} is no size; small, medium and large are")),
        }
    }
}

/// What a sandbox is made of.
#[derive(Debug, Clone)]
pub struct Options {
    pub size: Size,
    pub seed: u64,
    pub faults: Faults,
    pub quirks: Quirks,
}

impl Default for Options {
    fn default() -> Self {
        Self { size: Size::Small, seed: 1, faults: Faults::none(), quirks: Quirks::default() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Brand {
    Also,
    Westcoast,
}

impl Brand {
    pub fn name(self) -> &'static str {
        match self {
            Self::Also => "also",
            Self::Westcoast => "westcoast",
        }
    }

    /// The API user of this marketplace.
    pub fn username(self) -> &'static str {
        match self {
            Self::Also => "api@also.sandbox.example",
            Self::Westcoast => "api@westcoast.sandbox.example",
        }
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    Halo,
    Also,
    Westcoast,
    Liongard,
    Hudu,
}

impl Host {
    pub const ALL: [Self; 5] = [Self::Halo, Self::Also, Self::Westcoast, Self::Liongard, Self::Hudu];

    pub fn name(self) -> &'static str {
        match self {
            Self::Halo => "halo",
            Self::Liongard => "liongard",
            Self::Hudu => "hudu",
            Self::Also | Self::Westcoast => self.brand().map_or("", Brand::name),
        }
    }

    fn brand(self) -> Option<Brand> {
        match self {
            Self::Halo | Self::Liongard | Self::Hudu => None,
            Self::Also => Some(Brand::Also),
            Self::Westcoast => Some(Brand::Westcoast),
        }
    }
}

impl From<Brand> for Host {
    fn from(brand: Brand) -> Self {
        match brand {
            Brand::Also => Self::Also,
            Brand::Westcoast => Self::Westcoast,
        }
    }
}

/// The simulated vendors. Clones are the same sandbox.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What a reset goes back to; no size: empty.
    size: Option<Size>,
    seed: u64,
    started: OnceLock<Instant>,
    halo: Mutex<Halo>,
    also: Mutex<Market>,
    westcoast: Mutex<Market>,
    hudu: Mutex<Hudu>,
    quirks: Mutex<Arc<Quirks>>,
    faults: Mutex<Armed>,
    journal: Mutex<Vec<Write>>,
    liongard: Mutex<Liongard>,
    requests: [Mutex<Requests>; Host::ALL.len()],
}

/// A panic while a lock was held must not make every later answer panic too.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// The seeded worlds.
    pub fn new(options: Options) -> Self {
        Self::build(Some(options.size), options.seed, &options.faults, options.quirks)
    }

    /// Worlds with top levels and the own resellers, but without customers; for tests that add their own.
    pub fn empty(quirks: Quirks) -> Self {
        Self::build(None, 1, &Faults::none(), quirks)
    }

    fn build(size: Option<Size>, seed: u64, faults: &Faults, quirks: Quirks) -> Self {
        let worlds = worlds(size, seed, &quirks);
        Self(Arc::new(Inner {
            size,
            seed,
            started: OnceLock::new(),
            halo: Mutex::new(worlds.halo),
            also: Mutex::new(worlds.also),
            westcoast: Mutex::new(worlds.westcoast),
            hudu: Mutex::default(),
            liongard: Mutex::new(Liongard::new(worlds.liongard)),
            quirks: Mutex::new(Arc::new(quirks)),
            faults: Mutex::new(Armed::new(faults, seed)),
            journal: Mutex::default(),
            requests: Default::default(),
        }))
    }

    /// Halo with its authorisation server and, under `/_sandbox/`, the control interface.
    pub fn halo(&self) -> Router {
        self.router(Host::Halo)
    }

    pub fn liongard(&self) -> Router {
        self.router(Host::Liongard)
    }

    pub fn marketplace(&self, brand: Brand) -> Router {
        self.router(brand.into())
    }

    pub fn hudu(&self) -> Router {
        self.router(Host::Hudu)
    }

    fn router(&self, host: Host) -> Router {
        let sandbox = self.clone();
        Router::new().fallback(move |request: Request| wire::answer(sandbox.clone(), host, request))
    }

    /// Listens on free ports of `bind` until the result is dropped or shut down.
    pub async fn serve(&self, bind: std::net::IpAddr) -> std::io::Result<Served> {
        Served::start(self.clone(), bind).await
    }

    /// Replaces the faults, at once. Rules count from 1 again.
    #[expect(clippy::needless_pass_by_value, reason = "the faults are the sandbox's from now on")]
    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.0.faults) = Armed::new(&faults, self.0.seed);
    }

    /// What each rule has done so far.
    pub fn fired(&self) -> Vec<Fired> {
        lock(&self.0.faults).fired()
    }

    /// Replaces the switches, at once. What shapes the seeded data acts on [`Self::reset`] only.
    pub fn set_quirks(&self, quirks: Quirks) {
        *lock(&self.0.quirks) = Arc::new(quirks);
    }

    pub fn quirks(&self) -> Arc<Quirks> {
        lock(&self.0.quirks).clone()
    }

    /// Everything as at the start, except for the switches: data, journal, counts; no faults.
    pub fn reset(&self) {
        let worlds = worlds(self.0.size, self.0.seed, &self.quirks());
        *self.lock_halo() = worlds.halo;
        *self.lock_market(Brand::Also) = worlds.also;
        *self.lock_market(Brand::Westcoast) = worlds.westcoast;
        *self.lock_hudu() = Hudu::default();
        *self.lock_liongard() = Liongard::new(worlds.liongard);
        self.set_faults(Faults::none());
        self.forget();
    }

    /// Empties the journal and the counts.
    pub fn forget(&self) {
        lock(&self.0.journal).clear();
        for requests in &self.0.requests {
            let mut requests = lock(requests);
            *requests = requests.forgotten();
        }
    }

    /// A day passes at both marketplaces: quantities and prices change, subscriptions come, end and vanish.
    pub fn advance(&self, step: u64) -> Vec<Change> {
        [Brand::Also, Brand::Westcoast]
            .into_iter()
            .flat_map(|brand| changes::advance(&mut self.lock_market(brand), brand, self.0.seed, step))
            .collect()
    }
}

/// The oracle: what is really there, and what was really done. Nothing here is counted or recorded.
impl Sandbox {
    /// Halo's clients as single objects, by id; the other lists alike. Markers show whatever the switches say.
    pub fn halo_clients(&self) -> Vec<Value> {
        self.lock_halo().everything(Entity::Client)
    }

    pub fn halo_sites(&self) -> Vec<Value> {
        self.lock_halo().everything(Entity::Site)
    }

    pub fn halo_licences(&self) -> Vec<Value> {
        self.lock_halo().everything(Entity::Licence)
    }

    pub fn halo_users(&self) -> Vec<Value> {
        self.wake_hudu();
        self.lock_halo().everything(Entity::User)
    }

    pub fn halo_contracts(&self) -> Vec<Value> {
        self.wake_hudu();
        self.lock_halo().everything(Entity::Contract)
    }

    /// Renames a customer relationship, as a person in Halo would.
    pub fn rename_relationship(&self, id: i64, name: &str) {
        self.lock_halo().renamed.insert(id, name.to_owned());
    }

    /// Halo's assets as single objects, by id.
    pub fn halo_assets(&self) -> Vec<Value> {
        self.lock_halo().everything(Entity::Asset)
    }

    pub fn halo_asset(&self, id: i64) -> Option<Value> {
        self.lock_halo().value(Entity::Asset, id, true)
    }

    /// Adds or changes an asset as a person in Halo would; fields that are not given stay.
    pub fn put_halo_asset(&self, asset: &Value) -> Result<i64, String> {
        self.lock_halo().assets.blank_missing = false;
        self.put_halo(Entity::Asset, asset)
    }

    /// Halo's asset types, groups and fields: `types`, `groups` or `fields`.
    pub fn halo_asset_shelf(&self, shelf: &str) -> Vec<Value> {
        self.lock_halo().assets.everything(shelf)
    }

    /// Adds or changes an asset type, group or field; its id.
    pub fn put_halo_asset_shelf(&self, shelf: &str, row: &Value) -> Result<i64, String> {
        self.lock_halo().assets.put(shelf, row)
    }

    pub fn remove_halo_asset(&self, id: i64) -> bool {
        self.lock_halo().remove(Entity::Asset, id)
    }

    pub fn halo_client(&self, id: i64) -> Option<Value> {
        self.lock_halo().value(Entity::Client, id, true)
    }

    pub fn halo_site(&self, id: i64) -> Option<Value> {
        self.lock_halo().value(Entity::Site, id, true)
    }

    pub fn halo_licence(&self, id: i64) -> Option<Value> {
        self.lock_halo().value(Entity::Licence, id, true)
    }

    /// The history of one licence, or of all.
    pub fn licence_changes(&self, licence: Option<i64>) -> Vec<Value> {
        let halo = self.lock_halo();
        licence.map_or_else(|| halo.all_changes(), |licence| halo.changes_of(licence).to_vec())
    }

    /// Adds or changes a client as a person in Halo would: fields that are not given stay. An `id` that does not exist
    /// is created. The error is what Halo would answer.
    pub fn put_halo_client(&self, client: &Value) -> Result<i64, String> {
        self.put_halo(Entity::Client, client)
    }

    pub fn put_halo_site(&self, site: &Value) -> Result<i64, String> {
        self.put_halo(Entity::Site, site)
    }

    pub fn put_halo_licence(&self, licence: &Value) -> Result<i64, String> {
        self.put_halo(Entity::Licence, licence)
    }

    pub fn put_halo_user(&self, user: &Value) -> Result<i64, String> {
        self.put_halo(Entity::User, user)
    }

    pub fn put_halo_contract(&self, contract: &Value) -> Result<i64, String> {
        self.put_halo(Entity::Contract, contract)
    }

    fn put_halo(&self, entity: Entity, value: &Value) -> Result<i64, String> {
        let value = value.as_object().ok_or("a record is a JSON object")?;
        if matches!(entity, Entity::User | Entity::Contract) {
            self.wake_hudu();
        }
        let now = self.elapsed();
        let saved = self.lock_halo().save(entity, value, 0, now, true);
        saved.map(|(id, _)| id).map_err(|refused| String::from_utf8_lossy(&refused.body).into_owned())
    }

    /// Removes a client with its sites and licences.
    pub fn remove_halo_client(&self, id: i64) -> bool {
        self.lock_halo().remove(Entity::Client, id)
    }

    pub fn remove_halo_site(&self, id: i64) -> bool {
        self.lock_halo().remove(Entity::Site, id)
    }

    pub fn remove_halo_licence(&self, id: i64) -> bool {
        self.lock_halo().remove(Entity::Licence, id)
    }

    pub fn remove_halo_user(&self, id: i64) -> bool {
        self.lock_halo().remove(Entity::User, id)
    }

    pub fn remove_halo_contract(&self, id: i64) -> bool {
        self.lock_halo().remove(Entity::Contract, id)
    }

    /// Hudu's companies, by id, as it gives them; archived ones too. The other lists alike.
    pub fn hudu_companies(&self) -> Vec<Value> {
        self.wake_hudu();
        self.lock_hudu().all_companies()
    }

    pub fn hudu_layouts(&self) -> Vec<Value> {
        self.wake_hudu();
        self.lock_hudu().all_layouts()
    }

    pub fn hudu_assets(&self) -> Vec<Value> {
        self.wake_hudu();
        self.lock_hudu().all_assets()
    }

    /// Every relation in Hudu, each with its way back.
    pub fn hudu_relations(&self) -> Vec<Value> {
        self.wake_hudu();
        self.lock_hudu().relation_rows()
    }

    /// Adds or changes a company, a layout or an asset as a person in Hudu would; `archived` may be given too. The
    /// error is what Hudu would answer.
    pub fn put_hudu(&self, what: &str, record: &Value) -> Result<i64, String> {
        self.wake_hudu();
        let now = self.elapsed();
        let saved = self.lock_hudu().put(what, record, now, &self.quirks().hudu);
        saved.map_err(|refused| String::from_utf8_lossy(&refused.body).into_owned())
    }

    /// Deletes a company with its assets, a layout with its assets, an asset, or a relation.
    pub fn remove_hudu(&self, what: &str, id: i64) -> bool {
        self.wake_hudu();
        self.lock_hudu().remove(what, id)
    }

    /// Liongard's environments as v1 gives them, by id.
    pub fn environments(&self) -> Vec<Value> {
        let liongard = self.lock_liongard();
        let all = &liongard.world.environments;
        all.iter().map(|(id, one)| liongard::environment(*id, one, false)).collect()
    }

    /// The ids of Liongard's systems.
    pub fn system_ids(&self) -> Vec<i64> {
        self.lock_liongard().world.systems().collect()
    }

    /// A system's facts: `ID`, `Environment`, `Inspector`, `Name`, and what was found (`serial`, `os`, ...).
    pub fn system(&self, id: i64) -> Option<Value> {
        let one = self.lock_liongard().world.machine(id)?;
        let mut facts = Value::Object(one.facts);
        facts["ID"] = one.id.into();
        facts["Environment"] = one.environment.into();
        facts["Inspector"] = one.inspector.into();
        facts["Name"] = one.name.into();
        Some(facts)
    }

    /// Adds an environment, or changes the members that are given (`ID` says which). Returns its id.
    pub fn put_environment(&self, environment: &Value) -> i64 {
        self.lock_liongard().world.put_environment(environment)
    }

    /// The environment vanishes with its systems.
    pub fn remove_environment(&self, id: i64) -> bool {
        self.lock_liongard().world.remove_environment(id)
    }

    /// Adds a system, or changes the facts that are given (see [`Self::system`]). Returns its id.
    pub fn put_system(&self, system: &Value) -> i64 {
        self.lock_liongard().world.put_system(system)
    }

    pub fn remove_system(&self, id: i64) -> bool {
        self.lock_liongard().world.remove_system(id)
    }

    /// A marketplace's customers, by id, as `GetCompany` gives them before any switch.
    pub fn companies(&self, brand: Brand) -> Vec<Value> {
        self.lock_market(brand).all_companies()
    }

    pub fn subscriptions(&self, brand: Brand) -> Vec<Value> {
        self.lock_market(brand).all_subscriptions()
    }

    pub fn company_ids(&self, brand: Brand) -> Vec<i64> {
        self.lock_market(brand).company_ids()
    }

    pub fn subscription(&self, brand: Brand, id: i64) -> Option<Value> {
        self.lock_market(brand).subscription(id)
    }

    /// `AccountId` of the reseller that the API user belongs to.
    pub fn own_reseller(&self, brand: Brand) -> i64 {
        self.lock_market(brand).own
    }

    /// Adds a customer, or changes the members that are given (`AccountId` says which). Returns its id.
    pub fn put_company(&self, brand: Brand, company: &Value) -> i64 {
        self.lock_market(brand).put_company(company)
    }

    /// Adds a subscription, or changes the members that are given. A new one needs `CompanyAccountId`.
    pub fn put_subscription(&self, brand: Brand, subscription: &Value) -> i64 {
        self.lock_market(brand).put_subscription(subscription)
    }

    /// Adds an ordinary monthly subscription; `quantity` may be any JSON value.
    pub fn add_seats(&self, brand: Brand, company: i64, quantity: impl Into<Value>) -> i64 {
        let subscription = changes::seats(brand, company, &quantity.into());
        self.put_subscription(brand, &subscription)
    }

    /// Changes the field `Quantity` of a subscription and nothing else of it.
    pub fn set_quantity(&self, brand: Brand, id: i64, quantity: impl Into<Value>) -> bool {
        let mut market = self.lock_market(brand);
        let Some(mut row) = market.subscription(id) else { return false };
        let quantity = quantity.into();
        let mut found = false;
        for field in row["Fields"].as_array_mut().into_iter().flatten().filter(|f| f["Name"] == "Quantity") {
            field["Value"] = quantity.clone();
            found = true;
        }
        market.put_subscription(&row);
        found
    }

    /// The customer vanishes with its subscriptions.
    pub fn remove_company(&self, brand: Brand, id: i64) -> bool {
        self.lock_market(brand).remove_company(id)
    }

    pub fn remove_subscription(&self, brand: Brand, id: i64) -> bool {
        self.lock_market(brand).remove_subscription(id)
    }

    /// Every write so far, oldest first. Calls that a marketplace refused are in it too.
    pub fn journal(&self) -> Vec<Write> {
        lock(&self.0.journal).clone()
    }

    pub fn requests(&self, host: Host) -> Requests {
        lock(&self.0.requests[host as usize]).clone()
    }

    /// Ends all sessions or tokens of a host.
    pub fn expire_sessions(&self, host: Host) {
        match (host, host.brand()) {
            (Host::Halo, _) => self.lock_halo().tokens.clear(),
            (_, Some(brand)) => self.lock_market(brand).expire_sessions(),
            // Keys do not expire.
            (_, None) => {}
        }
    }
}

/// What the servers use.
impl Sandbox {
    fn lock_halo(&self) -> MutexGuard<'_, Halo> {
        lock(&self.0.halo)
    }

    fn lock_liongard(&self) -> MutexGuard<'_, Liongard> {
        lock(&self.0.liongard)
    }

    fn lock_market(&self, brand: Brand) -> MutexGuard<'_, Market> {
        lock(match brand {
            Brand::Also => &self.0.also,
            Brand::Westcoast => &self.0.westcoast,
        })
    }

    fn lock_hudu(&self) -> MutexGuard<'_, Hudu> {
        lock(&self.0.hudu)
    }

    /// Fills Hudu, and what only Hudu's importers read in Halo, before either is first looked at: nobody else pays for it.
    fn wake_hudu(&self) {
        let mut hudu = self.lock_hudu();
        if !std::mem::replace(&mut hudu.is_awake, true)
            && let Some(size) = self.0.size
        {
            hudu_world::fill(&mut hudu, &mut self.lock_halo(), size, self.0.seed);
        }
    }

    fn marketplace_quirks(&self, brand: Brand) -> MarketplaceQuirks {
        let quirks = self.quirks();
        match brand {
            Brand::Also => quirks.also.clone(),
            Brand::Westcoast => quirks.westcoast.clone(),
        }
    }

    fn latency(&self, host: Host) -> Duration {
        let quirks = self.quirks();
        Duration::from_millis(match host {
            Host::Halo => quirks.halo.latency_ms,
            Host::Also => quirks.also.latency_ms,
            Host::Westcoast => quirks.westcoast.latency_ms,
            Host::Hudu => quirks.hudu.latency_ms,
            Host::Liongard => quirks.liongard.latency_ms,
        })
    }

    /// Since the first request. It is tokio's clock, so that it stands still where tests stop it.
    fn elapsed(&self) -> Duration {
        let started = *self.0.started.get_or_init(Instant::now);
        Instant::now().saturating_duration_since(started)
    }

    fn pick_fault(&self, call: &Call) -> Option<Kind> {
        lock(&self.0.faults).pick(call)
    }

    fn drift(&self, listed: &[u8]) {
        self.lock_halo().drift(listed);
    }

    /// Counts a request; it is in hand until the result is dropped.
    fn note_request(&self, call: &Call) -> InHand {
        let now = self.elapsed();
        lock(&self.0.requests[call.host as usize]).arrived(call, now);
        InHand { sandbox: self.clone(), host: call.host }
    }

    /// Journals a call that writes.
    fn note_write(&self, call: &Call, answer: &Answer, fault: Option<&'static str>) {
        let is_write = matches!(call.host, Host::Halo | Host::Hudu)
            && matches!(call.method.as_str(), "POST" | "PUT" | "DELETE")
            && !call.path.to_ascii_lowercase().starts_with("/auth/");
        if answer.refused_write {
            lock(&self.0.requests[call.host as usize]).refused_writes += 1;
        }
        let liongard_write = call.host == Host::Liongard && liongard::writes(call);
        if !is_write && !liongard_write && !answer.refused_write {
            return;
        }
        let write = Write {
            at: self.elapsed(),
            host: call.host,
            method: call.method.to_string(),
            path: call.path.clone(),
            body: String::from_utf8_lossy(&call.body).into_owned(),
            applied: !answer.wrote.is_empty(),
            created: answer.created,
            ids: answer.wrote.to_vec(),
            status: answer.status,
            fault,
        };
        lock(&self.0.journal).push(write);
    }
}

fn worlds(size: Option<Size>, seed: u64, quirks: &Quirks) -> Worlds {
    size.map_or_else(Worlds::empty, |size| Worlds::seeded(size, seed, quirks))
}
