//! `map export` and `map import`: the mapping table as a file (P19), CSV or a spreadsheet by its name.

use std::path::Path;

use super::exit::{DONE, FAILED, Failure};
use super::json::{ExportDocument, ImportDocument, MapDocument};
use super::out::{Out, complain};
use super::{files, map, order, text};
use crate::host::Handle;
use crate::host::words::{Command, MapRow, MappingImport, Reply};
use crate::matching::mapping_csv::{self, Row};
use crate::matching::mapping_xlsx;
use crate::model::text::shown;
use crate::model::{Class, Integration, Problem};

pub async fn export(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    file: Option<&Path>,
) -> Result<u8, Failure> {
    map::read_once(out, handle, integration).await?;
    let rows = map::rows(handle, integration).await?;
    let csv = || mapping_csv::write(&rows.iter().map(row).collect::<Vec<_>>());
    match file {
        Some(file) => {
            if mapping_xlsx::is_xlsx(file) {
                let rows: Vec<Row> = rows.iter().map(row).collect();
                let bytes = mapping_xlsx::write(&rows)
                    .map_err(|why| Problem::new(Class::Local, format!("{}: {why}.", file.display())))?;
                files::write(file, &bytes)?;
            } else {
                files::write(file, csv())?;
            }
            let name = file.display().to_string();
            let document = ExportDocument { integration, file: &name, rows: rows.len() };
            out.either(&document, || format!("{} rows are in {name}.", rows.len()))?;
        }
        None => out.either(&MapDocument::new(integration, &rows, None), csv)?,
    }
    Ok(DONE)
}

pub async fn import(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    file: &Path,
    dry_run: bool,
    by_name: bool,
) -> Result<u8, Failure> {
    let import = match mapping_csv::read(file, &files::read(file)?) {
        Ok(csv) => {
            // Without the customers no id could be told from a mistyped one.
            map::read_once(out, handle, integration).await?;
            let command = Command::ImportMappings { integration, csv, dry_run, by_name };
            order!(handle, command, Reply::Mappings(import) => import)?
        }
        Err(error) => MappingImport {
            integration,
            dry_run,
            added: 0,
            changed: 0,
            unchanged: 0,
            diff: Vec::new(),
            errors: vec![error],
        },
    };
    let problem = (!import.errors.is_empty()).then(|| {
        let lines = import.errors.len();
        let lines = if lines == 1 { "1 line".into() } else { format!("{lines} lines") };
        Problem::new(Class::Input, format!("{lines} of {} cannot be taken, so nothing was.", file.display()))
            .remedy(
                "Correct them and import the file again. A file of another profile is taken with --by-name.",
            )
    });
    if let Some(problem) = &problem {
        for (line, sentence) in &import.errors {
            complain(&format!("{}, line {line}: {}", file.display(), shown(sentence)));
        }
        complain(&problem.to_string());
    }
    out.either(&ImportDocument::new(&import, problem.as_ref()), || text::mapping_import(&import))?;
    Ok(if problem.is_some() { FAILED } else { DONE })
}

fn row(row: &MapRow) -> Row {
    Row {
        line: 0,
        source: row.source.id.clone(),
        source_name: shown(&row.source.name).into_owned(),
        target: row.target.as_ref().map(|target| target.id.clone()),
        target_name: row.target.as_ref().map(|target| shown(&target.name).into_owned()).unwrap_or_default(),
        state: row.state.key().to_owned(),
        note: shown(&row.note).into_owned(),
    }
}
