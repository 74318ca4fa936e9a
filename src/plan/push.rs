//! The rows that take Halo's customers to Liongard (L17): who was chosen, and what keeps one back. Nothing is ever pushed
//! that is there already: mapped, brought here from there, pushed before, or near enough to an environment.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::customers::{find, sorted_by_id};
use super::lines::Tally;
use super::owner::{Claim, Markers};
use super::{
    Action, Candidate, Cause, Change, FieldChange, Policy, Rows, Side, Snapshot, diff, snapshot::Mappings,
};
use crate::matching::keys::is_own_domain;
use crate::matching::{exact_form, normal_form};
use crate::model::{Entity, Found, Link, SourceId, TargetId, Verdict, Wanted};

const ME: Entity = Entity::Push;
/// As many environments are worth showing in one row.
const CANDIDATES: usize = 8;

/// Adds the rows of the chosen customers, by name. The rows so far are those of the import, which may map some of them.
pub(super) fn plan(
    snapshot: &Snapshot,
    mappings: &Mappings,
    links: impl IntoIterator<Item = (SourceId, Link)>,
    policy: &Policy,
    rows: &mut Rows,
) -> Tally {
    let links: BTreeMap<SourceId, Link> = links.into_iter().collect();
    let tally = Tally { linked: links.len() as u64, ..Tally::default() };
    let Some(lines) = snapshot.lines.get(&ME) else { return tally };
    flags(snapshot, rows);
    let (mut wanted, found): (Vec<Wanted>, Vec<Found>) =
        (lines.wanted.iter().collect(), lines.found.iter().collect());
    wanted.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let ids = wanted.iter().map(|one| &one.id).filter(|id| !links.contains_key(*id));
    let mut planner = Planner {
        snapshot,
        mappings,
        policy,
        markers: Markers::read(ME, ids, found.iter(), policy),
        mapped: mappings.customers.iter().map(|(id, link)| (&link.target, id)).collect(),
        linking: linking(rows),
        from_there: from_there(snapshot, policy),
        environments: sorted_by_id(&found),
        by_name: HashMap::new(),
        by_domain: HashMap::new(),
        creating: HashMap::new(),
    };
    planner.index();
    for one in &wanted {
        let change = planner.row(one, links.get(&one.id));
        rows.push(change);
    }
    tally
}

/// The rows that switch flags of the target's customers, as a person asked (L17b).
fn flags(snapshot: &Snapshot, rows: &mut Rows) {
    let Some(lines) = snapshot.lines.get(&Entity::PushFlags) else { return };
    for wanted in lines.wanted.iter() {
        let Some(found) = lines.found.find(wanted.id.as_str()) else { continue };
        let said = wanted.notes.iter().map(ToString::to_string);
        let mut change = Change::new(Entity::PushFlags, Action::Update, Side::of(&wanted), said);
        change.target = Some(Side::of_found(&found));
        change.fields = wanted
            .fields
            .iter()
            .map(|(name, after)| FieldChange {
                name,
                before: found.fields.get(name).cloned(),
                after: Some(after.clone()),
                mark: None,
            })
            .collect();
        rows.push(change);
    }
}

/// Target customers that this very plan maps to an environment, by their id.
fn linking(rows: &Rows) -> HashMap<TargetId, Side<SourceId>> {
    let links = rows.iter().filter(|row| row.entity == Entity::Customers && row.action == Action::Link);
    links.map(|row| rows.open(row)).filter_map(|row| Some((row.target?.id, row.source))).collect()
}

/// Customers that carry the marker of an environment: they were made for it, whatever became of the mapping.
fn from_there<'a>(snapshot: &'a Snapshot, policy: &Policy) -> HashMap<&'a TargetId, &'a Wanted> {
    let ids = snapshot.customers.iter().map(|environment| &environment.id);
    let markers = Markers::read(Entity::Customers, ids, snapshot.partners.iter(), policy);
    let mut all = HashMap::new();
    for environment in &snapshot.customers {
        let made = match markers.claim(&environment.id, policy) {
            Claim::None => continue,
            Claim::Ours(found) | Claim::Foreign(found) => vec![found],
            Claim::Several(several) => several,
        };
        all.extend(made.into_iter().map(|found| (&found.id, environment)));
    }
    all
}

struct Planner<'a> {
    snapshot: &'a Snapshot,
    mappings: &'a Mappings,
    policy: &'a Policy,
    markers: Markers<&'a Found>,
    /// The environment that a customer is mapped to.
    mapped: HashMap<&'a TargetId, &'a SourceId>,
    linking: HashMap<TargetId, Side<SourceId>>,
    from_there: HashMap<&'a TargetId, &'a Wanted>,
    environments: Vec<&'a Found>,
    /// Environments by what may tell them: positions in `environments`.
    by_name: HashMap<String, Vec<usize>>,
    by_domain: HashMap<String, Vec<usize>>,
    /// What this plan makes, by name.
    creating: HashMap<String, Side<SourceId>>,
}

impl Planner<'_> {
    fn index(&mut self) {
        for (at, found) in self.environments.iter().enumerate() {
            self.by_name.entry(form(&found.name)).or_default().push(at);
            for domain in domains(&found.keys.domains) {
                self.by_domain.entry(domain).or_default().push(at);
            }
        }
    }

    fn row(&mut self, wanted: &Wanted, link: Option<&Link>) -> Change {
        let here = TargetId::new(wanted.id.as_str());
        let row = |action, why: String| {
            let said = std::iter::once(why).chain(wanted.notes.iter().map(ToString::to_string));
            Change::new(ME, action, Side::of(wanted), said)
        };
        let held = |cause, would_be, why: String| {
            let said = wanted.notes.iter().map(ToString::to_string);
            Change::new(ME, would_be, Side::of(wanted), said).held(cause, would_be, why)
        };
        if let Some(link) = link {
            let there = find(&self.environments, &link.target);
            let mut change = row(
                Action::Unchanged,
                match there {
                    Some(_) => format!("pushed before, as environment {}", link.target),
                    None => format!(
                        "pushed before as environment {}, which Liongard no longer lists: it is never made twice (L17)",
                        link.target
                    ),
                },
            );
            let name = there.map_or_else(|| Arc::from(&*link.target_name), |found| Arc::clone(&found.name));
            change.target = Some(Side { id: link.target.clone(), name });
            return change;
        }
        if let Some(environment) = self.mapped.get(&here) {
            return row(Action::Unchanged, format!("mapped to environment {environment}"));
        }
        if let Some(environment) = self.linking.get(&here) {
            let why = format!("this plan maps it to environment '{}' ({})", environment.name, environment.id);
            return row(Action::Skipped, why);
        }
        match &wanted.verdict {
            Verdict::Take => {}
            Verdict::Hold(why) => return held(Cause::Data, Action::Held, why.clone()),
            Verdict::OutOfScope(why) | Verdict::Ended(why) => return row(Action::Skipped, why.clone()),
        }
        match self.markers.claim(&wanted.id, self.policy) {
            Claim::None => {}
            Claim::Ours(found) => {
                let why = "its environment carries our marker: we made it, and the mapping was lost";
                let mut change = row(Action::Link, why.to_owned());
                change.target = Some(Side::of_found(found));
                let id = SourceId::new(found.id.as_str());
                return match self.mappings.customers.get(&id) {
                    None => change,
                    Some(other) => {
                        let why = format!(
                            "the environment '{}' ({}) that we made for it is mapped to Halo customer {} now: map it by hand if both are one (K5)",
                            found.name, found.id, other.target
                        );
                        change.held(Cause::Ambiguous { candidates: Vec::new() }, Action::Held, why)
                    }
                };
            }
            Claim::Several(several) => {
                let candidates = several.iter().map(|found| candidate(found, "carries our marker")).collect();
                let why = "several environments carry our marker of it: keep one, and map it";
                return held(Cause::Ambiguous { candidates }, Action::Held, why.to_owned());
            }
            Claim::Foreign(found) => {
                let why = format!(
                    "environment '{}' ({}) carries another installation's marker of it: map it by hand to take it over",
                    found.name, found.id
                );
                return held(Cause::Foreign, Action::Held, why);
            }
        }
        if let Some(environment) = self.from_there.get(&here) {
            let why = format!(
                "it came from Liongard as environment '{}' ({}): never pushed back (L17)",
                environment.name, environment.id
            );
            return row(Action::Skipped, why);
        }
        if let Some(why) = self.snapshot.customers_complete.why_not() {
            let why = format!(
                "Liongard's environments could not be read completely, so it may be there; nothing is created (P15): {why}"
            );
            return held(Cause::Unproven, Action::Create, why);
        }
        let candidates = self.look_alikes(wanted);
        if let Some(first) = candidates.first() {
            let why = format!(
                "may be environment '{}' ({}): {}; map the two, or rule the pair out in the mapping table (L17)",
                first.name, first.target, first.why
            );
            return held(Cause::LookAlike { candidates }, Action::Held, why);
        }
        if let Some(first) = self.creating.get(&form(&wanted.name)) {
            let why = format!(
                "this plan makes an environment for '{}' ({}), which has the same name: rename one of the two",
                first.name, first.id
            );
            return held(Cause::Ambiguous { candidates: Vec::new() }, Action::Held, why);
        }
        self.creating.insert(form(&wanted.name), Side::of(wanted));
        let mut change = row(Action::Create, "no environment of that name in Liongard".to_owned());
        change.fields = diff::all_of(&wanted.fields);
        change.owned = wanted.fields.clone();
        change
    }

    /// Environments that may be this customer (N5), best first.
    fn look_alikes(&self, wanted: &Wanted) -> Vec<Candidate> {
        let mut why: BTreeMap<usize, String> = BTreeMap::new();
        for at in self.by_name.get(&form(&wanted.name)).into_iter().flatten() {
            let same = exact_form(&self.environments[*at].name) == exact_form(&wanted.name);
            let said = if same {
                "exactly the same name"
            } else {
                "the same name but for case, spaces, accents or legal form"
            };
            why.insert(*at, said.to_owned());
        }
        for domain in domains(&wanted.keys.domains) {
            for at in self.by_domain.get(&domain).into_iter().flatten() {
                why.entry(*at).or_insert_with(|| format!("the same domain {domain}"));
            }
        }
        for near in self.mappings.near_push.get(&wanted.id).into_iter().flatten() {
            if let Ok(at) = self.environments.binary_search_by(|found| found.id.cmp(&near.target)) {
                why.entry(at).or_insert_with(|| format!("a near match, {} of 100: {}", near.score, near.why));
            }
        }
        let ruled_out =
            |found: &Found| self.mappings.refused_push.contains(&(wanted.id.clone(), found.id.clone()));
        let open = why.into_iter().map(|(at, why)| (self.environments[at], why));
        let mut open: Vec<_> = open.filter(|(found, _)| !ruled_out(found)).collect();
        open.sort_by_key(|(_, why)| !why.starts_with("exactly"));
        open.truncate(CANDIDATES);
        let candidate = |(found, why): (&Found, String)| {
            let other = self.mappings.customers.get(&SourceId::new(found.id.as_str()));
            let why =
                other.map_or(why.clone(), |other| format!("{why}, mapped to Halo customer {}", other.target));
            candidate(found, &why)
        };
        open.into_iter().map(candidate).collect()
    }
}

/// What two names of one customer share, at least: Liongard itself leaves out articles, "and" and spaces
/// (apis/liongard.md 8.9).
fn form(name: &str) -> String {
    let form = normal_form(name);
    let own: String = form.split(' ').filter(|word| !["the", "a", "an", "and"].contains(word)).collect();
    if own.is_empty() { form } else { own }
}

fn domains(given: &[Box<str>]) -> HashSet<String> {
    given.iter().map(|domain| domain.trim().to_lowercase()).filter(|domain| is_own_domain(domain)).collect()
}

fn candidate(found: &Found, why: &str) -> Candidate {
    Candidate { target: found.id.clone(), name: Arc::clone(&found.name), why: why.into() }
}
