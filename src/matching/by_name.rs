//! Mappings of another profile, taken over by name (P53): the ids in the file are of other systems, so each side is
//! looked for here under the same exact name. What is not found exactly once is left out and said, never guessed.

use std::collections::BTreeMap;

use super::exact_form;
use super::mapping_csv::Row;
use crate::model::{SourceId, TargetId};

/// The records of one side by their exact name; a name that several have leads nowhere.
struct Names<'a, Id>(BTreeMap<String, Vec<&'a Id>>);

impl<'a, Id> Names<'a, Id> {
    fn new(records: impl IntoIterator<Item = (&'a Id, &'a str)>) -> Self {
        let mut names: BTreeMap<String, Vec<&Id>> = BTreeMap::new();
        for (id, name) in records {
            names.entry(exact_form(name)).or_default().push(id);
        }
        Self(names)
    }

    fn one(&self, name: &str, place: &str) -> Result<&'a Id, String> {
        match self.0.get(&exact_form(name)).map(Vec::as_slice) {
            Some([id]) => Ok(id),
            Some(several) => Err(format!("{place} has {} customers named '{name}'", several.len())),
            None => Err(format!("{place} has no customer named '{name}'")),
        }
    }
}

/// The same rows with the ids that these names have here, and a sentence for each row that is left out. `places`: how the
/// source and the target are called.
pub fn by_name<'a>(
    rows: Vec<Row>,
    sources: impl IntoIterator<Item = (&'a SourceId, &'a str)>,
    targets: impl IntoIterator<Item = (&'a TargetId, &'a str)>,
    places: (&str, &str),
) -> (Vec<Row>, Vec<String>) {
    let (sources, targets) = (Names::new(sources), Names::new(targets));
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    let mut lines: BTreeMap<SourceId, u64> = BTreeMap::new();
    for row in rows {
        let here = |row: &Row| {
            let source = sources.one(&row.source_name, places.0)?.clone();
            let target = match &row.target {
                Some(_) => Some(targets.one(&row.target_name, places.1)?.clone()),
                None => None,
            };
            Ok::<_, String>((source, target))
        };
        match here(&row) {
            Ok((source, target)) => match lines.insert(source.clone(), row.line) {
                Some(first) => {
                    left_out.push(format!("line {}: left out: line {first} is of the same name", row.line));
                    lines.insert(source, first);
                }
                None => kept.push(Row { source, target, ..row }),
            },
            Err(why) => left_out.push(format!("line {}: left out: {why}", row.line)),
        }
    }
    (kept, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, source: &str, target: Option<(&str, &str)>) -> Row {
        Row {
            line,
            source: SourceId::new(format!("old-{line}")),
            source_name: source.into(),
            target: target.map(|(id, _)| TargetId::new(id)),
            target_name: target.map(|(_, name)| name.to_owned()).unwrap_or_default(),
            state: String::new(),
            note: String::new(),
        }
    }

    #[test]
    fn ids_are_those_of_here_and_only_exact_names_that_one_has_count() {
        let sources = [("s1", "Alder"), ("s2", "Birch"), ("s3", "Cedar"), ("s4", "Cedar")]
            .map(|(id, name)| (SourceId::new(id), name));
        let targets = [("71", "Alder Ltd"), ("72", "Birch Ltd"), ("73", "Birch Ltd")]
            .map(|(id, name)| (TargetId::new(id), name));
        let rows = vec![
            row(2, "Alder", Some(("12", "Alder Ltd"))),
            row(3, "Birch", Some(("13", "Birch Ltd"))),
            row(4, "Cedar", None),
            row(5, "Birch", None),
            row(6, "alder", None),
            row(7, "Alder", None),
        ];
        let (kept, left_out) = by_name(
            rows,
            sources.iter().map(|(id, name)| (id, *name)),
            targets.iter().map(|(id, name)| (id, *name)),
            ("ALSO", "Halo"),
        );
        let ids: Vec<_> = kept
            .iter()
            .map(|row| (row.line, row.source.as_str(), row.target.as_ref().map(TargetId::as_str)))
            .collect();
        assert_eq!(ids, [(2, "s1", Some("71")), (5, "s2", None)]);
        assert_eq!(
            left_out,
            [
                "line 3: left out: Halo has 2 customers named 'Birch Ltd'",
                "line 4: left out: ALSO has 2 customers named 'Cedar'",
                "line 6: left out: ALSO has no customer named 'alder'",
                "line 7: left out: line 2 is of the same name",
            ]
        );
    }
}
