//! A configuration: one asset as the workspace keeps it, and what people know of it beyond Halo.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Date, Moment, date::parse_vendor_date};

/// An asset as it was last read from Halo. Short names, because there are half a million of these in the index.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// Halo's asset id: the one key (section 8.7).
    #[serde(rename = "i")]
    pub id: i64,
    #[serde(rename = "n")]
    pub name: String,
    /// Halo's asset type.
    #[serde(rename = "k")]
    pub kind: String,
    /// Halo's asset status.
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    #[serde(rename = "sn", default, skip_serializing_if = "String::is_empty")]
    pub serial: String,
    #[serde(rename = "mf", default, skip_serializing_if = "String::is_empty")]
    pub manufacturer: String,
    #[serde(rename = "mo", default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Memory as Halo has it, such as `16` or `16 GB`.
    #[serde(rename = "r", default, skip_serializing_if = "String::is_empty")]
    pub ram: String,
    #[serde(rename = "o", default, skip_serializing_if = "String::is_empty")]
    pub os: String,
    #[serde(rename = "no", default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    #[serde(rename = "d", default, skip_serializing_if = "Dates::is_empty")]
    pub dates: Dates,
    /// Texts that stand where a date should, by the field they stand in.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreadable: BTreeMap<DateField, String>,
    /// Fields that are downloaded and not mapped, by Halo's name.
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// Came in earlier and is outside the chosen types and statuses now: shown, and out of every total (S19h).
    #[serde(rename = "z", default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_scope: bool,
}

/// The dates of a lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateField {
    PurchaseDate,
    InstallDate,
    WarrantyStart,
    ExpirationDate,
}

impl DateField {
    pub const ALL: [Self; 4] =
        [Self::PurchaseDate, Self::InstallDate, Self::WarrantyStart, Self::ExpirationDate];

    pub const fn key(self) -> &'static str {
        match self {
            Self::PurchaseDate => "purchase_date",
            Self::InstallDate => "install_date",
            Self::WarrantyStart => "warranty_start",
            Self::ExpirationDate => "expiration_date",
        }
    }

    /// In a sentence.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PurchaseDate => "purchase date",
            Self::InstallDate => "install date",
            Self::WarrantyStart => "warranty start",
            Self::ExpirationDate => "expiration date",
        }
    }
}

/// One record's dates, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dates {
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<Date>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Date>,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub warranty_start: Option<Date>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Date>,
}

impl Dates {
    pub const fn get(&self, field: DateField) -> Option<Date> {
        match field {
            DateField::PurchaseDate => self.purchase,
            DateField::InstallDate => self.install,
            DateField::WarrantyStart => self.warranty_start,
            DateField::ExpirationDate => self.expiration,
        }
    }

    pub const fn set(&mut self, field: DateField, date: Option<Date>) {
        match field {
            DateField::PurchaseDate => self.purchase = date,
            DateField::InstallDate => self.install = date,
            DateField::WarrantyStart => self.warranty_start = date,
            DateField::ExpirationDate => self.expiration = date,
        }
    }

    pub const fn is_empty(&self) -> bool {
        self.purchase.is_none()
            && self.install.is_none()
            && self.warranty_start.is_none()
            && self.expiration.is_none()
    }
}

impl Configuration {
    /// Takes a date as Halo spells it. What cannot be read is kept as text beside it and counts as no date.
    pub fn take_date(&mut self, field: DateField, text: &str) {
        match parse_date(text) {
            Ok(date) => self.dates.set(field, date),
            Err(_) => {
                self.unreadable.insert(field, text.trim().chars().take(40).collect());
            }
        }
    }

    /// Memory in MiB, where the text says so much: a bare number under 1024 is GB, above it MB.
    pub fn ram_mb(&self) -> Option<u64> {
        let text = self.ram.trim().to_ascii_lowercase();
        let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number: f64 = digits.parse().ok()?;
        let megabytes = match text[digits.len()..].trim() {
            "tb" | "tib" => number * 1024.0 * 1024.0,
            "gb" | "gib" | "g" => number * 1024.0,
            "kb" | "kib" => number / 1024.0,
            "" if number < 1024.0 => number * 1024.0,
            "" | "mb" | "mib" | "m" => number,
            _ => return None,
        };
        (1.0..1e9).contains(&megabytes).then_some(megabytes as u64)
    }
}

/// Whether `03/04/2027` is in April or in March.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    #[default]
    DayFirst,
    MonthFirst,
}

/// A date as vendors and people write it: as [`parse_vendor_date`], `20270228`, `2027/02/28`, with the day first
/// (`28/02/2027`, `28.02.2027`, `28-02-2027`) and with the month in letters (`28-Feb-2027`, `Feb 28, 2027`). The month
/// comes first only where a day cannot.
///
/// # Errors
/// A sentence for a text that is no date. Years of two digits and the day numbers of spreadsheets are none.
pub fn parse_date(text: &str) -> Result<Option<Date>, String> {
    parse_date_in(text, DateOrder::DayFirst)
}

/// The two numbers before the year, where a text begins with them: whether `a` or `b` is the day is a matter of order.
pub fn day_and_month(text: &str) -> Option<(i8, i8)> {
    match pieces(text)[..] {
        [first, second, year] if year.len() == 4 => Some((first.parse().ok()?, second.parse().ok()?)),
        _ => None,
    }
}

fn pieces(text: &str) -> Vec<&str> {
    text.trim().split(['/', '.', '-', ' ', ',']).filter(|piece| !piece.is_empty()).collect()
}

/// The same, with what is known of the order of day and month.
///
/// # Errors
/// As [`parse_date`].
pub fn parse_date_in(text: &str, order: DateOrder) -> Result<Option<Date>, String> {
    let text = text.trim();
    let wrong = || format!("'{}' is not a date such as 2027-12-31", crate::model::text::shown(text));
    let number = |text: &str| text.parse::<i8>().ok();
    let parts = pieces(text);
    let numbers: Option<(i16, i8, i8)> = match parts[..] {
        // 28/02/2027, 28-Feb-2027, Feb 28, 2027
        [first, second, year] if year.len() == 4 => match (number(first), number(second)) {
            (Some(first), Some(second)) => {
                let month_first = second > 12 || (order == DateOrder::MonthFirst && first <= 12);
                let (day, month) = if month_first { (second, first) } else { (first, second) };
                year.parse().ok().map(|year| (year, month, day))
            }
            (Some(day), None) => {
                month_named(second).zip(year.parse().ok()).map(|(month, year)| (year, month, day))
            }
            (None, Some(day)) => {
                month_named(first).zip(year.parse().ok()).map(|(month, year)| (year, month, day))
            }
            (None, None) => None,
        },
        // 2027/02/28
        [year, month, day] if year.len() == 4 && text.contains('/') => year
            .parse()
            .ok()
            .zip(number(month))
            .zip(number(day))
            .map(|((year, month), day)| (year, month, day)),
        // 20270228
        [digits] if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let part = |range: std::ops::Range<usize>| digits.get(range);
            part(0..4)
                .and_then(|year| year.parse().ok())
                .zip(part(4..6).and_then(number))
                .zip(part(6..8).and_then(number))
                .map(|((year, month), day)| (year, month, day))
        }
        _ => return parse_vendor_date(text).map_err(|_| wrong()),
    };
    let (year, month, day) = numbers.ok_or_else(wrong)?;
    let date = Date::new(year, month, day).map_err(|_| wrong())?;
    Ok((date.year() >= 1902).then_some(date))
}

fn month_named(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let word = text.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| word.len() >= 3 && word.starts_with(month))?;
    i8::try_from(at + 1).ok()
}

/// What people know of one asset beyond Halo: kept in the trail, and never touched by an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Local {
    /// Dates that were not read from Halo, with where they come from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<DateField, LocalDate>,
    /// The class given by hand; it goes before every rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The template configuration given by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Kept, and left out of the budget.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_budget: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Local {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A date with its source and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalDate {
    pub date: Date,
    pub source: DateSource,
    /// The source only estimates it, as for Apple: written back only where a person ticked that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    pub at: Moment,
}

/// Where a date that is not Halo's comes from, best first (section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateSource {
    /// A file of a manufacturer or distributor.
    Csv,
    /// Typed by a person.
    Manual,
}

impl DateSource {
    pub const fn key(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Manual => "manual",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn memory_is_read_in_the_units_people_write() {
        for (text, mb) in [
            ("16", Some(16384)),
            ("16 GB", Some(16384)),
            ("8192", Some(8192)),
            ("8192 MB", Some(8192)),
            ("1.5 TB", Some(1_572_864)),
            ("lots", None),
            ("", None),
            ("16 bananas", None),
            ("0", None),
        ] {
            assert_eq!(Configuration { ram: text.into(), ..Default::default() }.ram_mb(), mb, "{text}");
        }
    }

    #[test]
    fn dates_are_read_with_the_day_first_where_people_write_them() {
        assert_eq!(parse_date("28/02/2027"), Ok(Some(date(2027, 2, 28))));
        assert_eq!(parse_date("28.2.2027"), Ok(Some(date(2027, 2, 28))));
        assert_eq!(parse_date("02/28/2027"), Ok(Some(date(2027, 2, 28))));
        assert_eq!(parse_date("2027-02-28T23:30:00-11:00"), Ok(Some(date(2027, 2, 28))));
        assert_eq!(parse_date("1899-12-30T00:00:00"), Ok(None));
        assert!(parse_date("31/02/2027").is_err() && parse_date("Feb-2027").is_err());
    }
}
