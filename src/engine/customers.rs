//! The mapping table: which source customer is which Halo customer, who said so, and taking it back.

mod card;
mod near;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub use near::Reading;

use super::Engine;
use super::extract;
use super::keys;
use super::log::safe;
use super::records::{Edit, Record};
use crate::api::budget::Lane;
use crate::engine::words::{
    Aspect, CandidateRow, CandidatesView, Event, GeneratedReport, MapCounts, MapFilter, MapOrderView, MapRow,
    MapState, MappingImport, Party, Suggested,
};
use crate::matching::{by_name::by_name as found_by_name, exact, mapping_csv};
use crate::model::settings::Matching;
use crate::model::{
    Class, Decided, Decision, FieldName, Fields, Found, How, Integration, KeyValues, Link, MatchKeys, Moment,
    Place, Problem, Refusal, Slot, SourceId, TargetId, Value, Verdict, Wanted,
};

/// Undo reaches this many steps back.
const STEPS: u64 = 200;

/// What details of a Halo customer told, with the name they were read under.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HaloCard {
    pub name: Box<str>,
    pub keys: MatchKeys,
    pub at: Moment,
}

impl HaloCard {
    pub fn is_fresh(&self, name: &str, now: Moment, days: i64) -> bool {
        *self.name == *name && now.duration_since(self.at).as_hours() < days * 24
    }
}

/// A customer of the source as it was last read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceParty {
    pub name: Box<str>,
    pub place: Box<str>,
    pub domain: Box<str>,
    /// It has ended at the source.
    pub ended: bool,
    /// VAT or registration number; empty where none is known.
    #[serde(default)]
    pub vat: Box<str>,
    #[serde(default)]
    pub postcode: Box<str>,
}

/// A customer of the target as it was last read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetParty {
    pub name: Box<str>,
    pub domain: Box<str>,
    pub is_active: bool,
    /// VAT or registration number; empty where none is known.
    #[serde(default)]
    pub vat: Box<str>,
    #[serde(default)]
    pub postcode: Box<str>,
}

/// Both sides and the table between them, in memory; made anew after every change.
pub struct Parties {
    pub read: Arc<Reading>,
    pub links: BTreeMap<SourceId, Link>,
    pub decisions: BTreeMap<SourceId, Decision>,
    /// Pairs that a person has ruled out.
    refused: BTreeMap<SourceId, BTreeMap<TargetId, Refusal>>,
    decided: BTreeMap<SourceId, Decided>,
    taken: HashSet<TargetId>,
    weights: Matching,
    /// The table was made when the reading was scored.
    is_scored: bool,
    /// Made when first asked for: the table in order, so that a key of a filter costs a walk over short texts.
    table: OnceLock<Table>,
}

struct Table {
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
    fn state(&self, id: &SourceId) -> MapState {
        if let Some(link) = self.links.get(id) {
            let (source, halo) = (self.read.source.get(id), self.read.target.get(&link.target));
            // What was linked or made after the last reading is not missing, only not read yet.
            let is_read = self.read.read_at.is_some_and(|read| read > link.since);
            if is_read && (source.is_none() || halo.is_none()) {
                return MapState::Orphaned;
            }
            let renamed = source.is_some_and(|s| s.name.trim() != link.source_name.trim())
                || halo.is_some_and(|h| h.name.trim() != link.target_name.trim());
            return if renamed { MapState::Renamed } else { MapState::Mapped };
        }
        match self.decisions.get(id) {
            Some(Decision::New) => MapState::New,
            Some(Decision::Exclude { .. }) => MapState::Excluded,
            _ => MapState::Unmapped,
        }
    }

    /// What the state alone does not say. Of an unmapped row, with who comes near.
    fn aspect(&self, id: &SourceId, state: MapState, choices: &near::Choices) -> Option<Aspect> {
        if state == MapState::Unmapped {
            return if choices.is_ambiguous {
                Some(Aspect::Ambiguous)
            } else {
                choices.best().map(|_| Aspect::Suggested)
            };
        }
        let target = self.links.get(id).and_then(|link| self.read.target.get(&link.target))?;
        if !target.is_active {
            return Some(Aspect::Inactive);
        }
        let source = self.read.source.get(id).filter(|_| state == MapState::Renamed)?;
        self.drifts(source, target).then_some(Aspect::Drifting)
    }

    /// Whether 'generate' would add this one.
    fn is_exact(&self, id: &SourceId) -> bool {
        let Some(source) = self.read.source.get(id) else { return false };
        let namesakes = self.read.namesakes(id);
        self.read.is_only(source)
            && !source.ended
            && matches!(namesakes, [one] if !self.taken.contains(one) && !self.is_refused(id, one))
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
                        if state == MapState::Unmapped { self.choices(id) } else { near::Choices::default() };
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

    fn source_name<'a>(&'a self, id: &'a SourceId) -> &'a str {
        self.read
            .source
            .get(id)
            .map(|s| &*s.name)
            .or_else(|| self.links.get(id).map(|l| &*l.source_name))
            .unwrap_or(id.as_str())
    }

    fn target_name<'a>(&'a self, link: &'a Link) -> &'a str {
        self.read.target.get(&link.target).map_or(&*link.target_name, |h| &*h.name)
    }

    fn row(&self, id: &SourceId, integration: Integration) -> MapRow {
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
        let note = match self.decisions.get(id) {
            Some(Decision::Exclude { note, until }) => {
                let until = until.map(|d| format!(" until {d}")).unwrap_or_default();
                format!("{}{until}", safe(note))
            }
            _ => String::new(),
        };
        let choices = if state == MapState::Unmapped { self.choices(id) } else { near::Choices::default() };
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
            note,
            same_name: if link.is_some() {
                Vec::new()
            } else {
                self.read.namesakes(id).iter().filter_map(|id| self.party(id)).collect()
            },
            remarks,
        }
    }

    fn suggested(&self, choice: &near::Choice, there: &str) -> Option<Suggested> {
        let mut why: Vec<String> = choice.why.iter().map(|why| safe(why)).collect();
        let others: Vec<String> = self
            .links
            .iter()
            .filter(|(_, link)| !choice.is_free && link.target == choice.target)
            .map(|(id, _)| safe(self.source_name(id)))
            .collect();
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

    fn party(&self, id: &TargetId) -> Option<Party<TargetId>> {
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
    /// Reads the customers of both sides for the table; changes nothing.
    pub async fn read_customers(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        let result = self.read_both(integration).await;
        let mut live = self.live();
        match &result {
            Ok(_) => live.trouble.remove(&integration),
            Err(problem) => live.trouble.insert(integration, problem.to_string()),
        };
        drop(live);
        self.tell(Event::Map(integration));
        result
    }

    async fn read_both(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        let with = self.connect(integration, Lane::Interactive)?;
        let say = |what: &str, done: u64, of: Option<u64>| {
            self.tell(Event::Reading { integration, what: what.to_owned(), done, of });
        };
        let both = extract::customers(self, &with, integration, &say).await;
        with.close().await;
        let mut both = both?;
        both.target.sort_by(|a, b| a.id.cmp(&b.id));
        let root = integration.root();
        let mut said = format!(
            "Read {} {} {} and {} {} {}.",
            both.source.len(),
            integration.source(root).label(),
            integration.source(root).party().1,
            both.target.len(),
            integration.target(root).label(),
            integration.target(root).party().1
        );
        for why in &both.incomplete {
            said.push_str(&format!(" Not complete: {why}."));
        }
        self.remember_parties(integration, &both.source, &both.target, self.world.now())?;
        Ok(said)
    }

    /// Keeps what the table shows of both sides.
    pub(super) fn remember_parties(
        &self,
        integration: Integration,
        source: &[(SourceId, SourceParty)],
        target: &[Found],
        at: Moment,
    ) -> Result<(), Problem> {
        let old = self.parties(integration)?;
        let place = integration.target(integration.root());
        let mut ops = Vec::new();
        let mut seen: HashSet<&SourceId> = HashSet::new();
        for (id, party) in source {
            seen.insert(id);
            if old.read.source.get(id) != Some(party) {
                ops.extend(keys::put_big(&keys::source_party(integration, id), party));
            }
        }
        for gone in old.read.source.keys().filter(|id| !seen.contains(id)) {
            ops.push(crate::store::Op::Del(keys::source_party(integration, gone)));
        }
        let mut there: HashSet<&TargetId> = HashSet::new();
        for customer in target {
            let party = TargetParty {
                name: customer.name.as_ref().into(),
                domain: customer.keys.domains.first().cloned().unwrap_or_default(),
                is_active: customer.is_active,
                vat: customer.keys.vat.clone().unwrap_or_default(),
                postcode: match customer.fields.get(FieldName::MainSiteAddress) {
                    Some(Value::Address(address)) => address.postcode.clone(),
                    _ => Box::default(),
                },
            };
            there.insert(&customer.id);
            if old.read.target.get(&customer.id) != Some(&party) {
                ops.extend(keys::put_big(&keys::target_party(place, &customer.id), &party));
            }
        }
        for gone in old.read.target.keys().filter(|id| !there.contains(id)) {
            ops.push(crate::store::Op::Del(keys::target_party(place, gone)));
        }
        ops.push(keys::put(keys::read_at(integration), &at));
        self.book.cache(&ops)?;
        let mut live = self.live();
        live.parties.clear();
        live.readings.clear();
        drop(live);
        self.tell(Event::Map(integration));
        Ok(())
    }

    pub(super) fn remember_top_levels(&self, tops: &[crate::api::halo::TopLevel]) -> Result<(), Problem> {
        let names: Vec<&str> = tops.iter().map(|top| &*top.name).collect();
        self.book.cache(&keys::put_big(&keys::top_levels(), &names))
    }

    /// Both sides and the table, from memory or the index.
    pub fn parties(&self, integration: Integration) -> Result<Arc<Parties>, Problem> {
        let known = self.live().parties.get(&integration).cloned();
        if let Some(parties) = known.filter(|parties| parties.is_scored == parties.read.is_scored()) {
            return Ok(parties);
        }
        let read = self.reading(integration)?;
        let links: BTreeMap<SourceId, Link> =
            self.book.links(integration, integration.root())?.into_iter().collect();
        let (mut refused, mut decided) = (BTreeMap::new(), BTreeMap::new());
        self.book.each_big_value(&keys::refusals(integration), |id, of| {
            refused.insert(SourceId::new(id), of);
        })?;
        self.book.each_big_value(&keys::decideds(integration), |id, one| {
            decided.insert(SourceId::new(id), one);
        })?;
        let parties = Arc::new(Parties {
            taken: links.values().map(|l| l.target.clone()).collect(),
            decisions: self.book.decisions(integration)?,
            is_scored: read.is_scored(),
            weights: self.settings().matching.clone(),
            read,
            links,
            refused,
            decided,
            table: OnceLock::new(),
        });
        self.live().parties.insert(integration, parties.clone());
        Ok(parties)
    }

    /// Both sides as last read, from memory or the index.
    fn reading(&self, integration: Integration) -> Result<Arc<Reading>, Problem> {
        if let Some(read) = self.live().readings.get(&integration) {
            return Ok(read.clone());
        }
        let mut source: BTreeMap<SourceId, SourceParty> = BTreeMap::new();
        self.book.each_big_value(&keys::source_parties(integration), |id, party| {
            source.insert(SourceId::new(id), party);
        })?;
        let place = integration.target(integration.root());
        let mut target: BTreeMap<TargetId, TargetParty> = BTreeMap::new();
        self.book.each_big_value(&keys::target_parties(place), |id, party| {
            target.insert(TargetId::new(id), party);
        })?;
        if place == Place::Halo {
            for (id, card) in self.book.halo_cards()? {
                if let Some(party) = target.get_mut(&id).filter(|party| party.name == card.name) {
                    party.learn(&card.keys);
                }
            }
        }
        let read = Arc::new(Reading::new(source, target, self.book.get(&keys::read_at(integration))?));
        self.live().readings.insert(integration, read.clone());
        Ok(read)
    }

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
        if by_target {
            lines.sort_by(|a, b| (&a.target, &a.text).cmp(&(&b.target, &b.text)));
        }
        Ok(MapOrderView {
            ids: lines.into_iter().map(|line| line.id.clone()).collect(),
            counts: parties.counts(),
            read_at: parties.read.read_at,
            trouble: self.live().trouble.get(&integration).cloned(),
            is_scored: parties.is_scored,
        })
    }

    pub fn map_rows(&self, integration: Integration, ids: &[SourceId]) -> Result<Vec<MapRow>, Problem> {
        let parties = self.parties(integration)?;
        Ok(ids.iter().map(|id| parties.row(id, integration)).collect())
    }

    /// Halo's customers for the picker: those that fit, best first; taken and inactive ones last, never hidden (U14).
    pub fn candidates(
        &self,
        integration: Integration,
        text: &str,
        limit: usize,
    ) -> Result<CandidatesView, Problem> {
        use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
        let parties = self.parties(integration)?;
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut hits: Vec<(bool, bool, std::cmp::Reverse<u32>, &TargetId)> = parties
            .read
            .target
            .iter()
            .filter_map(|(id, party)| {
                let text = format!("{} {} {id}", party.name, party.domain);
                let score = pattern.score(nucleo_matcher::Utf32Str::new(&text, &mut buffer), &mut matcher)?;
                Some((!party.is_active, parties.taken.contains(id), std::cmp::Reverse(score), id))
            })
            .collect();
        hits.sort();
        let total = hits.len() as u64;
        let rows = hits
            .into_iter()
            .take(limit)
            .filter_map(|(inactive, _, _, id)| {
                Some(CandidateRow {
                    party: parties.party(id)?,
                    is_active: !inactive,
                    mapped_to: parties
                        .links
                        .iter()
                        .filter(|(_, link)| link.target == *id)
                        .map(|(source, _)| safe(parties.source_name(source)))
                        .collect(),
                })
            })
            .collect();
        Ok(CandidatesView { total, of: parties.read.target.len() as u64, rows })
    }

    /// K4: adds what is exact, and nothing else.
    pub async fn generate(self: &Arc<Self>, integration: Integration) -> Result<GeneratedReport, Problem> {
        if self.parties(integration)?.read.read_at.is_none() {
            self.read_customers(integration).await?;
        }
        let parties = self.parties(integration)?;
        let generated = exact::generate(
            &parties.wanted(),
            &parties.found(),
            &parties.links,
            &parties.decisions,
            self.world.now().to_zoned(jiff::tz::TimeZone::system()).date(),
        );
        let now = self.world.now();
        let edits: Vec<Edit> = generated
            .added
            .iter()
            .map(|(id, target)| Edit {
                id: id.clone(),
                before: Self::slot(&parties, id),
                after: Slot {
                    link: Some(parties.new_link(id, target, How::Exact, now)),
                    decision: None,
                    ..Self::slot(&parties, id)
                },
            })
            .collect();
        let report = GeneratedReport {
            integration,
            added: edits.len() as u64,
            skipped: generated.skipped.len() as u64,
            ambiguous: generated.ambiguous.len() as u64,
        };
        self.take_step(integration, format!("accept {} exact names", edits.len()), edits).await?;
        Ok(report)
    }

    /// Decisions of a person: one step, one transaction.
    pub async fn decide(
        &self,
        integration: Integration,
        decisions: Vec<(SourceId, Decision)>,
    ) -> Result<String, Problem> {
        let parties = self.parties(integration)?;
        let now = self.world.now();
        let (here, there) = labels(integration);
        let party = integration.target(integration.root()).party().0;
        let mut edits = Vec::new();
        let mut notices = Vec::new();
        for (id, decision) in decisions {
            let known = parties.read.source.contains_key(&id)
                || parties.links.contains_key(&id)
                || parties.decisions.contains_key(&id);
            if !known {
                return Err(Problem::new(Class::Input, format!("{here} has no customer {id}."))
                    .remedy(format!("Read the customers first (`parhelion map list`, or Ctrl-R), and use its id at {here}.")));
            }
            let before = Self::slot(&parties, &id);
            let after = match decision {
                Decision::Map { target, how, .. } => {
                    if parties.read.read_at.is_some() && !parties.read.target.contains_key(&target) {
                        return Err(Problem::new(Class::Input, format!("{there} has no {party} {target}."))
                            .remedy(format!(
                                "Use {there}'s {party} id, as `map list` and the picker show it."
                            )));
                    }
                    let others: Vec<_> = parties
                        .links
                        .iter()
                        .filter(|(other, link)| link.target == target && **other != id)
                        .map(|(other, _)| safe(parties.source_name(other)))
                        .collect();
                    if !others.is_empty() {
                        notices.push(format!("That {there} {party} also receives {}.", others.join(", ")));
                    }
                    let mut link = parties.new_link(&id, &target, how, now);
                    if let Some(old) = before.link.as_ref().filter(|old| old.target == target) {
                        // The same pair, confirmed under its names of today.
                        let (source_name, target_name) = (link.source_name, link.target_name);
                        link = Link { source_name, target_name, ..old.clone() };
                    }
                    let mut refused = before.refused.clone();
                    refused.remove(&target);
                    Slot { link: Some(link), decision: None, refused }
                }
                Decision::Reject { target, target_name } => {
                    let named = KeyValues { name: target_name, ..KeyValues::default() };
                    let refusal = Refusal {
                        source: parties.read.source.get(&id).map(SourceParty::keys).unwrap_or_default(),
                        target: parties.read.target.get(&target).map_or(named, TargetParty::keys),
                        at: now,
                        by: self.by(),
                    };
                    let mut after = before.clone();
                    after.link = after.link.filter(|link| link.target != target);
                    after.refused.insert(target, refusal);
                    after
                }
                Decision::Clear => Slot { link: None, decision: None, ..before.clone() },
                other => Slot { link: None, decision: Some(other), ..before.clone() },
            };
            if before != after {
                edits.push(Edit { id, before, after });
            }
        }
        let count = edits.len();
        let title = match edits.as_slice() {
            [one] => format!("{} '{}'", verb(&one.before, &one.after), safe(parties.source_name(&one.id))),
            _ => format!("decide {count} customers"),
        };
        self.take_step(integration, title.clone(), edits).await?;
        let mut said = if count == 0 { "Nothing to change.".to_owned() } else { capital(&title) };
        for notice in notices {
            said.push(' ');
            said.push_str(&notice);
        }
        Ok(said)
    }

    async fn take_step(
        &self,
        integration: Integration,
        title: String,
        edits: Vec<Edit>,
    ) -> Result<(), Problem> {
        if edits.is_empty() {
            return Ok(());
        }
        let step = self.book.step_top(integration)? + 1;
        let at = Some(self.world.now());
        let record = Record::Step { integration, step, title, edits, by: self.by(), at };
        self.book.record(&[record]).await?;
        if step > STEPS {
            self.book.cache(&[crate::store::Op::Del(keys::step(integration, step - STEPS))])?;
        }
        self.changed(integration);
        Ok(())
    }

    /// Takes the last step back, or brings it again.
    pub async fn undo(&self, integration: Integration, redo: bool) -> Result<String, Problem> {
        let top = self.book.step_top(integration)?;
        let step = if redo { top + 1 } else { top };
        let Some((title, edits, _)) = self.book.step(integration, step)? else {
            let what = if redo { "Nothing to bring back." } else { "Nothing to take back." };
            return Err(Problem::new(Class::Input, what));
        };
        // What has moved on since stays: a customer that was created as 'new' must not lose its link to that.
        let parties = self.parties(integration)?;
        let all = edits.len();
        let edits: Vec<Edit> = edits
            .into_iter()
            .filter(|edit| {
                let left = if redo { &edit.before } else { &edit.after };
                let now = Self::slot(&parties, &edit.id);
                let target = |slot: &Slot| slot.link.as_ref().map(|link| link.target.clone());
                target(&now) == target(left) && now.decision == left.decision && now.refused == left.refused
            })
            .collect();
        let stay = match all - edits.len() {
            0 => String::new(),
            stay => format!(" ({stay} of {all} have changed since and stay as they are)"),
        };
        let by = self.by();
        let at = Some(self.world.now());
        self.book.record(&[Record::Undo { integration, step, redo, edits, by, at }]).await?;
        self.changed(integration);
        Ok(format!("{}: {title}{stay}", if redo { "Again" } else { "Taken back" }))
    }

    pub(super) fn changed(&self, integration: Integration) {
        self.live().parties.remove(&integration);
        self.tell(Event::Map(integration));
    }

    fn slot(parties: &Parties, id: &SourceId) -> Slot {
        Slot {
            link: parties.links.get(id).cloned(),
            decision: parties.decisions.get(id).cloned(),
            refused: parties.refused.get(id).cloned().unwrap_or_default(),
        }
    }

    /// P19: a file of mappings, shown as a diff or taken as one step. With any error nothing is taken.
    pub async fn import_mappings(
        &self,
        integration: Integration,
        csv: &str,
        dry_run: bool,
        by_name: bool,
    ) -> Result<MappingImport, Problem> {
        let parties = self.parties(integration)?;
        let now = self.world.now();
        let mut report = MappingImport {
            integration,
            dry_run,
            added: 0,
            changed: 0,
            unchanged: 0,
            diff: Vec::new(),
            errors: Vec::new(),
        };
        let (here, there) = labels(integration);
        let rows = match mapping_csv::parse(csv) {
            Ok(rows) => rows,
            Err(errors) => {
                report.errors = errors;
                return Ok(report);
            }
        };
        let rows = if by_name {
            let sources = parties.read.source.iter().map(|(id, party)| (id, party.name.as_ref()));
            let targets = parties.read.target.iter().map(|(id, party)| (id, party.name.as_ref()));
            let (rows, left_out) = found_by_name(rows, sources, targets, (here, there));
            report.diff.extend(left_out.iter().map(|sentence| safe(sentence)));
            rows
        } else {
            rows
        };
        let mut edits = Vec::new();
        for row in rows {
            let id = row.source.clone();
            let known = parties.read.source.contains_key(&id) || parties.links.contains_key(&id);
            if !known {
                report.errors.push((row.line, format!("{here} has no customer {id}")));
                continue;
            }
            let before = Self::slot(&parties, &id);
            let after = match row.decision() {
                Decision::Clear => Slot { link: None, decision: None, ..before.clone() },
                Decision::Map { target, .. } => match before.link.as_ref().filter(|l| l.target == target) {
                    Some(same) => Slot { link: Some(same.clone()), decision: None, ..before.clone() },
                    None if parties.read.target.contains_key(&target) => {
                        let link = parties.new_link(&id, &target, How::Import, now);
                        Slot { link: Some(link), decision: None, ..before.clone() }
                    }
                    None => {
                        let party = integration.target(integration.root()).party().0;
                        report.errors.push((row.line, format!("{there} has no {party} {target}")));
                        continue;
                    }
                },
                // The file shows an exclusion's end within its note: unchanged text is an unchanged decision.
                Decision::Exclude { .. }
                    if matches!(before.decision, Some(Decision::Exclude { .. }))
                        && parties.row(&id, integration).note == row.note =>
                {
                    before.clone()
                }
                other => Slot { link: None, decision: Some(other), ..before.clone() },
            };
            if before == after {
                report.unchanged += 1;
                continue;
            }
            if before.link.is_none() && before.decision.is_none() {
                report.added += 1;
            } else {
                report.changed += 1;
            }
            report.diff.push(format!(
                "line {}: {} '{}': {} -> {}",
                row.line,
                id,
                safe(parties.source_name(&id)),
                told(&parties, &before),
                told(&parties, &after)
            ));
            edits.push(Edit { id, before, after });
        }
        if report.errors.is_empty() && !dry_run {
            self.take_step(integration, format!("import {} mappings", edits.len()), edits).await?;
        }
        Ok(report)
    }
}

impl Parties {
    /// The source's customers as matching sees them.
    fn wanted(&self) -> Vec<Wanted> {
        self.read
            .source
            .iter()
            .map(|(id, party)| Wanted {
                id: id.clone(),
                name: party.name.as_ref().into(),
                parent: None,
                verdict: if party.ended { Verdict::Ended(String::new()) } else { Verdict::Take },
                fields: Fields::new(),
                keys: MatchKeys::default(),
                currency: None,
                notes: Vec::new(),
            })
            .collect()
    }

    /// Halo's customers as matching sees them.
    fn found(&self) -> Vec<Found> {
        self.read
            .target
            .iter()
            .map(|(id, party)| Found {
                id: id.clone(),
                name: party.name.as_ref().into(),
                parent: None,
                is_active: party.is_active,
                marker: None,
                fields: Fields::new(),
                keys: MatchKeys::default(),
                currency: None,
                main_site: None,
            })
            .collect()
    }

    fn new_link(&self, id: &SourceId, target: &TargetId, how: How, now: Moment) -> Link {
        Link {
            target: target.clone(),
            parent: None,
            source_name: self.source_name(id).into(),
            target_name: self.read.target.get(target).map(|h| h.name.clone()).unwrap_or_default(),
            how,
            since: now,
            base: None,
            removed: None,
        }
    }
}

/// The names of both sides of the mapping table.
fn labels(integration: Integration) -> (&'static str, &'static str) {
    let root = integration.root();
    (integration.source(root).label(), integration.target(root).label())
}

fn verb(before: &Slot, after: &Slot) -> &'static str {
    match (&after.link, &after.decision) {
        _ if after.refused.len() > before.refused.len() => "rule out a partner of",
        (Some(_), _) => "map",
        (None, Some(Decision::New)) => "create as new",
        (None, Some(Decision::Exclude { .. })) => "exclude",
        _ => "clear",
    }
}

fn told(parties: &Parties, slot: &Slot) -> String {
    match (&slot.link, &slot.decision) {
        (Some(link), _) => format!("{} '{}'", link.target, safe(parties.target_name(link))),
        (None, Some(Decision::New)) => "new".into(),
        (None, Some(Decision::Exclude { .. })) => "excluded".into(),
        _ => "unmapped".into(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).chain(['.']).collect(),
        None => String::new(),
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
        None => {}
    }
}
