//! The play with Liongard: systems that become assets, and Halo's customers that become environments.

use std::collections::BTreeMap;
use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::model::{Entity, Integration};
use parhelion::sandbox::{Host, Quirks, Sandbox};
use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::oracle;
use super::super::rig::{Ground, spec};
use super::{Play, SETTLE};

const ME: Integration = Integration::Liongard;

pub(in super::super) const PLAY: Play = Play {
    days: 1,
    hosts: &[Host::Halo, Host::Liongard],
    world,
    day,
    begin: |ground, seed| Box::pin(begin(ground, seed)),
    spec: whole,
    content,
};

fn whole(scheduled: bool) -> Spec {
    spec(ME, &[Entity::Customers, Entity::Assets, Entity::Push], scheduled)
}

/// Two to four environments with a few machines each, and customers in Halo: some the same, some to be pushed.
fn world(seed: u64) -> Sandbox {
    let mut dice = Dice::new(seed, "liongard");
    let mut quirks = Quirks::default();
    quirks.halo.markers_given_back = true;
    quirks.halo.page_cap = *dice.pick(&[3, 100]);
    quirks.halo.blank_missing_fields = dice.chance(0.7);
    quirks.halo.custom_fields_in_lists = dice.chance(0.7);
    quirks.liongard.single_as_array = dice.chance(0.3);
    quirks.liongard.page_cap = *dice.pick(&[2, 100]);
    quirks.liongard.paging_beside = dice.chance(0.3);
    let sandbox = Sandbox::empty(quirks);
    sandbox.put_halo_client(&json!({"name": "Parking"})).expect("a customer");
    for n in 0..dice.within(2, 4) {
        let name = format!("Environment {n} Ltd");
        let environment = sandbox.put_environment(&json!({"Name": name}));
        let client = dice.chance(0.6).then(|| sandbox.put_halo_client(&json!({"name": name})).expect("one"));
        for m in 0..dice.within(1, 3) {
            let serial = match dice.below(6) {
                0 => json!("To be filled by O.E.M."),
                _ => json!(format!("SER{n}{m}X{}", dice.below(1000))),
            };
            machine(&sandbox, &mut dice, &json!(environment), &serial, &format!("PC-{n}{m}"));
            if let Some(client) = client.filter(|_| dice.chance(0.4)) {
                // An asset of a person, with the same serial.
                let asset = json!({"client_id": client, "assettype_id": 130, "inventory_number": format!("IT-{n}{m}"),
                    "fields": [{"id": 117, "value": serial}]});
                sandbox.put_halo_asset(&asset).expect("an asset");
            }
        }
    }
    machine(&sandbox, &mut dice, &Value::Null, &json!("ORPHAN1"), "ORPHAN");
    for n in 0..dice.within(1, 3) {
        chosen(&sandbox, &format!("Pushed {n} plc"));
    }
    if dice.chance(0.5) {
        // One that is there already under a name like it: held.
        chosen(&sandbox, "ENVIRONMENT 0");
    }
    sandbox
}

fn machine(sandbox: &Sandbox, dice: &mut Dice, environment: &Value, serial: &Value, name: &str) -> i64 {
    sandbox.put_system(&json!({
        "Environment": environment, "Inspector": *dice.pick(&[90, 25]), "Name": name, "hostname": name, "serial": serial,
        "os": *dice.pick(&["Windows 10", "Windows 11"]), "ram": dice.within(4, 64), "user": format!("user{}", dice.below(9)),
    }))
}

fn chosen(sandbox: &Sandbox, name: &str) {
    let row = json!({"name": name, "customfields": [{"id": 202, "value": "true"}]});
    sandbox.put_halo_client(&row).expect("a customer");
}

/// A day at Liongard, and one more customer in Halo.
fn day(seed: u64, number: u64, sandbox: &Sandbox) {
    let mut dice = Dice::new(seed ^ (number << 32), "liongard day");
    let mut environments: Vec<i64> =
        sandbox.environments().iter().filter_map(|one| one["ID"].as_i64()).collect();
    environments.sort_unstable();
    for id in sandbox.system_ids() {
        match dice.below(8) {
            0 => drop(sandbox.remove_system(id)),
            1 => drop(sandbox.put_system(&json!({"ID": id, "ram": dice.within(4, 64)}))),
            2 => drop(sandbox.put_system(&json!({"ID": id, "user": "somebody else"}))),
            // The first two are of the seed's own: whatever was pushed has no say in where it moves.
            3 => drop(
                sandbox.put_system(&json!({"ID": id, "Environment": environments[dice.below(2) as usize]})),
            ),
            _ => {}
        }
    }
    let new = sandbox.put_environment(&json!({"Name": format!("Newcomer {number} Ltd")}));
    machine(sandbox, &mut dice, &json!(new), &json!(format!("NEW{number}")), &format!("NEW-{number}"));
    chosen(sandbox, &format!("Pushed later {number} plc"));
}

async fn begin(ground: &mut Ground, seed: u64) -> Arc<Engine> {
    let mut dice = Dice::new(seed, "liongard settings");
    let site = if dice.chance(0.6) { "Parking/Main" } else { "" };
    ground.settle_seconds = SETTLE;
    ground.settings = format!(
        "[liongard.sync_customers]\nenabled = true\n[liongard.safety]\nmax_removals_floor = {}\n",
        dice.within(2, 5)
    );
    let engine = ground.start().await;
    let set = |key: &str, value: String| parhelion::host::words::SettingChange {
        key: format!("liongard.{key}"),
        value: Some(value),
    };
    let changes =
        [set("deactivate_deleted", dice.chance(0.8).to_string()), set("default_site", format!("{site:?}"))];
    engine.set(&changes).await.expect("settings");
    engine
}

/// Assets by what they say, customers, environments, and who is mapped to whom: ids left out.
fn content(engine: &Engine, sandbox: &Sandbox) -> BTreeMap<String, Vec<String>> {
    let mut all = oracle::content(sandbox);
    let named = |rows: Vec<Value>, id: &str, name: &str| -> BTreeMap<String, String> {
        let one = |row: &Value| (row[id].to_string(), row[name].as_str().unwrap_or_default().to_owned());
        rows.iter().map(one).collect()
    };
    let clients = named(sandbox.halo_clients(), "id", "name");
    let environments = named(sandbox.environments(), "ID", "Name");
    let asset = |row: &Value| {
        let fields = row["fields"].as_array().into_iter().flatten();
        let mut fields: Vec<String> = fields
            .filter(|field| !field["value"].as_str().unwrap_or_default().is_empty())
            .map(|field| format!("{}={}", field["name"], field["value"]))
            .collect();
        fields.sort();
        let client = clients.get(&row["client_id"].to_string());
        json!({"name": row["inventory_number"], "client": client, "type": row["assettype_name"],
            "inactive": row["inactive"], "liongardid": row["liongardid"], "ref": row["third_party_id_string"],
            "notes": fields})
        .to_string()
    };
    let mut assets: Vec<String> = sandbox.halo_assets().iter().map(asset).collect();
    assets.sort();
    all.insert("assets".into(), assets);
    for shelf in ["types", "fields"] {
        let mut names: Vec<String> = sandbox
            .halo_asset_shelf(shelf)
            .iter()
            .map(|row| json!({"name": row["name"]}).to_string())
            .collect();
        names.sort();
        all.insert(shelf.into(), names);
    }
    let mut there: Vec<String> =
        environments.values().map(|name| json!({"name": name}).to_string()).collect();
    there.sort();
    all.insert("environments".into(), there);
    let links = engine.book.links(ME, Entity::Customers).expect("links");
    let pair = |(id, link): &(parhelion::model::SourceId, parhelion::model::Link)| {
        let (here, there) = (environments.get(id.as_str()), clients.get(link.target.as_str()));
        json!({"name": here, "client": there}).to_string()
    };
    let mut pairs: Vec<String> = links.iter().map(pair).collect();
    pairs.sort();
    all.insert("mappings".into(), pairs);
    all
}
