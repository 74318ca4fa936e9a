//! Where a profile's files are (decision 25).

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::model::{Class, Problem, text::shown};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub profile: String,
    /// The profile's own folder: everything that survives, but for the key.
    pub data: PathBuf,
    /// `keys.toml`, `themes/` and the key files of all profiles.
    pub config: PathBuf,
    pub key_file: PathBuf,
}

impl Places {
    /// The places of a profile (`default` unless named), with `--data-dir` where one is given.
    ///
    /// # Errors
    /// A name that is no plain file name; no home directory to start from.
    pub fn find(profile: Option<&str>, data_dir: Option<&Path>) -> Result<Self, Problem> {
        let profile = valid_profile(profile.unwrap_or("default"))?;
        let base = etcetera::choose_base_strategy().map_err(|_| {
            Problem::new(Class::Local, "No home directory was found to keep the data in.")
                .remedy("Set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME.")
        })?;
        let config = base.config_dir().join("parhelion");
        let data = data_dir.map_or_else(
            || base.state_dir().unwrap_or_else(|| base.data_dir()).join("parhelion").join(&profile),
            Path::to_owned,
        );
        Ok(Self::at(profile, data, config))
    }

    /// Everything in one folder: for the demo and for tests.
    pub fn within(dir: &Path, profile: &str) -> Result<Self, Problem> {
        Ok(Self::at(valid_profile(profile)?, dir.join("data"), dir.join("config")))
    }

    /// The places of every profile that was ever used, where they are unless a command line says otherwise.
    pub fn all() -> Vec<Self> {
        let Ok(default) = Self::find(None, None) else { return Vec::new() };
        let Some(base) = default.data.parent() else { return Vec::new() };
        let folders = std::fs::read_dir(base).into_iter().flatten().flatten();
        let names = folders.filter(|folder| folder.path().join("audit").is_dir());
        let mut all: Vec<Self> =
            names.filter_map(|folder| Self::find(Some(folder.file_name().to_str()?), None).ok()).collect();
        all.sort_by(|a, b| a.profile.cmp(&b.profile));
        all
    }

    fn at(profile: String, data: PathBuf, config: PathBuf) -> Self {
        let key_file = config.join(format!("{profile}.key"));
        Self { profile, data, config, key_file }
    }

    pub fn audit(&self) -> PathBuf {
        self.data.join("audit")
    }

    pub fn index(&self) -> PathBuf {
        self.data.join("index")
    }

    pub fn secrets(&self) -> PathBuf {
        self.data.join("secrets")
    }

    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// Reports of panics.
    pub fn reports(&self) -> PathBuf {
        self.data.join("reports")
    }

    /// Where the host listens, if the system takes a path that long.
    pub fn socket(&self) -> PathBuf {
        self.data.join("run").join("socket")
    }

    /// Names the job that the host is at.
    pub fn under_way(&self) -> PathBuf {
        self.data.join("run").join("job")
    }

    pub fn keymap(&self) -> PathBuf {
        self.config.join("keys.toml")
    }

    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }
}

/// Profile names become file names.
fn valid_profile(name: &str) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.len() <= 64 && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(name.to_owned());
    }
    let message = format!("'{}' is not a name for a profile.", shown(name));
    Err(Problem::new(Class::Input, message)
        .remedy("Use letters, digits, '-', '_' and '.', at most 64, beginning with a letter or digit."))
}
