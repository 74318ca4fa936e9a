//! The plan (ux.md 3.8): frames, and what a person does there.

use super::rig::Start;
use super::screens::in_all_sizes;

#[test]
fn plan() {
    in_all_sizes("plan", Start::default, "2 p j j j");
}
