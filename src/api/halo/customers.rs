//! Customers and their sites, with what belongs to them: top levels and currencies (apis/halopsa.md 3 to 5).

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::client::{Halo, Saved, number, put_marker, with_marker};
use super::translate::{self, Context, Site, TopLevel};
use super::wire;
use crate::api::budget::Permit;
use crate::api::call::{Effect, WriteVerdict};
use crate::api::listing::{Listing, Progress};
use crate::api::row::Row;
use crate::model::{Address, Class, Currency, FieldName, Fields, Found, Problem, TargetId, Value};

/// A customer to be created, complete: its main site comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomer {
    pub name: Box<str>,
    pub top_level: Option<TargetId>,
    pub marker: Option<Box<str>>,
    pub address: Option<Address>,
}

impl Halo {
    /// The levels that new customers can be placed under.
    pub async fn top_levels(&self) -> Result<Vec<TopLevel>, Problem> {
        let listing = self
            .list(
                "top levels",
                "/TopLevel",
                &[],
                "tree",
                &wire::TOP_LEVEL,
                &|row| translate::top_level(row),
                &|_, _| {},
            )
            .await?;
        Ok(listing.records)
    }

    /// Halo's currencies by its own ids.
    pub async fn currencies(&self) -> Result<HashMap<i64, Currency>, Problem> {
        let page = self.bare_list("currencies", "/Currency", &wire::CURRENCY).await?;
        Ok(page
            .iter()
            .filter_map(|row| {
                let text = row.get("code").text().or_else(|| row.get("name").text())?;
                Some((row.get("id").id()?, Currency::new(&text)?))
            })
            .collect())
    }

    /// Every customer, inactive ones too.
    pub async fn customers(&self, progress: Progress<'_>) -> Result<Listing<Found>, Problem> {
        let context = self.with_currencies().await?;
        let wanted = with_marker(&wire::CLIENT, &context.customer_marker);
        let translate = |row: &Row| translate::customer(row, &context);
        self.list(
            "customers",
            "/Client",
            &[("includeinactive", "true")],
            "clients",
            &wanted,
            &translate,
            progress,
        )
        .await
    }

    /// One customer with its details and its main site's address; `None` where Halo knows no such id.
    pub async fn customer(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let context = self.with_currencies().await?;
        let Some(json) = self.one("customer", "/Client", id).await? else { return Ok(None) };
        customer_in(&json, &context).map(Some)
    }

    /// Every site with its address.
    pub async fn sites(&self, progress: Progress<'_>) -> Result<Listing<Site>, Problem> {
        let query = [("includeaddress", "true"), ("includeinactive", "true")];
        self.list("sites", "/Site", &query, "sites", &wire::SITE, &|row| translate::site(row, None), progress)
            .await
    }

    /// Every site of one customer with its address.
    pub async fn sites_of(&self, customer: &TargetId) -> Result<Listing<Site>, Problem> {
        let query =
            [("includeaddress", "true"), ("includeinactive", "true"), ("client_id", customer.as_str())];
        let name = format!("sites of customer {customer}");
        let translate = |row: &Row| translate::site(row, None);
        let mut listing =
            self.list(&name, "/Site", &query, "sites", &wire::SITE, &translate, &|_, _| {}).await?;
        // A build that does not know the filter answers for everybody.
        listing.records.retain(|site| site.customer == *customer);
        Ok(listing)
    }

    /// One site with its address; `None` where Halo knows no such id.
    pub async fn site(&self, id: &TargetId) -> Result<Option<Site>, Problem> {
        let Some(json) = self.one("site", "/Site", id).await? else { return Ok(None) };
        site_in(&json).map(Some)
    }

    /// Customers that Halo's own search finds for a text. Nobody documents which fields it covers: finding one means
    /// something, finding none does not.
    pub async fn search_customers(&self, text: &str) -> Result<Vec<Found>, Problem> {
        let wanted = with_marker(&wire::CLIENT, &self.context.customer_marker);
        let translate = |row: &Row| translate::customer(row, &self.context);
        let query = [("includeinactive", "true"), ("search", text)];
        let name = "customers of a name";
        self.list(name, "/Client", &query, "clients", &wanted, &translate, &|_, _| {}).await?.proven()
    }

    /// Creates a customer with its main site.
    pub async fn create_customer(&self, permit: Permit, new: &NewCustomer) -> WriteVerdict<Found> {
        let mut json = Map::new();
        json.insert("name".into(), json!(new.name));
        if let Some(top_level) = &new.top_level {
            match number(top_level, "top level") {
                Ok(id) => drop(json.insert("toplevel_id".into(), json!(id))),
                Err(problem) => return WriteVerdict::NotSent(problem),
            }
        }
        put_marker(&mut json, &self.context.customer_marker, new.marker.as_deref());
        json.insert("newclient_sitename".into(), json!("Main"));
        if let Some(address) = new.address.as_ref().filter(|address| !address.is_blank()) {
            json.insert("newclient_delivery_address".into(), json!(translate::address_store(address)));
        }
        json.insert("_dont_fire_automations".into(), json!(true));
        let what = format!("the new customer '{}'", crate::model::text::shown(&new.name));
        let context = &self.context;
        let saved = |body: &[u8]| Saved::whole(body, |json| customer_in(json, context));
        self.write(Effect::Create, &what, permit, "/Client", json, None, saved).await
    }

    /// Renames a customer, or makes it active or inactive. An address belongs to its site.
    pub async fn update_customer(
        &self,
        permit: Permit,
        id: &TargetId,
        fields: &Fields,
    ) -> WriteVerdict<Found> {
        let mut json = Map::new();
        for (name, value) in fields.iter() {
            match (name, value) {
                (FieldName::Name, Value::Text(text)) => drop(json.insert("name".into(), json!(text))),
                (FieldName::Status, Value::Active(active)) => {
                    drop(json.insert("inactive".into(), json!(!active)));
                }
                (name, _) => {
                    return WriteVerdict::NotSent(Problem::new(
                        Class::Input,
                        format!("A customer in Halo cannot take {name} in an update; nothing was sent."),
                    ));
                }
            }
        }
        let context = &self.context;
        let saved = |body: &[u8]| Saved::whole(body, |json| customer_in(json, context));
        self.update(permit, "customer", "/Client", id, json, saved).await
    }

    /// Sets the address of a site, all its lines at once.
    pub async fn update_site_address(
        &self,
        permit: Permit,
        site: &TargetId,
        address: &Address,
    ) -> WriteVerdict<Site> {
        let mut json = Map::new();
        json.insert("delivery_address".into(), json!(translate::address_store(address)));
        self.update(permit, "site", "/Site", site, json, |body| Saved::whole(body, site_in)).await
    }

    async fn with_currencies(&self) -> Result<Context, Problem> {
        let mut context = self.context.clone();
        match self.currencies().await {
            Ok(currencies) => {
                // The only currency there is, or the one of the default id, is what Halo bills in.
                let own = currencies
                    .get(&0)
                    .or_else(|| currencies.values().next().filter(|_| currencies.len() == 1));
                context.fallback = context.fallback.or(own.copied());
                context.currencies = currencies;
            }
            // Prices of customers without a known currency are then held; nothing else depends on it.
            Err(problem) => tracing::warn!(%problem, "Halo's currencies could not be read"),
        }
        Ok(context)
    }
}

fn customer_in(json: &Json, context: &Context) -> Result<Found, Problem> {
    let wanted = with_marker(&wire::CLIENT, &context.customer_marker);
    let mut found = translate::customer(&Row::of(json, &wanted).unwrap_or_default(), context)?;
    if let Some(store) = json.get("main_delivery_address").filter(|store| store.is_object()) {
        found.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(translate::address_in(store))));
    }
    Ok(found)
}

fn site_in(json: &Json) -> Result<Site, Problem> {
    translate::site(&Row::of(json, &wire::SITE).unwrap_or_default(), json.get("delivery_address"))
}
