//! Markdown, for a ticket or a wiki.

use std::fmt::Write as _;

use super::{grouped, money, state_words};
use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::grade::DEFAULT_LABEL;
use crate::lifecycle::report::Report;
use crate::lifecycle::summary::Gap;
use crate::model::text::shown;

pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let s = &report.summary;
    let _ = writeln!(out, "# {}\n", cell(&report.head.name));
    let _ = writeln!(
        out,
        "Lifecycle report {}, {}, as of {}.\n",
        report.head.id,
        state_words(report),
        report.as_of
    );
    let score = s.quality.score().map_or_else(|| "n/a".into(), |score| format!("{score} of 100"));
    let _ = writeln!(
        out,
        "{} configurations, {} counted. Budget {}. Data quality {score}.",
        s.configurations,
        s.counted,
        money(s.total(), report)
    );
    if !report.warnings.is_empty() {
        out.push('\n');
        for warning in &report.warnings {
            let _ = writeln!(out, "- {}", cell(warning));
        }
    }
    let title = if report.grades_are_ours { format!("Grades ({DEFAULT_LABEL})") } else { "Grades".into() };
    counts(&mut out, &title, report.grades.iter().map(|(name, _)| (name.as_str(), s.grade(name))));
    counts(&mut out, "Age", AgeBucket::ALL.iter().map(|bucket| (bucket.label(), s.age(*bucket))));
    counts(
        &mut out,
        "Warranty",
        WarrantyBucket::ALL.iter().map(|bucket| (bucket.label(), s.warranty(*bucket))),
    );
    let _ =
        writeln!(out, "\n## Cost by year\n\n| Year | Configurations | Hardware | Set-up | Onsite | Total |");
    let _ = writeln!(out, "|---|--:|--:|--:|--:|--:|");
    let mut years = report.years();
    if s.undated.count > 0 {
        years.push(("no date".into(), s.undated));
    }
    for (year, cost) in years {
        let _ = writeln!(
            out,
            "| {year} | {} | {} | {} | {} | {} |",
            cost.count,
            grouped(cost.hardware),
            grouped(cost.setup),
            grouped(cost.onsite),
            grouped(cost.total())
        );
    }
    if s.quality.present < s.quality.wanted {
        counts(&mut out, "Missing data", Gap::ALL.iter().map(|gap| (gap.label(), s.quality.of(*gap))));
    }
    let _ = writeln!(out, "\n## Configurations, worst first\n");
    let _ = writeln!(
        out,
        "| {} |",
        report.columns.iter().map(|c| cell(c.label())).collect::<Vec<_>>().join(" | ")
    );
    let rule: Vec<&str> = report.columns.iter().map(|c| if c.is_number() { "--:" } else { "---" }).collect();
    let _ = writeln!(out, "|{}|", rule.join("|"));
    for row in &report.rows {
        let cells: Vec<String> = report.columns.iter().map(|column| cell(&column.cell(row))).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

fn counts<'a>(out: &mut String, title: &str, rows: impl Iterator<Item = (&'a str, u32)>) {
    let _ = writeln!(out, "\n## {title}\n\n| | Count |\n|---|--:|");
    for (label, count) in rows {
        let _ = writeln!(out, "| {} | {count} |", cell(label));
    }
}

/// Text from outside, on one line and without meaning to Markdown or HTML.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for c in shown(text).chars() {
        if matches!(c, '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
