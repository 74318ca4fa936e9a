//! What Liongard's fields are called and where their values are (decision 23).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::model::SourceId;
use crate::model::liongard::{Facts, MetricValue, SourceDevice, SourceMetric, SourceSystem};
use crate::model::settings::{AssetSource, Liongard};

/// A fact about a machine that several kinds of records tell: from metrics, else the latest inspection, else the
/// device profile.
struct Attribute {
    name: &'static str,
    /// Metrics by their UUIDs, which are the same on every instance, each with what its number is divided by.
    metrics: &'static [(&'static str, i64)],
    /// Ends of metric names ("macOS: Serial Number") that mean it.
    metric_names: &'static [&'static str],
    /// Paths in the latest inspection.
    detail: &'static [&'static str],
    device: &'static str,
    /// Path of the system itself.
    system: &'static str,
}

const fn attribute(
    name: &'static str,
    metrics: &'static [(&'static str, i64)],
    metric_names: &'static [&'static str],
    detail: &'static [&'static str],
    device: &'static str,
    system: &'static str,
) -> Attribute {
    Attribute { name, metrics, metric_names, detail, device, system }
}

#[rustfmt::skip]
const ATTRIBUTES: [Attribute; 15] = [
    attribute("Name", &[], &[], &[], "Device.Alias", "System.Name"),
    attribute("Hostname", &[("8da6a0e9-edb0-42bd-a1e2-9aae98439273", 1)], &["hostname"],
        &["NetConfig.0.DNSHostName", "SystemInfo.CSName"], "Device.Hostname", ""),
    attribute("Serial Number", &[("34189ad7-c016-47b5-b04a-84c43a0101a3", 1)], &["serial number"],
        &["SystemInfo.SerialNumber", "Overview.SerialNumber"], "Device.SerialNumber", ""),
    attribute("Manufacturer", &[], &["manufacturer"],
        &["SystemInfo.Manufacturer", "ComputerSystem.Manufacturer"], "Device.Manufacturer", ""),
    attribute("Model", &[("268d7f04-32f7-4d1a-97d2-7d4f1d3baeaa", 1)], &["model"],
        &["SystemInfo.Model", "ComputerSystem.Model", "Overview.MachineModel"], "Device.Model", ""),
    attribute("Operating System", &[("85a77d1c-c7d6-4617-9086-1b3f2ff312ff", 1)], &["operating system"],
        &["OS.OperatingSystemName"], "Device.OperatingSystem", ""),
    attribute("OS Version", &[("9c40cff7-422c-4f55-a4d1-6908d7f9d8dd", 1), ("b87ff45c-103e-4974-b034-da22de5abe18", 1)],
        &["os version"], &["OS.Version", "Overview.OsVersion", "SystemInfo.VERSION"], "Device.OSVersion", ""),
    // GB; the one of Linux is in MB.
    attribute("RAM", &[("48473ea6-41a0-4bd6-9224-8ed9d0726576", 1), ("2ad04994-6069-4c65-8a2e-b4b9934fe456", 1024)],
        &[], &["ComputerSystem.TotalRamGB"], "", ""),
    attribute("IP Address", &[], &[], &["NetConfig.0.IPAddress"], "Device.InternalIP", ""),
    attribute("MAC Address", &[], &[], &["NetConfig.0.MACAddress"], "Device.MACAddress", ""),
    attribute("Warranty Expiration", &[], &[], &["Warranty.WarrantyExpirationDate"], "Device.WarrantyExpiration", ""),
    attribute("Purchase Date", &[], &[], &[], "Device.PurchaseDate", ""),
    attribute("Asset Tag", &[], &[], &[], "Device.AssetTagNumber", ""),
    attribute("Last User", &[], &[], &[], "Device.LastLoginUser", ""),
    attribute("Type", &[], &[], &["ComputerSystem.MachineType"], "Device.Type", ""),
];

/// When a system was last inspected: the first that it has (liongard.md 9.2).
const INSPECTED_ON: [&str; 3] = ["System.LatestInspectionDate", "System.LastVerifyTime", "System.UpdatedOn"];

/// Raw paths that the pane offers beside the attributes; any other that the API has may be typed.
pub const RAW_PATHS: [&str; 9] = [
    "System.Name",
    "System.LastVerifyTime",
    "Inspector.Alias",
    "Environment.Name",
    "Launchpoint.Alias",
    "Device.Category",
    "Device.Alias",
    "Device.LastSeen",
    "Device.Status",
];

/// The names that can be mapped, attributes first.
pub fn source_fields() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().map(|attribute| attribute.name).chain(RAW_PATHS)
}

/// Whether a field is one of the attributes, which several kinds of records tell.
pub fn is_attribute(name: &str) -> bool {
    find(name).is_some()
}

/// Whether a text names a field of Liongard.
pub fn is_source_field(name: &str) -> bool {
    let name = name.trim();
    let raw = ["System.", "Inspector.", "Environment.", "Launchpoint.", "Device.", "Metric."];
    find(name).is_some()
        || raw.iter().any(|part| name.strip_prefix(part).is_some_and(|rest| !rest.trim().is_empty()))
}

fn find(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name.trim()))
}

/// A metric that is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    pub uuid: Box<str>,
    /// What its number is divided by.
    by: i64,
    /// The attribute it tells; blank for one that was asked for by its UUID.
    of: &'static str,
}

/// What has to be read so that these settings can be answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Paths of systems.
    pub system: Vec<Box<str>>,
    /// Paths of devices.
    pub device: Vec<Box<str>>,
    pub metrics: Vec<Metric>,
    /// The names asked for, in the order in which [`Needs::value`] is asked by.
    names: Vec<Box<str>>,
}

impl Needs {
    /// `known`: the account's metrics, by whose names further ones are found.
    pub fn of(settings: &Liongard, known: &[SourceMetric]) -> Self {
        let mut needs = Self::default();
        let matching = &settings.asset_matching_field.source;
        let names = settings.field_mappings.iter().map(|row| &row.source);
        for name in names.chain([matching, &settings.asset_type_field]) {
            needs.add(name.trim(), known);
        }
        needs.joined(settings.asset_source, known)
    }

    /// What has to be read so that all of these fields can be answered.
    pub fn of_names<'a>(
        names: impl IntoIterator<Item = &'a str>,
        source: AssetSource,
        known: &[SourceMetric],
    ) -> Self {
        let mut needs = Self::default();
        for name in names {
            needs.add(name.trim(), known);
        }
        needs.joined(source, known)
    }

    fn joined(mut self, source: AssetSource, known: &[SourceMetric]) -> Self {
        // Devices are joined by these two.
        for name in ["Serial Number", "Hostname"] {
            self.add(name, known);
        }
        if source == AssetSource::Devices {
            self.metrics.clear();
            self.system.clear();
        }
        self
    }

    fn add(&mut self, name: &str, known: &[SourceMetric]) {
        if name.is_empty() || self.names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            return;
        }
        self.names.push(name.into());
        let put = |list: &mut Vec<Box<str>>, path: &str| {
            if !path.is_empty() && !list.iter().any(|other| **other == *path) {
                list.push(path.into());
            }
        };
        if let Some(attribute) = find(name) {
            put(&mut self.system, attribute.system);
            put(&mut self.device, attribute.device);
            let named = known.iter().filter(|metric| {
                let end = metric.name.rsplit(':').next().unwrap_or_default().trim().to_lowercase();
                attribute.metric_names.contains(&end.as_str())
            });
            let named = named.map(|metric| (metric.uuid.clone(), 1));
            let fixed = attribute.metrics.iter().map(|(uuid, by)| (Box::from(*uuid), *by));
            for (uuid, by) in fixed.chain(named) {
                if !self.metrics.iter().any(|other| other.uuid == uuid) {
                    self.metrics.push(Metric { uuid, by, of: attribute.name });
                }
            }
        } else if let Some(uuid) = name.strip_prefix("Metric.") {
            let uuid = uuid.trim();
            if !self.metrics.iter().any(|other| *other.uuid == *uuid) {
                self.metrics.push(Metric { uuid: uuid.into(), by: 1, of: "" });
            }
        } else if name.starts_with("Device.") {
            put(&mut self.device, name);
        } else {
            put(&mut self.system, name);
        }
    }

    /// Asks for when a system was last inspected as well.
    pub fn with_inspections(mut self) -> Self {
        for path in INSPECTED_ON {
            self.add(path, &[]);
        }
        self
    }

    /// Whether anything needs the device profiles.
    pub fn devices(&self) -> bool {
        !self.device.is_empty()
    }
}

/// Metric values of all systems, kept small.
#[derive(Debug, Default)]
pub struct Metrics(HashMap<SourceId, Vec<(u16, Arc<str>)>>);

impl Metrics {
    pub fn put(&mut self, value: MetricValue, needs: &Needs) {
        let Some(at) = needs.metrics.iter().position(|metric| metric.uuid == value.uuid) else { return };
        let by = needs.metrics[at].by;
        let text = match value.text.parse::<i64>() {
            Ok(number) if by > 1 => (number / by).to_string().into(),
            _ => value.text,
        };
        let values = self.0.entry(value.system).or_default();
        values.reserve_exact(1);
        values.push((at as u16, text));
    }

    /// The first value of the system whose metric is wanted.
    fn of(&self, system: &SourceId, needs: &Needs, is_wanted: impl Fn(&Metric) -> bool) -> Option<&Arc<str>> {
        let values = self.0.get(system)?;
        let wanted = needs.metrics.iter().enumerate().filter(|(_, metric)| is_wanted(metric));
        wanted
            .filter_map(|(at, _)| values.iter().find(|(other, _)| usize::from(*other) == at))
            .map(|(_, text)| text)
            .next()
    }
}

/// All that is known of one record.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub needs: &'a Needs,
    pub system: Option<&'a SourceSystem>,
    pub device: Option<&'a SourceDevice>,
    pub metrics: &'a Metrics,
    /// What the latest inspection told, where it was read.
    pub inspected: Option<&'a Inspected>,
}

/// What a system's latest inspection tells of the attributes: the value at each path that one may be at.
pub type Inspected = BTreeMap<Box<str>, Box<str>>;

/// From `raw` of a system's detail (liongard.md 9.3).
pub fn inspected(raw: &Json) -> Inspected {
    let paths = ATTRIBUTES.iter().flat_map(|attribute| attribute.detail);
    paths.filter_map(|path| Some(((*path).into(), at(raw, path)?))).collect()
}

/// Which record told a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Metric,
    Inspection,
    Device,
    System,
}

impl Told {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Metric => "a metric",
            Self::Inspection => "the latest inspection",
            Self::Device => "the device profile",
            Self::System => "the system",
        }
    }
}

impl Evidence<'_> {
    /// When the system was last inspected, as Liongard writes it; blank where it does not say.
    pub fn inspected_on(&self) -> Arc<str> {
        INSPECTED_ON.iter().find_map(|path| self.fact(path)).unwrap_or_default()
    }

    /// The value of a field, and who told it.
    pub fn value(&self, name: &str) -> Option<(Arc<str>, Told)> {
        let name = name.trim();
        let Some(attribute) = find(name) else { return self.raw(name) };
        if attribute.name == "Name" && self.system.is_none() {
            let device = self.device?;
            let name = device.alias.as_ref().or(device.hostname.as_ref()).or(device.serial.as_ref())?;
            return Some((Arc::clone(name), Told::Device));
        }
        let metric = self.system.and_then(|system| {
            self.metrics.of(&system.id, self.needs, |metric| metric.of == attribute.name).cloned()
        });
        if let Some(text) = metric {
            return Some((text, Told::Metric));
        }
        let inspected =
            self.inspected.and_then(|all| attribute.detail.iter().find_map(|path| all.get(*path)));
        if let Some(text) = inspected {
            return Some((Arc::from(&**text), Told::Inspection));
        }
        if attribute.name != "Name"
            && let Some(text) = self.fact(attribute.device)
        {
            return Some((text, Told::Device));
        }
        self.fact(attribute.system).map(|text| (text, Told::System))
    }

    /// Whether the latest inspection may tell what nothing else does.
    pub fn wants_inspection(&self) -> bool {
        self.system.is_some()
            && self.needs.names.iter().any(|name| {
                find(name).is_some_and(|attribute| !attribute.detail.is_empty())
                    && self.value(name).is_none_or(|(text, _)| text.trim().is_empty())
            })
    }

    fn raw(&self, name: &str) -> Option<(Arc<str>, Told)> {
        if let Some(uuid) = name.strip_prefix("Metric.") {
            let is_it = |metric: &Metric| *metric.uuid == *uuid.trim();
            let text = self.metrics.of(&self.system?.id, self.needs, is_it)?;
            return Some((Arc::clone(text), Told::Metric));
        }
        let told = if name.starts_with("Device.") { Told::Device } else { Told::System };
        Some((self.fact(name)?, told))
    }

    fn fact(&self, path: &str) -> Option<Arc<str>> {
        let pick = |facts: &Facts, paths: &[Box<str>]| -> Option<Arc<str>> {
            let at = paths.iter().position(|other| **other == *path)?;
            facts.get(at)?.clone()
        };
        if path.starts_with("Device.") {
            pick(&self.device?.facts, &self.needs.device)
        } else {
            pick(&self.system?.facts, &self.needs.system)
        }
    }
}

/// The words at a path such as `NetConfig.0.IPAddress`; the first of a list.
fn at(json: &Json, path: &str) -> Option<Box<str>> {
    let found = path.split('.').try_fold(json, |json, part| match part.parse::<usize>() {
        Ok(at) => json.get(at),
        Err(_) => json.get(part),
    })?;
    let text = match found {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Array(items) => items.iter().find_map(Json::as_str)?.trim().to_owned(),
        _ => return None,
    };
    (!text.is_empty()).then(|| text.into())
}
