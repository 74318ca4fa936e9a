//! Sealed secrets (P46, `dependencies.md` section 5): each sealed under its own name with a data key that lies
//! elsewhere, all in one small file that is replaced whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{files, hex};
use crate::model::{Class, Problem, Secret};

/// Where the data key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file that only we may read: `--key-file` or the profile's own. Made when first needed.
    File(PathBuf),
    /// A systemd credential: its rights are systemd's affair, and it is never made here.
    Credential(PathBuf),
    /// The data key is random all the same and lies wrapped beside the secrets.
    Passphrase(Secret),
}

impl KeySource {
    /// The first of: `--key-file`; the credential `parhelion.key` that systemd hands to a service; the profile's own.
    pub fn choose(key_file: Option<&Path>, places: &super::Places) -> Self {
        if let Some(path) = key_file {
            return Self::File(path.to_owned());
        }
        let credential =
            std::env::var_os("CREDENTIALS_DIRECTORY").map(|dir| Path::new(&dir).join("parhelion.key"));
        match credential {
            Some(path) if path.is_file() => Self::Credential(path),
            _ => Self::File(places.key_file.clone()),
        }
    }
}

/// The sealed secrets of a profile, by the key of their setting (`also.password`).
pub struct Vault {
    path: PathBuf,
    source: KeySource,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    document: Document,
    key: Option<DataKey>,
}

type DataKey = Zeroizing<[u8; 32]>;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    /// The data key, wrapped by a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrapped: Option<Wrapped>,
    /// A known text, sealed: tells a wrong key at once, whatever is sealed besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    secrets: BTreeMap<String, String>,
}

impl Default for Document {
    fn default() -> Self {
        Self { format: 1, wrapped: None, check: None, secrets: BTreeMap::new() }
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Wrapped {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    key: String,
}

/// First byte of every sealed value, and part of what it is bound to.
const FORMAT: u8 = 1;
const CHECK: &str = "check";
const WRAP: &str = "data key";

impl Vault {
    /// Reads the file, and the key where anything is sealed already.
    ///
    /// # Errors
    /// A key that is missing, open to others, or not the one that sealed this file; a damaged file.
    pub fn open(path: &Path, source: KeySource) -> Result<Self, Problem> {
        let document = match std::fs::read(path) {
            Ok(bytes) => read_document(path, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Document::default(),
            Err(error) => return Err(files::problem(path, "read", &error)),
        };
        let mut state = State { document, key: None };
        if state.document.check.is_some() {
            state.key = Some(existing_key(&source, &state.document)?);
            state.check(path)?;
        }
        Ok(Self { path: path.to_owned(), source, state: Mutex::new(state) })
    }

    /// # Errors
    /// A value that was not sealed under this name with this key.
    pub fn get(&self, name: &str) -> Result<Option<Secret>, Problem> {
        let state = self.state();
        let (Some(sealed), Some(key)) = (state.document.secrets.get(name), &state.key) else {
            return Ok(None);
        };
        let plain = unseal(key, name, sealed).ok_or_else(|| {
            let message = format!("The sealed secret '{name}' in {} was tampered with.", self.path.display());
            Problem::new(Class::Local, message).remedy(format!("Set it again: parhelion secret set {name}"))
        })?;
        let text = std::str::from_utf8(&plain).map_err(|_| self.damaged())?;
        Ok(Some(Secret::new(text)))
    }

    /// Seals and is durable on return. Makes the data key where there is none yet.
    ///
    /// # Errors
    /// A key or file that cannot be made; then the old content stays.
    pub fn set(&self, name: &str, secret: &Secret) -> Result<(), Problem> {
        self.set_all([(name, secret)])
    }

    /// As [`Vault::set`], all or nothing.
    ///
    /// # Errors
    /// As [`Vault::set`].
    pub fn set_all<'a>(
        &self,
        secrets: impl IntoIterator<Item = (&'a str, &'a Secret)>,
    ) -> Result<(), Problem> {
        let mut state = self.state();
        let mut next = state.document.clone();
        let key = match &state.key {
            Some(key) => key.clone(),
            None => first_key(&self.source, &mut next)?,
        };
        if next.check.is_none() {
            next.check = Some(seal(&key, CHECK, CHECK.as_bytes())?);
        }
        for (name, secret) in secrets {
            next.secrets.insert(name.to_owned(), seal(&key, name, secret.expose().as_bytes())?);
        }
        self.store(&next)?;
        *state = State { document: next, key: Some(key) };
        Ok(())
    }

    /// # Errors
    /// A file that cannot be written; then the old content stays.
    pub fn remove(&self, name: &str) -> Result<(), Problem> {
        let mut state = self.state();
        let mut next = state.document.clone();
        if next.secrets.remove(name).is_some() {
            self.store(&next)?;
            state.document = next;
        }
        Ok(())
    }

    /// The names of what is sealed, in order.
    pub fn keys(&self) -> Vec<String> {
        self.state().document.secrets.keys().cloned().collect()
    }

    fn store(&self, document: &Document) -> Result<(), Problem> {
        let mut text = serde_json::to_string_pretty(document).map_err(|_| self.damaged())?;
        text.push('\n');
        files::replace(&self.path, text.as_bytes())
    }

    fn damaged(&self) -> Problem {
        damaged(&self.path)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a file of sealed secrets is whole, as far as it tells without the key. None at all is fine.
///
/// # Errors
/// A damaged file, or a newer program's.
pub fn inspect(path: &Path) -> Result<(), Problem> {
    match std::fs::read(path) {
        Ok(bytes) => read_document(path, &bytes).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(files::problem(path, "read", &error)),
    }
}

impl State {
    fn check(&self, path: &Path) -> Result<(), Problem> {
        let (Some(key), Some(check)) = (&self.key, &self.document.check) else { return Ok(()) };
        match unseal(key, CHECK, check) {
            Some(plain) if plain.as_slice() == CHECK.as_bytes() => Ok(()),
            _ => Err(Problem::new(
                Class::Local,
                format!("The key does not open the secrets in {}.", path.display()),
            )
            .remedy("Give the key file that sealed them with --key-file.")),
        }
    }
}

fn read_document(path: &Path, bytes: &[u8]) -> Result<Document, Problem> {
    let document: Document = serde_json::from_slice(bytes).map_err(|_| damaged(path))?;
    if document.format != 1 {
        let message = format!("{} was written by a newer version of this program.", path.display());
        return Err(Problem::new(Class::Local, message).remedy("Use that version."));
    }
    if document.check.is_none() && !document.secrets.is_empty() {
        return Err(damaged(path));
    }
    Ok(document)
}

fn damaged(path: &Path) -> Problem {
    Problem::new(Class::Local, format!("The sealed secrets in {} are damaged.", path.display()))
        .remedy("Restore the file from a backup, or move it away and set the secrets again.")
}

/// The key of a file that is sealed already: it is never made anew, which would only hide that it is lost.
fn existing_key(source: &KeySource, document: &Document) -> Result<DataKey, Problem> {
    match (source, &document.wrapped) {
        (KeySource::Passphrase(passphrase), Some(wrapped)) => unwrap_key(passphrase, wrapped),
        (KeySource::Passphrase(_), None) => {
            Err(Problem::new(Class::Input, "The secrets are sealed with a key file, not with a passphrase.")
                .remedy("Give the file with --key-file."))
        }
        (_, Some(_)) => Err(Problem::new(Class::Input, "The secrets are sealed with a passphrase.")),
        (KeySource::File(path), None) => read_key(path, true)?.ok_or_else(|| missing(path)),
        (KeySource::Credential(path), None) => read_key(path, false)?.ok_or_else(|| missing(path)),
    }
}

fn missing(path: &Path) -> Problem {
    Problem::new(
        Class::Local,
        format!("The key file {} is missing, so the sealed secrets cannot be read.", path.display()),
    )
    .remedy("Put it back or name it with --key-file; or move the file 'secrets' away and set them again.")
}

/// The key for the first secret of a profile.
fn first_key(source: &KeySource, document: &mut Document) -> Result<DataKey, Problem> {
    match source {
        KeySource::Passphrase(passphrase) => {
            let key = random_key()?;
            document.wrapped = Some(wrap_key(passphrase, &key)?);
            Ok(key)
        }
        KeySource::Credential(path) => read_key(path, false)?.ok_or_else(|| missing(path)),
        KeySource::File(path) => match read_key(path, true)? {
            Some(key) => Ok(key),
            None => make_key(path),
        },
    }
}

/// The file is judged by its open handle, so that nobody can put another in its place in between.
fn read_key(path: &Path, strict: bool) -> Result<Option<DataKey>, Problem> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::problem(path, "read the key file", &error)),
    };
    let data = file.metadata().map_err(|error| files::problem(path, "look at", &error))?;
    if strict && data.uid() != rustix::process::geteuid().as_raw() {
        return Err(files::refused(path, "it belongs to another user"));
    }
    if strict && data.mode() & 0o077 != 0 {
        return Err(
            files::refused(path, "others may read it").remedy(format!("Use: chmod 600 {}", path.display()))
        );
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(1024).read_to_string(&mut text);
    let bytes = read.ok().and_then(|_| hex::decode(text.trim()).map(Zeroizing::new));
    let key: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
    key.map(|key| Some(Zeroizing::new(key))).ok_or_else(|| {
        files::refused(path, "it is no key").remedy("A key is 64 hexadecimal digits on one line.")
    })
}

fn make_key(path: &Path) -> Result<DataKey, Problem> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir).map_err(|error| files::problem(dir, "make", &error))?;
    let key = random_key()?;
    let mut text = Zeroizing::new(hex::encode(key.as_slice()));
    text.push('\n');
    let write = || {
        let mut file = files::create_private(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| files::problem(path, "make the key file", &error))?;
    files::sync_dir(dir)?;
    Ok(key)
}

fn random_key() -> Result<DataKey, Problem> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| no_randomness())?;
    Ok(key)
}

fn wrap_key(passphrase: &Secret, key: &DataKey) -> Result<Wrapped, Problem> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| no_randomness())?;
    let mut wrapped =
        Wrapped { salt: hex::encode(&salt), memory_kib: 64 * 1024, passes: 3, lanes: 1, key: String::new() };
    let wrapping = stretch(passphrase, &wrapped).ok_or_else(no_randomness)?;
    wrapped.key = seal(&wrapping, WRAP, key.as_slice())?;
    Ok(wrapped)
}

fn unwrap_key(passphrase: &Secret, wrapped: &Wrapped) -> Result<DataKey, Problem> {
    let plain = stretch(passphrase, wrapped).and_then(|wrapping| unseal(&wrapping, WRAP, &wrapped.key));
    let key: Option<[u8; 32]> = plain.and_then(|plain| plain.as_slice().try_into().ok());
    key.map(Zeroizing::new)
        .ok_or_else(|| Problem::new(Class::Input, "The passphrase does not open the sealed secrets."))
}

/// Argon2id. The limits keep a tampered file from asking for all memory.
fn stretch(passphrase: &Secret, wrapped: &Wrapped) -> Option<DataKey> {
    if wrapped.memory_kib > 1 << 20 || wrapped.passes > 100 || wrapped.lanes > 16 {
        return None;
    }
    let params = Params::new(wrapped.memory_kib, wrapped.passes, wrapped.lanes, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), &hex::decode(&wrapped.salt)?, key.as_mut_slice())
        .ok()?;
    Some(key)
}

/// Format byte, nonce, ciphertext. Bound to the name: a value moved to another name does not open.
fn seal(key: &DataKey, name: &str, plain: &[u8]) -> Result<String, Problem> {
    let mut nonce = [0; 24];
    getrandom::fill(&mut nonce).map_err(|_| no_randomness())?;
    let bound = bound_to(name);
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &bound })
        .map_err(|_| Problem::new(Class::Local, format!("The secret '{name}' could not be sealed.")))?;
    Ok(hex::encode(&[&[FORMAT][..], &nonce, &sealed].concat()))
}

fn unseal(key: &DataKey, name: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = hex::decode(sealed)?;
    let (format, rest) = bytes.split_first()?;
    let (nonce, sealed) = rest.split_at_checked(24)?;
    let nonce: [u8; 24] = nonce.try_into().ok()?;
    if *format != FORMAT {
        return None;
    }
    let bound = bound_to(name);
    let plain = cipher(key).decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &bound }).ok()?;
    Some(Zeroizing::new(plain))
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(**key))
}

fn bound_to(name: &str) -> Vec<u8> {
    [&[FORMAT][..], name.as_bytes()].concat()
}

fn no_randomness() -> Problem {
    Problem::new(Class::Local, "The system gives no random numbers or memory, so nothing can be sealed.")
}
