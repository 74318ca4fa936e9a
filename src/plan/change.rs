//! One row of a plan: what, before, after, why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Currency, Entity, FieldName, Fields, Found, Slot, SourceId, TargetId, Value, Wanted};

/// What a row does. `Zero` and `Deactivate` act on absence only; a state or count that the source reports is an
/// `Update` (decision 30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Link,
    Zero,
    Deactivate,
    Unchanged,
    Skipped,
    Held,
}

impl Action {
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Update,
        Self::Link,
        Self::Zero,
        Self::Deactivate,
        Self::Unchanged,
        Self::Skipped,
        Self::Held,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Link => "link",
            Self::Zero => "zero",
            Self::Deactivate => "deactivate",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Held => "held",
        }
    }

    /// Its sign on every screen (ux.md 3.8).
    pub const fn sign(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Link => '&',
            Self::Zero => '0',
            Self::Deactivate => '-',
            Self::Unchanged => '=',
            Self::Skipped => '.',
            Self::Held => '!',
        }
    }

    /// Whether apply does anything for such a row.
    pub const fn acts(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Link | Self::Zero | Self::Deactivate)
    }

    /// Whether it takes something away because the source no longer lists it.
    pub const fn is_removal(self) -> bool {
        matches!(self, Self::Zero | Self::Deactivate)
    }
}

/// One side of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side<Id> {
    pub id: Id,
    pub name: Arc<str>,
}

/// What is special about a field's change; shown in a colour and a sign of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Somebody edited the target since our last write; the source's value takes its place (decision 31).
    EditedInHalo,
    /// Price or cost set by hand before, now overwritten (B5).
    Price,
}

/// One field, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    pub name: FieldName,
    pub before: Option<Value>,
    pub after: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// Why a row waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Cause {
    /// A customer that may be one of these (K3, N5, decision 28).
    LookAlike { candidates: Vec<Candidate> },
    /// More than one partner of equal strength, or one partner claimed twice (P13).
    Ambiguous { candidates: Vec<Candidate> },
    /// The source's data cannot be written as it stands.
    Data,
    /// Both sides changed a billable field (decision 31).
    Conflict { fields: Vec<FieldName> },
    /// A safety limit (decision 32). `overridable`: a person may include it by typing the number.
    Limit { valve: super::Valve, overridable: bool },
    /// No complete plan has been approved by a person yet (N16).
    SafeMode,
    /// Its values jump: one of them may be wrong (N8).
    Suspicious,
    /// The absence could not be proven (P7, P8, decision 34).
    Unproven,
    /// Something it needs is missing in Halo (top level, main site).
    Missing,
    /// Carries another installation's marker.
    Foreign,
}

/// A possible partner, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub target: TargetId,
    pub name: Arc<str>,
    pub why: Box<str>,
}

/// A row that waits: why, and what it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    #[serde(flatten)]
    pub cause: Cause,
    /// What the row does once the cause is gone; [`Action::Held`] where nobody can tell yet.
    pub would_be: Action,
}

/// Sentences of a row. Shared, because most rows of a plan say the same.
pub type Reasons = Arc<[Box<str>]>;

/// One row of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// From 1, in plan order: customers first, then each customer's subscriptions.
    pub row: u32,
    pub entity: Entity,
    pub action: Action,
    pub source: Side<SourceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Side<TargetId>>,
    /// For a subscription: the source customer it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Side<SourceId>>,
    /// For a subscription: the Halo customer, where it exists already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_target: Option<TargetId>,
    /// The row that links or creates the customer first (decision 29).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_row: Option<u32>,
    /// For a customer update: the main site whose address changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<TargetId>,
    /// For a customer create: the top level it goes under; `None` leaves it to Halo (K8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_level: Option<TargetId>,
    /// What is written, field by field; empty for rows that write nothing outside. For a held row: what would be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// The rules that led here, in words, most important first (N2). Never empty.
    pub reasons: Reasons,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Box<Hold>>,
    /// All owned values as the source gives them: becomes the link's base once the row is done. An unchanged row
    /// carries them only where the link's base differs: it is then confirmed without any write. One that creates a
    /// record writes them all, so `fields` has them.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub owned: Fields,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Change of money a month (quantity x price); `None` where a price is unknown: never 0 (N1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<rust_decimal::Decimal>,
    /// For a row that takes another job's row back: the mapping as it stands afterwards, whatever it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Box<Slot>>,
}

impl Side<SourceId> {
    pub(super) fn of(wanted: &Wanted) -> Self {
        Self { id: wanted.id.clone(), name: Arc::clone(&wanted.name) }
    }
}

impl Side<TargetId> {
    pub(super) fn of_found(found: &Found) -> Self {
        Self { id: found.id.clone(), name: Arc::clone(&found.name) }
    }
}

/// Sentences as a row keeps them.
pub(super) fn reasons<T: Into<Box<str>>>(sentences: impl IntoIterator<Item = T>) -> Reasons {
    sentences.into_iter().map(Into::into).collect()
}

impl Change {
    /// A row without a number yet, and without any effect.
    pub fn new<T: Into<Box<str>>>(
        entity: Entity,
        action: Action,
        source: Side<SourceId>,
        sentences: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            row: 0,
            entity,
            action,
            source,
            target: None,
            customer: None,
            customer_target: None,
            after_row: None,
            site: None,
            top_level: None,
            fields: Vec::new(),
            reasons: reasons(sentences),
            hold: None,
            owned: Fields::new(),
            currency: None,
            money: None,
            mapping: None,
        }
    }

    /// The same row, waiting. It keeps its fields: what it would do. The cause comes first among the reasons.
    #[must_use]
    pub fn held(mut self, cause: Cause, would_be: Action, why: impl AsRef<str>) -> Self {
        self.reasons = std::iter::once(why.as_ref().into()).chain(self.reasons.iter().cloned()).collect();
        self.action = Action::Held;
        self.hold = Some(Box::new(Hold { cause, would_be }));
        self
    }

    /// Lets a finished row wait: it would be what it was.
    pub(super) fn hold(&mut self, cause: Cause, why: &str) {
        let would_be = self.action;
        self.reasons = std::iter::once(why.into()).chain(self.reasons.iter().cloned()).collect();
        self.action = Action::Held;
        self.hold = Some(Box::new(Hold { cause, would_be }));
    }

    /// Puts a sentence before the others.
    pub(super) fn say_first(&mut self, why: &str) {
        self.reasons = std::iter::once(why.into()).chain(self.reasons.iter().cloned()).collect();
    }

    /// Whether it changes what a customer is billed: nothing of the kind is written in a freeze (invariant 22).
    pub fn is_billable(&self) -> bool {
        let brings = matches!(self.action, Action::Create | Action::Zero | Action::Deactivate);
        self.entity.is_billed() && (brings || self.fields.iter().any(|field| field.name.is_billable()))
    }

    /// What apply writes: the fields whose after-value is set.
    pub fn values(&self) -> Fields {
        self.fields.iter().filter_map(|f| f.after.clone().map(|after| (f.name, after))).collect()
    }
}
