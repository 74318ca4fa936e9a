//! Settings of the program itself, kept as TOML in the configuration folder.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::theme::Signs;

/// The file in the configuration folder.
pub const FILE: &str = "screen.toml";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prefs {
    pub theme: String,
    /// `auto` follows the locale.
    pub signs: String,
    pub mouse: bool,
    /// News of a running job, frames a second; 0: 4 over SSH, else 10.
    pub frames: u32,
    /// Whether the window title follows the job.
    pub title: bool,
    /// How long a dialog that writes ignores its key after it is drawn, in milliseconds (U26).
    pub deaf_ms: u64,
}

impl Default for Prefs {
    fn default() -> Self {
        Self {
            theme: "default".into(),
            signs: "auto".into(),
            mouse: false,
            frames: 0,
            title: true,
            deaf_ms: 250,
        }
    }
}

impl Prefs {
    /// From the file's text; what is wrong with it, if anything is.
    pub fn read(text: &str, path: &str) -> (Self, Option<String>) {
        match toml::from_str::<Self>(text) {
            Ok(mut prefs) => {
                prefs.frames = prefs.frames.min(30);
                (prefs, None)
            }
            Err(error) => {
                (Self::default(), Some(format!("{path}: {}. The defaults are used.", error.message())))
            }
        }
    }

    pub fn write(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    pub fn signs(&self, locale: &str) -> Signs {
        Signs::named(&self.signs).unwrap_or_else(|| Signs::detect(locale))
    }

    /// Least time between two frames that only news of the engine asked for.
    pub fn news_gap(&self, is_ssh: bool) -> Duration {
        let frames = match self.frames {
            0 if is_ssh => 4,
            0 => 10,
            frames => frames.min(30),
        };
        Duration::from_millis(1000 / u64::from(frames))
    }
}
