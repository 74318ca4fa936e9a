//! The plan (ux.md 3.8): frames, and what a person does there.

use parhelion::host::words::{Choices, Command};
use parhelion::model::{Class, Decision, Problem, SourceId};
use parhelion::plan::{Action, Cause, Valve};

use super::rig::{Rig, Start};
use super::screens::in_all_sizes;

#[test]
fn plan() {
    in_all_sizes("plan", Start::default, "2 p j j j");
}

#[test]
fn the_apply_dialog_says_what_will_and_will_not_happen() {
    Start::default().rig().keys("2 p j x a").shows("apply@80x24");
    Start::default().sized(40, 10).rig().keys("2 p a").shows("apply@40x10");
    let beyond = || Start::default().with(|world| super::data::beyond_limit(&mut world.market));
    beyond().rig().keys("2 p a").shows("limit@80x24");
    beyond().sized(60, 16).rig().keys("2 p a 4").shows("limit@60x16");
    beyond().sized(40, 10).rig().keys("2 p a 4").shows("limit@40x10");
}

fn applied(rig: &Rig) -> Vec<Choices> {
    rig.told()
        .into_iter()
        .filter_map(|command| match command {
            Command::Apply { choices, .. } => Some(choices),
            _ => None,
        })
        .collect()
}

/// Ux.md 5: plan, look, start: `p`, `a`, `y`; then the job is on the screen.
#[test]
fn planning_and_applying_are_three_keys() {
    let mut rig = Start::default().rig();
    rig.keys("2 p a y").says("4 Jobs > J42").says("log  9 lines");
    assert_eq!(applied(&rig), [Choices::default()]);
    rig.keys("2").says("Applied as J42.");
    rig.keys("a").says("it was applied as J42");
    assert_eq!(applied(&rig).len(), 1);
}

/// U26: Enter, a held key and type-ahead confirm nothing.
#[test]
fn nothing_is_applied_by_accident() {
    let mut rig = Start::default().rig();
    rig.keys("2 p a <Enter> a");
    rig.keys("<Esc>");
    rig.burst("a y");
    rig.says("Read first, then `y`.");
    assert!(applied(&rig).is_empty());
}

/// Ux.md 5: one customer first.
#[test]
fn one_customer_first_is_three_keys() {
    let mut rig = Start::default().rig();
    rig.keys("2 p j j j t").says("apply to Fabrikam GmbH only").keys("y");
    assert_eq!(applied(&rig)[0].only_customer.as_ref().map(SourceId::as_str), Some("88210"));
    let mut rig = Start::default().rig();
    rig.keys("2 p j j j a t");
    assert_eq!(applied(&rig)[0].only_customer.as_ref().map(SourceId::as_str), Some("88210"));
}

/// U27: the number must be typed, and no other will do.
#[test]
fn beyond_a_limit_only_the_typed_number_writes() {
    let beyond = || Start::default().with(|world| super::data::beyond_limit(&mut world.market)).rig();
    let mut rig = beyond();
    rig.keys("2 p a <Enter> 3 <Enter>").says("'3' is not the number that the limit holds.");
    assert!(applied(&rig).is_empty());
    rig.keys("4 <Enter>");
    assert_eq!(applied(&rig)[0].removals_typed, Some(4));
    let mut rig = beyond();
    rig.keys("2 p a y");
    assert_eq!(applied(&rig), [Choices::default()], "the rest, and what is held stays held");
}

/// N10: a freeze that holds rows is overruled by their number, in the words of a freeze.
#[test]
fn the_number_typed_in_a_freeze_says_what_it_overrules() {
    let mut rig = Start::default()
        .with(|world| {
            super::data::beyond_limit(&mut world.market);
            for change in &mut world.market.changes {
                if let Some(hold) =
                    change.hold.as_mut().filter(|hold| matches!(hold.cause, Cause::Limit { .. }))
                {
                    hold.cause = Cause::Limit { valve: Valve::V12, overridable: true };
                    hold.would_be = Action::Update;
                }
            }
            let limit = &mut world.market.plan.outline.limits[0];
            limit.valve = Valve::V12;
            limit.sentence = "V12: nothing billable is written in the freeze (1-3): 4 rows wait".into();
        })
        .rig();
    rig.keys("2 p a").says("billable rows in the freeze all the same").says_not("To remove");
    rig.shows("limit-freeze@80x24");
    rig.keys("4 <Enter>");
    assert_eq!(applied(&rig)[0].removals_typed, Some(4));
}

/// Decision 5: one key settles a look-alike; the row is still under the cursor though rows are numbered anew.
#[test]
fn a_look_alike_is_settled_by_one_key() {
    let decision = |keys: &str| {
        let mut rig = Start::default().rig();
        rig.keys("2 p j").says("Enter takes Jura Shipping Ltd");
        rig.keys(keys).says("Plan P9").says("─ Jura Shipping");
        let told = rig.told();
        let found = told.iter().find_map(|command| match command {
            Command::Decide { decisions, .. } => Some(decisions[0].clone()),
            _ => None,
        });
        assert!(told.iter().any(|command| matches!(command, Command::Replan { .. })));
        found.expect("a decision")
    };
    assert!(matches!(decision("<Enter>"), (id, Decision::Map { target, .. })
        if id.as_str() == "90417" && target.as_str() == "501"));
    assert!(matches!(decision("n").1, Decision::New));
    assert!(matches!(decision("x").1, Decision::Exclude { .. }));
    assert!(matches!(decision("m f e r r <Enter>").1, Decision::Map { .. }));
}

/// Decisions that come faster than plans are planned once more, not lost.
#[test]
fn decisions_during_planning_are_planned_too() {
    let mut rig = Start::default().rig();
    rig.keys("2 p j");
    rig.burst("n u");
    let replans = rig.told().iter().filter(|command| matches!(command, Command::Replan { .. })).count();
    assert_eq!(replans, 2);
    rig.says("Plan P10").says_not("no such plan");
}

/// U19: totals and money follow what is left out; what needs it first goes with it.
#[test]
fn left_out_rows_leave_totals_and_money() {
    let mut rig = Start::default().rig();
    rig.keys("2 p / b u s i n e s s <Enter>").says("showing 4");
    rig.keys("<Esc> j x").says("left out 1").says("(+98.50)").says("+23.20");
    rig.keys("G g a y");
    assert_eq!(applied(&rig)[0].leave_out.len(), 1);
    let mut rig = Start::default().rig();
    rig.keys("2 p j j j j j j x").says("left out 4").keys("k").says("left out 4");
}

#[test]
fn a_plan_is_folded_and_filtered() {
    let mut rig = Start::default().rig();
    rig.keys("2 p j j <Enter>").says(">  Fabrikam GmbH").says("1 change       1 held").says_not("Power BI");
    rig.keys("<Enter>").says("Power BI");
    rig.keys("f h").says("showing 2").says_not("Teams");
    rig.keys("f f").says("Teams");
    rig.keys("-").says(">  Contoso Retail").says("4 changes").shows("plan-folded@80x24");
}

/// N2.
#[test]
fn why_shows_every_reason() {
    let mut rig = Start::default().rig();
    rig.keys("2 p j j j w")
        .says("made by Parhelion in job J12")
        .says("row 5")
        .keys("<Esc>")
        .says("v  Fabrikam GmbH");
}

/// Decision 15.
#[test]
fn a_plan_is_made_the_other_way_by_one_key() {
    let mut rig = Start::default().rig();
    rig.keys("2 p p").says("as scheduled");
    assert!(rig.told().iter().any(|command| matches!(command, Command::BuildPlan { scheduled: true, .. })));
}

/// P2, U20: what is too old is shown, and not applied.
#[test]
fn an_old_plan_cannot_be_applied() {
    let mut rig = Start::default().rig();
    rig.keys("2 p").pass(std::time::Duration::from_secs(25 * 3600)).keys("a");
    rig.says("This plan is too old to be applied; r builds it again.");
    rig.keys("a").says("Apply this plan: this plan is too old; r builds it again.");
    assert!(applied(&rig).is_empty());
}

/// A refused apply says why, and the plan stays.
#[test]
fn a_refused_apply_is_said() {
    let mut rig = Start::default().rig();
    rig.keys("2 p a");
    let stale =
        Problem::new(Class::Stale, "Plan P8 was applied already, as job J12.").remedy("Build a new plan.");
    rig.world.borrow_mut().trouble = Some(stale);
    rig.keys("y").says("Plan P8 was applied already, as job J12.").says("v  Fabrikam GmbH");
    rig.world.borrow_mut().trouble = None;
    rig.keys("a").says("Apply this plan: Plan P8 was applied already");
}

#[test]
fn a_failed_plan_says_why_and_is_tried_again() {
    let mut rig = Start::default().rig();
    rig.keys("2");
    rig.world.borrow_mut().trouble = Some(Problem::new(Class::Auth, "ALSO refused the sign-in."));
    rig.keys("p").says("ALSO refused the sign-in. r tries again.").shows("plan-failed@80x24");
    rig.world.borrow_mut().trouble = None;
    rig.keys("r").says("v  Fabrikam GmbH");
}

#[test]
fn a_plan_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |world: Option<u64>| {
        let mut start = Start::default();
        start.options.data_dir = Some(folder.path().to_owned());
        if let Some(id) = world {
            start.world.market.plan = super::data::plan(id);
        }
        start.rig()
    };
    start(None).keys("2 p").signal(parhelion::ui::Signal::HangUp);
    start(Some(8)).says("Plan P8").says("v  Fabrikam GmbH");
}

/// What is skipped is one line a customer, until it is asked for.
#[test]
fn skipped_rows_are_folded_into_one() {
    let mut rig = Start::default().sized(80, 40).rig();
    rig.keys("2 p").says(".    skipped rows").says("Visio Plan 2").says_not("Power Automate");
    rig.keys("G <Enter>").says("Power Automate").says("outside the chosen scope");
    Start::default().rig().keys("2 p f s").says("Power Automate").says("showing 3");
}
