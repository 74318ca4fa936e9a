//! Hudu as a system that rows are written to: its companies, and its assets in the layouts that the settings choose.
//!
//! An asset's id is `company/asset`: Hudu reads and writes one only through its company, and so a record of another
//! company is never taken for it.

mod relations;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::records::Write;
use super::target::Say;
use crate::api::budget::Permit;
use crate::api::call::WriteVerdict;
use crate::api::hudu::{Asset, Cell, Company, CompanyFields, Hudu, Layout, NewAsset};
use crate::api::listing::{Listing, PackedListing};
use crate::integrations::hudu as rules;
use crate::matching::keys::domain_in;
use crate::model::{
    Class, Entity, FieldName, Fields, Found, Installation, Integration, MatchKeys, Moment, Problem, SourceId,
    Stack, TargetId, Value, marker, settings,
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
    /// The layout of each asset that was read and whose entity has several.
    layout_of: Mutex<HashMap<i64, i64>>,
    relations: Mutex<relations::Shelf>,
    /// When assets were changed last, where a rule asks for it (P49).
    changed: Mutex<BTreeMap<TargetId, Moment>>,
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
            layout_of: Mutex::default(),
            relations: Mutex::default(),
            changed: Mutex::default(),
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

    /// Every layout that records of this entity are written in: one, but for assets (P66).
    ///
    /// # Errors
    /// None is chosen, or one of them cannot take such records.
    pub async fn layouts_of(&self, entity: Entity) -> Result<Vec<&Layout>, Problem> {
        if entity != Entity::Assets {
            return Ok(vec![self.layout(entity).await?]);
        }
        let sorting = rules::Sorting::new(&self.settings.asset_layouts);
        let names = sorting.layouts();
        if names.is_empty() {
            return Err(Problem::new(
                Class::Input,
                "assets: no layout is chosen for any type of Halo's assets.",
            )
            .remedy("Set hudu.asset_layouts, such as { default = \"Devices\" }."));
        }
        let layouts = self.layouts().await?;
        let judge = |name: &&str| match rules::judge(entity, name, layouts) {
            Ok((layout, _)) => Ok(layout),
            Err((blocked, _)) => Err(Problem::new(Class::Input, blocked.sentence(entity, name))),
        };
        names.iter().map(judge).collect()
    }

    /// Reads what [`Self::send`] needs to know of an entity, once.
    pub async fn ready(&self, entity: Entity) -> Result<(), Problem> {
        match entity {
            Entity::Companies => Ok(()),
            Entity::Relations => self.know_relations().await,
            _ => self.layouts_of(entity).await.map(drop),
        }
    }

    /// When the assets of this entity that were read were changed last; empty where no rule asks for it, or Halo dates no
    /// such records.
    pub fn changed(&self, entity: Entity) -> BTreeMap<TargetId, Moment> {
        if !self.dates(entity) {
            return BTreeMap::new();
        }
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a rule asks when records of this entity were changed, and both sides say so.
    pub fn dates(&self, entity: Entity) -> bool {
        entity == Entity::Contracts
            && self.settings.conflicts.values().any(|wins| *wins == settings::Wins::Newest)
    }

    /// The layout that an asset was in when it was read; of entities with several alone.
    pub fn layout_of(&self, id: &TargetId) -> Option<i64> {
        let number = parts(id).ok()?.1.number()?;
        self.layout_of.lock().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
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
        if entity == Entity::Users
            && let Some(key) = &key
        {
            let mut shelf = self.relations.lock().unwrap_or_else(PoisonError::into_inner);
            shelf.note_contact(number, &asset.company, SourceId::new(key));
        }
        let mut fields = Fields::new().with(FieldName::Name, Value::text(&asset.name));
        let mut set = |label: &str, cell: &Cell| {
            let value = match cell {
                Cell::Assets(ids) => Some(self.linked(ids)),
                cell => rules::value_of(cell),
            };
            if let Some(value) = value {
                fields.set(FieldName::own(label), value);
            }
        };
        let feeds = rules::feeds(entity);
        for feed in feeds {
            if let Some(cell) = asset.cell(feed.label) {
                set(feed.label, cell);
            }
        }
        if entity == Entity::Assets {
            // Fields that Halo feeds by their name.
            for (label, cell) in &asset.cells {
                let label = label.trim();
                if feeds.iter().all(|feed| !feed.label.eq_ignore_ascii_case(label)) {
                    set(label, cell);
                }
            }
            let layouts = self.layouts.get().map_or(&[][..], Vec::as_slice);
            if let Some(layout) = layouts.iter().find(|layout| layout.id == asset.layout) {
                fields.set(rules::layout_field(), Value::text(&*layout.name));
            }
            self.layout_of.lock().unwrap_or_else(PoisonError::into_inner).insert(number, asset.layout);
        }
        fields.shrink();
        let id = asset_id(&asset.company, &asset.id);
        if let Some(at) = asset.changed.filter(|_| self.dates(entity)) {
            self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), at);
        }
        Found {
            id,
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
            if let Ok(Some(site)) = self.hudu.asset(&company, &id.into(), &[layout]).await {
                self.found_asset(Entity::Sites, site);
            }
        }
        Ok(())
    }

    pub async fn record(&self, entity: Entity, id: &TargetId) -> Result<Option<Found>, Problem> {
        if entity == Entity::Companies {
            return Ok(self.hudu.company(id).await?.map(|company| self.found_company(company)));
        }
        if entity == Entity::Relations {
            return self.relation(id).await;
        }
        let (company, asset) = parts(id)?;
        match self.hudu.asset(&company, &asset, &self.layouts_of(entity).await?).await? {
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
            Some(company) if entity == Entity::Relations => self.relations_of(company).await,
            Some(company) => {
                let mut found = Vec::new();
                for layout in self.layouts_of(entity).await? {
                    let assets = self.hudu.assets_of(company, layout).await?;
                    self.know_sites(&assets).await?;
                    found.extend(assets.into_iter().map(|asset| self.found_asset(entity, asset)));
                }
                Ok(found)
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
        let ours: Vec<i64> = self.layouts_of(entity).await?.iter().map(|layout| layout.id).collect();
        let all = self.hudu.carded(say).await?;
        let elsewhere = all.records.into_iter().filter(|asset| !ours.contains(&asset.layout));
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
    pub async fn list(&self, entity: Entity, say: Say<'_>) -> Result<PackedListing<Found>, Problem> {
        if entity == Entity::Companies {
            return Ok(self.companies(say).await?.packed());
        }
        if entity == Entity::Relations {
            return self.list_relations(say).await;
        }
        let layouts = self.layouts_of(entity).await?;
        // What an asset leads to is told in Halo's words: the sites come first.
        if matches!(entity, Entity::Users | Entity::Assets)
            && self.with_sites(|sites| sites.is_empty())
            && let Ok(sites) = self.layout(Entity::Sites).await
        {
            for archived in [false, true] {
                let noted = |site| drop(self.found_asset(Entity::Sites, site));
                self.hudu.assets(sites, archived, &noted, &|_, _| {}).await?;
            }
        }
        let stack = Stack::default();
        let laid = |asset| stack.lay(&self.found_asset(entity, asset));
        let mut all = Listing::whole(Vec::new(), Vec::new(), None);
        for layout in layouts {
            for archived in [false, true] {
                let before = all.records.len() as u64;
                let say = |done: u64, _: Option<u64>| say(before + done, None);
                let part = self.hudu.assets(layout, archived, &laid, &say).await?;
                all.certificate.complete &= part.certificate.complete;
                all.certificate.why_not = all.certificate.why_not.or(part.certificate.why_not);
                all.problems.extend(part.problems);
                all.records.extend(part.records);
            }
        }
        let mut all = all.from(stack);
        all.records.dedup();
        all.certificate.seen = all.records.len() as u64;
        Ok(all)
    }

    /// Sends one write, once.
    pub async fn send(&self, permit: Permit, write: &Write, named: &Named) -> WriteVerdict<TargetId> {
        match write {
            Write::Create { entity: Entity::Relations, .. }
            | Write::Set { entity: Entity::Relations, .. } => self.send_relation(permit, write, named).await,
            Write::Create { entity: Entity::Companies, fields, .. } => {
                let fields = self.company_fields(fields);
                self.hudu.create_company(permit, &fields).await.map(|company| company.id)
            }
            Write::Create { entity, customer: Some(company), fields, .. } => {
                let (layout, new) = match self.prepared(*entity, None, fields, named).await {
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
                let (layout, new) = match self.prepared(*entity, Some(id), fields, named).await {
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

    /// The layout of the asset `id`, or the one that a new asset names.
    async fn chosen(
        &self,
        entity: Entity,
        id: Option<&TargetId>,
        fields: &Fields,
    ) -> Result<&Layout, Problem> {
        let layouts = self.layouts_of(entity).await?;
        let found = match (layouts.as_slice(), id) {
            ([only], _) => Some(*only),
            (several, Some(id)) => {
                let of = self.layout_of(id);
                several.iter().find(|layout| Some(layout.id) == of).copied()
            }
            (several, None) => {
                let name = fields.get(rules::layout_field()).map(ToString::to_string).unwrap_or_default();
                several.iter().find(|layout| layout.name.trim().eq_ignore_ascii_case(name.trim())).copied()
            }
        };
        found.ok_or_else(|| {
            Problem::new(
                Class::Record,
                "Its layout is none of those that asset_layouts names; nothing was sent.",
            )
            .remedy("Build the plan again.")
        })
    }

    async fn prepared(
        &self,
        entity: Entity,
        id: Option<&TargetId>,
        fields: &Fields,
        named: &Named,
    ) -> Result<(&Layout, NewAsset), Problem> {
        let layout = self.chosen(entity, id, fields).await?;
        let mut new = NewAsset::default();
        for (name, value) in fields.iter() {
            let cell = match (name, value) {
                (FieldName::Status, _) => continue,
                (name, _) if name == rules::layout_field() => continue,
                (FieldName::Name, value) => {
                    new.name = Some(value.to_string().into());
                    continue;
                }
                (_, Value::Record(of, id)) => {
                    let there =
                        named.get(&(*of, id.clone())).and_then(|target| parts(target).ok()?.1.number());
                    Cell::Assets(vec![there.ok_or_else(|| not_there(*of, id))?])
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

/// What a record names is not in Hudu.
fn not_there(entity: Entity, id: &SourceId) -> Problem {
    Problem::new(Class::Record, format!("Its {} {id} is not in Hudu yet.", entity.singular()))
        .remedy("See to that one first; the next run goes on with this.")
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
