//! Plain text, for a ticket or a mail: bars of `#`, one row a configuration.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::{grouped, money, state_words};
use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::column::Column;
use crate::lifecycle::grade::DEFAULT_LABEL;
use crate::lifecycle::report::Report;
use crate::lifecycle::summary::Gap;
use crate::model::text::shown;

/// Cells of the longest bar.
const BAR: u32 = 32;
const WIDEST_CELL: usize = 32;

pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let s = &report.summary;
    let _ = writeln!(
        out,
        "{}: lifecycle report {} ({})",
        shown(&report.head.name),
        report.head.id,
        state_words(report)
    );
    let _ = writeln!(
        out,
        "{} configurations on {}, {} counted, budget {}",
        s.configurations,
        report.as_of,
        s.counted,
        money(s.total(), report)
    );
    for warning in &report.warnings {
        let _ = writeln!(out, "! {}", shown(warning));
    }
    section(&mut out, if report.grades_are_ours { DEFAULT_LABEL } else { "Grades" });
    bars(&mut out, report.grades.iter().map(|(name, _)| (name.as_str(), s.grade(name))));
    section(&mut out, "Age");
    bars(&mut out, AgeBucket::ALL.iter().map(|bucket| (bucket.label(), s.age(*bucket))));
    section(&mut out, "Warranty");
    bars(&mut out, WarrantyBucket::ALL.iter().map(|bucket| (bucket.label(), s.warranty(*bucket))));
    section(&mut out, "Cost by year");
    let years = report.years();
    let most = years.iter().map(|(_, cost)| cost.total()).max().unwrap_or_default();
    for (year, cost) in &years {
        let share = if most.is_zero() { rust_decimal::Decimal::ZERO } else { cost.total() / most };
        let cells =
            (share * rust_decimal::Decimal::from(BAR)).round().to_string().parse::<usize>().unwrap_or(0);
        let bar = "#".repeat(cells);
        let line = format!("  {year:<16}{:>14}  {:<4} {bar}", grouped(cost.total()), cost.count);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if s.undated.count > 0 {
        let _ = writeln!(out, "  {:<16}{:>14}  {}", "no date", grouped(s.undated.total()), s.undated.count);
    }
    section(&mut out, "Data quality");
    let score =
        s.quality.score().map_or_else(|| "nothing to score".into(), |score| format!("{score} of 100"));
    let _ = writeln!(out, "  {score}");
    for gap in Gap::ALL.into_iter().filter(|gap| s.quality.of(*gap) > 0) {
        let _ = writeln!(out, "  {:<16}missing on {}", gap.label(), s.quality.of(gap));
    }
    section(&mut out, "Configurations, worst first");
    table(&mut out, report);
    out
}

fn section(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n{title}");
}

fn bars<'a>(out: &mut String, bars: impl Iterator<Item = (&'a str, u32)> + Clone) {
    let most = bars.clone().map(|(_, count)| count).max().unwrap_or(0).max(1);
    let labels = bars.clone().map(|(label, _)| label.width()).max().unwrap_or(0).clamp(16, WIDEST_CELL);
    for (label, count) in bars {
        // Whatever is there has at least one cell.
        let cells = (count * BAR).div_ceil(most).min(BAR) as usize;
        let label = cut(&shown(label), labels);
        let room = " ".repeat(labels.saturating_sub(label.width()));
        let line = format!("  {label}{room}{count:>6}  {}", "#".repeat(cells));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn table(out: &mut String, report: &Report) {
    let mut widths: Vec<usize> = report.columns.iter().map(|column| column.label().width()).collect();
    let cells: Vec<Vec<String>> = report
        .rows
        .iter()
        .map(|row| {
            report
                .columns
                .iter()
                .zip(&mut widths)
                .map(|(column, width)| {
                    let cell = cut(&shown(&column.cell(row)), WIDEST_CELL);
                    *width = (*width).max(cell.width());
                    cell
                })
                .collect()
        })
        .collect();
    let mut line = |cells: &[&str]| {
        let mut line = String::from(" ");
        for ((cell, width), column) in cells.iter().zip(&widths).zip(&report.columns) {
            let room = " ".repeat(width.saturating_sub(cell.width()));
            let _ = if column.is_number() {
                write!(line, " {room}{cell} ")
            } else {
                write!(line, " {cell}{room} ")
            };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    };
    line(&report.columns.iter().map(Column::label).collect::<Vec<_>>());
    for row in &cells {
        line(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn cut(text: &str, widest: usize) -> String {
    if text.width() <= widest {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + 4 > widest {
            break;
        }
        kept.push(c);
    }
    kept + "..."
}
