//! HaloPSA: the target of the marketplaces' imports (apis/halopsa.md).

mod client;
mod contracts;
mod translate;
mod users;
mod wire;

pub use client::{Halo, NewCustomer, NewLicence};
pub use contracts::Contract;
pub use translate::{Feature, LicenceChange, Site, TopLevel};
pub use users::User;
