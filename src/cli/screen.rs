//! Opens the screen on a profile: on the host that runs for it, which is started where there is none.

use super::args::Args;
use super::exit::{DONE, FAILED, Failure, INTERRUPTED};
use super::out::{Out, complain, has_terminal};
use crate::host::start::Start;
use crate::host::words::{Answer, Query};
use crate::host::{Handle, Kind, Line};
use crate::model::{Class, Problem};
use crate::store::Places;
use crate::ui::{self, Left};

/// Plain `parhelion`.
pub fn open(args: &Args, out: &Out) -> Result<u8, Failure> {
    needs_terminal(out)?;
    let places = super::places(args)?;
    let start = Start {
        data_dir: args.global.data_dir.clone(),
        profile: args.global.profile.clone(),
        key_file: args.global.key_file.clone(),
    };
    let line = start.attach(&places, Kind::Screen)?;
    on(args, &places, &line)
}

/// `attach`: never starts anything.
pub fn attach(args: &Args, out: &Out) -> Result<u8, Failure> {
    needs_terminal(out)?;
    let places = super::places(args)?;
    let line = Line::attach(&places, Kind::Screen, None)?.ok_or_else(|| {
        Problem::new(Class::Input, format!("No host runs for the profile '{}'.", places.profile))
            .remedy("`parhelion` alone starts one; `parhelion serve` does so for good.")
    })?;
    on(args, &places, &line)
}

fn needs_terminal(out: &Out) -> Result<(), Problem> {
    if out.json || !has_terminal() {
        return Err(Problem::new(Class::Input, "The screen needs a terminal on standard input and output.")
            .remedy("Name a command, such as `parhelion plan also`; `parhelion --help` lists them."));
    }
    Ok(())
}

fn on(args: &Args, places: &Places, line: &Line) -> Result<u8, Failure> {
    let _ = super::REPORTS.set(places.reports());
    let places = Places { profile: line.host().profile.clone(), ..places.clone() };
    let handle = line.handle();
    let code = show(args, &handle, &places, line.host().warning.clone())?;
    if code == DONE {
        // What goes on without us, in one line.
        let running = async {
            match handle.ask(Query::Overview).await {
                Ok(Answer::Overview(overview)) => overview.running,
                _ => None,
            }
        };
        if let Some(progress) = super::runtime()?.block_on(running) {
            complain(&format!("{} goes on. `parhelion` shows it again.", progress.job));
        }
    }
    Ok(code)
}

/// The screen, until it is left.
pub fn show(args: &Args, handle: &Handle, places: &Places, notice: Option<String>) -> Result<u8, Failure> {
    let options = ui::Options {
        profile: places.profile.clone(),
        plain: args.global.plain,
        no_color: args.global.no_color,
        theme: None,
        config_dir: places.config.clone(),
        data_dir: Some(places.data.clone()),
        notice,
        is_shared: handle.is_shared(),
    };
    match ui::run(handle.clone(), options)? {
        Left::Quit => Ok(DONE),
        Left::Stopped(job) => {
            complain(&format!("{job} was interrupted. `parhelion job resume {job}` goes on with it."));
            Ok(INTERRUPTED)
        }
        Left::Signal(number) => Ok(u8::try_from(128 + number).unwrap_or(FAILED)),
    }
}
