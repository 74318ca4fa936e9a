//! Template configurations: named sets that configurations belong to, with what their views show (S22, S26-S28).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::column::Column;

/// The template of everything that no other claims. It cannot be deleted.
pub const DEFAULT: &str = "Default";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    /// The configuration types that belong to it; single configurations can be moved by hand.
    #[serde(default)]
    pub kinds: BTreeSet<String>,
    #[serde(default)]
    pub build: View,
    #[serde(default)]
    pub display: View,
    /// In order. Recurring budget columns are not among the defaults.
    pub columns: Vec<Column>,
}

/// What one of the two views leaves out. Types and statuses that are new to the workspace show by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    pub hidden_types: BTreeSet<String>,
    pub hidden_statuses: BTreeSet<String>,
}

impl View {
    pub fn shows(&self, kind: &str, status: &str) -> bool {
        !self.hidden_types.contains(kind) && !self.hidden_statuses.contains(status)
    }
}

/// Which of the two views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Build,
    #[default]
    Display,
}

impl Template {
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            kinds: BTreeSet::new(),
            build: View::default(),
            display: View::default(),
            columns: Column::defaults(),
        }
    }

    pub const fn view(&self, mode: Mode) -> &View {
        match mode {
            Mode::Build => &self.build,
            Mode::Display => &self.display,
        }
    }
}

/// The template of a configuration: given by hand, else the one that claims its type, else the default.
pub fn template_for<'a>(
    templates: &'a [Template],
    by_hand: Option<&str>,
    kind: &str,
) -> Option<&'a Template> {
    let named = |name: &str| templates.iter().find(|template| template.name == name);
    by_hand
        .and_then(named)
        .or_else(|| templates.iter().find(|template| template.kinds.contains(kind)))
        .or_else(|| named(DEFAULT))
        .or_else(|| templates.first())
}

/// Takes a template out. One that is in use needs a replacement, which takes over its types; what was moved to it by
/// hand is the caller's to move.
///
/// # Errors
/// A sentence: not there, the default, in use without a replacement, or no such replacement.
pub fn delete(
    templates: &[Template],
    name: &str,
    in_use: usize,
    replacement: Option<&str>,
) -> Result<Vec<Template>, String> {
    let gone = templates
        .iter()
        .find(|template| template.name == name)
        .ok_or_else(|| format!("there is no template '{name}'"))?;
    if name == DEFAULT {
        return Err("the default template holds whatever no other claims; it cannot be deleted".into());
    }
    if in_use > 0 && replacement.is_none() {
        return Err(format!(
            "'{name}' is in use by {in_use} {}; name the template that takes {} over",
            if in_use == 1 { "configuration" } else { "configurations" },
            if in_use == 1 { "it" } else { "them" },
        ));
    }
    let mut left: Vec<Template> =
        templates.iter().filter(|template| template.name != name).cloned().collect();
    if let Some(replacement) = replacement {
        let heir = left
            .iter_mut()
            .find(|template| template.name == replacement)
            .ok_or_else(|| format!("there is no template '{replacement}' to take over"))?;
        // The default holds what nobody claims, so it needs no claim.
        if heir.name != DEFAULT {
            heir.kinds.extend(gone.kinds.iter().cloned());
        }
    }
    Ok(left)
}

/// Whether a list of templates can be used.
///
/// # Errors
/// A sentence that names the template.
pub fn check(templates: &[Template]) -> Result<(), String> {
    for (at, template) in templates.iter().enumerate() {
        if template.name.trim().is_empty() {
            return Err("a template needs a name".into());
        }
        if template.columns.is_empty() {
            return Err(format!("'{}' has no column", template.name));
        }
        for other in &templates[..at] {
            if other.name == template.name {
                return Err(format!("there are two templates '{}'", template.name));
            }
            if let Some(kind) = template.kinds.intersection(&other.kinds).next() {
                return Err(format!("both '{}' and '{}' claim {kind}", other.name, template.name));
            }
        }
    }
    Ok(())
}
