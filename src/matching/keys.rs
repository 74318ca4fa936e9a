//! Keys beside the name: VAT numbers and mail domains. They make two customers look alike, never the same.

/// A VAT number as it is compared: letters and digits in capitals. `None` for what is no number of anybody's own
/// (blank, a word, one character over and over: P22).
pub fn vat_form(text: &str) -> Option<String> {
    let form: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    let digits: Vec<char> = form.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 5 && digits.iter().any(|digit| *digit != digits[0])).then_some(form)
}

/// The domain of a mail address, a web address or a bare domain as people type it; `None` for what has none.
pub fn domain_in(text: &str) -> Option<Box<str>> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let text = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let text = text.rsplit('@').next().unwrap_or_default().trim();
    let text = text.strip_prefix("www.").unwrap_or(text).trim_end_matches('.');
    (text.contains('.') && !text.starts_with('.')).then(|| text.into())
}

/// Whether a mail domain can belong to one customer, so that two who share it may be one.
pub fn is_own_domain(domain: &str) -> bool {
    const PUBLIC: &[&str] = &[
        "aol.com",
        "bigpond.com",
        "bluewin.ch",
        "btinternet.com",
        "btopenworld.com",
        "comcast.net",
        "email.com",
        "fastmail.com",
        "free.fr",
        "freenet.de",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.de",
        "hotmail.fr",
        "icloud.com",
        "laposte.net",
        "libero.it",
        "live.co.uk",
        "live.com",
        "live.nl",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "ntlworld.com",
        "o2.pl",
        "onmicrosoft.com",
        "orange.fr",
        "outlook.com",
        "outlook.de",
        "outlook.fr",
        "pm.me",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "sfr.fr",
        "sky.com",
        "t-online.de",
        "talktalk.net",
        "tiscali.co.uk",
        "virginmedia.com",
        "wanadoo.fr",
        "web.de",
        "wp.pl",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yandex.ru",
        "ymail.com",
        "zoho.com",
    ];
    let domain = domain.trim().trim_end_matches('.').to_ascii_lowercase();
    domain.contains('.') && PUBLIC.binary_search(&domain.as_str()).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vat_numbers_compare_without_spaces_and_case_and_placeholders_are_none() {
        assert_eq!(vat_form("gb 999 9999 73"), vat_form("GB999999973"));
        for none in ["", " ", "N/A", "000000000", "GB999999999", "tbc", "GB 1"] {
            assert_eq!(vat_form(none), None, "{none}");
        }
    }

    #[test]
    fn a_domain_is_found_in_whatever_people_type() {
        for text in [
            "blueheron.example",
            " HTTPS://www.BlueHeron.example/about?x#y ",
            "http://blueheron.example:8080",
            "www.blueheron.example.",
            "info@blueheron.example",
        ] {
            assert_eq!(domain_in(text).as_deref(), Some("blueheron.example"), "{text}");
        }
        for none in ["", "n/a", "localhost", ".example", "https://"] {
            assert_eq!(domain_in(none), None, "{none}");
        }
    }

    #[test]
    fn everybodys_mail_domain_is_nobodys_own() {
        assert!(is_own_domain("alderfinch.example"));
        assert!(!is_own_domain("GMail.com") && !is_own_domain("") && !is_own_domain("localhost"));
        assert!(!is_own_domain("aol.com") && !is_own_domain("zoho.com") && !is_own_domain("web.de"));
    }
}
