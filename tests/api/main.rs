//! The vendor clients against vendors in memory, the example documents, and real sockets.
#![allow(clippy::pedantic)]

mod budget;
mod check;
mod halo;
mod halo_assets;
mod hudu;
mod liongard;
mod listing;
mod marketplace;
mod outgoing;
mod retry;
mod support;
mod wire;
