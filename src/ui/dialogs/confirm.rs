//! A question before something is done: `y` does it, Esc does not, Enter does nothing (U26).

use std::time::Duration;

use ratatui::layout::{Position, Rect};

use super::Then;
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::key::Key;
use crate::ui::layout;
use crate::ui::theme::Role;
use crate::ui::turn::{Step, Turn};

#[derive(Debug, Clone)]
pub struct Choice {
    pub key: char,
    pub label: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub struct Confirm {
    pub title: String,
    pub lines: Vec<String>,
    pub choices: Vec<Choice>,
    /// What Esc means, in words: "not now".
    pub decline: String,
    /// Steps when Esc is pressed.
    pub declined: Vec<Step>,
    /// When it was first seen; until then, and for the deaf time after, it hears no `y`.
    pub drawn_at: Option<Duration>,
}

impl Confirm {
    pub fn new(title: impl Into<String>, lines: impl IntoIterator<Item = String>, decline: &str) -> Self {
        Self {
            title: title.into(),
            lines: lines.into_iter().collect(),
            choices: Vec::new(),
            decline: decline.to_owned(),
            declined: Vec::new(),
            drawn_at: None,
        }
    }

    /// A key that does something.
    #[must_use]
    pub fn choice(mut self, key: char, label: impl Into<String>, steps: Vec<Step>) -> Self {
        self.choices.push(Choice { key, label: label.into(), steps });
        self
    }

    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) -> Then {
        let Key::Char(pressed) = key else {
            if matches!(key, Key::Esc | Key::Ctrl('c')) {
                turn.steps.append(&mut self.declined);
                return Then::Closes;
            }
            return Then::Stays;
        };
        let Some(choice) = self.choices.iter().find(|choice| choice.key == pressed) else {
            return Then::Stays;
        };
        let deaf = Duration::from_millis(turn.prefs.deaf_ms);
        if self.drawn_at.is_none_or(|at| turn.now.tick < at + deaf) {
            turn.say(format!("Read first, then `{pressed}`."));
            return Then::Stays;
        }
        turn.steps.extend(choice.steps.iter().cloned());
        Then::Closes
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let width = area.width.min(66);
        let room = usize::from(width.saturating_sub(6));
        let lines: Vec<String> = self.lines.iter().flat_map(|line| fit::wrap(line, room)).collect();
        let height = lines.len() as u16 + self.choices.len() as u16 + 6;
        let area = layout::centred(area, width, height);
        canvas.clear(area);
        let inside = canvas.boxed(area, &self.title, true);
        let x = inside.x + 2;
        let room = inside.width.saturating_sub(3);
        let answers = inside.bottom().saturating_sub(self.choices.len() as u16 + 2);
        for (line, y) in lines.iter().zip(inside.y + 1..answers) {
            canvas.put(x, y, room, line, Role::Text);
        }
        let mut y = answers;
        for choice in &self.choices {
            canvas.line(
                x,
                y,
                room,
                &[(&choice.key.to_string(), Role::HintKey), ("  ", Role::Text), (&choice.label, Role::Text)],
            );
            y += 1;
        }
        canvas.line(x, y, room, &[("Esc", Role::HintKey), ("  ", Role::Text), (&self.decline, Role::Text)]);
        canvas.cursor = Some((Position::new(x, answers), canvas.look.plain));
    }
}
