//! What Halo's customers say of being taken to Liongard (L17): the flag of a custom field, when they were made, and the
//! environment that Halo's own integration has for them (apis/halopsa.md 3 and 9).

use serde::Deserialize;
use serde_json::Value as Json;

use super::client::{Halo, not_a_record};
use super::custom::CustomRows;
use super::translate;
use crate::api::lenient::{Entry, List};
use crate::api::listing::{Listing, Progress};
use crate::api::row::Scalar;
use crate::model::{Moment, Problem, TargetId};

/// The flag that Halo itself has for this: a column, so no list carries it.
const NATIVE: &str = "sync_to_liongard";

/// Where customers carry the flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagField {
    /// A custom field, by its id.
    Custom(i64),
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
    datecreated: Scalar,
    liongardid: Scalar,
    sync_to_liongard: Scalar,
    customfields: CustomRows,
}

impl Halo {
    /// The field of customers of that name or label; `None` where Halo has none.
    pub async fn flag_field(&self, name: &str) -> Result<Option<FlagField>, Problem> {
        if name.trim().eq_ignore_ascii_case(NATIVE) {
            return Ok(Some(FlagField::Native));
        }
        Ok(self.custom_field(name).await?.map(|field| FlagField::Custom(field.id)))
    }

    /// Every active customer and whether its flag is on; `None` for one whose row says nothing of its custom fields.
    pub async fn flags(
        &self,
        field: i64,
        progress: Progress<'_>,
    ) -> Result<Listing<(TargetId, Option<bool>)>, Problem> {
        self.customs("flags of customers", field, &|all| flag_in(all, field), progress).await
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
            Some(FlagField::Custom(id)) => flag_in(row.customfields, *id),
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flag_is_read_in_every_form_that_a_check_box_or_a_list_takes() {
        let of = |value: Json, display: Json| {
            let json = json!({"customfields": [{"id": 7, "value": value, "display": display}, {"id": 8, "value": true}]});
            facts(json, Some(&FlagField::Custom(7))).unwrap().flag
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
