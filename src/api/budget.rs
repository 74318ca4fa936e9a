//! One limiter per host, shared by every job: what may be sent now, and why not yet (P38, sync-engine section 11).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::model::settings::Pace;

/// Retries that a host in trouble gets before we only probe it (sync-engine section 11).
const BUCKET: u32 = 500;
const RETRY_COST: u32 = 14;
const THROTTLE_COST: u32 = 5;
const FIRST_PROBE: Duration = Duration::from_secs(30);
const LAST_PROBE: Duration = Duration::from_secs(300);
/// No `Retry-After` makes us wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Waits that double from `base` up to `cap`, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(60) }
    }
}

impl Backoff {
    fn ceiling(self, turn: u32) -> Duration {
        self.base.saturating_mul(1_u32.checked_shl(turn.saturating_sub(1)).unwrap_or(u32::MAX)).min(self.cap)
    }

    /// Anything up to the turn's ceiling ("full jitter"), for the `turn`-th wait from 1.
    pub fn full(self, turn: u32) -> Duration {
        self.ceiling(turn).mul_f64(chance())
    }

    /// At least half of the ceiling: for a host that asked for patience.
    fn half(self, turn: u32) -> Duration {
        self.ceiling(turn).mul_f64(chance().midpoint(1.0))
    }
}

/// From 0 up to 1.
fn chance() -> f64 {
    getrandom::u64().map_or(0.5, |bits| (bits >> 11) as f64 / (1_u64 << 53) as f64)
}

/// Who goes first when several wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A sign-in or replay on behalf of a call that holds a permit already: it needs no place of its own among those
    /// at once, or both would wait for each other.
    Session,
    /// A person is waiting for it.
    Interactive,
    /// Jobs.
    Bulk,
}

/// What may be sent to one host, and when.
#[derive(Debug)]
pub struct Budget {
    state: Mutex<State>,
    sent: AtomicU64,
    throttles: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// `requests` sends in any `window`, our share of it already taken; `None`: no window.
    limit: Option<Limit>,
    share: f64,
    at_once: u32,
    spacing: Duration,
    backoff: Backoff,
    /// Lowered by 429s, recovering with clean windows.
    factor: f64,
    clean_since: Instant,
    /// When each request of the last window had its answer, oldest first: it arrived at the other side no later.
    log: VecDeque<Instant>,
    /// Permits given whose request has no answer yet: it may arrive at any moment.
    open: u32,
    last_send: Option<Instant>,
    in_flight: u32,
    blocked_until: Option<Instant>,
    throttles_in_row: u32,
    last_throttle: Option<Instant>,
    bucket: u32,
    circuit: Circuit,
    /// One queue a lane, first come first served; last those that are admitted and wait for a place ([`ENTERING`]).
    waiting: [VecDeque<Arc<Notify>>; 4],
}

/// The queue of [`Permit::enter`].
const ENTERING: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit {
    requests: u32,
    window: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Circuit {
    Closed,
    /// One probe at a time, at `probe_at`; the wait after a failed one is `step`.
    Open {
        probe_at: Instant,
        step: Duration,
        probing: bool,
    },
}

/// What holds a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Others are at work; no time can be named.
    Turn,
    /// The least time between two sends.
    Spacing,
    /// The window is used up.
    Window,
    /// The host answered 429.
    Throttled,
    /// The host failed too often; the next probe decides.
    Outage,
}

impl Waiting {
    /// For the job line: "waiting for ...".
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Turn => "a free place",
            Self::Spacing => "the time between two requests",
            Self::Window => "the request limit",
            Self::Throttled => "the host, which asked for a pause",
            Self::Outage => "the host, which does not answer",
        }
    }
}

/// The budget as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Sent within the present window.
    pub used: u32,
    /// What we allow ourselves in a window; `None`: no window.
    pub limit: Option<u32>,
    pub window: Duration,
    pub in_flight: u32,
    pub at_once: u32,
    pub waiting: usize,
    /// Until the next request may go; `None`: now, or unknown (see the reason).
    pub next_free: Option<Duration>,
    pub waiting_reason: Option<Waiting>,
    /// Since this budget was made.
    pub sent: u64,
}

impl Budget {
    pub fn new(pace: Pace) -> Arc<Self> {
        Self::with_backoff(pace, Backoff::default())
    }

    /// A budget whose waits after unexplained 429s start elsewhere than at a second.
    pub fn with_backoff(pace: Pace, backoff: Backoff) -> Arc<Self> {
        let share = if pace.share.is_finite() { pace.share.clamp(0.01, 1.0) } else { 1.0 };
        let limit = (pace.requests > 0).then(|| {
            Limit::shared(pace.requests, Duration::from_secs(pace.per_seconds.max(1).into()), share)
        });
        Arc::new(Self {
            state: Mutex::new(State {
                limit,
                share,
                at_once: pace.at_once.max(1),
                spacing: Duration::from_millis(pace.spacing_ms),
                backoff,
                factor: 1.0,
                clean_since: Instant::now(),
                log: VecDeque::new(),
                open: 0,
                last_send: None,
                in_flight: 0,
                blocked_until: None,
                throttles_in_row: 0,
                last_throttle: None,
                bucket: BUCKET,
                circuit: Circuit::Closed,
                waiting: [const { VecDeque::new() }; 4],
            }),
            sent: AtomicU64::new(0),
            throttles: AtomicU64::new(0),
        })
    }

    /// The right to send one request, when it is this lane's turn. Dropping the future gives the place up; dropping
    /// an unused permit gives its share of the window back.
    pub async fn acquire(self: &Arc<Self>, lane: Lane) -> Permit {
        let slot = lane != Lane::Session;
        self.wait(lane as usize, false, |state, place| self.take(state, lane, slot, place)).await
    }

    /// The same without a place among those at once: for a write, which is noted on the disk while others use the
    /// places. [`Permit::enter`] waits for one.
    pub async fn admit(self: &Arc<Self>, lane: Lane) -> Permit {
        self.wait(lane as usize, false, |state, place| self.take(state, lane, false, place)).await
    }

    /// Waits in a queue, at its end or at its head, until `take` gives something.
    async fn wait<T>(
        self: &Arc<Self>,
        queue: usize,
        at_head: bool,
        mut take: impl FnMut(&mut State, Option<&Arc<Notify>>) -> Result<T, (Option<Instant>, Waiting)>,
    ) -> T {
        if let Ok(taken) = take(&mut self.state(), None) {
            return taken;
        }
        let mut place = Place { budget: self, queue, notify: Arc::new(Notify::new()), queued: true };
        let notify = Arc::clone(&place.notify);
        if at_head {
            self.state().waiting[queue].push_front(notify);
        } else {
            self.state().waiting[queue].push_back(notify);
        }
        loop {
            let until = {
                let mut state = self.state();
                match take(&mut state, Some(&place.notify)) {
                    Ok(taken) => {
                        state.waiting[queue].retain(|other| !Arc::ptr_eq(other, &place.notify));
                        place.queued = false;
                        state.wake_next();
                        return taken;
                    }
                    Err((until, _)) => until,
                }
            };
            match until {
                Some(until) => tokio::select! {
                    () = place.notify.notified() => {}
                    () = sleep_until(until) => {}
                },
                None => place.notify.notified().await,
            }
        }
    }

    fn take(
        self: &Arc<Self>,
        state: &mut State,
        lane: Lane,
        slot: bool,
        place: Option<&Arc<Notify>>,
    ) -> Result<Permit, (Option<Instant>, Waiting)> {
        let ahead = state.waiting[..lane as usize].iter().any(|queue| !queue.is_empty());
        if ahead || !state.is_first(lane as usize, place) {
            return Err((None, Waiting::Turn));
        }
        let now = Instant::now();
        state.settle(now);
        if let Some(held) = state.held(now, lane, slot) {
            return Err(held);
        }
        let probe = lane != Lane::Session && state.begin_probe();
        if slot {
            state.in_flight += 1;
        }
        state.open += 1;
        state.last_send = Some(now);
        Ok(Permit { budget: Arc::clone(self), stamp: now, sent: false, slot, probe })
    }

    /// Requests sent since this budget was made.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How often the host asked for a pause since this budget was made.
    pub fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed)
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.state();
        let now = Instant::now();
        state.settle(now);
        let held = state.held(now, Lane::Bulk, true);
        Snapshot {
            used: u32::try_from(state.used()).unwrap_or(u32::MAX),
            limit: state.limit.map(|limit| limit.lowered(state.factor)),
            window: state.limit.map_or(Duration::ZERO, |limit| limit.window),
            in_flight: state.in_flight,
            at_once: state.at_once,
            waiting: state.waiting.iter().map(VecDeque::len).sum(),
            next_free: held.and_then(|(until, _)| until).map(|until| until.saturating_duration_since(now)),
            waiting_reason: held.map(|(_, why)| why),
            sent: self.sent(),
        }
    }

    /// When the requests of the present window arrived at the latest, in seconds since 1970, rounded up: what a restart
    /// must know so as not to exceed the window.
    pub fn export_log(&self) -> Vec<i64> {
        let mut state = self.state();
        let now = Instant::now();
        state.settle(now);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let open = std::iter::repeat_n(now, state.limit.map_or(0, |_| state.open as usize));
        state
            .log
            .iter()
            .copied()
            .chain(open)
            .map(|at| (wall.saturating_sub(now.saturating_duration_since(at))).as_secs_f64().ceil() as i64)
            .collect()
    }

    /// Counts sends of an earlier process. Times in the future (a clock was set back) count as now.
    pub fn import_log(&self, sends: &[i64]) {
        let mut state = self.state();
        if state.limit.is_none() {
            return;
        }
        let now = Instant::now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        for send in sends {
            let age = wall.saturating_sub(Duration::from_secs(u64::try_from(*send).unwrap_or(0)));
            if let Some(at) = now.checked_sub(age) {
                state.log.push_back(at);
            }
        }
        state.log.make_contiguous().sort_unstable();
        state.settle(now);
    }

    /// The host answered: it lives. A success on the first try earns patience for later.
    pub(super) fn answered(&self, permit: &mut Permit, first_try: bool) {
        let mut state = self.state();
        permit.probe = false;
        state.throttles_in_row = 0;
        if first_try && state.bucket < BUCKET {
            state.bucket += 1;
        }
        if state.circuit != Circuit::Closed {
            state.circuit = Circuit::Closed;
            state.bucket = state.bucket.max(BUCKET / 2);
            state.wake_next();
        }
    }

    /// The host did not answer, or answered that it cannot.
    pub(super) fn failed(&self, permit: &mut Permit) {
        let mut state = self.state();
        if std::mem::take(&mut permit.probe)
            && let Circuit::Open { step, .. } = state.circuit
        {
            let step = (step * 2).min(LAST_PROBE);
            state.circuit = Circuit::Open { probe_at: Instant::now() + step, step, probing: false };
            state.wake_next();
        }
    }

    /// Pays for a retry. An empty bucket opens the circuit: from then on one probe at a time.
    pub(super) fn charge_retry(&self) {
        self.state().charge(RETRY_COST);
    }

    /// The host answered 429 to a request sent at `sent_at`. Several answers to requests that were under way together
    /// count as one.
    pub(super) fn throttled(&self, permit: &mut Permit, retry_after: Option<Duration>, text: &str) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        let now = Instant::now();
        if std::mem::take(&mut permit.probe)
            && let Circuit::Open { probing, .. } = &mut state.circuit
        {
            *probing = false;
        }
        if let Some((requests, window)) = limit_in(text) {
            let share = state.share;
            state.learn(Limit::shared(requests, window, share));
        }
        if state.last_throttle.is_none_or(|last| permit.stamp > last) {
            state.factor = (state.factor * 0.7).max(0.01);
            state.throttles_in_row += 1;
            state.last_throttle = Some(now);
            state.charge(THROTTLE_COST);
        }
        state.clean_since = now;
        let turn = state.throttles_in_row.max(1);
        let wait = match (retry_after, state.limit) {
            (Some(asked), _) => asked.max(state.backoff.full(turn)).min(LONGEST_WAIT),
            // Shorter waits are known to fail against a window (apis/halopsa.md 2.5).
            (None, Some(limit)) => {
                (limit.window / 4).saturating_mul(1 << (turn - 1).min(2)).min(limit.window)
            }
            (None, None) => state.backoff.half(turn),
        };
        let until = now + wait;
        state.blocked_until = Some(state.blocked_until.map_or(until, |already| already.max(until)));
        state.wake_next();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limit {
    fn shared(requests: u32, window: Duration, share: f64) -> Self {
        Self { requests: ((f64::from(requests) * share).floor() as u32).max(1), window }
    }

    fn lowered(self, factor: f64) -> u32 {
        ((f64::from(self.requests) * factor).floor() as u32).max(1)
    }

    /// A little more than the window: two clocks do not tick alike.
    fn guarded(self) -> Duration {
        self.window + (self.window / 1000).min(Duration::from_millis(200))
    }

    fn rate(self) -> f64 {
        f64::from(self.requests) / self.window.as_secs_f64()
    }
}

impl State {
    /// Forgets requests that are older than the window, lets a lowered rate recover.
    fn settle(&mut self, now: Instant) {
        let Some(limit) = self.limit else { return };
        while self.log.front().is_some_and(|at| now.saturating_duration_since(*at) >= limit.guarded()) {
            self.log.pop_front();
        }
        while self.factor < 1.0 && now.saturating_duration_since(self.clean_since) >= limit.window {
            self.factor = (self.factor + 0.05).min(1.0);
            self.clean_since += limit.window;
        }
    }

    /// Whether it stands at the head of a queue, or would.
    fn is_first(&self, queue: usize, place: Option<&Arc<Notify>>) -> bool {
        match (self.waiting[queue].front(), place) {
            (None, _) => true,
            (Some(front), Some(place)) => Arc::ptr_eq(front, place),
            (Some(_), None) => false,
        }
    }

    /// Whether what is sent next tells if a host in trouble is back.
    fn begin_probe(&mut self) -> bool {
        let Circuit::Open { probing, .. } = &mut self.circuit else { return false };
        *probing = true;
        true
    }

    /// What the host keeps from being sent: it asked for a pause, or (`is_probe` apart) does not answer.
    fn shut(&self, now: Instant, is_probe: bool) -> Option<(Option<Instant>, Waiting)> {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Some((Some(until), Waiting::Throttled));
        }
        match self.circuit {
            Circuit::Open { .. } if is_probe => None,
            Circuit::Open { probing: true, .. } => Some((None, Waiting::Outage)),
            Circuit::Open { probe_at, .. } if probe_at > now => Some((Some(probe_at), Waiting::Outage)),
            _ => None,
        }
    }

    /// What keeps this lane from sending now, and until when where that is known; `slot`: with a place among those at
    /// once.
    fn held(&self, now: Instant, lane: Lane, slot: bool) -> Option<(Option<Instant>, Waiting)> {
        if let Some(shut) = self.shut(now, lane == Lane::Session) {
            return Some(shut);
        }
        if slot && self.in_flight >= self.at_once {
            return Some((None, Waiting::Turn));
        }
        if let Some(limit) = self.limit {
            // The other side counts arrivals: one lies anywhere between send and answer.
            let most = limit.lowered(self.factor);
            // Who holds a permit may be waiting for this very sign-in.
            let open = if lane == Lane::Session && self.open >= most { 0 } else { self.open };
            let allowed = most.saturating_sub(open) as usize;
            let too_many = self.log.len().checked_sub(allowed);
            if let Some(until) = too_many.map(|last| self.log.get(last).map(|at| *at + limit.guarded()))
                && until.is_none_or(|until| until > now)
            {
                return Some((until, Waiting::Window));
            }
        }
        let until = self.last_send.map(|last| last + self.spacing).filter(|until| *until > now)?;
        Some((Some(until), Waiting::Spacing))
    }

    /// A permit's request is over: it was answered, given up, or never sent.
    fn landed(&mut self, sent: bool) {
        self.open = self.open.saturating_sub(1);
        if sent && self.limit.is_some() {
            self.log.push_back(Instant::now());
        }
    }

    /// Of the present window: what was sent in it, and what is under way.
    fn used(&self) -> usize {
        self.log.len() + self.open as usize
    }

    fn learn(&mut self, theirs: Limit) {
        if self.limit.is_none_or(|ours| theirs.rate() < ours.rate()) {
            self.limit = Some(theirs);
        }
    }

    fn charge(&mut self, cost: u32) {
        self.bucket = self.bucket.saturating_sub(cost);
        if self.bucket < RETRY_COST && self.circuit == Circuit::Closed {
            self.circuit =
                Circuit::Open { probe_at: Instant::now() + FIRST_PROBE, step: FIRST_PROBE, probing: false };
        }
    }

    /// What keeps an admitted request from a place: people who wait for one go first.
    fn kept_out(&self, now: Instant, is_probe: bool) -> Option<(Option<Instant>, Waiting)> {
        let people = match self.held(now, Lane::Interactive, false) {
            None => self.waiting[Lane::Interactive as usize].len() as u32,
            Some(_) => 0,
        };
        let is_full = self.in_flight.saturating_add(people) >= self.at_once;
        self.shut(now, is_probe).or(is_full.then_some((None, Waiting::Turn)))
    }

    fn wake_next(&self) {
        let (entering, lanes) = (&self.waiting[ENTERING], &self.waiting[..ENTERING]);
        for first in [entering.front(), lanes.iter().find_map(VecDeque::front)].into_iter().flatten() {
            first.notify_one();
        }
    }
}

/// A place in the queue, left when the wait is given up.
struct Place<'a> {
    budget: &'a Arc<Budget>,
    queue: usize,
    notify: Arc<Notify>,
    queued: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.queued {
            let mut state = self.budget.state();
            state.waiting[self.queue].retain(|other| !Arc::ptr_eq(other, &self.notify));
            state.wake_next();
        }
    }
}

/// The right to send one request. It counts in the window from the moment it was given until a window after its answer;
/// the place among those at once is free again when it is dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
    stamp: Instant,
    sent: bool,
    slot: bool,
    probe: bool,
}

impl Permit {
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Waits for a place among those at once, where it was [admitted](Budget::admit) without one.
    pub async fn enter(&mut self) {
        if self.slot {
            return;
        }
        let budget = Arc::clone(&self.budget);
        // Those who wait here wait for the probe: it must not wait behind them.
        let was_probe = self.probe;
        self.probe |= budget
            .wait(ENTERING, was_probe, |state, place| {
                let now = Instant::now();
                if !state.is_first(ENTERING, place) {
                    return Err((None, Waiting::Turn));
                }
                state.kept_out(now, was_probe).map_or_else(
                    || {
                        state.in_flight += 1;
                        Ok(state.begin_probe())
                    },
                    Err,
                )
            })
            .await;
        self.slot = true;
    }

    /// The request goes out.
    pub(super) fn sending(&mut self) {
        self.stamp = Instant::now();
        self.budget.state().last_send = Some(self.stamp);
        self.sent = true;
        self.budget.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// The lane to wait in for another one of its kind, for a caller of `lane`.
    pub(super) const fn lane(&self, lane: Lane) -> Lane {
        if self.slot { lane } else { Lane::Session }
    }

    pub(super) const fn was_sent(&self) -> bool {
        self.sent
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.landed(self.sent);
        if self.slot {
            state.in_flight = state.in_flight.saturating_sub(1);
        }
        if self.probe
            && let Circuit::Open { probing, .. } = &mut state.circuit
        {
            *probing = false;
        }
        state.wake_next();
    }
}

/// The wait a `Retry-After` header asks for: whole seconds or an HTTP date, at most an hour.
pub fn retry_after(header: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = header?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Duration::from_secs_f64(seconds.min(1e6)),
        Ok(_) => return None,
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A limit that a refusal states, such as "300 Requests per rolling 5 minute window" (apis/halopsa.md 2.5).
fn limit_in(text: &str) -> Option<(u32, Duration)> {
    let words: Vec<String> = text
        .get(..text.len().min(500))
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let at =
        words.windows(2).position(|pair| pair[1].starts_with("request") && pair[0].parse::<u32>().is_ok())?;
    let requests: u32 = words[at].parse().ok().filter(|n| (1..=10_000_000).contains(n))?;
    let rest = &words[at + 2..];
    let unit_at = rest.iter().position(|word| unit(word).is_some())?;
    let seconds = unit(&rest[unit_at])?;
    let number = unit_at.checked_sub(1).and_then(|before| rest[before].parse::<u64>().ok()).unwrap_or(1);
    let window = number.checked_mul(seconds).filter(|seconds| (1..=86_400).contains(seconds))?;
    Some((requests, Duration::from_secs(window)))
}

fn unit(word: &str) -> Option<u64> {
    match word {
        "second" | "seconds" | "sec" | "s" => Some(1),
        "minute" | "minutes" | "min" => Some(60),
        "hour" | "hours" => Some(3600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_refusals() {
        let five_minutes = Duration::from_secs(300);
        assert_eq!(
            limit_in("\"Rate Limit Reached - 300 Requests per rolling 5 minute window\""),
            Some((300, five_minutes))
        );
        assert_eq!(limit_in("max 60 requests per minute"), Some((60, Duration::from_secs(60))));
        for none in [
            "",
            "Too many requests",
            "0 requests per 5 minutes",
            "300 requests",
            "5 requests per 99999 hours",
        ] {
            assert_eq!(limit_in(none), None, "{none}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_an_hour() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let in_a_minute = httpdate::fmt_http_date(now + Duration::from_secs(60));
        assert_eq!(retry_after(Some("17"), now), Some(Duration::from_secs(17)));
        assert_eq!(retry_after(Some(&in_a_minute), now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after(Some("Wed, 21 Oct 2015 07:28:00 GMT"), now), Some(Duration::ZERO));
        assert_eq!(retry_after(Some("999999"), now), Some(Duration::from_secs(3600)));
        for none in [None, Some("soon"), Some("-5"), Some("NaN"), Some("")] {
            assert_eq!(retry_after(none, now), None, "{none:?}");
        }
    }
}
