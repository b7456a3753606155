//! `log` and `cat`: what the snapshots were, and what was in them.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use fastest_core::chunk::read_content;
use fastest_core::tree::find;
use fastest_schema::workspaces::Snapshot;

use crate::device::Device;
use crate::error::SyncError;
use crate::path::show;
use crate::report::{LogEntry, LogReport};
use crate::working_copy::WorkingCopy;

use super::snapshot::tree_of;

impl Device {
    /// The project's snapshots, newest first, at most `limit` of them.
    pub fn log(
        &mut self,
        copy: &WorkingCopy,
        limit: Option<usize>,
    ) -> Result<LogReport, SyncError> {
        let session = self.replica.read();
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let filter =
            format!("WHERE project_id = ?1 ORDER BY created_at DESC, id DESC LIMIT {limit}");
        let workspaces = session.workspaces(&copy.project_id)?;
        let name = |id: Option<String>| {
            let found = workspaces.iter().find(|workspace| Some(&workspace.id) == id.as_ref());
            found.map(|workspace| workspace.name.clone())
        };
        let snapshots = session.rows::<Snapshot>(&filter, &copy.project_id)?;
        let entry = |snapshot: Snapshot| LogEntry {
            id: snapshot.id,
            parents: snapshot.parent_snapshot_ids.0,
            manifest_hash: snapshot.manifest_hash,
            message: snapshot.summary,
            created_at: snapshot.created_at,
            workspace: name(snapshot.workspace_id),
        };
        Ok(LogReport { snapshots: snapshots.into_iter().map(entry).collect() })
    }

    /// Writes the bytes that a file, or the target that a link, has in a snapshot.
    pub fn cat(
        &mut self,
        copy: &WorkingCopy,
        snapshot: &str,
        path: &Path,
        out: &mut dyn Write,
    ) -> Result<(), SyncError> {
        let snapshot = self.named_snapshot(&copy.project_id, snapshot)?;
        let bytes = path.as_os_str().as_bytes();
        let shown = show(bytes);
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
