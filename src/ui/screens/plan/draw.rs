//! The plan on the screen: totals and notices, rows by customer, the reasons of the selected one.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::sum::{Money, money_line, totals_words};
use super::{PlanScreen, Spot, State, best, candidates, columns, parts, word};
use crate::host::words::{PlanEntry, PlanGroup};
use crate::model::{Entity, Integration, Place};
use crate::plan::{self, Change};
use crate::ui::canvas::Canvas;
use crate::ui::fit::thousands;
use crate::ui::screens::change;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{self, Row, cell};

impl PlanScreen {
    pub(super) fn paint(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if let (None, State::Failed(problem)) = (&self.plan, &self.state) {
            return table::empty(canvas, area, &format!("{problem} r tries again."));
        }
        if self.plan.is_none() || self.state == State::Building {
            return self.building(canvas, area);
        }
        let notices = self.notice_lines(area.width);
        let (head, regions) = parts(area, self.has_money(), notices.len());
        self.head(canvas, head, &notices);
        if self.list.is_empty() {
            let text = if self.is_filtered() {
                "Nothing matches. Esc shows all.".to_owned()
            } else if self.state == State::Shown {
                {
                    let (from, to) = self.integration.flow(&[]);
                    format!("Nothing to do: {} agrees with {}.", to.label(), from.label())
                }
            } else {
                "Reading ...".into()
            };
            return table::empty(canvas, regions.list, &text);
        }
        let plain = canvas.look.plain;
        let out = self.out();
        let into = |entity: &Entity| self.integration.target(*entity) == Place::Halo;
        let columns = columns(self.integration, self.entities.first().is_some_and(into));
        let columns = if self.has_money() { &columns[..] } else { &columns[..5] };
        let visible = self.list.visible(regions.rows());
        table::draw(canvas, regions.list, columns, visible, Some(self.list.position()), |index| {
            let (group, entry) = self.at(index)?;
            let is_marked = self.list.ids().get(index).is_some_and(|line| self.list.marks().contains(line));
            let cells = match (entry, self.spots.get(index)?) {
                (_, Spot::Skipped(_, count)) => skipped_cells(*count, plain),
                (None, _) => self.group_cells(group, &out, plain),
                (Some(entry), _) => {
                    row_cells(entry, self.rows.get(&entry.row)?, out.contains(&entry.row), plain)
                }
            };
            Some(Row { is_marked, cells })
        });
        self.details(canvas, regions.details);
    }

    fn building(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let at = canvas.mirror.reading.get(&self.integration).map_or_else(
            || match self.integration {
                // Its other side is here.
                Integration::Lifecycle => "Reading Halo ...".to_owned(),
                vendor => format!("Reading {} and Halo ...", vendor.label()),
            },
            |reading| {
                let of = reading.of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
                format!("Reading {}: {}{of}", reading.what, thousands(reading.done))
            },
        );
        let text = format!("{at}   Planned {}. Nothing is written. Esc leaves; it goes on.", self.way());
        table::empty(canvas, area, &text);
    }

    fn head(&self, canvas: &mut Canvas<'_>, area: Rect, notices: &[(String, Role)]) {
        let sum = self.sum(None);
        let wide = area.width >= 76 || canvas.look.plain;
        let mut x = area.x + 1;
        let mut piece = |canvas: &mut Canvas<'_>, text: &str, role: Role| {
            x += canvas.put(x, area.y, area.right().saturating_sub(x), text, role) + 2;
        };
        for action in plan::Action::ALL {
            let count = sum.totals.get(action);
            if count > 0 {
                let sign = action.sign();
                let text = if wide {
                    format!("{} {}", word(action), thousands(count))
                } else {
                    format!("{sign} {count}")
                };
                piece(canvas, &text, change::role(action));
            }
        }
        if sum.left_out > 0 {
            piece(canvas, &format!("left out {}", thousands(sum.left_out)), Role::Strong);
        }
        if self.is_filtered() {
            let shown: usize = self.shown.iter().map(|group| group.rows.len()).sum();
            piece(canvas, &format!("showing {}", thousands(shown as u64)), Role::Accent);
        }
        let mut lines: Vec<(String, Role)> = Vec::new();
        if let Some(plan) = &self.plan {
            let out = self.out();
            let mut less = Money::default();
            self.all
                .iter()
                .flat_map(|group| &group.rows)
                .filter(|e| out.contains(&e.row))
                .for_each(|e| less.add(e));
            if self.has_money() {
                lines.push((money_line(plan, &less), Role::Text));
            }
        }
        if area.height < 3 && !notices.is_empty() {
            lines.clear();
        }
        lines.extend(notices.iter().cloned());
        let shown = usize::from(area.height.saturating_sub(1));
        if lines.len() > shown && shown > 0 {
            let more = lines.len() - shown;
            lines.truncate(shown);
            if let Some(last) = lines.last_mut() {
                last.0 = format!("{} ({more} more lines)", last.0);
            }
        }
        for ((text, role), y) in lines.iter().zip(area.y + 1..area.bottom()) {
            canvas.put(area.x + 1, y, area.width.saturating_sub(1), text, *role);
        }
    }

    fn group_cells<'a>(
        &self,
        group: &'a PlanGroup,
        out: &BTreeSet<u32>,
        plain: bool,
    ) -> Vec<table::Cell<'a>> {
        let is_folded = self.folded.contains(&group.customer.id);
        let mut money = Money::default();
        let acting = group.rows.iter().filter(|entry| entry.action.acts() && !out.contains(&entry.row));
        let mut changes = 0_u64;
        for entry in acting {
            money.add(entry);
            changes += 1;
        }
        let held = group.rows.iter().filter(|entry| entry.action == plan::Action::Held).count();
        let (mut does, mut waits) = (String::new(), String::new());
        if is_folded {
            does = match changes {
                0 if held == 0 => "nothing".into(),
                0 => String::new(),
                1 => "1 change".into(),
                changes => format!("{changes} changes"),
            };
            if held > 0 {
                waits = format!("{held} held");
            }
        }
        let sign = match (plain, is_folded) {
            (true, true) => "customer, folded",
            (true, false) => "customer",
            (false, true) => ">",
            (false, false) => "v",
        };
        let sum = money.short();
        let role_of_sum = if sum.starts_with('-') { Role::MoneyDown } else { Role::MoneyUp };
        vec![
            cell(sign, Role::Dim),
            cell(&*group.customer.name, Role::Strong),
            cell("", Role::Text),
            cell(does, Role::Dim),
            cell(waits, Role::Held),
            cell(sum, role_of_sum),
        ]
    }

    fn details(&self, canvas: &mut Canvas<'_>, area: Rect) {
        if area.height < 2 {
            return;
        }
        let Some((group, entry)) = self.here() else { return };
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let Some(entry) = entry else {
            // What goes the other way lies under Halo's customer.
            let of = group.rows.first().map(|row| row.entity).filter(|entity| entity.goes_back());
            let of = of.unwrap_or(self.integration.root());
            canvas.rule(
                Rect { height: 1, ..area },
                &format!(
                    "{} ({} {})",
                    group.customer.name,
                    self.integration.source(of).label(),
                    group.customer.id
                ),
            );
            let sum = self.sum(Some(&group.customer.id));
            let mut facts = vec![("rows", totals_words(&sum.totals), Role::Text)];
            if sum.left_out > 0 {
                facts.push(("left out", thousands(sum.left_out), Role::Strong));
            }
            if self.has_money() {
                facts.push(("a month", sum.money.long(), Role::Text));
            }
            facts.push(("Enter", "folds or unfolds; t applies this customer first".into(), Role::Dim));
            table::facts(canvas, body, &facts);
            return;
        };
        canvas.rule(Rect { height: 1, ..area }, "why");
        if let Some(change) = self.rows.get(&entry.row) {
            canvas.rule(Rect { height: 1, ..area }, &change::title(change));
            change::draw(canvas, body, change, self.scroll);
        }
    }
}

fn skipped_cells(count: usize, plain: bool) -> Vec<table::Cell<'static>> {
    let (sign, name) = if plain { ("skipped", "rows") } else { (".", "  skipped rows") };
    vec![
        cell(sign, Role::Same),
        cell(name, Role::Dim),
        cell("", Role::Dim),
        cell(thousands(count as u64), Role::Dim),
        cell("skipped", Role::Dim),
        cell("", Role::Dim),
    ]
}

fn row_cells<'a>(entry: &PlanEntry, change: &'a Change, is_out: bool, plain: bool) -> Vec<table::Cell<'a>> {
    let role = if is_out { Role::Dim } else { change::role(change.action) };
    let sign = match (plain, is_out) {
        (true, false) => word(change.action).to_owned(),
        (true, true) => "left out".into(),
        (false, true) => "x".into(),
        (false, false) => change.action.sign().to_string(),
    };
    let name = match change.entity {
        Entity::Customers | Entity::Companies => format!("the {} itself", change.entity.singular()),
        Entity::AssetTypes | Entity::AssetFields => {
            format!("{} {}", change.entity.singular(), change.source.name)
        }
        Entity::PushFlags => format!("{} of {}", change.entity.singular(), change.source.name),
        _ => change.source.name.to_string(),
    };
    let name = if plain { name } else { format!("  {name}") };
    let (field, before, after) = match best(change) {
        Some(best) => {
            let more = candidates(change).len().saturating_sub(1);
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            ("who?".to_owned(), format!("{}{more}", best.name), "decide".to_owned())
        }
        None => change::headline(change),
    };
    let money = match (entry.money, change.entity) {
        (Some(money), _) if money.is_zero() => String::new(),
        (Some(money), _) => change::signed(money),
        (None, Entity::Subscriptions) if change.action.acts() => "n/a".into(),
        (None, _) => String::new(),
    };
    let money_role = match entry.money {
        _ if is_out => Role::Dim,
        Some(money) if money.is_sign_negative() => Role::MoneyDown,
        _ => Role::MoneyUp,
    };
    let text = if is_out { Role::Dim } else { Role::Text };
    let strong = if is_out || !change.action.acts() { text } else { Role::Strong };
    vec![
        cell(sign, role),
        cell(name, text),
        cell(field, Role::Dim),
        cell(before, Role::Dim),
        cell(after, strong),
        cell(money, money_role),
    ]
}
