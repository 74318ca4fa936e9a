//! The field mappings: what really exists on both sides, and what a row would do to a real record (L15, L16). Everything
//! here reads; rows are saved as the setting that they are.

mod sample;
mod steps;
mod trial;

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Engine, keys};
use crate::engine::words::{Event, FieldCopy, FieldSides, FieldTable};
use crate::integrations::field_sample::{FieldLine, LineOf, Sample, Verdict};
use crate::integrations::liongard::is_attribute;
use crate::integrations::{self, FieldRule};
use crate::model::liongard::SourceMetric;
use crate::model::settings::FieldMapping;
use crate::model::text::shown;
use crate::model::{Class, Integration, Moment, Problem};

/// A sample, and when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    pub at: Moment,
    pub sample: Sample,
}

impl Engine {
    /// Reads a sample of both sides and keeps it.
    ///
    /// # Errors
    /// One side cannot be read at all, or the integration has no field mappings of its own.
    pub async fn read_fields(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        let result = self.sampled_anew(integration).await;
        let mut live = self.live();
        match &result {
            Ok(_) => live.sample_trouble.remove(&integration),
            Err(problem) => live.sample_trouble.insert(integration, problem.to_string()),
        };
        drop(live);
        self.tell(Event::Fields(integration));
        result
    }

    async fn sampled_anew(self: &Arc<Self>, integration: Integration) -> Result<String, Problem> {
        has_rows(integration)?;
        let say = |what: &str, done: u64, of: Option<u64>| {
            self.tell(Event::Reading { integration, what: what.to_owned(), done, of });
        };
        let mut sample = sample::read(self, &say).await?;
        sample.notes.extend(self.sampled(integration).and_then(|old| sample.new_since(&old.sample)));
        let sampled = Arc::new(Sampled { at: self.world.now(), sample });
        self.book.cache(&keys::put_big(&keys::field_sample(integration), &*sampled))?;
        let Sample { records, sources, targets, assets, notes } = &sampled.sample;
        let mut said = format!(
            "Looked at {} records of {} with {} fields, and at {assets} assets of Halo with {} fields.",
            records.len(),
            integration.label(),
            sources.len(),
            targets.len()
        );
        for note in notes {
            said.push_str(&format!(" {note}"));
        }
        self.live().samples.insert(integration, Arc::clone(&sampled));
        Ok(said)
    }

    /// The sample that was read last; `None` if none ever was, or if a newer version cannot read it.
    fn sampled(&self, integration: Integration) -> Option<Arc<Sampled>> {
        if let Some(sampled) = self.live().samples.get(&integration) {
            return Some(Arc::clone(sampled));
        }
        let kept: Option<Sampled> = self.book.get_big(&keys::field_sample(integration)).unwrap_or_default();
        let sampled = Arc::new(kept?);
        self.live().samples.insert(integration, Arc::clone(&sampled));
        Some(sampled)
    }

    /// Metrics that were not there when the fields were last read, by name; none where they never were (P57).
    pub(super) fn unseen_metrics(&self, integration: Integration, metrics: &[SourceMetric]) -> Vec<String> {
        let Some(sampled) = self.sampled(integration) else { return Vec::new() };
        let seen: HashSet<&str> = sampled.sample.sources.iter().map(|field| &*field.name).collect();
        // A sample of device profiles knows no metric.
        if !seen.iter().any(|name| name.starts_with("Metric.")) {
            return Vec::new();
        }
        let is_new = |metric: &&SourceMetric| !seen.contains(&*format!("Metric.{}", metric.uuid));
        metrics.iter().filter(is_new).map(|metric| metric.name.to_string()).collect()
    }

    /// The lines of the pane.
    pub(super) fn field_table(&self, integration: Integration) -> Result<FieldTable, Problem> {
        let settings = self.settings();
        let rules = integrations::field_rules(integration, &settings);
        if integration != Integration::Liongard {
            return Ok(FieldTable { lines: rules.into_iter().map(fixed).collect(), ..FieldTable::default() });
        }
        let sampled = self.sampled(integration);
        let none = Sample::default();
        let sample = sampled.as_ref().map_or(&none, |sampled| &sampled.sample);
        let own = &settings.liongard;
        let suggested = integrations::lifecycle_fields(&settings.lifecycle).into_iter();
        let usable = |row: &FieldMapping| {
            let is_there = own.field_mappings.iter().any(|other| {
                other.source.eq_ignore_ascii_case(&row.source)
                    || other.target.eq_ignore_ascii_case(&row.target)
            });
            let is_known = sampled.is_none() || sample.judge(own, row, None).refused.is_none();
            !is_there && is_known
        };
        let rows: Vec<FieldMapping> = suggested.filter(usable).collect();
        let (undo, redo) = self.field_steps()?;
        Ok(FieldTable {
            lines: sample.lines(own, rules, is_attribute),
            read_at: sampled.as_ref().map(|sampled| sampled.at),
            records: sample.records.len() as u32,
            assets: sample.assets,
            trouble: self.live().sample_trouble.get(&integration).cloned(),
            notes: sample.notes.clone(),
            equal: sample.equal_names(own),
            copies: vec![FieldCopy { from: Integration::Lifecycle, rows }],
            undo,
            redo,
        })
    }

    pub(super) fn field_sides(&self, integration: Integration) -> FieldSides {
        let Some(sampled) = self.sampled(integration) else { return FieldSides::default() };
        let sample = &sampled.sample;
        let machine = |record: &crate::integrations::field_sample::SampleRecord| {
            (record.id.clone(), shown(&record.name).into_owned(), shown(&record.parent_name).into_owned())
        };
        FieldSides {
            read_at: Some(sampled.at),
            records: sample.records.len() as u32,
            assets: sample.assets,
            sources: sample.source_fields(),
            targets: sample.target_fields(),
            machines: sample.records.iter().map(machine).collect(),
        }
    }

    pub(super) fn field_verdict(
        &self,
        integration: Integration,
        row: &FieldMapping,
        at: Option<usize>,
    ) -> Result<Verdict, Problem> {
        has_rows(integration)?;
        let sampled = self.sampled(integration);
        let none = Sample::default();
        let sample = sampled.as_ref().map_or(&none, |sampled| &sampled.sample);
        Ok(sample.judge(&self.settings().liongard, row, at))
    }
}

/// A line that no sample says anything of.
fn fixed(rule: FieldRule) -> FieldLine {
    FieldLine {
        of: LineOf::Rule,
        rule,
        row: None,
        is_new: false,
        sample: String::new(),
        fit: None,
        trouble: None,
    }
}

/// Only assets have field mappings of a person's own.
fn has_rows(integration: Integration) -> Result<(), Problem> {
    if integration == Integration::Liongard {
        return Ok(());
    }
    let label = integration.label();
    Err(Problem::new(Class::Input, format!("The fields of {label} are fixed by the vendor's rules."))
        .remedy(format!("`parhelion fields list {integration}` names the setting that changes each.")))
}
