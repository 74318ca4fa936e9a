//! How long things are kept: the trail by days, logs by days and size (sync-engine sections 5.1 and 16).
//!
//! Before old lines of the trail go, everything that still follows from them is written again at its end, as pieces of
//! an index made from the trail alone, closed by a checkpoint. So links, decisions, settings and counters outlive the
//! files that first held them (invariant 44), and an index that is made from what is left is the same as before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;

use super::Engine;
use super::book::Book;
use super::keys;
use super::records::Record;
use crate::model::settings::Keep;
use crate::model::{Moment, Problem};
use crate::store::{Index, Places, Seq, SledIndex, index};

/// Pairs in one line of a checkpoint.
const PIECE: usize = 200;

/// What was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetGo {
    /// Where the trail begins now.
    pub first: Seq,
    pub bytes: u64,
}

/// How often a living engine tidies up, and when it looks again where a job was in the way.
const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

/// Tidies up once a day as long as the engine lives.
pub fn keep(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    engine.spawn(async move {
        let mut pause = DAY;
        loop {
            tokio::time::sleep(pause).await;
            let Some(engine) = weak.upgrade() else { return };
            pause = if engine.tidy().await { DAY } else { HOUR };
        }
    });
}

impl Engine {
    /// Tidies up while nobody else writes; `false` where a job runs, which is not kept waiting.
    pub async fn tidy(self: &Arc<Self>) -> bool {
        let alone = self.book.alone().await;
        if self.live().running.is_some() {
            return false;
        }
        let engine = self.clone();
        let work = move || {
            let (now, keep) = (engine.world.now(), engine.settings().profile.keep.clone());
            Handle::current().block_on(tidy(&engine.book, &engine.places, &keep, now));
        };
        // Checking a whole trail takes its time: not on the thread that answers viewers.
        let done = tokio::task::spawn_blocking(work).await.is_ok();
        drop(alone);
        done
    }
}

/// Tidies a profile up at its start, before anything else goes on. A step that fails is left for the next start: what
/// is kept too long does no harm.
pub async fn tidy(book: &Book, places: &Places, keep: &Keep, now: Moment) {
    logs(&places.logs(), keep, now);
    if keep.trail_days == 0 {
        return;
    }
    let scratch = places.data.join("index.checkpoint");
    let _ = std::fs::remove_dir_all(&scratch);
    let old = now - jiff::SignedDuration::from_hours(24 * i64::from(keep.trail_days));
    let fresh = || Ok(Box::new(SledIndex::open(&scratch)?.0) as Box<dyn Index>);
    match trail(book, old, fresh).await {
        Ok(None) => {}
        Ok(Some(gone)) => {
            tracing::info!(first = gone.first, bytes = gone.bytes, "old lines of the trail were let go");
        }
        Err(problem) => tracing::warn!("old lines of the trail stay for now: {problem}"),
    }
    let _ = std::fs::remove_dir_all(&scratch);
}

/// Lets go of whole segments from before that moment, once a checkpoint holds what follows from them. `fresh` makes
/// the empty index that the checkpoint is made from. The caller lets nobody else write meanwhile.
///
/// # Errors
/// A trail that does not verify: then nothing is let go. A failing disk.
pub async fn trail(
    book: &Book,
    before: Moment,
    fresh: impl FnOnce() -> Result<Box<dyn Index>, Problem>,
) -> Result<Option<LetGo>, Problem> {
    let Some(old) = book.trail().older_than(before)? else { return Ok(None) };
    // A checkpoint costs what all links together take: not for the sake of less.
    if old.bytes < 2 * book.get::<u64>(&keys::checkpoint())?.unwrap_or(0) {
        return Ok(None);
    }
    book.trail().verify()?;
    book.flush()?;
    let index = fresh()?;
    book.told(index.as_ref())?;
    let (pairs, bytes, numbers) = write_pieces(book, index.as_ref()).await?;
    let closing = Record::Checkpoint { first: old.first, prev: old.prev(), pairs, bytes, numbers };
    let checkpoint = book.write(&[closing]).await?;
    book.catch_up()?;
    book.trail().let_go(&old, checkpoint)?;
    Ok(Some(LetGo { first: old.first, bytes: old.bytes }))
}

type Written = (u64, u64, BTreeMap<String, u64>);

async fn write_pieces(book: &Book, index: &dyn Index) -> Result<Written, Problem> {
    let (mut pairs, mut bytes, mut numbers) = (0, 0, BTreeMap::new());
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = index.scan(b"", after.as_deref(), PIECE)?;
        let Some((last, _)) = page.last() else { return Ok((pairs, bytes, numbers)) };
        after = Some(last.clone());
        for (key, value) in &page {
            if let Some(of) = key.strip_prefix(keys::NUMBERS)
                && let Ok(number) = serde_json::from_slice(value)
            {
                numbers.insert(String::from_utf8_lossy(of).into_owned(), number);
            }
        }
        let kept = page.iter().filter(|(key, _)| !keys::is_own(key));
        let piece: Vec<_> = kept.map(|(key, value)| (index::encode(key), index::encode(value))).collect();
        pairs += piece.len() as u64;
        bytes += page.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
        book.write(&[Record::Kept { pairs: piece }]).await?;
    }
}

/// Removes logs of jobs that are too old, and then the oldest until the rest fits.
fn logs(dir: &Path, keep: &Keep, now: Moment) {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((data.modified().ok()?, data.len(), entry.path()))
        })
        .collect();
    files.sort();
    let oldest = SystemTime::from(now)
        .checked_sub(Duration::from_secs(24 * 3600 * u64::from(keep.log_days)))
        .filter(|_| keep.log_days > 0);
    let most = u64::from(keep.log_mib) << 20;
    let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (at, len, path) in files {
        let is_old = oldest.is_some_and(|oldest| at < oldest);
        if (is_old || total > most) && std::fs::remove_file(&path).is_ok() {
            total -= len;
        }
    }
}
