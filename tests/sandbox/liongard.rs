use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use parhelion::sandbox::{Options, Quirks, Redirects, Sandbox, Size};
use reqwest::{Client, Response};
use serde_json::{Value, json};

struct Rig {
    served: parhelion::sandbox::Served,
    http: Client,
}

impl Rig {
    async fn of(sandbox: Sandbox) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { served: sandbox.serve([127, 0, 0, 1].into()).await.unwrap(), http }
    }

    async fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> Response {
        let url = format!("{}/api/{path}", self.served.liongard_url());
        let request = self.http.request(method.parse().unwrap(), url).header("X-ROAR-API-KEY", key);
        let request = if method == "GET" { request } else { request.json(body) };
        request.send().await.unwrap()
    }

    async fn read(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, &key(), body).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }
}

fn encode(pair: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(pair)
}

fn key() -> String {
    encode("sandbox-access-key:sandbox-access-secret")
}

#[tokio::test]
async fn only_the_exact_key_is_let_in() {
    let rig = Rig::of(Sandbox::empty(Quirks::default())).await;
    let status =
        async |key: &str| rig.send("GET", "v1/environments/count/", key, &json!({})).await.status().as_u16();
    assert_eq!(status(&key()).await, 200);
    assert_eq!(status(&format!("Basic {}", key())).await, 401);
    assert_eq!(status(&encode("sandbox-access-key:wrong")).await, 401);
    assert_eq!(status("").await, 401);
    assert_eq!(status(&encode("undefined:undefined")).await, 500, "nonsense is a fault of the server's own");
}

#[tokio::test]
async fn slashless_paths_are_redirected_by_the_mode() {
    for (mode, root, by_id) in
        [(Redirects::None, 200, 404), (Redirects::Roots, 301, 404), (Redirects::All, 301, 301)]
    {
        let mut quirks = Quirks::default();
        quirks.liongard.redirects = mode;
        let rig = Rig::of(Sandbox::empty(quirks)).await;
        let status = async |path: &str| rig.send("GET", path, &key(), &json!({})).await.status().as_u16();
        assert_eq!(status("v1/environments").await, root, "{mode:?}");
        assert_eq!(status("v1/environments/1").await, by_id, "{mode:?}");
        assert_eq!(status("v1/environments/").await, 200, "{mode:?}");
        let post = rig.send("POST", "v2/environments", &key(), &json!({"Name": "A"})).await;
        assert_eq!(post.status() == 301, root == 301);
        assert_eq!(rig.served.sandbox().environments().is_empty(), root == 301, "a redirect changes nothing");
    }
}

#[tokio::test]
async fn queries_are_checked_as_strictly_as_the_vendor_does() {
    let rig = Rig::of(Sandbox::empty(Quirks::default())).await;
    let sort = json!([{"SortBy": "ID", "Direction": "ASC"}]);
    let path = "v2/inventory/device-profiles/query/";
    for (body, wrong) in [
        (json!({"Environment": "4101", "Filters": [], "Sorting": sort}), "Environment"),
        (json!({"Environment": 4101, "Sorting": sort}), "Filters"),
        (json!({"Environment": 4101, "Filters": []}), "Sorting"),
        (json!({"Environment": 4101, "Filters": [], "Sorting": []}), "Sorting"),
        (
            json!({"Environment": 4101, "Filters": [], "Sorting": [{"SortBy": "Nope", "Direction": "ASC"}]}),
            "Sorting",
        ),
    ] {
        let answer = rig.send("POST", path, &key(), &body).await;
        assert_eq!(answer.status(), 400);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["ValidationErrors"][0]["path"], wrong);
    }
    let answer = rig.send("GET", "v1/systems/?fields[]=Name", &key(), &json!({})).await;
    assert_eq!(answer.status(), 500, "bracketed parameters");
}

#[tokio::test]
async fn the_mess_is_in_even_the_small_world() {
    let rig = Rig::of(Sandbox::new(Options::default())).await;
    let environments = rig.read("GET", "v1/environments/", &json!({})).await;
    let environments = environments.as_array().unwrap();
    assert_eq!(environments.len(), 60);
    assert!(environments.iter().any(|one| one["Name"].as_str().unwrap().contains("é")));
    let systems = rig.read("GET", "v1/systems/", &json!({})).await;
    let systems = systems.as_array().unwrap();
    assert_eq!(systems.len(), 1200);
    assert!(systems.iter().any(|one| one["Environment"].is_null()), "an orphan");
    assert!(systems.iter().any(|one| one["Inspector"].is_null()));
    assert!(systems.iter().any(|one| one["Launchpoint"].is_null()));
    assert!(systems.iter().all(|one| one["Environment"].is_null() || one["Environment"]["Tier"] == "Core"));
    let mut by_environment: BTreeMap<i64, usize> = BTreeMap::new();
    for one in systems {
        *by_environment.entry(one["Environment"]["ID"].as_i64().unwrap_or(0)).or_default() += 1;
    }
    assert!(by_environment.values().any(|count| *count >= 250));
    assert!(
        environments.iter().any(|one| !by_environment.contains_key(&one["ID"].as_i64().unwrap())),
        "an empty one"
    );

    let sandbox = rig.served.sandbox();
    let facts: Vec<Value> = sandbox.system_ids().into_iter().filter_map(|id| sandbox.system(id)).collect();
    let serials: Vec<&str> = facts.iter().filter_map(|one| one["serial"].as_str()).collect();
    assert!(
        serials.iter().filter(|text| **text == "System Serial Number").count() >= 2,
        "shared placeholders"
    );
    let real: Vec<&&str> = serials.iter().filter(|text| text.starts_with("SYN")).collect();
    assert_eq!(real.iter().collect::<BTreeSet<_>>().len(), real.len(), "real serials are unique");
    assert!(facts.iter().any(|one| one["warranty"].as_str().is_some_and(|text| text.contains('/'))));
    assert!(facts.iter().any(|one| one["user"].as_str().is_some_and(|text| text.len() > 4000)));
    assert!(!sandbox.halo_assets().is_empty(), "some machines are in Halo already");
}

#[tokio::test]
async fn what_is_made_anew_on_each_request_is_always_the_same_and_changes_stick() {
    let (a, b) = (Sandbox::new(Options::default()), Sandbox::new(Options::default()));
    let ids = a.system_ids();
    assert_eq!(ids, b.system_ids());
    assert!(ids.iter().step_by(37).all(|id| a.system(*id) == b.system(*id)));
    let id = ids[40];
    let (before, elsewhere) = (a.system(id).unwrap(), a.environments()[5]["ID"].clone());
    a.put_system(&json!({"ID": id, "Environment": elsewhere, "os": "TempleOS"}));
    let after = a.system(id).unwrap();
    assert_eq!((&after["Environment"], &after["os"]), (&elsewhere, &json!("TempleOS")));
    assert_eq!(after["serial"], before["serial"], "the rest stays");
    assert!(a.remove_system(id) && a.system(id).is_none() && a.system_ids().len() == ids.len() - 1);
    let new = a.put_system(&json!({"Environment": elsewhere, "Inspector": 90, "Name": "NEW"}));
    assert!(!ids.contains(&new) && a.system_ids().contains(&new));
}

#[tokio::test]
async fn the_large_world_has_its_figures_and_little_of_it_is_kept() {
    let large = Sandbox::new(Options { size: Size::Large, ..Options::default() });
    assert_eq!(large.environments().len(), 10_000);
    assert_eq!(large.system_ids().len(), 200_000);
}

#[tokio::test]
async fn a_new_environment_may_be_late_in_the_list() {
    let mut quirks = Quirks::default();
    quirks.liongard.lists_until_seen = 1;
    let rig = Rig::of(Sandbox::empty(quirks)).await;
    let made = rig.read("POST", "v2/environments/", &json!({"Name": "Alder", "Parent": null})).await;
    assert_eq!(made["Data"]["Name"], "Alder");
    assert_eq!(rig.read("GET", "v1/environments/", &json!({})).await, json!([]));
    assert_eq!(rig.read("GET", "v1/environments/", &json!({})).await.as_array().unwrap().len(), 1);
    let journal = rig.served.sandbox().journal();
    assert_eq!(
        (journal.len(), journal[0].applied, journal[0].created),
        (1, true, true),
        "reads are not in it"
    );
}
