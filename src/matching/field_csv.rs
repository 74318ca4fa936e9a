//! The field mappings as CSV (L15): what `fields export` writes, `fields import` reads again. The order of the lines is the
//! order of the rows.

use std::collections::BTreeMap;

use super::mapping_csv::{delimiter, guarded, unguarded};
use crate::model::asset::FieldKind;
use crate::model::settings::FieldMapping;

/// The columns, in the order of an export. An import takes them in any order and needs the first two.
pub const COLUMNS: [&str; 5] = ["source", "target", "create", "kind", "fill_blank"];

/// The rows as text. Cells that a spreadsheet would run as a formula get an apostrophe in front.
pub fn write(rows: &[FieldMapping]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let flag = |flag: bool| if flag { "yes" } else { "" }.to_owned();
    let lines = rows.iter().map(|row| {
        let kind = row.kind.map_or("", FieldKind::key);
        [guarded(&row.source), guarded(&row.target), flag(row.create), kind.to_owned(), flag(row.fill_blank)]
    });
    for line in std::iter::once(COLUMNS.map(str::to_owned)).chain(lines) {
        // Writing five cells into memory cannot fail: every line has as many as the first.
        if writer.write_record(line).is_err() {
            break;
        }
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Reads a file's text. Commas, or semicolons or tabs where the header has those.
///
/// # Errors
/// Every line that cannot be taken, as `(line, sentence)`; then no row is taken at all.
pub fn parse(text: &str, is_source: impl Fn(&str) -> bool) -> Result<Vec<FieldMapping>, Vec<(u64, String)>> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![(1, format!("the header cannot be read: {error}"))]),
    };
    let names: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    let mut errors = Vec::new();
    for name in names.iter().filter(|name| !COLUMNS.contains(&name.as_str())) {
        errors.push((1, format!("'{name}' is no known column; known are {}", COLUMNS.join(", "))));
    }
    for needed in &COLUMNS[..2] {
        if !names.iter().any(|name| name == needed) {
            errors.push((1, format!("there is no column '{needed}'")));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut rows = Vec::new();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                errors.push((line, format!("the line cannot be read: {error}")));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let cell = |name: &str| {
            let at = names.iter().position(|other| other == name);
            at.and_then(|at| record.get(at)).map(unguarded).unwrap_or_default().trim()
        };
        match row(cell, &is_source) {
            Ok(row) => match lines.insert(row.target.to_lowercase(), line) {
                Some(first) => {
                    errors.push((line, format!("'{}' is fed in line {first} already", row.target)));
                }
                None => rows.push(row),
            },
            Err(sentence) => errors.push((line, sentence)),
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn row<'a>(
    cell: impl Fn(&str) -> &'a str,
    is_source: &impl Fn(&str) -> bool,
) -> Result<FieldMapping, String> {
    let (source, target) = (cell("source"), cell("target"));
    for (name, text) in [("source", source), ("target", target)] {
        if text.is_empty() {
            return Err(format!("{name} is blank"));
        }
        if text.chars().any(char::is_control) {
            return Err(format!("{name} has a line break or control character inside"));
        }
    }
    if !is_source(source) {
        return Err(format!("'{source}' is no field of the source"));
    }
    let flag = |name: &str| match cell(name).to_lowercase().as_str() {
        "" | "no" | "false" | "0" => Ok(false),
        "yes" | "true" | "1" | "x" => Ok(true),
        other => Err(format!("{name} is '{other}', which is neither yes nor no")),
    };
    let kind = match cell("kind").to_lowercase().as_str() {
        "" => None,
        word => Some(FieldKind::ALL.into_iter().find(|kind| kind.key() == word).ok_or_else(|| {
            format!("kind '{word}' is none of {}", FieldKind::ALL.map(FieldKind::key).join(", "))
        })?),
    };
    Ok(FieldMapping {
        source: source.to_owned(),
        target: target.to_owned(),
        create: flag("create")?,
        kind,
        fill_blank: flag("fill_blank")?,
    })
}

/// What another list of rows would change, a sentence each, by target.
pub fn differences(before: &[FieldMapping], after: &[FieldMapping]) -> Vec<String> {
    let key = |row: &FieldMapping| row.target.trim().to_lowercase();
    let find =
        |rows: &[FieldMapping], one: &FieldMapping| rows.iter().find(|row| key(row) == key(one)).cloned();
    let mut lines = Vec::new();
    for row in after {
        match find(before, row) {
            None => lines.push(format!("+ {} -> {}", row.source, row.target)),
            Some(old) if old != *row => {
                lines.push(format!("~ {} -> {} (was {})", row.source, row.target, old.source));
            }
            Some(_) => {}
        }
    }
    for row in before.iter().filter(|row| find(after, row).is_none()) {
        lines.push(format!("- {} -> {}", row.source, row.target));
    }
    let kept = |rows: &[FieldMapping], others: &[FieldMapping]| -> Vec<String> {
        rows.iter().filter(|row| find(others, row).is_some()).map(key).collect()
    };
    if kept(before, after) != kept(after, before) {
        lines.push("the rows stand in another order".into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: &str, target: &str) -> FieldMapping {
        FieldMapping { source: source.into(), target: target.into(), ..FieldMapping::default() }
    }

    fn any(_: &str) -> bool {
        true
    }

    #[test]
    fn what_is_written_is_read_again() {
        let rows = vec![
            FieldMapping { create: true, kind: Some(FieldKind::Date), ..row("Metric.a", "=SUM(1)") },
            FieldMapping { fill_blank: true, ..row("Serial Number", "Serial, \"the\" number") },
            row("System.Name", "東京 عربي"),
        ];
        assert_eq!(parse(&write(&rows), any), Ok(rows));
        assert_eq!(parse("source;target\nRAM;RAM\n\n", any), Ok(vec![row("RAM", "RAM")]));
    }

    #[test]
    fn every_bad_line_is_named_and_nothing_is_taken() {
        let text = "source,target,create,kind,fill_blank\nRAM,RAM,,,\n,x,,,\nModel,ram,,,\nModel,y,maybe,,\nModel,z,,colour,\nNo,w,,,\n";
        let errors = parse(text, |name| name != "No").unwrap_err();
        let lines: Vec<u64> = errors.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7]);
        assert!(errors[1].1.contains("line 2"), "{errors:?}");
        assert_eq!(parse("source\nx\n", any).unwrap_err()[0].1, "there is no column 'target'");
        assert_eq!(parse("source,target,colour\n", any).unwrap_err().len(), 1);
    }

    #[test]
    fn differences_are_told_by_target() {
        let (a, b, c) = (row("A", "X"), row("B", "Y"), row("C", "x"));
        assert_eq!(differences(&[a.clone(), b.clone()], &[c, b.clone()]), ["~ C -> x (was A)"]);
        assert_eq!(differences(&[a.clone(), b.clone()], &[b.clone(), a.clone()]).len(), 1);
        assert_eq!(differences(std::slice::from_ref(&a), std::slice::from_ref(&b)), ["+ B -> Y", "- A -> X"]);
        assert!(differences(std::slice::from_ref(&a), std::slice::from_ref(&a)).is_empty());
    }
}
