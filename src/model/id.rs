//! Identities that cannot be mixed up.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A connection to another system that brings records into Halo or takes them out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Integration {
    Also,
    Westcoast,
    Liongard,
    Hudu,
    /// The planning workspace: no other system, but a place of ours that Halo feeds.
    Lifecycle,
}

impl Integration {
    /// Every integration this build has, in the order lists show them.
    pub const ALL: [Self; 5] = [Self::Also, Self::Westcoast, Self::Liongard, Self::Hudu, Self::Lifecycle];

    /// The name scripts and settings use.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Also => "also",
            Self::Westcoast => "westcoast",
            Self::Liongard => "liongard",
            Self::Hudu => "hudu",
            Self::Lifecycle => "lifecycle",
        }
    }

    /// The vendor's own name, as people read it (C12: never the other brand's).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Also => "ALSO",
            Self::Westcoast => "Westcoast Cloud",
            Self::Liongard => "Liongard",
            Self::Hudu => "Hudu",
            Self::Lifecycle => "Lifecycle",
        }
    }

    /// The entities it can import, in the order they must run (customers first, Q2).
    pub const fn entities(self) -> &'static [Entity] {
        match self {
            Self::Also | Self::Westcoast => &[Entity::Customers, Entity::Subscriptions],
            // What goes back comes last: the environments it would make may have come in as customers just before.
            Self::Liongard => &[Entity::Customers, Entity::Assets, Entity::Push],
            // Sites before users and assets, which name theirs; relations after both ends (apis/hudu.md 15.15).
            Self::Hudu => &[
                Entity::Companies,
                Entity::Sites,
                Entity::Contracts,
                Entity::Users,
                Entity::Assets,
                Entity::Relations,
                Entity::CompanyUrls,
            ],
            Self::Lifecycle => &[
                Entity::Types,
                Entity::Statuses,
                Entity::Companies,
                Entity::Configurations,
                Entity::AssetFields,
                Entity::AssetTypes,
                Entity::Warranty,
            ],
        }
    }

    /// What it takes where none is named: everything but what goes back, which is asked for by name.
    pub const fn usual(self) -> &'static [Entity] {
        match self {
            Self::Lifecycle => &[Entity::Types, Entity::Statuses, Entity::Companies, Entity::Configurations],
            Self::Liongard => &[Entity::Customers, Entity::Assets],
            Self::Hudu => &[Entity::Companies, Entity::Sites, Entity::Contracts, Entity::Users],
            other => other.entities(),
        }
    }

    /// Whether its customers are paired by a mapping table. The workspace follows Halo's own ids.
    pub const fn has_mapping_table(self) -> bool {
        !matches!(self, Self::Lifecycle)
    }

    /// The entity of the mapping table: everything else belongs to one of these.
    pub const fn root(self) -> Entity {
        match self {
            Self::Also | Self::Westcoast | Self::Liongard => Entity::Customers,
            Self::Hudu | Self::Lifecycle => Entity::Companies,
        }
    }

    /// From where to where a plan of these entities goes: by the first of them, or by the root.
    pub fn flow(self, entities: &[Entity]) -> (Place, Place) {
        let entity = entities.first().copied().unwrap_or(self.root());
        (self.source(entity), self.target(entity))
    }

    /// Where records of this entity come from.
    pub const fn source(self, entity: Entity) -> Place {
        match (self, entity) {
            (Self::Liongard, Entity::Push | Entity::PushFlags) => Place::Halo,
            (Self::Also | Self::Westcoast | Self::Liongard, _)
            | (Self::Hudu, Entity::CompanyUrls)
            | (Self::Lifecycle, Entity::AssetFields | Entity::AssetTypes | Entity::Warranty) => {
                Place::Of(self)
            }
            (Self::Hudu | Self::Lifecycle, _) => Place::Halo,
        }
    }

    /// Where records of this entity are written.
    pub const fn target(self, entity: Entity) -> Place {
        match (self, entity) {
            (Self::Liongard, Entity::Push) => Place::Of(self),
            (Self::Also | Self::Westcoast | Self::Liongard, _)
            | (Self::Hudu, Entity::CompanyUrls)
            | (Self::Lifecycle, Entity::AssetFields | Entity::AssetTypes | Entity::Warranty) => Place::Halo,
            (Self::Hudu | Self::Lifecycle, _) => Place::Of(self),
        }
    }
}

impl fmt::Display for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Integration {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|i| i.key() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|i| i.key()).collect();
            format!("'{text}' is not an integration; known are {}", known.join(", "))
        })
    }
}

/// A kind of record that an integration keeps in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entity {
    Customers,
    Subscriptions,
    Assets,
    /// Types of assets in Halo; made for assets, or given a field that the workspace asks for.
    #[serde(rename = "asset_types")]
    AssetTypes,
    /// Fields of assets in Halo; as types.
    #[serde(rename = "asset_fields")]
    AssetFields,
    /// Halo's customers as companies: Hudu's, or the workspace's.
    Companies,
    Sites,
    Users,
    Contracts,
    /// Company types and statuses of the planning workspace.
    Types,
    Statuses,
    /// Halo's assets, as the workspace keeps them.
    Configurations,
    /// Warranty and purchase dates that go back into Halo.
    Warranty,
    /// Halo's new customers, as environments in Liongard (L17).
    Push,
    /// The flags of Halo's customers that say which go to Liongard, as a person asked for them here (L17b); never asked
    /// for by themselves.
    #[serde(rename = "push_flags")]
    PushFlags,
    /// Which contact works at which site, as relations between their assets in Hudu.
    Relations,
    /// The addresses of Hudu's companies, in a field of Halo's customers (P69).
    #[serde(rename = "company_urls")]
    CompanyUrls,
}

impl Entity {
    pub const ALL: [Self; 17] = [
        Self::Customers,
        Self::Subscriptions,
        Self::Assets,
        Self::AssetTypes,
        Self::AssetFields,
        Self::Companies,
        Self::Sites,
        Self::Users,
        Self::Contracts,
        Self::Types,
        Self::Statuses,
        Self::Configurations,
        Self::Warranty,
        Self::Push,
        Self::PushFlags,
        Self::Relations,
        Self::CompanyUrls,
    ];

    /// What must be there before records of this kind: made in the same plan, in this order (L11, L16).
    pub const fn needs(self) -> &'static [Self] {
        match self {
            Self::Assets => &[Self::AssetFields, Self::AssetTypes],
            Self::Push => &[Self::PushFlags],
            _ => &[],
        }
    }

    pub const fn key(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Subscriptions => "subscriptions",
            Self::Assets => "assets",
            Self::AssetTypes => "asset_types",
            Self::AssetFields => "asset_fields",
            Self::Companies => "companies",
            Self::Sites => "sites",
            Self::Users => "users",
            Self::Contracts => "contracts",
            Self::Types => "types",
            Self::Statuses => "statuses",
            Self::Configurations => "configurations",
            Self::Warranty => "warranty",
            Self::Push => "push",
            Self::PushFlags => "push_flags",
            Self::Relations => "relations",
            Self::CompanyUrls => "company_urls",
        }
    }

    /// One of them, in a sentence.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Customers => "customer",
            Self::Subscriptions => "subscription",
            Self::Assets => "asset",
            Self::AssetTypes => "asset type",
            Self::AssetFields => "asset field",
            Self::Companies => "company",
            Self::Sites => "site",
            Self::Users => "user",
            Self::Contracts => "contract",
            Self::Types => "company type",
            Self::Statuses => "company status",
            Self::Configurations => "configuration",
            Self::Warranty => "warranty date",
            Self::Push => "Halo customer",
            Self::PushFlags => "flag",
            Self::Relations => "relation",
            Self::CompanyUrls => "company address",
        }
    }

    /// What the target calls one of them.
    pub const fn record(self) -> &'static str {
        match self {
            Self::Customers | Self::PushFlags | Self::CompanyUrls => "customer",
            Self::Subscriptions => "licence",
            // What Hudu calls a site, a user and a contract.
            Self::Assets | Self::Sites | Self::Users | Self::Contracts | Self::Warranty => "asset",
            Self::AssetTypes => "asset type",
            Self::AssetFields => "asset field",
            Self::Companies => "company",
            Self::Types => "company type",
            Self::Statuses => "company status",
            Self::Configurations => "configuration",
            Self::Push => "environment",
            Self::Relations => "relation",
        }
    }

    /// Whether its ids are those of Halo's customers, and not the source's: what goes the other way.
    pub const fn goes_back(self) -> bool {
        matches!(self, Self::Push | Self::PushFlags)
    }

    /// Whether nothing of it ever goes because its source is gone.
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Push | Self::PushFlags | Self::CompanyUrls)
    }

    /// Whether its records carry counts and prices that somebody is billed for.
    pub const fn is_billed(self) -> bool {
        matches!(self, Self::Subscriptions)
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Entity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|e| e.key() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|e| e.key()).collect();
            format!("'{text}' is not an entity; known are {}", known.join(", "))
        })
    }
}

/// A system with a connection of its own: Halo (which is no integration) or an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Halo,
    #[serde(untagged)]
    Of(Integration),
}

impl Place {
    /// Whether it is the workspace in this program: what is written there was sent to nobody.
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Of(Integration::Lifecycle))
    }

    pub const fn key(self) -> &'static str {
        match self {
            Self::Halo => "halo",
            Self::Of(i) => i.key(),
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Halo => "Halo",
            Self::Of(i) => i.label(),
        }
    }

    /// What it calls a customer: one, and several of them.
    pub const fn party(self) -> (&'static str, &'static str) {
        match self {
            Self::Of(Integration::Hudu | Integration::Lifecycle) => ("company", "companies"),
            _ => ("customer", "customers"),
        }
    }

    /// Halo first, then every integration.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Halo).chain(Integration::ALL.into_iter().map(Self::Of))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "halo" { Ok(Self::Halo) } else { text.parse().map(Self::Of) }
    }
}

// Shared, because a plan of 100,000 rows repeats the ids of its listings.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().trim().into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The same id, sharing its text with the pool's.
            #[must_use]
            pub fn shared(self, pool: &super::text::Pool) -> Self {
                Self(pool.share(&self.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number.to_string().into())
            }
        }
    };
}

text_id! {
    /// The id of a record at the source (a marketplace's `AccountId`), in canonical text: numbers and numeric
    /// strings are equal, spaces outside are gone. Never a display name.
    SourceId
}
text_id! {
    /// The id of a record at the target (Halo), in canonical text.
    TargetId
}

impl TargetId {
    /// Halo's ids are whole numbers; `None` for an id that cannot be one.
    pub fn number(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                text.trim()
                    .trim_start_matches([$letter.chars().next().unwrap_or_default().to_ascii_lowercase(), $letter.chars().next().unwrap_or_default()])
                    .parse()
                    .map(Self)
                    .map_err(|_| format!(concat!("'{}' is not an id such as ", $letter, "12"), text))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

numbered_id! {
    /// A stored plan, written `P7`.
    PlanId, "P"
}
numbered_id! {
    /// One execution of a plan, written `J12`.
    JobId, "J"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_ids_read_what_they_write() {
        assert_eq!("J12".parse(), Ok(JobId(12)));
        assert_eq!("12".parse(), Ok(JobId(12)));
        assert_eq!("j12".parse(), Ok(JobId(12)));
        assert!("P12".parse::<JobId>().is_err());
        assert_eq!(serde_json::to_string(&PlanId(7)).unwrap(), "\"P7\"");
    }

    #[test]
    fn a_source_id_is_the_same_as_number_or_text() {
        assert_eq!(SourceId::from(310_101), SourceId::new(" 310101 "));
    }
}
