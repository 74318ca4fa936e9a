//! Takes calls and hands out answers. Short commands are done in turn; what waits for a network runs beside.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::Engine;
use super::planning::{Keep, Spec};
use crate::engine::words::{Answer, Choices, Command, Event, Query, Reply};
use crate::model::Problem;

/// What the desk receives.
#[derive(Debug)]
pub enum Call {
    Do(Command, oneshot::Sender<Result<Reply, Problem>>),
    /// The same for another person than the one this process belongs to: the trail names them.
    DoFor(String, Command, oneshot::Sender<Result<Reply, Problem>>),
    Ask(Query, oneshot::Sender<Result<Answer, Problem>>),
}

tokio::task_local! {
    /// Who gave the order that this task carries out.
    pub(super) static ORDERED_BY: String;
}

/// Serves until [`Command::Stop`] or until nobody can call any more.
pub async fn serve(engine: Arc<Engine>, mut calls: mpsc::UnboundedReceiver<Call>) {
    while let Some(call) = calls.recv().await {
        match call {
            Call::Ask(query, reply) => {
                let _ = reply.send(engine.answer(query));
            }
            Call::Do(Command::Stop, reply) | Call::DoFor(_, Command::Stop, reply) => {
                let ended = engine.close().await;
                let _ = reply.send(ended.map(|()| Reply::Done("Stopped.".into())));
                return;
            }
            Call::Do(command, reply) => begin(&engine, command, reply).await,
            Call::DoFor(by, command, reply) => ORDERED_BY.scope(by, begin(&engine, command, reply)).await,
        }
    }
    let _ = engine.close().await;
}

/// Does a short command; starts a long one.
async fn begin(engine: &Arc<Engine>, command: Command, reply: oneshot::Sender<Result<Reply, Problem>>) {
    if is_short(&command) {
        return answer(engine, command, reply).await;
    }
    let engine = engine.clone();
    let by = engine.by();
    tokio::spawn(ORDERED_BY.scope(by, async move { answer(&engine, command, reply).await }));
}

/// Whether a command waits for no network: these keep their order.
fn is_short(command: &Command) -> bool {
    match command {
        Command::Set { .. }
        | Command::ImportSettings { .. }
        | Command::SealSecret { .. }
        | Command::Decide { .. }
        | Command::Undo { .. }
        | Command::UndoFields { .. }
        | Command::FlagPush { .. }
        | Command::ImportMappings { .. }
        | Command::DiscardPlan { .. }
        | Command::Lifecycle(_)
        | Command::PutAside { .. }
        | Command::ResumeSchedule { .. }
        | Command::Order { .. } => true,
        Command::Test { .. }
        | Command::Layouts { .. }
        | Command::ReadCustomers { .. }
        | Command::ReadFields { .. }
        | Command::TryFields { .. }
        | Command::Score { .. }
        | Command::Card { .. }
        | Command::Sites { .. }
        | Command::Generate { .. }
        | Command::BuildPlan { .. }
        | Command::Replan { .. }
        | Command::Apply { .. }
        | Command::BuildPlanOf { .. }
        | Command::Run { .. }
        | Command::RunOf { .. }
        | Command::RunSchedule { .. }
        | Command::TestNotice
        | Command::LookAt(_)
        | Command::Stop => false,
    }
}

async fn answer(engine: &Arc<Engine>, command: Command, reply: oneshot::Sender<Result<Reply, Problem>>) {
    let done = carry_out(engine, command).await;
    if let Err(problem) = &done {
        tracing::info!(class = ?problem.class, "{}", problem.message);
    }
    let _ = reply.send(done);
}

async fn carry_out(engine: &Arc<Engine>, command: Command) -> Result<Reply, Problem> {
    match command {
        Command::Set { changes } => engine.set(&changes).await,
        Command::ImportSettings { text } => engine.import_settings(&text).await,
        Command::SealSecret { key, secret } => engine.seal(&key, &secret).await,
        Command::Test { place, draft, secrets } => {
            Ok(Reply::Tested(engine.test(place, &draft, &secrets).await?))
        }
        Command::Layouts { fix } => Ok(Reply::Layouts(engine.layouts(&fix).await?)),
        Command::ReadFields { integration } => Ok(Reply::Done(engine.read_fields(integration).await?)),
        Command::TryFields { integration, record } => {
            Ok(Reply::Fields(Box::new(engine.try_fields(integration, &record).await?)))
        }
        Command::ReadCustomers { integration } => Ok(Reply::Done(engine.read_customers(integration).await?)),
        Command::Score { integration } => Ok(Reply::Done(engine.score(integration).await?)),
        Command::Card { integration, source } => {
            let engine = engine.clone();
            let card = tokio::task::spawn_blocking(move || engine.card(integration, &source));
            let card = card.await.map_err(|error| {
                Problem::new(crate::model::Class::Local, format!("The card could not be made: {error}."))
            })??;
            Ok(Reply::Card(card))
        }
        Command::Sites { integration, source } => Ok(Reply::Sites(engine.sites(integration, &source).await?)),
        Command::Generate { integration } => Ok(Reply::Generated(engine.generate(integration).await?)),
        Command::Decide { integration, decisions } => {
            Ok(Reply::Done(engine.decide(integration, decisions).await?))
        }
        Command::Undo { integration, redo } => Ok(Reply::Done(engine.undo(integration, redo).await?)),
        Command::FlagPush { customer, on } => Ok(Reply::Done(engine.flag_push(&customer, on).await?)),
        Command::UndoFields { integration, redo } => {
            Ok(Reply::Done(engine.undo_fields(integration, redo).await?))
        }
        Command::ImportMappings { integration, csv, dry_run, by_name } => {
            Ok(Reply::Mappings(engine.import_mappings(integration, &csv, dry_run, by_name).await?))
        }
        Command::BuildPlan { integration, entities, scheduled, purpose } => {
            let spec = Spec { integration, entities, scheduled, allow_removals: false, purpose };
            planned(engine, &spec.ordered()).await
        }
        Command::BuildPlanOf { purpose, allow_removals } => {
            planned(engine, &Spec { allow_removals, ..engine.spec_of(purpose)? }).await
        }
        Command::Replan { plan } => {
            let engine = engine.clone();
            let plan =
                tokio::task::spawn_blocking(move || engine.replan(plan)).await.map_err(|error| {
                    Problem::new(crate::model::Class::Local, format!("The planner broke: {error}."))
                })??;
            Ok(Reply::Planned(Box::new(plan)))
        }
        Command::DiscardPlan { plan } => {
            engine.plan(plan)?;
            engine.book.drop_plan(plan)?;
            Ok(Reply::Done(format!("Plan {plan} is discarded.")))
        }
        Command::Apply { plan, choices } => Ok(Reply::Started(engine.apply(plan, choices).await?)),
        Command::Run { integration, entities, scheduled, allow_removals, urgent, purpose } => {
            let spec = Spec { integration, entities, scheduled, allow_removals, purpose }.ordered();
            let choices = Choices { urgent: urgent && !scheduled, ..Choices::default() };
            Ok(Reply::Started(engine.run_with(spec, choices).await?))
        }
        Command::RunOf { purpose, allow_removals } => {
            let spec = Spec { allow_removals, ..engine.spec_of(purpose)? };
            Ok(Reply::Started(engine.run(spec).await?))
        }
        Command::PutAside { integration, which, asked } => {
            Ok(Reply::Done(engine.put_aside(integration, &which, asked).await?))
        }
        Command::RunSchedule { integration } => Ok(Reply::Started(engine.run_schedule(integration).await?)),
        Command::ResumeSchedule { integration } => {
            Ok(Reply::Done(engine.resume_schedule(integration).await?))
        }
        Command::Order { job, order } => Ok(Reply::Done(engine.order(job, order).await?)),
        Command::Lifecycle(order) => engine.lifecycle(*order).await,
        Command::TestNotice => Ok(Reply::Done(engine.test_notice().await?)),
        Command::LookAt(_) => Ok(Reply::Done("Nobody else looks.".into())),
        Command::Stop => Ok(Reply::Done("Stopped.".into())),
    }
}

/// Builds a plan and leaves it for later.
async fn planned(engine: &Arc<Engine>, spec: &Spec) -> Result<Reply, Problem> {
    let integration = spec.integration;
    let progress = |what: &str, done: u64, of: Option<u64>| {
        engine.tell(Event::Reading { integration, what: what.to_owned(), done, of });
    };
    let built = engine.build_plan(spec, Keep::ForLater, &progress).await?;
    built.with.close().await;
    Ok(Reply::Planned(Box::new(built.plan)))
}

impl Engine {
    /// Ends the running job after the records in hand and leaves everything on disk.
    pub async fn close(&self) -> Result<(), Problem> {
        self.scheduler.end().await;
        self.stop().await;
        self.notices.close().await;
        self.save_budgets();
        self.write_metrics();
        self.book.close()
    }
}
