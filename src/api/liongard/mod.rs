//! Liongard: environments, systems and devices (apis/liongard.md).

mod client;
mod read;
mod sample;

pub use client::{Liongard, LookUp, NewEnvironment};
pub use sample::{Leaves, Whole};
