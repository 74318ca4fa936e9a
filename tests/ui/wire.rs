//! Bytes and writes a frame (ux.md U56-U59, style/anchors.md 4.9).

use std::time::Duration;

use parhelion::host::words::Event;

use super::engine::progress;
use super::rig::{Start, rig};

#[test]
fn the_first_screen_is_one_write_within_its_budget() {
    let (bytes, writes) = rig().sent();
    assert!(bytes <= 5_000, "{bytes}");
    // The frame waits for the first answer.
    assert_eq!(writes, 1);
    let (bytes, _) = Start::default().sized(120, 36).rig().sent();
    assert!(bytes <= 10_000, "{bytes}");
}

#[test]
fn an_idle_screen_sends_nothing() {
    let mut rig = rig();
    rig.sent();
    rig.pass(Duration::from_secs(3600));
    assert_eq!(rig.sent(), (0, 0));
}

#[test]
fn a_key_that_changes_nothing_sends_nothing() {
    let mut rig = rig();
    rig.keys("k");
    rig.sent();
    assert_eq!(rig.keys("k").sent(), (0, 0));
}

#[test]
fn moving_the_selection_is_one_small_write() {
    let mut rig = rig();
    rig.sent();
    let (bytes, writes) = rig.keys("j").sent();
    assert_eq!(writes, 1);
    // The beginnings of two rows in and out of reverse video, and the details of the new one, all of them new.
    assert!(bytes <= 700, "{bytes}");
}

/// U59: between rows of one kind most of what is sent are the details themselves.
#[test]
fn moving_through_the_mappings_costs_a_few_hundred_bytes() {
    let mut rig = rig();
    rig.keys("2 j j").sent();
    let (bytes, writes) = rig.keys("j").sent();
    assert_eq!(writes, 1);
    assert!(bytes <= 210, "{bytes}");
}

/// U56: at most four frames a second over SSH, whatever the engine sends.
#[test]
fn a_running_job_costs_four_frames_a_second() {
    let mut rig = rig();
    rig.news(Event::Progress(Box::new(progress(1))));
    rig.sent();
    for done in 2..102 {
        let _ = rig.events.send(Event::Progress(Box::new(progress(done))));
        rig.pass(Duration::from_millis(50));
    }
    let (bytes, writes) = rig.sent();
    assert!((19..=21).contains(&writes), "{writes} frames in five seconds");
    assert!(bytes / 5 <= 3_000, "{bytes}");
    assert!(bytes / writes <= 700, "{bytes} in {writes}");
}

#[test]
fn every_frame_is_wrapped_in_one_synchronised_update() {
    let mut rig = rig();
    rig.sent();
    rig.keys("j");
    let bytes = rig.tape.borrow().bytes.clone();
    assert!(bytes.starts_with(b"\x1b[?2026h") && bytes.ends_with(b"\x1b[?2026l"));
}
