//! The address that another host sees our requests come from, as far as this machine can know it (S6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use hyper_util::client::proxy::matcher::Matcher;

use super::address::is_loopback;
use super::http::Url;

/// Where requests to a host leave from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Of the interface that they leave by.
    pub address: IpAddr,
    /// The proxy they go through, without its credentials.
    pub proxy: Option<String>,
}

impl Outgoing {
    /// Of requests to this host: by the system's routes and the proxy that the client takes. Sends nothing but the
    /// look-up of the name; `None` where there is no route, or no such name.
    pub async fn to(url: &Url) -> Option<Self> {
        let proxy = if is_loopback(url) { None } else { proxy(url) };
        let (host, port) = match &proxy {
            Some((host, port)) => (host.clone(), *port),
            None => (url.host_str()?.to_owned(), url.port_or_known_default()?),
        };
        let host = host.trim_matches(['[', ']']);
        let there = tokio::net::lookup_host((host, port)).await.ok()?.next()?;
        let address = route(there)?;
        Some(Self { address, proxy: proxy.map(|(host, port)| format!("{host}:{port}")) })
    }

    fn is_private(&self) -> bool {
        match self.address {
            IpAddr::V4(v4) => {
                let [first, second, ..] = v4.octets();
                v4.is_private() || v4.is_link_local() || (first == 100 && (64..128).contains(&second))
            }
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
        }
    }
}

impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match &self.proxy {
            Some(proxy) => write!(f, "through the proxy {proxy}: its public address counts, not {address}"),
            None if address.is_loopback() => write!(f, "{address}: the other side is on this machine"),
            None if self.is_private() => {
                write!(f, "{address} behind a router: the router's public address is what Halo sees")
            }
            None => write!(f, "{address}: this is what Halo sees"),
        }
    }
}

/// Host and port of the proxy that requests to this address take.
fn proxy(url: &Url) -> Option<(String, u16)> {
    let to = url.as_str().parse().ok()?;
    let taken = Matcher::from_system().intercept(&to)?;
    let by = taken.uri();
    let usual = if by.scheme_str() == Some("https") { 443 } else { 80 };
    Some((by.host()?.to_owned(), by.port_u16().unwrap_or(usual)))
}

/// The address that the routes choose; nothing is sent.
fn route(there: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(there).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
