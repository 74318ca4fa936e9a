//! One record tried against the mappings as they are: what an import would write of it, field by field. Reads only.

use std::sync::Arc;

use super::super::Engine;
use super::sample::{self, Machine, device_with_facts, with_facts};
use crate::api::budget::Lane;
use crate::api::halo::Halo;
use crate::api::liongard::Liongard;
use crate::engine::connect::Other;
use crate::engine::words::{FieldTest, TestEnd, TestedAsset, TestedField};
use crate::integrations::field_mapping::{self, Targets};
use crate::integrations::field_sample::SampleRecord;
use crate::integrations::liongard::{Devices, Evidence, Mapping, Metrics, Needs, Tried};
use crate::model::asset::{Asset, AssetType, folded};
use crate::model::settings::{AssetSource, Liongard as Settings};
use crate::model::text::shown;
use crate::model::{Class, Entity, Integration, Problem, SourceId};

const ME: Integration = Integration::Liongard;
/// Assets that Halo's search finds and that are looked at for the value of the matching field.
const HITS: usize = 5;

/// A record that is tried, and what is known of it.
struct Case {
    machine: Machine,
    needs: Needs,
    metrics: Metrics,
    parent: String,
    notes: Vec<String>,
}

impl Case {
    fn evidence(&self) -> Evidence<'_> {
        self.machine.evidence(&self.needs, &self.metrics)
    }
}

impl Engine {
    /// What an import would write of one record, which is named by its id, or by its name where it is in the sample.
    ///
    /// # Errors
    /// There is no such record, or a side cannot be read.
    pub async fn try_fields(
        self: &Arc<Self>,
        integration: Integration,
        record: &str,
    ) -> Result<FieldTest, Problem> {
        super::has_rows(integration)?;
        let with = self.connect(integration, Lane::Interactive)?;
        let Other::Liongard(desk) = &with.other else {
            return Err(Problem::new(Class::Local, "Liongard is not connected."));
        };
        let liongard = &desk.liongard;
        let settings = self.settings();
        let settings = &settings.liongard;
        let known = self.named(integration, record.trim())?;
        let case = match settings.asset_source {
            AssetSource::Systems => system(liongard, settings, record.trim(), known.as_ref()).await?,
            AssetSource::Devices => device(liongard, settings, known.as_ref()).await?,
        };
        let case = case.ok_or_else(|| absent(record))?;
        with.halo.forget_asset_definitions();
        let definitions = with.halo.asset_definitions().await?;
        let targets = Targets::new(&definitions.fields);
        let mapping = Mapping::new(settings, &targets);
        let Some(id) = case.machine.id().cloned() else { return Err(absent(record)) };
        let found = self.asset_of(&with.halo, &mapping, &targets, &id, case.evidence()).await?;
        let asset_type = mapping.type_name(case.evidence());
        let there = |name: &str| definitions.types.iter().find(|one| folded(&one.name) == folded(name));
        // An asset that is there keeps its type.
        let own_type = match &found {
            Some((asset, _)) => definitions.types.iter().find(|one| one.id == asset.asset_type),
            None => asset_type.as_deref().and_then(there),
        };
        let asset = found.as_ref().map(|(asset, _)| asset);
        let rows: Vec<TestedField> = mapping
            .trial(case.evidence())
            .map(|row| {
                let lacks = own_type.filter(|own| lacks(own, &row, settings));
                tested(&row, asset, lacks)
            })
            .collect();
        let mut notes = case.notes.clone();
        notes.extend(mapping.problems.iter().map(|why| format!("{}.", shown(why))));
        if asset.is_none() {
            notes.push(
                "No asset was found for it by a link or by a search; the import compares with all of them."
                    .into(),
            );
        }
        let name = case.machine.name();
        Ok(FieldTest {
            integration,
            id,
            name: shown(&name).into_owned(),
            parent: case.parent.clone(),
            asset: found.map(|(asset, how)| TestedAsset {
                id: asset.id.clone(),
                name: shown(&asset.name()).into_owned(),
                how,
            }),
            is_new_type: asset_type.is_some() && own_type.is_none(),
            asset_type: asset_type.map(|name| shown(&name).into_owned()),
            rows,
            notes,
        })
    }

    /// The record of the sample that has this id or name.
    fn named(&self, integration: Integration, text: &str) -> Result<Option<SampleRecord>, Problem> {
        let Some(sampled) = self.sampled(integration) else { return Ok(None) };
        let records = &sampled.sample.records;
        if let Some(record) = records.iter().find(|record| record.id.as_str() == text) {
            return Ok(Some(record.clone()));
        }
        let same: Vec<_> = records.iter().filter(|one| one.name.trim().eq_ignore_ascii_case(text)).collect();
        match same.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some((*one).clone())),
            several => {
                let ids: Vec<&str> = several.iter().take(10).map(|one| one.id.as_str()).collect();
                Err(Problem::new(
                    Class::Input,
                    format!("{} records are called '{}'.", several.len(), shown(text)),
                )
                .remedy(format!("Name one by its id: {}.", ids.join(", "))))
            }
        }
    }

    /// The asset that a record is linked to, else the one that has its value in the matching field.
    async fn asset_of(
        &self,
        halo: &Halo,
        mapping: &Mapping,
        targets: &Targets,
        id: &SourceId,
        evidence: Evidence<'_>,
    ) -> Result<Option<(Asset, String)>, Problem> {
        if let Some(link) = self.book.link(ME, Entity::Assets, id)?
            && let Some(asset) = halo.asset(&link.target).await?
        {
            return Ok(Some((asset, "linked".into())));
        }
        let (Some((wanted, text)), Some(label)) = (mapping.matching_value(evidence), mapping.matching_target)
        else {
            return Ok(None);
        };
        let Some(field) = targets.get(label) else { return Ok(None) };
        for hit in halo.search_assets(&text).await?.into_iter().take(HITS) {
            let Some(asset) = halo.asset(&hit.id).await? else { continue };
            let held = asset.value(&field.id).and_then(|held| mapping.matching_form(held));
            if held.as_ref() == Some(&wanted) {
                return Ok(Some((asset, format!("matched by {label}"))));
            }
        }
        Ok(None)
    }
}

async fn system(
    liongard: &Liongard,
    settings: &Settings,
    text: &str,
    known: Option<&SampleRecord>,
) -> Result<Option<Case>, Problem> {
    let id = known.map_or_else(|| SourceId::new(text), |record| record.id.clone());
    if id.as_str().parse::<i64>().is_err() {
        return Ok(None);
    }
    let Some(whole) = liongard.whole_system(&id).await? else { return Ok(None) };
    let mut notes = Vec::new();
    let metrics = liongard.metrics().await.map_or_else(
        |problem| {
            notes.push(format!("Liongard's metrics could not be read, so fewer values are known: {problem}"));
            Vec::new()
        },
        |listing| listing.records,
    );
    let needs = Needs::of(settings, &metrics);
    let parent =
        whole.leaves.get("Environment.Name").map(|name| shown(name).into_owned()).unwrap_or_default();
    let system = with_facts(whole, &needs);
    let systems = std::slice::from_ref(&system);
    let metrics = sample::metrics(liongard, &needs, systems, &mut notes, &|_, _, _| {}).await?;
    let devices = match system.environment.as_ref().filter(|_| needs.devices()) {
        Some(place) => liongard.devices(place, &needs.device).await.map_or_else(
            |problem| {
                notes
                    .push(format!("Device profiles could not be read, so fewer values are known: {problem}"));
                Vec::new()
            },
            |listing| listing.records,
        ),
        None => Vec::new(),
    };
    let device = Devices::new(&devices, &settings.placeholder_values).of(&system, &needs, &metrics).cloned();
    let machine = Machine { system: Some(system), device };
    Ok(Some(Case { machine, needs, metrics, parent, notes }))
}

/// A device is known by its environment: there is no look-up of one.
async fn device(
    liongard: &Liongard,
    settings: &Settings,
    known: Option<&SampleRecord>,
) -> Result<Option<Case>, Problem> {
    let Some(SampleRecord { id, parent: Some(place), parent_name, .. }) = known else { return Ok(None) };
    let needs = Needs::of(settings, &[]);
    let devices = liongard.first_devices(place).await?;
    let found = devices.into_iter().find(|one| one.record.id == *id);
    Ok(found.map(|one| Case {
        machine: Machine { system: None, device: Some(device_with_facts(one, &needs)) },
        needs,
        metrics: Metrics::default(),
        parent: shown(parent_name).into_owned(),
        notes: Vec::new(),
    }))
}

fn tested(row: &Tried<'_>, asset: Option<&Asset>, lacks: Option<&AssetType>) -> TestedField {
    let held = asset.and_then(|asset| asset.value(&row.field.id));
    let before = held.and_then(|text| field_mapping::held(text, row.field.kind));
    let (mut after, mut why) = (before.clone(), String::new());
    let end = match &row.value {
        None => TestEnd::Blank,
        Some(Err(reason)) => {
            why.clone_from(reason);
            TestEnd::Misfit
        }
        Some(Ok(_)) if lacks.is_some() => {
            let own = lacks.map(|own| shown(&own.name)).unwrap_or_default();
            why = format!(
                "the type {own} has no such field: give it to the type in Halo, or let the row create it"
            );
            TestEnd::Misfit
        }
        Some(Ok(value)) if before.as_ref() == Some(value) => TestEnd::Same,
        Some(Ok(_)) if row.fill_blank && before.is_some() => TestEnd::Kept,
        Some(Ok(value)) => {
            after = Some(value.clone());
            TestEnd::Write
        }
    };
    let text = |value: Option<crate::model::Value>| value.map(|value| shown(&value.to_string()).into_owned());
    TestedField {
        source: shown(row.source).into_owned(),
        target: row.target.key().to_owned(),
        kind: row.field.kind,
        value: row.told.as_ref().map(|(text, _)| shown(text).into_owned()),
        told: row.told.as_ref().map(|(_, told)| told.words().to_owned()).unwrap_or_default(),
        before: text(before),
        after: text(after),
        end,
        why,
    }
}

/// Whether a type does not have the field, and no row gives it to the type.
fn lacks(own: &AssetType, row: &Tried<'_>, settings: &Settings) -> bool {
    let is_given = settings.field_mappings.iter().any(|one| one.create && one.source.trim() == row.source);
    !row.field.id.as_str().is_empty() && !is_given && !own.fields.contains(&row.field.id)
}

fn absent(record: &str) -> Problem {
    Problem::new(Class::Input, format!("Liongard has no record '{}'.", shown(record)))
        .remedy("Name it by its id, or read the sample (`parhelion fields sample liongard`) and name one of its records.")
}
