//! Which fields an integration owns, and how it fills them: the "Fields" pane, and the guard of the planner.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::settings::{EndDateSource, Liongard, Marketplace};
use crate::model::{Entity, FieldName, Integration};

/// Fields of existing Halo records that follow the source. A create sends what it has of all fields, of these and of
/// those that are set once.
pub fn owned_fields(entity: Entity, settings: &Marketplace) -> Vec<FieldName> {
    match entity {
        Entity::Customers => [
            (settings.rename_in_halo, FieldName::Name),
            (settings.update_main_site_address, FieldName::MainSiteAddress),
        ]
        .into_iter()
        .filter_map(|(on, field)| on.then_some(field))
        .collect(),
        Entity::Subscriptions => {
            let mut owned = vec![FieldName::Name, FieldName::Status, FieldName::Quantity];
            if settings.set_price_and_cost {
                owned.extend([FieldName::Price, FieldName::Cost]);
            }
            owned.push(FieldName::EndDate);
            owned
        }
        // A marketplace has no others.
        _ => Vec::new(),
    }
}

/// When a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Follows the source at every import.
    Source,
    /// Never written.
    Off,
    /// Written once, with a new record.
    AtCreation,
}

impl Rule {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Off => "off",
            Self::AtCreation => "at creation",
        }
    }
}

/// One line of the "Fields" pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRule {
    pub entity: Entity,
    /// Where the value comes from, in the marketplace's own field names.
    pub source: Cow<'static, str>,
    /// The field of the Halo record.
    pub target: Cow<'static, str>,
    /// `text`, `count`, `money`, `date`, `yes/no`, `address` or, for what a missing record means, `removal`.
    pub kind: Cow<'static, str>,
    pub rule: Rule,
    pub note: String,
    /// The setting that changes this line, under its key in the integration's section.
    pub editable_setting: Option<Cow<'static, str>>,
}

/// The field mappings of assets, and what decides beside them (L9-L16).
pub fn liongard(settings: &Liongard) -> Vec<FieldRule> {
    let line =
        |entity, source: &str, target: &str, kind: &str, rule, note: &str, setting: &'static str| FieldRule {
            entity,
            source: source.to_owned().into(),
            target: target.to_owned().into(),
            kind: kind.to_owned().into(),
            rule,
            note: note.to_owned(),
            editable_setting: Some(Cow::Borrowed(setting)),
        };
    let assets = Entity::Assets;
    let or = |text: &str| if text.trim().is_empty() { "-".to_owned() } else { text.trim().to_owned() };
    let mut rules = vec![line(
        Entity::Customers,
        "Environment.Name",
        "name",
        "text",
        Rule::AtCreation,
        "a mapped customer keeps its name in Halo (K6)",
        "top_level_for_new_customers",
    )];
    let matching = &settings.asset_matching_field;
    rules.push(line(
        assets,
        &or(&matching.source),
        &or(&matching.target),
        "text",
        if matching.source.trim().is_empty() { Rule::Off } else { Rule::Source },
        "finds assets that are there already, after Liongard's own id (L13, L14)",
        "asset_matching_field",
    ));
    rules.push(line(
        assets,
        &or(&settings.asset_type_field),
        "asset type",
        "text",
        Rule::AtCreation,
        "its value is the name of the type; a type that is not there is made first (L10, L11)",
        "asset_type_field",
    ));
    for row in &settings.field_mappings {
        let note = match (row.create, row.fill_blank) {
            (true, _) => "made in Halo where it is not there (L16)",
            (false, true) => "written only where Halo has nothing",
            (false, false) => "",
        };
        let kind = row.kind.map_or("", crate::model::asset::FieldKind::key);
        rules.push(line(assets, &row.source, &row.target, kind, Rule::Source, note, "field_mappings"));
    }
    rules.push(line(
        assets,
        "deleted in Liongard",
        "inactive",
        "removal",
        if settings.deactivate_deleted { Rule::Source } else { Rule::Off },
        "in scheduled runs only, once a look-up confirms that the system is gone (L18)",
        "deactivate_deleted",
    ));
    rules
}

/// Every field a marketplace feeds, and what a deleted subscription means (B7-B10).
pub fn marketplace(integration: Integration, settings: &Marketplace) -> Vec<FieldRule> {
    let label = integration.label();
    let on = |on: bool, other: Rule| if on { Rule::Source } else { other };
    let line = |entity,
                source: &'static str,
                target: &'static str,
                kind: &'static str,
                rule,
                note: String,
                setting: Option<&'static str>| FieldRule {
        entity,
        source: source.into(),
        target: target.into(),
        kind: kind.into(),
        rule,
        note,
        editable_setting: setting.map(Cow::Borrowed),
    };
    let (customers, subscriptions) = (Entity::Customers, Entity::Subscriptions);
    let top_level = settings.top_level_for_new_customers.trim();
    let words: Vec<String> = settings
        .status_words
        .iter()
        .map(|(word, meaning)| format!("{word} = {}", format!("{meaning:?}").to_lowercase()))
        .collect();
    let order: Vec<&str> = settings.end_date_order.iter().map(|source| end_date_text(*source)).collect();
    let price_note = match (settings.set_price_and_cost, integration) {
        (true, _) => {
            "monthly price of the counted unit; a missing price writes nothing, another currency is held (B5)"
        }
        (false, Integration::Westcoast | Integration::Lifecycle) => {
            "never written; not in the vendor guide for this marketplace (B5)"
        }
        (false, _) => "never written (B5)",
    };
    vec![
        line(
            customers,
            "CompanyName",
            "name",
            "text",
            on(settings.rename_in_halo, Rule::AtCreation),
            "a mapped customer keeps its name in Halo unless this is on (K6)".into(),
            Some("rename_in_halo"),
        ),
        line(
            customers,
            "(setting)",
            "toplevel_id",
            "text",
            Rule::AtCreation,
            if top_level.is_empty() {
                "Halo's default; existing customers are never moved (K8)".into()
            } else {
                format!("{top_level}; existing customers are never moved (K8)")
            },
            Some("top_level_for_new_customers"),
        ),
        line(
            customers,
            "Address, City, State, Zip, Country",
            "main site address",
            "address",
            on(settings.update_main_site_address, Rule::AtCreation),
            "blank parts never clear Halo's; new customers always get the address (K9)".into(),
            Some("update_main_site_address"),
        ),
        line(
            subscriptions,
            "ServiceDisplayName",
            "name",
            "text",
            Rule::Source,
            "a renamed product renames the licence (B2)".into(),
            None,
        ),
        line(
            subscriptions,
            "AccountState",
            "is_active",
            "yes/no",
            Rule::Source,
            format!("{}; any other word holds the row (B7)", words.join(", ")),
            Some("status_words"),
        ),
        line(
            subscriptions,
            "Fields: the counted unit, else Quantity",
            "count",
            "count",
            Rule::Source,
            "whole numbers only, everything else is held; products without a unit send no count (B2)".into(),
            None,
        ),
        line(
            subscriptions,
            "PriceableItems: SalesPrice",
            "price",
            "money",
            on(settings.set_price_and_cost, Rule::Off),
            price_note.into(),
            Some("set_price_and_cost"),
        ),
        line(
            subscriptions,
            "PriceableItems: PurchasePrice",
            "purchase_price",
            "money",
            on(settings.set_price_and_cost, Rule::Off),
            price_note.into(),
            Some("set_price_and_cost"),
        ),
        line(
            subscriptions,
            "end dates, in order",
            "end_date",
            "date",
            if order.is_empty() { Rule::Off } else { Rule::Source },
            format!(
                "{}; none leaves Halo's (B6)",
                if order.is_empty() { "no source chosen".to_owned() } else { order.join(", then ") }
            ),
            Some("end_date_order"),
        ),
        line(
            subscriptions,
            "deleted at the marketplace",
            if settings.deactivate_deleted { "is_active" } else { "count" },
            "removal",
            Rule::Source,
            match (settings.deactivate_deleted, settings.zero_deactivated) {
                (false, _) => format!(
                    "in scheduled runs only: count to 0, status untouched, once {label} confirms that it is gone (B8)"
                ),
                (true, false) => format!(
                    "in scheduled runs only: made inactive, count untouched, once {label} confirms that it is gone (B9, B10)"
                ),
                (true, true) => format!(
                    "in scheduled runs only: made inactive and count to 0, once {label} confirms that it is gone (B9, B10)"
                ),
            },
            Some("deactivate_deleted"),
        ),
    ]
}

fn end_date_text(source: EndDateSource) -> &'static str {
    match source {
        EndDateSource::ScheduledTermination => "ScheduledTerminationDate",
        EndDateSource::EndingPeriod => "AdvancePeriodEndDate if it ends then",
        EndDateSource::Contract => "ContractEndDate",
        EndDateSource::Period => "AdvancePeriodEndDate",
    }
}
