//! Everything that is known of one customer in every system, with the gaps (N12).

use super::labels;
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::planning::Links;
use crate::engine::words::{CardPart, CardView};
use crate::model::{Integration, Place, Problem, SourceId, TargetId};

impl Engine {
    /// Reads every link of every integration: not for the thread that answers.
    pub fn card(&self, integration: Integration, id: &SourceId) -> Result<CardView, Problem> {
        let parties = self.parties(integration)?;
        let name = safe(parties.source_name(id));
        let root = integration.root();
        let mut view = CardView { name, parts: vec![self.source_part(integration, id)?] };
        let hub = integration.target(root);
        let (_, there) = labels(integration);
        let Some(link) = parties.links.get(id) else {
            let near: Vec<String> = parties
                .row(id, integration)
                .candidates
                .iter()
                .map(|one| format!("may be '{}' ({}), {} of 100", one.party.name, one.party.id, one.score))
                .collect();
            let lines = [vec!["not mapped".to_owned()], near].concat();
            view.parts.push(CardPart { place: there.to_owned(), lines, is_gap: true });
            return Ok(view);
        };
        let mut lines = vec![format!("{} ({})", safe(parties.target_name(link)), link.target)];
        match parties.read.target.get(&link.target) {
            Some(party) => {
                lines.extend(
                    [&party.domain, &party.vat].iter().filter(|text| !text.is_empty()).map(|text| safe(text)),
                );
                lines.extend((!party.is_active).then(|| "inactive".to_owned()));
            }
            None => lines.push("not in the list as last read".into()),
        }
        let is_gap = parties.read.target.get(&link.target).is_none_or(|party| !party.is_active);
        view.parts.push(CardPart { place: there.to_owned(), lines, is_gap });
        for other in Integration::ALL {
            view.parts.extend(self.beside(other, (integration, id), hub, &link.target)?);
        }
        Ok(view)
    }

    /// What another integration knows of the customer with this id in the system that both share.
    fn beside(
        &self,
        other: Integration,
        (integration, id): (Integration, &SourceId),
        hub: Place,
        shared: &TargetId,
    ) -> Result<Vec<CardPart>, Problem> {
        let root = other.root();
        let parties = self.parties(other)?;
        if !self.settings().of(other).enabled && parties.links.is_empty() {
            return Ok(Vec::new());
        }
        if other.source(root) == hub {
            let own = SourceId::new(shared.as_str());
            let place = other.target(root).label().to_owned();
            let Some(link) = parties.links.get(&own) else {
                return Ok(vec![CardPart { place, lines: vec!["not mapped".into()], is_gap: true }]);
            };
            let mut lines = vec![format!("{} ({})", safe(parties.target_name(link)), link.target)];
            lines.extend(self.records_of(other, &own)?);
            return Ok(vec![CardPart { place, lines, is_gap: false }]);
        }
        if other.target(root) != hub {
            return Ok(Vec::new());
        }
        let feeding: Vec<&SourceId> = parties
            .links
            .iter()
            .filter(|(source, link)| link.target == *shared && !(other == integration && *source == id))
            .map(|(source, _)| source)
            .collect();
        if feeding.is_empty() && other != integration {
            let place = other.source(root).label().to_owned();
            return Ok(vec![CardPart { place, lines: vec!["nobody is mapped to it".into()], is_gap: true }]);
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
