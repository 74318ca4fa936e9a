//! Possible partners of whoever is unmapped: scored once for each reading, beside the thread that answers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Parties, SourceParty, TargetParty};
use crate::engine::Engine;
use crate::engine::words::Event;
use crate::matching::name;
use crate::matching::suggest::{Candidate, Facts, Index, Scratch, Suggestion, likeness};
use crate::model::settings::Matching;
use crate::model::{
    Class, Entity, Fields, Found, Integration, KeyValues, MatchKeys, Moment, Problem, SourceId, TargetId,
    Value, Verdict, Wanted,
};
use crate::plan::{LookAlike, Mappings, Snapshot};

/// Both sides as they were last read. Decisions leave it as it is.
#[derive(Default)]
pub struct Reading {
    pub source: BTreeMap<SourceId, SourceParty>,
    pub target: BTreeMap<TargetId, TargetParty>,
    pub read_at: Option<Moment>,
    /// Of each source customer the active target customers of the same exact name, where there are any.
    namesakes: HashMap<SourceId, Arc<[TargetId]>>,
    /// Source customers that share their exact name with another one.
    doubles: HashSet<SourceId>,
    near: OnceLock<Near>,
    is_asked: AtomicBool,
}

/// Who comes near whom.
struct Near {
    index: Index,
    /// The target's customers as the index counts them.
    targets: Vec<TargetId>,
    found: HashMap<SourceId, Arc<[Candidate]>>,
    /// Found since: of those that were mapped when all were scored.
    late: Mutex<HashMap<SourceId, Arc<[Candidate]>>>,
}

/// A possible partner.
pub(super) struct Choice {
    pub target: TargetId,
    pub score: u8,
    pub is_free: bool,
    /// Until all are scored only the name speaks for it.
    near: Option<Candidate>,
}

impl Choice {
    /// What speaks for it, in words.
    pub fn why(&self) -> Vec<String> {
        self.near.as_ref().map_or_else(|| vec!["same name".into()], Candidate::why)
    }
}

/// The possible partners of one customer, best first, taken ones last.
#[derive(Default)]
pub(super) struct Choices {
    pub all: Vec<Choice>,
    /// All between whom only a person can tell, also those that are not shown; empty or at least two.
    pub rivals: Vec<TargetId>,
}

impl Choices {
    /// What one key may take.
    pub fn best(&self) -> Option<&Choice> {
        self.all.first().filter(|choice| choice.is_free)
    }

    pub const fn is_ambiguous(&self) -> bool {
        !self.rivals.is_empty()
    }
}

impl Reading {
    pub(super) fn new(
        source: BTreeMap<SourceId, SourceParty>,
        target: BTreeMap<TargetId, TargetParty>,
        read_at: Option<Moment>,
    ) -> Self {
        let mut by_name: HashMap<String, Vec<TargetId>> = HashMap::new();
        for (id, party) in target.iter().filter(|(_, party)| party.is_active) {
            by_name.entry(name::exact_form(&party.name)).or_default().push(id.clone());
        }
        let by_name: HashMap<String, Arc<[TargetId]>> =
            by_name.into_iter().map(|(name, ids)| (name, ids.into())).collect();
        let mut namesakes = HashMap::new();
        let mut first: HashMap<String, &SourceId> = HashMap::new();
        let mut doubles = HashSet::new();
        for (id, party) in &source {
            let name = name::exact_form(&party.name);
            namesakes.extend(by_name.get(&name).map(|of| (id.clone(), of.clone())));
            if !party.ended
                && let Some(other) = first.insert(name, id)
            {
                doubles.extend([id.clone(), other.clone()]);
            }
        }
        Self { source, target, read_at, namesakes, doubles, ..Self::default() }
    }

    /// Active target customers of the same exact name.
    pub(super) fn namesakes(&self, id: &SourceId) -> &[TargetId] {
        self.namesakes.get(id).map_or(&[], |of| of)
    }

    /// Whether no other source customer has its exact name.
    pub(super) fn is_only(&self, id: &SourceId) -> bool {
        !self.doubles.contains(id)
    }

    /// Source customers that any of these may be the partner of.
    pub(super) fn beside(&self, targets: &HashSet<TargetId>) -> HashSet<SourceId> {
        let named = self.namesakes.iter().filter(|(_, of)| of.iter().any(|one| targets.contains(one)));
        let mut beside: HashSet<SourceId> = named.map(|(id, _)| id.clone()).collect();
        if let Some(near) = self.near.get() {
            let mut is_meant = vec![false; near.targets.len()];
            for target in targets {
                if let Ok(at) = near.targets.binary_search(target) {
                    is_meant[at] = true;
                }
            }
            let meant = |of: &[Candidate]| of.iter().any(|one| is_meant.get(one.at) == Some(&true));
            beside.extend(near.found.iter().filter(|(_, of)| meant(of)).map(|(id, _)| id.clone()));
            beside.extend(near.late().iter().filter(|(_, of)| meant(of)).map(|(id, _)| id.clone()));
        }
        beside
    }

    pub(super) fn is_scored(&self) -> bool {
        self.near.get().is_some()
    }

    /// Finds who comes near whom, for all that are wanted: about 100 us each.
    fn score(&self, weights: &Matching, is_wanted: impl Fn(&SourceId) -> bool) {
        self.near.get_or_init(|| {
            let (targets, facts): (Vec<TargetId>, Vec<Facts>) =
                self.target.iter().map(|(id, party)| (id.clone(), party.facts())).unzip();
            let index = Index::new(&facts, weights.clone());
            let mut scratch = Scratch::default();
            let wanted = self.source.iter().filter(|(id, party)| !party.ended && is_wanted(id));
            let found = wanted
                .map(|(id, party)| (id.clone(), index.near(&party.facts(), &mut scratch).into()))
                .collect();
            Near { index, targets, found, late: Mutex::default() }
        });
    }
}

impl Near {
    /// Who comes near this one; one that was mapped while all were scored is looked at now.
    fn of(&self, id: &SourceId, party: &SourceParty) -> Arc<[Candidate]> {
        if let Some(found) = self.found.get(id) {
            return found.clone();
        }
        let look = || self.index.near(&party.facts(), &mut Scratch::default()).into();
        self.late().entry(id.clone()).or_insert_with(look).clone()
    }

    fn late(&self) -> std::sync::MutexGuard<'_, HashMap<SourceId, Arc<[Candidate]>>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SourceParty {
    fn facts(&self) -> Facts {
        facts(&self.name, &self.vat, std::iter::once(&self.domain).chain(&self.more_domains), &self.postcode)
    }

    pub(super) fn keys(&self) -> KeyValues {
        KeyValues { name: self.name.clone(), vat: self.vat.clone(), domain: self.domain.clone() }
    }
}

impl TargetParty {
    pub(super) fn of(found: &Found) -> Self {
        let mut party = Self {
            name: found.name.as_ref().into(),
            is_active: found.is_active,
            postcode: postcode_of(&found.fields).into(),
            ..Self::default()
        };
        party.learn(&found.keys);
        party
    }

    fn facts(&self) -> Facts {
        facts(&self.name, &self.vat, std::iter::once(&self.domain).chain(&self.more_domains), &self.postcode)
    }

    pub(super) fn keys(&self) -> KeyValues {
        KeyValues { name: self.name.clone(), vat: self.vat.clone(), domain: self.domain.clone() }
    }

    /// What details told, where the list is silent.
    pub(super) fn learn(&mut self, keys: &MatchKeys) {
        if self.vat.is_empty() {
            self.vat = keys.vat.clone().unwrap_or_default();
        }
        if self.domain.is_empty() {
            let mut domains = keys.domains.iter().cloned();
            self.domain = domains.next().unwrap_or_default();
            self.more_domains = domains.collect();
        }
    }
}

fn facts<'a>(
    name: &str,
    vat: &str,
    domains: impl IntoIterator<Item = &'a Box<str>>,
    postcode: &str,
) -> Facts {
    let known = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    Facts {
        name: name.to_owned(),
        vat: known(vat),
        domains: domains.into_iter().filter_map(|domain| known(domain)).collect(),
        postcode: known(postcode),
    }
}

/// Of the address, whatever the field is called: Hudu's companies have it as a field of their own.
fn postcode_of(fields: &Fields) -> &str {
    let addresses = fields.iter().filter_map(|(_, value)| match value {
        Value::Address(address) => Some(&*address.postcode),
        _ => None,
    });
    addresses.into_iter().next().unwrap_or_default()
}

impl Parties {
    /// The possible partners of an unmapped customer. Until all are scored, those of the same exact name.
    pub(super) fn choices(&self, id: &SourceId) -> Choices {
        let Some(party) = self.read.source.get(id).filter(|_| !self.links.contains_key(id)) else {
            return Choices::default();
        };
        let Some(near) = self.read.near.get() else {
            let names: Vec<&TargetId> =
                self.read.namesakes(id).iter().filter(|target| !self.is_refused(id, target)).collect();
            let (free, taken): (Vec<&TargetId>, Vec<&TargetId>) =
                names.into_iter().partition(|target| self.is_free(target));
            let rivals = if free.len() > 1 { free.iter().copied().cloned().collect() } else { Vec::new() };
            let choice = |target: &TargetId| Choice {
                target: target.clone(),
                score: 100,
                is_free: self.is_free(target),
                near: None,
            };
            let all = free.into_iter().chain(taken).take(crate::matching::suggest::SHOWN);
            return Choices { all: all.map(choice).collect(), rivals };
        };
        let target = |at: usize| near.targets.get(at);
        let found = Suggestion::of(
            &near.of(id, party),
            |at| target(at).is_none_or(|target| self.is_refused(id, target)),
            |at| target(at).is_none_or(|target| !self.is_free(target)),
        );
        let choice = |one: Candidate| {
            let target = target(one.at)?.clone();
            let is_free = self.is_free(&target);
            Some(Choice { target, score: one.score, is_free, near: Some(one) })
        };
        Choices {
            rivals: found.rivals.iter().filter_map(|one| target(one.at).cloned()).collect(),
            all: found.candidates.into_iter().filter_map(choice).collect(),
        }
    }

    /// Whether a target customer is active and nobody's partner yet.
    fn is_free(&self, target: &TargetId) -> bool {
        !self.taken.contains_key(target) && self.read.target.get(target).is_some_and(|party| party.is_active)
    }

    /// P14: whether a person has ruled this pair out, and nothing that tells either from others has changed since.
    pub(super) fn is_refused(&self, id: &SourceId, target: &TargetId) -> bool {
        let Some(refusal) = self.refused.get(id).and_then(|of| of.get(target)) else { return false };
        let source = self.read.source.get(id).is_none_or(|now| refusal.source.still_holds(&now.keys()));
        source && self.read.target.get(target).is_none_or(|now| refusal.target.still_holds(&now.keys()))
    }

    /// Whether the names of a mapped pair have little in common.
    pub(super) fn drifts(&self, source: &SourceParty, target: &TargetParty) -> bool {
        let score = likeness(&source.facts(), &target.facts(), &self.weights).map_or(0, |(score, _)| score);
        score < self.weights.floor
    }
}

impl Engine {
    /// Has the partners of everybody unmapped scored, and waits for it.
    pub async fn score(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        if self.parties(integration)?.read.read_at.is_none() {
            self.read_customers(integration).await?;
        }
        let parties = self.parties(integration)?;
        let scoring = tokio::task::spawn_blocking(move || parties.score());
        scoring.await.map_err(|error| {
            Problem::new(Class::Local, format!("The partners could not be scored: {error}."))
        })?;
        self.tell(Event::Map(integration));
        let counts = self.parties(integration)?.counts();
        Ok(format!(
            "{} of {} unmapped customers have a likely partner, {} more than one.",
            counts.suggested + counts.ambiguous,
            counts.unmapped,
            counts.ambiguous
        ))
    }

    /// Has them scored, without waiting: viewers hear of it.
    pub(super) fn score_soon(&self, integration: Integration, parties: &Arc<Parties>) {
        let is_due = !parties.is_scored && parties.read.read_at.is_some();
        if !is_due || parties.read.is_asked.swap(true, Ordering::Relaxed) {
            return;
        }
        let (parties, events) = (parties.clone(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            parties.score();
            let _ = events.send(Event::Map(integration));
        });
    }

    /// N5: the partners that hold a create, of everybody whom this plan might create.
    pub(in crate::engine) fn look_alikes(
        &self,
        integration: Integration,
        snapshot: &Snapshot,
        mappings: &Mappings,
    ) -> Result<BTreeMap<SourceId, Vec<LookAlike>>, Problem> {
        let weights = &self.settings().matching;
        let open: Vec<&Wanted> = snapshot
            .customers
            .iter()
            .filter(|wanted| wanted.verdict == Verdict::Take)
            .filter(|wanted| !mappings.customers.contains_key(&wanted.id))
            .filter(|wanted| !mappings.decisions.contains_key(&wanted.id))
            .filter(|wanted| snapshot.only.as_ref().is_none_or(|only| only.customers.contains(&wanted.id)))
            .collect();
        if open.is_empty() {
            return Ok(BTreeMap::new());
        }
        let parties = self.parties(integration)?;
        let facts: Vec<Facts> = snapshot.partners.iter().map(of_partner).collect();
        let index = Index::new(&facts, weights.clone());
        let mut scratch = Scratch::default();
        let mut all = BTreeMap::new();
        for wanted in open {
            let near: Vec<LookAlike> = index
                .near(&of_wanted(wanted), &mut scratch)
                .into_iter()
                .filter(|one| one.score >= weights.look_alike_from)
                .filter_map(|one| {
                    let target = snapshot.partners.get(one.at)?.id.clone();
                    let is_open = !parties.is_refused(&wanted.id, &target);
                    is_open.then(|| LookAlike { target, score: one.score, why: one.why().join(", ") })
                })
                .collect();
            if !near.is_empty() {
                all.insert(wanted.id.clone(), near);
            }
        }
        Ok(all)
    }
}

impl Engine {
    /// The same for customers that go the other way (L17): environments near them, and the pairs that were ruled out.
    pub(in crate::engine) fn push_pairs(
        &self,
        integration: Integration,
        snapshot: &Snapshot,
        mappings: &mut Mappings,
    ) -> Result<(), Problem> {
        let Some(lines) = snapshot.lines.get(&Entity::Push).filter(|lines| !lines.wanted.is_empty()) else {
            return Ok(());
        };
        let weights = &self.settings().matching;
        let parties = self.parties(integration)?;
        let there: Vec<Found> = lines.found.iter().collect();
        let facts: Vec<Facts> = there.iter().map(of_partner).collect();
        let index = Index::new(&facts, weights.clone());
        let mut scratch = Scratch::default();
        let wanted = lines.wanted.iter();
        for wanted in wanted.filter(|wanted| wanted.verdict == Verdict::Take) {
            let here = TargetId::new(wanted.id.as_str());
            let ruled_out = |found: &&Found| parties.is_refused(&SourceId::new(found.id.as_str()), &here);
            let pairs = there.iter().filter(ruled_out);
            mappings.refused_push.extend(pairs.map(|found| (wanted.id.clone(), found.id.clone())));
            let near: Vec<LookAlike> = index
                .near(&of_wanted(&wanted), &mut scratch)
                .into_iter()
                .filter(|one| one.score >= weights.look_alike_from)
                .filter_map(|one| {
                    let target = there.get(one.at)?.id.clone();
                    Some(LookAlike { target, score: one.score, why: one.why().join(", ") })
                })
                .collect();
            if !near.is_empty() {
                mappings.near_push.insert(wanted.id.clone(), near);
            }
        }
        Ok(())
    }
}

impl Parties {
    fn score(&self) {
        self.read.score(&self.weights, |id| !self.links.contains_key(id));
    }
}

fn of_wanted(wanted: &Wanted) -> Facts {
    of_keys(&wanted.name, &wanted.keys, &wanted.fields)
}

fn of_partner(found: &Found) -> Facts {
    of_keys(&found.name, &found.keys, &found.fields)
}

fn of_keys(name: &str, keys: &MatchKeys, fields: &Fields) -> Facts {
    facts(name, keys.vat.as_deref().unwrap_or_default(), &keys.domains, postcode_of(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, FieldName};

    #[test]
    fn a_company_of_hudu_is_known_by_its_postcode_and_all_its_domains() {
        let address = Address { postcode: "BS1 4ZZ".into(), ..Address::default() };
        let found = Found {
            id: TargetId::from(7),
            name: "Acme Dental".into(),
            parent: None,
            is_active: true,
            marker: None,
            fields: Fields::new().with(FieldName::own("Address"), Value::Address(Box::new(address))),
            keys: MatchKeys {
                domains: vec!["acme.example".into(), "acme.test".into()],
                ..MatchKeys::default()
            },
            currency: None,
            main_site: None,
        };
        for facts in [TargetParty::of(&found).facts(), of_partner(&found)] {
            assert_eq!(facts.postcode.as_deref(), Some("BS1 4ZZ"));
            assert_eq!(facts.domains, ["acme.example", "acme.test"]);
        }
    }
}
