//! Errors as users meet them: what failed, on which record, what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a problem stops, and which exit code it ends in (sync-engine section 15, `design/cli.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Input of a person or a file is wrong.
    Input,
    /// One record; the others go on.
    Record,
    /// A listing cannot be trusted; absence means nothing.
    Listing,
    /// The other system cannot be reached or answers nonsense.
    Host,
    /// The other system refuses the credentials or the right.
    Auth,
    /// A safety limit.
    Limit,
    /// Another process holds the store, or a job is running already.
    Busy,
    /// This machine: disk, rights, a damaged store.
    Local,
    /// The plan and the world no longer agree.
    Stale,
    /// A person stopped it.
    Cancelled,
}

/// A sentence for people, and the one that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub class: Class,
    pub message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Problem {
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), remedy: String::new() }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// The exit code of a command that ends in this problem alone.
    pub const fn exit_code(&self) -> u8 {
        match self.class {
            Class::Busy => 6,
            Class::Auth => 5,
            Class::Limit => 4,
            Class::Cancelled => 3,
            _ => 1,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, " {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
