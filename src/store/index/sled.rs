//! The index on sled 0.34.7, by the rules that measurements led to (`dependencies.md` 3 and 4).

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::DirBuilderExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Changes, Index, Op, Pair, SCHEMA, check_length, check_lengths, conflict};
use crate::model::{Class, Moment, Problem};
use crate::store::files;

const VERSION: &[u8] = b"1";

pub struct SledIndex {
    db: ::sled::Db,
    /// Our own handle of the data file: sled's flush does not make data durable on Linux, so we sync it ourselves.
    data: File,
    path: PathBuf,
    /// Held while a batch is checked and written, so that an `Expect` still holds when its batch goes in.
    gate: Mutex<()>,
    written: AtomicU64,
    /// How many batches are durable; held while flushing, so that those who wait together share one flush.
    durable: Mutex<u64>,
}

/// How the index was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Empty: never used before, or everything in it was lost. The trail fills it.
    New,
    Found,
    /// Its snapshot was damaged and made again from its log; nothing was lost. A copy of what was found lies there.
    Repaired {
        aside: PathBuf,
    },
    /// It could not be opened and was moved there; this one is empty and must be filled from the trail.
    Rebuilt {
        aside: PathBuf,
    },
}

impl SledIndex {
    /// The caller holds the data directory's lock.
    ///
    /// # Errors
    /// Where the folder cannot be used, or belongs to a newer version. A damaged index is no error: see [`Opened`].
    pub fn open(path: &Path) -> Result<(Self, Opened), Problem> {
        files::make_private_dir(path)?;
        let is_new = !path.join("db").exists();
        remove_unfinished_snapshots(path)?;
        let (db, mut opened) = match try_open(path) {
            Ok(db) => (db, if is_new { Opened::New } else { Opened::Found }),
            Err(Fault::Refused(error)) => return Err(files::problem(path, "open the index", &error)),
            Err(Fault::Damaged) => repair(path)?,
        };
        let data =
            File::open(path.join("db")).map_err(|error| files::problem(path, "open the index", &error))?;
        let index = Self {
            db,
            data,
            path: path.to_owned(),
            gate: Mutex::default(),
            written: AtomicU64::new(0),
            durable: Mutex::default(),
        };
        match index.get(SCHEMA)? {
            Some(version) if version == VERSION => {}
            None => {
                index.commit(&[Op::put(SCHEMA, VERSION)])?;
                if opened == Opened::Found {
                    opened = Opened::New;
                }
            }
            Some(_) => {
                let message =
                    format!("The index {} was written by a newer version of this program.", path.display());
                return Err(Problem::new(Class::Local, message).remedy("Use that version."));
            }
        }
        if opened != Opened::Found {
            // A half-written `conf` makes a database that never opens again.
            for name in ["conf", "db"] {
                let file = path.join(name);
                let synced = File::open(&file).and_then(|file| file.sync_all());
                synced.map_err(|error| files::problem(&file, "sync", &error))?;
            }
            files::sync_dir(path)?;
            files::sync_dir(path.parent().unwrap_or(Path::new(".")))?;
        }
        Ok((index, opened))
    }

    fn apply(&self, ops: &[Op]) -> Result<u64, Problem> {
        check_lengths(ops)?;
        let mut batch = ::sled::Batch::default();
        for op in ops {
            match op {
                Op::Put(key, value) => batch.insert(key.as_slice(), value.as_slice()),
                Op::Del(key) => batch.remove(key.as_slice()),
                Op::Expect(..) => {}
            }
        }
        let _held = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        for op in ops {
            if let Op::Expect(key, wanted) = op
                && self.get(key)? != *wanted
            {
                return Err(conflict(key));
            }
        }
        self.db.apply_batch(batch).map_err(|error| self.problem("write", &error))?;
        let number = self.written.fetch_add(1, Ordering::SeqCst) + 1;
        self.let_go(ops.len())?;
        Ok(number)
    }

    /// sled keeps a leaf as it was before each change until its threads have come by often enough, which a batch does but
    /// once: a look for each change lets those leaves go, or a large batch would leave fifty MiB of them.
    fn let_go(&self, changes: usize) -> Result<(), Problem> {
        for _ in 0..changes {
            self.db.contains_key(SCHEMA).map_err(|error| self.problem("read", &error))?;
        }
        Ok(())
    }

    /// Makes everything up to that batch durable. Whoever comes while another flushes waits, and mostly finds its
    /// own batch done with the next one's.
    fn make_durable(&self, batch: u64) -> Result<(), Problem> {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if *durable >= batch {
            return Ok(());
        }
        let written = self.written.load(Ordering::SeqCst);
        self.db.flush().map_err(|error| self.problem("flush", &error))?;
        self.data.sync_all().map_err(|error| files::problem(&self.path, "sync the index", &error))?;
        *durable = written;
        Ok(())
    }

    fn problem(&self, doing: &str, error: &::sled::Error) -> Problem {
        Problem::new(Class::Local, format!("Could not {doing} the index {}: {error}.", self.path.display()))
            .remedy("If this stays so, move the folder index/ aside: it is made again from the audit trail.")
    }
}

impl Index for SledIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        let value = self.db.get(key).map_err(|error| self.problem("read", &error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, Problem> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut page = Vec::new();
        for pair in self.db.range::<&[u8], _>((start, Bound::Unbounded)).take(limit) {
            let (key, value) = pair.map_err(|error| self.problem("read", &error))?;
            if !key.starts_with(prefix) {
                break;
            }
            // sled lets leaves go once 64 looks have come together in one of the 256 parts of its cache. A scan looks at
            // each leaf once, so it would keep thousands of them: a second look at each pair brings that on.
            self.db.contains_key(&key).map_err(|error| self.problem("read", &error))?;
            page.push((key.to_vec(), value.to_vec()));
        }
        Ok(page)
    }

    fn commit(&self, ops: &[Op]) -> Result<(), Problem> {
        let batch = self.apply(ops)?;
        self.make_durable(batch)
    }

    fn write(&self, ops: &[Op]) -> Result<(), Problem> {
        self.apply(ops).map(drop)
    }

    fn write_changes(&self, changes: &Changes) -> Result<(), Problem> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    check_length(key, value)?;
                    batch.insert(key.as_slice(), value.as_slice());
                }
                None => batch.remove(key.as_slice()),
            }
        }
        let _held = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.db.apply_batch(batch).map_err(|error| self.problem("write", &error))?;
        self.written.fetch_add(1, Ordering::SeqCst);
        self.let_go(changes.len())
    }

    fn flush(&self) -> Result<(), Problem> {
        self.make_durable(self.written.load(Ordering::SeqCst))
    }

    fn size_on_disk(&self) -> Result<u64, Problem> {
        self.db.size_on_disk().map_err(|error| self.problem("measure", &error))
    }
}

enum Fault {
    /// The folder or the disk, not the content.
    Refused(io::Error),
    Damaged,
}

fn try_open(path: &Path) -> Result<::sled::Db, Fault> {
    let until = Instant::now() + Duration::from_secs(1);
    loop {
        // sled's recovery panics on some damage.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            ::sled::Config::new()
                .path(path)
                // Of this it keeps several times as much: with 8 MiB a large import took 200 MiB more, and no less time.
                .cache_capacity(2 << 20)
                .mode(::sled::Mode::LowSpace)
                // Also sled's only garbage collector (decision 18).
                .flush_every_ms(Some(500))
                .open()
        }));
        match outcome {
            Ok(Ok(db)) => return Ok(db),
            // We hold the directory's lock, so this is a handle of our own that is still closing.
            Ok(Err(::sled::Error::Io(error))) if error.to_string().contains("lock") => {
                if Instant::now() > until {
                    return Err(Fault::Refused(error));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(Err(::sled::Error::Io(error)))
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::StorageFull
                        | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                return Err(Fault::Refused(error));
            }
            Ok(Err(_)) | Err(_) => return Err(Fault::Damaged),
        }
    }
}

/// Moves what is there aside, where it stays, and opens a copy of it without snapshots (sled then reads its whole
/// log); failing that, begins anew.
fn repair(path: &Path) -> Result<(::sled::Db, Opened), Problem> {
    let name = format!("index.damaged-{}", Moment::now().strftime("%Y%m%dT%H%M%S%.3fZ"));
    let (aside, copy) = (path.with_file_name(name), path.with_file_name("index.repairing"));
    std::fs::rename(path, &aside).map_err(|error| files::problem(path, "move", &error))?;
    // Under its own name only once it is whole: half a copy could open, too.
    let copied = remove_all(&copy)
        .and_then(|()| copy_folder(&aside, &copy))
        .and_then(|()| std::fs::rename(&copy, path));
    if copied.is_ok()
        && let Ok(db) = try_open(path)
    {
        return Ok((db, Opened::Repaired { aside }));
    }
    for copy in [path, &copy] {
        remove_all(copy).map_err(|error| files::problem(copy, "remove", &error))?;
    }
    files::make_private_dir(path)?;
    match try_open(path) {
        Ok(db) => Ok((db, Opened::Rebuilt { aside })),
        Err(Fault::Refused(error)) => Err(files::problem(path, "open the index", &error)),
        Err(Fault::Damaged) => {
            Err(Problem::new(Class::Local, format!("The index {} cannot be made.", path.display())))
        }
    }
}

fn remove_all(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// All but snapshots.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if !entry.file_name().to_string_lossy().starts_with("snap.") {
            std::fs::copy(entry.path(), &target)?;
            File::open(&target)?.sync_all()?;
        }
    }
    File::open(to)?.sync_all()
}

/// A process that ended while it wrote a snapshot leaves it half done, and sled would read it as if it were whole.
fn remove_unfinished_snapshots(path: &Path) -> Result<(), Problem> {
    let entries = std::fs::read_dir(path).map_err(|error| files::problem(path, "read", &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            let file = entry.path();
            std::fs::remove_file(&file).map_err(|error| files::problem(&file, "remove", &error))?;
        }
    }
    Ok(())
}
