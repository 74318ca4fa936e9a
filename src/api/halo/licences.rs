//! Software licences, which are what subscriptions become (apis/halopsa.md 8).

use serde_json::{Value as Json, json};

use super::client::{Halo, Saved, number, put_marker, with_marker};
use super::translate::{self, Context, LicenceChange};
use super::wire;
use crate::api::budget::Permit;
use crate::api::call::{Effect, WriteVerdict};
use crate::api::listing::{Form, Listing, Progress};
use crate::api::row::Row;
use crate::model::{Class, FieldName, Fields, Found, Problem, TargetId};

/// A licence to be created, complete, billable values included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLicence {
    pub customer: TargetId,
    pub marker: Option<Box<str>>,
    pub fields: Fields,
}

impl Halo {
    /// Every licence, inactive ones too, each as `form` keeps it.
    pub async fn licences<T: PartialEq + Send>(
        &self,
        form: Form<'_, Found, T>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        self.licence_list("licences", &[("includeinactive", "true")], form, progress).await
    }

    /// Every licence of one customer.
    pub async fn licences_of(&self, customer: &TargetId) -> Result<Listing<Found>, Problem> {
        let query = [("includeinactive", "true"), ("client_id", customer.as_str())];
        let name = format!("licences of customer {customer}");
        let mut listing = self.licence_list(&name, &query, &|found| found, &|_, _| {}).await?;
        // A build that does not know the filter answers for everybody.
        listing.records.retain(|licence| licence.parent.as_ref() == Some(customer));
        Ok(listing)
    }

    /// One licence; `None` where Halo knows no such id.
    pub async fn licence(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let Some(json) = self.one("licence", "/SoftwareLicence", id).await? else { return Ok(None) };
        licence_in(&json, &self.context).map(Some)
    }

    /// The history of a licence, newest first as Halo gives it.
    pub async fn licence_changes(&self, id: &TargetId) -> Result<Vec<LicenceChange>, Problem> {
        let name = format!("changes of licence {id}");
        let translate = |row: &Row| {
            translate::licence_change(row)
                .ok_or_else(|| Problem::new(Class::Record, format!("One of the {name} has no id.")))
        };
        let query = [("licence_id", id.as_str())];
        let listing = self
            .list(&name, "/LicenceChange", &query, "changes", &wire::LICENCE_CHANGE, &translate, &|_, _| {})
            .await?;
        Ok(listing.records)
    }

    /// Creates a licence on a customer as a whole.
    pub async fn create_licence(&self, permit: Permit, new: &NewLicence) -> WriteVerdict<Found> {
        let prepared =
            number(&new.customer, "customer").and_then(|id| Ok((id, translate::licence_json(&new.fields)?)));
        let (customer, mut json) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        json.insert("client_id".into(), json!(customer));
        json.insert("site_id".into(), json!(-1));
        put_marker(&mut json, &self.context.licence_marker, new.marker.as_deref());
        json.insert("_dont_fire_automations".into(), json!(true));
        let name = new.fields.get(FieldName::Name).map(ToString::to_string).unwrap_or_default();
        let what =
            format!("the new licence '{}' of customer {}", crate::model::text::shown(&name), new.customer);
        self.write(Effect::Create, &what, permit, "/SoftwareLicence", json, None, |body| self.saved(body))
            .await
    }

    /// Sets the given fields of a licence; the others stay as they are.
    pub async fn update_licence(
        &self,
        permit: Permit,
        id: &TargetId,
        fields: &Fields,
    ) -> WriteVerdict<Found> {
        let json = match translate::licence_json(fields) {
            Ok(json) => json,
            Err(problem) => return WriteVerdict::NotSent(problem),
        };
        self.update(permit, "licence", "/SoftwareLicence", id, json, |body| self.saved(body)).await
    }

    fn saved(&self, body: &[u8]) -> Result<Saved<Found>, String> {
        let wanted = with_marker(&wire::LICENCE, &self.context.licence_marker);
        Saved::row(body, &wanted, |row| translate::licence(row, &self.context))
    }

    async fn licence_list<T: PartialEq + Send>(
        &self,
        name: &str,
        query: &[(&str, &str)],
        form: Form<'_, Found, T>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let wanted = with_marker(&wire::LICENCE, &self.context.licence_marker);
        let translate = |row: &Row| translate::licence(row, &self.context).map(form);
        self.list(name, "/SoftwareLicence", query, "licences", &wanted, &translate, progress).await
    }
}

fn licence_in(json: &Json, context: &Context) -> Result<Found, Problem> {
    let wanted = with_marker(&wire::LICENCE, &context.licence_marker);
    translate::licence(&Row::of(json, &wanted).unwrap_or_default(), context)
}
