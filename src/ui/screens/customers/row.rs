//! One mapping in words: its state, its partner, why, and what Enter does.

use crate::host::words::{Aspect, Carried, MapRow, MapState};
use crate::matching::mapping_csv;
use crate::model::{Date, How, Integration, Moment};
use crate::ui::fit::thousands;
use crate::ui::screens::change::money;
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

/// Its state in a word, for screens without signs.
pub(super) const fn word(row: &MapRow) -> &'static str {
    match row.aspect {
        Some(aspect) => aspect.key(),
        None => row.state.key(),
    }
}

/// A row whose customer has vanished since: nothing is suggested for it any more.
pub(super) fn gone(row: &MapRow, integration: Integration) -> MapRow {
    let here = integration.source(integration.root()).label();
    MapRow {
        aspect: None,
        candidates: Vec::new(),
        same_name: Vec::new(),
        remarks: vec![format!("no longer listed by {here}")],
        ..row.clone()
    }
}

/// What stands in the target's column: the partner, or the candidate that is shown.
pub(super) fn target(row: &MapRow, at: usize, walked: bool) -> (String, Role) {
    let names = || row.candidates.iter().filter(|one| one.is_free).take(2).map(|one| one.party.name.as_str());
    match (&row.target, row.aspect) {
        (Some(target), _) => (target.name.clone(), Role::Text),
        (None, Some(Aspect::Ambiguous)) if !walked => (names().collect::<Vec<_>>().join(" | "), Role::Accent),
        (None, _) if row.state == MapState::Unmapped => match row.candidates.get(at) {
            Some(one) if one.is_free || walked => (one.party.name.clone(), Role::Accent),
            _ => ("-".into(), Role::Dim),
        },
        _ => ("-".into(), Role::Dim),
    }
}

/// The score of the candidate that is shown.
pub(super) fn score(row: &MapRow, at: usize) -> String {
    match row.candidates.get(at) {
        Some(one) => one.score.to_string(),
        None if row.state == MapState::Unmapped => "-".into(),
        None => String::new(),
    }
}

/// Which of how many candidates is shown (U12).
pub(super) fn which(row: &MapRow, at: usize, walked: bool) -> String {
    match row.candidates.len() {
        0 | 1 => String::new(),
        _ if row.aspect == Some(Aspect::Ambiguous) && !walked => String::new(),
        of => format!("{}/{of}", at + 1),
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

pub(super) fn short_why(row: &MapRow, at: usize, walked: bool) -> String {
    match (row.state, row.candidates.get(at)) {
        (MapState::Unmapped, None) => row.remarks.first().cloned().unwrap_or_else(|| "none near".into()),
        (MapState::Unmapped, Some(_)) if row.aspect == Some(Aspect::Ambiguous) && !walked => {
            "two of equal".into()
        }
        (MapState::Unmapped, Some(one)) if one.is_free => one.why.join(", "),
        // That it is taken matters more than why it is near.
        (MapState::Unmapped, Some(one)) => one.why.iter().rev().cloned().collect::<Vec<_>>().join(", "),
        (MapState::New, _) => "will be created".into(),
        (MapState::Excluded, _) if row.note.trim().is_empty() => "left alone".into(),
        (MapState::Excluded, _) => row.note.clone(),
        (MapState::Mapped, _) if row.remarks.is_empty() => row.how.map(how).unwrap_or_default().into(),
        _ if row.aspect == Some(Aspect::Drifting) => "names drift apart".into(),
        _ if row.aspect == Some(Aspect::Unused) => "never used".into(),
        _ => row.remarks.first().cloned().unwrap_or_default(),
    }
}

/// What Enter does on a row.
pub(super) fn enter(row: &MapRow) -> &'static str {
    match (row.state, row.aspect) {
        (MapState::Unmapped, Some(Aspect::Suggested)) => "maps to the candidate shown and goes on",
        (MapState::Unmapped, None) => "opens the picker: nobody free is near",
        (MapState::Unmapped, _) => "opens the picker: two are equally near",
        (MapState::Orphaned, _) => "opens the picker for a new partner",
        (MapState::Excluded, _) => "adds a note and an end date",
        (MapState::New, _) => "opens its card: the next plan creates it; d takes that back",
        (MapState::Renamed, _) => "confirms the pair under its names of today",
        (MapState::Mapped, Some(Aspect::Inactive)) => "opens the picker: its partner is inactive",
        (MapState::Mapped, Some(Aspect::Unused)) => {
            "says that it is right all the same; d takes the mapping away"
        }
        (MapState::Mapped, _) => "opens its card; m picks another, d takes the mapping away",
    }
}

/// The rungs that were tried, in their order, and what each said.
pub(super) fn why(row: &MapRow, integration: Integration, when: impl Fn(Moment) -> String) -> Vec<String> {
    let root = integration.root();
    let there = integration.target(root).label();
    let (party, parties) = integration.target(root).party();
    let mut lines = Vec::new();
    lines.push(match &row.target {
        Some(target) => {
            let how = row.how.map(how).unwrap_or_default();
            let since = row.since.map(|at| format!(" since {}", when(at))).unwrap_or_default();
            format!("stored mapping: {there} {party} {} '{}' ({how}){since}", target.id, target.name)
        }
        None => "stored mapping: none".into(),
    });
    match row.state {
        MapState::New => lines.push(format!("decision: really new, the next plan creates it in {there}")),
        MapState::Excluded if row.note.is_empty() => {
            lines.push("decision: left alone by every import".into());
        }
        MapState::Excluded => lines.push(format!("decision: left alone by every import ({})", row.note)),
        _ => {}
    }
    if row.state == MapState::Unmapped {
        let keys: Vec<String> = row
            .candidates
            .iter()
            .flat_map(|one| one.why.iter().map(move |why| (one, why)))
            .filter(|(_, why)| ["VAT", "domain", "postcode"].iter().any(|key| why.contains(key)))
            .map(|(one, why)| format!("{why} ('{}')", one.party.name))
            .collect();
        lines.push(format!(
            "keys: {}",
            if keys.is_empty() { "none in common".into() } else { keys.join("; ") }
        ));
        lines.push(match row.same_name.as_slice() {
            [] => format!("exact name: no active {there} {party} has it"),
            [one] => format!("exact name: {there} {party} {}", one.id),
            several => format!("exact name: {} {there} {parties} have it", several.len()),
        });
        for (nth, one) in row.candidates.iter().enumerate() {
            let what = if nth == 0 { "suggestions:" } else { "and" };
            lines.push(format!("{what} '{}' {}: {}", one.party.name, one.score, one.why.join(", ")));
        }
        if row.candidates.is_empty() {
            lines.push("suggestions: nobody is near".into());
        }
        if row.aspect == Some(Aspect::Ambiguous) {
            lines.push("two are equally near, so nobody is proposed (P13)".into());
        }
    }
    lines.extend(row.refused.iter().cloned());
    lines.extend(row.remarks.iter().cloned());
    if let Some(decided) = &row.decided {
        lines.push(format!("last decided by {}, {}: {}", decided.by, when(decided.at), decided.what));
    }
    lines.push(format!("Enter {}", enter(row)));
    lines
}

pub(super) fn facts(
    row: &MapRow,
    integration: Integration,
    at: usize,
    when: impl Fn(Moment) -> String,
) -> Vec<(&'static str, String, Role)> {
    let line =
        |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ");
    let mut facts = vec![("Enter", enter(row).to_owned(), Role::Accent)];
    // Every fact that most rows have keeps its line where one has it not: a move then changes words and not the page.
    let source = line(&[&row.source.place, &row.source.domain]);
    let source = if source.is_empty() { "-".to_owned() } else { source };
    facts.push((integration.source(integration.root()).label(), source, Role::Text));
    // The name stands above; whoever has the same is not named again.
    let other = |name: &str| if name == row.source.name { String::new() } else { name.to_owned() };
    if let Some(target) = &row.target {
        let id = format!("id {}", target.id);
        let site = row.site.as_ref().map(|site| format!("site {}", site.name)).unwrap_or_default();
        facts.push((
            integration.target(integration.root()).label(),
            line(&[&other(&target.name), &id, &target.place, &target.domain, &site]),
            Role::Text,
        ));
    }
    if let Some((what, how_much)) = carried(&row.carries) {
        let more = if how_much.is_empty() { String::new() } else { format!(": {how_much}") };
        let text = match row.state {
            MapState::Unmapped => format!("{what} wait for this mapping{more}"),
            _ => format!("{what}{more}"),
        };
        let label = if row.state == MapState::Unmapped { "waits" } else { "has" };
        facts.push((label, text, Role::Text));
    }
    if let Some(by) = row.how {
        let since = row.since.map(|at| format!(" since {}", when(at))).unwrap_or_default();
        facts.push(("mapped", format!("{}{since}", how(by)), Role::Text));
    }
    for (i, one) in row.candidates.iter().enumerate() {
        let id = format!("id {}", one.party.id);
        let mark = if i == at { ">" } else { "-" };
        let party = line(&[&other(&one.party.name), &id, &one.party.place, &one.party.domain]);
        let text = format!("{mark} {:>3} {party}: {}", one.score, one.why.join(", "));
        let role = if i == at { Role::Strong } else { Role::Text };
        facts.push((if i == 0 { "near" } else { "" }, text, role));
    }
    for (i, refused) in row.refused.iter().enumerate() {
        facts.push((if i == 0 { "ruled out" } else { "" }, refused.clone(), Role::Dim));
    }
    if !row.note.is_empty() {
        facts.push(("note", row.note.clone(), Role::Text));
    }
    for (i, remark) in row.remarks.iter().enumerate() {
        facts.push((if i == 0 { "notice" } else { "" }, remark.clone(), Role::Notice));
    }
    facts
}

/// What hangs on a customer, and how much that is: `3 subscriptions`, `22 seats, 118.00 EUR a month`.
pub(in crate::ui) fn carried(all: &[Carried]) -> Option<(String, String)> {
    let number =
        |count: u64, word: &str| format!("{} {word}{}", thousands(count), if count == 1 { "" } else { "s" });
    let what: Vec<String> = all.iter().map(|one| number(one.records.into(), one.entity.singular())).collect();
    let (last, first) = what.split_last()?;
    let what = if first.is_empty() { last.clone() } else { format!("{} and {last}", first.join(", ")) };
    let seats: u64 = all.iter().map(|one| one.seats).sum();
    let mut how_much: Vec<String> = (seats > 0).then(|| number(seats, "seat")).into_iter().collect();
    for one in all.iter().filter(|one| !one.money.is_empty()) {
        how_much
            .extend(one.money.iter().map(|(currency, sum)| format!("{} {currency} a month", money(*sum))));
        if one.unpriced > 0 {
            how_much.push(format!("{} without a price", thousands(one.unpriced.into())));
        }
    }
    Some((what, how_much.join(", ")))
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
    use crate::model::{Currency, Entity};

    #[test]
    fn what_hangs_on_a_customer_is_counted_and_no_two_currencies_are_added() {
        let of = |entity, records, seats, money: &[(&str, i64)], unpriced| Carried {
            entity,
            records,
            seats,
            money: money.iter().map(|(code, sum)| (Currency::new(code).unwrap(), (*sum).into())).collect(),
            unpriced,
        };
        assert_eq!(carried(&[]), None);
        let subscriptions = of(Entity::Subscriptions, 14, 1214, &[("EUR", 1240), ("GBP", 5)], 2);
        let (what, how_much) = carried(&[subscriptions]).unwrap();
        assert_eq!(what, "14 subscriptions");
        assert_eq!(how_much, "1,214 seats, 1,240.00 EUR a month, 5.00 GBP a month, 2 without a price");
        let hudu = [of(Entity::Sites, 1, 0, &[], 1), of(Entity::Users, 3, 0, &[], 3)];
        assert_eq!(carried(&hudu).unwrap(), ("1 site and 3 users".into(), String::new()));
    }

    #[test]
    fn a_note_and_its_day_are_told_apart() {
        assert_eq!(split_note("sold until 2027-03-31"), ("sold", Some(jiff::civil::date(2027, 3, 31))));
        assert_eq!(split_note(" until 2027-03-31"), ("", Some(jiff::civil::date(2027, 3, 31))));
        assert_eq!(split_note("wait until Monday"), ("wait until Monday", None));
    }
}
