//! One file a screen: its state, and how it answers as a [`View`]. They are an enum, since all are known and what lies
//! under another is copied.

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
mod view;

use std::ops::{Deref, DerefMut};

use serde_json::Value;

use super::action::Action;
use super::dialogs::palette::{Entry, Word};
use super::turn::Step;
pub use view::View;

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
            Self::Integrations => Screen::Integrations(Box::default()),
            Self::Customers => Screen::Customers(Box::default()),
            Self::Fields => Screen::Fields(Box::default()),
            Self::Jobs => Screen::Jobs(Box::default()),
            Self::Lifecycle => Screen::Lifecycle(Box::default()),
        }
    }
}

#[derive(Debug, Clone)]
pub enum Screen {
    Integrations(Box<integrations::Integrations>),
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
    Settings(Box<settings::Settings>),
    Program(Box<program::Program>),
    Lifecycle(Box<lifecycle::Lifecycle>),
    Report(Box<report::ReportScreen>),
    Sheet(Box<lifecycle::sheet::Sheet>),
}

/// The view in it.
macro_rules! view {
    ($self:expr, $as:ident) => {
        match $self {
            Self::Integrations(view) => view.$as(),
            Self::Customers(view) => view.$as(),
            Self::Picker(view) => view.$as(),
            Self::Fields(view) => view.$as(),
            Self::FieldPicker(view) => view.$as(),
            Self::Trial(view) => view.$as(),
            Self::Push(view) => view.$as(),
            Self::Plan(view) => view.$as(),
            Self::Jobs(view) => view.$as(),
            Self::Job(view) => view.$as(),
            Self::Change(view) => view.$as(),
            Self::Settings(view) => view.$as(),
            Self::Program(view) => view.$as(),
            Self::Lifecycle(view) => view.$as(),
            Self::Report(view) => view.$as(),
            Self::Sheet(view) => view.$as(),
        }
    };
}

impl Deref for Screen {
    type Target = dyn View;

    fn deref(&self) -> &Self::Target {
        view!(self, as_ref)
    }
}

impl DerefMut for Screen {
    fn deref_mut(&mut self) -> &mut Self::Target {
        view!(self, as_mut)
    }
}

impl Screen {
    /// A view over a pane, as it was saved.
    pub fn from_saved(saved: &Value) -> Option<Self> {
        match saved["screen"].as_str() {
            Some("plan") => plan::PlanScreen::from_saved(saved).map(Self::from),
            Some("report") => report::ReportScreen::from_saved(saved).map(Self::from),
            Some("job") => job::JobScreen::from_saved(saved).map(Self::from),
            _ => settings::Settings::from_saved(saved).map(Self::from),
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
into_screen!(Settings settings::Settings, Program program::Program, FieldPicker fields::picker::FieldPicker, Trial fields::trial::TrialScreen, Push push::PushScreen, Report report::ReportScreen, Sheet lifecycle::sheet::Sheet, Picker picker::Picker, Plan plan::PlanScreen, Job job::JobScreen, Change change::ChangeScreen);

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
