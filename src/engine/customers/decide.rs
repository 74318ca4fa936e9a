//! Decisions of a person, each a step that can be taken back.

use std::sync::Arc;

use super::{Parties, SourceParty, TargetParty, labels};
use crate::engine::Engine;
use crate::engine::keys;
use crate::engine::log::safe;
use crate::engine::records::{Edit, Record};
use crate::engine::words::{Event, GeneratedReport};
use crate::matching::exact;
use crate::model::{
    Class, Decision, Fields, Found, How, Integration, KeyValues, Link, MatchKeys, Moment, Problem, Refusal,
    Slot, SourceId, TargetId, Verdict, Wanted,
};

impl Engine {
    /// K4: adds what is exact, and nothing else.
    pub async fn generate(self: &Arc<Self>, integration: Integration) -> Result<GeneratedReport, Problem> {
        let doubts =
            || self.book.get::<Vec<String>>(&keys::read_doubts(integration)).map(Option::unwrap_or_default);
        if self.parties(integration)?.read.read_at.is_none() || !doubts()?.is_empty() {
            self.read_customers(integration).await?;
        }
        if let Some(why) = doubts()?.first() {
            // A name that looks like the only one may have a second where nobody could look.
            return Err(Problem::new(Class::Listing, format!("Not every customer could be read, so no name is known to be the only one of its kind: {why}"))
                .remedy("Nothing was mapped. Try again later, or map by hand."));
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
                    known: None,
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
        drop(parties);
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
            if !parties.is_known(&id) {
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
                    let is_its_own = before.link.as_ref().is_some_and(|link| link.target == target);
                    let others = if is_its_own { Vec::new() } else { parties.feeding(&target) };
                    if !others.is_empty() {
                        notices.push(format!("That {there} {party} also receives {}.", others.join(", ")));
                    }
                    let mut link = parties.new_link(&id, &target, how, now);
                    if let Some(old) = before.link.as_ref().filter(|old| old.target == target) {
                        // The same pair, confirmed under its names of today.
                        let (source_name, target_name) = (link.source_name, link.target_name);
                        // Said to be right though nothing comes: quiet for as long again.
                        let is_unused = parties.is_unused(&id, old);
                        let since = if is_unused { now } else { old.since };
                        link = Link { source_name, target_name, since, ..old.clone() };
                    }
                    let mut refused = before.refused.clone();
                    refused.remove(&target);
                    Slot { link: Some(link), decision: None, refused, known: None }
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
                Decision::Site { site } => {
                    let Some(link) = before.link.clone() else {
                        let message = format!(
                            "{} is not mapped, so no site is its own.",
                            safe(parties.source_name(&id))
                        );
                        return Err(Problem::new(Class::Input, message).remedy("Map it first."));
                    };
                    Slot { link: Some(Link { site, ..link }), ..before.clone() }
                }
                Decision::Clear => Slot { link: None, decision: None, known: None, ..before.clone() },
                other => {
                    let known = parties.known_of(&id, &other);
                    Slot { link: None, decision: Some(other), known, ..before.clone() }
                }
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
        drop(parties);
        self.take_step(integration, title.clone(), edits).await?;
        let mut said = if count == 0 { "Nothing to change.".to_owned() } else { capital(&title) };
        for notice in notices {
            said.push(' ');
            said.push_str(&notice);
        }
        Ok(said)
    }

    pub(super) async fn take_step(
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
        let ids: Vec<SourceId> = edits.iter().map(|edit| edit.id.clone()).collect();
        let record = Record::Step { integration, step, title, edits, by: self.by(), at };
        self.book.record(&[record]).await?;
        self.decided(integration, &ids);
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
        drop(parties);
        let by = self.by();
        let at = Some(self.world.now());
        let ids: Vec<SourceId> = edits.iter().map(|edit| edit.id.clone()).collect();
        self.book.record(&[Record::Undo { integration, step, redo, edits, by, at }]).await?;
        self.decided(integration, &ids);
        Ok(format!("{}: {title}{stay}", if redo { "Again" } else { "Taken back" }))
    }

    /// Nobody knows which mappings have changed.
    pub(in crate::engine) fn changed(&self, integration: Integration) {
        self.live().parties.remove(&integration);
        self.tell(Event::Map(integration));
    }

    pub(super) fn slot(parties: &Parties, id: &SourceId) -> Slot {
        Slot {
            link: parties.links.get(id).cloned(),
            decision: parties.decisions.get(id).cloned(),
            refused: parties.refused.get(id).cloned().unwrap_or_default(),
            known: parties.decided.get(id).and_then(|decided| decided.known.clone()),
        }
    }
}

impl Parties {
    /// What a decision rests on: that somebody is new is said of a name and its keys (P14).
    pub(super) fn known_of(&self, id: &SourceId, decision: &Decision) -> Option<KeyValues> {
        (*decision == Decision::New).then(|| self.read.source.get(id).map(SourceParty::keys)).flatten()
    }

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

    pub(super) fn new_link(&self, id: &SourceId, target: &TargetId, how: How, now: Moment) -> Link {
        Link {
            target: target.clone(),
            parent: None,
            source_name: self.source_name(id).into(),
            target_name: self.read.target.get(target).map(|h| h.name.clone()).unwrap_or_default(),
            how,
            since: now,
            base: None,
            removed: None,
            site: None,
        }
    }
}

fn verb(before: &Slot, after: &Slot) -> &'static str {
    match (&after.link, &after.decision) {
        _ if after.refused.len() > before.refused.len() => "rule out a partner of",
        (Some(now), _)
            if before.link.as_ref().is_some_and(|old| old.target == now.target && old.site != now.site) =>
        {
            "choose the site of"
        }
        (Some(_), _) => "map",
        (None, Some(Decision::New)) => "create as new",
        (None, Some(Decision::Exclude { .. })) => "exclude",
        _ => "clear",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).chain(['.']).collect(),
        None => String::new(),
    }
}
