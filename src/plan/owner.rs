//! Whose record is it? Markers on target records, read once (sync-engine section 6, decision 33).

use std::borrow::Borrow;
use std::collections::HashMap;

use super::Policy;
use crate::model::marker::{self, Whose};
use crate::model::{Entity, Found, Packed, SourceId};

/// A target record that may carry a marker.
pub(super) trait Marked: Copy {
    fn marker(&self) -> Option<&str>;
}

impl Marked for &Found {
    fn marker(&self) -> Option<&str> {
        self.marker.as_deref()
    }
}

impl Marked for &Packed<Found> {
    fn marker(&self) -> Option<&str> {
        (**self).marker()
    }
}

/// The marked target records of one entity, by the part of the marker that names the source record.
pub(super) struct Markers<R> {
    entity: Entity,
    by_record: HashMap<String, Vec<R>>,
}

/// What the markers say of one source record.
pub(super) enum Claim<R> {
    None,
    /// We made it, and the link was lost (a crash between the two).
    Ours(R),
    /// More than one record carries our marker of it (invariant 5).
    Several(Vec<R>),
    /// Another installation made it for the very same source record.
    Foreign(R),
}

impl<R: Marked> Markers<R> {
    pub fn none(entity: Entity) -> Self {
        Self { entity, by_record: HashMap::new() }
    }

    /// Reads the markers of these source records only: a large tenant has one on every licence.
    pub fn read<I: Borrow<SourceId>>(
        entity: Entity,
        ids: impl Iterator<Item = I>,
        found: impl Iterator<Item = R>,
        policy: &Policy,
    ) -> Self {
        let mut markers = Self::none(entity);
        let mut marked = found.filter(|record| record.marker().is_some_and(marker::is_marker)).peekable();
        if marked.peek().is_none() {
            return markers;
        }
        for id in ids {
            let own = markers.own(id.borrow(), policy);
            markers.by_record.insert(record_part(&own).to_owned(), Vec::new());
        }
        for record in marked {
            let part = record_part(record.marker().unwrap_or_default());
            if let Some(records) = markers.by_record.get_mut(part) {
                records.push(record);
            }
        }
        markers.by_record.retain(|_, records| !records.is_empty());
        markers
    }

    fn own(&self, id: &SourceId, policy: &Policy) -> String {
        marker::marker(&policy.installation, policy.integration, &policy.account, self.entity, id)
    }

    pub fn claim(&self, id: &SourceId, policy: &Policy) -> Claim<R> {
        if self.by_record.is_empty() {
            return Claim::None;
        }
        let Policy { integration, account, installation, .. } = policy;
        let Some(marked) = self.by_record.get(record_part(&self.own(id, policy))) else { return Claim::None };
        let of = |whose: Whose| {
            marked.iter().copied().filter(move |record| {
                let text = record.marker().unwrap_or_default();
                marker::whose(text, installation, *integration, account, self.entity, id) == whose
            })
        };
        let ours: Vec<R> = of(Whose::Ours).collect();
        match ours.as_slice() {
            [only] => Claim::Ours(*only),
            [] => of(Whose::Foreign).next().map_or(Claim::None, Claim::Foreign),
            _ => Claim::Several(ours),
        }
    }
}

fn record_part(marker: &str) -> &str {
    marker.trim().rsplit('-').next().unwrap_or_default()
}
