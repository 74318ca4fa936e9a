//! Which fields an asset of ours can have, and whether a layout can take such assets (H8, H9).

use crate::api::hudu::{FieldKind, Layout};
use crate::model::asset::folded;
use crate::model::{Entity, FieldName};

use std::collections::{BTreeMap, BTreeSet};

/// A field that Halo feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Made of letters, digits and single spaces, so that every reading of Hudu's key rule agrees on it.
    pub label: &'static str,
    /// What it is made as where it is missing.
    pub kind: FieldKind,
    /// In Halo's own field names.
    pub source: &'static str,
    /// Carries Halo's id: without it an asset could not be found again.
    pub is_key: bool,
}

impl Feed {
    /// What the kind is called in the "Fields" pane.
    pub const fn kind_word(&self) -> &'static str {
        match self.kind {
            FieldKind::Date => "date",
            FieldKind::CheckBox => "yes/no",
            FieldKind::AddressData => "address",
            _ => "text",
        }
    }
}

const fn feed(label: &'static str, kind: FieldKind, source: &'static str) -> Feed {
    Feed { label, kind, source, is_key: false }
}

const fn key(label: &'static str) -> Feed {
    Feed { label, kind: FieldKind::Text, source: "id", is_key: true }
}

static SITES: [Feed; 5] = [
    key("Halo Site ID"),
    feed("Main Phone", FieldKind::Phone, "phonenumber"),
    feed("Address", FieldKind::AddressData, "delivery_address"),
    feed("Active", FieldKind::CheckBox, "inactive"),
    feed("Halo Link", FieldKind::Website, "(its page in Halo)"),
];

static USERS: [Feed; 8] = [
    key("Halo User ID"),
    feed("Email Address", FieldKind::Email, "emailaddress"),
    feed("Phone", FieldKind::Phone, "phonenumber_preferred"),
    feed("Mobile", FieldKind::Phone, "mobilenumber"),
    feed("Job Title", FieldKind::Text, "title"),
    feed("Site", FieldKind::AssetTag, "site_id"),
    feed("Active", FieldKind::CheckBox, "inactive"),
    feed("Halo Link", FieldKind::Website, "(its page in Halo)"),
];

static CONTRACTS: [Feed; 6] = [
    key("Halo Contract ID"),
    feed("Type", FieldKind::Text, "contracttype_name"),
    feed("Status", FieldKind::Text, "contract_status"),
    feed("Start Date", FieldKind::Date, "start_date"),
    feed("End Date", FieldKind::Date, "end_date"),
    feed("Halo Link", FieldKind::Website, "(its page in Halo)"),
];

/// Of Halo's assets, what every one has. Whatever else a layout asks for comes from the asset's field of that name.
static ASSETS: [Feed; 9] = [
    key("Halo Asset ID"),
    feed("Type", FieldKind::Text, "assettype_name"),
    feed("Serial Number", FieldKind::Text, OF_THAT_NAME),
    feed("Manufacturer", FieldKind::Text, OF_THAT_NAME),
    feed("Model", FieldKind::Text, OF_THAT_NAME),
    feed("Site", FieldKind::AssetTag, "site_id"),
    feed("Status", FieldKind::Text, "status_name"),
    feed("Active", FieldKind::CheckBox, "inactive"),
    feed("Halo Link", FieldKind::Website, "(its page in Halo)"),
];

/// Where a value is taken from that only some assets of Halo's have.
pub const OF_THAT_NAME: &str = "(the asset's field of that name)";

/// What a row calls the layout that an asset is made in.
pub fn layout_field() -> FieldName {
    FieldName::own("Asset Layout")
}

/// Which layout an asset goes into: by its type, for all customers or for one of them (P66).
#[derive(Debug, Clone, Default)]
pub struct Sorting(BTreeMap<String, String>);

impl Sorting {
    /// See [`crate::model::settings::Hudu::asset_layouts`].
    pub fn new(asset_layouts: &BTreeMap<String, String>) -> Self {
        Self(asset_layouts.iter().map(|(of, layout)| (folded(of), layout.trim().to_owned())).collect())
    }

    /// The layout for an asset of this type and customer of Halo's; `None`: it is not written.
    pub fn layout(&self, kind: &str, customer: &str) -> Option<&str> {
        let kind = folded(kind);
        let rules = [format!("{customer}/{kind}"), format!("{customer}/default"), kind, "default".into()];
        let layout = rules.iter().find_map(|rule| self.0.get(rule))?;
        (!layout.is_empty()).then_some(layout)
    }

    /// Every layout that is named, each once whatever its case.
    pub fn layouts(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let named = self.0.values().filter(|name| !name.is_empty());
        named.filter(|name| seen.insert(folded(name))).map(String::as_str).collect()
    }
}

/// The fields of an entity's assets that Halo feeds, in the order a new layout has them.
pub fn feeds(entity: Entity) -> &'static [Feed] {
    match entity {
        Entity::Sites => &SITES,
        Entity::Users => &USERS,
        Entity::Contracts => &CONTRACTS,
        Entity::Assets => &ASSETS,
        _ => &[],
    }
}

/// The label of the field that carries Halo's id.
pub fn key_label(entity: Entity) -> Option<&'static str> {
    feeds(entity).iter().find(|feed| feed.is_key).map(|feed| feed.label)
}

/// Why no record of an entity can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// No layout of that name.
    Absent,
    /// More than one of that name.
    Ambiguous,
    /// Hudu would not show its assets (H9).
    Inactive,
    /// It lacks the field that carries Halo's id.
    NoKey,
}

impl Blocked {
    /// What is wrong and what to do, for people.
    pub fn sentence(self, entity: Entity, name: &str) -> String {
        let what = format!("{entity}: the asset layout '{name}'");
        let fix = format!("`parhelion layouts hudu --fix {entity}`");
        match self {
            Self::Absent => format!(
                "{what} is not in Hudu. Create it there or with {fix}, or choose another in the settings."
            ),
            Self::Ambiguous => format!("{what} is in Hudu more than once. Rename all but one."),
            Self::Inactive => format!(
                "{what} is not active, so Hudu would show none of it. Activate it there or with {fix}."
            ),
            Self::NoKey => format!(
                "{what} has no field '{}', without which nothing could be found again. Add it there or with {fix}.",
                key_label(entity).unwrap_or_default()
            ),
        }
    }
}

/// The layout of that name, and which of our fields it lacks; or why nothing can be written into it.
pub fn judge<'a>(
    entity: Entity,
    name: &str,
    layouts: &'a [Layout],
) -> Result<(&'a Layout, Vec<&'static Feed>), (Blocked, Option<&'a Layout>)> {
    let mut of_name = layouts.iter().filter(|layout| layout.name.trim().eq_ignore_ascii_case(name.trim()));
    let layout = match (of_name.next(), of_name.next()) {
        (None, _) => return Err((Blocked::Absent, None)),
        (Some(_), Some(_)) => return Err((Blocked::Ambiguous, None)),
        (Some(only), None) => only,
    };
    if !layout.is_active {
        return Err((Blocked::Inactive, Some(layout)));
    }
    let missing: Vec<&Feed> =
        feeds(entity).iter().filter(|feed| layout.field(feed.label).is_none()).collect();
    if missing.iter().any(|feed| feed.is_key) {
        return Err((Blocked::NoKey, Some(layout)));
    }
    Ok((layout, missing))
}
