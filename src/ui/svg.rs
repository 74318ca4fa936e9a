//! A frame as a picture for the README: SVG, text stays text.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::fit;
use super::theme::Theme;

const CELL_WIDTH: f64 = 8.4;
const LINE_HEIGHT: f64 = 18.0;
const MARGIN: f64 = 12.0;

/// Background, foreground, and the terminal's sixteen colours.
struct Scheme {
    back: &'static str,
    text: &'static str,
    colors: [&'static str; 16],
}

const DARK: Scheme = Scheme {
    back: "#14181f",
    text: "#d7dce4",
    colors: [
        "#14181f", "#e06c75", "#8cc078", "#d9b36a", "#6aa8ef", "#c586d9", "#5fb8c4", "#c8ccd4", "#6b7280",
        "#ef8a92", "#a5d493", "#eccb8c", "#8fc1ff", "#d9a5ea", "#84d2dc", "#ffffff",
    ],
};

const LIGHT: Scheme = Scheme {
    back: "#fbfbf9",
    text: "#24292f",
    colors: [
        "#24292f", "#b3202f", "#1a6b33", "#8a5a00", "#0b56b3", "#7a35a8", "#0a6a76", "#8b939c", "#57606a",
        "#cf3343", "#23863f", "#a86e00", "#1a6fd6", "#9350c2", "#0f8795", "#ffffff",
    ],
};

/// The buffer as a picture; the theme `light` is drawn on a light page, every other on a dark one.
pub fn frame(buffer: &Buffer, theme: &Theme) -> String {
    let scheme = if theme.name == "light" { &LIGHT } else { &DARK };
    let area = buffer.area;
    let width = f64::from(area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(area.height) * LINE_HEIGHT + 2.0 * MARGIN;
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"14\">"
    );
    let _ = writeln!(svg, "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{}\"/>", scheme.back);
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let first = &buffer[(x, y)];
            let start = x;
            let mut text = String::new();
            while x < area.right() && same_style(&buffer[(x, y)], first) {
                let symbol = buffer[(x, y)].symbol();
                text.push_str(symbol);
                x += (fit::width(symbol) as u16).max(1);
            }
            run(&mut svg, scheme, first, &text, (start - area.left(), y - area.top(), x - start));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn same_style(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier)
}

/// One run of cells of the same style.
fn run(svg: &mut String, scheme: &Scheme, cell: &Cell, text: &str, (column, row, columns): (u16, u16, u16)) {
    let mut fore = color(cell.fg, scheme).unwrap_or_else(|| scheme.text.to_owned());
    let mut back = color(cell.bg, scheme);
    if cell.modifier.contains(Modifier::REVERSED) {
        let under = back.unwrap_or_else(|| scheme.back.to_owned());
        back = Some(std::mem::replace(&mut fore, under));
    }
    let x = MARGIN + f64::from(column) * CELL_WIDTH;
    let y = MARGIN + f64::from(row) * LINE_HEIGHT;
    let width = f64::from(columns) * CELL_WIDTH;
    if let Some(back) = back {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{LINE_HEIGHT:.0}\" fill=\"{back}\"/>"
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let mut style = String::new();
    for (flag, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::DIM, " opacity=\"0.65\""),
    ] {
        if cell.modifier.contains(flag) {
            style.push_str(attribute);
        }
    }
    let baseline = y + LINE_HEIGHT * 0.74;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
         xml:space=\"preserve\" fill=\"{fore}\"{style}>{}</text>",
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn color(color: Color, scheme: &Scheme) -> Option<String> {
    let named = |index: usize| Some(scheme.colors[index].to_owned());
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(index @ 0..16) => named(index.into()),
        Color::Indexed(index @ 16..232) => {
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            Some(format!("#{:02x}{:02x}{:02x}", step(cube / 36), step(cube / 6 % 6), step(cube % 6)))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Depth, Themes};
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn text_is_escaped_and_reverse_video_has_a_background() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        buffer.set_string(0, 0, "a<&>b", Style::default());
        buffer.set_string(6, 0, "sel", Style::default().add_modifier(Modifier::REVERSED));
        let (theme, _) = Themes::default().load("default", Depth::Sixteen);
        let svg = frame(&buffer, &theme);
        assert!(svg.contains("a&lt;&amp;&gt;b") && svg.contains(">sel</text>"), "{svg}");
        assert!(svg.contains(&format!("fill=\"{}\"/>\n<text", DARK.text)), "{svg}");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
