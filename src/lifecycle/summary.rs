//! What a company's configurations add up to: distributions, grades, cost by year, data quality. Small: five thousand
//! of them are held at once.

use serde::{Deserialize, Serialize};

use super::age::{AgeBucket, WarrantyBucket};
use super::assess::Assessment;
use super::budget::Cost;
use super::configuration::{Configuration, Dates};
use super::tally::Tally;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Everything of the company's, whether or not it counts.
    pub configurations: u32,
    /// What counts: in scope, of a type that is not exempt.
    pub counted: u32,
    pub out_of_scope: u32,
    pub ages: Tally<AgeBucket, u32>,
    pub warranties: Tally<WarrantyBucket, u32>,
    /// By the grade's name.
    pub grades: Tally<String, u32>,
    /// By the calendar year the fiscal year begins in.
    pub years: Tally<i16, Cost>,
    /// Budgeted, and nobody knows when: no usable date.
    pub undated: Cost,
    /// Budgeted without a class: priced at 0.
    pub unclassed: u32,
    /// A month, of all that is budgeted.
    pub recurring: rust_decimal::Decimal,
    /// Configurations with a date in quarantine.
    pub quarantined: u32,
    pub quality: Quality,
}

/// The data-quality score (P71): which of the facts a plan needs are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Quality {
    /// Facts that should be there, and those that are.
    pub wanted: u32,
    pub present: u32,
    /// Configurations that lack the fact.
    pub no_serial: u32,
    pub no_purchase_date: u32,
    pub no_expiration_date: u32,
    pub no_type: u32,
}

/// A fact that a configuration lacks: what a click on the score leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    Serial,
    PurchaseDate,
    ExpirationDate,
    Type,
}

impl Gap {
    pub const ALL: [Self; 4] = [Self::Serial, Self::PurchaseDate, Self::ExpirationDate, Self::Type];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::PurchaseDate => "purchase date",
            Self::ExpirationDate => "expiration date",
            Self::Type => "type",
        }
    }
}

/// The facts a configuration lacks. A virtual machine needs no serial and no warranty; a placeholder is no serial.
pub fn gaps(
    configuration: &Configuration,
    serial_is_good: bool,
    dates: &Dates,
    is_virtual: bool,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if !serial_is_good && !is_virtual {
        gaps.push(Gap::Serial);
    }
    if dates.purchase.is_none() && dates.install.is_none() {
        gaps.push(Gap::PurchaseDate);
    }
    if dates.expiration.is_none() && !is_virtual {
        gaps.push(Gap::ExpirationDate);
    }
    if configuration.kind.trim().is_empty() {
        gaps.push(Gap::Type);
    }
    gaps
}

impl Quality {
    pub fn add(&mut self, gaps: &[Gap], is_virtual: bool) {
        let wanted = if is_virtual { 2 } else { 4 };
        self.wanted += wanted;
        self.present += wanted.saturating_sub(gaps.len() as u32);
        for gap in gaps {
            *self.of_mut(*gap) += 1;
        }
    }

    /// 0 to 100, rounded down so that only what is complete has 100; `None` where there is nothing to score.
    pub fn score(&self) -> Option<u32> {
        (self.wanted > 0).then(|| (u64::from(self.present) * 100 / u64::from(self.wanted)) as u32)
    }

    pub const fn of(&self, gap: Gap) -> u32 {
        match gap {
            Gap::Serial => self.no_serial,
            Gap::PurchaseDate => self.no_purchase_date,
            Gap::ExpirationDate => self.no_expiration_date,
            Gap::Type => self.no_type,
        }
    }

    const fn of_mut(&mut self, gap: Gap) -> &mut u32 {
        match gap {
            Gap::Serial => &mut self.no_serial,
            Gap::PurchaseDate => &mut self.no_purchase_date,
            Gap::ExpirationDate => &mut self.no_expiration_date,
            Gap::Type => &mut self.no_type,
        }
    }
}

impl Summary {
    pub fn add(&mut self, configuration: &Configuration, assessment: &Assessment<'_>) {
        self.configurations += 1;
        if configuration.out_of_scope {
            self.out_of_scope += 1;
        }
        if !assessment.counts {
            return;
        }
        self.counted += 1;
        *self.ages.at(&assessment.age.bucket()) += 1;
        *self.warranties.at(&assessment.warranty.bucket()) += 1;
        *self.grades.at(assessment.grade.name) += 1;
        self.quarantined += u32::from(!assessment.faults.is_empty());
        let gaps = gaps(configuration, assessment.serial_is_good, &assessment.dates, assessment.is_virtual);
        self.quality.add(&gaps, assessment.is_virtual);
        if !assessment.is_budgeted {
            return;
        }
        self.unclassed += u32::from(assessment.class.is_none());
        self.recurring = self.recurring.saturating_add(assessment.budget.recurring.get());
        let cost = Cost::of(&assessment.budget);
        match assessment.year {
            Some(year) => *self.years.at(&year.year) += cost,
            None => self.undated += cost,
        }
    }

    pub fn age(&self, bucket: AgeBucket) -> u32 {
        self.ages.get(&bucket).copied().unwrap_or(0)
    }

    pub fn warranty(&self, bucket: WarrantyBucket) -> u32 {
        self.warranties.get(&bucket).copied().unwrap_or(0)
    }

    pub fn grade(&self, name: &str) -> u32 {
        self.grades.get(name).copied().unwrap_or(0)
    }

    /// Everything that will be spent, in whichever year.
    pub fn total(&self) -> rust_decimal::Decimal {
        let years = self.years.values().map(Cost::total);
        years.fold(self.undated.total(), rust_decimal::Decimal::saturating_add)
    }
}
