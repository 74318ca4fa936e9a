//! Applying a plan that a limit holds in part: `y` applies the rest; what is held is written only if its number is typed
//! (U27).

use std::time::Duration;

use ratatui::layout::{Position, Rect};

use super::Then;
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::key::Key;
use crate::ui::layout;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::text_field::{Kind, TextField};

#[derive(Debug, Clone)]
pub struct Limit {
    title: String,
    lines: Vec<String>,
    /// What `y` does, in words, and its steps; `None` where there is nothing else to apply.
    rest: Option<(String, Vec<Step>)>,
    /// What the typed number includes, in words.
    beyond: String,
    number: u64,
    all: Vec<Step>,
    field: TextField,
    /// As in [`super::confirm::Confirm`].
    pub drawn_at: Option<Duration>,
}

impl Limit {
    pub fn new(
        title: String,
        lines: Vec<String>,
        rest: Option<(String, Vec<Step>)>,
        beyond: String,
        number: u64,
        all: Vec<Step>,
    ) -> Self {
        Self { title, lines, rest, beyond, number, all, field: TextField::new("", Kind::Line), drawn_at: None }
    }

    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) -> Then {
        let deaf = Duration::from_millis(turn.prefs.deaf_ms);
        let is_read = self.drawn_at.is_some_and(|at| turn.now.tick >= at + deaf);
        match key {
            Key::Esc | Key::Ctrl('c') => return Then::Closes,
            Key::Char('y') => {
                let Some((_, steps)) = &self.rest else {
                    turn.say("There is nothing to apply but what the limit holds.");
                    return Then::Stays;
                };
                if !is_read {
                    turn.say("Read first, then `y`.");
                    return Then::Stays;
                }
                turn.steps.extend(steps.iter().cloned());
                return Then::Closes;
            }
            Key::Enter if !self.field.text().is_empty() => {
                if self.field.text().parse() == Ok(self.number) && is_read {
                    turn.steps.extend(self.all.iter().cloned());
                    return Then::Closes;
                }
                turn.complain(format!("'{}' is not the number that the limit holds.", self.field.text()));
                self.field = TextField::new("", Kind::Line);
            }
            Key::Char(c) if !c.is_ascii_digit() => {}
            Key::Enter => {}
            key => {
                self.field.key(key);
            }
        }
        Then::Stays
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let width = area.width.min(70);
        let room = usize::from(width.saturating_sub(6));
        let lines: Vec<String> = self.lines.iter().flat_map(|line| fit::wrap(line, room)).collect();
        let beyond = fit::wrap(&format!("{} as well: type how many, Enter:", self.beyond), room);
        let answers = beyond.len() as u16 + 3 + u16::from(self.rest.is_some());
        let area = layout::centred(area, width, lines.len() as u16 + answers + 4);
        canvas.clear(area);
        let inside = canvas.boxed(area, &self.title, true);
        let (x, room) = (inside.x + 2, inside.width.saturating_sub(3));
        let mut y = inside.bottom().saturating_sub(answers);
        for (line, y) in lines.iter().zip(inside.y + 1..y.max(inside.y + 1)) {
            canvas.put(x, y, room, line, Role::Text);
        }
        if let Some((label, _)) = &self.rest {
            canvas.line(x, y, room, &[("y", Role::HintKey), ("    ", Role::Text), (label, Role::Text)]);
            y += 1;
        }
        canvas.line(x, y, room, &[("Esc", Role::HintKey), ("  not now", Role::Text)]);
        y += 1;
        let mut end = 0;
        for line in &beyond {
            end = canvas.put(x, y, room, line, Role::Notice);
            y += 1;
        }
        let field = Rect::new(x + end + 1, y - 1, room.saturating_sub(end + 1).min(9), 1);
        canvas.cursor = Some((Position::new(field.x, field.y), true));
        self.field.draw(canvas, field);
    }
}
