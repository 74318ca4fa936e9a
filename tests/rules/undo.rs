//! The plan that takes a job back (P32, sync-engine 13), as a pure function of what the job did and how things stand.

use std::collections::BTreeMap;

use parhelion::model::date::NO_DATE;
use parhelion::model::{
    Currency, Entity, FieldName, Fields, Found, How, Link, MatchKeys, Moment, Slot, SourceId, Value,
};
use parhelion::plan::{
    self, Action, Cause, Change, FieldChange, Image, Linked, Outline, Policy, Side, Valve,
};
use proptest::prelude::*;

use crate::world::*;

fn undo(images: &[Image], linked: &Linked, policy: &Policy) -> (Vec<Change>, Outline) {
    let (rows, outline) = plan::undo(images, linked, policy);
    (rows.into_changes().collect(), outline)
}

fn link(target: &str) -> Link {
    Link {
        target: t(target),
        parent: Some(s("a")),
        source_name: "Office".into(),
        target_name: "Office".into(),
        how: How::Created,
        since: Moment::UNIX_EPOCH,
        base: None,
        removed: None,
        site: None,
    }
}

fn linked(target: &str) -> Slot {
    Slot { link: Some(link(target)), ..Slot::default() }
}

/// Licence `L<id>` of customer `1` with these fields.
fn found(id: &str, fields: Fields) -> Found {
    let active = fields.get(FieldName::Status) != Some(&Value::Active(false));
    Found {
        id: t(&format!("L{id}")),
        name: "Office".into(),
        parent: Some(t("1")),
        is_active: active,
        marker: None,
        fields,
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    }
}

fn wrote(name: FieldName, before: Option<Value>, after: Value) -> FieldChange {
    FieldChange { name, before, after: Some(after), mark: None }
}

/// A job set the count of subscription `id` from 5 to 8; the licence stands as it left it.
fn image(id: &str) -> Image {
    Image {
        entity: Entity::Subscriptions,
        source: Side { id: s(id), name: "Office".into() },
        customer: Some(Side { id: s("a"), name: "Alder Ltd".into() }),
        target: t(&format!("L{id}")),
        created: false,
        fields: vec![wrote(FieldName::Quantity, Some(seats(5)), seats(8))],
        site: None,
        before: None,
        now: linked(&format!("L{id}")),
        found: Some(found(id, licence_fields("Office", 8).with(FieldName::Price, amount("2.50")))),
        currency: Currency::new("EUR"),
        newer: 0,
    }
}

/// The same, made by the job.
fn made(id: &str) -> Image {
    let fields = vec![
        wrote(FieldName::Name, None, Value::text("Office")),
        wrote(FieldName::Quantity, None, seats(8)),
        wrote(FieldName::Status, None, Value::Active(true)),
    ];
    Image { created: true, fields, before: Some(Slot::default()), ..image(id) }
}

fn policy() -> Policy {
    World::new().policy()
}

fn population(records: u64) -> Linked {
    let of = |count: u64| BTreeMap::from([(Entity::Customers, count), (Entity::Subscriptions, count)]);
    Linked { records: of(records), seats: of(records * 10), ..Linked::default() }
}

fn planned(images: &[Image]) -> (Vec<Change>, Outline) {
    undo(images, &population(1000), &policy())
}

fn one(image: Image) -> Change {
    planned(&[image]).0.remove(0)
}

#[test]
fn a_field_goes_back_to_what_it_held() {
    let row = one(image("s1"));
    assert_eq!(row.action, Action::Update);
    assert_eq!(row.fields, [wrote(FieldName::Quantity, Some(seats(8)), seats(5))]);
    assert_eq!(row.target.unwrap().id, t("Ls1"));
    // Nothing is left of it: somebody has set it back already.
    let mut done = image("s1");
    done.found = Some(found("s1", licence_fields("Office", 5)));
    let row = one(done);
    assert_eq!((row.action, row.fields.len()), (Action::Unchanged, 0));
    assert!(row.reasons[0].contains("nothing is left"), "{:?}", row.reasons);
}

#[test]
fn what_somebody_changed_since_is_left_alone_as_a_whole_row() {
    let mut image = image("s1");
    image.fields.push(wrote(FieldName::Name, Some(Value::text("Old")), Value::text("Office")));
    image.found = Some(found("s1", licence_fields("Office", 9)));
    let row = one(image);
    assert!(matches!(row.cause(), Cause::Conflict { fields } if fields == [FieldName::Quantity]), "{row:?}");
    assert!(row.reasons[0].contains("quantity is 9, the job wrote 8"), "{:?}", row.reasons);
    assert_eq!(row.hold.unwrap().would_be, Action::Update);
}

#[test]
fn what_was_made_becomes_inactive_and_is_unlinked() {
    let row = one(made("s1"));
    assert_eq!(row.action, Action::Deactivate);
    assert_eq!(row.fields, [wrote(FieldName::Status, Some(Value::Active(true)), Value::Active(false))]);
    assert_eq!(row.mapping.as_deref(), Some(&Slot::default()));
    // Somebody counts on it by now.
    let mut used = made("s1");
    used.found = Some(found("s1", licence_fields("Office", 20)));
    assert!(matches!(one(used).cause(), Cause::Conflict { .. }));
    // Inactive already, whatever else was changed: only the mapping is taken away.
    let mut over = made("s1");
    over.found =
        Some(found("s1", licence_fields("Office", 20).with(FieldName::Status, Value::Active(false))));
    let row = one(over);
    assert_eq!((row.action, row.fields.len(), row.mapping.is_some()), (Action::Update, 0, true));
}

#[test]
fn what_is_gone_is_held_and_a_kind_of_assets_stays() {
    let gone = one(Image { found: None, ..image("s1") });
    assert!(matches!(gone.cause(), Cause::Missing));
    let kind = Image { entity: Entity::AssetTypes, ..made("s1") };
    let mut policy = policy();
    policy.entities = vec![Entity::Assets];
    let (changes, _) = undo(&[kind], &population(1000), &policy);
    assert_eq!(changes[0].action, Action::Skipped);
    assert!(changes[0].reasons[0].contains("nothing in Halo is deleted"), "{:?}", changes[0].reasons);
}

#[test]
fn a_customer_with_newer_records_and_a_record_mapped_elsewhere_stay() {
    let customer = Image { entity: Entity::Customers, customer: None, newer: 2, ..made("a") };
    let row = one(customer);
    assert!(matches!(row.cause(), Cause::Missing), "{row:?}");
    assert!(row.reasons[0].contains("2 records of it were brought in by other jobs"), "{:?}", row.reasons);
    let moved = Image { now: linked("L77"), ..image("s1") };
    assert_eq!(one(moved).mapping, None, "what a person mapped since stands");
}

#[test]
fn a_blank_end_becomes_no_date_and_another_blank_cannot_come_back() {
    let mut image = image("s1");
    let end = Value::Date("2026-12-31".parse().unwrap());
    image.fields =
        vec![wrote(FieldName::EndDate, None, end.clone()), wrote(FieldName::Price, None, amount("2.50"))];
    let fields =
        licence_fields("Office", 8).with(FieldName::EndDate, end).with(FieldName::Price, amount("2.50"));
    image.found = Some(found("s1", fields));
    let row = one(image);
    assert_eq!(row.after(FieldName::EndDate), Some(Value::Date(NO_DATE)));
    assert_eq!(row.after(FieldName::Price), None);
    assert!(row.why().contains("price was blank before"), "{}", row.why());
}

#[test]
fn what_hangs_on_a_customer_goes_before_it_and_the_last_first() {
    let customer = Image { entity: Entity::Customers, customer: None, ..made("a") };
    let (changes, _) = planned(&[customer, image("s1"), image("s2")]);
    let order: Vec<_> = changes.iter().map(|change| (change.row, change.source.id.as_str())).collect();
    assert_eq!(order, [(1, "s2"), (2, "s1"), (3, "a")]);
}

/// N1: currencies are never added together, and what has no price is no 0.
#[test]
fn money_is_told_in_the_currency_of_each_customer() {
    let pounds = Image { currency: gbp(), ..made("s2") };
    let unknown = Image { found: Some(found("s3", licence_fields("Office", 8))), ..image("s3") };
    let (changes, outline) = planned(&[image("s1"), pounds, unknown]);
    let told: Vec<_> = outline
        .money
        .iter()
        .map(|line| (line.currency.unwrap().to_string(), line.before.to_string(), line.after.to_string()))
        .collect();
    let text = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(told, [text("EUR", "20.0", "12.5"), text("GBP", "20.0", "0.0")]);
    assert_eq!(outline.rows_without_price, 1);
    assert_eq!(changes.row("s1").currency, Currency::new("EUR"));
}

#[test]
fn v1_holds_what_would_become_inactive_until_it_is_lifted() {
    let images: Vec<_> = (0..6).map(|n| made(&format!("s{n}"))).collect();
    let mut policy = policy();
    let few = population(6);
    let (changes, outline) = undo(&images, &few, &policy);
    assert!(
        changes
            .iter()
            .all(|change| matches!(change.cause(), Cause::Limit { valve: Valve::V1, overridable: true }))
    );
    let v1 = outline.limits.iter().find(|limit| limit.valve == Valve::V1).unwrap();
    assert_eq!((v1.number, v1.limit, v1.tripped), (6, 5, true));
    policy.allow_removals = true;
    assert_eq!(undo(&images, &few, &policy).1.totals.deactivate, 6);
}

/// V3: an undo that leaves many customers with nothing waits for the number, too, however few records those are.
#[test]
fn customers_that_would_be_left_with_nothing_wait_for_a_person() {
    let customer = |n: usize| Side { id: s(&format!("c{n}")), name: "Customer".into() };
    let images: Vec<_> =
        (0..5).map(|n| Image { customer: Some(customer(n)), ..made(&format!("s{n}")) }).collect();
    let mut linked = population(1000);
    let lines = |has: u64| {
        BTreeMap::from([(Entity::Subscriptions, (0..100).map(|n| (customer(n).id, has)).collect())])
    };
    linked.of_customer = lines(1);
    let mut policy = policy();
    let (changes, outline) = undo(&images, &linked, &policy);
    assert!(
        changes
            .iter()
            .all(|change| matches!(change.cause(), Cause::Limit { valve: Valve::V3, overridable: true })),
        "{changes:?}"
    );
    let v3 = outline.limits.iter().find(|limit| limit.valve == Valve::V3).unwrap();
    assert_eq!((v3.number, v3.limit, v3.population, v3.tripped), (5, 3, 100, true));
    assert!(v3.sentence.contains("type the number"), "{}", v3.sentence);
    policy.allow_removals = true;
    assert_eq!(undo(&images, &linked, &policy).1.totals.deactivate, 5, "lifted in so many words");
    policy.allow_removals = false;
    // Where each of them keeps something, and where they are few, nothing waits.
    linked.of_customer = lines(2);
    assert_eq!(undo(&images, &linked, &policy).1.totals.deactivate, 5);
    linked.of_customer = lines(1);
    assert_eq!(undo(&images[..3], &linked, &policy).1.totals.deactivate, 3);
}

/// An undo is by a person: V4 to V8 are said to them and hold nothing (decision 32).
#[test]
fn v4_to_v8_are_said_and_hold_nothing() {
    let mut images: Vec<_> = (0..40).map(|n| image(&format!("s{n:02}"))).collect();
    for image in images.iter_mut().take(4) {
        image.fields = vec![wrote(FieldName::Quantity, Some(seats(0)), seats(8))];
    }
    let mut policy = policy();
    policy.safety.max_money_change = Some("100".parse().unwrap());
    let (changes, outline) = undo(&images, &population(60), &policy);
    let tripped: Vec<_> =
        outline.limits.iter().filter(|limit| limit.tripped).map(|limit| limit.valve).collect();
    assert_eq!(tripped, [Valve::V4, Valve::V5, Valve::V7, Valve::V8], "{:?}", outline.limits);
    assert!(changes.iter().all(|change| change.action == Action::Update), "held by none");
    let v4 = outline.limits.iter().find(|limit| limit.valve == Valve::V4).unwrap();
    assert_eq!((v4.number, v4.limit), (36 * 3 + 4 * 8, 60), "10 % of 600 seats");
    assert!(v4.sentence.contains("check them before you apply"), "{}", v4.sentence);
    // Among few records they mean nothing.
    let (_, outline) = undo(&images[..1], &population(49), &policy);
    assert!(outline.limits.iter().all(|limit| !limit.tripped), "{:?}", outline.limits);
}

/// Invariant 22 binds an undo, too.
#[test]
fn v12_holds_what_is_billed_while_a_freeze_lasts() {
    let customer = Image {
        entity: Entity::Customers,
        customer: None,
        fields: vec![wrote(FieldName::Name, Some(Value::text("Old")), Value::text("Office"))],
        ..image("a")
    };
    let mut policy = policy();
    policy.safety.freeze = vec!["1-28".parse().unwrap()];
    policy.frozen = policy.safety.frozen("2026-06-15T12:00".parse().unwrap());
    assert!(policy.frozen.is_some());
    let (changes, outline) = undo(&[image("s1"), customer], &population(1000), &policy);
    assert!(matches!(changes.row("s1").cause(), Cause::Limit { valve: Valve::V12, overridable: true }));
    assert_eq!(changes.row("a").action, Action::Update, "a name is not billed");
    assert!(outline.alerts[0].contains("V12"), "{:?}", outline.alerts);
}

proptest! {
    /// Never more than the job did: whatever it wrote and whatever happened since, a row that acts sets its own fields
    /// to what they held, and only where the record still is as the job left it.
    #[test]
    fn an_undo_never_does_more_than_the_job(
        rows in proptest::collection::vec((0_u32..4, 0_u32..4, 0_u32..4, any::<bool>(), any::<bool>()), 1..12),
    ) {
        let images: Vec<Image> = rows
            .iter()
            .enumerate()
            .map(|(n, (before, after, now, created, active))| {
                let id = format!("s{n}");
                let mut image = if *created { made(&id) } else { image(&id) };
                let quantity = wrote(FieldName::Quantity, (!created).then(|| seats(*before)), seats(*after));
                image.fields.retain(|field| field.name != FieldName::Quantity);
                image.fields.push(quantity);
                let fields = licence_fields("Office", *now).with(FieldName::Status, Value::Active(*active));
                image.found = Some(found(&id, fields));
                image
            })
            .collect();
        let (changes, outline) = undo(&images, &population(1000), &policy());
        prop_assert_eq!(changes.len(), images.len());
        prop_assert_eq!(outline.totals.create + outline.totals.zero + outline.totals.link, 0);
        let by_id: BTreeMap<&SourceId, &Image> = images.iter().map(|image| (&image.source.id, image)).collect();
        for change in changes.iter().filter(|change| change.action.acts()) {
            let image = by_id[&change.source.id];
            let now = image.found.as_ref().unwrap();
            for field in &change.fields {
                if change.action == Action::Deactivate {
                    prop_assert!(image.created && field.name == FieldName::Status);
                    continue;
                }
                let wrote = image.fields.iter().find(|own| own.name == field.name).unwrap();
                prop_assert_eq!(&field.after, &wrote.before);
                prop_assert_eq!(now.fields.get(field.name), wrote.after.as_ref());
            }
        }
    }
}

trait Rows {
    fn row(&self, id: &str) -> Change;
}

impl Rows for Vec<Change> {
    fn row(&self, id: &str) -> Change {
        self.iter().find(|change| change.source.id == s(id)).unwrap().clone()
    }
}
