//! What each peer has of its own: a folder, a tree, files to change, and commands without settings.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ONE_FILE_REPEATS, Step};
use crate::error::Result;
use crate::{made, settings};

/// The folder and files of a peer in one run.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its folder. After the run, its files are truncated to zero bytes.
    pub folder: PathBuf,
    /// A copy of the caller's tree. A peer that changes files has its own.
    pub tree: PathBuf,
    /// Files to change, by path from the tree's root, in the order of use.
    pub files: Vec<PathBuf>,
}

impl Place {
    /// Returns the path of `name` in the peer's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The tree.
    pub fn tree(&self) -> PathBuf {
        self.tree.clone()
    }

    /// Returns the file that `step` changes in its turn `number`.
    pub fn changed(&self, step: Step, number: usize) -> &Path {
        let first = if step == Step::OneFilePush { ONE_FILE_REPEATS + 1 } else { 0 };
        &self.files[(first + number) % self.files.len()]
    }

    /// Changes the file that [`Place::changed`] returns.
    pub fn change(&self, step: Step, number: usize) -> Result<()> {
        made::change(&self.tree.join(self.changed(step, number)), number as u64)
    }

    /// Returns a command without the user's settings, and with the peer's folder as its home.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        settings::remove(&mut command);
        command.env("HOME", &self.folder).env("XDG_CONFIG_HOME", &self.folder);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_home_of_its_own() {
        let folder = PathBuf::from("/run");
        let place = Place { folder, tree: PathBuf::new(), files: Vec::new() };
        let command = place.command("git");
        for name in ["HOME", "XDG_CONFIG_HOME"] {
            let pair = (name.as_ref(), Some("/run".as_ref()));
            assert!(command.get_envs().any(|found| found == pair), "{command:?}");
        }
    }
}
