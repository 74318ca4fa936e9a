//! The table itself: its rows in order, filtered, and each row in words.

use std::cmp::Reverse;

use super::near::{Choice, Choices};
use super::{Parties, labels};
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::words::{Aspect, MapCounts, MapFilter, MapOrderView, MapRow, MapState, Party, Suggested};
use crate::model::{Decision, Integration, Problem, Refusal, SourceId, TargetId};

pub(super) struct Table {
    counts: MapCounts,
    lines: Vec<Line>,
}

/// A row of the table as filters and orders see it.
struct Line {
    id: SourceId,
    state: MapState,
    aspect: Option<Aspect>,
    /// Of the free partner that comes nearest.
    best: Option<u8>,
    /// Both names and the id, in lower case.
    text: String,
    /// What needs a person comes first (U11).
    rank: u8,
    target: String,
}

impl Parties {
    /// Whether there is a row for it, or its decision is kept.
    pub(super) fn is_known(&self, id: &SourceId) -> bool {
        self.read.source.contains_key(id) || self.links.contains_key(id) || self.decisions.contains_key(id)
    }

    pub fn counts(&self) -> MapCounts {
        self.table().counts
    }

    fn table(&self) -> &Table {
        self.table.get_or_init(|| {
            let mut counts = MapCounts::default();
            let mut lines: Vec<Line> = self
                .ids()
                .map(|id| {
                    let state = self.state(id);
                    let choices =
                        if state == MapState::Unmapped { self.choices(id) } else { Choices::default() };
                    let aspect = self.aspect(id, state, &choices);
                    count(&mut counts, state, aspect, || self.is_exact(id));
                    let rank = match (state, aspect) {
                        (MapState::Unmapped, Some(Aspect::Ambiguous)) => 0,
                        (MapState::Orphaned, _) => 1,
                        (MapState::Unmapped, Some(_)) => 2,
                        (MapState::Unmapped, None) => 3,
                        (MapState::Mapped, Some(_)) | (MapState::Renamed, _) => 4,
                        (MapState::New, _) => 5,
                        (MapState::Mapped, None) => 6,
                        (MapState::Excluded, _) => 7,
                    };
                    let best = choices.best();
                    let near =
                        best.and_then(|best| self.read.target.get(&best.target)).map(|party| &*party.name);
                    let link = self.links.get(id).map(|link| self.target_name(link));
                    let target = link.or(near).unwrap_or_default().to_lowercase();
                    let text = format!("{}\n{target}\n{id}", self.source_name(id).to_lowercase());
                    let best = best.map(|best| best.score);
                    Line { id: id.clone(), state, aspect, best, text, rank, target }
                })
                .collect();
            lines.sort_by(|a, b| {
                (a.rank, Reverse(a.best), &a.text, &a.id).cmp(&(b.rank, Reverse(b.best), &b.text, &b.id))
            });
            Table { counts, lines }
        })
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
            how: link.map(|l| l.how),
            since: link.map(|l| l.since),
            note: self.note(id),
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
        let mut why: Vec<String> = choice.why.iter().map(|why| safe(why)).collect();
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
        let (scores, words): (Vec<&str>, Vec<&str>) =
            filter.text.split_whitespace().partition(|word| score_of(word).is_some());
        let from = scores.into_iter().filter_map(score_of).max();
        let words: Vec<String> = words.into_iter().map(str::to_lowercase).collect();
        let mut lines: Vec<&Line> = parties
            .table()
            .lines
            .iter()
            .filter(|line| filter.states.is_empty() || filter.states.contains(&line.state))
            .filter(|line| filter.aspect.is_none_or(|aspect| line.aspect == Some(aspect)))
            .filter(|line| from.is_none_or(|from| line.best.is_some_and(|best| best >= from)))
            .filter(|line| words.iter().all(|word| line.text.contains(word.as_str())))
            .collect();
        let mut groups: Vec<u32> = Vec::new();
        if by_target {
            let target = |line: &Line| parties.links.get(&line.id).map(|link| &link.target);
            // Two customers of one name are two; who has no partner yet comes last, beside whom it may be.
            lines.sort_by(|a, b| {
                let (one, other) = (target(a), target(b));
                (one.is_none(), &a.target, one, &a.text).cmp(&(other.is_none(), &b.target, other, &b.text))
            });
            let mapped: Vec<_> = lines.iter().map_while(|line| target(line)).collect();
            groups.extend(mapped.chunk_by(|a, b| a == b).map(|group| group.len() as u32));
        }
        Ok(MapOrderView {
            ids: lines.into_iter().map(|line| line.id.clone()).collect(),
            counts: parties.counts(),
            read_at: parties.read.read_at,
            trouble: self.live().trouble.get(&integration).cloned(),
            is_scored: parties.is_scored,
            groups,
        })
    }

    /// The rows of these customers, without those that are no longer there.
    pub fn map_rows(&self, integration: Integration, ids: &[SourceId]) -> Result<Vec<MapRow>, Problem> {
        let parties = self.parties(integration)?;
        let known = ids.iter().filter(|id| parties.is_known(id));
        Ok(known.map(|id| parties.row(id, integration)).collect())
    }
}

/// The least score that a word of a filter asks for: `>95`.
fn score_of(word: &str) -> Option<u8> {
    match word.strip_prefix('>')? {
        "" => Some(0),
        number => number.parse().ok(),
    }
}

fn count(counts: &mut MapCounts, state: MapState, aspect: Option<Aspect>, is_exact: impl Fn() -> bool) {
    counts.all += 1;
    match state {
        MapState::Mapped => counts.mapped += 1,
        MapState::Unmapped => {
            counts.unmapped += 1;
            counts.exact += u64::from(is_exact());
        }
        MapState::New => counts.new += 1,
        MapState::Excluded => counts.excluded += 1,
        MapState::Orphaned => counts.orphaned += 1,
        MapState::Renamed => counts.renamed += 1,
    }
    match aspect {
        Some(Aspect::Suggested) => counts.suggested += 1,
        Some(Aspect::Ambiguous) => counts.ambiguous += 1,
        Some(Aspect::Inactive) => counts.inactive += 1,
        Some(Aspect::Drifting) => counts.drifting += 1,
        Some(Aspect::Unused) => counts.unused += 1,
        None => {}
    }
}
