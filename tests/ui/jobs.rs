//! Jobs and one job (ux.md 3.6, 3.7): frames, the log, orders.

use parhelion::host::words::{Command, Event, JobOrder, JobState};
use parhelion::model::JobId;

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
    rig.keys("j r").says("J41 is partial, not interrupted.");
    rig.keys("p").says("J41 is partial, not running.");
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

#[test]
fn schedules() {
    in_all_sizes("schedules", Start::default, "4 ]");
}

#[test]
fn a_schedule_is_switched_by_one_key_and_run_after_a_question() {
    let mut rig = Start::default().rig();
    rig.keys("4").says("[All] Schedule");
    rig.keys("]").says("All [Schedule]").says("skipped: J40 was still running");
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
