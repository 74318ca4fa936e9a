//! The rows of a plan that change the workspace, carried out. No request leaves the house, so there is no protocol:
//! decisions go into the trail as one step that can be taken back, what was read goes into the index company by company.
//! Doing a row twice does what doing it once does.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::import::{Stage, StagedFleet, settle};
use super::shelf::Step;
use crate::engine::Engine;
use crate::engine::apply::{Apply, Halt};
use crate::engine::book::Book;
use crate::engine::records::{Outcome, Record, RowEnd};
use crate::engine::words::Level;
use crate::lifecycle::company::{self, Company, HaloCompany};
use crate::lifecycle::term::{self, Term, TermChange};
use crate::lifecycle::workspace::Edit;
use crate::model::{Class, Entity, Problem};
use crate::plan::{Action, Change};

impl Apply {
    /// Carries out every row that is written here and not elsewhere.
    pub async fn carry_here(&self) -> Result<(), Halt> {
        if !self.plan.entities.iter().any(|entity| self.plan.integration.target(*entity).is_here()) {
            return Ok(());
        }
        let book = &self.engine.book;
        let stage: Stage = book.stage(self.plan.id, b"all").map_err(Halt::Trouble)?.ok_or_else(|| {
            Halt::Trouble(
                Problem::new(Class::Stale, format!("What plan {} would write is gone.", self.plan.id))
                    .remedy("Build it again."),
            )
        })?;
        let mut rows: Vec<(Change, Action)> = Vec::new();
        let mut configurations = false;
        book.each_plan_row(&self.plan, |change| {
            match (change.entity, self.acts(&change)) {
                (Entity::Configurations, Some(_)) => configurations = true,
                (entity, Some(action)) if self.plan.integration.target(entity).is_here() => {
                    rows.push((change, action));
                }
                _ => {}
            }
            Ok(())
        })
        .map_err(Halt::Trouble)?;
        rows.retain(|(change, _)| !self.over.contains_key(&change.row));
        let taken: HashSet<u32> = rows.iter().map(|(change, _)| change.row).collect();
        self.engine.take_lists(&stage, &taken, self.job).await.map_err(Halt::Trouble)?;
        for (change, action) in &rows {
            self.here_done(change, *action)?;
        }
        if configurations {
            self.carry_configurations().await?;
        }
        let lists = Book::halo_lists_ops(&stage.lists).map_err(Halt::Trouble)?;
        book.cache(&lists).map_err(Halt::Trouble)
    }

    /// Company by company: its piece is stored, then its rows are over.
    async fn carry_configurations(&self) -> Result<(), Halt> {
        let book = &self.engine.book;
        let known: HashMap<i64, u32> = book
            .companies()
            .map_err(Halt::Trouble)?
            .into_iter()
            .filter(|company| company.managed)
            .filter_map(|company| Some((company.halo?, company.id)))
            .collect();
        let mut group: Vec<(Change, Action)> = Vec::new();
        for chunk in 0..self.plan.rows.div_ceil(crate::engine::book::CHUNK) {
            for change in book.plan_chunk(self.plan.id, chunk).map_err(Halt::Trouble)? {
                let Some(action) = self.acts(&change) else { continue };
                if change.entity != Entity::Configurations || self.over.contains_key(&change.row) {
                    continue;
                }
                let same = group.last().is_none_or(|(last, _)| last.customer == change.customer);
                if !same {
                    self.company(&std::mem::take(&mut group), &known).await?;
                }
                group.push((change, action));
            }
        }
        self.company(&group, &known).await
    }

    async fn company(&self, group: &[(Change, Action)], known: &HashMap<i64, u32>) -> Result<(), Halt> {
        if !self.control.may_go().await {
            return Err(Halt::Asked);
        }
        let Some(halo) =
            group.first().and_then(|(change, _)| change.customer.as_ref()?.id.as_str().parse().ok())
        else {
            return Ok(());
        };
        let book = &self.engine.book;
        if !known.contains_key(&halo) {
            for (change, _) in group {
                let row = change.after_row.map_or(String::new(), |row| format!(" (row {row})"));
                let why = format!("its company is not here{row}");
                self.tally.skipped(change);
                self.say(change, Level::Held, '.', &format!("skipped: {why}"));
                self.here_over(change, RowEnd::Skipped, why)?;
            }
            return Ok(());
        }
        let staged: Option<StagedFleet> =
            book.stage(self.plan.id, &halo.to_be_bytes()).map_err(Halt::Trouble)?;
        if let Some(staged) = staged {
            let before = book.fleet(halo).map_err(Halt::Trouble)?;
            let taken: HashSet<u32> = group.iter().map(|(change, _)| change.row).collect();
            // What an earlier life of this job stored stays stored.
            let fleet = settle(staged, before, |row| taken.contains(&row) || self.over.contains_key(&row));
            let ops = Book::fleet_ops(halo, &fleet).map_err(Halt::Trouble)?;
            book.cache(&ops).map_err(Halt::Trouble)?;
        }
        for (change, action) in group {
            self.here_done(change, *action)?;
        }
        Ok(())
    }

    fn here_done(&self, change: &Change, action: Action) -> Result<(), Halt> {
        let text = change.reasons.first().map_or("", |reason| reason);
        self.say(change, Level::Change, action.sign(), text);
        self.here_over(change, RowEnd::Done, String::new())?;
        self.tally.done(change.entity, action);
        Ok(())
    }

    fn here_over(&self, change: &Change, end: RowEnd, message: String) -> Result<(), Halt> {
        let outcome =
            Outcome { closes: false, end: Some(end), message, ..self.outcome(&change.source.id, change) };
        self.engine.book.record_soon(&[Record::Outcome(Box::new(outcome))]).map_err(Halt::Trouble)
    }
}

impl Engine {
    /// Types, statuses and companies of these rows, as one step.
    async fn take_lists(
        &self,
        stage: &Stage,
        taken: &HashSet<u32>,
        job: crate::model::JobId,
    ) -> Result<(), Problem> {
        let workspace = self.workspace()?;
        let mut step = Step { title: format!("import {job}"), before: Vec::new(), after: Vec::new() };
        let types = changed(&workspace.types, &stage.types, taken);
        let statuses = changed(&workspace.statuses, &stage.statuses, taken);
        if types != workspace.types {
            step.before.push(Edit::Types(workspace.types.clone()));
            step.after.push(Edit::Types(types.clone()));
        }
        if statuses != workspace.statuses {
            step.before.push(Edit::Statuses(workspace.statuses.clone()));
            step.after.push(Edit::Statuses(statuses.clone()));
        }
        let companies = self.book.companies()?;
        let mut next = companies.iter().map(|company| company.id).max().unwrap_or(0);
        let mut by_id: BTreeMap<u32, Company> = companies.into_iter().map(|c| (c.id, c)).collect();
        for (_, id, halo) in stage.companies.iter().filter(|(row, ..)| taken.contains(row)) {
            let known =
                by_id.values().find(|company| company.halo == Some(halo.id)).map(|company| company.id);
            let id = known.or(*id);
            let before = id.and_then(|id| by_id.get(&id).cloned());
            let company = before.clone().unwrap_or_else(|| {
                next += 1;
                blank(next)
            });
            let mut after = company::as_halo(company, halo, &types, &statuses);
            // A company that follows stays as managed as it was; one that comes in is.
            after.managed |= before.as_ref().is_none_or(|before| before.halo.is_none());
            if before.as_ref() != Some(&after) {
                step.before.extend(before.map(|before| Edit::Company(Box::new(before))));
                step.after.push(Edit::Company(Box::new(after.clone())));
            }
            by_id.insert(after.id, after);
        }
        for (_, id) in stage.missing.iter().filter(|(row, _)| taken.contains(row)) {
            let Some(company) = by_id.get(id).filter(|company| company.active) else { continue };
            let status = HaloCompany { id: 0, name: String::new(), kind: None, active: false };
            let mut after = company::as_halo(company.clone(), &status, &types, &statuses);
            after.halo = company.halo;
            after.name.clone_from(&company.name);
            step.before.push(Edit::Company(Box::new(company.clone())));
            step.after.push(Edit::Company(Box::new(after)));
        }
        if step.after.is_empty() { Ok(()) } else { self.record_step(step).await }
    }
}

fn blank(id: u32) -> Company {
    Company {
        id,
        name: String::new(),
        halo: None,
        kind: None,
        status: None,
        active: true,
        managed: true,
        notes: String::new(),
        first_month: None,
    }
}

/// The list after the taken changes. What an earlier life of the job made is not made again.
fn changed(local: &[Term], staged: &[(u32, TermChange)], taken: &HashSet<u32>) -> Vec<Term> {
    let changes: Vec<TermChange> = staged
        .iter()
        .filter(|(row, _)| taken.contains(row))
        .map(|(_, change)| change.clone())
        .filter(|change| match change {
            TermChange::Create { halo } => {
                !local.iter().any(|term| term.halo.as_ref().is_some_and(|own| own.id == halo.id))
            }
            _ => true,
        })
        .collect();
    term::apply(local, &changes).0
}
