//! The fields of each kind of entry: labels, what may be chosen, and the help for each.

use std::collections::BTreeSet;

use super::entry::{Assets, Known, Same};
use crate::host::words::WorkspaceView;
use crate::lifecycle::class::{Class, TypePolicy};
use crate::lifecycle::column::Column;
use crate::lifecycle::template::{DEFAULT, Mode, Template};
use crate::model::Amount;
use crate::model::asset::FieldKind as AssetKind;
use crate::ui::widgets::form::{FieldKind, FormField};

pub(super) const BY_RULE: &str = "by rule";
pub(super) const BY_TYPE: &str = "by type";
pub(super) const ALL: &str = "all companies";
pub(super) const NONE: &str = "none";
pub(super) const DIFFERS: &str = "(they differ)";

pub(super) const RULE_HELP: &str = "Tests that must all hold, such as age>=60, age<36, age=unknown, warranty<6, warranty=over, \
                         warning, os=unsupported, ram<8192, serial=missing, model~pro, always. Ages in months, memory in MB.";

pub(super) fn text(key: &str, label: &str, value: &str, suggestion: &str, help: &str) -> FormField {
    FormField {
        key: key.to_owned(),
        tab: String::new(),
        label: label.to_owned(),
        help: help.to_owned(),
        kind: FieldKind::Text,
        value: value.to_owned(),
        suggestion: suggestion.to_owned(),
        is_changed: false,
    }
}

pub(super) fn choice(key: &str, label: &str, value: &str, choices: Vec<String>, help: &str) -> FormField {
    FormField { kind: FieldKind::Choice(choices), ..text(key, label, value, "", help) }
}

pub(super) fn switch(key: &str, label: &str, value: bool, help: &str) -> FormField {
    FormField { kind: FieldKind::Switch, ..text(key, label, &value.to_string(), "", help) }
}

/// Every configuration type that is known: of configurations, classes and templates.
fn kinds(view: &WorkspaceView) -> Vec<String> {
    let here = view.configuration_types.iter().map(|(name, _)| name);
    let of_classes = view.classes.iter().map(|class| &class.kind);
    let of_templates = view.templates.iter().flat_map(|template| &template.kinds);
    let all: BTreeSet<&String> = here.chain(of_classes).chain(of_templates).collect();
    all.into_iter().filter(|name| !name.is_empty()).cloned().collect()
}

fn kind_field(is_new: bool, value: &str, view: &WorkspaceView) -> FormField {
    let all = kinds(view);
    let help = "The configuration type: a type of Halo's assets. Enter takes the next one.";
    match (is_new, all.is_empty()) {
        (true, true) => text("type", "Type", value, "Laptop", help),
        (true, false) => choice("type", "Type", value, all, help),
        (false, _) => choice(
            "type",
            "Type",
            value,
            vec![value.to_owned()],
            "It stays with its type; make a new one for another.",
        ),
    }
}

pub(super) fn class_fields(is_known: bool, draft: &Class, view: &WorkspaceView) -> Vec<FormField> {
    let money = |amount: Amount| amount.to_string();
    let currency = view.currency.map_or_else(|| "no currency is set".to_owned(), |own| format!("in {own}"));
    let amount = |key, label, value, what: &str| {
        text(
            key,
            label,
            &money(value),
            "",
            &format!("{what}, {currency}. Two currencies are never added together."),
        )
    };
    vec![
        kind_field(!is_known, &draft.kind, view),
        text(
            "name",
            "Name",
            &draft.name,
            "Basic",
            "Such as Basic, Premium or Engineering. A renamed class keeps what was put into it by hand.",
        ),
        amount("hardware", "Hardware", draft.budget.hardware, "What buying one costs"),
        amount("setup", "Set-up", draft.budget.setup, "What setting one up costs"),
        amount("onsite", "Onsite", draft.budget.onsite, "What going there costs"),
        amount(
            "recurring",
            "Recurring a month",
            draft.budget.recurring,
            "What it costs a month, shown only where its columns are on",
        ),
        text(
            "life",
            "Life in months",
            &draft.life_months.to_string(),
            "",
            "From purchase to replacement: it places the cost in a year.",
        ),
        text(
            "rule",
            "Rule",
            &draft.rule.to_string(),
            "always",
            &format!(
                "Puts configurations into it; the first class of a type whose rule fits counts. Empty: only by hand. {}",
                // The warning period is of the life that the class gives.
                RULE_HELP.replace(" warning,", "")
            ),
        ),
    ]
}

pub(super) fn policy_fields(
    is_new: bool,
    draft: &TypePolicy,
    known: &Known,
    view: &WorkspaceView,
) -> Vec<FormField> {
    let company = draft.company.and_then(|id| {
        known
            .companies
            .iter()
            .find(|view| i64::from(view.company.id) == id)
            .map(|view| view.company.name.clone())
    });
    let company = company.unwrap_or_else(|| ALL.into());
    let company = if is_new {
        text(
            "company",
            "Company",
            &company,
            "",
            "Holds for this company only, before the rule for all. Empty: for all.",
        )
    } else {
        choice("company", "Company", &company, vec![company.clone()], "Make a new one for another company.")
    };
    vec![
        kind_field(is_new, &draft.kind, view),
        company,
        text(
            "life",
            "Life in months",
            &draft.life_months.to_string(),
            "",
            "From purchase to replacement, of what has no class.",
        ),
        text(
            "warning",
            "Warning period",
            &draft.warning_months.to_string(),
            "",
            "So many months before its life or its warranty ends the test `warning` of a grade rule holds; 0: never.",
        ),
        switch(
            "exempt",
            "Exempt",
            draft.exempt,
            "Needs no dates: not in the distributions, the budget or the data quality.",
        ),
        switch("virtual", "Virtual", draft.is_virtual, "Ages, but has no warranty and no hardware to buy."),
    ]
}

pub(super) fn template_fields(draft: &Template, view: &WorkspaceView) -> Vec<FormField> {
    let tab = |tab: &str, field: FormField| FormField { tab: tab.into(), ..field };
    let is_default = draft.name == DEFAULT;
    let name = text("name", "Name", &draft.name, "Servers", "What this set of configurations is called.");
    let mut fields = vec![tab("Template", name)];
    let all = kinds(view);
    if !is_default {
        for kind in &all {
            let help =
                "Configurations of this type belong to the template; single ones can be moved by hand.";
            fields.push(tab(
                "Template",
                switch(&format!("type:{kind}"), kind, draft.kinds.contains(kind), help),
            ));
        }
    }
    let help = "Shown on the screen, in reports and in the spreadsheet. < and > move it.";
    for column in draft.columns.iter().chain(Column::ALL.iter().filter(|c| !draft.columns.contains(c))) {
        let is_on = draft.columns.contains(column);
        fields.push(tab("Columns", switch(&format!("column:{}", column.key()), column.label(), is_on, help)));
    }
    let belongs = |kind: &&String| is_default || draft.kinds.is_empty() || draft.kinds.contains(*kind);
    for (mode, title, key) in
        [(Mode::Build, "Build view", "build"), (Mode::Display, "Display view", "display")]
    {
        let own = draft.view(mode);
        let help = "Whether this view shows it. The totals count it all the same.";
        for kind in all.iter().filter(belongs) {
            let field = switch(&format!("{key}-types:{kind}"), kind, !own.hidden_types.contains(kind), help);
            fields.push(tab(title, field));
        }
        for (status, _) in &view.configuration_statuses {
            let shown = !own.hidden_statuses.contains(status);
            let field = switch(&format!("{key}-statuses:{status}"), &format!("status {status}"), shown, help);
            fields.push(tab(title, field));
        }
    }
    fields
}

pub(super) fn asset_fields(assets: &Assets, view: &WorkspaceView) -> Vec<FormField> {
    let given = |value: &Same<Option<String>>, none: &str| match value {
        Same::Differs => DIFFERS.to_owned(),
        Same::All(None) => none.to_owned(),
        Same::All(Some(name)) => name.clone(),
    };
    // Classes belong to a type: those that all of these types have.
    let fits = |name: &String| {
        assets
            .kinds
            .iter()
            .all(|kind| view.classes.iter().any(|class| class.kind == *kind && class.name == *name))
    };
    let classes: BTreeSet<String> =
        view.classes.iter().map(|class| class.name.clone()).filter(fits).collect();
    let classes = std::iter::once(BY_RULE.to_owned()).chain(classes).collect();
    let templates = view.templates.iter().map(|template| template.name.clone());
    let templates = std::iter::once(BY_TYPE.to_owned()).chain(templates).collect();
    let mut fields = vec![
        choice(
            "class",
            "Class",
            &given(&assets.class, BY_RULE),
            classes,
            "A class given by hand goes before every rule. Enter takes the next one.",
        ),
        choice(
            "template",
            "Template",
            &given(&assets.template, BY_TYPE),
            templates,
            "A template given by hand goes before the one that has its type.",
        ),
        match assets.off_budget {
            Same::All(off) => {
                switch("budget", "In the budget", !off, "Out of it, it is kept and costs nothing.")
            }
            Same::Differs => choice(
                "budget",
                "In the budget",
                DIFFERS,
                vec!["true".into(), "false".into()],
                "Some are, some are not.",
            ),
        },
    ];
    for (field, date) in &assets.dates {
        let value = match date {
            Same::Differs => DIFFERS.to_owned(),
            Same::All(date) => date.map(|date| date.to_string()).unwrap_or_default(),
        };
        let label = field.label();
        let label = format!("{}{}", label[..1].to_uppercase(), &label[1..]);
        fields.push(text(field.key(), &label, &value, "2027-03-31",
            "What you know beyond Halo; empty forgets it. It counts at once, and goes into Halo only where writing back is on."));
    }
    fields
}

/// Which field is read from which of Halo's, and what that one may hold if it is made.
pub(super) fn halo_fields(field: &str, name: &str, kind: AssetKind, view: &WorkspaceView) -> Vec<FormField> {
    let all = view.fields.iter().filter_map(|own| own.field.clone()).collect();
    let kinds = [AssetKind::Text, AssetKind::Date, AssetKind::Number, AssetKind::Flag];
    let state = view.fields.iter().find(|own| own.field.as_deref() == Some(field)).map(|own| {
        let from = if own.halo.is_empty() { "none".to_owned() } else { format!("'{}'", own.halo) };
        format!(" Now from {from}: {}.", own.state.words())
    });
    vec![
        choice(
            "field",
            "Field here",
            field,
            all,
            &format!(
                "What the workspace reads it as. Enter takes the next one.{}",
                state.unwrap_or_default()
            ),
        ),
        text(
            "name",
            "Asset field in Halo",
            name,
            "Purchase Date",
            "Its label there. A name that Halo has already is only mapped; another is made by the plan that comes next.",
        ),
        choice(
            "kind",
            "Type, if it is made",
            kind.key(),
            kinds.map(|kind| kind.key().to_owned()).to_vec(),
            "A date for dates, text for serials and names. The guide takes 'select' for all of them, which suits lists only and needs its values typed in Halo.",
        ),
    ]
}
