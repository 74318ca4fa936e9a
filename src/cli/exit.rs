//! Exit codes (README.md, "Exit codes").

use crate::host::words::{JobReport, JobState};
use crate::model::{Class, Problem};

pub const DONE: u8 = 0;
pub const FAILED: u8 = 1;
/// `plan`: there are changes.
pub const CHANGES: u8 = 2;
pub const PARTIAL: u8 = 3;
/// A safety limit (or N16) held rows.
pub const HELD: u8 = 4;
pub const AUTH: u8 = 5;
/// clap's own usage errors.
pub const USAGE: u8 = 64;
pub const INTERRUPTED: u8 = 130;

/// Why a command ends without its document, and the code it ends with.
#[derive(Debug)]
pub struct Failure {
    pub problem: Problem,
    pub code: u8,
}

impl Failure {
    pub fn interrupted(problem: Problem) -> Self {
        Self { problem, code: INTERRUPTED }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { code: problem.exit_code(), problem }
    }
}

/// Of several causes the first of 130, 6, 5, 1, 4, 3 counts.
pub fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |code: &u8| match code {
        130 => 6,
        6 => 5,
        5 => 4,
        1 => 3,
        4 => 2,
        3 => 1,
        _ => 0,
    };
    codes.into_iter().max_by_key(rank).unwrap_or(DONE)
}

/// The code of a command that carried out this job.
pub fn of_job(report: &JobReport) -> u8 {
    let classes =
        || report.problems.iter().filter_map(|p| p.class).chain(report.trouble.iter().map(|t| t.class));
    let auth = || classes().any(|class| class == Class::Auth);
    match report.state {
        JobState::Running | JobState::Ok | JobState::Warnings => DONE,
        JobState::Interrupted => INTERRUPTED,
        JobState::Failed if auth() => AUTH,
        JobState::Failed => FAILED,
        JobState::Held | JobState::Partial | JobState::Cancelled => {
            let state = if report.state == JobState::Held { HELD } else { PARTIAL };
            worst(classes().map(of_class).chain([state]))
        }
    }
}

/// The code of a demonstration: rows that wait for a decision belong to the data (decision 26).
pub fn of_demo(report: &JobReport) -> u8 {
    match of_job(report) {
        HELD | PARTIAL if report.totals.failed == 0 && report.state != JobState::Cancelled => DONE,
        code => code,
    }
}

/// What one row's trouble means for the whole: a row that failed leaves the rest done.
const fn of_class(class: Class) -> u8 {
    match class {
        Class::Auth => AUTH,
        Class::Limit => HELD,
        _ => PARTIAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::words::{JobTotals, ProblemSource, RowProblem};
    use crate::model::{Entity, Integration, JobId, Moment, SourceId};

    fn report(state: JobState, classes: &[Class]) -> JobReport {
        let problem = |class: &Class| RowProblem {
            row: 1,
            entity: Entity::Customers,
            source: ProblemSource { id: SourceId::new("1"), name: "One".into() },
            message: "trouble".into(),
            class: Some(*class),
        };
        JobReport {
            job: JobId(1),
            plan: None,
            integration: Integration::Also,
            entities: Vec::new(),
            scheduled: false,
            purpose: crate::plan::Purpose::Whole,
            state,
            totals: JobTotals::default(),
            requests: std::collections::BTreeMap::new(),
            started: Moment::UNIX_EPOCH,
            finished: None,
            by: String::new(),
            stages: Vec::new(),
            problems: classes.iter().map(problem).collect(),
            trouble: None,
            is_paused: false,
        }
    }

    #[test]
    fn the_first_cause_of_the_documented_order_counts() {
        assert_eq!(worst([3, 4, 1, 5, 6, 130]), 130);
        assert_eq!(worst([3, 4, 1, 5, 6]), 6);
        assert_eq!(worst([3, 4, 1, 5]), 5);
        assert_eq!(worst([3, 4, 1]), 1);
        assert_eq!(worst([0, 3, 4]), 4);
        assert_eq!(worst([0, 3]), 3);
        assert_eq!(worst([]), 0);
    }

    #[test]
    fn a_job_s_state_and_rows_decide_its_code() {
        use JobState::{Cancelled, Failed, Held, Interrupted, Ok, Partial, Warnings};
        for (state, classes, code) in [
            (Ok, &[][..], 0),
            (Warnings, &[][..], 0),
            (Partial, &[][..], 3),
            (Partial, &[Class::Record][..], 3),
            (Partial, &[Class::Host][..], 3),
            (Partial, &[Class::Record, Class::Limit][..], 4),
            (Partial, &[Class::Limit, Class::Auth][..], 5),
            (Cancelled, &[][..], 3),
            (Held, &[][..], 4),
            (Held, &[Class::Record][..], 4),
            (Failed, &[][..], 1),
            (Failed, &[Class::Limit][..], 1),
            (Failed, &[Class::Auth][..], 5),
            (Interrupted, &[Class::Auth][..], 130),
        ] {
            assert_eq!(of_job(&report(state, classes)), code, "{state:?} {classes:?}");
        }
    }

    #[test]
    fn held_rows_do_not_spoil_a_demonstration_but_failed_ones_do() {
        let mut held = report(JobState::Partial, &[]);
        assert_eq!(of_demo(&held), 0);
        held.totals.failed = 1;
        assert_eq!(of_demo(&held), 3);
        assert_eq!(of_demo(&report(JobState::Failed, &[])), 1);
    }
}
