//! Contracts, as a source (apis/halopsa.md 8.2).

use super::client::Halo;
use super::{translate, wire};
use crate::api::listing::{Listing, Progress};
use crate::api::row::Row;
use crate::model::date::parse_vendor_moment;
use crate::model::{Class, Date, Moment, Problem, TargetId};

/// A contract of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    pub id: TargetId,
    pub customer: TargetId,
    /// Its number, as people know it.
    pub reference: Box<str>,
    /// Such as `Managed Service`.
    pub kind: Box<str>,
    /// Halo's word for its state.
    pub status: Box<str>,
    /// Neither ended nor switched off.
    pub is_active: bool,
    pub start: Option<Date>,
    pub end: Option<Date>,
    /// When anything of it was changed last, where Halo says.
    pub changed: Option<Moment>,
}

impl Halo {
    /// Every contract, those that are over too.
    ///
    /// # Errors
    /// As [`crate::api::listing::read_pages`]; a missing right says which.
    pub async fn contracts(&self, progress: Progress<'_>) -> Result<Listing<Contract>, Problem> {
        let query = [("includeinactive", "true")];
        self.list("contracts", "/ClientContract", &query, "contracts", &wire::CONTRACT, &contract, progress)
            .await
    }

    /// Every contract of one customer.
    ///
    /// # Errors
    /// As every list.
    pub async fn contracts_of(&self, customer: &TargetId) -> Result<Listing<Contract>, Problem> {
        let query = [("includeinactive", "true"), ("client_id", customer.as_str())];
        let name = format!("contracts of customer {customer}");
        let mut listing = self
            .list(&name, "/ClientContract", &query, "contracts", &wire::CONTRACT, &contract, &|_, _| {})
            .await?;
        listing.records.retain(|contract| contract.customer == *customer);
        Ok(listing)
    }

    /// Whether Halo knows a contract of this id. Many tenants refuse this call to whom they list contracts.
    ///
    /// # Errors
    /// As every call.
    pub async fn has_contract(&self, id: &TargetId) -> Result<bool, Problem> {
        Ok(self.one("contract", "/ClientContract", id).await?.is_some())
    }
}

fn contract(row: &Row) -> Result<Contract, Problem> {
    let id = translate::id_of(row, "contract")?;
    let customer = row
        .get("client_id")
        .id()
        .filter(|id| *id > 0)
        .map(TargetId::from)
        .ok_or_else(|| Problem::new(Class::Record, format!("Halo's contract {id} names no customer.")))?;
    let text = |name: &str| row.get(name).text().unwrap_or_default();
    let is_over = row.get("expired").flag().unwrap_or(false);
    Ok(Contract {
        id,
        customer,
        reference: text("ref"),
        kind: text("contracttype_name"),
        status: text("contract_status"),
        is_active: !is_over && row.get("active").flag().unwrap_or(true),
        start: translate::date(row, "start_date"),
        end: translate::date(row, "end_date"),
        changed: parse_vendor_moment(&text("last_modified")),
    })
}
