//! Users, the people at a customer, as a source (apis/halopsa.md 6).

use super::client::Halo;
use super::{translate, wire};
use crate::api::listing::{Form, Listing, Progress};
use crate::api::row::Row;
use crate::model::{Class, Problem, TargetId};

/// A person at a customer's site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: TargetId,
    pub customer: TargetId,
    pub site: Option<TargetId>,
    pub name: Box<str>,
    pub email: Box<str>,
    pub phone: Box<str>,
    pub mobile: Box<str>,
    pub title: Box<str>,
    pub is_active: bool,
    /// A mailbox of a machine, not a person.
    pub is_service_account: bool,
}

impl Halo {
    /// Every user, inactive ones too, but the hidden general user that each site has; each as `form` keeps it.
    ///
    /// # Errors
    /// As [`crate::api::listing::read_pages`]; a missing right says which.
    pub async fn users<T: PartialEq + Send>(
        &self,
        form: Form<'_, User, T>,
        progress: Progress<'_>,
    ) -> Result<Listing<T>, Problem> {
        let query = [("includeinactive", "true"), ("exclude_generaluser", "true")];
        self.list("users", "/Users", &query, "users", &wire::USER, &|row| user(row).map(form), progress).await
    }

    /// Every user of one customer, as [`Halo::users`].
    ///
    /// # Errors
    /// As every list.
    pub async fn users_of(&self, customer: &TargetId) -> Result<Listing<User>, Problem> {
        let query =
            [("includeinactive", "true"), ("exclude_generaluser", "true"), ("client_id", customer.as_str())];
        let name = format!("users of customer {customer}");
        let mut listing = self.list(&name, "/Users", &query, "users", &wire::USER, &user, &|_, _| {}).await?;
        listing.records.retain(|user| user.customer == *customer);
        Ok(listing)
    }

    /// One user; `None` where Halo knows none of this id.
    ///
    /// # Errors
    /// As every call.
    pub async fn user(&self, id: &TargetId) -> Result<Option<User>, Problem> {
        let json = self.one("user", "/Users", id).await?;
        json.and_then(|json| Row::of(&json, &wire::USER)).map(|row| user(&row)).transpose()
    }

    /// Whether Halo knows a user of this id.
    ///
    /// # Errors
    /// As every call.
    pub async fn has_user(&self, id: &TargetId) -> Result<bool, Problem> {
        Ok(self.one("user", "/Users", id).await?.is_some())
    }
}

fn user(row: &Row) -> Result<User, Problem> {
    let id = translate::id_of(row, "user")?;
    let number = |name: &str| row.get(name).id().filter(|id| *id > 0).map(TargetId::from);
    let customer = number("client_id")
        .ok_or_else(|| Problem::new(Class::Record, format!("Halo's user {id} names no customer.")))?;
    let text = |name: &str| row.get(name).text().unwrap_or_default();
    let phone = [text("phonenumber_preferred"), text("phonenumber")];
    Ok(User {
        id,
        customer,
        site: number("site_id_int").or_else(|| number("site_id")),
        name: text("name"),
        email: text("emailaddress"),
        phone: phone.into_iter().find(|phone| !phone.is_empty()).unwrap_or_default(),
        mobile: text("mobilenumber"),
        title: text("title"),
        is_active: !row.get("inactive").flag().unwrap_or(false),
        is_service_account: row.get("isserviceaccount").flag().unwrap_or(false),
    })
}
