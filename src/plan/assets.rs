//! What is particular to assets: where those go whose customer is unknown, which fields their types take, and the
//! types and fields that are made before them (L9-L12, L16).

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Cause, Change, FieldChange, KindOfRecord, Kinds, Rows, Side};
use crate::model::asset::{FieldKind, GROUP_FIELD, KIND_FIELD, TYPE_FIELD, folded, is_unlisted, type_gets};
use crate::model::{Entity, FieldName, Fields, Found, PackedList, SourceId, Value};

impl Kinds {
    /// Leaves out what the asset cannot take, or what is to be filled in only where the target has nothing. The
    /// sentences say what was left out.
    pub(super) fn restrict(
        &self,
        type_name: Option<&str>,
        found: Option<&Fields>,
        fields: &mut Fields,
    ) -> Vec<String> {
        let of_type = type_name.and_then(|name| self.types.get(&folded(name)));
        let mut notes = Vec::new();
        let names: Vec<FieldName> = fields.iter().map(|(name, _)| name).collect();
        for name in names.into_iter().filter(|name| matches!(name, FieldName::Own(_))) {
            if name == FieldName::own(TYPE_FIELD) || is_unlisted(name) {
                continue;
            }
            if found.is_some_and(|found| self.filled.contains(&name) && found.get(name).is_some()) {
                fields.remove(name);
                continue;
            }
            // A type that is made gets all mapped fields.
            if let Some(of_type) = of_type
                && !of_type.fields.contains(&name)
                && !self.given.contains(&name)
            {
                fields.remove(name);
                notes.push(format!("{name} is not a field of the type {}: not written", of_type.name));
            }
        }
        notes
    }
}

/// The rows that make fields, make types and give types fields, put before the rows of the assets from `first` on;
/// assets that need what waits are held with it.
pub(super) fn prepare(kinds: &Kinds, rows: &mut Rows, first: usize, found: &PackedList<Found>) {
    let mut new_types: BTreeMap<String, String> = BTreeMap::new();
    let mut given: BTreeMap<String, BTreeSet<FieldName>> = BTreeMap::new();
    let mut used: BTreeSet<FieldName> = BTreeSet::new();
    for change in rows.iter().skip(first).filter(|row| row.action.acts()).map(|row| rows.open(row)) {
        let Some(name) = type_of(&change, found) else { continue };
        let key = folded(&name);
        let fields = change.fields.iter().filter(|field| field.after.is_some()).map(|field| field.name);
        let fields = fields.filter(|name| kinds.mapped.contains(name));
        used.extend(fields.clone());
        match kinds.types.get(&key) {
            None => drop(new_types.entry(key).or_insert(name)),
            Some(there) => {
                let missing = fields.filter(|name| !there.fields.contains(name));
                given.entry(key).or_default().extend(missing);
            }
        }
    }
    let mut made: Vec<Change> = Vec::new();
    for (name, kind) in kinds.new_fields.iter().filter(|(name, _)| used.contains(name)) {
        let why = "not in Halo yet; made once, and never taken away by an undo (L16)";
        made.push(new_field(side(name.key()), *kind, why.to_owned()));
    }
    let waits = waits(kinds, new_types.len());
    for name in new_types.values() {
        let mut change = Change::new(
            Entity::AssetTypes,
            Action::Create,
            side(name),
            ["no type of that name in Halo (L11)"],
        );
        change.fields.push(field(FieldName::Name, Value::text(name)));
        if let Some(Ok((_, group))) = &kinds.group {
            change.fields.push(field(FieldName::own(GROUP_FIELD), Value::text(group)));
        }
        // A field that nothing needs yet is not made yet: the type gets it once it is.
        let is_there =
            |name: &&FieldName| used.contains(*name) || kinds.new_fields.iter().all(|(new, _)| new != *name);
        let mapped = kinds.mapped.iter().filter(is_there);
        let mapped = mapped.map(|name| field(type_gets(*name), Value::Flag(true)));
        change.fields.extend(mapped);
        if let Some((cause, why)) = &waits {
            change = change.held(cause.clone(), Action::Create, why);
        }
        made.push(change);
    }
    if waits.is_some() {
        hold_assets(rows, first, &new_types);
    }
    for (key, fields) in given.iter().filter(|(_, fields)| !fields.is_empty()) {
        let Some(there) = kinds.types.get(key) else { continue };
        made.push(type_gains(there, fields, "mapped fields that this type does not have yet (L16)"));
    }
    rows.insert(first, made);
}

/// The row that makes an asset field of that name and kind.
pub fn new_field(of: Side<SourceId>, kind: FieldKind, why: String) -> Change {
    let name = Value::text(&of.name);
    let mut change = Change::new(Entity::AssetFields, Action::Create, of, [why]);
    change.fields =
        vec![field(FieldName::Name, name), field(FieldName::own(KIND_FIELD), Value::text(kind.key()))];
    change
}

/// The row that gives an asset type more fields.
pub fn type_gains(there: &KindOfRecord, fields: &BTreeSet<FieldName>, why: &str) -> Change {
    let mut change = Change::new(Entity::AssetTypes, Action::Update, side(&there.name), [why]);
    change.target = Some(Side { id: there.id.clone(), name: there.name.as_str().into() });
    change.fields = fields.iter().map(|name| field(type_gets(*name), Value::Flag(true))).collect();
    change
}

/// Why new types wait, if they do.
fn waits(kinds: &Kinds, new: usize) -> Option<(Cause, String)> {
    match &kinds.group {
        None => {
            let why = "new types need default_group_for_new_asset_types, which is not set (L12)";
            Some((Cause::Missing, why.to_owned()))
        }
        Some(Err(why)) => Some((Cause::Missing, why.clone())),
        Some(Ok(_)) if new > kinds.most_new as usize => {
            let why = format!(
                "{new} new types are more than {}: this is usually a wrong field (L11); choose another asset_type_field, or raise max_new_asset_types",
                kinds.most_new
            );
            Some((Cause::Data, why))
        }
        Some(Ok(_)) => None,
    }
}

/// Lets new assets wait whose type does, which stands in the list by its folded name.
fn hold_assets(rows: &mut Rows, first: usize, waiting: &BTreeMap<String, String>) {
    for at in first..rows.len() {
        let Some(change) = rows.get(at).filter(|row| row.action == Action::Create).map(|row| rows.open(row))
        else {
            continue;
        };
        let name = type_of(&change, &PackedList::default()).and_then(|own| waiting.get(&folded(&own)));
        if let Some(name) = name {
            rows.edit(at, |change| change.hold(Cause::Missing, &format!("its type '{name}' waits")));
        }
    }
}

/// The type that a row's asset has or gets.
fn type_of(change: &Change, found: &PackedList<Found>) -> Option<String> {
    let name = FieldName::own(TYPE_FIELD);
    if let Some(target) = &change.target {
        return found.find(target.id.as_str())?.fields.get(name).map(ToString::to_string);
    }
    let written =
        change.fields.iter().find(|field| field.name == name).and_then(|field| field.after.as_ref());
    written.or_else(|| change.owned.get(name)).map(ToString::to_string)
}

fn side(name: &str) -> Side<SourceId> {
    Side { id: SourceId::new(folded(name)), name: name.into() }
}

fn field(name: FieldName, after: Value) -> FieldChange {
    FieldChange { name, before: None, after: Some(after), mark: None }
}
