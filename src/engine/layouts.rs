//! Hudu's asset layouts: whether they can take Halo's records, and bringing them there (H8, H9).

use std::sync::Arc;

use super::Engine;
use super::connect::Other;
use super::hudu::HuduDesk;
use super::records::Record;
use crate::api::budget::Lane;
use crate::api::call::WriteVerdict;
use crate::api::hudu::{FieldKind, Layout, NewLayout};
use crate::engine::words::{Check, CheckState, LayoutState, LayoutView};
use crate::integrations::hudu::{self as rules, Blocked, Feed};
use crate::model::{Class, Entity, Integration, Place, Problem};

const ENTITIES: [Entity; 3] = [Entity::Sites, Entity::Contracts, Entity::Users];

impl Engine {
    /// How the chosen layouts stand; with `fix`, after creating, activating or completing that entity's. Each step of
    /// it is one request, sent once, and noted in the trail before.
    pub async fn layouts(&self, fix: Option<Entity>) -> Result<Vec<LayoutView>, Problem> {
        let with = self.connect(Integration::Hudu, Lane::Interactive)?;
        let Other::Hudu(desk) = &with.other else { return Ok(Vec::new()) };
        if let Some(entity) = fix {
            if !ENTITIES.contains(&entity) {
                return Err(Problem::new(Class::Input, format!("{entity} have no asset layout.")));
            }
            self.fix(desk, entity).await?;
            // What Hudu has now counts, not what it answered.
            let with = self.connect(Integration::Hudu, Lane::Interactive)?;
            let Other::Hudu(desk) = &with.other else { return Ok(Vec::new()) };
            return self.views(desk).await;
        }
        self.views(desk).await
    }

    async fn views(&self, desk: &HuduDesk) -> Result<Vec<LayoutView>, Problem> {
        let settings = self.settings();
        let layouts = desk.layouts().await?;
        Ok(ENTITIES
            .into_iter()
            .map(|entity| view(entity, settings.hudu.layout(entity).unwrap_or_default(), layouts))
            .collect())
    }

    async fn fix(&self, desk: &Arc<HuduDesk>, entity: Entity) -> Result<(), Problem> {
        let settings = self.settings();
        let name = settings.hudu.layout(entity).unwrap_or_default().trim().to_owned();
        let layouts = desk.layouts().await?;
        let sites =
            rules::judge(Entity::Sites, &settings.hudu.site_layout, layouts).ok().map(|(sites, _)| sites.id);
        let judged = rules::judge(entity, &name, layouts);
        match judged {
            Ok((_, missing)) if missing.is_empty() => Ok(()),
            Ok((layout, missing)) => self.add(desk, entity, layout, &missing, sites).await,
            Err((Blocked::Absent, _)) => {
                self.note_layout(entity, &name, "create").await?;
                let icon = match entity {
                    Entity::Sites => "fas fa-building",
                    Entity::Users => "fas fa-user",
                    _ => "fas fa-file-contract",
                };
                let fields = wanted(&rules::feeds(entity).iter().collect::<Vec<_>>(), sites);
                let new = NewLayout { name: name.as_str().into(), icon, fields };
                let permit = desk.hudu.budget().acquire(Lane::Interactive).await;
                let made = settled(desk.hudu.create_layout(permit, &new).await)?;
                if made.is_active { Ok(()) } else { self.activate(desk, entity, &made).await }
            }
            Err((Blocked::Inactive, Some(layout))) => self.activate(desk, entity, layout).await,
            Err((Blocked::NoKey, Some(layout))) => {
                let missing: Vec<&Feed> =
                    rules::feeds(entity).iter().filter(|feed| layout.field(feed.label).is_none()).collect();
                self.add(desk, entity, layout, &missing, sites).await
            }
            Err((blocked, _)) => Err(Problem::new(Class::Input, blocked.sentence(entity, &name))),
        }
    }

    async fn activate(&self, desk: &HuduDesk, entity: Entity, layout: &Layout) -> Result<(), Problem> {
        self.note_layout(entity, &layout.name, "activate").await?;
        let permit = desk.hudu.budget().acquire(Lane::Interactive).await;
        settled(desk.hudu.activate_layout(permit, layout).await).map(drop)
    }

    async fn add(
        &self,
        desk: &HuduDesk,
        entity: Entity,
        layout: &Layout,
        missing: &[&Feed],
        sites: Option<i64>,
    ) -> Result<(), Problem> {
        let fields = wanted(missing, sites);
        let labels: Vec<&str> = fields.iter().map(|(label, ..)| &**label).collect();
        self.note_layout(entity, &layout.name, &format!("add {}", labels.join(", "))).await?;
        let permit = desk.hudu.budget().acquire(Lane::Interactive).await;
        settled(desk.hudu.add_fields(permit, layout, &fields).await).map(drop)
    }

    async fn note_layout(&self, entity: Entity, layout: &str, what: &str) -> Result<(), Problem> {
        let (layout, what) = (layout.to_owned(), what.to_owned());
        self.book.record(&[Record::Layout { entity, layout, what, by: self.by.clone() }]).await
    }

    /// Layouts, and what Halo lets us read, as checks of 'Test configuration'. They fail nothing: what is missing stops
    /// its own entity only (H5, H8).
    pub(super) async fn hudu_checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let check = |name: String, trouble: Option<String>| Check {
            name,
            state: if trouble.is_some() { CheckState::Unproven } else { CheckState::Ok },
            message: trouble.unwrap_or_else(|| "ready".into()),
        };
        match self.layouts(None).await {
            Ok(views) => checks.extend(views.into_iter().map(|view| {
                check(
                    format!("layout of {}", view.entity),
                    (!view.sentence.is_empty()).then_some(view.sentence),
                )
            })),
            Err(problem) => checks.push(check("layouts".into(), Some(problem.to_string()))),
        }
        let halo = match self.connect_halo(&self.settings(), Lane::Interactive) {
            Ok(halo) => halo,
            Err(problem) => {
                checks.push(check("Halo".into(), Some(problem.to_string())));
                return checks;
            }
        };
        let halo = (*halo).clone().with_retry(crate::api::call::Retry::once());
        for (entity, path, key, scope) in [
            (Entity::Sites, "/Site", "sites", "read:customers"),
            (Entity::Contracts, "/ClientContract", "contracts", "read:contracts"),
            (Entity::Users, "/Users", "users", "read:customers"),
        ] {
            let read = halo.count(&format!("the list of {entity}"), path, key).await;
            let trouble = read.err().map(|failure| {
                format!("{} It needs {scope}. The other entities go on without it.", failure.problem)
            });
            checks.push(check(format!("{entity} in Halo"), trouble));
        }
        checks
    }

    /// Nothing is written to Hudu before both ends have passed their test (H2).
    ///
    /// # Errors
    /// Which test is missing or failed.
    pub(super) fn unlocked(&self, integration: Integration) -> Result<(), Problem> {
        if integration != Integration::Hudu {
            return Ok(());
        }
        for place in [Place::Halo, Place::Of(integration)] {
            let why = match self.last_test(place)? {
                Some(test) if test.ok => continue,
                Some(_) => "failed its last test",
                None => "has not been tested with these settings",
            };
            return Err(Problem::new(
                Class::Input,
                format!(
                    "Hudu is locked until both Halo and Hudu have passed their test: {} {why}.",
                    place.label()
                ),
            )
            .remedy(format!("Run `parhelion test {place}`, or press t on its row.")));
        }
        Ok(())
    }
}

fn view(entity: Entity, name: &str, layouts: &[Layout]) -> LayoutView {
    let (state, missing, sentence) = match rules::judge(entity, name, layouts) {
        Ok((_, missing)) => {
            let labels: Vec<String> = missing.iter().map(|feed| feed.label.to_owned()).collect();
            let sentence = if labels.is_empty() {
                String::new()
            } else {
                format!(
                    "the layout '{name}' lacks {}: they are left out. `parhelion layouts hudu --fix {entity}` adds them",
                    labels.join(", ")
                )
            };
            (LayoutState::Ready, labels, sentence)
        }
        Err((blocked, _)) => {
            let state = match blocked {
                Blocked::Absent => LayoutState::Missing,
                Blocked::Ambiguous => LayoutState::Ambiguous,
                Blocked::Inactive => LayoutState::Inactive,
                Blocked::NoKey => LayoutState::LacksKey,
            };
            (state, Vec::new(), blocked.sentence(entity, name))
        }
    };
    LayoutView { entity, layout: name.to_owned(), state, missing, sentence }
}

/// The fields as a layout is given them; a link to a site's asset needs the sites' layout.
fn wanted(feeds: &[&Feed], sites: Option<i64>) -> Vec<(Arc<str>, FieldKind, Option<i64>)> {
    feeds
        .iter()
        .filter(|feed| feed.kind != FieldKind::AssetTag || sites.is_some())
        .map(|feed| {
            let linkable = sites.filter(|_| feed.kind == FieldKind::AssetTag);
            (Arc::from(feed.label), feed.kind.clone(), linkable)
        })
        .collect()
}

fn settled<T>(verdict: WriteVerdict<T>) -> Result<T, Problem> {
    match verdict {
        WriteVerdict::Done(done) => Ok(done),
        WriteVerdict::Rejected(problem) | WriteVerdict::NotSent(problem) => Err(problem),
        WriteVerdict::Unknown(problem) => {
            Err(problem
                .remedy("It may have been done: look with `parhelion layouts hudu` before trying again."))
        }
        WriteVerdict::Throttled => {
            Err(Problem::new(Class::Host, "Hudu asks for a pause: nothing was changed.")
                .remedy("Try again later."))
        }
    }
}
