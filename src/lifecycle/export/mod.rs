//! A report as a file. Every form is made from the same [`Report`], so they cannot disagree.

mod charts;
mod csv;
mod html;
mod json;
mod markdown;
mod text;
mod xlsx;

use std::str::FromStr;

use super::column::Headed;
use super::report::Report;

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    Text,
    Json,
    Csv,
    Markdown,
    Xlsx,
    Html,
}

impl Format {
    pub const ALL: [Self; 6] = [Self::Text, Self::Json, Self::Csv, Self::Markdown, Self::Xlsx, Self::Html];

    /// Its name, and the ending of its files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "md",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
        }
    }

    pub const fn ending(self) -> &'static str {
        match self {
            Self::Text => "txt",
            _ => self.key(),
        }
    }

    /// Whether it can be printed to a terminal.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx)
    }
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.key() == text || format.ending() == text).ok_or_else(
            || {
                let known: Vec<_> = Self::ALL.iter().map(|format| format.key()).collect();
                format!("'{text}' is not a form of a report; known are {}", known.join(", "))
            },
        )
    }
}

/// A report in a form. `csv` are the columns of the CSV and the spreadsheet, as the settings have them.
///
/// # Errors
/// A sentence, where the spreadsheet cannot be made.
pub fn export(report: &Report, format: Format, csv: &[Headed]) -> Result<Vec<u8>, String> {
    Ok(match format {
        Format::Text => text::text(report).into_bytes(),
        Format::Json => json::json(report),
        Format::Csv => csv::csv(report, csv)?,
        Format::Markdown => markdown::markdown(report).into_bytes(),
        Format::Xlsx => xlsx::xlsx(report, csv)?,
        Format::Html => html::html(report).into_bytes(),
    })
}

pub use json::document;

/// An amount with its currency, rounded to what the currency has: `1,234.50 GBP`.
pub fn money(amount: rust_decimal::Decimal, report: &Report) -> String {
    let text = grouped(amount);
    match report.currency {
        Some(currency) => format!("{text} {currency}"),
        None => text,
    }
}

/// Two decimals, thousands apart.
pub fn grouped(amount: rust_decimal::Decimal) -> String {
    let mut rounded = amount.round_dp(2);
    rounded.rescale(2);
    let text = rounded.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{cents}")
}

/// `draft` or `completed on 2026-11-21`.
fn state_words(report: &Report) -> String {
    report.head.completed.map_or_else(
        || "draft".into(),
        |at| format!("completed on {}", at.to_zoned(jiff::tz::TimeZone::UTC).date()),
    )
}
