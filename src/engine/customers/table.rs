//! The table's rows in words, and which of them are asked for.

use super::near::{Choice, Choices};
use super::order::{Line, Table, Wanted};
use super::{Parties, labels};
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::words::{Aspect, MapCounts, MapFilter, MapOrderView, MapRow, MapState, Party, Suggested};
use crate::model::{Decision, Integration, Problem, Refusal, SourceId, TargetId};

impl Parties {
    /// Whether there is a row for it, or its decision is kept.
    pub(super) fn is_known(&self, id: &SourceId) -> bool {
        self.read.source.contains_key(id) || self.links.contains_key(id) || self.decisions.contains_key(id)
    }

    /// Whether the table has a row for it: ended ones without a link or a decision have none.
    pub(super) fn has_row(&self, id: &SourceId) -> bool {
        self.read.source.get(id).is_some_and(|party| !party.ended)
            || self.links.contains_key(id)
            || self.decisions.contains_key(id)
    }

    pub fn counts(&self) -> MapCounts {
        self.table().counts()
    }

    fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::of(self.ids().map(|id| self.line(id)).collect()))
    }

    /// A row as filters and orders see it.
    pub(super) fn line(&self, id: &SourceId) -> Line {
        let state = self.state(id);
        let is_open = state == MapState::Unmapped;
        let choices = if is_open { self.choices(id) } else { Choices::default() };
        let best = choices.best();
        let near = best.and_then(|best| self.read.target.get(&best.target)).map(|party| &*party.name);
        let link = self.links.get(id);
        Line::new(
            id,
            state,
            self.aspect(id, state, &choices),
            best.map(|best| best.score),
            is_open && self.is_exact(id),
            self.source_name(id),
            link.map(|link| self.target_name(link)).or(near).unwrap_or_default(),
            link.map(|link| &link.target),
        )
    }

    /// Every source customer there is a row for: read, linked or decided. Ended ones without a link have none.
    fn ids(&self) -> impl Iterator<Item = &SourceId> {
        let mut ids: Vec<&SourceId> = self
            .read
            .source
            .iter()
            .filter(|(id, s)| !s.ended || self.links.contains_key(id) || self.decisions.contains_key(id))
            .map(|(id, _)| id)
            .chain(self.links.keys().filter(|id| !self.read.source.contains_key(id)))
            .chain(self.decisions.keys().filter(|id| !self.read.source.contains_key(id)))
            .collect();
        ids.sort();
        ids.dedup();
        ids.into_iter()
    }

    pub(super) fn row(&self, id: &SourceId, integration: Integration) -> MapRow {
        let state = self.state(id);
        let link = self.links.get(id);
        let source = self.read.source.get(id);
        let (here, there) = labels(integration);
        let mut remarks = Vec::new();
        if let Some(link) = link {
            if self.read.read_at.is_some_and(|read| read > link.since) {
                if source.is_none() {
                    remarks.push(format!("no longer listed by {here}"));
                }
                match self.read.target.get(&link.target) {
                    None => {
                        let party = integration.target(integration.root()).party().0;
                        remarks.push(format!("{party} {} is no longer in {there}", link.target));
                    }
                    Some(halo) if !halo.is_active => remarks.push(format!("inactive in {there}")),
                    Some(_) => {}
                }
            }
            if let Some(source) = source.filter(|s| s.name.trim() != link.source_name.trim()) {
                remarks.push(format!(
                    "was '{}' at {here}, now '{}'",
                    safe(&link.source_name),
                    safe(&source.name)
                ));
            }
            if let Some(halo) =
                self.read.target.get(&link.target).filter(|h| h.name.trim() != link.target_name.trim())
            {
                remarks.push(format!(
                    "was '{}' in {there}, now '{}'",
                    safe(&link.target_name),
                    safe(&halo.name)
                ));
            }
        }
        if source.is_some_and(|s| s.ended) {
            remarks.push(format!("ended at {here}"));
        }
        if state == MapState::Unmapped && self.is_open_again(id) {
            let known = self.decided.get(id).and_then(|decided| decided.known.as_ref());
            let name = known.map(|known| safe(&known.name)).unwrap_or_default();
            remarks.push(format!("said to be new as '{name}'; open again, since it has changed"));
        }
        if self.aspect(id, state, &Choices::default()) == Some(Aspect::Unused) {
            remarks.push("nothing has ever come through this mapping".to_owned());
        }
        let choices = if state == MapState::Unmapped { self.choices(id) } else { Choices::default() };
        MapRow {
            aspect: self.aspect(id, state, &choices),
            candidates: choices.all.iter().filter_map(|choice| self.suggested(choice, there)).collect(),
            accept_from: self.weights.accept_from,
            refused: self.refusals(id),
            decided: self.decided.get(id).cloned(),
            source: Party {
                id: id.clone(),
                name: safe(self.source_name(id)),
                place: source.map(|s| safe(&s.place)).unwrap_or_default(),
                domain: source.map(|s| safe(&s.domain)).unwrap_or_default(),
            },
            target: link.map(|link| Party {
                id: link.target.clone(),
                name: safe(self.target_name(link)),
                place: String::new(),
                domain: self.read.target.get(&link.target).map(|h| safe(&h.domain)).unwrap_or_default(),
            }),
            state,
            site: link.and_then(|l| l.site.clone()),
            how: link.map(|l| l.how),
            since: link.map(|l| l.since),
            note: self.note(id),
            carries: Vec::new(),
            same_name: if link.is_some() {
                Vec::new()
            } else {
                self.read.namesakes(id).iter().filter_map(|id| self.party(id)).collect()
            },
            remarks,
        }
    }

    /// Of an exclusion: why, and until when.
    pub(super) fn note(&self, id: &SourceId) -> String {
        match self.decisions.get(id) {
            Some(Decision::Exclude { note, until }) => {
                let until = until.map(|day| format!(" until {day}")).unwrap_or_default();
                format!("{}{until}", safe(note))
            }
            _ => String::new(),
        }
    }

    fn suggested(&self, choice: &Choice, there: &str) -> Option<Suggested> {
        let mut why: Vec<String> = choice.why().iter().map(|why| safe(why)).collect();
        let others = if choice.is_free { Vec::new() } else { self.feeding(&choice.target) };
        if !others.is_empty() {
            why.push(format!("mapped to {} already", others.join(", ")));
        } else if !choice.is_free {
            why.push(format!("inactive in {there}"));
        }
        Some(Suggested {
            party: self.party(&choice.target)?,
            score: choice.score,
            why,
            is_free: choice.is_free,
        })
    }

    /// The pairs that a person has ruled out, a sentence each.
    fn refusals(&self, id: &SourceId) -> Vec<String> {
        let told = |(target, refusal): (&TargetId, &Refusal)| {
            let day = refusal.at.to_zoned(jiff::tz::TimeZone::system()).date();
            let open =
                if self.is_refused(id, target) { "" } else { "; open again, since one of them has changed" };
            format!("{} said 'not {}' on {day}{open}", safe(&refusal.by), safe(&refusal.target.name))
        };
        self.refused.get(id).into_iter().flatten().map(told).collect()
    }

    pub(super) fn party(&self, id: &TargetId) -> Option<Party<TargetId>> {
        let halo = self.read.target.get(id)?;
        Some(Party {
            id: id.clone(),
            name: safe(&halo.name),
            place: String::new(),
            domain: safe(&halo.domain),
        })
    }
}

impl Engine {
    pub fn map_order(
        &self,
        integration: Integration,
        filter: &MapFilter,
        by_target: bool,
    ) -> Result<MapOrderView, Problem> {
        let parties = self.parties(integration)?;
        self.score_soon(integration, &parties);
        let table = parties.table();
        let found = table.find(&Wanted::of(filter), by_target);
        let lines = || found.iter().filter_map(|at| table.line(*at));
        let mut groups: Vec<u32> = Vec::new();
        if by_target {
            let mapped: Vec<_> = lines().map_while(Line::partner).collect();
            groups.extend(mapped.chunk_by(|a, b| a == b).map(|group| group.len() as u32));
        }
        Ok(MapOrderView {
            ids: lines().map(|line| line.id.clone()).collect(),
            counts: table.counts(),
            read_at: parties.read.read_at,
            trouble: self.live().trouble.get(&integration).cloned(),
            is_scored: parties.is_scored,
            groups,
        })
    }

    /// The rows of these customers, without those that are no longer there.
    pub fn map_rows(&self, integration: Integration, ids: &[SourceId]) -> Result<Vec<MapRow>, Problem> {
        let parties = self.parties(integration)?;
        let carried = self.carried(integration)?;
        let known = ids.iter().filter(|id| parties.is_known(id));
        Ok(known
            .map(|id| MapRow {
                carries: carried.get(id).cloned().unwrap_or_default(),
                ..parties.row(id, integration)
            })
            .collect())
    }
}
