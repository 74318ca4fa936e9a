//! A text asked for in the last line: a filter, a path, a note.

use ratatui::layout::Rect;

use super::hints;
use super::text_field::{Kind, TextField};
use crate::ui::canvas::Canvas;
use crate::ui::key::{Input, Key};

/// What is asked, and what was typed so far.
#[derive(Debug, Clone)]
pub struct Prompt<What> {
    pub what: What,
    title: String,
    field: TextField,
}

/// What a key did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    Going,
    /// The text is another one now.
    Changed(String),
    /// Enter.
    Done(String),
    /// Esc.
    Dropped,
}

impl<What> Prompt<What> {
    pub fn new(what: What, title: impl Into<String>, text: &str) -> Self {
        Self { what, title: title.into(), field: TextField::new(text, Kind::Line) }
    }

    /// With a proposal that the first letter typed replaces.
    pub fn proposing(what: What, title: impl Into<String>, text: &str) -> Self {
        Self { what, title: title.into(), field: TextField::replaceable(text) }
    }

    pub fn input(&mut self, input: Input<'_>) -> Typed {
        match input {
            Input::Key(Key::Esc) => return Typed::Dropped,
            Input::Key(Key::Enter) => return Typed::Done(self.field.text()),
            _ => {}
        }
        let before = self.field.text();
        self.field.input(input);
        let after = self.field.text();
        if after == before { Typed::Going } else { Typed::Changed(after) }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let (text, cursor) = self.field.line();
        hints::typing(canvas, area, &self.title, text, cursor);
    }
}
