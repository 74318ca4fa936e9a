//! Everything a person can ask for: one table from which keymap, hints, help, palette and the README's key table come.

/// Where an action works. Its key must be unambiguous wherever two scopes meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    Everywhere,
    /// Every screen that is a list of records.
    Lists,
    Integrations,
    /// An integration's form.
    Settings,
    /// The settings of the program itself.
    Program,
}

impl Scope {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Lists => "Lists",
            Self::Integrations => "Integrations",
            Self::Settings => "Settings of an integration",
            Self::Program => "Settings of the program",
        }
    }

    pub const ALL: [Self; 5] =
        [Self::Everywhere, Self::Lists, Self::Integrations, Self::Settings, Self::Program];

    /// Whether the keys of [`Scope::Lists`] work here.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Lists | Self::Integrations)
    }

    /// Whether an action of scope `self` works on a screen of scope `screen`.
    pub fn reaches(self, screen: Self) -> bool {
        self == screen || self == Self::Everywhere || (self == Self::Lists && screen.is_list())
    }

    /// Whether one key could mean both.
    pub fn meets(self, other: Self) -> bool {
        self.reaches(other) || other.reaches(self)
    }
}

/// Whether an action is possible now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Why not, as a sentence (U36).
    Not(String),
}

/// What is known about an action.
#[derive(Debug)]
pub struct Entry {
    pub action: Action,
    /// Its name in `keys.toml`.
    pub name: &'static str,
    pub scopes: &'static [Scope],
    /// One or two words for the hint line.
    pub hint: &'static str,
    pub title: &'static str,
    pub help: &'static str,
    /// The command that does the same without the screen; empty if only a screen needs it.
    pub shell: &'static str,
}

macro_rules! actions {
    ($($action:ident $name:literal [$($scope:ident)+] $hint:literal $title:literal $help:literal $shell:literal;)*) => {
        /// What a person can ask for. No data inside, so that it can be named in a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($action),* }

        /// Every action, in the order help shows them.
        pub const TABLE: &[Entry] = &[$(Entry {
            action: Action::$action,
            name: $name,
            scopes: &[$(Scope::$scope),+],
            hint: $hint,
            title: $title,
            help: $help,
            shell: $shell,
        }),*];
    };
}

// action, name in keys.toml, scopes, hint, title, help, command without the screen
actions! {
    SetUp "set_up" [Integrations] "set up" "Set up this connection"
        "Opens its form: address, account, secret, options, schedule." "parhelion config import FILE";
    Test "test" [Integrations Settings] "test" "Test the connection"
        "Signs in and checks each right by itself. Works on values that are not saved, and never writes." "parhelion test NAME";
    OnOff "on_off" [Integrations] "on/off" "Switch the integration on or off"
        "An integration that is off can never run." "parhelion config set NAME.enabled false";
    FollowToDo "follow_to_do" [Integrations] "to do" "Go to what is to do"
        "Goes where the selected integration's first open point is settled." "";

    Edit "edit" [Settings Program] "edit" "Edit the field"
        "All printable keys are text then; Enter accepts and checks, Esc gives the old value back." "parhelion config set KEY VALUE";
    Save "save" [Settings] "save" "Save the changes"
        "Saves all or nothing, and says what was cleaned." "parhelion config import FILE";
    NextTab "next_tab" [Settings] "tabs" "Next tab" "" "";
    PreviousTab "previous_tab" [Settings] "tabs" "Previous tab" "" "";
    Reset "reset" [Settings Program] "default" "Back to the default" "Gives the field its default value." "";

    Undo "undo" [Integrations Settings Program] "undo" "Undo the last change"
        "Takes back the last change made here." "";

    Up "up" [Lists Settings Program] "up" "Row up" "" "";
    Down "down" [Lists Settings Program] "down" "Row down" "" "";
    HalfPageUp "half_page_up" [Lists Settings Program] "half page" "Half a page up" "" "";
    HalfPageDown "half_page_down" [Lists Settings Program] "half page" "Half a page down" "" "";
    PageUp "page_up" [Lists Settings Program] "page" "Page up" "" "";
    PageDown "page_down" [Lists Settings Program] "page" "Page down" "" "";
    First "first" [Lists Settings Program] "first" "First row" "" "";
    Last "last" [Lists Settings Program] "last" "Last row" "" "";
    DetailsDown "details_down" [Lists] "details" "Scroll the details down" "" "";
    DetailsUp "details_up" [Lists] "details" "Scroll the details up" "" "";
    Filter "filter" [Lists] "filter" "Filter as you type"
        "Words in any order. Enter keeps the filter, Esc drops it." "";
    FilterState "filter_state" [Lists] "states" "Filter by state"
        "A letter chooses the state; the letters are shown. The same key twice shows all." "";
    Order "order" [Lists] "order" "Change the order"
        "A letter chooses the order; the letters are shown." "";
    Copy "copy" [Lists] "copy" "Copy to the clipboard"
        "A letter chooses what: the id, the name, the row, the error." "";
    Why "why" [Lists] "why" "Why is this row as it is"
        "The rules that led to the selected row." "";

    Help "help" [Everywhere] "help" "Help for this screen"
        "Keys, signs, the screen's rules in words. Type to search it." "parhelion --help";
    Palette "palette" [Everywhere] "all" "Every action and place by name"
        "Type a few letters; Enter does it. Also takes theme, messages, q and the names of places." "";
    Integrations "integrations" [Everywhere] "integrations" "Go to: Integrations" "" "";
    Overview "overview" [Everywhere] "overview" "Go to: Overview"
        "All panes at once, where the terminal has 120x32." "";
    Zoom "zoom" [Everywhere] "zoom" "Zoom the pane, or show all panes" "" "";
    NextPane "next_pane" [Everywhere] "next pane" "Next pane" "" "";
    PreviousPane "previous_pane" [Everywhere] "pane" "Previous pane" "" "";
    Back "back" [Everywhere] "back" "Back, one layer at a time"
        "Takes off typing, then a dialog, then marks, then the filter, then the view. Never leaves the program." "";
    Leave "leave" [Everywhere] "leave" "Leave the view, or the program"
        "With a job running it asks first; the next start offers to go on." "";
    Refresh "refresh" [Everywhere] "read again" "Read this screen's data again" "" "";
    Repaint "repaint" [Everywhere] "redraw" "Draw everything again" "" "";
    Suspend "suspend" [Everywhere] "suspend" "Suspend the program" "" "";
    Messages "messages" [Everywhere] "messages" "What was said earlier" "" "";
    ProgramSettings "program_settings" [Everywhere] "settings" "Settings of the program"
        "Theme, signs, mouse, frames a second." "";
}

impl Action {
    pub fn entry(self) -> &'static Entry {
        // The table holds every action: the macro makes both.
        TABLE.iter().find(|entry| entry.action == self).unwrap_or(&TABLE[0])
    }

    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.action)
    }

    /// Actions that take one more letter, which the screen offers (`f`, `o`, `y`).
    pub const fn takes_letter(self) -> bool {
        matches!(self, Self::FilterState | Self::Order | Self::Copy)
    }

    /// Actions after which printable keys are text.
    pub const fn opens_text(self) -> bool {
        matches!(self, Self::Filter | Self::Palette | Self::Help | Self::Edit)
    }
}
