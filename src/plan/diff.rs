//! The comparison of one record: wanted, found, and what we last wrote (sync-engine section 9, decision 31).

use std::cmp::Ordering;

use super::snapshot::{Rules, Wins};
use super::{FieldChange, Mark};
use crate::matching::exact_form;
use crate::model::date::NO_DATE;
use crate::model::{Address, FieldName, Fields, Found, Value};

/// What differs between both sides.
#[derive(Debug, Default)]
pub(super) struct Diff {
    pub changes: Vec<FieldChange>,
    /// Billable fields that changed on both sides since our last write: a person decides.
    pub conflicts: Vec<FieldName>,
    /// Fields that a person changed at the target, and that stay so (P49).
    pub kept: Vec<FieldName>,
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub fn find(&self, name: FieldName) -> Option<&FieldChange> {
        self.changes.iter().find(|change| change.name == name)
    }
}

/// Compares the wanted fields only: what the source lacks is never written (invariant 12).
///
/// `later` is which side's record was changed last, `Greater` for the source's, as far as that is known.
pub(super) fn compare(
    wanted: &Fields,
    found: &Found,
    base: Option<&Fields>,
    rules: &Rules,
    later: Option<Ordering>,
) -> Diff {
    let mut diff = Diff::default();
    for (name, want) in wanted.iter() {
        let have = field_of(found, name);
        if same(want, have.as_ref()) {
            continue;
        }
        let last = base.and_then(|base| base.get(name));
        let edited = last.is_some_and(|last| !same(last, have.as_ref()));
        let moved = last.is_some_and(|last| !same(want, Some(last)));
        // Nothing was ever written there: what it holds is a person's.
        let theirs = have.is_some() && (edited || last.is_none());
        let wins = rules.wins(name);
        let both = edited && moved;
        let keeps = match wins {
            Wins::Source | Wins::Manual => false,
            Wins::Target => theirs,
            Wins::Blank => have.is_some(),
            Wins::Newest => theirs && (!both || later == Some(Ordering::Less)),
            Wins::Earliest | Wins::Latest => {
                (theirs || both_dates(want, have.as_ref())) && !prefers(wins, want, have.as_ref())
            }
        };
        if keeps {
            diff.kept.push(name);
            continue;
        }
        let asks = match wins {
            Wins::Manual => theirs,
            Wins::Newest => both && later != Some(Ordering::Greater),
            _ => false,
        };
        if asks || (both && name.is_billable()) {
            diff.conflicts.push(name);
        }
        let is_price = matches!(name, FieldName::Price | FieldName::Cost);
        let by_hand = edited || (last.is_none() && has_amount(have.as_ref()));
        let mark = match (is_price, edited) {
            (true, _) if by_hand => Some(Mark::Price),
            (false, true) => Some(Mark::EditedInHalo),
            _ => None,
        };
        let after = match (want, &have) {
            (Value::Address(want), Some(Value::Address(have))) => {
                Value::Address(Box::new(filled(want, have)))
            }
            _ => want.clone(),
        };
        diff.changes.push(FieldChange { name, before: have, after: Some(after), mark });
    }
    diff
}

fn both_dates(want: &Value, have: Option<&Value>) -> bool {
    matches!((want, have), (Value::Date(_), Some(Value::Date(_))))
}

/// Whether the source's date is the one to keep: the earlier, or the later one. Of what is no date, the target's is kept.
fn prefers(wins: Wins, want: &Value, have: Option<&Value>) -> bool {
    match (want, have) {
        (Value::Date(want), Some(Value::Date(have))) => match wins {
            Wins::Earliest => want < have,
            _ => want > have,
        },
        _ => false,
    }
}

/// What a person edited at the target and keeps (P49), in a sentence.
pub(super) fn said_kept(kept: &[FieldName], there: &str) -> Option<String> {
    (!kept.is_empty()).then(|| format!("{} kept as edited in {there} (P49)", names(kept)))
}

pub(super) fn names(fields: &[FieldName]) -> String {
    fields.iter().map(|name| name.key()).collect::<Vec<_>>().join(", ")
}

/// A new record: everything is written.
pub(super) fn all_of(wanted: &Fields) -> Vec<FieldChange> {
    wanted
        .iter()
        .map(|(name, value)| FieldChange { name, before: None, after: Some(value.clone()), mark: None })
        .collect()
}

/// A field of the target record; name and state are facts of every record.
pub(super) fn field_of(found: &Found, name: FieldName) -> Option<Value> {
    found.fields.get(name).cloned().or_else(|| match name {
        FieldName::Name => Some(Value::text(&found.name)),
        FieldName::Status => Some(Value::Active(found.is_active)),
        _ => None,
    })
}

/// Whether the target already holds the value, by the field's own measure.
pub(super) fn same(want: &Value, have: Option<&Value>) -> bool {
    match (want, have) {
        (Value::Text(want), Some(Value::Text(have))) => want == have || exact_form(want) == exact_form(have),
        (Value::Address(want), Some(Value::Address(have))) => {
            parts(want).zip(parts(have)).all(|(want, have)| is_blank(want) || folded(want) == folded(have))
        }
        (Value::Address(want), None) => want.is_blank(),
        (Value::Date(want), None) => *want == NO_DATE,
        (want, Some(have)) => want == have,
        (_, None) => false,
    }
}

/// Whether the target's field holds this value; `None` asks whether it is blank.
pub fn holds(found: &Found, name: FieldName, value: Option<&Value>) -> bool {
    let have = field_of(found, name);
    match value {
        Some(Value::Text(text)) if text.is_empty() => have.is_none(),
        Some(value) => same(value, have.as_ref()),
        None => have.is_none(),
    }
}

/// As [`holds`], but an address part that is to be blank must be.
pub fn equals(found: &Found, name: FieldName, value: Option<&Value>) -> bool {
    match (value, field_of(found, name)) {
        (Some(Value::Address(want)), Some(Value::Address(have))) => {
            parts(want).zip(parts(&have)).all(|(want, have)| folded(want) == folded(have))
        }
        _ => holds(found, name, value),
    }
}

/// Halo's address with the source's parts in it: a blank part clears nothing (K9, P25), and a part that is the same
/// but for spaces and case stays as Halo spells it.
pub(super) fn filled(want: &Address, have: &Address) -> Address {
    let part = |want: &str, have: &str| -> Box<str> {
        if is_blank(want) || folded(want) == folded(have) { have.into() } else { want.trim().into() }
    };
    Address {
        street: part(&want.street, &have.street),
        city: part(&want.city, &have.city),
        region: part(&want.region, &have.region),
        postcode: part(&want.postcode, &have.postcode),
        country: part(&want.country, &have.country),
    }
}

/// The parts that are compared (the country is not: see [`Address`]).
fn parts(address: &Address) -> impl Iterator<Item = &str> {
    [&address.street, &address.city, &address.region, &address.postcode].into_iter().map(|part| &**part)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    exact_form(&words.join(" ")).to_lowercase()
}

fn has_amount(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Amount(amount)) if !amount.get().is_zero())
}
