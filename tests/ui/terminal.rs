//! The real viewer on a real pseudo-terminal: whatever ends it, the terminal is given back (U43, U55).
//!
//! The test binary starts itself again: the child is [`child`], told so by its environment.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parhelion::host::Handle;
use parhelion::ui::{Options, run};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::engine::{self, World};

const CHILD: &str = "PARHELION_TEST_VIEWER";
/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Not a test of its own: does nothing unless the environment says that this process is the viewer.
#[test]
fn child() {
    let Ok(how) = std::env::var(CHILD) else { return };
    let (ready, handle) = std::sync::mpsc::channel::<Handle>();
    let panics = how == "panic";
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async move {
            let world = std::rc::Rc::new(std::cell::RefCell::new(World::new()));
            let (handle, _events) = engine::start(&world);
            let _ = ready.send(handle);
            if panics {
                tokio::time::sleep(Duration::from_millis(300)).await;
                // Any thread may panic; the terminal must not suffer.
                panic!("a bug");
            }
            std::future::pending::<()>().await;
        });
    });
    let folder = tempfile::tempdir().expect("a folder");
    let options =
        Options { profile: "acme-msp".into(), config_dir: folder.path().to_owned(), ..Options::default() };
    let left = run(handle.recv().expect("an engine"), options);
    println!("left: {left:?}");
}

struct Viewer {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Viewer {
    fn start(how: &str, environment: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pty");
        let mut command = CommandBuilder::new(std::env::current_exe().expect("this binary"));
        command.args(["terminal::child", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(CHILD, how);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("RUST_BACKTRACE", "0");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("a child");
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().expect("its output");
        let keys = pair.master.take_writer().expect("its input");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tape = Arc::clone(&seen);
        let stops = how == "closes";
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let mut tape = tape.lock().expect("the tape");
                tape.extend_from_slice(&bytes[..read]);
                // Only when nobody holds the other side any more is the terminal gone.
                if stops && String::from_utf8_lossy(&tape).contains("Westcoast") {
                    return;
                }
            }
        });
        Self { child, master: Some(pair.master), keys: Some(keys), seen, reader }
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("the tape")).into_owned()
    }

    #[track_caller]
    fn waits_for(&self, text: &str) {
        let began = Instant::now();
        while !self.output().contains(text) {
            assert!(began.elapsed() < PATIENCE, "'{text}' never came: {:?}", self.output());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn press(&mut self, bytes: &str) {
        let keys = self.keys.as_mut().expect("an open terminal");
        keys.write_all(bytes.as_bytes()).and_then(|()| keys.flush()).expect("keys go in");
    }

    fn signal(&self, name: &str) {
        let id = self.child.process_id().expect("a process").to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    #[track_caller]
    fn ends(&mut self) {
        let began = Instant::now();
        // What it wrote last is to be read, too.
        while self.child.try_wait().expect("a state").is_none() || !self.reader.is_finished() {
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end: {:?}",
                self.output().split_at(self.output().len().saturating_sub(600)).1
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Every mode that was switched on is switched off again, in that order.
    #[track_caller]
    fn gave_the_terminal_back(&self) {
        let output = self.output();
        for mode in ["?1049", "?2004", "?2026"] {
            let on = output.rfind(&format!("\x1b[{mode}h")).expect("switched on");
            let off = output.rfind(&format!("\x1b[{mode}l"));
            assert!(off.is_some_and(|off| off > on), "{mode} stays on: {output:?}");
        }
        let cursor = output.rfind("\x1b[?25h").expect("the cursor is shown");
        assert!(output.rfind("\x1b[?25l").is_none_or(|hidden| hidden < cursor));
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn leaving_gives_the_terminal_back() {
    let mut viewer = Viewer::start("runs", &[]);
    viewer.waits_for("Westcoast");
    viewer.press("q");
    viewer.ends();
    viewer.gave_the_terminal_back();
    assert!(viewer.output().contains("left: Ok(Quit)"), "{:?}", viewer.output());
}

#[test]
fn signals_give_the_terminal_back() {
    for name in ["TERM", "INT"] {
        let mut viewer = Viewer::start("runs", &[]);
        viewer.waits_for("Westcoast");
        viewer.signal(name);
        viewer.ends();
        viewer.gave_the_terminal_back();
        assert!(viewer.output().contains("left: Ok(Signal("), "{name}: {:?}", viewer.output());
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_reported() {
    let viewer = Viewer::start("panic", &[]);
    viewer.waits_for("a bug");
    viewer.gave_the_terminal_back();
    let output = viewer.output();
    assert!(output.rfind("\x1b[?1049l") < output.find("a bug"), "{output:?}");
}

#[test]
fn a_hang_up_ends_the_process_at_once() {
    let mut viewer = Viewer::start("runs", &[]);
    viewer.waits_for("Westcoast");
    viewer.signal("HUP");
    viewer.ends();
}

/// The terminal goes away without a word: no process that burns a core stays behind.
#[test]
fn a_closed_terminal_ends_the_process() {
    let mut viewer = Viewer::start("closes", &[]);
    viewer.waits_for("Westcoast");
    viewer.keys = None;
    viewer.master = None;
    viewer.ends();
}

/// U48: without colours the selected row is still there.
#[test]
fn no_color_sends_no_colour_and_keeps_the_selected_row() {
    for environment in [("NO_COLOR", "1"), ("TERM", "vt100"), ("TERM", "dumb")] {
        let mut viewer = Viewer::start("runs", &[environment]);
        viewer.waits_for("Westcoast");
        viewer.press("q");
        viewer.ends();
        let output = viewer.output();
        let codes =
            output.split("\x1b[").skip(1).filter_map(|part| part.split_once('m').map(|(code, _)| code));
        let styles: Vec<&str> =
            codes.filter(|code| code.chars().all(|c| c.is_ascii_digit() || c == ';')).collect();
        let is_color = |code: &str| code.split(';').any(|n| n.parse::<u8>().is_ok_and(|n| n >= 30));
        assert!(!styles.iter().any(|code| is_color(code)), "{environment:?}: {styles:?}");
        assert!(styles.iter().any(|code| code.split(';').any(|n| n == "7")), "{environment:?}: {styles:?}");
    }
}

/// Every key wakes the viewer, however long it has slept since the last.
#[test]
fn each_key_is_answered() {
    let mut viewer = Viewer::start("runs", &[]);
    viewer.waits_for("Westcoast");
    for (key, answer) in
        [("j", "parhelion-api"), ("?", "Help: Integrations"), ("\x1b", "Westcoast"), (":", "Do or go to")]
    {
        let before = viewer.output().len();
        viewer.press(key);
        let began = Instant::now();
        while !viewer.output()[before..].contains(answer) {
            assert!(began.elapsed() < PATIENCE, "{key}: {:?}", &viewer.output()[before..]);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Ctrl-Z gives the terminal back before the program stops, and takes it again when it goes on.
#[test]
fn suspending_gives_the_terminal_back_and_takes_it_again() {
    let mut viewer = Viewer::start("runs", &[]);
    viewer.waits_for("Westcoast");
    let before = viewer.output().len();
    viewer.press("\x1a");
    // Nobody controls this process group, so the system lets it go on at once; a shell would wait for `fg`.
    let began = Instant::now();
    while !viewer.output()[before..].contains("\x1b[?1049h") {
        assert!(began.elapsed() < PATIENCE, "{:?}", viewer.output());
        viewer.signal("CONT");
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = viewer.output()[before..].to_owned();
    assert!(output.find("\x1b[?1049l") < output.find("\x1b[?1049h"), "{output:?}");
    viewer.press("q");
    viewer.ends();
    viewer.gave_the_terminal_back();
}
