//! The vendors' clients for one job: made from the settings, signed in once, dropped at its end (C11).

use std::sync::Arc;

use super::Engine;
use super::hudu::HuduDesk;
use super::liongard::LiongardDesk;
use super::target::Target;
use crate::api::budget::Lane;
use crate::api::halo::Halo;
use crate::api::hudu::Hudu;
use crate::api::liongard::Liongard;
use crate::api::marketplace::Marketplace;
use crate::model::settings::{self, SecretSource, Settings};
use crate::model::{Class, Integration, Place, Problem, Secret};

/// Both ends of an import.
pub struct Connections {
    pub halo: Arc<Halo>,
    pub other: Other,
    /// The account at the other side: its host. Two marketplaces may use one number for two things.
    pub account: String,
}

/// The system that Halo is kept in step with.
pub enum Other {
    Market(Arc<Marketplace>),
    Hudu(Arc<HuduDesk>),
    /// The planning workspace: ours, so there is nothing to connect to.
    Here,
    Liongard(Arc<LiongardDesk>),
}

impl Connections {
    /// Where rows of this place are written.
    pub fn target(&self, place: Place) -> Target {
        match (place, &self.other) {
            (Place::Of(_), Other::Hudu(desk)) => Target::Hudu(desk.clone()),
            (Place::Of(_), Other::Liongard(desk)) => Target::Liongard(desk.clone()),
            (Place::Halo, _) | (Place::Of(_), Other::Market(_) | Other::Here) => {
                Target::Halo(self.halo.clone())
            }
        }
    }

    /// Ends the sessions that vendors keep open (C11).
    pub async fn close(&self) {
        match &self.other {
            Other::Market(market) => market.sign_out().await,
            // A key has no session.
            Other::Hudu(_) | Other::Liongard(_) | Other::Here => {}
        }
    }
}

impl Engine {
    pub fn connect(&self, integration: Integration, lane: Lane) -> Result<Connections, Problem> {
        let settings = self.settings();
        if !settings.of(integration).enabled {
            return Err(Problem::new(Class::Input, format!("{} is switched off.", integration.label()))
                .remedy(format!("Switch it on first: `parhelion config set {integration}.enabled true`, or Space on its row.")));
        }
        let other = match integration {
            Integration::Also => Other::Market(self.connect_market(&settings.also, integration, lane)?),
            Integration::Westcoast => {
                Other::Market(self.connect_market(&settings.westcoast, integration, lane)?)
            }
            Integration::Hudu => Other::Hudu(self.connect_hudu(&settings, lane)?),
            Integration::Lifecycle => Other::Here,
            Integration::Liongard => {
                let liongard = self.connect_liongard(&settings, lane)?;
                Other::Liongard(Arc::new(LiongardDesk::new((*liongard).clone())))
            }
        };
        let halo = self.connect_halo(&settings, lane)?;
        Ok(Connections { halo, account: account(&settings, integration), other })
    }

    /// The system that requests to this place are read back from.
    pub fn connect_target(&self, place: Place, lane: Lane) -> Result<Target, Problem> {
        match place {
            Place::Halo => Ok(Target::Halo(self.connect_halo(&self.settings(), lane)?)),
            Place::Of(integration) => Ok(self.connect(integration, lane)?.target(place)),
        }
    }

    pub fn connect_halo(&self, settings: &Settings, lane: Lane) -> Result<Arc<Halo>, Problem> {
        let missing = missing(settings, Place::Halo);
        if !missing.is_empty() {
            return Err(not_set_up("Halo", &missing));
        }
        let secret = self.secret(&settings.halo.client_secret, "halo.client_secret")?;
        let halo = Halo::new(&settings.halo, secret, self.world.transport.clone(), self.budget(Place::Halo))?;
        Ok(Arc::new(if lane == Lane::Interactive { halo.interactive() } else { halo }))
    }

    fn connect_market(
        &self,
        of: &settings::Marketplace,
        integration: Integration,
        lane: Lane,
    ) -> Result<Arc<Marketplace>, Problem> {
        let missing = missing(&self.settings(), Place::Of(integration));
        if !missing.is_empty() {
            return Err(not_set_up(integration.label(), &missing));
        }
        let secret = self.secret(&of.password, &format!("{integration}.password"))?;
        let budget = self.budget(Place::Of(integration));
        let market = Marketplace::new(integration, of, secret, self.world.transport.clone(), budget)?;
        Ok(Arc::new(if lane == Lane::Interactive { market.interactive() } else { market }))
    }

    fn connect_hudu(&self, settings: &Settings, lane: Lane) -> Result<Arc<HuduDesk>, Problem> {
        let place = Place::Of(Integration::Hudu);
        let missing = missing(settings, place);
        if !missing.is_empty() {
            return Err(not_set_up(place.label(), &missing));
        }
        let key = self.secret(&settings.hudu.api_key, "hudu.api_key")?;
        let hudu = Hudu::new(&settings.hudu, key, self.world.transport.clone(), self.budget(place))?;
        let hudu = if lane == Lane::Interactive { hudu.interactive() } else { hudu };
        let account = account(settings, Integration::Hudu);
        Ok(Arc::new(HuduDesk::new(hudu, settings.hudu.clone(), self.installation.clone(), account)))
    }

    pub fn connect_liongard(&self, settings: &Settings, lane: Lane) -> Result<Arc<Liongard>, Problem> {
        let place = Place::Of(Integration::Liongard);
        let missing = missing(settings, place);
        if !missing.is_empty() {
            return Err(not_set_up("Liongard", &missing));
        }
        let of = &settings.liongard;
        let secret = self.secret(&of.access_key_secret, "liongard.access_key_secret")?;
        let liongard = Liongard::new(of, &secret, self.world.transport.clone(), self.budget(place))?;
        Ok(Arc::new(if lane == Lane::Interactive { liongard.interactive() } else { liongard }))
    }

    /// Reads a secret for use now.
    pub fn secret(&self, source: &SecretSource, key: &str) -> Result<Secret, Problem> {
        let secret = crate::store::secret_source::resolve(source, key, &self.vault())?;
        crate::logging::keep_out(&secret);
        Ok(secret)
    }
}

/// The account at the other side, as part of every marker: the host it is reached at.
pub fn account(settings: &Settings, integration: Integration) -> String {
    let url = settings.of(integration).url;
    let host = url.split("://").nth(1).unwrap_or(url);
    host.split(['/', ':']).next().unwrap_or(host).to_ascii_lowercase()
}

/// Settings without which a place cannot be reached, without their section.
pub fn missing(settings: &Settings, place: Place) -> Vec<&'static str> {
    let market = |of: &settings::Marketplace| {
        vec![
            ("marketplace_url", of.marketplace_url.is_empty()),
            ("username", of.username.is_empty()),
            ("password", of.password == SecretSource::Unset),
        ]
    };
    let needed: Vec<(&'static str, bool)> = match place {
        Place::Halo => {
            let halo = &settings.halo;
            vec![
                ("resource_server", halo.resource_server.is_empty()),
                ("client_id", halo.client_id.is_empty()),
                ("client_secret", halo.client_secret == SecretSource::Unset),
            ]
        }
        Place::Of(Integration::Also) => market(&settings.also),
        Place::Of(Integration::Westcoast) => market(&settings.westcoast),
        Place::Of(Integration::Hudu) => vec![
            ("url", settings.hudu.url.is_empty()),
            ("api_key", settings.hudu.api_key == SecretSource::Unset),
        ],
        // It needs nothing but Halo.
        Place::Of(Integration::Lifecycle) => Vec::new(),
        Place::Of(Integration::Liongard) => {
            let liongard = &settings.liongard;
            vec![
                ("url", liongard.url.is_empty()),
                ("access_key_id", liongard.access_key_id.is_empty()),
                ("access_key_secret", liongard.access_key_secret == SecretSource::Unset),
            ]
        }
    };
    needed.into_iter().filter(|(_, is_missing)| *is_missing).map(|(key, _)| key).collect()
}

fn not_set_up(label: &str, missing: &[&str]) -> Problem {
    Problem::new(Class::Input, format!("{label} is not set up yet: {} missing.", missing.join(", ")))
        .remedy("Fill in its form (Enter on its row), or `parhelion config set` and `parhelion secret set`.")
}
