//! What Halo's records are in Hudu: fields, types, keys, and layouts that cannot take them.

use std::sync::Arc;

use parhelion::api::halo::{Contract, Site, User};
use parhelion::api::hudu::{FieldKind, Layout, LayoutField, RESERVED};
use parhelion::integrations::hudu::{
    Blocked, Form, Known, Sorting, company_key, company_key_of, company_key_text, feeds, field_rules, judge,
    key_label, layout_field, relation, relation_ends, rules, wanted_company,
};
use parhelion::model::asset::{Asset, AssetValue};
use parhelion::model::settings::{Hudu, Wins as Setting};
use parhelion::model::{
    Address, Entity, FieldName, Fields, Found, Integration, MatchKeys, SourceId, TargetId, Value, Verdict,
};
use parhelion::plan::{Removal, Wins};

const ASSETS: [Entity; 4] = [Entity::Sites, Entity::Contracts, Entity::Users, Entity::Assets];

fn layout(fields: &[(&str, FieldKind)]) -> Layout {
    let fields = fields
        .iter()
        .zip(1..)
        .map(|((label, kind), at)| LayoutField {
            id: 100 + at,
            label: Arc::from(*label),
            kind: kind.clone(),
            is_required: false,
            position: at,
            linkable: None,
        })
        .collect();
    Layout { id: 7, name: "Sites".into(), is_active: true, fields }
}

fn full(entity: Entity) -> Layout {
    let fields: Vec<_> = feeds(entity).iter().map(|feed| (feed.label, feed.kind.clone())).collect();
    layout(&fields)
}

fn site() -> Site {
    Site {
        id: 31.into(),
        customer: 12.into(),
        name: "Head Office".into(),
        is_active: true,
        phone: "+44 117 496 0100".into(),
        address: Address { street: "1 Harbour Street".into(), city: "Bristol".into(), ..Address::default() },
    }
}

fn user() -> User {
    User {
        id: 207.into(),
        customer: 12.into(),
        site: Some(31.into()),
        name: "Jo Patel".into(),
        email: "jo@acme.example".into(),
        phone: "".into(),
        mobile: "".into(),
        title: "".into(),
        is_active: true,
        is_service_account: false,
    }
}

fn contract() -> Contract {
    Contract {
        id: 88.into(),
        customer: 12.into(),
        reference: "MS-0012".into(),
        kind: "Managed Service".into(),
        status: "Active".into(),
        is_active: true,
        start: None,
        end: "2028-03-31".parse().ok(),
        changed: None,
    }
}

fn form(entity: Entity, layout: &Layout) -> Form<'_> {
    Form { entity, layout, halo: "https://acme.halopsa.com" }
}

fn own<'a>(fields: &'a Fields, label: &str) -> Option<&'a Value> {
    fields.get(FieldName::own(label))
}

#[test]
fn p67_only_fields_of_the_layout_in_the_type_of_the_layout() {
    let odd = layout(&[
        ("halo site id", FieldKind::Text),
        ("Active", FieldKind::Text),
        ("Address", FieldKind::Text),
        ("Main Phone", FieldKind::Date),
        ("Halo Link", FieldKind::Website),
    ]);
    let wanted = form(Entity::Sites, &odd).site(&site(), Known::default());
    assert_eq!(own(&wanted.fields, "Active"), Some(&Value::text("Yes")));
    assert_eq!(own(&wanted.fields, "Address"), Some(&Value::text("1 Harbour Street, Bristol")));
    assert_eq!(own(&wanted.fields, "Main Phone"), None, "a date field holds no number");
    assert!(wanted.notes.iter().any(|note| note.contains("Main Phone left out")), "{:?}", wanted.notes);
    let link = Value::text("https://acme.halopsa.com/customers?siteid=31");
    assert_eq!(own(&wanted.fields, "Halo Link"), Some(&link));
    let bare = layout(&[("Halo Site ID", FieldKind::Text)]);
    let wanted = form(Entity::Sites, &bare).site(&site(), Known::default());
    assert_eq!(wanted.fields.len(), 2, "its name and its key: {:?}", wanted.fields);
}

#[test]
fn p67_no_field_of_ours_has_a_reserved_name_or_a_label_that_readings_differ_on() {
    for entity in ASSETS {
        assert!(key_label(entity).is_some(), "{entity}");
        for feed in feeds(entity) {
            let key = feed.label.to_lowercase().replace(' ', "_");
            assert!(!RESERVED.contains(&key.as_str()), "{key}");
            assert!(feed.label.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '), "{}", feed.label);
            assert!(!feed.label.contains("  ") && feed.label.trim() == feed.label, "{}", feed.label);
        }
    }
}

#[test]
fn the_key_of_every_record_is_halos_id() {
    let known = Known::default();
    let (sites, people, contracts) = (full(Entity::Sites), full(Entity::Users), full(Entity::Contracts));
    let wanted = [
        (form(Entity::Sites, &sites).site(&site(), known), "Halo Site ID", "31"),
        (form(Entity::Users, &people).user(&user(), |_| true, known), "Halo User ID", "207"),
        (form(Entity::Contracts, &contracts).contract(&contract(), false, known), "Halo Contract ID", "88"),
    ];
    for (wanted, label, id) in wanted {
        assert_eq!(own(&wanted.fields, label), Some(&Value::text(id)));
        assert_eq!((wanted.id.as_str(), wanted.parent.as_ref().map(SourceId::as_str)), (id, Some("12")));
        assert_eq!(wanted.verdict, Verdict::Take);
    }
    assert_eq!(company_key_of(&company_key_text("12")), Some("12"));
    for text in ["12", "HALO-", "HALO-x", "halo-12", ""] {
        assert_eq!(company_key_of(text), None, "{text}");
    }
}

#[test]
fn a_user_keeps_its_site_only_where_that_is_in_hudu() {
    let people = full(Entity::Users);
    let form = form(Entity::Users, &people);
    let with = form.user(&user(), |site| site.as_str() == "31", Known::default());
    assert_eq!(own(&with.fields, "Site"), Some(&Value::Record(Entity::Sites, SourceId::new("31"))));
    let without = form.user(&user(), |_| false, Known::default());
    assert_eq!(own(&without.fields, "Site"), None);
}

#[test]
fn h1_only_active_records_are_made_and_those_that_are_there_go_on() {
    let (sites, people, contracts) = (full(Entity::Sites), full(Entity::Users), full(Entity::Contracts));
    let over = Contract { is_active: false, ..contract() };
    let gone = User { is_active: false, ..user() };
    let scanner = User { is_service_account: true, ..user() };
    let closed = Site { is_active: false, ..site() };
    let linked = Known { is_linked: true, was_archived: false };
    let verdicts = |known: Known| {
        [
            form(Entity::Contracts, &contracts).contract(&over, false, known).verdict,
            form(Entity::Users, &people).user(&gone, |_| true, known).verdict,
            form(Entity::Users, &people).user(&scanner, |_| true, known).verdict,
            form(Entity::Sites, &sites).site(&closed, known).verdict,
        ]
    };
    assert!(verdicts(Known::default()).iter().all(|verdict| matches!(verdict, Verdict::OutOfScope(_))));
    assert!(verdicts(linked).iter().all(|verdict| *verdict == Verdict::Take));
    let all = form(Entity::Contracts, &contracts).contract(&over, true, Known::default());
    assert_eq!(all.verdict, Verdict::Take);
    // What we archived is restored when it is back; what a person archived is not touched.
    let back = Known { is_linked: true, was_archived: true };
    let status =
        |known| form(Entity::Sites, &sites).site(&site(), known).fields.get(FieldName::Status).cloned();
    assert_eq!((status(back), status(linked)), (Some(Value::Active(true)), None));
}

#[test]
fn a_company_has_the_address_of_its_only_site() {
    let customer = Found {
        id: TargetId::new("12"),
        name: "Acme".into(),
        parent: None,
        is_active: true,
        marker: None,
        fields: Fields::new(),
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    };
    let one = site();
    let wanted = wanted_company(&customer, &[&one], "id_number");
    assert_eq!(own(&wanted.fields, "Phone"), Some(&Value::text("+44 117 496 0100")));
    assert_eq!(wanted.fields.get(company_key()), Some(&Value::text("HALO-12")));
    let several = wanted_company(&customer, &[&one, &one], "");
    assert_eq!((own(&several.fields, "Phone"), several.fields.get(company_key())), (None, None));
    let ended = wanted_company(&Found { is_active: false, ..customer }, &[], "id_number");
    assert!(matches!(ended.verdict, Verdict::Ended(_)));
}

#[test]
fn h8_h9_a_layout_that_cannot_take_assets_says_why() {
    let sites = full(Entity::Sites);
    let judged = |layouts: &[Layout]| match judge(Entity::Sites, " sites ", layouts) {
        Ok((_, missing)) => Ok(missing.len()),
        Err((blocked, _)) => Err(blocked),
    };
    assert_eq!(judged(&[]), Err(Blocked::Absent));
    assert_eq!(judged(std::slice::from_ref(&sites)), Ok(0));
    assert_eq!(judged(&[sites.clone(), sites.clone()]), Err(Blocked::Ambiguous));
    assert_eq!(judged(&[Layout { is_active: false, ..sites }]), Err(Blocked::Inactive));
    assert_eq!(judged(&[layout(&[("Main Phone", FieldKind::Phone)])]), Err(Blocked::NoKey));
    let lean = layout(&[("HALO SITE ID", FieldKind::Text)]);
    assert_eq!(judged(&[lean]), Ok(feeds(Entity::Sites).len() - 1));
    for blocked in [Blocked::Absent, Blocked::Ambiguous, Blocked::Inactive, Blocked::NoKey] {
        assert!(blocked.sentence(Entity::Sites, "Sites").contains("'Sites'"));
    }
}

#[test]
fn p49_the_rule_of_a_field_is_its_own_else_the_default_and_keys_follow_halo() {
    let mut settings = Hudu::default();
    let of = |settings: &Hudu, label: &str| rules(settings)[&Entity::Sites].wins(FieldName::own(label));
    assert_eq!(of(&settings, "Main Phone"), Wins::Target, "what a person edits stays");
    settings.conflicts.insert("Main Phone".into(), Setting::Manual);
    settings.conflicts.insert("Halo Site ID".into(), Setting::Hudu);
    settings.conflicts.insert("default".into(), Setting::Halo);
    assert_eq!(of(&settings, "Main Phone"), Wins::Manual);
    assert_eq!(of(&settings, "Address"), Wins::Source);
    assert_eq!(of(&settings, "Halo Site ID"), Wins::Source, "a key is no matter of taste");
    assert_eq!(rules(&settings)[&Entity::Companies].wins(company_key()), Wins::Blank);
    assert!(rules(&settings)[&Entity::Companies].asks_before_create);
    assert_eq!(rules(&settings)[&Entity::Users].removal, Removal::Never);
    settings.archive_deleted = true;
    assert_eq!(rules(&settings)[&Entity::Users].removal, Removal::Deactivate { zero: false });
    assert_eq!(rules(&settings)[&Entity::Companies].removal, Removal::Never);
}

#[test]
fn every_entity_has_its_lines_in_the_fields_pane() {
    let lines = field_rules(&Hudu::default());
    for entity in Integration::Hudu.entities() {
        assert!(lines.iter().any(|line| line.entity == *entity), "{entity}");
    }
}

fn device() -> Asset {
    let value = |id: i64, name: &str, text: &str| AssetValue {
        field: id.into(),
        name: name.into(),
        text: text.into(),
    };
    Asset {
        id: 900.into(),
        tag: "LT-1".into(),
        key_values: Box::new([]),
        asset_type: 130.into(),
        type_name: "Laptop".into(),
        customer: Some(12.into()),
        customer_name: "Acme".into(),
        site: Some(31.into()),
        status: "Active".into(),
        is_active: true,
        fields: Some(Box::new([
            value(1, "serial number", "5CG1"),
            value(2, "Purchase Date", "2024-05-06T00:00:00"),
            value(3, "Leased", "yes"),
            value(4, "RAM", "16 GB"),
            value(5, "Type", "something else"),
            value(6, "Rack", ""),
        ])),
        columns: Box::new([]),
        liongard: None,
        third_party: None,
    }
}

#[test]
fn p66_a_type_is_sorted_into_its_layout_first_by_the_customers_own_rule() {
    let rules = [("Laptop", "Computers"), ("12/laptop", "Acme PCs"), ("default", "Devices"), ("Phone", " ")];
    let rules = rules.map(|(of, layout)| (of.to_owned(), layout.to_owned())).into();
    let sorting = Sorting::new(&rules);
    assert_eq!(sorting.layout("laptop ", "12"), Some("Acme PCs"));
    assert_eq!(sorting.layout("Laptop", "13"), Some("Computers"));
    assert_eq!(sorting.layout("Server", "12"), Some("Devices"));
    assert_eq!(sorting.layout("Phone", "12"), None, "an empty layout leaves the type out");
    assert_eq!(sorting.layouts(), ["Acme PCs", "Devices", "Computers"]);
    assert_eq!(Sorting::default().layout("Laptop", "12"), None);
    let own = [("12/default".to_owned(), "Acme".to_owned())].into();
    assert_eq!(Sorting::new(&own).layout("Laptop", "12"), Some("Acme"));
    assert_eq!(Sorting::new(&own).layout("Laptop", "13"), None);
}

#[test]
fn p67_an_asset_gives_what_its_layout_asks_for_by_name_in_the_type_of_the_layout() {
    let asked = layout(&[
        ("Halo Asset ID", FieldKind::Text),
        ("Type", FieldKind::Text),
        ("Serial Number", FieldKind::Text),
        ("Purchase Date", FieldKind::Date),
        ("Leased", FieldKind::CheckBox),
        ("RAM", FieldKind::Number),
        ("Rack", FieldKind::Text),
    ]);
    let wanted = form(Entity::Assets, &asked).halo_asset(&device(), |_| false, Known::default());
    assert_eq!(own(&wanted.fields, "Halo Asset ID"), Some(&Value::text("900")));
    assert_eq!(
        own(&wanted.fields, "Type"),
        Some(&Value::text("Laptop")),
        "its type, not a field of that name"
    );
    assert_eq!(own(&wanted.fields, "Serial Number"), Some(&Value::text("5CG1")));
    assert_eq!(own(&wanted.fields, "Purchase Date"), "2024-05-06".parse().ok().map(Value::Date).as_ref());
    assert_eq!(own(&wanted.fields, "Leased"), Some(&Value::Flag(true)));
    assert_eq!(own(&wanted.fields, "Rack"), None, "what is blank is never written");
    assert!(wanted.notes.iter().any(|note| note.contains("RAM left out")), "{:?}", wanted.notes);
    assert_eq!(wanted.fields.get(layout_field()), Some(&Value::text("Sites")));
    let inactive = Asset { is_active: false, ..device() };
    let form = form(Entity::Assets, &asked);
    let verdict = |known| form.halo_asset(&inactive, |_| false, known).verdict;
    assert!(matches!(verdict(Known::default()), Verdict::OutOfScope(_)));
    assert_eq!(verdict(Known { is_linked: true, was_archived: false }), Verdict::Take);
}

#[test]
fn a_relation_needs_both_its_ends_in_hudu() {
    let made = relation(&user(), true, |_| true).expect("both are there");
    let ends = relation_ends(&made.id).expect("two ends");
    assert_eq!((ends.0.as_str(), ends.1.as_str()), ("207", "31"));
    assert_eq!(made.parent, Some(SourceId::from(12)));
    assert!(relation(&user(), false, |_| true).is_none());
    assert!(relation(&user(), true, |_| false).is_none());
    assert!(relation(&User { is_active: false, ..user() }, true, |_| true).is_none());
    assert!(relation_ends(&SourceId::new("207")).is_none());
}
