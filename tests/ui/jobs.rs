//! Jobs and one job (ux.md 3.6, 3.7): frames, the log, orders.

use parhelion::host::words::{Asked, Command, Event, IssuesView, JobOrder, JobState, Which};
use parhelion::model::{Entity, JobId, SourceId};
use parhelion::plan::Purpose;

use super::engine::{job, progress};
use super::rig::Start;
use super::screens::in_all_sizes;

fn running() -> Start {
    Start::default().with(|world| world.overview.running = Some(progress(187)))
}

#[test]
fn jobs() {
    in_all_sizes("jobs", running, "4");
}

#[test]
fn one_job() {
    in_all_sizes("job", running, "4 <Enter>");
}

#[test]
fn change() {
    in_all_sizes("change", running, "4 <Enter> k k k k <Enter>");
}

#[test]
fn jobs_zoomed() {
    running().sized(120, 36).rig().keys("4 z").shows("jobs-zoomed@120x36");
}

fn orders(rig: &super::rig::Rig) -> Vec<JobOrder> {
    rig.told()
        .into_iter()
        .filter_map(|command| match command {
            Command::Order { order, .. } => Some(order),
            _ => None,
        })
        .collect()
}

#[test]
fn a_running_job_is_paused_by_one_key_and_cancelled_after_a_question() {
    let mut rig = running().rig();
    rig.keys("4 p");
    assert_eq!(orders(&rig), [JobOrder::Pause]);
    rig.keys("c <Enter>").says("what is done stays done");
    assert_eq!(orders(&rig).len(), 1);
    rig.keys("y");
    assert_eq!(orders(&rig), [JobOrder::Pause, JobOrder::Cancel]);
    rig.keys("j p").says("J41 is partial, not running.");
}

/// Ux.md 5: `4` `r`; it stands on top wherever it was.
#[test]
fn an_interrupted_job_is_resumed_by_two_keys() {
    let mut rig = Start::default().with(|world| world.market.jobs[2] = job(40, JobState::Interrupted)).rig();
    rig.keys("4 r");
    assert!(
        matches!(rig.told()[..], [Command::Order { job: JobId(40), order: JobOrder::Resume }]),
        "{:?}",
        rig.told()
    );
    rig.shows("jobs-interrupted@80x24");
}

/// U17: a view that stands still never scrolls; G follows again.
#[test]
fn the_log_follows_or_stands_still() {
    let mut rig = running().sized(80, 16).rig();
    rig.keys("4 <Enter>").says("following").says("linked with LIC-00412");
    rig.keys("k k");
    let before = rig.screen();
    {
        let mut world = rig.world.borrow_mut();
        let line = world.market.log[1].clone();
        world.market.log.extend(std::iter::repeat_n(line, 500));
    }
    rig.news(Event::Log { job: JobId(42), lines: 509 });
    rig.says("500 new");
    let lines =
        |screen: &str| screen.lines().filter(|l| l.contains("14:05:")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&before), lines(&rig.screen()));
    rig.keys("G").says("following").says("509 lines");
}

#[test]
fn the_log_is_filtered_by_level_and_searched() {
    let mut rig = running().rig();
    rig.keys("4 <Enter> f h").says("2 lines").says("held and failed").says_not("Defender");
    rig.keys("<Esc>").says("9 lines");
    rig.keys("/ c o n t o s o <Enter>").says("'contoso'").says("reversed rows: 10");
    rig.keys("n").says("reversed rows: 14");
    rig.keys("n").says("reversed rows: 15");
    rig.keys("n").says("reversed rows: 10");
    rig.keys("N").says("reversed rows: 15");
    rig.keys("/ z z z <Enter>").says("'zzz' is on no line shown here.");
}

/// Ux.md 5: copy an error for the vendor's support.
#[test]
fn an_error_is_copied_by_two_keys() {
    let mut rig = running().rig();
    rig.keys("4 <Enter> k y e").says("Sent to the terminal's clipboard: Halo refused the write");
}

#[test]
fn a_line_opens_its_change_and_esc_comes_back_to_it() {
    let mut rig = running().rig();
    rig.keys("4 <Enter> k k k k <Enter>")
        .says("is held: nothing is written")
        .keys("<Esc>")
        .says("reversed rows: 11");
}

#[test]
fn a_job_that_starts_and_ends_moves_nothing() {
    let mut rig = Start::default().rig();
    rig.keys("4 j").says("─ J41");
    rig.news(Event::Job(Box::new(job(43, JobState::Running)))).says("─ J41").says("J43");
    rig.news(Event::Job(Box::new(job(43, JobState::Ok)))).says("─ J41");
}

#[test]
fn a_log_is_exported_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("j.jsonl");
    let mut rig = running().rig();
    rig.keys("4 <Enter> e").paste(path.to_str().expect("text")).keys("<Enter>").says("Exported to");
    assert_eq!(std::fs::read_to_string(&path).expect("a file").lines().count(), 9);
}

#[test]
fn a_job_is_found_by_its_number() {
    Start::default().rig().keys(": j o b <Space> 4 1 <Enter>").says("4 Jobs > J41");
    Start::default().rig().keys(": j o b <Space> 7 7 <Enter>").says("This world does not know that.");
}

/// Ux.md 5: retry what failed in the last job by `4` `r` `a` `y`, undo it by `4` `u` `a` `y`.
#[test]
fn a_job_is_tried_again_or_taken_back_by_a_plan_of_its_own() {
    let purposes = |rig: &super::rig::Rig| -> Vec<Purpose> {
        let told = rig.told().into_iter();
        told.filter_map(|c| if let Command::BuildPlanOf { purpose, .. } = c { Some(purpose) } else { None })
            .collect()
    };
    let mut rig = Start::default().rig();
    rig.keys("4 j r").says("Plan P8, retry of J41");
    assert_eq!(purposes(&rig), [Purpose::Retry { of: JobId(41) }]);
    rig.keys("a y");
    assert!(rig.told().iter().any(|command| matches!(command, Command::Apply { .. })));

    let mut rig = Start::default().rig();
    rig.keys("4 j u").says("Plan P8, undo of J41").says("would do it all again");
    assert_eq!(purposes(&rig), [Purpose::Undo { of: JobId(41) }]);
    rig.shows("undo@80x24");
    rig.keys("p").says("it goes the way its job went");
    rig.keys("a y");
    assert!(rig.told().iter().any(|command| matches!(command, Command::Apply { .. })));

    // A job without a row left has nothing to try again; one that runs can neither be tried again nor taken back.
    let mut rig = running()
        .with(|world| {
            world.market.jobs[1].totals.failed = 0;
            world.market.jobs[1].totals.rows.held = 0;
        })
        .rig();
    rig.keys("4 u").says("J42 is running.");
    rig.keys("j r").says("J41 left nothing to try again.");
}

#[test]
fn issues() {
    in_all_sizes("issues", running, "4 ]");
}

#[test]
fn issues_are_unfolded_planned_again_and_put_aside() {
    let mut rig = Start::default().rig();
    rig.keys("4").says("Issues 3").keys("]").says("[Issues 3]").says("may be '…'");
    rig.keys("<Enter> j").says("Fabrikam GmbH").says("J41 row 3");
    rig.keys("r").says("narrow, record 310101");
    let narrow = rig.told().into_iter().find_map(|command| match command {
        Command::BuildPlan { purpose: Purpose::Narrow { customers, records }, .. } => {
            Some((customers, records))
        }
        _ => None,
    });
    let id = SourceId::new("310101");
    assert_eq!(narrow, Some(([id.clone()].into(), [id.clone()].into())));
    rig.keys("<Esc> x").says("Put this issue aside?").says("for a week");
    rig.keys("d");
    let aside = rig.told().into_iter().any(|command| {
        matches!(command, Command::PutAside { which: Which::Of { sources, entity: Some(Entity::Customers) }, asked: Asked::Snooze { .. }, .. } if sources == [id.clone()])
    });
    assert!(aside, "{:?}", rig.told());
    rig.says("[Issues 2]");
    rig.keys("u").says("[ goes to them").keys("[").says("[All]");
    // Without any, it says so.
    // On a cause: all of them, also those that are too many to be told.
    let mut rig = Start::default().with(|world| world.market.issues.groups[0].count = 40_000).rig();
    rig.keys("4 ] r").says("retry of one cause");
    let all = rig.told().into_iter().find_map(|command| match command {
        Command::BuildPlan { purpose: Purpose::Cause { kind, cause, aside: false }, .. } => {
            Some((kind, cause))
        }
        _ => None,
    });
    let (kind, cause) = all.expect("a plan of the cause");
    assert!(!kind.is_empty() && cause.contains("may be '…'"), "{kind}: {cause}");
    let mut rig = Start::default().with(|world| world.market.issues = IssuesView::default()).rig();
    rig.keys("4 ]").says("Nothing waits for anybody").keys("r").says("nothing waits here");
}

/// N8: release one, many, or always for this product.
#[test]
fn suspicious_rows_are_let_through_from_the_issues() {
    let suspicious = || {
        Start::default().with(|world| {
            for group in &mut world.market.issues.groups {
                group.kind = "suspicious".into();
            }
        })
    };
    let mut rig = suspicious().rig();
    rig.keys("4 ] x").says("Put these 2 issues aside?").says("let through in the next scheduled run");
    rig.says_not("for this product").keys("l");
    let released = |rig: &super::rig::Rig| {
        rig.told().into_iter().find_map(|command| match command {
            Command::PutAside { which, asked: Asked::Release, .. } => Some(which),
            _ => None,
        })
    };
    assert!(matches!(released(&rig), Some(Which::Cause { kind, aside: false, .. }) if kind == "suspicious"));
    let mut rig = suspicious().rig();
    rig.keys("4 ] <Enter> j x").says("always, for this product").shows("issues-release@80x24");
    rig.keys("p");
    let set = rig.told().into_iter().find_map(|command| match command {
        Command::Set { changes } => changes.first().cloned(),
        _ => None,
    });
    let set = set.expect("a setting");
    assert_eq!(
        (set.key.as_str(), set.value.as_deref()),
        ("safety.trusted_products", Some("[\"Fabrikam GmbH\"]"))
    );
    // What waits for something else is not let through.
    let mut other = Start::default().rig();
    other.keys("4 ] x").says("for a week").says_not("let through");
}

#[test]
fn one_customer_is_planned_by_itself() {
    let mut rig = Start::default().rig();
    rig.keys("2 s").says("narrow, customer");
    let narrow = |command: &Command| matches!(command, Command::BuildPlan { purpose: Purpose::Narrow { customers, .. }, .. } if customers.len() == 1);
    assert!(rig.told().iter().any(narrow), "{:?}", rig.told());
    // It is not the plan of the pane.
    rig.keys("<Esc> p").says_not("narrow");
}

#[test]
fn a_paused_job_says_so_after_a_restart() {
    let mut rig = Start::default()
        .with(|world| {
            world.market.jobs[2] = job(40, JobState::Interrupted);
            world.market.jobs[2].is_paused = true;
        })
        .rig();
    rig.keys("4").says("paused");
}

#[test]
fn schedules() {
    in_all_sizes("schedules", Start::default, "4 ] ]");
}

#[test]
fn a_schedule_is_switched_by_one_key_and_run_after_a_question() {
    let mut rig = Start::default().rig();
    rig.keys("4").says("[All]  Issues 3  Schedule");
    rig.keys("[").says("[Schedule]").says("skipped: J40 was still running");
    rig.keys("<Space>");
    let switched = |command: &Command| {
        matches!(command, Command::Set { changes } if changes[0].key == "also.schedule.enabled"
            && changes[0].value.as_deref() == Some("false"))
    };
    assert!(rig.told().iter().any(switched), "{:?}", rig.told());
    let runs = |rig: &super::rig::Rig| {
        rig.told().iter().filter(|command| matches!(command, Command::RunSchedule { .. })).count()
    };
    rig.keys("a").says("Run the scheduled job of ALSO now?");
    assert_eq!(runs(&rig), 0);
    rig.keys("y");
    assert_eq!(runs(&rig), 1);
    rig.keys("r").says("this schedule has not paused itself");
    rig.keys("<Enter>").says("J41");
}
