//! Rows whose values jump (N8): they wait in a scheduled run, one by one, and the rest goes through. A plan by hand
//! only says so: whoever applies it has seen the row.

use rust_decimal::Decimal;

use super::{Action, Cause, Change, Policy, Row, Rows};
use crate::matching::exact_form;
use crate::model::settings::Safety;
use crate::model::{Date, FieldName, Value};

/// Changes of a count up to this are no jump, whatever the factor.
const FEW: u32 = 10;

/// Holds the suspicious rows of a scheduled plan, or marks those of one by hand.
pub(super) fn apply(rows: &mut Rows, policy: &Policy) {
    let trusted: Vec<String> = policy.safety.trusted_products.iter().map(|name| folded(name)).collect();
    let update = |row: &Row| row.action == Action::Update && row.entity.is_billed();
    let jumps = rows.iter().enumerate().filter(|(_, row)| update(row)).filter_map(|(at, row)| {
        let change = rows.open(row);
        let why = suspicion(&change, &policy.safety, policy.today)?;
        (!trusted.contains(&folded(&change.source.name))).then_some((at, why))
    });
    let jumps: Vec<(usize, String)> = jumps.collect();
    for (at, why) in jumps {
        rows.edit(at, |change| judge(change, policy, &why));
    }
}

fn judge(change: &mut Change, policy: &Policy, why: &str) {
    if !policy.scheduled {
        return change.say_first(&format!("suspicious: {why}: check it before you apply (N8)"));
    }
    let key = (change.entity, change.source.id.clone());
    let said = format!(
        "suspicious: {why}; a plan by hand applies it, safety.trusted_products lets its product jump (N8)"
    );
    // Another jump than the one that was looked at waits again.
    if policy.released.get(&key).is_some_and(|seen| *seen == said) {
        change.say_first(&format!("suspicious: {why}: a person lets it through (N8)"));
    } else {
        change.hold(Cause::Suspicious, &said);
    }
}

/// What is suspicious about an update.
fn suspicion(change: &Change, safety: &Safety, today: Date) -> Option<String> {
    let goes_inactive = change.fields.iter().any(|field| field.after == Some(Value::Active(false)));
    change.fields.iter().find_map(|field| match (field.before.as_ref(), field.after.as_ref()) {
        (Some(Value::Count(before)), Some(Value::Count(after))) => {
            count(before.get(), after.get(), safety).map(|why| format!("{} {why}", field.name))
        }
        (Some(Value::Amount(before)), Some(Value::Amount(after))) => {
            price(before.get(), after.get(), safety).map(|why| format!("{} {why}", field.name))
        }
        (before, Some(Value::Date(after)))
            if field.name == FieldName::EndDate && *after < today && !goes_inactive =>
        {
            let was_over = matches!(before, Some(Value::Date(before)) if *before < today);
            (!was_over).then(|| format!("its end date becomes {after}, which is over, and it stays active"))
        }
        _ => None,
    })
}

/// A count that starts from 0 or is reported as 0 is no jump: the record came back, or ends.
fn count(before: u32, after: u32, safety: &Safety) -> Option<String> {
    let by = before.abs_diff(after);
    if safety.suspicious_seats > 0 && by > safety.suspicious_seats {
        return Some(format!("{before} -> {after}, by more than {}", safety.suspicious_seats));
    }
    let (small, large) = (before.min(after), before.max(after));
    let factor = u64::from(safety.suspicious_factor);
    (factor > 0 && small > 0 && by > FEW && u64::from(large) > u64::from(small) * factor)
        .then(|| format!("{before} -> {after}, more than {factor} times"))
}

fn price(before: Decimal, after: Decimal, safety: &Safety) -> Option<String> {
    if before <= Decimal::ZERO || before == after {
        return None;
    }
    if after.is_zero() {
        return Some(format!("{before} -> 0"));
    }
    let most = Decimal::try_from(safety.suspicious_price_percent).ok().filter(|most| !most.is_zero())?;
    let percent = (after - before).abs().checked_mul(Decimal::ONE_HUNDRED)?.checked_div(before)?;
    (percent > most).then(|| format!("{before} -> {after}, more than {most} %"))
}

fn folded(name: &str) -> String {
    exact_form(name).to_lowercase()
}
