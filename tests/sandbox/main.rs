//! The sandbox keeps the vendors' contracts, breaks as told, and tells what was done to it.

mod faults;
mod halo;
mod halo_assets;
mod hudu;
mod liongard;
mod marketplace;
mod served;
mod world;

use parhelion::sandbox::{Brand, Options, Quirks, Sandbox, Served};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// A served sandbox with a plain HTTP client that has signed in.
struct Rig {
    served: Served,
    http: Client,
    token: String,
}

impl Rig {
    async fn small() -> Self {
        Self::of(Sandbox::new(Options::default())).await
    }

    async fn empty() -> Self {
        Self::of(Sandbox::empty(Quirks::default())).await
    }

    async fn of(sandbox: Sandbox) -> Self {
        // A second test finds it installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        let served = sandbox.serve([127, 0, 0, 1].into()).await.unwrap();
        let rig = Self { served, http, token: String::new() };
        let answer = rig.sign_in(&[]).await;
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        Self { token: answer["access_token"].as_str().unwrap().to_owned(), ..rig }
    }

    fn sandbox(&self) -> &Sandbox {
        self.served.sandbox()
    }

    /// Asks for a token; the given pairs replace the right ones.
    async fn sign_in(&self, instead: &[(&str, &str)]) -> Response {
        let document = self.served.document();
        let halo = &document["halo"];
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", halo["client_id"].as_str().unwrap()),
            ("client_secret", halo["client_secret"].as_str().unwrap()),
            ("scope", "all"),
        ];
        form.retain(|(name, _)| !instead.iter().any(|(other, _)| name == other));
        form.extend_from_slice(instead);
        let url = format!("{}/token", halo["authorisation_server"].as_str().unwrap());
        self.http.post(url).form(&form).send().await.unwrap()
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/api/{path}", self.served.halo_url())).bearer_auth(&self.token)
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}/api/{path}", self.served.halo_url())).bearer_auth(&self.token).json(body)
    }

    /// A list that must succeed.
    async fn list(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Creates or updates one record; it must succeed.
    async fn save(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, &json!([body])).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path} {body}");
        answer.json().await.unwrap()
    }

    async fn session(&self, brand: Brand) -> String {
        let document = self.served.document();
        let section = &document[brand.name()];
        let body = json!({"username": section["username"], "password": section["password"]});
        let answer = self.call(brand, "", "GetSessionToken", &body).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    async fn call(&self, brand: Brand, session: &str, method: &str, body: &Value) -> Response {
        let url =
            format!("{}/SimpleAPI/SimpleAPIService.svc/rest/{method}", self.served.marketplace_url(brand));
        let request = self.http.post(url).header("Authenticate", format!("CCPSessionId {session}"));
        request.json(body).send().await.unwrap()
    }

    /// A call of a marketplace that must succeed.
    async fn read(&self, brand: Brand, session: &str, method: &str, body: &Value) -> Value {
        let answer = self.call(brand, session, method, body).await;
        assert_eq!(answer.status(), 200, "{method} {body}");
        answer.json().await.unwrap()
    }
}

fn ids(rows: &Value) -> Vec<i64> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}
