//! The clock and the network of a run: the real ones, or simulated ones for tests (sync-engine section 19).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::api::http::Transport;
use crate::model::Moment;

#[derive(Clone)]
pub struct World {
    pub transport: Arc<dyn Transport>,
    clock: Clock,
}

#[derive(Clone)]
enum Clock {
    Real {
        since: std::time::Instant,
    },
    /// Follows tokio's clock, which tests can pause and move; the wall clock can be set apart from it.
    Simulated {
        start: Moment,
        since: tokio::time::Instant,
        stepped: Arc<AtomicI64>,
    },
}

impl World {
    pub fn real(transport: Arc<dyn Transport>) -> Self {
        Self { transport, clock: Clock::Real { since: std::time::Instant::now() } }
    }

    /// Must be made inside a tokio runtime; `start` is now.
    pub fn simulated(transport: Arc<dyn Transport>, start: Moment) -> Self {
        let since = tokio::time::Instant::now();
        Self { transport, clock: Clock::Simulated { start, since, stepped: Arc::default() } }
    }

    /// What the wall clock says.
    pub fn now(&self) -> Moment {
        match &self.clock {
            Clock::Real { .. } => Moment::now(),
            Clock::Simulated { start, since, stepped } => {
                let passed = jiff::SignedDuration::try_from(since.elapsed()).unwrap_or_default();
                let stepped = jiff::SignedDuration::from_secs(stepped.load(Ordering::Relaxed));
                start.checked_add(passed + stepped).unwrap_or(*start)
            }
        }
    }

    /// Time that has passed, whatever the wall clock was set to; sleep of the machine included where the system counts
    /// it.
    pub fn passed(&self) -> Duration {
        match &self.clock {
            Clock::Real { since } => since_boot().unwrap_or_else(|| since.elapsed()),
            Clock::Simulated { since, .. } => since.elapsed(),
        }
    }

    /// Sets a simulated wall clock by so many seconds, as somebody might; a real one is left alone.
    pub fn step(&self, seconds: i64) {
        if let Clock::Simulated { stepped, .. } = &self.clock {
            stepped.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}

#[cfg(target_os = "linux")]
fn since_boot() -> Option<Duration> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?))
}

#[cfg(not(target_os = "linux"))]
const fn since_boot() -> Option<Duration> {
    None
}
