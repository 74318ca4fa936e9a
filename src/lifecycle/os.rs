//! Until when makers support an operating system: public dates, by the words its name has.

use crate::model::Date;

/// Words that must all be in the name, and the last day of (unpaid) support. The first line that fits counts, so
/// finer names stand before coarser ones. Sources: the makers' lifecycle pages as of 2026.
const ENDS: &[(&[&str], Date)] = &[
    (&["windows", "server", "2008"], day(2020, 1, 14)),
    (&["windows", "server", "2012"], day(2023, 10, 10)),
    (&["windows", "server", "2016"], day(2027, 1, 12)),
    (&["windows", "server", "2019"], day(2029, 1, 9)),
    (&["windows", "server", "2022"], day(2031, 10, 14)),
    (&["windows", "server", "2003"], day(2015, 7, 14)),
    (&["windows", "10", "ltsc", "2019"], day(2029, 1, 9)),
    (&["windows", "10", "ltsc", "2021"], day(2027, 1, 12)),
    (&["windows", "xp"], day(2014, 4, 8)),
    (&["windows", "vista"], day(2017, 4, 11)),
    (&["windows", "7"], day(2020, 1, 14)),
    (&["windows", "8.1"], day(2023, 1, 10)),
    (&["windows", "8"], day(2016, 1, 12)),
    (&["windows", "10"], day(2025, 10, 14)),
    (&["ubuntu", "16.04"], day(2021, 4, 30)),
    (&["ubuntu", "18.04"], day(2023, 5, 31)),
    (&["ubuntu", "20.04"], day(2025, 5, 31)),
    (&["ubuntu", "22.04"], day(2027, 4, 30)),
    (&["ubuntu", "24.04"], day(2029, 4, 30)),
    (&["debian", "9"], day(2022, 6, 30)),
    (&["debian", "10"], day(2024, 6, 30)),
    (&["debian", "11"], day(2026, 8, 31)),
    (&["centos", "6"], day(2020, 11, 30)),
    (&["centos", "7"], day(2024, 6, 30)),
    (&["centos", "8"], day(2021, 12, 31)),
    (&["vmware", "esxi", "6.5"], day(2022, 10, 15)),
    (&["vmware", "esxi", "6.7"], day(2022, 10, 15)),
    (&["vmware", "esxi", "7"], day(2025, 10, 2)),
];

const fn day(year: i16, month: i8, day: i8) -> Date {
    jiff::civil::date(year, month, day)
}

/// The last day of support, where the name is known.
pub fn support_end(os: &str) -> Option<Date> {
    if os.is_empty() {
        return None;
    }
    let lower = os.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).collect();
    let has = |word: &&str| {
        words.iter().any(|own| {
            own == word
                // A version goes on with its parts: 7.0.3 is a 7.
                || own.strip_prefix(word).is_some_and(|rest| rest.starts_with('.') && !word.contains('.'))
        })
    };
    ENDS.iter().find(|(needs, _)| needs.iter().all(has)).map(|(_, end)| *end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (os, end) in [
            ("Microsoft Windows 10 Pro", Some(day(2025, 10, 14))),
            ("Windows 11 Pro", None),
            ("Windows Server 2012 R2 Standard", Some(day(2023, 10, 10))),
            ("Microsoft Windows Server 2019 Datacenter", Some(day(2029, 1, 9))),
            ("Windows 8.1", Some(day(2023, 1, 10))),
            ("VMware ESXi 7.0.3", Some(day(2025, 10, 2))),
            ("Ubuntu 20.04 LTS", Some(day(2025, 5, 31))),
            ("Windows 2010", None),
            ("", None),
        ] {
            assert_eq!(support_end(os), end, "{os}");
        }
    }
}
