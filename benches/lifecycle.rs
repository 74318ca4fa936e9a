//! The planning workspace at size: opening one company's report, all grades and budgets worked out anew, and the memory
//! that takes. `cargo bench --bench lifecycle -- 500000` (companies have 100 configurations each).

use std::time::Instant;

use jiff::civil::date;
use parhelion::engine::book::Book;
use parhelion::engine::lifecycle::shelf::Fleet;
use parhelion::engine::records::Record;
use parhelion::host::words::{Answer, LifecycleAnswer, LifecycleQuery, Query};
use parhelion::host::{Home, Options};
use parhelion::lifecycle::class::{Budget, Class, parse_amount};
use parhelion::lifecycle::company::Company;
use parhelion::lifecycle::configuration::{Configuration, Dates};
use parhelion::lifecycle::template::Mode;
use parhelion::lifecycle::workspace::Edit;
use parhelion::model::Moment;
use parhelion::store::{KeySource, Places, Store};

const EACH: i64 = 100;

fn configuration(id: i64) -> Configuration {
    let kinds = ["Laptop", "Laptop", "Server", "Firewall"];
    let systems = ["Windows 11 Pro", "Windows 10 Pro", "Windows Server 2022 Standard"];
    let bought = date(2016 + (id % 10) as i16, 1 + (id % 12) as i8, 1 + (id % 28) as i8);
    Configuration {
        id,
        name: format!("LT-{id:07}"),
        kind: kinds[(id % 4) as usize].into(),
        status: "Active".into(),
        serial: format!("5CG{id:08}"),
        manufacturer: "Dell".into(),
        model: if id % 3 == 0 { "Latitude Pro 5550".into() } else { "Latitude 5420".into() },
        ram: "16".into(),
        os: systems[(id % 3) as usize].into(),
        dates: Dates {
            purchase: (id % 9 != 0).then_some(bought),
            expiration: (id % 7 != 0).then(|| date(bought.year() + 4, bought.month(), bought.day())),
            ..Dates::default()
        },
        ..Configuration::default()
    }
}

fn company(id: u32) -> Company {
    Company {
        id,
        name: format!("Company {id:05} Ltd"),
        halo: Some(i64::from(id) + 1000),
        kind: None,
        status: None,
        active: true,
        managed: true,
        notes: String::new(),
        first_month: None,
    }
}

/// Peak memory of this process in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()).unwrap_or(0.0)
        / 1024.0
}

fn fill(folder: &std::path::Path, configurations: i64) {
    let places = Places::find(Some("bench"), Some(folder)).unwrap();
    let key = KeySource::choose(Some(&folder.join("key")), &places);
    let (store, _) = Store::open(places, key, "bench").unwrap();
    let Store { trail, index, lock, .. } = store;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let book = Book::open(trail, std::sync::Arc::from(index)).unwrap();
    let companies = u32::try_from(configurations / EACH).unwrap();
    let amount = |text| parse_amount(text, None).unwrap();
    let class = |kind: &str, name: &str, rule: &str| Class {
        kind: kind.into(),
        name: name.into(),
        budget: Budget {
            hardware: amount("1200"),
            setup: amount("150"),
            onsite: amount("75.50"),
            recurring: amount("9"),
        },
        life_months: 60,
        rule: rule.parse().unwrap(),
    };
    let classes = vec![
        class("Laptop", "Premium", "model~pro"),
        class("Laptop", "Basic", "always"),
        class("Server", "Any", "always"),
    ];
    let mut edits = vec![Edit::Classes(classes)];
    edits.extend((1..=companies).map(|id| Edit::Company(Box::new(company(id)))));
    runtime.block_on(book.record(&[Record::Lifecycle { edits, by: "bench".into() }])).unwrap();
    for id in 1..=companies {
        let first = i64::from(id) * EACH;
        let fleet = Fleet {
            read_at: Moment::UNIX_EPOCH,
            configurations: (first..first + EACH).map(configuration).collect(),
        };
        book.cache(&Book::fleet_ops(i64::from(id) + 1000, &fleet).unwrap()).unwrap();
    }
    book.close().unwrap();
    drop(book);
    drop(lock);
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let configurations: i64 = words.iter().find_map(|word| word.parse().ok()).unwrap_or(50_000);
    if let Some(folder) = words.iter().position(|word| word == "--in").and_then(|at| words.get(at + 1)) {
        return measure(std::path::Path::new(folder), configurations);
    }
    let folder = std::env::temp_dir().join(format!("parhelion-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    fill(&folder, configurations);
    // In a process of its own, so that filling does not count.
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([configurations.to_string().as_str(), "--in", folder.to_str().unwrap()])
        .status()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(status.success());
}

fn measure(folder: &std::path::Path, configurations: i64) {
    let home = Home::open(&Options {
        data_dir: Some(folder.into()),
        profile: Some("bench".into()),
        key_file: Some(folder.join("key")),
        command: "bench".into(),
        schedules: false,
    })
    .unwrap();
    let handle = home.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = peak();
    let ask = |query| {
        let started = Instant::now();
        let answer = runtime.block_on(handle.ask(Query::Lifecycle(query))).unwrap();
        (started.elapsed(), answer)
    };
    let mut slowest = std::time::Duration::ZERO;
    for id in 1..=20 {
        let company = u32::try_from(configurations / EACH / 20).unwrap() * id;
        let (took, _) = ask(LifecycleQuery::Now { company, mode: Mode::Display });
        slowest = slowest.max(took);
    }
    println!("{configurations} configurations");
    println!("  a company's report, slowest of 20   {:.1} ms", slowest.as_secs_f64() * 1000.0);
    let (took, answer) = ask(LifecycleQuery::Portfolio);
    let Answer::Lifecycle(answer) = answer else { panic!("another answer") };
    let LifecycleAnswer::Portfolio(sums) = *answer else { panic!("another answer") };
    let counted: u32 = sums.iter().map(|(_, sum)| sum.counted).sum();
    println!("  all grades and budgets ({counted})    {:.2} s", took.as_secs_f64());
    println!("  peak memory                         {:.0} MiB ({opened:.0} once open)", peak());
    home.close();
}
