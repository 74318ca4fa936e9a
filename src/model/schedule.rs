//! When a schedule is due: local wall time in a zone, made into moments (sync-engine section 14). Pure: what time it
//! is, and what was done, the caller says.

use std::fmt;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp as Moment, ToSpan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::settings::{Repeat, Schedule};

/// How far back occurrences are looked for: older ones are not worth a line of "missed".
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(35 * 24);

/// One planned moment of a schedule, named by the wall clock it stands for: the same whatever clocks and restarts do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OccurrenceId {
    pub date: Date,
    pub time: Time,
    /// From 1: the how-manyth of its local day.
    pub ordinal: u16,
}

/// `2026-03-29/02:30/1`; sorts as text in the order of wall time.
impl fmt::Display for OccurrenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.date, self.time.strftime("%H:%M"), self.ordinal)
    }
}

/// An occurrence and the moment from which it may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    pub id: OccurrenceId,
    pub due: Moment,
}

/// What was noted of an occurrence before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    Nothing,
    /// Said to be missed. Should its time come again because the clock was set back, it may still run.
    Missed,
    /// Its job was started, or it was decided that there will be none.
    Over,
}

/// What is to be done now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Runs now. At most one: never a queue of catch-ups.
    pub run: Option<Occurrence>,
    /// Is due, but outside the allowed hours: looked at again when they begin.
    pub waits: Option<Occurrence>,
    /// To be noted as missed, oldest first.
    pub missed: Vec<Occurrence>,
}

/// Hours of the day, the end excluded; `22:00-06:00` goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    pub from: Time,
    pub to: Time,
}

impl Hours {
    /// Reads `HH:MM-HH:MM`; `24:00` may end it.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let to = if to.trim() == "24:00" { Time::midnight() } else { time(to)? };
        Some(Self { from: time(from)?, to })
    }

    pub fn contains(self, time: Time) -> bool {
        match self.from.cmp(&self.to) {
            std::cmp::Ordering::Less => (self.from..self.to).contains(&time),
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Greater => time >= self.from || time < self.to,
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))
    }
}

/// Reads `HH:MM`.
pub fn time(text: &str) -> Option<Time> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || minutes.len() != 2 || !digits(minutes) {
        return None;
    }
    Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()
}

/// The zone of that IANA name; the system's for an empty one.
pub fn zone(name: &str) -> Option<TimeZone> {
    match name.trim() {
        "" => Some(TimeZone::system()),
        name => TimeZone::get(name).ok(),
    }
}

/// A schedule's times, read from its settings.
#[derive(Debug, Clone)]
pub struct Timing {
    zone: TimeZone,
    repeat: Repeat,
    /// Local times of day, in order.
    times: Vec<Time>,
    hours: Option<Hours>,
    jitter: SignedDuration,
    catch_up: SignedDuration,
    /// Spreads the jitter: another one for each installation and integration.
    seed: String,
}

impl Timing {
    /// # Errors
    /// The sentence says which setting makes no time.
    pub fn new(schedule: &Schedule, zone: TimeZone, seed: impl Into<String>) -> Result<Self, String> {
        let at = time(&schedule.at).ok_or_else(|| format!("'{}' is not a time of day", schedule.at))?;
        let hours = match schedule.window.trim() {
            "" => None,
            text => Some(Hours::parse(text).ok_or_else(|| format!("'{text}' are not hours of the day"))?),
        };
        let times: Vec<Time> = match schedule.repeat {
            Repeat::Daily | Repeat::Weekdays => vec![at],
            Repeat::Hours => {
                let step = schedule.every_hours.clamp(1, 24) as usize * 60;
                let first = (at.hour() as usize * 60 + at.minute() as usize) % step;
                (first..24 * 60)
                    .step_by(step)
                    .filter_map(|m| Time::new((m / 60) as i8, (m % 60) as i8, 0, 0).ok())
                    .collect()
            }
        };
        let times: Vec<Time> =
            times.into_iter().filter(|time| hours.is_none_or(|hours| hours.contains(*time))).collect();
        if times.is_empty() {
            return Err(format!("{} is outside its own hours {}", schedule.at, schedule.window));
        }
        Ok(Self {
            zone,
            repeat: schedule.repeat,
            times,
            hours,
            jitter: SignedDuration::from_mins(i64::from(schedule.jitter_minutes)),
            catch_up: SignedDuration::from_hours(i64::from(schedule.catch_up_hours)),
            seed: seed.into(),
        })
    }

    /// Every occurrence that is due after `from`, in order.
    pub fn after(&self, from: Moment) -> impl Iterator<Item = Occurrence> + '_ {
        // A day's jitter and any zone's step lie within two days.
        let first = from.to_zoned(self.zone.clone()).date().saturating_sub(2.days());
        let mut bare = Days(Some(first))
            .filter(|day| self.repeat != Repeat::Weekdays || is_weekday(*day))
            .flat_map(move |day| {
                (1..).zip(&self.times).filter_map(move |(ordinal, time)| {
                    let due = self.first_instant(day.to_datetime(*time))?;
                    Some(Occurrence { id: OccurrenceId { date: day, time: *time, ordinal }, due })
                })
            })
            .peekable();
        std::iter::from_fn(move || {
            loop {
                let this = bare.next()?;
                let next = bare.peek().map(|next| next.due);
                // Two local times that a step of the zone made one moment are one occurrence: the later name keeps it.
                if next.is_none_or(|next| this.due < next) {
                    return Some(Occurrence { due: self.jittered(&this, next), ..this });
                }
            }
        })
        .skip_while(move |occurrence| occurrence.due <= from)
    }

    /// The next time it runs.
    pub fn next(&self, now: Moment) -> Option<Occurrence> {
        self.after(now).next()
    }

    /// Whether a run may start at this moment.
    pub fn is_allowed(&self, now: Moment) -> bool {
        self.hours.is_none_or(|hours| hours.contains(now.to_zoned(self.zone.clone()).time()))
    }

    /// What is to be done at `now` by a schedule that counts from `since`.
    ///
    /// Only the latest occurrence may run, and only within the catch-up time; all older ones are missed.
    pub fn due(&self, since: Moment, now: Moment, mut noted: impl FnMut(&OccurrenceId) -> Noted) -> Due {
        let from = since.max(now.checked_sub(LOOK_BACK).unwrap_or(since));
        let mut past: Vec<Occurrence> =
            self.after(from).take_while(|occurrence| occurrence.due <= now).collect();
        let mut due = Due::default();
        if let Some(latest) = past.pop() {
            let is_late = now.duration_since(latest.due) > self.catch_up;
            match noted(&latest.id) {
                Noted::Over => {}
                Noted::Missed if is_late => {}
                Noted::Nothing if is_late => past.push(latest),
                Noted::Nothing | Noted::Missed if self.is_allowed(now) => due.run = Some(latest),
                Noted::Nothing | Noted::Missed => due.waits = Some(latest),
            }
        }
        past.retain(|occurrence| noted(&occurrence.id) == Noted::Nothing);
        due.missed = past;
        due
    }

    /// The first instant at which the wall clock shows this time or, if a step forward leaves it out, the first after
    /// it. `None` on a day that the zone left out whole.
    fn first_instant(&self, at: DateTime) -> Option<Moment> {
        match self.zone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(at).ok()
            }
            AmbiguousOffset::Gap { before, after } => {
                if after.seconds() - before.seconds() >= 24 * 3600 {
                    return None;
                }
                let earlier = after.to_timestamp(at).ok()?;
                self.zone.following(earlier).next().map(|step| step.timestamp())
            }
        }
    }

    /// The start, put off by what the occurrence's own name says: never into the next one, nor out of the hours.
    fn jittered(&self, this: &Occurrence, next: Option<Moment>) -> Moment {
        let room = next.map_or(self.jitter, |next| {
            self.jitter.min(next.duration_since(this.due) - SignedDuration::from_secs(1))
        });
        let seconds = room.as_secs();
        if seconds <= 0 {
            return this.due;
        }
        let hash = Sha256::digest(format!("{}/{}", self.seed, this.id));
        let draw = hash.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let off = SignedDuration::from_secs((draw % (seconds as u64 + 1)) as i64);
        this.due.checked_add(off).ok().filter(|due| self.is_allowed(*due)).unwrap_or(this.due)
    }
}

fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Days from one on.
struct Days(Option<Date>);

impl Iterator for Days {
    type Item = Date;

    fn next(&mut self) -> Option<Date> {
        let day = self.0?;
        self.0 = day.tomorrow().ok();
        Some(day)
    }
}
