//! What is said of schedules.

use serde::{Deserialize, Serialize};

use super::JobState;
use crate::model::{Entity, Integration, JobId, Moment, OccurrenceId};

/// Who a job of a schedule is by.
pub const SCHEDULE: &str = "schedule";

/// An integration's schedule, and what became of it lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    pub integration: Integration,
    pub enabled: bool,
    pub entities: Vec<Entity>,
    /// `HH:MM` on the wall clock of `zone`.
    pub at: String,
    /// IANA name, where it has one.
    pub zone: String,
    /// "daily 02:30 Europe/London".
    pub times: String,
    /// When it runs next; `None` if it is off or can never run.
    pub next: Option<Moment>,
    /// Why a run that is due would not be made ("switched off", "on, but nothing selected", paused).
    pub obstacle: Option<String>,
    /// The obstacle is that it paused itself (P44).
    pub is_paused: bool,
    /// Whether the engine that answers runs schedules. If not, somebody else must: `parhelion serve`.
    pub is_watched: bool,
    /// What a person should know of the clock.
    pub warning: Option<String>,
    /// Latest first.
    pub past: Vec<PastRun>,
}

/// An occurrence that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    pub past: Past,
    /// How its job stands, if it had one.
    pub state: Option<JobState>,
}

impl PastRun {
    /// The state of its job, else "skipped" or "missed".
    pub fn word(&self) -> &'static str {
        match (&self.past.fate, self.state) {
            (Fate::Started { .. }, Some(state)) => state.word(),
            (Fate::Started { .. }, None) => "started",
            (Fate::Skipped { .. }, _) => "skipped",
            (Fate::Missed, _) => "missed",
        }
    }
}

/// What became of an occurrence of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    pub integration: Integration,
    pub id: OccurrenceId,
    pub due: Moment,
    /// When this was noted.
    pub at: Moment,
    #[serde(flatten)]
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    Started {
        job: JobId,
    },
    /// No run was made, and why: the run before still went on, the integration was off, the schedule was paused.
    Skipped {
        why: String,
    },
    /// Nobody was there, and it was too late afterwards.
    Missed,
}
