//! Several customers of the source may be branches of one in Halo: each can have a site of its own there (P18).

use super::labels;
use crate::api::budget::Lane;
use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::words::{Party, SitesView};
use crate::model::{Class, Integration, Place, Problem, SourceId};

impl Engine {
    /// Reads the sites that a customer's partner has now.
    ///
    /// # Errors
    /// `Input` where it is not mapped, or where its partner is not a customer of Halo.
    pub async fn sites(&self, integration: Integration, id: &SourceId) -> Result<SitesView, Problem> {
        let (here, there) = labels(integration);
        if integration.target(integration.root()) != Place::Halo {
            let message = format!("{there} has no sites to choose from: only customers in Halo have.");
            return Err(Problem::new(Class::Input, message));
        }
        let parties = self.parties(integration)?;
        let Some(link) = parties.links.get(id).cloned() else {
            let message = format!("Customer {id} of {here} is not mapped, so there is no site to choose.");
            return Err(Problem::new(Class::Input, message).remedy("Map it first."));
        };
        let (name, partner) = (safe(parties.source_name(id)), safe(parties.target_name(&link)));
        drop(parties);
        let with = self.connect(integration, Lane::Interactive)?;
        let sites = with.halo.sites_of(&link.target).await;
        with.close().await;
        let party =
            |id, name: &str| Party { id, name: safe(name), place: String::new(), domain: String::new() };
        let mut sites: Vec<_> = sites?
            .records
            .into_iter()
            .filter(|site| site.is_active)
            .map(|site| Party { place: safe(&site.address.to_string()), ..party(site.id, &site.name) })
            .collect();
        sites.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(SitesView {
            source: id.clone(),
            name,
            partner: party(link.target, &partner),
            sites,
            chosen: link.site,
        })
    }
}
