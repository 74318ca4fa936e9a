//! What was done to the sandbox: every write, every request, and what a passing day changed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::wire::Call;
use super::{Brand, Host, Sandbox, lock};

/// One request that wrote, or would have written.
#[derive(Debug, Clone)]
pub struct Write {
    /// Since the sandbox's first request; for a late commit, when it was applied.
    pub at: Duration,
    pub host: Host,
    pub method: String,
    pub path: String,
    /// As it was sent.
    pub body: String,
    /// Whether anything was changed.
    pub applied: bool,
    /// Whether a record came into being.
    pub created: bool,
    /// The records that were changed, in the order they were sent.
    pub ids: Vec<i64>,
    /// The status that Halo gave, which a fault may have kept from the client.
    pub status: u16,
    /// The fault that hit it.
    pub fault: Option<&'static str>,
}

impl Write {
    pub(super) fn to_json(&self) -> Value {
        let body = serde_json::from_str(&self.body).unwrap_or_else(|_| Value::from(self.body.as_str()));
        json!({
            "at_ms": self.at.as_millis() as u64, "host": self.host, "method": self.method, "path": self.path,
            "body": body, "applied": self.applied, "created": self.created, "ids": self.ids, "status": self.status,
            "fault": self.fault,
        })
    }
}

/// What arrived at one host.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    pub count: u64,
    /// By method and path, ids in the path written as `*`.
    pub by_path: BTreeMap<String, u64>,
    /// When each arrived, since the sandbox's first request.
    pub sent: Vec<Duration>,
    /// The most that were in hand at once.
    pub in_flight_peak: usize,
    /// Calls of a marketplace that may spend money. Anything but 0 is a grave fault of the client.
    pub refused_writes: u64,
    in_flight: usize,
}

impl Requests {
    pub(super) fn to_json(&self) -> Value {
        let sent: Vec<u64> = self.sent.iter().map(|at| at.as_millis() as u64).collect();
        json!({
            "count": self.count, "by_path": self.by_path, "sent_ms": sent, "in_flight_peak": self.in_flight_peak,
            "refused_writes": self.refused_writes,
        })
    }

    pub(super) fn arrived(&mut self, call: &Call, now: Duration) {
        let masked: Vec<&str> =
            call.path.split('/').map(|part| if part.parse::<i64>().is_ok() { "*" } else { part }).collect();
        self.count += 1;
        *self.by_path.entry(format!("{} {}", call.method, masked.join("/"))).or_default() += 1;
        self.sent.push(now);
        self.in_flight += 1;
        self.in_flight_peak = self.in_flight_peak.max(self.in_flight);
    }

    /// Nothing but what is still in hand.
    pub(super) fn forgotten(&self) -> Self {
        Self { in_flight: self.in_flight, in_flight_peak: self.in_flight, ..Self::default() }
    }
}

/// Something that [`Sandbox::advance`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub brand: Brand,
    /// `quantity`, `price`, `terminated`, `ending`, `deleted`, `new` or `new customer`.
    pub what: &'static str,
    /// The subscription's `AccountId`; the customer's for `new customer`.
    pub id: i64,
}

/// A request being answered, also when the client hangs up first.
pub(super) struct InHand {
    pub(super) sandbox: Sandbox,
    pub(super) host: Host,
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut requests = lock(&self.sandbox.0.requests[self.host as usize]);
        requests.in_flight = requests.in_flight.saturating_sub(1);
    }
}
