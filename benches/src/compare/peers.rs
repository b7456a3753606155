//! Finds the peers that are installed and new enough for the steps.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{fastest, machine};

/// All peers, in the order of the columns.
pub const NAMES: [&str; 6] = ["fastest", "git", "restic", "rsync", "tar+zstd", "cp"];

/// The first version of git that has `init -b`.
const GIT_MIN: (u32, u32) = (2, 28);

/// The peers, by name: those to measure, and those to leave out.
pub struct Peers {
    /// The installed peers, with their versions.
    pub versions: BTreeMap<&'static str, String>,
    /// The peers that are left out, with the reasons.
    pub left_out: BTreeMap<&'static str, String>,
}

impl Peers {
    /// Runs each peer to get its version.
    pub fn find(program: &Path) -> Self {
        let (mut versions, mut left_out) = (BTreeMap::new(), BTreeMap::new());
        for name in NAMES {
            let found = match name {
                "fastest" => Ok(fastest::version(program)),
                "git" => programs(&["git"]).and_then(new_enough),
                "restic" => programs(&["restic"]),
                "tar+zstd" => programs(&["tar", "zstd", "bash"]),
                name => programs(&[name]),
            };
            match found {
                Ok(version) => versions.insert(name, version),
                Err(why) => left_out.insert(name, why),
            };
        }
        Self { versions, left_out }
    }
}

/// The versions of all these programs, or which one is missing.
fn programs(names: &[&str]) -> Result<String, String> {
    let version = |name: &&str| {
        let option = if *name == "restic" { "version" } else { "--version" };
        machine::version(name, &[option]).ok_or_else(|| format!("{name} is not installed"))
    };
    Ok(names.iter().map(version).collect::<Result<Vec<_>, _>>()?.join("; "))
}

/// git's version, unless it is too old. A version that cannot be parsed is assumed to be new.
fn new_enough(said: String) -> Result<String, String> {
    let number = said.split_whitespace().nth(2).unwrap_or_default();
    let mut parts = number.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < GIT_MIN => {
            Err(format!("{said} is older than {}.{}", GIT_MIN.0, GIT_MIN.1))
        }
        _ => Ok(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_old_git_is_left_out() {
        let is_used = |said: &str| new_enough(said.to_owned()).is_ok();
        for said in ["git version 2.28.0", "git version 3.0", "git version 2.39.2 (Apple Git-143)"]
        {
            assert!(is_used(said), "{said}");
        }
        assert!(!is_used("git version 2.27.1") && !is_used("git version 1.9"));
        assert!(is_used("unknown version"));
    }

    #[test]
    fn the_program_that_is_missing_is_named() {
        let why = programs(&["sh", "no-such-program"]).unwrap_err();
        assert_eq!(why, "no-such-program is not installed");
    }
}
