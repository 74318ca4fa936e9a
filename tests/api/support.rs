//! A vendor in memory: answers by a closure, remembers what it was asked and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parhelion::api::budget::{Backoff, Budget, Lane, Permit};
use parhelion::api::call::Retry;
use parhelion::api::halo::Halo;
use parhelion::api::http::{Request, Response, SendError, SendErrorKind, Transport};
use parhelion::api::marketplace::Marketplace;
use parhelion::model::settings::{self, Pace};
use parhelion::model::{Integration, Secret};
use serde_json::Value;
use tokio::time::{Instant, sleep};

pub type Answer = Result<Response, SendError>;
type Script = dyn FnMut(&Asked) -> Answer + Send;

/// A request as the vendor sees it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub authorization: Option<String>,
    pub authenticate: Option<String>,
    pub at: Instant,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
    pub fn page(&self) -> (usize, usize) {
        (self.query("page_no").unwrap().parse().unwrap(), self.query("page_size").unwrap().parse().unwrap())
    }
    pub fn is(&self, end: &str) -> bool {
        self.path.ends_with(end)
    }
}

pub struct Vendor {
    script: Mutex<Box<Script>>,
    asked: Mutex<Vec<Asked>>,
    latency: Duration,
}

impl Vendor {
    pub fn new(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> Arc<Self> {
        Self::slow(Duration::ZERO, script)
    }
    pub fn slow(latency: Duration, script: impl FnMut(&Asked) -> Answer + Send + 'static) -> Arc<Self> {
        Arc::new(Self { script: Mutex::new(Box::new(script)), asked: Mutex::default(), latency })
    }
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
    pub fn count(&self, end: &str) -> usize {
        self.asked().iter().filter(|asked| asked.is(end)).count()
    }
}

impl Transport for Vendor {
    fn send(&self, request: Request) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let header = |name: &str| Some(request.headers.get(name)?.to_str().unwrap().to_owned());
            let asked = Asked {
                method: request.method.to_string(),
                path: request.url.path().to_owned(),
                query: request.url.query_pairs().into_owned().collect(),
                authorization: header("authorization"),
                authenticate: header("authenticate"),
                body: request.body,
                at: Instant::now(),
            };
            self.asked.lock().unwrap().push(asked.clone());
            if !self.latency.is_zero() {
                sleep(self.latency).await;
            }
            (self.script.lock().unwrap())(&asked)
        })
    }
}

pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Ok(Response { status, headers: Default::default(), body: body.into(), elapsed: Duration::ZERO })
}

pub fn with_header(answer: Answer, name: &'static str, value: &str) -> Answer {
    let mut response = answer?;
    response.headers.insert(name, value.parse().unwrap());
    Ok(response)
}

pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
    answer(200, body)
}

pub fn json(value: Value) -> Answer {
    ok(value.to_string())
}

pub fn broken(kind: SendErrorKind) -> Answer {
    Err(SendError::new(kind, "simulated"))
}

pub fn fixture(name: &str) -> String {
    let path = format!("{}/tests/api/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn fixture_json(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap()
}

/// A fault file: its status and body.
pub fn fault(name: &str) -> Answer {
    let file = fixture_json(&format!("marketplace/{name}.json"));
    answer(file["httpStatus"].as_u64().unwrap() as u16, file["body"].as_str().unwrap())
}

pub fn free() -> Pace {
    Pace { requests: 0, per_seconds: 300, at_once: 4, spacing_ms: 0, share: 1.0 }
}

pub fn window(requests: u32, per_seconds: u32) -> Pace {
    Pace { requests, per_seconds, at_once: 4, spacing_ms: 0, share: 1.0 }
}

pub async fn permit(budget: &Arc<Budget>) -> Permit {
    budget.acquire(Lane::Bulk).await
}

/// Waits short enough for tests that run on the real clock as well.
pub fn quick() -> Retry {
    let backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4) };
    Retry { backoff, ..Retry::default() }
}

pub fn halo_settings() -> settings::Halo {
    settings::Halo {
        resource_server: "https://halo.example/api".into(),
        authorisation_server: "https://halo.example/auth".into(),
        tenant: "fernhill".into(),
        client_id: "11111111-2222-3333-4444-555555555555".into(),
        ..settings::Halo::default()
    }
}

pub fn halo(vendor: &Arc<Vendor>) -> Halo {
    Halo::new(&halo_settings(), Secret::new("s3cret&="), vendor.clone(), Budget::new(free()))
        .unwrap()
        .with_retry(quick())
}

/// A script for Halo that deals with the sign-in and the currencies itself.
pub fn signed_in(mut rest: impl FnMut(&Asked) -> Answer + Send + 'static) -> Arc<Vendor> {
    Vendor::new(move |asked| match asked.path.as_str() {
        "/auth/token" => ok(fixture("halo/token.json")),
        "/api/Currency" => json(serde_json::json!([{"id": 1, "code": "GBP"}, {"id": 2, "code": "EUR"}])),
        _ => rest(asked),
    })
}

pub fn marketplace_settings() -> settings::Marketplace {
    settings::Marketplace {
        marketplace_url: "https://cloud.also.example".into(),
        username: "api@fernhill.example".into(),
        ..settings::Marketplace::default()
    }
}

pub fn marketplace(vendor: &Arc<Vendor>) -> Marketplace {
    Marketplace::new(
        Integration::Also,
        &marketplace_settings(),
        Secret::new("hunter2!"),
        vendor.clone(),
        Budget::new(free()),
    )
    .unwrap()
    .with_retry(quick())
}

/// A script for a marketplace that deals with the sign-in itself.
pub fn with_session(mut rest: impl FnMut(&Asked) -> Answer + Send + 'static) -> Arc<Vendor> {
    Vendor::new(
        move |asked| {
            if asked.is("/GetSessionToken") { ok("\"C9C5MlqrpMwGEXAMPLE/+=\"") } else { rest(asked) }
        },
    )
}
