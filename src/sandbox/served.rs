//! The sandbox on real sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wire::Cut;
use super::{API_KEY, Brand, CLIENT_ID, CLIENT_SECRET, PASSWORD, Sandbox, TENANT};

/// The servers, listening. They stop when this is dropped.
#[derive(Debug)]
pub struct Served {
    sandbox: Sandbox,
    halo: SocketAddr,
    also: SocketAddr,
    westcoast: SocketAddr,
    hudu: SocketAddr,
    liongard: SocketAddr,
    stop: CancellationToken,
    servers: Vec<JoinHandle<()>>,
}

impl Served {
    pub(super) async fn start(sandbox: Sandbox, bind: IpAddr) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let mut servers = Vec::new();
        let mut addresses = [SocketAddr::from(([127, 0, 0, 1], 0)); 5];
        let routers = [
            sandbox.halo(),
            sandbox.marketplace(Brand::Also),
            sandbox.marketplace(Brand::Westcoast),
            sandbox.liongard(),
            sandbox.hudu(),
        ];
        for (router, address) in routers.into_iter().zip(&mut addresses) {
            let listener = TcpListener::bind((bind, 0)).await?;
            *address = reachable(listener.local_addr()?);
            servers.push(tokio::spawn(serve(listener, router, stop.clone())));
        }
        let [halo, also, westcoast, liongard, hudu] = addresses;
        Ok(Self { sandbox, halo, also, westcoast, hudu, liongard, stop, servers })
    }

    /// The sandbox that is served, to look at and to change.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Settings that lead to these servers, ready for `config import`: schedules off, no window in the pace.
    pub fn document(&self) -> Value {
        let marketplace = |brand: Brand, address: SocketAddr| {
            let mut section = json!({
                "enabled": true,
                "marketplace_url": format!("http://{address}"),
                "username": brand.username(),
                "password": PASSWORD,
                "pace": {"requests": 0, "per_seconds": 300, "at_once": 4, "spacing_ms": 0, "share": 1.0},
                "top_level_for_new_customers": "Customers",
                "schedule": {"enabled": false},
            });
            allow_http(&mut section, address);
            section
        };
        let mut halo = json!({
            "resource_server": format!("{}/api", self.halo_url()),
            "authorisation_server": format!("{}/auth", self.halo_url()),
            "tenant": TENANT,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "settle_seconds": 2,
            "pace": {"requests": 0, "per_seconds": 300, "at_once": 8, "spacing_ms": 0, "share": 1.0},
        });
        allow_http(&mut halo, self.halo);
        let mut hudu = json!({
            "enabled": true,
            "url": self.hudu_url(),
            "api_key": API_KEY,
            "pace": {"requests": 0, "per_seconds": 60, "at_once": 8, "spacing_ms": 0, "share": 1.0},
            "schedule": {"enabled": false},
        });
        allow_http(&mut hudu, self.hudu);
        json!({
            "profile": {"kind": "sandbox"},
            "halo": halo,
            "also": marketplace(Brand::Also, self.also),
            "westcoast": marketplace(Brand::Westcoast, self.westcoast),
            "hudu": hudu,
        })
    }

    /// Scheme, host and port of Halo; the control interface is under `/_sandbox/` there.
    pub fn halo_url(&self) -> String {
        format!("http://{}", self.halo)
    }

    pub fn liongard_url(&self) -> String {
        format!("http://{}", self.liongard)
    }

    pub fn marketplace_url(&self, brand: Brand) -> String {
        format!("http://{}", if brand == Brand::Also { self.also } else { self.westcoast })
    }

    pub fn hudu_url(&self) -> String {
        format!("http://{}", self.hudu)
    }

    /// Stops accepting, and waits a moment for the calls in hand.
    pub async fn shut_down(mut self) {
        self.stop.cancel();
        for server in self.servers.drain(..) {
            let abort = server.abort_handle();
            if tokio::time::timeout(Duration::from_secs(1), server).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Plain HTTP is accepted without being asked for on loopback only.
fn allow_http(section: &mut Value, address: SocketAddr) {
    if !address.ip().is_loopback() {
        section["allow_http"] = true.into();
    }
}

/// Nobody can connect to 0.0.0.0.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<Cut>();
    let serving =
        axum::serve(Door { listener }, service).with_graceful_shutdown(async move { stop.cancelled().await });
    if let Err(error) = serving.await {
        tracing::warn!(%error, "a sandbox server stopped");
    }
}

struct Door {
    listener: TcpListener,
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await {
                // Small answers must not wait for each other.
                let _ = stream.set_nodelay(true);
                return (Line { stream, cut: Cut::default() }, address);
            }
            // Out of file descriptors, for example: try again when some are free.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().cut.clone()
    }
}

/// A connection that can be made to die under the answer.
struct Line {
    stream: TcpStream,
    cut: Cut,
}

impl Line {
    fn check(&self) -> io::Result<()> {
        if !self.cut.is_cut() {
            return Ok(());
        }
        // Closing then sends a reset instead of a proper end.
        let _ = self.stream.set_zero_linger();
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
