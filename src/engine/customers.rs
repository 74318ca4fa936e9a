//! The mapping table: which source customer is which Halo customer, who said so, and taking it back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::Engine;
use super::extract;
use super::keys;
use super::log::safe;
use super::records::{Edit, Record};
use crate::api::budget::Lane;
use crate::engine::words::{
    CandidateRow, CandidatesView, Event, GeneratedReport, MapCounts, MapFilter, MapOrderView, MapRow,
    MapState, MappingImport, Party,
};
use crate::matching::{exact, mapping_csv, name};
use crate::model::{
    Class, Decision, Fields, Found, How, Integration, Link, MatchKeys, Moment, Problem, Slot, SourceId,
    TargetId, Verdict, Wanted,
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
}

/// A customer of the target as it was last read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetParty {
    pub name: Box<str>,
    pub domain: Box<str>,
    pub is_active: bool,
}

/// Both sides and the table between them, in memory; made anew after every change.
pub struct Parties {
    pub source: BTreeMap<SourceId, SourceParty>,
    pub target: BTreeMap<TargetId, TargetParty>,
    pub links: BTreeMap<SourceId, Link>,
    pub decisions: BTreeMap<SourceId, Decision>,
    /// Active Halo customers by exact form of their name.
    by_name: HashMap<String, Vec<TargetId>>,
    /// Source customers by exact form of their name.
    same: HashMap<String, u32>,
    taken: HashSet<TargetId>,
    pub read_at: Option<Moment>,
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
    /// Both names and the id, in lower case.
    text: String,
    /// What needs a person comes first (U11).
    rank: u8,
    target: String,
}

impl Parties {
    fn state(&self, id: &SourceId) -> MapState {
        if let Some(link) = self.links.get(id) {
            let (source, halo) = (self.source.get(id), self.target.get(&link.target));
            // What was linked or made after the last reading is not missing, only not read yet.
            let is_read = self.read_at.is_some_and(|read| read > link.since);
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

    /// Halo customers of the same exact name, for an unmapped row.
    fn same_name(&self, id: &SourceId) -> &[TargetId] {
        self.source
            .get(id)
            .and_then(|s| self.by_name.get(&name::exact_form(&s.name)))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether 'generate' would add this one.
    fn is_exact(&self, id: &SourceId) -> bool {
        let Some(source) = self.source.get(id) else { return false };
        let only = self.same.get(&name::exact_form(&source.name)) == Some(&1);
        only && !source.ended && matches!(self.same_name(id), [one] if !self.taken.contains(one))
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
                    let (namesakes, exact) = (self.same_name(id).len(), self.is_exact(id));
                    counts.all += 1;
                    match state {
                        MapState::Mapped => counts.mapped += 1,
                        MapState::Unmapped => {
                            counts.unmapped += 1;
                            counts.exact += u64::from(exact);
                            counts.ambiguous +=
                                u64::from(namesakes > 1 || (namesakes == 1 && self.has_twin(id)));
                        }
                        MapState::New => counts.new += 1,
                        MapState::Excluded => counts.excluded += 1,
                        MapState::Orphaned => counts.orphaned += 1,
                        MapState::Renamed => counts.renamed += 1,
                    }
                    let rank = match state {
                        MapState::Unmapped if namesakes > 1 => 0,
                        MapState::Orphaned => 1,
                        MapState::Unmapped if exact => 2,
                        MapState::Unmapped => 3,
                        MapState::Renamed => 4,
                        MapState::New => 5,
                        MapState::Mapped => 6,
                        MapState::Excluded => 7,
                    };
                    let target =
                        self.links.get(id).map(|l| self.target_name(l).to_lowercase()).unwrap_or_default();
                    let text = format!("{}\n{target}\n{id}", self.source_name(id).to_lowercase());
                    Line { id: id.clone(), state, text, rank, target }
                })
                .collect();
            lines.sort_by(|a, b| (a.rank, &a.text, &a.id).cmp(&(b.rank, &b.text, &b.id)));
            Table { counts, lines }
        })
    }

    /// Whether another source customer has the same exact name.
    fn has_twin(&self, id: &SourceId) -> bool {
        self.source.get(id).is_some_and(|s| self.same.get(&name::exact_form(&s.name)).is_some_and(|n| *n > 1))
    }

    /// Every source customer there is a row for: read, linked or decided. Ended ones without a link have none.
    fn ids(&self) -> impl Iterator<Item = &SourceId> {
        let mut ids: Vec<&SourceId> = self
            .source
            .iter()
            .filter(|(id, s)| !s.ended || self.links.contains_key(id) || self.decisions.contains_key(id))
            .map(|(id, _)| id)
            .chain(self.links.keys().filter(|id| !self.source.contains_key(id)))
            .chain(self.decisions.keys().filter(|id| !self.source.contains_key(id)))
            .collect();
        ids.sort();
        ids.dedup();
        ids.into_iter()
    }

    fn source_name<'a>(&'a self, id: &'a SourceId) -> &'a str {
        self.source
            .get(id)
            .map(|s| &*s.name)
            .or_else(|| self.links.get(id).map(|l| &*l.source_name))
            .unwrap_or(id.as_str())
    }

    fn target_name<'a>(&'a self, link: &'a Link) -> &'a str {
        self.target.get(&link.target).map_or(&*link.target_name, |h| &*h.name)
    }

    fn row(&self, id: &SourceId, integration: Integration) -> MapRow {
        let state = self.state(id);
        let link = self.links.get(id);
        let source = self.source.get(id);
        let (here, there) = labels(integration);
        let mut remarks = Vec::new();
        if let Some(link) = link {
            if self.read_at.is_some_and(|read| read > link.since) {
                if source.is_none() {
                    remarks.push(format!("no longer listed by {here}"));
                }
                match self.target.get(&link.target) {
                    None => remarks.push(format!("customer {} is no longer in {there}", link.target)),
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
                self.target.get(&link.target).filter(|h| h.name.trim() != link.target_name.trim())
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
        MapRow {
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
                domain: self.target.get(&link.target).map(|h| safe(&h.domain)).unwrap_or_default(),
            }),
            state,
            how: link.map(|l| l.how),
            since: link.map(|l| l.since),
            note,
            same_name: if link.is_some() {
                Vec::new()
            } else {
                self.same_name(id).iter().filter_map(|id| self.party(id)).collect()
            },
            remarks,
        }
    }

    fn party(&self, id: &TargetId) -> Option<Party<TargetId>> {
        let halo = self.target.get(id)?;
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
            "Read {} {} customers and {} {} customers.",
            both.source.len(),
            integration.source(root).label(),
            both.target.len(),
            integration.target(root).label()
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
            if old.source.get(id) != Some(party) {
                ops.extend(keys::put_big(&keys::source_party(integration, id), party));
            }
        }
        for gone in old.source.keys().filter(|id| !seen.contains(id)) {
            ops.push(crate::store::Op::Del(keys::source_party(integration, gone)));
        }
        let mut there: HashSet<&TargetId> = HashSet::new();
        for customer in target {
            let party = TargetParty {
                name: customer.name.as_ref().into(),
                domain: customer.keys.domains.first().cloned().unwrap_or_default(),
                is_active: customer.is_active,
            };
            there.insert(&customer.id);
            if old.target.get(&customer.id) != Some(&party) {
                ops.extend(keys::put_big(&keys::target_party(place, &customer.id), &party));
            }
        }
        for gone in old.target.keys().filter(|id| !there.contains(id)) {
            ops.push(crate::store::Op::Del(keys::target_party(place, gone)));
        }
        ops.push(keys::put(keys::read_at(integration), &at));
        self.book.cache(&ops)?;
        self.live().parties.clear();
        self.tell(Event::Map(integration));
        Ok(())
    }

    pub(super) fn remember_top_levels(&self, tops: &[crate::api::halo::TopLevel]) -> Result<(), Problem> {
        let names: Vec<&str> = tops.iter().map(|top| &*top.name).collect();
        self.book.cache(&keys::put_big(&keys::top_levels(), &names))
    }

    /// Both sides and the table, from memory or the index.
    pub fn parties(&self, integration: Integration) -> Result<Arc<Parties>, Problem> {
        if let Some(parties) = self.live().parties.get(&integration) {
            return Ok(parties.clone());
        }
        let mut source = BTreeMap::new();
        self.book.each_big_value(&keys::source_parties(integration), |id, party| {
            source.insert(SourceId::new(id), party);
        })?;
        let root = integration.root();
        let mut target: BTreeMap<TargetId, TargetParty> = BTreeMap::new();
        self.book.each_big_value(&keys::target_parties(integration.target(root)), |id, party| {
            target.insert(TargetId::new(id), party);
        })?;
        let links: BTreeMap<SourceId, Link> = self.book.links(integration, root)?.into_iter().collect();
        let mut by_name: HashMap<String, Vec<TargetId>> = HashMap::new();
        for (id, party) in target.iter().filter(|(_, p)| p.is_active) {
            by_name.entry(name::exact_form(&party.name)).or_default().push(id.clone());
        }
        let mut same: HashMap<String, u32> = HashMap::new();
        for party in source.values().filter(|p: &&SourceParty| !p.ended) {
            *same.entry(name::exact_form(&party.name)).or_default() += 1;
        }
        let parties = Arc::new(Parties {
            taken: links.values().map(|l| l.target.clone()).collect(),
            decisions: self.book.decisions(integration)?,
            read_at: self.book.get(&keys::read_at(integration))?,
            source,
            target,
            links,
            by_name,
            same,
            table: OnceLock::new(),
        });
        self.live().parties.insert(integration, parties.clone());
        Ok(parties)
    }

    pub fn map_order(
        &self,
        integration: Integration,
        filter: &MapFilter,
        by_target: bool,
    ) -> Result<MapOrderView, Problem> {
        let parties = self.parties(integration)?;
        let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
        let mut lines: Vec<&Line> = parties
            .table()
            .lines
            .iter()
            .filter(|line| filter.states.is_empty() || filter.states.contains(&line.state))
            .filter(|line| words.iter().all(|word| line.text.contains(word.as_str())))
            .collect();
        if by_target {
            lines.sort_by(|a, b| (&a.target, &a.text).cmp(&(&b.target, &b.text)));
        }
        Ok(MapOrderView {
            ids: lines.into_iter().map(|line| line.id.clone()).collect(),
            counts: parties.counts(),
            read_at: parties.read_at,
            trouble: self.live().trouble.get(&integration).cloned(),
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
        Ok(CandidatesView { total, of: parties.target.len() as u64, rows })
    }

    /// K4: adds what is exact, and nothing else.
    pub async fn generate(self: &Arc<Self>, integration: Integration) -> Result<GeneratedReport, Problem> {
        if self.parties(integration)?.read_at.is_none() {
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
                after: Slot { link: Some(parties.new_link(id, target, How::Exact, now)), decision: None },
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
        let mut edits = Vec::new();
        let mut notices = Vec::new();
        for (id, decision) in decisions {
            let known = parties.source.contains_key(&id)
                || parties.links.contains_key(&id)
                || parties.decisions.contains_key(&id);
            if !known {
                return Err(Problem::new(Class::Input, format!("{here} has no customer {id}."))
                    .remedy("Read the customers first (`parhelion map list`, or Ctrl-R), and use the distributor's id."));
            }
            let before = Self::slot(&parties, &id);
            let after = match decision {
                Decision::Map { target, how, .. } => {
                    if parties.read_at.is_some() && !parties.target.contains_key(&target) {
                        return Err(Problem::new(Class::Input, format!("{there} has no customer {target}."))
                            .remedy(format!(
                                "Use {there}'s customer id, as `map list` and the picker show it."
                            )));
                    }
                    let others: Vec<_> = parties
                        .links
                        .iter()
                        .filter(|(other, link)| link.target == target && **other != id)
                        .map(|(other, _)| safe(parties.source_name(other)))
                        .collect();
                    if !others.is_empty() {
                        notices.push(format!("That {there} customer also receives {}.", others.join(", ")));
                    }
                    Slot { link: Some(parties.new_link(&id, &target, how, now)), decision: None }
                }
                Decision::Clear => Slot::default(),
                other => Slot { link: None, decision: Some(other) },
            };
            if before != after {
                edits.push(Edit { id, before, after });
            }
        }
        let count = edits.len();
        let title = match edits.as_slice() {
            [one] => format!("{} '{}'", verb(&one.after), safe(parties.source_name(&one.id))),
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
        let record = Record::Step { integration, step, title, edits, by: self.by() };
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
                target(&now) == target(left) && now.decision == left.decision
            })
            .collect();
        let stay = match all - edits.len() {
            0 => String::new(),
            stay => format!(" ({stay} of {all} have changed since and stay as they are)"),
        };
        let by = self.by();
        self.book.record(&[Record::Undo { integration, step, redo, edits, by }]).await?;
        self.changed(integration);
        Ok(format!("{}: {title}{stay}", if redo { "Again" } else { "Taken back" }))
    }

    pub(super) fn changed(&self, integration: Integration) {
        self.live().parties.remove(&integration);
        self.tell(Event::Map(integration));
    }

    fn slot(parties: &Parties, id: &SourceId) -> Slot {
        Slot { link: parties.links.get(id).cloned(), decision: parties.decisions.get(id).cloned() }
    }

    /// P19: a file of mappings, shown as a diff or taken as one step. With any error nothing is taken.
    pub async fn import_mappings(
        &self,
        integration: Integration,
        csv: &str,
        dry_run: bool,
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
        let mut edits = Vec::new();
        for row in rows {
            let id = row.source.clone();
            let known = parties.source.contains_key(&id) || parties.links.contains_key(&id);
            if !known {
                report.errors.push((row.line, format!("{here} has no customer {id}")));
                continue;
            }
            let before = Self::slot(&parties, &id);
            let after = match row.decision() {
                Decision::Clear => Slot::default(),
                Decision::Map { target, .. } => match before.link.as_ref().filter(|l| l.target == target) {
                    Some(same) => Slot { link: Some(same.clone()), decision: None },
                    None if parties.target.contains_key(&target) => {
                        Slot { link: Some(parties.new_link(&id, &target, How::Import, now)), decision: None }
                    }
                    None => {
                        report.errors.push((row.line, format!("{there} has no customer {target}")));
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
                other => Slot { link: None, decision: Some(other) },
            };
            if before == after {
                report.unchanged += 1;
                continue;
            }
            if before == Slot::default() {
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
        self.source
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
        self.target
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
            target_name: self.target.get(target).map(|h| h.name.clone()).unwrap_or_default(),
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

fn verb(slot: &Slot) -> &'static str {
    match (&slot.link, &slot.decision) {
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
