//! Hudu's section: where it is, which layouts its assets are made in, and what may be changed there.

use serde::{Deserialize, Serialize};

use super::{Pace, Safety, Schedule, SecretSource};

/// Hudu, which takes companies, sites, contracts and users from Halo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hudu {
    pub enabled: bool,
    /// Scheme and host; the API's own path is added.
    pub url: String,
    pub api_key: SecretSource,
    pub allow_http: bool,
    pub pace: Pace,
    /// Names of the asset layouts that sites, users and contracts become assets of (H8).
    pub site_layout: String,
    pub contact_layout: String,
    pub contract_layout: String,
    /// Contracts that are over are imported too; active ones always are (H1).
    pub inactive_contracts: bool,
    /// Field of a company that carries our key in the create, for want of a matched integration; empty to send none.
    pub company_key_field: String,
    /// What vanished in Halo is archived in Hudu, in scheduled runs only.
    pub archive_deleted: bool,
    pub schedule: Schedule,
    /// Notes of the administrators, several lines; never sent anywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<Safety>,
}

impl Default for Hudu {
    fn default() -> Self {
        Self {
            enabled: false,
            url: String::new(),
            api_key: SecretSource::Unset,
            allow_http: false,
            // Published: 300 requests a minute (apis/hudu.md 4).
            pace: Pace { requests: 300, per_seconds: 60, at_once: 4, spacing_ms: 0, share: 0.9 },
            site_layout: "Sites".into(),
            contact_layout: "People".into(),
            contract_layout: "Contracts".into(),
            inactive_contracts: false,
            company_key_field: "id_number".into(),
            archive_deleted: false,
            schedule: Schedule { at: "04:00".into(), ..Schedule::default() },
            notes: String::new(),
            safety: None,
        }
    }
}
