//! The engine's home: commands, queries and events behind one [`Handle`]; in this process, or in a host process that
//! several viewers share over a socket.

mod client;
pub mod daemon;
pub mod handle;
pub mod local;
mod logout;
mod notify;
pub mod rest;
mod resume;
mod server;
pub mod start;
pub mod units;
mod wire;
pub use crate::engine::desk::Call;
pub use crate::engine::words;

pub use client::{Host, Kind, Line};
pub use handle::Handle;
pub use local::{Home, Options};
pub use server::{Door, QUEUE, Server};

use crate::model::{Class, Problem};

/// What to do about a host of another version.
const OTHER_VERSION: &str = "End it when no job needs it (`parhelion serve --stop`, or restart its service), then try \
                             again; or use the program that it was started with.";

/// The person at the keyboard: whoever became another user for this is still who gives the orders.
fn person() -> String {
    let before = std::env::var("SUDO_USER").ok().filter(|user| !user.trim().is_empty());
    before.unwrap_or_else(user)
}

/// The system's user: as the session says, else as the system knows whoever this process runs as.
fn user() -> String {
    let said = |name: &str| std::env::var(name).ok().filter(|user| !user.trim().is_empty());
    said("USER").or_else(|| said("LOGNAME")).unwrap_or_else(|| {
        let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        user_of(rustix::process::getuid().as_raw(), &known)
    })
}

/// The user of a number, by the lines of passwd(5). Where a directory service knows the names, the number has to do.
fn user_of(uid: u32, passwd: &str) -> String {
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    named.map_or_else(|| format!("uid {uid}"), str::to_owned)
}

/// The address that the person's SSH session comes from.
fn came_from() -> Option<String> {
    std::env::var("SSH_CONNECTION").ok().and_then(|c| c.split(' ').next().map(str::to_owned))
}

/// 16 hexadecimal digits that are nobody else's.
fn random_name() -> Result<String, Problem> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::new(Class::Local, format!("This machine gives no random numbers: {error}."))
    })?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::user_of;

    #[test]
    fn whoever_has_no_name_in_the_session_has_one_in_the_system() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n::1000:1000:::\nbroken\nanna:x:1000:1000:Anna,,,:/home/anna:/bin/sh\n";
        assert_eq!(user_of(0, passwd), "root");
        assert_eq!(user_of(1000, passwd), "anna");
        assert_eq!(user_of(4711, passwd), "uid 4711");
        assert_eq!(user_of(4711, ""), "uid 4711");
    }
}
