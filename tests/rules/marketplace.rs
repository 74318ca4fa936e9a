use parhelion::integrations::field_rules::{marketplace as field_rules, owned_fields};
use parhelion::integrations::{wanted_customer, wanted_subscription};
use parhelion::model::marketplace::{PriceableItem, SourceCompany, SourceSubscription};
use parhelion::model::settings::{EndDateSource, Marketplace, StatusMeaning};
use parhelion::model::{
    Address, Amount, Currency, Entity, FieldName, Integration, SourceId, Value, Verdict, Wanted,
};
use serde_json::json;

fn sub() -> SourceSubscription {
    SourceSubscription {
        id: SourceId::new("400202"),
        company: SourceId::new("310101"),
        parent: None,
        state: "Active".into(),
        provisioning: Some("Completed".into()),
        error_details: None,
        service_name: "200001_NCE_10002".into(),
        display_name: " Business Premium ".into(),
        vendor: "Microsoft".into(),
        fields: vec![("Quantity".into(), json!(25)), ("BillingType".into(), json!("P1Y"))],
        priceable_items: vec![item("Quantity", true, "15.27", "18.1")],
        contract_end: Ok(None),
        period_end: Ok(None),
        period_end_action: None,
        scheduled_termination: Ok(None),
    }
}

fn item(field: &str, is_unit: bool, cost: &str, price: &str) -> PriceableItem {
    PriceableItem {
        charge_type: "Recurring".into(),
        item_type: "Monthly".into(),
        currency: Currency::new("GBP"),
        field_name: Some(field.into()),
        is_unit,
        purchase_price: Amount::parse(&json!(cost)),
        sales_price: Amount::parse(&json!(price)),
        suggested_price: None,
        commitment_months: Some(12),
        prepaid_months: Some(1),
        description: "".into(),
    }
}

fn company(state: &str, name: &str) -> SourceCompany {
    SourceCompany {
        id: SourceId::new("310101"),
        parent: None,
        state: state.into(),
        name: name.into(),
        vat: Some("GB123456789".into()),
        domains: vec!["alder.example".into(), "gmail.com".into()],
        currency: Currency::new("GBP"),
        address: Address::default(),
        portal_number: None,
        customer_number: None,
        reference: None,
    }
}

fn read(s: &SourceSubscription) -> Wanted {
    wanted_subscription(s, &Marketplace::default())
}

fn priced(s: &SourceSubscription) -> Wanted {
    wanted_subscription(s, &Marketplace { set_price_and_cost: true, ..Marketplace::default() })
}

fn why(wanted: &Wanted) -> &str {
    let Verdict::Hold(why) = &wanted.verdict else { panic!("{wanted:?}") };
    why
}

fn quantity(wanted: &Wanted) -> Option<String> {
    wanted.fields.get(FieldName::Quantity).map(ToString::to_string)
}

#[test]
fn b2_name_status_and_quantity() {
    let wanted = read(&sub());
    assert_eq!(wanted.verdict, Verdict::Take);
    assert_eq!(
        (wanted.name.as_ref(), wanted.parent.as_ref().unwrap().as_str()),
        ("Business Premium", "310101")
    );
    assert_eq!(wanted.fields.get(FieldName::Status), Some(&Value::Active(true)));
    assert_eq!(quantity(&wanted).as_deref(), Some("25"));
    assert_eq!(wanted.fields.get(FieldName::Price), None, "B5: off means never");
}

#[test]
fn b2_a_count_is_never_guessed() {
    for bad in [json!("12a"), json!(1.5), json!(-1), json!(""), json!(null), json!(99_999_999), json!([1])] {
        let mut s = sub();
        s.fields[0].1 = bad.clone();
        let wanted = read(&s);
        let why = why(&wanted);
        assert!(why.contains("Quantity") && why.contains("400202"), "{bad}: {why}");
        assert_eq!(quantity(&wanted), None);
    }
    for good in [json!(0), json!("25"), json!(25.0)] {
        let mut s = sub();
        s.fields[0].1 = good;
        assert_eq!(read(&s).verdict, Verdict::Take);
    }
}

#[test]
fn d30_the_unit_field_counts() {
    let mut s = sub();
    s.fields = vec![("Seats".into(), json!("7")), ("Quantity".into(), json!(1))];
    s.priceable_items = vec![item("Seats", true, "1", "2")];
    assert_eq!(quantity(&read(&s)).as_deref(), Some("7"));
    s.priceable_items.push(item("Quantity", true, "1", "2"));
    assert_eq!(quantity(&read(&s)).as_deref(), Some("1"), "of several the one named Quantity");
    s.priceable_items = vec![item("Seats", true, "1", "2"), item("Boxes", true, "1", "2")];
    assert!(why(&read(&s)).contains("Boxes, Seats"));
    s.priceable_items = vec![item("Seats", false, "1", "2")];
    assert_eq!(quantity(&read(&s)).as_deref(), Some("1"), "no unit: the field named Quantity");
    s.fields.clear();
    assert_eq!((quantity(&read(&s)), read(&s).verdict), (None, Verdict::Take), "a tenant: no count is sent");
    s.priceable_items = vec![item("Seats", true, "1", "2")];
    assert!(why(&read(&s)).contains("'Seats'"), "its unit field is missing");
}

#[test]
fn b7_state_words() {
    let mut s = sub();
    for (word, active) in [("active", true), (" TERMINATED ", false)] {
        s.state = word.into();
        assert_eq!(read(&s).fields.get(FieldName::Status), Some(&Value::Active(active)));
    }
    s.state = "Suspended".into();
    assert!(why(&read(&s)).contains("'Suspended'") && why(&read(&s)).contains("status_words"));
    let mut settings = Marketplace::default();
    settings.status_words.insert("suspended".into(), StatusMeaning::Inactive);
    assert_eq!(wanted_subscription(&s, &settings).verdict, Verdict::Take);
    s.state = "".into();
    assert!(matches!(read(&s).verdict, Verdict::Hold(_)));
}

#[test]
fn b7_an_ended_subscription_without_a_count_still_ends() {
    let mut s = sub();
    s.state = "Terminated".into();
    s.fields[0].1 = json!(null);
    s.provisioning = Some("Failed".into());
    let wanted = read(&s);
    assert_eq!((wanted.verdict.clone(), quantity(&wanted)), (Verdict::Take, None));
}

#[test]
fn b3_scope() {
    let scoped = |customers: &[&str], products: &[&str], statuses: &[&str]| {
        let list = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let mut settings = Marketplace::default();
        settings.customer_subscriptions_to_import.customers = list(customers);
        settings.customer_subscriptions_to_import.products = list(products);
        settings.customer_subscriptions_to_import.statuses = list(statuses);
        matches!(wanted_subscription(&sub(), &settings).verdict, Verdict::Take)
    };
    assert!(scoped(&["310101"], &["200001_NCE_10002"], &["active"]));
    assert!(scoped(&[], &["business premium"], &[]));
    assert!(!scoped(&["1"], &[], &[]));
    assert!(!scoped(&[], &["Other"], &[]));
    assert!(!scoped(&[], &[], &["Terminated"]));
    // Outside the scope comes before anything that would hold it.
    let mut s = sub();
    s.state = "Odd".into();
    let mut settings = Marketplace::default();
    settings.customer_subscriptions_to_import.customers = vec!["1".into()];
    assert!(matches!(wanted_subscription(&s, &settings).verdict, Verdict::OutOfScope(_)));
}

#[test]
fn b5_price_and_cost() {
    let wanted = priced(&sub());
    assert_eq!(wanted.fields.get(FieldName::Price).unwrap().to_string(), "18.10");
    assert_eq!(wanted.fields.get(FieldName::Cost).unwrap().to_string(), "15.27");
    assert_eq!(wanted.currency, Currency::new("GBP"));
}

#[test]
fn b5_prices_are_never_summed_nor_set_up_fees_taken() {
    let mut s = sub();
    let mut setup = item("Quantity", true, "100", "200");
    setup.item_type = "Setup".into();
    s.priceable_items.insert(0, setup);
    s.priceable_items.push(item("Quantity", true, "15.270", "18.10"));
    assert_eq!(priced(&s).fields.get(FieldName::Price).unwrap().to_string(), "18.10");
    s.priceable_items.push(item("Quantity", true, "15.27", "19"));
    assert!(why(&priced(&s)).contains("18.10, 19.00"));
    assert_eq!(read(&s).verdict, Verdict::Take, "with prices off they hold nothing");
}

#[test]
fn b5_a_missing_price_is_not_zero() {
    let mut s = sub();
    s.priceable_items[0].sales_price = None;
    let wanted = priced(&s);
    assert_eq!((wanted.verdict.clone(), wanted.fields.get(FieldName::Price)), (Verdict::Take, None));
    assert!(wanted.fields.get(FieldName::Cost).is_some());
    assert!(wanted.notes.iter().any(|n| n.contains("no sales price")));
    s.priceable_items[0].sales_price = Amount::parse(&json!(0));
    assert!(priced(&s).fields.get(FieldName::Price).is_some(), "zero is a price");
    s.priceable_items.clear();
    assert_eq!(priced(&s).fields.get(FieldName::Cost), None);
}

#[test]
fn b5_prepaid_periods_are_noted_and_mixed_currencies_held() {
    let mut s = sub();
    s.priceable_items[0].prepaid_months = Some(12);
    assert!(priced(&s).notes.iter().any(|n| n.contains("12 months")));
    let mut euro = item("Quantity", true, "15.27", "18.1");
    euro.currency = Currency::new("EUR");
    s.priceable_items.push(euro);
    assert!(why(&priced(&s)).contains("EUR, GBP"));
}

#[test]
fn b6_end_dates_in_order_with_their_source() {
    let date = |text: &str| Ok(Some(text.parse().unwrap()));
    let mut s = sub();
    let end = |s: &SourceSubscription| {
        let wanted = read(s);
        let note = wanted.notes.iter().find(|n| n.starts_with("end date")).map(ToString::to_string);
        (wanted.fields.get(FieldName::EndDate).map(ToString::to_string), note)
    };
    assert_eq!(end(&s), (None, None));
    s.period_end = date("2026-01-01");
    assert_eq!(end(&s).1.unwrap(), "end date from AdvancePeriodEndDate");
    s.contract_end = date("2025-01-01");
    assert_eq!(end(&s), (Some("2025-01-01".into()), Some("end date from ContractEndDate".into())));
    s.period_end_action = Some("Terminate".into());
    assert_eq!(end(&s).0.unwrap(), "2026-01-01", "the subscription's own end wins");
    s.scheduled_termination = date("2027-01-01");
    assert_eq!(end(&s).0.unwrap(), "2027-01-01", "even if later");
    s.scheduled_termination = Err("'soon' is not a date".into());
    assert!(why(&read(&s)).contains("ScheduledTerminationDate"));
    let settings = Marketplace { end_date_order: vec![EndDateSource::Contract], ..Marketplace::default() };
    assert_eq!(
        wanted_subscription(&s, &settings).verdict,
        Verdict::Take,
        "a date that is not asked for holds nothing"
    );
}

#[test]
fn what_is_not_provisioned_yet_is_held() {
    let mut s = sub();
    for good in [None, Some(""), Some(" completed ")] {
        s.provisioning = good.map(Into::into);
        assert_eq!(read(&s).verdict, Verdict::Take);
    }
    s.provisioning = Some("Failed".into());
    s.error_details = Some("no tenant".into());
    assert!(why(&read(&s)).contains("'Failed' (no tenant)"));
}

#[test]
fn a_blank_product_name_is_held_under_its_technical_one() {
    let mut s = sub();
    s.display_name = "  ".into();
    let wanted = read(&s);
    assert_eq!(wanted.name.as_ref(), "200001_NCE_10002");
    assert!(why(&wanted).contains("400202"));
}

#[test]
fn customers_by_state_and_with_their_own_domains() {
    let verdict =
        |state: &str, name: &str| wanted_customer(&company(state, name), &Marketplace::default()).verdict;
    assert_eq!(verdict("Active", "Alder"), Verdict::Take);
    assert_eq!(verdict("", "Alder"), Verdict::Take);
    assert!(matches!(verdict("terminated", "Alder"), Verdict::Ended(_)));
    assert!(matches!(verdict("Odd", "Alder"), Verdict::Hold(_)));
    assert!(matches!(verdict("Active", " "), Verdict::Hold(_)));
    let wanted = wanted_customer(&company("Active", " Alder "), &Marketplace::default());
    assert_eq!((wanted.name.as_ref(), wanted.keys.domains.len()), ("Alder", 1));
    assert_eq!(wanted.fields.get(FieldName::MainSiteAddress), None);
}

#[test]
fn c12_no_line_of_the_fields_pane_names_the_other_brand() {
    for integration in [Integration::Also, Integration::Westcoast] {
        for on in [false, true] {
            let settings = Marketplace {
                set_price_and_cost: on,
                deactivate_deleted: on,
                rename_in_halo: on,
                ..Marketplace::default()
            };
            let rules = field_rules(integration, &settings);
            let text = format!("{rules:?}");
            let other = if integration == Integration::Also { "Westcoast" } else { "ALSO" };
            assert!(!text.contains(other), "{text}");
            for entity in integration.entities().iter().copied() {
                assert!(rules.iter().any(|rule| rule.entity == entity));
                assert_eq!(
                    owned_fields(entity, &settings).contains(&FieldName::Price),
                    on && entity == Entity::Subscriptions
                );
            }
        }
    }
}
