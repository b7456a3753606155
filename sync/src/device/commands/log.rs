//! `log` and `cat`: list snapshots, and print files from them.

use fastest_schema::WorkspaceId;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use fastest_core::object::chunk::read_content;
use fastest_core::object::tree::read::find;
use fastest_schema::tables::workspaces::Snapshot;

use crate::device::open::OpenDevice;
use crate::device::path::{show, within};
use crate::device::report::{LogEntry, LogReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::error::ReplicaError;
use crate::rows::newest_first::newest_first;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

impl OpenDevice {
    /// See [`Device::log`](crate::Device::log).
    pub(crate) fn log(
        &mut self,
        copy: &WorkingCopy,
        limit: Option<usize>,
    ) -> Result<LogReport, SyncError> {
        let warnings = self.take_notices();
        // In one transaction: a snapshot that another process writes meanwhile would shift the pages.
        let (workspaces, snapshots) = self.replica.read_together(|session| {
            let mut source = Snapshots(session).log(&copy.project_id);
            let order = newest_first(&mut source, limit.unwrap_or(usize::MAX))?;
            let rows = order.iter().filter_map(|id| session.row::<Snapshot>(id).transpose());
            let rows = rows.collect::<Result<Vec<_>, ReplicaError>>()?;
            Ok::<_, ReplicaError>((Projects(session).workspaces(&copy.project_id)?, rows))
        })?;
        let name = |id: Option<WorkspaceId>| {
            let found = workspaces.iter().find(|workspace| Some(&workspace.id) == id.as_ref());
            found.map(|workspace| workspace.name.clone())
        };
        let entry = |snapshot: Snapshot| LogEntry {
            id: snapshot.id,
            parents: snapshot.parent_snapshot_ids.0,
            manifest_hash: snapshot.manifest_hash,
            message: snapshot.summary,
            created_at: snapshot.created_at,
            workspace: name(snapshot.workspace_id),
            conflicts: snapshot.conflicts.map_or(0, |number| number.max(0) as u64),
        };
        Ok(LogReport { snapshots: snapshots.into_iter().map(entry).collect(), warnings })
    }

    /// See [`Device::cat`](crate::Device::cat).
    pub(crate) fn cat(
        &mut self,
        copy: &WorkingCopy,
        snapshot: &str,
        path: &Path,
        out: &mut dyn Write,
    ) -> Result<(), SyncError> {
        let snapshot = self.named_snapshot(copy, snapshot)?;
        let shown = show(path.as_os_str().as_bytes());
        // An absolute path into the working copy is accepted as well.
        let inside = path.is_absolute().then(|| within(copy.root(), copy.root(), path).ok());
        let inside = inside.flatten();
        let bytes = inside.as_deref().unwrap_or(path.as_os_str().as_bytes());
        let parts =
            bytes.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && part != b".");
        let parts: Vec<&[u8]> = parts.collect();
        let snapshot_id = snapshot.id.clone();
        let Some(item) = find(&tree_of(&snapshot)?, &parts, &self.store)? else {
            return Err(SyncError::NoPath { snapshot: snapshot_id, path: shown });
        };
        if item.is_directory() {
            return Err(SyncError::IsDirectory { snapshot: snapshot_id, path: shown });
        }
        Ok(read_content(&item, &self.store, out)?)
    }
}
