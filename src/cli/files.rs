//! Files that commands read and write.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let failed = |error: io::Error| unwritten(path, &error);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside).map_err(failed)?;
    let mut to = BufWriter::new(file);
    let written = write(&mut to).and_then(|()| {
        let file = to.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().and_then(|()| std::fs::rename(beside, path)).map_err(failed)
    });
    written.inspect_err(|_| drop(std::fs::remove_file(beside)))
}

fn unwritten(path: &Path, error: &io::Error) -> Problem {
    Problem::new(Class::Local, format!("{} cannot be written: {error}.", path.display()))
        .remedy("Name another file, or make room.")
}
