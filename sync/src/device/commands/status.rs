//! `status`: compares a working copy with its head.

use std::sync::atomic::{AtomicBool, Ordering};

use fastest_core::compare::drift::drift;
use fastest_core::compare::drift::found::Drift;
use fastest_core::compare::parting::follows;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::{ObjectId, TreeId};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{Object, ObjectSink, ObjectSource};
use fastest_core::object::tree::format::empty_directory;
use fastest_core::store::open::Store;
use fastest_core::worktree::checkout::edit::Files;
use fastest_core::worktree::scan::context::IndexUse;
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::Row;
use fastest_schema::tables::workspaces::Snapshot;

use crate::device::activity::Activity;
use crate::device::commands::pull::conflict_report;
use crate::device::commands::scan::{ScanJob, Scanned, load_index};
use crate::device::open::OpenDevice;
use crate::device::path::show_all;
use crate::device::report::StatusReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::remote::state::RemoteState;
use crate::replica::local::conflicts::Conflicts;
use crate::replica::local::outbox::Outbox;
use crate::replica::local::queue::Queue;
use crate::replica::local::remote_row::RemoteRow;
use crate::rows::snapshots::Snapshots;

/// A store with the nodes of one more tree in memory, to compare a working copy without writing to
/// the store.
pub(crate) struct ScratchStore<'a> {
    store: &'a Store,
    trees: MemoryObjects,
    /// Whether the scan found an object that the store lacks.
    found_new: AtomicBool,
}

impl<'a> ScratchStore<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, trees: MemoryObjects::default(), found_new: AtomicBool::new(false) }
    }
}

impl ObjectSink for ScratchStore<'_> {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(ObjectSource::has(&self.trees, id)? || self.store.has(id)?)
    }

    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError> {
        self.found_new.store(true, Ordering::Relaxed);
        match kind {
            ObjectKind::Tree => self.trees.put(kind, id, bytes),
            ObjectKind::Blob | ObjectKind::List => Ok(()),
        }
    }
}

impl ObjectSource for ScratchStore<'_> {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        match self.trees.object(id) {
            Err(StoreError::Missing { .. }) => self.store.object(id),
            found => found,
        }
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        ObjectSink::has(self, id)
    }
}

impl OpenDevice {
    /// See [`Device::status`](crate::Device::status).
    pub(crate) fn status(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<StatusReport, SyncError> {
        // Only an interrupted checkout needs the lock: a status must not wait for a push.
        let mut warnings =
            if copy.state().has(JOURNAL) { self.enter(copy)?.1 } else { self.take_notices() };
        let (project, workspace) = (self.project_of(copy)?, self.workspace_of(copy)?);
        let (head, lost) = self.head_of(copy)?;
        warnings.extend(lost);
        let twin = self.duplicate_notice(copy)?;
        warnings
            .extend(twin.filter(|twin| !warnings.contains(twin)).into_iter().collect::<Vec<_>>());
        let head_tree = match &head {
            Some(head) => tree_of(&self.snapshot_row(head)?)?,
            None => empty_directory(),
        };
        let looking = ScratchStore::new(&self.store);
        let looked = self.look(copy, &head_tree, &looking, activity)?;
        let (tree, skipped) = (looked.root.id, looked.skipped);
        warnings.extend(looked.warnings);
        let Drift { source_only, workspace_only, both_different, .. } =
            if tree == head_tree { Drift::default() } else { drift(&head_tree, &tree, &looking)? };
        // A file that still exists was not deleted: it is ignored now.
        let files = Files::of(copy.root()).map_err(SyncError::io("open", copy.root()))?;
        let stands = |path: &Vec<u8>| matches!(files.is_folder(path), Ok(Some(false)));
        let (untracked, gone): (Vec<_>, Vec<_>) = source_only.into_iter().partition(stands);
        let session = self.replica.read();
        let outbox = Outbox(session);
        // Another workspace may have landed in this one, or another folder of it on this device has pulled.
        if let (Some(head), Some(here)) = (&head, &workspace.current_snapshot_id)
            && head != here
            && follows(&Snapshots(session).lineage(&project.id), here.as_str(), head.as_str())?
        {
            let name = &workspace.name;
            warnings.push(format!(
                "workspace {name} has moved on: `fastest pull {name}` brings it here"
            ));
        }
        Ok(StatusReport {
            project: project.name.clone(),
            project_id: project.id.clone(),
            workspace: workspace.name,
            workspace_id: workspace.id,
            snapshot_id: head,
            manifest_hash: tree.to_hex(),
            dirty: tree != head_tree,
            added: show_all(&workspace_only),
            modified: show_all(&both_different),
            deleted: show_all(&gone),
            untracked: show_all(&untracked),
            unpushed: outbox.count_of(Snapshot::TABLE, &project.id.scope())?,
            waiting_rows: outbox.count(&project.id.scope())?,
            queued_since: Queue(session).since(&project.id.scope())?,
            primary: primary_url(&RemoteRow(session).get()?, self)?,
            conflicts: looked.open.iter().map(conflict_report).collect(),
            row_conflicts: Conflicts(session).count(&project.id.scope())?,
            skipped,
            warnings,
        })
    }
}

/// Returns the address of the primary, without contacting it.
pub(crate) fn primary_url(state: &RemoteState, device: &OpenDevice) -> Result<String, SyncError> {
    match &state.url {
        Some(url) => Ok(url.clone()),
        None => Ok(device.remote()?.primary.url().to_owned()),
    }
}

impl OpenDevice {
    /// Scans a working copy, which is based on the tree `head`, without storing objects.
    pub(crate) fn look(
        &self,
        copy: &WorkingCopy,
        head: &TreeId,
        looking: &ScratchStore<'_>,
        activity: &Activity,
    ) -> Result<Scanned, SyncError> {
        let (mut scanned, index_use) = self.look_only(copy, head, looking, activity)?;
        let is_stored = scanned.root.id == *head && !looking.found_new.load(Ordering::Relaxed);
        let index = scanned.index.take();
        if let Some(index) = index.filter(|_| index_use == IndexUse::Refresh || is_stored)
            && let Ok(Some(_lock)) = copy.try_lock()
        {
            // The index is only a cache: if it cannot be saved, the next scan costs as much as this
            // one.
            let _ = index.save(&copy.state());
        }
        Ok(scanned)
    }

    /// Like [`OpenDevice::look`], but changes nothing in the folder. Returns what the new stat index is of.
    pub(crate) fn look_only(
        &self,
        copy: &WorkingCopy,
        head: &TreeId,
        looking: &ScratchStore<'_>,
        activity: &Activity,
    ) -> Result<(Scanned, IndexUse), SyncError> {
        let (index, warnings) = load_index(copy)?;
        let progress = activity.begin("Scanning");
        // A lost index is saved again only if the store turns out to have everything: then the next
        // scan need not read all files.
        let index_use = if index.root().is_some() { IndexUse::Refresh } else { IndexUse::Replace };
        let (root, head_tree) =
            (copy.root(), Some(*head).filter(|head| *head != empty_directory()));
        let job = ScanJob {
            root,
            index: &index,
            index_use,
            head: head_tree,
            untrack: &[],
            brought_back: &[],
            settled: &[],
        };
        let mut scanned = self.scan(&job, looking, &progress)?;
        scanned.warnings.splice(0..0, warnings);
        scanned.warnings.append(&mut scanned.unknown_rules);
        Ok((scanned, index_use))
    }
}
