//! `init`: makes a folder a project, with `main` as its first workspace.

use std::fs::File;
use std::path::Path;

use fastest_core::files::disk;
use fastest_schema::ProjectId;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::Workspace;

use crate::base::waiting;
use crate::device::find::find_on_primary;
use crate::device::names::{check_name, name_of_folder, new_workspace};
use crate::device::open::OpenDevice;
use crate::device::report::InitReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::error::named::Named;
use crate::replica::local::copies::Copies;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::outbox::Outbox;
use crate::rows::projects::Projects;
use crate::rows::snapshots::Snapshots;

impl OpenDevice {
    /// See [`Device::init`](crate::Device::init).
    pub(crate) fn init(&mut self, dir: &Path, name: Option<&str>) -> Result<InitReport, SyncError> {
        if dir.exists() && !dir.is_dir() {
            return Err(SyncError::NotAFolder { path: dir.to_owned() });
        }
        disk::create_dir_all(dir, 0o777).map_err(SyncError::io("create", dir))?;
        let root = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        if self.was_project_named(&root, name)? {
            // Restores the copy's state, or fails with the reason why that is impossible.
            self.find(&root)?;
        }
        let name = name.map_or_else(|| name_of_folder(&root), str::to_owned);
        check_name(Named::Project, &name)?;
        let _lock = self.copies_lock()?;
        self.trust.check_target(&root)?;
        if WorkingCopy::at(&root, &self.trust)?.is_some() {
            return Err(SyncError::AlreadyProject { path: root });
        }
        let above = self.copy_above(&root)?;
        let mut report = self.create_project(&root, &name)?;
        report.warnings.extend(above.map(|above| within_another(&root, above.root())));
        Ok(report)
    }

    /// Makes `dir` a project because of a push. Returns false if another process has just done so.
    /// The project is named after the folder. The name must be free on the device and, if a primary
    /// was chosen and answers, there too. Fails for the home folder and for `/`.
    pub(crate) async fn init_on_push(&mut self, dir: &Path) -> Result<bool, SyncError> {
        let root = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        let home = std::env::home_dir().and_then(|home| home.canonicalize().ok());
        if root.parent().is_none() || home.is_some_and(|home| home == root) {
            return Err(SyncError::TooMuch { path: root });
        }
        let name = name_of_folder(&root);
        // An unreachable primary does not matter: the push that reaches it checks again.
        let mut on_primary = None;
        if let Ok(remote) = self.remote()
            && remote.chosen.is_some()
            && let Ok(found) = find_on_primary(&*remote.primary, &name).await
        {
            let place = |id: &ProjectId| format!("with id {id} on {}", remote.primary.url());
            on_primary = found.first().map(place);
        }
        let _lock = self.copies_lock()?;
        self.trust.check_target(&root)?;
        if WorkingCopy::at(&root, &self.trust)?.is_some() {
            return Ok(false);
        }
        if self.begun_project(&root)?.is_some_and(|(project, _)| project.name == name) {
            return self.create_project(&root, &name).map(|_| true);
        }
        if let Some(project) = self.was_made_here(&root)? {
            let place = Some("and this folder was a working copy of it".to_owned());
            return Err(SyncError::NameTaken { what: Named::Project, name: project.name, place });
        }
        match self.place_of_project(&name)?.or(on_primary) {
            Some(place) => {
                Err(SyncError::NameTaken { what: Named::Project, name, place: Some(place) })
            }
            None => self.create_project(&root, &name).map(|_| true),
        }
    }

    /// Whether the device's list has this folder as a working copy of the project `name`, or of any
    /// project if `name` is `None`.
    fn was_project_named(&self, root: &Path, name: Option<&str>) -> Result<bool, SyncError> {
        let session = self.replica.read();
        let Some(known) = Copies(session).at(root)? else { return Ok(false) };
        let project = session.row::<Project>(&known.project_id)?;
        Ok(project.is_some_and(|project| name.is_none_or(|name| project.name == name)))
    }

    /// Describes where the device's project with this name is; `None` if it has none.
    pub(crate) fn place_of_project(&self, name: &str) -> Result<Option<String>, SyncError> {
        let session = self.replica.read();
        let Some(id) = Projects(session).named(name)? else { return Ok(None) };
        let copies = Copies(session).of_project(&id)?;
        let place = copies.iter().map(|copy| copy.root.as_path()).find(|root| root.is_dir());
        Ok(Some(match place {
            Some(root) => format!("with id {id} and a working copy in {}", root.display()),
            None => format!("with id {id}"),
        }))
    }

    /// Locks the list of working copies. The lock is held while a folder becomes a working copy: if
    /// two processes want the same folder or name, the second finds what the first has created.
    pub(crate) fn copies_lock(&self) -> Result<File, SyncError> {
        let path = self.dir.join("locks").join("copies");
        Ok(waiting::lock(&path, "the store's list of working copies")?)
    }

    fn create_project(&mut self, root: &Path, name: &str) -> Result<InitReport, SyncError> {
        let begun = self.begun_project(root)?.filter(|(project, _)| project.name == name);
        let (project, workspace) = match begun {
            Some(begun) => begun,
            None => self.save_project(root, name)?,
        };
        match WorkingCopy::create(root, &project.id, &workspace.id) {
            Ok(copy) => {
                self.keep_left(&copy)?;
                self.replica.write(|session| Copies(session).put(&copy.known(None)))?;
                self.forget_begun(&workspace.id);
            }
            Err(error) => {
                // The folder cannot be written: delete the rows, which nobody has seen.
                self.replica.write(|session| Projects(session).forget(&project.id))?;
                return Err(error);
            }
        }
        Ok(InitReport {
            project: project.name,
            project_id: project.id,
            workspace: workspace.name,
            workspace_id: workspace.id,
            path: root.display().to_string(),
            warnings: Vec::new(),
        })
    }

    fn save_project(&mut self, root: &Path, name: &str) -> Result<(Project, Workspace), SyncError> {
        let machine = self.identity.machine.clone();
        let workspace = new_workspace(self.world(), &ProjectId::default(), "main", root, machine);
        self.note_begun(&workspace.id)?;
        self.replica.write(|session| {
            if let Some(id) = Projects(session).named(name)? {
                let (name, place) = (name.to_owned(), Some(format!("with id {id}")));
                return Err(SyncError::NameTaken { what: Named::Project, name, place });
            }
            let project = Project {
                id: session.world.new_id().into(),
                owner_user_id: DeviceRow(session).user_id()?,
                name: name.to_owned(),
                intent: None,
                brief: None,
                created_at: session.world.now_text(),
                updated_at: session.world.now_text(),
                last_snapshot_id: None,
                main_workspace_id: None,
            };
            let workspace = Workspace { project_id: project.id.clone(), ..workspace };
            let project = Project { main_workspace_id: Some(workspace.id.clone()), ..project };
            Outbox(session).save(&project.id.scope(), &project)?;
            Outbox(session).save(&project.id.scope(), &workspace)?;
            Snapshots(session).record(&project.id, &workspace.id, "project.created", None, None)?;
            Ok::<_, SyncError>((project, workspace))
        })
    }
}

/// Returns the notice about a working copy inside of another.
pub(super) fn within_another(root: &Path, above: &Path) -> String {
    format!(
        "{} lies in the working copy {}, which leaves it alone from now on, and keeps what it had of it",
        root.display(),
        above.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_become_allowed_names() {
        for folder in ["app", "-rf", " x ", "a\\b", "\n", "ä".repeat(200).as_str(), ".."] {
            let name = name_of_folder(&Path::new("/tmp").join(folder));
            assert!(check_name(Named::Project, &name).is_ok(), "{folder:?} gave {name:?}");
        }
    }
}
