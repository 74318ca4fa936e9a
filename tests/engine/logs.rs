//! Logs of jobs stay small and readable, whatever fails (sync-engine 16, invariant 40).

use std::sync::Arc;

use parhelion::engine::log::{JobLog, note, read};
use parhelion::host::words::{Level, LogFilter, LogLine};
use parhelion::model::{JobId, Moment};

fn at(second: i64) -> Moment {
    Moment::from_second(1_800_000_000 + second).expect("a moment")
}

fn line(second: i64, level: Level, text: String, row: Option<u32>) -> LogLine {
    LogLine { level, row, ..note(at(second), text) }
}

fn texts(folder: &std::path::Path) -> Vec<String> {
    let view = read(folder, JobId(1), &LogFilter::default(), 0, 1000).expect("a log");
    view.lines.into_iter().map(|line| line.text).collect()
}

#[test]
fn identical_lines_become_one_with_a_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = JobLog::open(folder.path(), JobId(1), Arc::default());
    for n in 0..4211 {
        log.write(line(n, Level::Note, "rate limit: waited 3 s".into(), None));
    }
    log.write(line(5000, Level::Note, "done".into(), None));
    assert_eq!(log.finish(), 3);
    assert_eq!(texts(folder.path()), ["rate limit: waited 3 s", "rate limit: waited 3 s x4,210", "done"]);
}

#[test]
fn a_code_has_ten_lines_a_second_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = JobLog::open(folder.path(), JobId(1), Arc::default());
    for n in 0..500 {
        log.write(line(1, Level::Error, format!("failed: Halo answered 500 to request {n}"), Some(n)));
    }
    log.write(line(1, Level::Error, "failed: no such customer".into(), Some(900)));
    log.write(line(2, Level::Error, "failed: Halo answered 500 to request 7".into(), Some(7)));
    log.finish();
    let texts = texts(folder.path());
    assert_eq!(texts.len(), 10 + 1 + 1 + 1, "{texts:#?}");
    assert_eq!(texts[10], "failed: no such customer", "another code has its own ten");
    assert_eq!(texts[11], "failed: Halo answered 500 to request 499 x490 like this");
}

/// What was written to Halo is never left out.
#[test]
fn every_change_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = JobLog::open(folder.path(), JobId(1), Arc::default());
    for n in 0..100 {
        log.write(line(1, Level::Change, "seats 10 -> 12".into(), Some(n)));
    }
    assert_eq!(log.finish(), 100);
}

#[test]
fn a_log_never_exceeds_its_cap_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = JobLog::open(folder.path(), JobId(1), Arc::default());
    let long = "x".repeat(1 << 20);
    for n in 0..70 {
        log.write(line(n, Level::Change, format!("{long}{n}"), None));
    }
    log.finish();
    let bytes = std::fs::metadata(folder.path().join("J1.jsonl")).expect("a file").len();
    assert!((63 << 20..=64 << 20).contains(&bytes), "{bytes}");
    assert_eq!(texts(folder.path()).last().expect("lines"), "this log is full; the audit trail goes on");
    let again = JobLog::open(folder.path(), JobId(1), Arc::default());
    again.write(line(99, Level::Change, "more".into(), None));
    again.finish();
    assert!(std::fs::metadata(folder.path().join("J1.jsonl")).expect("a file").len() <= 64 << 20);
}
