//! The table as filters and orders see it: short lines, kept in order, searched again only where the last search found
//! something.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::engine::words::{Aspect, MapCounts, MapFilter, MapState};
use crate::model::{SourceId, TargetId};

/// A row of the table as filters and orders see it.
pub(super) struct Line {
    pub id: SourceId,
    state: MapState,
    aspect: Option<Aspect>,
    /// Of the free partner that comes nearest.
    best: Option<u8>,
    /// 'Generate' would map it.
    is_exact: bool,
    /// What needs a person comes first (U11).
    rank: u8,
    /// Both names and the id, in lower case, a line each.
    text: Box<str>,
    /// Where the target's name stands in it.
    target: (u32, u32),
    partner: Option<TargetId>,
}

impl Line {
    #[expect(clippy::too_many_arguments, reason = "one column each, named at its one call")]
    pub fn new(
        id: &SourceId,
        state: MapState,
        aspect: Option<Aspect>,
        best: Option<u8>,
        is_exact: bool,
        source: &str,
        target: &str,
        partner: Option<&TargetId>,
    ) -> Self {
        let rank = match (state, aspect) {
            (MapState::Unmapped, Some(Aspect::Ambiguous)) => 0,
            (MapState::Orphaned, _) => 1,
            (MapState::Unmapped, Some(_)) => 2,
            (MapState::Unmapped, None) => 3,
            (MapState::Mapped, Some(_)) | (MapState::Renamed, _) => 4,
            (MapState::New, _) => 5,
            (MapState::Mapped, None) => 6,
            (MapState::Excluded, _) => 7,
        };
        let mut text = source.to_lowercase();
        text.push('\n');
        let from = text.len() as u32;
        text.push_str(&target.to_lowercase());
        let target = (from, text.len() as u32);
        text.push('\n');
        text.push_str(id.as_str());
        let partner = partner.cloned();
        Self { id: id.clone(), state, aspect, best, is_exact, rank, text: text.into(), target, partner }
    }

    pub fn partner(&self) -> Option<&TargetId> {
        self.partner.as_ref()
    }

    fn by_need(&self) -> impl Ord {
        (self.rank, Reverse(self.best), &self.text, &self.id)
    }

    /// Two customers of one name are two; who has no partner yet comes last, beside whom it may be.
    fn by_target(&self) -> impl Ord {
        let (from, to) = self.target;
        (self.partner.is_none(), self.text.get(from as usize..to as usize), &self.partner, &self.text)
    }
}

/// What a filter asks of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    states: BTreeSet<MapState>,
    aspect: Option<Aspect>,
    from: Option<u8>,
    words: Vec<String>,
}

impl Wanted {
    pub fn of(filter: &MapFilter) -> Self {
        let (scores, words): (Vec<&str>, Vec<&str>) =
            filter.text.split_whitespace().partition(|word| score_of(word).is_some());
        Self {
            states: filter.states.clone(),
            aspect: filter.aspect,
            from: scores.into_iter().filter_map(score_of).max(),
            words: words.into_iter().map(str::to_lowercase).collect(),
        }
    }

    fn takes(&self, line: &Line) -> bool {
        (self.states.is_empty() || self.states.contains(&line.state))
            && self.aspect.is_none_or(|aspect| line.aspect == Some(aspect))
            && self.from.is_none_or(|from| line.best.is_some_and(|best| best >= from))
            && self.words.iter().all(|word| line.text.contains(word.as_str()))
    }

    /// Whether everything that this takes, the other takes too: a letter more only narrows.
    fn narrows(&self, other: &Self) -> bool {
        (other.states.is_empty() || other.states == self.states)
            && (other.aspect.is_none() || other.aspect == self.aspect)
            && other.from <= self.from
            && other.words.iter().all(|old| self.words.iter().any(|word| word.contains(old.as_str())))
    }

    fn is_nothing(&self) -> bool {
        self.states.is_empty() && self.aspect.is_none() && self.from.is_none() && self.words.is_empty()
    }
}

/// The least score that a word of a filter asks for: `>95`.
fn score_of(word: &str) -> Option<u8> {
    match word.strip_prefix('>')? {
        "" => Some(0),
        number => number.parse().ok(),
    }
}

/// Places of lines, in an order.
type Places = Arc<[u32]>;

pub(super) struct Table {
    counts: MapCounts,
    /// In the order of their ids.
    lines: Vec<Line>,
    by_need: Places,
    by_target: OnceLock<Places>,
    /// The last search and what it found.
    last: Mutex<Option<(Wanted, bool, Places)>>,
}

impl Table {
    /// Of lines in the order of their ids.
    pub fn of(lines: Vec<Line>) -> Self {
        let mut counts = MapCounts::default();
        for line in &lines {
            count(&mut counts, line, |number| *number += 1);
        }
        let by_need = sorted(&lines, by_need);
        Self { counts, lines, by_need, by_target: OnceLock::new(), last: Mutex::default() }
    }

    pub const fn counts(&self) -> MapCounts {
        self.counts
    }

    pub fn line(&self, at: u32) -> Option<&Line> {
        self.lines.get(at as usize)
    }

    fn place(&self, id: &SourceId) -> Option<usize> {
        self.lines.binary_search_by(|line| line.id.cmp(id)).ok()
    }

    pub fn has(&self, id: &SourceId) -> bool {
        self.place(id).is_some()
    }

    /// Puts lines in the place of those with their ids; `false` where one is new, and the table has to be made anew.
    pub fn put(&mut self, lines: impl IntoIterator<Item = Line>) -> bool {
        let mut is_moved = vec![false; self.lines.len()];
        let mut moved: Vec<u32> = Vec::new();
        for line in lines {
            let Some(at) = self.place(&line.id) else { return false };
            count(&mut self.counts, &self.lines[at], |number| *number -= 1);
            count(&mut self.counts, &line, |number| *number += 1);
            self.lines[at] = line;
            if !std::mem::replace(&mut is_moved[at], true) {
                moved.push(at as u32);
            }
        }
        self.by_need = merged(&self.lines, &self.by_need, &is_moved, &moved, by_need);
        if let Some(by_target) = self.by_target.take() {
            let followed = merged(&self.lines, &by_target, &is_moved, &moved, by_partner);
            self.by_target = OnceLock::from(followed);
        }
        self.last = Mutex::default();
        true
    }

    /// What a filter asks for, in one of the orders.
    pub fn find(&self, wanted: &Wanted, by_target: bool) -> Places {
        let all = if by_target {
            self.by_target.get_or_init(|| sorted(&self.lines, by_partner))
        } else {
            &self.by_need
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // In the order in which lines lie in memory a walk costs a fraction of one at random: only few are looked up.
        let few = self.lines.len() / 4;
        let narrowed = last
            .as_ref()
            .filter(|(old, way, places)| *way == by_target && places.len() < few && wanted.narrows(old));
        let takes = |at: &u32| self.line(*at).is_some_and(|line| wanted.takes(line));
        let found: Places = match narrowed {
            _ if wanted.is_nothing() => all.clone(),
            Some((.., places)) => places.iter().copied().filter(takes).collect(),
            None => {
                let taken: Vec<bool> = self.lines.iter().map(|line| wanted.takes(line)).collect();
                all.iter().copied().filter(|at| taken[*at as usize]).collect()
            }
        };
        *last = Some((wanted.clone(), by_target, found.clone()));
        found
    }
}

fn by_need(one: &Line, other: &Line) -> Ordering {
    one.by_need().cmp(&other.by_need())
}

fn by_partner(one: &Line, other: &Line) -> Ordering {
    one.by_target().cmp(&other.by_target())
}

fn sorted(lines: &[Line], by: impl Fn(&Line, &Line) -> Ordering) -> Places {
    let mut places: Vec<u32> = (0..lines.len() as u32).collect();
    places.sort_unstable_by(|a, b| by(&lines[*a as usize], &lines[*b as usize]).then(a.cmp(b)));
    places.into()
}

/// The same order after some lines have become others: each of these is looked up anew, nothing else is compared.
fn merged(
    lines: &[Line],
    before: &[u32],
    is_moved: &[bool],
    moved: &[u32],
    by: impl Fn(&Line, &Line) -> Ordering,
) -> Places {
    let compare = |a: u32, b: u32| by(&lines[a as usize], &lines[b as usize]).then(a.cmp(&b));
    let rest: Vec<u32> = before.iter().copied().filter(|at| !is_moved[*at as usize]).collect();
    let mut moved = moved.to_vec();
    moved.sort_unstable_by(|a, b| compare(*a, *b));
    let mut order = Vec::with_capacity(before.len());
    let mut from = 0;
    for one in moved {
        let to = from + rest[from..].partition_point(|at| compare(*at, one).is_lt());
        order.extend_from_slice(&rest[from..to]);
        order.push(one);
        from = to;
    }
    order.extend_from_slice(&rest[from..]);
    order.into()
}

fn count(counts: &mut MapCounts, line: &Line, step: impl Fn(&mut u64)) {
    step(&mut counts.all);
    if line.is_exact {
        step(&mut counts.exact);
    }
    step(match line.state {
        MapState::Mapped => &mut counts.mapped,
        MapState::Unmapped => &mut counts.unmapped,
        MapState::New => &mut counts.new,
        MapState::Excluded => &mut counts.excluded,
        MapState::Orphaned => &mut counts.orphaned,
        MapState::Renamed => &mut counts.renamed,
    });
    match line.aspect {
        Some(Aspect::Suggested) => step(&mut counts.suggested),
        Some(Aspect::Ambiguous) => step(&mut counts.ambiguous),
        Some(Aspect::Inactive) => step(&mut counts.inactive),
        Some(Aspect::Drifting) => step(&mut counts.drifting),
        Some(Aspect::Unused) => step(&mut counts.unused),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: u32, source: &str, target: &str, best: Option<u8>) -> Line {
        let partner = TargetId::from(i64::from(id) / 2);
        let is_open = best.is_some() || target.is_empty();
        let state = if is_open { MapState::Unmapped } else { MapState::Mapped };
        let aspect = best.map(|_| Aspect::Suggested);
        let id = SourceId::new(format!("{id:04}"));
        Line::new(&id, state, aspect, best, best == Some(100), source, target, (!is_open).then_some(&partner))
    }

    fn filter(text: &str) -> Wanted {
        Wanted::of(&MapFilter { text: text.into(), ..MapFilter::default() })
    }

    /// Many lines, of few words so that filters find several.
    fn lines(spoil: u32) -> Vec<Line> {
        let words = ["Kestrel", "Harbour", "Legal", "Motor", "Alder"];
        let name = |n: u32| format!("{} {}", words[n as usize % 5], words[(n / 5) as usize % 5]);
        (0..200)
            .map(|n| {
                let best =
                    [None, Some(60 + (n % 41) as u8)][(n + spoil * u32::from(n % 7 == 0)) as usize % 2];
                let target = if n % 3 == 0 { String::new() } else { name(n + 1) };
                line(n, &name(n), &target, best)
            })
            .collect()
    }

    fn ids(table: &Table, wanted: &Wanted, by_target: bool) -> Vec<String> {
        table.find(wanted, by_target).iter().map(|at| table.lines[*at as usize].id.to_string()).collect()
    }

    #[test]
    fn a_letter_more_finds_what_a_search_of_its_own_finds() {
        let typed = [
            "k",
            "ke",
            "kes",
            "kest",
            "kestrel",
            "kestrel l",
            "kestrel le",
            "le",
            "l",
            "",
            ">",
            ">9",
            ">95",
            "kes >95",
            "kes",
        ];
        for by_target in [false, true] {
            let table = Table::of(lines(0));
            for text in typed {
                let fresh = Table::of(lines(0));
                assert_eq!(
                    ids(&table, &filter(text), by_target),
                    ids(&fresh, &filter(text), by_target),
                    "{text}"
                );
            }
            assert!(ids(&table, &filter("kestrel"), by_target).len() > 10);
        }
    }

    #[test]
    fn what_is_no_narrower_filter_is_searched_anew() {
        let states = |states: &[MapState]| MapFilter {
            states: states.iter().copied().collect(),
            ..MapFilter::default()
        };
        let of = |filter: &MapFilter| Wanted::of(filter);
        assert!(filter("kes").narrows(&filter("k")) && !filter("k").narrows(&filter("kes")));
        assert!(filter("a kes").narrows(&filter("es")) && !filter("le").narrows(&filter("l e x")));
        assert!(filter(">95").narrows(&filter(">9")) && !filter(">9x").narrows(&filter(">9")));
        assert!(of(&states(&[MapState::New])).narrows(&filter("")));
        assert!(!of(&states(&[MapState::New])).narrows(&of(&states(&[MapState::Mapped]))));
        assert!(!filter("").narrows(&of(&states(&[MapState::Mapped]))));
    }

    #[test]
    fn lines_that_changed_leave_the_table_as_if_it_were_made_anew() {
        let mut table = Table::of(lines(0));
        let _ = table.find(&filter("kes"), true);
        let changed: Vec<Line> =
            lines(1).into_iter().enumerate().filter(|(n, _)| n % 7 == 0).map(|(_, l)| l).collect();
        assert!(table.put(changed));
        let anew = Table::of(lines(1));
        assert_ne!(anew.counts(), Table::of(lines(0)).counts());
        assert_eq!(table.counts(), anew.counts());
        for by_target in [false, true] {
            for text in ["", "kes"] {
                assert_eq!(ids(&table, &filter(text), by_target), ids(&anew, &filter(text), by_target));
            }
        }
        assert!(!table.put([line(999, "Who", "", None)]), "a new customer");
    }
}
