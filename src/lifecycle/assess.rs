//! One configuration judged by the workspace's rules: usable dates, age, warranty, grade, class, budget year.

use std::cell::RefCell;
use std::collections::HashMap;

use super::age::{self, Age, DateFault, Warranty};
use super::budget::{FiscalYear, budget_year, replacement};
use super::class::{self, Budget, Class};
use super::company::Company;
use super::configuration::{Configuration, Dates, Local};
use super::grade::{self, Graded};
use super::rule::{Ending, Facts, Test};
use super::workspace::Workspace;
use super::{os, serial, warranty};
use crate::model::Date;

/// What judges the configurations of any number of companies on one day.
pub struct Judge<'w> {
    pub workspace: &'w Workspace,
    pub today: Date,
    /// Whether each operating system met so far is out of support: a few dozen names stand on half a million machines.
    os: RefCell<HashMap<String, bool>>,
    asks_os: bool,
}

/// What came out for one configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment<'w> {
    /// Halo's and ours settled, without what is in quarantine.
    pub dates: Dates,
    pub faults: Vec<DateFault>,
    pub age: Age,
    pub warranty: Warranty,
    pub grade: Graded<'w>,
    pub class: Option<&'w Class>,
    /// In the totals: in scope, and its type needs dates at all.
    pub counts: bool,
    /// In the budget: counts, is a thing one buys, and was not left out by hand.
    pub is_budgeted: bool,
    pub is_virtual: bool,
    pub serial_is_good: bool,
    pub replace_on: Option<Date>,
    /// What ends within the warning period of its type.
    pub ending: Option<Ending>,
    pub year: Option<FiscalYear>,
    pub budget: Budget,
}

impl<'w> Judge<'w> {
    pub fn new(workspace: &'w Workspace, today: Date) -> Self {
        let asks_os = workspace
            .grades
            .iter()
            .flat_map(|rule| &rule.when.0)
            .any(|t| *t == Test::OsUnsupported)
            || workspace.classes.iter().flat_map(|class| &class.rule.0).any(|t| *t == Test::OsUnsupported);
        Self { workspace, today, os: RefCell::default(), asks_os }
    }

    pub fn assess(
        &self,
        company: &Company,
        configuration: &Configuration,
        local: Option<&Local>,
    ) -> Assessment<'w> {
        let workspace = self.workspace;
        let policy = class::policy_for(&workspace.policies, &configuration.kind, company.id.into());
        let is_virtual = policy.is_some_and(|policy| policy.is_virtual);
        let (dates, faults) = settle(workspace, configuration, local, self.today);
        let age = age::age(&dates, &faults, self.today);
        let warranty = match age::warranty(dates.expiration, self.today) {
            _ if is_virtual => Warranty::NotApplicable,
            warranty => warranty,
        };
        let serial_is_good = serial::is_good(&configuration.serial);
        let mut facts = Facts {
            configuration,
            age,
            warranty,
            os_is_unsupported: self.asks_os && self.os_is_unsupported(&configuration.os),
            serial_is_good,
            ending: None,
        };
        let class = class::class_for(&workspace.classes, local.and_then(|l| l.class.as_deref()), &facts);
        let life = policy
            .filter(|policy| policy.company.is_some())
            .map(|policy| policy.life_months)
            .or(class.map(|class| class.life_months))
            .or(policy.map(|policy| policy.life_months))
            .unwrap_or(class::DEFAULT_LIFE);
        let replace_on = age.from().map(|from| replacement(from, life));
        facts.ending =
            policy.and_then(|policy| ending(policy.warning_months, replace_on, warranty, self.today));
        let ending = facts.ending;
        let grade = grade::grade(&workspace.grades, &facts);
        let counts = !configuration.out_of_scope && !policy.is_some_and(|policy| policy.exempt);
        let is_budgeted = counts && !is_virtual && !local.is_some_and(|local| local.off_budget);
        let first_month = workspace.first_month_of(company);
        let year = replace_on.filter(|_| is_budgeted).map(|due| budget_year(due, self.today, first_month));
        let budget = class.filter(|_| is_budgeted).map_or(Budget::NONE, |class| class.budget);
        Assessment {
            dates,
            faults,
            age,
            warranty,
            grade,
            class,
            counts,
            is_budgeted,
            is_virtual,
            serial_is_good,
            replace_on,
            ending,
            year,
            budget,
        }
    }

    /// Why an assessment's grade was given, in words.
    pub fn reason(&self, configuration: &Configuration, assessment: &Assessment<'_>) -> String {
        let facts = Facts {
            configuration,
            age: assessment.age,
            warranty: assessment.warranty,
            os_is_unsupported: self.os_is_unsupported(&configuration.os),
            serial_is_good: assessment.serial_is_good,
            ending: assessment.ending,
        };
        grade::reason(&self.workspace.grades, &assessment.grade, &facts)
    }

    fn os_is_unsupported(&self, name: &str) -> bool {
        if name.is_empty() {
            return false;
        }
        if let Some(known) = self.os.borrow().get(name) {
            return *known;
        }
        let is_over = os::support_end(name).is_some_and(|end| end < self.today);
        let mut names = self.os.borrow_mut();
        // Names come from outside: a flood of different ones must not fill the memory.
        if names.len() < 10_000 {
            names.insert(name.to_owned(), is_over);
        }
        is_over
    }
}

/// What ends within so many months, or has ended: its life, else its warranty.
fn ending(months: u32, replace_on: Option<Date>, warranty: Warranty, today: Date) -> Option<Ending> {
    if months == 0 {
        return None;
    }
    let limit = replacement(today, months);
    let warranty = match warranty {
        Warranty::Left { until, .. } => Some(until),
        Warranty::Over { since } => Some(since),
        Warranty::Unknown | Warranty::NotApplicable => None,
    };
    let life = replace_on.filter(|day| *day < limit).map(Ending::Life);
    life.or(warranty.filter(|day| *day < limit).map(Ending::Warranty))
}

/// Halo's dates and ours as one, by the policies of the write-back: what the plan shows is what Halo would get. A date
/// of Halo's that is in quarantine counts as none.
fn settle(
    workspace: &Workspace,
    configuration: &Configuration,
    local: Option<&Local>,
    today: Date,
) -> (Dates, Vec<DateFault>) {
    let (halo, mut faults) = age::sift_configuration(configuration, configuration.dates, today);
    let Some(local) = local.filter(|local| !local.dates.is_empty()) else { return (halo, faults) };
    let mut dates = halo;
    for (field, ours) in &local.dates {
        let policy = workspace.warranty.of(*field);
        if let Some(date) = warranty::settle(*field, policy, dates.get(*field), ours.date) {
            dates.set(*field, Some(date));
        }
    }
    let (dates, more) = age::sift(dates, today);
    faults.retain(|fault| fault.field().is_none_or(|field| dates.get(field).is_none()));
    faults.extend(more);
    (dates, faults)
}
