//! Which rows are shown and how many there are of each kind.

use std::fmt::Write as _;

use super::Customers;
use super::draw::partner_head;
use crate::host::words::{Aspect, MapCounts, MapState};
use crate::ui::action::Action;
use crate::ui::fit::thousands;
use crate::ui::mirror::Mirror;
use crate::ui::turn::Turn;

impl Customers {
    pub(super) fn counts(&self, mirror: &Mirror) -> String {
        if let Some(reading) = mirror.reading.get(&self.integration) {
            let of = reading.of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
            return format!("reading {} {}{of}", reading.what, thousands(reading.done));
        }
        if !self.is_known || self.read_at.is_none() {
            return if self.is_known { "never read".into() } else { String::new() };
        }
        let counts = &self.counts;
        let mut text = format!("{}:", thousands(counts.all));
        for (sign, count) in by_sign(counts) {
            if count > 0 {
                let _ = write!(text, " {sign} {}", thousands(count));
            }
        }
        // What is shown matters more than what could be.
        if counts.exact > 0 && !self.is_filtered() {
            let _ = write!(text, "  {} exact", thousands(counts.exact));
        }
        let old = self.read_at.zip(self.now).map_or(0, |(at, now)| now.duration_since(at).as_hours() / 24);
        if old > 0 {
            let _ = write!(text, "  read {old} d ago");
        }
        if self.is_filtered() {
            let mut states = String::new();
            for state in &self.filter.states {
                states.push_str(if *state == MapState::Unmapped { " ~ !" } else { "" });
                states.extend([' ', state.sign()]);
            }
            if let Some(aspect) = self.filter.aspect {
                let _ = write!(states, " {}", aspect.key());
            }
            let words =
                if self.filter.text.is_empty() { String::new() } else { format!(" '{}'", self.filter.text) };
            let _ = write!(text, "  showing{states}{words} ({})", thousands(self.list.len() as u64));
        }
        text
    }

    pub(super) fn is_filtered(&self) -> bool {
        !self.filter.text.is_empty() || !self.filter.states.is_empty() || self.filter.aspect.is_some()
    }

    pub(super) fn filter_letters(&self, action: Action) -> Vec<(char, String)> {
        let of =
            |letters: &[(char, &str)]| letters.iter().map(|(l, word)| (*l, (*word).to_owned())).collect();
        match action {
            Action::FilterState => open_first(&self.counts)
                .into_iter()
                .map(|(letter, word, count)| (letter, format!("{word} {}", thousands(count))))
                .chain([('f', "all".to_owned())])
                .collect(),
            Action::Order => vec![
                ('s', "what is open first".to_owned()),
                ('h', format!("by {}", partner_head(self.integration))),
            ],
            Action::Copy => of(&[('y', "id"), ('n', "name"), ('h', "Halo id"), ('r', "row")]),
            _ => Vec::new(),
        }
    }

    pub(super) fn take_letter(&mut self, action: Action, letter: char, turn: &mut Turn<'_>) {
        match action {
            Action::FilterState => {
                self.filter.states =
                    MapState::ALL.into_iter().filter(|state| self::letter(*state) == letter).collect();
                self.filter.aspect = Aspect::ALL.into_iter().find(|aspect| aspect_letter(*aspect) == letter);
                self.ask_order(turn);
            }
            Action::Order => {
                let by_target = letter == 'h';
                self.is_turned = by_target == self.by_target && !self.is_turned && self.is_known;
                self.by_target = by_target;
                self.ask_order(turn);
            }
            Action::Copy => {
                let Some(row) = self.selected() else { return };
                let text = match letter {
                    'y' => row.source.id.to_string(),
                    'n' => row.source.name.clone(),
                    'h' => row.target.as_ref().map(|target| target.id.to_string()).unwrap_or_default(),
                    _ => format!(
                        "{} {} {} {}",
                        row.source.id,
                        row.source.name,
                        row.state.key(),
                        row.target.as_ref().map(|t| format!("{} {}", t.id, t.name)).unwrap_or_default()
                    ),
                };
                turn.copy(text);
            }
            _ => {}
        }
    }
}

/// How many rows have which sign.
pub(super) fn by_sign(counts: &MapCounts) -> impl Iterator<Item = (char, u64)> {
    let near = [('~', counts.suggested), ('!', counts.ambiguous)];
    let mut rows: Vec<(char, u64)> = by_state(counts).map(|(state, count)| (state.sign(), count)).collect();
    if let Some(unmapped) = rows.get_mut(1) {
        unmapped.1 = unmapped.1.saturating_sub(counts.suggested + counts.ambiguous);
    }
    rows.splice(1..1, near);
    rows.into_iter()
}

/// Letter, word and count of each filter: what a person works off first, what has no row last.
fn open_first(counts: &MapCounts) -> Vec<(char, &'static str, u64)> {
    let states = by_state(counts).map(|(state, count)| (letter(state), state.key(), count));
    let aspects = by_aspect(counts).map(|(aspect, count)| (aspect_letter(aspect), aspect.key(), count));
    let mut all: Vec<_> = states.chain(aspects).collect();
    let place = |letter: char| "usaoriedmnx".find(letter);
    all.sort_by_key(|(letter, _, count)| (*count == 0, place(*letter)));
    all
}

pub(super) fn by_aspect(counts: &MapCounts) -> impl Iterator<Item = (Aspect, u64)> {
    [
        (Aspect::Suggested, counts.suggested),
        (Aspect::Ambiguous, counts.ambiguous),
        (Aspect::Inactive, counts.inactive),
        (Aspect::Drifting, counts.drifting),
        (Aspect::Unused, counts.unused),
    ]
    .into_iter()
}

pub(super) const fn aspect_letter(aspect: Aspect) -> char {
    match aspect {
        Aspect::Suggested => 's',
        Aspect::Ambiguous => 'a',
        Aspect::Inactive => 'i',
        Aspect::Drifting => 'd',
        Aspect::Unused => 'e',
    }
}

pub(super) fn by_state(counts: &MapCounts) -> impl Iterator<Item = (MapState, u64)> {
    [
        (MapState::Mapped, counts.mapped),
        (MapState::Unmapped, counts.unmapped),
        (MapState::New, counts.new),
        (MapState::Excluded, counts.excluded),
        (MapState::Orphaned, counts.orphaned),
        (MapState::Renamed, counts.renamed),
    ]
    .into_iter()
}

pub(super) const fn letter(state: MapState) -> char {
    match state {
        MapState::Mapped => 'm',
        MapState::Unmapped => 'u',
        MapState::New => 'n',
        MapState::Excluded => 'x',
        MapState::Orphaned => 'o',
        MapState::Renamed => 'r',
    }
}
