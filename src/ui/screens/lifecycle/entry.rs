//! What can be changed of the workspace on the screen: an entry of one of its lists as fields, what may be typed into
//! each, and the order that saves it. The rules are the workspace's own; the engine judges once more.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{
    ALL, BY_RULE, BY_TYPE, DIFFERS, NONE, RULE_HELP, asset_fields, choice, class_fields, halo_fields,
    policy_fields, template_fields, text,
};
use crate::host::words::{
    AssetChange, CompanyChange, CompanyView, FieldState, FieldView, LifecycleOrder, TermList, WorkspaceView,
};
use crate::lifecycle::class::{self, Budget, Class, DEFAULT_LIFE, TypePolicy};
use crate::lifecycle::column::Column;
use crate::lifecycle::configuration::{DateField, parse_date};
use crate::lifecycle::grade::{GradeRule, Tone};
use crate::lifecycle::report::Row;
use crate::lifecycle::rule::{Test, Tests};
use crate::lifecycle::template::Template;
use crate::lifecycle::term::{HaloTerm, Term};
use crate::model::Date;
use crate::model::asset::FieldKind as AssetKind;
use crate::ui::widgets::form::{FieldKind, FormField};

/// What the fields are judged by.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub view: Option<Box<WorkspaceView>>,
    pub companies: Vec<CompanyView>,
}

/// One entry, as it would be saved.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// `was`: its name until now.
    Class {
        was: Option<String>,
        draft: Class,
    },
    /// `at`: its place in the list; a new one goes there.
    Grade {
        was: Option<GradeRule>,
        at: usize,
        draft: GradeRule,
    },
    Policy {
        is_new: bool,
        draft: TypePolicy,
    },
    Template {
        was: Option<String>,
        draft: Template,
    },
    Company {
        id: u32,
        name: String,
        notes: String,
        month: Option<i8>,
    },
    Term {
        list: TermList,
        id: u32,
        name: String,
        halo: Option<HaloTerm>,
    },
    Assets(Assets),
    /// A field of the workspace, and the asset field in Halo that it is read from, there or still to be made.
    HaloField {
        field: String,
        name: String,
        kind: AssetKind,
    },
}

/// Some configurations at once. What differs among them stays as it is until something is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    pub ids: Vec<i64>,
    pub title: String,
    pub(super) kinds: BTreeSet<String>,
    pub(super) class: Same<Option<String>>,
    pub(super) template: Same<Option<String>>,
    pub(super) off_budget: Same<bool>,
    pub(super) dates: BTreeMap<DateField, Same<Option<Date>>>,
}

/// The dates a person can know better than Halo.
const DATES: [DateField; 3] = [DateField::PurchaseDate, DateField::WarrantyStart, DateField::ExpirationDate];

/// One value of several configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Same<T> {
    All(T),
    Differs,
}

impl<T: PartialEq> Same<T> {
    fn of(mut values: impl Iterator<Item = T>) -> Self {
        match values.next() {
            Some(first) if values.all(|other| other == first) => Self::All(first),
            _ => Self::Differs,
        }
    }

    /// What all of them are to be, where that is another value than before.
    fn chosen(&self, before: Option<&Self>) -> Option<&T> {
        match self {
            Self::All(value) if before != Some(self) => Some(value),
            _ => None,
        }
    }
}

impl Assets {
    pub fn of(rows: &[&Row]) -> Self {
        let title = match rows {
            [one] => one.name.clone(),
            _ => format!("{} configurations", rows.len()),
        };
        let date = |field| Same::of(rows.iter().map(|row| row.local.dates.get(&field).map(|date| date.date)));
        Self {
            ids: rows.iter().map(|row| row.id).collect(),
            title,
            kinds: rows.iter().map(|row| row.kind.clone()).collect(),
            class: Same::of(rows.iter().map(|row| row.local.class.clone())),
            template: Same::of(rows.iter().map(|row| row.local.template.clone())),
            off_budget: Same::of(rows.iter().map(|row| row.local.off_budget)),
            dates: DATES.into_iter().map(|field| (field, date(field))).collect(),
        }
    }

    fn changes(&self, saved: &Self) -> Vec<AssetChange> {
        let mut changes = Vec::new();
        changes.extend(self.class.chosen(Some(&saved.class)).cloned().map(AssetChange::Class));
        changes.extend(self.template.chosen(Some(&saved.template)).cloned().map(AssetChange::Template));
        changes.extend(self.off_budget.chosen(Some(&saved.off_budget)).copied().map(AssetChange::OffBudget));
        for (field, date) in &self.dates {
            let date = date.chosen(saved.dates.get(field)).copied();
            changes.extend(date.map(|date| AssetChange::Date(*field, date)));
        }
        changes
    }
}

impl Entry {
    pub fn new_class(kind: &str) -> Self {
        let draft = Class {
            kind: kind.to_owned(),
            name: String::new(),
            budget: Budget::NONE,
            life_months: DEFAULT_LIFE,
            rule: Tests(vec![Test::Always]),
        };
        Self::Class { was: None, draft }
    }

    pub fn new_grade(at: usize) -> Self {
        let draft = GradeRule { grade: String::new(), tone: Tone::Watch, when: Tests::default() };
        Self::Grade { was: None, at, draft }
    }

    pub fn new_policy(kind: &str) -> Self {
        Self::Policy { is_new: true, draft: TypePolicy::of(kind, None) }
    }

    /// The first field that Halo lacks or that is not mapped.
    pub fn new_halo_field(view: &WorkspaceView) -> Self {
        let is_open = |own: &&FieldView| matches!(own.state, FieldState::Missing | FieldState::Unmapped);
        let mapped = || view.fields.iter().filter(|own| own.field.is_some());
        let missing = mapped().find(|own| own.state == FieldState::Missing);
        let first = missing.or_else(|| mapped().find(is_open)).or_else(|| mapped().next());
        let field = first.and_then(|own| own.field.clone()).unwrap_or_default();
        let name = first.map(|own| own.halo.clone()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| titled(&field));
        Self::HaloField { field, name, kind: first.map_or(AssetKind::Text, |own| own.kind) }
    }

    pub fn new_template() -> Self {
        Self::Template { was: None, draft: Template::named("") }
    }

    /// What it is called in the path of the header.
    pub fn title(&self) -> String {
        let new = |what: &str, name: &str| {
            if name.is_empty() { format!("new {what}") } else { format!("{what} {name}") }
        };
        match self {
            Self::Class { draft, .. } => new("class", &draft.name),
            Self::Grade { at, draft, .. } => {
                let grade = if draft.grade.is_empty() { "new" } else { &draft.grade };
                format!("grade rule {}, {grade}", at + 1)
            }
            Self::Policy { draft, .. } => format!("policy of {}", draft.kind),
            Self::Template { draft, .. } => new("template", &draft.name),
            Self::Company { name, .. } | Self::Term { name, .. } => name.clone(),
            Self::Assets(assets) => assets.title.clone(),
            Self::HaloField { field, .. } => format!("{field} in Halo"),
        }
    }

    /// Its fields, as they stand.
    pub fn fields(&self, known: &Known) -> Vec<FormField> {
        let Some(view) = known.view.as_deref() else { return Vec::new() };
        match self {
            Self::Class { was, draft } => class_fields(was.is_some(), draft, view),
            Self::Grade { draft, .. } => vec![
                text(
                    "grade",
                    "Grade",
                    &draft.grade,
                    "Replace",
                    "What the report says. Several rules may give the same grade.",
                ),
                choice(
                    "tone",
                    "Tone",
                    draft.tone.key(),
                    Tone::ALL.map(|tone| tone.key().to_owned()).to_vec(),
                    "What it means: its colour, and its place in the order of the report, worst first.",
                ),
                text("when", "When all hold", &draft.when.to_string(), "age>=60, warranty=over", RULE_HELP),
            ],
            Self::Policy { is_new, draft } => policy_fields(*is_new, draft, known, view),
            Self::Template { draft, .. } => template_fields(draft, view),
            Self::Company { notes, month, .. } => vec![
                text(
                    "month",
                    "Budget year begins in",
                    &month.map(|m| m.to_string()).unwrap_or_default(),
                    "",
                    "The first month of its budget year, 1 to 12. Empty: as the workspace's (lifecycle.fiscal_year_start).",
                ),
                FormField {
                    kind: FieldKind::Lines,
                    ..text(
                        "notes",
                        "Notes",
                        notes,
                        "",
                        "What there is to remember for the next meeting. Only kept here.",
                    )
                },
            ],
            Self::Term { list, name, halo, .. } => {
                let all = if *list == TermList::Types { &view.halo_types } else { &view.halo_statuses };
                let names = std::iter::once(NONE.to_owned()).chain(all.iter().map(|one| one.name.clone()));
                vec![
                    choice(
                        "halo",
                        "Stands for Halo's",
                        halo.as_ref().map_or(NONE, |halo| &halo.name),
                        names.collect(),
                        "Saving gives the entry Halo's name, and from then on it follows Halo. Where another entry stands for it already, the two become one, after a question.",
                    ),
                    text(
                        "name",
                        "Name",
                        name,
                        "",
                        "Of an entry that stands for none of Halo's; else it has Halo's name.",
                    ),
                ]
            }
            Self::Assets(assets) => asset_fields(assets, view),
            Self::HaloField { field, name, kind } => halo_fields(field, name, *kind, view),
        }
    }

    /// Takes what was typed into a field.
    ///
    /// # Errors
    /// A sentence for the field.
    pub fn take(&mut self, key: &str, typed: &str, known: &Known) -> Result<(), String> {
        let typed = typed.trim();
        let view = known.view.as_deref().ok_or("the workspace is still being read")?;
        let months = || match typed.parse::<u32>() {
            Ok(months) if (1..=600).contains(&months) => Ok(months),
            _ => Err("a life is 1 to 600 months".to_owned()),
        };
        let named =
            || if typed.is_empty() { Err("a name is needed".to_owned()) } else { Ok(typed.to_owned()) };
        match self {
            Self::Class { draft, .. } => {
                let amount = || class::parse_amount(typed, view.currency);
                match key {
                    "type" => typed.clone_into(&mut draft.kind),
                    "name" => draft.name = named()?,
                    "hardware" => draft.budget.hardware = amount()?,
                    "setup" => draft.budget.setup = amount()?,
                    "onsite" => draft.budget.onsite = amount()?,
                    "recurring" => draft.budget.recurring = amount()?,
                    "life" => draft.life_months = months()?,
                    _ => draft.rule = typed.parse()?,
                }
            }
            Self::Grade { draft, .. } => match key {
                "grade" => draft.grade = named()?,
                "tone" => draft.tone = Tone::find(typed).unwrap_or(draft.tone),
                _ => draft.when = typed.parse()?,
            },
            Self::Policy { draft, .. } => match key {
                "type" => typed.clone_into(&mut draft.kind),
                "company" => draft.company = company_named(typed, known)?,
                "life" => draft.life_months = months()?,
                "warning" => match if typed.is_empty() { Ok(0) } else { typed.parse() } {
                    Ok(months @ 0..=120) => draft.warning_months = months,
                    _ => return Err("a warning period is 0 to 120 months".into()),
                },
                "exempt" => draft.exempt = typed == "true",
                _ => draft.is_virtual = typed == "true",
            },
            Self::Template { draft, .. } => match key.split_once(':') {
                None => draft.name = named()?,
                Some(("type", kind)) => set(&mut draft.kinds, kind, typed == "true"),
                Some(("column", column)) => {
                    toggle_column(&mut draft.columns, column.parse()?, typed == "true");
                }
                Some((hides, name)) => {
                    let view = if hides.starts_with("build") { &mut draft.build } else { &mut draft.display };
                    let hidden = if hides.ends_with("types") {
                        &mut view.hidden_types
                    } else {
                        &mut view.hidden_statuses
                    };
                    set(hidden, name, typed != "true");
                }
            },
            Self::Company { notes, month, .. } => match key {
                "notes" => typed.clone_into(notes),
                _ if typed.is_empty() => *month = None,
                _ => match typed.parse() {
                    Ok(number @ 1..=12) => *month = Some(number),
                    _ => return Err("a budget year begins in a month from 1 to 12".into()),
                },
            },
            Self::Term { list, name, halo, .. } => {
                if key == "name" {
                    if halo.is_some() {
                        return Err("it has Halo's name; take it off Halo's first, or rename it there".into());
                    }
                    *name = named()?;
                } else {
                    let all = if *list == TermList::Types { &view.halo_types } else { &view.halo_statuses };
                    *halo = all.iter().find(|one| one.name == typed).cloned();
                    if let Some(halo) = halo {
                        name.clone_from(&halo.name);
                    }
                }
            }
            Self::HaloField { field, name, kind } => match key {
                "field" => {
                    typed.clone_into(field);
                    // What it is read from now, or what such a field is usually called.
                    if let Some(own) = view.fields.iter().find(|own| own.field.as_deref() == Some(typed)) {
                        *kind = own.kind;
                        *name = if own.halo.is_empty() { titled(typed) } else { own.halo.clone() };
                    }
                }
                "name" => *name = named()?,
                _ => *kind = AssetKind::ALL.into_iter().find(|one| one.key() == typed).unwrap_or(*kind),
            },
            Self::Assets(assets) => match key {
                "class" => assets.class = Same::All((typed != BY_RULE).then(|| typed.to_owned())),
                "template" => assets.template = Same::All((typed != BY_TYPE).then(|| typed.to_owned())),
                "budget" => assets.off_budget = Same::All(typed != "true"),
                // Accepted as it stood: they go on differing.
                _ if typed == DIFFERS => {}
                _ => {
                    let date = parse_date(typed)?;
                    if let Some(field) = DATES.into_iter().find(|field| field.key() == key) {
                        assets.dates.insert(field, Same::All(date));
                    }
                }
            },
        }
        Ok(())
    }

    /// Moves the column under the cursor; `None` where the field has no place in an order.
    pub fn shift(&mut self, key: &str, up: bool) -> Option<()> {
        let Self::Template { draft, .. } = self else { return None };
        let column: Column = key.strip_prefix("column:")?.parse().ok()?;
        let at = draft.columns.iter().position(|own| *own == column)?;
        let to = if up { at.checked_sub(1)? } else { Some(at + 1).filter(|to| *to < draft.columns.len())? };
        draft.columns.swap(at, to);
        Some(())
    }

    /// The order that saves it; `None` where nothing is to be saved.
    ///
    /// # Errors
    /// A sentence: something is missing, or the list was changed meanwhile.
    pub fn order(&self, saved: &Self, known: &Known) -> Result<Option<LifecycleOrder>, String> {
        use LifecycleOrder as O;
        let view = known.view.as_deref().ok_or("the workspace is still being read")?;
        Ok(match (self, saved) {
            (Self::Class { was, draft }, _) => {
                if draft.name.is_empty() || draft.kind.is_empty() {
                    return Err("a class needs a configuration type and a name".into());
                }
                if was.as_ref() != Some(&draft.name)
                    && view.classes.iter().any(|own| own.kind == draft.kind && own.name == draft.name)
                {
                    return Err(format!("there is a class '{}' of {} already", draft.name, draft.kind));
                }
                Some(O::SetClass { was: was.clone(), class: draft.clone() })
            }
            (Self::Grade { was, at, draft }, _) => {
                let mut rules = view.grades.clone();
                match was {
                    Some(was) if rules.get(*at) == Some(was) => rules[*at] = draft.clone(),
                    Some(_) => {
                        return Err("the rules were changed meanwhile; go back and open it again".into());
                    }
                    None => rules.insert((*at).min(rules.len()), draft.clone()),
                }
                Some(O::Grades { rules: Some(rules) })
            }
            (Self::Policy { draft, .. }, _) if draft.kind.is_empty() => {
                return Err("a policy needs a configuration type".into());
            }
            (Self::Policy { draft, .. }, _) => Some(O::SetPolicy { policy: draft.clone() }),
            (Self::Template { was, draft }, _) => {
                if was.as_ref() != Some(&draft.name)
                    && view.templates.iter().any(|own| own.name == draft.name)
                {
                    return Err(format!("there is a template '{}' already", draft.name));
                }
                Some(O::SetTemplate { was: was.clone(), template: draft.clone() })
            }
            (Self::Company { id, notes, month, .. }, Self::Company { notes: old, month: was, .. }) => {
                let mut changes = Vec::new();
                if month != was {
                    changes.push(CompanyChange::FiscalYear(*month));
                }
                if notes != old {
                    changes.push(CompanyChange::Notes(notes.clone()));
                }
                (!changes.is_empty()).then_some(O::Company { company: *id, changes })
            }
            (Self::Term { list, id, name, halo }, Self::Term { name: old, halo: was, .. }) => match halo {
                Some(halo) if Some(halo) != was.as_ref() => {
                    Some(O::MapTerm { list: *list, id: *id, halo: halo.id.clone(), merge: false })
                }
                None if was.is_some() => {
                    return Err(
                        "an entry that stands for one of Halo's stays so; map it to another one".into()
                    );
                }
                _ => (name != old).then(|| O::RenameTerm { list: *list, id: *id, name: name.clone() }),
            },
            (Self::HaloField { field, name, kind }, _) => {
                Some(O::WantField { field: field.clone(), name: name.clone(), kind: *kind })
            }
            (Self::Assets(now), Self::Assets(was)) => {
                let changes = now.changes(was);
                (!changes.is_empty()).then(|| O::Assets { assets: now.ids.clone(), changes })
            }
            _ => None,
        })
    }

    /// The entry that stands for the same one of Halo's already: saving makes the two one (S12).
    pub fn merges_with<'a>(&self, known: &'a Known) -> Option<&'a Term> {
        let (Self::Term { list, id, halo: Some(halo), .. }, Some(view)) = (self, known.view.as_deref())
        else {
            return None;
        };
        let all = if *list == TermList::Types { &view.types } else { &view.statuses };
        all.iter().find(|term| term.id != *id && term.halo.as_ref().is_some_and(|own| own.id == halo.id))
    }
}

/// As Halo's pages write a field's name: `Install Date`.
fn titled(field: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}", letters.as_str())
    };
    match field {
        "os" | "ram" => field.to_uppercase(),
        _ => field.split(' ').map(capital).collect::<Vec<_>>().join(" "),
    }
}

fn company_named(typed: &str, known: &Known) -> Result<Option<i64>, String> {
    if typed.is_empty() || typed == ALL {
        return Ok(None);
    }
    let wanted = typed.to_lowercase();
    let mut found = known.companies.iter().filter(|view| view.company.name.to_lowercase() == wanted);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(Some(one.company.id.into())),
        (Some(_), Some(_)) => Err(format!("there is more than one company '{typed}'")),
        (None, _) => Err(format!("there is no company '{typed}'")),
    }
}

/// The type that a new class or policy begins with: the commonest that has none.
pub fn first_kind(view: &WorkspaceView, has: impl Fn(&str) -> bool) -> String {
    let mut all: Vec<&(String, u64)> = view.configuration_types.iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let free = all.iter().find(|(name, _)| !has(name)).or_else(|| all.first());
    free.map(|(name, _)| name.clone()).unwrap_or_default()
}

fn set(of: &mut BTreeSet<String>, name: &str, is_in: bool) {
    if is_in {
        of.insert(name.to_owned());
    } else {
        of.remove(name);
    }
}

fn toggle_column(columns: &mut Vec<Column>, column: Column, on: bool) {
    columns.retain(|own| *own != column);
    if on {
        columns.push(column);
    }
}
