//! Halo as the target of writes: sends an [`Intent`]'s write once, and finds out later what became of one without an
//! answer (sync-engine 7.2-7.4).

use super::records::Write;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::halo::{Halo, NewCustomer, NewLicence};
use crate::model::{Class, FieldName, Fields, Found, Problem, TargetId, Value};
use crate::plan::{equals, holds};

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

/// Sends one write, once. The answer's id is checked to be the record that was meant.
pub async fn send(halo: &Halo, permit: Permit, write: &Write) -> WriteVerdict<TargetId> {
    match write {
        Write::CreateCustomer { fields, top_level, marker, .. } => {
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
        Write::SetCustomer { id, fields, .. } => named(halo.update_customer(permit, id, fields).await),
        Write::SetAddress { site, address, .. } => {
            halo.update_site_address(permit, site, address).await.map(|there| there.id)
        }
        Write::CreateLicence { customer, fields, marker, .. } => {
            let new = NewLicence {
                customer: customer.clone(),
                marker: Some(marker.as_str().into()),
                fields: fields.clone(),
            };
            named(halo.create_licence(permit, &new).await)
        }
        Write::SetLicence { id, fields, .. } => named(halo.update_licence(permit, id, fields).await),
    }
}

fn named(verdict: WriteVerdict<Found>) -> WriteVerdict<TargetId> {
    verdict.map(|found| found.id)
}

fn text(fields: &Fields, name: FieldName) -> String {
    fields.get(name).map(ToString::to_string).unwrap_or_default()
}

/// Reads back what became of a write. Only reads.
///
/// # Errors
/// When a look-up itself failed: nothing is known then, and nothing may be sent.
pub async fn fate(halo: &Halo, write: &Write) -> Result<Fate, Problem> {
    match write {
        Write::CreateCustomer { fields, marker, before, .. } => {
            let name = text(fields, FieldName::Name);
            // Halo's search finds most at once; only a whole listing proves that there is none.
            match created(&halo.search_customers(&name).await?, &name, marker, before) {
                Fate::Absent => {
                    let all = halo.customers(&|_, _| {}).await?;
                    proven(created(&all.records, &name, marker, before), all.certificate.why_not)
                }
                fate => Ok(fate),
            }
        }
        Write::CreateLicence { customer, fields, marker, before } => {
            let name = text(fields, FieldName::Name);
            let its = halo.licences_of(customer).await?;
            proven(created(&its.records, &name, marker, before), its.certificate.why_not)
        }
        Write::SetCustomer { id, fields, before } => {
            Ok(settled(id, halo.customer(id).await?.as_ref(), fields, before))
        }
        Write::SetAddress { customer, site, address, before } => {
            let wanted = Fields::new().with(FieldName::MainSiteAddress, Value::Address(address.clone()));
            let before =
                before.iter().map(|a| (FieldName::MainSiteAddress, Value::Address(a.clone()))).collect();
            let found = halo.site(site).await?.map(|there| Found {
                id: customer.clone(),
                name: "".into(),
                parent: None,
                is_active: true,
                marker: None,
                fields: Fields::new()
                    .with(FieldName::MainSiteAddress, Value::Address(Box::new(there.address))),
                keys: crate::model::MatchKeys::default(),
                currency: None,
                main_site: Some(site.clone()),
            });
            // A blank part counts here: setting an address back may blank one.
            let done = found
                .as_ref()
                .is_some_and(|found| wanted.iter().all(|(name, value)| equals(found, name, Some(value))));
            Ok(match settled(site, found.as_ref(), &wanted, &before) {
                Fate::Done(_) if !done => Fate::Absent,
                fate => fate,
            })
        }
        Write::SetLicence { id, fields, before } => {
            Ok(settled(id, halo.licence(id).await?.as_ref(), fields, before))
        }
    }
}

/// "None" counts only from a listing that is proven complete.
fn proven(fate: Fate, why_not: Option<String>) -> Result<Fate, Problem> {
    match (fate, why_not) {
        (Fate::Absent, Some(why)) => {
            Err(Problem::new(Class::Host, format!("Halo's list is not complete: {why}")))
        }
        (fate, _) => Ok(fate),
    }
}

/// A create is found by its marker; where Halo does not give the marker back, by the records of that name that were
/// not there before.
fn created(found: &[Found], name: &str, marker: &str, before: &[TargetId]) -> Fate {
    let by_marker: Vec<_> = found
        .iter()
        .filter(|f| !marker.is_empty() && f.marker.as_deref().is_some_and(|m| m.trim() == marker))
        .map(|f| f.id.clone())
        .collect();
    let ours = if by_marker.is_empty() {
        found
            .iter()
            .filter(|f| {
                let unmarked = f.marker.as_deref().is_none_or(|m| m.trim().is_empty());
                unmarked && f.name.trim() == name.trim() && !before.contains(&f.id)
            })
            .map(|f| f.id.clone())
            .collect()
    } else {
        by_marker
    };
    match ours.as_slice() {
        [] => Fate::Absent,
        [one] => Fate::Done(one.clone()),
        _ => Fate::Duplicate(ours),
    }
}

fn settled(id: &TargetId, found: Option<&Found>, wanted: &Fields, before: &Fields) -> Fate {
    let Some(found) = found else {
        return Fate::Changed("it is no longer in Halo".into());
    };
    if wanted.iter().all(|(name, value)| holds(found, name, Some(value))) {
        Fate::Done(id.clone())
    } else if wanted.iter().all(|(name, _)| holds(found, name, before.get(name))) {
        Fate::Absent
    } else {
        Fate::Changed("somebody changed it in Halo meanwhile".into())
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
        assert_eq!(created(&found, "A", "PHL-x", &[]), Fate::Done(2.into()));
        // Without the marker, what a person marked or what was there before is not ours.
        assert_eq!(created(&found[..1], "A", "PHL-x", &[1.into()]), Fate::Absent);
        assert_eq!(
            created(&[licence(1, "A", None), licence(4, "A", None)], "A", "PHL-x", &[1.into()]),
            Fate::Done(4.into())
        );
        assert_eq!(
            created(&[licence(5, "A", Some("m")), licence(6, "A", Some("m"))], "A", "m", &[]),
            Fate::Duplicate(vec![5.into(), 6.into()])
        );
    }
}
