//! Paging faults: a listing is certified only when nothing can be missing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parhelion::api::listing::Listing;
use parhelion::model::{Class, Found};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

fn client(id: usize) -> Value {
    json!({"id": id, "name": format!("Customer {id}"), "inactive": false})
}

fn page(all: &[Value], asked: &Asked, cap: usize) -> Value {
    let (number, size) = asked.page();
    let size = size.min(cap);
    let rows: Vec<&Value> = all.iter().skip((number - 1) * size).take(size).collect();
    json!({"page_no": number, "page_size": size, "record_count": all.len(), "clients": rows})
}

async fn read(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Listing<Found>, Arc<Vendor>) {
    let vendor = signed_in(script);
    (halo(&vendor).customers(&|_, _| {}).await.unwrap(), vendor)
}

fn distinct(listing: &Listing<Found>) -> usize {
    listing.records.iter().map(|found| found.id.as_str()).collect::<HashSet<_>>().len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the server's silent limit, every row comes once.
    #[test]
    fn every_row_comes_once_under_any_cap(count in 0_usize..2500, cap in 1_usize..1200) {
        let cap = cap.max(count / 200 + 1);
        let all: Vec<Value> = (1..=count).map(client).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let listing = runtime.block_on(read(move |asked| json(page(&all, asked, cap)))).0;
        prop_assert_eq!(listing.certificate.why_not.clone(), None);
        prop_assert_eq!(listing.records.len(), count);
        prop_assert_eq!(distinct(&listing), count);
        prop_assert_eq!(listing.certificate.total_claimed, Some(count as u64));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_skips_by_the_size_asked_for_loses_nothing() {
    // It gives 50, but starts page 2 at what was asked for.
    let all: Vec<Value> = (1..=230).map(client).collect();
    let (listing, vendor) = read(move |asked| {
        let (number, size) = asked.page();
        let rows: Vec<&Value> = all.iter().skip((number - 1) * size).take(size.min(50)).collect();
        json(json!({"record_count": 230, "clients": rows}))
    })
    .await;
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(listing.records.len(), 230);
    let asked = vendor.asked();
    let first = asked.iter().find(|asked| asked.is("/Client")).unwrap();
    for (name, value) in
        [("pageinate", "true"), ("order", "id"), ("orderdesc", "false"), ("includeinactive", "true")]
    {
        assert_eq!(first.query(name), Some(value), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_never_come_cost_the_certificate() {
    let all: Vec<Value> = (1..=120).map(client).collect();
    let (listing, _) = read(move |asked| {
        let mut page = page(&all, asked, 50);
        page["record_count"] = json!(121);
        json(page)
    })
    .await;
    assert!(!listing.certificate.complete);
    assert_eq!(listing.records.len(), 120);
    assert!(listing.certificate.why_not.unwrap().contains("121 were announced, 120"));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_vanishes_while_paging_is_noticed_and_read_again() {
    let mut all: Vec<Value> = (1..=120).map(client).collect();
    let mut turn = 0;
    let (listing, vendor) = read(move |asked| {
        turn += 1;
        if turn == 2 {
            // Page 2 now begins one row further: customer 51 would be lost in silence.
            all.remove(0);
        }
        json(page(&all, asked, 50))
    })
    .await;
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(listing.records.len(), 119);
    assert!(listing.records.iter().any(|found| found.id.as_str() == "51"));
    assert!(vendor.count("/Client") >= 7);
}

#[tokio::test(start_paused = true)]
async fn one_that_vanishes_while_another_appears_is_noticed_too() {
    let mut all: Vec<Value> = (1..=120).map(client).collect();
    let mut turn = 0;
    let (listing, _) = read(move |asked| {
        turn += 1;
        if turn == 2 {
            all.remove(0);
            all.push(client(121));
        }
        json(page(&all, asked, 50))
    })
    .await;
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(distinct(&listing), 120);
    assert!(listing.records.iter().any(|found| found.id.as_str() == "51"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_stands_still_is_not_certified() {
    let mut next = 120;
    let (listing, vendor) = read(move |asked| {
        next += 1;
        let all: Vec<Value> = (1..=next).map(client).collect();
        json(page(&all, asked, 50))
    })
    .await;
    assert!(!listing.certificate.complete);
    assert!(vendor.count("/Client") <= 12, "read again once, not for ever");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_the_page_number_ends() {
    let all: Vec<Value> = (1..=50).map(client).collect();
    let (listing, vendor) = read(move |_| json(json!({"record_count": 500, "clients": all}))).await;
    assert!(!listing.certificate.complete);
    assert_eq!(listing.records.len(), 50);
    assert!(vendor.count("/Client") <= 4);
    // The same without any total, as a bare array.
    let all: Vec<Value> = (1..=50).map(client).collect();
    let (listing, _) = read(move |_| json(Value::Array(all.clone()))).await;
    assert!(!listing.certificate.complete);
    assert_eq!(listing.records.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn repeats_are_dropped_and_contradictions_noticed() {
    let mut all: Vec<Value> = (1..=100).map(client).collect();
    all.insert(60, client(60));
    let same = all.clone();
    let (listing, _) = read(move |asked| {
        let mut page = page(&same, asked, 50);
        page["record_count"] = json!(100);
        json(page)
    })
    .await;
    assert!(listing.certificate.complete, "{:?}", listing.certificate);
    assert_eq!(distinct(&listing), listing.records.len());

    all[60] = json!({"id": 60, "name": "Somebody else"});
    let (listing, _) = read(move |asked| {
        let mut page = page(&all, asked, 50);
        page["record_count"] = json!(100);
        json(page)
    })
    .await;
    assert!(listing.certificate.why_not.unwrap().contains("60"));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_ends_the_list_without_a_certificate() {
    let all: Vec<Value> = (1..=120).map(client).collect();
    let (listing, _) =
        read(move |asked| if asked.page().0 == 2 { answer(500, "") } else { json(page(&all, asked, 50)) })
            .await;
    assert_eq!(listing.records.len(), 50);
    assert!(!listing.certificate.complete);
    assert_eq!(listing.problems[0].class, Class::Host);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_halfway_stops_and_a_failed_first_page_is_an_error() {
    let all: Vec<Value> = (1..=120).map(client).collect();
    let vendor = signed_in(
        move |asked| {
            if asked.page().0 == 2 { answer(403, "") } else { json(page(&all, asked, 50)) }
        },
    );
    assert_eq!(halo(&vendor).customers(&|_, _| {}).await.unwrap_err().class, Class::Auth);
    let vendor = signed_in(|_| answer(500, ""));
    assert_eq!(halo(&vendor).customers(&|_, _| {}).await.unwrap_err().class, Class::Host);
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_read_are_named_and_cost_the_certificate() {
    let body = json!({"record_count": 4, "clients": [client(1), {"name": "No Id Ltd"}, 7, {"id": "x1", "name": "Odd"}]});
    let (listing, _) = read(move |_| json(body.clone())).await;
    assert_eq!(listing.records.len(), 1);
    assert_eq!(listing.problems.len(), 3);
    assert!(listing.problems.iter().any(|problem| problem.message.contains("No Id Ltd")));
    assert!(!listing.certificate.complete);
}

#[tokio::test(start_paused = true)]
async fn rows_out_of_order_are_not_proof_and_an_empty_list_is() {
    let (listing, _) = read(|_| json(json!({"record_count": 2, "clients": [client(2), client(1)]}))).await;
    assert_eq!(listing.records.len(), 2);
    assert!(!listing.certificate.complete);
    let (listing, vendor) = read(|_| json(json!({"record_count": 0, "clients": []}))).await;
    assert!(listing.certificate.complete);
    assert_eq!(vendor.count("/Client"), 1);
}

#[tokio::test(start_paused = true)]
async fn progress_is_told() {
    let all: Vec<Value> = (1..=120).map(client).collect();
    let vendor = signed_in(move |asked| json(page(&all, asked, 50)));
    let done = AtomicU64::new(0);
    let progress = |rows: u64, total: Option<u64>| {
        assert_eq!(total, Some(120));
        assert!(done.swap(rows, Ordering::Relaxed) < rows);
    };
    halo(&vendor).customers(&progress).await.unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 120);
}
