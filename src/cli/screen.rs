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
    on_profiles(args, args.global.profile.clone())
}

/// A profile, and every other that is gone to from there; hosts are started where there are none.
fn on_profiles(args: &Args, profile: Option<String>) -> Result<u8, Failure> {
    let mut start =
        Start { data_dir: args.global.data_dir.clone(), profile, key_file: args.global.key_file.clone() };
    loop {
        let places = Places::find(start.profile.as_deref(), start.data_dir.as_deref())?;
        let line = start.attach(&places, Kind::Screen)?;
        match on(args, &places, &line)? {
            Next::Done(code) => return Ok(code),
            Next::Profile(name) => start.profile = Some(name),
        }
    }
}

/// What comes after a screen.
enum Next {
    Done(u8),
    /// The same on this profile.
    Profile(String),
}

/// `attach`: never starts anything.
pub fn attach(args: &Args, out: &Out) -> Result<u8, Failure> {
    needs_terminal(out)?;
    let places = super::places(args)?;
    let line = Line::attach(&places, Kind::Screen, None)?.ok_or_else(|| {
        Problem::new(Class::Input, format!("No host runs for the profile '{}'.", places.profile))
            .remedy("`parhelion` alone starts one; `parhelion serve` does so for good.")
    })?;
    match on(args, &places, &line)? {
        Next::Done(code) => Ok(code),
        Next::Profile(name) => on_profiles(args, Some(name)),
    }
}

fn needs_terminal(out: &Out) -> Result<(), Problem> {
    if out.json || !has_terminal() {
        return Err(Problem::new(Class::Input, "The screen needs a terminal on standard input and output.")
            .remedy("Name a command, such as `parhelion plan also`; `parhelion --help` lists them."));
    }
    Ok(())
}

fn on(args: &Args, places: &Places, line: &Line) -> Result<Next, Failure> {
    let _ = super::REPORTS.set(places.reports());
    let host = line.host();
    let profile = host.map_or(&places.profile, |host| &host.profile).clone();
    let places = Places { profile, ..places.clone() };
    let handle = line.handle();
    // A folder or a key of its own belongs to one profile.
    let is_plain = args.global.data_dir.is_none() && args.global.key_file.is_none();
    let others = Places::all().into_iter().map(|other| other.profile).filter(|name| *name != places.profile);
    let profiles = if is_plain { others.collect() } else { Vec::new() };
    let notice = host.and_then(|host| host.warning.clone());
    let code = match run(args, &handle, &places, profiles, notice, host.is_none())? {
        Left::Switch(name) => return Ok(Next::Profile(name)),
        left => code(&left),
    };
    // A host that is still on its way has nothing under way that a person here would know of.
    if code == DONE && line.host().is_some() {
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
    Ok(Next::Done(code))
}

/// The screen, until it is left.
pub fn show(args: &Args, handle: &Handle, places: &Places, notice: Option<String>) -> Result<u8, Failure> {
    Ok(code(&run(args, handle, places, Vec::new(), notice, false)?))
}

fn run(
    args: &Args,
    handle: &Handle,
    places: &Places,
    profiles: Vec<String>,
    notice: Option<String>,
    is_starting: bool,
) -> Result<Left, Problem> {
    let options = ui::Options {
        profile: places.profile.clone(),
        profiles,
        plain: args.global.plain,
        no_color: args.global.no_color,
        theme: None,
        config_dir: places.config.clone(),
        data_dir: Some(places.data.clone()),
        notice,
        is_shared: handle.is_shared(),
        is_starting,
    };
    match ui::run(handle.clone(), options)? {
        Left::Failed(problem) => Err(*problem),
        left => Ok(left),
    }
}

fn code(left: &Left) -> u8 {
    match left {
        Left::Quit | Left::Switch(_) => DONE,
        Left::Stopped(job) => {
            complain(&format!("{job} was interrupted. `parhelion job resume {job}` goes on with it."));
            INTERRUPTED
        }
        Left::Failed(problem) => problem.exit_code(),
        Left::Signal(number) => u8::try_from(128 + number).unwrap_or(FAILED),
    }
}
