//! Halo against Hudu: customers as companies; sites, contracts and users as assets of theirs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures_util::FutureExt;

use super::{
    Both, FIRST_CONTACT, Progress, Read, completeness, elsewhere, few, links_within, narrowness, partners_of,
    together,
};
use crate::api::call::Retry;
use crate::api::halo::{Site, User};
use crate::api::listing::{Listing, PackedListing};
use crate::engine::Engine;
use crate::engine::connect::Connections;
use crate::engine::customers::SourceParty;
use crate::engine::hudu::HuduDesk;
use crate::engine::keys;
use crate::integrations::hudu::{self as rules, Form, Known};
use crate::model::asset::Asset as HaloAsset;
use crate::model::pile::Gathered;
use crate::model::{
    Class, Entity, FieldName, Fields, Found, Integration, Link, Packed, PackedList, Place, Problem, SourceId,
    TargetId, Value, Verdict, Wanted,
};
use crate::plan::snapshot::Changed;
use crate::plan::{Absence, Lines, Only, Reading, Snapshot};

const HUDU: Integration = Integration::Hudu;
/// Matched companies that Hudu does not list, and that one plan looks at one by one.
const LOOKS: usize = 250;

/// Reads what a plan of these entities needs. An entity that cannot be read or written for a reason of its own is
/// blocked; the others go on (H5, H8).
pub async fn read(
    engine: &Engine,
    with: &Connections,
    desk: &HuduDesk,
    entities: &[Entity],
    only: Option<&Only>,
    progress: Progress<'_>,
) -> Result<Read, Problem> {
    let settings = engine.settings();
    let at = engine.world.now();
    // A wrong key or address on either side is said before any listing.
    let hasty = Retry { attempts: FIRST_CONTACT, ..Retry::default() };
    let (first_hudu, first_halo) =
        (desk.hudu.clone().with_retry(hasty), (*with.halo).clone().with_retry(hasty));
    let (version, instance) =
        futures_util::future::join(first_hudu.version(), first_halo.fingerprint()).await;
    tracing::info!(version = version?, "Hudu");
    // The agent may be another one than at the last test (H4); most agents may not see it, which stops nothing.
    if let Ok(Some(application)) = first_halo.application(&settings.halo.client_id).await {
        engine.note_agent(&settings.halo.client_id, application).await?;
    }
    let fingerprints = BTreeMap::from([
        (HUDU.key().to_owned(), with.account.clone()),
        (Place::Halo.key().to_owned(), instance?),
    ]);

    let (customers, companies) = sides(with, desk, progress).await?;
    let mut alerts: Vec<String> =
        customers.problems.iter().chain(&companies.problems).map(ToString::to_string).collect();
    let halo = &with.halo;
    let some: Option<Vec<TargetId>> =
        few(only).map(|some| some.iter().map(|id| TargetId::new(id.as_str())).collect());
    let sites = match some.clone() {
        Some(some) => together(some, |id| async move { halo.sites_of(&id).await }.boxed()).await?,
        None => halo.sites(&|done, of| progress("Halo sites", done, of)).await?,
    };
    alerts.extend(sites.problems.iter().map(ToString::to_string));
    let parties: Vec<_> = customers.records.iter().map(party).collect();
    let doubts: Vec<String> = [&customers.certificate, &companies.certificate]
        .into_iter()
        .filter_map(|certificate| certificate.why_not.clone())
        .collect();
    engine.remember_parties(HUDU, &parties, &companies.records, &doubts, at)?;

    let links = engine.book.links(HUDU, Entity::Companies)?;
    let mut partners = companies.records;
    let listed: HashSet<_> = partners.iter().map(|found| found.id.clone()).collect();
    let unlisted: Vec<TargetId> = links
        .iter()
        .map(|(_, link)| link.target.clone())
        .filter(|id| !listed.contains(id))
        .take(LOOKS)
        .collect();
    // Archived ones, unless they are gone.
    for id in unlisted {
        partners.extend(desk.record(Entity::Companies, &id).await?);
    }
    let mut snapshot = Snapshot {
        customers_complete: completeness(&customers.certificate),
        partners_complete: completeness(&companies.certificate),
        customers: wanted_companies(&customers.records, &sites, &settings.hudu.company_key_field),
        partners,
        ..Snapshot::default()
    };
    snapshot.partners.sort_by(|a, b| a.id.cmp(&b.id));
    drop(customers);

    let mut reader = Reader {
        engine,
        with,
        desk,
        halo: halo_origin(&settings.halo.resource_server),
        sites,
        planned_sites: BTreeSet::new(),
        planned_users: BTreeSet::new(),
        only,
        some,
        companies: partners_of(engine, HUDU, only)?,
        in_full: BTreeSet::new(),
        alerts,
    };
    if entities.contains(&Entity::Relations) {
        desk.expect_relations();
    }
    let mut blocked = BTreeMap::new();
    for entity in entities.iter().copied().filter(|entity| *entity != Entity::Companies) {
        let lines = match entity {
            Entity::CompanyUrls => urls(&mut reader, &snapshot, &links, progress).await,
            Entity::Assets => reader.assets(progress).await,
            Entity::Relations => reader.relations(progress).await,
            _ => reader.lines(entity, progress).await,
        };
        match lines {
            Ok(lines) => drop(snapshot.lines.insert(entity, lines)),
            Err(problem) if matches!(problem.class, Class::Auth | Class::Input) => {
                blocked.insert(entity, problem.to_string());
            }
            Err(problem) => return Err(problem),
        }
    }
    let narrow = only.map(|_| reader.narrowness(snapshot.lines.keys().copied()));
    let Reader { mut alerts, .. } = reader;
    let is_first = engine.book.last(HUDU)?.seen.is_empty();
    let mut notes = if is_first { rules::before_the_first_run(&settings.hudu).into() } else { Vec::new() };
    notes.extend(narrow);
    if links.is_empty() && entities.iter().any(|entity| *entity != Entity::Companies) {
        alerts.push(
            "No company is matched yet, so nothing of any is written (H11): match them, or let them be created, first."
                .into(),
        );
    }
    Ok(Read {
        snapshot,
        account: with.account.clone(),
        fingerprints,
        at,
        alerts,
        blocked,
        notes,
        requests: BTreeMap::new(),
    })
}

async fn sides(
    with: &Connections,
    desk: &HuduDesk,
    progress: Progress<'_>,
) -> Result<(Listing<Found>, Listing<Found>), Problem> {
    let (customers, companies) = futures_util::future::join(
        with.halo.customers(&|done, of| progress("Halo customers", done, of)),
        desk.companies(&|done, of| progress("Hudu companies", done, of)),
    )
    .await;
    Ok((customers?, companies?))
}

/// The companies of both sides, for the mapping table (H10).
pub async fn customers(with: &Connections, desk: &HuduDesk, progress: Progress<'_>) -> Result<Both, Problem> {
    let (customers, companies) = sides(with, desk, progress).await?;
    Ok(Both {
        source: customers.records.iter().map(party).collect(),
        target: companies.records,
        incomplete: [customers.certificate, companies.certificate]
            .into_iter()
            .filter_map(|certificate| certificate.why_not)
            .collect(),
    })
}

fn party(customer: &Found) -> (SourceId, SourceParty) {
    let mut domains = customer.keys.domains.iter().cloned();
    let party = SourceParty {
        name: customer.name.as_ref().into(),
        domain: domains.next().unwrap_or_default(),
        more_domains: domains.collect(),
        ended: !customer.is_active,
        vat: customer.keys.vat.clone().unwrap_or_default(),
        ..SourceParty::default()
    };
    (SourceId::new(customer.id.as_str()), party)
}

fn wanted_companies(customers: &[Found], sites: &Listing<Site>, key_field: &str) -> Vec<Wanted> {
    let mut of_customer: HashMap<&str, Vec<&Site>> = HashMap::new();
    for site in sites.records.iter().filter(|site| site.is_active) {
        of_customer.entry(site.customer.as_str()).or_default().push(site);
    }
    let none = Vec::new();
    let mut wanted: Vec<Wanted> = customers
        .iter()
        .map(|customer| {
            // Whether a site is the only one is known from a whole list alone.
            let its = of_customer.get(customer.id.as_str()).filter(|_| sites.certificate.complete);
            rules::wanted_company(customer, its.unwrap_or(&none), key_field)
        })
        .collect();
    wanted.sort_by(|a, b| a.id.cmp(&b.id));
    wanted
}

/// Scheme and host that people open Halo at.
fn halo_origin(resource_server: &str) -> String {
    let text = resource_server.trim().trim_end_matches('/');
    text.strip_suffix("/api").unwrap_or(text).to_owned()
}

/// What is known of records by their links.
struct Linked(HashMap<SourceId, Known>);

impl Linked {
    fn of(&self, id: &TargetId) -> Known {
        self.0.get(&SourceId::new(id.as_str())).copied().unwrap_or_default()
    }
}

struct Reader<'a> {
    engine: &'a Engine,
    with: &'a Connections,
    desk: &'a HuduDesk,
    halo: String,
    sites: Listing<Site>,
    /// Sites that this plan brings to Hudu, or that are there.
    planned_sites: BTreeSet<SourceId>,
    /// The same of users.
    planned_users: BTreeSet<SourceId>,
    only: Option<&'a Only>,
    /// The customers of Halo's that are read one by one; `None`: all are read.
    some: Option<Vec<TargetId>>,
    /// Their companies, where each has one.
    companies: Option<BTreeSet<TargetId>>,
    /// Entities whose assets were read of all companies all the same.
    in_full: BTreeSet<Entity>,
    alerts: Vec<String>,
}

impl Reader<'_> {
    /// For whoever looks at a narrow plan: what was read of its customers alone, and what of all, and why (P56).
    fn narrowness(&self, entities: impl Iterator<Item = Entity>) -> String {
        let (mut narrow, mut whole) = (Vec::new(), vec!["customers of both sides".to_owned()]);
        if self.some.is_some() { &mut narrow } else { &mut whole }
            .push("Halo sites, users and contracts".into());
        for entity in entities {
            if self.in_full.contains(&entity) {
                whole.push(format!("Hudu's {entity} (one that is not linked yet may be any of them)"));
            } else {
                narrow.push(format!("Hudu's {entity}"));
            }
        }
        let texts = |of: &[String]| of.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        narrowness(&[&texts(&narrow)], &[&texts(&whole)])
    }

    /// The assets of a few companies, and those that are linked and lie elsewhere. `None` where all are to be read: nothing
    /// is narrowed, or a record that is not linked yet may turn out to be any of them.
    async fn few_assets(
        &self,
        entity: Entity,
        wanted: &PackedList<Wanted>,
    ) -> Result<Option<PackedListing<Found>>, Problem> {
        let (Some(only), Some(companies)) = (self.only, self.companies.clone()) else { return Ok(None) };
        let linked = links_within(self.engine, HUDU, entity, only)?;
        if wanted.iter().any(|one| one.verdict == Verdict::Take && !linked.contains_key(&one.id)) {
            return Ok(None);
        }
        let mut records = Vec::new();
        for company in companies {
            records.extend(self.desk.near(entity, Some(&company), "").await?);
        }
        for id in elsewhere(linked, records.iter().map(|one| one.id.as_str())) {
            records.extend(self.desk.record(entity, &id).await?);
        }
        // Each of those lists is proven, or it is an error.
        Ok(Some(Listing::whole(records, Vec::new(), None).packed()))
    }

    /// Sites that are in Hudu, or that this plan brings there.
    fn know_sites(&mut self) -> Result<(), Problem> {
        if self.planned_sites.is_empty() {
            let planned = &mut self.planned_sites;
            self.engine.book.each_link(HUDU, Entity::Sites, |id, _| {
                planned.insert(id);
            })?;
        }
        Ok(())
    }

    /// New records that Hudu's own Halo integration keeps in another layout wait for a person.
    async fn keep_off(
        &self,
        entity: Entity,
        wanted: &mut PackedList<Wanted>,
        is_linked: impl Fn(&SourceId) -> bool,
        progress: Progress<'_>,
    ) -> Result<(), Problem> {
        let is_new = |one: &Wanted| one.verdict == Verdict::Take && !is_linked(&one.id);
        if !wanted.iter().any(|one| is_new(&one)) {
            return Ok(());
        }
        let what = "assets of Hudu's own Halo integration";
        let elsewhere = self.desk.kept_elsewhere(entity, &|done, of| progress(what, done, of)).await?;
        for at in 0..wanted.len() {
            let Some(mut one) = wanted.get(at) else { continue };
            if let Some(there) = elsewhere.get(&one.id).filter(|_| is_new(&one)) {
                one.verdict = Verdict::Hold(format!(
                    "Hudu's own Halo integration keeps it as the asset {there}: choose that layout for {entity} in the settings, or end that integration; a second asset is never made beside it"
                ));
                wanted.replace(at, &one);
            }
        }
        Ok(())
    }

    /// Halo's assets, each as an asset of the layout that its type is sorted into (P66). One that is in Hudu already takes
    /// the fields of the layout that it is in.
    async fn assets(&mut self, progress: Progress<'_>) -> Result<Lines, Problem> {
        const ME: Entity = Entity::Assets;
        self.know_sites()?;
        let settings = self.engine.settings();
        let layouts = self.desk.layouts_of(ME).await?;
        let sorting = rules::Sorting::new(&settings.hudu.asset_layouts);
        let definitions = self.with.halo.asset_definitions().await?;
        let is_asked = |name: &str| layouts.iter().any(|layout| layout.field(name).is_some());
        let keep: Vec<TargetId> = definitions
            .fields
            .iter()
            .filter(|field| is_asked(&field.name))
            .map(|field| field.id.clone())
            .collect();
        let halo = &self.with.halo;
        let listed = |done: u64, of: Option<u64>| progress("Hudu assets of Halo's assets", done, of);
        let form = |asset: &HaloAsset, linked: &HashMap<SourceId, (Known, Option<i64>)>| {
            let (known, is_in) = linked.get(&SourceId::new(asset.id.as_str())).copied().unwrap_or_default();
            let customer = asset.customer.as_ref().map_or("", TargetId::as_str);
            let ruled = sorting.layout(&asset.type_name, customer);
            let ruled = ruled
                .and_then(|name| layouts.iter().find(|layout| layout.name.trim().eq_ignore_ascii_case(name)));
            let Some(ruled) = ruled else { return rules::unsorted_asset(asset) };
            let layout = layouts.iter().find(|layout| Some(layout.id) == is_in).unwrap_or(ruled);
            let form = Form { entity: ME, layout, halo: &self.halo };
            let mut wanted = form.halo_asset(asset, |site| self.planned_sites.contains(site), known);
            if layout.id != ruled.id {
                wanted.notes.push(Arc::from(format!(
                    "it is in the layout '{}', by its type it belongs into '{}': move it in Hudu if that is right (P66)",
                    layout.name, ruled.name
                )));
            }
            wanted
        };
        let (mut wanted, certificate, problems, found) = if let Some(some) = self.some.clone() {
            let read = |id: TargetId| {
                async {
                    let id = id;
                    halo.full_assets_of(&id, Some(&keep)).await
                }
                .boxed()
            };
            let all = together(some, read).await?;
            let packed = |linked: &_| -> PackedList<Wanted> {
                all.records.iter().map(|asset| form(asset, linked)).collect()
            };
            let found = if let Some(found) = self.few_assets(ME, &packed(&self.linked(ME)?)).await? {
                found
            } else {
                self.in_full.insert(ME);
                self.desk.list(ME, &listed).await?
            };
            // What was read says which layout each is in.
            (packed(&self.linked(ME)?), all.certificate.clone(), all.problems.clone(), found)
        } else {
            self.in_full.insert(ME);
            let found = self.desk.list(ME, &listed).await?;
            let linked = self.linked(ME)?;
            let packed = |asset: HaloAsset| Packed::new(&form(&asset, &linked));
            let say = |done: u64, of: Option<u64>| progress("Halo assets", done, of);
            let all = crate::engine::assets::read(halo, &definitions, Some(&keep), &packed, &say).await?;
            (all.records.into_iter().collect(), all.certificate, all.problems, found)
        };
        let linked = self.linked(ME)?;
        self.keep_off(ME, &mut wanted, |id| linked.contains_key(id), progress).await?;
        self.alerts.extend(problems.iter().chain(&found.problems).map(ToString::to_string));
        Ok(Lines {
            wanted,
            read: Reading::Whole(completeness(&certificate)),
            found_complete: completeness(&found.certificate),
            found: found.records,
            ..Lines::default()
        })
    }

    /// Which user works at which site, of those that are in Hudu or go there by this plan.
    async fn relations(&mut self, progress: Progress<'_>) -> Result<Lines, Problem> {
        const ME: Entity = Entity::Relations;
        self.know_sites()?;
        let mut there = std::mem::take(&mut self.planned_users);
        self.engine.book.each_link(HUDU, Entity::Users, |id, _| {
            there.insert(id);
        })?;
        let halo = &self.with.halo;
        let has_site = |site: &SourceId| self.planned_sites.contains(site);
        let packed = |user: User| {
            let has_user = there.contains(&SourceId::new(user.id.as_str()));
            rules::relation(&user, has_user, has_site).as_ref().map(Packed::new)
        };
        let all: Listing<Option<Packed<Wanted>>> = match self.some.clone() {
            Some(some) => {
                together(some, |id| async move { halo.users_of(&id).await }.boxed()).await?.map(packed)
            }
            None => halo.users(&packed, &|done, of| progress("Halo users", done, of)).await?,
        };
        let found = self.desk.list(ME, &|done, of| progress("Hudu relations", done, of)).await?;
        self.in_full.insert(ME);
        self.alerts.extend(all.problems.iter().chain(&found.problems).map(ToString::to_string));
        Ok(Lines {
            wanted: all.records.into_iter().flatten().collect(),
            read: Reading::Whole(completeness(&all.certificate)),
            found_complete: completeness(&found.certificate),
            found: found.records,
            ..Lines::default()
        })
    }

    /// What is known of linked records, and the layout of each as far as it was read.
    fn linked(&self, entity: Entity) -> Result<HashMap<SourceId, (Known, Option<i64>)>, Problem> {
        let mut all = HashMap::new();
        self.engine.book.each_link(HUDU, entity, |id, link| {
            let was_archived = link.removed.as_ref().is_some_and(|removed| removed.deactivated);
            let layout = self.desk.layout_of(&link.target);
            all.insert(id, (Known { is_linked: true, was_archived }, layout));
        })?;
        Ok(all)
    }

    async fn lines(&mut self, entity: Entity, progress: Progress<'_>) -> Result<Lines, Problem> {
        if entity == Entity::Users {
            self.know_sites()?;
        }
        let settings = self.engine.settings();
        let layout = self.desk.layout(entity).await?;
        let name = settings.hudu.layout(entity).unwrap_or_default();
        let mut known: HashMap<SourceId, Known> = HashMap::new();
        self.engine.book.each_link(HUDU, entity, |id, link| {
            let was_archived = link.removed.as_ref().is_some_and(|removed| removed.deactivated);
            known.insert(id, Known { is_linked: true, was_archived });
        })?;
        let known = &Linked(known);
        let form = Form { entity, layout, halo: &self.halo };
        let mut changed = BTreeMap::new();
        // Packed one by one, and Halo's own form of each let go with it: both at once would be the peak of memory.
        let (mut wanted, certificate, problems): (PackedList<Wanted>, _, _) = match entity {
            Entity::Sites => {
                // Nobody needs them after this.
                let sites = std::mem::take(&mut self.sites.records);
                let wanted = sites.into_iter().map(|one| form.site(&one, known.of(&one.id))).collect();
                (wanted, self.sites.certificate.clone(), Vec::new())
            }
            Entity::Contracts => {
                let halo = &self.with.halo;
                let all = match self.some.clone() {
                    Some(some) => {
                        together(some, |id| async move { halo.contracts_of(&id).await }.boxed()).await?
                    }
                    None => halo.contracts(&|done, of| progress("Halo contracts", done, of)).await?,
                };
                let also = settings.hudu.inactive_contracts;
                if self.desk.dates(entity) {
                    let dated = all.records.iter().filter_map(|one| Some((one.id.as_str(), one.changed?)));
                    changed.extend(dated.map(|(id, at)| (SourceId::new(id), at)));
                }
                let wanted =
                    all.records.into_iter().map(|one| form.contract(&one, also, known.of(&one.id))).collect();
                (wanted, all.certificate, all.problems)
            }
            Entity::Users => {
                let halo = &self.with.halo;
                let has_site = |site: &SourceId| self.planned_sites.contains(site);
                let packed = |one: User| Packed::new(&form.user(&one, has_site, known.of(&one.id)));
                let all = match self.some.clone() {
                    Some(some) => {
                        let its = together(some, |id| async move { halo.users_of(&id).await }.boxed());
                        its.await?.map(packed)
                    }
                    None => halo.users(&packed, &|done, of| progress("Halo users", done, of)).await?,
                };
                (all.records.into_iter().collect(), all.certificate, all.problems)
            }
            _ => (PackedList::default(), self.sites.certificate.clone(), Vec::new()),
        };
        self.keep_off(entity, &mut wanted, |id| known.0.contains_key(id), progress).await?;
        self.alerts.extend(problems.iter().map(ToString::to_string));
        let what = format!("Hudu assets of layout '{name}'");
        let found = if let Some(found) = self.few_assets(entity, &wanted).await? {
            found
        } else {
            self.in_full.insert(entity);
            self.desk.list(entity, &|done, of| progress(&what, done, of)).await?
        };
        self.alerts.extend(found.problems.iter().map(ToString::to_string));
        if entity == Entity::Users {
            let takes = wanted.iter().filter(|one| one.verdict == Verdict::Take);
            self.planned_users.extend(takes.map(|one| one.id));
        }
        if entity == Entity::Sites {
            let takes = wanted.iter().filter(|one| one.verdict == Verdict::Take);
            self.planned_sites.extend(takes.map(|one| one.id));
        }
        Ok(Lines {
            wanted,
            read: Reading::Whole(completeness(&certificate)),
            found_complete: completeness(&found.certificate),
            found: found.records,
            changed: Changed { source: changed, target: self.desk.changed(entity) },
            ..Lines::default()
        })
    }
}

/// The address of each mapped company, and what the field for it holds in Halo (P69).
async fn urls(
    reader: &mut Reader<'_>,
    snapshot: &Snapshot,
    links: &[(SourceId, Link)],
    progress: Progress<'_>,
) -> Result<Lines, Problem> {
    let settings = reader.engine.settings();
    let name = settings.hudu.halo_url_field.trim();
    if name.is_empty() {
        return Err(Problem::new(Class::Input, "company_urls: no field of Halo's customers is chosen.")
            .remedy("Name one in hudu.halo_url_field, such as CFHuduUrl."));
    }
    let halo = &reader.with.halo;
    let field = halo.custom_field(name).await?.ok_or_else(|| {
        Problem::new(Class::Input, format!("company_urls: Halo has no field '{name}' of customers.")).remedy(
            "Make a text field of that name among Halo's custom fields of customers, or name another in hudu.halo_url_field.",
        )
    })?;
    let own = FieldName::own(&field.name);
    let mut lines = Lines { read: Reading::Whole(snapshot.partners_complete.clone()), ..Lines::default() };
    let linked: HashMap<&SourceId, &Link> = links.iter().map(|(id, link)| (id, link)).collect();
    let mut wanted: BTreeMap<SourceId, Wanted> = BTreeMap::new();
    for customer in snapshot.customers.iter().filter(|one| one.verdict == Verdict::Take) {
        let Some(url) = linked.get(&customer.id).and_then(|link| reader.desk.url_of(&link.target)) else {
            continue;
        };
        let one = Wanted {
            fields: Fields::new().with(own, Value::text(url)),
            parent: Some(customer.id.clone()),
            ..customer.clone()
        };
        wanted.insert(one.id.clone(), one);
    }
    let list =
        halo.custom_values(field.id, &|done, of| progress("own fields of Halo customers", done, of)).await?;
    lines.found_complete = completeness(&list.certificate);
    let written: HashMap<SourceId, Link> =
        reader.engine.book.links(HUDU, Entity::CompanyUrls)?.into_iter().collect();
    let mut unsaid: Vec<TargetId> = Vec::new();
    let mut found = Gathered::default();
    let mut holds = |id: &TargetId, held| found.push(&crate::engine::target::with_own_fields(id, held));
    for (id, held) in list.records {
        let source = SourceId::new(id.as_str());
        let Some(one) = wanted.get(&source) else { continue };
        // Where the list does not say: what was written there and has not changed since needs no look.
        let base =
            written.get(&source).and_then(|link| link.base.as_ref()).filter(|base| **base == one.fields);
        let ours = || base?.get(own).map(|value| value.to_string().into_boxed_str());
        match held.or_else(ours) {
            Some(held) => holds(&id, vec![(field.name.clone(), held)]),
            None => unsaid.push(id),
        }
    }
    // Each is one request: the next plan goes on after the last that this one looked at.
    unsaid.sort();
    let last: Option<TargetId> = reader.engine.book.get(&keys::looked_at())?;
    let after = last.map_or(0, |last| unsaid.partition_point(|id| *id <= last));
    unsaid.rotate_left(after);
    let left = unsaid.len().saturating_sub(LOOKS);
    for (done, id) in (1..).zip(unsaid.iter().take(LOOKS)) {
        holds(id, halo.own_fields(id).await?.unwrap_or_default());
        progress("own fields of Halo customers", done, Some(LOOKS.min(unsaid.len()) as u64));
    }
    if let Some(last) = unsaid.get(LOOKS - 1).filter(|_| left > 0) {
        reader.engine.book.cache(&[keys::put(keys::looked_at(), last)])?;
        reader.alerts.push(format!(
            "Halo's list of customers does not say what '{name}' holds, so {LOOKS} were looked at one by one; {left} others are left for the next plans."
        ));
    }
    lines.found = found.sorted();
    lines.wanted = wanted.into_values().collect();
    Ok(lines)
}

/// Looks records that Halo's lists lack up one by one, for a scheduled plan (decision 2).
pub async fn confirm(
    with: &Connections,
    entity: Entity,
    absent: Vec<(SourceId, SourceId)>,
    progress: Progress<'_>,
) -> BTreeMap<SourceId, Absence> {
    let of = absent.len() as u64;
    let mut all = BTreeMap::new();
    for (done, (id, _)) in (1..).zip(absent) {
        let target = TargetId::new(id.as_str());
        let there = match entity {
            // The user is gone, or works at another site.
            Entity::Relations => {
                let (user, site) = rules::relation_ends(&id).unwrap_or((id.clone(), id.clone()));
                let site = TargetId::new(site.as_str());
                let user = with.halo.user(&TargetId::new(user.as_str())).await;
                user.map(|user| user.is_some_and(|user| user.is_active && user.site.as_ref() == Some(&site)))
            }
            Entity::Companies => with.halo.customer(&target).await.map(|customer| customer.is_some()),
            Entity::Sites => with.halo.site(&target).await.map(|site| site.is_some()),
            Entity::Users => with.halo.has_user(&target).await,
            Entity::Assets => with.halo.asset(&target).await.map(|asset| asset.is_some()),
            _ => with.halo.has_contract(&target).await,
        };
        let absence = match there {
            Ok(false) => Absence::Confirmed,
            Ok(true) => Absence::Unconfirmed("the list lacks it, yet a look-up by id finds it".into()),
            Err(problem) => Absence::Unconfirmed(problem.message),
        };
        progress("records that are gone from Halo", done, Some(of));
        all.insert(id, absence);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halo_is_opened_at_its_own_host() {
        assert_eq!(halo_origin("https://acme.halopsa.com/api"), "https://acme.halopsa.com");
        assert_eq!(halo_origin("https://acme.halopsa.com/api/ "), "https://acme.halopsa.com");
        assert_eq!(halo_origin("https://halo.example"), "https://halo.example");
    }

    #[test]
    fn a_party_has_ended_where_halo_says_inactive() {
        let mut found = Found {
            id: 12.into(),
            name: "Alder".into(),
            parent: None,
            is_active: true,
            marker: None,
            fields: crate::model::Fields::new(),
            keys: crate::model::MatchKeys::default(),
            currency: None,
            main_site: None,
        };
        assert!(!party(&found).1.ended);
        found.is_active = false;
        assert!(party(&found).1.ended);
    }
}
