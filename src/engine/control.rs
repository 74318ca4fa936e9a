//! What a person wishes of a running job: go, pause, cancel, stop. Its workers ask before each record.

use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Go,
    /// No new request starts; those in hand finish.
    Pause,
    /// As pause, then the rest of the plan is dropped.
    Cancel,
    /// As pause, then the job ends as interrupted and can be resumed.
    Stop,
}

/// Both ends: workers wait on it, people set it.
#[derive(Clone)]
pub struct Control {
    wish: watch::Sender<Wish>,
}

impl Default for Control {
    fn default() -> Self {
        Self { wish: watch::Sender::new(Wish::Go) }
    }
}

impl Control {
    pub fn set(&self, wish: Wish) {
        self.wish.send_modify(|now| {
            // A cancelled or stopped job does not go on by itself.
            if !matches!(*now, Wish::Cancel | Wish::Stop) {
                *now = wish;
            }
        });
    }

    pub fn get(&self) -> Wish {
        *self.wish.borrow()
    }

    /// Waits while paused. `false`: the job ends here.
    pub async fn may_go(&self) -> bool {
        if self.get() == Wish::Go {
            return true;
        }
        let mut wish = self.wish.subscribe();
        match wish.wait_for(|w| *w != Wish::Pause).await {
            Ok(wish) => *wish == Wish::Go,
            Err(_) => false,
        }
    }

    /// Resolves when the job is to end.
    pub async fn ended(&self) {
        let mut wish = self.wish.subscribe();
        let _ = wish.wait_for(|w| matches!(w, Wish::Cancel | Wish::Stop)).await;
    }
}
