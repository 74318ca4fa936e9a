//! The issue inbox (P30): what waits for a person over all jobs, one entry a record, the newest state of it. An issue
//! closes itself when its row passes, or when a whole plan no longer has it.

use std::collections::{BTreeMap, HashMap};

use super::Engine;
use super::log::safe;
use super::records::{Aside, KeptIssue, OpenIssue, Record, RowEnd};
use crate::engine::words::{Asked, Issue, IssueGroup, IssuesView, JobReport};
use crate::model::{Entity, Integration, Moment, Problem, SourceId};
use crate::plan::{Action, Cause, Change, Plan, Purpose};

/// Issues that one line of the trail holds at most.
const TOGETHER: usize = 200;
/// Records of a group that an answer holds; the number of all is in it too.
const SHOWN: usize = 1000;

impl Engine {
    /// What a job that is over leaves open, and what it closes. Only differences are written down: a record that waits
    /// for the same reason as before costs nothing.
    pub(super) async fn note_issues(&self, report: &JobReport, plan: &Plan) -> Result<(), Problem> {
        if matches!(plan.purpose, Purpose::Undo { .. }) {
            // What an undo leaves alone is no problem of an import.
            return Ok(());
        }
        let integration = plan.integration;
        let mut old: HashMap<(Entity, SourceId), KeptIssue> = self
            .book
            .issues(integration)?
            .into_iter()
            .map(|kept| ((kept.issue.entity, kept.issue.source.clone()), kept))
            .collect();
        let ended = self.book.rows(report.job)?;
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        self.book.each_plan_row(plan, |change| {
            let state = ended.get(&change.row);
            let now = match (state.map(|state| state.end), change.action) {
                (Some(RowEnd::Failed), _) => Some((true, state)),
                (Some(RowEnd::Held), _) | (None, Action::Held) => Some((false, state)),
                // Nothing was tried: it stays as it was.
                (Some(RowEnd::Skipped), _) => {
                    old.remove(&(change.entity, change.source.id.clone()));
                    return Ok(());
                }
                (None, action) if action.acts() => {
                    old.remove(&(change.entity, change.source.id.clone()));
                    return Ok(());
                }
                _ => None,
            };
            let key = (change.entity, change.source.id.clone());
            let was = old.remove(&key);
            match now {
                Some((failed, state)) => {
                    let issue = issue_of(&change, failed, state.map(|state| state.message.as_str()));
                    let same = was
                        .is_some_and(|was| was.issue.failed == failed && was.issue.message == issue.message);
                    if !same {
                        open.push(issue);
                    }
                }
                None if was.is_some() => closed.push(key),
                None => {}
            }
            Ok(())
        })?;
        if plan.purpose.is_whole() {
            // Gone from a whole plan: there is no such row any more, at least none that waits.
            let gone = |entity: &Entity| plan.outline.complete.get(entity) == Some(&true);
            closed.extend(old.into_keys().filter(|(entity, _)| gone(entity)));
        }
        closed.sort();
        let at = self.world.now();
        let mut open = open.into_iter().peekable();
        let mut closed = closed.into_iter().peekable();
        while open.peek().is_some() || closed.peek().is_some() {
            let record = Record::Issues {
                integration,
                job: report.job,
                at,
                open: open.by_ref().take(TOGETHER).collect(),
                closed: closed.by_ref().take(TOGETHER).collect(),
            };
            self.book.record(&[record]).await?;
        }
        Ok(())
    }

    /// All open issues by cause, the largest group first; those put aside are counted and kept apart.
    pub(super) fn issues(&self, of: Option<Integration>) -> Result<IssuesView, Problem> {
        let now = self.world.now();
        let mut groups: BTreeMap<(Integration, bool, String, String), IssueGroup> = BTreeMap::new();
        let (mut total, mut aside) = (0, 0);
        for integration in Integration::ALL.into_iter().filter(|i| of.is_none_or(|of| of == *i)) {
            let asides = self.book.asides(integration)?;
            for kept in self.book.issues(integration)? {
                let put = asides.get(&format!("{}/{}", kept.issue.entity, kept.issue.source));
                let until = match put {
                    Some(Aside::Dismissed) => Some(None),
                    Some(Aside::Until(at)) if *at > now => Some(Some(*at)),
                    _ => None,
                };
                total += u64::from(until.is_none());
                aside += u64::from(until.is_some());
                let shape = shape(&kept.issue.message);
                let key = (integration, until.is_some(), kept.issue.kind.clone(), shape.clone());
                let group = groups.entry(key).or_insert_with(|| IssueGroup {
                    integration,
                    cause: kept.issue.message.clone(),
                    kind: kept.issue.kind.clone(),
                    is_aside: until.is_some(),
                    count: 0,
                    issues: Vec::new(),
                });
                if group.cause != kept.issue.message {
                    group.cause = shape;
                }
                group.count += 1;
                if group.issues.len() < SHOWN {
                    group.issues.push(shown(integration, kept, until.flatten()));
                }
            }
        }
        let mut groups: Vec<IssueGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| (group.is_aside, std::cmp::Reverse(group.count)));
        Ok(IssuesView { total, aside, groups })
    }

    /// Puts issues aside, for good or until a moment, or takes them up again.
    pub async fn put_aside(
        &self,
        integration: Integration,
        issues: Vec<(Entity, SourceId)>,
        asked: Asked,
    ) -> Result<String, Problem> {
        let count = issues.len();
        let (aside, said) = match asked {
            Asked::Dismiss => (Some(Aside::Dismissed), "dismissed until the cause changes".to_owned()),
            Asked::Snooze { until } => (Some(Aside::Until(until)), format!("put aside until {until}")),
            Asked::TakeUp => (None, "open again".to_owned()),
        };
        for part in issues.chunks(TOGETHER) {
            let record =
                Record::Aside { integration, issues: part.to_vec(), aside: aside.clone(), by: self.by() };
            self.book.record(&[record]).await?;
        }
        self.changed(integration);
        Ok(format!("{count} {} {said}.", if count == 1 { "issue is" } else { "issues are" }))
    }
}

fn shown(integration: Integration, kept: KeptIssue, until: Option<Moment>) -> Issue {
    Issue {
        integration,
        entity: kept.issue.entity,
        source: crate::engine::words::ProblemSource { id: kept.issue.source, name: kept.issue.name },
        customer: kept.issue.customer,
        failed: kept.issue.failed,
        message: kept.issue.message,
        job: kept.job,
        row: kept.issue.row,
        since: kept.since,
        until,
    }
}

fn issue_of(change: &Change, failed: bool, message: Option<&str>) -> OpenIssue {
    let planned = change.reasons.first().map_or("", |reason| reason);
    let kind = match (&change.hold, failed) {
        (_, true) => "failed",
        (Some(hold), _) => word(&hold.cause),
        (None, false) => "changed",
    };
    let customer = change.customer.as_ref().unwrap_or(&change.source);
    OpenIssue {
        entity: change.entity,
        source: change.source.id.clone(),
        name: safe(&change.source.name),
        customer: customer.id.clone(),
        row: change.row,
        failed,
        kind: kind.to_owned(),
        message: safe(message.filter(|message| !message.is_empty()).unwrap_or(planned)),
    }
}

const fn word(cause: &Cause) -> &'static str {
    match cause {
        Cause::LookAlike { .. } => "look-alike",
        Cause::Ambiguous { .. } => "ambiguous",
        Cause::Data => "data",
        Cause::Conflict { .. } => "conflict",
        Cause::Limit { .. } => "limit",
        Cause::Suspicious => "suspicious",
        Cause::SafeMode => "first-run",
        Cause::Unproven => "unproven",
        Cause::Missing => "missing",
        Cause::Foreign => "foreign",
    }
}

/// A sentence without what is the record's own, names in quotes and numbers: equal shapes have one cause.
fn shape(message: &str) -> String {
    let mut shape = String::with_capacity(message.len());
    let (mut quoted, mut number) = (false, false);
    let mut last = ' ';
    let mut letters = message.chars().peekable();
    while let Some(c) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        // An apostrophe inside a word quotes nothing.
        let quotes = c == '\'' && (if quoted { !next.is_alphanumeric() } else { !last.is_alphanumeric() });
        if quotes {
            if !quoted {
                shape.push('…');
            }
            quoted = !quoted;
        } else if !quoted {
            if c.is_ascii_digit() && (number || !last.is_alphanumeric()) {
                if !number {
                    shape.push('…');
                }
                number = true;
            } else {
                number = false;
                shape.push(c);
            }
        }
        last = c;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn one_cause_has_one_shape() {
        let one = shape("may be 'O'Neill & Sons' (12), the same normal form (K3)");
        assert_eq!(one, shape("may be 'Alder' (4711), the same normal form (K3)"));
        assert_eq!(one, "may be … (…), the same normal form (K3)");
        assert_eq!(shape("Halo's answer was 500"), "Halo's answer was …");
        assert_ne!(shape("not mapped (B1)"), shape("not mapped (B2)"));
    }
}
