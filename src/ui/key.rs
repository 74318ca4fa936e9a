//! A key as a person names it: `a`, `Enter`, `Ctrl-P`, `Shift-Tab`.

use std::fmt;
use std::str::FromStr;

/// One key press. A letter carries its case; Space is `Char(' ')`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Char(char),
    Ctrl(char),
    Alt(char),
    Function(u8),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

/// What comes into a text field.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    Key(Key),
    Paste(&'a str),
}

const NAMED: [(&str, Key); 16] = [
    ("Enter", Key::Enter),
    ("Esc", Key::Esc),
    ("Tab", Key::Tab),
    ("Shift-Tab", Key::BackTab),
    ("Backspace", Key::Backspace),
    ("Delete", Key::Delete),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PageUp", Key::PageUp),
    ("PageDown", Key::PageDown),
    ("Space", Key::Char(' ')),
    ("Return", Key::Enter),
];

impl Key {
    /// Why no action may have this key (ux.md 4.4), or `None` if it may.
    pub fn forbidden(self) -> Option<&'static str> {
        match self {
            Self::Ctrl('a' | 'b' | '\\' | ']' | '^') => {
                Some("terminal multiplexers and remote shells keep it for themselves")
            }
            Self::Ctrl('s' | 'q') => {
                Some("it is flow control on some consoles, and the screen would seem to hang")
            }
            Self::Ctrl('h' | 'i' | 'm' | 'j' | '[') => {
                Some("terminals send the same byte for Backspace, Tab, Enter or Esc")
            }
            Self::Ctrl(c) if !c.is_ascii_lowercase() => Some("most terminals cannot send it"),
            Self::Ctrl('c') => Some("it always means the same"),
            Self::Char(
                'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'H' | 'M' | 'O' | 'P' | 'Q' | 'R' | 'S' | 'Z' | '~',
            ) => Some("it ends the byte sequence of another key, which a slow link may split"),
            _ => None,
        }
    }

    /// Whether the defaults may use it: some terminals swallow these, so a user may add them, we may not need them.
    pub const fn is_safe_everywhere(self) -> bool {
        !matches!(self, Self::Alt(_) | Self::Function(_))
    }

    pub const fn is_printable(self) -> bool {
        matches!(self, Self::Char(_))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = NAMED.iter().find(|(_, key)| key == self) {
            return f.write_str(name);
        }
        match self {
            Self::Char(c) => write!(f, "{c}"),
            Self::Ctrl(c) => write!(f, "Ctrl-{}", c.to_ascii_uppercase()),
            Self::Alt(c) => write!(f, "Alt-{c}"),
            Self::Function(n) => write!(f, "F{n}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |rest: &str| {
            let mut chars = rest.chars();
            chars.next().filter(|_| chars.next().is_none())
        };
        if let Some(c) = one(text) {
            return Ok(Self::Char(c));
        }
        if let Some((_, key)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(*key);
        }
        if let Some(c) = text.strip_prefix("Ctrl-").and_then(one) {
            return Ok(Self::Ctrl(c.to_ascii_lowercase()));
        }
        if let Some(c) = text.strip_prefix("Alt-").and_then(one) {
            return Ok(Self::Alt(c));
        }
        if let Some(n) = text.strip_prefix('F').and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n))
        {
            return Ok(Self::Function(n));
        }
        Err(format!("'{text}' is not a key; keys are written a, Enter, Space, Ctrl-P, Shift-Tab, PageUp"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_what_they_write() {
        for text in ["a", "G", "?", "Enter", "Space", "Ctrl-P", "Shift-Tab", "PageDown", "F5", "Alt-x"] {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
        }
        assert!("Hyper-x".parse::<Key>().is_err());
        assert!("F13".parse::<Key>().is_err());
    }
}
