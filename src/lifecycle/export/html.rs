//! A page for the client meeting: one file, no network, no script; prints on A4.

use std::fmt::Write as _;

use rust_decimal::prelude::ToPrimitive as _;

use super::charts::{Bar, Part, Stack, lying, ring, standing};
use super::{grouped, money, state_words};
use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::budget::Cost;
use crate::lifecycle::column::Column;
use crate::lifecycle::grade::{DEFAULT_LABEL, Tone};
use crate::lifecycle::report::{Report, Row};
use crate::lifecycle::summary::Gap;
use crate::model::text::shown;

const STYLE: &str = include_str!("report.css");

pub fn html(report: &Report) -> String {
    let s = &report.summary;
    let name = escape(&report.head.name);
    let mut out = String::with_capacity(16 * 1024 + report.rows.len() * 512);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{name}: lifecycle report</title><style>{STYLE}</style></head><body><main>\n\
         <header><div><h1 dir=\"auto\">{name}</h1><p>Technology lifecycle report {}, {}</p></div>\
         <p class=\"day\">as of {}</p></header>\n",
        report.head.id,
        escape(&state_words(report)),
        report.as_of
    );
    cards(&mut out, report);
    out.push_str("<section class=\"pair\">");
    let title = if report.grades_are_ours {
        format!("Condition <small>{DEFAULT_LABEL}</small>")
    } else {
        "Condition".to_owned()
    };
    let grades: Vec<Bar> =
        report.grades.iter().map(|(name, tone)| bar(name, s.grade(name), tone.key())).collect();
    figure(&mut out, &title, &lying(&grades, "Configurations by grade"));
    quality(&mut out, report);
    out.push_str("</section>\n<section class=\"pair\">");
    let ages: Vec<Bar> = AgeBucket::ALL.iter().map(|b| bar(b.label(), s.age(*b), age_tone(*b))).collect();
    figure(&mut out, "Age", &lying(&ages, "Configurations by age"));
    let warranties: Vec<Bar> =
        WarrantyBucket::ALL.iter().map(|b| bar(b.label(), s.warranty(*b), warranty_tone(*b))).collect();
    figure(&mut out, "Warranty", &lying(&warranties, "Configurations by warranty"));
    out.push_str("</section>\n");
    years(&mut out, report);
    table(&mut out, report);
    if !report.warnings.is_empty() {
        out.push_str("<section class=\"notes\"><h2>What to know</h2><ul>");
        for warning in &report.warnings {
            let _ = write!(out, "<li>{}</li>", escape(warning));
        }
        out.push_str("</ul></section>\n");
    }
    out.push_str("</main></body></html>\n");
    out
}

fn bar(label: &str, count: u32, tone: &'static str) -> Bar {
    Bar { label: label.into(), value: count.into(), shown: count.to_string(), tone }
}

const fn age_tone(bucket: AgeBucket) -> &'static str {
    match bucket {
        AgeBucket::Under1 | AgeBucket::Under2 | AgeBucket::Under3 => Tone::Healthy.key(),
        AgeBucket::Under4 => Tone::Watch.key(),
        AgeBucket::Under5 => Tone::Plan.key(),
        AgeBucket::Older => Tone::Replace.key(),
        AgeBucket::Unknown => Tone::Unknown.key(),
    }
}

const fn warranty_tone(bucket: WarrantyBucket) -> &'static str {
    match bucket {
        WarrantyBucket::Over => Tone::Plan.key(),
        WarrantyBucket::Under6Months => Tone::Watch.key(),
        WarrantyBucket::Under1Year | WarrantyBucket::Under2Years | WarrantyBucket::Longer => {
            Tone::Healthy.key()
        }
        WarrantyBucket::Unknown | WarrantyBucket::None => Tone::Unknown.key(),
    }
}

fn cards(out: &mut String, report: &Report) {
    let s = &report.summary;
    let needs: u32 =
        report.grades.iter().filter(|(_, tone)| *tone == Tone::Replace).map(|(name, _)| s.grade(name)).sum();
    let this_year = s.years.get(&report.this_year.year).copied().unwrap_or_default();
    let next_year = s.years.get(&report.this_year.plus(1).year).copied().unwrap_or_default();
    let cards = [
        (s.counted.to_string(), "devices".to_owned()),
        (needs.to_string(), "to replace now".into()),
        (s.warranty(WarrantyBucket::Over).to_string(), "out of warranty".into()),
        (money(this_year.total(), report), format!("budget {}", report.this_year)),
        (money(next_year.total(), report), format!("budget {}", report.this_year.plus(1))),
    ];
    out.push_str("<section class=\"cards\">");
    for (figure, label) in cards {
        let _ = write!(out, "<div><b>{}</b><span>{}</span></div>", escape(&figure), escape(&label));
    }
    out.push_str("</section>\n");
}

fn figure(out: &mut String, title: &str, chart: &str) {
    let _ = write!(out, "<figure><h2>{title}</h2>{chart}</figure>");
}

fn quality(out: &mut String, report: &Report) {
    let quality = &report.summary.quality;
    let _ = write!(out, "<figure><h2>Data quality</h2><div class=\"score\">{}<ul>", ring(quality.score()));
    for gap in Gap::ALL {
        let missing = quality.of(gap);
        let words = if missing == 0 { "complete".into() } else { format!("missing on {missing}") };
        let class = if missing == 0 { "good" } else { "gap" };
        let _ = write!(out, "<li class=\"{class}\"><b>{}</b> {words}</li>", gap.label());
    }
    out.push_str("</ul></div></figure>");
}

fn years(out: &mut String, report: &Report) {
    let value = |amount: rust_decimal::Decimal| amount.to_f64().unwrap_or(0.0);
    let stack = |label: String, cost: &Cost| Stack {
        label: format!("{label} ({})", cost.count),
        shown: grouped(cost.total()),
        parts: vec![
            Part { value: value(cost.hardware), tone: "hardware" },
            Part { value: value(cost.setup), tone: "setup" },
            Part { value: value(cost.onsite), tone: "onsite" },
        ],
    };
    let mut stacks: Vec<Stack> = report.years().into_iter().map(|(year, cost)| stack(year, &cost)).collect();
    if report.summary.undated.count > 0 {
        stacks.push(stack("no date".into(), &report.summary.undated));
    }
    let currency = report
        .currency
        .map(|c| format!(" <small>{c}, number of devices in brackets</small>"))
        .unwrap_or_default();
    let _ = writeln!(
        out,
        "<section><figure><h2>Replacement cost by year{currency}</h2>{}<p class=\"legend\"><i class=\"hardware\"></i>hardware \
         <i class=\"setup\"></i>set-up <i class=\"onsite\"></i>onsite</p></figure></section>",
        standing(&stacks, "Replacement cost by year")
    );
}

fn table(out: &mut String, report: &Report) {
    out.push_str("<section><h2>Devices, most urgent first</h2><table><thead><tr>");
    for column in &report.columns {
        let class = if column.is_number() { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th{class}>{}</th>", escape(column.label()));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &report.rows {
        line(out, report, row);
    }
    out.push_str("</tbody></table></section>\n");
}

fn line(out: &mut String, report: &Report, row: &Row) {
    out.push_str(if row.counts { "<tr>" } else { "<tr class=\"out\">" });
    for column in &report.columns {
        let cell = column.cell(row);
        let cell = match cell.parse::<rust_decimal::Decimal>() {
            Ok(amount) if column.is_number() && *column != Column::Id => grouped(amount),
            _ => cell,
        };
        let _ = match column {
            Column::Grade => {
                write!(
                    out,
                    "<td><span class=\"grade {}\" title=\"{}\">{}</span></td>",
                    row.tone.key(),
                    escape(&row.why),
                    escape(&cell)
                )
            }
            column if column.is_number() => write!(out, "<td class=\"number\">{}</td>", escape(&cell)),
            column => write!(out, "<td class=\"{}\" dir=\"auto\">{}</td>", room(column), escape(&cell)),
        };
    }
    out.push_str("</tr>\n");
}

/// How a cell's text may be broken: dates and ages never, names where they must.
const fn room(column: &Column) -> &'static str {
    match column {
        Column::PurchaseDate
        | Column::InstallDate
        | Column::WarrantyStart
        | Column::ExpirationDate
        | Column::ReplaceOn
        | Column::Age
        | Column::WarrantyLeft
        | Column::BudgetYear => "short",
        Column::Name | Column::Serial | Column::Why | Column::Notes | Column::Extra(_) => "long",
        _ => "word",
    }
}

/// Text from outside as HTML, without anything that could act.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
