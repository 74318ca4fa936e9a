//! The fields of a record, as planning sees them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::date::NO_DATE;
use super::text::Pool;
use super::{Address, Amount, Count, Date};

/// A value that a source may leave out, give as empty, or give.
///
/// `Missing` never writes; `Null` writes only where the mapping says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    #[default]
    Missing,
    Null,
    Value(T),
}

impl<T> Field<T> {
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }

    pub fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Missing => Field::Missing,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// The fields that the marketplaces feed, under the names scripts see (`design/cli.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldName {
    Name,
    TopLevel,
    MainSiteAddress,
    Status,
    Quantity,
    Price,
    Cost,
    EndDate,
}

impl FieldName {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::TopLevel => "top_level",
            Self::MainSiteAddress => "main_site_address",
            Self::Status => "status",
            Self::Quantity => "quantity",
            Self::Price => "price",
            Self::Cost => "cost",
            Self::EndDate => "end_date",
        }
    }

    /// Fields that change what a customer is billed: two-sided edits of these are held (invariant 21).
    pub const fn is_billable(self) -> bool {
        matches!(self, Self::Status | Self::Quantity | Self::Price | Self::Cost)
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// One value of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Text(Arc<str>),
    Count(Count),
    Amount(Amount),
    Date(Date),
    /// Whether a licence is active.
    Active(bool),
    Address(Box<Address>),
}

impl Value {
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(text.as_ref().into())
    }

    /// As the documents of `--json` show it: counts are numbers, everything else is text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Count(count) => count.get().into(),
            other => other.to_string().into(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => count.fmt(f),
            Self::Amount(amount) => amount.fmt(f),
            Self::Date(date) if *date == NO_DATE => f.write_str("none"),
            Self::Date(date) => date.fmt(f),
            Self::Active(true) => f.write_str("active"),
            Self::Active(false) => f.write_str("inactive"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// A record's fields, in the order of [`FieldName`], each at most once. What is not in here is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(Vec<(FieldName, Value)>);

impl Fields {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get(&self, name: FieldName) -> Option<&Value> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    pub fn set(&mut self, name: FieldName, value: Value) {
        match self.0.binary_search_by_key(&name, |(n, _)| *n) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    #[must_use]
    pub fn with(mut self, name: FieldName, value: Value) -> Self {
        self.set(name, value);
        self
    }

    pub fn remove(&mut self, name: FieldName) -> Option<Value> {
        let at = self.0.iter().position(|(n, _)| *n == name)?;
        Some(self.0.remove(at).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FieldName, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes no more room than needed: listings keep tens of thousands of these. Made anew rather than cut, so that
    /// the larger piece of memory serves the next record.
    pub fn shrink(&mut self) {
        if self.0.capacity() > self.0.len() {
            self.0 = self.0.clone();
        }
    }

    /// The same, its text shared with what the pool holds already.
    pub fn pack(&mut self, pool: &Pool) {
        for (_, value) in &mut self.0 {
            if let Value::Text(text) = value {
                *text = pool.share(text);
            }
        }
        self.shrink();
    }
}

impl FromIterator<(FieldName, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (FieldName, Value)>>(iter: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in iter {
            fields.set(name, value);
        }
        fields
    }
}
