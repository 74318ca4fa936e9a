//! How old a configuration is and how long its warranty lasts; dates that cannot be true are put aside (S19d).

use serde::{Deserialize, Serialize};

use super::configuration::{Configuration, DateField, Dates};
use crate::model::Date;

/// Before this day nothing in use was bought.
const FIRST: Date = jiff::civil::date(1990, 1, 1);
/// No warranty runs longer.
const LONGEST_WARRANTY_YEARS: i16 = 30;

/// Age in whole months, with the date it was counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Age {
    Known { months: u32, from: Date, by: DateField },
    Unknown,
}

impl Age {
    pub const fn months(self) -> Option<u32> {
        match self {
            Self::Known { months, .. } => Some(months),
            Self::Unknown => None,
        }
    }

    /// Where the life of the thing begins.
    pub const fn from(self) -> Option<Date> {
        match self {
            Self::Known { from, .. } => Some(from),
            Self::Unknown => None,
        }
    }

    pub const fn bucket(self) -> AgeBucket {
        match self.months() {
            None => AgeBucket::Unknown,
            Some(0..12) => AgeBucket::Under1,
            Some(12..24) => AgeBucket::Under2,
            Some(24..36) => AgeBucket::Under3,
            Some(36..48) => AgeBucket::Under4,
            Some(48..60) => AgeBucket::Under5,
            Some(_) => AgeBucket::Older,
        }
    }
}

/// A warranty, by the months it has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warranty {
    /// Whole months left; 0 in its last month.
    Left {
        months: u32,
        until: Date,
    },
    Over {
        since: Date,
    },
    Unknown,
    /// A virtual machine has none.
    NotApplicable,
}

impl Warranty {
    pub const fn bucket(self) -> WarrantyBucket {
        match self {
            Self::Over { .. } => WarrantyBucket::Over,
            Self::Left { months: 0..6, .. } => WarrantyBucket::Under6Months,
            Self::Left { months: 6..12, .. } => WarrantyBucket::Under1Year,
            Self::Left { months: 12..24, .. } => WarrantyBucket::Under2Years,
            Self::Left { .. } => WarrantyBucket::Longer,
            Self::Unknown => WarrantyBucket::Unknown,
            Self::NotApplicable => WarrantyBucket::None,
        }
    }
}

macro_rules! buckets {
    ($(#[$doc:meta])* $name:ident: $($variant:ident = $key:literal, $label:literal;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key),+ }
            }
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }
        }
    };
}

buckets! {
    /// The bars of the age distribution. Unknown is a bar of its own, never 0.
    AgeBucket:
    Under1 = "under_1", "under 1 year";
    Under2 = "under_2", "1 to 2 years";
    Under3 = "under_3", "2 to 3 years";
    Under4 = "under_4", "3 to 4 years";
    Under5 = "under_5", "4 to 5 years";
    Older = "older", "5 years and over";
    Unknown = "unknown", "unknown";
}

buckets! {
    /// The bars of the warranty distribution.
    WarrantyBucket:
    Over = "over", "over";
    Under6Months = "under_6_months", "under 6 months";
    Under1Year = "under_1_year", "6 to 12 months";
    Under2Years = "under_2_years", "1 to 2 years";
    Longer = "longer", "2 years and over";
    Unknown = "unknown", "unknown";
    None = "none", "not needed";
}

/// Why a date is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum DateFault {
    /// Bought or installed after today.
    Future { field: DateField, date: Date },
    /// Before 1990, or a warranty of more than thirty years.
    Absurd { field: DateField, date: Date },
    /// A text that is no date.
    Unreadable { field: DateField, text: String },
    /// The warranty ends on or before the day it starts.
    Order { start: Date, end: Date },
}

impl DateFault {
    /// The one field it is about.
    pub const fn field(&self) -> Option<DateField> {
        match self {
            Self::Future { field, .. } | Self::Absurd { field, .. } | Self::Unreadable { field, .. } => {
                Some(*field)
            }
            Self::Order { .. } => None,
        }
    }
}

impl std::fmt::Display for DateFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Future { field, date } => {
                write!(f, "the {} {date} is in the future", field.label())
            }
            Self::Absurd { field, date } => {
                let why = if *date < FIRST { "before 1990" } else { "more than thirty years from now" };
                write!(f, "the {} {date} cannot be true: it is {why}", field.label())
            }
            Self::Unreadable { field, text } => {
                write!(f, "the {} '{}' is not a date", field.label(), crate::model::text::shown(text))
            }
            Self::Order { start, end } => {
                write!(f, "the warranty ends on {end} and starts on {start}; one of the two is wrong")
            }
        }
    }
}

/// The dates that may be used, and those in quarantine with the reason. Nothing in quarantine is ever counted with.
pub fn sift(mut dates: Dates, today: Date) -> (Dates, Vec<DateFault>) {
    let mut faults = Vec::new();
    for field in DateField::ALL {
        let Some(date) = dates.get(field) else { continue };
        let can_lie_ahead = matches!(field, DateField::ExpirationDate | DateField::WarrantyStart);
        let too_far = date.year() > today.year() + LONGEST_WARRANTY_YEARS;
        let fault = if date < FIRST || can_lie_ahead && too_far {
            DateFault::Absurd { field, date }
        } else if !can_lie_ahead && date > today {
            DateFault::Future { field, date }
        } else {
            continue;
        };
        faults.push(fault);
        dates.set(field, None);
    }
    if let (Some(start), Some(end)) = (dates.warranty_start, dates.expiration)
        && start >= end
    {
        faults.push(DateFault::Order { start, end });
        dates.set(DateField::WarrantyStart, None);
        dates.set(DateField::ExpirationDate, None);
    }
    (dates, faults)
}

/// Every fault of a configuration's own dates, and what is left to use.
pub fn sift_configuration(
    configuration: &Configuration,
    dates: Dates,
    today: Date,
) -> (Dates, Vec<DateFault>) {
    let (dates, mut faults) = sift(dates, today);
    for (field, text) in &configuration.unreadable {
        if dates.get(*field).is_none() {
            faults.push(DateFault::Unreadable { field: *field, text: text.clone() });
        }
    }
    (dates, faults)
}

/// Today minus the purchase date, else the install date, else unknown. A purchase date in quarantine makes the age
/// unknown: the install date of a thing whose purchase is doubtful proves nothing (S19d).
pub fn age(dates: &Dates, faults: &[DateFault], today: Date) -> Age {
    let doubtful = faults.iter().any(|fault| fault.field() == Some(DateField::PurchaseDate));
    let known = |from: Date, by| Age::Known { months: months_between(from, today), from, by };
    match (dates.purchase, dates.install) {
        (Some(purchase), _) => known(purchase, DateField::PurchaseDate),
        (None, Some(install)) if !doubtful => known(install, DateField::InstallDate),
        _ => Age::Unknown,
    }
}

pub fn warranty(expiration: Option<Date>, today: Date) -> Warranty {
    match expiration {
        None => Warranty::Unknown,
        Some(since) if since < today => Warranty::Over { since },
        Some(until) => Warranty::Left { months: months_between(today, until), until },
    }
}

/// Whole months from one day to a later one.
pub fn months_between(from: Date, to: Date) -> u32 {
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month())
        - i32::from(from.month())
        - i32::from(to.day() < from.day() && to.day() != to.days_in_month());
    u32::try_from(months).unwrap_or(0)
}
