//! One line of text or several, typed; the text-area crate keeps text and cursor, we draw them.

use ratatui::layout::{Position, Rect};
use tui_textarea::{CursorMove, TextArea};
use unicode_width::UnicodeWidthChar;

use crate::ui::canvas::Canvas;
use crate::ui::input::{many_lines, one_line};
use crate::ui::key::{Input, Key};
use crate::ui::theme::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Line,
    /// Enter is a new line here.
    Lines,
    /// Shown as stars, never kept in a history.
    Secret,
}

#[derive(Debug, Clone)]
pub struct TextField {
    area: TextArea<'static>,
    kind: Kind,
    /// The whole text is selected: the next letter replaces it.
    is_fresh: bool,
}

impl TextField {
    pub fn new(text: &str, kind: Kind) -> Self {
        let lines = if kind == Kind::Lines {
            text.split('\n').map(str::to_owned).collect()
        } else {
            vec![one_line(text)]
        };
        let mut area = TextArea::new(lines);
        if kind == Kind::Secret {
            area.set_max_histories(0);
        }
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self { area, kind, is_fresh: false }
    }

    /// A text that the first letter typed replaces.
    pub fn replaceable(text: &str) -> Self {
        Self { is_fresh: !text.is_empty(), ..Self::new(text, Kind::Line) }
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// The first line and the cursor in it, in characters.
    pub fn line(&self) -> (&str, usize) {
        (self.area.lines().first().map_or("", String::as_str), self.area.cursor().1)
    }

    /// Whether it was of use.
    pub fn input(&mut self, input: Input<'_>) -> bool {
        match input {
            Input::Key(key) => self.key(key),
            Input::Paste(text) => {
                self.paste(text);
                true
            }
        }
    }

    pub fn paste(&mut self, text: &str) {
        self.replace_fresh();
        self.area.insert_str(if self.kind == Kind::Lines { many_lines(text) } else { one_line(text) });
    }

    fn replace_fresh(&mut self) {
        if std::mem::take(&mut self.is_fresh) {
            self.area.clear();
        }
    }

    /// Takes an editing key; `false` if the key is none.
    pub fn key(&mut self, key: Key) -> bool {
        match key {
            Key::Char(c) => {
                self.replace_fresh();
                self.area.insert_char(c);
            }
            Key::Enter if self.kind == Kind::Lines => self.area.insert_newline(),
            Key::Backspace => {
                self.replace_fresh();
                self.area.delete_char();
            }
            Key::Delete | Key::Ctrl('d') => {
                self.area.delete_next_char();
            }
            Key::Left => self.area.move_cursor(CursorMove::Back),
            Key::Right => self.area.move_cursor(CursorMove::Forward),
            Key::Home | Key::Ctrl('a') => self.area.move_cursor(CursorMove::Head),
            Key::End | Key::Ctrl('e') => self.area.move_cursor(CursorMove::End),
            Key::Up if self.kind == Kind::Lines => self.area.move_cursor(CursorMove::Up),
            Key::Down if self.kind == Kind::Lines => self.area.move_cursor(CursorMove::Down),
            Key::Ctrl('w') => {
                self.area.delete_word();
            }
            Key::Ctrl('u') => {
                self.area.delete_line_by_head();
            }
            Key::Ctrl('k') => {
                self.area.delete_line_by_end();
            }
            _ => return false,
        }
        self.is_fresh = false;
        true
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let (row, column) = {
            let at = self.area.cursor();
            (at.0, at.1)
        };
        let height = usize::from(area.height.max(1));
        let top = (row + 1).saturating_sub(height);
        for (line, y) in self.area.lines().iter().skip(top).zip(area.top()..area.bottom()) {
            let line =
                if self.kind == Kind::Secret { "*".repeat(line.chars().count()) } else { line.clone() };
            let here = y - area.y + top as u16 == row as u16;
            let skip = if here { hidden(&line, column, area.width) } else { 0 };
            let shown: String = line.chars().skip(skip).collect();
            let role = if self.is_fresh { Role::Selected } else { Role::Input };
            let used = canvas.put(area.x, y, area.width, &shown, role);
            for x in used..area.width {
                canvas.put(area.x + x, y, 1, " ", Role::Input);
            }
            if here {
                let before: usize =
                    line.chars().skip(skip).take(column - skip).map(|c| c.width().unwrap_or(0)).sum();
                let x = area.x + (before as u16).min(area.width.saturating_sub(1));
                canvas.cursor = Some((Position::new(x, y), true));
            }
        }
    }
}

/// How many characters at the start do not fit when the cursor must be seen.
fn hidden(line: &str, cursor: usize, width: u16) -> usize {
    let room = usize::from(width.saturating_sub(1));
    let mut wide: usize = line.chars().take(cursor).map(|c| c.width().unwrap_or(0)).sum();
    let mut skip = 0;
    for c in line.chars().take(cursor) {
        if wide <= room {
            break;
        }
        wide -= c.width().unwrap_or(0);
        skip += 1;
    }
    skip
}
