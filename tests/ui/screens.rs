//! Every screen in every size class, with nothing, little and much on it.

use super::rig::Start;

/// The sizes of ux.md 13, and plain mode.
pub fn in_all_sizes(name: &str, start: impl Fn() -> Start, keys: &str) {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 10), (39, 9)] {
        start().sized(width, height).rig().keys(keys).shows(&format!("{name}@{width}x{height}"));
    }
    start().plain().rig().keys(keys).shows(&format!("{name}@plain"));
}

#[test]
fn integrations() {
    in_all_sizes("integrations", Start::default, "j");
}

#[test]
fn help() {
    in_all_sizes("help", Start::default, "?");
}

#[test]
fn palette() {
    in_all_sizes("palette", Start::default, ": t e");
}

#[test]
fn messages() {
    in_all_sizes("messages", Start::default, "w j w : m e s s a g e s <Enter>");
}

#[test]
fn settings() {
    in_all_sizes("settings", Start::default, "j <Enter> j");
}

#[test]
fn program_settings() {
    in_all_sizes("program", Start::default, ", j");
}
