//! Halo's customers on their way to Liongard (L17): who is made there, and what keeps one back.

use std::collections::BTreeMap;
use std::sync::Arc;

use parhelion::integrations::liongard::{
    description, found_environment, rules, wanted_customer, wanted_push,
};
use parhelion::model::liongard::SourceEnvironment;
use parhelion::model::marker::marker;
use parhelion::model::settings::{Liongard, Safety};
use parhelion::model::{
    Entity, FieldName, Fields, Found, How, Installation, Integration, Link, MatchKeys, Moment, Packed,
    SourceId, Value,
};
use parhelion::plan::snapshot::{Last, Lines, LookAlike, Mappings, Reading, Snapshot};
use parhelion::plan::{self, Action, Cause, Change, Completeness, Policy, Valve};

use crate::world::{Planned, s, t};

/// Halo's customers, Liongard's environments, and who was chosen.
struct Push {
    halo: Vec<Found>,
    environments: Vec<SourceEnvironment>,
    chosen: Vec<(&'static str, Option<i64>)>,
    mappings: Mappings,
    pushed: BTreeMap<SourceId, Link>,
    entities: Vec<Entity>,
    scheduled: bool,
    listed: Completeness,
    seen: BTreeMap<Entity, u64>,
}

fn link(target: &str) -> Link {
    Link {
        target: t(target),
        parent: None,
        source_name: "x".into(),
        target_name: "x".into(),
        how: How::Manual,
        since: Moment::UNIX_EPOCH,
        base: None,
        removed: None,
        site: None,
    }
}

impl Push {
    fn new() -> Self {
        Self {
            halo: Vec::new(),
            environments: Vec::new(),
            chosen: Vec::new(),
            mappings: Mappings::default(),
            pushed: BTreeMap::new(),
            entities: vec![Entity::Push],
            scheduled: false,
            listed: Completeness::default(),
            seen: BTreeMap::new(),
        }
    }

    /// A customer of Halo that was chosen.
    fn customer(&mut self, id: &'static str, name: &str) -> &mut Found {
        self.chosen.push((id, None));
        self.halo.push(Found {
            id: t(id),
            name: Arc::from(name),
            parent: None,
            is_active: true,
            marker: None,
            fields: Fields::new().with(FieldName::Name, Value::text(name)),
            keys: MatchKeys::default(),
            currency: None,
            main_site: None,
        });
        self.halo.last_mut().unwrap()
    }

    fn environment(&mut self, id: &str, name: &str) -> &mut SourceEnvironment {
        self.environments.push(SourceEnvironment {
            id: s(id),
            name: name.into(),
            short_name: None,
            website: None,
            description: None,
            is_visible: true,
            is_customer_view: false,
        });
        self.environments.last_mut().unwrap()
    }

    fn policy(&self) -> Policy {
        Policy {
            integration: Integration::Liongard,
            account: "us1.app.liongard.com".into(),
            installation: Installation::from_random([7; 8]),
            rules: rules(&Liongard::default()),
            safety: Safety::default(),
            entities: self.entities.clone(),
            scheduled: self.scheduled,
            allow_removals: false,
            frozen: None,
            now: Moment::UNIX_EPOCH,
            today: "2026-06-15".parse().unwrap(),
            approved_once: Entity::ALL.into(),
            released: BTreeMap::new(),
            last: Last { seen: self.seen.clone(), ..Last::default() },
        }
    }

    fn mark(&self, entity: Entity, id: &str) -> String {
        let policy = self.policy();
        marker(&policy.installation, policy.integration, &policy.account, entity, &s(id))
    }

    fn plan(&self) -> Planned {
        let mut found: Vec<Found> = self.environments.iter().map(found_environment).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        let wanted = self.chosen.iter().map(|(id, environment)| {
            let customer = self.halo.iter().find(|one| one.id == t(id)).unwrap();
            wanted_push(customer, *environment, "chosen")
        });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by(|a, b| a.id.cmp(&b.id));
        let lines = Lines {
            wanted: wanted.iter().map(Packed::new).collect(),
            found: found.iter().map(Packed::new).collect(),
            found_complete: self.listed.clone(),
            read: Reading::Whole(Completeness::default()),
            ..Lines::default()
        };
        let mut snapshot = Snapshot {
            customers: self.environments.iter().map(wanted_customer).collect(),
            customers_complete: self.listed.clone(),
            partners: self.halo.clone(),
            lines: BTreeMap::from([(Entity::Push, lines)]),
            ..Snapshot::default()
        };
        snapshot.customers.sort_by(|a, b| a.id.cmp(&b.id));
        snapshot.partners.sort_by(|a, b| a.id.cmp(&b.id));
        let links = |entity| if entity == Entity::Push { self.pushed.clone() } else { BTreeMap::new() };
        plan::build(&snapshot, &self.mappings, links, &self.policy()).into()
    }

    fn row(&self, id: &str) -> Change {
        let rows = self.plan().changes;
        let mut of = rows.into_iter().filter(|row| row.entity == Entity::Push && row.source.id == s(id));
        let row = of.next().unwrap_or_else(|| panic!("no row of {id}"));
        assert!(of.next().is_none(), "one row a customer");
        row
    }
}

fn says(change: &Change, text: &str) -> bool {
    change.reasons.iter().any(|reason| reason.contains(text))
}

fn candidates(change: &Change) -> Vec<String> {
    match &change.hold.as_ref().expect("it is held").cause {
        Cause::LookAlike { candidates } | Cause::Ambiguous { candidates } => {
            candidates.iter().map(|one| one.target.to_string()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn l17_a_chosen_customer_becomes_an_environment_of_its_name_and_nothing_else() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    p.environment("4102", "Blue Heron Dental");
    let row = p.row("12");
    assert_eq!((row.action, row.target.clone()), (Action::Create, None));
    let written: Vec<(&str, String)> =
        row.fields.iter().map(|f| (f.name.key(), f.after.as_ref().unwrap().to_string())).collect();
    assert_eq!(written, [("name", "Alder Ltd".to_owned())]);
    assert!(says(&row, "chosen"), "why it was chosen is said: {:?}", row.reasons);
    p.chosen.clear();
    assert!(p.plan().changes.is_empty(), "who was not chosen has no row");
}

#[test]
fn l17_a_customer_that_came_from_liongard_is_never_pushed_back() {
    // Mapped; or its mapping was taken away and only our marker in Halo is left.
    let mut p = Push::new();
    let mark = p.mark(Entity::Customers, "4102");
    p.environment("4102", "Blue Heron Dental");
    p.customer("12", "Something Else Ltd").marker = Some(mark.into());
    let row = p.row("12");
    assert_eq!(row.action, Action::Skipped);
    assert!(says(&row, "came from Liongard") && says(&row, "4102"), "{:?}", row.reasons);
    p.mappings.customers.insert(s("4102"), link("12"));
    let row = p.row("12");
    assert!(row.action == Action::Unchanged && says(&row, "mapped to environment 4102"), "{:?}", row.reasons);
    // The marker of another installation speaks of Liongard all the same.
    let other = Installation::from_random([9; 8]);
    let foreign =
        marker(&other, Integration::Liongard, "us1.app.liongard.com", Entity::Customers, &s("4102"));
    p.mappings.customers.clear();
    p.halo[0].marker = Some(foreign.into());
    assert_eq!(p.row("12").action, Action::Skipped);
    // What a person wrote there, or another integration, does not.
    p.halo[0].marker = Some("C-0012".into());
    assert_eq!(p.row("12").action, Action::Create);
}

#[test]
fn l17_a_customer_that_was_pushed_is_never_pushed_again_even_if_its_environment_is_gone() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    p.pushed.insert(s("12"), link("4105"));
    p.environment("4105", "Alder Limited, renamed");
    let row = p.row("12");
    assert!(row.action == Action::Unchanged && says(&row, "pushed before"), "{:?}", row.reasons);
    assert_eq!(row.target.unwrap().id, t("4105"));
    p.environments.clear();
    let row = p.row("12");
    assert!(row.action == Action::Unchanged && says(&row, "never made twice"), "{:?}", row.reasons);
}

#[test]
fn l17_what_halos_own_integration_has_linked_is_left_to_it() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    p.chosen[0].1 = Some(4102);
    let row = p.row("12");
    assert!(row.action == Action::Skipped && says(&row, "environment 4102"), "{:?}", row.reasons);
    p.chosen[0].1 = None;
    p.halo[0].is_active = false;
    let row = p.row("12");
    assert!(row.action == Action::Skipped && says(&row, "inactive in Halo"), "{:?}", row.reasons);
}

#[test]
fn l17_look_alikes_in_liongard_are_held_by_name_spaces_legal_form_domain_and_score() {
    for name in ["Alder Ltd", "ALDER LTD", "Aldér", "The Alder", "Ald er Limited"] {
        let mut p = Push::new();
        p.customer("12", "Alder Ltd");
        p.environment("4102", name);
        let row = p.row("12");
        assert_eq!(row.action, Action::Held, "{name}");
        assert_eq!((row.action, candidates(&row)), (Action::Held, vec!["4102".to_owned()]), "{name}");
    }
    let mut p = Push::new();
    p.customer("12", "Alder Ltd").keys.domains = vec!["alder.example".into()];
    p.environment("4102", "Birch").website = Some("https://www.alder.example/".into());
    assert!(says(&p.row("12"), "the same domain alder.example"));
    p.halo[0].keys = MatchKeys::default();
    assert_eq!(p.row("12").action, Action::Create);
    let near = LookAlike { target: t("4102"), score: 91, why: "spelling".into() };
    p.mappings.near_push.insert(s("12"), vec![near]);
    assert!(says(&p.row("12"), "91 of 100: spelling"));
    // A pair that a person has ruled out does not count (P14).
    p.mappings.refused_push.insert((s("12"), t("4102")));
    assert_eq!(p.row("12").action, Action::Create);
}

#[test]
fn l17_an_environment_of_somebody_else_with_the_same_name_holds_too_and_says_whose_it_is() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    p.environment("4102", "Alder Ltd");
    p.mappings.customers.insert(s("4102"), link("99"));
    let row = p.row("12");
    assert!(row.action == Action::Held && says(&row, "mapped to Halo customer 99"), "{:?}", row.reasons);
}

#[test]
fn l17_two_chosen_customers_of_one_name_make_one_environment() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    p.customer("13", "alder limited");
    let (one, two) = (p.row("12"), p.row("13"));
    assert_eq!((one.action, two.action), (Action::Create, Action::Held));
    assert!(says(&two, "which has the same name"), "{:?}", two.reasons);
}

#[test]
fn l17_who_this_very_plan_maps_is_not_pushed() {
    let mut p = Push::new();
    p.entities = vec![Entity::Customers, Entity::Push];
    p.customer("12", "Alder Ltd");
    p.environment("4102", "Alder Ltd");
    let row = p.row("12");
    assert!(row.action == Action::Skipped && says(&row, "this plan maps it"), "{:?}", row.reasons);
    // Without the import's row the name alone decides nothing.
    p.entities = vec![Entity::Push];
    assert_eq!(p.row("12").action, Action::Held);
}

#[test]
fn p15_an_incomplete_list_of_environments_makes_none() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    p.listed = Completeness(Err("3 counted, 2 listed".into()));
    let row = p.row("12");
    assert!(row.action == Action::Held && matches!(row.hold.unwrap().cause, Cause::Unproven));
    assert!(!p.plan().outline.complete[&Entity::Push]);
}

#[test]
fn l17_an_environment_with_our_marker_is_taken_when_the_link_was_lost() {
    let mut p = Push::new();
    p.customer("12", "Alder Ltd");
    let text = description(&p.mark(Entity::Push, "12"));
    p.environment("4102", "Renamed Since").description = Some(text.clone().into());
    let row = p.row("12");
    assert_eq!((row.action, row.target.clone().unwrap().id), (Action::Link, t("4102")));
    assert!(row.fields.is_empty(), "nothing is written there: {:?}", row.fields);
    p.mappings.customers.insert(s("4102"), link("99"));
    assert_eq!(p.row("12").action, Action::Held, "somebody else has it now");
    p.mappings.customers.clear();
    p.environment("4103", "A copy").description = Some(text.into());
    assert_eq!(candidates(&p.row("12")), ["4102", "4103"]);
}

#[test]
fn v6_a_scheduled_run_that_would_push_far_more_than_before_waits_for_a_person() {
    let mut p = Push::new();
    p.pushed.insert(s("9"), link("4000"));
    let ids: Vec<String> = (100..200).map(|n| n.to_string()).collect();
    for id in &ids {
        p.customer(Box::leak(id.clone().into_boxed_str()), &format!("Customer{id} Ltd"));
    }
    p.scheduled = true;
    p.seen.insert(Entity::Push, 100);
    let planned = p.plan();
    assert_eq!(planned.outline.totals.create, 0, "{:?}", planned.outline.limits);
    assert!(planned.outline.limits.iter().any(|l| l.valve == Valve::V6 && l.tripped));
    p.scheduled = false;
    assert_eq!(p.plan().outline.totals.create, 100);
}

#[test]
fn l17_numbers_of_both_sides_are_not_mixed_up_in_a_narrow_plan() {
    use parhelion::plan::Only;
    let of = |records| Only { customers: [s("12")].into(), records };
    // Environment 12 is meant, not Halo's customer 12.
    assert!(!of(None).covers(Entity::Push, &s("12"), &s("12")));
    assert!(of(None).covers(Entity::Customers, &s("12"), &s("12")));
    assert!(of(Some([(Entity::Push, s("12"))].into())).covers(Entity::Push, &s("12"), &s("12")));
    assert!(!of(Some([(Entity::Customers, s("12"))].into())).covers(Entity::Push, &s("12"), &s("12")));
}
