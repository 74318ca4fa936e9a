//! Answers about the workspace, from the store alone.

use std::collections::{BTreeMap, HashMap};

use super::shelf::Aside;
use super::words::{CompanyView, FieldState, LifecycleAnswer, LifecycleQuery, WorkspaceView};
use crate::engine::Engine;
use crate::engine::words::{Check, CheckState};
use crate::lifecycle::assess::Judge;
use crate::lifecycle::company::{self, Company};
use crate::lifecycle::configuration::{Configuration, Local};
use crate::lifecycle::report::{self, Head, Report, ReportId, State};
use crate::lifecycle::setup::{self, Facts, Right};
use crate::lifecycle::summary::Summary;
use crate::lifecycle::template::Mode;
use crate::lifecycle::term::HaloTerm;
use crate::model::{Integration, Moment, Place, Problem};

impl Engine {
    pub fn lifecycle_answer(&self, query: &LifecycleQuery) -> Result<LifecycleAnswer, Problem> {
        Ok(match query {
            LifecycleQuery::Overview => LifecycleAnswer::Overview(Box::new(self.workspace_view()?)),
            LifecycleQuery::Companies => LifecycleAnswer::Companies(self.company_views()?),
            LifecycleQuery::Configurations { company } => {
                LifecycleAnswer::Configurations(self.now(*company, Mode::Build)?.rows)
            }
            LifecycleQuery::Reports => LifecycleAnswer::Reports(self.report_heads()?),
            LifecycleQuery::Now { company, mode } => {
                LifecycleAnswer::Report(Box::new(self.now(*company, *mode)?))
            }
            LifecycleQuery::Report { report, mode } => {
                LifecycleAnswer::Report(Box::new(self.report(*report, *mode)?))
            }
            LifecycleQuery::Portfolio => LifecycleAnswer::Portfolio(self.portfolio()?),
        })
    }

    /// A company's configurations, with what is known beyond Halo.
    fn configurations(&self, company: &Company) -> Result<Vec<(Configuration, Option<Local>)>, Problem> {
        let Some(halo) = company.halo else { return Ok(Vec::new()) };
        let Some(fleet) = self.book.fleet(halo)? else { return Ok(Vec::new()) };
        fleet
            .configurations
            .into_iter()
            .map(|configuration| {
                let local = self.book.local(configuration.id)?;
                Ok((configuration, local))
            })
            .collect()
    }

    /// A company's report as it is now; under its draft's number where one is open.
    fn now(&self, id: u32, mode: Mode) -> Result<Report, Problem> {
        let company = self.known_company(id)?;
        let draft = self.book.draft(id)?;
        let (report, created) = draft.unwrap_or((0, self.world.now()));
        self.work_out(&company, report, created, mode)
    }

    fn work_out(
        &self,
        company: &Company,
        report: u32,
        created: Moment,
        mode: Mode,
    ) -> Result<Report, Problem> {
        let workspace = self.workspace()?;
        let head = draft_head(company, report, created);
        let configurations = self.configurations(company)?;
        let judge = Judge::new(&workspace, self.today());
        Ok(report::draft(&judge, head, company, &configurations, mode))
    }

    /// A draft worked out now, or a completed report as it was frozen.
    pub fn report(&self, id: ReportId, mode: Mode) -> Result<Report, Problem> {
        if let Some(report) = self.book.frozen(id)? {
            return Ok(report);
        }
        let draft = self.book.drafts()?.into_iter().find(|(_, report, _)| *report == id.0);
        let Some((company, report, created)) = draft else {
            return Err(super::edit::input(format!("there is no report {id}"))
                .remedy("`parhelion lifecycle reports list` shows them."));
        };
        self.work_out(&self.known_company(company)?, report, created, mode)
    }

    /// Drafts first, then completed ones, newest first.
    fn report_heads(&self) -> Result<Vec<Head>, Problem> {
        let mut heads = Vec::new();
        for (company, report, at) in self.book.drafts()? {
            heads.push(draft_head(&self.known_company(company)?, report, at));
        }
        heads.sort_by_key(|head| std::cmp::Reverse(head.id));
        let mut frozen = self.book.heads()?;
        frozen.sort_by_key(|head| std::cmp::Reverse(head.id));
        heads.extend(frozen);
        Ok(heads)
    }

    /// Every managed company added up, one company at a time: memory stays where it is however many there are.
    fn portfolio(&self) -> Result<Vec<(u32, Summary)>, Problem> {
        let workspace = self.workspace()?;
        let judge = Judge::new(&workspace, self.today());
        let any_local = self.book.has_locals()?;
        let mut sums = Aside::default();
        for company in self.managed()? {
            let mut sum = Summary::default();
            if let Some(fleet) = company.halo.map(|halo| self.book.fleet(halo)).transpose()?.flatten() {
                for configuration in &fleet.configurations {
                    let local = if any_local { self.book.local(configuration.id)? } else { None };
                    sum.add(configuration, &judge.assess(&company, configuration, local.as_ref()));
                }
            }
            sums.put(&(company.id, sum))?;
        }
        sums.take()
    }

    fn company_views(&self) -> Result<Vec<CompanyView>, Problem> {
        let workspace = self.workspace()?;
        let drafts: HashMap<u32, u32> =
            self.book.drafts()?.into_iter().map(|(company, report, _)| (company, report)).collect();
        let name = |terms: &[crate::lifecycle::term::Term], id: Option<u32>| {
            id.and_then(|id| terms.iter().find(|term| term.id == id))
                .map(|t| t.name.clone())
                .unwrap_or_default()
        };
        let mut views = Vec::new();
        for company in self.book.companies()? {
            let count = company.halo.map(|halo| self.book.fleet_count(halo)).transpose()?.flatten();
            let status = match name(&workspace.statuses, company.status) {
                status if status.is_empty() => company::status_word(company.active).to_owned(),
                status => status,
            };
            views.push(CompanyView {
                kind: name(&workspace.types, company.kind),
                status,
                configurations: count.map_or(0, |(count, _)| count),
                draft: drafts.get(&company.id).map(|report| ReportId(*report)),
                read_at: count.map(|(_, at)| at),
                company,
            });
        }
        views.sort_by(|a, b| a.company.name.cmp(&b.company.name).then(a.company.id.cmp(&b.company.id)));
        Ok(views)
    }

    fn workspace_view(&self) -> Result<WorkspaceView, Problem> {
        let workspace = self.workspace()?;
        let lists = self.book.halo_lists()?;
        let settings = self.settings();
        let companies = self.book.companies()?;
        let managed: Vec<&Company> = companies.iter().filter(|company| company.managed).collect();
        let (mut kinds, mut statuses) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
        let mut configurations = 0;
        for company in &managed {
            let Some(fleet) = company.halo.map(|halo| self.book.fleet(halo)).transpose()?.flatten() else {
                continue;
            };
            for configuration in fleet.configurations {
                configurations += 1;
                *kinds.entry(configuration.kind).or_default() += 1;
                *statuses.entry(configuration.status).or_default() += 1;
            }
        }
        let (kinds, statuses): (Vec<_>, Vec<_>) =
            (kinds.into_iter().collect(), statuses.into_iter().collect());
        let own = &settings.lifecycle;
        let rights = self.last_test(Place::Of(Integration::Lifecycle))?.map_or_else(Vec::new, |test| {
            let right = |check: Check| Right {
                works: match check.state {
                    CheckState::Ok => Some(true),
                    CheckState::Failed => Some(false),
                    CheckState::Unproven | CheckState::Skipped => None,
                },
                name: check.name,
                says: check.message,
            };
            test.checks.into_iter().map(right).collect()
        });
        let is_mapped = |one: &&HaloTerm| {
            workspace.types.iter().any(|term| term.halo.as_ref().is_some_and(|halo| halo.id == one.id))
        };
        let unmapped =
            if own.types_full_sync { lists.types.iter().filter(|one| !is_mapped(one)).count() } else { 0 };
        let fields = self.field_views()?;
        let missing: Vec<String> = fields
            .iter()
            .filter(|field| field.state == FieldState::Missing)
            .map(|field| field.halo.clone())
            .collect();
        let setup = setup::steps(&Facts {
            rights,
            types: &workspace.types,
            statuses: &workspace.statuses,
            unmapped_types: unmapped,
            managed: managed.len() as u64,
            has_age_field: !own.purchase_date_field.is_empty() || !own.install_date_field.is_empty(),
            has_expiration_field: !own.expiration_date_field.is_empty(),
            missing_fields: &missing,
            configurations,
            configurations_are_off: !own.configurations_sync,
            kinds: &kinds,
            classes: &workspace.classes,
            grades_are_ours: workspace.grades_are_ours,
            templates: workspace.templates.len(),
            reports: self.book.heads()?.len() + self.book.drafts()?.len(),
            writes_back: own.writes_back(),
        });
        Ok(WorkspaceView {
            setup,
            fields,
            halo_types: lists.types,
            halo_statuses: company::halo_statuses(),
            types: workspace.types,
            statuses: workspace.statuses,
            grades: workspace.grades,
            grades_are_ours: workspace.grades_are_ours,
            classes: workspace.classes,
            policies: workspace.policies,
            templates: workspace.templates,
            currency: workspace.currency,
            companies: companies.len() as u64,
            managed: managed.len() as u64,
            cap: settings.lifecycle.managed_cap,
            configurations,
            configuration_types: kinds,
            configuration_statuses: statuses,
            read_at: lists.read_at,
            configurations_are_off: !settings.lifecycle.configurations_sync,
            writes_back: settings.lifecycle.writes_back(),
        })
    }
}

fn draft_head(company: &Company, report: u32, created: Moment) -> Head {
    Head {
        id: ReportId(report),
        company: company.id,
        halo: company.halo,
        name: company.name.clone(),
        state: State::Draft,
        created,
        completed: None,
    }
}
