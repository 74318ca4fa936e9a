use crate::world::*;
use parhelion::model::{Address, ChosenSite, Decision, Entity, FieldName, Installation, Value, Verdict};
use parhelion::plan::snapshot::Completeness;
use parhelion::plan::{Action, Cause, LookAlike, Mark, TopLevel};

#[test]
fn k7_a_customer_nobody_knows_is_created_with_its_address() {
    let mut w = World::new();
    w.company("a", "Alder Ltd").fields.set(FieldName::MainSiteAddress, address("1 Row", "Leeds", "", "L1"));
    w.snapshot.top_level = TopLevel::Known { id: t("12"), name: "Customers".into() };
    let row = w.row("a");
    assert_eq!(row.action, Action::Create);
    assert_eq!(row.reasons[0].as_ref(), "not mapped");
    let names: Vec<FieldName> = row.fields.iter().map(|f| f.name).collect();
    assert_eq!(names, [FieldName::Name, FieldName::TopLevel, FieldName::MainSiteAddress]);
    assert_eq!(row.top_level, Some(t("12")));
    assert_eq!(row.after(FieldName::TopLevel), Some(Value::text("Customers")));
}

#[test]
fn k8_a_top_level_that_is_gone_holds_creates_and_nothing_else() {
    let mut w = World::new();
    w.company("a", "Alder Ltd");
    w.company("b", "Birch Ltd");
    w.halo("2", "Birch Ltd");
    w.snapshot.top_level = TopLevel::Gone { name: "Old".into() };
    assert_eq!(w.row("a").cause(), Cause::Missing);
    assert!(w.row("a").why().contains("'Old'"));
    assert_eq!(w.row("b").action, Action::Link);
}

#[test]
fn k7_exactly_one_of_the_same_name_is_linked() {
    let mut w = World::new();
    w.company("a", "Alder Ltd");
    w.halo("1", " Alder Ltd");
    let row = w.row("a");
    assert_eq!((row.action, row.target.unwrap().id), (Action::Link, t("1")));
    assert!(row.fields.is_empty());
}

#[test]
fn d28_ambiguous_inactive_and_taken_names_are_held() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.halo("1", "Alder");
    w.halo("2", "Alder");
    w.company("b", "Birch");
    w.halo("3", "Birch").is_active = false;
    w.company("c", "Cedar");
    w.company("d", "Cedar");
    w.halo("4", "Cedar");
    w.company("e", "Elm");
    w.company("f", "Fir");
    w.halo("5", "Elm");
    w.map("f", "5");
    let plan = w.plan();
    for id in ["a", "c", "d", "e"] {
        assert!(matches!(plan.row(id).cause(), Cause::Ambiguous { .. }), "{id}");
    }
    assert!(matches!(plan.row("b").cause(), Cause::LookAlike { .. }));
    assert_eq!(plan.outline.totals.acting(), 0);
}

#[test]
fn d28_normal_form_vat_and_domain_make_look_alikes() {
    let mut w = World::new();
    w.company("a", "ALDER & Finch Ltd");
    w.halo("1", "Alder and Finch Limited");
    w.company("b", "Birch").keys.vat = Some("GB 123 456 789".into());
    w.halo("2", "Something").keys.vat = Some("gb123456789".into());
    w.company("c", "Cedar").keys.domains = vec!["cedar.example".into()];
    w.halo("3", "Else").keys.domains = vec!["Cedar.example".into()];
    w.company("d", "Fir").keys.domains = vec!["gmail.com".into()];
    w.halo("4", "Pine").keys.domains = vec!["gmail.com".into()];
    w.company("e", "Depot 1");
    w.halo("5", "Depot 2");
    let plan = w.plan();
    for (id, target) in [("a", "1"), ("b", "2"), ("c", "3")] {
        let Cause::LookAlike { candidates } = plan.row(id).cause() else { panic!("{id}") };
        assert_eq!(candidates[0].target, t(target));
    }
    assert_eq!(plan.row("d").action, Action::Create, "everybody's domain says nothing");
    assert_eq!(plan.row("e").action, Action::Create, "digits count");
}

#[test]
fn d28_really_new_is_created_in_spite_of_look_alikes() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.halo("1", "ALDER Ltd");
    w.mappings.decisions.insert(s("a"), Decision::New);
    assert_eq!(w.row("a").action, Action::Create);
}

#[test]
fn k7_of_two_new_customers_of_one_name_the_second_is_held() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.company("b", "Alder");
    let plan = w.plan();
    assert_eq!(plan.row("a").action, Action::Create);
    assert!(matches!(plan.row("b").cause(), Cause::Ambiguous { .. }));
    w.mappings.decisions.insert(s("b"), Decision::New);
    assert_eq!(w.row("b").action, Action::Create);
}

#[test]
fn p16_excluded_customers_are_skipped_until_their_day() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.mappings.decisions.insert(s("a"), exclude(Some("2026-06-15")));
    assert_eq!(w.row("a").action, Action::Skipped);
    assert!(w.row("a").why().contains("own contract"));
    w.mappings.decisions.insert(s("a"), exclude(Some("2026-06-14")));
    assert_eq!(w.row("a").action, Action::Create);
}

#[test]
fn k7_our_marker_links_after_a_crash_and_a_foreign_one_holds() {
    let mut w = World::new();
    w.company("a", "Alder");
    let (ours, theirs) = (w.policy.installation.clone(), Installation::from_random([9; 8]));
    let marker = w.marker(Entity::Customers, "a", &ours);
    w.halo("1", "Renamed since").marker = Some(marker);
    w.company("b", "Birch");
    let marker = w.marker(Entity::Customers, "b", &theirs);
    w.halo("2", "Whatever").marker = Some(marker);
    let plan = w.plan();
    assert_eq!((plan.row("a").action, plan.row("a").target.unwrap().id), (Action::Link, t("1")));
    assert_eq!(plan.row("b").cause(), Cause::Foreign);
    // A name does not take what a marker gives to another.
    w.company("c", "Renamed since");
    assert_eq!(w.row("c").action, Action::Held);
    // Two of ours: a person decides.
    let marker = w.marker(Entity::Customers, "a", &ours);
    w.halo("3", "Twin").marker = Some(marker);
    assert!(matches!(w.row("a").cause(), Cause::Ambiguous { .. }));
}

#[test]
fn p15_an_incomplete_list_of_halo_creates_and_links_nothing() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.company("b", "Birch");
    w.halo("1", "Birch");
    w.snapshot.halo_customers_complete = Completeness(Err("page 2 failed".into()));
    w.mappings.decisions.insert(s("a"), Decision::New);
    let plan = w.plan();
    assert_eq!(plan.outline.totals.acting(), 0);
    assert_eq!(plan.row("a").cause(), Cause::Unproven);
    assert!(plan.outline.alerts.iter().any(|a| a.contains("page 2 failed")));
    assert!(!plan.outline.complete[&Entity::Customers]);
}

#[test]
fn p13_an_incomplete_list_at_the_source_links_no_name() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.halo("1", "Alder");
    w.snapshot.customers_complete = Completeness(Err("id 7 came twice".into()));
    assert_eq!(w.row("a").cause(), Cause::Unproven);
}

#[test]
fn d30_an_ended_customer_is_neither_created_nor_changed() {
    let mut w = World::new();
    w.company("a", "Alder").verdict = Verdict::Ended("its state is 'Terminated'".into());
    w.company("b", "Birch").verdict = Verdict::Ended("its state is 'Terminated'".into());
    w.halo("2", "Old name");
    w.map("b", "2");
    w.settings.rename_in_halo = true;
    let plan = w.plan();
    assert_eq!((plan.row("a").action, plan.row("b").action), (Action::Skipped, Action::Skipped));
}

#[test]
fn k6_the_name_follows_only_if_wanted() {
    let mut w = World::new();
    w.company("a", "Alder New");
    w.halo("1", "Alder Old");
    w.map("a", "1");
    assert_eq!(w.row("a").action, Action::Unchanged);
    w.settings.rename_in_halo = true;
    let row = w.row("a");
    assert_eq!(row.action, Action::Update);
    assert_eq!(row.after(FieldName::Name), Some(Value::text("Alder New")));
    assert!(row.fields[0].mark.is_none());
    w.mappings.customers.get_mut(&s("a")).unwrap().base =
        Some(parhelion::model::Fields::new().with(FieldName::Name, Value::text("Alder New")));
    assert_eq!(w.row("a").fields[0].mark, Some(Mark::EditedInHalo));
}

#[test]
fn k9_the_address_follows_only_if_wanted_and_blanks_clear_nothing() {
    let mut w = World::new().clone();
    w.pair();
    let wanted = address(" 2 new row ", "LEEDS", "", "L2");
    w.snapshot.customers[0].fields.set(FieldName::MainSiteAddress, wanted);
    w.snapshot.halo_customers[0]
        .fields
        .set(FieldName::MainSiteAddress, address("1 Row", "Leeds", "Yorks", "L2"));
    assert_eq!(w.row("a").action, Action::Unchanged);
    w.settings.update_main_site_address = true;
    let row = w.row("a");
    assert_eq!((row.action, row.site.clone()), (Action::Update, Some(t("site1"))));
    assert_eq!(row.after(FieldName::MainSiteAddress), Some(address("2 new row", "Leeds", "Yorks", "L2")));
    // Spaces and case are no difference.
    w.snapshot.customers[0].fields.set(FieldName::MainSiteAddress, address("1  ROW", "leeds ", "", ""));
    assert_eq!(w.row("a").action, Action::Unchanged);
}

/// Two of one partner that want different things would undo each other's work in each run, for ever.
#[test]
fn p18_two_of_one_customer_that_disagree_write_neither_name_nor_address() {
    let mut w = World::new();
    w.pair();
    w.settings.update_main_site_address = true;
    w.company("b", "Alder").fields.set(FieldName::MainSiteAddress, address("9 Quay", "", "", ""));
    let partner = w.mappings.customers[&s("a")].target.to_string();
    w.map("b", &partner);
    w.snapshot.customers[0].fields.set(FieldName::MainSiteAddress, address("1 Row", "Leeds", "", ""));
    w.snapshot.halo_customers[0].fields.set(FieldName::MainSiteAddress, address("5 Old", "York", "", ""));
    for (id, rival) in [("a", "Alder"), ("b", &*w.snapshot.customers[0].name.clone())] {
        let row = w.row(id);
        assert_eq!(row.action, Action::Unchanged, "{row:?}");
        let why = format!("its address is not written: '{rival}' is mapped to the same site");
        assert!(row.reasons.iter().any(|reason| reason.starts_with(&why)), "{:?}", row.reasons);
    }
    // Whoever only adds a part disputes nothing.
    w.snapshot.customers[1].fields.set(FieldName::MainSiteAddress, address("1  row", "", "Yorks", ""));
    let after = w.row("a").after(FieldName::MainSiteAddress);
    assert_eq!(after, Some(address("1 Row", "Leeds", "", "")));
    let after = w.row("b").after(FieldName::MainSiteAddress);
    assert_eq!(after, Some(address("1  row", "York", "Yorks", "")));
    // Who has a site of its own is no rival.
    w.snapshot.customers[1].fields.set(FieldName::MainSiteAddress, address("9 Quay", "", "", ""));
    w.snapshot.sites.insert(t("site9"), Address::default());
    w.mappings.customers.get_mut(&s("b")).unwrap().site =
        Some(ChosenSite { id: t("site9"), name: "Quay".into() });
    assert_eq!(w.row("b").site, Some(t("site9")));
    assert_eq!(w.row("a").site, Some(t("site1")));
}

#[test]
fn k9_without_a_main_site_the_row_is_held() {
    let mut w = World::new();
    w.pair();
    w.snapshot.customers[0].fields.set(FieldName::MainSiteAddress, address("1", "Leeds", "", ""));
    w.snapshot.halo_customers[0].main_site = None;
    w.settings.update_main_site_address = true;
    assert_eq!(w.row("a").cause(), Cause::Missing);
    w.sub("s", "a", "Product", 1);
    assert_eq!(w.row("s").action, Action::Create, "its subscriptions do not need the site");
}

#[test]
fn k1_a_mapping_without_its_partner_is_held_and_one_without_its_customer_said() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.map("a", "77");
    w.map("gone", "78");
    w.sub("s", "a", "Product", 1);
    let plan = w.plan();
    assert_eq!(plan.row("a").cause(), Cause::Missing);
    assert_eq!(plan.row("gone").action, Action::Skipped);
    assert_eq!(plan.row("s").action, Action::Skipped);
}

#[test]
fn k2_a_mapped_customer_updates_its_own_partner_only() {
    let mut w = World::new();
    w.company("a", "Birch");
    w.halo("1", "Alder");
    w.halo("2", "Birch");
    w.map("a", "1");
    w.sub("s", "a", "Product", 3);
    let plan = w.plan();
    assert_eq!(plan.row("a").target.unwrap().id, t("1"));
    assert_eq!(plan.row("s").customer_target, Some(t("1")));
}

#[test]
fn n4_an_inactive_partner_is_noted() {
    let mut w = World::new();
    w.pair();
    w.snapshot.halo_customers[0].is_active = false;
    assert!(w.row("a").why().contains("inactive in Halo"));
}

#[test]
fn unreadable_customers_wait_and_stop_nobody_else() {
    let mut w = World::new();
    w.company("a", "Alder").verdict = Verdict::Hold("unknown state 'X'".into());
    w.company("b", "").name = "".into();
    w.company("c", "Cedar");
    let plan = w.plan();
    assert_eq!((plan.row("a").cause(), plan.row("b").cause()), (Cause::Data, Cause::Data));
    assert_eq!(plan.row("c").action, Action::Create);
}

#[test]
fn rows_come_customers_first_then_by_customer_and_name() {
    let mut w = World::new();
    w.company("a", "Zed");
    w.company("b", "Alder");
    w.sub("1", "a", "B", 1);
    w.sub("2", "a", "A", 1);
    w.sub("3", "b", "Z", 1);
    let plan = w.plan();
    let order: Vec<&str> = plan.changes.iter().map(|c| c.source.id.as_str()).collect();
    assert_eq!(order, ["b", "a", "3", "2", "1"]);
    assert!(plan.changes.iter().zip(1..).all(|(c, row)| c.row == row));
    assert_eq!(plan.row("3").after_row, Some(1));
}

#[test]
fn k5_a_customer_we_made_that_is_mapped_to_another_now_is_not_shared_unasked() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.company("b", "Birch");
    let ours = w.marker(Entity::Customers, "a", &w.policy.installation);
    w.halo("1", "Made for a").marker = Some(ours);
    w.map("b", "1");
    assert!(matches!(w.row("a").cause(), Cause::Ambiguous { .. }));
}

/// Scores only add to decision 28: what is exact or really new goes its way, everything else near waits.
#[test]
fn n5_a_near_partner_holds_a_create_until_a_person_says_new() {
    let mut w = World::new();
    w.company("a", "Blue Yonder Foods");
    w.halo("1", "Blue Yonder Food");
    assert_eq!(w.row("a").action, Action::Create, "nobody has scored them");
    let near = LookAlike { target: t("1"), score: 91, why: "spelling".into() };
    w.mappings.near.insert(s("a"), vec![near.clone()]);
    let row = w.row("a");
    assert!(matches!(row.cause(), Cause::LookAlike { .. }));
    assert!(row.why().contains("'Blue Yonder Food' (1): a near match, 91 of 100: spelling"), "{}", row.why());
    w.mappings.decisions.insert(s("a"), Decision::New);
    assert_eq!(w.row("a").action, Action::Create);
    // An exact name is linked, whoever else is near.
    w.company("b", "Cedar");
    w.halo("2", "Cedar");
    w.mappings.near.insert(s("b"), vec![near]);
    assert_eq!(w.row("b").action, Action::Link);
}
