//! Asset fields that the workspace reads and Halo does not have: made there by rows of a plan, and given to the types
//! whose assets come in (step 9.2 of the guide).

use std::collections::BTreeSet;

use super::edit::{LONGEST, input};
use super::words::{FieldState, FieldView};
use crate::api::halo::Halo;
use crate::engine::Engine;
use crate::engine::book::Book;
use crate::engine::words::SettingChange;
use crate::model::asset::{AssetType, FieldKind, folded};
use crate::model::settings::Lifecycle as Settings;
use crate::model::{Class, Entity, FieldName, Integration, Problem, SourceId};
use crate::plan::{self, Change, KindOfRecord, Side};

/// How a person makes one in Halo, where this program may not.
const BY_HAND: &str = "By hand: Configuration > Assets > Fields, label and type, no system use; then add it to the \
                       asset types.";

/// Rows of new fields and of the types that get them.
pub(super) struct NewFields {
    pub changes: Vec<Change>,
    pub alerts: Vec<String>,
}

impl Engine {
    /// A row for each field that is wanted and not in Halo, and one for each type in scope that lacks one of them. A
    /// field that some type has already is left as people have set it up.
    pub(super) async fn plan_new_fields(&self, halo: &Halo) -> Result<NewFields, Problem> {
        if halo.may_edit_assets().await.map_err(|failure| failure.problem)? == Some(false) {
            let why = "Halo granted no edit:assets, without which no asset field can be made.";
            return Err(Problem::new(Class::Auth, why).remedy(BY_HAND));
        }
        let settings = self.settings();
        let own = &settings.lifecycle;
        halo.forget_asset_definitions();
        let known = halo.asset_definitions().await?;
        let types: Vec<&AssetType> = known.types.iter().filter(|one| comes_in(own, &one.name)).collect();
        let mut lists = self.book.halo_lists()?;
        lists.know_fields(&known.fields, self.world.now());
        self.book.cache(&Book::halo_lists_ops(&lists)?)?;
        let mut rows = NewFields { changes: Vec::new(), alerts: Vec::new() };
        let mut homeless: BTreeSet<FieldName> = BTreeSet::new();
        for (name, key, kind) in own.wanted_fields() {
            let there: Vec<_> =
                known.fields.iter().filter(|field| folded(&field.name) == folded(name)).collect();
            if let Some(other) = there.iter().find(|field| field.name.trim() != name)
                && !there.iter().any(|field| field.name.trim() == name)
            {
                let halos = other.name.trim();
                rows.alerts.push(format!(
                    "Halo has '{halos}', and '{name}' is asked for: a second one is not made; spell it as Halo does"
                ));
                continue;
            }
            if there.is_empty() {
                let of = Side { id: self.id_of_new(name)?, name: name.into() };
                let used = key.map_or_else(|| "to be downloaded".to_owned(), said);
                let why = format!("not in Halo, and {used}; an undo never takes it away");
                rows.changes.push(plan::new_field(of, kind, why));
            }
            if !known.types.iter().any(|one| there.iter().any(|field| one.fields.contains(&field.id))) {
                homeless.insert(FieldName::own(name));
            }
        }
        let why = "its assets come in, and only a field of their type can hold a value";
        for one in types.into_iter().filter(|_| !homeless.is_empty()) {
            let there =
                KindOfRecord { id: one.id.clone(), name: one.name.to_string(), fields: BTreeSet::new() };
            rows.changes.push(plan::type_gains(&there, &homeless, why));
        }
        Ok(rows)
    }

    /// The id of its row: a field that was made once and is gone from Halo again is another one.
    fn id_of_new(&self, name: &str) -> Result<SourceId, Problem> {
        let mut id = SourceId::new(folded(name));
        while let Some(link) = self.book.link(Integration::Lifecycle, Entity::AssetFields, &id)? {
            id = SourceId::new(format!("{id} after {}", link.target));
        }
        Ok(id)
    }

    /// What the workspace reads from which of Halo's fields, as far as the last import knows; fields that were made
    /// since are there.
    pub(super) fn field_views(&self) -> Result<Vec<FieldView>, Problem> {
        let settings = self.settings();
        let own = &settings.lifecycle;
        let lists = self.book.halo_lists()?;
        let made = self.book.links(Integration::Lifecycle, Entity::AssetFields)?;
        let state = |name: &str| {
            let is_made = || {
                made.iter().any(|(_, link)| {
                    folded(&link.source_name) == folded(name)
                        && lists.fields_at.is_none_or(|at| link.since >= at)
                })
            };
            match name {
                "" => FieldState::Unmapped,
                name if Settings::COLUMNS.contains(&name) => FieldState::Column,
                name if lists.fields.iter().any(|own| own == name) || is_made() => FieldState::There,
                _ if lists.fields_at.is_none() => FieldState::Unread,
                _ => FieldState::Missing,
            }
        };
        let mut views: Vec<FieldView> = own
            .mapped()
            .into_iter()
            .map(|(key, name)| {
                let kind = own.kind_of_field(name.trim(), Some(key));
                FieldView {
                    field: Some(word(key).to_owned()),
                    halo: name.trim().to_owned(),
                    kind,
                    state: state(name.trim()),
                }
            })
            .collect();
        let more = own.wanted_fields().into_iter().filter(|(_, key, _)| key.is_none());
        views.extend(more.map(|(name, _, kind)| FieldView {
            field: None,
            halo: name.to_owned(),
            kind,
            state: state(name),
        }));
        Ok(views)
    }

    /// Maps a field of the workspace to an asset field that Halo may not have yet. Nothing is sent: the plan of
    /// [`Entity::AssetFields`] makes it.
    pub(super) async fn want_field(
        &self,
        field: &str,
        name: &str,
        kind: FieldKind,
    ) -> Result<String, Problem> {
        let settings = self.settings();
        let own = &settings.lifecycle;
        let name = name.trim();
        let Some((key, before)) = own.mapped().into_iter().find(|(key, _)| word(key) == field.trim()) else {
            let known: Vec<&str> = own.mapped().iter().map(|(key, _)| word(key)).collect();
            return Err(input(format!(
                "'{field}' is no field of the workspace; they are {}",
                known.join(", ")
            )));
        };
        if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
            return Err(input("a field in Halo needs a name of one line".into()));
        }
        if Settings::COLUMNS.contains(&name) {
            return Err(input(format!("'{name}' is a column of every asset: map it in the settings")));
        }
        if kind == FieldKind::List {
            return Err(input("a list needs its values, which only Halo's own pages take".into()));
        }
        let mut fields = own.fields.clone();
        if !fields.iter().any(|own| own.trim() == name) {
            fields.push(name.to_owned());
        }
        let mut kinds = own.field_types.clone();
        kinds.remove(name);
        let suggested = Settings { field_types: kinds.clone(), ..own.clone() }.kind_of_field(name, Some(key));
        if kind != suggested {
            kinds.insert(name.to_owned(), kind);
        }
        let set =
            |key: &str, value: String| SettingChange { key: format!("lifecycle.{key}"), value: Some(value) };
        let mut changes = vec![
            set("fields", toml_list(&fields)),
            set(key, toml_text(name)),
            set("field_types", toml_map(&kinds)),
        ];
        // A name that stood here in vain is not downloaded any longer.
        let before = before.trim().to_owned();
        let lists = self.book.halo_lists()?;
        let is_missing = lists.fields_at.is_some() && !lists.fields.contains(&before);
        let elsewhere = own.mapped().into_iter().any(|(other, name)| other != key && name.trim() == before);
        if is_missing && !elsewhere && before != name {
            fields.retain(|own| own.trim() != before);
            changes.push(set("fields", toml_list(&fields)));
        }
        self.set(&changes).await?;
        Ok(format!(
            "The {} is read from '{name}' now. `parhelion plan lifecycle --entity asset_fields` shows what is made in Halo.",
            word(key)
        ))
    }
}

/// A field of the workspace, as people call it: `purchase date`.
fn word(key: &'static str) -> &'static str {
    match key {
        "serial_field" => "serial",
        "manufacturer_field" => "manufacturer",
        "model_field" => "model",
        "os_field" => "os",
        "ram_field" => "ram",
        "notes_field" => "notes",
        "purchase_date_field" => "purchase date",
        "install_date_field" => "install date",
        "warranty_start_field" => "warranty start",
        _ => "expiration date",
    }
}

fn said(key: &'static str) -> String {
    format!("mapped as the {}", word(key))
}

fn comes_in(own: &Settings, name: &str) -> bool {
    own.configuration_types.is_empty()
        || own.configuration_types.iter().any(|own| own.trim().eq_ignore_ascii_case(name.trim()))
}

/// A list of words as the settings read it.
fn toml_list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| toml_text(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A TOML string; a JSON one is one.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn toml_map(kinds: &std::collections::BTreeMap<String, FieldKind>) -> String {
    let entries: Vec<String> =
        kinds.iter().map(|(name, kind)| format!("{} = {}", toml_text(name), toml_text(kind.key()))).collect();
    format!("{{ {} }}", entries.join(", "))
}
