//! Imports from end to end, without faults.

use parhelion::host::words::JobState;
use parhelion::model::Integration;
use parhelion::sandbox::{Options, Sandbox};

use super::rig::{Ground, run, spec};

#[tokio::test(start_paused = true)]
async fn a_second_run_without_changes_writes_nothing() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = ground.start().await;
    let first = run(&engine, spec(Integration::Also, &[], false)).await;
    assert!(first.totals.rows.create > 0);
    assert_eq!(first.totals.failed, 0);
    let writes = ground.sandbox.journal().len();
    let second = run(&engine, spec(Integration::Also, &[], false)).await;
    assert!(matches!(second.state, JobState::Partial | JobState::Ok | JobState::Warnings));
    assert_eq!(ground.sandbox.journal().len(), writes, "the second run wrote something");
}
