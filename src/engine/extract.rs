//! Both sides, read into a snapshot. Only reads; what could not be proven complete is marked so, never guessed.

pub mod halo;
mod hudu;
mod liongard;
mod marketplace;
mod push;

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::connect::{Connections, Other};
use super::customers::SourceParty;
use super::planning::Links;
use crate::api::listing::{Certificate, Listing};
use crate::model::{Entity, Found, Integration, Moment, Place, Problem, SourceId, TargetId, marker};
use crate::plan::snapshot::Completeness;
use crate::plan::{Absence, Only, Snapshot};

/// Up to so many customers, the records of each are read by themselves.
const FEW: usize = 20;
/// Attempts of the very first calls of a reading.
const FIRST_CONTACT: u32 = 5;

/// What was read for a plan.
pub struct Read {
    pub snapshot: Snapshot,
    pub account: String,
    /// `place -> identity` of both sides (V10).
    pub fingerprints: BTreeMap<String, String>,
    pub at: Moment,
    /// Sentences for a person, beside what the planner finds.
    pub alerts: Vec<String>,
    /// What a person should read, and what is no cause for concern.
    pub notes: Vec<String>,
    /// Entities that cannot be planned for a reason of their own, and why; the others go on (H5, H8).
    pub blocked: BTreeMap<Entity, String>,
    /// Requests this reading made.
    pub requests: BTreeMap<Place, u64>,
}

/// Tells how far a listing is: what, how many, of how many if known.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, Option<u64>) + Send + Sync);

/// The customers of both sides, as the mapping table needs them.
pub struct Both {
    pub source: Vec<(SourceId, SourceParty)>,
    pub target: Vec<Found>,
    /// Why a listing proves nothing.
    pub incomplete: Vec<String>,
}

/// Reads what a plan of these entities needs.
pub async fn read(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    entities: &[Entity],
    only: Option<Only>,
    progress: Progress<'_>,
) -> Result<Read, Problem> {
    let places = [Place::Halo, Place::Of(integration)];
    let before = places.map(|place| engine.budget(place).sent());
    let mut read = match &with.other {
        Other::Market(market) => {
            marketplace::read(engine, with, market, integration, entities, only.as_ref(), progress).await?
        }
        Other::Hudu(desk) => hudu::read(engine, with, desk, entities, progress).await?,
        Other::Here => return Err(no_pairs(integration)),
        Other::Liongard(desk) => {
            liongard::read(engine, with, desk, entities, only.as_ref(), progress).await?
        }
    };
    read.snapshot.only = only;
    let snapshot = &read.snapshot;
    let partners = snapshot.partners.iter().map(|one| (one.marker.as_deref(), one.id.as_str()));
    read.alerts.extend(doubles(integration, integration.root(), partners));
    for (entity, lines) in &snapshot.lines {
        read.alerts.extend(doubles(
            integration,
            *entity,
            lines.found.iter().map(|one| (one.marker(), one.id())),
        ));
    }
    read.requests = places
        .into_iter()
        .zip(before)
        .map(|(place, before)| (place, engine.budget(place).sent() - before))
        .collect();
    Ok(read)
}

/// Reads the customers of both sides.
pub async fn customers(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    progress: Progress<'_>,
) -> Result<Both, Problem> {
    match &with.other {
        Other::Market(market) => marketplace::customers(engine, with, market, integration, progress).await,
        Other::Hudu(desk) => hudu::customers(with, desk, progress).await,
        Other::Here => Err(no_pairs(integration)),
        Other::Liongard(desk) => liongard::customers(engine, with, &desk.liongard, progress).await,
    }
}

/// Looks absent records up one by one, for a scheduled plan (decisions 2, 34). `absent` are pairs of a record and its
/// customer.
pub async fn confirm(
    engine: &Engine,
    with: &Connections,
    entity: Entity,
    source: Place,
    absent: Vec<(SourceId, SourceId)>,
    progress: Progress<'_>,
) -> BTreeMap<SourceId, Absence> {
    match &with.other {
        Other::Market(market) => marketplace::confirm(engine, market, source, absent, progress).await,
        Other::Hudu(_) => hudu::confirm(with, entity, absent, progress).await,
        // Nothing of the workspace is removed for being absent.
        Other::Here => BTreeMap::new(),
        Other::Liongard(desk) => liongard::confirm(engine, &desk.liongard, absent, progress).await,
    }
}

/// The workspace pairs nothing by a mapping table.
fn no_pairs(integration: Integration) -> Problem {
    Problem::new(crate::model::Class::Input, format!("{} has no mapping table: Halo feeds it.", integration.label()))
        .remedy("`parhelion plan lifecycle` shows which companies come in; `parhelion lifecycle companies list` those here.")
}

/// Target records with one marker (invariant 5): never billed on in silence, and never removed by us.
fn doubles<'a>(
    integration: Integration,
    entity: Entity,
    found: impl Iterator<Item = (Option<&'a str>, &'a str)>,
) -> Vec<String> {
    let mark = |(mark, id): (Option<&'a str>, &'a str)| Some((mark?.trim(), id));
    let mut marked: Vec<_> = found.filter_map(mark).filter(|(mark, _)| marker::is_marker(mark)).collect();
    marked.sort_by_key(|(mark, _)| *mark);
    let (record, there) = (entity.record(), integration.target(entity).label());
    marked
        .chunk_by(|(a, _), (b, _)| a == b)
        .filter(|same| same.len() > 1)
        .map(|same| {
            let ids: Vec<&str> = same.iter().map(|(_, id)| *id).collect();
            format!("{record}s {} in {there} carry one marker: look at them and keep one", ids.join(" and "))
        })
        .collect()
}

/// The licences of a few mapped customers, and those that are linked and lie elsewhere. `None` where all of Halo's are to
/// be read: nothing is narrowed, or a customer that is not mapped yet may turn out to be any of Halo's.
async fn licences_of(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    only: Option<&Only>,
) -> Result<Option<Listing<Found>>, Problem> {
    let Some(only) = only.filter(|only| only.customers.len() <= FEW) else { return Ok(None) };
    let mut mapped = BTreeSet::new();
    for customer in &only.customers {
        match engine.book.link(integration, integration.root(), customer)? {
            Some(link) => drop(mapped.insert(link.target)),
            None => return Ok(None),
        }
    }
    let mut whole = Listing::whole(Vec::new(), Vec::new(), None);
    for customer in mapped {
        let its = with.halo.licences_of(&customer).await?;
        whole.problems.extend(its.problems);
        if !its.certificate.complete {
            whole.certificate = its.certificate;
        }
        whole.records.extend(its.records);
    }
    let there: BTreeSet<TargetId> = whole.records.iter().map(|found| found.id.clone()).collect();
    let mut links = Links::new(engine, integration, Entity::Subscriptions);
    let elsewhere: Vec<TargetId> = links
        .by_ref()
        .filter(|(_, link)| link.parent.as_ref().is_some_and(|parent| only.customers.contains(parent)))
        .map(|(_, link)| link.target)
        .filter(|target| !there.contains(target))
        .collect();
    links.end()?;
    for id in elsewhere {
        whole.records.extend(with.halo.licence(&id).await?);
    }
    Ok(Some(whole))
}

/// Whether a plan is about this customer.
fn concerns(only: Option<&Only>, customer: &SourceId) -> bool {
    only.is_none_or(|only| only.customers.contains(customer))
}

fn completeness(certificate: &Certificate) -> Completeness {
    Completeness(match &certificate.why_not {
        None => Ok(()),
        Some(why) => Err(why.clone()),
    })
}

/// The newest ids the target had when this was read.
pub fn newest(integration: Integration, snapshot: &Snapshot) -> BTreeMap<Entity, i64> {
    let partners = snapshot.partners.iter().filter_map(|found| found.id.number()).max();
    let mut newest = BTreeMap::from([(integration.root(), partners.unwrap_or(0))]);
    newest.extend(snapshot.lines.iter().map(|(entity, lines)| {
        let top = lines.found.iter().filter_map(|found| found.id().parse().ok()).max();
        (*entity, top.unwrap_or(0))
    }));
    newest
}
