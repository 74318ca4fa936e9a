//! Company types and statuses: the workspace's own list, and which of Halo's each stands for (S11-S15).

use serde::{Deserialize, Serialize};

use crate::matching::exact_form;

/// One local type or status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Counted up, never given twice.
    pub id: u32,
    pub name: String,
    /// Halo's, where it is mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halo: Option<HaloTerm>,
    /// Halo has it no more: kept, and not used for new companies (S11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A type or status as Halo has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HaloTerm {
    pub id: String,
    pub name: String,
}

/// One step of a change to a list, shown before it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum TermChange {
    /// Makes a local one and maps it.
    Create {
        halo: HaloTerm,
    },
    /// The local one stands for this one of Halo's from now on; Halo's name wins.
    Map {
        id: u32,
        halo: HaloTerm,
        from: String,
    },
    /// Halo renamed it.
    Rename {
        id: u32,
        from: String,
        to: String,
    },
    Gone {
        id: u32,
        name: String,
    },
    Back {
        id: u32,
        name: String,
    },
}

impl TermChange {
    /// In words.
    pub fn sentence(&self) -> String {
        match self {
            Self::Create { halo } => format!("'{}' is created and mapped", halo.name),
            Self::Map { halo, from, .. } if *from == halo.name => format!("'{from}' is mapped"),
            Self::Map { halo, from, .. } => format!("'{from}' becomes '{}', as Halo calls it", halo.name),
            Self::Rename { from, to, .. } => format!("'{from}' becomes '{to}', as Halo calls it now"),
            Self::Gone { name, .. } => {
                format!("'{name}' is in Halo no more; kept, not used for new companies")
            }
            Self::Back { name, .. } => format!("'{name}' is in Halo again"),
        }
    }
}

/// How much of Halo's list is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Every one of Halo's exists locally (S11).
    Full,
    /// What is mapped follows; nothing is created by itself (S14).
    MappedOnly,
}

/// What a reading of Halo's list changes. Mapped ones follow Halo's name; under `Full` each unmapped one of Halo's is
/// mapped to the local one of exactly its name, else created. Doing it twice changes nothing the second time.
pub fn follow(local: &[Term], halo: &[HaloTerm], sync: Sync) -> Vec<TermChange> {
    let mut changes = Vec::new();
    for term in local {
        let Some(own) = &term.halo else { continue };
        match halo.iter().find(|one| one.id == own.id) {
            Some(now) => {
                if term.gone {
                    changes.push(TermChange::Back { id: term.id, name: now.name.clone() });
                }
                if now.name != term.name {
                    changes.push(TermChange::Rename {
                        id: term.id,
                        from: term.name.clone(),
                        to: now.name.clone(),
                    });
                }
            }
            None if !term.gone => {
                changes.push(TermChange::Gone { id: term.id, name: term.name.clone() });
            }
            None => {}
        }
    }
    if sync == Sync::Full {
        changes.extend(create_unmapped(local, halo));
    }
    changes
}

/// 'Create unmapped': what of Halo's has no partner is mapped where exactly one free local one has its name, and
/// created otherwise (S13).
pub fn create_unmapped(local: &[Term], halo: &[HaloTerm]) -> Vec<TermChange> {
    let is_mapped =
        |one: &HaloTerm| local.iter().any(|term| term.halo.as_ref().is_some_and(|h| h.id == one.id));
    let mut taken: Vec<u32> = Vec::new();
    let mut changes = Vec::new();
    for one in halo.iter().filter(|one| !is_mapped(one)) {
        let mut same = local.iter().filter(|term| {
            term.halo.is_none()
                && !taken.contains(&term.id)
                && exact_form(&term.name) == exact_form(&one.name)
        });
        match (same.next(), same.next()) {
            (Some(term), None) => {
                taken.push(term.id);
                changes.push(TermChange::Map { id: term.id, halo: one.clone(), from: term.name.clone() });
            }
            _ => changes.push(TermChange::Create { halo: one.clone() }),
        }
    }
    changes
}

/// Maps one local term by hand: Halo's name replaces its own (S12).
///
/// # Errors
/// A sentence: no such term, or Halo's is mapped to another one already and `merge` does not say that the two become
/// one.
pub fn map(local: &[Term], id: u32, halo: HaloTerm, merge: bool) -> Result<Vec<TermChange>, String> {
    let term = local
        .iter()
        .find(|term| term.id == id)
        .ok_or_else(|| format!("there is no entry {id} in this list"))?;
    let holder = local.iter().find(|t| t.id != id && t.halo.as_ref().is_some_and(|h| h.id == halo.id));
    if let Some(holder) = holder
        && !merge
    {
        return Err(format!(
            "'{}' is mapped to '{}' already; let '{}' and '{}' become one (--merge), or map another",
            halo.name, holder.name, holder.name, term.name
        ));
    }
    Ok(vec![TermChange::Map { id, from: term.name.clone(), halo }])
}

/// Gives an entry another name.
///
/// # Errors
/// A sentence: no such entry, it has Halo's name, or another one has this name.
pub fn rename(local: &[Term], id: u32, name: &str) -> Result<Vec<Term>, String> {
    if local.iter().any(|term| term.id != id && term.name == name) {
        return Err(format!("'{name}' is there already"));
    }
    let mut terms = local.to_vec();
    let term = terms
        .iter_mut()
        .find(|term| term.id == id)
        .ok_or_else(|| format!("there is no entry {id} in this list"))?;
    if let Some(halo) = &term.halo {
        return Err(format!("'{}' is Halo's own name; rename it there", halo.name));
    }
    name.clone_into(&mut term.name);
    Ok(terms)
}

/// Takes an entry out; also gives its name.
///
/// # Errors
/// A sentence: no such entry, companies have it, or Halo has it too and it would come again.
pub fn remove(local: &[Term], id: u32, in_use: usize) -> Result<(Vec<Term>, String), String> {
    let term = local
        .iter()
        .find(|term| term.id == id)
        .ok_or_else(|| format!("there is no entry {id} in this list"))?;
    if in_use > 0 {
        let companies = if in_use == 1 { "company has" } else { "companies have" };
        return Err(format!(
            "{in_use} {companies} '{}'; map it to another of Halo's with --merge first",
            term.name
        ));
    }
    if term.halo.is_some() && !term.gone {
        return Err(format!("'{}' is in Halo, and would come again with the next import", term.name));
    }
    Ok((local.iter().filter(|term| term.id != id).cloned().collect(), term.name.clone()))
}

/// The list after some changes. A term whose partner was given to another one is merged into that one: the second
/// value says which id became which.
pub fn apply(local: &[Term], changes: &[TermChange]) -> (Vec<Term>, Vec<(u32, u32)>) {
    let mut terms = local.to_vec();
    let mut merged = Vec::new();
    for change in changes {
        match change {
            TermChange::Create { halo } => {
                let id = terms.iter().map(|term| term.id).max().unwrap_or(0) + 1;
                terms.push(Term { id, name: halo.name.clone(), halo: Some(halo.clone()), gone: false });
            }
            TermChange::Map { id, halo, .. } => {
                let is_holder = |t: &Term| t.id != *id && t.halo.as_ref().is_some_and(|h| h.id == halo.id);
                merged.extend(terms.iter().filter(|t| is_holder(t)).map(|t| (t.id, *id)));
                terms.retain(|term| !is_holder(term));
                if let Some(term) = terms.iter_mut().find(|term| term.id == *id) {
                    term.name.clone_from(&halo.name);
                    term.halo = Some(halo.clone());
                    term.gone = false;
                }
            }
            TermChange::Rename { id, to, .. } => {
                if let Some(term) = terms.iter_mut().find(|term| term.id == *id) {
                    term.name.clone_from(to);
                    if let Some(halo) = &mut term.halo {
                        halo.name.clone_from(to);
                    }
                }
            }
            TermChange::Gone { id, .. } | TermChange::Back { id, .. } => {
                if let Some(term) = terms.iter_mut().find(|term| term.id == *id) {
                    term.gone = matches!(change, TermChange::Gone { .. });
                }
            }
        }
    }
    (terms, merged)
}
