//! Assets: the outcome matrix of the mission table, section 11, and the edge cases of L9 to L18.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parhelion::integrations::liongard::rules;
use parhelion::model::asset::{FieldKind, ID_FIELD, TYPE_FIELD};
use parhelion::model::link::Removed;
use parhelion::model::settings::{Liongard, Safety};
use parhelion::model::{
    Entity, FieldName, Fields, Found, How, Installation, Integration, Link, MatchKeys, Moment, Packed,
    SourceId, Value, Verdict, Wanted,
};
use parhelion::plan::snapshot::{KindOfRecord, Kinds, Lines, Mappings, Parking, Reading, Snapshot};
use parhelion::plan::{self, Absence, Action, Cause, Change, Completeness, Last, Policy};

use crate::world::{s, t};

/// One mapped environment `e` (Halo customer 1), another customer 2, type Laptop; assets matched by serial.
struct Assets {
    wanted: Vec<Wanted>,
    found: Vec<Found>,
    snapshot: Snapshot,
    lines: Lines,
    mappings: Mappings,
    links: BTreeMap<SourceId, Link>,
    settings: Liongard,
    scheduled: bool,
}

fn os() -> FieldName {
    FieldName::own("Operating System")
}

fn link(target: &str, parent: Option<&str>) -> Link {
    Link {
        target: t(target),
        parent: parent.map(s),
        source_name: "PC".into(),
        target_name: "PC".into(),
        how: How::Created,
        since: Moment::UNIX_EPOCH,
        base: None,
        removed: None,
        site: None,
    }
}

fn customer(id: &str) -> Found {
    Found {
        id: t(id),
        name: format!("Customer {id}").into(),
        parent: None,
        is_active: true,
        marker: None,
        fields: Fields::new(),
        keys: MatchKeys::default(),
        currency: None,
        main_site: None,
    }
}

fn key(serial: &str) -> MatchKeys {
    MatchKeys { own: (!serial.is_empty()).then(|| serial.into()), ..MatchKeys::default() }
}

impl Assets {
    fn new() -> Self {
        let environment = Wanted {
            id: s("e"),
            name: "Environment".into(),
            parent: None,
            verdict: Verdict::Take,
            fields: Fields::new(),
            keys: MatchKeys::default(),
            currency: None,
            notes: Vec::new(),
        };
        let laptop = KindOfRecord { id: t("130"), name: "Laptop".into(), fields: BTreeSet::from([os()]) };
        let kinds = Kinds {
            types: BTreeMap::from([("laptop".to_owned(), laptop)]),
            group: Some(Ok((t("3"), "Computers".into()))),
            most_new: 20,
            mapped: vec![os()],
            ..Kinds::default()
        };
        let lines = Lines {
            read: Reading::Whole(Completeness::default()),
            parking: Parking::Missing("default_site is not set".into()),
            kinds: Some(kinds),
            ..Lines::default()
        };
        let snapshot = Snapshot {
            customers: vec![environment],
            partners: vec![customer("1"), customer("2")],
            ..Snapshot::default()
        };
        let mappings =
            Mappings { customers: BTreeMap::from([(s("e"), link("1", None))]), ..Mappings::default() };
        let settings = Liongard { deactivate_deleted: true, ..Liongard::default() };
        let (wanted, found) = (Vec::new(), Vec::new());
        Self { snapshot, wanted, found, lines, mappings, links: BTreeMap::new(), settings, scheduled: false }
    }

    /// A system with a serial, of the mapped environment unless told otherwise.
    fn system(&mut self, id: &str, serial: &str) -> &mut Wanted {
        let fields = Fields::new()
            .with(FieldName::Name, Value::text("PC"))
            .with(os(), Value::text("Windows 11"))
            .with(FieldName::own(TYPE_FIELD), Value::text("Laptop"))
            .with(FieldName::own(ID_FIELD), Value::text(id));
        self.wanted.push(Wanted {
            id: s(id),
            name: Arc::from("PC"),
            parent: Some(s("e")),
            verdict: Verdict::Take,
            fields,
            keys: key(serial),
            currency: None,
            notes: Vec::new(),
        });
        self.wanted.sort_by(|a, b| a.id.cmp(&b.id));
        self.wanted.iter_mut().find(|one| one.id == s(id)).unwrap()
    }

    fn asset(&mut self, id: &str, customer: &str, serial: &str) -> &mut Found {
        let fields = Fields::new()
            .with(os(), Value::text("Windows 10"))
            .with(FieldName::own(TYPE_FIELD), Value::text("Laptop"));
        self.found.push(Found {
            id: t(id),
            name: Arc::from("PC"),
            parent: Some(t(customer)),
            is_active: true,
            marker: None,
            fields,
            keys: key(serial),
            currency: None,
            main_site: None,
        });
        self.found.sort_by(|a, b| a.id.cmp(&b.id));
        self.found.iter_mut().find(|one| one.id == t(id)).unwrap()
    }

    fn stored(&mut self, system: &str, asset: &str) -> &mut Link {
        self.links.insert(s(system), link(asset, Some("e")));
        self.links.get_mut(&s(system)).unwrap()
    }

    fn parked(&mut self) {
        self.lines.parking = Parking::At { customer: t("2"), site: t("9"), name: "Unassigned".into() };
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy {
            integration: Integration::Liongard,
            account: "us1.app.liongard.com".into(),
            installation: Installation::from_random([7; 8]),
            rules: rules(&self.settings),
            safety: Safety::default(),
            entities: Integration::Liongard.entities().to_vec(),
            scheduled: self.scheduled,
            allow_removals: false,
            frozen: None,
            now: Moment::UNIX_EPOCH,
            today: "2026-06-15".parse().unwrap(),
            released: BTreeMap::new(),
            approved_once: Entity::ALL.into(),
            last: Last::default(),
        };
        policy.last.scope = Some(plan::scope(&policy));
        policy
    }

    fn changes(&self) -> Vec<Change> {
        let mut snapshot = self.snapshot.clone();
        let lines = Lines {
            wanted: self.wanted.iter().map(Packed::new).collect(),
            found: self.found.iter().map(Packed::new).collect(),
            ..self.lines.clone()
        };
        snapshot.lines.insert(Entity::Assets, lines);
        let links = |entity| if entity == Entity::Assets { self.links.clone() } else { BTreeMap::new() };
        plan::build(&snapshot, &self.mappings, links, &self.policy()).rows.into_changes().collect()
    }

    fn row(&self, id: &str) -> Change {
        let all = self.changes();
        let mut of =
            all.into_iter().filter(|change| change.entity == Entity::Assets && change.source.id == s(id));
        let one = of.next().unwrap();
        assert!(of.next().is_none(), "one row a system");
        one
    }
}

fn says(change: &Change, text: &str) -> bool {
    change.reasons.iter().any(|reason| reason.contains(text))
}

fn written(change: &Change, name: FieldName) -> Option<String> {
    change.fields.iter().find(|field| field.name == name)?.after.as_ref().map(ToString::to_string)
}

#[test]
fn matrix_1_l14_stored_id_and_environment_mapped_updates_it() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    let row = a.row("1");
    assert_eq!((row.action, row.target.as_ref().unwrap().id.clone()), (Action::Update, t("640")));
    assert_eq!(written(&row, os()).as_deref(), Some("Windows 11"));
    assert_eq!(row.fields.len(), 1, "neither name, type nor id follow: {:?}", row.fields);
}

#[test]
fn matrix_2_l14_stored_id_with_another_assets_matching_field_updates_the_ids_asset_and_warns() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S0");
    a.asset("641", "1", "S1");
    a.stored("1", "640");
    let row = a.row("1");
    assert_eq!((row.action, row.target.as_ref().unwrap().id.clone()), (Action::Update, t("640")));
    assert!(says(&row, "641") && says(&row, "L14"), "{:?}", row.reasons);
}

#[test]
fn matrix_3_l13_one_hit_at_the_same_customer_is_adopted_with_its_id() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S1");
    let row = a.row("1");
    assert_eq!((row.action, row.target.as_ref().unwrap().id.clone()), (Action::Link, t("640")));
    assert_eq!(written(&row, FieldName::own(ID_FIELD)).as_deref(), Some("1"), "the id is stored");
    assert_eq!(written(&row, os()).as_deref(), Some("Windows 11"));
}

#[test]
fn matrix_4_l13_two_hits_are_held() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S1");
    a.asset("641", "2", "S1");
    let row = a.row("1");
    let Cause::Ambiguous { candidates } = row.hold.unwrap().cause else { panic!() };
    assert_eq!((row.action, candidates.len()), (Action::Held, 2));
}

#[test]
fn matrix_5_l13_a_hit_at_another_customer_is_held_and_both_are_shown() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "2", "S1");
    let row = a.row("1");
    assert_eq!(row.action, Action::Held);
    assert!(says(&row, "customer 2, not 1"), "{:?}", row.reasons);
}

#[test]
fn matrix_6_l8_no_hit_is_created_under_the_mapped_customer() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S2");
    let row = a.row("1");
    assert_eq!(
        (row.action, row.customer_target.clone(), row.site.clone()),
        (Action::Create, Some(t("1")), None)
    );
    assert_eq!(written(&row, FieldName::own(TYPE_FIELD)).as_deref(), Some("Laptop"));
}

#[test]
fn matrix_7_l9_no_hit_and_no_mapping_goes_to_the_default_site_or_waits_for_one() {
    for parent in [None, Some(s("x"))] {
        let mut a = Assets::new();
        a.system("1", "S1").parent = parent;
        let row = a.row("1");
        assert_eq!(row.action, Action::Held);
        assert!(
            says(&row, "default_site is not set")
                && matches!(row.hold.as_ref().unwrap().cause, Cause::Missing)
        );
        a.parked();
        let row = a.row("1");
        assert_eq!(
            (row.action, row.customer_target.clone(), row.site.clone()),
            (Action::Create, Some(t("2")), Some(t("9")))
        );
    }
}

#[test]
fn l9_nothing_is_parked_while_it_is_not_known_whether_the_environment_is_mapped() {
    let short = || Completeness(Err("6 announced, 5 received".into()));
    let spoil: [fn(&mut Snapshot, Completeness); 2] = [
        |at, why| at.partners_complete = why,
        |at, why| {
            at.customers_complete = why;
            at.customers.clear();
        },
    ];
    for spoil in spoil {
        let mut a = Assets::new();
        a.parked();
        a.mappings.customers.clear();
        a.snapshot.partners.retain(|one| one.id == t("2"));
        a.system("1", "S1");
        assert_eq!(a.row("1").after_row, Some(1), "it waits for its customer");
        spoil(&mut a.snapshot, short());
        let row = a.row("1");
        assert_eq!(row.action, Action::Held, "{:?}", row.reasons);
        assert!(matches!(row.hold.as_ref().unwrap().cause, Cause::Unproven), "{:?}", row.hold);
        assert!(says(&row, "6 announced, 5 received") || says(&row, "row 1"), "{:?}", row.reasons);
        // One that is there already stays where it is.
        a.asset("640", "2", "S1");
        a.stored("1", "640");
        assert_eq!(a.row("1").action, Action::Update);
    }
}

#[test]
fn l9_l14_a_stored_id_counts_whether_or_not_its_environment_is_mapped_and_the_default_site_is_for_new_assets()
{
    for (parent, active, parked) in
        [(None, true, false), (Some(s("x")), true, false), (Some(s("x")), false, true), (None, false, true)]
    {
        let mut a = Assets::new();
        if parked {
            a.parked();
        }
        a.system("1", "S1").parent = parent.clone();
        a.asset("640", "1", "S1").is_active = active;
        a.asset("641", "2", "S1");
        a.stored("1", "640").parent = parent;
        let row = a.row("1");
        assert_eq!(
            (row.action, row.target.clone().unwrap().id),
            (Action::Update, t("640")),
            "{:?}",
            row.reasons
        );
        assert_eq!(
            (row.customer_target.clone(), row.site.clone()),
            (Some(t("1")), None),
            "it stays where it is"
        );
        assert_eq!(written(&row, FieldName::Status), None);
        assert!(says(&row, "641"), "the other hit is said: {:?}", row.reasons);
    }
}

#[test]
fn matrix_8_l14_an_inactive_asset_is_updated_and_stays_inactive() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S1").is_active = false;
    a.stored("1", "640");
    let row = a.row("1");
    assert_eq!(row.action, Action::Update);
    assert_eq!(written(&row, FieldName::Status), None);
    assert!(says(&row, "stays so (L14)"), "{:?}", row.reasons);
}

/// A link without a system, and enough others that no limit matters.
fn gone() -> Assets {
    let mut a = Assets::new();
    a.scheduled = true;
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    a.lines.absences.insert(s("1"), Absence::Confirmed);
    a
}

#[test]
fn matrix_9_l18_a_system_that_is_gone_makes_its_asset_inactive_in_a_scheduled_run() {
    let row = gone().row("1");
    assert_eq!(row.action, Action::Deactivate);
    assert_eq!(written(&row, FieldName::Status).as_deref(), Some("inactive"));
}

#[test]
fn matrix_10_l18_without_the_option_or_the_proof_nothing_happens_and_it_is_listed() {
    let mut a = gone();
    a.settings.deactivate_deleted = false;
    assert_eq!(a.row("1").action, Action::Skipped);
    let mut a = gone();
    a.lines.read = Reading::Whole(Completeness(Err("cut off".into())));
    assert!(!a.changes().iter().any(|row| row.action.is_removal()));
    let mut a = gone();
    a.lines.absences.insert(s("1"), Absence::Unconfirmed("still there".into()));
    assert_eq!(a.row("1").action, Action::Held);
    let mut a = gone();
    a.scheduled = false;
    let row = a.row("1");
    assert_eq!(row.action, Action::Skipped);
    assert!(says(&row, "a manual import never does"), "{:?}", row.reasons);
    let mut a = gone();
    a.snapshot.customers.clear();
    assert!(!a.changes().iter().any(|row| row.action.is_removal()), "its environment is not listed either");
}

#[test]
fn l18_a_system_that_moved_to_another_environment_is_not_a_removal_and_its_asset_is_not_moved() {
    let mut a = Assets::new();
    a.scheduled = true;
    let mut other = a.snapshot.customers[0].clone();
    other.id = s("f");
    a.snapshot.customers.push(other);
    a.mappings.customers.insert(s("f"), link("2", None));
    a.system("1", "S1").parent = Some(s("f"));
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    let row = a.row("1");
    assert_eq!((row.action, row.target.as_ref().unwrap().id.clone()), (Action::Update, t("640")));
    assert!(says(&row, "never moved unasked"), "{:?}", row.reasons);
}

#[test]
fn l18_what_we_made_inactive_is_active_again_when_it_returns_and_nothing_else_is() {
    for (ours, after) in [(true, Some("active")), (false, None)] {
        let mut a = Assets::new();
        a.system("1", "S1");
        a.asset("640", "1", "S1").is_active = false;
        let link = a.stored("1", "640");
        link.base = Some(Fields::new().with(os(), Value::text("Windows 10")));
        link.removed = ours.then_some(Removed { at: Moment::UNIX_EPOCH, zeroed: false, deactivated: true });
        assert_eq!(written(&a.row("1"), FieldName::Status).as_deref(), after);
    }
}

#[test]
fn l13_systems_without_a_telling_serial_match_nothing_and_are_created() {
    let mut a = Assets::new();
    a.system("1", "");
    a.system("2", "");
    a.asset("640", "1", "");
    assert_eq!((a.row("1").action, a.row("2").action), (Action::Create, Action::Create));
}

#[test]
fn l13_two_systems_with_one_serial_are_held_and_so_is_one_whose_asset_is_anothers() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.system("2", "S1");
    assert_eq!((a.row("1").action, a.row("2").action), (Action::Held, Action::Held));
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    assert_eq!(a.row("1").action, Action::Update);
    let row = a.row("2");
    assert_eq!(row.action, Action::Held);
    assert!(says(&row, "belongs to another asset"), "{:?}", row.reasons);
}

#[test]
fn p15_an_incomplete_list_of_assets_creates_none() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.lines.found_complete = Completeness(Err("page 3 failed".into()));
    let row = a.row("1");
    assert!(row.action == Action::Held && matches!(row.hold.unwrap().cause, Cause::Unproven));
}

#[test]
fn p15_a_system_that_was_not_wholly_read_is_found_by_its_id_alone_and_never_created() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.system("2", "S2");
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    a.lines.unsure = BTreeMap::from([(s("1"), "no answer".into()), (s("2"), "no answer".into())]);
    assert_eq!(a.row("1").action, Action::Update);
    let row = a.row("2");
    assert!(says(&row, "no answer"), "{:?}", row.reasons);
    assert!(row.action == Action::Held && matches!(row.hold.unwrap().cause, Cause::Unproven));
}

#[test]
fn l14_an_asset_that_carries_the_id_is_found_when_the_link_is_lost() {
    let mut a = Assets::new();
    a.system("1", "S1");
    let policy = a.policy();
    let mark = parhelion::model::marker::marker(
        &policy.installation,
        policy.integration,
        &policy.account,
        Entity::Assets,
        &s("1"),
    );
    a.asset("640", "1", "S9").marker = Some(mark.into());
    a.asset("641", "1", "S1");
    let row = a.row("1");
    assert_eq!((row.action, row.target.unwrap().id), (Action::Link, t("640")), "the stored id comes first");
}

fn of_kind(a: &Assets, entity: Entity) -> Vec<Change> {
    a.changes().into_iter().filter(|change| change.entity == entity).collect()
}

#[test]
fn l11_an_unknown_type_is_made_once_before_its_assets_whatever_its_case() {
    let mut a = Assets::new();
    for (id, name) in [("1", "Server"), ("2", "server "), ("3", "LAPTOP")] {
        a.system(id, id).fields.set(FieldName::own(TYPE_FIELD), Value::text(name));
    }
    let rows = a.changes();
    let types: Vec<&Change> = rows.iter().filter(|row| row.entity == Entity::AssetTypes).collect();
    let [made] = types.as_slice() else { panic!("{types:?}") };
    assert_eq!((made.action, made.source.id.clone()), (Action::Create, s("server")));
    assert_eq!(written(made, FieldName::own("Group")).as_deref(), Some("Computers"));
    assert!(made.row < a.row("1").row && rows.windows(2).all(|pair| pair[0].row < pair[1].row));
}

#[test]
fn l11_l12_too_many_new_types_or_no_group_for_them_hold_them_and_their_assets() {
    let mut a = Assets::new();
    for id in ["1", "2", "3"] {
        a.system(id, id).fields.set(FieldName::own(TYPE_FIELD), Value::text(format!("Type {id}")));
    }
    a.lines.kinds.as_mut().unwrap().most_new = 2;
    assert!(of_kind(&a, Entity::AssetTypes).iter().all(|row| row.action == Action::Held));
    let row = a.row("1");
    assert!(row.action == Action::Held && says(&row, "waits"), "{:?}", row.reasons);
    let kinds = a.lines.kinds.as_mut().unwrap();
    (kinds.most_new, kinds.group) = (20, None);
    let row = &of_kind(&a, Entity::AssetTypes)[0];
    assert!(row.action == Action::Held && says(row, "L12"), "{:?}", row.reasons);
}

#[test]
fn l16_a_field_that_is_to_be_made_is_made_once_and_given_to_the_types_concerned() {
    let mut a = Assets::new();
    let ram = FieldName::own("RAM");
    let kinds = a.lines.kinds.as_mut().unwrap();
    kinds.new_fields = vec![(ram, FieldKind::Number)];
    kinds.given = BTreeSet::from([ram]);
    kinds.mapped.push(ram);
    for id in ["1", "2"] {
        a.system(id, id).fields.set(ram, Value::text("16"));
        a.asset(&format!("64{id}"), "1", id);
        a.stored(id, &format!("64{id}"));
    }
    let fields = of_kind(&a, Entity::AssetFields);
    assert_eq!(fields.len(), 1);
    assert_eq!(written(&fields[0], FieldName::own("Kind")).as_deref(), Some("number"));
    let types = of_kind(&a, Entity::AssetTypes);
    assert_eq!((types.len(), types[0].action), (1, Action::Update), "the type that lacks it gets it");
    assert_eq!(written(&a.row("1"), ram).as_deref(), Some("16"));
}

#[test]
fn l15_a_field_that_the_type_does_not_have_is_not_written_and_that_is_said() {
    let mut a = Assets::new();
    let rack = FieldName::own("Rack");
    a.lines.kinds.as_mut().unwrap().mapped.push(rack);
    a.system("1", "S1").fields.set(rack, Value::text("R2"));
    let row = a.row("1");
    assert_eq!(written(&row, rack), None);
    assert!(says(&row, "Rack is not a field of the type Laptop"), "{:?}", row.reasons);
}

#[test]
fn l15_a_field_that_only_fills_leaves_what_halo_has() {
    let mut a = Assets::new();
    a.lines.kinds.as_mut().unwrap().filled = BTreeSet::from([os()]);
    a.system("1", "S1");
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    assert_eq!(a.row("1").action, Action::Unchanged);
    a.found[0].fields.remove(os());
    assert_eq!(written(&a.row("1"), os()).as_deref(), Some("Windows 11"));
}

#[test]
fn a_second_plan_has_nothing_to_do() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.asset("640", "1", "S1").fields.set(os(), Value::text("Windows 11"));
    a.stored("1", "640");
    assert_eq!(a.row("1").action, Action::Unchanged);
    assert_eq!(a.changes().iter().filter(|row| row.action.acts()).count(), 0);
}

#[test]
fn l5_the_guides_example_is_a_look_alike_until_it_is_mapped() {
    let mut a = Assets::new();
    a.mappings.customers.clear();
    a.snapshot.customers[0].name = "HaloPSA".into();
    a.snapshot.customers[0].fields = Fields::new().with(FieldName::Name, Value::text("HaloPSA"));
    a.snapshot.partners[0].name = "HaloPSA Ltd".into();
    let row = a.changes().into_iter().find(|row| row.entity == Entity::Customers).unwrap();
    assert_eq!(row.action, Action::Held);
    assert!(says(&row, "HaloPSA Ltd"), "{:?}", row.reasons);
    a.mappings.customers.insert(s("e"), link("1", None));
    assert!(!a.changes().iter().any(|row| row.entity == Entity::Customers && row.action.acts()), "L5");
}

#[test]
fn p22_values_that_say_nothing_match_nothing_whatever_their_case_and_spaces_and_users_add_to_them() {
    use parhelion::integrations::field_mapping::Targets;
    use parhelion::integrations::liongard::Mapping;
    let built_in = [
        "To Be Filled By O.E.M.",
        " to be filled by o.e.m. ",
        "System Serial Number",
        "Default string",
        "N/A",
        "none",
        "Not Applicable",
        "0123456789",
        "0",
        "0000000",
        "XXXXXXXX",
        "",
        "   ",
    ];
    let bare = Mapping::new(&Liongard::default(), &Targets::default());
    for text in built_in {
        assert_eq!(bare.matching_form(text), None, "'{text}' matched");
    }
    assert_eq!(
        bare.matching_form(" syn7q42 "),
        bare.matching_form("SYN7Q42"),
        "case and spaces do not count"
    );
    assert!(bare.matching_form("VM-0001").is_some());
    let own = Liongard { placeholder_values: vec!["vm-0001".into()], ..Liongard::default() };
    let own = Mapping::new(&own, &Targets::default());
    assert_eq!(own.matching_form(" VM-0001"), None);
    assert_eq!(own.matching_form("Default String"), None, "the list is added to, never replaced");
}

#[test]
fn p23_every_row_says_which_rung_of_the_ladder_it_stands_on() {
    let mut a = Assets::new();
    a.system("1", "S1");
    a.system("2", "S2");
    a.system("3", "S3");
    a.asset("640", "1", "S2");
    a.asset("641", "1", "S9");
    a.stored("1", "641");
    assert!(says(&a.row("2"), "the asset with the same value of the matching field (L13)"));
    assert!(says(&a.row("3"), "not in Halo yet"));
    assert_eq!(a.row("1").target.unwrap().id, t("641"), "the stored id, whatever the serial says");
}

#[test]
fn bad_input_an_asset_of_a_thousand_fields_changes_the_one_that_differs() {
    let mut a = Assets::new();
    let field = |n: usize| FieldName::own(&format!("Field {n:04}"));
    let wanted = a.system("1", "S1");
    for n in 0..1000 {
        wanted.fields.set(field(n), Value::text(format!("value {n}")));
    }
    let kinds = a.lines.kinds.as_mut().unwrap();
    kinds.mapped.extend((0..1000).map(field));
    let laptop = kinds.types.get_mut("laptop").unwrap();
    laptop.fields.extend((0..1000).map(field));
    let created = a.row("1");
    assert_eq!((created.action, created.fields.len()), (Action::Create, 1000 + 4));
    let asset = a.asset("640", "1", "S1");
    asset.fields.set(os(), Value::text("Windows 11"));
    for n in 0..1000 {
        asset.fields.set(field(n), Value::text(format!("value {n}")));
    }
    a.stored("1", "640");
    assert_eq!(a.row("1").action, Action::Unchanged);
    a.found[0].fields.set(field(777), Value::text("other"));
    let row = a.row("1");
    let names: Vec<&str> = row.fields.iter().map(|f| f.name.key()).collect();
    assert_eq!(names, ["Field 0777"]);
}

#[test]
fn l9_what_was_parked_is_offered_for_moving_once_its_environment_is_mapped() {
    let mut a = Assets::new();
    a.parked();
    a.system("1", "S1");
    a.asset("640", "2", "S1").main_site = Some(t("9"));
    a.stored("1", "640");
    let row = a.row("1");
    assert_eq!(row.target.as_ref().unwrap().id, t("640"));
    assert!(says(&row, "mapped to 1") && says(&row, "never moved unasked"), "{:?}", row.reasons);
    assert!(row.site.is_none() && written(&row, FieldName::own("Site")).is_none());
}

#[test]
fn l1_a_system_without_an_environment_goes_to_the_default_site_or_waits() {
    let mut a = Assets::new();
    a.system("1", "S1").parent = None;
    let row = a.row("1");
    assert!(row.action == Action::Held && says(&row, "default_site"), "{:?}", row.reasons);
    a.parked();
    let row = a.row("1");
    assert_eq!((row.action, row.site.clone()), (Action::Create, Some(t("9"))));
    // One that is there already stays where it is.
    a.asset("640", "1", "S1");
    a.stored("1", "640");
    assert!(a.row("1").site.is_none());
}

#[test]
fn l10_the_type_is_found_by_its_name_whatever_its_case_and_outer_spaces() {
    for name in ["Laptop", "laptop", " LAPTOP "] {
        let mut a = Assets::new();
        a.system("1", "S1").fields.set(FieldName::own(TYPE_FIELD), Value::text(name));
        assert!(of_kind(&a, Entity::AssetTypes).is_empty(), "{name} is no new type");
        assert_eq!(a.row("1").action, Action::Create);
    }
}

#[test]
fn l12_a_type_that_is_there_stays_in_its_group() {
    let mut a = Assets::new();
    let ram = FieldName::own("RAM");
    let kinds = a.lines.kinds.as_mut().unwrap();
    kinds.given = BTreeSet::from([ram]);
    kinds.mapped.push(ram);
    a.system("1", "S1").fields.set(ram, Value::text("16"));
    let types = of_kind(&a, Entity::AssetTypes);
    let [widened] = types.as_slice() else { panic!("{types:?}") };
    assert_eq!(widened.action, Action::Update);
    assert_eq!(written(widened, FieldName::own("Group")), None, "only its fields change");
}

#[test]
fn l12_a_group_that_halo_does_not_have_holds_the_new_types() {
    let mut a = Assets::new();
    a.system("1", "S1").fields.set(FieldName::own(TYPE_FIELD), Value::text("Server"));
    a.lines.kinds.as_mut().unwrap().group = Some(Err("Halo has no asset group 'Nowhere' (L12)".into()));
    let rows = of_kind(&a, Entity::AssetTypes);
    assert!(rows[0].action == Action::Held && says(&rows[0], "no asset group 'Nowhere'"));
    assert_eq!(a.row("1").action, Action::Held);
}

#[test]
fn l18_the_same_guards_as_for_subscriptions_hold_the_removals_of_assets() {
    let mut a = Assets::new();
    a.scheduled = true;
    for n in 0..40 {
        let (id, asset) = (format!("9{n:02}"), format!("64{n:02}"));
        a.asset(&asset, "1", &id);
        a.stored(&id, &asset);
        a.lines.absences.insert(s(&id), Absence::Confirmed);
    }
    // One that stays, so that the list is not empty (V2) and the customer keeps something (V3).
    a.system("1", "S1");
    a.asset("600", "1", "S1");
    a.stored("1", "600");
    let gone = |rows: &[Change]| rows.iter().filter(|row| row.action == Action::Deactivate).count();
    let held: Vec<Change> = a
        .changes()
        .into_iter()
        .filter(|row| row.entity == Entity::Assets && row.action == Action::Held)
        .collect();
    assert_eq!((gone(&a.changes()), held.len()), (0, 40), "40 of 41 are over the limit (V1)");
    assert!(held.iter().all(|row| matches!(&row.hold.as_ref().unwrap().cause, Cause::Limit { .. })));
}

#[test]
fn l16_a_new_type_gets_only_fields_that_are_there_or_made_with_it() {
    let mut a = Assets::new();
    let (ram, user) = (FieldName::own("RAM"), FieldName::own("Last User"));
    let kinds = a.lines.kinds.as_mut().unwrap();
    kinds.new_fields = vec![(ram, FieldKind::Number), (user, FieldKind::Text)];
    kinds.given = BTreeSet::from([ram, user]);
    kinds.mapped.extend([ram, user]);
    let system = a.system("1", "S1");
    system.fields.set(FieldName::own(TYPE_FIELD), Value::text("Server"));
    system.fields.set(ram, Value::text("16"));
    // Nobody has a value for the other one: it is not made, and the new type must not ask for it.
    let names: Vec<String> =
        of_kind(&a, Entity::AssetFields).iter().map(|row| row.source.name.to_string()).collect();
    assert_eq!(names, ["RAM"]);
    let made = &of_kind(&a, Entity::AssetTypes)[0];
    let gets: Vec<&str> = made.fields.iter().map(|field| field.name.key()).collect();
    assert!(gets.iter().any(|name| name.contains("RAM")), "{gets:?}");
    assert!(!gets.iter().any(|name| name.contains("Last User")), "{gets:?}");
}
