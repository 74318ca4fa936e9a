use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use parhelion::model::Class;
use parhelion::store::lock::{Lock, holder};
use parhelion::store::{KeySource, Places, Store};

#[test]
fn the_second_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let lock = Lock::take(&data, "run also").unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().mode() & 0o777, 0o700);
    let problem = Lock::take(&data, "run westcoast").unwrap_err();
    assert_eq!((problem.class, problem.exit_code()), (Class::Busy, 6));
    assert!(problem.message.contains(&std::process::id().to_string()), "{problem}");
    assert!(problem.message.contains("run also"), "{problem}");
    assert_eq!(holder(&data).unwrap().command, "run also");
    drop(lock);
    assert_eq!(holder(&data), None);
    Lock::take(&data, "run westcoast").unwrap();
}

#[test]
fn links_and_folders_open_to_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), data.join("LOCK")).unwrap();
    assert!(Lock::take(&data, "x").is_err());
    assert!(!dir.path().join("elsewhere").exists());

    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&data, &link).unwrap();
    assert!(Lock::take(&link, "x").is_err());

    let open = dir.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::write(open.join("theirs"), "").unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Lock::take(&open, "x").unwrap_err().message.contains("others may write"));
    assert_eq!(std::fs::metadata(&open).unwrap().mode() & 0o777, 0o777, "not ours to change");

    let fresh = dir.path().join("fresh");
    std::fs::create_dir(&fresh).unwrap();
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o775)).unwrap();
    Lock::take(&fresh, "x").unwrap();
    assert_eq!(std::fs::metadata(&fresh).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn profile_names_are_plain() {
    let dir = tempfile::tempdir().unwrap();
    for bad in ["", "..", "../x", "a/b", ".hidden", "a b", "ü", &"x".repeat(65)] {
        assert!(Places::within(dir.path(), bad).is_err(), "{bad}");
    }
    let places = Places::within(dir.path(), "msp-1.test").unwrap();
    assert!(places.key_file.ends_with("config/msp-1.test.key"));
    assert!(Places::find(Some("a/b"), None).is_err());
}

#[tokio::test]
async fn a_whole_store_opens_keeps_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::within(dir.path(), "default").unwrap();
    let open = || Store::open(places.clone(), KeySource::File(places.key_file.clone()), "test");
    let (store, _) = open().unwrap();
    assert_eq!(open().err().unwrap().class, Class::Busy);
    store.trail.commit(vec![parhelion::store::Entry::new("config", &1).unwrap()]).await.unwrap();
    store.index.commit(&[parhelion::store::Op::put("a", "1")]).unwrap();
    store.vault.set("also.password", &parhelion::model::Secret::new("hunter2")).unwrap();
    drop(store);
    let (store, opened) = open().unwrap();
    assert_eq!(opened.index, parhelion::store::index::Opened::Found);
    assert_eq!(store.trail.read(1).unwrap().count(), 1);
    assert!(store.index.get(b"a").unwrap().is_some());
    assert_eq!(store.vault.get("also.password").unwrap().unwrap().expose(), "hunter2");
    // The copy of the data alone opens nothing.
    std::fs::remove_file(&places.key_file).unwrap();
    drop(store);
    assert!(open().err().unwrap().message.contains("missing"));
}
