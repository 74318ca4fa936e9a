//! The rows of a job whose plan is not kept any more: put together from the trail (P31). What was written is all there;
//! of what only waited, the report names as many as it keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::records::RowEnd;
use crate::engine::words::{JobReport, JobRow};
use crate::model::{FieldName, Problem, Value};
use crate::plan::{Action, Change, Image, Side};

impl Engine {
    /// So many of the rows from a row on.
    ///
    /// # Errors
    /// Where the trail no longer reaches back to the job.
    pub(super) fn told_past_rows(
        &self,
        report: &JobReport,
        from: u32,
        limit: usize,
    ) -> Result<Vec<JobRow>, Problem> {
        let known = self.live().past_rows.clone().filter(|(job, _)| *job == report.job);
        let rows = match known {
            Some((_, rows)) if from > 1 => rows,
            // The trail is read once for all of them.
            _ => {
                let rows = Arc::new(self.past_rows(report)?);
                self.live().past_rows = Some((report.job, Arc::clone(&rows)));
                rows
            }
        };
        let told: Vec<JobRow> =
            rows.iter().filter(|row| row.change.row >= from).take(limit).cloned().collect();
        if told.len() < limit {
            self.live().past_rows = None;
        }
        Ok(told)
    }

    /// All rows that are told of, in order.
    fn past_rows(&self, report: &JobReport) -> Result<Vec<JobRow>, Problem> {
        let mut rows: BTreeMap<u32, JobRow> = BTreeMap::new();
        for problem in &report.problems {
            let source = Side { id: problem.source.id.clone(), name: problem.source.name.as_str().into() };
            let mut change = Change::new(problem.entity, Action::Held, source, [problem.message.as_str()]);
            change.row = problem.row;
            let end = if problem.class.is_some() { RowEnd::Failed } else { RowEnd::Held };
            rows.insert(problem.row, JobRow { change, end, message: problem.message.clone() });
        }
        for (row, mut deed) in self.deeds_by_row(report.job)? {
            let Some((end, message)) = deed.end.take() else { continue };
            let known = rows.get(&row).map(|row| row.change.source.clone());
            let nameless = deed.key().cloned();
            let mut change = match (self.image(report.integration, deed)?, nameless) {
                (Some(image), _) => change_of(image),
                // A create of which nothing came.
                (None, Some((entity, id))) => {
                    let name = id.as_str().into();
                    Change::new(entity, Action::Create, Side { id, name }, std::iter::empty::<&str>())
                }
                (None, None) => continue,
            };
            change.row = row;
            if let Some(source) = known {
                change.source = source;
            }
            let message = if end == RowEnd::Done { String::new() } else { message };
            rows.insert(row, JobRow { change, end, message });
        }
        Ok(rows.into_values().collect())
    }
}

/// The row that led to these writes, as far as they tell.
fn change_of(image: Image) -> Change {
    let goes_inactive = |field: &crate::plan::FieldChange| {
        field.name == FieldName::Status && field.after == Some(Value::Active(false))
    };
    let action = if image.created {
        Action::Create
    } else if image.fields.is_empty() {
        Action::Link
    } else if image.fields.iter().any(goes_inactive) {
        Action::Deactivate
    } else {
        Action::Update
    };
    let mut change = Change::new(image.entity, action, image.source, std::iter::empty::<&str>());
    change.customer = image.customer;
    change.target = Some(Side { id: image.target, name: "".into() });
    change.fields = image.fields;
    change
}
