//! The command line: one file a command group, text for people, JSON for scripts. No logic: everything is asked of
//! the engine through [`Handle`].

mod args;
mod audit;
mod backup;
mod config;
mod csv;
mod demo;
mod doctor;
mod exit;
mod fields;
mod files;
mod job;
mod job_files;
mod json;
mod layouts;
mod lifecycle;
mod manual;
mod map;
mod markdown;
mod notify;
mod out;
mod plan;
mod profiles;
mod progress;
mod sandbox;
mod schedule;
mod screen;
mod secret;
mod serve;
mod test;
mod text;

pub use markdown::markdown;

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use args::{Args, Command};
use clap::Parser;
use clap::error::ErrorKind;
use exit::Failure;
use out::{Out, complain};

use crate::host::{Handle, Home, Kind, Line, Options, start};
use crate::logging;
use crate::model::{Class, Problem};
use crate::store::Places;

/// Asks the engine and takes the one answer that fits.
macro_rules! ask {
    ($handle:expr, $query:expr, $answer:ident) => {
        match $handle.ask($query).await {
            Ok(crate::host::words::Answer::$answer(answer)) => Ok(answer),
            Ok(_) => Err(crate::cli::unexpected()),
            Err(problem) => Err(problem),
        }
    };
}

/// Has the engine do something and takes the one reply that fits.
macro_rules! order {
    ($handle:expr, $command:expr, $reply:pat => $out:expr) => {
        match $handle.send($command).await {
            Ok($reply) => Ok($out),
            Ok(_) => Err(crate::cli::unexpected()),
            Err(problem) => Err(problem),
        }
    };
}

pub(crate) use {ask, order};

/// Where a panic leaves its report, once the profile's folder is known.
static REPORTS: OnceLock<std::path::PathBuf> = OnceLock::new();

/// Where a panic leaves its report; `None` before a profile is open.
pub fn reports() -> Option<&'static Path> {
    REPORTS.get().map(std::path::PathBuf::as_path)
}

/// Runs one command line; answers the exit code.
pub fn run(words: &[OsString]) -> u8 {
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => return usage(&error, words),
    };
    let out = Out::new(&args.global);
    match command(&args, &out) {
        Ok(code) => code,
        Err(failure) => {
            report(&out, &failure.problem);
            failure.code
        }
    }
}

/// Says what went wrong: a sentence for people, the error document for scripts.
fn report(out: &Out, problem: &Problem) {
    complain(&problem.to_string());
    if out.json {
        let clean = Problem {
            class: problem.class,
            message: logging::clean(&problem.message).into_owned(),
            remedy: logging::clean(&problem.remedy).into_owned(),
        };
        if let Err(unwritten) = out.document(&json::ErrorDocument::from(&clean)) {
            complain(&unwritten.to_string());
        }
    }
}

/// The document of a bug, for scripts that wait for one.
pub fn report_bug(words: &[OsString]) {
    if wants_json(words) {
        let problem = Problem::new(Class::Local, "Parhelion stopped because of a bug.")
            .remedy("Send the report named on standard error; what was done is kept.");
        let _ = Out::new(&bare(true)).document(&json::ErrorDocument::from(&problem));
    }
}

/// clap's own answers: help and version are none of our errors.
fn usage(error: &clap::Error, words: &[OsString]) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return exit::DONE;
    }
    let _ = error.print();
    if wants_json(words) {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let problem = Problem::new(Class::Input, first.strip_prefix("error: ").unwrap_or(first))
            .remedy("See `parhelion --help`.");
        let _ = Out::new(&bare(true)).document(&json::ErrorDocument::from(&problem));
    }
    exit::USAGE
}

fn wants_json(words: &[OsString]) -> bool {
    words.iter().skip(1).take_while(|word| *word != "--").any(|word| word == "--json")
}

fn bare(json: bool) -> args::Global {
    args::Global {
        data_dir: None,
        profile: None,
        key_file: None,
        json,
        plain: false,
        no_color: false,
        quiet: false,
        verbose: 0,
    }
}

fn command(args: &Args, out: &Out) -> Result<u8, Failure> {
    let Some(command) = &args.command else { return screen::open(args, out) };
    match command {
        Command::Serve(words) => serve::serve(args, words, out),
        Command::Attach => screen::attach(args, out),
        Command::Demo(demo) => demo::run(args, demo, out),
        Command::Sandbox(sandbox) => runtime()?.block_on(sandbox::serve(sandbox, out)),
        Command::Secret(args::SecretCommand::Set { key, from_env, from_file, from_command }) => {
            // Read before the store is locked: a person may take their time.
            let secret =
                secret::read(key, from_env.as_deref(), from_file.as_deref(), from_command.as_deref(), out)?;
            at_home(args, out, async |handle| secret::seal(out, handle, key, secret).await)
        }
        Command::Audit(audit) => audit::run(out, &places(args)?, audit),
        Command::Profiles => profiles::run(out, &places(args)?),
        Command::Doctor { rebuild: false } => runtime()?.block_on(doctor::run(args, out, &places(args)?)),
        Command::Doctor { rebuild: true } => doctor::rebuild(out, &places(args)?),
        Command::Backup { file } => backup::backup(out, &places(args)?, file),
        Command::Restore { file, force } => backup::restore(args, out, &places(args)?, file, *force),
        Command::Completions { shell } => manual::completions(out, *shell),
        Command::Man { dir } => manual::man(out, dir.as_deref()),
        other => at_home(args, out, async |handle| by_handle(other, out, handle).await),
    }
}

async fn by_handle(command: &Command, out: &Out, handle: &Handle) -> Result<u8, Failure> {
    match command {
        Command::Config(config) => config::run(out, handle, config).await,
        Command::Test { place } => test::run(out, handle, *place).await,
        Command::Notify(args::Notify::Test) => notify::test(out, handle).await,
        Command::Map(map) => map::run(out, handle, map).await,
        Command::Fields(command) => fields::run(out, handle, command).await,
        Command::Layouts { integration, fix } => layouts::run(out, handle, *integration, fix).await,
        Command::Plan(plan) => plan::plan(out, handle, plan).await,
        Command::Apply { plan, urgent } => plan::apply(out, handle, plan, *urgent).await,
        Command::Run(run) => plan::run(out, handle, run).await,
        Command::Jobs { issues: true, .. } => job::issues(out, handle).await,
        Command::Jobs { last, .. } => job::list(out, handle, *last).await,
        Command::Job(job) => job::one(out, handle, job).await,
        Command::Schedule(command) => schedule::run(out, handle, command).await,
        Command::Lifecycle(command) => lifecycle::run(out, handle, command).await,
        // Those that need no engine, or more than its handle, never come here.
        Command::Demo(_)
        | Command::Sandbox(_)
        | Command::Secret(_)
        | Command::Serve(_)
        | Command::Attach
        | Command::Audit(_)
        | Command::Profiles
        | Command::Doctor { .. }
        | Command::Backup { .. }
        | Command::Restore { .. }
        | Command::Completions { .. }
        | Command::Man { .. } => Err(unexpected().into()),
    }
}

/// Where the profile's files are: for what needs no engine, so that it works while another process has the store.
fn places(args: &Args) -> Result<Places, Problem> {
    Places::find(args.global.profile.as_deref(), args.global.data_dir.as_deref())
}

/// How long a command waits for a host that is about to answer.
const STARTING: std::time::Duration = std::time::Duration::from_secs(10);

/// Does one command through the host that runs for this profile; where none runs, in a home of its own, closed after,
/// whatever comes of it.
fn at_home(
    args: &Args,
    out: &Out,
    work: impl AsyncFnOnce(&Handle) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let runtime = runtime()?;
    let places = places(args)?;
    let options = options(args);
    let begun = std::time::Instant::now();
    let home = loop {
        if let Some(line) = Line::attach(&places, Kind::Command, None)? {
            return runtime.block_on(work(&line.handle()));
        }
        match open(&options, out) {
            Ok(home) => break home,
            // A host that starts has the store before it listens, and one that ends has it a little longer.
            Err(problem)
                if problem.class == Class::Busy
                    && start::is_starting(&places)
                    && begun.elapsed() < STARTING =>
            {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Err(problem) => return Err(problem.into()),
        }
    };
    if let Some(notice) = home.notice() {
        out.remark(notice);
    }
    let handle = home.handle();
    let result = runtime.block_on(work(&handle));
    home.close();
    result
}

fn options(args: &Args) -> Options {
    Options {
        data_dir: args.global.data_dir.clone(),
        profile: args.global.profile.clone(),
        key_file: args.global.key_file.clone(),
        schedules: false,
        command: args.words(),
    }
}

/// Opens the engine's home, its log and the place for reports.
fn open(options: &Options, out: &Out) -> Result<Home, Problem> {
    let home = Home::open(options)?;
    let places = home.places();
    let _ = REPORTS.set(places.reports());
    if let Err(problem) = logging::start(&places.logs(), out.verbose) {
        // Work without a log is better than no work; the trail is elsewhere.
        out.remark(&problem.to_string());
    }
    if let Some(notice) = home.notice() {
        tracing::warn!(notice);
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), command = options.command, "started");
    Ok(home)
}

/// The command line waits on one thread; the engine has threads of its own.
fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Problem::new(Class::Local, format!("This machine gives the program no threads: {error}."))
    })
}

fn unexpected() -> Problem {
    Problem::new(Class::Local, "The engine gave an answer that does not fit the question; this is a bug.")
        .remedy("Please report it with the command you used.")
}
