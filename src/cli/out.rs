//! Everything the command line prints goes through here.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::args::Global;
use crate::model::{Class, Problem};

/// Where documents, text and remarks go. Standard output carries the result and nothing else.
#[derive(Debug)]
pub struct Out {
    pub json: bool,
    pub plain: bool,
    pub quiet: bool,
    pub verbose: u8,
    /// The reader of standard output went away: nothing more is written there, and that is no error.
    closed: AtomicBool,
}

impl Out {
    pub fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            plain: global.plain,
            quiet: global.quiet,
            verbose: global.verbose,
            closed: AtomicBool::new(false),
        }
    }

    /// The one JSON document, or one line of a stream of them. The number of the schema goes first.
    pub fn document(&self, body: &impl Serialize) -> Result<(), Problem> {
        self.write(&super::json::line(body)?)
    }

    /// Text for people; a line break is added if there is none.
    pub fn text(&self, text: &str) -> Result<(), Problem> {
        if text.is_empty() {
            return Ok(());
        }
        if text.ends_with('\n') { self.write(text) } else { self.write(&format!("{text}\n")) }
    }

    /// The document with `--json`, else the text.
    pub fn either(&self, body: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Problem> {
        if self.json { self.document(body) } else { self.text(&text()) }
    }

    /// A remark for people, on standard error; `--quiet` drops it.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn write(&self, text: &str) -> Result<(), Problem> {
        if self.is_closed() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Problem::new(
                Class::Local,
                format!("The result could not be written to standard output: {error}."),
            )
            .remedy("What the command did stays done; see `parhelion jobs`.")),
        }
    }
}

/// Standard output for what is too long to hold: a reader that went away ends it, and that is no error.
pub fn stream(write: impl FnOnce(&mut dyn Write) -> Result<(), Problem>) -> Result<(), Problem> {
    let mut to = Stream::new();
    let written = write(&mut to).and_then(|()| to.flush().map_err(|error| unwritten(&error)));
    if to.closed { Ok(()) } else { written }
}

/// Standard output, which remembers that nobody reads it any more.
pub struct Stream {
    to: io::BufWriter<io::Stdout>,
    closed: bool,
}

impl Stream {
    pub fn new() -> Self {
        Self { to: io::BufWriter::with_capacity(1 << 16, io::stdout()), closed: false }
    }

    /// What a write into it that failed means; nothing where the reader went away.
    pub fn failed(&self, error: &io::Error) -> Result<(), Problem> {
        if self.closed { Ok(()) } else { Err(unwritten(error)) }
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.closed |= matches!(&result, Err(error) if error.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.noted(flushed)
    }
}

fn unwritten(error: &io::Error) -> Problem {
    Problem::new(Class::Local, format!("Standard output cannot be written: {error}."))
}

/// A line on standard error. Nobody can be told when that fails.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", crate::logging::clean(text));
}

/// Whether a person sits at both ends.
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
