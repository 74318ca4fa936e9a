//! Price and cost of one unit a month (B5, apis/also.md 6.5). Never a sum, never a default.

use std::collections::BTreeSet;

use crate::model::marketplace::{PriceableItem, SourceSubscription};
use crate::model::{Amount, Currency};

#[derive(Default)]
pub(super) struct Prices {
    /// What the customer pays (`SalesPrice`).
    pub price: Option<Amount>,
    /// What the reseller pays (`PurchasePrice`).
    pub cost: Option<Amount>,
    pub currency: Option<Currency>,
    pub notes: Vec<Box<str>>,
}

/// The monthly recurring prices of the unit that is counted; of a product without one, its flat monthly prices.
pub(super) fn read(s: &SourceSubscription, unit: Option<&str>) -> Result<Prices, String> {
    let is = |text: &str, word: &str| text.trim().eq_ignore_ascii_case(word);
    let monthly: Vec<&PriceableItem> = s
        .priceable_items
        .iter()
        .filter(|item| is(&item.item_type, "Monthly") && !is(&item.charge_type, "Setup"))
        .collect();
    let of_unit = |item: &&PriceableItem| {
        item.is_unit && item.field_name.as_deref().is_some_and(|name| unit.is_some_and(|unit| is(name, unit)))
    };
    let has_unit_items = s.priceable_items.iter().any(|item| item.is_unit);
    let items: Vec<&PriceableItem> =
        if has_unit_items { monthly.into_iter().filter(of_unit).collect() } else { monthly };

    let mut prices = Prices::default();
    if items.is_empty() {
        prices.notes.push("no monthly price at the marketplace: none is written".into());
        return Ok(prices);
    }
    prices.price = one("sales price", items.iter().filter_map(|item| item.sales_price), s)?;
    prices.cost = one("purchase price", items.iter().filter_map(|item| item.purchase_price), s)?;
    let currencies: BTreeSet<Currency> = items.iter().filter_map(|item| item.currency).collect();
    if currencies.len() > 1 {
        let shown: Vec<&str> = currencies.iter().map(Currency::as_str).collect();
        return Err(format!("its prices are in several currencies ({})", shown.join(", ")));
    }
    prices.currency = currencies.first().copied();
    for (missing, what) in
        [(prices.price.is_none(), "sales price"), (prices.cost.is_none(), "purchase price")]
    {
        if missing {
            prices.notes.push(format!("no {what} at the marketplace: none is written").into());
        }
    }
    if let Some(months) =
        items.iter().filter_map(|item| item.prepaid_months).max().filter(|months| *months > 1)
    {
        prices.notes.push(
            format!("prepaid for {months} months: check whether the price is a month's or the period's")
                .into(),
        );
    }
    if !has_unit_items && unit.is_some() {
        prices.notes.push("the marketplace does not mark the price as one unit's".into());
    }
    Ok(prices)
}

fn one(
    what: &str,
    amounts: impl Iterator<Item = Amount>,
    s: &SourceSubscription,
) -> Result<Option<Amount>, String> {
    let different: BTreeSet<Amount> = amounts.collect();
    if let Some(negative) =
        different.iter().find(|amount| amount.get().is_sign_negative() && !amount.get().is_zero())
    {
        return Err(format!("the {what} of '{}' ({}) is {negative}", s.display_name.trim(), s.id));
    }
    if different.len() > 1 {
        let shown: Vec<String> = different.iter().map(ToString::to_string).collect();
        return Err(format!(
            "'{}' ({}) has several monthly {what}s for one unit ({}): which one holds is not known",
            s.display_name.trim(),
            s.id,
            shown.join(", ")
        ));
    }
    Ok(different.first().copied())
}
