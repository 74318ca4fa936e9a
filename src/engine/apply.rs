//! Carrying out a plan: row by row, by the write protocol (sync-engine section 7).
//!
//! Take the row · wait for the budget · write the intent down, durably · send once · note the outcome. A request
//! without a clear answer is read back after the settle time, never blindly repeated.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::connect::Connections;
use super::control::{Control, Wish};
use super::fresh::{Freshness, Look};
use super::glance::Whole;
use super::hudu::Named;
use super::log::{JobLog, note, safe};
use super::records::{Intent, Outcome, QuantityChange, Record, RowEnd, RowState, Write};
use super::tally::Tally;
use super::target::{Fate, Target};
use super::undo::worth_keeping;
use super::{Engine, Step};
use crate::api::budget::Lane;
use crate::api::call::WriteVerdict;
use crate::engine::words::{Choices, Level, LogLine};
use crate::model::link::Removed;
use crate::model::settings::Safety;
use crate::model::{
    Class, Count, Entity, FieldName, Fields, How, JobId, Link, Problem, Slot, SourceId, TargetId, Value,
    marker,
};
use crate::plan::{Action, Cause, Change, Hold, Plan, Purpose, TopLevel, Valve};

/// Lanes for each request that may be under way at once: while some wait for their answers, the intents of others go to
/// the disk, several in one sync.
const LANES: usize = 4;
/// How often a create is attempted anew after it was proven absent.
const ATTEMPTS: u32 = 3;
/// How often one record's look-up may fail while the host answers others.
const LOOKS: u32 = 3;
/// How long a host may be out before the job gives up and waits to be resumed (P39).
const GIVE_UP: Duration = Duration::from_secs(600);

const UNCLEAR: &str =
    "what became of an earlier request for it could not be found out; the next job looks again";

/// Everything the workers of one job share.
pub struct Apply {
    pub engine: Arc<Engine>,
    pub with: Connections,
    pub job: JobId,
    pub plan: Plan,
    pub choices: Choices,
    pub account: String,
    pub top_level: TopLevel,
    pub safety: Safety,
    pub control: Control,
    pub tally: Arc<Tally>,
    pub log: Arc<JobLog>,
    pub fresh: Freshness,
    pub turns: Turns,
    /// Rows that were over before this (re)start.
    pub over: BTreeMap<u32, RowState>,
    pub at_once: usize,
}

/// A lane's place among those at once; given away while it only waits.
type Place = Option<tokio::sync::OwnedSemaphorePermit>;

/// Why the workers stop before the plan's end.
#[derive(Debug, Clone)]
pub enum Halt {
    /// A person asked for it.
    Asked,
    /// Nothing more can be written: sign-in refused, host gone, trail broken.
    Trouble(Problem),
}

/// The rows of one entity that go together. Removals come last, and only if nothing went wrong with the host before
/// (section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stage {
    entity: Entity,
    removals: bool,
}

impl Apply {
    /// Carries the plan out. What halted it, if anything did.
    pub async fn run(self: &Arc<Self>) -> Option<Halt> {
        // What is written here was carried out before (`carry_here`).
        let is_outside = |entity: &Entity| !self.plan.integration.target(*entity).is_here();
        let entities: Vec<Entity> = self.plan.entities.iter().copied().filter(is_outside).collect();
        let stages: Vec<Entity> = self.plan.stages().into_iter().filter(is_outside).collect();
        let writes = stages.iter().map(|entity| Stage { entity: *entity, removals: false });
        let removals = entities.iter().rev().map(|entity| Stage { entity: *entity, removals: true });
        let mut stages: Vec<Stage> = writes.chain(removals).collect();
        if self.is_undo() {
            // What is taken back goes in reverse.
            stages.sort_by_key(|stage| {
                std::cmp::Reverse(entities.iter().position(|entity| *entity == stage.entity))
            });
        }
        let pieces = match self.survey() {
            Ok(pieces) => pieces,
            Err(halt) => return Some(halt),
        };
        for stage in stages {
            if let Some(pieces) = pieces.get(&stage)
                && let Err(halt) = self.stage(stage, pieces.clone()).await
            {
                return Some(halt);
            }
        }
        None
    }

    /// The system that rows of this entity are written to.
    pub(super) fn target(&self, entity: Entity) -> Target {
        self.with.target(self.plan.integration.target(entity))
    }

    /// Whether this apply acts on the row, and how. `None` for rows it leaves alone.
    pub fn acts(&self, change: &Change) -> Option<Action> {
        let customer = change.customer.as_ref().map_or(&change.source.id, |customer| &customer.id);
        self.acts_on((change.row, change.entity, customer), change.action, change.hold.as_deref())
    }

    fn acts_on(
        &self,
        (row, entity, customer): (u32, Entity, &SourceId),
        action: Action,
        hold: Option<&Hold>,
    ) -> Option<Action> {
        if self.choices.leave_out.contains(&row) || !self.is_chosen_customer(entity, customer) {
            return None;
        }
        if action.acts() {
            return Some(action);
        }
        let hold = hold?;
        let included = match hold.cause {
            Cause::Limit { valve: Valve::V12, .. } => {
                self.choices.urgent || self.choices.removals_typed.is_some()
            }
            Cause::Limit { overridable: true, .. } => self.choices.removals_typed.is_some(),
            _ => false,
        };
        (included && hold.would_be.acts()).then_some(hold.would_be)
    }

    fn is_chosen_customer(&self, entity: Entity, customer: &SourceId) -> bool {
        // Beside an import the one customer is the source's; the ids of what goes the other way are Halo's.
        if entity.goes_back() && self.plan.entities.contains(&self.plan.integration.root()) {
            return self.choices.only_customer.is_none();
        }
        self.choices.only_customer.as_ref().is_none_or(|only| customer == only)
    }

    /// Carries out the rows of a stage, which lie in these pieces of the plan.
    async fn stage(self: &Arc<Self>, stage: Stage, pieces: Range<u32>) -> Result<(), Halt> {
        // Tasks that only wait for a request to settle give their place to others.
        let places = Arc::new(Semaphore::new(self.at_once * LANES));
        let mut tasks: JoinSet<Result<(), Halt>> = JoinSet::new();
        let mut group: Vec<(Change, Action)> = Vec::new();
        let mut halted = Ok(());
        for chunk in pieces {
            let rows = self.engine.book.plan_chunk(self.plan.id, chunk).map_err(Halt::Trouble)?;
            for change in rows {
                let Some((at, action)) = self.stage_of(&change) else { continue };
                if at != stage || self.over.contains_key(&change.row) {
                    continue;
                }
                let same = group.last().is_some_and(|(last, _)| same_lane(last, &change));
                if !same && !group.is_empty() {
                    halted = self.spawn(&mut tasks, &places, std::mem::take(&mut group)).await;
                    if halted.is_err() {
                        break;
                    }
                }
                group.push((change, action));
            }
            if halted.is_err() {
                break;
            }
        }
        if halted.is_ok() && !group.is_empty() {
            halted = self.spawn(&mut tasks, &places, group).await;
        }
        while let Some(ended) = tasks.join_next().await {
            // What went wrong counts for more than that everybody stopped for it.
            match joined(ended) {
                Err(Halt::Trouble(problem)) if !matches!(halted, Err(Halt::Trouble(_))) => {
                    halted = Err(Halt::Trouble(problem));
                }
                Err(halt) if halted.is_ok() => halted = Err(halt),
                _ => {}
            }
        }
        halted
    }

    /// Where a row belongs, and what is done there; `None` where nothing is.
    fn stage_of(&self, change: &Change) -> Option<(Stage, Action)> {
        let action = self.acts(change)?;
        Some((Stage { entity: change.entity, removals: action.is_removal() }, action))
    }

    /// Goes through the whole plan once: confirms what is right already, and finds the pieces in which each stage has
    /// rows, since to read a piece costs as much as to write some of its rows.
    fn survey(&self) -> Result<BTreeMap<Stage, Range<u32>>, Halt> {
        let mut pieces: BTreeMap<Stage, Range<u32>> = BTreeMap::new();
        let survey = self.engine.book.each_plan_piece(&self.plan, |chunk, piece| {
            let mut whole = Whole::of(piece);
            for row in piece.glances()? {
                if row.confirms()
                    && let Some(change) = whole.row(row.row)?
                {
                    self.confirm(change)?;
                }
                let of = (row.row, row.entity, row.customer());
                if let Some(action) = self.acts_on(of, row.action, row.hold.as_deref()) {
                    let stage = Stage { entity: row.entity, removals: action.is_removal() };
                    pieces.entry(stage).or_insert(chunk..chunk).end = chunk + 1;
                }
            }
            Ok(())
        });
        survey.map(|()| pieces).map_err(Halt::Trouble)
    }

    /// A row that is right already: what the source says becomes the base of the next comparison, and what we had
    /// taken away is no longer missing. Nothing is written outside.
    fn confirm(&self, change: &Change) -> Result<(), Problem> {
        if change.action != Action::Unchanged || change.owned.is_empty() || self.is_undo() {
            return Ok(());
        }
        let book = &self.engine.book;
        let link = book.link(self.plan.integration, change.entity, &change.source.id)?;
        let Some(mut link) = link else { return Ok(()) };
        link.base = Some(change.owned.clone());
        link.removed = None;
        let outcome = Outcome { closes: false, link: Some(link), ..self.outcome(&change.source.id, change) };
        book.record_soon(&[Record::Outcome(Box::new(outcome))])
    }

    /// Starts a lane's work once there is room for it.
    async fn spawn(
        self: &Arc<Self>,
        tasks: &mut JoinSet<Result<(), Halt>>,
        places: &Arc<Semaphore>,
        group: Vec<(Change, Action)>,
    ) -> Result<(), Halt> {
        if !self.control.may_go().await {
            return Err(Halt::Asked);
        }
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.map_err(|_| Halt::Asked)?,
            () = self.control.ended() => return Err(Halt::Asked),
        };
        let (apply, places) = (self.clone(), places.clone());
        tasks.spawn(async move {
            let mut place = Some(place);
            for (change, action) in group {
                if !apply.control.may_go().await {
                    return Err(Halt::Asked);
                }
                let ended = apply.row(&change, action, &mut place).await;
                if place.is_none() {
                    place = places.clone().acquire_owned().await.ok();
                }
                ended?;
            }
            Ok(())
        });
        // A finished task that halted is seen here, not at the end of the stage.
        while let Some(ended) = tasks.try_join_next() {
            joined(ended)?;
        }
        Ok(())
    }

    async fn row(&self, change: &Change, action: Action, place: &mut Place) -> Result<(), Halt> {
        // Held until the row's end is written down.
        let mut turn = None;
        let ended = match self.carry_out(change, action, place, &mut turn).await {
            Ok(over) => self.over(change, action, over).await,
            Err(halt) => Err(halt),
        };
        if let Err(Halt::Trouble(_)) = &ended {
            // Everybody else stops at the next record, also who waits for this turn.
            self.control.set(Wish::Stop);
        }
        ended
    }

    async fn over(&self, change: &Change, action: Action, over: Over) -> Result<(), Halt> {
        match over {
            Over::Done(link) => self.done(change, action, link).await,
            Over::Failed(problem) if problem.class == Class::Auth => {
                self.closes(change, "it was refused").await?;
                Err(Halt::Trouble(problem))
            }
            Over::Failed(problem) => {
                self.tally.failed(change, problem.to_string(), problem.class);
                self.say(change, Level::Error, '!', &format!("failed: {problem}"));
                self.end(change, RowEnd::Failed, problem.to_string(), Some(problem.class), None).await
            }
            Over::Held(why) => {
                self.tally.held(change, why.clone());
                self.say(change, Level::Held, '!', &format!("held: {why}"));
                self.end(change, RowEnd::Held, why, None, None).await
            }
            Over::Unclear(why) => {
                self.tally.held(change, why.clone());
                self.say(change, Level::Held, '!', &format!("held: {why}"));
                let end = Some(RowEnd::Held);
                let outcome =
                    Outcome { closes: false, end, message: why, ..self.outcome(&change.source.id, change) };
                self.note_outcome(outcome).await
            }
            Over::Skipped(why) => {
                self.tally.skipped(change);
                self.say(change, Level::Held, '.', &format!("skipped: {why}"));
                self.end(change, RowEnd::Skipped, why, None, None).await
            }
        }
    }

    async fn carry_out(
        &self,
        change: &Change,
        action: Action,
        place: &mut Place,
        turn: &mut Option<tokio::sync::OwnedMutexGuard<()>>,
    ) -> Result<Over, Halt> {
        let integration = self.plan.integration;
        let target = self.target(change.entity);
        let there = target.place().label();
        let book = &self.engine.book;
        if book.is_open(integration, change.entity, &change.source.id) {
            return Ok(Over::Unclear(UNCLEAR.into()));
        }
        let linked = if self.is_news(change, action) {
            None
        } else {
            book.link(integration, change.entity, &change.source.id).map_err(Halt::Trouble)?
        };

        // A create that reached Halo in an earlier life of this job.
        if action == Action::Create
            && let Some(link) = &linked
        {
            return Ok(Over::Done(link.clone()));
        }

        let customer = match (&change.customer, &change.customer_target) {
            (None, target) => target.clone(),
            // The record itself is known, whoever its customer is mapped to now.
            _ if self.is_undo() => change.customer_target.clone(),
            (Some(_), Some(target)) => Some(target.clone()),
            (Some(customer), None) => {
                let known = book.linked(integration, integration.root(), &customer.id);
                if let Some(target) = known.map_err(Halt::Trouble)? {
                    Some(target)
                } else {
                    let row = change.after_row.map_or(String::new(), |row| format!(" (row {row})"));
                    return Ok(Over::Skipped(format!("its customer is not in {there} yet{row}")));
                }
            }
        };

        if action == Action::Create {
            *turn = Some(self.turns.of(change.entity, customer.as_ref(), &change.source.name).await);
            if !self.control.may_go().await {
                return Err(Halt::Asked);
            }
            let makes =
                |intent: &Intent| intent.write.makes(change.entity, customer.as_ref(), &change.source.name);
            if book.is_any_open(makes) {
                return Ok(Over::Held(format!("one of the same name comes first: {UNCLEAR}")));
            }
            return self.create(change, &target, customer, linked, place).await;
        }
        let Some(id) = change.target.as_ref().map(|t| t.id.clone()) else {
            return Ok(Over::Held(format!("it names no record in {there}")));
        };
        let mut values = change.values();
        let look = if values.is_empty() {
            Ok(Look::Already)
        } else {
            self.patiently(&target, || self.fresh.before_set(&target, change)).await?
        };
        match look {
            Ok(Look::Already | Look::Ours(_)) => {}
            Ok(Look::AsPlanned(_)) => {
                for write in self.sets(change, &id, &mut values) {
                    if let Err(over) = self.write(change, &target, write, None, place).await? {
                        return Ok(over);
                    }
                }
            }
            Ok(Look::Changed(why)) => return Ok(Over::Held(why)),
            Err(problem) => return Ok(Over::Failed(problem)),
        }
        Ok(Over::Done(self.link(change, action, id, linked)))
    }

    /// What this job has just planned to create it found no link for, and nobody but the row itself makes one; what the
    /// mapping table is of apart, which a person may map meanwhile.
    fn is_news(&self, change: &Change, action: Action) -> bool {
        action == Action::Create && change.entity != self.plan.integration.root() && self.fresh.is_trusted()
    }

    async fn create(
        &self,
        change: &Change,
        target: &Target,
        customer: Option<TargetId>,
        linked: Option<Link>,
        place: &mut Place,
    ) -> Result<Over, Halt> {
        let marker = marker::marker(
            &self.engine.installation,
            self.plan.integration,
            &self.account,
            change.entity,
            &change.source.id,
        );
        let look = self
            .patiently(target, || self.fresh.before_create(target, change, customer.as_ref(), &marker))
            .await?;
        let before = match look {
            Ok(Look::AsPlanned(before)) => before,
            Ok(Look::Already) => Vec::new(),
            Ok(Look::Ours(id)) => return Ok(Over::Done(self.link(change, Action::Create, id, linked))),
            Ok(Look::Changed(why)) => return Ok(Over::Held(why)),
            Err(problem) => return Ok(Over::Failed(problem)),
        };
        let mut link = self.link(change, Action::Create, TargetId::new(""), linked);
        let write = Write::Create {
            entity: change.entity,
            top_level: match &self.top_level {
                TopLevel::Known { id, .. } if change.entity == self.plan.integration.root() => {
                    Some(id.clone())
                }
                _ => None,
            },
            customer: customer.clone(),
            site: change.site.clone().filter(|_| change.entity == Entity::Assets),
            fields: change.values(),
            marker: marker.clone(),
            before,
        };
        match self.write(change, target, write, Some(&link), place).await? {
            Ok(id) => {
                self.fresh.made(change.entity, customer.as_ref(), &change.source.name, &id, &marker);
                link.target = id;
                Ok(Over::Done(link))
            }
            Err(over) => Ok(over),
        }
    }

    /// The writes of a row that changes a record which is there: one, or for a customer up to two.
    fn sets(&self, change: &Change, target: &TargetId, values: &mut Fields) -> Vec<Write> {
        let before: Fields =
            change.fields.iter().filter_map(|f| f.before.clone().map(|b| (f.name, b))).collect();
        let mut writes = Vec::new();
        values.remove(FieldName::TopLevel);
        if change.entity != Entity::Assets
            && let Some(site) = &change.site
            && let Some(Value::Address(address)) = values.remove(FieldName::MainSiteAddress)
        {
            let before = match before.get(FieldName::MainSiteAddress) {
                Some(Value::Address(address)) => Some(address.clone()),
                _ => None,
            };
            writes.push(Write::SetAddress { customer: target.clone(), site: site.clone(), address, before });
        }
        let (entity, id) = (change.entity, target.clone());
        // Archiving is a call of its own in Hudu.
        if values.len() > 1
            && self.plan.integration.target(entity)
                == crate::model::Place::Of(crate::model::Integration::Hudu)
            && let Some(status) = values.remove(FieldName::Status)
        {
            let fields = Fields::new().with(FieldName::Status, status);
            writes.push(Write::Set { entity, id: id.clone(), fields, before: before.clone() });
        }
        if !values.is_empty() {
            writes.push(Write::Set { entity, id, fields: values.clone(), before });
        }
        writes
    }

    /// One write, by the protocol. `Ok(Err(_))`: the row ends here.
    /// Why a billable row is not written now: a freeze that its plan did not know of, or that nobody overruled
    /// (invariant 22).
    fn frozen(&self, change: &Change) -> Option<String> {
        let cause = change.hold.as_deref().map(|hold| &hold.cause);
        let is_overruled =
            self.choices.urgent || matches!(cause, Some(Cause::Limit { valve: Valve::V12, .. }));
        if is_overruled || !change.is_billable() {
            return None;
        }
        let freeze = self.engine.frozen(self.plan.integration, self.engine.world.now())?;
        Some(format!("nothing billable is written in the freeze ({freeze}): plan again after it (N10)"))
    }

    async fn write(
        &self,
        change: &Change,
        target: &Target,
        write: Write,
        link: Option<&Link>,
        place: &mut Place,
    ) -> Result<Result<TargetId, Over>, Halt> {
        let mut intent = Arc::new(Intent {
            job: self.job,
            row: change.row,
            attempt: 1,
            integration: self.plan.integration,
            entity: change.entity,
            source: change.source.id.clone(),
            write,
            link: link.cloned().map(Box::new),
            at: self.engine.world.now(),
        });
        let mut out_since: Option<tokio::time::Instant> = None;
        if let Err(problem) = self.patiently(target, || target.ready(change.entity)).await? {
            return Ok(Err(Over::Failed(problem)));
        }
        loop {
            let budget = self.engine.budget(target.place());
            let mut permit = tokio::select! {
                biased;
                permit = budget.admit(Lane::Bulk) => permit,
                () = self.control.ended() => return Err(Halt::Asked),
            };
            if let Some(why) = self.frozen(change) {
                return Ok(Err(Over::Held(why)));
            }
            // The request leaves after this moment; the book has let go of an intent that was closed.
            Arc::make_mut(&mut intent).at = self.engine.world.now();
            let record = [Record::Intent(Arc::clone(&intent))];
            self.engine.step(Step::BeforeIntent).await;
            if self.engine.protocol.durable_intent {
                self.engine.book.record(&record).await.map_err(Halt::Trouble)?;
            } else {
                self.engine.book.record_soon(&record).map_err(Halt::Trouble)?;
            }
            drop(record);
            self.engine.step(Step::Intent).await;
            let is_stopped = tokio::select! {
                biased;
                () = self.control.ended() => true,
                () = permit.enter() => false,
            };
            if is_stopped {
                self.closes(change, "it was not sent").await?;
                return Err(Halt::Asked);
            }
            let named = self.named(&intent.write).map_err(Halt::Trouble)?;
            let verdict = target.send(permit, &intent.write, &named).await;
            if matches!(&verdict, WriteVerdict::Rejected(problem) if problem.class == Class::Auth) {
                // Whoever waits for the place that is free now must not send first.
                self.control.set(Wish::Stop);
            }
            self.engine.step(Step::Sent).await;
            match verdict {
                WriteVerdict::Done(id) => return Ok(Ok(id)),
                WriteVerdict::Rejected(problem) => {
                    return Ok(Err(Over::Failed(problem)));
                }
                WriteVerdict::Throttled => {
                    self.closes(change, "the host asked for a pause").await?;
                }
                WriteVerdict::NotSent(problem) => {
                    self.closes(change, "it was not sent").await?;
                    let since = *out_since.get_or_insert_with(tokio::time::Instant::now);
                    if since.elapsed() > GIVE_UP {
                        return Err(Halt::Trouble(problem));
                    }
                    self.wait_for_host(&problem, since).await?;
                }
                WriteVerdict::Unknown(problem) => {
                    let fate = Box::pin(self.resolve(change, target, &intent.write, &problem, place));
                    match fate.await? {
                        Ok(Fate::Done(id)) => return Ok(Ok(id)),
                        Ok(Fate::Absent) if intent.attempt < ATTEMPTS => {
                            self.closes(change, "it was not carried out").await?;
                            Arc::make_mut(&mut intent).attempt += 1;
                        }
                        Ok(Fate::Absent) => return Ok(Err(Over::Failed(problem))),
                        Ok(Fate::Changed(why)) => return Ok(Err(Over::Held(why))),
                        Ok(Fate::Duplicate(ids)) => return Ok(Err(Over::Unclear(duplicate(&ids)))),
                        Err(problem) => return Ok(Err(Over::Unclear(format!("{UNCLEAR}: {problem}")))),
                    }
                }
            }
        }
    }

    /// Where the records are that the values of a write name: they may have been made by this very job.
    fn named(&self, write: &Write) -> Result<Named, Problem> {
        let mut named = Named::new();
        if let Write::Create { fields, .. } | Write::Set { fields, .. } = write {
            for (_, value) in fields.iter() {
                let Value::Record(entity, id) = value else { continue };
                if let Some(target) = self.engine.book.linked(self.plan.integration, *entity, id)? {
                    named.insert((*entity, id.clone()), target);
                }
            }
        }
        Ok(named)
    }

    /// What became of a write without an answer. It may still be carried out until its settle time is over: only then
    /// is "not there" an answer, and only then may another value be sent (invariant 45). Meanwhile this lane's place
    /// goes to another.
    async fn resolve(
        &self,
        change: &Change,
        target: &Target,
        write: &Write,
        problem: &Problem,
        place: &mut Place,
    ) -> Result<Result<Fate, Problem>, Halt> {
        self.engine.step(Step::Unknown).await;
        self.say(
            change,
            Level::Note,
            '.',
            &format!("no clear answer ({}); reading back", safe(&problem.message)),
        );
        let mut settled = !self.engine.protocol.settle;
        loop {
            match self.patiently(target, || target.fate(write)).await? {
                Ok(Fate::Absent | Fate::Changed(_)) if !settled => {
                    settled = true;
                    place.take();
                    tokio::select! {
                        () = tokio::time::sleep(self.engine.settle()) => {}
                        () = self.control.ended() => return Err(Halt::Asked),
                    }
                }
                found => return Ok(found),
            }
        }
    }

    /// Looks something up. While the host is out, waits for it; where only this look-up fails, so be it: one bad
    /// record stops no other (invariant 28).
    async fn patiently<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        target: &Target,
        look: impl Fn() -> F,
    ) -> Result<Result<T, Problem>, Halt> {
        let since = tokio::time::Instant::now();
        let mut tries = 0;
        loop {
            let problem = match look().await {
                Ok(found) => return Ok(Ok(found)),
                Err(problem) if problem.class == Class::Auth => return Err(Halt::Trouble(problem)),
                Err(problem) => problem,
            };
            tries += 1;
            if problem.class != Class::Host || (tries >= LOOKS && target.answers().await) {
                return Ok(Err(problem));
            }
            if since.elapsed() > GIVE_UP {
                return Err(Halt::Trouble(problem));
            }
            self.wait_for_host(&problem, since).await?;
        }
    }

    async fn wait_for_host(&self, problem: &Problem, since: tokio::time::Instant) -> Result<(), Halt> {
        let seconds = since.elapsed().as_secs().clamp(1, 30);
        self.tally.waiting(Some(format!("waiting for the host: {}", safe(&problem.message))));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            () = self.control.ended() => return Err(Halt::Asked),
        }
        self.tally.waiting(None);
        Ok(())
    }

    /// The link as it stands once the row is done.
    fn link(&self, change: &Change, action: Action, target: TargetId, old: Option<Link>) -> Link {
        let now = self.engine.world.now();
        let old = old.filter(|link| link.target == target);
        let mut base = old.as_ref().and_then(|l| l.base.clone()).unwrap_or_default();
        for (name, value) in change.owned.iter() {
            base.set(name, value.clone());
        }
        let values = change.values();
        for (name, value) in values.iter() {
            base.set(name, value.clone());
        }
        let removed = if action.is_removal() {
            Some(Removed {
                at: now,
                zeroed: values.get(FieldName::Quantity) == Some(&Value::Count(Count::ZERO)),
                deactivated: values.get(FieldName::Status) == Some(&Value::Active(false)),
            })
        } else {
            None
        };
        let target_name = values
            .get(FieldName::Name)
            .map(|v| v.to_string().into_boxed_str())
            .or_else(|| change.target.as_ref().map(|t| t.name.as_ref().into()))
            .unwrap_or_else(|| change.source.name.as_ref().into());
        Link {
            target,
            parent: change.customer.as_ref().map(|c| c.id.clone()),
            source_name: change.source.name.as_ref().into(),
            target_name,
            how: match (&old, action) {
                (Some(link), _) => link.how,
                (None, Action::Create) => How::Created,
                (None, _) => How::NameAtImport,
            },
            since: old.as_ref().map_or(now, |l| l.since),
            base: (!base.is_empty()).then_some(base),
            removed,
            site: old.and_then(|link| link.site),
        }
    }

    async fn done(&self, change: &Change, action: Action, link: Link) -> Result<(), Halt> {
        self.say(change, Level::Change, action.sign(), &said(change, action));
        self.end(change, RowEnd::Done, String::new(), None, Some(link)).await?;
        self.tally.done(change.entity, action);
        Ok(())
    }

    /// Writes a row's end down.
    async fn end(
        &self,
        change: &Change,
        end: RowEnd,
        message: String,
        class: Option<Class>,
        link: Option<Link>,
    ) -> Result<(), Halt> {
        let quantity = (end == RowEnd::Done).then(|| self.quantity(change)).flatten();
        // A row of an undo brings the whole mapping with it.
        let mapping = change.mapping.clone().filter(|_| end == RowEnd::Done);
        let link = link.filter(|_| !self.is_undo());
        let is_news = self.acts(change).is_some_and(|action| self.is_news(change, action));
        let before = if link.is_none() && mapping.is_none() {
            None
        } else if let Some(link) = link.as_ref().filter(|_| is_news) {
            worth_keeping(Slot::default(), link)
        } else {
            let slot = self.engine.book.slot(self.plan.integration, change.entity, &change.source.id);
            let was = slot.map_err(Halt::Trouble)?;
            match &link {
                Some(link) => worth_keeping(was, link),
                None => Some(Box::new(was)),
            }
        };
        let outcome = Outcome {
            mapping,
            before,
            end: Some(end),
            message,
            class,
            link,
            quantity,
            ..self.outcome(&change.source.id, change)
        };
        self.note_outcome(outcome).await
    }

    /// Closes an intent whose write was proven not carried out; the row goes on.
    async fn closes(&self, change: &Change, why: &str) -> Result<(), Halt> {
        let outcome = Outcome { message: why.into(), ..self.outcome(&change.source.id, change) };
        self.note_outcome(outcome).await
    }

    async fn note_outcome(&self, outcome: Outcome) -> Result<(), Halt> {
        self.engine.step(Step::BeforeOutcome).await;
        self.engine.book.record_soon(&[Record::Outcome(Box::new(outcome))]).map_err(Halt::Trouble)?;
        self.engine.step(Step::Outcome).await;
        Ok(())
    }

    pub(super) fn outcome(&self, source: &SourceId, change: &Change) -> Outcome {
        Outcome {
            job: self.job,
            row: change.row,
            integration: self.plan.integration,
            entity: change.entity,
            source: source.clone(),
            closes: true,
            end: None,
            message: String::new(),
            class: None,
            link: None,
            before: None,
            mapping: None,
            quantity: None,
            at: self.engine.world.now(),
        }
    }

    fn is_undo(&self) -> bool {
        matches!(self.plan.purpose, Purpose::Undo { .. })
    }

    /// B11: a count that changed, with the moment we saw it (when the listing was read).
    fn quantity(&self, change: &Change) -> Option<QuantityChange> {
        let field = change.fields.iter().find(|f| f.name == FieldName::Quantity)?;
        match (&field.before, &field.after) {
            (before, Some(Value::Count(after))) => Some(QuantityChange {
                seen: self.plan.built_at,
                before: match before {
                    Some(Value::Count(before)) => Some(*before),
                    _ => None,
                },
                after: *after,
            }),
            _ => None,
        }
    }

    pub(super) fn say(&self, change: &Change, level: Level, sign: char, text: &str) {
        let (customer, subject) = match &change.customer {
            Some(customer) => (safe(&customer.name), safe(&change.source.name)),
            None => (safe(&change.source.name), String::new()),
        };
        self.log.write(LogLine {
            at: self.engine.world.now(),
            level,
            sign,
            customer,
            subject,
            text: safe(text),
            row: Some(change.row),
        });
    }

    /// A line about no row.
    pub fn note(&self, text: impl Into<String>) {
        self.log.write(note(self.engine.world.now(), text));
    }
}

/// One open create for each natural key (invariant 2): where Halo does not give a marker back, two records of one name
/// at one customer can only be told apart by which was there first.
#[derive(Default)]
pub struct Turns(std::sync::Mutex<HashMap<NaturalKey, Weak<tokio::sync::Mutex<()>>>>);

/// What kind of record, at which customer (none for customers themselves), of which exact name.
type NaturalKey = (Entity, Option<TargetId>, Box<str>);

impl Turns {
    async fn of(
        &self,
        entity: Entity,
        customer: Option<&TargetId>,
        name: &str,
    ) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if turns.len() >= 256 {
                turns.retain(|_, turn| turn.strong_count() > 0);
            }
            let place = turns.entry((entity, customer.cloned(), name.trim().into())).or_default();
            place.upgrade().unwrap_or_else(|| {
                let turn = Arc::default();
                *place = Arc::downgrade(&turn);
                turn
            })
        };
        turn.lock_owned().await
    }
}

/// How one row ended.
enum Over {
    Done(Link),
    Failed(Problem),
    Held(String),
    /// What became of its request is not known: it stays open, and nothing more is written for this key.
    Unclear(String),
    Skipped(String),
}

fn joined(ended: Result<Result<(), Halt>, tokio::task::JoinError>) -> Result<(), Halt> {
    ended.unwrap_or_else(|error| {
        Err(Halt::Trouble(
            Problem::new(Class::Local, format!("A worker of the job broke: {error}."))
                .remedy("Resume the job; what it had in hand is looked up first."),
        ))
    })
}

/// Rows of one customer keep their order and one lane.
fn same_lane(a: &Change, b: &Change) -> bool {
    match (&a.customer, &b.customer) {
        (Some(a), Some(b)) => a.id == b.id,
        _ => false,
    }
}

pub(super) fn duplicate(ids: &[TargetId]) -> String {
    let ids: Vec<_> = ids.iter().map(TargetId::as_str).collect();
    format!(
        "there are {} records for it now (ids {}); keep one, or map the right one",
        ids.len(),
        ids.join(", ")
    )
}

/// A row in a line of the log: what was written.
fn said(change: &Change, action: Action) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    let fields: Vec<String> = change
        .fields
        .iter()
        .filter(|f| f.after.is_some())
        .map(|f| match action {
            Action::Create => format!("{} {}", f.name, shown(&f.after)),
            _ => format!("{} {} -> {}", f.name, shown(&f.before), shown(&f.after)),
        })
        .collect();
    let what = match action {
        Action::Create => "created",
        Action::Link => "linked",
        Action::Zero => "set to zero",
        Action::Deactivate => "made inactive",
        _ => "",
    };
    match (what, fields.is_empty()) {
        ("", _) => fields.join(", "),
        (what, true) => what.to_owned(),
        (what, false) => format!("{what}: {}", fields.join(", ")),
    }
}
