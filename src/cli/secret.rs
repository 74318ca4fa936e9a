//! `secret set`: reads one secret once and has it sealed. Secrets are never arguments and never echoed.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command as Child, Stdio};

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::exit::{DONE, Failure};
use super::json::Done;
use super::out::Out;
use crate::host::Handle;
use crate::host::words::{Command, Reply};
use crate::model::text::shown;
use crate::model::{Class, Problem, Secret};
use crate::{logging, settings};

/// Reads the secret from where the flags say, else from a prompt or standard input.
pub fn read(
    key: &str,
    env: Option<&str>,
    file: Option<&Path>,
    command: Option<&str>,
    out: &Out,
) -> Result<Secret, Failure> {
    if settings::find(key).is_none_or(|setting| setting.kind != settings::Kind::Secret) {
        let known: Vec<_> = settings::all()
            .iter()
            .filter(|setting| setting.kind == settings::Kind::Secret)
            .map(|setting| setting.key.clone())
            .collect();
        return Err(Problem::new(Class::Input, format!("'{key}' is not the key of a secret."))
            .remedy(format!("Known are {}.", known.join(", ")))
            .into());
    }
    let text = match (env, file, command) {
        (Some(name), _, _) => std::env::var(name).map_err(|error| {
            let why = match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not text",
            };
            problem(format!("The environment variable {name} {why}."))
        })?,
        (_, Some(path), _) => text_of(super::files::read(path)?, &path.display().to_string())?,
        (_, _, Some(command)) => output_of(command)?,
        _ if io::stdin().is_terminal() => prompt(key)?,
        _ => {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|error| problem(format!("Standard input cannot be read: {error}.")))?;
            text_of(bytes, "Standard input")?
        }
    };
    let text = without_line_end(&text);
    if text.is_empty() {
        return Err(problem(format!("The secret for {key} is empty, so nothing was sealed."))
            .remedy("Give it on standard input, or use --from-env, --from-file or --from-command.")
            .into());
    }
    if text.trim().len() != text.len() {
        out.remark(
            "The secret begins or ends with a space. It is kept as given; set it again if that is a mistake.",
        );
    }
    let secret = Secret::new(text);
    logging::keep_out(&secret);
    Ok(secret)
}

pub async fn seal(out: &Out, handle: &Handle, key: &str, secret: Secret) -> Result<u8, Failure> {
    let command = Command::SealSecret { key: key.to_owned(), secret };
    let message = match handle.send(command).await? {
        Reply::Done(message) => message,
        Reply::Saved { .. } => format!("{key} is sealed."),
        _ => return Err(super::unexpected().into()),
    };
    out.either(&Done { message: &message }, || shown(&message).into_owned())?;
    Ok(DONE)
}

/// One line break at the end belongs to the file, not to the secret.
fn without_line_end(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

fn text_of(bytes: Vec<u8>, from: &str) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| problem(format!("{from} is not text in UTF-8.")))
}

fn output_of(command: &str) -> Result<String, Problem> {
    let child =
        Child::new("/bin/sh").arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output =
        child.map_err(|error| problem(format!("The command for the secret cannot be started: {error}.")))?;
    if !output.status.success() {
        return Err(problem(format!("The command for the secret failed ({}).", output.status))
            .remedy("Run it by hand to see why; nothing was sealed."));
    }
    text_of(output.stdout, "What the command printed")
}

/// Asks on standard error and reads without an echo.
fn prompt(key: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| problem(format!("The terminal cannot be read: {error}."));
    let _ = write!(io::stderr().lock(), "{key} (not shown): ");
    let typed = {
        let _raw = Raw::enter().map_err(failed)?;
        typed().map_err(failed)?
    };
    let _ = writeln!(io::stderr().lock());
    typed.ok_or_else(|| Failure::interrupted(Problem::new(Class::Cancelled, "Nothing was sealed.")))
}

/// The line a person types; `None` after Ctrl-C, Ctrl-D or Esc.
fn typed() -> io::Result<Option<String>> {
    let mut text = String::new();
    loop {
        let Event::Key(key) = crossterm::event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(text)),
            KeyCode::Char('j' | 'm') if is_control => return Ok(Some(text)),
            KeyCode::Esc => return Ok(None),
            KeyCode::Char('c' | 'd') if is_control => return Ok(None),
            KeyCode::Char('u') if is_control => text.clear(),
            KeyCode::Char(c) if !is_control => text.push(c),
            KeyCode::Backspace => {
                text.pop();
            }
            _ => {}
        }
    }
}

/// Raw mode, left again however the reading ends.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Self> {
        enable_raw_mode().map(|()| Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}

fn problem(message: String) -> Problem {
    Problem::new(Class::Input, message).remedy("Nothing was sealed; correct it and try again.")
}

#[cfg(test)]
mod tests {
    use super::without_line_end;

    #[test]
    fn one_line_break_is_cut_and_no_more() {
        assert_eq!(without_line_end("a b \r\n"), "a b ");
        assert_eq!(without_line_end("a\n\n"), "a\n");
        assert_eq!(without_line_end("a"), "a");
    }
}
