//! Whose record is it? Markers on target records, read once (sync-engine section 6, decision 33).

use std::collections::HashMap;

use super::Policy;
use crate::model::marker::{self, Whose};
use crate::model::{Entity, Found, SourceId};

/// The marked target records of one entity, by the part of the marker that names the source record.
pub(super) struct Markers<'a> {
    entity: Entity,
    by_record: HashMap<&'a str, Vec<&'a Found>>,
}

/// What the markers say of one source record.
pub(super) enum Claim<'a> {
    None,
    /// We made it, and the link was lost (a crash between the two).
    Ours(&'a Found),
    /// More than one record carries our marker of it (invariant 5).
    Several(Vec<&'a Found>),
    /// Another installation made it for the very same source record.
    Foreign(&'a Found),
}

impl<'a> Markers<'a> {
    pub fn read(entity: Entity, found: impl Iterator<Item = &'a Found>) -> Self {
        let mut by_record: HashMap<&str, Vec<&Found>> = HashMap::new();
        for record in found {
            if let Some(text) = record.marker.as_deref().filter(|text| marker::is_marker(text)) {
                by_record.entry(record_part(text)).or_default().push(record);
            }
        }
        Self { entity, by_record }
    }

    pub fn claim(&self, id: &SourceId, policy: &Policy) -> Claim<'a> {
        if self.by_record.is_empty() {
            return Claim::None;
        }
        let Policy { integration, account, installation, .. } = policy;
        let wanted = marker::marker(installation, *integration, account, self.entity, id);
        let Some(marked) = self.by_record.get(record_part(&wanted)) else { return Claim::None };
        let of = |whose: Whose| {
            marked.iter().copied().filter(move |record| {
                let text = record.marker.as_deref().unwrap_or_default();
                marker::whose(text, installation, *integration, account, self.entity, id) == whose
            })
        };
        let ours: Vec<&Found> = of(Whose::Ours).collect();
        match ours.as_slice() {
            [only] => Claim::Ours(only),
            [] => of(Whose::Foreign).next().map_or(Claim::None, Claim::Foreign),
            _ => Claim::Several(ours),
        }
    }
}

fn record_part(marker: &str) -> &str {
    marker.trim().rsplit('-').next().unwrap_or_default()
}
