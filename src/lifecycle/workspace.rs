//! The workspace: what people decided about types, statuses, grades, classes and templates. Configurations are not
//! in here; they lie in the index, company by company.

use serde::{Deserialize, Serialize};

use super::class::{Class, TypePolicy};
use super::company::Company;
use super::configuration::Local;
use super::grade::{self, GradeRule};
use super::report::Report;
use super::template::{self, Template};
use super::term::Term;
use super::warranty::Policies;
use crate::model::{Currency, Moment};

/// Everything that rows are judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    pub types: Vec<Term>,
    pub statuses: Vec<Term>,
    /// `None`: our own default set.
    pub grades: Vec<GradeRule>,
    pub grades_are_ours: bool,
    pub classes: Vec<Class>,
    pub policies: Vec<TypePolicy>,
    pub templates: Vec<Template>,
    /// From the settings.
    pub currency: Option<Currency>,
    /// First month of the fiscal year, 1 to 12; companies can have their own.
    pub first_month: i8,
    /// How a local date and Halo's are settled.
    pub warranty: Policies,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            types: Vec::new(),
            statuses: Vec::new(),
            grades: grade::default_rules(),
            grades_are_ours: true,
            classes: Vec::new(),
            policies: Vec::new(),
            templates: vec![Template::named(template::DEFAULT)],
            currency: None,
            first_month: 1,
            warranty: Policies::default(),
        }
    }
}

impl Workspace {
    pub fn first_month_of(&self, company: &Company) -> i8 {
        company.first_month.unwrap_or(self.first_month).clamp(1, 12)
    }

    /// Takes a change of what people decided. Changes of companies, assets and reports are kept elsewhere.
    pub fn take(&mut self, edit: Edit) {
        match edit {
            Edit::Types(types) => self.types = types,
            Edit::Statuses(statuses) => self.statuses = statuses,
            Edit::Grades(rules) => {
                self.grades_are_ours = rules.is_none();
                self.grades = rules.unwrap_or_default();
                self.take_our_grades();
            }
            Edit::Classes(classes) => self.classes = classes,
            Edit::Policies(policies) => {
                self.policies = policies;
                self.take_our_grades();
            }
            Edit::Templates(templates) => self.templates = templates,
            Edit::Company(_)
            | Edit::Local { .. }
            | Edit::Draft { .. }
            | Edit::Discard { .. }
            | Edit::Complete(_) => {}
        }
    }

    fn take_our_grades(&mut self) {
        if self.grades_are_ours {
            let warns = self.policies.iter().any(|policy| policy.warning_months > 0);
            self.grades = if warns { grade::default_rules_that_warn() } else { grade::default_rules() };
        }
    }
}

/// A fact of the workspace, as the trail keeps it: always the whole new value, so that taking it twice is taking it
/// once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", content = "to", rename_all = "snake_case")]
pub enum Edit {
    Types(Vec<Term>),
    Statuses(Vec<Term>),
    /// `None`: our default set again.
    Grades(Option<Vec<GradeRule>>),
    Classes(Vec<Class>),
    Policies(Vec<TypePolicy>),
    Templates(Vec<Template>),
    Company(Box<Company>),
    /// What is known of an asset beyond Halo; an empty one forgets it.
    Local {
        asset: i64,
        local: Box<Local>,
    },
    /// A company's draft was opened.
    Draft {
        report: u32,
        company: u32,
        at: Moment,
    },
    Discard {
        report: u32,
        company: u32,
    },
    /// A draft was completed: frozen as it stands.
    Complete(Box<Report>),
}
