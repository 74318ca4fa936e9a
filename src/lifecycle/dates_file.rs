//! A file of dates as spreadsheets and distributors write it: its encoding, its separator, its headings, its dates.

use super::configuration::{DateField, DateOrder, Dates, day_and_month, parse_date_in};
use crate::model::text::shown;

/// One line of a file of dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, with the header.
    pub line: u64,
    /// Halo's asset id, which goes before the serial.
    pub id: Option<i64>,
    pub serial: String,
    pub dates: Dates,
    pub estimated: bool,
}

/// The text of a file: UTF-8, UTF-16 by its mark, else byte by byte. What is read of it is ASCII: a letter of a column
/// that nobody reads must not keep the dates out.
pub fn decode(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        },
    }
}

/// A column and the headings it is known by.
const ID: &[&str] = &["id", "asset_id", "halo_id"];
const SERIAL: &[&str] = &["serial", "serial_number", "serialnumber", "serial_no", "service_tag"];
const ESTIMATED: &[&str] = &["estimated", "estimate"];
const DATES: [(DateField, &[&str]); 3] = [
    (DateField::PurchaseDate, &["purchase_date", "purchased", "ship_date"]),
    (DateField::WarrantyStart, &["warranty_start", "warranty_start_date", "start_date", "start"]),
    (
        DateField::ExpirationDate,
        &["expiration_date", "warranty_end", "warranty_end_date", "end_date", "end", "expiry", "expires"],
    ),
];

/// Reads a file of dates. Commas, semicolons, tabs or bars; headings in any order: `id` or `asset_id`, `serial`,
/// `purchase_date`, `warranty_start`, `expiration_date` (or `warranty_end`), `estimated`. Where one date can only have
/// the month first, all of the file do.
///
/// # Errors
/// `(line, sentence)` of each line that cannot be taken; then nothing of the file is.
pub fn parse(text: &str) -> Result<Vec<Entry>, Vec<(u64, String)>> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    // What Excel puts before the headings.
    let told = first.strip_prefix("sep=").and_then(|sign| sign.bytes().next());
    let (skipped, body) = match told {
        Some(_) => (1, text.split_once('\n').map_or("", |(_, rest)| rest)),
        None => (0, text),
    };
    let head = body.lines().next().unwrap_or_default();
    if head.trim().is_empty() {
        return Err(vec![(1, "the file is empty, or begins with an empty line".into())]);
    }
    let found = [b'\t', b';', b'|', b','].into_iter().find(|sign| head.as_bytes().contains(sign));
    let delimiter = told.or(found).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(body.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![(1, format!("the header cannot be read: {error}"))]),
    };
    let columns = Columns::of(&header).map_err(|why| vec![(1 + skipped, why)])?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line) + skipped;
                if record.iter().any(|cell| cell.contains('\n')) {
                    errors.push((line, "a quote is opened here and not closed on the same line".to_owned()));
                } else if record.iter().any(|cell| !cell.trim().is_empty()) {
                    rows.push((line, record));
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line) + skipped;
                errors.push((line, format!("the line cannot be read: {error}")));
            }
        }
    }
    let order = order(&rows, &columns, &mut errors);
    let mut entries = Vec::new();
    for (line, record) in &rows {
        match columns.entry(*line, record, order) {
            Ok(entry) => entries.push(entry),
            Err(whys) => errors.extend(whys.into_iter().map(|why| (*line, why))),
        }
    }
    errors.sort();
    if errors.is_empty() { Ok(entries) } else { Err(errors) }
}

/// Where things stand on a line.
struct Columns {
    id: Option<usize>,
    serial: Option<usize>,
    estimated: Option<usize>,
    dates: Vec<(DateField, usize)>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, String> {
        let column = |names: &[&str]| {
            let mut found = header.iter().enumerate().filter(|(_, own)| {
                let own: String = own.trim().to_ascii_lowercase().replace([' ', '-'], "_");
                names.contains(&own.as_str())
            });
            match (found.next(), found.next()) {
                (Some((_, one)), Some((_, other))) => Err(format!(
                    "'{}' and '{}' say the same thing; leave one of the two out",
                    shown(one.trim()),
                    shown(other.trim())
                )),
                (found, _) => Ok(found.map(|(at, _)| at)),
            }
        };
        let mut dates = Vec::new();
        for (field, names) in DATES {
            dates.extend(column(names)?.map(|at| (field, at)));
        }
        let of = Self { id: column(ID)?, serial: column(SERIAL)?, estimated: column(ESTIMATED)?, dates };
        if of.id.is_none() && of.serial.is_none() {
            return Err("the header names neither 'serial' nor 'id'".into());
        }
        if of.dates.is_empty() {
            return Err(
                "the header names no date; known are purchase_date, warranty_start, expiration_date".into()
            );
        }
        Ok(of)
    }

    fn entry(&self, line: u64, record: &csv::StringRecord, order: DateOrder) -> Result<Entry, Vec<String>> {
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default().trim();
        let mut errors = Vec::new();
        let id = match cell(self.id) {
            "" => None,
            text => match text.parse::<i64>() {
                Ok(id) if id > 0 => Some(id),
                _ => {
                    errors.push(format!("'{}' is not a Halo asset id", shown(text)));
                    None
                }
            },
        };
        let serial = cell(self.serial).to_owned();
        if id.is_none() && serial.is_empty() && errors.is_empty() {
            errors.push("neither a serial nor an id".into());
        }
        let mut dates = Dates::default();
        for (field, at) in &self.dates {
            match parse_date_in(value(record, *at), order) {
                Ok(date) => dates.set(*field, date),
                Err(why) => errors.push(format!("{}: {why}", field.label())),
            }
        }
        let estimated =
            matches!(cell(self.estimated).to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "x");
        if errors.is_empty() { Ok(Entry { line, id, serial, dates, estimated }) } else { Err(errors) }
    }
}

/// A date's cell; empty where it says that there is none.
fn value(record: &csv::StringRecord, at: usize) -> &str {
    let text = record.get(at).unwrap_or_default().trim();
    let says_none = ["-", "n/a", "na", "none", "unknown", "null"];
    if says_none.iter().any(|word| text.eq_ignore_ascii_case(word)) { "" } else { text }
}

/// What the dates of the file that leave no choice say of the others.
fn order(rows: &[(u64, csv::StringRecord)], columns: &Columns, errors: &mut Vec<(u64, String)>) -> DateOrder {
    let mut told: Option<(u64, DateOrder)> = None;
    for (line, record) in rows {
        for (_, at) in &columns.dates {
            let own = match day_and_month(value(record, *at)) {
                Some((13.., ..=12)) => DateOrder::DayFirst,
                Some((..=12, 13..)) => DateOrder::MonthFirst,
                _ => continue,
            };
            match told {
                Some((first, order)) if order != own => {
                    errors.push((
                        *line,
                        format!(
                            "'{}' has day and month the other way round than line {first}; write dates as 2027-12-31",
                            shown(value(record, *at))
                        ),
                    ));
                }
                Some(_) => {}
                None => told = Some((*line, own)),
            }
        }
    }
    told.map_or(DateOrder::DayFirst, |(_, order)| order)
}
