//! What each integration means, as small rule modules. Never talks to the store or to a socket.

use serde::Serialize;

/// One row of the fields pane: which field of the source feeds which field of Halo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldRule {
    pub source: String,
    pub target: String,
    /// text, number, money, date, state, address.
    pub kind: String,
    /// `source`: follows the source at every run; `at creation`; `off`.
    pub rule: String,
    /// What the rule means, in a sentence or two.
    pub note: String,
    /// The setting that changes it; `None` where the vendor's contract fixes it.
    pub setting: Option<String>,
}
