//! The vendors over HTTP: typed requests and answers, one limiter and one retry layer a host, listings with proof.
//! Decides nothing about mapping (see `docs/architecture.md`).

pub mod address;
pub mod budget;
pub mod call;
pub mod check;
pub mod halo;
pub mod http;
pub mod hudu;
pub mod lenient;
pub mod liongard;
pub mod listing;
pub mod marketplace;
pub mod outgoing;
pub mod records;
pub mod row;
pub mod webhook;
