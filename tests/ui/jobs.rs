//! Jobs and one job (ux.md 3.6, 3.7): frames, the log, orders.

use super::engine::progress;
use super::rig::Start;
use super::screens::in_all_sizes;

fn running() -> Start {
    Start::default().with(|world| world.overview.running = Some(progress(187)))
}

#[test]
fn jobs() {
    in_all_sizes("jobs", running, "4");
}

#[test]
fn job() {
    in_all_sizes("job", running, "4 <Enter>");
}

#[test]
fn change() {
    in_all_sizes("change", running, "4 <Enter> k k k k <Enter>");
}

#[test]
fn jobs_zoomed() {
    running().sized(120, 36).rig().keys("4 z").shows("jobs-zoomed@120x36");
}
