//! Halo read and compared with the workspace: a plan whose rows change nothing but the workspace (S19i).
//!
//! The generic planner pairs records of two systems by links. Here the target is ours, its lists are small or belong to
//! one company, and half a million assets must not be held: so the rows are made company by company, and what they
//! would write waits beside the plan (the *stage*) until it is applied.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};

use super::reader::Reader;
use super::rows::{Rows, company_row, differences, facts, field, term_rows};
use super::shelf::{Fleet, HaloLists};
use crate::api::halo::Halo;
use crate::engine::Engine;
use crate::engine::connect::Connections;
use crate::engine::extract::Progress;
use crate::engine::fresh::Freshness;
use crate::engine::planning::{Built, Spec};
use crate::engine::words::Event;
use crate::lifecycle::company::{self, Filter, HaloCompany, MappingFilter, StatusFilter};
use crate::lifecycle::configuration::Configuration;
use crate::lifecycle::term::{self, HaloTerm, Sync, TermChange};
use crate::model::asset::AssetType;
use crate::model::settings::Lifecycle as Settings;
use crate::model::{Class, Entity, Integration, Moment, Place, PlanId, Problem, SourceId, TargetId};
use crate::plan::{self, Action, Change, Outline, Plan, Side, Totals};

/// What is made in Halo for the workspace, in this order.
const FIELDS: [Entity; 2] = [Entity::AssetFields, Entity::AssetTypes];

/// What a plan's rows would write, each with its row.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Stage {
    pub types: Vec<(u32, TermChange)>,
    pub statuses: Vec<(u32, TermChange)>,
    /// The company as it would be; without an id where it is new.
    pub companies: Vec<(u32, Option<u32>, HaloCompany)>,
    /// Companies that Halo lists no more.
    pub missing: Vec<(u32, u32)>,
    /// Halo ids of the companies whose configurations wait, one piece each.
    pub fleets: Vec<i64>,
    pub lists: HaloLists,
}

/// A company's configurations as they would be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StagedFleet {
    pub read_at: Moment,
    /// With the row that writes it; none where nothing changes.
    pub after: Vec<(Option<u32>, Configuration)>,
}

impl Engine {
    /// Reads Halo and stores a plan for the workspace; with [`Entity::Warranty`], also for the dates that go back.
    pub async fn plan_lifecycle(
        self: &Arc<Self>,
        spec: &Spec,
        with: Connections,
        progress: Progress<'_>,
    ) -> Result<Built, Problem> {
        let before = self.budget(Place::Halo).sent();
        let at = self.world.now();
        let mut last = self.book.last(Integration::Lifecycle)?;
        let fingerprint = with.halo.fingerprint().await?;
        same_source(last.fingerprints.get("halo"), &fingerprint)?;
        // A part that Halo did not tell this time does not forget what it told before.
        let known = last.fingerprints.entry("halo".to_owned()).or_default();
        if fingerprint.len() >= known.len() {
            *known = fingerprint;
        }
        let id = PlanId(self.book.next_number("plan")?);
        let mut rows = Rows { only: self.only(spec)?, ..Rows::default() };
        let mut outline = Outline::default();
        let is_here = |entity: &Entity| Integration::Lifecycle.target(*entity).is_here();
        if spec.entities.iter().any(is_here) {
            self.plan_import(spec, id, &with.halo, at, &mut rows, &mut outline, progress).await?;
        }
        let mut entities = spec.entities.clone();
        if entities.iter().any(|entity| FIELDS.contains(entity)) {
            // Types get what is made for them: the two are one plan.
            let place =
                entities.iter().take_while(|entity| **entity < Entity::Warranty && is_here(entity)).count();
            entities.retain(|entity| !FIELDS.contains(entity));
            entities.splice(place..place, FIELDS);
            let new = self.plan_new_fields(&with.halo).await?;
            outline.alerts.extend(new.alerts);
            for change in new.changes {
                rows.push(change);
            }
            for entity in FIELDS {
                outline.complete.insert(entity, true);
            }
        }
        if spec.entities.contains(&Entity::Warranty) {
            let back = self.plan_write_back(&with.halo, progress).await?;
            outline.alerts.extend(back.alerts);
            for change in back.changes {
                rows.push(change);
            }
            outline.complete.insert(Entity::Warranty, true);
        }
        for entity in &entities {
            outline.by_entity.insert(*entity, Totals::default());
        }
        for change in &rows.changes {
            outline.totals.count(change.action);
            outline.by_entity.entry(change.entity).or_default().count(change.action);
        }
        for (entity, count) in rows.uncounted {
            outline.totals.unchanged += count;
            outline.by_entity.entry(entity).or_default().unchanged += count;
        }
        let outside = |c: &&Change| c.action.acts() && !is_here(&c.entity);
        let outside = rows.changes.iter().filter(outside).count() as u64;
        if outside > 0 {
            // Each record is looked at, read with its fields, written and read back.
            let requests = outside * 4;
            let seconds = plan::cost::seconds(requests, &self.settings().pace(Place::Halo));
            outline.cost = plan::Cost { requests: BTreeMap::from([(Place::Halo, requests)]), seconds };
        }
        let hours = i64::from(self.settings().safety(Integration::Lifecycle).plan_hours);
        let mut stored = Plan {
            id,
            integration: Integration::Lifecycle,
            entities,
            scheduled: spec.scheduled,
            purpose: spec.purpose.clone(),
            built_at: at,
            built_by: self.by.clone(),
            expires_at: at.checked_add(hours.hours()).unwrap_or(at),
            rows: u32::try_from(rows.changes.len()).unwrap_or(u32::MAX),
            seen_up_to: BTreeMap::new(),
            read_requests: BTreeMap::from([(Place::Halo, self.budget(Place::Halo).sent() - before)]),
            last,
            missing: Vec::new(),
            hash: String::new(),
            outline,
        };
        self.live().kept = None;
        self.book.put_plan(&mut stored, rows.changes.into_iter())?;
        self.book.prune_plans(10, &self.plans_of_unfinished_jobs()?)?;
        self.tell(Event::Plan(id));
        let fresh = Freshness::each(&stored);
        Ok(Built { plan: stored, fresh, top_level: plan::TopLevel::Default, with })
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of a reading, named at its one call")]
    async fn plan_import(
        self: &Arc<Self>,
        spec: &Spec,
        id: PlanId,
        halo: &Halo,
        at: Moment,
        rows: &mut Rows,
        outline: &mut Outline,
        progress: Progress<'_>,
    ) -> Result<(), Problem> {
        let settings = self.settings();
        let own = &settings.lifecycle;
        let wants = |entity| spec.entities.contains(&entity);
        let workspace = self.workspace()?;
        let local = self.book.companies()?;
        let listing = halo.companies(&|done, of| progress("Halo customers", done, of)).await?;
        let complete = listing.certificate.complete;
        outline.alerts.extend(listing.problems.iter().map(|problem| problem.message.clone()));
        if let Some(why) = &listing.certificate.why_not {
            outline.alerts.push(format!("the list of customers is not complete: {why}"));
        }
        let customers: Vec<HaloCompany> = listing
            .records
            .into_iter()
            .map(|one| HaloCompany {
                id: one.id,
                name: one.name,
                kind: one.kind.map(|(id, name)| HaloTerm { id, name }),
                active: one.is_active,
            })
            .collect();
        let filter = filter(own);
        let mut stage = Stage {
            lists: HaloLists {
                types: halo_types(customers.iter()),
                companies: customers.clone(),
                read_at: Some(at),
                ..self.book.halo_lists()?
            },
            ..Stage::default()
        };

        let mut types = workspace.types.clone();
        if wants(Entity::Types) {
            let sync = if own.types_full_sync { Sync::Full } else { Sync::MappedOnly };
            let mut changes = term::follow(&types, &stage.lists.types, sync);
            if !own.types_full_sync {
                // S14: only those that come with companies.
                let taken = customers.iter().filter(|one| {
                    let mapped = local.iter().any(|company| company.halo == Some(one.id));
                    mapped || filter.excludes(one, false).is_none()
                });
                changes.extend(term::create_unmapped(&types, &halo_types(taken)));
            }
            if !complete {
                changes.retain(|change| !matches!(change, TermChange::Gone { .. }));
            }
            stage.types = term_rows(rows, Entity::Types, &types, &stage.lists.types, &changes);
            types = term::apply(&types, &changes).0;
            outline.complete.insert(Entity::Types, complete);
        }
        let mut statuses = workspace.statuses.clone();
        if wants(Entity::Statuses) && own.statuses_sync {
            let halo_statuses = company::halo_statuses();
            let changes = term::follow(&statuses, &halo_statuses, Sync::Full);
            stage.statuses = term_rows(rows, Entity::Statuses, &statuses, &halo_statuses, &changes);
            statuses = term::apply(&statuses, &changes).0;
            outline.complete.insert(Entity::Statuses, true);
        }

        // The companies as they will be, by Halo id: whose configurations come in, and after which row.
        let mut managed: HashMap<i64, (Option<u32>, String, Option<u32>)> = local
            .iter()
            .filter(|company| company.managed)
            .filter_map(|company| Some((company.halo?, (Some(company.id), company.name.clone(), None))))
            .collect();
        if wants(Entity::Companies) {
            let cap = usize::try_from(own.managed_cap).ok().filter(|cap| *cap > 0);
            let steps = company::load(&local, &customers, (&types, &statuses), &filter, cap, complete);
            for step in steps {
                company_row(rows, &mut stage, &local, &types, step, &mut managed);
            }
            outline.complete.insert(Entity::Companies, complete);
        }
        if wants(Entity::Configurations) {
            if own.configurations_sync {
                let is_chosen = |id: &i64| {
                    (own.companies.is_empty() || own.companies.iter().any(|own| *own == id.to_string()))
                        && rows.only.as_ref().is_none_or(|only| only.customers.contains(&SourceId::from(*id)))
                };
                let scope: HashSet<i64> = managed.keys().copied().filter(is_chosen).collect();
                for own in own.companies.iter().map(|own| own.trim()) {
                    if !managed.keys().any(|id| id.to_string() == own) {
                        outline.alerts.push(format!(
                            "no managed company has the Halo id '{}' (lifecycle.companies)",
                            crate::model::text::shown(own)
                        ));
                    }
                }
                if rows.only.is_some() {
                    let (narrow, whole) = if is_few(&scope) {
                        ("Read for these customers alone: Halo assets. ", "")
                    } else {
                        ("", ", Halo assets (of too many customers to ask for each)")
                    };
                    outline.notes.push(format!("{narrow}Read in full: Halo customers{whole}."));
                }
                let whole = self
                    .plan_configurations(id, halo, at, &scope, &managed, rows, &mut stage, outline, progress);
                let whole = whole.await?;
                outline.complete.insert(Entity::Configurations, whole);
            } else {
                outline.alerts.push("configurations are switched off: what is here is not updated".into());
            }
        }
        self.book.put_stage(id, b"all", &stage)
    }

    #[expect(clippy::too_many_arguments, reason = "each is one part of a reading, named at its one call")]
    async fn plan_configurations(
        &self,
        id: PlanId,
        halo: &Halo,
        at: Moment,
        scope: &HashSet<i64>,
        managed: &HashMap<i64, (Option<u32>, String, Option<u32>)>,
        rows: &mut Rows,
        stage: &mut Stage,
        outline: &mut Outline,
        progress: Progress<'_>,
    ) -> Result<bool, Problem> {
        let settings = self.settings();
        let own = &settings.lifecycle;
        let definitions = halo.asset_fields().await?;
        let reader = Reader::new(own, &definitions);
        stage.lists.know_fields(&definitions, at);
        for missing in &reader.missing {
            outline.alerts.push(format!(
                "the field '{missing}' is not in Halo: `plan lifecycle --entity asset_fields` makes it there, or map another"
            ));
        }
        let types = halo.asset_types().await?;
        let named =
            |name: &str| own.configuration_types.iter().any(|own| own.trim().eq_ignore_ascii_case(name));
        let wanted: Vec<_> =
            types.iter().filter(|t| own.configuration_types.is_empty() || named(&t.name)).collect();
        for unknown in own
            .configuration_types
            .iter()
            .filter(|own| !types.iter().any(|t| t.name.eq_ignore_ascii_case(own.trim())))
        {
            outline.alerts.push(format!("there is no asset type '{unknown}' in Halo"));
        }
        let mut whole = true;
        let mut fresh: BTreeMap<i64, Vec<Configuration>> = BTreeMap::new();
        let mut seen: HashSet<i64> = HashSet::new();
        let is_narrow = rows.only.is_some() && is_few(scope);
        let mut lists: Vec<AssetList> = if is_narrow {
            scope.iter().copied().map(AssetList::OfCustomer).collect()
        } else {
            wanted.iter().map(|kind| AssetList::OfType(kind)).collect()
        };
        lists.sort_by_key(|list| match list {
            AssetList::OfCustomer(id) => *id,
            AssetList::OfType(_) => 0,
        });
        for list in lists {
            let what = list.what();
            let listing = match &list {
                AssetList::OfCustomer(id) => {
                    halo.full_assets_of(&TargetId::from(*id), Some(&reader.ids)).await?
                }
                AssetList::OfType(kind) => {
                    let say = |done: u64, of: Option<u64>| progress(&what, done, of);
                    halo.assets_of_type(&kind.id, Some(&reader.ids), &|asset| asset, &say).await?
                }
            };
            if let Some(why) = &listing.certificate.why_not {
                outline.alerts.push(format!("the list of {what} is not complete: {why}"));
                whole = false;
            }
            for mut asset in listing.records {
                let Some(kind) = wanted.iter().find(|kind| kind.id == asset.asset_type) else { continue };
                let customer = asset.customer.as_ref().and_then(TargetId::number);
                let Some(customer) = customer.filter(|customer| scope.contains(customer)) else { continue };
                if own.configuration_status != "all" && !asset.is_active {
                    continue;
                }
                if reader.needs_details {
                    // Lists do not carry these columns; only what comes in is read one by one.
                    if let Some(details) = halo.asset(&asset.id).await? {
                        asset.columns = details.columns;
                        asset.status = details.status;
                    }
                }
                let configuration = reader.configuration(&asset, &kind.name);
                seen.insert(configuration.id);
                fresh.entry(customer).or_default().push(configuration);
            }
        }
        if is_narrow {
            // What one of these customers had and has no more may be another one's now.
            for id in scope {
                let before = self.book.fleet(*id)?.map(|fleet| fleet.configurations).unwrap_or_default();
                for gone in
                    before.iter().map(|one| one.id).filter(|id| !seen.contains(id)).collect::<Vec<_>>()
                {
                    let now = halo.asset(&TargetId::from(gone)).await?;
                    if now.is_some_and(|asset| asset.customer.and_then(|own| own.number()) != Some(*id)) {
                        seen.insert(gone);
                    }
                }
            }
        }
        // In the order of names, as people look for them.
        let mut order: Vec<(i64, &(Option<u32>, String, Option<u32>))> =
            scope.iter().filter_map(|id| Some((*id, managed.get(id)?))).collect();
        order.sort_by(|a, b| a.1.1.cmp(&b.1.1).then(a.0.cmp(&b.0)));
        for (halo_id, (company, name, after_row)) in order {
            let now = fresh.remove(&halo_id).unwrap_or_default();
            let before = self.book.fleet(halo_id)?.map(|fleet| fleet.configurations).unwrap_or_default();
            let of = Of {
                company: Side { id: halo_id.into(), name: name.as_str().into() },
                target: company.map(|id| TargetId::from(i64::from(id))),
                after_row: *after_row,
            };
            let after = compare(rows, &of, before, now, &seen, whole);
            if after.iter().any(|(row, _)| row.is_some()) {
                self.book.put_stage(id, &halo_id.to_be_bytes(), &StagedFleet { read_at: at, after })?;
                stage.fleets.push(halo_id);
            }
        }
        Ok(whole)
    }
}

/// One of the lists of Halo's assets that configurations come from.
enum AssetList<'a> {
    /// Every customer's of one type.
    OfType(&'a AssetType),
    /// Of one customer, by its id in Halo: for a narrow plan (P56).
    OfCustomer(i64),
}

impl AssetList<'_> {
    fn what(&self) -> String {
        match self {
            Self::OfType(kind) => format!("Halo assets of type {}", kind.name),
            Self::OfCustomer(id) => format!("Halo assets of customer {id}"),
        }
    }
}

/// Few enough to ask Halo for the assets of each by itself.
fn is_few(customers: &HashSet<i64>) -> bool {
    customers.len() <= crate::engine::extract::FEW
}

/// S9: one Halo feeds a workspace; another tenant's data would mix with it.
fn same_source(then: Option<&String>, now: &str) -> Result<(), Problem> {
    match then {
        Some(then) if plan::is_other_account(then, now) => Err(Problem::new(
            Class::Input,
            "This workspace is fed by another Halo: one workspace has one PSA, and the two would be mixed up.",
        )
        .remedy("Use a profile of its own for the other tenant (`--profile NAME`), or set the address back.")),
        _ => Ok(()),
    }
}

/// A company that configuration rows belong to.
struct Of {
    company: Side<SourceId>,
    target: Option<TargetId>,
    after_row: Option<u32>,
}

impl Of {
    fn row(&self, action: Action, configuration: &Configuration, why: String) -> Change {
        let source = Side { id: configuration.id.into(), name: configuration.name.as_str().into() };
        let mut change = Change::new(Entity::Configurations, action, source, [why]);
        change.customer = Some(self.company.clone());
        change.customer_target.clone_from(&self.target);
        change.after_row = self.after_row;
        if action != Action::Create {
            change.target =
                Some(Side { id: configuration.id.into(), name: configuration.name.as_str().into() });
        }
        change
    }
}

/// One company's configurations before and now, as rows; and as they will be.
fn compare(
    rows: &mut Rows,
    of: &Of,
    before: Vec<Configuration>,
    now: Vec<Configuration>,
    seen: &HashSet<i64>,
    whole: bool,
) -> Vec<(Option<u32>, Configuration)> {
    let mut old: BTreeMap<i64, Configuration> = before.into_iter().map(|c| (c.id, c)).collect();
    let mut after = Vec::with_capacity(now.len());
    for configuration in now {
        let row = match old.remove(&configuration.id) {
            None => {
                let mut change =
                    of.row(Action::Create, &configuration, "a managed company's, and new here".into());
                change.fields = facts(&configuration)
                    .into_iter()
                    .map(|(name, value)| field(name, None, Some(&value)))
                    .collect();
                Some(rows.push(change))
            }
            Some(was) if was == configuration => {
                *rows.uncounted.entry(Entity::Configurations).or_default() += 1;
                None
            }
            Some(was) => {
                let mut change =
                    of.row(Action::Update, &configuration, "changed in Halo; Halo's value wins (S2)".into());
                change.fields = differences(&was, &configuration);
                Some(rows.push(change))
            }
        };
        after.push((row, configuration));
    }
    for (id, mut was) in old {
        // It has moved to another company that is read, too.
        if seen.contains(&id) {
            let change = of.row(Action::Update, &was, "belongs to another company now".into());
            let row = rows.push(change);
            // Kept nowhere here: the piece without it is what the row writes.
            after.push((Some(row), Configuration { id: -id, ..was }));
            continue;
        }
        if was.out_of_scope || !whole {
            *rows.uncounted.entry(Entity::Configurations).or_default() += 1;
            after.push((None, was));
            continue;
        }
        let mut change = of.row(
            Action::Update,
            &was,
            "no longer among what Halo lists for the chosen types and statuses; kept, out of every total (S19h)".into(),
        );
        change.fields = vec![field("scope", Some("in scope"), Some("out of scope"))];
        was.out_of_scope = true;
        let row = rows.push(change);
        after.push((Some(row), was));
    }
    after
}

/// The types of some of Halo's customers, by id, each once.
fn halo_types<'a>(customers: impl Iterator<Item = &'a HaloCompany>) -> Vec<HaloTerm> {
    let mut types: Vec<HaloTerm> = Vec::new();
    for kind in customers.filter_map(|one| one.kind.as_ref()) {
        if !types.iter().any(|own| own.id == kind.id) {
            types.push(kind.clone());
        }
    }
    types.sort();
    types
}

fn filter(own: &Settings) -> Filter {
    Filter {
        types: own.company_types.clone(),
        not_types: own.company_types_excluded.clone(),
        status: match own.company_status.as_str() {
            "inactive" => StatusFilter::Inactive,
            "all" => StatusFilter::All,
            _ => StatusFilter::Active,
        },
        mapping: match own.company_mapping.as_str() {
            "mapped" => MappingFilter::Mapped,
            "unmapped" => MappingFilter::Unmapped,
            _ => MappingFilter::All,
        },
    }
}

/// A staged piece as it will lie in the index, without the rows that were left out.
pub(super) fn settle(staged: StagedFleet, before: Option<Fleet>, takes: impl Fn(u32) -> bool) -> Fleet {
    let mut old: HashMap<i64, Configuration> =
        before.into_iter().flat_map(|fleet| fleet.configurations).map(|c| (c.id, c)).collect();
    let mut configurations = Vec::with_capacity(staged.after.len());
    for (row, configuration) in staged.after {
        let taken = row.is_none_or(&takes);
        match (taken, configuration.id) {
            // Moved away.
            (true, ..0) => {}
            (true, _) => configurations.push(configuration),
            (false, id) => configurations.extend(old.remove(&id.abs())),
        }
    }
    Fleet { read_at: staged.read_at, configurations }
}
