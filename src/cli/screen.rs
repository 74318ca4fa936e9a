//! Opens the screen on a profile.

use super::args::Args;
use super::exit::{DONE, FAILED, Failure, INTERRUPTED};
use super::out::{Out, complain, has_terminal};
use crate::host::{Handle, Home, Options};
use crate::model::{Class, Problem};
use crate::ui::{self, Left};

pub fn open(args: &Args, out: &Out) -> Result<u8, Failure> {
    if out.json || !has_terminal() {
        return Err(Problem::new(Class::Input, "The screen needs a terminal on standard input and output.")
            .remedy("Name a command, such as `parhelion plan also`; `parhelion --help` lists them.")
            .into());
    }
    let options = Options {
        data_dir: args.global.data_dir.clone(),
        profile: args.global.profile.clone(),
        key_file: args.global.key_file.clone(),
        schedules: true,
        command: args.words(),
    };
    let home = super::open(&options, out)?;
    let handle = home.handle();
    let result = show(args, &handle, &home);
    home.close();
    result
}

/// The screen, until it is left.
pub fn show(args: &Args, handle: &Handle, home: &Home) -> Result<u8, Failure> {
    let places = home.places();
    let options = ui::Options {
        profile: places.profile.clone(),
        plain: args.global.plain,
        no_color: args.global.no_color,
        theme: None,
        config_dir: places.config.clone(),
        data_dir: Some(places.data.clone()),
        notice: home.notice().map(str::to_owned),
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
