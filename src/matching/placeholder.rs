//! Values that firmware and forms leave behind and that say nothing (P22): never used to match.

/// Built in; a person's own entries come on top and never replace them.
const BUILT_IN: &[&str] = &[
    "0123456789",
    "123456789",
    "defaultstring",
    "invalid",
    "na",
    "none",
    "notapplicable",
    "notavailable",
    "notspecified",
    "null",
    "oem",
    "serial",
    "serialnumber",
    "systemmanufacturer",
    "systemname",
    "systemproductname",
    "systemserialnumber",
    "systemversion",
    "tobefilledbyoem",
    "unknown",
    "undefined",
];

/// A value as it is compared: letters and digits in lower case. `None` for one that can belong to many.
pub fn matching_form(text: &str, own: &[String]) -> Option<String> {
    let form = folded(text);
    let mut letters = form.chars();
    let first = letters.next()?;
    if letters.all(|c| c == first) || BUILT_IN.binary_search(&form.as_str()).is_ok() {
        return None;
    }
    (!own.iter().any(|entry| folded(entry) == form)).then_some(form)
}

fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_every_spelling_match_nothing() {
        for none in [
            "",
            " ",
            "0",
            "00000000",
            "N/A",
            "n.a.",
            "None",
            "To be filled by O.E.M.",
            "TO BE FILLED BY O.E.M",
            "System Serial Number",
            "Default string",
            "0123456789",
            "Not Applicable",
            "xxxxxxx",
            "------",
        ] {
            assert_eq!(matching_form(none, &[]), None, "{none}");
        }
        assert_eq!(matching_form(" syn-7q42 ", &[]).as_deref(), Some("syn7q42"));
        assert_eq!(matching_form("TEST 123", &["test123".to_owned()]), None, "a person's own entry");
        assert_eq!(
            matching_form("None", &["test123".to_owned()]),
            None,
            "which replaces none that is built in"
        );
        assert!(BUILT_IN.is_sorted());
    }
}
