//! What would be applied: rows, writes and money after what is left out, and the question before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Line, PlanScreen, word};
use crate::host::words::{Choices, Command, PlanEntry};
use crate::model::{Currency, Entity, SourceId};
use crate::plan::{self, Plan, Totals};
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::dialogs::limit::Limit;
use crate::ui::fit::thousands;
use crate::ui::message::Effect;
use crate::ui::screens::change;
use crate::ui::turn::{Step, Turn};

impl PlanScreen {
    /// Rows that are left out, with those that need one of them first (decision 29).
    pub(super) fn out(&self) -> BTreeSet<u32> {
        if self.left_out.is_empty() {
            return BTreeSet::new();
        }
        let entries = || self.all.iter().flat_map(|group| &group.rows);
        let mut out: BTreeSet<u32> =
            entries().filter(|entry| self.is_left_out(entry)).map(|entry| entry.row).collect();
        let more: Vec<u32> =
            entries().filter(|e| e.after_row.is_some_and(|row| out.contains(&row))).map(|e| e.row).collect();
        out.extend(more);
        out
    }

    pub(super) fn sum(&self, only: Option<&SourceId>) -> Sum {
        let out = self.out();
        let mut sum = Sum::default();
        for group in self.all.iter().filter(|group| only.is_none_or(|only| group.customer.id == *only)) {
            let before = sum.totals.acting();
            for entry in &group.rows {
                if out.contains(&entry.row) {
                    sum.left_out += u64::from(entry.action.acts());
                    continue;
                }
                sum.totals.count(entry.action);
                if entry.action.acts() {
                    sum.money.add(entry);
                }
                sum.beyond += u64::from(entry.beyond_limit.is_some());
            }
            sum.customers += u64::from(sum.totals.acting() > before);
        }
        if let Some(plan) = self.plan.as_ref().filter(|_| only.is_none()) {
            sum.totals.unchanged = plan.outline.totals.unchanged;
        }
        sum
    }

    /// Leaves out what is marked or under the cursor, or takes it in again. On a customer: all its rows.
    pub(super) fn leave_out(&mut self, turn: &mut Turn<'_>) {
        let mut chosen: Vec<(Entity, SourceId)> = Vec::new();
        for line in self.list.chosen() {
            match line {
                Line::Row(entity, id) => chosen.push((entity, id)),
                Line::Skipped(_) => {}
                Line::Customer(id) => chosen.extend(
                    self.shown
                        .iter()
                        .filter(|group| group.customer.id == id)
                        .flat_map(|group| group.rows.iter().map(|row| (row.entity, row.source.clone()))),
                ),
            }
        }
        let acts: BTreeMap<(Entity, &SourceId), &PlanEntry> = self
            .all
            .iter()
            .flat_map(|group| &group.rows)
            .map(|row| ((row.entity, &row.source), row))
            .collect();
        chosen.retain(|(entity, id)| {
            acts.get(&(*entity, id)).is_some_and(|row| row.action.acts() || row.beyond_limit.is_some())
        });
        if chosen.is_empty() {
            return turn.say("Nothing would happen to this anyway.");
        }
        let all_out = chosen.iter().all(|key| self.left_out.contains(key));
        let count = chosen.len();
        if all_out {
            for key in &chosen {
                self.left_out.remove(key);
            }
        } else {
            self.left_out.extend(chosen);
        }
        let was_marked = !self.list.marks().is_empty();
        self.list.clear_marks();
        let rows = if count == 1 { "Row".to_owned() } else { format!("{count} rows") };
        let what = if all_out { "taken in again." } else { "left out of this apply; x takes in again." };
        turn.say(format!("{rows} {what}"));
        if !was_marked {
            self.list.move_by(1);
        }
    }

    /// Asks before anything is written (U26-U28).
    pub(super) fn ask_apply(&mut self, only: Option<&SourceId>, turn: &mut Turn<'_>) {
        let Some(plan) = self.plan.clone() else { return };
        if turn.now.moment > plan.expires_at {
            return turn.say("This plan is too old to be applied; r builds it again.");
        }
        let sum = self.sum(only);
        if sum.totals.acting() + sum.beyond == 0 {
            return turn.say("Nothing to apply: no row of this customer would be written.");
        }
        let overview = turn.mirror.overview.as_ref();
        let kind = match overview.map(|overview| overview.kind) {
            Some(crate::model::settings::Kind::Sandbox) => "SANDBOX",
            _ => "PRODUCTION",
        };
        let profile = overview.map(|overview| overview.profile.clone()).unwrap_or_default();
        let asks = plan.outline.limits.iter().filter(|limit| limit.tripped && !limit.binds_people);
        let beyond_word = if sum.beyond > 0 { " Beyond a limit" } else { "" };
        let title = format!("Apply {} to {kind} {profile}?{beyond_word}", plan.id);
        let lines =
            apply_lines(&sum, self.has_money(), self.scheduled, asks.map(|limit| limit.sentence.as_str()));
        let leave_out: BTreeSet<u32> =
            self.all.iter().flat_map(|g| &g.rows).filter(|e| self.is_left_out(e)).map(|e| e.row).collect();
        let apply = |only: Option<&SourceId>, removals_typed| {
            let choices = Choices {
                leave_out: leave_out.clone(),
                only_customer: only.cloned(),
                urgent: false,
                removals_typed,
            };
            vec![Step::Do(Effect::Send(Command::Apply { plan: plan.id, choices }))]
        };
        if only.is_none() && sum.beyond > 0 {
            let mut confirm = Confirm::new(title, lines, "not now");
            if sum.totals.acting() > 0 {
                let rest = format!("apply the other {}; the {} are held", sum.totals.acting(), sum.beyond);
                confirm = confirm.choice('y', rest, apply(None, None));
            }
            let beyond = format!("To remove the {} as well", thousands(sum.beyond));
            return turn.dialog(Limit::new(confirm, beyond, sum.beyond, apply(None, Some(sum.beyond))));
        }
        let here = self.here().map(|(group, _)| group.customer.clone());
        let one = here.filter(|here| {
            only.is_none() && sum.customers > 1 && self.sum(Some(&here.id)).totals.acting() > 0
        });
        let mut dialog = Confirm::new(title, lines, "not now");
        let what = match (only, self.here()) {
            (Some(_), Some((group, _))) => format!("apply to {} only", group.customer.name),
            _ => "apply".into(),
        };
        dialog = dialog.choice('y', what, apply(only, None));
        if let Some(one) = one {
            dialog = dialog.choice('t', format!("only {} first", one.name), apply(Some(&one.id), None));
        }
        turn.dialog(dialog);
    }
}

/// Rows and money of what would be applied.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) totals: Totals,
    pub(super) customers: u64,
    pub(super) left_out: u64,
    /// Held by a limit that a typed number overrides.
    pub(super) beyond: u64,
    pub(super) money: Money,
}

/// Change of money a month by currency; never added together (N1).
#[derive(Debug, Default)]
pub(super) struct Money {
    pub(super) by: BTreeMap<Option<Currency>, Decimal>,
    /// Subscriptions whose price is not known.
    pub(super) unknown: u64,
}

impl Money {
    pub(super) fn add(&mut self, entry: &PlanEntry) {
        match entry.money {
            Some(money) => *self.by.entry(entry.currency).or_default() += money,
            None if entry.entity == Entity::Subscriptions && entry.action.acts() => self.unknown += 1,
            None => {}
        }
    }

    fn parts(&self) -> Vec<String> {
        self.by
            .iter()
            .filter(|(_, sum)| !sum.is_zero())
            .map(|(currency, sum)| {
                let code = currency.map(|currency| format!(" {currency}")).unwrap_or_default();
                format!("{}{code}", change::signed(*sum))
            })
            .collect()
    }

    /// For a column: one currency as a number, several as that.
    pub(super) fn short(&self) -> String {
        let mut sums = self.by.values().filter(|sum| !sum.is_zero());
        match (sums.next(), sums.next()) {
            (None, _) if self.unknown > 0 => "n/a".into(),
            (None, _) => String::new(),
            (Some(sum), None) => change::signed(*sum),
            (Some(_), Some(_)) => "several".into(),
        }
    }

    pub(super) fn long(&self) -> String {
        let mut parts = self.parts();
        if parts.is_empty() {
            parts.push("no change".into());
        }
        if self.unknown > 0 {
            parts.push(format!("{} without a price", self.unknown));
        }
        parts.join(", ")
    }
}

pub(super) fn money_line(plan: &Plan, less: &Money) -> String {
    let mut parts: Vec<String> = Vec::new();
    for delta in &plan.outline.money {
        let after = delta.after - less.by.get(&delta.currency).copied().unwrap_or_default();
        let code = delta.currency.map(|currency| format!(" {currency}")).unwrap_or_default();
        parts.push(format!(
            "{} -> {}{code} ({})",
            change::money(delta.before),
            change::money(after),
            change::signed(after - delta.before)
        ));
    }
    if parts.is_empty() {
        parts.push("no change".into());
    }
    if plan.outline.rows_without_price > 0 {
        parts.push(format!("{} rows without a price", thousands(plan.outline.rows_without_price)));
    }
    format!("money a month  {}", parts.join("   "))
}

fn apply_lines<'a>(
    sum: &Sum,
    has_money: bool,
    scheduled: bool,
    limits: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let mut acting = sum.totals;
    (acting.held, acting.skipped, acting.unchanged) = (0, 0, 0);
    let way = if scheduled { "as a scheduled job would" } else { "by hand" };
    let plural =
        |count: u64, word: &str| format!("{} {word}{}", thousands(count), if count == 1 { "" } else { "s" });
    let mut lines = vec![
        format!("{} for {}, {way}:", plural(acting.acting(), "write"), plural(sum.customers, "customer")),
        totals_words(&acting),
    ];
    if has_money {
        lines.push(format!("money a month: {}", sum.money.long()));
    }
    lines.extend(limits.map(str::to_owned));
    let mut alone: Vec<String> = Vec::new();
    for (count, word) in
        [(sum.totals.held, "held"), (sum.totals.skipped, "skipped"), (sum.left_out, "left out by you")]
    {
        if count > 0 {
            alone.push(format!("{} {word}", thousands(count)));
        }
    }
    if !alone.is_empty() {
        lines.push(format!("Left alone: {}.", alone.join(", ")));
    }
    if !scheduled && acting.zero + acting.deactivate == 0 {
        lines.push("Nothing is removed: only a plan as scheduled does that.".into());
    }
    lines
}

pub(super) fn totals_words(totals: &Totals) -> String {
    let words: Vec<_> = plan::Action::ALL
        .into_iter()
        .filter(|action| totals.get(*action) > 0)
        .map(|action| format!("{} {}", word(action), thousands(totals.get(action))))
        .collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}
