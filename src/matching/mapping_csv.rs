//! The mapping table as CSV (P19): what `map export` writes, `map import` reads again.

use std::collections::BTreeMap;
use std::path::Path;

use super::mapping_xlsx;
use crate::model::{Decision, How, SourceId, TargetId};

/// The columns, in the order of an export. An import takes them in any order and needs `source_id` only.
pub const COLUMNS: [&str; 6] = ["source_id", "source_name", "target_id", "target_name", "state", "note"];

/// Spreadsheets run a cell that begins so as a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One line of the table. Names are labels; the ids decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the file, from 1; 0 for a row that was not read from one.
    pub line: u64,
    pub source: SourceId,
    pub source_name: String,
    pub target: Option<TargetId>,
    pub target_name: String,
    /// The state's word as `map list` has it.
    pub state: String,
    pub note: String,
}

impl Row {
    /// What the row says about its customer. A partner without a state means mapped, nothing at all undecided.
    pub fn decision(&self) -> Decision {
        match (self.state.as_str(), &self.target) {
            ("excluded", _) => Decision::Exclude { note: self.note.as_str().into(), until: None },
            ("new", _) => Decision::New,
            ("unmapped", _) | (_, None) => Decision::Clear,
            (_, Some(target)) => Decision::Map {
                target: target.clone(),
                target_name: self.target_name.as_str().into(),
                how: How::Import,
            },
        }
    }
}

/// The text of a file of either kind; of a spreadsheet its first sheet.
///
/// # Errors
/// `(line, sentence)`: what is wrong with it.
pub fn read(path: &Path, bytes: &[u8]) -> Result<String, (u64, String)> {
    if mapping_xlsx::is_xlsx(path) {
        mapping_xlsx::to_csv(bytes).map_err(|sentence| (1, sentence))
    } else {
        decode(bytes)
    }
}

/// Bytes of a file as text.
///
/// # Errors
/// `(line, sentence)` of the first byte that is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<String, (u64, String)> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err((1, "the file is UTF-16; save it as 'CSV UTF-8'".into()));
    }
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() as u64 + 1;
        (line, "a character is not UTF-8; save the file as 'CSV UTF-8'".into())
    })
}

/// Reads a file's text. Commas, or semicolons or tabs where the header has those.
///
/// Beside the rows it gives every line that cannot be one, as `(line, sentence)`; then no row may be taken at all.
pub fn parse(text: &str) -> (Vec<Row>, Vec<(u64, String)>) {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return (Vec::new(), vec![(1, format!("the header cannot be read: {error}"))]),
    };
    let columns = match columns(&header) {
        Ok(columns) => columns,
        Err(errors) => return (Vec::new(), errors),
    };
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut lines: BTreeMap<SourceId, u64> = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, |at| line_of(text, at));
                errors.push((line, format!("the line cannot be read: {error}")));
                continue;
            }
        };
        let line = record.position().map_or(0, |at| line_of(text, at));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != header.len() {
            errors.push((line, format!("it has {} cells, the header has {}", record.len(), header.len())));
            continue;
        }
        let cell =
            |name: &str| columns.get(name).and_then(|at| record.get(*at)).map(unguarded).unwrap_or_default();
        match row(line, cell) {
            Ok(row) => match lines.insert(row.source.clone(), line) {
                Some(first) => {
                    errors.push((line, format!("'{}' stands in line {first} already", row.source)));
                }
                None => rows.push(row),
            },
            Err(sentence) => errors.push((line, sentence)),
        }
    }
    (rows, errors)
}

/// The table as text. Cells that a spreadsheet would run as a formula get an apostrophe in front, which [`parse`]
/// takes away again.
pub fn write(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = COLUMNS.map(str::to_owned);
    let lines = rows.iter().map(|row| {
        let target = row.target.as_ref().map(TargetId::as_str).unwrap_or_default();
        [row.source.as_str(), &row.source_name, target, &row.target_name, &row.state, &row.note].map(guarded)
    });
    for line in std::iter::once(header).chain(lines) {
        // Writing six cells into memory cannot fail: every line has as many as the first.
        if writer.write_record(line).is_err() {
            break;
        }
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn row<'a>(line: u64, cell: impl Fn(&str) -> &'a str) -> Result<Row, String> {
    let source = SourceId::new(cell("source_id"));
    if source.as_str().is_empty() {
        return Err("source_id is blank".into());
    }
    let target = Some(TargetId::new(cell("target_id"))).filter(|target| !target.as_str().is_empty());
    if let Some(target) = target.as_ref().filter(|target| target.number().is_none()) {
        return Err(format!("target_id '{target}' is not an id of Halo, which are whole numbers"));
    }
    let state = cell("state").trim().to_lowercase();
    let needs_target = match state.as_str() {
        "mapped" | "renamed" => true,
        "" | "unmapped" | "new" | "excluded" | "orphaned" => false,
        other => {
            return Err(format!(
                "state '{other}' is none of mapped, unmapped, new, excluded, orphaned, renamed"
            ));
        }
    };
    if needs_target && target.is_none() {
        return Err(format!("state '{state}' needs a target_id"));
    }
    if state == "new" && target.is_some() {
        return Err("state 'new' says there is no partner, but target_id names one".into());
    }
    let text = |name| cell(name).to_owned();
    Ok(Row {
        line,
        source,
        source_name: text("source_name"),
        target,
        target_name: text("target_name"),
        state,
        note: text("note"),
    })
}

/// Where each known column stands.
fn columns(header: &csv::StringRecord) -> Result<BTreeMap<&'static str, usize>, Vec<(u64, String)>> {
    let mut columns = BTreeMap::new();
    let mut errors = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let name = name.trim().to_lowercase();
        match COLUMNS.into_iter().find(|known| *known == name) {
            Some(known) if columns.insert(known, at).is_some() => {
                errors.push((1, format!("the column '{known}' stands there twice")));
            }
            Some(_) => {}
            None => {
                errors.push((1, format!("'{name}' is no known column; known are {}", COLUMNS.join(", "))));
            }
        }
    }
    if errors.is_empty() && !columns.contains_key("source_id") {
        errors.push((1, "there is no column 'source_id'".into()));
    }
    if errors.is_empty() { Ok(columns) } else { Err(errors) }
}

/// The line of a record: its position is before the blank lines that were skipped to reach it.
fn line_of(text: &str, at: &csv::Position) -> u64 {
    let rest = text.as_bytes().get(at.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    at.line() + blank.count() as u64
}

pub(super) fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|mark| header.as_bytes().contains(mark)).unwrap_or(b',')
}

/// With an apostrophe in front where a spreadsheet would see a formula, also behind apostrophes that stand there
/// already, so that the way back is exact.
pub fn guarded(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

pub(super) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(source: &str, name: &str) -> Row {
        Row {
            line: 0,
            source: SourceId::new(source),
            source_name: name.into(),
            target: Some(TargetId::from(12)),
            target_name: name.into(),
            state: "mapped".into(),
            note: String::new(),
        }
    }

    fn errors(text: &str) -> Vec<(u64, String)> {
        parse(text).1
    }

    fn rows_of(text: &str) -> Vec<Row> {
        let (rows, errors) = parse(text);
        assert_eq!(errors, [], "{text}");
        rows
    }

    #[test]
    fn what_is_written_is_read_again_whatever_the_names() {
        let names = [
            "Alder & Finch",
            "=1+1",
            "'=1+1",
            "''@x",
            "'plain",
            "a,b;\"c\"",
            "two\nlines",
            "-",
            "東京",
            " x ",
        ];
        let rows: Vec<_> = names.iter().enumerate().map(|(n, name)| mapped(&n.to_string(), name)).collect();
        let read = rows_of(&write(&rows));
        let read: Vec<_> = read.into_iter().map(|row| Row { line: 0, ..row }).collect();
        assert_eq!(read, rows);
    }

    proptest::proptest! {
        #[test]
        fn any_name_survives(name in "['=+@a\\-\\t\\r\\n,\"; ]{0,6}") {
            let rows = vec![mapped("1", &name)];
            let read = rows_of(&write(&rows));
            proptest::prop_assert_eq!(&read[0].source_name, &name);
        }
    }

    #[test]
    fn no_cell_begins_a_formula() {
        let text = write(&[mapped("1", "=HYPERLINK(\"x\")"), mapped("2", "@sum"), mapped("-3", "+x")]);
        for cell in text.lines().flat_map(|line| line.split(',')) {
            assert!(!cell.trim_start_matches('"').starts_with(FORMULA), "{cell}");
        }
    }

    #[test]
    fn every_bad_line_is_named() {
        let text = "source_id,target_id,state\n1,12,mapped\n,13,mapped\n2,abc,mapped\n3,14,maped\n1,15,mapped\n4,,mapped\n5,16,new\n6\n";
        let lines: Vec<_> = errors(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9]);
        assert!(errors(text)[3].1.contains("line 2"));
    }

    #[test]
    fn blank_lines_count() {
        let lines = |text: &str| errors(text).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("source_id,state\n\n\n1,maped\n2,new\n\n3,maped\n"), [4, 7]);
        assert_eq!(lines("source_id,state\r\n1,new\r\n\r\n1,maped\r\n"), [4]);
    }

    #[test]
    fn the_header_decides_the_columns() {
        assert_eq!(errors("id;name\n1;x\n").len(), 2);
        assert!(errors("target_id,state\n").iter().any(|(_, sentence)| sentence.contains("source_id")));
        assert!(errors("source_id,source_id\n").iter().any(|(_, sentence)| sentence.contains("twice")));
        let rows = rows_of("\u{FEFF}Target_ID;Source_ID\r\n12;310101\r\n\r\n");
        assert_eq!(rows[0].source, SourceId::new("310101"));
        assert!(matches!(rows[0].decision(), Decision::Map { how: How::Import, .. }));
        assert_eq!(rows_of("source_id\n"), []);
    }

    #[test]
    fn states_become_decisions() {
        let read = rows_of(
            "source_id,target_id,state,note\n1,,new,\n2,,excluded,left us\n3,9,unmapped,\n4,,orphaned,\n5,9,renamed,\n",
        );
        let decisions: Vec<_> = read.iter().map(Row::decision).collect();
        assert!(matches!(decisions[0], Decision::New));
        assert!(matches!(&decisions[1], Decision::Exclude { note, .. } if &**note == "left us"));
        assert!(matches!(decisions[2], Decision::Clear));
        assert!(matches!(decisions[3], Decision::Clear));
        assert!(matches!(decisions[4], Decision::Map { .. }));
    }

    #[test]
    fn a_wrong_encoding_names_its_line() {
        assert_eq!(decode(b"source_id\n1\nM\xFCller\n").unwrap_err().0, 3);
        assert!(decode(&[0xFF, 0xFE, b's', 0]).unwrap_err().1.contains("UTF-16"));
        assert!(decode("Müller".as_bytes()).is_ok());
    }
}
