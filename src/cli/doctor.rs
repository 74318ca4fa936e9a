//! `doctor [--rebuild]`.

use std::fmt::Write as _;

use serde::Serialize;

use super::args::Args;
use super::exit::{DONE, FAILED, Failure};
use super::out::Out;
use crate::api::http::RealTransport;
use crate::engine::doctor::{self, Finding, Health, Rebuilt};
use crate::model::Moment;
use crate::model::text::shown;
use crate::store::{KeySource, Places};

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    checks: &'a [Finding],
}

pub async fn run(args: &Args, out: &Out, places: &Places) -> Result<u8, Failure> {
    let key = KeySource::choose(args.global.key_file.as_deref(), places);
    let checks = doctor::examine(places, key, &RealTransport::new(), Moment::now()).await;
    let ok = !checks.iter().any(|check| check.state == Health::Failed);
    out.either(&Document { ok, checks: &checks }, || checks.iter().map(line).collect())?;
    Ok(if ok { DONE } else { FAILED })
}

/// `failed  rights       others may read ... Use: chmod 700 ...`
fn line(finding: &Finding) -> String {
    let mut text = format!("{:<8} {:<12} {}", finding.state.word(), finding.name, shown(&finding.message));
    if !text.ends_with('.') {
        text.push('.');
    }
    if !finding.remedy.is_empty() {
        let _ = write!(text, " {}", shown(&finding.remedy));
    }
    text + "\n"
}

#[derive(Serialize)]
struct RebuiltDocument {
    rebuilt: Rebuilt,
}

pub fn rebuild(out: &Out, places: &Places) -> Result<u8, Failure> {
    let rebuilt = doctor::rebuild(places, Moment::now())?;
    let aside = rebuilt.aside.as_ref().map(|path| path.display().to_string());
    let text = || {
        let mut text = format!("The index was made again from {} records.\n", rebuilt.records);
        if let Some(aside) = &aside {
            let _ = writeln!(text, "The old one is in {aside}; delete it when you no longer want it.");
        }
        text + "Stored plans and what was read of the customers are gone with it: plan again.\n"
    };
    out.either(&RebuiltDocument { rebuilt: rebuilt.clone() }, text)?;
    Ok(DONE)
}
