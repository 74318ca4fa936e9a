//! One question of a test of a connection, and its answer.

use serde::{Deserialize, Serialize};

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub state: CheckState,
    /// For people; never holds a secret.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    Ok,
    Failed,
    /// Nothing failed, but what came back proves nothing, such as an empty list.
    Unproven,
    /// Not asked, because an earlier check failed.
    Skipped,
}
