//! A list by record id: cursor, marks and first row survive every new order, and nothing moves under the cursor.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::action::Action;

/// Which rows there are, in a frozen order, and where a person is among them.
#[derive(Debug, Clone)]
pub struct List<Id> {
    ids: Vec<Id>,
    at: usize,
    top: usize,
    marks: BTreeSet<Id>,
    /// Where marking "from here to there" began.
    anchor: Option<Id>,
}

impl<Id> Default for List<Id> {
    fn default() -> Self {
        Self { ids: Vec::new(), at: 0, top: 0, marks: BTreeSet::new(), anchor: None }
    }
}

impl<Id: Clone + Ord> List<Id> {
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Id> {
        self.ids.get(self.at)
    }

    pub const fn position(&self) -> usize {
        self.at
    }

    pub fn marks(&self) -> &BTreeSet<Id> {
        &self.marks
    }

    /// Whether there was anything to clear.
    pub fn clear_marks(&mut self) -> bool {
        let had = self.anchor.take().is_some() || !self.marks.is_empty();
        self.marks.clear();
        had
    }

    /// Takes rows in a new order. The selected record stays selected and stays on its line of the screen; if it is
    /// gone, the row that took its place is selected. Marks of rows that are gone go too.
    pub fn replace(&mut self, ids: Vec<Id>) {
        let offset = self.at.saturating_sub(self.top);
        let found = self.selected().and_then(|id| ids.iter().position(|other| other == id));
        self.at = found.unwrap_or(self.at).min(ids.len().saturating_sub(1));
        self.top = self.at.saturating_sub(offset);
        if !self.marks.is_empty() {
            let known: BTreeSet<_> = ids.iter().collect();
            self.marks.retain(|id| known.contains(id));
        }
        self.ids = ids;
    }

    pub fn select(&mut self, id: &Id) -> bool {
        let found = self.ids.iter().position(|other| other == id);
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    pub fn select_at(&mut self, position: usize) {
        self.at = position.min(self.ids.len().saturating_sub(1));
    }

    /// Marks or unmarks the selected row and goes one down.
    pub fn mark(&mut self) {
        if let Some(id) = self.selected().cloned() {
            if !self.marks.remove(&id) {
                self.marks.insert(id);
            }
            self.move_by(1);
        }
    }

    /// Marks all rows shown, or none if all are marked.
    pub fn mark_all(&mut self) {
        if self.marks.len() == self.ids.len() {
            self.marks.clear();
        } else {
            self.marks = self.ids.iter().cloned().collect();
        }
    }

    /// Begins to mark here, or marks all rows from where that was to here. Whether it marked.
    pub fn mark_to(&mut self) -> bool {
        let from = self.anchor.take().and_then(|id| self.ids.iter().position(|other| *other == id));
        let Some(from) = from else {
            self.anchor = self.selected().cloned();
            return false;
        };
        let (from, to) = (from.min(self.at), from.max(self.at));
        self.marks.extend(self.ids.get(from..=to).unwrap_or(&[]).iter().cloned());
        true
    }

    /// The marked rows in their order, else the selected one.
    pub fn chosen(&self) -> Vec<Id> {
        if self.marks.is_empty() {
            return self.selected().cloned().into_iter().collect();
        }
        self.ids.iter().filter(|id| self.marks.contains(id)).cloned().collect()
    }

    pub fn move_by(&mut self, rows: isize) {
        self.at = self.at.saturating_add_signed(rows).min(self.ids.len().saturating_sub(1));
    }

    /// Carries out a moving action; `false` if it is another one.
    pub fn act(&mut self, action: Action, height: usize) -> bool {
        let page = height.max(1) as isize;
        match action {
            Action::Up => self.move_by(-1),
            Action::Down => self.move_by(1),
            Action::HalfPageUp => self.move_by(-(page / 2).max(1)),
            Action::HalfPageDown => self.move_by((page / 2).max(1)),
            Action::PageUp => self.move_by(-page),
            Action::PageDown => self.move_by(page),
            Action::First => self.at = 0,
            Action::Last => self.at = self.ids.len().saturating_sub(1),
            _ => return false,
        }
        true
    }

    /// Scrolls just as far as the selected row needs. Called after every update, so that drawing only reads.
    pub fn keep_visible(&mut self, height: usize) {
        let height = height.max(1);
        if self.at < self.top {
            self.top = self.at;
        } else if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
        self.top = self.top.min(self.ids.len().saturating_sub(height.min(self.ids.len())));
    }

    /// The rows on the screen.
    pub fn visible(&self, height: usize) -> Range<usize> {
        self.top..(self.top + height).min(self.ids.len()).max(self.top)
    }

    /// The visible rows and so many more on both sides.
    pub fn around(&self, height: usize, margin: usize) -> &[Id] {
        self.ids.get(self.with_margin(height, margin)).unwrap_or(&[])
    }

    /// Places of the visible rows, and of so many more on both sides.
    pub fn with_margin(&self, height: usize, margin: usize) -> Range<usize> {
        let range = self.visible(height);
        range.start.saturating_sub(margin)..(range.end + margin).min(self.ids.len())
    }
}

/// The viewer's copy of a few rows of something too long to copy: what is missing is asked for by id, what has
/// changed is asked again while the old row still shows.
#[derive(Debug, Clone)]
pub struct Window<Id, Row> {
    rows: BTreeMap<Id, Row>,
    /// Asked and not yet answered, or answered and fresh.
    settled: BTreeSet<Id>,
}

impl<Id, Row> Default for Window<Id, Row> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), settled: BTreeSet::new() }
    }
}

impl<Id: Clone + Ord, Row> Window<Id, Row> {
    /// Rows kept at most; beyond this everything far from the screen is dropped.
    const LIMIT: usize = 2_000;

    pub fn get(&self, id: &Id) -> Option<&Row> {
        self.rows.get(id)
    }

    /// What to ask for, and whether it is asked ahead: everything that is seen is here. `around` gives the ids of the
    /// visible rows and of so many more on both sides. What is seen is asked for with little else, to be there soon;
    /// ahead, so that the next page always is here.
    pub fn wanted<Ids: AsRef<[Id]>>(
        &mut self,
        height: usize,
        around: impl Fn(usize) -> Ids,
    ) -> (Vec<Id>, bool) {
        let is_ahead = self.has(around(0).as_ref());
        let (soon, near) = if is_ahead { (height, 2 * height) } else { (0, height / 2) };
        (self.missing(around(soon).as_ref(), around(near).as_ref()), is_ahead)
    }

    fn has(&self, ids: &[Id]) -> bool {
        ids.iter().all(|id| self.settled.contains(id) && self.rows.contains_key(id))
    }

    /// The ids to ask for, so that all of `near` are here and fresh; none before one of those that may be seen `soon`
    /// is missing, so that scrolling asks for many rows now and then. Each is named once.
    fn missing(&mut self, soon: &[Id], near: &[Id]) -> Vec<Id> {
        if soon.iter().all(|id| self.settled.contains(id)) {
            return Vec::new();
        }
        if self.rows.len() > Self::LIMIT {
            let keep: BTreeSet<_> = near.iter().collect();
            self.rows.retain(|id, _| keep.contains(id));
            self.settled.retain(|id| keep.contains(id));
        }
        let missing: Vec<_> = near.iter().filter(|id| !self.settled.contains(*id)).cloned().collect();
        self.settled.extend(missing.iter().cloned());
        missing
    }

    pub fn put(&mut self, rows: impl IntoIterator<Item = (Id, Row)>) {
        for (id, row) in rows {
            self.settled.insert(id.clone());
            self.rows.insert(id, row);
        }
    }

    /// Everything may have changed: rows still show, and are asked again when they are on the screen.
    pub fn stale(&mut self) {
        self.settled.clear();
    }

    /// These could not be had: they are asked again next time.
    pub fn failed(&mut self, ids: &[Id]) {
        for id in ids {
            self.settled.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[u32]) -> List<u32> {
        let mut list = List::default();
        list.replace(ids.to_vec());
        list
    }

    #[test]
    fn a_new_order_moves_nothing_under_the_cursor() {
        let mut list = list(&[1, 2, 3, 4, 5, 6, 7, 8]);
        list.move_by(5);
        list.keep_visible(3);
        assert_eq!((list.selected(), list.visible(3)), (Some(&6), 3..6));
        list.replace(vec![8, 6, 7, 20, 21, 22, 1, 2]);
        list.keep_visible(3);
        assert_eq!(list.selected(), Some(&6));
        list.replace(vec![9, 10, 11, 12, 8, 6, 7]);
        list.keep_visible(3);
        assert_eq!((list.selected(), list.visible(3)), (Some(&6), 4..7));
    }

    #[test]
    fn a_vanished_row_gives_its_place_to_the_next() {
        let mut list = list(&[1, 2, 3]);
        list.move_by(2);
        list.replace(vec![1, 2]);
        assert_eq!(list.selected(), Some(&2));
        list.replace(vec![]);
        assert_eq!(list.selected(), None);
        list.keep_visible(5);
        assert_eq!(list.visible(5), 0..0);
    }

    #[test]
    fn marks_follow_records_and_vanish_with_them() {
        let mut list = list(&[1, 2, 3]);
        list.mark();
        list.mark();
        assert_eq!(list.chosen(), [1, 2]);
        list.replace(vec![3, 2]);
        assert_eq!(list.chosen(), [2]);
        list.mark_all();
        assert_eq!(list.chosen(), [3, 2]);
        list.mark_all();
        assert_eq!(list.chosen(), [3], "none marked: the selected row");
    }

    #[test]
    fn rows_are_asked_once_and_again_when_stale() {
        let mut window: Window<u32, &str> = Window::default();
        assert_eq!(window.missing(&[1], &[1, 2]), [1, 2]);
        assert!(window.missing(&[1, 2], &[1, 2, 3]).is_empty(), "3 is not seen soon");
        assert_eq!(window.missing(&[2, 3], &[1, 2, 3, 4]), [3, 4]);
        assert!(!window.has(&[1]), "asked and not here");
        window.put([(1, "one"), (2, "two")]);
        assert!(window.has(&[1, 2]));
        assert!(window.missing(&[1, 2], &[1, 2]).is_empty());
        window.stale();
        assert!(!window.has(&[1]));
        assert_eq!(window.get(&1), Some(&"one"));
        assert_eq!(window.missing(&[1], &[1]), [1]);
        window.failed(&[1]);
        assert_eq!(window.missing(&[1], &[1]), [1]);
    }
}
