//! The binary: installs what reports bugs, then hands over to the command line.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use parhelion::{cli, logging};

fn main() -> ExitCode {
    one_heap();
    report_bugs();
    no_core_dumps();
    let words: Vec<OsString> = std::env::args_os().collect();
    let code = catch_unwind(AssertUnwindSafe(|| cli::run(&words))).unwrap_or_else(|_| {
        cli::report_bug(&words);
        1
    });
    ExitCode::from(code)
}

/// The name by which glibc is told how many heaps its threads may have (mallopt(3)).
const HEAPS: &str = "MALLOC_ARENA_MAX";

/// glibc gives threads heaps of their own, and what one lets go serves no other: what was read for a plan stayed while the
/// plan was made beside it, a third of a large import's memory. It can only be told at a process's start, so this one
/// begins again in place; whoever set the number themselves keeps it.
fn one_heap() {
    if !cfg!(target_env = "gnu") || std::env::var_os(HEAPS).is_some() {
        return;
    }
    let mut words = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), words.next()) {
        // It comes back only where that cannot be done: then with more memory.
        let _ = Command::new(program).arg0(name).args(words).env(HEAPS, "1").exec();
    }
}

/// A bug is told on standard error and leaves a report; expected errors never come here. Whoever draws on the
/// terminal chains a hook that restores it before this one speaks.
fn report_bugs() {
    let (panic_hook, eyre_hook) =
        color_eyre::config::HookBuilder::default().display_env_section(false).into_hooks();
    let _ = eyre_hook.install();
    std::panic::set_hook(Box::new(move |info| {
        let said = panic_hook.panic_report(info).to_string();
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "{}", logging::clean(&said));
        let _ = match write_report(info) {
            Some(path) => {
                writeln!(stderr, "This is a bug. A report without your data is in {}.", path.display())
            }
            None => writeln!(stderr, "This is a bug. Please report it with the lines above."),
        };
    }));
}

/// Where it happened and how it came there. The message of the panic is left out: it may quote a customer's data.
fn write_report(info: &PanicHookInfo<'_>) -> Option<PathBuf> {
    let folder = cli::reports()?;
    std::fs::create_dir_all(folder).ok()?;
    let now = jiff::Timestamp::now();
    let path = folder.join(format!("panic-{}-{}.txt", now.strftime("%Y%m%dT%H%M%SZ"), std::process::id()));
    let place = info.location().map_or_else(|| "unknown".into(), |at| format!("{}:{}", at.file(), at.line()));
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let trace = std::backtrace::Backtrace::force_capture();
    let text = format!(
        "parhelion {}\ntime: {now}\nsystem: {} {}\nthread: {thread}\nplace: {place}\n\n{trace}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
    std::fs::write(&path, logging::clean(&text).as_bytes()).ok()?;
    Some(path)
}

/// A core file would hold every secret in memory.
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
