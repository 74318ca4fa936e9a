//! The workspace as text for people and documents for scripts. Ids and money are text in documents.

use serde_json::{Value, json};

use crate::host::words::{CompanyView, FieldView, WarrantyImport, WorkspaceView};
use crate::lifecycle::column::Column;
use crate::lifecycle::export::grouped;
use crate::lifecycle::grade::{self, DEFAULT_LABEL, Tone};
use crate::lifecycle::report::{Head, Row};
use crate::lifecycle::setup::Progress;
use crate::lifecycle::summary::Summary;
use crate::lifecycle::term::{HaloTerm, Term};
use crate::lifecycle::{AREAS, NOTICE, Offered};
use crate::model::Amount;
use crate::model::text::shown;

/// Rows in columns. What is blank is told, so that with `--plain` each cell keeps its place; an empty list says so.
fn table(header: &[&str], rows: Vec<Vec<String>>, plain: bool, none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let told = |cell: String| if cell.is_empty() { "-".to_owned() } else { cell };
    let rows = rows.into_iter().map(|row| row.into_iter().map(told).collect()).collect();
    crate::cli::text::table(header, rows, plain)
}

fn count(view: &WorkspaceView, area: &str) -> Option<u64> {
    Some(match area {
        "Companies" => view.managed,
        "Company types" => view.types.len() as u64,
        "Company statuses" => view.statuses.len() as u64,
        "Configuration types" => view.configuration_types.len() as u64,
        "Configuration statuses" => view.configuration_statuses.len() as u64,
        "Configurations" => view.configurations,
        _ => return None,
    })
}

pub fn areas(view: &WorkspaceView) -> String {
    let mut text = format!("{NOTICE}\n");
    for area in AREAS {
        let state = match (area.offered, count(view, area.name)) {
            (Offered::Works, Some(count)) => format!("{count}"),
            (Offered::Works, None) => "works".into(),
            (Offered::Later, _) => "optional extra, still to come".into(),
            (Offered::Not, _) => "not offered".into(),
        };
        text.push_str(&format!("{:<24}{state}\n", area.name));
    }
    let read =
        view.read_at.map_or_else(|| "never".into(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    text.push_str(&format!("read from Halo          {read}\n"));
    if view.configurations_are_off {
        text.push_str("configurations are switched off: not updated since\n");
    }
    text
}

pub fn areas_document(view: &WorkspaceView) -> Value {
    let areas: Vec<Value> = AREAS
        .iter()
        .map(|area| json!({"area": area.name, "offered": area.offered == Offered::Works, "state": area.offered, "count": count(view, area.name)}))
        .collect();
    json!({"notice": NOTICE, "areas": areas, "read_at": view.read_at, "configurations_are_off": view.configurations_are_off})
}

pub fn setup(view: &WorkspaceView, plain: bool) -> String {
    let rows = view
        .setup
        .iter()
        .map(|step| {
            let state = match step.progress {
                Progress::Done => "done",
                Progress::ToDo => "to do",
                Progress::Failed => "failed",
                Progress::Optional => "optional",
            };
            vec![state.into(), step.name.clone(), shown(&step.says).into_owned()]
        })
        .collect();
    table(&["state", "step", "how it stands"], rows, plain, "")
}

pub fn fields(fields: &[FieldView], plain: bool) -> String {
    let rows = fields
        .iter()
        .map(|one| {
            let field = one.field.clone().unwrap_or_else(|| "(downloaded)".into());
            let halo = if one.halo.is_empty() { "-".to_owned() } else { shown(&one.halo).into_owned() };
            vec![field, halo, one.kind.key().to_owned(), one.state.words().to_owned()]
        })
        .collect();
    table(&["field", "in Halo", "type if made", "state"], rows, plain, "")
}

pub fn fields_document(fields: &[FieldView]) -> Value {
    let rows: Vec<Value> = fields
        .iter()
        .map(|one| json!({"field": one.field, "halo": one.halo, "type": one.kind.key(), "state": one.state}))
        .collect();
    json!({ "rows": rows })
}

pub fn terms(local: &[Term], halo: &[HaloTerm], plain: bool) -> String {
    let mut rows: Vec<Vec<String>> = local
        .iter()
        .map(|term| {
            let of = term.halo.as_ref();
            let state = match (of, term.gone) {
                (_, true) => "gone from Halo",
                (Some(_), _) => "mapped",
                (None, _) => "unmapped",
            };
            vec![
                term.id.to_string(),
                shown(&term.name).into_owned(),
                of.map(|halo| shown(&halo.id).into_owned()).unwrap_or_default(),
                of.map(|halo| shown(&halo.name).into_owned()).unwrap_or_default(),
                state.into(),
            ]
        })
        .collect();
    for one in unmapped(local, halo) {
        rows.push(vec![
            String::new(),
            String::new(),
            shown(&one.id).into_owned(),
            shown(&one.name).into_owned(),
            "only in Halo".into(),
        ]);
    }
    table(
        &["id", "name", "Halo id", "Halo name", "state"],
        rows,
        plain,
        "None yet: `parhelion run lifecycle` brings Halo's, `add` makes one by hand.",
    )
}

fn unmapped<'a>(local: &'a [Term], halo: &'a [HaloTerm]) -> impl Iterator<Item = &'a HaloTerm> {
    halo.iter().filter(|one| !local.iter().any(|term| term.halo.as_ref().is_some_and(|own| own.id == one.id)))
}

pub fn terms_document(local: &[Term], halo: &[HaloTerm]) -> Value {
    let rows: Vec<Value> = local
        .iter()
        .map(|term| json!({"id": term.id.to_string(), "name": term.name, "halo": term.halo, "mapped": term.halo.is_some(), "gone": term.gone}))
        .collect();
    let only_halo: Vec<&HaloTerm> = unmapped(local, halo).collect();
    json!({"rows": rows, "unmapped": only_halo})
}

pub fn companies(all: &[CompanyView], view: &WorkspaceView, plain: bool) -> String {
    let rows = all
        .iter()
        .map(|one| {
            vec![
                one.company.halo.map(|id| id.to_string()).unwrap_or_default(),
                shown(&one.company.name).into_owned(),
                shown(&one.kind).into_owned(),
                shown(&one.status).into_owned(),
                if one.company.managed { "managed".into() } else { "-".into() },
                one.configurations.to_string(),
                one.draft.map(|draft| draft.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    let cap = if view.cap > 0 { format!(" of {}", view.cap) } else { String::new() };
    let head = ["Halo id", "name", "type", "status", "managed", "configurations", "draft"];
    let none = "No company yet: `parhelion run lifecycle` brings Halo's customers in.";
    format!("{}\n{}{cap} managed", table(&head, rows, plain, none).trim_end(), view.managed)
}

pub fn companies_document(all: &[CompanyView], view: &WorkspaceView) -> Value {
    let rows: Vec<Value> = all
        .iter()
        .map(|one| {
            json!({
                "id": one.company.id.to_string(),
                "halo_id": one.company.halo.map(|id| id.to_string()),
                "name": one.company.name,
                "type": one.kind,
                "status": one.status,
                "mapped": one.company.halo.is_some(),
                "managed": one.company.managed,
                "fiscal_year_start": one.company.first_month,
                "configurations": one.configurations,
                "draft": one.draft.map(|draft| draft.to_string()),
                "read_at": one.read_at,
            })
        })
        .collect();
    json!({"rows": rows, "managed": view.managed, "cap": (view.cap > 0).then_some(view.cap)})
}

pub fn configurations(rows: &[(String, Row)], plain: bool) -> String {
    let lines = rows
        .iter()
        .map(|(company, row)| {
            let mut cells = vec![shown(company).into_owned(), row.id.to_string()];
            let columns = [
                Column::Name,
                Column::Type,
                Column::Serial,
                Column::Grade,
                Column::Age,
                Column::ExpirationDate,
                Column::Class,
                Column::BudgetYear,
                Column::Total,
            ];
            cells.extend(columns.iter().map(|column| shown(&column.cell(row)).into_owned()));
            cells
        })
        .collect();
    let head = [
        "company",
        "id",
        "name",
        "type",
        "serial",
        "grade",
        "age",
        "warranty until",
        "class",
        "year",
        "total",
    ];
    table(&head, lines, plain, "No configuration.")
}

pub fn configurations_document(rows: &[(String, Row)]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(company, row)| {
            json!({
                "company": company, "id": row.id.to_string(), "name": row.name, "type": row.kind, "status": row.status,
                "serial": row.serial, "manufacturer": row.manufacturer, "model": row.model, "ram": row.ram, "os": row.os,
                "purchase_date": row.dates.purchase, "install_date": row.dates.install,
                "warranty_start": row.dates.warranty_start, "expiration_date": row.dates.expiration,
                "age_months": row.age.months(), "grade": row.grade, "why": row.why, "class": row.class,
                "template": row.template, "replace_on": row.replace_on,
                "budget_year": row.year.map(|year| year.to_string()), "total": row.budget.once(),
                "out_of_scope": row.out_of_scope, "missing": row.gaps, "faults": row.faults,
            })
        })
        .collect();
    json!({"rows": rows})
}

fn words(set: &std::collections::BTreeSet<String>) -> String {
    set.iter().map(|word| shown(word).into_owned()).collect::<Vec<_>>().join(", ")
}

pub fn templates(view: &WorkspaceView, plain: bool) -> String {
    let rows = view
        .templates
        .iter()
        .map(|template| {
            let hides = |view: &crate::lifecycle::template::View| {
                let both: Vec<String> = [words(&view.hidden_types), words(&view.hidden_statuses)]
                    .into_iter()
                    .filter(|w| !w.is_empty())
                    .collect();
                both.join("; ")
            };
            vec![
                shown(&template.name).into_owned(),
                words(&template.kinds),
                shown(&template.columns.iter().map(Column::key).collect::<Vec<_>>().join(", ")).into_owned(),
                hides(&template.build),
                hides(&template.display),
            ]
        })
        .collect();
    table(&["template", "types", "columns", "build view hides", "display view hides"], rows, plain, "")
}

pub fn templates_document(view: &WorkspaceView) -> Value {
    json!({"rows": view.templates})
}

pub fn grades(view: &WorkspaceView, plain: bool) -> String {
    let rows = view
        .grades
        .iter()
        .enumerate()
        .map(|(at, rule)| {
            vec![
                (at + 1).to_string(),
                shown(&rule.grade).into_owned(),
                rule.tone.key().into(),
                shown(&rule.when.to_string()).into_owned(),
            ]
        })
        .collect();
    let whose = if view.grades_are_ours { format!("{DEFAULT_LABEL}; ") } else { String::new() };
    format!(
        "{}\n{whose}the first rule that fits counts",
        table(&["", "grade", "tone", "when"], rows, plain, "").trim_end()
    )
}

pub fn grades_document(view: &WorkspaceView) -> Value {
    let rows: Vec<Value> = view
        .grades
        .iter()
        .map(|rule| json!({"grade": rule.grade, "tone": rule.tone, "when": rule.when.to_string()}))
        .collect();
    json!({"default": view.grades_are_ours, "label": if view.grades_are_ours { DEFAULT_LABEL } else { "" }, "rows": rows})
}

pub fn classes(view: &WorkspaceView, plain: bool) -> String {
    let rows = view
        .classes
        .iter()
        .map(|class| {
            let money = |amount: Amount| grouped(amount.get());
            vec![
                shown(&class.kind).into_owned(),
                shown(&class.name).into_owned(),
                money(class.budget.hardware),
                money(class.budget.setup),
                money(class.budget.onsite),
                money(class.budget.once()),
                money(class.budget.recurring),
                class.life_months.to_string(),
                match class.rule.to_string() {
                    rule if rule.is_empty() => "by hand".into(),
                    rule => shown(&rule).into_owned(),
                },
            ]
        })
        .collect();
    let head =
        ["type", "class", "hardware", "set-up", "onsite", "total", "recurring", "life (months)", "rule"];
    let none = "No class yet, so every replacement costs 0: `parhelion lifecycle classes set` adds one.";
    table(&head, rows, plain, none)
}

pub fn classes_document(view: &WorkspaceView) -> Value {
    let rows: Vec<Value> = view
        .classes
        .iter()
        .map(|class| {
            json!({
                "type": class.kind, "name": class.name, "hardware": class.budget.hardware, "setup": class.budget.setup,
                "onsite": class.budget.onsite, "total": class.budget.once(), "recurring": class.budget.recurring,
                "life_months": class.life_months, "rule": class.rule.to_string(),
            })
        })
        .collect();
    json!({"currency": view.currency, "rows": rows})
}

pub fn policies(view: &WorkspaceView, all: &[CompanyView], plain: bool) -> String {
    let rows = view
        .policies
        .iter()
        .map(|policy| {
            let yes = |yes: bool| if yes { "yes" } else { "-" }.to_owned();
            let company = |id: i64| {
                let one = all.iter().find(|view| i64::from(view.company.id) == id);
                one.map_or_else(|| id.to_string(), |view| shown(&view.company.name).into_owned())
            };
            vec![
                shown(&policy.kind).into_owned(),
                policy.company.map_or_else(|| "all".into(), company),
                policy.life_months.to_string(),
                if policy.warning_months == 0 { "-".into() } else { policy.warning_months.to_string() },
                yes(policy.exempt),
                yes(policy.is_virtual),
            ]
        })
        .collect();
    let none = "No policy yet: every type lives 60 months without a class; `parhelion lifecycle policies set` adds one.";
    table(&["type", "company", "life (months)", "warning (months)", "exempt", "virtual"], rows, plain, none)
}

pub fn policies_document(view: &WorkspaceView) -> Value {
    let rows: Vec<Value> = view
        .policies
        .iter()
        .map(|policy| {
            json!({
                "type": policy.kind, "company": policy.company.map(|id| id.to_string()), "life_months": policy.life_months,
                "warning_months": policy.warning_months, "exempt": policy.exempt, "virtual": policy.is_virtual,
            })
        })
        .collect();
    json!({"rows": rows})
}

pub fn reports(heads: &[Head], plain: bool) -> String {
    let day = |at: crate::model::Moment| at.strftime("%Y-%m-%d").to_string();
    let rows = heads
        .iter()
        .map(|head| {
            let state = head.completed.map_or_else(|| "draft".into(), |at| format!("completed {}", day(at)));
            vec![head.id.to_string(), shown(&head.name).into_owned(), state, day(head.created)]
        })
        .collect();
    table(
        &["report", "company", "state", "begun"],
        rows,
        plain,
        "No report yet: `parhelion lifecycle report COMPANY` begins one.",
    )
}

pub fn reports_document(heads: &[Head]) -> Value {
    let rows: Vec<Value> = heads
        .iter()
        .map(|head| {
            json!({
                "report": head.id.to_string(), "state": head.state, "created": head.created, "completed": head.completed,
                "company": {"id": head.company.to_string(), "halo_id": head.halo.map(|id| id.to_string()), "name": head.name},
            })
        })
        .collect();
    json!({"rows": rows})
}

pub fn warranty(import: &WarrantyImport) -> String {
    let verb = if import.dry_run { "would be taken" } else { "taken" };
    let mut text = format!(
        "{} {verb}, {} known already, {} refused\n",
        import.taken,
        import.unchanged,
        import.refused.len()
    );
    for (line, why) in &import.refused {
        text.push_str(&format!("line {line}: {}\n", shown(why)));
    }
    for note in &import.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

pub fn warranty_document(import: &WarrantyImport) -> Value {
    let refused: Vec<Value> =
        import.refused.iter().map(|(line, why)| json!({"line": line, "message": why})).collect();
    json!({"dry_run": import.dry_run, "taken": import.taken, "unchanged": import.unchanged, "refused": refused, "notes": import.notes})
}

/// The company of each sum.
fn named<'a>(all: &'a [CompanyView], sums: &'a [(u32, Summary)]) -> Vec<(&'a CompanyView, &'a Summary)> {
    let by_id: std::collections::HashMap<u32, &Summary> = sums.iter().map(|(id, sum)| (*id, sum)).collect();
    all.iter().filter_map(|view| Some((view, *by_id.get(&view.company.id)?))).collect()
}

pub fn portfolio(all: &[CompanyView], sums: &[(u32, Summary)], view: &WorkspaceView, plain: bool) -> String {
    let names = grade::names(&view.grades);
    let of = |sum: &Summary, tone: Tone| -> u32 {
        names.iter().filter(|(_, own)| *own == tone).map(|(name, _)| sum.grade(name)).sum()
    };
    let rows = named(all, sums)
        .into_iter()
        .map(|(company, sum)| {
            vec![
                shown(&company.company.name).into_owned(),
                sum.counted.to_string(),
                of(sum, Tone::Replace).to_string(),
                of(sum, Tone::Plan).to_string(),
                of(sum, Tone::Watch).to_string(),
                of(sum, Tone::Healthy).to_string(),
                of(sum, Tone::Unknown).to_string(),
                sum.quality.score().map_or_else(|| "n/a".into(), |score| score.to_string()),
                grouped(sum.total()),
            ]
        })
        .collect();
    table(
        &["company", "counted", "replace", "plan", "watch", "healthy", "unknown", "quality", "budget"],
        rows,
        plain,
        "No company is managed yet.",
    )
}

pub fn portfolio_document(all: &[CompanyView], sums: &[(u32, Summary)], view: &WorkspaceView) -> Value {
    let rows: Vec<Value> = named(all, sums)
        .into_iter()
        .map(|(company, sum)| {
            let years: Vec<Value> = sum
                .years
                .iter()
                .map(|(year, cost)| json!({"year": year, "configurations": cost.count, "total": Amount::new(cost.total())}))
                .collect();
            json!({
                "company": {"id": company.company.id.to_string(), "halo_id": company.company.halo.map(|id| id.to_string()), "name": company.company.name},
                "counted": sum.counted, "grades": sum.grades, "quality": sum.quality.score(), "years": years,
                "budget": Amount::new(sum.total()),
            })
        })
        .collect();
    json!({"currency": view.currency, "rows": rows})
}
