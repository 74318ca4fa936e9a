//! Bytes and writes a frame (ux.md U56-U59, style/anchors.md 4.9).

use std::time::Duration;

use parhelion::host::words::{Aspect, Event, MapRow, MapState};
use parhelion::ui::theme::Depth;

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

/// What a key costs in a table of 10,000 rows with its details, in all colours: bytes, eleven times, in order of size.
/// Each is one write.
fn costs(key: &str, filter: fn(&MapRow) -> bool, before: &str) -> Vec<usize> {
    let rows = super::data::many(10_000).into_iter().filter(filter).collect();
    let mut start = Start::default().with(|world| world.market.rows = rows);
    start.environment.depth = Depth::True;
    let mut rig = start.rig();
    rig.keys("2").keys(before).sent();
    let mut costs: Vec<usize> = (0..11)
        .map(|_| {
            rig.keys(key);
            let (bytes, writes) = rig.sent();
            assert_eq!(writes, 1);
            bytes
        })
        .collect();
    costs.sort_unstable();
    costs
}

/// U59: about 200 bytes a move, between rows of one kind as the table has them in its order: hardly more than the words
/// that are new. A line further is one line more, not a screen.
#[test]
fn a_move_in_a_long_table_is_one_write_of_its_new_words() {
    let of_a_kind: [fn(&MapRow) -> bool; 2] =
        [|row| row.state == MapState::Mapped, |row| row.aspect == Some(Aspect::Ambiguous)];
    let middle = |costs: &[usize]| costs[costs.len() / 2];
    for kind in of_a_kind {
        let move_by_one = costs("j", kind, "");
        assert!(middle(&move_by_one) <= 230, "{move_by_one:?}");
        for (key, before) in [("j", "j j j j j j j j j j j j"), ("k", "G k k k k k k k k k k k k")] {
            let scroll_by_one = costs(key, kind, before);
            assert!(middle(&scroll_by_one) <= 340, "{key}: {scroll_by_one:?}");
        }
    }
    for (key, before) in [("j", ""), ("j", "j j j j j j j j j j j j"), ("k", "G k k k k k k k k k k k k")] {
        let mixed = costs(key, |_| true, before);
        assert!(mixed.iter().all(|bytes| *bytes <= 600), "{key}: {mixed:?}");
    }
}

/// A page further shows rows that are here: it waits for nothing, and what is asked ahead draws nothing.
#[test]
fn a_page_is_one_write_and_does_not_wait_for_the_next_one() {
    let rows: Vec<_> =
        super::data::many(10_000).into_iter().filter(|row| row.state == MapState::Mapped).collect();
    let mut rig = Start::default().with(|world| world.market.rows = rows).rig();
    rig.keys("2").sent();
    for page in 0..8 {
        rig.world.borrow_mut().is_away = true;
        rig.keys("<PageDown>");
        let (bytes, writes) = rig.sent();
        assert_eq!(writes, 1, "page {page}");
        assert!(bytes <= 1_500, "{bytes}");
        rig.says_not("...  ");
        rig.world.borrow_mut().is_away = false;
        rig.idle();
        assert_eq!(rig.sent(), (0, 0), "page {page}");
    }
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
