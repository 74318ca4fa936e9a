//! The vendors' clients for one job: made from the settings, signed in once, dropped at its end (C11).

use std::sync::Arc;

use super::Engine;
use crate::api::budget::Lane;
use crate::api::halo::Halo;
use crate::api::marketplace::Marketplace;
use crate::model::settings::{SecretSource, Settings};
use crate::model::{Class, Integration, Place, Problem, Secret};

/// Both ends of an import.
pub struct Connections {
    pub halo: Arc<Halo>,
    pub market: Arc<Marketplace>,
    /// The account at the source: the marketplace's host. Two marketplaces may use one number for two things.
    pub account: String,
}

impl Engine {
    pub fn connect(&self, integration: Integration, lane: Lane) -> Result<Connections, Problem> {
        let settings = self.settings();
        if !settings.marketplace(integration).enabled {
            return Err(Problem::new(Class::Input, format!("{} is switched off.", integration.label()))
                .remedy(format!("Switch it on first: `parhelion config set {integration}.enabled true`, or Space on its row.")));
        }
        let market = self.connect_market(&settings, integration, lane)?;
        let halo = self.connect_halo(&settings, lane)?;
        Ok(Connections { halo, account: account(&settings, integration), market })
    }

    pub fn connect_halo(&self, settings: &Settings, lane: Lane) -> Result<Arc<Halo>, Problem> {
        let missing = missing_halo(settings);
        if !missing.is_empty() {
            return Err(not_set_up("Halo", &missing));
        }
        let secret = self.secret(&settings.halo.client_secret, "halo.client_secret")?;
        let halo = Halo::new(&settings.halo, secret, self.world.transport.clone(), self.budget(Place::Halo))?;
        Ok(Arc::new(if lane == Lane::Interactive { halo.interactive() } else { halo }))
    }

    fn connect_market(
        &self,
        settings: &Settings,
        integration: Integration,
        lane: Lane,
    ) -> Result<Arc<Marketplace>, Problem> {
        let missing = missing_market(settings, integration);
        if !missing.is_empty() {
            return Err(not_set_up(integration.label(), &missing));
        }
        let of = settings.marketplace(integration);
        let secret = self.secret(&of.password, &format!("{integration}.password"))?;
        let budget = self.budget(Place::Of(integration));
        let market = Marketplace::new(integration, of, secret, self.world.transport.clone(), budget)?;
        Ok(Arc::new(if lane == Lane::Interactive { market.interactive() } else { market }))
    }

    /// Reads a secret for use now.
    pub fn secret(&self, source: &SecretSource, key: &str) -> Result<Secret, Problem> {
        let secret = crate::store::secret_source::resolve(source, key, &self.vault())?;
        crate::logging::keep_out(&secret);
        Ok(secret)
    }
}

/// The account at the source, as part of every marker: the host the marketplace is reached at.
pub fn account(settings: &Settings, integration: Integration) -> String {
    let url = &settings.marketplace(integration).marketplace_url;
    let host = url.split("://").nth(1).unwrap_or(url);
    host.split(['/', ':']).next().unwrap_or(host).to_ascii_lowercase()
}

/// Settings without which Halo cannot be reached.
pub fn missing_halo(settings: &Settings) -> Vec<&'static str> {
    let halo = &settings.halo;
    let mut missing = Vec::new();
    if halo.resource_server.is_empty() {
        missing.push("halo.resource_server");
    }
    if halo.client_id.is_empty() {
        missing.push("halo.client_id");
    }
    if halo.client_secret == SecretSource::Unset {
        missing.push("halo.client_secret");
    }
    missing
}

/// Settings without which a marketplace cannot be reached.
pub fn missing_market(settings: &Settings, integration: Integration) -> Vec<&'static str> {
    let of = settings.marketplace(integration);
    let mut missing = Vec::new();
    if of.marketplace_url.is_empty() {
        missing.push("marketplace_url");
    }
    if of.username.is_empty() {
        missing.push("username");
    }
    if of.password == SecretSource::Unset {
        missing.push("password");
    }
    missing
}

fn not_set_up(label: &str, missing: &[&str]) -> Problem {
    Problem::new(Class::Input, format!("{label} is not set up yet: {} missing.", missing.join(", ")))
        .remedy("Fill in its form (Enter on its row), or `parhelion config set` and `parhelion secret set`.")
}
