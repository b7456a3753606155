//! Fastest, with a primary in a file.

use std::path::{Path, PathBuf};

use super::{Job, Keeps, ONE_FILE_REPEATS, Peer, Place, Step, check_copy};
use crate::error::{Result, check};
use crate::fastest::{Fastest, answer, number, text};
use crate::folder::{count, list};

/// Fastest in one run.
pub struct Ours {
    place: Place,
    here: Fastest,
    there: Fastest,
}

impl Ours {
    pub fn new(place: Place, program: &Path) -> Self {
        let device = |name| Fastest::new(program, &place.path(name));
        Self { here: device("store"), there: device("store2"), place }
    }

    fn primary(&self) -> PathBuf {
        self.place.path("primary")
    }

    /// The number of snapshots after all steps except the clone.
    fn snapshots() -> usize {
        1 + 2 * (ONE_FILE_REPEATS + 1)
    }

    fn check_first(&self, output: &[u8]) -> Result<()> {
        let said = answer(output)?;
        let (files, _, bytes) = count(&list(&self.place.tree())?);
        check(number(&said, "files")? == files && number(&said, "bytes")? >= bytes, || {
            format!("the tree has {files} files of {bytes} bytes, and the snapshot is {said}")
        })
    }

    fn check_one(&self, step: Step, turn: usize, output: &[u8]) -> Result<()> {
        let said = answer(output)?;
        check(number(&said, "modified")? == 1, || format!("not one file changed: {said}"))?;
        self.here.check_holds(&self.place.tree(), &said, self.place.changed(step, turn))
    }

    fn check_pushed(&self, output: &[u8]) -> Result<()> {
        let said = answer(output)?;
        check(said["pushed"] == true, || format!("not pushed: {said}"))?;
        let status = self.here.ask(&self.place.tree(), &["status"])?;
        check(number(&status, "unpushed")? == 0, || format!("something waits: {status}"))
    }

    /// Checks that the copy equals the tree, and that the other device has every snapshot, which
    /// shows that every push arrived.
    fn check_clone(&self) -> Result<()> {
        let copy = self.place.path("copy");
        check_copy(&self.place, &copy, Keeps { modes: false, empty_folders: true })?;
        let log = |device: &Fastest, folder: &Path| device.ask(folder, &["log", "-n", "1000"]);
        let (ours, theirs) = (log(&self.here, &self.place.tree())?, log(&self.there, &copy)?);
        let ids = |log: &serde_json::Value| -> Result<Vec<String>> {
            let snapshots = log["snapshots"].as_array().into_iter().flatten();
            snapshots.map(|snapshot| text(snapshot, "id").map(str::to_owned)).collect()
        };
        let (ours, theirs) = (ids(&ours)?, ids(&theirs)?);
        check(ours.len() == Self::snapshots() && ours == theirs, || {
            format!("there are {} snapshots here and {} there", ours.len(), theirs.len())
        })
    }
}

impl Peer for Ours {
    fn name(&self) -> &'static str {
        "fastest"
    }

    fn set_up(&mut self) -> Result<()> {
        std::fs::create_dir(self.primary()).map_err(crate::error::Error::at(&self.primary()))?;
        for device in [&self.here, &self.there] {
            device.set_primary(&self.primary().join("primary.db"))?;
        }
        self.here.ask(&self.place.tree(), &["init", "--name", "tree"]).map(drop)
    }

    fn job(&mut self, step: Step, turn: usize) -> Result<Option<Job>> {
        let tree = self.place.tree();
        let (device, arguments, warm): (_, &[&str], _) = match step {
            Step::FirstSnapshot => (&self.here, &["snapshot"], Some(tree.clone())),
            Step::Status => (&self.here, &["status"], None),
            Step::OneFileSnapshot => (&self.here, &["snapshot"], None),
            Step::FirstPush => (&self.here, &["push"], Some(self.here.store().to_owned())),
            Step::OneFilePush => (&self.here, &["push"], None),
            Step::Clone => (&self.there, &["clone", "tree", "../copy"], Some(self.primary())),
            Step::Stored | Step::StoredOnDisk => return Ok(None),
        };
        if matches!(step, Step::OneFileSnapshot | Step::OneFilePush) {
            self.place.change(step, turn)?;
        }
        Ok(Some(Job { commands: vec![device.command(&tree, arguments)], warm }))
    }

    fn check(&mut self, step: Step, turn: usize, output: &[u8]) -> Result<()> {
        match step {
            Step::FirstSnapshot => self.check_first(output),
            Step::Status => {
                let said = answer(output)?;
                check(said["dirty"] == false, || format!("status finds changes: {said}"))
            }
            Step::OneFileSnapshot => self.check_one(step, turn, output),
            Step::FirstPush => self.check_pushed(output),
            Step::OneFilePush => {
                self.check_one(step, turn, output)?;
                self.check_pushed(output)
            }
            Step::Clone => self.check_clone(),
            Step::Stored | Step::StoredOnDisk => Ok(()),
        }
    }

    fn stored(&self) -> Option<PathBuf> {
        Some(self.here.store().join("objects"))
    }
}
