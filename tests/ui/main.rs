//! The viewer through its real loop: keys in, a terminal's screen out, a canned engine behind the handle.

mod engine;
mod flows;
mod keymap;
mod rig;
mod screens;
mod settings;
mod terminal;
mod wire;
