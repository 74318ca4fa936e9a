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
}

impl Handle {
    pub fn new(calls: mpsc::UnboundedSender<Call>, events: broadcast::Sender<Event>) -> Self {
        Self { calls, events }
    }

    /// Does a command. Long ones answer when they are done ([`Command::Apply`] and [`Command::Run`] when the job
    /// has started).
    pub async fn send(&self, command: Command) -> Result<Reply, Problem> {
        let (answer, reply) = oneshot::channel();
        self.calls.send(Call::Do(command, answer)).map_err(|_| gone())?;
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
