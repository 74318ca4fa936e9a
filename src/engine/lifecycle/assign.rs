//! Classes and templates, and which configurations belong to them by hand: what was assigned follows a rename, and goes
//! over to the replacement of what is removed.

use std::collections::{HashMap, HashSet};

use super::edit::{checked, input};
use super::shelf::Step;
use super::words::AssetChange;
use crate::engine::Engine;
use crate::lifecycle::age;
use crate::lifecycle::class::{self, Class};
use crate::lifecycle::column::Column;
use crate::lifecycle::configuration::{Configuration, DateSource, Dates, Local, LocalDate};
use crate::lifecycle::template::{self, Template};
use crate::lifecycle::workspace::{Edit, Workspace};
use crate::model::Problem;

const CLASSES: &str = "`parhelion lifecycle classes list` shows the classes of each type.";
const TEMPLATES: &str = "`parhelion lifecycle templates list` shows the templates.";

impl Engine {
    pub(super) async fn set_class(
        &self,
        workspace: Workspace,
        was: Option<String>,
        class: Class,
    ) -> Result<String, Problem> {
        let class = Class { kind: checked(&class.kind)?, name: checked(&class.name)?, ..class };
        let (kind, name) = (class.kind.clone(), class.name.clone());
        let old = was.unwrap_or_else(|| name.clone());
        let mut classes = workspace.classes.clone();
        match classes.iter_mut().find(|own| own.kind == kind && own.name == old) {
            Some(own) => *own = class,
            None if old != name => {
                return Err(input(format!("there is no class '{old}' of {kind}")).remedy(CLASSES));
            }
            None => classes.push(class),
        }
        class::check(&classes).map_err(input)?;
        let shadow = class::shadowed_by(&classes, &kind, &name).map(|before| before.name.clone());
        let mut step = Step {
            title: format!("class {name} of {kind}"),
            before: vec![Edit::Classes(workspace.classes)],
            after: vec![Edit::Classes(classes)],
        };
        if old != name {
            let ids = self.assigned(|local| local.class.as_deref() == Some(&old))?;
            // Another type may have a class of the same name.
            let of_kind =
                self.configurations_of(|c| c.kind == kind && ids.iter().any(|(id, _)| *id == c.id))?;
            for (asset, local) in ids.into_iter().filter(|(id, _)| of_kind.contains(id)) {
                step.reassign(asset, local, |local| local.class = Some(name.clone()));
            }
        }
        let said = self.save_step(step).await?;
        Ok(match shadow {
            Some(before) => format!(
                "{said} Class {before} stands before it and takes everything that its rule fits: move {name} up."
            ),
            None => said,
        })
    }

    /// Takes a class out. What was in it by hand goes by rule again.
    pub(super) async fn remove_class(
        &self,
        workspace: Workspace,
        kind: &str,
        name: &str,
    ) -> Result<String, Problem> {
        let mut classes = workspace.classes.clone();
        classes.retain(|class| class.kind != kind || class.name != name);
        if classes.len() == workspace.classes.len() {
            return Err(input(format!("there is no class '{name}' of {kind}")).remedy(CLASSES));
        }
        let mut step = Step {
            title: format!("class {name} of {kind} removed"),
            before: vec![Edit::Classes(workspace.classes)],
            after: vec![Edit::Classes(classes)],
        };
        let by_hand = self.assigned(|local| local.class.as_deref() == Some(name))?;
        let of_kind =
            self.configurations_of(|c| c.kind == kind && by_hand.iter().any(|(id, _)| *id == c.id))?;
        let moved = of_kind.len();
        for (asset, local) in by_hand.into_iter().filter(|(id, _)| of_kind.contains(id)) {
            step.reassign(asset, local, |local| local.class = None);
        }
        let said = self.save_step(step).await?;
        Ok(match moved {
            0 => said,
            1 => format!("{said} The configuration that was in it by hand goes by rule again."),
            _ => format!("{said} The {moved} configurations that were in it by hand go by rule again."),
        })
    }

    pub(super) async fn set_template(
        &self,
        workspace: Workspace,
        was: Option<String>,
        template: Template,
    ) -> Result<String, Problem> {
        let mut template = Template { name: checked(&template.name)?, ..template };
        let mut seen = HashSet::new();
        template.columns.retain(|column| seen.insert(column.clone()));
        self.check_columns(&template)?;
        let name = template.name.clone();
        let old = was.unwrap_or_else(|| name.clone());
        if old == template::DEFAULT && name != old {
            return Err(input("the default template keeps its name".into()));
        }
        let mut templates = workspace.templates.clone();
        match templates.iter_mut().find(|own| own.name == old) {
            Some(own) => *own = template,
            None if old != name => {
                return Err(input(format!("there is no template '{old}'")).remedy(TEMPLATES));
            }
            None => templates.push(template),
        }
        template::check(&templates).map_err(input)?;
        let mut step = Step {
            title: format!("template {name}"),
            before: vec![Edit::Templates(workspace.templates)],
            after: vec![Edit::Templates(templates)],
        };
        if old != name {
            for (asset, local) in self.assigned(|local| local.template.as_deref() == Some(&old))? {
                step.reassign(asset, local, |local| local.template = Some(name.clone()));
            }
        }
        self.save_step(step).await
    }

    pub(super) async fn remove_template(
        &self,
        workspace: Workspace,
        name: &str,
        replacement: Option<&str>,
    ) -> Result<String, Problem> {
        let by_hand = self.assigned(|local| local.template.as_deref() == Some(name))?;
        let kinds =
            workspace.templates.iter().find(|t| t.name == name).map(|t| t.kinds.clone()).unwrap_or_default();
        let in_use = if kinds.is_empty() {
            by_hand.len()
        } else {
            by_hand.len() + self.configurations_of(|c| kinds.contains(&c.kind))?.len()
        };
        let left = template::delete(&workspace.templates, name, in_use, replacement)
            .map_err(|why| input(why).remedy(TEMPLATES))?;
        let mut step = Step {
            title: format!("template {name} removed"),
            before: vec![Edit::Templates(workspace.templates)],
            after: vec![Edit::Templates(left)],
        };
        for (asset, local) in by_hand {
            step.reassign(asset, local, |local| local.template = replacement.map(str::to_owned));
        }
        self.save_step(step).await
    }

    /// What a person says of some configurations, as one step.
    pub(super) async fn change_assets(
        &self,
        workspace: &Workspace,
        assets: &[i64],
        changes: &[AssetChange],
    ) -> Result<String, Problem> {
        let kinds = self.kinds_of(assets)?;
        for change in changes {
            match change {
                AssetChange::Template(Some(name)) if !workspace.templates.iter().any(|t| t.name == *name) => {
                    return Err(input(format!("there is no template '{name}'")).remedy(TEMPLATES));
                }
                AssetChange::Class(Some(name)) => {
                    let has = |kind: &String| {
                        workspace.classes.iter().any(|class| class.kind == *kind && class.name == *name)
                    };
                    if let Some((asset, kind)) = kinds.iter().find(|(_, kind)| !has(kind)) {
                        let why =
                            format!("configuration {asset} is a {kind}, and {kind} has no class '{name}'");
                        return Err(input(why).remedy(CLASSES));
                    }
                }
                AssetChange::Date(field, Some(date)) => {
                    let mut dates = Dates::default();
                    dates.set(*field, Some(*date));
                    if let Some(fault) = age::sift(dates, self.today()).1.first() {
                        return Err(input(fault.to_string()));
                    }
                }
                _ => {}
            }
        }
        let at = self.world.now();
        let mut step = Step { title: String::new(), before: Vec::new(), after: Vec::new() };
        for asset in assets {
            let before = self.book.local(*asset)?.unwrap_or_default();
            step.reassign(*asset, before, |local| {
                for change in changes {
                    match change {
                        AssetChange::Class(name) => local.class.clone_from(name),
                        AssetChange::Template(name) => local.template.clone_from(name),
                        AssetChange::OffBudget(off) => local.off_budget = *off,
                        AssetChange::Date(field, None) => drop(local.dates.remove(field)),
                        AssetChange::Date(field, Some(date)) => {
                            let source = DateSource::Manual;
                            let date = LocalDate { date: *date, source, estimated: false, at };
                            local.dates.insert(*field, date);
                        }
                    }
                }
            });
        }
        let count = step.after.len();
        step.title = format!("{count} {}", if count == 1 { "configuration" } else { "configurations" });
        if count == 0 {
            return Ok("Nothing changed.".into());
        }
        self.save_step(step).await
    }

    /// The configuration type of each of these assets.
    ///
    /// # Errors
    /// One of them is no configuration, and nothing is known of it either.
    fn kinds_of(&self, assets: &[i64]) -> Result<HashMap<i64, String>, Problem> {
        let mut open: HashSet<i64> = assets.iter().copied().collect();
        let mut kinds = HashMap::new();
        for company in self.book.companies()? {
            if open.is_empty() {
                break;
            }
            let fleet = company.halo.map(|halo| self.book.fleet(halo)).transpose()?.flatten();
            for configuration in fleet.into_iter().flat_map(|fleet| fleet.configurations) {
                if open.remove(&configuration.id) {
                    kinds.insert(configuration.id, configuration.kind);
                }
            }
        }
        for asset in open {
            if self.book.local(asset)?.is_none() {
                return Err(input(format!("no configuration has the Halo id {asset}"))
                    .remedy("`parhelion lifecycle configurations list` shows them."));
            }
        }
        Ok(kinds)
    }

    /// A column of a downloaded field has something to show only where it is downloaded, and not mapped to one of ours.
    fn check_columns(&self, template: &Template) -> Result<(), Problem> {
        let settings = self.settings();
        let own = &settings.lifecycle;
        for column in &template.columns {
            let Column::Extra(name) = column else { continue };
            if let Some((key, _)) = own.mapped().into_iter().find(|(_, field)| field.trim() == name) {
                let key = key.trim_end_matches("_field");
                return Err(input(format!(
                    "'{name}' is mapped, so its column is '{key}' and not '{column}'"
                )));
            }
            if !own.fields.iter().any(|field| field.trim() == name) {
                return Err(input(format!(
                    "'{name}' is not among the fields to download, so '{column}' would be empty"
                ))
                .remedy("Add it to lifecycle.fields first."));
            }
        }
        Ok(())
    }

    async fn save_step(&self, step: Step) -> Result<String, Problem> {
        let said = format!("Saved: {}.", step.title);
        self.record_step(step).await?;
        Ok(said)
    }

    /// The assets of which a person said this.
    fn assigned(&self, is: impl Fn(&Local) -> bool) -> Result<Vec<(i64, Local)>, Problem> {
        let mut found = Vec::new();
        self.book.each_local(|asset, local| {
            if is(&local) {
                found.push((asset, local));
            }
        })?;
        Ok(found)
    }

    /// The ids of managed companies' configurations that are so.
    fn configurations_of(&self, is: impl Fn(&Configuration) -> bool) -> Result<HashSet<i64>, Problem> {
        let mut found = HashSet::new();
        for company in self.managed()? {
            let fleet = company.halo.map(|halo| self.book.fleet(halo)).transpose()?.flatten();
            let all = fleet.map(|fleet| fleet.configurations).unwrap_or_default();
            found.extend(all.iter().filter(|configuration| is(configuration)).map(|c| c.id));
        }
        Ok(found)
    }
}

impl Step {
    /// Changes what is known of one asset; nothing where it is so already.
    fn reassign(&mut self, asset: i64, before: Local, change: impl FnOnce(&mut Local)) {
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.before.push(Edit::Local { asset, local: Box::new(before) });
            self.after.push(Edit::Local { asset, local: Box::new(after) });
        }
    }
}
