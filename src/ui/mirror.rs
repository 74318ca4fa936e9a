//! The viewer's copy of the engine's state. Only events and answers change it.

use std::collections::BTreeMap;

use super::message::News;
use crate::host::words::{
    Answer, Command, Event, JobProgress, JobReport, Overview, PlaceView, Presence, Query, SettingsView,
};
use crate::model::{Integration, Place, Problem};

/// Customers being read for a mapping table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub what: String,
    pub done: u64,
    pub of: Option<u64>,
}

#[derive(Debug, Clone, Default)]
pub struct Mirror {
    pub overview: Option<Overview>,
    pub settings: Option<SettingsView>,
    /// The running job, as its last event told it.
    pub progress: Option<JobProgress>,
    pub reading: BTreeMap<Integration, Reading>,
    /// The engine lives in a host process: leaving the screen stops nothing (U41).
    pub is_shared: bool,
    /// The engine is being started and has not answered yet.
    pub is_starting: bool,
    /// Who else has a screen on this engine.
    pub presence: Presence,
    /// Why the engine cannot go on or cannot be reached.
    pub broken: Option<Problem>,
}

impl Mirror {
    pub fn place(&self, place: Place) -> Option<&PlaceView> {
        self.overview.as_ref()?.places.iter().find(|view| view.place == place)
    }

    /// The last job that ended.
    pub fn last(&self) -> Option<&JobReport> {
        self.overview.as_ref()?.last.as_ref()
    }

    /// Takes in what concerns all screens, and says what must be asked anew.
    pub fn hear(&mut self, news: &News) -> Vec<Query> {
        match news {
            News::Answer(Query::Overview, Ok(Answer::Overview(overview))) => {
                self.progress.clone_from(&overview.running);
                self.overview = Some((**overview).clone());
                self.broken = None;
                self.is_starting = false;
            }
            News::Answer(Query::Settings, Ok(Answer::Settings(settings))) => {
                self.settings = Some((**settings).clone());
            }
            News::Answer(Query::Overview | Query::Settings, Err(problem)) => {
                self.broken = Some(problem.clone());
            }
            News::Answer(Query::Presence, Ok(Answer::Presence(presence))) => self.presence = presence.clone(),
            News::Missed => return vec![Query::Overview, Query::Settings, Query::Presence],
            News::Reply(command, _) => {
                if let Command::BuildPlan { integration, .. }
                | Command::ReadFields { integration }
                | Command::ReadCustomers { integration } = &**command
                {
                    self.reading.remove(integration);
                } else if matches!(**command, Command::BuildPlanOf { .. }) {
                    // Whose job it is of, only the engine knows.
                    self.reading.clear();
                }
            }
            News::Engine(event) => return self.event(event),
            _ => {}
        }
        Vec::new()
    }

    fn event(&mut self, event: &Event) -> Vec<Query> {
        match event {
            Event::Settings => return vec![Query::Overview, Query::Settings],
            Event::Map(integration) => {
                self.reading.remove(integration);
                return vec![Query::Overview];
            }
            Event::Job(job) => {
                if job.finished.is_some() && self.progress.as_ref().is_some_and(|p| p.job == job.job) {
                    self.progress = None;
                }
                return vec![Query::Overview];
            }
            Event::Plan(_) | Event::Schedule(_) => return vec![Query::Overview],
            Event::Fields(integration) => drop(self.reading.remove(integration)),
            Event::Progress(progress) => self.progress = Some((**progress).clone()),
            Event::Reading { integration, what, done, of } => {
                self.reading.insert(*integration, Reading { what: what.clone(), done: *done, of: *of });
            }
            Event::Presence(presence) => self.presence = presence.clone(),
            Event::Broken(problem) => self.broken = Some(problem.clone()),
            Event::Log { .. } | Event::Missed | Event::Lifecycle => {}
        }
        Vec::new()
    }
}
