//! From a snapshot to a stored plan.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::ToSpan;

use super::connect::Connections;
use super::extract::{self, Progress, Read};
use super::fresh::Freshness;
use super::{Engine, Kept, Step};
use crate::api::budget::Lane;
use crate::engine::words::Event;
use crate::integrations;
use crate::model::{Class, Entity, Freeze, Integration, Link, PlanId, Problem, SourceId, TargetId};
use crate::plan::{self, Mappings, Only, Plan, Policy, Purpose, Rows};

/// What to plan.
#[derive(Debug, Clone)]
pub struct Spec {
    pub integration: Integration,
    pub entities: Vec<Entity>,
    pub scheduled: bool,
    pub allow_removals: bool,
    pub purpose: Purpose,
}

impl Spec {
    /// The entities in the order they must run, each once; all of them if none is named.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        let wanted = std::mem::take(&mut self.entities);
        self.entities = self
            .integration
            .entities()
            .iter()
            .copied()
            .filter(
                |e| if wanted.is_empty() { self.integration.usual().contains(e) } else { wanted.contains(e) },
            )
            .collect();
        self
    }
}

/// What becomes of the listings once the plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The plan is applied at once: only what the writes need is kept.
    ForThisJob,
    /// A person looks at the plan and may decide about rows: it is then made again from the same listings.
    ForLater,
}

/// A stored plan, and what an apply that follows at once needs.
pub struct Built {
    pub plan: Plan,
    pub fresh: Freshness,
    pub top_level: plan::TopLevel,
    pub with: Connections,
}

impl Engine {
    /// Reads both sides and stores a plan. Writes nothing outside.
    pub async fn build_plan(
        self: &Arc<Self>,
        spec: &Spec,
        keep: Keep,
        progress: Progress<'_>,
    ) -> Result<Built, Problem> {
        let with = self.connect(spec.integration, Lane::Bulk)?;
        self.customers_first(spec)?;
        if let Purpose::Undo { of } = spec.purpose {
            return self.build_undo(spec, of, with, progress).await;
        }
        if spec.integration == Integration::Lifecycle {
            return self.plan_lifecycle(spec, with, progress).await;
        }
        let read = self.read_for(spec, &with, progress).await;
        let mut read = match read {
            Ok(read) => read,
            Err(problem) => {
                with.close().await;
                return Err(problem);
            }
        };
        let lines: Vec<Entity> = read.snapshot.lines.keys().copied().collect();
        for entity in lines.into_iter().filter(|entity| spec.scheduled && spec.entities.contains(entity)) {
            let mappings = self.mappings(spec.integration)?;
            let policy = self.policy(spec, &read)?;
            let mut links = Links::new(self, spec.integration, entity);
            let chosen = links.by_ref().filter(|(_, link)| concerns(read.snapshot.only.as_ref(), link));
            let absent = plan::absent(entity, &read.snapshot, chosen, &mappings, &policy);
            links.end()?;
            let source = spec.integration.source(entity);
            let before = self.budget(source).sent();
            let absences = extract::confirm(self, &with, entity, source, absent, progress).await;
            if let Some(lines) = read.snapshot.lines.get_mut(&entity) {
                lines.absences = absences;
            }
            *read.requests.entry(source).or_default() += self.budget(source).sent() - before;
        }
        if spec.scheduled {
            self.look_up_customers(spec, &with, &mut read, progress).await?;
        }
        self.step(Step::Read).await;
        let (engine, spec) = (self.clone(), spec.clone());
        let top_level = read.snapshot.top_level.clone();
        // Planning is pure work for a processor: not on the threads that talk to sockets.
        let (plan, fresh) = engine.plan_from(&spec, Arc::new(read), keep)?;
        Ok(Built { plan, fresh, top_level, with })
    }

    /// Assets come after the first import of customers, or where there is a default site for them (L4).
    ///
    /// # Errors
    /// Neither is so: the assets of a whole account would be held, one by one.
    pub(super) fn customers_first(&self, spec: &Spec) -> Result<(), Problem> {
        let asks = spec.purpose == Purpose::Whole
            && spec.entities.contains(&Entity::Assets)
            && spec.integration.root() == Entity::Customers
            && !spec.entities.contains(&Entity::Customers);
        if asks && !self.takes_assets(spec.integration)? {
            return Err(Problem::new(
                Class::Input,
                format!(
                    "{} has no customers in Halo yet, so its assets have nowhere to go (L4).",
                    spec.integration.label()
                ),
            )
            .remedy("Import the customers first, or both together; or set liongard.default_site."));
        }
        Ok(())
    }

    /// Whether assets can be imported by themselves (L4).
    pub(super) fn takes_assets(&self, integration: Integration) -> Result<bool, Problem> {
        Ok(!self.settings().liongard.default_site.trim().is_empty()
            || self.book.last(integration)?.seen.contains_key(&Entity::Customers)
            || !self.book.links(integration, Entity::Customers)?.is_empty())
    }

    /// Looks mapped customers that the source lists no more up, where a scheduled plan may remove them.
    async fn look_up_customers(
        &self,
        spec: &Spec,
        with: &Connections,
        read: &mut Read,
        progress: Progress<'_>,
    ) -> Result<(), Problem> {
        let root = spec.integration.root();
        let policy = self.policy(spec, read)?;
        if policy.rules(root).removal == plan::Removal::Never {
            return Ok(());
        }
        let absent = plan::absent_customers(&read.snapshot, &self.mappings(spec.integration)?, &policy);
        let source = spec.integration.source(root);
        let before = self.budget(source).sent();
        read.snapshot.absences = extract::confirm(self, with, root, source, absent, progress).await;
        *read.requests.entry(source).or_default() += self.budget(source).sent() - before;
        Ok(())
    }

    async fn read_for(
        &self,
        spec: &Spec,
        with: &Connections,
        progress: Progress<'_>,
    ) -> Result<Read, Problem> {
        let only = self.only(spec)?;
        extract::read(self, with, spec.integration, &spec.entities, only, progress).await
    }

    /// The pure part, on what was read, and its storing. The listings are let go before the rows are stored, unless
    /// somebody may plan from them again.
    pub fn plan_from(&self, spec: &Spec, read: Arc<Read>, keep: Keep) -> Result<(Plan, Freshness), Problem> {
        self.remember_carried(spec.integration, &read.snapshot)?;
        let mut mappings = self.mappings(spec.integration)?;
        mappings.near = self.look_alikes(spec.integration, &read.snapshot, &mappings)?;
        self.push_pairs(spec.integration, &read.snapshot, &mut mappings)?;
        let policy = self.policy(spec, &read)?;
        let mut troubles = Vec::new();
        let only = read.snapshot.only.as_ref();
        let links = |entity| {
            let links = Links::new(self, spec.integration, entity);
            troubles.push(links.trouble.clone());
            links.filter(move |(_, link)| concerns(only, link))
        };
        let planned = plan::build(&read.snapshot, &mappings, links, &policy);
        if let Some(trouble) = troubles.into_iter().find_map(|trouble| trouble.take()) {
            return Err(trouble);
        }
        let mut outline = planned.outline;
        outline.alerts.extend(read.alerts.iter().chain(read.blocked.values()).cloned());
        outline.notes.clone_from(&read.notes);
        let settings = self.settings();
        outline.cost = plan::cost(spec.integration, weights(&planned.rows), |place| settings.pace(place));
        outline.held_by_limit = held_by_limit(&planned.rows);
        let hours = i64::from(policy.safety.plan_hours);
        let mut stored = Plan {
            id: PlanId(self.book.next_number("plan")?),
            integration: spec.integration,
            entities: policy.entities.clone(),
            scheduled: spec.scheduled,
            purpose: spec.purpose.clone(),
            built_at: read.at,
            built_by: self.by(),
            expires_at: read.at.checked_add(hours.hours()).unwrap_or(read.at),
            rows: u32::try_from(planned.rows.len()).unwrap_or(u32::MAX),
            seen_up_to: extract::newest(spec.integration, &read.snapshot),
            read_requests: read.requests.clone(),
            last: planned.last,
            // Only a whole reading counts runs of absence (N9).
            missing: if spec.scheduled && spec.purpose.is_whole() {
                self.missing_now(spec.integration, &read)?
            } else {
                Vec::new()
            },
            hash: String::new(),
            outline,
        };
        let fresh = match keep {
            Keep::ForThisJob if stored.outline.totals.acting() > 0 => {
                Freshness::trusted(&stored, &read.snapshot)
            }
            _ => Freshness::each(&stored),
        };
        self.live().kept = (keep == Keep::ForLater).then(|| Kept { plan: stored.id, read: read.clone() });
        drop((read, mappings));
        self.store_plan(&mut stored, planned.rows.into_changes())?;
        Ok((stored, fresh))
    }

    /// Stores a plan under the hash of its rows.
    pub(super) fn store_plan(
        &self,
        plan: &mut Plan,
        changes: impl Iterator<Item = plan::Change>,
    ) -> Result<(), Problem> {
        self.book.put_plan(plan, changes)?;
        self.book.prune_plans(10, &self.plans_of_unfinished_jobs()?)?;
        self.tell(Event::Plan(plan.id));
        Ok(())
    }

    /// The same listings, planned again with the decisions made since.
    pub fn replan(&self, plan: PlanId) -> Result<Plan, Problem> {
        let old = self.plan(plan)?;
        let read = self.snapshot_of(plan).ok_or_else(|| {
            Problem::new(Class::Stale, format!("What plan {plan} was made from is no longer in memory."))
                .remedy("Build the plan again.")
        })?;
        let spec = Spec {
            integration: old.integration,
            entities: old.entities.clone(),
            scheduled: old.scheduled,
            allow_removals: false,
            purpose: old.purpose.clone(),
        };
        let (new, _) = self.plan_from(&spec, read, Keep::ForLater)?;
        self.book.drop_plan(plan)?;
        Ok(new)
    }

    pub fn plan(&self, plan: PlanId) -> Result<Plan, Problem> {
        self.book.plan(plan)?.ok_or_else(|| {
            Problem::new(Class::Input, format!("There is no plan {plan}."))
                .remedy("Build one with `parhelion plan`.")
        })
    }

    fn mappings(&self, integration: Integration) -> Result<Mappings, Problem> {
        Ok(Mappings {
            customers: self.book.links(integration, integration.root())?.into_iter().collect(),
            decisions: self.parties(integration)?.decisions.clone(),
            missing_runs: self.book.missing_runs(integration)?,
            elsewhere: self.elsewhere(integration)?,
            near: BTreeMap::new(),
            near_push: BTreeMap::new(),
            refused_push: BTreeSet::new(),
        })
    }

    /// Target records that another integration feeds.
    fn elsewhere(&self, integration: Integration) -> Result<BTreeMap<Entity, BTreeSet<TargetId>>, Problem> {
        let mut taken: BTreeMap<Entity, BTreeSet<TargetId>> = BTreeMap::new();
        for other in Integration::ALL.into_iter().filter(|other| *other != integration) {
            let shared = other.entities().iter().filter(|entity| {
                **entity != other.root()
                    && integration.entities().contains(entity)
                    && integration.target(**entity) == other.target(**entity)
            });
            for entity in shared {
                let mut links = Links::new(self, other, *entity);
                taken.entry(*entity).or_default().extend(links.by_ref().map(|(_, link)| link.target));
                links.end()?;
            }
        }
        Ok(taken)
    }

    fn policy(&self, spec: &Spec, read: &Read) -> Result<Policy, Problem> {
        let settings = self.settings();
        let mut last = self.book.last(spec.integration)?;
        last.fingerprints_now.clone_from(&read.fingerprints);
        if !spec.purpose.is_whole() {
            // How many records a whole reading had says nothing about a part of them (V2, V6).
            last.seen.clear();
        }
        Ok(Policy {
            integration: spec.integration,
            account: read.account.clone(),
            installation: self.installation.clone(),
            rules: integrations::rules(spec.integration, &settings),
            safety: settings.safety(spec.integration),
            entities: spec.entities.iter().copied().filter(|e| !read.blocked.contains_key(e)).collect(),
            scheduled: spec.scheduled,
            allow_removals: spec.allow_removals,
            now: read.at,
            today: read.at.to_zoned(jiff::tz::TimeZone::system()).date(),
            frozen: self.frozen(spec.integration, read.at),
            released: if spec.scheduled { self.released(spec.integration)? } else { BTreeMap::new() },
            approved_once: self.book.approved(spec.integration)?,
            last,
        })
    }

    /// The freeze that it is at that moment on the clock of an integration's schedule, if it is one (N10).
    pub(super) fn frozen(&self, integration: Integration, at: crate::model::Moment) -> Option<Freeze> {
        let settings = self.settings();
        // Asked before every billable write: nothing is copied.
        let safety = settings.of(integration).safety.unwrap_or(&settings.safety);
        if safety.freeze.is_empty() {
            return None;
        }
        let zone = crate::model::schedule::zone(&settings.of(integration).schedule.zone)
            .unwrap_or_else(jiff::tz::TimeZone::system);
        safety.frozen(zone.to_datetime(at))
    }

    /// What a finished job leaves for the limits of the next (V2, V10, V11, N16).
    pub fn seen(&self, plan: &Plan, by_person: bool) -> Result<super::records::Record, Problem> {
        let integration = plan.integration;
        let mut approved = self.book.approved(integration)?;
        if by_person {
            approved.extend(plan.entities.iter().filter(|e| plan.outline.complete.get(e) == Some(&true)));
        }
        let (last, missing) = (plan.last.clone(), plan.missing.clone());
        Ok(super::records::Record::Seen { integration, last, approved, missing })
    }

    /// How many scheduled runs each linked record has been missing, this one included; 0 for those seen again.
    fn missing_now(
        &self,
        integration: Integration,
        read: &Read,
    ) -> Result<Vec<(Entity, SourceId, u32)>, Problem> {
        let mut old = self.book.missing_runs(integration)?;
        let mut now = Vec::new();
        let root = (integration.root(), &read.snapshot.absences);
        let absences =
            || read.snapshot.lines.iter().map(|(entity, lines)| (*entity, &lines.absences)).chain([root]);
        for (entity, absences) in absences() {
            let confirmed = absences.iter().filter(|(_, a)| **a == plan::Absence::Confirmed);
            for (id, _) in confirmed {
                let runs = old.remove(&(entity, id.clone())).unwrap_or(0).saturating_add(1);
                now.push((entity, id.clone(), runs));
            }
        }
        // Listed again, or found by a look-up. What this run learnt nothing of keeps its count.
        for (entity, absences) in absences() {
            let listed: Box<dyn Iterator<Item = &str>> = match read.snapshot.lines.get(&entity) {
                Some(lines) => Box::new(lines.wanted.ids()),
                None => Box::new(read.snapshot.customers.iter().map(|wanted| wanted.id.as_str())),
            };
            let listed: HashSet<&str> = listed.chain(absences.keys().map(SourceId::as_str)).collect();
            for (of, id) in old.keys().filter(|(of, id)| *of == entity && listed.contains(id.as_str())) {
                now.push((*of, id.clone(), 0));
            }
        }
        Ok(now)
    }
}

/// Whether a link belongs to what the plan is about.
fn concerns(only: Option<&Only>, link: &Link) -> bool {
    only.is_none_or(|only| link.parent.as_ref().is_some_and(|customer| only.customers.contains(customer)))
}

/// Rows that a safety limit or the first-run safe mode holds.
pub(super) fn held_by_limit(rows: &Rows) -> u64 {
    let by_limit =
        |hold: Box<plan::Hold>| matches!(hold.cause, plan::Cause::Limit { .. } | plan::Cause::SafeMode);
    let held = rows.iter().filter(|row| row.action == plan::Action::Held);
    held.filter(|row| rows.open(row).hold.is_some_and(by_limit)).count() as u64
}

/// Of each row what its cost follows from.
pub(super) fn weights(rows: &Rows) -> impl Iterator<Item = (Entity, plan::Action, u64)> + '_ {
    rows.iter().map(|row| (row.entity, row.action, u64::from(row.requests)))
}

/// What went wrong while links were read, told also after they are used up.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<Problem>>>);

impl Trouble {
    fn set(&self, problem: Problem) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }

    fn take(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The links of an entity's records in order, a page at a time: a merge needs no more in memory.
pub struct Links<'a> {
    engine: &'a Engine,
    integration: Integration,
    entity: Entity,
    page: std::vec::IntoIter<(SourceId, Link)>,
    last: Option<SourceId>,
    over: bool,
    trouble: Trouble,
}

impl<'a> Links<'a> {
    pub(super) fn new(engine: &'a Engine, integration: Integration, entity: Entity) -> Self {
        let (page, trouble) = (Vec::new().into_iter(), Trouble::default());
        Self { engine, integration, entity, page, last: None, over: false, trouble }
    }

    /// Whether all of them could be read: a plan from half of the links is no plan.
    pub(super) fn end(self) -> Result<(), Problem> {
        self.trouble.take().map_or(Ok(()), Err)
    }
}

impl Iterator for Links<'_> {
    type Item = (SourceId, Link);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((id, link)) = self.page.next() {
                self.last = Some(id.clone());
                return Some((id, link));
            }
            if self.over {
                return None;
            }
            match self.engine.book.links_page(self.integration, self.entity, self.last.as_ref()) {
                Ok(page) => {
                    self.over = page.is_empty();
                    self.page = page.into_iter();
                }
                Err(problem) => {
                    self.trouble.set(problem);
                    self.over = true;
                }
            }
        }
    }
}
