use parhelion::sandbox::quirks::{Addons, FaultForm, MissingRole, Vanished};
use parhelion::sandbox::{Brand, Host, MarketplaceQuirks, Quirks};
use serde_json::{Value, json};

use super::Rig;

const ALSO: Brand = Brand::Also;

fn also(change: impl FnOnce(&mut MarketplaceQuirks)) -> Quirks {
    let mut quirks = Quirks::default();
    change(&mut quirks.also);
    quirks
}

#[tokio::test]
async fn sign_in_failures_are_xml_that_says_why() {
    let rig = Rig::empty().await;
    let wrong = rig.call(ALSO, "", "GetSessionToken", &json!({"username": "x", "password": "y"})).await;
    assert_eq!(wrong.status(), 500);
    assert!(wrong.headers()["content-type"].to_str().unwrap().starts_with("application/xml"));
    assert!(wrong.text().await.unwrap().contains("Check your username and password"));

    rig.sandbox().set_quirks(also(|q| q.mfa = true));
    let document = rig.served.document();
    let right = json!({"username": document["also"]["username"], "password": document["also"]["password"]});
    let mfa = rig.call(ALSO, "", "GetSessionToken", &right).await;
    assert!(mfa.text().await.unwrap().contains("enabled MFA"));
    rig.sandbox().set_quirks(also(|q| q.plain_token = true));
    let token = rig.call(ALSO, "", "GetSessionToken", &right).await.text().await.unwrap();
    assert!(!token.starts_with('"') && token.contains('/'));
}

#[tokio::test]
async fn a_session_ends_with_a_fault_that_says_so_or_with_401() {
    let rig = Rig::empty().await;
    let session = rig.session(ALSO).await;
    assert_eq!(rig.call(ALSO, &session, "PingPong", &json!({})).await.text().await.unwrap(), "null");
    assert_eq!(rig.call(ALSO, &session, "TerminateSessionToken", &json!({})).await.status(), 200);
    let ended = rig.call(ALSO, &session, "PingPong", &json!({})).await;
    assert_eq!(ended.status(), 500);
    assert!(ended.text().await.unwrap().contains("<IsSessionExpired>true</IsSessionExpired>"));
    rig.sandbox().set_quirks(also(|q| q.expiry_as_401 = true));
    assert_eq!(rig.call(ALSO, &session, "PingPong", &json!({})).await.status(), 401);
}

#[tokio::test]
async fn wrongly_written_arguments_answer_for_the_own_company_or_fail() {
    let rig = Rig::empty().await;
    let company = rig.sandbox().put_company(ALSO, &json!({"CompanyName": "Alder & Finch Ltd"}));
    let session = rig.session(ALSO).await;
    let asked = rig.read(ALSO, &session, "GetCompany", &json!({"accountId": company})).await;
    assert_eq!(asked["CompanyName"], "Alder & Finch Ltd");
    let own = rig.read(ALSO, &session, "GetCompany", &json!({"AccountId": company})).await;
    assert_eq!(own["AccountId"], rig.sandbox().own_reseller(ALSO));
    let none = rig.call(ALSO, &session, "GetSubscriptions", &json!({"ParentAccountId": company})).await;
    assert_eq!(none.status(), 500);
    let customers = rig.read(ALSO, &session, "GetCompanies", &json!({})).await;
    assert_eq!(customers.as_array().unwrap().len(), 1);
    rig.sandbox().set_quirks(also(|q| q.companies_need_parent = true));
    assert_eq!(rig.call(ALSO, &session, "GetCompanies", &json!({})).await.status(), 500);
}

#[tokio::test]
async fn terminated_subscriptions_stay_listed_and_deleted_ones_vanish() {
    let rig = Rig::empty().await;
    let sandbox = rig.sandbox();
    let company = sandbox.put_company(ALSO, &json!({"CompanyName": "Alder"}));
    let terminated = sandbox.add_seats(ALSO, company, 5);
    let deleted = sandbox.add_seats(ALSO, company, 6);
    let user = sandbox.add_seats(ALSO, company, 7);
    sandbox.put_subscription(ALSO, &json!({"AccountId": terminated, "AccountState": "Terminated"}));
    sandbox.put_subscription(ALSO, &json!({"AccountId": user, "ParentType": "User", "ParentAccountId": 9}));
    sandbox.remove_subscription(ALSO, deleted);
    let session = rig.session(ALSO).await;
    let list = rig.read(ALSO, &session, "GetSubscriptions", &json!({"parentAccountId": company})).await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["AccountState"], "Terminated");
    let fewer = json!({"parentAccountId": company, "excludeUserLevel": true});
    assert_eq!(rig.read(ALSO, &session, "GetSubscriptions", &fewer).await.as_array().unwrap().len(), 1);

    let gone = json!({"accountId": deleted});
    let answer = rig.call(ALSO, &session, "GetSubscription", &gone).await;
    assert_eq!(answer.status(), 500);
    assert!(answer.text().await.unwrap().contains("<IsSessionExpired>false"));
    rig.sandbox().set_quirks(also(|q| q.vanished = Vanished::Null));
    assert_eq!(rig.read(ALSO, &session, "GetSubscription", &gone).await, Value::Null);
    rig.sandbox().set_quirks(also(|q| q.vanished = Vanished::NotFound));
    assert_eq!(rig.call(ALSO, &session, "GetSubscription", &gone).await.status(), 404);
}

#[tokio::test]
async fn calls_that_may_spend_money_are_refused_and_counted() {
    let rig = Rig::empty().await;
    let session = rig.session(ALSO).await;
    let refused = rig.call(ALSO, &session, "TerminateAccount", &json!({"accountId": 1})).await;
    assert_eq!(refused.status(), 500);
    assert_eq!(rig.sandbox().requests(Host::Also).refused_writes, 1);
    assert_eq!(rig.sandbox().journal().len(), 1);
    assert_eq!(rig.call(ALSO, &session, "GetUsers", &json!({})).await.status(), 500);
    assert_eq!(rig.sandbox().requests(Host::Also).refused_writes, 1);
}

#[tokio::test]
async fn every_form_the_contract_leaves_open_can_be_had() {
    let rig = Rig::empty().await;
    let sandbox = rig.sandbox();
    let company = sandbox.put_company(ALSO, &json!({"CompanyName": "Alder"}));
    let parent = sandbox.add_seats(ALSO, company, 5);
    let addon = sandbox.add_seats(ALSO, company, 1);
    sandbox.put_subscription(ALSO, &json!({"AccountId": addon, "ParentAccountId": parent}));
    sandbox.set_quirks(also(|q| {
        q.single_as_array = true;
        q.addons = Addons::List;
        q.omit_nulls = true;
        q.quantities_as_text = true;
        q.without_numeric_id = true;
        q.without_end_action = true;
        q.both_status_fields = true;
        q.fault_form = FaultForm::Soap;
        q.fault_status = 400;
        q.missing_role = None;
    }));
    let session = rig.session(ALSO).await;
    let found = rig.read(ALSO, &session, "GetCompany", &json!({"accountId": company})).await;
    assert!(found[0].get("NumericId").is_none() && found[0].get("CompanyContractEndDate").is_none());
    let full = rig.read(ALSO, &session, "GetSubscriptionWithAddons", &json!({"accountId": parent})).await;
    assert_eq!(full["Addons"][0]["AccountId"], addon);
    assert_eq!((&full["Status"], &full["Fields"][0]["Value"]), (&json!("Completed"), &json!("5")));
    assert!(full.get("AdvancePeriodEndAction").is_none());
    let fault = rig.call(ALSO, &session, "GetSubscription", &json!({"accountId": 1})).await;
    assert_eq!(fault.status(), 400);
    assert!(fault.text().await.unwrap().starts_with("<s:Fault"));

    for (missing, status) in
        [(MissingRole::Fault, 500), (MissingRole::Forbidden, 403), (MissingRole::EmptyList, 200)]
    {
        rig.sandbox().set_quirks(also(|q| q.missing_role = Some(missing)));
        let answer = rig.call(ALSO, &session, "GetCompanies", &json!({})).await;
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn the_two_marketplaces_share_nothing() {
    let rig = Rig::small().await;
    let also = rig.session(ALSO).await;
    let westcoast = rig.session(Brand::Westcoast).await;
    assert_eq!(rig.call(Brand::Westcoast, &also, "PingPong", &json!({})).await.status(), 500);
    let a = rig.read(ALSO, &also, "GetReseller", &json!({})).await;
    let w = rig.read(Brand::Westcoast, &westcoast, "GetReseller", &json!({})).await;
    assert_ne!(a["AccountId"], w["AccountId"]);
    let customers = rig.read(Brand::Westcoast, &westcoast, "GetCompanies", &json!({})).await;
    assert!(customers.as_array().unwrap().iter().all(|c| c["Currency"] == "GBP"));
}
