//! `completions SHELL` and `man`, made from the same tree that reads the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Args;
use super::exit::{DONE, Failure};
use super::out::Out;
use crate::model::{Class, Problem};

pub fn completions(out: &Out, shell: Shell) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "parhelion", &mut text);
    out.text(&String::from_utf8_lossy(&text))?;
    Ok(DONE)
}

/// One page with every command in it, or a page a command in a folder.
pub fn man(out: &Out, dir: Option<&Path>) -> Result<u8, Failure> {
    let mut tree = Args::command();
    tree.build();
    if let Some(dir) = dir {
        clap_mangen::generate_to(tree, dir).map_err(|error| {
            Problem::new(Class::Local, format!("The pages cannot be written to {}: {error}.", dir.display()))
                .remedy("Name a folder that is there and that you may write to.")
        })?;
        let message = format!("The pages are in {}.", dir.display());
        out.either(&super::json::Done { message: &message }, || message.clone())?;
        return Ok(DONE);
    }
    let mut page = Vec::new();
    whole(&tree, &mut page)
        .map_err(|error| Problem::new(Class::Local, format!("The page cannot be made: {error}.")))?;
    out.text(&String::from_utf8_lossy(&page))?;
    Ok(DONE)
}

/// The top page, and below it each command's own usage and options.
fn whole(tree: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    Man::new(tree.clone()).render(page)?;
    commands(tree, page)
}

fn commands(of: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    for command in of.get_subcommands().filter(|sub| sub.get_name() != "help") {
        if command.has_subcommands() {
            commands(command, page)?;
            continue;
        }
        let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
        page.extend(format!(".SH \"{name}\"\n").bytes());
        let man = Man::new(without_global(command));
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        man.render_options_section(&mut section)?;
        page.extend(String::from_utf8_lossy(&section).replace(".SH ", ".SS ").bytes());
    }
    Ok(())
}

/// What stands on the top page need not stand on every command's.
fn without_global(command: &clap::Command) -> clap::Command {
    let hidden = command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().clone());
    hidden
        .collect::<Vec<_>>()
        .into_iter()
        .fold(command.clone(), |command, id| command.mut_arg(id, |arg| arg.hide(true)))
}
