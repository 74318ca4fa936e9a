//! Whole imports against the sandbox in a process of its own.
//!
//! `cargo bench --bench import` prints, for the large sandbox (or `-- medium`):
//! - the first import, beside a bare loop that sends the same requests at the same concurrency: by the clock, and by
//!   the processor time of this process, which stays the same while other work shares the machine;
//! - the second import, which must write nothing, with this process's processor time and peak memory;
//! - how much of a request window is used, and that no window is exceeded.

mod rig;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use parhelion::api::http::{RealTransport, Request, Response, SendError, Transport};
use parhelion::model::Integration;

/// Answers of the bare loop that were no success: it must do the same work.
static REFUSED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Passes requests on and remembers them.
struct Recorder {
    real: RealTransport,
    sent: Mutex<Vec<Request>>,
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.sent.lock().expect("no panic holds it").push(request.clone());
        self.real.send(request).boxed()
    }
}

/// The same requests, as fast as a bare client sends them at the same concurrency. Tokens are those of its own sign-ins.
async fn bare(requests: Vec<Request>, at_once: usize) -> Duration {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let tokens: Mutex<[String; 2]> = Mutex::default();
    let began = Instant::now();
    // Sign-ins first, in their order; then the rest.
    let (sign_ins, rest): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|r| r.url.path().ends_with("/token") || r.url.path().ends_with("GetSessionToken"));
    for request in sign_ins {
        let halo = request.url.path().ends_with("/token");
        let answer = send(&client, request, &tokens).await;
        let token = if halo {
            let json: serde_json::Value = serde_json::from_slice(&answer).expect("a token");
            format!("Bearer {}", json["access_token"].as_str().expect("a token"))
        } else {
            let text: String = serde_json::from_slice(&answer).expect("a token");
            format!("CCPSessionId {text}")
        };
        tokens.lock().expect("no panic")[usize::from(!halo)] = token;
    }
    stream::iter(rest)
        .map(|request| send(&client, request, &tokens))
        .buffer_unordered(at_once)
        .for_each(|_| std::future::ready(()))
        .await;
    began.elapsed()
}

async fn send(client: &reqwest::Client, request: Request, tokens: &Mutex<[String; 2]>) -> Vec<u8> {
    let mut call = client.request(request.method.clone(), request.url.clone());
    let [halo, market] = tokens.lock().expect("no panic").clone();
    for (name, value) in &request.headers {
        call = match name.as_str() {
            "authorization" => call.header(name, halo.as_str()),
            "authenticate" => call.header(name, market.as_str()),
            _ => call.header(name, value),
        };
    }
    if let Ok(answer) = call.body(request.body).send().await {
        if !answer.status().is_success() {
            REFUSED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        answer.bytes().await.map(|b| b.to_vec()).unwrap_or_default()
    } else {
        REFUSED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Vec::new()
    }
}

fn main() {
    let Some(size) = rig::size() else { return };
    let vendors = rig::Vendors::start(&size);
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Arc::new(Recorder { real: RealTransport::new(), sent: Mutex::default() });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let home = runtime.block_on(rig::home(folder.path(), &vendors, recorder.clone()));
    let handle = home.handle();
    let at_once = vendors.document["halo"]["pace"]["at_once"].as_u64().unwrap_or(4) as usize;

    let (began, spent) = (Instant::now(), rig::spent("self"));
    let report = runtime.block_on(rig::run(&handle, Integration::Also));
    let (first, first_spent) = (began.elapsed(), rig::spent("self") - spent);
    let sent = std::mem::take(&mut *recorder.sent.lock().expect("no panic"));
    println!(
        "first import, {size}: {:.1} s, {first_spent:.1} s of processor, {} requests, {:?}",
        first.as_secs_f64(),
        sent.len(),
        report.totals
    );
    let places = home.places().clone();
    home.close();
    rig::again(&places, Integration::Also);

    let spent = rig::spent("self");
    let bare = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.post(vendors.url("reset")).body("{}").send().await.expect("a reset");
        bare(sent, at_once).await
    });
    println!(
        "the same requests in a bare loop, {at_once} at once: {:.1} s, {:.1} s of processor, {} refused; ratio {:.2}",
        bare.as_secs_f64(),
        rig::spent("self") - spent,
        REFUSED.load(std::sync::atomic::Ordering::Relaxed),
        first.as_secs_f64() / bare.as_secs_f64()
    );
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
        rig::set(&handle, "halo.pace", rig::PACE).await;
        let _ = tokio::time::timeout(Duration::from_secs(62), rig::run(&handle, Integration::Also)).await;
        vendors.sends("halo").await
    });
    home.close();
    rig::window(&sends);
}
