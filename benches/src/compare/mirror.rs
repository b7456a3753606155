//! Peers that copy: rsync, tar with zstd, and cp. They keep no history, and change no file of the
//! tree.

use std::path::PathBuf;
use std::process::Command;

use super::{Job, Keeps, Peer, Place, Step, check_copy};
use crate::error::{Result, check};
use crate::measure::run;

const ALL: Keeps = Keeps { modes: true, empty_folders: true };

/// rsync in one run. "Status" compares the tree with a mirror that is made at set-up; "clone" makes
/// another copy.
pub struct Rsync {
    place: Place,
}

/// tar piped through zstd in one run: one archive, at level 1 with two threads.
pub struct Tar {
    place: Place,
}

/// cp in one run.
pub struct Cp {
    place: Place,
}

impl Rsync {
    pub fn new(place: Place) -> Self {
        Self { place }
    }

    fn rsync(&self, options: &[&str], to: &str) -> Command {
        let mut rsync = self.place.command("rsync");
        // A slash at the end means the contents of the folder.
        rsync.args(options).arg(self.place.tree().join("")).arg(self.place.path(to));
        rsync
    }
}

impl Peer for Rsync {
    fn name(&self) -> &'static str {
        "rsync"
    }

    fn set_up(&mut self) -> Result<()> {
        run(&mut self.rsync(&["-a"], "mirror"))?;
        check_copy(&self.place, &self.place.path("mirror"), ALL)
    }

    fn job(&mut self, step: Step, _: usize) -> Result<Option<Job>> {
        Ok(match step {
            Step::Status => {
                Some(Job { commands: vec![self.rsync(&["-ani"], "mirror")], warm: None })
            }
            Step::Clone => {
                let warm = Some(self.place.tree());
                Some(Job { commands: vec![self.rsync(&["-a"], "copy")], warm })
            }
            _ => None,
        })
    }

    fn check(&mut self, step: Step, _: usize, output: &[u8]) -> Result<()> {
        if step == Step::Clone {
            return check_copy(&self.place, &self.place.path("copy"), ALL);
        }
        check(output.is_empty(), || {
            format!("rsync finds changes: {}", String::from_utf8_lossy(output))
        })
    }

    fn stored(&self) -> Option<PathBuf> {
        None
    }
}

impl Tar {
    pub fn new(place: Place) -> Self {
        Self { place }
    }

    /// Returns a pipe of two programs, which fails if either of them fails. The shell gets the
    /// paths as `$1` and `$2`, so that it does not interpret them.
    fn pipe(&self, script: &str, first: PathBuf, second: PathBuf) -> Command {
        let mut bash = self.place.command("bash");
        bash.args(["-euo", "pipefail", "-c", script, "bash"]).arg(first).arg(second);
        bash
    }

    fn archive(&self) -> PathBuf {
        self.place.path("tree.tar.zst")
    }

    fn unpacked(&self) -> PathBuf {
        self.place.path("copy")
    }
}

impl Peer for Tar {
    fn name(&self) -> &'static str {
        "tar+zstd"
    }

    fn set_up(&mut self) -> Result<()> {
        std::fs::create_dir(self.unpacked()).map_err(crate::error::Error::at(&self.unpacked()))
    }

    fn job(&mut self, step: Step, _: usize) -> Result<Option<Job>> {
        let (script, first, second) = match step {
            Step::FirstSnapshot => (
                "tar -C \"$1\" -cf - . | zstd -1 -T2 -q -o \"$2\"",
                self.place.tree(),
                self.archive(),
            ),
            Step::Clone => {
                ("zstd -dcq \"$1\" | tar -C \"$2\" -xpf -", self.archive(), self.unpacked())
            }
            _ => return Ok(None),
        };
        let warm = Some(first.clone());
        Ok(Some(Job { commands: vec![self.pipe(script, first, second)], warm }))
    }

    fn check(&mut self, step: Step, _: usize, _: &[u8]) -> Result<()> {
        match step {
            Step::Clone => check_copy(&self.place, &self.unpacked(), ALL),
            // A later step unpacks the archive, which shows whether it is complete.
            _ => run(self.place.command("zstd").arg("-tq").arg(self.archive())).map(drop),
        }
    }

    fn stored(&self) -> Option<PathBuf> {
        Some(self.archive())
    }
}

impl Cp {
    pub fn new(place: Place) -> Self {
        Self { place }
    }
}

impl Peer for Cp {
    fn name(&self) -> &'static str {
        "cp"
    }

    fn set_up(&mut self) -> Result<()> {
        Ok(())
    }

    fn job(&mut self, step: Step, _: usize) -> Result<Option<Job>> {
        if step != Step::Clone {
            return Ok(None);
        }
        let mut cp = self.place.command("cp");
        cp.arg("-r").arg(self.place.tree()).arg(self.place.path("copy"));
        Ok(Some(Job { commands: vec![cp], warm: Some(self.place.tree()) }))
    }

    fn check(&mut self, _: Step, _: usize, _: &[u8]) -> Result<()> {
        // cp runs without `-p`, so the user's umask applies.
        check_copy(&self.place, &self.place.path("copy"), Keeps { modes: false, ..ALL })
    }

    fn stored(&self) -> Option<PathBuf> {
        None
    }
}
