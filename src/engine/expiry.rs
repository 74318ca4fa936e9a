//! Secrets that expire (P47): said from thirty days before, in the overview, in tests, by `doctor` and by notices.

use crate::model::settings::Settings;
use crate::model::{Date, Place};

/// From so many days before the end a secret is spoken of.
pub const EARLY: i64 = 30;
/// Days before the end on which a notice goes out, besides the day itself.
pub const NOTICES: [i64; 3] = [EARLY, 7, 1];

/// When a secret expires, seen from one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    pub place: Place,
    pub on: Date,
    /// Negative once it is past.
    pub days: i64,
}

impl Expiry {
    /// Of the places whose secret has a date, as far as their integration is on.
    pub fn all(settings: &Settings, today: Date) -> impl Iterator<Item = Self> {
        Place::all().filter_map(move |place| match place {
            Place::Of(of) if !settings.of(of).enabled => None,
            place => Self::of(settings, place, today),
        })
    }

    pub fn of(settings: &Settings, place: Place, today: Date) -> Option<Self> {
        let on = settings.secret_expires(place)?;
        let days = on.duration_since(today).as_hours() / 24;
        Some(Self { place, on, days })
    }

    pub const fn is_near(&self) -> bool {
        self.days <= EARLY
    }

    /// `the secret of ALSO expires on 2027-01-31, in 12 days`
    pub fn sentence(&self) -> String {
        let (whose, on) = (self.place.label(), self.on);
        match self.days {
            ..0 => format!("the secret of {whose} expired on {on}: renew it, then set its new date"),
            0 => format!("the secret of {whose} expires today"),
            1 => format!("the secret of {whose} expires tomorrow, {on}"),
            days => format!("the secret of {whose} expires on {on}, in {days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_counted_to_the_date_and_beyond() {
        let mut settings = Settings::default();
        settings.halo.secret_expires = "2027-01-31".into();
        settings.also.secret_expires = "2027-02-01".into();
        let seen = |today| Expiry::of(&settings, Place::Halo, today).unwrap();
        for (today, days, near) in [
            (date(2026, 12, 31), 31, false),
            (date(2027, 1, 1), 30, true),
            (date(2027, 1, 31), 0, true),
            (date(2027, 2, 2), -2, true),
        ] {
            let expiry = seen(today);
            assert_eq!((expiry.days, expiry.is_near()), (days, near), "{today}");
        }
        assert!(seen(date(2027, 2, 2)).sentence().contains("expired on 2027-01-31"));
        let on: Vec<_> = Expiry::all(&settings, date(2027, 1, 1)).map(|e| e.place).collect();
        assert_eq!(on, [Place::Halo], "what is off reminds of nothing");
    }
}
