//! Liongard to Halo against the sandbox in a process of its own.
//!
//! `cargo bench --bench liongard` prints, for the medium and then the large sandbox (10,000 environments, 200,000
//! systems): the first import with its peak memory, and the second in a process of its own, which must write nothing.
//! Memory must hardly grow between the two sizes' records.

mod rig;

use std::sync::Arc;
use std::time::Instant;

use parhelion::api::http::RealTransport;
use parhelion::model::Integration;

fn main() {
    let Some(_) = rig::size() else { return };
    let named = std::env::args().find(|a| ["small", "medium", "large"].contains(&a.as_str()));
    let sizes = named.map_or_else(|| vec!["medium".to_owned(), "large".to_owned()], |size| vec![size]);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    for size in sizes {
        let vendors = rig::Vendors::start(&size);
        let folder = tempfile::tempdir().expect("a folder");
        let transport = Arc::new(RealTransport::new());
        let home = runtime.block_on(rig::home(folder.path(), &vendors, transport));
        let began = Instant::now();
        let report = runtime.block_on(rig::run(&home.handle(), Integration::Liongard));
        println!(
            "first import, {size}: {:.1} s, {:?}, peak so far {:.0} MiB",
            began.elapsed().as_secs_f64(),
            report.totals,
            rig::peak("self")
        );
        let places = home.places().clone();
        home.close();
        let before = runtime.block_on(vendors.writes());
        rig::again(&places, Integration::Liongard);
        println!("  {} writes", runtime.block_on(vendors.writes()) - before);
    }
}
