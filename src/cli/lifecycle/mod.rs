//! `lifecycle`: the planning workspace.

pub mod args;
mod show;

use std::collections::BTreeSet;

use args::{
    Classes, Companies, Configurations, Fields, Grades, Lifecycle, Policies, Reports, Templates, Terms,
    Warranty,
};

use super::exit::{DONE, Failure, PARTIAL};
use super::out::Out;
use super::{ask, files, order};
use crate::host::Handle;
use crate::host::words::{
    AssetChange, Command, CompanyChange, CompanyView, LifecycleAnswer, LifecycleOrder, LifecycleQuery, Query,
    Reply, TermList, WorkspaceView,
};
use crate::lifecycle::class::{self, Budget, Class, TypePolicy};
use crate::lifecycle::column::{Column, Headed};
use crate::lifecycle::export::{Format, export};
use crate::lifecycle::grade::{GradeRule, Tone};
use crate::lifecycle::report::{Head, Report, ReportId, Row};
use crate::lifecycle::rule::Tests;
use crate::lifecycle::summary::Summary;
use crate::lifecycle::template::{Mode, Template, View};
use crate::lifecycle::term::{self, HaloTerm, Term, TermChange};
use crate::model::asset::FieldKind;
use crate::model::text::shown;
use crate::model::{Amount, Class as Kind, Problem};

/// Asks the workspace and takes the one answer that fits.
macro_rules! workspace {
    ($handle:expr, $query:expr, $answer:ident) => {
        match *ask!($handle, Query::Lifecycle($query), Lifecycle)? {
            LifecycleAnswer::$answer(answer) => Ok(answer),
            _ => Err(crate::cli::unexpected()),
        }
    };
}

pub async fn run(out: &Out, handle: &Handle, command: &Lifecycle) -> Result<u8, Failure> {
    match command {
        Lifecycle::Areas => {
            let view = overview(handle).await?;
            out.either(&show::areas_document(&view), || show::areas(&view))?;
            Ok(DONE)
        }
        Lifecycle::Setup => {
            let view = overview(handle).await?;
            out.either(&serde_json::json!({ "steps": view.setup }), || show::setup(&view, out.plain))?;
            Ok(DONE)
        }
        Lifecycle::Fields(Fields::List) => {
            let view = overview(handle).await?;
            out.either(&show::fields_document(&view.fields), || show::fields(&view.fields, out.plain))?;
            Ok(DONE)
        }
        Lifecycle::Fields(Fields::Map { field, halo, kind }) => {
            let named = |key: &String| FieldKind::ALL.into_iter().find(|kind| kind.key() == key);
            let suggested = if field.contains("date") || field.contains("warranty") {
                FieldKind::Date
            } else {
                FieldKind::Text
            };
            let kind = kind.as_ref().and_then(named).unwrap_or(suggested);
            let order = LifecycleOrder::WantField { field: field.clone(), name: halo.clone(), kind };
            edit(out, handle, order).await
        }
        Lifecycle::Types(terms) => terms_of(out, handle, TermList::Types, terms).await,
        Lifecycle::Statuses(terms) => terms_of(out, handle, TermList::Statuses, terms).await,
        Lifecycle::Companies(command) => companies(out, handle, command).await,
        Lifecycle::Configurations(command) => configurations(out, handle, command).await,
        Lifecycle::Templates(command) => templates(out, handle, command).await,
        Lifecycle::Grades(command) => grades(out, handle, command).await,
        Lifecycle::Classes(command) => classes(out, handle, command).await,
        Lifecycle::Policies(command) => policies(out, handle, command).await,
        Lifecycle::Reports(Reports::List) => {
            let heads: Vec<Head> = workspace!(handle, LifecycleQuery::Reports, Reports)?;
            out.either(&show::reports_document(&heads), || show::reports(&heads, out.plain))?;
            Ok(DONE)
        }
        Lifecycle::Reports(Reports::Discard { report }) => {
            edit(out, handle, LifecycleOrder::Discard { report: *report }).await
        }
        Lifecycle::Report { company, format, out: file, build } => {
            let mode = if *build { Mode::Build } else { Mode::Display };
            let format = args::format(format.as_deref(), out.json);
            report(out, handle, company, format, file.as_deref(), mode).await
        }
        Lifecycle::Complete { report } => {
            edit(out, handle, LifecycleOrder::Complete { report: *report }).await
        }
        Lifecycle::Portfolio => portfolio(out, handle).await,
        Lifecycle::Warranty(Warranty::Import { file, dry_run }) => {
            let csv = crate::lifecycle::warranty::decode(&files::read(file)?);
            let order = LifecycleOrder::ImportWarranty { csv, dry_run: *dry_run };
            let import =
                order!(handle, Command::Lifecycle(Box::new(order)), Reply::Warranty(import) => import)
                    .map_err(|problem: Problem| {
                        let message = format!("{}: {}", file.display(), problem.message);
                        Problem { message, ..problem }
                    })?;
            out.either(&show::warranty_document(&import), || show::warranty(&import))?;
            Ok(if import.refused.is_empty() { DONE } else { PARTIAL })
        }
        Lifecycle::Undo => edit(out, handle, LifecycleOrder::Undo { redo: false }).await,
        Lifecycle::Redo => edit(out, handle, LifecycleOrder::Undo { redo: true }).await,
    }
}

/// One change; says what happened.
async fn edit(out: &Out, handle: &Handle, order: LifecycleOrder) -> Result<u8, Failure> {
    let said = order!(handle, Command::Lifecycle(Box::new(order)), Reply::Done(said) => said)?;
    out.either(&serde_json::json!({ "message": said }), || shown(&said).into_owned())?;
    Ok(DONE)
}

async fn overview(handle: &Handle) -> Result<WorkspaceView, Problem> {
    workspace!(handle, LifecycleQuery::Overview, Overview).map(|view| *view)
}

async fn all_companies(handle: &Handle) -> Result<Vec<CompanyView>, Problem> {
    workspace!(handle, LifecycleQuery::Companies, Companies)
}

async fn terms_of(out: &Out, handle: &Handle, list: TermList, command: &Terms) -> Result<u8, Failure> {
    let order = match command {
        Terms::List => {
            let view = overview(handle).await?;
            let (local, halo) = lists(&view, list);
            out.either(&show::terms_document(local, halo), || show::terms(local, halo, out.plain))?;
            return Ok(DONE);
        }
        Terms::Add { name } => LifecycleOrder::AddTerm { list, name: name.clone() },
        Terms::Map { id, halo, merge, dry_run: true } => {
            let view = overview(handle).await?;
            let (local, known) = lists(&view, list);
            let term = known.iter().find(|term| term.id == *halo || term.name == *halo);
            let term = term.ok_or_else(|| sentence(&format!("Halo has no '{halo}' in this list")))?;
            let changes = term::map(local, *id, term.clone(), *merge).map_err(|text| sentence(&text))?;
            return preview(out, &changes);
        }
        Terms::CreateUnmapped { dry_run: true } => {
            let view = overview(handle).await?;
            let (local, known) = lists(&view, list);
            return preview(out, &term::create_unmapped(local, known));
        }
        Terms::Map { id, halo, merge, .. } => {
            LifecycleOrder::MapTerm { list, id: *id, halo: halo.clone(), merge: *merge }
        }
        Terms::CreateUnmapped { .. } => LifecycleOrder::CreateUnmapped { list },
        Terms::Rename { id, name } => LifecycleOrder::RenameTerm { list, id: *id, name: name.clone() },
        Terms::Remove { id } => LifecycleOrder::RemoveTerm { list, id: *id },
    };
    edit(out, handle, order).await
}

/// The entries here and those of Halo.
fn lists(view: &WorkspaceView, list: TermList) -> (&[Term], &[HaloTerm]) {
    match list {
        TermList::Types => (&view.types, &view.halo_types),
        TermList::Statuses => (&view.statuses, &view.halo_statuses),
    }
}

/// What would change, before it is saved (S12, S13).
fn preview(out: &Out, changes: &[TermChange]) -> Result<u8, Failure> {
    let said: Vec<String> = changes.iter().map(|change| shown(&change.sentence()).into_owned()).collect();
    out.either(&serde_json::json!({ "dry_run": true, "changes": said }), || {
        if said.is_empty() {
            "Everything is mapped: 0 new.".into()
        } else {
            format!("{}\nNothing was saved.", said.join("\n"))
        }
    })?;
    Ok(DONE)
}

async fn companies(out: &Out, handle: &Handle, command: &Companies) -> Result<u8, Failure> {
    let all = all_companies(handle).await?;
    let ids = |names: &[String]| {
        names.iter().map(|name| Ok(find(&all, name)?.company.id)).collect::<Result<_, Problem>>()
    };
    let order = match command {
        Companies::List => {
            let view = overview(handle).await?;
            out.either(&show::companies_document(&all, &view), || show::companies(&all, &view, out.plain))?;
            return Ok(DONE);
        }
        Companies::Add { name } => LifecycleOrder::AddCompany { name: name.clone() },
        Companies::Manage { companies } => {
            LifecycleOrder::Manage { companies: ids(companies)?, managed: true }
        }
        Companies::Unmanage { companies } => {
            LifecycleOrder::Manage { companies: ids(companies)?, managed: false }
        }
        Companies::Year { company, month } => LifecycleOrder::Company {
            company: find(&all, company)?.company.id,
            changes: vec![CompanyChange::FiscalYear(*month)],
        },
        Companies::Notes { company, text } => LifecycleOrder::Company {
            company: find(&all, company)?.company.id,
            changes: vec![CompanyChange::Notes(text.clone())],
        },
        Companies::Map { company, halo } => {
            LifecycleOrder::MapCompany { company: find(&all, company)?.company.id, halo: *halo }
        }
    };
    edit(out, handle, order).await
}

/// A company by its name, else by its Halo id.
fn find<'a>(all: &'a [CompanyView], name: &str) -> Result<&'a CompanyView, Problem> {
    let wanted = name.trim();
    let input = |message: String, remedy: &str| Problem::new(Kind::Input, message).remedy(remedy.to_owned());
    let with = |test: &dyn Fn(&CompanyView) -> bool| {
        let mut found = all.iter().filter(|view| test(view));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(Ok(one)),
            (Some(_), Some(_)) => Some(Err(input(
                format!("There is more than one company '{wanted}'."),
                "Give its Halo id: `parhelion lifecycle companies list` shows them.",
            ))),
            (None, _) => None,
        }
    };
    with(&|view| view.company.name == wanted)
        .or_else(|| with(&|view| view.company.halo.is_some_and(|id| id.to_string() == wanted)))
        .or_else(|| with(&|view| view.company.name.to_lowercase() == wanted.to_lowercase()))
        .unwrap_or_else(|| {
            Err(input(
                format!("There is no company '{}' in the workspace.", crate::model::text::shown(wanted)),
                "`parhelion run lifecycle` brings companies in; `parhelion lifecycle companies list` shows them.",
            ))
        })
}

async fn configurations(out: &Out, handle: &Handle, command: &Configurations) -> Result<u8, Failure> {
    let (assets, change) = match command {
        Configurations::List { company, gaps } => {
            let all = all_companies(handle).await?;
            let wanted: Vec<&CompanyView> = match company {
                Some(name) => vec![find(&all, name)?],
                None => all.iter().filter(|view| view.company.managed && view.configurations > 0).collect(),
            };
            let mut rows: Vec<(String, Row)> = Vec::new();
            for view in wanted {
                let query = LifecycleQuery::Configurations { company: view.company.id };
                let of: Vec<Row> = workspace!(handle, query, Configurations)?;
                rows.extend(of.into_iter().map(|row| (view.company.name.clone(), row)));
            }
            if *gaps {
                rows.retain(|(_, row)| row.counts && !row.gaps.is_empty());
            }
            out.either(&show::configurations_document(&rows), || show::configurations(&rows, out.plain))?;
            return Ok(DONE);
        }
        Configurations::Class { name, assets } => (assets, AssetChange::Class(name.clone())),
        Configurations::Template { name, assets } => (assets, AssetChange::Template(name.clone())),
        Configurations::Date { field, date, assets } => (assets, AssetChange::Date(*field, *date)),
        Configurations::OffBudget { undo, assets } => (assets, AssetChange::OffBudget(!undo)),
    };
    edit(out, handle, LifecycleOrder::Assets { assets: assets.ids.clone(), changes: vec![change] }).await
}

async fn templates(out: &Out, handle: &Handle, command: &Templates) -> Result<u8, Failure> {
    let view = overview(handle).await?;
    let order = match command {
        Templates::List => {
            out.either(&show::templates_document(&view), || show::templates(&view, out.plain))?;
            return Ok(DONE);
        }
        Templates::Remove { name, replacement } => {
            LifecycleOrder::RemoveTemplate { name: name.clone(), replacement: replacement.clone() }
        }
        Templates::Rename { name, new } => {
            let old = view.templates.iter().find(|template| template.name == name.trim());
            let old = old.ok_or_else(|| {
                sentence(&format!("there is no template '{}'", name.trim()))
                    .remedy("`parhelion lifecycle templates list` shows them.")
            })?;
            let template = Template { name: new.clone(), ..old.clone() };
            LifecycleOrder::SetTemplate { was: Some(old.name.clone()), template }
        }
        Templates::Set(set) => {
            let old = view.templates.iter().find(|template| template.name == set.name.trim());
            let mut template = old.cloned().unwrap_or_else(|| Template::named(set.name.trim()));
            let words = |words: &Vec<String>| -> BTreeSet<String> {
                words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
            };
            if let Some(types) = &set.types {
                template.kinds = words(types);
                note_unknown(out, &view, &template.kinds);
            }
            if let Some(columns) = &set.columns {
                let columns: Result<Vec<Column>, String> =
                    columns.iter().map(|column| column.parse()).collect();
                template.columns = columns.map_err(|text: String| sentence(&text))?;
            }
            for (view, types, statuses) in [
                (&mut template.build, &set.build_hides_types, &set.build_hides_statuses),
                (&mut template.display, &set.display_hides_types, &set.display_hides_statuses),
            ] {
                let View { hidden_types, hidden_statuses } = view;
                if let Some(types) = types {
                    *hidden_types = words(types);
                }
                if let Some(statuses) = statuses {
                    *hidden_statuses = words(statuses);
                }
            }
            LifecycleOrder::SetTemplate { was: None, template }
        }
    };
    edit(out, handle, order).await
}

async fn grades(out: &Out, handle: &Handle, command: &Grades) -> Result<u8, Failure> {
    let order = match command {
        Grades::List => {
            let view = overview(handle).await?;
            out.either(&show::grades_document(&view), || show::grades(&view, out.plain))?;
            return Ok(DONE);
        }
        Grades::Reset => LifecycleOrder::Grades { rules: None },
        Grades::Set { rules } => {
            let rules: Result<Vec<GradeRule>, Problem> = rules.iter().map(|rule| grade_rule(rule)).collect();
            LifecycleOrder::Grades { rules: Some(rules?) }
        }
    };
    edit(out, handle, order).await
}

/// `Replace/replace: age>=60, os=unsupported`.
fn grade_rule(text: &str) -> Result<GradeRule, Problem> {
    let refuse = || {
        sentence(&format!(
            "'{text}' is not a rule such as 'Replace/replace: age>=60'; tones are replace, plan, watch, unknown and healthy"
        ))
    };
    let (name, tests) = text.split_once(':').ok_or_else(refuse)?;
    let (grade, tone) = name.split_once('/').ok_or_else(refuse)?;
    let tone = Tone::find(tone).ok_or_else(refuse)?;
    Ok(GradeRule {
        grade: grade.trim().to_owned(),
        tone,
        when: tests.parse().map_err(|text: String| sentence(&text))?,
    })
}

async fn classes(out: &Out, handle: &Handle, command: &Classes) -> Result<u8, Failure> {
    let view = overview(handle).await?;
    let order = match command {
        Classes::List => {
            out.either(&show::classes_document(&view), || show::classes(&view, out.plain))?;
            return Ok(DONE);
        }
        Classes::Remove { kind, name } => {
            LifecycleOrder::RemoveClass { kind: kind.trim().to_owned(), name: name.trim().to_owned() }
        }
        Classes::Rename { kind, name, new } => {
            let (kind, name) = (kind.trim(), name.trim());
            let old = view.classes.iter().find(|own| own.kind == kind && own.name == name);
            let old = old.ok_or_else(|| {
                sentence(&format!("there is no class '{name}' of {kind}"))
                    .remedy("`parhelion lifecycle classes list` shows them.")
            })?;
            let class = Class { name: new.clone(), ..old.clone() };
            LifecycleOrder::SetClass { was: Some(old.name.clone()), class }
        }
        Classes::Move { kind, name, position } => LifecycleOrder::MoveClass {
            kind: kind.trim().to_owned(),
            name: name.trim().to_owned(),
            position: *position,
        },
        Classes::Set(set) => {
            let old =
                view.classes.iter().find(|own| own.kind == set.kind.trim() && own.name == set.name.trim());
            let mut class = old.cloned().unwrap_or_else(|| Class {
                kind: set.kind.trim().to_owned(),
                name: set.name.trim().to_owned(),
                budget: Budget::NONE,
                life_months: class::DEFAULT_LIFE,
                rule: Tests::default(),
            });
            let of = format!("class '{}' of {}", class.name, class.kind);
            let take = |what: &str, typed: &Option<String>, amount: &mut Amount| -> Result<(), Problem> {
                if let Some(typed) = typed {
                    *amount = class::parse_amount(typed, view.currency)
                        .map_err(|why| sentence(&format!("{what} of {of}: {why}")))?;
                }
                Ok(())
            };
            take("hardware", &set.hardware, &mut class.budget.hardware)?;
            take("set-up", &set.setup, &mut class.budget.setup)?;
            take("onsite", &set.onsite, &mut class.budget.onsite)?;
            take("recurring", &set.recurring, &mut class.budget.recurring)?;
            class.life_months = set.life.unwrap_or(class.life_months);
            if let Some(rule) = &set.rule {
                class.rule =
                    rule.parse().map_err(|text: String| sentence(&format!("rule of {of}: {text}")))?;
            }
            note_unknown(out, &view, [&class.kind]);
            LifecycleOrder::SetClass { was: None, class }
        }
    };
    edit(out, handle, order).await
}

async fn policies(out: &Out, handle: &Handle, command: &Policies) -> Result<u8, Failure> {
    let of = async |company: &Option<String>| -> Result<Option<i64>, Problem> {
        match company {
            None => Ok(None),
            Some(name) => Ok(Some(find(&all_companies(handle).await?, name)?.company.id.into())),
        }
    };
    let order = match command {
        Policies::List => {
            let view = overview(handle).await?;
            let all = all_companies(handle).await?;
            out.either(&show::policies_document(&view), || show::policies(&view, &all, out.plain))?;
            return Ok(DONE);
        }
        Policies::Set { kind, life, warning, exempt, no_exempt, is_virtual, no_virtual, company } => {
            let view = overview(handle).await?;
            let (kind, company) = (kind.trim(), of(company).await?);
            let old = view.policies.iter().find(|own| own.kind == kind && own.company == company);
            let mut policy = old.cloned().unwrap_or_else(|| TypePolicy::of(kind, company));
            policy.life_months = life.unwrap_or(policy.life_months);
            policy.warning_months = warning.unwrap_or(policy.warning_months);
            policy.exempt = (policy.exempt || *exempt) && !no_exempt;
            policy.is_virtual = (policy.is_virtual || *is_virtual) && !no_virtual;
            note_unknown(out, &view, [&policy.kind]);
            LifecycleOrder::SetPolicy { policy }
        }
        Policies::Remove { kind, company } => {
            LifecycleOrder::RemovePolicy { kind: kind.trim().to_owned(), company: of(company).await? }
        }
    };
    edit(out, handle, order).await
}

async fn report(
    out: &Out,
    handle: &Handle,
    company: &str,
    format: Format,
    file: Option<&std::path::Path>,
    mode: Mode,
) -> Result<u8, Failure> {
    let all = all_companies(handle).await?;
    let id = match find(&all, company) {
        Ok(view) => {
            let order = LifecycleOrder::OpenReport { company: view.company.id };
            let (report, new) = order!(
                handle, Command::Lifecycle(Box::new(order)), Reply::Report { report, new } => (report, new)
            )?;
            if new {
                out.remark(&format!(
                    "{report} is {}'s new draft; `parhelion lifecycle complete {report}` freezes it.",
                    view.company.name
                ));
            }
            report
        }
        Err(problem) => match company.parse::<ReportId>() {
            Ok(report) if company.trim().starts_with(['R', 'r']) => report,
            _ => return Err(problem.into()),
        },
    };
    let report: Box<Report> = workspace!(handle, LifecycleQuery::Report { report: id, mode }, Report)?;
    let settings = ask!(handle, Query::Settings, Settings)?.settings;
    let columns = Headed::list(&settings.lifecycle.csv_columns).map_err(|text: String| sentence(&text))?;
    if file.is_none() && out.json {
        // One document on standard output, whatever is in it.
        let document = if format == Format::Json {
            crate::lifecycle::export::document(&report)
        } else if format.is_text() {
            let bytes = export(&report, format, &columns).map_err(|text: String| sentence(&text))?;
            let text = String::from_utf8_lossy(&bytes);
            serde_json::json!({"report": report.head.id.to_string(), "format": format.key(), "text": text})
        } else {
            return Err(not_printed().into());
        };
        out.document(&document)?;
        return Ok(DONE);
    }
    let bytes = export(&report, format, &columns).map_err(|text: String| sentence(&text))?;
    match file {
        Some(path) => {
            files::write(path, &bytes)?;
            let name = shown(&report.head.name);
            let said = format!("{} of {name} is in {}.", report.head.id, path.display());
            out.either(
                &serde_json::json!({"report": report.head.id.to_string(), "format": format.key(), "file": path}),
                || said.clone(),
            )?;
        }
        None if !format.is_text() => return Err(not_printed().into()),
        None => out.text(&String::from_utf8_lossy(&bytes))?,
    }
    Ok(DONE)
}

fn not_printed() -> Problem {
    Problem::new(Kind::Input, "A spreadsheet cannot be printed.").remedy("Name a file: `--out FILE`.")
}

async fn portfolio(out: &Out, handle: &Handle) -> Result<u8, Failure> {
    let all = all_companies(handle).await?;
    let view = overview(handle).await?;
    let sums: Vec<(u32, Summary)> = workspace!(handle, LifecycleQuery::Portfolio, Portfolio)?;
    out.either(&show::portfolio_document(&all, &sums, &view), || {
        show::portfolio(&all, &sums, &view, out.plain)
    })?;
    Ok(DONE)
}

/// Says which of these configuration types nothing has yet: mostly a slip, sometimes only early.
fn note_unknown<'a>(out: &Out, view: &WorkspaceView, kinds: impl IntoIterator<Item = &'a String>) {
    let known: Vec<&str> = view.configuration_types.iter().map(|(name, _)| name.as_str()).collect();
    if known.is_empty() {
        return;
    }
    for kind in kinds {
        if !known.contains(&kind.as_str()) {
            let here = known.join(", ");
            out.remark(&format!("No configuration is of type '{kind}' yet; those here are of {here}."));
        }
    }
}

/// A sentence of the rules as a problem of what was typed.
fn sentence(text: &str) -> Problem {
    let ends = if text.ends_with(['.', ')']) { "" } else { "." };
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    Problem::new(Kind::Input, format!("{first}{}{ends}", letters.as_str()))
}
