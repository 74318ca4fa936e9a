//! The sign-in at Halo: client credentials, one token at a time, renewed before it ends (apis/halopsa.md 1).

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::client::{Halo, words};
use super::wire;
use crate::api::budget::{Lane, Permit};
use crate::api::call::{Cause, Effect, Failure};
use crate::api::http::{Request, Response, Url};
use crate::api::row::reason;
use crate::model::{Class, Problem, Secret};

/// The OAuth2 client credentials and the token they gave.
pub(super) struct SignIn {
    url: Url,
    client_id: String,
    secret: Secret,
    token: Mutex<TokenState>,
}

impl SignIn {
    pub(super) fn new(url: Url, client_id: &str, secret: Secret) -> Self {
        Self { url, client_id: client_id.to_owned(), secret, token: Mutex::default() }
    }
}

#[derive(Default)]
struct TokenState {
    current: Option<Token>,
    /// Counts renewals, so that two calls that were refused together renew once.
    generation: u64,
    /// A refusal is final: sending the same credentials again only locks accounts out.
    refused: Option<Failure>,
}

#[derive(Clone)]
struct Token {
    bearer: Arc<Secret>,
    /// What was granted; empty where the answer does not say.
    scopes: Arc<str>,
    generation: u64,
    renew_at: Instant,
}

impl Halo {
    /// Where tokens come from: what the authorisation server's address was made into (S10).
    pub fn token_endpoint(&self) -> &str {
        self.sign_in.url.as_str()
    }

    /// Whether the token may edit assets, by its scopes (1.8); `None` where the answer does not say. The agent's own
    /// permissions narrow it further, which no read can tell.
    pub async fn may_edit_assets(&self) -> Result<Option<bool>, Failure> {
        let scopes = self.token(None).await?.scopes;
        let may = |scope: &str| matches!(scope, "all" | "all:standard" | "admin" | "edit:assets");
        Ok((!scopes.trim().is_empty()).then(|| scopes.split_whitespace().any(may)))
    }

    /// Signs in, or finds that it is signed in already.
    pub async fn sign_in(&self) -> Result<(), Failure> {
        self.token(None).await.map(drop)
    }

    /// The token, a new one where the current one is about to end, or where it is the generation that was refused.
    async fn token(&self, refused: Option<u64>) -> Result<Token, Failure> {
        let mut state = self.sign_in.token.lock().await;
        if let Some(failure) = &state.refused {
            return Err(failure.clone());
        }
        if let Some(token) = &state.current
            && refused != Some(token.generation)
            && Instant::now() < token.renew_at
        {
            return Ok(token.clone());
        }
        let result = Box::pin(self.fetch_token()).await;
        let (bearer, lifetime, scopes) = match result {
            Ok(token) => token,
            Err(failure) => {
                if failure.cause == Cause::SignIn {
                    state.refused = Some(failure.clone());
                }
                return Err(failure);
            }
        };
        state.generation += 1;
        let early = Duration::from_secs(60).min(lifetime / 2);
        let renew_at = Instant::now() + lifetime.saturating_sub(early);
        let token = Token { bearer: Arc::new(bearer), scopes, generation: state.generation, renew_at };
        state.current = Some(token.clone());
        Ok(token)
    }

    async fn fetch_token(&self) -> Result<(Secret, Duration, Arc<str>), Failure> {
        let what = "the sign-in";
        let mut form = self.sign_in.url.clone();
        form.query_pairs_mut()
            .clear()
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.sign_in.client_id)
            .append_pair("client_secret", self.sign_in.secret.expose())
            .append_pair("scope", "all");
        let body = form.query().unwrap_or_default().as_bytes().to_vec();
        let request = Request::post(self.sign_in.url.clone(), "application/x-www-form-urlencoded", body);
        let permit = self.caller.budget.acquire(Lane::Session).await;
        let read_token = |response: &Response| {
            if matches!(response.status, 400..=403 | 405..=407 | 409..=499) {
                return Err(refused_sign_in(response));
            }
            self.read(what, response, |body| {
                let token: wire::Token = serde_json::from_slice(body).map_err(|error| reason(&error))?;
                if token.bearer.trim().is_empty() {
                    return Err("it holds no token".to_owned());
                }
                let seconds =
                    token.expires_in.id().and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3600);
                let lifetime = Duration::from_secs(seconds.clamp(1, 86_400));
                let bearer = Secret::new(format!("Bearer {}", token.bearer.trim()));
                Ok((bearer, lifetime, token.scope.unwrap_or_default().into()))
            })
        };
        self.caller.call(Effect::Read, what, permit, request, read_token).await
    }

    /// Sends with the token; a 401 renews it once and sends again, a second one is a matter of rights (1.7).
    pub(super) async fn signed_in<T>(
        &self,
        effect: Effect,
        what: &str,
        permit: Permit,
        request: Request,
        judge: impl Fn(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let token = self.token(None).await.map_err(|failure| failure.doubt_of(false))?;
        let signed = request.clone().secret_header(AUTHORIZATION, token.bearer.expose());
        let failure = match self.caller.call(effect, what, permit, signed, &judge).await {
            Err(failure) if failure.cause == Cause::SignedOut => failure,
            other => return other,
        };
        Box::pin(self.signed_anew(effect, what, request, judge, (token.generation, failure.in_doubt))).await
    }

    /// The same after a 401: with a new token, once.
    async fn signed_anew<T>(
        &self,
        effect: Effect,
        what: &str,
        request: Request,
        judge: impl Fn(&Response) -> Result<T, Failure>,
        (refused, in_doubt): (u64, bool),
    ) -> Result<T, Failure> {
        let token = self.token(Some(refused)).await.map_err(|failure| failure.doubt_of(in_doubt))?;
        let permit = self.caller.budget.acquire(self.caller.lane).await;
        let signed = request.secret_header(AUTHORIZATION, token.bearer.expose());
        self.caller.call(effect, what, permit, signed, &judge).await.map_err(|mut again| {
            again.in_doubt |= in_doubt;
            if again.cause == Cause::SignedOut {
                again.problem = Problem::new(
                    Class::Auth,
                    format!(
                        "Halo accepts the sign-in but does not allow {what} (401 again with a new token)."
                    ),
                )
                .remedy("Check the permissions of the API application and of the agent that it logs in as.");
            }
            again
        })
    }
}

fn refused_sign_in(response: &Response) -> Failure {
    let json: Json = serde_json::from_slice(response.trimmed()).unwrap_or_default();
    let said = words(response);
    let said = if said.is_empty() { format!("status {}", response.status) } else { said };
    let remedy = match json.get("error").and_then(Json::as_str) {
        Some("invalid_scope") => "Grant the API application the permission 'all', or those the help names.",
        _ => "Check client id, client secret and tenant.",
    };
    Failure::new(
        Cause::SignIn,
        Problem::new(
            Class::Auth,
            format!("Halo refused the sign-in ({}).", crate::model::text::shown(&said)),
        )
        .remedy(remedy),
    )
}
