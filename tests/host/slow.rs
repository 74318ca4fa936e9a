//! Viewers that do not read.

use std::time::Duration;

use parhelion::host::QUEUE;
use parhelion::host::words::Event;
use serde_json::json;

use super::rig::{Host, big, until};

/// Events enough to fill the kernel's buffers and every queue many times over.
const FLOOD: u64 = 60_000;

#[tokio::test]
async fn a_stalled_viewer_costs_its_queue_and_no_more_and_the_others_miss_nothing() {
    let host = Host::open();
    let mut stalled = host.viewer().await;
    let mut awake = host.viewer().await;
    let mut number = awake.welcome["number"].as_u64().unwrap();
    let mut most = 0;
    let mut lines = 0;
    while lines < FLOOD {
        for _ in 0..200 {
            lines += 1;
            host.log(lines);
        }
        // The one that reads is told every single one, in order.
        loop {
            let event = awake.hear_a("event").await;
            number += 1;
            assert_eq!(event["number"], number);
            if event["event"]["Log"]["lines"] == lines {
                break;
            }
        }
        most = most.max(host.server.as_ref().unwrap().waiting().into_iter().max().unwrap());
        assert!(most <= QUEUE, "{most} bytes wait for one viewer");
    }
    assert!(most > QUEUE / 2, "the flood was too small to show anything: {most}");

    // It wakes up: what was in the sockets, then the sentence that it lags, then the numbers go on without a gap.
    let mut expected = stalled.welcome["number"].as_u64().unwrap() + 1;
    let mut lags = 0;
    let last = loop {
        let message = stalled.hear().await.expect("it is still welcome");
        if let Some(lagged) = message.get("lagged") {
            lags += 1;
            expected = lagged["number"].as_u64().unwrap() + 1;
            continue;
        }
        let event = &message["event"];
        assert_eq!(event["number"], expected, "a gap that nobody spoke of");
        expected += 1;
        if event["number"] == number {
            break event["event"].clone();
        }
        if lags > 0 && expected > number {
            break event["event"].clone();
        }
    };
    assert!(lags >= 1);
    assert!(last["Log"]["lines"].as_u64().unwrap() <= FLOOD);
    host.log(FLOOD + 1);
    loop {
        let event = stalled.hear_a("event").await;
        if event["event"]["Log"]["lines"] == FLOOD + 1 {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_viewer_stalled_for_an_hour_holds_a_megabyte_at_most() {
    let host = Host::open();
    let _stalled = host.viewer().await;
    for minute in 0..60 {
        for line in 0..500 {
            host.log(minute * 500 + line);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        let held: usize = host.server.as_ref().unwrap().waiting().into_iter().sum();
        assert!(held <= QUEUE, "minute {minute}: {held}");
    }
}

#[tokio::test]
async fn whoever_takes_no_answer_is_asked_for_no_more() {
    let host = Host::open();
    let mut greedy = host.viewer().await;
    let before = *host.asked.lock().unwrap();
    let query = serde_json::to_value(big(1_000_000)).unwrap();
    for id in 0..100 {
        greedy.say(&json!({"ask": {"id": id, "query": query}})).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let asked = *host.asked.lock().unwrap() - before;
    assert!(asked <= 4, "{asked} answers of a megabyte were made for somebody who takes none");
    let mut other = host.viewer().await;
    other.say(&json!({"ask": {"id": 1, "query": "Overview"}})).await;
    other.hear_a("answer").await;
    // It wakes up and gets every one, in order.
    for id in 0..100 {
        assert_eq!(greedy.hear_a("answer").await["id"], id);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_no_answer_for_long_is_let_go() {
    let host = Host::open();
    let mut asleep = host.viewer().await;
    let query = serde_json::to_value(big(4_000_000)).unwrap();
    asleep.say(&json!({"ask": {"id": 1, "query": query}})).await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(host.server.as_ref().unwrap().waiting().len(), 1, "not yet");
    until("it is let go", || host.server.as_ref().unwrap().waiting().is_empty()).await;
}

#[tokio::test]
async fn whoever_comes_back_gets_a_snapshot_and_then_every_number() {
    let host = Host::open();
    let events = host.events.clone();
    let flood = tokio::spawn(async move {
        for lines in 0_u64.. {
            let _ = events.send(Event::Log { job: parhelion::model::JobId(1), lines });
            if lines % 8 == 0 {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
    });
    for _ in 0..40 {
        let mut viewer = host.viewer().await;
        let number = viewer.welcome["number"].as_u64().unwrap();
        assert!(viewer.welcome["overview"].is_object());
        for expected in number + 1..number + 50 {
            assert_eq!(viewer.hear_a("event").await["number"], expected);
        }
    }
    flood.abort();
}
