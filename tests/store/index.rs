//! One contract, two adapters.

use std::path::Path;

use parhelion::model::Class;
use parhelion::store::index::{self, MAX_VALUE, Opened, get_chunked, put_chunked};
use parhelion::store::{Index, MemoryIndex, Op, SledIndex};

fn sled(dir: &Path) -> (SledIndex, Opened) {
    SledIndex::open(&dir.join("index")).unwrap()
}

/// Runs the same test on both.
fn both(test: impl Fn(&dyn Index)) {
    test(&MemoryIndex::new());
    let dir = tempfile::tempdir().unwrap();
    test(&sled(dir.path()).0);
}

fn keys(index: &dyn Index, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
    let page = index.scan(prefix.as_bytes(), after.map(str::as_bytes), limit).unwrap();
    page.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

#[test]
fn scans_are_sorted_bounded_and_paged() {
    both(|index| {
        let names = ["link/b", "link/a", "link", "link/c", "linl", "plan/1", "lin"];
        index.commit(&names.map(|name| Op::put(name, "x"))).unwrap();
        assert_eq!(keys(index, "link/", None, 9), ["link/a", "link/b", "link/c"]);
        assert_eq!(keys(index, "link/", None, 2), ["link/a", "link/b"]);
        assert_eq!(keys(index, "link/", Some("link/b"), 9), ["link/c"]);
        assert_eq!(keys(index, "link/", Some("link/c"), 9), [""; 0]);
        assert_eq!(keys(index, "link/", Some("a"), 1), ["link/a"]);
        assert_eq!(keys(index, "link", None, 9), ["link", "link/a", "link/b", "link/c"]);
        assert_eq!(keys(index, "q", None, 9), [""; 0]);
        assert_eq!(keys(index, "link/", None, 0), [""; 0]);
    });
}

#[test]
fn changes_are_written_as_their_steps_would_be() {
    both(|index| {
        index.commit(&[Op::put("a", "1"), Op::put("b", "2")]).unwrap();
        let change = |key: &str, value: Option<&str>| (key.into(), value.map(Into::into));
        index
            .write_changes(&[change("a", None), change("b", Some("3")), change("c", Some(""))].into())
            .unwrap();
        assert_eq!(index.get(b"a").unwrap(), None);
        assert_eq!(index.get(b"b").unwrap().as_deref(), Some(b"3".as_slice()));
        assert_eq!(index.get(b"c").unwrap().as_deref(), Some(b"".as_slice()));

        let long = "x".repeat(MAX_VALUE + 1);
        index.write_changes(&[change("b", None), change("d", Some(&long))].into()).unwrap_err();
        assert_eq!(index.get(b"b").unwrap().as_deref(), Some(b"3".as_slice()), "all or nothing");
    });
}

#[test]
fn a_batch_is_all_or_nothing() {
    both(|index| {
        index.commit(&[Op::put("a", "1")]).unwrap();
        let ops = [Op::put("b", "2"), Op::Expect(b"a".to_vec(), Some(b"other".to_vec())), Op::del("a")];
        let problem = index.commit(&ops).unwrap_err();
        assert_eq!(problem.class, Class::Stale);
        assert_eq!(index.get(b"a").unwrap().as_deref(), Some(b"1".as_slice()));
        assert_eq!(index.get(b"b").unwrap(), None);

        let ops = [
            Op::Expect(b"a".to_vec(), Some(b"1".to_vec())),
            Op::Expect(b"b".to_vec(), None),
            Op::put("b", "2"),
            Op::del("a"),
        ];
        index.write(&ops).unwrap();
        assert_eq!(index.get(b"a").unwrap(), None);
        assert_eq!(index.get(b"b").unwrap().as_deref(), Some(b"2".as_slice()));

        let long = vec![0; MAX_VALUE + 1];
        assert!(index.commit(&[Op::put("c", "3"), Op::put("long", long)]).is_err());
        assert_eq!(index.get(b"c").unwrap(), None);
    });
}

#[test]
fn two_who_expect_the_same_do_not_both_win() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = sled(dir.path());
    index.commit(&[Op::put("n", "0")]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut done = 0;
                while done < 25 {
                    let before = index.get(b"n").unwrap();
                    let n: u64 = std::str::from_utf8(before.as_ref().unwrap()).unwrap().parse().unwrap();
                    let ops = [Op::Expect(b"n".to_vec(), before), Op::put("n", (n + 1).to_string())];
                    done += u32::from(index.write(&ops).is_ok());
                }
            });
        }
    });
    assert_eq!(index.get(b"n").unwrap().as_deref(), Some(b"100".as_slice()));
}

#[test]
fn long_values_come_back_whole_and_leave_nothing_behind() {
    both(|index| {
        for length in [0, 1, MAX_VALUE, MAX_VALUE + 1, 5 * MAX_VALUE, 10] {
            let value: Vec<u8> = (0..length).map(|n| n as u8).collect();
            index.commit(&put_chunked(index, b"plan/7", &value).unwrap()).unwrap();
            assert_eq!(get_chunked(index, b"plan/7").unwrap(), Some(value));
        }
        assert_eq!(index.scan(b"plan/7", None, 99).unwrap().len(), 2, "a head and one part");
        assert_eq!(get_chunked(index, b"plan/8").unwrap(), None);
    });
}

#[test]
fn an_export_makes_the_same_index_again() {
    both(|index| {
        index
            .commit(&[Op::put("text", "Łódź"), Op::put([0xff, 0x00], [0xfe, 0x01]), Op::put("hex", "ff00")])
            .unwrap();
        let mut first = Vec::new();
        index::export(index, &mut first).unwrap();
        let copy = MemoryIndex::new();
        index::import(&copy, &mut first.as_slice()).unwrap();
        let mut second = Vec::new();
        index::export(&copy, &mut second).unwrap();
        assert_eq!(first, second);
        assert_eq!(copy.get(&[0xff, 0x00]).unwrap(), Some(vec![0xfe, 0x01]));
        assert!(
            index::import(&copy, &mut b"{\"key\":1}\n".as_slice()).unwrap_err().message.contains("Line 1")
        );
    });
}

#[test]
fn memory_loses_what_was_not_flushed_and_nothing_else() {
    let index = MemoryIndex::new();
    index.commit(&[Op::put("kept", "1"), Op::put("changed", "old")]).unwrap();
    index.write(&[Op::put("changed", "new"), Op::del("kept")]).unwrap();
    index.write(&[Op::put("fresh", "1"), Op::put("changed", "newer")]).unwrap();
    index.lose_unflushed();
    assert_eq!(index.get(b"kept").unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(index.get(b"changed").unwrap().as_deref(), Some(b"old".as_slice()));
    assert_eq!(index.get(b"fresh").unwrap(), None);
    index.write(&[Op::put("fresh", "1")]).unwrap();
    index.flush().unwrap();
    index.lose_unflushed();
    assert!(index.get(b"fresh").unwrap().is_some());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            assert!(std::fs::copy(entry.path(), target).is_ok());
        }
    }
}

#[test]
fn sled_keeps_its_commits_over_a_dirty_end_and_a_half_written_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let (index, opened) = sled(dir.path());
    assert_eq!(opened, Opened::New);
    for n in 0..500_u32 {
        index.write(&[Op::put(n.to_be_bytes(), "x".repeat(200))]).unwrap();
    }
    index.commit(&[Op::put("last", "here")]).unwrap();
    // What a killed process leaves: the files as they are, nothing closed.
    let killed = tempfile::tempdir().unwrap();
    copy(&dir.path().join("index"), &killed.path().join("index"));
    std::fs::write(killed.path().join("index").join("snap.00000000DEADBEEF.generating"), b"half").unwrap();
    let (index, opened) = sled(killed.path());
    assert_eq!(opened, Opened::Found);
    assert_eq!(index.get(b"last").unwrap().as_deref(), Some(b"here".as_slice()));
    assert_eq!(index.scan(&[0], None, 1000).unwrap().len(), 500);
    assert!(index.size_on_disk().unwrap() > 0);
}

#[test]
fn sled_reopens_after_a_clean_end() {
    let dir = tempfile::tempdir().unwrap();
    sled(dir.path()).0.commit(&[Op::put("a", "1")]).unwrap();
    let (index, opened) = sled(dir.path());
    assert_eq!(opened, Opened::Found);
    assert_eq!(index.get(b"a").unwrap().as_deref(), Some(b"1".as_slice()));
}

#[test]
fn a_broken_snapshot_is_cured_without_loss_and_a_broken_database_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (index, _) = sled(dir.path());
        for n in 0..2000_u32 {
            index.write(&[Op::put(n.to_be_bytes(), "x".repeat(200))]).unwrap();
        }
        index.flush().unwrap();
    }
    drop(sled(dir.path()));
    let folder = dir.path().join("index");
    let snapshots: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."))
        .collect();
    assert!(!snapshots.is_empty());
    for snapshot in snapshots {
        std::fs::write(snapshot, b"this is no snapshot at all").unwrap();
    }
    let (index, opened) = sled(dir.path());
    assert!(matches!(opened, Opened::Found | Opened::Repaired { .. }), "{opened:?}");
    assert_eq!(index.scan(&[0], None, 9999).unwrap().len(), 2000);
    drop(index);

    std::fs::write(folder.join("conf"), b"this is no configuration at all").unwrap();
    let (index, opened) = sled(dir.path());
    let Opened::Rebuilt { aside } = opened else { panic!("{opened:?}") };
    assert!(aside.join("db").exists());
    assert!(index.scan(&[0], None, 1).unwrap().is_empty());
    index.commit(&[Op::put("a", "1")]).unwrap();
}

#[test]
fn a_newer_index_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    sled(dir.path()).0.commit(&[Op::put("meta/schema", "2")]).unwrap();
    let problem = SledIndex::open(&dir.path().join("index")).err().unwrap();
    assert!(problem.message.contains("newer version"), "{problem}");
}
