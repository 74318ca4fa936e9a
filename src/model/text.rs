//! Remote text is hostile: nothing from outside is drawn or logged before it went through here.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Text as it may be shown on a terminal: control characters become `^X`, line breaks and tabs a space;
/// bidirectional marks and other invisible format characters are dropped. At most 64 KiB is kept.
pub fn shown(text: &str) -> Cow<'_, str> {
    const LIMIT: usize = 64 * 1024;
    if text.len() <= LIMIT && text.chars().all(|c| !is_hostile(c)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len().min(LIMIT));
    for c in text.chars() {
        if clean.len() > LIMIT {
            clean.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => clean.push(' '),
            c if c.is_ascii_control() => {
                clean.push('^');
                clean.push(char::from((c as u8) ^ 0x40));
            }
            c if is_hostile(c) => {}
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// Texts that many records repeat, each kept once. What repeats is met early: after so many it takes no new ones in,
/// which would only be kept for nothing.
#[derive(Debug, Default)]
pub struct Pool(Mutex<HashSet<Arc<str>>>);

impl Pool {
    const MOST: usize = 16_384;

    /// The pool's own copy of a text.
    pub fn share(&self, text: &Arc<str>) -> Arc<str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = known.get(text) {
            return Arc::clone(shared);
        }
        if known.len() < Self::MOST {
            known.insert(Arc::clone(text));
        }
        Arc::clone(text)
    }
}

/// Control characters, and characters that reorder or hide text.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// A number with its thousands told apart: `1,904`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_do_not_survive() {
        assert_eq!(shown("\u{1b}[31mred\u{7}"), "^[[31mred^G");
        assert_eq!(shown("a\u{202e}b\u{200f}c"), "abc");
        assert_eq!(shown("one\r\ntwo\tthree"), "one  two three");
        assert_eq!(shown("\u{9b}31m"), "31m");
        assert!(matches!(shown("Łódź 東京 👩‍👧"), Cow::Borrowed(_)));
    }
}
