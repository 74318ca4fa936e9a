//! Reading a sample: some systems or devices with all they hold, and some assets of every type.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::Engine;
use crate::api::budget::Lane;
use crate::api::halo::Halo;
use crate::api::liongard::{Leaves, Liongard, Whole};
use crate::engine::connect::Other;
use crate::engine::extract::Progress;
use crate::integrations::field_sample::{HeldField, Sample, SampleRecord, SampledField, spread};
use crate::integrations::liongard::{Devices, Evidence, Metrics, Needs, Told, source_fields};
use crate::model::asset::Asset;
use crate::model::liongard::{Facts, SourceDevice, SourceEnvironment, SourceMetric, SourceSystem};
use crate::model::settings::{AssetSource, Liongard as Settings};
use crate::model::{Class, Integration, Problem, SourceId};

/// Records of the source whose values are kept.
const RECORDS: usize = 200;
/// Systems that these are chosen from.
const SEEN: usize = 2000;
/// Assets of each type.
const ASSETS: usize = 40;
/// Types whose assets are looked at.
const TYPES: usize = 40;
/// Metrics asked for at once.
const METRICS: usize = 100;

/// A record of the sample with all that can tell its values.
pub(super) struct Machine {
    pub system: Option<SourceSystem>,
    pub device: Option<SourceDevice>,
}

impl Machine {
    pub fn evidence<'a>(&'a self, needs: &'a Needs, metrics: &'a Metrics) -> Evidence<'a> {
        let (system, device) = (self.system.as_ref(), self.device.as_ref());
        Evidence { needs, system, device, metrics, inspected: None }
    }

    pub fn id(&self) -> Option<&SourceId> {
        self.system
            .as_ref()
            .map(|system| &system.id)
            .or_else(|| self.device.as_ref().map(|device| &device.id))
    }

    pub fn parent(&self) -> Option<&SourceId> {
        match (&self.system, &self.device) {
            (Some(system), _) => system.environment.as_ref(),
            (None, Some(device)) => Some(&device.environment),
            (None, None) => None,
        }
    }

    pub fn name(&self) -> Arc<str> {
        if let Some(system) = &self.system {
            return Arc::clone(&system.name);
        }
        let device = self.device.as_ref();
        let named =
            device.and_then(|one| one.alias.as_ref().or(one.hostname.as_ref()).or(one.serial.as_ref()));
        named.map_or_else(|| "".into(), Arc::clone)
    }
}

pub(super) async fn read(engine: &Engine, say: Progress<'_>) -> Result<Sample, Problem> {
    let with = engine.connect(Integration::Liongard, Lane::Interactive)?;
    let Other::Liongard(desk) = &with.other else {
        return Err(Problem::new(Class::Local, "Liongard is not connected."));
    };
    let liongard = &desk.liongard;
    let settings = engine.settings();
    with.halo.forget_asset_definitions();
    let (sources, targets) =
        futures_util::future::join(sources(liongard, &settings.liongard, say), targets(&with.halo, say))
            .await;
    let (records, sources, mut notes) = sources?;
    let (targets, assets, more) = targets?;
    notes.extend(more);
    Ok(Sample { records, sources, targets, assets, notes })
}

type Targets = (Vec<HeldField>, u32, Vec<String>);

async fn targets(halo: &Halo, say: Progress<'_>) -> Result<Targets, Problem> {
    let known = halo.asset_definitions().await?;
    let mut held: HashMap<_, HeldField> = known
        .fields
        .iter()
        .map(|field| {
            let of = known.types.iter().filter(|one| one.fields.contains(&field.id));
            let types = of.map(|one| one.name.clone()).collect();
            (field.id.clone(), HeldField { field: field.clone(), types, have: 0, samples: Vec::new() })
        })
        .collect();
    let (mut assets, mut notes) = (0, Vec::new());
    let of = known.types.len().min(TYPES) as u64;
    for (done, one) in (1..).zip(known.types.iter().take(TYPES)) {
        match halo.first_assets(&one.id, ASSETS).await {
            Ok(first) => {
                assets += first.len() as u32;
                for asset in &first {
                    look(asset, &mut held);
                }
            }
            Err(problem) if problem.class == Class::Auth => return Err(problem),
            Err(problem) if notes.is_empty() => {
                notes.push(format!("Some of Halo's assets could not be read: {problem}"));
            }
            Err(_) => {}
        }
        say("Halo asset types", done, Some(of));
    }
    let held = known.fields.iter().filter_map(|field| held.remove(&field.id)).collect();
    Ok((held, assets, notes))
}

fn look(asset: &Asset, held: &mut HashMap<crate::model::TargetId, HeldField>) {
    for value in asset.fields.iter().flatten().filter(|value| !value.text.trim().is_empty()) {
        let Some(field) = held.get_mut(&value.field) else { continue };
        field.have += 1;
        let text: Box<str> = value.text.trim().into();
        if field.samples.len() < 3 && !field.samples.contains(&text) {
            field.samples.push(text);
        }
    }
}

type Sources = (Vec<SampleRecord>, Vec<SampledField>, Vec<String>);

async fn sources(liongard: &Liongard, settings: &Settings, say: Progress<'_>) -> Result<Sources, Problem> {
    let environments =
        liongard.environments(&|done, of| say("Liongard environments", done, of)).await?.records;
    let mut notes = Vec::new();
    let (chosen, known) = match settings.asset_source {
        AssetSource::Systems => {
            say("Liongard systems", 0, None);
            let systems = liongard.first_systems(SEEN).await?;
            let known = liongard.metrics().await.map_or_else(
                |problem| {
                    notes.push(format!("Liongard's metrics could not be read: {problem}"));
                    Vec::new()
                },
                |listing| listing.records,
            );
            (spread(systems, RECORDS, |one| one.record.environment.clone()), known)
        }
        AssetSource::Devices => (Vec::new(), Vec::new()),
    };
    let of_devices = match settings.asset_source {
        AssetSource::Systems => {
            let wanted: BTreeSet<SourceId> =
                chosen.iter().filter_map(|one| one.record.environment.clone()).collect();
            environments.iter().filter(|one| wanted.contains(&one.id)).collect::<Vec<_>>()
        }
        AssetSource::Devices => {
            let step = environments.len().div_ceil(10).max(1);
            environments.iter().step_by(step).collect()
        }
    };
    let devices = devices(liongard, &of_devices, &mut notes, say).await?;
    let names = names(chosen.iter().map(|one| &one.leaves), devices.iter().map(|one| &one.leaves), &known);
    let needs = Needs::of_names(names.iter().map(|(name, _)| &**name), settings.asset_source, &known);
    let systems: Vec<SourceSystem> = chosen.into_iter().map(|one| with_facts(one, &needs)).collect();
    let devices: Vec<SourceDevice> = devices.into_iter().map(|one| device_with_facts(one, &needs)).collect();
    let metrics = metrics(liongard, &needs, &systems, &mut notes, say).await?;
    let machines = match settings.asset_source {
        AssetSource::Systems => joined(systems, &devices, &needs, &metrics, settings),
        AssetSource::Devices => spread(devices, RECORDS, |one| Some(one.environment.clone()))
            .into_iter()
            .map(|device| Machine { system: None, device: Some(device) })
            .collect(),
    };
    let places: BTreeMap<&SourceId, &str> = environments.iter().map(|one| (&one.id, &*one.name)).collect();
    let records = machines.iter().filter_map(|machine| {
        let place = machine.parent().and_then(|id| places.get(id)).copied().unwrap_or_default();
        Some(SampleRecord {
            id: machine.id()?.clone(),
            name: machine.name(),
            parent: machine.parent().cloned(),
            parent_name: place.into(),
        })
    });
    let records = records.collect();
    Ok((records, fields(&names, &machines, &needs, &metrics), notes))
}

/// The devices of some environments. One that cannot be read costs its values only.
async fn devices(
    liongard: &Liongard,
    environments: &[&SourceEnvironment],
    notes: &mut Vec<String>,
    say: Progress<'_>,
) -> Result<Vec<Whole<SourceDevice>>, Problem> {
    let mut devices = Vec::new();
    let of = environments.len() as u64;
    let before = notes.len();
    for (done, environment) in (1..).zip(environments) {
        match liongard.first_devices(&environment.id).await {
            Ok(first) => devices.extend(first),
            Err(problem) if problem.class == Class::Auth => return Err(problem),
            Err(problem) if notes.len() == before => {
                notes.push(format!("Some device profiles could not be read: {problem}"));
            }
            Err(_) => {}
        }
        say("device profiles", done, Some(of));
    }
    Ok(devices)
}

/// Every field there is, with its title: attributes and well-known paths, what the records hold, and the metrics.
fn names<'a>(
    systems: impl Iterator<Item = &'a Leaves>,
    devices: impl Iterator<Item = &'a Leaves>,
    known: &[SourceMetric],
) -> Vec<(Box<str>, Box<str>)> {
    let mut names: Vec<(Box<str>, Box<str>)> = source_fields().map(|name| (name.into(), "".into())).collect();
    let held: BTreeSet<&Box<str>> = systems.chain(devices).flat_map(BTreeMap::keys).collect();
    for path in held {
        if !names.iter().any(|(name, _)| name == path) {
            names.push((path.clone(), "".into()));
        }
    }
    let metrics = known.iter().map(|metric| (format!("Metric.{}", metric.uuid).into(), metric.name.clone()));
    names.extend(metrics);
    names
}

pub(super) fn with_facts(one: Whole<SourceSystem>, needs: &Needs) -> SourceSystem {
    SourceSystem { facts: facts(&one.leaves, &needs.system), ..one.record }
}

pub(super) fn device_with_facts(one: Whole<SourceDevice>, needs: &Needs) -> SourceDevice {
    SourceDevice { facts: facts(&one.leaves, &needs.device), ..one.record }
}

fn facts(leaves: &Leaves, paths: &[Box<str>]) -> Facts {
    paths.iter().map(|path| leaves.get(path).cloned()).collect()
}

pub(super) async fn metrics(
    liongard: &Liongard,
    needs: &Needs,
    systems: &[SourceSystem],
    notes: &mut Vec<String>,
    say: Progress<'_>,
) -> Result<Metrics, Problem> {
    let mut metrics = Metrics::default();
    if systems.is_empty() {
        return Ok(metrics);
    }
    let ids: Vec<SourceId> = systems.iter().map(|system| system.id.clone()).collect();
    let wanted: BTreeSet<&SourceId> = ids.iter().collect();
    let uuids: Vec<Box<str>> = needs.metrics.iter().map(|metric| metric.uuid.clone()).collect();
    let of = uuids.len() as u64;
    let mut done = 0;
    for some in uuids.chunks(METRICS) {
        let mut each = |value: crate::model::liongard::MetricValue| {
            if wanted.contains(&value.system) {
                metrics.put(value, needs);
            }
        };
        match liongard.evaluate_for(some, &ids, &mut each).await {
            Ok(()) => {}
            Err(problem) if problem.class == Class::Auth => return Err(problem),
            Err(problem) => {
                notes.push(format!("Metric values could not be read: {problem}"));
                break;
            }
        }
        done += some.len() as u64;
        say("metrics", done, Some(of));
    }
    Ok(metrics)
}

/// Systems with the devices that they are inspections of.
fn joined(
    systems: Vec<SourceSystem>,
    devices: &[SourceDevice],
    needs: &Needs,
    metrics: &Metrics,
    settings: &Settings,
) -> Vec<Machine> {
    let mut by_place: BTreeMap<&SourceId, Vec<SourceDevice>> = BTreeMap::new();
    for device in devices {
        by_place.entry(&device.environment).or_default().push(device.clone());
    }
    let keys: BTreeMap<&SourceId, Devices<'_>> = by_place
        .iter()
        .map(|(place, devices)| (*place, Devices::new(devices, &settings.placeholder_values)))
        .collect();
    let machine = |system: SourceSystem| {
        let devices = system.environment.as_ref().and_then(|place| keys.get(place));
        let device = devices.and_then(|devices| devices.of(&system, needs, metrics)).cloned();
        Machine { system: Some(system), device }
    };
    systems.into_iter().map(machine).collect()
}

/// Every field with its value in every record. Paths that no record holds are left out; attributes, well-known paths and
/// metrics stay.
fn fields(
    names: &[(Box<str>, Box<str>)],
    machines: &[Machine],
    needs: &Needs,
    metrics: &Metrics,
) -> Vec<SampledField> {
    let evidence: Vec<Evidence<'_>> =
        machines.iter().map(|machine| machine.evidence(needs, metrics)).collect();
    let field = |(name, title): &(Box<str>, Box<str>)| {
        let mut told: Option<Told> = None;
        let values = evidence
            .iter()
            .map(|evidence| {
                let (text, by) = evidence.value(name).filter(|(text, _)| !text.trim().is_empty())?;
                told = told.or(Some(by));
                Some(text)
            })
            .collect();
        let told = told.map_or("", Told::words).into();
        SampledField { name: name.clone(), title: title.clone(), told, values }
    };
    names.iter().map(field).collect()
}
