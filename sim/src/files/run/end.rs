//! The end of a run: all working copies agree, and a stranger finds everything.

use std::collections::BTreeSet;

use fastest_core::object::id::TreeId;
use fastest_core::object::tree::read::read_directory;
use fastest_core::store::open::Store;
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::state::Packs;

use super::{PROJECT, Run};
use crate::files::schedule::Step;
use crate::files::tree::{Item, Tree};
use crate::files::{contested, folder};
use crate::finding::Kind;

/// How often all working copies push and pull until they agree.
const ROUNDS_MAX: u32 = 6;

impl Run<'_> {
    /// With no more faults, lets all working copies agree, and compares them.
    pub(super) fn settle(&mut self) {
        self.trouble = None;
        for device in 0..self.desks.len() as u8 - 1 {
            self.step(&Step::Deliver { device });
            self.desk(device).party.set_skew(0);
        }
        for round in 0.. {
            let before: Vec<Tree> = (0..self.copies.len()).map(|copy| self.tree(copy)).collect();
            for copy in 0..self.copies.len() {
                self.push(copy, &[]);
                self.pull(copy, 0, &[]);
                self.push(copy, &[]);
                self.pull(0, copy, &[]);
                self.push(0, &[]);
                if !self.findings.is_empty() {
                    return;
                }
            }
            let after: Vec<Tree> = (0..self.copies.len()).map(|copy| self.tree(copy)).collect();
            if after == before {
                break;
            }
            if round == ROUNDS_MAX {
                return self.found(Kind::Unsettled, "the copies do not settle".to_owned());
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        let main = self.tree(0);
        for copy in 1..self.copies.len() {
            let tree = self.tree(copy);
            if tree != main {
                let differ = differences(&main, &tree);
                self.found(Kind::Differs, format!("c{copy} differs from c0: {differ:?}"));
            }
        }
        if self.is_strict {
            let missing = self.lines.missing(&contested::read(&self.copies[0].root));
            if !missing.is_empty() {
                self.found(Kind::Lost, format!("the lines {missing:?} are gone"));
            }
        }
        for copy in 0..self.copies.len() {
            self.compare_conflicts(copy);
        }
        for device in 0..self.desks.len() - 1 {
            let checked = self.command(device, "check", &[], async |device| {
                device.doctor_with_remote(false, true, &Activity::default()).await
            });
            if let Some(problems) = checked.map(|report| report.problems)
                && !problems.is_empty()
            {
                self.found(Kind::Damaged, format!("d{device}: {problems:?}"));
            }
        }
        self.arrive(&main);
    }

    /// The conflicts of a working copy are those whose markers stand in its file.
    fn compare_conflicts(&mut self, copy: usize) {
        let root = self.copies[copy].root.clone();
        let (found, _) = self.at(copy, "list conflicts", &[], async |device, root| {
            let copy = device.find(root)?;
            device.file_conflicts(&copy, &Activity::default())
        });
        let Some(found) = found else { return };
        let of_it = found.into_iter().filter(|conflict| conflict.path == contested::NAME);
        let listed: BTreeSet<String> = of_it.map(|conflict| conflict.id).collect();
        let stand = contested::marked(&contested::read(&root));
        if self.is_strict && listed != stand {
            self.found(Kind::Conflict, format!("c{copy} lists {listed:?}, and has {stand:?}"));
        }
    }

    /// A device that was never seen clones the project, and must find everything.
    fn arrive(&mut self, main: &Tree) {
        let stranger = self.desks.len() - 1;
        let url = format!("file://{}", self.root.join("primary").join("primary.db").display());
        let root = self.desks[stranger].place("clone");
        let snapshots = self.command(stranger, "clone", &[], async |device| {
            device.remote_set(Some(&url), Packs::Default).await?;
            let activity = Activity::default();
            device.clone_project(PROJECT, &root, None, &activity).await?;
            let copy = device.find(&root)?;
            Ok(device.log(&copy, None)?.snapshots)
        });
        let Some(snapshots) = snapshots else { return };
        let tree = folder::read(&root).expect("the folder can be read");
        if tree != *main {
            let differ = differences(main, &tree);
            self.found(Kind::Differs, format!("the clone differs from c0: {differ:?}"));
        }
        let store = Store::open(&self.desks[stranger].store().join("objects"));
        let store = store.expect("the clone has a store");
        let (mut files, mut done) = (BTreeSet::new(), BTreeSet::new());
        for snapshot in &snapshots {
            let root: TreeId = snapshot.manifest_hash.parse().expect("a hash is a hash");
            collect(&store, root, &mut files, &mut done);
        }
        self.events.add(format!("{} snapshots with {} files", snapshots.len(), files.len()));
        for lost in self.model.lost(|hash| files.contains(hash)) {
            self.found(Kind::Lost, lost);
        }
    }
}

/// Adds the hashes of all files below a folder of a snapshot.
fn collect(
    store: &Store,
    folder: TreeId,
    files: &mut BTreeSet<String>,
    done: &mut BTreeSet<TreeId>,
) {
    if !done.insert(folder) {
        return;
    }
    for (_, item) in read_directory(&folder, store).expect("the snapshot is whole") {
        match item.tree_id() {
            Some(below) => collect(store, below, files, done),
            None => drop(files.insert(blake3::Hash::from_bytes(item.id).to_hex().to_string())),
        }
    }
}

/// Returns the paths at which two trees differ, with what the second one has.
fn differences<'a>(
    one: &'a Tree,
    two: &'a Tree,
) -> Vec<(&'a String, Option<&'a Item>, Option<&'a Item>)> {
    let paths: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    let differ = paths.into_iter().filter(|path| one.get(*path) != two.get(*path));
    differ.map(|path| (path, one.get(path), two.get(path))).collect()
}
