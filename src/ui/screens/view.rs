//! What every screen answers to. What only some have (text fields, marks, a filter) is left out by the others.

use ratatui::layout::Rect;
use serde_json::Value;

use crate::ui::action::{Action, Availability, Scope};
use crate::ui::canvas::Canvas;
use crate::ui::dialogs::help::About;
use crate::ui::key::Input;
use crate::ui::message::News;
use crate::ui::mirror::Mirror;
use crate::ui::turn::Turn;

pub trait View {
    /// Which keys work here.
    fn scope(&self) -> Scope;

    /// What a deeper view is called in the path of the header; a pane's own screen has no name.
    fn name(&self) -> Option<String> {
        None
    }

    /// What would be changed here, in words that are the same for whoever else has it open (N21). `None`: it is looked
    /// at, no more.
    fn edits(&self) -> Option<String> {
        None
    }

    /// The second line of the screen: left and right. `None`: the screen needs no such line.
    fn crumb(&self, _mirror: &Mirror) -> Option<(String, String)> {
        None
    }

    /// What is in the title of its pane in the overview, after the pane's own name.
    fn summary(&self, _mirror: &Mirror) -> String {
        self.name().unwrap_or_default()
    }

    /// What it shows was opened or came back to the front.
    fn enter(&mut self, _turn: &mut Turn<'_>) {}

    /// Whether printable keys are text now.
    fn is_typing(&self) -> bool {
        false
    }

    /// What comes while [`Self::is_typing`].
    fn input(&mut self, _input: Input<'_>, _turn: &mut Turn<'_>) {}

    /// Does an action that is possible; `false` if it has no meaning here.
    fn act(&mut self, _action: Action, _turn: &mut Turn<'_>) -> bool {
        false
    }

    /// Whether an action is possible now.
    fn can(&self, _action: Action, _mirror: &Mirror) -> Availability {
        Availability::Ready
    }

    /// The letters that may follow `f`, `o`, `y`.
    fn letters(&self, _action: Action, _mirror: &Mirror) -> Vec<(char, String)> {
        Vec::new()
    }

    fn choose(&mut self, _action: Action, _letter: char, _turn: &mut Turn<'_>) {}

    /// Takes off one layer of its own (marks, filter); `false` if there is none.
    fn peel(&mut self, _turn: &mut Turn<'_>) -> bool {
        false
    }

    /// Whether the view may be left; if not it has asked.
    fn may_leave(&mut self, _turn: &mut Turn<'_>) -> bool {
        true
    }

    /// News from the engine, answers to questions and commands. Every screen hears all of it, seen or not.
    fn hear(&mut self, news: &News, turn: &mut Turn<'_>);

    /// After every update of a screen that is seen: scrolls as far as needed, asks for rows that are missing.
    fn settle(&mut self, _turn: &mut Turn<'_>) {}

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, in_overview: bool);

    /// What is being typed into the last line, such as a filter; `false`: the hints go there.
    fn draws_last_line(&self, _canvas: &mut Canvas<'_>, _area: Rect) -> bool {
        false
    }

    /// A click at a line of its area.
    fn click(&mut self, _line: u16, _turn: &mut Turn<'_>) {}

    /// Actions for the hint line, most useful first.
    fn hints(&self) -> &'static [Action] {
        &[]
    }

    fn about(&self) -> About;

    /// What coming back restores (U42); never a secret.
    fn saved(&self) -> Value {
        Value::Null
    }

    fn restore(&mut self, _saved: &Value) {}
}
