//! A decision changes a few rows of the table; the others stay as they are.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::Parties;
use crate::engine::words::Event;
use crate::engine::{Engine, keys};
use crate::model::{Decided, Decision, Integration, Link, Problem, Refusal, SourceId, TargetId};

/// What the index holds about one customer now.
struct Kept {
    id: SourceId,
    link: Option<Link>,
    decision: Option<Decision>,
    refused: BTreeMap<TargetId, Refusal>,
    decided: Option<Decided>,
}

impl Engine {
    /// The mappings of these customers have changed and nothing else has.
    pub(super) fn decided(&self, integration: Integration, ids: &[SourceId]) {
        let mut live = self.live();
        // Whoever still reads the table as it was keeps it; then it is made anew when it is next asked for.
        let known = live.parties.remove(&integration).and_then(Arc::into_inner);
        if let Some(mut parties) = known.filter(|parties| parties.is_scored == parties.read.is_scored()) {
            let kept: Result<Vec<Kept>, Problem> =
                ids.iter().map(|id| self.kept_of(integration, id)).collect();
            // What cannot be read now is said by whoever asks for the table next.
            if let Ok(kept) = kept {
                parties.follow(kept);
                live.parties.insert(integration, Arc::new(parties));
            }
        }
        drop(live);
        self.tell(Event::Map(integration));
    }

    fn kept_of(&self, integration: Integration, id: &SourceId) -> Result<Kept, Problem> {
        Ok(Kept {
            id: id.clone(),
            link: self.book.link(integration, integration.root(), id)?,
            decision: self.book.decision(integration, id)?,
            refused: self.book.get_big(&keys::refused(integration, id))?.unwrap_or_default(),
            decided: self.book.get_big(&keys::decided(integration, id))?,
        })
    }
}

impl Parties {
    fn follow(&mut self, kept: Vec<Kept>) {
        let mut targets: HashSet<TargetId> = HashSet::new();
        let mut ids: HashSet<SourceId> = HashSet::new();
        for Kept { id, link, decision, refused, decided } in kept {
            if let Some(old) = self.links.remove(&id) {
                if let Some(feeding) = self.taken.get_mut(&old.target) {
                    *feeding -= 1;
                    if *feeding == 0 {
                        self.taken.remove(&old.target);
                    }
                }
                targets.insert(old.target);
            }
            if let Some(link) = link {
                *self.taken.entry(link.target.clone()).or_default() += 1;
                targets.insert(link.target.clone());
                self.links.insert(id.clone(), link);
            }
            put(&mut self.refused, &id, (!refused.is_empty()).then_some(refused));
            put(&mut self.decided, &id, decided);
            let is_open = decision == Some(Decision::New) && self.is_open_again(&id);
            put(&mut self.decisions, &id, decision.filter(|_| !is_open));
            ids.insert(id);
        }
        let Some(mut table) = self.table.take() else { return };
        ids.extend(self.read.beside(&targets).into_iter().filter(|id| !self.links.contains_key(id)));
        let (shown, gone): (Vec<SourceId>, Vec<SourceId>) = ids.into_iter().partition(|id| self.has_row(id));
        let is_whole = !gone.iter().any(|id| table.has(id));
        if is_whole && table.put(shown.iter().map(|id| self.line(id))) {
            self.table = OnceLock::from(table);
        }
    }
}

fn put<V>(map: &mut BTreeMap<SourceId, V>, id: &SourceId, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(id.clone(), value)),
        None => drop(map.remove(id)),
    }
}
