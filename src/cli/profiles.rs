//! `profiles`: which there are, what kind each is, and where it lies.

use std::fmt::Write as _;

use serde::Serialize;

use super::exit::{DONE, Failure};
use super::out::Out;
use crate::engine::profiles::{self, Profile};
use crate::model::settings::Kind;
use crate::model::text::shown;
use crate::store::Places;

#[derive(Serialize)]
struct Document<'a> {
    profiles: &'a [Profile],
}

pub fn run(out: &Out, current: &Places) -> Result<u8, Failure> {
    let profiles = profiles::list(current);
    out.either(&Document { profiles: &profiles }, || text(&profiles))?;
    Ok(DONE)
}

/// `* acme  PRODUCTION  /home/me/.local/state/parhelion/acme  in use by process 4711`
fn text(profiles: &[Profile]) -> String {
    let width = profiles.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for profile in profiles {
        let here = if profile.current { '*' } else { ' ' };
        let kind = match profile.kind {
            Some(Kind::Production) => "PRODUCTION",
            Some(Kind::Sandbox) => "SANDBOX",
            None => "unreadable",
        };
        let folder = profile.folder.display().to_string();
        let _ = write!(text, "{here} {:<width$}  {kind:<10}  {}", profile.name, shown(&folder));
        if let Some(process) = profile.process {
            let _ = write!(text, "  in use by process {process}");
        }
        text.push('\n');
    }
    text
}
