use std::collections::{BTreeMap, BTreeSet, HashMap};

use parhelion::sandbox::{Brand, Options, Sandbox, Size};
use serde_json::{Value, json};

fn small(seed: u64) -> Sandbox {
    Sandbox::new(Options { seed, ..Options::default() })
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

#[test]
fn the_same_seed_gives_the_same_worlds_and_changes() {
    let everything = |sandbox: &Sandbox| {
        (
            sandbox.halo_clients(),
            sandbox.halo_sites(),
            sandbox.halo_licences(),
            [Brand::Also, Brand::Westcoast].map(|b| (sandbox.companies(b), sandbox.subscriptions(b))),
        )
    };
    let (one, two, other) = (small(1), small(1), small(2));
    assert_eq!(everything(&one), everything(&two));
    assert_ne!(everything(&one), everything(&other));
    assert_eq!(one.advance(1), two.advance(1));
    assert_eq!(everything(&one), everything(&two));
    assert_ne!(one.advance(2), two.advance(3));
    one.reset();
    assert_eq!(everything(&one), everything(&small(1)));
}

#[test]
fn sizes_are_exact_and_most_customers_have_one_partner_of_the_same_name() {
    let sandbox = Sandbox::new(Options { size: Size::Medium, ..Options::default() });
    for (brand, customers) in [(Brand::Also, 1_000), (Brand::Westcoast, 250)] {
        let companies = sandbox.companies(brand);
        assert_eq!(companies.len(), customers);
        assert_eq!(sandbox.subscriptions(brand).len(), customers * 8);
        let mut in_halo: HashMap<String, Vec<bool>> = HashMap::new();
        for client in sandbox.halo_clients() {
            in_halo.entry(text(&client, "name").to_owned()).or_default().push(client["inactive"] == true);
        }
        let count = |wanted: &dyn Fn(&[bool]) -> bool| {
            companies
                .iter()
                .filter(|c| in_halo.get(text(c, "CompanyName")).is_some_and(|p| wanted(p)))
                .count()
        };
        let exact = count(&|p| p == [false]);
        assert!((customers * 70 / 100..customers * 80 / 100).contains(&exact), "{exact}");
        assert!(count(&|p| p.len() == 2) > 0, "ambiguous");
        assert!(count(&|p| p == [true]) > 0, "inactive");
        let names: BTreeSet<&str> = companies.iter().map(|c| text(c, "CompanyName")).collect();
        assert!(names.len() < customers, "two customers of one name");
        let new = customers - count(&|_| true);
        assert!(new > customers / 20, "{new}");
    }
    let names = |brand| sandbox.companies(brand).iter().map(|c| text(c, "CompanyName").to_owned()).collect();
    let (also, westcoast): (BTreeSet<String>, BTreeSet<String>) =
        (names(Brand::Also), names(Brand::Westcoast));
    assert!(also.intersection(&westcoast).count() > 5, "some buy from both");
}

#[test]
fn the_mess_is_in_even_the_small_world() {
    let sandbox = small(1);
    let rows = sandbox.subscriptions(Brand::Also);
    let companies = sandbox.companies(Brand::Also);
    let any = |what: &str, found: &dyn Fn(&Value) -> bool| assert!(rows.iter().any(found), "no {what}");
    let quantities = |row: &Value| -> Vec<Value> {
        row["Fields"].as_array().unwrap().iter().map(|f| f["Value"].clone()).collect()
    };
    any("tenant", &|r| text(r, "ServiceName").contains("Organizationtenant"));
    any("usage", &|r| text(r, "ServiceDisplayName") == "Azure Plan");
    any("text", &|r| r["Fields"][0]["Name"] == "NumberofCSPlicenses" && r["Fields"][0]["Value"].is_string());
    any("zero", &|r| quantities(r).contains(&0.into()));
    any("fraction", &|r| quantities(r).contains(&2.5.into()));
    any("absurd", &|r| quantities(r).contains(&999_999_999_999_i64.into()));
    any("empty quantity", &|r| {
        r["PriceableItems"][0]["FieldName"] == "Quantity" && quantities(r)[0].is_null()
    });
    any("no price", &|r| r["PriceableItems"] == json!([]) && r["Fields"][0]["Name"] == "Quantity");
    any("terminated", &|r| r["AccountState"] == "Terminated");
    any("unknown state", &|r| r["AccountState"] == "Suspended");
    any("pending", &|r| r["ProvisioningStatus"] == "Pending");
    any("scheduled end", &|r| r["ScheduledTerminationDate"].is_string());
    any("ending period", &|r| r["AdvancePeriodEndAction"] == "Terminate");
    any("contract end only", &|r| r["ContractEndDate"].is_string() && r["AdvancePeriodEndDate"].is_null());
    any("other currency", &|r| r["PriceableItems"][0]["Currency"] == "USD");
    any("set-up fee first", &|r| r["PriceableItems"][0]["PriceableItemType"] == "Setup");
    any("several units", &|r| {
        r["PriceableItems"].as_array().unwrap().iter().filter(|i| i["IsUDRCField"] == true).count() == 2
    });
    any("paid yearly", &|r| r["PriceableItems"][0]["PrepaidPeriodInMonths"] == 12);
    any("user level", &|r| r["ParentType"] == "User");
    assert!(companies.iter().any(|c| c["AccountState"] == "Terminated"));
    assert!(companies.iter().any(|c| !text(c, "CompanyName").is_ascii()));
    for licence in sandbox.halo_licences() {
        assert_eq!((&licence["snowid"], &licence["notes"]), (&"".into(), &"Entered by hand".into()));
    }
    assert!(!sandbox.halo_licences().is_empty());
    for row in &rows {
        assert!(companies.iter().any(|c| c["AccountId"] == row["CompanyAccountId"]));
    }
}

#[test]
fn a_day_brings_changes_of_every_kind_and_they_are_real() {
    let sandbox = small(1);
    let before: BTreeMap<i64, Value> = sandbox
        .subscriptions(Brand::Also)
        .into_iter()
        .map(|r| (r["AccountId"].as_i64().unwrap(), r))
        .collect();
    let changes = sandbox.advance(1);
    let kinds: BTreeSet<&str> = changes.iter().map(|c| c.what).collect();
    let all = ["deleted", "ending", "new", "new customer", "price", "quantity", "terminated"];
    assert_eq!(kinds, all.into());
    for change in changes.iter().filter(|c| c.brand == Brand::Also) {
        let now = sandbox.subscription(Brand::Also, change.id);
        match change.what {
            "deleted" => assert!(now.is_none() && before.contains_key(&change.id)),
            "new" => assert!(now.is_some() && !before.contains_key(&change.id)),
            "new customer" => assert!(sandbox.company_ids(Brand::Also).contains(&change.id)),
            "quantity" => assert_ne!(now.unwrap()["Fields"], before[&change.id]["Fields"]),
            "price" => assert_ne!(now.unwrap()["PriceableItems"], before[&change.id]["PriceableItems"]),
            _ => assert_ne!(now.as_ref(), before.get(&change.id)),
        }
    }
}
