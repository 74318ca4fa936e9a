//! A web address that is told something: notices, and pings of a dead man's switch. The address itself is a secret.

use std::sync::Arc;
use std::time::Duration;

use super::address::is_loopback;
use super::budget::{Budget, Lane};
use super::http::{Request, Transport, Url};
use crate::model::settings::Pace;
use crate::model::{Class, Problem, Secret};

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between attempts. Being told twice harms nobody.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// What these addresses together are sent at most.
pub const PACE: Pace = Pace { requests: 30, per_seconds: 60, at_once: 1, spacing_ms: 0, share: 1.0 };

pub struct Webhook {
    /// The setting that holds the address: what problems call it.
    key: &'static str,
    url: Url,
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
}

impl Webhook {
    /// # Errors
    /// An address that is none, or would travel unprotected. The sentence does not repeat it.
    pub fn new(
        key: &'static str,
        url: &Secret,
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
    ) -> Result<Self, Problem> {
        let parsed = url.expose().trim().parse::<Url>().ok();
        let fits = |url: &Url| url.scheme() == "https" || url.scheme() == "http" && is_loopback(url);
        let Some(url) = parsed.filter(|url| url.has_host() && fits(url)) else {
            return Err(Problem::new(
                Class::Input,
                format!("{key} is not an address that begins with https://."),
            )
            .remedy(format!("Seal it again with `parhelion secret set {key}`.")));
        };
        Ok(Self { key, url, transport, budget })
    }

    /// Posts a body, trying again where nothing or a server's error came back.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn post(&self, content_type: &'static str, body: &[u8]) -> Result<(), Problem> {
        self.send(|| Request::post(self.url.clone(), content_type, body.to_vec())).await
    }

    /// Asks for the address with `suffix` behind its path, as `/start`.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn get(&self, suffix: &str) -> Result<(), Problem> {
        let mut url = self.url.clone();
        let path = format!("{}{suffix}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        self.send(|| Request::get(url.clone())).await
    }

    async fn send(&self, request: impl Fn() -> Request) -> Result<(), Problem> {
        let mut pauses = PAUSES.iter();
        loop {
            let mut permit = self.budget.acquire(Lane::Bulk).await;
            permit.sending();
            let answer = self.transport.send(request().total(PATIENCE)).await;
            drop(permit);
            let (why, is_passing) = match answer {
                Ok(answer) if answer.is_success() => return Ok(()),
                Ok(answer) => {
                    (format!("answered {}", answer.status), answer.status >= 500 || answer.status == 429)
                }
                Err(error) => (format!("could not be reached: {error}"), true),
            };
            match pauses.next().filter(|_| is_passing) {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => {
                    return Err(Problem::new(Class::Host, format!("The address in {} {why}.", self.key))
                        .remedy("Check the address, and whether this machine may reach it."));
                }
            }
        }
    }
}
