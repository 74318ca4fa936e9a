//! A report's charts: lying bars of solid cells.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use rust_decimal::prelude::ToPrimitive as _;

use crate::lifecycle::age::{AgeBucket, WarrantyBucket};
use crate::lifecycle::export::grouped;
use crate::lifecycle::grade::Tone;
use crate::lifecycle::report::Report;
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::theme::Role;

/// The role that a grade is drawn in.
pub const fn tone_role(tone: Tone) -> Role {
    match tone {
        Tone::Replace => Role::Bad,
        Tone::Plan => Role::Notice,
        Tone::Watch => Role::Change,
        Tone::Unknown => Role::Dim,
        Tone::Healthy => Role::Good,
    }
}

/// The room that the labels of one chart need.
pub fn label_width<'a>(labels: impl Iterator<Item = &'a str>) -> u16 {
    labels.map(fit::width).max().unwrap_or(0) as u16 + 1
}

/// One lying bar: its label in the room for labels, the bar, its number. Drawn as solid cells, so that it shows
/// without colour, too.
pub fn bar(
    canvas: &mut Canvas<'_>,
    area: Rect,
    (label, name): (&str, u16),
    value: f64,
    most: f64,
    shown: &str,
    role: Role,
) {
    let name = name.min(area.width / 2);
    let number = (fit::width(shown) as u16).max(4);
    canvas.put(area.x + 1, area.y, name, label, Role::Dim);
    let x = area.x + 2 + name;
    let room = area.right().saturating_sub(x + number + 1);
    let share = if most > 0.0 { value / most } else { 0.0 };
    // Whatever is there has at least one cell.
    let cells = ((share * f64::from(room)).round() as u16).max(u16::from(value > 0.0)).min(room);
    if canvas.look.plain {
        canvas.put(x, area.y, room, &"#".repeat(usize::from(cells)), role);
    } else {
        let style = canvas.style(role).add_modifier(Modifier::REVERSED);
        canvas.put_styled(x, area.y, cells, &" ".repeat(usize::from(cells)), style);
    }
    canvas.put_right(area.right().saturating_sub(number), area.y, number, shown, Role::Text);
}

/// Condition, age and warranty, side by side.
pub(super) fn distributions(canvas: &mut Canvas<'_>, area: Rect, report: &Report) {
    let s = &report.summary;
    let wide = area.width / 3;
    let column = |at: u16| Rect { x: area.x + at * wide, width: wide.saturating_sub(1), ..area };
    let grades =
        report.grades.iter().map(|(name, tone)| (name.as_str(), s.grade(name), tone_role(*tone))).collect();
    let narrow = wide < 38;
    let ages = AgeBucket::ALL
        .iter()
        .map(|b| (if narrow { short_age(*b) } else { b.label() }, s.age(*b), age_role(*b)))
        .collect();
    let warranties = WarrantyBucket::ALL
        .iter()
        .map(|b| (if narrow { short_warranty(*b) } else { b.label() }, s.warranty(*b), warranty_role(*b)))
        .collect();
    let parts: [(&str, Vec<(&str, u32, Role)>); 3] =
        [("condition", grades), ("age", ages), ("warranty", warranties)];
    for (at, (title, bars)) in parts.into_iter().enumerate() {
        let area = column(at as u16);
        canvas.put(area.x + 1, area.y, area.width, title, Role::Strong);
        let most = bars.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
        let labels = label_width(bars.iter().map(|(label, ..)| *label));
        for (line, (label, count, role)) in bars.into_iter().enumerate().take(usize::from(area.height - 1)) {
            let at = Rect { y: area.y + 1 + line as u16, height: 1, ..area };
            let shown = if count == 0 { "-".to_owned() } else { count.to_string() };
            bar(canvas, at, (label, labels), count.into(), most.into(), &shown, role);
        }
    }
}

/// What replacing costs in each year.
pub(super) fn years(canvas: &mut Canvas<'_>, area: Rect, report: &Report) {
    let title =
        report.currency.map_or_else(|| "cost by year".into(), |currency| format!("cost by year, {currency}"));
    canvas.rule(Rect { height: 1, ..area }, &title);
    if report.summary.total().is_zero() {
        let body = Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 1 };
        canvas.paragraph(
            body,
            "Nothing here has a price yet: a class says what replacing costs and when (Classes in the workspace, n adds one).",
            Role::Notice,
        );
        return;
    }
    let years = report.costs_within(usize::from(area.height.saturating_sub(1)));
    let value = |amount: rust_decimal::Decimal| amount.to_f64().unwrap_or(0.0);
    let most = years.iter().map(|(_, cost)| value(cost.total())).fold(0.0, f64::max);
    for (line, (year, cost)) in years.iter().enumerate().take(usize::from(area.height - 1)) {
        let at = Rect { y: area.y + 1 + line as u16, height: 1, ..area };
        let shown = if cost.count == 0 {
            "-".to_owned()
        } else {
            format!("{} for {}", grouped(cost.total()), cost.count)
        };
        bar(canvas, at, (year, 9), value(cost.total()), most, &shown, Role::Accent);
    }
}

const fn age_role(bucket: AgeBucket) -> Role {
    match bucket {
        AgeBucket::Under1 | AgeBucket::Under2 | AgeBucket::Under3 => Role::Good,
        AgeBucket::Under4 => Role::Change,
        AgeBucket::Under5 => Role::Notice,
        AgeBucket::Older => Role::Bad,
        AgeBucket::Unknown => Role::Dim,
    }
}

const fn warranty_role(bucket: WarrantyBucket) -> Role {
    match bucket {
        WarrantyBucket::Over => Role::Bad,
        WarrantyBucket::Under6Months => Role::Change,
        WarrantyBucket::Under1Year | WarrantyBucket::Under2Years | WarrantyBucket::Longer => Role::Good,
        WarrantyBucket::Unknown | WarrantyBucket::None => Role::Dim,
    }
}

const fn short_age(bucket: AgeBucket) -> &'static str {
    match bucket {
        AgeBucket::Under1 => "under 1 y",
        AgeBucket::Under2 => "1-2 y",
        AgeBucket::Under3 => "2-3 y",
        AgeBucket::Under4 => "3-4 y",
        AgeBucket::Under5 => "4-5 y",
        AgeBucket::Older => "over 5 y",
        AgeBucket::Unknown => "unknown",
    }
}

const fn short_warranty(bucket: WarrantyBucket) -> &'static str {
    match bucket {
        WarrantyBucket::Over => "over",
        WarrantyBucket::Under6Months => "under 6 m",
        WarrantyBucket::Under1Year => "6-12 m",
        WarrantyBucket::Under2Years => "1-2 y",
        WarrantyBucket::Longer => "over 2 y",
        WarrantyBucket::Unknown => "unknown",
        WarrantyBucket::None => "no need",
    }
}
