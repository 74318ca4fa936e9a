//! A sample of real records on both sides, field by field: what a row of the field mappings would find, shown before it is
//! saved (L15, L16).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::field_mapping::{self, Targets, convert};
use super::field_rules::{FieldRule, Rule};
use crate::model::asset::{AssetField, FieldKind};
use crate::model::settings::{FieldMapping, Liongard};
use crate::model::text::shown;
use crate::model::{SourceId, TargetId};

/// Samples shown of a field.
const SHOWN: usize = 3;
/// Examples kept of values that do not fit.
const EXAMPLES: usize = 5;
/// Characters shown of a value.
const LENGTH: usize = 60;

/// What was read of both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub records: Vec<SampleRecord>,
    /// Attributes first, then paths and metrics.
    pub sources: Vec<SampledField>,
    /// Every asset field of Halo.
    pub targets: Vec<HeldField>,
    /// Assets in Halo that were looked at.
    pub assets: u32,
    /// What could not be read, a sentence each.
    pub notes: Vec<String>,
}

/// A record of the source that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleRecord {
    pub id: SourceId,
    pub name: Arc<str>,
    /// Its environment.
    pub parent: Option<SourceId>,
    pub parent_name: Arc<str>,
}

/// A field of the source, with its value in every record of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledField {
    /// As a mapping names it.
    pub name: Box<str>,
    /// As people know it, where that is another name: a metric's.
    pub title: Box<str>,
    /// Which record tells it, in words; blank where none has it.
    pub told: Box<str>,
    pub values: Vec<Option<Arc<str>>>,
}

/// An asset field of Halo, with what assets hold in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldField {
    pub field: AssetField,
    /// The types whose assets have it.
    pub types: Vec<Box<str>>,
    /// Assets of the sample that hold something.
    pub have: u32,
    pub samples: Vec<Box<str>>,
}

/// How the values of one source field fit one target field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    pub of: u32,
    pub fits: u32,
    /// Nothing to write: left alone.
    pub blank: u32,
    /// The record, and its value that is left out.
    pub misfits: Vec<(String, String)>,
    /// How many there are of them in all.
    pub unfit: u32,
    /// Why the first one does not fit.
    pub why: String,
}

/// A field of the source as a chooser shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceField {
    pub name: String,
    pub title: String,
    pub told: String,
    pub have: u32,
    /// The narrowest kind that holds every value.
    pub kind: FieldKind,
    pub samples: Vec<String>,
}

/// A field of Halo as a chooser shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetField {
    /// What a mapping names it by: its name, with its id where several share the name.
    pub label: String,
    pub id: TargetId,
    pub kind: FieldKind,
    pub limit: Option<u32>,
    pub choices: Vec<String>,
    pub types: Vec<String>,
    pub have: u32,
    pub samples: Vec<String>,
}

/// What a line of the pane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LineOf {
    /// The pair by which assets are found (L13).
    Matching,
    /// The field that names the asset's type (L10).
    AssetType,
    /// The row of this number in `field_mappings`.
    Row(usize),
    /// A field with values that nothing is fed by.
    Open,
    /// Another such field, which a person does not want to be offered.
    Ignored,
    /// A rule that is a setting, or the vendor's.
    Rule,
}

/// One line of the pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldLine {
    pub of: LineOf,
    pub rule: FieldRule,
    /// The row as it is set, of [`LineOf::Row`].
    pub row: Option<FieldMapping>,
    /// The target is made by the next import.
    pub is_new: bool,
    /// A value of the first record that has one.
    pub sample: String,
    /// `None` where there is no sample.
    pub fit: Option<Fit>,
    /// Why it cannot be used.
    pub trouble: Option<String>,
}

/// What would follow from a row, before it is saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// It cannot be saved, and why.
    pub refused: Option<String>,
    /// It can, but a person should know.
    pub notices: Vec<String>,
    pub fit: Option<Fit>,
}

impl Sample {
    fn source(&self, name: &str) -> Option<&SampledField> {
        let name = name.trim();
        self.sources.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    pub fn targets(&self) -> Targets {
        let fields: Vec<AssetField> = self.targets.iter().map(|held| held.field.clone()).collect();
        Targets::new(&fields)
    }

    /// What fields of the source are new since an older sample, or gone, in a sentence (P57).
    pub fn new_since(&self, old: &Self) -> Option<String> {
        let names = |sample: &Self| -> BTreeMap<Box<str>, String> {
            let title = |field: &SampledField| {
                if field.title.is_empty() { &field.name } else { &field.title }.to_string()
            };
            sample.sources.iter().map(|field| (field.name.clone(), title(field))).collect()
        };
        if old.sources.is_empty() {
            return None;
        }
        let (before, now) = (names(old), names(self));
        let told = |of: &BTreeMap<Box<str>, String>, than: &BTreeMap<Box<str>, String>, what: &str| {
            let others: Vec<_> = of
                .iter()
                .filter(|(name, _)| !than.contains_key(*name))
                .map(|(_, title)| brief(title))
                .collect();
            let more = if others.len() > SHOWN {
                format!(" and {} more", others.len() - SHOWN)
            } else {
                String::new()
            };
            let first = others.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            (!others.is_empty()).then(|| format!("{what} since the fields were read before: {first}{more}."))
        };
        let said: Vec<String> =
            [told(&now, &before, "New"), told(&before, &now, "Gone")].into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// How the values of a source field fit a target field; `None` where the sample does not know the source field.
    pub fn fit(&self, source: &str, target: &AssetField) -> Option<Fit> {
        let field = self.source(source)?;
        let mut fit = Fit { of: self.records.len() as u32, ..Fit::default() };
        for (record, value) in self.records.iter().zip(&field.values) {
            let Some(text) = value.as_deref().filter(|text| !text.trim().is_empty()) else {
                fit.blank += 1;
                continue;
            };
            match convert(text, target) {
                Ok(_) => fit.fits += 1,
                Err(why) => {
                    fit.unfit += 1;
                    if fit.misfits.is_empty() {
                        fit.why = why;
                    }
                    if fit.misfits.len() < EXAMPLES {
                        fit.misfits.push((brief(&record.name), brief(text)));
                    }
                }
            }
        }
        Some(fit)
    }

    /// The source's fields, for a chooser.
    pub fn source_fields(&self) -> Vec<SourceField> {
        self.sources
            .iter()
            .map(|field| SourceField {
                name: shown(&field.name).into_owned(),
                title: shown(&field.title).into_owned(),
                told: field.told.to_string(),
                have: field.have(),
                kind: field.kind(),
                samples: field.samples(),
            })
            .collect()
    }

    /// Halo's asset fields, for a chooser.
    pub fn target_fields(&self) -> Vec<TargetField> {
        let targets = self.targets();
        let pairs = self.targets.iter().zip(targets.iter());
        pairs
            .map(|(held, (label, field))| TargetField {
                label: label.key().to_owned(),
                id: field.id.clone(),
                kind: field.kind,
                limit: field.limit,
                choices: field.options.iter().map(|(_, words)| brief(words)).collect(),
                types: held.types.iter().map(|name| brief(name)).collect(),
                have: held.have,
                samples: held.samples.iter().map(|text| brief(text)).collect(),
            })
            .collect()
    }

    /// What would follow from `row`, beside the other rows; `at` is the row it takes the place of.
    pub fn judge(&self, settings: &Liongard, row: &FieldMapping, at: Option<usize>) -> Verdict {
        let targets = self.targets();
        self.judged(&Fed::of(settings, &targets), &targets, row, at)
    }

    fn judged(&self, fed: &Fed, targets: &Targets, row: &FieldMapping, at: Option<usize>) -> Verdict {
        let mut verdict = Verdict::default();
        let (source, target) = (row.source.trim(), row.target.trim());
        let found = targets.named(target);
        let key = key(targets, target);
        let other = fed.rows.iter().enumerate().find(|(n, (other, _))| Some(*n) != at && *other == key);
        let pair = fed.pair.as_ref().filter(|(other, _)| *other == key);
        verdict.refused = if source.is_empty() || target.is_empty() {
            Some("choose a field on both sides".into())
        } else if let Some((_, (_, other))) = other {
            Some(format!("{} is fed by {} already: one source a field", brief(target), brief(other)))
        } else if let Some((_, other)) = pair.filter(|(_, other)| !other.eq_ignore_ascii_case(source)) {
            let (target, other) = (brief(target), brief(other));
            Some(format!("{target} is the matching field and takes {other}: one source a field"))
        } else {
            match (&found, row.create) {
                // What Halo has is not known yet.
                (Err(_), _) if self.targets.is_empty() => None,
                (Err(why), false) => Some(why.clone()),
                (Err(why), true) if why.starts_with("several") => Some(why.clone()),
                (Err(_), true) if row.kind == Some(FieldKind::List) => {
                    Some("a list needs its choices: make it in Halo, then map to it".into())
                }
                _ => None,
            }
        };
        let field = match &found {
            Ok((_, field)) => {
                if row.create {
                    verdict.notices.push("a field of that name is in Halo: it is used, none is made".into());
                    if row.kind.is_some_and(|kind| kind != field.kind) {
                        verdict.notices.push(format!("it holds a {}, which stays", field.kind));
                    }
                }
                field.clone()
            }
            Err(_) => new_field(row),
        };
        verdict.fit = self.fit(source, &field);
        match &verdict.fit {
            Some(fit) if fit.unfit > 0 => verdict.notices.push(format!(
                "{} of {} values do not fit: {}",
                fit.unfit,
                fit.fits + fit.unfit,
                fit.why
            )),
            Some(fit) if fit.fits == 0 => {
                verdict.notices.push(format!("none of the {} records has a value", fit.of));
            }
            None if !self.records.is_empty() => {
                verdict.notices.push("no record of the sample was asked for it".into());
            }
            _ => {}
        }
        verdict
    }

    /// Rows for fields that nothing uses and whose name is also the name of just one field in Halo that nothing feeds.
    pub fn equal_names(&self, settings: &Liongard) -> Vec<FieldMapping> {
        let targets = self.targets();
        let mut fed = Fed::of(settings, &targets);
        let mut added = Vec::new();
        let ignored = |name: &str| settings.ignored_fields.iter().any(|one| is_named(one, name));
        let is_free = |field: &&SampledField| {
            field.have() > 0 && !is_used(settings, &field.name) && !ignored(&field.name)
        };
        for field in self.sources.iter().filter(is_free) {
            let row = FieldMapping {
                source: field.name.to_string(),
                target: field.name.to_string(),
                ..FieldMapping::default()
            };
            let verdict = self.judged(&fed, &targets, &row, None);
            if verdict.refused.is_none() && verdict.fit.is_some_and(|fit| fit.unfit == 0) {
                fed.rows.push((key(&targets, &row.target), row.source.clone()));
                added.push(row);
            }
        }
        added
    }

    /// The lines of the pane: what decides first, then the rows in their order, then fields with values that feed
    /// nothing.
    pub fn lines(
        &self,
        settings: &Liongard,
        rules: Vec<FieldRule>,
        is_attribute: impl Fn(&str) -> bool,
    ) -> Vec<FieldLine> {
        let targets = self.targets();
        let fed = Fed::of(settings, &targets);
        let mut lines = Vec::new();
        let mut number = 0;
        for rule in rules {
            let of = match rule.editable_setting.as_deref() {
                Some("asset_matching_field") => LineOf::Matching,
                Some("asset_type_field") => LineOf::AssetType,
                Some("field_mappings") => {
                    number += 1;
                    LineOf::Row(number - 1)
                }
                _ => LineOf::Rule,
            };
            lines.push(self.line(settings, &fed, &targets, of, rule));
        }
        lines.sort_by_key(|line| line.of);
        let open = self
            .sources
            .iter()
            .filter(|field| is_attribute(&field.name) && field.have() > 0 && !is_used(settings, &field.name));
        let first_rule = lines.iter().position(|line| line.of == LineOf::Rule).unwrap_or(lines.len());
        let ignored = |name: &str| settings.ignored_fields.iter().any(|one| is_named(one, name));
        let mut open: Vec<FieldLine> = open.map(|field| open_line(field, ignored(&field.name))).collect();
        open.sort_by_key(|line| line.of);
        lines.splice(first_rule..first_rule, open);
        lines
    }

    fn line(
        &self,
        settings: &Liongard,
        fed: &Fed,
        targets: &Targets,
        of: LineOf,
        mut rule: FieldRule,
    ) -> FieldLine {
        let mut line = FieldLine {
            of,
            row: None,
            is_new: false,
            sample: self
                .source(&rule.source)
                .and_then(|field| field.samples().into_iter().next())
                .unwrap_or_default(),
            fit: None,
            trouble: None,
            rule: rule.clone(),
        };
        match of {
            LineOf::Row(at) => {
                let Some(row) = settings.field_mappings.get(at) else { return line };
                line.row = Some(row.clone());
                let named = targets.named(&row.target);
                line.is_new = row.create && named.is_err();
                if let Ok((_, field)) = &named {
                    rule.kind = field.kind.key().into();
                } else if line.is_new {
                    rule.kind = row.kind.unwrap_or(FieldKind::Text).key().into();
                }
                if !self.targets.is_empty() {
                    let verdict = self.judged(fed, targets, row, Some(at));
                    line.trouble = verdict.refused;
                    line.fit = verdict.fit;
                }
                line.rule = rule;
            }
            LineOf::Matching if !self.targets.is_empty() => {
                let pair = &settings.asset_matching_field;
                if pair.target.trim().is_empty() {
                    return line;
                }
                match targets.named(&pair.target) {
                    Ok((_, field)) => {
                        line.fit = self.fit(&pair.source, field);
                        line.rule.kind = field.kind.key().into();
                    }
                    Err(why) => line.trouble = Some(why),
                }
            }
            LineOf::AssetType => {
                let any = AssetField {
                    id: TargetId::new(""),
                    name: "asset type".into(),
                    kind: FieldKind::Text,
                    limit: None,
                    options: Vec::new(),
                };
                line.fit = self.fit(&settings.asset_type_field, &any);
            }
            _ => {}
        }
        line
    }
}

/// What feeds which field of Halo: the field as [`key`] has it, and the source.
struct Fed {
    rows: Vec<(String, String)>,
    /// The matching field's.
    pair: Option<(String, String)>,
}

impl Fed {
    fn of(settings: &Liongard, targets: &Targets) -> Self {
        let fed = |target: &str, source: &str| (key(targets, target), source.trim().to_owned());
        let pair = &settings.asset_matching_field;
        Self {
            rows: settings.field_mappings.iter().map(|row| fed(&row.target, &row.source)).collect(),
            pair: (!pair.target.trim().is_empty()).then(|| fed(&pair.target, &pair.source)),
        }
    }
}

/// One text a field, however it is named.
fn key(targets: &Targets, target: &str) -> String {
    targets.named(target).map_or_else(|_| target.trim().to_lowercase(), |(label, _)| label.key().to_owned())
}

impl SampledField {
    pub fn have(&self) -> u32 {
        self.values.iter().flatten().count() as u32
    }

    /// Different values, first come first.
    fn samples(&self) -> Vec<String> {
        let mut samples: Vec<String> = Vec::new();
        for text in self.values.iter().flatten() {
            let text = brief(text);
            if !samples.contains(&text) {
                samples.push(text);
                if samples.len() == SHOWN {
                    break;
                }
            }
        }
        samples
    }

    /// The narrowest kind that holds every value. Digits that are a name, as those of a serial number, are text.
    pub fn kind(&self) -> FieldKind {
        let all = |is: fn(&str) -> bool| {
            let mut values = self.values.iter().flatten().peekable();
            values.peek().is_some() && values.all(|text| is(text.trim()))
        };
        if all(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no")) {
            FieldKind::Flag
        } else if all(|text| field_mapping::date(text).is_some()) {
            FieldKind::Date
        } else if all(|text| {
            let is_name =
                text.len() > 9 || text.len() > 1 && text.starts_with('0') && !text.contains(['.', ',']);
            !is_name && field_mapping::number(text).is_some()
        }) {
            FieldKind::Number
        } else {
            FieldKind::Text
        }
    }
}

/// The field that a row makes.
pub fn new_field(row: &FieldMapping) -> AssetField {
    AssetField {
        id: TargetId::new(""),
        name: row.target.trim().into(),
        kind: row.kind.unwrap_or(FieldKind::Text),
        limit: None,
        options: Vec::new(),
    }
}

/// At most so many records, as different as can be: from every parent in turn, from ten parents at most.
pub fn spread<T>(records: Vec<T>, most: usize, parent: impl Fn(&T) -> Option<SourceId>) -> Vec<T> {
    const PARENTS: usize = 10;
    let mut groups: std::collections::BTreeMap<Option<SourceId>, Vec<T>> = std::collections::BTreeMap::new();
    for record in records {
        groups.entry(parent(&record)).or_default().push(record);
    }
    let step = groups.len().div_ceil(PARENTS).max(1);
    let mut groups: Vec<_> =
        groups.into_values().step_by(step).map(|group| group.into_iter().fuse()).collect();
    let mut chosen = Vec::new();
    loop {
        let before = chosen.len();
        for group in &mut groups {
            if chosen.len() < most {
                chosen.extend(group.next());
            }
        }
        if chosen.len() == before {
            return chosen;
        }
    }
}

fn is_used(settings: &Liongard, name: &str) -> bool {
    let pair = &settings.asset_matching_field.source;
    let rows = settings.field_mappings.iter().map(|row| &row.source);
    rows.chain([pair, &settings.asset_type_field]).any(|used| is_named(used, name))
}

fn is_named(text: &str, name: &str) -> bool {
    text.trim().eq_ignore_ascii_case(name)
}

fn open_line(field: &SampledField, is_ignored: bool) -> FieldLine {
    FieldLine {
        of: if is_ignored { LineOf::Ignored } else { LineOf::Open },
        rule: FieldRule {
            entity: crate::model::Entity::Assets,
            source: field.name.to_string().into(),
            target: "-".into(),
            kind: field.kind().key().into(),
            rule: Rule::Off,
            note: if is_ignored { "left out on purpose" } else { "nothing in Halo is fed by it" }.into(),
            editable_setting: Some("field_mappings".into()),
        },
        row: None,
        is_new: false,
        sample: field.samples().into_iter().next().unwrap_or_default(),
        fit: None,
        trouble: None,
    }
}

/// A value as people can look at it: on one line, not too long, without anything a terminal would obey.
fn brief(text: &str) -> String {
    let clean = shown(text);
    match clean.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}...", &clean[..end]),
        None => clean.into_owned(),
    }
}
