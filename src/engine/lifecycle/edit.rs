//! What people change in the workspace. Each change is one step in the trail that can be taken back; a completed
//! report stays completed.

use super::shelf::Step;
use super::words::{CompanyChange, LifecycleOrder, TermList};
use crate::engine::Engine;
use crate::engine::records::Record;
use crate::engine::words::{Event, Reply};
use crate::lifecycle::class::{self, TypePolicy};
use crate::lifecycle::company::{self, Company};
use crate::lifecycle::grade;
use crate::lifecycle::report::ReportId;
use crate::lifecycle::template;
use crate::lifecycle::term::{self, HaloTerm, Term};
use crate::lifecycle::workspace::{Edit, Workspace};
use crate::matching::exact_form;
use crate::model::{Class as Kind, Problem};

/// The longest name of anything a person makes here.
pub(super) const LONGEST: usize = 200;

impl Engine {
    /// Carries out one order.
    pub async fn lifecycle(&self, order: LifecycleOrder) -> Result<Reply, Problem> {
        use LifecycleOrder as O;
        let workspace = self.workspace()?;
        let said = match order {
            O::MapTerm { list, id, halo, merge } => self.map_term(&workspace, list, id, &halo, merge).await?,
            O::CreateUnmapped { list } => self.create_unmapped(&workspace, list).await?,
            O::AddTerm { list, name } => self.add_term(&workspace, list, &name).await?,
            O::AddCompany { name } => self.add_company(&name).await?,
            O::Manage { companies, managed } => self.manage(&companies, managed).await?,
            O::RenameTerm { list, id, name } => self.rename_term(&workspace, list, id, &name).await?,
            O::RemoveTerm { list, id } => self.remove_term(&workspace, list, id).await?,
            O::MapCompany { company, halo } => self.map_company(&workspace, company, halo).await?,
            O::Company { company, changes } => self.change_company(company, &changes).await?,
            O::Grades { rules } => {
                if let Some(rules) = &rules {
                    grade::check(rules).map_err(input)?;
                }
                let own =
                    |workspace: &Workspace| (!workspace.grades_are_ours).then(|| workspace.grades.clone());
                let title = if rules.is_some() { "grade rules" } else { "our default grade rules" };
                self.save_edit(title, Edit::Grades(own(&workspace)), Edit::Grades(rules)).await?
            }
            O::SetClass { was, class } => self.set_class(workspace, was, class).await?,
            O::MoveClass { kind, name, position } => {
                let classes = class::moved(&workspace.classes, &kind, &name, position).map_err(input)?;
                let title = format!("class {name} of {kind} moved");
                self.save_edit(&title, Edit::Classes(workspace.classes), Edit::Classes(classes)).await?
            }
            O::RemoveClass { kind, name } => self.remove_class(workspace, &kind, &name).await?,
            O::SetPolicy { policy } => self.set_policy(workspace, policy).await?,
            O::RemovePolicy { kind, company } => {
                let mut policies = workspace.policies.clone();
                policies.retain(|policy| policy.kind != kind || policy.company != company);
                if policies.len() == workspace.policies.len() {
                    let whose = if company.is_some() { "for this company" } else { "for all companies" };
                    return Err(input(format!("there is no policy of '{kind}' {whose}"))
                        .remedy("`parhelion lifecycle policies list` shows them."));
                }
                let title = format!("policy of {kind} removed");
                self.save_edit(&title, Edit::Policies(workspace.policies), Edit::Policies(policies)).await?
            }
            O::SetTemplate { was, template } => self.set_template(workspace, was, template).await?,
            O::RemoveTemplate { name, replacement } => {
                self.remove_template(workspace, &name, replacement.as_deref()).await?
            }
            O::Assets { assets, changes } => self.change_assets(&workspace, &assets, &changes).await?,
            O::OpenReport { company } => return self.open_report(company).await,
            O::Complete { report } => self.complete_report(report).await?,
            O::Discard { report } => self.discard_report(report).await?,
            O::ImportWarranty { csv, dry_run } => {
                return Ok(Reply::Warranty(self.import_warranty(&csv, dry_run).await?));
            }
            O::WantField { field, name, kind } => self.want_field(&field, &name, kind).await?,
            O::Undo { redo } => self.undo_lifecycle(redo).await?,
        };
        Ok(Reply::Done(said))
    }

    /// Records a step; its projection is in the index when this returns.
    pub(super) async fn record_step(&self, step: Step) -> Result<(), Problem> {
        let number = self.book.lifecycle_top()? + 1;
        let record =
            Record::LifecycleStep { number, step: Box::new(step), undone: None, by: self.by.clone() };
        self.book.record(&[record]).await?;
        self.tell(Event::Lifecycle);
        Ok(())
    }

    pub(super) async fn save_edit(&self, title: &str, before: Edit, after: Edit) -> Result<String, Problem> {
        self.record_step(Step { title: title.to_owned(), before: vec![before], after: vec![after] }).await?;
        Ok(format!("Saved: {title}."))
    }

    async fn undo_lifecycle(&self, redo: bool) -> Result<String, Problem> {
        let top = self.book.lifecycle_top()?;
        let number = if redo { top + 1 } else { top };
        let step = if number == 0 { None } else { self.book.lifecycle_step(number)? };
        let Some(step) = step else {
            return Err(input(
                if redo { "there is nothing to bring back" } else { "there is nothing to take back" }.into(),
            ));
        };
        let title = step.title.clone();
        let record =
            Record::LifecycleStep { number, step: Box::new(step), undone: Some(!redo), by: self.by.clone() };
        self.book.record(&[record]).await?;
        self.tell(Event::Lifecycle);
        Ok(format!("{}: {title}.", if redo { "Brought back" } else { "Taken back" }))
    }

    fn halo_terms(&self, list: TermList) -> Result<Vec<HaloTerm>, Problem> {
        Ok(match list {
            TermList::Types => self.book.halo_lists()?.types,
            TermList::Statuses => company::halo_statuses(),
        })
    }

    async fn map_term(
        &self,
        workspace: &Workspace,
        list: TermList,
        id: u32,
        halo: &str,
        merge: bool,
    ) -> Result<String, Problem> {
        let known = self.halo_terms(list)?;
        let term =
            known.iter().find(|term| term.id == halo || term.name == halo).cloned().ok_or_else(|| {
                input(format!("Halo has no '{}' in this list", crate::model::text::shown(halo)))
                    .remedy("`parhelion run lifecycle` reads Halo's lists.")
            })?;
        let local = terms(workspace, list);
        let changes = term::map(local, id, term, merge).map_err(|why| of_list(list, why))?;
        let said: Vec<String> = changes.iter().map(term::TermChange::sentence).collect();
        let (after, merged) = term::apply(local, &changes);
        let mut step = Step {
            title: said.join("; "),
            before: vec![edit(list, local.to_vec())],
            after: vec![edit(list, after)],
        };
        // Companies of a type that was merged away have the one it was merged into.
        for (gone, into) in merged {
            for company in self.book.companies()? {
                let mut moved = company.clone();
                let slot = if list == TermList::Types { &mut moved.kind } else { &mut moved.status };
                if *slot == Some(gone) {
                    *slot = Some(into);
                    step.before.push(Edit::Company(Box::new(company)));
                    step.after.push(Edit::Company(Box::new(moved)));
                }
            }
        }
        self.record_step(step).await?;
        Ok(format!("{}.", said.join("; ")))
    }

    async fn create_unmapped(&self, workspace: &Workspace, list: TermList) -> Result<String, Problem> {
        let local = terms(workspace, list);
        let changes = term::create_unmapped(local, &self.halo_terms(list)?);
        if changes.is_empty() {
            return Ok("Everything is mapped: 0 new.".into());
        }
        let said: Vec<String> = changes.iter().map(term::TermChange::sentence).collect();
        let after = term::apply(local, &changes).0;
        self.save_edit(&said.join("; "), edit(list, local.to_vec()), edit(list, after)).await
    }

    async fn add_term(&self, workspace: &Workspace, list: TermList, name: &str) -> Result<String, Problem> {
        let name = checked(name)?;
        let local = terms(workspace, list);
        if local.iter().any(|term| term.name == name) {
            return Err(input(format!("'{name}' is there already")));
        }
        let mut after = local.to_vec();
        let id = after.iter().map(|term| term.id).max().unwrap_or(0) + 1;
        after.push(Term { id, name: name.clone(), halo: None, gone: false });
        self.save_edit(&format!("'{name}' added"), edit(list, local.to_vec()), edit(list, after)).await
    }

    async fn rename_term(
        &self,
        workspace: &Workspace,
        list: TermList,
        id: u32,
        name: &str,
    ) -> Result<String, Problem> {
        let name = checked(name)?;
        let local = terms(workspace, list);
        let after = term::rename(local, id, &name).map_err(|why| of_list(list, why))?;
        self.save_edit(&format!("renamed to '{name}'"), edit(list, local.to_vec()), edit(list, after)).await
    }

    async fn remove_term(&self, workspace: &Workspace, list: TermList, id: u32) -> Result<String, Problem> {
        let companies = self.book.companies()?;
        let in_use = companies
            .iter()
            .filter(|company| Some(id) == if list == TermList::Types { company.kind } else { company.status })
            .count();
        let local = terms(workspace, list);
        let (after, name) = term::remove(local, id, in_use).map_err(|why| of_list(list, why))?;
        self.save_edit(&format!("'{name}' removed"), edit(list, local.to_vec()), edit(list, after)).await
    }

    async fn map_company(&self, workspace: &Workspace, id: u32, halo: i64) -> Result<String, Problem> {
        let company = self.known_company(id)?;
        let customer =
            self.book.halo_lists()?.companies.into_iter().find(|one| one.id == halo).ok_or_else(|| {
                input(format!("Halo has no customer {halo} in what was last read"))
                    .remedy("`parhelion run lifecycle` reads Halo's customers.")
            })?;
        if let Some(other) = self.book.companies()?.into_iter().find(|c| c.halo == Some(halo) && c.id != id) {
            return Err(input(format!(
                "'{}' stands for this customer already (Halo's {halo}, '{}')",
                other.name, customer.name
            ))
            .remedy("One customer stands for one company: choose another one."));
        }
        let after = company::as_halo(company.clone(), &customer, &workspace.types, &workspace.statuses);
        let title = format!("'{}' stands for Halo's '{}'", company.name, customer.name);
        self.save_edit(&title, Edit::Company(Box::new(company)), Edit::Company(Box::new(after))).await
    }

    async fn change_company(&self, id: u32, changes: &[CompanyChange]) -> Result<String, Problem> {
        let company = self.known_company(id)?;
        let mut after = company.clone();
        for change in changes {
            match change {
                CompanyChange::FiscalYear(month) => {
                    if month.is_some_and(|month| !(1..=12).contains(&month)) {
                        return Err(input("a budget year begins in a month from 1 to 12".into()));
                    }
                    after.first_month = *month;
                }
                CompanyChange::Notes(notes) => notes.trim().clone_into(&mut after.notes),
            }
        }
        let title = company.name.clone();
        self.save_edit(&title, Edit::Company(Box::new(company)), Edit::Company(Box::new(after))).await
    }

    async fn add_company(&self, name: &str) -> Result<String, Problem> {
        let name = checked(name)?;
        let companies = self.book.companies()?;
        let form = |name: &str| exact_form(name).to_lowercase();
        if companies.iter().any(|company| form(&company.name) == form(&name)) {
            return Err(input(format!("a company '{name}' is here already")).remedy(
                "`parhelion lifecycle companies manage` takes it in; another one needs another name.",
            ));
        }
        self.check_cap(1)?;
        let id = companies.iter().map(|company| company.id).max().unwrap_or(0) + 1;
        let company = Company {
            id,
            name: name.clone(),
            halo: None,
            kind: None,
            status: None,
            active: true,
            managed: true,
            notes: String::new(),
            first_month: None,
        };
        // Taking it back leaves it there, and nobody's: ids are never given twice.
        let unmanaged = Company { managed: false, active: false, ..company.clone() };
        let (before, after) = (Edit::Company(Box::new(unmanaged)), Edit::Company(Box::new(company)));
        self.save_edit(&format!("company '{name}' added"), before, after).await
    }

    async fn manage(&self, ids: &[u32], managed: bool) -> Result<String, Problem> {
        let mut step = Step { title: String::new(), before: Vec::new(), after: Vec::new() };
        for id in ids {
            let company = self.known_company(*id)?;
            if company.managed != managed {
                step.after.push(Edit::Company(Box::new(Company { managed, ..company.clone() })));
                step.before.push(Edit::Company(Box::new(company)));
            }
        }
        if managed {
            self.check_cap(step.after.len())?;
        }
        step.title =
            format!("{} {}", step.after.len(), if managed { "managed" } else { "no longer managed" });
        let said = format!("Companies: {}.", step.title);
        if !step.after.is_empty() {
            self.record_step(step).await?;
        }
        Ok(said)
    }

    /// S17: whether so many more companies can be managed.
    fn check_cap(&self, more: usize) -> Result<(), Problem> {
        let cap = self.settings().lifecycle.managed_cap;
        let count = (self.managed()?.len() + more) as u64;
        if more == 0 || cap == 0 || count <= cap {
            return Ok(());
        }
        let why = format!("{count} companies would be managed, and the cap is {cap}.");
        Err(Problem::new(Kind::Limit, why).remedy("Raise lifecycle.managed_cap, or take others out."))
    }

    async fn set_policy(&self, workspace: Workspace, policy: TypePolicy) -> Result<String, Problem> {
        let policy = TypePolicy { kind: checked(&policy.kind)?, ..policy };
        policy.check().map_err(input)?;
        let mut policies = workspace.policies.clone();
        let title = format!("policy of {}", policy.kind);
        match policies.iter_mut().find(|own| own.kind == policy.kind && own.company == policy.company) {
            Some(own) => *own = policy,
            None => policies.push(policy),
        }
        self.save_edit(&title, Edit::Policies(workspace.policies), Edit::Policies(policies)).await
    }

    async fn open_report(&self, company: u32) -> Result<Reply, Problem> {
        let company = self.known_company(company)?;
        if let Some((report, _)) = self.book.draft(company.id)? {
            return Ok(Reply::Report { report: ReportId(report), new: false });
        }
        let known = self.book.lifecycle_part::<u32>("reports")?.unwrap_or(0);
        let frozen = self.book.heads()?.into_iter().map(|head| head.id.0).max().unwrap_or(0);
        let drafts = self.book.drafts()?.into_iter().map(|(_, report, _)| report).max().unwrap_or(0);
        let report = known.max(frozen).max(drafts) + 1;
        self.fact(Edit::Draft { report, company: company.id, at: self.world.now() }).await?;
        Ok(Reply::Report { report: ReportId(report), new: true })
    }

    async fn complete_report(&self, id: ReportId) -> Result<String, Problem> {
        let report = self.report(id, template::Mode::Display)?;
        let name = report.head.name.clone();
        let frozen = report.complete(self.world.now()).map_err(input)?;
        self.fact(Edit::Complete(Box::new(frozen))).await?;
        Ok(format!("{id} of {name} is completed; it never changes again."))
    }

    async fn discard_report(&self, id: ReportId) -> Result<String, Problem> {
        let draft = self.book.drafts()?.into_iter().find(|(_, report, _)| *report == id.0);
        let Some((company, report, _)) = draft else {
            let why = match self.book.frozen(id)? {
                Some(_) => format!("{id} is completed, and a completed report stays"),
                None => format!("there is no report {id}"),
            };
            return Err(input(why).remedy("`parhelion lifecycle reports list` shows the drafts."));
        };
        self.fact(Edit::Discard { report, company }).await?;
        Ok(format!("{id} is thrown away."))
    }

    async fn fact(&self, edit: Edit) -> Result<(), Problem> {
        let record = Record::Lifecycle { edits: vec![edit], by: self.by.clone() };
        self.book.record(&[record]).await?;
        self.tell(Event::Lifecycle);
        Ok(())
    }

    pub(super) fn known_company(&self, id: u32) -> Result<Company, Problem> {
        self.book.company(id)?.ok_or_else(|| {
            input(format!("there is no company {id} in the workspace"))
                .remedy("`parhelion lifecycle companies list` shows them.")
        })
    }
}

fn terms(workspace: &Workspace, list: TermList) -> &[Term] {
    match list {
        TermList::Types => &workspace.types,
        TermList::Statuses => &workspace.statuses,
    }
}

fn edit(list: TermList, terms: Vec<Term>) -> Edit {
    match list {
        TermList::Types => Edit::Types(terms),
        TermList::Statuses => Edit::Statuses(terms),
    }
}

/// A name as it may be kept.
pub(super) fn checked(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        let start: String = crate::model::text::shown(name).chars().take(40).collect();
        return Err(input(format!(
            "'{start}' cannot be a name: it has 1 to {LONGEST} characters on one line"
        )));
    }
    Ok(name.to_owned())
}

/// A sentence about an entry of one of the two lists.
fn of_list(list: TermList, why: String) -> Problem {
    let word = match list {
        TermList::Types => "types",
        TermList::Statuses => "statuses",
    };
    input(why).remedy(format!("`parhelion lifecycle {word} list` shows them with their numbers."))
}

/// A sentence of the rules as a problem of what was typed.
pub(super) fn input(sentence: String) -> Problem {
    let mut sentence = sentence;
    if let Some(first) = sentence.get(..1) {
        let capital = first.to_uppercase();
        sentence.replace_range(..1, &capital);
    }
    if !sentence.ends_with(['.', ')']) {
        sentence.push('.');
    }
    Problem::new(Kind::Input, sentence)
}
