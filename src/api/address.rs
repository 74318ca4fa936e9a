//! Addresses as people paste them, cleaned (C3, C4, P48, apis/also.md 1, apis/halopsa.md 1.6).

use reqwest::Url;

use crate::model::{Class, Problem};

/// A cleaned address and, in sentences, what was changed of the typed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// Without a slash at the end.
    pub url: String,
    pub changes: Vec<String>,
}

/// A marketplace's address: scheme and host, nothing behind.
///
/// # Errors
/// Blank, not an address, or `http://` to another machine without the "test server" switch.
pub fn clean_origin(what: &str, typed: &str, allow_http: bool) -> Result<Cleaned, Problem> {
    let (url, mut changes) = parse(what, typed, allow_http)?;
    if url.path() != "/" {
        changes.push(format!("removed the path '{}' behind the host", url.path()));
    }
    Ok(Cleaned { url: url.origin().ascii_serialization(), changes })
}

/// Liongard's instance: a bare word such as `us1`, a host, or a whole address (apis/liongard.md 2).
///
/// # Errors
/// As [`clean_origin`].
pub fn clean_instance(typed: &str, allow_http: bool) -> Result<Cleaned, Problem> {
    let word = typed.trim();
    let is_word = !word.is_empty() && word != "localhost" && word.chars().all(|c| c.is_ascii_alphanumeric());
    let whole = if is_word { format!("https://{word}.app.liongard.com") } else { typed.to_owned() };
    let mut cleaned = clean_origin("Liongard's address", &whole, allow_http)?;
    if is_word {
        cleaned.changes.push("completed the name of the instance".to_owned());
    }
    // The form without `/api` in the path has it in the host.
    if let Some(rest) =
        cleaned.url.strip_prefix("https://api.").filter(|rest| rest.ends_with(".app.liongard.com"))
    {
        cleaned.url = format!("https://{rest}");
        cleaned.changes.push("removed 'api.' before the instance".to_owned());
    }
    Ok(cleaned)
}

/// One of Halo's two addresses: `own_path` (`/api`, `/auth`) is added where only a host was given; what belongs to a
/// single call (`/token`) is taken off.
///
/// # Errors
/// As [`clean_origin`].
pub fn clean_base(what: &str, typed: &str, allow_http: bool, own_path: &str) -> Result<Cleaned, Problem> {
    let (url, mut changes) = parse(what, typed, allow_http)?;
    let mut path = url.path().trim_end_matches('/').to_owned();
    if path.is_empty() {
        changes.push(format!("added '{own_path}'"));
        own_path.clone_into(&mut path);
    } else if let Some(at) = find_segment(&path, own_path)
        && at + own_path.len() < path.len()
    {
        let kept = path[..at + own_path.len()].to_owned();
        changes.push(format!("removed '{}' behind '{own_path}'", &path[kept.len()..]));
        path = kept;
    }
    Ok(Cleaned { url: format!("{}{path}", url.origin().ascii_serialization()), changes })
}

/// Where `own_path` stands as whole segments of `path`, in any case.
fn find_segment(path: &str, own_path: &str) -> Option<usize> {
    let lower = path.to_ascii_lowercase();
    let at = lower.find(own_path)?;
    matches!(lower.as_bytes().get(at + own_path.len()), None | Some(b'/')).then_some(at)
}

/// Whether the host is this machine: encryption adds nothing there.
pub fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn parse(what: &str, typed: &str, allow_http: bool) -> Result<(Url, Vec<String>), Problem> {
    let wrong = |message: String, remedy: &str| Problem::new(Class::Input, message).remedy(remedy);
    let mut changes = Vec::new();
    let mut text = typed.trim();
    if text.is_empty() {
        return Err(wrong(format!("{what} is blank."), "Enter an address such as https://example.com."));
    }
    if text.len() != typed.len() {
        changes.push("removed spaces around it".to_owned());
    }
    let bare = text.trim_matches(['"', '\'', '<', '>']).trim();
    if bare.len() != text.len() {
        changes.push("removed quotation marks around it".to_owned());
        text = bare;
    }
    let (text, without_scheme) = if text.contains("://") {
        (text.to_owned(), false)
    } else {
        (format!("https://{}", text.trim_start_matches('/')), true)
    };
    if without_scheme {
        changes.push("added https://".to_owned());
    }
    let mut url = Url::parse(&text).map_err(|error| {
        wrong(
            format!(
                "{what} '{}' is not an address ({error}).",
                crate::model::text::shown(&without_login(&text))
            ),
            "Enter scheme and host, such as https://example.com.",
        )
    })?;
    let host = url.host_str().unwrap_or_default().to_owned();
    if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
        return Err(wrong(format!("{what} must begin with https://, not {}://.", url.scheme()), ""));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err(wrong(
            format!("{what} uses http://, which would send the password unencrypted to {host}."),
            "Use https://, or turn on the test-server switch for this connection.",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let _ = url.set_username("");
        let _ = url.set_password(None);
        changes.push("removed the name and password from the address".to_owned());
    }
    if url.fragment().is_some() || url.query().is_some() {
        url.set_fragment(None);
        url.set_query(None);
        changes.push("removed what follows '#' or '?'".to_owned());
    }
    if text.trim_end_matches('/').len() != text.len() {
        changes.push("removed the slash at the end".to_owned());
    }
    let slashes = url.path().trim_end_matches('/').to_owned();
    url.set_path(&slashes);
    Ok((url, changes))
}

/// What is typed may hold `user:password@`: an error must not repeat it.
fn without_login(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &text[..scheme + 3], &text[at + 1..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(typed: &str) -> String {
        clean_origin("The URL", typed, false).unwrap().url
    }

    #[test]
    fn pasted_addresses_become_scheme_and_host() {
        for typed in [
            "https://cloud.also.com",
            "  https://cloud.also.com/ ",
            "cloud.also.com",
            "https://cloud.also.com/#/login",
            "https://cloud.also.com/SimpleAPI/SimpleAPIService.svc/rest/",
            "HTTPS://Cloud.Also.Com//",
            "\"https://cloud.also.com\"",
            "https://me:secret@cloud.also.com",
        ] {
            assert_eq!(origin(typed), "https://cloud.also.com", "{typed}");
        }
        assert_eq!(origin("http://127.0.0.1:8080/"), "http://127.0.0.1:8080");
        assert_eq!(origin("http://[::1]:80"), "http://[::1]");
        assert_eq!(origin("http://localhost:9"), "http://localhost:9");
    }

    #[test]
    fn what_was_changed_is_said() {
        let cleaned = clean_origin("The URL", " cloud.also.com/portal/ ", false).unwrap();
        assert_eq!(cleaned.changes.len(), 4, "{:?}", cleaned.changes);
        assert!(clean_origin("The URL", "https://cloud.also.com", false).unwrap().changes.is_empty());
    }

    #[test]
    fn unencrypted_addresses_need_the_switch_unless_loopback() {
        let problem = clean_origin("The URL", "http://cloud.also.com", false).unwrap_err();
        assert_eq!(problem.class, Class::Input);
        assert_eq!(
            clean_origin("The URL", "http://cloud.also.com", true).unwrap().url,
            "http://cloud.also.com"
        );
        for bad in ["", "   ", "ftp://x.example", "https://", "http://exa mple", "https://user:pw@ho st"] {
            let problem = clean_origin("The URL", bad, false).unwrap_err();
            assert!(!problem.to_string().contains("pw"), "{problem}");
        }
    }

    #[test]
    fn halos_addresses_keep_their_path() {
        let clean = |typed| clean_base("The URL", typed, false, "/api").unwrap().url;
        assert_eq!(clean("https://x.halopsa.com"), "https://x.halopsa.com/api");
        assert_eq!(clean("https://x.halopsa.com/api/"), "https://x.halopsa.com/api");
        assert_eq!(clean("https://x.halopsa.com/API/Client"), "https://x.halopsa.com/API");
        assert_eq!(clean("https://x.example/halo/api"), "https://x.example/halo/api");
        assert_eq!(clean("https://x.example/apis"), "https://x.example/apis");
        let auth = clean_base("The URL", "x.halopsa.com/auth/token?tenant=a", false, "/auth").unwrap();
        assert_eq!(auth.url, "https://x.halopsa.com/auth");
    }
}
