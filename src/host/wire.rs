//! What crosses the socket between a viewer and the host: a length of four bytes, most significant first, then as much
//! JSON. The first frame of each side ([`ToHost::Hello`]; [`ToViewer::Welcome`] or [`ToViewer::Refused`]) keeps its
//! shape for ever, so that programs of different versions at least understand why they do not understand each other.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::engine::words::{Answer, Command, Event, Overview, Presence, Query, Reply, SettingChange};
use crate::model::{Class, Moment, Place, Problem, Secret};

/// Changes with the frames below.
const FRAMES: u32 = 1;

/// The bytes of these files of `src/`, each with its name.
macro_rules! sources {
    ($($name:literal),* $(,)?) => { [$(($name, include_bytes!(concat!("../", $name)))),*] };
}

/// Where the words that cross the socket are told, and all that they are made of: two programs that have these in common
/// mean the same by a frame. A test finds what is missing here.
const TOLD_IN: &[(&str, &[u8])] = &sources![
    "engine/lifecycle/words.rs",
    "engine/words.rs",
    "engine/words/fields.rs",
    "engine/words/schedule.rs",
    "host/wire.rs",
    "integrations/field_rules.rs",
    "integrations/field_sample.rs",
    "lifecycle/age.rs",
    "lifecycle/budget.rs",
    "lifecycle/class.rs",
    "lifecycle/column.rs",
    "lifecycle/company.rs",
    "lifecycle/configuration.rs",
    "lifecycle/grade.rs",
    "lifecycle/mod.rs",
    "lifecycle/report.rs",
    "lifecycle/rule.rs",
    "lifecycle/setup.rs",
    "lifecycle/summary.rs",
    "lifecycle/tally.rs",
    "lifecycle/template.rs",
    "lifecycle/term.rs",
    "lifecycle/warranty.rs",
    "lifecycle/workspace.rs",
    "model/asset.rs",
    "model/check.rs",
    "model/count.rs",
    "model/field.rs",
    "model/id.rs",
    "model/link.rs",
    "model/money.rs",
    "model/problem.rs",
    "model/record.rs",
    "model/schedule.rs",
    "model/settings.rs",
    "model/settings/hudu.rs",
    "model/settings/lifecycle.rs",
    "model/settings/liongard.rs",
    "model/settings/matching.rs",
    "model/settings/notify.rs",
    "plan/change.rs",
    "plan/outline.rs",
    "plan/shape.rs",
    "plan/snapshot.rs",
];

/// Changes with the words inside the frames.
const WORDS: u32 = {
    let (mut hash, mut at) = (FNV_START, 0);
    while at < TOLD_IN.len() {
        hash = fingerprint(hash, TOLD_IN[at].1);
        at += 1;
    }
    hash
};

/// What both sides must agree on: the number of the frames and a fingerprint of the words.
pub fn protocol() -> String {
    format!("{FRAMES}-{WORDS:08x}")
}

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longest first frame, in bytes: nothing of an unknown peer is worth more.
pub const HELLO_CAP: usize = 64 * 1024;
/// Longest request: a file of mappings (16 MB) and its escapes.
pub const REQUEST_CAP: usize = 48 * 1024 * 1024;
/// Longest answer: the rows of a plan of half a million records.
pub const ANSWER_CAP: usize = 512 * 1024 * 1024;

const FNV_START: u32 = 0x811c_9dc5;

/// FNV-1a, 32 bits, going on from `hash`.
const fn fingerprint(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToHost {
    Hello(Hello),
    /// The number is the viewer's own; sent again after a broken line, it is still one order.
    Do {
        id: u64,
        command: Order,
    },
    Ask {
        id: u64,
        query: Query,
    },
}

/// Who knocks. Unknown fields are passed over, missing ones are blank.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    pub protocol: String,
    pub version: String,
    pub profile: String,
    pub user: String,
    pub from: Option<String>,
    pub pid: u32,
    /// A screen: others are told of it, and it wants the first overview at once.
    pub is_screen: bool,
    /// The same over all lines of one viewer.
    pub session: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToViewer {
    Welcome(Box<Welcome>),
    Refused(Refused),
    Reply {
        id: u64,
        result: Result<Reply, Problem>,
    },
    Answer {
        id: u64,
        result: Result<Answer, Problem>,
    },
    /// Numbered without a gap, beginning one above the welcome's number.
    Event {
        number: u64,
        event: Event,
    },
    /// The viewer was too slow: everything up to this number is lost to it.
    Lagged {
        number: u64,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Welcome {
    /// The viewer's number in [`Presence`].
    pub you: u64,
    /// Unique to the life of one host.
    pub host: String,
    pub profile: String,
    pub pid: u32,
    pub version: String,
    pub since: Moment,
    /// The snapshot below holds everything up to this event.
    pub number: u64,
    pub presence: Presence,
    pub overview: Option<Box<Overview>>,
}

/// Why the host talks to this peer no further.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refused {
    #[serde(default)]
    pub protocol: String,
    #[serde(default)]
    pub version: String,
    pub problem: Problem,
}

/// A command on its way. The only form in which a secret leaves its process unsealed: over a socket that both ends
/// have checked to belong to the same user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Plain(Command),
    Seal { key: String, secret: Bare },
    Test { place: Place, draft: Vec<SettingChange>, secrets: Vec<(String, Bare)> },
}

/// A secret's text, wiped when dropped, and not shown by `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bare(Zeroizing<String>);

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<&Secret> for Bare {
    fn from(secret: &Secret) -> Self {
        Self(Zeroizing::new(secret.expose().to_owned()))
    }
}

impl Bare {
    fn secret(&self) -> Secret {
        Secret::new(self.0.as_str())
    }
}

impl From<Command> for Order {
    fn from(command: Command) -> Self {
        match command {
            Command::SealSecret { key, secret } => Self::Seal { key, secret: (&secret).into() },
            Command::Test { place, draft, secrets } => Self::Test {
                place,
                draft,
                secrets: secrets.iter().map(|(key, secret)| (key.clone(), secret.into())).collect(),
            },
            command => Self::Plain(command),
        }
    }
}

impl From<Order> for Command {
    fn from(order: Order) -> Self {
        match order {
            Order::Plain(command) => command,
            Order::Seal { key, secret } => Self::SealSecret { key, secret: secret.secret() },
            Order::Test { place, draft, secrets } => Self::Test {
                place,
                draft,
                secrets: secrets.into_iter().map(|(key, bare)| (key, bare.secret())).collect(),
            },
        }
    }
}

/// A whole frame, ready to be written to any number of sockets.
pub type Frame = Arc<[u8]>;

/// # Errors
/// What is longer than `cap`, or cannot be said in JSON: a sentence for whoever asked.
pub fn frame(message: &impl Serialize, cap: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    bytes.extend([0; 4]);
    serde_json::to_writer(&mut *bytes, message).map_err(|error| {
        Problem::new(Class::Local, format!("This cannot be sent between screen and host: {error}."))
    })?;
    let length = bytes.len() - 4;
    let head = u32::try_from(length).ok().filter(|_| length <= cap).ok_or_else(|| {
        Problem::new(Class::Local, format!("This is too much for one message ({} MB).", length / 1_000_000))
            .remedy("Ask for less at a time, such as one customer.")
    })?;
    bytes[..4].copy_from_slice(&head.to_be_bytes());
    Ok(bytes)
}

/// The next frame's JSON; `None` when the other side has closed. Memory grows with what arrives, not with what is
/// announced.
///
/// # Errors
/// `InvalidData` for a frame over `cap`; `UnexpectedEof` for one that broke off.
pub async fn read(from: &mut (impl AsyncRead + Unpin), cap: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let length = u32::from_be_bytes(head) as usize;
    if length > cap {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes")));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.min(64 * 1024)));
    let got = from.take(length as u64).read_to_end(&mut bytes).await?;
    if got < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

pub async fn write(to: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    to.write_all(frame).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type that crosses the socket and is told elsewhere would let two builds misunderstand each other in silence.
    #[test]
    fn every_file_that_tells_a_word_is_in_the_fingerprint() {
        fn rust_files(at: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(at).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    rust_files(&path, found);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    found.push(path);
                }
            }
        }
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = vec![root.join("engine/words.rs"), root.join("engine/lifecycle/words.rs")];
        for folder in ["model", "plan", "lifecycle", "integrations", "engine/words"] {
            rust_files(&root.join(folder), &mut files);
        }
        assert!(files.len() > 40, "{files:?}");
        for path in files {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            let crosses = std::fs::read_to_string(&path).unwrap().contains("Deserialize");
            assert_eq!(TOLD_IN.iter().any(|(told, _)| *told == name), crosses, "{name}");
        }
    }

    #[test]
    fn the_fingerprint_changes_with_each_byte() {
        let whole = fingerprint(FNV_START, b"pub struct Plan");
        assert_ne!(whole, fingerprint(FNV_START, b"pub struct Plam"));
        assert_eq!(whole, fingerprint(fingerprint(FNV_START, b"pub struct"), b" Plan"));
    }
}
