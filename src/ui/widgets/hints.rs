//! The last line: the keys that work here now, or what was just said.

use ratatui::layout::{Position, Rect};

use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::fit;
use crate::ui::keymap::Keymap;
use crate::ui::theme::Role;

/// Keys and words, most useful first, cut at the width, `?` always last (U6).
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, keymap: &Keymap, hints: &[(Action, Availability)]) {
    let last = format!("{} help", keymap.label(Action::Help));
    let room = area.width.saturating_sub(fit::width(&last) as u16);
    let mut x = area.x;
    for (action, availability) in hints {
        let key = keymap.label(*action);
        let word = action.entry().hint;
        let wide = (fit::width(&key) + 1 + fit::width(word) + 2) as u16;
        if key.is_empty() || x - area.x + wide > room {
            continue;
        }
        let ready = *availability == Availability::Ready;
        let (key_role, word_role) =
            if ready { (Role::HintKey, Role::HintText) } else { (Role::Disabled, Role::Disabled) };
        x += canvas.line(x, area.y, wide, &[(&key, key_role), (" ", Role::HintText), (word, word_role)]) + 2;
    }
    canvas.line(
        x,
        area.y,
        area.right() - x,
        &[(&keymap.label(Action::Help), Role::HintKey), (" help", Role::HintText)],
    );
}

/// Keys that a screen takes by itself, while every printable key is text there.
pub fn keys(canvas: &mut Canvas<'_>, area: Rect, keys: &[(&str, &str)]) {
    let mut x = area.x;
    for (key, word) in keys {
        if x >= area.right() {
            break;
        }
        let pieces = [(*key, Role::HintKey), (" ", Role::Text), (*word, Role::HintText)];
        x += canvas.line(x, area.y, area.right() - x, &pieces) + 2;
    }
}

/// The letters that may follow `f`, `o` or `y`.
pub fn letters(canvas: &mut Canvas<'_>, area: Rect, title: &str, letters: &[(char, String)]) {
    let mut x = area.x + canvas.put(area.x, area.y, area.width, title, Role::Strong) + 1;
    for (letter, word) in letters {
        if x + 3 >= area.right() {
            break;
        }
        x += canvas.line(
            x,
            area.y,
            area.right() - x,
            &[(&letter.to_string(), Role::HintKey), (" ", Role::HintText), (word, Role::HintText)],
        ) + 2;
    }
}

/// A text being typed in the last line, such as a filter.
pub fn typing(canvas: &mut Canvas<'_>, area: Rect, title: &str, text: &str, cursor: usize) {
    let used = canvas.line(area.x, area.y, area.width, &[(title, Role::Strong), (" ", Role::Text)]);
    let room = area.width.saturating_sub(used + 1);
    canvas.put(area.x + used, area.y, room, text, Role::Input);
    let before: String = text.chars().take(cursor).collect();
    let at = (fit::width(&before) as u16).min(room);
    canvas.cursor = Some((Position::new(area.x + used + at, area.y), true));
}
