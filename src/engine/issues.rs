//! The issue inbox (P30): what waits for a person over all jobs, one entry a record, the newest state of it. An issue
//! closes itself when its row passes, or when a whole plan no longer has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Engine;
use super::glance::Whole;
use super::log::safe;
use super::records::{Aside, KeptIssue, OpenIssue, Record, RowEnd};
use crate::engine::words::{Asked, Issue, IssueGroup, IssuesView, JobReport, Which};
use crate::model::{Class, Entity, Integration, Moment, Problem, SourceId};
use crate::plan::{Action, Cause, Change, Plan, Purpose};

/// Issues that one line of the trail holds at most.
const TOGETHER: usize = 200;
/// Records of a group that an answer holds; the number of all is in it too.
const SHOWN: usize = 1000;
/// The kind of issues that wait for a jump, and of those that a person lets through.
const SUSPICIOUS: &str = "suspicious";
const RELEASED: &str = "released";

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
        self.book.each_plan_piece(plan, |_, piece| {
            let mut whole = Whole::of(piece);
            for row in piece.glances()? {
                let state = ended.get(&row.row);
                let was = old.remove(&(row.entity, row.source().clone()));
                let failed = match (state.map(|state| state.end), row.action) {
                    (Some(RowEnd::Failed), _) => true,
                    (Some(RowEnd::Held), _) | (None, Action::Held) => false,
                    // Nothing was tried: it stays as it was.
                    (Some(RowEnd::Skipped), _) => continue,
                    (None, action) if action.acts() => continue,
                    _ => {
                        closed.extend(was.map(|was| (was.issue.entity, was.issue.source)));
                        continue;
                    }
                };
                let Some(change) = whole.row(row.row)? else { continue };
                let issue = issue_of(change, failed, state.map(|state| state.message.as_str()));
                let same =
                    was.is_some_and(|was| was.issue.failed == failed && was.issue.message == issue.message);
                if !same {
                    open.push(issue);
                }
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

    /// All open issues by cause, the largest group first; those put aside are counted and kept apart. Of each group at
    /// most so many are told.
    pub(super) fn issues(&self, of: Option<Integration>) -> Result<IssuesView, Problem> {
        self.grouped(of, SHOWN)
    }

    fn grouped(&self, of: Option<Integration>, most: usize) -> Result<IssuesView, Problem> {
        let now = self.world.now();
        let mut groups: BTreeMap<(Integration, bool, String, String), IssueGroup> = BTreeMap::new();
        let (mut total, mut aside) = (0, 0);
        for integration in Integration::ALL.into_iter().filter(|i| of.is_none_or(|of| of == *i)) {
            let asides = self.book.asides(integration)?;
            for kept in self.book.issues(integration)? {
                let put = asides.get(&aside_key(kept.issue.entity, &kept.issue.source));
                let (is_aside, until) = match put {
                    Some(Aside::Dismissed | Aside::Released) => (true, None),
                    Some(Aside::Until(at)) if *at > now => (true, Some(*at)),
                    _ => (false, None),
                };
                let kind = match put {
                    Some(Aside::Released) => RELEASED,
                    _ => &kept.issue.kind,
                };
                total += u64::from(!is_aside);
                aside += u64::from(is_aside);
                let shape = shape(&kept.issue.message);
                let key = (integration, is_aside, kind.to_owned(), shape.clone());
                let group = groups.entry(key).or_insert_with(|| IssueGroup {
                    integration,
                    cause: kept.issue.message.clone(),
                    kind: kind.to_owned(),
                    is_aside,
                    count: 0,
                    issues: Vec::new(),
                });
                if group.cause != kept.issue.message {
                    group.cause = shape;
                }
                group.count += 1;
                if group.issues.len() < most {
                    group.issues.push(shown(integration, kept, until));
                }
            }
        }
        let mut groups: Vec<IssueGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| (group.is_aside, std::cmp::Reverse(group.count)));
        Ok(IssuesView { total, aside, groups })
    }

    /// Puts issues aside, for good or until a moment, takes them up again, or lets their jumps through.
    ///
    /// # Errors
    /// `Input` where one of them is no open issue, or is to be released and is no jump; then nothing is changed.
    pub async fn put_aside(
        &self,
        integration: Integration,
        which: &Which,
        asked: Asked,
    ) -> Result<String, Problem> {
        let chosen = self.chosen_issues(integration, which)?;
        if asked == Asked::Release
            && let Some((kind, issue)) =
                chosen.iter().find(|(kind, _)| kind != SUSPICIOUS && kind != RELEASED)
        {
            let message = format!(
                "{} '{}' does not wait for a jump ({kind}).",
                issue.entity.singular(),
                issue.source.name
            );
            return Err(Problem::new(Class::Input, message).remedy(
                "Nothing was changed. Only suspicious rows are let through; settle what this one waits for.",
            ));
        }
        let count = chosen.len();
        let (aside, said) = match asked {
            Asked::Dismiss => (Some(Aside::Dismissed), "dismissed until the cause changes".to_owned()),
            Asked::Snooze { until } => (Some(Aside::Until(until)), format!("put aside until {until}")),
            Asked::TakeUp => (None, "open again".to_owned()),
            Asked::Release => (Some(Aside::Released), "let through in the next scheduled run".to_owned()),
        };
        let issues: Vec<(Entity, SourceId)> =
            chosen.into_iter().map(|(_, issue)| (issue.entity, issue.source.id)).collect();
        for part in issues.chunks(TOGETHER) {
            let record =
                Record::Aside { integration, issues: part.to_vec(), aside: aside.clone(), by: self.by() };
            self.book.record(&[record]).await?;
        }
        self.changed(integration);
        Ok(format!("{count} {} {said}.", if count == 1 { "issue is" } else { "issues are" }))
    }

    /// The issues that are meant, each with its kind.
    ///
    /// # Errors
    /// `Input` where one of them is no open issue.
    pub(super) fn chosen_issues(
        &self,
        integration: Integration,
        which: &Which,
    ) -> Result<Vec<(String, Issue)>, Problem> {
        let view = self.grouped(Some(integration), usize::MAX)?;
        let none = |what: &str| {
            Problem::new(Class::Input, format!("{} has no open issue {what}.", integration.label()))
                .remedy("Nothing was changed. `parhelion jobs --issues` lists them.")
        };
        match which {
            Which::Cause { kind, cause, aside } => {
                let group = view
                    .groups
                    .into_iter()
                    .find(|group| group.kind == *kind && group.cause == *cause && group.is_aside == *aside);
                let group = group.ok_or_else(|| none("of that cause any more"))?;
                Ok(group.issues.into_iter().map(|issue| (group.kind.clone(), issue)).collect())
            }
            Which::Of { sources, entity } => {
                let wanted: BTreeSet<&SourceId> = sources.iter().collect();
                let mut chosen: Vec<(String, Issue)> = Vec::new();
                for group in view.groups {
                    let is_meant = |issue: &Issue| {
                        wanted.contains(&issue.source.id) && entity.is_none_or(|only| only == issue.entity)
                    };
                    let kind = group.kind;
                    chosen
                        .extend(group.issues.into_iter().filter(is_meant).map(|issue| (kind.clone(), issue)));
                }
                let found: BTreeSet<&SourceId> = chosen.iter().map(|(_, issue)| &issue.source.id).collect();
                if let Some(missing) = wanted.difference(&found).next() {
                    return Err(none(&format!("about {missing}")));
                }
                Ok(chosen)
            }
        }
    }

    /// The jumps that a person lets through, each with the sentence that it waited with (N8).
    pub(super) fn released(
        &self,
        integration: Integration,
    ) -> Result<BTreeMap<(Entity, SourceId), String>, Problem> {
        let asides = self.book.asides(integration)?;
        if !asides.values().any(|aside| *aside == Aside::Released) {
            return Ok(BTreeMap::new());
        }
        let mut released = BTreeMap::new();
        for KeptIssue { issue, .. } in self.book.issues(integration)? {
            if asides.get(&aside_key(issue.entity, &issue.source)) == Some(&Aside::Released) {
                released.insert((issue.entity, issue.source), issue.message);
            }
        }
        Ok(released)
    }
}

fn aside_key(entity: Entity, source: &SourceId) -> String {
    format!("{entity}/{source}")
}

fn shown(integration: Integration, kept: KeptIssue, until: Option<Moment>) -> Issue {
    Issue {
        integration,
        entity: kept.issue.entity,
        source: crate::engine::words::ProblemSource { id: kept.issue.source, name: kept.issue.name },
        customer: kept.issue.customer,
        customer_name: kept.issue.customer_name,
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
        customer_name: safe(&customer.name),
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
        Cause::Suspicious => SUSPICIOUS,
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
