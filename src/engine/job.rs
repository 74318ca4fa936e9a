//! One execution: from the order to the report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::apply::{Apply, Halt, Turns};
use super::connect::Connections;
use super::control::{Control, Wish};
use super::fresh::{Freshness, LIST_FROM};
use super::log::{JobLog, note, safe};
use super::planning::{Keep, Spec};
use super::records::{Ordered, Record, RowEnd, RowState};
use super::tally::Tally;
use super::{Engine, Step};
use crate::api::budget::{Lane, Waiting};
use crate::engine::words::{
    BudgetView, Choices, Event, Fate, JobOrder, JobProgress, JobReport, JobState, JobTotals, Level, LogLine,
    Phase, ProblemSource, RowProblem, SCHEDULE, StageProgress,
};
use crate::model::{Class, Entity, Integration, JobId, Occurrence, Place, PlanId, Problem, SourceId, marker};
use crate::plan::{Action, Cause, Change, Plan, Purpose, Totals, is_other_account};
use tokio_util::task::AbortOnDropHandle;

/// The job that is running, as the rest of the engine sees it.
pub struct Running {
    pub job: JobId,
    pub control: Control,
    pub tally: Arc<Tally>,
    pub report: JobReport,
}

/// What a job is to do.
struct Order {
    report: JobReport,
    choices: Choices,
    /// Approved by the policy of schedules, not by a person.
    policy: bool,
    allow_removals: bool,
    /// Goes on with rows of an earlier life.
    resumed: bool,
    /// The occurrence of a schedule that this is: becomes durable with the job, or not at all.
    occurrence: Option<Record>,
}

impl Engine {
    /// Starts a job for a stored plan.
    pub async fn apply(self: &Arc<Self>, plan: PlanId, choices: Choices) -> Result<JobId, Problem> {
        let plan = self.plan(plan)?;
        if self.world.now() > plan.expires_at {
            return Err(Problem::new(
                Class::Stale,
                format!("Plan {} is too old to be applied: it was good until {}.", plan.id, plan.expires_at),
            )
            .remedy("Build it again."));
        }
        if let Some((report, ..)) = self.book.jobs(50)?.into_iter().find(|(r, ..)| r.plan == Some(plan.id)) {
            let remedy = match report.state {
                JobState::Interrupted => format!("Go on with `parhelion job resume {}`.", report.job),
                _ => "Build a new plan to see what is left.".to_owned(),
            };
            return Err(Problem::new(
                Class::Stale,
                format!("Plan {} was applied already, as job {}.", plan.id, report.job),
            )
            .remedy(remedy));
        }
        if let Some(limit) =
            plan.outline.limits.iter().find(|l| l.tripped && l.binds_people && l.entity.is_none())
        {
            // A limit of the whole plan, such as another account: nobody overrules it from here.
            return Err(Problem::new(Class::Limit, limit.sentence.clone()));
        }
        self.check_typed(&plan, &choices)?;
        self.unlocked(plan.integration)?;
        let order = Order {
            report: self.new_report(
                plan.integration,
                plan.entities.clone(),
                plan.scheduled,
                plan.purpose.clone(),
                Some(plan.id),
            )?,
            choices,
            policy: false,
            allow_removals: false,
            resumed: false,
            occurrence: None,
        };
        self.start(order).await
    }

    /// Plan and apply in one job.
    pub async fn run(self: &Arc<Self>, spec: Spec) -> Result<JobId, Problem> {
        self.run_with(spec, Choices::default()).await
    }

    /// The same, with what a person chose beforehand.
    pub async fn run_with(self: &Arc<Self>, spec: Spec, choices: Choices) -> Result<JobId, Problem> {
        self.run_for(spec, choices, None).await
    }

    /// The same, for an occurrence of a schedule.
    pub(super) async fn run_for(
        self: &Arc<Self>,
        spec: Spec,
        choices: Choices,
        occurrence: Option<&Occurrence>,
    ) -> Result<JobId, Problem> {
        // What is wrong with the settings is said at once, not by a job.
        drop(self.connect(spec.integration, Lane::Bulk)?);
        self.unlocked(spec.integration)?;
        self.customers_first(&spec)?;
        let mut report = self.new_report(
            spec.integration,
            spec.entities.clone(),
            spec.scheduled,
            spec.purpose.clone(),
            None,
        )?;
        let occurrence = occurrence.map(|occurrence| {
            SCHEDULE.clone_into(&mut report.by);
            self.past(spec.integration, occurrence, Fate::Started { job: report.job })
        });
        let order = Order {
            report,
            occurrence,
            choices,
            policy: spec.scheduled,
            allow_removals: spec.allow_removals,
            resumed: false,
        };
        self.start(order).await
    }

    pub async fn order(self: &Arc<Self>, job: JobId, order: JobOrder) -> Result<String, Problem> {
        let control = self.live().running.as_ref().filter(|r| r.job == job).map(|r| r.control.clone());
        match (order, control) {
            (JobOrder::Pause, Some(control)) => {
                control.set(Wish::Pause);
                self.wish(job, Ordered::Pause).await?;
                Ok(format!("{job} pauses after the record in hand."))
            }
            (JobOrder::GoOn | JobOrder::Resume, Some(control)) if control.get() == Wish::Pause => {
                self.wish(job, Ordered::Go).await?;
                control.set(Wish::Go);
                Ok(format!("{job} goes on."))
            }
            (JobOrder::GoOn, Some(_)) => Ok(format!("{job} goes on.")),
            (JobOrder::Cancel, Some(control)) => {
                control.set(Wish::Cancel);
                self.wish(job, Ordered::Cancel).await?;
                Ok(format!("{job} ends after the record in hand; what is done stays done."))
            }
            (JobOrder::Stop, Some(control)) => {
                control.set(Wish::Stop);
                Ok(format!("{job} stops after the record in hand and can be resumed."))
            }
            (JobOrder::Resume, Some(_)) => Err(Problem::new(Class::Busy, format!("{job} is running."))),
            (order, None) => {
                let Some((mut report, choices, policy)) = self.book.job(job)? else {
                    return Err(Problem::new(Class::Input, format!("There is no job {job}."))
                        .remedy("`parhelion jobs` lists them."));
                };
                match (order, report.state) {
                    (JobOrder::Resume, JobState::Interrupted) => {
                        if let Some(plan) = report.plan
                            && let Some(plan) = self.book.plan(plan)?
                            && self.world.now() > plan.expires_at
                        {
                            let message = format!(
                                "{job} is too old to go on: its plan was good until {}.",
                                plan.expires_at
                            );
                            return Err(Problem::new(Class::Stale, message).remedy(format!(
                                "Cancel it (`parhelion job cancel {job}`), then build a new plan."
                            )));
                        }
                        report.state = JobState::Running;
                        report.finished = None;
                        report.trouble = None;
                        self.wish(job, Ordered::Go).await?;
                        self.start(Order {
                            report,
                            choices,
                            policy,
                            allow_removals: false,
                            resumed: true,
                            occurrence: None,
                        })
                        .await?;
                        Ok(format!("{job} goes on."))
                    }
                    (JobOrder::Pause, JobState::Interrupted) => {
                        self.wish(job, Ordered::Pause).await?;
                        self.tell(Event::Job(Box::new(self.job(job)?)));
                        Ok(format!("{job} stays paused until it is resumed."))
                    }
                    (JobOrder::Cancel, JobState::Interrupted) => {
                        report.state = JobState::Cancelled;
                        report.finished = Some(self.world.now());
                        let record = Record::Job { report: Box::new(report.clone()), choices, policy };
                        self.book.record(&[record]).await?;
                        self.tell(Event::Job(Box::new(report)));
                        Ok(format!("{job} is cancelled; what it had done stays done."))
                    }
                    (_, state) => Err(Problem::new(
                        Class::Input,
                        format!("{job} is {}: there is nothing to do.", state.word()),
                    )),
                }
            }
        }
    }

    /// Notes an order so that it outlives this process (invariant 30).
    async fn wish(&self, job: JobId, order: Ordered) -> Result<(), Problem> {
        self.book.record(&[Record::Order { job, order, by: self.by() }]).await
    }

    /// Asks the running job, if there is one, to end after the records in hand, and waits until it has.
    pub async fn stop(&self) {
        let mut waited = Duration::ZERO;
        loop {
            match self.live().running.as_ref().map(|r| r.control.clone()) {
                Some(control) => control.set(Wish::Stop),
                None => return,
            }
            // A request in hand may take its full time-out; the write protocol makes leaving earlier safe, too.
            if waited > Duration::from_secs(30) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            waited += Duration::from_millis(20);
        }
    }

    fn new_report(
        &self,
        integration: crate::model::Integration,
        entities: Vec<Entity>,
        scheduled: bool,
        purpose: Purpose,
        plan: Option<PlanId>,
    ) -> Result<JobReport, Problem> {
        Ok(JobReport {
            job: JobId(self.book.next_number("job")?),
            plan,
            integration,
            entities,
            scheduled,
            purpose,
            state: JobState::Running,
            totals: JobTotals::default(),
            requests: BTreeMap::new(),
            started: self.world.now(),
            finished: None,
            by: self.by(),
            stages: Vec::new(),
            problems: Vec::new(),
            trouble: None,
            is_paused: false,
        })
    }

    async fn start(self: &Arc<Self>, order: Order) -> Result<JobId, Problem> {
        let job = order.report.job;
        let control = Control::default();
        let tally = Arc::new(Tally::new(Vec::new(), Vec::new()));
        {
            let mut live = self.live();
            if let Some(running) = &live.running {
                return Err(Problem::new(
                    Class::Busy,
                    format!("{} is running: one job writes at a time.", running.job),
                )
                .remedy("Wait for it, or cancel it."));
            }
            live.running = Some(Running {
                job,
                control: control.clone(),
                tally: tally.clone(),
                report: order.report.clone(),
            });
        }
        let record = Record::Job {
            report: Box::new(order.report.clone()),
            choices: order.choices.clone(),
            policy: order.policy,
        };
        let facts: Vec<Record> = order.occurrence.iter().cloned().chain([record]).collect();
        if let Err(problem) = self.book.record(&facts).await {
            self.live().running = None;
            return Err(problem);
        }
        if !order.resumed {
            self.book.note_beginning(job)?;
        }
        self.tell(Event::Job(Box::new(order.report.clone())));
        self.job_begins(&order.report);
        let engine = self.clone();
        self.spawn(async move { engine.execute(order, control, tally).await });
        Ok(job)
    }

    async fn execute(self: Arc<Self>, order: Order, control: Control, tally: Arc<Tally>) {
        let job = order.report.job;
        let log = Arc::new(JobLog::open(&self.places.logs(), job, tally.news()));
        let sent: Vec<(Place, u64)> = [Place::Halo, Place::Of(order.report.integration)]
            .into_iter()
            .map(|p| (p, self.budget(p).sent()))
            .collect();
        let ticker = AbortOnDropHandle::new(tokio::spawn(self.clone().watch(
            job,
            tally.clone(),
            log.clone(),
            control.clone(),
        )));
        let policy = order.policy;
        let choices = order.choices.clone();
        let mut report = order.report.clone();
        let ended = self.clone().course(order, &control, &tally, &log, &mut report).await;
        report.state = match &ended {
            Ok(plan) => end_state(plan.as_ref(), &tally, &report),
            Err(Halt::Asked) if control.get() == Wish::Cancel => JobState::Cancelled,
            Err(Halt::Asked) => JobState::Interrupted,
            // With a plan, it can go on once a person or time has put right what stopped it: the host, the rights, a
            // full disk.
            Err(Halt::Trouble(problem))
                if report.plan.is_some()
                    && matches!(problem.class, Class::Host | Class::Listing | Class::Auth | Class::Local) =>
            {
                JobState::Interrupted
            }
            Err(Halt::Trouble(_)) => JobState::Failed,
        };
        if let Err(Halt::Trouble(problem)) = ended {
            log.write(LogLine {
                level: Level::Error,
                sign: '!',
                ..note(self.world.now(), safe(&problem.to_string()))
            });
            report.trouble = Some(problem);
        }
        report.stages = tally.stages();
        report.totals = sum(&report.stages);
        if report.state != JobState::Interrupted {
            report.finished = Some(self.world.now());
        }
        if matches!(report.state, JobState::Cancelled | JobState::Failed | JobState::Interrupted) {
            report.totals.not_done = report.stages.iter().map(|s| s.total - s.done.min(s.total)).sum();
        }
        report.problems.extend(tally.problems());
        report.problems.sort_by_key(|p| p.row);
        report.problems.dedup();
        for (place, before) in sent {
            *report.requests.entry(place).or_default() += self.budget(place).sent() - before;
        }
        log.write(note(self.world.now(), format!("{job} ended: {}", report.state.word())));
        drop(ticker);
        let lines = log.finish();
        let order_choices = choices.clone();
        if !matches!(report.state, JobState::Interrupted | JobState::Failed) {
            self.settle_issues(&report).await;
        }
        let record = Record::Job { report: Box::new(report.clone()), choices, policy };
        if let Err(problem) = self.book.record(&[record]).await {
            report.state = JobState::Interrupted;
            report.finished = None;
            self.tell(Event::Broken(problem.clone()));
            report.trouble.get_or_insert(problem);
            // The trail still says that it runs; this process at least must let it be resumed.
            let _ = self.book.put_job(&report, &order_choices, policy);
        }
        self.save_budgets();
        let _ = self.book.flush();
        self.changed(report.integration);
        self.job_is_over(&report);
        self.live().running = None;
        self.scheduler.look_again();
        self.tell(Event::Log { job, lines });
        self.tell(Event::Job(Box::new(report)));
    }

    /// What the job leaves open. A job that cannot note it is none the worse: the next one says it again.
    async fn settle_issues(&self, report: &JobReport) {
        let noted = match report.plan.map(|plan| self.plan(plan)) {
            Some(Ok(plan)) => self.note_issues(report, &plan).await,
            Some(Err(problem)) => Err(problem),
            None => Ok(()),
        };
        if let Err(problem) = noted {
            tracing::warn!(job = %report.job, "the open issues were not noted: {}", problem.message);
        }
    }

    /// Read, plan, approve, apply, verify.
    async fn course(
        self: Arc<Self>,
        order: Order,
        control: &Control,
        tally: &Arc<Tally>,
        log: &Arc<JobLog>,
        report: &mut JobReport,
    ) -> Result<Option<Plan>, Halt> {
        let say = |text: String| log.write(note(self.world.now(), text));
        let title = report.purpose.title().map(|title| format!(", {title}")).unwrap_or_default();
        say(if order.resumed {
            format!("{}{title}, goes on", report.job)
        } else {
            format!("{}{title}, started by {}", report.job, report.by)
        });
        let integration = report.integration;

        // Requests of an earlier life come first: a plan must not be made while their fate is unknown.
        // Those of all its entities: what was pushed without an answer would come in as somebody new.
        for place in targets(integration, integration.entities()) {
            if !self.open_at(place).is_empty() {
                tally.phase(Phase::Verifying { what: "requests without an answer".into() });
                let target = self.connect_target(place, Lane::Bulk).map_err(Halt::Trouble)?;
                self.resolve_open(&target, control, &say).await?;
            }
        }

        let stored = match report.plan {
            Some(id) => Some(self.plan(id).map_err(Halt::Trouble)?),
            None => None,
        };
        let (plan, with, basis) = if let Some(plan) = stored {
            let with = self.connect(integration, Lane::Bulk).map_err(Halt::Trouble)?;
            self.same_accounts(&plan, &with).await.map_err(Halt::Trouble)?;
            (plan, with, None)
        } else {
            let spec = Spec {
                integration,
                entities: report.entities.clone(),
                scheduled: report.scheduled,
                allow_removals: order.allow_removals,
                purpose: report.purpose.clone(),
            };
            let progress = |what: &str, done: u64, of: Option<u64>| {
                tally.phase(Phase::Reading { what: what.to_owned(), done, of });
            };
            let built = tokio::select! {
                built = self.build_plan(&spec, Keep::ForThisJob, &progress) => built.map_err(Halt::Trouble)?,
                () = control.ended() => return Err(Halt::Asked),
            };
            self.step(Step::Planned).await;
            (built.plan, built.with, Some((built.fresh, built.top_level)))
        };
        report.plan = Some(plan.id);
        report.problems = planned_problems(&self, &plan).map_err(Halt::Trouble)?;
        let mut stages = stages(&plan);
        let over =
            if order.resumed { self.book.rows(report.job).map_err(Halt::Trouble)? } else { BTreeMap::new() };
        if order.resumed {
            self.book
                .each_plan_row(&plan, |change| {
                    if let Some(state) = over.get(&change.row) {
                        count(&mut stages, &change, state.end);
                        if state.end == RowEnd::Failed || state.end == RowEnd::Held {
                            report.problems.push(problem_of(&change, state.message.clone(), state.class));
                        }
                    }
                    Ok(())
                })
                .map_err(Halt::Trouble)?;
        }
        for alert in &plan.outline.alerts {
            say(safe(alert));
        }
        if let Some(running) = self.live().running.as_mut() {
            running.report.plan = Some(plan.id);
        }

        self.approve(&order, report, &plan).await.map_err(Halt::Trouble)?;
        self.step(Step::Approved).await;
        tally.set_stages(stages);
        let (fresh, top_level) = match basis {
            Some(basis) => basis,
            None => (
                self.freshness(&plan, &with, tally).await.map_err(Halt::Trouble)?,
                self.top_level_for(&plan, &with).await.map_err(Halt::Trouble)?,
            ),
        };
        self.remember_made(&plan, &with.account, &over, &fresh).map_err(Halt::Trouble)?;
        let at_once = targets(integration, &plan.entities)
            .map(|place| self.settings().pace(place).at_once.max(1) as usize)
            .max()
            .unwrap_or(1);
        let apply = Arc::new(Apply {
            engine: self.clone(),
            job: report.job,
            choices: order.choices.clone(),
            account: with.account.clone(),
            with,
            top_level,
            safety: self.settings().safety(integration),
            control: control.clone(),
            tally: tally.clone(),
            log: log.clone(),
            fresh,
            turns: Turns::default(),
            over,
            at_once,
            plan,
        });
        self.fit_stages(&apply).map_err(Halt::Trouble)?;
        tally.phase(Phase::Applying);
        let halted = match apply.carry_here().await {
            Ok(()) => apply.run().await,
            Err(halt) => Some(halt),
        };
        apply.with.close().await;
        if let Some(halt) = halted {
            return Err(halt);
        }
        self.step(Step::Written).await;
        tally.phase(Phase::Verifying { what: "what was written".into() });
        apply.verify().await?;
        let whole = order.choices
            == Choices {
                removals_typed: order.choices.removals_typed,
                urgent: order.choices.urgent,
                ..Choices::default()
            };
        if whole && apply.plan.purpose.is_whole() {
            let record = self.seen(&apply.plan, !order.policy).map_err(Halt::Trouble)?;
            self.book.record(&[record]).await.map_err(Halt::Trouble)?;
        }
        Ok(Some(apply.plan.clone()))
    }

    /// Takes rows that this apply leaves alone out of the stages: left out by a person, or another customer's.
    fn fit_stages(&self, apply: &Apply) -> Result<(), Problem> {
        if apply.choices == Choices::default() {
            return Ok(());
        }
        let mut stages = apply.tally.stages();
        let mut changed = false;
        self.book.each_plan_row(&apply.plan, |change| {
            let Some(stage) = stages.iter_mut().find(|s| s.entity == change.entity) else { return Ok(()) };
            match (change.action.acts(), apply.acts(&change).is_some()) {
                (true, false) => {
                    stage.total -= 1;
                    stage.totals.rows.skipped += 1;
                    changed = true;
                }
                (false, true) => {
                    stage.total += 1;
                    stage.totals.rows.held = stage.totals.rows.held.saturating_sub(1);
                    changed = true;
                }
                _ => {}
            }
            Ok(())
        })?;
        if changed {
            apply.tally.set_stages(stages);
        }
        Ok(())
    }

    /// A stored plan goes only into the tenant it was made for, from the account it was made of (invariant 22). The
    /// marketplace itself is not asked: it need not be up for this.
    async fn same_accounts(&self, plan: &Plan, with: &Connections) -> Result<(), Problem> {
        let other = Place::Of(plan.integration);
        let then = |place: Place| plan.last.fingerprints.get(place.key());
        let changed = match (then(Place::Halo), then(other)) {
            (Some(halo), _) if is_other_account(halo, &with.halo.fingerprint().await?) => Place::Halo,
            (_, Some(account)) if account.split('#').next() != Some(with.account.as_str()) => other,
            _ => return Ok(()),
        };
        let message = format!("Plan {} was made for another account at {}.", plan.id, changed.key());
        Err(Problem::new(Class::Stale, message)
            .remedy("Nothing was written. Check the settings, then build a new plan."))
    }

    /// What this job made before it was interrupted is ours also where Halo does not give the marker back.
    fn remember_made(
        &self,
        plan: &Plan,
        account: &str,
        over: &BTreeMap<u32, RowState>,
        fresh: &Freshness,
    ) -> Result<(), Problem> {
        if over.is_empty() {
            return Ok(());
        }
        let link = |entity, id: &SourceId| self.book.link(plan.integration, entity, id);
        self.book.each_plan_row(plan, |change| {
            if !over.contains_key(&change.row) {
                return Ok(());
            }
            let Some(made) = link(change.entity, &change.source.id)? else { return Ok(()) };
            let customer = match (&change.customer_target, &change.customer) {
                (None, Some(customer)) => {
                    link(plan.integration.root(), &customer.id)?.map(|link| link.target)
                }
                (target, _) => target.clone(),
            };
            let marker = marker::marker(
                &self.installation,
                plan.integration,
                account,
                change.entity,
                &change.source.id,
            );
            fresh.made(change.entity, customer.as_ref(), &change.source.name, &made.target, &marker);
            Ok(())
        })
    }

    async fn freshness(&self, plan: &Plan, with: &Connections, tally: &Tally) -> Result<Freshness, Problem> {
        if plan.outline.totals.acting() < LIST_FROM || plan.integration == Integration::Lifecycle {
            return Ok(Freshness::each(plan));
        }
        let say = |what: &str, done: u64, of: Option<u64>| {
            tally.phase(Phase::Reading { what: what.to_owned(), done, of });
        };
        let mut entities = plan.entities.clone();
        if !entities.contains(&plan.integration.root()) {
            entities.insert(0, plan.integration.root());
        }
        let mut lists = Vec::new();
        for entity in entities {
            let target = with.target(plan.integration.target(entity));
            let what = format!("{} {}s", target.place().label(), entity.record());
            let list = target.list(entity, &|done, of| say(&what, done, of)).await?;
            // One unreadable record must not stop the others: then each is looked at by itself.
            let Ok(found) = list.proven() else { return Ok(Freshness::each(plan)) };
            lists.push((entity, found));
        }
        Ok(Freshness::listed(plan, lists))
    }

    /// The top level for creates of a stored plan, as it is now.
    async fn top_level_for(&self, plan: &Plan, with: &Connections) -> Result<crate::plan::TopLevel, Problem> {
        let root = plan.integration.root();
        let chosen = self.settings().of(plan.integration).top_level.to_owned();
        let creates = plan.outline.by_entity.get(&root).is_some_and(|t| t.create > 0);
        if !creates || chosen.trim().is_empty() {
            return Ok(crate::plan::TopLevel::Default);
        }
        Ok(super::extract::halo::top_level(&chosen, &with.halo.top_levels().await?))
    }

    async fn approve(&self, order: &Order, report: &JobReport, plan: &Plan) -> Result<(), Problem> {
        let mut report = report.clone();
        report.plan = Some(plan.id);
        let approval = Record::Approval {
            job: report.job,
            plan: plan.id,
            hash: plan.hash.clone(),
            totals: plan.outline.totals,
            by: self.by(),
            policy: order.policy,
        };
        let state =
            Record::Job { report: Box::new(report), choices: order.choices.clone(), policy: order.policy };
        self.book.record(&[approval, state]).await
    }

    /// The typed number must be the number the limit holds (U27).
    fn check_typed(&self, plan: &Plan, choices: &Choices) -> Result<(), Problem> {
        let Some(typed) = choices.removals_typed else { return Ok(()) };
        let mut held = 0;
        self.book.each_plan_row(plan, |change| {
            let by_limit = change
                .hold
                .as_ref()
                .is_some_and(|h| matches!(h.cause, Cause::Limit { overridable: true, .. }));
            held += u64::from(by_limit && !choices.leave_out.contains(&change.row));
            Ok(())
        })?;
        if typed == held {
            Ok(())
        } else {
            Err(Problem::new(Class::Limit, format!("{typed} was typed, but the limit holds {held} rows."))
                .remedy("Look at the plan again and type that number, or apply the others with `y`."))
        }
    }

    /// Publishes progress while something moves, at most ten times a second.
    async fn watch(self: Arc<Self>, job: JobId, tally: Arc<Tally>, log: Arc<JobLog>, control: Control) {
        let mut lines = 0;
        let news = tally.news();
        loop {
            news.notified().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = log.flush();
            if now != lines {
                lines = now;
                self.tell(Event::Log { job, lines });
            }
            if tally.take_changed()
                && let Some(progress) = self.progress(&tally, &control)
            {
                self.tell(Event::Progress(Box::new(progress)));
            }
        }
    }

    fn progress(&self, tally: &Tally, control: &Control) -> Option<JobProgress> {
        let report = self.live().running.as_ref()?.report.clone();
        let (phase, waiting, rate, left) = tally.motion();
        let phase = if matches!(control.get(), Wish::Cancel | Wish::Stop) { Phase::Stopping } else { phase };
        let stages = tally.stages();
        let totals = sum(&stages);
        let budget = self.halo_budget().snapshot();
        let seconds_left = match (budget.limit, left) {
            (Some(limit), Some(left)) => {
                let open: u64 = stages.iter().map(|s| s.total - s.done.min(s.total)).sum();
                let by_budget = open * budget.window.as_secs() / u64::from(limit.max(1));
                Some(left.max(by_budget))
            }
            (_, left) => left,
        };
        Some(JobProgress {
            job: report.job,
            integration: report.integration,
            entities: report.entities,
            plan: report.plan,
            phase,
            rate,
            seconds_left,
            budget: BudgetView {
                used: u64::from(budget.used),
                limit: budget.limit.map_or(0, u64::from),
                window_seconds: budget.window.as_secs(),
            },
            held: totals.rows.held,
            failed: totals.failed,
            is_paused: control.get() == Wish::Pause,
            // That all places are taken is no wait: the job is at full speed.
            waiting: waiting.or_else(|| {
                let why = budget.waiting_reason.filter(|why| *why != Waiting::Turn)?;
                Some(format!("waiting for {}", why.reason()))
            }),
            stages,
        })
    }

    /// The running job, as the strip shows it.
    pub fn running(&self) -> Option<JobProgress> {
        let (tally, control) = self.live().running.as_ref().map(|r| (r.tally.clone(), r.control.clone()))?;
        self.progress(&tally, &control)
    }
}

/// Where rows of these entities are written, each place once.
fn targets(
    integration: crate::model::Integration,
    entities: &[Entity],
) -> impl Iterator<Item = Place> + use<> {
    let places: BTreeSet<Place> = entities.iter().map(|entity| integration.target(*entity)).collect();
    places.into_iter()
}

/// The stages of a plan before anything is done: what acts is to do, the rest is counted already.
pub fn stages(plan: &Plan) -> Vec<StageProgress> {
    plan.stages()
        .iter()
        .map(|entity| {
            let planned = plan.outline.by_entity.get(entity).copied().unwrap_or_default();
            StageProgress {
                entity: *entity,
                done: 0,
                total: planned.acting(),
                totals: JobTotals {
                    rows: Totals {
                        unchanged: planned.unchanged,
                        skipped: planned.skipped,
                        held: planned.held,
                        ..Totals::default()
                    },
                    ..JobTotals::default()
                },
            }
        })
        .collect()
}

/// Counts a row that is over.
pub fn count(stages: &mut [StageProgress], change: &Change, end: RowEnd) {
    let Some(stage) = stages.iter_mut().find(|s| s.entity == change.entity) else { return };
    stage.done += 1;
    match end {
        RowEnd::Done => {
            let action = if change.action.acts() {
                change.action
            } else {
                change.hold.as_ref().map_or(Action::Update, |h| h.would_be)
            };
            stage.totals.rows.count(action);
        }
        RowEnd::Failed => stage.totals.failed += 1,
        RowEnd::Held => stage.totals.rows.held += 1,
        RowEnd::Skipped => stage.totals.rows.skipped += 1,
    }
}

pub fn sum(stages: &[StageProgress]) -> JobTotals {
    Tally::new(stages.to_vec(), Vec::new()).totals()
}

/// Held rows of the plan, as problems of its job.
fn planned_problems(engine: &Engine, plan: &Plan) -> Result<Vec<RowProblem>, Problem> {
    let mut problems = Vec::new();
    if plan.outline.totals.held > 0 {
        engine.book.plan_rows_while(plan, |change| {
            if change.action == Action::Held {
                let why = change.reasons.first().map(|r| safe(r)).unwrap_or_default();
                problems.push(problem_of(&change, why, None));
            }
            Ok(problems.len() < 100)
        })?;
    }
    Ok(problems)
}

fn problem_of(change: &Change, message: String, class: Option<Class>) -> RowProblem {
    RowProblem {
        row: change.row,
        entity: change.entity,
        source: ProblemSource { id: change.source.id.clone(), name: safe(&change.source.name) },
        message,
        class,
    }
}

/// How a job that came to its end ended (P42).
fn end_state(plan: Option<&Plan>, tally: &Tally, _report: &JobReport) -> JobState {
    let totals = tally.totals();
    let limited = plan.is_some_and(|p| p.outline.held_by_limit > 0) && totals.rows.held > 0;
    if limited {
        JobState::Held
    } else if totals.failed > 0 || totals.rows.held > 0 || totals.not_done > 0 {
        JobState::Partial
    } else if plan.is_some_and(|p| !p.outline.alerts.is_empty()) {
        JobState::Warnings
    } else {
        JobState::Ok
    }
}
