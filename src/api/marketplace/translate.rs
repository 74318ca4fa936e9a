//! The marketplace's records as plain facts. Words and quantities keep their spelling: what they mean is a rule.

use serde_json::Value;

use super::wire::{self, Entry, List};
use crate::api::row::Scalar;
use crate::model::date::parse_vendor_date;
use crate::model::marketplace::{GivenDate, PriceableItem, SourceCompany, SourceSubscription};
use crate::model::{Address, Amount, Class, Currency, Problem, SourceId};

/// A customer, or why the record cannot be used.
pub fn company(wire: &wire::Company) -> Result<SourceCompany, Problem> {
    let text = |value: &Scalar| value.text().unwrap_or_default();
    let name = text(&wire.company_name);
    let id = account_id(&wire.account_id, "customer", &name)?;
    Ok(SourceCompany {
        id,
        parent: wire.parent_account_id.id().map(SourceId::from),
        state: text(&wire.account_state),
        name,
        vat: wire.vat_id.text().or_else(|| wire.vat.text()),
        domains: domains(&wire.domain),
        currency: wire.currency.text().and_then(|text| Currency::new(&text)),
        address: Address {
            street: text(&wire.address),
            city: text(&wire.city),
            region: text(&wire.state),
            postcode: text(&wire.zip),
            country: text(&wire.country),
        },
        portal_number: wire.numeric_id.text(),
        customer_number: wire.customer_id.text(),
        reference: wire.reference_number.text(),
    })
}

/// A subscription of the customer asked for, or why the record cannot be used.
pub fn subscription(wire: wire::Subscription, asked: &SourceId) -> Result<SourceSubscription, Problem> {
    let text = |value: &Scalar| value.text().unwrap_or_default();
    let display_name =
        wire.service_display_name.text().or_else(|| wire.service_name.text()).unwrap_or_default();
    let id = account_id(&wire.account_id, "subscription", &display_name)?;
    let broken = |what: &str| {
        Problem::new(
            Class::Record,
            format!("Subscription {id} ('{}') was skipped: its {what} cannot be read.", shown(&display_name)),
        )
    };
    let (List::Items(fields), List::Items(items)) = (wire.fields, wire.priceable_items) else {
        return Err(broken("list of fields or prices"));
    };
    let fields = fields
        .into_iter()
        .map(|entry| match entry {
            Entry::Object(field) => Ok((text(&field.name), field.value)),
            Entry::Other => Err(broken("list of fields")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let priceable_items = items
        .iter()
        .map(|entry| match entry {
            Entry::Object(item) => Ok(priceable(item)),
            Entry::Other => Err(broken("list of prices")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(SourceSubscription {
        company: wire.company_account_id.id().map_or_else(|| asked.clone(), SourceId::from),
        parent: wire.parent_account_id.id().map(SourceId::from),
        state: text(&wire.account_state),
        provisioning: wire.provisioning_status.text().or_else(|| wire.status.text()),
        error_details: wire.error_details.text(),
        service_name: text(&wire.service_name),
        vendor: text(&wire.vendor_display_name),
        fields,
        priceable_items,
        contract_end: date(&wire.contract_end_date),
        period_end: date(&wire.advance_period_end_date),
        period_end_action: wire.advance_period_end_action.text(),
        scheduled_termination: date(&wire.scheduled_termination_date),
        id,
        display_name,
    })
}

fn priceable(item: &wire::Item) -> PriceableItem {
    let months = |value: &Scalar| value.id().and_then(|months| u32::try_from(months).ok());
    let amount = |value: &Scalar| Amount::parse(&value.json());
    PriceableItem {
        charge_type: item.charge_type.text().unwrap_or_default(),
        item_type: item.priceable_item_type.text().unwrap_or_default(),
        currency: item.currency.text().and_then(|text| Currency::new(&text)),
        field_name: item.field_name.text(),
        is_unit: item.is_udrc_field.flag().unwrap_or(false),
        purchase_price: amount(&item.purchase_price),
        sales_price: amount(&item.sales_price),
        suggested_price: amount(&item.suggested_retail_price),
        commitment_months: months(&item.commitement_period_in_months),
        prepaid_months: months(&item.prepaid_period_in_months),
        description: item.priceable_item_description.text().unwrap_or_default(),
    }
}

fn date(value: &Scalar) -> GivenDate {
    match value {
        Scalar::Missing | Scalar::Null => Ok(None),
        Scalar::Text(text) => {
            parse_vendor_date(text).map_err(|why| crate::model::text::shown(&why).into_owned().into())
        }
        other => Err(format!("'{}' is not a date", other.json()).into()),
    }
}

fn domains(value: &Value) -> Vec<Box<str>> {
    let mut all: Vec<Box<str>> = Vec::new();
    let mut add = |text: &str| {
        let domain: Box<str> = text.trim().to_lowercase().into();
        if !domain.is_empty() && !all.contains(&domain) {
            all.push(domain);
        }
    };
    match value {
        Value::String(text) => text.split([',', ';', ' ']).for_each(&mut add),
        Value::Array(list) => list.iter().filter_map(Value::as_str).for_each(&mut add),
        _ => {}
    }
    all
}

fn account_id(value: &Scalar, what: &str, name: &str) -> Result<SourceId, Problem> {
    value.id().filter(|id| *id > 0).map(SourceId::from).ok_or_else(|| {
        Problem::new(
            Class::Record,
            format!(
                "A {what} ('{}') was skipped: its AccountId {} is none.",
                shown(name),
                shown(&value.json().to_string())
            ),
        )
        .remedy("Ask the marketplace's support; without an id nothing can be kept in step.")
    })
}

fn shown(text: &str) -> String {
    crate::model::text::shown(text).into_owned()
}
