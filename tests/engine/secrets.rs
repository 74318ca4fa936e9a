//! No secret in anything that is written down, whatever fails (invariant 39).

use std::path::Path;

use base64::Engine as _;
use parhelion::model::{Place, Secret};
use parhelion::sandbox::{Faults, Host, Kind, Rule, When};

use super::rig::{Ground, by_hand, new_customers, plan, run};

/// Every file below, its name and its bytes.
pub fn files(at: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(at).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), into);
        } else {
            let bytes = std::fs::read(entry.path()).expect("readable");
            into.push((entry.path().display().to_string(), bytes));
        }
    }
}

pub fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[tokio::test(start_paused = true)]
async fn n39_no_secret_is_written_down() {
    let mut ground = Ground::new(new_customers(3, 2));
    let engine = ground.start().await;
    run(&engine, by_hand()).await;

    // Wrong secrets, refused by hosts that repeat what they were sent; and requests that fail in every other way.
    let planted = ["Pl4nted\"Client&Secret", "Pl4nted Passw0rd/+=ü"];
    engine.seal("halo.client_secret", &Secret::new(planted[0].to_owned())).await.expect("sealed");
    engine.seal("also.password", &Secret::new(planted[1].to_owned())).await.expect("sealed");
    let mut told = Vec::new();
    for place in [Place::Halo, Place::Of(parhelion::model::Integration::Also)] {
        told.push(format!("{:?}", engine.test(place, &[], &[]).await));
    }
    told.push(format!(
        "{:?}",
        engine.build_plan(&by_hand(), parhelion::engine::planning::Keep::ForLater, &|_, _, _| {}).await.err()
    ));
    told.push(format!("{:?}", run(&engine, by_hand()).await));
    engine
        .seal("halo.client_secret", &Secret::new(parhelion::sandbox::CLIENT_SECRET.to_owned()))
        .await
        .expect("sealed");
    engine
        .seal("also.password", &Secret::new(parhelion::sandbox::PASSWORD.to_owned()))
        .await
        .expect("sealed");
    let mut faults = Faults::none();
    for host in [Host::Halo, Host::Also] {
        for kind in [
            Kind::SessionExpired,
            Kind::ResetAfter,
            Kind::Html { status: 503, applied: false },
            Kind::Truncated,
        ] {
            faults = faults.with(host, Rule::new(kind).when(When::Probability(0.1)));
        }
    }
    ground.sandbox.set_faults(faults);
    for _ in 0..4 {
        told.push(format!("{:?}", run(&engine, by_hand()).await));
    }
    ground.sandbox.set_faults(Faults::none());
    told.push(format!("{:?}", plan(&engine, &by_hand()).await));
    told.push(format!("{:?}", engine.answer(parhelion::host::words::Query::Settings)));
    told.push(format!("{:?}", engine.answer(parhelion::host::words::Query::Overview)));
    told.push(format!("{:?}", engine.jobs(50)));

    let mut index = Vec::new();
    parhelion::store::index::export(&*ground.index, &mut index).expect("an export");
    let mut written = vec![("index".to_owned(), index), ("answers".to_owned(), told.join("\n").into_bytes())];
    files(ground.dir.path(), &mut written);
    assert!(written.iter().any(|(name, bytes)| name.contains("audit") && bytes.len() > 1000));
    assert!(written.iter().any(|(name, _)| name.contains("logs")));

    let secrets = [planted[0], planted[1], parhelion::sandbox::CLIENT_SECRET, parhelion::sandbox::PASSWORD];
    for secret in secrets {
        let base64 = base64::engine::general_purpose::STANDARD.encode(secret);
        let escaped = serde_json::to_string(secret).expect("text").trim_matches('"').to_owned();
        let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [secret.to_owned(), base64, escaped, url] {
            for (name, bytes) in &written {
                assert!(!holds(bytes, &form), "{name} holds a secret");
            }
        }
    }
    // Tokens and sessions, too.
    for (name, bytes) in &written {
        assert!(!holds(bytes, "Bearer "), "{name} holds a token");
        assert!(!holds(bytes, "CCPSessionId"), "{name} holds a session");
    }
}
