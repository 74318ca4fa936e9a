//! The audit trail under crashes, damage and load.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use parhelion::store::trail::{Options, SimulatedDisk, Sync, verify_dir};
use parhelion::store::{Entry, Trail};
use serde_json::json;

fn entry(n: u64) -> Entry {
    Entry::new("intent", &json!({ "n": n, "text": "Łódź \n \" line" })).unwrap()
}

fn numbers(trail: &Trail) -> Vec<u64> {
    trail.read(1).unwrap().map(|record| record.unwrap().data["n"].as_u64().unwrap()).collect()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    paths.sort();
    paths
}

fn small(sync: Sync) -> Options {
    Options { sync, segment_bytes: 4096, reserve_bytes: 0, gather: std::time::Duration::ZERO }
}

/// A trail of `groups` commits with two records each, on a simulated disk.
async fn filled(dir: &Path, groups: u64) -> Arc<SimulatedDisk> {
    let disk = Arc::new(SimulatedDisk::new());
    let (trail, _) = Trail::open_with(dir, small(Sync::Simulated(Arc::clone(&disk)))).unwrap();
    for n in 0..groups {
        trail.commit(vec![entry(2 * n), entry(2 * n + 1)]).await.unwrap();
    }
    disk
}

#[tokio::test]
async fn what_was_committed_is_read_back_in_order_with_its_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, opened) = Trail::open(dir.path()).unwrap();
    assert_eq!((opened.last_seq, opened.dropped_tail_bytes), (0, 0));
    let first = trail.commit(vec![entry(0), entry(1)]).await.unwrap();
    let second = trail.commit(vec![entry(2)]).await.unwrap();
    assert!(second > first);
    let records: Vec<_> = trail.read(1).unwrap().map(Result::unwrap).collect();
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), [first - 1, first, second]);
    assert_eq!(records[0].kind, "intent");
    assert_eq!(records[2].data["text"], "Łódź \n \" line");
    assert_eq!(trail.read(second).unwrap().count(), 1);
    drop(trail);

    let (trail, opened) = Trail::open(dir.path()).unwrap();
    assert_eq!(opened.dropped_tail_bytes, 0);
    assert_eq!(opened.last_seq, trail.last_seq());
    let third = trail.commit(vec![entry(3)]).await.unwrap();
    assert!(third > second);
    assert_eq!(numbers(&trail), [0, 1, 2, 3]);
    assert_eq!(trail.verify().unwrap().records, 4);
}

#[tokio::test]
async fn segments_roll_and_the_chain_goes_on_across_them() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 60).await;
    assert!(segments(dir.path()).len() > 3);
    let (trail, _) = Trail::open_with(dir.path(), small(Sync::Disk)).unwrap();
    assert_eq!(numbers(&trail), (0..120).collect::<Vec<_>>());
    assert_eq!(trail.verify().unwrap().records, 120);
    let from = trail.read(1).unwrap().nth(100).unwrap().unwrap().seq;
    assert_eq!(trail.read(from).unwrap().count(), 20);

    std::fs::remove_file(&segments(dir.path())[1]).unwrap();
    assert!(trail.verify().is_err());
    assert!(trail.read(1).unwrap().any(|record| record.is_err()));
}

#[tokio::test]
async fn a_group_cut_at_any_byte_is_dropped_whole_and_the_ones_before_stay() {
    let source = tempfile::tempdir().unwrap();
    filled(source.path(), 2).await;
    let name = segments(source.path()).pop().unwrap();
    let bytes = std::fs::read(&name).unwrap();
    let commit = bytes.windows(17).position(|w| w == b"\"kind\":\"commit\",\"".as_slice()).unwrap();
    let first_end = commit + bytes[commit..].iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in first_end..=bytes.len() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name.file_name().unwrap());
        std::fs::write(&file, &bytes[..cut]).unwrap();
        let (trail, opened) = Trail::open(dir.path()).unwrap_or_else(|p| panic!("cut at {cut}: {p}"));
        let whole = cut == bytes.len();
        assert_eq!(numbers(&trail), if whole { vec![0, 1, 2, 3] } else { vec![0, 1] }, "cut at {cut}");
        assert_eq!(opened.dropped_tail_bytes, if whole { 0 } else { (cut - first_end) as u64 });
        drop(trail);
        assert!(verify_dir(dir.path()).is_ok(), "cut at {cut}");
    }
}

#[tokio::test]
async fn holes_of_an_unfinished_write_are_dropped_too() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 2).await;
    let file = segments(dir.path()).pop().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    // The last commit line is on the disk, a block before it is not.
    let start = bytes.windows(7).rposition(|w| w == b"\"n\":3,\"").unwrap();
    bytes[start - 30..start + 30].fill(0);
    std::fs::write(&file, &bytes).unwrap();
    let (trail, opened) = Trail::open(dir.path()).unwrap();
    assert_eq!(numbers(&trail), [0, 1]);
    assert!(opened.dropped_tail_bytes > 0);
}

#[tokio::test]
async fn an_open_trail_ends_in_empty_lines_and_a_closed_one_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _) = Trail::open(dir.path()).unwrap();
    for n in 0..5 {
        trail.commit(vec![entry(n)]).await.unwrap();
    }
    let file = segments(dir.path()).pop().unwrap();
    let open = std::fs::read(&file).unwrap();
    assert!(open.ends_with(b"\n\n\n"));
    assert_eq!(trail.verify().unwrap().records, 5);
    assert_eq!(verify_dir(dir.path()).unwrap().records, 5);
    drop(trail);
    let closed = std::fs::read(&file).unwrap();
    assert!(closed.ends_with(b"}\n") && open.starts_with(&closed));

    // A process that was killed leaves the padding: nothing was lost with it, and nothing is written behind it.
    std::fs::write(&file, &open).unwrap();
    let (trail, opened) = Trail::open(dir.path()).unwrap();
    assert_eq!(opened.dropped_tail_bytes, 0);
    trail.commit(vec![entry(5)]).await.unwrap();
    assert_eq!(numbers(&trail), [0, 1, 2, 3, 4, 5]);
    drop(trail);
    assert!(std::fs::read(&file).unwrap().starts_with(&closed));
}

#[tokio::test]
async fn a_group_that_lacks_any_of_its_sectors_is_dropped_whole() {
    let source = tempfile::tempdir().unwrap();
    let (trail, _) = Trail::open(source.path()).unwrap();
    trail.commit((0..20).map(entry).collect()).await.unwrap();
    let file = segments(source.path()).pop().unwrap();
    let before = std::fs::read(&file).unwrap();
    let start = before.iter().rposition(|byte| *byte != b'\n').unwrap() + 2;
    trail.commit((20..30).map(entry).collect()).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let end = whole.iter().rposition(|byte| *byte != b'\n').unwrap() + 1;
    assert_eq!(whole.len(), before.len(), "the group lies in what was padding");
    for hole in (start / 512 * 512..end).step_by(512) {
        // That sector alone, and all from there on.
        for up_to in [hole + 512, whole.len()] {
            let mut torn = whole.clone();
            let (from, up_to) = (hole.max(start), up_to.min(whole.len()));
            torn[from..up_to].copy_from_slice(&before[from..up_to]);
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(file.file_name().unwrap()), &torn).unwrap();
            let (trail, opened) = Trail::open(dir.path()).unwrap_or_else(|p| panic!("hole at {hole}: {p}"));
            assert_eq!(numbers(&trail), (0..20).collect::<Vec<_>>(), "hole at {hole}");
            assert_eq!(opened.dropped_tail_bytes > 0, torn != before, "hole at {hole}");
        }
    }
}

#[tokio::test]
async fn a_flipped_byte_before_the_last_commit_is_refused_and_nothing_is_touched() {
    let source = tempfile::tempdir().unwrap();
    filled(source.path(), 3).await;
    let name = segments(source.path()).pop().unwrap();
    let bytes = std::fs::read(&name).unwrap();
    let last_line = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for at in (0..last_line).step_by(7) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name.file_name().unwrap());
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x02;
        std::fs::write(&file, &damaged).unwrap();
        let problem = Trail::open(dir.path()).expect_err(&format!("flip at {at}"));
        assert!(problem.message.contains("line "), "{problem}");
        assert!(problem.message.contains(".jsonl"), "{problem}");
        assert_eq!(std::fs::read(&file).unwrap(), damaged);
        assert!(verify_dir(dir.path()).is_err(), "flip at {at}");
    }
}

#[tokio::test]
async fn a_deleted_or_changed_record_in_an_old_segment_breaks_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 60).await;
    let file = &segments(dir.path())[0];
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, text.replacen("\"n\":4", "\"n\":9", 1)).unwrap();
    let (trail, _) = Trail::open_with(dir.path(), small(Sync::Disk)).unwrap();
    let broken = trail.verify().unwrap_err();
    assert_eq!(broken.file, *file);
    // What stands before the damage is still read; what follows is not believed.
    let read: Vec<_> = trail.read(1).unwrap().collect();
    assert!(read.last().unwrap().is_err());
    assert!(read.len() < 120);
}

#[tokio::test]
async fn acknowledged_commits_survive_a_power_cut_at_any_length() {
    for share in 0..=10_u64 {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(SimulatedDisk::new());
        let (trail, _) = Trail::open_with(dir.path(), small(Sync::Simulated(Arc::clone(&disk)))).unwrap();
        for n in 0..30 {
            trail.commit(vec![entry(n)]).await.unwrap();
        }
        // The next group is written, but its sync fails: it is never acknowledged.
        disk.fail_sync(1);
        assert!(trail.commit(vec![entry(30)]).await.is_err());
        disk.cut_power();
        drop(trail);
        disk.crash(dir.path(), |_, synced, written| synced + (written - synced) * share / 10).unwrap();
        let (trail, _) = Trail::open_with(dir.path(), small(Sync::Simulated(disk))).unwrap();
        let read = numbers(&trail);
        assert_eq!(read[..30], (0..30).collect::<Vec<_>>()[..], "share {share}");
        trail.commit(vec![entry(99)]).await.unwrap();
        assert_eq!(numbers(&trail).last(), Some(&99));
    }
}

#[tokio::test]
async fn a_disk_that_lies_loses_what_was_acknowledged_so_the_test_above_can_fail() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(SimulatedDisk::lying());
    let (trail, _) = Trail::open_with(dir.path(), small(Sync::Simulated(Arc::clone(&disk)))).unwrap();
    trail.commit(vec![entry(0)]).await.unwrap();
    drop(trail);
    disk.crash(dir.path(), |_, synced, _| synced).unwrap();
    let (trail, _) = Trail::open_with(dir.path(), small(Sync::Simulated(disk))).unwrap();
    assert!(numbers(&trail).is_empty());
}

#[tokio::test]
async fn after_a_failed_sync_every_call_gets_the_same_answer() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(SimulatedDisk::new());
    let (trail, _) = Trail::open_with(dir.path(), small(Sync::Simulated(Arc::clone(&disk)))).unwrap();
    trail.commit(vec![entry(0)]).await.unwrap();
    disk.fail_sync(1);
    let first = trail.commit(vec![entry(1)]).await.unwrap_err();
    let syncs = disk.syncs();
    assert_eq!(trail.commit(vec![entry(2)]).await.unwrap_err(), first);
    assert_eq!(trail.append_soon(vec![entry(3)]).unwrap_err(), first);
    assert_eq!(trail.failed(), Some(&first));
    assert_eq!(disk.syncs(), syncs, "a failed sync is not tried again");
    assert_eq!(numbers(&trail), [0], "only what was durable is read");
}

#[tokio::test]
async fn a_thousand_concurrent_commits_share_their_syncs() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(SimulatedDisk::new());
    let options = Options { sync: Sync::Simulated(Arc::clone(&disk)), ..Options::default() };
    let (trail, _) = Trail::open_with(dir.path(), options).unwrap();
    let paused = disk.pause();
    let calls = (0..1000).map(|n| {
        let trail = &trail;
        async move { (trail.commit(vec![entry(2 * n), entry(2 * n + 1)]).await.unwrap(), 2 * n + 1) }
    });
    let mut calls = Box::pin(futures_util::future::join_all(calls));
    // Every call is under way, none is answered: nothing is durable yet.
    assert!(calls.as_mut().now_or_never().is_none());
    assert_eq!(trail.last_seq(), 0);
    drop(paused);
    let answers = calls.await;
    let mut by_seq = std::collections::BTreeMap::new();
    for answer in answers {
        let (seq, n) = answer;
        assert!(by_seq.insert(seq, n).is_none());
    }
    for record in trail.read(1).unwrap() {
        let record = record.unwrap();
        let n = record.data["n"].as_u64().unwrap();
        let of_pair = if n % 2 == 1 { record.seq } else { record.seq + 1 };
        assert_eq!(by_seq.get(&of_pair), Some(&(n | 1)), "each caller's number is its own record's");
    }
    assert_eq!(trail.verify().unwrap().records, 2000);
    assert!(disk.syncs() <= 2, "one group was begun, the rest is the second: {} syncs", disk.syncs());
}

#[tokio::test]
async fn what_may_come_soon_goes_with_the_next_commit_and_with_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (trail, _) = Trail::open(dir.path()).unwrap();
    trail.append_soon(vec![entry(0)]).unwrap();
    trail.commit(vec![entry(1)]).await.unwrap();
    assert_eq!(numbers(&trail), [0, 1]);
    trail.append_soon(vec![entry(2)]).unwrap();
    drop(trail);
    let (trail, _) = Trail::open(dir.path()).unwrap();
    assert_eq!(numbers(&trail), [0, 1, 2]);
}

#[tokio::test]
async fn a_nearly_full_disk_stops_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { reserve_bytes: u64::MAX, ..Options::default() };
    let (trail, _) = Trail::open_with(dir.path(), options).unwrap();
    let problem = trail.commit(vec![entry(0)]).await.unwrap_err();
    assert!(problem.message.contains("nearly full"), "{problem}");
    assert!(trail.failed().is_none(), "it may be tried again");
    assert!(segments(dir.path()).is_empty());
}

#[tokio::test]
async fn files_are_private_and_newer_formats_are_refused() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 1).await;
    let file = segments(dir.path()).pop().unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("{\"format\":1}", "{\"format\":2}", 1)).unwrap();
    let problem = Trail::open(dir.path()).unwrap_err();
    assert!(problem.message.contains("newer version"), "{problem}");
}

#[test]
fn the_trails_own_kinds_cannot_be_written_by_others() {
    assert!(Entry::new("commit", &1).is_err());
    assert!(Entry::new("segment", &1).is_err());
}

/// What a close notes spares the next start some work and nothing else: damage is found all the same, and without the
/// note, or with an old one, the lines are followed.
#[tokio::test]
async fn a_clean_close_hides_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let note = dir.path().join("closed.json");
    filled(dir.path(), 3).await;
    let (trail, first) = Trail::open_with(dir.path(), small(Sync::Disk)).unwrap();
    drop(trail);
    let old = std::fs::read(&note).expect("noted");
    let (trail, opened) = Trail::open_with(dir.path(), small(Sync::Disk)).unwrap();
    assert_eq!(opened, first);
    trail.commit(vec![entry(6)]).await.unwrap();
    drop(trail);
    let newest = segments(dir.path()).pop().unwrap();
    let whole = std::fs::read(&newest).unwrap();
    let noted = std::fs::read(&note).unwrap();
    assert_ne!(noted, old);
    let expected = first.last_seq + 2;
    for other in [Some(noted.as_slice()), Some(old.as_slice()), Some(b"{".as_slice()), None] {
        match other {
            Some(text) => std::fs::write(&note, text).unwrap(),
            None => std::fs::remove_file(&note).unwrap(),
        }
        let (trail, opened) = Trail::open_with(dir.path(), small(Sync::Disk)).unwrap();
        assert_eq!((opened.last_seq, opened.dropped_tail_bytes), (expected, 0));
        assert_eq!(numbers(&trail), (0..7).collect::<Vec<_>>());
    }
    // One letter inside a record, with the note of the whole one in place.
    for at in [whole.len() / 4, whole.len() / 2] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&newest, &bytes).unwrap();
        std::fs::write(&note, &noted).unwrap();
        assert!(Trail::open_with(dir.path(), small(Sync::Disk)).is_err(), "byte {at}");
    }
}
