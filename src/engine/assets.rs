//! Halo's assets, asset types and asset fields as the records of a plan, and their writes.

use serde_json::json;

use super::records::Write;
use super::target::Say;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::halo::{AssetValues, Halo, NewAsset};
use crate::api::listing::{Certificate, Form, Listing, PackedListing};
use crate::integrations::field_mapping::{self, Targets};
use crate::model::asset::{
    Asset, AssetType, Definitions, FieldKind, GROUP_FIELD, ID_FIELD, KIND_FIELD, TYPE_FIELD, field_of_type,
    folded, type_gets,
};
use crate::model::{Class, Entity, FieldName, Fields, Found, MatchKeys, Problem, Stack, TargetId, Value};

/// Which right it needs to make or widen types and fields of assets (L16).
const NO_KINDS: &str = "The API application needs the permission edit:assets, and the agent it logs in as a role that may \
                        configure asset types and fields; or make it in Halo by hand, and plan again.";

/// An asset as a plan compares it.
pub fn found(asset: &Asset, targets: &Targets) -> Found {
    let mut fields = Fields::new();
    fields.set(FieldName::own(TYPE_FIELD), Value::Text(asset.type_name.clone()));
    if let Some(id) = asset.liongard {
        fields.set(FieldName::own(ID_FIELD), Value::text(id.to_string()));
    }
    for value in asset.fields.iter().flatten() {
        let target = targets.iter().find(|(_, field)| field.id == value.field);
        if let Some((label, field)) = target
            && let Some(held) = field_mapping::held(&value.text, field.kind)
        {
            fields.set(*label, held);
        }
    }
    fields.shrink();
    Found {
        id: asset.id.clone(),
        name: asset.name(),
        parent: asset.customer.clone(),
        is_active: asset.is_active,
        marker: asset.third_party.clone(),
        fields,
        keys: MatchKeys::default(),
        currency: None,
        main_site: asset.site.clone(),
    }
}

fn named(id: TargetId, name: &str, fields: Fields) -> Found {
    Found {
        id,
        name: name.into(),
        parent: None,
        is_active: true,
        marker: None,
        fields,
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    }
}

fn found_type(one: &AssetType, targets: &Targets) -> Found {
    let of_type = targets.iter().filter(|(_, field)| one.fields.contains(&field.id));
    let fields = of_type.map(|(label, _)| (type_gets(*label), Value::Flag(true))).collect();
    named(one.id.clone(), &one.name, fields)
}

/// One record; `None` where there is none.
pub async fn record(halo: &Halo, entity: Entity, id: &TargetId) -> Result<Option<Found>, Problem> {
    let targets = Targets::new(&halo.asset_definitions().await?.fields);
    match entity {
        Entity::Assets => Ok(halo.asset(id).await?.map(|asset| found(&asset, &targets))),
        Entity::AssetTypes => Ok(halo.asset_type(id).await?.map(|one| found_type(&one, &targets))),
        _ => Ok(list(halo, entity, &|_, _| {}).await?.records.find(id.as_str())),
    }
}

/// The assets of one customer, without fields.
pub async fn of_customer(halo: &Halo, customer: &TargetId) -> Result<Vec<Found>, Problem> {
    let assets = halo.assets_of(customer).await?.proven()?;
    Ok(assets.iter().map(|asset| found(asset, &Targets::default())).collect())
}

/// All records of a kind: assets type by type, which is how lists carry their fields.
pub async fn list(halo: &Halo, entity: Entity, say: Say<'_>) -> Result<PackedListing<Found>, Problem> {
    if entity != Entity::Assets {
        halo.forget_asset_definitions();
    }
    let known = halo.asset_definitions().await?;
    let targets = Targets::new(&known.fields);
    let whole = |records: Vec<Found>| Listing::whole(records, Vec::new(), None).packed();
    match entity {
        Entity::AssetTypes => {
            let types = known.types.iter().map(|one| found_type(one, &targets));
            Ok(whole(types.collect()))
        }
        Entity::AssetFields => {
            let fields = known.fields.iter().map(|field| {
                let shown = Fields::new()
                    .with(FieldName::Name, Value::text(&field.name))
                    .with(FieldName::own(KIND_FIELD), Value::text(field.kind.key()));
                named(field.id.clone(), &field.name, shown)
            });
            Ok(whole(fields.collect()))
        }
        _ => {
            let stack = Stack::default();
            let form = |asset| stack.lay(&found(&asset, &targets));
            Ok(read(halo, &known, None, &form, say).await?.from(stack))
        }
    }
}

/// Every asset, type by type, each as `form` keeps it; `keep` are the fields that are wanted.
///
/// # Errors
/// A type's assets could not be read at all.
pub async fn read<T: PartialEq + Send>(
    halo: &Halo,
    known: &Definitions,
    keep: Option<&[TargetId]>,
    form: Form<'_, Asset, T>,
    say: Say<'_>,
) -> Result<Listing<T>, Problem> {
    let mut all = Listing::<T>::whole(Vec::new(), Vec::new(), None);
    let mut why_not: Option<String> = None;
    for one in &known.types {
        let before = all.records.len() as u64;
        let listing = halo.assets_of_type(&one.id, keep, form, &|done, _| say(before + done, None)).await?;
        let Certificate { why_not: doubt, .. } = listing.certificate;
        why_not = why_not.or(doubt);
        all.records.extend(listing.records);
        all.problems.extend(listing.problems);
    }
    all.certificate.seen = all.records.len() as u64;
    all.certificate.complete = why_not.is_none();
    all.certificate.why_not = why_not;
    Ok(all)
}

/// Sends one write of an asset, a type or a field, once.
pub async fn send(halo: &Halo, permit: Permit, write: &Write) -> WriteVerdict<TargetId> {
    let made = match write {
        Write::Create { entity: entity @ (Entity::AssetTypes | Entity::AssetFields), fields, .. } => {
            Some((*entity, text(fields, FieldName::Name)))
        }
        _ => None,
    };
    if made.is_some() {
        halo.forget_asset_definitions();
    }
    let known = match halo.on_behalf().asset_definitions().await {
        Ok(known) => known,
        Err(problem) => return WriteVerdict::NotSent(problem),
    };
    // Somebody may have made it since the plan: Halo takes a second one of the same name.
    if let Some(id) = made.and_then(|(entity, name)| already(&known, entity, &name)) {
        return WriteVerdict::Done(id);
    }
    let targets = Targets::new(&known.fields);
    let verdict = match write {
        Write::Create { entity: Entity::Assets, customer, site, fields, marker, .. } => {
            match new_asset(&known, &targets, customer.as_ref(), site.as_ref(), fields, marker) {
                Ok(new) => halo.create_asset(permit, &new).await.map(|asset| asset.id),
                Err(problem) => return WriteVerdict::Rejected(problem),
            }
        }
        Write::Create { entity: Entity::AssetFields, fields, .. } => {
            let kind = text(fields, FieldName::own(KIND_FIELD));
            let kind = FieldKind::ALL.into_iter().find(|one| one.key() == kind).unwrap_or(FieldKind::Text);
            let name = text(fields, FieldName::Name);
            halo.create_asset_field(permit, &name, kind).await.map(|field| field.id)
        }
        Write::Create { entity: Entity::AssetTypes, fields, .. } => {
            let group = text(fields, FieldName::own(GROUP_FIELD));
            let Some(group) = known.groups.iter().find(|one| folded(&one.name) == folded(&group)) else {
                return WriteVerdict::Rejected(missing("asset group", &group));
            };
            match type_fields(&targets, fields) {
                Ok(ids) => {
                    let name = text(fields, FieldName::Name);
                    halo.create_asset_type(permit, &name, &group.id, &ids).await.map(|one| one.id)
                }
                Err(problem) => return WriteVerdict::Rejected(problem),
            }
        }
        Write::Set { entity: Entity::AssetTypes, id, fields, .. } => match type_fields(&targets, fields) {
            Ok(ids) => halo.add_fields_to_type(permit, id, &ids).await.map(|one| one.id),
            Err(problem) => return WriteVerdict::Rejected(problem),
        },
        Write::Set { entity: Entity::Assets, id, fields, .. } => match values(&targets, fields) {
            Ok(values) => return halo.update_asset(permit, id, &values).await.map(|asset| asset.id),
            Err(problem) => return WriteVerdict::Rejected(problem),
        },
        _ => {
            return WriteVerdict::Rejected(
                Problem::new(Class::Local, "This is not a write of an asset.")
                    .remedy("Build the plan again."),
            );
        }
    };
    if matches!(write, Write::Create { entity: Entity::Assets, .. }) {
        return verdict;
    }
    halo.forget_asset_definitions();
    match verdict {
        WriteVerdict::Rejected(problem) if problem.class == Class::Auth => {
            WriteVerdict::Rejected(problem.remedy(NO_KINDS))
        }
        other => other,
    }
}

/// The type or field of a name.
fn already(known: &Definitions, entity: Entity, name: &str) -> Option<TargetId> {
    let name = folded(name);
    if entity == Entity::AssetTypes {
        return known.types.iter().find(|one| folded(&one.name) == name).map(|one| one.id.clone());
    }
    known.fields.iter().find(|one| folded(&one.name) == name).map(|one| one.id.clone())
}

fn new_asset(
    known: &Definitions,
    targets: &Targets,
    customer: Option<&TargetId>,
    site: Option<&TargetId>,
    fields: &Fields,
    marker: &str,
) -> Result<NewAsset, Problem> {
    let customer = customer.ok_or_else(|| {
        Problem::new(Class::Record, "An asset needs a customer, and none is named.")
            .remedy("Build the plan again.")
    })?;
    let kind = text(fields, FieldName::own(TYPE_FIELD));
    let asset_type = known
        .types
        .iter()
        .find(|one| folded(&one.name) == folded(&kind))
        .ok_or_else(|| missing("asset type", &kind))?;
    let mut values = values(targets, fields)?;
    values.columns.push(("third_party_id_string".into(), json!(marker)));
    Ok(NewAsset {
        customer: customer.clone(),
        site: site.cloned(),
        asset_type: asset_type.id.clone(),
        values,
    })
}

fn values(targets: &Targets, fields: &Fields) -> Result<AssetValues, Problem> {
    let mut values = AssetValues::default();
    for (name, value) in fields.iter() {
        match (name, value) {
            (FieldName::Name, value) => {
                values.columns.push(("inventory_number".into(), json!(value.to_string())));
            }
            (FieldName::Status, Value::Active(active)) => values.is_active = Some(*active),
            (name, _) if name == FieldName::own(TYPE_FIELD) => {}
            (name, value) if name == FieldName::own(ID_FIELD) => {
                // Whole numbers only: a device's id does not fit there (apis/liongard.md 14).
                if let Ok(id) = value.to_string().parse::<i32>() {
                    values.columns.push(("liongardid".into(), json!(id)));
                }
            }
            (name, value) => {
                let field = targets.get(name).ok_or_else(|| missing("asset field", name.key()))?;
                let text =
                    field_mapping::written(value, field).map_err(|why| Problem::new(Class::Record, why))?;
                values.fields.push((field.id.clone(), text));
            }
        }
    }
    Ok(values)
}

fn type_fields(targets: &Targets, fields: &Fields) -> Result<Vec<TargetId>, Problem> {
    let names = fields.iter().filter_map(|(name, _)| field_of_type(name));
    let id = |name: FieldName| {
        targets.get(name).map(|field| field.id.clone()).ok_or_else(|| missing("asset field", name.key()))
    };
    names.map(id).collect()
}

fn text(fields: &Fields, name: FieldName) -> String {
    fields.get(name).map(ToString::to_string).unwrap_or_default()
}

fn missing(what: &str, name: &str) -> Problem {
    let name = crate::model::text::shown(name);
    Problem::new(Class::Record, format!("Halo has no {what} '{name}'."))
        .remedy("It is made by a row of its own: let that row go first, or make it in Halo, and plan again.")
}
