//! The customers' rows: mapped, linked, created, or held for a decision (K1-K9, decision 28).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::absence::{self, Judged};
use super::diff::{self, Diff};
use super::owner::{Claim, Markers};
use super::shared::{Disputes, disputes};
use super::{
    Action, Candidate, Cause, Change, FieldChange, Policy, Side, Snapshot, TopLevel, snapshot::Mappings,
};
use crate::matching::keys::{is_own_domain, vat_form};
use crate::matching::{exact_form, normal_form};
use crate::model::{
    Decision, Entity, FieldName, Fields, Found, Link, Place, SourceId, TargetId, Value, Verdict, Wanted,
};

/// As many partners are worth showing in one row.
const CANDIDATES: usize = 8;

/// What a customer's state means for its subscriptions.
pub(super) enum Standing {
    Mapped(TargetId),
    /// A row of this plan links or creates it first (decision 29).
    After {
        row: u32,
        target: Option<TargetId>,
    },
    /// Its subscriptions are skipped, and why.
    Out(Box<str>),
    /// Too little could be read to say, and why: nothing is decided about its records either.
    Unread(Box<str>),
}

/// The customers of a plan, settled.
pub(super) struct Customers<'a> {
    /// In plan order and numbered; empty if customers are not planned.
    pub rows: Vec<Change>,
    standing: HashMap<SourceId, Standing>,
    names: HashMap<&'a SourceId, &'a Arc<str>>,
    /// Customers that are mapped and listed.
    pub linked: u64,
    /// Why a customer that is planned for may be missing from the rows.
    unread: Option<Standing>,
}

impl<'a> Customers<'a> {
    pub fn plan(snapshot: &'a Snapshot, mappings: &'a Mappings, policy: &'a Policy) -> Self {
        let mut source: Vec<&Wanted> = snapshot.customers.iter().collect();
        source.sort_by(|a, b| a.id.cmp(&b.id));
        let names = source.iter().map(|wanted| (&wanted.id, &wanted.name)).collect();
        let linked =
            source.iter().filter(|wanted| mappings.customers.contains_key(&wanted.id)).count() as u64;

        let planned = policy.entities.contains(&policy.integration.root());
        let mut planner = Planner::new(snapshot, mappings, policy);
        let mut rows = Vec::new();
        let mut standing = HashMap::new();
        if planned {
            planner.index(&source);
            rows = planner.rows(&source);
            rows.extend(planner.vanished(&source));
            rows.sort_by(|a, b| (&a.source.name, &a.source.id).cmp(&(&b.source.name, &b.source.id)));
            for (row, change) in (1..).zip(&mut rows) {
                change.row = row;
            }
            for change in rows.iter().filter(|change| !mappings.customers.contains_key(&change.source.id)) {
                standing.insert(change.source.id.clone(), standing_after(change));
            }
        }
        for (id, link) in &mappings.customers {
            match partner(&planner.by_id, snapshot, link, policy.target(policy.integration.root())) {
                Ok(Some(found)) if !found.is_active && planner.leaves_inactive() => {
                    let why = format!(
                        "its {} is archived in {}",
                        policy.integration.root().record(),
                        planner.there
                    );
                    drop(standing.insert(id.clone(), Standing::Out(why.into())));
                }
                Ok(_) => drop(standing.insert(id.clone(), Standing::Mapped(link.target.clone()))),
                Err(why) => drop(standing.insert(id.clone(), Standing::Out(why.into()))),
            }
        }
        for id in mappings.decisions.iter().filter(|(_, d)| d.excludes(policy.today)).map(|(id, _)| id) {
            standing.insert(id.clone(), Standing::Out("its customer is excluded".into()));
        }
        let unread = snapshot.customers_complete.why_not().filter(|_| planned);
        let unread = unread.map(|why| Standing::Unread(why.into()));
        Self { rows, standing, names, linked, unread }
    }

    /// `None` for a customer that is not mapped and has no row.
    pub fn standing(&self, id: &SourceId) -> Option<&Standing> {
        self.standing.get(id).or(self.unread.as_ref())
    }

    pub fn name(&self, id: &SourceId) -> Option<Arc<str>> {
        self.names.get(id).map(|name| Arc::clone(name))
    }
}

/// What a customer's own row means for its subscriptions; mapped ones are settled by their mapping.
fn standing_after(change: &Change) -> Standing {
    match change.action {
        Action::Link | Action::Create => Standing::After {
            row: change.row,
            target: change.target.as_ref().map(|target| target.id.clone()),
        },
        Action::Held if change.hold.as_ref().is_some_and(|hold| hold.cause == Cause::Unproven) => {
            Standing::Unread(format!("what row {} waits for could not be read", change.row).into())
        }
        Action::Held => Standing::Out(
            format!("customer not mapped: it waits for a decision in row {}", change.row).into(),
        ),
        _ => Standing::Out("customer not mapped".into()),
    }
}

/// The partner of a mapping, unless there is none any more.
pub(super) fn partner<'a>(
    by_id: &[&'a Found],
    snapshot: &Snapshot,
    link: &Link,
    place: Place,
) -> Result<Option<&'a Found>, String> {
    let (there, party) = (place.label(), place.party().0);
    match find(by_id, &link.target) {
        Some(found) => Ok(Some(found)),
        None if snapshot.partners_complete.is_complete() => Err(format!(
            "mapped to {there} {party} '{}' ({}), which is no longer in {there}: map it anew or remove the mapping (K1)",
            link.target_name, link.target
        )),
        None => Ok(None),
    }
}

/// Binary search in a list sorted by id.
pub(super) fn find<'a>(by_id: &[&'a Found], id: &TargetId) -> Option<&'a Found> {
    by_id.binary_search_by(|found| found.id.cmp(id)).ok().map(|at| by_id[at])
}

pub(super) fn sorted_by_id(found: &[Found]) -> Vec<&Found> {
    let mut by_id: Vec<&Found> = found.iter().collect();
    by_id.sort_by(|a, b| a.id.cmp(&b.id));
    by_id
}

struct Planner<'a> {
    snapshot: &'a Snapshot,
    mappings: &'a Mappings,
    policy: &'a Policy,
    /// What the mapping table is of.
    root: Entity,
    /// The source's name.
    label: &'static str,
    /// The target's name.
    there: &'static str,
    /// What the target calls one customer, and several.
    party: &'static str,
    parties: &'static str,
    by_id: Vec<&'a Found>,
    markers: Markers<&'a Found>,
    /// The target's customers by what may tell them: positions in `by_id`.
    exact: HashMap<String, Vec<usize>>,
    normal: HashMap<String, Vec<usize>>,
    vat: HashMap<String, Vec<usize>>,
    domain: HashMap<String, Vec<usize>>,
    /// How often each exact name stands at the source.
    here: HashMap<String, u32>,
    /// Partners that a mapping or a marker has given away.
    claimed: BTreeMap<TargetId, SourceId>,
    /// What this plan creates, by normal form.
    creating: HashMap<String, Side<SourceId>>,
    disputes: Disputes,
}

impl<'a> Planner<'a> {
    fn new(snapshot: &'a Snapshot, mappings: &'a Mappings, policy: &'a Policy) -> Self {
        let root = policy.integration.root();
        Self {
            snapshot,
            mappings,
            policy,
            root,
            label: policy.source(root).label(),
            there: policy.target(root).label(),
            party: policy.target(root).party().0,
            parties: policy.target(root).party().1,
            by_id: sorted_by_id(&snapshot.partners),
            markers: Markers::none(root),
            exact: HashMap::new(),
            normal: HashMap::new(),
            vat: HashMap::new(),
            domain: HashMap::new(),
            here: HashMap::new(),
            claimed: BTreeMap::new(),
            creating: HashMap::new(),
            disputes: disputes(snapshot, mappings, policy),
        }
    }

    /// Only an import that has something unmapped pays for this.
    fn index(&mut self, source: &[&'a Wanted]) {
        if source.iter().all(|wanted| self.mappings.customers.contains_key(&wanted.id)) {
            return;
        }
        for (at, found) in self.by_id.iter().enumerate() {
            self.exact.entry(exact_form(&found.name)).or_default().push(at);
            self.normal.entry(normal_form(&found.name)).or_default().push(at);
            if let Some(vat) = found.keys.vat.as_deref().and_then(vat_form) {
                self.vat.entry(vat).or_default().push(at);
            }
            for domain in domains(&found.keys.domains) {
                self.domain.entry(domain).or_default().push(at);
            }
        }
        for wanted in source {
            *self.here.entry(exact_form(&wanted.name)).or_default() += 1;
        }
        let unmapped =
            source.iter().map(|wanted| &wanted.id).filter(|id| !self.mappings.customers.contains_key(id));
        self.markers = Markers::read(self.root, unmapped, self.by_id.iter().copied(), self.policy);
        for (id, link) in &self.mappings.customers {
            self.claimed.insert(link.target.clone(), id.clone());
        }
        // Before any name is looked at: a name must not take what a marker gives to another.
        for wanted in source.iter().filter(|wanted| !self.mappings.customers.contains_key(&wanted.id)) {
            if let Claim::Ours(found) = self.markers.claim(&wanted.id, self.policy) {
                self.claimed.entry(found.id.clone()).or_insert_with(|| wanted.id.clone());
            }
        }
    }

    fn rows(&mut self, source: &[&'a Wanted]) -> Vec<Change> {
        source
            .iter()
            .map(|wanted| {
                let decision = self.mappings.decisions.get(&wanted.id);
                match (decision, self.mappings.customers.get(&wanted.id)) {
                    (Some(decision), _) if decision.excludes(self.policy.today) => {
                        excluded(self.root, wanted, decision)
                    }
                    (_, Some(link)) => self.mapped(wanted, link),
                    (decision, None) => self.unmapped(wanted, decision),
                }
            })
            .collect()
    }

    /// Mapped customers that the source lists no more: kept and said, or archived where that is asked for.
    fn vanished(&self, source: &[&'a Wanted]) -> Vec<Change> {
        if !self.snapshot.customers_complete.is_complete() {
            return Vec::new();
        }
        let missing = |id: &&SourceId| source.binary_search_by(|wanted| wanted.id.cmp(id)).is_err();
        self.mappings
            .customers
            .keys()
            .filter(missing)
            .filter_map(|id| self.mappings.customers.get(id).map(|link| (id, link)))
            .map(|(id, link)| self.gone(id, link))
            .collect()
    }

    fn gone(&self, id: &SourceId, link: &Link) -> Change {
        let row = |action, reasons: Vec<String>| {
            let side = Side { id: id.clone(), name: Arc::from(&*link.source_name) };
            let mut change = Change::new(self.root, action, side, reasons);
            change.target = Some(self.side_of(link));
            change
        };
        let found = find(&self.by_id, &link.target);
        let proof = || absence::proof(self.snapshot.absences.get(id), self.label);
        match absence::vanished(id, link, found, self.snapshot, self.mappings, self.policy) {
            Judged::Left { action, why } => row(action, vec![why]),
            Judged::Missing { why } => row(Action::Skipped, vec![proof().err().unwrap_or(why)]),
            Judged::Held { cause, why } => row(Action::Unchanged, Vec::new()).held(cause, Action::Held, why),
            Judged::Unread { why, .. } => row(Action::Skipped, vec![why]),
            Judged::Gone { action, fields } => {
                let why = format!(
                    "gone from {}: archived in {}, with all that belongs to it",
                    self.label, self.there
                );
                let listed = "the list of customers is complete, and a look-up by id did not find it";
                let mut change = row(action, vec![why, listed.to_owned()]);
                change.fields = fields;
                change.owned = link.base.clone().unwrap_or_default();
                match proof() {
                    Ok(()) => change,
                    Err(why) => change.held(Cause::Unproven, action, why),
                }
            }
        }
    }

    fn side_of(&self, link: &Link) -> Side<TargetId> {
        let name = find(&self.by_id, &link.target)
            .map_or_else(|| Arc::from(&*link.target_name), |found| Arc::clone(&found.name));
        Side { id: link.target.clone(), name }
    }

    fn mapped(&self, wanted: &Wanted, link: &Link) -> Change {
        let target = self.side_of(link);
        let row = |action, reasons: Vec<String>| {
            let mut change = Change::new(self.root, action, Side::of(wanted), reasons);
            change.target = Some(target.clone());
            change
        };
        let found = match partner(&self.by_id, self.snapshot, link, self.policy.target(self.root)) {
            Ok(Some(found)) => found,
            Ok(None) => {
                let why = format!(
                    "mapped, but not among what {}'s incomplete list of {} held: left as it is",
                    self.there, self.parties
                );
                return row(Action::Skipped, vec![why]);
            }
            Err(why) => return row(Action::Unchanged, Vec::new()).held(Cause::Missing, Action::Held, why),
        };
        let removed = link.removed.as_ref();
        if !found.is_active
            && removed.is_some_and(|removed| removed.deactivated)
            && wanted.verdict == Verdict::Take
        {
            let why =
                format!("listed by {} again: what was archived for its absence is restored", self.label);
            let mut change = row(Action::Update, vec![why]);
            change.fields = vec![FieldChange {
                name: FieldName::Status,
                before: Some(Value::Active(false)),
                after: Some(Value::Active(true)),
                mark: None,
            }];
            return change;
        }
        if !found.is_active && self.leaves_inactive() {
            let why = format!("archived in {}: left as it is until it is restored there (P68)", self.there);
            return row(Action::Skipped, vec![why]);
        }
        match &wanted.verdict {
            Verdict::Take => {}
            Verdict::Hold(why) => {
                return row(Action::Unchanged, Vec::new()).held(Cause::Data, Action::Held, why);
            }
            Verdict::OutOfScope(why) => {
                return row(Action::Skipped, vec![format!("outside the chosen scope: {why}")]);
            }
            Verdict::Ended(why) => {
                return row(
                    Action::Skipped,
                    vec![format!("ended at {}: {why}; a mapped customer is left as it is", self.label)],
                );
            }
        }

        let mut owned = self.owned(&wanted.fields);
        let disputed = self.disputes.get(&wanted.id).map_or(&[][..], Vec::as_slice);
        for (name, _) in disputed {
            owned.remove(*name);
        }
        let chosen = link.site.as_ref().map(|site| self.at_site(found, &site.id));
        let found = chosen.as_ref().unwrap_or(found);
        let diff = diff::compare(&owned, found, link.base.as_ref(), self.policy.rules(self.root), None);
        let mut notes: Vec<String> =
            disputed.iter().map(|(name, rival)| self.disputed(*name, rival)).collect();
        if !found.is_active {
            notes.push(format!("its partner is inactive in {}", self.there));
        }
        if *link.source_name != *wanted.name && !link.source_name.is_empty() {
            notes.push(format!("renamed at {}, was '{}': the mapping holds", self.label, link.source_name));
        }
        if diff.is_empty() {
            let mut reasons = vec!["mapped; nothing to change".to_owned()];
            reasons.extend(diff::said_kept(&diff.kept, self.there));
            reasons.extend(notes);
            let mut change = row(Action::Unchanged, reasons);
            if !owned.is_empty() && link.base.as_ref() != Some(&owned) {
                change.owned = owned;
            }
            return change;
        }
        let mut reasons = why_update(&diff, link.base.is_some(), self.label, self.there);
        reasons.extend(notes);
        let mut change = row(Action::Update, reasons);
        let needs_site = diff.find(FieldName::MainSiteAddress).is_some();
        change.fields = diff.changes;
        change.owned = owned;
        if !diff.conflicts.is_empty() {
            let why = format!(
                "{} edited in {}: set it to what is right on one of the two sides (P49)",
                diff::names(&diff.conflicts),
                self.there
            );
            return change.held(Cause::Conflict { fields: diff.conflicts }, Action::Update, why);
        }
        if needs_site {
            change.site.clone_from(&found.main_site);
            if let (Some(site), None) = (&link.site, &found.main_site) {
                let why = format!(
                    "the site '{}' that was chosen for it is not among the active ones of its {} customer: choose another (P18)",
                    site.name, self.there
                );
                return change.held(Cause::Missing, Action::Update, why);
            }
            if found.main_site.is_none() {
                let why = format!(
                    "{0}'s customer has no main site to hold the address: give it one in {0} (K9)",
                    self.there
                );
                return change.held(Cause::Missing, Action::Update, why);
            }
        }
        change
    }

    /// Why a field is left alone that several want otherwise.
    fn disputed(&self, name: FieldName, rival: &str) -> String {
        let (party, there) = (self.party, self.there);
        match name {
            FieldName::MainSiteAddress => format!(
                "its address is not written: '{rival}' is mapped to the same site and has another; choose a site in {there} for one of them (P18)"
            ),
            _ => format!(
                "its {name} is not written: '{rival}' is mapped to the same {party} of {there} and has another"
            ),
        }
    }

    /// The partner with the chosen site in place of its main site (P18).
    fn at_site(&self, found: &Found, site: &TargetId) -> Found {
        let mut found = found.clone();
        found.fields.remove(FieldName::MainSiteAddress);
        let address = self.snapshot.sites.get(site);
        found.main_site = address.map(|_| site.clone());
        if let Some(address) = address {
            found.fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(address.clone())));
        }
        found
    }

    fn leaves_inactive(&self) -> bool {
        self.policy.rules(self.root).leaves_inactive
    }

    /// The fields of a mapped customer that follow the source (K6, K9).
    fn owned(&self, fields: &Fields) -> Fields {
        let follows = self.policy.rules(self.root).follows.as_ref();
        fields
            .iter()
            .filter(|(name, _)| follows.is_none_or(|follows| follows.contains(name)))
            .map(|(name, value)| (name, value.clone()))
            .collect()
    }

    fn unmapped(&mut self, wanted: &Wanted, decision: Option<&Decision>) -> Change {
        let side = Side::of(wanted);
        let row = |action, reasons: Vec<String>| Change::new(self.root, action, side.clone(), reasons);
        let blank = || row(Action::Create, vec!["not mapped".into()]);
        match &wanted.verdict {
            Verdict::Take => {}
            Verdict::Hold(why) => return blank().held(Cause::Data, Action::Held, why),
            Verdict::OutOfScope(why) => {
                return row(Action::Skipped, vec![format!("outside the chosen scope: {why}")]);
            }
            Verdict::Ended(why) => {
                return row(Action::Skipped, vec![format!("ended at {}: {why}; never created", self.label)]);
            }
        }
        let name = exact_form(&wanted.name);
        if name.is_empty() {
            let why = format!("it has no name: give it one at {}", self.label);
            return blank().held(Cause::Data, Action::Held, why);
        }
        if let Some(why) = self.snapshot.partners_complete.why_not() {
            let why = format!(
                "{}'s {} could not be read completely, so a partner may be there; nothing is created (P15): {why}",
                self.there, self.parties
            );
            return blank().held(Cause::Unproven, Action::Held, why);
        }
        match self.markers.claim(&wanted.id, self.policy) {
            Claim::None => {}
            Claim::Ours(found) => {
                if let Some(other) = self.claimed.get(&found.id).filter(|other| **other != wanted.id) {
                    let candidates =
                        vec![candidate(found, &format!("carries our marker; mapped to {other} already"))];
                    let why = format!(
                        "the {} {} that we made for it is mapped to customer {other} now: map it by hand if both are one (K5)",
                        self.there, self.party
                    );
                    return blank().held(Cause::Ambiguous { candidates }, Action::Held, why);
                }
                let why = match self.policy.rules(self.root).known_by {
                    "" => "carries our marker: we made it, and the mapping was lost".to_owned(),
                    known => format!("carries {known}: it is the same customer"),
                };
                return self.link(wanted, found, &why);
            }
            Claim::Several(several) => {
                let candidates = several.iter().map(|found| candidate(found, "carries our marker")).collect();
                let why = format!(
                    "several {} {} carry our marker of it: map it to the right one",
                    self.there, self.parties
                );
                return blank().held(Cause::Ambiguous { candidates }, Action::Link, why);
            }
            Claim::Foreign(found) => {
                let why = format!(
                    "{} {} '{}' ({}) carries another installation's marker of it: map it by hand to take it over",
                    self.there, self.party, found.name, found.id
                );
                let mut change = blank().held(Cause::Foreign, Action::Link, why);
                change.target = Some(Side { id: found.id.clone(), name: Arc::clone(&found.name) });
                return change;
            }
        }
        if decision == Some(&Decision::New) {
            return self.create(
                wanted,
                vec!["not mapped".into(), "a person said that it is really new (P14)".into()],
            );
        }

        let same: Vec<&'a Found> =
            self.exact.get(&name).into_iter().flatten().map(|at| self.by_id[*at]).collect();
        let twice_here = self.here.get(&name).copied().unwrap_or(0) > 1;
        match same.as_slice() {
            [] => {}
            [only] if !only.is_active => {
                let (there, party) = (self.there, self.party);
                let candidates =
                    vec![candidate(only, &format!("exactly the same name, inactive in {there}"))];
                let why = format!(
                    "the {there} {party} of that name is inactive: map it, exclude it, or say that it is new"
                );
                return blank().held(Cause::LookAlike { candidates }, Action::Held, why);
            }
            [only] if twice_here => {
                let candidates = vec![candidate(only, "exactly the same name")];
                let why = format!(
                    "more than one customer of that name at {}: which one is {}'s is not known (P13)",
                    self.label, self.there
                );
                return blank().held(Cause::Ambiguous { candidates }, Action::Held, why);
            }
            [only] => {
                if let Some(other) = self.claimed.get(&only.id) {
                    let candidates =
                        vec![candidate(only, &format!("exactly the same name; mapped to {other} already"))];
                    let why = format!(
                        "the {} {} of that name is mapped to customer {other} already: map it by hand if both are one (K5)",
                        self.there, self.party
                    );
                    return blank().held(Cause::Ambiguous { candidates }, Action::Held, why);
                }
                if let Some(why) = self.snapshot.customers_complete.why_not() {
                    let why = format!(
                        "one {} {} has exactly that name, but the list at {} is incomplete and may hold a second: {why}",
                        self.there, self.party, self.label
                    );
                    return blank().held(Cause::Unproven, Action::Link, why);
                }
                let why = "exactly the same name, once on either side";
                if self.policy.rules(self.root).asks_before_create {
                    let reasons = vec![
                        "not matched yet, so nothing of it is written (H11)".to_owned(),
                        format!("{} '{}' ({}) has {why}: match it", self.there, only.name, only.id),
                    ];
                    return row(Action::Skipped, reasons);
                }
                return self.link(wanted, only, &format!("{why} (K7)"));
            }
            several => {
                let candidates = several
                    .iter()
                    .take(CANDIDATES)
                    .map(|found| {
                        candidate(
                            found,
                            if found.is_active {
                                "exactly the same name"
                            } else {
                                "exactly the same name, inactive"
                            },
                        )
                    })
                    .collect();
                let why = format!(
                    "{} {} of that name in {}: map it to the right one (P13)",
                    several.len(),
                    self.parties,
                    self.there
                );
                return blank().held(Cause::Ambiguous { candidates }, Action::Held, why);
            }
        }

        let candidates = self.look_alikes(wanted);
        if let Some(first) = candidates.first() {
            let why = format!(
                "may be {} {} '{}' ({}): {}; map it, exclude it, or say that it is new (K3)",
                self.there, self.party, first.name, first.target, first.why
            );
            return blank().held(Cause::LookAlike { candidates }, Action::Held, why);
        }
        if let Some(first) = self.creating.get(&normal_form(&wanted.name)) {
            let why = format!(
                "this plan creates '{}' ({}), which has the same name: map both to it, or say that this one is new (K7)",
                first.name, first.id
            );
            return blank().held(Cause::Ambiguous { candidates: Vec::new() }, Action::Held, why);
        }
        let reasons =
            vec!["not mapped".to_owned(), format!("no {} of that name in {}", self.party, self.there)];
        if self.policy.rules(self.root).asks_before_create {
            let mut change = Change::new(self.root, Action::Skipped, side, reasons);
            change.reasons = super::change::reasons(
                std::iter::once("left alone until it is mapped, or said to be new (H11)".into())
                    .chain(change.reasons.iter().cloned()),
            );
            return change;
        }
        self.create(wanted, reasons)
    }

    fn link(&self, wanted: &Wanted, found: &Found, why: &str) -> Change {
        let mut reasons = vec!["not mapped".to_owned()];
        reasons.insert(0, why.to_owned());
        let owned = self.owned(&wanted.fields);
        let mut diff = diff::compare(&owned, found, None, self.policy.rules(self.root), None);
        if found.main_site.is_none() && diff.find(FieldName::MainSiteAddress).is_some() {
            diff.changes.retain(|change| change.name != FieldName::MainSiteAddress);
            reasons.push("it has no main site to hold the address".into());
        }
        if !found.is_active {
            reasons.push(format!("inactive in {}", self.there));
        }
        if let (Some(here), Some(there)) =
            (wanted.keys.vat.as_deref().and_then(vat_form), found.keys.vat.as_deref().and_then(vat_form))
            && here != there
        {
            reasons.push(format!("their VAT numbers differ: {here} and {there} (P12)"));
        }
        let mut change = Change::new(self.root, Action::Link, Side::of(wanted), reasons);
        change.target = Some(Side { id: found.id.clone(), name: Arc::clone(&found.name) });
        if diff.find(FieldName::MainSiteAddress).is_some() {
            change.site.clone_from(&found.main_site);
        }
        change.fields = diff.changes;
        change.owned = owned;
        change
    }

    fn create(&mut self, wanted: &Wanted, mut reasons: Vec<String>) -> Change {
        let mut fields = diff::all_of(&wanted.fields);
        let mut top_level = None;
        let mut gone = None;
        match &self.snapshot.top_level {
            TopLevel::Default => {}
            TopLevel::Known { id, name } => {
                top_level = Some(id.clone());
                let at =
                    fields.iter().position(|field| field.name > FieldName::TopLevel).unwrap_or(fields.len());
                let after = Some(Value::text(name));
                fields.insert(at, FieldChange { name: FieldName::TopLevel, before: None, after, mark: None });
            }
            TopLevel::Gone { name } => gone = Some(name),
        }
        reasons.extend(wanted.notes.iter().map(ToString::to_string));
        let side = Side::of(wanted);
        self.creating.entry(normal_form(&wanted.name)).or_insert_with(|| side.clone());
        let mut change = Change::new(self.root, Action::Create, side, reasons);
        change.fields = fields;
        change.owned = wanted.fields.clone();
        change.top_level = top_level;
        match gone {
            None => change,
            Some(name) => {
                let why = format!(
                    "the top level '{name}' for new customers is not in {}: choose another in {} (K8)",
                    self.there,
                    self.policy.rules(self.root).place_setting
                );
                change.held(Cause::Missing, Action::Create, why)
            }
        }
    }

    /// Partners that may be the same (decision 28), best first.
    fn look_alikes(&self, wanted: &Wanted) -> Vec<Candidate> {
        let mut why: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let normal = normal_form(&wanted.name);
        if !normal.is_empty() {
            for at in self.normal.get(&normal).into_iter().flatten() {
                why.entry(*at).or_default().push("the same name but for case, accents or legal form".into());
            }
        }
        if let Some(vat) = wanted.keys.vat.as_deref().and_then(vat_form) {
            for at in self.vat.get(&vat).into_iter().flatten() {
                why.entry(*at).or_default().push(format!("the same VAT number {vat}"));
            }
        }
        for domain in domains(&wanted.keys.domains) {
            for at in self.domain.get(&domain).into_iter().flatten() {
                why.entry(*at).or_default().push(format!("the same mail domain {domain}"));
            }
        }
        // Scores hold creates only: where nothing is created unasked, they have nothing to hold.
        let creates = !self.policy.rules(self.root).asks_before_create;
        for near in self.mappings.near.get(&wanted.id).into_iter().flatten().filter(|_| creates) {
            if let Ok(at) = self.by_id.binary_search_by(|found| found.id.cmp(&near.target)) {
                let said = why.entry(at).or_default();
                if said.is_empty() {
                    said.push(format!("a near match, {} of 100: {}", near.score, near.why));
                }
            }
        }
        let mut found: Vec<(&Found, Vec<String>)> =
            why.into_iter().map(|(at, why)| (self.by_id[at], why)).collect();
        found.sort_by(|(a, a_why), (b, b_why)| {
            (!a.is_active, std::cmp::Reverse(a_why.len()), &a.name, &a.id).cmp(&(
                !b.is_active,
                std::cmp::Reverse(b_why.len()),
                &b.name,
                &b.id,
            ))
        });
        found.truncate(CANDIDATES);
        found
            .into_iter()
            .map(|(found, mut why)| {
                if !found.is_active {
                    why.push(format!("inactive in {}", self.there));
                }
                if let Some(other) = self.claimed.get(&found.id) {
                    why.push(format!("mapped to customer {other} already"));
                }
                candidate(found, &why.join(", "))
            })
            .collect()
    }
}

fn excluded(root: Entity, wanted: &Wanted, decision: &Decision) -> Change {
    let mut why = "excluded".to_owned();
    if let Decision::Exclude { note, until } = decision {
        if let Some(until) = until {
            why = format!("{why} until {until}");
        }
        if !note.trim().is_empty() {
            why = format!("{why}: {}", note.trim());
        }
    }
    Change::new(root, Action::Skipped, Side::of(wanted), [why])
}

fn candidate(found: &Found, why: &str) -> Candidate {
    Candidate { target: found.id.clone(), name: Arc::clone(&found.name), why: why.into() }
}

fn domains(given: &[Box<str>]) -> BTreeSet<String> {
    given.iter().map(|domain| domain.trim().to_lowercase()).filter(|domain| is_own_domain(domain)).collect()
}

/// Why fields of an existing record change, one sentence for each kind of change.
pub(super) fn why_update(diff: &Diff, has_base: bool, label: &str, there: &str) -> Vec<String> {
    let (edited, moved): (Vec<&FieldChange>, Vec<&FieldChange>) =
        diff.changes.iter().partition(|change| change.mark.is_some());
    let names = |changes: &[&FieldChange]| {
        changes.iter().map(|change| change.name.key().replace('_', " ")).collect::<Vec<_>>().join(", ")
    };
    let mut reasons = Vec::new();
    if !moved.is_empty() {
        let what = if has_base { "changed at" } else { "differs from" };
        reasons.push(format!("{} {what} {label}", names(&moved)));
    }
    if !edited.is_empty() {
        reasons.push(format!("{} edited in {there}: {label}'s value takes its place", names(&edited)));
    }
    reasons
}
