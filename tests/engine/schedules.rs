//! Schedules in the engine: what starts by itself, what does not, and what is written down of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parhelion::engine::Engine;
use parhelion::host::words::{
    Answer, Fate, JobReport, JobState, Query, SCHEDULE, ScheduleView, SettingChange,
};
use parhelion::model::{Class, Integration, Place};

use super::oracle;
use super::rig::{Ground, by_hand, ended, new_customers, run};

const ALSO: Integration = Integration::Also;
const HOUR: u64 = 3600;

async fn set(engine: &Arc<Engine>, key: &str, value: &str) {
    let change = SettingChange { key: key.into(), value: Some(value.into()) };
    engine.set(&[change]).await.expect("a setting");
}

/// An engine that watches its schedules; ALSO's is on, at 10:00 UTC, an hour from now.
async fn watching(ground: &mut Ground) -> Arc<Engine> {
    let engine = ground.start().await;
    set(&engine, "also.schedule.zone", "UTC").await;
    set(&engine, "also.schedule.at", "10:00").await;
    set(&engine, "also.schedule.enabled", "true").await;
    engine.start_schedules();
    engine
}

async fn hours(count: u64) {
    // In steps, as a machine lives: a paused clock would otherwise jump over what the tasks wait for.
    for _ in 0..count * 12 {
        tokio::time::sleep(Duration::from_secs(300)).await;
    }
}

fn view(engine: &Arc<Engine>) -> ScheduleView {
    match engine.answer(Query::Schedules { past: 50 }).expect("an answer") {
        Answer::Schedules(all) => {
            all.into_iter().find(|view| view.integration == ALSO).expect("a schedule of ALSO")
        }
        other => panic!("{other:?}"),
    }
}

/// The jobs that a schedule started, oldest first.
fn jobs(engine: &Arc<Engine>) -> Vec<JobReport> {
    let mut jobs: Vec<_> =
        engine.jobs(500).expect("jobs").into_iter().filter(|job| job.by == SCHEDULE).collect();
    jobs.reverse();
    jobs
}

/// What became of each occurrence, latest first.
fn fates(engine: &Arc<Engine>) -> Vec<(String, String)> {
    view(engine)
        .past
        .into_iter()
        .map(|run| {
            let fate = match run.past.fate {
                Fate::Started { job } => format!("{job} {}", run.state.expect("a job has a state").word()),
                Fate::Skipped { why } => why,
                Fate::Missed => "missed".into(),
            };
            (run.past.id.to_string(), fate)
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn q3_a_schedule_runs_once_a_day_as_a_scheduled_job() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = watching(&mut ground).await;
    assert_eq!(view(&engine).next, Some("2026-02-03T10:00:00Z".parse().expect("a moment")));
    tokio::time::sleep(Duration::from_secs(HOUR - 60)).await;
    assert!(jobs(&engine).is_empty(), "not before its time");
    hours(23).await;
    let ran = jobs(&engine);
    assert_eq!(ran.len(), 1);
    assert!(ran[0].scheduled && ran[0].state == JobState::Ok, "{ran:?}");
    assert_eq!(ran[0].started.to_string()[..16], *"2026-02-03T10:00");
    hours(24).await;
    assert_eq!(jobs(&engine).len(), 2);
    assert_eq!(fates(&engine)[0], ("2026-02-04/10:00/1".into(), "J2 ok".into()));
    assert!(view(&engine).is_watched);
}

#[tokio::test(start_paused = true)]
async fn a_restart_repeats_nothing_and_a_late_start_makes_up_for_the_latest() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    hours(2).await;
    assert_eq!(jobs(&engine).len(), 1);
    ground.crash(engine, |synced, _| synced, true).await;
    let engine = ground.open();
    engine.start_schedules();
    hours(3).await;
    assert_eq!(jobs(&engine).len(), 1, "the same occurrence is not run again");
    ground.kill(engine).await;
    tokio::time::sleep(Duration::from_secs(3 * 24 * HOUR)).await;
    let engine = ground.open();
    engine.start_schedules();
    hours(1).await;
    let fates = fates(&engine);
    let said: Vec<_> = fates.iter().map(|(id, fate)| (&id[..10], fate.as_str())).collect();
    assert_eq!(
        said,
        [
            ("2026-02-06", "J2 ok"),
            ("2026-02-05", "missed"),
            ("2026-02-04", "missed"),
            ("2026-02-03", "J1 ok")
        ]
    );
    ground.kill(engine).await;
    tokio::time::sleep(Duration::from_secs(33 * HOUR)).await;
    let engine = ground.open();
    engine.start_schedules();
    hours(1).await;
    assert_eq!(jobs(&engine).len(), 2, "fourteen hours late is too late");
    assert_eq!(self::fates(&engine)[0], ("2026-02-07/10:00/1".into(), "missed".into()));
}

#[tokio::test(start_paused = true)]
async fn wherever_the_process_ends_an_occurrence_has_one_job_and_the_job_is_finished() {
    let whole = {
        let mut ground = Ground::new(new_customers(3, 2));
        let engine = ground.start().await;
        run(&engine, by_hand()).await;
        oracle::content(&ground.sandbox)
    };
    for n in 1..40 {
        for (torn, lose_index) in [(false, true), (true, false)] {
            let mut ground = Ground::new(new_customers(3, 2));
            let engine = watching(&mut ground).await;
            tokio::time::sleep(Duration::from_secs(HOUR - 60)).await;
            ground.process.end_after(n, true, &ground.disk.clone(), torn);
            hours(2).await;
            ground.crash(engine, |synced, _| synced, lose_index).await;
            let engine = ground.open();
            engine.start_schedules();
            hours(3).await;
            let ran = jobs(&engine);
            let fates = fates(&engine);
            assert_eq!((ran.len(), fates.len()), (1, 1), "step {n}, torn {torn}: {fates:?}");
            assert_eq!(ran[0].state, JobState::Ok, "step {n}, torn {torn}: {:?}", ran[0].trouble);
            let found = oracle::content(&ground.sandbox);
            assert_eq!(oracle::difference(&found, &whole), None, "step {n}, torn {torn}");
            ground.kill(engine).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_does_not_reach_the_disk_has_not_happened() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    tokio::time::sleep(Duration::from_secs(HOUR - 60)).await;
    ground.disk.fail_sync(1);
    hours(1).await;
    assert!(oracle::content(&ground.sandbox).values().all(Vec::is_empty), "nothing was sent");
    ground.crash(engine, |synced, _| synced, true).await;
    let engine = ground.open();
    engine.start_schedules();
    hours(1).await;
    assert_eq!(fates(&engine).len(), 1);
    assert_eq!(jobs(&engine).len(), 1, "both were lost, both are there again");
}

#[tokio::test(start_paused = true)]
async fn steps_of_the_clock_repeat_nothing_and_a_jump_runs_once() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    hours(2).await;
    engine.world.step(-3 * HOUR as i64);
    hours(5).await;
    assert_eq!(jobs(&engine).len(), 1, "set back over its time");
    assert!(view(&engine).warning.expect("a warning").contains("back by 180 min"));
    // It is 13:00; ten days forward.
    engine.world.step(10 * 24 * HOUR as i64);
    hours(1).await;
    assert_eq!(jobs(&engine).len(), 2, "one run, however many were jumped over");
    assert!(view(&engine).warning.expect("a warning").contains("forward"));
    // And back again: the days come once more.
    engine.world.step(-10 * 24 * HOUR as i64);
    hours(24).await;
    let ids: Vec<_> = fates(&engine).into_iter().filter(|(_, fate)| fate.starts_with('J')).collect();
    assert_eq!(jobs(&engine).len(), 3, "the next day's had no job yet: {ids:?}");
    hours(24 * 12).await;
    let mut started: Vec<_> =
        fates(&engine).into_iter().filter(|(_, fate)| fate.starts_with('J')).map(|(id, _)| id).collect();
    let all = started.len();
    started.dedup();
    assert_eq!(
        (started.len(), all),
        (14, 14),
        "each of fourteen days has one, the jumped-to one its old one"
    );
}

#[tokio::test(start_paused = true)]
async fn q1_q2_what_may_not_run_is_said_and_noted() {
    let mut ground = Ground::new(new_customers(1, 1));
    let engine = watching(&mut ground).await;
    set(&engine, "also.schedule.entities", "[]").await;
    assert_eq!(view(&engine).obstacle.as_deref(), Some("on, but nothing selected"));
    hours(2).await;
    assert_eq!(fates(&engine)[0].1, "on, but nothing selected");
    let refused = engine.run_schedule(ALSO).await.expect_err("nothing to run");
    assert_eq!(refused.class, Class::Input);

    set(&engine, "also.schedule.entities", "[\"customers\"]").await;
    set(&engine, "also.enabled", "false").await;
    hours(24).await;
    assert_eq!(fates(&engine)[0].1, "ALSO is switched off");

    set(&engine, "also.enabled", "true").await;
    ground.down.store(true, Ordering::SeqCst);
    assert!(!engine.test(Place::Of(ALSO), &[], &[]).await.expect("a report").ok);
    ground.down.store(false, Ordering::SeqCst);
    hours(24).await;
    assert!(fates(&engine)[0].1.starts_with("the last test of ALSO failed"), "{:?}", fates(&engine)[0]);
    assert!(jobs(&engine).is_empty());

    assert!(engine.test(Place::Of(ALSO), &[], &[]).await.expect("a report").ok);
    hours(24).await;
    assert_eq!(jobs(&engine).len(), 1, "a good test lets it go on");
    assert_eq!(jobs(&engine)[0].entities.len(), 1, "Q2: what is selected, nothing else");
    set(&engine, "also.schedule.enabled", "false").await;
    hours(48).await;
    assert_eq!(jobs(&engine).len(), 1);
    assert_eq!(view(&engine).next, None);
}

#[tokio::test(start_paused = true)]
async fn p34_a_run_whose_predecessor_still_runs_is_skipped_or_waits() {
    for (overlap, runs) in [("skip", 0), ("wait", 1)] {
        let sandbox = new_customers(2, 1);
        let mut quirks = (*sandbox.quirks()).clone();
        quirks.halo.latency_ms = 50;
        sandbox.set_quirks(quirks);
        let mut ground = Ground::new(sandbox);
        let engine = watching(&mut ground).await;
        set(&engine, "also.schedule.overlap", overlap).await;
        tokio::time::sleep(Duration::from_secs(HOUR - 120)).await;
        // A host that is out holds a job for ten minutes before it gives up.
        let job = engine.run(by_hand()).await.expect("a job");
        while engine.job(job).expect("the job").plan.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ground.down.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(240)).await;
        assert_eq!(engine.job(job).expect("the job").state, JobState::Running);
        assert!(jobs(&engine).is_empty());
        ground.down.store(false, Ordering::SeqCst);
        assert_eq!(ended(&engine, job).await.state, JobState::Ok);
        hours(1).await;
        assert_eq!(jobs(&engine).len(), runs, "{overlap}");
        if runs == 0 {
            assert_eq!(fates(&engine)[0].1, "J1 was still running");
        }
        ground.kill(engine).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_integrations_at_one_time_take_turns() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    for (key, value) in [("zone", "UTC"), ("at", "10:00"), ("enabled", "true")] {
        set(&engine, &format!("westcoast.schedule.{key}"), value).await;
    }
    hours(2).await;
    let ran: Vec<_> = jobs(&engine).iter().map(|job| (job.integration, job.state)).collect();
    assert_eq!(ran, [(ALSO, JobState::Ok), (Integration::Westcoast, JobState::Ok)]);
}

#[tokio::test(start_paused = true)]
async fn p44_a_refused_sign_in_pauses_at_once_and_a_good_test_resumes() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    engine.seal("also.password", &parhelion::model::Secret::new("wrong")).await.expect("sealed");
    hours(2).await;
    let job = jobs(&engine).remove(0);
    assert_eq!((job.state, job.trouble.expect("why").class), (JobState::Failed, Class::Auth));
    let said = view(&engine);
    assert!(said.is_paused && said.obstacle.expect("why").starts_with("paused: J1 was refused"));
    hours(24).await;
    assert_eq!(jobs(&engine).len(), 1, "no second try, so that the account is not locked");
    assert!(fates(&engine)[0].1.starts_with("paused"));

    let right = parhelion::model::Secret::new(parhelion::sandbox::PASSWORD);
    engine.seal("also.password", &right).await.expect("sealed");
    assert!(view(&engine).is_paused, "a new password is not proven yet");
    assert!(engine.test(Place::Of(ALSO), &[], &[]).await.expect("a report").ok);
    assert!(!view(&engine).is_paused);
    hours(24).await;
    assert_eq!(jobs(&engine).last().expect("a job").state, JobState::Ok);
}

#[tokio::test(start_paused = true)]
async fn p44_failures_in_a_row_pause_and_a_person_resumes() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    ground.down.store(true, Ordering::SeqCst);
    hours(2 * 24 + 2).await;
    assert_eq!(jobs(&engine).len(), 3);
    assert!(view(&engine).is_paused, "three nights in a row");
    hours(24).await;
    assert_eq!(jobs(&engine).len(), 3);
    ground.crash(engine, |synced, _| synced, true).await;
    let engine = ground.open();
    engine.start_schedules();
    assert!(view(&engine).is_paused, "a restart does not forget it");
    ground.down.store(false, Ordering::SeqCst);
    engine.resume_schedule(ALSO).await.expect("it goes on");
    assert!(!view(&engine).is_paused);
    hours(24).await;
    assert_eq!(jobs(&engine).last().expect("a job").state, JobState::Ok);
    ground.down.store(true, Ordering::SeqCst);
    hours(2 * 24).await;
    assert!(!view(&engine).is_paused, "two failures since the good one are not three");
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_once_the_engine_closes() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = watching(&mut ground).await;
    hours(0).await;
    engine.close().await.expect("closed");
    hours(3).await;
    assert!(jobs(&engine).is_empty());
}

#[tokio::test(start_paused = true)]
async fn run_now_is_a_scheduled_job_and_no_occurrence() {
    let mut ground = Ground::new(new_customers(2, 1));
    let engine = ground.start().await;
    let job = engine.run_schedule(ALSO).await.expect("a job");
    let report = ended(&engine, job).await;
    assert!(report.scheduled && report.by == "tester" && report.state == JobState::Ok);
    assert!(view(&engine).past.is_empty());
    assert!(!view(&engine).is_watched, "somebody else must");
}
