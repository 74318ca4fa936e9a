//! One request and its answer: time-outs, the size cap, and whether the request may have arrived.

use std::fmt;
use std::sync::{Once, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::{Method, Url};
use tokio::time::{Instant, timeout};

use super::outgoing::Outgoing;

/// The most of an answer that is held (decision 22), after decompression.
pub const BODY_LIMIT: usize = 32 * 1024 * 1024;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a started answer may pause.
const IDLE: Duration = Duration::from_secs(30);
/// How long a whole exchange may take unless the request says otherwise.
pub const TOTAL: Duration = Duration::from_secs(120);

/// Sends one request, once. The real one is [`RealTransport`]; tests answer from memory.
pub trait Transport: Send + Sync {
    /// Never follows a redirect, never tries again. Dropping the future abandons the exchange.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>>;

    /// The same, but a success hands its body over piece by piece, until `into` wants no more; the answer's own body
    /// is then empty. For lists that would not fit under [`BODY_LIMIT`] (decision 22).
    fn stream<'a>(
        &'a self,
        request: Request,
        into: Pieces<'a>,
    ) -> BoxFuture<'a, Result<Response, SendError>> {
        Box::pin(async move {
            let mut response = self.send(request).await?;
            if response.is_success() {
                into(&response.body);
                response.body = Vec::new();
            }
            Ok(response)
        })
    }

    /// Where requests to this address leave from; `None` where nobody knows, as in a simulated network.
    fn outgoing<'a>(&'a self, _to: &'a Url) -> BoxFuture<'a, Option<Outgoing>> {
        Box::pin(std::future::ready(None))
    }
}

/// Takes an answer piece by piece; `false` ends the reading.
pub type Pieces<'a> = &'a (dyn Fn(&[u8]) -> bool + Send + Sync);

/// A request, complete. Its `Debug` shows neither headers, body nor query: they may carry secrets.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// From the first byte sent to the last one received.
    pub total: Duration,
}

impl Request {
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new(), total: TOTAL }
    }

    /// A POST with a body of the given content type.
    pub fn post(url: Url, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { method: Method::POST, url, headers, body, total: TOTAL }
    }

    /// Adds a header that no log may show. A value that cannot be a header (a line break in a token) is left out:
    /// the other side then answers 401, which says what is wrong.
    #[must_use]
    pub fn secret_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    #[must_use]
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.url.origin().ascii_serialization(), self.url.path())
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub elapsed: Duration,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body without a byte-order mark and the blanks around it.
    pub fn trimmed(&self) -> &[u8] {
        self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body).trim_ascii()
    }

    /// Whether the body is markup: no JSON document starts with `<`.
    pub fn is_markup(&self) -> bool {
        self.trimmed().first() == Some(&b'<')
    }

    /// The start of the body as a sentence may quote it: one short line, safe to show.
    pub fn excerpt(&self) -> String {
        let start = &self.trimmed()[..self.trimmed().len().min(200)];
        crate::model::text::shown(&String::from_utf8_lossy(start)).trim().to_owned()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendErrorKind {
    /// The name of the host was not found. Nothing was sent.
    Dns,
    /// No connection to the host. Nothing was sent.
    Connect,
    /// No trusted encryption with the host. Nothing was sent.
    Tls,
    /// The request itself cannot be sent. Nothing was sent.
    Unsendable,
    /// No (whole) answer in time: it may have been carried out.
    Timeout,
    /// The connection ended before the whole answer came: it may have been carried out.
    Reset,
    /// The answer is beyond [`BODY_LIMIT`]: it has been carried out.
    TooLarge,
}

/// No answer, in words that carry neither URL nor secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct SendError {
    pub kind: SendErrorKind,
    pub detail: String,
}

impl SendError {
    pub fn new(kind: SendErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Whether the other side may have received, and acted on, the request.
    pub const fn may_have_arrived(&self) -> bool {
        matches!(self.kind, SendErrorKind::Timeout | SendErrorKind::Reset | SendErrorKind::TooLarge)
    }
}

/// Real HTTP: no redirects, no retries of the library's own, the system's proxy except for loopback.
#[derive(Default)]
pub struct RealTransport {
    direct: OnceLock<Result<reqwest::Client, String>>,
    proxied: OnceLock<Result<reqwest::Client, String>>,
}

impl RealTransport {
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, SendError> {
        let loopback = super::address::is_loopback(url);
        let slot = if loopback { &self.direct } else { &self.proxied };
        slot.get_or_init(|| build(loopback)).as_ref().map_err(|why| {
            SendError::new(
                SendErrorKind::Tls,
                format!("encryption could not be set up on this machine ({why}); is the package with the system's root certificates (ca-certificates) installed?"),
            )
        })
    }
}

fn build(loopback: bool) -> Result<reqwest::Client, String> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails only where a provider is there already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = reqwest::Client::builder()
        .user_agent(concat!("parhelion/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        // A write over a connection that the other side has just closed would be in doubt for nothing.
        .pool_idle_timeout(Duration::from_secs(15))
        .referer(false);
    let builder = if loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| sentence(&error.without_url()))
}

impl Transport for RealTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(self.exchange(request, None))
    }

    fn stream<'a>(
        &'a self,
        request: Request,
        into: Pieces<'a>,
    ) -> BoxFuture<'a, Result<Response, SendError>> {
        Box::pin(self.exchange(request, Some(into)))
    }

    fn outgoing<'a>(&'a self, to: &'a Url) -> BoxFuture<'a, Option<Outgoing>> {
        Box::pin(Outgoing::to(to))
    }
}

impl RealTransport {
    async fn exchange(&self, request: Request, into: Option<Pieces<'_>>) -> Result<Response, SendError> {
        let started = Instant::now();
        let total = request.total;
        let client = self.client(&request.url)?;
        let call = client.request(request.method, request.url).headers(request.headers).body(request.body);
        let exchange = async {
            let mut answer = call.send().await.map_err(classify)?;
            let status = answer.status().as_u16();
            let headers = std::mem::take(answer.headers_mut());
            let into = into.filter(|_| (200..300).contains(&status));
            let mut body = Vec::new();
            loop {
                let chunk = timeout(IDLE, answer.chunk()).await.map_err(|_| {
                    SendError::new(
                        SendErrorKind::Timeout,
                        format!("the answer stopped halfway for {} seconds", IDLE.as_secs()),
                    )
                })?;
                let Some(chunk) = chunk.map_err(classify)? else { break };
                if let Some(into) = into {
                    if into(&chunk) {
                        continue;
                    }
                    break;
                }
                if body.len() + chunk.len() > BODY_LIMIT {
                    return Err(SendError::new(SendErrorKind::TooLarge, "the answer is larger than 32 MiB"));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Response { status, headers, body, elapsed: started.elapsed() })
        };
        timeout(total, exchange).await.unwrap_or_else(|_| {
            Err(SendError::new(
                SendErrorKind::Timeout,
                format!("no answer within {} seconds", total.as_secs()),
            ))
        })
    }
}

/// What went wrong, from the chain of causes: `reqwest` only tells "connect" from the rest.
fn classify(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let detail = sentence(&error);
    if error.is_builder() {
        return SendError::new(SendErrorKind::Unsendable, detail);
    }
    if error.is_connect() {
        let lower = detail.to_ascii_lowercase();
        let kind = if lower.contains("dns") || lower.contains("lookup") || lower.contains("name resolution") {
            SendErrorKind::Dns
        } else if is_tls(&error) {
            SendErrorKind::Tls
        } else {
            SendErrorKind::Connect
        };
        return SendError::new(kind, detail);
    }
    if error.is_timeout() {
        return SendError::new(SendErrorKind::Timeout, detail);
    }
    SendError::new(SendErrorKind::Reset, detail)
}

fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An io::Error's `source` skips the error it wraps.
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
            && is_tls(inner)
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// The innermost causes in one line: the outer ones only say "error sending request".
fn sentence(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = crate::model::text::shown(&error.to_string()).into_owned();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    if parts.len() > 1 {
        parts.remove(0);
    }
    parts.join(": ")
}
