//! When schedules are due: zones, steps of clocks, restarts (sync-engine section 14).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp as Moment, ToSpan};
use parhelion::model::schedule::{Hours, Noted};
use parhelion::model::settings::{Repeat, Schedule};
use parhelion::model::{Freeze, OccurrenceId, Timing};
use proptest::prelude::*;

fn daily(at: &str) -> Schedule {
    Schedule { enabled: true, at: at.into(), ..Schedule::default() }
}

fn timing(schedule: &Schedule, zone: &str) -> Timing {
    Timing::new(schedule, TimeZone::get(zone).expect("a zone"), "seed").expect("times")
}

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

/// The next occurrences, as name and moment.
fn next(timing: &Timing, from: &str, count: usize) -> Vec<(String, String)> {
    timing.after(at(from)).take(count).map(|o| (o.id.to_string(), o.due.to_string())).collect()
}

fn said(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, due)| ((*id).to_owned(), (*due).to_owned())).collect()
}

#[test]
fn every_day_at_the_same_wall_time() {
    let london = timing(&daily("02:30"), "Europe/London");
    assert_eq!(
        next(&london, "2026-07-01T01:30:00Z", 2),
        said(&[
            ("2026-07-02/02:30/1", "2026-07-02T01:30:00Z"),
            ("2026-07-03/02:30/1", "2026-07-03T01:30:00Z")
        ]),
        "exactly then is no longer after then"
    );
    let winter = next(&london, "2026-12-01T00:00:00Z", 1);
    assert_eq!(winter, said(&[("2026-12-01/02:30/1", "2026-12-01T02:30:00Z")]));
}

#[test]
fn a_time_that_spring_leaves_out_runs_at_the_first_instant_after() {
    let berlin = timing(&daily("02:30"), "Europe/Berlin");
    assert_eq!(
        next(&berlin, "2026-03-28T12:00:00Z", 2),
        said(&[
            ("2026-03-29/02:30/1", "2026-03-29T01:00:00Z"),
            ("2026-03-30/02:30/1", "2026-03-30T00:30:00Z")
        ])
    );
}

#[test]
fn a_time_that_autumn_repeats_runs_once_at_the_first() {
    let berlin = timing(&daily("02:30"), "Europe/Berlin");
    assert_eq!(
        next(&berlin, "2026-10-24T12:00:00Z", 2),
        said(&[
            ("2026-10-25/02:30/1", "2026-10-25T00:30:00Z"),
            ("2026-10-26/02:30/1", "2026-10-26T01:30:00Z")
        ])
    );
}

#[test]
fn a_day_that_a_zone_left_out_has_no_run() {
    let apia = timing(&daily("02:30"), "Pacific/Apia");
    let days: Vec<_> =
        apia.after(at("2011-12-28T13:00:00Z")).take(3).map(|o| o.id.date.to_string()).collect();
    assert_eq!(days, ["2011-12-29", "2011-12-31", "2012-01-01"]);
}

#[test]
fn weekdays_and_hours() {
    let weekdays = timing(&Schedule { repeat: Repeat::Weekdays, ..daily("06:00") }, "UTC");
    let days: Vec<_> =
        weekdays.after(at("2026-11-20T00:00:00Z")).take(3).map(|o| o.id.date.to_string()).collect();
    assert_eq!(days, ["2026-11-20", "2026-11-23", "2026-11-24"], "Friday, Monday, Tuesday");

    let every = Schedule { repeat: Repeat::Hours, every_hours: 6, ..daily("08:15") };
    let names: Vec<_> =
        timing(&every, "UTC").after(at("2026-11-20T00:00:00Z")).take(5).map(|o| o.id.to_string()).collect();
    assert_eq!(
        names,
        [
            "2026-11-20/02:15/1",
            "2026-11-20/08:15/2",
            "2026-11-20/14:15/3",
            "2026-11-20/20:15/4",
            "2026-11-21/02:15/1"
        ]
    );
    let at_night = Schedule { window: "20:00-06:00".into(), ..every };
    let names: Vec<_> = timing(&at_night, "UTC")
        .after(at("2026-11-20T00:00:00Z"))
        .take(2)
        .map(|o| o.id.to_string())
        .collect();
    assert_eq!(names, ["2026-11-20/02:15/1", "2026-11-20/20:15/2"], "outside its hours there is none");
    let never = Schedule { window: "09:00-10:00".into(), ..daily("02:30") };
    assert!(Timing::new(&never, TimeZone::UTC, "").is_err(), "a schedule that can never run says so");
}

#[test]
fn two_times_that_a_step_makes_one_moment_run_once() {
    let hourly =
        timing(&Schedule { repeat: Repeat::Hours, every_hours: 1, ..daily("00:00") }, "Europe/Berlin");
    let names: Vec<_> =
        hourly.after(at("2026-03-29T00:00:00Z")).take(2).map(|o| (o.id.to_string(), o.due)).collect();
    assert_eq!(names[0], ("2026-03-29/03:00/4".to_owned(), at("2026-03-29T01:00:00Z")));
    assert_eq!(names[1], ("2026-03-29/04:00/5".to_owned(), at("2026-03-29T02:00:00Z")));
}

#[test]
fn only_the_latest_missed_run_is_made_up_for_and_only_in_time() {
    let utc = timing(&daily("02:30"), "UTC");
    let since = at("2026-06-01T12:00:00Z");
    let none = |_: &OccurrenceId| Noted::Nothing;
    let due = utc.due(since, at("2026-06-05T14:29:00Z"), none);
    assert_eq!(due.run.map(|o| o.id.to_string()).as_deref(), Some("2026-06-05/02:30/1"));
    let missed: Vec<_> = due.missed.iter().map(|o| o.id.date.to_string()).collect();
    assert_eq!(missed, ["2026-06-02", "2026-06-03", "2026-06-04"]);
    let late = utc.due(since, at("2026-06-05T14:31:00Z"), none);
    assert_eq!((late.run, late.missed.len()), (None, 4), "after twelve hours it is missed, too");
    let due = utc.due(since, at("2026-06-05T14:29:00Z"), |_| Noted::Over);
    assert_eq!((due.run, due.missed.len()), (None, 0), "what is decided stays decided");
    let before = utc.due(at("2026-06-05T02:30:00Z"), at("2026-06-05T03:00:00Z"), none);
    assert_eq!(before.run, None, "what was due when it was switched on is none of its runs");
}

#[test]
fn a_run_that_comes_late_keeps_to_its_hours() {
    let nights = Schedule { window: "22:00-06:00".into(), catch_up_hours: 24, ..daily("02:30") };
    let utc = timing(&nights, "UTC");
    let since = at("2026-06-01T12:00:00Z");
    let none = |_: &OccurrenceId| Noted::Nothing;
    let noon = utc.due(since, at("2026-06-02T12:00:00Z"), none);
    assert_eq!((noon.run, noon.waits.is_some(), noon.missed.len()), (None, true, 0));
    assert!(utc.due(since, at("2026-06-02T22:00:00Z"), none).run.is_some());
}

#[test]
fn a_missed_run_whose_time_comes_again_may_run() {
    let utc = timing(&daily("02:30"), "UTC");
    let since = at("2026-06-01T12:00:00Z");
    let due = utc.due(since, at("2026-06-02T03:00:00Z"), |_| Noted::Missed);
    assert!(due.run.is_some(), "no job ever had this name");
}

#[test]
fn jitter_moves_a_run_by_its_name_and_never_past_the_next() {
    let spread = Schedule { jitter_minutes: 90, repeat: Repeat::Hours, every_hours: 1, ..daily("00:10") };
    let timing = timing(&spread, "Europe/London");
    let first: Vec<_> = timing.after(at("2026-03-28T00:00:00Z")).take(60).collect();
    let again: Vec<_> = timing.after(at("2026-03-28T00:00:00Z")).take(60).collect();
    assert_eq!(first, again);
    assert!(first.windows(2).all(|pair| pair[0].due < pair[1].due));
    let off: BTreeSet<_> = first.iter().map(|o| o.due.as_second() % 3600).collect();
    assert!(off.len() > 40, "each at a time of its own: {}", off.len());
    let late: Vec<_> = timing.after(first[10].due).take(20).collect();
    assert_eq!(late[..], first[11..31], "wherever one begins to look");
}

#[test]
fn hours_over_midnight() {
    let night = Hours::parse("22:00-06:00").expect("hours");
    for (time, inside) in [("21:59", false), ("22:00", true), ("03:00", true), ("06:00", false)] {
        assert_eq!(night.contains(parhelion::model::schedule::time(time).expect("a time")), inside, "{time}");
    }
    for bad in ["", "22-6", "22:00", "25:00-06:00", "22:00-06:60", "22:00-06:00-07:00"] {
        assert!(Hours::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn n10_periods_of_a_freeze() {
    let inside = |period: &str, local: &str| {
        let local: DateTime = local.parse().expect("a local time");
        Freeze::parse(period).expect("a period").contains(local)
    };
    assert!(inside("1-3", "2026-02-03T23:59"));
    assert!(!inside("1-3", "2026-02-04T00:00"));
    assert!(inside("28-2", "2026-05-31T10:00") && inside("28-2", "2026-06-02T10:00"));
    assert!(!inside("28-2", "2026-06-03T10:00"));
    assert!(inside("31", "2026-02-28T10:00"), "the last day of a short month");
    assert!(inside("2026-12-24..2027-01-02", "2027-01-01T00:00"));
    assert!(!inside("2026-12-24..2027-01-02", "2027-01-03T00:00"));
    assert!(inside("31 18:00-24:00", "2026-03-31T18:00") && !inside("31 18:00-24:00", "2026-03-31T17:59"));
    assert!(inside("31 22:00-04:00", "2026-04-01T03:00"), "the night that begins on that day");
    assert!(!inside("31 22:00-04:00", "2026-03-31T03:00"), "not the one that ends on it");
    for bad in ["", "0", "32", "1-", "2026-13-01", "2027-01-02..2026-12-24", "1 18:00", "1 18:00-19:00 x"] {
        assert!(Freeze::parse(bad).is_none(), "{bad}");
    }
}

/// The first instant whose wall clock shows at least this time, found minute by minute: another way than the one
/// under test.
fn slowly(zone: &TimeZone, day: Date, at: jiff::civil::Time) -> Moment {
    let wanted = day.to_datetime(at);
    let mut now = TimeZone::UTC.to_timestamp(wanted).expect("a moment") - 15.hours();
    while zone.to_datetime(now + 2.hours()) < wanted {
        now += 1.hour();
    }
    while zone.to_datetime(now) < wanted {
        now += 1.minute();
    }
    now
}

/// What three years do to a schedule: the host goes down and comes up, clocks step both ways.
struct Life {
    timing: Timing,
    next: Moment,
    last: Moment,
    dice: u64,
    noted: BTreeMap<OccurrenceId, Noted>,
    started: BTreeMap<OccurrenceId, u32>,
}

impl Life {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    /// As the engine looks: only if something is due, or the clock went back.
    fn look(&mut self, since: Moment, now: Moment) {
        let quiet = self.last <= now && now < self.next;
        self.last = now;
        if quiet {
            return;
        }
        self.next = self.timing.next(now).expect("there is always another day").due;
        let due = self.timing.due(since, now, |id| self.noted.get(id).copied().unwrap_or(Noted::Nothing));
        for missed in due.missed {
            self.noted.insert(missed.id, Noted::Missed);
        }
        if let Some(run) = due.run {
            self.noted.insert(run.id, Noted::Over);
            *self.started.entry(run.id).or_default() += 1;
        }
    }
}

/// The runs of three years, and the moment each is due.
fn oracle(zone: &str, at_time: &str) -> Vec<(OccurrenceId, Moment)> {
    let zone = TimeZone::get(zone).expect("a zone");
    let time = parhelion::model::schedule::time(at_time).expect("a time");
    let (first, last) = (at(SINCE), at(END) + SignedDuration::from_hours(48));
    let mut day = zone.to_datetime(first).date();
    let mut runs = Vec::new();
    while day < zone.to_datetime(last).date() {
        let due = slowly(&zone, day, time);
        if due > first {
            runs.push((OccurrenceId { date: day, time, ordinal: 1 }, due));
        }
        day = day.tomorrow().expect("a day");
    }
    runs
}

/// Answers how many occurrences ran.
fn three_years(timing: &Timing, runs: &[(OccurrenceId, Moment)], seed: u64, longest_step: i64) -> usize {
    let mut life = Life {
        timing: timing.clone(),
        next: Moment::MIN,
        last: Moment::MIN,
        dice: seed | 1,
        noted: BTreeMap::new(),
        started: BTreeMap::new(),
    };
    let (since, end) = (at(SINCE), at(END));
    // Something happens every four hundred hours or so.
    let disturbance = (800 * 3600 / longest_step) as u64;
    // The wall clock as it is shown: true time, stepped.
    let mut now = since;
    let mut looks: Vec<Moment> = Vec::new();
    while now < end {
        life.look(since, now);
        looks.push(now);
        now += match life.roll(disturbance) {
            0 => SignedDuration::from_hours(life.roll(72) as i64),
            1 => -SignedDuration::from_mins(life.roll(26 * 60) as i64),
            2 => SignedDuration::from_mins(life.roll(600) as i64),
            _ => SignedDuration::from_secs(1 + life.roll(longest_step as u64) as i64),
        };
        now = now.max(since);
    }
    for (id, times) in &life.started {
        assert_eq!(*times, 1, "{id} ran more than once");
    }
    // Every look within twelve hours of an occurrence, with no later one in between, must have found it run.
    looks.sort_unstable();
    let mut ran = 0;
    for pair in runs.windows(2) {
        let ((id, due), (_, next)) = (pair[0], pair[1]);
        let limit = next.min(due + SignedDuration::from_hours(12) + SignedDuration::from_nanos(1));
        let first = looks.partition_point(|look| *look < due);
        let seen = looks.get(first).is_some_and(|look| *look < limit);
        assert_eq!(life.started.contains_key(&id), seen, "{id}, due {due}");
        ran += usize::from(seen);
    }
    assert_eq!(life.started.len(), ran, "nothing else ran");
    ran
}

const SINCE: &str = "2025-01-15T12:00:00Z";
const END: &str = "2028-01-15T12:00:00Z";
const ZONES: [(&str, &str); 5] = [
    ("Europe/London", "01:30"),
    ("America/New_York", "02:30"),
    ("Australia/Lord_Howe", "02:15"),
    ("Africa/Cairo", "00:20"),
    ("Asia/Kathmandu", "23:55"),
];

/// With `PARHELION_LONG=1` a look every minute or so and many seeds.
#[test]
fn three_years_in_five_zones_run_each_occurrence_once_and_miss_none() {
    let is_long = std::env::var_os("PARHELION_LONG").is_some();
    let (seeds, step) = if is_long { (20, 120) } else { (3, 2 * 3600) };
    for (zone, time) in ZONES {
        let (timing, runs) = (timing(&daily(time), zone), oracle(zone, time));
        for seed in 1..=seeds {
            let ran = three_years(&timing, &runs, seed * 7919, step);
            assert!(ran > 700, "{zone}: {ran} runs in three years");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn occurrences_come_in_order_and_each_name_once(
        zone in 0..5_usize,
        minute in 0..1440_u32,
        hours in 1..=24_u32,
        jitter in 0..=120_u32,
        day in 0..900_i64,
        weekdays in any::<bool>(),
    ) {
        let repeat = if weekdays { Repeat::Weekdays } else { Repeat::Hours };
        let schedule = Schedule {
            repeat,
            every_hours: hours,
            jitter_minutes: jitter,
            ..daily(&format!("{:02}:{:02}", minute / 60, minute % 60))
        };
        let timing = timing(&schedule, ZONES[zone].0);
        let from = at("2025-01-01T00:00:00Z") + SignedDuration::from_hours(24 * day);
        let found: Vec<_> = timing.after(from).take(80).collect();
        prop_assert_eq!(found.len(), 80);
        prop_assert!(found[0].due > from);
        prop_assert!(found.windows(2).all(|pair| pair[0].due < pair[1].due && pair[0].id < pair[1].id));
    }
}
