//! Answers for screens and scripts: from memory and the index, never from the network.

use std::collections::HashMap;

use super::Engine;
use super::connect::missing;
use super::expiry::Expiry;
use super::keys;
use super::log;
use super::records::{Ordered, RowEnd};
use crate::engine::words::{
    Answer, JobReport, JobRow, JobState, Leads, MapCounts, Overview, PlaceState, PlaceView, PlanEntry,
    PlanFilter, PlanGroup, PlanOrder, Presence, Query, SettingsView, ToDo,
};
use crate::integrations;
use crate::model::{Class, Date, Entity, Integration, JobId, Place, PlanId, Problem, SourceId};
use crate::plan::{Action, Cause, Change};

/// A test is stale after this many hours (C10).
const TEST_HOURS: i64 = 24;

impl Engine {
    pub fn answer(&self, query: Query) -> Result<Answer, Problem> {
        Ok(match query {
            Query::Overview => Answer::Overview(Box::new(self.overview()?)),
            Query::Settings => Answer::Settings(Box::new(self.settings_view()?)),
            Query::MapOrder { integration, filter, by_target } => {
                Answer::MapOrder(Box::new(self.map_order(integration, &filter, by_target)?))
            }
            Query::PushRows { text } => Answer::PushRows(self.push_rows(&text)?),
            Query::MapRows { integration, ids } => Answer::MapRows(self.map_rows(integration, &ids)?),
            Query::Candidates { rivals_of: Some(id), integration, .. } => {
                Answer::Candidates(self.rivals(integration, &id)?)
            }
            Query::Candidates { integration, text, limit, .. } => {
                Answer::Candidates(self.candidates(integration, &text, limit)?)
            }
            Query::Fields { integration } => {
                Answer::Fields(integrations::field_rules(integration, &self.settings()))
            }
            Query::FieldTable { integration } => Answer::FieldTable(Box::new(self.field_table(integration)?)),
            Query::FieldSides { integration } => Answer::FieldSides(Box::new(self.field_sides(integration))),
            Query::FieldVerdict { integration, row, at } => {
                Answer::FieldVerdict(Box::new(self.field_verdict(integration, &row, at)?))
            }
            Query::Plan { plan } => Answer::Plan(Box::new(self.plan(plan)?)),
            Query::PlanOrder { plan, filter, order } => {
                Answer::PlanOrder(self.plan_order(plan, &filter, order)?)
            }
            Query::PlanGroups { plan, filter } => Answer::PlanGroups(self.plan_groups(plan, &filter)?),
            Query::PlanRows { plan, rows } => Answer::PlanRows(self.book.plan_rows(plan, &rows)?),
            Query::Jobs { last } => Answer::Jobs(self.jobs(last)?),
            Query::Job { job } => Answer::Job(Box::new(self.job(job)?)),
            Query::Presence => Answer::Presence(Presence::default()),
            Query::JobRows { job, from, limit } => Answer::JobRows(self.job_rows(job, from, limit)?),
            Query::Issues { integration } => Answer::Issues(self.issues(integration)?),
            Query::Schedules { past } => Answer::Schedules(self.schedules(past)?),
            Query::Log { job, filter, from, limit } => {
                Answer::Log(log::read(&self.places.logs(), job, &filter, from, limit)?)
            }
            Query::Lifecycle(query) => Answer::Lifecycle(Box::new(self.lifecycle_answer(&query)?)),
        })
    }

    fn settings_view(&self) -> Result<SettingsView, Problem> {
        Ok(SettingsView {
            settings: (*self.settings()).clone(),
            sealed: self.vault().keys(),
            top_levels: self.book.get_big(&keys::top_levels())?.unwrap_or_default(),
        })
    }

    /// Jobs, newest first, the running one as it stands now.
    pub fn jobs(&self, last: usize) -> Result<Vec<JobReport>, Problem> {
        let jobs = self.book.jobs(last)?.into_iter().map(|(report, ..)| self.as_it_stands(report)).collect();
        Ok(jobs)
    }

    pub fn job(&self, job: JobId) -> Result<JobReport, Problem> {
        let stored = self.book.job(job)?.ok_or_else(|| {
            Problem::new(Class::Input, format!("There is no job {job}."))
                .remedy("`parhelion jobs` lists them.")
        })?;
        Ok(self.as_it_stands(stored.0))
    }

    /// Rows that a job was to write or that wait, from a row on, with what became of them; what was not reached yet is
    /// left out.
    fn job_rows(&self, job: JobId, from: u32, limit: usize) -> Result<Vec<JobRow>, Problem> {
        let report = self.job(job)?;
        let Some(plan) = report.plan else { return Ok(Vec::new()) };
        let Some(plan) = self.book.plan(plan)? else {
            return self.told_past_rows(&report, from, limit);
        };
        let ended = self.book.rows(job)?;
        let mut rows = Vec::new();
        let first = from.saturating_sub(1) / super::book::CHUNK;
        for chunk in first..plan.rows.div_ceil(super::book::CHUNK) {
            for change in self.book.plan_chunk(plan.id, chunk)? {
                let state = ended.get(&change.row);
                let end = match (state, change.action) {
                    _ if change.row < from => continue,
                    (Some(state), _) => state.end,
                    (None, Action::Held) => RowEnd::Held,
                    (None, _) => continue,
                };
                let planned = || change.reasons.first().map(ToString::to_string).unwrap_or_default();
                let message = match (state, end) {
                    (_, RowEnd::Done) => String::new(),
                    (Some(state), _) if !state.message.is_empty() => state.message.clone(),
                    _ => planned(),
                };
                rows.push(JobRow { change, end, message });
                if rows.len() >= limit {
                    return Ok(rows);
                }
            }
        }
        Ok(rows)
    }

    fn as_it_stands(&self, mut report: JobReport) -> JobReport {
        let waits = matches!(report.state, JobState::Running | JobState::Interrupted);
        report.is_paused = waits && matches!(self.book.wish(report.job), Ok(Some(Ordered::Pause)));
        if let Some(running) = self.live().running.as_ref().filter(|r| r.job == report.job) {
            report.stages = running.tally.stages();
            report.totals = running.tally.totals();
            report.problems = running.tally.problems();
            report.plan = running.report.plan;
        }
        report
    }

    /// Row numbers in the order of the plan screen.
    fn plan_order(&self, plan: PlanId, filter: &PlanFilter, order: PlanOrder) -> Result<Vec<u32>, Problem> {
        let plan = self.plan(plan)?;
        let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
        let mut rows: Vec<(u8, rust_decimal::Decimal, u32)> = Vec::new();
        self.book.each_plan_row(&plan, |change| {
            if shows(&change, filter, &words) {
                let (rank, money) = match order {
                    PlanOrder::Urgency => (urgency(&change), rust_decimal::Decimal::ZERO),
                    PlanOrder::Row => (0, rust_decimal::Decimal::ZERO),
                    PlanOrder::Money => (0, -change.money.unwrap_or_default().abs()),
                };
                rows.push((rank, money, change.row));
            }
            Ok(())
        })?;
        rows.sort_unstable();
        Ok(rows.into_iter().map(|(_, _, row)| row).collect())
    }

    /// Rows by customer: the customer with the most urgent row first, each customer's rows by urgency.
    fn plan_groups(&self, plan: PlanId, filter: &PlanFilter) -> Result<Vec<PlanGroup>, Problem> {
        let plan = self.plan(plan)?;
        let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
        // One number may be an environment's and a customer's of Halo that goes there.
        let mut at: HashMap<(bool, SourceId), usize> = HashMap::new();
        let mut groups: Vec<(u8, PlanGroup, Vec<u8>)> = Vec::new();
        self.book.each_plan_row(&plan, |change| {
            if !shows(&change, filter, &words) {
                return Ok(());
            }
            let customer = change.customer.as_ref().unwrap_or(&change.source);
            let key = (change.entity.goes_back(), customer.id.clone());
            let index = *at.entry(key).or_insert_with(|| {
                groups.push((
                    u8::MAX,
                    PlanGroup { customer: customer.clone(), rows: Vec::new() },
                    Vec::new(),
                ));
                groups.len() - 1
            });
            let (first, group, ranks) = &mut groups[index];
            let rank = urgency(&change);
            *first = rank.min(*first);
            ranks.push(rank);
            group.rows.push(entry(&change));
            Ok(())
        })?;
        // Both sorts are stable: equal urgency keeps the order of the plan.
        groups.sort_by_key(|(first, ..)| *first);
        Ok(groups
            .into_iter()
            .map(|(_, mut group, ranks)| {
                let mut rows: Vec<_> = ranks.into_iter().zip(group.rows).collect();
                rows.sort_by_key(|(rank, _)| *rank);
                group.rows = rows.into_iter().map(|(_, row)| row).collect();
                group
            })
            .collect())
    }

    fn overview(&self) -> Result<Overview, Problem> {
        let settings = self.settings();
        let jobs = self.jobs(50)?;
        let interrupted: Vec<JobReport> =
            jobs.iter().filter(|j| j.state == JobState::Interrupted).cloned().collect();
        let running = self.running();
        let mut places = vec![self.halo_view()?];
        for integration in Integration::ALL {
            places.push(self.integration_view(
                integration,
                &jobs,
                running.as_ref().is_some_and(|r| r.integration == integration),
            )?);
        }
        Ok(Overview {
            profile: self.places.profile.clone(),
            kind: settings.profile.kind,
            theme: settings.profile.theme.clone(),
            places,
            running,
            interrupted,
            last: jobs.into_iter().find(|j| j.state != JobState::Running),
        })
    }

    fn halo_view(&self) -> Result<PlaceView, Problem> {
        let settings = self.settings();
        let test = self.last_test(Place::Halo)?;
        let missing = missing(&settings, Place::Halo);
        let state = match &test {
            _ if !missing.is_empty() => PlaceState::NotConfigured,
            None => PlaceState::Untested,
            Some(test) if test.ok => PlaceState::Ok,
            Some(_) => PlaceState::Failing,
        };
        let pace = settings.halo.pace;
        let budget = if pace.requests == 0 {
            format!("no request window; {} at once", pace.at_once)
        } else {
            format!(
                "{} requests in {} s, of which {:.0} %; {} at once",
                pace.requests,
                pace.per_seconds,
                pace.share * 100.0,
                pace.at_once
            )
        };
        let mut to_do = Vec::new();
        connection_to_do(&mut to_do, "Halo", state, test.as_ref());
        let expiry = self.expiry(Place::Halo);
        expiry_to_do(&mut to_do, expiry);
        Ok(PlaceView {
            place: Place::Halo,
            state,
            address: settings.halo.resource_server.clone(),
            account: settings.halo.client_id.clone(),
            test_is_stale: self.is_stale(test.as_ref()),
            test,
            last_job: None,
            map: MapCounts::default(),
            secret_days: expiry.map(|expiry| expiry.days),
            read_at: None,
            options: vec![
                format!("pace {budget}"),
                format!("settle time {} s", settings.halo.settle_seconds),
            ],
            schedule: None,
            to_do,
        })
    }

    fn integration_view(
        &self,
        integration: Integration,
        jobs: &[JobReport],
        runs: bool,
    ) -> Result<PlaceView, Problem> {
        let settings = self.settings();
        let of = settings.of(integration);
        let place = Place::Of(integration);
        let test = self.last_test(place)?;
        let missing = missing(&settings, place);
        let last_job =
            jobs.iter().find(|j| j.integration == integration && j.state != JobState::Running).cloned();
        let state = match &test {
            _ if !of.enabled => PlaceState::Off,
            _ if !missing.is_empty() => PlaceState::NotConfigured,
            _ if runs => PlaceState::Running,
            Some(test) if !test.ok => PlaceState::Failing,
            _ if last_job.as_ref().is_some_and(|j| j.state == JobState::Failed) => PlaceState::Failing,
            Some(_) => PlaceState::Ok,
            None if last_job.is_some() => PlaceState::Ok,
            None => PlaceState::Untested,
        };
        let parties = self.parties(integration)?;
        let map = parties.counts();
        let options = integrations::options(integration, &settings);
        let mut to_do = Vec::new();
        connection_to_do(&mut to_do, integration.label(), state, test.as_ref());
        let expiry = self.expiry(place);
        if of.enabled {
            expiry_to_do(&mut to_do, expiry);
        }
        let schedule = self.schedule_view(integration, 1)?;
        if let Some(why) = schedule.obstacle.as_ref().filter(|_| schedule.enabled && state != PlaceState::Off)
        {
            let leads_to = if schedule.is_paused { Leads::Test } else { Leads::Settings };
            to_do.push(ToDo { sentence: format!("schedule {why}"), leads_to });
        }
        if let Some(job) =
            jobs.iter().find(|j| j.integration == integration && j.state == JobState::Interrupted)
        {
            to_do.push(ToDo {
                sentence: format!("{} was interrupted: go on or cancel", job.job),
                leads_to: Leads::Jobs,
            });
        }
        if matches!(state, PlaceState::Ok | PlaceState::Untested | PlaceState::Running) {
            if parties.read.read_at.is_none() && integration.has_mapping_table() {
                to_do.push(ToDo {
                    sentence: "read the customers of both sides".into(),
                    leads_to: Leads::Customers,
                });
            } else if map.exact > 0 {
                to_do.push(ToDo {
                    sentence: format!(
                        "{} an exact namesake in {}: one key maps {}",
                        if map.exact == 1 {
                            "1 customer has".into()
                        } else {
                            format!("{} customers have", map.exact)
                        },
                        integration.target(integration.root()).label(),
                        if map.exact == 1 { "it" } else { "them" }
                    ),
                    leads_to: Leads::Customers,
                });
            }
            let undecided = map.unmapped.saturating_sub(map.exact);
            if undecided > 0 {
                to_do.push(ToDo {
                    sentence: format!("{undecided} customers unmapped: look, then plan"),
                    leads_to: Leads::Customers,
                });
            }
            if map.orphaned > 0 {
                to_do.push(ToDo {
                    sentence: format!("{} mappings have lost their partner", map.orphaned),
                    leads_to: Leads::Customers,
                });
            }
            if let Some(job) = last_job.as_ref().filter(|j| j.totals.failed + j.totals.rows.held > 0) {
                to_do.push(ToDo {
                    sentence: format!(
                        "{} left {} rows held and {} failed: plan again to see them",
                        job.job, job.totals.rows.held, job.totals.failed
                    ),
                    leads_to: Leads::Plan,
                });
            } else if last_job.is_none() {
                if integration == Integration::Liongard && !self.takes_assets(integration)? {
                    to_do.push(ToDo {
                        sentence:
                            "customers come first: assets follow one import of them, or a default site (L4)"
                                .into(),
                        leads_to: Leads::Plan,
                    });
                }
                to_do.push(ToDo {
                    sentence: "plan the first import: nothing is written before you have seen it".into(),
                    leads_to: Leads::Plan,
                });
            }
        }
        Ok(PlaceView {
            place,
            state,
            address: of.url.to_owned(),
            account: of.account.to_owned(),
            test_is_stale: self.is_stale(test.as_ref()),
            test,
            last_job,
            map,
            secret_days: expiry.map(|expiry| expiry.days),
            read_at: parties.read.read_at,
            options,
            schedule: Some(Box::new(schedule)),
            to_do,
        })
    }

    /// When the secret of a place expires, seen from today.
    pub(super) fn expiry(&self, place: Place) -> Option<Expiry> {
        Expiry::of(&self.settings(), place, self.today())
    }

    /// This machine's day.
    pub(super) fn today(&self) -> Date {
        self.world.now().to_zoned(jiff::tz::TimeZone::system()).date()
    }

    fn is_stale(&self, test: Option<&crate::engine::words::TestReport>) -> bool {
        test.is_some_and(|t| self.world.now().duration_since(t.at).as_hours() >= TEST_HOURS)
    }
}

fn expiry_to_do(to_do: &mut Vec<ToDo>, expiry: Option<Expiry>) {
    if let Some(expiry) = expiry.filter(Expiry::is_near) {
        to_do.push(ToDo { sentence: expiry.sentence(), leads_to: Leads::Settings });
    }
}

fn connection_to_do(
    to_do: &mut Vec<ToDo>,
    label: &str,
    state: PlaceState,
    test: Option<&crate::engine::words::TestReport>,
) {
    match state {
        PlaceState::Off => to_do.push(ToDo {
            sentence: format!("{label} is off: Space switches it on"),
            leads_to: Leads::Settings,
        }),
        PlaceState::NotConfigured => {
            to_do.push(ToDo {
                sentence: format!("set up the connection to {label}"),
                leads_to: Leads::Settings,
            });
        }
        PlaceState::Untested => {
            to_do.push(ToDo { sentence: "test the connection (t)".into(), leads_to: Leads::Test });
        }
        PlaceState::Failing => {
            let why = test
                .and_then(|t| t.checks.iter().find(|c| c.state == crate::engine::words::CheckState::Failed))
                .map_or_else(|| "the last job failed".to_owned(), |c| format!("{}: {}", c.name, c.message));
            to_do.push(ToDo { sentence: why, leads_to: Leads::Settings });
        }
        PlaceState::Ok | PlaceState::Running => {}
    }
}

fn entry(change: &Change) -> PlanEntry {
    let hold = change.hold.as_deref();
    PlanEntry {
        row: change.row,
        entity: change.entity,
        source: change.source.id.clone(),
        action: change.action,
        beyond_limit: hold
            .filter(|hold| matches!(hold.cause, Cause::Limit { overridable: true, .. }))
            .map(|hold| hold.would_be),
        // Of what goes the other way the ids are Halo's: such a pair is settled in the mapping table.
        is_look_alike: change.customer.is_none()
            && change.entity != Entity::Push
            && hold
                .is_some_and(|hold| matches!(hold.cause, Cause::LookAlike { .. } | Cause::Ambiguous { .. })),
        after_row: change.after_row,
        currency: change.currency,
        money: change.money,
    }
}

fn shows(change: &Change, filter: &PlanFilter, words: &[String]) -> bool {
    if change.action == Action::Unchanged
        && !filter.with_unchanged
        && !filter.actions.contains(&Action::Unchanged)
    {
        return false;
    }
    if !filter.actions.is_empty() && !filter.actions.contains(&change.action) {
        return false;
    }
    let customer = change.customer.as_ref().unwrap_or(&change.source);
    if filter.customer.as_ref().is_some_and(|only| *only != customer.id) {
        return false;
    }
    if words.is_empty() {
        return true;
    }
    let target = change.target.as_ref().map_or("", |t| &*t.name);
    let text =
        format!("{} {} {} {}", customer.name, change.source.name, target, change.source.id).to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// What needs a decision or hurts comes first (ux.md 3.8).
fn urgency(change: &Change) -> u8 {
    match (change.action, change.hold.as_ref().map(|h| &h.cause)) {
        (_, Some(Cause::LookAlike { .. } | Cause::Ambiguous { .. })) => 0,
        (_, Some(Cause::Limit { .. } | Cause::SafeMode)) | (Action::Zero | Action::Deactivate, _) => 1,
        (Action::Held, _) => 2,
        (Action::Create | Action::Update | Action::Link, _)
            if change.fields.iter().any(|f| {
                matches!(f.name, crate::model::FieldName::Price | crate::model::FieldName::Cost)
                    && f.before.is_some()
            }) =>
        {
            3
        }
        (Action::Create | Action::Update | Action::Link, _) => 4,
        (Action::Skipped, _) => 5,
        (Action::Unchanged, _) => 6,
    }
}
