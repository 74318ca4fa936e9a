//! A whole profile in one file, and back (`backup`, `restore`).
//!
//! A gzipped tar: a manifest with the hash of every file, the audit trail up to its last commit, and the sealed
//! secrets as they lie there. Not in it: the key, without which the secrets stay sealed; the index, which follows from
//! the trail (so stored plans are lost); logs, which the trail is more than.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::trail::{Shelf, free_space};
use super::{Lock, Places, Seq, files, hex, seal};
use crate::model::{Class, Moment, Problem};

/// The folder that everything in the file lies in.
const ROOT: &str = "parhelion-backup";
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;
/// The longest manifest that is read: a hundred bytes a segment, and a segment is 16 MiB.
const LONGEST_MANIFEST: u64 = 16 << 20;

/// What a backup says of itself; its first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The version that wrote it.
    pub program: String,
    pub profile: String,
    pub made: Moment,
    /// The last record in it.
    pub last_seq: Seq,
    files: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Manifest {
    /// All files together, unpacked.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|part| part.bytes).sum()
    }
}

/// Writes the profile as it stands after the last commit. The store may be open elsewhere: a job goes on meanwhile.
///
/// # Errors
/// A profile with nothing in it; a trail that does not verify, since its backup would not either; a failing disk.
pub fn make(places: &Places, made: Moment, to: &mut dyn Write) -> Result<Manifest, Problem> {
    let audit = places.audit();
    if !audit.exists() {
        return Err(nothing(places));
    }
    let shelf = Shelf::open(&audit)?;
    let last_seq = shelf.verify()?.last_seq;
    if last_seq == 0 {
        return Err(nothing(places));
    }
    let mut sources: Vec<(String, PathBuf, u64)> = Vec::new();
    for (path, bytes) in shelf.start_file().into_iter().chain(shelf.segments()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        sources.push((format!("audit/{name}"), path, bytes));
    }
    let secrets = places.secrets();
    // Replaced whole when it changes, so an open handle is one state of it.
    let sealed = match std::fs::read(&secrets) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(files::problem(&secrets, "read", &error)),
    };
    let mut parts = Vec::new();
    for (name, path, bytes) in &sources {
        let sha256 = digest(&mut open(path)?.take(*bytes)).map_err(|e| files::problem(path, "read", &e))?;
        parts.push(Part { name: name.clone(), bytes: *bytes, sha256 });
    }
    if let Some(sealed) = &sealed {
        let sha256 = hex::encode(&Sha256::digest(sealed));
        parts.push(Part { name: "secrets".into(), bytes: sealed.len() as u64, sha256 });
    }
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").into(),
        profile: places.profile.clone(),
        made,
        last_seq,
        files: parts,
    };
    let unwritten = |error: io::Error| {
        Problem::new(Class::Local, format!("The backup cannot be written: {error}."))
            .remedy("Name another file, or make room.")
    };
    let mut archive = tar::Builder::new(GzEncoder::new(to, Compression::fast()));
    let head = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    add(&mut archive, MANIFEST, head.len() as u64, made, head.as_slice()).map_err(unwritten)?;
    for (name, path, bytes) in &sources {
        add(&mut archive, name, *bytes, made, open(path)?.take(*bytes)).map_err(unwritten)?;
    }
    if let Some(sealed) = &sealed {
        add(&mut archive, "secrets", sealed.len() as u64, made, sealed.as_slice()).map_err(unwritten)?;
    }
    archive.into_inner().and_then(GzEncoder::finish).and_then(Write::flush).map_err(unwritten)?;
    Ok(manifest)
}

fn add(
    to: &mut tar::Builder<impl Write>,
    name: &str,
    bytes: u64,
    at: Moment,
    from: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(bytes);
    header.set_mtime(u64::try_from(at.as_second()).unwrap_or(0));
    to.append_data(&mut header, format!("{ROOT}/{name}"), from)
}

fn nothing(places: &Places) -> Problem {
    Problem::new(Class::Input, format!("There is nothing to back up in {}.", places.data.display()))
        .remedy("Name the profile with --profile, or its folder with --data-dir.")
}

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    pub manifest: Manifest,
    /// Where what was there before lies now.
    pub aside: Option<PathBuf>,
}

/// Puts a backup in a profile's place. Everything is unpacked beside and checked first: hashes, the chain of the
/// trail, the form of the sealed secrets; `amend` then adds to the unpacked trail, whose folder it gets, what a restore
/// changes. Until that is done nothing of the profile is touched.
///
/// # Errors
/// `Busy` where a process has the store; a profile that holds something, unless `replaces`; a file that is damaged,
/// cut short, or holds what no backup does.
pub fn restore(
    file: &Path,
    places: &Places,
    replaces: bool,
    now: Moment,
    amend: impl FnOnce(&Path) -> Result<(), Problem>,
) -> Result<Restored, Problem> {
    // Looked at before anything is made: a mistyped name leaves no folder behind.
    let from = open(file)?;
    let lock = Lock::take(&places.data, "parhelion restore")?;
    let is_used = [places.audit(), places.secrets()].iter().any(|path| holds_something(path));
    if is_used && !replaces {
        let message = format!("The profile in {} holds data already.", places.data.display());
        return Err(Problem::new(Class::Input, message).remedy(
            "Restore into another profile, or replace this one with --force; its files are kept aside.",
        ));
    }
    let beside = places.data.join("restoring");
    clear(&beside)?;
    files::make_private_dir(&beside)?;
    let unpacked = unpack(file, from, &beside, &places.data).and_then(|manifest| {
        check(file, &beside, &manifest)?;
        amend(&beside.join("audit"))?;
        Ok(manifest)
    });
    let manifest = unpacked.inspect_err(|_| drop(std::fs::remove_dir_all(&beside)))?;
    let aside = places.data.join(format!("replaced-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    files::make_private_dir(&aside)?;
    // The index first: without it the trail that is there, old or new, is still whole. The trail last.
    for path in [places.index(), places.logs()] {
        set_aside(&path, &aside)?;
    }
    for path in [places.secrets(), places.audit()] {
        set_aside_or_exchange(&path, &beside, &aside)?;
    }
    clear(&beside)?;
    for dir in [&aside, &places.data] {
        files::sync_dir(dir)?;
    }
    let aside = if std::fs::remove_dir(&aside).is_ok() { None } else { Some(aside) };
    drop(lock);
    Ok(Restored { manifest, aside })
}

fn holds_something(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.exists(),
    }
}

fn clear(dir: &Path) -> Result<(), Problem> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files::problem(dir, "remove", &error)),
        _ => Ok(()),
    }
}

fn set_aside(path: &Path, aside: &Path) -> Result<(), Problem> {
    match std::fs::rename(path, aside.join(path.file_name().unwrap_or_default())) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files::problem(path, "move", &error)),
        _ => Ok(()),
    }
}

/// At every moment either the old one or the new one is in its place.
fn set_aside_or_exchange(path: &Path, beside: &Path, aside: &Path) -> Result<(), Problem> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let fresh = beside.join(path.file_name().unwrap_or_default());
    if path.exists() && fresh.exists() {
        renameat_with(CWD, path, CWD, &fresh, RenameFlags::EXCHANGE)
            .map_err(|error| files::problem(path, "replace", &error.into()))?;
        return set_aside(&fresh, aside);
    }
    set_aside(path, aside)?;
    match std::fs::rename(&fresh, path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files::problem(path, "replace", &error)),
        _ => Ok(()),
    }
}

/// Unpacks what the manifest names, and nothing else, into an empty folder.
fn unpack(file: &Path, from: File, beside: &Path, data: &Path) -> Result<Manifest, Problem> {
    let damaged = |why: &str| damaged(file, why);
    let unreadable = |error: io::Error| damaged(&error.to_string());
    let mut archive = tar::Archive::new(GzDecoder::new(io::BufReader::new(from)));
    let mut entries = archive.entries().map_err(unreadable)?;
    let first = entries.next().ok_or_else(|| damaged("it is empty"))?.map_err(|_| no_backup(file))?;
    if name_of(&first).as_deref() != Some(MANIFEST) {
        return Err(no_backup(file));
    }
    let mut text = Vec::new();
    first.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(unreadable)?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|_| damaged("its manifest cannot be read"))?;
    if manifest.format != FORMAT {
        let message = format!("{} was made by a newer version of this program.", file.display());
        return Err(Problem::new(Class::Input, message).remedy("Use that version."));
    }
    let (needed, free) = (manifest.bytes(), free_space(data)?);
    if needed >= free {
        let message =
            format!("{} unpacks to {} MiB, and {} MiB are free.", file.display(), needed >> 20, free >> 20);
        return Err(Problem::new(Class::Local, message).remedy("Free some space."));
    }
    files::make_private_dir(&beside.join("audit"))?;
    let mut wanted = manifest.files.iter();
    for entry in entries {
        let mut entry = entry.map_err(unreadable)?;
        let part = wanted.next().ok_or_else(|| damaged("it holds more than its manifest says"))?;
        let is_it = name_of(&entry).as_deref() == Some(part.name.as_str()) && entry.size() == part.bytes;
        if !is_it || !is_a_part(&part.name) {
            return Err(damaged("it does not hold what its manifest says"));
        }
        let path = beside.join(&part.name);
        let mut write = || {
            let mut to = Hashing { to: files::create_private(&path)?, hash: Sha256::new() };
            io::copy(&mut entry, &mut to)?;
            to.to.sync_all()?;
            Ok(hex::encode(&to.hash.finalize()))
        };
        let found = write().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                unreadable(error)
            }
            _ => files::problem(&path, "write", &error),
        })?;
        if found != part.sha256 {
            return Err(damaged(&format!("{} is not as it was written", part.name)));
        }
    }
    if wanted.next().is_some() {
        return Err(damaged("it is cut short"));
    }
    files::sync_dir(&beside.join("audit"))?;
    Ok(manifest)
}

/// The name inside the backup's folder; `None` for anything but a plain file in it.
fn name_of(entry: &tar::Entry<'_, impl Read>) -> Option<String> {
    if entry.header().entry_type() != tar::EntryType::Regular {
        return None;
    }
    let path = entry.path().ok()?;
    let inside = path.strip_prefix(ROOT).ok()?;
    let is_plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
    is_plain.then(|| inside.to_str().map(str::to_owned)).flatten()
}

/// The only files a backup has. Nothing else is ever written, wherever its name may lead.
fn is_a_part(name: &str) -> bool {
    match name.strip_prefix("audit/") {
        Some("start.json") => true,
        Some(segment) => segment
            .strip_suffix(".jsonl")
            .is_some_and(|number| number.len() == 20 && number.bytes().all(|byte| byte.is_ascii_digit())),
        None => name == "secrets",
    }
}

/// Whether what was unpacked would open.
fn check(file: &Path, beside: &Path, manifest: &Manifest) -> Result<(), Problem> {
    let shelf = Shelf::open(&beside.join("audit"))?;
    let verified = shelf.verify()?;
    if verified.last_seq != manifest.last_seq || shelf.unfinished_bytes() > 0 {
        return Err(damaged(file, "its audit trail does not end where the manifest says"));
    }
    seal::inspect(&beside.join("secrets"))
}

fn damaged(file: &Path, why: &str) -> Problem {
    Problem::new(Class::Input, format!("{} is damaged: {why}.", file.display()))
        .remedy("Nothing was changed. Take another backup.")
}

fn no_backup(file: &Path) -> Problem {
    Problem::new(Class::Input, format!("{} is no backup of this program.", file.display()))
        .remedy("Nothing was changed. Name a file that `parhelion backup` wrote.")
}

fn open(path: &Path) -> Result<File, Problem> {
    File::open(path).map_err(|error| {
        Problem { class: Class::Input, ..files::problem(path, "read", &error) }.remedy("Check the path.")
    })
}

fn digest(from: &mut impl Read) -> io::Result<String> {
    let mut to = Hashing { to: io::sink(), hash: Sha256::new() };
    io::copy(from, &mut to)?;
    Ok(hex::encode(&to.hash.finalize()))
}

struct Hashing<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
