//! `serve`: the engine without a terminal, for viewers to attach to.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, setsid, test_kill_process};

use super::args::{self, Args, Unit};
use super::exit::{DONE, Failure};
use super::out::Out;
use crate::host::daemon::{self, Ended, Stay};
use crate::host::{Options, rest, units};
use crate::model::{Class, Problem};
use crate::store::{Places, lock};

/// As long as a host may take to stop after the request in hand.
const STOP: Duration = Duration::from_secs(45);

pub fn serve(args: &Args, serve: &args::Serve, out: &Out) -> Result<u8, Failure> {
    if let Some(unit) = serve.print_unit {
        out.text(&units::unit(unit == Unit::System))?;
        return Ok(DONE);
    }
    if serve.stop {
        return stop(&super::places(args)?, out);
    }
    if serve.detached {
        // Out of the session of the terminal that started us: what ends that one does not end this.
        let _ = setsid();
    }
    let stay = match (serve.detached, serve.idle_seconds) {
        (_, Some(seconds)) => Stay::WhileNeeded(Duration::from_secs(seconds)),
        (true, None) => Stay::WhileNeeded(daemon::IDLE),
        (false, None) => Stay::Always,
    };
    let home = super::open(&Options { command: args.words(), schedules: true, ..super::options(args) }, out)?;
    if let Some(notice) = home.notice() {
        out.remark(notice);
    }
    let quiet = serve.quiet_seconds.map_or(rest::QUIET, Duration::from_secs);
    let ended = daemon::run(home, stay, quiet, |socket| {
        out.remark(&format!(
            "Serving at {}. `parhelion attach` shows it; Ctrl-C stops it after the record in hand.",
            socket.display()
        ));
        // Whoever started it waits for this; nobody else reads it.
        if serve.detached {
            let _ = out.document(&serde_json::json!({ "socket": socket }));
        }
    })?;
    match ended {
        Ended::Done => Ok(DONE),
        Ended::ToBeginAnew(lock) => match rest::begin_anew(lock)? {},
    }
}

/// Asks the host that runs here to end as a service manager would, and waits until it has. Works whatever its version.
fn stop(places: &Places, out: &Out) -> Result<u8, Failure> {
    let none = || {
        Problem::new(Class::Input, format!("No host runs for the profile '{}'.", places.profile))
            .remedy("`parhelion serve` starts one.")
    };
    let holder = lock::holder(&places.data).ok_or_else(none)?;
    let is_host = holder.command.ends_with(" serve");
    let pid = i32::try_from(holder.pid).ok().and_then(Pid::from_raw).filter(|_| is_host).ok_or_else(none)?;
    kill_process(pid, Signal::TERM).map_err(|error| {
        Problem::new(Class::Local, format!("The host (process {}) cannot be told: {error}.", holder.pid))
    })?;
    let asked = Instant::now();
    // It withdraws its socket first and lets the store go last.
    while test_kill_process(pid).is_ok()
        && lock::holder(&places.data).is_some_and(|now| now.pid == holder.pid)
    {
        if asked.elapsed() > STOP {
            return Err(Problem::new(
                Class::Busy,
                format!("The host (process {}) is still stopping.", holder.pid),
            )
            .remedy("It ends when its last request has an answer; what it did is kept either way.")
            .into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    out.remark("The host has ended.");
    if out.json {
        out.document(&serde_json::json!({ "pid": holder.pid }))?;
    }
    Ok(DONE)
}
