//! HaloPSA: the target of the marketplaces' imports (apis/halopsa.md).

mod assets;
mod client;
mod companies;
mod translate;
mod wire;

pub use assets::{AssetValues, Keep, NewAsset};

pub use client::{Halo, NewCustomer, NewLicence};
pub use companies::Company;
pub use translate::{Feature, LicenceChange, Site, TopLevel};
