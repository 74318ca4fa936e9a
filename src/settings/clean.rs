//! What people paste, made into what the vendors want (C3, C4, P48). Pure: cleaned text, and a sentence for
//! everything that was changed.

use url::{Host, Url};

/// A cleaned value and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    pub text: String,
    /// One sentence for each change; empty where the text was right as typed.
    pub notes: Vec<String>,
}

/// The address of a marketplace: scheme and host, nothing after it. Blank stays blank (not configured).
///
/// # Errors
/// A sentence for people. It never repeats the address, which may carry a password.
pub fn marketplace_url(text: &str, allow_http: bool) -> Result<Cleaned, String> {
    let Some((url, mut notes)) = parse(text, allow_http)? else { return Ok(blank(text)) };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        notes.push("the part after the host was removed".into());
    }
    Ok(Cleaned { text: url.origin().ascii_serialization(), notes })
}

/// A Halo server's address: its path (`/api`, `/auth`) stays, what follows it (`#/...`, `?...`) and the last slash go.
///
/// # Errors
/// As [`marketplace_url`]. A bare word is the name of an instance of Liongard.
pub fn instance_url(text: &str, allow_http: bool) -> Result<Cleaned, String> {
    let word = text.trim();
    let is_word = !word.is_empty() && word != "localhost" && word.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_word {
        return marketplace_url(text, allow_http);
    }
    let mut cleaned = marketplace_url(&format!("https://{word}.app.liongard.com"), allow_http)?;
    cleaned.notes.push("completed the name of the instance".to_owned());
    Ok(cleaned)
}

/// As [`marketplace_url`].
pub fn halo_url(text: &str, allow_http: bool) -> Result<Cleaned, String> {
    let Some((url, mut notes)) = parse(text, allow_http)? else { return Ok(blank(text)) };
    if url.query().is_some() || url.fragment().is_some() {
        notes.push("the part after the path was removed".into());
    }
    let path = url.path().trim_end_matches('/');
    Ok(Cleaned { text: format!("{}{path}", url.origin().ascii_serialization()), notes })
}

/// Whether `http://` to this address stays on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A sentence where a secret begins or ends with white space, which is nearly always an accident of pasting (C5).
/// The secret itself is left as it is: a few vendors' passwords do contain spaces.
pub fn stray_spaces(secret: &str) -> Option<&'static str> {
    let starts = secret.starts_with(char::is_whitespace);
    match (starts, secret.ends_with(char::is_whitespace)) {
        (true, true) => Some("begins and ends with a space; it was kept as given"),
        (true, false) => Some("begins with a space; it was kept as given"),
        (false, true) => Some("ends with a space or line break; it was kept as given"),
        (false, false) => None,
    }
}

/// Halo's client secrets are two GUIDs joined by a hyphen, its client ids are one: this tells a swap (P48).
pub fn looks_like_halo_secret(text: &str) -> bool {
    let text = text.trim();
    let (Some(first), Some("-"), Some(second)) = (text.get(..36), text.get(36..37), text.get(37..)) else {
        return false;
    };
    is_guid(first) && is_guid(second)
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn blank(text: &str) -> Cleaned {
    let notes = if text.is_empty() { Vec::new() } else { vec!["spaces around it were removed".into()] };
    Cleaned { text: String::new(), notes }
}

/// `None` for blank text.
fn parse(text: &str, allow_http: bool) -> Result<Option<(Url, Vec<String>)>, String> {
    let mut notes = Vec::new();
    let trimmed = text.trim();
    if trimmed.len() != text.len() {
        notes.push("spaces around it were removed".to_owned());
    }
    if trimmed.is_empty() {
        return Ok(None);
    }
    if trimmed.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("is not an address: it has a space or line break inside".into());
    }
    let (scheme, rest) = if let Some((scheme, rest)) = trimmed.split_once("://") {
        (scheme.to_ascii_lowercase(), rest)
    } else {
        notes.push("https:// was put in front".into());
        ("https".to_owned(), trimmed.trim_start_matches('/'))
    };
    if scheme != "https" && scheme != "http" {
        return Err("must begin with https://".into());
    }
    let url = Url::parse(&format!("{scheme}://{rest}"))
        .map_err(|_| "is not an address such as https://host.example".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not carry a user name or password; they have settings of their own".into());
    }
    if scheme == "http" && !allow_http && !is_loopback(&url) {
        return Err(
            "is http://, which sends credentials unprotected; use https://, or set allow_http = true \
                    in this section for a test server"
                .into(),
        );
    }
    if rest.ends_with('/') && url.path() != "/" || rest.matches('/').count() == 1 && rest.ends_with('/') {
        notes.push("the slash at the end was removed".into());
    }
    Ok(Some((url, notes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marketplace_addresses_become_scheme_and_host() {
        for (typed, clean) in [
            ("https://cloud.also.com", "https://cloud.also.com"),
            (" cloud.also.com ", "https://cloud.also.com"),
            ("HTTPS://Cloud.ALSO.com/", "https://cloud.also.com"),
            ("https://cloud.also.com/#/login", "https://cloud.also.com"),
            (
                "https://marketplace.westcoastcloud.co.uk/SimpleAPI/SimpleAPIService.svc/rest/?x=1",
                "https://marketplace.westcoastcloud.co.uk",
            ),
            ("https://host.example:8443/x", "https://host.example:8443"),
            ("http://127.0.0.1:4000/", "http://127.0.0.1:4000"),
            ("http://[::1]:4000", "http://[::1]:4000"),
            ("http://localhost:1", "http://localhost:1"),
            ("", ""),
        ] {
            let cleaned = marketplace_url(typed, false).unwrap();
            assert_eq!(cleaned.text, clean, "{typed}");
            assert_eq!(cleaned.notes.is_empty(), typed == clean, "{typed}: {:?}", cleaned.notes);
        }
    }

    #[test]
    fn halo_keeps_its_path() {
        assert_eq!(halo_url("acme.halopsa.com/api/", false).unwrap().text, "https://acme.halopsa.com/api");
        assert_eq!(halo_url("https://acme.halopsa.com/", false).unwrap().text, "https://acme.halopsa.com");
        assert_eq!(halo_url("https://a.example/auth#/x", false).unwrap().text, "https://a.example/auth");
    }

    #[test]
    fn unsafe_addresses_are_refused_without_repeating_them() {
        for bad in [
            "http://cloud.also.com",
            "http://127.0.0.1.evil.example",
            "ftp://cloud.also.com",
            "https://user:hunter2@cloud.also.com",
            "https://cloud also.com",
            "https://",
        ] {
            let sentence = marketplace_url(bad, false).unwrap_err();
            assert!(!sentence.contains("hunter2") && !sentence.contains("also.com"), "{sentence}");
        }
        assert!(marketplace_url("http://test.example", true).is_ok());
    }

    #[test]
    fn a_swapped_secret_is_seen() {
        let id = "0b3c4d5e-1111-2222-3333-444455556666";
        assert!(!looks_like_halo_secret(id));
        assert!(looks_like_halo_secret(&format!("{id}-{id}")));
        assert!(!looks_like_halo_secret("é".repeat(40).as_str()));
    }
}
