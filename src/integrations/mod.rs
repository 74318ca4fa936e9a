//! What each integration means: how its facts become wanted records, which fields it owns, and the rules people see.

pub mod field_mapping;
pub mod field_rules;
pub mod field_sample;
pub mod hudu;
mod lifecycle;
pub mod liongard;
pub mod marketplace;

pub use field_rules::{FieldRule, Rule};
pub use lifecycle::asset_fields as lifecycle_fields;
pub use marketplace::{wanted_customer, wanted_subscription};

use std::collections::BTreeMap;

use crate::model::settings::Settings;
use crate::model::{Entity, Integration};
use crate::plan::Rules;

/// What the planner must know of an integration's entities, by its settings.
pub fn rules(integration: Integration, settings: &Settings) -> BTreeMap<Entity, Rules> {
    match integration {
        Integration::Also => marketplace::rules(&settings.also),
        Integration::Westcoast => marketplace::rules(&settings.westcoast),
        Integration::Hudu => hudu::rules(&settings.hudu),
        Integration::Lifecycle => BTreeMap::new(),
        Integration::Liongard => liongard::rules(&settings.liongard),
    }
}

/// Every field the integration feeds, for the "Fields" pane.
pub fn field_rules(integration: Integration, settings: &Settings) -> Vec<FieldRule> {
    match integration {
        Integration::Also => field_rules::marketplace(integration, &settings.also),
        Integration::Westcoast => field_rules::marketplace(integration, &settings.westcoast),
        Integration::Hudu => hudu::field_rules(&settings.hudu),
        Integration::Lifecycle => lifecycle::field_rules(&settings.lifecycle),
        Integration::Liongard => field_rules::liongard(&settings.liongard),
    }
}

/// What is switched how, a line each, for the pane of integrations.
pub fn options(integration: Integration, settings: &Settings) -> Vec<String> {
    match integration {
        Integration::Also => marketplace::options(&settings.also),
        Integration::Westcoast => marketplace::options(&settings.westcoast),
        Integration::Hudu => hudu::options(&settings.hudu),
        Integration::Lifecycle => lifecycle::options(&settings.lifecycle),
        Integration::Liongard => liongard::options(&settings.liongard),
    }
}
