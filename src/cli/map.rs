//! `map`: the customer mapping table.

use super::args::Map;
use super::exit::{DONE, FAILED, Failure, worst};
use super::json::{Done, MapDocument, SitesDocument, SuggestDocument};
use super::out::Out;
use super::progress::attended;
use super::{ask, csv, order, text};
use crate::host::Handle;
use crate::host::words::{Command, MapFilter, MapRow, MapState, Query, Reply};
use crate::model::{ChosenSite, Class, Decision, How, Integration, Problem, SourceId, TargetId};

/// Rows asked for at a time.
const WINDOW: usize = 1000;

pub async fn run(out: &Out, handle: &Handle, command: &Map) -> Result<u8, Failure> {
    let integration = command.integration();
    match command {
        Map::List { cached, .. } => list(out, handle, integration, *cached).await,
        Map::Generate { .. } => generate(out, handle, integration).await,
        Map::Suggest { .. } => suggest(out, handle, integration).await,
        Map::Reject { source, target, .. } => {
            read_once(out, handle, integration).await?;
            let target_name = name_of(handle, integration, target).await?.into();
            let decision = Decision::Reject { target: target.clone(), target_name };
            decide(out, handle, integration, source, decision).await
        }
        Map::Flag { integration, target, off, clear } => {
            if *integration != Integration::Liongard {
                return Err(Problem::new(
                    Class::Input,
                    format!("No customers of Halo go to {}.", integration.label()),
                )
                .remedy("Only Liongard takes them: `parhelion map flag liongard HALO_ID`.")
                .into());
            }
            read_once(out, handle, *integration).await?;
            let on = (!clear).then_some(!off);
            let command = Command::FlagPush { customer: target.clone(), on };
            let said = order!(handle, command, Reply::Done(said) => said)?;
            out.either(&Done { message: &said }, || said.clone() + "\n")?;
            Ok(DONE)
        }
        Map::Export { file, .. } => csv::export(out, handle, integration, file.as_deref()).await,
        Map::Import { file, dry_run, by_name, .. } => {
            csv::import(out, handle, integration, file, *dry_run, *by_name).await
        }
        Map::Site { source, site, .. } => site_of(out, handle, integration, source, site.as_deref()).await,
        Map::Unset { source, .. } => decide(out, handle, integration, source, Decision::Clear).await,
        Map::New { source, .. } => decide(out, handle, integration, source, Decision::New).await,
        Map::Exclude { source, note, until, .. } => {
            let decision = Decision::Exclude { note: note.as_str().into(), until: *until };
            decide(out, handle, integration, source, decision).await
        }
        Map::Set { source, target, .. } => {
            read_once(out, handle, integration).await?;
            let target_name = name_of(handle, integration, target).await?.into();
            let decision = Decision::Map { target: target.clone(), target_name, how: How::Manual };
            decide(out, handle, integration, source, decision).await
        }
    }
}

/// Reads both sides first, so that the states are of now; where that fails it shows what was read before, says so, and
/// ends with the failure's code.
async fn list(out: &Out, handle: &Handle, integration: Integration, cached: bool) -> Result<u8, Failure> {
    let trouble = if cached { None } else { read(out, handle, integration).await.err() };
    if let Some(Failure { code: super::exit::INTERRUPTED, .. }) = trouble {
        return trouble.map_or(Ok(DONE), Err);
    }
    let rows = match (rows(handle, integration).await, trouble.as_ref()) {
        (Ok(rows), Some(_)) if rows.is_empty() => return trouble.map_or(Ok(DONE), Err),
        (Ok(rows), _) => rows,
        (Err(problem), None) => return Err(problem.into()),
        (Err(_), Some(_)) => return trouble.map_or(Ok(DONE), Err),
    };
    let problem = trouble.as_ref().map(|failure| &failure.problem);
    if let Some(problem) = problem {
        super::complain(&problem.to_string());
        super::complain("These are the customers as they were read before.");
    }
    out.either(&MapDocument::new(integration, &rows, problem), || text::map(integration, &rows, out.plain))?;
    Ok(trouble.map_or(DONE, |failure| worst([failure.code])))
}

async fn generate(out: &Out, handle: &Handle, integration: Integration) -> Result<u8, Failure> {
    read(out, handle, integration).await?;
    let work =
        async { order!(handle, Command::Generate { integration }, Reply::Generated(report) => report) };
    let report = attended(out, handle, work).await?;
    out.either(&report, || {
        format!(
            "{}: {} mapped by exact name, {} of more than one possible partner, {} left as they are.",
            integration.label(),
            report.added,
            report.ambiguous,
            report.skipped
        )
    })?;
    Ok(DONE)
}

/// Who every unmapped customer may be. Reads both sides first, so that nobody is missing.
async fn suggest(out: &Out, handle: &Handle, integration: Integration) -> Result<u8, Failure> {
    read(out, handle, integration).await?;
    let work = async { order!(handle, Command::Score { integration }, Reply::Done(_) => ()) };
    attended(out, handle, work).await?;
    let mut rows = rows(handle, integration).await?;
    rows.retain(|row| row.state == MapState::Unmapped);
    out.either(&SuggestDocument::new(integration, &rows), || {
        text::suggestions(integration, &rows, out.plain)
    })?;
    Ok(DONE)
}

/// Reads the customers of both sides.
pub async fn read(out: &Out, handle: &Handle, integration: Integration) -> Result<(), Failure> {
    let work = async { order!(handle, Command::ReadCustomers { integration }, Reply::Done(_) => ()) };
    attended(out, handle, work).await
}

/// The same, unless they were read at some time before.
pub async fn read_once(out: &Out, handle: &Handle, integration: Integration) -> Result<(), Failure> {
    let order = order_of_rows(integration);
    let view = ask!(handle, order, MapOrder)?;
    if view.read_at.is_some() { Ok(()) } else { read(out, handle, integration).await }
}

/// Every row of the table, in order.
pub async fn rows(handle: &Handle, integration: Integration) -> Result<Vec<MapRow>, Problem> {
    let view = ask!(handle, order_of_rows(integration), MapOrder)?;
    let mut rows = Vec::with_capacity(view.ids.len());
    for ids in view.ids.chunks(WINDOW) {
        rows.extend(ask!(handle, Query::MapRows { integration, ids: ids.to_vec() }, MapRows)?);
    }
    Ok(rows)
}

fn order_of_rows(integration: Integration) -> Query {
    Query::MapOrder { integration, filter: MapFilter::default(), by_target: false }
}

/// Takes one decision and shows the row as it is then.
async fn decide(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    source: &SourceId,
    decision: Decision,
) -> Result<u8, Failure> {
    read_once(out, handle, integration).await?;
    let ids = vec![source.clone()];
    let before = ask!(handle, Query::MapRows { integration, ids: ids.clone() }, MapRows)?;
    if before.is_empty() {
        return Err(Problem::new(
            Class::Input,
            format!("{} has no customer with the id {source}.", integration.label()),
        )
        .remedy(format!("`parhelion map list {integration}` shows the ids."))
        .into());
    }
    let decisions = vec![(source.clone(), decision)];
    handle.send(Command::Decide { integration, decisions }).await?;
    let rows = ask!(handle, Query::MapRows { integration, ids }, MapRows)?;
    out.either(&MapDocument::new(integration, &rows, None), || text::map(integration, &rows, out.plain))?;
    Ok(if rows.is_empty() { FAILED } else { DONE })
}

/// Shows the sites of a customer's partner, or chooses one of them (P18).
async fn site_of(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    source: &SourceId,
    site: Option<&str>,
) -> Result<u8, Failure> {
    read_once(out, handle, integration).await?;
    let work = async {
        order!(handle, Command::Sites { integration, source: source.clone() }, Reply::Sites(view) => view)
    };
    let view = attended(out, handle, work).await?;
    let chosen = match site {
        None => {
            out.either(&SitesDocument::new(integration, &view), || text::sites(&view, out.plain))?;
            return Ok(DONE);
        }
        Some("main") => None,
        Some(id) => {
            let found = view.sites.iter().find(|site| site.id.as_str() == id).ok_or_else(|| {
                Problem::new(
                    Class::Input,
                    format!("'{}' has no active site with the id {id}.", view.partner.name),
                )
                .remedy(format!("`parhelion map site {integration} {source}` shows its sites."))
            })?;
            Some(ChosenSite { id: found.id.clone(), name: found.name.as_str().into() })
        }
    };
    decide(out, handle, integration, source, Decision::Site { site: chosen }).await
}

/// The name of a customer of the target, by id.
async fn name_of(handle: &Handle, integration: Integration, target: &TargetId) -> Result<String, Problem> {
    let everyone = Query::Candidates { rivals_of: None, integration, text: String::new(), limit: usize::MAX };
    let view = ask!(handle, everyone, Candidates)?;
    let there = integration.target(integration.root()).label();
    view.rows.into_iter().find(|row| row.party.id == *target).map(|row| row.party.name).ok_or_else(|| {
        Problem::new(Class::Input, format!("{there} has no customer with the id {target}."))
            .remedy(format!("Look the id up in {there}, or in the mapping table of the screen."))
    })
}
