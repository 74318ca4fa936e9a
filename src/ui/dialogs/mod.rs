//! Dialogs are laid over a screen, one at a time; a message from a job never opens one (U29).

pub mod confirm;
pub mod help;
pub mod limit;
pub mod messages;
pub mod palette;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::key::Key;
use super::turn::Turn;

#[derive(Debug, Clone)]
pub enum Dialog {
    Confirm(confirm::Confirm),
    Limit(limit::Limit),
    Palette(palette::Palette),
    Help(help::Help),
    Messages(messages::Messages),
}

/// Whether a dialog stays after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Stays,
    Closes,
}

impl Dialog {
    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) -> Then {
        match self {
            Self::Confirm(dialog) => dialog.key(key, turn),
            Self::Limit(dialog) => dialog.key(key, turn),
            Self::Palette(dialog) => dialog.key(key, turn),
            Self::Help(dialog) => dialog.key(key),
            Self::Messages(dialog) => dialog.key(key),
        }
    }

    pub fn paste(&mut self, text: &str, turn: &mut Turn<'_>) -> Then {
        match self {
            Self::Palette(dialog) => dialog.paste(text, turn),
            Self::Help(dialog) => dialog.paste(text),
            Self::Confirm(_) | Self::Limit(_) | Self::Messages(_) => {
                turn.say("A paste does nothing here.");
                Then::Stays
            }
        }
    }

    pub const fn takes_text(&self) -> bool {
        matches!(self, Self::Palette(_) | Self::Help(_))
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        match self {
            Self::Confirm(dialog) => dialog.draw(canvas, area),
            Self::Limit(dialog) => dialog.draw(canvas, area),
            Self::Palette(dialog) => dialog.draw(canvas, area),
            Self::Help(dialog) => dialog.draw(canvas, area),
            Self::Messages(dialog) => dialog.draw(canvas, area),
        }
    }
}

macro_rules! into_dialog {
    ($($kind:ident $module:ident),*) => {
        $(impl From<$module::$kind> for Dialog {
            fn from(dialog: $module::$kind) -> Self {
                Self::$kind(dialog)
            }
        })*
    };
}
into_dialog!(Confirm confirm, Limit limit, Palette palette, Help help, Messages messages);
