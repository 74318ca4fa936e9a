//! Liongard: environments, systems and devices (apis/liongard.md).

mod client;
mod read;

pub use client::{Liongard, LookUp, NewEnvironment};
