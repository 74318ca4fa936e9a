//! The planning workspace of the canned world: three companies, the first with nine configurations.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use parhelion::host::words::*;
use parhelion::lifecycle::assess::Judge;
use parhelion::lifecycle::class::{Budget, Class, parse_amount};
use parhelion::lifecycle::company::{Company, halo_statuses};
use parhelion::lifecycle::configuration::{Configuration, Dates, Local};
use parhelion::lifecycle::report::{self, Head, Report, ReportId, State};
use parhelion::lifecycle::setup::{self, Facts, Right};
use parhelion::lifecycle::summary::Summary;
use parhelion::lifecycle::template::Mode;
use parhelion::lifecycle::term::{HaloTerm, Term};
use parhelion::lifecycle::workspace::Workspace;
use parhelion::model::asset::FieldKind;
use parhelion::model::{Class as Kind, Currency, Problem};

const TODAY: Date = date(2026, 11, 21);

pub struct Desk {
    pub workspace: Workspace,
    pub companies: Vec<Company>,
    pub locals: BTreeMap<i64, Local>,
    pub heads: Vec<Head>,
    pub halo_types: Vec<HaloTerm>,
}

fn halo(id: &str, name: &str) -> HaloTerm {
    HaloTerm { id: id.into(), name: name.into() }
}

fn term(id: u32, name: &str, halo: Option<HaloTerm>) -> Term {
    Term { id, name: name.into(), halo, gone: false }
}

pub fn class(kind: &str, name: &str, hardware: &str, rule: &str) -> Class {
    let amount = |text: &str| parse_amount(text, None).expect("an amount");
    let budget = Budget {
        hardware: amount(hardware),
        setup: amount("100"),
        onsite: amount("50"),
        recurring: amount("0"),
    };
    let (kind, name) = (kind.into(), name.into());
    Class { kind, name, budget, life_months: 60, rule: rule.parse().expect("tests") }
}

fn fields() -> Vec<FieldView> {
    let field = |field: &str, halo: &str, kind, state| FieldView {
        field: Some(field.into()),
        halo: halo.into(),
        kind,
        state,
    };
    vec![
        field("serial", "Serial Number", FieldKind::Text, FieldState::There),
        field("purchase date", "Bought On", FieldKind::Date, FieldState::Missing),
        field("install date", "", FieldKind::Date, FieldState::Unmapped),
    ]
}

fn company(id: u32, name: &str, managed: bool) -> Company {
    Company {
        id,
        name: name.into(),
        halo: Some(100 + i64::from(id)),
        kind: Some(1),
        status: Some(1),
        active: true,
        managed,
        notes: String::new(),
        first_month: None,
    }
}

fn configuration(id: i64, kind: &str, months_old: Option<i64>, warranty: Option<i64>) -> Configuration {
    let ago = |months: i64| TODAY.checked_sub(months.months()).expect("a date");
    Configuration {
        id,
        name: format!("{}-{id:03}", if kind == "Server" { "SRV" } else { "LT" }),
        kind: kind.into(),
        status: "Active".into(),
        serial: format!("5CG{id:07}"),
        model: if id % 2 == 0 { "Latitude Pro".into() } else { "Latitude".into() },
        os: "Windows 11 Pro".into(),
        dates: Dates {
            purchase: months_old.map(ago),
            expiration: warranty.map(|months| ago(-months)),
            ..Dates::default()
        },
        ..Configuration::default()
    }
}

fn configurations(company: u32) -> Vec<Configuration> {
    let all = match company {
        1 => vec![
            (1, "Laptop", Some(75), Some(-20)),
            (2, "Laptop", Some(62), Some(-2)),
            (3, "Laptop", Some(50), Some(8)),
            (4, "Laptop", Some(40), Some(8)),
            (5, "Laptop", Some(14), Some(22)),
            (6, "Laptop", Some(5), Some(31)),
            (7, "Server", Some(66), Some(-6)),
            (8, "Server", Some(20), Some(40)),
            (9, "Laptop", None, None),
        ],
        2 => vec![(21, "Laptop", Some(3), Some(33)), (22, "Laptop", Some(3), Some(33))],
        _ => Vec::new(),
    };
    all.into_iter().map(|(id, kind, age, warranty)| configuration(id, kind, age, warranty)).collect()
}

impl Desk {
    pub fn new() -> Self {
        let mut workspace = Workspace {
            classes: vec![
                class("Laptop", "Premium", "1500", "model~pro"),
                class("Laptop", "Basic", "900", "always"),
            ],
            currency: Currency::new("GBP"),
            types: vec![term(1, "Customer", Some(halo("1", "Customer"))), term(2, "Client", None)],
            ..Workspace::default()
        };
        workspace.statuses =
            (1..).zip(halo_statuses()).map(|(id, one)| term(id, &one.name.clone(), Some(one))).collect();
        Self {
            workspace,
            companies: vec![
                company(1, "Alder & Finch Ltd", true),
                company(2, "Birch Workwear Limited", true),
                company(3, "Cedar Court", false),
            ],
            locals: BTreeMap::new(),
            heads: Vec::new(),
            halo_types: vec![halo("1", "Customer"), halo("2", "School")],
        }
    }

    fn judged(&self, id: u32, mode: Mode, head: Head) -> Option<Report> {
        let company = self.companies.iter().find(|company| company.id == id)?;
        let judge = Judge::new(&self.workspace, TODAY);
        let all: Vec<_> =
            configurations(id).into_iter().map(|c| (c.clone(), self.locals.get(&c.id).cloned())).collect();
        Some(report::draft(&judge, head, company, &all, mode))
    }

    fn head(&self, report: u32, company: u32) -> Head {
        Head {
            id: ReportId(report),
            company,
            halo: Some(100 + i64::from(company)),
            name: self
                .companies
                .iter()
                .find(|own| own.id == company)
                .map(|own| own.name.clone())
                .unwrap_or_default(),
            state: State::Draft,
            created: super::engine::at("20T10:00"),
            completed: None,
        }
    }

    fn view(&self) -> WorkspaceView {
        let own = &self.workspace;
        let kinds = vec![("Laptop".to_owned(), 9), ("Server".to_owned(), 2)];
        let right = |name: &str, works, says: &str| Right { name: name.into(), works, says: says.into() };
        let setup = setup::steps(&Facts {
            rights: vec![
                right("customers", Some(true), "312 rows"),
                right("assets", Some(true), "2,114 rows"),
            ],
            types: &own.types,
            statuses: &own.statuses,
            unmapped_types: 1,
            managed: 2,
            has_age_field: true,
            has_expiration_field: true,
            configurations: 11,
            kinds: &kinds,
            classes: &own.classes,
            grades_are_ours: own.grades_are_ours,
            templates: own.templates.len(),
            reports: self.heads.len(),
            ..Facts::default()
        });
        WorkspaceView {
            types: own.types.clone(),
            statuses: own.statuses.clone(),
            halo_types: self.halo_types.clone(),
            halo_statuses: halo_statuses(),
            grades: own.grades.clone(),
            grades_are_ours: own.grades_are_ours,
            classes: own.classes.clone(),
            policies: own.policies.clone(),
            templates: own.templates.clone(),
            currency: own.currency,
            companies: 3,
            managed: 2,
            cap: 0,
            configurations: 11,
            configuration_types: kinds,
            configuration_statuses: vec![("Active".into(), 10), ("In stock".into(), 1)],
            read_at: Some(super::engine::at("21T06:00")),
            configurations_are_off: false,
            writes_back: false,
            setup,
            fields: fields(),
        }
    }

    pub fn ask(&self, query: &LifecycleQuery) -> Result<LifecycleAnswer, Problem> {
        let judge = Judge::new(&self.workspace, TODAY);
        Ok(match query {
            LifecycleQuery::Overview => LifecycleAnswer::Overview(Box::new(self.view())),
            LifecycleQuery::Companies => LifecycleAnswer::Companies(
                self.companies
                    .iter()
                    .map(|own| CompanyView {
                        company: own.clone(),
                        kind: "Customer".into(),
                        status: "Active".into(),
                        configurations: configurations(own.id).len() as u64,
                        draft: self.heads.iter().find(|head| head.company == own.id).map(|head| head.id),
                        read_at: None,
                    })
                    .collect(),
            ),
            LifecycleQuery::Reports => LifecycleAnswer::Reports(self.heads.clone()),
            LifecycleQuery::Portfolio => LifecycleAnswer::Portfolio(
                self.companies
                    .iter()
                    .filter(|own| own.managed)
                    .map(|own| {
                        let mut sum = Summary::default();
                        for one in configurations(own.id) {
                            sum.add(&one, &judge.assess(own, &one, self.locals.get(&one.id)));
                        }
                        (own.id, sum)
                    })
                    .collect(),
            ),
            LifecycleQuery::Report { report, mode } => {
                let head = self.heads.iter().find(|head| head.id == *report);
                let found = head.and_then(|head| self.judged(head.company, *mode, head.clone()));
                let found = found.ok_or_else(|| Problem::new(Kind::Input, "There is no such report."))?;
                LifecycleAnswer::Report(Box::new(found))
            }
            _ => return Err(Problem::new(Kind::Input, "This world does not know that.")),
        })
    }

    /// Carries out what the tests look at afterwards.
    pub fn tell(&mut self, order: &LifecycleOrder) -> (Result<Reply, Problem>, Vec<Event>) {
        let mut said = "Saved.".to_owned();
        match order {
            LifecycleOrder::OpenReport { company } => {
                let known = self.heads.iter().find(|head| head.company == *company).map(|head| head.id);
                let report = known.unwrap_or(ReportId(self.heads.len() as u32 + 1));
                if known.is_none() {
                    self.heads.push(self.head(report.0, *company));
                }
                let reply = Reply::Report { report, new: known.is_none() };
                return (Ok(reply), vec![Event::Lifecycle]);
            }
            LifecycleOrder::Grades { rules } => {
                self.workspace.grades_are_ours = rules.is_none();
                self.workspace.grades =
                    rules.clone().unwrap_or_else(parhelion::lifecycle::grade::default_rules);
            }
            LifecycleOrder::SetClass { was, class } => {
                let old = was.as_ref().unwrap_or(&class.name);
                self.workspace.classes.retain(|own| own.kind != class.kind || own.name != *old);
                self.workspace.classes.push(class.clone());
            }
            LifecycleOrder::RemoveClass { kind, name } => {
                self.workspace.classes.retain(|own| own.kind != *kind || own.name != *name);
            }
            LifecycleOrder::SetTemplate { was, template } => {
                let old = was.as_ref().unwrap_or(&template.name);
                self.workspace.templates.retain(|own| own.name != *old);
                self.workspace.templates.push(template.clone());
            }
            LifecycleOrder::SetPolicy { policy } => self.workspace.policies.push(policy.clone()),
            LifecycleOrder::Manage { companies, managed } => {
                for own in self.companies.iter_mut().filter(|own| companies.contains(&own.id)) {
                    own.managed = *managed;
                }
            }
            LifecycleOrder::Assets { assets, changes } => {
                for asset in assets {
                    let local = self.locals.entry(*asset).or_default();
                    for change in changes {
                        match change {
                            AssetChange::Class(name) => local.class.clone_from(name),
                            AssetChange::Template(name) => local.template.clone_from(name),
                            AssetChange::OffBudget(off) => local.off_budget = *off,
                            AssetChange::Date(..) => {}
                        }
                    }
                }
            }
            LifecycleOrder::Complete { report } => {
                for head in self.heads.iter_mut().filter(|head| head.id == *report) {
                    head.state = State::Completed;
                    head.completed = Some(super::engine::at("21T14:05"));
                }
                said = format!("{report} is completed; it never changes again.");
            }
            LifecycleOrder::RemoveTerm { .. } => {
                let problem = Problem::new(
                    Kind::Input,
                    "'Customer' is in Halo, and would come again with the next import.",
                );
                return (Err(problem), Vec::new());
            }
            _ => {}
        }
        (Ok(Reply::Done(said)), vec![Event::Lifecycle])
    }
}
