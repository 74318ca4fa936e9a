//! Jobs: read both sides, plan, apply, recover. The engine does not know that screens exist.
//!
//! | file | is |
//! |---|---|
//! | `records` | the facts of the audit trail, and how the index follows from them |
//! | `keys`, `book` | where things lie in the index; typed reads, and the one way to write |
//! | `connect` | the vendors' clients for one job |
//! | `extract` | both sides, read into a snapshot |
//! | `planning` | a snapshot into a stored plan |
//! | `apply`, `target`, `fresh` | the write protocol, Halo as its target, what changed since the plan |
//! | `glance` | rows of a stored plan, as far as their turn |
//! | `verify` | reading back what was written |
//! | `narrow`, `undo` | which records a narrow plan is about; the plan that takes a job back |
//! | `issues` | what waits for a person, over all jobs |
//! | `recover` | what became of requests without an answer |
//! | `job`, `tally`, `control`, `log` | one execution: its course, counters, wishes of people, log |
//! | `customers` | the mapping table |
//! | `scheduler` | when jobs start by themselves |
//! | `lifecycle` | the planning workspace |
//! | `setup` | settings, secrets, tests |
//! | `views` | answers for screens and scripts |
//! | `audit`, `doctor` | the trail as people read it; whether everything is sound |
//! | `metrics` | figures for a monitoring system |
//! | `retention` | how long trail and logs are kept |
//! | `expiry` | secrets that expire |
//! | `notices` | tells people who are not looking |
//! | `profiles` | the profiles of this user, looked at from outside |
//! | `desk` | takes calls, hands out answers |
//! | `world` | clock and network, real or simulated |

pub mod apply;
mod assets;
pub mod audit;
pub mod book;
pub mod connect;
pub mod control;
pub mod customers;
pub mod desk;
pub mod doctor;
pub mod expiry;
pub mod extract;
pub mod fields;
pub mod fresh;
mod glance;
pub mod hudu;
pub mod issues;
pub mod job;
mod keys;
mod layouts;
pub mod lifecycle;
pub mod liongard;
pub mod log;
pub mod metrics;
mod narrow;
pub mod notices;
mod past_rows;
pub mod planning;
mod polling;
pub mod profiles;
pub mod records;
pub mod recover;
pub mod restored;
pub mod retention;
pub mod scheduler;
pub mod setup;
pub mod tally;
pub mod target;
mod undo;
mod verify;
pub mod views;
pub mod words;
pub mod world;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::task::JoinSet;

use book::Book;
use world::World;

use crate::api::budget::Budget;
use crate::engine::words::Event;
use crate::model::settings::{Pace, Settings};
use crate::model::{Installation, Integration, JobId, Place, PlanId, Problem};
use crate::store::{Places, Vault};

/// Everything a profile's engine holds. One a store.
pub struct Engine {
    pub book: Book,
    pub vault: Mutex<Vault>,
    pub places: Places,
    pub world: World,
    pub installation: Installation,
    pub protocol: Protocol,
    /// Who gives the orders of this process: the operating system's user, and from where.
    by: String,
    events: broadcast::Sender<Event>,
    live: Mutex<Live>,
    notices: notices::Notices,
    tasks: Mutex<JoinSet<()>>,
    scheduler: scheduler::Scheduler,
    /// One at a time changes Hudu's layouts: two would make each twice.
    layout_turn: tokio::sync::Mutex<()>,
}

/// The write protocol's two guards and its steps, as tests reach them: they switch a guard off to show that the
/// simulation finds what it prevents, and end the process at a step.
#[derive(Clone)]
pub struct Protocol {
    pub durable_intent: bool,
    pub settle: bool,
    pub failpoint: Option<Failpoint>,
}

/// Asked at each step; `true` ends the simulated process there.
pub type Failpoint = Arc<dyn Fn(Step) -> bool + Send + Sync>;

/// Where a simulated process can end (sync-engine 5.3, 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Both sides are read, nothing is planned.
    Read,
    /// The plan is stored, not approved.
    Planned,
    /// Approved, nothing sent.
    Approved,
    BeforeIntent,
    /// The intent is durable, nothing sent.
    Intent,
    /// The answer is here, nothing noted.
    Sent,
    /// No clear answer, not read back yet.
    Unknown,
    BeforeOutcome,
    Outcome,
    /// An earlier process's request is settled.
    Settled,
    /// Everything is written, the job's end is not.
    Written,
}

impl Default for Protocol {
    fn default() -> Self {
        Self { durable_intent: true, settle: true, failpoint: None }
    }
}

/// What is only in memory.
#[derive(Default)]
struct Live {
    settings: Arc<Settings>,
    running: Option<job::Running>,
    /// The listings of the last plan, kept for planning again after a decision.
    kept: Option<Kept>,
    budgets: HashMap<Place, (Pace, Arc<Budget>)>,
    parties: HashMap<Integration, Arc<customers::Parties>>,
    /// Both sides as last read, with the partners scored: decisions leave them as they are.
    readings: HashMap<Integration, Arc<customers::Reading>>,
    /// What hangs on the source's customers, as the last plan read it.
    carried: HashMap<Integration, Arc<customers::AllCarried>>,
    /// Why the last reading of customers failed.
    trouble: HashMap<Integration, String>,
    /// Records of both sides as the field mappings were last shown against.
    samples: HashMap<Integration, Arc<fields::Sampled>>,
    /// Why the last reading of such records failed.
    sample_trouble: HashMap<Integration, String>,
    /// The rows of a past job that were put together from the trail, until all of them are told.
    past_rows: Option<(JobId, Arc<Vec<words::JobRow>>)>,
}

/// A plan's listings.
#[derive(Clone)]
pub struct Kept {
    pub plan: PlanId,
    pub read: Arc<extract::Read>,
}

impl Engine {
    /// Opens the engine on what the store holds.
    #[expect(clippy::too_many_arguments, reason = "each is one part of an engine, named at its one call")]
    pub fn open(
        book: Book,
        vault: Vault,
        places: Places,
        world: World,
        protocol: Protocol,
        by: String,
        installation: Installation,
        events: broadcast::Sender<Event>,
    ) -> Result<Arc<Self>, Problem> {
        let settings = Arc::new(book.settings()?);
        let engine = Arc::new(Self {
            book,
            vault: Mutex::new(vault),
            places,
            world,
            installation,
            protocol,
            by,
            events,
            live: Mutex::new(Live { settings, ..Live::default() }),
            notices: notices::Notices::default(),
            tasks: Mutex::default(),
            scheduler: scheduler::Scheduler::default(),
            layout_turn: tokio::sync::Mutex::default(),
        });
        engine.know_uses()?;
        engine.interrupt_orphans()?;
        Ok(engine)
    }

    /// Who gave the order that is being carried out.
    pub fn by(&self) -> String {
        desk::ORDERED_BY.try_with(Clone::clone).unwrap_or_else(|_| self.by.clone())
    }

    pub fn settings(&self) -> Arc<Settings> {
        self.live().settings.clone()
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn vault(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells every viewer. Nobody listening is fine.
    pub fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// How long a create without an answer may still be carried out.
    pub fn settle(&self) -> Duration {
        Duration::from_secs(self.settings().halo.settle_seconds)
    }

    /// The one budget of a host, shared by every job; made anew when its pace is changed.
    pub fn budget(&self, place: Place) -> Arc<Budget> {
        let mut live = self.live();
        let pace = live.settings.pace(place);
        if let Some((old, budget)) = live.budgets.get(&place)
            && *old == pace
        {
            return budget.clone();
        }
        let budget = Budget::new(pace);
        if let Some((_, old)) = live.budgets.get(&place) {
            // What was sent under the old pace still counts in the host's window.
            budget.import_log(&old.export_log());
        } else if let Ok(Some(log)) = self.book.get_big::<Vec<i64>>(&keys::budget(place)) {
            budget.import_log(&log);
        }
        live.budgets.insert(place, (pace, budget.clone()));
        budget
    }

    pub fn halo_budget(&self) -> Arc<Budget> {
        self.budget(Place::Halo)
    }

    /// Remembers what was sent lately, so that a restart does not exceed a window.
    pub fn save_budgets(&self) {
        let budgets: Vec<_> = self.live().budgets.iter().map(|(place, (_, b))| (*place, b.clone())).collect();
        for (place, budget) in budgets {
            let log = budget.export_log();
            let _ = self.book.cache(&keys::put_big(&keys::budget(place), &log));
        }
    }

    /// A step at which a simulated process may end: then nothing after it happens.
    async fn step(&self, step: Step) {
        if self.protocol.failpoint.as_ref().is_some_and(|ends| ends(step)) {
            std::future::pending::<()>().await;
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    /// Ends all work at once, as the death of the process would: the next start finds out what became of it.
    pub fn abort(&self) {
        self.notices.abort();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    fn snapshot_of(&self, plan: PlanId) -> Option<Arc<extract::Read>> {
        self.live().kept.as_ref().filter(|k| k.plan == plan).map(|k| k.read.clone())
    }
}
