//! Liongard as a system that rows are written to: environments for Halo's customers (L17). They are made, never changed
//! and never deleted (apis/liongard.md 8.6 to 8.8).

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::records::Write;
use super::target::Say;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::liongard::{Liongard, NewEnvironment};
use crate::api::listing::Listing;
use crate::integrations::liongard as rules;
use crate::model::liongard::SourceEnvironment;
use crate::model::{Class, Entity, FieldName, Found, Problem, SourceId, TargetId};

/// Liongard, and every environment that was seen through it: what a create answers must be none of these.
pub struct LiongardDesk {
    pub liongard: Liongard,
    seen: Mutex<HashSet<SourceId>>,
}

impl LiongardDesk {
    pub fn new(liongard: Liongard) -> Self {
        Self { liongard, seen: Mutex::default() }
    }

    fn with_seen<T>(&self, f: impl FnOnce(&mut HashSet<SourceId>) -> T) -> T {
        f(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An environment as a plan compares it.
    pub fn found(&self, environment: &SourceEnvironment) -> Found {
        self.with_seen(|seen| seen.insert(environment.id.clone()));
        rules::found_environment(environment)
    }

    pub async fn record(&self, id: &TargetId) -> Result<Option<Found>, Problem> {
        let found = self.liongard.environment(&SourceId::new(id.as_str())).await?;
        Ok(found.map(|environment| self.found(&environment)))
    }

    pub async fn list(&self, say: Say<'_>) -> Result<Listing<Found>, Problem> {
        let listing = self.liongard.environments(say).await?;
        Ok(Listing {
            records: listing.records.iter().map(|environment| self.found(environment)).collect(),
            certificate: listing.certificate,
            problems: listing.problems,
        })
    }

    /// Sends one write, once.
    pub async fn send(&self, permit: Permit, write: &Write) -> WriteVerdict<TargetId> {
        let Write::Create { entity: Entity::Push, fields, marker, .. } = write else {
            return WriteVerdict::Rejected(
                Problem::new(Class::Local, "Environments are made and never changed: nothing was sent.")
                    .remedy("Build the plan again."),
            );
        };
        let name = fields.get(FieldName::Name).map(ToString::to_string).unwrap_or_default();
        let new = NewEnvironment { name: name.into(), description: rules::description(marker).into() };
        let known = |id: &SourceId| self.with_seen(|seen| seen.contains(id));
        let verdict = self.liongard.create_environment(permit, &new, &known).await;
        verdict.map(|environment| self.found(&environment).id)
    }
}
