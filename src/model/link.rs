//! Links: which record at the source is which record at the target, and who said so.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Fields, Moment, TargetId};

/// How a link came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A person paired them.
    Manual,
    /// 'Generate mappings' found exactly one of the same name on either side (K4).
    Exact,
    /// We created the target record.
    Created,
    /// A file of mappings was imported.
    Import,
    /// An import found exactly one of the same name (L6).
    NameAtImport,
}

impl How {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Exact => "exact",
            Self::Created => "created",
            Self::Import => "import",
            Self::NameAtImport => "name-at-import",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for How {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Manual, Self::Exact, Self::Created, Self::Import, Self::NameAtImport]
            .into_iter()
            .find(|how| how.key() == text)
            .ok_or_else(|| format!("'{text}' is not a way a mapping is made"))
    }
}

/// A source record and the target record it feeds. Stored under (integration, entity, source id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub target: TargetId,
    /// For a subscription: the source id of its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<super::SourceId>,
    /// Names when the link was made or last confirmed: labels, never keys.
    pub source_name: Box<str>,
    pub target_name: Box<str>,
    pub how: How,
    pub since: Moment,
    /// Owned fields as we last wrote or confirmed them; `None` for a record that was only just linked (decision 31).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Fields>,
    /// What we did to it because it had vanished at the source: only that is taken back when it returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// Of a customer: the partner's site that a person chose for it (P18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<ChosenSite>,
}

/// Where a customer's address and its new assets go, in place of its partner's main site: for several customers that
/// are branches of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenSite {
    pub id: TargetId,
    /// As it was called when it was chosen: a label, never a key.
    pub name: Box<str>,
}

/// What we did to a target record because its source record was gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub at: Moment,
    pub zeroed: bool,
    pub deactivated: bool,
}

/// What a person decided about one source customer (the mapping table, K1-K5, P16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Decision {
    /// It is this target customer.
    Map { target: TargetId, target_name: Box<str>, how: How },
    /// It has no partner: create it, look-alikes or not (P14).
    New,
    /// Leave it alone; an optional note says why, an optional date until when.
    Exclude { note: Box<str>, until: Option<super::Date> },
    /// It is certainly not this target customer: never suggested again (P14).
    Reject { target: TargetId, target_name: Box<str> },
    /// Mapped as it is, to this site of its partner; `None`: to the main site (P18).
    Site { site: Option<ChosenSite> },
    /// Back to undecided. Never deletes data anywhere (K2).
    Clear,
}

/// A pair that a person has ruled out, with what was known of both then: it counts while that is still so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub source: KeyValues,
    pub target: KeyValues,
    pub at: Moment,
    pub by: String,
}

/// What tells a customer from others, as a decision found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValues {
    pub name: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub vat: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub domain: Box<str>,
}

impl KeyValues {
    /// Whether nothing has changed since. A key that is unknown on one of the two occasions says nothing.
    pub fn still_holds(&self, now: &Self) -> bool {
        let same = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        self.name.trim() == now.name.trim() && same(&self.vat, &now.vat) && same(&self.domain, &now.domain)
    }
}

/// Who decided about a customer last, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub by: String,
    pub at: Moment,
    /// The step's title: "map 'Alder'".
    pub what: String,
    /// What told the customer from others then, where the decision rests on it (P14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KeyValues>,
}

/// What the mapping table holds for one source record: decisions are made about customers only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Pairs that a person has ruled out; only steps of the mapping table change them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<TargetId, Refusal>,
    /// What told the customer from others when it was said to be new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KeyValues>,
}

impl Decision {
    /// Whether it keeps the customer out of everything today: an exclusion ends with its day.
    pub fn excludes(&self, today: super::Date) -> bool {
        matches!(self, Self::Exclude { until, .. } if until.is_none_or(|day| day >= today))
    }
}
