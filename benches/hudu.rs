//! Halo to Hudu against the sandbox in a process of its own.
//!
//! `cargo bench --bench hudu` prints, for the large sandbox (5,000 companies, 15,000 sites, 50,000 users; or
//! `-- medium`): the first import with its peak memory, the second, which must write nothing, in a process of its own,
//! and how much of a request window is used.

mod rig;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parhelion::api::http::RealTransport;
use parhelion::host::Handle;
use parhelion::host::words::{Answer, Command, MapFilter, MapState, Query, Reply};
use parhelion::model::{Decision, Integration, Place};

const HUDU: Integration = Integration::Hudu;

/// Tests, and a decision about every customer that has something for Hudu: matched, or new.
async fn prepare(handle: &Handle, companies: usize) {
    for place in [Place::Halo, Place::Of(HUDU)] {
        let test = Command::Test { place, draft: Vec::new(), secrets: Vec::new() };
        let Ok(Reply::Tested(report)) = handle.send(test).await else { panic!("no test") };
        assert!(report.ok, "{:?}", report.checks);
    }
    handle.send(Command::ReadCustomers { integration: HUDU }).await.expect("both sides");
    let Ok(Reply::Generated(made)) = handle.send(Command::Generate { integration: HUDU }).await else {
        panic!("no mappings")
    };
    let filter = MapFilter { states: [MapState::Unmapped].into(), ..MapFilter::default() };
    let query = Query::MapOrder { integration: HUDU, filter, by_target: false };
    let Ok(Answer::MapOrder(order)) = handle.ask(query).await else { panic!("no order") };
    let mut ids = order.ids;
    // Halo's first customers are those with sites, users and contracts of their own.
    ids.sort_by_key(|id| id.as_str().parse::<u64>().unwrap_or(u64::MAX));
    let new = companies.saturating_sub(made.added as usize);
    let decisions = ids.into_iter().take(new).map(|id| (id, Decision::New)).collect();
    handle.send(Command::Decide { integration: HUDU, decisions }).await.expect("decisions");
}

fn main() {
    let Some(size) = rig::size() else { return };
    let companies = match size.as_str() {
        "small" => 40,
        "medium" => 500,
        _ => 5_000,
    };
    let vendors = rig::Vendors::start(&size);
    let folder = tempfile::tempdir().expect("a folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let home = runtime.block_on(rig::home(folder.path(), &vendors, Arc::new(RealTransport::new())));
    let handle = home.handle();
    let (report, took) = runtime.block_on(async {
        prepare(&handle, companies).await;
        let began = Instant::now();
        (rig::run(&handle, HUDU).await, began.elapsed())
    });
    println!(
        "first import, {size}: {:.1} s, {:?}, peak {:.0} MiB",
        took.as_secs_f64(),
        report.totals,
        rig::peak("self")
    );
    let places = home.places().clone();
    home.close();
    let before = runtime.block_on(vendors.writes());
    rig::again(&places, HUDU);
    println!("  {} writes", runtime.block_on(vendors.writes()) - before);
    drop(vendors);
    window(&runtime);
}

/// A window of 300 requests in 10 s, all of it ours: how much is used, and whether any window holds more.
fn window(runtime: &tokio::runtime::Runtime) {
    let vendors = rig::Vendors::start("medium");
    let folder = tempfile::tempdir().expect("a folder");
    let home = runtime.block_on(rig::home(folder.path(), &vendors, Arc::new(RealTransport::new())));
    let handle = home.handle();
    let sends = runtime.block_on(async {
        prepare(&handle, 500).await;
        rig::set(&handle, "hudu.pace", rig::PACE).await;
        let before = vendors.sends("hudu").await.len();
        let _ = tokio::time::timeout(Duration::from_secs(62), rig::run(&handle, HUDU)).await;
        vendors.sends("hudu").await.split_off(before)
    });
    home.close();
    rig::window(&sends);
}
