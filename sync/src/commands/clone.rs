//! `clone`: a new workspace in a folder of its own, forked from the main one's head.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fastest_core::drift::empty_directory;
use fastest_core::stat_index::StatIndex;
use fastest_core::tree::read_root;
use fastest_schema::auth::User;
use fastest_schema::find_projects_sql;
use fastest_schema::projects::Project;
use fastest_schema::workspaces::Workspace;

use crate::activity::Activity;
use crate::device::Device;
use crate::error::{SyncError, nearest};
use crate::meter::Traffic;
use crate::primary::ask_list;
use crate::primary::{Primary, PrimaryError};
use crate::pull::pull_scope;
use crate::report::CloneReport;
use crate::working_copy::WorkingCopy;

use super::init::{check_name, name_of_folder, new_workspace};
use super::snapshot::tree_of;

impl Device {
    /// Makes `dir`, which must be empty or not there, a working copy of a new workspace of a
    /// project, which is named by name or id. The workspace is named after the folder, unless a
    /// name is given.
    pub async fn clone_project(
        &mut self,
        project: &str,
        dir: &Path,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        check_target(dir)?;
        if let Some(name) = workspace {
            check_name("workspace", name)?;
        }
        activity.begin("Receiving");
        let (project, traffic) = self.fetch_project(project).await?;
        let head = match self.named_workspace(&project, None) {
            Ok(main) => main.current_snapshot_id,
            Err(SyncError::Unknown { .. }) => None,
            Err(error) => return Err(error),
        };
        let report = self.fork(&project, head, dir, workspace, activity)?;
        let (requests, bytes_received) = (traffic.requests, traffic.bytes_received);
        Ok(CloneReport { requests, bytes_received, ..report })
    }

    /// Makes `dir` a working copy of a new workspace that begins with the snapshot `head`.
    pub(crate) fn fork(
        &mut self,
        project: &Project,
        head: Option<String>,
        dir: &Path,
        name: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        let making = self.copies_lock()?;
        let root = create_target(dir)?;
        let name = self.free_name(&project.id, name, &root)?;
        let machine_id = self.identity.machine.clone();
        let workspace = Workspace {
            base_snapshot_id: head.clone(),
            current_snapshot_id: head.clone(),
            ..new_workspace(&project.id, &name, &root, machine_id)
        };
        let tree = match &head {
            Some(head) => Some(read_root(&tree_of(&self.snapshot_row(head)?)?, &self.store)?),
            None => None,
        };
        self.replica.write(|session| {
            session.save(&project.id, &workspace)?;
            session.record(&project.id, &workspace.id, "workspace.created", head.as_deref(), None)
        })?;
        let copy = WorkingCopy::create(&root, &project.id, &workspace.id)?;
        let (_lock, _) = copy.lock()?;
        drop(making);
        if let (Some(tree), Some(head)) = (&tree, &head) {
            if tree.id != empty_directory() {
                let empty = StatIndex::empty();
                let kept = self.check_out(&copy, &empty, &tree.id, head, activity)?;
                if let Some((path, why)) = kept.into_iter().next() {
                    return Err(SyncError::NotUpdated { path, why });
                }
            }
            copy.set_head(head)?;
        }
        Ok(CloneReport {
            project: project.name.clone(),
            project_id: project.id.clone(),
            workspace: workspace.name,
            workspace_id: workspace.id,
            snapshot_id: head,
            files: tree.map_or(0, |tree| tree.files),
            bytes: tree.map_or(0, |tree| tree.bytes),
            path: root.display().to_string(),
            ..CloneReport::default()
        })
    }

    /// The name of a new workspace: the given one, which must be free, or one after the folder.
    fn free_name(
        &self,
        project_id: &str,
        name: Option<&str>,
        root: &Path,
    ) -> Result<String, SyncError> {
        let taken = self.replica.read().workspaces(project_id)?;
        let is_taken = |name: &str| taken.iter().any(|workspace| workspace.name == name);
        if let Some(name) = name {
            return match is_taken(name) {
                true => Err(SyncError::NameTaken { what: "workspace", name: name.to_owned() }),
                false => Ok(name.to_owned()),
            };
        }
        let stem = name_of_folder(root);
        let names = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
        Ok(names.into_iter().find(|name| !is_taken(name)).expect("numbers do not end"))
    }

    /// A project by name or id, its rows up to date where the primary answers.
    async fn fetch_project(&mut self, name: &str) -> Result<(Project, Traffic), SyncError> {
        let remote = self.remote()?;
        let known = self.known_projects(name)?;
        let found = match known.len() {
            0 => {
                let found = find_on_primary(&*remote.primary, name).await?;
                self.one_project(name, found)?
            }
            _ => self.one_project(name, known.clone())?,
        };
        let (replica, store) = (&mut self.replica, Some(&self.store));
        match pull_scope(replica, store, &remote, &found).await {
            Ok(_) => {
                // The owner's row, which the project refers to: whoever holds the project can
                // then bring it to a primary that has neither.
                let owner = replica.read().row::<Project>(&found)?.map(|p| p.owner_user_id);
                if let Some(owner) = owner
                    && replica.read().row::<User>(&owner)?.is_none()
                {
                    pull_scope(replica, store, &remote, &owner).await?;
                }
            }
            Err(SyncError::Primary(error)) if error.is_unreachable() && !known.is_empty() => {}
            Err(error) => return Err(error),
        }
        let row = self.replica.read().row::<Project>(&found)?;
        let unknown =
            || SyncError::Unknown { what: "project", name: name.to_owned(), nearest: None };
        Ok((row.ok_or_else(unknown)?, remote.meter.traffic()))
    }

    /// Ids of the projects of this name or id on the device.
    fn known_projects(&self, name: &str) -> Result<Vec<String>, SyncError> {
        let sql = "SELECT id FROM projects WHERE id = ?1 OR name = ?1 ORDER BY id";
        Ok(self.replica.read().all(sql, [name], |row| row.get(0))?)
    }

    fn one_project(&self, name: &str, mut found: Vec<String>) -> Result<String, SyncError> {
        let exact = found.iter().position(|id| id == name);
        match (exact, found.len()) {
            (Some(at), _) => Ok(found.swap_remove(at)),
            (None, 1) => Ok(found.remove(0)),
            (None, 0) => {
                let names = self
                    .replica
                    .read()
                    .all("SELECT name FROM projects", [], |row| row.get::<_, String>(0))?;
                let nearest = nearest(name, names.iter().map(String::as_str));
                Err(SyncError::Unknown { what: "project", name: name.to_owned(), nearest })
            }
            (None, _) => {
                let (what, name) = ("project", name.to_owned());
                Err(SyncError::Ambiguous { what, name, candidates: found })
            }
        }
    }
}

async fn find_on_primary(primary: &dyn Primary, name: &str) -> Result<Vec<String>, SyncError> {
    match ask_list(primary, find_projects_sql(), name).await {
        Ok(found) => Ok(found),
        // Nobody has pushed there yet.
        Err(PrimaryError::NotMigrated { .. }) => Ok(Vec::new()),
        Err(PrimaryError::Failed { message, .. }) if message.contains("no such table") => {
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses a folder that has something in it.
fn check_target(dir: &Path) -> Result<(), SyncError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(SyncError::NotEmpty { path: dir.to_owned() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(SyncError::NotAFolder { path: dir.to_owned() })
        }
        Err(error) => Err(SyncError::io("open", dir)(error)),
    }
}

/// Creates the folder of a new working copy, where it is missing; gives its real path.
fn create_target(dir: &Path) -> Result<PathBuf, SyncError> {
    check_target(dir)?;
    fs::create_dir_all(dir).map_err(SyncError::io("create", dir))?;
    dir.canonicalize().map_err(SyncError::io("open", dir))
}
