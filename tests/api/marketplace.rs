use parhelion::api::budget::Budget;
use parhelion::api::http::SendErrorKind;
use parhelion::api::marketplace::{LookUp, Marketplace};
use parhelion::model::{Class, Currency, Integration, Secret, SourceId};
use serde_json::{Value, json};

use crate::support::*;

fn nothing(_: u64, _: Option<u64>) {}

/// One reseller with the example customers.
fn example(asked: &Asked) -> Answer {
    let name = asked.path.rsplit('/').next().unwrap();
    match name {
        "GetReseller" => ok(fixture("marketplace/get_reseller.response.json")),
        "GetResellers" => ok("[]"),
        "TerminateSessionToken" => ok("null"),
        "GetCompanies" => ok(fixture("marketplace/get_companies.response.json")),
        "GetCompany" => ok(fixture("marketplace/get_company.response.json")),
        "GetSubscriptions" => ok(fixture("marketplace/get_subscriptions.response.json")),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_example_customers_are_read() {
    let vendor = with_session(example);
    let also = marketplace(&vendor);
    let listing = also.companies(&nothing).await.unwrap();
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(listing.records.len(), 3);
    let alder = &listing.records[0];
    assert_eq!((alder.id.as_str(), &*alder.name, &*alder.state), ("310101", "Alder & Finch Ltd", "Active"));
    assert_eq!(alder.vat.as_deref(), Some("GB123456789"));
    assert_eq!(alder.currency, Currency::new("GBP"));
    assert_eq!(alder.address.to_string(), "14 Orchard Row, Reading, RG1 1AA");
    assert_eq!(listing.records[1].domains.len(), 2);
    assert_eq!((listing.records[1].vat.clone(), &*listing.records[2].state), (None, "Terminated"));
    also.sign_out().await;
    let asked = vendor.asked();
    assert_eq!(asked[0].json(), json!({"username": "api@fernhill.example", "password": "hunter2!"}));
    assert_eq!(asked[0].authenticate, None);
    assert_eq!(asked[1].authenticate.as_deref(), Some("CCPSessionId C9C5MlqrpMwGEXAMPLE/+="));
    assert_eq!(asked[1].authorization, None);
    assert_eq!(asked[2].json(), json!({"parentAccountId": 310_001}));
    assert!(asked.iter().all(|asked| asked.method == "POST"));
    assert!(asked.last().unwrap().is("/SimpleAPI/SimpleAPIService.svc/rest/TerminateSessionToken"));
    assert_eq!(vendor.count("/GetSessionToken"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_example_subscriptions_are_read_as_facts() {
    let vendor = with_session(example);
    let listing = marketplace(&vendor).subscriptions(&SourceId::new("310101")).await.unwrap();
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(listing.records.len(), 8);
    let by = |id: &str| listing.records.iter().find(|row| row.id.as_str() == id).unwrap();
    let premium = by("400202");
    assert_eq!((premium.company.as_str(), premium.parent.as_ref().unwrap().as_str()), ("310101", "400201"));
    assert_eq!(premium.field("Quantity"), Some(&json!(25)));
    assert_eq!(premium.period_end_action.as_deref(), Some("Renew"));
    assert_eq!(premium.contract_end, Ok(Some("2026-03-13".parse().unwrap())));
    let item = &premium.priceable_items[0];
    assert!(item.is_unit && item.field_name.as_deref() == Some("Quantity"));
    assert_eq!(item.purchase_price.unwrap().to_string(), "15.27");
    assert_eq!((item.commitment_months, item.prepaid_months), (Some(12), Some(1)));
    assert_eq!(by("400203").field("NumberofCSPlicenses"), Some(&json!("4")), "text stays text");
    assert_eq!(by("400204").priceable_items.len(), 3);
    assert_eq!(by("400204").scheduled_termination, Ok(Some("2026-12-31".parse().unwrap())));
    assert!(
        by("400205").provisioning.as_deref() != Some("Completed") && by("400205").priceable_items.is_empty()
    );
    let asked = vendor.asked().pop().unwrap();
    assert_eq!(asked.json(), json!({"parentAccountId": 310_101}));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_rows_may_be_null_and_anything_else_is_no_answer() {
    for (body, complete) in [
        ("[]", true),
        ("null", true),
        ("{}", false),
        ("\"\"", false),
        ("", false),
        ("[{\"AccountId\":1", false),
        ("<html/>", false),
    ] {
        let vendor = with_session(move |_| ok(body));
        let result = marketplace(&vendor).subscriptions(&SourceId::new("310101")).await;
        assert_eq!(
            result.is_ok_and(|listing| listing.certificate.complete && listing.records.is_empty()),
            complete,
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_another_customer_is_a_failed_one() {
    let vendor = with_session(example);
    let problem = marketplace(&vendor).subscriptions(&SourceId::new("310102")).await.unwrap_err();
    assert!(problem.message.contains("310102") && problem.message.contains("310101"), "{problem}");
    assert_eq!(problem.class, Class::Listing);
}

#[tokio::test(start_paused = true)]
async fn odd_subscriptions_are_named_and_cost_the_certificate() {
    let rows = json!([
        {"AccountId": "400001", "CompanyAccountId": 310_101, "Status": "Pending", "Fields": null, "ContractEndDate": "31/12/2026",
         "AdvancePeriodEndDate": "0001-01-01T00:00:00", "ScheduledTerminationDate": ""},
        {"AccountId": null, "ServiceDisplayName": "No id"},
        {"AccountId": 400_002, "ServiceDisplayName": "Odd fields", "Fields": {"Quantity": 5}},
        "text",
    ]);
    let vendor = with_session(move |_| json(rows.clone()));
    let listing = marketplace(&vendor).subscriptions(&SourceId::new("310101")).await.unwrap();
    assert_eq!(listing.records.len(), 1);
    let row = &listing.records[0];
    assert_eq!((row.provisioning.as_deref(), row.contract_end.is_err()), (Some("Pending"), true));
    assert_eq!((&row.period_end, &row.scheduled_termination), (&Ok(None), &Ok(None)));
    assert_eq!(listing.problems.len(), 3);
    assert!(listing.problems.iter().any(|problem| problem.message.contains("No id")));
    assert!(!listing.certificate.complete);

    let vendor = with_session(|_| json(json!([{"AccountId": 1}, {"AccountId": 1}])));
    let listing = marketplace(&vendor).subscriptions(&SourceId::new("310101")).await.unwrap();
    assert_eq!(
        (listing.records.len(), listing.certificate.complete),
        (1, false),
        "a repeated id (decision 34)"
    );
}

#[tokio::test(start_paused = true)]
async fn sub_resellers_are_walked_and_cycles_end() {
    let company = |id: i64, parent: i64| json!({"AccountId": id, "ParentAccountId": parent, "CompanyName": format!("C{id}")});
    let script = move |broken: bool| {
        move |asked: &Asked| {
            let parent = asked.json()["parentAccountId"].as_i64();
            match (asked.path.rsplit('/').next().unwrap(), parent) {
                ("GetReseller", _) => json(json!([company(1, 0)])),
                ("GetResellers", Some(1)) => json(json!([company(2, 1), company(3, 1)])),
                ("GetResellers", Some(3)) => json(json!([company(1, 3)])),
                ("GetResellers", _) => ok("null"),
                ("GetCompanies", Some(2)) if broken => fault("fault_unknown_account"),
                ("GetCompanies", Some(id)) => json(json!([company(id * 10, id), company(id * 10 + 1, id)])),
                other => panic!("{other:?}"),
            }
        }
    };
    let vendor = with_session(script(false));
    let listing = marketplace(&vendor).companies(&nothing).await.unwrap();
    assert_eq!(
        listing.records.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(),
        ["10", "11", "20", "21", "30", "31"]
    );
    assert!(listing.certificate.complete);
    let vendor = with_session(script(true));
    let listing = marketplace(&vendor).companies(&nothing).await.unwrap();
    assert_eq!((listing.records.len(), listing.certificate.complete), (4, false));
}

#[tokio::test(start_paused = true)]
async fn an_ignored_argument_does_not_pass_for_the_customer() {
    for file in ["get_company.response", "get_company.response_array_variant"] {
        let vendor = with_session(move |_| ok(fixture(&format!("marketplace/{file}.json"))));
        let found = marketplace(&vendor).company(&SourceId::new("310101")).await.unwrap().unwrap();
        assert_eq!(found.id.as_str(), "310101");
    }
    let vendor = with_session(|_| ok(fixture("marketplace/get_reseller.response.json")));
    assert!(marketplace(&vendor).company(&SourceId::new("310101")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_is_renewed_once() {
    for respond in [|| fault("fault_session_expired"), || answer(401, "")] {
        let mut logins = 0;
        let vendor = Vendor::new(move |asked| {
            if asked.is("/GetSessionToken") {
                logins += 1;
                return ok(format!("\"token-number-{logins}\""));
            }
            if asked.authenticate.as_deref() == Some("CCPSessionId token-number-1") {
                respond()
            } else {
                example(asked)
            }
        });
        let also = marketplace(&vendor);
        assert_eq!(also.companies(&nothing).await.unwrap().records.len(), 3);
        assert_eq!(vendor.count("/GetSessionToken"), 2);
    }
    // A session that dies again at once: stop, and do not log in any more.
    let vendor = with_session(|_| fault("fault_session_expired"));
    let also = marketplace(&vendor);
    for _ in 0..3 {
        assert_eq!(also.companies(&nothing).await.unwrap_err().class, Class::Auth);
    }
    assert_eq!((vendor.count("/GetSessionToken"), vendor.count("/GetReseller")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_sign_in_says_why_and_is_not_repeated() {
    let soap = r#"<s:Fault xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Reason><s:Text>Unable to get session token. Users with enabled MFA are not supported.</s:Text></s:Reason></s:Fault>"#;
    let table: Vec<(Answer, &str)> = vec![
        (fault("fault_bad_credentials"), "Check your username and password"),
        (fault("fault_mfa_enabled"), "this account has 2FA on"),
        (answer(500, soap), "this account has 2FA on"),
        (answer(403, ""), "refused the sign-in"),
        (answer(400, "bad"), "refused the sign-in"),
    ];
    for (respond, words) in table {
        let vendor = Vendor::new(move |_| respond.clone());
        let westcoast = Marketplace::new(
            Integration::Westcoast,
            &marketplace_settings(),
            Secret::new("hunter2!"),
            vendor.clone(),
            Budget::new(free()),
        )
        .unwrap()
        .with_retry(quick());
        for _ in 0..3 {
            let problem = westcoast.companies(&nothing).await.unwrap_err();
            assert_eq!(problem.class, Class::Auth);
            let text = problem.to_string();
            assert!(
                text.contains(words) && text.contains("Westcoast Cloud") && !text.contains("ALSO"),
                "{text}"
            );
            assert!(!text.contains("hunter2!"));
            if words.contains("2FA") {
                assert!(text.contains("Westcoast Cloud support") && text.contains("API-only user"), "{text}");
            }
        }
        assert_eq!(vendor.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_sign_in_is_not_a_wrong_password() {
    let mut turn = 0;
    let vendor = Vendor::new(move |asked| {
        turn += 1;
        match turn {
            1 => answer(503, "<html>maintenance</html>"),
            2 => broken(SendErrorKind::Timeout),
            _ if asked.is("/GetSessionToken") => ok("  plain-token-without-quotes\n"),
            _ => example(asked),
        }
    });
    assert!(marketplace(&vendor).companies(&nothing).await.is_ok());
    assert_eq!(
        vendor.asked().last().unwrap().authenticate.as_deref(),
        Some("CCPSessionId plain-token-without-quotes")
    );
    for (status, body) in [(404, ""), (200, "<html>portal</html>"), (404, "<html>")] {
        let vendor = Vendor::new(move |_| answer(status, body));
        let problem = marketplace(&vendor).companies(&nothing).await.unwrap_err();
        assert!(problem.message.contains("does not offer its API"), "{problem}");
        assert_eq!(problem.class, Class::Host);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_role_is_named_with_the_right() {
    for respond in [|| fault("fault_missing_role"), || answer(403, "")] {
        let vendor = with_session(move |_| respond());
        let problem = marketplace(&vendor).companies(&nothing).await.unwrap_err();
        assert_eq!(problem.class, Class::Auth);
        let text = problem.to_string();
        assert!(text.contains("Reseller Admin") && text.contains("read right"), "{text}");
        assert_eq!(vendor.asked().len(), 2, "a fault is an answer: it is not asked for again");
    }
}

fn look_up(subscription: Answer, company: Answer) -> LookUp {
    let vendor =
        with_session(
            move |asked| if asked.is("/GetSubscription") { subscription.clone() } else { company.clone() },
        );
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(
        marketplace(&vendor).look_up_subscription(&SourceId::new("400202"), &SourceId::new("310101")),
    )
}

#[test]
fn absence_is_confirmed_only_by_what_can_mean_nothing_else() {
    let company = || ok(fixture("marketplace/get_company.response.json"));
    let present = || ok(fixture("marketplace/get_subscription.response.json"));
    assert!(matches!(look_up(present(), company()), LookUp::Present(found) if found.id.as_str() == "400202"));
    for gone in [ok("null"), ok("[]"), answer(404, ""), fault("fault_unknown_account")] {
        assert_eq!(look_up(gone.clone(), company()), LookUp::Gone);
        for no_proof in [
            answer(500, ""),
            ok("null"),
            fault("fault_unknown_account"),
            broken(SendErrorKind::Timeout),
            ok(fixture("marketplace/get_reseller.response.json")),
        ] {
            assert!(matches!(look_up(gone.clone(), no_proof), LookUp::Unconfirmed(_)));
        }
    }
    let mut other: Value = fixture_json("marketplace/get_subscription.response.json");
    other["AccountId"] = json!(400_203);
    for unconfirmed in [
        json(other),
        answer(500, ""),
        answer(503, "<html>"),
        answer(403, ""),
        broken(SendErrorKind::Timeout),
        broken(SendErrorKind::Reset),
        ok("{"),
        ok("<html>"),
        fault("fault_session_expired"),
        fault("fault_bad_credentials"),
    ] {
        assert!(matches!(look_up(unconfirmed.clone(), company()), LookUp::Unconfirmed(_)), "{unconfirmed:?}");
    }
}
