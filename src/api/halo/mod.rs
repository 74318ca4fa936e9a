//! HaloPSA: the target of the marketplaces' imports (apis/halopsa.md).

mod assets;
mod client;
mod companies;
mod contracts;
mod customers;
mod installation;
mod licences;
mod sign_in;
mod sync;
mod translate;
mod users;
mod wire;

pub use assets::{AssetValues, Keep, NewAsset};
pub use client::Halo;
pub use companies::Company;
pub use contracts::Contract;
pub use customers::NewCustomer;
pub use installation::Application;
pub use licences::NewLicence;
pub use sync::{FlagField, SyncFacts};
pub use translate::{Feature, LicenceChange, Site, TopLevel};
pub use users::User;
