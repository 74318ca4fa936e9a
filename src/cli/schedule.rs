//! `schedule list|run|resume`: when integrations run by themselves.

use super::args::ScheduleCommand;
use super::exit::{DONE, Failure};
use super::json::{Done, SchedulesDocument};
use super::out::Out;
use super::{ask, order, plan, text};
use crate::host::Handle;
use crate::host::words::{Command, Query, Reply};

/// Occurrences shown of each.
const PAST: usize = 20;

pub async fn run(out: &Out, handle: &Handle, command: &ScheduleCommand) -> Result<u8, Failure> {
    match command {
        ScheduleCommand::List { integration } => {
            let mut all = ask!(handle, Query::Schedules { past: PAST }, Schedules)?;
            all.retain(|view| integration.is_none_or(|wanted| view.integration == wanted));
            out.either(&SchedulesDocument::new(&all), || text::schedules(&all, out.plain))?;
            Ok(DONE)
        }
        ScheduleCommand::Run { integration } => {
            plan::carry_out(out, handle, Command::RunSchedule { integration: *integration }).await
        }
        ScheduleCommand::Resume { integration } => {
            let command = Command::ResumeSchedule { integration: *integration };
            let said = order!(handle, command, Reply::Done(said) => said)?;
            out.either(&Done { message: &said }, || said.clone() + "\n")?;
            Ok(DONE)
        }
    }
}
