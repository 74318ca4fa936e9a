//! `plan`, `apply` and `run`.

use std::path::Path;

use serde::Deserialize;

use super::args;
use super::exit::{CHANGES, DONE, Failure};
use super::job::end;
use super::json::{PlanDocument, PlanWriter};
use super::out::{Out, Stream};
use super::progress::{attended, job_end};
use super::{ask, files, order, text};
use crate::host::Handle;
use crate::host::words::{Choices, Command, Query, Reply};
use crate::model::{Class, Entity, Integration, PlanId, Problem};
use crate::plan::Purpose;

/// Rows asked for at a time.
const WINDOW: u32 = 1000;

pub async fn plan(out: &Out, handle: &Handle, args: &args::Plan) -> Result<u8, Failure> {
    let entities = entities(handle, args.integration, &args.entities, args.scheduled).await?;
    let command = Command::BuildPlan {
        integration: args.integration,
        entities,
        scheduled: args.scheduled,
        purpose: args.narrow.purpose(),
    };
    let work = async { order!(handle, command, Reply::Planned(plan) => plan) };
    let plan = attended(out, handle, work).await?;
    show(out, handle, &plan, args.out.as_deref()).await
}

/// The plan of what a job left, or of what takes it back.
pub async fn plan_of(
    out: &Out,
    handle: &Handle,
    purpose: Purpose,
    allow_removals: bool,
) -> Result<u8, Failure> {
    let command = Command::BuildPlanOf { purpose, allow_removals };
    let work = async { order!(handle, command, Reply::Planned(plan) => plan) };
    let plan = attended(out, handle, work).await?;
    show(out, handle, &plan, None).await
}

/// Prints a plan, and writes its file. The rows come and go a window at a time; only a table for people, whose columns
/// fit each other, needs those it shows together.
async fn show(
    out: &Out,
    handle: &Handle,
    plan: &crate::plan::Plan,
    file: Option<&Path>,
) -> Result<u8, Failure> {
    let mut saved = match file {
        None => None,
        Some(file) => {
            let document = PlanDocument::new(plan).with_hash(plan);
            let (writer, begun) = PlanWriter::new(files::Beside::new(file)?, &document)?;
            begun.map_err(|error| writer.to.failed(&error))?;
            Some(writer)
        }
    };
    let mut printed = None;
    if out.json {
        for alert in &plan.outline.alerts {
            out.remark(alert);
        }
        let (writer, begun) = PlanWriter::new(Stream::new(), &PlanDocument::new(plan))?;
        match begun {
            Ok(()) => printed = Some(writer),
            Err(error) => writer.to.failed(&error)?,
        }
    }
    let mut listed = Vec::new();
    let mut next = 1;
    while next <= plan.rows && (saved.is_some() || printed.is_some() || !out.json) {
        let end = plan.rows.min(next.saturating_add(WINDOW - 1));
        let rows = (next..=end).collect();
        next = end + 1;
        for change in ask!(handle, Query::PlanRows { plan: plan.id, rows }, PlanRows)? {
            if let Some(writer) = &mut saved {
                writer.row(&change).map_err(|error| writer.to.failed(&error))?;
            }
            if let Some(writer) = &mut printed
                && let Err(error) = writer.row(&change)
            {
                writer.to.failed(&error)?;
                // Nobody reads it any more.
                printed = None;
            }
            if !out.json && text::is_listed(&change, out.verbose > 0) {
                listed.push(change);
            }
        }
    }
    if let (Some(mut writer), Some(file)) = (saved, file) {
        writer.end().map_err(|error| writer.to.failed(&error))?;
        writer.to.put()?;
        out.remark(&format!("The plan is in {0}; `parhelion apply {0}` carries it out.", file.display()));
    }
    match printed {
        Some(mut writer) => writer.end().or_else(|error| writer.to.failed(&error))?,
        None if out.json => {}
        None => out.text(&text::plan(plan, &listed, out.plain))?,
    }
    Ok(if plan.outline.totals.acting() > 0 { CHANGES } else { DONE })
}

pub async fn apply(out: &Out, handle: &Handle, plan: &str, urgent: bool) -> Result<u8, Failure> {
    let plan = match plan.parse() {
        Ok(id) => ask!(handle, Query::Plan { plan: id }, Plan)?,
        Err(_) => from_file(handle, Path::new(plan)).await?,
    };
    for limit in plan.outline.limits.iter().filter(|limit| limit.tripped) {
        out.remark(&limit.sentence);
    }
    let command = Command::Apply { plan: plan.id, choices: Choices { urgent, ..Choices::default() } };
    carry_out(out, handle, command).await
}

pub async fn run(out: &Out, handle: &Handle, args: &args::Run) -> Result<u8, Failure> {
    let command = Command::Run {
        integration: args.integration,
        entities: entities(handle, args.integration, &args.entities, args.scheduled).await?,
        scheduled: args.scheduled,
        allow_removals: args.allow_removals,
        urgent: args.urgent,
        purpose: args.narrow.purpose(),
    };
    carry_out(out, handle, command).await
}

/// Starts a job and stays until it ends.
pub async fn carry_out(out: &Out, handle: &Handle, command: Command) -> Result<u8, Failure> {
    let work = async {
        let job = order!(handle, command, Reply::Started(job) => job)?;
        job_end(handle, job).await
    };
    let report = attended(out, handle, work).await?;
    // What stopped an entity stands in no row.
    if let Some(plan) = report.plan
        && let Ok(plan) = ask!(handle, Query::Plan { plan }, Plan)
    {
        for alert in &plan.outline.alerts {
            out.remark(alert);
        }
    }
    end(out, &report)
}

/// The entities named, each once and in the order they must run; else all, or those of the schedule.
async fn entities(
    handle: &Handle,
    integration: Integration,
    named: &[Entity],
    scheduled: bool,
) -> Result<Vec<Entity>, Problem> {
    let known = integration.entities();
    if let Some(unknown) = named.iter().find(|entity| !known.contains(entity)) {
        return Err(Problem::new(Class::Input, format!("{} has no {unknown}.", integration.label())));
    }
    let chosen = match (named.is_empty(), scheduled) {
        (false, _) => named.to_vec(),
        (true, false) => integration.usual().to_vec(),
        (true, true) => {
            let view = ask!(handle, Query::Settings, Settings)?;
            view.settings.scheduled(integration)
        }
    };
    if chosen.is_empty() {
        // No entity would otherwise be taken for all of them.
        return Err(Problem::new(
            Class::Input,
            format!("Nothing is selected for scheduled runs of {}.", integration.label()),
        )
        .remedy(format!("Name what they take in {integration}.schedule.entities, or use --entity.")));
    }
    Ok(known.iter().copied().filter(|entity| chosen.contains(entity)).collect())
}

/// What `apply` needs of a file that `plan --out` wrote.
#[derive(Deserialize)]
struct PlanFile {
    plan: PlanId,
    integration: Integration,
    hash: String,
}

/// The stored plan that a file is of; only if it still is that plan.
async fn from_file(handle: &Handle, path: &Path) -> Result<Box<crate::plan::Plan>, Problem> {
    let text = files::read_text(path).map_err(|problem| {
        problem.remedy("Give the id of a plan, such as P7, or a file that `parhelion plan --out` wrote.")
    })?;
    let file: PlanFile = serde_json::from_str(&text).map_err(|error| {
        Problem::new(
            Class::Input,
            format!(
                "{} is not a plan that `parhelion plan --out` wrote (line {}).",
                path.display(),
                error.line()
            ),
        )
        .remedy("Plan again with --out, or give the plan's id.")
    })?;
    let plan = ask!(handle, Query::Plan { plan: file.plan }, Plan)?;
    if plan.hash != file.hash || plan.integration != file.integration {
        return Err(Problem::new(
            Class::Stale,
            format!("{} is not the plan that is stored here as {}.", path.display(), file.plan),
        )
        .remedy(format!("Nothing was written. Plan again with `parhelion plan {}`.", file.integration)));
    }
    Ok(plan)
}
