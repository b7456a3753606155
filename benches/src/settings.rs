//! Removes environment variables of the caller that would change how peers behave.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

/// Removes from `command` the environment variables that would change how a peer, or bash, behaves.
pub fn remove(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| is_setting(name)) {
        command.env_remove(name);
    }
}

fn is_setting(name: &OsStr) -> bool {
    let prefixes = ["BASH_", "GIT_", "RESTIC_", "RSYNC_", "TAR_", "ZSTD_"];
    let name = name.as_encoded_bytes();
    name == b"TAPE" || prefixes.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_peers_go_by_is_a_setting() {
        for name in ["GIT_DIR", "RESTIC_REPOSITORY", "TAR_OPTIONS", "TAPE", "ZSTD_CLEVEL"] {
            assert!(is_setting(name.as_ref()), "{name}");
        }
        for name in ["PATH", "TAPES", "LEGIT_NAME", "TERM"] {
            assert!(!is_setting(name.as_ref()), "{name}");
        }
    }
}
