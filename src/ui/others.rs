//! Who else has a screen on the same host (N21, U46): where each looks is said in the header, and whoever has the same
//! thing open to change it is told before anything is saved.

use std::collections::BTreeSet;

use super::app::App;
use super::dialogs::confirm::Confirm;
use super::message::{Effect, News};
use super::theme::Role;
use super::turn::{Step, Turn};
use crate::host::words::{Command, Looking, Presence, Viewer};
use crate::model::{Decision, Integration, SourceId};

/// What was said and heard of others so far.
#[derive(Debug, Default)]
pub struct Others {
    /// What the host last heard of us.
    told: Looking,
    /// It has not answered yet: the next word waits, so that a held key sends no flood.
    is_telling: bool,
    /// By whom and of what a person was warned; forgotten when one of the two has moved on.
    warned: BTreeSet<(u64, String)>,
    /// The host's own warning, as it was said.
    warning: Option<String>,
}

impl App {
    /// After every step: tells the host where this screen is, if that is news, and its person who else is there.
    pub(super) fn mind_others(&mut self, news_is_reply: bool) {
        if !self.mirror.is_shared {
            return;
        }
        self.others.is_telling &= !news_is_reply;
        let looking = self.looking();
        self.warn_of_edits(looking.edits.as_deref());
        if self.others.told != looking && !self.others.is_telling {
            self.others.told = looking.clone();
            self.others.is_telling = true;
            self.push(Effect::Send(Command::LookAt(looking)));
        }
    }

    /// What U46 wants said once, in full: the strip has room for its beginning only.
    pub(super) fn hear_warning(&mut self) {
        let warning = &self.mirror.presence.warning;
        if self.others.warning != *warning {
            self.others.warning.clone_from(warning);
            if let Some(warning) = warning.clone() {
                self.say(warning, Role::Notice);
            }
        }
    }

    fn looking(&self) -> Looking {
        let stack = &self.panes[self.focus];
        let names = stack.screens.iter().filter_map(|screen| screen.name());
        let path: Vec<String> = std::iter::once(stack.pane.title().to_owned()).chain(names).collect();
        Looking { at: path.join(" > "), edits: self.screen().edits() }
    }

    fn warn_of_edits(&mut self, mine: Option<&str>) {
        let both: BTreeSet<(u64, String)> = self
            .mirror
            .presence
            .viewers
            .iter()
            .filter_map(|viewer| Some((viewer.id, viewer.looking.edits.clone()?)))
            .filter(|(_, theirs)| Some(theirs.as_str()) == mine)
            .collect();
        let new = both.difference(&self.others.warned).next().cloned();
        self.others.warned = both;
        let Some((id, what)) = new else { return };
        if let Some(viewer) = self.mirror.presence.viewers.iter().find(|viewer| viewer.id == id) {
            let said =
                format!("{} has {what} open too: agree before you save, the later one stands.", name(viewer));
            self.say(said, Role::Notice);
        }
    }
}

/// What is changed where a customer is mapped.
pub fn customer(integration: Integration, id: &SourceId) -> String {
    format!("customer {id} of {}", integration.label())
}

/// Who else has one of these customers open to change it, in a sentence; decisions of one key have no screen of their own
/// in which their person would have been told.
pub fn rival<'a>(
    presence: &Presence,
    integration: Integration,
    ids: impl IntoIterator<Item = &'a SourceId>,
) -> Option<String> {
    if presence.viewers.iter().all(|viewer| viewer.looking.edits.is_none()) {
        return None;
    }
    ids.into_iter().find_map(|id| {
        let what = customer(integration, id);
        let viewer =
            presence.viewers.iter().find(|viewer| viewer.looking.edits.as_deref() == Some(&*what))?;
        Some(format!("{} has {what} open to change it.", name(viewer)))
    })
}

/// Sends decisions about customers; where somebody else has one of them open, only after a question: two people who change
/// one row are told before the second saves (U46). `false`: that question stands.
pub fn decide(integration: Integration, decisions: Vec<(SourceId, Decision)>, turn: &mut Turn<'_>) -> bool {
    let rival = rival(&turn.mirror.presence, integration, decisions.iter().map(|(id, _)| id));
    let send = Command::Decide { integration, decisions };
    let Some(said) = rival else {
        turn.send(send);
        return true;
    };
    let lines = [said, "Agree first: the later decision stands.".to_owned()];
    turn.dialog(Confirm::new("Decide it all the same?", lines, "leave it").choice(
        'y',
        "decide",
        vec![Step::Do(Effect::Send(send))],
    ));
    false
}

/// Whether this is the answer to what [`App::mind_others`] told.
pub fn is_told(news: &News) -> bool {
    matches!(news, News::Reply(command, _) if matches!(**command, Command::LookAt(_)))
}

fn name(viewer: &Viewer) -> String {
    match &viewer.from {
        Some(from) => format!("{}@{from}", viewer.user),
        None => viewer.user.clone(),
    }
}

/// For the header, as far as there is room: one other by name and place, more by number.
pub fn also_here(presence: &Presence, room: usize) -> Option<String> {
    let others = presence.viewers.len();
    let mut texts = Vec::new();
    match presence.viewers.as_slice() {
        [] => return None,
        [viewer] => {
            let path = &viewer.looking.at;
            let pane = path.split(" > ").next().unwrap_or(path);
            for at in [path, pane].into_iter().filter(|at| !at.is_empty()) {
                texts.push(format!("also here: {} in {at}", name(viewer)));
            }
            texts.push(format!("also here: {}", name(viewer)));
        }
        _ => texts.push(format!("also here: {others} others; `:here` says who")),
    }
    texts.extend([format!("+{others} here"), format!("+{others}")]);
    texts.into_iter().find(|text| text.chars().count() <= room)
}

/// All of them, a line each: who, where, and what they would change.
pub fn told(presence: &Presence) -> Vec<(&Viewer, String)> {
    presence
        .viewers
        .iter()
        .map(|viewer| {
            let at = if viewer.looking.at.is_empty() { "here" } else { &viewer.looking.at };
            let edits = viewer.looking.edits.as_deref();
            let edits = edits.map(|what| format!(", changing {what}")).unwrap_or_default();
            (viewer, format!("{}: {at}{edits}", name(viewer)))
        })
        .collect()
}
