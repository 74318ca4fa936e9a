//! The planning workspace: Halo's assets brought in, judged, reported on, and their dates put right in Halo.
//!
//! | file | is |
//! |---|---|
//! | `words` | what viewers ask and are told |
//! | `shelf` | where everything lies in the index |
//! | `import` | Halo read and compared: a plan whose rows change the workspace |
//! | `reader`, `rows` | an asset as a configuration; a change as a row of the plan |
//! | `carry` | those rows carried out |
//! | `edit` | what people change, as steps that can be taken back |
//! | `assign` | classes and templates, and what belongs to them by hand |
//! | `warranty` | dates from files, and the plan that writes dates into Halo |
//! | `views` | answers |

mod assign;
mod carry;
mod edit;
mod import;
mod new_fields;
mod reader;
mod rows;
pub mod shelf;
mod views;
mod warranty;
pub mod words;

pub use warranty::{field_id, field_name};

use crate::engine::Engine;
use crate::lifecycle::class::{Class, TypePolicy};
use crate::lifecycle::company::Company;
use crate::lifecycle::grade::GradeRule;
use crate::lifecycle::template::Template;
use crate::lifecycle::term::Term;
use crate::lifecycle::warranty::{Policies, Policy, WriteBack};
use crate::lifecycle::workspace::{Edit, Workspace};
use crate::model::{Currency, Problem};

impl Engine {
    /// The rules everything is judged by: decisions from the store, the rest from the settings.
    pub fn workspace(&self) -> Result<Workspace, Problem> {
        let settings = self.settings();
        let own = &settings.lifecycle;
        let mut workspace = Workspace {
            currency: Currency::new(&own.currency).or_else(|| Currency::new(&settings.halo.currency)),
            first_month: i8::try_from(own.fiscal_year_start).unwrap_or(1),
            warranty: self.write_back().policies,
            ..Workspace::default()
        };
        let book = &self.book;
        let edits = [
            book.lifecycle_part::<Vec<Term>>("types")?.map(Edit::Types),
            book.lifecycle_part::<Vec<Term>>("statuses")?.map(Edit::Statuses),
            book.lifecycle_part::<Option<Vec<GradeRule>>>("grades")?.map(Edit::Grades),
            book.lifecycle_part::<Vec<Class>>("classes")?.map(Edit::Classes),
            book.lifecycle_part::<Vec<TypePolicy>>("policies")?.map(Edit::Policies),
            book.lifecycle_part::<Vec<Template>>("templates")?.map(Edit::Templates),
        ];
        for edit in edits.into_iter().flatten() {
            workspace.take(edit);
        }
        Ok(workspace)
    }

    /// What goes back into Halo, by the settings.
    fn write_back(&self) -> WriteBack {
        let settings = self.settings();
        let own = &settings.lifecycle;
        let policy = Policy::find(&own.warranty_policy);
        WriteBack {
            expiration: own.write_expiration_date,
            start: own.write_warranty_start,
            purchase: own.write_purchase_date,
            estimated: own.write_estimated,
            policies: Policies { expiration: policy, start: policy, purchase: policy },
        }
    }

    fn managed(&self) -> Result<Vec<Company>, Problem> {
        let mut companies = self.book.companies()?;
        companies.retain(|company| company.managed);
        Ok(companies)
    }
}
