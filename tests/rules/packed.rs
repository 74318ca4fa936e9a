//! Packed records are what they were, whatever is in them.

use parhelion::model::{
    Address, Amount, Count, Currency, Date, Entity, FieldName, Fields, Found, Laid, MatchKeys, Packed,
    PackedList, SourceId, Stack, TargetId, Value, Verdict, Wanted,
};
use parhelion::plan::{Action, Cause, Change, FieldChange, Hold, Mark, Rows, Side};
use proptest::option;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,40}".prop_map(Value::text),
        (0..=u32::MAX).prop_map(|n| Value::Count(Count::new(n).unwrap_or(Count::ZERO))),
        (any::<i64>(), 0_u32..20)
            .prop_map(|(n, scale)| Value::Amount(Amount::new(rust_decimal::Decimal::new(n, scale)))),
        (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
            .prop_map(|(year, month, day)| Value::Date(Date::constant(year, month, day))),
        any::<bool>().prop_map(Value::Active),
        any::<bool>().prop_map(Value::Flag),
        (".{0,9}", ".{0,9}", ".{0,9}", ".{0,9}", ".{0,9}").prop_map(|(a, b, c, d, e)| {
            Value::Address(Box::new(Address {
                street: a.into(),
                city: b.into(),
                region: c.into(),
                postcode: d.into(),
                country: e.into(),
            }))
        }),
        (entity(), "[a-z0-9]{1,9}").prop_map(|(entity, id)| Value::Record(entity, SourceId::new(id))),
    ]
}

fn entity() -> impl Strategy<Value = Entity> {
    proptest::sample::select(Entity::ALL.to_vec())
}

fn name() -> impl Strategy<Value = FieldName> {
    prop_oneof![
        proptest::sample::select(vec![FieldName::Name, FieldName::Status, FieldName::EndDate]),
        "[a-zé ]{1,9}".prop_map(|label| FieldName::own(&label)),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    proptest::collection::vec((name(), value()), 0..7).prop_map(|fields| fields.into_iter().collect())
}

fn keys() -> impl Strategy<Value = MatchKeys> {
    (option::of(".{0,9}"), option::of(".{0,9}"), proptest::collection::vec("[a-z.]{1,9}", 0..3)).prop_map(
        |(vat, own, domains)| MatchKeys {
            vat: vat.map(Into::into),
            own: own.map(Into::into),
            domains: domains.into_iter().map(Into::into).collect(),
        },
    )
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Take),
        ".{0,9}".prop_map(Verdict::Hold),
        ".{0,9}".prop_map(Verdict::OutOfScope),
        ".{0,9}".prop_map(Verdict::Ended),
    ]
}

fn currency() -> impl Strategy<Value = Option<Currency>> {
    option::of("[A-Z]{3}").prop_map(|code| code.and_then(|code| Currency::new(&code)))
}

prop_compose! {
    fn wanted()(
        id in "[a-z0-9]{1,9}", name in ".{0,30}", parent in option::of("[0-9]{1,9}"), verdict in verdict(),
        fields in fields(), keys in keys(), currency in currency(),
        notes in proptest::collection::vec(".{0,20}", 0..3),
    ) -> Wanted {
        Wanted {
            id: SourceId::new(id),
            name: name.into(),
            parent: parent.map(SourceId::new),
            verdict,
            fields,
            keys,
            currency,
            notes: notes.into_iter().map(Into::into).collect(),
        }
    }
}

prop_compose! {
    fn found()(
        id in "[a-z0-9]{1,9}", name in ".{0,30}", parent in option::of("[0-9]{1,9}"), is_active: bool,
        marker in option::of(".{0,20}"), fields in fields(), keys in keys(), currency in currency(),
        main_site in option::of("[0-9]{1,9}"),
    ) -> Found {
        Found {
            id: TargetId::new(id),
            name: name.into(),
            parent: parent.map(TargetId::new),
            is_active,
            marker: marker.map(Into::into),
            fields,
            keys,
            currency,
            main_site: main_site.map(TargetId::new),
        }
    }
}

fn field_change() -> impl Strategy<Value = FieldChange> {
    let mark = option::of(prop_oneof![Just(Mark::Price), Just(Mark::EditedInHalo)]);
    (name(), option::of(value()), option::of(value()), mark)
        .prop_map(|(name, before, after, mark)| FieldChange { name, before, after, mark })
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        Just(Cause::Data),
        name().prop_map(|name| Cause::Conflict { fields: vec![name] }),
        Just(Cause::Ambiguous { candidates: Vec::new() }),
    ]
}

prop_compose! {
    fn change()(
        of in entity(), action in proptest::sample::select(Action::ALL.to_vec()), source in wanted(),
        target in option::of(found()), customer in option::of(wanted()), after_row in option::of(1_u32..9),
        changed in proptest::collection::vec(field_change(), 0..4), owned in option::of(fields()),
        held in option::of(cause()), currency in currency(), money in option::of(-99_i64..99),
        sentences in proptest::collection::vec(".{0,20}", 0..3),
    ) -> Change {
        let side = |one: &Wanted| Side { id: one.id.clone(), name: one.name.clone() };
        let mut change = Change::new(of, action, side(&source), sentences);
        change.customer = customer.as_ref().map(side);
        change.customer_target = target.as_ref().and_then(|found| found.parent.clone());
        change.site = target.as_ref().and_then(|found| found.main_site.clone());
        change.target = target.map(|found| Side { id: found.id, name: found.name });
        change.after_row = after_row;
        change.fields = changed;
        change.owned = owned.unwrap_or_else(|| change.values());
        change.hold = held.map(|cause| Box::new(Hold { cause, would_be: Action::Create }));
        change.currency = currency;
        change.money = money.map(Into::into);
        change
    }
}

proptest! {
    #[test]
    fn both_sides_records_come_out_as_they_went_in(wanted in wanted(), found in found()) {
        prop_assert_eq!(Packed::new(&wanted).open(), wanted.clone());
        prop_assert_eq!(Packed::new(&found).open(), found.clone());
        let packed = Packed::new(&wanted);
        prop_assert_eq!(packed.id(), wanted.id.as_str());
    }

    #[test]
    fn a_list_finds_every_record_by_its_id(records in proptest::collection::vec(found(), 0..20)) {
        let list: PackedList<Found> = records.iter().map(Packed::new).collect();
        for found in &records {
            let at = list.place_of(found.id.as_str());
            prop_assert_eq!(at.map(|at| list.id(at)), Some(found.id.as_str()));
        }
        prop_assert_eq!(list.place_of("no such id"), None);
        let mut sorted = records;
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        prop_assert_eq!(list.iter().collect::<Vec<_>>(), sorted.clone());
        let (mut keys, mut markers) = (Vec::new(), Vec::new());
        list.each_own_key(|at, key| keys.push((at, key.to_owned())));
        list.each_marker(|at, marker| markers.push((at, marker.to_owned())));
        let own = |one: &Found| one.keys.own.as_ref().map(ToString::to_string);
        let marker = |one: &Found| one.marker.as_ref().map(ToString::to_string);
        prop_assert_eq!(keys, given(&sorted, own));
        prop_assert_eq!(markers, given(&sorted, marker));
    }

    /// Equal where their records are, readable at once, and only those that became the list are in it, once each.
    #[test]
    fn what_is_laid_on_a_stack_becomes_the_list(
        records in proptest::collection::vec((found(), any::<bool>()), 0..200),
    ) {
        let stack = Stack::default();
        let laid: Vec<Laid> = records.iter().map(|(found, _)| stack.lay(found)).collect();
        for (at, (found, _)) in laid.iter().zip(&records) {
            prop_assert_eq!(&stack.open(*at), found);
            prop_assert_eq!(*at, stack.lay(found));
        }
        for pair in records.windows(2).filter(|pair| pair[0].0 != pair[1].0) {
            prop_assert!(stack.lay(&pair[0].0) != stack.lay(&pair[1].0));
        }
        let taken: Vec<Laid> = laid.iter().zip(&records).filter(|(_, (_, t))| *t).map(|(l, _)| *l).collect();
        let mut list = stack.list(&taken);
        let mut wanted: Vec<Found> = records.into_iter().filter(|(_, t)| *t).map(|(found, _)| found).collect();
        wanted.sort_by(|a, b| a.id.cmp(&b.id));
        prop_assert_eq!(list.iter().collect::<Vec<_>>(), wanted.clone());
        list.dedup();
        wanted.dedup_by(|a, b| a.id == b.id);
        prop_assert_eq!(list.iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn rows_come_out_as_they_went_in(changes in proptest::collection::vec(change(), 0..6)) {
        let rows = Rows::from(changes.clone());
        let numbered: Vec<Change> =
            changes.into_iter().zip(1..).map(|(change, row)| Change { row, ..change }).collect();
        prop_assert_eq!(rows.changes().collect::<Vec<_>>(), numbered.clone());
        prop_assert_eq!(rows.into_changes().collect::<Vec<_>>(), numbered);
    }
}

fn given(records: &[Found], of: impl Fn(&Found) -> Option<String>) -> Vec<(usize, String)> {
    records.iter().enumerate().filter_map(|(at, record)| Some((at, of(record)?))).collect()
}

/// Enough of them for many blocks, read in every order, some replaced, and one as long as several blocks.
#[test]
fn a_long_list_opens_each_record_wherever_it_lies() {
    let record = |n: usize, name: String| Found {
        id: TargetId::new(n.to_string()),
        name: name.into(),
        parent: Some(TargetId::new((n % 97).to_string())),
        is_active: !n.is_multiple_of(3),
        marker: n.is_multiple_of(5).then(|| format!("PHL-aaaaaaaa-a{}", n % 1000).into()),
        fields: Fields::new().with(FieldName::own("Serial"), Value::text(format!("SN{:08}", n * 7919))),
        keys: MatchKeys { own: Some(format!("sn{n}").into()), ..MatchKeys::default() },
        currency: None,
        main_site: None,
    };
    let name = |n: usize| if n == 700 { "long ".repeat(9_000) } else { format!("WKS-{n:05}.contoso.local") };
    let mut list: PackedList<Found> = (0..6_000).rev().map(|n| record(n, name(n))).collect();
    for n in (0..6_000).step_by(11) {
        let at = list.place_of(&n.to_string()).expect("listed");
        list.replace(at, &record(n, format!("{} again", name(n))));
    }
    let expected =
        |n: usize| record(n, if n.is_multiple_of(11) { format!("{} again", name(n)) } else { name(n) });
    for n in (0..6_000).map(|n| n * 4_241 % 6_000) {
        assert_eq!(list.find(&n.to_string()), Some(expected(n)), "{n}");
    }
    let copy = list.clone();
    for one in copy.iter() {
        let n: usize = one.id.as_str().parse().expect("a number");
        assert_eq!(one, expected(n));
    }
    let doubled = list.doubled();
    assert_eq!(doubled.len(), 200, "each marker is on six records");
    assert!(doubled.iter().all(|ids| ids.len() == 6));
}
