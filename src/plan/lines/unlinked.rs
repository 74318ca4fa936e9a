//! Records without a link: found by our marker, adopted, created, or held (P10, P13, P15, P27).

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::{Place, Planner, notes};
use crate::matching::exact_form;
use crate::model::asset::{ID_FIELD, TYPE_FIELD};
use crate::model::marker::is_marker;
use crate::model::packed::place_of;
use crate::model::{FieldName, Found, Packed, SourceId, TargetId, Value, Verdict, Wanted};
use crate::plan::customers::why_update;
use crate::plan::diff::{self, Diff};
use crate::plan::owner::{Claim, Markers};
use crate::plan::{Action, Candidate, Cause, Change};

impl<'a> Planner<'a> {
    /// Records without a link: marked, adopted, created, or held.
    pub(super) fn unlinked(&mut self, unlinked: &[&'a Packed<Wanted>]) {
        if unlinked.is_empty() {
            return;
        }
        let ids = unlinked.iter().map(|wanted| SourceId::new(wanted.id()));
        let markers = Markers::read(self.entity, ids, self.found.iter().copied(), self.policy);
        let mut pending: Vec<&'a Packed<Wanted>> = Vec::new();
        for packed in unlinked {
            let wanted = packed.open();
            let settled = match self.place(&wanted, false) {
                Ok(place) => self.marked(&wanted, &place, &markers),
                Err(change) => Some(*change),
            };
            match settled {
                Some(change) => self.rows.push(change),
                None => pending.push(packed),
            }
        }

        if self.policy.rules(self.entity).by_matching_field {
            self.by_value(&pending);
            return;
        }
        // Who could adopt what: names that stand once on either side within one partner.
        let mut here: HashMap<(TargetId, String), u32> = HashMap::new();
        for wanted in pending.iter().map(|wanted| wanted.open()) {
            if let Some(target) = self.place(&wanted, false).ok().and_then(|place| place.target) {
                *here.entry((target, exact_form(&wanted.name))).or_default() += 1;
            }
        }
        let elsewhere = self.mappings.elsewhere.get(&self.entity);
        let mut there: HashMap<(TargetId, String), Vec<Found>> = HashMap::new();
        let free = self.found.iter().zip(&self.taken).filter(|(_, taken)| !**taken);
        for found in
            free.filter(|(found, _)| !found.marker().is_some_and(is_marker)).map(|(one, _)| one.open())
        {
            let Some(parent) = &found.parent else { continue };
            let key = (parent.clone(), exact_form(&found.name));
            if here.contains_key(&key) && !elsewhere.is_some_and(|taken| taken.contains(&found.id)) {
                there.entry(key).or_default().push(found);
            }
        }
        for wanted in pending {
            let wanted = wanted.open();
            let Ok(place) = self.place(&wanted, false) else { continue };
            let key = place.target.clone().map(|target| (target, exact_form(&wanted.name)));
            let same = key.as_ref().and_then(|key| there.get(key)).map_or(&[][..], Vec::as_slice);
            let wanted_so = key.as_ref().and_then(|key| here.get(key)).copied().unwrap_or(1);
            let change = self.unmarked(&wanted, &place, same, wanted_so);
            self.rows.push(change);
        }
    }

    /// Records that are told apart by the value of the matching field: the ladder after the stored id (L13).
    fn by_value(&mut self, pending: &[&'a Packed<Wanted>]) {
        let mut here: Vec<&str> = pending.iter().filter_map(|wanted| wanted.own_key()).collect();
        here.sort_unstable();
        let times = |key: &str| {
            let from = here.partition_point(|other| *other < key);
            here[from..].partition_point(|other| *other == key)
        };
        for packed in pending {
            let wanted = packed.open();
            let Ok(place) = self.place(&wanted, false) else { continue };
            let wanted_so = packed.own_key().map_or(0, times);
            let change = self.valued(&wanted, &place, wanted_so);
            self.rows.push(change);
        }
    }

    /// `wanted_so`: records without a link that share its value.
    fn valued(&mut self, wanted: &Wanted, place: &Place, wanted_so: usize) -> Change {
        let held = |planner: &Self, cause, would_be, why: String| {
            let change = planner.row(wanted, Action::Unchanged, notes(wanted));
            Self::finish(change.held(cause, would_be, why), place, None)
        };
        if let Verdict::Hold(why) = &wanted.verdict {
            return held(self, Cause::Data, Action::Held, why.clone());
        }
        if let Some(why) = self.lines.unsure.get(&wanted.id) {
            let why = format!(
                "too little of it could be read, so it may be in {}; nothing is created (P15): {why}",
                self.there
            );
            return held(self, Cause::Unproven, Action::Held, why);
        }
        if let Some(why) = self.lines.found_complete.why_not() {
            let why = format!(
                "{}'s {}s could not be read completely, so it may be there; nothing is created (P15): {why}",
                self.there, self.record
            );
            return held(self, Cause::Unproven, Action::Held, why);
        }
        let same = wanted.keys.own.as_deref().map_or(&[][..], |key| self.with_key(key));
        let candidates: Vec<Candidate> = same
            .iter()
            .take(8)
            .map(|(_, found)| record_candidate(&found.open(), "the same value of the matching field"))
            .collect();
        let only = match same {
            [] if wanted_so > 1 => {
                let why = format!(
                    "{wanted_so} {}s that are not in {} share the value of the matching field: which is which is not known (L13)",
                    self.entity.singular(),
                    self.there
                );
                return held(self, Cause::Ambiguous { candidates }, Action::Create, why);
            }
            [] => return self.create(wanted, place),
            [(_, only)] => only.open(),
            several => {
                let why = format!(
                    "{} {}s in {} have the same value of the matching field: which is it is not known (L13)",
                    several.len(),
                    self.record,
                    self.there
                );
                return held(self, Cause::Ambiguous { candidates }, Action::Link, why);
            }
        };
        if wanted_so > 1 {
            let why = format!(
                "{wanted_so} {}s match the {} '{}' ({}): which is it is not known (L13)",
                self.entity.singular(),
                self.record,
                only.name,
                only.id
            );
            return held(self, Cause::Ambiguous { candidates }, Action::Link, why);
        }
        if self.is_taken(&only) {
            let why = format!(
                "the {} '{}' ({}) has the same value of the matching field, and belongs to another {} (L13)",
                self.record,
                only.name,
                only.id,
                self.entity.singular()
            );
            return held(self, Cause::Ambiguous { candidates }, Action::Held, why);
        }
        if !place.is_parked && (only.parent.as_ref() != place.target.as_ref() || place.target.is_none()) {
            let has = only.parent.as_ref().map_or("none", |parent| parent.as_str());
            let belongs = place.target.as_ref().map_or("a new one", TargetId::as_str);
            let why = format!(
                "the {} '{}' ({}) has the same value of the matching field, but is with {} customer {has}, not {belongs}: move it or correct the value (L13)",
                self.record, only.name, only.id, self.there
            );
            return held(self, Cause::Ambiguous { candidates }, Action::Link, why);
        }
        let why = format!("the {} with the same value of the matching field (L13)", self.record);
        self.link(wanted, place, &only, &why)
    }

    /// What its marker on a record settles.
    fn marked(
        &mut self,
        wanted: &Wanted,
        place: &Place,
        markers: &Markers<&'a Packed<Found>>,
    ) -> Option<Change> {
        let held = |cause, would_be, why: String| {
            Some(Self::finish(
                self.row(wanted, Action::Unchanged, notes(wanted)).held(cause, would_be, why),
                place,
                None,
            ))
        };
        match markers.claim(&wanted.id, self.policy) {
            Claim::None => None,
            Claim::Ours(found) => {
                let found = &found.open();
                if let Verdict::Hold(why) = &wanted.verdict {
                    return held(Cause::Data, Action::Link, why.clone());
                }
                if self.is_taken(found) {
                    let why = format!(
                        "the {} '{}' ({}) that we made for it is linked to another {} now: empty its marker field in {} to have a new one made",
                        self.record,
                        found.name,
                        found.id,
                        self.entity.singular(),
                        self.there
                    );
                    return held(Cause::Ambiguous { candidates: Vec::new() }, Action::Held, why);
                }
                if found.parent.is_some() && place.target.is_some() && found.parent != place.target {
                    let why = format!(
                        "the {} '{}' ({}) that we made for it is with another {} {}: move it or correct the mapping",
                        self.record, found.name, found.id, self.there, self.party
                    );
                    return held(Cause::Ambiguous { candidates: Vec::new() }, Action::Link, why);
                }
                self.take_found(found);
                let why = match self.policy.rules(self.entity).known_by {
                    "" => {
                        format!("its {} carries our marker: we made it, and the link was lost", self.record)
                    }
                    known => format!("its {} carries {known}: it is the same record", self.record),
                };
                Some(self.link(wanted, place, found, &why))
            }
            Claim::Several(several) => {
                let candidates = several
                    .iter()
                    .map(|found| record_candidate(&found.open(), "carries our marker"))
                    .collect();
                let why = format!(
                    "several {}s in {} carry our marker of it: keep one, and empty the field of the others",
                    self.record, self.there
                );
                held(Cause::Ambiguous { candidates }, Action::Link, why)
            }
            Claim::Foreign(found) => {
                let found = found.open();
                let why = format!(
                    "{} '{}' ({}) carries another installation's marker of it: empty that field in {} to take it over",
                    self.record, found.name, found.id, self.there
                );
                held(Cause::Foreign, Action::Held, why)
            }
        }
    }

    fn is_taken(&self, found: &Found) -> bool {
        place_of(&self.found, found.id.as_str()).is_some_and(|at| self.taken[at])
    }

    fn take_found(&mut self, found: &Found) {
        if let Some(at) = place_of(&self.found, found.id.as_str()) {
            self.taken[at] = true;
        }
    }

    fn unmarked(&mut self, wanted: &Wanted, place: &Place, same: &[Found], wanted_so: u32) -> Change {
        if let Verdict::Hold(why) = &wanted.verdict {
            let change = self.row(wanted, Action::Unchanged, notes(wanted));
            return Self::finish(change.held(Cause::Data, Action::Held, why), place, None);
        }
        let held = |cause, would_be, why: String| {
            Self::finish(
                self.row(wanted, Action::Unchanged, notes(wanted)).held(cause, would_be, why),
                place,
                None,
            )
        };
        if place.target.is_some()
            && let Some(why) = self.lines.found_complete.why_not()
        {
            let why = format!(
                "{}'s {}s could not be read completely, so it may be there; nothing is created (P15): {why}",
                self.there, self.record
            );
            return held(Cause::Unproven, Action::Held, why);
        }
        let candidates = || {
            same.iter().take(8).map(|found| record_candidate(found, "the same name, not linked")).collect()
        };
        match (same, wanted_so) {
            ([], _) => self.create(wanted, place),
            ([only], 1) => {
                let read = wanted.parent.as_ref().and_then(|parent| self.lines.read.of(parent));
                if let Some(why) = read.and_then(|read| read.why_not()) {
                    let why = format!(
                        "a {} of that name is in {}, but its customer's list is incomplete: {why}",
                        self.record, self.there
                    );
                    return held(Cause::Unproven, Action::Link, why);
                }
                let wants_active = wanted.fields.get(FieldName::Status) == Some(&Value::Active(true));
                if !only.is_active && wants_active {
                    let why = format!(
                        "an inactive {} of that name ({}) is in {}: make it active there to have it adopted, or rename it to have a new one made",
                        self.record, only.id, self.there
                    );
                    return held(Cause::Ambiguous { candidates: candidates() }, Action::Held, why);
                }
                let why =
                    format!("adopts the {} of exactly the same name, once on either side (P10)", self.record);
                self.link(wanted, place, only, &why)
            }
            (several, here) => {
                let why = format!(
                    "{0} unlinked {1}s of that name in {2} and {here} such {3}: which is which is not known (P13); give each {1} a name of its own",
                    several.len(),
                    self.record,
                    self.there,
                    self.entity
                );
                held(Cause::Ambiguous { candidates: candidates() }, Action::Held, why)
            }
        }
    }

    fn link(&self, wanted: &Wanted, place: &Place, found: &Found, why: &str) -> Change {
        let mut owned = wanted.fields.clone();
        let mut said_of_it = Vec::new();
        if self.policy.rules(self.entity).by_matching_field {
            let id = owned.get(FieldName::own(ID_FIELD)).cloned();
            said_of_it = self.keep_to_its_own(&mut owned, found);
            if let Some(id) = id {
                owned.set(FieldName::own(ID_FIELD), id);
            }
            said_of_it.extend(self.stays(found, place));
            if !found.is_active {
                said_of_it
                    .push(format!("its {} is inactive in {}: it stays so (L14)", self.record, self.there));
            }
        }
        let diff = diff::compare(&owned, found, None, self.policy.rules(self.entity), None);
        let mut reasons = vec![why.to_owned()];
        reasons.extend(why_update(&diff, false, self.label, self.there));
        reasons.extend(said_of_it);
        reasons.extend(notes(wanted));
        let mut change = self.row(wanted, Action::Link, reasons);
        change.owned = owned;
        self.price(&mut change, wanted, Some(found), &diff, place.target.as_ref());
        change.fields = diff.changes;
        let change = Self::finish(change, place, Some(found));
        self.priced(change, wanted, place.target.as_ref())
    }

    fn create(&mut self, wanted: &Wanted, place: &Place) -> Change {
        let mut reasons = vec![format!("not in {} yet", self.there)];
        if place.after_row.is_some() && place.target.is_none() {
            reasons.push("its customer is created by this plan".into());
        }
        if wanted.fields.get(FieldName::Status) == Some(&Value::Active(false)) {
            reasons.push(format!("inactive at {}, so inactive in {} (B7)", self.label, self.there));
        }
        reasons.extend(place.note.clone());
        let mut owned = wanted.fields.clone();
        if let Some(kinds) = &self.lines.kinds {
            let type_name = owned.get(FieldName::own(TYPE_FIELD)).map(ToString::to_string);
            reasons.extend(kinds.restrict(type_name.as_deref(), None, &mut owned));
        }
        reasons.extend(notes(wanted));
        let mut change = self.row(wanted, Action::Create, reasons);
        let diff = Diff { changes: diff::all_of(&owned), ..Diff::default() };
        // Everything owned is written, so the fields say it all; only types of assets may keep some of it back.
        if self.lines.kinds.is_some() {
            change.owned = owned;
        }
        self.price(&mut change, wanted, None, &diff, place.target.as_ref());
        change.fields = diff.changes;
        if let (Some(customer), true) = (&wanted.parent, change.money != Some(Decimal::ZERO)) {
            self.tally.lines.entry(customer.clone()).or_default().0 += 1;
        }
        let change = Self::finish(change, place, None);
        self.priced(change, wanted, place.target.as_ref())
    }
}

fn record_candidate(found: &Found, why: &str) -> Candidate {
    let why = if found.is_active { why.into() } else { format!("{why}, inactive").into() };
    Candidate { target: found.id.clone(), name: Arc::clone(&found.name), why }
}
