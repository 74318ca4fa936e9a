//! What systemd wants to hear of a service (sd_notify(3)): a datagram of `NAME=value` lines.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// The socket of the service manager, if one started us.
#[derive(Debug)]
pub struct Notify(Option<UnixDatagram>);

impl Notify {
    pub fn of_environment() -> Self {
        let path = std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty());
        Self(path.and_then(|path| connect(path.as_bytes()).ok()))
    }

    /// That the manager is not listening is no reason to end.
    pub fn say(&self, state: &str) {
        if let Some(socket) = &self.0 {
            let _ = socket.send(state.as_bytes());
        }
    }
}

fn connect(path: &[u8]) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    match path.strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?;
        }
        _ => socket.connect(std::path::Path::new(std::ffi::OsStr::from_bytes(path)))?,
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// How often the watchdog wants to hear of us: half of what it allows (`sd_watchdog_enabled(3)`).
pub fn watchdog() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let allowed = number("WATCHDOG_USEC").filter(|usec| *usec > 0 && is_ours)?;
    Some(Duration::from_micros(allowed / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_arrives_as_one_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        Notify(connect(path.as_os_str().as_bytes()).ok()).say("READY=1\nSTATUS=ready");
        let mut said = [0; 64];
        let length = manager.recv(&mut said).unwrap();
        assert_eq!(&said[..length], b"READY=1\nSTATUS=ready");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abstract_socket_is_one_too() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("parhelion-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Notify(connect(format!("@{name}").as_bytes()).ok()).say("STOPPING=1");
        let mut said = [0; 64];
        let length = manager.recv(&mut said).unwrap();
        assert_eq!(&said[..length], b"STOPPING=1");
    }
}
