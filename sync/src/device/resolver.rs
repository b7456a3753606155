//! Finds the snapshot that a user names.
//!
//! All commands use this resolver. `@` is the snapshot that the working copy is based on, `@-` the
//! one before it, `WORKSPACE@` the head of another workspace, and `main` the head of the project's
//! main workspace. Anything else is an id, or a prefix of an id or of its random part. Where a workspace
//! may be meant too, its name is tried first.

use fastest_schema::SnapshotId;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};

use crate::device::nearest::nearest;
use crate::device::open::OpenDevice;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::error::named::Named;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;
use crate::rows::undone::Undone;

/// The most candidates that are listed if a name is ambiguous.
const CANDIDATES_MAX: i64 = 10;

/// How many of the newest snapshots are searched for the one meant by a misspelt id.
const NEAREST_OF: usize = 200;

impl OpenDevice {
    /// Returns the snapshot that a user names in a working copy.
    pub(crate) fn named_snapshot(
        &self,
        copy: &WorkingCopy,
        name: &str,
    ) -> Result<Snapshot, SyncError> {
        if let Some(before) = name.strip_prefix('@').filter(|rest| rest.chars().all(|c| c == '-')) {
            return self.before_head(copy, name, before.len());
        }
        if let Some(workspace) = name.strip_suffix('@') {
            return self.head_of_workspace(copy, Some(workspace));
        }
        // Before ids, which others choose.
        if name == "main" {
            return self.head_of_workspace(copy, None);
        }
        match self.by_id(copy, name)? {
            Some(found) => Ok(found),
            None => Err(self.no_snapshot(copy, name)?),
        }
    }

    /// Like [`OpenDevice::named_snapshot`], for a command that takes a workspace too, which stands for its
    /// head.
    pub(crate) fn named_state(
        &self,
        copy: &WorkingCopy,
        name: &str,
    ) -> Result<Snapshot, SyncError> {
        let is_no_workspace = name == "main" || name.starts_with('@') || name.starts_with("snap-");
        if !is_no_workspace {
            // Before ids: most short names are prefixes of the random part of some id.
            match self.head_of_workspace(copy, Some(name)) {
                Err(SyncError::Unknown { what: Named::Workspace, .. }) => {}
                found => return found,
            }
        }
        match self.named_snapshot(copy, name) {
            Err(SyncError::Unknown { what: Named::Snapshot, name, nearest: id }) => {
                let workspaces = Projects(self.replica.read()).workspaces(&copy.project_id)?;
                let nearest = nearest(&name, workspaces.iter().map(|one| one.name.as_str()));
                Err(SyncError::Unknown { what: Named::State, name, nearest: nearest.or(id) })
            }
            found => found,
        }
    }

    /// Returns the snapshot `steps` before the one that a working copy is based on, along first
    /// parents.
    fn before_head(
        &self,
        copy: &WorkingCopy,
        name: &str,
        steps: usize,
    ) -> Result<Snapshot, SyncError> {
        let unknown = || {
            let (what, name) = (Named::Snapshot, name.to_owned());
            SyncError::Unknown { what, name, nearest: None }
        };
        let (head, _) = self.head_of(copy)?;
        let Some(head) = head else {
            return Err(SyncError::NoSnapshot { workspace: self.workspace_of(copy)?.name });
        };
        let mut found = self.of_project(copy, &head)?;
        for _ in 0..steps {
            let parent = found.parent_snapshot_ids.0.first().ok_or_else(unknown)?;
            found = self.of_project(copy, parent)?;
        }
        Ok(found)
    }

    /// Returns the snapshot with this id, if it belongs to the copy's project: a row may refer to a
    /// snapshot of another project.
    fn of_project(&self, copy: &WorkingCopy, id: &SnapshotId) -> Result<Snapshot, SyncError> {
        let found = self.snapshot_row(id)?;
        if found.project_id == copy.project_id {
            return Ok(found);
        }
        Err(SyncError::Unknown { what: Named::Snapshot, name: id.to_string(), nearest: None })
    }

    fn head_of_workspace(
        &self,
        copy: &WorkingCopy,
        name: Option<&str>,
    ) -> Result<Snapshot, SyncError> {
        let project = self.project_of(copy)?;
        let Workspace { name, current_snapshot_id, .. } = self.named_workspace(&project, name)?;
        match current_snapshot_id {
            Some(head) => self.of_project(copy, &head),
            None => Err(SyncError::NoSnapshot { workspace: name }),
        }
    }

    /// Returns the snapshot with this id, or the only one whose id or random part has this prefix.
    fn by_id(&self, copy: &WorkingCopy, name: &str) -> Result<Option<Snapshot>, SyncError> {
        let session = self.replica.read();
        let prefix = name.strip_prefix("snap-").unwrap_or(name);
        let whole = session.row::<Snapshot>(&format!("snap-{prefix}").into())?;
        // One that was taken back is in no log, but is here still.
        let whole = match whole {
            None => {
                Undone(session).taken_back(&copy.project_id, &format!("snap-{prefix}").into())?
            }
            found => found,
        };
        if let Some(found) = whole.filter(|found| found.project_id == copy.project_id) {
            return Ok(Some(found));
        }
        if prefix.is_empty() {
            return Ok(None);
        }
        // Ids that this build makes have capitals, those of other programs may not.
        let mut found = Vec::new();
        for prefix in [prefix, &prefix.to_ascii_uppercase()] {
            if found.is_empty() {
                let most = CANDIDATES_MAX + 1;
                found = Snapshots(session).beginning_with(&copy.project_id, prefix, most)?;
            }
        }
        if found.len() < 2 {
            return Ok(found.pop());
        }
        let mut candidates: Vec<String> =
            found.into_iter().map(|snapshot| snapshot.id.into()).collect();
        if candidates.len() > CANDIDATES_MAX as usize {
            candidates.truncate(CANDIDATES_MAX as usize);
            candidates.push("others".to_owned());
        }
        Err(SyncError::Ambiguous { what: Named::Snapshot, name: name.to_owned(), candidates })
    }

    fn no_snapshot(&self, copy: &WorkingCopy, name: &str) -> Result<SyncError, SyncError> {
        let snapshots = Snapshots(self.replica.read());
        let newest = snapshots.by_time(&copy.project_id, None, NEAREST_OF)?;
        let id = if name.starts_with("snap-") { name.to_owned() } else { format!("snap-{name}") };
        let nearest = nearest(&id, newest.iter().map(|(_, id)| id.as_str()));
        Ok(SyncError::Unknown { what: Named::Snapshot, name: name.to_owned(), nearest })
    }
}
