//! One turn of `update` as a screen or a dialog sees it: what it may read, and the steps it asks for.

use ratatui::layout::Rect;

use super::action::Action;
use super::canvas::Look;
use super::dialogs::Dialog;
use super::message::{Effect, Now};
use super::mirror::Mirror;
use super::prefs::Prefs;
use super::screens::{Pane, Screen};
use super::theme::Role;
use crate::host::words::{Command, Query};
use crate::model::Integration;

/// What `App` carries out after the turn, in order.
#[derive(Debug, Clone)]
pub enum Step {
    Do(Effect),
    /// Replaces the hint line until the next key, and is kept in the list of messages.
    Say(String, Role),
    /// A deeper view over the pane that has the focus.
    Open(Screen),
    /// The view on top goes.
    Close,
    Go(Pane),
    /// The mapping table of this integration.
    Customers(Integration),
    /// A pane, and a view over it.
    GoOpen(Pane, Screen),
    Dialog(Box<Dialog>),
    /// As if its key had been pressed.
    Act(Action),
    /// Settings of the program, in force at once and kept.
    Prefs(Prefs),
    /// A theme on trial; `None` ends it.
    TryTheme(Option<String>),
    /// Leaves for another profile.
    Switch(String),
    /// Leaves the program; an engine of this process stops its job after the record in hand first.
    LeaveNow,
}

#[derive(Debug)]
pub struct Turn<'a> {
    pub mirror: &'a Mirror,
    pub now: Now,
    pub look: &'a Look,
    pub prefs: &'a Prefs,
    /// Where the screen is drawn.
    pub area: Rect,
    /// Drawn as one pane of several: a list without details.
    pub in_overview: bool,
    pub steps: Vec<Step>,
}

impl Turn<'_> {
    pub fn send(&mut self, command: Command) {
        self.steps.push(Step::Do(Effect::Send(command)));
    }

    pub fn ask(&mut self, query: Query) {
        self.steps.push(Step::Do(Effect::Ask(query)));
    }

    /// Asks for rows; for those that are asked ahead, which may be scrolled to, no frame waits.
    pub fn ask_rows(&mut self, query: Query, is_ahead: bool) {
        self.steps.push(Step::Do(if is_ahead { Effect::AskAhead(query) } else { Effect::Ask(query) }));
    }

    /// What happened, on what, and what to do (U35).
    pub fn say(&mut self, text: impl Into<String>) {
        self.steps.push(Step::Say(text.into(), Role::Text));
    }

    pub fn complain(&mut self, text: impl Into<String>) {
        self.steps.push(Step::Say(text.into(), Role::Bad));
    }

    pub fn open(&mut self, screen: impl Into<Screen>) {
        self.steps.push(Step::Open(screen.into()));
    }

    pub fn close(&mut self) {
        self.steps.push(Step::Close);
    }

    pub fn dialog(&mut self, dialog: impl Into<Dialog>) {
        self.steps.push(Step::Dialog(Box::new(dialog.into())));
    }

    pub fn copy(&mut self, text: impl Into<String>) {
        self.steps.push(Step::Do(Effect::Copy(text.into())));
    }
}
