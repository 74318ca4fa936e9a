//! What each integration means: how its facts become wanted records, which fields it owns, and the rules people see.

pub mod field_rules;
pub mod marketplace;

pub use field_rules::{FieldRule, Rule, field_rules, owned_fields};
pub use marketplace::{wanted_customer, wanted_subscription};
