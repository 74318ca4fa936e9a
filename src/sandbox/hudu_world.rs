//! What an MSP's Hudu looks like, and the sites, users and contracts in Halo that belong into it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Size;
use super::halo::{GENERAL_USER, Halo};
use super::hudu::Hudu;
use super::names::street;
use super::quirks::HuduQuirks;
use super::rng::Rng;
use super::schema::Entity;

const FIRST_NAMES: &[&str] = &[
    "Ada", "Amir", "Bea", "Carlos", "Dilys", "Elif", "Fergus", "Grace", "Hana", "Idris", "Jo", "Kofi",
    "Lena", "Mina", "Niall", "Oona", "Priya", "Quentin", "Rosa", "Sven", "Tariq", "Una", "Vera", "Wes",
    "Ximena", "Yusuf", "Zoë",
];
const LAST_NAMES: &[&str] = &[
    "Abbott", "Baptiste", "Cole", "Desai", "Evans", "Fraser", "Grant", "Hughes", "Ito", "Jones", "Khan",
    "Lopez", "Murphy", "Nowak", "O'Brien", "Patel", "Quinn", "Reid", "Singh", "Turner", "Usman", "Vaughan",
    "Walsh", "Young",
];
const BRANCHES: &[&str] = &["Depot", "North Office", "Showroom", "Studio", "Workshop"];

/// Customers that Hudu's importers have to do with; each has three sites and ten users.
fn companies(size: Size) -> usize {
    match size {
        Size::Small => 40,
        Size::Medium => 500,
        Size::Large => 5_000,
    }
}

/// Fills Hudu from Halo's customers, and Halo with what is written down of them.
pub(super) fn fill(hudu: &mut Hudu, halo: &mut Halo, size: Size, seed: u64) {
    let mut rng = Rng::of(seed, "hudu");
    layouts(hudu);
    let clients: Vec<(i64, String)> = halo
        .everything(Entity::Client)
        .into_iter()
        .filter(|client| client["inactive"] != true)
        .filter_map(|client| Some((client["id"].as_i64()?, client["name"].as_str()?.to_owned())))
        .take(companies(size))
        .collect();
    for (n, (id, name)) in clients.iter().enumerate() {
        people(halo, *id, n, &mut rng);
        company(hudu, *id, name, n, &mut rng);
    }
    // Customers of nobody's: a company that Halo does not know.
    for name in ["Internal IT", "Vendor Contacts"] {
        save(hudu, "companies", &json!({"name": name}));
    }
}

fn save(hudu: &mut Hudu, what: &str, record: &Value) -> Option<i64> {
    hudu.put(what, record, Duration::ZERO, &HuduQuirks::default()).ok()
}

fn layouts(hudu: &mut Hudu) {
    let field = |label: &str, kind: &str, position: usize| json!({"label": label, "field_type": kind, "position": position});
    let mut make = |name: &str, icon: &str, fields: &[(&str, &str)], link: Option<i64>| {
        let fields: Vec<Value> = fields
            .iter()
            .zip(1..)
            .map(|((label, kind), at)| {
                let mut field = field(label, kind, at);
                if *kind == "AssetTag" {
                    field["linkable_id"] = json!(link);
                }
                field
            })
            .collect();
        let layout = json!({"name": name, "icon": icon, "color": "#1f6feb", "icon_color": "#ffffff", "fields": fields});
        save(hudu, "layouts", &layout)
    };
    let sites = make(
        "Sites",
        "fas fa-building",
        &[
            ("Halo Site ID", "Text"),
            ("Main Phone", "Phone"),
            ("Address", "AddressData"),
            ("Notes", "RichText"),
            ("Active", "CheckBox"),
            ("Halo Link", "Website"),
        ],
        None,
    );
    make(
        "People",
        "fas fa-user",
        &[
            ("Halo User ID", "Text"),
            ("Email Address", "Email"),
            ("Phone", "Phone"),
            ("Site", "AssetTag"),
            ("Active", "CheckBox"),
            ("Halo Link", "Website"),
        ],
        sites,
    );
    make(
        "Contracts",
        "fas fa-file-contract",
        &[
            ("Halo Contract ID", "Text"),
            ("Type", "Text"),
            ("Status", "Text"),
            ("Start Date", "Date"),
            ("End Date", "Date"),
            ("Halo Link", "Website"),
        ],
        None,
    );
    let device = [
        ("Halo Asset ID", "Text"),
        ("Type", "Text"),
        ("Serial Number", "Text"),
        ("Manufacturer", "Text"),
        ("Model", "Text"),
        ("Site", "AssetTag"),
        ("Active", "CheckBox"),
        ("Halo Link", "Website"),
    ];
    make("Devices", "fas fa-desktop", &[&device[..], &[("Purchase Date", "Date")]].concat(), sites);
    make("Servers", "fas fa-server", &[&device[..], &[("RAM", "Number"), ("Rack", "Text")]].concat(), sites);
}

/// Two more sites, ten users and a contract or two.
fn people(halo: &mut Halo, client: i64, n: usize, rng: &mut Rng) {
    let mut sites: Vec<i64> = halo.table(Entity::Site).of_client(client).to_vec();
    while sites.len() < 3 {
        let name = BRANCHES[(n + sites.len()) % BRANCHES.len()];
        let site = json!({
            "name": name, "client_id": client, "phonenumber": phone(rng),
            "delivery_address": {"line1": street(rng), "line3": "Leeds", "postcode": "LS3 3CC"},
        });
        match put(halo, Entity::Site, &site) {
            Some(id) => sites.push(id),
            None => return,
        }
    }
    if let Some(main) = sites.first() {
        put(halo, Entity::Site, &json!({"id": main, "phonenumber": phone(rng)}));
        put(halo, Entity::User, &json!({"name": GENERAL_USER, "site_id": main}));
    }
    for at in 0..10 {
        let (first, last) = (*rng.pick(FIRST_NAMES), *rng.pick(LAST_NAMES));
        let service = at == 9 && n % 5 == 2;
        let mut user = json!({
            "name": format!("{first} {last}"), "firstname": first, "surname": last, "site_id": sites[at % sites.len()],
            "emailaddress": format!("{}.{}{at}@customer-{client}.example", first.to_lowercase(), last.to_lowercase()),
            "inactive": at == 8 && n % 4 == 1,
        });
        if at % 3 == 0 {
            user["phonenumber_preferred"] = phone(rng).into();
        }
        if service {
            user["name"] = "Scanner".into();
            user["isserviceaccount"] = true.into();
        }
        put(halo, Entity::User, &user);
    }
    for at in 0..=usize::from(n.is_multiple_of(4)) {
        let over = at == 1;
        let contract = json!({
            "ref": format!("MS-{:05}", client * 10 + at as i64), "client_id": client,
            "contracttype_name": if over { "Block Hours" } else { "Managed Service" },
            "start_date": "2025-04-01T00:00:00",
            "end_date": if over { "2026-03-31T00:00:00" } else { "2028-03-31T00:00:00" },
            "active": !over, "expired": over, "contract_status": if over { "Expired" } else { "Active" },
            "periodchargeamount": 250 + 10 * rng.below(100),
        });
        put(halo, Entity::Contract, &contract);
    }
}

fn phone(rng: &mut Rng) -> String {
    format!("+44 113 496 {:04}", rng.below(10_000))
}

fn put(halo: &mut Halo, entity: Entity, value: &Value) -> Option<i64> {
    let value: &Map<String, Value> = value.as_object()?;
    halo.save(entity, value, 0, Duration::ZERO, true).ok().map(|(id, _)| id)
}

/// How a Halo customer is known in Hudu: three quarters by the very name, the rest is what grows over years.
fn company(hudu: &mut Hudu, client: i64, name: &str, n: usize, rng: &mut Rng) {
    let plain = |name: String| json!({"name": name, "city": "Leeds"});
    let record = match n % 20 {
        // Unknown.
        4 | 11 => return,
        // Written otherwise.
        7 => plain(name.to_uppercase()),
        // Archived: Hudu lists it nowhere, yet it owns its name.
        13 => json!({"name": name, "archived": true}),
        // Renamed, but matched by Hudu's own integration.
        17 => json!({
            "name": format!("{name} (Group)"),
            "integrations": [{
                "id": 55_000 + client, "integrator_id": 3, "integrator_name": "halo", "sync_id": client,
                "identifier": null, "name": name, "potential_company_id": null, "company_id": null,
                "company_name": null,
            }],
        }),
        _ => plain(name.to_owned()),
    };
    let Some(id) = save(hudu, "companies", &record) else { return };
    // Somebody has begun by hand.
    if n % 10 == 3 {
        let site = json!({
            "company_id": id, "asset_layout_id": 7, "name": "Main",
            "custom_fields": [{"main_phone": phone(rng)}, {"notes": "<p>Ring the bell</p>"}],
        });
        save(hudu, "assets", &site);
    }
}
