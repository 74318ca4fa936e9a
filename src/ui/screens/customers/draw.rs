//! The mapping table on the screen.

use ratatui::layout::Rect;

use super::Customers;
use super::row::{facts, score, short_why, state_role, target, which, word};
use crate::model::{Integration, Place};
use crate::ui::action::{Action, Availability};
use crate::ui::canvas::Canvas;
use crate::ui::layout::list_and_details;
use crate::ui::mirror::Mirror;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{self, Column, Row, cell};

use super::capital;

impl Customers {
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        let regions = list_and_details(area, in_overview);
        if self.list.is_empty() {
            table::empty(canvas, regions.list, &self.nothing(canvas.mirror));
            return;
        }
        let (source, partner) = match self.integration {
            Integration::Also => ("ALSO customer", "Halo customer"),
            Integration::Westcoast => ("Westcoast customer", "Halo customer"),
            Integration::Hudu => ("Halo customer", "Hudu company"),
            Integration::Lifecycle => ("Halo customer", "company"),
            Integration::Liongard => ("Liongard environment", "Halo customer"),
        };
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
        let plain = canvas.look.plain;
        table::draw(canvas, regions.list, &columns, visible, Some(self.list.position()), |index| {
            let id = self.list.ids().get(index)?;
            let row = self.rows.get(id)?;
            let before = index.checked_sub(1).and_then(|i| self.rows.get(self.list.ids().get(i)?));
            let (at, walked) = (self.candidate(row), self.shown.contains_key(id));
            let (target, target_role) = target(row, at, walked);
            let again = self.by_target
                && row.target.is_some()
                && before.is_some_and(|other| {
                    other.target.as_ref().map(|t| &t.id) == row.target.as_ref().map(|t| &t.id)
                });
            let sign = if plain { word(row).to_owned() } else { row.sign().to_string() };
            let mut cells = vec![
                cell(sign, state_role(row.state)),
                cell(row.source.name.as_str(), Role::Text),
                cell(target, if again { Role::Dim } else { target_role }),
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
        let label = self.integration.label();
        if let Availability::Not(reason) = self.can(Action::Refresh, mirror) {
            return reason;
        }
        if mirror.reading.contains_key(&self.integration) {
            return format!(
                "{}. Nothing is written; you can go elsewhere meanwhile.",
                capital(&self.summary(mirror))
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
            let parties = Place::Of(self.integration).party().1;
            return format!(
                "The {parties} of {label} and the customers of Halo have not been read yet. Ctrl-R reads them; nothing is written."
            );
        }
        let from = self.integration.source(self.integration.root());
        format!("{} lists no {}. Ctrl-R reads again.", from.label(), from.party().1)
    }
}
