//! Taking a job back: what it did, from the trail; how its records stand now, from Halo; the plan that sets them back
//! (P32, sync-engine 13). Such a plan is applied like any other, and can itself be taken back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::ToSpan;

use super::Engine;
use super::connect::Connections;
use super::extract::Progress;
use super::fresh::{Freshness, LIST_FROM};
use super::planning::{Built, Links, Spec, held_by_limit, weights};
use super::records::{Record, RowEnd, Write};
use crate::engine::words::JobState;
use crate::model::{
    Class, Currency, Entity, FieldName, Found, Integration, JobId, Link, PackedList, Place, PlanId, Problem,
    Slot, SourceId, TargetId, Value,
};
use crate::plan::{self, FieldChange, Image, Linked, Plan, Policy, Side, is_other_account};

/// What one row did, as the trail tells it.
#[derive(Default)]
pub(super) struct Deed {
    key: Option<(Entity, SourceId)>,
    /// The last of each kind: attempts repeat one write.
    set: Option<Write>,
    address: Option<Write>,
    create: Option<Write>,
    /// The link that it left.
    link: Option<Link>,
    before: Option<Slot>,
    /// Whether anything may have been written.
    did: bool,
    /// How the row ended, and the sentence about it.
    pub(super) end: Option<(RowEnd, String)>,
}

impl Deed {
    pub(super) const fn key(&self) -> Option<&(Entity, SourceId)> {
        self.key.as_ref()
    }
}

impl Engine {
    /// Builds and stores the plan that takes a job back. Writes nothing outside.
    pub(super) async fn build_undo(
        self: &Arc<Self>,
        spec: &Spec,
        of: JobId,
        with: Connections,
        progress: Progress<'_>,
    ) -> Result<Built, Problem> {
        let (at, halo_before) = (self.world.now(), self.budget(Place::Halo).sent());
        let deeds = self.deeds(of)?;
        let last = self.book.last(spec.integration)?;
        let is = with.halo.fingerprint().await?;
        if last.fingerprints.get(Place::Halo.key()).is_some_and(|was| is_other_account(was, &is)) {
            return Err(Problem::new(Class::Stale, format!("{of} wrote to another Halo than this one."))
                .remedy("Nothing was written. Check the settings of Halo."));
        }
        let there = spec.integration.target(spec.integration.root());
        if there != Place::Halo && last.fingerprints.get(there.key()).is_some_and(|was| *was != with.account)
        {
            let label = there.label();
            return Err(Problem::new(Class::Stale, format!("{of} wrote to another {label} than this one."))
                .remedy(format!("Nothing was written. Check the settings of {label}.")));
        }
        let mut images = Vec::with_capacity(deeds.len());
        for deed in deeds {
            images.extend(self.image(spec.integration, deed)?);
        }
        let linked = self.population(spec.integration, &mut images)?;
        look(&with, spec.integration, &mut images, progress).await?;
        let settings = self.settings();
        let fallback = Currency::new(&settings.halo.currency);
        currencies(&with, spec.integration, &mut images, fallback).await?;

        let safety = settings.safety(spec.integration);
        let policy = Policy {
            integration: spec.integration,
            account: String::new(),
            installation: self.installation.clone(),
            rules: BTreeMap::new(),
            safety: safety.clone(),
            entities: spec.entities.clone(),
            scheduled: false,
            allow_removals: spec.allow_removals,
            now: at,
            today: at.to_zoned(jiff::tz::TimeZone::system()).date(),
            frozen: self.frozen(spec.integration, at),
            released: BTreeMap::new(),
            approved_once: BTreeSet::new(),
            last: plan::Last::default(),
        };
        let (rows, mut outline) = plan::undo(&images, &linked, &policy);
        outline.cost = plan::cost(spec.integration, weights(&rows), |place| settings.pace(place));
        outline.held_by_limit = held_by_limit(&rows);
        let mut stored = Plan {
            id: PlanId(self.book.next_number("plan")?),
            integration: spec.integration,
            entities: spec.entities.clone(),
            scheduled: false,
            purpose: spec.purpose.clone(),
            built_at: at,
            built_by: self.by(),
            expires_at: at.checked_add(i64::from(safety.plan_hours).hours()).unwrap_or(at),
            rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            seen_up_to: BTreeMap::new(),
            read_requests: [(Place::Halo, self.budget(Place::Halo).sent() - halo_before)].into(),
            last,
            missing: Vec::new(),
            hash: String::new(),
            outline,
        };
        let fresh = Freshness::trusted(&stored, &plan::Snapshot::default());
        self.live().kept = None;
        self.store_plan(&mut stored, rows.into_changes())?;
        Ok(Built { plan: stored, fresh, top_level: plan::TopLevel::Default, with })
    }

    /// What the job did, row by row. Everything that may have been carried out is in it, whatever its row came to: how
    /// the record stands decides what there is to take back.
    pub(super) fn deeds(&self, of: JobId) -> Result<Vec<Deed>, Problem> {
        let report = self.job(of)?;
        if matches!(report.state, JobState::Running | JobState::Interrupted) {
            return Err(Problem::new(
                Class::Input,
                format!("{of} is {}: it is not over yet.", report.state.word()),
            )
            .remedy(format!(
                "Go on with it or cancel it (`parhelion job cancel {of}`), then take it back."
            )));
        }
        let mut rows = self.deeds_by_row(of)?;
        rows.retain(|_, deed| deed.did);
        if rows.is_empty() {
            let (message, remedy) = if report.integration == Integration::Lifecycle {
                let message = format!("{of} wrote nothing into Halo: there is nothing to take back there.");
                (
                    message,
                    "What it changed in the workspace is one step: `parhelion lifecycle undo`, or u in its pane.",
                )
            } else {
                let message = format!("{of} wrote nothing: there is nothing to take back.");
                (message, "`parhelion job show` says what it did.")
            };
            return Err(Problem::new(Class::Input, message).remedy(remedy));
        }
        Ok(rows.into_values().collect())
    }

    /// Every row of a job that the trail tells of.
    pub(super) fn deeds_by_row(&self, of: JobId) -> Result<BTreeMap<u32, Deed>, Problem> {
        let mut rows: BTreeMap<u32, Deed> = BTreeMap::new();
        self.book.deeds(of, |record| match record {
            Record::Intent(intent) => {
                let intent = Arc::unwrap_or_clone(intent);
                let deed = rows.entry(intent.row).or_default();
                deed.did = true;
                deed.key = Some((intent.entity, intent.source));
                let place = match &intent.write {
                    Write::Create { .. } => &mut deed.create,
                    Write::SetAddress { .. } => &mut deed.address,
                    Write::Set { .. } => &mut deed.set,
                };
                *place = Some(intent.write);
            }
            Record::Outcome(outcome) => {
                // A row that was right already only confirms its base: it did nothing.
                let Some(end) = outcome.end else { return };
                let deed = rows.entry(outcome.row).or_default();
                deed.key = Some((outcome.entity, outcome.source));
                deed.end = Some((end, outcome.message));
                if outcome.link.is_some() || outcome.mapping.is_some() {
                    deed.did = true;
                    deed.link = outcome.link.or(deed.link.take());
                    deed.before = deed.before.take().or(outcome.before.map(|before| *before));
                }
            }
            _ => {}
        })?;
        Ok(rows)
    }

    pub(super) fn image(&self, integration: Integration, deed: Deed) -> Result<Option<Image>, Problem> {
        let Some((entity, source)) = deed.key else { return Ok(None) };
        let now = self.book.slot(integration, entity, &source)?;
        let created = deed.create.is_some();
        let known = [&deed.link, &now.link, &deed.before.as_ref().and_then(|slot| slot.link.clone())]
            .into_iter()
            .flatten()
            .next()
            .cloned();
        let target = match (&deed.set, &deed.address, &known) {
            (Some(Write::Set { id, .. }), ..) => id.clone(),
            (_, Some(Write::SetAddress { customer, .. }), _) => customer.clone(),
            (_, _, Some(link)) => link.target.clone(),
            // A create of which nothing came.
            _ => return Ok(None),
        };
        let mut fields = Vec::new();
        for write in [&deed.create, &deed.set].into_iter().flatten() {
            let (written, before) = match write {
                Write::Create { fields, .. } => (fields, None),
                Write::Set { fields, before, .. } => (fields, Some(before)),
                Write::SetAddress { .. } => continue,
            };
            fields.extend(written.iter().map(|(name, after)| FieldChange {
                name,
                before: before.and_then(|before| before.get(name).cloned()),
                after: Some(after.clone()),
                mark: None,
            }));
        }
        let mut site = None;
        if let Some(Write::SetAddress { site: at, address, before, .. }) = &deed.address {
            site = Some(at.clone());
            fields.push(FieldChange {
                name: FieldName::MainSiteAddress,
                before: before.clone().map(Value::Address),
                after: Some(Value::Address(address.clone())),
                mark: None,
            });
        }
        let name =
            known.as_ref().map_or_else(|| source.as_str().into(), |link| link.source_name.as_ref().into());
        let customer = match known.as_ref().and_then(|link| link.parent.clone()) {
            Some(parent) if entity != integration.root() => {
                let link = self.book.link(integration, integration.root(), &parent)?;
                let name =
                    link.map_or_else(|| parent.as_str().into(), |link| link.source_name.as_ref().into());
                Some(Side { id: parent, name })
            }
            _ => None,
        };
        Ok(Some(Image {
            entity,
            source: Side { id: source, name },
            customer,
            target,
            created,
            fields,
            site,
            before: deed.before,
            now,
            found: None,
            currency: None,
            newer: 0,
        }))
    }

    /// How many links there are of each entity; and for each customer, how many of its subscriptions are linked to
    /// licences that are not among these.
    fn population(&self, integration: Integration, images: &mut [Image]) -> Result<Linked, Problem> {
        let own: HashSet<(Entity, TargetId)> =
            images.iter().map(|image| (image.entity, image.target.clone())).collect();
        let mut newer: HashMap<SourceId, u64> = HashMap::new();
        let mut population = Linked::default();
        for entity in integration.entities() {
            let mut links = Links::new(self, integration, *entity);
            let (mut count, mut seats) = (0, 0_u64);
            let mut of_customer: HashMap<SourceId, u64> = HashMap::new();
            for (_, link) in links.by_ref() {
                count += 1;
                if let Some(Value::Count(own)) =
                    link.base.as_ref().and_then(|base| base.get(FieldName::Quantity))
                {
                    seats = seats.saturating_add(own.get().into());
                }
                if let Some(parent) = link.parent.as_ref().filter(|_| link.removed.is_none()) {
                    *of_customer.entry(parent.clone()).or_default() += 1;
                }
                if let Some(parent) = link.parent.filter(|_| !own.contains(&(*entity, link.target))) {
                    *newer.entry(parent).or_default() += 1;
                }
            }
            links.end()?;
            population.records.insert(*entity, count);
            population.seats.insert(*entity, seats);
            if *entity != integration.root() {
                population.of_customer.insert(*entity, of_customer);
            }
        }
        for image in images.iter_mut().filter(|image| image.entity == integration.root()) {
            image.newer = newer.get(&image.source.id).copied().unwrap_or(0);
        }
        Ok(population)
    }
}

/// Reads every record that the job wrote, as it is now.
async fn look(
    with: &Connections,
    integration: Integration,
    images: &mut [Image],
    progress: Progress<'_>,
) -> Result<(), Problem> {
    for entity in integration.entities().iter().copied().chain([Entity::PushFlags]) {
        let target = with.target(integration.target(entity));
        let count = images.iter().filter(|image| image.entity == entity).count() as u64;
        let mut there = PackedList::default();
        let listed = count >= LIST_FROM && entity != Entity::PushFlags;
        if listed {
            let what = format!("{} {}s", target.place().label(), entity.record());
            let listing = target.list(entity, &|done, of| progress(&what, done, of)).await?;
            there = listing.proven()?;
        }
        for (done, image) in images.iter_mut().filter(|image| image.entity == entity).enumerate() {
            image.found = if listed {
                there.find(image.target.as_str())
            } else {
                progress("what the job wrote", done as u64 + 1, Some(count));
                target.record(entity, &image.target).await?
            };
            if let (Some(found), Some(site)) = (&mut image.found, &image.site) {
                let address = with.halo.site(site).await?.map(|site| site.address).unwrap_or_default();
                found.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(address)));
            }
        }
    }
    Ok(())
}

/// What the customers of billed records are billed in.
async fn currencies(
    with: &Connections,
    integration: Integration,
    images: &mut [Image],
    fallback: Option<Currency>,
) -> Result<(), Problem> {
    let billed = |image: &&mut Image| image.entity.is_billed();
    let parent = |image: &Image| image.found.as_ref().and_then(|found| found.parent.clone());
    let customers: BTreeSet<TargetId> =
        images.iter_mut().filter(billed).filter_map(|image| parent(image)).collect();
    if customers.is_empty() {
        return Ok(());
    }
    let root = integration.root();
    let target = with.target(integration.target(root));
    let mut known: HashMap<TargetId, Currency> = HashMap::new();
    let mut note = |found: Found| known.extend(found.currency.map(|currency| (found.id, currency)));
    if customers.len() as u64 >= LIST_FROM {
        target.list(root, &|_, _| {}).await?.records.iter().for_each(&mut note);
    } else {
        for customer in &customers {
            target.record(root, customer).await?.into_iter().for_each(&mut note);
        }
    }
    for image in images.iter_mut().filter(billed) {
        image.currency = parent(image).and_then(|customer| known.get(&customer).copied()).or(fallback);
    }
    Ok(())
}

/// The mapping that an outcome replaces, where an undo could not tell it from what the job wrote.
pub(super) fn worth_keeping(was: Slot, link: &Link) -> Option<Box<Slot>> {
    let same = was.link.as_ref().is_some_and(|was| was.target == link.target && was.removed == link.removed);
    (!same).then(|| Box::new(was))
}
