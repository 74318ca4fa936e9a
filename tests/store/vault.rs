use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use parhelion::model::Secret;
use parhelion::model::settings::SecretSource;
use parhelion::store::secret_source::{concern, resolve};
use parhelion::store::{KeySource, Vault};

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
    fn file(&self) -> PathBuf {
        self.dir.path().join("secrets")
    }
    fn key(&self) -> PathBuf {
        self.dir.path().join("config/default.key")
    }
    fn open(&self) -> Result<Vault, parhelion::model::Problem> {
        Vault::open(&self.file(), KeySource::File(self.key()))
    }
    fn filled(&self) -> Vault {
        let vault = self.open().unwrap();
        vault.set("also.password", &Secret::new("hunter2 Łódź")).unwrap();
        vault.set("halo.client_secret", &Secret::new("second")).unwrap();
        vault
    }
    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }
}

#[test]
fn secrets_survive_sealed_and_private() {
    let bench = Bench::new();
    assert!(bench.open().unwrap().get("also.password").unwrap().is_none());
    assert!(!bench.key().exists(), "no key before there is something to seal");
    bench.filled();
    for path in [bench.file(), bench.key()] {
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("68756e74657232"));
    }
    let vault = bench.open().unwrap();
    assert_eq!(vault.get("also.password").unwrap().unwrap().expose(), "hunter2 Łódź");
    assert_eq!(vault.keys(), ["also.password", "halo.client_secret"]);
    vault.remove("also.password").unwrap();
    assert!(bench.open().unwrap().get("also.password").unwrap().is_none());
    assert!(!bench.dir.path().join("secrets.new").exists());
}

#[test]
fn a_record_moved_to_another_name_does_not_open() {
    let bench = Bench::new();
    bench.filled();
    let mut json = bench.json();
    json["secrets"]["westcoast.password"] = json["secrets"]["also.password"].clone();
    std::fs::write(bench.file(), json.to_string()).unwrap();
    let vault = bench.open().unwrap();
    assert!(vault.get("also.password").unwrap().is_some());
    assert!(vault.get("westcoast.password").unwrap_err().message.contains("tampered"));
}

#[test]
fn a_changed_bit_does_not_open() {
    let bench = Bench::new();
    bench.filled();
    let mut json = bench.json();
    let sealed = json["secrets"]["also.password"].as_str().unwrap().to_owned();
    let last = if sealed.ends_with('0') { "1" } else { "0" };
    json["secrets"]["also.password"] = format!("{}{last}", &sealed[..sealed.len() - 1]).into();
    std::fs::write(bench.file(), json.to_string()).unwrap();
    assert!(bench.open().unwrap().get("also.password").is_err());
    for damaged in ["", "{", "{\"format\":1,\"secrets\":{\"a\":\"zz\"}}", "{\"format\":9,\"secrets\":{}}"] {
        std::fs::write(bench.file(), damaged).unwrap();
        assert!(bench.open().is_err(), "{damaged}");
    }
}

#[test]
fn another_key_is_told_at_once_and_a_lost_one_is_never_made_anew() {
    let bench = Bench::new();
    bench.filled();
    let key = std::fs::read_to_string(bench.key()).unwrap();
    let other = if key.starts_with('0') { "1" } else { "0" };
    std::fs::write(bench.key(), format!("{other}{}", &key[1..])).unwrap();
    assert!(bench.open().err().unwrap().message.contains("does not open"));
    std::fs::write(bench.key(), "short").unwrap();
    assert!(bench.open().err().unwrap().message.contains("no key"));
    std::fs::remove_file(bench.key()).unwrap();
    assert!(bench.open().err().unwrap().message.contains("missing"));
    assert!(!bench.key().exists());
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let bench = Bench::new();
    bench.filled();
    for mode in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(bench.key(), std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(bench.open().err().unwrap().message.contains("others may read"), "{mode:o}");
    }
    // A credential's rights are systemd's affair.
    assert!(Vault::open(&bench.file(), KeySource::Credential(bench.key())).is_ok());
}

#[test]
fn a_passphrase_only_wraps_the_key() {
    let bench = Bench::new();
    let with = |text: &str| Vault::open(&bench.file(), KeySource::Passphrase(Secret::new(text)));
    with("correct horse").unwrap().set("also.password", &Secret::new("hunter2")).unwrap();
    assert_eq!(with("correct horse").unwrap().get("also.password").unwrap().unwrap().expose(), "hunter2");
    assert!(with("wrong horse").err().unwrap().message.contains("passphrase"));
    assert!(bench.open().err().unwrap().message.contains("passphrase"));
}

#[test]
fn references_are_read_at_use_and_errors_name_the_setting_only() {
    let bench = Bench::new();
    let vault = bench.filled();
    let read = |source: &SecretSource| resolve(source, "also.password", &vault);
    assert_eq!(read(&SecretSource::Sealed).unwrap().expose(), "hunter2 Łódź");
    assert!(read(&SecretSource::Unset).unwrap_err().message.contains("also.password is not set"));

    let file = bench.dir.path().join("password");
    std::fs::write(&file, " pass word\r\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let source = SecretSource::File(file.clone());
    assert_eq!(read(&source).unwrap().expose(), " pass word");
    assert!(concern(&source).unwrap().contains("other users"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(concern(&source), None);
    std::fs::write(&file, "").unwrap();
    assert!(read(&source).unwrap_err().message.contains("is empty"));
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(read(&source).unwrap_err().message.contains("not text"));
    std::fs::write(&file, "x".repeat(70_000)).unwrap();
    assert!(read(&source).is_err());
    assert!(read(&SecretSource::File("/nowhere/at/all".into())).is_err());

    let command = |text: &str| read(&SecretSource::Command(text.into()));
    assert_eq!(command("printf 'one\\n\\n'").unwrap().expose(), "one\n");
    let problem = command("echo planted-secret >&2; echo planted-secret; exit 3").unwrap_err();
    assert!(!problem.to_string().contains("planted"), "{problem}");
    assert!(problem.message.contains("failed"), "{problem}");
    assert!(command("cat").unwrap_err().message.contains("empty"), "standard input is closed");
    assert!(read(&SecretSource::Env("PARHELION_NO_SUCH_VARIABLE".into())).is_err());
    assert!(read(&SecretSource::Env("PATH".into())).is_ok());
}
