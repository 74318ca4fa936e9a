//! The systems that rows are written to: each sends an [`Intent`](super::records::Intent)'s write once, and finds out
//! later what became of one without an answer (sync-engine 7.2-7.4).

use std::sync::Arc;

use super::assets;
use super::hudu::{HuduDesk, Named};
use super::liongard::LiongardDesk;
use super::records::Write;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::halo::{Halo, NewCustomer, NewLicence};
use crate::api::listing::PackedListing;
use crate::model::{
    Address, Class, Entity, FieldName, Fields, Found, Integration, MatchKeys, Place, Problem, Stack,
    TargetId, Value,
};
use crate::plan::{equals, holds};

mod urls;
mod warranty;

pub use urls::found as with_own_fields;

/// Tells how far a listing is: how many, of how many if known.
pub type Say<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// The system that rows of an entity are written to.
#[derive(Clone)]
pub enum Target {
    Halo(Arc<Halo>),
    Hudu(Arc<HuduDesk>),
    Liongard(Arc<LiongardDesk>),
}

impl Target {
    pub const fn place(&self) -> Place {
        match self {
            Self::Halo(_) => Place::Halo,
            Self::Hudu(_) => Place::Of(Integration::Hudu),
            Self::Liongard(_) => Place::Of(Integration::Liongard),
        }
    }

    /// A cheap call that is known to work: tells a host that is out from one record that cannot be read.
    pub async fn answers(&self) -> bool {
        match self {
            Self::Halo(halo) => halo.fingerprint().await.is_ok(),
            Self::Hudu(desk) => desk.hudu.version().await.is_ok(),
            Self::Liongard(desk) => desk.liongard.count_environments().await.is_ok(),
        }
    }

    /// Reads what [`Self::send`] needs to know, once: it must not wait for a second place while it holds one.
    pub async fn ready(&self, entity: Entity) -> Result<(), Problem> {
        match self {
            Self::Hudu(desk) => Box::pin(desk.ready(entity)).await,
            Self::Halo(_) | Self::Liongard(_) => Ok(()),
        }
    }

    /// One record as it is now; `None` where there is none.
    pub async fn record(&self, entity: Entity, id: &TargetId) -> Result<Option<Found>, Problem> {
        match (self, entity) {
            (Self::Halo(halo), Entity::Customers) => halo.customer(id).await,
            (Self::Halo(halo), Entity::Subscriptions) => halo.licence(id).await,
            (Self::Hudu(desk), entity) => desk.record(entity, id).await,
            (Self::Liongard(desk), _) => desk.record(id).await,
            (Self::Halo(halo), Entity::Warranty) => {
                Ok(halo.asset(id).await?.map(|asset| warranty::found(&asset)))
            }
            (Self::Halo(halo), Entity::PushFlags) => halo.flags_of(id).await,
            (Self::Halo(halo), Entity::CompanyUrls) => {
                Ok(halo.own_fields(id).await?.map(|fields| urls::found(id, fields)))
            }
            (Self::Halo(halo), entity) => assets::record(halo, entity, id).await,
        }
    }

    /// The records among which a new one of this name would be found: of one customer, or the customers that a search
    /// for the name finds.
    ///
    /// # Errors
    /// Also where a customer's records could not be listed completely: then nothing may be created (invariant 43).
    pub async fn near(
        &self,
        entity: Entity,
        customer: Option<&TargetId>,
        name: &str,
    ) -> Result<Vec<Found>, Problem> {
        match (self, customer) {
            (Self::Halo(halo), None) if entity == Entity::Customers => halo.search_customers(name).await,
            (Self::Halo(halo), None) => opened(assets::list(halo, entity, &|_, _| {}).await?),
            (Self::Halo(halo), Some(customer)) => match entity {
                Entity::Subscriptions => halo.licences_of(customer).await?.proven(),
                Entity::Assets => assets::of_customer(halo, customer).await,
                Entity::Customers | Entity::AssetTypes | Entity::AssetFields | Entity::PushFlags => {
                    Ok(Vec::new())
                }
                other => Err(elsewhere(other)),
            },
            (Self::Hudu(desk), company) => desk.near(entity, company, name).await,
            // There is no search that can be relied on (apis/liongard.md 6).
            (Self::Liongard(desk), _) => desk.list(&|_, _| {}).await?.proven(),
        }
    }

    /// All records of an entity: they may be as many as the target has.
    pub async fn list(&self, entity: Entity, say: Say<'_>) -> Result<PackedListing<Found>, Problem> {
        match (self, entity) {
            (Self::Halo(halo), Entity::Customers | Entity::PushFlags) => {
                Ok(halo.customers(say).await?.packed())
            }
            (Self::Halo(halo), Entity::Subscriptions) => {
                let stack = Stack::default();
                Ok(halo.licences(&|one| stack.lay(&one), say).await?.from(stack))
            }
            (Self::Hudu(desk), entity) => desk.list(entity, say).await,
            (Self::Liongard(desk), _) => Ok(desk.list(say).await?.packed()),
            (Self::Halo(halo), entity) => assets::list(halo, entity, say).await,
        }
    }

    /// Sends one write, once. The answer's id is checked to be the record that was meant. `named` tells where the
    /// records are that its values name.
    ///
    /// What is long and rare is boxed: a future is moved as a whole, several times a row.
    pub async fn send(&self, permit: Permit, write: &Write, named: &Named) -> WriteVerdict<TargetId> {
        match self {
            Self::Halo(halo) => send_to_halo(halo, permit, write).await,
            Self::Hudu(desk) => Box::pin(desk.send(permit, write, named)).await,
            Self::Liongard(desk) => Box::pin(desk.send(permit, write)).await,
        }
    }

    /// The address of a site as it is now.
    pub async fn site_address(&self, site: &TargetId) -> Result<Option<Address>, Problem> {
        match self {
            Self::Halo(halo) => Ok(halo.site(site).await?.map(|site| site.address)),
            Self::Hudu(_) | Self::Liongard(_) => Ok(None),
        }
    }

    /// Reads back what became of a write. Only reads.
    ///
    /// # Errors
    /// When a look-up itself failed: nothing is known then, and nothing may be sent.
    pub async fn fate(&self, write: &Write) -> Result<Fate, Problem> {
        match write {
            Write::Create { entity, customer, fields, marker, before, .. } => {
                let name = text(fields, FieldName::Name);
                let near = self.near(*entity, customer.as_ref(), &name).await?;
                match created(near, &name, marker, before) {
                    // A search finds most at once; only a whole listing proves that there is none.
                    Fate::Absent if customer.is_none() => {
                        let all = self.list(*entity, &|_, _| {}).await?;
                        proven(created(all.records.iter(), &name, marker, before), all.certificate.why_not)
                    }
                    fate => Ok(fate),
                }
            }
            Write::Set { entity, id, fields, before } => {
                Ok(settled(id, self.record(*entity, id).await?.as_ref(), fields, before))
            }
            Write::SetAddress { customer, site, address, before } => match self {
                Self::Hudu(_) | Self::Liongard(_) => Ok(Fate::Absent),
                Self::Halo(halo) => {
                    let wanted =
                        Fields::new().with(FieldName::MainSiteAddress, Value::Address(address.clone()));
                    let before = before
                        .iter()
                        .map(|a| (FieldName::MainSiteAddress, Value::Address(a.clone())))
                        .collect();
                    let found = halo.site(site).await?.map(|there| Found {
                        id: customer.clone(),
                        name: "".into(),
                        parent: None,
                        is_active: true,
                        marker: None,
                        fields: Fields::new()
                            .with(FieldName::MainSiteAddress, Value::Address(Box::new(there.address))),
                        keys: MatchKeys::default(),
                        currency: None,
                        main_site: Some(site.clone()),
                    });
                    // A blank part counts here: setting an address back may blank one.
                    let done = found.as_ref().is_some_and(|found| {
                        wanted.iter().all(|(name, value)| equals(found, name, Some(value)))
                    });
                    Ok(match settled(site, found.as_ref(), &wanted, &before) {
                        Fate::Done(_) if !done => Fate::Absent,
                        fate => fate,
                    })
                }
            },
        }
    }
}

async fn send_to_halo(halo: &Halo, permit: Permit, write: &Write) -> WriteVerdict<TargetId> {
    match write {
        Write::Create { entity: Entity::Customers, fields, top_level, marker, .. } => {
            let new = NewCustomer {
                name: text(fields, FieldName::Name).into(),
                top_level: top_level.clone(),
                marker: Some(marker.as_str().into()),
                address: match fields.get(FieldName::MainSiteAddress) {
                    Some(Value::Address(address)) => Some((**address).clone()),
                    _ => None,
                },
            };
            named(halo.create_customer(permit, &new).await)
        }
        Write::Create { entity: Entity::Subscriptions, customer, fields, marker, .. } => {
            let Some(customer) = customer else {
                return WriteVerdict::Rejected(
                    Problem::new(Class::Record, "A licence needs a customer, and none is named.")
                        .remedy("Build the plan again."),
                );
            };
            let new = NewLicence {
                customer: customer.clone(),
                marker: Some(marker.as_str().into()),
                fields: fields.clone(),
            };
            named(halo.create_licence(permit, &new).await)
        }
        Write::Create { entity: Entity::Assets | Entity::AssetTypes | Entity::AssetFields, .. }
        | Write::Set { entity: Entity::Assets | Entity::AssetTypes | Entity::AssetFields, .. } => {
            Box::pin(assets::send(halo, permit, write)).await
        }
        Write::Set { entity: Entity::Customers, id, fields, .. } => {
            named(halo.update_customer(permit, id, fields).await)
        }
        Write::Set { entity: Entity::Subscriptions, id, fields, .. } => {
            named(halo.update_licence(permit, id, fields).await)
        }
        Write::Set { entity: Entity::PushFlags, id, fields, .. } => {
            let flag = fields.iter().find_map(|(name, value)| match value {
                Value::Flag(on) => Some((name, *on)),
                _ => None,
            });
            match flag {
                Some((name, on)) => {
                    Box::pin(halo.set_flag(permit, id, name.key(), on)).await.map(|()| id.clone())
                }
                None => WriteVerdict::Rejected(elsewhere(Entity::PushFlags)),
            }
        }
        Write::Set { entity: Entity::Warranty, id, fields, .. } => {
            let values = warranty::values(fields);
            Box::pin(halo.update_asset(permit, id, &values)).await.map(|asset| asset.id)
        }
        Write::Set { entity: Entity::CompanyUrls, id, fields, .. } => {
            Box::pin(halo.set_own_fields(permit, id, &urls::values(fields))).await
        }
        Write::Create { entity, .. } | Write::Set { entity, .. } => {
            WriteVerdict::Rejected(elsewhere(*entity))
        }
        Write::SetAddress { site, address, .. } => {
            halo.update_site_address(permit, site, address).await.map(|there| there.id)
        }
    }
}

/// Only a damaged trail can ask for this.
fn elsewhere(entity: Entity) -> Problem {
    Problem::new(Class::Local, format!("Halo is not where {entity} are written to."))
        .remedy("Build the plan again.")
}

/// What reading back tells of a write that has had no clear answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It was carried out: this is the record.
    Done(TargetId),
    /// It was not; a new attempt is safe.
    Absent,
    /// The record now holds neither what it held nor what was sent.
    Changed(String),
    /// More than one record answers to it: nothing more is written for this key.
    Duplicate(Vec<TargetId>),
}

/// A list where that there are no others matters, opened.
fn opened(listing: PackedListing<Found>) -> Result<Vec<Found>, Problem> {
    Ok(listing.proven()?.iter().collect())
}

fn named(verdict: WriteVerdict<Found>) -> WriteVerdict<TargetId> {
    verdict.map(|found| found.id)
}

fn text(fields: &Fields, name: FieldName) -> String {
    fields.get(name).map(ToString::to_string).unwrap_or_default()
}

/// "None" counts only from a listing that is proven complete.
fn proven(fate: Fate, why_not: Option<String>) -> Result<Fate, Problem> {
    match (fate, why_not) {
        (Fate::Absent, Some(why)) => {
            Err(Problem::new(Class::Host, format!("The target's list is not complete: {why}")))
        }
        (fate, _) => Ok(fate),
    }
}

/// A create is found by its marker; where Halo does not give the marker back, by the records of that name that were
/// not there before.
fn created(found: impl IntoIterator<Item = Found>, name: &str, marker: &str, before: &[TargetId]) -> Fate {
    let (mut by_marker, mut by_name) = (Vec::new(), Vec::new());
    for found in found {
        let mark = found.marker.as_deref().unwrap_or_default().trim();
        if !marker.is_empty() && mark == marker {
            by_marker.push(found.id);
        } else if mark.is_empty() && found.name.trim() == name.trim() && !before.contains(&found.id) {
            by_name.push(found.id);
        }
    }
    let ours = if by_marker.is_empty() { by_name } else { by_marker };
    match ours.as_slice() {
        [] => Fate::Absent,
        [one] => Fate::Done(one.clone()),
        _ => Fate::Duplicate(ours),
    }
}

fn settled(id: &TargetId, found: Option<&Found>, wanted: &Fields, before: &Fields) -> Fate {
    let Some(found) = found else {
        return Fate::Changed("it is no longer there".into());
    };
    if wanted.iter().all(|(name, value)| holds(found, name, Some(value))) {
        Fate::Done(id.clone())
    } else if wanted.iter().all(|(name, _)| holds(found, name, before.get(name))) {
        Fate::Absent
    } else {
        Fate::Changed("somebody changed it there meanwhile".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licence(id: i64, name: &str, marker: Option<&str>) -> Found {
        Found {
            id: id.into(),
            name: name.into(),
            parent: Some(12.into()),
            is_active: true,
            marker: marker.map(Into::into),
            fields: Fields::new().with(FieldName::Name, Value::text(name)),
            keys: crate::model::MatchKeys::default(),
            currency: None,
            main_site: None,
        }
    }

    #[test]
    fn a_create_is_known_by_its_marker_else_by_what_was_not_there_before() {
        let found = [licence(1, "A", None), licence(2, "A", Some("PHL-x")), licence(3, "A", Some("other"))];
        assert_eq!(created(found.clone(), "A", "PHL-x", &[]), Fate::Done(2.into()));
        // Without the marker, what a person marked or what was there before is not ours.
        assert_eq!(created(found[..1].to_vec(), "A", "PHL-x", &[1.into()]), Fate::Absent);
        assert_eq!(
            created([licence(1, "A", None), licence(4, "A", None)], "A", "PHL-x", &[1.into()]),
            Fate::Done(4.into())
        );
        assert_eq!(
            created([licence(5, "A", Some("m")), licence(6, "A", Some("m"))], "A", "m", &[]),
            Fate::Duplicate(vec![5.into(), 6.into()])
        );
    }
}
