//! Faults on demand: which request is hit, and what happens to it.
//!
//! A faults file is TOML (or the same as JSON): a list of rules for each host. The first rule that fires decides.
//!
//! ```
//! let faults: parhelion::sandbox::Faults = toml::from_str(r#"
//!     seed = 7                     # of the probabilities; optional
//!
//!     [[halo]]
//!     kind = "reset_after"         # the write is applied, then the connection dies
//!     method = "POST"              # optional
//!     path = "/api/client"         # optional: part of the path, in any case
//!     nth = [2, 5]                 # the 2nd and 5th request that method and path match; or one number
//!
//!     [[also]]
//!     kind = "429"
//!     path = "GetSubscriptions"
//!     every = 10                   # each tenth
//!     retry_after = 1              # seconds, or text for the header as it is; without it there is no header
//!
//!     [[westcoast]]
//!     kind = "5xx"
//!     status = 502
//!     probability = 0.05
//!     times = 3                    # stop after firing so often
//! "#).unwrap();
//! assert_eq!(faults.halo.len(), 1);
//! assert!(toml::from_str::<parhelion::sandbox::Faults>("[[halo]]\nkind = \"hiccup\"").is_err());
//! ```
//!
//! Without `nth`, `every` or `probability` a rule fires at every request that it matches.
//!
//! | kind | what happens | takes |
//! |---|---|---|
//! | `429` | refused, not applied | `retry_after` |
//! | `5xx` | an empty answer with any status, such as 502, 504 or 403 | `status` (500), `applied` (false), `retry_after` |
//! | `html` | an HTML page | `status` (503), `applied` (false) |
//! | `reset_before`, `reset_after` | the connection dies before or after the request was applied | |
//! | `hang` | the answer comes late; with `applied`, the write happens first | `seconds` (60), `applied` (false) |
//! | `truncated` | applied; the answer stops half way | |
//! | `session_expired`, `token_expired` | all sessions of the host end, this request is the first to notice | |
//! | `half_page` | the second half of the rows is missing, the total is not | |
//! | `duplicate_rows` | the first row comes once more at the end | |
//! | `wrong_total` | `record_count` is off | `by` (7) |
//! | `empty_list` | no rows, total 0 | |
//! | `wrong_shape` | well-formed JSON of quite another shape | |
//! | `drift` | Halo lists only: after the answer its first row is made inactive, so later pages move up | |
//! | `late_commit` | an error now (`status`, else a reset), applied later | `after_ms` (500), `status` |

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Host;
use super::rng::Rng;
use super::wire::{Answer, Call};

/// Rules for each host.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Seed of the probabilities; the sandbox's own when absent.
    pub seed: Option<u64>,
    pub halo: Vec<Rule>,
    pub also: Vec<Rule>,
    pub westcoast: Vec<Rule>,
    pub hudu: Vec<Rule>,
    pub liongard: Vec<Rule>,
}

impl Faults {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn of(&self, host: Host) -> &[Rule] {
        match host {
            Host::Halo => &self.halo,
            Host::Also => &self.also,
            Host::Westcoast => &self.westcoast,
            Host::Hudu => &self.hudu,
            Host::Liongard => &self.liongard,
        }
    }

    /// Adds a rule; for tests that build their faults in code.
    pub fn with(mut self, host: Host, rule: Rule) -> Self {
        match host {
            Host::Halo => self.halo.push(rule),
            Host::Also => self.also.push(rule),
            Host::Westcoast => self.westcoast.push(rule),
            Host::Hudu => self.hudu.push(rule),
            Host::Liongard => self.liongard.push(rule),
        }
        self
    }
}

/// One fault and the requests that it hits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Rule {
    pub method: Option<String>,
    pub path: Option<String>,
    pub when: When,
    /// The rule is spent after firing so often.
    pub times: Option<u64>,
    pub kind: Kind,
}

impl Rule {
    /// A rule that fires at every request.
    pub fn new(kind: Kind) -> Self {
        Self { method: None, path: None, when: When::Always, times: None, kind }
    }

    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path holds this text, in any case.
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn matches(&self, call: &Call) -> bool {
        let signing_in = call.path.ends_with("/auth/token") || call.path.ends_with("/GetSessionToken");
        self.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(call.method.as_str()))
            && self
                .path
                .as_ref()
                .is_none_or(|p| call.path.to_ascii_lowercase().contains(&p.to_ascii_lowercase()))
            && !(signing_in && matches!(self.kind, Kind::SessionExpired))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum When {
    Always,
    /// The matching requests with these numbers, from 1.
    Nth(Vec<u64>),
    /// Each so-manieth matching request.
    Every(u64),
    Probability(f64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    TooMany { retry_after: Option<String> },
    ServerError { status: u16, applied: bool, retry_after: Option<String> },
    Html { status: u16, applied: bool },
    ResetBefore,
    ResetAfter,
    Hang { seconds: f64, applied: bool },
    Truncated,
    SessionExpired,
    HalfPage,
    DuplicateRows,
    WrongTotal { by: i64 },
    EmptyList,
    WrongShape,
    Drift,
    LateCommit { after_ms: u64, status: Option<u16> },
}

impl Kind {
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "429",
            Self::ServerError { .. } => "5xx",
            Self::Html { .. } => "html",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::Hang { .. } => "hang",
            Self::Truncated => "truncated",
            Self::SessionExpired => "session_expired",
            Self::HalfPage => "half_page",
            Self::DuplicateRows => "duplicate_rows",
            Self::WrongTotal { .. } => "wrong_total",
            Self::EmptyList => "empty_list",
            Self::WrongShape => "wrong_shape",
            Self::Drift => "drift",
            Self::LateCommit { .. } => "late_commit",
        }
    }

    /// Spoils a good answer, for the kinds that change what was answered and nothing else.
    pub(super) fn spoil(&self, mut answer: Answer) -> Answer {
        if answer.status >= 300 {
            return answer;
        }
        if matches!(self, Self::Truncated) {
            answer.body.truncate(answer.body.len() / 2);
            return answer;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return answer };
        match self {
            Self::HalfPage => {
                if let Some(rows) = rows(&mut body) {
                    rows.truncate(rows.len() / 2);
                }
            }
            Self::DuplicateRows => {
                if let Some(rows) = rows(&mut body)
                    && let Some(first) = rows.first().cloned()
                {
                    rows.push(first);
                }
            }
            Self::WrongTotal { by } => {
                if let Some(total) = body.get("record_count").and_then(Value::as_i64) {
                    body["record_count"] = json!(total + by);
                }
            }
            Self::EmptyList => {
                if let Some(rows) = rows(&mut body) {
                    rows.clear();
                    if body.get("record_count").is_some() {
                        body["record_count"] = json!(0);
                    }
                }
            }
            Self::WrongShape => body = json!({"status": "ok", "data": {"rows": "see attachment"}}),
            _ => {}
        }
        answer.body = body.to_string().into_bytes();
        answer
    }
}

/// The rows of a list in either shape: a bare array, or an envelope's only array.
fn rows(body: &mut Value) -> Option<&mut Vec<Value>> {
    match body {
        Value::Array(rows) => Some(rows),
        Value::Object(envelope) if envelope.contains_key("record_count") || envelope.len() == 1 => {
            envelope.values_mut().find_map(Value::as_array_mut)
        }
        _ => None,
    }
}

/// A rule as it is written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: String,
    method: Option<String>,
    path: Option<String>,
    nth: Option<OneOrMany>,
    every: Option<u64>,
    probability: Option<f64>,
    times: Option<u64>,
    status: Option<u16>,
    retry_after: Option<NumberOrText>,
    seconds: Option<f64>,
    after_ms: Option<u64>,
    applied: Option<bool>,
    by: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u64),
    Many(Vec<u64>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(w: Written) -> Result<Self, String> {
        let waits = w.retry_after.is_some();
        let retry_after = w.retry_after.map(|r| match r {
            NumberOrText::Number(n) => n.to_string(),
            NumberOrText::Text(t) => t,
        });
        let kind = match w.kind.as_str() {
            "429" => Kind::TooMany { retry_after },
            "5xx" => Kind::ServerError {
                status: w.status.unwrap_or(500),
                applied: w.applied.unwrap_or(false),
                retry_after,
            },
            "html" => Kind::Html { status: w.status.unwrap_or(503), applied: w.applied.unwrap_or(false) },
            "reset_before" => Kind::ResetBefore,
            "reset_after" => Kind::ResetAfter,
            "hang" => Kind::Hang { seconds: w.seconds.unwrap_or(60.0), applied: w.applied.unwrap_or(false) },
            "truncated" => Kind::Truncated,
            "session_expired" | "token_expired" => Kind::SessionExpired,
            "half_page" => Kind::HalfPage,
            "duplicate_rows" => Kind::DuplicateRows,
            "wrong_total" => Kind::WrongTotal { by: w.by.unwrap_or(7) },
            "empty_list" => Kind::EmptyList,
            "wrong_shape" => Kind::WrongShape,
            "drift" => Kind::Drift,
            "late_commit" => Kind::LateCommit { after_ms: w.after_ms.unwrap_or(500), status: w.status },
            other => return Err(format!("there is no fault of the kind {other:?}")),
        };
        let takes: &[&str] = match kind {
            Kind::TooMany { .. } => &["retry_after"],
            Kind::ServerError { .. } => &["status", "applied", "retry_after"],
            Kind::Html { .. } => &["status", "applied"],
            Kind::Hang { .. } => &["seconds", "applied"],
            Kind::WrongTotal { .. } => &["by"],
            Kind::LateCommit { .. } => &["after_ms", "status"],
            _ => &[],
        };
        for (name, given) in [
            ("status", w.status.is_some()),
            ("retry_after", waits),
            ("seconds", w.seconds.is_some()),
            ("after_ms", w.after_ms.is_some()),
            ("applied", w.applied.is_some()),
            ("by", w.by.is_some()),
        ] {
            if given && !takes.contains(&name) {
                return Err(format!("a fault of the kind {:?} takes no {name}", w.kind));
            }
        }
        if let Some(status) = w.status
            && !(100..1000).contains(&status)
        {
            return Err(format!("{status} is not an HTTP status"));
        }
        if let Some(seconds) = w.seconds
            && !(0.0..=86_400.0).contains(&seconds)
        {
            return Err(format!("seconds must be from 0 to 86400, not {seconds}"));
        }
        if [w.nth.is_some(), w.every.is_some(), w.probability.is_some()].into_iter().filter(|g| *g).count()
            > 1
        {
            return Err("a fault takes one of nth, every and probability".to_owned());
        }
        let when = match (w.nth, w.every, w.probability) {
            (Some(OneOrMany::One(n)), ..) => When::Nth(vec![n]),
            (Some(OneOrMany::Many(n)), ..) => When::Nth(n),
            (_, Some(0), _) => return Err("every must be at least 1".to_owned()),
            (_, Some(n), _) => When::Every(n),
            (.., Some(p)) if !(0.0..=1.0).contains(&p) => {
                return Err(format!("a probability is from 0 to 1, not {p}"));
            }
            (.., Some(p)) => When::Probability(p),
            _ => When::Always,
        };
        Ok(Self { method: w.method, path: w.path, when, times: w.times, kind })
    }
}

/// The rules in force, with what they have done so far.
#[derive(Debug)]
pub(super) struct Armed {
    hosts: [Vec<ArmedRule>; Host::ALL.len()],
    rng: Rng,
}

#[derive(Debug)]
struct ArmedRule {
    rule: Rule,
    matched: u64,
    fired: u64,
}

/// What one rule has done, for the control interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fired {
    pub host: Host,
    pub kind: &'static str,
    /// Requests that method and path matched.
    pub matched: u64,
    pub fired: u64,
}

impl Armed {
    pub(super) fn new(faults: &Faults, seed: u64) -> Self {
        let arm = |host| {
            faults
                .of(host)
                .iter()
                .map(|rule| ArmedRule { rule: rule.clone(), matched: 0, fired: 0 })
                .collect()
        };
        Self { hosts: Host::ALL.map(arm), rng: Rng::of(faults.seed.unwrap_or(seed), "faults") }
    }

    /// The fault that hits this request, if any. Every matching rule counts it, the first that fires decides.
    pub(super) fn pick(&mut self, call: &Call) -> Option<Kind> {
        let mut hit = None;
        for armed in &mut self.hosts[call.host as usize] {
            if !armed.rule.matches(call) {
                continue;
            }
            armed.matched += 1;
            let due = match &armed.rule.when {
                When::Always => true,
                When::Nth(numbers) => numbers.contains(&armed.matched),
                When::Every(n) => armed.matched.is_multiple_of(*n),
                When::Probability(p) => self.rng.chance(*p),
            };
            if due && hit.is_none() && armed.rule.times.is_none_or(|t| armed.fired < t) {
                armed.fired += 1;
                hit = Some(armed.rule.kind.clone());
            }
        }
        hit
    }

    pub(super) fn fired(&self) -> Vec<Fired> {
        Host::ALL
            .into_iter()
            .flat_map(|host| {
                self.hosts[host as usize].iter().map(move |a| Fired {
                    host,
                    kind: a.rule.kind.name(),
                    matched: a.matched,
                    fired: a.fired,
                })
            })
            .collect()
    }
}
