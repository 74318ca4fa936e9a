//! Hudu's section: where it is, which layouts its assets are made in, and what may be changed there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{General, Pace, Safety, Schedule, SecretSource};
use crate::model::Entity;

/// Hudu, which takes companies, sites, contracts and users from Halo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hudu {
    pub enabled: bool,
    /// Scheme and host; the API's own path is added.
    pub url: String,
    pub api_key: SecretSource,
    /// Day on which it expires, `2027-01-31`; empty: not known (P47).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub secret_expires: String,
    pub allow_http: bool,
    pub pace: Pace,
    /// Names of the asset layouts that sites, users and contracts become assets of (H8).
    pub site_layout: String,
    pub contact_layout: String,
    pub contract_layout: String,
    /// The layouts of Halo's assets, by the name of their type; `CUSTOMER/TYPE` for one customer of Halo's alone, by its
    /// id; `default` for every other type. Types without one, or with an empty one, are not written (P66).
    pub asset_layouts: BTreeMap<String, String>,
    /// Contracts that are over are imported too; active ones always are (H1).
    pub inactive_contracts: bool,
    /// Field of a company that carries our key in the create, for want of a matched integration; empty to send none.
    pub company_key_field: String,
    /// The own field of Halo's customers, by name or label, that takes the address of the company in Hudu (P69); empty:
    /// none is written.
    pub halo_url_field: String,
    /// Who wins where a value in Hudu is not the one that was last written there: by the field's label, else `default`
    /// (P49).
    pub conflicts: BTreeMap<String, Wins>,
    /// What vanished in Halo is archived in Hudu, in scheduled runs only.
    pub archive_deleted: bool,
    /// The same for companies, which take everything that is in them out of sight.
    pub archive_companies: bool,
    pub schedule: Schedule,
    /// Notes of the administrators, several lines; never sent anywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<Safety>,
}

/// Who wins where a person changed a field in Hudu (P49).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wins {
    /// Halo's value takes its place.
    Halo,
    /// What a person wrote in Hudu stays.
    #[default]
    Hudu,
    /// Only a blank field is ever filled.
    Blank,
    /// The row waits for a person.
    Manual,
    /// Whoever changed it last since it was last written; where both did, whose record was changed later. Where Halo does
    /// not date its records, which it does of contracts alone, the row waits then.
    Newest,
    /// Of two dates the earlier one; anything else as `Hudu`.
    Earliest,
    /// Of two dates the later one; anything else as `Hudu`.
    Latest,
}

impl Hudu {
    pub(super) fn general(&self) -> General<'_> {
        General {
            enabled: self.enabled,
            url: &self.url,
            url_key: "url",
            account: "",
            secret_expires: &self.secret_expires,
            allow_http: self.allow_http,
            pace: self.pace,
            top_level: "",
            update_main_site_address: false,
            schedule: &self.schedule,
            safety: self.safety.as_ref(),
        }
    }

    /// The asset layout that records of this entity are made in; none for companies, and for assets, which have several.
    pub fn layout(&self, entity: Entity) -> Option<&str> {
        match entity {
            Entity::Sites => Some(&self.site_layout),
            Entity::Users => Some(&self.contact_layout),
            Entity::Contracts => Some(&self.contract_layout),
            _ => None,
        }
    }
}

impl Default for Hudu {
    fn default() -> Self {
        Self {
            enabled: false,
            url: String::new(),
            api_key: SecretSource::Unset,
            secret_expires: String::new(),
            allow_http: false,
            // Published: 300 requests a minute (apis/hudu.md 4).
            pace: Pace { requests: 300, per_seconds: 60, at_once: 4, spacing_ms: 0, share: 0.9 },
            site_layout: "Sites".into(),
            contact_layout: "People".into(),
            contract_layout: "Contracts".into(),
            asset_layouts: BTreeMap::new(),
            inactive_contracts: false,
            company_key_field: "id_number".into(),
            halo_url_field: String::new(),
            conflicts: BTreeMap::from([("default".to_owned(), Wins::Hudu)]),
            archive_deleted: false,
            archive_companies: false,
            schedule: Schedule {
                entities: vec![Entity::Companies, Entity::Sites, Entity::Contracts, Entity::Users],
                at: "04:00".into(),
                ..Schedule::default()
            },
            notes: String::new(),
            safety: None,
        }
    }
}
