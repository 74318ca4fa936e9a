//! Tests on a configuration, as people write them: `age>=60`, `warranty=over`, `model~pro`. Grades and classes are
//! given by lists of them; all tests of a rule must hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::age::{Age, Warranty};
use super::configuration::Configuration;
use crate::model::Date;

/// One test. Ages and warranties are in months, memory in MB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    AgeAtLeast(u32),
    AgeUnder(u32),
    AgeUnknown,
    /// Months of warranty left, or over already.
    WarrantyUnder(u32),
    WarrantyAtLeast(u32),
    WarrantyOver,
    WarrantyUnknown,
    /// Its life or its warranty ends within the warning period of its type (P70), or has ended.
    Warning,
    /// The maker supports this operating system no more.
    OsUnsupported,
    RamUnder(u64),
    SerialMissing,
    /// The text is somewhere in the field; case does not count.
    Has(Text, String),
    Always,
}

/// The text fields a rule can look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    Name,
    Model,
    Manufacturer,
    Os,
    Status,
    Notes,
}

impl Text {
    const ALL: [Self; 6] = [Self::Name, Self::Model, Self::Manufacturer, Self::Os, Self::Status, Self::Notes];

    const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Model => "model",
            Self::Manufacturer => "manufacturer",
            Self::Os => "os",
            Self::Status => "status",
            Self::Notes => "notes",
        }
    }

    fn of(self, configuration: &Configuration) -> &str {
        match self {
            Self::Name => &configuration.name,
            Self::Model => &configuration.model,
            Self::Manufacturer => &configuration.manufacturer,
            Self::Os => &configuration.os,
            Self::Status => &configuration.status,
            Self::Notes => &configuration.notes,
        }
    }
}

/// What tests look at.
pub struct Facts<'a> {
    pub configuration: &'a Configuration,
    pub age: Age,
    pub warranty: Warranty,
    pub os_is_unsupported: bool,
    pub serial_is_good: bool,
    /// What ends within the warning period of its type; `None` also where the type has none.
    pub ending: Option<Ending>,
}

/// What ends within a warning period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its life: it is to be replaced on this day.
    Life(Date),
    /// Its warranty, after this day.
    Warranty(Date),
}

impl Test {
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        let months = facts.age.months();
        match self {
            Self::AgeAtLeast(least) => months.is_some_and(|months| months >= *least),
            Self::AgeUnder(most) => months.is_some_and(|months| months < *most),
            Self::AgeUnknown => months.is_none(),
            Self::WarrantyUnder(most) => match facts.warranty {
                Warranty::Left { months, .. } => months < *most,
                Warranty::Over { .. } => true,
                Warranty::Unknown | Warranty::NotApplicable => false,
            },
            Self::WarrantyAtLeast(least) => match facts.warranty {
                Warranty::Left { months, .. } => months >= *least,
                Warranty::NotApplicable => true,
                Warranty::Over { .. } | Warranty::Unknown => false,
            },
            Self::WarrantyOver => matches!(facts.warranty, Warranty::Over { .. }),
            Self::WarrantyUnknown => matches!(facts.warranty, Warranty::Unknown),
            Self::Warning => facts.ending.is_some(),
            Self::OsUnsupported => facts.os_is_unsupported,
            Self::RamUnder(most) => facts.configuration.ram_mb().is_some_and(|ram| ram < *most),
            Self::SerialMissing => !facts.serial_is_good,
            Self::Has(field, text) => contains(field.of(facts.configuration), text),
            Self::Always => true,
        }
    }

    /// Whether wherever this one holds that one does, too.
    pub fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AgeAtLeast(own), Self::AgeAtLeast(other))
            | (Self::WarrantyAtLeast(own), Self::WarrantyAtLeast(other)) => own >= other,
            (Self::AgeUnder(own), Self::AgeUnder(other))
            | (Self::WarrantyUnder(own), Self::WarrantyUnder(other)) => own <= other,
            (Self::RamUnder(own), Self::RamUnder(other)) => own <= other,
            (Self::WarrantyOver, Self::WarrantyUnder(_)) => true,
            (Self::Has(own, text), Self::Has(other, part)) => own == other && contains(text, part),
            _ => self == other || *other == Self::Always,
        }
    }

    /// Whether nothing fits both; asked of itself, whether nothing fits it at all.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AgeAtLeast(from), Self::AgeUnder(to))
            | (Self::WarrantyAtLeast(from), Self::WarrantyUnder(to)) => from >= to,
            (Self::AgeUnder(0) | Self::RamUnder(0), _)
            | (Self::AgeUnknown, Self::AgeAtLeast(_) | Self::AgeUnder(_))
            | (Self::WarrantyAtLeast(_), Self::WarrantyOver)
            | (
                Self::WarrantyUnknown,
                Self::WarrantyAtLeast(_) | Self::WarrantyUnder(_) | Self::WarrantyOver,
            ) => true,
            _ => false,
        }
    }

    /// The reason it gives for a row, in words.
    pub fn reason(&self, facts: &Facts<'_>) -> String {
        let age = facts.age.months().map(super::words::months).unwrap_or_default();
        match self {
            Self::AgeAtLeast(_) | Self::AgeUnder(_) => format!("{age} old"),
            Self::AgeUnknown => "age unknown".into(),
            Self::WarrantyUnder(_) | Self::WarrantyAtLeast(_) | Self::WarrantyOver => match facts.warranty {
                Warranty::Over { since } => format!("warranty over since {since}"),
                Warranty::Left { until, .. } => format!("warranty until {until}"),
                Warranty::Unknown => "warranty unknown".into(),
                Warranty::NotApplicable => "needs no warranty".into(),
            },
            Self::WarrantyUnknown => "warranty unknown".into(),
            Self::Warning => match facts.ending {
                Some(Ending::Life(on)) => format!("to be replaced on {on}"),
                Some(Ending::Warranty(on)) => format!("warranty until {on}"),
                None => "nothing ends soon".into(),
            },
            Self::OsUnsupported => format!("{} is out of support", facts.configuration.os),
            Self::RamUnder(_) => format!("only {} of memory", facts.configuration.ram),
            Self::SerialMissing => "no usable serial".into(),
            Self::Has(field, text) => format!("{} has '{text}'", field.key()),
            Self::Always => "no other rule fits".into(),
        }
    }
}

/// Whether `text` holds `part`, whatever the case. Written out, since it runs half a million times.
fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    !part.is_empty() && text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AgeAtLeast(months) => write!(f, "age>={months}"),
            Self::AgeUnder(months) => write!(f, "age<{months}"),
            Self::AgeUnknown => f.write_str("age=unknown"),
            Self::WarrantyUnder(months) => write!(f, "warranty<{months}"),
            Self::WarrantyAtLeast(months) => write!(f, "warranty>={months}"),
            Self::WarrantyOver => f.write_str("warranty=over"),
            Self::WarrantyUnknown => f.write_str("warranty=unknown"),
            Self::Warning => f.write_str("warning"),
            Self::OsUnsupported => f.write_str("os=unsupported"),
            Self::RamUnder(mb) => write!(f, "ram<{mb}"),
            Self::SerialMissing => f.write_str("serial=missing"),
            Self::Has(field, text) => write!(f, "{}~{text}", field.key()),
            Self::Always => f.write_str("always"),
        }
    }
}

impl FromStr for Test {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let refuse = || {
            let text = crate::model::text::shown(text);
            format!(
                "'{text}' is not a test; tests look like age>=60, age<36, age=unknown, warranty<6, warranty>=6, \
                 warranty=over, warranty=unknown, warning, os=unsupported, ram<8192, serial=missing, model~pro or \
                 always (ages in months, memory in MB)"
            )
        };
        if text.eq_ignore_ascii_case("always") {
            return Ok(Self::Always);
        }
        if let Some((field, part)) = text.split_once('~') {
            let field = field.trim().to_ascii_lowercase();
            let field = Text::ALL.into_iter().find(|known| known.key() == field).ok_or_else(refuse)?;
            let part = part.trim();
            return if part.is_empty() || part.contains(',') || part.chars().any(char::is_control) {
                Err(refuse())
            } else {
                Ok(Self::Has(field, part.into()))
            };
        }
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let compact = compact.to_ascii_lowercase();
        let number = |text: &str| text.parse::<u32>().map_err(|_| refuse());
        Ok(if let Some(months) = compact.strip_prefix("age>=") {
            Self::AgeAtLeast(number(months)?)
        } else if let Some(months) = compact.strip_prefix("age<") {
            Self::AgeUnder(number(months)?)
        } else if let Some(months) = compact.strip_prefix("warranty>=") {
            Self::WarrantyAtLeast(number(months)?)
        } else if let Some(months) = compact.strip_prefix("warranty<") {
            Self::WarrantyUnder(number(months)?)
        } else if let Some(mb) = compact.strip_prefix("ram<") {
            Self::RamUnder(number(mb)?.into())
        } else {
            match compact.as_str() {
                "age=unknown" => Self::AgeUnknown,
                "warranty=over" => Self::WarrantyOver,
                "warranty=unknown" => Self::WarrantyUnknown,
                "warning" => Self::Warning,
                "os=unsupported" => Self::OsUnsupported,
                "serial=missing" => Self::SerialMissing,
                _ => return Err(refuse()),
            }
        })
    }
}

/// Tests that must all hold, written with commas between them. An empty list holds for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tests(pub Vec<Test>);

impl Tests {
    pub fn hold(&self, facts: &Facts<'_>) -> bool {
        !self.0.is_empty() && self.0.iter().all(|test| test.holds(facts))
    }

    /// Whether everything that fits these fits the others.
    pub fn imply(&self, others: &Self) -> bool {
        !others.0.is_empty() && others.0.iter().all(|other| self.0.iter().any(|own| own.implies(other)))
    }

    /// Two tests of these that nothing can fit both of; one test twice where nothing fits it at all.
    pub fn contradiction(&self) -> Option<(&Test, &Test)> {
        let pairs = self.0.iter().flat_map(|one| self.0.iter().map(move |other| (one, other)));
        pairs.into_iter().find(|(one, other)| one.excludes(other))
    }
}

impl fmt::Display for Tests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, test) in self.0.iter().enumerate() {
            write!(f, "{}{test}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl FromStr for Tests {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Tests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Tests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
