//! Finding the profile's host, or starting one that outlives whoever needs it.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tokio::sync::oneshot;

use super::client::{Coming, Kind, Line, Revive};
use crate::model::{Class, Problem};
use crate::store::{Places, lock};

/// The words that a host for this profile is started with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub data_dir: Option<PathBuf>,
    pub profile: Option<String>,
    pub key_file: Option<PathBuf>,
}

impl Start {
    /// The profile's host; one is started where none answers, and may still be on its way ([`Line::host`]).
    ///
    /// # Errors
    /// `Busy` where another process uses the store and is no host; what else kept the host from starting.
    pub fn attach(&self, places: &Places, kind: Kind) -> Result<Line, Problem> {
        let revive = || -> Revive {
            let (again, name) = (self.clone(), places.profile.clone());
            // It fails where another host is on its way, or the store is in use: the line goes on looking.
            Box::new(move || drop(again.begin(&name)))
        };
        if let Some(line) = Line::attach(places, kind, Some(revive()))? {
            return Ok(line);
        }
        let coming = self.begin(&places.profile)?;
        Line::to_come(places, kind, revive(), coming)
    }

    /// Starts a host, on a thread that stays as long as it lives: somebody must hear of its end, or it stays in the table
    /// of processes as long as we do.
    fn begin(&self, profile: &str) -> Result<Coming, Problem> {
        let (tell, coming) = oneshot::channel();
        let (start, profile) = (self.clone(), profile.to_owned());
        std::thread::Builder::new()
            .name("host's start".into())
            .spawn(move || start.bring(&profile, tell))
            .map_err(|error| cannot(&error))?;
        Ok(coming)
    }

    /// As the service that is installed for this profile, else as a process of its own session. A caller that has gone
    /// away meanwhile does not matter to the host.
    fn bring(&self, profile: &str, tell: oneshot::Sender<Result<(), Problem>>) {
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
                let _ = tell.send(Ok(()));
                return;
            }
        }
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => {
                let _ = tell.send(Err(cannot(&error)));
                return;
            }
        };
        let mut said = String::new();
        if let Some(out) = child.stdout.take() {
            let _ = BufReader::new(out.take(64 * 1024)).read_line(&mut said);
        }
        let document: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        if document["socket"].is_string() {
            let _ = tell.send(Ok(()));
            let _ = child.wait();
        } else if let Ok(status) = child.wait() {
            let _ = tell.send(Err(failure(status, &document["error"])));
        }
    }

    fn spawn(&self) -> std::io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .args(self.words())
            .stdin(Stdio::null())
            // One document: where it serves, or why it does not. Nothing after that.
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
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

fn cannot(error: &std::io::Error) -> Problem {
    Problem::new(Class::Local, format!("The host cannot be started: {error}."))
        .remedy("Start it yourself: `parhelion serve`.")
}

/// Why it ended as it started, from its own words.
fn failure(status: ExitStatus, error: &serde_json::Value) -> Problem {
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let class = match status.code() {
        Some(6) => Class::Busy,
        Some(5) => Class::Auth,
        _ => Class::Local,
    };
    let message = match text("message") {
        message if message.is_empty() => format!("The host ended as it started ({status})."),
        message => message,
    };
    Problem::new(class, message).remedy(text("remedy"))
}
