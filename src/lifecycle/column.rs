//! The columns of a configuration: on screen, in reports and in every export (S28).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::age::Warranty;
use super::report::Row;
use super::words;

macro_rules! columns {
    ($($variant:ident = $key:literal, $label:literal;)+) => {
        /// A column. [`Column::Extra`] is a downloaded Halo field, by its name.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column { $($variant,)+ Extra(String) }

        impl Column {
            /// Every column that is always there.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn key(&self) -> String {
                match self {
                    $(Self::$variant => $key.into(),)+
                    Self::Extra(field) => format!("field:{field}"),
                }
            }

            /// Its heading.
            pub fn label(&self) -> &str {
                match self {
                    $(Self::$variant => $label,)+
                    Self::Extra(field) => field,
                }
            }
        }
    };
}

columns! {
    Id = "id", "Halo id";
    Name = "name", "Name";
    Type = "type", "Type";
    Status = "status", "Status";
    Class = "class", "Class";
    Grade = "grade", "Grade";
    Why = "why", "Why";
    Serial = "serial", "Serial";
    Manufacturer = "manufacturer", "Manufacturer";
    Model = "model", "Model";
    Ram = "ram", "RAM";
    Os = "os", "Operating system";
    PurchaseDate = "purchase_date", "Purchased";
    InstallDate = "install_date", "Installed";
    WarrantyStart = "warranty_start", "Warranty from";
    ExpirationDate = "expiration_date", "Warranty until";
    Age = "age", "Age";
    WarrantyLeft = "warranty_left", "Warranty left";
    ReplaceOn = "replace_on", "Replace on";
    BudgetYear = "budget_year", "Budget year";
    Hardware = "hardware", "Hardware";
    Setup = "setup", "Set-up";
    Onsite = "onsite", "Onsite";
    Total = "total", "Total";
    Recurring = "recurring", "Recurring a month";
    RecurringYear = "recurring_year", "Recurring a year";
    Template = "template", "Template";
    Notes = "notes", "Notes";
}

impl Column {
    /// What a new template shows: no recurring columns (S28).
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Name,
            Self::Type,
            Self::Serial,
            Self::Grade,
            Self::Age,
            Self::ExpirationDate,
            Self::Class,
            Self::BudgetYear,
            Self::Total,
        ]
    }

    /// What the CSV has where nobody chose.
    pub fn csv_defaults() -> Vec<Self> {
        Self::ALL.iter().filter(|column| !column.is_recurring()).cloned().collect()
    }

    pub const fn is_recurring(&self) -> bool {
        matches!(self, Self::Recurring | Self::RecurringYear)
    }

    /// Money and numbers stand on the right.
    pub const fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Hardware
                | Self::Setup
                | Self::Onsite
                | Self::Total
                | Self::Recurring
                | Self::RecurringYear
                | Self::Id
        )
    }

    /// The cell of a row, as text; dates as `2026-01-31`, amounts without currency, nothing where nothing is known.
    pub fn cell(&self, row: &Row) -> String {
        let date = |date: Option<crate::model::Date>| date.map(|date| date.to_string()).unwrap_or_default();
        match self {
            Self::Id => row.id.to_string(),
            Self::Name => row.name.clone(),
            Self::Type => row.kind.clone(),
            Self::Status => row.status.clone(),
            Self::Class => row.class.clone().unwrap_or_default(),
            Self::Grade => row.grade.clone(),
            Self::Why => row.why.clone(),
            Self::Serial => row.serial.clone(),
            Self::Manufacturer => row.manufacturer.clone(),
            Self::Model => row.model.clone(),
            Self::Ram => row.ram.clone(),
            Self::Os => row.os.clone(),
            Self::PurchaseDate => date(row.dates.purchase),
            Self::InstallDate => date(row.dates.install),
            Self::WarrantyStart => date(row.dates.warranty_start),
            Self::ExpirationDate => date(row.dates.expiration),
            Self::Age => row.age.months().map_or_else(|| "unknown".into(), words::months),
            Self::WarrantyLeft => match row.warranty {
                Warranty::Left { months, .. } => words::months(months),
                Warranty::Over { .. } => "over".into(),
                Warranty::Unknown => "unknown".into(),
                Warranty::NotApplicable => String::new(),
            },
            Self::ReplaceOn => date(row.replace_on),
            Self::BudgetYear => row.year.map(|year| year.to_string()).unwrap_or_default(),
            Self::Hardware => row.budget.hardware.to_string(),
            Self::Setup => row.budget.setup.to_string(),
            Self::Onsite => row.budget.onsite.to_string(),
            Self::Total => row.budget.once().to_string(),
            Self::Recurring => row.budget.recurring.to_string(),
            Self::RecurringYear => row.recurring_a_year().to_string(),
            Self::Template => row.template.clone(),
            Self::Notes => row.notes.clone(),
            Self::Extra(field) => row.extra.get(field).cloned().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

impl FromStr for Column {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(field) = text.strip_prefix("field:").map(str::trim).filter(|field| !field.is_empty()) {
            return Ok(Self::Extra(field.into()));
        }
        Self::ALL.iter().find(|column| column.key() == text).cloned().ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(Self::key).collect();
            format!(
                "'{text}' is not a column; known are {}, and field:NAME for a downloaded field",
                known.join(", ")
            )
        })
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A column of the CSV with the heading a person chose for it: `serial=Serial No`, so that the file can be shaped to
/// what another tool imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headed {
    pub column: Column,
    pub heading: String,
}

impl Headed {
    pub fn plain(column: Column) -> Self {
        Self { heading: column.label().to_owned(), column }
    }

    /// The columns of a setting; the defaults where it is empty.
    ///
    /// # Errors
    /// The first word that names no column.
    pub fn list(words: &[String]) -> Result<Vec<Self>, String> {
        if words.is_empty() {
            return Ok(Column::csv_defaults().into_iter().map(Self::plain).collect());
        }
        words.iter().map(|word| word.parse()).collect()
    }
}

impl FromStr for Headed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((column, heading)) if !heading.trim().is_empty() => {
                Ok(Self { column: column.parse()?, heading: heading.trim().into() })
            }
            _ => text.trim_end_matches('=').parse().map(Self::plain),
        }
    }
}
