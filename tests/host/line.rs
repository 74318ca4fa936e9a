//! The viewer's end: the same handle as to an engine of this process.

use std::time::Duration;

use parhelion::host::words::{Answer, Command, Event, Presence, Query, Reply};
use parhelion::host::{Kind, Line};
use parhelion::model::{Class, Integration, PlanId, Secret};
use tokio::sync::broadcast::Receiver;

use super::rig::{Host, Viewer, big, run};

async fn attach(host: &Host, kind: Kind) -> Line {
    let places = host.places.clone();
    let line = tokio::task::spawn_blocking(move || Line::attach(&places, kind, None));
    line.await.unwrap().unwrap().expect("a host answers")
}

async fn next(events: &mut Receiver<Event>) -> Event {
    tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("no event").unwrap()
}

#[tokio::test]
async fn a_handle_does_not_show_where_the_engine_is() {
    let host = Host::open();
    let line = attach(&host, Kind::Screen).await;
    assert_eq!(
        (line.host().expect("met").pid, line.host().expect("met").profile.as_str()),
        (std::process::id(), "acme")
    );
    let handle = line.handle();
    assert!(handle.is_shared());
    let Answer::Overview(overview) = handle.ask(Query::Overview).await.unwrap() else { panic!() };
    assert_eq!(overview.profile, "acme");
    let refused = handle.ask(Query::Settings).await.unwrap_err();
    assert_eq!((refused.class, refused.message.as_str()), (Class::Input, "nothing there"));
    let Reply::Started(job) = handle.send(run()).await.unwrap() else { panic!() };
    assert_eq!(job.to_string(), "J7");
    // Far more than fits into the socket, both ways at once.
    let csv = "x".repeat(3_000_000);
    let import =
        Command::ImportMappings { integration: Integration::Also, csv, dry_run: true, by_name: false };
    let (sent, asked) = tokio::join!(handle.send(import), handle.ask(big(3_000_000)));
    assert!(matches!(sent, Ok(Reply::Done(_))));
    let Ok(Answer::Log(log)) = asked else { panic!() };
    assert_eq!(log.lines[0].text.len(), 3_000_000);
}

#[tokio::test]
async fn a_secret_arrives_and_shows_nowhere_on_the_way() {
    let host = Host::open();
    let line = attach(&host, Kind::Command).await;
    let seal = Command::SealSecret { key: "also.password".into(), secret: Secret::new("sesame-open") };
    line.handle().send(seal).await.unwrap();
    let heard = host.heard();
    assert!(heard[0].contains("SealSecret") && heard[0].contains("also.password"), "{heard:?}");
    assert!(!heard[0].contains("sesame"));
}

#[tokio::test]
async fn others_are_shown_and_oneself_is_not() {
    let host = Host::open();
    let line = attach(&host, Kind::Screen).await;
    let mut events = line.handle().subscribe();
    let Answer::Presence(alone) = line.handle().ask(Query::Presence).await.unwrap() else { panic!() };
    assert_eq!(alone, Presence::default());
    let other = host.viewer().await;
    let here = loop {
        match next(&mut events).await {
            Event::Presence(presence) if !presence.viewers.is_empty() => break presence,
            _ => {}
        }
    };
    assert_eq!(here.viewers.len(), 1);
    assert_eq!(here.viewers[0].user, "bert");
    drop(other);
    while !matches!(next(&mut events).await, Event::Presence(presence) if presence.viewers.is_empty()) {}
}

#[tokio::test]
async fn when_the_host_goes_the_reason_is_said_and_the_next_one_found() {
    let mut host = Host::open();
    let line = attach(&host, Kind::Screen).await;
    let handle = line.handle();
    let mut events = handle.subscribe();
    let hanging = tokio::spawn({
        let handle = handle.clone();
        async move { handle.send(Command::Replan { plan: PlanId(1) }).await }
    });
    handle.ask(Query::Overview).await.unwrap();
    super::rig::until("the order has arrived", || host.heard().iter().any(|h| h.contains("Replan"))).await;
    host.close();
    let said = loop {
        if let Event::Broken(problem) = next(&mut events).await {
            break problem;
        }
    };
    assert!(said.message.contains(&std::process::id().to_string()), "{said}");
    let refused = handle.ask(Query::Overview).await.unwrap_err();
    assert_eq!(refused, said, "a question gets the reason at once");

    host.serve();
    while next(&mut events).await != Event::Missed {}
    let unsure = tokio::time::timeout(Duration::from_secs(20), hanging).await.unwrap().unwrap().unwrap_err();
    assert!(unsure.remedy.contains("parhelion jobs"), "{unsure}");
    assert!(matches!(handle.ask(Query::Overview).await, Ok(Answer::Overview(_))));
    host.log(3);
    while !matches!(next(&mut events).await, Event::Log { lines: 3, .. }) {}
}

#[tokio::test]
async fn nobody_there_is_no_error() {
    let mut host = Host::open();
    host.close();
    let places = host.places.clone();
    let found =
        tokio::task::spawn_blocking(move || Line::attach(&places, Kind::Command, None)).await.unwrap();
    assert!(found.unwrap().is_none());
    // A host that was killed leaves its socket behind, and nobody at it.
    let listener = std::os::unix::net::UnixListener::bind(host.places.socket()).unwrap();
    drop(listener);
    let places = host.places.clone();
    let found =
        tokio::task::spawn_blocking(move || Line::attach(&places, Kind::Command, None)).await.unwrap();
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn whoever_drops_its_handle_is_gone() {
    let host = Host::open();
    let line = attach(&host, Kind::Screen).await;
    let mut watcher = Viewer::knock(&host.places.socket()).await;
    watcher.hello(true, "w").await;
    assert_eq!(watcher.welcome["presence"]["viewers"].as_array().unwrap().len(), 2);
    drop(line);
    loop {
        let event = watcher.hear_a("event").await;
        if event["event"]["Presence"]["viewers"].as_array().is_some_and(|here| here.len() == 1) {
            break;
        }
    }
}
