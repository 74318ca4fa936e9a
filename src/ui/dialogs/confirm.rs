//! A question before something is done: `y` does it, Esc does not, Enter does nothing (U26).

use std::time::Duration;

use ratatui::layout::{Position, Rect};

use super::Then;
use crate::model::settings::Kind;
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
    /// First line shown, where not all fit.
    scroll: usize,
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
            scroll: 0,
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
            match key {
                Key::Down | Key::PageDown => self.scroll = (self.scroll + 1).min(self.lines.len()),
                Key::Up | Key::PageUp => self.scroll = self.scroll.saturating_sub(1),
                _ => {}
            }
            return Then::Stays;
        };
        let Some(choice) = self.choices.iter().find(|choice| choice.key == pressed) else {
            return Then::Stays;
        };
        if !self.is_read(turn) {
            turn.say(format!("Read first, then `{pressed}`."));
            return Then::Stays;
        }
        turn.steps.extend(choice.steps.iter().cloned());
        Then::Closes
    }

    /// Whether it has been seen long enough to be answered (U26).
    pub fn is_read(&self, turn: &Turn<'_>) -> bool {
        let deaf = Duration::from_millis(turn.prefs.deaf_ms);
        self.drawn_at.is_some_and(|at| turn.now.tick >= at + deaf)
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        self.draw_with(canvas, area, "");
    }

    /// Every dialog says where it acts (U28); a title that does so is enough.
    fn name_profile(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(overview) = &canvas.mirror.overview else { return };
        let (mark, role) = match overview.kind {
            Kind::Production => ("PRODUCTION", Role::Production),
            Kind::Sandbox => ("SANDBOX", Role::Sandbox),
        };
        let text = format!(" {mark} {} ", overview.profile);
        let taken = self.title.chars().count() as u16 + 6;
        let room = area.width.saturating_sub(taken + 2);
        if !self.title.contains(mark) && text.chars().count() <= usize::from(room) {
            canvas.put_right(area.x + taken, area.y, room, &text, role);
        }
    }

    /// With a paragraph under the answers; gives what is left of its last line.
    pub fn draw_with(&self, canvas: &mut Canvas<'_>, area: Rect, below: &str) -> Rect {
        let width = area.width.min(70);
        let room = usize::from(width.saturating_sub(6));
        let lines: Vec<String> = self.lines.iter().flat_map(|line| fit::wrap(line, room)).collect();
        let below = if below.is_empty() { Vec::new() } else { fit::wrap(below, room) };
        let answers = self.choices.len() as u16 + 1 + below.len() as u16;
        // Air above, between and below, where there is room for it.
        let wanted = lines.len() as u16 + answers + 2;
        let air = u16::from(wanted + 3 <= area.height);
        let area = layout::centred(area, width, wanted + 3 * air);
        canvas.clear(area);
        let inside = canvas.boxed(area, &self.title, true);
        self.name_profile(canvas, area);
        let (x, room) = (inside.x + 2, inside.width.saturating_sub(3));
        let mut y = inside.bottom().saturating_sub(answers + air);
        let text = inside.y + air..y.saturating_sub(air);
        let hidden = lines.len().saturating_sub(text.len());
        for (line, y) in lines.iter().skip(self.scroll.min(hidden)).zip(text.clone()) {
            canvas.put(x, y, room, line, Role::Text);
        }
        if hidden > self.scroll && !text.is_empty() {
            let more = format!(" Down: {} more ", hidden - self.scroll);
            canvas.put_right(x, inside.bottom(), room, &more, Role::Notice);
        }
        canvas.cursor = Some((Position::new(x, y), canvas.look.plain));
        for choice in &self.choices {
            let key = format!("{:<5}", choice.key);
            canvas.line(x, y, room, &[(&key, Role::HintKey), (&choice.label, Role::Text)]);
            y += 1;
        }
        canvas.line(x, y, room, &[("Esc  ", Role::HintKey), (&self.decline, Role::Text)]);
        let mut end = 0;
        for line in &below {
            y += 1;
            end = canvas.put(x, y, room, line, Role::Notice) + 1;
        }
        Rect::new(x + end, y, room.saturating_sub(end), 1)
    }
}
