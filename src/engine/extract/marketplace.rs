//! ALSO and Westcoast Cloud against Halo: customers, and the subscriptions of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use futures_util::stream;

use super::{
    Both, FIRST_CONTACT, Progress, Read, completeness, concerns, halo, licences_of, narrowness, partners_of,
};
use crate::api::call::Retry;
use crate::api::listing::Listing;
use crate::api::marketplace::{LookUp, Marketplace};
use crate::engine::Engine;
use crate::engine::connect::Connections;
use crate::engine::customers::SourceParty;
use crate::integrations::marketplace as rules;
use crate::model::marketplace::SourceCompany;
use crate::model::pile::Gathered;
use crate::model::settings::Marketplace as Settings;
use crate::model::{
    Class, Decision, Entity, Found, Integration, PackedList, Place, Problem, SourceId, Stack, Verdict, Wanted,
};
use crate::plan::{Absence, Completeness, Lines, Only, Reading, Snapshot};

/// Reads what a plan of these entities needs.
pub async fn read(
    engine: &Engine,
    with: &Connections,
    market: &Marketplace,
    integration: Integration,
    entities: &[Entity],
    only: Option<&Only>,
    progress: Progress<'_>,
) -> Result<Read, Problem> {
    let all_settings = engine.settings();
    let Some(settings) = all_settings.marketplace(integration) else {
        return Err(Problem::new(Class::Input, format!("{} is no marketplace.", integration.label())));
    };
    let at = engine.world.now();

    // Who is on either side comes first: it signs in, and a wrong password ends the reading before any listing.
    // A host that is not there is said within seconds; one that fails later is given more patience.
    let hasty = Retry { attempts: FIRST_CONTACT, ..Retry::default() };
    let (first_market, first_halo) =
        (market.clone().with_retry(hasty), (*with.halo).clone().with_retry(hasty));
    let (reseller, instance) =
        futures_util::future::join(first_market.reseller(), first_halo.fingerprint()).await;
    let fingerprints = BTreeMap::from([
        (integration.key().to_owned(), format!("{}#{}", with.account, reseller?.id)),
        (Place::Halo.key().to_owned(), instance?),
    ]);

    let (companies, customers, tops) = sides(with, market, integration, progress).await?;
    let mut alerts: Vec<String> =
        companies.problems.iter().chain(&customers.problems).map(ToString::to_string).collect();
    alerts.extend(rival(with, integration).await);
    engine.remember_top_levels(&tops)?;
    let mut snapshot = Snapshot {
        customers_complete: completeness(&companies.certificate),
        partners_complete: completeness(&customers.certificate),
        top_level: halo::top_level(&settings.top_level_for_new_customers, &tops),
        currency: crate::model::Currency::new(&all_settings.halo.currency),
        customers: companies.records.iter().map(|one| rules::wanted_customer(one, settings)).collect(),
        partners: customers.records,
        ..Snapshot::default()
    };
    snapshot.customers.sort_by(|a, b| a.id.cmp(&b.id));
    snapshot.partners.sort_by(|a, b| a.id.cmp(&b.id));
    let parties: Vec<_> = companies.records.iter().map(party).collect();
    let doubts = snapshot.doubts();
    engine.remember_parties(integration, &parties, &snapshot.partners, &doubts, at)?;
    drop(companies.records);
    if let Some(only) = only {
        known(engine, integration, &snapshot, only)?;
    }

    if entities.contains(&Entity::Customers) {
        let Snapshot { customers, partners, .. } = &mut snapshot;
        let (sites, unread) =
            halo::detail(engine, &with.halo, integration, customers, partners, only, progress).await?;
        snapshot.sites = sites;
        alerts.extend(unread);
    }

    let mut notes = Vec::new();
    if entities.contains(&Entity::Subscriptions) {
        let decisions = engine.book.decisions(integration)?;
        let mut ask: BTreeSet<SourceId> = snapshot
            .customers
            .iter()
            .filter(|c| !matches!(c.verdict, Verdict::Ended(_)))
            .map(|c| c.id.clone())
            .collect();
        ask.extend(engine.book.links(integration, Entity::Customers)?.into_iter().map(|(id, _)| id));
        ask.retain(|id| concerns(only, id) && !matches!(decisions.get(id), Some(Decision::Exclude { .. })));
        let (subscriptions, licences) = futures_util::future::join(
            subscriptions(engine, market, integration, settings, ask, progress),
            async {
                if let Some(its) = licences_of(engine, with, integration, only).await? {
                    return Ok::<_, Problem>(its.packed());
                }
                let say = |done: u64, of: Option<u64>| progress("Halo licences", done, of);
                let stack = Stack::default();
                Ok(with.halo.licences(&|one| stack.lay(&one), &say).await?.from(stack))
            },
        )
        .await;
        let (wanted, read, problems) = subscriptions?;
        let licences = licences?;
        if only.is_some() {
            let here = format!("{} subscriptions", integration.label());
            notes.push(match partners_of(engine, integration, only)? {
                Some(_) => narrowness(&[&here, "Halo licences"], &["customers of both sides"]),
                None => narrowness(
                    &[&here],
                    &["customers of both sides", "Halo licences (one of the customers is not mapped)"],
                ),
            });
        }
        alerts.extend(problems);
        alerts.extend(licences.problems.iter().map(ToString::to_string));
        let lines = Lines {
            wanted,
            read: Reading::Each(read),
            found_complete: completeness(&licences.certificate),
            found: licences.records,
            absences: BTreeMap::new(),
            ..Lines::default()
        };
        snapshot.lines.insert(Entity::Subscriptions, lines);
    }
    Ok(Read {
        snapshot,
        account: with.account.clone(),
        fingerprints,
        at,
        alerts,
        blocked: BTreeMap::new(),
        notes,
        requests: BTreeMap::new(),
    })
}

/// A customer that nobody knows is a mistyped one.
fn known(engine: &Engine, integration: Integration, snapshot: &Snapshot, only: &Only) -> Result<(), Problem> {
    for id in &only.customers {
        let listed = snapshot.customers.binary_search_by(|customer| customer.id.cmp(id)).is_ok();
        if !listed && engine.book.link(integration, integration.root(), id)?.is_none() {
            return Err(Problem::new(Class::Input, format!("{} has no customer {id}.", integration.label()))
                .remedy("`parhelion map list` shows the ids."));
        }
    }
    Ok(())
}

type Sides = (Listing<SourceCompany>, Listing<Found>, Vec<crate::api::halo::TopLevel>);

async fn sides(
    with: &Connections,
    market: &Marketplace,
    integration: Integration,
    progress: Progress<'_>,
) -> Result<Sides, Problem> {
    let label = integration.label();
    let (companies, customers, tops) = futures_util::future::join3(
        market.companies(&|done, of| progress(&format!("{label} customers"), done, of)),
        with.halo.customers(&|done, of| progress("Halo customers", done, of)),
        with.halo.top_levels(),
    )
    .await;
    Ok((companies?, customers?, tops?))
}

/// The customers of both sides, for the mapping table.
pub async fn customers(
    engine: &Engine,
    with: &Connections,
    market: &Marketplace,
    integration: Integration,
    progress: Progress<'_>,
) -> Result<Both, Problem> {
    let (companies, customers, tops) = sides(with, market, integration, progress).await?;
    engine.remember_top_levels(&tops)?;
    Ok(Both {
        source: companies.records.iter().map(party).collect(),
        target: customers.records,
        incomplete: [companies.certificate, customers.certificate]
            .into_iter()
            .filter_map(|certificate| certificate.why_not)
            .collect(),
    })
}

fn party(company: &SourceCompany) -> (SourceId, SourceParty) {
    let party = SourceParty {
        name: company.name.clone(),
        place: company.address.city.clone(),
        domain: company.domains.first().cloned().unwrap_or_default(),
        ended: company.state.eq_ignore_ascii_case("terminated"),
        vat: company.vat.clone().unwrap_or_default(),
        postcode: company.address.postcode.clone(),
        more_domains: company.domains.iter().skip(1).cloned().collect(),
    };
    (company.id.clone(), party)
}

/// Looks the absent subscriptions up one by one, for a scheduled plan (decisions 2, 34).
pub async fn confirm(
    engine: &Engine,
    market: &Marketplace,
    place: Place,
    absent: Vec<(SourceId, SourceId)>,
    progress: Progress<'_>,
) -> BTreeMap<SourceId, Absence> {
    let of = absent.len() as u64;
    let done = AtomicU64::new(0);
    let at_once = engine.settings().pace(place).at_once.max(1) as usize;
    stream::iter(absent)
        .map(|(id, customer)| {
            let done = &done;
            async move {
                let found = market.look_up_subscription(&id, &customer).await;
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

type Subscriptions = (PackedList<Wanted>, BTreeMap<SourceId, Completeness>, Vec<String>);

/// Every customer's subscriptions. One customer that fails takes nobody else with it (P8); a refused sign-in ends it all.
async fn subscriptions(
    engine: &Engine,
    market: &Marketplace,
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
            let answer = market.subscriptions(&customer).await;
            (customer, answer)
        })
        .buffer_unordered(at_once);
    let (mut read, mut problems, mut done) = (BTreeMap::new(), Vec::new(), 0);
    let mut wanted = Gathered::default();
    let mut seen: HashMap<SourceId, SourceId> = HashMap::new();
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
                    wanted.push(&rules::wanted_subscription(subscription, settings));
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
    Ok((wanted.sorted(), read, problems))
}

/// Halo's own integrator for the same source would write against us (apis/halopsa.md 10). Who may not read the list of
/// modules is not told; that is no reason to stop.
async fn rival(with: &Connections, integration: Integration) -> Option<String> {
    let features = with.halo.features().await.ok()?;
    let rival = features.into_iter().find(|feature| {
        let mut words = feature.name.split(|c: char| !c.is_alphanumeric()).map(str::to_ascii_lowercase);
        feature.integrator_on && words.any(|w| w == integration.key())
    })?;
    Some(format!(
        "Halo's own integrator '{}' is on: two programs would write the same records. Switch one of them off.",
        rival.name
    ))
}
