//! One call: the retry layer, and what the outcome of a write proves (sync-engine sections 7.3 and 11).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tokio::time::sleep;

use super::budget::{Backoff, Budget, Lane, Permit, retry_after};
use super::http::{Pieces, Request, Response, SendError, SendErrorKind, Transport};
use crate::model::{Class, Problem};

/// A body that cannot be read four times in a row will not get better.
const UNREADABLE_LIMIT: u32 = 4;
/// After so many pauses in a row that the host asked for, the call is given up (P39).
const THROTTLE_LIMIT: u32 = 20;

/// What carrying a request out twice would do. Declared call by call, never taken from the verb (sync-engine 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Sets values: twice is the same as once. Still sent once: what became of it must be known before another value
    /// may follow, or a late one overwrites it (invariant 45).
    Set,
    /// Makes a record: twice makes two. Sent once.
    Create,
}

/// How patient a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Sends in all, of calls that may be repeated.
    pub attempts: u32,
    pub backoff: Backoff,
    /// A shorter limit than the calls' own, for tests of a configuration.
    pub time_limit: Option<Duration>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 8, backoff: Backoff::default(), time_limit: None }
    }
}

impl Retry {
    /// One attempt, whatever comes.
    pub fn once() -> Self {
        Self { attempts: 1, ..Self::default() }
    }
}

/// Why a call failed, fine enough to tell causes apart for people (C10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No answer; see [`SendErrorKind`].
    NoAnswer(SendErrorKind),
    /// 429.
    Throttled,
    /// 401, or a session that has expired.
    SignedOut,
    /// The sign-in itself was refused.
    SignIn,
    /// Any other status that is no success.
    Status(u16),
    /// A success whose body is cut off or of the wrong shape.
    Unreadable,
    /// A web page or a redirect where data should be.
    NotTheApi,
    /// The marketplace's own error document, well-formed, neither about session nor sign-in.
    Fault,
    /// An answer about another record than the one asked for.
    WrongRecord,
}

impl Cause {
    /// Whether trying again may help.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::NoAnswer(kind) => !matches!(kind, SendErrorKind::Unsendable | SendErrorKind::TooLarge),
            Self::Status(status) => matches!(status, 408 | 425 | 500 | 502 | 503 | 504 | 520..=527),
            Self::Unreadable => true,
            _ => false,
        }
    }

    /// Whether nothing left this machine.
    pub const fn not_sent(self) -> bool {
        matches!(
            self,
            Self::NoAnswer(
                SendErrorKind::Dns | SendErrorKind::Connect | SendErrorKind::Tls | SendErrorKind::Unsendable
            )
        )
    }

    /// Whether this proves that a single-record request was not carried out (sync-engine 7.3).
    pub const fn proves_refusal(self) -> bool {
        match self {
            Self::SignedOut | Self::SignIn | Self::Fault => true,
            Self::Status(status) => {
                matches!(status, 400 | 403 | 404 | 405 | 406 | 409 | 410 | 412 | 413 | 414 | 415 | 422)
            }
            _ => false,
        }
    }

    const fn may_have_run(self) -> bool {
        !(self.not_sent() || self.proves_refusal() || matches!(self, Self::Throttled))
    }
}

/// A call that failed, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    pub problem: Problem,
    /// Whether any of the attempts may have been carried out.
    pub in_doubt: bool,
}

impl Failure {
    pub fn new(cause: Cause, problem: Problem) -> Self {
        Self { cause, problem, in_doubt: cause.may_have_run() }
    }

    /// The same, of a call before the one that matters: it says nothing of what that one did.
    #[must_use]
    pub fn doubt_of(mut self, in_doubt: bool) -> Self {
        self.in_doubt = in_doubt;
        self
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        failure.problem
    }
}

/// What became of a write (sync-engine 7.2, 7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteVerdict<T> {
    /// Carried out; the answer was read.
    Done(T),
    /// Proven not carried out.
    Rejected(Problem),
    /// Perhaps carried out: nothing may be sent again before that is known (sync-engine 7.4).
    Unknown(Problem),
    /// Nothing left this machine.
    NotSent(Problem),
    /// Not carried out: the host asked for a pause, which the budget now keeps. Take a new permit and send again.
    Throttled,
}

impl<T> WriteVerdict<T> {
    /// The same verdict on something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> WriteVerdict<U> {
        match self {
            Self::Done(value) => WriteVerdict::Done(f(value)),
            Self::Rejected(problem) => WriteVerdict::Rejected(problem),
            Self::Unknown(problem) => WriteVerdict::Unknown(problem),
            Self::NotSent(problem) => WriteVerdict::NotSent(problem),
            Self::Throttled => WriteVerdict::Throttled,
        }
    }
}

impl<T> From<Result<T, Failure>> for WriteVerdict<T> {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Ok(value) => Self::Done(value),
            Err(failure) if failure.in_doubt => Self::Unknown(failure.problem),
            Err(failure) if failure.cause == Cause::Throttled => Self::Throttled,
            Err(failure) if failure.cause.proves_refusal() => Self::Rejected(failure.problem),
            // Nothing that may have run, nothing that was refused: it never left, or the sign-in before it failed.
            Err(failure) => Self::NotSent(failure.problem),
        }
    }
}

/// A host as the clients call it: its transport, its budget, and how patient to be.
#[derive(Clone)]
pub struct Caller {
    /// The vendor's name, for sentences.
    pub vendor: &'static str,
    pub transport: Arc<dyn Transport>,
    pub budget: Arc<Budget>,
    pub lane: Lane,
    pub retry: Retry,
}

impl Caller {
    /// Sends a request as often as its effect allows. `what` names the call in sentences ("the list of customers");
    /// `judge` reads an answer, whatever its status, 429 apart.
    ///
    /// # Errors
    /// What the last attempt failed of.
    pub async fn call<T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        request: Request,
        judge: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let send = |request| self.transport.send(request);
        self.repeat(effect, what, permit, request, send, judge).await
    }

    /// The same of a read whose answer is taken piece by piece; `into` hears of a new attempt by an empty piece.
    ///
    /// # Errors
    /// What the last attempt failed of.
    pub async fn stream<T>(
        &self,
        what: &str,
        permit: Permit,
        request: Request,
        into: Pieces<'_>,
        judge: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let send = |request| {
            into(&[]);
            self.transport.stream(request, into)
        };
        self.repeat(Effect::Read, what, permit, request, send, judge).await
    }

    async fn repeat<'a, T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        request: Request,
        send: impl Fn(Request) -> BoxFuture<'a, Result<Response, SendError>>,
        judge: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let attempts = if effect == Effect::Read { self.retry.attempts.max(1) } else { 1 };
        if attempts == 1 {
            // Nothing is kept of it for a second time.
            let mut held = permit;
            return self.attempt(what, &mut held, request, true, &send, &judge).await;
        }
        let (mut turn, mut pauses, mut unreadable) = (0, 0, 0);
        let mut in_doubt = false;
        // A sign-in that is tried again still needs no place of its own: all places may wait for it.
        let lane = permit.lane(self.lane);
        let mut permit = Some(permit);
        loop {
            let mut held = match permit.take() {
                Some(permit) => permit,
                None => self.budget.acquire(lane).await,
            };
            let mut failure =
                match self.attempt(what, &mut held, request.clone(), turn == 0, &send, &judge).await {
                    Ok(value) => return Ok(value),
                    Err(failure) => failure,
                };
            drop(held);
            in_doubt |= failure.in_doubt;
            failure.in_doubt = in_doubt;
            if failure.cause == Cause::Throttled {
                pauses += 1;
                if pauses >= THROTTLE_LIMIT {
                    return Err(failure);
                }
            } else {
                turn += 1;
                unreadable += u32::from(failure.cause == Cause::Unreadable);
                if !failure.cause.may_pass() || turn >= attempts || unreadable >= UNREADABLE_LIMIT {
                    if turn > 1 {
                        failure.problem.message = format!("{} (attempt {turn})", failure.problem.message);
                    }
                    return Err(failure);
                }
                self.budget.charge_retry();
                tracing::debug!(vendor = self.vendor, what, turn, cause = ?failure.cause, "trying again");
                sleep(self.retry.backoff.full(turn)).await;
            }
        }
    }

    async fn attempt<'a, T>(
        &self,
        what: &str,
        permit: &mut Permit,
        mut request: Request,
        first_try: bool,
        send: impl Fn(Request) -> BoxFuture<'a, Result<Response, SendError>>,
        judge: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        debug_assert!(!permit.was_sent(), "a permit is for one request");
        if let Some(limit) = self.retry.time_limit {
            request.total = request.total.min(limit);
        }
        let host = request.url.host_str().unwrap_or_default().to_owned();
        permit.sending();
        let response = match send(request).await {
            Ok(response) => response,
            Err(error) => {
                self.budget.failed(permit);
                return Err(self.no_answer(what, &host, &error));
            }
        };
        if response.status == 429 {
            let asked = retry_after(response.header("retry-after"), SystemTime::now());
            self.budget.throttled(permit, asked, &response.excerpt());
            return Err(self.throttled(what, &response));
        }
        let judged = judge(&response);
        match &judged {
            Ok(_) => self.budget.answered(permit, first_try),
            Err(failure) if failure.cause.may_pass() => self.budget.failed(permit),
            Err(_) => self.budget.answered(permit, false),
        }
        judged
    }

    fn no_answer(&self, what: &str, host: &str, error: &SendError) -> Failure {
        let vendor = self.vendor;
        let (message, remedy) = match error.kind {
            SendErrorKind::Dns => (
                format!("{vendor}: the name {host} was not found ({error})."),
                "Check the address in the settings and this machine's name lookup (DNS).",
            ),
            SendErrorKind::Connect => (
                format!("{vendor}: no connection to {host} ({error})."),
                "Check the address, the network, and whether a firewall or proxy is in between.",
            ),
            SendErrorKind::Tls => (
                format!("{vendor}: no trusted encryption with {host} ({error})."),
                "Check the address and the certificate that the host shows; a proxy that inspects traffic needs its certificate among this machine's roots.",
            ),
            SendErrorKind::Unsendable => (
                format!("{vendor}: {what} could not be sent ({error})."),
                "Check the address in the settings.",
            ),
            SendErrorKind::Timeout => (
                format!("{vendor} did not answer in time when asked for {what} ({error})."),
                "Try again later.",
            ),
            SendErrorKind::Reset => (
                format!("{vendor} broke the connection when asked for {what} ({error})."),
                "Try again later.",
            ),
            SendErrorKind::TooLarge => (
                format!("{vendor} sent more than 32 MiB when asked for {what}."),
                "Such an answer is not read. Ask the vendor's support what it holds.",
            ),
        };
        Failure::new(Cause::NoAnswer(error.kind), Problem::new(Class::Host, message).remedy(remedy))
    }

    fn throttled(&self, what: &str, response: &Response) -> Failure {
        Failure::new(
            Cause::Throttled,
            Problem::new(
                Class::Host,
                format!(
                    "{} refused {what}: too many requests (429{}).",
                    self.vendor,
                    said(&response.excerpt())
                ),
            )
            .remedy("Wait, or lower the pace in the settings."),
        )
    }

    /// The failure that a status stands for, with the vendor's own words where it gave any.
    pub fn status(&self, what: &str, status: u16, words: &str) -> Failure {
        let vendor = self.vendor;
        let said = said(words);
        let (class, message, remedy) = match status {
            403 => (
                Class::Auth,
                format!("{vendor} does not allow {what} (403{said})."),
                "Check the rights of the account; where only listed addresses are let in, the one of this host or of its proxy must be on the list.",
            ),
            404 | 410 => (
                Class::Record,
                format!("{vendor} does not know what was asked for: {what} ({status}{said})."),
                "",
            ),
            400..=499 => (Class::Record, format!("{vendor} refused {what} ({status}{said})."), ""),
            500..=599 => (
                Class::Host,
                format!("{vendor} failed when asked for {what} ({status}{said})."),
                "Try again later; if it stays, ask the vendor's support.",
            ),
            _ => (
                Class::Host,
                format!("{vendor} answered {what} with the unexpected status {status}{said}."),
                "",
            ),
        };
        Failure::new(Cause::Status(status), Problem::new(class, message).remedy(remedy))
    }

    /// A success that is cut off or of the wrong shape.
    pub fn unreadable(&self, what: &str, why: &str) -> Failure {
        Failure::new(
            Cause::Unreadable,
            Problem::new(
                Class::Listing,
                format!("{}'s answer for {what} cannot be used: {why}.", self.vendor),
            )
            .remedy("Nothing was concluded from it. Try again later."),
        )
    }

    /// A web page or a redirect where the API should be.
    pub fn not_the_api(&self, what: &str, response: &Response) -> Failure {
        let got = match response.status {
            300..=399 => format!("a redirect ({})", response.status),
            status => format!("a web page (status {status})"),
        };
        Failure::new(
            Cause::NotTheApi,
            Problem::new(Class::Host, format!("{} answered {what} with {got}, not with data.", self.vendor))
                .remedy("Check the address in the settings; a maintenance page or a proxy in between looks like this too."),
        )
    }
}

fn said(words: &str) -> String {
    let words = words.trim();
    if words.is_empty() { String::new() } else { format!(": {}", crate::model::text::shown(words)) }
}
