//! Reading and changing settings by key. Every change goes through one [`Draft`], so that a form, `config set` and
//! an import cannot differ in what they accept.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use toml::{Table, Value};

use super::clean;
use super::kind::{Kind, brief, inline};
use super::node::{Node, Raw};
use super::table::{self, Section, Setting};
use crate::model::settings::{SecretSource, Settings};
use crate::model::{Class, Integration, Place, Problem, Secret};

/// What one change did to one setting, fit for the audit trail: secrets appear as where they come from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    pub key: String,
    pub before: String,
    pub after: String,
}

/// A snapshot of all values, for forms that show many.
pub struct Values(Table);

impl Values {
    /// # Errors
    /// Only for settings that no file or form could have made.
    pub fn of(settings: &Settings) -> Result<Self, Problem> {
        let mut tree = Table::try_from(settings).map_err(|_| unusable())?;
        // serde writes amounts as binary fractions; as text they stay what they are.
        let limits = [
            (None, Some(&settings.safety)),
            (Some("also"), settings.also.safety.as_ref()),
            (Some("westcoast"), settings.westcoast.safety.as_ref()),
            (Some("lifecycle"), settings.lifecycle.safety.as_ref()),
        ];
        for (section, safety) in limits {
            let Some(amount) = safety.and_then(|limits| limits.max_money_change) else { continue };
            let parent = match section {
                None => Some(&mut tree),
                Some(section) => tree.get_mut(section).and_then(Value::as_table_mut),
            };
            let limits = parent.and_then(|parent| parent.get_mut("safety")).and_then(Value::as_table_mut);
            if let Some(limits) = limits {
                limits.insert("max_money_change".into(), Value::String(amount.normalize().to_string()));
            }
        }
        Ok(Self(tree))
    }

    /// As a form or `config get` shows it; a secret as where it comes from. Empty where nothing is set.
    pub fn text(&self, setting: &Setting) -> String {
        match (self.value(&setting.key), setting.kind) {
            (Some(Value::Table(reference)), Kind::Secret) => inline(&Value::Table(reference.clone())),
            (Some(Value::String(state)), Kind::Secret) if state == "sealed" => "(sealed)".into(),
            (_, Kind::Secret) | (None, _) => String::new(),
            (Some(value), kind) => kind.show(value),
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        let (first, rest) = key.split_once('.')?;
        rest.split('.').try_fold(self.0.get(first)?, |value, part| value.as_table()?.get(part))
    }
}

/// One setting, one group (`also.pace`) or one section (`also`) as text: a setting plain, the others as TOML.
///
/// # Errors
/// For an unknown key, naming the nearest one.
pub fn get(settings: &Settings, key: &str) -> Result<String, Problem> {
    let values = Values::of(settings)?;
    if let Some(setting) = table::find(key) {
        return Ok(values.text(setting));
    }
    if Section::ALL.iter().any(|section| section.key() == key) {
        return Ok(super::document::section_text(&values, key));
    }
    if table::is_group(key) {
        return Ok(super::document::group_text(&values, key));
    }
    Err(unknown_key(key).problem())
}

/// `config set KEY VALUE`: TOML or a bare word; the key of a group takes a table with some of its settings.
///
/// # Errors
/// A sentence naming the key. A secret as plain text is refused: arguments can be seen by everybody on a machine.
pub fn set(settings: &Settings, key: &str, argument: &str) -> Result<(Settings, Vec<String>), Problem> {
    let node = match table::find(key) {
        Some(setting) => match setting.kind {
            Kind::Secret => secret_argument(key, argument)?,
            kind => kind.argument(argument).map_err(|rest| sentence(0, key, &rest))?,
        },
        None if table::is_group(key) => super::node::from_toml_value(argument)
            .ok_or_else(|| sentence(0, key, "must be a table such as { name = value }"))?,
        None => return Err(unknown_key(key).problem()),
    };
    edit(settings, key, node)
}

/// What a person typed into the field of a form. Empty text gives a limit of an integration back to the profile.
///
/// # Errors
/// A sentence naming the key.
pub fn enter(settings: &Settings, key: &str, typed: &str) -> Result<(Settings, Vec<String>), Problem> {
    let setting = table::find(key).ok_or_else(|| unknown_key(key).problem())?;
    if setting.kind == Kind::Secret {
        return edit(settings, key, secret_argument(key, typed)?);
    }
    if typed.trim().is_empty() && !matches!(setting.kind, Kind::Text | Kind::Lines) {
        return match setting.kind {
            Kind::Number { .. } | Kind::Fraction { .. } | Kind::Choice(_) | Kind::Time => {
                Ok((reset(settings, key)?, Vec::new()))
            }
            kind => edit(settings, key, kind.typed(typed).map_err(|rest| sentence(0, key, &rest))?),
        };
    }
    let node = setting.kind.typed(typed).map_err(|rest| sentence(0, key, &rest))?;
    edit(settings, key, node)
}

/// Puts a setting, a group or a section back to its defaults; an integration's own limits back to the profile's.
///
/// # Errors
/// For an unknown key.
pub fn reset(settings: &Settings, key: &str) -> Result<Settings, Problem> {
    let below = format!("{key}.");
    let rows: Vec<&Setting> =
        table::all().iter().filter(|row| row.key == key || row.key.starts_with(&below)).collect();
    if rows.is_empty() {
        return Err(unknown_key(key).problem());
    }
    let defaults = Values::of(&Settings { safety: settings.safety.clone(), ..Settings::default() })?;
    let profile = Values::of(&Settings::default())?;
    let mut draft = Draft::of(settings)?;
    for row in &rows {
        match row.key.split_once(".safety.") {
            // The default of an integration's own limit is the profile's limit.
            Some((_, limit)) => draft.place(row, defaults.value(&format!("safety.{limit}")).cloned()),
            None => draft.place(row, profile.value(&row.key).cloned()),
        }
    }
    let mut next = draft.settings()?;
    for integration in Integration::ALL {
        let concerned = rows.iter().any(|row| row.key.starts_with(&format!("{integration}.safety.")));
        if concerned && next.of(integration).safety == Some(&next.safety) {
            *next.safety_mut(integration) = None;
        }
    }
    Ok(next)
}

/// Where the secret of that key comes from; `None` where the key is no secret.
pub fn secret_source<'a>(settings: &'a Settings, key: &str) -> Option<&'a SecretSource> {
    match key {
        "profile.notify.webhook" => Some(&settings.profile.notify.webhook),
        "profile.notify.ping" => Some(&settings.profile.notify.ping),
        "halo.client_secret" => Some(&settings.halo.client_secret),
        "also.password" => Some(&settings.also.password),
        "westcoast.password" => Some(&settings.westcoast.password),
        _ => None,
    }
}

/// The settings with another source for that secret, once it is sealed.
///
/// # Errors
/// Where the key is no secret.
pub fn set_secret_source(settings: &Settings, key: &str, source: SecretSource) -> Result<Settings, Problem> {
    let mut next = settings.clone();
    let slot = match key {
        "profile.notify.webhook" => &mut next.profile.notify.webhook,
        "profile.notify.ping" => &mut next.profile.notify.ping,
        "halo.client_secret" => &mut next.halo.client_secret,
        "also.password" => &mut next.also.password,
        "westcoast.password" => &mut next.westcoast.password,
        "liongard.access_key_secret" => &mut next.liongard.access_key_secret,
        "hudu.api_key" => &mut next.hudu.api_key,
        _ => {
            let known: Vec<_> =
                table::all().iter().filter(|s| s.kind == Kind::Secret).map(|s| &*s.key).collect();
            let message = format!("'{}' is not a secret.", brief(key));
            return Err(
                Problem::new(Class::Input, message).remedy(format!("Known are {}.", known.join(", ")))
            );
        }
    };
    *slot = source;
    Ok(next)
}

fn edit(settings: &Settings, key: &str, node: Node) -> Result<(Settings, Vec<String>), Problem> {
    let mut draft = Draft::of(settings)?;
    draft.put(key, 0, node);
    let done =
        draft.finish(settings).map_err(|problems| problems.into_iter().next().unwrap_or_else(unusable))?;
    Ok((done.settings, done.notes))
}

/// A reference to a secret, from an argument or a form; never the secret itself.
fn secret_argument(key: &str, argument: &str) -> Result<Node, Problem> {
    let node = super::node::from_toml_value(argument);
    node.filter(|node| matches!(node.value, Raw::Table(_))).ok_or_else(|| {
        Problem::new(
            Class::Input,
            format!("{key} must be {} here, not the secret itself.", Kind::Secret.expects()),
        )
        .remedy(format!("To seal a secret, use: parhelion secret set {key}"))
    })
}

/// Settings on their way to being changed: all problems are collected, and only a faultless draft becomes settings.
pub(super) struct Draft {
    values: Values,
    secrets: Vec<(String, Secret)>,
    notes: Vec<String>,
    problems: Vec<Problem>,
    /// What was named, and where.
    lines: BTreeMap<String, usize>,
}

pub(super) struct Finished {
    pub settings: Settings,
    pub secrets: Vec<(String, Secret)>,
    pub changes: Vec<Change>,
    pub notes: Vec<String>,
}

impl Draft {
    pub fn of(settings: &Settings) -> Result<Self, Problem> {
        Ok(Self {
            values: Values::of(settings)?,
            secrets: Vec::new(),
            notes: Vec::new(),
            problems: Vec::new(),
            lines: BTreeMap::new(),
        })
    }

    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Takes a value, or a table of values, for a key.
    pub fn put(&mut self, key: &str, line: usize, node: Node) {
        let Some(setting) = table::find(key) else {
            match node.value {
                _ if !table::is_group(key) => self.problems.push(unknown_key(key).at(line)),
                Raw::Table(entries) => {
                    for (part, line, value) in entries {
                        self.put(&format!("{key}.{part}"), line, value);
                    }
                }
                _ => self.problems.push(sentence(line, key, "must be a table such as { name = value }")),
            }
            return;
        };
        if self.lines.insert(key.to_owned(), line).is_some() {
            self.problems.push(sentence(line, key, "is given twice"));
            return;
        }
        if setting.kind == Kind::Secret {
            match self.take_secret(key, node) {
                Ok(value) => self.place(setting, Some(value)),
                Err(rest) => self.problems.push(sentence(line, key, &rest)),
            }
            return;
        }
        match setting.kind.take(&node) {
            Ok(taken) => {
                self.notes.extend(taken.notes.iter().map(|note| format!("{key}: {note}")));
                // An empty amount is no amount.
                let nothing = setting.kind == Kind::Money && taken.value.as_str() == Some("");
                self.place(setting, (!nothing).then_some(taken.value));
            }
            Err(rest) => self.problems.push(sentence(line, key, &rest)),
        }
    }

    fn take_secret(&mut self, key: &str, node: Node) -> Result<Value, String> {
        let refuse = || Err(format!("must be {}, or the secret in quotes", Kind::Secret.expects()));
        match node.value {
            Raw::Text(text) if text.is_empty() => Ok(Value::String("unset".into())),
            Raw::Text(text) => {
                if let Some(note) = clean::stray_spaces(&text) {
                    self.notes.push(format!("{key} {note}"));
                }
                self.secrets.push((key.to_owned(), Secret::new(text)));
                Ok(Value::String("sealed".into()))
            }
            Raw::Table(entries) if entries.len() == 1 => match entries.into_iter().next() {
                Some((how, _, Node { value: Raw::Text(text), .. }))
                    if ["env", "file", "command"].contains(&how.as_str()) && !text.trim().is_empty() =>
                {
                    // Never repeated: somebody may have put the secret itself here.
                    if how == "env" && !is_variable_name(&text) {
                        return Err("names no environment variable: letters, digits and _ only".into());
                    }
                    if text.chars().any(|c| c == '\0') {
                        return refuse();
                    }
                    Ok(Value::Table(Table::from_iter([(how, Value::String(text))])))
                }
                _ => refuse(),
            },
            _ => refuse(),
        }
    }

    /// Puts a checked value in its place; `None` takes it away.
    fn place(&mut self, setting: &Setting, value: Option<Value>) {
        let profile_limits = self.values.0.get("safety").cloned();
        let parts: Vec<&str> = setting.key.split('.').collect();
        let Some((last, path)) = parts.split_last() else { return };
        let mut at = &mut self.values.0;
        for part in path {
            // An integration's own limits begin as a copy of the profile's.
            let fresh = if *part == "safety" { profile_limits.clone() } else { None };
            let below = at
                .entry((*part).to_owned())
                .or_insert_with(|| fresh.unwrap_or_else(|| Value::Table(Table::new())));
            let Value::Table(below) = below else { return };
            at = below;
        }
        match value {
            Some(value) => drop(at.insert((*last).to_owned(), value)),
            None => drop(at.remove(*last)),
        }
    }

    fn settings(&self) -> Result<Settings, Problem> {
        Settings::deserialize(Value::Table(self.values.0.clone())).map_err(|_| unusable())
    }

    pub fn finish(mut self, before: &Settings) -> Result<Finished, Vec<Problem>> {
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(problem) => {
                // A wrong value was never placed, so this says nothing that is not said better already.
                return Err(if self.problems.is_empty() { vec![problem] } else { self.problems });
            }
        };
        self.check_http(&settings);
        self.check_fields(&settings);
        if clean::looks_like_halo_secret(&settings.halo.client_id)
            && let Some(line) = self.lines.get("halo.client_id")
        {
            let problem =
                sentence(*line, "halo.client_id", "looks like a client secret: were the two swapped?");
            self.problems.push(problem);
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let old = Values::of(before).map_err(|problem| vec![problem])?;
        let changes = table::all()
            .iter()
            .filter_map(|setting| {
                let (before, mut after) = (old.text(setting), self.values.text(setting));
                if self.secrets.iter().any(|(key, _)| *key == setting.key) {
                    after = "(sealed anew)".into();
                }
                (before != after).then(|| Change { key: setting.key.clone(), before, after })
            })
            .collect();
        Ok(Finished { settings, secrets: self.secrets, changes, notes: self.notes })
    }

    /// S19c, S19f: a field of the workspace's map must be downloaded; else nothing is saved.
    fn check_fields(&mut self, settings: &Settings) {
        let keys = settings.lifecycle.mapped().map(|(key, _)| format!("lifecycle.{key}"));
        let named =
            self.lines.get("lifecycle.fields").or_else(|| keys.iter().find_map(|key| self.lines.get(key)));
        if let (Some(line), Some((key, field))) = (named, settings.lifecycle.undownloaded()) {
            let rest = format!(
                "is '{}', which is not among the fields to download (lifecycle.fields)",
                brief(field)
            );
            self.problems.push(sentence(*line, &format!("lifecycle.{key}"), &rest));
        }
    }

    /// http:// is for loopback, or where the section says so: the answer needs two settings.
    fn check_http(&mut self, settings: &Settings) {
        for place in Place::all() {
            let (addresses, allowed) = match place {
                Place::Halo => (
                    vec![
                        ("resource_server", settings.halo.resource_server.as_str()),
                        ("authorisation_server", settings.halo.authorisation_server.as_str()),
                    ],
                    settings.halo.allow_http,
                ),
                Place::Of(i) => {
                    let of = settings.of(i);
                    // The workspace is here: there is no address.
                    let address = (i != Integration::Lifecycle).then_some((of.url_key, of.url));
                    (address.into_iter().collect(), of.allow_http)
                }
            };
            for (leaf, address) in addresses {
                let key = format!("{}.{leaf}", place.key());
                let named =
                    self.lines.get(&key).or_else(|| self.lines.get(&format!("{}.allow_http", place.key())));
                if let (Some(line), Err(rest)) = (named, clean::halo_url(address, allowed)) {
                    self.problems.push(sentence(*line, &key, &rest));
                }
            }
        }
    }
}

fn is_variable_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `line 3: also.username must be ...`
pub(super) fn sentence(line: usize, key: &str, rest: &str) -> Problem {
    let place = if line == 0 { String::new() } else { format!("line {line}: ") };
    Problem::new(Class::Input, format!("{place}{key} {rest}."))
}

pub(super) struct UnknownKey {
    key: String,
    nearest: &'static str,
}

/// The nearest known key is named, however far it is: it shows the shape that is wanted.
pub(super) fn unknown_key(key: &str) -> UnknownKey {
    let section = key.split('.').next().unwrap_or_default();
    let known = Section::ALL.iter().any(|s| s.key() == section);
    let nearest = table::names()
        .filter(|name| {
            if known {
                name.starts_with(&format!("{section}."))
            } else {
                name.contains('.') == key.contains('.')
            }
        })
        .min_by_key(|name| strsim::damerau_levenshtein(name, &brief(key)))
        .unwrap_or("halo.resource_server");
    UnknownKey { key: brief(key), nearest }
}

impl UnknownKey {
    pub fn at(self, line: usize) -> Problem {
        let place = if line == 0 { String::new() } else { format!("line {line}: ") };
        Problem::new(Class::Input, format!("{place}'{}' is not a setting.", self.key))
            .remedy(format!("The nearest known key is '{}'.", self.nearest))
    }

    pub fn problem(self) -> Problem {
        self.at(0)
    }
}

fn unusable() -> Problem {
    Problem::new(Class::Local, "the settings in the store hold a value that no setting takes.")
        .remedy("Put it right with 'parhelion config set', or import the settings again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_of_the_table_can_be_sealed() {
        for setting in table::all().iter().filter(|setting| setting.kind == Kind::Secret) {
            let done = set_secret_source(&Settings::default(), &setting.key, SecretSource::Sealed);
            assert!(done.is_ok(), "{}: {done:?}", setting.key);
            assert_ne!(done.ok(), Some(Settings::default()), "{}", setting.key);
        }
    }
}
