//! The viewer through its real loop: keys in, a terminal's screen out, a canned engine behind the handle.

mod customers;
mod data;
mod engine;
mod fields;
mod flows;
mod host;
mod jobs;
mod keymap;
mod lifecycle;
mod plan;
mod rig;
mod screens;
mod settings;
mod terminal;
mod wire;
mod workspace;
