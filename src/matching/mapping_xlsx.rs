//! The mapping table as a spreadsheet, there and back. What is read becomes CSV with the same lines, so that there is one
//! place that judges a file ([`super::mapping_csv`]).

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use calamine::{Data, DataRef, Reader, Xlsx};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::mapping_csv::{COLUMNS, Row, guarded};
use crate::model::TargetId;

/// Widths that fit ids and most names, in characters.
const WIDTHS: [f64; 6] = [14.0, 36.0, 12.0, 36.0, 12.0, 40.0];

/// Columns of a sheet that are looked at.
const WIDEST: u32 = 64;

/// Whether a file of this name is a spreadsheet.
pub fn is_xlsx(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("xlsx"))
}

/// The first sheet as CSV, each row in the line of its own number.
///
/// # Errors
/// A sentence: why it is no spreadsheet.
pub fn to_csv(bytes: &[u8]) -> Result<String, String> {
    let odd = |error: &dyn std::fmt::Display| format!("the spreadsheet cannot be read: {error}");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| odd(&error))?;
    let name = book.sheet_names().first().cloned().ok_or("the spreadsheet has no sheet")?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(|error| odd(&error))?;
    let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(|error| odd(&error))? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if !text.is_empty() && column < WIDEST {
            rows.entry(row).or_default().insert(column, text);
        }
    }
    let end = |row: &BTreeMap<u32, String>| row.keys().next_back().map_or(0, |last| last + 1);
    let width = rows.get(&0).map_or(0, end);
    let mut csv = String::new();
    let mut line = 0;
    for (row, cells) in &rows {
        while line < *row {
            csv.push('\n');
            line += 1;
        }
        for column in 0..width.max(end(cells)) {
            if column > 0 {
                csv.push(',');
            }
            let cell = guarded(cells.get(&column).map_or("", String::as_str));
            csv.push_str(&format!("\"{}\"", cell.replace('"', "\"\"")));
        }
    }
    csv.push('\n');
    Ok(csv)
}

/// A cell as a person sees it, on one line: an id stays a whole number.
fn text(cell: &DataRef<'_>) -> String {
    let text = match cell {
        DataRef::Float(number) if number.fract() == 0.0 => format!("{number:.0}"),
        other => Data::from(other.clone()).to_string(),
    };
    text.replace(['\r', '\n'], " ")
}

/// The whole file.
///
/// # Errors
/// The rest of a sentence: why it cannot be made, such as more rows than a sheet holds.
pub fn write(rows: &[Row]) -> Result<Vec<u8>, String> {
    book(rows).map_err(|error| format!("the spreadsheet cannot be made: {error}"))
}

fn book(rows: &[Row]) -> Result<Vec<u8>, XlsxError> {
    let head = Format::new().set_bold();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Mappings")?;
    sheet.set_freeze_panes(1, 0)?;
    for ((column, name), width) in (0..).zip(COLUMNS).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, name, &head)?;
    }
    for (line, row) in (1..).zip(rows) {
        let target = row.target.as_ref().map(TargetId::as_str).unwrap_or_default();
        let cells = [row.source.as_str(), &row.source_name, target, &row.target_name, &row.state, &row.note];
        for (column, text) in (0..).zip(cells) {
            // Always as text: no name becomes a formula, no id a number.
            sheet.write_string(line, column, text)?;
        }
    }
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::super::mapping_csv::parse;
    use super::*;
    use crate::model::SourceId;

    #[test]
    fn names_stay_text_whatever_they_begin_with() {
        let row = Row {
            line: 0,
            source: SourceId::new("88213"),
            source_name: "=1+1".into(),
            target: Some(TargetId::from(7)),
            target_name: "Alder".into(),
            state: "mapped".into(),
            note: String::new(),
        };
        let bytes = write(&[row]).unwrap();
        assert!(bytes.starts_with(b"PK"));
        assert!(!bytes.windows(3).any(|three| three == b"<f>"));
    }

    #[test]
    fn what_is_written_is_read_again_line_by_line() {
        let row = |line: u64, name: &str| Row {
            line,
            source: SourceId::new(line.to_string()),
            source_name: name.into(),
            target: Some(TargetId::from(7)),
            target_name: "東京 \"x\", y".into(),
            state: "mapped".into(),
            note: String::new(),
        };
        let rows: Vec<Row> =
            (2..).zip(["=1+1", "'=1", "plain", "-5", "a;b,c"]).map(|(at, name)| row(at, name)).collect();
        let read = parse(&to_csv(&write(&rows).unwrap()).unwrap()).0;
        assert_eq!(read, rows);
    }

    #[test]
    fn rows_keep_their_numbers_and_ids_stay_whole() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, name) in [(0, "source_id"), (1, "target_id"), (2, "state")] {
            sheet.write_string(0, column, name).unwrap();
        }
        sheet.write_number(3, 0, 88213.0).unwrap();
        sheet.write_number(3, 1, 12.0).unwrap();
        sheet.write_string(5, 0, "9").unwrap();
        sheet.write_string(5, 2, "maped").unwrap();
        let errors = parse(&to_csv(&book.save_to_buffer().unwrap()).unwrap()).1;
        assert_eq!(errors.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6], "{errors:?}");
    }

    #[test]
    fn an_id_that_the_spreadsheet_holds_as_a_number_is_the_same_id() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "source_id").unwrap();
        sheet.write_number(1, 0, 88213.0).unwrap();
        let read = parse(&to_csv(&book.save_to_buffer().unwrap()).unwrap()).0;
        assert_eq!(read[0].source, SourceId::new("88213"));
    }

    #[test]
    fn what_is_no_spreadsheet_says_so() {
        for bytes in [&b""[..], b"source_id\n1\n", b"PK\x03\x04 torn"] {
            assert!(to_csv(bytes).unwrap_err().starts_with("the spreadsheet cannot be read"));
        }
    }
}
