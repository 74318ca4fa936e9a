//! The engine's home: commands, queries and events behind one [`Handle`]; in this process, or in a host process that
//! several viewers share over a socket.

mod client;
pub mod daemon;
pub mod handle;
pub mod local;
mod logout;
mod notify;
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

/// The system's user at the keyboard.
fn user() -> String {
    std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".into())
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
