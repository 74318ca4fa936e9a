//! Dates without time zones, and moments with them.

pub use jiff::Timestamp as Moment;
pub use jiff::civil::Date;

/// Halo's own word for "no date" (apis/halopsa.md 2): writing it blanks a date, and it reads back as none.
pub const NO_DATE: Date = jiff::civil::date(1901, 1, 1);

/// Reads a vendor's date: ISO 8601 with or without a time, 0 to 9 fraction digits, with or without a zone. The
/// calendar date is kept as written, never shifted (apis/also.md 12). Blank text and sentinels before 1902 (Halo's
/// 1899-1901, .NET's year 1) mean "none".
pub fn parse_vendor_date(text: &str) -> Result<Option<Date>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.get(..10).ok_or_else(|| format!("'{text}' is not a date"))?;
    let rest = &text[10..];
    if !(rest.is_empty() || rest.starts_with('T') || rest.starts_with(' ')) {
        return Err(format!("'{text}' is not a date"));
    }
    let date: Date = day.parse().map_err(|_| format!("'{text}' is not a date"))?;
    Ok((date.year() >= 1902).then_some(date))
}

/// A vendor's moment, with or without a zone; without one it is taken as UTC (apis/halopsa.md 5). `None` for what is none.
pub fn parse_vendor_moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| Some(local()?.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_without_a_zone_is_utc() {
        let noon: Moment = "2026-02-11T12:00:00Z".parse().unwrap();
        for text in ["2026-02-11T12:00:00", "2026-02-11T12:00:00.000Z", " 2026-02-11T13:00:00+01:00"] {
            assert_eq!(parse_vendor_moment(text), Some(noon), "{text}");
        }
        for none in ["", "yesterday", "2026-02-31T12:00:00"] {
            assert_eq!(parse_vendor_moment(none), None, "{none}");
        }
    }

    #[test]
    fn vendor_dates_keep_the_day_as_written() {
        for text in
            ["2026-03-13", "2026-03-13T00:00:00", "2026-03-13T23:59:59.1234567", "2026-03-13T23:30:00-11:00"]
        {
            assert_eq!(parse_vendor_date(text), Ok(Some(jiff::civil::date(2026, 3, 13))), "{text}");
        }
        for none in ["", " ", "0001-01-01T00:00:00", "1899-12-30T00:00:00", "1901-01-01T09:00:00"] {
            assert_eq!(parse_vendor_date(none), Ok(None), "{none}");
        }
        for bad in ["2026-02-30", "soon", "2026-03-13X", "13/03/2026", "20260313", "é2026-03-13"] {
            assert!(parse_vendor_date(bad).is_err(), "{bad}");
        }
    }
}
