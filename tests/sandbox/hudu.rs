//! The simulated Hudu keeps the contract: wrappers, errors, pages without totals, archived rows, fields by type.

use parhelion::sandbox::{API_KEY, HuduDates, HuduQuirks, Options, Quirks, Rate, Sandbox};
use serde_json::{Value, json};

use super::Rig;

impl Rig {
    async fn hudu(quirks: HuduQuirks) -> Self {
        Self::of(Sandbox::empty(Quirks { hudu: quirks, ..Quirks::default() })).await
    }

    /// Status and body of a call with the right key.
    async fn said(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/api/v1/{path}", self.served.hudu_url());
        let mut request = self.http.request(method.parse().unwrap(), url);
        request = request.header("x-api-key", API_KEY).header("accept", "application/json");
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn site_layout(&self) -> i64 {
        let field =
            |label: &str, kind: &str, at: u32| json!({"label": label, "field_type": kind, "position": at});
        let fields = [
            field("Halo Site ID", "Text", 1),
            field("Active", "CheckBox", 2),
            field("Start Date", "Date", 3),
            field("Site", "AssetTag", 4),
            field("Web", "Website", 5),
        ];
        let layout = json!({"asset_layout": {
            "name": "Sites", "icon": "fas fa-x", "color": "#000000", "icon_color": "#ffffff", "fields": fields,
        }});
        let (status, made) = self.said("POST", "asset_layouts", layout).await;
        assert_eq!(status, 200);
        made["asset_layout"]["id"].as_i64().unwrap()
    }

    async fn company(&self, name: &str) -> i64 {
        let (status, made) = self.said("POST", "companies", json!({"company": {"name": name}})).await;
        assert_eq!(status, 200, "{made}");
        made["company"]["id"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn companies_are_wrapped_unique_by_name_and_hidden_once_archived() {
    let rig = Rig::hudu(HuduQuirks::default()).await;
    let id = rig.company("Acme").await;
    let (_, one) = rig.said("GET", &format!("companies/{id}"), Value::Null).await;
    assert_eq!(one["company"].as_object().unwrap().len(), 27, "the keys that were recorded");
    let acme = || json!({"company": {"name": "Acme"}});
    let (status, taken) = rig.said("POST", "companies", acme()).await;
    assert_eq!((status, &taken["details"][0]), (422, &json!("Name has already been taken")));
    let city = json!({"company": {"city": "Leeds"}});
    let (_, partly) = rig.said("PUT", &format!("companies/{id}"), city).await;
    assert_eq!((&partly["company"]["name"], &partly["company"]["city"]), (&json!("Acme"), &json!("Leeds")));
    let (_, archived) = rig.said("PUT", &format!("companies/{id}/archive"), Value::Null).await;
    assert_eq!(archived["company"]["archived"], true);
    let (_, list) = rig.said("GET", "companies", Value::Null).await;
    assert_eq!(list, json!({"companies": []}), "nothing beside the list, and no archived one in it");
    assert_eq!(rig.said("POST", "companies", acme()).await.0, 422, "it still owns its name");
    assert_eq!(rig.said("POST", "companies", json!({})).await.0, 400);
    assert_eq!(rig.said("GET", "companies/999", Value::Null).await.0, 404);
    let old = HuduQuirks { missing_company_null: true, ..HuduQuirks::default() };
    rig.sandbox().set_quirks(Quirks { hudu: old, ..Quirks::default() });
    assert_eq!(rig.said("GET", "companies/999", Value::Null).await, (200, Value::Null));
}

#[tokio::test]
async fn lists_hold_25_rows_and_count_nothing() {
    let rig = Rig::hudu(HuduQuirks { page_cap: 30, ..HuduQuirks::default() }).await;
    for n in 0..60 {
        rig.company(&format!("Company {n}")).await;
    }
    let rows = async |query: &str| {
        let (_, list) = rig.said("GET", &format!("companies?{query}"), Value::Null).await;
        list["companies"].as_array().unwrap().len()
    };
    assert_eq!(rows("page=1").await, 25);
    assert_eq!(rows("page=3").await, 10);
    assert_eq!(rows("page=4").await, 0);
    assert_eq!(rows("page=1&page_size=1000").await, 30, "cut silently");
    assert_eq!(rows("page=1&page_size=0").await, 25);
    assert_eq!(rows("page=1&page_size=7&colour=red").await, 7, "unknown filters are ignored");
    assert_eq!(rows("name=Company%2059").await, 1);
}

#[tokio::test]
async fn layouts_are_null_when_missing_and_500_when_incomplete() {
    let rig = Rig::hudu(HuduQuirks::default()).await;
    let path = format!("asset_layouts/{}", rig.site_layout().await);
    assert_eq!(rig.said("GET", "asset_layouts/99", Value::Null).await, (200, Value::Null));
    let incomplete = json!({"asset_layout": {"name": "X", "fields": []}});
    assert_eq!(rig.said("POST", "asset_layouts", incomplete).await.0, 500);
    assert_eq!(rig.said("PUT", &path, json!({"asset_layout": {"active": false}})).await.0, 500);
    let (_, off) = rig.said("PUT", &path, json!({"asset_layout": {"active": false, "fields": []}})).await;
    assert_eq!(off["asset_layout"]["active"], false);
    let field =
        |label: &str| json!({"asset_layout": {"fields": [{"label": label, "field_type": "RichText"}]}});
    let (status, taken) = rig.said("PUT", &path, field("Active")).await;
    let said = json!("Asset layout fields label has already been taken");
    assert_eq!((status, &taken["errors"][0]), (422, &said));
    let (_, merged) = rig.said("PUT", &path, field("Notes")).await;
    assert_eq!(merged["asset_layout"]["fields"].as_array().unwrap().len(), 6, "merged, not replaced");
}

#[tokio::test]
async fn assets_refuse_what_the_layout_lacks_and_give_back_what_it_keeps() {
    let rig = Rig::hudu(HuduQuirks { dates: HuduDates::American, ..HuduQuirks::default() }).await;
    let layout = rig.site_layout().await;
    let (acme, other) = (rig.company("Acme").await, rig.company("Other").await);
    let path = format!("companies/{acme}/assets");
    let asset =
        |fields: Value| json!({"asset": {"name": "HQ", "asset_layout_id": layout, "custom_fields": fields}});
    let (status, refused) = rig.said("POST", &path, asset(json!([{"nope": "x"}]))).await;
    assert_eq!((status, &refused["details"][0]), (422, &json!("Invalid field names: nope")));
    assert_eq!(rig.said("POST", &path, asset(json!({"active": "true"}))).await.0, 422, "no array");
    assert_eq!(rig.said("POST", &path, asset(json!([{"web": "http://a.example"}]))).await.0, 422);
    let fields = json!([{"halo_site_id": "31"}, {"active": true}, {"start_date": "2026/03/31"}]);
    let (status, made) = rig.said("POST", &path, asset(fields)).await;
    assert_eq!(status, 200);
    let id = made["asset"]["id"].as_i64().unwrap();
    let value = |asset: &Value, at: usize| asset["asset"]["fields"][at]["value"].clone();
    assert_eq!(made["asset"]["fields"].as_array().unwrap().len(), 3, "only what was ever set");
    assert_eq!(value(&made, 2), "03/31/2026");
    let off = json!({"asset": {"custom_fields": [{"active": "false"}]}});
    let (_, kept) = rig.said("PUT", &format!("{path}/{id}"), off).await;
    assert_eq!((value(&kept, 0), value(&kept, 1)), (json!("31"), json!("false")));
    // Under another company it is not found, and no asset of another company can be linked.
    assert_eq!(rig.said("GET", &format!("companies/{other}/assets/{id}"), Value::Null).await.0, 404);
    let link = || asset(json!([{"site": [id]}]));
    assert_eq!(rig.said("POST", &format!("companies/{other}/assets"), link()).await.0, 422);
    let (_, linked) = rig.said("POST", &path, link()).await;
    assert!(value(&linked, 0).as_str().unwrap().contains("\"name\":\"HQ\""), "JSON in a text");
    rig.said("PUT", &format!("{path}/{id}/archive"), Value::Null).await;
    let rows = async |query: &str| {
        rig.said("GET", &format!("assets?{query}"), Value::Null).await.1["assets"].as_array().unwrap().len()
    };
    assert_eq!((rows("page=1").await, rows("page=1&archived=true").await), (1, 1));
    assert_eq!(rig.said("GET", &format!("assets/{id}"), Value::Null).await.0, 404, "no such route");
}

#[tokio::test]
async fn the_key_and_the_limit_are_kept() {
    let rate = Some(Rate { requests: 3, seconds: 60, retry_after: false });
    let rig = Rig::hudu(HuduQuirks { rate, ..HuduQuirks::default() }).await;
    let url = format!("{}/api/v1/api_info", rig.served.hudu_url());
    let ask = async |key: &str| rig.http.get(&url).header("x-api-key", key).send().await.unwrap();
    assert_eq!(ask("wrong").await.status(), 401);
    assert_eq!(ask(API_KEY).await.status(), 200);
    assert_eq!(ask(API_KEY).await.status(), 200);
    let over = ask(API_KEY).await;
    assert_eq!((over.status().as_u16(), over.headers().get("retry-after")), (429, None));
    assert_eq!(over.text().await.unwrap().trim(), "Retry later");
}

#[tokio::test]
async fn the_seeded_world_is_filled_when_it_is_first_looked_at() {
    let rig = Rig::of(Sandbox::new(Options::default())).await;
    let before = rig.sandbox().halo_sites().len();
    let (_, list) = rig.said("GET", "companies?page_size=1000", Value::Null).await;
    assert!(list["companies"].as_array().unwrap().len() > 25);
    assert!(rig.sandbox().halo_sites().len() > before, "with the sites that belong into it");
    let users = rig.list("Users?pageinate=true&page_size=100&exclude_generaluser=true").await;
    assert_eq!(users["record_count"], 400);
    let contracts = rig.list("ClientContract?pageinate=true&page_size=100&includeinactive=true").await;
    assert_eq!(contracts["record_count"], 50);
    let other = Sandbox::new(Options::default());
    assert_eq!(other.hudu_companies(), rig.sandbox().hudu_companies(), "the same seed, the same data");
}
