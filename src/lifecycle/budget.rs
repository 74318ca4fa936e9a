//! Which year a replacement falls into, and what a year costs (S25).

use std::fmt;
use std::ops::AddAssign;

use jiff::ToSpan as _;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::class::Budget;
use crate::model::Date;

/// A budget year, by the calendar year it begins in and its first month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FiscalYear {
    pub year: i16,
    /// 1 to 12.
    pub first_month: i8,
}

impl FiscalYear {
    pub fn of(date: Date, first_month: i8) -> Self {
        let first_month = first_month.clamp(1, 12);
        Self { year: date.year() - i16::from(date.month() < first_month), first_month }
    }

    /// Years from another one of the same company; negative: before it.
    pub const fn since(self, other: Self) -> i16 {
        self.year - other.year
    }

    pub const fn plus(self, years: i16) -> Self {
        Self { year: self.year + years, ..self }
    }
}

impl fmt::Display for FiscalYear {
    /// `2027`, or `2027/28` where it is no calendar year.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first_month == 1 {
            write!(f, "{}", self.year)
        } else {
            write!(f, "{}/{:02}", self.year, (self.year + 1).rem_euclid(100))
        }
    }
}

/// When something bought then is due: its life on. The last day of the month where the day is missing there.
pub fn replacement(from: Date, life_months: u32) -> Date {
    from.checked_add(i64::from(life_months).months()).unwrap_or(Date::MAX)
}

/// The year a replacement is budgeted in: its own, or the current one where it is overdue.
pub fn budget_year(due: Date, today: Date, first_month: i8) -> FiscalYear {
    FiscalYear::of(due.max(today), first_month)
}

/// What a year costs. One currency, so sums are exact; what no number can hold is the largest there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    pub count: u32,
    pub hardware: Decimal,
    pub setup: Decimal,
    pub onsite: Decimal,
}

impl Cost {
    pub fn of(budget: &Budget) -> Self {
        let Budget { hardware, setup, onsite, .. } = budget;
        Self { count: 1, hardware: hardware.get(), setup: setup.get(), onsite: onsite.get() }
    }

    pub fn total(&self) -> Decimal {
        self.hardware.saturating_add(self.setup).saturating_add(self.onsite)
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.hardware = self.hardware.saturating_add(other.hardware);
        self.setup = self.setup.saturating_add(other.setup);
        self.onsite = self.onsite.saturating_add(other.onsite);
    }
}
