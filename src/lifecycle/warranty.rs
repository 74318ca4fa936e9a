//! Warranty and purchase dates from files and people, and which of them are written back into Halo (section 8).

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::age;
use super::configuration::{Configuration, DateField, DateSource, Dates, Local, LocalDate};
pub use super::dates_file::{Entry, decode, parse};
use super::serial::serial_form;
use crate::model::{Date, Moment};

/// When a date of ours goes before Halo's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Only where Halo has none.
    #[default]
    FillBlanks,
    /// The later expiry; for purchase dates and warranty starts the earlier date.
    LaterWins,
    Always,
}

impl Policy {
    /// The policy of that word; the careful one where it is none.
    pub fn find(word: &str) -> Self {
        match word {
            "later_wins" => Self::LaterWins,
            "always" => Self::Always,
            _ => Self::FillBlanks,
        }
    }
}

/// One policy a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policies {
    pub expiration: Policy,
    pub start: Policy,
    pub purchase: Policy,
}

impl Policies {
    pub const fn of(&self, field: DateField) -> Policy {
        match field {
            DateField::ExpirationDate => self.expiration,
            DateField::WarrantyStart => self.start,
            DateField::PurchaseDate | DateField::InstallDate => self.purchase,
        }
    }
}

/// Which of Halo's date and ours counts: ours, or `None` where Halo's stays.
pub fn settle(field: DateField, policy: Policy, halo: Option<Date>, ours: Date) -> Option<Date> {
    let Some(halo) = halo else { return Some(ours) };
    let is_better = match policy {
        Policy::FillBlanks => false,
        Policy::LaterWins if field == DateField::ExpirationDate => ours > halo,
        Policy::LaterWins => ours < halo,
        Policy::Always => ours != halo,
    };
    is_better.then_some(ours)
}

/// What may be written back, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteBack {
    /// The fields that are on; all off by default.
    pub expiration: bool,
    pub start: bool,
    pub purchase: bool,
    /// Estimated dates too.
    pub estimated: bool,
    pub policies: Policies,
}

impl WriteBack {
    pub const fn is_on(&self) -> bool {
        self.expiration || self.start || self.purchase
    }

    const fn takes(self, field: DateField) -> bool {
        match field {
            DateField::ExpirationDate => self.expiration,
            DateField::WarrantyStart => self.start,
            DateField::PurchaseDate => self.purchase,
            DateField::InstallDate => false,
        }
    }
}

/// One date that goes into Halo, or that does not, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackRow {
    pub field: DateField,
    pub before: Option<Date>,
    pub after: Date,
    pub verdict: BackVerdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackVerdict {
    /// Is written.
    Write { why: String },
    /// Halo has it, or the policy leaves Halo's.
    Stays { why: String },
    /// Must not be written: estimated, or it cannot be true.
    Held { why: String },
}

/// What of our dates goes into one asset's. Only dates of a file or a person are looked at: what was read from Halo
/// never comes back to it (8.2).
pub fn write_back(
    configuration: &Configuration,
    local: &Local,
    how: &WriteBack,
    today: Date,
) -> Vec<BackRow> {
    let halo = configuration.dates;
    let mut after = halo;
    let mut rows = Vec::new();
    for (field, ours) in &local.dates {
        if !how.takes(*field) {
            continue;
        }
        let before = halo.get(*field);
        let verdict = if before == Some(ours.date) {
            BackVerdict::Stays { why: "Halo has this date".into() }
        } else if ours.estimated && !how.estimated {
            BackVerdict::Held {
                why: "the date is an estimate; estimates are written only where that is allowed".into(),
            }
        } else if settle(*field, how.policies.of(*field), before, ours.date).is_none() {
            BackVerdict::Stays { why: stays(*field, how.policies.of(*field)).into() }
        } else {
            after.set(*field, Some(ours.date));
            BackVerdict::Write { why: format!("from {}", source_words(ours)) }
        };
        rows.push(BackRow { field: *field, before, after: ours.date, verdict });
    }
    // Judged on what Halo would have afterwards: a new end can contradict a start that is there already.
    let (_, faults) = age::sift(after, today);
    for row in &mut rows {
        let fault = faults.iter().find(|fault| match fault.field() {
            Some(field) => field == row.field,
            None => matches!(row.field, DateField::WarrantyStart | DateField::ExpirationDate),
        });
        if let (BackVerdict::Write { .. }, Some(fault)) = (&row.verdict, fault) {
            row.verdict = BackVerdict::Held { why: fault.to_string() };
        }
    }
    rows
}

const fn stays(field: DateField, policy: Policy) -> &'static str {
    match (policy, field) {
        (Policy::FillBlanks, _) => "Halo has a date, and only blanks are filled",
        (Policy::LaterWins, DateField::ExpirationDate) => "Halo's is later",
        (Policy::LaterWins, _) => "Halo's is earlier",
        (Policy::Always, _) => "Halo has this date",
    }
}

fn source_words(date: &LocalDate) -> &'static str {
    match date.source {
        DateSource::Csv => "a file",
        DateSource::Manual => "a person",
    }
}

/// What a line of the file does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Take {
        asset: i64,
        dates: Dates,
    },
    /// The same dates are known already.
    Known {
        asset: i64,
    },
    Refused(String),
}

/// Which assets have which serial, over the whole workspace.
#[derive(Debug, Default)]
pub struct SerialIndex {
    by_serial: HashMap<String, Vec<i64>>,
    ids: std::collections::HashSet<i64>,
}

impl SerialIndex {
    /// Only the serials that a file asks about are kept, so that its size is the file's and not the workspace's.
    pub fn wanted_by(entries: &[Entry]) -> Self {
        let by_serial = entries.iter().filter_map(|e| Some((serial_form(&e.serial)?, Vec::new()))).collect();
        Self { by_serial, ids: std::collections::HashSet::new() }
    }

    pub fn see(&mut self, entries_ids: &std::collections::HashSet<i64>, configuration: &Configuration) {
        if entries_ids.contains(&configuration.id) {
            self.ids.insert(configuration.id);
        }
        if let Some(form) = serial_form(&configuration.serial)
            && let Some(ids) = self.by_serial.get_mut(&form)
        {
            ids.push(configuration.id);
        }
    }
}

/// What each line does: matched by Halo's id, else by serial; placeholders are refused, a serial on two assets is
/// reported and never guessed, dates that cannot be true stay out (8.6, 8.7).
pub fn resolve(
    entries: &[Entry],
    index: &SerialIndex,
    known: &BTreeMap<i64, Local>,
    today: Date,
) -> Vec<(u64, Verdict)> {
    let mut first_line: HashMap<i64, u64> = HashMap::new();
    entries
        .iter()
        .map(|entry| {
            let asset = match (entry.id, serial_form(&entry.serial)) {
                (Some(id), _) if index.ids.contains(&id) => Ok(id),
                (Some(id), _) => Err(format!("no configuration has the Halo id {id}")),
                (None, None) => Err(format!(
                    "'{}' is a placeholder and no serial of anything",
                    crate::model::text::shown(&entry.serial)
                )),
                (None, Some(form)) => match index.by_serial.get(&form).map(Vec::as_slice) {
                    Some([asset]) => Ok(*asset),
                    Some([]) | None => Err(format!(
                        "no configuration has the serial '{}'",
                        crate::model::text::shown(&entry.serial)
                    )),
                    Some(several) => {
                        let ids: Vec<String> = several.iter().take(5).map(ToString::to_string).collect();
                        Err(format!(
                            "{} configurations have the serial '{}' (Halo ids {}); use their ids",
                            several.len(),
                            crate::model::text::shown(&entry.serial),
                            ids.join(", ")
                        ))
                    }
                },
            };
            let verdict = asset.and_then(|asset| {
                if let Some(line) = first_line.get(&asset) {
                    return Err(format!("line {line} has dates for the same configuration"));
                }
                first_line.insert(asset, entry.line);
                let (usable, faults) = age::sift(entry.dates, today);
                if let Some(fault) = faults.first() {
                    return Err(fault.to_string());
                }
                if usable.is_empty() {
                    return Err("no date on this line".into());
                }
                let is_known = known.get(&asset).is_some_and(|local| {
                    DateField::ALL.iter().all(|field| {
                        usable.get(*field).is_none_or(|date| {
                            local
                                .dates
                                .get(field)
                                .is_some_and(|own| own.date == date && own.estimated == entry.estimated)
                        })
                    })
                });
                Ok(if is_known { Verdict::Known { asset } } else { Verdict::Take { asset, dates: usable } })
            });
            (entry.line, verdict.unwrap_or_else(Verdict::Refused))
        })
        .collect()
}

/// What is known of an asset after a line of a file, or a person's word, was taken.
pub fn take(mut local: Local, dates: Dates, source: DateSource, estimated: bool, at: Moment) -> Local {
    for field in DateField::ALL {
        if let Some(date) = dates.get(field) {
            local.dates.insert(field, LocalDate { date, source, estimated, at });
        }
    }
    local
}
