//! Who can be picked by hand.

use std::cmp::Reverse;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::Parties;
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::words::{CandidateRow, CandidatesView};
use crate::model::{Integration, Problem, SourceId, TargetId};

impl Engine {
    /// The target's customers: those that fit, best first; taken and inactive ones last, never hidden (U14).
    pub fn candidates(
        &self,
        integration: Integration,
        text: &str,
        limit: usize,
    ) -> Result<CandidatesView, Problem> {
        let parties = self.parties(integration)?;
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut hits: Vec<(bool, bool, Reverse<u32>, &TargetId)> = parties
            .read
            .target
            .iter()
            .filter_map(|(id, party)| {
                let domains = party.more_domains.join(" ");
                let text = format!("{} {} {domains} {} {id}", party.name, party.domain, party.postcode);
                let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
                Some((!party.is_active, parties.taken.contains_key(id), Reverse(score), id))
            })
            .collect();
        hits.sort();
        let total = hits.len() as u64;
        Ok(parties.to_choose(total, hits.into_iter().take(limit).map(|(.., id)| id)))
    }

    /// Those between whom the row of this customer cannot tell (P13); nobody where it can.
    pub fn rivals(&self, integration: Integration, id: &SourceId) -> Result<CandidatesView, Problem> {
        let parties = self.parties(integration)?;
        let rivals = parties.choices(id).rivals;
        Ok(parties.to_choose(rivals.len() as u64, rivals.iter()))
    }
}

impl Parties {
    fn to_choose<'a>(&self, total: u64, ids: impl Iterator<Item = &'a TargetId>) -> CandidatesView {
        let rows = ids.filter_map(|id| {
            Some(CandidateRow {
                party: self.party(id)?,
                is_active: self.read.target.get(id)?.is_active,
                mapped_to: self.feeding(id),
            })
        });
        CandidatesView { total, of: self.read.target.len() as u64, rows: rows.collect() }
    }

    /// The names of those that are mapped to this one.
    pub(super) fn feeding(&self, target: &TargetId) -> Vec<String> {
        if !self.taken.contains_key(target) {
            return Vec::new();
        }
        let mapped = self.links.iter().filter(|(_, link)| link.target == *target);
        mapped.map(|(source, _)| safe(self.source_name(source))).collect()
    }
}
