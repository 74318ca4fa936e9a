//! What Halo's customers say of being taken to Liongard (L17): the flag of a custom field, when they were made, and the
//! environment that Halo's own integration has for them (apis/halopsa.md 3 and 9).

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::client::{Halo, Saved, not_a_record};
use super::custom::CustomRows;
use super::translate;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::lenient::{Entry, List};
use crate::api::listing::{Listing, Progress};
use crate::api::row::{Scalar, read_page_of};
use crate::model::{Class, FieldName, Fields, Found, MatchKeys, Moment, Problem, TargetId, Value};

/// The flag that Halo itself has for this: a column, so no list carries it.
const NATIVE: &str = "sync_to_liongard";

/// Where customers carry the flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagField {
    /// A custom field.
    Custom { id: i64, name: Box<str> },
    /// Halo's own column.
    Native,
}

/// What one customer's details say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncFacts {
    /// When it was made, where Halo says so.
    pub created: Option<Moment>,
    /// The environment that Halo's own integration has for it.
    pub environment: Option<i64>,
    pub flag: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DetailRow {
    name: Scalar,
    datecreated: Scalar,
    liongardid: Scalar,
    sync_to_liongard: Scalar,
    customfields: CustomRows,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Numbered {
    id: Scalar,
}

impl FlagField {
    /// What a plan calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Custom { name, .. } => name,
            Self::Native => NATIVE,
        }
    }
}

impl Halo {
    /// Every custom field of one customer as a flag, by the field's name, and Halo's own; `None` where Halo knows no such
    /// customer.
    pub async fn flags_of(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let Some(json) = self.one("customer", "/Client", id).await? else { return Ok(None) };
        let row: DetailRow =
            serde_json::from_value(json).map_err(|_| not_a_record("a customer's details"))?;
        let mut fields =
            Fields::new().with(FieldName::own(NATIVE), Value::Flag(is_on(&row.sync_to_liongard)));
        if let List::Items(all) = row.customfields {
            for one in all {
                let Entry::Object(one) = one else { continue };
                if let Some(name) = one.name.text().filter(|name| !name.trim().is_empty()) {
                    let on = is_on(&one.value) || is_on(&one.display);
                    fields.set(FieldName::own(name.trim()), Value::Flag(on));
                }
            }
        }
        Ok(Some(Found {
            id: id.clone(),
            name: row.name.text().unwrap_or_default().as_ref().into(),
            parent: None,
            is_active: true,
            marker: None,
            fields,
            keys: MatchKeys::default(),
            currency: None,
            main_site: None,
        }))
    }

    /// Switches a flag of a customer. Its custom fields are read right before and sent back whole (P24), and read again
    /// after: how Halo takes them is not proven (apis/halopsa.md 9 and 13).
    pub async fn set_flag(&self, permit: Permit, id: &TargetId, name: &str, on: bool) -> WriteVerdict<()> {
        let halo = self.on_behalf();
        let mut json = Map::new();
        if name.eq_ignore_ascii_case(NATIVE) {
            json.insert(NATIVE.into(), json!(on));
        } else {
            match halo.with_flag(id, name, on).await {
                Ok(fields) => drop(json.insert("customfields".into(), fields)),
                Err(problem) => return WriteVerdict::NotSent(problem),
            }
        }
        match self
            .update(permit, "customer", "/Client", id, json, |body| Saved::row(body, &["id"], |_| Ok(())))
            .await
        {
            WriteVerdict::Done(()) => {}
            other => return other,
        }
        let stuck = halo.flags_of(id).await.ok().flatten();
        let held = stuck.as_ref().and_then(|found| {
            found
                .fields
                .iter()
                .find(|(field, _)| field.key().eq_ignore_ascii_case(name))
                .map(|(_, held)| held)
        });
        match held {
            Some(held) if *held != Value::Flag(on) => WriteVerdict::Rejected(
                Problem::new(
                    Class::Record,
                    format!("Halo took the flag {name} of customer {id}, and shows it unchanged."),
                )
                .remedy(
                    "Switch it in Halo by hand; is the field a check box, and may the agent edit customers?",
                ),
            ),
            _ => WriteVerdict::Done(()),
        }
    }

    /// A customer's custom fields as they are, with this one switched.
    async fn with_flag(&self, id: &TargetId, name: &str, on: bool) -> Result<Json, Problem> {
        let gone = |what: String| Problem::new(Class::Record, what).remedy("Plan again.");
        let Some(FlagField::Custom { id: field, .. }) = self.flag_field(name).await? else {
            return Err(gone(format!("Halo no longer has the field {name} of customers.")));
        };
        let found = self.one("customer", "/Client", id).await?;
        let found = found.ok_or_else(|| gone(format!("Customer {id} is no longer in Halo.")))?;
        let rows = match found.get("customfields") {
            Some(Json::Array(rows)) => rows.clone(),
            None | Some(Json::Null) => Vec::new(),
            Some(_) => {
                return Err(gone(format!(
                    "The custom fields of customer {id} could not be read; nothing was written."
                )));
            }
        };
        let mut kept: Vec<Json> = Vec::new();
        for row in &rows {
            let Some(other) = row.get("id").and_then(Json::as_i64).filter(|other| *other != field) else {
                continue;
            };
            kept.push(json!({"id": other, "value": row.get("value")}));
        }
        kept.push(json!({"id": field, "value": on.to_string()}));
        Ok(Json::Array(kept))
    }

    /// The field of customers of that name or label; `None` where Halo has none.
    pub async fn flag_field(&self, name: &str) -> Result<Option<FlagField>, Problem> {
        if name.trim().eq_ignore_ascii_case(NATIVE) {
            return Ok(Some(FlagField::Native));
        }
        Ok(self
            .custom_field(name)
            .await?
            .map(|field| FlagField::Custom { id: field.id, name: field.name.trim().into() }))
    }

    /// Every active customer and whether its flag is on; `None` for one whose row says nothing of its custom fields.
    pub async fn flags(
        &self,
        field: i64,
        progress: Progress<'_>,
    ) -> Result<Listing<(TargetId, Option<bool>)>, Problem> {
        self.customs("flags of customers", field, &|all| flag_in(all, field), progress).await
    }

    /// How many customers Halo counts, and the highest id among those it lists first when asked for the newest: where
    /// both are as before, nobody was made since. The order is not promised (apis/halopsa.md 4), the count is.
    pub async fn newest_customer(&self) -> Result<(Option<u64>, i64), Problem> {
        let query = [
            ("pageinate", "true"),
            ("page_no", "1"),
            ("page_size", "50"),
            ("order", "id"),
            ("orderdesc", "true"),
        ];
        let page = self
            .get("the newest customers", "/Client", &query, |body| read_page_of::<Numbered>(body, "clients"))
            .await?;
        let ids = page.rows.into_iter().flatten().filter_map(|row| row.id.id());
        Ok((page.total, ids.max().unwrap_or(0)))
    }

    /// One customer's details; `None` where Halo knows no such id.
    pub async fn sync_facts(
        &self,
        id: &TargetId,
        field: Option<&FlagField>,
    ) -> Result<Option<SyncFacts>, Problem> {
        let Some(json) = self.one("customer", "/Client", id).await? else { return Ok(None) };
        facts(json, field).map(Some)
    }
}

fn facts(json: Json, field: Option<&FlagField>) -> Result<SyncFacts, Problem> {
    let row: DetailRow = serde_json::from_value(json).map_err(|_| not_a_record("a customer's details"))?;
    Ok(SyncFacts {
        created: row.datecreated.text().and_then(|text| translate::moment(&text)),
        environment: row.liongardid.id().filter(|id| *id > 0),
        flag: match field {
            None => false,
            Some(FlagField::Native) => is_on(&row.sync_to_liongard),
            Some(FlagField::Custom { id, .. }) => flag_in(row.customfields, *id),
        },
    })
}

fn flag_in(all: CustomRows, field: i64) -> bool {
    let List::Items(all) = all else { return false };
    all.into_iter().any(|one| match one {
        // Of a list the value is the option's id, and the text is shown.
        Entry::Object(one) => one.id.id() == Some(field) && (is_on(&one.value) || is_on(&one.display)),
        Entry::Other => false,
    })
}

/// A check box as Halo's products write it.
fn is_on(value: &Scalar) -> bool {
    match value {
        Scalar::Text(text) => {
            ["yes", "on", "1", "y"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
                || value.flag().unwrap_or(false)
        }
        // A larger number is an option's id, which says nothing by itself.
        Scalar::Number(_) => value.id() == Some(1),
        _ => value.flag().unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_read_in_every_form_that_a_check_box_or_a_list_takes() {
        let of = |value: Json, display: Json| {
            let json = json!({"customfields": [{"id": 7, "value": value, "display": display}, {"id": 8, "value": true}]});
            facts(json, Some(&FlagField::Custom { id: 7, name: "CF".into() })).unwrap().flag
        };
        for on in
            [json!(true), json!("true"), json!("True"), json!("1"), json!(1), json!("Yes"), json!(" on ")]
        {
            assert!(of(on.clone(), Json::Null), "{on}");
        }
        for off in [json!(false), json!("false"), json!(""), Json::Null, json!(0), json!("no"), json!(3)] {
            assert!(!of(off.clone(), Json::Null), "{off}");
        }
        assert!(of(json!(3), json!("Yes")), "the option that is shown");
        let native =
            facts(json!({"sync_to_liongard": true, "liongardid": 4102}), Some(&FlagField::Native)).unwrap();
        assert!(native.flag && native.environment == Some(4102) && native.created.is_none());
        assert_eq!(facts(json!({"customfields": 5, "liongardid": 0}), None).unwrap(), SyncFacts::default());
    }
}
