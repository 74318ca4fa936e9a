//! Dates from files, and the plan that writes them back into Halo (section 8). The writing itself is the write
//! protocol's, as for every other record.

use std::collections::{BTreeMap, HashSet};

use super::shelf::Step;
use super::words::WarrantyImport;
use crate::api::halo::Halo;
use crate::engine::Engine;
use crate::engine::extract::Progress;
use crate::lifecycle::configuration::{Configuration, DateField, DateSource, Dates, Local};
use crate::lifecycle::warranty::{self, BackVerdict, SerialIndex, Verdict};
use crate::lifecycle::workspace::Edit;
use crate::model::asset::AssetField;
use crate::model::settings::Lifecycle as Settings;
use crate::model::{Class, Entity, FieldName, Problem, TargetId, Value};
use crate::plan::{Action, Cause, Change, FieldChange, Side};

/// Rows that go back.
pub(super) struct Back {
    pub changes: Vec<Change>,
    pub alerts: Vec<String>,
}

impl Engine {
    /// Takes dates from a file. With a bad line nothing is taken; a line that fits no configuration is told and left out.
    pub(super) async fn import_warranty(&self, csv: &str, dry_run: bool) -> Result<WarrantyImport, Problem> {
        let entries = warranty::parse(csv).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
            Problem::new(Class::Input, format!("Nothing of the file was taken:\n{}", lines.join("\n")))
                .remedy("\nPut these lines right and import it again.")
        })?;
        let ids: HashSet<i64> = entries.iter().filter_map(|entry| entry.id).collect();
        let mut index = SerialIndex::wanted_by(&entries);
        for company in self.managed()? {
            let fleet = company.halo.map(|halo| self.book.fleet(halo)).transpose()?.flatten();
            for configuration in fleet.iter().flat_map(|fleet| &fleet.configurations) {
                index.see(&ids, configuration);
            }
        }
        let mut known: BTreeMap<i64, Local> = BTreeMap::new();
        self.book.each_local(|asset, local| drop(known.insert(asset, local)))?;
        let estimated: BTreeMap<u64, bool> =
            entries.iter().map(|entry| (entry.line, entry.estimated)).collect();
        let verdicts = warranty::resolve(&entries, &index, &known, self.today());
        let mut answer =
            WarrantyImport { dry_run, taken: 0, unchanged: 0, refused: Vec::new(), notes: Vec::new() };
        let mut step = Step { title: String::new(), before: Vec::new(), after: Vec::new() };
        let now = self.world.now();
        for (line, verdict) in verdicts {
            match verdict {
                Verdict::Take { asset, dates } => {
                    answer.taken += 1;
                    let before = known.remove(&asset).unwrap_or_default();
                    let estimated = estimated.get(&line).copied().unwrap_or(false);
                    let after = warranty::take(before.clone(), dates, DateSource::Csv, estimated, now);
                    step.before.push(Edit::Local { asset, local: Box::new(before) });
                    step.after.push(Edit::Local { asset, local: Box::new(after) });
                }
                Verdict::Known { .. } => answer.unchanged += 1,
                Verdict::Refused(why) => answer.refused.push((line, why)),
            }
        }
        if !self.settings().lifecycle.writes_back() {
            answer.notes.push(
                "these dates count here; nothing is written into Halo, because that is switched off".into(),
            );
        }
        if !dry_run && !step.after.is_empty() {
            let noun = if answer.taken == 1 { "configuration" } else { "configurations" };
            step.title = format!("dates of {} {noun} from a file", answer.taken);
            self.record_step(step).await?;
        }
        Ok(answer)
    }

    /// A row for each asset of which a date of ours goes back, stays back or waits; Halo's own values are read now.
    pub(super) async fn plan_write_back(&self, halo: &Halo, progress: Progress<'_>) -> Result<Back, Problem> {
        let how = self.write_back();
        if !how.is_on() {
            return Err(Problem::new(Class::Input, "Writing dates back into Halo is switched off.").remedy(
                "Switch a field on first, such as `parhelion config set lifecycle.write_expiration_date true`.",
            ));
        }
        let settings = self.settings();
        let places = Places::new(&settings.lifecycle, &halo.asset_fields().await?)?;
        let mut of_interest: Vec<(i64, Local)> = Vec::new();
        self.book.each_local(|asset, local| {
            if !local.dates.is_empty() {
                of_interest.push((asset, local));
            }
        })?;
        let all = of_interest.len() as u64;
        let mut back = Back { changes: Vec::new(), alerts: Vec::new() };
        for (done, (asset, local)) in of_interest.into_iter().enumerate() {
            progress("dates in Halo", done as u64, Some(all));
            let id = TargetId::from(asset);
            let Some(found) = halo.asset(&id).await? else {
                back.alerts.push(format!("Halo no longer has asset {asset}; its dates are left alone"));
                continue;
            };
            let mut configuration =
                Configuration { id: asset, name: found.name().to_string(), ..Configuration::default() };
            for (field, place) in &places.of {
                configuration.take_date(*field, place.text(&found).unwrap_or_default());
            }
            let rows = warranty::write_back(&configuration, &local, &how, self.today());
            back.changes.extend(row(&found, &configuration.dates, &rows, &places));
        }
        Ok(back)
    }
}

/// One asset's dates as one row: what is written; else what waits; else that nothing is to do.
fn row(
    asset: &crate::model::asset::Asset,
    halo: &Dates,
    rows: &[warranty::BackRow],
    places: &Places,
) -> Option<Change> {
    if rows.is_empty() {
        return None;
    }
    let name = asset.name();
    let id = asset.id.number().unwrap_or_default();
    let writes: Vec<_> = rows.iter().filter(|row| matches!(row.verdict, BackVerdict::Write { .. })).collect();
    let held: Vec<_> = rows.iter().filter(|row| matches!(row.verdict, BackVerdict::Held { .. })).collect();
    let reasons: Vec<String> = rows
        .iter()
        .map(|row| {
            let why = match &row.verdict {
                BackVerdict::Write { why } | BackVerdict::Stays { why } | BackVerdict::Held { why } => why,
            };
            format!("{}: {why}", row.field.label())
        })
        .collect();
    let action = if writes.is_empty() { Action::Unchanged } else { Action::Update };
    let mut change =
        Change::new(Entity::Warranty, action, Side { id: id.into(), name: name.clone() }, reasons.clone());
    change.target = Some(Side { id: asset.id.clone(), name });
    for write in writes {
        let Some(place) = places.name(write.field) else { continue };
        let before = halo.get(write.field).map(Value::Date);
        change.fields.push(FieldChange {
            name: place,
            before,
            after: Some(Value::Date(write.after)),
            mark: None,
        });
    }
    if change.fields.is_empty() && !held.is_empty() {
        let why = reasons.join("; ");
        return Some(change.held(Cause::Data, Action::Update, why));
    }
    Some(change)
}

/// Where each date stands in Halo.
struct Places {
    of: Vec<(DateField, At)>,
}

enum At {
    Column(String),
    Field { name: String, id: TargetId },
}

impl At {
    fn text<'a>(&self, asset: &'a crate::model::asset::Asset) -> Option<&'a str> {
        match self {
            Self::Column(name) => {
                asset.columns.iter().find(|(own, _)| &**own == name).map(|(_, text)| &**text)
            }
            Self::Field { id, .. } => asset.value(id),
        }
    }
}

impl Places {
    fn new(settings: &Settings, definitions: &[AssetField]) -> Result<Self, Problem> {
        let mut of = Vec::new();
        for (field, is_on, name) in [
            (DateField::ExpirationDate, settings.write_expiration_date, &settings.expiration_date_field),
            (DateField::WarrantyStart, settings.write_warranty_start, &settings.warranty_start_field),
            (DateField::PurchaseDate, settings.write_purchase_date, &settings.purchase_date_field),
        ] {
            if name.is_empty() {
                if is_on {
                    return Err(Problem::new(
                        Class::Input,
                        format!(
                            "The {} is to be written back, and no field of Halo's is mapped to it.",
                            field.label()
                        ),
                    )
                    .remedy("Map one (lifecycle.*_field), such as `warranty_end`, or switch it off."));
                }
            } else if Settings::COLUMNS.contains(&name.as_str()) {
                of.push((field, At::Column(name.clone())));
            } else {
                let ids: Vec<&AssetField> =
                    definitions.iter().filter(|d| d.name.trim() == name.trim()).collect();
                match ids[..] {
                    [one] => of.push((field, At::Field { name: name.clone(), id: one.id.clone() })),
                    [] if !is_on => {}
                    [] => {
                        return Err(Problem::new(Class::Input, format!("Halo has no asset field '{name}'."))
                            .remedy("Add it there (Configuration > Assets > Fields), or map another."));
                    }
                    _ => {
                        return Err(Problem::new(
                            Class::Input,
                            format!("Halo has {} asset fields called '{name}'; which one is meant cannot be told.", ids.len()),
                        )
                        .remedy("Rename one of them in Halo."));
                    }
                }
            }
        }
        Ok(Self { of })
    }

    /// The name a row carries for it: it says which field is written, whoever reads it.
    fn name(&self, field: DateField) -> Option<FieldName> {
        self.of.iter().find(|(own, _)| *own == field).map(|(_, at)| match at {
            At::Column(name) => FieldName::own(name),
            At::Field { name, id } => field_name(name, id),
        })
    }
}

/// The name of an asset field in a row: with its id, since several fields may share a name.
pub fn field_name(name: &str, id: &TargetId) -> FieldName {
    FieldName::own(&format!("{} (field {id})", name.trim()))
}

/// The id of the asset field in a name that a row carries; `None` for a column of every asset.
pub fn field_id(name: FieldName) -> Option<TargetId> {
    let text = name.key();
    let (_, rest) = text.rsplit_once("(field ")?;
    rest.strip_suffix(')').map(TargetId::new)
}
