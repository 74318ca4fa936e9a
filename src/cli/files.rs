//! Files that commands read and write.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::model::{Class, Problem};

/// The bytes of a file; `-` is standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|content| bytes = content)
    };
    result.map(|()| bytes).map_err(|error| {
        Problem::new(Class::Input, format!("{} cannot be read: {error}.", path.display()))
            .remedy("Check the path and its permissions.")
    })
}

/// The same as text.
pub fn read_text(path: &Path) -> Result<String, Problem> {
    String::from_utf8(read(path)?).map_err(|error| {
        let before = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        Problem::new(Class::Input, format!("{}, line {line}: a character is not UTF-8.", path.display()))
            .remedy("Save the file as UTF-8.")
    })
}

/// Puts a whole file in its place at once, for its owner alone: it names customers.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Problem> {
    stream(path, |to| to.write_all(content.as_ref()).map_err(|error| unwritten(path, &error)))
}

/// The same for what is too long to hold. Whatever goes wrong, an old file stays as it was.
pub fn stream(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<(), Problem>) -> Result<(), Problem> {
    let mut beside = Beside::new(path)?;
    write(&mut beside)?;
    beside.put()
}

/// A file that grows beside the one it is to replace, and takes its place only as a whole; let go before, it leaves
/// nothing.
pub struct Beside {
    path: PathBuf,
    unfinished: PathBuf,
    /// Until it is put in its place.
    to: Option<BufWriter<File>>,
}

impl Beside {
    pub fn new(path: &Path) -> Result<Self, Problem> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", std::process::id()));
        let beside = PathBuf::from(beside);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let file = file.map_err(|error| unwritten(path, &error))?;
        Ok(Self { path: path.to_owned(), unfinished: beside, to: Some(BufWriter::new(file)) })
    }

    /// Puts it in its place, durably.
    pub fn put(mut self) -> Result<(), Problem> {
        let Some(to) = self.to.take() else { return Ok(()) };
        let put = to
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.unfinished, &self.path));
        put.map_err(|error| {
            drop(std::fs::remove_file(&self.unfinished));
            unwritten(&self.path, &error)
        })
    }

    /// What a write into it that failed means.
    pub fn failed(&self, error: &io::Error) -> Problem {
        unwritten(&self.path, error)
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.as_mut().map_or(Ok(bytes.len()), |to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.to.take().is_some() {
            drop(std::fs::remove_file(&self.unfinished));
        }
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Problem {
    Problem::new(Class::Local, format!("{} cannot be written: {error}.", path.display()))
        .remedy("Name another file, or make room.")
}
