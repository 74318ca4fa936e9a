//! From a snapshot to a stored plan.

use std::sync::Arc;

use jiff::ToSpan;

use super::connect::Connections;
use super::extract::{self, Progress, Read};
use super::fresh::Freshness;
use super::{Engine, Kept, Step};
use crate::api::budget::Lane;
use crate::engine::words::Event;
use crate::model::{Class, Decision, Entity, Integration, Link, Place, PlanId, Problem, SourceId};
use crate::plan::{self, Mappings, Only, Plan, Policy, Purpose};

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
            .filter(|e| wanted.is_empty() || wanted.contains(e))
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
        if let Purpose::Undo { of } = spec.purpose {
            return self.build_undo(spec, of, with, progress).await;
        }
        let read = self.read_for(spec, &with, progress).await;
        let mut read = match read {
            Ok(read) => read,
            Err(problem) => {
                with.market.sign_out().await;
                return Err(problem);
            }
        };
        if spec.scheduled && spec.entities.contains(&Entity::Subscriptions) {
            let mappings = self.mappings(spec.integration)?;
            let policy = self.policy(spec, &read)?;
            let mut links = Links::new(self, spec.integration);
            let chosen = links.by_ref().filter(|(_, link)| concerns(read.snapshot.only.as_ref(), link));
            let absent = plan::absent(&read.snapshot, chosen, &mappings, &policy);
            links.end()?;
            let before = self.budget(Place::Of(spec.integration)).sent();
            read.snapshot.absences = extract::confirm(self, &with, spec.integration, absent, progress).await;
            *read.requests.entry(Place::Of(spec.integration)).or_default() +=
                self.budget(Place::Of(spec.integration)).sent() - before;
        }
        self.step(Step::Read).await;
        let (engine, spec) = (self.clone(), spec.clone());
        let top_level = read.snapshot.top_level.clone();
        // Planning is pure work for a processor: not on the threads that talk to sockets.
        let (plan, fresh) = engine.plan_from(&spec, Arc::new(read), keep)?;
        Ok(Built { plan, fresh, top_level, with })
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
        let mappings = self.mappings(spec.integration)?;
        let policy = self.policy(spec, &read)?;
        let mut links = Links::new(self, spec.integration);
        let chosen = links.by_ref().filter(|(_, link)| concerns(read.snapshot.only.as_ref(), link));
        let planned = plan::build(&read.snapshot, &mappings, chosen, &policy);
        links.end()?;
        let mut outline = planned.outline;
        outline.alerts.extend(read.alerts.iter().cloned());
        let settings = self.settings();
        outline.cost = plan::cost(&planned.changes, |place| settings.pace(place));
        outline.held_by_limit = planned.changes.iter().filter(|c| held_by_limit(c)).count() as u64;
        let hash = plan::hash(&outline, &planned.changes);
        let hours = i64::from(policy.safety.plan_hours);
        let stored = Plan {
            id: PlanId(self.book.next_number("plan")?),
            integration: spec.integration,
            entities: spec.entities.clone(),
            scheduled: spec.scheduled,
            purpose: spec.purpose.clone(),
            built_at: read.at,
            built_by: self.by.clone(),
            expires_at: read.at.checked_add(hours.hours()).unwrap_or(read.at),
            rows: u32::try_from(planned.changes.len()).unwrap_or(u32::MAX),
            seen_up_to: extract::newest(&read.snapshot),
            read_requests: read.requests.clone(),
            last: planned.last,
            // Only a whole reading counts runs of absence (N9).
            missing: if spec.scheduled && spec.purpose.is_whole() {
                self.missing_now(spec.integration, &read)?
            } else {
                Vec::new()
            },
            hash,
            outline,
        };
        let fresh = match keep {
            Keep::ForThisJob if stored.outline.totals.acting() > 0 => {
                Freshness::trusted(&stored, &read.snapshot.halo_customers, &read.snapshot.licences)
            }
            _ => Freshness::each(&stored),
        };
        self.live().kept = (keep == Keep::ForLater).then(|| Kept { plan: stored.id, read: read.clone() });
        drop((read, mappings));
        self.store_plan(&stored, planned.changes)?;
        Ok((stored, fresh))
    }

    pub(super) fn store_plan(&self, plan: &Plan, changes: Vec<plan::Change>) -> Result<(), Problem> {
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
            customers: self.book.links(integration, Entity::Customers)?.into_iter().collect(),
            decisions: self
                .book
                .decisions(integration)?
                .into_iter()
                .filter(|(_, d)| matches!(d, Decision::New | Decision::Exclude { .. }))
                .collect(),
            missing_runs: self.book.missing_runs(integration)?,
            licences_elsewhere: self.licences_elsewhere(integration)?,
        })
    }

    /// Halo licences that another integration feeds.
    fn licences_elsewhere(
        &self,
        integration: Integration,
    ) -> Result<std::collections::BTreeSet<crate::model::TargetId>, Problem> {
        let mut taken = std::collections::BTreeSet::new();
        for other in Integration::ALL.into_iter().filter(|i| *i != integration) {
            let mut links = Links::new(self, other);
            taken.extend(links.by_ref().map(|(_, link)| link.target));
            links.end()?;
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
            settings: settings.marketplace(spec.integration).clone(),
            safety: settings.safety(spec.integration),
            entities: spec.entities.clone(),
            scheduled: spec.scheduled,
            allow_removals: spec.allow_removals,
            now: read.at,
            today: read.at.to_zoned(jiff::tz::TimeZone::system()).date(),
            approved_once: self.book.approved(spec.integration)?,
            last,
        })
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

    /// How many scheduled runs each linked subscription has been missing, this one included; 0 for those seen again.
    fn missing_now(&self, integration: Integration, read: &Read) -> Result<Vec<(SourceId, u32)>, Problem> {
        let old = self.book.missing_runs(integration)?;
        let mut now: Vec<(SourceId, u32)> = read
            .snapshot
            .absences
            .iter()
            .filter(|(_, absence)| **absence == plan::Absence::Confirmed)
            .map(|(id, _)| (id.clone(), old.get(id).copied().unwrap_or(0).saturating_add(1)))
            .collect();
        let gone: std::collections::HashSet<_> = now.iter().map(|(id, _)| id.clone()).collect();
        now.extend(old.into_keys().filter(|id| !gone.contains(id)).map(|id| (id, 0)));
        Ok(now)
    }
}

/// Whether a link belongs to what the plan is about.
fn concerns(only: Option<&Only>, link: &Link) -> bool {
    only.is_none_or(|only| link.parent.as_ref().is_some_and(|customer| only.customers.contains(customer)))
}

pub(super) fn held_by_limit(change: &plan::Change) -> bool {
    change
        .hold
        .as_ref()
        .is_some_and(|hold| matches!(hold.cause, plan::Cause::Limit { .. } | plan::Cause::SafeMode))
}

/// The links of an integration's subscriptions in order, a page at a time: a merge needs no more in memory.
pub struct Links<'a> {
    engine: &'a Engine,
    integration: Integration,
    page: std::vec::IntoIter<(SourceId, Link)>,
    last: Option<SourceId>,
    over: bool,
    trouble: Option<Problem>,
}

impl<'a> Links<'a> {
    pub(super) fn new(engine: &'a Engine, integration: Integration) -> Self {
        Self { engine, integration, page: Vec::new().into_iter(), last: None, over: false, trouble: None }
    }

    /// Whether all of them could be read: a plan from half of the links is no plan.
    pub(super) fn end(self) -> Result<(), Problem> {
        self.trouble.map_or(Ok(()), Err)
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
            match self.engine.book.links_page(self.integration, Entity::Subscriptions, self.last.as_ref()) {
                Ok(page) => {
                    self.over = page.is_empty();
                    self.page = page.into_iter();
                }
                Err(problem) => {
                    self.trouble = Some(problem);
                    self.over = true;
                }
            }
        }
    }
}
