//! The lifecycle workspace: what comes in from Halo, what stands where, what goes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{General, Pace, Safety, Schedule};
use crate::model::Entity;
use crate::model::asset::FieldKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifecycle {
    pub enabled: bool,
    /// The one PSA that feeds this workspace (S9); others have profiles of their own.
    pub psa: String,
    /// S11: every type of Halo's exists here and follows renames; off: only those of companies that come in (S14).
    pub types_full_sync: bool,
    /// S15: company statuses follow Halo.
    pub statuses_sync: bool,
    /// S16: types of companies that are taken; empty: all but the excluded.
    pub company_types: Vec<String>,
    pub company_types_excluded: Vec<String>,
    /// `active`, `inactive` or `all`.
    pub company_status: String,
    /// `all`, `mapped` or `unmapped`.
    pub company_mapping: String,
    /// S17: most managed companies without a question; 0: no cap.
    pub managed_cap: u64,
    /// S19a: off keeps the local copy as it is.
    pub configurations_sync: bool,
    /// S19g: Halo ids of the companies whose configurations come in; empty: all managed ones, future ones too.
    pub companies: Vec<String>,
    /// S19h: configuration types that come in; empty: all.
    pub configuration_types: Vec<String>,
    /// `active` or `all`.
    pub configuration_status: String,
    /// S19b: the asset fields that are read.
    pub fields: Vec<String>,
    /// S19c: which of them is what. A name of an asset field, a column of every asset (`warranty_end`), or empty.
    pub serial_field: String,
    pub manufacturer_field: String,
    pub model_field: String,
    pub os_field: String,
    pub ram_field: String,
    pub notes_field: String,
    pub purchase_date_field: String,
    pub install_date_field: String,
    pub warranty_start_field: String,
    pub expiration_date_field: String,
    /// What a field that is made in Halo may hold, by its name, where that is not what its use suggests.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub field_types: BTreeMap<String, FieldKind>,
    /// What budgets are in; empty: Halo's currency.
    pub currency: String,
    /// First month of the budget year.
    pub fiscal_year_start: u64,
    /// Columns of the CSV and the spreadsheet, `serial=Serial No`; empty: all but the recurring ones.
    pub csv_columns: Vec<String>,
    /// S20: what is written back into Halo. All off by default.
    pub write_expiration_date: bool,
    pub write_warranty_start: bool,
    pub write_purchase_date: bool,
    pub write_estimated: bool,
    /// `fill_blanks`, `later_wins` or `always`.
    pub warranty_policy: String,
    pub schedule: Schedule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<Safety>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            enabled: false,
            psa: "halo".into(),
            types_full_sync: true,
            statuses_sync: true,
            company_types: Vec::new(),
            company_types_excluded: words(&["Lead", "Prospect", "Supplier", "Vendor"]),
            company_status: "active".into(),
            company_mapping: "all".into(),
            managed_cap: 0,
            configurations_sync: true,
            companies: Vec::new(),
            configuration_types: Vec::new(),
            configuration_status: "active".into(),
            fields: words(&[
                "Serial Number",
                "Manufacturer",
                "Model",
                "Operating System",
                "RAM",
                "Purchase Date",
                "Warranty End",
            ]),
            serial_field: "Serial Number".into(),
            manufacturer_field: "Manufacturer".into(),
            model_field: "Model".into(),
            os_field: "Operating System".into(),
            ram_field: "RAM".into(),
            notes_field: String::new(),
            purchase_date_field: "Purchase Date".into(),
            install_date_field: String::new(),
            warranty_start_field: String::new(),
            expiration_date_field: "Warranty End".into(),
            field_types: BTreeMap::new(),
            currency: String::new(),
            fiscal_year_start: 1,
            csv_columns: Vec::new(),
            write_expiration_date: false,
            write_warranty_start: false,
            write_purchase_date: false,
            write_estimated: false,
            warranty_policy: "fill_blanks".into(),
            schedule: Schedule {
                entities: Self::ENTITIES.to_vec(),
                at: "04:30".into(),
                ..Schedule::default()
            },
            safety: None,
        }
    }
}

impl Lifecycle {
    /// What a run takes by itself; the write-back only where it is named.
    pub const ENTITIES: [Entity; 4] =
        [Entity::Types, Entity::Statuses, Entity::Companies, Entity::Configurations];

    /// The words of `warranty_policy`.
    pub const POLICIES: &[&str] = &["fill_blanks", "later_wins", "always"];

    /// Columns that every asset in Halo has; everything else is an asset field, which must be downloaded.
    pub const COLUMNS: [&str; 5] =
        ["warranty_start", "warranty_end", "supplier_purchasedate", "commissiondate", "notes"];

    /// The field map, by the key of each setting.
    pub fn mapped(&self) -> [(&'static str, &str); 10] {
        [
            ("serial_field", &self.serial_field),
            ("manufacturer_field", &self.manufacturer_field),
            ("model_field", &self.model_field),
            ("os_field", &self.os_field),
            ("ram_field", &self.ram_field),
            ("notes_field", &self.notes_field),
            ("purchase_date_field", &self.purchase_date_field),
            ("install_date_field", &self.install_date_field),
            ("warranty_start_field", &self.warranty_start_field),
            ("expiration_date_field", &self.expiration_date_field),
        ]
    }

    /// Whether a field of the map holds a date.
    pub fn is_date(key: &str) -> bool {
        key.contains("date") || key.contains("warranty")
    }

    /// The asset fields that are needed and Halo may lack: each downloaded or mapped one once, with the setting that
    /// maps it and what it should hold. The guide takes `select` for all of them, which suits neither dates nor serials.
    pub fn wanted_fields(&self) -> Vec<(&str, Option<&'static str>, FieldKind)> {
        let mapped = self.mapped();
        let names = mapped.iter().map(|(_, name)| *name).chain(self.fields.iter().map(String::as_str));
        let mut wanted: Vec<(&str, Option<&'static str>, FieldKind)> = Vec::new();
        for name in names.map(str::trim).filter(|name| !name.is_empty() && !Self::COLUMNS.contains(name)) {
            if wanted.iter().any(|(own, ..)| *own == name) {
                continue;
            }
            let key = mapped.iter().find(|(_, own)| own.trim() == name).map(|(key, _)| *key);
            wanted.push((name, key, self.kind_of_field(name, key)));
        }
        wanted
    }

    /// What a field that is made for this use holds: as it was set, else as its use suggests.
    pub fn kind_of_field(&self, name: &str, key: Option<&str>) -> FieldKind {
        let suggested = if key.is_some_and(Self::is_date) { FieldKind::Date } else { FieldKind::Text };
        self.field_types.get(name).copied().unwrap_or(suggested)
    }

    /// The first field of the map that is neither downloaded nor a column of every asset (S19c).
    pub fn undownloaded(&self) -> Option<(&'static str, &str)> {
        self.mapped().into_iter().find(|(_, name)| {
            !name.is_empty() && !Self::COLUMNS.contains(name) && !self.fields.iter().any(|own| own == name)
        })
    }

    /// Whether anything is written back at all.
    pub const fn writes_back(&self) -> bool {
        self.write_expiration_date || self.write_warranty_start || self.write_purchase_date
    }

    pub(super) fn general(&self) -> General<'_> {
        General {
            secret_expires: "",
            enabled: self.enabled,
            // It lives here: there is nothing to connect to but Halo.
            url: "",
            url_key: "psa",
            account: "",
            allow_http: false,
            pace: Pace::default(),
            top_level: "",
            update_main_site_address: false,
            schedule: &self.schedule,
            safety: self.safety.as_ref(),
        }
    }
}
