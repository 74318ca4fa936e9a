//! Strict counts: what is billed is never guessed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of seats or licences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Count(u32);

/// Why a value is not a count. Such a value is held and shown, never rounded, cut or read as zero.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotACount {
    #[error("the quantity is blank")]
    Blank,
    #[error("the quantity '{0}' is not a number")]
    NotANumber(String),
    #[error("the quantity {0} is not a whole number")]
    Fraction(String),
    #[error("the quantity {0} is negative")]
    Negative(String),
    #[error("the quantity {0} is beyond 10,000,000, which no licence reaches")]
    TooLarge(String),
}

impl Count {
    pub const ZERO: Self = Self(0);
    /// The largest count that is written (sync-engine section 9).
    pub const MAX: u32 = 10_000_000;

    pub fn new(number: u32) -> Result<Self, NotACount> {
        if number > Self::MAX { Err(NotACount::TooLarge(number.to_string())) } else { Ok(Self(number)) }
    }

    pub const fn get(self) -> u32 {
        self.0
    }

    /// Reads `12`, `"12"` and `12.0`; refuses everything else with its reason.
    pub fn parse(value: &serde_json::Value) -> Result<Self, NotACount> {
        match value {
            serde_json::Value::Null => Err(NotACount::Blank),
            serde_json::Value::Number(number) => Self::parse_text(&number.to_string()),
            serde_json::Value::String(text) => Self::parse_text(text),
            other => Err(NotACount::NotANumber(other.to_string())),
        }
    }

    pub fn parse_text(text: &str) -> Result<Self, NotACount> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NotACount::Blank);
        }
        let decimal = rust_decimal::Decimal::from_str_exact(text)
            .or_else(|_| rust_decimal::Decimal::from_scientific(text))
            .map_err(|_| {
                let digits = text.bytes().all(|b| b.is_ascii_digit());
                if digits { NotACount::TooLarge(text.into()) } else { NotACount::NotANumber(text.into()) }
            })?;
        if decimal.is_sign_negative() && !decimal.is_zero() {
            return Err(NotACount::Negative(text.into()));
        }
        if !decimal.fract().is_zero() {
            return Err(NotACount::Fraction(text.into()));
        }
        let number = u32::try_from(decimal.trunc()).map_err(|_| NotACount::TooLarge(text.into()))?;
        Self::new(number)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strict_counts_accept_three_spellings_and_nothing_else() {
        for good in [json!(12), json!("12"), json!(12.0), json!(" 12 "), json!("12.0")] {
            assert_eq!(Count::parse(&good).map(Count::get), Ok(12), "{good}");
        }
        assert_eq!(Count::parse(&json!(0)).map(Count::get), Ok(0));
        assert_eq!(Count::parse(&json!("")), Err(NotACount::Blank));
        assert_eq!(Count::parse(&json!(null)), Err(NotACount::Blank));
        assert!(matches!(Count::parse(&json!("12a")), Err(NotACount::NotANumber(_))));
        assert!(matches!(Count::parse(&json!(1.5)), Err(NotACount::Fraction(_))));
        assert!(matches!(Count::parse(&json!(-1)), Err(NotACount::Negative(_))));
        assert!(matches!(Count::parse(&json!(10_000_001)), Err(NotACount::TooLarge(_))));
        assert!(matches!(Count::parse(&json!("9".repeat(40))), Err(NotACount::TooLarge(_))));
        assert!(Count::parse(&json!(1e300)).is_err());
        assert!(matches!(Count::parse(&json!([1])), Err(NotACount::NotANumber(_))));
        assert!(matches!(Count::parse(&json!(true)), Err(NotACount::NotANumber(_))));
    }
}
