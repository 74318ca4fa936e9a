//! What a person decides about rows: one at once, many after a question.

use super::row::{split_note, why};
use super::{Asking, Customers, Then};
use crate::host::words::{Aspect, Command, MapRow, MapState, Party, Query, SitesView, Suggested};
use crate::model::{ChosenSite, Decision, How, Integration, SourceId, TargetId};
use crate::ui::action::Action;
use crate::ui::dialogs::confirm::Confirm;
use crate::ui::fit::thousands;
use crate::ui::message::Effect;
use crate::ui::others;
use crate::ui::screens::picker::Picker;
use crate::ui::turn::{Step, Turn};
use crate::ui::widgets::prompt::Prompt;

impl Customers {
    pub(super) fn act_on_rows(&mut self, action: Action, turn: &mut Turn<'_>) -> bool {
        if let (Action::Exclude, Some(row), true) = (action, self.selected(), self.list.marks().is_empty())
            && row.state == MapState::Excluded
        {
            // Once more would only lose its note.
            let row = row.clone();
            self.accept(&row, turn);
            return true;
        }
        let decision = match action {
            Action::ReallyNew => Some(Decision::New),
            Action::Exclude => Some(Decision::Exclude { note: "".into(), until: None }),
            Action::RemoveMapping => Some(Decision::Clear),
            Action::Repeat => self.last.clone(),
            Action::Accept
            | Action::Pick
            | Action::Why
            | Action::RejectPair
            | Action::Card
            | Action::ChooseSite => None,
            _ => return false,
        };
        if let Some(decision) = decision {
            self.decide_chosen(&decision, turn);
            return true;
        }
        if action == Action::Accept && !self.list.marks().is_empty() {
            let ids = self.list.chosen();
            turn.ask(Query::MapRows { integration: self.integration, ids: ids.clone() });
            self.waits = Some((ids, Then::AcceptMarked));
            return true;
        }
        let Some(row) = self.selected().cloned() else {
            turn.say("This row is still being read.");
            return true;
        };
        match action {
            Action::Accept => self.accept(&row, turn),
            Action::Pick => self.pick(&row, turn),
            Action::RejectPair => self.reject(&row, turn),
            Action::Card => self.card(&row, turn),
            Action::ChooseSite => {
                turn.send(Command::Sites { integration: self.integration, source: row.source.id });
            }
            _ => self.tell_why(&row, turn),
        }
        true
    }

    pub(super) fn accept(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        let walked = self.shown.contains_key(&row.source.id);
        match (row.state, takeable(row, self.candidate(row), walked), &row.target) {
            (MapState::Unmapped, Some(one), _) => {
                let decision = map_to(&one.party);
                if self.decide(vec![(row.source.id.clone(), decision)], turn) {
                    self.next_undecided(true, turn);
                }
            }
            (MapState::Unmapped | MapState::Orphaned, ..) => self.pick(row, turn),
            (MapState::Mapped, ..) if row.aspect == Some(Aspect::Inactive) => self.pick(row, turn),
            (MapState::Renamed, _, Some(target)) => {
                // The same pair: its names of today are taken note of.
                self.decide(vec![(row.source.id.clone(), map_to(target))], turn);
            }
            (MapState::Mapped, _, Some(target)) if row.aspect == Some(Aspect::Unused) => {
                self.decide(vec![(row.source.id.clone(), map_to(target))], turn);
            }
            (MapState::Excluded, ..) => {
                let (note, _) = split_note(&row.note);
                self.prompt = Some(Prompt::new(Asking::Note(row.source.id.clone()), "note >", note));
            }
            _ => self.card(row, turn),
        }
    }

    /// N12: everything that is known of this customer.
    pub(super) fn card(&self, row: &MapRow, turn: &mut Turn<'_>) {
        turn.send(Command::Card { integration: self.integration, source: row.source.id.clone() });
    }

    /// Which candidate of a row is shown.
    pub(super) fn candidate(&self, row: &MapRow) -> usize {
        let at = self.shown.get(&row.source.id).copied().unwrap_or(0);
        at.min(row.candidates.len().saturating_sub(1))
    }

    /// Shows another candidate of the selected row.
    pub(super) fn walk(&mut self, forward: bool, turn: &mut Turn<'_>) {
        let Some(row) = self.selected() else { return };
        let (id, at, of) = (row.source.id.clone(), self.candidate(row), row.candidates.len());
        let next = if forward { at + 1 } else { at.wrapping_sub(1) };
        if next < of {
            self.shown.insert(id, next);
        } else {
            turn.say(match (of, forward) {
                (0, _) => "No partner is suggested for it; m picks by hand.".to_owned(),
                (_, true) => format!("That is the last of {of}; m picks by hand."),
                (_, false) => "That is the best one.".to_owned(),
            });
        }
    }

    /// P14: the candidate that is shown is none.
    pub(super) fn reject(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        let at = self.candidate(row);
        let Some(one) = row.candidates.get(at) else {
            return turn.say("No partner is suggested for it.");
        };
        let (target, target_name) = (one.party.id.clone(), one.party.name.as_str().into());
        self.shown.remove(&row.source.id);
        let decision = Decision::Reject { target, target_name };
        let is_sent = others::decide(self.integration, vec![(row.source.id.clone(), decision)], turn);
        if is_sent && row.candidates.len() == 1 {
            self.next_undecided(true, turn);
        }
    }

    /// The rungs that were tried for a row, and what each said.
    pub(super) fn tell_why(&self, row: &MapRow, turn: &mut Turn<'_>) {
        let lines = why(row, self.integration, |at| turn.look.when(at, turn.now));
        turn.dialog(Confirm::new(format!("Why: {}", row.source.name), lines, "back"));
    }

    pub(super) fn pick(&mut self, row: &MapRow, turn: &mut Turn<'_>) {
        self.is_below = true;
        let remarks = [row.remarks.as_slice(), &row.refused].concat();
        let is_ambiguous = row.aspect == Some(Aspect::Ambiguous);
        turn.open(
            Picker::new(self.integration, row.source.clone(), remarks, true)
                .among_rivals(is_ambiguous)
                .carrying(&row.carries),
        );
    }

    /// One decision about the row under the cursor at once, about marked rows after a question (ux.md 7).
    pub(super) fn decide_chosen(&mut self, decision: &Decision, turn: &mut Turn<'_>) {
        let ids = self.list.chosen();
        let decisions: Vec<_> = ids.into_iter().map(|id| (id, decision.clone())).collect();
        if self.list.marks().is_empty() {
            let goes_on = *decision != Decision::Clear;
            if self.decide(decisions, turn) && goes_on {
                self.next_undecided(true, turn);
            }
        } else {
            let what = match decision {
                Decision::Map { target_name, .. } => format!("map to '{target_name}'"),
                Decision::New => "create as new".into(),
                Decision::Exclude { .. } => "exclude".into(),
                Decision::Reject { target_name, .. } => format!("never '{target_name}'"),
                Decision::Site { site: Some(site) } => format!("at the site '{}'", site.name),
                Decision::Site { site: None } => "at the main site".into(),
                Decision::Clear => "back to undecided".into(),
            };
            self.ask_bulk(&what, decisions, turn);
        }
    }

    pub(super) fn ask_bulk(&mut self, what: &str, decisions: Vec<(SourceId, Decision)>, turn: &mut Turn<'_>) {
        let count = thousands(decisions.len() as u64);
        let rival =
            others::rival(&turn.mirror.presence, self.integration, decisions.iter().map(|(id, _)| id));
        let lines = [
            Some(format!("{count} customers of {}.", self.integration.label())),
            rival,
            Some(format!(
                "Nothing is written to {}, and u takes all of it back at once.",
                self.integration.target(self.integration.root()).label()
            )),
        ];
        let send = Effect::Send(Command::Decide { integration: self.integration, decisions });
        let lines = lines.into_iter().flatten();
        turn.dialog(Confirm::new(format!("{count} marked: {what}?"), lines, "not now").choice(
            'y',
            what,
            vec![Step::Do(send)],
        ));
    }

    /// `false`: somebody else is at it, and its person is asked first.
    pub(super) fn decide(&mut self, decisions: Vec<(SourceId, Decision)>, turn: &mut Turn<'_>) -> bool {
        if let [(_, decision)] = decisions.as_slice() {
            self.last = Some(decision.clone());
        }
        others::decide(self.integration, decisions, turn)
    }

    pub(super) fn next_undecided(&mut self, down: bool, turn: &mut Turn<'_>) {
        let at = self.list.position();
        let is_open = |index: &usize| {
            let row = self.list.ids().get(*index).and_then(|id| self.rows.get(id));
            // A row that is not here yet may be open.
            row.is_none_or(|row| matches!(row.state, MapState::Unmapped | MapState::Orphaned))
        };
        let found = if down { (at + 1..self.list.len()).find(is_open) } else { (0..at).rev().find(is_open) };
        match found {
            Some(index) => {
                self.list.select_at(index);
                self.scroll = 0;
            }
            None => turn.say(format!("Nothing undecided {} this row.", if down { "below" } else { "above" })),
        }
    }
}

/// P18: the sites of a customer's partner, a key each. Those beyond the ninth are chosen on the command line.
pub(super) fn sites_of(integration: Integration, view: &SitesView) -> Confirm {
    let now = view.chosen.as_ref().map_or("its main site", |site| &*site.name);
    let mut lines = vec![
        format!("{} is mapped to {}, and goes to {now}.", view.name, view.partner.name),
        "Its address and its new assets go to the site that is chosen. What is in Halo stays where it is."
            .into(),
    ];
    if view.sites.len() > 9 {
        let more = view.sites.len() - 9;
        lines.push(format!(
            "{more} more: parhelion map site {integration} {} SITE_ID takes any.",
            view.source
        ));
    }
    let choose = |site| {
        let decisions = vec![(view.source.clone(), Decision::Site { site })];
        vec![Step::Do(Effect::Send(Command::Decide { integration, decisions }))]
    };
    let mut dialog = Confirm::new("Which site is it?", lines, "as it is");
    for (key, site) in ('1'..='9').zip(&view.sites) {
        let parts = [site.name.as_str(), site.place.as_str()];
        let label: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let chosen = ChosenSite { id: site.id.clone(), name: site.name.as_str().into() };
        dialog = dialog.choice(key, label.join(", "), choose(Some(chosen)));
    }
    if view.chosen.is_some() { dialog.choice('0', "the main site", choose(None)) } else { dialog }
}

/// The candidate that Enter takes: near enough, and the only one so near, unless a person has walked to it.
pub(super) fn takeable(row: &MapRow, at: usize, walked: bool) -> Option<&Suggested> {
    let one = row.candidates.get(at).filter(|one| one.score >= row.accept_from)?;
    (walked || (one.is_free && row.aspect == Some(Aspect::Suggested))).then_some(one)
}

pub(super) fn map_to(party: &Party<TargetId>) -> Decision {
    Decision::Map { target: party.id.clone(), target_name: party.name.as_str().into(), how: How::Manual }
}
