//! Settings as a file (P65): import changes all or nothing, export is stable and holds no secret.

use std::fmt::Write as _;

use super::edit::{Change, Draft, Values, sentence, unknown_key};
use super::kind::{Kind, inline};
use super::node::{self, Node, Raw};
use super::table::{self, Section};
use crate::model::settings::Settings;
use crate::model::{Class, Problem, Secret};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Toml,
    Json,
}

impl Format {
    /// JSON where the text begins as a JSON object does; a TOML document never begins with a brace.
    pub fn guess(text: &str) -> Self {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            Self::Json
        } else {
            Self::Toml
        }
    }
}

/// What an import would do; nothing is done yet.
#[derive(Debug)]
pub struct Import {
    /// The settings afterwards. Secrets that came as text are marked sealed.
    pub settings: Settings,
    /// To be sealed before `settings` are stored, by key.
    pub secrets: Vec<(String, Secret)>,
    pub changes: Vec<Change>,
    /// What was cleaned on the way, a sentence each.
    pub notes: Vec<String>,
}

/// Reads a document over the current settings: the keys it names change, the others stay.
///
/// # Errors
/// Every fault of the document, each with its line, and never with a secret in it. Then nothing is changed.
pub fn import(text: &str, format: Format, current: &Settings) -> Result<Import, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = match format {
        Format::Toml => node::from_toml(text),
        Format::Json => node::from_json(text),
    };
    let document = document.map_err(|fault| {
        vec![Problem::new(
            Class::Input,
            format!("line {}: {}.", fault.line, fault.message.trim_end_matches('.')),
        )]
    })?;
    let Node { value: Raw::Table(mut sections), .. } = document else {
        return Err(vec![Problem::new(Class::Input, "line 1: the document is not a table of settings.")]);
    };
    let mut draft = Draft::of(current).map_err(|problem| vec![problem])?;
    // The profile's limits first: an integration's own begin as a copy of them.
    sections.sort_by_key(|(name, ..)| name != Section::Safety.key());
    for (name, line, value) in sections {
        match value.value {
            // Every JSON document of ours carries it.
            Raw::Whole(1) if name == "schema" => {}
            _ if name == "schema" => draft.refuse(sentence(line, "schema", "must be 1 for this version")),
            _ if !Section::ALL.iter().any(|section| section.key() == name) => {
                draft.refuse(unknown_key(&name).at(line));
            }
            value => draft.put(&name, line, Node { line, value }),
        }
    }
    let done = draft.finish(current)?;
    Ok(Import { settings: done.settings, secrets: done.secrets, changes: done.changes, notes: done.notes })
}

/// Every setting as TOML: always in the same order, so that two exports can be compared line by line. References to
/// secrets are in it, secrets never.
///
/// # Errors
/// Only for settings that no file or form could have made.
pub fn export(settings: &Settings) -> Result<String, Problem> {
    let values = Values::of(settings)?;
    let sections: Vec<String> =
        Section::ALL.iter().map(|section| section_text(&values, section.key())).collect();
    Ok(sections.join("\n"))
}

/// `[also]` and everything below it.
pub(super) fn section_text(values: &Values, section: &str) -> String {
    let mut out = format!("[{section}]\n");
    let mut limits = String::new();
    let mut written: Vec<&str> = Vec::new();
    for setting in table::all().iter().filter(|setting| setting.section.key() == section) {
        let leaf = setting.leaf();
        match leaf.split_once('.') {
            Some(("safety", limit)) => {
                if values.value(&format!("{section}.safety")).is_some() {
                    limits += &line(limit, values, &setting.key, setting.kind);
                }
            }
            Some((group, _)) if written.contains(&group) => {}
            Some((group, _)) => {
                written.push(group);
                let text = group_text(values, &format!("{section}.{group}"));
                let _ = writeln!(out, "{group} = {text}");
            }
            None => out += &line(leaf, values, &setting.key, setting.kind),
        }
    }
    if !limits.is_empty() {
        let _ = write!(out, "\n[{section}.safety]\n{limits}");
    }
    out
}

/// One setting on its line.
fn line(leaf: &str, values: &Values, key: &str, kind: Kind) -> String {
    match (kind, values.value(key)) {
        (Kind::Secret, Some(reference @ toml::Value::Table(_))) => {
            format!("{leaf} = {}\n", inline(reference))
        }
        (Kind::Secret, Some(toml::Value::String(state))) if state == "sealed" => {
            format!("# {leaf} is sealed and never exported\n")
        }
        (Kind::Secret, _) => format!("# {leaf} is not set\n"),
        (_, Some(value)) => format!("{leaf} = {}\n", kind.write(value)),
        // Settings that are left out while empty: written all the same, so that a file can say "none".
        (Kind::Words | Kind::Periods, None) => format!("{leaf} = []\n"),
        (Kind::WordMap(_), None) => format!("{leaf} = {{}}\n"),
        (_, None) => format!("{leaf} = \"\"\n"),
    }
}

/// `{ requests = 300, ... }`, in the order of the table.
pub(super) fn group_text(values: &Values, group: &str) -> String {
    let prefix = format!("{group}.");
    let parts: Vec<String> = table::all()
        .iter()
        .filter_map(|setting| {
            let leaf = setting.key.strip_prefix(&prefix)?;
            let value = values.value(&setting.key)?;
            // Only where a secret comes from is ever written; that one is sealed, or not set, is no value.
            if setting.kind == Kind::Secret && !value.is_table() {
                return None;
            }
            Some(format!("{leaf} = {}", setting.kind.write(value)))
        })
        .collect();
    if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) }
}
