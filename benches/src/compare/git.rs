//! git, with a bare repository on the same disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Job, Keeps, Peer, Place, Step, check_copy};
use crate::error::{Error, Result, check};
use crate::measure::run;

/// Settings of both repositories: an author, no background work, and git's own options for large
/// trees. The user's settings are disabled in [`Git::git`].
const SETTINGS: [(&str, &str); 8] = [
    ("user.name", "bench"),
    ("user.email", "bench@localhost"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "true"),
    ("feature.manyFiles", "true"),
    ("core.autocrlf", "false"),
];

/// git in one run.
pub struct Git {
    place: Place,
}

impl Git {
    pub fn new(place: Place) -> Self {
        Self { place }
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut git = self.place.command("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        git.arg("-C").arg(folder).args(arguments);
        git
    }

    fn here(&self, arguments: &[&str]) -> Command {
        self.git(&self.place.tree(), arguments)
    }

    fn remote(&self) -> PathBuf {
        self.place.path("remote.git")
    }

    fn commit_of(&self, folder: &Path, name: &str) -> Result<Vec<u8>> {
        run(&mut self.git(folder, &["rev-parse", name]))
    }

    fn check_one(&self, step: Step, turn: usize) -> Result<()> {
        let path = self.place.changed(step, turn);
        let stored = run(&mut self.here(&["show", &format!("HEAD:{}", path.display())]))?;
        let file = self.place.tree().join(path);
        let expected = fs::read(&file).map_err(Error::at(&file))?;
        check(stored == expected, || format!("git has not the new {}", path.display()))
    }

    fn check_pushed(&self) -> Result<()> {
        let ours = self.commit_of(&self.place.tree(), "HEAD")?;
        let theirs = self.commit_of(&self.remote(), "main")?;
        check(ours == theirs, || "git's push did not arrive".to_owned())
    }
}

impl Peer for Git {
    fn name(&self) -> &'static str {
        "git"
    }

    fn set_up(&mut self) -> Result<()> {
        let remote = self.remote();
        let bare = remote.display().to_string();
        run(&mut self.here(&["init", "-q", "-b", "main"]))?;
        run(&mut self.here(&["init", "-q", "-b", "main", "--bare", &bare]))?;
        run(&mut self.here(&["remote", "add", "origin", &bare]))?;
        for (name, value) in SETTINGS {
            run(&mut self.here(&["config", name, value]))?;
            run(&mut self.git(&remote, &["config", name, value]))?;
        }
        Ok(())
    }

    fn job(&mut self, step: Step, turn: usize) -> Result<Option<Job>> {
        let tree = self.place.tree();
        let commit = || self.here(&["commit", "-qam", "change"]);
        let push = || self.here(&["push", "-q", "origin", "HEAD:main"]);
        let bare = self.remote().display().to_string();
        let clone = || self.here(&["clone", "-q", &bare, "../copy"]);
        if matches!(step, Step::OneFileSnapshot | Step::OneFilePush) {
            self.place.change(step, turn)?;
        }
        if step == Step::Status && turn == 0 {
            // Fills the untracked cache. Turn 0, which is not timed, comes after it.
            run(&mut self.here(&["status", "--short"]))?;
        }
        let (commands, warm) = match step {
            Step::FirstSnapshot => (
                vec![self.here(&["add", "-A"]), self.here(&["commit", "-qm", "first"])],
                Some(tree),
            ),
            Step::Status => (vec![self.here(&["status", "--short"])], None),
            Step::OneFileSnapshot => (vec![commit()], None),
            Step::FirstPush => (vec![push()], Some(tree.join(".git"))),
            Step::OneFilePush => (vec![commit(), push()], None),
            Step::Clone => (vec![clone()], Some(self.remote())),
            Step::Stored | Step::StoredOnDisk => return Ok(None),
        };
        Ok(Some(Job { commands, warm }))
    }

    fn check(&mut self, step: Step, turn: usize, output: &[u8]) -> Result<()> {
        match step {
            Step::FirstSnapshot | Step::Status => {
                let status = run(&mut self.here(&["status", "--short"]))?;
                check(output.is_empty() && status.is_empty(), || {
                    format!("git finds changes: {}", String::from_utf8_lossy(&status))
                })
            }
            Step::OneFileSnapshot => self.check_one(step, turn),
            Step::FirstPush => self.check_pushed(),
            Step::OneFilePush => {
                self.check_one(step, turn)?;
                self.check_pushed()
            }
            Step::Clone => {
                let keeps = Keeps { modes: false, empty_folders: false };
                check_copy(&self.place, &self.place.path("copy"), keeps)
            }
            Step::Stored | Step::StoredOnDisk => Ok(()),
        }
    }

    fn stored(&self) -> Option<PathBuf> {
        Some(self.place.tree().join(".git"))
    }
}
