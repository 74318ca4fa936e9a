//! The simulated Liongard's data. Environments are kept; systems are made anew from the seed whenever somebody asks,
//! so that two hundred thousand of them cost no memory. What was changed by hand is kept on top.
//!
//! Source: `apis/liongard.md` sections 8 to 12 and 17.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::names::Names;
use super::rng::Rng;

/// The kinds of inspectors: number, slug, label, and whether a system is one machine.
pub(super) const INSPECTORS: [(i64, &str, &str, bool); 7] = [
    (90, "windows-workstation-inspector", "Windows Workstation", true),
    (25, "windows-server-inspector", "Windows Server", true),
    (96, "mac-inspector", "macOS", true),
    (53, "linux-inspector", "Linux", true),
    (33, "fortigate-inspector", "FortiGate", false),
    (8, "office365-inspector", "Microsoft 365", false),
    (13, "active-directory-inspector", "Active Directory", false),
];

/// Metrics: number, UUID, name, inspector, and the machine's fact (section 12).
pub(super) const METRICS: [(i64, &str, &str, i64, &str); 10] = [
    (2020, "8da6a0e9-edb0-42bd-a1e2-9aae98439273", "Windows Workstation: Hostname", 90, "hostname"),
    (1506, "85a77d1c-c7d6-4617-9086-1b3f2ff312ff", "Windows Workstation: Operating System", 90, "os"),
    (2026, "48473ea6-41a0-4bd6-9224-8ed9d0726576", "Windows Workstation: Total Memory (GB)", 90, "ram"),
    (2031, "dd86b749-a73e-4d3e-b178-55f960242f6c", "Windows Workstation: Warranty Days", 90, "warranty_days"),
    (2101, "9c40cff7-422c-4f55-a4d1-6908d7f9d8dd", "macOS: OS Version", 96, "os_version"),
    (2102, "34189ad7-c016-47b5-b04a-84c43a0101a3", "macOS: Serial Number", 96, "serial"),
    (2103, "268d7f04-32f7-4d1a-97d2-7d4f1d3baeaa", "macOS: Model", 96, "model"),
    (2201, "b87ff45c-103e-4974-b034-da22de5abe18", "Linux: OS Version", 53, "os_version"),
    (2202, "2ad04994-6069-4c65-8a2e-b4b9934fe456", "Linux: Memory (MB)", 53, "ram_mb"),
    (2203, "6c6c152f-65c5-4a08-b194-2fe764d32036", "Linux: CPU", 53, "cpu"),
];

const FIRST_ENVIRONMENT: i64 = 4101;
const FIRST_SYSTEM: i64 = 52_001;

#[derive(Debug, Clone)]
pub(super) struct Environment {
    pub(super) name: String,
    pub(super) short_name: Option<String>,
    pub(super) description: String,
    pub(super) website: Option<String>,
    pub(super) parent: Option<i64>,
    pub(super) visible: bool,
}

/// Environments, and which systems are theirs.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    pub(super) environments: BTreeMap<i64, Environment>,
    /// For each seeded environment: its id and the number of the first system after its own.
    ends: Vec<(i64, u32)>,
    seeded: u32,
    /// Changed, added and (`None`) removed systems.
    changed: BTreeMap<i64, Option<Map<String, Value>>>,
    next_environment: i64,
    next_system: i64,
}

impl World {
    pub(super) fn empty() -> Self {
        Self {
            seed: 1,
            environments: BTreeMap::new(),
            ends: Vec::new(),
            seeded: 0,
            changed: BTreeMap::new(),
            next_environment: FIRST_ENVIRONMENT,
            next_system: FIRST_SYSTEM,
        }
    }

    /// `count` environments with `systems` systems in all. Seven in ten carry the name of a Halo client.
    pub(super) fn seeded(
        count: usize,
        systems: usize,
        seed: u64,
        clients: &[String],
        names: &mut Names,
    ) -> Self {
        let mut rng = Rng::of(seed, "liongard");
        let mut world = Self { seed, ..Self::empty() };
        let mut clients: Vec<&String> = clients.iter().collect();
        rng.shuffle(&mut clients);
        let mut clients = clients.into_iter();
        let plain = |name: String| Environment {
            name,
            short_name: None,
            description: String::new(),
            website: None,
            parent: None,
            visible: true,
        };
        let mut first = plain("Fernhill IT (Internal)".to_owned());
        "Our own infrastructure".clone_into(&mut first.description);
        world.insert(first);
        let mut parent = None;
        for n in 1..count {
            let environment = match n {
                1 => plain("Blue Heron Dental".to_owned()),
                // Two that are the same once they are normalised (8.9).
                2 => plain("The Blue-Heron Dental".to_owned()),
                3 => plain("Café Niño & Söhne".to_owned()),
                4 => Environment { parent, ..plain("Blue Heron Dental - East".to_owned()) },
                _ => match (rng.below(100), clients.next()) {
                    (0..70, Some(name)) => plain(name.clone()),
                    (70..76, Some(name)) => plain(format!("{} Group", name.trim_end_matches(" Ltd"))),
                    (76..80, Some(name)) => plain(name.to_uppercase()),
                    _ => {
                        let name = names.next(true);
                        Environment { website: Some(name.domain()), ..plain(name.full()) }
                    }
                },
            };
            let id = world.insert(environment);
            if n == 1 {
                parent = Some(id);
            }
        }
        // One environment is empty, one has many, the others about as many as each other.
        let ids: Vec<i64> = world.environments.keys().copied().collect();
        let many = if systems >= 600 { 260 } else { systems / 2 };
        let each = systems.saturating_sub(many) / count.saturating_sub(2).max(1);
        let mut end = 0;
        for (n, id) in ids.iter().enumerate() {
            let share = match n {
                3 => 0,
                1 => many,
                _ if n + 1 == ids.len() => systems.saturating_sub(end),
                _ => (each / 2 + rng.below(each + 1)).min(systems.saturating_sub(end)),
            };
            end += share;
            world.ends.push((*id, end as u32));
        }
        world.seeded = end as u32;
        world.next_system = FIRST_SYSTEM + end as i64;
        world
    }

    pub(super) fn insert(&mut self, environment: Environment) -> i64 {
        let id = self.next_environment;
        self.next_environment += 1;
        self.environments.insert(id, environment);
        id
    }

    /// Adds an environment, or changes the members that are given (`ID` says which).
    pub(super) fn put_environment(&mut self, row: &Value) -> i64 {
        let id = row["ID"].as_i64().unwrap_or(self.next_environment);
        self.next_environment = self.next_environment.max(id + 1);
        let mut environment = self.environments.get(&id).cloned().unwrap_or(Environment {
            name: String::new(),
            short_name: None,
            description: String::new(),
            website: None,
            parent: None,
            visible: true,
        });
        if let Some(name) = row["Name"].as_str() {
            name.clone_into(&mut environment.name);
        }
        if let Some(text) = row["Description"].as_str() {
            text.clone_into(&mut environment.description);
        }
        if let Some(text) = row["ShortName"].as_str() {
            environment.short_name = Some(text.to_owned());
        }
        if let Some(text) = row["Website"].as_str() {
            environment.website = Some(text.to_owned());
        }
        if let Some(visible) = row["Visible"].as_bool() {
            environment.visible = visible;
        }
        self.environments.insert(id, environment);
        id
    }

    /// Adds a system, or changes the facts that are given: `ID`, `Environment` (a number or null), `Inspector` (the
    /// same), `Launchpoint` (null), and the facts of [`Machine`] by their names.
    pub(super) fn put_system(&mut self, row: &Value) -> i64 {
        let id = row["ID"].as_i64().unwrap_or(self.next_system);
        self.next_system = self.next_system.max(id + 1);
        let mut facts = self.changed.get(&id).cloned().flatten().unwrap_or_default();
        for (name, value) in row.as_object().into_iter().flatten() {
            facts.insert(name.clone(), value.clone());
        }
        self.changed.insert(id, Some(facts));
        id
    }

    pub(super) fn remove_system(&mut self, id: i64) -> bool {
        let there = self.has(id);
        if there {
            self.changed.insert(id, None);
        }
        there
    }

    pub(super) fn remove_environment(&mut self, id: i64) -> bool {
        let systems: Vec<i64> = self.systems_of(id).collect();
        for system in systems {
            self.changed.insert(system, None);
        }
        self.environments.remove(&id).is_some()
    }

    pub(super) fn has(&self, id: i64) -> bool {
        match self.changed.get(&id) {
            Some(changed) => changed.is_some(),
            None => self.is_seeded(id),
        }
    }

    fn is_seeded(&self, id: i64) -> bool {
        (FIRST_SYSTEM..FIRST_SYSTEM + i64::from(self.seeded)).contains(&id)
    }

    /// Every system's id, ascending.
    pub(super) fn systems(&self) -> impl Iterator<Item = i64> + '_ {
        let seeded = FIRST_SYSTEM..FIRST_SYSTEM + i64::from(self.seeded);
        let kept = seeded
            .clone()
            .filter(|id| self.changed.is_empty() || !matches!(self.changed.get(id), Some(None)));
        let added = self.changed.iter().filter(move |(id, facts)| facts.is_some() && !seeded.contains(id));
        kept.chain(added.map(|(id, _)| *id))
    }

    pub(super) fn systems_of(&self, environment: i64) -> impl Iterator<Item = i64> + '_ {
        let at = self.ends.binary_search_by_key(&environment, |(id, _)| *id).ok();
        let range = at.map_or(0..0, |at| {
            let from = if at == 0 { 0 } else { self.ends[at - 1].1 };
            i64::from(from)..i64::from(self.ends[at].1)
        });
        let seeded = range.map(|n| FIRST_SYSTEM + n).filter(|id| !self.changed.contains_key(id));
        let changed = self.changed.keys().copied();
        let here = move |id: &i64| self.environment_of(*id) == Some(environment);
        seeded.filter(here).chain(changed.filter(move |id| self.has(*id) && here(id)))
    }

    pub(super) fn environment_of(&self, id: i64) -> Option<i64> {
        if let Some(Some(facts)) = self.changed.get(&id)
            && let Some(value) = facts.get("Environment")
        {
            return value.as_i64();
        }
        let n = self.is_seeded(id).then(|| (id - FIRST_SYSTEM) as u32)?;
        // A few belong to nobody.
        if n % 397 == 311 {
            return None;
        }
        let at = self.ends.partition_point(|(_, end)| *end <= n);
        self.ends.get(at).map(|(id, _)| *id)
    }

    /// Which kind of inspector found it; `None` for the few where it is missing.
    pub(super) fn inspector_of(&self, id: i64) -> Option<i64> {
        if let Some(Some(facts)) = self.changed.get(&id)
            && let Some(value) = facts.get("Inspector")
        {
            return value.as_i64();
        }
        let n = (id - FIRST_SYSTEM) as u64;
        if n % 401 == 97 {
            return None;
        }
        let roll = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.seed) >> 40;
        Some(match roll % 20 {
            0..12 => 90,
            12..15 => 25,
            15 => 96,
            16 => 53,
            17 => 33,
            18 => 8,
            _ => 13,
        })
    }

    pub(super) fn machine(&self, id: i64) -> Option<Machine> {
        if !self.has(id) {
            return None;
        }
        let mut machine = Machine::of(self.seed, id, self.inspector_of(id));
        machine.environment = self.environment_of(id);
        if let Some(Some(facts)) = self.changed.get(&id) {
            machine.change(facts);
        }
        Some(machine)
    }
}

/// One target and what its inspector found.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) id: i64,
    pub(super) environment: Option<i64>,
    pub(super) inspector: Option<i64>,
    pub(super) has_launchpoint: bool,
    pub(super) name: String,
    pub(super) visible: bool,
    pub(super) facts: Map<String, Value>,
    pub(super) state: &'static str,
}

impl Machine {
    fn of(seed: u64, id: i64, inspector: Option<i64>) -> Self {
        let mut rng = Rng::of(seed ^ (id as u64).wrapping_mul(0x9e37_79b9), "system");
        let n = id - FIRST_SYSTEM;
        let kind = match inspector {
            Some(25) => "SRV",
            Some(90) if rng.chance(0.6) => "LT",
            Some(90) => "DT",
            Some(96) => "MAC",
            Some(53) => "LNX",
            Some(33) => "FW",
            _ => "TENANT",
        };
        let name = format!("{kind}-{n:06}");
        let (maker, model) = *rng.pick(&[
            ("Dell Inc.", "Latitude 5440"),
            ("LENOVO", "ThinkPad T14 Gen 4"),
            ("HP", "EliteBook 840 G10"),
            ("ASUS", "System Product Name"),
        ]);
        let is_machine = INSPECTORS.iter().any(|(id, _, _, machine)| Some(*id) == inspector && *machine);
        // Firmware that nobody filled in: several machines then share a text that is no serial (11.2).
        let serial = match rng.below(60) {
            0 => json!("System Serial Number"),
            1 => json!("To be filled by O.E.M."),
            2 => json!("Default string"),
            3 => Value::Null,
            4 => json!(" "),
            _ => json!(format!("SYN{:07X}", (n as u64).wrapping_mul(48_271) % 0xfff_ffff)),
        };
        let os = match inspector {
            Some(25) => ("Microsoft Windows Server 2022 Standard", "10.0.20348"),
            Some(96) => ("macOS 15", "15.1.1"),
            Some(53) => ("Ubuntu", "24.04.1 LTS (Noble Numbat)"),
            _ => ("Microsoft Windows 11 Pro", "10.0.26200"),
        };
        let day = format!("{}-{:02}-{:02}", 2026 + rng.below(4), 1 + rng.below(12), 1 + rng.below(28));
        let bought = format!("{}-{:02}-{:02}", 2020 + rng.below(6), 1 + rng.below(12), 1 + rng.below(28));
        // Dates in each form of section 7.
        let warranty = match rng.below(12) {
            0 => Value::Null,
            1 => json!(""),
            2 => json!(day.replace('-', "/") + " 00:00:00"),
            3 => json!(format!("{day} 00:00:00")),
            4 => json!(format!("{day}T00:00:00")),
            5 => json!(day),
            6 if rng.chance(0.05) => json!("Feb-2023"),
            _ => json!(format!("{day}T00:00:00.000Z")),
        };
        let ram = *rng.pick(&[8, 16, 16, 32, 64]);
        let ip = format!("10.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256);
        let mac = format!("02:00:5E:{:02X}:{:02X}:{:02X}", n / 65_536 % 256, n / 256 % 256, n % 256);
        let mut facts = Map::new();
        if is_machine {
            for (name, value) in [
                ("hostname", json!(name)),
                ("serial", serial),
                ("manufacturer", json!(maker)),
                ("model", json!(model)),
                ("os", json!(os.0)),
                ("os_version", json!(os.1)),
                ("ram", json!(ram)),
                ("ip", json!(ip)),
                ("mac", json!(mac)),
                ("warranty", warranty),
                (
                    "purchased",
                    if rng.chance(0.5) { json!(format!("{bought}T00:00:00.000Z")) } else { Value::Null },
                ),
                ("user", if rng.chance(0.7) { json!(format!("user.{}", n % 5000)) } else { Value::Null }),
                (
                    "type",
                    json!(match kind {
                        "SRV" | "LNX" => "server",
                        "DT" => "desktop",
                        _ => "laptop",
                    }),
                ),
            ] {
                facts.insert(name.to_owned(), value);
            }
            if n % 211 == 17 {
                facts.insert("user".to_owned(), json!("x".repeat(5000)));
            }
        }
        Self {
            id,
            environment: None,
            inspector,
            has_launchpoint: n % 409 != 43,
            name,
            visible: n % 83 != 7,
            facts,
            state: *rng.pick(&["Discovery", "Inventory", "Inventory", "Inventory", "Archive"]),
        }
    }

    fn change(&mut self, changed: &Map<String, Value>) {
        for (name, value) in changed {
            match name.as_str() {
                "ID" | "Environment" | "Inspector" => {}
                "Name" => value.as_str().unwrap_or_default().clone_into(&mut self.name),
                "Visible" => self.visible = value.as_bool().unwrap_or(true),
                "Launchpoint" => self.has_launchpoint = !value.is_null(),
                _ => {
                    self.facts.insert(name.clone(), value.clone());
                }
            }
        }
    }

    pub(super) fn is_machine(&self) -> bool {
        INSPECTORS.iter().any(|(id, _, _, machine)| Some(*id) == self.inspector && *machine)
    }

    pub(super) fn fact(&self, name: &str) -> Value {
        match name {
            "ram_mb" => {
                self.facts.get("ram").and_then(Value::as_i64).map_or(Value::Null, |gb| json!(gb * 1024))
            }
            "warranty_days" => json!(400),
            "cpu" => json!("AMD EPYC 7543P 32-Core Processor"),
            _ => self.facts.get(name).cloned().unwrap_or(Value::Null),
        }
    }

    /// The record of the device that this system is an inspection of.
    pub(super) fn uuid(&self) -> String {
        format!("0b6f1a3e-5d1c-4f0e-9a77-{:012x}", self.id)
    }
}
