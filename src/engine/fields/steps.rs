//! Changes of the field mappings as steps that can be taken back, also after a restart: each is a fact of the trail.

use super::super::Engine;
use crate::engine::records::{FieldStep, Record};
use crate::engine::words::{FIELD_KEYS, SavedChange};
use crate::matching::field_csv;
use crate::model::settings::{MatchingField, Settings};
use crate::model::text::shown;
use crate::model::{Class, Integration, Problem};
use crate::settings;

const ME: Integration = Integration::Liongard;

impl Engine {
    /// The step that a saved change is; `None` where it is of other settings, too, or of none.
    pub(in crate::engine) fn field_step(
        &self,
        old: &Settings,
        new: &Settings,
        changes: &[SavedChange],
    ) -> Result<Option<Record>, Problem> {
        let is_ours = changes.iter().all(|change| FIELD_KEYS.contains(&change.key.as_str()));
        if !is_ours || changes.is_empty() {
            return Ok(None);
        }
        let step = FieldStep { title: title(old, new), changes: changes.to_vec() };
        let number = self.book.field_step_top(ME)? + 1;
        Ok(Some(Record::FieldStep { integration: ME, number, step, by: self.by() }))
    }

    /// What could be taken back, and what could be brought again, in words.
    pub(super) fn field_steps(&self) -> Result<(Option<String>, Option<String>), Problem> {
        let top = self.book.field_step_top(ME)?;
        let title = |number| Ok::<_, Problem>(self.book.field_step(ME, number)?.map(|step| step.title));
        Ok((title(top)?, title(top + 1)?))
    }

    /// Takes the last step of the field mappings back, or brings it again.
    ///
    /// # Errors
    /// There is none, or the mappings were changed since in another way: then nothing is overwritten.
    pub async fn undo_fields(&self, integration: Integration, redo: bool) -> Result<String, Problem> {
        super::has_rows(integration)?;
        let top = self.book.field_step_top(integration)?;
        let number = if redo { top + 1 } else { top };
        let Some(step) = self.book.field_step(integration, number)? else {
            let what = if redo { "Nothing to bring back." } else { "Nothing to take back." };
            return Err(Problem::new(Class::Input, what));
        };
        let old = self.settings();
        let mut new = (*old).clone();
        let mut changes = Vec::new();
        for SavedChange { key, before, after } in step.changes {
            let (before, after) = if redo { (before, after) } else { (after, before) };
            if settings::get(&old, &key)? != before {
                return Err(Problem::new(
                    Class::Input,
                    format!("{key} was changed since by other means, so '{}' stays as it is.", step.title),
                )
                .remedy("Change the rows by hand."));
            }
            (new, _) = settings::set(&new, &key, &after)?;
            changes.push(SavedChange { key, before, after });
        }
        let record = Record::FieldUndo { integration, number, redo, by: self.by() };
        self.save(new, changes, Some(record)).await?;
        Ok(format!("{}: {}.", if redo { "Again" } else { "Taken back" }, step.title))
    }
}

/// What a change did, in words.
fn title(old: &Settings, new: &Settings) -> String {
    let (old, new) = (&old.liongard, &new.liongard);
    let mut said = match field_csv::differences(&old.field_mappings, &new.field_mappings).as_slice() {
        [] => Vec::new(),
        [one] => vec![shown(one).into_owned()],
        several => vec![format!("{} field mappings", several.len())],
    };
    let MatchingField { source, target } = &new.asset_matching_field;
    if old.asset_matching_field != new.asset_matching_field {
        said.push(match source.trim() {
            "" => "match by Liongard's id alone".into(),
            source => format!("match {} with {}", shown(source), shown(target)),
        });
    }
    if old.asset_type_field != new.asset_type_field {
        said.push(format!("asset type by {}", shown(&new.asset_type_field)));
    }
    for name in new.ignored_fields.iter().filter(|name| !old.ignored_fields.contains(name)) {
        said.push(format!("ignore {}", shown(name)));
    }
    for name in old.ignored_fields.iter().filter(|name| !new.ignored_fields.contains(name)) {
        said.push(format!("offer {} again", shown(name)));
    }
    if said.is_empty() { "field mappings".into() } else { said.join(", ") }
}
