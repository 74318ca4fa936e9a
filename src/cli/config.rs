//! `config import|export|set|get`.

use serde_json::Value as Json;

use super::args::Config;
use super::exit::{DONE, Failure};
use super::json::{AllSettings, Saved, Setting};
use super::out::Out;
use super::{ask, files, order, text};
use crate::host::Handle;
use crate::host::words::{Command, Query, Reply, SettingChange};
use crate::model::settings::Settings;
use crate::model::{Class, Problem};
use crate::settings;

pub async fn run(out: &Out, handle: &Handle, command: &Config) -> Result<u8, Failure> {
    match command {
        Config::Import { file } => {
            let text = files::read_text(file)?;
            save(out, handle, Command::ImportSettings { text }).await
        }
        Config::Set { key, value } => {
            let changes = vec![SettingChange { key: key.clone(), value: Some(value.clone()) }];
            save(out, handle, Command::Set { changes }).await
        }
        Config::Export => {
            let view = ask!(handle, Query::Settings, Settings)?;
            let text = settings::export(&view.settings)?;
            let document = AllSettings { settings: as_json(&text)? };
            out.either(&document, || text)?;
            Ok(DONE)
        }
        Config::Get { key } => {
            let view = ask!(handle, Query::Settings, Settings)?;
            let text = settings::get(&view.settings, key)?;
            let document =
                Setting { key, value: value(&view.settings, key)?.unwrap_or_else(|| text.clone().into()) };
            if out.json {
                out.document(&document)?;
            } else {
                out.text(&format!("{}\n", text.trim_end()))?;
            }
            Ok(DONE)
        }
    }
}

pub(super) async fn save(out: &Out, handle: &Handle, command: Command) -> Result<u8, Failure> {
    let (changed, notes) = order!(handle, command, Reply::Saved { changed, notes } => (changed, notes))?;
    out.either(&Saved { changed: &changed, notes: &notes }, || text::saved(&changed, &notes))?;
    Ok(DONE)
}

/// One value of the export, with its type. `None` where the export has none, such as a secret that is sealed.
fn value(settings: &Settings, key: &str) -> Result<Option<Json>, Problem> {
    let all = as_json(&settings::export(settings)?)?;
    Ok(key.split('.').try_fold(&all, |value, part| value.get(part)).cloned())
}

fn as_json(text: &str) -> Result<Json, Problem> {
    toml::from_str(text).map_err(|error| {
        Problem::new(Class::Local, format!("The settings cannot be shown as JSON: {}.", error.message()))
    })
}
