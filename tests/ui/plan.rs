//! The plan (ux.md 3.8): frames, and what a person does there.

use super::rig::Start;
use super::screens::in_all_sizes;

#[test]
fn plan() {
    in_all_sizes("plan", Start::default, "2 p j j j");
}

#[test]
fn the_apply_dialog_says_what_will_and_will_not_happen() {
    Start::default().rig().keys("2 p j x a").shows("apply@80x24");
    Start::default().sized(40, 10).rig().keys("2 p a").shows("apply@40x10");
    let beyond = || Start::default().with(|world| super::data::beyond_limit(&mut world.market));
    beyond().rig().keys("2 p a").shows("limit@80x24");
    beyond().sized(60, 16).rig().keys("2 p a 4").shows("limit@60x16");
    beyond().sized(40, 10).rig().keys("2 p a 4").shows("limit@40x10");
}
