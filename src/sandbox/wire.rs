//! One request from arrival to answer: counted, perhaps hit by a fault, carried out, recorded.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Query, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;

use super::faults::Kind;
use super::{Host, Sandbox, control, halo_calls, hudu_calls, liongard, marketplace};

/// Requests above this are refused; no real one comes near.
const LARGEST_REQUEST: usize = 64 << 20;

/// The header of an answer that stands for a dead connection. See [`super`] for how it is used in memory.
pub const RESET_HEADER: &str = "x-sandbox-reset";

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) host: Host,
    pub(super) method: Method,
    pub(super) path: String,
    /// Whether the path ended with a slash, which is no longer in it.
    pub(super) slash: bool,
    pub(super) query: Pairs,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Decoded names and values of a query or a form. Names are compared without case.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn of_query(uri: &Uri) -> Self {
        Self(Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default())
    }

    pub(super) fn of_form(body: &[u8]) -> Self {
        // A form is written like a query.
        let written = String::from_utf8_lossy(body);
        format!("/?{}", written.trim()).parse::<Uri>().map(|uri| Self::of_query(&uri)).unwrap_or_default()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Halo's booleans must be words; `1` is not true (halopsa.md 2.8).
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|v| v.eq_ignore_ascii_case("true"))
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(|v| v.trim().parse().ok())
    }
}

/// What goes back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: Option<&'static str>,
    pub(super) retry_after: Option<Box<str>>,
    pub(super) body: Vec<u8>,
    /// Ids of the records that this call wrote.
    pub(super) wrote: Box<[i64]>,
    pub(super) created: bool,
    /// A call of a marketplace that may spend money; it was refused.
    pub(super) refused_write: bool,
    reset: Option<&'static str>,
    location: Option<Box<str>>,
    chunks: Option<Chunks>,
}

/// A body that is made while it is sent.
#[derive(Clone)]
struct Chunks(Arc<Mutex<Box<dyn Iterator<Item = Vec<u8>> + Send>>>);

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a body in pieces")
    }
}

impl Iterator for Chunks {
    type Item = Vec<u8>;
    fn next(&mut self) -> Option<Vec<u8>> {
        super::lock(&self.0).next()
    }
}

impl Answer {
    fn new(status: u16, content_type: Option<&'static str>, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            retry_after: None,
            body,
            wrote: Box::default(),
            created: false,
            refused_write: false,
            reset: None,
            location: None,
            chunks: None,
        }
    }

    /// A list that is made piece by piece while it is sent.
    pub(super) fn chunked(pieces: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        let mut answer = Self::raw_json(200, Vec::new());
        answer.chunks = Some(Chunks(Arc::new(Mutex::new(Box::new(pieces)))));
        answer
    }

    pub(super) fn redirect(to: &str) -> Self {
        let mut answer = Self::text(301, "text/html; charset=utf-8", "Moved");
        answer.location = Some(to.into());
        answer
    }

    /// The same with its body whole, for whoever changes it.
    pub(super) fn gathered(mut self) -> Self {
        if let Some(chunks) = self.chunks.take() {
            self.body = chunks.flatten().collect();
        }
        self
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, None, Vec::new())
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::raw_json(status, body.to_string().into_bytes())
    }

    pub(super) fn raw_json(status: u16, body: Vec<u8>) -> Self {
        Self::new(status, Some("application/json; charset=utf-8"), body)
    }

    pub(super) fn text(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        Self::new(status, Some(content_type), body.into().into_bytes())
    }

    pub(super) fn html(status: u16) -> Self {
        Self::text(
            status,
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\r\n<html><head><title>Service Unavailable</title></head>\r\n<body><h1>We'll be right \
             back</h1><p>The service is under maintenance.</p></body></html>\r\n",
        )
    }

    fn reset(when: &'static str) -> Self {
        let mut answer = Self::empty(502);
        answer.reset = Some(when);
        answer
    }

    fn into_response(self) -> Response {
        let body = match self.chunks {
            None => Body::from(self.body),
            Some(chunks) => Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>))),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(kind) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let Some(value) = self.retry_after.and_then(|v| HeaderValue::from_str(&v).ok()) {
            headers.insert(header::RETRY_AFTER, value);
        }
        if let Some(value) = self.location.and_then(|v| HeaderValue::from_str(&v).ok()) {
            headers.insert(header::LOCATION, value);
        }
        if let Some(when) = self.reset {
            headers.insert(RESET_HEADER, HeaderValue::from_static(when));
        }
        response
    }
}

/// Cuts the connection that a request came on. Only requests over a socket have one.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers one request to `host`.
pub(super) async fn answer(sandbox: Sandbox, host: Host, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let connection = parts.extensions.get::<ConnectInfo<Cut>>().map(|info| info.0.clone());
    let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else { return Answer::empty(413).into_response() };
    let call = Call {
        host,
        query: Pairs::of_query(&parts.uri),
        path: parts.uri.path().trim_end_matches('/').to_owned(),
        slash: parts.uri.path().ends_with('/'),
        method: parts.method,
        headers: parts.headers,
        body,
    };
    if host == Host::Halo && call.path.starts_with("/_sandbox/") {
        return control::answer(&sandbox, &call).into_response();
    }
    let _in_flight = sandbox.note_request(&call);
    let fault = sandbox.pick_fault(&call);
    let latency = sandbox.latency(host);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let answer = match fault {
        None => carry_out(&sandbox, &call, None),
        Some(kind) => strike(&sandbox, call, kind).await,
    };
    if answer.reset.is_some()
        && let Some(connection) = connection
    {
        connection.cut();
    }
    answer.into_response()
}

/// Lets a fault have its way with a request.
async fn strike(sandbox: &Sandbox, call: Call, kind: Kind) -> Answer {
    let name = Some(kind.name());
    let unless_applied = |applied: bool, answer: Answer| {
        if applied {
            carry_out(sandbox, &call, name);
        } else {
            sandbox.note_write(&call, &answer, name);
        }
        answer
    };
    match kind {
        Kind::TooMany { retry_after } => {
            let mut answer = too_many(call.host, 300, 300);
            answer.retry_after = retry_after.map(Into::into);
            unless_applied(false, answer)
        }
        Kind::ServerError { status, applied, retry_after } => {
            let mut answer = Answer::empty(status);
            answer.retry_after = retry_after.map(Into::into);
            unless_applied(applied, answer)
        }
        Kind::Html { status, applied } => unless_applied(applied, Answer::html(status)),
        Kind::ResetBefore => unless_applied(false, Answer::reset("before")),
        Kind::ResetAfter => unless_applied(true, Answer::reset("after")),
        Kind::Hang { seconds, applied } => {
            let early = applied.then(|| carry_out(sandbox, &call, name));
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            early.unwrap_or_else(|| carry_out(sandbox, &call, name))
        }
        Kind::SessionExpired => {
            sandbox.expire_sessions(call.host);
            carry_out(sandbox, &call, name)
        }
        Kind::Drift => {
            let answer = carry_out(sandbox, &call, name);
            if call.host == Host::Halo {
                sandbox.drift(&answer.body);
            }
            answer
        }
        Kind::LateCommit { after_ms, status } => {
            let later = sandbox.clone();
            // In a task of its own: the client hanging up must not undo it.
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                carry_out(&later, &call, name);
            });
            status.map_or_else(|| Answer::reset("before"), Answer::empty)
        }
        Kind::Truncated
        | Kind::HalfPage
        | Kind::DuplicateRows
        | Kind::WrongTotal { .. }
        | Kind::EmptyList
        | Kind::WrongShape => kind.spoil(carry_out(sandbox, &call, name).gathered()),
    }
}

fn carry_out(sandbox: &Sandbox, call: &Call, fault: Option<&'static str>) -> Answer {
    let answer = match call.host {
        Host::Halo => halo_calls::carry_out(sandbox, call),
        Host::Also | Host::Westcoast => marketplace::carry_out(sandbox, call),
        Host::Hudu => hudu_calls::carry_out(sandbox, call),
        Host::Liongard => liongard::carry_out(sandbox, call),
    };
    sandbox.note_write(call, &answer, fault);
    answer
}

/// The 429 of each vendor: Halo's text is known (halopsa.md 2.5), the marketplaces' is not.
pub(super) fn too_many(host: Host, requests: u32, seconds: u32) -> Answer {
    match host {
        Host::Halo if seconds.is_multiple_of(60) => Answer::json(
            429,
            &Value::String(format!(
                "Rate Limit Reached - {requests} Requests per rolling {} minute window",
                seconds / 60
            )),
        ),
        Host::Halo => Answer::json(
            429,
            &Value::String(format!(
                "Rate Limit Reached - {requests} Requests per rolling {seconds} second window"
            )),
        ),
        Host::Liongard => {
            Answer::json(429, &serde_json::json!({"error": "Too many requests, please try again later."}))
        }
        Host::Also | Host::Westcoast => Answer::text(429, "text/plain; charset=utf-8", "Too many requests."),
        Host::Hudu => Answer::text(429, "text/plain", "Retry later\n"),
    }
}
