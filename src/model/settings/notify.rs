//! Who is told of what, without looking (P40, P41).

use serde::{Deserialize, Serialize};

use super::SecretSource;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notify {
    /// The address that notices are posted to; a secret, since who knows it can write there.
    pub webhook: SecretSource,
    /// What is posted, with `{title}`, `{text}` and other names in braces; empty: a JSON object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template: String,
    pub on: Vec<Occasion>,
    /// After a notice, further ones wait so many minutes and then go together.
    pub quiet_minutes: u32,
    /// The address of a dead man's switch, asked at the start and the end of every scheduled run; a secret.
    pub ping: SecretSource,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            webhook: SecretSource::Unset,
            template: String::new(),
            on: Occasion::ALL.to_vec(),
            quiet_minutes: 15,
            ping: SecretSource::Unset,
        }
    }
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A job failed, or trouble stopped it.
    Failure,
    /// Some rows failed or are held.
    Partial,
    /// A safety limit held rows.
    Limit,
    /// Customers at the source that nobody has decided about, more than last time.
    Unmapped,
    /// All is well again.
    Recovery,
    /// A secret expires soon.
    Expiry,
}

impl Occasion {
    pub const ALL: [Self; 6] =
        [Self::Failure, Self::Partial, Self::Limit, Self::Unmapped, Self::Recovery, Self::Expiry];
    pub const KEYS: [&str; 6] = ["failure", "partial", "limit", "unmapped", "recovery", "expiry"];

    pub const fn key(self) -> &'static str {
        Self::KEYS[self as usize]
    }
}
