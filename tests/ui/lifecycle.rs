//! The planning workspace: its lists are changed by keys, by the rules that hold for the commands.

use parhelion::host::words::{AssetChange, Command, CompanyChange, LifecycleOrder, TermList};
use parhelion::lifecycle::column::Column;
use parhelion::lifecycle::grade::Tone;
use parhelion::model::asset::FieldKind;
use parhelion::model::{Entity, Integration};

use super::rig::{Rig, Start, rig};

/// At one of the tabs, by how often `]` leads there.
fn at(tabs: usize) -> Rig {
    let mut rig = rig();
    rig.keys("5");
    for _ in 0..tabs {
        rig.keys("]");
    }
    rig
}

const REPORTS: usize = 1;
const GRADES: usize = 2;
const CLASSES: usize = 3;
const POLICIES: usize = 4;
const TEMPLATES: usize = 5;
const TYPES: usize = 6;
const SET_UP: usize = 8;

#[track_caller]
fn last(rig: &Rig) -> LifecycleOrder {
    match rig.told().last() {
        Some(Command::Lifecycle(order)) => (**order).clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn nothing_told(rig: &Rig) {
    assert!(rig.told().is_empty(), "{:?}", rig.told());
}

#[test]
fn every_tab_at_every_size() {
    for (width, height) in [(80, 24), (120, 36), (60, 16), (40, 10)] {
        let mut rig = Start::default().sized(width, height).rig();
        rig.keys("5");
        for tab in [
            "companies",
            "reports",
            "grades",
            "classes",
            "policies",
            "templates",
            "types",
            "statuses",
            "set-up",
        ] {
            // The small ones differ only by what is cut off; the two that are looked at most stand for all.
            if width >= 80 || matches!(tab, "companies" | "classes") {
                rig.shows(&format!("lifecycle-{tab}@{width}x{height}"));
            }
            rig.keys("]");
        }
    }
    Start::default().plain().rig().keys("5").shows("lifecycle-companies@plain");
}

#[test]
fn a_report_is_looked_at_at_every_size() {
    for (width, height) in [(80, 24), (120, 36), (60, 16), (40, 10)] {
        let mut rig = Start::default().sized(width, height).rig();
        rig.keys("5 <Enter>").shows(&format!("report@{width}x{height}"));
    }
    Start::default().plain().rig().keys("5 <Enter>").shows("report@plain");
}

#[test]
fn a_class_is_added_by_keys_and_judged_by_the_rules_of_the_commands() {
    let mut rig = at(CLASSES);
    rig.keys("n").says("new class").says("Server");
    rig.keys("j j <Enter> <Ctrl-U>").paste("12 USD").keys("<Enter>");
    rig.says("is in USD");
    rig.keys("<Ctrl-U>").paste("2400.50 GBP").keys("<Enter>").says("2400.50");
    rig.keys("s").says("needs a configuration type and a name");
    nothing_told(&rig);
    rig.keys("g j <Enter>").paste("Rack").keys("<Enter>").shows("lifecycle-class@80x24").keys("s");
    let LifecycleOrder::SetClass { was: None, class } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!((class.kind.as_str(), class.name.as_str()), ("Server", "Rack"));
    assert_eq!(class.budget.hardware.to_string(), "2400.50");
    rig.says("[Classes]").says("Rack");
}

/// A sentence that the line under the field cuts off is whole in the pane below.
#[test]
fn what_is_refused_is_told_whole_where_it_was_typed() {
    let mut rig = at(CLASSES);
    rig.keys("n j j <Enter> <Ctrl-U>").paste("900 EUR").keys("<Enter>").says("never added together");
    rig.shows("lifecycle-class-refused@80x24");
}

#[test]
fn a_class_is_renamed_moved_and_removed_after_a_question() {
    let mut rig = at(CLASSES);
    rig.keys("<Enter> j <Enter> <Ctrl-U>").paste("Top").keys("<Enter> s");
    let LifecycleOrder::SetClass { was, class } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!((was.as_deref(), class.name.as_str()), (Some("Premium"), "Top"));
    let mut rig = at(CLASSES);
    rig.keys(">");
    let (kind, name) = ("Laptop".to_owned(), "Premium".to_owned());
    assert_eq!(last(&rig), LifecycleOrder::MoveClass { kind: kind.clone(), name: name.clone(), position: 2 });
    let mut rig = at(CLASSES);
    rig.keys("<").says("at the end of its order already");
    rig.keys("d <Enter>");
    nothing_told(&rig);
    rig.keys("y");
    assert_eq!(last(&rig), LifecycleOrder::RemoveClass { kind, name });
    rig.says_not("Premium");
}

#[test]
fn a_grade_rule_is_put_before_the_one_under_the_cursor_moved_and_reset() {
    let mut rig = at(GRADES);
    rig.keys("n <Enter>").paste("Frail").keys("<Enter> j j <Enter>").paste("age>12").keys("<Enter>");
    rig.says("age>12").keys("<Ctrl-U>").paste("age>=12, model~pro").keys("<Enter> s");
    let LifecycleOrder::Grades { rules: Some(rules) } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!((rules.len(), rules[0].grade.as_str(), rules[0].tone), (9, "Frail", Tone::Watch));
    assert_eq!(rules[0].when.to_string(), "age>=12, model~pro");
    rig.keys("g >");
    let LifecycleOrder::Grades { rules: Some(rules) } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!(rules[1].grade, "Frail");
    rig.keys("d y");
    let LifecycleOrder::Grades { rules: Some(rules) } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!(rules.len(), 8, "the cursor went with the rule");
    assert!(!rules.iter().any(|rule| rule.grade == "Frail"));
    rig.keys("= y");
    assert_eq!(last(&rig), LifecycleOrder::Grades { rules: None });
    rig.says("Parhelion's default rules").keys("=").says("our default rules already");
}

/// S28: the columns of a template and their order; S26, S27: what each view leaves out.
#[test]
fn a_templates_columns_order_and_views_are_ticked() {
    let mut rig = at(TEMPLATES);
    rig.keys("<Enter> ]").says("[Columns]").keys("j >").shows("lifecycle-template-columns@80x24");
    rig.keys("<Enter>");
    rig.keys("] j <Enter>").says("[Build view]").keys("s");
    let LifecycleOrder::SetTemplate { was, template } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!(was.as_deref(), Some("Default"));
    assert_eq!(template.columns[..2], [Column::Name, Column::Serial]);
    assert!(!template.columns.contains(&Column::Type), "moved, then taken off");
    assert!(!template.columns.contains(&Column::Recurring), "off until it is turned on");
    assert_eq!(template.build.hidden_types.iter().map(String::as_str).collect::<Vec<_>>(), ["Server"]);
    assert!(template.display.hidden_types.is_empty());
}

#[test]
fn a_template_is_removed_only_with_another_that_takes_over() {
    let mut rig = at(TEMPLATES);
    rig.keys("n <Enter>").paste("Servers").keys("<Enter> G <Enter> s").says("Servers");
    rig.keys("G d y");
    assert!(matches!(last(&rig), LifecycleOrder::SetTemplate { .. }), "y alone says nothing");
    rig.says("Default takes over").keys("1");
    let (name, replacement) = ("Servers".to_owned(), Some("Default".to_owned()));
    assert_eq!(last(&rig), LifecycleOrder::RemoveTemplate { name, replacement });
}

#[test]
fn a_policy_is_set_for_a_type() {
    let mut rig = at(POLICIES);
    rig.says("No policy yet").keys("n j <Enter> <Ctrl-U>").paste("Nobody").keys("<Enter>");
    rig.says("there is no company 'Nobody'").keys("<Ctrl-U>").paste("alder & finch ltd").keys("<Enter>");
    rig.keys("G <Enter> s");
    let LifecycleOrder::SetPolicy { policy } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!((policy.kind.as_str(), policy.company, policy.is_virtual), ("Laptop", Some(1), true));
}

/// S12: the preview of the rename, and two to one only after a question. S13: the list is shown first.
#[test]
fn a_type_is_mapped_merged_after_a_question_created_and_removed() {
    let mut rig = at(TYPES);
    rig.keys("a").says("School").says_not("Customer, ").keys("<Enter>");
    nothing_told(&rig);
    rig.keys("y");
    assert_eq!(last(&rig), LifecycleOrder::CreateUnmapped { list: TermList::Types });
    let mut rig = at(TYPES);
    rig.keys("j <Enter> <Enter>").says("Customer").says("not saved").keys("s").says("become one");
    nothing_told(&rig);
    rig.keys("y");
    let map = |halo: &str, merge| LifecycleOrder::MapTerm {
        list: TermList::Types,
        id: 2,
        halo: halo.into(),
        merge,
    };
    assert_eq!(last(&rig), map("1", true));
    let mut rig = at(TYPES);
    rig.keys("j <Enter> <Enter> <Enter> s");
    assert_eq!(last(&rig), map("2", false));
    let mut rig = at(TYPES);
    rig.keys("d y").says("would come again");
    rig.keys("n").paste("Charity").keys("<Enter>");
    assert_eq!(last(&rig), LifecycleOrder::AddTerm { list: TermList::Types, name: "Charity".into() });
}

#[test]
fn companies_are_managed_filtered_ordered_and_noted() {
    let mut rig = at(0);
    rig.says("Alder & Finch").says_not("Cedar").keys("f o").says("Cedar").keys("x");
    assert_eq!(last(&rig), LifecycleOrder::Manage { companies: vec![3], managed: true });
    rig.keys("<Esc> o r").says("Alder");
    rig.keys("* x").says("No longer manage 3 companies?").keys("<Enter>");
    assert_eq!(
        last(&rig),
        LifecycleOrder::Manage { companies: vec![3], managed: true },
        "Enter says nothing"
    );
    rig.keys("y");
    assert!(
        matches!(last(&rig), LifecycleOrder::Manage { managed: false, companies } if companies.len() == 3)
    );
    let mut rig = at(0);
    rig.keys("i <Enter>")
        .paste("13")
        .keys("<Enter>")
        .says("from 1 to 12")
        .keys("<Ctrl-U>")
        .paste("4")
        .keys("<Enter> s");
    let changes = vec![CompanyChange::FiscalYear(Some(4))];
    assert_eq!(last(&rig), LifecycleOrder::Company { company: 1, changes });
}

/// S24: a class by hand, in bulk; only what was chosen is sent.
#[test]
fn marked_configurations_are_put_into_a_class_at_once() {
    let mut rig = at(0);
    rig.keys("<Enter>").says("SRV-007");
    // The worst come first: a laptop, the server, a laptop.
    rig.keys("<Space> j <Space> <Enter>")
        .says("2 configurations")
        .keys("<Enter> <Enter>")
        .shows("lifecycle-assets@80x24");
    rig.keys("s");
    let LifecycleOrder::Assets { assets, changes } = last(&rig) else { panic!("{:?}", last(&rig)) };
    assert_eq!((assets.len(), changes), (2, vec![AssetChange::Class(Some("Premium".into()))]));
    rig.says("SRV-007").keys("u");
    assert_eq!(last(&rig), LifecycleOrder::Undo { redo: false });
}

/// P71: from the score to what it misses.
#[test]
fn a_report_shows_only_what_lacks_a_fact() {
    let mut rig = at(0);
    rig.keys("<Enter>").says("SRV-007").keys("f").says("s serial").keys("e");
    rig.says("only without expiration date").shows("report-without-expiration@80x24");
    rig.keys("f t").says("Nothing here is without type").keys("<Enter>").says("there is no configuration");
    rig.keys("<Esc>").says_not("only without").says("SRV-007").keys("f g").says("only what lacks data");
    rig.keys("f f").says_not("only what lacks data");
}

#[test]
fn a_draft_is_completed_after_a_question_and_then_changes_no_more() {
    let mut rig = at(0);
    rig.keys("<Enter> c <Enter>").says("Complete R1");
    assert!(matches!(last(&rig), LifecycleOrder::OpenReport { company: 1 }), "Enter does nothing");
    rig.keys("y");
    assert!(matches!(last(&rig), LifecycleOrder::Complete { .. }));
    rig.says("never changes again").keys("<Enter>").says("a completed report never changes");
    let mut rig = at(0);
    rig.keys("<Enter> q ] c y");
    assert!(matches!(last(&rig), LifecycleOrder::Complete { .. }), "from the list, too");
    assert_eq!(REPORTS, 1);
    rig.keys("d").says("a completed report never changes");
}

#[test]
fn what_is_not_saved_is_not_lost_without_a_question() {
    let mut rig = at(CLASSES);
    rig.keys("<Enter> j <Enter>")
        .paste("X")
        .keys("<Enter> <Esc>")
        .says("Leave without saving?")
        .keys("<Esc>");
    rig.says("not saved").keys("u").says_not("not saved").keys("<Esc>").says("[Classes]");
    nothing_told(&rig);
}

#[test]
fn a_report_is_exported_as_what_its_path_ends_in() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["html", "csv", "json", "md"] {
        let path = folder.path().join(format!("report-x.{ending}"));
        let mut rig = at(0);
        rig.keys("<Enter> e <Ctrl-U>").paste(path.to_str().unwrap()).keys("<Enter>");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("LT-001"), "{ending}: {text}");
    }
    // A spreadsheet is a zip of sheets.
    let path = folder.path().join("report-x.xlsx");
    let mut rig = at(0);
    rig.keys("<Enter> e <Ctrl-U>").paste(path.to_str().unwrap()).keys("<Enter>");
    assert!(std::fs::read(&path).unwrap().starts_with(b"PK"));
    let mut rig = at(0);
    rig.keys("<Enter> e <Ctrl-U>").paste("/tmp/x.docx").keys("<Enter>").says("Not exported");
}

#[test]
fn a_step_of_the_set_up_leads_where_it_is_done() {
    let mut rig = at(SET_UP);
    rig.says("Agent in Halo").keys("t");
    assert!(matches!(rig.told().last(), Some(Command::Test { .. })));
    rig.keys("j j j <Enter>").says("[Types]");
}

#[test]
fn step_10_both_routes_open_the_same_screen() {
    for (tab, step, title) in
        [(GRADES, 8, "[Grades]"), (CLASSES, 9, "[Classes]"), (TEMPLATES, 10, "[Templates]")]
    {
        let mut by_tab = at(tab);
        by_tab.says(title);
        let mut by_step = at(SET_UP);
        for _ in 0..step {
            by_step.keys("j");
        }
        by_step.keys("<Enter>").says(title);
    }
}

#[test]
fn a_field_that_halo_lacks_is_chosen_and_the_plan_that_makes_it_comes_next() {
    let mut rig = at(SET_UP);
    rig.keys("n").shows("lifecycle-halo-field").says("Bought On").says("not in Halo");
    // Another field brings what it is called and what it holds.
    rig.keys("<Enter>").says("Install Date");
    rig.keys("j <Enter> <Ctrl-U>").paste("Set Up On").keys("<Enter> s");
    let wanted = LifecycleOrder::WantField {
        field: "install date".into(),
        name: "Set Up On".into(),
        kind: FieldKind::Date,
    };
    let is_told = |command: &Command| matches!(command, Command::Lifecycle(order) if **order == wanted);
    assert!(rig.told().iter().any(is_told), "{:?}", rig.told());
    match rig.told().last() {
        Some(Command::BuildPlan { integration: Integration::Lifecycle, entities, .. }) => {
            assert_eq!(entities, &[Entity::AssetFields]);
        }
        other => panic!("{other:?}"),
    }
}
