//! One asset of Halo's as a configuration, by the fields that are downloaded and mapped (S19b, S19c).

use crate::lifecycle::configuration::{Configuration, DateField};
use crate::model::TargetId;
use crate::model::asset::{Asset, AssetField};
use crate::model::settings::Lifecycle as Settings;

/// How an asset of Halo's becomes a configuration: which field is what.
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    /// Every downloaded field: its name and the ids it has; several definitions may share a name.
    fields: Vec<(&'a str, Vec<TargetId>)>,
    pub ids: Vec<TargetId>,
    /// Downloaded by name, and not in Halo (S19b).
    pub missing: Vec<&'a str>,
    /// Something is mapped to a column that lists do not carry.
    pub needs_details: bool,
}

impl<'a> Reader<'a> {
    pub fn new(settings: &'a Settings, definitions: &[AssetField]) -> Self {
        let mut fields = Vec::new();
        let mut missing = Vec::new();
        for name in settings.fields.iter().map(String::as_str).filter(|name| !name.trim().is_empty()) {
            let ids: Vec<TargetId> =
                definitions.iter().filter(|d| d.name.trim() == name.trim()).map(|d| d.id.clone()).collect();
            if ids.is_empty() {
                missing.push(name);
            }
            fields.push((name, ids));
        }
        let ids = fields.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
        let needs_details = settings.mapped().iter().any(|(_, name)| Settings::COLUMNS.contains(name));
        Self { settings, fields, ids, missing, needs_details }
    }

    fn value<'b>(&self, asset: &'b Asset, name: &str) -> Option<&'b str> {
        if Settings::COLUMNS.contains(&name) {
            return asset.columns.iter().find(|(own, _)| &**own == name).map(|(_, text)| &**text);
        }
        let (_, ids) = self.fields.iter().find(|(own, _)| *own == name)?;
        ids.iter().find_map(|id| asset.value(id).filter(|text| !text.trim().is_empty()))
    }

    pub fn configuration(&self, asset: &Asset, kind: &str) -> Configuration {
        let own = self.settings;
        let text = |name: &str| self.value(asset, name).unwrap_or_default().trim().to_owned();
        let mut configuration = Configuration {
            id: asset.id.number().unwrap_or_default(),
            name: asset.name().to_string(),
            kind: kind.to_owned(),
            // Lists tell the status only on some builds; the flag is always there.
            status: match (&*asset.status, asset.is_active) {
                ("", true) => "Active".into(),
                ("", false) => "Inactive".into(),
                (status, _) => status.to_owned(),
            },
            serial: text(&own.serial_field),
            manufacturer: text(&own.manufacturer_field),
            model: text(&own.model_field),
            os: text(&own.os_field),
            ram: text(&own.ram_field),
            notes: text(&own.notes_field),
            ..Configuration::default()
        };
        for (field, name) in [
            (DateField::PurchaseDate, &own.purchase_date_field),
            (DateField::InstallDate, &own.install_date_field),
            (DateField::WarrantyStart, &own.warranty_start_field),
            (DateField::ExpirationDate, &own.expiration_date_field),
        ] {
            configuration.take_date(field, &text(name));
        }
        let mapped: Vec<&str> = own.mapped().iter().map(|(_, name)| *name).collect();
        for (name, _) in self.fields.iter().filter(|(name, _)| !mapped.contains(name)) {
            let text = text(name);
            if !text.is_empty() {
                configuration.extra.insert((*name).to_owned(), text);
            }
        }
        configuration
    }
}
