//! A few records with everything they hold: what people choose fields from (apis/liongard.md 9.2, 11.1, 12).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::client::{Liongard, has_more};
use super::read;
use crate::api::http::Response;
use crate::api::records::Records;
use crate::model::liongard::{MetricValue, SourceDevice, SourceSystem};
use crate::model::text::Pool;
use crate::model::{Problem, SourceId};

/// Parts of a record that are looked into: their members become paths such as `Inspector.Alias`.
const DEPTH: usize = 2;
/// Pages of devices read of one environment.
const PAGES: u32 = 3;
/// Pages of metric values.
const METRIC_PAGES: u32 = 20;

/// Every value of a record, by the path that a mapping names it by.
pub type Leaves = BTreeMap<Box<str>, Arc<str>>;

/// A record and all its values.
#[derive(Debug, Clone)]
pub struct Whole<T> {
    pub record: T,
    pub leaves: Leaves,
}

impl Liongard {
    /// The first systems of the list, with all their values. The list is left once there are enough: it has no pages.
    ///
    /// # Errors
    /// The list cannot be read.
    pub async fn first_systems(&self, most: usize) -> Result<Vec<Whole<SourceSystem>>, Problem> {
        let what = "the first entries on the list of systems";
        let pool = Pool::default();
        let found = Mutex::new(Vec::new());
        let each = |record: Result<&[u8], &'static str>| {
            // What cannot be read is the import's to complain of.
            let Some(json) = record.ok().and_then(|bytes| serde_json::from_slice::<Json>(bytes).ok()) else {
                return;
            };
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.len() < most
                && let Ok(system) = whole_system(&json, &pool)
            {
                found.push(system);
            }
        };
        let parser = Mutex::new(Records::new(&each));
        let has_enough = || found.lock().unwrap_or_else(PoisonError::into_inner).len() >= most;
        let into = |piece: &[u8]| {
            let mut parser = parser.lock().unwrap_or_else(PoisonError::into_inner);
            if piece.is_empty() {
                found.lock().unwrap_or_else(PoisonError::into_inner).clear();
                *parser = Records::new(&each);
                return true;
            }
            parser.push(piece) && !has_enough()
        };
        let judge = |response: &Response| {
            if !response.is_success() {
                return self.judge(what, response).map(drop);
            }
            let mut parser = parser.lock().unwrap_or_else(PoisonError::into_inner);
            let done = std::mem::replace(&mut *parser, Records::new(&each));
            if has_enough() {
                return Ok(());
            }
            done.finish().map_err(|why| self.unreadable(what, why))
        };
        self.streamed(what, "/api/v1/systems", &into, judge).await?;
        drop(parser);
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first devices of one environment, with all their values.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn first_devices(&self, environment: &SourceId) -> Result<Vec<Whole<SourceDevice>>, Problem> {
        let name = format!("the devices of environment {environment}");
        let pool = Pool::default();
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let answer = self.device_page(environment, page, &name).await?;
            let rows = answer["Data"]["DeviceProfiles"].as_array().or_else(|| answer["Data"].as_array());
            for row in rows.into_iter().flatten() {
                if let Ok(record) = read::device(row, &[], &pool) {
                    found.push(Whole { record, leaves: leaves(row, "Device", &pool) });
                }
            }
            if !has_more(&answer).unwrap_or(false) {
                break;
            }
        }
        Ok(found)
    }

    /// One system with all its values; `None` where Liongard knows no such id.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn whole_system(&self, id: &SourceId) -> Result<Option<Whole<SourceSystem>>, Problem> {
        match self.detail(id).await? {
            Some(json) => whole_system(&json["system"], &Pool::default()).map(Some),
            None => Ok(None),
        }
    }

    /// The values of these metrics for these systems.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn evaluate_for(
        &self,
        metrics: &[Box<str>],
        systems: &[SourceId],
        each: &mut (dyn FnMut(MetricValue) + Send),
    ) -> Result<(), Problem> {
        let numbers: Vec<i64> = systems.iter().filter_map(|id| id.as_str().parse().ok()).collect();
        let filters = json!([{"Field": "SystemID", "Op": "equal_to", "Values": numbers}]);
        for page in 1..=METRIC_PAGES {
            let answer = self.metric_page(metrics, &filters, page).await?;
            for row in answer["Data"].as_array().into_iter().flatten() {
                each_value(row, each);
            }
            if !has_more(&answer).unwrap_or(false) {
                break;
            }
        }
        Ok(())
    }
}

/// Hands over the value of a row of metric values, where it has one.
pub(super) fn each_value(row: &Json, each: &mut (dyn FnMut(MetricValue) + Send)) {
    let (Some(system), Some(uuid)) = (row["SystemID"].as_i64(), row["MetricUUID"].as_str()) else { return };
    if let Some(text) = read::words(&row["Value"]) {
        each(MetricValue { system: system.into(), uuid: uuid.into(), text });
    }
}

fn whole_system(json: &Json, pool: &Pool) -> Result<Whole<SourceSystem>, Problem> {
    Ok(Whole { record: read::system(json, &[], pool)?, leaves: leaves(json, "System", pool) })
}

/// The values of a record and of its parts. Paths are those that [`read`] resolves.
fn leaves(json: &Json, own: &str, pool: &Pool) -> Leaves {
    let mut found = Leaves::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        match value {
            Json::Object(_) if own == "System" => gather(value, name, DEPTH, pool, &mut found),
            value => gather(value, &format!("{own}.{name}"), DEPTH, pool, &mut found),
        }
    }
    found
}

fn gather(json: &Json, path: &str, depth: usize, pool: &Pool, found: &mut Leaves) {
    match json {
        Json::Object(members) if depth > 0 => {
            for (name, value) in members.iter().filter(|(name, _)| !name.contains('.')) {
                gather(value, &format!("{path}.{name}"), depth - 1, pool, found);
            }
        }
        value => {
            if let Some(text) = read::words(value) {
                found.insert(path.into(), pool.share(&text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_the_path_that_a_mapping_reads_it_by() {
        let json = json!({"ID": 7, "Name": "PC", "Environment": {"ID": 1, "Name": "Acme", "Tier": {"Type": "Core"}},
            "Inspector": null, "Tags": ["a", "b"], "Blank": " "});
        let whole = whole_system(&json, &Pool::default()).unwrap();
        let paths: Vec<Box<str>> = whole.leaves.keys().cloned().collect();
        let listed: Vec<&str> = paths.iter().map(|path| &**path).collect();
        assert_eq!(
            listed,
            [
                "Environment.ID",
                "Environment.Name",
                "Environment.Tier.Type",
                "System.ID",
                "System.Name",
                "System.Tags"
            ]
        );
        let read = read::system(&json, &paths, &Pool::default()).unwrap();
        let told: Vec<_> = read.facts.iter().flatten().collect();
        assert_eq!(told, whole.leaves.values().collect::<Vec<_>>());
    }
}
