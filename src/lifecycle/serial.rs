//! Which serial numbers are a thing's own, and which are what a maker left in by mistake (section 8.7).

/// What firmware and people write where no serial is known.
const PLACEHOLDERS: &[&str] = &[
    "0123456789",
    "123456789",
    "1234567890",
    "12345678",
    "chassisserialnumber",
    "default",
    "defaultstring",
    "empty",
    "invalid",
    "na",
    "none",
    "noserial",
    "notapplicable",
    "notavailable",
    "notspecified",
    "null",
    "oem",
    "serial",
    "serialnumber",
    "systemserialnumber",
    "tba",
    "tbc",
    "tbd",
    "test",
    "tobefilledbyoem",
    "unknown",
];

/// A serial as it is compared: letters and digits in capitals. `None` for a placeholder, for one character over and
/// over, and for what is too short to tell two things apart.
pub fn serial_form(text: &str) -> Option<String> {
    let form: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let first = form.chars().next()?;
    let is_good = form.len() >= 4
        && form.chars().any(|c| c != first)
        && !PLACEHOLDERS.contains(&form.to_ascii_lowercase().as_str());
    is_good.then_some(form)
}

/// Whether there is something to compare at all; cheaper than the form.
pub fn is_good(text: &str) -> bool {
    serial_form(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_serials() {
        for none in [
            "",
            " ",
            "N/A",
            "To be filled by O.E.M.",
            "Default string",
            "0000000",
            "xxxxxx",
            "123",
            "System Serial Number",
        ] {
            assert_eq!(serial_form(none), None, "{none}");
        }
        assert_eq!(serial_form(" 5cg-1234xyz "), Some("5CG1234XYZ".into()));
    }
}
