//! The real loop on a terminal that we can read: keys as strings, idle instead of time, frames as snapshots.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crossterm::event::{
    Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use futures_util::stream::poll_fn;
use jiff::tz::TimeZone;
use parhelion::host::words::{Command, Event};
use parhelion::ui::frames::parse_keys;
use parhelion::ui::key::Key;
use parhelion::ui::message::Now;
use parhelion::ui::terminal::{Multiplexer, Painter};
use parhelion::ui::theme::Depth;
use parhelion::ui::{Environment, Left, Options, Signal, Wires, start, view};
use ratatui::layout::Size;
use tokio::sync::{broadcast, mpsc};
use tokio::task::LocalSet;

use super::engine::{self, World};

/// Everything the viewer wrote, write by write, and the terminal it went to.
pub struct Tape {
    pub writes: Vec<usize>,
    pub terminal: vt100::Parser,
    pub bytes: Vec<u8>,
}

#[derive(Clone)]
struct Tap(Rc<RefCell<Tape>>);

impl std::io::Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut tape = self.0.borrow_mut();
        tape.writes.push(bytes.len());
        tape.terminal.process(bytes);
        tape.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Taking the terminal hides its cursor; the loop begins after that.
fn hidden_cursor(mut terminal: vt100::Parser) -> vt100::Parser {
    terminal.process(b"\x1b[?25l");
    terminal
}

/// How a test starts.
pub struct Start {
    pub size: (u16, u16),
    pub options: Options,
    pub environment: Environment,
    pub world: World,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            size: (80, 24),
            options: Options { profile: "acme-msp".into(), ..Options::default() },
            environment: Environment {
                depth: Depth::Sixteen,
                locale: "C.UTF-8".into(),
                is_ssh: true,
                multiplexer: Multiplexer::None,
                zone: Some(TimeZone::UTC),
            },
            world: World::new(),
        }
    }
}

impl Start {
    pub fn sized(mut self, width: u16, height: u16) -> Self {
        self.size = (width, height);
        self
    }

    pub fn plain(mut self) -> Self {
        self.options.plain = true;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    pub fn rig(self) -> Rig {
        Rig::new(self)
    }
}

/// A viewer that runs, and what is around it.
pub struct Rig {
    runtime: tokio::runtime::Runtime,
    local: LocalSet,
    input: Option<mpsc::UnboundedSender<TerminalEvent>>,
    signals: mpsc::UnboundedSender<Signal>,
    pub events: broadcast::Sender<Event>,
    pub world: Rc<RefCell<World>>,
    pub tape: Rc<RefCell<Tape>>,
    left: Rc<RefCell<Option<Left>>>,
    /// The configuration folder of a test that brings none.
    _folder: tempfile::TempDir,
}

/// Eighty columns, twenty-four lines, the usual world.
pub fn rig() -> Rig {
    Start::default().rig()
}

impl Rig {
    fn new(start_with: Start) -> Self {
        let Start { size: (width, height), mut options, environment, world } = start_with;
        let folder = tempfile::tempdir().expect("a folder");
        if options.config_dir.as_os_str().is_empty() {
            folder.path().clone_into(&mut options.config_dir);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let local = LocalSet::new();
        let size = Size::new(width, height);
        let tape = Rc::new(RefCell::new(Tape {
            writes: Vec::new(),
            terminal: hidden_cursor(vt100::Parser::new(height, width, 0)),
            bytes: Vec::new(),
        }));
        let world = Rc::new(RefCell::new(world));
        let left = Rc::new(RefCell::new(None));
        let (input, mut keys) = mpsc::unbounded_channel::<TerminalEvent>();
        let (signals, mut signalled) = mpsc::unbounded_channel();
        let (handle, events) = {
            let _runtime = runtime.enter();
            let _local = local.enter();
            engine::start(&world)
        };
        let (tap, ended) = (Tap(Rc::clone(&tape)), Rc::clone(&left));
        let is_ssh = environment.is_ssh;
        let body = async move {
            let began = tokio::time::Instant::now();
            let clock = move || {
                let tick = began.elapsed();
                Now {
                    tick,
                    moment: engine::at("21T14:05") + jiff::SignedDuration::try_from(tick).expect("short"),
                }
            };
            let (app, first) = start(&options, &environment, size, clock());
            let mut wires = Wires {
                multiplexer: environment.multiplexer,
                news_gap: app.prefs.news_gap(is_ssh),
                is_ssh,
                view_file: options.data_dir.as_ref().map(|folder| folder.join("view.json")),
                suspend: Box::new(|| {}),
                hang_up: Box::new(|| Left::Signal(1)),
            };
            let input = poll_fn(move |task| keys.poll_recv(task).map(|event| event.map(Ok)));
            let signals = poll_fn(move |task| signalled.poll_recv(task));
            let result =
                view(app, first, &handle, input, signals, Painter::new(tap, size), clock, &mut wires).await;
            *ended.borrow_mut() = Some(result);
        };
        {
            let _runtime = runtime.enter();
            let _local = local.enter();
            tokio::task::spawn_local(body);
        }
        let mut rig =
            Self { runtime, local, input: Some(input), signals, events, world, tape, left, _folder: folder };
        rig.idle();
        rig
    }

    /// Lets everything happen that is going to. The clock stands still while anything can run, so a second of it
    /// passes only when nothing can.
    pub fn idle(&mut self) -> &mut Self {
        self.pass(Duration::from_secs(1))
    }

    /// Lets this much time pass.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        self.local.block_on(&self.runtime, async { tokio::time::sleep(time).await });
        self
    }

    fn press(&self, key: Key) {
        let (code, modifiers) = match key {
            Key::Char(c) => (KeyCode::Char(c), KeyModifiers::NONE),
            Key::Ctrl(c) => (KeyCode::Char(c), KeyModifiers::CONTROL),
            Key::Alt(c) => (KeyCode::Char(c), KeyModifiers::ALT),
            Key::Function(n) => (KeyCode::F(n), KeyModifiers::NONE),
            Key::Enter => (KeyCode::Enter, KeyModifiers::NONE),
            Key::Esc => (KeyCode::Esc, KeyModifiers::NONE),
            Key::Tab => (KeyCode::Tab, KeyModifiers::NONE),
            Key::BackTab => (KeyCode::BackTab, KeyModifiers::SHIFT),
            Key::Backspace => (KeyCode::Backspace, KeyModifiers::NONE),
            Key::Delete => (KeyCode::Delete, KeyModifiers::NONE),
            Key::Up => (KeyCode::Up, KeyModifiers::NONE),
            Key::Down => (KeyCode::Down, KeyModifiers::NONE),
            Key::Left => (KeyCode::Left, KeyModifiers::NONE),
            Key::Right => (KeyCode::Right, KeyModifiers::NONE),
            Key::Home => (KeyCode::Home, KeyModifiers::NONE),
            Key::End => (KeyCode::End, KeyModifiers::NONE),
            Key::PageUp => (KeyCode::PageUp, KeyModifiers::NONE),
            Key::PageDown => (KeyCode::PageDown, KeyModifiers::NONE),
        };
        self.event(TerminalEvent::Key(KeyEvent::new(code, modifiers)));
    }

    fn event(&self, event: TerminalEvent) {
        // A viewer that has left hears nothing more; tests look at how it left.
        if let Some(input) = &self.input {
            let _ = input.send(event);
        }
    }

    /// Keys at a person's pace: everything settles after each.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in parse_keys(keys).expect("keys") {
            self.press(key);
            self.idle();
        }
        self
    }

    /// Keys that arrive in one read.
    pub fn burst(&mut self, keys: &str) -> &mut Self {
        for key in parse_keys(keys).expect("keys") {
            self.press(key);
        }
        self.idle()
    }

    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.event(TerminalEvent::Paste(text.into()));
        self.idle()
    }

    pub fn click(&mut self, column: u16, row: u16) -> &mut Self {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.event(TerminalEvent::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        self.idle()
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.tape.borrow_mut().terminal.screen_mut().set_size(height, width);
        self.event(TerminalEvent::Resize(width, height));
        self.idle()
    }

    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        let _ = self.signals.send(signal);
        self.idle()
    }

    /// The terminal goes away without a signal.
    pub fn cut(&mut self) -> &mut Self {
        self.input = None;
        self.idle()
    }

    pub fn news(&mut self, event: Event) -> &mut Self {
        let _ = self.events.send(event);
        self.idle()
    }

    /// The screen as text, with where the cursor is and which rows are in reverse video.
    pub fn screen(&self) -> String {
        let tape = self.tape.borrow();
        let screen = tape.terminal.screen();
        let (rows, columns) = screen.size();
        let mut text = String::new();
        let mut reversed = Vec::new();
        for row in 0..rows {
            let line: String = screen.rows(0, columns).nth(row.into()).unwrap_or_default();
            text.push_str(line.trim_end());
            text.push('\n');
            let cells =
                (0..columns).filter(|c| screen.cell(row, *c).is_some_and(vt100::Cell::inverse)).count();
            // The profile mark of the header is ten.
            if cells > 10 {
                reversed.push(row.to_string());
            }
        }
        let (row, column) = screen.cursor_position();
        let shows = if screen.hide_cursor() { "hidden" } else { "shown" };
        format!("{text}-- cursor {row},{column} {shows}; reversed rows: {}\n", reversed.join(" "))
    }

    /// Colours and weight of every cell that has text.
    pub fn styles(&self) -> Vec<String> {
        let tape = self.tape.borrow();
        let screen = tape.terminal.screen();
        let (rows, columns) = screen.size();
        let cells = (0..rows).flat_map(|row| (0..columns).filter_map(move |column| screen.cell(row, column)));
        let texts = cells.filter(|cell| !cell.contents().trim().is_empty());
        texts
            .map(|cell| {
                format!("{} {:?} {:?} {}", cell.contents(), cell.fgcolor(), cell.bgcolor(), cell.bold())
            })
            .collect()
    }

    /// Compares the screen with `snapshots/NAME.snap`.
    pub fn shows(&mut self, name: &str) -> &mut Self {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let screen = self.screen();
        settings.bind(|| insta::assert_snapshot!(name, screen));
        self
    }

    #[track_caller]
    pub fn says(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "'{text}' is not on the screen:\n{screen}");
        self
    }

    #[track_caller]
    pub fn says_not(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "'{text}' is on the screen:\n{screen}");
        self
    }

    /// Commands the engine was told, newest last.
    pub fn told(&self) -> Vec<Command> {
        self.world.borrow().told.clone()
    }

    pub fn left(&self) -> Option<Left> {
        self.left.borrow().clone()
    }

    /// Bytes and writes since the last call.
    pub fn sent(&mut self) -> (usize, usize) {
        let mut tape = self.tape.borrow_mut();
        tape.bytes.clear();
        let writes = std::mem::take(&mut tape.writes);
        (writes.iter().sum(), writes.len())
    }
}
