//! A simulated ALSO Cloud Marketplace or Westcoast Cloud ("SimpleAPI").
//!
//! Source: `apis/also.md`. Records are kept as the JSON text that is sent: lists are as long as the marketplace itself,
//! and most answers are then only put together.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::quirks::{Addons, FaultForm, MarketplaceQuirks, MissingRole, Vanished};
use super::rng::Rng;
use super::wire::{Answer, Call, too_many};
use super::{Brand, PASSWORD, Sandbox, halo_calls};

const PREFIX: &str = "/SimpleAPI/SimpleAPIService.svc/rest/";

/// Calls that only read but have no simulated data.
const READS_WITHOUT_DATA: [&str; 16] = [
    "GetCompanyByVatId",
    "GetResellerByVatId",
    "GetDepartment",
    "GetDepartments",
    "GetUser",
    "GetUsers",
    "GetSubscriptionDependencies",
    "GetCreditLimit",
    "ListMarketplaceServices",
    "GetMarketplaceServiceCharges",
    "GetLatestInvoices",
    "GetLatestInvoicesForPeriod",
    "GetPreviewInvoices",
    "GetReports",
    "ExecuteReport",
    "GetServiceInformation",
];

/// One marketplace's data and sessions.
#[derive(Debug)]
pub(super) struct Market {
    /// `AccountId` of the reseller that the API user belongs to.
    pub(super) own: i64,
    companies: BTreeMap<i64, Company>,
    subscriptions: BTreeMap<i64, Subscription>,
    /// Companies of a reseller, in the order they are listed; nobody promises one.
    children: HashMap<i64, Vec<i64>>,
    by_company: HashMap<i64, Vec<i64>>,
    sessions: HashMap<String, u64>,
    rng: Rng,
    recent: VecDeque<Duration>,
    next: i64,
}

#[derive(Debug)]
struct Company {
    parent: i64,
    reseller: bool,
    text: Box<str>,
}

#[derive(Debug)]
struct Subscription {
    company: i64,
    parent: i64,
    under_user: bool,
    text: Box<str>,
}

impl Market {
    pub(super) fn empty(brand: Brand) -> Self {
        let (own, name) = match brand {
            Brand::Also => (310_001, "Fernhill IT Ltd"),
            Brand::Westcoast => (870_001, "Fernhill IT Ltd"),
        };
        let mut market = Self {
            own,
            companies: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            children: HashMap::new(),
            by_company: HashMap::new(),
            sessions: HashMap::new(),
            rng: Rng::of(own as u64, "sessions"),
            recent: VecDeque::new(),
            next: own + 600_000,
        };
        market.reseller(own, 100_001, name);
        market
    }

    /// Adds a reseller.
    pub(super) fn reseller(&mut self, id: i64, parent: i64, name: &str) {
        let row = json!({
            "ParentAccountId": parent, "AccountId": id, "AccountState": "Active", "AccountType": "Reseller",
            "CompanyName": name, "VATID": "GB111222333", "Domain": ["fernhill.example"],
            "BillingStartDate": "2023-04-01T00:00:00", "ContractId": "", "PurchaseOrderNumber": "", "CustomerId": "",
            "NumericId": format!("{}", 690_776 + id), "Currency": "GBP", "Address": "Fernhill House",
            "City": "Bristol", "Country": "United Kingdom", "Zip": "BS1 4EF", "Email": "hello@fernhill.example",
            "TechnicalEmail": "", "TechnicalContact": "", "ContactPerson": "", "Salesman": "", "Marketplace": 501,
            "Marketplaces": [501], "CrefoNumber": "", "CompanyContractEndDate": null, "MPNId": "0000000",
            "ReferenceNumber": "", "OnlineBillSplitByEndCustomer": false, "Language": "en",
        });
        self.insert_company(id, parent, true, row.to_string());
    }

    pub(super) fn insert_company(&mut self, id: i64, parent: i64, reseller: bool, text: String) {
        if let Some(old) = self.companies.insert(id, Company { parent, reseller, text: text.into() })
            && let Some(siblings) = self.children.get_mut(&old.parent)
        {
            if old.parent == parent {
                return;
            }
            siblings.retain(|c| *c != id);
        }
        self.children.entry(parent).or_default().push(id);
        self.next = self.next.max(id + 1);
    }

    pub(super) fn insert_subscription(
        &mut self,
        id: i64,
        company: i64,
        parent: i64,
        under_user: bool,
        text: String,
    ) {
        let text = text.into();
        let fresh = Subscription { company, parent, under_user, text };
        match self.subscriptions.insert(id, fresh) {
            Some(old) if old.company == company => return,
            Some(old) => {
                if let Some(group) = self.by_company.get_mut(&old.company) {
                    group.retain(|s| *s != id);
                }
            }
            None => {}
        }
        self.by_company.entry(company).or_default().push(id);
        self.next = self.next.max(id + 1);
    }

    /// Adds a company, or changes the members that are given. Anything not said gets a plain value.
    pub(super) fn put_company(&mut self, given: &Value) -> i64 {
        let id = given["AccountId"].as_i64().unwrap_or(self.next);
        let before = self.companies.get(&id).and_then(|c| serde_json::from_str(&c.text).ok());
        let row = merged(before.unwrap_or_else(|| plain_company(id, self.own)), given);
        let parent = row["ParentAccountId"].as_i64().unwrap_or(self.own);
        self.insert_company(id, parent, row["AccountType"] == "Reseller", row.to_string());
        id
    }

    /// Adds a subscription, or changes the members that are given. Anything not said gets a plain value.
    pub(super) fn put_subscription(&mut self, given: &Value) -> i64 {
        let id = given["AccountId"].as_i64().unwrap_or(self.next);
        let before = self.subscriptions.get(&id).and_then(|s| serde_json::from_str(&s.text).ok());
        let mut row = merged(before.unwrap_or_else(|| plain_subscription(id)), given);
        let company = row["CompanyAccountId"].as_i64().unwrap_or(self.own);
        let parent = row["ParentAccountId"].as_i64().unwrap_or(company);
        row["ParentAccountId"] = parent.into();
        self.insert_subscription(id, company, parent, row["ParentType"] == "User", row.to_string());
        id
    }

    pub(super) fn remove_company(&mut self, id: i64) -> bool {
        let Some(old) = self.companies.remove(&id) else { return false };
        if let Some(siblings) = self.children.get_mut(&old.parent) {
            siblings.retain(|c| *c != id);
        }
        for subscription in self.by_company.remove(&id).unwrap_or_default() {
            self.subscriptions.remove(&subscription);
        }
        true
    }

    pub(super) fn remove_subscription(&mut self, id: i64) -> bool {
        let Some(old) = self.subscriptions.remove(&id) else { return false };
        if let Some(group) = self.by_company.get_mut(&old.company) {
            group.retain(|s| *s != id);
        }
        true
    }

    /// Customers, without resellers, by id.
    pub(super) fn all_companies(&self) -> Vec<Value> {
        self.companies
            .values()
            .filter(|c| !c.reseller)
            .filter_map(|c| serde_json::from_str(&c.text).ok())
            .collect()
    }

    pub(super) fn all_subscriptions(&self) -> Vec<Value> {
        self.subscriptions.values().filter_map(|s| serde_json::from_str(&s.text).ok()).collect()
    }

    pub(super) fn subscription(&self, id: i64) -> Option<Value> {
        serde_json::from_str(&self.subscriptions.get(&id)?.text).ok()
    }

    pub(super) fn company_ids(&self) -> Vec<i64> {
        self.companies.iter().filter(|(_, c)| !c.reseller).map(|(id, _)| *id).collect()
    }

    pub(super) fn subscription_ids(&self) -> Vec<i64> {
        self.subscriptions.keys().copied().collect()
    }

    pub(super) fn expire_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Shuffles the order in which customers are listed.
    pub(super) fn shuffle_listing(&mut self, rng: &mut Rng) {
        if let Some(children) = self.children.get_mut(&self.own) {
            rng.shuffle(children);
        }
    }

    /// Looks like base64 and holds `/` and `+`, which must not end up in a URL.
    fn new_token(&mut self) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let body: String = (0..40).map(|_| char::from(*self.rng.pick(LETTERS))).collect();
        format!("{body}/+==")
    }
}

fn list<'a>(texts: impl Iterator<Item = Cow<'a, str>>) -> Answer {
    let mut out = String::from("[");
    for (n, text) in texts.enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&text);
    }
    out.push(']');
    Answer::raw_json(200, out.into_bytes())
}

fn merged(mut row: Value, given: &Value) -> Value {
    for (name, value) in given.as_object().into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    row
}

fn plain_company(id: i64, own: i64) -> Value {
    json!({
        "ParentAccountId": own, "AccountId": id, "AccountState": "Active", "AccountType": "Company",
        "CompanyName": format!("Company {id}"), "VATID": "", "Domain": [], "BillingStartDate": "2024-01-01T00:00:00",
        "ContractId": "", "PurchaseOrderNumber": "", "CustomerId": "", "NumericId": format!("{}", id + 1_000_000),
        "Currency": "GBP", "Address": "", "City": "", "Country": "United Kingdom", "Zip": "", "Email": "",
        "TechnicalEmail": "", "TechnicalContact": "", "ContactPerson": "", "Salesman": "", "Marketplace": 501,
        "Marketplaces": [501], "CrefoNumber": "", "CompanyContractEndDate": null, "MPNId": "", "ReferenceNumber": "",
        "OnlineBillSplitByEndCustomer": false, "Language": "en", "Industry": "",
    })
}

fn plain_subscription(id: i64) -> Value {
    json!({
        "ParentType": "Company", "AccountId": id, "AccountState": "Active",
        "ServiceName": format!("200001_Product_{id}"), "ServiceDisplayName": format!("Product {id}"),
        "VendorDisplayName": "Microsoft", "ContractId": "", "PurchaseOrderNumber": "",
        "ProvisioningStatus": "Completed", "ErrorDetails": null, "VendorReferenceId": null,
        "SecondVendorReferenceId": null, "BillingStartDate": "2025-01-01T00:00:00", "ContractEndDate": null,
        "PriceProtectionEndDate": null, "AdvancePeriodEndDate": null, "AdvancePeriodEndAction": null,
        "ScheduledTerminationDate": null, "HasRenewActionValuesConfigured": false, "RemainingCreditLimit": null,
        "DependencyAccountId": null, "DependencyServiceName": null, "Fields": [], "RenewFields": [],
        "PriceableItems": [],
    })
}

/// Gives a record the form that the switches ask for.
fn dressed<'a>(text: &'a str, quirks: &MarketplaceQuirks) -> Cow<'a, str> {
    let plain = !(quirks.both_status_fields
        || quirks.without_end_action
        || quirks.without_numeric_id
        || quirks.omit_nulls
        || quirks.quantities_as_text);
    if plain {
        return text.into();
    }
    let Ok(Value::Object(mut row)) = serde_json::from_str(text) else { return text.into() };
    if quirks.both_status_fields
        && let Some(status) = row.get("ProvisioningStatus").cloned()
    {
        row.insert("Status".to_owned(), status);
    }
    if quirks.without_end_action {
        row.remove("AdvancePeriodEndAction");
    }
    if quirks.without_numeric_id {
        for name in ["NumericId", "VAT", "Language"] {
            row.remove(name);
        }
    }
    if quirks.quantities_as_text {
        for field in row.get_mut("Fields").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Number(number) = &field["Value"] {
                field["Value"] = number.to_string().into();
            }
        }
    }
    if quirks.omit_nulls {
        without_nulls(&mut row);
    }
    Cow::Owned(Value::Object(row).to_string())
}

fn without_nulls(row: &mut Map<String, Value>) {
    row.retain(|_, value| !value.is_null());
    for value in row.values_mut() {
        match value {
            Value::Object(inner) => without_nulls(inner),
            Value::Array(items) => {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    without_nulls(item);
                }
            }
            _ => {}
        }
    }
}

/// An error as the service words it (also.md 3).
fn fault(message: &str, expired: bool, quirks: &MarketplaceQuirks) -> Answer {
    let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let detail = format!(
        "<ServiceException xmlns=\"http://schemas.datacontract.org/2004/07/Nervogrid.Platform.API\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><IsSessionExpired>{expired}</IsSessionExpired>\
         <IssueToken>00000000-1111-2222-3333-444444444444</IssueToken><Message>{message}</Message></ServiceException>"
    );
    let plain = || {
        format!(
            "<Fault xmlns=\"http://schemas.microsoft.com/ws/2005/05/envelope/none\"><Code><Value>Sender</Value></Code>\
             <Reason><Text xml:lang=\"en-US\">{message}</Text></Reason><Detail>{detail}</Detail></Fault>"
        )
    };
    let status = quirks.fault_status;
    match quirks.fault_form {
        FaultForm::Xml => Answer::text(status, "application/xml; charset=utf-8", plain()),
        FaultForm::TextXml => Answer::text(status, "text/xml; charset=utf-8", plain()),
        FaultForm::Soap => Answer::text(
            status,
            "application/soap+xml; charset=utf-8",
            format!(
                "<s:Fault xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Code><s:Value>s:Sender</s:Value>\
                 </s:Code><s:Reason><s:Text xml:lang=\"en-US\">{message}</s:Text></s:Reason><s:Detail>{detail}\
                 </s:Detail></s:Fault>"
            ),
        ),
        FaultForm::Html => Answer::html(503),
    }
}

fn missing_parameter(quirks: &MarketplaceQuirks) -> Answer {
    fault("SYNTHETIC: a required parameter was not supplied.", false, quirks)
}

/// A look-up of something that is not there.
fn vanished(quirks: &MarketplaceQuirks) -> Answer {
    match quirks.vanished {
        Vanished::Fault => fault("SYNTHETIC: the account was not found.", false, quirks),
        Vanished::Null => Answer::json(200, &Value::Null),
        Vanished::EmptyList => Answer::json(200, &json!([])),
        Vanished::NotFound => Answer::empty(404),
    }
}

/// An argument. Names count case; a number may come as text (also.md 6.1).
fn argument(body: &Value, name: &str) -> Option<i64> {
    let value = body.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Answers one call to a marketplace.
pub(super) fn carry_out(sandbox: &Sandbox, call: &Call) -> Answer {
    let Some(brand) = call.host.brand() else { return Answer::empty(404) };
    let quirks = sandbox.marketplace_quirks(brand);
    let now = sandbox.elapsed();
    let Some(method) = call.path.strip_prefix(PREFIX) else { return Answer::html(404) };
    if call.method != Method::POST {
        return Answer::html(405);
    }
    let mut market = sandbox.lock_market(brand);
    if let Some(limit) = quirks.rate
        && halo_calls::over_limit(&mut market.recent, limit.requests, limit.seconds, now)
    {
        let mut answer = too_many(call.host, limit.requests, limit.seconds);
        answer.retry_after =
            limit.retry_after.then(|| halo_calls::wait(&market.recent, limit.seconds, now).into());
        return answer;
    }
    let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(&call.body) else {
        return fault("SYNTHETIC: the request body is not a JSON object.", false, &quirks);
    };
    if method == "GetSessionToken" {
        return sign_in(&mut market, brand, &body, &quirks);
    }
    let header = call.headers.get("authenticate").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = match header.strip_prefix("CCPSessionId ") {
        Some(token) => token,
        None if quirks.strict_prefix => "",
        None => header,
    };
    let calls = market.sessions.get(token).copied();
    match calls {
        Some(calls) if quirks.session_calls.is_none_or(|most| calls < most) => {
            market.sessions.insert(token.to_owned(), calls + 1);
        }
        _ => {
            market.sessions.remove(token);
            if quirks.expiry_as_401 {
                return Answer::empty(401);
            }
            return fault("SYNTHETIC: the session has expired.", true, &quirks);
        }
    }
    answer_call(&mut market, brand, method, token, &body, &quirks)
}

fn sign_in(market: &mut Market, brand: Brand, body: &Value, quirks: &MarketplaceQuirks) -> Answer {
    if body.get("username").and_then(Value::as_str) != Some(brand.username())
        || body.get("password").and_then(Value::as_str) != Some(PASSWORD)
    {
        let text = "We could not sign you in. Check your username and password and try again.";
        return fault(text, false, quirks);
    }
    if quirks.mfa {
        return fault(
            "Unable to get session token. Users with enabled MFA are not supported.",
            false,
            quirks,
        );
    }
    let token = market.new_token();
    market.sessions.insert(token.clone(), 0);
    if quirks.plain_token {
        Answer::text(200, "application/json; charset=utf-8", token)
    } else {
        Answer::json(200, &token.into())
    }
}

fn answer_call(
    market: &mut Market,
    brand: Brand,
    method: &str,
    token: &str,
    body: &Value,
    quirks: &MarketplaceQuirks,
) -> Answer {
    let lists = matches!(method, "GetCompanies" | "GetSubscriptions" | "GetResellers");
    let reads_customers = lists || matches!(method, "GetSubscription" | "GetSubscriptionWithAddons");
    if reads_customers && let Some(missing) = quirks.missing_role {
        return match missing {
            MissingRole::Fault => {
                fault("SYNTHETIC: the current user may not perform this operation.", false, quirks)
            }
            MissingRole::Forbidden => Answer::empty(403),
            MissingRole::EmptyList => Answer::json(200, &json!([])),
        };
    }
    match method {
        "PingPong" if quirks.empty_pong => Answer::empty(200),
        "PingPong" => Answer::json(200, &Value::Null),
        "TerminateSessionToken" => {
            market.sessions.remove(token);
            Answer::empty(200)
        }
        // The own company when no id is given, and also when the name of the argument is written wrongly.
        "GetReseller" | "GetCompany" => {
            let id = argument(body, "accountId").unwrap_or(market.own);
            let wants_reseller = method == "GetReseller";
            match market.companies.get(&id).filter(|c| !wants_reseller || c.reseller) {
                None => vanished(quirks),
                Some(company) => {
                    let text = dressed(&company.text, quirks);
                    let text = if quirks.single_as_array { format!("[{text}]") } else { text.into_owned() };
                    Answer::raw_json(200, text.into_bytes())
                }
            }
        }
        "GetCompanies" | "GetResellers" => {
            let parent = match argument(body, "parentAccountId") {
                Some(parent) => parent,
                None if quirks.companies_need_parent => return missing_parameter(quirks),
                None => market.own,
            };
            if !market.companies.get(&parent).is_some_and(|c| c.reseller) {
                return fault("SYNTHETIC: the account was not found.", false, quirks);
            }
            let resellers = method == "GetResellers";
            let children = market.children.get(&parent).map_or(&[][..], Vec::as_slice);
            let wanted =
                children.iter().filter_map(|id| market.companies.get(id)).filter(|c| c.reseller == resellers);
            list(wanted.map(|c| dressed(&c.text, quirks)))
        }
        "GetSubscriptions" => {
            let Some(company) = argument(body, "parentAccountId") else { return missing_parameter(quirks) };
            if !market.companies.contains_key(&company) {
                return fault("SYNTHETIC: the account was not found.", false, quirks);
            }
            let without_users = body.get("excludeUserLevel").and_then(Value::as_bool) == Some(true);
            let group = market.by_company.get(&company).map_or(&[][..], Vec::as_slice);
            let wanted = group
                .iter()
                .filter_map(|id| market.subscriptions.get(id))
                .filter(|s| !(without_users && s.under_user));
            list(wanted.map(|s| dressed(&s.text, quirks)))
        }
        "GetSubscription" | "GetSubscriptionWithAddons" => {
            let Some(id) = argument(body, "accountId") else { return missing_parameter(quirks) };
            let Some(subscription) = market.subscriptions.get(&id) else { return vanished(quirks) };
            let text = dressed(&subscription.text, quirks);
            if method == "GetSubscription" {
                return Answer::raw_json(200, text.into_owned().into_bytes());
            }
            let mut row: Value = serde_json::from_str(&text).unwrap_or_default();
            row["Addons"] = addons(market, id, subscription.company, quirks);
            Answer::json(200, &row)
        }
        "GetMarketplaces" => Answer::json(
            200,
            &json!([{
                "Id": 501, "Name": "Fernhill Marketplace", "ServiceCount": 28, "HiddenServiceCount": 2,
                "AssigneeCount": market.companies.len(), "Priority": 1, "PricingMode": "dynamic",
            }]),
        ),
        known if READS_WITHOUT_DATA.contains(&known) => {
            fault(&format!("SYNTHETIC: {known} is not available here."), false, quirks)
        }
        other => {
            // Everything else can spend money or end services (also.md 13).
            tracing::error!(%brand, method = other, "REFUSED: a call that may spend money reached the sandbox");
            let mut answer = fault("SYNTHETIC: this operation may not be called.", false, quirks);
            answer.refused_write = true;
            answer
        }
    }
}

fn addons(market: &Market, id: i64, company: i64, quirks: &MarketplaceQuirks) -> Value {
    let group = market.by_company.get(&company).map_or(&[][..], Vec::as_slice);
    let mut found = group
        .iter()
        .filter_map(|s| Some((*s, market.subscriptions.get(s)?)))
        .filter(|(_, s)| s.parent == id)
        .map(|(addon, s)| {
            let row: Value = serde_json::from_str(&s.text).unwrap_or_default();
            json!({
                "ParentAccountId": id, "AccountId": addon, "AccountState": row["AccountState"],
                "ServiceName": row["ServiceName"],
            })
        });
    match quirks.addons {
        Addons::Object => found.next().unwrap_or_default(),
        Addons::List => found.collect(),
        Addons::Null => Value::Null,
    }
}
