use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parhelion::api::budget::{Budget, Lane, Waiting};
use parhelion::api::call::{Caller, Effect, Retry};
use parhelion::api::http::{Request, SendErrorKind, Url};
use parhelion::model::settings::Pace;
use proptest::prelude::*;
use tokio::time::{Instant, advance, timeout};

use crate::support::*;

fn caller(vendor: &Arc<Vendor>, budget: &Arc<Budget>) -> Caller {
    Caller {
        vendor: "Halo",
        transport: vendor.clone(),
        budget: budget.clone(),
        lane: Lane::Bulk,
        retry: Retry::default(),
    }
}

fn request() -> Request {
    Request::get(Url::parse("https://halo.example/api/Client").unwrap())
}

async fn read(caller: &Caller) {
    let permit = caller.budget.acquire(caller.lane).await;
    caller.call(Effect::Read, "it", permit, request(), |_| Ok(())).await.unwrap();
}

/// The most sends in any window that begins with a send.
fn busiest(sends: &[Instant], window: Duration) -> usize {
    sends
        .iter()
        .map(|from| sends.iter().filter(|at| *at >= from && **at < *from + window).count())
        .max()
        .unwrap_or(0)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_window_is_never_exceeded_and_nearly_used_up(
        limit in 1_u32..60, seconds in 1_u32..400, workers in 1_usize..6, latency in 0_u64..40, windows in 2_u32..5,
    ) {
        run(async move {
            // Short enough that the window, not the work, is the limit.
            let latency = Duration::from_millis(latency).min(Duration::from_secs(seconds.into()) / (limit * 4));
            let vendor = Vendor::slow(latency, |_| ok("{}"));
            let budget = Budget::new(window(limit, seconds));
            let window = Duration::from_secs(seconds.into());
            let end = Instant::now() + window * windows;
            join_all((0..workers).map(|_| async {
                let caller = caller(&vendor, &budget);
                while Instant::now() < end { read(&caller).await; }
            })).await;
            let sends: Vec<Instant> = vendor.asked().iter().map(|asked| asked.at).filter(|at| *at < end).collect();
            prop_assert!(busiest(&sends, window) <= limit as usize, "{} > {limit}", busiest(&sends, window));
            let least = f64::from(limit) * f64::from(windows) * 0.98;
            // The last window may end within the guard; whole windows before it may not.
            prop_assert!(sends.len() as f64 >= least.floor() - 1.0, "{} of {least}", sends.len());
            Ok(())
        })?;
    }
}

/// A network in which a request takes its time to arrive, and its answer to come back.
struct Network {
    arrivals: std::sync::Mutex<Vec<Instant>>,
    delays: Vec<(u64, u64)>,
}

impl parhelion::api::http::Transport for Network {
    fn send(&self, _: Request) -> futures_util::future::BoxFuture<'_, Answer> {
        Box::pin(async move {
            let turn = self.arrivals.lock().unwrap().len();
            let (there, back) = self.delays[turn % self.delays.len()];
            tokio::time::sleep(Duration::from_millis(there)).await;
            self.arrivals.lock().unwrap().push(Instant::now());
            tokio::time::sleep(Duration::from_millis(back)).await;
            ok("{}")
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_window_counts_arrivals_however_long_a_request_is_under_way(
        limit in 2_u32..40, seconds in 1_u32..30, workers in 2_usize..8,
        delays in prop::collection::vec((0_u64..900, 0_u64..100), 1..9),
    ) {
        run(async move {
            let network = Arc::new(Network { arrivals: std::sync::Mutex::default(), delays });
            let budget = Budget::new(Pace { at_once: 8, ..window(limit, seconds) });
            let window = Duration::from_secs(seconds.into());
            let end = Instant::now() + window * 4;
            join_all((0..workers).map(|_| async {
                let caller = Caller { transport: network.clone(), ..caller(&Vendor::new(|_| ok("{}")), &budget) };
                while Instant::now() < end { read(&caller).await; }
            })).await;
            let arrivals = network.arrivals.lock().unwrap().clone();
            prop_assert!(busiest(&arrivals, window) <= limit as usize, "{} > {limit}", busiest(&arrivals, window));
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_never_waits_for_the_permit_that_waits_for_it() {
    let budget = Budget::new(window(1, 10));
    let held = permit(&budget).await;
    let session = timeout(Duration::from_secs(60), budget.acquire(Lane::Session)).await;
    drop((session.expect("it gets a place"), held));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_at_once_and_no_closer_than_the_spacing() {
    let vendor = Vendor::slow(Duration::from_millis(300), |_| ok("{}"));
    let budget = Budget::new(Pace { at_once: 1, spacing_ms: 1000, ..free() });
    let caller = caller(&vendor, &budget);
    join_all((0..5).map(|_| read(&caller))).await;
    let sends: Vec<Instant> = vendor.asked().iter().map(|asked| asked.at).collect();
    assert!(sends.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(1)), "{sends:?}");
    assert_eq!(budget.sent(), 5);

    let budget = Budget::new(Pace { at_once: 2, ..free() });
    let (_first, _second) = (permit(&budget).await, permit(&budget).await);
    assert!(timeout(Duration::from_secs(60), permit(&budget)).await.is_err());
    assert_eq!(budget.snapshot().waiting_reason, Some(Waiting::Turn));
    assert_eq!(budget.snapshot().waiting, 0, "a wait that was given up leaves the queue");
}

#[tokio::test(start_paused = true)]
async fn a_person_goes_before_jobs_and_a_dropped_permit_is_given_back() {
    let budget = Budget::new(Pace { at_once: 1, ..window(3, 100) });
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let first = permit(&budget).await;
    let mut tasks = Vec::new();
    for (name, lane) in [("job 1", Lane::Bulk), ("job 2", Lane::Bulk), ("person", Lane::Interactive)] {
        let (budget, order) = (budget.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let permit = budget.acquire(lane).await;
            order.lock().unwrap().push(name);
            drop(permit);
        }));
        tokio::task::yield_now().await;
    }
    drop(first);
    let started = Instant::now();
    join_all(tasks).await;
    assert_eq!(*order.lock().unwrap(), ["person", "job 1", "job 2"]);
    // Four permits of a window of three, none sent: nothing was used up.
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!((budget.snapshot().used, budget.sent()), (0, 0));
}

/// A write is admitted, noted on the disk, and only then takes a place: meanwhile others have the places, but never
/// more of the window than there is, however long it takes.
#[tokio::test(start_paused = true)]
async fn what_is_admitted_counts_in_the_window_and_enters_when_there_is_room() {
    let vendor = Vendor::new(|_| ok("{}"));
    let budget = Budget::new(Pace { at_once: 1, ..window(3, 10) });
    let caller = caller(&vendor, &budget);
    let taken = permit(&budget).await;
    let (mut first, mut second) = (budget.admit(Lane::Bulk).await, budget.admit(Lane::Bulk).await);
    assert_eq!((budget.snapshot().in_flight, budget.snapshot().used), (1, 3));
    assert!(
        timeout(Duration::from_secs(60), budget.admit(Lane::Bulk)).await.is_err(),
        "a fourth in the window"
    );
    assert!(timeout(Duration::from_secs(60), first.enter()).await.is_err(), "a second at once");
    drop(taken);
    first.enter().await;
    assert!(timeout(Duration::from_secs(60), second.enter()).await.is_err(), "a second at once");
    let began = Instant::now();
    caller.call(Effect::Create, "it", first, request(), |_| Ok(())).await.unwrap();
    second.enter().await;
    caller.call(Effect::Create, "it", second, request(), |_| Ok(())).await.unwrap();
    read(&caller).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "the unused permit's share was given back");
    read(&caller).await;
    assert!(began.elapsed() >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_person_goes_before_what_is_admitted_and_a_pause_holds_it_too() {
    let vendor = Vendor::new(|_| with_header(answer(429, "\"slow down\""), "retry-after", "30"));
    let budget = Budget::new(Pace { at_once: 1, ..free() });
    let taken = permit(&budget).await;
    let mut admitted = budget.admit(Lane::Bulk).await;
    let (order, started) = (Arc::new(std::sync::Mutex::new(Vec::new())), Instant::now());
    let person = tokio::spawn({
        let (budget, order) = (budget.clone(), order.clone());
        async move {
            let permit = budget.acquire(Lane::Interactive).await;
            order.lock().unwrap().push("person");
            drop(permit);
        }
    });
    tokio::task::yield_now().await;
    let write = tokio::spawn({
        let order = order.clone();
        async move {
            admitted.enter().await;
            order.lock().unwrap().push("write");
        }
    });
    tokio::task::yield_now().await;
    drop(taken);
    join_all([person, write]).await;
    assert_eq!(*order.lock().unwrap(), ["person", "write"]);
    assert_eq!(started.elapsed(), Duration::ZERO);

    let mut late = budget.admit(Lane::Bulk).await;
    let mut caller = caller(&vendor, &budget);
    caller.retry = Retry::once();
    let held = permit(&budget).await;
    caller.call(Effect::Create, "it", held, request(), |_| Ok(())).await.unwrap_err();
    late.enter().await;
    assert!(started.elapsed() >= Duration::from_secs(30), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_permit_counts_from_the_send_not_from_when_it_was_given() {
    let vendor = Vendor::new(|_| ok("{}"));
    let budget = Budget::new(window(1, 10));
    let caller = caller(&vendor, &budget);
    let held = permit(&budget).await;
    advance(Duration::from_secs(9)).await;
    caller.call(Effect::Create, "it", held, request(), |_| Ok(())).await.unwrap();
    read(&caller).await;
    let asked = vendor.asked();
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_haste_is_waited_out_as_long_as_it_asks() {
    for (header, least, most) in [
        (Some("17".to_owned()), 17, 18),
        (Some(httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(120))), 118, 121),
        (Some("99999".to_owned()), 3600, 3601),
        // No header: a quarter of the window, since anything shorter is known to fail.
        (None, 75, 76),
    ] {
        let mut turn = 0;
        let retry_after = header.clone();
        let vendor = Vendor::new(move |_| {
            turn += 1;
            match (turn, &retry_after) {
                (1, Some(value)) => with_header(answer(429, "\"slow down\""), "retry-after", value),
                (1, None) => answer(429, "\"slow down\""),
                _ => ok("{}"),
            }
        });
        let budget = Budget::new(window(300, 300));
        let started = Instant::now();
        read(&caller(&vendor, &budget)).await;
        let waited = started.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "{header:?}: {waited} s");
        assert_eq!(vendor.asked().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_window_back_off_and_ones_under_way_together_count_once() {
    let mut turn = 0;
    let vendor = Vendor::new(move |_| {
        turn += 1;
        if turn <= 6 { answer(429, "") } else { ok("{}") }
    });
    let budget = Budget::new(Pace { at_once: 1, ..free() });
    read(&caller(&vendor, &budget)).await;
    let asked = vendor.asked();
    let waits: Vec<f64> = asked.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
    for (turn, wait) in waits.iter().enumerate() {
        let ceiling = f64::from(1 << turn.min(6)).min(60.0);
        assert!(*wait >= ceiling / 2.0 - 0.002 && *wait <= ceiling + 0.002, "wait {turn}: {wait}");
    }

    let vendor = Vendor::slow(Duration::from_millis(50), {
        let mut turn = 0;
        move |_| {
            turn += 1;
            if turn <= 4 { answer(429, "") } else { ok("{}") }
        }
    });
    let budget = Budget::new(window(100, 100));
    let caller = caller(&vendor, &budget);
    join_all((0..4).map(|_| read(&caller))).await;
    assert_eq!(budget.snapshot().limit, Some(70), "lowered once, by 0.7");
    advance(Duration::from_secs(201)).await;
    assert!((75..=85).contains(&budget.snapshot().limit.unwrap()), "recovers 5 % a clean window");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_the_host_states_lowers_ours_never_raises_it() {
    let text = "\"Rate Limit Reached - 300 Requests per rolling 5 minute window\"";
    for (pace, expected) in [(window(1000, 300), 300), (window(100, 300), 100), (free(), 300)] {
        let mut turn = 0;
        let vendor = Vendor::new(move |_| {
            turn += 1;
            if turn == 1 { answer(429, text) } else { ok("{}") }
        });
        let budget = Budget::new(pace);
        read(&caller(&vendor, &budget)).await;
        advance(Duration::from_secs(300 * 10)).await;
        assert_eq!(budget.snapshot().limit, Some(expected));
        assert_eq!(budget.snapshot().window, Duration::from_secs(300));
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_forget_the_window() {
    let vendor = Vendor::new(|_| ok("{}"));
    let before = Budget::new(window(5, 100));
    for _ in 0..4 {
        read(&caller(&vendor, &before)).await;
    }
    let after = Budget::new(window(5, 100));
    after.import_log(&before.export_log());
    assert_eq!(after.snapshot().used, 4);
    let caller = caller(&vendor, &after);
    let started = Instant::now();
    read(&caller).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    read(&caller).await;
    assert!(started.elapsed() >= Duration::from_secs(99), "{:?}", started.elapsed());
    after.import_log(&[i64::MAX, i64::MIN, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_host_in_trouble_is_probed_until_it_answers() {
    let up_at = Instant::now() + Duration::from_secs(1800);
    let vendor =
        Vendor::new(move |_| if Instant::now() < up_at { broken(SendErrorKind::Connect) } else { ok("{}") });
    let budget = Budget::new(free());
    let mut waited_for_outage = false;
    let one = caller(&vendor, &budget);
    while Instant::now() < up_at {
        let permit = budget.acquire(Lane::Bulk).await;
        let _ = one.call(Effect::Read, "it", permit, request(), |_| Ok(())).await;
        waited_for_outage |= budget.snapshot().waiting_reason == Some(Waiting::Outage);
    }
    assert!(waited_for_outage);
    let asked = vendor.asked();
    let last_gap = asked[asked.len() - 1].at - asked[asked.len() - 2].at;
    assert!(last_gap >= Duration::from_secs(290), "probes grow to five minutes: {last_gap:?}");
    read(&one).await;
    read(&one).await;
    assert_ne!(budget.snapshot().waiting_reason, Some(Waiting::Outage));
}

/// A write that was admitted before the host fell silent waits for the probe, so the probe must not wait behind it.
#[tokio::test(start_paused = true)]
async fn a_probe_passes_what_was_admitted_before_the_host_fell_silent() {
    let vendor = Vendor::new(|_| broken(SendErrorKind::Connect));
    let budget = Budget::new(Pace { at_once: 1, ..free() });
    let mut before = budget.admit(Lane::Bulk).await;
    while budget.snapshot().waiting_reason != Some(Waiting::Outage) {
        let caller = caller(&vendor, &budget);
        let permit = permit(&budget).await;
        let read = caller.call(Effect::Read, "it", permit, request(), |_| Ok(()));
        let _ = timeout(Duration::from_millis(100), read).await;
    }
    let answers = Vendor::new(|_| ok("{}"));
    let caller = caller(&answers, &budget);
    let probe_at = budget.snapshot().next_free.unwrap();
    let after = async {
        tokio::time::sleep(probe_at).await;
        let mut permit = budget.admit(Lane::Bulk).await;
        permit.enter().await;
        caller.call(Effect::Create, "it", permit, request(), |_| Ok(())).await.unwrap();
    };
    let before = async {
        before.enter().await;
        caller.call(Effect::Create, "it", before, request(), |_| Ok(())).await.unwrap();
    };
    // The one that comes later is asked first.
    timeout(Duration::from_secs(3600), futures_util::future::join(after, before))
        .await
        .expect("neither waits for the other");
}
