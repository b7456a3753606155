//! `doctor`: reads everything that the store holds, and says how to mend what is wrong.

use std::collections::{HashMap, HashSet};

use fastest_core::check::Fault;
use fastest_core::id::{ObjectId, PackId, TreeId};
use fastest_core::left;
use fastest_core::object::ObjectSource;
use fastest_core::reach::new_objects;
use fastest_core::state_dir::StateDir;
use fastest_schema::workspaces::Snapshot;
use fastest_schema::{Pack, Row};

use crate::activity::Activity;
use crate::device::Device;
use crate::error::SyncError;
use crate::report::{DoctorReport, Problem};

use super::snapshot::tree_of;

/// What to do about content that is gone from here.
const FETCH_AGAIN: &str = "run `fastest doctor --mend`, then `fastest pull`: what was pushed comes \
    back. For what was not, delete `.fastest/index` in its working copy and run `fastest snapshot`: \
    what still stands there is stored again";

impl Device {
    /// Checks every pack, object, index segment and row. With `mend`, rebuilds the index where it
    /// is wrong, and sets damaged packs aside.
    pub fn doctor(&mut self, mend: bool, activity: &Activity) -> Result<DoctorReport, SyncError> {
        activity.begin("Checking packs");
        let mut report = DoctorReport::default();
        let mut checked = self.store.check()?;
        // Where a segment is damaged, no look-up can be trusted: mending makes the index anew.
        if !checked.faults.iter().any(|fault| matches!(fault, Fault::Segment { .. })) {
            self.finish_packs(&mut checked.faults, &mut report)?;
        }
        if mend && !checked.faults.is_empty() {
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
        if mend && !report.problems.is_empty() {
            self.forget_lost_packs(&mut report)?;
            // The next pull reads every row again, and with them fetches the packs that are gone.
            self.replica.write(|session| session.run("DELETE FROM fastest_local_cursor", []))?;
            report.mended.push("the next `fastest pull` looks for every pack again".to_owned());
        }
        Ok(report)
    }

    /// Indexes the sound packs of processes that were killed before they could: no harm was done,
    /// and none can come of it.
    fn finish_packs(
        &self,
        faults: &mut Vec<Fault>,
        report: &mut DoctorReport,
    ) -> Result<(), SyncError> {
        for fault in faults.extract_if(.., |fault| matches!(fault, Fault::Unindexed { .. })) {
            if let Fault::Unindexed { id, objects } = fault {
                self.store.index_pack(&id)?;
                report.mended.push(format!("indexed {objects} objects of pack {id}"));
            }
        }
        Ok(())
    }

    fn mend(&self, faults: &[Fault], report: &mut DoctorReport) -> Result<(), SyncError> {
        for fault in faults {
            if let Fault::Pack { id, .. } = fault {
                let path = self.store.pack_path(id);
                let aside = self.dir.join("damaged");
                std::fs::create_dir_all(&aside).map_err(SyncError::io("create", &aside))?;
                let aside = aside.join(path.file_name().unwrap_or_default());
                std::fs::rename(&path, &aside).map_err(SyncError::io("move", &path))?;
                report.mended.push(format!("set {} aside as {}", path.display(), aside.display()));
            }
        }
        let objects = self.store.rebuild_index()?;
        report.mended.push(format!("rebuilt the index of {objects} objects"));
        Ok(())
    }

    /// Drops the rows of packs that are gone and that no primary has: they could never be sent,
    /// and would hold up everything behind them.
    fn forget_lost_packs(&mut self, report: &mut DoctorReport) -> Result<(), SyncError> {
        let entries = "SELECT pk FROM fastest_local_outbox WHERE tbl = 'fastest_packs'";
        let waiting = self.replica.read().all(entries, [], |row| row.get::<_, String>(0))?;
        for key in waiting {
            let Some(pack) = self.replica.read().row::<Pack>(&key)? else { continue };
            if pack.pack_id.parse().is_ok_and(|id| self.store.pack_path(&id).is_file()) {
                continue;
            }
            self.replica.write(|session| {
                session.drop_entry(Pack::TABLE, &key)?;
                session.delete(Pack::TABLE, &key)
            })?;
            report.mended.push(format!("forgot pack {}, which was never pushed", pack.pack_id));
        }
        Ok(())
    }

    fn problem(&self, fault: &Fault) -> Problem {
        let index = "run `fastest doctor --mend`: the index is rebuilt from the packs";
        let (place, what, mend) = match fault {
            Fault::Pack { id, error } => (
                self.store.pack_path(id).display().to_string(),
                error.to_string(),
                "run `fastest doctor --mend` to set it aside, then `fastest pull` to fetch it again",
            ),
            Fault::Segment { path, error } => {
                (path.display().to_string(), error.to_string(), index)
            }
            Fault::Unindexed { id, objects } | Fault::Misindexed { id, objects } => {
                (id.to_hex(), format!("the index is wrong about {objects} of its objects"), index)
            }
            Fault::Stranger { path } => (
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
        for line in session.all("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))? {
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
        let stored: HashSet<PackId> = self.store.packs()?.into_iter().collect();
        for name in session
            .all("SELECT DISTINCT pack_id FROM fastest_packs", [], |row| row.get::<_, String>(0))?
        {
            let here = name.parse().is_ok_and(|id| stored.contains(&id));
            let parts = "SELECT count(*) FROM fastest_local_part WHERE pack_id = ?1";
            let arriving = session.get::<i64>(parts, [&name])?.unwrap_or(0) > 0;
            if !here && !arriving {
                report.problems.push(Problem {
                    place: format!("pack {name}"),
                    what: "a row names it, and the store does not hold it".to_owned(),
                    mend: FETCH_AGAIN.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Reads what checkouts left in the device's working copies: without it, no command can scan them.
    fn check_copies(&self, report: &mut DoctorReport) -> Result<(), SyncError> {
        for root in self.replica.read().copy_roots()? {
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

    /// Walks the tree of every snapshot; equal trees are walked once.
    fn check_snapshots(&self, report: &mut DoctorReport) -> Result<(), SyncError> {
        let snapshots = self.replica.read().rows::<Snapshot>("WHERE ?1 = '' ORDER BY id", "")?;
        let mut trees: HashMap<String, TreeId> = HashMap::new();
        for snapshot in &snapshots {
            match tree_of(snapshot) {
                Ok(tree) => drop(trees.insert(snapshot.id.clone(), tree)),
                Err(error) => report.problems.push(Problem {
                    place: snapshot.id.clone(),
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
                    place: snapshot.id.clone(),
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
                    return Err(fastest_core::store::StoreError::Missing { id }.into());
                }
                present.insert(id);
            }
        }
        Ok(())
    }
}
