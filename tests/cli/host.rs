//! The host process: `serve`, commands through it, and its death at any moment.

use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use super::engine::{set_up, signal, slow_down, until_written};
use super::{Done, Profile};

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// A host in the foreground; killed when this is dropped.
struct Host(Child);

impl Host {
    fn start(profile: &Profile) -> Self {
        let host = Self(Self::spawn(profile));
        until("the host listens", || socket(profile).is_some());
        host
    }

    fn spawn(profile: &Profile) -> Child {
        profile.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to end; answers its exit code.
    fn end(mut self) -> Option<i32> {
        signal(&self.0, Signal::TERM);
        self.0.wait().unwrap().code()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends whatever host a screen has started on this profile, also where the test fails.
struct Ends<'a>(&'a Profile);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let pid = lock(self.0)["pid"].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid.filter(|_| socket(self.0).is_some()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Milliseconds between two requests to Halo.
fn pace(profile: &Profile, spacing: u64) {
    let pace =
        format!("{{ requests = 0, per_seconds = 300, at_once = 2, spacing_ms = {spacing}, share = 1.0 }}");
    profile.run(&["config", "set", "halo.pace", &pace]).exits(0);
}

fn until(what: &str, is_true: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_true() {
        assert!(Instant::now() < patience, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn lock(profile: &Profile) -> Value {
    let text = std::fs::read_to_string(profile.file("state/parhelion/default/LOCK")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Where the holder of the lock listens, if somebody answers there.
fn socket(profile: &Profile) -> Option<String> {
    let path = lock(profile)["socket"].as_str()?.to_owned();
    std::os::unix::net::UnixStream::connect(&path).ok().map(|_| path)
}

fn job(profile: &Profile, id: &str) -> Value {
    profile.run(&["job", "show", id, "--json"]).exits(0).json()
}

fn start(profile: &Profile, words: &[&str]) -> Child {
    profile.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn until_ended(profile: &Profile, id: &str) -> Value {
    let patience = Instant::now() + Duration::from_secs(120);
    loop {
        let report = job(profile, id);
        if report["state"] != "running" {
            return report;
        }
        assert!(Instant::now() < patience, "{id} does not end: {report}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_command_goes_through_the_host_that_runs() {
    let (profile, _vendors) = set_up();
    let host = Host::start(&profile);
    let pid = lock(&profile)["pid"].clone();
    profile.run(&["config", "set", "also.notes", "through the host"]).exits(0);
    profile.run(&["test", "also", "--json"]).exits(0);
    let generated = profile.run(&["map", "generate", "also", "--json"]).exits(0).json();
    assert!(generated["added"].as_u64().unwrap() > 0);
    let plan = profile.run(&["plan", "also", "--json"]).exits(2).json();
    let run = profile.run(&["run", "also", "--json"]).exits(3);
    assert_eq!(run.json()["state"], "partial");
    assert_eq!(run.json()["totals"]["create"], plan["totals"]["create"]);
    assert!(!run.stderr.is_empty(), "progress is shown as before");
    let mut secret = profile
        .command(&["secret", "set", "also.password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut secret.stdin.take().unwrap(), b"another-password\n").unwrap();
    Done::of(&["secret", "set"], &secret.wait_with_output().unwrap()).exits(0);
    profile.run(&["test", "also", "--json"]).exits(5);
    assert_eq!(lock(&profile)["pid"], pid, "nobody else has opened the store");
    assert_eq!(host.end(), Some(0));
    assert_eq!(lock(&profile)["socket"], Value::Null);
    let notes = profile.run(&["config", "get", "also.notes"]).exits(0);
    assert!(notes.stdout.contains("through the host"), "without a host the store is opened as ever");
}

#[test]
fn a_second_host_gets_6_and_the_stop_command_ends_the_first() {
    let profile = Profile::new();
    let mut host = Host::start(&profile);
    let second = profile.run(&["serve", "--json"]).exits(6);
    assert!(second.error().contains(&host.0.id().to_string()), "{}", second.stdout);
    assert!(second.error().contains("parhelion attach"), "what to do with a host: {}", second.stdout);
    let stopped = profile.run(&["serve", "--stop", "--json"]).exits(0).json();
    assert_eq!(stopped["pid"], host.0.id());
    assert_eq!(host.0.wait().unwrap().code(), Some(0));
    profile.run(&["serve", "--stop", "--json"]).exits(1).error();
    profile.run(&["attach", "--json"]).exits(1).error();
}

#[test]
fn the_death_of_the_command_that_started_a_job_means_nothing_to_it() {
    for how in [Signal::KILL, Signal::TERM, Signal::HUP] {
        let (profile, vendors) = set_up();
        pace(&profile, 15);
        let _host = Host::start(&profile);
        let mut run = start(&profile, &["run", "also"]);
        until_written(&vendors, &mut run);
        signal(&run, how);
        assert_ne!(run.wait_with_output().unwrap().status.code(), Some(0));
        assert_eq!(job(&profile, "J1")["state"], "running", "{how:?}");
        let report = until_ended(&profile, "J1");
        assert_eq!(report["state"], "partial", "{how:?}");
        assert_eq!(report["totals"]["not_done"], 0, "{how:?}");
    }
}

#[test]
fn ctrl_c_stops_the_job_that_the_command_started_and_the_host_goes_on() {
    let (profile, vendors) = set_up();
    slow_down(&profile);
    let _host = Host::start(&profile);
    let words = ["run", "also", "--json"];
    let mut run = start(&profile, &words);
    until_written(&vendors, &mut run);
    signal(&run, Signal::INT);
    let done = Done::of(&words, &run.wait_with_output().unwrap()).exits(130);
    assert_eq!(done.json()["state"], "interrupted");
    assert_eq!(job(&profile, "J1")["state"], "interrupted");
    assert!(socket(&profile).is_some());
}

#[test]
fn a_host_asked_to_end_stops_its_job_after_the_record_in_hand() {
    let (profile, vendors) = set_up();
    slow_down(&profile);
    let host = Host::start(&profile);
    let mut run = start(&profile, &["run", "also", "--json"]);
    until_written(&vendors, &mut run);
    assert_eq!(host.end(), Some(0));
    let run = Done::of(&["run"], &run.wait_with_output().unwrap()).exits(130);
    assert_eq!(run.json()["state"], "interrupted");
    assert_eq!(job(&profile, "J1")["state"], "interrupted");
    let writes = vendors.writes();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(vendors.writes(), writes, "nothing is written after the host has ended");
}

/// Kills the host again and again while it imports, each time at another moment, and lets the next one go on.
#[test]
fn a_host_killed_at_any_moment_doubles_and_loses_nothing() {
    let rounds = number("PARHELION_KILLS", 3);
    let (undisturbed, there) = set_up();
    let whole = undisturbed.run(&["run", "also", "--json"]).exits(3).json();
    let (mut kills, mut worlds, mut lives) = (0, 0, 0);
    while kills < rounds {
        worlds += 1;
        let (profile, here) = set_up();
        // Short enough to be worth a thousand, long enough to be met in its middle.
        profile.run(&["config", "set", "halo.settle_seconds", "1"]).exits(0);
        pace(&profile, 8);
        let mut host = Host::start(&profile);
        let mut order = start(&profile, &["run", "also"]);
        until("the job is there", || profile.run(&["job", "show", "J1"]).code == Some(0));
        // From now on every host takes the job up by itself.
        while kills < rounds {
            // Different at every kill: while it starts, while it settles what the last one left open (a second), and
            // well into the writes after that.
            let reach = [300, 900, 2500][kills % 3];
            std::thread::sleep(Duration::from_millis((kills as u64 * 7919) % reach));
            if job(&profile, "J1")["state"] != "running" {
                break;
            }
            host.kill();
            kills += 1;
            lives += 1;
            if lives == 5 {
                // The next one would wait for a person.
                let note = profile.file("state/parhelion/default/run/job");
                std::fs::write(note, "J1 0\n").unwrap();
                lives = 0;
            }
            host = Host::start(&profile);
        }
        until_ended(&profile, "J1");
        let _ = order.wait();
        assert_eq!(host.end(), Some(0));
        let report = job(&profile, "J1");
        assert_eq!(report["totals"], whole["totals"], "after {kills} kills");
        assert_eq!(here.halo(), there.halo(), "after {kills} kills: a double, or one that is missing");
        let again = profile.run(&["plan", "also", "--json"]).exits(0).json();
        assert_eq!(again["totals"]["create"], 0);
    }
    println!("{kills} kills in {worlds} imports");
}

#[test]
fn what_a_person_stopped_no_host_takes_up_again() {
    let (profile, vendors) = set_up();
    slow_down(&profile);
    let host = Host::start(&profile);
    let mut run = start(&profile, &["run", "also"]);
    until_written(&vendors, &mut run);
    signal(&run, Signal::INT);
    run.wait().unwrap();
    assert_eq!(host.end(), Some(0));
    let host = Host::start(&profile);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(job(&profile, "J1")["state"], "interrupted");
    host.kill();
}

#[test]
fn a_job_that_a_stopped_host_was_at_goes_on_with_the_next_one() {
    let (profile, vendors) = set_up();
    pace(&profile, 20);
    let host = Host::start(&profile);
    let mut run = start(&profile, &["run", "also"]);
    until_written(&vendors, &mut run);
    assert_eq!(host.end(), Some(0));
    run.wait().unwrap();
    assert_eq!(job(&profile, "J1")["state"], "interrupted");
    let _next = Host::start(&profile);
    let report = until_ended(&profile, "J1");
    assert_eq!((&report["state"], &report["totals"]["not_done"]), (&"partial".into(), &0.into()));
}

#[test]
fn of_four_hosts_for_one_folder_exactly_one_wins() {
    let rounds = number("PARHELION_RACES", 3);
    for round in 0..rounds {
        let profile = Profile::new();
        let mut hosts: Vec<Host> = (0..4).map(|_| Host(Host::spawn(&profile))).collect();
        until("three have lost", || socket(&profile).is_some());
        let patience = Instant::now() + Duration::from_secs(30);
        let mut codes = Vec::new();
        while codes.len() < 3 && Instant::now() < patience {
            hosts.retain_mut(|host| match host.0.try_wait().unwrap() {
                Some(status) => {
                    codes.push(status.code());
                    false
                }
                None => true,
            });
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(codes, [Some(6); 3], "round {round}");
        assert_eq!(hosts.len(), 1);
        assert_eq!(lock(&profile)["pid"], hosts[0].0.id(), "the winner is the one that answers");
        profile.run(&["jobs"]).exits(0);
    }
}

/// A host of an older version: it knows no newer hello and refuses it in the words that stay the same for ever.
#[test]
fn a_newer_program_that_meets_an_older_host_says_what_to_do() {
    use std::io::{Read as _, Write as _};
    let profile = Profile::new();
    let host = Host::start(&profile);
    let holder = lock(&profile);
    // The older one: its place in the lock is the running host's, the socket is ours.
    let socket = std::path::PathBuf::from(holder["socket"].as_str().expect("a socket"));
    std::fs::remove_file(&socket).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let older = std::thread::spawn(move || {
        let mut hellos = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4];
            stream.read_exact(&mut head).unwrap();
            let mut hello = vec![0; u32::from_be_bytes(head) as usize];
            stream.read_exact(&mut hello).unwrap();
            let hello: Value = serde_json::from_slice(&hello).unwrap();
            let theirs = hello["hello"]["version"].as_str().unwrap();
            let refused =
                serde_json::json!({"refused": {"protocol": "0-00000001", "version": "0.0.9", "problem": {
                "class": "busy",
                "message": format!("The host that runs here is version 0.0.9, this program is {theirs}."),
                "remedy": "End it when no job needs it (`parhelion serve --stop`)."}}})
                .to_string();
            stream.write_all(&u32::try_from(refused.len()).unwrap().to_be_bytes()).unwrap();
            stream.write_all(refused.as_bytes()).unwrap();
            hellos.push(hello["hello"]["protocol"].as_str().unwrap().to_owned());
        }
        hellos
    });
    for words in [["jobs", "--plain"], ["jobs", "--json"]] {
        let done = profile.run(&words).exits(6);
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(said.contains("version 0.0.9") && said.contains(env!("CARGO_PKG_VERSION")), "{said}");
        assert!(said.contains("parhelion serve --stop"), "{said}");
    }
    let hellos = older.join().unwrap();
    assert!(hellos.iter().all(|protocol| protocol.starts_with("1-")), "{hellos:?}");
    // What it says to do works, whatever the version of the host.
    assert_eq!(lock(&profile), holder);
    profile.run(&["serve", "--stop"]).exits(0);
    drop(host);
    profile.run(&["jobs"]).exits(0);
}

#[test]
fn the_service_manager_is_told_that_it_is_ready_alive_and_stopping() {
    let profile = Profile::new();
    let path = profile.file("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut host = Host(
        profile
            .command(&["serve"])
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "200000")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let hear = || {
        let mut said = [0; 256];
        let length = manager.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    };
    assert!(hear().starts_with("READY=1"));
    for _ in 0..3 {
        assert_eq!(hear(), "WATCHDOG=1");
    }
    signal(&host.0, Signal::TERM);
    while !hear().starts_with("STOPPING=1") {}
    assert_eq!(host.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_host_of_its_own_session_ends_when_nobody_needs_it() {
    let profile = Profile::new();
    let mut host = Host(
        profile
            .command(&["serve", "--detached", "--idle-seconds", "1", "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until("the host listens", || socket(&profile).is_some());
    #[cfg(target_os = "linux")]
    {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", host.0.id())).unwrap();
        let session = stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap().to_owned();
        assert_eq!(session, host.0.id().to_string(), "it leads a session that has no terminal");
    }
    signal(&host.0, Signal::HUP);
    profile.run(&["jobs"]).exits(0);
    assert_eq!(host.0.wait().unwrap().code(), Some(0), "and then it has ended by itself");
}

/// What an import leaves in a process is given back: the host is the same process, as small as at its start, and nobody
/// else could have taken its store meanwhile.
#[cfg(target_os = "linux")]
#[test]
fn a_host_that_has_grown_begins_anew_without_ever_letting_the_store_go() {
    let (profile, _vendors) = set_up();
    let manager_at = profile.file("notify");
    let manager = UnixDatagram::bind(&manager_at).unwrap();
    let mut words = profile.command(&["serve", "--quiet-seconds", "2"]);
    words.env("NOTIFY_SOCKET", &manager_at).stdout(Stdio::null()).stderr(Stdio::null());
    let host = Host(words.spawn().unwrap());
    until("the host listens", || socket(&profile).is_some());
    let first = lock(&profile);
    let held = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", host.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().to_owned();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let small = held();
    profile.run(&["run", "also", "--json"]).exits(3);
    let trail = profile.run(&["audit", "verify", "--json"]).exits(0).json();
    let large = held();
    assert!(large > small + 8 * 1024, "the import has left nothing: {small} kB, then {large} kB");
    until("it begins anew", || {
        let text = std::fs::read_to_string(profile.file("state/parhelion/default/LOCK")).unwrap();
        let file = std::fs::File::open(profile.file("state/parhelion/default/LOCK")).unwrap();
        assert!(file.try_lock_shared().is_err(), "the lock is free: {text}");
        lock(&profile)["since"] != first["since"] && socket(&profile).is_some()
    });
    assert_eq!(lock(&profile)["pid"], first["pid"], "the same process");
    assert!(
        held() < u64::midpoint(small, large),
        "{} kB of {large} kB are still held, at first {small} kB",
        held()
    );
    assert_eq!(job(&profile, "J1")["state"], "partial");
    assert_eq!(
        profile.run(&["audit", "verify", "--json"]).exits(0).json(),
        trail,
        "nothing is written for it"
    );
    manager.set_nonblocking(true).unwrap();
    let mut heard = Vec::new();
    let mut said = [0; 256];
    while let Ok(length) = manager.recv(&mut said) {
        heard.push(String::from_utf8(said[..length].to_vec()).unwrap());
    }
    assert_eq!(heard.iter().filter(|said| said.starts_with("READY=1")).count(), 2, "{heard:?}");
    assert!(!heard.iter().any(|said| said.contains("STOPPING=1")), "the service goes on: {heard:?}");
    assert_eq!(host.end(), Some(0));
    assert_eq!(socket(&profile), None);
}

#[test]
fn the_units_are_printed_with_the_program_s_own_path() {
    let profile = Profile::new();
    for (whose, must) in [("user", "WantedBy=default.target"), ("system", "ProtectSystem=strict")] {
        let unit = profile.run(&["serve", "--print-unit", whose]).exits(0).stdout;
        assert!(unit.contains(must), "{unit}");
        assert!(unit.contains(&format!("ExecStart={}", env!("CARGO_BIN_EXE_parhelion"))), "{unit}");
        for line in ["Type=notify", "WatchdogSec=", "NoNewPrivileges=yes", "Restart=on-failure"] {
            assert!(unit.contains(line), "{whose}: {line}");
        }
        let file = profile.file("parhelion@.service");
        std::fs::write(&file, &unit).unwrap();
        let mut verify = std::process::Command::new("systemd-analyze");
        verify.args(["verify", "--man=no"]).env("XDG_RUNTIME_DIR", file.parent().unwrap());
        verify.args((whose == "user").then_some("--user")).arg(&file);
        // Where there is no systemd there is nothing to verify with.
        if let Ok(verified) = verify.output() {
            let said = String::from_utf8_lossy(&verified.stderr);
            assert!(verified.status.success() && said.is_empty(), "{whose}: {said}");
        }
    }
}

/// A screen on a terminal of its own.
struct Screen {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    seen: std::sync::Arc<std::sync::Mutex<vt100::Parser>>,
    keys: Box<dyn std::io::Write + Send>,
}

impl Screen {
    fn open(profile: &Profile, words: &[&str], ssh: Option<&str>) -> Self {
        let size = portable_pty::PtySize { rows: 30, cols: 110, ..portable_pty::PtySize::default() };
        let pair = portable_pty::native_pty_system().openpty(size).unwrap();
        let plain = profile.command(words);
        let mut command = portable_pty::CommandBuilder::new(plain.get_program());
        command.args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        command.env("TERM", "xterm-256color");
        command.env("USER", "anna");
        match ssh {
            Some(address) => command.env("SSH_CONNECTION", format!("{address} 50000 192.0.2.1 22")),
            None => command.env_remove("SSH_CONNECTION"),
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let seen = std::sync::Arc::new(std::sync::Mutex::new(vt100::Parser::new(30, 110, 0)));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let into = seen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = std::io::Read::read(&mut reader, &mut bytes) {
                into.lock().unwrap().process(&bytes[..length]);
            }
        });
        Self { child, _master: pair.master, seen, keys }
    }

    fn text(&self) -> String {
        self.seen.lock().unwrap().screen().contents()
    }

    fn until(&self, text: &str) {
        let patience = Instant::now() + Duration::from_secs(30);
        while !self.text().contains(text) {
            assert!(Instant::now() < patience, "'{text}' is never shown:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn key(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }
}

#[test]
fn a_screen_starts_a_host_that_outlives_it_and_others_join() {
    let (profile, vendors) = set_up();
    slow_down(&profile);
    let _end = Ends(&profile);
    let mut first = Screen::open(&profile, &[], Some("203.0.113.9"));
    first.until("no job running");
    let pid = lock(&profile)["pid"].as_i64().expect("a host runs");
    let mut run = start(&profile, &["run", "also"]);
    until_written(&vendors, &mut run);
    first.until("J1");

    let mut second = Screen::open(&profile, &["attach"], None);
    second.until("also here: anna@203.0.113.9");
    second.until("J1");
    first.until("also here: anna");
    second.key("q");
    assert!(second.child.wait().unwrap().success(), "leaving asks nothing: the job goes on without a screen");
    first.child.kill().unwrap();
    first.child.wait().unwrap();

    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    test_kill_process(pid).expect("the host is still there");
    run.wait().unwrap();
    let report = until_ended(&profile, "J1");
    assert_eq!(report["totals"]["not_done"], 0);
    profile.run(&["serve", "--stop"]).exits(0);
    assert_eq!(socket(&profile), None);
}

#[test]
fn a_screen_says_when_its_host_is_killed_and_finds_the_next_one() {
    let profile = Profile::new();
    let _end = Ends(&profile);
    let mut screen = Screen::open(&profile, &[], None);
    screen.until("no job running");
    let pid = i32::try_from(lock(&profile)["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    screen.until("has gone");
    screen.until("no job running");
    assert_ne!(lock(&profile)["pid"], pid, "it has started another");
    screen.key("q");
    assert!(screen.child.wait().unwrap().success());
    profile.run(&["serve", "--stop"]).exits(0);
}

/// Whether it is said before the screen is drawn or after, a store that somebody else uses ends it with 6.
#[test]
fn a_screen_on_a_store_in_use_says_so_and_ends_with_6() {
    let profile = Profile::new();
    let _held = parhelion::store::Lock::take(&profile.file("state/parhelion/default"), "parhelion plan also")
        .unwrap();
    let mut screen = Screen::open(&profile, &[], None);
    assert_eq!(screen.child.wait().unwrap().exit_code(), 6);
    screen.until("parhelion plan also");
    let shown = screen.seen.lock().unwrap();
    assert!(
        !shown.screen().alternate_screen() && !shown.screen().hide_cursor(),
        "the terminal is given back"
    );
}
