//! Relations between assets in Hudu: which contact works at which site (apis/hudu.md 12).
//!
//! Hudu can neither change a relation nor read one by itself, and its list is that of the whole instance. So a relation is
//! known here by its two ends, `company/contact-site`, which stays the same whoever makes it; the list is read once for
//! what a job looks at, and again for what it wrote. The one that is taken away is what an inactive record is elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;

use super::{HuduDesk, Named, parts};
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::hudu::Relation;
use crate::api::listing::{Listing, PackedListing};
use crate::engine::records::Write;
use crate::engine::target::Say;
use crate::integrations::hudu as rules;
use crate::model::{
    Class, Entity, FieldName, Fields, Found, MatchKeys, PackedList, Problem, SourceId, TargetId, Value,
};

const ME: Entity = Entity::Relations;

/// The relations that were read, and whose assets they join.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Contact and site, as Hudu's numbers of their assets, and the number of the relation.
    known: Option<BTreeMap<(i64, i64), i64>>,
    /// Those that this job has taken away.
    removed: BTreeSet<(i64, i64)>,
    /// The company and Halo's id of each contact's asset, once relations are asked for.
    contacts: Option<HashMap<i64, (TargetId, SourceId)>>,
}

impl Shelf {
    pub(super) fn note_contact(&mut self, asset: i64, company: &TargetId, halo: SourceId) {
        if let Some(contacts) = &mut self.contacts {
            contacts.insert(asset, (company.clone(), halo));
        }
    }
}

impl HuduDesk {
    fn with_relations<T>(&self, f: impl FnOnce(&mut Shelf) -> T) -> T {
        f(&mut self.relations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Users that are read from now on are noted as ends of relations.
    pub fn expect_relations(&self) {
        self.with_relations(|shelf| {
            shelf.contacts.get_or_insert_default();
        });
    }

    /// Reads the list, unless it was read already.
    pub(super) async fn know_relations(&self) -> Result<(), Problem> {
        if self.with_relations(|shelf| shelf.known.is_none()) {
            self.read_relations(&|_, _| {}).await?;
        }
        Ok(())
    }

    async fn read_relations(&self, say: Say<'_>) -> Result<Listing<Relation>, Problem> {
        // Whose assets they join is told by the assets themselves.
        if self.with_sites(|sites| sites.is_empty()) {
            self.note_assets(Entity::Sites).await?;
        }
        if self.with_relations(|shelf| shelf.contacts.get_or_insert_default().is_empty()) {
            self.note_assets(Entity::Users).await?;
        }
        let all = self.hudu.relations(say).await?;
        let known = all.records.iter().map(|one| ((one.from, one.to), one.id)).collect();
        self.with_relations(|shelf| shelf.known = Some(known));
        Ok(all)
    }

    /// Reads all assets of an entity, for what they say of themselves.
    async fn note_assets(&self, entity: Entity) -> Result<(), Problem> {
        let layout = self.layout(entity).await?;
        for archived in [false, true] {
            let noted = |asset| drop(self.found_asset(entity, asset));
            self.hudu.assets(layout, archived, &noted, &|_, _| {}).await?;
        }
        Ok(())
    }

    /// A relation as planning sees it; `None` where its ends are no contact and site of Halo's.
    fn found_relation(&self, ends: (i64, i64), is_there: bool) -> Option<Found> {
        let (company, contact) =
            self.with_relations(|shelf| shelf.contacts.as_ref()?.get(&ends.0).cloned())?;
        let site = self.with_sites(|sites| sites.get(&ends.1).cloned())?;
        let mut fields = Fields::new();
        let key = rules::relation_key(&contact, &site);
        for (name, value) in rules::relation_fields(&contact, &site) {
            fields.set(name, value);
        }
        fields.shrink();
        Some(Found {
            id: relation_id(&company, ends),
            name: key.as_str().into(),
            parent: Some(company),
            is_active: is_there,
            marker: Some(self.marker(ME, key.as_str())),
            fields,
            keys: MatchKeys::default(),
            currency: None,
            main_site: None,
        })
    }

    /// All relations of Halo's contacts and sites, and those that this job took away.
    pub(super) async fn list_relations(&self, say: Say<'_>) -> Result<PackedListing<Found>, Problem> {
        let all = self.read_relations(say).await?;
        let there: BTreeSet<(i64, i64)> = all.records.iter().map(|one| (one.from, one.to)).collect();
        let removed = self.with_relations(|shelf| shelf.removed.clone());
        let gone = removed.difference(&there).map(|ends| (*ends, false));
        let found = there.iter().map(|ends| (*ends, true)).chain(gone);
        let records: PackedList<Found> =
            found.filter_map(|(ends, is_there)| self.found_relation(ends, is_there)).collect();
        let mut certificate = all.certificate;
        certificate.seen = records.len() as u64;
        Ok(PackedListing { records, certificate, problems: all.problems })
    }

    /// One relation by its ends. One that is not there is inactive: it can be made again.
    pub(super) async fn relation(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let (_, ends) = ends_of(id)?;
        self.know_relations().await?;
        let is_there =
            self.with_relations(|shelf| shelf.known.as_ref().is_some_and(|known| known.contains_key(&ends)));
        Ok(self.found_relation(ends, is_there))
    }

    /// The relations of a company, as they are now.
    pub(super) async fn relations_of(&self, company: &TargetId) -> Result<Vec<Found>, Problem> {
        let all = self.list_relations(&|_, _| {}).await?.proven()?;
        Ok(all.iter().filter(|one| one.parent.as_ref() == Some(company)).collect())
    }

    /// Makes a relation, or takes one away. The list must be known.
    pub(super) async fn send_relation(
        &self,
        permit: Permit,
        write: &Write,
        named: &Named,
    ) -> WriteVerdict<TargetId> {
        let (company, ends, makes) = match meant(write, named) {
            Ok(meant) => meant,
            Err(problem) => return WriteVerdict::Rejected(problem),
        };
        let number = self.with_relations(|shelf| shelf.known.as_ref()?.get(&ends).copied());
        let id = relation_id(&company, ends);
        let verdict = match (makes, number) {
            // Twice is refused, and is what was wanted.
            (true, Some(_)) | (false, None) => return WriteVerdict::Done(id),
            (true, None) => self.hudu.relate(permit, ends.0, ends.1, rules::WORKS_AT).await.map(Some),
            (false, Some(number)) => self.hudu.unrelate(permit, number).await.map(|()| None),
        };
        self.with_relations(|shelf| match &verdict {
            WriteVerdict::Done(Some(made)) => {
                shelf.known.get_or_insert_default().insert(ends, made.id);
                shelf.removed.remove(&ends);
            }
            WriteVerdict::Done(None) => {
                shelf.known.get_or_insert_default().remove(&ends);
                shelf.removed.insert(ends);
            }
            // Only the list tells.
            WriteVerdict::Unknown(_) => {
                shelf.known = None;
                if !makes {
                    shelf.removed.insert(ends);
                }
            }
            _ => {}
        });
        verdict.map(|_| id)
    }
}

/// The company and the ends that a write is about, and whether it makes the relation.
fn meant(write: &Write, named: &Named) -> Result<(TargetId, (i64, i64), bool), Problem> {
    match write {
        Write::Create { customer: Some(company), fields, .. } => {
            let end = |label: &str| -> Result<i64, Problem> {
                let Some(Value::Record(entity, id)) = fields.get(FieldName::own(label)) else {
                    let why = format!("A relation without its {label} is none; nothing was sent.");
                    return Err(Problem::new(Class::Record, why));
                };
                let there = named.get(&(*entity, id.clone())).and_then(|at| parts(at).ok()?.1.number());
                there.ok_or_else(|| super::not_there(*entity, id))
            };
            Ok((company.clone(), (end(rules::CONTACT)?, end(rules::SITE)?), true))
        }
        Write::Set { id, fields, .. } => match fields.get(FieldName::Status) {
            Some(Value::Active(makes)) => {
                let (company, ends) = ends_of(id)?;
                Ok((company, ends, *makes))
            }
            _ => Err(Problem::new(Class::Record, "A relation cannot be changed; nothing was sent.")),
        },
        Write::Create { .. } | Write::SetAddress { .. } => {
            Err(Problem::new(Class::Record, "A relation needs a company; nothing was sent.")
                .remedy("Build the plan again."))
        }
    }
}

fn relation_id(company: &TargetId, (contact, site): (i64, i64)) -> TargetId {
    TargetId::new(format!("{company}/{contact}-{site}"))
}

/// Company and ends of a relation's id.
fn ends_of(id: &TargetId) -> Result<(TargetId, (i64, i64)), Problem> {
    let ends = parts(id).ok().and_then(|(company, ends)| {
        let (contact, site) = ends.as_str().split_once('-')?;
        Some((company, (contact.parse().ok()?, site.parse().ok()?)))
    });
    ends.ok_or_else(|| {
        Problem::new(
            Class::Input,
            format!("'{id}' cannot be the id of a relation in Hudu; nothing was sent."),
        )
    })
}
