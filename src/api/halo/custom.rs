//! The own fields of Halo's customers: found by name, read in a list where lists carry them, written back whole
//! (apis/halopsa.md 9). They are made by Halo's administrators only.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::client::{Halo, Saved, not_a_record};
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::lenient::{Entry, List};
use crate::api::listing::{Listing, Page, Progress};
use crate::api::row::{Row, Scalar, read_page_of};
use crate::model::{Class, Problem, TargetId};

/// An own field of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    pub id: i64,
    /// As programs call it: `CFHuduUrl`.
    pub name: Box<str>,
}

/// A custom field: its definition, or one customer's value.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CustomRow {
    pub id: Scalar,
    pub name: Scalar,
    pub label: Scalar,
    pub value: Scalar,
    pub display: Scalar,
}

pub(super) type CustomRows = List<Entry<CustomRow>>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Customer {
    id: Scalar,
    customfields: Option<CustomRows>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    customfields: CustomRows,
}

impl Halo {
    /// The own field of customers of that name or label; `None` where Halo has none.
    pub async fn custom_field(&self, name: &str) -> Result<Option<CustomField>, Problem> {
        let name = name.trim();
        // 2 is customers.
        let what = "the custom fields of customers";
        let page = self
            .get(what, "/FieldInfo", &[("typeid", "2")], |body| {
                read_page_of::<CustomRow>(body, "customfields")
            })
            .await?;
        let named = |field: &CustomRow| {
            [&field.name, &field.label]
                .into_iter()
                .any(|text| text.text().is_some_and(|text| text.eq_ignore_ascii_case(name)))
        };
        let mut fields = page.rows.into_iter().flatten().filter(named);
        Ok(fields.find_map(|field| {
            Some(CustomField { id: field.id.id()?, name: field.name.text().unwrap_or_else(|| name.into()) })
        }))
    }

    /// Every active customer with what `read` makes of its own fields; `None` for one whose row says nothing of them.
    pub(super) async fn customs<T: PartialEq + Send>(
        &self,
        what: &str,
        field: i64,
        read: &(dyn Fn(CustomRows) -> T + Send + Sync),
        progress: Progress<'_>,
    ) -> Result<Listing<(TargetId, Option<T>)>, Problem> {
        let id = field.to_string();
        let parse = |body: &[u8], what: &str| -> Result<Page<(TargetId, Option<T>)>, String> {
            let page = read_page_of::<Customer>(body, "clients")?;
            let rows = page.rows.into_iter().map(|row| {
                let row = row.ok_or_else(|| not_a_record(what))?;
                let Some(id) = row.id.id().filter(|id| *id > 0) else {
                    let why = "A customer that Halo listed has no usable id.";
                    return Err(Problem::new(Class::Record, why));
                };
                Ok((id, (TargetId::from(id), row.customfields.map(read))))
            });
            Ok(Page { rows: rows.collect(), total: page.total })
        };
        self.paged(what, "/Client", &[("include_custom_fields", id.as_str())], &parse, progress).await
    }

    /// Every active customer and what the field holds, blank for nothing; `None` where the list does not say.
    pub async fn custom_values(
        &self,
        field: i64,
        progress: Progress<'_>,
    ) -> Result<Listing<(TargetId, Option<Box<str>>)>, Problem> {
        let of = move |rows: CustomRows| {
            let mut rows = objects(rows).into_iter();
            rows.find(|row| row.id.id() == Some(field)).and_then(|row| row.value.text()).unwrap_or_default()
        };
        self.customs("own fields of customers", field, &of, progress).await
    }

    /// One customer's own fields, each by its name with what it holds; `None` where Halo knows no such customer.
    pub async fn own_fields(&self, id: &TargetId) -> Result<Option<Vec<(Box<str>, Box<str>)>>, Problem> {
        let Some(json) = self.one("customer", "/Client", id).await? else { return Ok(None) };
        let row: Details =
            serde_json::from_value(json).map_err(|_| not_a_record("a customer's own fields"))?;
        let named = |row: CustomRow| Some((row.name.text()?, row.value.text().unwrap_or_default()));
        Ok(Some(objects(row.customfields).into_iter().filter_map(named).collect()))
    }

    /// Sets some of a customer's own fields, by their names. They are read right before and sent back whole, so that none
    /// is lost where Halo blanks what is left out, as it does with an asset's (decision 19).
    pub async fn set_own_fields(
        &self,
        permit: Permit,
        id: &TargetId,
        values: &[(Box<str>, Box<str>)],
    ) -> WriteVerdict<TargetId> {
        match self.whole(id, values).await {
            Ok(json) => {
                let saved = |body: &[u8]| Saved::row(body, &["id"], |_| Ok(id.clone()));
                self.update(permit, "customer", "/Client", id, json, saved).await
            }
            Err(problem) => WriteVerdict::NotSent(problem),
        }
    }

    async fn whole(
        &self,
        id: &TargetId,
        values: &[(Box<str>, Box<str>)],
    ) -> Result<Map<String, Json>, Problem> {
        let json = self.on_behalf().one("customer", "/Client", id).await?;
        let json = json.ok_or_else(|| {
            Problem::new(Class::Record, format!("Halo no longer has customer {id}; nothing was sent."))
        })?;
        let current = json.get("customfields").and_then(Json::as_array).cloned().unwrap_or_default();
        let name_of = |row: &Json| Row::of(row, &["name"]).and_then(|row| row.get("name").text());
        let mut rows: Vec<Json> = Vec::new();
        let mut left: Vec<&(Box<str>, Box<str>)> = values.iter().collect();
        for row in &current {
            let Some(number) = row.get("id") else { continue };
            let name = name_of(row).unwrap_or_default();
            let ours = left.iter().position(|(own, _)| own.eq_ignore_ascii_case(&name));
            let value = match ours {
                Some(at) => json!(left.remove(at).1),
                None => row.get("value").cloned().unwrap_or(Json::Null),
            };
            rows.push(json!({"id": number, "value": value}));
        }
        if let Some((name, _)) = left.first() {
            let name = crate::model::text::shown(name);
            return Err(Problem::new(
                Class::Record,
                format!("Customer {id} in Halo has no field '{name}'; nothing was sent."),
            ));
        }
        Ok(Map::from_iter([("customfields".to_owned(), Json::Array(rows))]))
    }
}

fn objects(rows: CustomRows) -> Vec<CustomRow> {
    let List::Items(rows) = rows else { return Vec::new() };
    let object = |row| match row {
        Entry::Object(row) => Some(row),
        Entry::Other => None,
    };
    rows.into_iter().filter_map(object).collect()
}
