//! Simulated lives: imports under faulty requests and ends of the process at every step of the write protocol. Whatever
//! happened, the state afterwards must be that of an undisturbed run (sync-engine 19, invariants 4, 18 and 24).
//!
//! `PARHELION_LIVES` says how many (500), `PARHELION_LIFE_SEED` replays one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use parhelion::engine::Engine;
use parhelion::engine::planning::Spec;
use parhelion::host::words::{JobOrder, JobState};
use parhelion::model::{Decision, Integration, JobId, SourceId};
use parhelion::sandbox::{Brand, Faults, Host, Kind, Quirks, Rule, Sandbox, When};
use serde_json::json;

use super::dice::Dice;
use super::oracle;
use super::rig::{Ground, by_hand, ended, plan, run, scheduled};

mod liongard;

const ALSO: Brand = Brand::Also;
const MARKET_LIVES: u64 = 500;
const LIONGARD_LIVES: u64 = 30;
/// What a create may take to show up; late commits stay below it.
const SETTLE: u64 = 60;
const PRODUCTS: [&str; 4] = ["Business Basic", "Business Premium", "Exchange Plan 1", "Defender"];

/// What is switched off, to see what the oracle then finds.
#[derive(Clone, Copy, Default)]
struct Mutation {
    no_durable_intent: bool,
    no_settle: bool,
}

/// What a life went through.
#[derive(Default)]
struct Story {
    jobs: u64,
    ends: BTreeMap<String, u64>,
    requests: u64,
    faults: u64,
    unfinished: u64,
}

/// What a life is about: its world, its days, and what must come out.
pub(super) struct Play {
    /// Days after the first, which is by hand.
    pub days: u64,
    /// The hosts whose answers go wrong.
    pub hosts: &'static [Host],
    pub world: fn(u64) -> Sandbox,
    pub day: fn(u64, u64, &Sandbox),
    /// Sets an engine up in a world of that seed.
    pub begin: for<'a> fn(&'a mut Ground, u64) -> BoxFuture<'a, Arc<Engine>>,
    pub spec: fn(scheduled: bool) -> Spec,
    pub content: fn(&Engine, &Sandbox) -> BTreeMap<String, Vec<String>>,
}

const MARKET: Play = Play {
    days: 1,
    hosts: &[Host::Halo, Host::Also],
    world,
    day,
    begin: |ground, seed| Box::pin(begin(ground, seed)),
    spec: |is_scheduled| if is_scheduled { scheduled() } else { by_hand() },
    content: |_, sandbox| oracle::content(sandbox),
};

/// A marketplace with four to seven customers, and a Halo that knows some of them.
pub(super) fn world(seed: u64) -> Sandbox {
    let mut dice = Dice::new(seed, "world");
    let mut quirks = Quirks::default();
    quirks.halo.markers_given_back = dice.chance(0.6);
    quirks.halo.page_cap = *dice.pick(&[3, 7, 100]);
    quirks.also.expiry_as_401 = dice.chance(0.3);
    quirks.also.single_as_array = dice.chance(0.3);
    quirks.also.quantities_as_text = dice.chance(0.3);
    let sandbox = Sandbox::empty(quirks);
    for n in 0..dice.within(4, 7) {
        let name = if n == 3 && twins(seed) { "Customer 2 Ltd".into() } else { format!("Customer {n} Ltd") };
        let company = sandbox.put_company(
            ALSO,
            &json!({"CompanyName": name, "Address": format!("{n} High Street"), "City": "York", "Zip": "YO1 1AA"}),
        );
        let client = match dice.below(10) {
            _ if (2..4).contains(&n) && twins(seed) => None,
            0..4 => Some(sandbox.put_halo_client(&json!({"name": name})).expect("a client")),
            4 => {
                // Two of one name: held for a person.
                sandbox.put_halo_client(&json!({"name": name})).expect("a client");
                Some(sandbox.put_halo_client(&json!({"name": name})).expect("a client"))
            }
            _ => None,
        };
        let mut product = PRODUCTS[0];
        for s in 0..dice.within(1, 3) {
            // The second of the first customer is of the same product: a natural key would mix them up.
            if s != 1 || !(n == 0 || dice.chance(0.4)) {
                product = *dice.pick(&PRODUCTS[..]);
            }
            let id = sandbox.add_seats(ALSO, company, dice.within(1, 30));
            sandbox.put_subscription(ALSO, &json!({"AccountId": id, "ServiceDisplayName": product}));
        }
        if let Some(client) = client.filter(|_| dice.chance(0.5)) {
            let licence = json!({"name": dice.pick(&PRODUCTS), "client_id": client, "count": dice.within(1, 9), "notes": "by hand"});
            sandbox.put_halo_licence(&licence).expect("a licence");
        }
    }
    sandbox
}

/// Whether customers 2 and 3 have one name, and a person said of both that they are new.
fn twins(seed: u64) -> bool {
    seed % 4 == 1
}

/// A day at the marketplace.
pub(super) fn day(seed: u64, number: u64, sandbox: &Sandbox) {
    let mut dice = Dice::new(seed ^ (number << 32), "day");
    for subscription in sandbox.subscriptions(ALSO) {
        let id = subscription["AccountId"].as_i64().expect("an id");
        match dice.below(12) {
            0..3 => {
                sandbox.set_quantity(ALSO, id, dice.within(0, 40));
            }
            3 => {
                sandbox.put_subscription(ALSO, &json!({"AccountId": id, "AccountState": "Terminated"}));
            }
            4 => {
                sandbox.remove_subscription(ALSO, id);
            }
            5 => {
                let company = subscription["CompanyAccountId"].as_i64().expect("a company");
                let new = sandbox.add_seats(ALSO, company, dice.within(1, 30));
                sandbox.put_subscription(
                    ALSO,
                    &json!({"AccountId": new, "ServiceDisplayName": dice.pick(&PRODUCTS)}),
                );
            }
            _ => {}
        }
    }
    if dice.chance(0.5) {
        let company = sandbox.put_company(ALSO, &json!({"CompanyName": format!("Newcomer {number} Ltd")}));
        sandbox.add_seats(ALSO, company, dice.within(1, 30));
    }
    let companies = sandbox.companies(ALSO);
    let moved = dice.pick(&companies);
    sandbox.put_company(
        ALSO,
        &json!({"AccountId": moved["AccountId"], "Address": format!("{number} New Road")}),
    );
}

/// Faults that hit about 45 % of all requests: a mix of its own for every life.
pub(super) fn faults(dice: &mut Dice) -> Faults {
    faults_of(dice, MARKET.hosts)
}

fn faults_of(dice: &mut Dice, hosts: &[Host]) -> Faults {
    let mut faults = Faults { seed: Some(dice.next()), ..Faults::default() };
    for host in hosts.iter().copied() {
        let mut kinds = vec![
            Kind::ResetBefore,
            Kind::ResetAfter,
            Kind::ServerError { status: *dice.pick(&[500, 502, 504]), applied: false, retry_after: None },
            Kind::ServerError { status: *dice.pick(&[500, 502, 504]), applied: true, retry_after: None },
            Kind::Truncated,
            Kind::TooMany { retry_after: Some(dice.within(1, 20).to_string()) },
            Kind::TooMany { retry_after: None },
            Kind::Html { status: 503, applied: dice.chance(0.5) },
            Kind::Html { status: 200, applied: dice.chance(0.5) },
            Kind::Hang { seconds: 400.0, applied: dice.chance(0.5) },
            Kind::SessionExpired,
            Kind::LateCommit { after_ms: dice.within(1, SETTLE * 900), status: None },
            Kind::LateCommit { after_ms: dice.within(1, SETTLE * 900), status: Some(504) },
        ];
        while kinds.len() > 6 {
            kinds.swap_remove(dice.below(kinds.len() as u64) as usize);
        }
        let spoils = [Kind::HalfPage, Kind::DuplicateRows, Kind::WrongTotal { by: 1 }];
        let each = 1.0 - 0.57_f64.powf(1.0 / kinds.len() as f64);
        let mut rules: Vec<Rule> =
            kinds.into_iter().map(|kind| Rule::new(kind).when(When::Probability(each))).collect();
        // A listing that is spoilt holds whatever it could prove: too many of them, and nothing is ever written.
        rules.push(Rule::new(dice.pick(&spoils).clone()).method("GET").when(When::Probability(0.02)));
        for rule in rules {
            faults = faults.with(host, rule);
        }
    }
    faults
}

pub(super) fn settings(seed: u64) -> String {
    let mut dice = Dice::new(seed, "settings");
    format!(
        "deactivate_deleted = {}\nupdate_main_site_address = {}\nset_price_and_cost = {}\n",
        dice.chance(0.5),
        dice.chance(0.6),
        dice.chance(0.6)
    )
}

pub(super) async fn begin(ground: &mut Ground, seed: u64) -> Arc<Engine> {
    ground.settings = settings(seed);
    ground.settle_seconds = SETTLE;
    let engine = ground.start().await;
    if twins(seed) {
        engine.read_customers(Integration::Also).await.expect("both sides can be read");
        let same = ground.sandbox.companies(ALSO);
        let same = same.iter().filter(|c| c["CompanyName"] == "Customer 2 Ltd");
        let new = same.map(|c| (SourceId::new(c["AccountId"].to_string()), Decision::New)).collect();
        engine.decide(Integration::Also, new).await.expect("a decision");
    }
    engine
}

/// The same without faults: what must come out.
async fn undisturbed(play: &Play, seed: u64) -> Vec<BTreeMap<String, Vec<String>>> {
    let mut ground = Ground::new((play.world)(seed));
    let engine = (play.begin)(&mut ground, seed).await;
    let mut states = Vec::new();
    for number in 0..=play.days {
        if number > 0 {
            (play.day)(seed, number, &ground.sandbox);
        }
        run(&engine, (play.spec)(number > 0)).await;
        states.push((play.content)(&engine, &ground.sandbox));
    }
    ground.kill(engine).await;
    states
}

/// One life. The error says what the oracle found.
async fn live(play: &Play, seed: u64, mutation: Mutation) -> Result<Story, String> {
    let should = undisturbed(play, seed).await;
    let mut dice = Dice::new(seed, "life");
    let mut story = Story::default();
    let mut ground = Ground::new((play.world)(seed));
    ground.durable_intent = !mutation.no_durable_intent;
    ground.settle = !mutation.no_settle;
    let engine = (play.begin)(&mut ground, seed).await;
    let mut engine = Some(engine);
    for number in 0..=play.days {
        if number > 0 {
            (play.day)(seed, number, &ground.sandbox);
        }
        let spec = (play.spec)(number > 0);
        ground.sandbox.set_faults(faults_of(&mut dice, play.hosts));
        let before = asked(play, &ground.sandbox);
        let mut ends = dice.below(7);
        let mut jobs = 0;
        for _ in 0..20 {
            let now = match engine.take() {
                Some(engine) => engine,
                None => ground.open(),
            };
            if ends > 0 {
                ends -= 1;
                let requests = dice.chance(0.4);
                let after = if requests { dice.within(1, 300) } else { dice.within(1, 60) };
                ground.process.end_after(after, requests, &ground.disk, dice.chance(0.5));
            }
            tokio::select! {
                finished = work(&now, &spec, &mut jobs, if number == 0 { 2 } else { 1 }) => {
                    let done = finished?;
                    engine = Some(now);
                    if done {
                        break;
                    }
                }
                () = ground.process.death() => {
                    if self::number("PARHELION_LIFE_SEED").is_some() {
                        println!("{} the process ended at {:?}", ground.now(), ground.process.ended_at());
                    }
                    *story.ends.entry(ground.process.ended_at().unwrap_or_default()).or_default() += 1;
                    let keep = dice.next();
                    let lose = dice.chance(0.5);
                    ground.crash(now, |synced, written| synced + keep % (written - synced + 1), lose).await;
                }
            }
        }
        for fired in ground.sandbox.fired() {
            story.faults += fired.fired;
        }
        story.requests += asked(play, &ground.sandbox) - before;
        story.jobs += jobs;
        ground.sandbox.set_faults(Faults::none());

        // From here on nothing goes wrong any more: what was begun is finished, then one clean run.
        if let Some(engine) = engine.take() {
            ground.crash(engine, |_, written| written, false).await;
        }
        let now = ground.open();
        for job in interrupted(&now)? {
            let gone_on = now.order(job, JobOrder::Resume).await.map_err(|e| e.to_string())?;
            let report = ended(&now, job).await;
            if matches!(report.state, JobState::Interrupted | JobState::Failed) {
                return Err(format!("{gone_on} and ended {}: {:?}", report.state.word(), report.trouble));
            }
        }
        let report = run(&now, spec.clone()).await;
        if matches!(report.state, JobState::Interrupted | JobState::Failed) {
            return Err(format!("the clean run ended {}: {:?}", report.state.word(), report.trouble));
        }
        let doubles = oracle::doubles(&ground.sandbox);
        if !doubles.is_empty() {
            return Err(format!("day {number}: twice in Halo: {doubles:?}{}", journal(&ground)));
        }
        if let Some(difference) =
            oracle::difference(&(play.content)(&now, &ground.sandbox), &should[number as usize])
        {
            let limits = plan(&now, &spec).await.outline;
            let (limits, alerts) =
                (limits.limits.iter().filter(|l| l.tripped).collect::<Vec<_>>(), limits.alerts);
            return Err(format!("day {number}: {difference}{}\n{limits:?} {alerts:?}", journal(&ground)));
        }
        let left = plan(&now, &spec).await.outline.totals.acting();
        if left > 0 {
            let rows = wanted(&now, &spec).await;
            return Err(format!("day {number}: a further plan still wants {left} rows: {rows:#?}"));
        }
        engine = Some(now);
    }
    let engine = engine.take().expect("it is open");
    ground.crash(engine, |_, written| written, false).await;
    if !mutation.no_durable_intent {
        let told = oracle::told(&ground.trail());
        let engine = ground.open();
        oracle::is_all_approved(&engine, &told, &ground.sandbox)?;
        ground.kill(engine).await;
    }
    Ok(story)
}

/// What a plan wants, for people.
async fn wanted(engine: &Arc<Engine>, spec: &Spec) -> Vec<String> {
    let plan = plan(engine, spec).await;
    let mut rows = Vec::new();
    let all = engine.book.each_plan_row(&plan, |c| {
        if c.action.acts() {
            rows.push(format!("{:?} {} {:?} {:?}", c.action, c.source.name, c.fields, c.reasons));
        }
        Ok(())
    });
    all.expect("the plan is there");
    rows
}

/// What was sent to Halo and what the logs say, where one life is looked at.
fn journal(ground: &Ground) -> String {
    if number("PARHELION_LIFE_SEED").is_none() {
        return String::new();
    }
    let mut said = String::new();
    for w in ground.sandbox.journal() {
        said += &format!("\n{:?} {} {} applied {:?} {} {:?}", w.at, w.path, w.body, w.ids, w.status, w.fault);
    }
    for job in 1..20 {
        let log = ground.places().logs().join(format!("{}.jsonl", JobId(job)));
        said += &format!("\n{}", std::fs::read_to_string(log).unwrap_or_default());
    }
    said
}

fn asked(play: &Play, sandbox: &Sandbox) -> u64 {
    play.hosts.iter().map(|host| sandbox.requests(*host).count).sum()
}

fn interrupted(engine: &Engine) -> Result<Vec<JobId>, String> {
    let jobs = engine.jobs(50).map_err(|e| e.to_string())?;
    Ok(jobs.into_iter().filter(|j| j.state == JobState::Interrupted).map(|j| j.job).collect())
}

/// Goes on with what was interrupted, else starts a job; whether that is enough of them.
async fn work(engine: &Arc<Engine>, spec: &Spec, jobs: &mut u64, most: u64) -> Result<bool, String> {
    let job = match interrupted(engine)?.first() {
        Some(job) => {
            engine.order(*job, JobOrder::Resume).await.map_err(|e| e.to_string())?;
            *job
        }
        None if *jobs >= most => return Ok(true),
        None => {
            *jobs += 1;
            engine.run(spec.clone()).await.map_err(|e| e.to_string())?
        }
    };
    let report = ended(engine, job).await;
    if number("PARHELION_LIFE_SEED").is_some() {
        println!("{job} {} {:?} {:?}", report.state.word(), report.totals, report.trouble);
    }
    Ok(false)
}

/// Lives of these seeds, on two threads; what was found in which.
fn lives(play: &Play, seeds: std::ops::Range<u64>, mutation: Mutation) -> (Vec<(u64, String)>, Story) {
    let next = AtomicU64::new(seeds.start);
    let some = || {
        let mut found = Vec::new();
        let mut all = Story::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return (found, all);
            }
            let told = std::panic::catch_unwind(|| one(play, seed, mutation))
                .unwrap_or_else(|_| Err("a panic".into()));
            match told {
                Ok(story) => {
                    all.jobs += story.jobs;
                    all.requests += story.requests;
                    all.faults += story.faults;
                    for (at, count) in story.ends {
                        *all.ends.entry(at).or_default() += count;
                    }
                }
                Err(why) => {
                    all.unfinished += 1;
                    found.push((seed, why));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(some);
        let (mut found, mut all) = some();
        let (theirs, story) = other.join().expect("no panic");
        found.extend(theirs);
        found.sort();
        all.jobs += story.jobs;
        all.requests += story.requests;
        all.faults += story.faults;
        all.unfinished += story.unfinished;
        for (at, count) in story.ends {
            *all.ends.entry(at).or_default() += count;
        }
        (found, all)
    })
}

fn one(play: &Play, seed: u64, mutation: Mutation) -> Result<Story, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match tokio::time::timeout(std::time::Duration::from_secs(20 * 86_400), live(play, seed, mutation))
            .await
        {
            Ok(told) => told,
            Err(_) => Err("it never ends".into()),
        }
    })
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Lives of a play, as many as asked for; panics with the seeds that went wrong.
fn all_well(play: &Play, name: &str, usual: u64) {
    let seeds = match number("PARHELION_LIFE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PARHELION_LIVES").map_or(usual, |lives| lives * usual / MARKET_LIVES),
    };
    let count = seeds.end - seeds.start;
    let (found, story) = lives(play, seeds, Mutation::default());
    println!(
        "{count} lives: {} jobs, {} requests, {} % of them hit, ends of the process {:?}",
        story.jobs,
        story.requests,
        story.faults * 100 / story.requests.max(1),
        story.ends
    );
    for (seed, why) in found.iter().take(3) {
        println!(
            "life {seed}: {why}\n  replay: PARHELION_LIFE_SEED={seed} cargo test --test engine lives::{name} -- --nocapture"
        );
    }
    let seeds: Vec<u64> = found.iter().map(|(seed, _)| *seed).collect();
    assert!(found.is_empty(), "{} of {count} lives went wrong: seeds {seeds:?}", found.len());
}

#[test]
fn a_life_of_faults_and_ends_leaves_what_an_undisturbed_run_leaves() {
    all_well(&MARKET, "a_life", MARKET_LIVES);
}

/// Assets from Liongard, and Halo's customers that go there.
#[test]
fn lives_with_liongard_leave_what_an_undisturbed_run_leaves() {
    all_well(&liongard::PLAY, "lives_with_liongard", LIONGARD_LIVES);
}

/// The check bites: with one guard off, the oracle finds what that guard prevents.
fn found_with(mutation: Mutation) -> usize {
    let count = number("PARHELION_MUTANTS").unwrap_or(40);
    let (found, _) = lives(&MARKET, 0..count, mutation);
    for (seed, why) in found.iter().take(2) {
        println!("life {seed}: {}", why.lines().take(4).collect::<Vec<_>>().join(" "));
    }
    println!("{} of {count} lives were found wrong", found.len());
    found.len()
}

#[test]
fn without_the_durable_intent_the_oracle_finds_it() {
    assert!(found_with(Mutation { no_durable_intent: true, ..Mutation::default() }) > 0);
}

#[test]
fn without_the_settle_time_the_oracle_finds_it() {
    assert!(found_with(Mutation { no_settle: true, ..Mutation::default() }) > 0);
}
