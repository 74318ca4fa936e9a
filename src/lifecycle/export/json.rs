//! The whole report as a document: ids and money are text, dates are `2026-01-31` (`cli.md`).

use serde_json::{Value, json};

use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::budget::Cost;
use crate::lifecycle::column::Column;
use crate::lifecycle::report::{Report, Row};
use crate::lifecycle::summary::{Gap, Summary};
use crate::model::Amount;

pub fn json(report: &Report) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(&document(report)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn amount(decimal: rust_decimal::Decimal) -> String {
    Amount::new(decimal).to_string()
}

fn cost(cost: &Cost) -> Value {
    json!({
        "configurations": cost.count,
        "hardware": amount(cost.hardware),
        "setup": amount(cost.setup),
        "onsite": amount(cost.onsite),
        "total": amount(cost.total()),
    })
}

/// The document of `lifecycle report --format json`.
pub fn document(report: &Report) -> Value {
    let summary = &report.summary;
    json!({
        "schema": 1,
        "report": report.head.id.to_string(),
        "company": {
            "id": report.head.company.to_string(),
            "halo_id": report.head.halo.map(|id| id.to_string()),
            "name": report.head.name,
        },
        "state": report.head.state,
        "created": report.head.created,
        "completed": report.head.completed,
        "as_of": report.as_of,
        "currency": report.currency,
        "default_grades": report.grades_are_ours,
        "totals": totals(summary),
        "ages": AgeBucket::ALL.iter().map(|b| json!({"bucket": b.key(), "count": summary.age(*b)})).collect::<Vec<_>>(),
        "warranties": WarrantyBucket::ALL
            .iter()
            .map(|b| json!({"bucket": b.key(), "count": summary.warranty(*b)}))
            .collect::<Vec<_>>(),
        "grades": report
            .grades
            .iter()
            .map(|(name, tone)| json!({"grade": name, "tone": tone, "count": summary.grade(name)}))
            .collect::<Vec<_>>(),
        "years": report
            .years()
            .iter()
            .map(|(year, of)| {
                let mut value = cost(of);
                value["year"] = year.as_str().into();
                value
            })
            .collect::<Vec<_>>(),
        "undated": cost(&summary.undated),
        "quality": {
            "score": summary.quality.score(),
            "missing": Gap::ALL
                .iter()
                .map(|gap| (serde_json::to_value(gap).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default(),
                            Value::from(summary.quality.of(*gap))))
                .collect::<serde_json::Map<_, _>>(),
        },
        "warnings": report.warnings,
        "columns": report.columns.iter().map(Column::key).collect::<Vec<_>>(),
        "configurations": report.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn totals(summary: &Summary) -> Value {
    json!({
        "configurations": summary.configurations,
        "counted": summary.counted,
        "out_of_scope": summary.out_of_scope,
        "unclassed": summary.unclassed,
        "quarantined": summary.quarantined,
        "budget": amount(summary.total()),
        "recurring_a_month": amount(summary.recurring),
    })
}

fn row(row: &Row) -> Value {
    json!({
        "id": row.id.to_string(),
        "name": row.name,
        "type": row.kind,
        "status": row.status,
        "serial": row.serial,
        "manufacturer": row.manufacturer,
        "model": row.model,
        "ram": row.ram,
        "os": row.os,
        "notes": row.notes,
        "purchase_date": row.dates.purchase,
        "install_date": row.dates.install,
        "warranty_start": row.dates.warranty_start,
        "expiration_date": row.dates.expiration,
        "age_months": row.age.months(),
        "warranty": row.warranty.bucket().key(),
        "grade": row.grade,
        "tone": row.tone,
        "why": row.why,
        "class": row.class,
        "template": row.template,
        "replace_on": row.replace_on,
        "budget_year": row.year.map(|year| year.to_string()),
        "hardware": row.budget.hardware,
        "setup": row.budget.setup,
        "onsite": row.budget.onsite,
        "total": row.budget.once(),
        "recurring_a_month": row.budget.recurring,
        "counted": row.counts,
        "budgeted": row.is_budgeted,
        "out_of_scope": row.out_of_scope,
        "missing": row.gaps,
        "faults": row.faults,
        "fields": row.extra,
    })
}
