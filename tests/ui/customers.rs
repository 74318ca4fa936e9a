//! The customer mappings, the picker and the fields (ux.md 3.3-3.5), as frames and as keys.

use super::rig::Start;
use super::screens::in_all_sizes;

#[test]
fn customers() {
    in_all_sizes("customers", Start::default, "2");
}

#[test]
fn picker() {
    in_all_sizes("picker", Start::default, "2 j j j j j j m j u r");
}

#[test]
fn fields() {
    in_all_sizes("fields", Start::default, "3 j j");
}
