//! What became of the source's fields since the last run (P57). A mapped field that is gone holds the records that it
//! feeds: their values would else stay in the target as if they were still told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cause, Last, Policy, Row, Rows, Snapshot};
use crate::model::Entity;
use crate::model::settings::SourceChanges;
use crate::model::text::shown;

/// Of fewer records nothing is concluded: a single machine may lose its value for good.
const FEW: u64 = 3;
/// New fields named in a sentence.
const NAMED: usize = 5;

/// How the mapped fields of one whole reading answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// By the target field that they feed.
    pub answered: BTreeMap<String, Answered>,
    /// Mapped fields that the source no longer knows at all, with the target field that each feeds.
    pub gone: BTreeMap<String, String>,
    /// Fields that the source did not have when a person last looked, by the name that people know.
    pub new: Vec<String>,
}

/// One row of the mappings over all records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub source: String,
    /// Records that had a value.
    pub have: u64,
    /// Those of them whose value the target field takes.
    pub fits: u64,
}

impl Answered {
    fn mostly_fits(&self) -> bool {
        self.fits * 2 >= self.have
    }
}

/// A field whose records wait.
struct Waits {
    sentence: String,
    cause: Cause,
}

/// Holds what the changed fields concern, or says so.
pub(super) fn apply(rows: &mut Rows, snapshot: &Snapshot, policy: &Policy, alerts: &mut Vec<String>) {
    for (entity, lines) in &snapshot.lines {
        let Some(shape) = &lines.shape else { continue };
        let label = policy.source(*entity).label();
        for sentence in missing(shape, &policy.last, label) {
            hold(rows, *entity, &Waits { sentence: sentence.clone(), cause: Cause::Missing });
            alerts.push(format!("{sentence}."));
        }
        let chosen = policy.rules(*entity).source_changes;
        if chosen == SourceChanges::Ignore {
            continue;
        }
        let holds = chosen == SourceChanges::Hold && policy.scheduled;
        for sentence in retyped(shape, &policy.last, label).into_iter().chain(added(shape, label)) {
            if holds {
                let sentence =
                    format!("{sentence}; a person applies one plan, then scheduled runs go on (P57)");
                hold(rows, *entity, &Waits { sentence, cause: Cause::Data });
            }
            alerts.push(format!("{sentence}."));
        }
    }
}

/// What to remember of the fields. What waits stays remembered as it was, until it is back, mapped otherwise, or taken by
/// a person.
pub(super) fn remember(snapshot: &Snapshot, policy: &Policy) -> BTreeMap<String, Answered> {
    let mut all = BTreeMap::new();
    let mut is_known = false;
    for (entity, lines) in &snapshot.lines {
        let Some(shape) = &lines.shape else { continue };
        is_known = true;
        let holds = policy.scheduled && policy.rules(*entity).source_changes == SourceChanges::Hold;
        for (target, now) in &shape.answered {
            let before = policy.last.answered.get(target).filter(|before| before.source == now.source);
            let kept = before
                .filter(|before| is_missing(before, now) || holds && is_retyped(before, now))
                .unwrap_or(now);
            all.insert(target.clone(), kept.clone());
        }
    }
    if is_known { all } else { policy.last.answered.clone() }
}

fn is_missing(before: &Answered, now: &Answered) -> bool {
    before.have >= FEW && now.have == 0
}

fn is_retyped(before: &Answered, now: &Answered) -> bool {
    before.have >= FEW && now.have >= FEW && before.mostly_fits() && !now.mostly_fits()
}

fn compared<'a>(
    shape: &'a Shape,
    last: &'a Last,
) -> impl Iterator<Item = (&'a String, &'a Answered, &'a Answered)> {
    shape.answered.iter().filter_map(|(target, now)| {
        let before = last.answered.get(target).filter(|before| before.source == now.source)?;
        Some((target, before, now))
    })
}

fn missing(shape: &Shape, last: &Last, label: &str) -> Vec<String> {
    let gone = shape.gone.iter().map(|(source, target)| {
        format!(
            "{label} has no field {} any more, which feeds {}: choose another one, or remove the row (P57)",
            shown(source),
            shown(target)
        )
    });
    let silent = compared(shape, last)
        .filter(|(_, before, now)| is_missing(before, now) && !shape.gone.contains_key(&now.source))
        .map(|(target, before, now)| {
            format!(
                "no record of {label} has a {} any more, which feeds {}; {} had one at the last run: choose another field, or remove the row (P57)",
                shown(&now.source),
                shown(target),
                before.have
            )
        });
    gone.chain(silent).collect()
}

fn retyped(shape: &Shape, last: &Last, label: &str) -> Vec<String> {
    let sentence = |(target, before, now): (&String, &Answered, &Answered)| {
        format!(
            "{label}'s {} is of another kind now: {} of {} values fit {}, {} of {} at the last run (P57)",
            shown(&now.source),
            now.fits,
            now.have,
            shown(target),
            before.fits,
            before.have
        )
    };
    compared(shape, last).filter(|(_, before, now)| is_retyped(before, now)).map(sentence).collect()
}

fn added(shape: &Shape, label: &str) -> Option<String> {
    let names: Vec<_> = shape.new.iter().take(NAMED).map(|name| shown(name)).collect();
    let more = match shape.new.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| {
        format!(
            "{label} has fields that it did not have when its fields were last read: {}{more}; reading them anew in the field mappings settles it (P57)",
            names.join(", ")
        )
    })
}

/// The records of the entity, and what is made for them. Removals rest on their own proofs.
fn hold(rows: &mut Rows, entity: Entity, waits: &Waits) {
    let is_of = |row: &Row| row.entity == entity || entity.needs().contains(&row.entity);
    let concerned = |row: &Row| is_of(row) && row.action.acts() && !row.action.is_removal();
    rows.hold(concerned, &waits.cause, &waits.sentence);
}
