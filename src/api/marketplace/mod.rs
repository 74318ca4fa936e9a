//! ALSO Cloud Marketplace and Westcoast Cloud: one driver, two brands (decision 12, apis/also.md). Reads only: the
//! calls that cost money do not exist here.

mod client;
mod fault;
mod translate;
mod wire;

pub use client::{LookUp, Marketplace};
