//! Halo's new customers between the runs of the schedule (L17a): one request says whether there can be any, and only then
//! a run of the push begins.

use jiff::ToSpan;
use serde::{Deserialize, Serialize};

use std::sync::{Arc, PoisonError};

use super::planning::Spec;
use super::{Engine, desk, keys};
use crate::api::budget::Lane;
use crate::engine::words::{Choices, JobState, SCHEDULE};
use crate::model::settings::SyncMode;
use crate::model::{Class, Entity, Integration, JobId, Moment, Problem};
use crate::plan::Purpose;

const ME: Integration = Integration::Liongard;

/// What Halo answered before the last run that it led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Polled {
    customers: Option<u64>,
    newest: i64,
    job: JobId,
}

/// What a look at the clock found.
pub(super) enum Poll {
    /// Nothing is asked by itself.
    Off,
    /// The next question is due then.
    Next(Moment),
    /// It is due now, and waits for a job to end.
    Waits,
}

impl Engine {
    /// Asks Halo where that is due, and starts a run of the push where somebody may be new.
    pub(super) async fn poll_push(self: &Arc<Self>, now: Moment) -> Poll {
        let settings = self.settings();
        let sync = &settings.liongard.sync_customers;
        let is_on = settings.liongard.enabled && sync.enabled && sync.mode == SyncMode::Automatic;
        if !is_on || sync.every_minutes == 0 {
            return Poll::Off;
        }
        let every = i64::from(sync.every_minutes).minutes();
        let last = *self.scheduler.polled.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes it due at once, not after all that time again.
        let due = last.filter(|last| *last <= now).and_then(|last| last.checked_add(every).ok());
        if let Some(due) = due.filter(|due| *due > now) {
            return Poll::Next(due);
        }
        if self.live().running.is_some() {
            return Poll::Waits;
        }
        *self.scheduler.polled.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        match self.ask_for_new().await {
            Ok(Some(job)) => tracing::info!("{job} takes new customers of Halo to Liongard"),
            Ok(None) => {}
            Err(problem) if problem.class == Class::Busy => return Poll::Waits,
            Err(problem) => tracing::warn!("Halo was not asked for new customers: {problem}"),
        }
        now.checked_add(every).map_or(Poll::Off, Poll::Next)
    }

    async fn ask_for_new(self: &Arc<Self>) -> Result<Option<JobId>, Problem> {
        if let Some((why, _)) = self.obstacle(ME)? {
            return Err(Problem::new(Class::Input, why));
        }
        let with = self.connect(ME, Lane::Bulk)?;
        let asked = with.halo.newest_customer().await;
        with.close().await;
        let (customers, newest) = asked?;
        let before: Option<Polled> = self.book.get(&keys::push_polled())?;
        if let Some(before) = before
            && (before.customers, before.newest) == (customers, newest)
            && self.has_ended_well(before.job)?
        {
            return Ok(None);
        }
        let spec = Spec {
            integration: ME,
            entities: vec![Entity::Push],
            scheduled: true,
            allow_removals: false,
            purpose: Purpose::Whole,
        };
        let run = self.run_for(spec, Choices::default(), None);
        let job = desk::ORDERED_BY.scope(SCHEDULE.to_owned(), run).await?;
        self.book.cache(&[keys::put(keys::push_polled(), &Polled { customers, newest, job })])?;
        Ok(Some(job))
    }

    /// Whether the run that the last answer led to did what it was for.
    fn has_ended_well(&self, job: JobId) -> Result<bool, Problem> {
        let state = self.book.job(job)?.map(|(report, ..)| report.state);
        Ok(!matches!(state, None | Some(JobState::Failed | JobState::Interrupted | JobState::Cancelled)))
    }
}
