//! `doctor`: verifies everything in the store, and reports how to repair it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use fastest_core::compare::reach::new_objects;
use fastest_core::files::{disk, private};
use fastest_core::object::id::{ObjectId, PackId, TreeId};
use fastest_core::object::source::ObjectSource;
use fastest_core::store::check::Fault;
use fastest_core::worktree::left;
use fastest_core::worktree::state_dir::{INDEX, StateDir};
use fastest_schema::tables::workspaces::Snapshot;
use fastest_schema::{Pack, Row, RowKey, SnapshotId};

use crate::device::activity::Activity;
use crate::device::open::OpenDevice;
use crate::device::report::{DoctorReport, Problem};
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::copies::Copies;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::outbox::Outbox;
use crate::replica::local::parts::Parts;
use crate::rows::snapshots::Snapshots;

/// What to do about content that this store has lost.
const FETCH_AGAIN: &str = "run `fastest doctor --mend`, then `fastest pull`: what was pushed comes \
    back. For what was not, delete `.fastest/index` in its working copy and run `fastest snapshot`: \
    what still stands there is stored again";

impl OpenDevice {
    /// See [`Device::doctor`](crate::Device::doctor).
    pub(crate) fn doctor(
        &mut self,
        mend: bool,
        activity: &Activity,
    ) -> Result<DoctorReport, SyncError> {
        activity.begin("Checking packs");
        let mut report = DoctorReport::default();
        let mut checked = self.store.check()?;
        // With a damaged segment no look-up can be trusted. A repair rebuilds the index.
        if !checked.faults.iter().any(|fault| matches!(fault, Fault::Segment { .. })) {
            self.finish_packs(&mut checked.faults, &mut report)?;
        }
        // An unreadable pack may be intact. Nothing is repaired then, because the rebuilt index
        // would lack it.
        let is_unreadable = |fault: &Fault| matches!(fault, Fault::Unreadable { .. });
        let are_readable = !checked.faults.iter().any(is_unreadable);
        if mend && !checked.faults.is_empty() && are_readable {
            self.mend(&checked.faults, &mut report)?;
            checked = self.store.check()?;
        }
        (report.packs, report.objects) = (checked.packs, checked.objects);
        report.problems.extend(checked.faults.iter().map(|fault| self.problem(fault)));
        activity.begin("Checking rows");
        self.check_rows(&mut report)?;
        self.check_copies(&mut report)?;
        activity.begin("Checking snapshots");
        self.check_snapshots(&mut report)?;
        if mend && !report.problems.is_empty() && are_readable {
            self.forget_lost_packs(&mut report)?;
            // The next pull reads every row again, and so fetches the missing packs.
            self.replica.write(|session| Cursors(session).rewind_all())?;
            report.mended.push("the next `fastest pull` looks for every pack again".to_owned());
        }
        Ok(report)
    }

    /// Indexes intact packs that killed processes left out of the index. This is always safe.
    fn finish_packs(
        &self,
        faults: &mut Vec<Fault>,
        report: &mut DoctorReport,
    ) -> Result<(), SyncError> {
        for fault in faults.extract_if(.., |fault| matches!(fault, Fault::Unindexed { .. })) {
            if let Fault::Unindexed { id, objects } = fault {
                // A running process may have indexed it by now.
                if !self.store.has_pack(&id) {
                    self.store.index_pack(&id)?;
                    report.mended.push(format!("indexed {objects} objects of pack {id}"));
                }
            }
        }
        Ok(())
    }

    /// Sets aside damaged packs that the primary has, and makes the next pull fetch these and the
    /// missing ones. Returns their number. Packs that were never pushed are left to `doctor`. If a
    /// file cannot be read, nothing is done.
    pub(crate) fn drop_damaged_packs(&mut self, activity: &Activity) -> Result<u64, SyncError> {
        activity.begin("Checking packs");
        let mut faults = self.store.check()?.faults;
        if faults.iter().any(|fault| matches!(fault, Fault::Unreadable { .. })) {
            return Ok(0);
        }
        let mut at_primary: HashSet<PackId> = HashSet::new();
        for pack in self.replica.read().rows::<Pack>("WHERE ?1 = '' ORDER BY id", "")? {
            if Outbox(self.replica.read()).entry(Pack::TABLE, &RowKey::of(&pack.id))?.is_none() {
                at_primary.extend(pack.pack_id.parse::<PackId>());
            }
        }
        faults.retain(|fault| matches!(fault, Fault::Pack { id, .. } if at_primary.contains(id)));
        let gone = at_primary.iter().filter(|id| self.is_gone(id)).count();
        let dropped = (faults.len() + gone) as u64;
        if dropped > 0 {
            self.mend(&faults, &mut DoctorReport::default())?;
            self.replica.write(|session| Cursors(session).rewind_all())?;
        }
        Ok(dropped)
    }

    fn mend(&mut self, faults: &[Fault], report: &mut DoctorReport) -> Result<(), SyncError> {
        let mut set_aside = Vec::new();
        for fault in faults {
            if let Fault::Pack { id, .. } = fault {
                let path = self.store.pack_path(id);
                let folder = self.dir.join("damaged");
                private::create_dir_all(&folder).map_err(SyncError::io("create", &folder))?;
                let aside = self.aside(id);
                disk::rename(&path, &aside).map_err(SyncError::io("move", &path))?;
                report.mended.push(format!("set {} aside as {}", path.display(), aside.display()));
                set_aside.push(id);
            }
        }
        let objects = self.store.rebuild_index()?;
        report.mended.push(format!("rebuilt the index of {objects} objects"));
        // Lost content may still be in a working copy: without a stat index, the next snapshot
        // reads it again.
        for root in Copies(self.replica.read()).roots()? {
            let _ = StateDir::of(&root).remove(INDEX);
        }
        set_aside.into_iter().try_for_each(|id| self.salvage(id, report))
    }

    /// Returns where a damaged pack is kept.
    fn aside(&self, id: &PackId) -> PathBuf {
        let path = self.store.pack_path(id);
        self.dir.join("damaged").join(path.file_name().unwrap_or_default())
    }

    /// Saves the intact objects of a damaged pack that was set aside, since they may exist nowhere
    /// else: even the primary's copy may be damaged.
    fn salvage(&mut self, id: &PackId, report: &mut DoctorReport) -> Result<(), SyncError> {
        let packs = self.store.salvage(&self.aside(id))?;
        let objects: u64 = packs.iter().map(|pack| pack.objects).sum();
        let mut of = String::new();
        for (key, pack) in self.waiting_packs()? {
            if pack.pack_id.parse() != Ok(*id) {
                continue;
            }
            self.replica.write(|session| {
                Outbox(session).drop(Pack::TABLE, &key)?;
                session.delete(Pack::TABLE, &key)?;
                Snapshots(session).save_packs(&pack.project_id, &packs)
            })?;
            of = format!(" of {}", pack.objects);
        }
        let never = if of.is_empty() { "" } else { ", which was never pushed" };
        report.mended.push(format!("saved {objects}{of} objects of pack {id}{never}"));
        Ok(())
    }

    /// Returns the rows of packs that were never pushed, with their keys.
    fn waiting_packs(&self) -> Result<Vec<(RowKey, Pack)>, SyncError> {
        let mut packs = Vec::new();
        for key in Outbox(self.replica.read()).keys_of(Pack::TABLE)? {
            if let Some(pack) = self.replica.read().row::<Pack>(&key.to_string())? {
                packs.push((key, pack));
            }
        }
        Ok(packs)
    }

    /// Drops the rows of packs that are lost and were never pushed: they could never be sent, and
    /// would block everything behind them.
    fn forget_lost_packs(&mut self, report: &mut DoctorReport) -> Result<(), SyncError> {
        for (key, pack) in self.waiting_packs()? {
            // Only packs that are known to be lost: a failed look-up proves nothing.
            let Ok(id) = pack.pack_id.parse::<PackId>() else { continue };
            if !self.is_gone(&id) {
                continue;
            }
            // The command that set the pack aside was killed before it saved the intact objects.
            if self.aside(&id).exists() {
                self.salvage(&id, report)?;
                continue;
            }
            self.replica.write(|session| {
                Outbox(session).drop(Pack::TABLE, &key)?;
                session.delete(Pack::TABLE, &key)
            })?;
            report.mended.push(format!("forgot pack {}, which was never pushed", pack.pack_id));
        }
        Ok(())
    }

    /// Whether the store is known to lack a pack.
    fn is_gone(&self, id: &PackId) -> bool {
        let data = std::fs::symlink_metadata(self.store.pack_path(id));
        data.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    fn problem(&self, fault: &Fault) -> Problem {
        let index = "run `fastest doctor --mend`: the index is rebuilt from the packs";
        let (place, what, mend) = match fault {
            Fault::Pack { id, error } => (
                self.store.pack_path(id).display().to_string(),
                error.to_string(),
                "run `fastest doctor --mend` to set it aside, then `fastest pull` to fetch it again",
            ),
            Fault::Unreadable { path, error } => (
                path.display().to_string(),
                error.to_string(),
                "see to it that it can be read (its owner and mode, the disk, the number of open files), and \
                 run `fastest doctor` again: nothing is mended until it can",
            ),
            Fault::Segment { path, error } => {
                (path.display().to_string(), error.to_string(), index)
            }
            Fault::Unindexed { id, objects } | Fault::Misindexed { id, objects } => {
                (id.to_hex(), format!("the index is wrong about {objects} of its objects"), index)
            }
            Fault::UnknownFile { path } => (
                path.display().to_string(),
                "it lies among the packs and is none".to_owned(),
                "move the file out of the store",
            ),
        };
        Problem { place, what, mend: mend.to_owned() }
    }

    fn check_rows(&self, report: &mut DoctorReport) -> Result<(), SyncError> {
        let session = self.replica.read();
        let place = self.dir.join("replica.db").display().to_string();
        for line in session.check_integrity()? {
            if line != "ok" {
                report.problems.push(Problem {
                    place: place.clone(),
                    what: line,
                    mend: "move the file away and clone the projects anew from the primary; \
                           snapshots that were never pushed stay in objects/"
                        .to_owned(),
                });
            }
        }
        for name in Snapshots(session).pack_names()? {
            // When all parts have arrived, the pack is stored before the parts are removed. So the
            // parts are looked up first, and the pack second.
            let arriving = Parts(session).is_arriving(&name)?;
            if !arriving && name.parse().map_or(true, |id| self.is_gone(&id)) {
                report.problems.push(Problem {
                    place: format!("pack {name}"),
                    what: "a row names it, and the store does not hold it".to_owned(),
                    mend: FETCH_AGAIN.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Reads each working copy's list of paths that checkouts left: with a damaged list, it cannot
    /// be scanned.
    fn check_copies(&self, report: &mut DoctorReport) -> Result<(), SyncError> {
        for root in Copies(self.replica.read()).roots()? {
            let state = StateDir::of(&root);
            if let Err(error) = left::load(&state) {
                report.problems.push(Problem {
                    place: state.left().display().to_string(),
                    what: error.to_string(),
                    mend: "delete the file".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Walks the tree of every snapshot. Equal trees are walked once.
    fn check_snapshots(&self, report: &mut DoctorReport) -> Result<(), SyncError> {
        let snapshots = self.replica.read().rows::<Snapshot>("WHERE ?1 = '' ORDER BY id", "")?;
        let mut trees: HashMap<SnapshotId, TreeId> = HashMap::new();
        for snapshot in &snapshots {
            match tree_of(snapshot) {
                Ok(tree) => drop(trees.insert(snapshot.id.clone(), tree)),
                Err(error) => report.problems.push(Problem {
                    place: snapshot.id.clone().into(),
                    what: error.to_string(),
                    mend: "no other snapshot is touched by it".to_owned(),
                }),
            }
        }
        let mut walked: HashSet<TreeId> = HashSet::new();
        let mut present: HashSet<ObjectId> = HashSet::new();
        for snapshot in &snapshots {
            report.snapshots += 1;
            let Some(&tree) = trees.get(&snapshot.id) else { continue };
            if !walked.insert(tree) {
                continue;
            }
            let parent = snapshot.parent_snapshot_ids.0.iter().find_map(|id| trees.get(id));
            let parent = parent.filter(|parent| walked.contains(*parent));
            if let Err(error) = self.check_tree(parent, &tree, &mut present) {
                report.problems.push(Problem {
                    place: snapshot.id.clone().into(),
                    what: error.to_string(),
                    mend: FETCH_AGAIN.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn check_tree(
        &self,
        parent: Option<&TreeId>,
        tree: &TreeId,
        present: &mut HashSet<ObjectId>,
    ) -> Result<(), SyncError> {
        for id in new_objects(parent, tree, &self.store)? {
            if !present.contains(&id) {
                if !self.store.has(&id)? {
                    return Err(fastest_core::object::error::StoreError::Missing { id }.into());
                }
                present.insert(id);
            }
        }
        Ok(())
    }
}
