//! The rows that write the addresses of Hudu's companies into a field of Halo's customers (P69). A value that a person
//! put there stays: only a blank one is filled, and only our own follows the company.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lines::Tally;
use super::{Action, Change, FieldChange, Policy, Rows, Side, Snapshot, snapshot::Mappings};
use crate::model::packed::{by_id, find};
use crate::model::{Entity, Found, Link, Packed, SourceId, TargetId, Value, Wanted};

const ME: Entity = Entity::CompanyUrls;

/// Adds a row for each mapped customer whose company has an address, by name.
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
    let there = policy.target(ME).label();
    let found = by_id(&lines.found);
    let is_ours = |one: &Wanted| {
        let excluded =
            mappings.decisions.get(&one.id).is_some_and(|decision| decision.excludes(policy.today));
        mappings.customers.contains_key(&one.id) && !excluded
    };
    let mut wanted: Vec<Wanted> = lines.wanted.iter().map(Packed::open).filter(is_ours).collect();
    wanted.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    for one in &wanted {
        let customer = find(&found, one.id.as_str());
        rows.push(row(one, customer.as_ref(), links.get(&one.id), there));
    }
    tally
}

fn row(wanted: &Wanted, found: Option<&Found>, link: Option<&Link>, there: &str) -> Change {
    let of = Side::of(wanted);
    let make = |action, why: String| {
        let mut change = Change::new(ME, action, of.clone(), [why]);
        change.customer = Some(of.clone());
        change.target = Some(Side { id: TargetId::new(wanted.id.as_str()), name: Arc::clone(&wanted.name) });
        change.owned = wanted.fields.clone();
        change
    };
    let Some((name, url)) = wanted.fields.iter().next() else {
        return make(Action::Skipped, "its company has no address".into());
    };
    let Some(found) = found else {
        return make(
            Action::Skipped,
            format!("what '{name}' holds in {there} is not known yet: a later run looks"),
        );
    };
    let held = found.fields.get(name);
    let ours = link.and_then(|link| link.base.as_ref()).and_then(|base| base.get(name));
    if held == Some(url) {
        return make(Action::Unchanged, format!("{there} has the address of its company"));
    }
    let why = match (is_blank(held), held == ours) {
        (true, _) => format!("'{name}' is blank in {there} (P69)"),
        (false, true) => "the address of its company is another one now".to_owned(),
        (false, false) => {
            let why =
                format!("'{name}' holds something else in {there}: what a person put there stays (P69)");
            return make(Action::Skipped, why);
        }
    };
    let mut change = make(Action::Update, why);
    change.fields.push(FieldChange { name, before: held.cloned(), after: Some(url.clone()), mark: None });
    change
}

fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.to_string().trim().is_empty())
}
