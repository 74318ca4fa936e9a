//! The rows of a plan while it is made: packed, with what the limits look at beside them. A row is opened to be changed,
//! and at the end, one by one, to be stored.

use std::collections::HashSet;

use rust_decimal::Decimal;

use super::change::{Mark, Reasons};
use super::cost::requests;
use super::{Action, Cause, Change, FieldChange, Side};
use crate::model::packed::{Pack, Packer, Unpacker};
use crate::model::pile::{Pile, Spot};
use crate::model::{Count, Currency, Entity, FieldName, Fields, SourceId, TargetId, Value};

/// What the limits look at of one row.
#[derive(Debug, Clone)]
pub struct Row {
    pub entity: Entity,
    pub action: Action,
    /// What it does once nothing holds it.
    pub would_be: Action,
    /// Requests that it sends.
    pub requests: u8,
    pub after_row: Option<u32>,
    reasons: Reasons,
    /// Of rows that somebody is billed for.
    billing: Option<Box<Billing>>,
    /// The row itself.
    rest: Spot,
    /// While rows are sorted: where that begins which orders them.
    place: u32,
}

/// What the limits ask of rows that somebody is billed for.
#[derive(Debug, Clone)]
struct Billing {
    money: Option<Decimal>,
    currency: Option<Currency>,
    seats: i64,
    /// Fields that it takes to zero.
    zeroes: Vec<FieldName>,
    is_billable: bool,
}

impl Row {
    /// Money a month that it changes, and in what.
    pub fn money(&self) -> (Option<Currency>, Option<Decimal>) {
        self.billing.as_ref().map_or((None, None), |billing| (billing.currency, billing.money))
    }

    /// Seats that an update adds or takes.
    pub fn seats(&self) -> i64 {
        self.billing.as_ref().map_or(0, |billing| billing.seats)
    }

    pub fn goes_to_zero(&self, name: FieldName) -> bool {
        self.billing.as_ref().is_some_and(|billing| billing.zeroes.contains(&name))
    }

    /// As [`Change::is_billable`].
    pub fn is_billable(&self) -> bool {
        self.billing.as_ref().is_some_and(|billing| billing.is_billable)
    }
}

/// Rows in their order; the first has the number 1.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    list: Vec<Row>,
    /// The rows themselves; of those that were changed also what they were.
    pile: Pile,
    /// Sentences, each kept once: most rows of a plan say the same.
    said: HashSet<Reasons>,
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.changes().eq(other.changes())
    }
}

impl Eq for Rows {}

impl From<Vec<Change>> for Rows {
    fn from(changes: Vec<Change>) -> Self {
        let mut rows = Self::default();
        rows.extend(changes);
        rows
    }
}

impl Extend<Change> for Rows {
    fn extend<I: IntoIterator<Item = Change>>(&mut self, changes: I) {
        for change in changes {
            self.push(change);
        }
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl Rows {
    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.list.iter()
    }

    /// Makes room for so many more, and no more than that.
    pub fn reserve(&mut self, more: usize) {
        self.list.reserve_exact(more);
    }

    pub fn push(&mut self, change: Change) {
        let row = self.pack(change);
        self.list.push(row);
    }

    pub fn get(&self, at: usize) -> Option<&Row> {
        self.list.get(at)
    }

    /// The whole of a row of these, without its number.
    pub fn open(&self, row: &Row) -> Change {
        let mut change: Change = self.pile.get(row.rest);
        change.reasons = Reasons::clone(&row.reasons);
        change.after_row = row.after_row;
        change
    }

    /// The whole rows with their numbers, opened one by one.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        (1..).zip(&self.list).map(|(number, row)| Change { row: number, ..self.open(row) })
    }

    /// The same, of rows that nobody needs any more.
    pub fn into_changes(self) -> impl Iterator<Item = Change> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let change = self.open(self.list.get(at)?);
            at += 1;
            Some(Change { row: at as u32, ..change })
        })
    }

    /// Changes the rows that are concerned.
    pub(super) fn change(&mut self, concerned: impl Fn(&Row) -> bool, mut with: impl FnMut(&mut Change)) {
        for at in 0..self.list.len() {
            if concerned(&self.list[at]) {
                self.edit(at, &mut with);
            }
        }
    }

    /// Lets them wait: each would be what it was.
    pub(super) fn hold(&mut self, concerned: impl Fn(&Row) -> bool, cause: &Cause, why: &str) {
        self.change(concerned, |change| change.hold(cause.clone(), why));
    }

    pub(super) fn edit(&mut self, at: usize, with: impl FnOnce(&mut Change)) {
        let mut change = self.open(&self.list[at]);
        with(&mut change);
        self.list[at] = self.pack(change);
    }

    /// Puts the rows from there on in plan order: by customer, then by name; ids settle what names leave open.
    pub(super) fn sort_from(&mut self, first: usize) {
        let mut places = Packer::default();
        for row in &mut self.list[first..] {
            row.place = places.len() as u32;
            self.pile.read(row.rest, |from| {
                places.option(from.option(|from| (from.bytes(), from.bytes())), |to, (name, id)| {
                    to.bytes(name);
                    to.bytes(id);
                });
                places.bytes(from.bytes());
                places.bytes(from.bytes());
            });
        }
        let place = |row: &Row| {
            let mut from = places.reader(row.place as usize);
            (from.option(|from| (from.bytes(), from.bytes())), from.bytes(), from.bytes())
        };
        self.list[first..].sort_unstable_by(|a, b| place(a).cmp(&place(b)));
    }

    /// Puts rows before the one that is there.
    pub(super) fn insert(&mut self, at: usize, made: Vec<Change>) {
        let made: Vec<Row> = made.into_iter().map(|change| self.pack(change)).collect();
        self.list.splice(at..at, made);
    }

    /// Leaves those that `keeps` says `true` of, by their place; answers the places that are left.
    pub(super) fn retain(&mut self, keeps: impl Fn(usize) -> bool) -> Vec<usize> {
        let left: Vec<usize> = (0..self.list.len()).filter(|at| keeps(*at)).collect();
        let mut next = left.iter().copied().peekable();
        let mut at = 0;
        self.list.retain(|_| {
            let stays = next.next_if_eq(&at).is_some();
            at += 1;
            stays
        });
        left
    }

    /// Gives every row that comes after another one that one's new number.
    pub(super) fn renumber(&mut self, number: impl Fn(u32) -> Option<u32>) {
        for row in &mut self.list {
            row.after_row = row.after_row.and_then(&number);
        }
    }

    fn pack(&mut self, mut change: Change) -> Row {
        let reasons = std::mem::take(&mut change.reasons);
        let known = self.said.get(&reasons).map(Reasons::clone);
        let reasons = known.unwrap_or_else(|| {
            self.said.insert(Reasons::clone(&reasons));
            reasons
        });
        Row {
            entity: change.entity,
            action: change.action,
            would_be: change.hold.as_ref().map_or(change.action, |hold| hold.would_be),
            requests: u8::try_from(requests(&change)).unwrap_or(u8::MAX),
            after_row: change.after_row,
            reasons,
            billing: billing(&change),
            rest: self.pile.put(&change),
            place: 0,
        }
    }
}

fn billing(change: &Change) -> Option<Box<Billing>> {
    let billing = Billing {
        money: change.money,
        currency: change.currency,
        seats: seats(change),
        zeroes: change.fields.iter().filter(|field| goes_to_zero(field)).map(|field| field.name).collect(),
        is_billable: change.is_billable(),
    };
    let says_nothing = billing.money.is_none_or(|money| money.is_zero())
        && !change.entity.is_billed()
        && billing.seats == 0
        && billing.zeroes.is_empty();
    (!says_nothing).then(|| Box::new(billing))
}

fn seats(change: &Change) -> i64 {
    let count = |value: Option<&Value>| match value {
        Some(Value::Count(count)) => i64::from(count.get()),
        _ => 0,
    };
    change
        .fields
        .iter()
        .filter(|field| field.name == FieldName::Quantity)
        .map(|field| count(field.after.as_ref()) - count(field.before.as_ref()))
        .sum()
}

fn goes_to_zero(field: &FieldChange) -> bool {
    let is_zero = |value: Option<&Value>| match value {
        Some(Value::Count(count)) => *count == Count::ZERO,
        Some(Value::Amount(amount)) => amount.get().is_zero(),
        _ => false,
    };
    is_zero(field.after.as_ref()) && field.before.is_some() && !is_zero(field.before.as_ref())
}

/// All but its number, its reasons and the row it comes after, which a [`Row`] has beside it.
impl Pack for Change {
    fn pack(&self, to: &mut Packer) {
        // What orders the rows comes first.
        to.option(self.customer.as_ref(), |to, customer| {
            to.text(&customer.name);
            customer.id.pack(to);
        });
        to.text(&self.source.name);
        self.source.id.pack(to);
        self.entity.pack(to);
        to.byte(Action::ALL.iter().position(|one| *one == self.action).unwrap_or_default() as u8);
        to.option(self.target.as_ref(), |to, target| {
            target.id.pack(to);
            to.text(&target.name);
        });
        let id = |to: &mut Packer, id: &TargetId| id.pack(to);
        to.option(self.customer_target.as_ref(), id);
        to.option(self.site.as_ref(), id);
        to.option(self.top_level.as_ref(), id);
        to.each(self.fields.iter(), |to, field| {
            field.name.pack(to);
            to.option(field.before.as_ref(), |to, value| value.pack(to));
            to.option(field.after.as_ref(), |to, value| value.pack(to));
            to.byte(match field.mark {
                None => 0,
                Some(Mark::EditedInHalo) => 1,
                Some(Mark::Price) => 2,
            });
        });
        // Most rows write all that they own.
        let all_written = !self.owned.is_empty() && self.owned == self.values();
        to.byte(all_written.into());
        if !all_written {
            self.owned.pack(to);
        }
        to.option(self.currency.as_ref(), |to, currency| to.text(currency.as_str()));
        to.option(self.money, Packer::decimal);
        // Rare, and deep: plain data with text keys, which nothing can fail at.
        let json = |to: &mut Packer, text: serde_json::Result<String>| to.text(&text.unwrap_or_default());
        to.option(self.hold.as_ref(), |to, hold| json(to, serde_json::to_string(hold)));
        to.option(self.mapping.as_ref(), |to, mapping| json(to, serde_json::to_string(mapping)));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let customer = from.option(|from| {
            let name = from.text().into();
            Side { id: SourceId::unpack(from), name }
        });
        let name = from.text().into();
        let source = Side { id: SourceId::unpack(from), name };
        let entity = Entity::unpack(from);
        let action = Action::ALL.get(usize::from(from.byte())).copied().unwrap_or(Action::Held);
        let mut change = Self::new(entity, action, source, [""; 0]);
        change.customer = customer;
        change.target = from.option(|from| Side { id: TargetId::unpack(from), name: from.text().into() });
        change.customer_target = from.option(TargetId::unpack);
        change.site = from.option(TargetId::unpack);
        change.top_level = from.option(TargetId::unpack);
        change.fields = from.each(|from| FieldChange {
            name: FieldName::unpack(from),
            before: from.option(Value::unpack),
            after: from.option(Value::unpack),
            mark: match from.byte() {
                1 => Some(Mark::EditedInHalo),
                2 => Some(Mark::Price),
                _ => None,
            },
        });
        change.owned = if from.byte() == 1 { change.values() } else { Fields::unpack(from) };
        change.currency = from.option(|from| Currency::new(from.text())).flatten();
        change.money = from.option(Unpacker::decimal);
        change.hold = from.option(|from| serde_json::from_str(from.text()).ok()).flatten();
        change.mapping = from.option(|from| serde_json::from_str(from.text()).ok()).flatten();
        change
    }
}
