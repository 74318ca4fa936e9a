//! Times in which nothing billable is written (N10, valve V12): an invoice run, say.

use std::fmt;

use jiff::civil::{Date, DateTime};

use super::schedule::Hours;

/// One period of the setting `safety.freeze`, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freeze {
    days: Days,
    hours: Option<Hours>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    /// Days of every month, both ends included: `1`, `28-3`. 31 is the last day of a shorter month, too.
    OfMonth(i8, i8),
    /// Dates, both ends included.
    Dates(Date, Date),
}

impl Freeze {
    /// Reads `1`, `28-3`, `2026-12-24`, `2026-12-24..2027-01-02`, each with or without hours: `31 18:00-24:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split_whitespace();
        let days = parts.next()?;
        let hours = match parts.next() {
            None => None,
            Some(hours) => Some(Hours::parse(hours)?),
        };
        if parts.next().is_some() {
            return None;
        }
        let day = |text: &str| text.parse::<i8>().ok().filter(|day| (1..=31).contains(day));
        let days = if let Some((from, to)) = days.split_once("..") {
            let (from, to): (Date, Date) = (from.parse().ok()?, to.parse().ok()?);
            (from <= to).then_some(Days::Dates(from, to))?
        } else if let Ok(date) = days.parse::<Date>() {
            Days::Dates(date, date)
        } else if let Some((from, to)) = days.split_once('-') {
            Days::OfMonth(day(from)?, day(to)?)
        } else {
            Days::OfMonth(day(days)?, day(days)?)
        };
        Some(Self { days, hours })
    }

    /// Whether this local time lies in it. Hours over midnight belong to the day they begin on.
    pub fn contains(&self, now: DateTime) -> bool {
        let Some(hours) = self.hours else { return self.has_day(now.date()) };
        if !hours.contains(now.time()) {
            return false;
        }
        let began_yesterday = hours.from > hours.to && now.time() < hours.to;
        let day = if began_yesterday { now.date().yesterday().ok() } else { Some(now.date()) };
        day.is_some_and(|day| self.has_day(day))
    }

    fn has_day(&self, date: Date) -> bool {
        match self.days {
            Days::Dates(from, to) => (from..=to).contains(&date),
            Days::OfMonth(from, to) => {
                let last = date.days_in_month();
                let (from, to, day) = (from.min(last), to.min(last), date.day());
                if from <= to { (from..=to).contains(&day) } else { day >= from || day <= to }
            }
        }
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days {
            Days::OfMonth(from, to) if from == to => write!(f, "day {from} of the month")?,
            Days::OfMonth(from, to) => write!(f, "days {from} to {to} of the month")?,
            Days::Dates(from, to) if from == to => write!(f, "{from}")?,
            Days::Dates(from, to) => write!(f, "{from} to {to}")?,
        }
        match self.hours {
            Some(hours) => write!(f, ", {hours}"),
            None => Ok(()),
        }
    }
}
