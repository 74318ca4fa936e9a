//! The mapping table as a spreadsheet, for people who hand it on; it is read back as CSV.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::mapping_csv::{COLUMNS, Row};
use crate::model::TargetId;

/// Widths that fit ids and most names, in characters.
const WIDTHS: [f64; 6] = [14.0, 36.0, 12.0, 36.0, 12.0, 40.0];

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
}
