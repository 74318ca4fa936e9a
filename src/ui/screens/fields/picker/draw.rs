//! The chooser on the screen: two lists side by side, and what would follow below.

use ratatui::layout::{Position, Rect};

use super::{FieldPicker, What};
use crate::ui::canvas::Canvas;
use crate::ui::screens::fields::draw::{misfits, tried};
use crate::ui::theme::Role;
use crate::ui::widgets::hints;
use crate::ui::widgets::table::{self, Column, Row, cell};

/// Below this, one side at a time.
const TWO: u16 = 60;

pub struct Parts {
    pub find: Rect,
    pub list: Rect,
    pub follows: Rect,
}

pub fn parts(area: Rect) -> Parts {
    let follows = match area.height {
        0..10 => 0,
        10..16 => 3,
        _ => 6,
    };
    let end = area.bottom().saturating_sub(follows);
    let top = area.y + 1;
    Parts {
        find: Rect { height: 1.min(area.height), ..area },
        list: Rect { y: top, height: end.saturating_sub(top), ..area },
        follows: Rect { y: end, height: follows, ..area },
    }
}

impl FieldPicker {
    pub(super) fn show(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let parts = parts(area);
        let was_focused = canvas.focused;
        let both = self.has_right() && area.width >= TWO;
        let half = if both { area.width / 2 } else { area.width };
        let mut cursor = None;
        for on_right in [false, true] {
            let is_active = on_right == self.on_right;
            if on_right && !self.has_right() || !both && !is_active {
                continue;
            }
            let x = if both && on_right { area.x + half } else { area.x };
            let width = if both && on_right { area.width - half } else { half };
            let list = Rect { x, width: width.saturating_sub(u16::from(both && !on_right)), ..parts.list };
            canvas.focused = was_focused && is_active;
            if on_right {
                self.targets(canvas, list);
            } else {
                self.sources(canvas, list);
            }
            let find = Rect { x, width, ..parts.find };
            canvas.cursor = None;
            let title = if on_right { "Halo > " } else { "Liongard > " };
            let role = if is_active { Role::Strong } else { Role::Dim };
            let used = canvas.put(find.x + 1, find.y, find.width, title, role) + 1;
            let half = if on_right { &self.right } else { &self.left };
            half.field
                .draw(canvas, Rect { x: find.x + used, width: find.width.saturating_sub(used + 1), ..find });
            if is_active {
                cursor = canvas.cursor.or(Some((Position::new(find.x + used, find.y), true)));
            }
        }
        canvas.focused = was_focused;
        if self.has_right() {
            self.follows(canvas, parts.follows);
        } else {
            self.type_follows(canvas, parts.follows);
        }
        canvas.cursor = cursor;
    }

    fn sources(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if self.left.list.is_empty() {
            let text = if !self.is_known {
                "Reading ...".into()
            } else if self.sides.sources.is_empty() {
                "No records were read yet: Esc, then Ctrl-R reads them. A name can be typed all the same."
                    .into()
            } else {
                format!(
                    "No record has such a field. Enter takes '{}' as it is typed.",
                    self.left.field.text()
                )
            };
            return table::empty(canvas, area, &text);
        }
        let columns = [
            Column::growing("field", 12),
            Column::fixed("have it", 7).right().goes(2),
            Column::growing("sample", 8).goes(1),
        ];
        let visible = self.left.list.visible(area.height.saturating_sub(1).into());
        table::draw(canvas, area, &columns, visible, Some(self.left.list.position()), |index| {
            let field = self.sides.sources.get(*self.left.list.ids().get(index)?)?;
            let name = if field.title.is_empty() { &field.name } else { &field.title };
            let role = if field.have > 0 { Role::Text } else { Role::Dim };
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(name.as_str(), role),
                    cell(format!("{}/{}", field.have, self.sides.records), Role::Dim),
                    cell(field.samples.first().map_or("", String::as_str), Role::Dim),
                ],
            })
        });
    }

    fn targets(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if self.right.list.is_empty() {
            let text = if self.is_known { "Halo has no such asset field." } else { "Reading ..." };
            return table::empty(canvas, area, text);
        }
        let columns = [
            Column::growing("field", 12),
            Column::fixed("kind", 6).goes(3),
            Column::fixed("have it", 7).right().goes(2),
            Column::growing("sample", 8).goes(1),
        ];
        let visible = self.right.list.visible(area.height.saturating_sub(1).into());
        table::draw(canvas, area, &columns, visible, Some(self.right.list.position()), |index| {
            let at = *self.right.list.ids().get(index)?;
            let Some(field) = self.sides.targets.get(at) else {
                return Some(Row {
                    is_marked: false,
                    cells: vec![
                        cell(format!("+ create '{}'", self.new_name()), Role::New),
                        cell(self.new_kind().key(), Role::New),
                    ],
                });
            };
            Some(Row {
                is_marked: false,
                cells: vec![
                    cell(field.label.as_str(), Role::Text),
                    cell(field.kind.key(), Role::Dim),
                    cell(format!("{}/{}", field.have, self.sides.assets), Role::Dim),
                    cell(field.samples.first().map_or("", String::as_str), Role::Dim),
                ],
            })
        });
    }

    fn follows(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height < 2 || !self.is_known {
            return;
        }
        let row = self.row();
        let new = if row.create { format!(" (new {} field)", self.new_kind()) } else { String::new() };
        canvas.rule(Rect { height: 1, ..area }, &format!("{} -> {}{new}", row.source, row.target));
        let mut lines: Vec<(String, Role)> = Vec::new();
        if let Some((_, verdict)) = self.verdict.as_ref().filter(|(judged, _)| *judged == row) {
            if let Some(why) = verdict.refused.as_ref().filter(|_| self.what != What::Matching) {
                lines.push((format!("Cannot be saved: {why}."), Role::Bad));
            }
            lines.extend(verdict.notices.iter().map(|notice| (notice.clone(), Role::Notice)));
            if let Some(fit) = &verdict.fit {
                if !fit.misfits.is_empty() {
                    lines.push((misfits(fit), Role::Bad));
                }
                lines.push((tried(fit), Role::Text));
            }
        }
        let source = self.sides.sources.iter().find(|field| field.name == row.source);
        if let Some(field) = source.filter(|field| !field.samples.is_empty()) {
            lines.push((format!("{}: {}", told(&field.told), field.samples.join(" | ")), Role::Dim));
        }
        let target = self.sides.targets.iter().find(|field| field.label == row.target && !row.create);
        if let Some(field) = target {
            let limit = field.limit.map(|limit| format!(", at most {limit} characters")).unwrap_or_default();
            let choices = if field.choices.is_empty() {
                String::new()
            } else {
                format!(", one of {}", field.choices.join(", "))
            };
            let types = if field.types.is_empty() { "no type".into() } else { field.types.join(", ") };
            let held = field.samples.join(" | ");
            lines.push((format!("Halo: {}{limit}{choices}; of {types}; {held}", field.kind), Role::Dim));
        }
        if self.before.fill_blank {
            lines.push(("Written only where Halo has nothing.".into(), Role::Text));
        }
        paragraphs(canvas, area, lines);
    }

    fn type_follows(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height < 2 {
            return;
        }
        let source = self.source();
        canvas.rule(Rect { height: 1, ..area }, &format!("{source} names the asset's type"));
        let Some(field) = self.sides.sources.iter().find(|field| field.name == source) else { return };
        let without = self.sides.records.saturating_sub(field.have);
        let lines = vec![
            (format!("types: {} ...", field.samples.join(" | ")), Role::Text),
            (
                format!(
                    "{without} of {} records have none: they are held, or get fallback_asset_type",
                    self.sides.records
                ),
                if without > 0 { Role::Notice } else { Role::Dim },
            ),
        ];
        paragraphs(canvas, area, lines);
    }

    pub(super) fn keys(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let enter = if self.on_right || !self.has_right() { "save" } else { "to Halo's side" };
        let mut keys = vec![("type", "to find"), ("Enter", enter)];
        if self.has_right() {
            keys.push(("Tab", "other side"));
        }
        if self.what != What::AssetType && self.what != What::Matching {
            keys.extend([("Ctrl-T", "kind"), ("Ctrl-F", "blank only")]);
        }
        keys.push(("Esc", "back"));
        hints::keys(canvas, area, &keys);
    }
}

fn told(by: &str) -> &str {
    if by.is_empty() { "nobody" } else { by }
}

fn paragraphs(canvas: &mut Canvas<'_>, area: Rect, lines: Vec<(String, Role)>) {
    let mut y = area.y + 1;
    for (line, role) in lines {
        if y >= area.bottom() {
            break;
        }
        let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: area.bottom() - y };
        y += canvas.paragraph(room, &line, role).max(1);
    }
}
