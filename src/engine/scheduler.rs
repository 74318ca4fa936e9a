//! Jobs that start by themselves (Q1-Q3, P34, P44, sync-engine section 14).
//!
//! [`crate::model::schedule`] says what is due; this keeps what was decided, in the trail. An occurrence that starts
//! becomes durable in the same group of lines as its job: after any crash there are both or none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, ToSpan};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Engine;
use super::keys;
use super::planning::Spec;
use super::polling::Poll;
use super::records::Record;
use crate::engine::words::{
    CheckState, Choices, Event, Fate, JobOrder, JobState, Past, PastRun, SCHEDULE, ScheduleView, TestReport,
};
use crate::model::schedule::{self, Noted};
use crate::model::settings::{Overlap, Repeat, Schedule, Settings};
use crate::model::{Class, Integration, JobId, Moment, Occurrence, Place, Problem, Timing};
use crate::plan::Purpose;

/// The longest sleep: the wall clock may be set while we sleep by another one.
const NAP: Duration = Duration::from_secs(60);
/// From here on a step of the wall clock is worth a warning.
const JUMP: SignedDuration = SignedDuration::from_hours(1);
/// Jobs looked through for failures in a row.
const JOBS: usize = 200;

/// What the task that watches the schedules shares with the rest of the engine.
#[derive(Default)]
pub struct Scheduler {
    /// Something changed that may make a run due, or possible.
    news: Notify,
    closing: CancellationToken,
    /// Held while it looks and starts.
    turn: tokio::sync::Mutex<()>,
    is_watching: AtomicBool,
    /// When Halo was last asked for new customers.
    pub(super) polled: Mutex<Option<Moment>>,
    /// What the last step of the wall clock was.
    jump: Mutex<Option<String>>,
}

impl Scheduler {
    /// Wakes it, if it runs.
    pub fn look_again(&self) {
        self.news.notify_one();
    }

    /// No job is started after this has returned.
    pub async fn end(&self) {
        self.closing.cancel();
        drop(self.turn.lock().await);
    }
}

/// What a look found.
struct Found {
    /// The next occurrence of all.
    next: Option<Moment>,
    /// Something is due and waits: for its hours, or for a job to end.
    waits: bool,
}

impl Engine {
    /// Watches the schedules from now on until the engine closes. For the process that stays: `serve`, a host.
    pub fn start_schedules(self: &Arc<Self>) {
        if !self.scheduler.is_watching.swap(true, Ordering::AcqRel) {
            self.spawn(self.clone().run_schedules());
        }
    }

    /// Whether this engine runs the schedules.
    pub fn watches_schedules(&self) -> bool {
        self.scheduler.is_watching.load(Ordering::Acquire)
    }

    async fn run_schedules(self: Arc<Self>) {
        self.go_on_where_it_stopped().await;
        let (mut wall, mut passed) = (self.world.now(), self.world.passed());
        let mut found = Found { next: None, waits: true };
        loop {
            {
                let _turn = self.scheduler.turn.lock().await;
                if self.scheduler.closing.is_cancelled() {
                    return;
                }
                let (now, at) = (self.world.now(), self.world.passed());
                self.notice_jump(now.duration_since(wall), at.saturating_sub(passed));
                let was_set_back = now < wall;
                (wall, passed) = (now, at);
                if found.waits || was_set_back || found.next.is_some_and(|next| next <= now) {
                    found = match self.look_at_schedules(now).await {
                        Ok(found) => found,
                        Err(problem) => {
                            tracing::error!("schedules: {problem}");
                            Found { next: None, waits: true }
                        }
                    };
                }
            }
            let until = found.next.map(|next| {
                let left = next.duration_since(self.world.now());
                Duration::try_from(left).unwrap_or_default().clamp(Duration::from_secs(1), NAP)
            });
            let nap = async {
                match until {
                    Some(until) => tokio::time::sleep(until).await,
                    None if found.waits => tokio::time::sleep(NAP).await,
                    // Nothing is scheduled: only news can change that.
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.scheduler.closing.cancelled() => return,
                () = self.scheduler.news.notified() => found.waits = true,
                () = nap => {}
            }
        }
    }

    /// Says so when the wall clock moved by over an hour more, or less, than time passed.
    fn notice_jump(&self, wall: SignedDuration, passed: Duration) {
        let by = wall - SignedDuration::try_from(passed).unwrap_or_default();
        if by.abs() > JUMP {
            let direction = if by.is_negative() { "back" } else { "forward" };
            let said = format!(
                "the clock jumped {direction} by {} min at {}: at most the latest run is made up for, none is repeated",
                by.abs().as_mins(),
                self.world.now()
            );
            tracing::warn!("schedules: {said}");
            *self.scheduler.jump.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        }
    }

    /// A scheduled job whose process ended half way is the same occurrence's job still: it goes on.
    async fn go_on_where_it_stopped(self: &Arc<Self>) {
        let Ok(jobs) = self.book.jobs(JOBS) else { return };
        let now = self.world.now();
        let cut_off = jobs.into_iter().map(|(report, ..)| report).find(|report| {
            let hours = i64::from(self.settings().of(report.integration).schedule.catch_up_hours);
            report.state == JobState::Interrupted
                && report.by == SCHEDULE
                && report.trouble.is_none()
                && !report.is_paused
                && now.duration_since(report.started) <= SignedDuration::from_hours(hours)
        });
        if let Some(report) = cut_off
            && let Err(problem) = self.order(report.job, JobOrder::Resume).await
        {
            tracing::warn!("{} does not go on: {problem}", report.job);
        }
    }

    /// Decides about everything that is due.
    async fn look_at_schedules(self: &Arc<Self>, now: Moment) -> Result<Found, Problem> {
        let settings = self.settings();
        let mut found = Found { next: None, waits: false };
        for integration in Integration::ALL {
            let schedule = settings.of(integration).schedule;
            if !schedule.enabled {
                continue;
            }
            let Ok(timing) = self.timing(integration, schedule) else { continue };
            let since = self.since(integration, now).await?;
            let mut trouble = None;
            let due = timing.due(since, now, |id| match self.book.occurrence(integration, id) {
                Ok(None) => Noted::Nothing,
                Ok(Some(Past { fate: Fate::Missed, .. })) => Noted::Missed,
                Ok(Some(_)) => Noted::Over,
                Err(problem) => {
                    trouble = Some(problem);
                    Noted::Over
                }
            });
            if let Some(problem) = trouble {
                return Err(problem);
            }
            let missed: Vec<Record> =
                due.missed.iter().map(|missed| self.past(integration, missed, Fate::Missed)).collect();
            if !missed.is_empty() {
                tracing::warn!("{} missed {} scheduled runs", integration.label(), missed.len());
                self.book.record(&missed).await?;
                self.tell(Event::Schedule(integration));
            }
            if let Some(occurrence) = due.run {
                found.waits |= !self.start_occurrence(integration, schedule, &occurrence).await?;
            }
            found.waits |= due.waits.is_some();
            let next = timing.next(now).map(|next| next.due);
            found.next = [found.next, next].into_iter().flatten().min();
        }
        match self.poll_push(now).await {
            Poll::Off => {}
            Poll::Next(next) => found.next = Some(found.next.map_or(next, |other| other.min(next))),
            Poll::Waits => found.waits = true,
        }
        Ok(found)
    }

    /// Starts a run, or notes why not. `false`: it waits.
    async fn start_occurrence(
        self: &Arc<Self>,
        integration: Integration,
        schedule: &Schedule,
        occurrence: &Occurrence,
    ) -> Result<bool, Problem> {
        let mut obstacle = self.obstacle(integration)?.map(|(why, _)| why);
        let running = self.live().running.as_ref().map(|running| (running.job, running.report.integration));
        if let (None, Some((job, whose))) = (&obstacle, running) {
            // Another integration's job is none of its own: it waits its turn.
            if whose != integration || schedule.overlap == Overlap::Wait {
                return Ok(false);
            }
            obstacle = Some(format!("{job} was still running"));
        }
        if obstacle.is_none() {
            let spec = spec(integration, &self.settings());
            match self.run_for(spec, Choices::default(), Some(occurrence)).await {
                Ok(job) => tracing::info!("{job} is {} of {}", integration.label(), occurrence.id),
                Err(problem) if problem.class == Class::Busy => return Ok(false),
                Err(problem) => obstacle = Some(problem.to_string()),
            }
        }
        if let Some(why) = obstacle {
            tracing::warn!("no scheduled run of {} at {}: {why}", integration.label(), occurrence.id);
            self.book.record(&[self.past(integration, occurrence, Fate::Skipped { why })]).await?;
        }
        self.tell(Event::Schedule(integration));
        Ok(true)
    }

    /// From when the occurrences of a schedule count. Noted when it is first seen, and again when the clock was set to
    /// before it.
    async fn since(&self, integration: Integration, now: Moment) -> Result<Moment, Problem> {
        if let Some(since) = self.book.get::<Moment>(&keys::schedule_since(integration))?
            && since <= now
        {
            return Ok(since);
        }
        self.book.record(&[Record::ScheduleSince { integration, since: now }]).await?;
        Ok(now)
    }

    /// What new settings mean for schedules: one that is switched on, or gets other times, counts from now.
    pub(super) fn schedules_changed(&self, new: &Settings) -> Vec<Record> {
        let old = self.settings();
        let since = self.world.now();
        Integration::ALL
            .into_iter()
            .filter(|of| {
                new.of(*of).schedule.enabled && !new.of(*of).schedule.same_times(old.of(*of).schedule)
            })
            .map(|integration| Record::ScheduleSince { integration, since })
            .collect()
    }

    pub(super) fn past(&self, integration: Integration, occurrence: &Occurrence, fate: Fate) -> Record {
        let Occurrence { id, due } = *occurrence;
        Record::Occurrence(Box::new(Past { integration, id, due, at: self.world.now(), fate }))
    }

    fn timing(&self, integration: Integration, schedule: &Schedule) -> Result<Timing, String> {
        let zone = schedule::zone(&schedule.zone)
            .ok_or_else(|| format!("'{}' is not a time zone", schedule.zone))?;
        Timing::new(schedule, zone, format!("{}/{integration}", self.installation.as_str()))
    }

    /// Why a scheduled run would not be made now, and whether that is a pause.
    pub(super) fn obstacle(&self, integration: Integration) -> Result<Option<(String, bool)>, Problem> {
        let settings = self.settings();
        let schedule = settings.of(integration).schedule;
        if !settings.of(integration).enabled {
            return Ok(Some((format!("{} is switched off", integration.label()), false)));
        }
        if schedule.entities.is_empty() {
            return Ok(Some(("on, but nothing selected".into(), false)));
        }
        for place in [Place::Of(integration), Place::Halo] {
            if let Some(test) = self.last_test(place)?.filter(|test| !test.ok) {
                return Ok(Some((
                    format!("the last test of {} failed{}", place.label(), first(&test)),
                    false,
                )));
            }
        }
        Ok(self.pause(integration)?.map(|why| (why, true)))
    }

    /// Why a schedule has paused itself (P44): a refused sign-in, or failures in a row, since a person or a good test
    /// last let it go on.
    fn pause(&self, integration: Integration) -> Result<Option<String>, Problem> {
        let limit = self.settings().of(integration).schedule.pause_after as usize;
        let mut resumed = self.book.get::<Moment>(&keys::schedule_resumed(integration))?;
        for place in [Place::Of(integration), Place::Halo] {
            let tested = self.last_test(place)?.filter(|test| test.ok).map(|test| test.at);
            resumed = resumed.max(tested);
        }
        let mut failed = Vec::new();
        for (report, _, policy) in self.book.jobs(JOBS)? {
            let ended = report.finished.unwrap_or(report.started);
            if report.integration != integration || !policy || report.state == JobState::Running {
                continue;
            }
            if resumed.is_some_and(|resumed| ended <= resumed) {
                break;
            }
            match (report.state, report.trouble) {
                (JobState::Failed | JobState::Interrupted, Some(trouble)) => {
                    if trouble.class == Class::Auth {
                        return Ok(Some(format!("paused: {} was refused: {trouble}", report.job)));
                    }
                    failed.push((report.job, trouble));
                }
                (JobState::Interrupted | JobState::Cancelled, _) => {}
                _ => break,
            }
            if limit > 0 && failed.len() >= limit {
                break;
            }
        }
        Ok(failed
            .first()
            .filter(|_| limit > 0 && failed.len() >= limit)
            .map(|(job, trouble)| format!("paused: {limit} runs in a row failed, {job} last: {trouble}")))
    }

    /// 'Run the scheduled job now': whether or not the schedule is on.
    pub async fn run_schedule(self: &Arc<Self>, integration: Integration) -> Result<JobId, Problem> {
        let settings = self.settings();
        let schedule = settings.of(integration).schedule;
        if schedule.entities.is_empty() {
            return Err(Problem::new(
                Class::Input,
                format!("Nothing is selected for the schedule of {}.", integration.label()),
            )
            .remedy(format!("Name what it takes in {integration}.schedule.entities.")));
        }
        self.run(spec(integration, &settings)).await
    }

    /// Lets a paused schedule go on.
    pub async fn resume_schedule(&self, integration: Integration) -> Result<String, Problem> {
        let at = self.world.now();
        self.book.record(&[Record::ScheduleResumed { integration, at, by: self.by() }]).await?;
        self.scheduler.look_again();
        self.tell(Event::Schedule(integration));
        Ok(format!("The schedule of {} goes on.", integration.label()))
    }

    /// Every schedule with so many of its latest occurrences.
    pub(super) fn schedules(&self, past: usize) -> Result<Vec<ScheduleView>, Problem> {
        Integration::ALL.into_iter().map(|integration| self.schedule_view(integration, past)).collect()
    }

    pub(super) fn schedule_view(
        &self,
        integration: Integration,
        past: usize,
    ) -> Result<ScheduleView, Problem> {
        let settings = self.settings();
        let schedule = settings.of(integration).schedule;
        let now = self.world.now();
        let timing = self.timing(integration, schedule);
        let (mut obstacle, is_paused) = self.obstacle(integration)?.unzip();
        if let Err(why) = &timing {
            obstacle = Some(format!("never runs: {why}"));
        }
        let warning = self.scheduler.jump.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let next = timing.ok().filter(|_| schedule.enabled).and_then(|timing| timing.next(now));
        let zone = match schedule.zone.as_str() {
            "" => jiff::tz::TimeZone::system().iana_name().unwrap_or("local time").to_owned(),
            zone => zone.to_owned(),
        };
        let from = now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_sub(40.days());
        let mut latest = self.book.occurrences(integration, from)?;
        latest.reverse();
        latest.truncate(past);
        let mut runs = Vec::with_capacity(latest.len());
        for past in latest {
            let state = match past.fate {
                Fate::Started { job } => self.book.job(job)?.map(|(report, ..)| report.state),
                Fate::Skipped { .. } | Fate::Missed => None,
            };
            runs.push(PastRun { past, state });
        }
        Ok(ScheduleView {
            integration,
            enabled: schedule.enabled,
            entities: settings.scheduled(integration),
            at: schedule.at.clone(),
            times: times(schedule, &zone),
            zone,
            next: next.map(|next| next.due),
            obstacle,
            is_paused: is_paused.unwrap_or(false),
            is_watched: self.watches_schedules(),
            warning,
            past: runs,
        })
    }
}

fn spec(integration: Integration, settings: &Settings) -> Spec {
    let entities = settings.scheduled(integration);
    Spec { integration, entities, scheduled: true, allow_removals: false, purpose: Purpose::Whole }.ordered()
}

/// The first check of a test that failed.
fn first(test: &TestReport) -> String {
    test.checks
        .iter()
        .find(|check| check.state == CheckState::Failed)
        .map_or_else(String::new, |check| format!(" ({}: {})", check.name, check.message))
}

/// "daily 02:30 Europe/London".
fn times(schedule: &Schedule, zone: &str) -> String {
    let mut text = match schedule.repeat {
        Repeat::Daily => format!("daily {}", schedule.at),
        Repeat::Weekdays => format!("weekdays {}", schedule.at),
        Repeat::Hours => format!("every {} h through {}", schedule.every_hours, schedule.at),
    };
    text.push(' ');
    text.push_str(zone);
    if !schedule.window.is_empty() {
        text.push_str(", only ");
        text.push_str(&schedule.window);
    }
    text
}
