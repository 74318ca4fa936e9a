//! A day passes at the marketplaces: the changes that an importer then has to find.

use serde_json::{Value, json};

use super::catalogue::{PRODUCTS, SEATS_FIRST, field, prices, service_name};
use super::marketplace::Market;
use super::rng::Rng;
use super::{Brand, Change};

/// Changes one marketplace. The same data, seed and step always give the same changes.
pub(super) fn advance(market: &mut Market, brand: Brand, seed: u64, step: u64) -> Vec<Change> {
    let mut rng = Rng::of(seed ^ step.wrapping_mul(0x9e37), brand.name());
    let mut changes = Vec::new();
    let mut ids: Vec<i64> = market
        .subscription_ids()
        .into_iter()
        .filter(|id| is_countable(market.subscription(*id).as_ref()))
        .collect();
    if ids.is_empty() {
        return changes;
    }
    rng.shuffle(&mut ids);
    let mut ids = ids.into_iter();
    let total = ids.len();
    let mut note = |what, id| changes.push(Change { brand, what, id });

    for id in ids.by_ref().take((total / 30).max(2)) {
        let Some(row) = market.subscription(id) else { continue };
        let Some(at) = quantity_at(&row) else { continue };
        let mut fields = row["Fields"].clone();
        let before = fields[at]["Value"].as_i64().unwrap_or(1);
        let by = 1 + rng.below(5) as i64;
        fields[at]["Value"] = if rng.chance(0.7) || before <= by { before + by } else { before - by }.into();
        market.put_subscription(&json!({"AccountId": id, "Fields": fields}));
        note("quantity", id);
    }
    for id in ids.by_ref().take((total / 100).max(1)) {
        let Some(row) = market.subscription(id) else { continue };
        let mut items = row["PriceableItems"].clone();
        for item in items.as_array_mut().into_iter().flatten() {
            for name in ["PurchasePrice", "SalesPrice"] {
                let pence = item[name].as_f64().unwrap_or_default() * 105.0;
                item[name] = (pence.round() / 100.0).into();
            }
        }
        market.put_subscription(&json!({"AccountId": id, "PriceableItems": items}));
        note("price", id);
    }
    for id in ids.by_ref().take((total / 400).max(1)) {
        market.put_subscription(&json!({"AccountId": id, "AccountState": "Terminated"}));
        note("terminated", id);
    }
    for id in ids.by_ref().take((total / 400).max(1)) {
        market.put_subscription(&json!({"AccountId": id, "ScheduledTerminationDate": "2026-12-31T00:00:00"}));
        note("ending", id);
    }
    let companies: Vec<Value> = ids
        .by_ref()
        .take((total / 200).max(1))
        .filter_map(|id| Some(market.subscription(id)?["CompanyAccountId"].clone()))
        .collect();
    for id in ids.by_ref().take((total / 400).max(1)) {
        market.remove_subscription(id);
        note("deleted", id);
    }
    for company in companies {
        let product = rng.pick(&PRODUCTS[..SEATS_FIRST]);
        let id = market.put_subscription(&json!({
            "CompanyAccountId": company, "ServiceName": service_name(brand, product),
            "ServiceDisplayName": product.display, "VendorDisplayName": product.vendor,
            "VendorReferenceId": rng.guid(), "SecondVendorReferenceId": product.sku,
            "BillingStartDate": "2026-07-01T00:00:00",
            "Fields": [field("Quantity", json!(1 + rng.below(30)))],
        }));
        let items = prices(product, "GBP", 900_000 + id * 3);
        market.put_subscription(&json!({"AccountId": id, "PriceableItems": items}));
        note("new", id);
    }
    let company = market.put_company(&json!({
        "CompanyName": format!("New Horizon {} {step} Ltd", brand.name()), "Domain": [],
        "Address": "1 Dawn Street", "City": "York", "Zip": "YO1 1AA",
    }));
    let seats = market.put_subscription(&json!({
        "CompanyAccountId": company, "ServiceName": service_name(brand, &PRODUCTS[0]),
        "ServiceDisplayName": PRODUCTS[0].display, "Fields": [field("Quantity", json!(5))],
        "PriceableItems": prices(&PRODUCTS[0], "GBP", 900_000),
    }));
    note("new customer", company);
    note("new", seats);
    changes
}

/// An ordinary subscription in use, whose quantity can change without anybody wondering.
fn is_countable(row: Option<&Value>) -> bool {
    row.is_some_and(|row| {
        row["AccountState"] == "Active"
            && row["ProvisioningStatus"] == "Completed"
            && quantity_at(row).is_some()
    })
}

fn quantity_at(row: &Value) -> Option<usize> {
    let sensible =
        |f: &Value| f["Name"] == "Quantity" && f["Value"].as_i64().is_some_and(|n| n > 0 && n < 10_000);
    row["Fields"].as_array()?.iter().position(sensible)
}

/// What a subscription for so many seats is made of; for tests that add their own.
pub(super) fn seats(brand: Brand, company: i64, quantity: &Value) -> Value {
    let product = &PRODUCTS[0];
    json!({
        "CompanyAccountId": company, "ServiceName": service_name(brand, product),
        "ServiceDisplayName": product.display, "VendorDisplayName": product.vendor,
        "SecondVendorReferenceId": product.sku, "Fields": [field("Quantity", quantity.clone())],
        "PriceableItems": prices(product, "GBP", 900_000),
    })
}
