//! ALSO and Westcoast Cloud (decision 12): what a company or a subscription there means for Halo.
//!
//! Everything that cannot be read without a guess holds the row and says what to do; nothing here compares with Halo.

mod end_date;
mod price;
mod quantity;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::field_rules::owned_fields;
use crate::matching::keys::is_own_domain;
use crate::model::marketplace::{SourceCompany, SourceSubscription};
use crate::model::settings::{Marketplace, Scope, StatusMeaning};
use crate::model::{Entity, FieldName, Fields, MatchKeys, Value, Verdict, Wanted};
use crate::plan::{self, Removal, Rules};

/// What the planner must know of customers and subscriptions (K6, K9, B3, B8-B10).
pub fn rules(settings: &Marketplace) -> BTreeMap<Entity, Rules> {
    let chosen = &settings.customer_subscriptions_to_import;
    let sorted = |list: &[String]| list.iter().map(|text| text.trim().to_owned()).collect::<BTreeSet<_>>();
    let told = serde_json::json!([
        sorted(&chosen.customers),
        sorted(&chosen.products),
        sorted(&chosen.statuses),
        settings.status_words,
    ]);
    let customers = Rules {
        follows: Some(owned_fields(Entity::Customers, settings).into_iter().collect()),
        place_setting: "top_level_for_new_customers",
        ..Rules::default()
    };
    let subscriptions = Rules {
        scope: plan::Scope {
            customers: chosen.customers.clone(),
            kinds: chosen.products.clone(),
            told: told.to_string(),
        },
        removal: if settings.deactivate_deleted {
            Removal::Deactivate { zero: settings.zero_deactivated }
        } else {
            Removal::Zero
        },
        ..Rules::default()
    };
    BTreeMap::from([(Entity::Customers, customers), (Entity::Subscriptions, subscriptions)])
}

/// How the settings stand, a line each.
pub fn options(settings: &Marketplace) -> Vec<String> {
    let on = |yes: bool| if yes { "on" } else { "off" };
    let top = match settings.top_level_for_new_customers.as_str() {
        "" => "Halo's default",
        chosen => chosen,
    };
    let scope = &settings.customer_subscriptions_to_import;
    let scope = if scope.customers.is_empty() && scope.products.is_empty() && scope.statuses.is_empty() {
        "all subscriptions"
    } else {
        "chosen subscriptions only"
    };
    vec![
        format!(
            "top level {top}; main site address {}; price and cost {}; {scope}",
            on(settings.update_main_site_address),
            on(settings.set_price_and_cost)
        ),
        format!("deactivate licences {} (acts in scheduled jobs only)", on(settings.deactivate_deleted)),
    ]
}

/// A customer at the distributor as Halo should have it.
pub fn wanted_customer(company: &SourceCompany, settings: &Marketplace) -> Wanted {
    let name = company.name.trim();
    let state = company.state.trim();
    let verdict = if name.is_empty() {
        Verdict::Hold(format!("customer {} has no name: give it one at the marketplace", company.id))
    } else if state.is_empty() {
        // Only id and name can be relied on (apis/also.md 5.3).
        Verdict::Take
    } else {
        match meaning(state, settings) {
            Some(StatusMeaning::Active) => Verdict::Take,
            Some(StatusMeaning::Inactive) => {
                Verdict::Ended(format!("its state at the marketplace is '{state}'"))
            }
            None => Verdict::Hold(unknown_state(state)),
        }
    };
    let mut fields = Fields::new();
    if !name.is_empty() {
        fields.set(FieldName::Name, Value::text(name));
    }
    if !company.address.is_blank() {
        fields.set(FieldName::MainSiteAddress, Value::Address(Box::new(company.address.clone())));
    }
    fields.shrink();
    let mut domains: Vec<Box<str>> = company.domains.iter().filter(|d| is_own_domain(d)).cloned().collect();
    domains.sort();
    domains.dedup();
    Wanted {
        id: company.id.clone(),
        name: Arc::from(name),
        parent: None,
        verdict,
        fields,
        keys: MatchKeys { vat: company.vat.clone(), domains, own: None },
        currency: company.currency,
        notes: Vec::new(),
    }
}

/// A subscription at the distributor as its Halo licence should be.
pub fn wanted_subscription(subscription: &SourceSubscription, settings: &Marketplace) -> Wanted {
    let s = subscription;
    let display_name = s.display_name.trim();
    let name: Arc<str> =
        Arc::from(if display_name.is_empty() { s.service_name.trim() } else { display_name });
    let mut wanted = Wanted {
        id: s.id.clone(),
        name,
        parent: Some(s.company.clone()),
        verdict: Verdict::Take,
        fields: Fields::new(),
        keys: MatchKeys::default(),
        currency: None,
        notes: Vec::new(),
    };
    if let Some(why) = outside(&settings.customer_subscriptions_to_import, s) {
        wanted.verdict = Verdict::OutOfScope(why);
        return wanted;
    }

    let mut holds: Vec<String> = Vec::new();
    if display_name.is_empty() {
        holds.push(format!("the subscription {} has no product name; ask the marketplace's support", s.id));
    } else {
        wanted.fields.set(FieldName::Name, Value::text(display_name));
    }

    let state = s.state.trim();
    let meant = meaning(state, settings);
    if let Some(meaning) = meant {
        wanted.fields.set(FieldName::Status, Value::Active(meaning == StatusMeaning::Active));
    } else {
        holds.push(unknown_state(state));
    }
    let active = meant != Some(StatusMeaning::Inactive);
    if active && let Some(why) = not_provisioned(s) {
        holds.push(why);
    }

    let unit = match quantity::read(s) {
        Ok(quantity::Quantity::Counted { field, count }) => {
            wanted.fields.set(FieldName::Quantity, Value::Count(count));
            Some(field)
        }
        Ok(quantity::Quantity::None) => {
            wanted.notes.push("no counted unit: no quantity is sent".into());
            None
        }
        // An ended subscription may have lost its count; that it ended is certain (B7).
        Err(fault) if fault.is_blank && !active => {
            wanted.notes.push("ended without a quantity: Halo's is left".into());
            None
        }
        Err(fault) => {
            holds.push(fault.sentence);
            None
        }
    };

    if settings.set_price_and_cost {
        match price::read(s, unit) {
            Ok(prices) => {
                if let Some(price) = prices.price {
                    wanted.fields.set(FieldName::Price, Value::Amount(price));
                }
                if let Some(cost) = prices.cost {
                    wanted.fields.set(FieldName::Cost, Value::Amount(cost));
                }
                wanted.currency = prices.currency;
                wanted.notes.extend(prices.notes.into_iter().map(Into::into));
            }
            Err(why) => holds.push(why),
        }
    }

    match end_date::read(s, &settings.end_date_order) {
        Ok(Some((date, field))) => {
            wanted.fields.set(FieldName::EndDate, Value::Date(date));
            wanted.notes.push(format!("end date from {field}").into());
        }
        Ok(None) => {}
        Err(why) => holds.push(why),
    }

    wanted.fields.shrink();
    wanted.notes.shrink_to_fit();
    if !holds.is_empty() {
        wanted.verdict = Verdict::Hold(holds.join("; "));
    }
    wanted
}

/// What a state word means, by the words of the settings; spaces outside and case do not count.
fn meaning(state: &str, settings: &Marketplace) -> Option<StatusMeaning> {
    let words = &settings.status_words;
    let state = state.trim();
    words.get(state).copied().or_else(|| {
        let state = state.to_lowercase();
        words.iter().find(|(word, _)| word.trim().to_lowercase() == state).map(|(_, meaning)| *meaning)
    })
}

fn unknown_state(state: &str) -> String {
    if state.is_empty() {
        "the marketplace gives no state: whether it is active is never guessed".into()
    } else {
        format!("unknown state '{state}': add the word to status_words as active or inactive (B7)")
    }
}

/// The part of the scope that leaves the subscription out (B3).
fn outside(scope: &Scope, s: &SourceSubscription) -> Option<String> {
    let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
    let lacks = |list: &[String], values: &[&str]| {
        !list.is_empty() && !list.iter().any(|chosen| values.iter().any(|value| same(chosen, value)))
    };
    if lacks(&scope.customers, &[s.company.as_str()]) {
        Some(format!("customer {} is not among the chosen ones", s.company))
    } else if lacks(&scope.products, &[&s.service_name, &s.display_name]) {
        Some(format!("product '{}' is not among the chosen ones", s.display_name.trim()))
    } else if lacks(&scope.statuses, &[&s.state]) {
        Some(format!("state '{}' is not among the chosen ones", s.state.trim()))
    } else {
        None
    }
}

/// Nobody is billed for what is not there yet (apis/also.md 11).
fn not_provisioned(s: &SourceSubscription) -> Option<String> {
    let word = s.provisioning.as_deref().unwrap_or_default().trim();
    if word.is_empty() || word.eq_ignore_ascii_case("Completed") {
        return None;
    }
    let details = s.error_details.as_deref().unwrap_or_default().trim();
    let details = if details.is_empty() { String::new() } else { format!(" ({details})") };
    Some(format!("its provisioning is '{word}'{details}: it is imported once that is completed"))
}
