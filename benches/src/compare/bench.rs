//! The order of things: runs, steps, repeats, and peers taking turns.

use std::path::{Path, PathBuf};

use super::{ORIGINAL, Options, Peer, Place, Step, git, mirror, ours, restic};
use crate::error::{Error, Result};
use crate::folder;
use crate::measure::{Memory, time};
use crate::results::{Results, Unit};

/// What all runs have in common.
pub struct Bench {
    /// What the caller chose.
    pub options: Options,
    /// Names of the peers that are installed.
    pub peers: Vec<&'static str>,
    /// Files to change, by path from the tree's root.
    pub files: Vec<PathBuf>,
    /// How memory is measured.
    pub memory: Memory,
}

impl Bench {
    /// All steps of all peers, once, in a folder of their own.
    pub fn run(&self, run: usize, results: &mut Results) -> Result<()> {
        let folder = self.options.work.join(format!("run-{run}"));
        let mut peers = self.set_up(&folder)?;
        peers.rotate_left(run % self.peers.len());
        for step in Step::ALL {
            for peer in &mut peers {
                self.store(step, peer.as_ref(), run, results)?;
            }
            match step.repeats() {
                Some(repeats) => self.repeat(step, repeats, &mut peers, run, results)?,
                None => self.once(step, &mut peers, run, results)?,
            }
        }
        folder::empty(&folder)
    }

    /// Gives each peer a copy of the tree, and lets it set up.
    fn set_up(&self, folder: &Path) -> Result<Vec<Box<dyn Peer>>> {
        let mut peers = Vec::new();
        for &name in &self.peers {
            let mut peer = self.peer(name, folder)?;
            peer.set_up()?;
            peers.push(peer);
        }
        folder::settle()?;
        Ok(peers)
    }

    fn peer(&self, name: &str, folder: &Path) -> Result<Box<dyn Peer>> {
        let original = self.options.work.join(ORIGINAL);
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let shared = Place { folder, tree: original, files: self.files.clone() };
        let own = || -> Result<Place> {
            let place = Place { tree: shared.path("tree"), ..shared.clone() };
            folder::copy(&shared.tree, &place.tree)?;
            Ok(place)
        };
        Ok(match name {
            "fastest" => Box::new(ours::Ours::new(own()?, &self.options.fastest)),
            "git" => Box::new(git::Git::new(own()?)),
            "restic" => Box::new(restic::Restic::new(own()?)),
            "rsync" => Box::new(mirror::Rsync::new(shared)),
            "tar+zstd" => Box::new(mirror::Tar::new(shared)),
            _ => Box::new(mirror::Cp::new(shared)),
        })
    }

    /// Adds the size of what a peer stored, where the step is that.
    fn store(&self, step: Step, peer: &dyn Peer, run: usize, results: &mut Results) -> Result<()> {
        let (false, Some(place)) = (step.row().1 == Unit::Seconds, peer.stored()) else {
            return Ok(());
        };
        let (bytes, on_disk) = folder::size(&place)?;
        let value = if step == Step::Stored { bytes } else { on_disk };
        results.add(step.row(), peer.name(), run, value as f64);
        Ok(())
    }

    fn once(
        &self,
        step: Step,
        peers: &mut [Box<dyn Peer>],
        run: usize,
        results: &mut Results,
    ) -> Result<()> {
        for peer in peers {
            let Some(job) = peer.job(step, 0)? else { continue };
            job.warm.as_deref().map_or(Ok(()), folder::warm)?;
            let (measured, peak) = self.memory.time(job.commands)?;
            peer.check(step, 0, &measured.output)?;
            results.add(step.row(), peer.name(), run, measured.seconds);
            results.add_memory(step.row(), peer.name(), peak);
        }
        Ok(())
    }

    /// Times a short step again and again, peers taking turns; once untimed before, for the memory.
    fn repeat(
        &self,
        step: Step,
        repeats: usize,
        peers: &mut [Box<dyn Peer>],
        run: usize,
        results: &mut Results,
    ) -> Result<()> {
        for number in 0..=repeats {
            for peer in peers.iter_mut() {
                let Some(mut job) = peer.job(step, number)? else { continue };
                if number == 0 {
                    let (measured, peak) = self.memory.time(job.commands)?;
                    peer.check(step, number, &measured.output)?;
                    results.add_memory(step.row(), peer.name(), peak);
                } else {
                    let measured = time(&mut job.commands)?;
                    peer.check(step, number, &measured.output)?;
                    results.add(step.row(), peer.name(), run, measured.seconds);
                }
            }
        }
        Ok(())
    }
}
