//! The viewer: the screen that people use. It knows the engine only through [`Handle`].
//!
//! [`app::update`] is pure: messages in, effects out. [`frames::draw`] is a function of the state. The loop here
//! carries messages and effects and decides when a frame is due.
//!
//! # To add a screen
//!
//! 1. `screens/NAME.rs`: a struct with the methods that [`screens::Screen`] calls, in four parts: state, `act` (with
//!    `can`, `hear`, `settle`), `draw`, `hints` (with `about`). Take `screens/integrations.rs` as the model.
//! 2. `screens/mod.rs`: an arm in `Screen`, in `each!`, in `scope` and `name`; for a pane one in `Pane`; `places` and
//!    `WORDS` for the palette (`:job 42`); `from_saved` if it comes back after a restart.
//! 3. `action.rs`: a `Scope` and the new actions in the table; `keymap.toml`: their keys. Hints, help, palette and the
//!    README's table follow by themselves; `tests/ui/keymap.rs` finds clashes.
//! 4. A screen reads [`turn::Turn`] and asks for steps: `turn.send(Command)`, `turn.ask(Query)`, `turn.say`, `turn.open`,
//!    `turn.dialog(Confirm::new(..).choice('y', ..))`. Answers come to `hear` with the query or command they answer.
//! 5. Long lists: keep ids in [`list::List`] (`replace` when the order is asked anew), rows in [`list::Window`]; in
//!    `settle` do `keep_visible`, then `turn.ask_rows(Query::MapRows { ids }, is_ahead)` with what `window.wanted` says, unless
//!    empty;
//!    in `hear` `window.put` answers and `window.stale` on events. Draw with [`widgets::table::draw`].
//! 6. Draw only through [`canvas::Canvas::put`]: it cuts and cleans. Sizes come from [`layout`], the same in `act` and `draw`.

pub mod action;
pub mod app;
pub mod canvas;
pub mod dialogs;
pub mod fit;
pub mod frames;
pub mod input;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod message;
pub mod mirror;
mod others;
pub mod prefs;
pub mod screens;
mod scroll;
pub mod svg;
pub mod terminal;
pub mod theme;
pub mod turn;
pub mod widgets;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use crossterm::event::Event as TerminalEvent;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};
use futures_util::{FutureExt, StreamExt};
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

pub use self::message::Left;

use self::app::{App, Setup, update};
use self::canvas::Look;
use self::input::{Guard, Heard};
use self::keymap::Keymap;
use self::message::{Effect, Message, News, Now};
use self::prefs::Prefs;
use self::terminal::{Multiplexer, Painter};
use self::theme::{Depth, Themes};
use crate::host::Handle;
use crate::host::words::{Event, Query};
use crate::matching::mapping_csv;
use crate::model::{Class, Problem};

/// What the viewer is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub profile: String,
    /// The names of others that a person may go to from here.
    pub profiles: Vec<String>,
    /// No lines, one column, states as words (U63).
    pub plain: bool,
    pub no_color: bool,
    /// A theme for this time; stronger than the profile's and the settings'.
    pub theme: Option<String>,
    /// A person's own `keys.toml`, `screen.toml` and `themes/`.
    pub config_dir: PathBuf,
    /// Where the view is kept for next time (U42).
    pub data_dir: Option<PathBuf>,
    /// The first message, if there is something to say.
    pub notice: Option<String>,
    /// The engine outlives this process: leaving stops nothing (U41).
    pub is_shared: bool,
    /// The engine is on its way: the screen says so until it answers, and ends with the reason if it does not come.
    pub is_starting: bool,
}

/// Shows the engine behind `handle` until a person leaves. Called on the main thread; brings its own runtime, so that
/// nothing the engine does can delay a key. On hang-up the process ends at once.
///
/// # Errors
/// When there is no terminal, or it cannot be used.
#[expect(clippy::needless_pass_by_value, reason = "the viewer is the last to hold them")]
pub fn run(handle: Handle, options: Options) -> Result<Left, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| local(format!("The screen could not be started: {error}.")))?;
    let (width, height) = crossterm::terminal::size().map_err(|error| {
        local(format!("There is no terminal to draw on: {error}."))
            .remedy("Use --headless, or the commands of `parhelion --help`.")
    })?;
    // A serial line or a bare pseudo-terminal knows no size.
    let size = if width == 0 || height == 0 { Size::new(80, 24) } else { Size::new(width, height) };
    let environment = Environment::read(&options);
    let clock = real_clock();
    let (app, first) = start(&options, &environment, size, clock());
    terminal::restore_on_panic();
    terminal::take().map_err(|error| local(format!("The terminal cannot be used: {error}.")))?;
    let view_file = options.data_dir.as_ref().map(|folder| folder.join(VIEW_FILE));
    let mut wires = Wires {
        multiplexer: environment.multiplexer,
        news_gap: app.prefs.news_gap(environment.is_ssh),
        is_ssh: environment.is_ssh,
        view_file,
        suspend: Box::new(suspend),
        hang_up: Box::new(|| std::process::exit(129)),
    };
    let left = runtime.block_on(async {
        let signals = Box::pin(signals()?);
        let events = terminal::events();
        let painter = Painter::new(terminal::output()?, size);
        Ok(view(app, first, &handle, events, signals, painter, clock, &mut wires).await)
    });
    terminal::restore();
    left.map_err(|error: std::io::Error| local(format!("The terminal cannot be used: {error}.")))
}

fn local(message: String) -> Problem {
    Problem::new(Class::Local, message)
}

const VIEW_FILE: &str = "view.json";

/// What the environment says about the terminal.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub depth: Depth,
    pub locale: String,
    pub is_ssh: bool,
    pub multiplexer: Multiplexer,
    pub zone: Option<TimeZone>,
}

impl Environment {
    fn read(options: &Options) -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        let no_color = options.no_color || !var("NO_COLOR").is_empty();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(var).find(|value| !value.is_empty());
        Self {
            depth: Depth::detect(no_color, &var("TERM"), &var("COLORTERM")),
            locale: locale.unwrap_or_default(),
            is_ssh: !var("SSH_CONNECTION").is_empty() || !var("SSH_TTY").is_empty(),
            multiplexer: if !var("TMUX").is_empty() {
                Multiplexer::Tmux
            } else if !var("STY").is_empty() {
                Multiplexer::Screen
            } else {
                Multiplexer::None
            },
            zone: None,
        }
    }
}

/// The state at the start: settings, keys and theme read, complaints gathered.
pub fn start(options: &Options, environment: &Environment, size: Size, now: Now) -> (App, Vec<Effect>) {
    let mut complaints = Vec::new();
    let read = |name: &str| {
        let path = options.config_dir.join(name);
        std::fs::read_to_string(&path).ok().map(|text| (text, path.display().to_string()))
    };
    let mut prefs = Prefs::default();
    if let Some((text, path)) = read(prefs::FILE) {
        let (own, complaint) = Prefs::read(&text, &path);
        prefs = own;
        complaints.extend(complaint);
    }
    let mut keymap = Keymap::default();
    if let Some((text, path)) = read("keys.toml") {
        let (own, more) = Keymap::with(&text, &path);
        keymap = own;
        complaints.extend(more);
    }
    let themes = Themes::read(&options.config_dir.join("themes"));
    let chosen = options.theme.clone();
    let name = chosen.as_deref().unwrap_or(&prefs.theme);
    let (theme, more) = themes.load(name, environment.depth);
    complaints.extend(more);
    complaints.extend(options.notice.clone());
    let saved = options
        .data_dir
        .as_ref()
        .and_then(|folder| std::fs::read_to_string(folder.join(VIEW_FILE)).ok())
        .and_then(|text| serde_json::from_str(&text).ok());
    let look = Look {
        theme,
        signs: prefs.signs(&environment.locale),
        plain: options.plain,
        zone: environment.zone.clone().unwrap_or_else(TimeZone::system),
    };
    App::new(Setup {
        profile: options.profile.clone(),
        profiles: options.profiles.clone(),
        look,
        depth: environment.depth,
        keymap,
        prefs,
        locale: environment.locale.clone(),
        config_dir: options.config_dir.clone(),
        theme: chosen,
        themes,
        size,
        now,
        complaints,
        saved,
        is_shared: options.is_shared,
        is_starting: options.is_starting,
    })
}

fn real_clock() -> impl Fn() -> Now {
    let start = std::time::Instant::now();
    move || Now { tick: start.elapsed(), moment: crate::model::Moment::now() }
}

/// A signal that concerns the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone.
    HangUp,
    Terminate,
}

fn signals() -> std::io::Result<impl Stream<Item = Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(futures_util::stream::poll_fn(move |task| {
        if hang_up.poll_recv(task).is_ready() {
            return std::task::Poll::Ready(Some(Signal::HangUp));
        }
        if terminate.poll_recv(task).is_ready() || interrupt.poll_recv(task).is_ready() {
            return std::task::Poll::Ready(Some(Signal::Terminate));
        }
        std::task::Poll::Pending
    }))
}

/// Gives the terminal back, stops the whole foreground group as a shell expects, and takes the terminal again.
fn suspend() {
    terminal::restore();
    let _ = std::process::Command::new("/bin/sh").args(["-c", "kill -s TSTP 0"]).status();
    let _ = terminal::take();
}

/// The outside of the loop that is not a stream.
pub struct Wires {
    pub multiplexer: Multiplexer,
    pub news_gap: Duration,
    pub is_ssh: bool,
    pub view_file: Option<PathBuf>,
    pub suspend: Box<dyn FnMut()>,
    /// Ends the process: a viewer that stays alive without its terminal spins (U43).
    pub hang_up: Box<dyn Fn() -> Left>,
}

/// Why a frame is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// A key, or the answer to what a key asked: at once.
    Input,
    /// The answer to what was asked ahead: at once, and nothing waits for it.
    Ahead,
    /// The engine's news: a few times a second.
    News,
}

/// Least time between two frames, whatever happens.
const INPUT_GAP: Duration = Duration::from_millis(16);
/// Messages taken in one go before a frame is drawn, so that a flood cannot starve the screen.
const DRAIN: usize = 1_000;

/// How long a frame waits for the answers to what its key asked, so that both go in one write. The engine answers in
/// a millisecond or two; one that is busy must not make the key feel slow.
const ANSWER_GAP: Duration = Duration::from_millis(8);

/// When the next frame is due.
#[derive(Debug, Default)]
struct Pacing {
    last: Option<Duration>,
    due: Option<Duration>,
    /// Nobody has pressed a key since the last frame.
    is_news_only: bool,
    /// Questions of keys that are not answered yet.
    asked: usize,
    /// Until when the frame waits for them.
    held_until: Option<Duration>,
}

impl Pacing {
    fn want(&mut self, now: Duration, pace: Pace, gap: Duration) {
        self.is_news_only &= pace == Pace::News;
        let at = self.last.map_or(now, |last| now.max(last + gap));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// A key's question is on its way.
    fn asks(&mut self, now: Duration) {
        self.asked += 1;
        self.held_until.get_or_insert(now + ANSWER_GAP);
    }

    /// Answers that come late come together, too: the frame waits for the others.
    fn answered(&mut self, now: Duration) {
        self.asked = self.asked.saturating_sub(1);
        self.held_until.get_or_insert(now + ANSWER_GAP);
    }

    /// When the next frame is to be drawn.
    fn next(&self) -> Option<Duration> {
        let held = self.held_until.filter(|_| self.asked > 0);
        self.due.map(|due| held.map_or(due, |held| due.max(held)))
    }

    fn drawn(&mut self, now: Duration) {
        self.last = Some(now);
        self.due = None;
        self.is_news_only = true;
        self.held_until = None;
    }
}

type Answers<'a> = FuturesUnordered<LocalBoxFuture<'a, (News, Pace)>>;

/// The loop: draws when something has changed and the pace allows, else waits for the first of a signal, a key, an
/// answer, an event, a deadline. Nothing in it ticks.
#[expect(clippy::too_many_arguments, reason = "each is one of the wires that tests replace")]
pub async fn view<W: Write>(
    mut app: App,
    first: Vec<Effect>,
    handle: &Handle,
    mut input: impl Stream<Item = std::io::Result<TerminalEvent>> + Unpin,
    mut signals: impl Stream<Item = Signal> + Unpin,
    mut painter: Painter<W>,
    clock: impl Fn() -> Now,
    wires: &mut Wires,
) -> Left {
    let mut events = handle.subscribe();
    let mut engine_is_there = true;
    let mut answers: Answers<'_> = FuturesUnordered::new();
    let mut guard = Guard::default();
    let mut pacing = Pacing::default();
    pacing.want(clock().tick, Pace::Input, INPUT_GAP);
    let mut work: VecDeque<(Vec<Effect>, Pace)> = VecDeque::from([(first, Pace::Input)]);
    loop {
        while let Some((effects, pace)) = work.pop_front() {
            for effect in effects {
                if pace == Pace::Input && matches!(effect, Effect::Ask(_)) {
                    pacing.asks(clock().tick);
                }
                match carry_out(effect, pace, &mut app, handle, &answers, &mut painter, wires) {
                    Ok(None) => {}
                    Ok(Some(left)) => {
                        keep_view(&app, wires.view_file.as_deref());
                        return left;
                    }
                    Err(_) => return gone(&app, wires),
                }
            }
        }
        let now = clock();
        if pacing.next().is_some_and(|due| due <= now.tick) {
            let frame = frames::draw(&app);
            // A screen reader reads what is drawn: in plain mode news is one line, the rest waits for a key (U63).
            let drew = if app.look.plain && pacing.is_news_only {
                painter.paint_last_line(frame)
            } else {
                painter.paint(frame)
            };
            match drew {
                // Where there is no room for a question, it has not been read.
                Ok(true) if app.class() != layout::Class::TooSmall => app.was_drawn(clock().tick),
                Ok(_) => {}
                Err(_) => return gone(&app, wires),
            }
            pacing.drawn(now.tick);
        }
        let deadline = [pacing.next(), guard.deadline()].into_iter().flatten().min();
        let wait = deadline.map(|at| at.saturating_sub(clock().tick));
        let mut heard: Vec<Heard> = Vec::new();
        let mut news: Vec<(News, Pace)> = Vec::new();
        tokio::select! {
            biased;
            Some(signal) = signals.next() => match signal {
                Signal::HangUp => return gone(&app, wires),
                Signal::Terminate => news.push((News::Terminate, Pace::Input)),
            },
            event = input.next() => {
                // No more input: the terminal is gone, though no signal said so.
                let Some(Ok(event)) = event else { return gone(&app, wires) };
                let tick = clock().tick;
                heard.extend(guard.feed(event, tick));
                for _ in 0..DRAIN {
                    // With this task's own waker: a stream keeps the one it saw last, and one that wakes nobody would
                    // lose the next key.
                    match poll_fn(|task| Poll::Ready(input.poll_next_unpin(task))).await {
                        Poll::Ready(Some(Ok(event))) => heard.extend(guard.feed(event, tick)),
                        _ => break,
                    }
                }
            },
            Some(answer) = answers.next(), if !answers.is_empty() => news.push(answer),
            event = events.recv(), if engine_is_there => match event {
                Ok(event) => {
                    news.push((told(event), Pace::News));
                    for _ in 0..DRAIN {
                        match events.try_recv() {
                            Ok(event) => news.push((told(event), Pace::News)),
                            Err(TryRecvError::Lagged(_)) => news.push((News::Missed, Pace::News)),
                            Err(_) => break,
                        }
                    }
                }
                Err(RecvError::Lagged(_)) => news.push((News::Missed, Pace::News)),
                Err(RecvError::Closed) => engine_is_there = false,
            },
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                heard.extend(guard.due(clock().tick));
            }
        }
        while !heard.is_empty() {
            let burst = input::burst(&heard, |key| app.meaning(key));
            let message = if burst > 0 {
                heard.drain(..burst);
                News::Dropped(burst)
            } else {
                match heard.remove(0) {
                    Heard::Key(key) => News::Key(key),
                    Heard::Paste(text) => News::Paste(text),
                    Heard::Mouse(mouse) => News::Mouse(mouse),
                    Heard::Resize(size) => News::Resize(size),
                }
            };
            news.push((message, Pace::Input));
            // Whether the next keys are text depends on what this one did.
            take_in(&mut app, &mut news, &mut work, &mut pacing, &clock, wires);
        }
        take_in(&mut app, &mut news, &mut work, &mut pacing, &clock, wires);
    }
}

fn told(event: Event) -> News {
    match event {
        Event::Missed => News::Missed,
        event => News::Engine(event),
    }
}

/// The terminal is gone, whether a signal, the end of its input or a refused write said so.
fn gone(app: &App, wires: &Wires) -> Left {
    keep_view(app, wires.view_file.as_deref());
    (wires.hang_up)()
}

fn take_in(
    app: &mut App,
    news: &mut Vec<(News, Pace)>,
    work: &mut VecDeque<(Vec<Effect>, Pace)>,
    pacing: &mut Pacing,
    clock: &impl Fn() -> Now,
    wires: &mut Wires,
) {
    for (news, pace) in news.drain(..) {
        let now = clock();
        if pace == Pace::Input && matches!(news, News::Answer(..)) {
            pacing.answered(now.tick);
        }
        let gap = match (pace, &news) {
            // Its key has waited long enough.
            (Pace::Input, News::Answer(..)) | (Pace::Ahead, _) => Duration::ZERO,
            (Pace::Input, _) => INPUT_GAP,
            (Pace::News, _) => wires.news_gap,
        };
        let effects = update(app, Message { now, news });
        pacing.want(now.tick, pace, gap);
        wires.news_gap = app.prefs.news_gap(wires.is_ssh);
        if !effects.is_empty() {
            work.push_back((effects, pace));
        }
    }
}

fn carry_out<W: Write>(
    effect: Effect,
    pace: Pace,
    app: &mut App,
    handle: &Handle,
    answers: &Answers<'_>,
    painter: &mut Painter<W>,
    wires: &mut Wires,
) -> std::io::Result<Option<Left>> {
    match effect {
        Effect::Ask(query) => answers.push(asked(handle, query, pace)),
        Effect::AskAhead(query) => {
            let pace = if pace == Pace::Input { Pace::Ahead } else { pace };
            answers.push(asked(handle, query, pace));
        }
        Effect::Send(command) => {
            let handle = handle.clone();
            answers.push(
                async move {
                    let reply = handle.send(command.clone()).await;
                    (News::Reply(Box::new(command), reply), pace)
                }
                .boxed_local(),
            );
        }
        Effect::Copy(text) => painter.copy(&text, wires.multiplexer)?,
        Effect::Read(pane, path) => {
            let text = read_small(&path);
            answers.push(async move { (News::Read(pane, path, text), Pace::Input) }.boxed_local());
        }
        Effect::Write { path, bytes } => {
            let done = write_whole(&path, &bytes).map_err(|error| error.to_string());
            answers.push(async move { (News::Written(path, done), Pace::Input) }.boxed_local());
        }
        Effect::Mouse(on) => painter.mouse(on)?,
        Effect::Repaint => painter.forget(),
        Effect::Suspend => {
            (wires.suspend)();
            painter.forget();
            if app.prefs.mouse {
                painter.mouse(true)?;
            }
            answers.push(async { (News::Resumed, Pace::Input) }.boxed_local());
        }
        Effect::Leave(left) => return Ok(Some(left)),
    }
    Ok(None)
}

fn asked(handle: &Handle, query: Query, pace: Pace) -> LocalBoxFuture<'static, (News, Pace)> {
    let handle = handle.clone();
    async move {
        let answer = handle.ask(query.clone()).await;
        (News::Answer(query, answer), pace)
    }
    .boxed_local()
}

/// A file a person named, such as mappings to import: text of at most 16 MB.
fn read_small(path: &Path) -> Result<String, String> {
    const LIMIT: u64 = 16 * 1024 * 1024;
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LIMIT {
        return Err("it is larger than 16 MB".into());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    mapping_csv::read(path, &bytes).map_err(|(line, sentence)| format!("line {line}: {sentence}"))
}

/// All of the new file or all of the old one.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    std::fs::write(&half, bytes)?;
    std::fs::rename(&half, path)
}

/// The view is kept as well as can be; that it cannot is no reason to stay.
fn keep_view(app: &App, path: Option<&Path>) {
    if let Some(path) = path {
        let _ = write_whole(path, app.saved().to_string().as_bytes());
    }
}
