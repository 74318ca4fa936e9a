//! Secrets by reference: read at each use, never stored.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use zeroize::Zeroizing;

use super::seal::Vault;
use crate::model::settings::SecretSource;
use crate::model::{Class, Problem, Secret};

/// No password is longer; what is, is the wrong file.
const LONGEST: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// The secret of that setting. Waits for a file or a command: from async code through `spawn_blocking`.
///
/// # Errors
/// A sentence naming the setting and where the secret should have come from, never any of its text.
pub fn resolve(source: &SecretSource, key: &str, vault: &Vault) -> Result<Secret, Problem> {
    let secret = match source {
        SecretSource::Unset => None,
        SecretSource::Sealed => vault.get(key)?,
        SecretSource::Env(name) => Some(from_env(name, key)?),
        SecretSource::File(path) => Some(from_file(path, key)?),
        SecretSource::Command(command) => Some(from_command(command, key)?),
    };
    let secret = secret.ok_or_else(|| {
        Problem::new(Class::Input, format!("{key} is not set."))
            .remedy(format!("Set it in the form, or with: parhelion secret set {key}"))
    })?;
    if secret.expose().is_empty() { Err(empty(key, source)) } else { Ok(secret) }
}

/// What a person should know of a reference although it works; `None` where all is well.
pub fn concern(source: &SecretSource) -> Option<String> {
    let SecretSource::File(path) = source else { return None };
    let mode = std::fs::metadata(path).ok()?.mode();
    (mode & 0o077 != 0).then(|| format!("{} can be read by other users of this machine.", path.display()))
}

fn from_env(name: &str, key: &str) -> Result<Secret, Problem> {
    match std::env::var(name) {
        Ok(text) => Ok(Secret::new(text)),
        Err(std::env::VarError::NotPresent) => {
            Err(fault(key, &format!("the environment variable {name} is not set")))
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(fault(key, &format!("the environment variable {name} is not text")))
        }
    }
}

fn from_file(path: &Path, key: &str) -> Result<Secret, Problem> {
    let open = std::fs::File::open(path);
    let file = open.map_err(|error| fault(key, &format!("{} cannot be read ({error})", path.display())))?;
    let bytes = read_all(file).map_err(|why| fault(key, &format!("{} {why}", path.display())))?;
    text(&bytes).ok_or_else(|| fault(key, &format!("{} is not text", path.display())))
}

fn from_command(command: &str, key: &str) -> Result<Secret, Problem> {
    let fault = |why: &str| fault(key, &format!("its command {why}"));
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Nobody knows what a password tool complains of: it is not shown.
        .stderr(Stdio::null())
        // A group of its own, so that whatever it started ends with it.
        .process_group(0)
        .spawn()
        .map_err(|error| fault(&format!("cannot be started ({error})")))?;
    let group = rustix::process::Pid::from_child(&child);
    let (answer, output) = channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let bytes = read_all(stdout);
            let status = child.wait();
            // The one who asked may have lost patience.
            let _ = answer.send((bytes, status));
        });
    }
    let Ok((bytes, status)) = output.recv_timeout(PATIENCE) else {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        return Err(fault(&format!("did not end within {} seconds", PATIENCE.as_secs())));
    };
    let status = status.map_err(|error| fault(&format!("could not be watched ({error})")))?;
    if !status.success() {
        return Err(fault(&format!("failed ({status})")));
    }
    let bytes = bytes.map_err(|why| fault(&why))?;
    text(&bytes).ok_or_else(|| fault("printed something that is not text"))
}

fn read_all(from: impl std::io::Read) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read ({error})"))?;
    if bytes.len() as u64 > LONGEST { Err("holds more than any secret does".into()) } else { Ok(bytes) }
}

/// Without the one line break that every editor and every `echo` puts at the end.
fn text(bytes: &[u8]) -> Option<Secret> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Some(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

fn fault(key: &str, why: &str) -> Problem {
    Problem::new(Class::Input, format!("The secret {key} cannot be read: {why}."))
}

fn empty(key: &str, source: &SecretSource) -> Problem {
    let place = match source {
        SecretSource::Env(name) => format!("the environment variable {name}"),
        SecretSource::File(path) => path.display().to_string(),
        SecretSource::Command(_) => "what its command prints".into(),
        SecretSource::Sealed | SecretSource::Unset => "what is sealed".into(),
    };
    fault(key, &format!("{place} is empty"))
}
