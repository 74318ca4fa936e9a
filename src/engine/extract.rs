//! Both sides, read into a snapshot. Only reads; what could not be proven complete is marked so, never guessed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use futures_util::stream;

use super::Engine;
use super::connect::Connections;
use super::customers::HaloCard;
use super::keys;
use super::planning::Links;
use crate::api::call::Retry;
use crate::api::listing::{Certificate, Listing};
use crate::api::marketplace::LookUp;
use crate::integrations::marketplace as rules;
use crate::matching::exact_form;
use crate::model::settings::Marketplace as Settings;
use crate::model::{
    Class, Decision, Entity, FieldName, Found, Integration, Link, Moment, Place, Problem, SourceId, TargetId,
    Value, Verdict, marker,
};
use crate::plan::snapshot::Completeness;
use crate::plan::{Absence, Only, Snapshot, TopLevel};

/// Details of Halo customers that one plan reads at most, to tell look-alikes by VAT number or mail domain.
const CARDS: usize = 250;
/// Up to so many customers, their licences are read by themselves.
const FEW: usize = 20;
/// How long such details are believed.
const CARD_DAYS: i64 = 14;

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
    /// Requests this reading made.
    pub requests: BTreeMap<Place, u64>,
}

/// Tells how far a listing is: what, how many, of how many if known.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, Option<u64>) + Send + Sync);

/// Reads what a plan of these entities needs.
pub async fn read(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    entities: &[Entity],
    only: Option<Only>,
    progress: Progress<'_>,
) -> Result<Read, Problem> {
    let all_settings = engine.settings();
    let settings = all_settings.marketplace(integration);
    let label = integration.label();
    let sent = |place| engine.budget(place).sent();
    let before = (sent(Place::Halo), sent(Place::Of(integration)));
    let at = engine.world.now();
    let mut alerts = Vec::new();
    let mut snapshot = Snapshot::default();

    // Who is on either side comes first: it signs in, and a wrong password ends the reading before any listing.
    // A host that is not there is said within seconds; one that fails later is given more patience.
    let hasty = Retry { attempts: FIRST_CONTACT, ..Retry::default() };
    let market = (*with.market).clone().with_retry(hasty);
    let halo = (*with.halo).clone().with_retry(hasty);
    let (reseller, instance) = futures_util::future::join(market.reseller(), halo.fingerprint()).await;
    let fingerprints = BTreeMap::from([
        (integration.key().to_owned(), format!("{}#{}", with.account, reseller?.id)),
        (Place::Halo.key().to_owned(), instance?),
    ]);

    let (companies, customers, tops) = futures_util::future::join3(
        with.market.companies(&|done, of| progress(&format!("{label} customers"), done, of)),
        with.halo.customers(&|done, of| progress("Halo customers", done, of)),
        with.halo.top_levels(),
    )
    .await;
    let (companies, customers, tops) = (companies?, customers?, tops?);
    alerts.extend(companies.problems.iter().chain(&customers.problems).map(ToString::to_string));
    alerts.extend(rival(with, integration).await);
    engine.remember_top_levels(&tops)?;
    snapshot.top_level = top_level(&settings.top_level_for_new_customers, &tops);
    snapshot.customers_complete = completeness(&companies.certificate);
    snapshot.halo_customers_complete = completeness(&customers.certificate);
    snapshot.halo_currency = crate::model::Currency::new(&all_settings.halo.currency);
    snapshot.customers =
        companies.records.iter().map(|company| rules::wanted_customer(company, settings)).collect();
    snapshot.customers.sort_by(|a, b| a.id.cmp(&b.id));
    snapshot.halo_customers = customers.records;
    snapshot.halo_customers.sort_by(|a, b| a.id.cmp(&b.id));
    engine.remember_parties(integration, &companies.records, &snapshot.halo_customers, at)?;
    drop(companies.records);

    let links = engine.book.links(integration, Entity::Customers)?;
    if let Some(only) = &only {
        let known = |id: &SourceId| {
            snapshot.customers.iter().any(|c| c.id == *id) || links.iter().any(|(linked, _)| linked == id)
        };
        if let Some(unknown) = only.customers.iter().find(|id| !known(id)) {
            return Err(Problem::new(Class::Input, format!("{label} has no customer {unknown}."))
                .remedy("`parhelion map list` shows the ids."));
        }
    }
    let concerns = |customer: &SourceId| only.as_ref().is_none_or(|only| only.customers.contains(customer));
    let decisions = engine.book.decisions(integration)?;
    if entities.contains(&Entity::Customers) {
        if settings.update_main_site_address {
            // Also of those that this plan will link by name: or the next plan would find something to do.
            let names: HashSet<_> =
                snapshot.customers.iter().filter(|c| concerns(&c.id)).map(|c| exact_form(&c.name)).collect();
            let linked: HashSet<_> =
                links.iter().filter(|(id, _)| concerns(id)).map(|(_, link)| &link.target).collect();
            let concerned = |c: &&Found| linked.contains(&c.id) || names.contains(&exact_form(&c.name));
            let concerned = snapshot.halo_customers.iter().filter(concerned).map(|c| c.id.clone()).collect();
            addresses(with, &concerned, &mut snapshot, progress).await?;
        }
        let linked: HashSet<_> = links.iter().map(|(id, _)| id).collect();
        let undecided = snapshot.customers.iter().any(|c| {
            concerns(&c.id)
                && c.verdict == Verdict::Take
                && !linked.contains(&c.id)
                && !decisions.contains_key(&c.id)
        });
        if undecided {
            let taken: HashSet<_> = links.iter().map(|(_, link)| link.target.clone()).collect();
            alerts.extend(cards(engine, with, &taken, &mut snapshot, progress).await?);
        }
    }

    if entities.contains(&Entity::Subscriptions) {
        let mut ask: BTreeSet<SourceId> = snapshot
            .customers
            .iter()
            .filter(|c| !matches!(c.verdict, Verdict::Ended(_)))
            .map(|c| c.id.clone())
            .collect();
        ask.extend(links.iter().map(|(id, _)| id.clone()));
        ask.retain(|id| concerns(id) && !matches!(decisions.get(id), Some(Decision::Exclude { .. })));
        let (subscriptions, licences) = futures_util::future::join(
            subscriptions(engine, with, integration, settings, ask, progress),
            licences(engine, with, integration, only.as_ref(), &links, progress),
        )
        .await;
        let (wanted, read, problems) = subscriptions?;
        let licences = licences?;
        alerts.extend(problems);
        alerts.extend(licences.problems.iter().map(ToString::to_string));
        snapshot.subscriptions = wanted;
        snapshot.read = read;
        snapshot.licences_complete = completeness(&licences.certificate);
        snapshot.licences = licences.records;
        snapshot.licences.sort_by(|a, b| a.id.cmp(&b.id));
    }

    snapshot.only = only;
    alerts.extend(doubles("customers", &snapshot.halo_customers));
    alerts.extend(doubles("licences", &snapshot.licences));
    let requests = BTreeMap::from([
        (Place::Halo, sent(Place::Halo) - before.0),
        (Place::Of(integration), sent(Place::Of(integration)) - before.1),
    ]);
    Ok(Read { snapshot, account: with.account.clone(), fingerprints, at, alerts, requests })
}

/// Halo's licences. For a few mapped customers only theirs are read, and those that are linked and lie elsewhere; a
/// customer that is not mapped yet may turn out to be any of Halo's.
async fn licences(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    only: Option<&Only>,
    links: &[(SourceId, Link)],
    progress: Progress<'_>,
) -> Result<Listing<Found>, Problem> {
    let all = |done, of| progress("Halo licences", done, of);
    let few = only.filter(|only| only.customers.len() <= FEW);
    let Some(only) = few else { return with.halo.licences(&all).await };
    let mapped: HashSet<&TargetId> =
        links.iter().filter(|(id, _)| only.customers.contains(id)).map(|(_, link)| &link.target).collect();
    if mapped.len() < only.customers.len() {
        return with.halo.licences(&all).await;
    }
    let mut whole = Listing::whole(Vec::new(), Vec::new(), None);
    for customer in mapped {
        let its = with.halo.licences_of(customer).await?;
        whole.problems.extend(its.problems);
        if !its.certificate.complete {
            whole.certificate = its.certificate;
        }
        whole.records.extend(its.records);
    }
    let there: HashSet<TargetId> = whole.records.iter().map(|found| found.id.clone()).collect();
    let mut linked = Links::new(engine, integration);
    let elsewhere: Vec<TargetId> = linked
        .by_ref()
        .filter(|(_, link)| link.parent.as_ref().is_some_and(|parent| only.customers.contains(parent)))
        .map(|(_, link)| link.target)
        .filter(|target| !there.contains(target))
        .collect();
    linked.end()?;
    for id in elsewhere {
        whole.records.extend(with.halo.licence(&id).await?);
    }
    Ok(whole)
}

/// Records in Halo with one marker (invariant 5): never billed on in silence, and never removed by us.
fn doubles(what: &str, found: &[Found]) -> Vec<String> {
    let mut marked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for found in found {
        if let Some(mark) = found.marker.as_deref().map(str::trim).filter(|mark| marker::is_marker(mark)) {
            marked.entry(mark).or_default().push(found.id.as_str());
        }
    }
    marked
        .into_values()
        .filter(|ids| ids.len() > 1)
        .map(|ids| {
            format!("{what} {} in Halo carry one marker: look at them and keep one", ids.join(" and "))
        })
        .collect()
}

/// Looks the absent subscriptions up one by one, for a scheduled plan (decisions 2, 34).
pub async fn confirm(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    absent: Vec<(SourceId, SourceId)>,
    progress: Progress<'_>,
) -> BTreeMap<SourceId, Absence> {
    let of = absent.len() as u64;
    let done = AtomicU64::new(0);
    let at_once = engine.settings().pace(Place::Of(integration)).at_once.max(1) as usize;
    stream::iter(absent)
        .map(|(id, customer)| {
            let done = &done;
            async move {
                let found = with.market.look_up_subscription(&id, &customer).await;
                progress("absent subscriptions", done.fetch_add(1, Ordering::Relaxed) + 1, Some(of));
                let absence = match found {
                    LookUp::Gone => Absence::Confirmed,
                    LookUp::Present(_) => {
                        Absence::Unconfirmed("the list lacks it, yet a look-up by id finds it".into())
                    }
                    LookUp::Unconfirmed(why) => Absence::Unconfirmed(why),
                };
                (id, absence)
            }
        })
        .buffer_unordered(at_once)
        .collect()
        .await
}

type Subscriptions = (Vec<crate::model::Wanted>, BTreeMap<SourceId, Completeness>, Vec<String>);

/// Every customer's subscriptions. One customer that fails takes nobody else with it (P8); a refused sign-in ends it all.
async fn subscriptions(
    engine: &Engine,
    with: &Connections,
    integration: Integration,
    settings: &Settings,
    ask: BTreeSet<SourceId>,
    progress: Progress<'_>,
) -> Result<Subscriptions, Problem> {
    let of = ask.len() as u64;
    let label = integration.label();
    let at_once = engine.settings().pace(Place::Of(integration)).at_once.max(1) as usize;
    let mut answers = stream::iter(ask)
        .map(|customer| async move {
            let answer = with.market.subscriptions(&customer).await;
            (customer, answer)
        })
        .buffer_unordered(at_once);
    let (mut wanted, mut read, mut problems, mut done) = (Vec::new(), BTreeMap::new(), Vec::new(), 0);
    let mut seen: HashMap<SourceId, SourceId> = HashMap::new();
    let pool = crate::model::text::Pool::default();
    while let Some((customer, answer)) = answers.next().await {
        done += 1;
        progress(&format!("{label} subscriptions"), done, Some(of));
        match answer {
            Ok(listing) => {
                let mut complete = completeness(&listing.certificate);
                problems.extend(listing.problems.iter().map(ToString::to_string));
                for subscription in &listing.records {
                    if let Some(other) = seen.insert(subscription.id.clone(), customer.clone()) {
                        complete = Completeness(Err(format!(
                            "subscription {} is listed for customers {other} and {customer}",
                            subscription.id
                        )));
                        continue;
                    }
                    let mut want = rules::wanted_subscription(subscription, settings);
                    want.pack(&pool);
                    wanted.push(want);
                }
                read.insert(customer, complete);
            }
            Err(problem) if problem.class == crate::model::Class::Auth && read.is_empty() => {
                return Err(problem);
            }
            Err(problem) => {
                problems.push(format!("customer {customer}: {problem}"));
                read.insert(customer, Completeness(Err(problem.message)));
            }
        }
    }
    wanted.sort_by(|a, b| a.id.cmp(&b.id));
    wanted.shrink_to_fit();
    Ok((wanted, read, problems))
}

/// The main sites' addresses of these customers (K9). A customer with one active site has that as its main site;
/// where there are more, its details name it.
async fn addresses(
    with: &Connections,
    concerned: &HashSet<TargetId>,
    snapshot: &mut Snapshot,
    progress: Progress<'_>,
) -> Result<(), Problem> {
    let sites = with.halo.sites(&|done, of| progress("Halo sites", done, of)).await?;
    let mut of_customer: HashMap<&TargetId, Vec<_>> = HashMap::new();
    for site in sites.records.iter().filter(|s| s.is_active) {
        of_customer.entry(&site.customer).or_default().push(site);
    }
    for customer in snapshot.halo_customers.iter_mut().filter(|c| concerned.contains(&c.id)) {
        let its = of_customer.get(&customer.id).map_or(&[][..], Vec::as_slice);
        let main = match its {
            [only] => Some(only.id.clone()),
            [] => None,
            _ => with.halo.customer(&customer.id).await?.and_then(|details| details.main_site),
        };
        customer.main_site.clone_from(&main);
        if let Some(site) = main.and_then(|main| its.iter().find(|s| s.id == main)) {
            customer.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(site.address.clone())));
        }
    }
    Ok(())
}

/// VAT numbers and mail domains of Halo's unlinked customers, which its list leaves out. Read once, believed for a
/// while, at most so many a plan; what stays unread is said.
async fn cards(
    engine: &Engine,
    with: &Connections,
    taken: &HashSet<TargetId>,
    snapshot: &mut Snapshot,
    progress: Progress<'_>,
) -> Result<Option<String>, Problem> {
    let now = engine.world.now();
    let mut unread = Vec::new();
    for (at, customer) in snapshot.halo_customers.iter_mut().enumerate() {
        if taken.contains(&customer.id) || !customer.is_active || !customer.keys.is_empty() {
            continue;
        }
        match engine.book.get::<HaloCard>(&keys::halo_card(&customer.id))? {
            Some(card) if card.is_fresh(&customer.name, now, CARD_DAYS) => customer.keys = card.keys,
            _ => unread.push(at),
        }
    }
    let left = unread.len().saturating_sub(CARDS);
    let of = unread.len().min(CARDS) as u64;
    for (done, at) in unread.into_iter().take(CARDS).enumerate() {
        progress("details of Halo customers", done as u64, Some(of));
        let customer = &mut snapshot.halo_customers[at];
        if let Some(details) = with.halo.customer(&customer.id).await? {
            customer.keys = details.keys;
            let card = HaloCard { name: customer.name.as_ref().into(), keys: customer.keys.clone(), at: now };
            engine.book.cache(&[keys::put(keys::halo_card(&customer.id), &card)])?;
        }
    }
    Ok((left > 0).then(|| {
        format!("{left} unmapped Halo customers were not compared by VAT number and mail domain yet; the next plans go on with them")
    }))
}

pub fn top_level(chosen: &str, tops: &[crate::api::halo::TopLevel]) -> TopLevel {
    let chosen = chosen.trim();
    if chosen.is_empty() {
        return TopLevel::Default;
    }
    tops.iter()
        .find(|top| top.name.trim() == chosen || top.id.as_str() == chosen)
        .or_else(|| tops.iter().find(|top| top.name.trim().eq_ignore_ascii_case(chosen)))
        .map_or_else(
            || TopLevel::Gone { name: chosen.to_owned() },
            |top| TopLevel::Known { id: top.id.clone(), name: top.name.to_string() },
        )
}

fn completeness(certificate: &Certificate) -> Completeness {
    Completeness(match &certificate.why_not {
        None => Ok(()),
        Some(why) => Err(why.clone()),
    })
}

/// The newest ids Halo had when this was read.
pub fn newest(snapshot: &Snapshot) -> BTreeMap<Entity, i64> {
    let top = |found: &[Found]| found.iter().filter_map(|f| f.id.number()).max().unwrap_or(0);
    BTreeMap::from([
        (Entity::Customers, top(&snapshot.halo_customers)),
        (Entity::Subscriptions, top(&snapshot.licences)),
    ])
}

/// Halo's own integrator for the same source would write against us (apis/halopsa.md 10). Who may not read the list of
/// modules is not told; that is no reason to stop.
async fn rival(with: &Connections, integration: Integration) -> Option<String> {
    let word = match integration {
        Integration::Also => "also",
        Integration::Westcoast => "westcoast",
    };
    let features = with.halo.features().await.ok()?;
    let rival = features.into_iter().find(|feature| {
        let mut words = feature.name.split(|c: char| !c.is_alphanumeric()).map(str::to_ascii_lowercase);
        feature.integrator_on && words.any(|w| w == word)
    })?;
    Some(format!(
        "Halo's own integrator '{}' is on: two programs would write the same records. Switch one of them off.",
        rival.name
    ))
}
