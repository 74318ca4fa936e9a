//! 'Generate mappings' (K4): pairs of exactly the same name, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::exact_form;
use crate::model::{Date, Decision, Found, Link, SourceId, TargetId, Wanted};

/// What 'Generate mappings' would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Generated {
    pub added: Vec<(SourceId, TargetId)>,
    /// Source customers left as they are: mapped or excluded already, or without a partner of that name.
    pub skipped: Vec<Left>,
    /// Names that stand twice on either side, or whose partner is taken or inactive: a person decides.
    pub ambiguous: Vec<Left>,
}

/// A source customer that got no mapping, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub source: SourceId,
    pub why: String,
}

/// Pairs every unmapped source customer with the Halo customer of exactly the same name, where that name stands once
/// on either side.
///
/// Every customer counts for "once", mapped, excluded and inactive ones too: a second one of the same name makes any
/// choice a guess (P13). A Halo customer that is mapped from this integration already is not taken again: many to one
/// is a person's choice (K5). Existing mappings and decisions are never touched, so a second call adds nothing.
pub fn generate(
    source: &[Wanted],
    halo: &[Found],
    links: &BTreeMap<SourceId, Link>,
    decisions: &BTreeMap<SourceId, Decision>,
    today: Date,
) -> Generated {
    let mut here: HashMap<String, u32> = HashMap::new();
    for customer in source {
        *here.entry(exact_form(&customer.name)).or_default() += 1;
    }
    let mut there: HashMap<String, Vec<&Found>> = HashMap::new();
    for customer in halo {
        there.entry(exact_form(&customer.name)).or_default().push(customer);
    }
    let taken: BTreeSet<&TargetId> = links.values().map(|link| &link.target).collect();

    let mut generated = Generated::default();
    for customer in source {
        let left = |why: &str| Left { source: customer.id.clone(), why: why.to_owned() };
        let name = exact_form(&customer.name);
        if links.contains_key(&customer.id) {
            generated.skipped.push(left("mapped already"));
            continue;
        }
        match decisions.get(&customer.id) {
            Some(decision) if decision.excludes(today) => {
                generated.skipped.push(left("excluded"));
                continue;
            }
            Some(Decision::New) => {
                generated.skipped.push(left("marked as new"));
                continue;
            }
            _ => {}
        }
        let partners = if name.is_empty() { &[] } else { there.get(&name).map_or(&[][..], Vec::as_slice) };
        match partners {
            [] => generated.skipped.push(left("no customer of exactly that name in Halo")),
            [only] if !only.is_active => {
                generated.ambiguous.push(left("the Halo customer of that name is inactive"));
            }
            [_] if here[&name] > 1 => {
                generated.ambiguous.push(left("more than one customer of that name at the marketplace"));
            }
            [only] if taken.contains(&only.id) => {
                generated
                    .ambiguous
                    .push(left("the Halo customer of that name is mapped to another one already"));
            }
            [only] => generated.added.push((customer.id.clone(), only.id.clone())),
            _ => generated.ambiguous.push(left("more than one customer of that name in Halo")),
        }
    }
    generated
}
