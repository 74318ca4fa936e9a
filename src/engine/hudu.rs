//! Hudu as a system that rows are written to: its companies, and its assets in the layouts that the settings choose.
//!
//! An asset's id is `company/asset`: Hudu reads and writes one only through its company, and so a record of another
//! company is never taken for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::records::Write;
use super::target::Say;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::hudu::{Asset, Cell, Company, CompanyFields, Hudu, Layout, NewAsset};
use crate::api::listing::Listing;
use crate::integrations::hudu as rules;
use crate::matching::keys::domain_in;
use crate::model::{
    Class, Entity, FieldName, Fields, Found, Installation, Integration, MatchKeys, Packed, Problem, SourceId,
    TargetId, Value, marker, settings,
};

/// Where the records that a write names are at the target, by their links.
pub type Named = HashMap<(Entity, SourceId), TargetId>;

/// Hudu with what one job needs to know of it.
pub struct HuduDesk {
    pub hudu: Hudu,
    settings: settings::Hudu,
    installation: Installation,
    account: String,
    layouts: OnceCell<Vec<Layout>>,
    /// Whether Hudu's own Halo integration has matched a company.
    is_native: AtomicBool,
    /// Where people open each company.
    urls: Mutex<HashMap<TargetId, Box<str>>>,
    /// Halo's id of the site that an asset is of.
    sites: Mutex<HashMap<i64, SourceId>>,
}

impl HuduDesk {
    pub fn new(hudu: Hudu, settings: settings::Hudu, installation: Installation, account: String) -> Self {
        Self {
            hudu,
            settings,
            installation,
            account,
            layouts: OnceCell::new(),
            is_native: AtomicBool::new(false),
            urls: Mutex::default(),
            sites: Mutex::default(),
        }
    }

    /// Every layout, read once.
    pub async fn layouts(&self) -> Result<&[Layout], Problem> {
        let read = || async { self.hudu.layouts().await?.proven() };
        Ok(self.layouts.get_or_try_init(read).await?)
    }

    /// The layout that records of this entity are written in.
    ///
    /// # Errors
    /// It is missing, inactive, or cannot hold Halo's id.
    pub async fn layout(&self, entity: Entity) -> Result<&Layout, Problem> {
        let name = self.settings.layout(entity).unwrap_or_default();
        match rules::judge(entity, name, self.layouts().await?) {
            Ok((layout, _)) => Ok(layout),
            Err((blocked, _)) => Err(Problem::new(Class::Input, blocked.sentence(entity, name))),
        }
    }

    fn marker(&self, entity: Entity, halo_id: &str) -> Box<str> {
        let id = SourceId::new(halo_id);
        marker::marker(&self.installation, Integration::Hudu, &self.account, entity, &id).into()
    }

    /// A company as planning sees it. Halo's id, from Hudu's own matching or from the key field, stands for our marker.
    pub fn found_company(&self, company: Company) -> Found {
        if !self.settings.halo_url_field.is_empty() {
            let url = self.absolute(&company.url);
            self.urls.lock().unwrap_or_else(PoisonError::into_inner).insert(company.id.clone(), url);
        }
        let own = company.id_number.as_deref();
        self.is_native.fetch_or(company.halo_id.is_some(), Ordering::Relaxed);
        let halo_id = company.halo_id.as_deref().or_else(|| own.and_then(rules::company_key_of));
        let marker = halo_id.map(|id| self.marker(Entity::Companies, id));
        let mut fields = Fields::new().with(FieldName::Name, Value::text(&company.name));
        let texts = [(rules::company_key(), own), (FieldName::own("Phone"), company.phone.as_deref())];
        for (name, text) in texts {
            if let Some(text) = text {
                fields.set(name, Value::text(text));
            }
        }
        if !company.address.is_blank() {
            fields.set(FieldName::own("Address"), Value::Address(Box::new(company.address)));
        }
        fields.shrink();
        let domain = company.website.as_deref().and_then(domain_in);
        Found {
            id: company.id,
            name: company.name.into(),
            parent: None,
            is_active: !company.is_archived,
            marker,
            fields,
            keys: MatchKeys { domains: domain.into_iter().collect(), ..MatchKeys::default() },
            currency: None,
            main_site: None,
        }
    }

    /// Where people open a company that was read; blank where Hudu does not say.
    pub fn url_of(&self, company: &TargetId) -> Option<Box<str>> {
        let urls = self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        urls.get(company).filter(|url| !url.is_empty()).cloned()
    }

    /// Hudu's own address before a path of its, as some builds give it.
    fn absolute(&self, url: &str) -> Box<str> {
        if url.starts_with('/') {
            format!("{}{url}", self.settings.url.trim().trim_end_matches('/')).into()
        } else {
            url.into()
        }
    }

    /// An asset as planning sees it.
    pub fn found_asset(&self, entity: Entity, asset: Asset) -> Found {
        let key = rules::key_label(entity).and_then(|label| asset.cell(label)).and_then(rules::value_of);
        // Hudu's own Halo integration marks the assets that it keeps with a card.
        let carded = || asset.cards.iter().find(|card| rules::card_kind(entity) == Some(&*card.kind));
        let key = key
            .map(|key| key.to_string())
            .filter(|key| !key.is_empty())
            .or_else(|| carded().map(|card| card.halo_id.to_string()));
        let marker = key.as_deref().map(|key| self.marker(entity, key));
        let number = asset.id.number().unwrap_or_default();
        if entity == Entity::Sites
            && let Some(key) = &key
        {
            self.with_sites(|sites| sites.insert(number, SourceId::new(key)));
        }
        let mut fields = Fields::new().with(FieldName::Name, Value::text(&asset.name));
        for feed in rules::feeds(entity) {
            let Some(cell) = asset.cell(feed.label) else { continue };
            let value = match cell {
                Cell::Assets(ids) => Some(self.linked(ids)),
                cell => rules::value_of(cell),
            };
            if let Some(value) = value {
                fields.set(FieldName::own(feed.label), value);
            }
        }
        fields.shrink();
        Found {
            id: asset_id(&asset.company, &asset.id),
            name: asset.name.into(),
            parent: Some(asset.company),
            is_active: !asset.is_archived,
            marker,
            fields,
            keys: MatchKeys::default(),
            currency: None,
            main_site: None,
        }
    }

    fn with_sites<T>(&self, f: impl FnOnce(&mut HashMap<i64, SourceId>) -> T) -> T {
        f(&mut self.sites.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The site that an asset link leads to, in Halo's words; in Hudu's where it is no site of Halo's.
    fn linked(&self, ids: &[i64]) -> Value {
        let site = match ids {
            [only] => self.with_sites(|sites| sites.get(only).cloned()),
            _ => None,
        };
        site.map_or_else(
            || {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                Value::text(format!("asset {}", ids.join(", ")))
            },
            |site| Value::Record(Entity::Sites, site),
        )
    }

    /// Reads the sites' assets that these assets lead to, so far as they are not known.
    async fn know_sites(&self, assets: &[Asset]) -> Result<(), Problem> {
        let mut unknown: Vec<(TargetId, i64)> = Vec::new();
        for asset in assets {
            for (_, cell) in &asset.cells {
                let Cell::Assets(ids) = cell else { continue };
                let new = ids.iter().filter(|id| !self.with_sites(|sites| sites.contains_key(id)));
                unknown.extend(new.map(|id| (asset.company.clone(), *id)));
            }
        }
        unknown.dedup();
        for (company, id) in unknown {
            let Ok(layout) = self.layout(Entity::Sites).await else { return Ok(()) };
            // It may as well be an asset of another layout, which says nothing of a site.
            if let Ok(Some(site)) = self.hudu.asset(&company, &id.into(), layout).await {
                self.found_asset(Entity::Sites, site);
            }
        }
        Ok(())
    }

    pub async fn record(&self, entity: Entity, id: &TargetId) -> Result<Option<Found>, Problem> {
        if entity == Entity::Companies {
            return Ok(self.hudu.company(id).await?.map(|company| self.found_company(company)));
        }
        let (company, asset) = parts(id)?;
        let layout = self.layout(entity).await?;
        match self.hudu.asset(&company, &asset, layout).await? {
            Some(asset) => {
                self.know_sites(std::slice::from_ref(&asset)).await?;
                Ok(Some(self.found_asset(entity, asset)))
            }
            None => Ok(None),
        }
    }

    pub async fn near(
        &self,
        entity: Entity,
        company: Option<&TargetId>,
        name: &str,
    ) -> Result<Vec<Found>, Problem> {
        match company {
            None => {
                let found = self.hudu.companies_with("name", name.trim()).await?;
                Ok(found.into_iter().map(|company| self.found_company(company)).collect())
            }
            Some(company) => {
                let assets = self.hudu.assets_of(company, self.layout(entity).await?).await?;
                self.know_sites(&assets).await?;
                Ok(assets.into_iter().map(|asset| self.found_asset(entity, asset)).collect())
            }
        }
    }

    /// Records of Halo's that Hudu's own Halo integration keeps as assets of other layouts than ours: by Halo's id, what
    /// and where they are. None where that integration has matched no company.
    pub async fn kept_elsewhere(
        &self,
        entity: Entity,
        say: Say<'_>,
    ) -> Result<HashMap<SourceId, String>, Problem> {
        let Some(kind) = rules::card_kind(entity).filter(|_| self.is_native.load(Ordering::Relaxed)) else {
            return Ok(HashMap::new());
        };
        let ours = self.layout(entity).await?.id;
        let all = self.hudu.carded(say).await?;
        let elsewhere = all.records.into_iter().filter(|asset| asset.layout != ours);
        Ok(elsewhere
            .flat_map(|asset| {
                let said = format!("'{}' of layout '{}'", asset.name, asset.layout_name);
                let mine = asset.cards.into_iter().filter(|card| &*card.kind == kind);
                mine.map(move |card| (SourceId::new(&*card.halo_id), said.clone()))
            })
            .collect())
    }

    /// All companies but archived ones, which are in no list of Hudu's.
    pub async fn companies(&self, say: Say<'_>) -> Result<Listing<Found>, Problem> {
        Ok(self.hudu.companies(say).await?.map(|company| self.found_company(company)))
    }

    /// All records of an entity, archived assets too. Archived companies are in no list of Hudu's.
    pub async fn list(&self, entity: Entity, say: Say<'_>) -> Result<Listing<Packed<Found>>, Problem> {
        if entity == Entity::Companies {
            return Ok(self.companies(say).await?.packed());
        }
        let layout = self.layout(entity).await?;
        // What a user's asset leads to is told in Halo's words: the sites come first.
        if entity == Entity::Users
            && self.with_sites(|sites| sites.is_empty())
            && let Ok(sites) = self.layout(Entity::Sites).await
        {
            for archived in [false, true] {
                let noted = |site| drop(self.found_asset(Entity::Sites, site));
                self.hudu.assets(sites, archived, &noted, &|_, _| {}).await?;
            }
        }
        let packed = |asset| Packed::new(&self.found_asset(entity, asset));
        let mut all = self.hudu.assets(layout, false, &packed, say).await?;
        let archived = self.hudu.assets(layout, true, &packed, &|_, _| {}).await?;
        all.certificate.complete &= archived.certificate.complete;
        all.certificate.why_not = all.certificate.why_not.or(archived.certificate.why_not);
        all.problems.extend(archived.problems);
        all.records.extend(archived.records);
        all.records.sort_by(|a, b| a.id().cmp(b.id()));
        all.records.dedup_by(|a, b| a.id() == b.id());
        all.certificate.seen = all.records.len() as u64;
        Ok(all)
    }

    /// Sends one write, once.
    pub async fn send(&self, permit: Permit, write: &Write, named: &Named) -> WriteVerdict<TargetId> {
        match write {
            Write::Create { entity: Entity::Companies, fields, .. } => {
                let fields = self.company_fields(fields);
                self.hudu.create_company(permit, &fields).await.map(|company| company.id)
            }
            Write::Create { entity, customer: Some(company), fields, .. } => {
                let (layout, new) = match self.prepared(*entity, fields, named).await {
                    Ok(prepared) => prepared,
                    Err(problem) => return WriteVerdict::Rejected(problem),
                };
                let verdict = self.hudu.create_asset(permit, company, layout, &new).await;
                verdict.map(|asset| self.noted(*entity, asset))
            }
            Write::Create { .. } => WriteVerdict::Rejected(
                Problem::new(Class::Record, "An asset needs a company, and none is named.")
                    .remedy("Build the plan again."),
            ),
            Write::Set { entity: Entity::Companies, id, fields, .. } => {
                if let Some(Value::Active(active)) = fields.get(FieldName::Status) {
                    return self.hudu.archive_company(permit, id, !active).await.map(|company| company.id);
                }
                let fields = self.company_fields(fields);
                self.hudu.update_company(permit, id, &fields).await.map(|company| company.id)
            }
            Write::Set { entity, id, fields, .. } => {
                let (company, asset) = match parts(id) {
                    Ok(parts) => parts,
                    Err(problem) => return WriteVerdict::Rejected(problem),
                };
                let (layout, new) = match self.prepared(*entity, fields, named).await {
                    Ok(prepared) => prepared,
                    Err(problem) => return WriteVerdict::Rejected(problem),
                };
                let verdict = match fields.get(FieldName::Status) {
                    Some(Value::Active(active)) => {
                        self.hudu.archive_asset(permit, &company, &asset, layout, !active).await
                    }
                    _ => self.hudu.update_asset(permit, &company, &asset, layout, &new).await,
                };
                verdict.map(|asset| self.noted(*entity, asset))
            }
            Write::SetAddress { .. } => WriteVerdict::Rejected(Problem::new(
                Class::Record,
                "Hudu has no main sites: nothing was sent.",
            )),
        }
    }

    fn noted(&self, entity: Entity, asset: Asset) -> TargetId {
        self.found_asset(entity, asset).id
    }

    fn company_fields(&self, fields: &Fields) -> CompanyFields {
        let text = |name| match fields.get(name) {
            Some(Value::Text(text)) => Some(Box::from(&**text)),
            _ => None,
        };
        let key_field = self.settings.company_key_field.trim();
        CompanyFields {
            name: text(FieldName::Name),
            key: text(rules::company_key()).map(|key| (key_field.into(), key)),
            phone: text(FieldName::own("Phone")),
            website: None,
            address: match fields.get(FieldName::own("Address")) {
                Some(Value::Address(address)) => Some((**address).clone()),
                _ => None,
            },
        }
    }

    async fn prepared(
        &self,
        entity: Entity,
        fields: &Fields,
        named: &Named,
    ) -> Result<(&Layout, NewAsset), Problem> {
        let layout = self.layout(entity).await?;
        let mut new = NewAsset::default();
        for (name, value) in fields.iter() {
            let cell = match (name, value) {
                (FieldName::Status, _) => continue,
                (FieldName::Name, value) => {
                    new.name = Some(value.to_string().into());
                    continue;
                }
                (_, Value::Record(of, id)) => {
                    let there =
                        named.get(&(*of, id.clone())).and_then(|target| parts(target).ok()?.1.number());
                    let there = there.ok_or_else(|| {
                        Problem::new(Class::Record, format!("Its {} {id} is not in Hudu yet.", of.singular()))
                            .remedy("See to that one first; the next run goes on with this.")
                    })?;
                    Cell::Assets(vec![there])
                }
                (_, value) => rules::cell_of(value).ok_or_else(|| {
                    let why = format!("Hudu's field '{name}' cannot take '{value}'; nothing was sent.");
                    Problem::new(Class::Record, why)
                })?,
            };
            new.cells.push((name.key().into(), cell));
        }
        Ok((layout, new))
    }
}

fn asset_id(company: &TargetId, asset: &TargetId) -> TargetId {
    TargetId::new(format!("{company}/{asset}"))
}

/// Company and asset of an asset's id.
fn parts(id: &TargetId) -> Result<(TargetId, TargetId), Problem> {
    id.as_str()
        .split_once('/')
        .map(|(company, asset)| (TargetId::new(company), TargetId::new(asset)))
        .ok_or_else(|| {
            Problem::new(
                Class::Input,
                format!("'{id}' cannot be the id of an asset in Hudu; nothing was sent."),
            )
        })
}
