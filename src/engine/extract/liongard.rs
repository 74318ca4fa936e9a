//! Liongard against Halo: environments and customers, systems or devices and assets.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::FutureExt;

use super::inspections::Inspections;
use super::{
    Both, FIRST_CONTACT, Progress, Read, completeness, concerns, elsewhere, few, halo, links_within,
    narrowness, partners_of, push, strangers, together,
};
use crate::api::call::Retry;
use crate::api::halo::Halo;
use crate::api::liongard::{Liongard, LookUp};
use crate::api::listing::{Listing, PackedListing};
use crate::engine::Engine;
use crate::engine::assets;
use crate::engine::connect::Connections;
use crate::engine::customers::SourceParty;
use crate::engine::liongard::LiongardDesk;
use crate::integrations::field_mapping::Targets;
use crate::integrations::liongard::{self as rules, Devices, Evidence, Mapping, Metrics, Needs};
use crate::matching::keys::domain_in;
use crate::model::asset::{Definitions, ID_FIELD, folded};
use crate::model::liongard::{SourceDevice, SourceEnvironment, SourceMetric, SourceSystem};
use crate::model::pile::Gathered;
use crate::model::settings::{AssetSource, Liongard as Settings};
use crate::model::text::Pool;
use crate::model::{
    Class, Entity, FieldName, Found, Integration, Laid, PackedList, Place, Problem, SourceId, Stack,
    TargetId, Value, Wanted,
};
use crate::plan::snapshot::Changed;
use crate::plan::{
    Absence, Completeness, KindOfRecord, Kinds, Lines, Only, Parking, Reading, Shape, Snapshot,
};

const ME: Integration = Integration::Liongard;

/// Reads what a plan of these entities needs.
pub async fn read(
    engine: &Engine,
    with: &Connections,
    desk: &LiongardDesk,
    entities: &[Entity],
    only: Option<&Only>,
    progress: Progress<'_>,
) -> Result<Read, Problem> {
    let liongard = &desk.liongard;
    let all_settings = engine.settings();
    let settings = &all_settings.liongard;
    let at = engine.world.now();
    // A wrong key or a host that is not there is said within seconds, before any listing.
    let hasty = Retry { attempts: FIRST_CONTACT, ..Retry::default() };
    let (first_liongard, first_halo) =
        (liongard.clone().with_retry(hasty), (*with.halo).clone().with_retry(hasty));
    let (count, instance) =
        futures_util::future::join(first_liongard.count_environments(), first_halo.fingerprint()).await;
    count?;
    let fingerprints = BTreeMap::from([
        (ME.key().to_owned(), with.account.clone()),
        (Place::Halo.key().to_owned(), instance?),
    ]);
    let (environments, customers, tops) = sides(with, liongard, progress).await?;
    let mut alerts: Vec<String> =
        environments.problems.iter().chain(&customers.problems).map(ToString::to_string).collect();
    alerts.extend(expiry(&settings.access_key_expires, at));
    engine.remember_top_levels(&tops)?;
    let mut snapshot = Snapshot {
        customers_complete: completeness(&environments.certificate),
        partners_complete: completeness(&customers.certificate),
        top_level: halo::top_level(&settings.top_level_for_new_customers, &tops),
        customers: environments.records.iter().map(rules::wanted_customer).collect(),
        partners: customers.records,
        ..Snapshot::default()
    };
    snapshot.customers.sort_by(|a, b| a.id.cmp(&b.id));
    snapshot.partners.sort_by(|a, b| a.id.cmp(&b.id));
    let parties: Vec<_> = environments.records.iter().map(party).collect();
    let doubts = snapshot.doubts();
    engine.remember_parties(ME, &parties, &snapshot.partners, &doubts, at)?;
    if entities.contains(&Entity::Customers) {
        let Snapshot { customers, partners, .. } = &mut snapshot;
        let (sites, unread) =
            halo::detail(engine, &with.halo, ME, customers, partners, only, progress).await?;
        snapshot.sites = sites;
        alerts.extend(unread);
    }
    let mut told = Told::default();
    if entities.contains(&Entity::Assets) {
        let lines =
            self::assets(engine, with, liongard, settings, &environments.records, only, &mut told, progress)
                .await?;
        alerts.append(&mut told.alerts);
        snapshot.lines.insert(Entity::Assets, lines);
    }
    let mut blocked = BTreeMap::new();
    if entities.contains(&Entity::Push) {
        let there: Vec<Found> = environments.records.iter().map(|one| desk.found(one)).collect();
        let both = (&snapshot.customers_complete, &snapshot.partners_complete);
        match push::read(engine, with, &snapshot.partners, there, both, &mut alerts, progress).await {
            Ok((lines, flags)) => {
                snapshot.lines.insert(Entity::Push, lines);
                snapshot.lines.insert(Entity::PushFlags, flags);
            }
            // The import does not depend on what goes the other way.
            Err(problem) if matches!(problem.class, Class::Auth | Class::Input) => {
                blocked.insert(Entity::Push, problem.to_string());
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(Read {
        snapshot,
        account: with.account.clone(),
        fingerprints,
        at,
        alerts,
        blocked,
        notes: told.notes,
        requests: BTreeMap::new(),
    })
}

/// A reminder that the access key ends soon (P47).
fn expiry(expires: &str, now: crate::model::Moment) -> Option<String> {
    let day: crate::model::Date = expires.trim().parse().ok()?;
    let today = now.to_zoned(jiff::tz::TimeZone::system()).date();
    let left = today.until(day).ok()?.get_days();
    match left {
        ..0 => {
            Some(format!("Liongard's access key ended on {day}, as far as its settings say: make a new one"))
        }
        0..=30 => Some(format!("Liongard's access key ends in {left} days, on {day}: make a new one before")),
        _ => None,
    }
}

type Sides = (Listing<SourceEnvironment>, Listing<Found>, Vec<crate::api::halo::TopLevel>);

async fn sides(with: &Connections, liongard: &Liongard, progress: Progress<'_>) -> Result<Sides, Problem> {
    let (environments, customers, tops) = futures_util::future::join3(
        liongard.environments(&|done, of| progress("Liongard environments", done, of)),
        with.halo.customers(&|done, of| progress("Halo customers", done, of)),
        with.halo.top_levels(),
    )
    .await;
    Ok((environments?, customers?, tops?))
}

/// The customers of both sides, for the mapping table.
pub async fn customers(
    engine: &Engine,
    with: &Connections,
    liongard: &Liongard,
    progress: Progress<'_>,
) -> Result<Both, Problem> {
    let (environments, customers, tops) = sides(with, liongard, progress).await?;
    engine.remember_top_levels(&tops)?;
    Ok(Both {
        source: environments.records.iter().map(party).collect(),
        target: customers.records,
        incomplete: [environments.certificate, customers.certificate]
            .into_iter()
            .filter_map(|certificate| certificate.why_not)
            .collect(),
    })
}

fn party(environment: &SourceEnvironment) -> (SourceId, SourceParty) {
    let party = SourceParty {
        name: environment.name.clone(),
        domain: environment.website.as_deref().and_then(domain_in).unwrap_or_default(),
        ended: environment.is_customer_view,
        ..SourceParty::default()
    };
    (environment.id.clone(), party)
}

/// Looks absent systems up one by one, for a scheduled plan (decision 2).
pub async fn confirm(
    engine: &Engine,
    liongard: &Liongard,
    absent: Vec<(SourceId, SourceId)>,
    progress: Progress<'_>,
) -> BTreeMap<SourceId, Absence> {
    let devices = engine.settings().liongard.asset_source == AssetSource::Devices;
    let of = absent.len() as u64;
    let mut all = BTreeMap::new();
    for (done, (id, _)) in (1..).zip(absent) {
        let absence = if devices {
            Absence::Unconfirmed("Liongard has no look-up of one device that proves its absence".into())
        } else {
            match liongard.look_up_system(&id).await {
                LookUp::Gone => Absence::Confirmed,
                LookUp::Present => {
                    Absence::Unconfirmed("the list lacks it, yet a look-up by id finds it".into())
                }
                LookUp::Unconfirmed(why) => Absence::Unconfirmed(why),
            }
        };
        progress("absent systems", done, Some(of));
        all.insert(id, absence);
    }
    all
}

/// What a person is told of a reading, beside what the planner finds.
#[derive(Default)]
struct Told {
    alerts: Vec<String>,
    notes: Vec<String>,
}

#[expect(clippy::too_many_arguments, reason = "each is one part of a reading, named at its one call")]
async fn assets(
    engine: &Engine,
    with: &Connections,
    liongard: &Liongard,
    settings: &Settings,
    environments: &[SourceEnvironment],
    only: Option<&Only>,
    told: &mut Told,
    progress: Progress<'_>,
) -> Result<Lines, Problem> {
    let alerts = &mut told.alerts;
    with.halo.forget_asset_definitions();
    let known = with.halo.asset_definitions().await?;
    let targets = Targets::new(&known.fields);
    let mapping = Mapping::new(settings, &targets);
    alerts.extend(mapping.problems.iter().cloned());
    let parking = parking(with, settings).await?;
    let Machines { wanted, read, unsure, metrics } = match settings.asset_source {
        AssetSource::Systems => {
            systems(engine, &with.account, liongard, settings, &mapping, environments, only, alerts, progress)
                .await?
        }
        AssetSource::Devices => {
            devices(liongard, settings, &mapping, environments, only, alerts, progress).await?
        }
    };
    let (found, is_whole) =
        existing(engine, &with.halo, &known, &targets, &mapping, &wanted, only, progress).await?;
    if only.is_some() {
        told.notes.push(narrowly_read(settings.asset_source, few(only).is_some(), is_whole));
    }
    let found_complete = completeness(&found.certificate);
    let mut found = found.records;
    alerts.extend(strangers::mark(engine, with, &wanted, &mut found).await?);
    let kinds = kinds(settings, &known, &targets, &mapping);
    let shape = metrics.map(|metrics| Shape {
        answered: mapping.answered(&wanted),
        gone: if settings.asset_source == AssetSource::Systems {
            mapping.gone(&metrics)
        } else {
            BTreeMap::new()
        },
        new: engine.unseen_metrics(ME, &metrics),
    });
    Ok(Lines {
        wanted,
        read,
        found,
        found_complete,
        absences: BTreeMap::new(),
        unsure,
        parking,
        kinds: Some(kinds),
        shape,
        changed: Changed::default(),
    })
}

/// What was read in full for a narrow plan, and why.
fn narrowly_read(source: AssetSource, is_few: bool, all_assets: bool) -> String {
    let (mut narrow, mut whole) = (vec!["Liongard devices"], vec!["customers of both sides"]);
    if source == AssetSource::Systems {
        if is_few { &mut narrow } else { &mut whole }.push("Liongard metric values");
        whole.push("Liongard systems (its list takes no filter)");
    }
    if all_assets {
        whole.push("Halo assets (a system that is not linked yet may be any of them)");
    } else {
        narrow.push("Halo assets");
    }
    narrowness(&narrow, &whole)
}

/// The default site (L9): `customer/site`, a site's name where only one has it, or its id.
async fn parking(with: &Connections, settings: &Settings) -> Result<Parking, Problem> {
    let chosen = settings.default_site.trim();
    if chosen.is_empty() {
        return Ok(Parking::Missing("default_site is not set".into()));
    }
    let sites = with.halo.sites(&|_, _| {}).await?.records;
    let (customer, name) =
        chosen.rsplit_once('/').map_or((None, chosen), |(c, s)| (Some(c.trim()), s.trim()));
    let customers = match customer {
        Some(customer) => with.halo.search_customers(customer).await?,
        None => Vec::new(),
    };
    let of_customer = |id: &TargetId| {
        customer.is_none_or(|text| {
            customers.iter().any(|one| one.id == *id && one.name.trim().eq_ignore_ascii_case(text))
        })
    };
    let by_id = sites.iter().filter(|site| site.id.as_str() == chosen);
    let by_name = sites.iter().filter(|site| {
        site.is_active && site.name.trim().eq_ignore_ascii_case(name) && of_customer(&site.customer)
    });
    let mut fitting: Vec<_> = by_id.collect();
    if fitting.is_empty() {
        fitting = by_name.collect();
    }
    Ok(match fitting.as_slice() {
        [site] => {
            Parking::At { customer: site.customer.clone(), site: site.id.clone(), name: chosen.to_owned() }
        }
        [] => Parking::Missing(format!("Halo has no site '{chosen}', which default_site names")),
        several => Parking::Missing(format!(
            "{} sites in Halo answer to '{chosen}': set default_site to customer/site or to the id of one",
            several.len()
        )),
    })
}

/// What becomes assets, and how well it was read.
struct Machines {
    wanted: PackedList<Wanted>,
    read: Reading,
    /// Those of which a part could not be read that would have found their asset.
    unsure: BTreeMap<SourceId, Arc<str>>,
    /// The account's metrics; `None` where some part that tells values was not read.
    metrics: Option<Vec<SourceMetric>>,
}

#[expect(clippy::too_many_arguments, reason = "each is one part of a reading, named at its one call")]
async fn systems(
    engine: &Engine,
    account: &str,
    liongard: &Liongard,
    settings: &Settings,
    mapping: &Mapping,
    environments: &[SourceEnvironment],
    only: Option<&Only>,
    alerts: &mut Vec<String>,
    progress: Progress<'_>,
) -> Result<Machines, Problem> {
    let mut unread: Option<Arc<str>> = None;
    let known =
        liongard.metrics().await.unwrap_or_else(|problem| Listing::whole(Vec::new(), vec![problem], None));
    if let Some(why) = known.certificate.why_not {
        alerts.push(format!("Liongard's metrics could not all be read, so fewer values are known: {why}"));
        unread = Some(why.into());
    }
    let mut needs = Needs::of(settings, &known.records);
    let mut inspections = Inspections::open(engine, settings, account)?;
    if inspections.is_some() {
        needs = needs.with_inspections();
    }
    let stack = Stack::<SourceSystem>::default();
    let say = |done, of| progress("Liongard systems", done, of);
    let mut systems = liongard.systems(&needs.system, &|one| stack.lay(&one), &say).await?;
    if let Some(only) = only {
        // Those of its customers, and those that were: where they have moved to is another customer's matter.
        let linked = links_within(engine, ME, Entity::Assets, only)?;
        systems.records.retain(|system| {
            let (id, environment) = stack.read(*system, SourceSystem::whose);
            environment.is_some_and(|id| only.customers.contains(&id)) || linked.contains_key(&id)
        });
    }
    alerts.extend(systems.problems.iter().take(20).map(ToString::to_string));
    let mut metrics = Metrics::default();
    if !needs.metrics.is_empty() {
        let within: Option<Vec<SourceId>> = few(only).map(|some| some.iter().cloned().collect());
        let within = within.as_deref().filter(|some| !some.is_empty());
        let uuids: Vec<Box<str>> = needs.metrics.iter().map(|metric| metric.uuid.clone()).collect();
        let pool = Pool::default();
        let mut each = |mut value: crate::model::liongard::MetricValue| {
            value.text = pool.share(&value.text);
            metrics.put(value, &needs);
        };
        let against = liongard
            .evaluate(&uuids, within, &mut each, &|done, of| progress("metric values", done, of))
            .await?;
        if let Some(why) = against {
            alerts.push(format!("Some values are not known: {why}"));
            unread = Some(why.into());
        }
    }
    // Systems of one environment at a time, so that only its devices are in memory.
    let mut by_environment: HashMap<Option<SourceId>, Vec<Laid>> = HashMap::new();
    let complete = completeness(&systems.certificate);
    for system in systems.records {
        let (_, environment) = stack.read(system, SourceSystem::whose);
        by_environment.entry(environment).or_default().push(system);
    }
    let mut wanted = Gathered::default();
    let mut unsure = BTreeMap::new();
    let mut complete_devices = true;
    let of = by_environment.len() as u64;
    let at_once = engine.settings().pace(Place::Of(ME)).at_once.max(1) as usize;
    let listed: BTreeSet<&SourceId> = environments.iter().map(|one| &one.id).collect();
    let mut groups = futures_util::StreamExt::buffer_unordered(
        futures_util::stream::iter(by_environment.into_iter().map(|(environment, systems)| {
            let (needs, listed) = (&needs, &listed);
            async move {
                let ask = environment.as_ref().filter(|id| needs.devices() && listed.contains(id));
                let devices = match ask {
                    Some(id) => liongard.devices(id, &needs.device).await,
                    None => Ok(Listing::whole(Vec::new(), Vec::new(), None)),
                };
                (systems, devices)
            }
        })),
        at_once,
    );
    let mut done = 0;
    while let Some((systems, devices)) = futures_util::StreamExt::next(&mut groups).await {
        done += 1;
        progress("device profiles", done, Some(of));
        let listing = match devices {
            Ok(listing) => listing,
            Err(problem) if problem.class == crate::model::Class::Auth => return Err(problem),
            Err(problem) => Listing::whole(Vec::new(), vec![problem], None),
        };
        let (devices, why) = (listing.records, listing.certificate.why_not);
        if let Some(why) = &why
            && complete_devices
        {
            alerts.push(format!("Some device profiles could not be read, so fewer values are known: {why}"));
            complete_devices = false;
        }
        let unread = why.map(Arc::from).or_else(|| unread.clone());
        let by_key = Devices::new(&devices, &settings.placeholder_values);
        if let Some(inspections) = &mut inspections {
            let open: Vec<SourceSystem> = systems.iter().map(|one| stack.open(*one)).collect();
            let lacking = open
                .iter()
                .map(|one| by_key.evidence(one, &needs, &metrics))
                .filter(Evidence::wants_inspection);
            inspections.read(engine, liongard, lacking).await?;
        }
        for system in systems {
            let system = &stack.open(system);
            let mut evidence = by_key.evidence(system, &needs, &metrics);
            let mut unread = unread.clone();
            if let Some(inspections) = &inspections {
                evidence.inspected = inspections.of(system);
                unread = unread.or_else(|| inspections.waits(evidence));
            }
            if let Some(why) = unread.as_ref().filter(|_| mapping.is_blind(evidence)) {
                unsure.insert(system.id.clone(), Arc::clone(why));
            }
            let mut one = mapping.wanted(&system.id, &system.name, system.environment.clone(), evidence);
            one.fields.set(FieldName::own(ID_FIELD), Value::text(system.id.as_str()));
            wanted.push(&one);
        }
    }
    let wanted = wanted.sorted();
    alerts.extend(inspections.as_ref().and_then(Inspections::left_out));
    let all_read = unread.is_none() && inspections.is_none_or(|some| some.left_out().is_none());
    let is_whole = complete.is_complete() && complete_devices && all_read;
    let metrics = is_whole.then_some(known.records);
    Ok(Machines { wanted, read: Reading::Whole(complete), unsure, metrics })
}

async fn devices(
    liongard: &Liongard,
    settings: &Settings,
    mapping: &Mapping,
    environments: &[SourceEnvironment],
    only: Option<&Only>,
    alerts: &mut Vec<String>,
    progress: Progress<'_>,
) -> Result<Machines, Problem> {
    let needs = Needs::of(settings, &[]);
    let metrics = Metrics::default();
    let (mut wanted, mut read) = (Gathered::default(), BTreeMap::new());
    let environments: Vec<_> = environments.iter().filter(|one| concerns(only, &one.id)).collect();
    let of = environments.len() as u64;
    for (done, environment) in (1..).zip(environments) {
        progress("device profiles", done, Some(of));
        let listing = match liongard.devices(&environment.id, &needs.device).await {
            Ok(listing) => listing,
            Err(problem) if problem.class == crate::model::Class::Auth => return Err(problem),
            Err(problem) => {
                alerts.push(format!("environment {}: {problem}", environment.id));
                read.insert(environment.id.clone(), Completeness(Err(problem.message)));
                continue;
            }
        };
        read.insert(environment.id.clone(), completeness(&listing.certificate));
        for device in &listing.records {
            wanted.push(&wanted_device(mapping, &needs, &metrics, device));
        }
    }
    let wanted = wanted.sorted();
    let read = Reading::Each(read);
    let metrics = read.is_complete().then(Vec::new);
    Ok(Machines { wanted, read, unsure: BTreeMap::new(), metrics })
}

fn wanted_device(mapping: &Mapping, needs: &Needs, metrics: &Metrics, device: &SourceDevice) -> Wanted {
    let evidence = Evidence { needs, system: None, device: Some(device), metrics, inspected: None };
    let name = device.alias.as_ref().or(device.hostname.as_ref()).or(device.serial.as_ref());
    let name: Arc<str> = name.map_or_else(|| "".into(), Arc::clone);
    mapping.wanted(&device.id, &name, Some(device.environment.clone()), evidence)
}

/// Halo's assets with the fields that are mapped; and whether those are all of Halo's.
#[expect(clippy::too_many_arguments, reason = "each is one part of a reading, named at its one call")]
async fn existing(
    engine: &Engine,
    halo: &Halo,
    known: &Definitions,
    targets: &Targets,
    mapping: &Mapping,
    wanted: &PackedList<Wanted>,
    only: Option<&Only>,
    progress: Progress<'_>,
) -> Result<(PackedListing<Found>, bool), Problem> {
    let labels: BTreeSet<FieldName> = mapping.targets().chain(mapping.matching_target).collect();
    let keep: Vec<TargetId> = targets
        .iter()
        .filter(|(label, _)| labels.contains(label))
        .map(|(_, field)| field.id.clone())
        .collect();
    let form = |asset| {
        let mut found = assets::found(&asset, targets);
        found.keys.own = mapping
            .matching_target
            .and_then(|label| found.fields.get(label))
            .and_then(|value| mapping.matching_form(&value.to_string()));
        found
    };
    if let (Some(only), Some(partners)) = (only, partners_of(engine, ME, only)?) {
        let linked = links_within(engine, ME, Entity::Assets, only)?;
        // What is not linked yet may be any asset of Halo's, another customer's too (L13, L14).
        if wanted.ids().all(|id| linked.contains_key(&SourceId::new(id))) {
            let keep = keep.as_slice();
            let read = |id: TargetId| async move { halo.full_assets_of(&id, Some(keep)).await }.boxed();
            let its = together(partners, read).await?;
            let mut found = its.map(form);
            for id in elsewhere(linked, found.records.iter().map(|one| one.id.as_str())) {
                found.records.extend(halo.asset(&id).await?.map(form));
            }
            return Ok((found.packed(), false));
        }
    }
    let say = |done: u64, of: Option<u64>| progress("Halo assets", done, of);
    let stack = Stack::default();
    let all = assets::read(halo, known, Some(&keep), &|asset| stack.lay(&form(asset)), &say).await?;
    Ok((all.from(stack), true))
}

fn kinds(settings: &Settings, known: &Definitions, targets: &Targets, mapping: &Mapping) -> Kinds {
    let label_of = |id: &TargetId| targets.iter().find(|(_, field)| field.id == *id).map(|(label, _)| *label);
    let types = known.types.iter().map(|one| {
        let fields = one.fields.iter().filter_map(label_of).collect();
        (folded(&one.name), KindOfRecord { id: one.id.clone(), name: one.name.to_string(), fields })
    });
    let group = settings.default_group_for_new_asset_types.trim();
    let found =
        known.groups.iter().find(|one| folded(&one.name) == folded(group) || one.id.as_str() == group);
    let new_fields: Vec<_> =
        mapping.new_fields.iter().map(|field| (FieldName::own(&field.name), field.kind)).collect();
    let created = settings.field_mappings.iter().filter(|row| row.create);
    let given = created
        .filter_map(|row| targets.named(&row.target).ok().map(|(label, _)| *label))
        .chain(new_fields.iter().map(|(label, _)| *label))
        .collect();
    Kinds {
        types: types.collect(),
        group: (!group.is_empty()).then(|| {
            found.map(|one| (one.id.clone(), one.name.to_string())).ok_or_else(|| {
                format!(
                    "Halo has no asset group '{group}', which default_group_for_new_asset_types names (L12)"
                )
            })
        }),
        most_new: settings.max_new_asset_types,
        new_fields,
        given,
        mapped: mapping.targets().collect(),
        filled: mapping.filled().collect(),
    }
}
