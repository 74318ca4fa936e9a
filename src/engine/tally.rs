//! The counters of a running job: written by its workers, read by whoever shows progress.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

use crate::engine::words::{JobTotals, Phase, ProblemSource, RowProblem, StageProgress};
use crate::model::{Class, Entity};
use crate::plan::{Action, Change};

/// Problems kept in a report, of each class; the log has all.
const KEPT: usize = 100;

pub struct Tally {
    inner: Mutex<Inner>,
    /// Told whenever something moves.
    news: Arc<Notify>,
}

struct Inner {
    stages: Vec<StageProgress>,
    phase: Phase,
    waiting: Option<String>,
    problems: Vec<RowProblem>,
    /// (moment, rows done) of the last ten seconds.
    pace: VecDeque<(Instant, u64)>,
    changed: bool,
}

impl Tally {
    pub fn new(stages: Vec<StageProgress>, problems: Vec<RowProblem>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                stages,
                phase: Phase::Planning,
                waiting: None,
                problems,
                pace: VecDeque::new(),
                changed: true,
            }),
            news: Arc::default(),
        }
    }

    pub fn news(&self) -> Arc<Notify> {
        self.news.clone()
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = f(&mut inner);
        if inner.changed {
            self.news.notify_one();
        }
        answer
    }

    pub fn set_stages(&self, stages: Vec<StageProgress>) {
        self.with(|i| {
            i.stages = stages;
            i.changed = true;
        });
    }

    pub fn phase(&self, phase: Phase) {
        self.with(|i| {
            i.phase = phase;
            i.changed = true;
        });
    }

    pub fn waiting(&self, why: Option<String>) {
        self.with(|i| {
            i.changed |= i.waiting != why;
            i.waiting = why;
        });
    }

    /// A row that acted is over.
    pub fn done(&self, entity: Entity, action: Action) {
        self.count(entity, |t| t.rows.count(action));
    }

    pub fn failed(&self, change: &Change, message: String, class: Class) {
        self.count(change.entity, |t| t.failed += 1);
        self.problem(change, message, Some(class));
    }

    /// A row that had been done, but does not hold in the target.
    pub fn failed_after(&self, change: &Change, action: Action, message: String) {
        self.with(|i| {
            if let Some(stage) = i.stages.iter_mut().find(|s| s.entity == change.entity) {
                stage.totals.rows.take_back(action);
                stage.totals.failed += 1;
            }
            i.changed = true;
        });
        self.problem(change, message, Some(Class::Record));
    }

    pub fn held(&self, change: &Change, message: String) {
        self.count(change.entity, |t| t.rows.held += 1);
        self.problem(change, message, None);
    }

    pub fn skipped(&self, change: &Change) {
        self.count(change.entity, |t| t.rows.skipped += 1);
    }

    fn count(&self, entity: Entity, f: impl FnOnce(&mut JobTotals)) {
        self.with(|i| {
            if let Some(stage) = i.stages.iter_mut().find(|s| s.entity == entity) {
                stage.done += 1;
                f(&mut stage.totals);
            }
            i.changed = true;
        });
    }

    /// Something to tell that is about a row but ends none.
    pub fn problem(&self, change: &Change, message: String, class: Option<Class>) {
        self.with(|i| {
            if i.problems.iter().filter(|p| p.class == class).count() < KEPT {
                i.problems.push(RowProblem {
                    row: change.row,
                    entity: change.entity,
                    source: ProblemSource {
                        id: change.source.id.clone(),
                        name: super::log::safe(&change.source.name),
                    },
                    message,
                    class,
                });
            }
        });
    }

    pub fn stages(&self) -> Vec<StageProgress> {
        self.with(|i| i.stages.clone())
    }

    pub fn problems(&self) -> Vec<RowProblem> {
        self.with(|i| i.problems.clone())
    }

    pub fn totals(&self) -> JobTotals {
        self.stages().iter().fold(JobTotals::default(), |sum, s| add(sum, s.totals))
    }

    /// Whether anything moved since the last call.
    pub fn take_changed(&self) -> bool {
        self.with(|i| std::mem::take(&mut i.changed))
    }

    /// Phase, what it waits for, rows a second, seconds left.
    pub fn motion(&self) -> (Phase, Option<String>, f64, Option<u64>) {
        self.with(|i| {
            let now = Instant::now();
            let done: u64 = i.stages.iter().map(|s| s.done).sum();
            let total: u64 = i.stages.iter().map(|s| s.total).sum();
            i.pace.push_back((now, done));
            while i.pace.front().is_some_and(|(at, _)| now - *at > Duration::from_secs(10)) {
                i.pace.pop_front();
            }
            let rate = match i.pace.front() {
                Some((at, first)) if now > *at => {
                    (done - first.min(&done)) as f64 / (now - *at).as_secs_f64()
                }
                _ => 0.0,
            };
            let left = (rate > 0.0 && total >= done).then(|| ((total - done) as f64 / rate).ceil() as u64);
            (i.phase.clone(), i.waiting.clone(), rate, left)
        })
    }
}

fn add(mut a: JobTotals, b: JobTotals) -> JobTotals {
    a.rows.create += b.rows.create;
    a.rows.update += b.rows.update;
    a.rows.link += b.rows.link;
    a.rows.zero += b.rows.zero;
    a.rows.deactivate += b.rows.deactivate;
    a.rows.unchanged += b.rows.unchanged;
    a.rows.skipped += b.rows.skipped;
    a.rows.held += b.rows.held;
    a.failed += b.failed;
    a.not_done += b.not_done;
    a
}
