//! Files that only their owner may read, and that are on the disk when we say so.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::model::{Class, Problem};

/// `Could not read /path: no such file.`
pub fn problem(path: &Path, doing: &str, error: &io::Error) -> Problem {
    Problem::new(Class::Local, format!("Could not {doing} {}: {error}.", path.display()))
}

/// Makes the folder and those above it, open to their owner alone. One that is there already must be ours, and if it
/// holds anything, no folder that others may write to.
pub fn make_private_dir(dir: &Path) -> Result<(), Problem> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| problem(dir, "make", &error))?;
    let data = std::fs::symlink_metadata(dir).map_err(|error| problem(dir, "look at", &error))?;
    if data.file_type().is_symlink() {
        return Err(refused(dir, "it is a symbolic link").remedy("Name the folder itself."));
    }
    if data.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(dir, "it belongs to another user"));
    }
    let is_empty = || std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    // A fresh folder made under a generous umask is evidently meant for us; a shared one (sticky) is not.
    if data.mode() & 0o022 != 0 && data.mode() & 0o1000 == 0 && is_empty() {
        let private = std::fs::Permissions::from_mode(0o700);
        return std::fs::set_permissions(dir, private)
            .map_err(|error| problem(dir, "close to others", &error));
    }
    if data.mode() & 0o022 != 0 {
        return Err(
            refused(dir, "others may write to it").remedy(format!("Use: chmod 700 {}", dir.display()))
        );
    }
    Ok(())
}

pub fn refused(path: &Path, why: &str) -> Problem {
    Problem::new(Class::Local, format!("{} is not used: {why}.", path.display()))
}

pub fn sync_dir(dir: &Path) -> Result<(), Problem> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| problem(dir, "sync", &error))
}

/// Puts a whole new content in a file's place: at every moment either the old one or the new one is there.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Problem> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    let write = || {
        match std::fs::remove_file(fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = create_private(fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(fresh, path)
    };
    write().map_err(|error| problem(path, "write", &error))?;
    sync_dir(dir)
}

/// A new file that only its owner may read; an error where one is there already.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
