//! The real binary, as scripts use it.

mod care;
mod engine;
mod fields;
mod host;
mod hudu;
mod lifecycle;
mod liongard;
mod readme;
mod usage;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A profile of its own in a throw-away folder.
struct Profile {
    folder: tempfile::TempDir,
}

impl Profile {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary on this profile, with nothing of the person who runs the tests around it.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parhelion"));
        for name in
            ["PARHELION_DATA_DIR", "PARHELION_PROFILE", "CREDENTIALS_DIRECTORY", "RUST_BACKTRACE", "COLUMNS"]
        {
            command.env_remove(name);
        }
        command
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.file("state"))
            .env("XDG_CONFIG_HOME", self.file("config"))
            .env("TMPDIR", self.folder.path())
            .env("NO_COLOR", "1")
            .args(words)
            .stdin(std::process::Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Done {
        Done::of(words, &self.command(words).output().unwrap())
    }
}

/// What a command left behind.
struct Done {
    words: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Done {
    fn of(words: &[&str], output: &Output) -> Self {
        Self {
            words: words.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        let Self { words, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "{words}\nstdout: {stdout}\nstderr: {stderr}");
        self
    }

    /// The one document on standard output.
    #[track_caller]
    fn json(&self) -> Value {
        let document: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{}: {error}\nstdout: {}\nstderr: {}", self.words, self.stdout, self.stderr)
        });
        assert_eq!(document["schema"], 1, "{}", self.words);
        document
    }

    /// The error document: a sentence, and what to do.
    #[track_caller]
    fn error(&self) -> String {
        let document = self.json();
        let text = |key: &str| document["error"][key].as_str().unwrap_or_default().to_owned();
        assert!(!text("message").is_empty(), "{}: {document}", self.words);
        assert!(!text("remedy").is_empty(), "{}: {document}", self.words);
        format!("{} {}", text("message"), text("remedy"))
    }
}
