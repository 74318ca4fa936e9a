//! The README's table of commands, made from the commands themselves.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::args::Args;

/// Every command with its arguments, and the options that work everywhere.
pub fn markdown() -> String {
    let mut root = Args::command();
    root.build();
    let mut text = String::from("| Command | Does |\n|---|---|\n| `parhelion` | Opens the screen |\n");
    commands(&root, "", &mut text);
    text += "\n| Everywhere | Means |\n|---|---|\n";
    for arg in root.get_arguments().filter(|arg| is_our_own(arg)) {
        let short = arg.get_short().map(|short| format!("`-{short}` ")).unwrap_or_default();
        let _ = writeln!(text, "| {short}`--{}` | {} |", spelled(arg), cell(arg.get_help()));
    }
    text
}

fn commands(of: &Command, path: &str, text: &mut String) {
    for command in of.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{path}{} ", command.get_name());
        if command.has_subcommands() {
            commands(command, &name, text);
            continue;
        }
        let arguments: Vec<String> = command
            .get_arguments()
            .filter(|arg| is_our_own(arg) && !arg.is_global_set())
            .map(usage)
            .collect();
        let line = format!("{name}{}", arguments.join(" "));
        let _ =
            writeln!(text, "| `{}` | {} |", line.trim_end().replace('|', "\\|"), cell(command.get_about()));
    }
}

fn is_our_own(arg: &Arg) -> bool {
    !arg.is_hide_set()
        && !matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
        )
}

fn usage(arg: &Arg) -> String {
    let text = match arg.get_long() {
        Some(_) => format!("--{}", spelled(arg)),
        None => value(arg),
    };
    let text = if arg.is_required_set() { text } else { format!("[{text}]") };
    if matches!(arg.get_action(), ArgAction::Append) { format!("{text}...") } else { text }
}

fn spelled(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_default();
    if arg.get_action().takes_values() { format!("{long} {}", value(arg)) } else { long.to_owned() }
}

/// The words a value may be, or what it is called.
fn value(arg: &Arg) -> String {
    let words: Vec<_> = arg.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect();
    if words.is_empty() {
        arg.get_value_names().unwrap_or_default().first().map(ToString::to_string).unwrap_or_default()
    } else {
        words.join("|")
    }
}

fn cell(help: Option<&StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default().replace('|', "\\|")
}
