//! Files that commands read and write.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
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
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)
        .and_then(|mut file| file.write_all(content.as_ref()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(beside, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(beside);
        Problem::new(Class::Local, format!("{} cannot be written: {error}.", path.display()))
            .remedy("Name another file, or make room.")
    })
}
