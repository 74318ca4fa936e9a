//! A file of mappings, shown as a diff or taken as one step (P19).

use super::{Parties, labels};
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::records::Edit;
use crate::engine::words::MappingImport;
use crate::matching::{by_name::by_name as found_by_name, mapping_csv};
use crate::model::{Decision, How, Integration, Problem, Slot};

impl Engine {
    /// P19: a file of mappings, shown as a diff or taken as one step. With any error nothing is taken.
    pub async fn import_mappings(
        &self,
        integration: Integration,
        csv: &str,
        dry_run: bool,
        by_name: bool,
    ) -> Result<MappingImport, Problem> {
        let parties = self.parties(integration)?;
        let now = self.world.now();
        let mut report = MappingImport {
            integration,
            dry_run,
            added: 0,
            changed: 0,
            unchanged: 0,
            diff: Vec::new(),
            errors: Vec::new(),
        };
        let (here, there) = labels(integration);
        let (rows, errors) = mapping_csv::parse(csv);
        report.errors = errors;
        let rows = if by_name {
            let sources = parties.read.source.iter().map(|(id, party)| (id, party.name.as_ref()));
            let targets = parties.read.target.iter().map(|(id, party)| (id, party.name.as_ref()));
            let (rows, left_out) = found_by_name(rows, sources, targets, (here, there));
            report.diff.extend(left_out.iter().map(|sentence| safe(sentence)));
            rows
        } else {
            rows
        };
        let mut edits = Vec::new();
        for row in rows {
            let id = row.source.clone();
            let known = parties.read.source.contains_key(&id) || parties.links.contains_key(&id);
            if !known {
                report.errors.push((row.line, format!("{here} has no customer {id}")));
                continue;
            }
            let before = Self::slot(&parties, &id);
            let after = match row.decision() {
                Decision::Clear => Slot { link: None, decision: None, known: None, ..before.clone() },
                Decision::Map { target, .. } => match before.link.as_ref().filter(|l| l.target == target) {
                    Some(same) => {
                        Slot { link: Some(same.clone()), decision: None, known: None, ..before.clone() }
                    }
                    None if parties.read.target.contains_key(&target) => {
                        let link = parties.new_link(&id, &target, How::Import, now);
                        Slot { link: Some(link), decision: None, known: None, ..before.clone() }
                    }
                    None => {
                        let party = integration.target(integration.root()).party().0;
                        report.errors.push((row.line, format!("{there} has no {party} {target}")));
                        continue;
                    }
                },
                // The file shows an exclusion's end within its note: unchanged text is an unchanged decision.
                Decision::Exclude { .. }
                    if matches!(before.decision, Some(Decision::Exclude { .. }))
                        && parties.note(&id) == row.note =>
                {
                    before.clone()
                }
                Decision::New if before.decision == Some(Decision::New) => before.clone(),
                other => {
                    let known = parties.known_of(&id, &other);
                    Slot { link: None, decision: Some(other), known, ..before.clone() }
                }
            };
            if before == after {
                report.unchanged += 1;
                continue;
            }
            if before.link.is_none() && before.decision.is_none() {
                report.added += 1;
            } else {
                report.changed += 1;
            }
            report.diff.push(format!(
                "line {}: {} '{}': {} -> {}",
                row.line,
                id,
                safe(parties.source_name(&id)),
                told(&parties, &before),
                told(&parties, &after)
            ));
            edits.push(Edit { id, before, after });
        }
        report.errors.sort_by_key(|(line, _)| *line);
        drop(parties);
        if report.errors.is_empty() && !dry_run {
            self.take_step(integration, format!("import {} mappings", edits.len()), edits).await?;
        }
        Ok(report)
    }
}

fn told(parties: &Parties, slot: &Slot) -> String {
    match (&slot.link, &slot.decision) {
        (Some(link), _) => format!("{} '{}'", link.target, safe(parties.target_name(link))),
        (None, Some(Decision::New)) => "new".into(),
        (None, Some(Decision::Exclude { .. })) => "excluded".into(),
        _ => "unmapped".into(),
    }
}
