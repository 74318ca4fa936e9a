//! What screens draw on. All text goes through [`Canvas::put`], so that nothing hostile and nothing too wide is drawn.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::fit;
use super::message::Now;
use super::mirror::Mirror;
use super::theme::{Role, Signs, Theme};
use crate::model::Moment;

/// How things are drawn: a person's choice and what the terminal can show.
#[derive(Debug, Clone)]
pub struct Look {
    pub theme: Theme,
    pub signs: Signs,
    /// No lines, one column, states as words (U63).
    pub plain: bool,
    pub zone: TimeZone,
}

impl Look {
    /// A moment as people say it, in local time: `today 06:02`, `yesterday 19:00`, `2026-11-03 19:00`.
    pub fn when(&self, moment: Moment, now: Now) -> String {
        let local = moment.to_zoned(self.zone.clone());
        let today = now.moment.to_zoned(self.zone.clone()).date();
        let day = match today.since(local.date()).map(|span| span.get_days()) {
            Ok(0) => "today".to_owned(),
            Ok(1) => "yesterday".to_owned(),
            Ok(-1) => "tomorrow".to_owned(),
            _ => local.date().to_string(),
        };
        format!("{day} {}", local.strftime("%H:%M"))
    }
}

/// A buffer, what is known, and where the terminal's cursor goes.
#[derive(Debug)]
pub struct Canvas<'a> {
    pub buffer: &'a mut Buffer,
    pub look: &'a Look,
    pub mirror: &'a Mirror,
    pub now: Now,
    /// Whether the pane drawn now has the focus.
    pub focused: bool,
    /// Where the terminal's cursor stands (U62), and whether it shows.
    pub cursor: Option<(Position, bool)>,
}

impl Canvas<'_> {
    pub fn style(&self, role: Role) -> Style {
        self.look.theme.style(role)
    }

    /// Text in a role, at most `columns` wide; gives the columns used.
    pub fn put(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) -> u16 {
        let style = self.style(role);
        self.put_styled(x, y, columns, text, style)
    }

    pub fn put_styled(&mut self, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() {
            return 0;
        }
        let columns = columns.min(area.right() - x);
        let text = fit::cut(text, columns.into());
        let (end, _) = self.buffer.set_stringn(x, y, &text, columns.into(), style);
        end - x
    }

    /// Text that ends at the right edge of `columns`.
    pub fn put_right(&mut self, x: u16, y: u16, columns: u16, text: &str, role: Role) {
        let wide = (fit::width(text) as u16).min(columns);
        self.put(x + columns - wide, y, wide, text, role);
    }

    /// Pieces one after the other on one line.
    pub fn line(&mut self, x: u16, y: u16, columns: u16, pieces: &[(&str, Role)]) -> u16 {
        let mut used = 0;
        for (text, role) in pieces {
            if used >= columns {
                break;
            }
            used += self.put(x + used, y, columns - used, text, *role);
        }
        used
    }

    /// Wrapped text; gives the lines used.
    pub fn paragraph(&mut self, area: Rect, text: &str, role: Role) -> u16 {
        let lines = fit::wrap(text, area.width.into());
        for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
            self.put(area.x, y, area.width, line, role);
        }
        (lines.len() as u16).min(area.height)
    }

    /// A line across; with a title no more than its beginning: `-- ALSO`. The title changes with every move, and what
    /// would follow a shorter one is three bytes a column on a slow link (U59). In plain mode the title alone.
    pub fn rule(&mut self, area: Rect, title: &str) {
        if area.height == 0 {
            return;
        }
        if self.look.plain {
            self.put(area.x, area.y, area.width, title, Role::Strong);
            return;
        }
        let across = self.look.signs.lines(false).across;
        let style = self.style(Role::Border);
        let end = if title.is_empty() { area.right() } else { area.right().min(area.x + 2) };
        for x in area.left()..end {
            self.buffer[(x, area.y)].set_symbol(across).set_style(style);
        }
        self.put(area.x + 3, area.y, area.width.saturating_sub(3), title, Role::Strong);
    }

    /// A box with a title; gives its inside. In plain mode a title line and no box.
    pub fn boxed(&mut self, area: Rect, title: &str, focused: bool) -> Rect {
        if area.width < 3 || area.height < 3 {
            return area;
        }
        let role = if focused { Role::BorderFocus } else { Role::Border };
        if self.look.plain {
            self.put(area.x, area.y, area.width, title, Role::Strong);
            return Rect { y: area.y + 1, height: area.height - 1, ..area };
        }
        let lines = self.look.signs.lines(focused);
        let style = self.style(role);
        for y in area.top()..area.bottom() {
            let edge = if y == area.top() {
                Some((lines.corners[0], lines.corners[1]))
            } else if y + 1 == area.bottom() {
                Some((lines.corners[2], lines.corners[3]))
            } else {
                None
            };
            let (left, right) = edge.unwrap_or((lines.down, lines.down));
            if edge.is_some() {
                for x in area.left() + 1..area.right() - 1 {
                    self.buffer[(x, y)].set_symbol(lines.across).set_style(style);
                }
            }
            self.buffer[(area.left(), y)].set_symbol(left).set_style(style);
            self.buffer[(area.right() - 1, y)].set_symbol(right).set_style(style);
        }
        if !title.is_empty() {
            self.put(area.x + 1, area.y, 1, " ", role);
            let used = self.put(area.x + 2, area.y, area.width.saturating_sub(4), title, Role::Strong);
            self.put(area.x + 2 + used, area.y, 1, " ", role);
        }
        super::layout::inside(area)
    }

    pub fn clear(&mut self, area: Rect) {
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buffer[(x, y)].reset();
            }
            // Half of a wide character would reach into the area.
            if let Some(x) = area.x.checked_sub(1)
                && fit::width(self.buffer[(x, y)].symbol()) > 1
            {
                self.buffer[(x, y)].set_symbol(" ");
            }
        }
    }

    /// Gives a whole line a style, keeping its text.
    pub fn tint(&mut self, area: Rect, role: Role) {
        let style = self.style(role);
        self.buffer.set_style(area, style);
    }

    /// Gives an area a style in place of those of its texts: one style is the fewest bytes.
    pub fn cover(&mut self, area: Rect, role: Role) {
        let style = Style::reset().patch(self.style(role));
        self.buffer.set_style(area, style);
    }

    pub fn when(&self, moment: Moment) -> String {
        self.look.when(moment, self.now)
    }
}
