//! A spreadsheet: a sheet that sums up, and one with a row a configuration. Dates and amounts are dates and amounts.

use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::state_words;
use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::column::{Column, Headed};
use crate::lifecycle::grade::DEFAULT_LABEL;
use crate::lifecycle::report::{Report, Row};
use crate::lifecycle::summary::Gap;
use crate::model::Date;
use crate::model::text::shown;

pub fn xlsx(report: &Report, columns: &[Headed]) -> Result<Vec<u8>, String> {
    book(report, columns).map_err(|error| format!("the spreadsheet cannot be made: {error}"))
}

struct Styles {
    head: Format,
    title: Format,
    date: Format,
    money: Format,
}

fn book(report: &Report, columns: &[Headed]) -> Result<Vec<u8>, XlsxError> {
    let styles = Styles {
        head: Format::new().set_bold().set_background_color(0x00E8_EDF3),
        title: Format::new().set_bold().set_font_size(14),
        date: Format::new().set_num_format("yyyy-mm-dd"),
        money: Format::new().set_num_format("#,##0.00"),
    };
    let mut book = Workbook::new();
    overview(book.add_worksheet(), report, &styles)?;
    configurations(book.add_worksheet(), report, columns, &styles)?;
    book.save_to_buffer()
}

fn overview(sheet: &mut Worksheet, report: &Report, styles: &Styles) -> Result<(), XlsxError> {
    let s = &report.summary;
    sheet.set_name("Overview")?;
    sheet.set_column_width(0, 28)?;
    sheet.write_string_with_format(0, 0, text(&report.head.name), &styles.title)?;
    sheet.write_string(1, 0, format!("Lifecycle report {}, {}", report.head.id, state_words(report)))?;
    sheet.write_string(2, 0, "As of")?;
    date(sheet, 2, 1, report.as_of, styles)?;
    sheet.write_string(3, 0, "Configurations")?;
    sheet.write_number(3, 1, s.configurations)?;
    sheet.write_string(4, 0, "Data quality (of 100)")?;
    if let Some(score) = s.quality.score() {
        sheet.write_number(4, 1, score)?;
    }
    sheet.write_string(5, 0, "Currency")?;
    sheet.write_string(5, 1, report.currency.map(|c| c.to_string()).unwrap_or_default())?;
    let mut at = 7;
    let grades: Vec<_> = report.grades.iter().map(|(name, _)| (name.as_str(), s.grade(name))).collect();
    let ages: Vec<_> = AgeBucket::ALL.iter().map(|bucket| (bucket.label(), s.age(*bucket))).collect();
    let warranties: Vec<_> = WarrantyBucket::ALL.iter().map(|b| (b.label(), s.warranty(*b))).collect();
    let missing: Vec<_> = Gap::ALL.iter().map(|gap| (gap.label(), s.quality.of(*gap))).collect();
    let grade_title = if report.grades_are_ours { DEFAULT_LABEL } else { "Grades" };
    for (title, counts) in
        [(grade_title, grades), ("Age", ages), ("Warranty", warranties), ("Missing data", missing)]
    {
        sheet.write_string_with_format(at, 0, title, &styles.head)?;
        sheet.write_string_with_format(at, 1, "Count", &styles.head)?;
        for (label, count) in counts {
            at += 1;
            sheet.write_string(at, 0, text(label))?;
            sheet.write_number(at, 1, count)?;
        }
        at += 2;
    }
    for (column, title) in
        ["Budget year", "Configurations", "Hardware", "Set-up", "Onsite", "Total"].iter().enumerate()
    {
        sheet.write_string_with_format(at, column as u16, *title, &styles.head)?;
    }
    let undated = (s.undated.count > 0).then(|| ("no date".to_owned(), s.undated));
    for (year, cost) in report.years().into_iter().chain(undated) {
        at += 1;
        sheet.write_string(at, 0, year)?;
        sheet.write_number(at, 1, cost.count)?;
        for (column, amount) in [cost.hardware, cost.setup, cost.onsite, cost.total()].into_iter().enumerate()
        {
            sheet.write_number_with_format(
                at,
                column as u16 + 2,
                amount.to_f64().unwrap_or(0.0),
                &styles.money,
            )?;
        }
    }
    for warning in &report.warnings {
        at += 1;
        sheet.write_string(at + 1, 0, text(warning))?;
    }
    Ok(())
}

fn configurations(
    sheet: &mut Worksheet,
    report: &Report,
    columns: &[Headed],
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name("Configurations")?;
    sheet.set_freeze_panes(1, 0)?;
    for (at, column) in columns.iter().enumerate() {
        let width = if matches!(column.column, Column::Notes | Column::Why) { 36.0 } else { 16.0 };
        sheet.set_column_width(at as u16, width)?;
        sheet.write_string_with_format(0, at as u16, text(&column.heading), &styles.head)?;
    }
    for (line, row) in report.rows.iter().enumerate() {
        for (at, column) in columns.iter().enumerate() {
            cell(sheet, line as u32 + 1, at as u16, &column.column, row, styles)?;
        }
    }
    if !report.rows.is_empty() && !columns.is_empty() {
        sheet.autofilter(0, 0, report.rows.len() as u32, columns.len() as u16 - 1)?;
    }
    Ok(())
}

fn cell(
    sheet: &mut Worksheet,
    line: u32,
    at: u16,
    column: &Column,
    row: &Row,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let day = match column {
        Column::PurchaseDate => row.dates.purchase,
        Column::InstallDate => row.dates.install,
        Column::WarrantyStart => row.dates.warranty_start,
        Column::ExpirationDate => row.dates.expiration,
        Column::ReplaceOn => row.replace_on,
        _ => None,
    };
    if let Some(day) = day {
        return date(sheet, line, at, day, styles);
    }
    let shown = column.cell(row);
    match shown.parse::<f64>() {
        Ok(number) if *column == Column::Id => sheet.write_number(line, at, number).map(drop),
        Ok(number) if column.is_number() => {
            sheet.write_number_with_format(line, at, number, &styles.money).map(drop)
        }
        _ => sheet.write_string(line, at, text(&shown)).map(drop),
    }
}

fn date(sheet: &mut Worksheet, line: u32, at: u16, day: Date, styles: &Styles) -> Result<(), XlsxError> {
    // Excel's calendar begins in 1900; what lies before it stays text.
    match ExcelDateTime::from_ymd(day.year() as u16, day.month() as u8, day.day() as u8) {
        Ok(value) => sheet.write_datetime_with_format(line, at, &value, &styles.date).map(drop),
        Err(_) => sheet.write_string(line, at, day.to_string()).map(drop),
    }
}

/// Text from outside, no longer than a cell can be. Written as text, so nothing runs as a formula.
fn text(text: &str) -> String {
    shown(text).chars().take(32_000).collect()
}
