use parhelion::sandbox::{Host, Sandbox};
use serde_json::{Value, json};

use super::Rig;

#[tokio::test]
async fn the_document_has_the_sections_of_the_settings() {
    let rig = Rig::empty().await;
    let document = rig.served.document();
    assert_eq!(document["profile"]["kind"], "sandbox");
    let sections: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(sections, ["also", "halo", "hudu", "profile", "westcoast"]);
    for marketplace in ["also", "westcoast"] {
        assert_eq!(document[marketplace]["enabled"], true);
        assert_eq!(document[marketplace]["schedule"]["enabled"], false);
    }
    assert!(document["halo"]["resource_server"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(document["halo"].get("allow_http").is_none(), "loopback needs no leave");
}

#[tokio::test]
async fn the_control_interface_looks_and_meddles_without_being_counted() {
    let rig = Rig::empty().await;
    let at = |path: &str| format!("{}/_sandbox/{path}", rig.served.halo_url());
    let get = async |path: &str| rig.http.get(at(path)).send().await.unwrap().json::<Value>().await.unwrap();
    let post = async |path: &str, body: Value| rig.http.post(at(path)).json(&body).send().await.unwrap();

    let made: Value = post("also/companies", json!([{"CompanyName": "Alder"}])).await.json().await.unwrap();
    let company = made["ids"][0].as_i64().unwrap();
    post("also/subscriptions", json!({"CompanyAccountId": company, "ServiceDisplayName": "Seats"})).await;
    assert_eq!(get("also/companies").await[0]["CompanyName"], "Alder");
    assert_eq!(get("also/subscriptions").await[0]["CompanyAccountId"], company);
    post("halo/clients", json!({"id": 42, "name": "Alder"})).await;
    assert_eq!(get("halo/clients").await[0]["id"], 42);
    let refused = post("halo/licences", json!({"name": "X", "client_id": 7})).await;
    assert_eq!(refused.status(), 400);

    rig.save("Client", &json!({"name": "Birch"})).await;
    assert_eq!(get("journal").await[0]["body"], json!([{"name": "Birch"}]));
    assert_eq!(get("journal?since=1").await, json!([]));
    let requests = get("requests").await;
    assert_eq!((&requests["halo"]["count"], &requests["also"]["count"]), (&json!(2), &json!(0)));
    assert_eq!(requests["halo"]["by_path"]["POST /api/Client"], 1);
    assert_eq!(requests["halo"]["sent_ms"].as_array().unwrap().len(), 2);

    post("faults", json!({"halo": [{"kind": "5xx", "status": 503}]})).await;
    assert_eq!(rig.get("Client").send().await.unwrap().status(), 503);
    assert_eq!(get("faults").await[0]["fired"], 1);
    assert_eq!(post("faults", json!({"halo": [{"kind": "hiccup"}]})).await.status(), 400);
    post("faults", json!({})).await;

    let removed = rig.http.delete(at("halo/clients/42")).send().await.unwrap();
    assert_eq!(removed.status(), 200);
    assert_eq!(rig.http.delete(at("halo/clients/42")).send().await.unwrap().status(), 404);
    post("reset", json!({})).await;
    assert_eq!(get("also/companies").await, json!([]));
    assert_eq!(rig.sandbox().requests(Host::Halo).count, 0);
}

#[tokio::test]
async fn nothing_listens_after_the_end() {
    let rig = Rig::of(Sandbox::empty(parhelion::sandbox::Quirks::default())).await;
    let url = rig.served.halo_url();
    rig.served.shut_down().await;
    assert!(rig.http.get(format!("{url}/api/authinfo")).send().await.is_err());
}
