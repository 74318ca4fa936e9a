//! One mapping in words: its state, its partner, why, and what Enter does.

use crate::host::words::{MapRow, MapState};
use crate::matching::mapping_csv;
use crate::model::{Date, How, Integration, Moment};
use crate::ui::theme::Role;

pub(super) const fn state_role(state: MapState) -> Role {
    match state {
        MapState::Mapped => Role::Same,
        MapState::Unmapped => Role::Notice,
        MapState::New => Role::New,
        MapState::Excluded => Role::Dim,
        MapState::Orphaned => Role::Bad,
        MapState::Renamed => Role::Change,
    }
}

/// What stands in the Halo column: the partner, or the one that Enter would take.
pub(super) fn target(row: &MapRow) -> (&str, Role) {
    match (&row.target, row.same_name.as_slice()) {
        (Some(target), _) => (target.name.as_str(), Role::Text),
        (None, [one]) if row.state == MapState::Unmapped => (one.name.as_str(), Role::Accent),
        _ => ("-", Role::Dim),
    }
}

pub(super) fn how(how: How) -> &'static str {
    match how {
        How::Manual => "by hand",
        How::Exact => "exact name",
        How::Created => "created by us",
        How::Import => "from a file",
        How::NameAtImport => "name, at import",
    }
}

pub(super) fn short_why(row: &MapRow) -> String {
    match (row.state, row.same_name.len()) {
        (MapState::Unmapped, 0) => "no namesake".into(),
        (MapState::Unmapped, 1) => "same name".into(),
        (MapState::Unmapped, several) => format!("{several} of this name"),
        (MapState::New, _) => "will be created".into(),
        (MapState::Excluded, _) if row.note.trim().is_empty() => "left alone".into(),
        (MapState::Excluded, _) => row.note.clone(),
        (MapState::Mapped, _) if row.remarks.is_empty() => row.how.map(how).unwrap_or_default().into(),
        _ => row.remarks.first().cloned().unwrap_or_default(),
    }
}

/// What Enter does on a row.
pub(super) fn enter(row: &MapRow) -> &'static str {
    match (row.state, row.same_name.len()) {
        (MapState::Unmapped, 1) => "maps to the customer of the same name and goes on",
        (MapState::Unmapped, 0) => "opens the picker: no Halo customer has this name",
        (MapState::Unmapped, _) => "opens the picker: more than one has this name",
        (MapState::Orphaned, _) => "opens the picker for a new partner",
        (MapState::Excluded, _) => "adds a note and an end date",
        (MapState::New, _) => "nothing: the next plan creates it; d takes that back",
        (MapState::Mapped | MapState::Renamed, _) => "says why; m picks another, d takes the mapping away",
    }
}

pub(super) fn why(row: &MapRow, integration: Integration) -> String {
    let remarks =
        if row.remarks.is_empty() { String::new() } else { format!(" {}.", row.remarks.join("; ")) };
    let name = &row.source.name;
    let what = match (row.state, &row.target) {
        (MapState::Mapped | MapState::Renamed | MapState::Orphaned, Some(target)) => {
            let how = row.how.map(|h| format!(" ({})", how(h))).unwrap_or_default();
            format!("{name} feeds Halo customer {} {}{how}.", target.id, target.name)
        }
        (MapState::New, _) => format!("{name} is new by decision: the next plan creates it in Halo."),
        (MapState::Excluded, _) if row.note.is_empty() => {
            format!("{name} is excluded: no import touches it.")
        }
        (MapState::Excluded, _) => format!("{name} is excluded ({}): no import touches it.", row.note),
        (_, _) => match row.same_name.len() {
            0 => {
                "No active Halo customer has exactly this name. m picks one, n creates it, x leaves it alone."
                    .to_owned()
            }
            1 => format!(
                "Halo has one customer of exactly this name. Enter maps {name} of {} to it.",
                integration.label()
            ),
            several => {
                format!("Not mapped: Halo has {several} customers of exactly this name. Enter to choose.")
            }
        },
    };
    format!("{what}{remarks}")
}

pub(super) fn facts(
    row: &MapRow,
    integration: Integration,
    when: impl Fn(Moment) -> String,
) -> Vec<(&'static str, String, Role)> {
    let line =
        |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ");
    let mut facts = vec![("Enter", enter(row).to_owned(), Role::Accent)];
    let source = line(&[&row.source.place, &row.source.domain]);
    if !source.is_empty() {
        facts.push((integration.label(), source, Role::Text));
    }
    if let Some(target) = &row.target {
        let id = format!("id {}", target.id);
        facts.push(("Halo", line(&[&target.name, &id, &target.place, &target.domain]), Role::Text));
    }
    if let Some(by) = row.how {
        let since = row.since.map(|at| format!(" since {}", when(at))).unwrap_or_default();
        facts.push(("mapped", format!("{}{since}", how(by)), Role::Text));
    }
    for (i, party) in row.same_name.iter().enumerate() {
        let id = format!("id {}", party.id);
        let label = if i == 0 { "same name" } else { "" };
        facts.push((label, line(&[&party.name, &id, &party.place, &party.domain]), Role::Text));
    }
    if !row.note.is_empty() {
        facts.push(("note", row.note.clone(), Role::Text));
    }
    for (i, remark) in row.remarks.iter().enumerate() {
        facts.push((if i == 0 { "notice" } else { "" }, remark.clone(), Role::Notice));
    }
    facts
}

/// A note and the day it ends with, as the table gives them.
pub(super) fn split_note(note: &str) -> (&str, Option<Date>) {
    let (text, day) = note.rsplit_once("until ").unwrap_or((note, ""));
    match day.trim().parse() {
        Ok(day) => (text.trim(), Some(day)),
        Err(_) => (note, None),
    }
}

pub(super) fn csv_row(row: &MapRow) -> mapping_csv::Row {
    mapping_csv::Row {
        line: 0,
        source: row.source.id.clone(),
        source_name: row.source.name.clone(),
        target: row.target.as_ref().map(|target| target.id.clone()),
        target_name: row.target.as_ref().map(|target| target.name.clone()).unwrap_or_default(),
        state: row.state.key().into(),
        note: row.note.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_and_its_day_are_told_apart() {
        assert_eq!(split_note("sold until 2027-03-31"), ("sold", Some(jiff::civil::date(2027, 3, 31))));
        assert_eq!(split_note(" until 2027-03-31"), ("", Some(jiff::civil::date(2027, 3, 31))));
        assert_eq!(split_note("wait until Monday"), ("wait until Monday", None));
    }
}
