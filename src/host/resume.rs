//! What the host was doing when it ended, so that its next life goes on with it (N6). Only a note: the trail has every
//! fact, and without the note a person goes on with the job.

use std::path::PathBuf;

use super::Handle;
use super::words::{Answer, Command, Event, JobOrder, JobReport, JobState, Query};
use crate::model::JobId;
use crate::store::{Places, files};

/// A job that has brought down this many hosts waits for a person.
const LIVES: u32 = 5;

/// A file that names the job under way and how often it was taken up again.
pub struct Note(PathBuf);

impl Note {
    pub fn of(places: &Places) -> Self {
        Self(places.under_way())
    }

    fn read(&self) -> Option<(JobId, u32)> {
        let text = std::fs::read_to_string(&self.0).ok()?;
        let (job, lives) = text.trim().split_once(' ')?;
        Some((job.parse().ok()?, lives.parse().ok()?))
    }

    fn write(&self, job: JobId, lives: u32) {
        if let Err(problem) = files::replace(&self.0, format!("{job} {lives}\n").as_bytes()) {
            tracing::warn!("{}", problem.message);
        }
    }

    fn clear(&self) {
        let _ = std::fs::remove_file(&self.0);
    }

    /// Notes a job that started, and forgets one that ended while the host goes on: whoever stopped it meant it.
    pub fn hear(&self, event: &Event) {
        let Event::Job(report) = event else { return };
        self.see(report);
    }

    /// As [`Note::hear`], where events were missed.
    pub async fn look(&self, handle: &Handle) {
        if let Some((job, _)) = self.read()
            && let Ok(Answer::Job(report)) = handle.ask(Query::Job { job }).await
        {
            self.see(&report);
        }
    }

    fn see(&self, report: &JobReport) {
        match (report.state, self.read()) {
            (JobState::Running, Some((job, _))) if job == report.job => {}
            (JobState::Running, _) => self.write(report.job, 0),
            (_, Some((job, _))) if job == report.job => self.clear(),
            _ => {}
        }
    }

    /// Goes on with the job that an earlier host was at, if it still waits.
    pub async fn go_on(&self, handle: &Handle) {
        let Some((job, lives)) = self.read() else { return };
        let waits = match handle.ask(Query::Job { job }).await {
            Ok(Answer::Job(report)) => report.state == JobState::Interrupted,
            _ => false,
        };
        if !waits || lives >= LIVES {
            if waits {
                tracing::warn!(%job, "was interrupted too often to be taken up again without a person");
            }
            return self.clear();
        }
        self.write(job, lives + 1);
        tracing::info!(%job, "goes on after the end of an earlier host");
        if let Err(problem) = handle.send(Command::Order { job, order: JobOrder::Resume }).await {
            tracing::warn!(%job, "does not go on: {problem}");
            self.clear();
        }
    }
}
