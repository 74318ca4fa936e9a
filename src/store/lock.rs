//! One process for each data directory (P36): a lock of the operating system, which no crash leaves behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files;
use crate::model::{Class, Moment, Problem};

/// Held as long as it lives; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    /// The lock is on the open file.
    file: File,
    path: PathBuf,
    holder: Holder,
}

/// Who holds a lock: for people only, the lock itself is the system's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub since: Moment,
    /// What it was started for, such as `run also`; without arguments that could carry anything else.
    pub command: String,
    /// Where others may talk to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
}

impl Lock {
    /// Makes the folder where there is none.
    ///
    /// # Errors
    /// `Busy`, naming the holder; a folder that is not ours alone, or lies on a network file system.
    pub fn take(dir: &Path, command: &str) -> Result<Self, Problem> {
        files::make_private_dir(dir)?;
        refuse_network(dir)?;
        let path = dir.join("LOCK");
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
                .open(&path)
                .map_err(|error| files::problem(&path, "open", &error))
        };
        let mut file = handed_over(&path).map_or_else(open, Ok)?;
        // Whoever asks who holds it ([`holder`]) does so for an instant, too.
        let mut tries = 0;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries < 5 => {
                    tries += 1;
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(busy(dir, read_holder(&mut file).as_ref())),
                Err(TryLockError::Error(error)) => return Err(files::problem(&path, "lock", &error)),
            }
        }
        let holder = Holder {
            pid: std::process::id(),
            since: Moment::now(),
            command: command.to_owned(),
            socket: None,
        };
        let lock = Self { file, path, holder };
        lock.write()?;
        Ok(lock)
    }

    /// Says where the holder can be talked to.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn announce(&mut self, socket: Option<PathBuf>) -> Result<(), Problem> {
        self.holder.socket = socket;
        self.write()
    }

    /// Another handle of the same lock: it is held until both are closed.
    ///
    /// # Errors
    /// When the system has no more handles.
    pub fn share(&self) -> Result<File, Problem> {
        self.file.try_clone().map_err(|error| files::problem(&self.path, "share", &error))
    }

    /// In place, and whole before it is cut: somebody may read it in this moment.
    fn write(&self) -> Result<(), Problem> {
        let write = || {
            let text = serde_json::to_string(&self.holder)? + "\n";
            self.file.write_all_at(text.as_bytes(), 0)?;
            self.file.set_len(text.len() as u64)
        };
        write().map_err(|error| files::problem(&self.path, "write", &error))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The lock as this process's last life left it (`host::rest`): its standard input is that very file, and what was locked
/// through it still is.
fn handed_over(path: &Path) -> Option<File> {
    let input = File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?);
    let (ours, there) = (input.metadata().ok()?, std::fs::symlink_metadata(path).ok()?);
    (ours.dev() == there.dev() && ours.ino() == there.ino()).then_some(input)
}

/// Who holds the folder now, as far as it says; `None` where nobody does.
pub fn holder(dir: &Path) -> Option<Holder> {
    let mut file = File::open(dir.join("LOCK")).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => read_holder(&mut file),
    }
}

/// What the last holder said of itself, whether or not it still holds: unlike [`holder`] this never touches the lock,
/// so it disturbs nobody who takes it in this moment.
pub fn claims(dir: &Path) -> Option<Holder> {
    read_holder(&mut File::open(dir.join("LOCK")).ok()?)
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    // A shorter text may just have been written over a longer one.
    serde_json::from_str(text.lines().next()?).ok()
}

fn busy(dir: &Path, holder: Option<&Holder>) -> Problem {
    let who = holder.map_or_else(
        || "another process".to_owned(),
        |holder| {
            let command = crate::model::text::shown(&holder.command).into_owned();
            let since = holder.since.strftime("%Y-%m-%d %H:%M:%S UTC");
            format!("process {} ('{command}', since {since})", holder.pid)
        },
    );
    let is_host = holder.is_some_and(|holder| holder.command.ends_with(" serve"));
    Problem::new(Class::Busy, format!("{} is in use by {who}.", dir.display())).remedy(if is_host {
        "That is this profile's host: `parhelion attach` shows it, `parhelion serve --stop` ends it."
    } else {
        "Wait for it to end, or use another profile."
    })
}

/// File locks and syncs cannot be trusted over a network.
fn refuse_network(dir: &Path) -> Result<(), Problem> {
    let Some(name) = network_file_system(dir)? else { return Ok(()) };
    let why =
        format!("it lies on a network file system ({name}), where a crash could lose what was acknowledged");
    Err(files::refused(dir, &why).remedy("Choose a local folder with --data-dir."))
}

/// The name of the network file system that a folder lies on; `None` for a local one.
///
/// # Errors
/// A folder that cannot be looked at.
#[cfg(target_os = "linux")]
pub fn network_file_system(dir: &Path) -> Result<Option<&'static str>, Problem> {
    let stat = rustix::fs::statfs(dir).map_err(|error| files::problem(dir, "look at", &error.into()))?;
    // linux/magic.h; the field's width differs between machines, the numbers are 32 bits.
    Ok(match stat.f_type as u32 {
        0x6969 => Some("NFS"),
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => Some("SMB"),
        0x5346_414F => Some("AFS"),
        _ => None,
    })
}

#[cfg(not(target_os = "linux"))]
pub fn network_file_system(_dir: &Path) -> Result<Option<&'static str>, Problem> {
    Ok(None)
}
