//! The one way to the engine for everyone above it.

use tokio::sync::{broadcast, mpsc, oneshot};

use super::Call;
use super::words::{Answer, Command, Event, Query, Reply};
use crate::model::{Class, Problem};

/// Holds the line to one engine. Cheap to clone; dropping all of them ends nothing.
#[derive(Debug, Clone)]
pub struct Handle {
    calls: mpsc::UnboundedSender<Call>,
    events: broadcast::Sender<Event>,
    is_shared: bool,
}

impl Handle {
    pub fn new(calls: mpsc::UnboundedSender<Call>, events: broadcast::Sender<Event>) -> Self {
        Self { calls, events, is_shared: false }
    }

    /// The same line to an engine that lives in a process of its own.
    pub(super) fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// Whether the engine outlives this process and may have other viewers. [`Command::Stop`] then ends what was
    /// started through this handle, not the engine.
    pub const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Does a command. Long ones answer when they are done ([`Command::Apply`] and [`Command::Run`] when the job
    /// has started).
    pub async fn send(&self, command: Command) -> Result<Reply, Problem> {
        let (answer, reply) = oneshot::channel();
        self.calls.send(Call::Do(command, answer)).map_err(|_| gone())?;
        reply.await.map_err(|_| gone())?
    }

    /// Does a command for another person; the trail and the job name them.
    pub async fn send_for(&self, by: String, command: Command) -> Result<Reply, Problem> {
        let (answer, reply) = oneshot::channel();
        self.calls.send(Call::DoFor(by, command, answer)).map_err(|_| gone())?;
        reply.await.map_err(|_| gone())?
    }

    /// Asks; answered at once.
    pub async fn ask(&self, query: Query) -> Result<Answer, Problem> {
        let (answer, reply) = oneshot::channel();
        self.calls.send(Call::Ask(query, answer)).map_err(|_| gone())?;
        reply.await.map_err(|_| gone())?
    }

    /// Events from now on. A receiver that falls behind is told so and asks anew; the engine never waits for it.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}

fn gone() -> Problem {
    Problem::new(Class::Local, "The engine has stopped.")
        .remedy("Start Parhelion again; what was under way can be resumed.")
}
