//! Applying a plan that a limit holds in part: `y` applies the rest; what is held is written only if its number is typed
//! (U27).

use ratatui::layout::{Position, Rect};

use super::Then;
use super::confirm::Confirm;
use crate::ui::canvas::Canvas;
use crate::ui::key::Key;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::text_field::{Kind, TextField};

#[derive(Debug, Clone)]
pub struct Limit {
    /// What is asked, and `y` for the rest where there is any.
    pub confirm: Confirm,
    /// What the typed number includes: "To remove the 64 as well".
    beyond: String,
    number: u64,
    all: Vec<Step>,
    field: TextField,
}

impl Limit {
    /// `all` is done when `number` is typed.
    pub fn new(confirm: Confirm, beyond: String, number: u64, all: Vec<Step>) -> Self {
        Self { confirm, beyond, number, all, field: TextField::new("", Kind::Line) }
    }

    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) -> Then {
        let is_digit = matches!(key, Key::Char(c) if c.is_ascii_digit());
        match key {
            Key::Enter if self.field.text().is_empty() => Then::Stays,
            Key::Enter => {
                if self.field.text().parse() == Ok(self.number) && self.confirm.is_read(turn) {
                    turn.steps.extend(self.all.iter().cloned());
                    return Then::Closes;
                }
                turn.complain(format!("'{}' is not the number that the limit holds.", self.field.text()));
                self.field = TextField::new("", Kind::Line);
                Then::Stays
            }
            key if is_digit || key == Key::Backspace => {
                self.field.key(key);
                Then::Stays
            }
            key => self.confirm.key(key, turn),
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let below = format!("{}, type how many, then Enter:", self.beyond);
        let field = self.confirm.draw_with(canvas, area, &below);
        canvas.cursor = Some((Position::new(field.x, field.y), true));
        self.field.draw(canvas, Rect { width: field.width.min(9), ..field });
    }
}
