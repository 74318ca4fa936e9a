//! One row a configuration, the columns and headings as a person set them.

use crate::lifecycle::column::Headed;
use crate::lifecycle::report::Report;
use crate::model::text::shown;

/// Spreadsheets run a cell that begins so as a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

pub fn csv(report: &Report, columns: &[Headed]) -> Result<Vec<u8>, String> {
    let fault = |error: csv::Error| format!("the CSV cannot be written: {error}");
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    out.write_record(columns.iter().map(|column| harmless(&column.heading))).map_err(fault)?;
    for row in &report.rows {
        out.write_record(columns.iter().map(|column| harmless(&column.column.cell(row)))).map_err(fault)?;
    }
    out.into_inner().map_err(|error| format!("the CSV cannot be written: {error}"))
}

/// A cell on one line that no spreadsheet takes for a formula and no terminal for an order.
fn harmless(cell: &str) -> String {
    let cell = shown(cell);
    if cell.trim_start().starts_with(FORMULA) { format!("'{cell}") } else { cell.into_owned() }
}
