//! What the planning workspace takes from Halo, for the panes of fields and integrations.

use super::field_rules::{FieldRule, Rule};
use crate::model::Entity;
use crate::model::settings::{FieldMapping, Lifecycle};

/// The field map (S19c), and what goes back.
pub fn field_rules(settings: &Lifecycle) -> Vec<FieldRule> {
    let mut rules: Vec<FieldRule> = settings
        .mapped()
        .into_iter()
        .map(|(key, name)| FieldRule {
            entity: Entity::Configurations,
            source: key.trim_end_matches("_field").replace('_', " ").into(),
            target: if name.is_empty() { "-".into() } else { name.to_owned().into() },
            kind: if Lifecycle::is_date(key) { "date".into() } else { "text".into() },
            rule: if name.is_empty() { Rule::Off } else { Rule::Source },
            note: "read from Halo; Halo's value wins (S2)".into(),
            editable_setting: Some(key.into()),
        })
        .collect();
    for (is_on, field, key) in [
        (settings.write_expiration_date, "expiration date", "write_expiration_date"),
        (settings.write_warranty_start, "warranty start", "write_warranty_start"),
        (settings.write_purchase_date, "purchase date", "write_purchase_date"),
    ] {
        rules.push(FieldRule {
            entity: Entity::Warranty,
            source: field.into(),
            target: "the same field in Halo".into(),
            kind: "date".into(),
            rule: if is_on { Rule::Source } else { Rule::Off },
            note: "dates from files and people only; never one that came from Halo".into(),
            editable_setting: Some(key.into()),
        });
    }
    rules
}

/// The asset fields that the workspace reads, each with Liongard's field of the same meaning: rows to copy (L15).
pub fn asset_fields(settings: &Lifecycle) -> Vec<FieldMapping> {
    let source = |key: &str| match key {
        "serial_field" => Some("Serial Number"),
        "manufacturer_field" => Some("Manufacturer"),
        "model_field" => Some("Model"),
        "os_field" => Some("Operating System"),
        "ram_field" => Some("RAM"),
        "purchase_date_field" => Some("Purchase Date"),
        "expiration_date_field" => Some("Warranty Expiration"),
        _ => None,
    };
    // Columns of every asset are no fields, so nothing can be mapped to them.
    let mapped = settings.mapped().into_iter();
    let named = mapped.filter(|(_, name)| !name.trim().is_empty() && !Lifecycle::COLUMNS.contains(name));
    named
        .filter_map(|(key, name)| {
            let source = source(key)?.to_owned();
            Some(FieldMapping { source, target: name.trim().to_owned(), ..FieldMapping::default() })
        })
        .collect()
}

/// What is switched how, a line each.
pub fn options(settings: &Lifecycle) -> Vec<String> {
    let on = |yes: bool| if yes { "on" } else { "off" };
    vec![
        "planning workspace (local): nothing is written to strategyoverview.com".into(),
        format!(
            "all company types {}; configurations {}; dates back into Halo {}",
            on(settings.types_full_sync),
            on(settings.configurations_sync),
            on(settings.writes_back())
        ),
    ]
}
