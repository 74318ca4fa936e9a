//! The disk under the trail, real or simulated.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Problem;

/// How written data gets onto the disk.
#[derive(Debug, Clone, Default)]
pub enum Sync {
    #[default]
    Disk,
    /// A disk that can lose its power (sync-engine section 19).
    Simulated(Arc<SimulatedDisk>),
}

/// Remembers what was synced, so that a crash can take the rest. The files themselves are real.
#[derive(Debug)]
pub struct SimulatedDisk {
    synced: Mutex<BTreeMap<PathBuf, u64>>,
    /// A disk that says "synced" and is not: with it, tests of durability must fail.
    lies: bool,
    off: AtomicBool,
    syncs: AtomicU64,
    /// The sync that fails; 0 for none.
    fails_at: AtomicU64,
    gate: Mutex<()>,
    full: AtomicBool,
}

/// While it lives, syncs wait: between written and durable.
pub struct Paused<'a> {
    _gate: MutexGuard<'a, ()>,
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedDisk {
    pub fn new() -> Self {
        Self {
            synced: Mutex::default(),
            lies: false,
            off: AtomicBool::new(false),
            syncs: AtomicU64::new(0),
            fails_at: AtomicU64::new(0),
            gate: Mutex::default(),
            full: AtomicBool::new(false),
        }
    }

    /// A disk on which nothing is ever durable.
    pub fn lying() -> Self {
        Self { lies: true, ..Self::new() }
    }

    /// From now on nothing is written or synced; the trail fails at its next commit.
    pub fn cut_power(&self) {
        self.off.store(true, Ordering::SeqCst);
    }

    /// The `n`-th sync from now on fails, counted from 1.
    pub fn fail_sync(&self, n: u64) {
        self.fails_at.store(self.syncs.load(Ordering::SeqCst) + n, Ordering::SeqCst);
    }

    /// Whether there is no space left from now on.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Lets every sync wait until the answer is dropped.
    pub fn pause(&self) -> Paused<'_> {
        Paused { _gate: self.gate.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// How many syncs were asked for.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::SeqCst)
    }

    /// How much of a file is durable; `None` where not even its name is.
    pub fn synced(&self, path: &Path) -> Option<u64> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied()
    }

    /// What a power cut leaves: of each file of the folder, `keep(path, synced, written)` bytes, never fewer than
    /// were synced. A file whose name was not durable is gone. The power is back afterwards.
    ///
    /// # Errors
    /// Those of the real files.
    pub fn crash(&self, dir: &Path, mut keep: impl FnMut(&Path, u64, u64) -> u64) -> io::Result<()> {
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            let bytes = std::fs::read(&path)?;
            let written = super::scan::written(&bytes);
            match self.synced(&path) {
                None => std::fs::remove_file(&path)?,
                Some(synced) => {
                    let left = keep(&path, synced, written).clamp(synced.min(written), written);
                    let file = File::options().write(true).open(&path)?;
                    file.set_len(left)?;
                    // Padding that was durable is there again where a sector was not written.
                    let padding = bytes.len() as u64 - written;
                    if padding > 0 && (left == synced || left % super::scan::SECTOR == 0) {
                        file.write_all_at(&vec![b'\n'; (bytes.len() as u64 - left) as usize], left)?;
                    }
                }
            }
        }
        self.off.store(false, Ordering::SeqCst);
        Ok(())
    }

    fn note(&self, path: &Path, len: u64) {
        if !self.lies {
            self.synced.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), len);
        }
    }

    fn sync(&self) -> io::Result<()> {
        drop(self.pause());
        let count = self.syncs.fetch_add(1, Ordering::SeqCst) + 1;
        if count == self.fails_at.load(Ordering::SeqCst) {
            return Err(io::Error::other("simulated failure of the disk"));
        }
        self.power()
    }

    fn power(&self) -> io::Result<()> {
        if self.off.load(Ordering::SeqCst) {
            Err(io::Error::other("simulated loss of power"))
        } else {
            Ok(())
        }
    }
}

impl Sync {
    /// Bytes that may still be written in that folder.
    pub(super) fn free(&self, dir: &Path) -> Result<u64, Problem> {
        match self {
            Self::Simulated(disk) if disk.full.load(Ordering::SeqCst) => Ok(0),
            _ => super::free_space(dir),
        }
    }

    /// Whether writing is possible at all.
    pub(super) fn power(&self) -> io::Result<()> {
        match self {
            Self::Disk => Ok(()),
            Self::Simulated(disk) => disk.power(),
        }
    }

    /// Makes durable what was written, `len` bytes so far without the padding.
    pub(super) fn data(&self, file: &File, path: &Path, len: u64) -> io::Result<()> {
        match self {
            Self::Disk => file.sync_data(),
            Self::Simulated(disk) => {
                disk.sync()?;
                disk.note(path, len);
                Ok(())
            }
        }
    }

    /// Makes the name of a new file durable.
    pub(super) fn dir(&self, dir: &Path, path: &Path) -> io::Result<()> {
        match self {
            Self::Disk => File::open(dir)?.sync_all(),
            Self::Simulated(disk) => {
                disk.power()?;
                disk.note(path, 0);
                Ok(())
            }
        }
    }

    /// What is on the disk when the trail is opened was there before any crash to come.
    pub(super) fn found(&self, path: &Path, len: u64) {
        if let Self::Simulated(disk) = self {
            disk.note(path, len);
        }
    }
}
