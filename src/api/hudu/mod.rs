//! Hudu: where Halo's companies, sites, contracts and users are written down (apis/hudu.md).

mod client;
mod pause;
mod record;
mod wire;
mod write;

pub use client::Hudu;
pub use record::{Asset, Card, Carded, Cell, Company, FieldKind, Layout, LayoutField, RESERVED, Relation};
pub use write::{CompanyFields, NewAsset, NewLayout};
