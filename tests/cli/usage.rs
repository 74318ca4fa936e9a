//! What needs no engine: usage, help, secrets that are not there.

use std::io::Write;
use std::process::Stdio;

use super::{Done, Profile};

const COMMANDS: [&str; 12] =
    ["demo", "sandbox", "config", "secret", "test", "map", "fields", "plan", "apply", "run", "jobs", "job"];

#[test]
fn mistakes_of_usage_exit_64() {
    let profile = Profile::new();
    for words in [
        &["frobnicate"][..],
        &["plan"],
        &["plan", "nobody"],
        &["plan", "also", "--entity", "invoices"],
        &["run", "also", "--allow-removals"],
        &["apply"],
        &["job", "show", "P7"],
        &["map", "set", "also", "310101"],
        &["map", "set", "also", "310101", "Alder"],
        &["map", "set", "also", " ", "12"],
        &["map", "exclude", "also", "310101", "--until", "soon"],
        &["test", "nobody"],
        &["secret", "set", "also.password", "--from-env", "A", "--from-file", "b"],
        &["secret", "set", "also.password", "hunter2"],
        &["jobs", "--last", "many"],
        &["demo", "--size", "huge"],
    ] {
        let done = profile.run(words).exits(64);
        assert_eq!(done.stdout, "", "{words:?}");
        assert!(!done.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn a_mistake_of_usage_is_a_document_too() {
    let done = Profile::new().run(&["plan", "nobody", "--json"]).exits(64);
    assert!(done.error().contains("nobody"), "{}", done.stdout);
}

#[test]
fn help_and_version_are_no_errors() {
    let profile = Profile::new();
    let help = profile.run(&["--help"]).exits(0).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in: {help}");
        let own = profile.run(&[command, "--help"]).exits(0).stdout;
        assert!(own.contains("--data-dir"), "{own}");
        profile.run(&[command, "-h"]).exits(0);
    }
    assert!(help.contains("130"), "the exit codes belong to the help: {help}");
    assert!(profile.run(&["--version"]).exits(0).stdout.starts_with("parhelion "));
}

#[test]
fn without_a_terminal_the_screen_says_what_to_do_instead() {
    let profile = Profile::new();
    let done = profile.run(&[]).exits(1);
    assert!(done.stderr.contains("terminal") && done.stderr.contains("--help"), "{}", done.stderr);
    assert!(profile.run(&["--json"]).exits(1).error().contains("terminal"));
}

#[test]
fn a_secret_comes_from_somewhere_or_the_sentence_says_how() {
    let profile = Profile::new();
    let set = |more: &[&str]| {
        profile.run(&[&["secret", "set", "also.password", "--json"], more].concat()).exits(1).error()
    };
    assert!(set(&[]).contains("--from-env"));
    assert!(set(&["--from-env", "NO_SUCH_VARIABLE"]).contains("NO_SUCH_VARIABLE"));
    assert!(set(&["--from-file", "/no/such/file"]).contains("/no/such/file"));
    assert!(set(&["--from-command", "exit 3"]).contains('3'));
    let unknown = profile.run(&["secret", "set", "also.username", "--json"]).exits(1).error();
    assert!(unknown.contains("also.password"), "{unknown}");
}

#[test]
fn a_secret_is_read_before_anything_else_and_never_said() {
    let profile = Profile::new();
    let words = ["secret", "set", "also.username", "--json"];
    let mut child = profile
        .command(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(b"planted-in-stdin\n");
    let done = Done::of(&words, &child.wait_with_output().unwrap()).exits(1);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains("planted"), "{}", done.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_bug() {
    let profile = Profile::new();
    let mut child =
        profile.command(&["--help"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    assert_ne!(output.status.code(), Some(101));
}
