//! The mapping table on the screen.

use ratatui::layout::Rect;

use super::Customers;
use super::row::{facts, score, short_why, state_role, target, which, word};
use crate::model::Integration;
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::layout::list_and_details;
use crate::ui::mirror::Mirror;
use crate::ui::screens::View;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{self, Column, Row, cell};

use super::capital;

/// What the target's customers are called.
pub(in crate::ui) const fn partner_head(integration: Integration) -> &'static str {
    match integration {
        Integration::Also | Integration::Westcoast | Integration::Liongard => "Halo customer",
        Integration::Hudu => "Hudu company",
        Integration::Lifecycle => "company",
    }
}

impl Customers {
    pub(super) fn paint(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            table::empty(canvas, regions.list, &self.nothing(canvas.mirror));
            return;
        }
        let source = match self.integration {
            Integration::Also => "ALSO customer",
            Integration::Westcoast => "Westcoast customer",
            Integration::Liongard => "Liongard environment",
            Integration::Hudu | Integration::Lifecycle => "Halo customer",
        };
        let partner = partner_head(self.integration);
        let mut columns = [
            Column::fixed("", 1),
            Column::growing(source, 12),
            Column::growing(partner, 12),
            Column::fixed("", 3).goes(2),
            Column::fixed("score", 5).right().goes(3),
            Column::fixed("why", 16).goes(1),
        ];
        if self.by_target {
            columns.swap(1, 2);
        }
        let visible = self.list.visible(regions.rows());
        let top = visible.start;
        let plain = canvas.look.plain;
        table::draw(canvas, regions.list, &columns, visible, Some(self.list.position()), |index| {
            let id = self.list.ids().get(index)?;
            let row = self.rows.get(id)?;
            let (at, walked) = (self.candidate(row), self.shown.contains_key(id));
            let (target, target_role) = target(row, at, walked);
            let target = match self.group(index) {
                // The name once, with how many feed it; read aloud, on every line.
                Some((first, rows)) if rows > 1 && index == first.max(top) && !plain => {
                    format!("({rows}) {target}")
                }
                Some((first, rows)) if rows > 1 && index != first.max(top) && !plain => String::new(),
                _ => target,
            };
            let sign = if plain { word(row).to_owned() } else { row.sign().to_string() };
            let mut cells = vec![
                cell(sign, state_role(row.state)),
                cell(row.source.name.as_str(), Role::Text),
                cell(target, target_role),
                cell(which(row, at, walked), Role::Dim),
                cell(score(row, at), Role::Text),
                cell(short_why(row, at, walked), Role::Dim),
            ];
            if self.by_target {
                cells.swap(1, 2);
            }
            Some(Row { is_marked: self.list.marks().contains(id), cells })
        });
        self.details(canvas, regions.details);
    }

    /// By target: where the rows of the target of this one begin, and how many there are.
    fn group(&self, index: usize) -> Option<(usize, usize)> {
        let at = self.groups.partition_point(|end| *end <= index);
        let end = *self.groups.get(at)?;
        let first = at.checked_sub(1).and_then(|before| self.groups.get(before)).copied().unwrap_or(0);
        Some((first, end - first))
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let Some(row) = self.selected() else { return };
        if area.height < 2 {
            return;
        }
        let label = self.integration.source(self.integration.root()).label();
        canvas.rule(Rect { height: 1, ..area }, &format!("{} ({label} {})", row.source.name, row.source.id));
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let facts = facts(row, self.integration, self.candidate(row), |at| canvas.when(at));
        let skip = usize::from(self.scroll).min(facts.len().saturating_sub(1));
        table::facts(canvas, body, &facts[skip..]);
    }

    /// Why the list is empty, and what to do (U37).
    fn nothing(&self, mirror: &Mirror) -> String {
        if let Availability::Not(reason) = self.can(Action::Refresh, mirror) {
            return reason;
        }
        if mirror.reading.contains_key(&self.integration) {
            return format!(
                "{}. Nothing is written; you can go elsewhere meanwhile.",
                capital(&self.counts(mirror))
            );
        }
        if !self.is_known || self.wants_order {
            return "Reading ...".into();
        }
        if let Some(trouble) = &self.trouble {
            return format!("{trouble} Ctrl-R tries again.");
        }
        if self.is_filtered() {
            return "Nothing matches. Esc shows all.".into();
        }
        if self.read_at.is_none() {
            let root = self.integration.root();
            let (here, there) =
                (self.integration.source(root).label(), self.integration.target(root).label());
            return format!(
                "The customers of {here} and {there} have not been read yet. Ctrl-R reads them; nothing is written."
            );
        }
        let from = self.integration.source(self.integration.root());
        format!("{} lists no {}. Ctrl-R reads again.", from.label(), from.party().1)
    }
}
