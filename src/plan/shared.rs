//! Several source customers that are mapped to one of the target (P18): where they want different things of the same
//! field, each run would write what the run before has undone, so none is written.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::diff::{filled, same};
use super::{Policy, Snapshot, snapshot::Mappings};
use crate::model::{FieldName, Link, SourceId, TargetId, Value, Verdict, Wanted};

/// The disputed fields of a source customer, with the name of one that wants something else.
pub(super) type Disputes = HashMap<SourceId, Vec<(FieldName, Arc<str>)>>;

/// What somebody wants of one field in one place.
type Claim<'a> = (&'a Wanted, &'a Value);

pub(super) fn disputes(snapshot: &Snapshot, mappings: &Mappings, policy: &Policy) -> Disputes {
    let root = policy.integration.root();
    let follows = policy.rules(root).follows.as_ref();
    let mut sharing: HashMap<&TargetId, Vec<(&Wanted, &Link)>> = HashMap::new();
    let is_out = |id| mappings.decisions.get(id).is_some_and(|decision| decision.excludes(policy.today));
    for wanted in snapshot.customers.iter().filter(|one| one.verdict == Verdict::Take && !is_out(&one.id)) {
        if let Some(link) = mappings.customers.get(&wanted.id) {
            sharing.entry(&link.target).or_default().push((wanted, link));
        }
    }
    let main_sites: HashMap<&TargetId, &TargetId> = snapshot
        .partners
        .iter()
        .filter(|partner| sharing.get(&partner.id).is_some_and(|several| several.len() > 1))
        .filter_map(|partner| Some((&partner.id, partner.main_site.as_ref()?)))
        .collect();
    let mut disputes = Disputes::new();
    for (target, several) in sharing.iter().filter(|(_, several)| several.len() > 1) {
        let mut claims: BTreeMap<(FieldName, Option<&TargetId>), Vec<Claim<'_>>> = BTreeMap::new();
        for (wanted, link) in several {
            let followed =
                wanted.fields.iter().filter(|(name, _)| follows.is_none_or(|all| all.contains(name)));
            for (name, value) in followed {
                let chosen = link.site.as_ref().map(|site| &site.id);
                let site = chosen.or(main_sites.get(target).copied());
                let site = site.filter(|_| name == FieldName::MainSiteAddress);
                claims.entry((name, site)).or_default().push((wanted, value));
            }
        }
        for ((name, _), claims) in claims {
            for (wanted, other) in rivals(&claims) {
                disputes.entry(wanted.id.clone()).or_default().push((name, Arc::clone(&other.name)));
            }
        }
    }
    disputes
}

/// Everyone, each with a rival, unless one value satisfies all.
fn rivals<'a>(claims: &[Claim<'a>]) -> Vec<(&'a Wanted, &'a Wanted)> {
    let Some(((_, value), rest)) = claims.split_first() else { return Vec::new() };
    let mut all = (*value).clone();
    for (_, value) in rest {
        if let (Value::Address(want), Value::Address(have)) = (value, &all) {
            all = Value::Address(Box::new(filled(want, have)));
        }
    }
    let is_served = |claim: &&Claim<'_>| same(claim.1, Some(&all));
    let unserved = claims.iter().find(|claim| !is_served(claim));
    let (Some((lost, _)), Some((won, _))) = (unserved, claims.iter().find(is_served)) else {
        return Vec::new();
    };
    claims.iter().map(|(one, _)| (*one, if one.id == lost.id { *won } else { *lost })).collect()
}
