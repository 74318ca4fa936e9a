//! The systemd units that are shipped, with the program's real path in them.

/// For one person: `~/.config/systemd/user/parhelion@.service`.
const USER: &str = include_str!("../../docs/systemd/user/parhelion@.service");
/// For the machine: `/etc/systemd/system/parhelion@.service`.
const SYSTEM: &str = include_str!("../../docs/systemd/system/parhelion@.service");

/// Where the shipped units expect the program.
const PROGRAM: &str = "/usr/local/bin/parhelion";

/// The unit of a service; `for_machine`: the hardened system one.
pub fn unit(for_machine: bool) -> String {
    let text = if for_machine { SYSTEM } else { USER };
    match std::env::current_exe() {
        Ok(path) => text.replace(PROGRAM, &quoted(&path.display().to_string())),
        Err(_) => text.to_owned(),
    }
}

/// A path as systemd.service(5) reads it.
fn quoted(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    if escaped.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == ';') {
        format!("\"{escaped}\"")
    } else {
        escaped
    }
}
