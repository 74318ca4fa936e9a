//! Parhelion: `HaloPSA` integrations in your terminal.
//!
//! The house has floors, and a folder uses only the folders below it:
//!
//! | floor | folder | holds |
//! |---|---|---|
//! | 6 | [`cli`], [`ui`] | scripts and people |
//! | 5 | [`host`] | commands, queries and events behind one `Handle` |
//! | 4 | [`engine`] | jobs: read, plan, apply, recover |
//! | 3 | [`integrations`] | what each integration means |
//! | 2 | [`plan`], [`api`], [`store`] | pure planning, typed vendor clients, what survives |
//! | 1 | [`matching`], [`settings`] | pure name matching; settings and their TOML |
//! | 0 | [`model`] | plain types |
//!
//! Apart from all floors stand [`sandbox`], the simulated vendors served over real HTTP, and [`logging`], which every
//! floor may tell what must never be logged.
#![forbid(unsafe_code)]

pub mod api;
pub mod cli;
pub mod engine;
pub mod host;
pub mod integrations;
pub mod lifecycle;
pub mod logging;
pub mod matching;
pub mod model;
pub mod plan;
pub mod sandbox;
pub mod settings;
pub mod store;
pub mod ui;
