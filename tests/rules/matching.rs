use crate::world::*;
use parhelion::matching::generate;
use parhelion::model::{Decision, SourceId};

fn generated(w: &World) -> (Vec<(String, String)>, Vec<String>) {
    let g = generate(
        &w.snapshot.customers,
        &w.snapshot.halo_customers,
        &w.mappings.customers,
        &w.mappings.decisions,
        w.policy.today,
    );
    let text = |id: &SourceId| id.to_string();
    (
        g.added.iter().map(|(a, b)| (text(a), b.to_string())).collect(),
        g.ambiguous.iter().map(|left| text(&left.source)).collect(),
    )
}

#[test]
fn k4_only_exactly_the_same_name_is_paired_and_a_second_time_adds_nothing() {
    let mut w = World::new();
    w.company("a", " Café Alder ");
    w.company("b", "birch");
    w.company("c", "Cedar Ltd");
    w.halo("1", "Cafe\u{301} Alder");
    w.halo("2", "Birch");
    w.halo("3", "Cedar Limited");
    assert_eq!(generated(&w), (vec![("a".into(), "1".into())], vec![]));
    w.map("a", "1");
    assert_eq!(generated(&w).0, vec![]);
}

#[test]
fn k4_a_name_that_stands_twice_on_either_side_is_ambiguous() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.company("b", "Alder");
    w.halo("1", "Alder");
    w.company("c", "Cedar");
    w.halo("2", "Cedar");
    w.halo("3", "Cedar").is_active = false;
    assert_eq!(generated(&w), (vec![], vec!["a".into(), "b".into(), "c".into()]));
    // One of the two being mapped does not make the other certain.
    w.map("a", "1");
    assert_eq!(generated(&w), (vec![], vec!["b".into(), "c".into()]));
}

#[test]
fn k4_inactive_partners_and_k5_taken_ones_are_listed_not_matched() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.halo("1", "Alder").is_active = false;
    w.company("b", "Birch");
    w.halo("2", "Birch");
    w.company("c", "Other");
    w.map("c", "2");
    assert_eq!(generated(&w), (vec![], vec!["a".into(), "b".into()]));
}

#[test]
fn k4_decisions_are_left_alone_until_they_end() {
    let mut w = World::new();
    w.company("a", "Alder");
    w.halo("1", "Alder");
    w.mappings.decisions.insert(s("a"), exclude(None));
    assert_eq!(generated(&w).0, vec![]);
    w.mappings.decisions.insert(s("a"), Decision::New);
    assert_eq!(generated(&w).0, vec![]);
    w.mappings.decisions.insert(s("a"), exclude(Some("2026-06-15")));
    assert_eq!(generated(&w).0, vec![], "the last day counts");
    w.mappings.decisions.insert(s("a"), exclude(Some("2026-06-14")));
    assert_eq!(generated(&w).0.len(), 1);
}

#[test]
fn blank_names_never_pair() {
    let mut w = World::new();
    w.company("a", " ");
    w.halo("1", "");
    assert_eq!(generated(&w).0, vec![]);
}
