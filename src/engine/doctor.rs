//! `doctor`: looks at everything a profile rests on and says of each thing whether it is sound and, if not, what to
//! do; `--rebuild` makes the index again from the trail. Nothing is written to any other system.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::book::Book;
use super::expiry::Expiry;
use super::profiles::{Told, told};
use super::{connect, keys};
use crate::api::http::{Request, Transport, Url};
use crate::model::settings::{SecretSource, Settings};
use crate::model::{Integration, Moment, Place, Problem};
use crate::store::index::Opened;
use crate::store::trail::free_space;
use crate::store::{Index as _, KeySource, Lock, Places, Seq, SledIndex, Trail, Vault, lock, secret_source};
use crate::{logging, settings};

/// Free space below which the trail stops a job, and below which it is time to make room.
const LEAST_SPACE: u64 = 64 << 20;
const LITTLE_SPACE: u64 = 1 << 30;
/// How far this machine's clock may be from Halo's.
const CLOCK_WARNING: i64 = 60;
const CLOCK_WRONG: i64 = 300;
/// How long Halo is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub state: Health,
    pub message: String,
    /// What to do; empty where nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Ok,
    /// Works, and should be seen to.
    Warning,
    Failed,
    /// Could not be looked at, or there is nothing to look at.
    Skipped,
}

impl Health {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What was found, in the order it was looked at.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn say(
        &mut self,
        name: &'static str,
        state: Health,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Finding { name, state, message: message.into(), remedy: remedy.into() });
    }

    fn ok(&mut self, name: &'static str, message: impl Into<String>) {
        self.say(name, Health::Ok, message, "");
    }

    fn skip(&mut self, name: &'static str, message: impl Into<String>) {
        self.say(name, Health::Skipped, message, "");
    }

    fn fail(&mut self, name: &'static str, problem: Problem) {
        self.say(name, Health::Failed, problem.message, problem.remedy);
    }
}

/// Looks at everything.
pub async fn examine(
    places: &Places,
    key: KeySource,
    transport: &dyn Transport,
    now: Moment,
) -> Vec<Finding> {
    let mut found = Findings::default();
    found.ok("program", format!("{} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS));
    if !places.data.exists() {
        found.skip("folder", format!("{} is not there: this profile was never used", places.data.display()));
        return found.0;
    }
    folders(places, &key, &mut found);
    space(places, &mut found);
    let held = holder(places, &mut found);
    let trail = trail(places, &mut found);
    let vault = secrets(places, key, &mut found);
    index(places, held, trail.as_ref(), &mut found);
    let settings = trail.map(|trail| trail.settings).unwrap_or_default();
    sources(&settings, vault.as_ref(), &mut found);
    ends(&settings, now, &mut found);
    clock(&settings, transport, now, &mut found).await;
    logs(places, &mut found);
    found.0
}

/// Who may read what. The profile's folder shuts out everybody else, so what lies in it need not.
fn folders(places: &Places, key: &KeySource, found: &mut Findings) {
    let closed = |path: &Path, mode: &str| -> Result<(), (String, String)> {
        let Ok(data) = std::fs::symlink_metadata(path) else { return Ok(()) };
        let path = path.display();
        if data.uid() != rustix::process::geteuid().as_raw() {
            return Err((format!("{path} belongs to another user"), format!("Use: chown -R $USER {path}")));
        }
        if data.mode() & 0o077 != 0 {
            let message = format!("others may read {path} (mode {:o})", data.mode() & 0o777);
            return Err((message, format!("Use: chmod {mode} {path}")));
        }
        Ok(())
    };
    let mut wanted = vec![(places.data.clone(), "700"), (places.audit(), "700"), (places.secrets(), "600")];
    if let KeySource::File(path) = key {
        wanted.push((path.clone(), "600"));
    }
    let faults: Vec<_> = wanted.iter().filter_map(|(path, mode)| closed(path, mode).err()).collect();
    for (message, remedy) in &faults {
        found.say("rights", Health::Failed, message, remedy);
    }
    if faults.is_empty() {
        found.ok("rights", format!("{} and the key are closed to other users", places.data.display()));
    }
    match lock::network_file_system(&places.data) {
        Ok(None) => found.ok("file system", "local"),
        Ok(Some(name)) => found.say(
            "file system",
            Health::Failed,
            format!("{} lies on {name}: a crash could lose what was acknowledged", places.data.display()),
            "Choose a local folder with --data-dir.",
        ),
        Err(problem) => found.fail("file system", problem),
    }
}

fn space(places: &Places, found: &mut Findings) {
    match free_space(&places.data) {
        Ok(free) => {
            let state = match free {
                free if free < LEAST_SPACE => Health::Failed,
                free if free < LITTLE_SPACE => Health::Warning,
                _ => Health::Ok,
            };
            let remedy = if state == Health::Ok {
                ""
            } else {
                "Free some space: below 64 MiB jobs stop before they write."
            };
            found.say("space", state, format!("{} MiB are free", free >> 20), remedy);
        }
        Err(problem) => found.fail("space", problem),
    }
}

/// The lock, held from here on where nobody else has it.
fn holder(places: &Places, found: &mut Findings) -> Option<Lock> {
    if let Some(holder) = lock::holder(&places.data) {
        let command = crate::model::text::shown(&holder.command).into_owned();
        found.ok("lock", format!("held by process {} ('{command}')", holder.pid));
        return None;
    }
    match Lock::take(&places.data, "parhelion doctor") {
        Ok(lock) => {
            found.ok("lock", "free");
            Some(lock)
        }
        Err(problem) => {
            found.fail("lock", problem);
            None
        }
    }
}

fn trail(places: &Places, found: &mut Findings) -> Option<Told> {
    if !places.audit().exists() {
        found.skip("trail", "nothing was written yet");
        return None;
    }
    match told(places) {
        Ok(told) => {
            let Told { records, unknown, last_seq, .. } = told;
            found.ok("trail", format!("{records} records up to line {last_seq}, the chain is whole"));
            if unknown > 0 {
                found.say(
                    "trail",
                    Health::Warning,
                    format!("{unknown} records are of kinds that this program does not know"),
                    "They were written by a newer version: use that one.",
                );
            }
            Some(told)
        }
        Err(problem) => {
            found.fail("trail", problem);
            None
        }
    }
}

fn secrets(places: &Places, key: KeySource, found: &mut Findings) -> Option<Vault> {
    let from = match &key {
        KeySource::File(path) | KeySource::Credential(path) => path.display().to_string(),
        KeySource::Passphrase(_) => "a passphrase".into(),
    };
    match Vault::open(&places.secrets(), key) {
        Ok(vault) => {
            let names = vault.keys();
            let shut: Vec<Problem> = names.iter().filter_map(|name| vault.get(name).err()).collect();
            for problem in shut {
                found.fail("secrets", problem);
            }
            match names.len() {
                0 => found.ok("secrets", "none are sealed; the key is made when the first one is"),
                n => found.ok("secrets", format!("{n} sealed, opened with the key in {from}")),
            }
            Some(vault)
        }
        Err(problem) => {
            found.fail("secrets", problem);
            None
        }
    }
}

fn index(places: &Places, held: Option<Lock>, trail: Option<&Told>, found: &mut Findings) {
    if !places.index().exists() {
        return found.skip("index", "it is not there: the next start makes it from the trail");
    }
    let Some(_lock) = held else {
        return found.skip("index", "it is in use by the process that holds the lock");
    };
    let read = || {
        let (index, opened) = SledIndex::open(&places.index())?;
        let applied =
            index.get(&keys::applied())?.and_then(|bytes| serde_json::from_slice::<Seq>(&bytes).ok());
        let open = index.scan(&keys::intents(), None, 1000)?.len();
        Ok::<_, Problem>((opened, applied.unwrap_or(0), open, index.size_on_disk()?))
    };
    let (opened, applied, open, bytes) = match read() {
        Ok(read) => read,
        Err(problem) => return found.fail("index", problem),
    };
    if let Opened::Repaired { aside } | Opened::Rebuilt { aside } = &opened {
        let message = format!("it was damaged; what was found lies in {}", aside.display());
        found.say("index", Health::Warning, message, "The next start brings it up from the trail.");
    }
    let last = trail.map_or(applied, |trail| trail.last_seq);
    if applied > last {
        found.say(
            "index",
            Health::Failed,
            format!(
                "it has seen record {applied}, but the trail ends at {last}: the end of the trail is missing"
            ),
            "Restore a backup, or `parhelion doctor --rebuild` to go on with what is left.",
        );
    } else {
        let behind =
            if applied == last { String::new() } else { format!(", {} lines behind", last - applied) };
        found.ok("index", format!("it opens, {} KiB{behind}", bytes >> 10));
    }
    if open > 0 {
        found.say(
            "requests",
            Health::Warning,
            format!("{open} requests have no answer yet"),
            "The next job looks what became of them before it writes anything.",
        );
    }
}

/// The settings, and whether every secret they name can be read.
fn sources(settings: &Settings, vault: Option<&Vault>, found: &mut Findings) {
    let is_on = |place: Place| match place {
        Place::Of(of) => settings.of(of).enabled,
        Place::Halo => Integration::ALL.into_iter().any(|of| settings.of(of).enabled),
    };
    for place in Place::all().filter(|place| is_on(*place)) {
        let missing = connect::missing(settings, place);
        if !missing.is_empty() {
            found.say(
                "settings",
                Health::Warning,
                format!("{} is on, but not set up: {} missing", place.label(), missing.join(", ")),
                "Fill in its form, or use `parhelion config set` and `parhelion secret set`.",
            );
            continue;
        }
        let own = |setting: &&settings::Setting| {
            setting.kind == settings::Kind::Secret && setting.section == settings::Section::Of(place)
        };
        let keys: Vec<&str> =
            settings::all().iter().filter(own).map(|setting| setting.key.as_str()).collect();
        if keys.into_iter().all(|key| opens(settings, key, vault, found)) {
            found.ok("settings", format!("{} is set up", place.label()));
        }
    }
}

/// Whether a secret can be read now; says so where it cannot.
fn opens(settings: &Settings, key: &str, vault: Option<&Vault>, found: &mut Findings) -> bool {
    match (settings::secret_source(settings, key), vault) {
        (None | Some(SecretSource::Unset), _) => return true,
        // A command may ask or cost: it is run when a job needs it.
        (Some(SecretSource::Command(_)), _) => {
            found.skip("settings", format!("{key} comes from a command; not run"));
        }
        (Some(source), Some(vault)) => match secret_source::resolve(source, key, vault) {
            Ok(secret) => {
                logging::keep_out(&secret);
                return true;
            }
            Err(problem) => found.fail("settings", problem),
        },
        (Some(_), None) => {
            found.skip("settings", format!("{key} cannot be looked at without the sealed secrets"));
        }
    }
    false
}

/// Secrets whose day is known (P47).
fn ends(settings: &Settings, now: Moment, found: &mut Findings) {
    let today = now.to_zoned(jiff::tz::TimeZone::system()).date();
    for expiry in Expiry::all(settings, today) {
        if expiry.is_near() {
            let remedy = "Make a new one there, set it here, and set its new date.";
            found.say("secret's end", Health::Warning, expiry.sentence(), remedy);
        } else {
            found.ok("secret's end", expiry.sentence());
        }
    }
}

/// Halo says the time with every answer: dates of changes and ends of subscriptions go by it.
async fn clock(settings: &Settings, transport: &dyn Transport, now: Moment, found: &mut Findings) {
    let Ok(url) = settings.halo.resource_server.parse::<Url>() else {
        return found.skip("clock", "Halo is not set up, so there is no clock to compare with");
    };
    let answer = match transport.send(Request::get(url).total(PATIENCE)).await {
        Ok(answer) => answer,
        Err(error) => return found.skip("clock", format!("Halo could not be asked for the time: {error}")),
    };
    let Some(theirs) = answer.header("date").and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return found.skip("clock", "Halo's answer says no time");
    };
    let theirs = theirs.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let off = now.as_second() - theirs;
    let state = match off.abs() {
        0..CLOCK_WARNING => Health::Ok,
        CLOCK_WARNING..CLOCK_WRONG => Health::Warning,
        _ => Health::Failed,
    };
    match state {
        Health::Ok => found.ok("clock", "the same as Halo's"),
        state => {
            let side = if off > 0 { "ahead of" } else { "behind" };
            let message = format!("this machine is {} s {side} Halo", off.abs());
            found.say("clock", state, message, "Let the system set its clock (timedatectl set-ntp true).");
        }
    }
}

fn logs(places: &Places, found: &mut Findings) {
    let total = |dir: &Path| {
        let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
        files
            .filter_map(|file| Some(file.metadata().ok()?.len()))
            .fold((0, 0), |(n, sum), len| (n + 1, sum + len))
    };
    let (files, bytes) = total(&places.logs());
    found.ok("logs", format!("{} MiB in {files} files", bytes >> 20));
    let (reports, _) = total(&places.reports());
    if reports > 0 {
        found.say(
            "reports",
            Health::Warning,
            format!("{reports} reports of bugs are in {}", places.reports().display()),
            "Send them to the program's makers, then delete them.",
        );
    }
}

/// What `doctor --rebuild` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Records that it was made from.
    pub records: u64,
    pub last_seq: Seq,
    /// Where the old index lies now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aside: Option<PathBuf>,
}

/// Makes the index again from the trail; the old one is kept aside. Stored plans and what was read of the customers
/// are gone with it: both are read again.
///
/// # Errors
/// `Busy` where a process has the store; a trail that does not verify: then the index stays.
pub fn rebuild(places: &Places, now: Moment) -> Result<Rebuilt, Problem> {
    if !places.audit().exists() {
        return Err(Problem::new(
            crate::model::Class::Input,
            format!("There is no audit trail in {}.", places.data.display()),
        )
        .remedy("Name the profile with --profile, or its folder with --data-dir."));
    }
    let _lock = Lock::take(&places.data, "parhelion doctor --rebuild")?;
    let (trail, _) = Trail::open(&places.audit())?;
    let verified = trail.verify()?;
    let aside = places.data.join(format!("index.aside-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    let aside = match std::fs::rename(places.index(), &aside) {
        Ok(()) => Some(aside),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let message = format!("{} cannot be moved aside: {error}.", places.index().display());
            return Err(Problem::new(crate::model::Class::Local, message).remedy("Nothing was changed."));
        }
    };
    let (index, _) = SledIndex::open(&places.index())?;
    Book::open(trail, Arc::new(index))?.close()?;
    Ok(Rebuilt { records: verified.records, last_seq: verified.last_seq, aside })
}
