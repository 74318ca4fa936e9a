//! `jobs` and `job show|log|cancel|pause|resume|retry|undo|export`.

use super::args::{IssueCommand, Job};
use super::exit::{DONE, Failure, of_job};
use super::json::{IssuesDocument, JobDocument, JobsDocument, LogDocument};
use super::out::Out;
use super::progress::{Signals, attended, job_end, next};
use super::{ask, job_files, order, plan, text};
use crate::host::Handle;
use crate::host::words::{
    Asked, Command, Event, JobOrder, JobReport, JobState, LogFilter, LogLine, Query, Reply, Which,
};
use crate::model::{JobId, Problem};
use crate::plan::Purpose;

/// Lines asked for at a time.
const WINDOW: usize = 1000;

pub async fn list(out: &Out, handle: &Handle, last: usize) -> Result<u8, Failure> {
    let jobs = ask!(handle, Query::Jobs { last }, Jobs)?;
    out.either(&JobsDocument::new(&jobs), || text::jobs(&jobs, out.plain))?;
    Ok(DONE)
}

pub async fn one(out: &Out, handle: &Handle, command: &Job) -> Result<u8, Failure> {
    match command {
        Job::Issue(command) => put_aside(out, handle, command).await,
        Job::Show { job } => {
            show(out, &*ask!(handle, Query::Job { job: *job }, Job)?)?;
            Ok(DONE)
        }
        Job::Log { job, follow, level, find } => {
            let filter = LogFilter { least: *level, text: find.clone() };
            if *follow {
                follow_log(out, handle, *job, filter).await
            } else {
                log(out, handle, *job, filter).await
            }
        }
        Job::Cancel { job } => {
            let order = Command::Order { job: *job, order: JobOrder::Cancel };
            handle.send(order).await?;
            show(out, &*ask!(handle, Query::Job { job: *job }, Job)?)?;
            Ok(DONE)
        }
        Job::Pause { job } => {
            let order = Command::Order { job: *job, order: JobOrder::Pause };
            let said = order!(handle, order, Reply::Done(said) => said)?;
            out.remark(&said);
            show(out, &*ask!(handle, Query::Job { job: *job }, Job)?)?;
            Ok(DONE)
        }
        Job::Resume { job } => resume(out, handle, *job).await,
        Job::Retry { job, plan_only } => {
            of_job_of(out, handle, Purpose::Retry { of: *job }, *plan_only, false).await
        }
        Job::Undo { job, plan_only, allow_removals } => {
            let purpose = Purpose::Undo { of: *job };
            for remark in purpose.remarks() {
                out.remark(remark);
            }
            of_job_of(out, handle, purpose, *plan_only, *allow_removals).await
        }
        Job::Export { job, failed, done } => {
            job_files::export(out, handle, *job, failed.as_deref(), done.as_deref()).await
        }
    }
}

/// What waits for a person over all jobs.
pub async fn issues(out: &Out, handle: &Handle) -> Result<u8, Failure> {
    let view = ask!(handle, Query::Issues { integration: None }, Issues)?;
    out.either(&IssuesDocument::from(&view), || text::issues(&view))?;
    Ok(DONE)
}

/// Puts issues aside or takes them up again; every id must be one, or nothing happens.
async fn put_aside(out: &Out, handle: &Handle, command: &IssueCommand) -> Result<u8, Failure> {
    let (issues, asked) = match command {
        IssueCommand::Dismiss { which } => (which, Asked::Dismiss),
        IssueCommand::Snooze { which, until } => (which, Asked::Snooze { until: *until }),
        IssueCommand::Reopen { which } => (which, Asked::TakeUp),
        IssueCommand::Release { which } => (which, Asked::Release),
    };
    let integration = issues.integration;
    let which = Which::Of { sources: issues.sources.clone(), entity: issues.entity };
    let command = Command::PutAside { integration, which, asked };
    let said = order!(handle, command, Reply::Done(said) => said)?;
    out.remark(&said);
    let view = ask!(handle, Query::Issues { integration: Some(integration) }, Issues)?;
    out.either(&IssuesDocument::from(&view), || text::issues(&view))?;
    Ok(DONE)
}

/// Plans what a job left, or what takes it back, and applies it unless only the plan is wanted.
async fn of_job_of(
    out: &Out,
    handle: &Handle,
    purpose: Purpose,
    plan_only: bool,
    allow_removals: bool,
) -> Result<u8, Failure> {
    if plan_only {
        return plan::plan_of(out, handle, purpose, allow_removals).await;
    }
    plan::carry_out(out, handle, Command::RunOf { purpose, allow_removals }).await
}

/// Prints what became of a job; answers the code of the command that carried it out.
pub fn end(out: &Out, report: &JobReport) -> Result<u8, Failure> {
    show(out, report)?;
    if out.json && report.state == JobState::Interrupted {
        out.remark(&text::resume_with(report));
    }
    Ok(of_job(report))
}

fn show(out: &Out, report: &JobReport) -> Result<(), Problem> {
    out.either(&JobDocument::from(report), || text::job(report, out.verbose > 0))
}

/// Goes on with an interrupted job and stays until it ends.
async fn resume(out: &Out, handle: &Handle, job: JobId) -> Result<u8, Failure> {
    let work = async {
        let order = Command::Order { job, order: JobOrder::Resume };
        let job = order!(handle, order, reply @ (Reply::Started(_) | Reply::Done(_)) => match reply {
            Reply::Started(id) => id,
            _ => job,
        })?;
        job_end(handle, job).await
    };
    let report = attended(out, handle, work).await?;
    end(out, &report)
}

async fn log(out: &Out, handle: &Handle, job: JobId, filter: LogFilter) -> Result<u8, Failure> {
    // A job that never was has no log; an empty one would say that nothing happened.
    ask!(handle, Query::Job { job }, Job)?;
    let mut lines: Vec<LogLine> = Vec::new();
    loop {
        let from = lines.len() as u64;
        let query = Query::Log { job, filter: filter.clone(), from, limit: WINDOW };
        let view = ask!(handle, query, Log)?;
        let is_last = view.lines.is_empty();
        lines.extend(view.lines);
        if is_last || lines.len() as u64 >= view.total {
            break;
        }
    }
    out.either(&LogDocument { job, lines: &lines }, || {
        lines.iter().map(|line| text::log_line(line, out.plain) + "\n").collect()
    })?;
    Ok(DONE)
}

/// Line by line until the job ends; with `--json` an object a line.
async fn follow_log(out: &Out, handle: &Handle, job: JobId, filter: LogFilter) -> Result<u8, Failure> {
    let mut events = Some(handle.subscribe());
    let mut signals = Signals::listen()?;
    let mut from = 0;
    while !out.is_closed() {
        // Asked before the lines, so that the lines of its end are not missed.
        let has_ended = ask!(handle, Query::Job { job }, Job)?.state != JobState::Running;
        loop {
            let query = Query::Log { job, filter: filter.clone(), from, limit: WINDOW };
            let view = ask!(handle, query, Log)?;
            if view.lines.is_empty() {
                break;
            }
            from += view.lines.len() as u64;
            for line in &view.lines {
                out.either(line, || text::log_line(line, out.plain))?;
            }
        }
        if has_ended {
            break;
        }
        tokio::select! {
            _ = signals.next() => break,
            () = news(&mut events, job) => {}
        }
    }
    Ok(DONE)
}

/// Waits for something new about this job.
async fn news(events: &mut Option<tokio::sync::broadcast::Receiver<Event>>, job: JobId) {
    loop {
        match next(events).await {
            Event::Log { job: id, .. } if id == job => return,
            Event::Job(report) if report.job == job => return,
            _ => {}
        }
    }
}
