//! Columns that go in order when there is no room (U10), and the visible rows only.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::layout::{Position, Rect};

use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::theme::Role;

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub head: &'static str,
    /// Least width; a column with a share grows beyond it.
    pub width: u16,
    /// Its part of what is left over; 0: fixed.
    pub share: u16,
    pub right: bool,
    /// Columns go in this order, 1 first; 0 stays.
    pub goes: u8,
}

impl Column {
    pub const fn fixed(head: &'static str, width: u16) -> Self {
        Self { head, width, share: 0, right: false, goes: 0 }
    }

    pub const fn growing(head: &'static str, least: u16) -> Self {
        Self { head, width: least, share: 1, right: false, goes: 0 }
    }

    pub const fn right(self) -> Self {
        Self { right: true, ..self }
    }

    pub const fn goes(self, order: u8) -> Self {
        Self { goes: order, ..self }
    }
}

#[derive(Debug, Clone)]
pub struct Cell<'a> {
    pub text: Cow<'a, str>,
    pub role: Role,
}

pub fn cell<'a>(text: impl Into<Cow<'a, str>>, role: Role) -> Cell<'a> {
    Cell { text: text.into(), role }
}

#[derive(Debug, Clone, Default)]
pub struct Row<'a> {
    pub is_marked: bool,
    /// One cell a column.
    pub cells: Vec<Cell<'a>>,
}

/// Which columns there is room for, and how wide: `(index, width)`.
pub fn fit_columns(columns: &[Column], width: u16) -> Vec<(usize, u16)> {
    const GAP: u16 = 2;
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needs = |kept: &[usize]| -> u16 {
        kept.iter().map(|i| columns[*i].width).sum::<u16>() + GAP * (kept.len() as u16).saturating_sub(1)
    };
    while needs(&kept) > width {
        let Some(goes) =
            kept.iter().copied().filter(|i| columns[*i].goes > 0).min_by_key(|i| columns[*i].goes)
        else {
            break;
        };
        kept.retain(|i| *i != goes);
    }
    let spare = width.saturating_sub(needs(&kept));
    let shares: u16 = kept.iter().map(|i| columns[*i].share).sum();
    let mut given = 0;
    let mut growing = shares;
    kept.into_iter()
        .map(|i| {
            let share = columns[i].share;
            let extra = if share == 0 { 0 } else { (spare - given) * share / growing.max(1) };
            given += extra;
            growing -= share;
            (i, columns[i].width + extra)
        })
        .collect()
}

/// Draws heads and the rows `visible` of a list; `row` gives one, or `None` while it is on its way.
pub fn draw<'a>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &[Column],
    visible: Range<usize>,
    selected: Option<usize>,
    mut row: impl FnMut(usize) -> Option<Row<'a>>,
) {
    // One column for the mark, one of air.
    let kept = fit_columns(columns, area.width.saturating_sub(2));
    if area.height == 0 {
        return;
    }
    if canvas.look.plain {
        plain(canvas, area, columns, visible, selected, row);
        return;
    }
    let bar = bar(&kept);
    let bar_of = |y| Rect {
        x: area.x + bar.start,
        y,
        width: bar.end.min(area.width).saturating_sub(bar.start),
        height: 1,
    };
    let mut x = area.x + 1;
    for (i, width) in &kept {
        let column = &columns[*i];
        if column.right {
            canvas.put_right(x, area.y, *width, column.head, Role::Dim);
        } else {
            canvas.put(x, area.y, *width, column.head, Role::Dim);
        }
        x += width + 2;
    }
    for (index, y) in visible.zip(area.y + 1..area.bottom()) {
        let row = row(index);
        let is_selected = selected == Some(index);
        let Some(row) = row else {
            canvas.put(area.x + 1, y, area.width, "...", Role::Dim);
            if is_selected {
                point(canvas, area.x, bar_of(y));
            }
            continue;
        };
        if row.is_marked {
            canvas.put(area.x, y, 1, "*", Role::Marked);
        }
        let mut x = area.x + 1;
        for (at, (i, width)) in kept.iter().enumerate() {
            if let Some(cell) = row.cells.get(*i) {
                let role = match cell.role {
                    _ if row.is_marked => Role::Marked,
                    // Reversed, what is dim would be a patch of another colour in the bar.
                    Role::Dim if is_selected && canvas.focused && bar.contains(&(x - area.x)) => Role::Text,
                    role => role,
                };
                if columns[*i].right {
                    canvas.put_right(x, y, *width, &cell.text, role);
                } else if !cell.text.is_empty() {
                    // A long name may reach over the empty columns behind it.
                    let empty = kept[at + 1..]
                        .iter()
                        .take_while(|(i, _)| row.cells.get(*i).is_none_or(|cell| cell.text.is_empty()));
                    let room = width + empty.map(|(_, width)| width + 2).sum::<u16>();
                    canvas.put(x, y, room, &cell.text, role);
                }
            }
            x += width + 2;
        }
        if is_selected {
            point(canvas, area.x, bar_of(y));
        }
    }
}

/// How much of the selected row stands out, about.
const BAR: u16 = 30;
/// A first column as narrow as this holds a sign.
const SIGN: u16 = 2;

/// The whole columns that stand out, as places in the row. Two rows in full length would be most of what a move costs on a
/// slow link (U59). A sign in front stays as it is: its colour is what it says.
fn bar(kept: &[(usize, u16)]) -> Range<u16> {
    let mut next = 1;
    let ends: Vec<u16> = kept
        .iter()
        .map(|(_, width)| {
            let end = next + width;
            next = end + 2;
            end
        })
        .collect();
    let fits = |end: &&u16| (BAR / 2..=BAR).contains(*end);
    let nearly = |end: &&u16| (BAR..=BAR + BAR / 2).contains(*end);
    let end = ends.iter().rfind(fits).or_else(|| ends.iter().find(nearly)).copied().unwrap_or(BAR);
    let sign = kept.first().filter(|(_, width)| *width <= SIGN && kept.len() > 1);
    sign.map_or(0, |(_, width)| 1 + width + 2)..end
}

/// Shows the selected row, and puts the terminal's cursor on it (U62).
fn point(canvas: &mut Canvas<'_>, x: u16, bar: Rect) {
    if canvas.focused {
        canvas.cover(bar, Role::Selected);
        canvas.cursor = Some((Position::new(x, bar.y), false));
    } else {
        canvas.put(x, bar.y, 1, ">", Role::Accent);
    }
}

/// One column, everything a row says one after the other.
fn plain<'a>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &[Column],
    visible: Range<usize>,
    selected: Option<usize>,
    mut row: impl FnMut(usize) -> Option<Row<'a>>,
) {
    for (index, y) in visible.zip(area.y + 1..area.bottom()) {
        let Some(row) = row(index) else { continue };
        let mut text = String::new();
        if row.is_marked {
            text.push_str("marked, ");
        }
        for (cell, column) in row.cells.iter().zip(columns) {
            if cell.text.trim().is_empty() || cell.text == "-" {
                continue;
            }
            if !text.is_empty() {
                text.push_str(", ");
            }
            if column.right && !column.head.is_empty() {
                text.push_str(column.head);
                text.push(' ');
            }
            text.push_str(&cell.text);
        }
        if selected == Some(index) {
            canvas.put(area.x, y, 1, ">", Role::Strong);
            canvas.cursor = Some((Position::new(area.x, y), true));
        }
        canvas.put(area.x + 2, y, area.width.saturating_sub(2), &text, Role::Text);
    }
}

/// What an empty list says: why it is empty, and which key helps (U37).
pub fn empty(canvas: &mut Canvas<'_>, area: Rect, text: &str) {
    let body = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(1),
    };
    canvas.paragraph(body, text, Role::Dim);
    canvas.cursor =
        Some((Position::new(area.x, area.y.saturating_add(1).min(area.bottom().saturating_sub(1))), false));
}

/// Names and values under each other; long values wrap. Gives the lines used.
pub fn facts(canvas: &mut Canvas<'_>, area: Rect, facts: &[(&str, String, Role)]) -> u16 {
    let label = facts.iter().map(|(name, ..)| fit::width(name)).max().unwrap_or(0) as u16 + 2;
    let mut y = area.y;
    for (name, value, role) in facts {
        if y >= area.bottom() {
            break;
        }
        canvas.put(area.x + 1, y, label, name, Role::Dim);
        let x = area.x + 1 + label;
        let width = area.right().saturating_sub(x);
        y += canvas.paragraph(Rect::new(x, y, width, area.bottom() - y), value, *role).max(1);
    }
    y - area.y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out_ends_with_a_column_and_is_seen() {
        assert_eq!(bar(&[(0, 1), (1, 22), (2, 22)]), 4..26, "the sign keeps its colour");
        assert_eq!(bar(&[(0, 1), (1, 60), (2, 60)]), 4..BAR, "a sign alone is too little, a name is long");
        assert_eq!(bar(&[(0, 4), (1, 10), (2, 10)]), 0..29);
    }

    #[test]
    fn columns_go_in_their_order_and_the_rest_grows() {
        let columns = [
            Column::fixed("state", 6),
            Column::growing("name", 10),
            Column::fixed("score", 5).goes(2),
            Column::fixed("why", 12).goes(1),
        ];
        let kept = |width| fit_columns(&columns, width);
        assert_eq!(kept(39), [(0, 6), (1, 10), (2, 5), (3, 12)]);
        assert_eq!(kept(49), [(0, 6), (1, 20), (2, 5), (3, 12)]);
        assert_eq!(kept(38), [(0, 6), (1, 23), (2, 5)]);
        assert_eq!(kept(20), [(0, 6), (1, 12)]);
        assert_eq!(kept(3), [(0, 6), (1, 10)]);
    }
}
