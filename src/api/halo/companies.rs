//! Halo's customers as the planning workspace needs them: with what they are to the house (apis/halopsa.md 3).

use serde::Deserialize;

use super::client::{Halo, not_a_record};
use crate::api::lenient::{Entry, List};
use crate::api::listing::{Listing, Page, Progress};
use crate::api::row::{Scalar, read_page_of};
use crate::model::{Class, Problem};

/// A customer with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    pub id: i64,
    pub name: String,
    /// Id and name of its type; `None` where Halo tells none.
    pub kind: Option<(String, String)>,
    pub is_active: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CompanyRow {
    id: Scalar,
    name: Scalar,
    inactive: Scalar,
    customertype: Scalar,
    customer_relationship: List<Entry<Named>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Scalar,
    name: Scalar,
}

impl Halo {
    /// Every customer with its type, inactive ones too. The type is the first relationship that has a name; where there
    /// is none, the number of the customer type, since no public source says which list names those.
    pub async fn companies(&self, progress: Progress<'_>) -> Result<Listing<Company>, Problem> {
        let parse = |body: &[u8], what: &str| -> Result<Page<Company>, String> {
            let page = read_page_of::<CompanyRow>(body, "clients")?;
            let rows = page.rows.into_iter().map(|row| {
                let company = company(row.ok_or_else(|| not_a_record(what))?)?;
                Ok((company.id, company))
            });
            Ok(Page { rows: rows.collect(), total: page.total })
        };
        self.paged("companies", "/Client", &[("includeinactive", "true")], &parse, progress).await
    }
}

fn company(row: CompanyRow) -> Result<Company, Problem> {
    let name = row.name.text().unwrap_or_default().trim().to_owned();
    let Some(id) = row.id.id().filter(|id| *id > 0) else {
        let name = crate::model::text::shown(&name);
        return Err(Problem::new(
            Class::Record,
            format!("A customer that Halo listed ('{name}') has no usable id."),
        ));
    };
    let relationships = match row.customer_relationship {
        List::Items(rows) => rows,
        List::NotAList => Vec::new(),
    };
    let named = relationships.into_iter().find_map(|entry| {
        let Entry::Object(row) = entry else { return None };
        Some((row.id.id()?.to_string(), row.name.text()?.trim().to_owned()))
    });
    let numbered = || {
        let number = row.customertype.id().filter(|id| *id > 0)?;
        Some((format!("type-{number}"), format!("Customer type {number}")))
    };
    Ok(Company {
        id,
        kind: named.filter(|(_, name)| !name.is_empty()).or_else(numbered),
        // `inactive` is missing only on builds that omit what is false.
        is_active: !row.inactive.flag().unwrap_or(false),
        name,
    })
}
