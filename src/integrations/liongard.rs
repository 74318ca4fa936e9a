//! Liongard: what an environment, a system or a device there means for Halo.
//!
//! Everything that cannot be read without a guess holds the row, or leaves one value out and says so; nothing here
//! compares with Halo.

mod attributes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use attributes::{
    Evidence, Inspected, Metrics, Needs, RAW_PATHS, Told, inspected, is_attribute, is_source_field,
    source_fields,
};

use super::field_mapping::{Targets, convert};
use crate::matching::keys::{domain_in, is_own_domain};
use crate::matching::matching_form;
use crate::model::asset::{AssetField, FieldKind, TYPE_FIELD};
use crate::model::liongard::{SourceDevice, SourceEnvironment, SourceMetric, SourceSystem};
use crate::model::settings::Liongard;
use crate::model::settings::{Repeat, SyncMode};
use crate::model::{
    Entity, FieldName, Fields, Found, MatchKeys, PackedList, SourceId, TargetId, Value, Verdict, Wanted,
};
use crate::plan::{Answered, Removal, Rules};

/// The mappings of one reading, settled against the fields that Halo has.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    rows: Vec<Row>,
    /// The Liongard side of the matching field.
    matching: Option<Box<str>>,
    /// Its Halo side.
    pub matching_target: Option<FieldName>,
    type_field: Box<str>,
    fallback_type: Box<str>,
    placeholders: Vec<String>,
    /// Fields that are made before they are written.
    pub new_fields: Vec<AssetField>,
    /// Rows that cannot be used, each with the reason.
    pub problems: Vec<String>,
}

#[derive(Debug, Clone)]
struct Row {
    source: Box<str>,
    target: FieldName,
    field: AssetField,
    fill_blank: bool,
}

/// One row of the mappings on one record.
#[derive(Debug)]
pub struct Tried<'a> {
    pub source: &'a str,
    pub target: FieldName,
    pub field: &'a AssetField,
    pub fill_blank: bool,
    pub told: Option<(Arc<str>, Told)>,
    pub value: Option<Result<Value, String>>,
}

impl Mapping {
    pub fn new(settings: &Liongard, targets: &Targets) -> Self {
        let mut mapping = Self {
            type_field: settings.asset_type_field.trim().into(),
            fallback_type: settings.fallback_asset_type.trim().into(),
            placeholders: settings.placeholder_values.clone(),
            ..Self::default()
        };
        let pair = &settings.asset_matching_field;
        if !pair.source.trim().is_empty() && !pair.target.trim().is_empty() {
            match targets.named(&pair.target) {
                Ok((label, _)) => {
                    mapping.matching = Some(pair.source.trim().into());
                    mapping.matching_target = Some(*label);
                }
                Err(why) => {
                    mapping.problems.push(format!("assets are matched by Liongard's id alone: {why}"));
                }
            }
        }
        // The matching field is written too, or an asset that was made would not be found again.
        let own = [(pair.source.clone(), pair.target.clone(), false, None, false)];
        let rows = settings
            .field_mappings
            .iter()
            .map(|row| (row.source.clone(), row.target.clone(), row.create, row.kind, row.fill_blank));
        for (source, target, create, kind, fill_blank) in rows.chain(own) {
            let (source, target) = (source.trim(), target.trim());
            if source.is_empty() || target.is_empty() {
                continue;
            }
            let (label, field) = match targets.named(target) {
                Ok((label, field)) => (*label, field.clone()),
                Err(_) if create && targets.iter().all(|(_, f)| !f.name.eq_ignore_ascii_case(target)) => {
                    let field = AssetField {
                        id: TargetId::new(""),
                        name: target.into(),
                        kind: kind.unwrap_or(FieldKind::Text),
                        limit: None,
                        options: Vec::new(),
                    };
                    mapping.new_fields.push(field.clone());
                    (FieldName::own(target), field)
                }
                Err(why) => {
                    mapping.problems.push(format!("{source} is not written: {why}"));
                    continue;
                }
            };
            if mapping.rows.iter().any(|row| row.target == label) {
                continue;
            }
            mapping.rows.push(Row { source: source.into(), target: label, field, fill_blank });
        }
        mapping
    }

    /// The fields of assets that follow Liongard.
    pub fn targets(&self) -> impl Iterator<Item = FieldName> + '_ {
        self.rows.iter().map(|row| row.target)
    }

    /// Those that are written only where Halo has nothing.
    pub fn filled(&self) -> impl Iterator<Item = FieldName> + '_ {
        self.rows.iter().filter(|row| row.fill_blank).map(|row| row.target)
    }

    /// Every row in order, with what it makes of a record: the value as it was told, and what would be written or why not.
    pub fn trial<'a>(&'a self, evidence: Evidence<'a>) -> impl Iterator<Item = Tried<'a>> {
        self.rows.iter().map(move |row| {
            let told = evidence.value(&row.source);
            let value = told.as_ref().map(|(text, _)| convert(text, &row.field));
            Tried {
                source: &row.source,
                target: row.target,
                field: &row.field,
                fill_blank: row.fill_blank,
                told,
                value,
            }
        })
    }

    /// The name of a record's type, as the mapping finds it; `None` where the record is held for want of one.
    pub fn type_name(&self, evidence: Evidence<'_>) -> Option<Arc<str>> {
        let told =
            evidence.value(&self.type_field).map(|(text, _)| text).filter(|text| !text.trim().is_empty());
        told.or_else(|| (!self.fallback_type.is_empty()).then(|| Arc::from(&*self.fallback_type)))
    }

    /// The value by which a record's asset is found, where it says something.
    pub fn matching_value(&self, evidence: Evidence<'_>) -> Option<(Box<str>, Arc<str>)> {
        let (text, _) = evidence.value(self.matching.as_ref()?)?;
        Some((self.matching_form(&text)?, text))
    }

    /// How a value of the matching field is compared; `None` for one that can belong to many (P22).
    pub fn matching_form(&self, text: &str) -> Option<Box<str>> {
        matching_form(text, &self.placeholders).map(Into::into)
    }

    /// Whether the evidence lacks what would find the asset, or say its type.
    pub fn is_blind(&self, evidence: Evidence<'_>) -> bool {
        let tells = |source: &str| evidence.value(source).filter(|(text, _)| !text.trim().is_empty());
        let finds = |source: &str| tells(source).is_some_and(|(text, _)| self.matching_form(&text).is_some());
        !self.matching.as_deref().is_none_or(finds) || tells(&self.type_field).is_none()
    }

    /// How every row answered over these records (P57).
    pub fn answered(&self, records: &PackedList<Wanted>) -> BTreeMap<String, Answered> {
        let mut all: Vec<(&Row, String, Answered)> = self
            .rows
            .iter()
            .map(|row| {
                let answered = Answered { source: row.source.to_string(), ..Answered::default() };
                (row, left_out(row.target), answered)
            })
            .collect();
        for record in records.iter() {
            for (row, misfit, answered) in &mut all {
                let fits = record.fields.get(row.target).is_some();
                answered.fits += u64::from(fits);
                answered.have +=
                    u64::from(fits || record.notes.iter().any(|note| note.starts_with(&*misfit)));
            }
        }
        all.into_iter().map(|(row, _, answered)| (row.target.key().to_owned(), answered)).collect()
    }

    /// The mapped fields that are metrics which `known` lacks, with the field that each feeds.
    pub fn gone(&self, known: &[SourceMetric]) -> BTreeMap<String, String> {
        let is_there = |uuid: &str| known.iter().any(|metric| metric.uuid.eq_ignore_ascii_case(uuid.trim()));
        let gone = self
            .rows
            .iter()
            .filter(|row| row.source.strip_prefix("Metric.").is_some_and(|uuid| !is_there(uuid)));
        gone.map(|row| (row.source.to_string(), row.target.key().to_owned())).collect()
    }

    /// A machine as its asset should be.
    pub fn wanted(
        &self,
        id: &SourceId,
        name: &Arc<str>,
        parent: Option<SourceId>,
        evidence: Evidence<'_>,
    ) -> Wanted {
        let mut wanted = Wanted {
            id: id.clone(),
            name: Arc::clone(name),
            parent,
            verdict: Verdict::Take,
            fields: Fields::new(),
            keys: MatchKeys::default(),
            currency: None,
            notes: Vec::new(),
        };
        if name.trim().is_empty() {
            wanted.verdict = Verdict::Hold(format!("{id} has no name in Liongard"));
        } else {
            wanted.fields.set(FieldName::Name, Value::text(name));
        }
        let kind = evidence.value(&self.type_field).map(|(text, _)| text);
        match kind.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => wanted.fields.set(FieldName::own(TYPE_FIELD), Value::text(text.trim())),
            None if !self.fallback_type.is_empty() => {
                wanted.fields.set(FieldName::own(TYPE_FIELD), Value::text(&self.fallback_type));
                wanted.notes.push(format!("no {}: the type of last resort (L10)", self.type_field).into());
            }
            None => {
                let why = format!(
                    "it has no {}, which decides the asset's type: set fallback_asset_type, or choose another field (L10)",
                    self.type_field
                );
                wanted.verdict = Verdict::Hold(why);
            }
        }
        for row in &self.rows {
            let Some((text, _)) = evidence.value(&row.source) else { continue };
            match convert(&text, &row.field) {
                Ok(value) => wanted.fields.set(row.target, value),
                Err(why) => wanted.notes.push(format!("{}{why}", left_out(row.target)).into()),
            }
        }
        if let Some(source) = &self.matching
            && let Some((text, _)) = evidence.value(source)
        {
            wanted.keys.own = self.matching_form(&text);
            if wanted.keys.own.is_none() {
                wanted.notes.push(format!("its {source} says nothing, so it matches nothing (P22)").into());
            }
        }
        wanted
    }
}

/// How the note begins that says why a value was left out.
fn left_out(target: FieldName) -> String {
    format!("{target} left as it is: ")
}

/// What the planner must know of customers and assets.
pub fn rules(settings: &Liongard) -> BTreeMap<Entity, Rules> {
    let customers = Rules {
        follows: Some(std::iter::empty().collect()),
        place_setting: "top_level_for_new_customers",
        ..Rules::default()
    };
    let told = serde_json::json!([
        settings.asset_source,
        settings.asset_matching_field,
        settings.asset_type_field,
        settings.default_site,
    ]);
    let assets = Rules {
        by_matching_field: true,
        source_changes: settings.source_changes,
        removal: if settings.deactivate_deleted {
            Removal::Deactivate { zero: false }
        } else {
            Removal::Never
        },
        scope: crate::plan::Scope { told: told.to_string(), ..crate::plan::Scope::default() },
        place_setting: "default_site",
        ..Rules::default()
    };
    BTreeMap::from([(Entity::Customers, customers), (Entity::Assets, assets)])
}

/// How the settings stand, a line each.
pub fn options(settings: &Liongard) -> Vec<String> {
    let or = |text: &str, none: &str| if text.trim().is_empty() { none.to_owned() } else { text.to_owned() };
    let matching = &settings.asset_matching_field;
    vec![
        format!(
            "{} fields mapped; matched by {}; type by {}",
            settings.field_mappings.len(),
            or(&matching.source, "Liongard's id alone"),
            or(&settings.asset_type_field, "nothing"),
        ),
        format!(
            "default site {}; new types in group {}; assets of deleted systems {}",
            or(&settings.default_site, "none"),
            or(&settings.default_group_for_new_asset_types, "none"),
            if settings.deactivate_deleted { "made inactive in scheduled jobs" } else { "left as they are" },
        ),
        format!("new Halo customers {}", pushes(settings)),
    ]
}

/// What becomes of new Halo customers, with the delay (L17a): there is no word from Halo, it is asked.
pub fn pushes(settings: &Liongard) -> String {
    let sync = &settings.sync_customers;
    if !sync.enabled {
        return "are not pushed to Liongard".to_owned();
    }
    let which = match sync.mode {
        SyncMode::Manual => format!("are pushed to Liongard where '{}' is on", sync.flag_field.trim()),
        SyncMode::Automatic => "are pushed to Liongard".to_owned(),
    };
    if sync.mode == SyncMode::Automatic && sync.every_minutes > 0 {
        let minutes = match sync.every_minutes {
            1 => "a minute".to_owned(),
            several => format!("{several} minutes"),
        };
        return format!("{which} up to {minutes} later, while Parhelion runs");
    }
    let schedule = &settings.schedule;
    let delay = match (schedule.enabled, schedule.repeat) {
        (false, _) => "only in runs by hand, since the schedule is off".to_owned(),
        (true, Repeat::Hours) => format!("by the schedule, up to {} hours later", schedule.every_hours),
        (true, Repeat::Daily) => "by the schedule, up to a day later".to_owned(),
        (true, Repeat::Weekdays) => "by the schedule, up to three days later".to_owned(),
    };
    format!("{which} {delay}")
}

/// An environment as Halo should have it.
pub fn wanted_customer(environment: &SourceEnvironment) -> Wanted {
    let name = environment.name.trim();
    let verdict = if name.is_empty() {
        Verdict::Hold(format!("environment {} has no name: give it one in Liongard", environment.id))
    } else if environment.is_customer_view {
        Verdict::Ended("it is a customer's own view, not a customer".into())
    } else {
        Verdict::Take
    };
    let mut fields = Fields::new();
    if !name.is_empty() {
        fields.set(FieldName::Name, Value::text(name));
    }
    Wanted {
        id: environment.id.clone(),
        name: Arc::from(name),
        parent: None,
        verdict,
        fields,
        keys: keys_of(environment),
        currency: None,
        notes: Vec::new(),
    }
}

fn keys_of(environment: &SourceEnvironment) -> MatchKeys {
    let domain = environment.website.as_deref().and_then(domain_in).filter(|domain| is_own_domain(domain));
    MatchKeys { domains: domain.into_iter().collect(), ..MatchKeys::default() }
}

/// An environment as what a customer of Halo may be there (L17).
pub fn found_environment(environment: &SourceEnvironment) -> Found {
    let name = environment.name.trim();
    Found {
        id: TargetId::new(environment.id.as_str()),
        name: Arc::from(name),
        parent: None,
        is_active: true,
        marker: environment.description.as_deref().and_then(marker_in).map(Into::into),
        fields: Fields::new().with(FieldName::Name, Value::text(name)),
        keys: keys_of(environment),
        currency: None,
        main_site: None,
    }
}

/// What a pushed environment's description says: where it is from, and the marker by which it is found again.
pub fn description(marker: &str) -> String {
    format!("From HaloPSA ({marker})")
}

fn marker_in(description: &str) -> Option<&str> {
    description.split([' ', '(', ')', ',', ';', '\n']).find(|word| crate::model::marker::is_marker(word))
}

/// A customer of Halo that was chosen for Liongard, and why; `environment` is the one that Halo's own integration has
/// for it.
pub fn wanted_push(customer: &Found, environment: Option<i64>, why: &str) -> Wanted {
    let name = customer.name.trim();
    let verdict = if let Some(id) = environment {
        Verdict::OutOfScope(format!(
            "Halo's own integration has it as environment {id}: map the two, it is never pushed again (L17)"
        ))
    } else if !customer.is_active {
        Verdict::OutOfScope("inactive in Halo: it is not pushed".into())
    } else if name.is_empty() {
        Verdict::Hold("it has no name: give it one in Halo".into())
    } else {
        Verdict::Take
    };
    Wanted {
        id: SourceId::new(customer.id.as_str()),
        name: Arc::from(name),
        parent: None,
        verdict,
        fields: Fields::new().with(FieldName::Name, Value::text(name)),
        keys: customer.keys.clone(),
        currency: None,
        notes: vec![why.into()],
    }
}

/// The devices of one environment, found by serial or hostname.
#[derive(Debug, Default)]
pub struct Devices<'a> {
    by_serial: HashMap<String, Option<&'a SourceDevice>>,
    by_hostname: HashMap<String, Option<&'a SourceDevice>>,
}

impl<'a> Devices<'a> {
    pub fn new(devices: &'a [SourceDevice], placeholders: &[String]) -> Self {
        let mut all = Self::default();
        // What two devices share belongs to neither.
        let put = |map: &mut HashMap<String, Option<&'a SourceDevice>>, key: String, device| {
            map.entry(key).and_modify(|known| *known = None).or_insert(Some(device));
        };
        for device in devices {
            if let Some(serial) = device.serial.as_deref().and_then(|text| matching_form(text, placeholders))
            {
                put(&mut all.by_serial, serial, device);
            }
            if let Some(name) = device.hostname.as_deref() {
                put(&mut all.by_hostname, name.trim().to_lowercase(), device);
            }
        }
        all
    }

    /// What metrics and its device profile tell of a system.
    pub fn evidence<'b>(
        &self,
        system: &'b SourceSystem,
        needs: &'b Needs,
        metrics: &'b Metrics,
    ) -> Evidence<'b>
    where
        'a: 'b,
    {
        let device = self.of(system, needs, metrics);
        Evidence { needs, system: Some(system), device, metrics, inspected: None }
    }

    /// The device that a system is an inspection of: the same serial, else the same hostname (decision 23).
    pub fn of(&self, system: &SourceSystem, needs: &Needs, metrics: &Metrics) -> Option<&'a SourceDevice> {
        let evidence = Evidence { needs, system: Some(system), device: None, metrics, inspected: None };
        let serial = evidence.value("Serial Number").and_then(|(text, _)| matching_form(&text, &[]));
        if let Some(found) = serial.and_then(|serial| self.by_serial.get(&serial)) {
            return *found;
        }
        let hostname = evidence.value("Hostname").map_or_else(|| Arc::clone(&system.name), |(text, _)| text);
        self.by_hostname.get(&hostname.trim().to_lowercase()).copied().flatten()
    }
}
