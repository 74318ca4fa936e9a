//! Very many packed records. They say much the same, so they lie in small blocks, each compressed once it is full: a plan
//! over hundreds of thousands of them costs a fraction of what they say. A block is opened to read a record of it; a
//! few stay open, since most readers go on with the next.

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lz4_flex::block;

use super::packed::{Identified, Pack, Packed, Packer, Unpacker};
use super::{Found, MatchKeys, marker};

/// A block is full from so many bytes on: long enough to repeat itself, short enough to be opened for one record.
const BLOCK: usize = 8 << 10;
/// Blocks that stay open. Whoever reads by another order than the one they were written in mostly stays near.
const OPEN: usize = 32;

/// Where a record lies in its pile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    block: u32,
    at: u16,
}

/// Packed records in the order they came.
#[derive(Default)]
pub struct Pile {
    /// The first block, as it is: what the others repeat of it they need not say.
    pattern: Vec<u8>,
    /// The blocks after it, compressed.
    blocks: Vec<Box<[u8]>>,
    /// The last one, which is not full yet.
    last: Vec<u8>,
    open: Mutex<Vec<Opened>>,
}

/// A block that was read.
#[derive(Default)]
struct Opened {
    number: Option<u32>,
    bytes: Vec<u8>,
}

impl Clone for Pile {
    fn clone(&self) -> Self {
        let (pattern, blocks) = (self.pattern.clone(), self.blocks.clone());
        Self { pattern, blocks, last: self.last.clone(), open: Mutex::default() }
    }
}

impl fmt::Debug for Pile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pile").field("blocks", &self.full()).finish_non_exhaustive()
    }
}

impl Pile {
    pub fn put<T: Pack>(&mut self, record: &T) -> Spot {
        self.append(|to| record.pack(to))
    }

    fn append(&mut self, pack: impl FnOnce(&mut Packer)) -> Spot {
        if self.last.len() >= BLOCK {
            self.fold();
        }
        let spot = Spot { block: self.full(), at: self.last.len() as u16 };
        let mut to = Packer::after(std::mem::take(&mut self.last));
        pack(&mut to);
        self.last = to.into_bytes();
        spot
    }

    pub fn get<T: Pack>(&self, spot: Spot) -> T {
        self.read(spot, T::unpack)
    }

    /// A part of a record, from its first byte on.
    pub fn read<T>(&self, spot: Spot, with: impl FnOnce(&mut Unpacker<'_>) -> T) -> T {
        let from =
            |bytes: &[u8]| with(&mut Unpacker::of(bytes.get(usize::from(spot.at)..).unwrap_or_default()));
        if spot.block == self.full() {
            return from(&self.last);
        }
        let Some(folded) = (spot.block as usize).checked_sub(1).and_then(|at| self.blocks.get(at)) else {
            return from(&self.pattern);
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.resize_with(OPEN, Opened::default);
        let place = spot.block as usize % OPEN;
        let Some(opened) = open.get_mut(place) else { return from(&[]) };
        if opened.number != Some(spot.block) {
            opened.unfold(spot.block, folded, &self.pattern);
        }
        from(&opened.bytes)
    }

    /// How many blocks are full: the number of the last one.
    fn full(&self) -> u32 {
        if self.pattern.is_empty() { 0 } else { self.blocks.len() as u32 + 1 }
    }

    fn fold(&mut self) {
        if self.pattern.is_empty() {
            self.pattern = std::mem::take(&mut self.last);
            return;
        }
        let folded = block::compress_prepend_size_with_dict(&self.last, &self.pattern);
        self.blocks.push(folded.into_boxed_slice());
        self.last.clear();
    }

    /// Nothing more comes.
    fn shrink(&mut self) {
        self.last.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }
}

impl Opened {
    /// What was folded here opens again. Were it not so, no plan may come of it: a blank record is a wrong one.
    fn unfold(&mut self, number: u32, folded: &[u8], pattern: &[u8]) {
        let unfolded = block::uncompressed_size(folded).and_then(|(size, rest)| {
            self.bytes.clear();
            self.bytes.resize(size, 0);
            block::decompress_into_with_dict(rest, &mut self.bytes, pattern)
        });
        assert!(unfolded.is_ok(), "block {number} of a pile does not open: {unfolded:?}");
        self.number = Some(number);
    }
}

/// Both sides' records of one kind, packed, in the order of their ids. Made by collecting, or from [`Gathered`].
pub struct PackedList<T> {
    pile: Pile,
    /// The ids, one after another.
    ids: Packer,
    entries: Vec<Entry>,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its id begins.
    id: u32,
    spot: Spot,
}

/// A list that grows.
pub struct Gathered<T>(PackedList<T>);

/// Takes the records of a list while it is still being read: the list then holds where each lies instead of the record.
pub struct Stack<T> {
    pile: Mutex<Pile>,
    of: PhantomData<fn(T)>,
}

/// Where a record lies. Two are equal where their records are.
#[derive(Debug, Clone, Copy)]
pub struct Laid {
    spot: Spot,
    /// The hash of its bytes.
    sum: u64,
}

impl PartialEq for Laid {
    fn eq(&self, other: &Self) -> bool {
        self.sum == other.sum
    }
}

impl<T> Default for PackedList<T> {
    fn default() -> Self {
        Self { pile: Pile::default(), ids: Packer::default(), entries: Vec::new(), of: PhantomData }
    }
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self(PackedList::default())
    }
}

impl<T> Clone for PackedList<T> {
    fn clone(&self) -> Self {
        let (pile, ids) = (self.pile.clone(), self.ids.clone());
        Self { pile, ids, entries: self.entries.clone(), of: PhantomData }
    }
}

impl<T: Identified + fmt::Debug> fmt::Debug for PackedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Self { pile: Mutex::default(), of: PhantomData }
    }
}

impl<T: Pack> Stack<T> {
    pub fn lay(&self, record: &T) -> Laid {
        let mut to = Packer::default();
        record.pack(&mut to);
        let bytes = to.into_bytes();
        let mut sum = DefaultHasher::new();
        sum.write(&bytes);
        let spot = self.pile().append(|to| to.raw(&bytes));
        Laid { spot, sum: sum.finish() }
    }

    pub fn open(&self, laid: Laid) -> T {
        self.read(laid, T::unpack)
    }

    /// A part of a record, from its first byte on.
    pub fn read<U>(&self, laid: Laid, with: impl FnOnce(&mut Unpacker<'_>) -> U) -> U {
        self.pile().read(laid.spot, with)
    }

    fn pile(&self) -> MutexGuard<'_, Pile> {
        self.pile.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Identified> Stack<T> {
    /// Those of its records that became the list, in the order of their ids.
    pub fn list(self, records: &[Laid]) -> PackedList<T> {
        let pile = self.pile.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (mut ids, mut entries) = (Packer::default(), Vec::with_capacity(records.len()));
        for laid in records {
            entries.push(Entry { id: ids.len() as u32, spot: laid.spot });
            pile.read(laid.spot, |from| ids.text(from.text()));
        }
        Gathered(PackedList { pile, ids, entries, of: PhantomData }).sorted()
    }
}

impl<T: Identified> Gathered<T> {
    pub fn push(&mut self, record: &T) {
        self.add(|to| record.pack(to));
    }

    fn add(&mut self, pack: impl FnOnce(&mut Packer)) {
        let list = &mut self.0;
        let (spot, id) = (list.pile.append(pack), list.ids.len() as u32);
        let ids = &mut list.ids;
        list.pile.read(spot, |from| ids.text(from.text()));
        list.entries.push(Entry { id, spot });
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list of them. Records of one id stay in the order they came.
    pub fn sorted(self) -> PackedList<T> {
        let Self(mut list) = self;
        let PackedList { pile, ids, entries, .. } = &mut list;
        let id = |entry: &Entry| ids.reader(entry.id as usize).bytes();
        entries.sort_by(|a, b| id(a).cmp(id(b)));
        entries.shrink_to_fit();
        pile.shrink();
        ids.shrink_to_fit();
        list
    }
}

impl<T: Identified> Extend<Packed<T>> for Gathered<T> {
    fn extend<I: IntoIterator<Item = Packed<T>>>(&mut self, records: I) {
        for record in records {
            self.add(|to| to.packed(&record));
        }
    }
}

impl<T: Identified> Extend<T> for Gathered<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, records: I) {
        for record in records {
            self.push(&record);
        }
    }
}

impl<T: Identified, R> FromIterator<R> for PackedList<T>
where
    Gathered<T>: Extend<R>,
{
    fn from_iter<I: IntoIterator<Item = R>>(records: I) -> Self {
        let mut gathered = Gathered::default();
        gathered.extend(records);
        gathered.sorted()
    }
}

impl<T> PackedList<T> {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T: Identified> PackedList<T> {
    pub fn get(&self, at: usize) -> Option<T> {
        self.entries.get(at).map(|entry| self.pile.get(entry.spot))
    }

    /// The records, opened one by one.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.entries.iter().map(|entry| self.pile.get(entry.spot))
    }

    /// Empty behind the last.
    pub fn id(&self, at: usize) -> &str {
        self.entries.get(at).map_or("", |entry| self.ids.reader(entry.id as usize).text())
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| self.ids.reader(entry.id as usize).text())
    }

    /// The place of an id.
    pub fn place_of(&self, id: &str) -> Option<usize> {
        let of = |entry: &Entry| self.ids.reader(entry.id as usize).bytes().cmp(id.as_bytes());
        self.entries.binary_search_by(of).ok()
    }

    pub fn find(&self, id: &str) -> Option<T> {
        self.get(self.place_of(id)?)
    }

    /// Keeps the first record of each id.
    pub fn dedup(&mut self) {
        let Self { ids, entries, .. } = self;
        let id = |entry: &Entry| ids.reader(entry.id as usize).bytes();
        entries.dedup_by(|a, b| id(a) == id(b));
    }

    /// Puts another record in the place of one; both have the same id.
    pub fn replace(&mut self, at: usize, record: &T) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.spot = self.pile.put(record);
        }
    }

    /// Goes through the values of the matching field ([`MatchKeys::own`]), with the places of their records.
    pub fn each_own_key(&self, mut with: impl FnMut(usize, &str)) {
        for (at, entry) in self.entries.iter().enumerate() {
            self.pile.read(entry.spot, |from| {
                from.bytes();
                if let Some(key) = MatchKeys::own_of(from) {
                    with(at, key);
                }
            });
        }
    }
}

impl PackedList<Found> {
    /// The ids of records that carry one marker.
    pub fn doubled(&self) -> Vec<Vec<&str>> {
        let mut marked = Vec::new();
        self.each_marker(|at, text| marked.extend(marker::stamp(text).map(|stamp| (stamp, self.id(at)))));
        marker::doubled(marked.into_iter())
    }

    /// Goes through what stands in the markers' fields, with the places of their records.
    pub fn each_marker(&self, mut with: impl FnMut(usize, &str)) {
        for (at, entry) in self.entries.iter().enumerate() {
            self.pile.read(entry.spot, |from| {
                from.bytes();
                MatchKeys::unpack(from);
                if let Some(marker) = from.option(Unpacker::text) {
                    with(at, marker);
                }
            });
        }
    }
}
