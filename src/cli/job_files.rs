//! `job export`: what became of a job's rows, as two CSV files (P31).

use std::path::Path;

use super::exit::{DONE, Failure};
use super::json::FilesDocument;
use super::out::Out;
use super::{ask, files};
use crate::host::Handle;
use crate::host::words::{JobRow, Query, RowEnd};
use crate::matching::mapping_csv::guarded;
use crate::model::text::shown;
use crate::model::{Class, JobId, Problem, Value};

/// Rows asked for at a time.
const WINDOW: usize = 1000;
const HEAD: [&str; 10] = [
    "row",
    "entity",
    "action",
    "result",
    "source_id",
    "source_name",
    "customer_id",
    "target_id",
    "fields",
    "message",
];

/// Writes the rows that failed or are held to one file, those that are done to another.
pub async fn export(
    out: &Out,
    handle: &Handle,
    job: JobId,
    failed: Option<&Path>,
    done: Option<&Path>,
) -> Result<u8, Failure> {
    let (mut left, mut passed) = (Table::new()?, Table::new()?);
    let mut from = 1;
    loop {
        let rows = ask!(handle, Query::JobRows { job, from, limit: WINDOW }, JobRows)?;
        let Some(last) = rows.last() else { break };
        from = last.change.row + 1;
        for row in &rows {
            match row.end {
                RowEnd::Done => passed.add(row)?,
                RowEnd::Failed | RowEnd::Held => left.add(row)?,
                RowEnd::Skipped => {}
            }
        }
    }
    let mut written = Vec::new();
    for (file, table) in [(failed, left), (done, passed)] {
        if let Some(file) = file {
            let rows = table.rows;
            files::write(file, &table.text()?)?;
            written.push((file.display().to_string(), rows));
        }
    }
    let document = FilesDocument::new(job, &written);
    out.either(&document, || {
        let lines: Vec<_> =
            written.iter().map(|(file, rows)| format!("{rows} rows are in {file}.\n")).collect();
        lines.concat()
    })?;
    Ok(DONE)
}

/// Rows as CSV. No cell begins a formula.
struct Table {
    csv: csv::Writer<Vec<u8>>,
    rows: u64,
}

impl Table {
    fn new() -> Result<Self, Problem> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(HEAD).map_err(|error| unwritten(&error))?;
        Ok(Self { csv, rows: 0 })
    }

    fn add(&mut self, row: &JobRow) -> Result<(), Problem> {
        self.rows += 1;
        self.csv.write_record(cells(row).map(|cell| guarded(&cell))).map_err(|error| unwritten(&error))
    }

    fn text(self) -> Result<String, Problem> {
        let bytes = self.csv.into_inner().map_err(|error| unwritten(&error))?;
        String::from_utf8(bytes).map_err(|error| unwritten(&error))
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Class::Local, format!("The rows could not be written down: {error}."))
}

fn cells(row: &JobRow) -> [String; 10] {
    let change = &row.change;
    let action = change.hold.as_ref().map_or(change.action, |hold| hold.would_be);
    let value = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), ToString::to_string);
    let fields: Vec<String> = change
        .fields
        .iter()
        .map(|field| {
            format!("{}: {} -> {}", field.name, value(field.before.as_ref()), value(field.after.as_ref()))
        })
        .collect();
    let result = match row.end {
        RowEnd::Done => "done",
        RowEnd::Failed => "failed",
        RowEnd::Held => "held",
        RowEnd::Skipped => "skipped",
    };
    [
        change.row.to_string(),
        change.entity.key().to_owned(),
        action.key().to_owned(),
        result.to_owned(),
        change.source.id.to_string(),
        shown(&change.source.name).into_owned(),
        change.customer.as_ref().unwrap_or(&change.source).id.to_string(),
        change.target.as_ref().map(|target| target.id.to_string()).unwrap_or_default(),
        fields.join("; "),
        shown(&row.message).into_owned(),
    ]
}
