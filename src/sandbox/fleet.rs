//! The seeded Halo's assets: what an MSP's clients have on desks and in racks after some years, with the dates that
//! people forgot, typed wrongly or never knew.

use serde_json::{Value, json};

use super::rng::Rng;

/// No more clients than this have assets, so that a large world starts as fast as before.
const MOST_CLIENTS: usize = 2_000;

/// Asset type, prefix of the name, makers with models and memory in GB, operating systems, months it is used.
struct Kind {
    id: i64,
    prefix: &'static str,
    models: &'static [(&'static str, &'static str)],
    systems: &'static [&'static str],
    ram: &'static [u32],
}

const LAPTOP: Kind = Kind {
    id: 130,
    prefix: "LT",
    models: &[
        ("Dell", "Latitude 5550"),
        ("Dell", "Latitude 5420"),
        ("HP", "EliteBook 840 G9"),
        ("Lenovo", "ThinkPad T14 Gen 3"),
        ("Lenovo", "ThinkPad X1 Carbon Pro"),
        ("Apple", "MacBook Pro 14"),
    ],
    systems: &["Windows 11 Pro", "Windows 11 Pro", "Windows 10 Pro"],
    ram: &[8, 16, 16, 32],
};
const SERVER: Kind = Kind {
    id: 131,
    prefix: "SRV",
    models: &[("Dell", "PowerEdge R450"), ("HPE", "ProLiant DL380 Gen10"), ("Lenovo", "ThinkSystem SR650")],
    systems: &[
        "Windows Server 2022 Standard",
        "Windows Server 2019 Standard",
        "Windows Server 2012 R2 Standard",
    ],
    ram: &[64, 128],
};
const FIREWALL: Kind = Kind {
    id: 132,
    prefix: "FW",
    models: &[("Fortinet", "FortiGate 60F"), ("SonicWall", "TZ470"), ("WatchGuard", "Firebox T45")],
    systems: &[""],
    ram: &[],
};

/// The assets of these clients, as they are put into Halo.
pub(super) fn assets(clients: &[i64], seed: u64) -> impl Iterator<Item = Value> + '_ {
    let mut rng = Rng::of(seed, "fleet");
    let mut number = 0;
    clients.iter().take(MOST_CLIENTS).flat_map(move |client| {
        let laptops = 2 + rng.below(9);
        let servers = rng.below(3);
        let kinds = [(&LAPTOP, laptops), (&SERVER, servers), (&FIREWALL, 1)];
        let mut all = Vec::new();
        for (kind, count) in kinds {
            for _ in 0..count {
                number += 1;
                all.push(asset(kind, *client, number, &mut rng));
            }
        }
        all
    })
}

fn asset(kind: &Kind, client: i64, number: usize, rng: &mut Rng) -> Value {
    let name = format!("{}-{number:05}", kind.prefix);
    let (maker, model) = *rng.pick(kind.models);
    let bought = (2018 + rng.below(8) as i16, 1 + rng.below(12) as i8, 1 + rng.below(28) as i8);
    let years = 3 + rng.below(3) as i16;
    let serial = match rng.below(40) {
        0 => "To be filled by O.E.M.".to_owned(),
        1 => String::new(),
        _ => format!("HX{:06}{}", number, ["A", "B", "C", "K"][rng.below(4)]),
    };
    let day = |year: i16| format!("{year:04}-{:02}-{:02}", bought.1, bought.2);
    // Some were never written down, one in fifty was typed into the wrong century.
    let purchase = match rng.below(50) {
        0..6 => String::new(),
        6 => day(bought.0 + 80),
        _ => day(bought.0),
    };
    let warranty = if rng.below(5) == 0 { String::new() } else { day(bought.0 + years) };
    let mut fields = vec![
        json!({"id": 101, "value": name}),
        json!({"id": 51, "value": model}),
        json!({"id": 117, "value": serial}),
        json!({"id": 118, "value": maker}),
        json!({"id": 123, "value": warranty}),
        json!({"id": 124, "value": purchase}),
    ];
    let system = *rng.pick(kind.systems);
    if !system.is_empty() {
        let system = if maker == "Apple" { "macOS 15" } else { system };
        fields.push(json!({"id": 119, "value": system}));
    }
    if !kind.ram.is_empty() {
        fields.push(json!({"id": 121, "value": rng.pick(kind.ram).to_string()}));
    }
    json!({
        "client_id": client, "assettype_id": kind.id, "inventory_number": name, "inactive": number.is_multiple_of(23),
        "fields": fields,
    })
}
