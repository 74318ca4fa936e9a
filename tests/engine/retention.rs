//! Old lines of the trail go; what follows from them stays (invariant 44).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use parhelion::engine::book::Book;
use parhelion::engine::records::{Edit, Intent, Outcome, Record, RowEnd, Write};
use parhelion::engine::retention;
use parhelion::host::words::SettingChange;
use parhelion::model::settings::{Keep, Settings};
use parhelion::model::{
    Decision, Entity, FieldName, Fields, How, Integration, JobId, KeyValues, Link, Moment, Refusal, Slot,
    SourceId, TargetId, Value,
};
use parhelion::plan::{Last, Purpose};
use parhelion::store::trail::{Options, Shelf, SimulatedDisk, Sync};
use parhelion::store::{Index, MemoryIndex, Places, Trail, index};
use proptest::prelude::*;

use super::rig::{Ground, by_hand, new_customers, run};

fn open(dir: &Path, index: &Arc<MemoryIndex>) -> Book {
    let options = Options {
        sync: Sync::Simulated(Arc::new(SimulatedDisk::new())),
        segment_bytes: 3000,
        reserve_bytes: 0,
        ..Options::default()
    };
    Book::open(Trail::open_with(dir, options).unwrap().0, index.clone()).unwrap()
}

/// Everything that the trail alone says, in a new index.
fn rebuilt(dir: &Path) -> Vec<String> {
    let index = Arc::new(MemoryIndex::default());
    drop(open(dir, &index));
    let mut text = Vec::new();
    index::export(index.as_ref(), &mut text).unwrap();
    let own = ["\"m/seq\"", "\"m/clean\"", "\"m/checkpoint\""];
    let lines = String::from_utf8(text).unwrap();
    lines.lines().filter(|line| !own.iter().any(|key| line.contains(key))).map(str::to_owned).collect()
}

fn no_index() -> Box<dyn Index> {
    Box::new(MemoryIndex::default())
}

fn link(n: u64, long: bool) -> Link {
    let name = if long { "Łódź ".repeat(2000) } else { format!("Customer {n}") };
    Link {
        target: TargetId::from(n as i64),
        parent: None,
        source_name: name.as_str().into(),
        target_name: "Alder".into(),
        how: How::Created,
        since: Moment::UNIX_EPOCH,
        base: Some(Fields::new().with(FieldName::Name, Value::text("Alder"))),
        removed: None,
        site: None,
    }
}

fn refusal() -> Refusal {
    Refusal {
        source: KeyValues { name: "Alder".into(), ..KeyValues::default() },
        target: KeyValues { name: "Birch".into(), ..KeyValues::default() },
        at: Moment::UNIX_EPOCH,
        by: "test".into(),
    }
}

/// One of each kind of fact, about few records, so that later ones undo earlier ones.
fn fact(kind: u8, n: u64) -> Record {
    let (integration, id) = (Integration::Also, SourceId::from((n % 7) as i64));
    let job = JobId(n % 9 + 1);
    match kind {
        0 => Record::Step {
            integration,
            step: n % 5 + 1,
            title: format!("step {n}"),
            edits: vec![Edit {
                id,
                before: Slot::default(),
                after: match n % 3 {
                    0 => Slot { link: Some(link(n, n.is_multiple_of(4))), ..Slot::default() },
                    1 => Slot { decision: Some(Decision::New), ..Slot::default() },
                    _ => Slot { refused: [(TargetId::from(n as i64), refusal())].into(), ..Slot::default() },
                },
            }],
            by: "test".into(),
            at: (n.is_multiple_of(2)).then_some(Moment::UNIX_EPOCH),
        },
        1 => Record::Intent(Arc::new(Intent {
            job,
            row: 1,
            attempt: 1,
            integration,
            entity: Entity::Customers,
            source: id,
            write: Write::Set {
                entity: Entity::Customers,
                id: TargetId::from(4),
                fields: Fields::new().with(FieldName::Name, Value::text(format!("name {n}"))),
                before: Fields::new(),
            },
            link: None,
            at: Moment::UNIX_EPOCH,
        })),
        2 => Record::Outcome(Box::new(Outcome {
            job,
            row: (n % 4) as u32,
            integration,
            entity: if n.is_multiple_of(2) { Entity::Customers } else { Entity::Subscriptions },
            source: id,
            closes: true,
            end: Some(if n.is_multiple_of(5) { RowEnd::Held } else { RowEnd::Done }),
            message: format!("outcome {n}"),
            class: None,
            link: (n.is_multiple_of(3)).then(|| link(n, false)),
            before: None,
            mapping: None,
            quantity: None,
            at: Moment::UNIX_EPOCH,
        })),
        3 => Record::Seen {
            integration,
            last: Last::default(),
            approved: BTreeSet::from([Entity::Customers]),
            missing: vec![(Entity::Customers, id, (n % 3) as u32)],
        },
        4 => {
            let mut settings = Settings::default();
            settings.also.username = format!("user {n}");
            Record::Config { settings: Box::new(settings), changes: Vec::new(), by: "test".into() }
        }
        _ => {
            let report = serde_json::json!({
                "job": job, "plan": format!("P{}", n % 20 + 1), "integration": "also", "entities": [],
                "scheduled": false, "state": "ok", "totals": {"create": 0, "update": 0, "link": 0, "zero": 0,
                "deactivate": 0, "unchanged": 0, "skipped": 0, "held": 0, "failed": 0, "not_done": 0},
                "requests": {}, "started": "2026-01-01T00:00:00Z", "finished": null, "by": "test",
                "stages": [], "problems": [], "trouble": null,
            });
            let data = serde_json::json!({"report": report, "choices": {"leave_out": [], "only_customer": null,
                "removals_typed": null}, "policy": false});
            serde_json::from_value(serde_json::json!({"kind": "job", "data": data})).unwrap()
        }
    }
}

/// Writes to both trails; answers the moment after.
async fn write(books: [&Book; 2], facts: &[(u8, u64)]) -> Moment {
    for (kind, n) in facts {
        for book in books {
            book.record(&[fact(*kind, *n)]).await.unwrap();
        }
    }
    // Moments in the trail are real ones: the next group is later than this.
    let now = Moment::now();
    while Moment::now() <= now {}
    now
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn an_index_made_from_what_is_left_is_the_same(
        parts in prop::collection::vec(prop::collection::vec((0..6_u8, 0..1000_u64), 1..60), 2..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let live = Arc::new(MemoryIndex::default());
            let (mut gone, mut before) = (0, Moment::UNIX_EPOCH);
            for part in &parts {
                let (all, some) = (open(whole.path(), &Arc::default()), open(cut.path(), &live));
                if retention::trail(&some, before, || Ok(no_index())).await.unwrap().is_some() {
                    gone += 1;
                }
                before = write([&all, &some], part).await;
            }
            prop_assert_eq!(rebuilt(whole.path()), rebuilt(cut.path()));
            let shelf = Shelf::open(cut.path()).unwrap();
            shelf.verify().unwrap();
            prop_assert_eq!(shelf.first_seq() > 1, gone > 0);
            Ok(())
        })?;
    }
}

/// A trail of which old files were let go.
async fn shortened(dir: &Path) -> Arc<MemoryIndex> {
    let index = Arc::new(MemoryIndex::default());
    let book = open(dir, &index);
    for n in 0..60 {
        book.record(&[fact((n % 6) as u8, n)]).await.unwrap();
    }
    let gone = retention::trail(&book, Moment::now(), || Ok(no_index())).await.unwrap().unwrap();
    assert!(gone.first > 1 && gone.bytes > 3000);
    book.record(&[fact(0, 99)]).await.unwrap();
    index
}

#[tokio::test]
async fn files_that_must_be_there_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    shortened(dir.path()).await;
    let whole = Shelf::open(dir.path()).unwrap();
    whole.verify().unwrap();
    let segments = whole.segments();

    // Without the file that says where it begins, the beginning is missing.
    let start = dir.path().join("start.json");
    let says = std::fs::read(&start).unwrap();
    std::fs::remove_file(&start).unwrap();
    assert!(Trail::open(dir.path()).is_err());
    // Nor can anybody let more go by editing that file: the checkpoint says otherwise.
    let text = String::from_utf8(says.clone()).unwrap();
    let hash = text.split("\"prev\":\"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(&start, text.replace(hash, &"0".repeat(64))).unwrap();
    assert!(Shelf::open(dir.path()).and_then(|shelf| shelf.verify().map_err(Into::into)).is_err());
    std::fs::write(&start, &says).unwrap();
    Shelf::open(dir.path()).unwrap().verify().unwrap();
    std::fs::remove_file(&segments[0].0).unwrap();
    assert!(Trail::open(dir.path()).is_err());
}

/// The process ends between the files: the next start goes on where it was.
#[tokio::test]
async fn files_that_were_let_go_and_are_still_there_go_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let index = Arc::new(MemoryIndex::default());
    let book = open(dir.path(), &index);
    for n in 0..60 {
        book.record(&[fact((n % 6) as u8, n)]).await.unwrap();
    }
    let old = Shelf::open(dir.path()).unwrap().segments();
    let copies: Vec<_> = old.iter().map(|(path, _)| (path.clone(), std::fs::read(path).unwrap())).collect();
    retention::trail(&book, Moment::now(), || Ok(no_index())).await.unwrap().unwrap();
    drop(book);
    let left = rebuilt(dir.path());
    let gone: Vec<_> = copies.iter().filter(|(path, _)| !path.exists()).collect();
    assert!(gone.len() > 1);
    let (path, bytes) = gone[gone.len() - 1];
    std::fs::write(path, bytes).unwrap();
    Shelf::open(dir.path()).unwrap().verify().unwrap();
    assert_eq!(rebuilt(dir.path()), left);
    assert!(!path.exists(), "opening the trail removes it");
}

#[tokio::test]
async fn nothing_goes_where_the_checkpoint_is_not_worth_it_or_nothing_is_old() {
    let dir = tempfile::tempdir().unwrap();
    let index = shortened(dir.path()).await;
    let book = open(dir.path(), &index);
    assert_eq!(retention::trail(&book, Moment::UNIX_EPOCH, || Ok(no_index())).await.unwrap(), None);
    assert_eq!(
        retention::trail(&book, Moment::now(), || Ok(no_index())).await.unwrap(),
        None,
        "too little to gain"
    );
}

#[tokio::test]
async fn logs_go_by_age_and_then_by_size_oldest_first() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::within(folder.path(), "test").unwrap();
    let index = Arc::new(MemoryIndex::default());
    let book = open(&places.audit(), &index);
    std::fs::create_dir_all(places.logs()).unwrap();
    let day = 24 * 3600;
    let now = Moment::from_second(1000 * day).unwrap();
    for (name, age, kib) in [("J1", 200, 1), ("J2", 50, 700), ("J3", 20, 700), ("J4", 1, 200)] {
        let file = std::fs::File::create(places.logs().join(format!("{name}.jsonl"))).unwrap();
        file.set_len(kib << 10).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs((1000 - age) * day as u64);
        file.set_modified(at).unwrap();
    }
    let keep = Keep { trail_days: 0, log_days: 90, log_mib: 1 };
    retention::tidy(&book, &places, &keep, now).await;
    let mut left: Vec<_> =
        std::fs::read_dir(places.logs()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["J3.jsonl", "J4.jsonl"]);
}

/// A host lives for months: it tidies up without a new start, and nobody who writes meanwhile is lost.
#[tokio::test(start_paused = true)]
async fn a_living_engine_lets_old_lines_go_and_then_says_that_a_job_cannot_be_taken_back() {
    let mut ground = Ground::new(new_customers(3, 2));
    ground.segment_bytes = 3000;
    let engine = ground.start().await;
    let old = run(&engine, by_hand()).await;
    let keep = |days: &str| SettingChange { key: "profile.keep.trail_days".into(), value: Some(days.into()) };
    engine.set(&[keep("1")]).await.expect("a setting");
    for days in ["2", "1"].repeat(20) {
        engine.set(&[keep(days)]).await.expect("a setting");
    }
    let before = Shelf::open(&ground.places().audit()).expect("a trail");
    assert_eq!(before.first_seq(), 1);
    let (engine_, change) = (engine.clone(), keep("1"));
    let beside = tokio::spawn(async move {
        for _ in 0..20 {
            engine_.set(std::slice::from_ref(&change)).await.expect("a setting");
        }
    });
    // The trail's lines carry the machine's own time; a simulated clock is set beyond all of them.
    engine.world.step(100 * 366 * 24 * 3600);
    assert!(engine.tidy().await);
    beside.await.expect("done");
    let after = Shelf::open(&ground.places().audit()).expect("a trail");
    assert!(after.first_seq() > 1, "old lines are gone");
    after.verify().expect("a whole chain");

    let report = engine.spec_of(Purpose::Undo { of: old.job }).expect_err("too old");
    assert!(report.message.contains("no longer all in the audit trail"), "{report}");
    let again = run(&engine, by_hand()).await;
    assert_eq!(again.totals.rows.create, 0, "the links are still known: {:?}", again.totals);
    ground.kill(engine).await;
    let engine = ground.open();
    assert_eq!(run(&engine, by_hand()).await.totals.rows.create, 0);
}
