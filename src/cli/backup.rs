//! `backup FILE` and `restore FILE`.

use std::path::Path;

use serde::Serialize;

use super::args::Args;
use super::exit::{DONE, Failure};
use super::out::Out;
use super::{files, json};
use crate::engine::restored::safe_mode;
use crate::model::{Class, Moment, Problem};
use crate::store::backup::{self, Manifest};
use crate::store::{KeySource, Places, Seq, Vault};

#[derive(Serialize)]
struct Document<'a> {
    file: &'a str,
    profile: &'a str,
    made: String,
    last_seq: Seq,
    bytes: u64,
    /// Where what was there before lies now.
    #[serde(skip_serializing_if = "Option::is_none")]
    aside: Option<String>,
    notes: Vec<String>,
}

impl<'a> Document<'a> {
    fn new(file: &'a str, manifest: &'a Manifest) -> Self {
        Self {
            file,
            profile: &manifest.profile,
            made: json::moment(manifest.made),
            last_seq: manifest.last_seq,
            bytes: manifest.bytes(),
            aside: None,
            notes: Vec::new(),
        }
    }
}

pub fn backup(out: &Out, places: &Places, file: &Path) -> Result<u8, Failure> {
    if file == Path::new("-") {
        if out.json {
            let problem = "The backup and a JSON document cannot both go to standard output.";
            return Err(Problem::new(Class::Input, problem).remedy("Name a file for the backup.").into());
        }
        super::out::stream(|to| backup::make(places, Moment::now(), to).map(drop))?;
        return Ok(DONE);
    }
    let mut made = None;
    files::stream(file, |to| {
        made = Some(backup::make(places, Moment::now(), to)?);
        Ok(())
    })?;
    let manifest = made.ok_or_else(super::unexpected)?;
    let name = file.display().to_string();
    let key = format!(
        "The key is not in it: without {} the sealed secrets in it stay shut. Keep a copy of that file elsewhere.",
        places.key_file.display()
    );
    let left_out = "Stored plans, logs, and what was last read of the customers are not in it.".to_owned();
    let document = Document { notes: vec![key.clone(), left_out.clone()], ..Document::new(&name, &manifest) };
    out.either(&document, || {
        format!(
            "{name} holds profile '{}' up to record {}.\n{key}\n{left_out}",
            manifest.profile, manifest.last_seq
        )
    })?;
    Ok(DONE)
}

pub fn restore(args: &Args, out: &Out, places: &Places, file: &Path, force: bool) -> Result<u8, Failure> {
    let restored = backup::restore(file, places, force, Moment::now(), safe_mode)?;
    let (manifest, name) = (&restored.manifest, file.display().to_string());
    let mut notes = vec![format!(
        "Whatever was written to Halo after {} is not known here: plan before you run, and look at what it would create.",
        super::text::exact(manifest.made)
    )];
    notes
        .push("Scheduled runs remove nothing until you have applied one complete plan by hand (N16).".into());
    if manifest.profile != places.profile {
        notes.push(format!(
            "It was made of profile '{}'. Do not run both against one Halo.",
            manifest.profile
        ));
    }
    let key = KeySource::choose(args.global.key_file.as_deref(), places);
    if let Err(problem) = Vault::open(&places.secrets(), key) {
        notes.push(format!("The secrets stay shut for now: {problem}"));
    }
    let aside = restored.aside.as_ref().map(|path| path.display().to_string());
    let document = Document { aside: aside.clone(), notes: notes.clone(), ..Document::new(&name, manifest) };
    out.either(&document, || {
        let mut text =
            format!("Profile '{}' is restored up to record {}.\n", places.profile, manifest.last_seq);
        if let Some(aside) = aside {
            text += &format!("What was there before is in {aside}.\n");
        }
        text + &notes.join("\n")
    })?;
    Ok(DONE)
}
