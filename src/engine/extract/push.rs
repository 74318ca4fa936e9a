//! Which of Halo's customers are to go to Liongard (L17): those with the flag, and those made since it was switched on.
//! Halo does not tell of either by itself: it is asked each time, with one listing and the details of few.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Progress, completeness};
use crate::api::halo::{FlagField, Halo, SyncFacts};
use crate::engine::Engine;
use crate::engine::connect::Connections;
use crate::engine::keys;
use crate::integrations::liongard as rules;
use crate::model::pile::Gathered;
use crate::model::settings::{SyncCustomers, SyncMode};
use crate::model::{
    Class, Entity, FieldName, Fields, Found, Integration, MatchKeys, Moment, Problem, SourceId, TargetId,
    Value, Verdict, Wanted,
};
use crate::plan::{Completeness, Lines, Reading};

const ME: Integration = Integration::Liongard;
/// Details of Halo customers that one plan reads at most, newest first.
const LOOKS: usize = 250;
/// Ids grow as customers are made, but not strictly: after so many older ones in a row no newer one is expected.
const OLDER: usize = 20;

/// The chosen customers and all environments; and the flags that a person wants switched (L17b). `both` says how well environments and customers were listed.
///
/// # Errors
/// The flag's field is not in Halo, or may not be read; or a reading failed.
pub async fn read(
    engine: &Engine,
    with: &Connections,
    customers: &[Found],
    environments: Vec<Found>,
    both: (&Completeness, &Completeness),
    alerts: &mut Vec<String>,
    progress: Progress<'_>,
) -> Result<(Lines, Lines), Problem> {
    let settings = engine.settings();
    let sync = &settings.liongard.sync_customers;
    let mut lines = Lines {
        found: environments.into_iter().collect(),
        found_complete: both.0.clone(),
        read: Reading::Whole(both.1.clone()),
        ..Lines::default()
    };
    if !sync.enabled {
        alerts.push(format!(
            "New Halo customers {}: switch liongard.sync_customers.enabled on first.",
            rules::pushes(&settings.liongard)
        ));
        return Ok((lines, Lines::default()));
    }
    let mut chooser = Chooser {
        halo: &with.halo,
        customers,
        done: done(engine)?,
        flag: flag_field(&with.halo, sync).await?,
        facts: BTreeMap::new(),
        chosen: BTreeMap::new(),
        left: LOOKS,
    };
    let flags = chooser.flagged(sync, progress).await?;
    if let Completeness(Err(why)) = flags {
        lines.read = Reading::Whole(Completeness(Err(why)));
    }
    if sync.mode == SyncMode::Automatic {
        match engine.book.get::<Moment>(&keys::push_since())? {
            Some(since) => chooser.newer(since, progress).await?,
            None => alerts.push(
                "Since when customers count as new is not known: switch sync_customers off and on again, or use the flag."
                    .into(),
            ),
        }
    }
    let flags = chooser.wishes(engine, alerts).await?;
    lines.wanted = chooser.wanted(progress).await?.into_iter().collect();
    if chooser.left == 0 {
        alerts.push(format!(
            "More than {LOOKS} Halo customers would have to be looked at one by one; the next run goes on with them."
        ));
    }
    Ok((lines, flags))
}

/// Customers that are mapped, or were pushed before: nothing more is to be learnt of them.
fn done(engine: &Engine) -> Result<BTreeSet<TargetId>, Problem> {
    let mapped = engine.book.links(ME, Entity::Customers)?.into_iter().map(|(_, link)| link.target);
    let pushed = engine.book.links(ME, Entity::Push)?;
    Ok(mapped.chain(pushed.into_iter().map(|(id, _)| TargetId::new(id.as_str()))).collect())
}

async fn flag_field(halo: &Halo, sync: &SyncCustomers) -> Result<Option<FlagField>, Problem> {
    let name = sync.flag_field.trim();
    if name.is_empty() && sync.mode == SyncMode::Automatic {
        return Ok(None);
    }
    let found = halo.flag_field(name).await;
    match (found, sync.mode) {
        (Ok(Some(field)), _) => Ok(Some(field)),
        // Without the flag nobody is chosen by hand; the new ones are known all the same.
        (Ok(None), SyncMode::Automatic) => Ok(None),
        (Err(problem), SyncMode::Automatic) if problem.class == Class::Auth => Ok(None),
        (Err(problem), _) => Err(problem),
        (Ok(None), SyncMode::Manual) => Err(Problem::new(
            Class::Input,
            format!("Halo has no field '{name}' of customers, so nobody is chosen for Liongard (L17b)."),
        )
        .remedy("Make a check box of that name among Halo's custom fields of customers, or name another in liongard.sync_customers.flag_field.")),
    }
}

struct Chooser<'a> {
    halo: &'a Halo,
    customers: &'a [Found],
    done: BTreeSet<TargetId>,
    flag: Option<FlagField>,
    facts: BTreeMap<TargetId, SyncFacts>,
    /// Who goes, and why.
    chosen: BTreeMap<TargetId, String>,
    /// Details that may still be read.
    left: usize,
}

impl<'a> Chooser<'a> {
    /// Active customers of which more is to be learnt, the newest first.
    fn open(&self) -> Vec<&'a Found> {
        let is_open = |found: &&Found| found.is_active && !self.done.contains(&found.id);
        let mut open: Vec<&Found> = self.customers.iter().filter(is_open).collect();
        open.sort_by_key(|found| std::cmp::Reverse(found.id.number()));
        open
    }

    async fn look(&mut self, id: &TargetId) -> Result<Option<SyncFacts>, Problem> {
        if let Some(known) = self.facts.get(id) {
            return Ok(Some(known.clone()));
        }
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let facts = self.halo.sync_facts(id, self.flag.as_ref()).await?;
        if let Some(facts) = &facts {
            self.facts.insert(id.clone(), facts.clone());
        }
        Ok(facts)
    }

    /// Those whose flag is on: by a list where it carries the field, else by the details of each.
    async fn flagged(
        &mut self,
        sync: &SyncCustomers,
        progress: Progress<'_>,
    ) -> Result<Completeness, Problem> {
        let why = format!("'{}' is on in Halo (L17b)", sync.flag_field.trim());
        let mut proof = Completeness::default();
        match &self.flag {
            None => return Ok(proof),
            Some(FlagField::Custom { id, .. }) => {
                let list =
                    self.halo.flags(*id, &|done, of| progress("flags of Halo customers", done, of)).await?;
                proof = completeness(&list.certificate);
                if list.records.iter().all(|(_, flag)| flag.is_some()) {
                    let on = list.records.into_iter().filter(|(_, flag)| *flag == Some(true));
                    self.chosen.extend(on.map(|(id, _)| (id, why.clone())));
                    return Ok(proof);
                }
            }
            Some(FlagField::Native) => {}
        }
        let open = self.open();
        let of = open.len().min(LOOKS) as u64;
        for (done, found) in (1..).zip(open) {
            let Some(facts) = self.look(&found.id).await? else {
                if self.left == 0 {
                    break;
                }
                continue;
            };
            progress("details of Halo customers", done, Some(of));
            if facts.flag {
                self.chosen.insert(found.id.clone(), why.clone());
            }
        }
        Ok(proof)
    }

    /// Those made since then.
    async fn newer(&mut self, since: Moment, progress: Progress<'_>) -> Result<(), Problem> {
        let mut older = 0;
        for (done, found) in (1..).zip(self.open()) {
            if older >= OLDER {
                break;
            }
            progress("new Halo customers", done, None);
            let Some(facts) = self.look(&found.id).await? else {
                if self.left == 0 {
                    break;
                }
                continue;
            };
            match facts.created {
                Some(created) if created >= since => {
                    older = 0;
                    let why =
                        format!("made in Halo on {}, after pushing was switched on (L17a)", day(created));
                    self.chosen.entry(found.id.clone()).or_insert(why);
                }
                _ => older += 1,
            }
        }
        Ok(())
    }

    /// The flags that a person asked for here and that are not so yet: who is to be flagged goes in the same plan.
    async fn wishes(&mut self, engine: &Engine, alerts: &mut Vec<String>) -> Result<Lines, Problem> {
        let (mut wanted, mut found_there) = (Gathered::default(), Gathered::default());
        let wishes = engine.book.push_wishes()?;
        let Some(field) = self.flag.as_ref().map(|field| FieldName::own(field.name())) else {
            if !wishes.is_empty() {
                alerts.push("No flag of Halo's customers can be set: sync_customers.flag_field names none that Halo has.".into());
            }
            return Ok(Lines::default());
        };
        for (id, on) in wishes {
            let found = self.customers.binary_search_by(|found| found.id.cmp(&id)).ok();
            let found = found.and_then(|at| self.customers.get(at)).filter(|found| found.is_active);
            let Some(found) = found else {
                alerts.push(format!(
                    "The flag of customer {id} is not set: Halo no longer lists it as active."
                ));
                continue;
            };
            let Some(facts) = self.look(&id).await? else { continue };
            if facts.flag == on {
                engine.flag_is_so(&id).await?;
                continue;
            }
            let flag = |is: bool| Fields::new().with(field, Value::Flag(is));
            let why = format!("chosen here: the flag goes {} (L17b)", if on { "on" } else { "off" });
            wanted.push(&Wanted {
                id: SourceId::new(id.as_str()),
                name: Arc::clone(&found.name),
                parent: None,
                verdict: Verdict::Take,
                fields: flag(on),
                keys: MatchKeys::default(),
                currency: None,
                notes: vec![why.into()],
            });
            let found = Found { fields: flag(facts.flag), marker: None, ..found.clone() };
            found_there.push(&found);
            if on {
                self.chosen.insert(id, "chosen here: its flag goes on in the same plan (L17b)".into());
            } else {
                self.chosen.remove(&id);
            }
        }
        Ok(Lines { wanted: wanted.sorted(), found: found_there.sorted(), ..Lines::default() })
    }

    async fn wanted(&mut self, progress: Progress<'_>) -> Result<Vec<Wanted>, Problem> {
        let chosen = std::mem::take(&mut self.chosen);
        let of = chosen.len() as u64;
        let mut all = Vec::new();
        for (done, (id, why)) in (1..).zip(chosen) {
            progress("chosen Halo customers", done, Some(of));
            let Ok(at) = self.customers.binary_search_by(|found| found.id.cmp(&id)) else { continue };
            let Some(customer) = self.customers.get(at) else { continue };
            let mut environment = None;
            if customer.is_active && !self.done.contains(&id) {
                // Who cannot be looked at now waits for the next run.
                let Some(facts) = self.look(&id).await? else { continue };
                environment = facts.environment;
            }
            all.push(rules::wanted_push(customer, environment, &why));
        }
        all.sort_by(|a: &Wanted, b| a.id.cmp(&b.id));
        Ok(all)
    }
}

fn day(moment: Moment) -> crate::model::Date {
    moment.to_zoned(jiff::tz::TimeZone::UTC).date()
}
