//! Classes of a configuration type with what replacing one costs (S24, S25), and the policies of a type (P70).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::rule::{Facts, Test, Tests};
use crate::model::{Amount, Currency};

/// A class of one configuration type, such as Basic, Premium or Engineering laptops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// The configuration type it belongs to.
    pub kind: String,
    pub name: String,
    #[serde(flatten)]
    pub budget: Budget,
    /// From purchase to replacement.
    pub life_months: u32,
    /// Puts configurations into this class by rule; empty: only by hand.
    #[serde(default)]
    pub rule: Tests,
}

/// What replacing one thing costs, in the workspace's one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub hardware: Amount,
    pub setup: Amount,
    pub onsite: Amount,
    /// A month, for as long as it lives; shown only where its columns are turned on (S28).
    #[serde(default)]
    pub recurring: Amount,
}

impl Budget {
    pub const NONE: Self =
        Self { hardware: Amount::ZERO, setup: Amount::ZERO, onsite: Amount::ZERO, recurring: Amount::ZERO };

    /// Hardware, set-up and onsite together.
    pub fn once(&self) -> Amount {
        let sum = self.hardware.get().saturating_add(self.setup.get());
        Amount::new(sum.saturating_add(self.onsite.get()))
    }
}

/// What holds for every configuration of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypePolicy {
    pub kind: String,
    /// Of what has no class.
    pub life_months: u32,
    /// Needs no dates: not in the distributions, the budget or the data-quality score.
    #[serde(default)]
    pub exempt: bool,
    /// A virtual machine: ages, but has no warranty and no hardware to buy.
    #[serde(default)]
    pub is_virtual: bool,
    /// So many months before its life or its warranty ends a configuration is in its warning period; 0: there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warning_months: u32,
    /// Holds for this company only, before the rule for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(months: &u32) -> bool {
    *months == 0
}

impl TypePolicy {
    /// What a new one begins as.
    pub fn of(kind: &str, company: Option<i64>) -> Self {
        Self {
            kind: kind.to_owned(),
            life_months: DEFAULT_LIFE,
            exempt: false,
            is_virtual: false,
            warning_months: 0,
            company,
        }
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// A sentence: a life or a warning period that is out of range.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=LONGEST_LIFE).contains(&self.life_months) {
            return Err(format!("the life of {} must be 1 to {LONGEST_LIFE} months", self.kind));
        }
        if self.warning_months > LONGEST_WARNING {
            return Err(format!("the warning period of {} must be 0 to {LONGEST_WARNING} months", self.kind));
        }
        Ok(())
    }
}

/// Months until what has neither class nor policy is replaced.
pub const DEFAULT_LIFE: u32 = 60;
const LONGEST_LIFE: u32 = 600;
const LONGEST_WARNING: u32 = 120;
/// The most that one amount of a budget may be: more is a slip, and sums must stay sums.
const MOST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// The policy for a type at a company.
pub fn policy_for<'a>(policies: &'a [TypePolicy], kind: &str, company: i64) -> Option<&'a TypePolicy> {
    let of = |whose: Option<i64>| policies.iter().find(move |p| p.company == whose && p.kind == kind);
    of(Some(company)).or_else(|| of(None))
}

/// The class of a configuration: the one given by hand, else the first of its type whose rule fits.
pub fn class_for<'a>(classes: &'a [Class], by_hand: Option<&str>, facts: &Facts<'_>) -> Option<&'a Class> {
    let mut own = classes.iter().filter(|class| class.kind == facts.configuration.kind);
    match by_hand {
        Some(name) => own.find(|class| class.name == name),
        None => own.find(|class| class.rule.hold(facts)),
    }
}

/// The classes with one in another place among those of its type, from 1; beyond the last is the last.
///
/// # Errors
/// A sentence: there is no such class.
pub fn moved(classes: &[Class], kind: &str, name: &str, position: u32) -> Result<Vec<Class>, String> {
    let mut own: Vec<Class> = classes.iter().filter(|class| class.kind == kind).cloned().collect();
    let at = own
        .iter()
        .position(|class| class.name == name)
        .ok_or_else(|| format!("there is no class '{name}' of {kind}"))?;
    let class = own.remove(at);
    own.insert((position.max(1) as usize - 1).min(own.len()), class);
    // Other types keep their places.
    let mut own = own.into_iter();
    Ok(classes
        .iter()
        .filter_map(|class| if class.kind == kind { own.next() } else { Some(class.clone()) })
        .collect())
}

/// Reads an amount as people type it: `1200`, `1200.50 GBP`.
///
/// # Errors
/// A sentence: no amount, below 0, or another currency than the workspace's (currencies are never added together).
pub fn parse_amount(text: &str, currency: Option<Currency>) -> Result<Amount, String> {
    let text = text.trim();
    let (number, code) = match text.rsplit_once(' ') {
        Some((number, code)) => (number.trim(), Some(code)),
        None => (text, None),
    };
    if let Some(code) = code {
        let code = Currency::new(code).ok_or_else(|| format!("'{text}' is not an amount such as 1200.00"))?;
        if let Some(own) = currency
            && code != own
        {
            return Err(format!(
                "'{text}' is in {code}, and this workspace budgets in {own}; two currencies are never added together"
            ));
        }
    }
    let amount = Amount::parse(&serde_json::Value::String(number.into()))
        .ok_or_else(|| format!("'{text}' is not an amount such as 1200.00"))?;
    match fault(amount) {
        Some(fault) => Err(format!("'{text}' is {fault}")),
        None => Ok(amount),
    }
}

fn fault(amount: Amount) -> Option<&'static str> {
    if amount.get().is_sign_negative() && !amount.get().is_zero() {
        Some("below 0")
    } else if amount.get() > MOST {
        Some("more than 1,000,000,000, the most that one may cost")
    } else if amount.get().scale() > 4 {
        Some("finer than any money: four decimals at most")
    } else {
        None
    }
}

/// The class before this one that takes everything its rule fits; `None`: its rule counts, or it has none.
pub fn shadowed_by<'a>(classes: &'a [Class], kind: &str, name: &str) -> Option<&'a Class> {
    let mut own = classes.iter().filter(|class| class.kind == kind);
    let before: Vec<&Class> = own.by_ref().take_while(|class| class.name != name).collect();
    let rule = &classes.iter().find(|class| class.kind == kind && class.name == name)?.rule;
    before.into_iter().find(|class| !rule.0.is_empty() && rule.imply(&class.rule))
}

/// Whether a list of classes can be used.
///
/// # Errors
/// A sentence that names the class.
pub fn check(classes: &[Class]) -> Result<(), String> {
    for (at, class) in classes.iter().enumerate() {
        if class.kind.trim().is_empty() || class.name.trim().is_empty() {
            return Err("a class needs a configuration type and a name".into());
        }
        if classes[..at].iter().any(|other| other.kind == class.kind && other.name == class.name) {
            return Err(format!("there are two classes '{}' of {}", class.name, class.kind));
        }
        if !(1..=LONGEST_LIFE).contains(&class.life_months) {
            return Err(format!("the life of '{}' must be 1 to {LONGEST_LIFE} months", class.name));
        }
        let Budget { hardware, setup, onsite, recurring } = class.budget;
        for (amount, what) in
            [(hardware, "hardware"), (setup, "set-up"), (onsite, "onsite"), (recurring, "recurring")]
        {
            if let Some(fault) = fault(amount) {
                return Err(format!("{what} of class '{}' of {} is {fault}", class.name, class.kind));
            }
        }
        if class.rule.0.contains(&Test::Warning) {
            return Err(format!(
                "the rule of class '{}' of {} asks for the warning period, which only a class gives; ask for an age",
                class.name, class.kind
            ));
        }
        if let Some((one, other)) = class.rule.contradiction() {
            return Err(format!(
                "the rule of class '{}' of {} can never fit: nothing has both {one} and {other}",
                class.name, class.kind
            ));
        }
    }
    Ok(())
}
