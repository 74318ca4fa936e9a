//! `fields`: which field feeds which. The marketplaces' rules are fixed but for the settings named there; those of assets
//! are edited here.

use super::args::FieldsCommand;
use super::config::save;
use super::exit::{DONE, Failure};
use super::json::{
    Done, ExportDocument, FieldChangesDocument, FieldsDocument, MappingsDocument, SidesDocument,
};
use super::out::{Out, complain};
use super::progress::attended;
use super::{ask, files, order, text};
use crate::host::Handle;
use crate::host::words::{Command, Query, Reply, SettingChange};
use crate::integrations::liongard::is_source_field;
use crate::matching::{field_csv, mapping_csv};
use crate::model::asset::FieldKind;
use crate::model::settings::FieldMapping;
use crate::model::text::shown;
use crate::model::{Class, Integration, Problem};

const KEY: &str = "liongard.field_mappings";

pub async fn run(out: &Out, handle: &Handle, command: &FieldsCommand) -> Result<u8, Failure> {
    match command {
        FieldsCommand::List { integration } => list(out, handle, *integration).await,
        FieldsCommand::Set { integration, source, target, create, kind, fill_blank } => {
            let mut rows = rows(handle, *integration).await?;
            if !is_source_field(source) {
                return Err(Problem::new(Class::Input, format!("Liongard has no field '{source}'."))
                    .remedy("Name an attribute such as Serial Number, or a path such as Inspector.Alias, Device.Category or Metric.UUID. What only an inspection's details tell needs a metric in Liongard.")
                    .into());
            }
            let row = FieldMapping {
                source: source.trim().to_owned(),
                target: target.trim().to_owned(),
                create: *create,
                kind: FieldKind::ALL.into_iter().find(|one| Some(one.key()) == kind.as_deref()),
                fill_blank: *fill_blank,
            };
            let at = rows.iter().position(|old| is_target(old, target));
            judged(out, handle, *integration, &row, at).await?;
            match at.and_then(|at| rows.get_mut(at)) {
                Some(old) => *old = row,
                None => rows.push(row),
            }
            put(out, handle, &rows).await
        }
        FieldsCommand::Unset { integration, target } => {
            let mut rows = rows(handle, *integration).await?;
            let before = rows.len();
            rows.retain(|row| !is_target(row, target));
            if rows.len() == before {
                return Err(unfed(target).into());
            }
            put(out, handle, &rows).await
        }
        FieldsCommand::Move { integration, target, place } => {
            let mut rows = rows(handle, *integration).await?;
            let at = rows.iter().position(|row| is_target(row, target)).ok_or_else(|| unfed(target))?;
            let row = rows.remove(at);
            rows.insert(place.saturating_sub(1).min(rows.len()), row);
            put(out, handle, &rows).await
        }
        FieldsCommand::Undo { integration, redo } => {
            let command = Command::UndoFields { integration: *integration, redo: *redo };
            let said = order!(handle, command, Reply::Done(said) => said)?;
            out.either(&Done { message: &said }, || said.clone() + "\n")?;
            Ok(DONE)
        }
        FieldsCommand::Sample { integration, cached } => sample(out, handle, *integration, *cached).await,
        FieldsCommand::Test { integration, record } => {
            let command = Command::TryFields { integration: *integration, record: record.clone() };
            let work = async { order!(handle, command, Reply::Fields(test) => test) };
            let test = attended(out, handle, work).await?;
            out.either(&test, || text::field_test(&test, out.plain))?;
            Ok(DONE)
        }
        FieldsCommand::Copy { integration, from, dry_run } => {
            let mut rows = rows(handle, *integration).await?;
            let table = ask!(handle, Query::FieldTable { integration: *integration }, FieldTable)?;
            let copy = table.copies.into_iter().find(|copy| copy.from == *from).ok_or_else(|| {
                Problem::new(Class::Input, format!("{} names no asset fields of Halo to copy.", from.label()))
                    .remedy(format!("`parhelion fields copy {integration} lifecycle` takes those of the planning workspace."))
            })?;
            let before = rows.clone();
            rows.extend(copy.rows);
            change(out, handle, *integration, &before, &rows, *dry_run).await
        }
        FieldsCommand::Export { integration, file } => {
            let rows = rows(handle, *integration).await?;
            match file {
                Some(file) => {
                    files::write(file, field_csv::write(&rows))?;
                    let name = file.display().to_string();
                    let document =
                        ExportDocument { integration: *integration, file: &name, rows: rows.len() };
                    out.either(&document, || format!("{} rows are in {name}.", rows.len()))?;
                }
                None => out.either(&MappingsDocument { integration: *integration, rows: &rows }, || {
                    field_csv::write(&rows)
                })?,
            }
            Ok(DONE)
        }
        FieldsCommand::Import { integration, file, dry_run } => {
            let before = rows(handle, *integration).await?;
            let read = mapping_csv::decode(&files::read(file)?)
                .map_err(|error| vec![error])
                .and_then(|text| field_csv::parse(&text, is_source_field));
            match read {
                Ok(rows) => change(out, handle, *integration, &before, &rows, *dry_run).await,
                Err(errors) => {
                    for (line, sentence) in &errors {
                        complain(&format!("{}, line {line}: {}", file.display(), shown(sentence)));
                    }
                    let lines: Vec<String> =
                        errors.iter().map(|(line, why)| format!("line {line}: {}", shown(why))).collect();
                    let message =
                        format!("{} cannot be taken, so nothing was: {}.", file.display(), lines.join("; "));
                    Err(Problem::new(Class::Input, message)
                        .remedy("Correct them and import the file again.")
                        .into())
                }
            }
        }
    }
}

/// Reads both sides, or shows what was read before.
async fn sample(out: &Out, handle: &Handle, integration: Integration, cached: bool) -> Result<u8, Failure> {
    rows(handle, integration).await?;
    if !cached {
        let work = async { order!(handle, Command::ReadFields { integration }, Reply::Done(said) => said) };
        out.remark(&attended(out, handle, work).await?);
    }
    let sides = ask!(handle, Query::FieldSides { integration }, FieldSides)?;
    if sides.read_at.is_none() {
        return Err(Problem::new(Class::Input, "No records were read yet.")
            .remedy(format!("`parhelion fields sample {integration}` reads them."))
            .into());
    }
    out.either(&SidesDocument { integration, sides: &sides }, || text::field_sides(&sides, out.plain))?;
    Ok(DONE)
}

/// Shows what other rows would change, and changes it.
async fn change(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    before: &[FieldMapping],
    rows: &[FieldMapping],
    dry_run: bool,
) -> Result<u8, Failure> {
    let diff = field_csv::differences(before, rows);
    if !dry_run && !diff.is_empty() {
        handle.send(Command::Set { changes: vec![row_change(rows)?] }).await?;
    }
    let document = FieldChangesDocument { integration, dry_run, rows: rows.len(), diff: &diff };
    out.either(&document, || {
        let lines: Vec<_> = diff.iter().map(|line| shown(line)).collect();
        let mut text = lines.join("\n");
        if !lines.is_empty() {
            text.push('\n');
        }
        text.push_str(match (diff.is_empty(), dry_run) {
            (true, _) => "Nothing changes.",
            (false, true) => "Nothing was changed (--dry-run).",
            (false, false) => "Saved; the next plan shows what follows.",
        });
        text
    })?;
    Ok(DONE)
}

/// What the sample says of a row, before it is saved.
async fn judged(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    row: &FieldMapping,
    at: Option<usize>,
) -> Result<(), Failure> {
    let query = Query::FieldVerdict { integration, row: Box::new(row.clone()), at };
    let verdict = ask!(handle, query, FieldVerdict)?;
    if let Some(why) = verdict.refused {
        return Err(Problem::new(
            Class::Input,
            format!("{} -> {}: {}.", row.source, row.target, shown(&why)),
        )
        .remedy(format!(
            "Nothing was saved. `parhelion fields sample {integration}` reads anew what there is."
        ))
        .into());
    }
    for notice in verdict.notices {
        out.remark(&format!("Note: {notice}."));
    }
    Ok(())
}

fn unfed(target: &str) -> Problem {
    Problem::new(Class::Input, format!("Nothing feeds the field '{}'.", shown(target)))
        .remedy("`parhelion fields list liongard` shows what does.")
}

async fn list(out: &Out, handle: &Handle, integration: Integration) -> Result<u8, Failure> {
    let fields = ask!(handle, Query::Fields { integration }, Fields)?;
    out.either(&FieldsDocument::new(integration, &fields), || text::fields(integration, &fields, out.plain))?;
    Ok(DONE)
}

async fn rows(handle: &Handle, integration: Integration) -> Result<Vec<FieldMapping>, Failure> {
    if integration != Integration::Liongard {
        let label = integration.label();
        return Err(Problem::new(
            Class::Input,
            format!("The fields of {label} are fixed by the vendor's rules."),
        )
        .remedy(format!("`parhelion fields list {integration}` names the setting that changes each."))
        .into());
    }
    let view = ask!(handle, Query::Settings, Settings)?;
    Ok(view.settings.liongard.field_mappings)
}

fn is_target(row: &FieldMapping, target: &str) -> bool {
    row.target.trim().eq_ignore_ascii_case(target.trim())
}

async fn put(out: &Out, handle: &Handle, rows: &[FieldMapping]) -> Result<u8, Failure> {
    save(out, handle, Command::Set { changes: vec![row_change(rows)?] }).await
}

/// The rows as the setting that they are.
fn row_change(rows: &[FieldMapping]) -> Result<SettingChange, Problem> {
    let value = crate::settings::mappings(rows);
    let value =
        value.ok_or_else(|| Problem::new(Class::Local, "The mappings cannot be written as a setting."))?;
    Ok(SettingChange { key: KEY.to_owned(), value: Some(value) })
}
