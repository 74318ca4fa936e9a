//! Companies of the workspace and how Halo's customers become them (S16-S18).

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::term::Term;
use crate::matching::exact_form;

/// A company of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// Counted up, never given twice.
    pub id: u32,
    pub name: String,
    /// The Halo customer it stands for; `None`: added by hand and not mapped yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halo: Option<i64>,
    /// One of the workspace's types and statuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u32>,
    /// Halo's flag, one to one (S3).
    pub active: bool,
    /// Counts against the cap; its configurations come in.
    pub managed: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// First month of its fiscal year, where it is not the workspace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_month: Option<i8>,
}

/// A customer as Halo lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaloCompany {
    pub id: i64,
    pub name: String,
    /// Id of Halo's customer type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<super::term::HaloTerm>,
    pub active: bool,
}

/// Which of Halo's customers are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Names of types that are taken; empty: all but `not_types`.
    pub types: Vec<String>,
    /// Names of types that stay out, such as leads and vendors.
    pub not_types: Vec<String>,
    pub status: StatusFilter,
    pub mapping: MappingFilter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusFilter {
    #[default]
    Active,
    Inactive,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MappingFilter {
    #[default]
    All,
    Mapped,
    Unmapped,
}

impl Filter {
    /// Why a customer stays out; `None`: it is looked at.
    pub fn excludes(&self, halo: &HaloCompany, is_mapped: bool) -> Option<String> {
        let named =
            |list: &[String], name: &str| list.iter().any(|own| own.trim().eq_ignore_ascii_case(name));
        let kind = halo.kind.as_ref().map_or("", |kind| kind.name.as_str());
        match self.status {
            StatusFilter::Active if !halo.active => return Some("inactive in Halo".into()),
            StatusFilter::Inactive if halo.active => return Some("active in Halo".into()),
            _ => {}
        }
        if !self.types.is_empty() && !named(&self.types, kind) {
            return Some(if kind.is_empty() {
                "has no type, and only chosen types are taken".into()
            } else {
                format!("type '{kind}' is not among the chosen ones")
            });
        }
        if self.types.is_empty() && named(&self.not_types, kind) {
            return Some(format!("type '{kind}' stays out"));
        }
        match self.mapping {
            MappingFilter::Mapped if !is_mapped => Some("not mapped".into()),
            MappingFilter::Unmapped if is_mapped => Some("mapped already".into()),
            _ => None,
        }
    }
}

/// What loading does with one customer of Halo, or one company of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// No company of that name: 'create unmapped'.
    Create {
        halo: HaloCompany,
    },
    /// Exactly one unmapped company of exactly this name (K4, S18).
    Map {
        id: u32,
        halo: HaloCompany,
    },
    /// Mapped already; `after` is the company as Halo has it now. Equal to what is there where nothing changed.
    Follow {
        after: Company,
        changed: Vec<Changed>,
    },
    Skip {
        halo: HaloCompany,
        why: String,
    },
    /// Waits for a person.
    Held {
        halo: HaloCompany,
        why: String,
    },
    /// Mapped, and Halo lists it no more.
    Missing {
        id: u32,
    },
}

/// A field of a company that follows Halo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub field: &'static str,
    pub before: String,
    pub after: String,
}

/// What loading Halo's customers does, in the order of Halo's list. Loading twice creates nothing the second time.
///
/// `complete` says whether the list is whole: only then is a mapped company missing from it. `cap` is the most managed
/// companies that need no question; `None`: no cap.
pub fn load(
    local: &[Company],
    halo: &[HaloCompany],
    (types, statuses): (&[Term], &[Term]),
    filter: &Filter,
    cap: Option<usize>,
    complete: bool,
) -> Vec<Step> {
    let mapped: HashMap<i64, &Company> = local.iter().filter_map(|c| Some((c.halo?, c))).collect();
    let mut free: HashMap<String, Vec<u32>> = HashMap::new();
    for company in local.iter().filter(|company| company.halo.is_none()) {
        free.entry(exact_form(&company.name)).or_default().push(company.id);
    }
    let mut namesakes: HashMap<String, usize> = HashMap::new();
    for one in halo {
        *namesakes.entry(exact_form(&one.name)).or_default() += 1;
    }
    let mut managed = local.iter().filter(|company| company.managed).count();
    let mut steps = Vec::with_capacity(halo.len());
    for one in halo {
        if let Some(company) = mapped.get(&one.id) {
            steps.push(follow(company, one, types, statuses));
            continue;
        }
        if let Some(why) = filter.excludes(one, false) {
            steps.push(Step::Skip { halo: one.clone(), why });
            continue;
        }
        if cap.is_some_and(|cap| managed >= cap) {
            let cap = cap.unwrap_or_default();
            let why = format!(
                "{managed} companies are managed and the cap is {cap}; raise it, or leave this one out"
            );
            steps.push(Step::Held { halo: one.clone(), why });
            continue;
        }
        let form = exact_form(&one.name);
        match (free.get(&form).map(Vec::as_slice), namesakes.get(&form)) {
            (Some([id]), Some(1)) => steps.push(Step::Map { id: *id, halo: one.clone() }),
            (Some(several), _) => {
                let why = format!(
                    "{} of exactly this name here and {} in Halo; map by hand",
                    several.len(),
                    namesakes.get(&form).copied().unwrap_or(1)
                );
                steps.push(Step::Held { halo: one.clone(), why });
                continue;
            }
            (None, _) => steps.push(Step::Create { halo: one.clone() }),
        }
        managed += 1;
    }
    if complete {
        let listed: HashSet<i64> = halo.iter().map(|one| one.id).collect();
        let gone = local.iter().filter(|c| c.active && c.halo.is_some_and(|id| !listed.contains(&id)));
        steps.extend(gone.map(|company| Step::Missing { id: company.id }));
    }
    steps
}

/// The company as Halo has it now.
fn follow(company: &Company, halo: &HaloCompany, types: &[Term], statuses: &[Term]) -> Step {
    let after = as_halo(company.clone(), halo, types, statuses);
    let name_of = |terms: &[Term], id: Option<u32>| {
        id.and_then(|id| terms.iter().find(|t| t.id == id)).map(|t| t.name.clone()).unwrap_or_default()
    };
    let word = |active: bool| if active { "active" } else { "inactive" }.to_owned();
    let pairs = [
        ("name", company.name.clone(), after.name.clone()),
        ("type", name_of(types, company.kind), name_of(types, after.kind)),
        ("status", word(company.active), word(after.active)),
    ];
    let changed = pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| Changed { field, before, after })
        .collect();
    Step::Follow { after, changed }
}

/// A company with everything that follows Halo taken from there (S2). A type Halo does not tell stays.
pub fn as_halo(mut company: Company, halo: &HaloCompany, types: &[Term], statuses: &[Term]) -> Company {
    let of = |terms: &[Term], id: &str| {
        terms.iter().find(|term| term.halo.as_ref().is_some_and(|own| own.id == id)).map(|term| term.id)
    };
    company.halo = Some(halo.id);
    halo.name.trim().clone_into(&mut company.name);
    company.active = halo.active;
    if let Some(kind) = halo.kind.as_ref().and_then(|kind| of(types, &kind.id)) {
        company.kind = Some(kind);
    }
    company.status = of(statuses, status_word(halo.active)).or(company.status);
    company
}

/// Halo has two statuses of a customer, told by one flag (S3).
pub const fn status_word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// Halo's two statuses as a list to map.
pub fn halo_statuses() -> Vec<super::term::HaloTerm> {
    let term = |id: &str, name: &str| super::term::HaloTerm { id: id.into(), name: name.into() };
    vec![term("active", "Active"), term("inactive", "Inactive")]
}
