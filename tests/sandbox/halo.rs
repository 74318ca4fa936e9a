use std::collections::BTreeSet;

use parhelion::sandbox::{Quirks, Rate, Sandbox};
use serde_json::{Value, json};

use super::{Rig, ids};

#[tokio::test]
async fn tokens_come_by_every_way_clients_ask_and_are_refused_by_the_contract() {
    let rig = Rig::empty().await;
    let full = rig.sign_in(&[("tenant", "sandbox")]).await.json::<Value>().await.unwrap();
    for name in ["access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"] {
        assert!(full.get(name).is_some_and(|v| v != ""), "{name}");
    }
    for (instead, status, error) in [
        (("client_secret", "wrong"), 401, "invalid_client"),
        (("scope", "read:users"), 400, "invalid_scope"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
    ] {
        let refused = rig.sign_in(&[instead]).await;
        assert_eq!(refused.status(), status);
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], error);
    }
    assert_eq!(rig.sign_in(&[("scope", "read:customers edit:softwarelicensing")]).await.status(), 200);
    assert_eq!(rig.sign_in(&[("tenant", "another")]).await.status(), 500);
}

#[tokio::test]
async fn without_a_valid_token_there_is_an_empty_401_except_for_authinfo() {
    let rig = Rig::empty().await;
    let base = rig.served.halo_url();
    let refused = rig.http.get(format!("{base}/api/Client")).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.text().await.unwrap(), "");
    for path in ["authinfo", "AuthInfo/"] {
        let info: Value =
            rig.http.get(format!("{base}/api/{path}")).send().await.unwrap().json().await.unwrap();
        assert_eq!(info["auth_url"], format!("{base}/auth"));
    }
    rig.sandbox().set_quirks(Quirks::default());
    rig.sandbox().expire_sessions(parhelion::sandbox::Host::Halo);
    assert_eq!(rig.get("client").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn pages_are_cut_silently_and_end_with_total_zero() {
    let rig = Rig::empty().await;
    for n in 0..230 {
        rig.sandbox().put_halo_client(&json!({"name": format!("Client {n}")})).unwrap();
    }
    // Without the misspelt word there is no paging at all.
    let unpaged = rig.list("Client?page_no=2&page_size=100&pageinate=1").await;
    assert_eq!(unpaged["clients"].as_array().unwrap().len(), 50);
    assert!(unpaged.get("page_no").is_none());
    assert_eq!(rig.list("Client?count=100000").await["clients"].as_array().unwrap().len(), 230);

    let mut seen = Vec::new();
    for page in 1..=3 {
        let path = format!("CLIENT?pageinate=True&page_size=1000&page_no={page}&order=id&orderdesc=false");
        let page = rig.list(&path).await;
        assert_eq!((&page["record_count"], &page["page_size"]), (&json!(230), &json!(1000)));
        seen.extend(ids(&page["clients"]));
    }
    assert!(seen.len() == 230 && seen.is_sorted());
    let past = rig.list("Client?pageinate=true&page_size=100&page_no=4&order=id").await;
    assert_eq!((&past["record_count"], &past["clients"]), (&json!(0), &json!([])));
    let last_first = rig.list("Client?pageinate=true&page_size=5&order=id&orderdesc=true").await;
    assert_eq!(ids(&last_first["clients"])[0], *seen.last().unwrap());

    // Without an order, a change between two pages loses rows.
    let mut drifted = BTreeSet::new();
    for page in 1..=3 {
        drifted.extend(ids(
            &rig.list(&format!("client?pageinate=true&page_size=100&page_no={page}")).await["clients"]
        ));
        rig.sandbox().put_halo_client(&json!({"id": seen[0], "notes": format!("{page}")})).unwrap();
    }
    assert!(drifted.len() < 230);
}

#[tokio::test]
async fn posts_take_arrays_only_and_answer_one_object() {
    let rig = Rig::empty().await;
    let bare = rig.post("Client", &json!({"name": "Bare"})).send().await.unwrap();
    assert_eq!(bare.status(), 400);
    assert!(rig.sandbox().halo_clients().is_empty());
    let url = format!("{}/api/Client", rig.served.halo_url());
    let text = rig.http.post(url).bearer_auth(&rig.token).body("[{\"name\": \"X\"}]").send().await.unwrap();
    assert_eq!(text.status(), 415);

    let saved = rig.save("Client", &json!({"name": "Twice", "unheard_of": 1})).await;
    assert!(saved.is_object() && saved["id"].is_i64());
    let again = rig.save("client", &json!({"name": "Twice"})).await;
    assert_ne!(saved["id"], again["id"], "a create is never de-duplicated");
    let two = rig.post("Client", &json!([{"name": "A"}, {"name": "B"}])).send().await.unwrap();
    assert_eq!(two.json::<Vec<Value>>().await.unwrap().len(), 2);
    assert_eq!(rig.sandbox().halo_clients().len(), 4);
}

#[tokio::test]
async fn updates_are_partial_and_leave_a_history_only_where_something_changed() {
    let rig = Rig::empty().await;
    let client = rig.save("Client", &json!({"name": "Northwind"})).await;
    let licence = json!({
        "name": "Seats", "client_id": client["id"], "site_id": -1, "count": 5, "snowid": "m1", "price": 18.1,
        "end_date": "2026-10-31T00:00:00Z",
    });
    let licence = rig.save("SoftwareLicence", &licence).await;
    let id = &licence["id"];
    rig.save("softwarelicence", &json!({"id": id, "count": 7})).await;
    rig.save("softwarelicence", &json!({"id": id, "count": 7, "price": 18.10})).await;
    let path = format!("SoftwareLicence/{id}");
    let now: Value = rig.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!((&now["count"], &now["name"], &now["snowid"]), (&json!(7), &json!("Seats"), &json!("m1")));
    assert_eq!(now["end_date"], "2026-10-31T00:00:00");
    let changes = rig.list(&format!("LicenceChange?licence_id={id}")).await;
    assert_eq!(changes["changes"].as_array().unwrap().len(), 1);
    let change = &changes["changes"][0];
    assert_eq!(
        (&change["field_name"], &change["old_value"], &change["new_value"]),
        (&json!("count"), &json!("5"), &json!("7"))
    );

    let journal = rig.sandbox().journal();
    assert_eq!(journal.len(), 4);
    assert_eq!((journal[1].created, journal[2].created), (true, false));
    assert_eq!(journal[2].ids, [id.as_i64().unwrap()]);
}

#[tokio::test]
async fn bad_values_are_refused_in_the_three_shapes() {
    let rig = Rig::empty().await;
    let client = rig.sandbox().put_halo_client(&json!({"name": "Northwind"})).unwrap();
    let licence =
        rig.sandbox().put_halo_licence(&json!({"name": "Seats", "client_id": client, "count": 3})).unwrap();
    for (path, body, says) in [
        ("Client", json!({"toplevel_id": 1}), "name"),
        ("Client", json!({"name": "X", "toplevel_id": 99}), "toplevel_id"),
        ("Client", json!({"id": 4711, "name": "X"}), "Record not found"),
        ("Client", json!({"id": client, "name": ""}), "name"),
        ("Site", json!({"name": "X", "client_id": "x"}), "Could not convert string to integer: x"),
        ("Site", json!({"name": "X"}), "Client must be selected"),
        ("SoftwareLicence", json!({"id": licence, "count": 95.0}), "not a valid integer"),
        ("SoftwareLicence", json!({"id": licence, "count": 2.5}), "not a valid integer"),
        ("SoftwareLicence", json!({"id": licence, "count": 9_999_999_999_i64}), "too large"),
        ("SoftwareLicence", json!({"id": licence, "count": -1}), "negative"),
        ("SoftwareLicence", json!({"id": licence, "end_date": "soon"}), "DateTime"),
        ("SoftwareLicence", json!({"name": "X", "client_id": 4711, "count": 1}), "does not exist"),
    ] {
        let refused = rig.post(path, &json!([body])).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{body}");
        let text = refused.text().await.unwrap();
        assert!(text.contains(says), "{body}: {text}");
    }
    assert_eq!(rig.sandbox().halo_licence(licence).unwrap()["count"], 3);
    assert!(rig.sandbox().journal().iter().all(|write| !write.applied));
    // Numbers as text are taken.
    rig.save("SoftwareLicence", &json!({"id": licence.to_string(), "count": "4"})).await;
    assert_eq!(rig.sandbox().halo_licence(licence).unwrap()["count"], 4);
    assert_eq!(rig.get("client/probe").send().await.unwrap().status(), 400);
    assert_eq!(rig.get("client/4711").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_new_client_brings_its_main_site_and_rows_show_less_than_records() {
    let rig = Rig::empty().await;
    let client = json!({
        "name": "Northwind", "ref": "marker", "tax_number": "GB1", "domain": "northwind.example",
        "newclient_sitename": "Head office",
        "newclient_delivery_address": {"line1": "1 Example Street", "line3": "Leeds", "postcode": "LS1 1AA"},
    });
    let id = rig.save("Client", &client).await["id"].as_i64().unwrap();
    let row = &rig.list("Client").await["clients"][0];
    assert_eq!((&row["ref"], &row["default_currency_code"]), (&json!("marker"), &json!(1)));
    for hidden in ["domain", "tax_number", "main_site_id", "main_delivery_address"] {
        assert!(row.get(hidden).is_none(), "{hidden}");
    }
    let single = rig.list(&format!("Client/{id}?includedetails=true")).await;
    assert_eq!((&single["tax_number"], &single["main_site_name"]), (&json!("GB1"), &json!("Head office")));

    let text = rig
        .get(&format!("Site?client_id={id}&includeaddress=true"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains(&format!("\"client_id\":{id}.0")), "a site's client is a float: {text}");
    let sites: Value = serde_json::from_str(&text).unwrap();
    let site = &sites["sites"][0];
    assert_eq!(
        (&site["delivery_address_line5"], &site["client_name"]),
        (&json!("LS1 1AA"), &json!("Northwind"))
    );
    let single = rig.list(&format!("Site/{}?includedetails=true", site["id"])).await;
    assert_eq!(single["delivery_address"]["postcode"], "LS1 1AA");
    assert!(single["delivery_address"].get("line5").is_none());

    let mut quirks = Quirks::default();
    quirks.halo.markers_given_back = false;
    rig.sandbox().set_quirks(quirks);
    assert!(rig.list("Client").await["clients"][0].get("ref").is_none());
}

#[tokio::test]
async fn lists_leave_out_what_is_inactive_and_filter_by_client() {
    let rig = Rig::empty().await;
    let mut clients = Vec::new();
    for name in ["Alder", "Birch", "Alderley"] {
        clients.push(rig.sandbox().put_halo_client(&json!({"name": name})).unwrap());
    }
    for (client, active) in [(0, true), (0, false), (1, true)] {
        let licence = json!({"name": "Seats", "client_id": clients[client], "is_active": active});
        rig.sandbox().put_halo_licence(&licence).unwrap();
    }
    rig.save("Client", &json!({"id": clients[1], "inactive": true})).await;
    let names = |page: Value| {
        let rows = page["clients"].as_array().unwrap().clone();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(names(rig.list("Client").await).len(), 2);
    assert_eq!(names(rig.list("Client?includeinactive=true").await).len(), 3);
    assert_eq!(names(rig.list("Client?includeinactive=1").await).len(), 2, "1 is not true");
    assert_eq!(names(rig.list("Client?search=ALDER").await).len(), 2);
    assert_eq!(
        names(rig.list("Client?includeinactive=true&includeactive=false").await),
        ["Birch".to_owned()].into()
    );
    let licences = rig.list(&format!("SoftwareLicence?client_id={}", clients[0])).await;
    assert_eq!(licences["record_count"], 1);
    let licences = rig.list(&format!("SoftwareLicence?client_id={}&includeinactive=true", clients[0])).await;
    assert_eq!(licences["record_count"], 2);
    assert_eq!(licences["licences"][0]["site_id"], -1);
}

#[tokio::test]
async fn the_small_lists_have_their_own_shapes() {
    let rig = Rig::empty().await;
    assert_eq!(rig.list("TopLevel").await["tree"][0]["name"], "Customers");
    assert_eq!(rig.list("Currency").await[0]["code"], "GBP");
    assert!(rig.list("lookup?lookupid=11").await.is_array());
    assert_eq!(rig.get("Lookup").send().await.unwrap().status(), 400);
    assert!(rig.list("InstanceInfo").await["app_version"].is_string());
    assert!(rig.list("Features").await.is_array());
    assert_eq!(rig.get("Unheard").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn limits_and_missing_permissions_can_be_switched_on() {
    let mut quirks = Quirks::default();
    quirks.halo.rate = Some(Rate { requests: 2, seconds: 300, retry_after: true });
    quirks.halo.denied = [("post client".to_owned(), 403), ("site".to_owned(), 401)].into();
    let rig = Rig::of(Sandbox::empty(quirks)).await;
    assert_eq!(rig.post("Client", &json!([{"name": "X"}])).send().await.unwrap().status(), 403);
    assert_eq!(rig.get("Site").send().await.unwrap().status(), 401);
    let limited = rig.get("Client").send().await.unwrap();
    assert_eq!(limited.status(), 429);
    let wait: u64 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait));
    assert!(
        limited.text().await.unwrap().contains("Rate Limit Reached - 2 Requests per rolling 5 minute window")
    );
    assert!(rig.sandbox().halo_clients().is_empty());
}
