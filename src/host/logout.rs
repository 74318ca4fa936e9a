//! Whether the system ends this process when its user logs out (U46): logind's `KillUserProcesses`, and user managers
//! that do not linger.

use std::path::{Path, PathBuf};

/// Where logind is configured; a drop-in of the same name in a later folder replaces an earlier one.
const FOLDERS: [&str; 4] = ["/usr/lib/systemd", "/usr/local/lib/systemd", "/run/systemd", "/etc/systemd"];

/// What is wrong and what to do about it; `None` where jobs go on after a log-out.
pub fn warning() -> Option<String> {
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let user = super::user();
    let lingers = Path::new("/var/lib/systemd/linger").join(&user).exists();
    judge(&cgroup, &configuration(), lingers, &user)
}

/// All of logind's configuration in the order in which it is read.
fn configuration() -> String {
    let read = |path: PathBuf| std::fs::read_to_string(path).ok();
    let main = FOLDERS.iter().rev().find_map(|folder| read(Path::new(folder).join("logind.conf")));
    let mut drop_ins = std::collections::BTreeMap::new();
    for folder in FOLDERS {
        let Ok(entries) = std::fs::read_dir(Path::new(folder).join("logind.conf.d")) else { continue };
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|end| end == "conf") {
                drop_ins.insert(entry.file_name(), entry.path());
            }
        }
    }
    main.into_iter().chain(drop_ins.into_values().filter_map(read)).collect::<Vec<_>>().join("\n")
}

fn judge(cgroup: &str, configuration: &str, lingers: bool, user: &str) -> Option<String> {
    let units = || cgroup.lines().flat_map(|line| line.split('/'));
    let in_session =
        units().any(|unit| unit.strip_suffix(".scope").is_some_and(|name| name.starts_with("session-")));
    let in_manager =
        units().any(|unit| unit.strip_suffix(".service").is_some_and(|name| name.starts_with("user@")));
    if in_manager && !lingers {
        return Some(format!(
            "Jobs stop when you log out: the services of {user} end then. `loginctl enable-linger {user}` keeps them."
        ));
    }
    if in_session && kills(configuration, user) {
        return Some(format!(
            "Jobs stop when you log out: this system ends what a session started. Install the service \
             (`parhelion serve --print-unit user`) and run `loginctl enable-linger {user}`."
        ));
    }
    None
}

/// Whether logind ends a user's processes with the session. Upstream does since version 230; a distribution that does
/// not says so in the commented default of its file.
fn kills(configuration: &str, user: &str) -> bool {
    let value = |name: &str| {
        let set = |line: &str| {
            Some(line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim().to_owned())
        };
        configuration.lines().filter_map(set).next_back()
    };
    let default = |name: &str| {
        let set = |line: &str| {
            let line = line.trim().strip_prefix('#')?.trim_start();
            Some(line.strip_prefix(name)?.trim_start().strip_prefix('=')?.trim().to_owned())
        };
        configuration.lines().find_map(set)
    };
    let names = |name: &str| value(name).unwrap_or_default();
    let spared = value("KillExcludeUsers").unwrap_or_else(|| "root".into());
    let only = names("KillOnlyUsers");
    if spared.split_whitespace().any(|name| name == user)
        || (!only.is_empty() && !only.split_whitespace().any(|name| name == user))
    {
        return false;
    }
    let word = value("KillUserProcesses").or_else(|| default("KillUserProcesses"));
    word.is_none_or(|word| matches!(word.to_lowercase().as_str(), "yes" | "true" | "1" | "on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "0::/user.slice/user-1000.slice/session-4.scope\n";
    const MANAGER: &str =
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/parhelion@default.service\n";
    const SYSTEM: &str = "0::/system.slice/parhelion@default.service\n";

    #[test]
    fn a_session_scope_is_ended_only_where_logind_says_so() {
        for (configuration, ends) in [
            ("", true),
            ("[Login]\n#KillUserProcesses=no\n", false),
            ("[Login]\n#KillUserProcesses=no\nKillUserProcesses=yes\n", true),
            ("[Login]\nKillUserProcesses=yes\n[Login]\nKillUserProcesses = no\n", false),
            ("[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root anna\n", false),
            ("[Login]\nKillUserProcesses=yes\nKillOnlyUsers=bert\n", false),
            ("[Login]\nKillUserProcesses=yes\nKillOnlyUsers=anna bert\n", true),
        ] {
            let said = judge(SESSION, configuration, true, "anna");
            assert_eq!(said.is_some(), ends, "{configuration}");
            assert!(said.is_none_or(|text| text.contains("enable-linger anna")));
        }
    }

    #[test]
    fn a_user_service_needs_lingering_and_a_system_service_nothing() {
        assert!(judge(MANAGER, "", false, "anna").is_some_and(|text| text.contains("enable-linger anna")));
        assert_eq!(judge(MANAGER, "", true, "anna"), None);
        assert_eq!(judge(SYSTEM, "", false, "anna"), None);
    }
}
