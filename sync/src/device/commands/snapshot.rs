//! `snapshot`: captures the tree of a working copy on this device.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use fastest_core::compare::drift::drift_counts;
use fastest_core::compare::extent::extent;
use fastest_core::compare::parting::follows;
use fastest_core::compare::reach::new_objects;
use fastest_core::object::id::{PackId, TreeId};
use fastest_core::object::item::Root;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::find;
use fastest_core::store::pack::PackInfo;
use fastest_core::worktree::left::is_in_left;
use fastest_core::worktree::scan::context::IndexUse;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{ProjectId, SnapshotId};

use crate::device::activity::Activity;
use crate::device::commands::operation::{Ending, add_operation, hex_of};
use crate::device::commands::pull::conflict_report;
use crate::device::commands::purpose::{Captured, Purpose, RULE_FILE};
use crate::device::commands::scan::{ScanJob, Scanned, load_index};
use crate::device::left::left_in;
use crate::device::open::OpenDevice;
use crate::device::path::show;
use crate::device::report::SnapshotReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::copies::Copies;
use crate::replica::local::operations::{Change, Effect, Number};
use crate::rows::snapshots::{NewSnapshot, Snapshots};

/// How a tree was recorded.
#[derive(Default)]
struct Recorded {
    /// Its snapshot.
    id: Option<SnapshotId>,
    /// Whether it is a new one.
    created: bool,
    /// The operation, if that is all that the command does.
    operation: Option<Number>,
    /// The packs whose rows were written, in hex.
    packs: Vec<String>,
}

impl OpenDevice {
    /// See [`Device::snapshot`](crate::Device::snapshot).
    pub(crate) fn snapshot(
        &mut self,
        copy: &WorkingCopy,
        message: Option<&str>,
        activity: &Activity,
    ) -> Result<SnapshotReport, SyncError> {
        check_message(message)?;
        let (_lock, warnings) = self.enter(copy)?;
        let purpose = Purpose::Save { if_empty: true };
        let mut captured = self.capture(copy, message, purpose, activity)?;
        captured.warnings.splice(0..0, warnings);
        self.snapshot_report(&captured)
    }

    pub(crate) fn snapshot_report(&self, captured: &Captured) -> Result<SnapshotReport, SyncError> {
        let Captured { root, created, parent, objects_new, open, .. } = captured;
        let before = match parent {
            Some(parent) if *created => {
                let tree = tree_of(&self.snapshot_row(parent)?)?;
                // Without the tree, all that is here counts as new.
                if self.has_tree(&tree)? { tree } else { empty_directory() }
            }
            Some(_) => root.id,
            None => empty_directory(),
        };
        let counts = match (parent, created) {
            (None, true) => fastest_core::compare::drift::counts::Counts {
                workspace_only: root.files,
                ..Default::default()
            },
            _ => drift_counts(&before, &root.id, &self.store)?,
        };
        Ok(SnapshotReport {
            snapshot_id: captured.snapshot_id.clone().unwrap_or_default(),
            manifest_hash: root.id.to_hex(),
            files: root.files,
            bytes: root.bytes,
            added: counts.workspace_only,
            modified: counts.both_different,
            deleted: counts.source_only,
            created: *created,
            objects_new: *objects_new,
            conflicts: open.iter().map(conflict_report).collect(),
            skipped: captured.skipped.clone(),
            warnings: captured.warnings.clone(),
        })
    }

    /// Stores the tree of a working copy and, if it is not the head's, a snapshot of it. The caller
    /// holds the copy's lock.
    pub(crate) fn capture(
        &mut self,
        copy: &WorkingCopy,
        message: Option<&str>,
        purpose: Purpose<'_>,
        activity: &Activity,
    ) -> Result<Captured, SyncError> {
        let (mut captured, packs) = self.store_files(copy, purpose, activity)?;
        let recorded = self.record_tree(copy, &captured, packs, message, purpose)?;
        captured.snapshot_id = recorded.id;
        captured.created = recorded.created;
        captured.operation = recorded.operation;
        captured.packs = recorded.packs;
        Ok(captured)
    }

    /// Stores the tree of a working copy, with unsaved changes, without a snapshot of it. Returns the new
    /// packs, which no row names.
    pub(crate) fn store_files(
        &mut self,
        copy: &WorkingCopy,
        purpose: Purpose<'_>,
        activity: &Activity,
    ) -> Result<(Captured, Vec<PackInfo>), SyncError> {
        let head = copy.head()?;
        let (index, mut warnings) = load_index(copy)?;
        let progress = activity.begin("Scanning");
        let writer = self.store.writer();
        let head_tree = head.as_ref().map(|head| tree_of(&self.snapshot_row(head)?));
        let untrack = if let Purpose::Untrack(paths) = purpose { paths } else { &[] };
        let job = ScanJob {
            root: copy.root(),
            index: &index,
            index_use: IndexUse::Replace,
            head: head_tree.transpose()?,
            untrack,
            brought_back: match purpose {
                Purpose::BroughtBack(conflicts) => conflicts,
                Purpose::Settle { moved, .. } => moved,
                _ => &[],
            },
            settled: if let Purpose::Settle { settled, .. } = purpose { settled } else { &[] },
        };
        let scanned = self.scan(&job, &writer, &progress)?;
        let Scanned { root, index: new_index, skipped, warnings: found, .. } = scanned;
        let (unknown_rules, databases) = (scanned.unknown_rules, scanned.databases);
        if purpose != Purpose::Safety && !unknown_rules.is_empty() {
            return Err(SyncError::UnknownRules { files: unknown_rules });
        }
        warnings.extend(found.into_iter().chain(unknown_rules));
        activity.begin("Saving");
        let packs = writer.finish()?;
        for path in untrack {
            self.check_rule_travels(copy, &root.id, path)?;
        }
        if let Some(new_index) = &new_index {
            new_index.save(&copy.state())?;
        }
        let captured = Captured {
            root,
            snapshot_id: None,
            created: false,
            operation: None,
            parent: head,
            objects_new: packs.iter().map(|pack| pack.objects).sum(),
            packs: Vec::new(),
            index: new_index.unwrap_or(index),
            databases,
            open: scanned.open,
            skipped,
            warnings,
        };
        Ok((captured, packs))
    }

    /// Refuses to untrack a path if the ignore file with its rule is not in the tree: other devices
    /// would then delete the path.
    fn check_rule_travels(
        &self,
        copy: &WorkingCopy,
        tree: &TreeId,
        path: &[u8],
    ) -> Result<(), SyncError> {
        let mut parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        parts.pop();
        parts.push(RULE_FILE.as_bytes());
        let is_left = is_in_left(&left_in(copy)?, &parts.join(&b'/'));
        match find(tree, &parts, &self.store)?.filter(|_| !is_left) {
            Some(_) => Ok(()),
            None => Err(SyncError::RuleStaysHere { path: show(path) }),
        }
    }

    /// Records a stored tree as a snapshot that follows the head, unless it is the head's tree.
    fn record_tree(
        &mut self,
        copy: &WorkingCopy,
        captured: &Captured,
        packs: Vec<PackInfo>,
        message: Option<&str>,
        purpose: Purpose<'_>,
    ) -> Result<Recorded, SyncError> {
        let (workspace, root) = (&self.workspace_of(copy)?, &captured.root);
        let head = captured.parent.as_ref();
        let head_row = head.map(|head| self.snapshot_row(head)).transpose()?;
        if head_row.as_ref().is_some_and(|row| row.manifest_hash == root.id.to_hex()) {
            if !packs.is_empty() {
                // The store had lost content of this tree. The recovered packs have to be sent,
                // too.
                let packs = self.complete(&workspace.project_id, None, &root.id, packs)?;
                self.replica.write(|session| {
                    Snapshots(session).save_packs(&workspace.project_id, &packs)
                })?;
            }
            return Ok(Recorded { id: head.cloned(), ..Recorded::default() });
        }
        if let Some(id) = self.recorded_before_a_crash(workspace, head, root)? {
            copy.set_head(&id)?;
            return Ok(Recorded { id: Some(id), ..Recorded::default() });
        }
        let is_empty = root.id == empty_directory();
        if head.is_none() && is_empty && purpose != (Purpose::Save { if_empty: true }) {
            return Ok(Recorded::default());
        }
        let parent = head_row.as_ref().map(tree_of).transpose()?;
        // If the store has lost the head's tree, it may lack what is in it as well.
        let lacks = parent.map(|tree| self.has_tree(&tree)).transpose()? == Some(false);
        let parent = parent.filter(|_| !lacks);
        let packs = self.complete(&workspace.project_id, parent.as_ref(), &root.id, packs)?;
        let parents = head.cloned().into_iter().collect();
        let (id, operation) = self.replica.write(|session| {
            let new = NewSnapshot {
                tree: &root.id,
                parents,
                message,
                conflicts: captured.open.len(),
                packs: &packs,
            };
            let id = Snapshots(session).save(workspace, new)?;
            Snapshots(session).advance_head(&workspace.id, &id)?;
            Copies(session).put(&copy.known(Some(&id)))?;
            let operation = purpose.command().map(|command| {
                let head = Change { before: head.cloned(), after: Some(id.clone()) };
                let effect = Effect { head, packs: hex_of(&packs), ..Effect::default() };
                add_operation(session, copy, &command, &effect, Ending::Finished)
            });
            Ok::<_, SyncError>((id, operation.transpose()?))
        })?;
        copy.set_head(&id)?;
        Ok(Recorded { id: Some(id), created: true, operation, packs: hex_of(&packs) })
    }

    /// Whether the store has the root node of a tree.
    fn has_tree(&self, tree: &TreeId) -> Result<bool, SyncError> {
        Ok(*tree == empty_directory() || ObjectSource::has(&self.store, &(*tree).into())?)
    }

    /// Returns the workspace's head if it is a snapshot of this tree that follows the copy's head.
    /// In that case a process was killed after it saved the snapshot's row and before it set the
    /// copy's head.
    pub(crate) fn recorded_before_a_crash(
        &self,
        workspace: &Workspace,
        head: Option<&SnapshotId>,
        root: &Root,
    ) -> Result<Option<SnapshotId>, SyncError> {
        let Some(current) = &workspace.current_snapshot_id else { return Ok(None) };
        // The workspace's row may refer to a snapshot that has not arrived yet.
        let row = self.replica.read().row::<Snapshot>(current)?;
        if row.is_none_or(|row| row.manifest_hash != root.id.to_hex()) {
            return Ok(None);
        }
        let lineage = Snapshots(self.replica.read()).lineage(&workspace.project_id);
        let follows = match head {
            Some(head) => follows(&lineage, current.as_str(), head.as_str())?,
            None => true,
        };
        Ok(follows.then(|| current.clone()))
    }

    /// Returns the packs that the rows of a snapshot must name so that all its content is in the
    /// project's packs. These are the new packs, and packs with copies of objects that so far are
    /// only in packs of other projects, or in packs that a killed process left without rows.
    pub(crate) fn complete(
        &self,
        project_id: &ProjectId,
        parent: Option<&TreeId>,
        tree: &TreeId,
        mut packs: Vec<PackInfo>,
    ) -> Result<Vec<PackInfo>, SyncError> {
        let snapshots = Snapshots(self.replica.read());
        let mut is_ours: HashMap<PackId, bool> = packs.iter().map(|pack| (pack.id, true)).collect();
        let mut elsewhere = Vec::new();
        for id in new_objects(parent, tree, &self.store)? {
            let located = self.store.locate(&id)?;
            let located = located.ok_or(fastest_core::object::error::StoreError::Missing { id })?;
            let is_ours = match is_ours.entry(located.pack) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => {
                    *unknown.insert(snapshots.has_pack(project_id, &located.pack)?)
                }
            };
            if !is_ours {
                elsewhere.push(id);
            }
        }
        if !elsewhere.is_empty() {
            elsewhere.sort_unstable();
            packs.extend(self.store.repack(&elsewhere)?);
        }
        Ok(packs)
    }
}

impl OpenDevice {
    /// Refuses a snapshot whose tree has an excessive number of paths. Paths that it shares with
    /// the tree `beside`, which was checked before, are not counted.
    pub(crate) fn check_extent(
        &self,
        snapshot: &SnapshotId,
        tree: &TreeId,
        beside: Option<&TreeId>,
    ) -> Result<(), SyncError> {
        let beside = beside.filter(|tree| **tree != empty_directory());
        let found = extent(beside, tree, &self.store)?;
        if found.is_excessive() {
            Err(SyncError::TooManyPaths { snapshot: snapshot.to_owned() })
        } else {
            Ok(())
        }
    }
}

/// The longest message, in bytes. Its row is sent as JSON, where a byte may take six, and must stay
/// under the 2 MB that D1 allows.
const MESSAGE_BYTES_MAX: usize = 100_000;

/// Refuses a message so long that no push could send it.
pub(crate) fn check_message(message: Option<&str>) -> Result<(), SyncError> {
    match message.map_or(0, str::len) {
        0..=MESSAGE_BYTES_MAX => Ok(()),
        bytes => Err(SyncError::MessageTooLong { bytes, max: MESSAGE_BYTES_MAX }),
    }
}
