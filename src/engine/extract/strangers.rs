//! Assets of Halo that no link of ours names: whose they are, if Halo's own integration brought them in (L14).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::engine::connect::Connections;
use crate::engine::keys;
use crate::model::asset::Asset;
use crate::model::{
    Entity, Found, Integration, Moment, PackedList, Problem, SourceId, TargetId, Wanted, marker,
};

/// So many are looked at one by one a plan.
const MOST: usize = 500;
/// So few are looked at without asking for the list of those that were brought in.
const FEW: usize = 10;
/// How many hours an id that was seen is believed.
const SEEN: i64 = 24;
/// The same of none: for the plans of one sitting, since a person or Halo's own integration may give the asset one.
const NOT_SEEN: i64 = 1;

const ME: Integration = Integration::Liongard;

/// What earlier looks told, so that not every plan reads a list as long as that of the assets.
#[derive(Default, Serialize, Deserialize)]
struct Looks {
    /// Which Halo was asked.
    halo: String,
    /// It answered with every asset when it was asked for the imported ones: its build does not know the filter.
    #[serde(default)]
    deaf: Option<Moment>,
    /// The system of each asset, or none.
    assets: BTreeMap<TargetId, Look>,
}

#[derive(Serialize, Deserialize)]
struct Look {
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    system: Option<SourceId>,
    #[serde(rename = "t")]
    at: Moment,
}

/// Marks assets that carry a Liongard id, but no link of ours, with that id as the marker it is. Only a system without a
/// link looks for an asset, so where each has one nothing is asked. Answers what was left out, for a person.
pub async fn mark(
    engine: &Engine,
    with: &Connections,
    wanted: &PackedList<Wanted>,
    found: &mut PackedList<Found>,
) -> Result<Option<String>, Problem> {
    let (mut linked, mut known) = (vec![false; wanted.len()], vec![false; found.len()]);
    engine.book.each_link(ME, Entity::Assets, |source, link| {
        if let Some(at) = wanted.place_of(source.as_str()) {
            linked[at] = true;
        }
        if let Some(at) = found.place_of(link.target.as_str()) {
            known[at] = true;
        }
    })?;
    if linked.iter().all(|linked| *linked) {
        return Ok(None);
    }
    let now = engine.world.now();
    let mut looks = Looks::kept(engine, now)?;
    let id_at = |found: &PackedList<Found>, at: usize| TargetId::new(found.id(at));
    let mut unknown = Vec::new();
    for at in (0..found.len()).filter(|at| !known[*at]) {
        match looks.assets.get(&id_at(found, at)) {
            Some(look) => set(engine, with, found, at, look.system.as_ref()),
            None => unknown.push(at),
        }
    }
    if unknown.is_empty() {
        return Ok(None);
    }
    // A look at each is one request; Halo's list of them is a page for every hundred.
    if unknown.len() > (found.len() / 100).clamp(FEW, MOST) {
        if looks.deaf.is_some() {
            return Ok(None);
        }
        // They may be all that Halo has: of each only its place is kept.
        let place = |asset: Asset| found.place_of(asset.id.as_str());
        let imported = with.halo.assets_imported_by(ME.key(), &place).await?;
        // A build that does not know the filter answers with everything: that says nothing.
        if imported.records.len() == found.len() && found.len() > MOST {
            looks.deaf = Some(now);
            looks.keep(engine)?;
            return Ok(None);
        }
        let is_whole = imported.certificate.complete;
        let mut is_imported = vec![false; found.len()];
        imported.records.into_iter().flatten().for_each(|at| is_imported[at] = true);
        unknown.retain(|at| {
            if !is_imported[*at] && is_whole {
                looks.assets.insert(id_at(found, *at), Look { system: None, at: now });
            }
            is_imported[*at]
        });
    }
    let left = unknown.len().saturating_sub(MOST);
    for at in unknown.into_iter().take(MOST) {
        let id = id_at(found, at);
        let Some(asset) = with.halo.asset(&id).await? else { continue };
        let system = asset.liongard.map(SourceId::from);
        set(engine, with, found, at, system.as_ref());
        looks.assets.insert(id, Look { system, at: now });
    }
    looks.keep(engine)?;
    Ok((left > 0).then(|| {
        format!("{left} assets that another program brought in from Liongard were not looked at for their id yet; they are matched by the matching field alone, and the next plans go on with them")
    }))
}

fn set(
    engine: &Engine,
    with: &Connections,
    found: &mut PackedList<Found>,
    at: usize,
    system: Option<&SourceId>,
) {
    let Some(system) = system else { return };
    let mark = marker::marker(&engine.installation, ME, &with.account, Entity::Assets, system);
    if let Some(there) = found.get(at) {
        found.replace(at, &Found { marker: Some(mark.into()), ..there });
    }
}

impl Looks {
    /// Those of this Halo that are still believed.
    fn kept(engine: &Engine, now: Moment) -> Result<Self, Problem> {
        let halo = engine.settings().halo.resource_server.clone();
        let is_fresh = |at: Moment, hours: i64| now.duration_since(at).as_hours() < hours;
        let mut looks = engine.book.get_big::<Self>(&keys::strangers(ME))?.unwrap_or_default();
        if looks.halo != halo {
            looks = Self { halo, ..Self::default() };
        }
        looks.deaf = looks.deaf.filter(|at| is_fresh(*at, SEEN));
        looks.assets.retain(|_, look| is_fresh(look.at, if look.system.is_some() { SEEN } else { NOT_SEEN }));
        Ok(looks)
    }

    fn keep(&self, engine: &Engine) -> Result<(), Problem> {
        engine.book.cache(&keys::put_big(&keys::strangers(ME), self))
    }
}
