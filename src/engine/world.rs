//! The clock and the network of a run: the real ones, or simulated ones for tests (sync-engine section 19).

use std::sync::Arc;

use crate::api::http::Transport;
use crate::model::Moment;

#[derive(Clone)]
pub struct World {
    pub transport: Arc<dyn Transport>,
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Clock {
    Real,
    /// Follows tokio's clock, which tests can pause and move.
    Simulated {
        start: Moment,
        since: tokio::time::Instant,
    },
}

impl World {
    pub fn real(transport: Arc<dyn Transport>) -> Self {
        Self { transport, clock: Clock::Real }
    }

    /// Must be made inside a tokio runtime; `start` is now.
    pub fn simulated(transport: Arc<dyn Transport>, start: Moment) -> Self {
        Self { transport, clock: Clock::Simulated { start, since: tokio::time::Instant::now() } }
    }

    pub fn now(&self) -> Moment {
        match self.clock {
            Clock::Real => Moment::now(),
            Clock::Simulated { start, since } => {
                let passed = jiff::SignedDuration::try_from(since.elapsed()).unwrap_or_default();
                start.checked_add(passed).unwrap_or(start)
            }
        }
    }
}
