//! Suggestions, pairs that are ruled out, and what holds a create (P11-P14, N4, N5).

use std::time::Duration;

use parhelion::engine::Engine;
use parhelion::host::words::{Aspect, MapFilter, MapOrderView, MapRow, MapState, SettingChange};
use parhelion::model::{Decision, How, Integration, SourceId, TargetId};
use parhelion::plan::Action;
use parhelion::sandbox::{Brand, Faults, Host, Kind, Rule, Sandbox};
use parhelion::store::{Index, Op};
use serde_json::json;

use super::dice::Dice;
use super::rig::{Ground, by_hand, new_customers, plan, run};

const ALSO: Integration = Integration::Also;

/// Companies of these names, with ids from 1000 up.
fn companies(names: &[&str]) -> Sandbox {
    let sandbox = new_customers(0, 0);
    for (id, name) in (1000..).zip(names) {
        let company = json!({"AccountId": id, "CompanyName": name, "AccountState": "Active"});
        sandbox.put_company(Brand::Also, &company);
    }
    sandbox
}

fn id(nth: i64) -> SourceId {
    SourceId::from(1000 + nth)
}

fn row(engine: &Engine, nth: i64) -> MapRow {
    engine.map_rows(ALSO, &[id(nth)]).expect("rows").remove(0)
}

fn candidates(engine: &Engine, nth: i64) -> Vec<(String, u8, String)> {
    let of = |one: parhelion::host::words::Suggested| (one.party.name, one.score, one.why.join(", "));
    row(engine, nth).candidates.into_iter().map(of).collect()
}

fn order(engine: &Engine, text: &str) -> Vec<SourceId> {
    let filter = MapFilter { text: text.into(), ..MapFilter::default() };
    engine.map_order(ALSO, &filter, false).expect("the table").ids
}

fn map_to(target: &TargetId) -> Decision {
    Decision::Map { target: target.clone(), target_name: "".into(), how: How::Manual }
}

fn client(sandbox: &Sandbox, name: &str) -> TargetId {
    TargetId::from(sandbox.put_halo_client(&json!({"name": name})).expect("a client"))
}

/// K4: "exactly one" can only be said of a whole list.
#[tokio::test(start_paused = true)]
async fn k4_half_a_list_makes_no_name_the_only_one() {
    let sandbox = companies(&["Alder"]);
    for name in ["Alder", "Beech", "Cedar", "Alder"] {
        client(&sandbox, name);
    }
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let half = Rule::new(Kind::HalfPage).path("/api/client");
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, half));
    let refused = engine.generate(ALSO).await.expect_err("half a list");
    assert!(refused.to_string().contains("Nothing was mapped"), "{refused}");
    ground.sandbox.set_faults(Faults::none());
    let generated = engine.generate(ALSO).await.expect("both are read again");
    assert_eq!((generated.added, generated.ambiguous), (0, 1));
    // What half a list lacks is not forgotten.
    let half = Rule::new(Kind::HalfPage).path("/api/client");
    ground.sandbox.set_faults(Faults::none().with(Host::Halo, half));
    engine.read_customers(ALSO).await.expect("half of it");
    assert_eq!(row(&engine, 0).same_name.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn suggestions_are_scored_ordered_and_filtered() {
    let sandbox = companies(&["Blue Yonder Foods", "Kestrel", "Lomond Ltd", "Glenmore Housing"]);
    for name in ["Blue Yonder Food", "Kestrel GmbH", "Kestrel Ltd", "Lomond"] {
        client(&sandbox, name);
    }
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let said = engine.score(ALSO).await.expect("both sides are read first");
    assert_eq!(said, "3 of 4 unmapped customers have a likely partner, 1 more than one.");
    // Ambiguous ones, then by falling score, then those without anybody (U11).
    assert_eq!(order(&engine, ""), [id(1), id(2), id(0), id(3)]);
    assert_eq!(order(&engine, ">95"), [id(1), id(2)]);
    assert_eq!(order(&engine, ">60 foo"), [id(0)]);
    assert_eq!(candidates(&engine, 2), [("Lomond".to_owned(), 96, "legal suffix".to_owned())]);
    assert_eq!(row(&engine, 1).aspect, Some(Aspect::Ambiguous));
    assert_eq!((row(&engine, 3).aspect, row(&engine, 3).state), (None, MapState::Unmapped));
    // Who is mapped already comes last, says so, and makes nothing ambiguous.
    let kestrel = row(&engine, 1).candidates.remove(0).party;
    engine.decide(ALSO, vec![(id(3), map_to(&kestrel.id))]).await.expect("mapped");
    let now = candidates(&engine, 1);
    assert_eq!((now.len(), row(&engine, 1).aspect), (2, Some(Aspect::Suggested)));
    assert!(now[1].0 == kestrel.name && now[1].2.ends_with("mapped to Glenmore Housing already"), "{now:?}");
}

#[tokio::test(start_paused = true)]
async fn weights_are_settings_and_count_at_once() {
    let sandbox = companies(&["Lomond Ltd"]);
    client(&sandbox, "Lomond");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.score(ALSO).await.expect("scored");
    assert_eq!(candidates(&engine, 0)[0].1, 96);
    let change = SettingChange { key: "matching.same_words".into(), value: Some("88".into()) };
    engine.set(&[change]).await.expect("saved");
    engine.score(ALSO).await.expect("scored");
    assert_eq!(candidates(&engine, 0)[0].1, 88);
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_ruled_out_stays_so_until_a_key_changes() {
    let sandbox = companies(&["Blue Yonder Foods"]);
    let food = client(&sandbox, "Blue Yonder Food");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.score(ALSO).await.expect("scored");
    let reject = Decision::Reject { target: food.clone(), target_name: "Blue Yonder Food".into() };
    let said = engine.decide(ALSO, vec![(id(0), reject)]).await.expect("ruled out");
    assert_eq!(said, "Rule out a partner of 'Blue Yonder Foods'.");
    assert!(candidates(&engine, 0).is_empty());
    assert!(row(&engine, 0).refused[0].contains("said 'not Blue Yonder Food'"));
    assert!(row(&engine, 0).decided.is_some());
    engine.undo(ALSO, false).await.expect("taken back");
    assert_eq!(candidates(&engine, 0).len(), 1);
    engine.undo(ALSO, true).await.expect("again");
    // It is in the trail: a lost index does not forget it. Nor does clearing the row, or another reading.
    ground.kill(engine).await;
    ground.index = std::sync::Arc::default();
    let engine = ground.open();
    engine.score(ALSO).await.expect("scored");
    engine.decide(ALSO, vec![(id(0), Decision::New)]).await.expect("new");
    engine.decide(ALSO, vec![(id(0), Decision::Clear)]).await.expect("undecided");
    assert!(candidates(&engine, 0).is_empty());
    // Another name is another customer: the question is open again.
    let company = json!({"AccountId": 1000, "CompanyName": "Blue Yonder Fooods", "AccountState": "Active"});
    ground.sandbox.put_company(Brand::Also, &company);
    engine.read_customers(ALSO).await.expect("read again");
    engine.score(ALSO).await.expect("scored");
    assert_eq!(candidates(&engine, 0).len(), 1);
    assert!(row(&engine, 0).refused[0].ends_with("open again, since one of them has changed"));
    // A person who maps the pair after all has changed their mind.
    engine.decide(ALSO, vec![(id(0), map_to(&food))]).await.expect("mapped");
    assert!(row(&engine, 0).refused.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_created_beside_a_near_partner_unasked() {
    let sandbox = companies(&["Blue Yonder Foods", "Glenmore Housing"]);
    let food = client(&sandbox, "Blue Yonder Food");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    let built = plan(&engine, &by_hand()).await;
    let rows = engine.book.plan_rows(built.id, &[1, 2]).expect("rows");
    assert_eq!(rows.iter().map(|row| row.action).collect::<Vec<_>>(), [Action::Held, Action::Create]);
    // Ruled out, it holds nothing any more.
    let reject = Decision::Reject { target: food, target_name: "Blue Yonder Food".into() };
    engine.decide(ALSO, vec![(id(0), reject)]).await.expect("ruled out");
    let built = engine.replan(built.id).expect("planned again");
    assert_eq!(built.outline.totals.create, 2);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_pair_is_confirmed_and_keeps_what_was_written() {
    let sandbox = companies(&["Alder"]);
    let alder = client(&sandbox, "Alder");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    engine.decide(ALSO, vec![(id(0), map_to(&alder))]).await.expect("mapped");
    ground.sandbox.put_company(
        Brand::Also,
        &json!({"AccountId": 1000, "CompanyName": "Zzyzx Quarry", "AccountState": "Active"}),
    );
    engine.read_customers(ALSO).await.expect("read again");
    let drifted = row(&engine, 0);
    assert_eq!((drifted.state, drifted.aspect), (MapState::Renamed, Some(Aspect::Drifting)));
    engine.decide(ALSO, vec![(id(0), map_to(&alder))]).await.expect("confirmed");
    let confirmed = row(&engine, 0);
    assert_eq!((confirmed.state, confirmed.since), (MapState::Mapped, drifted.since));
}

#[tokio::test(start_paused = true)]
async fn a_card_tells_what_every_system_knows_and_where_it_is_missing() {
    let sandbox = companies(&["Alder", "Alder Two", "Birch"]);
    let alder = client(&sandbox, "Alder");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    engine.decide(ALSO, vec![(id(0), map_to(&alder)), (id(1), map_to(&alder))]).await.expect("mapped");
    let card = engine.card(ALSO, &id(0)).expect("a card");
    let places: Vec<_> = card.parts.iter().map(|part| (part.place.as_str(), part.is_gap)).collect();
    assert_eq!(places[..3], [("ALSO", false), ("Halo", false), ("ALSO", false)], "{card:?}");
    assert!(card.parts[2].lines[0].starts_with("Alder Two (1001)"), "both feed it");
    let card = engine.card(ALSO, &id(2)).expect("a card");
    assert!(card.parts[1].is_gap && card.parts[1].lines[0] == "not mapped");
}

/// P14: who is really new is so under this name and these keys.
#[tokio::test(start_paused = true)]
async fn really_new_is_open_again_once_the_customer_is_another_one() {
    let sandbox = companies(&["Blue Yonder Foods", "Glenmore Housing"]);
    client(&sandbox, "Blue Yonder Food");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.score(ALSO).await.expect("scored");
    engine.decide(ALSO, vec![(id(0), Decision::New), (id(1), Decision::New)]).await.expect("new");
    assert_eq!(row(&engine, 0).state, MapState::New);
    let company = |nth: i64, name: &str| json!({"AccountId": 1000 + nth, "CompanyName": name, "AccountState": "Active"});
    ground.sandbox.put_company(Brand::Also, &company(0, "Blue Yonder Food"));
    ground.kill(engine).await;
    ground.index = std::sync::Arc::default();
    let engine = ground.open();
    engine.score(ALSO).await.expect("scored");
    let open = row(&engine, 0);
    assert_eq!((open.state, open.aspect), (MapState::Unmapped, Some(Aspect::Suggested)));
    assert_eq!(open.remarks, ["said to be new as 'Blue Yonder Foods'; open again, since it has changed"]);
    assert_eq!(row(&engine, 1).state, MapState::New, "nothing has changed there");
    // Nothing is created on the word of yesterday.
    let built = plan(&engine, &by_hand()).await;
    assert_eq!((built.outline.totals.create, built.outline.totals.link), (1, 1));
    // Its old name again, and the decision holds again.
    ground.sandbox.put_company(Brand::Also, &company(0, "Blue Yonder Foods"));
    engine.read_customers(ALSO).await.expect("read again");
    assert_eq!(row(&engine, 0).state, MapState::New);
}

/// N4: a mapping through which nothing comes, said to be right by one key.
#[tokio::test(start_paused = true)]
async fn a_mapping_through_which_nothing_comes_is_pointed_out() {
    let sandbox = new_customers(2, 1);
    sandbox.put_company(
        Brand::Also,
        &json!({"AccountId": 1000, "CompanyName": "Idle", "AccountState": "Active"}),
    );
    let idle = client(&sandbox, "Idle");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    let aspects = |engine: &Engine| {
        let ids = order(engine, "");
        let rows = engine.map_rows(ALSO, &ids).expect("rows");
        rows.into_iter()
            .map(|row| (row.source.name, row.aspect))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    assert!(aspects(&engine).values().all(Option::is_none), "it is young");
    ground.kill(engine).await;
    tokio::time::sleep(Duration::from_secs(31 * 24 * 3600)).await;
    ground.index = std::sync::Arc::default();
    let engine = ground.open();
    engine.read_customers(ALSO).await.expect("read again");
    let now = aspects(&engine);
    assert_eq!(now.values().flatten().collect::<Vec<_>>(), [&Aspect::Unused], "{now:?}");
    let unused = MapFilter { aspect: Some(Aspect::Unused), ..MapFilter::default() };
    let found = engine.map_order(ALSO, &unused, false).expect("the table");
    assert_eq!((found.ids.as_slice(), found.counts.unused), ([id(0)].as_slice(), 1));
    assert_eq!(row(&engine, 0).remarks, ["nothing has ever come through this mapping"]);
    engine.decide(ALSO, vec![(id(0), map_to(&idle))]).await.expect("right all the same");
    assert_eq!((row(&engine, 0).aspect, row(&engine, 0).state), (None, MapState::Mapped));
}

/// P18: rows of one Halo customer stand together, two Halo customers of one name apart, and who has none comes last.
#[tokio::test(start_paused = true)]
async fn the_table_by_halo_customer_says_how_many_feed_each() {
    let sandbox = companies(&["A", "B", "C", "D", "E"]);
    let (one, other) = (client(&sandbox, "Alder"), client(&sandbox, "Alder"));
    client(&sandbox, "Aardvark");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.score(ALSO).await.expect("scored");
    let map = [(0, &one), (1, &other), (3, &one), (4, &other)];
    engine.decide(ALSO, map.map(|(nth, target)| (id(nth), map_to(target))).to_vec()).await.expect("mapped");
    let by_target = engine.map_order(ALSO, &MapFilter::default(), true).expect("the table");
    assert_eq!((by_target.ids, by_target.groups), (vec![id(0), id(3), id(1), id(4), id(2)], vec![2, 2]));
}

#[tokio::test(start_paused = true)]
async fn rivals_are_all_between_whom_a_row_cannot_tell() {
    let sandbox = companies(&["Kestrel", "Lomond Ltd"]);
    for name in ["Kestrel GmbH", "Kestrel Ltd", "Kestrel SARL", "Kestrel plc", "Kestrel Legal", "Lomond"] {
        client(&sandbox, name);
    }
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.score(ALSO).await.expect("scored");
    let rivals = |nth| engine.rivals(ALSO, &id(nth)).expect("rivals");
    let names: Vec<_> = rivals(0).rows.into_iter().map(|row| row.party.name).collect();
    assert_eq!(names, ["Kestrel GmbH", "Kestrel Ltd", "Kestrel SARL", "Kestrel plc"]);
    assert_eq!(rivals(1).total, 0, "there is nothing to choose");
}

/// U40: undo has no end.
#[tokio::test(start_paused = true)]
async fn every_step_can_be_taken_back_also_after_a_restart() {
    let sandbox = companies(&["Alder"]);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    for step in 0..250 {
        let decision = if step % 2 == 0 { Decision::New } else { Decision::Clear };
        engine.decide(ALSO, vec![(id(0), decision)]).await.expect("decided");
    }
    ground.kill(engine).await;
    let engine = ground.open();
    for step in 0..250 {
        engine.undo(ALSO, false).await.unwrap_or_else(|problem| panic!("step {step}: {problem}"));
    }
    assert_eq!(row(&engine, 0).state, MapState::Unmapped);
    engine.undo(ALSO, false).await.expect_err("that was all");
    for _ in 0..249 {
        engine.undo(ALSO, true).await.expect("again");
    }
    assert_eq!(row(&engine, 0).state, MapState::New);
}

#[tokio::test(start_paused = true)]
async fn who_vanishes_meanwhile_has_no_row_and_nothing_is_decided_about_it() {
    let sandbox = companies(&["Alder", "Birch"]);
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    ground.sandbox.remove_company(Brand::Also, 1000);
    engine.read_customers(ALSO).await.expect("read again");
    let rows = engine.map_rows(ALSO, &[id(0), id(1)]).expect("rows");
    assert_eq!(rows.iter().map(|row| row.source.name.as_str()).collect::<Vec<_>>(), ["Birch"]);
    // One of a bulk action that is gone takes nothing half.
    let both = vec![(id(1), Decision::New), (id(0), Decision::New)];
    let problem = engine.decide(ALSO, both).await.expect_err("it is gone");
    assert!(problem.to_string().contains("ALSO has no customer 1000"), "{problem}");
    assert_eq!(row(&engine, 1).state, MapState::Unmapped);
}

/// P19: a hundred thousand lines, each bad one told, and nothing taken.
#[tokio::test(start_paused = true)]
async fn a_large_file_with_bad_lines_is_told_line_by_line_and_not_taken() {
    let sandbox = companies(&["Alder"]);
    let alder = client(&sandbox, "Alder");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    let mut csv = format!("source_id,target_id,state,note\n1000,{alder},mapped,\n");
    for n in 0..99_999 {
        csv.push_str(&format!("{},{alder},mapped,=1+1\n", 50_000 + n));
    }
    let report = engine.import_mappings(ALSO, &csv, false, false).await.expect("judged");
    assert_eq!((report.errors.len(), report.errors[0].0, report.errors[99_998].0), (99_999, 3, 100_001));
    assert_eq!(row(&engine, 0).state, MapState::Unmapped, "nothing half taken");
}

/// N12: from whichever side the customer is looked at.
#[tokio::test(start_paused = true)]
async fn a_card_from_hudus_side_tells_the_marketplaces_too() {
    let sandbox = companies(&["Alder"]);
    let alder = client(&sandbox, "Alder");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    engine.decide(ALSO, vec![(id(0), map_to(&alder))]).await.expect("mapped");
    let card = engine.card(Integration::Hudu, &SourceId::new(alder.as_str())).expect("a card");
    let parts: Vec<_> = card.parts.iter().map(|part| (part.place.as_str(), part.is_gap)).collect();
    assert!(parts.contains(&("ALSO", false)) && parts[0].0 == "Halo", "{card:?}");
    let also = card.parts.iter().find(|part| part.place == "ALSO").expect("ALSO");
    assert!(also.lines[0].starts_with("Alder (1000)"), "{also:?}");
}

/// What a viewer sees of the table: both orders, a filter, the counters and every row.
fn seen(engine: &Engine) -> (Vec<MapOrderView>, Vec<MapRow>) {
    let orders = [("", false), ("", true), ("ltd", false), (">90", false)].map(|(text, by_target)| {
        let filter = MapFilter { text: text.into(), ..MapFilter::default() };
        MapOrderView { read_at: None, ..engine.map_order(ALSO, &filter, by_target).expect("the table") }
    });
    let rows = engine.map_rows(ALSO, &orders[0].ids).expect("rows");
    (orders.to_vec(), rows)
}

/// A decision changes some rows of the table and leaves the others: none may differ from a table made anew.
#[tokio::test(start_paused = true)]
async fn a_table_that_follows_decisions_is_the_one_that_is_made_anew() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut dice = Dice::new(seed, "follow");
    let names =
        ["Kestrel", "Kestrel Ltd", "Lomond", "Lomond Ltd", "Alder", "Alder", "Harbour View", "Blue Yonder"];
    let sandbox = companies(&names);
    let partners = [
        "Kestrel",
        "Kestrel GmbH",
        "Lomond",
        "Lomond plc",
        "Alder",
        "Harbour View Hotel",
        "Blue Yonder Food",
    ];
    let targets: Vec<TargetId> = partners.iter().map(|name| client(&sandbox, name)).collect();
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    engine.score(ALSO).await.expect("scored");
    for step in 0..120 {
        let decide = |dice: &mut Dice| {
            let target = dice.pick(&targets).clone();
            let decision = match dice.below(6) {
                0 | 1 => map_to(&target),
                2 => Decision::New,
                3 => Decision::Exclude { note: "".into(), until: None },
                4 => Decision::Reject { target, target_name: "".into() },
                _ => Decision::Clear,
            };
            (id(dice.below(names.len() as u64) as i64), decision)
        };
        let _ = match dice.below(8) {
            0 => engine.undo(ALSO, false).await,
            1 => engine.undo(ALSO, true).await,
            2 => engine.generate(ALSO).await.map(|_| String::new()),
            3 => engine.decide(ALSO, vec![decide(&mut dice), decide(&mut dice), decide(&mut dice)]).await,
            _ => engine.decide(ALSO, vec![decide(&mut dice)]).await,
        };
        let followed = seen(&engine);
        if step % 3 == 2 {
            engine.read_customers(ALSO).await.expect("read again");
            engine.score(ALSO).await.expect("scored");
            assert_eq!(followed, seen(&engine), "seed {seed}, step {step}");
        }
    }
    let counts = seen(&engine).0[0].counts;
    assert_eq!(counts.all, names.len() as u64);
}

/// How much waits for a mapping, as the last plan read it (ux.md 3.3).
#[tokio::test(start_paused = true)]
async fn a_row_says_what_hangs_on_its_customer() {
    let sandbox = new_customers(2, 3);
    client(&sandbox, "Customer 001 GmbH");
    let mut ground = Ground::new(sandbox);
    ground.settings = "set_price_and_cost = true\n".into();
    let engine = ground.start().await;
    engine.read_customers(ALSO).await.expect("read");
    let of = |engine: &Engine| {
        let rows = engine.map_rows(ALSO, &order(engine, "")).expect("rows");
        let carries = rows.into_iter().map(|row| {
            (row.source.name, row.carries.iter().map(|one| (one.records, one.seats)).collect::<Vec<_>>())
        });
        carries.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert!(of(&engine).values().all(Vec::is_empty), "no plan has read them yet");
    plan(&engine, &by_hand()).await;
    let now = of(&engine);
    assert_eq!(now["Customer 000 Ltd"], [(3, 30)]);
    assert_eq!(now["Customer 001 Ltd"], [(3, 30)]);
    // It is known after a restart, and follows the source.
    ground.kill(engine).await;
    let engine = ground.open();
    assert_eq!(of(&engine), now);
    let company =
        ground.sandbox.put_company(Brand::Also, &json!({"CompanyName": "Late", "AccountState": "Active"}));
    ground.sandbox.add_seats(Brand::Also, company, 4);
    plan(&engine, &by_hand()).await;
    assert_eq!(of(&engine)["Late"], [(1, 4)]);
}

/// N4: an index of before the marks of use takes them from its links.
#[tokio::test(start_paused = true)]
async fn an_older_index_learns_which_mappings_are_used() {
    let sandbox = new_customers(1, 1);
    let idle = json!({"AccountId": 1000, "CompanyName": "Idle", "AccountState": "Active"});
    sandbox.put_company(Brand::Also, &idle);
    client(&sandbox, "Idle");
    let mut ground = Ground::new(sandbox);
    let engine = ground.start().await;
    run(&engine, by_hand()).await;
    ground.kill(engine).await;
    tokio::time::sleep(Duration::from_secs(31 * 24 * 3600)).await;
    // As an older build left it.
    let forget: Vec<_> = [b"ku/also/".as_slice(), b"meta/uses/"]
        .into_iter()
        .flat_map(|prefix| Index::scan(ground.index.as_ref(), prefix, None, 100).expect("keys"))
        .map(|(key, _)| Op::Del(key))
        .collect();
    assert!(forget.len() > 1, "{forget:?}");
    Index::write(ground.index.as_ref(), &forget).expect("forgotten");
    let engine = ground.open();
    engine.read_customers(ALSO).await.expect("read again");
    let rows = engine.map_rows(ALSO, &order(&engine, "")).expect("rows");
    let aspects: Vec<_> = rows.iter().map(|row| (row.source.name.as_str(), row.aspect)).collect();
    assert!(aspects.contains(&("Idle", Some(Aspect::Unused))), "{aspects:?}");
    assert!(aspects.contains(&("Customer 000 Ltd", None)), "{aspects:?}");
}
