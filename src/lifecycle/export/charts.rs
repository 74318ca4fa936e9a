//! Charts as inline SVG: they need no network and no script, and print as they are shown.

use std::fmt::Write as _;

use super::html::escape;

/// A bar of a chart.
pub struct Bar {
    pub label: String,
    pub value: f64,
    /// What stands behind the bar.
    pub shown: String,
    /// A class of the style sheet.
    pub tone: &'static str,
}

const LABEL: u32 = 130;
const WIDTH: u32 = 520;
const SHOWN: u32 = 60;
const ROW: u32 = 26;

/// Lying bars, one below the other; for distributions.
pub fn lying(bars: &[Bar], title: &str) -> String {
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let height = bars.len() as u32 * ROW;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" class=\"lying\">",
        escape(title)
    );
    for (at, bar) in bars.iter().enumerate() {
        let y = at as u32 * ROW;
        let room = f64::from(WIDTH - LABEL - SHOWN);
        let length = if most > 0.0 {
            (bar.value / most * room).max(if bar.value > 0.0 { 2.0 } else { 0.0 })
        } else {
            0.0
        };
        let middle = y + ROW / 2 + 4;
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{middle}\" class=\"label\">{}</text>\
             <rect x=\"{LABEL}\" y=\"{}\" width=\"{room:.0}\" height=\"{}\" class=\"track\" rx=\"3\"/>\
             <rect x=\"{LABEL}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" class=\"{}\" rx=\"3\"/>\
             <text x=\"{}\" y=\"{middle}\" class=\"value\">{}</text>",
            LABEL - 10,
            escape(&bar.label),
            y + 4,
            ROW - 8,
            y + 4,
            ROW - 8,
            bar.tone,
            WIDTH,
            escape(&bar.shown),
        );
    }
    out.push_str("</svg>");
    out
}

/// A part of a standing bar.
pub struct Part {
    pub value: f64,
    pub tone: &'static str,
}

/// A standing bar made of parts, bottom first.
pub struct Stack {
    pub label: String,
    pub shown: String,
    pub parts: Vec<Part>,
}

/// Standing bars side by side; for years.
pub fn standing(stacks: &[Stack], title: &str) -> String {
    const WIDTH: f64 = 1060.0;
    const HEIGHT: f64 = 240.0;
    const FOOT: f64 = 26.0;
    const HEAD: f64 = 24.0;
    let total = |stack: &Stack| stack.parts.iter().map(|part| part.value).sum::<f64>();
    let most = stacks.iter().map(total).fold(0.0, f64::max);
    let each = WIDTH / stacks.len().max(1) as f64;
    let wide = (each * 0.6).min(110.0);
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH:.0} {HEIGHT:.0}\" role=\"img\" aria-label=\"{}\" class=\"standing\">\
         <line x1=\"0\" x2=\"{WIDTH:.0}\" y1=\"{1:.0}\" y2=\"{1:.0}\" class=\"axis\"/>",
        escape(title),
        HEIGHT - FOOT
    );
    for (at, stack) in stacks.iter().enumerate() {
        let middle = each * (at as f64 + 0.5);
        let mut top = HEIGHT - FOOT;
        for part in &stack.parts {
            let height = if most > 0.0 { part.value / most * (HEIGHT - FOOT - HEAD) } else { 0.0 };
            top -= height;
            let _ = write!(
                out,
                "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{height:.1}\" class=\"{}\"/>",
                middle - wide / 2.0,
                part.tone
            );
        }
        let _ = write!(
            out,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"top\">{}</text>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" class=\"foot\">{}</text>",
            top - 7.0,
            escape(&stack.shown),
            HEIGHT - 7.0,
            escape(&stack.label),
        );
    }
    out.push_str("</svg>");
    out
}

/// A ring that is filled to a share of 100; for the score.
pub fn ring(score: Option<u32>) -> String {
    let around = 2.0 * std::f64::consts::PI * 44.0;
    let filled = around * f64::from(score.unwrap_or(0)) / 100.0;
    let tone = match score {
        Some(90..) => "healthy",
        Some(60..90) => "watch",
        Some(_) => "replace",
        None => "unknown",
    };
    let shown = score.map_or_else(|| "n/a".into(), |score| score.to_string());
    format!(
        "<svg viewBox=\"0 0 120 120\" class=\"ring\" role=\"img\" aria-label=\"Data quality {shown} of 100\">\
         <circle cx=\"60\" cy=\"60\" r=\"44\" class=\"back\"/>\
         <circle cx=\"60\" cy=\"60\" r=\"44\" class=\"front {tone}\" stroke-dasharray=\"{filled:.1} {around:.1}\" \
         transform=\"rotate(-90 60 60)\"/><text x=\"60\" y=\"69\">{shown}</text></svg>"
    )
}
