//! Everything that is known of one customer in every system, with the gaps (N12).

use super::labels;
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::planning::Links;
use crate::engine::words::{CardPart, CardView};
use crate::model::{Integration, Place, Problem, SourceId, TargetId};

impl Engine {
    /// Reads every link of every integration: not for the thread that answers. What all systems share is the customer
    /// in Halo; whoever is not linked to one is known in its own system only.
    pub fn card(&self, integration: Integration, id: &SourceId) -> Result<CardView, Problem> {
        let parties = self.parties(integration)?;
        let name = safe(parties.source_name(id));
        let mut view = CardView { name, parts: Vec::new() };
        let is_halos = integration.source(integration.root()) == Place::Halo;
        let halo = if is_halos {
            Some(TargetId::new(id.as_str()))
        } else {
            view.parts.push(self.source_part(integration, id)?);
            parties.links.get(id).map(|link| link.target.clone())
        };
        let Some(halo) = halo else {
            view.parts.push(self.unmapped_part(integration, id)?);
            return Ok(view);
        };
        view.parts.push(self.halo_part(integration, id, &halo)?);
        for other in Integration::ALL {
            view.parts.extend(self.beside(other, (integration, id), &halo)?);
        }
        Ok(view)
    }

    /// Nobody yet, and who it may be.
    fn unmapped_part(&self, integration: Integration, id: &SourceId) -> Result<CardPart, Problem> {
        let row = self.parties(integration)?.row(id, integration);
        let near = row
            .candidates
            .iter()
            .map(|one| format!("may be '{}' ({}), {} of 100", one.party.name, one.party.id, one.score));
        let lines = std::iter::once("not mapped".to_owned()).chain(near).collect();
        Ok(CardPart { place: labels(integration).1.to_owned(), lines, is_gap: true })
    }

    /// The customer in Halo, as this integration last read it.
    fn halo_part(
        &self,
        integration: Integration,
        id: &SourceId,
        halo: &TargetId,
    ) -> Result<CardPart, Problem> {
        let parties = self.parties(integration)?;
        let place = Place::Halo.label().to_owned();
        let of = |name: &str, is_active: bool, known: [&str; 3]| {
            let mut lines = vec![format!("{} ({halo})", safe(name))];
            lines.extend(known.into_iter().filter(|text| !text.is_empty()).map(safe));
            lines.extend((!is_active).then(|| "inactive".to_owned()));
            CardPart { place: place.clone(), lines, is_gap: !is_active }
        };
        if integration.source(integration.root()) == Place::Halo {
            return Ok(match parties.read.source.get(id) {
                Some(party) => of(&party.name, !party.ended, [&party.domain, &party.vat, &party.postcode]),
                None => gap(place, format!("{halo} is not in the list as last read")),
            });
        }
        Ok(match parties.read.target.get(halo) {
            Some(party) => of(&party.name, party.is_active, [&party.domain, &party.vat, &party.postcode]),
            None => gap(place, format!("{halo} is not in the list as last read")),
        })
    }

    /// What another integration knows of the customer with this id in Halo.
    fn beside(
        &self,
        other: Integration,
        (integration, id): (Integration, &SourceId),
        halo: &TargetId,
    ) -> Result<Vec<CardPart>, Problem> {
        let root = other.root();
        let parties = self.parties(other)?;
        if !self.settings().of(other).enabled && parties.links.is_empty() {
            return Ok(Vec::new());
        }
        if other.source(root) == Place::Halo {
            let own = SourceId::new(halo.as_str());
            let place = other.target(root).label().to_owned();
            let Some(link) = parties.links.get(&own) else {
                let part = self.unmapped_part(other, &own)?;
                let decision = parties.row(&own, other).state.key();
                let lines =
                    [vec![decision.to_owned()], part.lines.iter().skip(1).cloned().collect()].concat();
                return Ok(vec![CardPart { lines, ..part }]);
            };
            let mut lines = vec![format!("{} ({})", safe(parties.target_name(link)), link.target)];
            lines.extend(self.records_of(other, &own)?);
            lines.extend(parties.row(&own, other).remarks);
            let is_gap = parties.read.target.get(&link.target).is_none_or(|party| !party.is_active);
            return Ok(vec![CardPart { place, lines, is_gap }]);
        }
        let feeding: Vec<&SourceId> = parties
            .links
            .iter()
            .filter(|(source, link)| link.target == *halo && !(other == integration && *source == id))
            .map(|(source, _)| source)
            .collect();
        if feeding.is_empty() && other != integration {
            return Ok(vec![gap(other.source(root).label().to_owned(), "nobody is mapped to it".into())]);
        }
        feeding.into_iter().map(|source| self.source_part(other, source)).collect()
    }

    /// A customer at its source, with what hangs on it.
    fn source_part(&self, integration: Integration, id: &SourceId) -> Result<CardPart, Problem> {
        let row = self.parties(integration)?.row(id, integration);
        let (here, _) = labels(integration);
        let mut lines = vec![format!("{} ({id}), {}", row.source.name, row.state.key())];
        let known = [row.source.place, row.source.domain];
        lines.extend(known.into_iter().filter(|text| !text.is_empty()));
        lines.extend(self.records_of(integration, id)?);
        lines.extend(row.remarks);
        lines.extend(row.decided.map(|decided| format!("last decided by {}: {}", decided.by, decided.what)));
        Ok(CardPart { place: here.to_owned(), lines, is_gap: false })
    }

    /// How many records of a customer are linked, kind by kind, and what of it waits for a person.
    fn records_of(&self, integration: Integration, id: &SourceId) -> Result<Vec<String>, Problem> {
        let mut lines = Vec::new();
        let root = integration.root();
        for entity in integration.entities().iter().copied().filter(|entity| *entity != root) {
            let mut links = Links::new(self, integration, entity);
            let count = links.by_ref().filter(|(_, link)| link.parent.as_ref() == Some(id)).count();
            links.end()?;
            lines.push(format!("{count} {entity} linked"));
        }
        let issues = self.issues(Some(integration))?;
        let open = issues.groups.iter().flat_map(|group| &group.issues).filter(|issue| issue.customer == *id);
        lines.extend(open.map(|issue| format!("waits: {}: {}", safe(&issue.source.name), issue.message)));
        Ok(lines)
    }
}

fn gap(place: String, line: String) -> CardPart {
    CardPart { place, lines: vec![line], is_gap: true }
}
