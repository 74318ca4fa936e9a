//! Old and new value side by side in fixed columns: told apart by place, sign and weight, not by colour alone (U18).

use std::borrow::Cow;

use ratatui::layout::Rect;

use crate::model::FieldName;
use crate::plan::{FieldChange, Mark};
use crate::ui::canvas::Canvas;
use crate::ui::theme::Role;

/// One line a field; gives the lines used.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, fields: &[FieldChange]) -> u16 {
    let name = 18.min(area.width / 3);
    let value = (area.width.saturating_sub(name + 5) / 2).min(28);
    let mut used = 0;
    for (field, y) in fields.iter().zip(area.top()..area.bottom()) {
        let text = |value: &Option<crate::model::Value>| {
            value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        canvas.put(area.x, y, name, &field_word(field.name), Role::Text);
        canvas.put(area.x + name + 1, y, value, &text(&field.before), Role::Dim);
        canvas.put(area.x + name + 1 + value, y, 3, " > ", Role::Dim);
        let role = if field.mark.is_some() { Role::Notice } else { Role::Strong };
        let rest = area.width.saturating_sub(name + 4 + value);
        canvas.put(area.x + name + 4 + value, y, rest, &text(&field.after), role);
        used += 1;
    }
    used
}

/// A field as people call it.
pub fn field_word(name: FieldName) -> Cow<'static, str> {
    match name {
        FieldName::Quantity => "seats".into(),
        other if other.key().contains('_') => other.key().replace('_', " ").into(),
        other => other.key().into(),
    }
}

/// What is special about a field's change, in words.
pub const fn mark_words(mark: Mark) -> &'static str {
    match mark {
        Mark::EditedInHalo => "edited in Halo since our last write; the source's value takes its place",
        Mark::Price => "set by hand before, now overwritten",
    }
}
