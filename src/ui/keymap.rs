//! Keys to actions: the defaults, a person's own `keys.toml` over them, and what is made from both.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::action::{Action, Scope, TABLE};
use super::key::Key;

const DEFAULTS: &str = include_str!("keymap.toml");

/// Which keys do what. Every action is in it, some without a key (they are reached by name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: BTreeMap<Action, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut map = Self { keys: BTreeMap::new() };
        // The defaults are part of the program; that they are free of complaints is a test.
        let _ = map.patch(DEFAULTS, "keymap.toml");
        map
    }
}

impl Keymap {
    /// The defaults with a person's file over them, and one sentence for each line of it that was not taken (U32).
    pub fn with(file: &str, path: &str) -> (Self, Vec<String>) {
        let mut map = Self::default();
        let complaints = map.patch(file, path);
        (map, complaints)
    }

    fn patch(&mut self, file: &str, path: &str) -> Vec<String> {
        let table: toml::Table = match toml::from_str(file) {
            Ok(table) => table,
            Err(error) => return vec![format!("{path}: {}. The default keys are used.", error.message())],
        };
        let mut complaints = Vec::new();
        for (name, value) in &table {
            let line = line_of(file, name);
            let mut complain =
                |what: String| complaints.push(format!("{path}:{line}: {what}. The default stays."));
            let Some(action) = Action::named(name) else {
                complain(format!("'{name}' is not an action"));
                continue;
            };
            match keys_of(value).and_then(|keys| self.check(action, &keys).map(|()| keys)) {
                Ok(keys) => {
                    self.keys.insert(action, keys);
                }
                Err(what) => complain(what),
            }
        }
        complaints
    }

    fn check(&self, action: Action, keys: &[Key]) -> Result<(), String> {
        for key in keys {
            if let Some(why) = key.forbidden() {
                return Err(format!("{key} cannot be used: {why}"));
            }
            let clash = TABLE.iter().find(|other| {
                other.action != action
                    && self.keys(other.action).contains(key)
                    && action.entry().scopes.iter().any(|a| other.scopes.iter().any(|b| a.meets(*b)))
            });
            if let Some(other) = clash {
                return Err(format!("{key} is the key of '{}' already", other.name));
            }
        }
        Ok(())
    }

    pub fn keys(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The first key of an action, as hints show it; empty if it has none.
    pub fn label(&self, action: Action) -> String {
        self.keys(action).first().map(ToString::to_string).unwrap_or_default()
    }

    /// What a key means on a screen of this scope.
    pub fn action(&self, key: Key, screen: Scope) -> Option<Action> {
        TABLE
            .iter()
            .find(|entry| {
                self.keys(entry.action).contains(&key)
                    && entry.scopes.iter().any(|scope| scope.reaches(screen))
            })
            .map(|entry| entry.action)
    }
}

/// The README's key table (U33).
pub fn markdown() -> String {
    let map = Keymap::default();
    let mut text = String::new();
    for scope in Scope::ALL {
        let rows: Vec<_> =
            TABLE.iter().filter(|e| e.scopes[0] == scope && !map.keys(e.action).is_empty()).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(text, "\n**{}**\n\n| Keys | Does |\n|---|---|\n", scope.title());
        for entry in rows {
            let keys: Vec<_> = map.keys(entry.action).iter().map(|key| format!("`{key}`")).collect();
            let _ = writeln!(text, "| {} | {} |", keys.join(" "), entry.title);
        }
    }
    text.trim_start().to_owned()
}

fn keys_of(value: &toml::Value) -> Result<Vec<Key>, String> {
    let texts = match value {
        toml::Value::String(text) => vec![text.as_str()],
        toml::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(|| "keys are written as text".to_owned()))
            .collect::<Result<_, _>>()?,
        _ => return Err("keys are written as text, or as a list of texts".into()),
    };
    texts.into_iter().map(str::parse).collect()
}

fn line_of(file: &str, name: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.trim_start().trim_start_matches(['"', '\'']).strip_prefix(name).map(str::to_owned);
        rest.is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with('='))
    };
    file.lines().position(starts).map_or(1, |index| index + 1)
}
