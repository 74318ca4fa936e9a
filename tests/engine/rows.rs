//! What the index keeps of a job's rows: stretches of those that are simply done, one by one the others.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parhelion::engine::book::Book;
use parhelion::engine::records::{Intent, Outcome, Record, RowEnd, Write};
use parhelion::model::{
    Entity, FieldName, Fields, Integration, JobId, Moment, Problem, SourceId, TargetId, Value,
};
use parhelion::store::trail::{Options, SimulatedDisk, Sync};
use parhelion::store::{Index, MemoryIndex, Trail};

const JOB: JobId = JobId(7);

fn open(dir: &Path, index: &Arc<MemoryIndex>) -> Book {
    let sync = Sync::Simulated(Arc::new(SimulatedDisk::new()));
    let options = Options { sync, reserve_bytes: 0, ..Options::default() };
    Book::open(Trail::open_with(dir, options).unwrap().0, index.clone()).unwrap()
}

fn source(row: u32) -> SourceId {
    SourceId::from(i64::from(row) + 100)
}

fn intent(row: u32) -> Record {
    Record::Intent(Arc::new(Intent {
        job: JOB,
        row,
        attempt: 1,
        integration: Integration::Also,
        entity: Entity::Subscriptions,
        source: source(row),
        write: Write::Set {
            entity: Entity::Subscriptions,
            id: TargetId::from(4),
            fields: Fields::new().with(FieldName::Name, Value::text("Alder")),
            before: Fields::new(),
        },
        link: None,
        at: Moment::UNIX_EPOCH,
    }))
}

fn outcome(row: u32, end: RowEnd, closes: bool) -> Record {
    Record::Outcome(Box::new(Outcome {
        job: JOB,
        row,
        integration: Integration::Also,
        entity: Entity::Subscriptions,
        source: source(row),
        closes,
        end: Some(end),
        message: if end == RowEnd::Done { String::new() } else { "why".into() },
        class: None,
        link: None,
        before: None,
        mapping: None,
        quantity: None,
        at: Moment::UNIX_EPOCH,
    }))
}

fn ends(book: &Book) -> Result<BTreeMap<u32, RowEnd>, Problem> {
    Ok(book.rows(JOB)?.into_iter().map(|(row, state)| (row, state.end)).collect())
}

fn kept(index: &MemoryIndex, prefix: &[u8]) -> usize {
    index.scan(prefix, None, usize::MAX).unwrap().len()
}

#[tokio::test]
async fn rows_that_are_done_lie_in_stretches_and_what_is_said_of_one_later_counts() {
    let dir = tempfile::tempdir().unwrap();
    let index = Arc::new(MemoryIndex::default());
    let book = open(dir.path(), &index);
    for row in [1, 2, 3, 4, 6] {
        book.record(&[intent(row)]).await.unwrap();
        book.record_soon(&[outcome(row, RowEnd::Done, true)]).unwrap();
    }
    // Without a request of its own: nothing says that nothing was said of it before.
    book.record_soon(&[outcome(5, RowEnd::Done, true)]).unwrap();
    book.flush().unwrap();
    assert_eq!((kept(&index, b"od/"), kept(&index, b"o/")), (2, 1));
    assert_eq!(ends(&book).unwrap(), (1..=6).map(|row| (row, RowEnd::Done)).collect());

    // Read back, a value had not stuck.
    book.record(&[outcome(3, RowEnd::Failed, false)]).await.unwrap();
    let mut wanted: BTreeMap<u32, RowEnd> = (1..=6).map(|row| (row, RowEnd::Done)).collect();
    wanted.insert(3, RowEnd::Failed);
    assert_eq!(ends(&book).unwrap(), wanted);

    // An index made from the trail says the same.
    drop(book);
    assert_eq!(ends(&open(dir.path(), &Arc::default())).unwrap(), wanted);
}

#[tokio::test]
async fn a_row_that_was_held_first_is_done_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let index = Arc::new(MemoryIndex::default());
    let book = open(dir.path(), &index);
    // Both within one group, and over two.
    for (row, between) in [(1, false), (2, true)] {
        book.record(&[intent(row)]).await.unwrap();
        book.record_soon(&[outcome(row, RowEnd::Held, false)]).unwrap();
        if between {
            book.flush().unwrap();
        }
        book.record_soon(&[outcome(row, RowEnd::Done, true)]).unwrap();
    }
    let wanted = BTreeMap::from([(1, RowEnd::Done), (2, RowEnd::Done)]);
    assert_eq!(ends(&book).unwrap(), wanted);
    assert!(book.open_intents().is_empty());
    book.flush().unwrap();
    assert_eq!(kept(&index, b"i/"), 0);
    drop(book);
    assert_eq!(ends(&open(dir.path(), &Arc::default())).unwrap(), wanted);
}
