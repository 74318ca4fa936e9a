//! What happened ([`Message`]), and what the loop is asked to do about it ([`Effect`]).

use std::path::PathBuf;
use std::time::Duration;

use ratatui::layout::Size;

use super::key::Key;
use super::screens::Pane;
use crate::host::words::{Answer, Command, Event, Query, Reply};
use crate::model::{JobId, Moment, Problem};

/// The time of a message: `update` never reads a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Steady time since the start.
    pub tick: Duration,
    pub moment: Moment,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub now: Now,
    pub news: News,
}

#[derive(Debug, Clone)]
pub enum News {
    Key(Key),
    /// Text from a bracketed paste, not yet cleaned.
    Paste(String),
    /// This many keys came at once and not all meant something: dropped as a paste (U31).
    Dropped(usize),
    /// The wheel or a click at a cell; only with the mouse switched on.
    Mouse(Mouse),
    Resize(Size),
    Engine(Event),
    /// Engine events were missed: what is shown must be asked anew.
    Missed,
    Answer(Query, Result<Answer, Problem>),
    /// The answer to a command, with the command, so that whoever sent it knows it again.
    Reply(Box<Command>, Result<Reply, Problem>),
    /// A file that [`Effect::Read`] asked for, and for which pane.
    Read(Pane, PathBuf, Result<String, String>),
    /// A file that [`Effect::Write`] was to write.
    Written(PathBuf, Result<(), String>),
    /// The program was suspended and is back.
    Resumed,
    /// SIGTERM or SIGINT.
    Terminate,
    /// A deadline that [`super::app::App::deadline`] named has come.
    Due,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    Up,
    Down,
    Click { x: u16, y: u16 },
}

/// What the loop does for `update`. Answers come back as [`News`].
#[derive(Debug, Clone)]
pub enum Effect {
    Send(Command),
    /// The frame waits a moment for the answer.
    Ask(Query),
    /// No frame waits for the answer.
    AskAhead(Query),
    /// To the terminal's clipboard (OSC 52).
    Copy(String),
    /// Reads a small text file for a pane, such as mappings to import; of a spreadsheet the first sheet, as CSV.
    Read(Pane, PathBuf),
    /// Writes a file of the user's whole: settings of the program, an export.
    Write {
        path: PathBuf,
        bytes: Vec<u8>,
    },
    Mouse(bool),
    /// Draws everything again (Ctrl-L).
    Repaint,
    Suspend,
    Leave(Left),
}

/// How the viewer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// By `q`, with no job running.
    Quit,
    /// By `q` and `y`: the engine has stopped this job after the record in hand; it can be resumed.
    Stopped(JobId),
    /// To look at another profile; what runs in this one goes on.
    Switch(String),
    /// The engine that was on its way could not be started.
    Failed(Box<Problem>),
    /// By a signal (its number); a job in this process can be resumed.
    Signal(i32),
}
