//! HaloPSA: the target of the marketplaces' imports (apis/halopsa.md).

mod client;
mod translate;
mod wire;

pub use client::{Halo, NewCustomer, NewLicence};
pub use translate::{Feature, LicenceChange, Site, TopLevel};
