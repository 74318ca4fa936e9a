//! The fields of a record, as planning sees them.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::date::NO_DATE;
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

/// The name of a field, as scripts see it (`design/cli.md`): one that every tenant has, or one of the tenant's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldName {
    Name,
    TopLevel,
    MainSiteAddress,
    Status,
    Quantity,
    Price,
    Cost,
    EndDate,
    /// A field that the tenant defines: an asset field in Halo, a layout's field in Hudu.
    Own(Label),
}

impl FieldName {
    pub(super) const BUILT_IN: [Self; 8] = [
        Self::Name,
        Self::TopLevel,
        Self::MainSiteAddress,
        Self::Status,
        Self::Quantity,
        Self::Price,
        Self::Cost,
        Self::EndDate,
    ];

    /// The tenant's field of this label.
    pub fn own(label: &str) -> Self {
        Self::Own(Label::new(label))
    }

    pub fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::TopLevel => "top_level",
            Self::MainSiteAddress => "main_site_address",
            Self::Status => "status",
            Self::Quantity => "quantity",
            Self::Price => "price",
            Self::Cost => "cost",
            Self::EndDate => "end_date",
            Self::Own(label) => label.as_str(),
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

/// Stored as its key; a tenant's own field with `=` before it, since it may be called "name" as well.
impl Serialize for FieldName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Own(label) => serializer.collect_str(&format_args!("={label}")),
            built_in => serializer.serialize_str(built_in.key()),
        }
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if let Some(label) = text.strip_prefix('=') {
            return Ok(Self::own(label));
        }
        Self::BUILT_IN
            .into_iter()
            .find(|name| name.key() == text)
            .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is not a field")))
    }
}

/// The label of a tenant's own field: its place among all labels that were ever met. Four bytes, since a hundred
/// thousand records name them; equal labels are one, kept for good: a tenant has some hundreds of fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(u32);

#[derive(Default)]
struct Labels {
    texts: Vec<&'static str>,
    places: HashMap<&'static str, u32>,
}

static LABELS: LazyLock<RwLock<Labels>> = LazyLock::new(RwLock::default);

impl Label {
    /// From there on all are one label: nobody has so many fields, and memory has an end.
    const MOST: usize = 65_536;

    pub fn new(text: &str) -> Self {
        if let Some(at) = LABELS.read().unwrap_or_else(PoisonError::into_inner).places.get(text) {
            return Self(*at);
        }
        let mut labels = LABELS.write().unwrap_or_else(PoisonError::into_inner);
        let text = if labels.texts.len() < Self::MOST { text } else { "(too many fields)" };
        if let Some(at) = labels.places.get(text) {
            return Self(*at);
        }
        let at = u32::try_from(labels.texts.len()).unwrap_or(u32::MAX);
        let text: &'static str = Box::leak(text.into());
        labels.texts.push(text);
        labels.places.insert(text, at);
        Self(at)
    }

    /// Its place among all labels of this process.
    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn of_number(number: u32) -> Self {
        Self(number)
    }

    pub fn as_str(self) -> &'static str {
        let labels = LABELS.read().unwrap_or_else(PoisonError::into_inner);
        labels.texts.get(self.0 as usize).copied().unwrap_or_default()
    }
}

/// By the text, so that the order is the same in every process.
impl Ord for Label {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
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
    /// Whether a record is active.
    Active(bool),
    /// A checkbox.
    Flag(bool),
    Address(Box<Address>),
    /// Another record of the same integration, by its id at the source.
    Record(super::Entity, super::SourceId),
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
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Address(address) => address.fmt(f),
            Self::Record(entity, id) => write!(f, "{} {id}", entity.singular()),
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

    /// Those that are in order already, each once.
    pub(super) fn in_order(fields: Vec<(FieldName, Value)>) -> Self {
        Self(fields)
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
