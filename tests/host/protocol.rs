//! What crosses the socket, and who may come.

use std::os::unix::fs::MetadataExt as _;

use proptest::prelude::*;
use serde_json::json;

use super::rig::{Host, Viewer, protocol, run, until};

#[tokio::test]
async fn the_socket_is_its_owner_s_alone() {
    let host = Host::open();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&host.places.socket()), 0o600);
    assert_eq!(mode(&host.places.data), 0o700);
}

#[tokio::test]
async fn a_hello_is_answered_with_who_the_host_is_and_one_snapshot() {
    let host = Host::open();
    let viewer = host.viewer().await;
    let welcome = &viewer.welcome;
    assert_eq!(welcome["pid"], std::process::id());
    assert_eq!(welcome["profile"], "acme");
    assert_eq!(welcome["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(welcome["overview"]["profile"], "acme");
    assert_eq!(welcome["presence"]["viewers"][0]["user"], "bert");
    let mut command = Viewer::knock(&host.places.socket()).await;
    command.hello(false, "s").await;
    assert!(command.welcome["overview"].is_null(), "only a screen wants it");
    assert_eq!(
        command.welcome["presence"]["viewers"].as_array().unwrap().len(),
        1,
        "and only screens are here"
    );
}

#[tokio::test]
async fn another_version_is_told_what_to_do() {
    let host = Host::open();
    let mut newer = Viewer::knock(&host.places.socket()).await;
    let hello =
        json!({"hello": {"protocol": "2-feedbeef", "version": "7.1.0", "mood": ["a field of the future"]}});
    newer.say(&hello).await;
    let refused = newer.hear().await.unwrap()["refused"].clone();
    assert_eq!(refused["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(refused["problem"]["class"], "busy");
    let said = format!("{} {}", refused["problem"]["message"], refused["problem"]["remedy"]);
    assert!(said.contains("7.1.0") && said.contains(env!("CARGO_PKG_VERSION")), "{said}");
    assert!(said.contains("parhelion serve --stop"), "{said}");
    assert_eq!(newer.hear().await, None, "and is let go");
}

#[tokio::test]
async fn strangers_are_refused_and_others_notice_nothing() {
    let host = Host::open();
    let mut friend = host.viewer().await;
    let path = host.places.socket();
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        &[0xff; 8],
        &[0, 0, 0, 2, b'{', b'}'],
        &[0, 0, 0, 3, b'{', b'}'],
        &[0, 0, 0, 0],
        b"\0\0\0\x06\"hello",
    ] {
        let mut stranger = Viewer::knock(&path).await;
        stranger.raw(bytes).await;
        if bytes.len() >= 4 + usize::from(bytes[3]) {
            let refused = stranger.hear().await.expect("a reason");
            assert_eq!(refused["refused"]["problem"]["class"], "input", "{bytes:?}: {refused}");
        }
        drop(stranger);
    }
    friend.say(&json!({"ask": {"id": 1, "query": "Overview"}})).await;
    assert_eq!(friend.hear_a("answer").await["id"], 1);
}

#[tokio::test]
async fn a_message_too_long_ends_the_line_before_it_is_read() {
    let host = Host::open();
    let mut viewer = host.viewer().await;
    viewer.raw(&[&(60_u32 << 20).to_be_bytes()[..], &[b' '; 1024]].concat()).await;
    while viewer.hear().await.is_some() {}
    let mut again = host.viewer().await;
    again.say(&json!({"ask": {"id": 2, "query": "Overview"}})).await;
    assert_eq!(again.hear_a("answer").await["id"], 2);
}

#[tokio::test]
async fn a_word_that_the_host_does_not_know_gets_an_answer() {
    let host = Host::open();
    let mut viewer = host.viewer().await;
    viewer.say(&json!({"ask": {"id": 5, "query": {"Weather": {"tomorrow": true}}}})).await;
    let answer = viewer.hear_a("answer").await;
    assert_eq!(answer["id"], 5);
    assert!(answer["result"]["Err"]["remedy"].as_str().unwrap().contains("serve --stop"), "{answer}");
    viewer.say(&json!({"do": {"id": 6, "command": {"plain": {"Dance": {}}}}})).await;
    assert!(viewer.hear_a("reply").await["result"]["Err"].is_object());
    assert_eq!(host.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn viewers_see_each_other_come_and_go() {
    let host = Host::open();
    let mut first = host.viewer().await;
    assert_eq!(first.hear_a("event").await["event"]["Presence"]["viewers"].as_array().unwrap().len(), 1);
    let second = host.viewer().await;
    let both = first.hear_a("event").await["event"]["Presence"]["viewers"].clone();
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!((&both[1]["from"], &both[1]["pid"]), (&json!("203.0.113.9"), &json!(4711)));
    assert!(both[1]["since"].as_str().unwrap().ends_with('Z'));
    drop(second);
    assert_eq!(first.hear_a("event").await["event"]["Presence"]["viewers"].as_array().unwrap().len(), 1);
}

/// N21: where each looks, told to the others and to nobody's engine.
#[tokio::test]
async fn viewers_see_what_the_others_have_open() {
    let host = Host::open();
    let mut first = host.viewer().await;
    let mut second = Viewer::knock(&host.places.socket()).await;
    second.hello(true, "session-2").await;
    let look = |id: u64, at: &str, edits: &str| json!({"do": {"id": id, "command": {"plain": {"LookAt": {"at": at, "edits": edits}}}}});
    let long = "x".repeat(4000);
    second.say(&look(1, "Customers > ALSO", "customer 310101 of ALSO")).await;
    let seen = loop {
        let event = first.hear_a("event").await;
        let looking = event["event"]["Presence"]["viewers"][1]["looking"].clone();
        if looking["at"] != "" && !looking.is_null() {
            break looking;
        }
    };
    assert_eq!(seen, json!({"at": "Customers > ALSO", "edits": "customer 310101 of ALSO"}));
    assert!(second.hear_a("reply").await["result"]["Ok"].is_object());
    // The same again is no news; a flood of letters or control characters is cut.
    second.say(&look(2, "Customers > ALSO", "customer 310101 of ALSO")).await;
    second.hear_a("reply").await;
    second.say(&look(3, "\u{1b}[2JJobs", &long)).await;
    second.hear_a("reply").await;
    let next = first.hear_a("event").await["event"]["Presence"]["viewers"][1]["looking"].clone();
    assert!(!next["at"].as_str().unwrap().contains('\u{1b}'), "{next}");
    assert_eq!(next["edits"].as_str().unwrap().len(), 120, "and the second word was no news");
    assert_eq!(host.heard(), Vec::<String>::new(), "the engine has nothing to do with it");
}

#[tokio::test]
async fn an_order_that_arrives_twice_is_carried_out_once() {
    let host = Host::open();
    let order = json!({"do": {"id": 3, "command": {"plain": {"Generate": {"integration": "also"}}}}});
    let mut first = host.viewer().await;
    first.say(&order).await;
    until("the engine hears it", || host.heard().len() == 1).await;
    // Its line breaks before the reply; the same viewer asks again over a new one, even twice.
    drop(first);
    let mut again = host.viewer().await;
    again.say(&order).await;
    assert_eq!(again.hear_a("reply").await["result"]["Ok"]["Done"], "slow");
    again.say(&order).await;
    assert_eq!(again.hear_a("reply").await["result"]["Ok"]["Done"], "slow");
    assert_eq!(host.heard().len(), 1, "{:?}", host.heard());
    let mut other = Viewer::knock(&host.places.socket()).await;
    other.hello(false, "session-2").await;
    other.say(&order).await;
    other.hear_a("reply").await;
    assert_eq!(host.heard().len(), 2, "the same number of another viewer is another order");
}

#[tokio::test]
async fn a_viewer_stops_what_it_began_and_never_the_host() {
    let host = Host::open();
    let mut idler = host.viewer().await;
    idler.say(&json!({"do": {"id": 1, "command": {"plain": "Stop"}}})).await;
    assert!(idler.hear_a("reply").await["result"]["Ok"].is_object());
    assert_eq!(host.heard(), Vec::<String>::new(), "it began nothing");

    let mut runner = Viewer::knock(&host.places.socket()).await;
    runner.hello(false, "runner").await;
    let run = serde_json::to_value(run()).unwrap();
    runner.say(&json!({"do": {"id": 1, "command": {"plain": run}}})).await;
    assert_eq!(runner.hear_a("reply").await["result"]["Ok"]["Started"], "J7");
    runner.say(&json!({"do": {"id": 2, "command": {"plain": "Stop"}}})).await;
    assert!(runner.hear_a("reply").await["result"]["Ok"].is_object());
    let heard = host.heard();
    assert!(heard[0].starts_with("bert@203.0.113.9: Run"), "the trail names who ordered it: {heard:?}");
    assert_eq!(&heard[1..], ["bert@203.0.113.9: Order { job: JobId(7), order: Stop }"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever bytes come, before a hello or after it, the host goes on for everybody else.
    #[test]
    fn no_bytes_hurt(bytes in proptest::collection::vec(any::<u8>(), 0..200), after_hello: bool, framed: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let host = Host::open();
            let mut stranger = Viewer::knock(&host.places.socket()).await;
            if after_hello {
                stranger.hello(true, "s").await;
            }
            if framed {
                stranger.raw(&u32::try_from(bytes.len()).unwrap().to_be_bytes()).await;
            }
            stranger.raw(&bytes).await;
            drop(stranger);
            let mut friend = host.viewer().await;
            friend.say(&json!({"ask": {"id": 1, "query": "Overview"}})).await;
            assert_eq!(friend.hear_a("answer").await["id"], 1);
            assert!(protocol(&host.places.socket()).await.starts_with("1-"));
        });
    }
}
