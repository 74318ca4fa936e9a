//! `test`: 'Test configuration' (C10), each check on a line.

use super::exit::{AUTH, DONE, FAILED, Failure, worst};
use super::json::{TestDocument, TestsDocument};
use super::out::Out;
use super::progress::attended;
use super::{ask, order, text};
use crate::host::Handle;
use crate::host::words::{CheckState, Command, Query, Reply, TestReport};
use crate::model::Place;
use crate::model::settings::Settings;

pub async fn run(out: &Out, handle: &Handle, place: Option<Place>) -> Result<u8, Failure> {
    let Some(place) = place else { return all(out, handle).await };
    let report = test(out, handle, place).await?;
    out.either(&TestDocument::from(&report), || text::test(&report))?;
    Ok(code(&report))
}

/// Halo and every integration that is on.
async fn all(out: &Out, handle: &Handle) -> Result<u8, Failure> {
    let view = ask!(handle, Query::Settings, Settings)?;
    let mut reports = Vec::new();
    for place in Place::all().filter(|place| is_on(&view.settings, *place)) {
        reports.push(test(out, handle, place).await?);
    }
    let tests = reports.iter().map(TestDocument::from).collect();
    let document = TestsDocument { ok: reports.iter().all(|report| report.ok), tests };
    out.either(&document, || reports.iter().map(text::test).collect())?;
    Ok(worst(reports.iter().map(code)))
}

async fn test(out: &Out, handle: &Handle, place: Place) -> Result<TestReport, Failure> {
    let command = Command::Test { place, draft: Vec::new(), secrets: Vec::new() };
    attended(out, handle, async { order!(handle, command, Reply::Tested(report) => report) }).await
}

fn is_on(settings: &Settings, place: Place) -> bool {
    match place {
        Place::Halo => true,
        Place::Of(integration) => settings.of(integration).enabled,
    }
}

/// The checks that ask for a sign-in or a right; the ones before them ask for settings and the network.
const RIGHTS: [&str; 5] = ["sign-in", "top levels", "customers", "subscriptions", "licences"];

/// The first check that failed says what kind of failure it is.
fn code(report: &TestReport) -> u8 {
    let failed = report.checks.iter().find(|check| check.state == CheckState::Failed);
    match failed {
        _ if report.ok => DONE,
        Some(check) if RIGHTS.contains(&check.name.as_str()) => AUTH,
        _ => FAILED,
    }
}
