//! One file a screen, each in four parts: its state, `act`, `draw`, its hints. They are an enum, not a trait: there are
//! a dozen and all are known.

pub mod change;
mod charts;
pub mod customers;
pub mod fields;
pub mod integrations;
pub mod job;
pub mod jobs;
pub mod lifecycle;
pub mod log_window;
pub mod picker;
pub mod plan;
pub mod program;
pub mod push;
pub mod report;
pub mod settings;

use ratatui::layout::Rect;
use serde_json::Value;

use super::action::{Action, Availability, Scope};
use super::canvas::Canvas;
use super::dialogs::help::About;
use super::dialogs::palette::{Entry, Word};
use super::key::Key;
use super::message::News;
use super::mirror::Mirror;
use super::turn::{Step, Turn};
use crate::model::{Integration, JobId, Place};

/// The panes, in the order of their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pane {
    Integrations,
    Customers,
    Fields,
    Jobs,
    /// The planning workspace; not among those seen at once.
    Lifecycle,
}

impl Pane {
    pub const ALL: [Self; 5] =
        [Self::Integrations, Self::Customers, Self::Fields, Self::Jobs, Self::Lifecycle];

    /// How many of them the overview shows.
    pub const IN_OVERVIEW: usize = 4;

    pub const fn title(self) -> &'static str {
        match self {
            Self::Integrations => "Integrations",
            Self::Customers => "Customers",
            Self::Fields => "Fields",
            Self::Jobs => "Jobs",
            Self::Lifecycle => "Lifecycle",
        }
    }

    pub const fn digit(self) -> char {
        match self {
            Self::Integrations => '1',
            Self::Customers => '2',
            Self::Fields => '3',
            Self::Jobs => '4',
            Self::Lifecycle => '5',
        }
    }

    pub const fn action(self) -> Action {
        match self {
            Self::Integrations => Action::Integrations,
            Self::Customers => Action::Customers,
            Self::Fields => Action::Fields,
            Self::Jobs => Action::Jobs,
            Self::Lifecycle => Action::Lifecycle,
        }
    }

    /// The screen at its bottom.
    pub fn screen(self) -> Screen {
        match self {
            Self::Integrations => Screen::Integrations(integrations::Integrations::default()),
            Self::Customers => Screen::Customers(Box::default()),
            Self::Fields => Screen::Fields(Box::default()),
            Self::Jobs => Screen::Jobs(Box::default()),
            Self::Lifecycle => Screen::Lifecycle(Box::default()),
        }
    }
}

#[derive(Debug, Clone)]
pub enum Screen {
    Integrations(integrations::Integrations),
    Customers(Box<customers::Customers>),
    Picker(Box<picker::Picker>),
    Fields(Box<fields::Fields>),
    FieldPicker(Box<fields::picker::FieldPicker>),
    Trial(Box<fields::trial::TrialScreen>),
    Push(Box<push::PushScreen>),
    Plan(Box<plan::PlanScreen>),
    Jobs(Box<jobs::Jobs>),
    Job(Box<job::JobScreen>),
    Change(Box<change::ChangeScreen>),
    Settings(settings::Settings),
    Program(program::Program),
    Lifecycle(Box<lifecycle::Lifecycle>),
    Report(Box<report::ReportScreen>),
    Sheet(Box<lifecycle::sheet::Sheet>),
}

/// Calls the screen that it is.
macro_rules! each {
    ($self:expr, $screen:ident => $call:expr) => {
        match $self {
            Screen::Integrations($screen) => $call,
            Screen::Customers($screen) => $call,
            Screen::Picker($screen) => $call,
            Screen::Fields($screen) => $call,
            Screen::FieldPicker($screen) => $call,
            Screen::Trial($screen) => $call,
            Screen::Push($screen) => $call,
            Screen::Plan($screen) => $call,
            Screen::Jobs($screen) => $call,
            Screen::Job($screen) => $call,
            Screen::Change($screen) => $call,
            Screen::Settings($screen) => $call,
            Screen::Program($screen) => $call,
            Screen::Lifecycle($screen) => $call,
            Screen::Report($screen) => $call,
            Screen::Sheet($screen) => $call,
        }
    };
}

impl Screen {
    /// Which keys work here.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Integrations(_) => Scope::Integrations,
            Self::Customers(_) => Scope::Customers,
            Self::Fields(_) => Scope::Fields,
            Self::Picker(_) | Self::FieldPicker(_) | Self::Trial(_) | Self::Push(_) => Scope::Picker,
            Self::Plan(_) => Scope::Plan,
            Self::Jobs(_) => Scope::Jobs,
            Self::Job(_) => Scope::Job,
            Self::Change(_) => Scope::Change,
            Self::Settings(_) => Scope::Settings,
            Self::Program(_) => Scope::Program,
            Self::Lifecycle(_) => Scope::Lifecycle,
            Self::Report(_) => Scope::Report,
            Self::Sheet(_) => Scope::Sheet,
        }
    }

    /// What a deeper view is called in the path of the header; a pane's own screen has no name.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Integrations(_)
            | Self::Customers(_)
            | Self::Fields(_)
            | Self::Jobs(_)
            | Self::Lifecycle(_) => None,
            Self::Report(screen) => Some(screen.name()),
            Self::Sheet(screen) => Some(screen.name()),
            Self::Picker(screen) => Some(screen.name()),
            Self::FieldPicker(screen) => Some(screen.name()),
            Self::Trial(screen) => Some(screen.name()),
            Self::Push(screen) => Some(screen.name()),
            Self::Plan(screen) => Some(screen.name()),
            Self::Job(screen) => Some(screen.name()),
            Self::Change(screen) => Some(screen.name()),
            Self::Settings(screen) => Some(screen.name()),
            Self::Program(_) => Some("Settings of the program".into()),
        }
    }

    /// What would be changed here, in words that are the same for whoever else has it open (N21). `None`: it is looked
    /// at, no more.
    pub fn edits(&self) -> Option<String> {
        match self {
            Self::Picker(screen) => Some(screen.edits()),
            Self::FieldPicker(screen) => Some(screen.edits()),
            Self::Plan(screen) => screen.edits(),
            Self::Settings(screen) => screen.edits(),
            Self::Report(screen) => screen.edits(),
            Self::Sheet(screen) => Some(screen.name()),
            Self::Push(screen) => Some(screen.name()),
            Self::Customers(screen) => screen.edits(),
            Self::Integrations(_)
            | Self::Fields(_)
            | Self::Trial(_)
            | Self::Jobs(_)
            | Self::Job(_)
            | Self::Change(_)
            | Self::Program(_)
            | Self::Lifecycle(_) => None,
        }
    }

    /// The second line of the screen: left and right. `None`: the screen needs no such line.
    pub fn crumb(&self, mirror: &Mirror) -> Option<(String, String)> {
        each!(self, screen => screen.crumb(mirror))
    }

    /// What is in the title of its pane in the overview, after the pane's own name.
    pub fn summary(&self, mirror: &Mirror) -> String {
        each!(self, screen => screen.summary(mirror))
    }

    /// What it shows was opened or came back to the front.
    pub fn enter(&mut self, turn: &mut Turn<'_>) {
        each!(self, screen => screen.enter(turn));
    }

    /// Whether printable keys are text now.
    pub fn is_typing(&self) -> bool {
        each!(self, screen => screen.is_typing())
    }

    /// A key while [`Self::is_typing`].
    pub fn key(&mut self, key: Key, turn: &mut Turn<'_>) {
        each!(self, screen => screen.key(key, turn));
    }

    pub fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        each!(self, screen => screen.paste(text, turn));
    }

    /// Does an action that is possible; `false` if it has no meaning here.
    pub fn act(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        each!(self, screen => screen.act(action, turn))
    }

    /// Whether an action is possible now.
    pub fn can(&self, action: Action, mirror: &Mirror) -> Availability {
        each!(self, screen => screen.can(action, mirror))
    }

    /// The letters that may follow `f`, `o`, `y`.
    pub fn letters(&self, action: Action, mirror: &Mirror) -> Vec<(char, String)> {
        each!(self, screen => screen.letters(action, mirror))
    }

    pub fn choose(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        each!(self, screen => screen.choose(action, letter, turn));
    }

    /// Takes off one layer of its own (marks, filter); `false` if there is none.
    pub fn peel(&mut self, turn: &mut Turn<'_>) -> bool {
        each!(self, screen => screen.peel(turn))
    }

    /// Whether the view may be left; if not it has asked.
    pub fn may_leave(&mut self, turn: &mut Turn<'_>) -> bool {
        each!(self, screen => screen.may_leave(turn))
    }

    /// News from the engine, answers to questions and commands. Every screen hears all of it, seen or not.
    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        each!(self, screen => screen.hear(news, turn));
    }

    /// After every update of a screen that is seen: scrolls as far as needed, asks for rows that are missing.
    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        each!(self, screen => screen.settle(turn));
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool) {
        each!(self, screen => screen.draw(canvas, area, in_overview));
    }

    /// What is being typed into the last line, such as a filter; `false`: the hints go there.
    pub fn draws_last_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> bool {
        each!(self, screen => screen.draws_last_line(canvas, area))
    }

    /// A click at a line of its area.
    pub fn click(&mut self, line: u16, turn: &mut Turn<'_>) {
        each!(self, screen => screen.click(line, turn));
    }

    /// Actions for the hint line, most useful first.
    pub fn hints(&self) -> &'static [Action] {
        each!(self, screen => screen.hints())
    }

    pub fn about(&self) -> About {
        each!(self, screen => screen.about())
    }

    /// What coming back restores (U42); never a secret.
    pub fn saved(&self) -> Value {
        each!(self, screen => screen.saved())
    }

    pub fn restore(&mut self, saved: &Value) {
        each!(self, screen => screen.restore(saved));
    }
}

impl Screen {
    /// A view over a pane, as it was saved.
    pub fn from_saved(saved: &Value) -> Option<Self> {
        match saved["screen"].as_str() {
            Some("plan") => plan::PlanScreen::from_saved(saved).map(Self::from),
            Some("report") => report::ReportScreen::from_saved(saved).map(Self::from),
            Some("job") => job::JobScreen::from_saved(saved).map(Self::from),
            _ => settings::Settings::from_saved(saved).map(Self::Settings),
        }
    }
}

macro_rules! into_screen {
    ($($kind:ident $path:ty),*) => {
        $(impl From<$path> for Screen {
            fn from(screen: $path) -> Self {
                Self::$kind(Box::new(screen))
            }
        })*
    };
}
into_screen!(FieldPicker fields::picker::FieldPicker, Trial fields::trial::TrialScreen, Push push::PushScreen, Report report::ReportScreen, Sheet lifecycle::sheet::Sheet, Picker picker::Picker, Plan plan::PlanScreen, Job job::JobScreen, Change change::ChangeScreen);

impl From<settings::Settings> for Screen {
    fn from(screen: settings::Settings) -> Self {
        Self::Settings(screen)
    }
}

/// Places the palette can go to, beside the panes.
pub fn places() -> Vec<Entry> {
    let place = |title: String, word: String, step: Step| Entry {
        title,
        key: String::new(),
        word,
        not: None,
        steps: vec![step],
        tries: None,
    };
    let customers = Integration::ALL.map(|integration| {
        let title = format!("Go to: Customers of {}", integration.label());
        place(title, format!("customers {}", integration.key()), Step::Customers(integration))
    });
    let plans = Integration::ALL.map(|integration| {
        let title = format!("Plan the import of {}", integration.label());
        let screen = plan::PlanScreen::build(integration).into();
        place(title, format!("plan {}", integration.key()), Step::GoOpen(Pane::Customers, screen))
    });
    let settings = Place::all().map(|of| {
        let step = Step::GoOpen(Pane::Integrations, settings::Settings::new(of).into());
        place(format!("Go to: Settings of {}", of.label()), format!("settings {}", of.key()), step)
    });
    customers.into_iter().chain(plans).chain(settings).collect()
}

/// Words of the palette that take an argument.
pub const WORDS: &[Word] = &[
    Word {
        word: "job",
        usage: "job NUMBER: go to a job",
        read: |text| {
            let job: JobId = text.parse()?;
            Ok(vec![Step::GoOpen(Pane::Jobs, job::JobScreen::of(job).into())])
        },
    },
    Word {
        word: "import",
        usage: "import FILE: mappings from a CSV file, shown before they are taken",
        read: |path| Ok(customers::import_steps(path)),
    },
];
