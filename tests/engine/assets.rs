//! Imports from Liongard, from end to end.

use std::collections::BTreeMap;
use std::time::Duration;

use parhelion::model::{Entity, Integration};
use parhelion::sandbox::{Faults, Host, Kind, Options, Quirks, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::rig::{Ground, run, spec};

/// An environment with its customer in Halo, and so many workstations with serials.
pub fn small(machines: usize) -> (Sandbox, Vec<i64>) {
    let sandbox = Sandbox::empty(Quirks::default());
    sandbox.put_halo_client(&json!({"name": "Alder Ltd"})).expect("a customer");
    let environment = sandbox.put_environment(&json!({"Name": "Alder Ltd"}));
    let ids = (0..machines).map(|n| {
        sandbox.put_system(&json!({
            "Environment": environment, "Inspector": 90, "Name": format!("PC-{n}"), "hostname": format!("PC-{n}"),
            "serial": format!("REAL{n:04}"), "os": "Windows 11", "ram": 16, "user": "pat",
        }))
    });
    let ids = ids.collect();
    (sandbox, ids)
}

fn value(asset: &Value, name: &str) -> String {
    let rows = asset["fields"].as_array().expect("fields");
    let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no field {name}"));
    row["value"].as_str().unwrap_or_default().to_owned()
}

/// No system has two assets.
fn no_doubles(sandbox: &Sandbox) {
    let mut of: BTreeMap<i64, usize> = BTreeMap::new();
    for asset in sandbox.halo_assets() {
        if let Some(id) = asset["liongardid"].as_i64().filter(|id| *id > 0) {
            *of.entry(id).or_default() += 1;
        }
    }
    let doubled: Vec<_> = of.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
}

#[tokio::test(start_paused = true)]
async fn environments_and_systems_come_in_and_a_second_run_writes_nothing() {
    let mut ground = Ground::new(Sandbox::new(Options::default()));
    let engine = ground.start().await;
    let before = ground.sandbox.halo_assets().len();
    let first = run(&engine, spec(Integration::Liongard, &[], false)).await;
    assert_eq!(first.totals.failed, 0, "{:?}", first.problems);
    assert!(first.totals.rows.create > 500 && first.totals.rows.link > 50, "{:?}", first.totals);
    assert!(ground.sandbox.halo_assets().len() > before + 500);
    no_doubles(&ground.sandbox);
    let writes = ground.sandbox.journal().len();
    let second = run(&engine, spec(Integration::Liongard, &[], false)).await;
    assert_eq!(second.totals.rows.acting(), 0, "{:?}", second.totals);
    assert_eq!(ground.sandbox.journal().len(), writes, "the second run wrote something");
}

#[tokio::test(start_paused = true)]
async fn a_new_asset_holds_what_liongard_says_and_an_adopted_one_keeps_what_is_not_ours() {
    let (sandbox, ids) = small(2);
    let client = sandbox.halo_clients()[0]["id"].clone();
    let fields =
        json!([{"id": 117, "value": "REAL0001"}, {"id": 126, "value": 2}, {"id": 51, "value": "Latitude"}]);
    let old = json!({"client_id": client, "assettype_id": 130, "inventory_number": "IT-1", "fields": fields});
    let old = sandbox.put_halo_asset(&old).expect("an asset");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let report = run(&engine, spec(Integration::Liongard, &[], false)).await;
    assert_eq!((report.totals.failed, report.totals.rows.held), (0, 0), "{:?}", report.problems);
    let assets = ground.sandbox.halo_assets();
    assert_eq!(assets.len(), 2);
    let made = assets.iter().find(|one| one["liongardid"] == ids[0]).expect("the new one");
    assert_eq!(made["assettype_name"], "Windows Workstation");
    assert_eq!((value(made, "Serial Number"), value(made, "RAM")), ("REAL0000".into(), "16".into()));
    assert_eq!(value(made, "Last User"), "pat", "a field that was made");
    let kept = ground.sandbox.halo_asset(old).expect("the old one");
    assert_eq!(
        (kept["liongardid"].clone(), kept["inventory_number"].clone()),
        (json!(ids[1]), json!("IT-1"))
    );
    assert_eq!(
        (value(&kept, "Lease"), value(&kept, "Model")),
        ("2".into(), "Latitude".into()),
        "no field was blanked"
    );
    assert_eq!(value(&kept, "Operating System"), "Windows 11");
    assert_eq!(value(&kept, "Last User"), "pat", "its type got the field first");
    assert_eq!(kept["assettype_name"], "Laptop", "an asset that is there keeps its type");
}

/// P15: what could not be read was not looked for. The serial, by which an asset is found, comes from these answers.
#[tokio::test(start_paused = true)]
async fn a_part_of_liongard_that_cannot_be_read_makes_no_second_asset() {
    for (path, kind) in [
        ("device-profiles", Kind::ServerError { status: 500, applied: false, retry_after: None }),
        ("device-profiles", Kind::Html { status: 200, applied: false }),
        ("device-profiles", Kind::Truncated),
    ] {
        let (sandbox, _) = small(4);
        let client = sandbox.halo_clients()[0]["id"].clone();
        for n in 0..4 {
            let fields = json!([{"id": 117, "value": format!("REAL{n:04}")}]);
            let asset = json!({"client_id": client, "assettype_id": 130, "inventory_number": format!("IT-{n}"), "fields": fields});
            sandbox.put_halo_asset(&asset).expect("an asset");
        }
        let mut ground = Ground::new(sandbox);
        let engine = ground.start().await;
        ground.sandbox.set_faults(Faults::none().with(Host::Liongard, Rule::new(kind.clone()).path(path)));
        let first = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(ground.sandbox.halo_assets().len(), 4, "{path} {kind:?}: {:?}", first.totals);
        assert_eq!(first.totals.rows.held, 4, "{path} {kind:?}: {:?}", first.problems);
        ground.sandbox.set_faults(Faults::none());
        let last = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!((last.totals.rows.held, last.totals.rows.link), (0, 4), "{path}: {:?}", last.problems);
        assert_eq!(ground.sandbox.halo_assets().len(), 4, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_make_no_second_asset_type_or_field() {
    for nth in 1..=12 {
        let (sandbox, _) = small(6);
        let mut ground = Ground::new(sandbox);
        let engine = ground.start().await;
        let lost =
            Rule::new(Kind::ResetAfter).method("POST").path("/api/").when(When::Nth(vec![nth, nth + 1]));
        ground.sandbox.set_faults(Faults::none().with(Host::Halo, lost));
        run(&engine, spec(Integration::Liongard, &[], false)).await;
        ground.sandbox.set_faults(Faults::none());
        let last = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(last.totals.failed, 0, "lost answer {nth}: {:?}", last.problems);
        no_doubles(&ground.sandbox);
        assert_eq!(ground.sandbox.halo_assets().len(), 6, "lost answer {nth}");
        for shelf in ["types", "fields"] {
            let mut names: Vec<String> =
                ground.sandbox.halo_asset_shelf(shelf).iter().map(|row| row["name"].to_string()).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "lost answer {nth}: {shelf} came twice: {names:?}");
        }
    }
}

/// Halo takes a second type or field of the same name, so both are looked for once more before they are made.
#[tokio::test(start_paused = true)]
async fn what_somebody_made_since_the_plan_is_used_and_not_made_again() {
    let (sandbox, _) = small(3);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let plan = super::rig::plan(&engine, &spec(Integration::Liongard, &[], false)).await;
    let field = json!({"kind": "T", "name": "last user", "validate": "X"});
    let field = ground.sandbox.put_halo_asset_shelf("fields", &field).expect("a field");
    let fields = json!([{"field_id": field, "type": "X"}]);
    let kind = json!({"name": "Windows Workstation ", "assetgroup_id": 3, "fields": fields});
    let kind = ground.sandbox.put_halo_asset_shelf("types", &kind).expect("a type");
    let before = ["types", "fields"].map(|shelf| ground.sandbox.halo_asset_shelf(shelf).len());
    super::rig::apply(&engine, &plan).await;
    assert_eq!(["types", "fields"].map(|shelf| ground.sandbox.halo_asset_shelf(shelf).len()), before);
    let last = run(&engine, spec(Integration::Liongard, &[], false)).await;
    assert_eq!(last.totals.failed, 0, "{:?}", last.problems);
    let assets = ground.sandbox.halo_assets();
    assert_eq!(assets.len(), 3);
    assert!(
        assets.iter().all(|asset| asset["assettype_id"] == kind && value(asset, "last user") == "pat"),
        "{assets:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_gone_takes_its_asset_out_of_use_in_a_scheduled_run_and_brings_it_back() {
    let (sandbox, ids) = small(40);
    let mut ground = Ground::new(sandbox);
    ground.settings = "[liongard.safety]\nmax_removals_floor = 5".into();
    let engine = ground.start().await;
    run(&engine, spec(Integration::Liongard, &[], false)).await;
    let set = parhelion::host::words::SettingChange {
        key: "liongard.deactivate_deleted".into(),
        value: Some("true".into()),
    };
    engine.set(&[set]).await.expect("a setting");
    // A manual run takes the changed rule note of, and removes nothing.
    let facts = ground.sandbox.system(ids[3]).expect("a system");
    ground.sandbox.remove_system(ids[3]);
    run(&engine, spec(Integration::Liongard, &[], false)).await;
    let inactive = |sandbox: &Sandbox| {
        let all = sandbox.halo_assets();
        all.iter()
            .filter(|one| one["inactive"] == true)
            .map(|one| one["liongardid"].as_i64())
            .collect::<Vec<_>>()
    };
    assert_eq!(inactive(&ground.sandbox), [], "never by hand");
    run(&engine, spec(Integration::Liongard, &[], true)).await;
    assert_eq!(inactive(&ground.sandbox), [Some(ids[3])]);
    ground.sandbox.put_system(&facts);
    run(&engine, spec(Integration::Liongard, &[Entity::Assets], true)).await;
    assert_eq!(inactive(&ground.sandbox), [], "what we made inactive is active again");
}

/// L14: what Halo's own integration brought in is known by its Liongard id, also without a serial; and once each system
/// has its asset, nobody asks for them again.
#[tokio::test(start_paused = true)]
async fn what_halo_s_own_integration_brought_in_is_found_by_its_id_and_asked_for_once() {
    for (count, others) in [(3, 1), (20, 5), (20, 0)] {
        let (sandbox, ids) = small(count);
        let client = sandbox.halo_clients()[0]["id"].clone();
        for id in &ids {
            let asset = json!({"client_id": client, "assettype_id": 130, "inventory_number": format!("IT-{id}"), "liongardid": id});
            sandbox.put_halo_asset(&asset).expect("an asset");
        }
        for n in 0..others {
            let asset =
                json!({"client_id": client, "assettype_id": 130, "inventory_number": format!("HAND-{n}")});
            sandbox.put_halo_asset(&asset).expect("an asset");
        }
        let mut ground = Ground::new(sandbox);
        let engine = ground.start().await;
        let first = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(
            first.totals.rows.link,
            u64::try_from(count).unwrap() + 1,
            "{:?} {:?}",
            first.totals,
            first.problems
        );
        assert_eq!(ground.sandbox.halo_assets().len(), count + others);
        no_doubles(&ground.sandbox);
        let asked =
            |path: &str| ground.sandbox.requests(Host::Halo).by_path.get(path).copied().unwrap_or_default();
        let before = (asked("GET /api/Asset"), asked("GET /api/Asset/*"));
        let second = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(second.totals.rows.acting(), 0, "{:?}", second.totals);
        let after = (asked("GET /api/Asset"), asked("GET /api/Asset/*"));
        let types = ground.sandbox.halo_asset_shelf("types").len() as u64;
        assert_eq!((after.0 - before.0, after.1 - before.1), (types, 0), "the list of each type, no more");
    }
}

/// L14: while a system waits for want of a link, each plan would look at the same assets again. An id that was seen is
/// believed for a day, none for an hour, and only what is new is looked at.
#[tokio::test(start_paused = true)]
async fn a_look_at_an_asset_nobody_has_linked_is_believed_for_a_while() {
    for others in [2, 40] {
        let (sandbox, ids) = small(20);
        let client = sandbox.halo_clients()[0]["id"].clone();
        let put = |name: &str, id: Option<i64>| {
            let asset =
                json!({"client_id": client, "assettype_id": 130, "inventory_number": name, "liongardid": id});
            sandbox.put_halo_asset(&asset).expect("an asset");
        };
        // Two answer to one system: it is held, and both stay without a link.
        put("TWIN-1", Some(ids[0]));
        put("TWIN-2", Some(ids[0]));
        for n in 0..others {
            put(&format!("HAND-{n}"), None);
        }
        let mut ground = Ground::new(sandbox.clone());
        let engine = ground.start().await;
        let looks = || {
            let asked = ground.sandbox.requests(Host::Halo).by_path;
            asked.get("GET /api/Asset/*").copied().unwrap_or_default()
        };
        let lists = || ground.sandbox.requests(Host::Halo).by_path["GET /api/Asset"];
        let first = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(first.totals.rows.held, 1, "{:?}", first.totals);
        let types = sandbox.halo_asset_shelf("types").len() as u64;
        let before = (lists(), looks());
        let second = run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(second.totals.rows.held, 1, "the mark is known without another look: {:?}", second.totals);
        assert_eq!((lists() - before.0, looks() - before.1), (types, 0));
        put("HAND-NEW", None);
        let before = looks();
        run(&engine, spec(Integration::Liongard, &[], false)).await;
        assert_eq!(looks() - before, 1, "what is new is looked at");
        // Those without an id, one by one while they are few; then the two twins as well.
        for (hours, few, many) in [(2, (0, 3), (1, 0)), (25, (0, 5), (1, 2))] {
            tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
            let before = (lists(), looks());
            run(&engine, spec(Integration::Liongard, &[], false)).await;
            let asked = (lists() - before.0 - types, looks() - before.1);
            assert_eq!(asked, if others == 2 { few } else { many }, "{others} by hand, after {hours} hours");
        }
    }
}
