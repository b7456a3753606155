//! restic, with a repository and its cache on the same disk.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Job, Keeps, Peer, Place, Step, check_copy};
use crate::error::{Error, Result, check};
use crate::fastest::{answer, number};
use crate::folder::{Entry, list};
use crate::measure::run;

/// restic as a peer, for one run.
pub struct Restic {
    place: Place,
}

impl Restic {
    pub fn new(place: Place) -> Self {
        Self { place }
    }

    fn restic(&self, arguments: &[&str]) -> Command {
        let mut restic = self.place.command("restic");
        restic.env("RESTIC_PASSWORD", "bench").current_dir(self.place.tree());
        restic.args(["-q", "--json", "--cache-dir"]).arg(self.place.path("cache"));
        restic.arg("-r").arg(self.repository()).args(arguments);
        restic
    }

    fn repository(&self) -> PathBuf {
        self.place.path("repository")
    }

    /// Checks restic's counts of new, changed and unchanged files. restic does not count links.
    fn check_counts(&self, output: &[u8], step: Step) -> Result<()> {
        let said = answer(output)?;
        let listing = list(&self.place.tree())?;
        let all = listing.values().filter(|entry| matches!(entry, Entry::File { .. })).count();
        let all = all as u64;
        let expected = match step {
            Step::FirstSnapshot => (all, 0, 0),
            Step::OneFileSnapshot => (0, 1, all - 1),
            _ => (0, 0, all),
        };
        let files = |kind| number(&said, kind);
        let found = (files("files_new")?, files("files_changed")?, files("files_unmodified")?);
        check(found == expected, || format!("expected {expected:?} of {said}"))
    }
}

impl Peer for Restic {
    fn name(&self) -> &'static str {
        "restic"
    }

    fn set_up(&mut self) -> Result<()> {
        run(&mut self.restic(&["init"])).map(drop)
    }

    fn job(&mut self, step: Step, turn: usize) -> Result<Option<Job>> {
        let backup: &[&str] = &["backup", "."];
        let (arguments, warm): (&[&str], _) = match step {
            Step::FirstSnapshot => (backup, Some(self.place.tree())),
            Step::Status => (backup, None),
            Step::OneFileSnapshot => {
                self.place.change(step, turn)?;
                (backup, None)
            }
            Step::Clone => (&["restore", "latest", "--target", "../copy"], Some(self.repository())),
            _ => return Ok(None),
        };
        Ok(Some(Job { commands: vec![self.restic(arguments)], warm }))
    }

    fn check(&mut self, step: Step, turn: usize, output: &[u8]) -> Result<()> {
        if step == Step::Clone {
            let keeps = Keeps { modes: true, empty_folders: true };
            return check_copy(&self.place, &self.place.path("copy"), keeps);
        }
        self.check_counts(output, step)?;
        if step == Step::OneFileSnapshot {
            let path = self.place.changed(step, turn);
            let stored = run(&mut self.restic(&["dump", "latest", &path.to_string_lossy()]))?;
            let file = self.place.tree().join(path);
            let expected = fs::read(&file).map_err(Error::at(&file))?;
            check(stored == expected, || format!("restic has not the new {}", path.display()))?;
        }
        Ok(())
    }

    fn stored(&self) -> Option<PathBuf> {
        Some(self.repository())
    }
}
