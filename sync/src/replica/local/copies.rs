//! Where this device's working copies are: the table `fastest_local_copy`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_schema::{ProjectId, SnapshotId, WorkspaceId};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// A working copy as the device last saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownCopy {
    pub root: PathBuf,
    pub project_id: ProjectId,
    pub workspace_id: WorkspaceId,
    /// The snapshot that it was based on when it was recorded. Its current head may be a later one.
    pub head: Option<SnapshotId>,
    /// Distinguishes the folder from a later one at the same path (`folder_mark`).
    pub folder: Option<String>,
}

/// The working copies that the device knows, by folder.
#[derive(Clone, Copy)]
pub(crate) struct Copies<'a>(pub(crate) Session<'a>);

impl Copies<'_> {
    /// Returns the working copy that was last seen at `root`.
    pub(crate) fn at(&self, root: &Path) -> Result<Option<KnownCopy>, ReplicaError> {
        let mut found = self.find("root = ?1", params![root.as_os_str().as_bytes()])?;
        Ok(found.pop())
    }

    /// Returns the working copies of a workspace, each at the path where it was last seen.
    pub(crate) fn of_workspace(
        &self,
        workspace_id: &WorkspaceId,
    ) -> Result<Vec<KnownCopy>, ReplicaError> {
        self.find("workspace_id = ?1", [workspace_id])
    }

    /// Returns the working copies of a project, each at the path where it was last seen.
    pub(crate) fn of_project(&self, id: &ProjectId) -> Result<Vec<KnownCopy>, ReplicaError> {
        self.find("project_id = ?1", [id])
    }

    /// Returns the folders of all working copies that the device knows.
    pub(crate) fn roots(&self) -> Result<Vec<PathBuf>, ReplicaError> {
        Ok(self.find("true", [])?.into_iter().map(|copy| copy.root).collect())
    }

    fn find(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<KnownCopy>, ReplicaError> {
        let sql = format!(
            "SELECT root, project_id, workspace_id, head, folder FROM fastest_local_copy
             WHERE {condition} ORDER BY root"
        );
        self.0.all(&sql, parameters, |row| {
            Ok(KnownCopy {
                root: OsStr::from_bytes(&row.get::<_, Vec<u8>>(0)?).into(),
                project_id: row.get(1)?,
                workspace_id: row.get(2)?,
                head: row.get(3)?,
                folder: row.get(4)?,
            })
        })
    }

    /// Records a working copy, in place of any at its path.
    pub(crate) fn put(&self, copy: &KnownCopy) -> Result<(), ReplicaError> {
        let sql = "INSERT OR REPLACE INTO
                   fastest_local_copy(root, project_id, workspace_id, head, folder)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let KnownCopy { root, project_id, workspace_id, head, folder } = copy;
        let root = root.as_os_str().as_bytes();
        self.0.run(sql, params![root, project_id, workspace_id, head, folder]).map(drop)
    }

    /// Forgets the working copy at `root`.
    pub(crate) fn forget(&self, root: &Path) -> Result<(), ReplicaError> {
        let root = root.as_os_str().as_bytes();
        self.0.run("DELETE FROM fastest_local_copy WHERE root = ?1", params![root]).map(drop)
    }

    /// Whether the device knows any working copy.
    pub(crate) fn is_any(&self) -> Result<bool, ReplicaError> {
        Ok(self.0.get::<i64>("SELECT 1 FROM fastest_local_copy LIMIT 1", [])?.is_some())
    }

    /// Returns the last recorded head of each working copy of a project.
    pub(crate) fn heads(&self, project_id: &ProjectId) -> Result<Vec<SnapshotId>, ReplicaError> {
        let copies = self.of_project(project_id)?.into_iter();
        Ok(copies.filter_map(|copy| copy.head).collect())
    }
}
