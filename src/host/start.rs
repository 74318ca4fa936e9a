//! Finding the profile's host, or starting one that outlives whoever needs it.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::client::{Kind, Line, Revive};
use crate::model::{Class, Problem};
use crate::store::{Places, lock};

/// How long a viewer waits for a host that is starting and has not failed: a long trail takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a host that somebody else starts may hold the lock without answering.
const OTHERS: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The words that a host for this profile is started with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub data_dir: Option<PathBuf>,
    pub profile: Option<String>,
    pub key_file: Option<PathBuf>,
}

impl Start {
    /// The profile's host; one is started where none answers.
    ///
    /// # Errors
    /// `Busy` where another process uses the store and is no host; what else kept the host from starting.
    pub fn attach(&self, places: &Places, kind: Kind) -> Result<Line, Problem> {
        let attach = || {
            let again = self.clone();
            let name = places.profile.clone();
            let revive: Revive = Box::new(move || {
                // It fails where another host is on its way, or the store is in use: the line goes on looking.
                if let Ok(starting) = again.begin(&name) {
                    starting.let_go();
                }
            });
            Line::attach(places, kind, Some(revive))
        };
        if let Some(line) = attach()? {
            return Ok(line);
        }
        let mut starting = self.begin(&places.profile)?;
        let begun = Instant::now();
        let mut failed: Option<(Instant, Problem)> = None;
        loop {
            if let Some(line) = attach()? {
                starting.let_go();
                return Ok(line);
            }
            match &failed {
                None => {
                    failed = starting.failure().map(|problem| (Instant::now(), problem));
                }
                // Whoever has the store may be a host that is about to answer.
                Some((since, problem)) => {
                    let may_come = problem.class == Class::Busy && is_starting(places);
                    if !may_come || since.elapsed() > OTHERS {
                        return Err(problem.clone());
                    }
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err(Problem::new(Class::Local, "The host has started and does not answer.")
                    .remedy("See its log (`logs/` in the profile's folder)."));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Starts a host: as the service that is installed for this profile, else as a process of its own session.
    fn begin(&self, profile: &str) -> Result<Starting, Problem> {
        let is_plain = self.data_dir.is_none() && self.key_file.is_none();
        if is_plain && user_unit_is_installed() {
            let unit = format!("parhelion@{profile}.service");
            let started = Command::new("systemctl")
                .args(["--user", "start", &unit])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if started.is_ok_and(|status| status.success()) {
                return Ok(Starting(None));
            }
        }
        let bad = |error: &std::io::Error| {
            Problem::new(Class::Local, format!("The host cannot be started: {error}."))
                .remedy("Start it yourself: `parhelion serve`.")
        };
        let program = std::env::current_exe().map_err(|error| bad(&error))?;
        let child = Command::new(program)
            .args(self.words())
            .stdin(Stdio::null())
            // The error document, should it fail; nothing after that.
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .map_err(|error| bad(&error))?;
        Ok(Starting(Some(child)))
    }

    fn words(&self) -> Vec<OsString> {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let mut words: Vec<OsString> = vec!["--json".into()];
        if let Some(dir) = &self.data_dir {
            words.extend(["--data-dir".into(), absolute(dir).into()]);
        }
        if let Some(profile) = &self.profile {
            words.extend(["--profile".into(), profile.into()]);
        }
        if let Some(file) = &self.key_file {
            words.extend(["--key-file".into(), absolute(file).into()]);
        }
        words.extend(["serve".into(), "--detached".into()]);
        words
    }
}

/// Whether the store's holder may be a host that does not listen yet.
pub fn is_starting(places: &Places) -> bool {
    lock::claims(&places.data).is_some_and(|holder| holder.command.ends_with(" serve"))
}

/// systemd.unit(5): where a user's units lie.
fn user_unit_is_installed() -> bool {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        return false;
    }
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    config
        .into_iter()
        .map(|config| config.join("systemd/user"))
        .chain([PathBuf::from("/etc/systemd/user"), PathBuf::from("/usr/lib/systemd/user")])
        .any(|folder| folder.join("parhelion@.service").exists())
}

/// A host on its way; `None` where a service manager starts it.
struct Starting(Option<Child>);

impl Starting {
    /// Why it ended, if it did.
    fn failure(&mut self) -> Option<Problem> {
        let child = self.0.as_mut()?;
        let status = child.try_wait().ok()??;
        let mut said = String::new();
        if let Some(out) = child.stdout.as_mut() {
            let _ = out.take(64 * 1024).read_to_string(&mut said);
        }
        self.0 = None;
        let document: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let text = |key: &str| document["error"][key].as_str().unwrap_or_default().to_owned();
        let class = match status.code() {
            Some(6) => Class::Busy,
            Some(5) => Class::Auth,
            _ => Class::Local,
        };
        let message = match text("message") {
            message if message.is_empty() => format!("The host ended as it started ({status})."),
            message => message,
        };
        Some(Problem::new(class, message).remedy(text("remedy")))
    }

    /// It answers: from now on it is nobody's child that matters.
    fn let_go(mut self) {
        if let Some(mut child) = self.0.take() {
            // Somebody must hear of its end, or it stays in the table of processes as long as we do.
            let _ = std::thread::Builder::new().name("host's end".into()).spawn(move || child.wait());
        }
    }
}
