//! What was said earlier, newest first: messages have no time-out, and none is lost (U7).

use ratatui::layout::{Position, Rect};

use super::Then;
use crate::model::Moment;
use crate::ui::canvas::Canvas;
use crate::ui::key::Key;
use crate::ui::layout;
use crate::ui::theme::Role;

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub at: Moment,
    pub text: String,
    pub role: Role,
}

#[derive(Debug, Clone)]
pub struct Messages {
    /// Oldest first.
    pub notes: Vec<Note>,
    pub scroll: usize,
}

impl Messages {
    pub fn key(&mut self, key: Key) -> Then {
        let last = self.notes.len().saturating_sub(1);
        match key {
            Key::Esc | Key::Enter | Key::Ctrl('c') | Key::Char('q') => return Then::Closes,
            Key::Down | Key::Char('j') => self.scroll = (self.scroll + 1).min(last),
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::PageDown | Key::Ctrl('d') => self.scroll = (self.scroll + 10).min(last),
            Key::PageUp | Key::Ctrl('u') => self.scroll = self.scroll.saturating_sub(10),
            _ => {}
        }
        Then::Stays
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let area = layout::centred(area, area.width.saturating_sub(4).max(38), area.height.saturating_sub(2));
        canvas.clear(area);
        let inside = canvas.boxed(area, "Messages, newest first (Esc closes)", true);
        if self.notes.is_empty() {
            canvas.put(inside.x + 1, inside.y, inside.width, "Nothing has been said yet.", Role::Dim);
        }
        let mut y = inside.y;
        for note in self.notes.iter().rev().skip(self.scroll) {
            if y >= inside.bottom() {
                break;
            }
            let when = canvas.when(note.at);
            let used = canvas.put(inside.x + 1, y, inside.width, &when, Role::Dim) + 3;
            let text = Rect::new(inside.x + used, y, inside.width.saturating_sub(used), inside.bottom() - y);
            y += canvas.paragraph(text, &note.text, note.role).max(1);
        }
        canvas.cursor = Some((Position::new(inside.x, inside.y), canvas.look.plain));
    }
}
