//! What several readings need of Halo: customers with what tells them apart, and where new ones go.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::api::halo::{Halo, Site};
use crate::engine::Engine;
use crate::engine::customers::HaloCard;
use crate::engine::keys;
use crate::matching::exact_form;
use crate::model::{
    Address, Decision, FieldName, Found, Integration, Link, Problem, SourceId, TargetId, Value, Verdict,
    Wanted,
};
use crate::plan::{Only, TopLevel};

use super::{Progress, concerns};

/// Details of Halo customers that one plan reads at most, to tell look-alikes by VAT number or mail domain.
const CARDS: usize = 250;
/// How long such details are believed.
const CARD_DAYS: i64 = 14;

/// Sites with their addresses.
type Sites = BTreeMap<TargetId, Address>;

/// Adds to Halo's customers what a plan of customers compares: addresses where they follow the source, and the keys of
/// those that may be look-alikes. Answers the addresses of chosen sites (P18) and a sentence for a person.
pub async fn detail(
    engine: &Engine,
    halo: &Halo,
    integration: Integration,
    source: &[Wanted],
    customers: &mut [Found],
    only: Option<&Only>,
    progress: Progress<'_>,
) -> Result<(Sites, Option<String>), Problem> {
    let mut sites = Sites::new();
    let links: Vec<(SourceId, Link)> = engine.book.links(integration, integration.root())?;
    let decisions = engine.book.decisions(integration)?;
    if engine.settings().of(integration).update_main_site_address {
        // Also of those that this plan will link by name: or the next plan would find something to do.
        let names: HashSet<_> =
            source.iter().filter(|c| concerns(only, &c.id)).map(|c| exact_form(&c.name)).collect();
        let linked: HashSet<_> =
            links.iter().filter(|(id, _)| concerns(only, id)).map(|(_, link)| &link.target).collect();
        let concerned = |c: &&Found| linked.contains(&c.id) || names.contains(&exact_form(&c.name));
        let concerned = customers.iter().filter(concerned).map(|c| c.id.clone()).collect();
        let chosen =
            links.iter().filter_map(|(_, link)| Some((&link.site.as_ref()?.id, &link.target))).collect();
        sites = addresses(halo, &concerned, &chosen, customers, progress).await?;
    }
    let linked: HashSet<_> = links.iter().map(|(id, _)| id).collect();
    let undecided = |c: &Wanted| {
        let decided = matches!(decisions.get(&c.id), Some(Decision::New | Decision::Exclude { .. }));
        concerns(only, &c.id) && c.verdict == Verdict::Take && !linked.contains(&c.id) && !decided
    };
    if !source.iter().any(undecided) {
        return Ok((sites, None));
    }
    let taken: HashSet<_> = links.iter().map(|(_, link)| link.target.clone()).collect();
    Ok((sites, cards(engine, halo, &taken, customers, progress).await?))
}

/// The main sites' addresses of these customers (K9). A customer with one active site has that as its main site;
/// where there are more, its details name it. Answers the chosen sites' addresses (P18).
async fn addresses(
    halo: &Halo,
    concerned: &HashSet<TargetId>,
    chosen: &HashSet<(&TargetId, &TargetId)>,
    customers: &mut [Found],
    progress: Progress<'_>,
) -> Result<Sites, Problem> {
    let sites = halo.sites(&|done, of| progress("Halo sites", done, of)).await?;
    let mut of_customer: HashMap<&TargetId, Vec<_>> = HashMap::new();
    for site in sites.records.iter().filter(|s| s.is_active) {
        of_customer.entry(&site.customer).or_default().push(site);
    }
    for customer in customers.iter_mut().filter(|c| concerned.contains(&c.id)) {
        let its = of_customer.get(&customer.id).map_or(&[][..], Vec::as_slice);
        let main = match its {
            [only] => Some(only.id.clone()),
            [] => None,
            _ => halo.customer(&customer.id).await?.and_then(|details| details.main_site),
        };
        customer.main_site.clone_from(&main);
        if let Some(site) = main.and_then(|main| its.iter().find(|s| s.id == main)) {
            customer.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(site.address.clone())));
        }
    }
    // Only of its own partner: a site that was moved to another customer is not this one's any more.
    let is_chosen = |site: &&Site| site.is_active && chosen.contains(&(&site.id, &site.customer));
    Ok(sites.records.iter().filter(is_chosen).map(|site| (site.id.clone(), site.address.clone())).collect())
}

/// VAT numbers and mail domains of Halo's unlinked customers, which its list leaves out. Read once, believed for a
/// while, at most so many a plan; what stays unread is said.
async fn cards(
    engine: &Engine,
    halo: &Halo,
    taken: &HashSet<TargetId>,
    customers: &mut [Found],
    progress: Progress<'_>,
) -> Result<Option<String>, Problem> {
    let now = engine.world.now();
    let mut unread = Vec::new();
    for (at, customer) in customers.iter_mut().enumerate() {
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
        let Some(customer) = customers.get_mut(at) else { continue };
        if let Some(details) = halo.customer(&customer.id).await? {
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
