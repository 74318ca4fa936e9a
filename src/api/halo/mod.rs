//! HaloPSA: the target of the marketplaces' imports (apis/halopsa.md).

mod assets;
mod client;
mod companies;
mod contracts;
mod sync;
mod translate;
mod users;
mod wire;

pub use assets::{AssetValues, Keep, NewAsset};

pub use client::{Application, Halo, NewCustomer, NewLicence};
pub use companies::Company;
pub use contracts::Contract;
pub use sync::{FlagField, SyncFacts};
pub use translate::{Feature, LicenceChange, Site, TopLevel};
pub use users::User;
