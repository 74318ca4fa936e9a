//! `fields`: which field feeds which. The marketplaces' rules are fixed but for the settings named there; those of assets
//! are edited here.

use super::args::FieldsCommand;
use super::config::save;
use super::exit::{DONE, Failure};
use super::json::FieldsDocument;
use super::out::Out;
use super::{ask, text};
use crate::host::Handle;
use crate::host::words::{Command, Query, SettingChange};
use crate::integrations::liongard::is_source_field;
use crate::model::asset::FieldKind;
use crate::model::settings::FieldMapping;
use crate::model::{Class, Integration, Problem};

const KEY: &str = "liongard.field_mappings";

pub async fn run(out: &Out, handle: &Handle, command: &FieldsCommand) -> Result<u8, Failure> {
    match command {
        FieldsCommand::List { integration } => list(out, handle, *integration).await,
        FieldsCommand::Set { integration, source, target, create, kind, fill_blank } => {
            let mut rows = rows(handle, *integration).await?;
            if !is_source_field(source) {
                return Err(Problem::new(Class::Input, format!("Liongard has no field '{source}'."))
                    .remedy("Name an attribute such as Serial Number, or a path such as Inspector.Alias, Device.Category or Metric.UUID.")
                    .into());
            }
            let row = FieldMapping {
                source: source.trim().to_owned(),
                target: target.trim().to_owned(),
                create: *create,
                kind: FieldKind::ALL.into_iter().find(|one| Some(one.key()) == kind.as_deref()),
                fill_blank: *fill_blank,
            };
            match rows.iter_mut().find(|old| is_target(old, target)) {
                Some(old) => *old = row,
                None => rows.push(row),
            }
            put(out, handle, &rows).await
        }
        FieldsCommand::Unset { integration, target } => {
            let mut rows = rows(handle, *integration).await?;
            let before = rows.len();
            rows.retain(|row| !is_target(row, target));
            if rows.len() == before {
                return Err(Problem::new(Class::Input, format!("Nothing feeds the field '{target}'."))
                    .remedy("`parhelion fields list liongard` shows what does.")
                    .into());
            }
            put(out, handle, &rows).await
        }
    }
}

async fn list(out: &Out, handle: &Handle, integration: Integration) -> Result<u8, Failure> {
    let fields = ask!(handle, Query::Fields { integration }, Fields)?;
    out.either(&FieldsDocument::new(integration, &fields), || text::fields(integration, &fields, out.plain))?;
    Ok(DONE)
}

async fn rows(handle: &Handle, integration: Integration) -> Result<Vec<FieldMapping>, Failure> {
    if integration != Integration::Liongard {
        let label = integration.label();
        return Err(Problem::new(
            Class::Input,
            format!("The fields of {label} are fixed by the vendor's rules."),
        )
        .remedy(format!("`parhelion fields list {integration}` names the setting that changes each."))
        .into());
    }
    let view = ask!(handle, Query::Settings, Settings)?;
    Ok(view.settings.liongard.field_mappings)
}

fn is_target(row: &FieldMapping, target: &str) -> bool {
    row.target.trim().eq_ignore_ascii_case(target.trim())
}

async fn put(out: &Out, handle: &Handle, rows: &[FieldMapping]) -> Result<u8, Failure> {
    let text = |row: &FieldMapping| toml::Value::try_from(row).map(|value| crate::settings::inline(&value));
    let rows: Result<Vec<String>, _> = rows.iter().map(text).collect();
    let rows = rows
        .map_err(|error| Problem::new(Class::Local, format!("The mappings cannot be written: {error}.")))?;
    let change = SettingChange { key: KEY.to_owned(), value: Some(format!("[{}]", rows.join(", "))) };
    save(out, handle, Command::Set { changes: vec![change] }).await
}
