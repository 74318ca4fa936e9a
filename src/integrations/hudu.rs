//! Hudu: what Halo's customers, sites, contracts and users are there. Nothing here compares with Hudu's records; a
//! layout only says which fields there are and of which type.

mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::field_rules::{FieldRule, Rule};
use crate::api::halo::{Contract, Site, User};
use crate::api::hudu::{Cell, FieldKind, Layout};
use crate::model::asset::Asset as HaloAsset;
use crate::model::date::parse_vendor_date;
use crate::model::settings::{Hudu, Wins as Setting};
use crate::model::{Entity, FieldName, Fields, Found, MatchKeys, SourceId, Value, Verdict, Wanted};
use crate::plan::{Removal, Rules, Scope, Wins};

pub use layout::{Blocked, Feed, Sorting, feeds, judge, key_label, layout_field};

/// What our value of Halo's id is called in a company's field, so that people see whose number it is.
const COMPANY_KEY: &str = "HALO-";

/// How a record of ours is told whose link is lost.
const KNOWN_BY: &str = "Halo's id";

/// The two ends of a relation, and what Hudu shows between them.
pub const CONTACT: &str = "Contact";
pub const SITE: &str = "Site";
pub const WORKS_AT: &str = "Works at";

/// How a relation is known at the source: Halo's ids of the contact and the site that it joins.
pub fn relation_key(contact: &SourceId, site: &SourceId) -> SourceId {
    SourceId::new(format!("{contact}@{site}"))
}

/// Contact and site of such a key.
pub fn relation_ends(key: &SourceId) -> Option<(SourceId, SourceId)> {
    key.as_str().split_once('@').map(|(contact, site)| (SourceId::new(contact), SourceId::new(site)))
}

/// What a relation joins, as its row shows it.
pub fn relation_fields(contact: &SourceId, site: &SourceId) -> [(FieldName, Value); 2] {
    [
        (FieldName::own(CONTACT), Value::Record(Entity::Users, contact.clone())),
        (FieldName::own(SITE), Value::Record(Entity::Sites, site.clone())),
    ]
}

/// The company field that carries Halo's id.
pub fn company_key() -> FieldName {
    FieldName::own("id_number")
}

/// What a company that we make carries (apis/hudu.md 15.1).
pub fn company_key_text(id: &str) -> String {
    format!("{COMPANY_KEY}{id}")
}

/// Halo's id in such a text.
pub fn company_key_of(text: &str) -> Option<&str> {
    let id = text.trim().strip_prefix(COMPANY_KEY)?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
}

/// What Hudu's own integration calls such a record on its cards; what it calls a contract is not known
/// (apis/hudu.md 11).
pub const fn card_kind(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Sites => Some("site"),
        Entity::Users => Some("contact"),
        Entity::Assets => Some("asset"),
        _ => None,
    }
}

/// What the planner must know of Hudu's entities (H1, H11, P49, P68).
pub fn rules(settings: &Hudu) -> BTreeMap<Entity, Rules> {
    let wins = |setting: Setting| match setting {
        Setting::Halo => Wins::Source,
        Setting::Hudu => Wins::Target,
        Setting::Blank => Wins::Blank,
        Setting::Manual => Wins::Manual,
        Setting::Newest => Wins::Newest,
        Setting::Earliest => Wins::Earliest,
        Setting::Latest => Wins::Latest,
    };
    let named = |label: &str| settings.conflicts.get(label).copied().map(wins);
    let wins_else = named("default").unwrap_or(Wins::Target);
    let told = serde_json::json!([
        settings.site_layout,
        settings.contact_layout,
        settings.contract_layout,
        settings.inactive_contracts,
        settings.asset_layouts,
    ])
    .to_string();
    let company = ["Phone", "Address", "Website"].map(FieldName::own);
    let companies = Rules {
        follows: Some(company.into_iter().chain([company_key()]).collect::<BTreeSet<_>>()),
        asks_before_create: true,
        leaves_inactive: true,
        wins: company
            .into_iter()
            .filter_map(|name| Some((name, named(name.key())?)))
            .chain([(company_key(), Wins::Blank)])
            .collect(),
        wins_else,
        known_by: KNOWN_BY,
        removal: archives(settings.archive_companies),
        ..Rules::default()
    };
    let mut all = BTreeMap::from([(Entity::Companies, companies)]);
    for entity in [Entity::Sites, Entity::Contracts, Entity::Users, Entity::Assets] {
        let key = FieldName::own(key_label(entity).unwrap_or_default());
        let own =
            feeds(entity).iter().filter_map(|feed| Some((FieldName::own(feed.label), named(feed.label)?)));
        // What tells whose record it is, and what we archived ourselves, is never a matter of taste. None is moved to
        // another layout.
        let fixed = [(key, Wins::Source), (FieldName::Status, Wins::Source), (layout_field(), Wins::Blank)];
        let name = named("Name").map(|wins| (FieldName::Name, wins));
        let rules = Rules {
            scope: Scope { told: told.clone(), ..Scope::default() },
            removal: archives(settings.archive_deleted),
            wins: own.chain(name).chain(fixed).collect(),
            wins_else,
            known_by: KNOWN_BY,
            ..Rules::default()
        };
        all.insert(entity, rules);
    }
    let relations = Rules {
        // Which ends it has is what it is: nothing of it can follow.
        follows: Some(BTreeSet::new()),
        removal: archives(settings.archive_deleted),
        known_by: KNOWN_BY,
        ..Rules::default()
    };
    all.insert(Entity::Relations, relations);
    all
}

const fn archives(is_on: bool) -> Removal {
    if is_on { Removal::Deactivate { zero: false } } else { Removal::Never }
}

/// How the settings stand, a line each.
pub fn options(settings: &Hudu) -> Vec<String> {
    let on = |yes: bool| if yes { "on" } else { "off" };
    vec![
        format!(
            "layouts: sites '{}', contacts '{}', contracts '{}'; {} contracts",
            settings.site_layout,
            settings.contact_layout,
            settings.contract_layout,
            if settings.inactive_contracts { "all" } else { "active" }
        ),
        format!(
            "layouts of assets: {}",
            if settings.asset_layouts.is_empty() {
                "none, so no assets".to_owned()
            } else {
                let rules = settings.asset_layouts.iter().map(|(of, layout)| format!("{of} '{layout}'"));
                rules.collect::<Vec<_>>().join(", ")
            }
        ),
        format!(
            "archive what is gone from Halo {}, companies {} (acts in scheduled jobs only)",
            on(settings.archive_deleted),
            on(settings.archive_companies)
        ),
    ]
}

/// What the first import will do and what it will not, before anybody lets it (H12).
pub fn before_the_first_run(settings: &Hudu) -> [String; 3] {
    let contracts = if settings.inactive_contracts { "all" } else { "active" };
    let edits = match settings.conflicts.get("default").copied().unwrap_or_default() {
        Setting::Halo => "edits in Hudu are overwritten",
        Setting::Blank => "only blank fields are filled",
        _ => "edits in Hudu stay",
    };
    let gone = if settings.archive_deleted { "archived by schedule" } else { "left" };
    [
        format!("First import: matched companies get their sites, users and {contracts} contracts."),
        format!(
            "Nothing is deleted; no company is renamed{}; {edits}.",
            if settings.archive_companies { "" } else { " or archived" }
        ),
        format!("What is gone from Halo is {gone}. Begin with one customer: t, or plan --customer ID."),
    ]
}

/// Every field that Halo feeds in Hudu.
pub fn field_rules(settings: &Hudu) -> Vec<FieldRule> {
    let line =
        |entity, source: &'static str, target: &'static str, kind: &'static str, rule, note: String| {
            FieldRule {
                entity,
                source: source.into(),
                target: target.into(),
                kind: kind.into(),
                rule,
                note,
                editable_setting: Some("conflicts".into()),
            }
        };
    let mut lines = vec![
        line(
            Entity::Companies,
            "name",
            "name",
            "text",
            Rule::AtCreation,
            "a matched company keeps its name in Hudu".into(),
        ),
        line(
            Entity::Companies,
            "id",
            "id_number",
            "text",
            Rule::Source,
            "Halo's id; only where the field is blank".into(),
        ),
        line(
            Entity::Companies,
            "phone and address of its only site",
            "Phone, Address",
            "text",
            Rule::Source,
            "customers with several sites have them on the sites' assets".into(),
        ),
        FieldRule {
            editable_setting: Some("halo_url_field".into()),
            ..line(
                Entity::CompanyUrls,
                "address of the company in Hudu",
                if settings.halo_url_field.is_empty() { "-" } else { "(the field that is set)" },
                "text",
                if settings.halo_url_field.is_empty() { Rule::Off } else { Rule::Source },
                "back into Halo, only where the field is blank or holds what we wrote (P69)".into(),
            )
        },
        FieldRule {
            editable_setting: Some("archive_companies".into()),
            ..line(
                Entity::Companies,
                "(gone from Halo)",
                "archived",
                "removal",
                if settings.archive_companies { Rule::Source } else { Rule::Off },
                "in scheduled runs only, with all that belongs to it".into(),
            )
        },
    ];
    for entity in [Entity::Sites, Entity::Contracts, Entity::Users, Entity::Assets] {
        let (source, of) = match entity {
            Entity::Contracts => ("ref", settings.layout(entity).unwrap_or_default()),
            Entity::Assets => ("inventory_number", "(by its type)"),
            _ => ("name", settings.layout(entity).unwrap_or_default()),
        };
        lines.push(line(
            entity,
            source,
            "name",
            "text",
            Rule::Source,
            format!("of an asset of layout '{of}'"),
        ));
        if entity == Entity::Assets {
            lines.push(FieldRule {
                editable_setting: Some("asset_layouts".into()),
                ..line(
                    entity,
                    "assettype_name",
                    layout_field().key(),
                    "text",
                    Rule::AtCreation,
                    "by the rules of asset_layouts; an asset is never moved to another (P66)".into(),
                )
            });
        }
        for feed in feeds(entity) {
            let note = if feed.is_key {
                "tells which record it is; the layout must have it".to_owned()
            } else {
                "where the layout has it".to_owned()
            };
            lines.push(line(entity, feed.source, feed.label, feed.kind_word(), Rule::Source, note));
        }
        lines.push(FieldRule {
            editable_setting: Some("archive_deleted".into()),
            ..line(
                entity,
                "(gone from Halo)",
                "archived",
                "removal",
                if settings.archive_deleted { Rule::Source } else { Rule::Off },
                "in scheduled runs only".into(),
            )
        });
    }
    lines
}

/// A customer of Halo as a company. `sites` are its active ones.
pub fn wanted_company(customer: &Found, sites: &[&Site], key_field: &str) -> Wanted {
    let mut fields = Fields::new().with(FieldName::Name, Value::text(&customer.name));
    if !key_field.trim().is_empty() {
        fields.set(company_key(), Value::text(company_key_text(customer.id.as_str())));
    }
    // Of several, none is the customer's own.
    if let [only] = sites {
        if !only.phone.is_empty() {
            fields.set(FieldName::own("Phone"), Value::text(&only.phone));
        }
        if !only.address.is_blank() {
            fields.set(FieldName::own("Address"), Value::Address(Box::new(only.address.clone())));
        }
    }
    fields.shrink();
    Wanted {
        id: SourceId::new(customer.id.as_str()),
        name: Arc::clone(&customer.name),
        parent: None,
        verdict: if customer.is_active { Verdict::Take } else { Verdict::Ended("inactive in Halo".into()) },
        fields,
        keys: customer.keys.clone(),
        currency: None,
        notes: Vec::new(),
    }
}

/// What is known of a record's asset before it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// It is in Hudu already.
    pub is_linked: bool,
    /// We archived it, because it was gone.
    pub was_archived: bool,
}

/// What the assets of one layout are made with.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    pub entity: Entity,
    pub layout: &'a Layout,
    /// Scheme and host of Halo, for links to it (P69).
    pub halo: &'a str,
}

impl Form<'_> {
    /// A site as an asset of its company.
    pub fn site(&self, site: &Site, known: Known) -> Wanted {
        let address = (!site.address.is_blank()).then(|| Value::Address(Box::new(site.address.clone())));
        let values = [
            ("Halo Site ID", text(site.id.as_str())),
            ("Main Phone", text(&site.phone)),
            ("Address", address),
            ("Active", Some(Value::Flag(site.is_active))),
            ("Halo Link", self.link("customers?siteid", site.id.as_str())),
        ];
        let why = (!site.is_active).then_some("inactive in Halo");
        self.asset(site.id.as_str(), &site.name, site.customer.as_str(), values.into(), why, known)
    }

    /// A user as an asset of its company, with the asset of its site (`has_site`: that one is or will be in Hudu).
    pub fn user(&self, user: &User, has_site: impl Fn(&SourceId) -> bool, known: Known) -> Wanted {
        let site = user.site.as_ref().map(|site| SourceId::new(site.as_str())).filter(|site| has_site(site));
        let values = [
            ("Halo User ID", text(user.id.as_str())),
            ("Email Address", text(&user.email)),
            ("Phone", text(&user.phone)),
            ("Mobile", text(&user.mobile)),
            ("Job Title", text(&user.title)),
            ("Site", site.map(|site| Value::Record(Entity::Sites, site))),
            ("Active", Some(Value::Flag(user.is_active))),
            ("Halo Link", self.link("customers?userid", user.id.as_str())),
        ];
        let why = match (user.is_active, user.is_service_account) {
            (false, _) => Some("inactive in Halo"),
            (_, true) => Some("a service account, no person"),
            _ => None,
        };
        self.asset(user.id.as_str(), &user.name, user.customer.as_str(), values.into(), why, known)
    }

    /// A contract as an asset of its company.
    pub fn contract(&self, contract: &Contract, also_inactive: bool, known: Known) -> Wanted {
        let values = [
            ("Halo Contract ID", text(contract.id.as_str())),
            ("Type", text(&contract.kind)),
            ("Status", text(&contract.status)),
            ("Start Date", contract.start.map(Value::Date)),
            ("End Date", contract.end.map(Value::Date)),
            ("Halo Link", self.link("contracts?contractid", contract.id.as_str())),
        ];
        let name = if contract.reference.is_empty() {
            format!("Contract {}", contract.id)
        } else {
            contract.reference.to_string()
        };
        let why =
            (!contract.is_active && !also_inactive).then_some("not active in Halo (inactive_contracts)");
        self.asset(contract.id.as_str(), &name, contract.customer.as_str(), values.into(), why, known)
    }

    /// An asset of Halo's as an asset of its company: what every one has, and each field that the layout asks for by name.
    pub fn halo_asset(
        &self,
        asset: &HaloAsset,
        has_site: impl Fn(&SourceId) -> bool,
        known: Known,
    ) -> Wanted {
        let site = asset.site.as_ref().map(|site| SourceId::new(site.as_str())).filter(|site| has_site(site));
        let mut values = vec![
            ("Halo Asset ID", text(asset.id.as_str())),
            ("Type", text(&asset.type_name)),
            ("Site", site.map(|site| Value::Record(Entity::Sites, site))),
            ("Status", text(&asset.status)),
            ("Active", Some(Value::Flag(asset.is_active))),
            ("Halo Link", self.link("assets?id", asset.id.as_str())),
        ];
        let told: Vec<&str> = values.iter().map(|(label, _)| *label).collect();
        for value in asset.fields.iter().flatten().filter(|value| !value.text.trim().is_empty()) {
            let Some(field) = self.layout.field(&value.name) else { continue };
            let is_told = told.iter().any(|label| label.eq_ignore_ascii_case(field.label.trim()));
            if !is_told && FieldName::own(field.label.trim()) != layout_field() {
                values.push((field.label.trim(), Some(typed(&value.text, &field.kind))));
            }
        }
        let why = (!asset.is_active).then_some("inactive in Halo");
        let customer = asset.customer.as_ref().map_or("", |customer| customer.as_str());
        let mut wanted = self.asset(asset.id.as_str(), &asset.name(), customer, values, why, known);
        wanted.fields.set(layout_field(), Value::text(&*self.layout.name));
        wanted
    }

    fn link(&self, page: &str, id: &str) -> Option<Value> {
        (!self.halo.is_empty()).then(|| Value::text(format!("{}/{page}={id}", self.halo)))
    }

    /// Only fields that the layout has, in the form in which it will give them back (P67).
    fn asset(
        &self,
        id: &str,
        name: &str,
        customer: &str,
        values: Vec<(&str, Option<Value>)>,
        not_new: Option<&str>,
        known: Known,
    ) -> Wanted {
        let mut fields = Fields::new();
        let mut notes = Vec::new();
        if !name.is_empty() {
            fields.set(FieldName::Name, Value::text(name));
        }
        for (label, value) in values {
            let (Some(field), Some(value)) = (self.layout.field(label), value) else { continue };
            match fitted(&value, &field.kind) {
                Some(value) => fields.set(FieldName::own(label), value),
                None => notes.push(Arc::from(format!(
                    "{label} left out: a {} field of the layout cannot hold '{value}'",
                    field.kind.key()
                ))),
            }
        }
        if known.was_archived {
            fields.set(FieldName::Status, Value::Active(true));
        }
        fields.shrink();
        let verdict = match not_new {
            Some(why) if !known.is_linked => Verdict::OutOfScope(why.into()),
            _ if name.is_empty() => {
                Verdict::Hold(format!("the {} has no name: give it one in Halo", self.entity.singular()))
            }
            _ => Verdict::Take,
        };
        Wanted {
            id: SourceId::new(id),
            name: Arc::from(name),
            parent: (!customer.is_empty()).then(|| SourceId::new(customer)),
            verdict,
            fields,
            keys: MatchKeys::default(),
            currency: None,
            notes,
        }
    }
}

/// That a user works at a site, both of which are or will be in Hudu; `None` where one of them is not.
pub fn relation(user: &User, has_user: bool, has_site: impl Fn(&SourceId) -> bool) -> Option<Wanted> {
    let site = user.site.as_ref().map(|site| SourceId::new(site.as_str())).filter(|site| has_site(site))?;
    let contact = SourceId::new(user.id.as_str());
    (has_user && user.is_active && !user.is_service_account).then(|| Wanted {
        id: relation_key(&contact, &site),
        name: Arc::from(format!("{} at site {site}", user.name)),
        parent: Some(SourceId::new(user.customer.as_str())),
        verdict: Verdict::Take,
        fields: relation_fields(&contact, &site).into_iter().collect(),
        keys: MatchKeys::default(),
        currency: None,
        notes: Vec::new(),
    })
}

/// An asset of Halo's that no layout takes: by the rules it is not written (P66).
pub fn unsorted_asset(asset: &HaloAsset) -> Wanted {
    Wanted {
        id: SourceId::new(asset.id.as_str()),
        name: asset.name(),
        parent: asset.customer.as_ref().map(|customer| SourceId::new(customer.as_str())),
        verdict: Verdict::OutOfScope(format!(
            "no layout for assets of type '{}' (asset_layouts)",
            asset.type_name
        )),
        fields: Fields::new(),
        keys: MatchKeys::default(),
        currency: None,
        notes: Vec::new(),
    }
}

/// What a field of this type takes a text for; as it is where it is none of those, which is then said.
fn typed(text: &str, kind: &FieldKind) -> Value {
    let text = text.trim();
    match kind {
        FieldKind::Date => match parse_vendor_date(text) {
            Ok(Some(date)) => Value::Date(date),
            _ => Value::text(text),
        },
        FieldKind::CheckBox => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Value::Flag(true),
            "false" | "no" | "0" => Value::Flag(false),
            _ => Value::text(text),
        },
        _ => Value::text(text),
    }
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::text(text))
}

/// A value as an asset holds it; `None` for one of another kind.
pub fn cell_of(value: &Value) -> Option<Cell> {
    Some(match value {
        Value::Text(text) => Cell::Text((&**text).into()),
        Value::Flag(flag) => Cell::Flag(*flag),
        Value::Date(date) => Cell::Date(*date),
        Value::Address(address) => Cell::Address(address.clone()),
        _ => return None,
    })
}

/// What an asset holds as a value; asset links are the reader's to follow.
pub fn value_of(cell: &Cell) -> Option<Value> {
    Some(match cell {
        Cell::Text(text) => Value::text(text),
        Cell::Flag(flag) => Value::Flag(*flag),
        Cell::Number(number) => Value::text(number.to_string()),
        Cell::Date(date) => Value::Date(*date),
        Cell::Address(address) => Value::Address(address.clone()),
        Cell::Assets(_) => return None,
    })
}

/// The value that a field of this type gives back once it is written.
fn fitted(value: &Value, kind: &FieldKind) -> Option<Value> {
    match value {
        Value::Record(..) => (*kind == FieldKind::AssetTag).then(|| value.clone()),
        other => value_of(&cell_of(other)?.settled(kind)?),
    }
}
