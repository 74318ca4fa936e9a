//! What only the latest inspection of a system tells (decision 23). It is one request a system, so a plan reads few, and
//! what was told is kept until the system is inspected again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::api::liongard::Liongard;
use crate::engine::{Engine, keys};
use crate::integrations::liongard::{Evidence, Inspected, inspected};
use crate::model::liongard::SourceSystem;
use crate::model::settings::Liongard as Settings;
use crate::model::{Class, Integration, Moment, Place, Problem, SourceId};

const ME: Integration = Integration::Liongard;
/// An inspector whose so many inspections told none of the attributes tells them of no system: a tenant of Microsoft 365
/// has no serial number.
const BARREN: usize = 20;

/// What one inspection told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Inspection {
    /// Whose system it is: another account has other systems of the same numbers.
    account: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inspector: Option<i64>,
    /// When it was, as Liongard writes it.
    on: Box<str>,
    read: Moment,
    /// `None`: it was not inspected yet.
    told: Option<Inspected>,
}

impl Inspection {
    /// Where Liongard does not say when a system was inspected, a reading is believed for a day.
    fn is_latest(&self, on: &str, now: Moment) -> bool {
        *self.on == *on && (!on.is_empty() || now.duration_since(self.read).as_hours() < 24)
    }
}

/// Those that are known, and how many more this plan may read.
pub(super) struct Inspections {
    account: Box<str>,
    known: HashMap<SourceId, Inspection>,
    barren: HashSet<Option<i64>>,
    most: usize,
    left: usize,
    at_once: usize,
    /// Systems that lack something and could not be looked at, with a reason that is not the number.
    unread: HashMap<Option<i64>, usize>,
    failed: Option<Arc<str>>,
}

impl Inspections {
    /// `None` where none are to be read.
    pub fn open(engine: &Engine, settings: &Settings, account: &str) -> Result<Option<Self>, Problem> {
        let most = settings.max_inspections as usize;
        if most == 0 {
            return Ok(None);
        }
        let at_once = engine.settings().pace(Place::Of(ME)).at_once.max(1) as usize;
        let mut known = HashMap::new();
        engine.book.each_big_value(&keys::inspections(ME), |id, one: Inspection| {
            if *one.account == *account {
                known.insert(SourceId::new(id), one);
            }
        })?;
        let mut all = Self {
            account: account.into(),
            known,
            barren: HashSet::new(),
            most,
            left: most,
            at_once,
            unread: HashMap::new(),
            failed: None,
        };
        all.learn();
        Ok(Some(all))
    }

    /// Which inspectors tell nothing.
    fn learn(&mut self) {
        let mut silent: HashMap<Option<i64>, usize> = HashMap::new();
        let told = || self.known.values().filter_map(|one| Some((one.inspector, one.told.as_ref()?)));
        for (inspector, _) in told().filter(|(_, told)| told.is_empty()) {
            *silent.entry(inspector).or_default() += 1;
        }
        for (inspector, _) in told().filter(|(_, told)| !told.is_empty()) {
            silent.remove(&inspector);
        }
        self.barren = silent
            .into_iter()
            .filter(|(_, count)| *count >= BARREN)
            .map(|(inspector, _)| inspector)
            .collect();
    }

    /// Reads the inspections of systems that lack something, as far as the number goes. What an older one told stands
    /// until there is room for the newer.
    pub async fn read<'a>(
        &mut self,
        engine: &Engine,
        liongard: &Liongard,
        lacking: impl Iterator<Item = Evidence<'a>>,
    ) -> Result<(), Problem> {
        let now = engine.world.now();
        let mut due = Vec::new();
        for (system, on) in lacking.filter_map(|evidence| Some((evidence.system?, evidence.inspected_on()))) {
            // One of a barren inspector that was read before is read again when it is inspected: it may tell something now.
            let is_settled = match self.known.get(&system.id) {
                Some(one) => one.is_latest(&on, now),
                None => self.barren.contains(&system.inspector),
            };
            if is_settled {
                continue;
            }
            if due.len() < self.left {
                due.push((system.id.clone(), system.inspector, on));
            } else {
                *self.unread.entry(system.inspector).or_default() += 1;
            }
        }
        self.left -= due.len();
        let answers = stream::iter(due.into_iter().map(|(id, inspector, on)| async move {
            let answer = liongard.detail(&id).await;
            (id, inspector, on, answer)
        }));
        let mut answers = answers.buffer_unordered(self.at_once);
        while let Some((id, inspector, on, answer)) = answers.next().await {
            match answer.map_err(Problem::from) {
                // Not a word about the inspection is no answer that it has none.
                Ok(Some(json)) if json.get("raw").is_some_and(|raw| raw.is_object() || raw.is_null()) => {
                    let (account, on) = (self.account.clone(), on.as_ref().into());
                    let told = json["raw"].is_object().then(|| inspected(&json["raw"]));
                    let one = Inspection { account, inspector, on, read: now, told };
                    engine.book.cache(&keys::put_big(&keys::inspection(ME, &id), &one))?;
                    self.known.insert(id, one);
                }
                // It is gone by now: the next list says so.
                Ok(_) => *self.unread.entry(inspector).or_default() += 1,
                Err(problem) if problem.class == Class::Auth => return Err(problem),
                Err(problem) => {
                    *self.unread.entry(inspector).or_default() += 1;
                    self.failed.get_or_insert_with(|| problem.message.into());
                }
            }
        }
        self.learn();
        Ok(())
    }

    pub fn of(&self, system: &SourceSystem) -> Option<&Inspected> {
        self.known.get(&system.id)?.told.as_ref()
    }

    /// Why a system that lacks something has to wait for its inspection to be read.
    pub fn waits(&self, evidence: Evidence<'_>) -> Option<Arc<str>> {
        let system = evidence.system.filter(|_| evidence.wants_inspection())?;
        let is_settled = self.known.contains_key(&system.id) || self.barren.contains(&system.inspector);
        (!is_settled).then(|| "its latest inspection was not read yet (max_inspections)".into())
    }

    /// What was not read, for a person.
    pub fn left_out(&self) -> Option<String> {
        let unread = self.unread.iter().filter(|(inspector, _)| !self.barren.contains(inspector));
        let (unread, most) = (unread.map(|(_, count)| count).sum::<usize>(), self.most);
        (unread > 0).then(|| match &self.failed {
            Some(why) => format!("The latest inspections of {unread} systems could not be read: {why}"),
            None => format!(
                "The latest inspections of {unread} systems are still to be read (max_inspections = {most} a plan); the next plans go on with them"
            ),
        })
    }
}
