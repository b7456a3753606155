//! Runs, steps and repeats, with peers taking turns.

use std::path::{Path, PathBuf};

use super::{ORIGINAL, Options, Peer, Place, Step, git, mirror, ours, restic};
use crate::error::{Error, Result};
use crate::folder;
use crate::measure::{Memory, time};
use crate::results::{Results, Unit};

/// What all runs share.
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
    /// Does all steps of all peers once, in a folder of their own.
    pub fn run(&self, run: usize, results: &mut Results) -> Result<()> {
        let folder = self.options.work.join(format!("run-{run}"));
        let mut peers = self.set_up(&folder, run)?;
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

    /// Sets up the peers. Those that change files get a copy of the tree each; the others share the
    /// original. Returns the peers in the order of this run.
    fn set_up(&self, folder: &Path, run: usize) -> Result<Vec<Box<dyn Peer>>> {
        let mut peers = Vec::new();
        for index in order(self.peers.len(), run) {
            let mut peer = self.peer(self.peers[index], folder)?;
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

    /// Records the size of a peer's store, if the step is one that measures it.
    fn store(&self, step: Step, peer: &dyn Peer, run: usize, results: &mut Results) -> Result<()> {
        let (false, Some(place)) = (step.row().1 == Unit::Seconds, peer.stored()) else {
            return Ok(());
        };
        let size = folder::size(&place)?;
        let value = if step == Step::Stored { size.bytes } else { size.on_disk };
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

    /// Times a short step repeatedly, with peers taking turns. It is first done once untimed, to
    /// measure memory.
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

/// Returns the order in which `count` peers take turns in this run. A different peer is first in
/// each run, and each follows every other one equally often, within `count` runs if that is even,
/// and within twice as many if it is odd (Williams' squares). So no peer always finds the disk and
/// the caches as left by the same other peer.
fn order(count: usize, run: usize) -> Vec<usize> {
    let is_mirrored = count % 2 == 1 && run % 2 == 1;
    let turn = |place: usize| {
        // 0, -1, 1, -2, 2, ...: no two steps of it are the same.
        let step = place.div_ceil(2);
        let is_back = (place % 2 == 1) != is_mirrored;
        (run % count + if is_back { count - step } else { step }) % count
    };
    (0..count).map(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn each_peer_follows_every_other_one_equally_often() {
        for count in 1..8 {
            let runs = if count % 2 == 0 { count } else { 2 * count };
            let orders: Vec<_> = (0..runs).map(|run| order(count, run)).collect();
            let mut pairs = BTreeMap::new();
            for (run, order) in orders.iter().enumerate() {
                assert_eq!(order[0], run % count);
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..count).collect::<Vec<_>>());
                for pair in order.windows(2) {
                    *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
                }
            }
            assert_eq!(pairs.len(), count * (count - 1));
            assert!(pairs.values().all(|times| *times == runs / count), "{count}: {pairs:?}");
        }
    }
}
