//! Both sides, read into a snapshot. Only reads; what could not be proven complete is marked so, never guessed.

pub mod halo;
mod hudu;
mod inspections;
mod liongard;
mod marketplace;
mod push;
mod strangers;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Engine;
use super::connect::{Connections, Other};
use super::customers::SourceParty;
use super::planning::Links;
use crate::api::listing::{Certificate, Listing};
use crate::model::{Entity, Found, Integration, Moment, Place, Problem, SourceId, TargetId, marker};
use crate::plan::snapshot::Completeness;
use crate::plan::{Absence, Only, Snapshot};

/// Up to so many customers, the records of each are read by themselves.
pub(super) const FEW: usize = 20;
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
        Other::Hudu(desk) => hudu::read(engine, with, desk, entities, only.as_ref(), progress).await?,
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

/// The customers that a plan is narrowed to, if they are few enough to be read one by one.
fn few(only: Option<&Only>) -> Option<&BTreeSet<SourceId>> {
    only.map(|only| &only.customers).filter(|customers| customers.len() <= FEW)
}

/// The partners of those few. `None` where all of the target's records are to be read: nothing is narrowed, or a customer
/// that is not mapped yet may turn out to be any of the target's.
fn partners_of(
    engine: &Engine,
    integration: Integration,
    only: Option<&Only>,
) -> Result<Option<BTreeSet<TargetId>>, Problem> {
    let Some(customers) = few(only) else { return Ok(None) };
    let mut partners = BTreeSet::new();
    for customer in customers {
        match engine.book.link(integration, integration.root(), customer)? {
            Some(link) => drop(partners.insert(link.target)),
            None => return Ok(None),
        }
    }
    Ok(Some(partners))
}

/// Lists of one customer each as one.
async fn together<'a, T>(
    customers: impl IntoIterator<Item = TargetId>,
    read: impl Fn(TargetId) -> BoxFuture<'a, Result<Listing<T>, Problem>>,
) -> Result<Listing<T>, Problem> {
    let mut all = Listing::whole(Vec::new(), Vec::new(), None);
    for customer in customers {
        let its = read(customer).await?;
        all.problems.extend(its.problems);
        if !its.certificate.complete {
            all.certificate = its.certificate;
        }
        all.records.extend(its.records);
    }
    all.certificate.seen = all.records.len() as u64;
    Ok(all)
}

/// The links of an entity's records that a narrow plan is about.
fn links_within(
    engine: &Engine,
    integration: Integration,
    entity: Entity,
    only: &Only,
) -> Result<BTreeMap<SourceId, TargetId>, Problem> {
    let mut links = Links::new(engine, integration, entity);
    let within = links
        .by_ref()
        .filter(|(_, link)| link.parent.as_ref().is_some_and(|parent| only.customers.contains(parent)))
        .map(|(id, link)| (id, link.target))
        .collect();
    links.end()?;
    Ok(within)
}

/// Linked records that a list of their customers' lacks: they lie elsewhere, or are gone.
fn elsewhere<'a>(links: BTreeMap<SourceId, TargetId>, there: impl Iterator<Item = &'a str>) -> Vec<TargetId> {
    let there: BTreeSet<&str> = there.collect();
    links.into_values().filter(|target| !there.contains(target.as_str())).collect()
}

/// The licences of a few mapped customers, and those that are linked and lie elsewhere; `None`: see [`partners_of`].
async fn licences_of(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    only: Option<&Only>,
) -> Result<Option<Listing<Found>>, Problem> {
    let (Some(only), Some(partners)) = (only, partners_of(engine, integration, only)?) else {
        return Ok(None);
    };
    let halo = &with.halo;
    let mut its = together(partners, |id| async move { halo.licences_of(&id).await }.boxed()).await?;
    let linked = links_within(engine, integration, Entity::Subscriptions, only)?;
    for id in elsewhere(linked, its.records.iter().map(|found| found.id.as_str())) {
        its.records.extend(with.halo.licence(&id).await?);
    }
    Ok(Some(its))
}

/// What a narrow plan did not read in full, and what it did, for whoever looks at it (P56).
fn narrowness(narrow: &[&str], whole: &[&str]) -> String {
    let mut said = match narrow {
        [] => String::new(),
        _ => format!("Read for these customers alone: {}.", narrow.join(", ")),
    };
    if !whole.is_empty() {
        let space = if said.is_empty() { "" } else { " " };
        said.push_str(&format!("{space}Read in full: {}.", whole.join(", ")));
    }
    said
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
