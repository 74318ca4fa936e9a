//! `sandbox`: the simulated vendors alone, until interrupted.

use super::args;
use super::exit::{DONE, Failure};
use super::files;
use super::out::Out;
use super::progress::Signals;
use crate::model::{Class, Problem};
use crate::sandbox::{Faults, Options, Sandbox};

pub async fn serve(args: &args::Sandbox, out: &Out) -> Result<u8, Failure> {
    let faults = match &args.faults {
        Some(path) => faults(&files::read_text(path)?, &path.display().to_string())?,
        None => Faults::none(),
    };
    let mut signals = Signals::listen()?;
    let options = Options { size: args.size, seed: args.seed, faults, ..Options::default() };
    let served = Sandbox::new(options).serve(args.bind).await.map_err(|error| unserved(&error))?;
    // As it is: `config import` takes it, and a key of ours would be none of the settings.
    out.text(&served.document().to_string())?;
    out.remark("The sandbox serves until Ctrl-C. Import the line above with `parhelion config import FILE`.");
    signals.next().await;
    Ok(DONE)
}

/// TOML, or the same as JSON.
fn faults(text: &str, name: &str) -> Result<Faults, Problem> {
    let faults = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())
    };
    faults.map_err(|error| {
        Problem::new(Class::Input, format!("{name} does not describe faults: {}.", error.trim_end()))
    })
}

pub fn unserved(error: &std::io::Error) -> Problem {
    Problem::new(Class::Local, format!("The sandbox cannot be served: {error}."))
        .remedy("Name an address of this machine with --bind.")
}
