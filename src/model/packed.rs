//! Records as bytes. A plan is made from every record of both sides at once: two hundred thousand of them, as
//! structures with texts of their own, take ten times the memory of what they say. Packed, a record is one piece of
//! memory; it is opened when it is its turn. Bytes never leave the process, so nothing in them needs a version.

use std::fmt;
use std::marker::PhantomData;

use rust_decimal::Decimal;

use super::field::Label;
use super::{
    Address, Amount, Count, Currency, Date, Entity, FieldName, Fields, Found, MatchKeys, SourceId, TargetId,
    Value, Verdict, Wanted,
};

/// What can be packed.
pub trait Pack: Sized {
    fn pack(&self, to: &mut Packer);
    /// The opposite of [`Self::pack`].
    fn unpack(from: &mut Unpacker<'_>) -> Self;
}

/// One record as bytes.
pub struct Packed<T> {
    bytes: Box<[u8]>,
    of: PhantomData<fn() -> T>,
}

impl<T: Pack> Packed<T> {
    pub fn new(record: &T) -> Self {
        let mut to = Packer::default();
        record.pack(&mut to);
        Self { bytes: to.0.into_boxed_slice(), of: PhantomData }
    }

    pub fn open(&self) -> T {
        T::unpack(&mut self.reader())
    }

    /// Its bytes from the first on: for what needs only the beginning.
    pub fn reader(&self) -> Unpacker<'_> {
        Unpacker(&self.bytes)
    }
}

impl<T> PartialEq for Packed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Packed<T> {}

impl<T> Clone for Packed<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), of: PhantomData }
    }
}

impl<T: Pack + fmt::Debug> fmt::Debug for Packed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.open().fmt(f)
    }
}

/// Records of a list that begin with their ids.
impl<T: Identified> Packed<T> {
    pub fn id(&self) -> &str {
        self.reader().text()
    }
}

/// A record whose packed form begins with its id and its [`MatchKeys`].
pub trait Identified: Pack {}

impl Identified for Wanted {}
impl Identified for Found {}

/// What packs records.
#[derive(Default, Clone)]
pub struct Packer(Vec<u8>);

impl Packer {
    /// Goes on behind what is packed already.
    pub(super) fn after(packed: Vec<u8>) -> Self {
        Self(packed)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }

    /// What was packed from there on.
    pub fn reader(&self, from: usize) -> Unpacker<'_> {
        Unpacker(self.0.get(from..).unwrap_or_default())
    }

    pub fn packed<T>(&mut self, record: &Packed<T>) {
        self.raw(&record.bytes);
    }

    /// What was packed elsewhere.
    pub(super) fn raw(&mut self, packed: &[u8]) {
        self.0.extend_from_slice(packed);
    }

    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// What [`Unpacker::bytes`] gave.
    pub fn bytes(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    pub fn option<T>(&mut self, value: Option<T>, pack: impl FnOnce(&mut Self, T)) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            pack(self, value);
        }
    }

    /// As many, then each.
    pub fn each<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut pack: impl FnMut(&mut Self, T)) {
        self.number(items.len() as u64);
        for item in items {
            pack(self, item);
        }
    }

    pub fn decimal(&mut self, decimal: Decimal) {
        self.0.extend_from_slice(&decimal.serialize());
    }
}

/// What opens them. Past the end everything is empty: what was packed is there.
pub struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 || shift > 63 {
                return number;
            }
        }
    }

    /// The bytes of a text: what orders as the text does.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::try_from(self.number()).unwrap_or(usize::MAX).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        text
    }

    pub fn text(&mut self) -> &'a str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    pub fn option<T>(&mut self, unpack: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() != 0).then(|| unpack(self))
    }

    pub fn each<T, L: FromIterator<T>>(&mut self, mut unpack: impl FnMut(&mut Self) -> T) -> L {
        let length = self.number();
        (0..length).map(|_| unpack(self)).collect()
    }

    pub fn decimal(&mut self) -> Decimal {
        let Some((bytes, rest)) = self.0.split_first_chunk::<16>() else { return Decimal::ZERO };
        self.0 = rest;
        Decimal::deserialize(*bytes)
    }
}

macro_rules! pack_id {
    ($name:ident) => {
        impl Pack for $name {
            fn pack(&self, to: &mut Packer) {
                to.text(self.as_str());
            }
            fn unpack(from: &mut Unpacker<'_>) -> Self {
                Self::new(from.text())
            }
        }
    };
}

pack_id!(SourceId);
pack_id!(TargetId);

impl Pack for Entity {
    fn pack(&self, to: &mut Packer) {
        to.byte(Self::ALL.iter().position(|one| one == self).unwrap_or_default() as u8);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self::ALL.get(usize::from(from.byte())).copied().unwrap_or(Self::Customers)
    }
}

impl Pack for FieldName {
    fn pack(&self, to: &mut Packer) {
        let built_in = Self::BUILT_IN.iter().position(|one| one == self);
        let number = match (self, built_in) {
            (_, Some(at)) => at as u64,
            (Self::Own(label), None) => Self::BUILT_IN.len() as u64 + u64::from(label.number()),
            (_, None) => 0,
        };
        to.number(number);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let number = from.number();
        let own = || Self::Own(Label::of_number((number - Self::BUILT_IN.len() as u64) as u32));
        Self::BUILT_IN.get(number as usize).copied().unwrap_or_else(own)
    }
}

impl Pack for Value {
    fn pack(&self, to: &mut Packer) {
        match self {
            Self::Text(text) => {
                to.byte(0);
                to.text(text);
            }
            Self::Count(count) => {
                to.byte(1);
                to.number(count.get().into());
            }
            Self::Amount(amount) => {
                to.byte(2);
                to.decimal(amount.get());
            }
            Self::Date(date) => {
                to.byte(3);
                to.number(date.year().cast_unsigned().into());
                to.byte(date.month().cast_unsigned());
                to.byte(date.day().cast_unsigned());
            }
            Self::Active(is) => to.byte(4 + u8::from(*is)),
            Self::Flag(is) => to.byte(6 + u8::from(*is)),
            Self::Address(address) => {
                to.byte(8);
                let Address { street, city, region, postcode, country } = &**address;
                for part in [street, city, region, postcode, country] {
                    to.text(part);
                }
            }
            Self::Record(entity, id) => {
                to.byte(9);
                entity.pack(to);
                id.pack(to);
            }
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        match from.byte() {
            1 => Self::Count(Count::new(from.number() as u32).unwrap_or(Count::ZERO)),
            2 => Self::Amount(Amount::new(from.decimal())),
            3 => {
                let (year, month, day) = (from.number() as u16, from.byte(), from.byte());
                let date =
                    Date::new(year.cast_signed(), month.cast_signed(), day.cast_signed()).unwrap_or_default();
                Self::Date(date)
            }
            tag @ (4 | 5) => Self::Active(tag == 5),
            tag @ (6 | 7) => Self::Flag(tag == 7),
            8 => {
                let mut part = || from.text().into();
                let (street, city, region, postcode, country) = (part(), part(), part(), part(), part());
                Self::Address(Box::new(Address { street, city, region, postcode, country }))
            }
            9 => Self::Record(Entity::unpack(from), SourceId::unpack(from)),
            _ => Self::Text(from.text().into()),
        }
    }
}

impl Pack for Fields {
    fn pack(&self, to: &mut Packer) {
        to.number(self.len() as u64);
        for (name, value) in self.iter() {
            name.pack(to);
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self::in_order(from.each(|from| (FieldName::unpack(from), Value::unpack(from))))
    }
}

impl MatchKeys {
    /// The value of the matching field ([`MatchKeys::own`]) of packed keys.
    pub(super) fn own_of<'a>(from: &mut Unpacker<'a>) -> Option<&'a str> {
        if from.byte() == 0 {
            return None;
        }
        from.option(Unpacker::bytes);
        from.option(Unpacker::text)
    }
}

impl Pack for MatchKeys {
    fn pack(&self, to: &mut Packer) {
        to.byte(u8::from(!self.is_empty()));
        if !self.is_empty() {
            to.option(self.vat.as_deref(), Packer::text);
            to.option(self.own.as_deref(), Packer::text);
            to.each(self.domains.iter(), |to, domain| to.text(domain));
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        if from.byte() == 0 {
            return Self::default();
        }
        let text = |from: &mut Unpacker<'_>| from.text().into();
        Self { vat: from.option(text), own: from.option(text), domains: from.each(text) }
    }
}

impl Pack for Verdict {
    fn pack(&self, to: &mut Packer) {
        let (tag, why) = match self {
            Self::Take => return to.byte(0),
            Self::Hold(why) => (1, why),
            Self::OutOfScope(why) => (2, why),
            Self::Ended(why) => (3, why),
        };
        to.byte(tag);
        to.text(why);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        match from.byte() {
            1 => Self::Hold(from.text().into()),
            2 => Self::OutOfScope(from.text().into()),
            3 => Self::Ended(from.text().into()),
            _ => Self::Take,
        }
    }
}

impl Pack for Wanted {
    fn pack(&self, to: &mut Packer) {
        let Self { id, name, parent, verdict, fields, keys, currency, notes } = self;
        id.pack(to);
        keys.pack(to);
        to.text(name);
        to.option(parent.as_ref(), |to, parent| parent.pack(to));
        verdict.pack(to);
        fields.pack(to);
        to.option(currency.as_ref(), |to, currency| to.text(currency.as_str()));
        to.each(notes.iter(), |to, note| to.text(note));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let (id, keys) = (SourceId::unpack(from), MatchKeys::unpack(from));
        Self {
            id,
            keys,
            name: from.text().into(),
            parent: from.option(SourceId::unpack),
            verdict: Verdict::unpack(from),
            fields: Fields::unpack(from),
            currency: from.option(|from| Currency::new(from.text())).flatten(),
            notes: from.each(|from| from.text().into()),
        }
    }
}

impl Pack for Found {
    fn pack(&self, to: &mut Packer) {
        let Self { id, name, parent, is_active, marker, fields, keys, currency, main_site } = self;
        id.pack(to);
        keys.pack(to);
        to.option(marker.as_deref(), Packer::text);
        to.text(name);
        to.option(parent.as_ref(), |to, parent| parent.pack(to));
        to.byte((*is_active).into());
        fields.pack(to);
        to.option(currency.as_ref(), |to, currency| to.text(currency.as_str()));
        to.option(main_site.as_ref(), |to, site| site.pack(to));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let (id, keys) = (TargetId::unpack(from), MatchKeys::unpack(from));
        Self {
            id,
            keys,
            marker: from.option(|from| from.text().into()),
            name: from.text().into(),
            parent: from.option(TargetId::unpack),
            is_active: from.byte() != 0,
            fields: Fields::unpack(from),
            currency: from.option(|from| Currency::new(from.text())).flatten(),
            main_site: from.option(TargetId::unpack),
        }
    }
}
