//! Several customers of the source as branches of one in Halo: each with a site of its own (P18).

use std::sync::Arc;

use parhelion::engine::Engine;
use parhelion::model::{ChosenSite, Decision, How, Integration, SourceId, TargetId};
use parhelion::plan::Action;
use parhelion::sandbox::{Brand, Quirks, Sandbox};
use serde_json::json;

use super::rig::{Ground, by_hand, plan, run, spec, writes};

const ALSO: Integration = Integration::Also;

/// Two customers of a marketplace in two towns, and one in Halo with a site in each.
struct Branches {
    ground: Ground,
    engine: Arc<Engine>,
    alder: TargetId,
    sites: [i64; 2],
}

async fn branches() -> Branches {
    let sandbox = Sandbox::empty(Quirks::default());
    for (id, city) in [(1000, "York"), (1001, "Leeds")] {
        let name = format!("Alder {city}");
        let company = json!({"AccountId": id, "CompanyName": name, "City": city, "Address": "1 High Street",
            "Zip": "YO1 7AA", "AccountState": "Active"});
        sandbox.put_company(Brand::Also, &company);
    }
    let alder = sandbox.put_halo_client(&json!({"name": "Alder"})).expect("a client");
    let main = sandbox.halo_client(alder).expect("it")["main_site_id"].as_i64().expect("a main site");
    let leeds = sandbox.put_halo_site(&json!({"name": "Leeds", "client_id": alder})).expect("a site");
    let mut ground = Ground::new(sandbox);
    ground.settings = "update_main_site_address = true\n".into();
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    Branches { ground, engine, alder: TargetId::from(alder), sites: [main, leeds] }
}

impl Branches {
    async fn decide(&self, decisions: Vec<(i64, Decision)>) {
        let decisions = decisions.into_iter().map(|(id, decision)| (SourceId::from(id), decision)).collect();
        self.engine.decide(ALSO, decisions).await.expect("decided");
    }

    fn map(&self) -> Decision {
        Decision::Map { target: self.alder.clone(), target_name: "Alder".into(), how: How::Manual }
    }

    fn leeds(&self) -> Decision {
        Decision::Site { site: Some(ChosenSite { id: TargetId::from(self.sites[1]), name: "Leeds".into() }) }
    }

    fn city(&self, site: i64) -> String {
        let site = self.ground.sandbox.halo_site(site).expect("a site");
        site.to_string()
    }
}

#[tokio::test(start_paused = true)]
async fn each_branch_keeps_its_address_at_its_own_site() {
    let it = branches().await;
    it.decide(vec![(1000, it.map()), (1001, it.map())]).await;
    let view = it.engine.sites(ALSO, &SourceId::from(1001)).await.expect("its sites");
    assert_eq!((view.sites.len(), view.chosen.is_none(), view.partner.name.as_str()), (2, true, "Alder"));
    it.decide(vec![(1001, it.leeds())]).await;
    let row = it.engine.map_rows(ALSO, &[SourceId::from(1001)]).expect("rows").remove(0);
    assert_eq!(row.site.expect("a site").name.as_ref(), "Leeds");
    let report = run(&it.engine, by_hand()).await;
    assert_eq!(report.totals.failed, 0, "{:?}", report.problems);
    assert!(it.city(it.sites[0]).contains("York") && !it.city(it.sites[0]).contains("Leeds,"));
    assert!(it.city(it.sites[1]).contains("High Street"), "{}", it.city(it.sites[1]));
    // Nothing to do a second time, neither for the one nor for the other.
    let before = writes(&it.ground.sandbox);
    let second = run(&it.engine, by_hand()).await;
    assert_eq!((second.totals.rows.acting(), writes(&it.ground.sandbox)), (0, before), "{:?}", second.totals);
    // The choice is a step: it is taken back, survives a restart, and holds while the mapping does.
    it.engine.undo(ALSO, false).await.expect("taken back");
    let row = it.engine.map_rows(ALSO, &[SourceId::from(1001)]).expect("rows").remove(0);
    assert_eq!((row.site, row.target.is_some()), (None, true));
    it.engine.undo(ALSO, true).await.expect("again");
    let Branches { mut ground, engine, .. } = it;
    ground.kill(engine).await;
    ground.index = Arc::default();
    let engine = ground.open();
    let link = engine.book.link(ALSO, ALSO.root(), &SourceId::from(1001)).expect("read").expect("a link");
    assert_eq!(link.site.expect("a site").name.as_ref(), "Leeds");
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_gone_holds_the_address_and_says_so() {
    let it = branches().await;
    it.decide(vec![(1001, it.map())]).await;
    it.decide(vec![(1001, it.leeds())]).await;
    let gone = json!({"id": it.sites[1], "name": "Leeds", "client_id": it.alder.as_str().parse::<i64>().expect("a number"), "inactive": true});
    it.ground.sandbox.put_halo_site(&gone).expect("inactive now");
    let built = plan(&it.engine, &by_hand()).await;
    let rows = it.engine.book.plan_rows(built.id, &(1..=built.rows).collect::<Vec<_>>()).expect("rows");
    let row = rows.iter().find(|row| row.source.id.as_str() == "1001").expect("its row");
    assert_eq!(row.action, Action::Held);
    let why = row.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert!(why.contains("the site 'Leeds' that was chosen for it is not among the active ones"), "{why}");
    let view = it.engine.sites(ALSO, &SourceId::from(1001)).await.expect("its sites");
    assert_eq!(view.sites.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_site_needs_a_mapping_and_a_partner_in_halo() {
    let it = branches().await;
    let site = vec![(SourceId::from(1000), it.leeds())];
    let problem = it.engine.decide(ALSO, site).await.expect_err("not mapped");
    assert!(problem.to_string().contains("Alder York is not mapped"), "{problem}");
    it.engine.sites(ALSO, &SourceId::from(1000)).await.expect_err("not mapped");
    let problem = it.engine.sites(Integration::Hudu, &SourceId::from(1)).await.expect_err("Hudu has none");
    assert!(problem.to_string().contains("only customers in Halo have"), "{problem}");
}

/// L9: new assets go to the mapped customer's site, and that is the chosen one.
#[tokio::test(start_paused = true)]
async fn new_assets_go_to_the_chosen_site() {
    let (sandbox, _) = super::assets::small(2);
    let client = sandbox.halo_clients()[0]["id"].as_i64().expect("an id");
    let annexe = sandbox.put_halo_site(&json!({"name": "Annexe", "client_id": client})).expect("a site");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let me = Integration::Liongard;
    engine.read_customers(me).await.expect("read");
    engine.generate(me).await.expect("mapped");
    let all = engine.map_order(me, &parhelion::host::words::MapFilter::default(), false).expect("the table");
    let site = Some(ChosenSite { id: TargetId::from(annexe), name: "Annexe".into() });
    engine.decide(me, vec![(all.ids[0].clone(), Decision::Site { site })]).await.expect("chosen");
    let report = run(&engine, spec(me, &[], false)).await;
    assert_eq!(report.totals.failed, 0, "{:?}", report.problems);
    let assets = ground.sandbox.halo_assets();
    assert_eq!(assets.len(), 2);
    assert!(assets.iter().all(|asset| asset["site_id"].as_i64() == Some(annexe)), "{assets:?}");
    let before = writes(&ground.sandbox);
    run(&engine, spec(me, &[], false)).await;
    assert_eq!(writes(&ground.sandbox), before, "nothing is moved, nothing is written twice");
}
