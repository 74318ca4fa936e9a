//! Whose record is it? Markers on target records, read once (sync-engine section 6, decision 33).

use std::borrow::Borrow;
use std::collections::HashMap;

use super::Policy;
use crate::model::marker::{self, Whose};
use crate::model::{Entity, Found, PackedList, SourceId};

/// The marked target records of one entity, by the part of the marker that names the source record.
pub(super) struct Markers<R> {
    entity: Entity,
    by_record: HashMap<String, Vec<(R, Box<str>)>>,
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

impl<'a> Markers<&'a Found> {
    /// Reads the markers of these source records only: a large tenant has one on every licence.
    pub fn read<I: Borrow<SourceId>>(
        entity: Entity,
        ids: impl Iterator<Item = I>,
        found: impl Iterator<Item = &'a Found>,
        policy: &Policy,
    ) -> Self {
        let marked = found.filter_map(|record| Some((record, record.marker.as_deref()?)));
        let mut marked = marked.filter(|(_, text)| marker::is_marker(text)).peekable();
        let mut markers = Self::none(entity);
        if marked.peek().is_some() {
            markers.want(ids, policy);
            marked.for_each(|(record, text)| markers.see(record, text));
            markers.by_record.retain(|_, records| !records.is_empty());
        }
        markers
    }
}

impl Markers<usize> {
    /// The same of a list: records are their places in it.
    pub fn listed(
        entity: Entity,
        ids: impl Iterator<Item = SourceId>,
        found: &PackedList<Found>,
        policy: &Policy,
    ) -> Self {
        let (mut markers, mut is_any) = (Self::none(entity), false);
        found.each_marker(|_, text| is_any |= marker::is_marker(text));
        if is_any {
            markers.want(ids, policy);
            found.each_marker(|at, text| markers.see(at, text));
            markers.by_record.retain(|_, records| !records.is_empty());
        }
        markers
    }
}

impl<R: Copy> Markers<R> {
    pub fn none(entity: Entity) -> Self {
        Self { entity, by_record: HashMap::new() }
    }

    fn want<I: Borrow<SourceId>>(&mut self, ids: impl Iterator<Item = I>, policy: &Policy) {
        for id in ids {
            let own = self.own(id.borrow(), policy);
            self.by_record.insert(record_part(&own).to_owned(), Vec::new());
        }
    }

    fn see(&mut self, record: R, text: &str) {
        if let Some(records) = self.by_record.get_mut(record_part(text)).filter(|_| marker::is_marker(text)) {
            records.push((record, text.into()));
        }
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
            let is_so = move |text: &str| {
                marker::whose(text, installation, *integration, account, self.entity, id) == whose
            };
            marked.iter().filter(move |(_, text)| is_so(text)).map(|(record, _)| *record)
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
