//! The program's own log: JSON Lines, a file a day, never standard output. Its last line of defence replaces every
//! known secret, in every form it can take on the way (sync-engine section 16).

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::model::{Class, Problem, Secret};

/// What stands in the place of a secret.
const MASK: &str = "***";
/// Days of logs that are kept.
const DAYS: usize = 14;
/// Shorter texts are no secrets: replacing them would only spell them out by what is missing.
const SHORTEST: usize = 4;

/// Known secrets in all their forms, longest first: one secret may be the beginning of another.
static KNOWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// From now on this text never reaches the log, a report or standard error.
pub fn keep_out(secret: &Secret) {
    let forms = forms(secret.expose());
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.extend(forms);
    known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    known.dedup();
}

/// The text without any known secret.
pub fn clean(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    replaced(text, &known)
}

/// Starts the log in this folder; `verbose` as often as `-v` was given.
pub fn start(folder: &Path, verbose: u8) -> Result<(), Problem> {
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("parhelion")
        .filename_suffix("jsonl")
        .max_log_files(DAYS)
        .build(folder)
        .map_err(|error| {
            Problem::new(Class::Local, format!("The log in {} cannot be opened: {error}.", folder.display()))
                .remedy("Make the folder writable for this user, or name another with --data-dir.")
        })?;
    let level = match verbose {
        0 => "warn,parhelion=info",
        1 => "warn,parhelion=debug",
        _ => "info,parhelion=trace",
    };
    let lines = tracing_subscriber::fmt::layer().json().with_ansi(false).with_writer(Clean(appender));
    tracing_subscriber::registry()
        .with(tracing_subscriber::EnvFilter::new(level))
        .with(lines)
        .with(tracing_error::ErrorLayer::default())
        .try_init()
        .map_err(|error| Problem::new(Class::Local, format!("The log cannot be started: {error}.")))
}

/// Writes what it is given without secrets. The layer above hands over one whole line at a time.
struct Clean<W>(W);

impl<W: Write> Write for Clean<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(clean(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Clean<M> {
    type Writer = Clean<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Clean(self.0.make_writer())
    }
}

fn replaced<'a>(text: &'a str, known: &[String]) -> Cow<'a, str> {
    known.iter().fold(Cow::Borrowed(text), |text, form| {
        if text.contains(form) { Cow::Owned(text.replace(form, MASK)) } else { text }
    })
}

/// Every form a secret takes in a request or a log line: raw, in a URL or a form, in base64 (alone or inside a longer
/// text, as in a basic sign-in), each as it stands and inside JSON, up to JSON within JSON.
fn forms(secret: &str) -> Vec<String> {
    if secret.trim().len() < SHORTEST {
        return Vec::new();
    }
    let mut forms = vec![secret.to_owned(), secret.trim().to_owned()];
    for upper in [true, false] {
        let url = percent(secret, upper);
        forms.push(url.replace("%20", "+"));
        forms.push(url);
    }
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        forms.push(engine.encode(secret));
    }
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).filter_map(|offset| inside_base64(&engine, secret, offset)));
    }
    let in_json: Vec<_> = forms.iter().map(|form| escape(form)).collect();
    let in_json_in_json: Vec<_> = in_json.iter().map(|form| escape(form)).collect();
    forms.extend(in_json);
    forms.extend(in_json_in_json);
    forms.sort();
    forms.dedup();
    forms
}

/// The characters that a secret alone decides when it stands `offset` bytes into a group of three.
fn inside_base64(engine: &impl base64::Engine, secret: &str, offset: usize) -> Option<String> {
    let padded = [&b"\0\0"[..offset], secret.as_bytes()].concat();
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    let core = engine.encode(&padded).get(first..last)?.to_owned();
    (core.len() >= 2 * SHORTEST).then_some(core)
}

fn percent(text: &str, upper: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

/// As it stands between the quotes of a JSON text.
fn escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p\"ss w\\rd/+é&9";

    fn known(secrets: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
        all.sort_by_key(|form| std::cmp::Reverse(form.len()));
        all
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let known = known(&[SECRET]);
        let json = escape(SECRET);
        for form in [
            SECRET.to_owned(),
            json.clone(),
            escape(&json),
            percent(SECRET, true),
            percent(SECRET, false),
            percent(SECRET, true).replace("%20", "+"),
            STANDARD.encode(SECRET),
            URL_SAFE_NO_PAD.encode(SECRET),
        ] {
            let line = format!("before {form} after");
            assert_eq!(replaced(&line, &known), format!("before {MASK} after"), "{form}");
        }
    }

    #[test]
    fn a_secret_inside_a_longer_base64_text_is_found() {
        let known = known(&[SECRET]);
        for name in ["a", "ab", "abc"] {
            let sign_in = STANDARD.encode(format!("{name}:{SECRET}:tail"));
            let line = replaced(&sign_in, &known).into_owned();
            assert!(line.contains(MASK), "{name}");
            assert!(line.len() < sign_in.len() - SECRET.len(), "{line}");
        }
    }

    #[test]
    fn a_secret_that_begins_another_leaves_no_rest_of_it() {
        assert_eq!(replaced("key=hunter2-and-more!", &known(&["hunter2", "hunter2-and-more"])), "key=***!");
    }

    #[test]
    fn blank_and_tiny_texts_are_not_replaced_everywhere() {
        assert_eq!(replaced("a b c", &known(&["", " ", "b"])), "a b c");
    }

    #[test]
    fn the_writer_cleans_whole_lines() {
        keep_out(&Secret::new("sesame-in-the-log"));
        let mut line = Clean(Vec::new());
        line.write_all(b"{\"message\":\"sesame-in-the-log\"}\n").unwrap();
        assert_eq!(String::from_utf8(line.0).unwrap(), "{\"message\":\"***\"}\n");
    }
}
