//! The two sides of a plan: what the source wants, what the target has.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Currency, Fields, SourceId, TargetId};

/// A postal address, as both sides can hold it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    pub street: Box<str>,
    pub city: Box<str>,
    /// State or county.
    pub region: Box<str>,
    pub postcode: Box<str>,
    /// The country's English name. Not compared: Halo keeps a code of its own that a name does not settle.
    pub country: Box<str>,
}

impl MatchKeys {
    pub fn is_empty(&self) -> bool {
        self.vat.is_none() && self.own.is_none() && self.domains.is_empty()
    }
}

impl Address {
    pub fn is_blank(&self) -> bool {
        [&self.street, &self.city, &self.region, &self.postcode].iter().all(|part| part.trim().is_empty())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = [&self.street, &self.city, &self.region, &self.postcode]
            .into_iter()
            .map(|part| part.trim())
            .filter(|part| !part.is_empty())
            .collect();
        f.write_str(&parts.join(", "))
    }
}

/// Keys beside the name by which two customers may be the same (decision 28). Used to hold, never to match.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MatchKeys {
    /// VAT number as given; compared without spaces and case.
    pub vat: Option<Box<str>>,
    /// The value of the matching field, as it is compared (L13); of assets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Box<str>>,
    /// Mail domains of its own, lower case.
    pub domains: Vec<Box<str>>,
}

/// What a rule says of a source record before any comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Take it as it stands.
    Take,
    /// It needs a decision; the sentence says why and what to do.
    Hold(String),
    /// Outside the chosen scope: listed, never touched (B3, P9).
    OutOfScope(String),
    /// Ended at the source: never created; a mapped one is left as it is (decision 30, customers only).
    Ended(String),
}

/// What the source says a target record should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: SourceId,
    /// Shared with the plan's rows.
    pub name: Arc<str>,
    /// The customer a subscription belongs to; `None` for a customer.
    pub parent: Option<SourceId>,
    pub verdict: Verdict,
    /// What it should hold. A field that is not here is missing at the source and never written.
    pub fields: Fields,
    pub keys: MatchKeys,
    /// Currency of its prices, where it has any.
    pub currency: Option<Currency>,
    /// What a person should know of how the values came about ("end date from the contract").
    pub notes: Vec<Arc<str>>,
}

/// What the target holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: TargetId,
    /// Shared with the plan's rows.
    pub name: Arc<str>,
    /// The Halo customer a licence belongs to; `None` for a customer.
    pub parent: Option<TargetId>,
    pub is_active: bool,
    /// Our marker, or whatever a person put in the marker's field.
    pub marker: Option<Box<str>>,
    pub fields: Fields,
    pub keys: MatchKeys,
    /// What the customer is billed in, where Halo says so.
    pub currency: Option<Currency>,
    /// A customer's main site; `None` where there is none.
    pub main_site: Option<TargetId>,
}
