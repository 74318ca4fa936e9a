//! Hudu's asset layouts: whether they can take Halo's records, and bringing them there (H8, H9).

use std::sync::Arc;

use super::Engine;
use super::connect::Other;
use super::hudu::HuduDesk;
use super::keys;
use super::records::Record;
use crate::api::budget::{Lane, Permit};
use crate::api::call::WriteVerdict;
use crate::api::halo::{Application, Halo};
use crate::api::hudu::{FieldKind, Layout, NewLayout};
use crate::engine::words::{Check, CheckState, Event, LayoutState, LayoutView};
use crate::integrations::hudu::{self as rules, Blocked, Feed};
use crate::model::{Class, Entity, Integration, Place, Problem};

/// Sites first: the layouts of users and assets link to theirs.
const ENTITIES: [Entity; 4] = [Entity::Sites, Entity::Contracts, Entity::Users, Entity::Assets];
const APPLICATION: &str = "application in Halo";
const CUSTOMERS: &str = "customers in Halo";
/// What to look at where Halo does not show its applications, as it does to administrators only (H3, H4).
const CHECKLIST: &str = "Halo does not show it to this agent. Look in Halo under Configuration, Integrations, HaloPSA API: Active is ticked; method Client ID and Secret (Services); login type Agent, as a user of its own who may see every customer; permissions read:customers, read:assets and read:contracts. Halo shows a secret once: where it was not copied, make a new one.";
/// How often a step without a clear answer is taken up again.
const DOUBTS: u32 = 2;

/// Fields of a layout: label, type, and the layout that an asset link leads to.
type LabelledFields = Vec<(Arc<str>, FieldKind, Option<i64>)>;

/// One request that brings a layout into shape.
enum Fix {
    Create { icon: &'static str, fields: LabelledFields },
    Activate(Layout),
    Add { layout: Layout, fields: LabelledFields },
}

impl Fix {
    /// In the trail, and what tells a step from the next one.
    fn what(&self) -> String {
        match self {
            Self::Create { .. } => "create".into(),
            Self::Activate(_) => "activate".into(),
            Self::Add { fields, .. } => {
                let labels: Vec<&str> = fields.iter().map(|(label, ..)| &**label).collect();
                format!("add {}", labels.join(", "))
            }
        }
    }

    async fn send(&self, desk: &HuduDesk, permit: Permit, name: &str) -> WriteVerdict<Layout> {
        match self {
            Self::Create { icon, fields } => {
                let new = NewLayout { name: name.into(), icon, fields: fields.clone() };
                desk.hudu.create_layout(permit, &new).await
            }
            Self::Activate(layout) => desk.hudu.activate_layout(permit, layout).await,
            Self::Add { layout, fields } => desk.hudu.add_fields(permit, layout, fields).await,
        }
    }
}

impl Engine {
    /// How the chosen layouts stand, after creating, activating or completing those of the named entities. Each step of
    /// it is one request, sent once, and noted in the trail before and after.
    pub async fn layouts(&self, fix: &[Entity]) -> Result<Vec<LayoutView>, Problem> {
        if let Some(other) = fix.iter().find(|entity| !ENTITIES.contains(entity)) {
            return Err(Problem::new(Class::Input, format!("{other} have no asset layout.")));
        }
        for entity in ENTITIES.into_iter().filter(|entity| fix.contains(entity)) {
            let names = self.layout_names(entity);
            if names.is_empty() {
                let why = format!("No layout is chosen for {entity}.");
                return Err(Problem::new(Class::Input, why).remedy("Set hudu.asset_layouts."));
            }
            for name in names {
                self.fix(entity, &name).await?;
            }
        }
        let desk = self.hudu_desk()?;
        let layouts = desk.layouts().await?;
        let views =
            |entity| self.layout_names(entity).into_iter().map(move |name| view(entity, &name, layouts));
        Ok(ENTITIES.into_iter().flat_map(views).collect())
    }

    /// The layouts that records of this entity are written in, by name: one, but for assets (P66).
    fn layout_names(&self, entity: Entity) -> Vec<String> {
        let settings = self.settings();
        if let Some(name) = settings.hudu.layout(entity) {
            return vec![name.trim().to_owned()];
        }
        let sorting = rules::Sorting::new(&settings.hudu.asset_layouts);
        sorting.layouts().into_iter().map(str::to_owned).collect()
    }

    /// A connection that knows no layouts yet: what Hudu has counts, not what it answered before.
    fn hudu_desk(&self) -> Result<Arc<HuduDesk>, Problem> {
        match self.connect(Integration::Hudu, Lane::Interactive)?.other {
            Other::Hudu(desk) => Ok(desk),
            _ => Err(Problem::new(Class::Input, "Hudu is not set up.")),
        }
    }

    /// One step after the other, each by what Hudu has by then, until nothing is left to do. A step without an answer is
    /// looked for, and sent again only when its settle time has passed and it is not there (sync-engine 7.4).
    async fn fix(&self, entity: Entity, name: &str) -> Result<(), Problem> {
        let _alone = self.layout_turn.lock().await;
        let (mut doubts, mut settled) = (0, false);
        loop {
            let desk = self.hudu_desk()?;
            let layouts = desk.layouts().await?;
            let step = self.next_step(entity, name, layouts)?;
            if let Some(what) = self.book.open_layout(entity, name)? {
                if step.as_ref().is_some_and(|step| step.what() == what) && !settled {
                    let wait = self.settle();
                    self.tell(Event::Reading {
                        integration: Integration::Hudu,
                        what: format!(
                            "layout '{name}': '{what}' had no answer; looking again in {} s",
                            wait.as_secs()
                        ),
                        done: 0,
                        of: None,
                    });
                    tokio::time::sleep(wait).await;
                    self.tell(Event::Map(Integration::Hudu));
                    settled = true;
                    continue;
                }
                let is_there = step.as_ref().is_none_or(|step| step.what() != what);
                let message = if is_there { "it was carried out" } else { "it was not carried out" };
                self.end_layout(entity, name, message).await?;
            }
            let Some(step) = step else { return Ok(()) };
            let note =
                Record::Layout { entity, layout: name.to_owned(), what: step.what(), by: self.by.clone() };
            let permit = desk.hudu.budget().acquire(Lane::Interactive).await;
            self.book.record(&[note]).await?;
            match step.send(&desk, permit, name).await {
                WriteVerdict::Done(_) => self.end_layout(entity, name, "done").await?,
                WriteVerdict::Rejected(problem) | WriteVerdict::NotSent(problem) => {
                    self.end_layout(entity, name, &problem.message).await?;
                    return Err(problem);
                }
                WriteVerdict::Throttled if doubts < DOUBTS => {
                    doubts += 1;
                    self.end_layout(entity, name, "Hudu asks for a pause").await?;
                }
                WriteVerdict::Unknown(_) if doubts < DOUBTS => (doubts, settled) = (doubts + 1, false),
                WriteVerdict::Unknown(problem) => {
                    return Err(problem.remedy(
                        "It may have been done; the next attempt finds out before it sends anything.",
                    ));
                }
                WriteVerdict::Throttled => {
                    self.end_layout(entity, name, "Hudu asks for a pause").await?;
                    return Err(Problem::new(Class::Host, "Hudu asks for a pause: nothing was changed.")
                        .remedy("Try again later."));
                }
            }
        }
    }

    async fn end_layout(&self, entity: Entity, layout: &str, message: &str) -> Result<(), Problem> {
        let (layout, message) = (layout.to_owned(), message.to_owned());
        self.book.record(&[Record::LayoutDone { entity, layout, message }]).await
    }

    /// What the layout of this entity lacks first; `None`: nothing.
    fn next_step(&self, entity: Entity, name: &str, layouts: &[Layout]) -> Result<Option<Fix>, Problem> {
        let site_layout = &self.settings().hudu.site_layout;
        let sites = rules::judge(Entity::Sites, site_layout, layouts).ok().map(|(sites, _)| sites.id);
        let all = rules::feeds(entity);
        let lacks = |layout: &Layout| -> Vec<&'static Feed> {
            all.iter().filter(|feed| layout.field(feed.label).is_none()).collect()
        };
        let layout = match rules::judge(entity, name, layouts) {
            Ok((layout, _)) | Err((Blocked::NoKey, Some(layout))) => layout,
            Err((Blocked::Absent, _)) => {
                let icon = match entity {
                    Entity::Sites => "fas fa-building",
                    Entity::Users => "fas fa-user",
                    Entity::Assets => "fas fa-desktop",
                    _ => "fas fa-file-contract",
                };
                return Ok(Some(Fix::Create {
                    icon,
                    fields: wanted(&all.iter().collect::<Vec<_>>(), sites),
                }));
            }
            Err((Blocked::Inactive, Some(layout))) => return Ok(Some(Fix::Activate(layout.clone()))),
            Err((blocked, _)) => return Err(Problem::new(Class::Input, blocked.sentence(entity, name))),
        };
        let fields = wanted(&lacks(layout), sites);
        Ok((!fields.is_empty()).then(|| Fix::Add { layout: layout.clone(), fields }))
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
        match self.layouts(&[]).await {
            Ok(views) => checks.extend(views.into_iter().map(|view| {
                check(
                    match view.entity {
                        Entity::Assets => format!("layout '{}' of assets", view.layout),
                        entity => format!("layout of {entity}"),
                    },
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
        let client_id = &self.settings().halo.client_id;
        let (application, of_halo) = halo_checks(&halo, client_id).await;
        checks.extend(of_halo);
        if let Some(application) = application
            && let Err(problem) = self.note_agent(client_id, application).await
        {
            checks.push(check("audit trail".into(), Some(problem.to_string())));
        }
        for (entity, path, key, scope) in [
            (Entity::Sites, "/Site", "sites", "read:customers"),
            (Entity::Contracts, "/ClientContract", "contracts", "read:contracts"),
            (Entity::Users, "/Users", "users", "read:customers"),
            (Entity::Assets, "/Asset", "assets", "read:assets"),
        ] {
            if entity == Entity::Assets && self.settings().hudu.asset_layouts.is_empty() {
                continue;
            }
            let read = halo.count(&format!("the list of {entity}"), path, key).await;
            let trouble = read.err().map(|failure| {
                format!("{} It needs {scope}. The other entities go on without it.", failure.problem)
            });
            checks.push(check(format!("{entity} in Halo"), trouble));
        }
        checks
    }

    /// Says in the trail as which agent Halo is read, where that is news (H4).
    pub(super) async fn note_agent(&self, client_id: &str, application: Application) -> Result<(), Problem> {
        let now = (client_id.to_owned(), application.agent);
        if self.book.get::<(String, Option<i64>)>(&keys::agent())?.as_ref() == Some(&now) {
            return Ok(());
        }
        let (client_id, agent) = now;
        let application = application.name.to_string();
        self.book.record(&[Record::Agent { client_id, application, agent, by: self.by() }]).await
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

/// What has to be right in Halo itself: the application, and that its agent sees every customer (H3, H4).
async fn halo_checks(halo: &Halo, client_id: &str) -> (Option<Application>, [Check; 2]) {
    let check = |name: &str, state, message| Check { name: name.into(), state, message };
    let found = halo.application(client_id).await.ok().flatten();
    let application = match &found {
        Some(found) if !found.is_active => check(
            APPLICATION,
            CheckState::Unproven,
            format!(
                "Halo's application '{}' is inactive: tick Active there, or the next sign-in fails.",
                found.name
            ),
        ),
        Some(found) => {
            let agent = found.agent.map_or("no agent".to_owned(), |agent| format!("agent {agent}"));
            let message =
                format!("'{}' is active and logs in as {agent}; a user of its own is best", found.name);
            check(APPLICATION, CheckState::Ok, message)
        }
        None => check(APPLICATION, CheckState::Unproven, CHECKLIST.to_owned()),
    };
    let customers = match halo.hidden("the list of customers", "/Client", "clients").await {
        Ok((total, 0)) => check(CUSTOMERS, CheckState::Ok, format!("all {total} are visible to the agent")),
        Ok((total, missing)) => check(
            CUSTOMERS,
            CheckState::Unproven,
            format!(
                "Halo counts {total} and does not give {missing} of the last of them: the agent probably may not see every customer. Lift its restriction to certain customers or top levels; until then nothing is archived, and nothing new is created."
            ),
        ),
        Err(failure) => check(CUSTOMERS, CheckState::Unproven, failure.problem.to_string()),
    };
    (found, [application, customers])
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
fn wanted(feeds: &[&Feed], sites: Option<i64>) -> LabelledFields {
    feeds
        .iter()
        .filter(|feed| feed.kind != FieldKind::AssetTag || sites.is_some())
        .map(|feed| {
            let linkable = sites.filter(|_| feed.kind == FieldKind::AssetTag);
            (Arc::from(feed.label), feed.kind.clone(), linkable)
        })
        .collect()
}
