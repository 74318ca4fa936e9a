//! Money: decimals with a currency, never floating point.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 code in capitals, such as `GBP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// `None` unless the text is three letters once trimmed.
    pub fn new(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("not a currency code"))
    }
}

/// An amount without its currency: normalised, so that 15.270 and 15.27 are equal and print alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Amount(Decimal);

impl Default for Amount {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Amount {
    pub const ZERO: Self = Self(Decimal::ZERO);

    pub fn new(decimal: Decimal) -> Self {
        Self(decimal.normalize())
    }

    pub const fn get(self) -> Decimal {
        self.0
    }

    /// Reads a JSON number or numeric text; `None` for everything else (a missing price is not 0).
    pub fn parse(value: &serde_json::Value) -> Option<Self> {
        let text = match value {
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok().map(Self::new)
    }
}

impl fmt::Display for Amount {
    /// At least two decimals, more only where the price has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0;
        if shown.scale() < 2 {
            shown.rescale(2);
        }
        write!(f, "{shown}")
    }
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Self::parse(&value).ok_or_else(|| serde::de::Error::custom("not an amount"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_equal_by_value_and_show_two_decimals() {
        assert_eq!(Amount::parse(&json!(15.27)), Amount::parse(&json!("15.270")));
        assert_eq!(Amount::parse(&json!(18.1)).unwrap().to_string(), "18.10");
        assert_eq!(Amount::parse(&json!(0.005)).unwrap().to_string(), "0.005");
        assert_eq!(Amount::parse(&json!(null)), None);
        assert_eq!(Amount::parse(&json!("")), None);
    }

    #[test]
    fn currencies_are_three_letters() {
        assert_eq!(Currency::new(" gbp ").unwrap().as_str(), "GBP");
        assert_eq!(Currency::new("€"), None);
        assert_eq!(Currency::new("EURO"), None);
    }
}
